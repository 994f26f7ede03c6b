/* SPDX-License-Identifier: MIT */
/* ntlsa.h: in the kernel its types come with ntifs.h. */
#ifndef FLTVM_NTLSA_H
#define FLTVM_NTLSA_H

#include <ntifs.h>

#endif

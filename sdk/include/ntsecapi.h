/* SPDX-License-Identifier: MIT */
/* ntsecapi.h: in the kernel its types come with ntifs.h. */
#ifndef FLTVM_NTSECAPI_H
#define FLTVM_NTSECAPI_H

#include <ntifs.h>

#endif

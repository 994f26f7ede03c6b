/* SPDX-License-Identifier: MIT */
/* ksecdd.h: the security support provider's kernel interface, which comes with ntifs.h. */
#ifndef FLTVM_KSECDD_H
#define FLTVM_KSECDD_H

#include <ntifs.h>

#endif

/* SPDX-License-Identifier: MIT */
/* aux_klib.h: a library of routines on loaded modules and bugcheck data. */
#ifndef FLTVM_AUX_KLIB_H
#define FLTVM_AUX_KLIB_H

#include <ntddk.h>
#include <ntimage.h>
#include <fltvm_aux_klib.h>

#endif

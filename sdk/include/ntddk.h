/* SPDX-License-Identifier: MIT */
/*
 * ntddk.h: mingw-w64's, and what it lacks.
 */
#ifndef FLTVM_NTDDK_H
#define FLTVM_NTDDK_H

#include_next <ntddk.h>

#include <fltvm_ntddk.h>

#endif

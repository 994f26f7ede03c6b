/* SPDX-License-Identifier: MIT */
/*
 * annotations.h: those of SAL's annotations that mingw-w64's sal.h and driverspecs.h lack.  They check nothing with
 * this toolchain: fltvm checks IRQL and lifetimes while the driver runs.
 */
#ifndef FLTVM_ANNOTATIONS_H
#define FLTVM_ANNOTATIONS_H

#include <sal.h>
#include <driverspecs.h>
#include <specstrings.h>
#include <fltvm_sal.h>

#endif

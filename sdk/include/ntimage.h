/* SPDX-License-Identifier: MIT */
/* ntimage.h: mingw-w64's, and the kinds of base relocations, which it lacks. */
#ifndef FLTVM_NTIMAGE_H
#define FLTVM_NTIMAGE_H

#include_next <ntimage.h>

#ifndef IMAGE_REL_BASED_ABSOLUTE
#define IMAGE_REL_BASED_ABSOLUTE 0
#define IMAGE_REL_BASED_HIGH     1
#define IMAGE_REL_BASED_LOW      2
#define IMAGE_REL_BASED_HIGHLOW  3
#define IMAGE_REL_BASED_HIGHADJ  4
#define IMAGE_REL_BASED_DIR64    10
#endif

#endif

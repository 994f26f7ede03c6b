/* SPDX-License-Identifier: MIT */
/* lookaside.h: lookaside lists come with wdm.h. */
#ifndef FLTVM_LOOKASIDE_H
#define FLTVM_LOOKASIDE_H

#include <wdm.h>

#endif

/* SPDX-License-Identifier: MIT */
/* fltUser.h: the user-mode side of the filter manager; a driver that includes it gets the types both sides share. */
#ifndef FLTVM_FLTUSER_H
#define FLTVM_FLTUSER_H

#include <fltKernel.h>

#endif

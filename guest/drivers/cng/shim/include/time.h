/* SPDX-License-Identifier: GPL-2.0-or-later */
/* time.h: libtomcrypt's headers include it and what is built of the library asks for no time. */
#ifndef FLTVM_CNG_TIME_H
#define FLTVM_CNG_TIME_H

typedef long clock_t;

#endif

/* SPDX-License-Identifier: MIT */
/* warning.h: turns warnings of another compiler on and off; nothing here. */
#ifndef FLTVM_WARNING_H
#define FLTVM_WARNING_H

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that somebody has read, and whether they still are what they were. */
#ifndef FLTVM_HOST_INPUTS_H
#define FLTVM_HOST_INPUTS_H

#include <glib.h>

typedef struct FltvmInputs FltvmInputs;

FltvmInputs *fltvm_inputs_new(void);
void fltvm_inputs_free(FltvmInputs *inputs);

/* This one is read. */
void fltvm_inputs_add(FltvmInputs *inputs, const char *path);

/* All are as they are to be from now on. */
void fltvm_inputs_settle(FltvmInputs *inputs);

/* The path of one that is not as it was then (by place, size and time); NULL: there is none. */
const char *fltvm_inputs_changed(const FltvmInputs *inputs);

#endif

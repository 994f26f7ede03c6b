/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest has told of itself: stacks and verifier reports, kept until somebody asks for them.
 *
 * A guest may send any number of records.  They are decoded, bounded in memory, and put into words only when needed,
 * since the symbolizer takes much longer for a stack than the guest for sending one.
 */
#ifndef FLTVM_HOST_HEARD_H
#define FLTVM_HOST_HEARD_H

#include <glib.h>

#include "symbols.h"

typedef struct FltvmHeard FltvmHeard;

FltvmHeard *fltvm_heard_new(void);
void fltvm_heard_free(FltvmHeard *heard);

/* A STACKS record's payload. */
void fltvm_heard_stacks(FltvmHeard *heard, const guint8 *payload, gsize length);
/* A HELD record's payload, lines "name=value": it belongs to the stacks. */
void fltvm_heard_held(FltvmHeard *heard, const char *text, gsize length);
/* A new question: forget earlier stacks. */
void fltvm_heard_forget_stacks(FltvmHeard *heard);
/* All stacks in words, and behind them what is held; or NULL if there are none; valid until there are others. */
const char *fltvm_heard_stacks_text(FltvmHeard *heard, FltvmSymbols *symbols);

/* A REPORT record's payload: lines "name=value". */
void fltvm_heard_report(FltvmHeard *heard, const char *text, gsize length);
/* All of them, or NULL. */
const char *fltvm_heard_report_text(FltvmHeard *heard);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace of a run: records as the guest sends them, their hash, and a Chrome trace file made of them.
 * Both are a function of the records alone: the same seed gives the same bytes.
 */
#ifndef FLTVM_HOST_TRACE_H
#define FLTVM_HOST_TRACE_H

#include <glib.h>

#include "abi/link.h"
#include "symbols.h"

typedef struct FltvmTrace FltvmTrace;

/* Records are only kept when `keep` is set; the hash is always made. */
FltvmTrace *fltvm_trace_new(gboolean keep);
void fltvm_trace_free(FltvmTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmTrace, fltvm_trace_free)

/* One FLTVM_RECORD_TRACE payload: one or more whole records.  The symbols must live until the file is written. */
void fltvm_trace_add(FltvmTrace *trace, FltvmSymbols *symbols, const guint8 *payload, gsize length);

guint64 fltvm_trace_count(const FltvmTrace *trace);
/* How many of those to be kept were too many. */
guint64 fltvm_trace_dropped(const FltvmTrace *trace);
/* SHA-256 over all records, in hexadecimal. */
const char *fltvm_trace_hash(FltvmTrace *trace);

/* Keep records from here on, if they were not; whether they are kept. */
void fltvm_trace_keep(FltvmTrace *trace);
gboolean fltvm_trace_keeps(const FltvmTrace *trace);

/* The part from here on is what is to be looked at: the machine's checkpoint. */
void fltvm_trace_mark(FltvmTrace *trace);
gboolean fltvm_trace_is_marked(const FltvmTrace *trace);
/* The index of the first record kept behind the mark; 0 without one. */
guint fltvm_trace_begin(const FltvmTrace *trace);

/* One of the records kept, with the symbols it goes with; NULL behind the last. */
const struct fltvm_trace_record *fltvm_trace_get(const FltvmTrace *trace, guint index, FltvmSymbols **symbols);

/* An event's name, and its fields' names as abi/trace.h has them ("" ends them). */
const char *fltvm_trace_event_name(guint event);
const char *fltvm_trace_event_field(guint event, guint index);

/* Write Chrome trace JSON. */
gboolean fltvm_trace_write(FltvmTrace *trace, const char *path, GError **error);

#endif

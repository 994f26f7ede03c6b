/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest says when it dies or is stopped: bugchecks, verifier reports and stacks, decoded from
 * their records and put into words.
 */
#ifndef FLTVM_HOST_BUGCHECK_H
#define FLTVM_HOST_BUGCHECK_H

#include <glib.h>

#include "abi/link.h"
#include "symbols.h"

typedef struct {
    struct fltvm_stack header;
    guint64 *frames; /* header.frames of them */
} FltvmStack;

typedef struct {
    struct fltvm_bugcheck header;
    guint64 time_ns;
    guint cpu;
    GPtrArray *stacks; /* FltvmStack */
    char *driver;      /* name of the image blamed, or NULL */
    char *routine;     /* "driver!Routine" that is blamed, or NULL */
    char *line;        /* "file.c:12" there, or NULL */
    char *report;      /* text of the verifier's report, with symbols; or NULL */
    char *text;        /* the whole account, when fltvm_bugcheck_describe() has run */
} FltvmBugcheck;

/* Decode; a record that is cut short gives the stacks that are whole. */
FltvmBugcheck *fltvm_bugcheck_decode(const guint8 *payload, gsize length);

#define FLTVM_TRIPLE_FAULT 0u

/* A triple fault, as a bugcheck whose code is 0: the frames are the addresses of code that its stack holds. */
FltvmBugcheck *fltvm_crash_decode(const guint8 *payload, gsize length, FltvmSymbols *symbols);
GPtrArray *fltvm_stacks_decode(const guint8 *payload, gsize length);
/* What the record EXIT says of a bugcheck whose report was lost; NULL if nothing. */
FltvmBugcheck *fltvm_last_words_decode(const guint8 *payload, gsize length, FltvmSymbols *symbols);
void fltvm_bugcheck_free(FltvmBugcheck *bugcheck);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmBugcheck, fltvm_bugcheck_free)

/* Put it into words: the code's name, parameters, the report, the culprit's stack, then the others'. */
const char *fltvm_bugcheck_describe(FltvmBugcheck *bugcheck, FltvmSymbols *symbols, const char *report,
                                    gboolean all_stacks);
char *fltvm_stacks_describe(const GPtrArray *stacks, FltvmSymbols *symbols);

/* A report's "name=value" lines, with addresses replaced by what they are called. */
char *fltvm_report_describe(const char *report, FltvmSymbols *symbols);

#endif

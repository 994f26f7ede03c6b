/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an exploration has found: each fault once, with the first choice that shows it; and what it could not judge. */
#ifndef FLTVM_HOST_FINDINGS_H
#define FLTVM_HOST_FINDINGS_H

#include <glib.h>

#include "runner.h"

typedef struct {
    FltvmOutcome *outcome;
    guint64 count; /* runs that ended with it */
    guint64 order; /* of the first of them in the plan */
    char *strategy;
    FltvmTask task; /* that shows it; not of one that was read from a file */
    char **command; /* the same for a person */
    gboolean repeats;
    char *log; /* what that run prints; NULL: it was not run again */
} FltvmFinding;

/* A strategy's part. */
typedef struct {
    char *name;
    guint64 runs;
    guint64 order; /* of the first of them in the plan; not of one that was read from a file */
} FltvmPart;

typedef struct {
    char *script;
    GPtrArray *list;  /* FltvmFinding, by order */
    GPtrArray *parts; /* FltvmPart, by order */
    guint64 runs;
    guint64 answered; /* runs in which what was made to fail ended the script */
    guint64 unjudged;
    guint64 unjudged_order; /* of the first of those, and what was the matter */
    char *unjudged_title;
    char *unjudged_command;
    guint shard, shards; /* 1 of 1: all */
    gboolean incomplete; /* runs that were to be made are missing: of shards, or it was interrupted */
    char *stopped;       /* why it ended before its time; NULL: it did not */
    double seconds;
} FltvmFindings;

FltvmFindings *fltvm_findings_new(const char *script);
void fltvm_findings_free(FltvmFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmFindings, fltvm_findings_free)

/* The finding with this key, or NULL. */
FltvmFinding *fltvm_findings_look(const FltvmFindings *findings, const char *key);
/* A new one, which the caller fills in. */
FltvmFinding *fltvm_findings_append(FltvmFindings *findings);
/* The part of a strategy; made when it is not there. */
FltvmPart *fltvm_findings_part(FltvmFindings *findings, const char *strategy);
/* A run that could not be judged; takes the command over. */
void fltvm_findings_unjudged(FltvmFindings *findings, guint64 order, const char *title, char *command);

/* A run is over: count it, and take what it found. */
void fltvm_findings_add(FltvmFindings *findings, const FltvmRunner *runner, const FltvmDone *done);

void fltvm_findings_sort(FltvmFindings *findings);

/* 0 nothing found, 1 something, 4 nothing, but not everything could be judged. */
int fltvm_findings_status(const FltvmFindings *findings);

/* A command as one types it. */
char *fltvm_findings_quote(char **command);

/* Run each once more, then with less: shrink.c.  `most` runs for each. */
void fltvm_findings_shrink(FltvmFindings *findings, FltvmRunner *runner, const FltvmTask *start, guint most);

/* The account: summary.c.  Also as JUnit, where each finding is a failure. */
char *fltvm_findings_describe(const FltvmFindings *findings);
gboolean fltvm_findings_write_junit(const FltvmFindings *findings, const char *path, GError **error);

/* As JSON, and back; several become one: findings_json.c. */
gboolean fltvm_findings_write_json(const FltvmFindings *findings, const char *path, GError **error);
FltvmFindings *fltvm_findings_merge(char **paths, GError **error);

/* A folder for each: artefacts.c.  The folder is made, or is empty; checked by the first before anything runs. */
gboolean fltvm_findings_check_output(const char *directory, GError **error);
gboolean fltvm_findings_write_output(const FltvmFindings *findings, const char *directory, GError **error);

#endif

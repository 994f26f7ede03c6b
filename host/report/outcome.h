/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run of one scenario ended with, told so that two runs can be compared, and what such a run offers to be made to
 * fail.  `fltvm run --json` writes it, `fltvm explore` reads it.
 */
#ifndef FLTVM_HOST_OUTCOME_H
#define FLTVM_HOST_OUTCOME_H

#include <glib.h>

#include "account.h"
#include "bugcheck.h"
#include "json.h"
#include "trace.h"

typedef enum {
    FLTVM_OUTCOME_PASSED,
    FLTVM_OUTCOME_ANSWERED, /* what was made to fail failed, and the script ended there */
    FLTVM_OUTCOME_CHECK,    /* a check failed */
    FLTVM_OUTCOME_BUGCHECK,
    FLTVM_OUTCOME_HANG,   /* an operation was not done in its time of the guest's */
    FLTVM_OUTCOME_STATUS, /* an NTSTATUS that nothing expected */
    FLTVM_OUTCOME_SCRIPT, /* an error in the script, or bad input */
    FLTVM_OUTCOME_HOST,   /* real time was over, or the host failed: nothing is known */
    FLTVM_OUTCOME_KINDS,
} FltvmOutcomeKind;

typedef struct {
    FltvmOutcomeKind kind;
    char *title; /* one line */
    char *key;   /* equal for what is the same fault: no addresses, no times */
    char *text;  /* the whole report */
    int status;  /* exit status */
} FltvmOutcome;

/* "passed", "bugcheck", … */
const char *fltvm_outcome_kind_name(FltvmOutcomeKind kind);

/* `title` may be several lines, of which the first counts, and is the key as well. */
FltvmOutcome *fltvm_outcome_new(FltvmOutcomeKind kind, int status, const char *title);
/* The first check of the account that failed. */
FltvmOutcome *fltvm_outcome_new_check(const FltvmAccount *account);
/* A bugcheck that has been described. */
FltvmOutcome *fltvm_outcome_new_bugcheck(const FltvmBugcheck *bugcheck);
FltvmOutcome *fltvm_outcome_copy(const FltvmOutcome *outcome);
void fltvm_outcome_free(FltvmOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmOutcome, fltvm_outcome_free)

/*
 * As JSON.  With a trace: also its hash, and if it was kept, machine by machine, each allocation's stack and each command's
 * disk, from the checkpoint on if there was one.  `offers`, JSON or NULL, is what else there is to choose, as
 * fltvm_scenario_offers() says it.
 */
gboolean fltvm_outcome_write(const FltvmOutcome *outcome, FltvmTrace *trace, const char *offers, const char *path,
                             GError **error);

/* Back from JSON; NULL if that is none. */
FltvmOutcome *fltvm_outcome_read(const FltvmJson *json);

#endif

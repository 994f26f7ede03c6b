/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which runs an exploration makes, in which order: a strategy is a list of choices, and the plan takes one of each in
 * turn.  The same scenario, options and lists give the same plan: so shards share it without speaking to each other.
 */
#ifndef FLTVM_HOST_PLAN_H
#define FLTVM_HOST_PLAN_H

#include <glib.h>

#include "choice.h"
#include "json.h"

#define FLTVM_STRATEGY_DEFAULT "default" /* the run without any deviation */

typedef struct {
    FltvmChoice choice;
    gboolean has_seed; /* FALSE: the scenario's own */
    guint64 seed;
    const char *strategy; /* static */
    guint64 order;        /* 0: the run without a deviation */
} FltvmTask;

/* The seed that its choice has, from the beginning or from the checkpoint on. */
void fltvm_task_set_seed(FltvmTask *task, guint64 seed);

typedef struct FltvmPlan FltvmPlan;

/* Names, a list with commas; NULL: the usual ones.  The error is FLTVM_ERROR_USAGE. */
FltvmPlan *fltvm_plan_new(const char *strategies, GError **error);
void fltvm_plan_free(FltvmPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmPlan, fltvm_plan_free)

/* The strategies there are, a line each: newly allocated. */
char *fltvm_plan_describe(void);

/* Whether the runs, but for those of late calls, are the same up to the scenario's checkpoint; known once it has begun. */
gboolean fltvm_plan_begins_at_checkpoint(const FltvmPlan *plan);

/* The run without a deviation, and what it said there is to be made to fail. */
void fltvm_plan_begin(FltvmPlan *plan, const FltvmTask *start, const FltvmJson *outcome);

/*
 * The run that counts the calls of drivers, if a strategy wants it: TRUE, and *task is it.  What it said then is added.  It is
 * made once, after the first run, and is the plan's next.
 */
gboolean fltvm_plan_counts_calls(FltvmPlan *plan, FltvmTask *task);
void fltvm_plan_add_calls(FltvmPlan *plan, const FltvmJson *outcome);

/* The next run; FALSE when all lists are at their end. */
gboolean fltvm_plan_next(FltvmPlan *plan, FltvmTask *task);

#endif

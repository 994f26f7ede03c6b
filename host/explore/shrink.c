/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making what was found smaller: a choice of several deviations is tried without each of them, then with smaller
 * numbers.  What counts is that the same fault is found.
 */
#include <string.h>

#include "child.h"
#include "findings.h"

typedef struct {
    FltvmRunner *runner;
    FltvmFinding *finding;
    guint left; /* runs that it may take */
} Shrinker;

/* Whether the task shows the same fault; then the finding is that from here on. */
static gboolean shows(Shrinker *shrinker, const FltvmTask *task)
{
    FltvmFinding *finding = shrinker->finding;
    g_auto(FltvmDone) done = {0};

    if (!shrinker->left || !fltvm_runner_run(shrinker->runner, task, &done, NULL))
        return FALSE;
    shrinker->left--;
    if (!fltvm_task_finds(task, done.outcome) || strcmp(done.outcome->key, finding->outcome->key) != 0)
        return FALSE;
    finding->task = *task;
    g_strfreev(finding->command);
    finding->command = fltvm_runner_command(shrinker->runner, task);
    g_free(finding->log);
    finding->log = fltvm_runner_log(done.log_fd, 1u << 20);
    fltvm_outcome_free(finding->outcome);
    finding->outcome = g_steal_pointer(&done.outcome);
    return TRUE;
}

static guint deviations(const FltvmTask *task, const FltvmTask *start)
{
    guint count = (task->choice.allocation != 0) + (task->choice.call.number != 0) + (task->choice.cut.number != 0) +
                  task->choice.has_seed + (task->has_seed && task->seed != start->seed);

    for (guint step = 0; step < FLTVM_STEPS; step++)
        count += task->choice.step[step] != 0;
    for (guint act = 0; act < FLTVM_IO_ACTS; act++)
        count += task->choice.io[act].number != 0;
    return count;
}

static void default_seed(FltvmTask *task, const FltvmTask *start)
{
    task->has_seed = start->has_seed;
    task->seed = start->seed;
    task->choice.has_seed = FALSE;
}

/* The first's, if it has none of its own. */
static guint64 seed_of(const FltvmTask *task, const FltvmTask *start)
{
    if (task->choice.at_checkpoint)
        return task->choice.has_seed ? task->choice.seed : start->seed;
    return task->has_seed ? task->seed : start->seed;
}

/* Without one deviation, as long as there are others. */
static void drop(Shrinker *shrinker, const FltvmTask *start)
{
    FltvmTask less = shrinker->finding->task;

    default_seed(&less, start);
    if (deviations(&shrinker->finding->task, start) > 1 && deviations(&less, start) > 0)
        shows(shrinker, &less);
    less = shrinker->finding->task;
    less.choice.allocation = 0;
    if (shrinker->finding->task.choice.allocation && deviations(&shrinker->finding->task, start) > 1)
        shows(shrinker, &less);
    for (guint step = 0; step < FLTVM_STEPS; step++) {
        less = shrinker->finding->task;
        less.choice.step[step] = 0;
        if (shrinker->finding->task.choice.step[step] && deviations(&shrinker->finding->task, start) > 1)
            shows(shrinker, &less);
    }
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        less = shrinker->finding->task;
        less.choice.io[act].number = 0;
        if (shrinker->finding->task.choice.io[act].number && deviations(&shrinker->finding->task, start) > 1)
            shows(shrinker, &less);
    }
}

/* Smaller numbers, where the plan has not gone through them already. */
static void lower(Shrinker *shrinker, const FltvmTask *start)
{
    FltvmTask *task = &shrinker->finding->task, less;

    if (strcmp(shrinker->finding->strategy, "mixed") != 0)
        return;
    for (guint64 seed = start->seed + 1; seed < seed_of(task, start) && seed < start->seed + 6; seed++) {
        less = *task;
        fltvm_task_set_seed(&less, seed);
        if (shows(shrinker, &less))
            break;
    }
    while (task->choice.allocation > 1) {
        less = *task;
        less.choice.allocation /= 2;
        if (!shows(shrinker, &less))
            break;
    }
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        while (task->choice.io[act].number > 1) {
            less = *task;
            less.choice.io[act].number /= 2;
            if (!shows(shrinker, &less))
                break;
        }
    }
}

void fltvm_findings_shrink(FltvmFindings *findings, FltvmRunner *runner, const FltvmTask *start, guint most)
{
    for (guint i = 0; i < findings->list->len && !fltvm_child_interrupted(); i++) {
        FltvmFinding *finding = findings->list->pdata[i];
        Shrinker shrinker = {runner, finding, most};
        FltvmTask same = finding->task;
        finding->repeats = shows(&shrinker, &same) || fltvm_child_interrupted();
        if (!finding->repeats)
            continue;
        drop(&shrinker, start);
        lower(&shrinker, start);
    }
}

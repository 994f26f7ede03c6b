/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runs of an exploration: `fltvm run` processes, several at a time.  A run is the very command that replays it, with
 * --json added; or, from a checkpoint on, it is asked of a process that serves (server.h), which does the same.
 */
#ifndef FLTVM_HOST_RUNNER_H
#define FLTVM_HOST_RUNNER_H

#include <glib.h>

#include "outcome.h"
#include "plan.h"

typedef struct FltvmRunner FltvmRunner;

/* One run that is over. */
typedef struct {
    FltvmTask task;
    FltvmOutcome *outcome;
    FltvmJson *json; /* what it told beside; NULL: nothing */
    int log_fd;      /* what it printed */
} FltvmDone;
void fltvm_done_clear(FltvmDone *done);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FltvmDone, fltvm_done_clear)

/* Borrows all; `options` are further ones for each run, NULL-terminated. */
FltvmRunner *fltvm_runner_new(const char *script, char **options, guint jobs, GError **error);
void fltvm_runner_free(FltvmRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmRunner, fltvm_runner_free)

/* The command that does a run, for a person: NULL-terminated, newly allocated. */
char **fltvm_runner_command(const FltvmRunner *runner, const FltvmTask *task);

/* Whether what begins at the checkpoint is done by processes that serve, or from its beginning as everything else. */
void fltvm_runner_serve(FltvmRunner *runner, gboolean serves);

/* From now on each run tells its trace's hash, and those that serve look whether all is as it was. */
void fltvm_runner_hash(FltvmRunner *runner);

gboolean fltvm_runner_has_room(const FltvmRunner *runner);
gboolean fltvm_runner_start(FltvmRunner *runner, const FltvmTask *task, GError **error);

/* Wait for any; FALSE when none runs, at the deadline (0: none), or when we are interrupted. */
gboolean fltvm_runner_wait(FltvmRunner *runner, gint64 deadline, FltvmDone *done);

/* End those that run. */
void fltvm_runner_stop(FltvmRunner *runner);

/* Start one and wait for it, when no other runs. */
gboolean fltvm_runner_run(FltvmRunner *runner, const FltvmTask *task, FltvmDone *done, GError **error);

/* The text of a log, at most so many bytes of its end. */
char *fltvm_runner_log(int log_fd, gsize most);

/* Whether the outcome of a task is a fault that was found; or none that could be judged. */
gboolean fltvm_task_finds(const FltvmTask *task, const FltvmOutcome *outcome);
gboolean fltvm_task_judges(const FltvmTask *task, const FltvmOutcome *outcome);

#endif

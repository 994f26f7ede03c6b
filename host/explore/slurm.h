/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An exploration as an array of jobs of a Slurm cluster, and a job behind them that merges what they found. */
#ifndef FLTVM_HOST_SLURM_H
#define FLTVM_HOST_SLURM_H

#include <glib.h>

typedef struct {
    const char *script;
    char **options;        /* of each task's `fltvm explore`, NULL-terminated */
    guint tasks;           /* each makes one shard */
    const char *directory; /* that all nodes see: what the jobs write goes there */
    gboolean waits;        /* for the job that merges */
} FltvmSlurm;

/* The exit status: of the merged exploration if it waits; else 0 once the jobs are submitted.  Negative: an error. */
int fltvm_slurm_submit(const FltvmSlurm *slurm, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that run, boot and gdb share, and how they make a scenario. */
#ifndef FLTVM_HOST_RUN_OPTIONS_H
#define FLTVM_HOST_RUN_OPTIONS_H

#include <glib.h>

#include "scenario.h"

typedef struct {
    char *seed;
    char *checkpoint_seed;
    int cpus;
    char *memory;
    char *machine;
    char *accel;
    char *fail_allocation;
    char *delay_call, *delay_return;
    char *io[FLTVM_IO_ACTS];
    char *power_cut;
    char *step[FLTVM_STEPS];
    char *trace;
    char *timeout; /* seconds, 0: none; NULL: default_timeout */
    double default_timeout;
    gboolean verbose;
    gboolean keep_going;
    gboolean dry_run;
    char *connect;
} FltvmRunOptions;

/* Entries that write into `options`, ended by a null entry; static storage. */
const GOptionEntry *fltvm_run_option_entries(FltvmRunOptions *options);

/* A configuration as the options say; NULL with FLTVM_ERROR_USAGE. */
FltvmConfig *fltvm_run_options_config(const FltvmRunOptions *options, GError **error);

/* Microseconds that a scenario may take, 0: no limit; checked by fltvm_run_options_config(). */
gint64 fltvm_run_options_timeout(const FltvmRunOptions *options);

/* A scenario ready to run.  Borrows account and trace. */
FltvmScenario *fltvm_run_options_scenario(const FltvmRunOptions *options, FltvmAccount *account, FltvmTrace *trace,
                                          GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs: each is a function in a file of its own, and a line in main.c's table. */
#ifndef FLTVM_HOST_VERBS_H
#define FLTVM_HOST_VERBS_H

#include <glib.h>

/* argv[0] is "fltvm VERB".  The returned exit status counts unless `error` is set. */
typedef int (*FltvmVerb)(int argc, char **argv, GError **error);

int fltvm_verb_run(int argc, char **argv, GError **error);
int fltvm_verb_explore(int argc, char **argv, GError **error);
int fltvm_verb_boot(int argc, char **argv, GError **error);
int fltvm_verb_gdb(int argc, char **argv, GError **error);
int fltvm_verb_image(int argc, char **argv, GError **error);
int fltvm_verb_inf_check(int argc, char **argv, GError **error);

/*
 * Parse options with GOption; what is not an option is left in argv.  `summary` is shown by --help.
 * Returns -1 to go on, or an exit status.
 */
int fltvm_verb_options(int *argc, char ***argv, const GOptionEntry *entries, const char *parameters,
                       const char *summary, GError **error);

/* GLib wants "-j 2"; people write "-j2". */
void fltvm_verb_split_jobs(int argc, char **argv);

/* Take out the first "--", which only says that no options follow. */
void fltvm_verb_drop_separator(int *argc, char **argv);

#endif

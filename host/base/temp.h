/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The temporary directory: one a process, made when first asked for, and gone when the process is, however it ended.
 * A small process of its own waits for that, and removes the directory should this one have been killed.
 */
#ifndef FLTVM_HOST_TEMP_H
#define FLTVM_HOST_TEMP_H

#include <glib.h>
#include <sys/types.h>

/* Its path; NULL with an error if none can be made. */
const char *fltvm_temp_dir(GError **error);

/* Remove a file or a directory with all that is in it; one that is not there is fine. */
void fltvm_temp_remove(const char *path);

/* In a process forked to run one scenario: have a directory inside the parent's. */
void fltvm_temp_after_fork(void);

/* Remove the directory; part of fltvm_child_cleanup(). */
void fltvm_temp_cleanup(void);

/* The process that waits; 0: none. */
pid_t fltvm_temp_remover(void);

#endif

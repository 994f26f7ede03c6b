/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the command writes at a user's word (--junit, --trace).
 *
 * A regular file, or one that is not there yet, is replaced as a whole when everything has been written: who reads
 * it sees the old one or the new one.  A symbolic link stays and its target is replaced.  A device, a pipe or the
 * like is written to.
 */
#ifndef FLTVM_HOST_OUTPUT_H
#define FLTVM_HOST_OUTPUT_H

#include <glib.h>
#include <stdio.h>

typedef struct {
    FILE *file;
    const char *what; /* the option, for errors */
    char *path;
    char *temporary; /* what becomes the file, beside it; NULL: `file` is the thing itself */
} FltvmOutput;

/* `what` is borrowed.  The error is FLTVM_ERROR_USAGE. */
gboolean fltvm_output_open(FltvmOutput *output, const char *what, const char *path, GError **error);

/*
 * Everything is written: put it in its place.  FALSE when not all of it could be written; then nothing has
 * changed.
 */
gboolean fltvm_output_finish(FltvmOutput *output, GError **error);

/* Open, write, finish. */
gboolean fltvm_output_write(const char *what, const char *path, const char *text, gsize length, GError **error);

/* FALSE with FLTVM_ERROR_USAGE when both name one file. */
gboolean fltvm_output_differs(const char *what, const char *path, const char *other, GError **error);

#endif

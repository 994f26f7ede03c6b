/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU as a process: started with sockets and descriptors that have no names, watched, and ended.
 * What it is told is in arguments.c; what is said over the link is the machine's (machine.h).
 */
#ifndef FLTVM_HOST_QEMU_H
#define FLTVM_HOST_QEMU_H

#include <glib.h>
#include <sys/types.h>

#include "config.h"

typedef struct {
    pid_t pid;      /* 0: not ours, or gone */
    int monitor_fd; /* QMP; -1: none */
    int output_fd;  /* what it printed; -1: none */
} FltvmQemu;

#define FLTVM_QEMU_NONE ((FltvmQemu){.pid = 0, .monitor_fd = -1, .output_fd = -1})

/* The command line for a person, quoted for a shell: images and the link by name. */
char *fltvm_qemu_command_line(const FltvmConfig *config, GError **error);

/* Start it; `gdb_fd` listens for gdb, or is 0.  Returns our end of the link, or -1. */
int fltvm_qemu_start(FltvmQemu *qemu, FltvmConfig *config, int gdb_fd, GError **error);

/* The link of a QEMU that somebody else started. */
int fltvm_qemu_connect(const char *path, GError **error);

/* Wait for its end until `deadline`; FALSE if it goes on, or is not ours. */
gboolean fltvm_qemu_wait(FltvmQemu *qemu, gint64 deadline, int *status);

/* Let go of it, by force if it still runs; what it printed stays. */
void fltvm_qemu_end(FltvmQemu *qemu);
void fltvm_qemu_clear(FltvmQemu *qemu);

/* The last lines of what it printed, with images by their names. */
char *fltvm_qemu_output(const FltvmQemu *qemu, const FltvmConfig *config);

/* Whether it ended so because the machine's description is at fault: an image in use, a bad property, no slot left. */
gboolean fltvm_qemu_refused(int status, const char *output);

#endif

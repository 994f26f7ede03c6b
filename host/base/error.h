/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of the host command.  There is one domain, and a code is the process's exit status, so that
 * whoever reports an error also knows how the command ends.
 */
#ifndef FLTVM_HOST_ERROR_H
#define FLTVM_HOST_ERROR_H

#include <glib.h>

#define FLTVM_ERROR (fltvm_error_quark())
GQuark fltvm_error_quark(void);

typedef enum {
    FLTVM_EXIT_OK = 0,        /* every check held */
    FLTVM_ERROR_CHECK = 1,    /* a check failed */
    FLTVM_ERROR_USAGE = 2,    /* usage or bad input */
    FLTVM_ERROR_BUGCHECK = 3, /* the guest bugchecked */
    FLTVM_ERROR_HOST = 4,     /* time-out or host failure */
} FltvmError;

/* The exit status an error stands for; errors of other domains are host failures. */
int fltvm_error_exit_status(const GError *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that serves an exploration: it runs the script up to machine:checkpoint() once, saves the machine there, and then
 * does the rest for each choice that it is asked for, in a process forked for it that talks to the same QEMU.
 *
 * Asked and answered over a socket that keeps messages apart: one request at a time.
 */
#ifndef FLTVM_HOST_SERVE_H
#define FLTVM_HOST_SERVE_H

#include <glib.h>

#include "choice.h"
#include "scenario.h"

/* Where the one who serves finds the socket. */
#define FLTVM_SERVE_FD 3

typedef struct {
    FltvmChoice choice;
    char result
        [256]; /* path: the run writes there what it ended with, and what it prints to the same with ".log" behind */
} FltvmServeRequest;

typedef struct {
    int status;    /* of the run's process, as waitpid() says */
    gboolean lost; /* the machine cannot be put back: there will be no more answers */
} FltvmServeReply;

/* The exit status of a run's process whose machine can be put back. */
#define FLTVM_SERVE_RESTS 100

/* What is common to those who serve, and to the runs. */
typedef struct {
    int fd;
    gint64 timeout;  /* microseconds for each run; 0: none */
    gboolean is_run; /* this process is a run, and the request is what it was asked for */
    FltvmServeRequest request;
    /* Called in each run before it begins: what it writes goes elsewhere now. */
    int (*leave)(gpointer data);
    gpointer leave_data;
} FltvmServe;

/* For FltvmScenario's `serve`; its `serve_data` is an FltvmServe. */
void fltvm_serve(FltvmScenario *scenario);

/* A run is over: ends its process. */
void fltvm_serve_end_run(const FltvmScenario *scenario) G_GNUC_NORETURN;

#endif

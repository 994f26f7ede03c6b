/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The side that asks a process that serves: see serve.h. */
#ifndef FLTVM_HOST_SERVER_H
#define FLTVM_HOST_SERVER_H

#include <glib.h>

#include "choice.h"

typedef struct FltvmServer FltvmServer;

/* Start one: `argv` is its command line. */
FltvmServer *fltvm_server_start(const char *const *argv, GError **error);
/* Ends it, by force if need be. */
void fltvm_server_free(FltvmServer *server);

/* One run; its result is written to the file `result`.  That it cannot be asked is seen in the answer. */
void fltvm_server_ask(FltvmServer *server, const FltvmChoice *choice, const char *result);

/* Readable when the run is over, or the server. */
int fltvm_server_fd(const FltvmServer *server);

/*
 * Take the answer: how the run's process ended, as waitpid() says (or the server's, if it gave none), and what it printed.  FALSE
 * if the server has no more to give.
 */
gboolean fltvm_server_answer(FltvmServer *server, int *status, int *log_fd);

#endif

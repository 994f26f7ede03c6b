/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a run from the checkpoint on is the run from the beginning: each is done both ways, and compared. */
#ifndef FLTVM_HOST_VERIFY_H
#define FLTVM_HOST_VERIFY_H

#include <glib.h>

#include "runner.h"

typedef struct FltvmVerify FltvmVerify;

FltvmVerify *fltvm_verify_new(void);
void fltvm_verify_free(FltvmVerify *verify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmVerify, fltvm_verify_free)

/* A run is over: remember it if it began at the checkpoint. */
void fltvm_verify_note(FltvmVerify *verify, const FltvmDone *done);

/*
 * Do those that were remembered again, from their beginning.  How many there were; FALSE with FLTVM_ERROR_HOST at the first that
 * does other things, or when we are interrupted.
 */
gboolean fltvm_verify_all(FltvmVerify *verify, FltvmRunner *runner, guint *count, GError **error);

#endif

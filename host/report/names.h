/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What numbers of the guest are called: NTSTATUS values, bugcheck codes and their parameters, IRQLs. */
#ifndef FLTVM_HOST_NAMES_H
#define FLTVM_HOST_NAMES_H

#include <glib.h>

/* "STATUS_SUCCESS"; NULL for a value without a name. */
const char *fltvm_status_name(guint32 status);
/* The value of a name, by the whole name; FALSE if unknown. */
gboolean fltvm_status_value(const char *name, guint32 *status);
/* For a name that is unknown: " (did you mean 'STATUS_SUCCESS'?)" or ""; newly allocated. */
char *fltvm_status_hint(const char *name);
char *fltvm_bugcheck_hint(const char *name);
/* "STATUS_SUCCESS" or "0xC0000123": newly allocated. */
char *fltvm_status_text(guint32 status);

/* "IRQL_NOT_LESS_OR_EQUAL"; NULL for a code without a name. */
const char *fltvm_bugcheck_name(guint32 code);
gboolean fltvm_bugcheck_value(const char *name, guint32 *code);
/* What parameter 0 to 3 of a code means, when the first is FIRST; or NULL. */
const char *fltvm_bugcheck_parameter(guint32 code, guint64 first, guint index);

/* "PASSIVE", "DISPATCH", "DIRQL 5"… */
const char *fltvm_irql_name(guint irql);

/* "waiting" and the like, for KTHREAD_STATE; and why it waits, for KWAIT_REASON. */
const char *fltvm_thread_state_name(guint state);
const char *fltvm_wait_reason_name(guint reason);

#endif

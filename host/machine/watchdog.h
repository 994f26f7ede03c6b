/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end that comes whatever a scenario does.
 *
 * What waits for a guest looks at the clock and at signals itself, and Lua code is stopped by a hook.  But a script can
 * be inside a call that does neither (a pattern that takes for ever, a read of a FIFO, a tool of the host).  So a thread
 * of its own waits until the time is over or a signal came.  It first interrupts the main thread, which then mostly ends
 * by itself; if it has not after a second, it is halted where it is, and the thread ends the process.
 */
#ifndef FLTVM_HOST_WATCHDOG_H
#define FLTVM_HOST_WATCHDOG_H

#include <glib.h>

typedef struct {
    gint64 deadline; /* g_get_monotonic_time(); 0: signals only */
    /* On the main thread, out of a signal handler: have it stop soon.  What blocks returns EINTR. */
    void (*hurry)(gpointer data);
    /* The main thread is halted for good: tell what happened; returns the exit status. */
    int (*end)(gpointer data, const char *why);
    gpointer data;
} FltvmWatchdog;

/* From the main thread; one at a time.  The structure is borrowed until fltvm_watchdog_stop(). */
void fltvm_watchdog_start(const FltvmWatchdog *watchdog);
void fltvm_watchdog_stop(void);

/* The main thread is about to end by itself and may take this long for it. */
void fltvm_watchdog_allow(gint64 microseconds);

#endif

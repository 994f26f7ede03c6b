/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end that comes whatever a scenario does: see watchdog.h. */
#define _GNU_SOURCE
#include "watchdog.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "child.h"
#include "error.h"

/* How long the main thread gets to stop by itself, to halt, and this thread to end the process. */
#define STOP_GRACE  G_USEC_PER_SEC
#define HALT_GRACE  (G_USEC_PER_SEC / 2)
#define END_SECONDS 5

static const FltvmWatchdog *current;
static pthread_t main_thread, thread;
static int wake_fd = -1;
static volatile sig_atomic_t stopping, halting, halted;
static gint64 allowed_until; /* atomic */

/* On the main thread. */
static void on_poke(int number)
{
    int saved = errno;

    (void)number;
    if (halting) {
        halted = TRUE;
        for (;;)
            pause();
    }
    if (current && current->hurry)
        current->hurry(current->data);
    errno = saved;
}

/* This thread does not get through with ending the process, either. */
static void on_alarm(int number)
{
    (void)number;
    _exit(FLTVM_ERROR_HOST); /* children die with us, and the temporary directory's remover lives */
}

/* Sleep until woken or `due`. */
static void rest(gint64 due)
{
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    gint64 left = due - g_get_monotonic_time();
    guint64 count;

    if (left > 0 && poll(&fd, 1, (int)MIN(left / 1000 + 1, 3600000)) > 0 && read(wake_fd, &count, sizeof(count)) < 0)
        return; /* somebody else's wake-up: look again */
}

static gint64 latest(gint64 due)
{
    return MAX(due, __atomic_load_n(&allowed_until, __ATOMIC_SEQ_CST));
}

static G_GNUC_NORETURN void end_process(void)
{
    gint64 due = g_get_monotonic_time() + HALT_GRACE;
    int status;

    alarm(END_SECONDS);
    halting = TRUE;
    pthread_kill(main_thread, SIGUSR1);
    while (!halted && g_get_monotonic_time() < due)
        g_usleep(1000);
    fltvm_child_kill_descendants();
    status = current->end(current->data, fltvm_child_interrupted() ? "interrupted" : "time-out");
    fltvm_child_cleanup();
    if (fltvm_child_interrupted()) {
        sigset_t none;
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        fltvm_child_reraise();
    }
    _exit(status);
}

static void *watch(void *data)
{
    gint64 deadline = current->deadline ? current->deadline : G_MAXINT64, due;

    (void)data;
    while (!stopping && !fltvm_child_interrupted() && g_get_monotonic_time() < deadline)
        rest(deadline);
    if (!stopping)
        pthread_kill(main_thread, SIGUSR1);
    due = g_get_monotonic_time() + STOP_GRACE;
    while (!stopping && g_get_monotonic_time() < latest(due))
        rest(latest(due));
    if (!stopping)
        end_process();
    return NULL;
}

void fltvm_watchdog_start(const FltvmWatchdog *watchdog)
{
    struct sigaction poke = {.sa_handler = on_poke}, alarm_action = {.sa_handler = on_alarm};
    sigset_t all, old;

    g_assert(!current);
    current = watchdog;
    main_thread = pthread_self();
    stopping = halting = halted = FALSE;
    allowed_until = 0;
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigaction(SIGUSR1, &poke, NULL); /* no SA_RESTART: what blocks is to return */
    sigaction(SIGALRM, &alarm_action, NULL);
    fltvm_child_notify(wake_fd);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
    if (pthread_create(&thread, NULL, watch, NULL) != 0)
        g_error("no thread for the watchdog");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void fltvm_watchdog_stop(void)
{
    guint64 one = 1;

    if (!current)
        return;
    stopping = TRUE;
    if (write(wake_fd, &one, sizeof(one)) < 0)
        g_warning("the watchdog is not woken");
    pthread_join(thread, NULL);
    fltvm_child_notify(-1);
    close(wake_fd);
    wake_fd = -1;
    current = NULL;
}

void fltvm_watchdog_allow(gint64 microseconds)
{
    guint64 one = 1;

    if (!current)
        return;
    __atomic_store_n(&allowed_until, g_get_monotonic_time() + microseconds, __ATOMIC_SEQ_CST);
    if (write(wake_fd, &one, sizeof(one)) < 0)
        return; /* it is full: it will be looked at */
}

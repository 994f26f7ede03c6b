/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes, and how they go away.
 *
 * Children are started from argument vectors, never through a shell.  Every child dies with this process
 * (PR_SET_PDEATHSIG) and sits in its own process group unless it shares the terminal.  fltvm_child_cleanup() ends
 * them and removes the temporary directory (temp.h); it runs at exit and after the first SIGINT, SIGTERM or SIGHUP has
 * unwound the command; a second signal kills everything at once.
 */
#ifndef FLTVM_HOST_CHILD_H
#define FLTVM_HOST_CHILD_H

#include <glib.h>
#include <sys/types.h>

/* A descriptor to hand down: `from` here becomes `to` there.  -1 as `from` ends the list. */
typedef struct {
    int from;
    int to;
} FltvmFd;

typedef enum {
    FLTVM_CHILD_DEFAULT = 0,
    FLTVM_CHILD_FOREGROUND = 1 << 0, /* stays in our process group: it owns the terminal */
} FltvmChildFlags;

/* Install the signal handlers and the exit hook; once, first thing in main(). */
void fltvm_child_init(void);

/* Start argv[0] (searched in PATH).  Standard input is /dev/null unless `fds` or FOREGROUND say otherwise. */
pid_t fltvm_child_spawn(const char *const *argv, const FltvmFd *fds, FltvmChildFlags flags, GError **error);

/* Wait for a child; the status is as waitpid() gives it. */
int fltvm_child_wait(pid_t pid);

/* As fltvm_child_wait(), giving up at `deadline` (g_get_monotonic_time) with FALSE. */
gboolean fltvm_child_wait_until(pid_t pid, gint64 deadline, int *status);

/* Kill a child's process group and reap it. */
void fltvm_child_kill(pid_t pid);

/*
 * Run to the end; both outputs are collected (either may be NULL, then it is inherited).  A child that is not done by
 * the deadline of fltvm_child_set_deadline(), or says more than anybody wants to read, is killed: an error.
 */
gboolean fltvm_child_run(const char *const *argv, const char *input, char **out, char **err, int *status,
                         GError **error);

/* As fltvm_child_run(), for output that may hold NULs: it is added to `out`. */
gboolean fltvm_child_run_bytes(const char *const *argv, GString *out, int *status, GError **error);

/* As fltvm_child_run(), with a deadline of its own (g_get_monotonic_time(); 0: none). */
gboolean fltvm_child_run_until(const char *const *argv, const char *input, gint64 deadline, char **out, char **err,
                               int *status, GError **error);

/* By when children that run to the end have to be done; 0: no limit. */
void fltvm_child_set_deadline(gint64 deadline);

/* Say in words how a child ended: "exit status 3", "killed by SIGSEGV". */
char *fltvm_child_describe(int status);

/* TRUE once a signal asked the command to stop. */
gboolean fltvm_child_interrupted(void);

/* Have the signal handler write to this eventfd, too; -1: no more. */
void fltvm_child_notify(int fd);

/* In a process forked to run one scenario: forget the parent's children, have a temporary directory inside its. */
void fltvm_child_after_fork(void);

/* Kill what still runs and remove the temporary directory. */
void fltvm_child_cleanup(void);

/* Kill every process that descends from this one, whoever started it. */
void fltvm_child_kill_descendants(void);

/* End the process as the signal that interrupted it would have; returns if none did. */
void fltvm_child_reraise(void);

#endif

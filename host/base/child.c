/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Child processes and clean-up: see child.h. */
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "temp.h"

#define MAX_CHILDREN 256

/* What a child that runs to the end may say. */
#define MAX_OUTPUT (256u << 20)

/* Read by the signal handler, so a plain array: a slot is free when it is 0. */
static volatile pid_t children[MAX_CHILDREN];
static volatile sig_atomic_t interrupted_by;
static volatile int notify_fd = -1;
static gint64 run_deadline;

static void kill_children(void)
{
    for (int i = 0; i < MAX_CHILDREN; i++) {
        pid_t pid = children[i];
        if (pid > 0 && kill(-pid, SIGKILL) < 0)
            kill(pid, SIGKILL);
    }
}

static void on_signal(int number)
{
    int saved = errno;

    kill_children();
    if (interrupted_by)
        _exit(128 + number);
    interrupted_by = number;
    if (notify_fd >= 0) {
        guint64 one = 1;
        if (write(notify_fd, &one, sizeof(one)) < 0)
            errno = saved; /* nobody waits */
    }
    errno = saved;
}

void fltvm_child_init(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction old;
        /* What our parent had us ignore (nohup) stays ignored. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        sigaction(numbers[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    atexit(fltvm_child_cleanup);
}

gboolean fltvm_child_interrupted(void)
{
    return interrupted_by != 0;
}

void fltvm_child_notify(int fd)
{
    notify_fd = fd;
}

void fltvm_child_set_deadline(gint64 deadline)
{
    run_deadline = deadline;
}

void fltvm_child_reraise(void)
{
    if (!interrupted_by)
        return;
    fltvm_child_cleanup();
    signal(interrupted_by, SIG_DFL);
    raise(interrupted_by);
}

static void remember(pid_t pid)
{
    for (int i = 0; i < MAX_CHILDREN; i++) {
        if (!children[i]) {
            children[i] = pid;
            return;
        }
    }
}

static void forget(pid_t pid)
{
    for (int i = 0; i < MAX_CHILDREN; i++) {
        if (children[i] == pid)
            children[i] = 0;
    }
}

void fltvm_child_after_fork(void)
{
    for (int i = 0; i < MAX_CHILDREN; i++)
        children[i] = 0;
    fltvm_temp_after_fork();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* What the vfork child does; it shares our memory, so it only makes system calls. */
static G_GNUC_NORETURN void exec_child(const char *const *argv, const FltvmFd *fds, FltvmChildFlags flags, int null_fd,
                                       pid_t parent, volatile int *failure)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    gboolean keeps_stdin = (flags & FLTVM_CHILD_FOREGROUND) != 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (!(flags & FLTVM_CHILD_FOREGROUND))
        setpgid(0, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        sigaction(numbers[i], &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (const FltvmFd *fd = fds; fd && fd->from >= 0; fd++) {
        keeps_stdin = keeps_stdin || fd->to == 0;
        if (fd->from == fd->to) {
            fcntl(fd->from, F_SETFD, 0);
        } else if (dup2(fd->from, fd->to) < 0) {
            *failure = errno;
            _exit(127);
        }
    }
    if (!keeps_stdin)
        dup2(null_fd, 0);
    execvp(argv[0], (char *const *)argv);
    *failure = errno;
    _exit(127);
}

pid_t fltvm_child_spawn(const char *const *argv, const FltvmFd *fds, FltvmChildFlags flags, GError **error)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    volatile int failure = 0;
    pid_t parent = getpid();
    sigset_t all, old;
    pid_t pid;

    /* vfork: start-up time must not grow with our memory.  Signals stay blocked so that our handlers never
     * run in the child, which shares this memory. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid = vfork();
    if (pid == 0)
        exec_child(argv, fds, flags, null_fd, parent, &failure);
    if (pid > 0 && !failure)
        remember(pid);
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(null_fd);
    if (pid > 0 && failure) {
        int ignored;
        waitpid(pid, &ignored, 0);
        pid = -1;
    } else if (pid < 0) {
        failure = errno;
    }
    if (pid < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "cannot start %s: %s", argv[0], g_strerror(failure));
        return -1;
    }
    return pid;
}

int fltvm_child_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            break;
    }
    forget(pid);
    return status;
}

gboolean fltvm_child_wait_until(pid_t pid, gint64 deadline, int *status)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    while (fd >= 0) {
        gint64 left = deadline - g_get_monotonic_time();
        int ready = poll(&poll_fd, 1, left <= 0 ? 0 : (int)MIN(left / 1000 + 1, 60000));
        if (ready > 0)
            break;
        if (left <= 0) {
            close(fd);
            return FALSE;
        }
    }
    if (fd >= 0)
        close(fd);
    *status = fltvm_child_wait(pid);
    return TRUE;
}

void fltvm_child_kill(pid_t pid)
{
    if (kill(-pid, SIGKILL) < 0)
        kill(pid, SIGKILL);
    fltvm_child_wait(pid);
}

/* Milliseconds to wait at a time, so that a signal and the deadline are seen; FALSE when it is over. */
static gboolean may_wait(gint64 deadline, int *milliseconds)
{
    gint64 left = deadline ? deadline - g_get_monotonic_time() : G_MAXINT64;

    *milliseconds = left <= 0 ? 0 : (int)MIN(left / 1000 + 1, 100);
    return left > 0 && !interrupted_by;
}

/* Read both pipes until both are closed; FALSE when that takes too long, or is too much. */
static gboolean collect(int fds[2], GString *texts[2], gint64 deadline)
{
    gboolean goes_on = TRUE;
    int milliseconds;

    while (goes_on && (fds[0] >= 0 || fds[1] >= 0)) {
        struct pollfd polls[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
        goes_on = may_wait(deadline, &milliseconds);
        if (poll(polls, 2, milliseconds) <= 0)
            continue;
        for (int i = 0; i < 2; i++) {
            char buffer[65536];
            ssize_t count;
            if (!(polls[i].revents & (POLLIN | POLLHUP | POLLERR)))
                continue;
            count = read(fds[i], buffer, sizeof(buffer));
            if (count > 0) {
                g_string_append_len(texts[i], buffer, count);
                goes_on = goes_on && texts[i]->len <= MAX_OUTPUT;
            } else if (count == 0 || errno != EINTR) {
                close(fds[i]);
                fds[i] = -1;
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return goes_on;
}

/* Wait for a child whose outputs are closed; FALSE when it does not end. */
static gboolean wait_for(pid_t pid, gint64 deadline, int *status)
{
    int milliseconds;

    while (may_wait(deadline, &milliseconds)) {
        if (fltvm_child_wait_until(pid, g_get_monotonic_time() + milliseconds * 1000, status))
            return TRUE;
    }
    return fltvm_child_wait_until(pid, 0, status);
}

/* An unlinked file with the child's input: no deadlock between two full pipes. */
static int input_file(const char *input, GError **error)
{
    int fd = (int)syscall(SYS_memfd_create, "fltvm-input", 1u /* MFD_CLOEXEC */);
    gsize length = strlen(input), done = 0;

    while (fd >= 0 && done < length) {
        ssize_t count = write(fd, input + done, length - done);
        if (count <= 0)
            break;
        done += (gsize)count;
    }
    if (fd < 0 || done < length) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "memfd: %s", g_strerror(errno));
        return -1;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* What the child writes is added to `out` and `err`; what is NULL is inherited. */
static gboolean run(const char *const *argv, const char *input, gint64 deadline, GString *out, GString *err,
                    int *status, GError **error)
{
    int out_pipe[2] = {-1, -1}, err_pipe[2] = {-1, -1};
    FltvmFd fds[4] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    GString *texts[2] = {out, err};
    int input_fd = -1, count = 0;
    gboolean done;
    pid_t pid;

    if (input && (input_fd = input_file(input, error)) < 0)
        return FALSE;
    if ((out && pipe2(out_pipe, O_CLOEXEC) < 0) || (err && pipe2(err_pipe, O_CLOEXEC) < 0)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "pipe: %s", g_strerror(errno));
        return FALSE;
    }
    if (input_fd >= 0)
        fds[count++] = (FltvmFd){input_fd, 0};
    if (out)
        fds[count++] = (FltvmFd){out_pipe[1], 1};
    if (err)
        fds[count++] = (FltvmFd){err_pipe[1], 2};
    pid = fltvm_child_spawn(argv, fds, FLTVM_CHILD_DEFAULT, error);
    if (input_fd >= 0)
        close(input_fd);
    if (out)
        close(out_pipe[1]);
    if (err)
        close(err_pipe[1]);
    done = collect((int[]){out_pipe[0], err_pipe[0]}, texts, pid > 0 ? deadline : 1);
    if (pid < 0)
        return FALSE;
    if (!done || !wait_for(pid, deadline, status)) {
        fltvm_child_kill(pid);
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", argv[0],
                    interrupted_by ? "interrupted"
                    : MAX(out ? out->len : 0, err ? err->len : 0) > MAX_OUTPUT ? "it says more than 256 MiB"
                                                                               : "time-out: it does not end");
        return FALSE;
    }
    return TRUE;
}

gboolean fltvm_child_run_until(const char *const *argv, const char *input, gint64 deadline, char **out, char **err,
                               int *status, GError **error)
{
    g_autoptr(GString) out_text = out ? g_string_new(NULL) : NULL;
    g_autoptr(GString) err_text = err ? g_string_new(NULL) : NULL;

    if (!run(argv, input, deadline, out_text, err_text, status, error))
        return FALSE;
    if (out)
        *out = g_strdup(out_text->str);
    if (err)
        *err = g_strdup(err_text->str);
    return TRUE;
}

gboolean fltvm_child_run_bytes(const char *const *argv, GString *out, int *status, GError **error)
{
    return run(argv, NULL, run_deadline, out, NULL, status, error);
}

gboolean fltvm_child_run(const char *const *argv, const char *input, char **out, char **err, int *status,
                         GError **error)
{
    return fltvm_child_run_until(argv, input, run_deadline, out, err, status, error);
}

char *fltvm_child_describe(int status)
{
    if (WIFSIGNALED(status))
        return g_strdup_printf("killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return g_strdup_printf("exit status %d", WEXITSTATUS(status));
}

/* --- the end --------------------------------------------------------------------------------------------- */

/* The children of one process; the kernel lists them for each of its threads. */
static void kill_tree(pid_t pid, guint depth)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GDir) dir = depth < 64 ? g_dir_open(tasks, 0, NULL) : NULL;
    const char *task;

    while (dir && (task = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(tasks, task, "children", NULL);
        g_autofree char *text = NULL;
        char *next;
        if (!g_file_get_contents(path, &text, NULL, NULL))
            continue;
        for (char *word = strtok_r(text, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
            pid_t child = (pid_t)strtol(word, NULL, 10);
            if (child <= 0 || child == fltvm_temp_remover())
                continue;
            kill(child, SIGSTOP); /* it starts no more while its children are killed */
            kill_tree(child, depth + 1);
            kill(child, SIGKILL);
        }
    }
}

void fltvm_child_kill_descendants(void)
{
    kill_tree(getpid(), 0);
}

void fltvm_child_cleanup(void)
{
    for (int i = 0; i < MAX_CHILDREN; i++) {
        pid_t pid = children[i];
        if (pid > 0)
            fltvm_child_kill(pid);
    }
    fltvm_temp_cleanup();
}

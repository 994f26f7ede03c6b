/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The temporary directory: see temp.h. */
#define _GNU_SOURCE
#include "temp.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

static char *temp_dir;
static char *parent_temp_dir; /* in a process forked to run one scenario */
static pid_t remover;         /* the process that removes temp_dir should we be killed; 0: none */
static int remover_fd = -1;   /* open as long as we live */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

void fltvm_temp_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* What the remover does: nothing as long as somebody holds the pipe's other end. */
static G_GNUC_NORETURN void wait_and_remove(int fd, const char *path)
{
    int null_fd = open("/dev/null", O_RDWR);
    char c;

    setsid(); /* the terminal's signals are not for us */
    for (int i = 0; i < 3; i++)
        dup2(null_fd, i); /* or whoever reads our output would wait for us */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    while (read(fd, &c, 1) < 0 && errno == EINTR)
        ;
    fltvm_temp_remove(path);
    _exit(0);
}

static void start_remover(const char *path)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    remover = fork();
    if (remover == 0) {
        close(fds[1]);
        wait_and_remove(fds[0], path);
    }
    close(fds[0]);
    remover_fd = fds[1];
    if (remover < 0) {
        close(remover_fd);
        remover = 0;
    }
}

const char *fltvm_temp_dir(GError **error)
{
    if (temp_dir)
        return temp_dir;
    if (parent_temp_dir) {
        g_autofree char *name = g_build_filename(parent_temp_dir, "XXXXXX", NULL);
        if (g_mkdtemp(name))
            temp_dir = g_steal_pointer(&name);
        else
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", parent_temp_dir, g_strerror(errno));
        return temp_dir;
    }
    temp_dir = g_dir_make_tmp("fltvm-XXXXXX", error);
    if (temp_dir)
        start_remover(temp_dir);
    return temp_dir;
}

/* Our own removal is done: let the remover see that there is nothing left. */
static void stop_remover(void)
{
    if (!remover)
        return;
    close(remover_fd);
    while (waitpid(remover, NULL, 0) < 0 && errno == EINTR)
        ;
    remover = 0;
}

void fltvm_temp_after_fork(void)
{
    parent_temp_dir = g_steal_pointer(&temp_dir);
    remover = 0;
}

pid_t fltvm_temp_remover(void)
{
    return remover;
}

void fltvm_temp_cleanup(void)
{
    if (temp_dir)
        fltvm_temp_remove(temp_dir);
    g_clear_pointer(&temp_dir, g_free);
    stop_remover();
}

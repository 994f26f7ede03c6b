/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a process that serves: see server.h. */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "serve.h"

/* Microseconds that it gets to end by itself. */
#define END_GRACE G_USEC_PER_SEC

struct FltvmServer {
    pid_t pid; /* 0: gone */
    int fd;
    int log_fd; /* what it prints itself */
    FltvmServeRequest request;
};

FltvmServer *fltvm_server_start(const char *const *argv, GError **error)
{
    FltvmServer *server = g_new0(FltvmServer, 1);
    int pair[2] = {-1, -1};

    server->log_fd = memfd_create("server", MFD_CLOEXEC);
    if (server->log_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "socketpair: %s", g_strerror(errno));
        if (server->log_fd >= 0)
            close(server->log_fd);
        g_free(server);
        return NULL;
    }
    server->fd = pair[0];
    server->pid = fltvm_child_spawn(
        argv, (FltvmFd[]){{server->log_fd, 1}, {server->log_fd, 2}, {pair[1], FLTVM_SERVE_FD}, {-1, -1}},
        FLTVM_CHILD_DEFAULT, error);
    close(pair[1]);
    if (server->pid > 0)
        return server;
    server->pid = 0;
    fltvm_server_free(server);
    return NULL;
}

void fltvm_server_free(FltvmServer *server)
{
    int status;

    if (!server)
        return;
    close(server->fd);
    if (server->pid && !fltvm_child_wait_until(server->pid, g_get_monotonic_time() + END_GRACE, &status))
        fltvm_child_kill(server->pid);
    close(server->log_fd);
    g_free(server);
}

void fltvm_server_ask(FltvmServer *server, const FltvmChoice *choice, const char *result)
{
    server->request.choice = *choice;
    g_strlcpy(server->request.result, result, sizeof(server->request.result));
    if (send(server->fd, &server->request, sizeof(server->request), MSG_NOSIGNAL) < 0)
        shutdown(server->fd, SHUT_RDWR); /* it is gone: the answer will say so */
}

int fltvm_server_fd(const FltvmServer *server)
{
    return server->fd;
}

gboolean fltvm_server_answer(FltvmServer *server, int *status, int *log_fd)
{
    FltvmServeReply reply = {0};
    ssize_t count;

    while ((count = recv(server->fd, &reply, sizeof(reply), 0)) < 0 && errno == EINTR)
        ;
    if (count != sizeof(reply)) {
        *status = fltvm_child_wait(server->pid);
        *log_fd = fcntl(server->log_fd, F_DUPFD_CLOEXEC, 0);
        server->pid = 0;
        return FALSE;
    }
    *status = reply.status;
    {
        g_autofree char *path = g_strconcat(server->request.result, ".log", NULL);
        *log_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (*log_fd < 0)
            *log_fd = memfd_create("log", MFD_CLOEXEC);
        unlink(path);
    }
    return !reply.lost;
}

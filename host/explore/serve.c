/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The side that serves: see serve.h. */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"

/* What it prints goes to a file of its own. */
static void redirect(const FltvmServe *serve)
{
    g_autofree char *path = g_strconcat(serve->request.result, ".log", NULL);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return; /* it goes where ours goes */
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

/* In the process of a run. */
static void begin_run(FltvmScenario *scenario, FltvmServe *serve)
{
    fltvm_child_after_fork();
    close(serve->fd);
    serve->is_run = TRUE;
    redirect(serve);
    scenario->defaults->later = serve->request.choice;
    scenario->session.deadline = serve->timeout ? g_get_monotonic_time() + serve->timeout : 0;
    fltvm_scenario_guard(scenario, serve->leave, serve->leave_data);
}

/* Wait for a run's end; FALSE if we are interrupted. */
static gboolean await_run(pid_t pid, int *status)
{
    while (waitpid(pid, status, 0) < 0) {
        if (errno == EINTR && fltvm_child_interrupted()) {
            kill(pid, SIGKILL);
            return FALSE;
        }
    }
    return TRUE;
}

static G_GNUC_NORETURN void leave(int status)
{
    fltvm_child_cleanup();
    fflush(NULL);
    _exit(status);
}

/* A run from its beginning would read something else now. */
static void check_inputs(const FltvmScenario *scenario)
{
    const char *changed = fltvm_inputs_changed(scenario->inputs);

    if (!changed)
        return;
    printf("%s has changed since the script came to machine:checkpoint(): explore again\n", changed);
    leave(FLTVM_ERROR_HOST);
}

void fltvm_serve(FltvmScenario *scenario)
{
    FltvmServe *serve = scenario->serve_data;
    FltvmServeReply reply = {0};
    gboolean verifies = scenario->verifies;

    scenario->verifies = TRUE; /* the first time */
    /* Nobody's time runs until there is something to do; and a process is forked from one thread. */
    fltvm_scenario_unguard(scenario);
    fltvm_inputs_settle(scenario->inputs);
    while (!reply.lost) {
        ssize_t count = recv(serve->fd, &serve->request, sizeof(serve->request), 0);
        pid_t pid;
        if (count < 0 && errno == EINTR && !fltvm_child_interrupted())
            continue;
        if (count != sizeof(serve->request))
            leave(0);
        check_inputs(scenario);
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            begin_run(scenario, serve);
            return;
        }
        scenario->verifies = verifies;
        if (pid < 0 || !await_run(pid, &reply.status))
            leave(FLTVM_ERROR_HOST);
        reply.lost = !WIFEXITED(reply.status) || WEXITSTATUS(reply.status) != FLTVM_SERVE_RESTS;
        if (send(serve->fd, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
            leave(FLTVM_ERROR_HOST);
    }
    leave(0);
}

void fltvm_serve_end_run(const FltvmScenario *scenario)
{
    const FltvmMachine *machine = scenario->machines->pdata[0];

    leave(fltvm_machine_rests(machine) ? FLTVM_SERVE_RESTS : scenario->session.account->status);
}

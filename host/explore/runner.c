/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runs of an exploration: see runner.h. */
#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "server.h"
#include "temp.h"

/* Milliseconds between two looks at the deadline and for signals. */
#define LOOK 100

typedef struct {
    pid_t pid; /* of the run, 0: none */
    int pid_fd;
    int log_fd;
    FltvmServer *server; /* one that does this slot's runs from the checkpoint on; NULL: none yet */
    gboolean serves;     /* it has been asked for the slot's task */
    char *result;        /* path */
    FltvmTask task;
} Slot;

struct FltvmRunner {
    const char *script;
    char **options;
    char *program;
    Slot *slots;
    guint jobs;
    guint running;
    gboolean serves; /* runs from the checkpoint on are done by servers */
    gboolean hashes; /* each run tells its trace's hash */
};

void fltvm_done_clear(FltvmDone *done)
{
    g_clear_pointer(&done->outcome, fltvm_outcome_free);
    g_clear_pointer(&done->json, fltvm_json_free);
    if (done->log_fd > 0)
        close(done->log_fd);
    done->log_fd = 0;
}

FltvmRunner *fltvm_runner_new(const char *script, char **options, guint jobs, GError **error)
{
    g_autoptr(FltvmRunner) runner = g_new0(FltvmRunner, 1);
    const char *directory = fltvm_temp_dir(error);

    runner->script = script;
    runner->options = options;
    runner->program = directory ? g_file_read_link("/proc/self/exe", error) : NULL;
    runner->jobs = jobs;
    runner->slots = g_new0(Slot, jobs);
    for (guint i = 0; directory && i < jobs; i++)
        runner->slots[i].result = g_strdup_printf("%s/run-%u.json", directory, i);
    return runner->program ? g_steal_pointer(&runner) : NULL;
}

static gboolean is_free(const Slot *slot)
{
    return !slot->pid && !slot->serves;
}

static void slot_clear(FltvmRunner *runner, Slot *slot)
{
    if (slot->pid)
        close(slot->pid_fd);
    slot->pid = 0;
    slot->serves = FALSE;
    unlink(slot->result);
    runner->running--;
}

void fltvm_runner_stop(FltvmRunner *runner)
{
    for (guint i = 0; i < runner->jobs; i++) {
        Slot *slot = &runner->slots[i];
        g_clear_pointer(&slot->server, fltvm_server_free);
        if (slot->pid) {
            fltvm_child_kill(slot->pid);
            close(slot->log_fd);
        }
        if (!is_free(slot))
            slot_clear(runner, slot);
    }
}

void fltvm_runner_serve(FltvmRunner *runner, gboolean serves)
{
    runner->serves = serves;
    for (guint i = 0; !serves && i < runner->jobs; i++)
        g_clear_pointer(&runner->slots[i].server, fltvm_server_free);
}

void fltvm_runner_free(FltvmRunner *runner)
{
    if (!runner)
        return;
    fltvm_runner_stop(runner);
    for (guint i = 0; i < runner->jobs; i++)
        g_free(runner->slots[i].result);
    g_free(runner->slots);
    g_free(runner->program);
    g_free(runner);
}

/* --- starting -------------------------------------------------------------------------------------------- */

static GPtrArray *command_line(const FltvmRunner *runner, const FltvmTask *task, const char *program)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(program));
    g_ptr_array_add(argv, g_strdup("run"));
    if (task->has_seed) {
        g_ptr_array_add(argv, g_strdup("--seed"));
        g_ptr_array_add(argv, g_strdup_printf("%" G_GUINT64_FORMAT, task->seed));
    }
    fltvm_choice_arguments(&task->choice, argv);
    for (char **option = runner->options; *option; option++)
        g_ptr_array_add(argv, g_strdup(*option));
    return argv;
}

static void add_script(const FltvmRunner *runner, GPtrArray *argv)
{
    if (*runner->script == '-')
        g_ptr_array_add(argv, g_strdup("--"));
    g_ptr_array_add(argv, g_strdup(runner->script));
    g_ptr_array_add(argv, NULL);
}

char **fltvm_runner_command(const FltvmRunner *runner, const FltvmTask *task)
{
    GPtrArray *argv = command_line(runner, task, "fltvm");

    add_script(runner, argv);
    return (char **)g_ptr_array_free(argv, FALSE);
}

void fltvm_runner_hash(FltvmRunner *runner)
{
    runner->hashes = TRUE;
}

gboolean fltvm_runner_has_room(const FltvmRunner *runner)
{
    return runner->running < runner->jobs;
}

/* The one who serves is a run of the first task, which has no choice of its own. */
static gboolean start_served(FltvmRunner *runner, Slot *slot, const FltvmTask *task, GError **error)
{
    FltvmTask first = *task;
    g_autoptr(GPtrArray) argv = NULL;

    first.choice = (FltvmChoice){0};
    argv = command_line(runner, &first, runner->program);
    g_ptr_array_add(argv, g_strdup("--serve"));
    if (runner->hashes) {
        g_ptr_array_add(argv, g_strdup("--hash"));
        g_ptr_array_add(argv, g_strdup("--verify-restores"));
    }
    add_script(runner, argv);
    if (!slot->server)
        slot->server = fltvm_server_start((const char *const *)argv->pdata, error);
    if (!slot->server)
        return FALSE;
    fltvm_server_ask(slot->server, &task->choice, slot->result);
    slot->serves = TRUE;
    slot->task = *task;
    runner->running++;
    return TRUE;
}

gboolean fltvm_runner_start(FltvmRunner *runner, const FltvmTask *task, GError **error)
{
    g_autoptr(GPtrArray) argv = command_line(runner, task, runner->program);
    Slot *slot = runner->slots;

    while (!is_free(slot))
        slot++;
    if (runner->serves && task->choice.at_checkpoint)
        return start_served(runner, slot, task, error);
    g_ptr_array_add(argv, g_strconcat("--json=", slot->result, NULL));
    if (runner->hashes)
        g_ptr_array_add(argv, g_strdup("--hash"));
    if (!task->order || (task->choice.call.counted && !task->choice.call.number))
        g_ptr_array_add(argv, g_strdup("--list-choices"));
    add_script(runner, argv);
    slot->log_fd = (int)syscall(SYS_memfd_create, "run", 1u /* MFD_CLOEXEC */);
    if (slot->log_fd < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "memfd: %s", g_strerror(errno));
        return FALSE;
    }
    slot->pid =
        fltvm_child_spawn((const char *const *)argv->pdata, (FltvmFd[]){{slot->log_fd, 1}, {slot->log_fd, 2}, {-1, -1}},
                          FLTVM_CHILD_DEFAULT, error);
    if (slot->pid < 0) {
        slot->pid = 0;
        close(slot->log_fd);
        return FALSE;
    }
    slot->pid_fd = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    slot->task = *task;
    runner->running++;
    return TRUE;
}

/* --- ending ---------------------------------------------------------------------------------------------- */

char *fltvm_runner_log(int log_fd, gsize most)
{
    off_t end = lseek(log_fd, 0, SEEK_END), from = end > (off_t)most ? end - (off_t)most : 0;
    g_autofree char *bytes = g_malloc0((gsize)(end - from) + 1);
    ssize_t count = pread(log_fd, bytes, (gsize)(end - from), from);

    bytes[count > 0 ? count : 0] = '\0';
    return g_steal_pointer(&bytes);
}

/* A run that has left no result: refused before it began, or killed. */
static FltvmOutcome *outcome_of_lost(int status, int log_fd)
{
    g_autofree char *log = g_strstrip(fltvm_runner_log(log_fd, 4096)), *how = fltvm_child_describe(status);
    g_autofree char *text = g_strdup_printf("the process that ran it ended (%s)%s%s", how, *log ? ": " : "", log);

    if (WIFEXITED(status) && WEXITSTATUS(status) == FLTVM_ERROR_USAGE)
        return fltvm_outcome_new(FLTVM_OUTCOME_SCRIPT, FLTVM_ERROR_USAGE, *log ? log : text);
    return fltvm_outcome_new(FLTVM_OUTCOME_HOST, FLTVM_ERROR_HOST, text);
}

/* The end of a served run: how its process ended; a server that has no more to give is let go. */
static int finish_served(Slot *slot)
{
    int status;

    if (!fltvm_server_answer(slot->server, &status, &slot->log_fd))
        g_clear_pointer(&slot->server, fltvm_server_free);
    return status;
}

static void finish(FltvmRunner *runner, Slot *slot, FltvmDone *done)
{
    int status = slot->serves ? finish_served(slot) : fltvm_child_wait(slot->pid);
    g_autofree char *text = NULL;
    gsize length;

    *done = (FltvmDone){.task = slot->task, .log_fd = slot->log_fd};
    if (g_file_get_contents(slot->result, &text, &length, NULL))
        done->json = fltvm_json_parse(text, length, NULL);
    done->outcome = done->json ? fltvm_outcome_read(done->json) : NULL;
    if (!done->outcome || !WIFEXITED(status)) {
        fltvm_outcome_free(done->outcome);
        done->outcome = outcome_of_lost(status, slot->log_fd);
    }
    slot_clear(runner, slot);
}

gboolean fltvm_runner_wait(FltvmRunner *runner, gint64 deadline, FltvmDone *done)
{
    g_autofree struct pollfd *polls = g_new(struct pollfd, runner->jobs);

    for (guint i = 0; i < runner->jobs; i++) {
        const Slot *slot = &runner->slots[i];
        int fd = slot->serves ? fltvm_server_fd(slot->server) : slot->pid ? slot->pid_fd : -1;
        polls[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    while (runner->running && !fltvm_child_interrupted() && (!deadline || g_get_monotonic_time() < deadline)) {
        if (poll(polls, runner->jobs, LOOK) <= 0)
            continue;
        for (guint i = 0; i < runner->jobs; i++) {
            if (!polls[i].revents)
                continue;
            if (fltvm_child_interrupted())
                return FALSE; /* it may have been killed for that */
            finish(runner, &runner->slots[i], done);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean fltvm_runner_run(FltvmRunner *runner, const FltvmTask *task, FltvmDone *done, GError **error)
{
    if (!fltvm_runner_start(runner, task, error))
        return FALSE;
    if (fltvm_runner_wait(runner, 0, done))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "interrupted");
    return FALSE;
}

/* --- judging --------------------------------------------------------------------------------------------- */

gboolean fltvm_task_finds(const FltvmTask *task, const FltvmOutcome *outcome)
{
    switch (outcome->kind) {
    case FLTVM_OUTCOME_CHECK:
    case FLTVM_OUTCOME_BUGCHECK:
    case FLTVM_OUTCOME_HANG:
    case FLTVM_OUTCOME_STATUS: return TRUE;
    /* A script that cannot go on where something was made to fail says nothing about a driver. */
    case FLTVM_OUTCOME_SCRIPT: return !fltvm_choice_injects(&task->choice);
    default: return FALSE;
    }
}

gboolean fltvm_task_judges(const FltvmTask *task, const FltvmOutcome *outcome)
{
    return fltvm_task_finds(task, outcome) || outcome->kind == FLTVM_OUTCOME_PASSED ||
           outcome->kind == FLTVM_OUTCOME_ANSWERED;
}

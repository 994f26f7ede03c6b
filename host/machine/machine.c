/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A running machine: see machine.h. */
#define _GNU_SOURCE
#include "machine.h"

#include <string.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "machinep.h"
#include "monitor.h"
#include "watchdog.h"

/* Microseconds that a guest gets to report its stacks after the NMI, and QEMU to end by itself. */
#define STACKS_GRACE (3 * G_USEC_PER_SEC)
#define END_GRACE    (5 * G_USEC_PER_SEC)

/* What a machine that gdb kills may take to be gone. */
#define KILL_GRACE (2 * G_USEC_PER_SEC)

/* What the symbolizer may take for what a machine has told. */
#define SYMBOLS_GRACE (12 * G_USEC_PER_SEC)

/* What the account may take then: whoever does not read it does not hold the end up. */
#define TELL_GRACE (2 * G_USEC_PER_SEC)

/* A machine's failures that are told. */
#define MOST_FAILURES 16

FltvmMachine *fltvm_machine_new(FltvmSession *session, FltvmConfig *config)
{
    FltvmMachine *machine = g_new0(FltvmMachine, 1);

    machine->session = session;
    machine->config = config;
    machine->qemu = FLTVM_QEMU_NONE;
    machine->symbols = fltvm_symbols_new();
    machine->heard_of = fltvm_heard_new();
    return machine;
}

/* Let go of the process and its sockets, by force if it still runs. */
static void drop(FltvmMachine *machine, FltvmMachineState state)
{
    g_clear_pointer(&machine->link, fltvm_link_free);
    fltvm_qemu_end(&machine->qemu);
    machine->state = state;
}

void fltvm_machine_free(FltvmMachine *machine)
{
    if (!machine)
        return;
    drop(machine, FLTVM_MACHINE_DEAD);
    fltvm_qemu_clear(&machine->qemu);
    fltvm_machine_free_media(machine); /* as many as the configuration has disks */
    fltvm_config_free(machine->config);
    fltvm_symbols_free(machine->symbols);
    fltvm_heard_free(machine->heard_of);
    fltvm_bugcheck_free(machine->bugcheck);
    g_free(machine);
}

FltvmConfig *fltvm_machine_config(FltvmMachine *machine)
{
    return machine->config;
}

FltvmMachineState fltvm_machine_state(const FltvmMachine *machine)
{
    return machine->state;
}

FltvmSymbols *fltvm_machine_symbols(FltvmMachine *machine)
{
    return machine->symbols;
}

guint64 fltvm_machine_time(const FltvmMachine *machine)
{
    return machine->time_ns;
}

FltvmBugcheck *fltvm_machine_bugcheck(FltvmMachine *machine)
{
    return machine->bugcheck;
}

void fltvm_result_clear(FltvmResult *result)
{
    g_clear_pointer(&result->data, g_bytes_unref);
}

/* --- records ------------------------------------------------------------------------------------------- */

static void on_log(FltvmMachine *machine, const struct fltvm_link_frame *frame, const guint8 *payload)
{
    struct fltvm_log_header header;

    if (frame->length < sizeof(header))
        return;
    memcpy(&header, payload, sizeof(header));
    fltvm_account_log(machine->session->account, machine, frame->time_ns, frame->cpu, header.irql,
                      (const char *)payload + sizeof(header));
}

static void on_module(FltvmMachine *machine, const struct fltvm_link_frame *frame, const guint8 *payload)
{
    struct fltvm_module_header header;
    gboolean loaded;
    const char *name = (const char *)payload + sizeof(header);

    if (frame->length < sizeof(header))
        return;
    memcpy(&header, payload, sizeof(header));
    loaded = (header.what & ~FLTVM_MODULE_IN_BOX) == FLTVM_MODULE_LOADED;
    if (loaded)
        fltvm_symbols_loaded(machine->symbols, name, header.base, header.size,
                             (header.what & FLTVM_MODULE_IN_BOX) != 0);
    else
        fltvm_symbols_unloaded(machine->symbols, name, header.base);
    if (machine->session->account->verbose)
        fltvm_account_guest_note(machine->session->account, "%s %s at 0x%" G_GINT64_MODIFIER "x, %u bytes",
                                 loaded ? "loaded" : "unloaded", name, header.base, header.size);
}

/* "ok name", "not ok name # why", "plan N". */
static void on_test(FltvmMachine *machine, const char *line)
{
    const char *why = strstr(line, " # ");
    g_autofree char *name = NULL;

    if (g_str_has_prefix(line, "ok ")) {
        fltvm_account_guest_check(machine->session->account, FLTVM_CHECK_PASS, line + 3, NULL);
    } else if (g_str_has_prefix(line, "not ok ")) {
        name = g_strndup(line + 7, why ? (gsize)(why - line - 7) : strlen(line + 7));
        fltvm_account_guest_check(machine->session->account, FLTVM_CHECK_FAIL, name, why ? why + 3 : "no reason given");
    } else if (g_str_has_prefix(line, "plan ")) {
        fltvm_account_plan(machine->session->account, (guint)g_ascii_strtoull(line + 5, NULL, 10));
    } else {
        machine->session->account->guest_made++;
        fltvm_account_guest_note(machine->session->account, "guest test: %s", line);
    }
}

static void on_bugcheck(FltvmMachine *machine, const struct fltvm_link_frame *frame, const guint8 *payload)
{
    FltvmBugcheck *bugcheck;

    if (machine->bugcheck)
        return; /* the first one is the cause */
    if (frame->kind == FLTVM_RECORD_CRASH)
        bugcheck = fltvm_crash_decode(payload, frame->length, machine->symbols);
    else if (frame->kind == FLTVM_RECORD_EXIT)
        bugcheck = fltvm_last_words_decode(payload, frame->length, machine->symbols);
    else
        bugcheck = fltvm_bugcheck_decode(payload, frame->length);
    if (!bugcheck)
        return;
    machine->bugcheck = bugcheck;
    machine->bugcheck->time_ns = frame->time_ns;
    machine->bugcheck->cpu = frame->cpu;
    fltvm_bugcheck_describe(machine->bugcheck, machine->symbols, fltvm_heard_report_text(machine->heard_of),
                            machine->session->account->verbose);
}

/* "what should have been: what was", after the stacks that tell more. */
static void on_failure(FltvmMachine *machine, const char *text)
{
    g_autofree char *name = NULL, *detail = NULL;
    const char *mark = strstr(text, ": "), *stacks;

    if (machine->failures++ >= MOST_FAILURES)
        return; /* more of them say no more */
    stacks = fltvm_machine_stacks(machine);
    name = mark ? g_strndup(text, (gsize)(mark - text)) : g_strdup(text);
    detail = g_strconcat(mark ? mark + 2 : "", stacks ? "\nstacks of all threads:\n" : "", stacks, NULL);
    fltvm_account_check(machine->session->account, FLTVM_CHECK_FAIL, name, detail);
}

/* Deal with a record that is not a command request. */
static void on_record(FltvmMachine *machine, const struct fltvm_link_frame *frame, const guint8 *payload)
{
    g_autofree char *options = NULL;

    machine->heard = TRUE;
    if (frame->time_ns > machine->time_ns)
        machine->time_ns = frame->time_ns;
    switch (frame->kind) {
    case FLTVM_RECORD_HELLO:
        options = fltvm_config_options(machine->config);
        fltvm_link_answer(machine->link, FLTVM_ANSWER_DATA, options, strlen(options));
        break;
    case FLTVM_RECORD_LOG: on_log(machine, frame, payload); break;
    case FLTVM_RECORD_TRACE:
        if (machine->session->trace)
            fltvm_trace_add(machine->session->trace, machine->symbols, payload, frame->length);
        break;
    case FLTVM_RECORD_MODULE: on_module(machine, frame, payload); break;
    case FLTVM_RECORD_BUGCHECK:
    case FLTVM_RECORD_CRASH: on_bugcheck(machine, frame, payload); break;
    case FLTVM_RECORD_STACKS: fltvm_heard_stacks(machine->heard_of, payload, frame->length); break;
    case FLTVM_RECORD_HELD: fltvm_heard_held(machine->heard_of, (const char *)payload, frame->length); break;
    case FLTVM_RECORD_REPORT: fltvm_heard_report(machine->heard_of, (const char *)payload, frame->length); break;
    case FLTVM_RECORD_TEST: on_test(machine, (const char *)payload); break;
    case FLTVM_RECORD_FAILURE: on_failure(machine, (const char *)payload); break;
    case FLTVM_RECORD_EXIT:
        machine->exit_seen = TRUE;
        if (frame->length >= sizeof(machine->exit_status))
            memcpy(&machine->exit_status, payload, sizeof(machine->exit_status));
        if (machine->exit_status == FLTVM_EXIT_BUGCHECK && frame->length >= sizeof(struct fltvm_exit))
            on_bugcheck(machine, frame, payload);
        break;
    case FLTVM_RECORD_MEDIUM: fltvm_machine_on_medium(machine, payload, frame->length); break;
    case FLTVM_RECORD_POWER_CUT: fltvm_machine_on_power_cut(machine, (const char *)payload); break;
    default:
        fltvm_account_guest_note(machine->session->account, "link: unknown record %u of %u bytes", frame->kind,
                                 frame->length);
    }
}

/* --- the end ------------------------------------------------------------------------------------------- */

gboolean fltvm_machine_ended_badly(FltvmMachine *machine, GError **error)
{
    g_autofree char *output = NULL, *how = NULL;
    int status = 0;
    gboolean reaped = fltvm_qemu_wait(&machine->qemu, g_get_monotonic_time() + END_GRACE, &status);

    how = reaped ? fltvm_child_describe(status) : g_strdup("still running");
    output = fltvm_qemu_output(&machine->qemu, machine->config);
    drop(machine, FLTVM_MACHINE_DEAD);
    if (machine->bugcheck)
        g_set_error_literal(error, FLTVM_ERROR, FLTVM_ERROR_BUGCHECK, machine->bugcheck->text);
    else if (machine->cut && machine->cut_problem)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "after the power cut: %s", machine->cut_problem);
    else if (machine->cut)
        g_set_error_literal(error, FLTVM_ERROR, FLTVM_EXIT_OK, "the machine's power was cut");
    else if (machine->exit_seen && machine->exit_status == FLTVM_EXIT_BOOT_FAILED)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "the guest could not boot%s%s", *output ? ": " : "", output);
    else if (machine->exit_seen)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "the guest shut down by itself (exit record %u)",
                    machine->exit_status);
    else if (!machine->heard && reaped && fltvm_qemu_refused(status, output))
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "QEMU refuses this machine: %s", output);
    else if (*output)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "QEMU ended (%s): %s", how, output);
    else
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST,
                    "QEMU ended (%s) without a word from the guest: it reset the machine or turned it off", how);
    return FALSE;
}

/* The wall clock ran out: ask for every thread's stack, then kill.  Always FALSE. */
static gboolean timed_out(FltvmMachine *machine, const char *what, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + STACKS_GRACE;
    const char *stacks;
    gboolean asked;

    fltvm_watchdog_allow(STACKS_GRACE + SYMBOLS_GRACE);
    asked = machine->qemu.monitor_fd >= 0 && fltvm_monitor_inject_nmi(machine->qemu.monitor_fd, deadline);

    fltvm_heard_forget_stacks(machine->heard_of);
    while (asked && !machine->exit_seen) {
        struct fltvm_link_frame frame;
        const guint8 *payload;
        FltvmLinkResult result = fltvm_link_read(machine->link, deadline, -1, &frame, &payload, NULL);
        if (result != FLTVM_LINK_FRAME || frame.kind == FLTVM_RECORD_COMMAND)
            break;
        on_record(machine, &frame, payload);
    }
    drop(machine, FLTVM_MACHINE_DEAD);
    if (machine->bugcheck)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_BUGCHECK, "%s", machine->bugcheck->text);
    stacks = machine->bugcheck ? NULL : fltvm_heard_stacks_text(machine->heard_of, machine->symbols);
    if (!machine->bugcheck)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "time-out: %s\n%s%s", what,
                    stacks ? "stacks of all threads:\n" : "the guest did not report its stacks", stacks ? stacks : "");
    fltvm_watchdog_allow(TELL_GRACE);
    return FALSE;
}

/* --- the conversation ---------------------------------------------------------------------------------- */

static gint64 earlier_of(gint64 a, gint64 b)
{
    return !a ? b : !b ? a : MIN(a, b);
}

/*
 * gdb has ended.  Mostly it ended the machine first; one that runs on, since gdb let go of it, does so against the
 * clock; one that has not begun never will.  The new deadline.
 */
static gint64 debugger_ended(FltvmMachine *machine)
{
    FltvmSession *session = machine->session;
    gint64 now = g_get_monotonic_time();

    close(session->debugger_fd);
    session->debugger_fd = 0;
    if (session->after_debugger)
        session->deadline = now + session->after_debugger;
    return machine->heard ? session->deadline : now + KILL_GRACE;
}

gboolean fltvm_machine_until(FltvmMachine *machine, guint kind, gint64 deadline, const char *doing,
                             struct fltvm_link_frame *frame, const guint8 **payload, GError **error)
{
    FltvmSession *session = machine->session;
    gboolean alone = FALSE; /* without the debugger that was there */

    for (;;) {
        int wake_fd = session->debugger_fd ? session->debugger_fd : -1;
        FltvmLinkResult result = fltvm_link_read(machine->link, deadline, wake_fd, frame, payload, error);
        if (alone && result != FLTVM_LINK_CLOSED)
            session->outlived = TRUE;
        switch (result) {
        case FLTVM_LINK_FRAME:
            if (frame->kind == kind) {
                machine->time_ns = MAX(machine->time_ns, frame->time_ns);
                return TRUE;
            }
            on_record(machine, frame, *payload);
            if (machine->cut || (machine->borrowed && machine->exit_seen))
                return fltvm_machine_ended_badly(machine, error);
            break;
        case FLTVM_LINK_WOKEN:
            deadline = debugger_ended(machine);
            alone = TRUE;
            break;
        case FLTVM_LINK_CLOSED: return fltvm_machine_ended_badly(machine, error);
        case FLTVM_LINK_TIMEOUT:
            if (!alone || machine->heard)
                return timed_out(machine, doing, error);
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "gdb has ended, and the machine did not begin to run");
            drop(machine, FLTVM_MACHINE_DEAD);
            return FALSE;
        default: drop(machine, FLTVM_MACHINE_DEAD); return FALSE;
        }
    }
}

/* Trace points are for TCG only: who wants the trace is told, who wants its hash as well sees that there is none. */
static gboolean decide_trace(FltvmMachine *machine, GError **error)
{
    FltvmTrace *trace = machine->session->trace;

    machine->config->trace = trace && g_str_equal(machine->config->accel, "tcg");
    if (!trace || machine->config->trace || !fltvm_trace_keeps(trace))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "a trace needs accel \"tcg\": %s passes over trace points",
                machine->config->accel);
    return FALSE;
}

/* Read records until the guest asks for a command; its result is in `payload`. */
static gboolean until_command(FltvmMachine *machine, gint64 deadline, const char *doing, struct fltvm_link_frame *frame,
                              const guint8 **payload, GError **error)
{
    return fltvm_machine_until(machine, FLTVM_RECORD_COMMAND, deadline, doing, frame, payload, error);
}

/* Start QEMU, or find the one that was started for us; our end of the link, or -1. */
static int open_link(FltvmMachine *machine, GError **error)
{
    FltvmSession *session = machine->session;

    if (session->connect)
        return fltvm_qemu_connect(session->connect, error);
    if (session->account->verbose) {
        g_autofree char *line = fltvm_qemu_command_line(machine->config, NULL);
        fltvm_account_detail(session->account, "qemu: %s", line ? line : "");
    }
    return fltvm_qemu_start(&machine->qemu, machine->config, session->gdb_fd, error);
}

gboolean fltvm_machine_start(FltvmMachine *machine, GError **error)
{
    FltvmSession *session = machine->session;
    gint64 boot = session->boot_deadline ? g_get_monotonic_time() + session->boot_deadline : 0;
    struct fltvm_link_frame frame;
    const guint8 *payload;
    int fd;

    g_assert(machine->state == FLTVM_MACHINE_NEW);
    if (!decide_trace(machine, error))
        return FALSE;
    if (session->dry_run) {
        g_autofree char *line = fltvm_qemu_command_line(machine->config, error);
        if (line) {
            fprintf(session->account->out, "%s\n", line);
            g_set_error_literal(error, FLTVM_ERROR, FLTVM_EXIT_OK, FLTVM_DRY_RUN_MESSAGE);
        }
        return FALSE;
    }
    fd = open_link(machine, error);
    if (fd < 0) {
        drop(machine, FLTVM_MACHINE_DEAD);
        return FALSE;
    }
    machine->link = fltvm_link_new(fd);
    if (session->gdb_fd) {
        close(session->gdb_fd);
        session->gdb_fd = 0;
        if (!session->launched(session->launched_data, error)) {
            drop(machine, FLTVM_MACHINE_DEAD);
            return FALSE;
        }
    }
    if (!until_command(machine, earlier_of(boot, session->deadline), "the guest did not boot", &frame, &payload, error))
        return FALSE;
    machine->state = FLTVM_MACHINE_RUNNING;
    fltvm_account_detail(session->account, "booted at %.6f ms", (double)machine->time_ns / 1e6);
    return TRUE;
}

gboolean fltvm_machine_be_running(FltvmMachine *machine, GError **error)
{
    switch (machine->state) {
    case FLTVM_MACHINE_NEW: return fltvm_machine_start(machine, error);
    case FLTVM_MACHINE_RUNNING: return TRUE;
    case FLTVM_MACHINE_ENDED:
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "the machine has been shut down");
        return FALSE;
    default:
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "the machine is dead: it %s earlier",
                    machine->bugcheck ? "bugchecked"
                    : machine->cut    ? "lost its power"
                    : machine->hung   ? "hung"
                                      : "was lost");
        return FALSE;
    }
}

gboolean fltvm_machine_command(FltvmMachine *machine, struct fltvm_command *command, gconstpointer data, gsize length,
                               FltvmResult *result, GError **error)
{
    g_autofree guint8 *message = NULL;
    struct fltvm_link_frame frame;
    const guint8 *payload;

    g_assert(length <= FLTVM_COMMAND_DATA_MAX);
    if (!fltvm_machine_be_running(machine, error))
        return FALSE;
    fltvm_heard_forget_stacks(machine->heard_of);
    command->id = ++machine->next_id;
    command->length = (guint32)length;
    message = g_malloc(sizeof(*command) + length);
    memcpy(message, command, sizeof(*command));
    if (length)
        memcpy(message + sizeof(*command), data, length);
    if (!fltvm_link_answer(machine->link, FLTVM_ANSWER_DATA, message, sizeof(*command) + length) &&
        !fltvm_child_interrupted())
        return fltvm_machine_ended_badly(machine, error);
    /* A parked guest wakes to ask for what has been sent already: that request carries no result. */
    if (machine->parked &&
        !until_command(machine, g_get_monotonic_time() + END_GRACE, "the guest does not wake", &frame, &payload, error))
        return FALSE;
    machine->parked = FALSE;
    if (!until_command(machine, machine->session->deadline, "the guest does not answer", &frame, &payload, error))
        return FALSE;
    if (frame.length < sizeof(result->header)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "link: a result of %u bytes", frame.length);
        drop(machine, FLTVM_MACHINE_DEAD);
        return FALSE;
    }
    memcpy(&result->header, payload, sizeof(result->header));
    if (result->header.id != command->id || result->header.length > frame.length - sizeof(result->header)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "link: the result of command %u has id %u and %u bytes",
                    command->id, result->header.id, result->header.length);
        drop(machine, FLTVM_MACHINE_DEAD);
        return FALSE;
    }
    result->data = g_bytes_new(payload + sizeof(result->header), result->header.length);
    return TRUE;
}

const char *fltvm_machine_stacks(FltvmMachine *machine)
{
    return fltvm_heard_stacks_text(machine->heard_of, machine->symbols);
}

gboolean fltvm_machine_finish(FltvmMachine *machine, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + END_GRACE;
    struct fltvm_link_frame frame;
    const guint8 *payload;
    int status = 0;

    if (machine->state != FLTVM_MACHINE_RUNNING)
        return TRUE;
    fltvm_link_answer(machine->link, FLTVM_ANSWER_END, NULL, 0);
    /* The request of a guest that wakes to fetch this. */
    if (machine->parked && !until_command(machine, deadline, "the guest does not wake", &frame, &payload, error))
        return FALSE;
    for (;;) {
        FltvmLinkResult result = fltvm_link_read(machine->link, earlier_of(deadline, machine->session->deadline), -1,
                                                 &frame, &payload, error);
        if (result == FLTVM_LINK_CLOSED)
            break;
        if (result == FLTVM_LINK_TIMEOUT)
            return timed_out(machine, "the guest does not shut down", error);
        if (result == FLTVM_LINK_FAILED || frame.kind == FLTVM_RECORD_COMMAND) {
            if (result != FLTVM_LINK_FAILED)
                g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "the guest asked for a command after the end");
            drop(machine, FLTVM_MACHINE_DEAD);
            return FALSE;
        }
        on_record(machine, &frame, payload);
        if (machine->cut || (machine->borrowed && machine->exit_seen))
            break;
    }
    if (machine->bugcheck || !machine->exit_seen || machine->exit_status != FLTVM_EXIT_DONE)
        return fltvm_machine_ended_badly(machine, error);
    if (fltvm_qemu_wait(&machine->qemu, deadline, &status)) {
        if (status) {
            g_autofree char *how = fltvm_child_describe(status),
                            *output = fltvm_qemu_output(&machine->qemu, machine->config);
            drop(machine, FLTVM_MACHINE_DEAD);
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "QEMU ended badly (%s): %s", how, output);
            return FALSE;
        }
    }
    drop(machine, FLTVM_MACHINE_ENDED);
    return TRUE;
}

void fltvm_machine_abandon(FltvmMachine *machine)
{
    machine->hung = TRUE;
    drop(machine, FLTVM_MACHINE_DEAD);
}

gboolean fltvm_machine_park(FltvmMachine *machine, int wake_fd, GError **error)
{
    struct fltvm_link_frame frame;
    const guint8 *payload;

    if (!fltvm_machine_be_running(machine, error))
        return FALSE;
    if (!machine->parked)
        fltvm_link_answer(machine->link, FLTVM_ANSWER_PARK, NULL, 0);
    machine->parked = TRUE;
    for (;;) {
        switch (fltvm_link_read(machine->link, 0, wake_fd, &frame, &payload, error)) {
        case FLTVM_LINK_FRAME:
            if (frame.kind == FLTVM_RECORD_COMMAND) {
                /* It woke for a reason of its own: send it back to rest. */
                fltvm_link_answer(machine->link, FLTVM_ANSWER_PARK, NULL, 0);
                break;
            }
            on_record(machine, &frame, payload);
            break;
        case FLTVM_LINK_WOKEN: return TRUE;
        case FLTVM_LINK_CLOSED: return fltvm_machine_ended_badly(machine, error);
        default: drop(machine, FLTVM_MACHINE_DEAD); return FALSE;
        }
    }
}

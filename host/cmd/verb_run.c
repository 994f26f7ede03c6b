/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm run: scenarios, one after the other or several at a time.
 *
 * One scenario runs in this process.  Of several, each runs in a process forked for it, whose account goes to
 * a file and is printed when it is complete and its turn has come.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "output.h"
#include "run_options.h"
#include "serve.h"
#include "temp.h"
#include "text.h"
#include "verbs.h"

/* Microseconds that interrupted scenarios get to clean up. */
#define JOB_GRACE (5 * G_USEC_PER_SEC)

static FltvmRunOptions options = {.default_timeout = 60};
static int opt_jobs = 1;
static gboolean opt_tap;
static char *opt_junit;
static char *opt_json;
static gboolean opt_list_choices, opt_serve, opt_hash, opt_verify;
static FltvmServe serve = {.fd = FLTVM_SERVE_FD};

static void write_outcome(const FltvmScenario *scenario, FltvmAccount *account, FltvmTrace *trace, const char *path)
{
    g_autoptr(FltvmOutcome) outcome = fltvm_scenario_outcome(scenario);
    g_autofree char *offers = opt_list_choices ? fltvm_scenario_offers(scenario) : NULL;
    g_autoptr(GError) error = NULL;

    if (!fltvm_outcome_write(outcome, opt_list_choices || opt_hash ? trace : NULL, offers, path, &error))
        fltvm_account_error(account, error);
}

/* Its script is done once for many runs: up to the checkpoint in this process, from there on in others. */
static void prepare_to_serve(FltvmScenario *scenario, int (*leave)(gpointer data), gpointer data)
{
    fcntl(serve.fd, F_SETFD, FD_CLOEXEC);
    serve.timeout = fltvm_run_options_timeout(&options);
    serve.leave = leave;
    serve.leave_data = data;
    scenario->serve = fltvm_serve;
    scenario->serve_data = &serve;
    scenario->verifies = opt_verify;
}

/* Run a script; `leave` ends the process if the scenario has to be ended by force. */
static void run_one(const char *script, FltvmAccount *account, int (*leave)(gpointer data), gpointer data)
{
    gint64 start = g_get_monotonic_time();
    gboolean keep = options.trace || opt_list_choices;
    g_autoptr(FltvmTrace) trace = keep || opt_hash || options.verbose ? fltvm_trace_new(keep) : NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(FltvmScenario) scenario = fltvm_run_options_scenario(&options, account, trace, &error);

    if (scenario) {
        fltvm_scenario_guard(scenario, leave, data);
        scenario->lists = opt_list_choices;
        if (opt_serve)
            prepare_to_serve(scenario, leave, data);
        fltvm_scenario_run(scenario, script);
        if (serve.is_run) {
            write_outcome(scenario, account, trace, serve.request.result);
            fltvm_serve_end_run(scenario);
        }
        if (options.trace && !options.dry_run && !fltvm_trace_write(trace, options.trace, &error))
            fltvm_account_error(account, error);
        if (trace && fltvm_trace_dropped(trace))
            fltvm_account_note(account, "… %" G_GUINT64_FORMAT " more events are not in the trace",
                               fltvm_trace_dropped(trace));
        if (opt_json && !options.dry_run)
            write_outcome(scenario, account, trace, opt_json);
        if (trace && !options.dry_run)
            fltvm_account_detail(account, "trace: %" G_GUINT64_FORMAT " events, SHA-256 %s", fltvm_trace_count(trace),
                                 fltvm_trace_hash(trace));
    } else {
        fltvm_account_error(account, error);
    }
    account->seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
}

/* --- one ----------------------------------------------------------------------------------------------- */

/* What a run of one scenario ends with; returns the exit status. */
static int finish_one(FltvmAccount *account, GError **error)
{
    g_autoptr(GPtrArray) accounts = g_ptr_array_new();

    g_ptr_array_add(accounts, account);
    if (!options.dry_run || account->status)
        fltvm_account_finish(account);
    if (opt_junit && !fltvm_account_write_junit(accounts, opt_junit, error))
        return FLTVM_ERROR_HOST;
    return account->status;
}

static int leave_one(gpointer data)
{
    FltvmAccount *account = data;
    g_autoptr(GError) error = NULL;
    int status = finish_one(account, &error);
    g_autoptr(FltvmOutcome) outcome =
        fltvm_outcome_new(FLTVM_OUTCOME_HOST, status, "the script did not end, and was ended by force");

    if (error)
        fprintf(stderr, "fltvm: %s\n", error->message);
    g_clear_error(&error);
    if (serve.is_run && !fltvm_outcome_write(outcome, NULL, NULL, serve.request.result, &error))
        fprintf(stderr, "fltvm: %s\n", error->message);
    g_clear_error(&error);
    if (opt_json && !fltvm_outcome_write(outcome, NULL, NULL, opt_json, &error))
        fprintf(stderr, "fltvm: %s\n", error->message);
    return status;
}

/* --- several ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *script;
    pid_t pid;
    FltvmAccount *account; /* in its own process */
    FILE *text;            /* what it printed */
    int packed_fd;         /* its checks, packed */
    gboolean done;
    int status;
} Job;

/* Hand a job's checks to the process that prints them. */
static void hand_over(Job *job, FltvmAccount *account)
{
    g_autoptr(GVariant) packed = fltvm_account_pack(account);
    gssize length = (gssize)g_variant_get_size(packed);

    if (write(job->packed_fd, g_variant_get_data(packed), (gsize)length) != length)
        _exit(FLTVM_ERROR_HOST); /* without its checks it counts as lost */
    fflush(job->text);
}

static int leave_job(gpointer data)
{
    Job *job = data;

    hand_over(job, job->account);
    return FLTVM_EXIT_OK;
}

static void start_job(Job *job)
{
    job->text = fdopen(memfd_create("fltvm-account", MFD_CLOEXEC), "w+");
    job->packed_fd = memfd_create("fltvm-checks", MFD_CLOEXEC);
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0) {
        fltvm_child_after_fork();
        job->account = fltvm_account_new(job->script, job->text, opt_tap, options.verbose);
        run_one(job->script, job->account, leave_job, job);
        hand_over(job, job->account);
        fltvm_child_cleanup();
        _exit(0);
    }
}

/* Copy a finished job's text; in TAP its numbers become the whole run's. */
static void print_job(Job *job, guint *number)
{
    g_autofree char *line = NULL, *script = fltvm_text_tap(job->script);
    size_t capacity = 0;

    rewind(job->text);
    while (getline(&line, &capacity, job->text) >= 0) {
        const char *rest = strstr(line, " - ");
        if (opt_tap && rest && (g_str_has_prefix(line, "ok ") || g_str_has_prefix(line, "not ok ")))
            printf("%s %u - %s: %s", *line == 'o' ? "ok" : "not ok", ++*number, script, rest + 3);
        else
            fputs(line, stdout);
    }
    fclose(job->text);
}

static FltvmAccount *finish_job(Job *job, guint *number)
{
    FltvmAccount *account = fltvm_account_new(job->script, stdout, opt_tap, options.verbose);
    gsize size = (gsize)lseek(job->packed_fd, 0, SEEK_END);
    g_autofree guint8 *bytes = g_malloc(size + 1);

    print_job(job, number);
    if (WIFEXITED(job->status) && size && pread(job->packed_fd, bytes, size, 0) == (gssize)size) {
        g_autoptr(GVariant) packed =
            g_variant_ref_sink(g_variant_new_from_data(G_VARIANT_TYPE("(ida(iayay))"), bytes, size, FALSE, NULL, NULL));
        fltvm_account_unpack(account, packed);
    } else {
        g_autofree char *how = fltvm_child_describe(job->status);
        g_autoptr(GError) error =
            g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: the process that ran it ended: %s", job->script, how);
        fltvm_account_error(account, error);
    }
    close(job->packed_fd);
    if (opt_tap && !account->checks->len && account->status == FLTVM_EXIT_OK) {
        g_autofree char *script = fltvm_text_tap(job->script);
        printf("ok %u - %s # SKIP " FLTVM_ACCOUNT_NO_CHECKS "\n", ++*number, script);
    }
    if (!opt_tap && !options.dry_run)
        fltvm_account_finish(account);
    return account;
}

/* We were interrupted: let the others clean up, too, and see that they do. */
static void end_jobs(Job *jobs, guint count)
{
    gint64 deadline = g_get_monotonic_time() + JOB_GRACE;

    for (guint i = 0; i < count; i++) {
        if (!jobs[i].done)
            kill(jobs[i].pid, SIGTERM);
    }
    for (guint i = 0; i < count; i++) {
        if (!jobs[i].done && !fltvm_child_wait_until(jobs[i].pid, deadline, &jobs[i].status))
            fltvm_child_kill(jobs[i].pid);
    }
}

static void run_several(char **scripts, guint count, GPtrArray *accounts)
{
    g_autofree Job *jobs = g_new0(Job, count);
    guint started = 0, running = 0, printed = 0, number = 0;

    for (guint i = 0; i < count; i++)
        jobs[i].script = scripts[i];
    fltvm_temp_dir(NULL); /* theirs are inside ours, and go away with it */
    while (printed < count && !fltvm_child_interrupted()) {
        int status;
        pid_t pid;

        while (started < count && running < (guint)opt_jobs) {
            start_job(&jobs[started++]);
            running++;
        }
        pid = waitpid(-1, &status, 0);
        for (guint i = 0; pid > 0 && i < started; i++) {
            if (jobs[i].pid == pid) {
                jobs[i].done = TRUE;
                jobs[i].status = status;
                running--;
            }
        }
        while (printed < started && jobs[printed].done)
            g_ptr_array_add(accounts, finish_job(&jobs[printed++], &number));
    }
    end_jobs(jobs + printed, started - printed);
    if (opt_tap && printed == count)
        printf("1..%u\n", number);
}

/* --- the verb ------------------------------------------------------------------------------------------ */

static const GOptionEntry entries[] = {
    {"jobs", 'j', 0, G_OPTION_ARG_INT, &opt_jobs, "Scenarios at a time (default 1)", "N"},
    {"tap", 0, 0, G_OPTION_ARG_NONE, &opt_tap, "Write TAP instead of a readable account", NULL},
    {"junit", 0, 0, G_OPTION_ARG_FILENAME, &opt_junit, "Also write a JUnit file", "FILE"},
    {"json", 0, 0, G_OPTION_ARG_FILENAME, &opt_json, "Also write what the run ended with as JSON", "FILE"},
    {"list-choices", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &opt_list_choices,
     "With --json: also list what could be made to fail", NULL},
    {"hash", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &opt_hash, "With --json: also the trace's hash", NULL},
    {"serve", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &opt_serve, "Serve an exploration: descriptor 3", NULL},
    {"verify-restores", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &opt_verify,
     "With --serve: look each time whether all is as it was", NULL},
    G_OPTION_ENTRY_NULL};

static GOptionEntry *all_entries(void)
{
    const GOptionEntry *shared = fltvm_run_option_entries(&options);
    GArray *list = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (; shared->long_name; shared++)
        g_array_append_val(list, *shared);
    for (const GOptionEntry *entry = entries; entry->long_name; entry++)
        g_array_append_val(list, *entry);
    return (GOptionEntry *)(void *)g_array_free(list, FALSE);
}

static gboolean check_usage(int argc, GError **error)
{
    if (argc < 2)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "no scenario named (try 'fltvm run --help')");
    else if (opt_jobs < 1)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--jobs: %d is less than 1", opt_jobs);
    else if (argc > 2 && (options.trace || options.connect || opt_json))
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--trace, --json and --connect are for one scenario");
    else
        return TRUE;
    return FALSE;
}

/* What is written must not be what is read, nor two of them one file. */
static gboolean check_outputs(char **scripts, GError **error)
{
    const struct {
        const char *what, *path;
    } outputs[] = {{"--junit", opt_junit}, {"--trace", options.trace}, {"--json", opt_json}};

    for (gsize i = 0; i < G_N_ELEMENTS(outputs); i++) {
        for (char **script = scripts; outputs[i].path && *script; script++) {
            if (!fltvm_output_differs(outputs[i].what, outputs[i].path, *script, error))
                return FALSE;
        }
        for (gsize j = 0; outputs[i].path && j < i; j++) {
            if (outputs[j].path && !fltvm_output_differs(outputs[j].what, outputs[j].path, outputs[i].path, error))
                return FALSE;
        }
    }
    return TRUE;
}

int fltvm_verb_run(int argc, char **argv, GError **error)
{
    g_autofree GOptionEntry *list = all_entries();
    g_autoptr(GPtrArray) accounts = g_ptr_array_new_with_free_func((GDestroyNotify)fltvm_account_free);
    g_autoptr(FltvmConfig) config = NULL;
    int status;

    fltvm_verb_split_jobs(argc, argv);
    status = fltvm_verb_options(
        &argc, &argv, list, "SCENARIO.lua...",
        "Runs scenarios: Lua scripts that load minifilters into a machine and say what must happen.", error);

    if (status >= 0)
        return status;
    fltvm_verb_drop_separator(&argc, argv);
    config = fltvm_run_options_config(&options, error);
    if (!config || !check_usage(argc, error) || !check_outputs(argv + 1, error))
        return FLTVM_ERROR_USAGE;
    if (argc == 2) {
        g_autoptr(FltvmAccount) account = fltvm_account_new(argv[1], stdout, opt_tap, options.verbose);
        run_one(argv[1], account, leave_one, account);
        return finish_one(account, error);
    }
    run_several(argv + 1, (guint)argc - 1, accounts);
    status = FLTVM_EXIT_OK;
    for (guint i = 0; i < accounts->len; i++)
        status = MAX(status, ((FltvmAccount *)accounts->pdata[i])->status);
    if (opt_junit && !fltvm_account_write_junit(accounts, opt_junit, error))
        return FLTVM_ERROR_HOST;
    return status;
}

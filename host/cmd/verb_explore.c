/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm explore: one scenario, run for many choices.  What is found is told once, with the command that replays it.
 *
 * The first run is the scenario as it is; it also tells what there is to be made to fail.  Then come the plan's runs, and
 * at the end each finding is run again and made smaller.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "findings.h"
#include "output.h"
#include "slurm.h"
#include "verbs.h"
#include "verify.h"

#define DEFAULT_RUNS 1000
#define MOST_JOBS    128
#define MOST_TASKS   100000
#define MOST_SECONDS 31536000

/* Microseconds between two writings of what is known so far. */
#define KEEP_INTERVAL (5 * G_USEC_PER_SEC)

/* Runs that one finding may take to become smaller. */
#define SHRINK_RUNS 24

static char *opt_runs, *opt_time, *opt_strategy, *opt_seed, *opt_shard;
static char *opt_slurm;
static gboolean opt_wait;
static char *opt_junit, *opt_json, *opt_output;
static int opt_jobs;
static gboolean opt_merge, opt_verify;
/* Handed to each run as they are. */
static char *opt_cpus, *opt_memory, *opt_machine, *opt_timeout;

static const GOptionEntry entries[] = {
    {"runs", 0, 0, G_OPTION_ARG_STRING, &opt_runs, "Runs at most, of all shards together (default 1000)", "N"},
    {"time", 0, 0, G_OPTION_ARG_STRING, &opt_time, "Seconds of real time after which no run begins (default: none)",
     "SEC"},
    {"jobs", 'j', 0, G_OPTION_ARG_INT, &opt_jobs, "Runs at a time (default: the processors there are)", "N"},
    {"strategy", 0, 0, G_OPTION_ARG_STRING, &opt_strategy, "What to try: see below", "NAME[,NAME...]"},
    {"seed", 0, 0, G_OPTION_ARG_STRING, &opt_seed, "Seed of the first run (default: the scenario's)", "N"},
    {"shard", 0, 0, G_OPTION_ARG_STRING, &opt_shard, "Only the Ith of N equal parts of the runs", "I/N"},
    {"merge", 0, 0, G_OPTION_ARG_NONE, &opt_merge, "Run nothing: make one account of --json files of shards", NULL},
    {"slurm", 0, 0, G_OPTION_ARG_STRING, &opt_slurm,
     "Submit TASKS jobs to Slurm, each with its part of the runs, and one that merges; --output is what all nodes see",
     "TASKS"},
    {"wait", 0, 0, G_OPTION_ARG_NONE, &opt_wait, "With --slurm: wait for the end, and tell what was found", NULL},
    {"verify", 0, 0, G_OPTION_ARG_NONE, &opt_verify,
     "Do each run from a checkpoint also from its beginning, and compare them", NULL},
    {"json", 0, 0, G_OPTION_ARG_FILENAME, &opt_json, "Also write what was found as JSON", "FILE"},
    {"junit", 0, 0, G_OPTION_ARG_FILENAME, &opt_junit, "Also write a JUnit file", "FILE"},
    {"output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
     "Also write a folder for each finding: report, log, command; DIRECTORY is empty or made", "DIRECTORY"},
    {"cpus", 0, 0, G_OPTION_ARG_STRING, &opt_cpus, "As for run, of each run", "N"},
    {"memory", 0, 0, G_OPTION_ARG_STRING, &opt_memory, "As for run, of each run", "SIZE"},
    {"machine", 0, 0, G_OPTION_ARG_STRING, &opt_machine, "As for run, of each run", "NAME"},
    {"timeout", 0, 0, G_OPTION_ARG_STRING, &opt_timeout, "As for run, of each run", "SEC"},
    G_OPTION_ENTRY_NULL};

/* What the command line says, checked. */
typedef struct {
    const char *script;
    guint64 runs;
    gint64 deadline; /* g_get_monotonic_time(); 0: none */
    guint jobs;
    guint shard, shards;
    FltvmTask start;
    GPtrArray *options; /* of each run */
} Setup;

/* --- the command line ------------------------------------------------------------------------------------ */

static gboolean parse_number(const char *option, const char *text, guint64 least, guint64 most, guint64 *value,
                             GError **error)
{
    char *end = NULL;

    errno = 0;
    *value = g_ascii_strtoull(text, &end, 10);
    if (g_ascii_isdigit(*text) && !errno && !*end && *value >= least && *value <= most)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                "--%s: '%s' is not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, option, text, least,
                most);
    return FALSE;
}

static gboolean parse_time(Setup *setup, GError **error)
{
    char *end = NULL;
    double seconds = opt_time ? g_ascii_strtod(opt_time, &end) : 0;

    if (!opt_time)
        return TRUE;
    if (end != opt_time && !*end && seconds > 0 && seconds <= MOST_SECONDS) {
        setup->deadline = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--time: '%s' is not a number of seconds above 0, up to %d",
                opt_time, MOST_SECONDS);
    return FALSE;
}

static gboolean parse_shard(Setup *setup, GError **error)
{
    unsigned shard = 0, shards = 0;
    int length = 0;

    setup->shard = setup->shards = 1;
    if (!opt_shard)
        return TRUE;
    if (sscanf(opt_shard, "%6u/%6u%n", &shard, &shards, &length) == 2 && !opt_shard[length] && shard &&
        shard <= shards) {
        setup->shard = shard;
        setup->shards = shards;
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--shard: '%s' is not I/N, I from 1 to N", opt_shard);
    return FALSE;
}

static gboolean parse_jobs(Setup *setup, GError **error)
{
    setup->jobs = opt_jobs ? (guint)opt_jobs : MIN(g_get_num_processors(), MOST_JOBS);
    if (opt_jobs >= 0 && opt_jobs <= MOST_JOBS)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--jobs: %d is not between 1 and %d", opt_jobs, MOST_JOBS);
    return FALSE;
}

static void add_option(Setup *setup, const char *name, const char *value)
{
    if (!value)
        return;
    g_ptr_array_add(setup->options, g_strdup(name));
    g_ptr_array_add(setup->options, g_strdup(value));
}

static gboolean parse(Setup *setup, GError **error)
{
    setup->runs = DEFAULT_RUNS;
    setup->start = (FltvmTask){.strategy = FLTVM_STRATEGY_DEFAULT, .seed = 1};
    if ((opt_runs && !parse_number("runs", opt_runs, 1, G_MAXINT64, &setup->runs, error)) ||
        !parse_time(setup, error) || !parse_jobs(setup, error) || !parse_shard(setup, error))
        return FALSE;
    if (opt_seed && !parse_number("seed", opt_seed, 0, G_MAXINT64, &setup->start.seed, error))
        return FALSE;
    setup->start.has_seed = opt_seed != NULL;
    if (opt_time && !opt_runs)
        setup->runs = G_MAXINT64;
    add_option(setup, "--cpus", opt_cpus);
    add_option(setup, "--memory", opt_memory);
    add_option(setup, "--machine", opt_machine);
    add_option(setup, "--timeout", opt_timeout);
    g_ptr_array_add(setup->options, NULL);
    return TRUE;
}

/* --- running --------------------------------------------------------------------------------------------- */

/* A line that is written over, for a person who watches. */
static void show_progress(const FltvmFindings *findings, gint64 begin)
{
    static gint64 shown;
    gint64 now = g_get_monotonic_time();

    if (!isatty(STDERR_FILENO) || now - shown < G_USEC_PER_SEC / 5)
        return;
    shown = now;
    fprintf(stderr, "\r%" G_GUINT64_FORMAT " runs, %u findings, %" G_GUINT64_FORMAT " not judged, %.1f runs/s \x1b[K",
            findings->runs, findings->list->len, findings->unjudged,
            (double)findings->runs * G_USEC_PER_SEC / (double)MAX(now - begin, 1));
}

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\x1b[K", stderr);
}

/* The scenario as it is; FALSE when it cannot be explored. */
static gboolean run_first(const Setup *setup, FltvmRunner *runner, FltvmPlan *plan, FltvmFindings *findings,
                          GError **error)
{
    g_auto(FltvmDone) done = {0};

    if (!fltvm_runner_run(runner, &setup->start, &done, error))
        return FALSE;
    fltvm_plan_begin(plan, &setup->start, done.json);
    fltvm_findings_add(findings, runner, &done);
    switch (done.outcome->kind) {
    case FLTVM_OUTCOME_SCRIPT:
    case FLTVM_OUTCOME_STATUS:
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: the scenario itself does not run: %s", setup->script,
                    done.outcome->text);
        return FALSE;
    case FLTVM_OUTCOME_HOST:
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: the scenario itself cannot be judged: %s", setup->script,
                    done.outcome->text);
        return FALSE;
    default: return TRUE;
    }
}

/* What the strategy of late calls needs to know; each shard does it for itself. */
static gboolean run_counting(const Setup *setup, FltvmRunner *runner, FltvmPlan *plan, FltvmFindings *findings,
                             GError **error)
{
    g_auto(FltvmDone) done = {0};
    FltvmTask task;

    if (setup->runs < 2 || !fltvm_plan_counts_calls(plan, &task))
        return TRUE;
    if (!fltvm_runner_run(runner, &task, &done, error))
        return FALSE;
    fltvm_plan_add_calls(plan, done.json);
    fltvm_findings_add(findings, runner, &done);
    return TRUE;
}

/* The next of the plan that is this shard's. */
static gboolean next_task(const Setup *setup, FltvmPlan *plan, FltvmTask *task)
{
    while (fltvm_plan_next(plan, task)) {
        if (task->order >= setup->runs) /* the first run counts */
            return FALSE;
        if (task->order % setup->shards == setup->shard - 1)
            return TRUE;
    }
    return FALSE;
}

/* What is known so far is kept in --json's file: a run of the whole that is killed leaves it. */
static void keep(FltvmFindings *findings, gint64 begin)
{
    static gint64 kept;
    gint64 now = g_get_monotonic_time();
    gboolean is_new = opt_json && !g_file_test(opt_json, G_FILE_TEST_EXISTS);

    if (!opt_json || now - kept < KEEP_INTERVAL || (!is_new && !g_file_test(opt_json, G_FILE_TEST_IS_REGULAR)))
        return;
    kept = now;
    findings->seconds = (double)(now - begin) / G_USEC_PER_SEC;
    findings->incomplete = TRUE;
    findings->stopped = g_strdup("it was lost before its end");
    fltvm_findings_write_json(findings, opt_json, NULL); /* what fails now is told at the end */
    findings->incomplete = FALSE;
    g_clear_pointer(&findings->stopped, g_free);
}

static gboolean run_plan(const Setup *setup, FltvmRunner *runner, FltvmPlan *plan, FltvmFindings *findings,
                         FltvmVerify *verify, GError **error)
{
    gint64 begin = g_get_monotonic_time();
    gboolean more = TRUE;

    for (;;) {
        g_auto(FltvmDone) done = {0};
        FltvmTask task;
        while (more && fltvm_runner_has_room(runner) && !fltvm_child_interrupted()) {
            more = next_task(setup, plan, &task);
            if (more && !fltvm_runner_start(runner, &task, error))
                return FALSE;
        }
        if (!fltvm_runner_wait(runner, setup->deadline, &done))
            break;
        fltvm_findings_add(findings, runner, &done);
        if (opt_verify)
            fltvm_verify_note(verify, &done);
        show_progress(findings, begin);
        keep(findings, begin);
    }
    findings->incomplete = fltvm_child_interrupted();
    if (fltvm_child_interrupted())
        findings->stopped = g_strdup("interrupted");
    else if (more)
        findings->stopped = g_strdup("the time is over");
    fltvm_runner_stop(runner);
    return TRUE;
}

/* --- the account ----------------------------------------------------------------------------------------- */

/* Print it, and write what is wanted; what cannot be written is told, and the rest is written all the same. */
static int tell(const FltvmFindings *findings, GError **error)
{
    g_autofree char *text = fltvm_findings_describe(findings);
    int status = fltvm_findings_status(findings);

    fputs(text, stdout);
    fflush(stdout);
    if (opt_json && !fltvm_findings_write_json(findings, opt_json, error))
        status = FLTVM_ERROR_HOST;
    if (opt_junit && !fltvm_findings_write_junit(findings, opt_junit, *error ? NULL : error))
        status = FLTVM_ERROR_HOST;
    if (opt_output && !fltvm_findings_write_output(findings, opt_output, *error ? NULL : error))
        status = FLTVM_ERROR_HOST;
    return status;
}

static int explore(const Setup *setup, FltvmPlan *plan, GError **error)
{
    g_autoptr(FltvmRunner) runner = fltvm_runner_new(setup->script, (char **)setup->options->pdata, setup->jobs, error);
    g_autoptr(FltvmFindings) findings = fltvm_findings_new(setup->script);
    g_autoptr(FltvmVerify) verify = fltvm_verify_new();
    guint verified = 0;
    gint64 begin = g_get_monotonic_time();

    findings->shard = setup->shard;
    findings->shards = setup->shards;
    if (!runner || !run_first(setup, runner, plan, findings, error) ||
        !run_counting(setup, runner, plan, findings, error))
        return FLTVM_ERROR_HOST;
    if (opt_verify)
        fltvm_runner_hash(runner);
    fltvm_runner_serve(runner, fltvm_plan_begins_at_checkpoint(plan));
    /* A run that cannot be started ends it; what was found stays. */
    if (!run_plan(setup, runner, plan, findings, verify, error))
        findings->stopped = g_strdup("no more runs could be started");
    /* From the beginning, as the command that is told does it. */
    fltvm_runner_serve(runner, FALSE);
    if (opt_verify && !fltvm_verify_all(verify, runner, &verified, error))
        return FLTVM_ERROR_HOST;
    if (!fltvm_child_interrupted())
        fltvm_findings_shrink(findings, runner, &setup->start, SHRINK_RUNS);
    clear_progress();
    fltvm_findings_sort(findings);
    findings->seconds = (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    if (opt_verify)
        printf("%u runs from the checkpoint on are the same from their beginning.\n", verified);
    return tell(findings, error);
}

static int merge(char **paths, GError **error)
{
    g_autoptr(FltvmFindings) findings = NULL;

    if (!*paths) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--merge: no file named (try 'fltvm explore --help')");
        return FLTVM_ERROR_USAGE;
    }
    findings = fltvm_findings_merge(paths, error);
    return findings ? tell(findings, error) : FLTVM_ERROR_USAGE;
}

/* Each task explores as this would have, but for its share. */
static int submit(const Setup *setup, GError **error)
{
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
    const struct {
        const char *name, *value;
    } given[] = {{"--runs", opt_runs},       {"--time", opt_time},      {"--strategy", opt_strategy},
                 {"--seed", opt_seed},       {"--cpus", opt_cpus},      {"--memory", opt_memory},
                 {"--machine", opt_machine}, {"--timeout", opt_timeout}};
    FltvmSlurm slurm = {.script = setup->script, .directory = opt_output, .waits = opt_wait};
    guint64 tasks;
    int status;

    if (!parse_number("slurm", opt_slurm, 1, MOST_TASKS, &tasks, error))
        return FLTVM_ERROR_USAGE;
    slurm.tasks = (guint)tasks;
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
        if (given[i].value)
            g_ptr_array_add(options, g_strconcat(given[i].name, "=", given[i].value, NULL));
    }
    g_ptr_array_add(options, g_strdup_printf("--jobs=%d", opt_jobs ? opt_jobs : 1));
    if (opt_verify)
        g_ptr_array_add(options, g_strdup("--verify"));
    g_ptr_array_add(options, NULL);
    slurm.options = (char **)options->pdata;
    status = fltvm_slurm_submit(&slurm, error);
    return status < 0 ? FLTVM_ERROR_HOST : status;
}

/* --- the verb -------------------------------------------------------------------------------------------- */

/* What is written must not be what is read, nor both of it one file. */
static gboolean check_outputs(char **inputs, GError **error)
{
    for (char **input = inputs; *input; input++) {
        if ((opt_json && !fltvm_output_differs("--json", opt_json, *input, error)) ||
            (opt_junit && !fltvm_output_differs("--junit", opt_junit, *input, error)))
            return FALSE;
    }
    if (opt_json && opt_junit && !fltvm_output_differs("--json", opt_json, opt_junit, error))
        return FALSE;
    return !opt_output || fltvm_findings_check_output(opt_output, error);
}

static gboolean check_usage(int argc, char **argv, GError **error)
{
    if (!opt_merge && argc != 2) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    argc < 2 ? "no scenario named (try 'fltvm explore --help')" : "one scenario at a time");
        return FALSE;
    }
    if (opt_slurm && (!opt_output || opt_merge || opt_shard || opt_json || opt_junit)) {
        g_set_error(
            error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
            "--slurm: it wants --output, a folder for all that the jobs write, and no --json, --junit, --shard or "
            "--merge");
        return FALSE;
    }
    if (opt_wait && !opt_slurm) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--wait: it is for --slurm");
        return FALSE;
    }
    return check_outputs(argv + 1, error);
}

int fltvm_verb_explore(int argc, char **argv, GError **error)
{
    g_autofree char *list = fltvm_plan_describe();
    g_autofree char *summary =
        g_strconcat("Runs a scenario for many choices: other schedules, and one thing at a time made to fail. What is\n"
                    "found is told once, with the command that replays it alone.\n\n",
                    list, NULL);
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
    Setup setup = {.options = options};
    g_autoptr(FltvmPlan) plan = NULL;
    int status;

    fltvm_verb_split_jobs(argc, argv);
    status = fltvm_verb_options(&argc, &argv, entries, "SCENARIO.lua", summary, error);
    if (status >= 0)
        return status;
    fltvm_verb_drop_separator(&argc, argv);
    plan = fltvm_plan_new(opt_strategy, error);
    if (!plan || !parse(&setup, error) || !check_usage(argc, argv, error))
        return FLTVM_ERROR_USAGE;
    setup.script = argv[1];
    if (opt_slurm)
        return submit(&setup, error);
    return opt_merge ? merge(argv + 1, error) : explore(&setup, plan, error);
}

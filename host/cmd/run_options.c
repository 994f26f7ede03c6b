/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that several verbs share: see run_options.h. */
#include "run_options.h"

#include <errno.h>
#include <string.h>

#include "error.h"

/* What options->cpus is when the command line does not say. */
#define CPUS_NOT_GIVEN G_MININT

/* Seconds: a year. */
#define MOST_TIMEOUT 31536000

static const char *timeout_help(const FltvmRunOptions *options)
{
    return options->default_timeout > 0 ? "Seconds of real time for one scenario (default 60, 0: no limit)"
                                        : "Seconds of real time for everything (default 0: no limit)";
}

const GOptionEntry *fltvm_run_option_entries(FltvmRunOptions *options)
{
    static GOptionEntry entries[27];
    const GOptionEntry filled[] = {
        {"seed", 0, 0, G_OPTION_ARG_STRING, &options->seed, "Seed of every random choice (default 1)", "N"},
        {"checkpoint-seed", 0, 0, G_OPTION_ARG_STRING, &options->checkpoint_seed,
         "Seed from the script's machine:checkpoint() on", "N"},
        {"cpus", 0, 0, G_OPTION_ARG_INT, &options->cpus, "Processors, 1 to 8 (default 2)", "N"},
        {"memory", 0, 0, G_OPTION_ARG_STRING, &options->memory, "Memory of the guest (default 32M)", "SIZE"},
        {"machine", 0, 0, G_OPTION_ARG_STRING, &options->machine, "microvm (default) or q35", "NAME"},
        {"accel", 0, 0, G_OPTION_ARG_STRING, &options->accel, "tcg (default; repeatable) or kvm (fast)", "NAME"},
        {"fail-allocation", 0, 0, G_OPTION_ARG_STRING, &options->fail_allocation,
         "The Nth allocation that comes of the scenario's drivers fails", "N"},
        {"fail-io", 0, 0, G_OPTION_ARG_STRING, &options->io[FLTVM_IO_FAIL], "The Nth command to a disk (0) fails",
         "[DISK:]N"},
        {"delay-io", 0, 0, G_OPTION_ARG_STRING, &options->io[FLTVM_IO_DELAY], "The Nth command takes 10 ms longer",
         "[DISK:]N"},
        {"tear-io", 0, 0, G_OPTION_ARG_STRING, &options->io[FLTVM_IO_TEAR],
         "The Nth command fails; of a write the first half has reached the disk", "[DISK:]N"},
        {"reorder-io", 0, 0, G_OPTION_ARG_STRING, &options->io[FLTVM_IO_REORDER],
         "The Nth command completes behind one that was begun later", "[DISK:]N"},
        {"lose-io", 0, 0, G_OPTION_ARG_STRING, &options->io[FLTVM_IO_LOSE], "The Nth command is never answered",
         "[DISK:]N"},
        {"delay-call", 0, 0, G_OPTION_ARG_STRING, &options->delay_call,
         "The Nth call of the scenario's drivers comes 1 ms later (0: calls are counted)", "N"},
        {"delay-return", 0, 0, G_OPTION_ARG_STRING, &options->delay_return, "The Nth call returns 1 ms later", "N"},
        {"power-cut", 0, 0, G_OPTION_ARG_STRING, &options->power_cut,
         "The power is cut after the Nth write or flush; KEEP, of what was not flushed: none, all, last or a seed",
         "[DISK:]N[/KEEP]"},
        {"unload", 0, 0, G_OPTION_ARG_STRING, &options->step[FLTVM_STEP_UNLOAD],
         "Before its Nth operation the scenario's drivers begin to be unloaded", "N"},
        {"detach", 0, 0, G_OPTION_ARG_STRING, &options->step[FLTVM_STEP_DETACH], "… their instances to be detached",
         "N"},
        {"dismount", 0, 0, G_OPTION_ARG_STRING, &options->step[FLTVM_STEP_DISMOUNT], "… the volumes to be dismounted",
         "N"},
        {"cancel", 0, 0, G_OPTION_ARG_STRING, &options->step[FLTVM_STEP_CANCEL],
         "… what its files have pending to be canceled", "N"},
        {"kill", 0, 0, G_OPTION_ARG_STRING, &options->step[FLTVM_STEP_KILL], "… the scenario's processes to end", "N"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &options->trace, "Write what happened as Chrome trace JSON", "FILE"},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &options->timeout, timeout_help(options), "SEC"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose,
         "Also show the command line, images, all stacks and the trace's hash", NULL},
        {"keep-going", 'k', 0, G_OPTION_ARG_NONE, &options->keep_going, "A failed check does not end its scenario",
         NULL},
        {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &options->dry_run, "Print the QEMU command line and start nothing",
         NULL},
        {"connect", 0, 0, G_OPTION_ARG_FILENAME, &options->connect,
         "Be the host of a QEMU that was started as --dry-run says", "SOCKET"},
        G_OPTION_ENTRY_NULL};

    G_STATIC_ASSERT(sizeof(filled) == sizeof(entries));
    memcpy(entries, filled, sizeof(filled));
    options->cpus = CPUS_NOT_GIVEN;
    return entries;
}

static gboolean parse_seed(const char *text, guint64 *seed, GError **error)
{
    char *end = NULL;

    errno = 0;
    *seed = g_ascii_strtoull(text, &end, 0);
    if (!errno && end != text && !*end && *text != '-')
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--seed: '%s' is not a number", text);
    return FALSE;
}

/* A number of seconds up to a year, in microseconds. */
static gboolean parse_timeout(const char *text, gint64 *microseconds, GError **error)
{
    char *end = NULL;
    double seconds = g_ascii_strtod(text, &end);

    if (end != text && !*end && seconds >= 0 && seconds <= MOST_TIMEOUT) { /* which NaN is not */
        *microseconds = (gint64)(seconds * G_USEC_PER_SEC);
        if (seconds > 0 && !*microseconds)
            *microseconds = 1;
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--timeout: '%s' is not a number of seconds from 0 to %d", text,
                MOST_TIMEOUT);
    return FALSE;
}

gint64 fltvm_run_options_timeout(const FltvmRunOptions *options)
{
    gint64 microseconds = (gint64)(options->default_timeout * G_USEC_PER_SEC);

    if (options->timeout)
        parse_timeout(options->timeout, &microseconds, NULL);
    return microseconds;
}

FltvmConfig *fltvm_run_options_config(const FltvmRunOptions *options, GError **error)
{
    g_autoptr(FltvmConfig) config = fltvm_config_new();
    guint64 number;

    if (options->seed) {
        if (!parse_seed(options->seed, &number, error))
            return NULL;
        fltvm_config_set_seed(config, number);
        config->fixed |= FLTVM_FIXED_SEED;
    }
    if (options->cpus != CPUS_NOT_GIVEN) {
        if (!fltvm_config_set_cpus(config, options->cpus, error))
            return NULL;
        config->fixed |= FLTVM_FIXED_CPUS;
    }
    if (options->memory) {
        if (!fltvm_parse_size(options->memory, &number, error) || !fltvm_config_set_memory(config, number, error))
            return NULL;
        config->fixed |= FLTVM_FIXED_MEMORY;
    }
    if (options->machine) {
        if (!fltvm_config_set_machine(config, options->machine, error))
            return NULL;
        config->fixed |= FLTVM_FIXED_MACHINE;
    }
    if (options->accel) {
        if (!fltvm_config_set_accel(config, options->accel, error))
            return NULL;
        config->fixed |= FLTVM_FIXED_ACCEL;
    }
    if (options->checkpoint_seed && !fltvm_choice_parse_seed(&config->choice, options->checkpoint_seed, error))
        return NULL;
    if (options->fail_allocation && !fltvm_choice_parse_allocation(&config->choice, options->fail_allocation, error))
        return NULL;
    if ((options->delay_call && !fltvm_choice_parse_call(&config->choice, FALSE, options->delay_call, error)) ||
        (options->delay_return && !fltvm_choice_parse_call(&config->choice, TRUE, options->delay_return, error)))
        return NULL;
    if (options->power_cut && !fltvm_choice_parse_cut(&config->choice, options->power_cut, error))
        return NULL;
    for (guint step = 0; step < FLTVM_STEPS; step++) {
        if (options->step[step] && !fltvm_choice_parse_step(&config->choice, step, options->step[step], error))
            return NULL;
    }
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        if (options->io[act] && !fltvm_choice_parse_io(&config->choice, act, options->io[act], error))
            return NULL;
    }
    if (options->timeout) {
        gint64 microseconds;
        if (!parse_timeout(options->timeout, &microseconds, error))
            return NULL;
    }
    if (config->choice.at_checkpoint) {
        config->later = config->choice;
        config->choice = (FltvmChoice){0};
    }
    return g_steal_pointer(&config);
}

FltvmScenario *fltvm_run_options_scenario(const FltvmRunOptions *options, FltvmAccount *account, FltvmTrace *trace,
                                          GError **error)
{
    FltvmConfig *config = fltvm_run_options_config(options, error);
    FltvmScenario *scenario;

    if (!config)
        return NULL;
    scenario = fltvm_scenario_new(config, account, trace);
    scenario->keep_going = options->keep_going;
    scenario->session.dry_run = options->dry_run;
    scenario->session.connect = options->connect;
    if (fltvm_run_options_timeout(options))
        scenario->session.deadline = g_get_monotonic_time() + fltvm_run_options_timeout(options);
    return scenario;
}

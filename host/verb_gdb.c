/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm gdb: a scenario whose machine waits for gdb before its first instruction.
 *
 * gdb owns the terminal; this process goes on being the other end of the link.  The scenario's account and gdb
 * share the output.  No time-out applies.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "compile.h"
#include "error.h"
#include "paths.h"
#include "run_options.h"
#include "verbs.h"

#define SOCKET_GRACE (10 * G_USEC_PER_SEC)

static FltvmRunOptions options;
static char *opt_gdb;

typedef struct {
    char *socket;
    char **arguments; /* further ones for gdb, NULL-terminated */
    pid_t pid;
} Debugger;

/* gdb finds unstripped images by these folders. */
static void set_symbol_path(void)
{
    g_autofree char *kernel = fltvm_path_symbols("ntoskrnl.exe");
    g_autofree char *folder = g_path_get_dirname(kernel);
    g_autofree char *cache = fltvm_compile_cache_dir();
    g_autofree char *path = g_strjoin(":", folder, cache, NULL);

    g_setenv("FLTVM_SYMBOLS", path, TRUE);
}

/* QEMU has been started: wait for its socket, start gdb. */
static gboolean start_debugger(gpointer data, GError **error)
{
    Debugger *debugger = data;
    g_autofree char *script = fltvm_path_source("host/gdb/fltvm.py");
    g_autofree char *attach = g_strdup_printf("fltvm attach %s", debugger->socket);
    g_autofree char *kernel = fltvm_path_symbols("ntoskrnl.exe");
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    gint64 deadline = g_get_monotonic_time() + SOCKET_GRACE;

    if (debugger->pid)
        return TRUE; /* a second machine runs without gdb */
    while (access(debugger->socket, F_OK) < 0) {
        if (g_get_monotonic_time() > deadline || fltvm_child_interrupted()) {
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "QEMU did not open its gdb socket");
            return FALSE;
        }
        g_usleep(2000);
    }
    set_symbol_path();
    g_ptr_array_add(argv, opt_gdb ? opt_gdb : (gpointer) "gdb");
    g_ptr_array_add(argv, (gpointer) "-q");
    g_ptr_array_add(argv, (gpointer) "-iex");
    g_ptr_array_add(argv, (gpointer) "set confirm off");
    g_ptr_array_add(argv, (gpointer) "-x");
    g_ptr_array_add(argv, script);
    g_ptr_array_add(argv, (gpointer) "-ex");
    g_ptr_array_add(argv, attach);
    for (char **argument = debugger->arguments; *argument; argument++)
        g_ptr_array_add(argv, *argument);
    g_ptr_array_add(argv, kernel);
    g_ptr_array_add(argv, NULL);
    fflush(stdout);
    signal(SIGINT, SIG_IGN); /* it is gdb's */
    debugger->pid = fltvm_child_spawn((const char *const *)argv->pdata, NULL, FLTVM_CHILD_FOREGROUND, error);
    if (debugger->pid < 0)
        debugger->pid = 0;
    return debugger->pid > 0;
}

static gboolean debugger_gone(gpointer data)
{
    Debugger *debugger = data;
    siginfo_t info = {0};

    return debugger->pid > 0 &&
           waitid(P_PID, (id_t)debugger->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

static int leave(gpointer data)
{
    fltvm_account_finish(data);
    return ((FltvmAccount *)data)->status;
}

static int run_under_gdb(const char *script, char **arguments, GError **error)
{
    g_autoptr(FltvmAccount) account = fltvm_account_new(script, stdout, FALSE, options.verbose);
    g_autoptr(FltvmScenario) scenario = NULL;
    g_autofree char *chardev = NULL;
    const char *directory = fltvm_child_temp_dir(error);
    Debugger debugger = {.arguments = arguments};
    int status;

    if (!directory)
        return FLTVM_ERROR_HOST;
    scenario = fltvm_run_options_scenario(&options, account, NULL, error);
    if (!scenario)
        return FLTVM_ERROR_USAGE;
    debugger.socket = g_build_filename(directory, "gdb.sock", NULL);
    chardev = g_strdup_printf("socket,id=gdb,path=%s,server=on,wait=off", debugger.socket);
    g_ptr_array_add(scenario->defaults->extra, g_strdup("-chardev"));
    g_ptr_array_add(scenario->defaults->extra, g_strdup(chardev));
    scenario->defaults->gdb = g_strdup("chardev:gdb");
    scenario->defaults->stopped = TRUE;
    scenario->session.deadline = 0;
    scenario->session.launched = start_debugger;
    scenario->session.launched_data = &debugger;
    fltvm_scenario_guard(scenario, leave, account);
    fltvm_scenario_run(scenario, script);
    /* Whoever leaves gdb ends the machine: that is no failure of the scenario's. */
    if (!debugger_gone(&debugger))
        fltvm_account_finish(account);
    status = debugger.pid > 0 ? fltvm_child_wait(debugger.pid) : 0;
    g_free(debugger.socket);
    if (debugger.pid <= 0)
        return account->status;
    return WIFEXITED(status) ? WEXITSTATUS(status) : FLTVM_ERROR_HOST;
}

int fltvm_verb_gdb(int argc, char **argv, GError **error)
{
    static const GOptionEntry own[] = {
        {"gdb", 0, 0, G_OPTION_ARG_FILENAME, &opt_gdb, "The gdb to start", "PROGRAM"}, G_OPTION_ENTRY_NULL};
    const GOptionEntry *shared = fltvm_run_option_entries(&options);
    g_autoptr(GArray) list = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    int status;

    for (; shared->long_name; shared++)
        g_array_append_val(list, *shared);
    g_array_append_val(list, own[0]);
    status = fltvm_verb_options(&argc, &argv, (const GOptionEntry *)(void *)list->data, "SCENARIO.lua [-- GDB-OPTION...]",
                                "Runs a scenario under gdb, stopped before the kernel's first instruction.\n"
                                "Options behind -- go to gdb, for example: -- -batch -ex 'break KiSystemStartup' "
                                "-ex continue.\nThe exit status is gdb's.",
                                error);
    if (status >= 0)
        return status;
    if (argc < 2) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "no scenario named (try 'fltvm gdb --help')");
        return FLTVM_ERROR_USAGE;
    }
    if (argc > 2 && g_str_equal(argv[2], "--"))
        memmove(&argv[2], &argv[3], sizeof(*argv) * (gsize)(argc - 2));
    if (!fltvm_path_check("scenario", argv[1], error))
        return FLTVM_ERROR_USAGE;
    return run_under_gdb(argv[1], argv + 2, error);
}

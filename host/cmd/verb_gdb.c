/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm gdb: a scenario whose machine waits for gdb before its first instruction.
 *
 * gdb owns the terminal; this process goes on being the other end of the link.  The scenario's account and gdb
 * share the output.  No time-out applies as long as gdb is there; a machine that gdb let go of runs on against the clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "compile.h"
#include "error.h"
#include "paths.h"
#include "run_options.h"
#include "temp.h"
#include "verbs.h"

/* The time-out counts from gdb's end on. */
static FltvmRunOptions options = {.default_timeout = 60};
static char *opt_gdb;

typedef struct {
    FltvmSession *session;
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

/* A socket that gdb finds by its name and QEMU inherits; -1 with an error. */
static int listen_at(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "%s is too long for a socket's name: set TMPDIR to a shorter path", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = fltvm_fd_raise(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* QEMU has been started: start gdb. */
static gboolean start_debugger(gpointer data, GError **error)
{
    Debugger *debugger = data;
    g_autofree char *script = fltvm_path_source("host/gdb/fltvm.py");
    g_autofree char *quoted = g_shell_quote(debugger->socket); /* gdb's words are quoted as a shell's */
    g_autofree char *attach = g_strdup_printf("fltvm attach %s", quoted);
    g_autofree char *kernel = fltvm_path_symbols("ntoskrnl.exe");
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

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
    else
        debugger->session->debugger_fd = (int)syscall(SYS_pidfd_open, debugger->pid, 0);
    return debugger->pid > 0;
}

static gboolean debugger_gone(gpointer data)
{
    Debugger *debugger = data;
    siginfo_t info = {0};

    return debugger->pid > 0 && waitid(P_PID, (id_t)debugger->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

static int leave(gpointer data)
{
    fltvm_account_finish(data);
    return ((FltvmAccount *)data)->status;
}

static int run_under_gdb(const char *script, char **arguments, GError **error)
{
    g_autoptr(FltvmAccount) account = fltvm_account_new(script, stdout, FALSE, options.verbose);
    g_autoptr(FltvmTrace) trace = options.trace ? fltvm_trace_new(TRUE) : NULL;
    g_autoptr(FltvmScenario) scenario = fltvm_run_options_scenario(&options, account, trace, error);
    const char *directory = scenario ? fltvm_temp_dir(error) : NULL;
    g_autofree char *socket_path = directory ? g_build_filename(directory, "gdb.sock", NULL) : NULL;
    Debugger debugger = {.arguments = arguments, .socket = socket_path};
    int status;

    if (!directory || (scenario->session.gdb_fd = listen_at(socket_path, error)) < 0)
        return FLTVM_ERROR_USAGE;
    debugger.session = &scenario->session;
    scenario->session.deadline = 0;
    scenario->session.after_debugger = fltvm_run_options_timeout(&options);
    scenario->session.launched = start_debugger;
    scenario->session.launched_data = &debugger;
    fltvm_scenario_guard(scenario, leave, account);
    fltvm_scenario_run(scenario, script);
    if (trace && !fltvm_trace_write(trace, options.trace, error))
        return FLTVM_ERROR_HOST;
    /* Whoever leaves gdb ends the machine: that is no failure of the scenario's.  One that never ran is. */
    if (!debugger_gone(&debugger) || scenario->session.outlived)
        fltvm_account_finish(account);
    status = debugger.pid > 0 ? fltvm_child_wait(debugger.pid) : 0;
    if (debugger.pid <= 0 || (!status && scenario->session.outlived))
        return account->status;
    return WIFEXITED(status) ? WEXITSTATUS(status) : FLTVM_ERROR_HOST;
}

int fltvm_verb_gdb(int argc, char **argv, GError **error)
{
    static const GOptionEntry own[] = {{"gdb", 0, 0, G_OPTION_ARG_FILENAME, &opt_gdb, "The gdb to start", "PROGRAM"},
                                       G_OPTION_ENTRY_NULL};
    const GOptionEntry *shared = fltvm_run_option_entries(&options);
    g_autoptr(GArray) list = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    int status;

    for (; shared->long_name; shared++)
        g_array_append_val(list, *shared);
    g_array_append_val(list, own[0]);
    status =
        fltvm_verb_options(&argc, &argv, (const GOptionEntry *)(void *)list->data, "SCENARIO.lua [-- GDB-OPTION...]",
                           "Runs a scenario under gdb, stopped before the kernel's first instruction.\n"
                           "Options behind -- go to gdb, for example: -- -batch -ex 'break KiSystemStartup' "
                           "-ex continue.\nThe exit status is gdb's. --timeout counts from gdb's end on.",
                           error);
    if (status >= 0)
        return status;
    if (argc > 1 && g_str_equal(argv[1], "--"))
        fltvm_verb_drop_separator(&argc, argv);
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

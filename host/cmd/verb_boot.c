/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm boot: the machine behind a Lua prompt.  While nobody types, the guest rests (FLTVM_ANSWER_PARK), and what
 * it logs is shown.
 */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef FLTVM_HAVE_READLINE
#include <readline/history.h>
#include <readline/readline.h>
#endif

#include "child.h"
#include "error.h"
#include "lua_show.h"
#include "run_options.h"
#include "verbs.h"

static FltvmRunOptions options;
static char **opt_disks;
static char **opt_drivers;

/* What has been typed: a whole line, waiting to be run; or the end of input. */
static GString *typed;
static gboolean line_ready;
static gboolean input_over;

#ifdef FLTVM_HAVE_READLINE
static void on_line(char *line)
{
    if (!line) {
        input_over = TRUE;
        return;
    }
    if (*line)
        add_history(line);
    g_string_assign(typed, line);
    line_ready = TRUE;
    free(line);
}
#endif

static void prompt(gboolean terminal)
{
#ifdef FLTVM_HAVE_READLINE
    if (terminal)
        rl_callback_handler_install("fltvm> ", on_line);
#else
    if (terminal)
        fputs("fltvm> ", stdout);
    fflush(stdout);
#endif
}

/* Standard input is readable: take what is there. */
static void take_input(gboolean terminal)
{
    char c;

#ifdef FLTVM_HAVE_READLINE
    if (terminal) {
        rl_callback_read_char();
        if (line_ready || input_over)
            rl_callback_handler_remove();
        return;
    }
#endif
    /* One byte at a time: what follows the line stays where park() sees it. */
    if (read(STDIN_FILENO, &c, 1) != 1)
        input_over = TRUE;
    else if (c != '\n')
        g_string_append_c(typed, c);
    if ((input_over && typed->len) || (!input_over && c == '\n'))
        line_ready = TRUE;
}

/* Start the machine with the disks and drivers named; the same words a script would use. */
static gboolean prepare(FltvmScenario *scenario, GError **error)
{
    static const char chunk[] = "local disks, drivers = ...\n"
                                "local vm = fltvm.machine{disks = disks}\n"
                                "vm:start()\n"
                                "for i, path in ipairs(drivers) do\n"
                                "  local field = path:lower():match('%.sys$') and 'image' or 'source'\n"
                                "  vm:load{[field] = path, altitude = tostring(370000 + 10 * i)}\n"
                                "end\n";
    lua_State *lua = scenario->lua;
    char **lists[] = {opt_disks, opt_drivers};

    luaL_loadbuffer(lua, chunk, sizeof(chunk) - 1, "=boot");
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        lua_newtable(lua);
        for (guint j = 0; lists[i] && lists[i][j]; j++) {
            g_autofree char *path = g_canonicalize_filename(lists[i][j], NULL);
            lua_pushstring(lua, path);
            lua_seti(lua, -2, j + 1);
        }
    }
    if (lua_pcall(lua, 2, 0, 0) == LUA_OK)
        return TRUE;
    if (scenario->fatal)
        g_propagate_error(error, g_error_copy(scenario->fatal));
    else
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", fltvm_lua_push_safe_text(lua, -1));
    return FALSE;
}

static FltvmMachine *current_machine(FltvmScenario *scenario)
{
    for (guint i = scenario->machines->len; i-- > 0;) {
        if (fltvm_machine_state(scenario->machines->pdata[i]) == FLTVM_MACHINE_RUNNING)
            return scenario->machines->pdata[i];
    }
    return NULL;
}

/* Read and run lines until the input or the machine ends. */
static gboolean converse(FltvmScenario *scenario, GError **error)
{
    gboolean terminal = isatty(STDIN_FILENO);
    FltvmMachine *machine;

    typed = g_string_new(NULL);
    prompt(terminal);
    while (!input_over && (machine = current_machine(scenario)) && !fltvm_child_interrupted()) {
        if (!fltvm_machine_park(machine, STDIN_FILENO, error))
            return FALSE;
        take_input(terminal);
        if (!line_ready)
            continue;
        line_ready = FALSE;
        fltvm_scenario_line(scenario, typed->str);
        g_string_truncate(typed, 0);
        if (scenario->exits)
            break;
        if (scenario->fatal) {
            g_propagate_error(error, g_error_copy(scenario->fatal));
            return FALSE;
        }
        if (!input_over)
            prompt(terminal);
    }
    return TRUE;
}

static GOptionEntry *all_entries(void)
{
    static const GOptionEntry own[] = {
        {"disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_disks, "A disk image; it is not written (repeatable)",
         "IMAGE"},
        {"driver", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &opt_drivers, "A minifilter, .sys or .c (repeatable)", "FILE"},
        G_OPTION_ENTRY_NULL};
    const GOptionEntry *shared = fltvm_run_option_entries(&options);
    GArray *list = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (const GOptionEntry *entry = own; entry->long_name; entry++)
        g_array_append_val(list, *entry);
    for (; shared->long_name; shared++)
        g_array_append_val(list, *shared);
    return (GOptionEntry *)(void *)g_array_free(list, FALSE);
}

static int leave(gpointer data)
{
    return ((FltvmAccount *)data)->status;
}

int fltvm_verb_boot(int argc, char **argv, GError **error)
{
    g_autofree GOptionEntry *entries = all_entries();
    g_autoptr(FltvmAccount) account = NULL;
    g_autoptr(FltvmTrace) trace = NULL;
    g_autoptr(FltvmScenario) scenario = NULL;
    gboolean done;
    int status =
        fltvm_verb_options(&argc, &argv, entries, NULL,
                           "Boots the machine and gives a Lua prompt; the vocabulary is that of scenarios, and "
                           "'machine' is the machine.\nThe end of input (Ctrl-D) shuts it down.",
                           error);

    if (status >= 0)
        return status;
    if (argc > 1) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "'%s' is not wanted here (try 'fltvm boot --help')",
                    argv[1]);
        return FLTVM_ERROR_USAGE;
    }
    account = fltvm_account_new("boot", stdout, FALSE, options.verbose);
    trace = options.trace ? fltvm_trace_new(TRUE) : NULL;
    scenario = fltvm_run_options_scenario(&options, account, trace, error);
    if (!scenario)
        return FLTVM_ERROR_USAGE;
    scenario->keep_going = TRUE;
    /* A machine that waits for a person must not spin. */
    scenario->defaults->idles = TRUE;
    fltvm_scenario_guard(scenario, leave, account);
    done = prepare(scenario, error) && converse(scenario, error);
    if (!done && options.dry_run && *error && fltvm_error_exit_status(*error) == FLTVM_EXIT_OK) {
        g_clear_error(error);
        return FLTVM_EXIT_OK;
    }
    if (done)
        fltvm_scenario_end_machines(scenario);
    if (trace && !fltvm_trace_write(trace, options.trace, done ? error : NULL))
        return FLTVM_ERROR_HOST;
    return done ? account->status : fltvm_error_exit_status(*error);
}

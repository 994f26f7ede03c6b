/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scenario: see scenario.h. */
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "lua_ending.h"
#include "lua_power.h"
#include "lua_show.h"
#include "lua_step.h"
#include "lua_unwind.h"
#include "lua_words.h"
#include "vocabulary.h"

/* Instructions of Lua between two looks at the clock. */
#define HOOK_INTERVAL 10000

#define MOST_SCRIPT   (16u << 20)
#define POLL_INTERVAL 100 /* milliseconds */

/* --- the clock ------------------------------------------------------------------------------------------- */

static gboolean is_over(const FltvmScenario *scenario)
{
    return fltvm_child_interrupted() ||
           (scenario->session.deadline && g_get_monotonic_time() > scenario->session.deadline);
}

/* A script that computes for ever is stopped by the same clock as the guest. */
static void look_at_clock(lua_State *lua, lua_Debug *debug)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    (void)debug;
    if (scenario->exits)
        fltvm_lua_give_up(lua);
    if (!is_over(scenario))
        return;
    /* From now on at each step: pcall() does not help. */
    lua_sethook(lua, look_at_clock, LUA_MASKCOUNT, 1);
    if (scenario->fatal && fltvm_error_exit_status(scenario->fatal) == FLTVM_ERROR_HOST)
        fltvm_lua_raise(lua, g_error_copy(scenario->fatal)); /* it was told already */
    fltvm_lua_raise(lua, g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST,
                                     fltvm_child_interrupted() ? "interrupted" : "time-out: the script does not end"));
}

/* In a signal handler, on the thread that runs the script: lua_sethook() is made for this. */
static void hurry(gpointer data)
{
    FltvmScenario *scenario = data;

    if (scenario->interruptible)
        lua_sethook(scenario->interruptible, look_at_clock, LUA_MASKCOUNT, 1);
}

/* The innermost line of the script that is under way. */
static char *stuck_at(lua_State *lua)
{
    lua_Debug frame;

    for (int level = 0; lua && level < 100 && lua_getstack(lua, level, &frame); level++) {
        if (lua_getinfo(lua, "Sl", &frame) && frame.currentline > 0)
            return g_strdup_printf(" (%s:%d)", frame.short_src, frame.currentline);
    }
    return g_strdup("");
}

/* The script is inside a call that does not return: it is told where, and the process ends. */
static int end_by_force(gpointer data, const char *why)
{
    FltvmScenario *scenario = data;
    FltvmAccount *account = scenario->session.account;
    g_autofree char *place = stuck_at(scenario->interruptible);
    g_autoptr(GError) error = g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: the script does not end%s", why, place);

    if (ftrylockfile(account->out) != 0)
        return FLTVM_ERROR_HOST; /* it hangs in writing what nobody reads */
    fltvm_account_error(account, error);
    return scenario->leave(scenario->leave_data);
}

void fltvm_scenario_cut_short(FltvmScenario *scenario, lua_State *lua)
{
    scenario->exits = TRUE;
    /* At each step, also where pcall() returns to. */
    lua_sethook(lua, look_at_clock, LUA_MASKCOUNT, 1);
    lua_sethook(scenario->lua, look_at_clock, LUA_MASKCOUNT, 1);
}

void fltvm_scenario_exit(FltvmScenario *scenario, lua_State *lua)
{
    fltvm_scenario_cut_short(scenario, lua);
    fltvm_lua_give_up(lua);
}

void fltvm_scenario_guard(FltvmScenario *scenario, int (*leave)(gpointer data), gpointer data)
{
    scenario->leave = leave;
    scenario->leave_data = data;
    scenario->watchdog = (FltvmWatchdog){scenario->session.deadline, hurry, end_by_force, scenario};
    fltvm_child_set_deadline(scenario->session.deadline);
    fltvm_watchdog_start(&scenario->watchdog);
}

void fltvm_scenario_unguard(FltvmScenario *scenario)
{
    fltvm_watchdog_stop();
    fltvm_child_set_deadline(0);
    scenario->session.deadline = 0;
    scenario->leave = NULL;
}

void fltvm_hang_clear(FltvmHang *hang)
{
    g_clear_pointer(&hang->operation, g_free);
    g_clear_pointer(&hang->stacks, g_free);
    hang->machine = NULL;
}

/* --- making and ending ----------------------------------------------------------------------------------- */

FltvmScenario *fltvm_scenario_new(FltvmConfig *defaults, FltvmAccount *account, FltvmTrace *trace)
{
    FltvmScenario *scenario = g_new0(FltvmScenario, 1);
    lua_State *lua = luaL_newstate();

    scenario->defaults = defaults;
    scenario->session.account = account;
    scenario->session.trace = trace;
    scenario->machines = g_ptr_array_new_with_free_func((GDestroyNotify)fltvm_machine_free);
    scenario->bugcheck_reference = LUA_NOREF;
    scenario->inputs = fltvm_inputs_new();
    scenario->steps = fltvm_steps_new();
    scenario->lua = lua;
    *(FltvmScenario **)lua_getextraspace(lua) = scenario;
    scenario->interruptible = lua;
    fltvm_vocabulary_open(lua);
    lua_sethook(lua, look_at_clock, LUA_MASKCOUNT, HOOK_INTERVAL);
    return scenario;
}

void fltvm_scenario_free(FltvmScenario *scenario)
{
    if (!scenario)
        return;
    scenario->interruptible = NULL;
    lua_close(scenario->lua); /* may run finalizers of the script's */
    if (scenario->leave)
        fltvm_watchdog_stop();
    fltvm_child_set_deadline(0);
    g_ptr_array_unref(scenario->machines);
    fltvm_config_free(scenario->defaults);
    g_clear_pointer(&scenario->own_trace, fltvm_trace_free);
    g_clear_error(&scenario->fatal);
    fltvm_hang_clear(&scenario->hang);
    g_free(scenario->ended_by);
    g_free(scenario->directory);
    fltvm_inputs_free(scenario->inputs);
    fltvm_steps_free(scenario->steps);
    g_free(scenario);
}

/* --- running --------------------------------------------------------------------------------------------- */

/* The message handler: keep the error, and where it came from for plain Lua errors. */
static int on_error(lua_State *lua)
{
    if (lua_isstring(lua, 1) && fltvm_lua_scenario(lua)->session.account->verbose)
        luaL_traceback(lua, lua, lua_tostring(lua, 1), 1);
    return 1;
}

/* The script ended with an error value on the stack: tell it. */
static void tell_error(FltvmScenario *scenario, const char *message)
{
    FltvmAccount *account = scenario->session.account;
    g_autoptr(GError) error = NULL;

    if (scenario->fatal && fltvm_error_exit_status(scenario->fatal) == FLTVM_EXIT_OK)
        return; /* --dry-run */
    if (scenario->fatal && scenario->expects_bugcheck &&
        fltvm_error_exit_status(scenario->fatal) == FLTVM_ERROR_BUGCHECK)
        return; /* fltvm_lua_settle_bugcheck() judges it */
    if (scenario->fatal)
        error = g_error_copy(scenario->fatal);
    else
        error = g_error_new_literal(FLTVM_ERROR, FLTVM_ERROR_USAGE, message);
    if (!scenario->ended_by)
        scenario->ended_by = g_strdup(error->message);
    fltvm_account_error(account, error);
}

void fltvm_scenario_end_machines(FltvmScenario *scenario)
{
    for (guint i = 0; i < scenario->machines->len; i++) {
        g_autoptr(GError) error = NULL;
        if (!fltvm_machine_finish(scenario->machines->pdata[i], &error)) {
            g_clear_error(&scenario->fatal);
            scenario->fatal = g_error_copy(error);
            tell_error(scenario, error->message);
        }
    }
}

/*
 * What was made to fail failed, and the script, which was not written for that, ends with the status.  That is an answer
 * and no error; but what it would have closed and unloaded is closed and unloaded, so that leaks are found.
 */
static void end_answered(FltvmScenario *scenario)
{
    scenario->ended = FLTVM_OUTCOME_ANSWERED;
    scenario->ended_by = g_strdup(fltvm_lua_push_safe_text(scenario->lua, -1));
    fltvm_account_note(scenario->session.account, "something was made to fail, and the script ends with it: %s",
                       scenario->ended_by);
    lua_pop(scenario->lua, 1);
    fltvm_lua_unwind(scenario);
    if (scenario->fatal) {
        g_clear_pointer(&scenario->ended_by, g_free);
        tell_error(scenario, NULL);
    }
}

static void end_script(FltvmScenario *scenario, int outcome)
{
    lua_State *lua = scenario->lua;
    gboolean lost = scenario->fatal != NULL;

    /* What follows is ours, and short. */
    scenario->interruptible = NULL;
    lua_sethook(lua, NULL, 0, 0);
    if (outcome != LUA_OK && !lost && !scenario->power_cut && fltvm_choice_injects(&scenario->defaults->choice) &&
        (fltvm_lua_is_status(lua, -1) || fltvm_steps_acted(scenario->steps))) {
        end_answered(scenario);
    } else if (outcome != LUA_OK) {
        if (!lost)
            scenario->ended = fltvm_lua_is_status(lua, -1) ? FLTVM_OUTCOME_STATUS : FLTVM_OUTCOME_SCRIPT;
        if (!fltvm_lua_gave_up(lua, -1) || lost)
            tell_error(scenario, fltvm_lua_push_safe_text(lua, -1));
    } else if (lost) {
        /* The script caught the error of a lost machine and went on. */
        tell_error(scenario, NULL);
    }
    if (outcome == LUA_OK && !scenario->fatal && scenario->defaults->later.at_checkpoint && !scenario->checkpointed)
        tell_error(scenario, "the script has not come to machine:checkpoint(), from which --checkpoint-seed and "
                             "numbers with a '+' count");
    if (!scenario->fatal) {
        fltvm_steps_settle(scenario);
        if (scenario->fatal)
            tell_error(scenario, NULL);
    }
    fltvm_scenario_end_machines(scenario);
    fltvm_account_settle(scenario->session.account);
    fltvm_lua_settle_bugcheck(scenario);
    lua_settop(lua, 0);
}

static gboolean refuse_script(GError **error, const char *script, const char *reason)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "scenario: %s: %s", script, reason);
    return FALSE;
}

/* The script's text: a file, or a pipe that somebody writes in time; never without end. */
static gboolean read_script(FltvmScenario *scenario, const char *script, GString *text, GError **error)
{
    char buffer[65536];
    ssize_t count = 1;
    int fd = open(script, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    while (fd >= 0 && count > 0 && text->len <= MOST_SCRIPT && !is_over(scenario)) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, POLL_INTERVAL) <= 0)
            continue;
        count = read(fd, buffer, sizeof(buffer));
        if (count > 0)
            g_string_append_len(text, buffer, count);
        else if (count < 0 && errno == EINTR)
            count = 1;
    }
    if (fd < 0 || count < 0)
        refuse_script(error, script, g_strerror(errno));
    else if (text->len > MOST_SCRIPT)
        refuse_script(error, script, "more than 16 MiB");
    if (fd >= 0)
        close(fd);
    if (is_over(scenario)) {
        g_clear_error(error);
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s: the scenario cannot be read",
                    fltvm_child_interrupted() ? "interrupted" : "time-out", script);
    }
    return !*error;
}

/* Windows editors put a byte order mark first, and scripts that are to be run by their name begin with "#!". */
static void blank_first_line(GString *text)
{
    if (g_str_has_prefix(text->str, "\xef\xbb\xbf"))
        g_string_erase(text, 0, 3);
    if (g_str_has_prefix(text->str, "#"))
        g_string_erase(text, 0, (gssize)strcspn(text->str, "\n"));
}

void fltvm_scenario_run(FltvmScenario *scenario, const char *script)
{
    lua_State *lua = scenario->lua;
    g_autofree char *name = g_strconcat("@", script, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    int outcome;

    g_free(scenario->directory);
    scenario->directory = g_path_get_dirname(script);
    fltvm_inputs_add(scenario->inputs, script);
    if (!read_script(scenario, script, text, &error)) {
        scenario->ended = FLTVM_OUTCOME_SCRIPT;
        scenario->ended_by = g_strdup(error->message);
        fltvm_account_error(scenario->session.account, error);
        return;
    }
    blank_first_line(text);
    lua_pushcfunction(lua, on_error);
    outcome = luaL_loadbufferx(lua, text->str, text->len, name, "t");
    if (outcome == LUA_OK)
        outcome = lua_pcall(lua, 0, 0, 1);
    if (fltvm_lua_power_is_cut(scenario)) {
        lua_sethook(lua, look_at_clock, LUA_MASKCOUNT, HOOK_INTERVAL);
        outcome = fltvm_lua_after_power_cut(scenario, 1);
    }
    end_script(scenario, outcome);
}

void fltvm_scenario_line(FltvmScenario *scenario, const char *line)
{
    lua_State *lua = scenario->lua;
    g_autofree char *expression = g_strconcat("return ", line, NULL);
    int base = lua_gettop(lua);
    int outcome = luaL_loadbuffer(lua, expression, strlen(expression), "=prompt");

    if (outcome != LUA_OK) {
        lua_settop(lua, base);
        outcome = luaL_loadbuffer(lua, line, strlen(line), "=prompt");
    }
    if (outcome == LUA_OK)
        outcome = lua_pcall(lua, 0, LUA_MULTRET, 0);
    if (scenario->exits)
        lua_sethook(lua, NULL, 0, 0);
    else if (outcome != LUA_OK)
        fltvm_account_note(scenario->session.account, "%s", fltvm_lua_push_safe_text(lua, -1));
    else
        for (int i = base + 1; i <= lua_gettop(lua); i++) {
            fltvm_account_note(scenario->session.account, "%s", fltvm_lua_push_safe_text(lua, i));
            lua_pop(lua, 1);
        }
    lua_settop(lua, base);
}

/* The bugcheck that nothing expected: the last. */
static const FltvmBugcheck *last_bugcheck(const FltvmScenario *scenario)
{
    const FltvmBugcheck *bugcheck = NULL;

    for (guint i = 0; i < scenario->machines->len; i++) {
        FltvmBugcheck *its = fltvm_machine_bugcheck(scenario->machines->pdata[i]);
        bugcheck = its ? its : bugcheck;
    }
    return bugcheck;
}

FltvmOutcome *fltvm_scenario_outcome(const FltvmScenario *scenario)
{
    const FltvmAccount *account = scenario->session.account;
    const char *why = scenario->ended_by ? scenario->ended_by : "";

    switch (account->status) {
    case FLTVM_EXIT_OK:
        return fltvm_outcome_new(scenario->ended == FLTVM_OUTCOME_ANSWERED ? scenario->ended : FLTVM_OUTCOME_PASSED,
                                 account->status, why);
    case FLTVM_ERROR_CHECK: return fltvm_outcome_new_check(account);
    case FLTVM_ERROR_BUGCHECK:
        if (last_bugcheck(scenario))
            return fltvm_outcome_new_bugcheck(last_bugcheck(scenario));
        return fltvm_outcome_new(FLTVM_OUTCOME_HOST, account->status, why);
    case FLTVM_ERROR_USAGE:
        return fltvm_outcome_new(scenario->ended == FLTVM_OUTCOME_STATUS ? scenario->ended : FLTVM_OUTCOME_SCRIPT,
                                 account->status, why);
    default:
        return fltvm_outcome_new(scenario->hang.machine && strstr(why, scenario->hang.operation) ? FLTVM_OUTCOME_HANG
                                                                                                 : FLTVM_OUTCOME_HOST,
                                 account->status, why);
    }
}

char *fltvm_scenario_offers(const FltvmScenario *scenario)
{
    g_autoptr(GString) json = g_string_new("[");

    for (guint i = 0; i < scenario->machines->len; i++) {
        FltvmMachine *machine = scenario->machines->pdata[i];
        const FltvmConfig *config = fltvm_machine_config(machine);
        const char *separator = "";
        g_string_append(json, i ? ", {\"steps\": " : "{\"steps\": ");
        fltvm_steps_append_offers(scenario->steps, machine, json);
        g_string_append(json, ", \"caches\": [");
        for (guint disk = 0; disk < config->disks->len; disk++) {
            const FltvmDisk *each = config->disks->pdata[disk];
            if (g_strcmp0(g_hash_table_lookup(each->device, "volatile-cache"), "on") != 0)
                continue;
            g_string_append_printf(json, "%s%u", separator, disk);
            separator = ", ";
        }
        g_string_append(json, "]}");
    }
    g_string_append(json, "]");
    return g_string_free(g_steal_pointer(&json), FALSE);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scenario: see scenario.h. */
#include "scenario.h"

#include <lauxlib.h>
#include <string.h>

#include "child.h"
#include "error.h"
#include "lua_expect.h"
#include "lua_show.h"
#include "lua_words.h"
#include "vocabulary.h"

/* Instructions of Lua between two looks at the clock. */
#define HOOK_INTERVAL 10000

/* A script that computes for ever is stopped by the same clock as the guest. */
static void look_at_clock(lua_State *lua, lua_Debug *debug)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    (void)debug;
    if (fltvm_child_interrupted())
        fltvm_lua_raise(lua, g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST, "interrupted"));
    if (scenario->session.deadline && g_get_monotonic_time() > scenario->session.deadline)
        fltvm_lua_raise(lua, g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST, "time-out: the script does not end"));
}

FltvmScenario *fltvm_scenario_new(FltvmConfig *defaults, FltvmAccount *account, FltvmTrace *trace)
{
    FltvmScenario *scenario = g_new0(FltvmScenario, 1);
    lua_State *lua = luaL_newstate();

    scenario->defaults = defaults;
    scenario->session.account = account;
    scenario->session.trace = trace;
    scenario->machines = g_ptr_array_new_with_free_func((GDestroyNotify)fltvm_machine_free);
    scenario->bugcheck_reference = LUA_NOREF;
    scenario->lua = lua;
    *(FltvmScenario **)lua_getextraspace(lua) = scenario;
    fltvm_vocabulary_open(lua);
    lua_sethook(lua, look_at_clock, LUA_MASKCOUNT, HOOK_INTERVAL);
    return scenario;
}

void fltvm_scenario_free(FltvmScenario *scenario)
{
    if (!scenario)
        return;
    lua_close(scenario->lua);
    g_ptr_array_unref(scenario->machines);
    fltvm_config_free(scenario->defaults);
    g_clear_pointer(&scenario->own_trace, fltvm_trace_free);
    g_clear_error(&scenario->fatal);
    g_free(scenario->directory);
    g_free(scenario);
}

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

static void end_script(FltvmScenario *scenario, int outcome)
{
    lua_State *lua = scenario->lua;
    gboolean lost = scenario->fatal != NULL;

    if (outcome != LUA_OK) {
        if (!fltvm_lua_gave_up(lua, -1) || lost)
            tell_error(scenario, fltvm_lua_push_safe_text(lua, -1));
    } else if (lost) {
        /* The script caught the error of a lost machine and went on. */
        tell_error(scenario, NULL);
    }
    fltvm_scenario_end_machines(scenario);
    fltvm_account_settle(scenario->session.account);
    fltvm_lua_settle_bugcheck(scenario);
    lua_settop(lua, 0);
}

void fltvm_scenario_run(FltvmScenario *scenario, const char *script)
{
    lua_State *lua = scenario->lua;
    g_autofree char *name = g_strconcat("@", script, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length;
    int outcome;

    g_free(scenario->directory);
    scenario->directory = g_path_get_dirname(script);
    if (!g_file_get_contents(script, &text, &length, &error)) {
        g_autoptr(GError) told = g_error_new(FLTVM_ERROR, FLTVM_ERROR_USAGE, "scenario: %s", error->message);
        fltvm_account_error(scenario->session.account, told);
        return;
    }
    lua_pushcfunction(lua, on_error);
    outcome = luaL_loadbufferx(lua, text, length, name, "t");
    if (outcome == LUA_OK)
        outcome = lua_pcall(lua, 0, 0, 1);
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
    if (outcome != LUA_OK)
        fltvm_account_note(scenario->session.account, "%s", fltvm_lua_push_safe_text(lua, -1));
    else
        for (int i = base + 1; i <= lua_gettop(lua); i++) {
            fltvm_account_note(scenario->session.account, "%s", fltvm_lua_push_safe_text(lua, i));
            lua_pop(lua, 1);
        }
    lua_settop(lua, base);
}

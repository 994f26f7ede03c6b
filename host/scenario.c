/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scenario: see scenario.h. */
#include "scenario.h"

#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <string.h>

#include "child.h"
#include "error.h"
#include "lua_expect.h"
#include "names.h"

#define ERROR_TYPE  "fltvm.error"
#define STATUS_TYPE "fltvm.status"

/* Instructions of Lua between two looks at the clock. */
#define HOOK_INTERVAL 10000

FltvmScenario *fltvm_lua_scenario(lua_State *lua)
{
    return *(FltvmScenario **)lua_getextraspace(lua);
}

/* --- errors -------------------------------------------------------------------------------------------- */

int fltvm_lua_raise(lua_State *lua, GError *error)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    int status = fltvm_error_exit_status(error);

    if (status == FLTVM_ERROR_BUGCHECK || status == FLTVM_ERROR_HOST || status == FLTVM_EXIT_OK) {
        g_clear_error(&scenario->fatal);
        scenario->fatal = g_error_copy(error);
    }
    luaL_where(lua, 1);
    lua_pushstring(lua, error->message);
    g_error_free(error);
    lua_concat(lua, 2);
    lua_error(lua);
    g_assert_not_reached();
}

static int status_to_string(lua_State *lua)
{
    lua_getfield(lua, 1, "message");
    return 1;
}

int fltvm_lua_raise_status(lua_State *lua, guint32 status, const char *what)
{
    g_autofree char *name = fltvm_status_text(status);

    lua_newtable(lua);
    lua_pushinteger(lua, status);
    lua_setfield(lua, -2, "status");
    lua_pushstring(lua, name);
    lua_setfield(lua, -2, "name");
    lua_pushstring(lua, what);
    lua_setfield(lua, -2, "operation");
    luaL_where(lua, 1);
    lua_pushfstring(lua, "%s%s: %s", lua_tostring(lua, -1), what, name);
    lua_setfield(lua, -3, "message");
    lua_pop(lua, 1);
    luaL_setmetatable(lua, STATUS_TYPE);
    g_clear_pointer(&name, g_free);
    lua_error(lua);
    g_assert_not_reached();
}

void fltvm_lua_check(lua_State *lua, gboolean holds, const char *name, const char *detail)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    if (holds) {
        fltvm_account_check(scenario->session.account, FLTVM_CHECK_PASS, name, NULL);
        return;
    }
    luaL_where(lua, 1);
    lua_pushfstring(lua, "%s%s", lua_tostring(lua, -1), detail ? detail : "the condition is false");
    fltvm_account_check(scenario->session.account, FLTVM_CHECK_FAIL, name, lua_tostring(lua, -1));
    if (!scenario->keep_going) {
        lua_newtable(lua);
        luaL_setmetatable(lua, ERROR_TYPE);
        lua_error(lua);
    }
    lua_pop(lua, 2);
}

/* --- arguments ----------------------------------------------------------------------------------------- */

char *fltvm_lua_path(lua_State *lua, const char *path)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    if (g_path_is_absolute(path) || !scenario->directory)
        return g_strdup(path);
    return g_build_filename(scenario->directory, path, NULL);
}

gboolean fltvm_lua_field(lua_State *lua, int index, const char *name, int type)
{
    int found;

    if (index == 0 || lua_isnoneornil(lua, index)) /* 0: the caller takes no options */
        return FALSE;
    luaL_checktype(lua, index, LUA_TTABLE);
    found = lua_getfield(lua, index, name);
    if (found == LUA_TNIL) {
        lua_pop(lua, 1);
        return FALSE;
    }
    if (found != type)
        luaL_error(lua, "%s is a %s, not a %s", name, lua_typename(lua, found), lua_typename(lua, type));
    return TRUE;
}

gint64 fltvm_lua_integer_field(lua_State *lua, int index, const char *name, gint64 fallback)
{
    int exact;
    lua_Integer value;

    if (!fltvm_lua_field(lua, index, name, LUA_TNUMBER))
        return fallback;
    value = lua_tointegerx(lua, -1, &exact);
    if (!exact)
        luaL_error(lua, "%s is not a whole number", name);
    lua_pop(lua, 1);
    return value;
}

lua_Number fltvm_lua_number_field(lua_State *lua, int index, const char *name, lua_Number fallback)
{
    lua_Number value;

    if (!fltvm_lua_field(lua, index, name, LUA_TNUMBER))
        return fallback;
    value = lua_tonumber(lua, -1);
    lua_pop(lua, 1);
    return value;
}

gboolean fltvm_lua_boolean_field(lua_State *lua, int index, const char *name, gboolean fallback)
{
    gboolean value;

    if (!fltvm_lua_field(lua, index, name, LUA_TBOOLEAN))
        return fallback;
    value = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return value;
}

const char *fltvm_lua_string_field(lua_State *lua, int index, const char *name, const char *fallback)
{
    const char *value;

    if (!fltvm_lua_field(lua, index, name, LUA_TSTRING))
        return fallback;
    value = lua_tostring(lua, -1);
    lua_pop(lua, 1);
    return value;
}

guint64 fltvm_lua_nanoseconds(lua_State *lua, lua_Number milliseconds, const char *what)
{
    if (!(milliseconds >= 0) || milliseconds > 1e12)
        luaL_error(lua, "%s: %f is not a time in milliseconds", what, milliseconds);
    return (guint64)llround(milliseconds * 1e6);
}

guint64 fltvm_lua_size(lua_State *lua, int index, const char *what)
{
    GError *error = NULL;
    guint64 bytes = 0;

    if (lua_type(lua, index) == LUA_TNUMBER) {
        lua_Integer value = luaL_checkinteger(lua, index);
        if (value < 0)
            luaL_error(lua, "%s is negative", what);
        return (guint64)value;
    }
    if (lua_type(lua, index) != LUA_TSTRING)
        luaL_error(lua, "%s is neither a number of bytes nor a text such as \"4M\"", what);
    if (!fltvm_parse_size(lua_tostring(lua, index), &bytes, &error))
        fltvm_lua_raise(lua, error);
    return bytes;
}

/* --- running ------------------------------------------------------------------------------------------- */

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
    luaL_openlibs(lua);
    luaL_newmetatable(lua, ERROR_TYPE);
    luaL_newmetatable(lua, STATUS_TYPE);
    lua_pushcfunction(lua, status_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pop(lua, 2);
    lua_newtable(lua);
    lua_setglobal(lua, "fltvm");
    fltvm_lua_open_machine(lua);
    fltvm_lua_open_driver(lua);
    fltvm_lua_open_file(lua);
    fltvm_lua_open_devices(lua);
    fltvm_lua_open_expect(lua);
    fltvm_lua_open_fltctl(lua);
    fltvm_lua_open_trace(lua);
    fltvm_lua_open_host(lua);
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
        gboolean is_check = FALSE;
        if (lua_istable(lua, -1) && lua_getmetatable(lua, -1)) {
            luaL_getmetatable(lua, ERROR_TYPE);
            is_check = lua_rawequal(lua, -1, -2);
            lua_pop(lua, 2);
        }
        if (!is_check || lost)
            tell_error(scenario, luaL_tolstring(lua, -1, NULL));
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
        fltvm_account_note(scenario->session.account, "%s", luaL_tolstring(lua, -1, NULL));
    else
        for (int i = base + 1; i <= lua_gettop(lua); i++) {
            fltvm_account_note(scenario->session.account, "%s", luaL_tolstring(lua, i, NULL));
            lua_pop(lua, 1);
        }
    lua_settop(lua, base);
}

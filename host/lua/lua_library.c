/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lua's own library, made the same in every run: what would show the process's addresses, its clock or its luck is
 * decided by the seed and the guest's time, or refused with what to use instead.  docs/manual/determinism.md lists it.
 *
 * The order of keys and of equal elements is lua_order.c's, texts without addresses are lua_show.c's.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "lua_show.h"
#include "lua_words.h"
#include "temp.h"
#include "vocabulary.h"

/* When a scenario begins: what the machine's clock says when it starts, 2020-01-01 00:00 UTC. */
#define BEGINNING 1577836800

/* In the registry: math.randomseed, whatever the script makes of its own. */
#define RANDOMSEED "fltvm.randomseed"

/* The latest time of any machine, in ns. */
static guint64 guest_time(lua_State *lua)
{
    GPtrArray *machines = fltvm_lua_scenario(lua)->machines;
    guint64 latest = 0;

    for (guint i = 0; i < machines->len; i++)
        latest = MAX(latest, fltvm_machine_time(machines->pdata[i]));
    return latest;
}

/* Call upvalue 1, the function that this one stands in for, with what is on the stack. */
static int call_original(lua_State *lua)
{
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
    return lua_gettop(lua);
}

/* --- the basic functions ------------------------------------------------------------------------------- */

static int library_tostring(lua_State *lua)
{
    luaL_checkany(lua, 1);
    fltvm_lua_push_text(lua, 1);
    return 1;
}

static int library_setmetatable(lua_State *lua)
{
    static const char *const refused[] = {"__gc", "__mode"};

    for (gsize i = 0; lua_istable(lua, 2) && i < G_N_ELEMENTS(refused); i++) {
        lua_pushstring(lua, refused[i]);
        if (lua_rawget(lua, 2) != LUA_TNIL)
            return luaL_error(lua,
                              "%s: when memory is collected is not the same in each run (use <close>, or let go of "
                              "what is not wanted)",
                              refused[i]);
        lua_pop(lua, 1);
    }
    return call_original(lua);
}

static int library_collectgarbage(lua_State *lua)
{
    const char *what = luaL_optstring(lua, 1, "collect");

    if (strcmp(what, "count") == 0)
        return luaL_error(lua, "collectgarbage: how much memory the script holds is not the same in each run");
    call_original(lua);
    if (strcmp(what, "step") == 0) {
        lua_settop(lua, 0);
        lua_pushboolean(lua, TRUE);
    }
    return lua_gettop(lua);
}

/* --- math, string, debug ------------------------------------------------------------------------------- */

static guint64 begins_with(const FltvmScenario *scenario)
{
    const FltvmConfig *defaults = scenario->defaults;

    return scenario->checkpointed && defaults->later.has_seed ? defaults->later.seed : defaults->seed;
}

static int library_randomseed(lua_State *lua)
{
    if (lua_gettop(lua) == 0) {
        lua_pushinteger(lua, (lua_Integer)begins_with(fltvm_lua_scenario(lua)));
        lua_pushinteger(lua, 0);
    }
    return call_original(lua);
}

/* string.format: an argument that %s would show as an address is given as its text. */
static int library_format(lua_State *lua)
{
    const char *format = luaL_checkstring(lua, 1);
    int argument = 1;

    while ((format = strchr(format, '%'))) {
        format += 1 + strspn(format + 1, "-+ #0123456789.");
        if (*format == '%') {
            format++;
            continue;
        }
        argument++;
        if (*format == 'p')
            return luaL_error(lua, "string.format: %%p is an address, which is not the same in each run");
        if (*format == 's' && argument <= lua_gettop(lua) && !lua_isstring(lua, argument)) {
            fltvm_lua_push_text(lua, argument);
            lua_replace(lua, argument);
        }
    }
    return call_original(lua);
}

static int library_sethook(lua_State *lua)
{
    return luaL_error(lua, "debug.sethook is not there: by its hook the scenario is stopped when its time is over");
}

/* --- os ------------------------------------------------------------------------------------------------ */

static int library_time(lua_State *lua)
{
    if (!lua_isnoneornil(lua, 1))
        return call_original(lua);
    lua_pushinteger(lua, BEGINNING + (lua_Integer)(guest_time(lua) / 1000000000));
    return 1;
}

static int library_clock(lua_State *lua)
{
    lua_pushnumber(lua, (lua_Number)guest_time(lua) / 1e9);
    return 1;
}

static int library_date(lua_State *lua)
{
    lua_settop(lua, 2);
    if (lua_isnil(lua, 1)) {
        lua_pushliteral(lua, "%c");
        lua_replace(lua, 1);
    }
    if (lua_isnil(lua, 2)) {
        lua_pushinteger(lua, BEGINNING + (lua_Integer)(guest_time(lua) / 1000000000));
        lua_replace(lua, 2);
    }
    return call_original(lua);
}

/* The upvalue becomes the number of the last name. */
static int library_tmpname(lua_State *lua)
{
    GError *error = NULL;
    const char *directory = fltvm_temp_dir(&error);
    lua_Integer number = lua_tointeger(lua, lua_upvalueindex(1)) + 1;

    if (!directory)
        fltvm_lua_raise(lua, error);
    lua_pushinteger(lua, number);
    lua_replace(lua, lua_upvalueindex(1));
    lua_pushfstring(lua, "%s/tmpname-%I", directory, number);
    return 1;
}

static int library_setlocale(lua_State *lua)
{
    const char *wanted = luaL_optstring(lua, 1, NULL);

    if (!wanted || strcmp(wanted, "C") == 0 || strcmp(wanted, "POSIX") == 0)
        lua_pushliteral(lua, "C");
    else
        lua_pushnil(lua);
    return 1;
}

/* os.exit([true | false | status]): the end of the script, not of the command; failed checks stay failed. */
static int library_exit(lua_State *lua)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    gboolean well = lua_isnoneornil(lua, 1) || (lua_isboolean(lua, 1) && lua_toboolean(lua, 1)) ||
                    (!lua_isboolean(lua, 1) && luaL_checkinteger(lua, 1) == 0);

    if (!well) {
        const char *code = fltvm_lua_push_text(lua, 1), *place;
        fltvm_lua_push_where(lua);
        place = lua_tostring(lua, -1);
        lua_pushfstring(lua, "%sos.exit(%s)", place, code);
        fltvm_account_check(scenario->session.account, FLTVM_CHECK_FAIL, "the script does not give up",
                            lua_tostring(lua, -1));
    }
    fltvm_scenario_exit(scenario, lua);
}

/* --- in their places ----------------------------------------------------------------------------------- */

/* Each gets as its upvalue the function in whose place it comes. */
static const struct {
    const char *table; /* "_G": a global */
    const char *name;
    lua_CFunction function;
} places[] = {
    {"_G", "tostring", library_tostring},
    {"_G", "setmetatable", library_setmetatable},
    {"_G", "collectgarbage", library_collectgarbage},
    {"math", "randomseed", library_randomseed},
    {"string", "format", library_format},
    {"debug", "sethook", library_sethook},
    {"os", "exit", library_exit},
    {"os", "time", library_time},
    {"os", "clock", library_clock},
    {"os", "date", library_date},
    {"os", "tmpname", library_tmpname},
    {"os", "setlocale", library_setlocale},
};

void fltvm_lua_open_library(lua_State *lua)
{
    setenv("TZ", "UTC0", 1); /* os.date and os.time{} */
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        lua_getglobal(lua, places[i].table);
        lua_getfield(lua, -1, places[i].name);
        lua_pushcclosure(lua, places[i].function, 1);
        lua_setfield(lua, -2, places[i].name);
        lua_pop(lua, 1);
    }
    lua_getglobal(lua, "math");
    lua_getfield(lua, -1, "randomseed");
    lua_setfield(lua, LUA_REGISTRYINDEX, RANDOMSEED);
    lua_pop(lua, 1);
    fltvm_lua_seed(lua);
}

void fltvm_lua_seed(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, RANDOMSEED);
    lua_call(lua, 0, 0);
}

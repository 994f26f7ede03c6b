/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests logged, in Lua: machine:log, machine:expect_log, and for the machine made last expect_log; fltvm.log
 * for all.
 */
#include <lauxlib.h>

#include "lua_fields.h"
#include "lua_machine.h"
#include "vocabulary.h"

/* The machine at `index`, or the one made last; NULL if there is none yet. */
static FltvmMachine *whose(lua_State *lua, int index)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    if (index)
        return fltvm_lua_machine(lua, index);
    return scenario->machines->len ? scenario->machines->pdata[scenario->machines->len - 1] : NULL;
}

/* Push the list of a machine's lines behind the first `since`; any machine's with NULL. */
static void push_lines(lua_State *lua, const FltvmMachine *machine, lua_Integer since)
{
    GPtrArray *lines = fltvm_lua_scenario(lua)->session.account->lines;
    lua_Integer seen = 0, count = 0;

    lua_newtable(lua);
    for (guint i = 0; i < lines->len; i++) {
        const FltvmLine *line = lines->pdata[i];
        if ((machine && line->source != machine) || seen++ < since)
            continue;
        lua_pushstring(lua, line->text);
        lua_rawseti(lua, -2, ++count);
    }
}

static lua_Integer check_since(lua_State *lua, lua_Integer since)
{
    if (since < 0)
        luaL_error(lua, "since: %I is not a number of lines", since);
    return since;
}

/* fltvm.log() -> every line of every machine so far */
static int lua_log(lua_State *lua)
{
    push_lines(lua, NULL, 0);
    return 1;
}

/* machine:log([since]) -> the lines it has logged so far, without the first `since` */
static int machine_log(lua_State *lua)
{
    push_lines(lua, fltvm_lua_machine(lua, 1), check_since(lua, luaL_optinteger(lua, 2, 0)));
    return 1;
}

/* Does a line of the list on top match the pattern?  Then its captures take the list's place. */
static gboolean match(lua_State *lua, int pattern)
{
    int list = lua_gettop(lua);
    lua_Integer count = (lua_Integer)lua_rawlen(lua, list);

    for (lua_Integer i = 1; i <= count; i++) {
        lua_getglobal(lua, "string");
        lua_getfield(lua, -1, "match");
        lua_remove(lua, -2);
        lua_rawgeti(lua, list, i);
        lua_pushvalue(lua, pattern);
        lua_call(lua, 2, LUA_MULTRET);
        if (!lua_isnil(lua, list + 1)) {
            lua_remove(lua, list);
            return TRUE;
        }
        lua_settop(lua, list);
    }
    return FALSE;
}

/* pattern [, what [, {since=}]], from `first` on. */
static int expect_line(lua_State *lua, int self, int first)
{
    static const FltvmLuaField known[] = {{"machine", FLTVM_LUA_VALUE}, {"since", FLTVM_LUA_NUMBER}, {NULL, 0}};
    const char *pattern = luaL_checkstring(lua, first), *what = luaL_optstring(lua, first + 1, NULL);
    const FltvmMachine *machine;
    lua_Integer since;
    int top;

    lua_settop(lua, first + 2);
    fltvm_lua_check_fields(lua, first + 2, "expect_log", self ? known + 1 : known);
    since = check_since(lua, fltvm_lua_integer_field(lua, first + 2, "since", 0));
    if (!self && fltvm_lua_field(lua, first + 2, "machine", LUA_TUSERDATA))
        self = lua_gettop(lua);
    machine = whose(lua, self);
    if (!what)
        what = lua_pushfstring(lua, "the guest logs '%s'", pattern);
    top = lua_gettop(lua);
    if (machine)
        push_lines(lua, machine, since);
    else
        lua_newtable(lua);
    if (match(lua, first)) {
        fltvm_lua_check(lua, TRUE, what, NULL);
        return lua_gettop(lua) - top;
    }
    lua_pushfstring(lua, "none of %d lines %smatches", (int)lua_rawlen(lua, top + 1),
                    since ? lua_pushfstring(lua, "behind the first %I ", since) : "");
    fltvm_lua_check(lua, FALSE, what, lua_tostring(lua, -1));
    return 0;
}

/* expect_log(pattern [, what [, {machine=, since=}]]): a line of the machine made last, or of `machine` */
static int lua_expect_log(lua_State *lua)
{
    return expect_line(lua, 0, 1);
}

/* machine:expect_log(pattern [, what [, {since=}]]) */
static int machine_expect_log(lua_State *lua)
{
    fltvm_lua_machine(lua, 1);
    return expect_line(lua, 1, 2);
}

void fltvm_lua_open_log(lua_State *lua)
{
    static const luaL_Reg on_machine[] = {{"log", machine_log}, {"expect_log", machine_expect_log}, {NULL, NULL}};

    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    luaL_setfuncs(lua, on_machine, 0);
    lua_pop(lua, 1);
    lua_pushcfunction(lua, lua_expect_log);
    lua_setglobal(lua, "expect_log");
    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, lua_log);
    lua_setfield(lua, -2, "log");
    lua_pop(lua, 1);
}

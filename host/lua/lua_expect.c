/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations of values in Lua: expect, expect_equal, expect_status.  Others: lua_log.c, lua_ending.c. */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_compare.h"
#include "lua_words.h"
#include "names.h"
#include "vocabulary.h"

/* expect(condition [, what]) */
static int lua_expect(lua_State *lua)
{
    const char *what = luaL_optstring(lua, 2, "expect");

    luaL_checkany(lua, 1);
    fltvm_lua_check(lua, lua_toboolean(lua, 1), what, NULL);
    return 0;
}

/* expect_equal(found, wanted [, what]) */
static int lua_expect_equal(lua_State *lua)
{
    const char *what = luaL_optstring(lua, 3, "expect_equal");
    gboolean same;

    luaL_checkany(lua, 2);
    lua_settop(lua, 3);
    same = fltvm_lua_equal(lua, 1, 2);
    fltvm_lua_check(lua, same, what, same ? NULL : lua_tostring(lua, -1));
    return 0;
}

/* A status as a script gives it: a name or a number. */
static guint32 check_status(lua_State *lua, int index)
{
    guint32 status = 0;
    const char *name;

    if (lua_type(lua, index) == LUA_TNUMBER) {
        lua_Integer value = luaL_checkinteger(lua, index);
        luaL_argcheck(lua, value >= G_MININT32 && value <= G_MAXUINT32, index, "more than 32 bits");
        return (guint32)value;
    }
    name = luaL_checkstring(lua, index);
    if (!fltvm_status_value(name, &status)) {
        char *hint = fltvm_status_hint(name);
        lua_pushfstring(lua, "'%s' is not the name of an NTSTATUS%s", name, hint);
        g_free(hint);
        luaL_error(lua, "%s", lua_tostring(lua, -1));
    }
    return status;
}

/* expect_status(status, function [, what]): the function fails with this status. */
static int lua_expect_status(lua_State *lua)
{
    guint32 wanted = check_status(lua, 1), found = 0;
    g_autofree char *wanted_text = fltvm_status_text(wanted), *found_text = NULL;
    const char *what = lua_tostring(lua, 3);
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    lua_settop(lua, 3);
    lua_pushvalue(lua, 2);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        if (scenario->fatal || !lua_istable(lua, -1) || lua_getfield(lua, -1, "status") != LUA_TNUMBER) {
            lua_settop(lua, 4);
            g_clear_pointer(&wanted_text, g_free);
            return lua_error(lua);
        }
        found = (guint32)lua_tointeger(lua, -1);
    }
    found_text = fltvm_status_text(found);
    lua_pushfstring(lua, "found %s, expected %s", found_text, wanted_text);
    if (!what) {
        lua_pushfstring(lua, "fails with %s", wanted_text);
        what = lua_tostring(lua, -1);
        lua_insert(lua, -2);
    }
    g_clear_pointer(&wanted_text, g_free);
    g_clear_pointer(&found_text, g_free);
    fltvm_lua_check(lua, found == wanted, what, lua_tostring(lua, -1));
    return 0;
}

void fltvm_lua_open_expect(lua_State *lua)
{
    static const luaL_Reg globals[] = {
        {"expect", lua_expect}, {"expect_equal", lua_expect_equal}, {"expect_status", lua_expect_status}, {NULL, NULL}};

    for (const luaL_Reg *entry = globals; entry->name; entry++) {
        lua_pushcfunction(lua, entry->func);
        lua_setglobal(lua, entry->name);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a script has opened, and the end of one that had something made to fail: see lua_unwind.h. */
#include "lua_unwind.h"

#include <lauxlib.h>

#include "lua_words.h"
#include "vocabulary.h"

/* In the registry: value, method, value, method, … */
#define LIST "fltvm.opened"

void fltvm_lua_opened(lua_State *lua, const char *method)
{
    const FltvmScenario *scenario = fltvm_lua_scenario(lua);
    lua_Integer count;

    if (!fltvm_choice_injects(&scenario->defaults->choice) && !fltvm_choice_injects(&scenario->defaults->later) &&
        !scenario->serve && !scenario->lists)
        return;
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LIST);
    count = luaL_len(lua, -1);
    lua_pushvalue(lua, -2);
    lua_seti(lua, -2, count + 1);
    lua_pushstring(lua, method);
    lua_seti(lua, -2, count + 2);
    lua_pop(lua, 1);
}

void fltvm_lua_push_opened(lua_State *lua)
{
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LIST);
}

void fltvm_lua_unwind(FltvmScenario *scenario)
{
    lua_State *lua = scenario->lua;

    luaL_getsubtable(lua, LUA_REGISTRYINDEX, LIST);
    for (lua_Integer i = luaL_len(lua, -1); i > 1 && !scenario->fatal; i -= 2) {
        lua_geti(lua, -1, i - 1);
        lua_geti(lua, -2, i);
        if (!*lua_tostring(lua, -1)) {
            lua_pop(lua, 2);
            continue;
        }
        lua_gettable(lua, -2);
        lua_insert(lua, -2);
        if (lua_pcall(lua, 1, 0, 0) != LUA_OK)
            lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* fltvm.injects() -> what is made to fail, as the command line says it; nil: nothing */
static int lua_injects(lua_State *lua)
{
    const FltvmChoice *choice = &fltvm_lua_scenario(lua)->defaults->choice;
    g_autoptr(GPtrArray) argv = NULL;
    g_autofree char *text = NULL;

    if (!fltvm_choice_injects(choice)) {
        lua_pushnil(lua);
        return 1;
    }
    argv = g_ptr_array_new_with_free_func(g_free);
    fltvm_choice_arguments(choice, argv);
    g_ptr_array_add(argv, NULL);
    text = g_strjoinv(" ", (char **)argv->pdata);
    lua_pushstring(lua, text);
    return 1;
}

void fltvm_lua_open_unwind(lua_State *lua)
{
    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, lua_injects);
    lua_setfield(lua, -2, "injects");
    lua_pop(lua, 1);
}

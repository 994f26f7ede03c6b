/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words have in common: see lua_words.h. */
#include "lua_words.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_step.h"
#include "names.h"
#include "vocabulary.h"

#define ERROR_TYPE  "fltvm.error"
#define STATUS_TYPE "fltvm.status"

FltvmScenario *fltvm_lua_scenario(lua_State *lua)
{
    return *(FltvmScenario **)lua_getextraspace(lua);
}

/* --- errors -------------------------------------------------------------------------------------------- */

void fltvm_lua_push_where(lua_State *lua)
{
    lua_Debug at;

    for (int level = 1; lua_getstack(lua, level, &at); level++) {
        lua_getinfo(lua, "Sl", &at);
        if (*at.source == '@' && at.currentline > 0) {
            lua_pushfstring(lua, "%s:%d: ", at.short_src, at.currentline);
            return;
        }
    }
    luaL_where(lua, 1);
}

int fltvm_lua_raise(lua_State *lua, GError *error)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    int status = fltvm_error_exit_status(error);

    if (status == FLTVM_EXIT_OK && scenario->defaults->choice.cut.number && !scenario->power_cut)
        fltvm_scenario_cut_short(scenario, lua);
    if (status == FLTVM_ERROR_BUGCHECK || status == FLTVM_ERROR_HOST || status == FLTVM_EXIT_OK) {
        g_clear_error(&scenario->fatal);
        scenario->fatal = g_error_copy(error);
    }
    fltvm_lua_push_where(lua);
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
    fltvm_lua_push_where(lua);
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
    if (fltvm_steps_acted(scenario->steps))
        luaL_error(lua, "the check does not hold any more: %s", name);
    fltvm_lua_push_where(lua);
    lua_pushfstring(lua, "%s%s", lua_tostring(lua, -1), detail ? detail : "the condition is false");
    fltvm_account_check(scenario->session.account, FLTVM_CHECK_FAIL, name, lua_tostring(lua, -1));
    if (!scenario->keep_going)
        fltvm_lua_give_up(lua);
    lua_pop(lua, 2);
}

int fltvm_lua_give_up(lua_State *lua)
{
    lua_newtable(lua);
    luaL_setmetatable(lua, ERROR_TYPE);
    lua_error(lua);
    g_assert_not_reached();
}

static gboolean is_of_type(lua_State *lua, int index, const char *type)
{
    gboolean same = FALSE;

    if (lua_istable(lua, index) && lua_getmetatable(lua, index)) {
        luaL_getmetatable(lua, type);
        same = lua_rawequal(lua, -1, -2);
        lua_pop(lua, 2);
    }
    return same;
}

gboolean fltvm_lua_gave_up(lua_State *lua, int index)
{
    return is_of_type(lua, index, ERROR_TYPE);
}

gboolean fltvm_lua_is_status(lua_State *lua, int index)
{
    return is_of_type(lua, index, STATUS_TYPE);
}

char *fltvm_lua_path(lua_State *lua, const char *path)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    char *full = g_path_is_absolute(path) || !scenario->directory ? g_strdup(path)
                                                                  : g_build_filename(scenario->directory, path, NULL);

    fltvm_inputs_add(scenario->inputs, full);
    return full;
}

void fltvm_lua_open_words(lua_State *lua)
{
    luaL_newmetatable(lua, ERROR_TYPE);
    luaL_newmetatable(lua, STATUS_TYPE);
    lua_pushcfunction(lua, status_to_string);
    lua_setfield(lua, -2, "__tostring");
    lua_pop(lua, 2);
}

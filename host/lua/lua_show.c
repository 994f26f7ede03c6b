/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as text: see lua_show.h. */
#include "lua_show.h"

#include <lauxlib.h>
#include <string.h>

#include "lua_order.h"
#include "vocabulary.h"

/* Registry: value to number, weak; and under 0 the last number given. */
#define NUMBERS "fltvm.numbers"

/* What is shown of a value at most. */
#define MOST_TEXT   200
#define MOST_BYTES  16
#define MOST_FIELDS 8
#define MOST_DEPTH  3

/* --- numbers ------------------------------------------------------------------------------------------- */

lua_Integer fltvm_lua_known_number(lua_State *lua, int index)
{
    lua_Integer number;

    index = lua_absindex(lua, index);
    lua_getfield(lua, LUA_REGISTRYINDEX, NUMBERS);
    lua_pushvalue(lua, index);
    lua_rawget(lua, -2);
    number = lua_tointeger(lua, -1);
    lua_pop(lua, 2);
    return number;
}

lua_Integer fltvm_lua_number(lua_State *lua, int index)
{
    lua_Integer number = fltvm_lua_known_number(lua, index);

    if (number)
        return number;
    index = lua_absindex(lua, index);
    lua_getfield(lua, LUA_REGISTRYINDEX, NUMBERS);
    lua_rawgeti(lua, -1, 0);
    number = lua_tointeger(lua, -1) + 1;
    lua_pop(lua, 1);
    lua_pushinteger(lua, number);
    lua_rawseti(lua, -2, 0);
    lua_pushvalue(lua, index);
    lua_pushinteger(lua, number);
    lua_rawset(lua, -3);
    lua_pop(lua, 1);
    return number;
}

void *fltvm_lua_new(lua_State *lua, gsize size, const char *type)
{
    void *value = lua_newuserdatauv(lua, size, 1);

    memset(value, 0, size);
    luaL_setmetatable(lua, type);
    fltvm_lua_number(lua, -1);
    return value;
}

/* --- texts --------------------------------------------------------------------------------------------- */

/* What luaL_tolstring() gives an address. */
static gboolean has_address(lua_State *lua, int index)
{
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING: return FALSE;
    default:
        if (luaL_getmetafield(lua, index, "__tostring") == LUA_TNIL)
            return TRUE;
        lua_pop(lua, 1);
        return FALSE;
    }
}

/* "type: number", where the type may be the metatable's __name. */
static const char *push_numbered(lua_State *lua, int index)
{
    lua_Integer number = fltvm_lua_number(lua, index);
    const char *type = luaL_typename(lua, index);

    index = lua_absindex(lua, index);
    if (luaL_getmetafield(lua, index, "__name") == LUA_TSTRING)
        type = lua_tostring(lua, -1);
    else
        lua_pushnil(lua);
    lua_pushfstring(lua, "%s: %I", type, number);
    lua_replace(lua, -2);
    return lua_tostring(lua, -1);
}

const char *fltvm_lua_push_text(lua_State *lua, int index)
{
    return has_address(lua, index) ? push_numbered(lua, index) : luaL_tolstring(lua, index, NULL);
}

static int text_of(lua_State *lua)
{
    fltvm_lua_push_text(lua, 1);
    return 1;
}

const char *fltvm_lua_push_safe_text(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    lua_pushcfunction(lua, text_of);
    lua_pushvalue(lua, index);
    if (lua_pcall(lua, 1, 1, 0) != LUA_OK) {
        lua_pop(lua, 1);
        lua_pushfstring(lua, "(a %s whose __tostring fails)", luaL_typename(lua, index));
    }
    return lua_tostring(lua, -1);
}

/* --- what checks show ---------------------------------------------------------------------------------- */

static void show_text(GString *out, const char *text, gsize length)
{
    if (g_utf8_validate(text, (gssize)length, NULL) && length <= MOST_TEXT) {
        g_string_append_printf(out, "\"%s\"", text);
        return;
    }
    g_string_append_printf(out, "%" G_GSIZE_FORMAT " bytes:", length);
    for (gsize i = 0; i < MIN(length, MOST_BYTES); i++)
        g_string_append_printf(out, " %02x", (guchar)text[i]);
    if (length > MOST_BYTES)
        g_string_append(out, " …");
}

static gboolean is_name(const char *text)
{
    if (!g_ascii_isalpha(*text) && *text != '_')
        return FALSE;
    for (; *text; text++) {
        if (!g_ascii_isalnum(*text) && *text != '_')
            return FALSE;
    }
    return TRUE;
}

static void show(lua_State *lua, GString *out, int index, guint depth);

/* The first fields of a plain table: a list's without their numbers. */
static void show_table(lua_State *lua, GString *out, int index, guint depth)
{
    lua_Integer count = fltvm_lua_push_keys(lua, index, TRUE);

    g_string_append_c(out, '{');
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > MOST_FIELDS || depth == MOST_DEPTH) {
            g_string_append(out, i > 1 ? ", …" : "…");
            break;
        }
        g_string_append(out, i > 1 ? ", " : "");
        lua_rawgeti(lua, -1, i);
        if (lua_type(lua, -1) == LUA_TSTRING && is_name(lua_tostring(lua, -1))) {
            g_string_append_printf(out, "%s = ", lua_tostring(lua, -1));
        } else if (!lua_isinteger(lua, -1) || lua_tointeger(lua, -1) != i) {
            g_string_append_c(out, '[');
            show(lua, out, lua_gettop(lua), MOST_DEPTH);
            g_string_append(out, "] = ");
        }
        lua_rawget(lua, index);
        show(lua, out, lua_gettop(lua), depth + 1);
        lua_pop(lua, 1);
    }
    g_string_append_c(out, '}');
    lua_pop(lua, 1);
}

/* Absolute index; raises nothing but what memory does. */
static void show(lua_State *lua, GString *out, int index, guint depth)
{
    gsize length;
    const char *text;

    luaL_checkstack(lua, 8, "a value");
    if (lua_type(lua, index) == LUA_TSTRING) {
        text = lua_tolstring(lua, index, &length);
        show_text(out, text, length);
    } else if (lua_istable(lua, index) && has_address(lua, index)) {
        show_table(lua, out, index, depth);
    } else {
        text = fltvm_lua_push_safe_text(lua, index);
        g_string_append_printf(out, "%.*s%s", MOST_TEXT, text, strlen(text) > MOST_TEXT ? "…" : "");
        lua_pop(lua, 1);
    }
}

const char *fltvm_lua_push_shown(lua_State *lua, int index)
{
    GString *out = g_string_new(NULL);

    show(lua, out, lua_absindex(lua, index), 0);
    lua_pushlstring(lua, out->str, out->len);
    g_string_free(out, TRUE);
    return lua_tostring(lua, -1);
}

void fltvm_lua_add_step(lua_State *lua, GString *path, int index)
{
    index = lua_absindex(lua, index);
    if (lua_type(lua, index) == LUA_TSTRING && is_name(lua_tostring(lua, index))) {
        g_string_append_printf(path, ".%s", lua_tostring(lua, index));
        return;
    }
    g_string_append_c(path, '[');
    show(lua, path, index, MOST_DEPTH);
    g_string_append_c(path, ']');
}

void fltvm_lua_open_show(lua_State *lua)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_setfield(lua, LUA_REGISTRYINDEX, NUMBERS);
}

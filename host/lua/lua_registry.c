/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine:set_registry(KEY, VALUE, DATA [, TYPE]) and what else of the host writes the guest's registry.
 *
 * A value goes over the link as the bytes that it is stored as: texts become UTF-16 here.
 */
#define _GNU_SOURCE
#include <lauxlib.h>
#include <string.h>

#include "lua_registry.h"
#include "lua_show.h"
#include "vocabulary.h"

#define VALUE_MAX (1u << 20) /* as the guest has it */

enum {
    REG_NONE_,
    REG_SZ_,
    REG_EXPAND_SZ_,
    REG_BINARY_,
    REG_DWORD_,
    REG_DWORD_BIG_ENDIAN_,
    REG_LINK_,
    REG_MULTI_SZ_,
    REG_QWORD_ = 11,
    TYPES
};

static const char *const type_names[] = {"REG_NONE",
                                         "REG_SZ",
                                         "REG_EXPAND_SZ",
                                         "REG_BINARY",
                                         "REG_DWORD",
                                         "REG_DWORD_BIG_ENDIAN",
                                         "REG_LINK",
                                         "REG_MULTI_SZ",
                                         "REG_RESOURCE_LIST",
                                         "REG_FULL_RESOURCE_DESCRIPTOR",
                                         "REG_RESOURCE_REQUIREMENTS_LIST",
                                         "REG_QWORD",
                                         NULL};

void fltvm_lua_set_value(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, guint32 type,
                         guint32 flags, gconstpointer data, gsize length)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_REGISTRY, .args = {type, length, flags}};
    luaL_Buffer buffer;
    FltvmResult result = {0};
    gsize total;
    const char *bytes;

    luaL_buffinit(lua, &buffer);
    luaL_addlstring(&buffer, key, strlen(key) + 1);
    luaL_addlstring(&buffer, value, strlen(value) + 1);
    luaL_addlstring(&buffer, data, length);
    luaL_pushresult(&buffer);
    bytes = lua_tolstring(lua, -1, &total);
    fltvm_lua_command(lua, machine, &command, bytes, total, key, FALSE, &result);
    fltvm_result_clear(&result);
    lua_pop(lua, 1);
}

void fltvm_lua_set_number(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, guint32 number)
{
    guint32 little = GUINT32_TO_LE(number);

    fltvm_lua_set_value(lua, machine, key, value, REG_DWORD_, 0, &little, sizeof(little));
}

/* Pushes a text as UTF-16 and how many NULs behind it; what is not UTF-8 is an error. */
static void push_wide(lua_State *lua, const char *text, gsize length, guint terminators)
{
    static const char nuls[4];
    glong units = 0;
    gunichar2 *wide;
    luaL_Buffer buffer;

    if (!g_utf8_validate_len(text, length, NULL) && !memchr(text, 0, length))
        luaL_error(lua, "a text of the registry is not UTF-8 (REG_BINARY takes any bytes)");
    luaL_buffinit(lua, &buffer);
    /* Piece by piece, since a text may hold NULs. */
    for (gsize at = 0; at <= length;) {
        gsize piece = strnlen(text + at, length - at);
        wide = g_utf8_to_utf16(text + at, (glong)piece, NULL, &units, NULL);
        if (!wide)
            luaL_error(lua, "a text of the registry is not UTF-8 (REG_BINARY takes any bytes)");
        luaL_addlstring(&buffer, (const char *)wide, (gsize)units * 2);
        g_free(wide);
        at += piece + 1;
        if (at <= length)
            luaL_addlstring(&buffer, nuls, 2);
    }
    luaL_addlstring(&buffer, nuls, 2 * terminators);
    luaL_pushresult(&buffer);
}

void fltvm_lua_set_text(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, const char *text)
{
    const char *bytes;
    gsize length;

    push_wide(lua, text, strlen(text), 1);
    bytes = lua_tolstring(lua, -1, &length);
    fltvm_lua_set_value(lua, machine, key, value, REG_SZ_, 0, bytes, length);
    lua_pop(lua, 1);
}

/* The type that the argument says, or that the data have by themselves. */
static guint32 value_type(lua_State *lua)
{
    if (lua_type(lua, 5) == LUA_TSTRING)
        return fltvm_lua_choice(lua, "type", lua_tostring(lua, 5), type_names);
    if (!lua_isnoneornil(lua, 5)) {
        lua_Integer type = luaL_checkinteger(lua, 5);
        luaL_argcheck(lua, type >= 0 && type <= G_MAXUINT32, 5, "a type is 32 bits wide");
        return (guint32)type;
    }
    return lua_isinteger(lua, 4) ? REG_DWORD_ : lua_istable(lua, 4) ? REG_MULTI_SZ_ : REG_SZ_;
}

/* A number of `size` bytes. */
static void push_number(lua_State *lua, guint32 type)
{
    lua_Integer number = luaL_checkinteger(lua, 4);
    guint64 wide = GUINT64_TO_LE((guint64)number);
    guint32 half = GUINT32_TO_LE((guint32)number), big = GUINT32_TO_BE((guint32)number);

    if (type != REG_QWORD_)
        luaL_argcheck(lua, number >= G_MININT32 && number <= G_MAXUINT32, 4, "more than 32 bits");
    if (type == REG_QWORD_)
        lua_pushlstring(lua, (const char *)&wide, sizeof(wide));
    else
        lua_pushlstring(lua, type == REG_DWORD_ ? (const char *)&half : (const char *)&big, sizeof(half));
}

/* A list of texts, with the empty one that ends it. */
static void push_list(lua_State *lua)
{
    lua_Integer count = luaL_len(lua, 4);

    luaL_argcheck(lua, count >= 0 && count <= VALUE_MAX, 4, "too many texts");
    lua_pushliteral(lua, "");
    for (lua_Integer i = 1; i <= count; i++) {
        gsize length;
        const char *text;
        if (lua_geti(lua, 4, i) != LUA_TSTRING)
            luaL_error(lua, "entry %d of the list is not a text", (int)i);
        text = lua_tolstring(lua, -1, &length);
        if (!length)
            luaL_error(lua, "entry %d of the list is empty: it would end it", (int)i);
        push_wide(lua, text, length, 1);
        lua_remove(lua, -2);
        if (lua_rawlen(lua, -2) + lua_rawlen(lua, -1) > VALUE_MAX)
            luaL_error(lua, "a value of more than 1 MiB");
        lua_concat(lua, 2);
    }
    lua_pushlstring(lua, "\0", 2);
    lua_concat(lua, 2);
}

/* machine:set_registry(key, value, data [, type]): see docs/manual/scenario.md */
static int machine_set_registry(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    const char *key = luaL_checkstring(lua, 2), *value = luaL_checkstring(lua, 3), *bytes;
    guint32 type = value_type(lua);
    gsize length;

    lua_settop(lua, 5);
    if (lua_istable(lua, 4)) {
        luaL_argcheck(lua, type == REG_MULTI_SZ_, 4, "a list is for REG_MULTI_SZ");
        push_list(lua);
    } else if (lua_isinteger(lua, 4) && (type == REG_DWORD_ || type == REG_DWORD_BIG_ENDIAN_ || type == REG_QWORD_)) {
        push_number(lua, type);
    } else {
        bytes = luaL_checklstring(lua, 4, &length);
        if (lua_type(lua, 5) != LUA_TNUMBER && (type == REG_SZ_ || type == REG_EXPAND_SZ_))
            push_wide(lua, bytes, length, 1);
        else if (lua_type(lua, 5) != LUA_TNUMBER && type == REG_LINK_)
            push_wide(lua, bytes, length, 0);
        else
            lua_pushvalue(lua, 4);
    }
    bytes = lua_tolstring(lua, -1, &length);
    if (length > VALUE_MAX)
        luaL_error(lua, "a value of more than 1 MiB");
    fltvm_lua_set_value(lua, machine, key, value, type, 0, bytes, length);
    return 0;
}

void fltvm_lua_open_registry(lua_State *lua)
{
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_set_registry);
    lua_setfield(lua, -2, "set_registry");
    lua_pop(lua, 1);
}

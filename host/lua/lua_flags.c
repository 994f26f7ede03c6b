/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flags by their names, and the bytes that the guest's structures are made of: see lua_file.h. */
#include <lauxlib.h>
#include <string.h>

#include "lua_file.h"
#include "nearest.h"

/* Of the documented NT interface: FILE_ATTRIBUTE_…. */
const FltvmLuaFlag fltvm_lua_file_attributes[] = {{"readonly", 0x1},        {"hidden", 0x2},
                                                  {"system", 0x4},          {"directory", 0x10},
                                                  {"archive", 0x20},        {"normal", 0x80},
                                                  {"temporary", 0x100},     {"sparse", 0x200},
                                                  {"reparse_point", 0x400}, {"compressed", 0x800},
                                                  {"offline", 0x1000},      {"not_content_indexed", 0x2000},
                                                  {"encrypted", 0x4000},    {NULL, 0}};

static guint64 named(lua_State *lua, const char *what, const char *name, const FltvmLuaFlag *known)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const FltvmLuaFlag *flag = known; flag->name; flag++) {
        if (strcmp(flag->name, name) == 0)
            return flag->value;
        g_ptr_array_add(names, (gpointer)flag->name);
    }
    g_ptr_array_add(names, NULL);
    {
        g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
        g_autofree char *hint = fltvm_nearest_hint(name, (const char *const *)names->pdata);

        lua_pushfstring(lua, "%s: '%s' is none of %s%s", what, name, all, hint);
    }
    g_clear_pointer(&names, g_ptr_array_unref);
    return (guint64)luaL_error(lua, "%s", lua_tostring(lua, -1));
}

static guint64 split(lua_State *lua, const char *what, const char *text, const FltvmLuaFlag *known)
{
    guint64 value = 0;
    char name[64];

    while (*text) {
        gsize length = strcspn(text, " ,|");

        if (length >= sizeof(name))
            luaL_error(lua, "%s: a name of %d letters", what, (int)length);
        if (length) {
            memcpy(name, text, length);
            name[length] = 0;
            value |= named(lua, what, name, known);
        }
        text += length;
        text += strspn(text, " ,|");
    }
    return value;
}

/* A number for those that have none of the names. */
static guint64 number(lua_State *lua, int index, const char *what)
{
    lua_Integer value = luaL_checkinteger(lua, index);

    if (value < 0 || value > G_MAXUINT32)
        luaL_error(lua, "%s: %I is not between 0 and 4294967295", what, value);
    return (guint64)value;
}

guint64 fltvm_lua_flags(lua_State *lua, int index, const char *what, const FltvmLuaFlag *known)
{
    guint64 value = 0;

    index = lua_absindex(lua, index);
    if (lua_type(lua, index) == LUA_TNUMBER)
        return number(lua, index, what);
    if (lua_type(lua, index) == LUA_TSTRING)
        return split(lua, what, lua_tostring(lua, index), known);
    if (!lua_istable(lua, index))
        luaL_error(lua, "%s: a number, a text or a list is expected, not a %s", what, luaL_typename(lua, index));
    for (lua_Integer i = 1; i <= luaL_len(lua, index); i++) {
        value |= named(lua, what, fltvm_lua_list_text(lua, index, i, what), known);
        lua_pop(lua, 1);
    }
    return value;
}

guint64 fltvm_lua_flags_field(lua_State *lua, int index, const char *field, const FltvmLuaFlag *known, guint64 fallback)
{
    guint64 value = fallback;

    if (lua_isnoneornil(lua, index))
        return fallback;
    if (lua_getfield(lua, index, field) != LUA_TNIL)
        value = fltvm_lua_flags(lua, -1, field, known);
    lua_pop(lua, 1);
    return value;
}

guint64 fltvm_lua_flag(lua_State *lua, int index, const char *what, const FltvmLuaFlag *known)
{
    if (lua_type(lua, index) == LUA_TNUMBER)
        return number(lua, index, what);
    return named(lua, what, luaL_checkstring(lua, index), known);
}

void fltvm_lua_push_flags(lua_State *lua, guint64 value, const FltvmLuaFlag *known)
{
    GString *text = g_string_new(NULL);

    for (const FltvmLuaFlag *flag = known; flag->name; flag++) {
        if (flag->value && (value & flag->value) == flag->value) {
            g_string_append_printf(text, "%s%s", text->len ? " " : "", flag->name);
            value &= ~flag->value;
        }
    }
    if (value)
        g_string_append_printf(text, "%s0x%" G_GINT64_MODIFIER "x", text->len ? " " : "", value);
    lua_pushlstring(lua, text->str, text->len);
    g_string_free(text, TRUE);
}

void fltvm_lua_push_flag(lua_State *lua, guint64 value, const FltvmLuaFlag *known)
{
    for (; known->name; known++) {
        if (known->value == value) {
            lua_pushstring(lua, known->name);
            return;
        }
    }
    lua_pushinteger(lua, (lua_Integer)value);
}

/* --- bytes --------------------------------------------------------------------------------------------- */

guint64 fltvm_lua_get(const guint8 *bytes, gsize length, gsize offset, gsize size)
{
    guint64 value = 0;

    for (gsize i = 0; i < size && offset + i < length; i++)
        value |= (guint64)bytes[offset + i] << (8 * i);
    return value;
}

void fltvm_lua_put(GByteArray *bytes, gsize offset, gsize size, guint64 value)
{
    if (bytes->len < offset + size) {
        gsize old = bytes->len;

        g_byte_array_set_size(bytes, (guint)(offset + size));
        memset(bytes->data + old, 0, bytes->len - old);
    }
    for (gsize i = 0; i < size; i++)
        bytes->data[offset + i] = (guint8)(value >> (8 * i));
}

void fltvm_lua_push_utf16(lua_State *lua, const guint8 *bytes, gsize length)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i + 2 <= length; i += 2) {
        gunichar unit = (gunichar)fltvm_lua_get(bytes, length, i, 2);

        if (unit >= 0xD800 && unit < 0xDC00 && i + 4 <= length) {
            gunichar low = (gunichar)fltvm_lua_get(bytes, length, i + 2, 2);

            if (low >= 0xDC00 && low < 0xE000) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        g_string_append_unichar(text, unit >= 0xD800 && unit < 0xE000 ? 0xFFFD : unit);
    }
    lua_pushlstring(lua, text->str, text->len);
    g_string_free(text, TRUE);
}

GByteArray *fltvm_lua_utf16(lua_State *lua, int index, const char *what)
{
    gsize length;
    const char *text = luaL_checklstring(lua, index, &length);
    glong units;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(text, (glong)length, NULL, &units, NULL);
    GByteArray *bytes;

    if (!wide || memchr(text, 0, length)) {
        luaL_error(lua, "%s: no text in UTF-8", what);
        return NULL;
    }
    bytes = g_byte_array_new();
    for (glong i = 0; i < units; i++)
        fltvm_lua_put(bytes, 2 * (gsize)i, 2, wide[i]);
    return bytes;
}

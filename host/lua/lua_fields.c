/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as arguments: see lua_fields.h. */
#include "lua_fields.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "config.h"
#include "lua_order.h"
#include "lua_show.h"
#include "nearest.h"

/* What the types are called, as errors say it. */
static const struct {
    guint type;
    const char *name;
} type_names[] = {{FLTVM_LUA_BOOLEAN, "true or false"}, {FLTVM_LUA_NUMBER, "a number"},
                  {FLTVM_LUA_TEXT, "a text"},           {FLTVM_LUA_TABLE, "a table"},
                  {FLTVM_LUA_FUNCTION, "a function"},   {FLTVM_LUA_VALUE, "a value of fltvm's"}};

static char *name_types(guint types)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(type_names); i++) {
        if (types & type_names[i].type)
            g_string_append_printf(text, "%s%s", text->len ? " or " : "", type_names[i].name);
    }
    return g_string_free(text, FALSE);
}

/* Raise an error whose text was made with GLib. */
static void raise_text(lua_State *lua, char *text)
{
    fltvm_lua_push_where(lua);
    lua_pushstring(lua, text);
    g_free(text);
    lua_concat(lua, 2);
    lua_error(lua);
}

static const FltvmLuaField *find(const FltvmLuaField *known, const char *name)
{
    for (; known->name; known++) {
        if (strcmp(known->name, name) == 0)
            return known;
    }
    return NULL;
}

/* Neither a known name nor a value of the list part: `shown` is the key as text. */
static void refuse_key(lua_State *lua, const char *what, const char *shown, const FltvmLuaField *known)
{
    GPtrArray *names = g_ptr_array_new();
    char *hint, *text;

    for (; known->name; known++) {
        if (*known->name != '[')
            g_ptr_array_add(names, (gpointer)known->name);
    }
    g_ptr_array_add(names, NULL);
    hint = fltvm_nearest_hint(shown, (const char *const *)names->pdata);
    text = g_strdup_printf("%s: no field '%s'%s", what, shown, hint);
    g_free(hint);
    g_ptr_array_unref(names);
    raise_text(lua, text);
}

/* The key is on top, at `key`. */
static void check_field(lua_State *lua, int index, int key, const char *what, const FltvmLuaField *known)
{
    const char *shown = fltvm_lua_push_safe_text(lua, key);
    const FltvmLuaField *field = NULL;
    int type;

    if (lua_isinteger(lua, key) && lua_tointeger(lua, key) >= 1)
        field = find(known, "[n]");
    else if (lua_type(lua, key) == LUA_TSTRING)
        field = find(known, shown);
    if (!field)
        refuse_key(lua, what, shown, known);
    lua_pushvalue(lua, key);
    type = lua_rawget(lua, index);
    if (!(field->types & 1u << type)) {
        char *types = name_types(field->types), *found = name_types(1u << type);
        char *text = g_strdup_printf("%s: %s is %s, not %s", what, shown, *found ? found : "nothing of use", types);
        g_free(types);
        g_free(found);
        raise_text(lua, text);
    }
    lua_pop(lua, 2);
}

void fltvm_lua_check_fields(lua_State *lua, int index, const char *what, const FltvmLuaField *known)
{
    lua_Integer count;

    if (lua_isnoneornil(lua, index))
        return;
    if (!lua_istable(lua, index))
        raise_text(lua, g_strdup_printf("%s: a table of options is wanted, not a %s", what, luaL_typename(lua, index)));
    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 8, what);
    count = fltvm_lua_push_keys(lua, index, TRUE);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, i);
        check_field(lua, index, lua_gettop(lua), what, known);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

guint fltvm_lua_choice(lua_State *lua, const char *what, const char *text, const char *const *words)
{
    GString *list;
    char *hint;

    for (guint i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    list = g_string_new(NULL);
    hint = fltvm_nearest_hint(text, words);
    g_string_printf(list, "%s: '%s' is none of", what, text);
    for (guint i = 0; words[i]; i++)
        g_string_append_printf(list, "%s %s", i ? "," : "", words[i]);
    g_string_append(list, hint);
    g_free(hint);
    raise_text(lua, g_string_free(list, FALSE));
    return 0;
}

const char *fltvm_lua_list_text(lua_State *lua, int index, lua_Integer i, const char *what)
{
    int type = lua_geti(lua, index, i);

    if (type != LUA_TSTRING)
        luaL_error(lua, "%s: entry %d is a %s, not a text", what, (int)i, lua_typename(lua, type));
    return lua_tostring(lua, -1);
}

gboolean fltvm_lua_field(lua_State *lua, int index, const char *name, int type)
{
    int found;

    if (index == 0 || lua_isnoneornil(lua, index)) /* 0: the caller takes no options */
        return FALSE;
    luaL_checktype(lua, index, LUA_TTABLE);
    luaL_checkstack(lua, 8, name);
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

guint32 fltvm_lua_u32_field(lua_State *lua, int index, const char *name, guint32 fallback)
{
    gint64 value = fltvm_lua_integer_field(lua, index, name, fallback);

    if (value < 0 || value > G_MAXUINT32)
        luaL_error(lua, "%s: %I is not between 0 and 4294967295", name, (lua_Integer)value);
    return (guint32)value;
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

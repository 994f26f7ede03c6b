/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing values: see lua_compare.h.
 *
 * Pairs of tables wait in a list of the script's own, {found, wanted, parent, key} each, so that depth costs
 * memory and no stack. A pair that has been put there is not put there again: tables that contain themselves come
 * to an end.
 */
#include "lua_compare.h"

#include <lauxlib.h>
#include <string.h>

#include "lua_order.h"
#include "lua_show.h"

/* Of a long path, this many steps at either end are shown. */
#define PATH_END 6

/* Stack places of fltvm_lua_equal()'s lists: each starts with a pair's number. */
typedef struct {
    int found, wanted, parent, key;
    int seen; /* found table to the set of tables it was paired with */
    lua_Integer count;
} Pairs;

static Pairs new_pairs(lua_State *lua)
{
    Pairs pairs = {.count = 0};
    int *places[] = {&pairs.found, &pairs.wanted, &pairs.parent, &pairs.key, &pairs.seen};

    luaL_checkstack(lua, 24, "expect_equal");
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        lua_newtable(lua);
        *places[i] = lua_gettop(lua);
    }
    return pairs;
}

/* TRUE when the tables at `a` and `b` have not been paired before. */
static gboolean is_new(lua_State *lua, const Pairs *pairs, int a, int b)
{
    gboolean is_new;

    lua_pushvalue(lua, a);
    if (lua_rawget(lua, pairs->seen) == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_newtable(lua);
        lua_pushvalue(lua, a);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, pairs->seen);
    }
    lua_pushvalue(lua, b);
    is_new = lua_rawget(lua, -2) == LUA_TNIL;
    lua_pushvalue(lua, b);
    lua_pushboolean(lua, TRUE);
    lua_rawset(lua, -4);
    lua_pop(lua, 2);
    return is_new;
}

/*
 * The values at `a` and `b`, found under the key at `key` (0: none) of pair `parent`: FALSE when they differ for
 * sure.
 */
static gboolean consider(lua_State *lua, Pairs *pairs, lua_Integer parent, int key, int a, int b)
{
    const struct {
        int list, value;
    } parts[] = {{pairs->found, a}, {pairs->wanted, b}, {pairs->key, key}};

    if (lua_compare(lua, a, b, LUA_OPEQ))
        return TRUE;
    if (!lua_istable(lua, a) || !lua_istable(lua, b))
        return FALSE;
    if (!is_new(lua, pairs, a, b))
        return TRUE;
    pairs->count++;
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].value)
            lua_pushvalue(lua, parts[i].value);
        else
            lua_pushboolean(lua, FALSE);
        lua_rawseti(lua, parts[i].list, pairs->count);
    }
    lua_pushinteger(lua, parent);
    lua_rawseti(lua, pairs->parent, pairs->count);
    return TRUE;
}

/* --- telling ------------------------------------------------------------------------------------------- */

/* The path to the key on top, which stands in pair `pair`. */
static char *path_of(lua_State *lua, const Pairs *pairs, lua_Integer pair)
{
    GPtrArray *steps = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    lua_pushvalue(lua, -1);
    do {
        GString *step = g_string_new(NULL);
        fltvm_lua_add_step(lua, step, -1);
        lua_pop(lua, 1);
        g_ptr_array_add(steps, g_string_free(step, FALSE));
        lua_rawgeti(lua, pairs->key, pair);
        lua_rawgeti(lua, pairs->parent, pair);
        pair = lua_tointeger(lua, -1);
        lua_pop(lua, 1);
    } while (pair);
    lua_pop(lua, 1); /* the first pair has no key */
    for (guint i = steps->len; i-- > 0;) {
        if (steps->len > 2 * PATH_END + 1 && i < steps->len - PATH_END && i >= PATH_END) {
            g_string_append_printf(text, " … (%u levels) … ", steps->len - 2 * PATH_END);
            i = PATH_END;
            continue;
        }
        g_string_append(text, steps->pdata[i]);
    }
    g_ptr_array_unref(steps);
    return g_string_free(text, FALSE);
}

/* Where two long texts part. */
static void add_place(lua_State *lua, GString *text, int found, int wanted)
{
    gsize length[2], place = 0;
    const char *a, *b;

    if (lua_type(lua, found) != LUA_TSTRING || lua_type(lua, wanted) != LUA_TSTRING)
        return;
    a = lua_tolstring(lua, found, &length[0]);
    b = lua_tolstring(lua, wanted, &length[1]);
    if (MAX(length[0], length[1]) <= 32)
        return;
    while (place < MIN(length[0], length[1]) && a[place] == b[place])
        place++;
    g_string_append_printf(text, "; the first difference is at byte %" G_GSIZE_FORMAT, place);
    if (place < MIN(length[0], length[1]))
        g_string_append_printf(text, ", 0x%02x instead of 0x%02x", (guchar)a[place], (guchar)b[place]);
}

/* "at PATH: found X, expected Y"; frees the path. */
static void push_difference(lua_State *lua, char *path, int found, int wanted)
{
    GString *text = g_string_new(NULL);
    const char *a, *b;

    found = lua_absindex(lua, found);
    wanted = lua_absindex(lua, wanted);
    a = fltvm_lua_push_shown(lua, found);
    b = fltvm_lua_push_shown(lua, wanted);
    if (path && *path)
        g_string_append_printf(text, "at %s: ", *path == '.' ? path + 1 : path);
    g_string_append_printf(text, "found %s, expected %s", a, b);
    add_place(lua, text, found, wanted);
    lua_pop(lua, 2);
    lua_pushlstring(lua, text->str, text->len);
    g_string_free(text, TRUE);
    g_free(path);
}

/* --- comparing ----------------------------------------------------------------------------------------- */

/* The fields of a pair of tables, those of `keys_of` in order; FALSE with the difference on top. */
static gboolean compare_fields(lua_State *lua, Pairs *pairs, lua_Integer pair, int a, int b, int keys_of)
{
    int top = lua_gettop(lua);
    lua_Integer count = fltvm_lua_push_keys(lua, keys_of, TRUE);

    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, top + 1, i);
        lua_pushvalue(lua, -1);
        lua_gettable(lua, a);
        lua_pushvalue(lua, -2);
        lua_gettable(lua, b);
        if (!consider(lua, pairs, pair, top + 2, top + 3, top + 4)) {
            char *path;
            lua_pushvalue(lua, top + 2);
            path = path_of(lua, pairs, pair);
            push_difference(lua, path, top + 3, top + 4);
            return FALSE;
        }
        lua_settop(lua, top + 1);
    }
    lua_settop(lua, top);
    return TRUE;
}

gboolean fltvm_lua_equal(lua_State *lua, int found, int wanted)
{
    Pairs pairs;

    found = lua_absindex(lua, found);
    wanted = lua_absindex(lua, wanted);
    pairs = new_pairs(lua);
    if (!consider(lua, &pairs, 0, 0, found, wanted)) {
        push_difference(lua, NULL, found, wanted);
        return FALSE;
    }
    for (lua_Integer i = 1; i <= pairs.count; i++) {
        int a, b;
        lua_rawgeti(lua, pairs.found, i);
        lua_rawgeti(lua, pairs.wanted, i);
        a = lua_gettop(lua) - 1;
        b = a + 1;
        if (!compare_fields(lua, &pairs, i, a, b, a) || !compare_fields(lua, &pairs, i, a, b, b))
            return FALSE;
        lua_pop(lua, 2);
    }
    lua_settop(lua, pairs.found - 1);
    return TRUE;
}

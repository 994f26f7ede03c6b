/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of keys, and pairs(), next() and table.sort() that keep to it: see lua_order.h. */
#include "lua_order.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lua_show.h"
#include "vocabulary.h"

/* --- keys ---------------------------------------------------------------------------------------------- */

typedef enum { RANK_NUMBER, RANK_TEXT, RANK_BOOLEAN, RANK_NUMBERED, RANK_NONE } Rank;

typedef struct {
    Rank rank;
    gboolean is_integer;
    lua_Integer integer; /* a whole number, a boolean, an object's number */
    lua_Number number;
    const char *text; /* as long as its table holds it */
    gsize length;
    lua_Integer place; /* where it was found */
} Key;

static Key key_at(lua_State *lua, int index)
{
    Key key = {.rank = RANK_NONE};

    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        key.rank = RANK_NUMBER;
        key.is_integer = lua_isinteger(lua, index);
        key.integer = lua_tointeger(lua, index);
        key.number = lua_tonumber(lua, index);
        break;
    case LUA_TSTRING:
        key.rank = RANK_TEXT;
        key.text = lua_tolstring(lua, index, &key.length);
        break;
    case LUA_TBOOLEAN:
        key.rank = RANK_BOOLEAN;
        key.integer = lua_toboolean(lua, index);
        break;
    default: key.integer = fltvm_lua_known_number(lua, index); key.rank = key.integer ? RANK_NUMBERED : RANK_NONE;
    }
    return key;
}

static int compare(const void *left, const void *right)
{
    const Key *a = left, *b = right;
    int order;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    switch (a->rank) {
    case RANK_NUMBER:
        if (a->is_integer && b->is_integer)
            return (a->integer > b->integer) - (a->integer < b->integer);
        if (a->number != b->number)
            return a->number < b->number ? -1 : 1;
        return a->is_integer - b->is_integer; /* beyond 2^53: both are there, and look the same as floats */
    case RANK_TEXT:
        order = memcmp(a->text, b->text, MIN(a->length, b->length));
        return order ? order : (a->length > b->length) - (a->length < b->length);
    case RANK_BOOLEAN:
    case RANK_NUMBERED: return (a->integer > b->integer) - (a->integer < b->integer);
    default: return (a->place > b->place) - (a->place < b->place);
    }
}

static int no_order(lua_State *lua)
{
    return luaL_error(lua, "the order of keys that are tables, functions or the like is not the same in each run: "
                           "keep them in a list");
}

lua_Integer fltvm_lua_push_keys(lua_State *lua, int index, gboolean lenient)
{
    lua_Integer count = 0, without = 0;
    Key *keys;

    index = lua_absindex(lua, index);
    luaL_checkstack(lua, 6, "keys");
    lua_newtable(lua); /* as they are found: this keeps them */
    lua_pushnil(lua);
    while (lua_next(lua, index)) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, ++count);
    }
    keys = lua_newuserdatauv(lua, sizeof(*keys) * (gsize)MAX(count, 1), 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, -2, i);
        keys[i - 1] = key_at(lua, -1);
        keys[i - 1].place = i;
        without += keys[i - 1].rank == RANK_NONE;
        lua_pop(lua, 1);
    }
    if (without > 1 && !lenient)
        no_order(lua);
    qsort(keys, (gsize)count, sizeof(*keys), compare);
    lua_createtable(lua, (int)MIN(count, G_MAXINT), 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, -3, keys[i - 1].place);
        lua_rawseti(lua, -2, i);
    }
    lua_replace(lua, -3);
    lua_pop(lua, 1);
    return count;
}

/* --- pairs --------------------------------------------------------------------------------------------- */

/* Behind position `from` of the list at `keys`, the first key that the table at `index` still has, and its value. */
static int push_live(lua_State *lua, int index, int keys, lua_Integer from, lua_Integer *found)
{
    for (lua_Integer i = from + 1;; i++) {
        if (lua_rawgeti(lua, keys, i) == LUA_TNIL)
            return 1;
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, index) != LUA_TNIL) {
            if (found)
                *found = i;
            return 2;
        }
        lua_pop(lua, 2);
    }
}

/* Upvalues: the keys, and how many have been given. */
static int pairs_step(lua_State *lua)
{
    lua_Integer place = lua_tointeger(lua, lua_upvalueindex(2));
    int count;

    lua_settop(lua, 1);
    count = push_live(lua, 1, lua_upvalueindex(1), place, &place);
    lua_pushinteger(lua, place);
    lua_replace(lua, lua_upvalueindex(2));
    return count;
}

static int order_pairs(lua_State *lua)
{
    luaL_checkany(lua, 1);
    if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 1, 3);
        return 3;
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    fltvm_lua_push_keys(lua, 1, FALSE);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, pairs_step, 2);
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

/* --- next ---------------------------------------------------------------------------------------------- */

/* The least key and its value. */
static int push_first(lua_State *lua)
{
    Key least = {0}, key;
    gboolean any = FALSE;
    lua_Integer without = 0;

    lua_settop(lua, 1);
    lua_pushnil(lua); /* 2: the least so far */
    lua_pushnil(lua);
    while (lua_next(lua, 1)) {
        lua_pop(lua, 1);
        key = key_at(lua, -1);
        without += key.rank == RANK_NONE;
        if (!any || compare(&key, &least) < 0) {
            any = TRUE;
            least = key;
            lua_pushvalue(lua, -1);
            lua_replace(lua, 2);
        }
    }
    if (without > 1)
        no_order(lua);
    if (!any)
        return 1;
    lua_pushvalue(lua, 2);
    lua_rawget(lua, 1);
    return 2;
}

/*
 * next(table [, key]).  The keys of a walk are kept with the table (upvalue 1, weak), from the first step behind
 * the first key until a new walk begins; the place of a key is found by its order, so that it may have been
 * removed.
 */
static int order_next(lua_State *lua)
{
    lua_Integer low = 0, high;
    Key wanted;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    if (lua_isnil(lua, 2)) {
        lua_pushvalue(lua, 1);
        lua_pushnil(lua);
        lua_rawset(lua, lua_upvalueindex(1));
        return push_first(lua);
    }
    lua_pushvalue(lua, 1);
    if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL) {
        lua_pop(lua, 1);
        fltvm_lua_push_keys(lua, 1, FALSE);
        lua_pushvalue(lua, 1);
        lua_pushvalue(lua, 3);
        lua_rawset(lua, lua_upvalueindex(1));
    }
    wanted = key_at(lua, 2);
    high = (lua_Integer)lua_rawlen(lua, 3);
    while (low < high) { /* low: how many are not behind it */
        lua_Integer middle = (low + high) / 2;
        Key key;
        lua_rawgeti(lua, 3, middle + 1);
        key = key_at(lua, -1);
        lua_pop(lua, 1);
        if (compare(&key, &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return push_live(lua, 1, 3, low, NULL);
}

/* --- table.sort ---------------------------------------------------------------------------------------- */

/* Does the value at `a` come before that at `b`?  The order is at 2, or nil. */
static gboolean before(lua_State *lua, int a, int b)
{
    gboolean result;

    if (lua_isnil(lua, 2))
        return lua_compare(lua, a, b, LUA_OPLT);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, a < 0 ? a - 1 : a);
    lua_pushvalue(lua, b < 0 ? b - 2 : b);
    lua_call(lua, 2, 1);
    result = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return result;
}

/* Merge [from, middle) and [middle, to) of the list at `source` into that at `target`. */
static void merge(lua_State *lua, int source, int target, lua_Integer from, lua_Integer middle, lua_Integer to)
{
    lua_Integer left = from, right = middle;

    for (lua_Integer i = from; i < to; i++) {
        gboolean take_right = left == middle;
        if (left < middle && right < to) {
            lua_rawgeti(lua, source, right);
            lua_rawgeti(lua, source, left);
            take_right = before(lua, -2, -1);
            lua_pop(lua, 2);
        }
        lua_rawgeti(lua, source, take_right ? right++ : left++);
        lua_rawseti(lua, target, i);
    }
}

/*
 * table.sort(list [, before]): a stable merge sort.  Lua's own picks pivots by the clock, and what it makes of
 * equal elements would not be the same in each run.
 */
static int order_sort(lua_State *lua)
{
    lua_Integer count;
    int source = 3, target = 4;

    luaL_checktype(lua, 1, LUA_TTABLE);
    if (!lua_isnoneornil(lua, 2))
        luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_settop(lua, 2);
    count = luaL_len(lua, 1);
    luaL_argcheck(lua, count < G_MAXINT, 1, "array too big");
    lua_newtable(lua);
    lua_newtable(lua);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, 1, i);
        lua_rawseti(lua, 3, i);
    }
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer from = 1; from <= count; from += 2 * width)
            merge(lua, source, target, from, MIN(from + width, count + 1), MIN(from + 2 * width, count + 1));
        source = 7 - source;
        target = 7 - target;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, source, i);
        lua_seti(lua, 1, i);
    }
    return 0;
}

void fltvm_lua_open_order(lua_State *lua)
{
    lua_pushcfunction(lua, order_pairs);
    lua_setglobal(lua, "pairs");
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_pushcclosure(lua, order_next, 1);
    lua_setglobal(lua, "next");
    lua_getglobal(lua, "table");
    lua_pushcfunction(lua, order_sort);
    lua_setfield(lua, -2, "sort");
    lua_pop(lua, 1);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An order for the keys of a table, so that walking one is the same in every run.
 *
 * Numbers by value, then texts by their bytes, then false and true, then what has a number of its own
 * (lua_show.h): fltvm's values in the order they were made, others in the order they were first shown.
 */
#ifndef FLTVM_HOST_LUA_ORDER_H
#define FLTVM_HOST_LUA_ORDER_H

#include <glib.h>
#include <lua.h>

/*
 * Push the list of the keys of the table at `index`, in order; returns how many.  Several keys that have no order
 * are an error, unless `lenient`: then they come last.  No metamethod is called.  O(n log n).
 */
lua_Integer fltvm_lua_push_keys(lua_State *lua, int index, gboolean lenient);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparing values of a script. */
#ifndef FLTVM_HOST_LUA_COMPARE_H
#define FLTVM_HOST_LUA_COMPARE_H

#include <glib.h>
#include <lua.h>

/*
 * Are the values at `found` and `wanted` equal?  Tables are when they hold equal values under the same keys,
 * however deep they are and also when they contain themselves.  If not, the first difference is pushed in words:
 * the least deep one, and of those the one under the first key.
 */
gboolean fltvm_lua_equal(lua_State *lua, int found, int wanted);

#endif

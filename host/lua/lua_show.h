/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as text.  Never an address: what has no text of its own is numbered in the order it is first shown
 * ("table: 1"). Never without end, never with an error: what reports and checks show is cut, and a failing
 * __tostring is said to fail.
 */
#ifndef FLTVM_HOST_LUA_SHOW_H
#define FLTVM_HOST_LUA_SHOW_H

#include <glib.h>
#include <lua.h>

/* Give the value at `index` the next number, if it has none.  Types of fltvm's own do it when a value is made. */
lua_Integer fltvm_lua_number(lua_State *lua, int index);
/* Its number, or 0. */
lua_Integer fltvm_lua_known_number(lua_State *lua, int index);

/* A new value of a registered type, numbered, on the stack. */
void *fltvm_lua_new(lua_State *lua, gsize size, const char *type);

/* Push what tostring() gives; may raise what __tostring does. */
const char *fltvm_lua_push_text(lua_State *lua, int index);

/* The same for an error or a value of the script's, in protected mode: whatever it is, a text is pushed. */
const char *fltvm_lua_push_safe_text(lua_State *lua, int index);

/* Push a value as a message shows it: texts quoted and cut, bytes in hexadecimal, tables with their first fields. */
const char *fltvm_lua_push_shown(lua_State *lua, int index);

/* The path of a field: "" at first, then ".name", "[1]" or "[…]" behind it. */
void fltvm_lua_add_step(lua_State *lua, GString *path, int index);

#endif

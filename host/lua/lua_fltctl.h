/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers as Lua values need of the filter manager. */
#ifndef FLTVM_HOST_LUA_FLTCTL_H
#define FLTVM_HOST_LUA_FLTCTL_H

#include <lua.h>

/* Unload a filter as fltmc does.  Stack indices of the machine, and of {mandatory=, timeout=} or nothing. */
void fltvm_lua_unload_filter(lua_State *lua, int machine, const char *filter, int options);

#endif

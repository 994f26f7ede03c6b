/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers as Lua values need of the filter manager. */
#ifndef FLTVM_HOST_LUA_FLTCTL_H
#define FLTVM_HOST_LUA_FLTCTL_H

#include <lua.h>

#include "abi/command.h"

/* Unload a filter as fltmc does.  Stack indices of the machine, and of {mandatory=, timeout=} or nothing. */
void fltvm_lua_unload_filter(lua_State *lua, int machine, const char *filter, int options);

/* What unloads a filter, or detaches an instance of it, of the machine at that index; the command's data is pushed. */
void fltvm_lua_unload_filter_command(lua_State *lua, int machine, const char *filter, struct fltvm_command *command);
void fltvm_lua_detach_command(lua_State *lua, int machine, const char *filter, const char *volume, const char *instance,
                              struct fltvm_command *command);

#endif

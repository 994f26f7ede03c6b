/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers as Lua values, for what is done to all that a script has loaded: the value is on top of the stack. */
#ifndef FLTVM_HOST_LUA_DRIVER_H
#define FLTVM_HOST_LUA_DRIVER_H

#include <lua.h>

#include "abi/command.h"
#include "machine.h"

/* Whether it is a driver of that machine that is loaded. */
gboolean fltvm_lua_is_loaded(lua_State *lua, const FltvmMachine *machine);

/* The name of a loaded minifilter; NULL: it is none. */
const char *fltvm_lua_filter_name(lua_State *lua, const FltvmMachine *machine);

/* What unloads it; the command's data is pushed.  FALSE: it is no such driver. */
gboolean fltvm_lua_unload_command(lua_State *lua, const FltvmMachine *machine, struct fltvm_command *command);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's registry, written from the host. */
#ifndef FLTVM_HOST_LUA_REGISTRY_H
#define FLTVM_HOST_LUA_REGISTRY_H

#include "lua_machine.h"

#define FLTVM_LUA_SERVICES "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

/* A value as it is stored; flags as in abi/command.h. */
void fltvm_lua_set_value(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, guint32 type,
                         guint32 flags, gconstpointer data, gsize length);
/* REG_SZ and REG_DWORD. */
void fltvm_lua_set_text(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, const char *text);
void fltvm_lua_set_number(lua_State *lua, FltvmMachine *machine, const char *key, const char *value, guint32 number);

#endif

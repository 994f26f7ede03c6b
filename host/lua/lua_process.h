/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes as Lua values, for the files that add methods to them. */
#ifndef FLTVM_HOST_LUA_PROCESS_H
#define FLTVM_HOST_LUA_PROCESS_H

#include "lua_file.h"

typedef struct {
    FltvmMachine *machine; /* the first user value keeps it */
    guint64 id;
    gboolean runs;   /* a program of its own */
    gboolean own;    /* the machine's, not the script's */
    gboolean serves; /* the program that does what a script says is there */
} FltvmLuaProcess;

#define FLTVM_LUA_PROCESS "fltvm.process"

/* The process at `index`, which serves from now on if it does not yet; or an error. */
FltvmLuaProcess *fltvm_lua_process(lua_State *lua, int index);

/*
 * The id of the process that does what a script asks of the machine at 1 itself, with `user`'s token (FLTVM_USER_*); it is made when it is
 * first asked for, and lives as long as the machine.
 */
guint32 fltvm_lua_client(lua_State *lua, guint32 user);
guint32 fltvm_lua_next_client(lua_State *lua, guint32 user); /* another: that one has ended */

#endif

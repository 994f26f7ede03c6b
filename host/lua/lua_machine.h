/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines as Lua values, for the files that add methods to them. */
#ifndef FLTVM_HOST_LUA_MACHINE_H
#define FLTVM_HOST_LUA_MACHINE_H

#include "lua_fields.h"

#define FLTVM_LUA_MACHINE "fltvm.machine"

/* The machine at `index`, or an error. */
FltvmMachine *fltvm_lua_machine(lua_State *lua, int index);

/* A new machine of this configuration (taken over) on the stack; it becomes the global `machine`. */
void fltvm_lua_push_machine(lua_State *lua, FltvmConfig *config);

/*
 * Have a command carried out; a machine that does not answer is a Lua error, and so is a status that says
 * failure unless `may_fail`.  `what` names the operation in errors.  Data up to `length` may be longer than one
 * command takes: it is then staged.
 */
void fltvm_lua_command(lua_State *lua, FltvmMachine *machine, struct fltvm_command *command, gconstpointer data,
                       gsize length, const char *what, gboolean may_fail, FltvmResult *result);

/*
 * Open a driver's device for reading and writing, shared, and return its handle, which stays open as long as the machine
 * lives.  With FLTVM_LUA_OPEN_SYNCHRONOUS its operations wait for each other.
 */
#define FLTVM_LUA_OPEN_SYNCHRONOUS 0x20u /* FILE_SYNCHRONOUS_IO_NONALERT */
guint64 fltvm_lua_open_device(lua_State *lua, FltvmMachine *machine, const char *name, guint32 options);

/* What a command's status is when its time in the guest is over. */
#define FLTVM_LUA_STATUS_TIMEOUT 0x102

/* Raise what a time-out in the guest's time means: which operation, and every thread's stack. */
void fltvm_lua_raise_timeout(lua_State *lua, FltvmMachine *machine, const char *what, guint64 timeout_ns);

/* The whole output of a result: what came with it, and the rest fetched.  Releases the operation. */
GBytes *fltvm_lua_output(lua_State *lua, FltvmMachine *machine, FltvmResult *result);

/*
 * A command's data as a record of `size` bytes, of which the guest must have answered the first `least`; the result is
 * cleared.  Another length is a Lua error: nothing is made up for a guest that says less.
 */
void fltvm_lua_record(lua_State *lua, FltvmResult *result, const char *what, gpointer record, gsize least, gsize size);

/* Send bytes ahead of an operation with FLTVM_COMMAND_FLAG_INPUT. */
void fltvm_lua_stage(lua_State *lua, FltvmMachine *machine, gconstpointer data, gsize length);

/* Default time-out of operations, in virtual ns; a table at `index` may say otherwise as `timeout` (ms). */
guint64 fltvm_lua_timeout(lua_State *lua, int index);

#endif

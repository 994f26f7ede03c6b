/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as Lua values, for the files that add methods to them. */
#ifndef FLTVM_HOST_LUA_FILE_H
#define FLTVM_HOST_LUA_FILE_H

#include "lua_machine.h"

typedef struct {
    FltvmMachine *machine;
    guint64 handle;
    guint32 access; /* what it was opened for */
    guint32 user;   /* who opened it, and works with it: FLTVM_USER_*, or a process's id */
    gboolean open;
} FltvmLuaFile;

#define FLTVM_LUA_FILE "fltvm.file"

/* The file at `index`, which is open, or an error. */
FltvmLuaFile *fltvm_lua_file(lua_State *lua, int index);

/* Where an operation runs, and how long it may take, from the table at `index`. */
void fltvm_lua_set_thread(lua_State *lua, int index, struct fltvm_command *command);

/* What an operation's output becomes: one value. */
typedef int (*FltvmLuaPush)(lua_State *lua, const guint8 *bytes, gsize length);
int fltvm_lua_push_bytes(lua_State *lua, const guint8 *bytes, gsize length);

/*
 * Have a command about the file at 1 done, now, or later with FLTVM_COMMAND_FLAG_ASYNC; thread and timeout come from the table at `options`.
 * One value is pushed: what `push` makes of the output (NULL: how many bytes), or the operation.
 */
int fltvm_lua_perform(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      FltvmLuaPush push, const char *what);

/* The same, done now, but the output is the caller's to unref and nothing is pushed; *status is what it says where it may fail, else NULL. */
GBytes *fltvm_lua_ask(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      const char *what, guint32 *status);

/* The same for what is no file's: a process does it, whose id `user` is.  The operation keeps the value at 1. */
int fltvm_lua_act(lua_State *lua, FltvmMachine *machine, guint32 user, struct fltvm_command *command, int options,
                  gconstpointer data, gsize length, FltvmLuaPush push, const char *what);

/* FLTVM_USER_*, by name; `what` is the field's. */
guint32 fltvm_lua_user(lua_State *lua, const char *what, const char *user);

/* machine:open, and what a process opens as `user`; `what` names the word, whose arguments are on the stack. */
int fltvm_lua_open_as(lua_State *lua, FltvmMachine *machine, guint32 user, const char *what);

/*
 * Fields of the table at `options` that only files of a process may have: `address`, where the process's own buffer is, and
 * how it is told of the end: `apc`, or `context`, with which a packet is queued to a completion port.
 */
#define FLTVM_LUA_TELLING_FIELDS                                                                                       \
    {"apc", FLTVM_LUA_BOOLEAN},                                                                                        \
    {                                                                                                                  \
        "context", FLTVM_LUA_NUMBER                                                                                    \
    }
void fltvm_lua_set_telling(lua_State *lua, int options, struct fltvm_command *command);

/* Adds methods to files. */
void fltvm_lua_add_file_methods(lua_State *lua, const luaL_Reg *methods);

/* One of a set of flags, by name. */
typedef struct {
    const char *name;
    guint64 value;
} FltvmLuaFlag;

/* A number, a text of names between blanks or commas, or a list of names; `known` ends by a NULL name. */
guint64 fltvm_lua_flags(lua_State *lua, int index, const char *what, const FltvmLuaFlag *known);
/* The same, an optional field of the table at `index`. */
guint64 fltvm_lua_flags_field(lua_State *lua, int index, const char *field, const FltvmLuaFlag *known,
                              guint64 fallback);
/* The value of one name, or a number. */
guint64 fltvm_lua_flag(lua_State *lua, int index, const char *what, const FltvmLuaFlag *known);
/* The names of what is set, with blanks between. */
void fltvm_lua_push_flags(lua_State *lua, guint64 value, const FltvmLuaFlag *known);
/* The name of a value, or the number. */
void fltvm_lua_push_flag(lua_State *lua, guint64 value, const FltvmLuaFlag *known);

#define FLTVM_LUA_FLAGS (FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT | FLTVM_LUA_TABLE)

extern const FltvmLuaFlag fltvm_lua_file_attributes[];

/* UTF-16 as Windows has it, to and from the text on the stack: units that are no characters become U+FFFD. */
void fltvm_lua_push_utf16(lua_State *lua, const guint8 *bytes, gsize length);
GByteArray *fltvm_lua_utf16(lua_State *lua, int index, const char *what);

/* Little-endian numbers of `size` bytes at `offset`; what is not there is 0. */
guint64 fltvm_lua_get(const guint8 *bytes, gsize length, gsize offset, gsize size);
void fltvm_lua_put(GByteArray *bytes, gsize offset, gsize size, guint64 value);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the words of the vocabulary have in common: the scenario they speak for, errors and checks.
 * Every lua_*.c stands on this, and this on nothing of theirs.
 */
#ifndef FLTVM_HOST_LUA_WORDS_H
#define FLTVM_HOST_LUA_WORDS_H

#include "scenario.h"

FltvmScenario *fltvm_lua_scenario(lua_State *lua);

/* Push where the script called, "FILE:LINE: ", also through words that are written in Lua themselves. */
void fltvm_lua_push_where(lua_State *lua);

/* Raise a GError as a Lua error; takes it over.  A lost machine also becomes the scenario's fatal error. */
int fltvm_lua_raise(lua_State *lua, GError *error) G_GNUC_NORETURN;

/* Raise an NTSTATUS as an error object with .status, .name and .operation. */
int fltvm_lua_raise_status(lua_State *lua, guint32 status, const char *what) G_GNUC_NORETURN;

/* One check: fails the scenario unless --keep-going.  `detail` is only used when it failed. */
void fltvm_lua_check(lua_State *lua, gboolean holds, const char *name, const char *detail);

/* Raise what ends a scenario whose failed check has been told; whether the error at `index` is that. */
int fltvm_lua_give_up(lua_State *lua) G_GNUC_NORETURN;
gboolean fltvm_lua_gave_up(lua_State *lua, int index);
/* Whether the error at `index` is an NTSTATUS. */
gboolean fltvm_lua_is_status(lua_State *lua, int index);

/* A path as the script means it; newly allocated. */
char *fltvm_lua_path(lua_State *lua, const char *path);

#endif

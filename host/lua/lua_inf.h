/* SPDX-License-Identifier: GPL-2.0-or-later */
/* INF files in machine:load. */
#ifndef FLTVM_HOST_LUA_INF_H
#define FLTVM_HOST_LUA_INF_H

#include "inf.h"
#include "lua_registry.h"

/*
 * Reads the file and pushes what owns it.  An error in it is a Lua error that has all of them; warnings and notes go into
 * the account.  `wanted` names the service to start; NULL: the first of a driver.  `image`: its file beside the INF, or NULL.
 */
FltvmInf *fltvm_lua_read_inf(lua_State *lua, const char *path, const char *wanted, FltvmInfService **service,
                             const char **image);

/* Carries out what it writes into the registry. */
void fltvm_lua_install_inf(lua_State *lua, FltvmMachine *machine, const FltvmInf *inf);

/* Whether the service has minifilter instances. */
gboolean fltvm_lua_inf_has_instances(const FltvmInf *inf, const FltvmInfService *service);

#endif

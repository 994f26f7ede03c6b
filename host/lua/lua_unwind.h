/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a script has opened and loaded, for the end of one that an answer to a choice's failure has ended: see
 * fltvm_scenario_run() and docs/manual/explore.md.  Kept only in a run that is made to fail.
 */
#ifndef FLTVM_HOST_LUA_UNWIND_H
#define FLTVM_HOST_LUA_UNWIND_H

#include "scenario.h"

/* The value on top of the stack has been made; `method` undoes that, or "": the machine's end does. */
void fltvm_lua_opened(lua_State *lua, const char *method);
/* The list of them is pushed: value, method, value, … */
void fltvm_lua_push_opened(lua_State *lua);

/* Undo it all, the last first.  What refuses is passed over; a machine that is lost on the way is scenario->fatal. */
void fltvm_lua_unwind(FltvmScenario *scenario);

/* fltvm.injects() */
void fltvm_lua_open_unwind(lua_State *lua);

#endif

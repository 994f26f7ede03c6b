/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps: what a choice of the command line does between two operations of a script (--unload N and its kin).
 *
 * A step is a command that the script sends to a machine, counted from 1 in each, or from its checkpoint on.  Before the
 * Nth the act begins, on threads of its own, and goes on beside what the script does.  What its operations meet from then
 * on, and checks that do not hold, are answers to it and no findings.
 */
#ifndef FLTVM_HOST_LUA_STEP_H
#define FLTVM_HOST_LUA_STEP_H

#include <lua.h>

#include "abi/command.h"
#include "scenario.h"

FltvmSteps *fltvm_steps_new(void);
void fltvm_steps_free(FltvmSteps *steps);

/* The script is about to have a command carried out. */
void fltvm_lua_step(lua_State *lua, FltvmMachine *machine, const struct fltvm_command *command);

/* Numbers count from here. */
void fltvm_steps_begin_again(FltvmSteps *steps);

/* Whether a choice has acted. */
gboolean fltvm_steps_acted(const FltvmSteps *steps);

/* The script is over: wait for what has been begun.  A machine that is lost, or a hang, is scenario->fatal. */
void fltvm_steps_settle(FltvmScenario *scenario);

/* What there was to act on before each step of the machine, a character each. */
void fltvm_steps_append_offers(const FltvmSteps *steps, const FltvmMachine *machine, GString *json);

#endif

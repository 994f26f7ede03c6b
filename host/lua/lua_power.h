/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a script whose machine lost its power by a choice (--power-cut). */
#ifndef FLTVM_HOST_LUA_POWER_H
#define FLTVM_HOST_LUA_POWER_H

#include "scenario.h"

/* Whether the script was ended by that, and what it says of it was not done yet. */
gboolean fltvm_lua_power_is_cut(const FltvmScenario *scenario);

/* Do it, with the message handler at `handler`: the result of lua_pcall(), with an error's value on the stack. */
int fltvm_lua_after_power_cut(FltvmScenario *scenario, int handler);

#endif

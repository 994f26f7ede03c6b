/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations of how a machine ends that outlast a function call. */
#ifndef FLTVM_HOST_LUA_ENDING_H
#define FLTVM_HOST_LUA_ENDING_H

#include "lua_fields.h"

/* At the end of a scenario: judge the bugcheck that it announced, if any. */
void fltvm_lua_settle_bugcheck(FltvmScenario *scenario);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario.h"
void fltvm_lua_open_host(lua_State *lua)
{
    (void)lua;
}

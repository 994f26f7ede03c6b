/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vocabulary of scenarios: which files give a Lua state its words. */
#ifndef FLTVM_HOST_VOCABULARY_H
#define FLTVM_HOST_VOCABULARY_H

#include <lua.h>

/* Open Lua's own library and all of fltvm's words, in a state whose scenario is set. */
void fltvm_vocabulary_open(lua_State *lua);

/* Each adds its functions to the state. */
void fltvm_lua_open_words(lua_State *lua);
void fltvm_lua_open_show(lua_State *lua);
void fltvm_lua_open_order(lua_State *lua);
void fltvm_lua_open_library(lua_State *lua);
void fltvm_lua_open_machine(lua_State *lua);
void fltvm_lua_open_registry(lua_State *lua);
void fltvm_lua_open_driver(lua_State *lua);
void fltvm_lua_open_file(lua_State *lua);
void fltvm_lua_open_open(lua_State *lua);
void fltvm_lua_open_filefacts(lua_State *lua);
void fltvm_lua_open_information(lua_State *lua);
void fltvm_lua_open_names(lua_State *lua);
void fltvm_lua_open_devices(lua_State *lua);
void fltvm_lua_open_expect(lua_State *lua);
void fltvm_lua_open_log(lua_State *lua);
void fltvm_lua_open_ending(lua_State *lua);
void fltvm_lua_open_fltctl(lua_State *lua);
void fltvm_lua_open_port(lua_State *lua);
void fltvm_lua_open_process(lua_State *lua);
void fltvm_lua_open_processwork(lua_State *lua);
void fltvm_lua_open_processport(lua_State *lua);
void fltvm_lua_open_export(lua_State *lua);
void fltvm_lua_open_trace(lua_State *lua);
void fltvm_lua_open_host(lua_State *lua);
void fltvm_lua_open_unwind(lua_State *lua);
void fltvm_lua_open_checkpoint(lua_State *lua);
void fltvm_lua_open_power(lua_State *lua);

/* math.random begins with the scenario's seed, or with that of its checkpoint: lua_library.c. */
void fltvm_lua_seed(lua_State *lua);

#endif

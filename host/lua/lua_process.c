/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine:process{ name = } -> process: a process of the guest with an address space of its own, which
 * drivers are told of, and which lives until it is ended.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_machine.h"
#include "vocabulary.h"

#define PROCESS "fltvm.process"

static const FltvmLuaField fields[] = {{"name", FLTVM_LUA_TEXT}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};

typedef struct {
    FltvmMachine *machine; /* the first user value keeps it */
    guint64 id;
} Process;

static int machine_process(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    FltvmResult result = {0};
    const char *name;
    Process *process;

    fltvm_lua_check_fields(lua, 2, "machine:process", fields);
    name = fltvm_lua_string_field(lua, 2, "name", NULL);
    if (!name || !*name)
        luaL_error(lua, "machine:process wants the name of an image");
    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    process = lua_newuserdatauv(lua, sizeof(*process), 1);
    process->machine = machine;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    fltvm_lua_command(lua, machine, &command, name, strlen(name) + 1, name, FALSE, &result);
    process->id = result.header.values[0];
    fltvm_result_clear(&result);
    luaL_setmetatable(lua, PROCESS);
    return 1;
}

static int process_id(lua_State *lua)
{
    Process *process = luaL_checkudata(lua, 1, PROCESS);

    lua_pushinteger(lua, (lua_Integer)process->id);
    return 1;
}

/* process:kill([status]) */
static int process_kill(lua_State *lua)
{
    Process *process = luaL_checkudata(lua, 1, PROCESS);
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS_END,
                                    .args = {process->id, (guint32)luaL_optinteger(lua, 2, 1)}};
    FltvmResult result = {0};

    command.timeout_ns = fltvm_lua_timeout(lua, 3);
    fltvm_lua_command(lua, process->machine, &command, NULL, 0, "ending a process", FALSE, &result);
    fltvm_result_clear(&result);
    return 0;
}

static const luaL_Reg methods[] = {{"id", process_id}, {"kill", process_kill}, {NULL, NULL}};

void fltvm_lua_open_process(lua_State *lua)
{
    luaL_newmetatable(lua, PROCESS);
    luaL_newlib(lua, methods);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_process);
    lua_setfield(lua, -2, "process");
    lua_pop(lua, 1);
}

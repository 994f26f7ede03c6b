/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of a process, in Lua: process:completion_port() -> port; and process:port(), as machine:port, which is made of the words of
 * files that processes have, too.
 */
#include <lauxlib.h>

#include "lua_process.h"
#include "lua_show.h"
#include "vocabulary.h"

#define PORT "fltvm.completion_port"

/* Of the documented NT interface. */
enum { FILE_COMPLETION_INFORMATION = 30, PACKET_SIZE = 32, MOST_PACKETS = 64 };

typedef struct {
    FltvmMachine *machine; /* the first user value keeps its process */
    guint32 user;
    guint64 handle;
    gboolean open;
} Port;

static Port *check_port(lua_State *lua)
{
    Port *port = luaL_checkudata(lua, 1, PORT);

    if (!port->open)
        luaL_error(lua, "the completion port is closed");
    return port;
}

/* A command about the port at 1. */
static int act(lua_State *lua, struct fltvm_command *command, int options, FltvmLuaPush push, const char *what)
{
    const Port *port = check_port(lua);

    command->args[0] = port->handle;
    return fltvm_lua_act(lua, port->machine, port->user, command, options, NULL, 0, push, what);
}

/* process:completion_port([{threads=, thread=, timeout=}]) -> port; threads: how many may run at once, 0: one a processor */
static int process_completion_port(lua_State *lua)
{
    static const FltvmLuaField known[] = {
        {"threads", FLTVM_LUA_NUMBER}, {"thread", FLTVM_LUA_NUMBER}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
    const FltvmLuaProcess *process = fltvm_lua_process(lua, 1);
    struct fltvm_command command = {.op = FLTVM_COMMAND_PORT};
    Port *port;

    fltvm_lua_check_fields(lua, 2, "process:completion_port", known);
    lua_settop(lua, 2);
    command.args[0] = fltvm_lua_u32_field(lua, 2, "threads", 0);
    fltvm_lua_act(lua, process->machine, (guint32)process->id, &command, 2, NULL, 0, NULL, "making a completion port");
    port = fltvm_lua_new(lua, sizeof(*port), PORT);
    port->machine = process->machine;
    port->user = (guint32)process->id;
    port->handle = (guint64)lua_tointeger(lua, -2);
    port->open = TRUE;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

/* port:associate(file [, key]): each request of the file's that has a context queues a packet when it is over */
static int port_associate(lua_State *lua)
{
    const Port *port = check_port(lua);
    const FltvmLuaFile *file = fltvm_lua_file(lua, 2);
    struct fltvm_command command = {.op = FLTVM_COMMAND_SET, .args = {file->handle, FILE_COMPLETION_INFORMATION}};
    guint64 information[] = {GUINT64_TO_LE(port->handle), GUINT64_TO_LE((guint64)luaL_optinteger(lua, 3, 0))};

    if (file->user != port->user)
        luaL_error(lua, "the file is not one that the port's process has opened");
    lua_settop(lua, 3);
    fltvm_lua_act(lua, port->machine, port->user, &command, 4, information, sizeof(information), NULL,
                  "associating a file with a completion port");
    return 0;
}

/* FILE_IO_COMPLETION_INFORMATION: one after the other. */
static int push_packets(lua_State *lua, const guint8 *bytes, gsize length)
{
    static const struct {
        const char *name;
        guint offset, size;
    } parts[] = {{"key", 0, 8}, {"context", 8, 8}, {"status", 16, 4}, {"information", 24, 8}};

    lua_newtable(lua);
    for (lua_Integer number = 1; length >= PACKET_SIZE; number++, bytes += PACKET_SIZE, length -= PACKET_SIZE) {
        lua_newtable(lua);
        for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
            lua_pushinteger(lua, (lua_Integer)fltvm_lua_get(bytes, length, parts[i].offset, parts[i].size));
            lua_setfield(lua, -2, parts[i].name);
        }
        lua_seti(lua, -2, number);
    }
    return 1;
}

/* Of one packet: itself, or nil. */
static int push_packet(lua_State *lua, const guint8 *bytes, gsize length)
{
    push_packets(lua, bytes, length);
    lua_geti(lua, -1, 1);
    return 1;
}

/*
 * port:remove([{wait=, most=, thread=, timeout=}]) -> {key=, context=, status=, information=}, or nil when none has come within
 * `wait` ms; with `most`, a list of up to so many
 */
static int remove_with(lua_State *lua, guint32 flags)
{
    static const FltvmLuaField known[] = {{"wait", FLTVM_LUA_NUMBER},
                                          {"most", FLTVM_LUA_NUMBER},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_PORT_REMOVE, .flags = flags};
    gint64 most;

    check_port(lua);
    fltvm_lua_check_fields(lua, 2, "port:remove", known);
    lua_settop(lua, 2);
    most = fltvm_lua_integer_field(lua, 2, "most", 0);
    if (most < 0 || most > MOST_PACKETS)
        luaL_error(lua, "most: not between 1 and %d", MOST_PACKETS);
    command.args[1] = (guint64)MAX(most, 1);
    command.args[2] = FLTVM_FOREVER;
    if (fltvm_lua_field(lua, 2, "wait", LUA_TNUMBER)) {
        command.args[2] = fltvm_lua_nanoseconds(lua, lua_tonumber(lua, -1), "wait");
        lua_pop(lua, 1);
    }
    return act(lua, &command, 2, most ? push_packets : push_packet, "removing from a completion port");
}

static int port_remove(lua_State *lua)
{
    return remove_with(lua, 0);
}

static int port_remove_async(lua_State *lua)
{
    return remove_with(lua, FLTVM_COMMAND_FLAG_ASYNC);
}

/* port:post([{key=, context=, status=, information=}]) */
static int port_post(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"key", FLTVM_LUA_NUMBER},
                                          {"context", FLTVM_LUA_NUMBER},
                                          {"status", FLTVM_LUA_NUMBER},
                                          {"information", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_PORT_POST};

    check_port(lua);
    fltvm_lua_check_fields(lua, 2, "port:post", known);
    lua_settop(lua, 2);
    for (gsize i = 0; known[i].name; i++)
        command.args[1 + i] = (guint64)fltvm_lua_integer_field(lua, 2, known[i].name, 0);
    act(lua, &command, 3, NULL, "posting to a completion port");
    return 0;
}

/* port:depth() -> how many packets are in it */
static int port_depth(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PORT_DEPTH};

    lua_settop(lua, 1);
    return act(lua, &command, 2, NULL, "asking a completion port");
}

static int port_close(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_CLOSE};
    Port *port = check_port(lua);

    lua_settop(lua, 1);
    act(lua, &command, 2, NULL, "closing a completion port");
    port->open = FALSE;
    return 0;
}

void fltvm_lua_open_processport(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"associate", port_associate},
                                       {"close", port_close},
                                       {"depth", port_depth},
                                       {"post", port_post},
                                       {"remove", port_remove},
                                       {"remove_async", port_remove_async},
                                       {NULL, NULL}};

    luaL_getmetatable(lua, FLTVM_LUA_PROCESS);
    lua_getfield(lua, -1, "__index");
    lua_pushcfunction(lua, process_completion_port);
    lua_setfield(lua, -2, "completion_port");
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_getfield(lua, -1, "port");
    lua_setfield(lua, -3, "port");
    lua_pop(lua, 3);
    luaL_newmetatable(lua, PORT);
    luaL_newlib(lua, methods);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

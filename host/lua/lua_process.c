/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine:process{ name = } -> process: a process of the guest with an address space of its own, which
 * drivers are told of, and which lives until it is ended.  With program = it runs that in user mode, and ends with it.
 * With file = it runs a program that lies on a volume of the machine.  Without, it is given the program that serves (guest/user/client.c) when it is first asked to do something.
 */
#include <lauxlib.h>
#include <string.h>

#include "compile.h"
#include "error.h"
#include "lua_process.h"
#include "lua_unwind.h"
#include "paths.h"
#include "vocabulary.h"

#define PROCESS    FLTVM_LUA_PROCESS
#define MOST_FLAGS 16

/* The image of a machine's own clients, as drivers are told it. */
#define CLIENT_NAME "\\client.exe"

typedef FltvmLuaProcess Process;

static const FltvmLuaField fields[] = {{"name", FLTVM_LUA_TEXT},
                                       {"program", FLTVM_LUA_TEXT},
                                       {"flags", FLTVM_LUA_TABLE},
                                       {"token", FLTVM_LUA_TEXT},
                                       {"timeout", FLTVM_LUA_NUMBER},
                                       {"file", FLTVM_LUA_TEXT},
                                       {NULL, 0}};

static gboolean append_file(GByteArray *bytes, const char *what, const char *path, guint64 *length, GError **error)
{
    g_autofree char *contents = NULL;
    gsize count;

    if (!fltvm_path_check(what, path, error) || !g_file_get_contents(path, &contents, &count, error))
        return FALSE;
    g_byte_array_append(bytes, (const guint8 *)contents, (guint)count);
    *length = count;
    return TRUE;
}

/* One of the build's images of user mode. */
static gboolean append_part(GByteArray *bytes, const char *name, guint64 *length, GError **error)
{
    g_autofree char *build = fltvm_path_build();
    g_autofree char *path = g_build_filename(build, "guest", "user", name, NULL);

    return append_file(bytes, name, path, length, error);
}

/* An image of user mode, which is compiled first if it is C. */
static gboolean append_program(GByteArray *bytes, const char *program, const char *const *flags, guint64 *length,
                               GError **error)
{
    g_auto(FltvmCompiled) compiled = {0};

    if (g_str_has_suffix(program, ".c")) {
        g_autofree char *base = g_path_get_basename(program);
        g_autofree char *image = g_strdup_printf("%.*s.exe", (int)strlen(base) - 2, base);
        const char *sources[] = {program, NULL};

        if (!fltvm_compile(image, sources, flags, FALSE, &compiled, error))
            return FALSE;
        program = compiled.image;
    }
    return append_file(bytes, "program", program, length, error);
}

/* The compiler's flags, from the table at index, which keeps their texts. */
static void read_flags(lua_State *lua, int index, const char *flags[MOST_FLAGS + 2])
{
    lua_Integer count = (lua_Integer)lua_rawlen(lua, index);

    if (count > MOST_FLAGS)
        luaL_error(lua, "a program takes %d flags", MOST_FLAGS);
    for (lua_Integer i = 1; i <= count; i++) {
        flags[i] = fltvm_lua_list_text(lua, index, i, "flags");
        lua_pop(lua, 1);
    }
}

/* The command's input, pushed; or an error.  Nothing of GLib's is held when Lua may leave. */
static void push_input(lua_State *lua, const char *name, const char *program, gboolean runs,
                       struct fltvm_command *command)
{
    const char *flags[MOST_FLAGS + 2] = {"--user"};
    gboolean done = TRUE;

    if (lua_getfield(lua, 2, "flags") == LUA_TTABLE)
        read_flags(lua, lua_gettop(lua), flags);
    lua_pop(lua, 1);

    {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autofree char *path = program ? fltvm_lua_path(lua, program) : NULL;
        g_autoptr(GError) error = NULL;

        g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name) + 1);
        done = !runs || (append_part(bytes, "ntdll.dll", &command->args[0], &error) &&
                         (!path || append_program(bytes, path, flags, &command->args[1], &error)));
        if (done)
            lua_pushlstring(lua, (const char *)bytes->data, bytes->len);
        else
            lua_pushfstring(lua, "%s", error->message);
    }
    if (!done)
        lua_error(lua);
}

/* fltvm.program(source [, flags]) -> the bytes of an image of user mode, of a C file or of one that is there */
static int lua_program(lua_State *lua)
{
    const char *source = luaL_checkstring(lua, 1), *flags[MOST_FLAGS + 2] = {"--user"};
    gboolean done;

    lua_settop(lua, 2);
    if (!lua_isnil(lua, 2)) {
        luaL_checktype(lua, 2, LUA_TTABLE);
        read_flags(lua, 2, flags);
    }
    {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autofree char *path = fltvm_lua_path(lua, source);
        g_autoptr(GError) error = NULL;
        guint64 length;

        done = append_program(bytes, path, flags, &length, &error);
        if (done)
            lua_pushlstring(lua, (const char *)bytes->data, bytes->len);
        else
            lua_pushfstring(lua, "%s", error->message);
    }
    return done ? 1 : lua_error(lua);
}

/* A process on the stack, of the machine at `index` in the stack, which the process keeps. */
static Process *push_process(lua_State *lua, int index)
{
    Process *process = lua_newuserdatauv(lua, sizeof(*process), 1);

    *process = (Process){.machine = fltvm_lua_machine(lua, index)};
    lua_pushvalue(lua, index);
    lua_setiuservalue(lua, -2, 1);
    luaL_setmetatable(lua, PROCESS);
    return process;
}

/* The process on top of the stack is made, of the input above it, which is taken away. */
static void create_process(lua_State *lua, Process *process, struct fltvm_command *command, const char *name)
{
    FltvmResult result = {0};

    fltvm_lua_command(lua, process->machine, command, lua_tostring(lua, -1), lua_rawlen(lua, -1), name, FALSE, &result);
    lua_pop(lua, 1);
    process->id = result.header.values[0];
    fltvm_result_clear(&result);
}

static int machine_process(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS};
    const char *name, *program, *file, *token;
    Process *process;

    fltvm_lua_machine(lua, 1);
    fltvm_lua_check_fields(lua, 2, "machine:process", fields);
    program = fltvm_lua_string_field(lua, 2, "program", NULL);
    file = fltvm_lua_string_field(lua, 2, "file", NULL);
    name = fltvm_lua_string_field(lua, 2, "name", file ? file : program ? "program.exe" : NULL);
    if (file && (program || name != file))
        luaL_error(lua, "machine:process: file says both what runs and its name: without program and name");
    if (!name || !*name)
        luaL_error(lua, "machine:process wants the name of an image");
    token = fltvm_lua_string_field(lua, 2, "token", NULL);
    command.args[2] = token ? fltvm_lua_user(lua, "token", token) : FLTVM_USER_NONE; /* the System process's */
    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    process = push_process(lua, 1);
    process->runs = program || file;
    push_input(lua, name, program, process->runs, &command);
    create_process(lua, process, &command, name);
    fltvm_lua_opened(lua, "");
    return 1;
}

/* The program that does what a script says is in the process from now on. */
static void serve(lua_State *lua, Process *process)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS_SERVE, .args = {process->id, 0, 0, process->own}};
    FltvmResult result = {0};
    GByteArray *bytes;
    GError *error = NULL;

    bytes = g_byte_array_new();
    if (!append_part(bytes, "ntdll.dll", &command.args[1], &error) ||
        !append_part(bytes, "client.exe", &command.args[2], &error)) {
        g_byte_array_unref(bytes);
        fltvm_lua_raise(lua, error);
    }
    command.timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1); /* no table: the default */
    lua_pushlstring(lua, (const char *)bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    fltvm_lua_command(lua, process->machine, &command, lua_tostring(lua, -1), lua_rawlen(lua, -1),
                      "beginning to serve in a process", FALSE, &result);
    fltvm_result_clear(&result);
    lua_pop(lua, 1);
    process->serves = TRUE;
}

FltvmLuaProcess *fltvm_lua_process(lua_State *lua, int index)
{
    Process *process = luaL_checkudata(lua, index, PROCESS);

    if (process->runs)
        luaL_error(
            lua, "the process runs a program, which does what it does; one without program = does what a script says");
    if (!process->serves)
        serve(lua, process);
    return process;
}

/* The machine at 1's own client of `user`'s, on the stack. */
static Process *push_client(lua_State *lua, guint32 user)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS, .args = {0, 0, user, 1}};
    Process *process;

    lua_getiuservalue(lua, 1, 1);
    if (lua_rawgeti(lua, -1, (lua_Integer)user) == LUA_TNIL) {
        lua_pop(lua, 1);
        command.timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1); /* no table: the default */
        process = push_process(lua, 1);
        process->own = TRUE;
        lua_pushlstring(lua, CLIENT_NAME, sizeof(CLIENT_NAME));
        create_process(lua, process, &command, CLIENT_NAME);
        serve(lua, process);
        fltvm_lua_opened(lua, ""); /* it may die as any other */
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, (lua_Integer)user);
    }
    lua_remove(lua, -2);
    return lua_touserdata(lua, -1);
}

guint32 fltvm_lua_client(lua_State *lua, guint32 user)
{
    guint32 id = (guint32)push_client(lua, user)->id;

    lua_pop(lua, 1);
    return id;
}

guint32 fltvm_lua_next_client(lua_State *lua, guint32 user)
{
    lua_getiuservalue(lua, 1, 1);
    lua_pushnil(lua);
    lua_rawseti(lua, -2, (lua_Integer)user);
    lua_pop(lua, 1);
    return fltvm_lua_client(lua, user);
}

/* machine:client([user]) -> process */
static int machine_client(lua_State *lua)
{
    const char *user = luaL_optstring(lua, 2, "system");

    fltvm_lua_machine(lua, 1);
    push_client(lua, fltvm_lua_user(lua, "user", user));
    return 1;
}

/* process:open(path [, {...}]) -> file, what was done */
static int process_open(lua_State *lua)
{
    const Process *process = fltvm_lua_process(lua, 1);

    return fltvm_lua_open_as(lua, process->machine, (guint32)process->id, "process:open");
}

/* process:exit([status]): it ends itself */
static int process_exit(lua_State *lua)
{
    const Process *process = fltvm_lua_process(lua, 1);
    struct fltvm_command command = {.op = FLTVM_COMMAND_EXIT,
                                    .args = {(guint32)luaL_optinteger(lua, 2, 0)},
                                    .user = (guint32)process->id,
                                    .timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1)};
    FltvmResult result = {0};

    fltvm_lua_command(lua, process->machine, &command, NULL, 0, "exiting", TRUE, &result);
    fltvm_result_clear(&result);
    if ((guint32)result.header.status == FLTVM_LUA_STATUS_TIMEOUT)
        fltvm_lua_raise_timeout(lua, process->machine, "exiting", command.timeout_ns);
    return 0;
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

/* process:wait{ timeout = } -> the exit status of its program */
static int process_wait(lua_State *lua)
{
    Process *process = luaL_checkudata(lua, 1, PROCESS);
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS_WAIT, .args = {process->id}};
    FltvmResult result = {0};

    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    fltvm_lua_command(lua, process->machine, &command, NULL, 0, "waiting for a program", FALSE, &result);
    lua_pushinteger(lua, (lua_Integer)result.header.values[0]);
    fltvm_result_clear(&result);
    return 1;
}

static const luaL_Reg methods[] = {{"exit", process_exit}, {"id", process_id},     {"kill", process_kill},
                                   {"open", process_open}, {"wait", process_wait}, {NULL, NULL}};

void fltvm_lua_open_process(lua_State *lua)
{
    luaL_newmetatable(lua, PROCESS);
    luaL_newlib(lua, methods);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_process);
    lua_setfield(lua, -2, "process");
    lua_pushcfunction(lua, machine_client);
    lua_setfield(lua, -2, "client");
    lua_pop(lua, 1);
    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, lua_program);
    lua_setfield(lua, -2, "program");
    lua_pop(lua, 1);
}

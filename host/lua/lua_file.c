/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in Lua: machine:open(path, {...}), reads and writes at once or as operations that go on, controls.
 *
 * Without a `thread`, what is done at once runs on client thread 0 and operations on client thread 1.
 */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_machine.h"
#include "lua_show.h"
#include "names.h"
#include "vocabulary.h"

#define FILE_TYPE      "fltvm.file"
#define OPERATION_TYPE "fltvm.operation"

/* Of the documented NT interface. */
enum {
    SYNCHRONIZE_ = 0x100000,
    DELETE_ = 0x10000,
    GENERIC_READ_ = 0x120089,  /* FILE_GENERIC_READ */
    GENERIC_WRITE_ = 0x120116, /* FILE_GENERIC_WRITE */
    READ_ATTRIBUTES_ = 0x80,
    SHARE_ALL = 7,
    DISPOSITION_OPEN = 1,
    OPTION_WRITE_THROUGH = 0x2,
    OPTION_NO_BUFFERING = 0x8,
    OPTION_SYNCHRONOUS = 0x20,
};

typedef struct {
    FltvmMachine *machine;
    guint64 handle;
    guint32 user; /* FLTVM_USER_*: who opened it, and works with it */
    gboolean open;
} File;

typedef struct {
    FltvmMachine *machine;
    guint32 id;       /* 0: waited for */
    gboolean outputs; /* wait() returns bytes rather than a count */
    char what[160];
} Operation;

guint64 fltvm_lua_open_device(lua_State *lua, FltvmMachine *machine, const char *name, guint32 options)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_OPEN,
                                    .args = {GENERIC_READ_ | GENERIC_WRITE_, SHARE_ALL, DISPOSITION_OPEN, options}};
    FltvmResult result = {0};
    const char *what = lua_pushfstring(lua, "opening %s", name);

    command.timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1); /* no table: the default */
    fltvm_lua_command(lua, machine, &command, name, strlen(name) + 1, what, FALSE, &result);
    fltvm_result_clear(&result);
    lua_pop(lua, 1);
    return result.header.values[0];
}

static File *check_file(lua_State *lua)
{
    File *file = luaL_checkudata(lua, 1, FILE_TYPE);

    if (!file->open)
        luaL_error(lua, "the file is closed");
    return file;
}

/* Where an operation runs, from the option table at `index`. */
static void set_thread(lua_State *lua, int index, struct fltvm_command *command)
{
    gboolean later = (command->flags & FLTVM_COMMAND_FLAG_ASYNC) != 0;
    gint64 thread = fltvm_lua_integer_field(lua, index, "thread", later ? 1 : 0);

    if (thread < 0 || thread > (gint64)FLTVM_COMMAND_THREAD_MAX)
        luaL_error(lua, "thread: %d is not between 0 and %d", (int)thread, (int)FLTVM_COMMAND_THREAD_MAX);
    command->thread = (guint32)thread;
    command->timeout_ns = fltvm_lua_timeout(lua, index);
}

/* An operation object for what has just been started. */
static int push_operation(lua_State *lua, FltvmMachine *machine, guint32 id, gboolean outputs, const char *what)
{
    Operation *operation = fltvm_lua_new(lua, sizeof(*operation), OPERATION_TYPE);

    operation->machine = machine;
    operation->id = id;
    operation->outputs = outputs;
    g_strlcpy(operation->what, what, sizeof(operation->what));
    lua_pushvalue(lua, 1); /* keeps the file, hence the machine */
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

/* A complete result as Lua values: its bytes, or how many. */
static int push_result(lua_State *lua, FltvmMachine *machine, FltvmResult *result, gboolean outputs)
{
    lua_Integer information = (lua_Integer)result->header.values[0];
    GBytes *bytes = fltvm_lua_output(lua, machine, result);

    if (outputs) {
        gsize length;
        const char *data = g_bytes_get_data(bytes, &length);
        lua_pushlstring(lua, data, length);
    } else {
        lua_pushinteger(lua, information);
    }
    g_bytes_unref(bytes);
    return 1;
}

/* Start a command now or for later; either way one value is pushed. */
static int perform(lua_State *lua, FltvmMachine *machine, struct fltvm_command *command, const char *data, gsize length,
                   gboolean outputs, const char *what)
{
    FltvmResult result = {0};
    gboolean later = (command->flags & FLTVM_COMMAND_FLAG_ASYNC) != 0;
    const File *file = luaL_testudata(lua, 1, FILE_TYPE);

    command->user = file ? file->user : FLTVM_USER_NONE;
    fltvm_lua_command(lua, machine, command, data, length, what, FALSE, &result);
    if (!later)
        return push_result(lua, machine, &result, outputs);
    fltvm_result_clear(&result);
    return push_operation(lua, machine, result.header.operation, outputs, what);
}

/* The options of what is done on a file: those of transfers have the buffer as well. */
static const FltvmLuaField transfer_fields[] = {
    {"buffer", FLTVM_LUA_TEXT}, {"thread", FLTVM_LUA_NUMBER}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
static const FltvmLuaField *const operation_fields = transfer_fields + 1;

/* --- opening ------------------------------------------------------------------------------------------- */

static guint32 access_mask(lua_State *lua, const char *access)
{
    static const char *const words[] = {"r", "w", "rw", "attributes", "delete", NULL};
    static const guint32 masks[] = {GENERIC_READ_, GENERIC_WRITE_, GENERIC_READ_ | GENERIC_WRITE_, READ_ATTRIBUTES_,
                                    GENERIC_READ_ | DELETE_};

    return masks[fltvm_lua_choice(lua, "access", access, words)];
}

/* Whose open it is: FLTVM_USER_*. */
static guint32 user_number(lua_State *lua, const char *user)
{
    static const char *const words[] = {"none", "system", "administrator", "limited", NULL};
    static const guint32 numbers[] = {FLTVM_USER_NONE, FLTVM_USER_SYSTEM, FLTVM_USER_ADMINISTRATOR, FLTVM_USER_LIMITED};

    return numbers[fltvm_lua_choice(lua, "user", user, words)];
}

/*
 * machine:open(path [, {access=, user=, async=, buffered=, share=, disposition=, options=, thread=, timeout=}]) -> file
 */
static int machine_open(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"access", FLTVM_LUA_TEXT},
                                          {"user", FLTVM_LUA_TEXT},
                                          {"async", FLTVM_LUA_BOOLEAN},
                                          {"buffered", FLTVM_LUA_BOOLEAN},
                                          {"write_through", FLTVM_LUA_BOOLEAN},
                                          {"share", FLTVM_LUA_NUMBER},
                                          {"disposition", FLTVM_LUA_NUMBER},
                                          {"options", FLTVM_LUA_NUMBER},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    const char *path = luaL_checkstring(lua, 2);
    struct fltvm_command command = {.op = FLTVM_COMMAND_OPEN};
    guint32 options;
    FltvmResult result = {0};
    File *file;

    fltvm_lua_check_fields(lua, 3, "machine:open", known);
    options = fltvm_lua_u32_field(lua, 3, "options", 0);
    command.args[0] = access_mask(lua, fltvm_lua_string_field(lua, 3, "access", "rw")) | SYNCHRONIZE_;
    command.args[1] = fltvm_lua_u32_field(lua, 3, "share", SHARE_ALL);
    command.args[2] = fltvm_lua_u32_field(lua, 3, "disposition", DISPOSITION_OPEN);
    if (!fltvm_lua_boolean_field(lua, 3, "async", FALSE))
        options |= OPTION_SYNCHRONOUS;
    if (!fltvm_lua_boolean_field(lua, 3, "buffered", TRUE))
        options |= OPTION_NO_BUFFERING;
    if (fltvm_lua_boolean_field(lua, 3, "write_through", FALSE))
        options |= OPTION_WRITE_THROUGH;
    command.args[3] = options;
    command.user = user_number(lua, fltvm_lua_string_field(lua, 3, "user", "none"));
    set_thread(lua, 3, &command);
    fltvm_lua_command(lua, machine, &command, path, strlen(path) + 1, lua_pushfstring(lua, "opening %s", path), FALSE,
                      &result);
    file = fltvm_lua_new(lua, sizeof(*file), FILE_TYPE);
    file->machine = machine;
    file->handle = result.header.values[0];
    file->user = command.user;
    file->open = TRUE;
    fltvm_result_clear(&result);
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

/* --- reading and writing ------------------------------------------------------------------------------- */

static guint64 buffer_kind(lua_State *lua, int index)
{
    static const char *const words[] = {"paged", "nonpaged", NULL};
    static const guint64 kinds[] = {FLTVM_COMMAND_BUFFER_PAGED, FLTVM_COMMAND_BUFFER_NONPAGED};

    return kinds[fltvm_lua_choice(lua, "buffer", fltvm_lua_string_field(lua, index, "buffer", "paged"), words)];
}

static int file_read_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    lua_Integer offset = luaL_checkinteger(lua, 2), length = luaL_checkinteger(lua, 3);
    struct fltvm_command command = {.op = FLTVM_COMMAND_READ, .flags = flags};

    luaL_argcheck(lua, length >= 0, 3, "a negative length");
    fltvm_lua_check_fields(lua, 4, "file:read", transfer_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint64)offset;
    command.args[2] = (guint64)length;
    command.args[3] = buffer_kind(lua, 4);
    set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, NULL, 0, TRUE,
                   lua_pushfstring(lua, "reading %I bytes at %I", length, offset));
}

static int file_write_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    lua_Integer offset = luaL_checkinteger(lua, 2);
    gsize length;
    const char *data = luaL_checklstring(lua, 3, &length);
    struct fltvm_command command = {.op = FLTVM_COMMAND_WRITE, .flags = flags};

    fltvm_lua_check_fields(lua, 4, "file:write", transfer_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint64)offset;
    command.args[2] = length;
    command.args[3] = buffer_kind(lua, 4);
    set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, data, length, FALSE,
                   lua_pushfstring(lua, "writing %I bytes at %I", (lua_Integer)length, offset));
}

static int file_flush_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_FLUSH, .flags = flags};

    fltvm_lua_check_fields(lua, 2, "file:flush", operation_fields);
    command.args[0] = file->handle;
    set_thread(lua, 2, &command);
    return perform(lua, file->machine, &command, NULL, 0, FALSE, "flushing");
}

/* file:ioctl(code [, input [, output_length [, {...}]]]) -> output */
static int file_control_with(lua_State *lua, guint32 op, guint32 flags)
{
    File *file = check_file(lua);
    lua_Integer code = luaL_checkinteger(lua, 2), output = luaL_optinteger(lua, 4, 0);
    gsize length;
    const char *data = luaL_optlstring(lua, 3, "", &length);
    struct fltvm_command command = {.op = op, .flags = flags};
    char what[48];

    luaL_argcheck(lua, code >= G_MININT32 && code <= G_MAXUINT32, 2, "more than 32 bits");
    luaL_argcheck(lua, output >= 0, 4, "a negative length");
    fltvm_lua_check_fields(lua, 5, "a control", operation_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint32)code;
    command.args[2] = length;
    command.args[3] = (guint64)output;
    set_thread(lua, 5, &command);
    g_snprintf(what, sizeof(what), "control 0x%08X", (guint)code);
    return perform(lua, file->machine, &command, data, length, TRUE, what);
}

static int file_read(lua_State *lua)
{
    return file_read_with(lua, 0);
}

static int file_read_async(lua_State *lua)
{
    return file_read_with(lua, FLTVM_COMMAND_FLAG_ASYNC);
}

static int file_write(lua_State *lua)
{
    return file_write_with(lua, 0);
}

static int file_write_async(lua_State *lua)
{
    return file_write_with(lua, FLTVM_COMMAND_FLAG_ASYNC);
}

static int file_flush(lua_State *lua)
{
    return file_flush_with(lua, 0);
}

static int file_flush_async(lua_State *lua)
{
    return file_flush_with(lua, FLTVM_COMMAND_FLAG_ASYNC);
}

static int file_ioctl(lua_State *lua)
{
    return file_control_with(lua, FLTVM_COMMAND_IOCTL, 0);
}

static int file_ioctl_async(lua_State *lua)
{
    return file_control_with(lua, FLTVM_COMMAND_IOCTL, FLTVM_COMMAND_FLAG_ASYNC);
}

static int file_fsctl(lua_State *lua)
{
    return file_control_with(lua, FLTVM_COMMAND_FSCTL, 0);
}

/* file:query(information_class, length) -> bytes */
static int file_query(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_QUERY};

    fltvm_lua_check_fields(lua, 4, "file:query", operation_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint64)luaL_checkinteger(lua, 2);
    command.args[2] = (guint64)luaL_checkinteger(lua, 3);
    set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, NULL, 0, TRUE, "querying information");
}

/* file:query_directory(information_class, length [, pattern [, flags]]) -> bytes */
static int file_query_directory(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_DIRECTORY};
    const char *pattern = luaL_optstring(lua, 4, "");

    command.args[0] = file->handle;
    command.args[1] = (guint64)luaL_checkinteger(lua, 2);
    command.args[2] = (guint64)luaL_checkinteger(lua, 3);
    command.args[3] = (guint64)luaL_optinteger(lua, 5, 0);
    lua_settop(lua, 5);
    set_thread(lua, 6, &command); /* no table: the defaults */
    return perform(lua, file->machine, &command, pattern, strlen(pattern) + 1, TRUE, "querying the directory");
}

/* file:set(information_class, bytes) */
static int file_set(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_SET};
    gsize length;
    const char *bytes = luaL_checklstring(lua, 3, &length);

    command.args[0] = file->handle;
    command.args[1] = (guint64)luaL_checkinteger(lua, 2);
    lua_settop(lua, 3);
    set_thread(lua, 4, &command); /* no table: the defaults */
    perform(lua, file->machine, &command, bytes, length, FALSE, "setting information");
    return 0;
}

/* file:cancel(): what the thread that issued it has pending */
static int file_cancel(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CANCEL};

    fltvm_lua_check_fields(lua, 2, "file:cancel", operation_fields);
    command.args[0] = file->handle;
    set_thread(lua, 2, &command);
    perform(lua, file->machine, &command, NULL, 0, FALSE, "cancelling");
    return 0;
}

static int file_close(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CLOSE};

    fltvm_lua_check_fields(lua, 2, "file:close", operation_fields);
    command.args[0] = file->handle;
    set_thread(lua, 2, &command);
    file->open = FALSE;
    perform(lua, file->machine, &command, NULL, 0, FALSE, "closing");
    return 0;
}

/* --- operations ---------------------------------------------------------------------------------------- */

/* operation:wait([milliseconds of the guest's time]) -> bytes or count */
static int operation_wait(lua_State *lua)
{
    Operation *operation = luaL_checkudata(lua, 1, OPERATION_TYPE);
    struct fltvm_command command = {.op = FLTVM_COMMAND_WAIT};
    FltvmResult result = {0};

    if (!operation->id)
        luaL_error(lua, "%s: has been waited for", operation->what);
    command.args[0] = operation->id;
    command.timeout_ns = lua_isnoneornil(lua, 2) ? fltvm_lua_timeout(lua, 3)
                                                 : fltvm_lua_nanoseconds(lua, luaL_checknumber(lua, 2), "wait");
    /* The operation is over also when it failed; a time-out ends the scenario. */
    fltvm_lua_command(lua, operation->machine, &command, NULL, 0, operation->what, TRUE, &result);
    if (result.header.status == FLTVM_LUA_STATUS_TIMEOUT) {
        fltvm_result_clear(&result);
        fltvm_lua_raise_timeout(lua, operation->machine, operation->what, command.timeout_ns);
    }
    operation->id = 0;
    if (result.header.status < 0) {
        guint32 status = (guint32)result.header.status;
        fltvm_result_clear(&result);
        fltvm_lua_raise_status(lua, status, operation->what);
    }
    return push_result(lua, operation->machine, &result, operation->outputs);
}

/* operation:done([milliseconds]) -> whether it is over by then; wait() still tells how it ended */
static int operation_done(lua_State *lua)
{
    Operation *operation = luaL_checkudata(lua, 1, OPERATION_TYPE);
    struct fltvm_command command = {.op = FLTVM_COMMAND_POLL};
    FltvmResult result = {0};

    if (!operation->id) {
        lua_pushboolean(lua, TRUE);
        return 1;
    }
    command.args[0] = operation->id;
    command.timeout_ns = fltvm_lua_nanoseconds(lua, luaL_optnumber(lua, 2, 0), "done");
    fltvm_lua_command(lua, operation->machine, &command, NULL, 0, operation->what, TRUE, &result);
    fltvm_result_clear(&result);
    lua_pushboolean(lua, result.header.status == 0);
    return 1;
}

static void new_type(lua_State *lua, const char *name, const luaL_Reg *methods)
{
    luaL_newmetatable(lua, name);
    luaL_setfuncs(lua, methods, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}

void fltvm_lua_open_file(lua_State *lua)
{
    static const luaL_Reg file_methods[] = {{"read", file_read},
                                            {"read_async", file_read_async},
                                            {"write", file_write},
                                            {"write_async", file_write_async},
                                            {"flush", file_flush},
                                            {"flush_async", file_flush_async},
                                            {"ioctl", file_ioctl},
                                            {"ioctl_async", file_ioctl_async},
                                            {"fsctl", file_fsctl},
                                            {"query", file_query},
                                            {"query_directory", file_query_directory},
                                            {"set", file_set},
                                            {"cancel", file_cancel},
                                            {"close", file_close},
                                            {NULL, NULL}};
    static const luaL_Reg operation_methods[] = {{"wait", operation_wait}, {"done", operation_done}, {NULL, NULL}};

    new_type(lua, FILE_TYPE, file_methods);
    new_type(lua, OPERATION_TYPE, operation_methods);
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_open);
    lua_setfield(lua, -2, "open");
    lua_pop(lua, 1);
}

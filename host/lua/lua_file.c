/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in Lua: machine:open(path, {...}), reads and writes at once or as operations that go on, controls.
 *
 * Without a `thread`, what is done at once runs on client thread 0 and operations on client thread 1.
 */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_file.h"
#include "lua_show.h"
#include "lua_unwind.h"
#include "names.h"
#include "vocabulary.h"

#define FILE_TYPE      FLTVM_LUA_FILE
#define OPERATION_TYPE "fltvm.operation"

typedef FltvmLuaFile File;

typedef struct {
    FltvmMachine *machine;
    guint32 id;        /* 0: waited for */
    FltvmLuaPush push; /* what wait() returns of the output; NULL: how many bytes */
    char what[160];
} Operation;

FltvmLuaFile *fltvm_lua_file(lua_State *lua, int index)
{
    File *file = luaL_checkudata(lua, index, FILE_TYPE);

    if (!file->open)
        luaL_error(lua, "the file is closed");
    return file;
}

static File *check_file(lua_State *lua)
{
    return fltvm_lua_file(lua, 1);
}

int fltvm_lua_push_bytes(lua_State *lua, const guint8 *bytes, gsize length)
{
    lua_pushlstring(lua, (const char *)bytes, length);
    return 1;
}

/* Where an operation runs, from the option table at `index`. */
void fltvm_lua_set_thread(lua_State *lua, int index, struct fltvm_command *command)
{
    gboolean later = (command->flags & FLTVM_COMMAND_FLAG_ASYNC) != 0;
    gint64 thread = fltvm_lua_integer_field(lua, index, "thread", later ? 1 : 0);

    if (thread < 0 || thread > (gint64)FLTVM_COMMAND_THREAD_MAX)
        luaL_error(lua, "thread: %d is not between 0 and %d", (int)thread, (int)FLTVM_COMMAND_THREAD_MAX);
    command->thread = (guint32)thread;
    command->timeout_ns = fltvm_lua_timeout(lua, index);
}

/* An operation object for what has just been started. */
static int push_operation(lua_State *lua, FltvmMachine *machine, guint32 id, FltvmLuaPush push, const char *what)
{
    Operation *operation = fltvm_lua_new(lua, sizeof(*operation), OPERATION_TYPE);

    operation->machine = machine;
    operation->id = id;
    operation->push = push;
    g_strlcpy(operation->what, what, sizeof(operation->what));
    lua_pushvalue(lua, 1); /* keeps the file, hence the machine */
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

/* The bytes are Lua's before they are looked at: an error leaves nothing behind. */
static int push_output(lua_State *lua, GBytes *bytes, FltvmLuaPush push)
{
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);

    lua_pushlstring(lua, data, length);
    g_bytes_unref(bytes);
    return push(lua, (const guint8 *)lua_tolstring(lua, -1, NULL), length);
}

/* A complete result as a Lua value. */
static int push_result(lua_State *lua, FltvmMachine *machine, FltvmResult *result, FltvmLuaPush push)
{
    lua_Integer information = (lua_Integer)result->header.values[0];
    GBytes *bytes = fltvm_lua_output(lua, machine, result);

    if (push)
        return push_output(lua, bytes, push);
    g_bytes_unref(bytes);
    lua_pushinteger(lua, information);
    return 1;
}

/* Start a command now or for later; either way one value is pushed. */
static int perform(lua_State *lua, FltvmMachine *machine, struct fltvm_command *command, const char *data, gsize length,
                   FltvmLuaPush push, const char *what)
{
    FltvmResult result = {0};
    gboolean later = (command->flags & FLTVM_COMMAND_FLAG_ASYNC) != 0;
    const File *file = luaL_testudata(lua, 1, FILE_TYPE);

    if (file)
        command->user = file->user;
    fltvm_lua_command(lua, machine, command, data, length, what, FALSE, &result);
    if (!later)
        return push_result(lua, machine, &result, push);
    fltvm_result_clear(&result);
    return push_operation(lua, machine, result.header.operation, push, what);
}

/* The options of what is done on a file: those of controls have some more, and those of transfers again. */
static const FltvmLuaField transfer_fields[] = {{"buffer", FLTVM_LUA_TEXT},    {"address", FLTVM_LUA_NUMBER},
                                                FLTVM_LUA_TELLING_FIELDS,      {"thread", FLTVM_LUA_NUMBER},
                                                {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
static const FltvmLuaField *const control_fields = transfer_fields + 1;
static const FltvmLuaField *const operation_fields = transfer_fields + 4;

void fltvm_lua_set_telling(lua_State *lua, int options, struct fltvm_command *command)
{
    static const char *const names[] = {"address", "apc", "context"};
    const File *file = check_file(lua);

    if (!lua_istable(lua, options))
        return;
    for (gsize i = 0; file->user <= FLTVM_USER_LIMITED && i < G_N_ELEMENTS(names); i++) {
        if (lua_getfield(lua, options, names[i]) != LUA_TNIL)
            luaL_error(lua, "%s: the file is none of a process's (process:open)", names[i]);
        lua_pop(lua, 1);
    }
    command->args[5] = (guint64)fltvm_lua_integer_field(lua, options, "context", FLTVM_TELL_NOTHING);
    if (!fltvm_lua_boolean_field(lua, options, "apc", FALSE))
        return;
    if (command->args[5] != FLTVM_TELL_NOTHING)
        luaL_error(lua, "either an apc or a context");
    if (!(command->flags & FLTVM_COMMAND_FLAG_ASYNC))
        luaL_error(lua, "apc: what waits for it is an operation (…_async)");
    command->args[5] = FLTVM_TELL_APC;
}

/* The process's own buffer, where the options name one. */
static guint64 set_address(lua_State *lua, int options, struct fltvm_command *command)
{
    fltvm_lua_set_telling(lua, options, command);
    command->args[4] = (guint64)fltvm_lua_integer_field(lua, options, "address", 0);
    return command->args[4];
}

int fltvm_lua_act(lua_State *lua, FltvmMachine *machine, guint32 user, struct fltvm_command *command, int options,
                  gconstpointer data, gsize length, FltvmLuaPush push, const char *what)
{
    command->user = user;
    fltvm_lua_set_thread(lua, options, command);
    return perform(lua, machine, command, data, length, push, what);
}

int fltvm_lua_perform(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      FltvmLuaPush push, const char *what)
{
    File *file = check_file(lua);

    command->args[0] = file->handle;
    fltvm_lua_set_thread(lua, options, command);
    return perform(lua, file->machine, command, data, length, push, what);
}

GBytes *fltvm_lua_ask(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      const char *what, guint32 *status)
{
    File *file = check_file(lua);
    FltvmResult result = {0};

    command->args[0] = file->handle;
    command->user = file->user;
    fltvm_lua_set_thread(lua, options, command);
    fltvm_lua_command(lua, file->machine, command, data, length, what, status != NULL, &result);
    if (status) {
        *status = (guint32)result.header.status;
        if (*status == FLTVM_LUA_STATUS_TIMEOUT) {
            fltvm_result_clear(&result);
            fltvm_lua_raise_timeout(lua, file->machine, what, command->timeout_ns);
        }
    }
    return fltvm_lua_output(lua, file->machine, &result);
}

void fltvm_lua_add_file_methods(lua_State *lua, const luaL_Reg *methods)
{
    luaL_getmetatable(lua, FILE_TYPE);
    luaL_setfuncs(lua, methods, 0);
    lua_pop(lua, 1);
}

/* --- reading and writing ------------------------------------------------------------------------------- */

static guint64 buffer_kind(lua_State *lua, const File *file, int index)
{
    static const char *const words[] = {"paged", "nonpaged", NULL};
    static const guint64 kinds[] = {FLTVM_COMMAND_BUFFER_PAGED, FLTVM_COMMAND_BUFFER_NONPAGED};
    gsize choice = fltvm_lua_choice(lua, "buffer", fltvm_lua_string_field(lua, index, "buffer", words[0]), words);

    if (choice != 0 && file->user > FLTVM_USER_LIMITED)
        luaL_error(lua,
                   "buffer: pool is the kernel's (machine:open with user = \"kernel\"); a process has its own memory");
    return kinds[choice];
}

static int file_read_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    lua_Integer offset = luaL_checkinteger(lua, 2), length = luaL_checkinteger(lua, 3);
    struct fltvm_command command = {.op = FLTVM_COMMAND_READ, .flags = flags};
    FltvmLuaPush push;

    luaL_argcheck(lua, length >= 0, 3, "a negative length");
    fltvm_lua_check_fields(lua, 4, "file:read", transfer_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint64)offset;
    command.args[2] = (guint64)length;
    command.args[3] = buffer_kind(lua, file, 4);
    push = set_address(lua, 4, &command) ? NULL : fltvm_lua_push_bytes;
    fltvm_lua_set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, NULL, 0, push,
                   lua_pushfstring(lua, "reading %I bytes at %I", length, offset));
}

static int file_write_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    lua_Integer offset = luaL_checkinteger(lua, 2);
    gsize length = 0;
    const char *data = NULL;
    struct fltvm_command command = {.op = FLTVM_COMMAND_WRITE, .flags = flags};

    fltvm_lua_check_fields(lua, 4, "file:write", transfer_fields);
    if (set_address(lua, 4, &command)) {
        lua_Integer count = luaL_checkinteger(lua, 3);

        luaL_argcheck(lua, count >= 0, 3, "a negative length");
        command.args[2] = (guint64)count;
    } else {
        data = luaL_checklstring(lua, 3, &length);
        command.args[2] = length;
    }
    command.args[0] = file->handle;
    command.args[1] = (guint64)offset;
    command.args[3] = buffer_kind(lua, file, 4);
    fltvm_lua_set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, data, length, NULL,
                   lua_pushfstring(lua, "writing %I bytes at %I", (lua_Integer)command.args[2], offset));
}

static int file_flush_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_FLUSH, .flags = flags};

    fltvm_lua_check_fields(lua, 2, "file:flush", operation_fields);
    command.args[0] = file->handle;
    fltvm_lua_set_thread(lua, 2, &command);
    return perform(lua, file->machine, &command, NULL, 0, NULL, "flushing");
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
    fltvm_lua_check_fields(lua, 5, "a control", control_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint32)code;
    command.args[2] = length;
    command.args[3] = (guint64)output;
    fltvm_lua_set_thread(lua, 5, &command);
    g_snprintf(what, sizeof(what), "control 0x%08X", (guint)code);
    return perform(lua, file->machine, &command, data, length,
                   set_address(lua, 5, &command) ? NULL : fltvm_lua_push_bytes, what);
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

static int file_fsctl_async(lua_State *lua)
{
    return file_control_with(lua, FLTVM_COMMAND_FSCTL, FLTVM_COMMAND_FLAG_ASYNC);
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
    fltvm_lua_set_thread(lua, 4, &command);
    return perform(lua, file->machine, &command, NULL, 0, fltvm_lua_push_bytes, "querying information");
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
    fltvm_lua_set_thread(lua, 6, &command); /* no table: the defaults */
    return perform(lua, file->machine, &command, pattern, strlen(pattern) + 1, fltvm_lua_push_bytes,
                   "querying the directory");
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
    fltvm_lua_set_thread(lua, 4, &command); /* no table: the defaults */
    perform(lua, file->machine, &command, bytes, length, NULL, "setting information");
    return 0;
}

/* file:cancel(): everything that is pending on the file, whichever thread began it */
static int file_cancel(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CANCEL};

    fltvm_lua_check_fields(lua, 2, "file:cancel", operation_fields);
    command.args[0] = file->handle;
    fltvm_lua_set_thread(lua, 2, &command);
    perform(lua, file->machine, &command, NULL, 0, NULL, "cancelling");
    return 0;
}

static int file_close(lua_State *lua)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CLOSE};

    fltvm_lua_check_fields(lua, 2, "file:close", operation_fields);
    command.args[0] = file->handle;
    fltvm_lua_set_thread(lua, 2, &command);
    file->open = FALSE;
    perform(lua, file->machine, &command, NULL, 0, NULL, "closing");
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
    return push_result(lua, operation->machine, &result, operation->push);
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
    static const luaL_Reg file_methods[] = {{"read", file_read},   {"read_async", file_read_async},
                                            {"write", file_write}, {"write_async", file_write_async},
                                            {"flush", file_flush}, {"flush_async", file_flush_async},
                                            {"ioctl", file_ioctl}, {"ioctl_async", file_ioctl_async},
                                            {"fsctl", file_fsctl}, {"fsctl_async", file_fsctl_async},
                                            {"query", file_query}, {"query_directory", file_query_directory},
                                            {"set", file_set},     {"cancel", file_cancel},
                                            {"close", file_close}, {NULL, NULL}};
    static const luaL_Reg operation_methods[] = {{"wait", operation_wait}, {"done", operation_done}, {NULL, NULL}};

    new_type(lua, FILE_TYPE, file_methods);
    new_type(lua, OPERATION_TYPE, operation_methods);
}

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
#include "names.h"
#include "vocabulary.h"

#define FILE_TYPE      FLTVM_LUA_FILE
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
    ATTRIBUTE_NORMAL = 0x80,
    OPTION_WRITE_THROUGH = 0x2,
    OPTION_NO_BUFFERING = 0x8,
    OPTION_SYNCHRONOUS = 0x20,
    OPTION_BY_ID = 0x2000,
};

typedef FltvmLuaFile File;

typedef struct {
    FltvmMachine *machine;
    guint32 id;        /* 0: waited for */
    FltvmLuaPush push; /* what wait() returns of the output; NULL: how many bytes */
    char what[160];
} Operation;

guint64 fltvm_lua_open_device(lua_State *lua, FltvmMachine *machine, const char *name, guint32 options)
{
    struct fltvm_command command = {
        .op = FLTVM_COMMAND_OPEN,
        .args = {GENERIC_READ_ | GENERIC_WRITE_, SHARE_ALL, DISPOSITION_OPEN, options, ATTRIBUTE_NORMAL}};
    FltvmResult result = {0};
    const char *what = lua_pushfstring(lua, "opening %s", name);

    command.timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1); /* no table: the default */
    fltvm_lua_command(lua, machine, &command, name, strlen(name) + 1, what, FALSE, &result);
    fltvm_result_clear(&result);
    lua_pop(lua, 1);
    return result.header.values[0];
}

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

    command->user = file ? file->user : FLTVM_USER_NONE;
    fltvm_lua_command(lua, machine, command, data, length, what, FALSE, &result);
    if (!later)
        return push_result(lua, machine, &result, push);
    fltvm_result_clear(&result);
    return push_operation(lua, machine, result.header.operation, push, what);
}

/* The options of what is done on a file: those of transfers have the buffer as well. */
static const FltvmLuaField transfer_fields[] = {
    {"buffer", FLTVM_LUA_TEXT}, {"thread", FLTVM_LUA_NUMBER}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
static const FltvmLuaField *const operation_fields = transfer_fields + 1;

int fltvm_lua_perform(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      FltvmLuaPush push, const char *what)
{
    File *file = check_file(lua);

    command->args[0] = file->handle;
    set_thread(lua, options, command);
    return perform(lua, file->machine, command, data, length, push, what);
}

GBytes *fltvm_lua_ask(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
                      const char *what, guint32 *status)
{
    File *file = check_file(lua);
    FltvmResult result = {0};

    command->args[0] = file->handle;
    command->user = file->user;
    set_thread(lua, options, command);
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

/* --- opening ------------------------------------------------------------------------------------------- */

/* Of the documented NT interface: FILE_…, and what the words before stand for. */
static const FltvmLuaFlag accesses[] = {{"r", GENERIC_READ_},
                                        {"w", GENERIC_WRITE_},
                                        {"rw", GENERIC_READ_ | GENERIC_WRITE_},
                                        {"attributes", READ_ATTRIBUTES_},
                                        {"delete", GENERIC_READ_ | DELETE_},
                                        {"read_data", 0x1},
                                        {"write_data", 0x2},
                                        {"append_data", 0x4},
                                        {"read_ea", 0x8},
                                        {"write_ea", 0x10},
                                        {"execute", 0x20},
                                        {"delete_child", 0x40},
                                        {"read_attributes", 0x80},
                                        {"write_attributes", 0x100},
                                        {"delete_only", DELETE_},
                                        {"read_control", 0x20000},
                                        {"write_dac", 0x40000},
                                        {"write_owner", 0x80000},
                                        {"system_security", 0x1000000},
                                        {"maximum", 0x2000000},
                                        {"all", 0x1F01FF},
                                        {NULL, 0}};

static const FltvmLuaFlag shares[] = {{"none", 0}, {"r", 1},  {"w", 2},   {"d", 4}, {"rw", 3},
                                      {"rd", 5},   {"wd", 6}, {"rwd", 7}, {NULL, 0}};

static const FltvmLuaFlag dispositions[] = {{"supersede", 0}, {"open", 1},         {"create", 2}, {"open_if", 3},
                                            {"overwrite", 4}, {"overwrite_if", 5}, {NULL, 0}};

static const FltvmLuaFlag open_options[] = {{"directory", 0x1},
                                            {"write_through", OPTION_WRITE_THROUGH},
                                            {"sequential", 0x4},
                                            {"no_intermediate_buffering", OPTION_NO_BUFFERING},
                                            {"synchronous_alert", 0x10},
                                            {"synchronous", OPTION_SYNCHRONOUS},
                                            {"non_directory", 0x40},
                                            {"complete_if_oplocked", 0x100},
                                            {"no_ea_knowledge", 0x200},
                                            {"random_access", 0x800},
                                            {"delete_on_close", 0x1000},
                                            {"by_id", OPTION_BY_ID},
                                            {"backup_intent", 0x4000},
                                            {"no_compression", 0x8000},
                                            {"require_oplock", 0x10000},
                                            {"disallow_exclusive", 0x20000},
                                            {"reserve_opfilter", 0x100000},
                                            {"reparse_point", 0x200000},
                                            {"no_recall", 0x400000},
                                            {"free_space_query", 0x800000},
                                            {NULL, 0}};

/* Whose open it is: FLTVM_USER_*. */
static guint32 user_number(lua_State *lua, const char *user)
{
    static const char *const words[] = {"none", "system", "administrator", "limited", NULL};
    static const guint32 numbers[] = {FLTVM_USER_NONE, FLTVM_USER_SYSTEM, FLTVM_USER_ADMINISTRATOR, FLTVM_USER_LIMITED};

    return numbers[fltvm_lua_choice(lua, "user", user, words)];
}

/* What is behind the path: extended attributes, or a file's identifier. */
static GByteArray *open_input(lua_State *lua, const char *path, guint32 options)
{
    GByteArray *input = g_byte_array_new();
    const char *bytes;
    gsize length = 0;

    g_byte_array_append(input, (const guint8 *)path, (guint)strlen(path) + 1);
    if (lua_istable(lua, 3)) {
        lua_getfield(lua, 3, options & OPTION_BY_ID ? "id" : "ea");
        bytes = lua_tolstring(lua, -1, &length);
        if (bytes)
            g_byte_array_append(input, (const guint8 *)bytes, (guint)length);
        lua_pop(lua, 1);
    }
    return input;
}

static guint32 option_flags(lua_State *lua)
{
    guint32 options = (guint32)fltvm_lua_flags_field(lua, 3, "options", open_options, 0);

    if (!fltvm_lua_boolean_field(lua, 3, "async", FALSE))
        options |= OPTION_SYNCHRONOUS;
    if (!fltvm_lua_boolean_field(lua, 3, "buffered", TRUE))
        options |= OPTION_NO_BUFFERING;
    if (fltvm_lua_boolean_field(lua, 3, "write_through", FALSE))
        options |= OPTION_WRITE_THROUGH;
    if (fltvm_lua_field(lua, 3, "id", LUA_TSTRING)) {
        options |= OPTION_BY_ID;
        lua_pop(lua, 1);
    }
    return options;
}

/* The handle of the directory that the path begins at, or 0. */
static guint64 root_handle(lua_State *lua)
{
    guint64 handle = 0;

    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "root") != LUA_TNIL)
        handle = fltvm_lua_file(lua, -1)->handle;
    if (lua_istable(lua, 3))
        lua_pop(lua, 1);
    return handle;
}

/*
 * machine:open(path [, {access=, attributes=, user=, async=, buffered=, write_through=, share=, disposition=, options=, root=, id=, ea=,
 * thread=, timeout=}]) -> file, what was done
 */
static int machine_open(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"access", FLTVM_LUA_FLAGS},
                                          {"attributes", FLTVM_LUA_FLAGS},
                                          {"user", FLTVM_LUA_TEXT},
                                          {"async", FLTVM_LUA_BOOLEAN},
                                          {"buffered", FLTVM_LUA_BOOLEAN},
                                          {"write_through", FLTVM_LUA_BOOLEAN},
                                          {"share", FLTVM_LUA_FLAGS},
                                          {"disposition", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
                                          {"options", FLTVM_LUA_FLAGS},
                                          {"root", FLTVM_LUA_VALUE},
                                          {"id", FLTVM_LUA_TEXT},
                                          {"ea", FLTVM_LUA_TEXT},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    static const FltvmLuaFlag actions[] = {{"superseded", 0}, {"opened", 1},         {"created", 2}, {"overwritten", 3},
                                           {"exists", 4},     {"does_not_exist", 5}, {NULL, 0}};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    const char *path = luaL_checkstring(lua, 2);
    struct fltvm_command command = {.op = FLTVM_COMMAND_OPEN};
    FltvmResult result = {0};
    const char *bytes;
    GByteArray *input;
    gsize length;
    File *file;

    fltvm_lua_check_fields(lua, 3, "machine:open", known);
    command.args[0] = fltvm_lua_flags_field(lua, 3, "access", accesses, GENERIC_READ_ | GENERIC_WRITE_) | SYNCHRONIZE_;
    command.args[1] = fltvm_lua_flags_field(lua, 3, "share", shares, SHARE_ALL);
    command.args[2] = fltvm_lua_flags_field(lua, 3, "disposition", dispositions, DISPOSITION_OPEN);
    command.args[3] = option_flags(lua);
    command.args[4] = fltvm_lua_flags_field(lua, 3, "attributes", fltvm_lua_file_attributes, ATTRIBUTE_NORMAL);
    command.args[5] = root_handle(lua);
    command.user = user_number(lua, fltvm_lua_string_field(lua, 3, "user", "none"));
    set_thread(lua, 3, &command);
    input = open_input(lua, path, (guint32)command.args[3]);
    length = input->len;
    bytes = lua_pushlstring(lua, (const char *)input->data, length); /* Lua's: an error leaves nothing behind */
    g_byte_array_unref(input);
    fltvm_lua_command(lua, machine, &command, bytes, length, lua_pushfstring(lua, "opening %s", path), FALSE, &result);
    file = fltvm_lua_new(lua, sizeof(*file), FILE_TYPE);
    file->machine = machine;
    file->handle = result.header.values[0];
    file->user = command.user;
    file->open = TRUE;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    fltvm_lua_push_flag(lua, result.header.values[2], actions);
    fltvm_result_clear(&result);
    return 2;
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
    return perform(lua, file->machine, &command, NULL, 0, fltvm_lua_push_bytes,
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
    return perform(lua, file->machine, &command, data, length, NULL,
                   lua_pushfstring(lua, "writing %I bytes at %I", (lua_Integer)length, offset));
}

static int file_flush_with(lua_State *lua, guint32 flags)
{
    File *file = check_file(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_FLUSH, .flags = flags};

    fltvm_lua_check_fields(lua, 2, "file:flush", operation_fields);
    command.args[0] = file->handle;
    set_thread(lua, 2, &command);
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
    fltvm_lua_check_fields(lua, 5, "a control", operation_fields);
    command.args[0] = file->handle;
    command.args[1] = (guint32)code;
    command.args[2] = length;
    command.args[3] = (guint64)output;
    set_thread(lua, 5, &command);
    g_snprintf(what, sizeof(what), "control 0x%08X", (guint)code);
    return perform(lua, file->machine, &command, data, length, fltvm_lua_push_bytes, what);
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
    set_thread(lua, 6, &command); /* no table: the defaults */
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
    set_thread(lua, 4, &command); /* no table: the defaults */
    perform(lua, file->machine, &command, bytes, length, NULL, "setting information");
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
    perform(lua, file->machine, &command, NULL, 0, NULL, "cancelling");
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

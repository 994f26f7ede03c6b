/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening files in Lua: machine:open(path, {...}), with everything that ZwCreateFile takes, by name or by number.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_process.h"
#include "lua_show.h"
#include "lua_unwind.h"
#include "vocabulary.h"

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
#define STATUS_INVALID_CID_ 0xC000000Bu

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

guint32 fltvm_lua_user(lua_State *lua, const char *what, const char *user)
{
    static const char *const words[] = {"system", "administrator", "limited", NULL};
    static const guint32 numbers[] = {FLTVM_USER_SYSTEM, FLTVM_USER_ADMINISTRATOR, FLTVM_USER_LIMITED};

    return numbers[fltvm_lua_choice(lua, what, user, words)];
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

/* The handle of the directory that the path begins at, or 0; a process's handles are its own. */
static guint64 root_handle(lua_State *lua, guint32 user)
{
    guint64 handle = 0;

    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "root") != LUA_TNIL) {
        const FltvmLuaFile *root = fltvm_lua_file(lua, -1);

        if (root->user != user && MAX(root->user, user) > FLTVM_USER_LIMITED)
            luaL_error(lua, "root: another process has opened it");
        handle = root->handle;
    }
    if (lua_istable(lua, 3))
        lua_pop(lua, 1);
    return handle;
}

/* Whose client of the machine's own opens; FLTVM_USER_NONE: the kernel, which may impersonate (*kernel). */
static guint32 opener(lua_State *lua, guint32 *kernel)
{
    const char *user = fltvm_lua_string_field(lua, 3, "user", NULL);
    const char *impersonate = fltvm_lua_string_field(lua, 3, "impersonate", NULL);
    gboolean by_kernel = user && g_str_equal(user, "kernel");

    if (impersonate && !by_kernel)
        luaL_error(lua, "impersonate: it is the kernel that does (user = \"kernel\")");
    *kernel = impersonate ? fltvm_lua_user(lua, "impersonate", impersonate) : FLTVM_USER_NONE;
    if (by_kernel)
        return FLTVM_USER_NONE;
    return user ? fltvm_lua_user(lua, "user", user) : FLTVM_USER_SYSTEM;
}

/* By the machine's own client of `user`'s, which the command names: one that has ended meanwhile gives way to another, once. */
static void open_by_client(lua_State *lua, FltvmMachine *machine, guint32 user, struct fltvm_command *command,
                           const char *bytes, gsize length, const char *what, FltvmResult *result)
{
    struct fltvm_command first = *command;
    gint32 status;

    fltvm_lua_command(lua, machine, &first, bytes, length, what, TRUE, result);
    status = result->header.status;
    if (status >= 0 && status != FLTVM_LUA_STATUS_TIMEOUT)
        return;
    fltvm_result_clear(result);
    if (status == FLTVM_LUA_STATUS_TIMEOUT)
        fltvm_lua_raise_timeout(lua, machine, what, command->timeout_ns);
    if ((guint32)status != STATUS_INVALID_CID_)
        fltvm_lua_raise_status(lua, (guint32)status, what);
    command->user = fltvm_lua_next_client(lua, user);
    fltvm_lua_command(lua, machine, command, bytes, length, what, FALSE, result);
}

int fltvm_lua_open_as(lua_State *lua, FltvmMachine *machine, guint32 user, const char *what)
{
    static const FltvmLuaField known[] = {{"access", FLTVM_LUA_FLAGS},
                                          {"attributes", FLTVM_LUA_FLAGS},
                                          {"user", FLTVM_LUA_TEXT},
                                          {"impersonate", FLTVM_LUA_TEXT},
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
    const char *path = luaL_checkstring(lua, 2);
    struct fltvm_command command = {.op = FLTVM_COMMAND_OPEN};
    FltvmResult result = {0};
    const char *bytes, *doing;
    guint32 client;
    GByteArray *input;
    gsize length;
    FltvmLuaFile *file;

    fltvm_lua_check_fields(lua, 3, what, known);
    command.args[0] = fltvm_lua_flags_field(lua, 3, "access", accesses, GENERIC_READ_ | GENERIC_WRITE_) | SYNCHRONIZE_;
    command.args[1] = fltvm_lua_flags_field(lua, 3, "share", shares, SHARE_ALL);
    command.args[2] = fltvm_lua_flags_field(lua, 3, "disposition", dispositions, DISPOSITION_OPEN);
    command.args[3] = option_flags(lua);
    command.args[4] = fltvm_lua_flags_field(lua, 3, "attributes", fltvm_lua_file_attributes, ATTRIBUTE_NORMAL);
    if (user != FLTVM_USER_NONE &&
        (fltvm_lua_string_field(lua, 3, "user", NULL) || fltvm_lua_string_field(lua, 3, "impersonate", NULL)))
        luaL_error(lua, "user: a process opens with its own token (machine:process{ token = })");
    client = user == FLTVM_USER_NONE ? opener(lua, &user) : FLTVM_USER_NONE;
    command.user = client != FLTVM_USER_NONE ? fltvm_lua_client(lua, client) : user;
    command.args[5] = root_handle(lua, command.user);
    fltvm_lua_set_thread(lua, 3, &command);
    input = open_input(lua, path, (guint32)command.args[3]);
    length = input->len;
    bytes = lua_pushlstring(lua, (const char *)input->data, length); /* Lua's: an error leaves nothing behind */
    g_byte_array_unref(input);
    doing = lua_pushfstring(lua, "opening %s", path);
    if (client != FLTVM_USER_NONE)
        open_by_client(lua, machine, client, &command, bytes, length, doing, &result);
    else
        fltvm_lua_command(lua, machine, &command, bytes, length, doing, FALSE, &result);
    file = fltvm_lua_new(lua, sizeof(*file), FLTVM_LUA_FILE);
    file->machine = machine;
    file->handle = result.header.values[0];
    file->access = (guint32)command.args[0];
    file->user = command.user;
    file->open = TRUE;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    fltvm_lua_opened(lua, "close");
    fltvm_lua_push_flag(lua, result.header.values[2], actions);
    fltvm_result_clear(&result);
    return 2;
}

/*
 * machine:open(path [, {access=, attributes=, user=, impersonate=, async=, buffered=, write_through=, share=, disposition=, options=, root=,
 * id=, ea=, thread=, timeout=}]) -> file, what was done
 */
static int machine_open(lua_State *lua)
{
    return fltvm_lua_open_as(lua, fltvm_lua_machine(lua, 1), FLTVM_USER_NONE, "machine:open");
}

void fltvm_lua_open_open(lua_State *lua)
{
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_open);
    lua_setfield(lua, -2, "open");
    lua_pop(lua, 1);
}

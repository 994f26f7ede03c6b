/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in Lua: what is in a directory, a file's streams and links, and names that are changed, given and taken away.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_file.h"

/* Of the documented NT interface. */
enum {
    ID_BOTH = 37,
    STREAMS = 22,
    HARD_LINKS = 46,
    DISPOSITION_EX = 64,
    RENAME_EX = 65,
    LINK_EX = 72,
    ROOM = 16384,
    NO_MORE_FILES = (int)0x80000006,
    NO_SUCH_FILE = (int)0xC000000F,
};

/* One entry of FILE_ID_BOTH_DIR_INFORMATION. */
static void push_entry(lua_State *lua, const guint8 *bytes, gsize length)
{
    static const struct {
        const char *name;
        guint offset, size;
    } numbers[] = {{"created", 8, 8}, {"accessed", 16, 8},  {"written", 24, 8}, {"changed", 32, 8},
                   {"size", 40, 8},   {"allocated", 48, 8}, {"ea_size", 64, 4}};
    guint64 attributes = fltvm_lua_get(bytes, length, 56, 4), name = fltvm_lua_get(bytes, length, 60, 4);

    lua_newtable(lua);
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        lua_pushinteger(lua, (lua_Integer)fltvm_lua_get(bytes, length, numbers[i].offset, numbers[i].size));
        lua_setfield(lua, -2, numbers[i].name);
    }
    fltvm_lua_push_flags(lua, attributes, fltvm_lua_file_attributes);
    lua_setfield(lua, -2, "attributes");
    lua_pushboolean(lua, (attributes & 0x10) != 0);
    lua_setfield(lua, -2, "directory");
    lua_pushlstring(lua, (const char *)bytes + 96, 8);
    lua_setfield(lua, -2, "id");
    fltvm_lua_push_utf16(lua, bytes + 70, MIN(fltvm_lua_get(bytes, length, 68, 1), 24));
    lua_setfield(lua, -2, "short_name");
    fltvm_lua_push_utf16(lua, bytes + 104, MIN(name, length - 104));
    lua_setfield(lua, -2, "name");
}

/* Appends the entries of one answer to the list on top of the stack. */
static void add_entries(lua_State *lua, const guint8 *bytes, gsize length)
{
    gsize at = 0, next;

    for (; at + 104 <= length; at += next) {
        push_entry(lua, bytes + at, length - at);
        lua_seti(lua, -2, (lua_Integer)lua_rawlen(lua, -2) + 1);
        next = fltvm_lua_get(bytes, length, at, 4);
        if (!next)
            break;
    }
}

/* file:list([pattern]) -> a list of tables, without "." and ".." */
static int file_list(lua_State *lua)
{
    const char *pattern = luaL_optstring(lua, 2, "");
    guint32 status = 0;

    lua_settop(lua, 3);
    lua_newtable(lua);
    for (guint round = 0;; round++) {
        struct fltvm_command command = {.op = FLTVM_COMMAND_DIRECTORY,
                                        .args = {0, ID_BOTH, ROOM, round ? 0 : FLTVM_DIRECTORY_RESTART}};
        GBytes *answer =
            fltvm_lua_ask(lua, &command, 3, pattern, strlen(pattern) + 1, "listing the directory", &status);
        gsize length;
        const char *bytes = g_bytes_get_data(answer, &length);

        lua_pushlstring(lua, bytes, length); /* Lua's: an error leaves nothing behind */
        g_bytes_unref(answer);
        if (status == (guint32)NO_MORE_FILES || status == (guint32)NO_SUCH_FILE)
            break;
        if ((gint32)status < 0)
            fltvm_lua_raise_status(lua, status, "listing the directory");
        lua_pushvalue(lua, 4);
        add_entries(lua, (const guint8 *)lua_tostring(lua, 5), length);
        lua_settop(lua, 4);
    }
    lua_settop(lua, 4);
    for (lua_Integer i = luaL_len(lua, 4); i >= 1; i--) { /* the directory itself and its parent */
        const char *name;

        lua_geti(lua, 4, i);
        lua_getfield(lua, -1, "name");
        name = lua_tostring(lua, -1);
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            for (lua_Integer j = i; j <= luaL_len(lua, 4); j++) {
                lua_geti(lua, 4, j + 1);
                lua_seti(lua, 4, j);
            }
        }
        lua_settop(lua, 4);
    }
    return 1;
}

/* FILE_STREAM_INFORMATION: { name =, size =, allocated = } each */
static int push_streams(lua_State *lua, const guint8 *bytes, gsize length)
{
    gsize at = 0, next;

    lua_newtable(lua);
    for (lua_Integer i = 1; at + 24 <= length; i++, at += next) {
        lua_newtable(lua);
        fltvm_lua_push_utf16(lua, bytes + at + 24, MIN(fltvm_lua_get(bytes, length, at + 4, 4), length - at - 24));
        lua_setfield(lua, -2, "name");
        lua_pushinteger(lua, (lua_Integer)fltvm_lua_get(bytes, length, at + 8, 8));
        lua_setfield(lua, -2, "size");
        lua_pushinteger(lua, (lua_Integer)fltvm_lua_get(bytes, length, at + 16, 8));
        lua_setfield(lua, -2, "allocated");
        lua_seti(lua, -2, i);
        next = fltvm_lua_get(bytes, length, at, 4);
        if (!next)
            break;
    }
    return 1;
}

static int file_streams(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_QUERY, .args = {0, STREAMS, ROOM}};

    lua_settop(lua, 2);
    return fltvm_lua_perform(lua, &command, 2, NULL, 0, push_streams, "asking for the streams");
}

/* FILE_LINKS_INFORMATION: { parent =, name = } each, parent being the directory's identifier */
static int push_links(lua_State *lua, const guint8 *bytes, gsize length)
{
    gsize at = 8, next;

    lua_newtable(lua);
    for (lua_Integer i = 1; at + 20 <= length; i++, at += next) {
        lua_newtable(lua);
        lua_pushlstring(lua, (const char *)bytes + at + 8, 8);
        lua_setfield(lua, -2, "parent");
        fltvm_lua_push_utf16(lua, bytes + at + 20, MIN(2 * fltvm_lua_get(bytes, length, at + 16, 4), length - at - 20));
        lua_setfield(lua, -2, "name");
        lua_seti(lua, -2, i);
        next = fltvm_lua_get(bytes, length, at, 4);
        if (!next)
            break;
    }
    return 1;
}

static int file_links(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_QUERY, .args = {0, HARD_LINKS, ROOM}};

    lua_settop(lua, 2);
    return fltvm_lua_perform(lua, &command, 2, NULL, 0, push_links, "asking for the links");
}

/* Of the documented NT interface: with one of these a name may be changed. */
enum { DELETE_ACCESS = 0x10000, MAXIMUM_ALLOWED_ACCESS = 0x2000000, GENERIC_ALL_ACCESS = 0x10000000 };

/* What an error says more where the handle is the reason: the kernel's are not asked. */
static const char *without_delete(lua_State *lua)
{
    const FltvmLuaFile *file = fltvm_lua_file(lua, 1);

    return file->user > FLTVM_USER_LIMITED &&
                   !(file->access & (DELETE_ACCESS | MAXIMUM_ALLOWED_ACCESS | GENERIC_ALL_ACCESS))
               ? " with a handle that was opened without \"delete\""
               : "";
}

static int file_name_with(lua_State *lua, guint number, const char *word)
{
    static const FltvmLuaField known[] = {{"replace", FLTVM_LUA_BOOLEAN},
                                          {"posix", FLTVM_LUA_BOOLEAN},
                                          {"ignore_readonly", FLTVM_LUA_BOOLEAN},
                                          {"root", FLTVM_LUA_VALUE},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_SET, .args = {0, number}};
    guint64 root = 0;
    GByteArray *name, *bytes;
    gsize length;
    guint flags;

    luaL_checkstring(lua, 2);
    fltvm_lua_check_fields(lua, 3, word, known);
    lua_settop(lua, 3);
    flags = (fltvm_lua_boolean_field(lua, 3, "replace", FALSE) ? 0x1 : 0) |
            (fltvm_lua_boolean_field(lua, 3, "posix", FALSE) ? 0x2 : 0) |
            (fltvm_lua_boolean_field(lua, 3, "ignore_readonly", FALSE) ? 0x40 : 0);
    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "root") != LUA_TNIL)
        root = fltvm_lua_file(lua, -1)->handle;
    lua_settop(lua, 3);
    name = fltvm_lua_utf16(lua, 2, word);
    bytes = g_byte_array_new();
    fltvm_lua_put(bytes, 0, 4, flags);
    fltvm_lua_put(bytes, 4, 4, 0);
    fltvm_lua_put(bytes, 8, 8, root);
    fltvm_lua_put(bytes, 16, 4, name->len);
    g_byte_array_append(bytes, name->data, name->len);
    fltvm_lua_put(bytes, MAX(bytes->len, 23), 1, 0); /* the structure's own size at least */
    length = bytes->len;
    lua_pushlstring(lua, (const char *)bytes->data, length);
    g_byte_array_unref(name);
    g_byte_array_unref(bytes);
    fltvm_lua_perform(
        lua, &command, 3, lua_tostring(lua, 4), length, NULL,
        lua_pushfstring(lua, "%s '%s'%s", word, lua_tostring(lua, 2), number == RENAME_EX ? without_delete(lua) : ""));
    return 0;
}

/* file:rename(name [, {replace=, posix=, ignore_readonly=, root=, thread=, timeout=}]) */
static int file_rename(lua_State *lua)
{
    return file_name_with(lua, RENAME_EX, "renaming to");
}

/* file:link(name [, the same]) */
static int file_link(lua_State *lua)
{
    return file_name_with(lua, LINK_EX, "linking as");
}

/* file:delete([{undo=, posix=, ignore_readonly=, on_close=, thread=, timeout=}]): marked; it goes with the last handle */
static int file_delete(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"undo", FLTVM_LUA_BOOLEAN},
                                          {"posix", FLTVM_LUA_BOOLEAN},
                                          {"ignore_readonly", FLTVM_LUA_BOOLEAN},
                                          {"on_close", FLTVM_LUA_BOOLEAN},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_SET, .args = {0, DISPOSITION_EX}};
    guint8 flags[4] = {0};

    fltvm_lua_check_fields(lua, 2, "file:delete", known);
    lua_settop(lua, 2);
    flags[0] = (fltvm_lua_boolean_field(lua, 2, "undo", FALSE) ? 0 : 0x1) |
               (fltvm_lua_boolean_field(lua, 2, "posix", FALSE) ? 0x2 : 0) |
               (fltvm_lua_boolean_field(lua, 2, "on_close", FALSE) ? 0x8 : 0) |
               (fltvm_lua_boolean_field(lua, 2, "ignore_readonly", FALSE) ? 0x10 : 0);
    fltvm_lua_perform(lua, &command, 2, flags, sizeof(flags), NULL,
                      lua_pushfstring(lua, "deleting%s", without_delete(lua)));
    return 0;
}

void fltvm_lua_open_names(lua_State *lua)
{
    static const luaL_Reg methods[] = {
        {"list", file_list}, {"streams", file_streams}, {"links", file_links}, {"rename", file_rename},
        {"link", file_link}, {"delete", file_delete},   {NULL, NULL}};

    fltvm_lua_add_file_methods(lua, methods);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in Lua, beside reading and writing: locks, notification of changes, extended attributes, descriptors.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_file.h"

/* The operation on top of the stack is on its way: it has had a millisecond of the guest's time to get to the file system. */
static int let_arrive(lua_State *lua)
{
    lua_getfield(lua, -1, "done");
    lua_pushvalue(lua, -2);
    lua_pushinteger(lua, 1);
    lua_call(lua, 2, 0);
    return 1;
}

/* --- locks --------------------------------------------------------------------------------------------- */

static int file_lock_with(lua_State *lua, guint32 flags)
{
    static const FltvmLuaField known[] = {{"shared", FLTVM_LUA_BOOLEAN},
                                          {"wait", FLTVM_LUA_BOOLEAN},
                                          {"key", FLTVM_LUA_NUMBER},
                                          FLTVM_LUA_TELLING_FIELDS,
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    lua_Integer offset = luaL_checkinteger(lua, 2), length = luaL_checkinteger(lua, 3);
    struct fltvm_command command = {.op = FLTVM_COMMAND_LOCK, .flags = flags};

    fltvm_lua_check_fields(lua, 4, "file:lock", known);
    lua_settop(lua, 4);
    command.args[1] = (guint64)offset;
    command.args[2] = (guint64)length;
    command.args[3] = fltvm_lua_u32_field(lua, 4, "key", 0);
    command.args[4] = (fltvm_lua_boolean_field(lua, 4, "shared", FALSE) ? FLTVM_LOCK_SHARED : 0) |
                      (fltvm_lua_boolean_field(lua, 4, "wait", flags != 0) ? FLTVM_LOCK_WAIT : 0);
    fltvm_lua_set_telling(lua, 4, &command);
    fltvm_lua_perform(lua, &command, 4, NULL, 0, NULL, lua_pushfstring(lua, "locking %I bytes at %I", length, offset));
    return flags ? let_arrive(lua) : 1;
}

/* file:lock(offset, length [, {shared=, wait=, key=, thread=, timeout=}]) */
static int file_lock(lua_State *lua)
{
    return file_lock_with(lua, 0);
}

static int file_lock_async(lua_State *lua)
{
    return file_lock_with(lua, FLTVM_COMMAND_FLAG_ASYNC);
}

static int file_unlock(lua_State *lua)
{
    static const FltvmLuaField known[] = {
        {"key", FLTVM_LUA_NUMBER}, {"thread", FLTVM_LUA_NUMBER}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
    lua_Integer offset = luaL_checkinteger(lua, 2), length = luaL_checkinteger(lua, 3);
    struct fltvm_command command = {.op = FLTVM_COMMAND_UNLOCK};

    fltvm_lua_check_fields(lua, 4, "file:unlock", known);
    lua_settop(lua, 4);
    command.args[1] = (guint64)offset;
    command.args[2] = (guint64)length;
    command.args[3] = fltvm_lua_u32_field(lua, 4, "key", 0);
    return fltvm_lua_perform(lua, &command, 4, NULL, 0, NULL,
                             lua_pushfstring(lua, "unlocking %I bytes at %I", length, offset));
}

/* --- changes ------------------------------------------------------------------------------------------- */

/* Of the documented NT interface: FILE_NOTIFY_CHANGE_… and FILE_ACTION_…. */
static const FltvmLuaFlag changes[] = {{"file_name", 0x1},     {"dir_name", 0x2},
                                       {"attributes", 0x4},    {"size", 0x8},
                                       {"last_write", 0x10},   {"last_access", 0x20},
                                       {"creation", 0x40},     {"ea", 0x80},
                                       {"security", 0x100},    {"stream_name", 0x200},
                                       {"stream_size", 0x400}, {"stream_write", 0x800},
                                       {"all", 0xFFF},         {NULL, 0}};

static const FltvmLuaFlag actions[] = {{"added", 1},          {"removed", 2},         {"modified", 3},
                                       {"renamed_old", 4},    {"renamed_new", 5},     {"added_stream", 6},
                                       {"removed_stream", 7}, {"modified_stream", 8}, {NULL, 0}};

/* FILE_NOTIFY_INFORMATION: a list of { action =, name = }. */
static int push_changes(lua_State *lua, const guint8 *bytes, gsize length)
{
    gsize at = 0, next;

    lua_newtable(lua);
    for (lua_Integer i = 1; at + 12 <= length; i++, at += next) {
        gsize name = fltvm_lua_get(bytes, length, at + 8, 4);

        lua_newtable(lua);
        fltvm_lua_push_flag(lua, fltvm_lua_get(bytes, length, at + 4, 4), actions);
        lua_setfield(lua, -2, "action");
        fltvm_lua_push_utf16(lua, bytes + at + 12, MIN(name, length - at - 12));
        lua_setfield(lua, -2, "name");
        lua_seti(lua, -2, i);
        next = fltvm_lua_get(bytes, length, at, 4);
        if (!next)
            break;
    }
    return 1;
}

/* file:notify([{filter=, tree=, length=, thread=, timeout=}]) -> an operation, whose wait() gives a list of changes */
static int file_notify(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"filter", FLTVM_LUA_FLAGS},
                                          {"tree", FLTVM_LUA_BOOLEAN},
                                          {"length", FLTVM_LUA_NUMBER},
                                          FLTVM_LUA_TELLING_FIELDS,
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_NOTIFY, .flags = FLTVM_COMMAND_FLAG_ASYNC};

    fltvm_lua_check_fields(lua, 2, "file:notify", known);
    command.args[1] = fltvm_lua_flags_field(lua, 2, "filter", changes, 0xFFF);
    command.args[2] = fltvm_lua_u32_field(lua, 2, "length", 4096);
    command.args[3] = fltvm_lua_boolean_field(lua, 2, "tree", FALSE);
    fltvm_lua_set_telling(lua, 2, &command);
    fltvm_lua_perform(lua, &command, 2, NULL, 0, push_changes, "waiting for changes");
    return let_arrive(lua);
}

/* --- extended attributes ------------------------------------------------------------------------------- */

enum { EA_MAX = 65536 };

/* FILE_FULL_EA_INFORMATION: { name = value }. */
static int push_eas(lua_State *lua, const guint8 *bytes, gsize length)
{
    gsize at = 0, next;

    lua_newtable(lua);
    do {
        gsize name = fltvm_lua_get(bytes, length, at + 5, 1), value = fltvm_lua_get(bytes, length, at + 6, 2);

        if (at + 8 + name + 1 + value > length)
            break;
        lua_pushlstring(lua, (const char *)bytes + at + 8, name);
        lua_pushlstring(lua, (const char *)bytes + at + 8 + name + 1, value);
        lua_settable(lua, -3);
        next = fltvm_lua_get(bytes, length, at, 4);
        at += next;
    } while (next);
    return 1;
}

/* The next entry of a list of them, which begins at a multiple of four; the one before, if there is one, leads to it. */
static gsize begin_entry(GByteArray *list, gsize *last)
{
    gsize start = (list->len + 3) & ~3u;

    if (list->len)
        fltvm_lua_put(list, *last, 4, start - *last);
    *last = start;
    fltvm_lua_put(list, start, 4, 0);
    return start;
}

/* Takes the array over; its bytes are Lua's then. */
static const char *keep_bytes(lua_State *lua, GByteArray *bytes, gsize *length)
{
    *length = bytes->len;
    lua_pushlstring(lua, (const char *)bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    return lua_tostring(lua, -1);
}

/* file:eas([names]) -> { name = value }: all, or those of the list */
static int file_eas(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_EA_QUERY, .args = {0, EA_MAX}};
    lua_Integer count = lua_isnoneornil(lua, 2) ? 0 : luaL_len(lua, 2);
    GByteArray *wanted;
    const char *list;
    gsize length, last = 0;

    for (lua_Integer i = 1; i <= count; i++) { /* errors come before there is anything to lose */
        fltvm_lua_list_text(lua, 2, i, "file:eas");
        lua_pop(lua, 1);
    }
    wanted = g_byte_array_new();
    for (lua_Integer i = 1; i <= count; i++) {
        const char *name = fltvm_lua_list_text(lua, 2, i, "file:eas");

        fltvm_lua_put(wanted, begin_entry(wanted, &last) + 4, 1, strlen(name));
        g_byte_array_append(wanted, (const guint8 *)name, (guint)strlen(name) + 1);
        lua_pop(lua, 1);
    }
    lua_settop(lua, 2);
    list = keep_bytes(lua, wanted, &length);
    return fltvm_lua_perform(lua, &command, 4, list, length, push_eas, "asking for extended attributes");
}

static gint compare_names(gconstpointer one, gconstpointer other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void add_ea(GByteArray *list, gsize *last, const char *name, const char *value, gsize length)
{
    gsize start = begin_entry(list, last);

    fltvm_lua_put(list, start + 4, 1, 0);
    fltvm_lua_put(list, start + 5, 1, strlen(name));
    fltvm_lua_put(list, start + 6, 2, length);
    g_byte_array_append(list, (const guint8 *)name, (guint)strlen(name) + 1);
    g_byte_array_append(list, (const guint8 *)value, (guint)length);
}

/* Pushes the bytes of FILE_FULL_EA_INFORMATION for the table at `index`, in the order of its names. */
static const char *push_ea_list(lua_State *lua, int index, const char *what, gsize *length)
{
    GPtrArray *names;
    GByteArray *list;
    gsize last = 0;

    luaL_checktype(lua, index, LUA_TTABLE);
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
        if (lua_type(lua, -2) != LUA_TSTRING || lua_type(lua, -1) != LUA_TSTRING)
            luaL_error(lua, "%s: names and values are texts", what);
        if (lua_rawlen(lua, -2) > 254 || lua_rawlen(lua, -1) > 65535)
            luaL_error(lua, "%s: '%s' is too long", what, lua_tostring(lua, -2));
    }
    names = g_ptr_array_new();
    list = g_byte_array_new();
    for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1))
        g_ptr_array_add(names, (gpointer)lua_tostring(lua, -2));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        gsize size;
        const char *value;

        lua_pushstring(lua, names->pdata[i]);
        lua_rawget(lua, index);
        value = lua_tolstring(lua, -1, &size);
        add_ea(list, &last, names->pdata[i], value, size);
        lua_pop(lua, 1);
    }
    g_ptr_array_unref(names);
    return keep_bytes(lua, list, length);
}

/* file:set_eas{ name = value, … }; an empty value takes the attribute away */
static int file_set_eas(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_EA_SET};
    gsize length;
    const char *list;

    lua_settop(lua, 2);
    list = push_ea_list(lua, 2, "file:set_eas", &length);
    lua_settop(lua, 3); /* its options are the defaults */
    fltvm_lua_perform(lua, &command, 4, list, length, NULL, "setting extended attributes");
    return 0;
}

/* fltvm.eas{ name = value, … } -> bytes, for machine:open's `ea` */
static int make_eas(lua_State *lua)
{
    gsize length;

    push_ea_list(lua, 1, "fltvm.eas", &length);
    return 1;
}

/* --- descriptors --------------------------------------------------------------------------------------- */

/* Of the documented NT interface: …_SECURITY_INFORMATION. */
static const FltvmLuaFlag parts[] = {{"owner", 0x1}, {"group", 0x2},  {"dacl", 0x4},
                                     {"sacl", 0x8},  {"label", 0x10}, {NULL, 0}};

/* file:security([parts]) -> a self-relative descriptor's bytes; without parts its owner, group and discretionary list */
static int file_security(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_SD_QUERY, .args = {0, 7, 65536}};

    lua_settop(lua, 2);

    if (!lua_isnoneornil(lua, 2))
        command.args[1] = fltvm_lua_flags(lua, 2, "file:security", parts);
    return fltvm_lua_perform(lua, &command, 3, NULL, 0, fltvm_lua_push_bytes, "asking for the descriptor");
}

/* file:set_security(descriptor [, parts]) */
static int file_set_security(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_SD_SET, .args = {0, 4}};
    gsize length;
    const char *bytes = luaL_checklstring(lua, 2, &length);

    if (!lua_isnoneornil(lua, 3))
        command.args[1] = fltvm_lua_flags(lua, 3, "file:set_security", parts);
    fltvm_lua_perform(lua, &command, 4, bytes, length, NULL, "setting the descriptor");
    return 0;
}

void fltvm_lua_open_filefacts(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"lock", file_lock},
                                       {"lock_async", file_lock_async},
                                       {"unlock", file_unlock},
                                       {"notify", file_notify},
                                       {"eas", file_eas},
                                       {"set_eas", file_set_eas},
                                       {"security", file_security},
                                       {"set_security", file_set_security},
                                       {NULL, NULL}};

    fltvm_lua_add_file_methods(lua, methods);
    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, make_eas);
    lua_setfield(lua, -2, "eas");
    lua_pop(lua, 1);
}

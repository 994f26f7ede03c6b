/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side in Lua: checksums, temporary files, host tools, notes. */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "child.h"
#include "error.h"
#include "lua_fields.h"
#include "lua_show.h"
#include "paths.h"
#include "temp.h"
#include "vocabulary.h"

/* fltvm.sha256(bytes) -> hexadecimal */
static int lua_sha256(lua_State *lua)
{
    gsize length;
    const char *data = luaL_checklstring(lua, 1, &length);
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, length);

    lua_pushstring(lua, digest);
    return 1;
}

/* fltvm.sha256_file(path [, offset [, length]]) -> hexadecimal */
static int lua_sha256_file(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 1);
    lua_Integer offset = luaL_optinteger(lua, 2, 0), left = luaL_optinteger(lua, 3, G_MAXINT64);
    g_autofree char *path = fltvm_lua_path(lua, name);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    FILE *file = fopen(path, "rbe");
    guchar buffer[65536];
    size_t count;

    if (!file) {
        GError *error = g_error_new(FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %m", path);
        g_clear_pointer(&path, g_free);
        g_clear_pointer(&checksum, g_checksum_free);
        fltvm_lua_raise(lua, error);
    }
    fseeko(file, offset, SEEK_SET);
    while (left > 0 && (count = fread(buffer, 1, (size_t)MIN(left, (lua_Integer)sizeof(buffer)), file)) > 0) {
        g_checksum_update(checksum, buffer, (gssize)count);
        left -= (lua_Integer)count;
    }
    fclose(file);
    lua_pushstring(lua, g_checksum_get_string(checksum));
    return 1;
}

/* fltvm.temp(name) -> a path in the directory that goes away at the end */
static int lua_temp(lua_State *lua)
{
    const char *name = luaL_checkstring(lua, 1);
    GError *error = NULL;
    const char *directory = fltvm_temp_dir(&error);

    if (!directory)
        fltvm_lua_raise(lua, error);
    luaL_argcheck(lua, *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0, 1,
                  "the name of a file is wanted, without '/'");
    lua_pushfstring(lua, "%s/%s", directory, name);
    return 1;
}

/* A tool that ran out of the scenario's time ends the scenario; one that cannot be started is an error like others. */
static int raise_host(lua_State *lua, GError *error)
{
    gint64 deadline = fltvm_lua_scenario(lua)->session.deadline;

    if (!fltvm_child_interrupted() && (!deadline || g_get_monotonic_time() <= deadline))
        error->code = FLTVM_ERROR_USAGE;
    fltvm_lua_raise(lua, error);
}

/* Run the words of the table that is the one argument, `before` them: output, status */
static int run_words(lua_State *lua, const char *word, const char *const *before)
{
    lua_Integer count;
    const char **argv;
    gsize first = 0;
    GString *out;
    GError *error = NULL;
    gboolean started;
    int status = 0;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    fltvm_lua_check_fields(lua, 1, word, (const FltvmLuaField[]){{"[n]", FLTVM_LUA_TEXT}, {NULL, 0}});
    count = luaL_len(lua, 1);
    luaL_argcheck(lua, count >= 1 && count < 100000, 1, "no command");
    luaL_checkstack(lua, (int)count + 4, word);
    argv = lua_newuserdatauv(lua, sizeof(*argv) * ((gsize)count + 3), 0);
    for (; before && before[first]; first++)
        argv[first] = before[first];
    for (lua_Integer i = 1; i <= count; i++)
        argv[first + (gsize)i - 1] = fltvm_lua_list_text(lua, 1, i, word); /* stays on the stack, hence valid */
    argv[first + (gsize)count] = NULL;
    out = g_string_new(NULL);
    started = fltvm_child_run_bytes(argv, out, &status, &error);
    lua_pushlstring(lua, out->str, out->len);
    g_string_free(out, TRUE);
    if (!started)
        raise_host(lua, error);
    lua_pushinteger(lua, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 2;
}

/* fltvm.host{"mke2fs", ...} -> output, status */
static int lua_host(lua_State *lua)
{
    return run_words(lua, "fltvm.host", NULL);
}

/* fltvm.image{"list", ...} -> output, status: what `fltvm image` does */
static int lua_image(lua_State *lua)
{
    char *command = fltvm_path_command();
    const char *self = lua_pushstring(lua, command); /* an error would not free ours */

    g_free(command);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fltvm command");
    return run_words(lua, "fltvm.image", (const char *const[]){self, "image", NULL});
}

/* fltvm.find(name) -> whether a host tool is installed */
static int lua_find(lua_State *lua)
{
    g_autofree char *path = g_find_program_in_path(luaL_checkstring(lua, 1));

    lua_pushboolean(lua, path != NULL);
    return 1;
}

/* fltvm.qemu_img() -> the path of qemu-img */
static int lua_qemu_img(lua_State *lua)
{
    g_autofree char *path = fltvm_path_qemu_img();

    lua_pushstring(lua, path);
    return 1;
}

/* note(...): a line of the scenario's own in the account */
static int lua_note(lua_State *lua)
{
    luaL_Buffer buffer;
    int count = lua_gettop(lua);

    luaL_checkstack(lua, count + 8, "note");
    for (int i = 1; i <= count; i++)
        fltvm_lua_push_text(lua, i);
    luaL_buffinit(lua, &buffer);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(lua, count + i);
        luaL_addvalue(&buffer);
        if (i < count)
            luaL_addchar(&buffer, ' ');
    }
    luaL_pushresult(&buffer);
    fltvm_account_note(fltvm_lua_scenario(lua)->session.account, "%s", lua_tostring(lua, -1));
    return 0;
}

/* skip(what, why): a check that cannot be made here */
static int lua_skip(lua_State *lua)
{
    fltvm_account_check(fltvm_lua_scenario(lua)->session.account, FLTVM_CHECK_SKIP, luaL_checkstring(lua, 1),
                        luaL_checkstring(lua, 2));
    return 0;
}

void fltvm_lua_open_host(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"sha256", lua_sha256},     {"sha256_file", lua_sha256_file},
                                         {"temp", lua_temp},         {"host", lua_host},
                                         {"image", lua_image},       {"find", lua_find},
                                         {"qemu_img", lua_qemu_img}, {NULL, NULL}};

    lua_getglobal(lua, "fltvm");
    luaL_setfuncs(lua, functions, 0);
    lua_pop(lua, 1);
    lua_pushcfunction(lua, lua_note);
    lua_setglobal(lua, "note");
    lua_pushcfunction(lua, lua_note);
    lua_setglobal(lua, "print"); /* what a script prints belongs to the account */
    lua_pushcfunction(lua, lua_skip);
    lua_setglobal(lua, "skip");
}

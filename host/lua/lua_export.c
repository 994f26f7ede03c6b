/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Export drivers in Lua: machine:library{...} puts the file where the guest's loader finds it when a driver imports from
 * it; nothing is loaded by that alone.
 */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_fields.h"
#include "lua_image.h"
#include "lua_machine.h"
#include "lua_show.h"
#include "vocabulary.h"

#define LIBRARY "fltvm.library"

typedef struct {
    char name[64];   /* the file's */
    char *link_with; /* the import library; NULL: none was made */
} Library;

static int library_gc(lua_State *lua)
{
    Library *library = luaL_checkudata(lua, 1, LIBRARY);

    g_clear_pointer(&library->link_with, g_free);
    return 0;
}

/* library:name() -> the file's name, which imports give */
static int library_name(lua_State *lua)
{
    Library *library = luaL_checkudata(lua, 1, LIBRARY);

    lua_pushstring(lua, library->name);
    return 1;
}

/* library:import_library() -> path of the .lib that was made with it, for the sources of drivers that import from it */
static int library_import_library(lua_State *lua)
{
    Library *library = luaL_checkudata(lua, 1, LIBRARY);

    if (!library->link_with)
        return luaL_error(lua, "%s was not compiled here: link with the import library that came with the image",
                          library->name);
    lua_pushstring(lua, library->link_with);
    return 1;
}

/* The file's name: `name`, or the image's own, or that of the first source with .sys. */
static gboolean name_library(const char *wanted, const FltvmLuaImage *image, Library *library, GError **error)
{
    g_autofree char *base = g_path_get_basename(image->first);
    char *dot = strrchr(base, '.');
    gsize length;

    if (!wanted && image->sources->pdata[0] && dot)
        *dot = '\0';
    length = (gsize)g_snprintf(library->name, sizeof(library->name), "%s%s", wanted ? wanted : base,
                               !wanted && image->sources->pdata[0] ? ".sys" : "");
    dot = strrchr(library->name, '.');
    if (length < sizeof(library->name) && dot && dot != library->name && dot[1] && !strpbrk(library->name, "\\/"))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                "library: '%s' is no name for a file: an extension, no folders, at most %d bytes (say name = …)",
                wanted ? wanted : base, (int)sizeof(library->name) - 1);
    return FALSE;
}

/* Find the image that the table at 2 means, compile it if need be; its bytes are pushed. */
static gboolean prepare_library(lua_State *lua, FltvmMachine *machine, Library *library, GError **error)
{
    g_auto(FltvmLuaImage) image = {0};
    const char *wanted = fltvm_lua_string_field(lua, 2, "name", NULL);

    fltvm_lua_image_read(lua, 2, NULL, &image);
    return fltvm_lua_image_check(&image, "library", FALSE, error) && name_library(wanted, &image, library, error) &&
           fltvm_lua_image_push(lua, machine, &image, library->name, &library->link_with, error);
}

/* machine:library{ source= or image=, name=, flags=, timeout= } -> library */
static int machine_library(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"source", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"image", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"name", FLTVM_LUA_TEXT},
                                          {"flags", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    struct fltvm_command command = {.op = FLTVM_COMMAND_LIBRARY, .flags = FLTVM_COMMAND_FLAG_INPUT};
    FltvmResult result = {0};
    GError *error = NULL;
    luaL_Buffer buffer;
    Library *library;
    const char *bytes;
    gsize length;

    lua_settop(lua, 2);
    fltvm_lua_check_fields(lua, 2, "machine:library", known);
    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    library = fltvm_lua_new(lua, sizeof(*library), LIBRARY);
    if (!prepare_library(lua, machine, library, &error))
        fltvm_lua_raise(lua, error);
    bytes = lua_tolstring(lua, -1, &length);
    luaL_buffinit(lua, &buffer);
    luaL_addlstring(&buffer, library->name, strlen(library->name) + 1);
    luaL_addlstring(&buffer, bytes, length);
    luaL_pushresult(&buffer);
    bytes = lua_tolstring(lua, -1, &length);
    fltvm_lua_stage(lua, machine, bytes, length);
    fltvm_lua_command(lua, machine, &command, NULL, 0, lua_pushfstring(lua, "library %s", library->name), FALSE,
                      &result);
    fltvm_result_clear(&result);
    lua_settop(lua, 3);
    return 1;
}

void fltvm_lua_open_export(lua_State *lua)
{
    static const luaL_Reg methods[] = {
        {"name", library_name}, {"import_library", library_import_library}, {"__gc", library_gc}, {NULL, NULL}};

    luaL_newmetatable(lua, LIBRARY);
    luaL_setfuncs(lua, methods, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_library);
    lua_setfield(lua, -2, "library");
    lua_pop(lua, 2);
}

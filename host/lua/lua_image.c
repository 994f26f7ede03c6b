/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that a script names: see lua_image.h. */
#include "lua_image.h"

#include <lauxlib.h>
#include <string.h>

#include "compile.h"
#include "error.h"
#include "lua_fields.h"
#include "lua_machine.h"
#include "paths.h"
#include "vocabulary.h"

void fltvm_lua_image_clear(FltvmLuaImage *image)
{
    g_clear_pointer(&image->sources, g_ptr_array_unref);
    g_clear_pointer(&image->images, g_ptr_array_unref);
    g_clear_pointer(&image->flags, g_ptr_array_unref);
    image->first = NULL;
}

/* A list of texts from a field that is one text or a table of them; each a path if `paths`. */
static GPtrArray *text_list(lua_State *lua, int index, const char *name, gboolean paths)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    int type = lua_getfield(lua, index, name);

    if (type == LUA_TSTRING) {
        g_ptr_array_add(list, paths ? fltvm_lua_path(lua, lua_tostring(lua, -1)) : g_strdup(lua_tostring(lua, -1)));
    } else if (type == LUA_TTABLE) {
        for (lua_Integer i = 1, count = luaL_len(lua, -1); i <= count; i++) {
            const char *text;
            lua_geti(lua, -1, i);
            text = lua_tostring(lua, -1);
            if (!text) {
                g_ptr_array_unref(list);
                luaL_error(lua, "%s: entry %d is not a text", name, (int)i);
                return NULL;
            }
            g_ptr_array_add(list, paths ? fltvm_lua_path(lua, text) : g_strdup(text));
            lua_pop(lua, 1);
        }
    } else if (type != LUA_TNIL) {
        g_ptr_array_unref(list);
        luaL_error(lua, "%s is neither a text nor a list of texts", name);
        return NULL;
    }
    lua_pop(lua, 1);
    g_ptr_array_add(list, NULL);
    return list;
}

void fltvm_lua_image_read(lua_State *lua, int index, const char *beside, FltvmLuaImage *image)
{
    image->sources = text_list(lua, index, "source", TRUE);
    image->images = text_list(lua, index, "image", TRUE);
    image->flags = text_list(lua, index, "flags", FALSE);
    image->first = image->sources->pdata[0]  ? image->sources->pdata[0]
                   : image->images->pdata[0] ? image->images->pdata[0]
                                             : beside;
}

gboolean fltvm_lua_image_check(const FltvmLuaImage *image, const char *who, gboolean optional, GError **error)
{
    gboolean compiled = image->sources->pdata[0] != NULL, given = image->images->pdata[0] != NULL;

    if (!(compiled && given) && (compiled || given || optional) && image->images->len <= 2)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: give one of source (C files) and image (a .sys file)", who);
    return FALSE;
}

/* Is this a PE image for x64?  The guest's loader looks closer; this gives the plain message. */
static gboolean check_image(const char *path, const char *bytes, gsize length, GError **error)
{
    guint32 header = 0;
    const char *reason = NULL;

    if (length >= 64)
        memcpy(&header, bytes + 60, 4);
    if (length < 64 || memcmp(bytes, "MZ", 2) != 0)
        reason = "not a Windows image (no MZ header)";
    else if (header > length - 24 || length < 24 || memcmp(bytes + header, "PE\0\0", 4) != 0)
        reason = "not a Windows image (no PE header)";
    else if (memcmp(bytes + header + 4, "\x64\x86", 2) != 0)
        reason = "not an image for x64";
    if (!reason)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "driver image: %s: %s", path, reason);
    return FALSE;
}

gboolean fltvm_lua_image_push(lua_State *lua, FltvmMachine *machine, const FltvmLuaImage *image, const char *file,
                              char **library, GError **error)
{
    g_auto(FltvmCompiled) compiled = {0};
    g_autofree char *bytes = NULL;
    g_autoptr(GError) reason = NULL;
    const char *path = image->first;
    gsize length;

    if (image->sources->pdata[0]) {
        if (!fltvm_compile(file, (const char *const *)image->sources->pdata, (const char *const *)image->flags->pdata,
                           library != NULL, &compiled, error))
            return FALSE;
        path = compiled.image;
    }
    if (!fltvm_path_check("driver image", path, error))
        return FALSE;
    if (!g_file_get_contents(path, &bytes, &length, &reason)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "driver image: %s", reason->message);
        return FALSE;
    }
    if (!check_image(path, bytes, length, error))
        return FALSE;
    fltvm_symbols_set_file(fltvm_machine_symbols(machine), file, compiled.symbols ? compiled.symbols : path);
    if (library)
        *library = g_steal_pointer(&compiled.library);
    lua_pushlstring(lua, bytes, length);
    return TRUE;
}

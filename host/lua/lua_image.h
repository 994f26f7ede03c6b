/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fields source, image and flags of a table mean: an image for the guest, compiled if need be. */
#ifndef FLTVM_HOST_LUA_IMAGE_H
#define FLTVM_HOST_LUA_IMAGE_H

#include <glib.h>
#include <lua.h>

#include "machine.h"

typedef struct {
    GPtrArray *sources, *images, *flags; /* of texts, NULL at the end */
    const char *first;                   /* the first source, or the image; NULL: there is none */
} FltvmLuaImage;

void fltvm_lua_image_clear(FltvmLuaImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FltvmLuaImage, fltvm_lua_image_clear)

/* Reads the fields; `beside` is the image where neither is given, or NULL.  Raises what is no text. */
void fltvm_lua_image_read(lua_State *lua, int index, const char *beside, FltvmLuaImage *image);

/* One of source and image, or with `optional` at most one.  `who` begins the error. */
gboolean fltvm_lua_image_check(const FltvmLuaImage *image, const char *who, gboolean optional, GError **error);

/*
 * Pushes the image's bytes; the guest will know it as `file`, and its symbols are found under that name.  If `library`
 * is not NULL it gets the path of the import library that compiling made, or NULL when nothing was compiled.
 */
gboolean fltvm_lua_image_push(lua_State *lua, FltvmMachine *machine, const FltvmLuaImage *image, const char *file,
                              char **library, GError **error);

#endif

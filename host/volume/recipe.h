/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recipes for disk images: the texts in images/ and others like them, which scripts/make-image.py carries out.  A name stands for
 * the file of images/ that is called so, with .image behind it.
 */
#ifndef FLTVM_HOST_RECIPE_H
#define FLTVM_HOST_RECIPE_H

#include <glib.h>

/* The file of the recipe of a name; NULL if there is none, or it is a path. */
char *fltvm_recipe_find(const char *name);

/* Write the raw image of a recipe's file to `target`.  `files`: the folder for its first file system; or NULL. */
gboolean fltvm_recipe_make(const char *recipe, const char *target, const char *files, GError **error);

/* The image of the recipe of a name, in the build folder; it is made when it is not there, or older than the recipe. */
char *fltvm_recipe_image(const char *name, GError **error);

#endif

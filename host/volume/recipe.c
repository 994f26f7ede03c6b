/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recipes for disk images: see recipe.h. */
#include "recipe.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "child.h"
#include "error.h"
#include "paths.h"
#include "text.h"

char *fltvm_recipe_find(const char *name)
{
    g_autofree char *file = g_strconcat("images/", name, ".image", NULL), *path = fltvm_path_source(file);

    if (!*name || strchr(name, '/') || strchr(name, '.') || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return NULL;
    return g_steal_pointer(&path);
}

gboolean fltvm_recipe_make(const char *recipe, const char *target, const char *files, GError **error)
{
    g_autofree char *script = fltvm_path_source("scripts/make-image.py"), *command = fltvm_path_command();
    g_autofree char *complaints = NULL, *clean = NULL;
    const char *const python[] = {"python3", NULL};
    const char *argv[] = {fltvm_path_tool(python), script, "--fltvm", command, "--files",
                          files ? files : "",      "--",   recipe,    target,  NULL};
    int status;

    if (!fltvm_child_run(argv, NULL, NULL, &complaints, &status, error))
        return FALSE;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    clean = fltvm_text_clean(g_strchomp(complaints), -1);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", clean);
    return FALSE;
}

/* Was a file last written before another?  One that is not there was. */
static gboolean is_older(const char *path, const char *other)
{
    struct stat info, reference;

    return stat(path, &info) < 0 || stat(other, &reference) < 0 || info.st_mtim.tv_sec < reference.st_mtim.tv_sec ||
           (info.st_mtim.tv_sec == reference.st_mtim.tv_sec && info.st_mtim.tv_nsec < reference.st_mtim.tv_nsec);
}

char *fltvm_recipe_image(const char *name, GError **error)
{
    g_autofree char *recipe = fltvm_recipe_find(name), *script = fltvm_path_source("scripts/make-image.py");
    g_autofree char *build = fltvm_path_build(), *folder = g_build_filename(build, "images", NULL);
    g_autofree char *file = g_strconcat(name, ".raw", NULL), *image = g_build_filename(folder, file, NULL);
    g_autofree char *part = g_strconcat(image, ".XXXXXX", NULL);

    if (!recipe) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "there is no recipe images/%s.image", name);
        return NULL;
    }
    if (!is_older(image, recipe) && !is_older(image, script))
        return g_steal_pointer(&image);
    g_mkdir_with_parents(folder, 0777);
    /* Two runs may make it at once: each its own, and the last one stays. */
    if (!g_mkdtemp_full(part, 0777)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", folder, g_strerror(errno));
        return NULL;
    }
    g_autofree char *made = g_build_filename(part, file, NULL);
    gboolean done = fltvm_recipe_make(recipe, made, NULL, error);
    if (done && rename(made, image) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", image, g_strerror(errno));
        done = FALSE;
    }
    g_unlink(made);
    g_rmdir(part);
    return done ? g_steal_pointer(&image) : NULL;
}

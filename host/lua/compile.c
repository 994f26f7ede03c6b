/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Minifilters from source: see compile.h. */
#include "compile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "paths.h"
#include "temp.h"
#include "text.h"

void fltvm_compiled_clear(FltvmCompiled *compiled)
{
    g_clear_pointer(&compiled->image, g_free);
    g_clear_pointer(&compiled->symbols, g_free);
    g_clear_pointer(&compiled->library, g_free);
}

char *fltvm_compile_cache_dir(void)
{
    g_autofree char *build = fltvm_path_build();
    g_autofree char *cache = g_build_filename(build, "drivers", NULL);

    if (access(cache, W_OK) == 0 || (access(cache, F_OK) < 0 && access(build, W_OK) == 0))
        return g_steal_pointer(&cache);
    return g_build_filename(g_get_user_cache_dir(), "fltvm", "drivers", NULL); /* somebody else's build */
}

static void add_text(GChecksum *checksum, const char *text)
{
    g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text) + 1);
}

/* A file's identity; a file that is not there counts too. */
static void add_file(GChecksum *checksum, const char *path)
{
    g_autofree char *line = NULL;
    struct stat info;

    if (stat(path, &info) < 0)
        memset(&info, 0, sizeof(info));
    line = g_strdup_printf("%s %lld %lld.%09ld", path, (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                           info.st_mtim.tv_nsec);
    add_text(checksum, line);
}

/* What names a driver: its sources' paths, the flags, the toolchain. */
static char *recipe_key(const char *name, const char *const *sources, const char *const *flags, gboolean exports)
{
    static const char *const toolchain[] = {
        "cc",         "cctool/pch.py", "cctool/repair.py", "cctool/say.py", "cctool/wpp.py", "common.cfg",
        "driver.cfg", "link.cfg",      "source.cfg",       "cxx.cfg",       "user.cfg",      "userlink.cfg"};
    static const char *const libraries[] = {"guest/ntoskrnl.lib",    "fltmgr/fltmgr.lib",    "sdk/crt/libcntpr.lib",
                                            "guest/drivers/cng.lib", "guest/user/ntdll.lib", "sdk/fltlib/fltlib.lib"};
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *build = fltvm_path_build();

    add_text(checksum, name);
    if (exports)
        add_text(checksum, "exports");
    for (gsize i = 0; i < G_N_ELEMENTS(toolchain); i++) {
        g_autofree char *relative = g_build_filename("sdk/toolchain", toolchain[i], NULL);
        g_autofree char *path = fltvm_path_source(relative);
        add_file(checksum, path);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(libraries); i++) {
        g_autofree char *path = g_build_filename(build, libraries[i], NULL);
        add_file(checksum, path);
    }
    for (; *sources; sources++) {
        g_autofree char *path = g_canonicalize_filename(*sources, NULL);
        add_text(checksum, path);
    }
    for (; flags && *flags; flags++)
        add_text(checksum, *flags);
    return g_strdup(g_checksum_get_string(checksum));
}

/* The names in a make rule, "out: a b\ c": a backslash before ' ' and '#', '$' twice. */
static char **depfile_names(const char *text)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GString) name = g_string_new(NULL);
    const char *p = strstr(text, ": ");

    for (p = p ? p + 2 : ""; *p; p++) {
        if ((*p == '\\' && (p[1] == ' ' || p[1] == '#')) || (*p == '$' && p[1] == '$')) {
            g_string_append_c(name, *++p);
        } else if (g_ascii_isspace(*p) || (*p == '\\' && p[1] == '\n')) {
            if (name->len)
                g_ptr_array_add(names, g_strdup(name->str));
            g_string_truncate(name, 0);
        } else {
            g_string_append_c(name, *p);
        }
    }
    if (name->len)
        g_ptr_array_add(names, g_strdup(name->str));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

/* The key of the result, from the recipe's list of inputs; NULL when the driver was never made. */
static char *result_key(const char *recipe, const char *depfile)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *text = NULL;
    g_auto(GStrv) names = NULL;

    if (!g_file_get_contents(depfile, &text, NULL, NULL))
        return NULL;
    names = depfile_names(text);
    add_text(checksum, recipe);
    for (char **name = names; *name; name++)
        add_file(checksum, *name);
    return g_strdup(g_checksum_get_string(checksum));
}

static gboolean run_tool(const char *const *argv, const char *what, GError **error)
{
    g_autofree char *complaints = NULL;
    int status;

    if (!fltvm_child_run(argv, NULL, NULL, &complaints, &status, error))
        return FALSE;
    if (fltvm_child_interrupted()) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "interrupted");
        return FALSE;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127) {
        /* env found no python3, or somebody killed the compiler: nothing is said of the source. */
        g_autofree char *end = fltvm_child_describe(status);
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "the compiler could not run (%s), is python3 installed?\n%s",
                    end, g_strchomp(complaints));
        return FALSE;
    }
    if (WEXITSTATUS(status) == 0) {
        g_autofree char *warnings = fltvm_text_clean(complaints, -1);
        fputs(warnings, stderr);
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, WEXITSTATUS(status) == 4 ? FLTVM_ERROR_HOST : FLTVM_ERROR_USAGE, "%s:\n%s", what,
                g_strchomp(complaints));
    return FALSE;
}

/* Compile into `work`/NAME, with `work`/symbols/NAME, `work`/inputs.d and, with exports, `work`/NAME.lib beside it. */
static gboolean make(const char *work, const char *name, const char *const *sources, const char *const *flags,
                     gboolean exports, GError **error)
{
    g_autofree char *cc = fltvm_path_source("sdk/toolchain/cc");
    g_autofree char *folder = g_build_filename(work, "symbols", NULL);
    g_autofree char *full = g_build_filename(folder, name, NULL);
    g_autofree char *stripped = g_build_filename(work, name, NULL);
    g_autofree char *depfile = g_build_filename(work, "inputs.d", NULL);
    g_autofree char *library = g_strconcat(stripped, ".lib", NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *what = g_strdup_printf("%s does not compile", *sources);

    g_mkdir(folder, 0777);
    g_ptr_array_add(argv, cc);
    g_ptr_array_add(argv, (gpointer) "-o");
    g_ptr_array_add(argv, stripped);
    g_ptr_array_add(argv, (gpointer) "--symbols");
    g_ptr_array_add(argv, full);
    g_ptr_array_add(argv, (gpointer) "--depfile");
    g_ptr_array_add(argv, depfile);
    if (exports) {
        g_ptr_array_add(argv, (gpointer) "--implib");
        g_ptr_array_add(argv, library);
    }
    for (; flags && *flags; flags++)
        g_ptr_array_add(argv, (gpointer)*flags);
    for (; *sources; sources++)
        g_ptr_array_add(argv, (gpointer)*sources);
    g_ptr_array_add(argv, NULL);
    return run_tool((const char *const *)argv->pdata, what, error);
}

static gboolean use(const char *entry, const char *name, gboolean exports, FltvmCompiled *compiled)
{
    compiled->image = g_build_filename(entry, name, NULL);
    compiled->symbols = g_build_filename(entry, "symbols", name, NULL);
    compiled->library = exports ? g_strconcat(compiled->image, ".lib", NULL) : NULL;
    if (access(compiled->image, R_OK) == 0) {
        utimensat(AT_FDCWD, entry, NULL, 0); /* in use: prune() passes it over */
        return TRUE;
    }
    fltvm_compiled_clear(compiled);
    return FALSE;
}

/* Remove what nobody has asked for in a month, and what a maker that was killed left an hour ago. */
static void prune(const char *cache)
{
    g_autoptr(GDir) folder = g_dir_open(cache, 0, NULL);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        g_autofree char *path = g_build_filename(cache, name, NULL);
        gint64 keep = g_str_has_prefix(name, "making-") ? 3600 : 30 * 24 * 3600;
        struct stat info;

        if (lstat(path, &info) == 0 && now - info.st_mtim.tv_sec > keep)
            fltvm_temp_remove(path);
    }
}

/* Move what was made to where others find it; somebody else may have been first. */
static gboolean publish(const char *work, const char *cache, const char *recipe, const char *name, gboolean exports,
                        FltvmCompiled *compiled, GError **error)
{
    g_autofree char *made_list = g_build_filename(work, "inputs.d", NULL);
    g_autofree char *key = result_key(recipe, made_list);
    g_autofree char *entry = g_build_filename(cache, key ? key : "none", NULL);
    g_autofree char *list_name = g_strconcat(recipe, ".d", NULL);
    g_autofree char *list = g_build_filename(cache, list_name, NULL);
    g_autofree char *text = NULL;

    if (!key || !g_file_get_contents(made_list, &text, NULL, error))
        return FALSE;
    if (g_rename(work, entry) < 0 && errno != EEXIST && errno != ENOTEMPTY) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", entry, g_strerror(errno));
        return FALSE;
    }
    /* g_file_set_contents() renames into place. */
    if (!g_file_set_contents(list, text, -1, error))
        return FALSE;
    if (use(entry, name, exports, compiled))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: no image there", entry);
    return FALSE;
}

gboolean fltvm_compile(const char *name, const char *const *sources, const char *const *flags, gboolean exports,
                       FltvmCompiled *compiled, GError **error)
{
    g_autofree char *recipe = recipe_key(name, sources, flags, exports);
    g_autofree char *cache = fltvm_compile_cache_dir();
    g_autofree char *list_name = g_strconcat(recipe, ".d", NULL);
    g_autofree char *list = g_build_filename(cache, list_name, NULL);
    g_autofree char *key = result_key(recipe, list);
    g_autofree char *work = NULL;

    for (const char *const *source = sources; *source; source++) {
        if (!fltvm_path_check("driver source", *source, error))
            return FALSE;
    }
    if (key) {
        g_autofree char *entry = g_build_filename(cache, key, NULL);
        if (use(entry, name, exports, compiled))
            return TRUE;
    }
    work = g_build_filename(cache, "making-XXXXXX", NULL);
    if (g_mkdir_with_parents(cache, 0777) < 0 || !g_mkdtemp(work)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s: %s", cache, g_strerror(errno));
        return FALSE;
    }
    if (make(work, name, sources, flags, exports, error) &&
        publish(work, cache, recipe, name, exports, compiled, error)) {
        fltvm_temp_remove(work);
        prune(cache);
        return TRUE;
    }
    fltvm_temp_remove(work);
    return FALSE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm image: blank disk images and those of recipes, images converted and told about, and what is on their volumes.
 *
 * A format is what --format, --from or a file's name says, and files that an image names are not followed: see
 * image.h.  What is made gets its name when it is complete; only --force lets it take the place of another.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "config.h"
#include "error.h"
#include "image.h"
#include "image_actions.h"
#include "paths.h"
#include "recipe.h"
#include "temp.h"
#include "text.h"
#include "verbs.h"

static char *opt_format;
static char *opt_from;
static gboolean opt_force;

gboolean fltvm_image_usage(GError **error, const char *message)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s (try 'fltvm image --help')", message);
    return FALSE;
}

/* The format that --format or the file's name asks for. */
static const char *format_of(const char *path)
{
    return opt_format ? opt_format : fltvm_image_format_of(path);
}

static gboolean fail(GError **error, const char *path, int reason)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", path, g_strerror(reason));
    return FALSE;
}

/* Runs qemu-img with these arguments, then TARGET and LAST (or NULL). */
static gboolean qemu_img(const char *const *arguments, const char *target, const char *last, GError **error)
{
    g_autofree char *tool = fltvm_path_qemu_img();
    g_autofree char *out = NULL, *complaints = NULL, *clean = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int status;

    g_ptr_array_add(argv, tool);
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, (gpointer)*arguments);
    g_ptr_array_add(argv, (gpointer)target);
    g_ptr_array_add(argv, (gpointer)last);
    g_ptr_array_add(argv, NULL);
    if (!fltvm_child_run((const char *const *)argv->pdata, NULL, &out, &complaints, &status, error))
        return FALSE;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    clean = fltvm_text_clean(g_strchomp(complaints), -1);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", clean);
    return FALSE;
}

/* --- what is made -------------------------------------------------------------------------------------- */

/* The absolute name that TARGET means, through links: one that QEMU cannot take for anything but a file's. */
static char *real_target(const char *target)
{
    char *resolved = realpath(target, NULL);
    char *name = resolved ? g_strdup(resolved) : g_canonicalize_filename(target, NULL);

    free(resolved);
    return name;
}

/* An empty file beside TARGET, to become it; its mode is what a new file's would be. */
static char *begin(const char *target, GError **error)
{
    g_autofree char *name = g_strconcat(target, ".XXXXXX", NULL);
    mode_t mask = umask(0);
    struct stat info;
    int fd;

    umask(mask);
    if (stat(target, &info) == 0 && !opt_force) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s (--force replaces it)", target, g_strerror(EEXIST));
        return NULL;
    }
    if (stat(target, &info) == 0 && !S_ISREG(info.st_mode)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: not a plain file", target);
        return NULL;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        fail(error, target, errno);
        return NULL;
    }
    fchmod(fd, 0666 & ~mask);
    close(fd);
    return g_steal_pointer(&name);
}

/* Give what was made its name, or remove it. */
static gboolean end(const char *name, const char *target, gboolean made, GError **error)
{
    if (made && (opt_force ? rename(name, target) : link(name, target)) < 0)
        made = fail(error, target, errno);
    unlink(name);
    return made;
}

static gboolean create(int argc, char **argv, int *outcome, GError **error)
{
    g_autofree char *target = NULL, *name = NULL, *size = NULL;
    guint64 bytes;
    gboolean made;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "create needs FILE and SIZE");
    if (!fltvm_parse_size(argv[1], &bytes, error))
        return FALSE;
    if (!bytes || bytes % 512)
        return fltvm_image_usage(error, "a size is a whole number of 512-byte sectors");
    target = real_target(argv[0]);
    name = begin(target, error);
    if (!name)
        return FALSE;
    size = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    if (g_str_equal(format_of(target), "raw"))
        made = truncate(name, (off_t)bytes) == 0 || fail(error, target, errno);
    else
        made = qemu_img((const char *const[]){"create", "-q", "-f", "qcow2", NULL}, name, size, error);
    return end(name, target, made, error);
}

static gboolean convert(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmImage) from = NULL;
    g_autofree char *target = NULL, *name = NULL, *source = NULL;
    struct stat one, other;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "convert needs FROM and TO");
    from = fltvm_image_open(argv[0], opt_from, FALSE, NULL, error);
    if (!from)
        return FALSE;
    target = real_target(argv[1]);
    if (stat(target, &other) == 0 && fstat(from->fd, &one) == 0 && one.st_dev == other.st_dev &&
        one.st_ino == other.st_ino)
        return fltvm_image_usage(error, "FROM and TO are the same file");
    name = begin(target, error);
    if (!name)
        return FALSE;
    /* By descriptor: what was checked is what is read. */
    fcntl(from->fd, F_SETFD, 0);
    source = g_strdup_printf("/proc/self/fd/%d", from->fd);
    const char *arguments[] = {"convert", "-f", from->format, "-O", format_of(target), source, NULL};
    return end(name, target, qemu_img(arguments, name, NULL, error), error);
}

static gboolean info(int argc, char **argv, int *outcome, GError **error)
{
    g_autofree char *text = NULL, *clean = NULL;

    (void)outcome;
    if (argc != 1)
        return fltvm_image_usage(error, "info needs FILE");
    text = fltvm_image_info(argv[0], opt_format, error);
    if (!text)
        return FALSE;
    clean = fltvm_text_clean(text, -1);
    fputs(clean, stdout);
    return TRUE;
}

/* --- recipes ------------------------------------------------------------------------------------------- */

/* Makes TARGET by a recipe's file, in whatever format it is to be. */
static gboolean make_target(const char *recipe, const char *target_name, GError **error)
{
    g_autofree char *target = real_target(target_name), *name = NULL;

    if (!g_str_equal(format_of(target), "raw"))
        return fltvm_image_usage(error, "what a recipe makes is raw: 'fltvm image convert' makes another of it");
    name = begin(target, error);
    return name && end(name, target, fltvm_recipe_make(recipe, name, fltvm_image_options.files, error), error);
}

static gboolean make(int argc, char **argv, int *outcome, GError **error)
{
    g_autofree char *recipe = NULL;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "make needs RECIPE and FILE");
    recipe = fltvm_recipe_find(argv[0]);
    if (!recipe)
        recipe = g_strdup(argv[0]);
    return fltvm_path_check("recipe", recipe, error) && make_target(recipe, argv[1], error);
}

/* An NTFS volume over the whole disk: the recipe is what the options say. */
static gboolean ntfs(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(GString) text = g_string_new("filesystem = ntfs\n");
    g_autofree char *recipe = NULL;
    const char *folder;
    guint64 bytes;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "ntfs needs FILE and SIZE");
    if (!fltvm_parse_size(argv[1], &bytes, error))
        return FALSE;
    g_string_append_printf(text, "size = %" G_GUINT64_FORMAT "\n", bytes);
    if (fltvm_image_options.label)
        g_string_append_printf(text, "label = %s\n", fltvm_image_options.label);
    if (fltvm_image_options.cluster)
        g_string_append_printf(text, "cluster = %s\n", fltvm_image_options.cluster);
    folder = fltvm_temp_dir(error);
    if (!folder)
        return FALSE;
    recipe = g_build_filename(folder, "options.image", NULL);
    return g_file_set_contents(recipe, text->str, (gssize)text->len, error) && make_target(recipe, argv[0], error);
}

static const struct {
    const char *name;
    gboolean (*function)(int argc, char **argv, int *outcome, GError **error);
} actions[] = {{"create", create},
               {"ntfs", ntfs},
               {"make", make},
               {"convert", convert},
               {"info", info},
               {"add", fltvm_image_add},
               {"list", fltvm_image_list},
               {"read", fltvm_image_read},
               {"extract", fltvm_image_extract},
               {"compare", fltvm_image_compare},
               {"check", fltvm_image_check}};

int fltvm_verb_image(int argc, char **argv, GError **error)
{
    static const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &opt_format,
         "raw or qcow2, of FILE or TO (default: qcow2 where the name ends so, else raw)", "NAME"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &opt_from, "raw or qcow2, of FROM (default: by its name)", "NAME"},
        {"force", 0, 0, G_OPTION_ARG_NONE, &opt_force, "Replace a file that is there", NULL},
        {"files", 0, 0, G_OPTION_ARG_FILENAME, &fltvm_image_options.files,
         "ntfs, make: what is in this folder goes into the volume", "FOLDER"},
        {"label", 0, 0, G_OPTION_ARG_STRING, &fltvm_image_options.label, "ntfs: the volume's label", "TEXT"},
        {"cluster", 0, 0, G_OPTION_ARG_STRING, &fltvm_image_options.cluster, "ntfs: bytes of a cluster (default: 4096)",
         "SIZE"},
        {"partition", 0, 0, G_OPTION_ARG_INT, &fltvm_image_options.partition,
         "Which holds the volume; 0: the disk has none (default: the first that is NTFS)", "N"},
        {"lost", 0, 0, G_OPTION_ARG_NONE, &fltvm_image_options.lost,
         "check: what is marked and nobody has, as a power cut may leave it, is no fault", NULL},
        G_OPTION_ENTRY_NULL};
    int outcome = FLTVM_EXIT_OK;
    int status =
        fltvm_verb_options(&argc, &argv, entries,
                           "ACTION ARGUMENT…\n\n"
                           "  create FILE SIZE       a blank disk\n"
                           "  ntfs FILE SIZE         one with an empty NTFS volume, or with what --files names\n"
                           "  make RECIPE FILE       one by a recipe: a file, or the name of one in images/\n"
                           "  convert FROM TO        another format\n"
                           "  info FILE              format and sizes\n\n"
                           "Of a raw image with an NTFS volume:\n"
                           "  add FILE FOLDER        put what is in the folder into its root\n"
                           "  list FILE [PATH]       sizes and paths of all that is in it\n"
                           "  read FILE PATH         a file's bytes; PATH:STREAM a named stream's\n"
                           "  extract FILE FOLDER    all files, into a new folder\n"
                           "  compare FILE FOLDER    tell what differs; exit status 1 if anything does\n"
                           "  check FILE             tell what is wrong with its structure; 1 if anything is",
                           "Makes disk images, converts them, and looks into them.", error);

    if (status >= 0)
        return status;
    fltvm_verb_drop_separator(&argc, argv);
    if ((opt_format && !fltvm_image_format_check(opt_format, error)) ||
        (opt_from && !fltvm_image_format_check(opt_from, error)))
        return FLTVM_ERROR_USAGE;
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(actions); i++) {
        if (g_str_equal(argv[1], actions[i].name))
            return actions[i].function(argc - 2, argv + 2, &outcome, error) ? outcome : FLTVM_ERROR_USAGE;
    }
    fltvm_image_usage(error, argc > 1 ? "no such action" : "no action named");
    return FLTVM_ERROR_USAGE;
}

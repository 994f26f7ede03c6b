/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fltvm image: blank disk images, and other formats' through qemu-img. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "config.h"
#include "error.h"
#include "paths.h"
#include "verbs.h"

static char *opt_format;

static gboolean usage(GError **error, const char *message)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s (try 'fltvm image --help')", message);
    return FALSE;
}

/* The format that --format or the file's name asks for. */
static const char *format_of(const char *path)
{
    return opt_format ? opt_format : g_str_has_suffix(path, ".qcow2") ? "qcow2" : "raw";
}

static gboolean qemu_img(const char *const *arguments, GError **error)
{
    g_autofree char *tool = fltvm_path_qemu_img();
    g_autofree char *out = NULL, *complaints = NULL;
    const char *argv[16] = {tool};
    int status;

    for (gsize i = 0; arguments[i]; i++)
        argv[i + 1] = arguments[i];
    if (!fltvm_child_run(argv, NULL, &out, &complaints, &status, error))
        return FALSE;
    fputs(out, stdout);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", g_strchomp(complaints));
    return FALSE;
}

static gboolean create_raw(const char *path, guint64 bytes, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", path, g_strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(path);
        }
        return FALSE;
    }
    return close(fd) == 0;
}

static gboolean create(int argc, char **argv, GError **error)
{
    g_autofree char *size = NULL;
    guint64 bytes;

    if (argc != 4)
        return usage(error, "create needs FILE and SIZE");
    if (!fltvm_parse_size(argv[3], &bytes, error))
        return FALSE;
    if (!bytes || bytes % 512)
        return usage(error, "a size is a whole number of 512-byte sectors");
    if (g_str_equal(format_of(argv[2]), "raw"))
        return create_raw(argv[2], bytes, error);
    if (access(argv[2], F_OK) == 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", argv[2], g_strerror(EEXIST));
        return FALSE;
    }
    size = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    const char *arguments[] = {"create", "-q", "-f", format_of(argv[2]), argv[2], size, NULL};
    return qemu_img(arguments, error);
}

static gboolean convert(int argc, char **argv, GError **error)
{
    if (argc != 4)
        return usage(error, "convert needs FROM and TO");
    if (!fltvm_path_check("image", argv[2], error))
        return FALSE;
    const char *arguments[] = {"convert", "-O", format_of(argv[3]), argv[2], argv[3], NULL};
    return qemu_img(arguments, error);
}

static gboolean info(int argc, char **argv, GError **error)
{
    if (argc != 3)
        return usage(error, "info needs FILE");
    if (!fltvm_path_check("image", argv[2], error))
        return FALSE;
    const char *arguments[] = {"info", argv[2], NULL};
    return qemu_img(arguments, error);
}

static const struct {
    const char *name;
    gboolean (*function)(int argc, char **argv, GError **error);
} actions[] = {{"create", create}, {"convert", convert}, {"info", info}};

int fltvm_verb_image(int argc, char **argv, GError **error)
{
    static const GOptionEntry entries[] = {
        {"format", 'f', 0, G_OPTION_ARG_STRING, &opt_format, "raw or qcow2 (default: by the file's name)", "NAME"},
        G_OPTION_ENTRY_NULL};
    int status = fltvm_verb_options(&argc, &argv, entries, "create FILE SIZE | convert FROM TO | info FILE",
                                    "Creates blank disk images, converts images and tells about them.", error);

    if (status >= 0)
        return status;
    if (opt_format && !g_str_equal(opt_format, "raw") && !g_str_equal(opt_format, "qcow2")) {
        usage(error, "--format is raw or qcow2");
        return FLTVM_ERROR_USAGE;
    }
    for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS(actions); i++) {
        if (g_str_equal(argv[1], actions[i].name))
            return actions[i].function(argc, argv, error) ? FLTVM_EXIT_OK : FLTVM_ERROR_USAGE;
    }
    usage(error, argc > 1 ? "no such action" : "no action named");
    return FLTVM_ERROR_USAGE;
}

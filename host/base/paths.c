/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the parts of a build are: see paths.h. */
#include "paths.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "source_root.h"

static char *from_environment(const char *variable)
{
    const char *value = g_getenv(variable);

    return value && *value ? g_canonicalize_filename(value, NULL) : NULL;
}

char *fltvm_path_build(void)
{
    g_autofree char *executable = NULL, *directory = NULL;
    char *named = from_environment("FLTVM_BUILD");

    if (named)
        return named;
    executable = g_file_read_link("/proc/self/exe", NULL);
    if (!executable)
        return g_get_current_dir();
    directory = g_path_get_dirname(executable);
    return g_path_get_dirname(directory);
}

static char *in_build(const char *variable, const char *relative)
{
    g_autofree char *build = NULL;
    char *named = variable ? from_environment(variable) : NULL;

    if (named)
        return named;
    build = fltvm_path_build();
    return g_build_filename(build, relative, NULL);
}

char *fltvm_path_command(void)
{
    char *executable = g_file_read_link("/proc/self/exe", NULL);

    return executable ? executable : in_build(NULL, "host/fltvm");
}

char *fltvm_path_qemu(void)
{
    return in_build("FLTVM_QEMU", "qemu/qemu-system-x86_64");
}

char *fltvm_path_qemu_img(void)
{
    g_autofree char *qemu = fltvm_path_qemu();
    g_autofree char *directory = g_path_get_dirname(qemu);
    g_autofree char *beside = g_build_filename(directory, "qemu-img", NULL);

    return g_access(beside, X_OK) == 0 ? g_steal_pointer(&beside) : g_strdup("qemu-img");
}

char *fltvm_path_firmware(void)
{
    g_autofree char *qemu = fltvm_path_qemu();
    g_autofree char *directory = g_path_get_dirname(qemu);

    return g_build_filename(directory, "firmware", NULL);
}

char *fltvm_path_kernel(void)
{
    return in_build("FLTVM_KERNEL", "guest/boot/boot.elf");
}

char *fltvm_path_initrd(void)
{
    return in_build("FLTVM_INITRD", "guest/initrd/initrd.cpio");
}

char *fltvm_path_symbols(const char *image)
{
    g_autofree char *name = g_path_get_basename(image);
    g_autofree char *relative = g_build_filename("guest/symbols", name, NULL);

    return in_build(NULL, relative);
}

char *fltvm_path_source(const char *relative)
{
    return g_build_filename(FLTVM_SOURCE_ROOT, relative, NULL);
}

gboolean fltvm_path_check(const char *what, const char *path, GError **error)
{
    struct stat info;
    int reason = 0;

    if (stat(path, &info) < 0 || access(path, R_OK) < 0)
        reason = errno;
    else if (S_ISDIR(info.st_mode))
        reason = EISDIR;
    if (!reason)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s: %s", what, path, g_strerror(reason));
    return FALSE;
}

const char *fltvm_path_tool(const char *const *names)
{
    for (gsize i = 0; names[i]; i++) {
        g_autofree char *found = g_find_program_in_path(names[i]);
        if (found)
            return names[i];
    }
    return names[0];
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that the command writes: see output.h. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

static gboolean fail(FltvmOutput *output, int status, GError **error)
{
    int reason = errno;

    g_set_error(error, FLTVM_ERROR, status, "%s: %s: %s", output->what, output->path,
                reason == ENXIO ? "nobody reads it" : g_strerror(reason));
    if (output->file)
        fclose(output->file);
    output->file = NULL;
    if (output->temporary)
        unlink(output->temporary);
    g_clear_pointer(&output->temporary, g_free);
    g_clear_pointer(&output->path, g_free);
    return FALSE;
}

/* A file beside `path` with its mode, or the mode that a new file gets; -1 if the folder takes none. */
static int open_temporary(FltvmOutput *output, const struct stat *old)
{
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    output->temporary = g_strconcat(output->path, ".XXXXXX", NULL);
    fd = g_mkstemp_full(output->temporary, O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_clear_pointer(&output->temporary, g_free);
        return -1;
    }
    if (fchmod(fd, old ? old->st_mode & 07777 : 0666 & ~mask) < 0 ||
        (old && old->st_uid != geteuid() && geteuid() == 0 && fchown(fd, old->st_uid, old->st_gid) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

gboolean fltvm_output_open(FltvmOutput *output, const char *what, const char *path, GError **error)
{
    struct stat info;
    gboolean there = stat(path, &info) == 0;
    int fd = -1;

    *output = (FltvmOutput){.what = what, .path = g_strdup(path)};
    if (there && S_ISREG(info.st_mode)) {
        char *target = realpath(path, NULL); /* behind symbolic links */
        if (!target)
            return fail(output, FLTVM_ERROR_USAGE, error);
        g_free(output->path);
        output->path = g_strdup(target);
        free(target);
        if (access(output->path, W_OK) < 0)
            return fail(output, FLTVM_ERROR_USAGE, error);
    }
    if (there ? S_ISREG(info.st_mode) : !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
        fd = open_temporary(output, there ? &info : NULL);
    if (fd < 0) /* no file of its own, or a folder that takes none */
        fd = open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (there ? 0 : O_CREAT), 0666);
    if (fd < 0)
        return fail(output, FLTVM_ERROR_USAGE, error);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (!output->temporary && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && ftruncate(fd, 0) < 0) {
        close(fd);
        return fail(output, FLTVM_ERROR_USAGE, error);
    }
    output->file = fdopen(fd, "w");
    return TRUE;
}

gboolean fltvm_output_finish(FltvmOutput *output, GError **error)
{
    gboolean wrote = !ferror(output->file);
    int closed;

    errno = EIO; /* should the reason be lost */
    closed = fclose(output->file);
    output->file = NULL;
    if (!wrote || closed != 0 || (output->temporary && rename(output->temporary, output->path) < 0))
        return fail(output, FLTVM_ERROR_HOST, error);
    g_clear_pointer(&output->temporary, g_free);
    g_clear_pointer(&output->path, g_free);
    return TRUE;
}

gboolean fltvm_output_write(const char *what, const char *path, const char *text, gsize length, GError **error)
{
    FltvmOutput output;

    if (!fltvm_output_open(&output, what, path, error))
        return FALSE;
    fwrite(text, 1, length, output.file);
    return fltvm_output_finish(&output, error);
}

gboolean fltvm_output_differs(const char *what, const char *path, const char *other, GError **error)
{
    struct stat a, b;

    if (stat(path, &a) == 0 && stat(other, &b) == 0) {
        if (a.st_dev != b.st_dev || a.st_ino != b.st_ino || !S_ISREG(a.st_mode))
            return TRUE;
    } else if (strcmp(path, other) != 0) {
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s would be written over", what, other);
    return FALSE;
}

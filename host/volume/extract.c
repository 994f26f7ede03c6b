/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume's files as files of the host, and compared with some: see volume.h. */
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

typedef struct {
    const char *folder; /* on the host */
    FltvmVolumeSay say;
    gpointer data;
    guint count;      /* differences so far */
    GHashTable *seen; /* the paths of the host that are on the volume, too */
} Job;

G_GNUC_PRINTF(2, 3)
static gboolean say(Job *job, const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list args;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    job->count++;
    job->say(line, job->data);
    return TRUE;
}

static gboolean fail(const char *path, int reason, GError **error)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", path, g_strerror(reason));
    return FALSE;
}

/* --- extracting ---------------------------------------------------------------------------------------- */

static gboolean put(const void *bytes, gsize length, gpointer data, GError **error)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t done = write(*(int *)data, at, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail("extracting", errno, error);
        at += done;
        length -= (gsize)done;
    }
    return TRUE;
}

static gboolean extract(FltvmVolume *volume, const FltvmVolumeEntry *entry, gpointer data, GError **error)
{
    Job *job = data;
    g_autofree char *path = g_build_filename(job->folder, entry->path, NULL);
    gboolean done;
    int fd;

    if (entry->odd)
        return fltvm_volume_fail(volume, entry->path, error, "the name is none for a file of the host");
    if (entry->reparse)
        return say(job, "left out, it leads elsewhere: %s", entry->path);
    if (entry->folder)
        return mkdir(path, 0777) == 0 || fail(path, errno, error);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail(path, errno, error);
    done = fltvm_volume_read(volume, entry->id, NULL, put, &fd, error);
    if (close(fd) < 0 && done)
        return fail(path, errno, error);
    return done;
}

gboolean fltvm_volume_extract(FltvmVolume *volume, const char *folder, FltvmVolumeSay say_line, gpointer data,
                              GError **error)
{
    Job job = {.folder = folder, .say = say_line, .data = data};

    if (mkdir(folder, 0777) < 0) {
        g_autoptr(GDir) there = errno == EEXIST ? g_dir_open(folder, 0, NULL) : NULL;

        if (!there)
            return fail(folder, errno, error);
        if (g_dir_read_name(there))
            return fail(folder, ENOTEMPTY, error);
    }
    return fltvm_volume_walk(volume, "", TRUE, extract, &job, error);
}

/* --- comparing ----------------------------------------------------------------------------------------- */

typedef struct {
    int fd;
    gint64 at;
    gint64 differs; /* the first byte that does, or -1 */
} Bytes;

static gboolean same(const void *bytes, gsize length, gpointer data, GError **error)
{
    g_autofree char *other = g_malloc0(length);
    Bytes *file = data;
    gssize got = pread(file->fd, other, length, file->at);

    if (got < 0)
        return fail("comparing", errno, error);
    for (gsize i = 0; file->differs < 0 && i < length; i++) {
        if (i >= (gsize)got || ((const char *)bytes)[i] != other[i])
            file->differs = file->at + (gint64)i;
    }
    file->at += (gint64)length;
    return TRUE;
}

static gboolean compare_bytes(FltvmVolume *volume, const FltvmVolumeEntry *entry, Job *job, const char *path,
                              gint64 length, GError **error)
{
    Bytes file = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), .differs = -1};
    gboolean done;

    if (file.fd < 0)
        return fail(path, errno, error);
    done = fltvm_volume_read(volume, entry->id, NULL, same, &file, error);
    close(file.fd);
    if (!done)
        return FALSE;
    if (file.at != length)
        return say(job, "%s: %" G_GINT64_FORMAT " bytes on the volume, %" G_GINT64_FORMAT " in the folder", entry->path,
                   file.at, length);
    return file.differs < 0 || say(job, "%s: differs from byte %" G_GINT64_FORMAT " on", entry->path, file.differs);
}

static gboolean compare(FltvmVolume *volume, const FltvmVolumeEntry *entry, gpointer data, GError **error)
{
    Job *job = data;
    g_autofree char *path = g_build_filename(job->folder, entry->path, NULL);
    struct stat info;

    if (entry->odd || lstat(path, &info) < 0)
        return say(job, "%s: only on the volume", entry->path);
    g_hash_table_add(job->seen, g_strdup(entry->path));
    if (entry->reparse || !(entry->folder ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode)))
        return say(job, "%s: of another kind", entry->path);
    return entry->folder || compare_bytes(volume, entry, job, path, (gint64)info.st_size, error);
}

/* What is in the folder alone. */
static gboolean missing(Job *job, const char *below, GError **error)
{
    g_autofree char *path = g_build_filename(job->folder, below, NULL);
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &reason);
    const char *name;

    if (!folder) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", reason->message);
        return FALSE;
    }
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *entry = *below ? g_strconcat(below, "/", name, NULL) : g_strdup(name);
        g_autofree char *whole = g_build_filename(job->folder, entry, NULL);
        struct stat info;

        if (!g_hash_table_contains(job->seen, entry))
            say(job, "%s: only in the folder", entry);
        else if (lstat(whole, &info) == 0 && S_ISDIR(info.st_mode) && !missing(job, entry, error))
            return FALSE;
    }
    return TRUE;
}

gboolean fltvm_volume_compare(FltvmVolume *volume, const char *folder, FltvmVolumeSay say_line, gpointer data,
                              guint *count, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Job job = {.folder = folder, .say = say_line, .data = data, .seen = seen};
    gboolean done = fltvm_volume_walk(volume, "", TRUE, compare, &job, error) && missing(&job, "", error);

    *count = job.count;
    return done;
}

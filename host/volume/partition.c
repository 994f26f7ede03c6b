/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the volume lies in an image.  The tables are sfdisk's to read: MBR, logical partitions and GPT. */
#include "library.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "paths.h"

#define SECTOR 512u

static gboolean is_ntfs(const FltvmImage *image, guint64 start)
{
    char bytes[8];

    return pread(image->fd, bytes, sizeof(bytes), (off_t)(start + 3)) == sizeof(bytes) &&
           memcmp(bytes, "NTFS    ", sizeof(bytes)) == 0;
}

static gboolean refuse(const char *path, GError **error, const char *reason)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", path, reason);
    return FALSE;
}

/* What sfdisk says of an image: lines "…: start=…, size=…, …", a partition each, whose numbers are sectors. */
static char *dump(const FltvmImage *image, GError **error)
{
    g_autofree char *source = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), image->fd);
    const char *const names[] = {"sfdisk", "/usr/sbin/sfdisk", "/sbin/sfdisk", NULL};
    const char *const argv[] = {fltvm_path_tool(names), "--dump", source, NULL};
    g_autofree char *out = NULL, *complaints = NULL;
    int status;

    if (!fltvm_child_run(argv, NULL, &out, &complaints, &status, error))
        return NULL;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        *out = '\0'; /* no table, says its complaint */
    return g_steal_pointer(&out);
}

/* The number behind `name=`. */
static gboolean number(const char *line, const char *name, guint64 *value)
{
    const char *at = strstr(line, name);
    char *end;

    if (!at)
        return FALSE;
    at += strlen(name);
    *value = g_ascii_strtoull(at, &end, 10);
    while (*at == ' ')
        at++;
    return g_ascii_isdigit(*at);
}

/* A partition's number stands at the end of its name, in front of the first " : ". */
static int number_of(const char *line)
{
    const char *end = strstr(line, " : "), *at = end;

    while (at && at > line && g_ascii_isdigit(at[-1]))
        at--;
    return at && at < end ? (int)g_ascii_strtoull(at, NULL, 10) : 0;
}

gboolean fltvm_volume_find(const char *path, int partition, guint64 *start, guint64 *length, GError **error)
{
    g_autoptr(FltvmImage) image = fltvm_image_open(path, NULL, FALSE, NULL, error);
    g_autofree char *table = NULL;
    g_auto(GStrv) lines = NULL;

    if (!image)
        return FALSE;
    if (!g_str_equal(image->format, "raw"))
        return refuse(path, error, "not a raw image: make one of it with 'fltvm image convert'");
    *start = 0;
    *length = image->size;
    if (partition == FLTVM_VOLUME_WHOLE || (partition == FLTVM_VOLUME_FIRST && is_ntfs(image, 0)))
        return TRUE;
    table = dump(image, error);
    if (!table)
        return FALSE;
    lines = g_strsplit(table, "\n", -1);
    for (char **line = lines; *line; line++) {
        guint64 first, count;

        if (!number(*line, "start=", &first) || !number(*line, "size=", &count))
            continue;
        if (partition != FLTVM_VOLUME_FIRST && number_of(*line) != partition)
            continue;
        if (first > image->size / SECTOR || count > image->size / SECTOR - first)
            return refuse(path, error, "the partition is not within the disk");
        if (partition == FLTVM_VOLUME_FIRST && !is_ntfs(image, first * SECTOR))
            continue;
        *start = first * SECTOR;
        *length = count * SECTOR;
        return TRUE;
    }
    if (partition == FLTVM_VOLUME_FIRST)
        return refuse(path, error, "there is no NTFS volume in it, neither in a partition nor in the whole");
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: there is no partition %d", path, partition);
    return FALSE;
}

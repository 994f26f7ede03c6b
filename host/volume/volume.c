/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume opened and closed, and the bytes of its files: see volume.h. */
#include "library.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "text.h"

gboolean fltvm_volume_fail(FltvmVolume *volume, const char *where, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL, *clean = where ? fltvm_text_clean_line(where) : NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    if (clean)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: '%s': %s", volume->path, clean, reason);
    else
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", volume->path, reason);
    return FALSE;
}

/* Why the library did not mount it. */
static const char *mount_reason(int reason)
{
    switch (reason) {
    case EINVAL: return "no NTFS volume, or a damaged one";
    case EIO: return "the volume is damaged";
    case EPERM: return "Windows hibernates on it, or has left its journal unfinished: only reading is allowed";
    case EOPNOTSUPP: return "Windows has left its journal unfinished";
    default: return g_strerror(reason);
    }
}

FltvmVolume *fltvm_volume_open(const char *path, int partition, gboolean writable, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;
    struct ntfs_device *device;
    guint64 start, length;

    if (!fltvm_volume_find(path, partition, &start, &length, error))
        return NULL;
    volume = g_new0(FltvmVolume, 1);
    volume->path = g_strdup(path);
    volume->image = fltvm_image_open(path, "raw", writable, NULL, error);
    if (!volume->image)
        return NULL;
    volume->window = (FltvmWindow){
        .fd = writable ? volume->image->write_fd : volume->image->fd, .start = (gint64)start, .length = (gint64)length};
    ntfs_log_set_handler(ntfs_log_handler_null); /* errors are told here, in one place */
    device = ntfs_device_alloc(path, 0, &fltvm_volume_device, &volume->window);
    if (!device) {
        fltvm_volume_fail(volume, NULL, error, "%s", g_strerror(errno));
        return NULL;
    }
    volume->ntfs = ntfs_device_mount(device, writable ? 0 : NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC);
    if (!volume->ntfs) {
        fltvm_volume_fail(volume, NULL, error, "%s", mount_reason(errno));
        ntfs_device_free(device);
        return NULL;
    }
    if (writable && NVolReadOnly(volume->ntfs)) {
        fltvm_volume_fail(volume, NULL, error, "the volume may only be read: %s", mount_reason(EPERM));
        return NULL;
    }
    ntfs_set_shown_files(volume->ntfs, TRUE, TRUE, FALSE);
    return g_steal_pointer(&volume);
}

gboolean fltvm_volume_close(FltvmVolume *volume, GError **error)
{
    gboolean done = !volume->ntfs || ntfs_umount(volume->ntfs, FALSE) == 0 ||
                    fltvm_volume_fail(volume, NULL, error, "%s", g_strerror(errno));

    fltvm_image_unref(volume->image);
    g_free(volume->path);
    g_free(volume);
    return done;
}

void fltvm_volume_drop(FltvmVolume *volume)
{
    if (volume)
        fltvm_volume_close(volume, NULL);
}

char *fltvm_volume_name(const ntfschar *name, gsize length, gboolean *odd)
{
    GString *text = g_string_new(NULL);

    *odd = length == 0;
    for (gsize i = 0; i < length; i++) {
        gunichar unit = le16_to_cpu(name[i]);

        if (unit >= 0xD800 && unit < 0xDC00 && i + 1 < length && (le16_to_cpu(name[i + 1]) & 0xFC00) == 0xDC00)
            unit = 0x10000 + ((unit - 0xD800) << 10) + (le16_to_cpu(name[++i]) - 0xDC00u);
        if (unit == 0 || unit == '/' || (unit >= 0xD800 && unit < 0xE000)) {
            unit = 0xFFFD;
            *odd = TRUE;
        }
        g_string_append_unichar(text, unit);
    }
    if (strcmp(text->str, ".") == 0 || strcmp(text->str, "..") == 0)
        *odd = TRUE;
    return g_string_free(text, FALSE);
}

/* --- a file's bytes ------------------------------------------------------------------------------------ */

/* The attribute of a stream; whoever closes it closes the inode behind it. */
static ntfs_attr *open_stream(FltvmVolume *volume, guint64 id, const char *stream, GError **error)
{
    ntfs_inode *inode = ntfs_inode_open(volume->ntfs, id);
    g_autofree ntfschar *name = NULL;
    ntfs_attr *data = NULL;
    glong length = 0;
    int reason;

    if (!inode) {
        fltvm_volume_fail(volume, NULL, error, "record %" G_GUINT64_FORMAT ": %s", (guint64)MREF(id),
                          g_strerror(errno));
        return NULL;
    }
    errno = EILSEQ;
    if (stream)
        name = g_utf8_to_utf16(stream, -1, NULL, &length, NULL);
    if (!stream || name)
        data = ntfs_attr_open(inode, AT_DATA, name ? name : AT_UNNAMED, (u32)length);
    reason = errno;
    if (data)
        return data;
    ntfs_inode_close(inode);
    fltvm_volume_fail(volume, stream, error, "%s",
                      reason == ENOENT ? "there is no such stream" : g_strerror(reason ? reason : EIO));
    return NULL;
}

static void close_stream(ntfs_attr *data)
{
    ntfs_inode *inode = data->ni;

    ntfs_attr_close(data);
    ntfs_inode_close(inode);
}

gboolean fltvm_volume_read(FltvmVolume *volume, guint64 id, const char *stream, FltvmVolumePiece piece, gpointer data,
                           GError **error)
{
    g_autofree char *bytes = g_malloc(1 << 16);
    ntfs_attr *attribute = open_stream(volume, id, stream, error);
    gboolean done = attribute != NULL;

    for (s64 at = 0; done && at < attribute->data_size;) {
        s64 wanted = MIN(attribute->data_size - at, 1 << 16), got = ntfs_attr_pread(attribute, at, wanted, bytes);

        if (got != wanted)
            done =
                fltvm_volume_fail(volume, NULL, error, "record %" G_GUINT64_FORMAT ", at byte %" G_GINT64_FORMAT ": %s",
                                  (guint64)MREF(id), (gint64)at, g_strerror(got < 0 ? errno : EIO));
        else
            done = piece(bytes, (gsize)got, data, error);
        at += wanted;
    }
    if (attribute)
        close_stream(attribute);
    return done;
}

gboolean fltvm_volume_size(FltvmVolume *volume, guint64 id, guint64 *size, GError **error)
{
    ntfs_attr *attribute = open_stream(volume, id, NULL, error);

    if (!attribute)
        return FALSE;
    *size = (guint64)attribute->data_size;
    close_stream(attribute);
    return TRUE;
}

static gboolean write_out(const void *bytes, gsize length, gpointer data, GError **error)
{
    if (fwrite(bytes, 1, length, data) == length)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "%s", g_strerror(errno));
    return FALSE;
}

gboolean fltvm_volume_cat(FltvmVolume *volume, const char *path, FILE *out, GError **error)
{
    const char *last = strrchr(path, '/'), *colon = strchr(last ? last : path, ':');
    g_autofree char *file = colon ? g_strndup(path, (gsize)(colon - path)) : g_strdup(path);
    ntfs_inode *inode;
    gboolean folder;
    guint64 id;

    /* Only here: the library would tell names in lower case, too. */
    NVolClearCaseSensitive(volume->ntfs);
    inode = ntfs_pathname_to_inode(volume->ntfs, NULL, file);
    NVolSetCaseSensitive(volume->ntfs);
    if (!inode)
        return fltvm_volume_fail(volume, file, error, "%s", g_strerror(errno));
    id = MK_MREF(inode->mft_no, le16_to_cpu(inode->mrec->sequence_number));
    folder = (inode->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0;
    ntfs_inode_close(inode);
    if (folder && !colon)
        return fltvm_volume_fail(volume, file, error, "a folder");
    return fltvm_volume_read(volume, id, colon ? colon + 1 : NULL, write_out, out, error);
}

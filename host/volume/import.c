/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of the host put on a volume: see volume.h. */
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

/* All times of what is put in: 2020-01-01, when the machine's clock begins.  In 100 ns since 1601. */
#define TIME 132223104000000000ll

/* In all places: the index's come from the inode's. */
static void set_times(ntfs_inode *inode)
{
    ntfs_attr_search_ctx *search = ntfs_attr_get_search_ctx(inode, NULL);
    ntfs_time time = cpu_to_sle64(TIME);

    inode->creation_time = inode->last_data_change_time = inode->last_mft_change_time = inode->last_access_time = time;
    while (search && ntfs_attr_lookup(AT_FILE_NAME, NULL, 0, CASE_SENSITIVE, 0, NULL, 0, search) == 0) {
        FILE_NAME_ATTR *name = (FILE_NAME_ATTR *)((char *)search->attr + le16_to_cpu(search->attr->value_offset));

        name->creation_time = name->last_data_change_time = name->last_mft_change_time = name->last_access_time = time;
        ntfs_inode_mark_dirty(search->ntfs_ino);
    }
    if (search)
        ntfs_attr_put_search_ctx(search);
    NInoFileNameSetDirty(inode);
    ntfs_inode_mark_dirty(inode);
}

static gboolean fail(const char *path, int reason, GError **error)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: %s", path, g_strerror(reason));
    return FALSE;
}

static gboolean copy(ntfs_inode *inode, const char *path, GError **error)
{
    g_autofree char *bytes = g_malloc(1 << 16);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ntfs_attr *data = fd < 0 ? NULL : ntfs_attr_open(inode, AT_DATA, AT_UNNAMED, 0);
    int reason = data ? 0 : errno;
    s64 at = 0;

    while (!reason) {
        ssize_t got = read(fd, bytes, 1 << 16);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            reason = got < 0 ? errno : 0;
            break;
        }
        errno = ENOSPC; /* what a short write means */
        if (ntfs_attr_pwrite(data, at, got, bytes) != got)
            reason = errno;
        at += got;
    }
    if (data)
        ntfs_attr_close(data);
    if (fd >= 0)
        close(fd);
    return !reason || fail(path, reason, error);
}

/* One entry of a folder; of a new folder the identifier is in `id`, otherwise it is 0. */
static gboolean add(ntfs_inode *parent, const char *path, const char *name, guint64 *id, GError **error)
{
    g_autofree ntfschar *units = NULL;
    ntfs_inode *inode;
    struct stat info;
    glong length;
    gboolean there, done = TRUE;

    *id = 0;
    if (lstat(path, &info) < 0)
        return fail(path, errno, error);
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: neither a file nor a folder", path);
        return FALSE;
    }
    units = g_utf8_to_utf16(name, -1, NULL, &length, NULL);
    if (!units || length < 1 || length > 255 || ntfs_forbidden_chars(units, (int)length, TRUE)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: the name is none for NTFS", path);
        return FALSE;
    }
    NVolClearCaseSensitive(parent->vol);
    there = ntfs_inode_lookup_by_name(parent, units, (int)length) != (u64)-1;
    NVolSetCaseSensitive(parent->vol);
    if (there)
        return fail(path, EEXIST, error);
    inode = ntfs_create(parent, 0, units, (u8)length, S_ISDIR(info.st_mode) ? S_IFDIR : S_IFREG);
    if (!inode)
        return fail(path, errno, error);
    if (S_ISDIR(info.st_mode))
        *id = MK_MREF(inode->mft_no, le16_to_cpu(inode->mrec->sequence_number));
    else
        done = copy(inode, path, error);
    set_times(inode);
    return (ntfs_inode_close_in_dir(inode, parent) == 0 || fail(path, errno, error)) && done;
}

static int by_name(gconstpointer one, gconstpointer other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static GPtrArray *names_of(const char *path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &reason);
    GPtrArray *names;
    const char *name;

    if (!folder) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", reason->message);
        return NULL;
    }
    names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(folder)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    return names;
}

/*
 * A folder's entries, and then those of its folders: an inode must be open only once, and what is closed changes the index of its
 * parent.
 */
static gboolean fill(FltvmVolume *volume, guint64 id, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = names_of(path, error);
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(guint64));
    ntfs_inode *inode = names ? ntfs_inode_open(volume->ntfs, id) : NULL;
    gboolean done = inode != NULL;

    if (names && !inode)
        return fail(path, errno, error);
    for (guint i = 0; done && i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *below = g_build_filename(path, name, NULL);
        guint64 child = 0;

        done = add(inode, below, name, &child, error);
        g_array_append_val(folders, child);
    }
    if (inode) {
        set_times(inode);
        if (ntfs_inode_close(inode) != 0 && done)
            done = fail(path, errno, error);
    }
    for (guint i = 0; done && i < names->len; i++) {
        g_autofree char *below = g_build_filename(path, g_ptr_array_index(names, i), NULL);
        guint64 child = g_array_index(folders, guint64, i);

        done = child == 0 || fill(volume, child, below, error);
    }
    return done;
}

gboolean fltvm_volume_import(FltvmVolume *volume, const char *folder, GError **error)
{
    return fill(volume, FILE_root, folder, error);
}

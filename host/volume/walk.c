/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders of a volume, one after another: see volume.h. */
#include "library.h"

#include <errno.h>
#include <string.h>

/* An index may lead in a circle. */
#define ENTRIES_MAX (1u << 24)

typedef struct {
    const char *folder;
    GPtrArray *entries;
} Listing;

static void free_entry(gpointer data)
{
    FltvmVolumeEntry *entry = data;

    g_free(entry->path);
    g_free(entry);
}

/* An entry, as the library tells it; short names, the file system's own files, "." and ".." are passed over. */
static int collect(void *data, const ntfschar *name, const int length, const int kind, const s64 at, const MFT_REF id,
                   const unsigned type)
{
    Listing *listing = data;
    g_autofree char *text = NULL;
    FltvmVolumeEntry *entry;
    gboolean odd;

    (void)at;
    if (kind == FILE_NAME_DOS || MREF(id) < FILE_first_user)
        return 0;
    text = fltvm_volume_name(name, (gsize)length, &odd);
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return 0;
    if (listing->entries->len >= ENTRIES_MAX) {
        errno = EIO;
        return -1;
    }
    entry = g_new0(FltvmVolumeEntry, 1);
    entry->path = *listing->folder ? g_strconcat(listing->folder, "/", text, NULL) : g_strdup(text);
    entry->name = entry->path + strlen(entry->path) - strlen(text);
    entry->folder = type == NTFS_DT_DIR;
    entry->reparse = type == NTFS_DT_REPARSE || type == NTFS_DT_LNK;
    entry->odd = odd;
    entry->id = id;
    g_ptr_array_add(listing->entries, entry);
    return 0;
}

static int by_path(gconstpointer one, gconstpointer other)
{
    return strcmp((*(FltvmVolumeEntry *const *)one)->path, (*(FltvmVolumeEntry *const *)other)->path);
}

/* All entries of a folder that is open; it is closed. */
static GPtrArray *list(FltvmVolume *volume, ntfs_inode *inode, const char *folder, GError **error)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(free_entry);
    Listing listing = {folder, entries};
    s64 position = 0;
    int result, reason;

    if (!(inode->mrec->flags & MFT_RECORD_IS_DIRECTORY)) {
        ntfs_inode_close(inode);
        fltvm_volume_fail(volume, folder, error, "not a folder");
        return NULL;
    }
    result = ntfs_readdir(inode, &position, &listing, collect);
    reason = errno;
    ntfs_inode_close(inode);
    if (result != 0) {
        fltvm_volume_fail(volume, folder, error, "%s", g_strerror(reason));
        return NULL;
    }
    g_ptr_array_sort(entries, by_path);
    return g_steal_pointer(&entries);
}

/* Visit the entries of `folder`, which is `id`; `seen` holds the folders that were met. */
static gboolean walk(FltvmVolume *volume, ntfs_inode *inode, const char *folder, gboolean deep, GHashTable *seen,
                     FltvmVolumeVisitor visitor, gpointer data, GError **error)
{
    g_autoptr(GPtrArray) entries = list(volume, inode, folder, error);

    for (guint i = 0; entries && i < entries->len; i++) {
        const FltvmVolumeEntry *entry = g_ptr_array_index(entries, i);

        if (!visitor(volume, entry, data, error))
            return FALSE;
        if (!deep || !entry->folder || entry->reparse)
            continue;
        if (!g_hash_table_add(seen, GUINT_TO_POINTER((guint)MREF(entry->id))))
            return fltvm_volume_fail(volume, entry->path, error, "the folder is in two places: the volume is damaged");
        inode = ntfs_inode_open(volume->ntfs, entry->id);
        if (!inode)
            return fltvm_volume_fail(volume, entry->path, error, "%s", g_strerror(errno));
        if (!walk(volume, inode, entry->path, TRUE, seen, visitor, data, error))
            return FALSE;
    }
    return entries != NULL;
}

gboolean fltvm_volume_walk(FltvmVolume *volume, const char *folder, gboolean deep, FltvmVolumeVisitor visitor,
                           gpointer data, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autofree char *path = g_strdup(folder + strspn(folder, "/"));
    ntfs_inode *inode;

    while (g_str_has_suffix(path, "/"))
        path[strlen(path) - 1] = '\0';
    inode = *path ? ntfs_pathname_to_inode(volume->ntfs, NULL, path) : ntfs_inode_open(volume->ntfs, FILE_root);
    if (!inode)
        return fltvm_volume_fail(volume, path, error, "%s", g_strerror(errno));
    g_hash_table_add(seen, GUINT_TO_POINTER((guint)inode->mft_no));
    return walk(volume, inode, path, deep, seen, visitor, data, error);
}

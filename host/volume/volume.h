/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NTFS volumes in raw disk images, by libntfs-3g: listed, read, filled from a folder, extracted, compared and checked.
 *
 * Nothing is mounted and nobody needs to be root: the library reads the image's bytes from the volume's first on.  A volume is
 * what a guest or a stranger left behind.  So reading changes nothing, a name that is none for the host (one with a slash, "..")
 * is never made a file of the host, and a folder that holds itself is an error.  Paths are UTF-8, from the root, with '/' between
 * their names.  Errors are FLTVM_ERROR_USAGE and name the path.
 */
#ifndef FLTVM_HOST_VOLUME_H
#define FLTVM_HOST_VOLUME_H

#include <glib.h>
#include <stdio.h>

typedef struct FltvmVolume FltvmVolume;

/* Which partition: by its number in the table, or one of these. */
#define FLTVM_VOLUME_WHOLE (0)  /* the disk has none */
#define FLTVM_VOLUME_FIRST (-1) /* the whole disk if it is NTFS, else the first partition that is */

typedef struct {
    char *path;       /* from the root */
    const char *name; /* the last part of it */
    gboolean folder;
    gboolean reparse; /* leads elsewhere */
    gboolean odd;     /* no name for the host; `path` shows it as well as it can */
    guint64 id;       /* with the sequence number in its upper 16 bits */
} FltvmVolumeEntry;

typedef gboolean (*FltvmVolumeVisitor)(FltvmVolume *volume, const FltvmVolumeEntry *entry, gpointer data,
                                       GError **error);

/* A line for the user. */
typedef void (*FltvmVolumeSay)(const char *line, gpointer data);

/* Where in the image a volume lies, in bytes; `partition` as above.  Partition tables are read by sfdisk. */
gboolean fltvm_volume_find(const char *path, int partition, guint64 *start, guint64 *length, GError **error);

FltvmVolume *fltvm_volume_open(const char *path, int partition, gboolean writable, GError **error);

/* Write what is left, and close: FALSE if that fails. */
gboolean fltvm_volume_close(FltvmVolume *volume, GError **error);

/* For a volume that is only read. */
void fltvm_volume_drop(FltvmVolume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmVolume, fltvm_volume_drop)

/* Visit what is in a folder, by name; with `deep` what is in its folders too, each folder before its contents. */
gboolean fltvm_volume_walk(FltvmVolume *volume, const char *folder, gboolean deep, FltvmVolumeVisitor visitor,
                           gpointer data, GError **error);

/* The bytes of a stream's data, as `piece` wants them; the length of an unnamed one. */
typedef gboolean (*FltvmVolumePiece)(const void *bytes, gsize length, gpointer data, GError **error);
gboolean fltvm_volume_read(FltvmVolume *volume, guint64 id, const char *stream, FltvmVolumePiece piece, gpointer data,
                           GError **error);
gboolean fltvm_volume_size(FltvmVolume *volume, guint64 id, guint64 *size, GError **error);

/* Write a file's bytes, by its path; behind a ':' a stream's name. */
gboolean fltvm_volume_cat(FltvmVolume *volume, const char *path, FILE *out, GError **error);

/* Put a folder's files and folders into the root.  All get the same times, so that the same folder gives the same bytes. */
gboolean fltvm_volume_import(FltvmVolume *volume, const char *folder, GError **error);

/* Make a folder, or fill an empty one, with all there is; named streams and what leads elsewhere are left out, the latter is said. */
gboolean fltvm_volume_extract(FltvmVolume *volume, const char *folder, FltvmVolumeSay say, gpointer data,
                              GError **error);

/* Say each difference of names, kinds and bytes; the number of them in `count`. */
gboolean fltvm_volume_compare(FltvmVolume *volume, const char *folder, FltvmVolumeSay say, gpointer data, guint *count,
                              GError **error);

/*
 * Say what is wrong with the volume's structure; the number of faults in `count`.  Each cluster belongs to one stream and is
 * marked in the bitmap, no other is; each record that is in use is marked, and others are not; each entry of an index leads to
 * a record that has the name, and each name of a record is in an index once.  With `lost_is_fine` it is no fault when a cluster or a
 * record is marked and nobody has it, or a name is in no index: that is what a power cut may leave of what was under way.
 */
gboolean fltvm_volume_check(FltvmVolume *volume, gboolean lost_is_fine, FltvmVolumeSay say, gpointer data, guint *count,
                            GError **error);

#endif

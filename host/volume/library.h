/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share: libntfs-3g and a volume of it.  Include it before anything else, for the library's headers
 * and GLib's both define TRUE.
 */
#ifndef FLTVM_HOST_VOLUME_LIBRARY_H
#define FLTVM_HOST_VOLUME_LIBRARY_H

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <ntfs-3g/types.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/bitmap.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/logging.h>
#include <ntfs-3g/mft.h>
#include <ntfs-3g/runlist.h>
#include <ntfs-3g/volume.h>

#include <glib.h>

#include "image.h"
#include "volume.h"

/* The bytes of an image that are the volume's. */
typedef struct {
    int fd;
    gint64 length;
    gint64 start;
    gint64 position;
} FltvmWindow;

extern struct ntfs_device_operations fltvm_volume_device;

struct FltvmVolume {
    char *path; /* the image's */
    FltvmImage *image;
    FltvmWindow window;
    ntfs_volume *ntfs;
};

/* FALSE, with an error that names the image and `where` in it (NULL: nowhere). */
G_GNUC_PRINTF(4, 5)
gboolean fltvm_volume_fail(FltvmVolume *volume, const char *where, GError **error, const char *format, ...);

/* A name of the volume in UTF-8, and whether it is `odd` for the host. */
char *fltvm_volume_name(const ntfschar *name, gsize length, gboolean *odd);

#endif

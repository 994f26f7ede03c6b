/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk images of the host.
 *
 * What a guest or a stranger wrote into an image must not decide what the host opens.  So an image's format is what
 * the scenario or its name says, never what its bytes say; only plain files are images; the files that a qcow2 image
 * names (backing file, data file) are not followed, a backing file must be named by the scenario; and QEMU gets open
 * descriptors of what was checked here, no names.
 */
#ifndef FLTVM_HOST_IMAGE_H
#define FLTVM_HOST_IMAGE_H

#include <glib.h>

/* QEMU gets a descriptor under the number that it has here; from this one on it is out of the way of the link's. */
#define FLTVM_LEAST_FD 16

/* The same under such a number; the low one is closed.  -1, also of -1, with errno. */
int fltvm_fd_raise(int low);

typedef struct FltvmImage FltvmImage;

struct FltvmImage {
    char *path;         /* NULL: a nameless blank one */
    const char *format; /* "raw" or "qcow2" */
    guint64 size;       /* bytes of the disk in it */
    gboolean writable;
    gboolean looks_qcow2; /* used as raw, but begins as a qcow2 image does: worth a word */
    FltvmImage *backing;  /* what a qcow2 image without a block of its own shows; or NULL */
    int fd;               /* open for reading; -1 after fltvm_image_close() */
    int write_fd;         /* open for both, or -1 */
    int set;              /* what `fd` was: QEMU's name for both is /dev/fdset/SET */
};

/* The format that a file's name stands for. */
const char *fltvm_image_format_of(const char *path);

/* TRUE for a format there is. */
gboolean fltvm_image_format_check(const char *format, GError **error);

/*
 * Open and check an image.  `format` may be NULL: by the name.  `backing` is what the scenario names as the backing
 * file (taken over), or NULL: then an image that has one is refused.  The error is FLTVM_ERROR_USAGE.
 */
FltvmImage *fltvm_image_open(const char *path, const char *format, gboolean writable, FltvmImage *backing,
                             GError **error);

/* A nameless image of `size` zero bytes that goes away with its descriptors. */
FltvmImage *fltvm_image_new_blank(guint64 size, GError **error);

/* Counted; the last one closes. */
FltvmImage *fltvm_image_ref(FltvmImage *image);
void fltvm_image_unref(FltvmImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmImage, fltvm_image_unref)

/* Close the descriptors once QEMU has them. */
void fltvm_image_close(FltvmImage *image);

/* QEMU's description of a block device (JSON), in which `name_of` names each file; the result is to be freed. */
char *fltvm_image_describe(const FltvmImage *image, char *(*name_of)(const FltvmImage *image, gpointer data),
                           gpointer data);

/* What `fltvm image info` tells: format, sizes, and what the header names. */
char *fltvm_image_info(const char *path, const char *format, GError **error);

#endif

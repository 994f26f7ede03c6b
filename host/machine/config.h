/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine is made of, and the QEMU command line for it.
 * Command-line options of fltvm win over what the scenario says: a field set there is marked as fixed.
 */
#ifndef FLTVM_HOST_CONFIG_H
#define FLTVM_HOST_CONFIG_H

#include <glib.h>

#include "choice.h"
#include "image.h"

typedef struct {
    FltvmImage *image;  /* NULL: a blank disk of `size` bytes */
    GPtrArray *media;   /* FltvmImage: further media; NULL: the medium is fixed */
    guint64 size;       /* bytes */
    int medium_fd;      /* what a power cut has left of it, beside the image; 0: nothing */
    GHashTable *device; /* further properties of the fltvm-hba device, name to value */
} FltvmDisk;

/* Fields that the command line fixed. */
typedef enum {
    FLTVM_FIXED_SEED = 1 << 0,
    FLTVM_FIXED_CPUS = 1 << 1,
    FLTVM_FIXED_MEMORY = 1 << 2,
    FLTVM_FIXED_MACHINE = 1 << 3,
    FLTVM_FIXED_ACCEL = 1 << 4,
} FltvmFixed;

typedef struct {
    guint fixed; /* FltvmFixed */
    guint64 seed;
    guint cpus;          /* 1 to 8 */
    guint64 memory;      /* bytes */
    char *machine;       /* "microvm" or "q35" */
    char *accel;         /* "tcg" or "kvm" */
    GPtrArray *disks;    /* FltvmDisk */
    GHashTable *options; /* for the kernel: name to value, sent as the answer to HELLO */
    GPtrArray *extra;    /* further arguments for QEMU */
    FltvmChoice choice;  /* what is made to fail */
    FltvmChoice later;   /* the same, from the checkpoint on */
    gboolean idles;      /* idle time takes real time: for a person at the prompt */
    gboolean trace;      /* the link sends a record at each trace point; TCG only */
} FltvmConfig;

FltvmConfig *fltvm_config_new(void);
FltvmConfig *fltvm_config_copy(const FltvmConfig *config);
void fltvm_config_free(FltvmConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmConfig, fltvm_config_free)

/* Setters check their value; the error is FLTVM_ERROR_USAGE. A fixed field keeps its value. */
gboolean fltvm_config_set_cpus(FltvmConfig *config, gint64 cpus, GError **error);
gboolean fltvm_config_set_memory(FltvmConfig *config, guint64 bytes, GError **error);
gboolean fltvm_config_set_machine(FltvmConfig *config, const char *machine, GError **error);
gboolean fltvm_config_set_accel(FltvmConfig *config, const char *accel, GError **error);
void fltvm_config_set_seed(FltvmConfig *config, guint64 seed);

/* "32M", "1G", "512": bytes. */
gboolean fltvm_parse_size(const char *text, guint64 *bytes, GError **error);

/* Add a disk that an image stands for; takes it over. */
FltvmDisk *fltvm_config_add_disk(FltvmConfig *config, FltvmImage *image);
/* Add a blank disk. */
FltvmDisk *fltvm_config_add_blank(FltvmConfig *config, guint64 bytes, GError **error);

/* A further medium, which makes the disk's one that can be changed; takes it over.  All are of one size.  NULL: just that. */
gboolean fltvm_disk_add_medium(FltvmDisk *disk, FltvmImage *image, GError **error);

/* The disk's images: the first, and its further media; NULL: there is none of this number. */
FltvmImage *fltvm_disk_medium(const FltvmDisk *disk, guint number);

/* The same disks for another machine, when the first has its images: opened again, blank ones blank. */
gboolean fltvm_config_renew_disks(FltvmConfig *config, GError **error);

/* Give blank disks an image, so that QEMU gets it as it gets the others'. */
gboolean fltvm_config_make_blanks(FltvmConfig *config, GError **error);

/* The descriptors that QEMU inherits, for its images; their numbers stay. */
GArray *fltvm_config_image_fds(const FltvmConfig *config);

/* Close the images' descriptors: QEMU has its own. */
void fltvm_config_close_images(FltvmConfig *config);

/* The descriptors QEMU gets; paths instead of descriptors, also of images, when a person starts QEMU. */
typedef struct {
    int link_fd;           /* -1: use link_path */
    const char *link_path; /* a Unix socket that QEMU listens on */
    int monitor_fd;        /* -1: no monitor */
    int gdb_fd;            /* a socket that listens for gdb; the machine waits for it.  0: no gdb */
} FltvmWiring;

/* The argument vector; NULL-terminated, to be freed with g_ptr_array_unref(). */
GPtrArray *fltvm_config_arguments(const FltvmConfig *config, const FltvmWiring *wiring, GError **error);

/* The text that answers HELLO. */
char *fltvm_config_options(const FltvmConfig *config);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actions of `fltvm image` that know what is in an image: recipes and NTFS volumes. */
#ifndef FLTVM_HOST_IMAGE_ACTIONS_H
#define FLTVM_HOST_IMAGE_ACTIONS_H

#include <glib.h>

typedef struct {
    char *label;
    char *cluster;
    char *files;
    int partition; /* as in volume.h */
    gboolean lost; /* what is lost is no fault */
} FltvmImageOptions;

/* What --label, --cluster, --files, --partition and --lost say. */
extern FltvmImageOptions fltvm_image_options;

/* FALSE, with an error that leads to --help. */
gboolean fltvm_image_usage(GError **error, const char *message);

/* Each is an action: its arguments are those behind its name, and `outcome` the exit status when it did its work. */
gboolean fltvm_image_add(int argc, char **argv, int *outcome, GError **error);
gboolean fltvm_image_list(int argc, char **argv, int *outcome, GError **error);
gboolean fltvm_image_read(int argc, char **argv, int *outcome, GError **error);
gboolean fltvm_image_extract(int argc, char **argv, int *outcome, GError **error);
gboolean fltvm_image_compare(int argc, char **argv, int *outcome, GError **error);
gboolean fltvm_image_check(int argc, char **argv, int *outcome, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fltvm image, the actions that know what is in an image: see image_actions.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "image_actions.h"
#include "text.h"
#include "volume.h"

FltvmImageOptions fltvm_image_options = {.partition = FLTVM_VOLUME_FIRST};

static void print_line(const char *line, gpointer data)
{
    g_autofree char *clean = fltvm_text_clean_line(line);

    (void)data;
    puts(clean);
}

static FltvmVolume *open_volume(const char *path, gboolean writable, GError **error)
{
    return fltvm_volume_open(path, fltvm_image_options.partition, writable, error);
}

gboolean fltvm_image_add(int argc, char **argv, int *outcome, GError **error)
{
    FltvmVolume *volume;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "add needs FILE and FOLDER");
    volume = open_volume(argv[0], TRUE, error);
    if (!volume)
        return FALSE;
    if (!fltvm_volume_import(volume, argv[1], error)) {
        fltvm_volume_drop(volume);
        return FALSE;
    }
    return fltvm_volume_close(volume, error);
}

/* A line for each: its size or "folder", and its path. */
static gboolean list_entry(FltvmVolume *volume, const FltvmVolumeEntry *entry, gpointer data, GError **error)
{
    g_autofree char *path = fltvm_text_clean_line(entry->path);
    guint64 size;

    (void)data;
    if (entry->folder || entry->reparse) {
        printf("%12s  %s\n", entry->reparse ? "leads away" : "folder", path);
        return TRUE;
    }
    if (!fltvm_volume_size(volume, entry->id, &size, error))
        return FALSE;
    printf("%12" G_GUINT64_FORMAT "  %s\n", size, path);
    return TRUE;
}

gboolean fltvm_image_list(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;

    (void)outcome;
    if (argc != 1 && argc != 2)
        return fltvm_image_usage(error, "list needs FILE, and may have a PATH in it");
    volume = open_volume(argv[0], FALSE, error);
    return volume && fltvm_volume_walk(volume, argc == 2 ? argv[1] : "", TRUE, list_entry, NULL, error);
}

gboolean fltvm_image_read(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "read needs FILE and a PATH in it");
    volume = open_volume(argv[0], FALSE, error);
    if (!volume || !fltvm_volume_cat(volume, argv[1], stdout, error))
        return FALSE;
    if (fflush(stdout) == 0)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "standard output: %s", g_strerror(errno));
    return FALSE;
}

gboolean fltvm_image_extract(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;

    (void)outcome;
    if (argc != 2)
        return fltvm_image_usage(error, "extract needs FILE and FOLDER");
    volume = open_volume(argv[0], FALSE, error);
    return volume && fltvm_volume_extract(volume, argv[1], print_line, NULL, error);
}

gboolean fltvm_image_compare(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;
    guint count = 0;

    if (argc != 2)
        return fltvm_image_usage(error, "compare needs FILE and FOLDER");
    volume = open_volume(argv[0], FALSE, error);
    if (!volume || !fltvm_volume_compare(volume, argv[1], print_line, NULL, &count, error))
        return FALSE;
    *outcome = count ? FLTVM_ERROR_CHECK : FLTVM_EXIT_OK;
    return TRUE;
}

gboolean fltvm_image_check(int argc, char **argv, int *outcome, GError **error)
{
    g_autoptr(FltvmVolume) volume = NULL;
    guint count = 0;

    if (argc != 1)
        return fltvm_image_usage(error, "check needs FILE");
    volume = open_volume(argv[0], FALSE, error);
    if (!volume || !fltvm_volume_check(volume, fltvm_image_options.lost, print_line, NULL, &count, error))
        return FALSE;
    if (count == 0)
        puts("no fault was found");
    *outcome = count ? FLTVM_ERROR_CHECK : FLTVM_EXIT_OK;
    return TRUE;
}

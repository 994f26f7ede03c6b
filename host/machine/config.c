/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is made of: see config.h.  The command line is in arguments.c. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

#define SECTOR_SIZE    512u
#define MOST_MEDIA     4u /* as the device has it */
#define DEFAULT_MEMORY (32u << 20)
#define LEAST_MEMORY   (16u << 20)
#define MOST_MEMORY    (G_GUINT64_CONSTANT(3) << 30) /* below the PCI hole of both machines */

static void disk_free(gpointer data)
{
    FltvmDisk *disk = data;

    fltvm_image_unref(disk->image);
    g_clear_pointer(&disk->media, g_ptr_array_unref);
    if (disk->medium_fd)
        close(disk->medium_fd);
    g_hash_table_unref(disk->device);
    g_free(disk);
}

static GHashTable *new_properties(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void image_unref(gpointer data)
{
    fltvm_image_unref(data);
}

static GPtrArray *new_media(void)
{
    return g_ptr_array_new_with_free_func(image_unref);
}

FltvmImage *fltvm_disk_medium(const FltvmDisk *disk, guint number)
{
    if (number == 0)
        return disk->image;
    return disk->media && number <= disk->media->len ? disk->media->pdata[number - 1] : NULL;
}

FltvmConfig *fltvm_config_new(void)
{
    FltvmConfig *config = g_new0(FltvmConfig, 1);

    config->seed = 1;
    config->cpus = 2;
    config->memory = DEFAULT_MEMORY;
    config->machine = g_strdup("microvm");
    config->accel = g_strdup("tcg");
    config->disks = g_ptr_array_new_with_free_func(disk_free);
    config->options = new_properties();
    config->extra = g_ptr_array_new_with_free_func(g_free);
    return config;
}

static void copy_properties(GHashTable *to, GHashTable *from)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, from);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_replace(to, g_strdup(key), g_strdup(value));
}

FltvmConfig *fltvm_config_copy(const FltvmConfig *config)
{
    FltvmConfig *copy = g_memdup2(config, sizeof(*config));

    copy->machine = g_strdup(config->machine);
    copy->accel = g_strdup(config->accel);
    copy->disks = g_ptr_array_new_with_free_func(disk_free);
    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        FltvmDisk *other = g_memdup2(disk, sizeof(*disk));
        other->image = fltvm_image_ref(disk->image);
        other->media = disk->media ? new_media() : NULL;
        for (guint n = 0; disk->media && n < disk->media->len; n++)
            g_ptr_array_add(other->media, fltvm_image_ref(disk->media->pdata[n]));
        other->medium_fd = disk->medium_fd ? fcntl(disk->medium_fd, F_DUPFD_CLOEXEC, FLTVM_LEAST_FD) : 0;
        other->device = new_properties();
        copy_properties(other->device, disk->device);
        g_ptr_array_add(copy->disks, other);
    }
    copy->options = new_properties();
    copy_properties(copy->options, config->options);
    copy->extra = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < config->extra->len; i++)
        g_ptr_array_add(copy->extra, g_strdup(config->extra->pdata[i]));
    return copy;
}

void fltvm_config_free(FltvmConfig *config)
{
    if (!config)
        return;
    g_free(config->machine);
    g_free(config->accel);
    g_ptr_array_unref(config->disks);
    g_hash_table_unref(config->options);
    g_ptr_array_unref(config->extra);
    g_free(config);
}

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, message);
    return FALSE;
}

gboolean fltvm_config_set_cpus(FltvmConfig *config, gint64 cpus, GError **error)
{
    if (cpus < 1 || cpus > 8)
        return refuse(error, "cpus: %" G_GINT64_FORMAT " is not between 1 and 8", cpus);
    if (!(config->fixed & FLTVM_FIXED_CPUS))
        config->cpus = (guint)cpus;
    return TRUE;
}

gboolean fltvm_config_set_memory(FltvmConfig *config, guint64 bytes, GError **error)
{
    if (bytes < LEAST_MEMORY || bytes > MOST_MEMORY || bytes % (1u << 20))
        return refuse(error, "memory: %" G_GUINT64_FORMAT " bytes is not a whole number of MiB between 16M and 3G",
                      bytes);
    if (!(config->fixed & FLTVM_FIXED_MEMORY))
        config->memory = bytes;
    return TRUE;
}

static gboolean set_choice(char **field, gboolean fixed, const char *what, const char *value, const char *first,
                           const char *second, GError **error)
{
    if (strcmp(value, first) != 0 && strcmp(value, second) != 0)
        return refuse(error, "%s: '%s' is neither %s nor %s", what, value, first, second);
    if (!fixed) {
        g_free(*field);
        *field = g_strdup(value);
    }
    return TRUE;
}

gboolean fltvm_config_set_machine(FltvmConfig *config, const char *machine, GError **error)
{
    return set_choice(&config->machine, config->fixed & FLTVM_FIXED_MACHINE, "machine", machine, "microvm", "q35",
                      error);
}

gboolean fltvm_config_set_accel(FltvmConfig *config, const char *accel, GError **error)
{
    return set_choice(&config->accel, config->fixed & FLTVM_FIXED_ACCEL, "accel", accel, "tcg", "kvm", error);
}

void fltvm_config_set_seed(FltvmConfig *config, guint64 seed)
{
    if (!(config->fixed & FLTVM_FIXED_SEED))
        config->seed = seed;
}

gboolean fltvm_parse_size(const char *text, guint64 *bytes, GError **error)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    guint64 value, scale = 1;

    errno = 0;
    value = g_ascii_strtoull(text, &end, 0);
    if (errno || end == text || *text == '-')
        return refuse(error, "'%s' is not a size", text);
    if (*end) {
        const char *unit = strchr(units, g_ascii_toupper(*end));
        if (!unit || (end[1] && g_ascii_strcasecmp(end + 1, "iB") != 0 && g_ascii_strcasecmp(end + 1, "B") != 0))
            return refuse(error, "'%s' is not a size: the units are K, M, G and T", text);
        scale = G_GUINT64_CONSTANT(1) << (10 * (unit - units + 1));
    }
    if (value > G_MAXINT64 / scale)
        return refuse(error, "'%s' is too large", text);
    *bytes = value * scale;
    return TRUE;
}

static FltvmDisk *add_disk(FltvmConfig *config, FltvmImage *image, guint64 size)
{
    FltvmDisk *disk = g_new0(FltvmDisk, 1);

    disk->image = image;
    disk->size = size;
    disk->device = new_properties();
    g_ptr_array_add(config->disks, disk);
    return disk;
}

FltvmDisk *fltvm_config_add_disk(FltvmConfig *config, FltvmImage *image)
{
    return add_disk(config, image, image->size);
}

FltvmDisk *fltvm_config_add_blank(FltvmConfig *config, guint64 bytes, GError **error)
{
    if (bytes < SECTOR_SIZE || bytes % SECTOR_SIZE) {
        refuse(error, "blank disk: %" G_GUINT64_FORMAT " bytes is not a whole number of %u-byte sectors", bytes,
               SECTOR_SIZE);
        return NULL;
    }
    return add_disk(config, NULL, bytes);
}

gboolean fltvm_disk_add_medium(FltvmDisk *disk, FltvmImage *image, GError **error)
{
    gboolean fits = !image || image->size == disk->image->size;

    if (!disk->media)
        disk->media = new_media();
    if (!fits)
        refuse(error,
               "media: '%s' has %" G_GUINT64_FORMAT " bytes, and '%s' %" G_GUINT64_FORMAT ": media are of one size",
               image->path, image->size, disk->image->path, disk->image->size);
    else if (image && disk->media->len == MOST_MEDIA - 1)
        fits = refuse(error, "media: a disk has at most %u", MOST_MEDIA);
    if (image && fits)
        g_ptr_array_add(disk->media, image);
    else
        fltvm_image_unref(image);
    return fits;
}

static FltvmImage *open_again(const FltvmImage *image, GError **error)
{
    FltvmImage *backing = NULL;

    if (image->backing && !(backing = open_again(image->backing, error)))
        return NULL;
    return fltvm_image_open(image->path, image->format, image->writable, backing, error);
}

gboolean fltvm_config_renew_disks(FltvmConfig *config, GError **error)
{
    for (guint i = 0; i < config->disks->len; i++) {
        FltvmDisk *disk = config->disks->pdata[i];
        FltvmImage *old = disk->image;
        gboolean named = old && old->path;
        disk->image = named ? open_again(old, error) : NULL;
        fltvm_image_unref(old);
        if (named && !disk->image)
            return FALSE;
        for (guint n = 0; disk->media && n < disk->media->len; n++) {
            FltvmImage *fresh = open_again(disk->media->pdata[n], error);
            if (!fresh)
                return FALSE;
            fltvm_image_unref(disk->media->pdata[n]);
            disk->media->pdata[n] = fresh;
        }
    }
    return TRUE;
}

gboolean fltvm_config_make_blanks(FltvmConfig *config, GError **error)
{
    for (guint i = 0; i < config->disks->len; i++) {
        FltvmDisk *disk = config->disks->pdata[i];
        if (!disk->image && !(disk->image = fltvm_image_new_blank(disk->size, error)))
            return FALSE;
    }
    return TRUE;
}

GArray *fltvm_config_image_fds(const FltvmConfig *config)
{
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));

    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        for (guint n = 0; fltvm_disk_medium(disk, n); n++) {
            for (const FltvmImage *image = fltvm_disk_medium(disk, n); image; image = image->backing) {
                g_array_append_val(fds, image->fd);
                if (image->write_fd >= 0)
                    g_array_append_val(fds, image->write_fd);
            }
        }
        if (disk->medium_fd)
            g_array_append_val(fds, disk->medium_fd);
    }
    return fds;
}

void fltvm_config_close_images(FltvmConfig *config)
{
    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        for (guint n = 0; fltvm_disk_medium(disk, n); n++)
            fltvm_image_close(fltvm_disk_medium(disk, n));
    }
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *fltvm_config_options(const FltvmConfig *config)
{
    GString *text = g_string_new(NULL);
    g_autofree gpointer *names = g_hash_table_get_keys_as_array(config->options, NULL);
    guint count = g_hash_table_size(config->options);

    /* Sorted: the same options must be the same bytes. */
    qsort(names, count, sizeof(*names), compare_names);
    g_string_append_printf(text, "seed=%" G_GUINT64_FORMAT "\ncpus=%u\n", config->seed, config->cpus);
    if (config->choice.allocation)
        g_string_append_printf(text, "fail-allocation=%" G_GUINT64_FORMAT "\n", config->choice.allocation);
    if (config->choice.call.counted)
        g_string_append_printf(text, "delay-%s=%" G_GUINT64_FORMAT "\n",
                               config->choice.call.returns ? "return" : "call", config->choice.call.number);
    for (guint i = 0; i < count; i++)
        g_string_append_printf(text, "%s=%s\n", (char *)names[i],
                               (char *)g_hash_table_lookup(config->options, names[i]));
    return g_string_free(text, FALSE);
}

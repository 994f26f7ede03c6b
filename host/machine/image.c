/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk images of the host: see image.h. */
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "text.h"

#define SECTOR_SIZE 512u

/* The head of a qcow2 image (QEMU's docs/interop/qcow2.txt); numbers are big-endian. */
#define QCOW2_MAGIC           0x514649FBu
#define QCOW2_MAGIC_AT        0
#define QCOW2_VERSION_AT      4
#define QCOW2_BACKING_AT      8
#define QCOW2_BACKING_LEN_AT  16
#define QCOW2_SIZE_AT         24
#define QCOW2_CRYPT_AT        32
#define QCOW2_INCOMPATIBLE_AT 72
#define QCOW2_HEAD_SIZE       80
#define QCOW2_DATA_FILE       4u /* of the incompatible features */

G_GNUC_PRINTF(3, 4)
static gpointer refuse(GError **error, const char *path, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list args;

    va_start(args, format);
    reason = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "disk image: %s: %s", path, reason);
    return NULL;
}

int fltvm_fd_raise(int low)
{
    int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FLTVM_LEAST_FD), problem = errno;

    if (low >= 0)
        close(low);
    errno = problem;
    return high;
}

const char *fltvm_image_format_of(const char *path)
{
    return g_str_has_suffix(path, ".qcow2") ? "qcow2" : "raw";
}

gboolean fltvm_image_format_check(const char *format, GError **error)
{
    if (g_str_equal(format, "raw") || g_str_equal(format, "qcow2"))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "format: '%s' is neither raw nor qcow2", format);
    return FALSE;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
           : S_ISBLK(mode)  ? "a block device"
           : S_ISCHR(mode)  ? "a character device"
                            : "no file";
}

/* Open a plain file without waiting for anybody; -1 with an error. */
static int open_plain(const char *path, int flags, struct stat *info, GError **error)
{
    int fd, high;

    /* Asked before: opening a device may already do something to it. */
    if (stat(path, info) < 0) {
        refuse(error, path, "%s", g_strerror(errno));
        return -1;
    }
    if (S_ISREG(info->st_mode)) {
        fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, info) < 0) {
            refuse(error, path, "%s", g_strerror(errno));
            if (fd >= 0)
                close(fd);
            return -1;
        }
        high = fltvm_fd_raise(fd);
        if (high >= 0 && S_ISREG(info->st_mode))
            return high;
        if (high < 0) {
            refuse(error, path, "%s", g_strerror(errno));
            return -1;
        }
        close(high);
    }
    refuse(error, path, "%s: only plain files are images", kind_of(info->st_mode));
    return -1;
}

static guint64 big_endian(const guint8 *bytes, gsize count)
{
    guint64 value = 0;

    for (gsize i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

typedef struct {
    gboolean is_qcow2;
    guint64 size;
    gboolean encrypted;
    gboolean data_file;
    char *backing; /* the name in the header, or NULL */
} Head;

static void head_clear(Head *head)
{
    g_clear_pointer(&head->backing, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Head, head_clear)

/* What an image's first bytes say, if they are read as qcow2. */
static void read_head(int fd, Head *head)
{
    guint8 bytes[QCOW2_HEAD_SIZE] = {0};
    char name[1024] = {0};
    guint64 backing;
    gsize length;

    if (pread(fd, bytes, sizeof(bytes), 0) < QCOW2_INCOMPATIBLE_AT ||
        big_endian(bytes + QCOW2_MAGIC_AT, 4) != QCOW2_MAGIC)
        return;
    head->is_qcow2 = TRUE;
    head->size = big_endian(bytes + QCOW2_SIZE_AT, 8);
    head->encrypted = big_endian(bytes + QCOW2_CRYPT_AT, 4) != 0;
    head->data_file = big_endian(bytes + QCOW2_VERSION_AT, 4) >= 3 &&
                      (big_endian(bytes + QCOW2_INCOMPATIBLE_AT, 8) & QCOW2_DATA_FILE) != 0;
    backing = big_endian(bytes + QCOW2_BACKING_AT, 8);
    length = (gsize)MIN(big_endian(bytes + QCOW2_BACKING_LEN_AT, 4), sizeof(name) - 1);
    if (backing && (backing > G_MAXINT64 || pread(fd, name, length, (off_t)backing) < 0))
        name[0] = '\0';
    if (backing)
        head->backing = g_strdup(name);
}

/* A qcow2 image that stands alone, or on what the scenario names. */
static gboolean check_head(const FltvmImage *image, const Head *head, GError **error)
{
    if (!head->is_qcow2)
        refuse(error, image->path, "not a qcow2 image, though %s says so",
               g_str_equal(fltvm_image_format_of(image->path), "qcow2") ? "its name" : "the format");
    else if (head->encrypted)
        refuse(error, image->path, "it is encrypted: make a plain one of it with qemu-img convert");
    else if (head->data_file)
        refuse(error, image->path,
               "it keeps its data in another file, which is not followed: make a whole one of it "
               "with qemu-img convert");
    else if (head->backing && !image->backing)
        refuse(error, image->path,
               "it stands on the backing file '%s', which is not followed: name it with "
               "backing = \"…\", or make a whole image of both with qemu-img convert",
               head->backing);
    else if (!head->backing && image->backing)
        refuse(error, image->path, "it has no backing file");
    else
        return TRUE;
    return FALSE;
}

static gboolean check_size(const FltvmImage *image, GError **error)
{
    if (image->size < SECTOR_SIZE)
        refuse(error, image->path, "%" G_GUINT64_FORMAT " bytes, less than one sector of %u bytes", image->size,
               SECTOR_SIZE);
    else if (image->size % SECTOR_SIZE)
        refuse(error, image->path, "%" G_GUINT64_FORMAT " bytes are not a whole number of %u-byte sectors", image->size,
               SECTOR_SIZE);
    else if (image->size > G_MAXINT64)
        refuse(error, image->path, "%" G_GUINT64_FORMAT " bytes are too many", image->size);
    else
        return TRUE;
    return FALSE;
}

static FltvmImage *new_image(const char *path, const char *format)
{
    FltvmImage *image = g_rc_box_new0(FltvmImage);

    image->path = g_strdup(path);
    image->format = g_str_equal(format, "qcow2") ? "qcow2" : "raw";
    image->fd = image->write_fd = -1;
    return image;
}

FltvmImage *fltvm_image_open(const char *path, const char *format, gboolean writable, FltvmImage *backing,
                             GError **error)
{
    g_autoptr(FltvmImage) image = new_image(path, format ? format : fltvm_image_format_of(path));
    g_auto(Head) head = {0};
    struct stat info, again;

    image->backing = backing;
    image->writable = writable;
    if (format && !fltvm_image_format_check(format, error))
        return NULL;
    image->fd = open_plain(path, O_RDONLY, &info, error);
    if (image->fd < 0)
        return NULL;
    read_head(image->fd, &head);
    if (g_str_equal(image->format, "qcow2")) {
        if (!check_head(image, &head, error))
            return NULL;
        image->size = head.size;
    } else {
        if (backing)
            return refuse(error, path, "a raw image has no backing file");
        image->size = (guint64)info.st_size;
        image->looks_qcow2 = head.is_qcow2;
    }
    image->set = image->fd;
    if (!check_size(image, error))
        return NULL;
    if (writable) {
        image->write_fd = open_plain(path, O_RDWR, &again, error);
        if (image->write_fd < 0)
            return NULL;
        if (again.st_dev != info.st_dev || again.st_ino != info.st_ino)
            return refuse(error, path, "the file was replaced just now");
    }
    return g_steal_pointer(&image);
}

FltvmImage *fltvm_image_new_blank(guint64 size, GError **error)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "fltvm-blank-XXXXXX", NULL);
    g_autoptr(FltvmImage) image = new_image(NULL, "raw");
    g_autofree char *self = NULL;
    int fd = mkostemp(path, O_CLOEXEC);

    image->size = size;
    image->writable = TRUE;
    if (fd >= 0) {
        unlink(path);
        image->write_fd = fcntl(fd, F_DUPFD_CLOEXEC, FLTVM_LEAST_FD);
        self = g_strdup_printf("/proc/self/fd/%d", fd);
        if (image->write_fd >= 0 && ftruncate(fd, (off_t)size) == 0)
            image->fd = open(self, O_RDONLY | O_CLOEXEC);
        image->fd = fltvm_fd_raise(image->fd);
    }
    if (image->fd < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "a blank disk in %s: %s", g_get_tmp_dir(), g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    close(fd);
    image->set = image->fd;
    return g_steal_pointer(&image);
}

/* --- letting go ---------------------------------------------------------------------------------------- */

void fltvm_image_close(FltvmImage *image)
{
    for (; image; image = image->backing) {
        if (image->fd >= 0)
            close(image->fd);
        if (image->write_fd >= 0)
            close(image->write_fd);
        image->fd = image->write_fd = -1;
    }
}

static void clear(gpointer data)
{
    FltvmImage *image = data;

    if (image->fd >= 0)
        close(image->fd);
    if (image->write_fd >= 0)
        close(image->write_fd);
    fltvm_image_unref(image->backing);
    g_free(image->path);
}

FltvmImage *fltvm_image_ref(FltvmImage *image)
{
    return image ? g_rc_box_acquire(image) : NULL;
}

void fltvm_image_unref(FltvmImage *image)
{
    if (image)
        g_rc_box_release_full(image, clear);
}

/* --- telling ------------------------------------------------------------------------------------------- */

char *fltvm_image_describe(const FltvmImage *image, char *(*name_of)(const FltvmImage *image, gpointer data),
                           gpointer data)
{
    g_autofree char *name = name_of(image, data);
    g_autofree char *quoted = fltvm_text_json(name);
    GString *json = g_string_new(NULL);

    g_string_append_printf(json, "{\"driver\":\"%s\",", image->format);
    if (image->backing) {
        g_autofree char *backing = fltvm_image_describe(image->backing, name_of, data);
        g_string_append_printf(json, "\"backing\":%s,", backing);
    } else if (g_str_equal(image->format, "qcow2")) {
        g_string_append(json, "\"backing\":null,");
    }
    g_string_append_printf(json, "\"file\":{\"driver\":\"file\",\"filename\":%s}}", quoted);
    return g_string_free(json, FALSE);
}

char *fltvm_image_info(const char *path, const char *format, GError **error)
{
    g_autoptr(FltvmImage) image = new_image(path, format ? format : fltvm_image_format_of(path));
    g_auto(Head) head = {0};
    struct stat info;
    GString *text;

    image->fd = open_plain(path, O_RDONLY, &info, error);
    if (image->fd < 0)
        return NULL;
    read_head(image->fd, &head);
    if (g_str_equal(image->format, "qcow2") && !head.is_qcow2) {
        check_head(image, &head, error);
        return NULL;
    }
    text = g_string_new(NULL);
    image->size = g_str_equal(image->format, "qcow2") ? head.size : (guint64)info.st_size;
    g_string_append_printf(text,
                           "image: %s\nformat: %s\nsize of the disk: %" G_GUINT64_FORMAT " bytes\n"
                           "on the host: %" G_GINT64_FORMAT " bytes\n",
                           path, image->format, image->size, (gint64)info.st_blocks * 512);
    if (g_str_equal(image->format, "raw")) {
        if (head.is_qcow2)
            g_string_append(text, "note: it begins as a qcow2 image does; if it is one, say --format qcow2\n");
        return g_string_free(text, FALSE);
    }
    if (head.backing)
        g_string_append_printf(text, "backing file: %s (not followed)\n", head.backing);
    if (head.data_file)
        g_string_append(text, "data file: yes (not followed)\n");
    if (head.encrypted)
        g_string_append(text, "encrypted: yes\n");
    return g_string_free(text, FALSE);
}

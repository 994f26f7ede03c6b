/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on a machine's disk before it starts, as a raw image: what a power cut has left of it, say, for the host's tools to look at.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "machine.h"

#define PIECE (1 << 20)

/* All of it, or FALSE with errno; a file that ends before is EIO. */
static gboolean read_all(int fd, gpointer bytes, gsize length, goffset offset)
{
    for (gsize done = 0; done < length;) {
        gssize count = pread(fd, (guint8 *)bytes + done, length - done, (off_t)offset + (off_t)done);
        if (count == 0)
            errno = EIO;
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return FALSE;
        done += (gsize)count;
    }
    return TRUE;
}

static gboolean write_all(int fd, gconstpointer bytes, gsize length, goffset offset)
{
    for (gsize done = 0; done < length;) {
        gssize count = pwrite(fd, (const guint8 *)bytes + done, length - done, (off_t)offset + (off_t)done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return FALSE;
        done += (gsize)count;
    }
    return TRUE;
}

/* Zeros need not be written: the file is new. */
static gboolean copy_image(int from, int to, guint64 size)
{
    g_autofree guint8 *piece = g_malloc(PIECE);

    for (guint64 offset = 0; offset < size; offset += PIECE) {
        gsize length = (gsize)MIN(size - offset, PIECE);
        if (!read_all(from, piece, length, (goffset)offset))
            return FALSE;
        if ((piece[0] || memcmp(piece, piece + 1, length - 1)) && !write_all(to, piece, length, (goffset)offset))
            return FALSE;
    }
    return TRUE;
}

/* What a power cut has left beside the image; where there are several media their bytes come behind the first one's. */
static gboolean apply_medium(int medium, int to, guint64 size, gboolean several)
{
    g_autofree guint8 *piece = g_malloc(PIECE);
    struct fltvm_medium head;
    off_t end = lseek(medium, 0, SEEK_END);

    for (off_t offset = 0; offset < end; offset += (off_t)sizeof(head) + head.length) {
        if (!read_all(medium, &head, sizeof(head), offset))
            return FALSE;
        if (several && head.offset >= size)
            continue;
        if (head.length > PIECE || head.offset > size || head.length > size - head.offset) {
            errno = EBADMSG;
            return FALSE;
        }
        if (!read_all(medium, piece, head.length, offset + (off_t)sizeof(head)) ||
            !write_all(to, piece, head.length, (goffset)head.offset))
            return FALSE;
    }
    return end >= 0;
}

gboolean fltvm_machine_copy_disk(FltvmMachine *machine, guint number, const char *path, GError **error)
{
    const FltvmConfig *config = fltvm_machine_config(machine);
    const FltvmDisk *disk = number < config->disks->len ? config->disks->pdata[number] : NULL;
    guint64 size;
    gboolean done;
    int fd;

    if (!disk || fltvm_machine_state(machine) != FLTVM_MACHINE_NEW) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    disk ? "copy_disk: the machine has started: say it before it does"
                         : "copy_disk: there is no disk %u, but %u of them",
                    number, config->disks->len);
        return FALSE;
    }
    if (disk->image && !g_str_equal(disk->image->format, "raw")) {
        g_set_error(
            error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
            "copy_disk: disk %u is a %s image, and only raw ones are copied: make one of it with qemu-img convert",
            number, disk->image->format);
        return FALSE;
    }
    size = disk->image ? disk->image->size : disk->size;
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    done = fd >= 0 && ftruncate(fd, (off_t)size) == 0 && (!disk->image || copy_image(disk->image->fd, fd, size)) &&
           (!disk->medium_fd || apply_medium(disk->medium_fd, fd, size, disk->media != NULL));
    if (!done)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "copy_disk: %s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return done;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Part of a file as libntfs-3g wants a device: the bytes of a volume and no others. */
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static FltvmWindow *window_of(struct ntfs_device *device)
{
    return device->d_private;
}

static int window_open(struct ntfs_device *device, int flags)
{
    if (NDevOpen(device)) {
        errno = EBUSY;
        return -1;
    }
    if ((flags & O_ACCMODE) == O_RDONLY)
        NDevSetReadOnly(device);
    NDevSetOpen(device);
    return 0;
}

static int window_close(struct ntfs_device *device)
{
    NDevClearOpen(device);
    return 0;
}

/* All of the bytes, or as many as there are. */
static s64 window_pread(struct ntfs_device *device, void *bytes, s64 count, s64 offset)
{
    FltvmWindow *window = window_of(device);
    s64 done = 0;

    if (count < 0 || offset < 0 || offset > window->length) {
        errno = EINVAL;
        return -1;
    }
    count = MIN(count, window->length - offset);
    while (done < count) {
        ssize_t got = pread(window->fd, (char *)bytes + done, (size_t)(count - done), window->start + offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return done || got == 0 ? done : -1;
        done += got;
    }
    return done;
}

static s64 window_pwrite(struct ntfs_device *device, const void *bytes, s64 count, s64 offset)
{
    FltvmWindow *window = window_of(device);
    s64 done = 0;

    if (NDevReadOnly(device)) {
        errno = EROFS;
        return -1;
    }
    if (count < 0 || offset < 0 || offset > window->length || count > window->length - offset) {
        errno = EINVAL;
        return -1;
    }
    while (done < count) {
        ssize_t put =
            pwrite(window->fd, (const char *)bytes + done, (size_t)(count - done), window->start + offset + done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return done ? done : -1;
        done += put;
    }
    return done;
}

static s64 window_seek(struct ntfs_device *device, s64 offset, int whence)
{
    FltvmWindow *window = window_of(device);
    gint64 base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? window->position : window->length;

    if (offset < -base || offset > window->length - base) {
        errno = EINVAL;
        return -1;
    }
    window->position = base + offset;
    return window->position;
}

static s64 window_read(struct ntfs_device *device, void *bytes, s64 count)
{
    s64 done = window_pread(device, bytes, count, window_of(device)->position);

    window_of(device)->position += MAX(done, 0);
    return done;
}

static s64 window_write(struct ntfs_device *device, const void *bytes, s64 count)
{
    s64 done = window_pwrite(device, bytes, count, window_of(device)->position);

    window_of(device)->position += MAX(done, 0);
    return done;
}

static int window_sync(struct ntfs_device *device)
{
    NDevClearDirty(device);
    return 0; /* the host's cache is as good as the disk: a machine reads it by the same way */
}

/* A plain file of this size: what the library would ask of a block device it does not. */
static int window_stat(struct ntfs_device *device, struct stat *info)
{
    memset(info, 0, sizeof(*info));
    info->st_mode = S_IFREG | 0600;
    info->st_size = window_of(device)->length;
    return 0;
}

static int window_ioctl(struct ntfs_device *device, unsigned long request, void *argument)
{
    (void)device, (void)request, (void)argument;
    errno = EOPNOTSUPP;
    return -1;
}

struct ntfs_device_operations fltvm_volume_device = {
    .open = window_open,
    .close = window_close,
    .seek = window_seek,
    .read = window_read,
    .write = window_write,
    .pread = window_pread,
    .pwrite = window_pwrite,
    .sync = window_sync,
    .stat = window_stat,
    .ioctl = window_ioctl,
};

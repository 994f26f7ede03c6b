/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into QEMU by overlap.py: what is written to a file takes 30 ms, so that a read that does not wait overtakes it.
 * FLTVM_TEST_SLOWED is a file that gets a byte for each. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* each name is one of its own */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOWLY 30000

static int told = -1;

static void __attribute__((constructor)) begin(void)
{
    const char *path = getenv("FLTVM_TEST_SLOWED");

    if (path)
        told = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void slowly(void)
{
    usleep(SLOWLY);
    if (told >= 0 && write(told, "w", 1) != 1)
        abort();
}

ssize_t pwritev(int fd, const struct iovec *list, int count, off_t offset)
{
    ssize_t (*real)(int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, "pwritev");

    slowly();
    return real(fd, list, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *list, int count, off64_t offset)
{
    ssize_t (*real)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "pwritev64");

    slowly();
    return real(fd, list, count, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");

    slowly();
    return real(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");

    slowly();
    return real(fd, bytes, length, offset);
}

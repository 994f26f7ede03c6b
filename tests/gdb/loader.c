/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps a PE image into this (Linux) process and calls its entry point: unwind.py steps through it natively. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

static uint64_t u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

/* Where a debugger stops: the image is there. */
static __attribute__((noinline)) void ready(void)
{
    __asm__ volatile("");
}

int main(int argc, char **argv)
{
    struct stat status;
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if (file < 0 || fstat(file, &status) < 0)
        return 2;
    const uint8_t *raw = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (raw == MAP_FAILED)
        return 2;
    const uint8_t *header = raw + u32(raw + 60);
    uint64_t base = u64(header + 24 + 24);
    uint32_t sections = header[6];
    const uint8_t *section = header + 24 + header[20];
    uint8_t *image = mmap((void *)base, u32(header + 24 + 56), PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (image != (void *)base)
        return 3;
    for (uint32_t i = 0; i < sections; i++, section += 40)
        memcpy(image + u32(section + 12), raw + u32(section + 20), u32(section + 16));
    ready();
    uint64_t (*entry)(void) __attribute__((ms_abi)) = (void *)(image + u32(header + 24 + 16));
    printf("%llu\n", (unsigned long long)entry());
    return 0;
}

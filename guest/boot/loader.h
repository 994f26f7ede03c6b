/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loader: the parts of the boot loader.  Everything runs once, on one processor, identity-mapped. */
#ifndef LOADER_H
#define LOADER_H

#include <stddef.h>
#include <stdint.h>
#include "boot.h"

/* Ends the boot with a message on port 0xE9 and a shut-down machine. */
_Noreturn void loader_fail(const char *why);

/* Zeroed or uninitialized pages that stay with the kernel; physical address, identity-mapped. */
void *loader_allocate(uint64_t bytes);
void loader_zero(void *to, uint64_t bytes);
void loader_copy(void *to, const void *from, uint64_t bytes);

/* image.c: places a PE image and returns its entry point; fills kernel_* of the block. */
uint64_t image_load(struct fltvm_loader_block *block, const uint8_t *file, uint64_t size);

/* paging.c: extends the direct map to the end of memory, maps pages high. */
void paging_init(struct fltvm_loader_block *block, uint64_t memory_end);
void paging_map(uint64_t virtual, uint64_t physical, uint64_t bytes, uint64_t flags);

/* archive.c: lists the files of a newc cpio archive. */
void archive_list(struct fltvm_loader_block *block, const uint8_t *archive, uint64_t size);

/* machine.c: processors, PCI windows; the initrd when the firmware left it in fw_cfg. */
void machine_probe(struct fltvm_loader_block *block);
uint64_t machine_initrd_size(void);
void machine_read_initrd(void *to, uint64_t size);
/* Tells the host, if one is there, that the boot failed and why. */
void machine_report(const char *why);

static inline void *direct(uint64_t physical)
{
    return (void *)(FLTVM_VA_DIRECT_MAP + physical);
}

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: places ntoskrnl.exe.  Sections are copied to where they belong, relocated when the image was not
 * linked for FLTVM_VA_KERNEL, and mapped with their own protections: nothing is both writable and executable.
 */
#include "loader.h"

#define SECTION_EXECUTE      0x20000000u
#define SECTION_WRITE        0x80000000u
#define RELOCATION_DIRECTORY 5
#define RELOCATION_DIR64     10

struct pe_header {
    uint32_t signature;
    uint16_t machine, sections;
    uint32_t time, symbols, symbol_count;
    uint16_t optional_size, characteristics;
    uint16_t magic;
    uint8_t linker[2];
    uint32_t code_size, data_size, bss_size, entry, code_base;
    uint64_t image_base;
    uint32_t section_alignment, file_alignment;
    uint16_t versions[6];
    uint32_t win32_version, image_size, headers_size, checksum;
    uint16_t subsystem, dll_characteristics;
    uint64_t stack_reserve, stack_commit, heap_reserve, heap_commit;
    uint32_t loader_flags, directories;
    struct {
        uint32_t address, size;
    } directory[16];
};
_Static_assert(offsetof(struct pe_header, directory) == 136, "PE header");

struct pe_section {
    char name[8];
    uint32_t virtual_size, address, raw_size, raw;
    uint32_t relocations, lines;
    uint16_t relocation_count, line_count;
    uint32_t characteristics;
};

struct pe_relocation_block {
    uint32_t page, size;
    uint16_t entry[];
};

static void relocate(uint8_t *image, const struct pe_header *pe, uint64_t delta)
{
    uint8_t *at = image + pe->directory[RELOCATION_DIRECTORY].address;
    uint8_t *end = at + pe->directory[RELOCATION_DIRECTORY].size;

    while (delta && at + sizeof(struct pe_relocation_block) <= end) {
        const struct pe_relocation_block *block = (const void *)at;

        if (block->size < sizeof(*block)) {
            break;
        }
        for (uint32_t i = 0; i < (block->size - sizeof(*block)) / 2; i++) {
            if (block->entry[i] >> 12 == RELOCATION_DIR64) {
                *(uint64_t *)(image + block->page + (block->entry[i] & 0xFFF)) += delta;
            }
        }
        at += block->size;
    }
}

uint64_t image_load(struct fltvm_loader_block *block, const uint8_t *file, uint64_t size)
{
    const struct pe_header *pe;
    const struct pe_section *section;
    uint32_t header_offset = size > 64 ? *(const uint32_t *)(file + 60) : 0;
    uint32_t image_size, filled;
    uint8_t *image;

    pe = (const void *)(file + header_offset);
    if (header_offset == 0 || header_offset + sizeof(*pe) > size || pe->signature != 0x4550 || pe->machine != 0x8664 ||
        pe->magic != 0x20B || pe->headers_size > size) {
        loader_fail("ntoskrnl.exe is not an x86-64 PE image");
    }
    section = (const void *)((const uint8_t *)&pe->magic + pe->optional_size);
    image_size = (pe->image_size + 0xFFF) & ~0xFFFu;
    image = loader_allocate(image_size);
    loader_copy(image, file, pe->headers_size);
    filled = pe->headers_size;
    paging_map(FLTVM_VA_KERNEL, (uint64_t)image, (pe->headers_size + 0xFFF) & ~0xFFFu, FLTVM_PTE_NX);
    for (uint32_t i = 0; i < pe->sections; i++) {
        uint32_t raw = section[i].raw_size < section[i].virtual_size ? section[i].raw_size : section[i].virtual_size;
        uint32_t pages = (section[i].virtual_size + 0xFFF) & ~0xFFFu;
        uint64_t flags = section[i].characteristics & SECTION_EXECUTE ? 0 : FLTVM_PTE_NX;

        if (section[i].address < filled || section[i].address + pages > image_size ||
            (raw && section[i].raw + (uint64_t)raw > size)) {
            loader_fail("ntoskrnl.exe has a section outside of itself");
        }
        if (section[i].characteristics & SECTION_WRITE) {
            flags = FLTVM_PTE_NX | FLTVM_PTE_WRITE;
        }
        loader_zero(image + filled, section[i].address - filled);
        loader_copy(image + section[i].address, file + section[i].raw, raw);
        filled = section[i].address + raw;
        paging_map(FLTVM_VA_KERNEL + section[i].address, (uint64_t)image + section[i].address, pages, flags);
    }
    loader_zero(image + filled, image_size - filled);
    relocate(image, pe, FLTVM_VA_KERNEL - pe->image_base);
    block->kernel_base = FLTVM_VA_KERNEL;
    block->kernel_size = image_size;
    block->kernel_physical = (uint64_t)image;
    return FLTVM_VA_KERNEL + pe->entry;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archive: the initrd, a cpio archive in "newc" format: 110-byte text headers, everything aligned to 4. */
#include "loader.h"

#define HEADER_SIZE  110
#define FILE_SIZE_AT 54
#define NAME_SIZE_AT 94

static uint32_t hex8(const uint8_t *text)
{
    uint32_t value = 0;

    for (int i = 0; i < 8; i++) {
        uint8_t c = text[i];

        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static int is_trailer(const char *name)
{
    static const char trailer[] = "TRAILER!!!";

    for (uint32_t i = 0; i < sizeof(trailer); i++) {
        if (name[i] != trailer[i]) {
            return 0;
        }
    }
    return 1;
}

void archive_list(struct fltvm_loader_block *block, const uint8_t *archive, uint64_t size)
{
    uint64_t at = 0;

    while (at + HEADER_SIZE < size) {
        const uint8_t *header = archive + at;
        uint64_t name_size, file_size, data;
        const char *name = (const char *)header + HEADER_SIZE;
        struct fltvm_boot_module *module;

        if (header[0] != '0' || header[1] != '7' || header[2] != '0' || header[3] != '7') {
            loader_fail("the initrd is not a newc cpio archive");
        }
        name_size = hex8(header + NAME_SIZE_AT);
        file_size = hex8(header + FILE_SIZE_AT);
        data = (at + HEADER_SIZE + name_size + 3) & ~3ull;
        if (name_size == 0 || data + file_size > size) {
            loader_fail("the initrd is cut short");
        }
        if (is_trailer(name)) {
            return;
        }
        at = (data + file_size + 3) & ~3ull;
        if (name[0] == '.' && name[1] == '/') {
            name += 2;
            name_size -= 2;
        }
        if (file_size == 0) {
            continue; /* a directory */
        }
        if (block->modules == FLTVM_BOOT_MAX_MODULES || name_size > sizeof(module->name)) {
            loader_fail("too many files, or too long a name, in the initrd");
        }
        module = &block->module[block->modules++];
        module->physical = (uint64_t)archive + data;
        module->base = (uint64_t)direct(module->physical);
        module->size = file_size;
        loader_copy(module->name, name, name_size);
    }
}

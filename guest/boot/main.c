/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loader's way: read what PVH says of memory and modules, list the initrd's files, place ntoskrnl.exe,
 * describe it all in a loader block, jump.  Everything the kernel keeps is allocated upwards from one point,
 * so that it is one range of the memory map.
 */
#include "loader.h"

struct hvm_start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, rsdp, memory_map;
    uint32_t memory_entries, reserved;
};
struct hvm_module {
    uint64_t base, size, command_line, reserved;
};
struct hvm_memory {
    uint64_t base, size;
    uint32_t type, reserved;
};
#define HVM_MAGIC      0x336ec578
#define HVM_MEMORY_RAM 1

#define BOOT_STACK_SIZE 0x6000
#define TRAMPOLINE      0x8000
#define LOW_MEMORY      0x10000  /* below: never given out */
#define KERNEL_BASE     0x200000 /* first page of what stays */

extern char loader_start[], loader_end[], start_pml4[];
void loader_enter(uint64_t entry, void *block, void *stack);

void loader_main(const struct hvm_start_info *info);

static uint64_t next_page = KERNEL_BASE, page_limit;

void loader_fail(const char *why)
{
    machine_report(why);
    for (; *why; why++) {
        outb(0xE9, *why);
    }
    outb(0xE9, '\n');
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void loader_zero(void *to, uint64_t bytes)
{
    uint64_t *word = to;

    for (uint64_t i = 0; i < bytes / 8; i++) {
        word[i] = 0;
        __asm__ volatile("" : : : "memory");
    }
    for (uint64_t i = bytes & ~7ull; i < bytes; i++) {
        ((volatile uint8_t *)to)[i] = 0;
    }
}

void loader_copy(void *to, const void *from, uint64_t bytes)
{
    uint64_t *out = to;
    const uint64_t *in = from;

    for (uint64_t i = 0; i < bytes / 8; i++) {
        out[i] = in[i];
        __asm__ volatile("" : : : "memory");
    }
    for (uint64_t i = bytes & ~7ull; i < bytes; i++) {
        ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
}

void *loader_allocate(uint64_t bytes)
{
    uint64_t page = next_page;

    next_page += (bytes + 0xFFF) & ~0xFFFull;
    if (next_page > page_limit) {
        loader_fail("not enough memory");
    }
    return (void *)page;
}

/* Cuts [base, base + size) out of the ranges and gives it a type of its own. */
static void claim(struct fltvm_loader_block *block, uint64_t base, uint64_t size, uint32_t type)
{
    uint64_t end = (base + size + 0xFFF) & ~0xFFFull;

    base &= ~0xFFFull;
    for (uint32_t i = 0; i < block->ranges; i++) {
        struct fltvm_memory_range *range = &block->range[i], whole = *range;
        uint64_t whole_end = whole.base + whole.size;
        struct fltvm_memory_range part[3];
        uint32_t parts = 0;

        if (whole.base > base || whole_end < end) {
            continue;
        }
        if (whole.base < base) {
            part[parts++] = (struct fltvm_memory_range){whole.base, base - whole.base, whole.type, 0};
        }
        part[parts++] = (struct fltvm_memory_range){base, end - base, type, 0};
        if (end < whole_end) {
            part[parts++] = (struct fltvm_memory_range){end, whole_end - end, whole.type, 0};
        }
        if (block->ranges + parts - 1 > FLTVM_BOOT_MAX_RANGES) {
            loader_fail("memory map too long");
        }
        for (uint32_t j = block->ranges - 1; j > i; j--) {
            block->range[j + parts - 1] = block->range[j];
        }
        for (uint32_t j = 0; j < parts; j++) {
            range[j] = part[j];
        }
        block->ranges += parts - 1;
        return;
    }
    loader_fail("a module is not in memory");
}

static uint64_t read_memory_map(struct fltvm_loader_block *block, const struct hvm_start_info *info)
{
    const struct hvm_memory *entry = (const void *)info->memory_map;
    uint64_t memory_end = 0;

    if (info->version < 1 || info->memory_entries == 0) {
        loader_fail("no memory map");
    }
    for (uint32_t i = 0; i < info->memory_entries && block->ranges < FLTVM_BOOT_MAX_RANGES; i++) {
        uint64_t base = (entry[i].base + 0xFFF) & ~0xFFFull;
        uint64_t end = (entry[i].base + entry[i].size) & ~0xFFFull;
        uint32_t at = block->ranges;

        if (base < LOW_MEMORY) {
            base = LOW_MEMORY;
        }
        if (entry[i].type != HVM_MEMORY_RAM || end <= base) {
            continue;
        }
        while (at > 0 && block->range[at - 1].base > base) {
            block->range[at] = block->range[at - 1];
            at--;
        }
        block->range[at] = (struct fltvm_memory_range){base, end - base, FLTVM_MEMORY_FREE, 0};
        block->ranges++;
        memory_end = end > memory_end ? end : memory_end;
    }
    return memory_end;
}

/* Room to allocate from: the range around KERNEL_BASE, up to the first thing the firmware put there. */
static void find_room(struct fltvm_loader_block *block, const struct hvm_start_info *info)
{
    const struct hvm_module *module = (const void *)info->module_list;

    for (uint32_t i = 0; i < block->ranges; i++) {
        struct fltvm_memory_range *range = &block->range[i];

        if (range->base <= KERNEL_BASE && range->base + range->size > KERNEL_BASE) {
            page_limit = range->base + range->size;
        }
    }
    for (uint32_t i = 0; i < info->modules; i++) {
        if (module[i].base >= KERNEL_BASE && module[i].base < page_limit) {
            page_limit = module[i].base & ~0xFFFull;
        }
    }
}

/* SeaBIOS hands over a module; qboot leaves the initrd in fw_cfg, then it is read to the end of the room. */
static uint64_t find_initrd(const struct hvm_start_info *info, uint64_t *size)
{
    const struct hvm_module *module = (const void *)info->module_list;

    if (info->modules > 0) {
        *size = module->size;
        return module->base;
    }
    *size = machine_initrd_size();
    if (*size == 0) {
        loader_fail("no initrd");
    }
    if (*size + next_page > page_limit) {
        loader_fail("not enough memory for the initrd");
    }
    page_limit = (page_limit - *size) & ~0xFFFull;
    machine_read_initrd((void *)page_limit, *size);
    return page_limit;
}

static const struct fltvm_boot_module *find_kernel(const struct fltvm_loader_block *block)
{
    static const char kernel[] = "ntoskrnl.exe";

    for (uint32_t i = 0; i < block->modules; i++) {
        uint32_t j = 0;

        while (j < sizeof(kernel) && block->module[i].name[j] == kernel[j]) {
            j++;
        }
        if (j == sizeof(kernel)) {
            return &block->module[i];
        }
    }
    loader_fail("no ntoskrnl.exe in the initrd");
}

static uint64_t copy_command_line(const char *text)
{
    uint32_t length = 0;
    char *copy;

    while (text && text[length] && length < 4000) {
        length++;
    }
    copy = loader_allocate(length + 1);
    loader_copy(copy, text, length);
    copy[length] = 0;
    return (uint64_t)direct((uint64_t)copy);
}

void loader_main(const struct hvm_start_info *info)
{
    static struct fltvm_loader_block early;
    uint64_t initrd, initrd_size;
    const struct fltvm_boot_module *kernel;
    struct fltvm_loader_block *block;
    uint64_t memory_end, entry;
    uint8_t *stack;

    if (info->magic != HVM_MAGIC) {
        loader_fail("not started by PVH");
    }
    loader_zero(&early, sizeof(early));
    memory_end = read_memory_map(&early, info);
    find_room(&early, info);

    block = loader_allocate(sizeof(*block));
    loader_copy(block, &early, sizeof(*block));
    block->magic = FLTVM_BOOT_MAGIC;
    block->size = sizeof(*block);
    block->rsdp = info->rsdp;
    block->trampoline = TRAMPOLINE;
    block->command_line = copy_command_line((const char *)info->command_line);
    machine_probe(block);
    initrd = find_initrd(info, &initrd_size);
    archive_list(block, (const uint8_t *)initrd, initrd_size);
    paging_init(block, memory_end);
    kernel = find_kernel(block);
    entry = image_load(block, (const uint8_t *)kernel->physical, kernel->size);

    stack = loader_allocate(BOOT_STACK_SIZE);
    block->stack_base = (uint64_t)direct((uint64_t)stack + BOOT_STACK_SIZE);
    block->stack_size = BOOT_STACK_SIZE;
    claim(block, (uint64_t)loader_start, loader_end - loader_start, FLTVM_MEMORY_KERNEL);
    claim(block, initrd, initrd_size, FLTVM_MEMORY_INITRD);
    claim(block, KERNEL_BASE, next_page - KERNEL_BASE, FLTVM_MEMORY_KERNEL);
    loader_enter(entry, direct((uint64_t)block), (void *)block->stack_base);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paging: two top-level tables over the same lower ones.  The start table also shows memory at its own
 * address (the loader and starting processors need that); the kernel's has the high half only.
 */
#include "loader.h"

extern uint64_t start_pml4[512], start_pdpt[512];
static uint64_t *kernel_pml4;

#define TABLE_FLAGS  (FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE)
#define ADDRESS_MASK 0x000FFFFFFFFFF000
#define GIB          0x40000000ull
#define LARGE_PAGE   0x200000ull

static uint64_t *new_table(void)
{
    uint64_t *table = loader_allocate(4096);

    loader_zero(table, 4096);
    return table;
}

void paging_init(struct fltvm_loader_block *block, uint64_t memory_end)
{
    kernel_pml4 = new_table();
    for (uint64_t gib = 4; gib * GIB < memory_end; gib++) {
        uint64_t *directory = loader_allocate(4096);

        for (uint32_t i = 0; i < 512; i++) {
            directory[i] = (gib * GIB + i * LARGE_PAGE) | TABLE_FLAGS | FLTVM_PTE_LARGE;
        }
        start_pdpt[gib] = (uint64_t)directory | TABLE_FLAGS;
    }
    start_pml4[256] = (uint64_t)start_pdpt | TABLE_FLAGS | FLTVM_PTE_NX;
    kernel_pml4[256] = start_pml4[256];
    block->page_table = (uint64_t)kernel_pml4;
    block->start_page_table = (uint64_t)start_pml4;
    block->shared_data_physical = (uint64_t)new_table();
    paging_map(FLTVM_VA_SHARED_DATA, block->shared_data_physical, 4096, FLTVM_PTE_NX);
}

void paging_map(uint64_t virtual, uint64_t physical, uint64_t bytes, uint64_t flags)
{
    for (uint64_t done = 0; done < bytes; done += 4096) {
        uint64_t address = virtual + done;
        uint64_t *table = kernel_pml4;

        for (int shift = 39; shift > 12; shift -= 9) {
            uint64_t *entry = &table[address >> shift & 511];

            if (!(*entry & FLTVM_PTE_PRESENT)) {
                *entry = (uint64_t)new_table() | TABLE_FLAGS;
                if (shift == 39) {
                    start_pml4[address >> 39 & 511] = *entry;
                }
            }
            table = (uint64_t *)(*entry & ADDRESS_MASK);
        }
        table[address >> 12 & 511] = (physical + done) | FLTVM_PTE_PRESENT | flags;
    }
}

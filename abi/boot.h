/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader hands to the kernel, and the layout of the address space they agree on.
 *
 * The loader (guest/boot) runs with paging off, the kernel high in the address space.  Pointers in these
 * structures are virtual addresses in the direct map, good from the kernel's first instruction on.  The
 * block and the page tables stay; the memory map says which ranges are free.
 */
#ifndef FLTVM_ABI_BOOT_H
#define FLTVM_ABI_BOOT_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

/*
 * Virtual layout.  The direct map holds physical memory and everything else below 4 GiB (so the local
 * APIC, the I/O APIC, ECAM and 32-bit BARs too), read-write and never executable, in 2 MiB pages.  mm
 * owns the regions it lists in guest/mm; the loader builds only the first three.
 */
#define FLTVM_VA_DIRECT_MAP  0xFFFF800000000000 /* + physical address */
#define FLTVM_VA_SHARED_DATA 0xFFFFF78000000000 /* KUSER_SHARED_DATA, one page */
#define FLTVM_VA_KERNEL      0xFFFFF80000200000 /* ntoskrnl.exe is linked for this base */
#define FLTVM_VA_IMAGES      0xFFFFF80004000000 /* drivers: up to FLTVM_VA_IMAGES_END */
#define FLTVM_VA_IMAGES_END  0xFFFFF80080000000

/* Page table entries.  No page is GLOBAL.  Bits 9 to 11 are software's. */
#define FLTVM_PTE_PRESENT  0x001
#define FLTVM_PTE_WRITE    0x002
#define FLTVM_PTE_USER     0x004
#define FLTVM_PTE_UNCACHED 0x018
#define FLTVM_PTE_LARGE    0x080
/*
 * Pageable memory.  With the CPU property x-fltvm-pageable=on such a page counts as not present while
 * CR8 >= DISPATCH_LEVEL: touching it then is the page fault that Windows might have had.
 */
#define FLTVM_PTE_PAGEABLE 0x800
#define FLTVM_PTE_NX       0x8000000000000000

#define FLTVM_BOOT_MAGIC 0x544F4F424D564C46 /* "FLVMBOOT" */

#define FLTVM_BOOT_MAX_RANGES  64
#define FLTVM_BOOT_MAX_MODULES 32
#define FLTVM_MAX_PROCESSORS   8

#ifndef __ASSEMBLER__

enum fltvm_memory_type {
    FLTVM_MEMORY_FREE = 1,    /* usable at once */
    FLTVM_MEMORY_LOADER = 2,  /* loader's code and data, useless once the kernel runs on its own tables */
    FLTVM_MEMORY_KERNEL = 3,  /* kernel image, page tables, loader block, processor blocks: stays */
    FLTVM_MEMORY_INITRD = 4,  /* the cpio archive; free it when the images in it have been loaded */
    FLTVM_MEMORY_RESERVED = 5 /* firmware's; never used */
};

/* A page-aligned range.  Ranges are sorted and do not overlap; FREE and LOADER may be reused. */
struct fltvm_memory_range {
    uint64_t base; /* physical */
    uint64_t size;
    uint32_t type; /* enum fltvm_memory_type */
    uint32_t reserved;
};

/* A file of the initrd. */
struct fltvm_boot_module {
    uint64_t base; /* virtual, in the direct map */
    uint64_t size;
    uint64_t physical;
    char name[40]; /* as in the archive, without a leading "./" */
};

struct fltvm_loader_block {
    uint64_t magic;
    uint32_t size; /* of this structure */
    uint32_t ranges;
    uint32_t modules;
    uint32_t processors;       /* as the firmware configuration says; at most FLTVM_MAX_PROCESSORS used */
    uint64_t page_table;       /* physical address of the top-level table (CR3) */
    uint64_t start_page_table; /* the same at entry, and memory below 4 GiB at its own address: to start processors */
    uint64_t kernel_base;      /* virtual */
    uint64_t kernel_size;
    uint64_t kernel_physical; /* contiguous */
    uint64_t stack_base;      /* virtual: top of the stack the kernel is entered on */
    uint64_t stack_size;
    uint64_t shared_data_physical;
    uint64_t command_line; /* virtual address of NUL-terminated text */
    uint64_t rsdp;         /* physical; 0 when there is none */
    uint64_t ecam;         /* physical base of PCI configuration space, 0 when unknown */
    uint64_t ecam_size;
    uint64_t pci_memory; /* window for BARs when pci_assign says the firmware assigned none */
    uint64_t pci_memory_size;
    uint64_t pci_assign; /* 1: no firmware assigned BARs, the kernel must */
    uint64_t trampoline; /* physical page below 1 MiB for starting processors */
    struct fltvm_memory_range range[FLTVM_BOOT_MAX_RANGES];
    struct fltvm_boot_module module[FLTVM_BOOT_MAX_MODULES];
};

#endif
#endif

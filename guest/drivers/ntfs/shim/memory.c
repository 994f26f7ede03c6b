/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: paged pool, with each block's size before it, for realloc.
 */
#include <ntifs.h>
#include "shim.h"

#define SHIM_TAG 'LftN'
/* Nothing of a volume is larger than this in memory; a damaged volume may ask for anything. */
#define SHIM_LARGEST (64ull << 20)

/* Keeps what follows aligned as pool is. */
typedef struct DECLSPEC_ALIGN(16) _SHIM_BLOCK {
    SIZE_T Size;
} SHIM_BLOCK, *PSHIM_BLOCK;

void *NtfsShimMalloc(size_t Size)
{
    PSHIM_BLOCK Block = NULL;

    if (Size <= SHIM_LARGEST) {
        Block = ExAllocatePoolWithTag(PagedPool, sizeof(*Block) + Size, SHIM_TAG);
    }
    if (Block == NULL) {
        NtfsShimErrno = NTFS_SHIM_ENOMEM;
        return NULL;
    }
    Block->Size = Size;
    return Block + 1;
}

void *NtfsShimCalloc(size_t Count, size_t Size)
{
    void *Block = Size == 0 || Count <= SHIM_LARGEST / Size ? NtfsShimMalloc(Count * Size) : NULL;

    if (Block != NULL) {
        RtlZeroMemory(Block, Count * Size);
    }
    return Block;
}

void NtfsShimFree(void *Block)
{
    if (Block != NULL) {
        ExFreePoolWithTag((PSHIM_BLOCK)Block - 1, SHIM_TAG);
    }
}

void *NtfsShimRealloc(void *Block, size_t Size)
{
    SIZE_T Old = Block != NULL ? ((PSHIM_BLOCK)Block - 1)->Size : 0;
    void *Fresh = NtfsShimMalloc(Size);

    if (Fresh != NULL && Block != NULL) {
        RtlCopyMemory(Fresh, Block, min(Old, Size));
        NtfsShimFree(Block);
    }
    return Fresh;
}

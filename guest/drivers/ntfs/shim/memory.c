/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: paged pool, with each block's size before it, for realloc.
 *
 * What the library has begun and cannot end for want of memory is half a change on the disk: a name without its file, a record without its
 * attributes.  So blocks are kept in reserve; when pool has nothing more to give, an operation goes on with these, and the next one is
 * refused before it begins unless the reserve is whole again.
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

/*
 * As many of each size as an operation that changes much takes: search contexts and inodes, records, index blocks and run lists, the
 * buffers of compressed streams.  The library's lock guards them.
 */
static struct {
    SIZE_T Size;
    ULONG Wanted, There;
    PSHIM_BLOCK First; /* each begins with a pointer to the next */
} ShimReserve[] = {
    {240, 48, 0, NULL}, {1264, 16, 0, NULL}, {4096, 12, 0, NULL}, {12272, 3, 0, NULL}, {69616, 2, 0, NULL}};

static PSHIM_BLOCK ShimTakeReserved(SIZE_T Size)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ShimReserve); Index++) {
        PSHIM_BLOCK Block = ShimReserve[Index].First;

        if (Size <= ShimReserve[Index].Size && Block != NULL) {
            ShimReserve[Index].First = *(PSHIM_BLOCK *)Block;
            ShimReserve[Index].There--;
            return Block;
        }
    }
    return NULL;
}

/* ENOMEM: the reserve is not whole, and pool gives nothing. */
int NtfsShimReserve(void)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ShimReserve); Index++) {
        while (ShimReserve[Index].There < ShimReserve[Index].Wanted) {
            PSHIM_BLOCK Block = ExAllocatePoolWithTag(PagedPool, sizeof(*Block) + ShimReserve[Index].Size, SHIM_TAG);

            if (Block == NULL) {
                return NTFS_SHIM_ENOMEM;
            }
            *(PSHIM_BLOCK *)Block = ShimReserve[Index].First;
            ShimReserve[Index].First = Block;
            ShimReserve[Index].There++;
        }
    }
    return 0;
}

void NtfsShimFreeReserve(void)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ShimReserve); Index++) {
        PSHIM_BLOCK Block;

        while ((Block = ShimReserve[Index].First) != NULL) {
            ShimReserve[Index].First = *(PSHIM_BLOCK *)Block;
            ShimReserve[Index].There--;
            ExFreePoolWithTag(Block, SHIM_TAG);
        }
    }
}

void *NtfsShimMalloc(size_t Size)
{
    PSHIM_BLOCK Block = NULL;

    if (Size <= SHIM_LARGEST) {
        Block = ExAllocatePoolWithTag(PagedPool, sizeof(*Block) + Size, SHIM_TAG);
        if (Block == NULL) {
            Block = ShimTakeReserved(Size);
        }
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

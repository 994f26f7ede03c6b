// SPDX-License-Identifier: GPL-2.0-or-later
/* What the libraries want of a C library: memory, which is nonpaged with each block's size before it; and a source of randomness. */
#include "../cng.h"

/* Nothing that is computed here is larger. */
#define CNG_LARGEST_ALLOCATION 0x100000

/* Keeps what follows aligned as pool is. */
typedef struct DECLSPEC_ALIGN(16) _CNG_BLOCK {
    SIZE_T Size;
} CNG_BLOCK;

void *CngMalloc(size_t Size);
void *CngCalloc(size_t Count, size_t Size);
void *CngRealloc(void *Old, size_t Size);
void CngFree(void *Memory);
int s_mp_rand_platform(void *To, size_t Size);

void *CngMalloc(size_t Size)
{
    CNG_BLOCK *Block = NULL;

    if (Size <= CNG_LARGEST_ALLOCATION)
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Block) + Size, CNG_TAG);
    if (Block == NULL)
        return NULL;
    Block->Size = Size;
    return Block + 1;
}

void *CngCalloc(size_t Count, size_t Size)
{
    void *Memory = Size == 0 || Count <= CNG_LARGEST_ALLOCATION / Size ? CngMalloc(Count * Size) : NULL;

    if (Memory != NULL)
        RtlZeroMemory(Memory, Count * Size);
    return Memory;
}

void CngFree(void *Memory)
{
    if (Memory != NULL)
        ExFreePoolWithTag((CNG_BLOCK *)Memory - 1, CNG_TAG);
}

void *CngRealloc(void *Old, size_t Size)
{
    void *New = CngMalloc(Size);

    if (New != NULL && Old != NULL) {
        RtlCopyMemory(New, Old, min(((CNG_BLOCK *)Old - 1)->Size, Size));
        CngFree(Old);
    }
    return New;
}

/* MP_OKAY. */
int s_mp_rand_platform(void *To, size_t Size)
{
    CngRandom(To, Size);
    return 0;
}

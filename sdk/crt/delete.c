/* SPDX-License-Identifier: MIT */
/* operator delete: back to the pool, IRQL <= DISPATCH_LEVEL; nullptr is none.  A driver's own takes its place. */
#include <ntddk.h>

void OperatorDelete(void *Block) __asm__("??3@YAXPEAX@Z");

void OperatorDelete(void *Block)
{
    if (Block)
        ExFreePool(Block);
}

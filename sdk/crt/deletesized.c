/* SPDX-License-Identifier: MIT */
/* operator delete with a size: the driver's operator delete, or ours. */
#include <ntddk.h>

void OperatorDelete(void *Block) __asm__("??3@YAXPEAX@Z");
void OperatorDeleteSized(void *Block, size_t Size) __asm__("??3@YAXPEAX_K@Z");

void OperatorDeleteSized(void *Block, size_t Size)
{
    UNREFERENCED_PARAMETER(Size);
    OperatorDelete(Block);
}

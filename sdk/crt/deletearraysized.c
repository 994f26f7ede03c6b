/* SPDX-License-Identifier: MIT */
/* operator delete[] with a size: the driver's operator delete[], or ours. */
#include <ntddk.h>

void OperatorDeleteArray(void *Block) __asm__("??_V@YAXPEAX@Z");
void OperatorDeleteArraySized(void *Block, size_t Size) __asm__("??_V@YAXPEAX_K@Z");

void OperatorDeleteArraySized(void *Block, size_t Size)
{
    UNREFERENCED_PARAMETER(Size);
    OperatorDeleteArray(Block);
}

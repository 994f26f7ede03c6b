/* SPDX-License-Identifier: MIT */
/* operator delete[]: the driver's operator delete, or ours. */
#include <ntddk.h>

void OperatorDelete(void *Block) __asm__("??3@YAXPEAX@Z");
void OperatorDeleteArray(void *Block) __asm__("??_V@YAXPEAX@Z");

void OperatorDeleteArray(void *Block)
{
    OperatorDelete(Block);
}

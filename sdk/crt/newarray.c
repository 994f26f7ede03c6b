/* SPDX-License-Identifier: MIT */
/* operator new[]: the driver's operator new, or ours. */
#include <ntddk.h>

void *OperatorNew(size_t Size) __asm__("??2@YAPEAX_K@Z");
void *OperatorNewArray(size_t Size) __asm__("??_U@YAPEAX_K@Z");

void *OperatorNewArray(size_t Size)
{
    return OperatorNew(Size);
}

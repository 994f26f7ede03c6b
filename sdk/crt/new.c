/* SPDX-License-Identifier: MIT */
/* operator new: nonpaged pool, IRQL <= DISPATCH_LEVEL; nullptr when there is none.  A driver's own takes its place. */
#include <ntddk.h>

#define NEW_TAG 'weNC'

void *OperatorNew(size_t Size) __asm__("??2@YAPEAX_K@Z");

void *OperatorNew(size_t Size)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size ? Size : 1, NEW_TAG);
}

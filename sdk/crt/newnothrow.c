/* SPDX-License-Identifier: MIT */
/* operator new and new[] with std::nothrow: the driver's own, or ours, which give nullptr when there is none anyway. */
#include <ntddk.h>

void *OperatorNew(size_t Size) __asm__("??2@YAPEAX_K@Z");
void *OperatorNewArray(size_t Size) __asm__("??_U@YAPEAX_K@Z");
void *OperatorNewNoThrow(size_t Size, const void *Tag) __asm__("??2@YAPEAX_KAEBUnothrow_t@std@@@Z");
void *OperatorNewArrayNoThrow(size_t Size, const void *Tag) __asm__("??_U@YAPEAX_KAEBUnothrow_t@std@@@Z");

void *OperatorNewNoThrow(size_t Size, const void *Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return OperatorNew(Size);
}

void *OperatorNewArrayNoThrow(size_t Size, const void *Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return OperatorNewArray(Size);
}

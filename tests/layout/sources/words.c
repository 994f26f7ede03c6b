/* SPDX-License-Identifier: GPL-2.0-or-later; C only */
/* Structured exception handling without underscores, around inline routines of the headers. */
#include <ntifs.h>
#include <ntstrsafe.h>

NTSTATUS Guarded(PVOID Address, PLIST_ENTRY List);
NTSTATUS Guarded(PVOID Address, PLIST_ENTRY List)
{
    WCHAR Text[8];
    NTSTATUS Status = STATUS_SUCCESS;

    try {
        try {
            ProbeForRead(Address, 8, 1);
            InsertTailList(List, (PLIST_ENTRY)Address);
            if (IsListEmpty(List))
                leave;
            Status = RtlStringCchCopyW(Text, 8, L"x");
        } finally {
            Status |= 1;
        }
    } except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Interlocked numbers and lists under a spin lock: callable at any IRQL, so the lock is held with interrupts off. */
#include <ntifs.h>
#include <rtl.h>
#include <cpu.h>
#include <ke.h>

#undef ExInterlockedAddLargeInteger
#undef ExInterlockedAddUlong
#undef ExInterlockedInsertHeadList
#undef ExInterlockedInsertTailList
#undef ExInterlockedRemoveHeadList
#undef ExInterlockedPopEntryList
#undef ExInterlockedPushEntryList
#undef ExInterlockedFlushSList
#undef ExInterlockedPopEntrySList
#undef ExInterlockedPushEntrySList

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some are macros in the public headers */

static ULONG64 ExpLock(PKSPIN_LOCK Lock)
{
    ULONG64 Flags = __readeflags();

    _disable();
    while (InterlockedExchange64((volatile LONG64 *)Lock, 1) != 0) {
        while (*(volatile LONG64 *)Lock != 0)
            YieldProcessor();
    }
    return Flags;
}

static VOID ExpUnlock(PKSPIN_LOCK Lock, ULONG64 Flags)
{
    __atomic_store_n((LONG64 *)Lock, 0, __ATOMIC_RELEASE);
    if (Flags & 0x200)
        _enable();
}

LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    LARGE_INTEGER Old = *Addend;

    Addend->QuadPart += Increment.QuadPart;
    ExpUnlock(Lock, Flags);
    return Old;
}

ULONG NTAPI ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    ULONG Old = *Addend;

    *Addend += Increment;
    ExpUnlock(Lock, Flags);
    return Old;
}

PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    PLIST_ENTRY Old = IsListEmpty(ListHead) ? NULL : ListHead->Flink;

    InsertHeadList(ListHead, ListEntry);
    ExpUnlock(Lock, Flags);
    return Old;
}

PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    PLIST_ENTRY Old = IsListEmpty(ListHead) ? NULL : ListHead->Blink;

    InsertTailList(ListHead, ListEntry);
    ExpUnlock(Lock, Flags);
    return Old;
}

PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    PLIST_ENTRY Entry = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);

    ExpUnlock(Lock, Flags);
    return Entry;
}

PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    PSINGLE_LIST_ENTRY Entry = ListHead->Next;

    if (Entry != NULL)
        ListHead->Next = Entry->Next;
    ExpUnlock(Lock, Flags);
    return Entry;
}

PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock)
{
    ULONG64 Flags = ExpLock(Lock);
    PSINGLE_LIST_ENTRY Old = ListHead->Next;

    ListEntry->Next = Old;
    ListHead->Next = ListEntry;
    ExpUnlock(Lock, Flags);
    return Old;
}

PSLIST_ENTRY NTAPI ExInterlockedFlushSList(PSLIST_HEADER ListHead)
{
    return ExpInterlockedFlushSList(ListHead);
}

PSLIST_ENTRY NTAPI ExInterlockedPopEntrySList(PSLIST_HEADER ListHead, PKSPIN_LOCK Lock)
{
    UNREFERENCED_PARAMETER(Lock);
    return ExpInterlockedPopEntrySList(ListHead);
}

PSLIST_ENTRY NTAPI ExInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    UNREFERENCED_PARAMETER(Lock);
    return ExpInterlockedPushEntrySList(ListHead, ListEntry);
}

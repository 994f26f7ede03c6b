// SPDX-License-Identifier: GPL-2.0-or-later
/* Resources: who may have one together with whom. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

typedef struct _ASK {
    PERESOURCE Resource;
    BOOLEAN Exclusive;
    BOOLEAN Wait;
    BOOLEAN Granted;
    KEVENT Asked;
    KEVENT Release;
} ASK, *PASK;

/* Asks, tells, keeps what it got until told to give it back. */
static VOID NTAPI AskThread(PVOID Context)
{
    PASK Ask = Context;

    KeEnterCriticalRegion();
    Ask->Granted = Ask->Exclusive ? ExAcquireResourceExclusiveLite(Ask->Resource, Ask->Wait)
                                  : ExAcquireResourceSharedLite(Ask->Resource, Ask->Wait);
    KeSetEvent(&Ask->Asked, IO_NO_INCREMENT, FALSE);
    if (Ask->Granted) {
        KeWaitForSingleObject(&Ask->Release, Executive, KernelMode, FALSE, NULL);
        ExReleaseResourceLite(Ask->Resource);
    }
    KeLeaveCriticalRegion();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static PVOID StartAsk(PASK Ask, PERESOURCE Resource, BOOLEAN Exclusive, BOOLEAN Wait)
{
    RtlZeroMemory(Ask, sizeof(*Ask));
    Ask->Resource = Resource;
    Ask->Exclusive = Exclusive;
    Ask->Wait = Wait;
    KeInitializeEvent(&Ask->Asked, NotificationEvent, FALSE);
    KeInitializeEvent(&Ask->Release, NotificationEvent, FALSE);
    return StartThread(AskThread, Ask);
}

/* Whether another thread gets it without waiting. */
static BOOLEAN OtherGets(PERESOURCE Resource, BOOLEAN Exclusive)
{
    ASK Ask;
    PVOID Thread = StartAsk(&Ask, Resource, Exclusive, FALSE);

    KeSetEvent(&Ask.Release, IO_NO_INCREMENT, FALSE);
    JoinThread(Thread);
    return Ask.Granted;
}

static VOID CheckOwnership(PERESOURCE Resource)
{
    FvCheck(ExAcquireResourceExclusiveLite(Resource, TRUE));
    FvCheck(ExIsResourceAcquiredExclusiveLite(Resource) && ExIsResourceAcquiredSharedLite(Resource) == 1);
    FvCheck(ExAcquireResourceExclusiveLite(Resource, FALSE)); /* again by the owner */
    FvCheck(ExAcquireResourceSharedLite(Resource, FALSE));    /* and shared */
    FvCheck(ExIsResourceAcquiredSharedLite(Resource) == 3);
    FvCheck(!OtherGets(Resource, FALSE) && !OtherGets(Resource, TRUE));
    ExReleaseResourceLite(Resource);
    ExReleaseResourceLite(Resource);
    FvCheck(!OtherGets(Resource, FALSE));
    ExReleaseResourceLite(Resource);
    FvCheck(!ExIsResourceAcquiredExclusiveLite(Resource) && ExIsResourceAcquiredSharedLite(Resource) == 0);
    FvCheck(OtherGets(Resource, TRUE));
}

static VOID CheckShared(PERESOURCE Resource)
{
    FvCheck(ExAcquireResourceSharedLite(Resource, TRUE));
    FvCheck(OtherGets(Resource, FALSE) && !OtherGets(Resource, TRUE));
    FvCheck(!ExIsResourceAcquiredExclusiveLite(Resource));
    FvCheck(!ExAcquireResourceExclusiveLite(Resource, FALSE)); /* shared does not become exclusive */
    FvCheck(ExAcquireResourceSharedLite(Resource, FALSE) && ExIsResourceAcquiredSharedLite(Resource) == 2);
    ExReleaseResourceLite(Resource);
    ExReleaseResourceLite(Resource);
}

static VOID CheckConversion(PERESOURCE Resource)
{
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    ExConvertExclusiveToSharedLite(Resource);
    FvCheck(!ExIsResourceAcquiredExclusiveLite(Resource) && ExIsResourceAcquiredSharedLite(Resource) == 1);
    FvCheck(OtherGets(Resource, FALSE) && !OtherGets(Resource, TRUE));
    ExReleaseResourceLite(Resource);
}

/* Who waits for it shared has it then, also behind one who waits for it exclusively. */
static VOID CheckConversionWithWaiters(PERESOURCE Resource)
{
    ASK Writer, Reader;
    PVOID WriterThread, ReaderThread;

    ExAcquireResourceExclusiveLite(Resource, TRUE);
    WriterThread = StartAsk(&Writer, Resource, TRUE, TRUE);
    FvCheck(WaitFor(&Writer.Asked, 50) == STATUS_TIMEOUT);
    ReaderThread = StartAsk(&Reader, Resource, FALSE, TRUE);
    FvCheck(WaitFor(&Reader.Asked, 50) == STATUS_TIMEOUT);
    ExConvertExclusiveToSharedLite(Resource);
    FvCheck(WaitFor(&Reader.Asked, 1000) == STATUS_SUCCESS && WaitFor(&Writer.Asked, 50) == STATUS_TIMEOUT);
    KeSetEvent(&Reader.Release, IO_NO_INCREMENT, FALSE);
    ExReleaseResourceLite(Resource);
    FvCheck(WaitFor(&Writer.Asked, 1000) == STATUS_SUCCESS && Writer.Granted && Reader.Granted);
    KeSetEvent(&Writer.Release, IO_NO_INCREMENT, FALSE);
    JoinThread(ReaderThread);
    JoinThread(WriterThread);
}

/* With an exclusive waiter, new sharers wait, but not those that may starve it. */
static VOID CheckWaiter(PERESOURCE Resource)
{
    ASK Writer;
    PVOID Thread;

    ExAcquireResourceSharedLite(Resource, TRUE);
    Thread = StartAsk(&Writer, Resource, TRUE, TRUE);
    FvCheck(WaitFor(&Writer.Asked, 50) == STATUS_TIMEOUT);
    FvCheck(ExGetExclusiveWaiterCount(Resource) == 1 && ExGetSharedWaiterCount(Resource) == 0);
    FvCheck(!OtherGets(Resource, FALSE));
    FvCheck(ExAcquireSharedStarveExclusive(Resource, FALSE));
    ExReleaseResourceLite(Resource);
    ExReleaseResourceLite(Resource);
    FvCheck(WaitFor(&Writer.Asked, 1000) == STATUS_SUCCESS && Writer.Granted);
    FvCheck(!ExAcquireResourceSharedLite(Resource, FALSE));
    KeSetEvent(&Writer.Release, IO_NO_INCREMENT, FALSE);
    JoinThread(Thread);
    FvCheck(ExGetExclusiveWaiterCount(Resource) == 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static ERESOURCE Resource;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(31);
    FvCheck(ExInitializeResourceLite(&Resource) == STATUS_SUCCESS);
    KeEnterCriticalRegion();
    CheckOwnership(&Resource);
    CheckShared(&Resource);
    CheckConversion(&Resource);
    CheckConversionWithWaiters(&Resource);
    CheckWaiter(&Resource);
    KeLeaveCriticalRegion();
    FvCheck(ExEnterCriticalRegionAndAcquireResourceExclusive(&Resource) == NULL); /* no Win32Thread */
    FvCheck(KeAreApcsDisabled() && ExIsResourceAcquiredExclusiveLite(&Resource));
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    FvCheck(ExDeleteResourceLite(&Resource) == STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

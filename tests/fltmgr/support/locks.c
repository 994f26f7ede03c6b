/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Push locks and resources by the filter manager's routines: who gets them when, and that normal kernel APCs are held
 * off meanwhile.  With the value "Fault" it does one thing wrong with one instead.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static EX_PUSH_LOCK Lock;
static ERESOURCE Resource;
static ULONG Fault;
static KEVENT Got, Go;

/* --- What a thread gets while another one has it --- */

static VOID NTAPI Exclusive(PVOID Context)
{
    FltAcquirePushLockExclusive(&Lock);
    KeSetEvent(&Got, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    FltReleasePushLock(&Lock);
}

static VOID NTAPI Shared(PVOID Context)
{
    FltAcquirePushLockSharedEx(&Lock, 0);
    KeSetEvent(&Got, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    FltReleasePushLockEx(&Lock, 0);
}

static VOID NTAPI ExclusiveResource(PVOID Context)
{
    FltAcquireResourceExclusive(&Resource);
    KeSetEvent(&Got, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    FltReleaseResource(&Resource);
}

static VOID NTAPI SharedResource(PVOID Context)
{
    FltAcquireResourceShared(&Resource);
    KeSetEvent(&Got, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    FltReleaseResource(&Resource);
}

/* Whether the thread got it while we have it; we let go, and it does. */
static BOOLEAN GetsMeanwhile(PKSTART_ROUTINE Routine, VOID (*LetGo)(VOID))
{
    PKTHREAD Thread;
    BOOLEAN Early;

    KeClearEvent(&Got);
    KeClearEvent(&Go);
    Thread = StartThread(Routine, NULL);
    Early = IsSet(&Got, 50);
    LetGo();
    FvCheck(Early || IsSet(&Got, 2000));
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    FvCheck(JoinThread(Thread));
    return Early;
}

static VOID LetLockGo(VOID)
{
    FltReleasePushLock(&Lock);
}

static VOID LetResourceGo(VOID)
{
    FltReleaseResource(&Resource);
}

static VOID CheckPushLock(VOID)
{
    FltInitializePushLock(&Lock);
    FvCheck(!KeAreApcsDisabled());
    FltAcquirePushLockExclusive(&Lock);
    FvCheck(KeAreApcsDisabled() && KeGetCurrentIrql() == PASSIVE_LEVEL);
    FvCheck(!GetsMeanwhile(Shared, LetLockGo));
    FvCheck(!KeAreApcsDisabled());
    FltAcquirePushLockExclusiveEx(&Lock, FLT_PUSH_LOCK_ENABLE_AUTO_BOOST);
    FvCheck(!GetsMeanwhile(Exclusive, LetLockGo));
    FltAcquirePushLockShared(&Lock);
    FvCheck(KeAreApcsDisabled() && GetsMeanwhile(Shared, LetLockGo));
    FltAcquirePushLockSharedEx(&Lock, FLT_PUSH_LOCK_DISABLE_AUTO_BOOST);
    FltAcquirePushLockShared(&Lock); /* shared, it may be had again */
    FltReleasePushLock(&Lock);
    FvCheck(KeAreApcsDisabled() && !GetsMeanwhile(Exclusive, LetLockGo));
    FvCheck(!KeAreApcsDisabled());
    KeEnterCriticalRegion();
    FvAcquirePushLockForCaller(&Lock, FALSE, 0, _ReturnAddress());
    FvCheck(GetsMeanwhile(Shared, LetLockGo));
    FltDeletePushLock(&Lock);
}

static VOID CheckResource(VOID)
{
    KIRQL Irql;

    ExInitializeResourceLite(&Resource);
    FltAcquireResourceExclusive(&Resource);
    FvCheck(KeAreApcsDisabled() && ExIsResourceAcquiredExclusiveLite(&Resource));
    FltAcquireResourceExclusive(&Resource); /* recursively */
    FltReleaseResource(&Resource);
    FvCheck(KeAreApcsDisabled() && !GetsMeanwhile(SharedResource, LetResourceGo));
    FvCheck(!KeAreApcsDisabled());
    FltAcquireResourceShared(&Resource);
    FvCheck(KeAreApcsDisabled() && ExIsResourceAcquiredSharedLite(&Resource) == 1);
    FvCheck(GetsMeanwhile(SharedResource, LetResourceGo));
    FltAcquireResourceShared(&Resource);
    FvCheck(!GetsMeanwhile(ExclusiveResource, LetResourceGo));
    KeEnterCriticalRegion();
    FvAcquireResourceForCaller(&Resource, FALSE, _ReturnAddress());
    KeRaiseIrql(APC_LEVEL, &Irql);
    FltReleaseResource(&Resource);
    KeLowerIrql(Irql);
    FvCheck(!KeAreApcsDisabled() && ExIsResourceAcquiredSharedLite(&Resource) == 0);
    ExDeleteResourceLite(&Resource);
}

/* --- What is wrong --- */

static VOID DoWrong(VOID)
{
    FltInitializePushLock(&Lock);
    ExInitializeResourceLite(&Resource);
    switch (Fault) {
    case 1:
        KeEnterCriticalRegion();
        FltReleasePushLock(&Lock); /* [1] */
        break;
    case 2:
        FltAcquirePushLockExclusive(&Lock);
        FltDeletePushLock(&Lock); /* [2] */
        break;
    case 3:
        FltAcquirePushLockExclusive(&Lock);
        FltAcquirePushLockExclusive(&Lock); /* [3] */
        break;
    }
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{ /* [4] [5] [6] [7] [8] [9] */
    switch (Fault) {
    case 4: FltAcquirePushLockShared(&Lock); break;         /* [14] */
    case 5: FltAcquirePushLockExclusive(&Lock); break;      /* [15] */
    case 6: FltAcquirePushLockSharedEx(&Lock, 0); break;    /* [16] */
    case 7: FltAcquirePushLockExclusiveEx(&Lock, 0); break; /* [17] */
    case 8: FltAcquireResourceShared(&Resource); break;     /* [18] */
    case 9: FltAcquireResourceExclusive(&Resource); break;  /* [19] */
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_READ, 0, PreRead}, {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Fault = ReadNumber(Key, L"Fault");
    KeInitializeEvent(&Got, NotificationEvent, FALSE);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    if (Fault == 0) {
        FvTestPlan(32);
        CheckPushLock();
        CheckResource();
    } else {
        DoWrong();
    }
    FltStartFiltering(Filter);
    return STATUS_SUCCESS;
}

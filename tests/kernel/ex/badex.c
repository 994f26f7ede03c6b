// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that misuses locks and work items, in the way that its service's value Fault numbers: see badex.lua. */
#include <ntifs.h>
#include <TraceLoggingProvider.h>

TRACELOGGING_DEFINE_PROVIDER(Provider, "badex", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));

static KEVENT Never;
static PUCHAR InPool;
static NPAGED_LOOKASIDE_LIST Lookaside;
static PDEVICE_OBJECT Device;
static WORK_QUEUE_ITEM Item;
static LOOKASIDE_LIST_EX LookasideEx;
static ERESOURCE Resource, NeverInitialized;
static FAST_MUTEX Mutex;
static EX_RUNDOWN_REF Rundown;
static EX_PUSH_LOCK Push;

VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);

static VOID NTAPI Block(PVOID Parameter)
{
    UNREFERENCED_PARAMETER(Parameter);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI ReturnRaised(PVOID Parameter)
{ /* [20] */
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Parameter);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
}

static VOID NTAPI ReturnInCriticalRegion(PVOID Parameter)
{ /* [21] */
    UNREFERENCED_PARAMETER(Parameter);
    KeEnterCriticalRegion();
}

static VOID NTAPI ReturnInGuardedRegion(PVOID Parameter)
{ /* [22] */
    UNREFERENCED_PARAMETER(Parameter);
    KeEnterGuardedRegion();
}

static VOID NTAPI ReturnImpersonating(PVOID Parameter)
{ /* [23] */
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());

    UNREFERENCED_PARAMETER(Parameter);
    PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation);
    PsDereferencePrimaryToken(Token);
}

static VOID NTAPI ReturnWithTopLevelIrp(PVOID Parameter)
{ /* [24] */
    UNREFERENCED_PARAMETER(Parameter);
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
}

static VOID NTAPI ReturnWithPriority(PVOID Parameter)
{ /* [25] */
    UNREFERENCED_PARAMETER(Parameter);
    KeSetPriorityThread(KeGetCurrentThread(), 10);
}

/* What a work routine may do, as long as it is undone. */
static VOID NTAPI ReturnWell(PVOID Parameter)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());
    KPRIORITY Priority = KeSetPriorityThread(KeGetCurrentThread(), 10);

    UNREFERENCED_PARAMETER(Parameter);
    KeEnterCriticalRegion();
    PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation);
    PsDereferencePrimaryToken(Token);
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    IoSetTopLevelIrp(NULL);
    PsRevertToSelf();
    KeLeaveCriticalRegion();
    KeSetPriorityThread(KeGetCurrentThread(), Priority);
}

static PWORKER_THREAD_ROUTINE const Routines[] = {
    ReturnRaised,        ReturnInCriticalRegion, ReturnInGuardedRegion,
    ReturnImpersonating, ReturnWithTopLevelIrp,  ReturnWithPriority,
    ReturnWell,
};

/* Two of them: what the first leaves, the second meets. */
static VOID Work(PWORKER_THREAD_ROUTINE Routine)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};

    for (ULONG Round = 0; Round < 2; Round++) {
        ExInitializeWorkItem(&Item, Routine, &Never);
        ExQueueWorkItem(&Item, DelayedWorkQueue);
        KeDelayExecutionThread(KernelMode, FALSE, &Second);
    }
}

static VOID NTAPI Nothing(PVOID Parameter)
{
    UNREFERENCED_PARAMETER(Parameter);
} /* [35] */

static VOID Queue(PWORKER_THREAD_ROUTINE Routine, ULONG Type)
{
    ExInitializeWorkItem(&Item, Routine, NULL);
    ExQueueWorkItem(&Item, (WORK_QUEUE_TYPE)Type); /* [30] [31] [32] [33] [34] */
}

/* More work that waits than a queue may have threads. */
static VOID Exhaust(VOID)
{
    static WORK_QUEUE_ITEM Blockers[300];
    LARGE_INTEGER Second = {.QuadPart = -10000000};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Blockers); Index++) {
        ExInitializeWorkItem(&Blockers[Index], Block, NULL);
        ExQueueWorkItem(&Blockers[Index], DelayedWorkQueue);
    }
    KeDelayExecutionThread(KernelMode, FALSE, &Second);
    KeSetEvent(&Never, IO_NO_INCREMENT, FALSE);
    KeDelayExecutionThread(KernelMode, FALSE, &Second);
}

/* An item that a worker has taken is not queued any more, so all workers are given something to wait for first. */
static VOID QueueTwice(VOID)
{
    static WORK_QUEUE_ITEM Blockers[16];
    KIRQL OldIrql;

    ExInitializeWorkItem(&Item, Block, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql); /* no worker takes it in between: there is one processor */
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Blockers); Index++) {
        ExInitializeWorkItem(&Blockers[Index], Block, NULL);
        ExQueueWorkItem(&Blockers[Index], DelayedWorkQueue);
    }
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    ExQueueWorkItem(&Item, DelayedWorkQueue); /* [1] */
    KeLowerIrql(OldIrql);
}

static VOID DereferenceTooOften(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    PVOID Event = NULL;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    ObReferenceObjectByHandle(Handle, 0, *ExEventObjectType, KernelMode, &Event, NULL);
    ObDereferenceObject(Event);
    ObDereferenceObject(Event); /* the handle's [9] */
    ZwClose(Handle);
}

static ULONG ReadFault(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Fault");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Fault = 0, Length;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Fault = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Fault;
}

/* What is deleted, or was never made. */
static BOOLEAN UseGone(ULONG Fault)
{
    switch (Fault) {
    case 46:
        ExInitializePagedLookasideList((PPAGED_LOOKASIDE_LIST)&Lookaside, NULL, NULL, 0, 64, 'xeBT', 0);
        ExDeletePagedLookasideList((PPAGED_LOOKASIDE_LIST)&Lookaside);
        ExAllocateFromPagedLookasideList((PPAGED_LOOKASIDE_LIST)&Lookaside); /* [46] */
        break;
    case 47:
        ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, 'xeBT', 0);
        InPool = ExAllocateFromNPagedLookasideList(&Lookaside);
        ExDeleteNPagedLookasideList(&Lookaside);
        ExFreeToNPagedLookasideList(&Lookaside, InPool); /* [47] */
        break;
    case 48:
        ExInitializeLookasideListEx(&LookasideEx, NULL, NULL, PagedPool, 0, 64, 'xeBT', 0);
        ExDeleteLookasideListEx(&LookasideEx);
        ExAllocateFromLookasideListEx(&LookasideEx); /* [48] */
        break;
    case 49:
        ExDeleteResourceLite(&Resource);
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&Resource, TRUE); /* [49] */
        break;
    case 50:
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&NeverInitialized, TRUE); /* [50] */
        break;
    }
    return FALSE;
}

/* FALSE: it is none of these. */
static BOOLEAN Arguments(ULONG Fault)
{
    ExInitializeRundownProtection(&Rundown);
    switch (Fault) {
    default:
        if (Fault - 20 >= RTL_NUMBER_OF(Routines))
            return UseGone(Fault);
        Work(Routines[Fault - 20]);
        break;
    case 40: /* as it should be */
        ExWaitForRundownProtectionRelease(&Rundown);
        ExReInitializeRundownProtection(&Rundown);
        break;
    case 41: ExReInitializeRundownProtection(&Rundown); break; /* [41] */
    case 42:                                                   /* flags that there are */
    case 43:
        KeEnterCriticalRegion();
        ExAcquirePushLockExclusiveEx(&Push, Fault == 42 ? 1 : 0x10); /* [43] */
        ExReleasePushLockExclusiveEx(&Push, 0);
        ExAcquirePushLockSharedEx(&Push, Fault == 42 ? 2 : 4);
        ExReleasePushLockSharedEx(&Push, 0);
        KeLeaveCriticalRegion();
        break;
    case 44: /* given back and not taken */ ExReleaseRundownProtection(&Rundown); break; /* [44] */
    case 45:
        TraceLoggingRegister(Provider);
        TraceLoggingRegister(Provider); /* [45] */
        break;
    }
    return TRUE;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Fault = ReadFault(RegistryPath);

    IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    ExInitializeFastMutex(&Mutex);
    ExInitializeResourceLite(&Resource);
    if (Fault >= 20 && Arguments(Fault)) {
        IoDeleteDevice(Device);
        ExDeleteResourceLite(&Resource);
        return STATUS_UNSUCCESSFUL;
    }
    switch (Fault) {
    case 1: QueueTwice(); break;
    case 3:
        KeEnterCriticalRegion();
        ExReleaseResourceLite(&Resource); /* [3] */
        break;
    case 4: ExAcquireResourceExclusiveLite(&Resource, TRUE); break; /* [4] */
    case 5:
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&Resource, TRUE);
        ExAcquireResourceExclusiveLite(&Resource, TRUE); /* waits for itself [5] */
        break;
    case 6:
        ExAcquireFastMutex(&Mutex);
        ExAcquireFastMutex(&Mutex); /* [6] */
        break;
    case 7: ExReleaseFastMutex(&Mutex); break; /* [7] */
    case 8:
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&Resource, TRUE);
        ExDeleteResourceLite(&Resource); /* [8] */
        break;
    case 9: DereferenceTooOften(); break;
    case 10:
    case 11:
    case 12:
        for (ULONG Round = 0; Round < 20; Round++)
            ObDereferenceObject(Fault == 10   ? (PVOID)DriverObject /* [10] [11] [12] */
                                : Fault == 11 ? (PVOID)PsGetCurrentThread()
                                              : (PVOID)Device);
        break;
    case 13:
        ObDereferenceObjectDeferDelete(Device); /* [13] */
        break;
    case 14: /* in pool that is freed */
        InPool = ExAllocatePoolWithTag(NonPagedPoolNx, 4096, 'xeBT');
        ExInitializeResourceLite((PERESOURCE)(InPool + 1024));
        ExFreePool(InPool); /* [14] */
        break;
    case 15:
        InPool = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NPAGED_LOOKASIDE_LIST), 'xeBT');
        ExInitializeNPagedLookasideList((PNPAGED_LOOKASIDE_LIST)InPool, NULL, NULL, 0, 64, 'xeBT', 0);
        ExFreePool(InPool); /* [15] */
        break;
    case 16: ExInitializeResourceLite(&Resource); break; /* [16] */
    case 17:
    case 18:
        ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, 'xeBT', 0);
        if (Fault == 17)
            ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, 'xeBT', 0); /* [17] */
        ExDeleteNPagedLookasideList(&Lookaside);
        ExDeleteNPagedLookasideList(&Lookaside); /* [18] */
        break;
    case 19:
        ExDeleteResourceLite(&Resource);
        ExDeleteResourceLite(&Resource); /* [19] */
        break;
    case 30: Queue(NULL, DelayedWorkQueue); break;
    case 31: Queue((PWORKER_THREAD_ROUTINE)(PVOID)&Item, DelayedWorkQueue); break;
    case 32: Queue(Nothing, MaximumWorkQueue); break;
    case 33: Queue(Nothing, CustomPriorityWorkQueue - 1); break;
    case 34: Queue(Nothing, CustomPriorityWorkQueue + 32); break;
    case 35: /* of a lower priority than this thread, which is unloaded first */
        Queue(Nothing, BackgroundWorkQueue);
        IoDeleteDevice(Device);
        ExDeleteResourceLite(&Resource);
        return STATUS_UNSUCCESSFUL;
    case 36:
        Exhaust();
        IoDeleteDevice(Device);
        ExDeleteResourceLite(&Resource);
        return STATUS_UNSUCCESSFUL;
    default: return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

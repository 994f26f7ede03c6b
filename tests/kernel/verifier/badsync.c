// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver that misuses spin locks, IRQLs, waits, mutexes, timers and DPCs in the way that its registry value Fault says;
 * badsync.lua says what must come of each.  The line of a misuse carries its number in a comment: the scenario
 * looks for that line in the report.
 */
#include <ntifs.h>

#define TAG 'cnyS'

static KSPIN_LOCK Lock;
static KEVENT Never;
static KMUTEX Mutex;
static FAST_MUTEX FastMutex;
static ERESOURCE Resource;
static KTIMER Timer;
static KDPC Dpc;
static WORK_QUEUE_ITEM WorkItem;
static ULONG Fault;
static volatile ULONG Spins;
static volatile ULONG Spins;

static ULONG ReadFault(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Fault");
    OBJECT_ATTRIBUTES Attributes;
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    ULONG Length, Number = 0;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Length)))
            Number = *(PULONG)Value->Data;
        ZwClose(Key);
    }
    return Number;
}

static DECLSPEC_NOINLINE VOID SpinForever(VOID)
{
    for (;;)
        Spins++;
}

/* ---- spin locks and IRQLs ---- */

static VOID MisuseLock(ULONG Number)
{
    KLOCK_QUEUE_HANDLE Handle, Second;
    KIRQL Irql, Other;

    switch (Number) {
    case 1:
        KeAcquireSpinLock(&Lock, &Irql);
        KeAcquireSpinLock(&Lock, &Other); /* 1: held already */
        break;
    case 2:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        KeReleaseSpinLock(&Lock, Irql); /* 2: not held */
        break;
    case 3:
        KeAcquireSpinLockAtDpcLevel(&Lock); /* 3: below DISPATCH_LEVEL */
        break;
    case 4:
        KeAcquireSpinLock(&Lock, &Irql);
        KeReleaseSpinLock(&Lock, HIGH_LEVEL); /* 4: to a higher IRQL */
        break;
    case 5:
        KeAcquireSpinLock(&Lock, &Irql);
        SpinForever(); /* 5: held without end */
        break;
    case 6:
        KeAcquireSpinLock(&Lock, &Irql);
        KeLowerIrql(PASSIVE_LEVEL);
        KeReleaseSpinLock(&Lock, PASSIVE_LEVEL); /* 6: IRQL lowered while held */
        break;
    case 7:
        KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
        KeAcquireInStackQueuedSpinLock(&Lock, &Second); /* 7: waits for itself */
        break;
    case 8:
        KeRaiseIrql(HIGH_LEVEL, &Irql);
        KeAcquireSpinLock(&Lock, &Other); /* 8: would lower the IRQL */
        break;
    case 10:
        KeRaiseIrql(5, &Irql);
        KeRaiseIrql(DISPATCH_LEVEL, &Other); /* 10: lower than it is */
        break;
    case 11:
        KeLowerIrql(DISPATCH_LEVEL); /* 11: higher than it is */
        break;
    case 12:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql); /* 12: DriverEntry returns so */
        break;
    }
}

/* ---- waits ---- */

static VOID MisuseWait(ULONG Number)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    PVOID Objects[65];
    KIRQL Irql;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Objects); Index++)
        Objects[Index] = &Never;
    switch (Number) {
    case 20:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, &Moment); /* 20: at DISPATCH_LEVEL */
        break;
    case 21:
        KeAcquireSpinLock(&Lock, &Irql);
        KeDelayExecutionThread(KernelMode, FALSE, &Moment); /* 21: with a spin lock */
        break;
    case 22:
        KeWaitForMultipleObjects(65, Objects, WaitAny, Executive, KernelMode, FALSE, &Moment, NULL); /* 22: too many */
        break;
    case 23:
        KeWaitForMultipleObjects(4, Objects, WaitAny, Executive, KernelMode, FALSE, &Moment, NULL); /* 23: no array */
        break;
    case 24:
        KeReleaseMutex(&Mutex, FALSE); /* 24: not the owner */
        break;
    }
}

static VOID NTAPI SystemThread(PVOID Context)
{
    KIRQL Irql;

    switch ((ULONG_PTR)Context) {
    case 30:
        KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
        PsTerminateSystemThread(STATUS_SUCCESS); /* 30: owns a mutex */
        break;
    case 31:
        KeEnterCriticalRegion();
        PsTerminateSystemThread(STATUS_SUCCESS); /* 31: in a critical region */
        break;
    case 32:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        PsTerminateSystemThread(STATUS_SUCCESS); /* 32: at DISPATCH_LEVEL */
        break;
    case 33:
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL); /* 33: the driver is unloaded */
        break;
    }
}

static VOID StartThread(ULONG Number)
{
    HANDLE Thread;

    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, SystemThread,
                                        (PVOID)(ULONG_PTR)Number))) {
        if (Number != 33)
            ZwWaitForSingleObject(Thread, FALSE, NULL);
        ZwClose(Thread);
    }
}

/* ---- fast mutexes and resources ---- */

static VOID MisuseMutex(ULONG Number)
{
    switch (Number) {
    case 40:
        ExAcquireFastMutex(&FastMutex);
        ExAcquireFastMutex(&FastMutex); /* 40: held already */
        break;
    case 41:
        ExAcquireResourceExclusiveLite(&Resource, TRUE); /* 41: outside a critical region */
        break;
    case 42:
        KeEnterCriticalRegion();
        ExReleaseResourceLite(&Resource); /* 42: not held */
        break;
    case 43:
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&Resource, TRUE);
        ExAcquireResourceExclusiveLite(&Resource, TRUE); /* 43: waits for itself */
        break;
    case 44:
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&Resource, TRUE);
        ExDeleteResourceLite(&Resource); /* 44: held */
        break;
    }
}

/* ---- DPCs and timers ---- */

static VOID NTAPI DpcRoutine(PKDPC Unused, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    KIRQL Irql;

    switch (Fault) {
    case 50:
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, &Moment); /* 50: in a DPC */
        break;
    case 51:
        KeRaiseIrql(5, &Irql); /* 51: a DPC returns so */
        break;
    case 52:
        KeReleaseSpinLockFromDpcLevel(&Lock); /* 52: another's lock */
        break;
    case 53:
        SpinForever(); /* 53: a DPC without end */
        break;
    case 54:
        ZwClose((HANDLE)4); /* 54: a PASSIVE_LEVEL routine */
        break;
    }
}

static VOID MisuseDpc(ULONG Number)
{
    LARGE_INTEGER Soon = {.QuadPart = -10000}, Later = {.QuadPart = -100000000};
    KDPC Empty = {0};
    PKTIMER Allocated;
    KIRQL Irql;

    switch (Number) {
    case 52:
        /* Held by this processor while a DPC on the other one lets go of it. */
        KeSetTargetProcessorDpc(&Dpc, 1);
        KeSetSystemAffinityThread(1);
        KeAcquireSpinLock(&Lock, &Irql);
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        for (;;)
            YieldProcessor();
    case 55:
        KeInsertQueueDpc(&Empty, NULL, NULL); /* 55: not initialized */
        break;
    case 56:
        Allocated = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Allocated), TAG);
        KeInitializeTimer(Allocated);
        KeSetTimer(Allocated, Later, NULL);
        ExFreePoolWithTag(Allocated, TAG); /* 56: a timer runs in it */
        break;
    case 57: /* unloaded with it */ KeSetTimer(&Timer, Later, NULL); break;
    case 58: /* unloaded with one that has a DPC here */
        Allocated = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Allocated), TAG);
        KeInitializeTimer(Allocated);
        KeSetTimer(Allocated, Later, &Dpc);
        break;
    default:
        KeSetTimer(&Timer, Soon, &Dpc);
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
        break;
    }
}

/* ---- work items and references ---- */

static VOID NTAPI WorkRoutine(PVOID Context)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql); /* 60: returns so */
}

static VOID MisuseObject(ULONG Number)
{
    HANDLE Handle;
    PVOID Object;

    switch (Number) {
    case 60:
        ExInitializeWorkItem(&WorkItem, WorkRoutine, NULL);
        ExQueueWorkItem(&WorkItem, DelayedWorkQueue);
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
        break;
    case 61:
        ZwClose((HANDLE)0xFFFFFFFF80001234); /* 61: no such kernel handle */
        break;
    case 62:
        if (!NT_SUCCESS(ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)) ||
            !NT_SUCCESS(
                ObReferenceObjectByHandle(Handle, EVENT_ALL_ACCESS, *ExEventObjectType, KernelMode, &Object, NULL)))
            break;
        ObDereferenceObject(Object);
        ObDereferenceObject(Object); /* 62: more often than referenced */
        break;
    case 63:
        KeWaitForSingleObject(NULL, Executive, KernelMode, FALSE, NULL); /* 63: no object */
        break;
    case 64: ExRaiseStatus(STATUS_DATA_ERROR); /* 64: nobody handles it */
    case 65: __fastfail(3);                    /* 65: FAST_FAIL_CORRUPT_LIST_ENTRY */
    case 66: KeBugCheckEx(0xDEAD, 1, 2, 3, 4); /* 66: its own */
    }
}

DRIVER_UNLOAD DriverUnload;
DRIVER_INITIALIZE DriverEntry;

VOID NTAPI DriverUnload(PDRIVER_OBJECT DriverObject)
{
    if (Fault == 67) {
        KIRQL Irql;

        KeRaiseIrql(DISPATCH_LEVEL, &Irql); /* 67: DriverUnload returns so */
        return;
    }
    ExDeleteResourceLite(&Resource);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = DriverUnload;
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeInitializeMutex(&Mutex, 0);
    ExInitializeFastMutex(&FastMutex);
    ExInitializeResourceLite(&Resource);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, DpcRoutine, NULL);
    Fault = ReadFault(RegistryPath);
    switch (Fault / 10) {
    case 0:
    case 1: MisuseLock(Fault); break;
    case 2: MisuseWait(Fault); break;
    case 3: StartThread(Fault); break;
    case 4: MisuseMutex(Fault); break;
    case 5: MisuseDpc(Fault); break;
    case 6: MisuseObject(Fault); break;
    }
    return STATUS_SUCCESS;
}

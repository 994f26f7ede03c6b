// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routines that come back otherwise than they went, and what is given as a routine and is none.  The service's value
 * Kind says which of the driver's routines misbehaves, How in which way; see returns.lua.
 */
#include <ntifs.h>
#include <fltvm.h>
#include "../../inc/threads.h"

DRIVER_INITIALIZE DriverEntry;

typedef enum _HOW {
    Irql,
    CriticalRegion,
    GuardedRegion,
    HeldMutex,
    HeldResource,
    HeldFastMutex,
    Impersonation,
    TopLevelIrp,
    Priority,
    Well,
    HeldSpinLock,
    HeldQueuedLock
} HOW;

typedef enum _KIND {
    InDriverEntry,
    InDriverUnload,
    InDispatch,
    InCompletion,
    InCompletionEx,
    InCancel,
    InDpc,
    InTimerDpc,
    InThread,
    InProcessNotify,
    InThreadNotify,
    InStartIo,
    InIoWork,
    InDeviceTimer,
    InRegistration,
    InReinitialization,
    InNothing,
    NullDpc,
    NullThread,
    NullNotify,
    NullCompletion,
    WildCompletion,
    NullIoWork,
    NullCsq,
    WildUnload,
    WildDispatch,
    NullTimerRoutine,
    WrongWorkObject,
    ReturnsPending,
    EndsWorker,
    EndsWithResource
} KIND;

static KIND Kind;
static HOW How;
static KMUTEX Mutex;
static ERESOURCE Resource;
static FAST_MUTEX FastMutex;
static KSPIN_LOCK SpinLock;
static KLOCK_QUEUE_HANDLE Queued;
static KEVENT Done;
static PDEVICE_OBJECT Device;
static KDPC Dpc;
static KTIMER Timer;
static ULONG_PTR NoCode = 0xC3C3C3C3;

/* What the routine of the chosen kind leaves behind. */
DECLSPEC_NOINLINE static VOID Misbehave(KIND Here)
{
    PACCESS_TOKEN Token;
    KIRQL Old;

    if (Here != Kind)
        return;
    switch (How) {
    case Irql: KeRaiseIrql(KeGetCurrentIrql() + 1, &Old); break;
    case CriticalRegion: KeEnterCriticalRegion(); break;
    case GuardedRegion: KeEnterGuardedRegion(); break;
    case HeldMutex: KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL); break;
    case HeldResource:
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&Resource, TRUE);
        KeLeaveCriticalRegion();
        break;
    case HeldFastMutex:
        KeEnterCriticalRegion();
        ExAcquireFastMutexUnsafe(&FastMutex);
        KeLeaveCriticalRegion();
        break;
    case Impersonation:
        Token = PsReferencePrimaryToken(PsGetCurrentProcess());
        PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation);
        PsDereferencePrimaryToken(Token);
        break;
    case TopLevelIrp: IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP); break;
    case Priority: KeSetPriorityThread(KeGetCurrentThread(), 10); break;
    case Well:
        KeAcquireSpinLock(&SpinLock, &Old);
        KeReleaseSpinLock(&SpinLock, Old);
        break;
    case HeldSpinLock: KeAcquireSpinLockAtDpcLevel(&SpinLock); break;
    case HeldQueuedLock: KeAcquireInStackQueuedSpinLockAtDpcLevel(&SpinLock, &Queued); break;
    }
}

/* ---- routines of every kind ---- */

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(Device);
    ExDeleteResourceLite(&Resource);
    Misbehave(InDriverUnload);
}

static NTSTATUS NTAPI Complete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    Misbehave(Context != NULL ? InCompletionEx : InCompletion);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Misbehave(InCancel);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    Misbehave(InDispatch);
    return STATUS_SUCCESS;
}

static VOID NTAPI StartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Misbehave(InStartIo);
}

static VOID NTAPI Deferred(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(Kind == InTimerDpc ? InTimerDpc : InDpc);
}

static VOID NTAPI InThreadRoutine(PVOID Context)
{
    Misbehave(InThread);
}

static VOID NTAPI ProcessNotify(HANDLE Parent, HANDLE Process, BOOLEAN Create)
{
    Misbehave(InProcessNotify);
}

static VOID NTAPI ThreadNotify(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    Misbehave(InThreadNotify);
}

static VOID NTAPI IoWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    IoFreeWorkItem(Context);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InIoWork);
}

static VOID NTAPI TimerRoutine(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InDeviceTimer);
}

static VOID NTAPI FileSystemChanges(PDEVICE_OBJECT DeviceObject, BOOLEAN Active)
{
    Misbehave(InRegistration);
}

static VOID NTAPI Reinitialize(PDRIVER_OBJECT DriverObject, PVOID Context, ULONG Count)
{
    Misbehave(InReinitialization);
}

static VOID NTAPI EndWorker(PVOID Context)
{
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI EndWithResource(PVOID Context)
{
    How = HeldResource;
    Misbehave(EndsWithResource);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- who calls them ---- */

static VOID Send(PIO_COMPLETION_ROUTINE Routine, BOOLEAN Extended)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize + 1, FALSE);

    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CLEANUP;
    IoSetNextIrpStackLocation(Irp);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CLEANUP;
    if (Extended)
        IoSetCompletionRoutineEx(Device, Irp, Routine, &Done, TRUE, TRUE, TRUE);
    else
        IoSetCompletionRoutine(Irp, Routine, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Device, Irp);
    IoFreeIrp(Irp);
}

static VOID CancelOne(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoSetNextIrpStackLocation(Irp);
    IoSetCancelRoutine(Irp, Cancel);
    IoCancelIrp(Irp);
    IoFreeIrp(Irp);
}

static VOID StartOne(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    KIRQL Old;

    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    IoStartPacket(Device, Irp, NULL, NULL);
    IoStartNextPacket(Device, FALSE);
    KeLowerIrql(Old);
    IoFreeIrp(Irp);
}

static VOID RunTimers(VOID)
{
    LARGE_INTEGER Soon = {.QuadPart = -10000};

    KeInitializeDpc(&Dpc, Deferred, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    WaitFor(&Done, 1000);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Soon, &Dpc);
    WaitFor(&Done, 1000);
    IoInitializeTimer(Device, TimerRoutine, NULL);
    IoStartTimer(Device);
    WaitFor(&Done, 2000);
    IoStopTimer(Device);
}

static VOID RunThreads(VOID)
{
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);

    PsSetCreateThreadNotifyRoutine(ThreadNotify);
    JoinThread(StartThread(InThreadRoutine, NULL));
    PsRemoveCreateThreadNotifyRoutine(ThreadNotify);
    IoQueueWorkItem(Item, IoWork, DelayedWorkQueue, Item);
    WaitFor(&Done, 1000);
}

static VOID RunAll(PDRIVER_OBJECT DriverObject)
{
    Send(Complete, FALSE);
    Send(Complete, TRUE);
    CancelOne();
    StartOne();
    RunTimers();
    RunThreads();
    IoRegisterFsRegistrationChange(DriverObject, FileSystemChanges);
    IoRegisterFileSystem(Device);
    IoUnregisterFileSystem(Device);
    IoUnregisterFsRegistrationChange(DriverObject, FileSystemChanges);
    IoRegisterDriverReinitialization(DriverObject, Reinitialize, NULL);
}

/* ---- what is no routine ---- */

static VOID GiveNoRoutine(PDRIVER_OBJECT DriverObject)
{
    PVOID Wild = &NoCode;
    IO_CSQ Csq;

    switch (Kind) {
    case NullDpc: KeInitializeDpc(&Dpc, NULL, NULL); break;
    case NullThread: StartThread(NULL, NULL); break;
    case NullNotify: PsSetCreateProcessNotifyRoutine(NULL, FALSE); break;
    case NullCompletion: Send(NULL, FALSE); break;
    case WildCompletion: Send((PIO_COMPLETION_ROUTINE)Wild, TRUE); break;
    case NullIoWork: IoQueueWorkItem(IoAllocateWorkItem(Device), NULL, DelayedWorkQueue, NULL); break;
    case NullCsq: IoCsqInitialize(&Csq, NULL, NULL, NULL, NULL, NULL, NULL); break;
    case WildUnload: DriverObject->DriverUnload = (PDRIVER_UNLOAD)Wild; break;
    case WildDispatch: DriverObject->MajorFunction[IRP_MJ_READ] = (PDRIVER_DISPATCH)Wild; break;
    case NullTimerRoutine: IoInitializeTimer(Device, NULL, NULL); break;
    case WrongWorkObject: IoAllocateWorkItem((PDEVICE_OBJECT)Wild); break;
    case EndsWorker: {
        static WORK_QUEUE_ITEM Item;

        ExInitializeWorkItem(&Item, EndWorker, NULL);
        ExQueueWorkItem(&Item, DelayedWorkQueue);
        Sleep(10);
        break;
    }
    case EndsWithResource: JoinThread(StartThread(EndWithResource, NULL)); break;
    default: break;
    }
}

static ULONG ReadNumber(PUNICODE_STRING RegistryPath, PCWSTR Value)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Number = 0, Length;
    HANDLE Key;

    RtlInitUnicodeString(&Name, Value);
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Number = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Number;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Kind = ReadNumber(RegistryPath, L"Kind");
    How = ReadNumber(RegistryPath, L"How");
    KeInitializeMutex(&Mutex, 0);
    ExInitializeResourceLite(&Resource);
    ExInitializeFastMutex(&FastMutex);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    DriverObject->DriverUnload = Unload;
    DriverObject->DriverStartIo = StartIo;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (Kind > InNothing)
        GiveNoRoutine(DriverObject);
    else
        RunAll(DriverObject);
    Misbehave(InDriverEntry);
    if (Kind == ReturnsPending) {
        Unload(DriverObject);
        return STATUS_PENDING;
    }
    return STATUS_SUCCESS;
}

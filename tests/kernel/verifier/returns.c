// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routines that come back otherwise than they went, and what is given as a routine and is none.  The service's value
 * Kind says which of the driver's routines misbehaves, How in which way; see returns.lua.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <fltvm_irq.h>
#include "../../inc/threads.h"
#include "../../inc/leave.h"

DRIVER_INITIALIZE DriverEntry;

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
    EndsWithResource,
    InImageNotify,
    InHandleOperation,
    InRegistry,
    InCallbackObject,
    InThreadedDpc,
    InFastIo,
    InCsqCancel,
    InInterrupt
} KIND;

static KIND Kind;
static HOW How;
static KEVENT Done;
static PDEVICE_OBJECT Device;
static KDPC Dpc;
static KTIMER Timer;
static ULONG_PTR NoCode = 0xC3C3C3C3;
static PDEVICE_OBJECT IrqDevice;
static PFILE_OBJECT IrqFile;
static volatile BOOLEAN Interrupted;
static LIST_ENTRY CsqList;
static PVOID ObHandle;
static LARGE_INTEGER CmCookie;
static FAST_IO_DISPATCH FastIo;

static VOID Misbehave(KIND Here)
{
    if (Here == Kind)
        Leave(How);
}

/* ---- routines of every kind ---- */

static VOID NTAPI ProcessNotify(HANDLE Parent, HANDLE Process, BOOLEAN Create);
static VOID NTAPI ImageNotify(PUNICODE_STRING Name, HANDLE Process, PIMAGE_INFO Info);

static VOID Disconnect(VOID);

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    if (Kind == InProcessNotify)
        PsSetCreateProcessNotifyRoutine(ProcessNotify, TRUE);
    if (Kind == InImageNotify)
        PsRemoveLoadImageNotifyRoutine(ImageNotify);
    Disconnect();
    IoDeleteDevice(Device);
    if (Kind != InDriverUnload)
        ExDeleteResourceLite(&LeftResource);
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

static VOID NTAPI ImageNotify(PUNICODE_STRING Name, HANDLE Process, PIMAGE_INFO Info)
{
    Misbehave(InImageNotify);
}

static OB_PREOP_CALLBACK_STATUS NTAPI HandleOperation(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    Misbehave(InHandleOperation);
    return OB_PREOP_SUCCESS;
}

static NTSTATUS NTAPI RegistryOperation(PVOID Context, PVOID Class, PVOID Information)
{
    Misbehave(InRegistry);
    return STATUS_SUCCESS;
}

static VOID NTAPI Told(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    Misbehave(InCallbackObject);
}

static VOID NTAPI Threaded(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InThreadedDpc);
}

static BOOLEAN NTAPI FastControl(PFILE_OBJECT File, BOOLEAN Wait, PVOID In, ULONG InLength, PVOID Out, ULONG OutLength,
                                 ULONG Code, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    Misbehave(InFastIo);
    IoStatus->Status = STATUS_SUCCESS;
    IoStatus->Information = 0;
    return TRUE;
}

static VOID Interrupt(PVOID Context, ULONG Source)
{
    Interrupted = TRUE;
    Misbehave(InInterrupt);
}

/* A cancel-safe queue with no lock: nobody else is there. */
static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CsqList, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    return NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
}

static VOID NTAPI CsqComplete(PIO_CSQ Csq, PIRP Irp)
{
    Misbehave(InCsqCancel);
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

static VOID CancelInQueue(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    IO_CSQ Csq;

    InitializeListHead(&CsqList);
    IoCsqInitialize(&Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqComplete);
    IoSetNextIrpStackLocation(Irp);
    IoCsqInsertIrp(&Csq, Irp, NULL);
    IoCancelIrp(Irp);
    IoFreeIrp(Irp);
}

static NTSTATUS NTAPI Freed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS ConnectTo(PFLTVM_IRQ_ROUTINE Routine)
{
    FLTVM_IRQ_CONNECT Input = {.Source = 0, .Routine = Routine};
    PIRP Irp = IoAllocateIrp(IrqDevice->StackSize, FALSE);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    NTSTATUS Status;

    Stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    Stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_FLTVM_IRQ_CONNECT;
    Stack->Parameters.DeviceIoControl.InputBufferLength = sizeof(Input);
    Stack->Parameters.DeviceIoControl.Type3InputBuffer = &Input;
    IoSetCompletionRoutine(Irp, Freed, NULL, TRUE, TRUE, TRUE);
    Status = IoCallDriver(IrqDevice, Irp);
    return Status;
}

static VOID Interrupts(PFLTVM_IRQ_ROUTINE Routine)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(FLTVM_IRQ_DEVICE_NAME);

    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_ALL_ACCESS, &IrqFile, &IrqDevice)))
        return;
    ConnectTo(Routine);
}

static VOID Disconnect(VOID)
{
    if (IrqFile == NULL)
        return;
    ConnectTo(NULL);
    ObDereferenceObject(IrqFile);
    IrqFile = NULL;
}

static VOID Notify(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback\\Returns");
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    PVOID Registered;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
    Registered = ExRegisterCallback(Object, Told, NULL);
    ExNotifyCallback(Object, NULL, NULL);
    ExUnregisterCallback(Registered);
    ObDereferenceObject(Object);
}

/* A handle of a process, and a key, while somebody looks at both. */
static VOID OpenWatched(PUNICODE_STRING RegistryPath)
{
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, HandleOperation, NULL};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"1000"), NULL,
                                             &Operation};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    if (Kind == InHandleOperation) {
        ObRegisterCallbacks(&Registration, &ObHandle);
        if (NT_SUCCESS(ObOpenObjectByPointer(PsGetCurrentProcess(), OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                             *PsProcessType, KernelMode, &Handle)))
            ZwClose(Handle);
        ObUnRegisterCallbacks(ObHandle);
    }
    CmRegisterCallback(RegistryOperation, NULL, &CmCookie);
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Handle, KEY_READ, &Attributes)))
        ZwClose(Handle);
    CmUnRegisterCallback(CmCookie);
}

static VOID ControlFast(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Returns");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    if (!NT_SUCCESS(
            ZwOpenFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, 0, FILE_SYNCHRONOUS_IO_NONALERT)))
        return;
    ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &IoStatus, CTL_CODE(FILE_DEVICE_UNKNOWN, 1, METHOD_BUFFERED, 0),
                          NULL, 0, NULL, 0);
    ZwClose(Handle);
}

static VOID RunMore(PUNICODE_STRING RegistryPath)
{
    switch (Kind) {
    case InProcessNotify: PsSetCreateProcessNotifyRoutine(ProcessNotify, FALSE); break;
    case InImageNotify: PsSetLoadImageNotifyRoutine(ImageNotify); break;
    case InHandleOperation:
    case InRegistry: OpenWatched(RegistryPath); break;
    case InCallbackObject: Notify(); break;
    case InThreadedDpc:
        KeInitializeThreadedDpc(&Dpc, Threaded, NULL);
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        WaitFor(&Done, 1000);
        break;
    case InFastIo: ControlFast(); break;
    case InCsqCancel: CancelInQueue(); break;
    case InInterrupt:
        Interrupts(Interrupt);
        for (ULONG Turn = 0; Turn < 100 && !Interrupted; Turn++)
            Sleep(1);
        break;
    default: break;
    }
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
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Returns");

    Kind = ReadNumber(RegistryPath, L"Kind");
    How = ReadNumber(RegistryPath, L"How");
    PrepareToLeave();
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    DriverObject->DriverUnload = Unload;
    DriverObject->DriverStartIo = StartIo;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    FastIo.SizeOfFastIoDispatch = sizeof(FastIo);
    FastIo.FastIoDeviceControl = FastControl;
    DriverObject->FastIoDispatch = &FastIo;
    IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (Kind > InNothing && Kind < InImageNotify)
        GiveNoRoutine(DriverObject);
    else if (Kind > InNothing || Kind == InProcessNotify)
        RunMore(RegistryPath);
    else
        RunAll(DriverObject);
    Misbehave(InDriverEntry);
    if (Kind == ReturnsPending) {
        Unload(DriverObject);
        return STATUS_PENDING;
    }
    return STATUS_SUCCESS;
}

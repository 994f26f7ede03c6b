// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every routine that takes another, to be called later, given one that is none: the service's value Which says to whom,
 * What says what; see wild.lua.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <fltvm_irq.h>

NTKERNELAPI VOID NTAPI KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment, PKKERNEL_ROUTINE KernelRoutine,
                                       PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine,
                                       KPROCESSOR_MODE Mode, PVOID NormalContext);

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT Device, IrqDevice;
static PFILE_OBJECT IrqFile;
static KDPC Dpc;
static KAPC Apc;
static RTL_GENERIC_TABLE Table;
static RTL_AVL_TABLE Tree;
static FILE_LOCK Lock;
static PVOID ObHandle;
static LARGE_INTEGER CmCookie;
static ULONG_PTR NoCode = 0xC3C3C3C3;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
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

static VOID Send(PIO_COMPLETION_ROUTINE Routine, BOOLEAN Extended)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize + 1, FALSE);

    IoSetNextIrpStackLocation(Irp);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CLEANUP;
    if (Extended)
        IoSetCompletionRoutineEx(Device, Irp, Routine, NULL, TRUE, TRUE, TRUE);
    else
        IoSetCompletionRoutine(Irp, Routine, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Device, Irp);
    IoFreeIrp(Irp);
}

/* Routines of the right kind, for those that take several; never called. */
static VOID NTAPI Kernel(PKAPC Routine, PKNORMAL_ROUTINE *Normal, PVOID *Context, PVOID *First, PVOID *Second)
{
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_GENERIC_TABLE Of, PVOID One, PVOID Other)
{
    return GenericEqual;
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI CompareAvl(PRTL_AVL_TABLE Of, PVOID One, PVOID Other)
{
    return GenericEqual;
}

/* Not optimized: each call has its line. */
__attribute__((optnone)) DECLSPEC_NOINLINE static VOID GiveTo(PDRIVER_OBJECT DriverObject, ULONG Which, PVOID Wild)
{
    static IO_WORKITEM_ROUTINE *volatile Work;
    static WORK_QUEUE_ITEM Item;
    static NPAGED_LOOKASIDE_LIST Nonpaged;
    static PAGED_LOOKASIDE_LIST Paged;
    static LOOKASIDE_LIST_EX Extended;
    static KBUGCHECK_CALLBACK_RECORD Record;
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, Wild, NULL};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"1000"), NULL,
                                             &Operation};
    PIO_WORKITEM IoItem = IoAllocateWorkItem(Device);
    HANDLE Handle;

    Work = Wild;
    switch (Which) {
    case 0: KeInitializeDpc(&Dpc, Wild, NULL); break;
    case 1: KeInitializeThreadedDpc(&Dpc, Wild, NULL); break;
    case 2: PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Wild, NULL); break;
    case 3: PsSetCreateProcessNotifyRoutine(Wild, FALSE); break;
    case 4: PsSetCreateThreadNotifyRoutine(Wild); break;
    case 5: PsSetLoadImageNotifyRoutine(Wild); break;
    case 6: ObRegisterCallbacks(&Registration, &ObHandle); break;
    case 7: CmRegisterCallback(Wild, NULL, &CmCookie); break;
    case 8: Send(Wild, FALSE); break;
    case 9: Send(Wild, TRUE); break;
    case 10: IoQueueWorkItem(IoItem, Work, DelayedWorkQueue, NULL); break;
    case 11:
        ExInitializeWorkItem(&Item, Wild, NULL);
        ExQueueWorkItem(&Item, DelayedWorkQueue);
        break;
    case 12: IoInitializeTimer(Device, Wild, NULL); break;
    case 13: IoRegisterFsRegistrationChange(DriverObject, Wild); break;
    case 14: IoRegisterDriverReinitialization(DriverObject, Wild, NULL); break;
    case 15: Interrupts(Wild); break;
    case 16: KeIpiGenericCall(Wild, 0); break;
    case 17: KeExpandKernelStackAndCallout(Wild, NULL, 0x4000); break;
    case 18: ExInitializeNPagedLookasideList(&Nonpaged, Wild, NULL, 0, 64, 'nteR', 0); break;
    case 19: ExInitializePagedLookasideList(&Paged, NULL, Wild, 0, 64, 'nteR', 0); break;
    case 20: ExInitializeLookasideListEx(&Extended, Wild, NULL, NonPagedPoolNx, 0, 64, 'nteR', 0); break;
    case 21:
        KeInitializeCallbackRecord((&Record));
        KeRegisterBugCheckCallback(&Record, Wild, NULL, 0, (PUCHAR) "returns");
        break;
    case 22: DriverObject->MajorFunction[IRP_MJ_READ] = Wild; break;
    case 23: DriverObject->DriverStartIo = Wild; break;
    case 24: DriverObject->DriverUnload = Wild; break;
    case 25: DriverObject->DriverExtension->AddDevice = Wild; break;
    case 26: KeInitializeApc(&Apc, KeGetCurrentThread(), 0, Wild, NULL, NULL, KernelMode, NULL); break;
    case 27: KeInitializeApc(&Apc, KeGetCurrentThread(), 0, Kernel, Wild, NULL, KernelMode, NULL); break;
    case 28: KeInitializeApc(&Apc, KeGetCurrentThread(), 0, Kernel, NULL, Wild, KernelMode, NULL); break;
    case 29: RtlInitializeGenericTable(&Table, Wild, NULL, NULL, NULL); break;
    case 30: RtlInitializeGenericTable(&Table, Compare, Wild, NULL, NULL); break;
    case 31: RtlInitializeGenericTableAvl(&Tree, CompareAvl, NULL, Wild, NULL); break;
    case 32: FsRtlInitializeFileLock(&Lock, Wild, NULL); break;
    case 33: FsRtlInitializeFileLock(&Lock, NULL, Wild); break;
    default: break;
    }
    IoFreeWorkItem(IoItem);
}

/* What is no code: data of the driver, its headers, a stack, pool, user memory, nothing, no address. */
static PVOID WildPointer(PDRIVER_OBJECT DriverObject, ULONG What)
{
    switch (What) {
    case 0: return &NoCode;
    case 1: return DriverObject->DriverStart;
    case 2: return __builtin_frame_address(0);
    case 3: return DriverObject;
    case 5: return (PVOID)0x10000;
    case 6: return (PVOID)0xFFFFA00000001000;
    case 7: return (PVOID)0x8000000000000000;
    default: return NULL;
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
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    FvCheckRoutine((PVOID)Dispatch, "dispatch routine"); /* one of its own is taken */
    IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    GiveTo(DriverObject, ReadNumber(RegistryPath, L"Which"),
           WildPointer(DriverObject, ReadNumber(RegistryPath, L"What")));
    return STATUS_SUCCESS;
}

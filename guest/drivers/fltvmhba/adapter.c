/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller: found by plug and play, started with its resources, removed.
 */
#include "adapter.h"
#include <request.h>
#include <ntstrsafe.h>

DRIVER_INITIALIZE DriverEntry;

/* ---- starting and stopping --------------------------------------------------------------------------------
 */

static NTSTATUS HbaConnect(PHBA_ADAPTER Adapter)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters;

    RtlZeroMemory(&Parameters, sizeof(Parameters));
    Parameters.Version = CONNECT_MESSAGE_BASED;
    Parameters.MessageBased.PhysicalDeviceObject = Adapter->Pdo;
    Parameters.MessageBased.ConnectionContext.InterruptMessageTable = &Adapter->Interrupts;
    Parameters.MessageBased.MessageServiceRoutine = HbaIsr;
    Parameters.MessageBased.ServiceContext = Adapter;
    return IoConnectInterruptEx(&Parameters);
}

static VOID HbaDisconnect(PHBA_ADAPTER Adapter)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters;

    if (Adapter->Interrupts != NULL) {
        Parameters.Version = CONNECT_MESSAGE_BASED;
        Parameters.ConnectionContext.InterruptMessageTable = Adapter->Interrupts;
        IoDisconnectInterruptEx(&Parameters);
        Adapter->Interrupts = NULL;
    }
}

static NTSTATUS HbaReadLimits(PHBA_ADAPTER Adapter)
{
    ULONG MaxSegments = HbaRead(Adapter, FLTVM_HBA_REG_MAX_SEGMENTS);

    if (HbaRead(Adapter, FLTVM_HBA_REG_ID) != FLTVM_HBA_ID ||
        HbaRead(Adapter, FLTVM_HBA_REG_VERSION) != FLTVM_HBA_VERSION) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    Adapter->BlockSize = HbaRead(Adapter, FLTVM_HBA_REG_BLOCK_SIZE);
    Adapter->Blocks =
        HbaRead(Adapter, FLTVM_HBA_REG_BLOCKS_LO) | ((ULONG64)HbaRead(Adapter, FLTVM_HBA_REG_BLOCKS_HI) << 32);
    Adapter->Features = HbaRead(Adapter, FLTVM_HBA_REG_FEATURES);
    Adapter->MaxSegments = MaxSegments;
    if (Adapter->BlockSize < 512 || Adapter->BlockSize > PAGE_SIZE ||
        (Adapter->BlockSize & (Adapter->BlockSize - 1)) != 0 || MaxSegments < FLTVM_HBA_INLINE_SEGMENTS ||
        HbaRead(Adapter, FLTVM_HBA_REG_MAX_DEPTH) < HBA_DEPTH) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    Adapter->MaxTransfer = HbaRead(Adapter, FLTVM_HBA_REG_MAX_TRANSFER) & ~(Adapter->BlockSize - 1);
    if (Adapter->MaxTransfer == 0) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    Adapter->Queues = min(min(HbaRead(Adapter, FLTVM_HBA_REG_QUEUES), Adapter->Interrupts->MessageCount),
                          min(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS), HBA_MAX_QUEUES));
    return Adapter->Queues != 0 ? STATUS_SUCCESS : STATUS_DEVICE_CONFIGURATION_ERROR;
}

static NTSTATUS HbaIdentify(PHBA_ADAPTER Adapter)
{
    NTSTATUS Status;

    /* A page, so that it does not cross one. */
    Adapter->Identify = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, HBA_TAG);
    if (Adapter->Identify == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = HbaRunCommand(Adapter, FLTVM_HBA_OP_IDENTIFY, Adapter->Identify, sizeof(*Adapter->Identify), 0, 0);
    if (NT_SUCCESS(Status) && Adapter->Identify->id != FLTVM_HBA_ID) {
        Status = STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    return Status;
}

/* The registers are mapped.  On failure HbaStopController undoes what there is. */
static NTSTATUS HbaStartController(PHBA_ADAPTER Adapter)
{
    NTSTATUS Status;
    ULONG Index;

    HbaWrite(Adapter, FLTVM_HBA_REG_CONTROL, 0);
    Status = HbaConnect(Adapter);
    if (NT_SUCCESS(Status)) {
        Status = HbaReadLimits(Adapter);
    }
    for (Index = 0; NT_SUCCESS(Status) && Index < Adapter->Queues; Index++) {
        Status = HbaCreateQueue(Adapter, Index);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    HbaWrite(Adapter, FLTVM_HBA_REG_CONTROL, FLTVM_HBA_CONTROL_ENABLE);
    if ((HbaRead(Adapter, FLTVM_HBA_REG_STATUS) & FLTVM_HBA_STATUS_READY) == 0) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    for (Index = 0; Index < Adapter->Queues; Index++) {
        if (!HbaProgramQueue(Adapter->Queue[Index])) {
            return STATUS_DEVICE_CONFIGURATION_ERROR;
        }
    }
    IoStartTimer(Adapter->Fdo);
    Status = HbaIdentify(Adapter);
    return NT_SUCCESS(Status) ? HbaCreateDisk(Adapter) : Status;
}

/* adapter.c.  PASSIVE_LEVEL. */
static VOID HbaStopController(PHBA_ADAPTER Adapter)
{
    ULONG Index;

    InterlockedExchange(&Adapter->Stopped, TRUE);
    HbaDeleteDisk(Adapter);
    IoStopTimer(Adapter->Fdo);
    if (Adapter->Registers != NULL) {
        HbaWrite(Adapter, FLTVM_HBA_REG_CONTROL, 0);
    }
    HbaDisconnect(Adapter);
    KeFlushQueuedDpcs();
    for (Index = 0; Index < HBA_MAX_QUEUES; Index++) {
        if (Adapter->Queue[Index] != NULL) {
            HbaDeleteQueue(Adapter->Queue[Index]);
            Adapter->Queue[Index] = NULL;
        }
    }
    if (Adapter->Identify != NULL) {
        ExFreePoolWithTag(Adapter->Identify, HBA_TAG);
        Adapter->Identify = NULL;
    }
    if (Adapter->Registers != NULL) {
        MmUnmapIoSpace((PVOID)Adapter->Registers, FLTVM_HBA_BAR_SIZE);
        Adapter->Registers = NULL;
    }
}

/* ---- plug and play ---------------------------------------------------------------------------------------
 */

static NTSTATUS HbaStartDevice(PHBA_ADAPTER Adapter, PCM_RESOURCE_LIST Resources)
{
    PCM_PARTIAL_RESOURCE_LIST List;
    ULONG Index;

    if (Resources == NULL || Resources->Count != 1) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    List = &Resources->List[0].PartialResourceList;
    for (Index = 0; Index < List->Count; Index++) {
        PCM_PARTIAL_RESOURCE_DESCRIPTOR Descriptor = &List->PartialDescriptors[Index];

        if (Descriptor->Type == CmResourceTypeMemory && Descriptor->u.Memory.Length >= FLTVM_HBA_BAR_SIZE) {
            Adapter->Registers = MmMapIoSpace(Descriptor->u.Memory.Start, FLTVM_HBA_BAR_SIZE, MmNonCached);
            break;
        }
    }
    if (Adapter->Registers == NULL) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    return HbaStartController(Adapter);
}

static NTSTATUS HbaRemoveDevice(PHBA_ADAPTER Adapter, PIRP Irp)
{
    PDEVICE_OBJECT Lower = Adapter->Lower;
    NTSTATUS Status;

    HbaStopController(Adapter);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    Status = IoCallDriver(Lower, Irp);
    IoDetachDevice(Lower);
    IoDeleteDevice(Adapter->Fdo);
    ExFreePoolWithTag(Adapter, HBA_TAG);
    return Status;
}

static NTSTATUS HbaPassDown(PHBA_ADAPTER Adapter, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Adapter->Lower, Irp);
}

/* What goes with the controller: its disk. */
static NTSTATUS HbaTellRelations(PHBA_ADAPTER Adapter, PIRP Irp)
{
    PDEVICE_RELATIONS Relations;

    if (Adapter->Disk == NULL) {
        return STATUS_SUCCESS;
    }
    Relations = ExAllocatePoolWithTag(PagedPool, sizeof(*Relations), HBA_TAG);
    if (Relations == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Relations->Count = 1;
    Relations->Objects[0] = Adapter->Disk;
    ObReferenceObject(Adapter->Disk);
    Irp->IoStatus.Information = (ULONG_PTR)Relations;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI HbaDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PHBA_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PHBA_ADAPTER Adapter = Extension->Adapter;
    NTSTATUS Status;

    if (Extension->IsDisk) {
        if (Stack->MinorFunction == IRP_MN_SURPRISE_REMOVAL || Stack->MinorFunction == IRP_MN_REMOVE_DEVICE) {
            Irp->IoStatus.Status = STATUS_SUCCESS; /* the controller has given it up, and deletes it */
        }
        Status = Irp->IoStatus.Status; /* the disk is not enumerated: nothing else to say */
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    }
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        Status = STATUS_UNSUCCESSFUL;
        if (IoForwardIrpSynchronously(Adapter->Lower, Irp)) {
            Status = Irp->IoStatus.Status;
        }
        if (NT_SUCCESS(Status)) {
            Status = HbaStartDevice(Adapter, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
        }
        Irp->IoStatus.Status = Status;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    case IRP_MN_REMOVE_DEVICE: return HbaRemoveDevice(Adapter, Irp);
    case IRP_MN_QUERY_PNP_DEVICE_STATE:
        if (Adapter->Pulled) {
            Irp->IoStatus.Information |= PNP_DEVICE_REMOVED | PNP_DEVICE_FAILED;
        }
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return HbaPassDown(Adapter, Irp);
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        if (Stack->Parameters.QueryDeviceRelations.Type == RemovalRelations) {
            Status = HbaTellRelations(Adapter, Irp);
            if (!NT_SUCCESS(Status)) {
                return DriverComplete(Irp, Status, 0);
            }
        }
        return HbaPassDown(Adapter, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        HbaGiveUp(Adapter);
        KeSetEvent(&Adapter->Gone, IO_NO_INCREMENT, FALSE);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return HbaPassDown(Adapter, Irp);
    default: return HbaPassDown(Adapter, Irp);
    }
}

static NTSTATUS NTAPI HbaAddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    static LONG NextNumber;
    ULONG Number = (ULONG)InterlockedIncrement(&NextNumber) - 1;
    PHBA_EXTENSION Extension;
    PHBA_ADAPTER Adapter;
    UNICODE_STRING Name;
    PDEVICE_OBJECT Fdo;
    WCHAR Buffer[32];
    NTSTATUS Status;

    Status = RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\FltvmHba%u", Number);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, Buffer);
    Adapter = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Adapter), HBA_TAG);
    if (Adapter == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Adapter, sizeof(*Adapter));
    Status = IoCreateDevice(DriverObject, sizeof(HBA_EXTENSION), &Name, FILE_DEVICE_CONTROLLER, FILE_DEVICE_SECURE_OPEN,
                            FALSE, &Fdo);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Adapter, HBA_TAG);
        return Status;
    }
    Extension = Fdo->DeviceExtension;
    Extension->IsDisk = FALSE;
    Extension->Adapter = Adapter;
    KeInitializeSpinLock(&Adapter->ResetLock);
    KeInitializeEvent(&Adapter->Gone, NotificationEvent, FALSE);
    Adapter->Number = Number;
    Adapter->Fdo = Fdo;
    Adapter->Pdo = Pdo;
    Adapter->Lower = IoAttachDeviceToDeviceStack(Fdo, Pdo);
    Status = Adapter->Lower != NULL ? IoInitializeTimer(Fdo, HbaTimer, Adapter) : STATUS_NO_SUCH_DEVICE;
    if (!NT_SUCCESS(Status)) {
        if (Adapter->Lower != NULL) {
            IoDetachDevice(Adapter->Lower);
        }
        IoDeleteDevice(Fdo);
        ExFreePoolWithTag(Adapter, HBA_TAG);
        return Status;
    }
    Fdo->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

/* ---- the driver ------------------------------------------------------------------------------------------
 */

/* CREATE, CLEANUP, CLOSE: anybody may open the controller and the disk. */
static NTSTATUS NTAPI HbaDispatchOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE ? FILE_OPENED : 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI HbaUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject); /* IRP_MN_REMOVE_DEVICE has done it all */
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = HbaDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = HbaDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = HbaDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_READ] = HbaDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = HbaDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = HbaDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = HbaDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = HbaDispatchControl;
    DriverObject->MajorFunction[IRP_MJ_PNP] = HbaDispatchPnp;
    DriverObject->DriverExtension->AddDevice = HbaAddDevice;
    DriverObject->DriverUnload = HbaUnload;
    return STATUS_SUCCESS;
}

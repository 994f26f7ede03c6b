// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IRPs: allocation, stack locations, completion routines and their order, pending propagation, reuse,
 * associated IRPs, the builders for buffered, direct and neither devices, completion through the thread.
 */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'tIrp'

DRIVER_INITIALIZE DriverEntry;

typedef struct _DEVICE {
    PDEVICE_OBJECT Lower;
    ULONG Calls;
    NTSTATUS Answer; /* of the bottom device */
    ULONG_PTR Information;
    BOOLEAN Pend; /* the bottom device keeps the IRP for its timer */
    BOOLEAN FromDpc;
    PIRP Kept;
    KTIMER Timer;
    KDPC Dpc;
    UCHAR SawFlags;
    PVOID SawSystemBuffer, SawUserBuffer;
    PMDL SawMdl;
    UCHAR FirstByte;
} DEVICE;

static PDEVICE_OBJECT Bottom, Top;
static ULONG Order[8], Orders;
static BOOLEAN PendingSeen[8];
static PDEVICE_OBJECT DeviceSeen[8];
static KIRQL IrqlSeen;

static DEVICE *Ext(PDEVICE_OBJECT Device)
{
    return Device->DeviceExtension;
}

static VOID NTAPI FinishDpc(PKDPC Dpc, PVOID Context, PVOID A, PVOID B)
{
    DEVICE *Device = Context;
    PIRP Irp = Device->Kept;

    Irp->IoStatus.Status = Device->Answer;
    Irp->IoStatus.Information = Device->Information;
    Device->Kept = NULL;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    DEVICE *Device = Ext(DeviceObject);
    LARGE_INTEGER Soon;

    Device->Calls++;
    if (Device->Lower != NULL) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Device->Lower, Irp);
    }
    Device->SawSystemBuffer = Irp->AssociatedIrp.SystemBuffer;
    Device->SawUserBuffer = Irp->UserBuffer;
    Device->SawMdl = Irp->MdlAddress;
    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_WRITE && Irp->AssociatedIrp.SystemBuffer != NULL)
        Device->FirstByte = *(PUCHAR)Irp->AssociatedIrp.SystemBuffer;
    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_READ && NT_SUCCESS(Device->Answer)) {
        PUCHAR Data = Irp->MdlAddress != NULL ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority)
                      : Irp->AssociatedIrp.SystemBuffer != NULL ? Irp->AssociatedIrp.SystemBuffer
                                                                : Irp->UserBuffer;
        if (Data != NULL)
            RtlFillMemory(Data, Device->Information, 0x5A);
    }
    if (Device->Pend) {
        IoMarkIrpPending(Irp);
        Device->Kept = Irp;
        Soon.QuadPart = -10000;
        KeSetTimer(&Device->Timer, Soon, &Device->Dpc);
        return STATUS_PENDING;
    }
    Irp->IoStatus.Status = Device->Answer;
    Irp->IoStatus.Information = Device->Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Device->Answer;
}

static NTSTATUS NTAPI Note(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    Order[Orders] = (ULONG)(ULONG_PTR)Context;
    PendingSeen[Orders] = Irp->PendingReturned;
    DeviceSeen[Orders] = DeviceObject;
    Orders++;
    if (Irp->PendingReturned && Irp->CurrentLocation <= Irp->StackCount)
        IoMarkIrpPending(Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    IrqlSeen = KeGetCurrentIrql();
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static UCHAR FlagsOf(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    PIRP Irp = IoAllocateIrp(StackSize, ChargeQuota);
    UCHAR Flags = Irp->AllocationFlags;

    IoFreeIrp(Irp);
    return Flags;
}

static VOID CheckAllocationFlags(VOID)
{
    FvCheck(FlagsOf(1, FALSE) == 0x04 /* IRP_ALLOCATED_FIXED_SIZE */);
    FvCheck(FlagsOf(3, FALSE) == 0x04);
    FvCheck(FlagsOf(3, TRUE) == (0x04 | 0x08 /* IRP_LOOKASIDE_ALLOCATION */));
    FvCheck(FlagsOf(60, FALSE) == 0);
}

static VOID CheckAllocation(VOID)
{
    PIRP Irp = IoAllocateIrp(3, FALSE);
    ULONG Memory[256];
    PIRP Own = (PIRP)Memory;

    FvCheck(Irp != NULL);
    FvCheck(Irp->Type == IO_TYPE_IRP && Irp->StackCount == 3 && Irp->CurrentLocation == 4);
    FvCheck(IoGetNextIrpStackLocation(Irp) == (PIO_STACK_LOCATION)(Irp + 1) + 2);
    FvCheck(Irp->MdlAddress == NULL && !Irp->Cancel && Irp->CancelRoutine == NULL);
    Irp->IoStatus.Information = 5;
    IoReuseIrp(Irp, STATUS_NO_MEMORY);
    FvCheck(Irp->IoStatus.Status == STATUS_NO_MEMORY && Irp->IoStatus.Information == 0);
    FvCheck(Irp->StackCount == 3 && Irp->CurrentLocation == 4);
    IoFreeIrp(Irp);

    Irp = IoAllocateIrp(60, FALSE); /* larger than any look-aside list's */
    FvCheck(Irp != NULL && Irp->StackCount == 60);
    IoFreeIrp(Irp);

    RtlFillMemory(Memory, sizeof(Memory), 0xEE);
    Own->Type = 0;
    IoInitializeIrp(Own, IoSizeOfIrp(2), 2);
    FvCheck(Own->Type == IO_TYPE_IRP && Own->Size == IoSizeOfIrp(2) && Own->CurrentLocation == 3);
}

/* Two completion routines of the sender's own making: the lowest location's runs first. */
static VOID CheckCompletionOrder(BOOLEAN Pend)
{
    PIRP Irp = IoAllocateIrp(4, FALSE);
    KEVENT Event;
    NTSTATUS Status;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Orders = 0;
    Ext(Bottom)->Pend = Pend;
    Ext(Bottom)->Answer = STATUS_SUCCESS;
    Ext(Bottom)->Information = 0;

    /* a location of our own on top, so that there is somebody for the routines to belong to */
    IoSetCompletionRoutine(Irp, Keep, &Event, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Top;
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Note, (PVOID)2, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Bottom;
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Note, (PVOID)1, TRUE, TRUE, TRUE);
    Status = IoCallDriver(Bottom, Irp);
    FvCheck(Status == (Pend ? STATUS_PENDING : STATUS_SUCCESS));
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    FvCheck(Orders == 2 && Order[0] == 1 && Order[1] == 2);
    FvCheck(DeviceSeen[0] == Bottom && DeviceSeen[1] == Top);
    FvCheck(PendingSeen[0] == Pend && PendingSeen[1] == Pend);
    FvCheck(Irp->PendingReturned == Pend);
    if (Pend)
        FvCheck(IrqlSeen == DISPATCH_LEVEL); /* a DPC completed it, and completion routines run where that is */
    FvCheck(Irp->CurrentLocation == 5);      /* back above the top */
    IoFreeIrp(Irp);
    Ext(Bottom)->Pend = FALSE;
}

/* A routine is called for success, error or cancellation only as asked. */
static VOID CheckInvokeConditions(VOID)
{
    static const struct {
        NTSTATUS Answer;
        BOOLEAN Success, Error, Cancel, Canceled, Called;
    } Cases[] = {
        {STATUS_SUCCESS, TRUE, FALSE, FALSE, FALSE, TRUE},
        {STATUS_SUCCESS, FALSE, TRUE, TRUE, FALSE, FALSE},
        {STATUS_UNSUCCESSFUL, FALSE, TRUE, FALSE, FALSE, TRUE},
        {STATUS_UNSUCCESSFUL, TRUE, FALSE, FALSE, FALSE, FALSE},
        {STATUS_UNSUCCESSFUL, TRUE, FALSE, TRUE, TRUE, TRUE},
        {STATUS_SUCCESS, FALSE, FALSE, TRUE, TRUE, TRUE},
        {STATUS_BUFFER_OVERFLOW, TRUE, FALSE, FALSE, FALSE, FALSE}, /* a warning is no success */
    };

    for (ULONG i = 0; i < RTL_NUMBER_OF(Cases); i++) {
        PIRP Irp = IoAllocateIrp(2, FALSE);
        KEVENT Event;

        KeInitializeEvent(&Event, NotificationEvent, FALSE);
        Orders = 0;
        Ext(Bottom)->Answer = Cases[i].Answer;
        IoSetCompletionRoutine(Irp, Keep, &Event, TRUE, TRUE, TRUE);
        IoSetNextIrpStackLocation(Irp);
        IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        IoSetCompletionRoutine(Irp, Note, (PVOID)1, Cases[i].Success, Cases[i].Error, Cases[i].Cancel);
        Irp->Cancel = Cases[i].Canceled;
        IoCallDriver(Bottom, Irp);
        FvCheck((Orders == 1) == Cases[i].Called);
        IoFreeIrp(Irp);
    }
    Ext(Bottom)->Answer = STATUS_SUCCESS;
}

/* The master completes when its last associated IRP has. */
static VOID CheckAssociated(VOID)
{
    PIRP Master = IoAllocateIrp(2, FALSE), Part[2];
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Master, Keep, &Event, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Master);
    Master->AssociatedIrp.IrpCount = 2;
    for (ULONG i = 0; i < 2; i++) {
        Part[i] = IoMakeAssociatedIrp(Master, 1);
        FvCheck(Part[i] != NULL && (Part[i]->Flags & IRP_ASSOCIATED_IRP) != 0 &&
                Part[i]->AssociatedIrp.MasterIrp == Master);
        /* the count and the master pointer share their place in the part only */
        IoGetNextIrpStackLocation(Part[i])->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        FvCheck(KeReadStateEvent(&Event) == 0);
        IoCallDriver(Bottom, Part[i]);
    }
    FvCheck(KeReadStateEvent(&Event) != 0);
    IoFreeIrp(Master);
}

static NTSTATUS SendRead(PVOID Buffer, ULONG Length, BOOLEAN Write, PIO_STATUS_BLOCK IoStatus)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    KEVENT Event;
    NTSTATUS Status;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoStatus->Status = 0x11111111;
    IoStatus->Information = 77;
    Irp = IoBuildSynchronousFsdRequest(Write ? IRP_MJ_WRITE : IRP_MJ_READ, Top, Buffer, Length, &Offset, &Event,
                                       IoStatus);
    if (!FvCheck(Irp != NULL))
        return STATUS_INSUFFICIENT_RESOURCES;
    FvCheck(IoGetNextIrpStackLocation(Irp)->Parameters.Read.Length == Length);
    Status = IoCallDriver(Top, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus->Status;
    }
    return Status;
}

static VOID CheckBuilders(BOOLEAN Pend)
{
    static const ULONG Kinds[] = {DO_BUFFERED_IO, DO_DIRECT_IO, 0};
    PUCHAR Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, 4096, TAG);
    IO_STATUS_BLOCK IoStatus;

    Ext(Bottom)->Pend = Pend;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Kinds); i++) {
        Top->Flags = (Top->Flags & ~(DO_BUFFERED_IO | DO_DIRECT_IO)) | Kinds[i];
        Ext(Bottom)->Answer = STATUS_SUCCESS;
        Ext(Bottom)->Information = 100;
        RtlZeroMemory(Buffer, 4096);
        FvCheck(SendRead(Buffer, 4096, FALSE, &IoStatus) == STATUS_SUCCESS);
        FvCheck(IoStatus.Status == STATUS_SUCCESS && IoStatus.Information == 100);
        FvCheck(Buffer[0] == 0x5A && Buffer[99] == 0x5A && Buffer[100] == 0);
        FvCheck((Ext(Bottom)->SawSystemBuffer != NULL) == (Kinds[i] == DO_BUFFERED_IO));
        FvCheck((Ext(Bottom)->SawMdl != NULL) == (Kinds[i] == DO_DIRECT_IO));
        if (Kinds[i] == 0)
            FvCheck(Ext(Bottom)->SawUserBuffer == Buffer);
        Buffer[0] = 0x33;
        Ext(Bottom)->Information = 1;
        FvCheck(SendRead(Buffer, 1, TRUE, &IoStatus) == STATUS_SUCCESS);
        if (Kinds[i] == DO_BUFFERED_IO)
            FvCheck(Ext(Bottom)->FirstByte == 0x33);

        /* an error leaves the buffer alone; what is in the status block only a pended request tells */
        Buffer[0] = 1;
        Ext(Bottom)->Answer = STATUS_DEVICE_NOT_READY;
        FvCheck(SendRead(Buffer, 4096, FALSE, &IoStatus) == STATUS_DEVICE_NOT_READY);
        FvCheck(Buffer[0] == 1);
        FvCheck(IoStatus.Status == (Pend ? STATUS_DEVICE_NOT_READY : 0x11111111));
    }
    Top->Flags &= ~(DO_BUFFERED_IO | DO_DIRECT_IO);
    Ext(Bottom)->Pend = FALSE;
    Ext(Bottom)->Answer = STATUS_SUCCESS;
    ExFreePoolWithTag(Buffer, TAG);
}

static VOID CheckControlBuilder(VOID)
{
    UCHAR Input[16] = {1}, Output[32];
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS), Top,
                                        Input, sizeof(Input), Output, sizeof(Output), FALSE, &Event, &IoStatus);
    FvCheck(Irp != NULL && IoGetNextIrpStackLocation(Irp)->MajorFunction == IRP_MJ_DEVICE_CONTROL);
    FvCheck(Irp->AssociatedIrp.SystemBuffer != NULL && *(PUCHAR)Irp->AssociatedIrp.SystemBuffer == 1);
    IoCallDriver(Top, Irp);

    Irp = IoBuildDeviceIoControlRequest(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_NEITHER, FILE_ANY_ACCESS), Top,
                                        Input, sizeof(Input), Output, sizeof(Output), TRUE, &Event, &IoStatus);
    FvCheck(IoGetNextIrpStackLocation(Irp)->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL);
    FvCheck(IoGetNextIrpStackLocation(Irp)->Parameters.DeviceIoControl.Type3InputBuffer == Input &&
            Irp->UserBuffer == Output && Irp->AssociatedIrp.SystemBuffer == NULL);
    IoCallDriver(Top, Irp);
}

static VOID CheckForward(VOID)
{
    PIRP Irp = IoAllocateIrp(3, FALSE);
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Ext(Bottom)->Pend = TRUE;
    IoSetCompletionRoutine(Irp, Keep, &Event, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    FvCheck(IoForwardIrpSynchronously(Bottom, Irp));
    FvCheck(Irp->IoStatus.Status == STATUS_SUCCESS && KeReadStateEvent(&Event) == 0);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    FvCheck(KeReadStateEvent(&Event) != 0);
    IoFreeIrp(Irp);
    Ext(Bottom)->Pend = FALSE;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    FvTestPlan(141);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        DriverObject->MajorFunction[i] = Dispatch;
    Status = IoCreateDevice(DriverObject, sizeof(DEVICE), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Bottom);
    if (NT_SUCCESS(Status))
        Status = IoCreateDevice(DriverObject, sizeof(DEVICE), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Top);
    if (!FvCheck(NT_SUCCESS(Status)))
        return Status;
    Bottom->Flags &= ~DO_DEVICE_INITIALIZING;
    KeInitializeTimer(&Ext(Bottom)->Timer);
    KeInitializeDpc(&Ext(Bottom)->Dpc, FinishDpc, Ext(Bottom));
    FvCheck(NT_SUCCESS(IoAttachDeviceToDeviceStackSafe(Top, Bottom, &Ext(Top)->Lower)));
    FvCheck(Top->StackSize == Bottom->StackSize + 1);
    Top->Flags &= ~DO_DEVICE_INITIALIZING;

    CheckAllocation();
    CheckAllocationFlags();
    CheckCompletionOrder(FALSE);
    CheckCompletionOrder(TRUE);
    CheckInvokeConditions();
    CheckAssociated();
    CheckBuilders(FALSE);
    CheckBuilders(TRUE);
    CheckControlBuilder();
    CheckForward();

    IoDetachDevice(Bottom);
    IoDeleteDevice(Top);
    IoDeleteDevice(Bottom);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that misuses the I/O manager in the way that its registry value Fault says; see badio.lua. */
#include <ntifs.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT Device, Upper;
static ULONG Number;
static PIO_WORKITEM Item;
static UCHAR NoDevice[512];

static ULONG Fault(PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Fault");
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    ULONG Length, Found = 0;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Length)))
            Found = *(PULONG)Value->Data;
        ZwClose(Key);
    }
    return Found;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static VOID NTAPI CancelWithoutRelease(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
} /* [17] */

static NTSTATUS NTAPI Stop(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{ /* [12] */
    KIRQL Irql;

    if (Number == 12)
        KeRaiseIrql(APC_LEVEL, &Irql); /* and leaves it so */
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static BOOLEAN Passed;

static NTSTATUS NTAPI Another(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    return STATUS_CONTINUE_COMPLETION;
}

static VOID NTAPI Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    KeWaitForSingleObject(Context, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{ /* [4] [13] */
    KIRQL Irql;

    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    switch (Number) {
    case 31: /* more than was asked for */
    case 32:
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, 64, 0x5A);
        Irp->IoStatus.Information = 100;
        break;
    case 2: /* completed as pending */ Irp->IoStatus.Status = STATUS_PENDING; break;
    case 3: /* completed with a cancel routine */ IoSetCancelRoutine(Irp, Cancel); break;
    case 4: /* returns at another IRQL */
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        return STATUS_SUCCESS;
    case 37: /* a completion routine where the sender's is */
        if (!Passed) {
            Passed = TRUE;
            IoSkipCurrentIrpStackLocation(Irp);
            IoSetCompletionRoutine(Irp, Another, NULL, TRUE, TRUE, TRUE);
            return IoCallDriver(Device, Irp); /* [37] */
        }
        break;
    case 38: /* the sender's own is passed on */
        if (!Passed) {
            Passed = TRUE;
            IoSkipCurrentIrpStackLocation(Irp);
            return IoCallDriver(Device, Irp);
        }
        break;
    case 13: /* pending, but not marked so */ return STATUS_PENDING;
    case 14: /* marked pending, but something else returned */ IoMarkIrpPending(Irp); break;
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT); /* [2] [3] [31] [32] */
    return Irp->IoStatus.Status == STATUS_PENDING ? STATUS_PENDING : STATUS_SUCCESS;
}

static PIRP Request(CCHAR Locations)
{
    PIRP Irp = IoAllocateIrp(Locations, FALSE);

    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, Stop, NULL, TRUE, TRUE, TRUE);
    return Irp;
}

static VOID NTAPI WorkEx(PVOID Object, PVOID Context, PIO_WORKITEM WorkItem)
{
    UNREFERENCED_PARAMETER(WorkItem);
    Work(Object, Context);
}

/* Writes over the number of file objects on a device, so that the close finds none. */
static VOID UnderTheKernel(VOID)
{
    PFILE_OBJECT File = IoCreateStreamFileObject(NULL, Device);
    LONG Count = Device->ReferenceCount;

    Device->ReferenceCount = 0;
    ObDereferenceObject(File); /* [33] */
    Device->ReferenceCount += Count;
}

static UCHAR Pages[20 * PAGE_SIZE];

static VOID BuildPart(VOID)
{
    PMDL Source = IoAllocateMdl(Pages, sizeof(Pages), FALSE, FALSE, NULL);
    PMDL Target = IoAllocateMdl(Pages, Number == 35 ? PAGE_SIZE : sizeof(Pages), FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Source);
    if (Number == 34)
        IoBuildPartialMdl(Source, Target, Pages + 1, sizeof(Pages)); /* [34] */
    else
        IoBuildPartialMdl(Source, Target, Pages, sizeof(Pages)); /* [35] */
    DbgPrint("badio: a part of %u bytes\n", MmGetMdlByteCount(Target));
    IoFreeMdl(Target);
    IoFreeMdl(Source);
}

static VOID NTAPI StayCritical(PDEVICE_OBJECT DeviceObject, PVOID Context)
{ /* [25] */
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    KeEnterCriticalRegion();
}

/* A buffer of 64 bytes and what lies behind it. */
static VOID ReadTooMuch(VOID)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    UCHAR Buffer[128];
    IO_STATUS_BLOCK IoStatus;
    BOOLEAN Kept = TRUE;
    KEVENT Event;
    PIRP Irp;

    RtlFillMemory(Buffer, sizeof(Buffer), 0xA5);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Device->Flags |= DO_BUFFERED_IO;
    if (Number == 31)
        Irp = IoBuildSynchronousFsdRequest(IRP_MJ_READ, Device, Buffer, 64, &Offset, &Event, &IoStatus);
    else
        Irp = IoBuildDeviceIoControlRequest(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS),
                                            Device, NULL, 0, Buffer, 64, FALSE, &Event, &IoStatus);
    IoCallDriver(Device, Irp);
    for (ULONG Index = 0; Index < sizeof(Buffer); Index++)
        Kept = Kept && Buffer[Index] == (Index < 64 ? 0x5A : 0xA5);
    DbgPrint("badio: %u bytes, %s behind the buffer\n", (ULONG)IoStatus.Information, Kept ? "none" : "SOME");
}

static VOID More(VOID)
{
    switch (Number) {
    case 31:
    case 32: ReadTooMuch(); break;
    case 33: /* a count of the kernel's */ UnderTheKernel(); break;
    case 34: /* a byte more than the source has */
    case 35: /* twenty pages in a list for one */
    case 36: /* the whole */ BuildPart(); break;
    }
}

static VOID Misuse(VOID)
{
    PIRP Irp = Request(1);
    UCHAR Nothing[512];
    KEVENT Event;
    KIRQL OldIrql;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    switch (Number) {
    case 1: /* completes what is complete */
        IoCallDriver(Device, Irp);
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        IoCompleteRequest(Irp, IO_NO_INCREMENT); /* [1] */
        break;
    case 2:
    case 3:
    case 4:
    case 12:
    case 13:
    case 14:
    case 37:
    case 38:
        IoCallDriver(Device, Irp); /* [14] */
        if (Number == 38)
            IoFreeIrp(Irp);
        if (Number == 13) {
            Irp->IoStatus.Status = STATUS_SUCCESS;
            IoCompleteRequest(Irp, IO_NO_INCREMENT); /* not to blame for the routine */
        }
        break;
    case 5: /* more drivers than locations */
        IoSetNextIrpStackLocation(Irp);
        IoCallDriver(Device, Irp); /* [5] */
        break;
    case 6: /* frees twice */
        IoFreeIrp(Irp);
        IoFreeIrp(Irp); /* [6] */
        break;
    case 7: /* frees what belongs to the thread */
        IoFreeIrp(IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Device, NULL, 0, NULL, &Event, /* [7] */
                                               (PIO_STATUS_BLOCK)Nothing));
        break;
    case 8: /* no IRP at all */
        RtlZeroMemory(Nothing, sizeof(Nothing));
        IoCallDriver(Device, (PIRP)Nothing); /* [8] */
        break;
    case 9: /* passes on an IRP that its own cancel routine could cancel */
        IoSetCancelRoutine(Irp, Cancel);
        IoCallDriver(Device, Irp); /* [9] */
        break;
    case 10: /* detaches twice */
        IoDetachDevice(Device);
        IoDetachDevice(Device); /* [10] */
        break;
    case 11:                   /* deletes what is attached */
        IoDeleteDevice(Upper); /* [11] */
        break;
    /* At DISPATCH_LEVEL, so that no worker takes the item: there is one processor. */
    case 15: /* frees a queued work item */
        Item = IoAllocateWorkItem(Device);
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        IoQueueWorkItem(Item, Work, DelayedWorkQueue, &Event);
        IoFreeWorkItem(Item); /* [15] */
        break;
    case 16: /* queues a work item twice */
        Item = IoAllocateWorkItem(Device);
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        IoQueueWorkItem(Item, Work, DelayedWorkQueue, &Event);
        IoQueueWorkItem(Item, Work, CriticalWorkQueue, &Event); /* [16] */
        break;
    case 21: /* gives up the memory of a queued work item */
        Item = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), 'oiBt');
        IoInitializeWorkItem(Device, Item);
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        IoQueueWorkItemEx(Item, WorkEx, DelayedWorkQueue, &Event);
        IoUninitializeWorkItem(Item); /* [21] */
        break;
    case 22: /* a work item for what is no device */
        Item = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), 'oiBt');
        IoInitializeWorkItem(NoDevice, Item); /* [22] */
        break;
    case 23: /* a work item for nothing */ IoAllocateWorkItem(NULL); break; /* [23] */
    case 24:                                                                /* a work item without a routine */
        Item = IoAllocateWorkItem(Device);
        IoQueueWorkItem(Item, NULL, DelayedWorkQueue, NULL); /* [24] */
        break;
    case 25: /* a work routine that returns in a critical region */
        Item = IoAllocateWorkItem(Device);
        IoQueueWorkItem(Item, StayCritical, DelayedWorkQueue, NULL);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        break;
    case 17: /* keeps the cancel spin lock */
        IoSetNextIrpStackLocation(Irp);
        IoSetCancelRoutine(Irp, CancelWithoutRelease);
        IoCancelIrp(Irp);
        break;
    case 18: /* a handle that is not open */ ZwClose((HANDLE)0xFFFFFFFF80001234); break; /* [18] */
    case 19:                         /* gives back a reference too many */
        ObDereferenceObject(Device); /* [19] */
        ObDereferenceObject(Device);
        ObReferenceObject(Device);
        break;
    case 20:                               /* a work item that nobody frees: found at unload */
        Item = IoAllocateWorkItem(Device); /* [20] */
        IoFreeIrp(Irp);
        break;
    default:
        if (Number > 30)
            More();
        else
            IoCallDriver(Device, Irp);
        IoFreeIrp(Irp);
        break;
    }
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(Upper);
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Number = Fault(RegistryPath);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        DriverObject->MajorFunction[i] = Dispatch;
    DriverObject->DriverUnload = Unload;
    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)) ||
        !NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Upper)))
        return STATUS_INSUFFICIENT_RESOURCES;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    if (Number == 10 || Number == 11)
        IoAttachDeviceToDeviceStack(Upper, Device);
    Upper->Flags &= ~DO_DEVICE_INITIALIZING;
    Misuse();
    return STATUS_SUCCESS;
}

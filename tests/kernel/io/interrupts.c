// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connecting interrupts to the machine's interrupt source, of which this is the driver for once: by message, fully specified, and
 * by IoConnectInterrupt; what is refused.
 */
#include <ntifs.h>

#include <fltvm.h>

static PDEVICE_OBJECT Lower;

static BOOLEAN NTAPI Serve(PKINTERRUPT Interrupt, PVOID Context)
{
    return FALSE;
}

static BOOLEAN NTAPI MessageService(PKINTERRUPT Interrupt, PVOID Context, ULONG Message)
{
    return FALSE;
}

static ULONG Runs;

static BOOLEAN NTAPI Synchronized(PVOID Context)
{
    Runs++;
    return KeGetCurrentIrql() == *(PKIRQL)Context;
}

static VOID CheckRefusals(PDEVICE_OBJECT Pdo)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = 99};
    PKINTERRUPT Interrupt;

    FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_NOT_SUPPORTED);
    FvCheck(Parameters.Version == CONNECT_FULLY_SPECIFIED); /* what to try next */
    RtlZeroMemory(&Parameters, sizeof(Parameters));
    Parameters.Version = CONNECT_LINE_BASED;
    Parameters.LineBased.PhysicalDeviceObject = Pdo;
    Parameters.LineBased.InterruptObject = &Interrupt;
    FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_NOT_FOUND); /* the function has no line */
    FvCheck(IoConnectInterrupt(&Interrupt, Serve, NULL, NULL, 0x31, 3, 3, Latched, FALSE, 1, FALSE) ==
            STATUS_INVALID_PARAMETER);
}

/* What the table of messages says of the first is what a fully specified connection wants. */
static VOID CheckSpecified(const IO_INTERRUPT_MESSAGE_INFO_ENTRY *Entry)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters;
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect;
    PKINTERRUPT Interrupt = NULL, Second = NULL;
    KIRQL Irql;

    FvCheck(IoConnectInterrupt(&Interrupt, Serve, NULL, NULL, Entry->Vector, Entry->Irql, Entry->Irql - 1, Latched,
                               FALSE, Entry->TargetProcessorSet, FALSE) == STATUS_INVALID_PARAMETER);
    FvCheck(IoConnectInterrupt(&Interrupt, Serve, NULL, NULL, Entry->Vector, Entry->Irql, Entry->Irql, Latched, FALSE,
                               Entry->TargetProcessorSet, FALSE) == STATUS_SUCCESS &&
            Interrupt != NULL);
    FvCheck(IoConnectInterrupt(&Second, Serve, NULL, NULL, Entry->Vector, Entry->Irql, Entry->Irql, Latched, FALSE,
                               Entry->TargetProcessorSet, FALSE) == STATUS_INVALID_PARAMETER &&
            Second == NULL);
    Irql = Entry->Irql;
    FvCheck(KeSynchronizeExecution(Interrupt, Synchronized, &Irql) && Runs == 1);
    Irql = KeAcquireInterruptSpinLock(Interrupt);
    FvCheck(Irql == PASSIVE_LEVEL && KeGetCurrentIrql() == Entry->Irql);
    KeReleaseInterruptSpinLock(Interrupt, Irql);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
    IoDisconnectInterrupt(Interrupt);

    RtlZeroMemory(&Parameters, sizeof(Parameters));
    Parameters.Version = CONNECT_FULLY_SPECIFIED;
    Parameters.FullySpecified.PhysicalDeviceObject = Lower;
    Parameters.FullySpecified.InterruptObject = &Interrupt;
    Parameters.FullySpecified.ServiceRoutine = Serve;
    Parameters.FullySpecified.Vector = Entry->Vector;
    Parameters.FullySpecified.Irql = Parameters.FullySpecified.SynchronizeIrql = Entry->Irql;
    Parameters.FullySpecified.InterruptMode = Latched;
    Parameters.FullySpecified.ProcessorEnableMask = Entry->TargetProcessorSet;
    FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_SUCCESS);
    RtlZeroMemory(&Disconnect, sizeof(Disconnect));
    Disconnect.Version = CONNECT_FULLY_SPECIFIED;
    Disconnect.ConnectionContext.InterruptObject = Interrupt;
    IoDisconnectInterruptEx(&Disconnect);
    FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_SUCCESS); /* it is free again */
    Disconnect.ConnectionContext.InterruptObject = Interrupt;
    IoDisconnectInterruptEx(&Disconnect);
}

static VOID CheckMessages(PDEVICE_OBJECT Pdo)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_MESSAGE_BASED};
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect;
    PIO_INTERRUPT_MESSAGE_INFO Messages = NULL;
    IO_INTERRUPT_MESSAGE_INFO_ENTRY First;

    Parameters.MessageBased.PhysicalDeviceObject = Pdo;
    Parameters.MessageBased.ConnectionContext.InterruptMessageTable = &Messages;
    Parameters.MessageBased.MessageServiceRoutine = MessageService;
    if (!FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_SUCCESS && Messages != NULL && Messages->MessageCount > 0))
        return;
    First = Messages->MessageInfo[0];
    FvCheck(First.Irql > DISPATCH_LEVEL && First.Irql <= Messages->UnifiedIrql && First.InterruptObject != NULL);
    FvCheck(IoConnectInterruptEx(&Parameters) == STATUS_INVALID_PARAMETER); /* connected already */
    RtlZeroMemory(&Disconnect, sizeof(Disconnect));
    Disconnect.Version = CONNECT_MESSAGE_BASED;
    Disconnect.ConnectionContext.InterruptMessageTable = Messages;
    IoDisconnectInterruptEx(&Disconnect);
    CheckSpecified(&First);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    PDEVICE_OBJECT Next = Lower;
    NTSTATUS Status;

    if (Minor == IRP_MN_START_DEVICE) {
        IoForwardIrpSynchronously(Lower, Irp);
        Status = Irp->IoStatus.Status;
        if (FvCheck(Status == STATUS_SUCCESS)) {
            CheckRefusals(Lower);
            CheckMessages(Lower);
        }
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    Status = IoCallDriver(Next, Irp);
    if (Minor == IRP_MN_REMOVE_DEVICE) {
        IoDetachDevice(Next);
        IoDeleteDevice(DeviceObject);
    }
    return Status;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject);

    if (!NT_SUCCESS(Status))
        return Status;
    Lower = IoAttachDeviceToDeviceStack(DeviceObject, Pdo);
    DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(16);
    DriverObject->DriverExtension->AddDevice = AddDevice;
    DriverObject->MajorFunction[IRP_MJ_PNP] = Pnp;
    return STATUS_SUCCESS;
}

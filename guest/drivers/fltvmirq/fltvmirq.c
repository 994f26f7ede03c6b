/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvmirq.sys: the driver of the interrupt source (docs/specs/fltvm-irq.rst, sdk/include/fltvm_irq.h).
 *
 * It does little on purpose: every pulse is acknowledged and counted at DIRQL, handed to the routine that a
 * driver under test connected, and followed by a DPC.  What pulses when is the scenario's business.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <request.h>
#include <control.h>
#include <irq.h>
#include <fltvm_irq.h>

/* What drivers under test send and what the scenario client sends. */
C_ASSERT(IOCTL_FLTVM_WRITE_REGISTERS == FLTVM_CONTROL_WRITE_REGISTERS);
C_ASSERT(IOCTL_FLTVM_READ_REGISTERS == FLTVM_CONTROL_READ_REGISTERS);
C_ASSERT(IOCTL_FLTVM_IRQ_COUNTS == FLTVM_CONTROL_INTERRUPT_COUNTS);
C_ASSERT(sizeof(FLTVM_IRQ_COUNTS) == sizeof(struct fltvm_interrupt_counts));

#define IRQ_SOURCES 32

typedef struct _IRQ_SOURCE {
    FLTVM_IRQ_COUNTS Counts;
    PFLTVM_IRQ_ROUTINE Routine;
    PVOID Context;
    ULONG Vector; /* as last written to the source's VECTOR register */
} IRQ_SOURCE, *PIRQ_SOURCE;

typedef struct _IRQ_EXTENSION {
    PDEVICE_OBJECT Pdo;
    PDEVICE_OBJECT Lower;
    BOOLEAN Started;
    PUCHAR Registers;
    PIO_INTERRUPT_MESSAGE_INFO Messages;
    ULONG SourceCount;
    KDPC Dpc;
    /* Guarded by the interrupt spin locks: Source by that of its vector's. */
    IRQ_SOURCE Source[IRQ_SOURCES];
} IRQ_EXTENSION, *PIRQ_EXTENSION;

static ULONG IrqRead(PIRQ_EXTENSION Extension, ULONG Offset)
{
    return READ_REGISTER_ULONG((PULONG)(Extension->Registers + Offset));
}

static VOID IrqWrite(PIRQ_EXTENSION Extension, ULONG Offset, ULONG Value)
{
    WRITE_REGISTER_ULONG((PULONG)(Extension->Registers + Offset), Value);
}

/* --- interrupts ---------------------------------------------------------------------------------------- */

/* DISPATCH_LEVEL. */
static VOID NTAPI IrqDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PIRQ_EXTENSION Extension = Context;

    for (ULONG Source = 0; Source < Extension->SourceCount; Source++) {
        if ((ULONG)(ULONG_PTR)Argument1 & (1u << Source))
            InterlockedIncrement((volatile LONG *)&Extension->Source[Source].Counts.Dpcs);
    }
}

/* A connected routine has to leave things as an interrupt service routine has to. */
static VOID IrqCall(PIRQ_SOURCE Source, ULONG Number)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Source->Routine(Source->Context, Number);
    FvEndCall(&Call, (PVOID)Source->Routine, "interrupt service routine", (ULONG_PTR)Source);
}

/* DIRQL, the message's interrupt spin lock held. */
static BOOLEAN NTAPI IrqIsr(PKINTERRUPT Interrupt, PVOID Context, ULONG MessageId)
{
    PIRQ_EXTENSION Extension = Context;
    ULONG Pending = IrqRead(Extension, FLTVM_IRQ_REG_PENDING), Served = 0;

    for (ULONG Number = 0; Number < Extension->SourceCount; Number++) {
        PIRQ_SOURCE Source = &Extension->Source[Number];
        if (!(Pending & (1u << Number)) || Source->Vector != MessageId)
            continue;
        IrqWrite(Extension, FLTVM_IRQ_REG_SOURCE(Number) + FLTVM_IRQ_SOURCE_COMMAND, FLTVM_IRQ_COMMAND_ACKNOWLEDGE);
        Source->Counts.Interrupts++;
        Served |= 1u << Number;
        if (Source->Routine != NULL)
            IrqCall(Source, Number);
    }
    if (Served != 0)
        KeInsertQueueDpc(&Extension->Dpc, (PVOID)(ULONG_PTR)Served, NULL);
    return Served != 0;
}

typedef struct _IRQ_CONNECT_CONTEXT {
    PIRQ_SOURCE Source;
    FLTVM_IRQ_CONNECT Connect;
} IRQ_CONNECT_CONTEXT, *PIRQ_CONNECT_CONTEXT;

static BOOLEAN NTAPI IrqConnectSynchronized(PVOID Context)
{
    PIRQ_CONNECT_CONTEXT Connect = Context;

    Connect->Source->Routine = Connect->Connect.Routine;
    Connect->Source->Context = Connect->Connect.Context;
    return TRUE;
}

/* PASSIVE_LEVEL to DISPATCH_LEVEL. */
static NTSTATUS IrqConnect(PIRQ_EXTENSION Extension, const FLTVM_IRQ_CONNECT *Connect)
{
    IRQ_CONNECT_CONTEXT Context;

    if (Connect->Source >= Extension->SourceCount)
        return STATUS_INVALID_PARAMETER;
    if (Connect->Routine != NULL)
        FvCheckRoutine((PVOID)Connect->Routine, "interrupt service routine");
    Context.Source = &Extension->Source[Connect->Source];
    Context.Connect = *Connect;
    if (Context.Source->Vector >= Extension->Messages->MessageCount)
        return STATUS_INVALID_DEVICE_STATE;
    KeSynchronizeExecution(Extension->Messages->MessageInfo[Context.Source->Vector].InterruptObject,
                           IrqConnectSynchronized, &Context);
    return STATUS_SUCCESS;
}

/* --- controls ------------------------------------------------------------------------------------------ */

/* A scenario may write every register but must not crash the machine by an address outside. */
static BOOLEAN IrqOffsetValid(ULONG Offset)
{
    return Offset < FLTVM_IRQ_BAR_SIZE && Offset % sizeof(ULONG) == 0;
}

static NTSTATUS IrqWriteRegisters(PIRQ_EXTENSION Extension, const ULONG *Pairs, ULONG Length)
{
    if (Length % (2 * sizeof(ULONG)) != 0)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < Length / sizeof(ULONG); Index += 2) {
        ULONG Offset = Pairs[Index], Value = Pairs[Index + 1];

        if (!IrqOffsetValid(Offset))
            return STATUS_INVALID_PARAMETER;
        for (ULONG Number = 0; Number < Extension->SourceCount; Number++) {
            if (Offset == FLTVM_IRQ_REG_SOURCE(Number) + FLTVM_IRQ_SOURCE_VECTOR)
                Extension->Source[Number].Vector = Value;
        }
        IrqWrite(Extension, Offset, Value);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS IrqReadRegisters(PIRQ_EXTENSION Extension, PULONG List, ULONG InLength, ULONG OutLength,
                                 PULONG_PTR Information)
{
    if (InLength % sizeof(ULONG) != 0 || OutLength < InLength)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < InLength / sizeof(ULONG); Index++) {
        if (!IrqOffsetValid(List[Index]))
            return STATUS_INVALID_PARAMETER;
        List[Index] = IrqRead(Extension, List[Index]);
    }
    *Information = InLength;
    return STATUS_SUCCESS;
}

static NTSTATUS IrqCounts(PIRQ_EXTENSION Extension, PFLTVM_IRQ_COUNTS List, ULONG OutLength, PULONG_PTR Information)
{
    ULONG Length = Extension->SourceCount * sizeof(FLTVM_IRQ_COUNTS);

    if (OutLength < Length)
        return STATUS_BUFFER_TOO_SMALL;
    for (ULONG Number = 0; Number < Extension->SourceCount; Number++)
        List[Number] = Extension->Source[Number].Counts;
    *Information = Length;
    return STATUS_SUCCESS;
}

static NTSTATUS IrqControl(PIRQ_EXTENSION Extension, PIRP Irp, PIO_STACK_LOCATION Location)
{
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG InLength = Location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutLength = Location->Parameters.DeviceIoControl.OutputBufferLength;

    if (!Extension->Started)
        return STATUS_DEVICE_NOT_READY;
    switch (Location->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_FLTVM_WRITE_REGISTERS: return IrqWriteRegisters(Extension, Buffer, InLength);
    case IOCTL_FLTVM_READ_REGISTERS:
        return IrqReadRegisters(Extension, Buffer, InLength, OutLength, &Irp->IoStatus.Information);
    case IOCTL_FLTVM_IRQ_COUNTS: return IrqCounts(Extension, Buffer, OutLength, &Irp->IoStatus.Information);
    case IOCTL_FLTVM_IRQ_CONNECT:
        if (Location->MajorFunction != IRP_MJ_INTERNAL_DEVICE_CONTROL || InLength < sizeof(FLTVM_IRQ_CONNECT))
            return STATUS_INVALID_PARAMETER;
        return IrqConnect(Extension, Location->Parameters.DeviceIoControl.Type3InputBuffer);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS NTAPI IrqDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    Irp->IoStatus.Information = 0;
    if (Location->MajorFunction == IRP_MJ_DEVICE_CONTROL || Location->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL)
        Status = IrqControl(DeviceObject->DeviceExtension, Irp, Location);
    return DriverComplete(Irp, Status, Irp->IoStatus.Information);
}

/* --- starting and stopping ----------------------------------------------------------------------------- */

static NTSTATUS NTAPI IrqForwarded(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Event)
{
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS IrqForwardAndWait(PIRQ_EXTENSION Extension, PIRP Irp)
{
    KEVENT Event;
    NTSTATUS Status;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, IrqForwarded, &Event, TRUE, TRUE, TRUE);
    Status = IoCallDriver(Extension->Lower, Irp);
    if (Status == STATUS_PENDING)
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

static NTSTATUS IrqConnectInterrupts(PIRQ_EXTENSION Extension)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters;

    RtlZeroMemory(&Parameters, sizeof(Parameters));
    Parameters.Version = CONNECT_MESSAGE_BASED;
    Parameters.MessageBased.PhysicalDeviceObject = Extension->Pdo;
    Parameters.MessageBased.ConnectionContext.InterruptMessageTable = &Extension->Messages;
    Parameters.MessageBased.MessageServiceRoutine = IrqIsr;
    Parameters.MessageBased.ServiceContext = Extension;
    return IoConnectInterruptEx(&Parameters);
}

static NTSTATUS IrqStart(PIRQ_EXTENSION Extension, PCM_RESOURCE_LIST Resources)
{
    PCM_PARTIAL_RESOURCE_LIST List;

    if (Resources == NULL)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    List = &Resources->List[0].PartialResourceList;
    for (ULONG Index = 0; Index < List->Count && Extension->Registers == NULL; Index++) {
        PCM_PARTIAL_RESOURCE_DESCRIPTOR Part = &List->PartialDescriptors[Index];
        if (Part->Type == CmResourceTypeMemory && Part->u.Memory.Length >= FLTVM_IRQ_BAR_SIZE)
            Extension->Registers = MmMapIoSpace(Part->u.Memory.Start, FLTVM_IRQ_BAR_SIZE, MmNonCached);
    }
    if (Extension->Registers == NULL)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    if (IrqRead(Extension, FLTVM_IRQ_REG_ID) != FLTVM_IRQ_ID ||
        IrqRead(Extension, FLTVM_IRQ_REG_VERSION) != FLTVM_IRQ_VERSION)
        return STATUS_NO_SUCH_DEVICE;
    Extension->SourceCount = min(IrqRead(Extension, FLTVM_IRQ_REG_SOURCES), IRQ_SOURCES);
    for (ULONG Number = 0; Number < Extension->SourceCount; Number++)
        Extension->Source[Number].Vector = IrqRead(Extension, FLTVM_IRQ_REG_SOURCE(Number) + FLTVM_IRQ_SOURCE_VECTOR);
    return IrqConnectInterrupts(Extension);
}

static VOID IrqStop(PIRQ_EXTENSION Extension)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters;

    for (ULONG Number = 0; Extension->Registers != NULL && Number < Extension->SourceCount; Number++)
        IrqWrite(Extension, FLTVM_IRQ_REG_SOURCE(Number) + FLTVM_IRQ_SOURCE_COMMAND, FLTVM_IRQ_COMMAND_DISARM);
    if (Extension->Messages != NULL) {
        RtlZeroMemory(&Parameters, sizeof(Parameters));
        Parameters.Version = CONNECT_MESSAGE_BASED;
        Parameters.ConnectionContext.InterruptMessageTable = Extension->Messages;
        IoDisconnectInterruptEx(&Parameters);
        Extension->Messages = NULL;
    }
    KeRemoveQueueDpc(&Extension->Dpc);
    KeFlushQueuedDpcs();
    if (Extension->Registers != NULL)
        MmUnmapIoSpace(Extension->Registers, FLTVM_IRQ_BAR_SIZE);
    Extension->Registers = NULL;
    Extension->Started = FALSE;
}

static NTSTATUS NTAPI IrqPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIRQ_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT Lower = Extension->Lower;
    NTSTATUS Status;

    switch (Location->MinorFunction) {
    case IRP_MN_START_DEVICE:
        Status = IrqForwardAndWait(Extension, Irp);
        if (NT_SUCCESS(Status))
            Status = IrqStart(Extension, Location->Parameters.StartDevice.AllocatedResourcesTranslated);
        if (NT_SUCCESS(Status))
            Extension->Started = TRUE;
        else
            IrqStop(Extension);
        Irp->IoStatus.Status = Status;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    case IRP_MN_REMOVE_DEVICE:
        IrqStop(Extension);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        IoSkipCurrentIrpStackLocation(Irp);
        Status = IoCallDriver(Lower, Irp);
        IoDetachDevice(Lower);
        IoDeleteDevice(DeviceObject);
        return Status;
    default: IoSkipCurrentIrpStackLocation(Irp); return IoCallDriver(Lower, Irp);
    }
}

static NTSTATUS NTAPI IrqAddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(FLTVM_IRQ_DEVICE_NAME);
    PDEVICE_OBJECT DeviceObject;
    PIRQ_EXTENSION Extension;
    NTSTATUS Status =
        IoCreateDevice(DriverObject, sizeof(IRQ_EXTENSION), &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject);

    if (!NT_SUCCESS(Status))
        return Status;
    Extension = DeviceObject->DeviceExtension;
    Extension->Pdo = Pdo;
    KeInitializeDpc(&Extension->Dpc, IrqDpc, Extension);
    Extension->Lower = IoAttachDeviceToDeviceStack(DeviceObject, Pdo);
    if (Extension->Lower == NULL) {
        IoDeleteDevice(DeviceObject);
        return STATUS_NO_SUCH_DEVICE;
    }
    DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI IrqUnload(PDRIVER_OBJECT DriverObject)
{
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverExtension->AddDevice = IrqAddDevice;
    DriverObject->DriverUnload = IrqUnload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = IrqDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = IrqDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = IrqDispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = IrqDispatch;
    DriverObject->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = IrqDispatch;
    DriverObject->MajorFunction[IRP_MJ_PNP] = IrqPnp;
    return STATUS_SUCCESS;
}

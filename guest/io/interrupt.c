/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting interrupts: by message (the devices' own way here), fully specified, and the old
 * IoConnectInterrupt.
 *
 * There are no line interrupts on this machine's PCI functions, so a line-based request is refused as on a
 * Windows machine whose device has none.  Vectors were given out by the bus; connecting unmasks the message.
 */
#include "iop.h"

static PKINTERRUPT IopConnect(PKSERVICE_ROUTINE ServiceRoutine, PKMESSAGE_SERVICE_ROUTINE MessageRoutine, PVOID Context,
                              ULONG MessageId, PKSPIN_LOCK SpinLock, PIOP_PCI_MESSAGE Message, KIRQL SynchronizeIrql,
                              KINTERRUPT_MODE Mode, BOOLEAN Share)
{
    PKINTERRUPT Interrupt = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Interrupt), IOP_TAG_INTR);

    if (Interrupt == NULL) {
        return NULL;
    }
    KeInitializeInterrupt(Interrupt, ServiceRoutine, MessageRoutine, Context, MessageId, SpinLock, Message->Vector,
                          Message->Irql, SynchronizeIrql, Mode, Share, Message->Number);
    if (!KeConnectInterrupt(Interrupt)) {
        ExFreePoolWithTag(Interrupt, IOP_TAG_INTR);
        return NULL;
    }
    return Interrupt;
}

static VOID IopDisconnectMessages(PIOP_PCI_DEVICE Device, ULONG Count)
{
    ULONG Index;

    for (Index = 0; Index < Count; Index++) {
        PIOP_PCI_MESSAGE Message = &Device->Message[Index];

        if (Message->Interrupt != NULL) {
            IopPciMaskMessage(Device, Index, TRUE);
            KeDisconnectInterrupt(Message->Interrupt);
            ExFreePoolWithTag(Message->Interrupt, IOP_TAG_INTR);
            Message->Interrupt = NULL;
        }
    }
}

static VOID IopDescribeMessage(PIO_INTERRUPT_MESSAGE_INFO_ENTRY Entry, PIOP_PCI_DEVICE Device, ULONG Index)
{
    volatile ULONG *TableEntry = Device->MessageTable + Index * 4;
    PIOP_PCI_MESSAGE Message = &Device->Message[Index];

    Entry->MessageAddress.QuadPart = (LONGLONG)(((ULONG64)TableEntry[1] << 32) | TableEntry[0]);
    Entry->MessageData = TableEntry[2];
    Entry->TargetProcessorSet = (KAFFINITY)1 << Message->Number;
    Entry->InterruptObject = Message->Interrupt;
    Entry->Vector = Message->Vector;
    Entry->Irql = Message->Irql;
    Entry->Mode = Latched;
    Entry->Polarity = InterruptActiveHigh;
}

static NTSTATUS IopConnectMessages(PIO_CONNECT_INTERRUPT_MESSAGE_BASED_PARAMETERS Parameters)
{
    PIOP_PCI_DEVICE Device = IopPciFromPdo(Parameters->PhysicalDeviceObject);
    PIO_INTERRUPT_MESSAGE_INFO Information;
    ULONG Index;

    if (Device == NULL || !Device->Started) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Device->Messages == 0) {
        return STATUS_NOT_FOUND;
    }
    if (Device->Connection != NULL || Device->Message[0].Interrupt != NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Information = ExAllocatePoolWithTag(
        NonPagedPoolNx, sizeof(*Information) + Device->Messages * sizeof(Information->MessageInfo[0]), IOP_TAG_INTR);
    if (Information == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Information->MessageCount = Device->Messages;
    Information->UnifiedIrql = 0;
    for (Index = 0; Index < Device->Messages; Index++) {
        Information->UnifiedIrql = max(Information->UnifiedIrql, Device->Message[Index].Irql);
    }
    for (Index = 0; Index < Device->Messages; Index++) {
        PIOP_PCI_MESSAGE Message = &Device->Message[Index];
        /* One lock for several messages is taken at the highest of their levels. */
        KIRQL SynchronizeIrql = Parameters->SynchronizeIrql != 0 ? Parameters->SynchronizeIrql
                                : Parameters->SpinLock != NULL   ? Information->UnifiedIrql
                                                                 : Message->Irql;

        Message->Interrupt = IopConnect(NULL, Parameters->MessageServiceRoutine, Parameters->ServiceContext, Index,
                                        Parameters->SpinLock, Message, SynchronizeIrql, Latched, FALSE);
        if (Message->Interrupt == NULL) {
            IopDisconnectMessages(Device, Index);
            ExFreePoolWithTag(Information, IOP_TAG_INTR);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    Device->Connection = Information;
    *Parameters->ConnectionContext.InterruptMessageTable = Information;
    for (Index = 0; Index < Device->Messages; Index++) {
        IopPciMaskMessage(Device, Index, FALSE);
        IopDescribeMessage(&Information->MessageInfo[Index], Device, Index);
    }
    return STATUS_SUCCESS;
}

static PIOP_PCI_DEVICE IopFindVector(ULONG Vector, KIRQL Irql, KAFFINITY Processors, PULONG Index)
{
    PLIST_ENTRY Entry;

    for (Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);

        for (*Index = 0; *Index < Device->Messages; (*Index)++) {
            PIOP_PCI_MESSAGE Message = &Device->Message[*Index];

            if (Message->Vector == Vector && Message->Irql == Irql && ((Processors >> Message->Number) & 1) != 0) {
                return Device;
            }
        }
    }
    return NULL;
}

static NTSTATUS IopConnectSpecified(PKINTERRUPT *InterruptObject, PKSERVICE_ROUTINE ServiceRoutine, PVOID Context,
                                    PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql, KIRQL SynchronizeIrql,
                                    KINTERRUPT_MODE Mode, BOOLEAN Share, KAFFINITY Processors)
{
    PIOP_PCI_DEVICE Device;
    ULONG Index;

    *InterruptObject = NULL;
    if (SynchronizeIrql < Irql) {
        return STATUS_INVALID_PARAMETER;
    }
    Device = IopFindVector(Vector, Irql, Processors, &Index);
    if (Device == NULL || !Device->Started || Device->Message[Index].Interrupt != NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Device->Message[Index].Interrupt = IopConnect(ServiceRoutine, NULL, Context, Index, SpinLock,
                                                  &Device->Message[Index], SynchronizeIrql, Mode, Share);
    if (Device->Message[Index].Interrupt == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *InterruptObject = Device->Message[Index].Interrupt;
    IopPciMaskMessage(Device, Index, FALSE);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    switch (Parameters->Version) {
    case CONNECT_MESSAGE_BASED: return IopConnectMessages(&Parameters->MessageBased);
    case CONNECT_FULLY_SPECIFIED:
    case CONNECT_FULLY_SPECIFIED_GROUP: {
        PIO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS Full = &Parameters->FullySpecified;

        return IopConnectSpecified(Full->InterruptObject, Full->ServiceRoutine, Full->ServiceContext, Full->SpinLock,
                                   Full->Vector, Full->Irql, Full->SynchronizeIrql, Full->InterruptMode,
                                   Full->ShareVector, Full->ProcessorEnableMask);
    }
    case CONNECT_LINE_BASED:
        return IopPciFromPdo(Parameters->LineBased.PhysicalDeviceObject) != NULL ? STATUS_NOT_FOUND
                                                                                 : STATUS_INVALID_PARAMETER;
    default:
        Parameters->Version = CONNECT_FULLY_SPECIFIED; /* what every system supports, for the caller to try next */
        return STATUS_NOT_SUPPORTED;
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoConnectInterrupt(PKINTERRUPT *InterruptObject, PKSERVICE_ROUTINE ServiceRoutine, PVOID ServiceContext,
                                  PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql, KIRQL SynchronizeIrql,
                                  KINTERRUPT_MODE InterruptMode, BOOLEAN ShareVector, KAFFINITY ProcessorEnableMask,
                                  BOOLEAN FloatingSave)
{
    UNREFERENCED_PARAMETER(FloatingSave); /* interrupts save the volatile vector registers always */
    return IopConnectSpecified(InterruptObject, ServiceRoutine, ServiceContext, SpinLock, Vector, Irql, SynchronizeIrql,
                               InterruptMode, ShareVector, ProcessorEnableMask);
}

/* PASSIVE_LEVEL.  When it returns the routine does not run and will not any more. */
VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    PLIST_ENTRY Entry;
    ULONG Index;

    for (Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);

        for (Index = 0; Index < Device->Messages; Index++) {
            if (Device->Message[Index].Interrupt == InterruptObject) {
                IopPciMaskMessage(Device, Index, TRUE);
                KeDisconnectInterrupt(InterruptObject);
                Device->Message[Index].Interrupt = NULL;
                ExFreePoolWithTag(InterruptObject, IOP_TAG_INTR);
                return;
            }
        }
    }
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoDisconnectInterruptEx(PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters)
{
    PLIST_ENTRY Entry;

    if (Parameters->Version != CONNECT_MESSAGE_BASED) {
        IoDisconnectInterrupt(Parameters->ConnectionContext.InterruptObject);
        return;
    }
    for (Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);

        if (Device->Connection == Parameters->ConnectionContext.InterruptMessageTable) {
            IopDisconnectMessages(Device, Device->Messages);
            ExFreePoolWithTag(Device->Connection, IOP_TAG_INTR);
            Device->Connection = NULL;
            return;
        }
    }
}

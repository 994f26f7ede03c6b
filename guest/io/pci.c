/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI bus: finds the functions, gives them addresses where no firmware did, and stands for each with a
 * physical device object.
 *
 * Configuration space is memory (ECAM) in the direct map.  Every function found gets its vectors at once: one
 * a message, spread over the processors.  Drivers get at all this the documented way: AddDevice,
 * IRP_MN_START_DEVICE's resources, IoConnectInterruptEx and the BUS_INTERFACE_STANDARD interface.
 */
#include "iop.h"
#include <hal.h>
#include <pci.h>
#include <initguid.h>
#include <wdmguid.h>

#define PCI_REG_ID         0x00
#define PCI_REG_COMMAND    0x04
#define PCI_REG_CLASS      0x08
#define PCI_REG_HEADER     0x0C
#define PCI_REG_BAR0       0x10
#define PCI_REG_BUSES      0x18
#define PCI_REG_CAPABILITY 0x34

#define PCI_COMMAND_MEMORY    0x2
#define PCI_COMMAND_MASTER    0x4
#define PCI_COMMAND_NO_INTX   0x400
#define PCI_STATUS_CAPABILITY 0x100000

#define PCI_CAPABILITY_MSIX 0x11
#define PCI_MSIX_ENABLE     0x80000000u
#define PCI_MSIX_MASK_ALL   0x40000000u
#define PCI_MSIX_MASKED     0x1u

#define IOP_STORAGE_IRQL 6

LIST_ENTRY IopPciDevices = {&IopPciDevices, &IopPciDevices};
static PDRIVER_OBJECT IopPciDriver;
static ULONG64 IopNextBar;

static volatile ULONG *IopPciRegister(ULONG Bus, ULONG Device, ULONG Function, ULONG Offset)
{
    return (volatile ULONG *)((PUCHAR)HAL_DIRECT(HalLoaderBlock->ecam) +
                              ((Bus << 20) | (Device << 15) | (Function << 12) | (Offset & 0xFFC)));
}

static ULONG IopPciRead(PIOP_PCI_DEVICE Device, ULONG Offset)
{
    return *IopPciRegister(Device->Bus, Device->Device, Device->Function, Offset);
}

static VOID IopPciWrite(PIOP_PCI_DEVICE Device, ULONG Offset, ULONG Value)
{
    *IopPciRegister(Device->Bus, Device->Device, Device->Function, Offset) = Value;
}

/* ---- resources -------------------------------------------------------------------------------------------
 */

/* One BAR: its size, and an address if it has none.  How many registers it takes: 1 or 2. */
static ULONG IopPciSizeBar(PIOP_PCI_DEVICE Device, ULONG Index)
{
    ULONG Offset = PCI_REG_BAR0 + Index * 4;
    ULONG Original = IopPciRead(Device, Offset);
    BOOLEAN Wide = (Original & 0x6) == 0x4;
    ULONG HighOriginal = 0;
    ULONG64 Mask;

    if ((Original & 1) != 0) {
        return 1; /* I/O ports: none of our devices has any */
    }
    IopPciWrite(Device, Offset, 0xFFFFFFFF);
    Mask = IopPciRead(Device, Offset) & ~0xFu;
    IopPciWrite(Device, Offset, Original);
    if (Wide) {
        HighOriginal = IopPciRead(Device, Offset + 4);
        IopPciWrite(Device, Offset + 4, 0xFFFFFFFF);
        Mask |= (ULONG64)IopPciRead(Device, Offset + 4) << 32;
        IopPciWrite(Device, Offset + 4, HighOriginal);
    } else {
        Mask |= 0xFFFFFFFF00000000ULL;
    }
    if ((ULONG)Mask == 0) {
        return Wide ? 2 : 1;
    }
    Device->Bar[Index].Size = ~Mask + 1;
    Device->Bar[Index].Base = ((ULONG64)HighOriginal << 32) | (Original & ~0xFu);
    if (HalLoaderBlock->pci_assign != 0) {
        ULONG64 Size = max(Device->Bar[Index].Size, PAGE_SIZE);
        ULONG64 Base = (IopNextBar + Size - 1) & ~(Size - 1);

        if (Base + Size > HalLoaderBlock->pci_memory + HalLoaderBlock->pci_memory_size) {
            Device->Bar[Index].Size = 0; /* the window is full: the device stays without */
            return Wide ? 2 : 1;
        }
        IopNextBar = Base + Size;
        Device->Bar[Index].Base = Base;
        IopPciWrite(Device, Offset, (ULONG)Base);
        if (Wide) {
            IopPciWrite(Device, Offset + 4, (ULONG)(Base >> 32));
        }
    }
    return Wide ? 2 : 1;
}

static VOID IopPciFindCapabilities(PIOP_PCI_DEVICE Device)
{
    ULONG Guard;
    ULONG Offset;

    if ((IopPciRead(Device, PCI_REG_COMMAND) & PCI_STATUS_CAPABILITY) == 0) {
        return;
    }
    Offset = IopPciRead(Device, PCI_REG_CAPABILITY) & 0xFC;
    for (Guard = 0; Offset != 0 && Guard < 48; Guard++) {
        ULONG Header = IopPciRead(Device, Offset);

        if ((Header & 0xFF) == PCI_CAPABILITY_MSIX) {
            Device->MsiXCapability = (UCHAR)Offset;
        }
        Offset = (Header >> 8) & 0xFC;
    }
}

/* Interrupt sources come at every device level, so that code under test can be met at any; others at one. */
static KIRQL IopPciIrqlFor(PIOP_PCI_DEVICE Device, ULONG Index)
{
    if (Device->ClassCode == FLTVM_PCI_CLASS_IRQ) {
        return (KIRQL)(HAL_DEVICE_LEVEL_MINIMUM + Index % (HAL_DEVICE_LEVEL_MAXIMUM - HAL_DEVICE_LEVEL_MINIMUM + 1));
    }
    return IOP_STORAGE_IRQL;
}

/* A level has sixteen vectors on a processor: a storage controller gets one for each, not all it could take.
 */
static ULONG IopPciMessageLimit(PIOP_PCI_DEVICE Device)
{
    return Device->ClassCode == FLTVM_PCI_CLASS_IRQ ? IOP_PCI_MESSAGES : min(KiProcessorCount, IOP_PCI_MESSAGES);
}

static VOID IopPciAssignMessages(PIOP_PCI_DEVICE Device)
{
    ULONG Limit = IopPciMessageLimit(Device);
    ULONG Table;
    ULONG Count;
    ULONG Index;

    if (Device->MsiXCapability == 0) {
        return;
    }
    Count = ((IopPciRead(Device, Device->MsiXCapability) >> 16) & 0x7FF) + 1;
    Table = IopPciRead(Device, Device->MsiXCapability + 4);
    if ((Table & 7) >= IOP_PCI_BARS || Device->Bar[Table & 7].Size < (Table & ~7u) + Count * 16) {
        return;
    }
    Device->MessageTable = (volatile ULONG *)((PUCHAR)HAL_DIRECT(Device->Bar[Table & 7].Base) + (Table & ~7u));
    for (Index = 0; Index < Count && Index < Limit; Index++) {
        PIOP_PCI_MESSAGE Message = &Device->Message[Index];

        Message->Irql = IopPciIrqlFor(Device, Index);
        Message->Number = Index % KiProcessorCount;
        if (!HalAllocateVector(Message->Irql, Message->Number, &Message->Vector)) {
            break;
        }
        Device->Messages++;
    }
}

/* ---- the function at work --------------------------------------------------------------------------------
 */

VOID IopPciMaskMessage(PIOP_PCI_DEVICE Device, ULONG Index, BOOLEAN Mask)
{
    volatile ULONG *Entry = Device->MessageTable + Index * 4;
    ULONG64 Address;
    ULONG Data;

    if (!Mask) {
        HalGetMessageAddress(Device->Message[Index].Number, Device->Message[Index].Vector, &Address, &Data);
        Entry[0] = (ULONG)Address;
        Entry[1] = (ULONG)(Address >> 32);
        Entry[2] = Data;
    }
    Entry[3] = Mask ? PCI_MSIX_MASKED : 0;
}

/* Memory and bus mastering on, every message masked until connected. */
static NTSTATUS IopPciEnable(PIOP_PCI_DEVICE Device)
{
    ULONG Command = IopPciRead(Device, PCI_REG_COMMAND) & 0xFFFF;
    ULONG Index;

    IopPciWrite(Device, PCI_REG_COMMAND, Command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    if (Device->Messages != 0) {
        for (Index = 0; Index < Device->Messages; Index++) {
            IopPciMaskMessage(Device, Index, TRUE);
        }
        IopPciWrite(Device, Device->MsiXCapability,
                    (IopPciRead(Device, Device->MsiXCapability) & ~PCI_MSIX_MASK_ALL) | PCI_MSIX_ENABLE);
    }
    Device->Started = TRUE;
    return STATUS_SUCCESS;
}

static VOID IopPciDisable(PIOP_PCI_DEVICE Device)
{
    if (Device->Messages != 0) {
        IopPciWrite(Device, Device->MsiXCapability, IopPciRead(Device, Device->MsiXCapability) & ~PCI_MSIX_ENABLE);
    }
    IopPciWrite(Device, PCI_REG_COMMAND,
                IopPciRead(Device, PCI_REG_COMMAND) & 0xFFFF & ~(PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY));
    Device->Started = FALSE;
}

PIOP_PCI_DEVICE IopPciFromPdo(PDEVICE_OBJECT Pdo)
{
    return Pdo != NULL && Pdo->DriverObject == IopPciDriver ? Pdo->DeviceExtension : NULL;
}

/* ---- the bus interface that drivers query -----------------------------------------------------------------
 */

static VOID NTAPI IopPciInterfaceReference(PVOID Context)
{
    ObReferenceObject(((PIOP_PCI_DEVICE)Context)->Pdo);
}

static VOID NTAPI IopPciInterfaceDereference(PVOID Context)
{
    ObDereferenceObject(((PIOP_PCI_DEVICE)Context)->Pdo);
}

static BOOLEAN NTAPI IopPciTranslate(PVOID Context, PHYSICAL_ADDRESS BusAddress, ULONG Length, PULONG AddressSpace,
                                     PPHYSICAL_ADDRESS TranslatedAddress)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(AddressSpace);
    *TranslatedAddress = BusAddress; /* bus addresses are physical addresses */
    return TRUE;
}

static ULONG IopPciTransfer(PIOP_PCI_DEVICE Device, PUCHAR Buffer, ULONG Offset, ULONG Length, BOOLEAN Write)
{
    ULONG Done;

    for (Done = 0; Done < Length && Offset + Done < 0x1000; Done++) {
        ULONG Register = (Offset + Done) & ~3u;
        ULONG Shift = ((Offset + Done) & 3) * 8;
        ULONG Value = IopPciRead(Device, Register);

        if (Write) {
            IopPciWrite(Device, Register, (Value & ~(0xFFu << Shift)) | ((ULONG)Buffer[Done] << Shift));
        } else {
            Buffer[Done] = (UCHAR)(Value >> Shift);
        }
    }
    return Done;
}

static ULONG NTAPI IopPciGetBusData(PVOID Context, ULONG DataType, PVOID Buffer, ULONG Offset, ULONG Length)
{
    return DataType == PCI_WHICHSPACE_CONFIG ? IopPciTransfer(Context, Buffer, Offset, Length, FALSE) : 0;
}

static ULONG NTAPI IopPciSetBusData(PVOID Context, ULONG DataType, PVOID Buffer, ULONG Offset, ULONG Length)
{
    return DataType == PCI_WHICHSPACE_CONFIG ? IopPciTransfer(Context, Buffer, Offset, Length, TRUE) : 0;
}

static NTSTATUS IopPciQueryInterface(PIOP_PCI_DEVICE Device, PIO_STACK_LOCATION Stack)
{
    PBUS_INTERFACE_STANDARD Interface = (PBUS_INTERFACE_STANDARD)Stack->Parameters.QueryInterface.Interface;

    if (!IsEqualGUID(Stack->Parameters.QueryInterface.InterfaceType, &GUID_BUS_INTERFACE_STANDARD)) {
        return STATUS_NOT_SUPPORTED;
    }
    if (Stack->Parameters.QueryInterface.Size < sizeof(*Interface)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(Interface, sizeof(*Interface));
    Interface->Size = sizeof(*Interface);
    Interface->Version = 1;
    Interface->Context = Device;
    Interface->InterfaceReference = IopPciInterfaceReference;
    Interface->InterfaceDereference = IopPciInterfaceDereference;
    Interface->TranslateBusAddress = IopPciTranslate;
    Interface->SetBusData = IopPciSetBusData;
    Interface->GetBusData = IopPciGetBusData;
    IopPciInterfaceReference(Device);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI IopPciDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PIOP_PCI_DEVICE Device = DeviceObject->DeviceExtension;
    NTSTATUS Status = Irp->IoStatus.Status; /* what the bus does not know keeps its status */

    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE: Status = IopPciEnable(Device); break;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_REMOVE_DEVICE:
        IopPciDisable(Device);
        Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_INTERFACE: {
        NTSTATUS Answer = IopPciQueryInterface(Device, Stack);

        Status = Answer == STATUS_NOT_SUPPORTED ? Status : Answer;
        break;
    }
    default: break;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* ---- enumeration -----------------------------------------------------------------------------------------
 */

static NTSTATUS IopPciAddFunction(ULONG Bus, ULONG DeviceNumber, ULONG Function)
{
    static ULONG NextName;
    WCHAR NameBuffer[] = L"\\Device\\NTPNP_PCI0000";
    UNICODE_STRING Name;
    PIOP_PCI_DEVICE Device;
    PDEVICE_OBJECT Pdo;
    NTSTATUS Status;
    ULONG Index;

    RtlInitUnicodeString(&Name, NameBuffer);
    for (Index = 0; Index < 4; Index++) {
        NameBuffer[RTL_NUMBER_OF(NameBuffer) - 2 - Index] = L"0123456789ABCDEF"[(NextName >> (Index * 4)) & 0xF];
    }
    Status = IoCreateDevice(IopPciDriver, sizeof(IOP_PCI_DEVICE), &Name, FILE_DEVICE_BUS_EXTENDER,
                            FILE_DEVICE_SECURE_OPEN, FALSE, &Pdo);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    NextName++;
    Device = Pdo->DeviceExtension;
    Device->Pdo = Pdo;
    Device->Bus = (UCHAR)Bus;
    Device->Device = (UCHAR)DeviceNumber;
    Device->Function = (UCHAR)Function;
    Device->VendorId = (USHORT)IopPciRead(Device, PCI_REG_ID);
    Device->DeviceId = (USHORT)(IopPciRead(Device, PCI_REG_ID) >> 16);
    Device->ClassCode = (USHORT)(IopPciRead(Device, PCI_REG_CLASS) >> 16);
    Device->Revision = (UCHAR)IopPciRead(Device, PCI_REG_CLASS);
    for (Index = 0; Index < IOP_PCI_BARS;) {
        Index += IopPciSizeBar(Device, Index);
    }
    if (Device->VendorId == FLTVM_PCI_VENDOR) {
        IopPciFindCapabilities(Device);
        IopPciAssignMessages(Device);
    }
    InsertTailList(&IopPciDevices, &Device->Entry);
    Pdo->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS IopPciScanBus(ULONG Bus, ULONG Depth)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Device;
    ULONG Function;

    for (Device = 0; Device < 32 && NT_SUCCESS(Status); Device++) {
        for (Function = 0; Function < 8 && NT_SUCCESS(Status); Function++) {
            ULONG Header;

            if ((*IopPciRegister(Bus, Device, Function, PCI_REG_ID) & 0xFFFF) == 0xFFFF) {
                if (Function == 0) {
                    break;
                }
                continue;
            }
            Header = (*IopPciRegister(Bus, Device, Function, PCI_REG_HEADER) >> 16) & 0xFF;
            if ((Header & 0x7F) == 1) {
                ULONG Secondary = (*IopPciRegister(Bus, Device, Function, PCI_REG_BUSES) >> 8) & 0xFF;

                if (Secondary > Bus && Depth < 8 && ((ULONG64)Secondary + 1) << 20 <= HalLoaderBlock->ecam_size) {
                    Status = IopPciScanBus(Secondary, Depth + 1);
                }
            } else if ((Header & 0x7F) == 0) {
                Status = IopPciAddFunction(Bus, Device, Function);
            }
            if (Function == 0 && (Header & 0x80) == 0) {
                break;
            }
        }
    }
    return Status;
}

/* PASSIVE_LEVEL, once.  STATUS_SUCCESS too on a machine without PCI. */
NTSTATUS IopInitializePci(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Driver\\PCI");
    NTSTATUS Status;

    Status = IopCreateDriverObject(&Name, &IopPciDriver);
    if (!NT_SUCCESS(Status) || HalLoaderBlock->ecam == 0) {
        return Status;
    }
    IopPciDriver->MajorFunction[IRP_MJ_PNP] = IopPciDispatchPnp;
    IopNextBar = HalLoaderBlock->pci_memory;
    return IopPciScanBus(0, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plug and play as far as fixed devices need it: a driver meets the functions it serves.
 *
 * Which service serves a device is in the critical device database of the registry, as for Windows's boot
 * devices:
 * ...\Control\CriticalDeviceDatabase\PCI#VEN_vvvv&DEV_dddd, value Service.  The driver's AddDevice attaches
 * to the physical device object, then IRP_MN_START_DEVICE tells it its resources.
 */
#include "iop.h"
#include <kd.h>
#include <pci.h>

#define IOP_CONTROL_KEY L"\\Registry\\Machine\\System\\CurrentControlSet\\Control"

#define IOP_PATH_SIZE 256

static const struct {
    USHORT DeviceId;
    PCWSTR Service;
} IopKnownDevices[] = {
    {FLTVM_PCI_DEVICE_HBA, L"fltvmhba"},
    {FLTVM_PCI_DEVICE_IRQ, L"fltvmirq"},
};

/* "\Registry\...\CriticalDeviceDatabase\PCI#VEN_1234&DEV_F1B0" */
static VOID IopDatabasePath(USHORT VendorId, USHORT DeviceId, PWCH Buffer)
{
    static const WCHAR Model[] = IOP_CONTROL_KEY L"\\CriticalDeviceDatabase\\PCI#VEN_0000&DEV_0000";
    ULONG Index;

    C_ASSERT(sizeof(Model) <= IOP_PATH_SIZE);
    RtlCopyMemory(Buffer, Model, sizeof(Model));
    for (Index = 0; Index < 4; Index++) {
        Buffer[RTL_NUMBER_OF(Model) - 2 - Index] = L"0123456789ABCDEF"[(DeviceId >> (Index * 4)) & 0xF];
        Buffer[RTL_NUMBER_OF(Model) - 11 - Index] = L"0123456789ABCDEF"[(VendorId >> (Index * 4)) & 0xF];
    }
}

static NTSTATUS IopCreateKey(PCWSTR Path, PHANDLE Key)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateKey(Key, KEY_ALL_ACCESS, &ObjectAttributes, 0, NULL, REG_OPTION_VOLATILE, NULL);
}

/* Fills the database with fltvm's own devices.  PASSIVE_LEVEL, once. */
VOID IopInitializePnp(VOID)
{
    static const PCWSTR Parents[] = {L"\\Registry\\Machine\\System", L"\\Registry\\Machine\\System\\CurrentControlSet",
                                     IOP_CONTROL_KEY, IOP_CONTROL_KEY L"\\CriticalDeviceDatabase"};
    UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"Service");
    WCHAR Path[IOP_PATH_SIZE / sizeof(WCHAR)];
    HANDLE Key;
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Parents); Index++) {
        if (NT_SUCCESS(IopCreateKey(Parents[Index], &Key))) {
            ZwClose(Key);
        }
    }
    for (Index = 0; Index < RTL_NUMBER_OF(IopKnownDevices); Index++) {
        IopDatabasePath(FLTVM_PCI_VENDOR, IopKnownDevices[Index].DeviceId, Path);
        if (NT_SUCCESS(IopCreateKey(Path, &Key))) {
            ZwSetValueKey(Key, &ValueName, 0, REG_SZ, (PVOID)IopKnownDevices[Index].Service,
                          (ULONG)(wcslen(IopKnownDevices[Index].Service) + 1) * sizeof(WCHAR));
            ZwClose(Key);
        }
    }
}

static BOOLEAN IopServes(PUNICODE_STRING ServiceName, PIOP_PCI_DEVICE Device)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 128];
    PKEY_VALUE_PARTIAL_INFORMATION Information = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"Service");
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Service;
    UNICODE_STRING Name;
    WCHAR Path[IOP_PATH_SIZE / sizeof(WCHAR)];
    BOOLEAN Match = FALSE;
    ULONG Length;
    HANDLE Key;

    IopDatabasePath(Device->VendorId, Device->DeviceId, Path);
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &ObjectAttributes))) {
        return FALSE;
    }
    if (NT_SUCCESS(
            ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Information, sizeof(Buffer), &Length)) &&
        Information->Type == REG_SZ && Information->DataLength >= sizeof(WCHAR)) {
        Service.Buffer = (PWCH)Information->Data;
        Service.Length = (USHORT)(Information->DataLength - sizeof(WCHAR));
        Service.MaximumLength = Service.Length;
        Match = RtlEqualUnicodeString(&Service, ServiceName, TRUE);
    }
    ZwClose(Key);
    return Match;
}

/* ---- resources -------------------------------------------------------------------------------------------
 */

static PCM_RESOURCE_LIST IopBuildResources(PIOP_PCI_DEVICE Device, BOOLEAN Translated)
{
    ULONG Size = sizeof(CM_RESOURCE_LIST) + (IOP_PCI_BARS + IOP_PCI_MESSAGES) * sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR Next;
    PCM_PARTIAL_RESOURCE_LIST List;
    PCM_RESOURCE_LIST Resources;
    ULONG Index;

    Resources = ExAllocatePoolWithTag(PagedPool, Size, IOP_TAG_DEVICE);
    if (Resources == NULL) {
        return NULL;
    }
    RtlZeroMemory(Resources, Size);
    Resources->Count = 1;
    Resources->List[0].InterfaceType = PCIBus;
    Resources->List[0].BusNumber = Device->Bus;
    List = &Resources->List[0].PartialResourceList;
    List->Version = 1;
    List->Revision = 1;
    Next = List->PartialDescriptors;
    for (Index = 0; Index < IOP_PCI_BARS; Index++) {
        if (Device->Bar[Index].Size != 0) {
            Next->Type = CmResourceTypeMemory;
            Next->ShareDisposition = CmResourceShareDeviceExclusive;
            Next->Flags = CM_RESOURCE_MEMORY_READ_WRITE;
            Next->u.Memory.Start.QuadPart = (LONGLONG)Device->Bar[Index].Base;
            Next->u.Memory.Length = (ULONG)Device->Bar[Index].Size;
            Next++;
        }
    }
    for (Index = 0; Index < Device->Messages; Index++) {
        PIOP_PCI_MESSAGE Message = &Device->Message[Index];

        Next->Type = CmResourceTypeInterrupt;
        Next->ShareDisposition = CmResourceShareDeviceExclusive;
        Next->Flags = CM_RESOURCE_INTERRUPT_LATCHED | CM_RESOURCE_INTERRUPT_MESSAGE;
        if (Translated) {
            Next->u.MessageInterrupt.Translated.Level = Message->Irql;
            Next->u.MessageInterrupt.Translated.Vector = Message->Vector;
            Next->u.MessageInterrupt.Translated.Affinity = (KAFFINITY)1 << Message->Number;
        } else {
            Next->u.MessageInterrupt.Raw.MessageCount = 1;
            Next->u.MessageInterrupt.Raw.Vector = Message->Vector;
            Next->u.MessageInterrupt.Raw.Affinity = (KAFFINITY)1 << Message->Number;
        }
        Next++;
    }
    List->Count = (ULONG)(Next - List->PartialDescriptors);
    return Resources;
}

/* ---- starting and removing --------------------------------------------------------------------------------
 */

/* Parameters are the request's.  PASSIVE_LEVEL. */
static NTSTATUS IopSendPnpWith(PDEVICE_OBJECT Pdo, UCHAR MinorFunction, const IO_STACK_LOCATION *Parameters,
                               PULONG_PTR Information)
{
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(Pdo);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Top, NULL, 0, NULL, &Event, &IoStatus);
    if (Irp == NULL) {
        ObDereferenceObject(Top);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MinorFunction = MinorFunction;
    Stack->Parameters = Parameters->Parameters;
    IoStatus.Information = 0;
    Status = IofCallDriver(Top, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    if (Information != NULL) {
        *Information = IoStatus.Information;
    }
    ObDereferenceObject(Top);
    return Status;
}

/* Start: the resources, raw and translated, or NULL.  PASSIVE_LEVEL. */
NTSTATUS IopSendPnp(PDEVICE_OBJECT Pdo, UCHAR MinorFunction, PCM_RESOURCE_LIST *Start, PULONG_PTR Information)
{
    IO_STACK_LOCATION Parameters = {0};

    if (Start != NULL) {
        Parameters.Parameters.StartDevice.AllocatedResources = Start[0];
        Parameters.Parameters.StartDevice.AllocatedResourcesTranslated = Start[1];
    }
    return IopSendPnpWith(Pdo, MinorFunction, &Parameters, Information);
}

NTSTATUS IopQueryRelations(PDEVICE_OBJECT Pdo, DEVICE_RELATION_TYPE Type, PDEVICE_RELATIONS *Relations)
{
    IO_STACK_LOCATION Parameters = {.Parameters.QueryDeviceRelations.Type = Type};

    return IopSendPnpWith(Pdo, IRP_MN_QUERY_DEVICE_RELATIONS, &Parameters, (PULONG_PTR)Relations);
}

static NTSTATUS IopStartDevice(PIOP_PCI_DEVICE Device)
{
    PCM_RESOURCE_LIST Lists[] = {IopBuildResources(Device, FALSE), IopBuildResources(Device, TRUE)};
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (Lists[0] != NULL && Lists[1] != NULL) {
        Status = IopSendPnp(Device->Pdo, IRP_MN_START_DEVICE, Lists, NULL);
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Lists); Index++) {
        if (Lists[Index] != NULL) {
            ExFreePoolWithTag(Lists[Index], IOP_TAG_DEVICE);
        }
    }
    return Status;
}

/* A driver with AddDevice has been loaded: gives it the functions nobody serves yet.  PASSIVE_LEVEL. */
VOID IopStartDevicesOf(PDRIVER_OBJECT DriverObject, PUNICODE_STRING ServiceName)
{
    PLIST_ENTRY Entry;

    for (Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);
        NTSTATUS Status;
        FV_CALL Call;

        if (Device->Driver != NULL || !IopServes(ServiceName, Device)) {
            continue;
        }
        FvBeginCall(&Call);
        Status = DriverObject->DriverExtension->AddDevice(DriverObject, Device->Pdo);
        FvEndCall(&Call, (PVOID)DriverObject->DriverExtension->AddDevice, "AddDevice", (ULONG_PTR)Device->Pdo);
        if (NT_SUCCESS(Status)) {
            Device->Driver = DriverObject;
            Status = IopStartDevice(Device);
            if (!NT_SUCCESS(Status)) {
                IopSendPnp(Device->Pdo, IRP_MN_REMOVE_DEVICE, NULL, NULL);
                Device->Driver = NULL;
            }
        }
        if (!NT_SUCCESS(Status)) {
            DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                       "io: %wZ could not start PCI device %04x:%04x: 0x%08X\n", &DriverObject->DriverName,
                       Device->VendorId, Device->DeviceId, Status);
            KdReportFailure("PCI device %04x:%04x starts: %wZ could not start it, 0x%08X", Device->VendorId,
                            Device->DeviceId, &DriverObject->DriverName, Status);
        }
    }
}

/* What its driver had of the device has been removed.  PASSIVE_LEVEL. */
VOID IopForgetDriverOf(PDEVICE_OBJECT Pdo)
{
    for (PLIST_ENTRY Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);

        if (Device->Pdo == Pdo) {
            Device->Driver = NULL;
        }
    }
}

/* The driver is to be unloaded: its devices are removed first, as always in plug and play.  PASSIVE_LEVEL. */
VOID IopRemoveDevicesOf(PDRIVER_OBJECT DriverObject)
{
    PLIST_ENTRY Entry;

    for (Entry = IopPciDevices.Flink; Entry != &IopPciDevices; Entry = Entry->Flink) {
        PIOP_PCI_DEVICE Device = CONTAINING_RECORD(Entry, IOP_PCI_DEVICE, Entry);

        if (Device->Driver == DriverObject) {
            IopSendPnp(Device->Pdo, IRP_MN_REMOVE_DEVICE, NULL, NULL);
            IopDisableInterfaces(Device->Pdo);
            Device->Driver = NULL;
        }
    }
}

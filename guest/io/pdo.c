/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical device objects: the PCI bus's, and those of devices that drivers have detected themselves; what they are called, and
 * what is known of them.
 *
 * A detected device is the root's: it stays until the machine stops.  Its bus answers plug and play with success, as it
 * counts as started; Windows sends its driver's AddDevice at the next start, which here never comes.
 */
#include "iop.h"
#include <ntstrsafe.h>

#define IOP_NO_NUMBER MAXULONG

/* The device extension of a detected device's physical device object. */
typedef struct _IOP_DETECTED {
    ULONG Number;
    INTERFACE_TYPE BusType;
    ULONG Bus, Slot;
    UNICODE_STRING Service; /* behind the structure */
} IOP_DETECTED, *PIOP_DETECTED;

static PDRIVER_OBJECT IopRootDriver;
static LONG IopDetectedCount;

static const GUID IopPciBusGuid = {0xC8EBDFB0, 0xB510, 0x11D0, {0x80, 0xE5, 0x00, 0xA0, 0xC9, 0x25, 0x42, 0xE3}};

static NTSTATUS NTAPI IopDetectedDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS Status = Irp->IoStatus.Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Minor <= IRP_MN_CANCEL_STOP_DEVICE || Minor == IRP_MN_SURPRISE_REMOVAL) {
        Status = Irp->IoStatus.Status = STATUS_SUCCESS;
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI IopDetectedDispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

NTSTATUS IopInitializeRootBus(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Driver\\PnpManager");
    NTSTATUS Status = IopCreateDriverObject(&Name, &IopRootDriver);

    if (NT_SUCCESS(Status)) {
        IopRootDriver->MajorFunction[IRP_MJ_PNP] = IopDetectedDispatchPnp;
        IopRootDriver->MajorFunction[IRP_MJ_POWER] = IopDetectedDispatchPower;
    }
    return Status;
}

static PIOP_DETECTED IopDetectedFromPdo(PDEVICE_OBJECT Pdo)
{
    return Pdo != NULL && Pdo->DriverObject == IopRootDriver ? Pdo->DeviceExtension : NULL;
}

BOOLEAN IopIsPdo(PDEVICE_OBJECT Device)
{
    return IopPciFromPdo(Device) != NULL || IopDetectedFromPdo(Device) != NULL;
}

/* "PCI\VEN_vvvv&DEV_dddd\bb&dd&f" or "ROOT\service\nnnn", with the separator that the use wants. */
NTSTATUS IopInstanceName(PDEVICE_OBJECT Pdo, WCHAR Separator, PUNICODE_STRING Name)
{
    PIOP_PCI_DEVICE Pci = IopPciFromPdo(Pdo);
    PIOP_DETECTED Detected = IopDetectedFromPdo(Pdo);

    if (Pci != NULL) {
        return RtlUnicodeStringPrintf(Name, L"PCI%cVEN_%04X&DEV_%04X%c%02x&%02x&%x", Separator, Pci->VendorId,
                                      Pci->DeviceId, Separator, Pci->Bus, Pci->Device, Pci->Function);
    }
    if (Detected != NULL) {
        return RtlUnicodeStringPrintf(Name, L"ROOT%c%wZ%c%04u", Separator, &Detected->Service, Separator,
                                      Detected->Number);
    }
    return STATUS_INVALID_DEVICE_REQUEST;
}

/* The object's name.  PASSIVE_LEVEL. */
NTSTATUS IopPdoName(PDEVICE_OBJECT Pdo, PUNICODE_STRING Name)
{
    UCHAR Buffer[sizeof(OBJECT_NAME_INFORMATION) + IOP_INSTANCE_LENGTH * sizeof(WCHAR)];
    POBJECT_NAME_INFORMATION Information = (POBJECT_NAME_INFORMATION)Buffer;
    NTSTATUS Status;
    ULONG Length;

    Status = ObQueryNameString(Pdo, Information, sizeof(Buffer), &Length);
    if (NT_SUCCESS(Status)) {
        RtlCopyUnicodeString(Name, &Information->Name);
    }
    return Status;
}

/* ---- properties ------------------------------------------------------------------------------------------ */

/* Hardware: from the most to the least special; else what any driver of the kind takes. */
static NTSTATUS IopIds(PDEVICE_OBJECT Pdo, BOOLEAN Hardware, PUNICODE_STRING Text)
{
    PIOP_PCI_DEVICE Pci = IopPciFromPdo(Pdo);
    PIOP_DETECTED Detected = IopDetectedFromPdo(Pdo);

    if (Pci == NULL) {
        return RtlUnicodeStringPrintf(Text, L"DETECTED%ws\\%wZ%cDETECTED\\%wZ%c",
                                      Detected->BusType == PCIBus ? L"Pci" : L"Internal", &Detected->Service, L'\1',
                                      &Detected->Service, L'\1');
    }
    if (Hardware) {
        return RtlUnicodeStringPrintf(Text, L"PCI\\VEN_%04X&DEV_%04X&REV_%02X%cPCI\\VEN_%04X&DEV_%04X%c", Pci->VendorId,
                                      Pci->DeviceId, Pci->Revision, L'\1', Pci->VendorId, Pci->DeviceId, L'\1');
    }
    return RtlUnicodeStringPrintf(Text, L"PCI\\VEN_%04X&CC_%04X%cPCI\\CC_%04X%c", Pci->VendorId, Pci->ClassCode, L'\1',
                                  Pci->ClassCode, L'\1');
}

static NTSTATUS IopTextProperty(PDEVICE_OBJECT Pdo, DEVICE_REGISTRY_PROPERTY Property, PUNICODE_STRING Text)
{
    NTSTATUS Status;

    switch ((ULONG)Property) {
    case DevicePropertyEnumeratorName:
        return RtlUnicodeStringPrintf(Text, L"%ws", IopPciFromPdo(Pdo) != NULL ? L"PCI" : L"ROOT");
    case DevicePropertyPhysicalDeviceObjectName: return IopPdoName(Pdo, Text);
    case DevicePropertyHardwareID:
    case DevicePropertyCompatibleIDs:
        Status = IopIds(Pdo, Property == DevicePropertyHardwareID, Text);
        for (USHORT Index = 0; Index < Text->Length / sizeof(WCHAR); Index++) {
            if (Text->Buffer[Index] == L'\1') {
                Text->Buffer[Index] = 0; /* which no format makes */
            }
        }
        return Status;
    /* What an INF would have said of it. */
    case DevicePropertyDeviceDescription:
    case DevicePropertyClassName:
    case DevicePropertyClassGuid:
    case DevicePropertyDriverKeyName:
    case DevicePropertyManufacturer:
    case DevicePropertyFriendlyName:
    case DevicePropertyLocationInformation: return STATUS_OBJECT_NAME_NOT_FOUND;
    default: return STATUS_INVALID_PARAMETER_2;
    }
}

/* STATUS_NOT_FOUND: no number. */
static NTSTATUS IopNumberProperty(PDEVICE_OBJECT Pdo, DEVICE_REGISTRY_PROPERTY Property, PULONG Number)
{
    PIOP_PCI_DEVICE Pci = IopPciFromPdo(Pdo);
    PIOP_DETECTED Detected = IopDetectedFromPdo(Pdo);

    switch ((ULONG)Property) {
    case DevicePropertyAddress:
        *Number = Pci != NULL ? (ULONG)Pci->Device << 16 | Pci->Function : Detected->Slot;
        return STATUS_SUCCESS;
    case DevicePropertyBusNumber: *Number = Pci != NULL ? Pci->Bus : Detected->Bus; return STATUS_SUCCESS;
    case DevicePropertyLegacyBusType: *Number = Pci != NULL ? PCIBus : Detected->BusType; return STATUS_SUCCESS;
    case DevicePropertyInstallState: *Number = InstallStateInstalled; return STATUS_SUCCESS;
    case DevicePropertyRemovalPolicy: *Number = RemovalPolicyExpectNoRemoval; return STATUS_SUCCESS;
    case DevicePropertyUINumber: *Number = IOP_NO_NUMBER; return STATUS_SUCCESS;
    default: return STATUS_NOT_FOUND;
    }
}

static NTSTATUS IopGiveProperty(const VOID *Value, ULONG Size, PVOID Buffer, ULONG Length, PULONG ResultLength)
{
    *ResultLength = Size;
    if (Length < Size || Buffer == NULL) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Buffer, Value, Size);
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL: *ResultLength tells what is needed; STATUS_INVALID_PARAMETER_2: no such
 * property; STATUS_INVALID_DEVICE_REQUEST: no physical device object; STATUS_OBJECT_NAME_NOT_FOUND: the device has none, as of
 * everything that an INF would say.  (IoGetDeviceProperty)
 */
NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength)
{
    WCHAR Buffer[2 * IOP_INSTANCE_LENGTH + 2];
    UNICODE_STRING Text = {0, 2 * IOP_INSTANCE_LENGTH * sizeof(WCHAR), Buffer};
    NTSTATUS Status;
    ULONG Number;

    PAGED_CODE();
    *ResultLength = 0;
    if (!IopIsPdo(DeviceObject)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (NT_SUCCESS(IopNumberProperty(DeviceObject, DeviceProperty, &Number))) {
        return IopGiveProperty(&Number, sizeof(Number), PropertyBuffer, BufferLength, ResultLength);
    }
    if (DeviceProperty == DevicePropertyBusTypeGuid) {
        return IopPciFromPdo(DeviceObject) != NULL
                   ? IopGiveProperty(&IopPciBusGuid, sizeof(IopPciBusGuid), PropertyBuffer, BufferLength, ResultLength)
                   : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (DeviceProperty == DevicePropertyBootConfiguration ||
        DeviceProperty == DevicePropertyBootConfigurationTranslated) {
        return STATUS_OBJECT_NAME_NOT_FOUND; /* no firmware has assigned anything */
    }
    Status = IopTextProperty(DeviceObject, DeviceProperty, &Text);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Buffer[Text.Length / sizeof(WCHAR)] = 0;
    return IopGiveProperty(Buffer, Text.Length + sizeof(WCHAR), PropertyBuffer, BufferLength, ResultLength);
}

/* ---- devices that drivers find ---------------------------------------------------------------------------- */

/*
 * IRQL: PASSIVE_LEVEL.  The new physical device object counts as started: no AddDevice, no IRP_MN_START_DEVICE; the caller
 * attaches to it.  It is the system's.  STATUS_NOT_IMPLEMENTED, and a line in the log: the caller brings an object of its own.
 * Resources are taken for assigned: nobody arbitrates them here.  (IoReportDetectedDevice)
 */
NTSTATUS NTAPI IoReportDetectedDevice(PDRIVER_OBJECT DriverObject, INTERFACE_TYPE LegacyBusType, ULONG BusNumber,
                                      ULONG SlotNumber, PCM_RESOURCE_LIST ResourceList,
                                      PIO_RESOURCE_REQUIREMENTS_LIST ResourceRequirements, BOOLEAN ResourceAssigned,
                                      PDEVICE_OBJECT *DeviceObject)
{
    PUNICODE_STRING Service = &DriverObject->DriverExtension->ServiceKeyName;
    WCHAR NameBuffer[32];
    UNICODE_STRING Name = {0, sizeof(NameBuffer), NameBuffer};
    PIOP_DETECTED Detected;
    NTSTATUS Status;
    ULONG Number;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(ResourceList);
    UNREFERENCED_PARAMETER(ResourceRequirements);
    UNREFERENCED_PARAMETER(ResourceAssigned);
    if (*DeviceObject != NULL) {
        DbgPrint("IoReportDetectedDevice: a driver's own physical device object is not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    Number = (ULONG)InterlockedIncrement(&IopDetectedCount) - 1;
    RtlUnicodeStringPrintf(&Name, L"\\Device\\NTPNP_ROOT%04u", Number);
    Status = IoCreateDevice(IopRootDriver, sizeof(*Detected) + Service->Length, &Name, FILE_DEVICE_CONTROLLER,
                            FILE_DEVICE_SECURE_OPEN, FALSE, DeviceObject);
    if (!NT_SUCCESS(Status)) {
        *DeviceObject = NULL;
        return Status;
    }
    Detected = (*DeviceObject)->DeviceExtension;
    *Detected = (IOP_DETECTED){
        Number, LegacyBusType, BusNumber, SlotNumber, {Service->Length, Service->Length, (PWCH)(Detected + 1)}};
    RtlCopyMemory(Detected->Service.Buffer, Service->Buffer, Service->Length);
    (*DeviceObject)->Flags |= DO_BUS_ENUMERATED_DEVICE;
    (*DeviceObject)->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

/* ---- relations ------------------------------------------------------------------------------------------ */

typedef struct _IOP_INVALID_RELATIONS {
    WORK_QUEUE_ITEM Item;
    PDEVICE_OBJECT Pdo; /* referenced */
} IOP_INVALID_RELATIONS, *PIOP_INVALID_RELATIONS;

static VOID NTAPI IopRelationsWorker(PVOID Context)
{
    PIOP_INVALID_RELATIONS Work = Context;
    PDEVICE_RELATIONS Relations = NULL;

    if (NT_SUCCESS(IopQueryRelations(Work->Pdo, BusRelations, &Relations)) && Relations != NULL) {
        DbgPrint("io: %u devices of a driver's own bus: configuring them is not implemented\n", Relations->Count);
        for (ULONG Index = 0; Index < Relations->Count; Index++) {
            ObDereferenceObject(Relations->Objects[Index]);
        }
        ExFreePool(Relations);
    }
    ObDereferenceObject(Work->Pdo);
    ExFreePoolWithTag(Work, IOP_TAG_WORK);
}

/*
 * IRQL: <= DISPATCH_LEVEL.  BusRelations: a system thread asks the stack anew, by IRP_MN_QUERY_DEVICE_RELATIONS; what it
 * answers is given back: devices on buses of drivers' own are not configured.  The other relations are asked for when they are
 * needed, which here is never.  (IoInvalidateDeviceRelations)
 */
VOID NTAPI IoInvalidateDeviceRelations(PDEVICE_OBJECT DeviceObject, DEVICE_RELATION_TYPE Type)
{
    PIOP_INVALID_RELATIONS Work;

    if (Type != BusRelations) {
        return;
    }
    Work = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Work), IOP_TAG_WORK);
    if (Work == NULL) {
        DbgPrint("io: no memory to ask for relations\n");
        return;
    }
    ObReferenceObject(DeviceObject);
    Work->Pdo = DeviceObject;
    ExInitializeWorkItem(&Work->Item, IopRelationsWorker, Work);
    ExQueueWorkItem(&Work->Item, DelayedWorkQueue);
}

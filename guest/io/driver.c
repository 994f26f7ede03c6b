/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver objects: loading, and what hangs on them.
 *
 * A driver object lives under \Driver or \FileSystem; its creation reference stands for "loaded".  It goes in
 * unload.c; the image goes with the last reference (IopDeleteDriver).
 */
#include "iop.h"

#define IOP_SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

static PIO_IMAGE_LOADER IopLoader;
static KMUTANT IopDriverLoadLock;
static BOOLEAN IopBootDriversDone;

typedef struct _IOP_REINITIALIZE {
    LIST_ENTRY Entry;
    PDRIVER_OBJECT DriverObject; /* referenced */
    PDRIVER_REINITIALIZE Routine;
    PVOID Context;
} IOP_REINITIALIZE, *PIOP_REINITIALIZE;

/* IopDatabaseLock */
static LIST_ENTRY IopReinitializeQueue = {&IopReinitializeQueue, &IopReinitializeQueue};
static LIST_ENTRY IopBootReinitializeQueue = {&IopBootReinitializeQueue, &IopBootReinitializeQueue};

VOID IopInitializeDrivers(VOID)
{
    KeInitializeMutant(&IopDriverLoadLock, FALSE);
}

VOID IoSetImageLoader(PIO_IMAGE_LOADER Loader)
{
    IopLoader = Loader;
}

PCUNICODE_STRING IopImageName(PDRIVER_OBJECT DriverObject)
{
    return IopLoader->Name(DriverObject->DriverSection);
}

NTSTATUS IopDescribeImage(const VOID *Bytes, SIZE_T Length, ULONG64 FileSize, PMM_IMAGE *Image)
{
    return IopLoader->Describe(Bytes, Length, FileSize, Image);
}

/* What a major function that the driver does not set leads to.  <= DISPATCH_LEVEL. */
static NTSTATUS NTAPI IopInvalidDeviceRequest(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static UNICODE_STRING IopHardwareDatabase = RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM");

/*
 * A counted string for a driver's eyes: no terminator, as on Windows, and behind it something that is none, so that who
 * takes the buffer for a C string sees that it is wrong.
 */
static NTSTATUS IopDuplicateString(PCUNICODE_STRING Source, PUNICODE_STRING Target)
{
    Target->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Source->Length + sizeof(WCHAR), IOP_TAG_DRIVER);
    if (Target->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Target->Buffer, Source->Buffer, Source->Length);
    Target->Buffer[Source->Length / sizeof(WCHAR)] = CM_NO_TERMINATOR;
    Target->Length = Target->MaximumLength = Source->Length;
    return STATUS_SUCCESS;
}

/* A driver object of that name in the name space, with the "loaded" reference.  PASSIVE_LEVEL. */
NTSTATUS IopCreateDriverObject(PUNICODE_STRING Name, PDRIVER_OBJECT *Result)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    PDRIVER_OBJECT DriverObject;
    HANDLE Handle;
    NTSTATUS Status;
    ULONG Index;

    InitializeObjectAttributes(&ObjectAttributes, Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    Status = ObCreateObject(KernelMode, IopDriverObjectType, &ObjectAttributes, KernelMode, NULL,
                            sizeof(DRIVER_OBJECT) + sizeof(IOP_DRIVER_EXTENSION), 0, 0, (PVOID *)&DriverObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(DriverObject, sizeof(DRIVER_OBJECT) + sizeof(IOP_DRIVER_EXTENSION));
    DriverObject->Type = IO_TYPE_DRIVER;
    DriverObject->Size = sizeof(DRIVER_OBJECT);
    DriverObject->Flags = DRVO_LEGACY_DRIVER;
    DriverObject->HardwareDatabase = &IopHardwareDatabase;
    DriverObject->DriverExtension = (PDRIVER_EXTENSION)(DriverObject + 1);
    DriverObject->DriverExtension->DriverObject = DriverObject;
    for (Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        DriverObject->MajorFunction[Index] = IopInvalidDeviceRequest;
    }
    Status = IopDuplicateString(Name, &DriverObject->DriverName);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(DriverObject);
        return Status;
    }
    Status = ObInsertObject(DriverObject, NULL, FILE_READ_DATA, 1, (PVOID *)&DriverObject, &Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObPinObject(DriverObject);
    ZwClose(Handle);
    *Result = DriverObject;
    return STATUS_SUCCESS;
}

/* Object-manager delete procedure.  PASSIVE_LEVEL: the image is unmapped here. */
VOID IopDeleteDriver(PVOID Object)
{
    PDRIVER_OBJECT DriverObject = Object;
    PIOP_DRIVER_EXTENSION Extension = (PIOP_DRIVER_EXTENSION)DriverObject->DriverExtension;
    PIO_CLIENT_EXTENSION Client;

    if (DriverObject->DriverSection != NULL) {
        IopLoader->Unload(DriverObject->DriverSection);
    }
    if (Extension == NULL) {
        return;
    }
    while ((Client = Extension->ClientDriverExtension) != NULL) {
        Extension->ClientDriverExtension = Client->NextExtension;
        ExFreePoolWithTag(Client, IOP_TAG_DRIVER);
    }
    if (Extension->FsFilterCallbacks != NULL) {
        ExFreePool(Extension->FsFilterCallbacks);
    }
    if (Extension->Public.ServiceKeyName.Buffer != NULL) {
        ExFreePoolWithTag(Extension->Public.ServiceKeyName.Buffer, IOP_TAG_DRIVER);
    }
    if (DriverObject->DriverName.Buffer != NULL) {
        ExFreePoolWithTag(DriverObject->DriverName.Buffer, IOP_TAG_DRIVER);
    }
}

/* ---- loading ---------------------------------------------------------------------------------------------
 */

/* A value of the service's key, in pool with its length; NULL. */
PKEY_VALUE_PARTIAL_INFORMATION IopReadServiceValue(PUNICODE_STRING RegistryPath, PCWSTR ValueName)
{
    ULONG Length = sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 1024;
    PKEY_VALUE_PARTIAL_INFORMATION Information;
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    NTSTATUS Status;
    HANDLE Key;

    Information = ExAllocatePoolWithTag(PagedPool, Length, IOP_TAG_NAME);
    if (Information == NULL) {
        return NULL;
    }
    RtlInitUnicodeString(&Name, ValueName);
    InitializeObjectAttributes(&ObjectAttributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &ObjectAttributes);
    if (NT_SUCCESS(Status)) {
        Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Information, Length, &Length);
        ZwClose(Key);
    }
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Information, IOP_TAG_NAME);
        return NULL;
    }
    return Information;
}

static ULONG IopReadServiceType(PUNICODE_STRING RegistryPath)
{
    PKEY_VALUE_PARTIAL_INFORMATION Information = IopReadServiceValue(RegistryPath, L"Type");
    ULONG Type = 1; /* SERVICE_KERNEL_DRIVER */

    if (Information != NULL) {
        if (Information->Type == REG_DWORD && Information->DataLength == sizeof(ULONG)) {
            RtlCopyMemory(&Type, Information->Data, sizeof(Type));
        }
        ExFreePoolWithTag(Information, IOP_TAG_NAME);
    }
    return Type;
}

NTSTATUS IopConcatenate(PUNICODE_STRING Target, PCWSTR Prefix, PUNICODE_STRING Name, PCWSTR Suffix)
{
    SIZE_T Size = (wcslen(Prefix) + wcslen(Suffix) + 1) * sizeof(WCHAR) + Name->Length;

    if (Size > MAXUSHORT) {
        return STATUS_NAME_TOO_LONG;
    }
    Target->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Size, IOP_TAG_NAME);
    if (Target->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Target->Length = 0;
    Target->MaximumLength = (USHORT)Size;
    RtlAppendUnicodeToString(Target, Prefix);
    RtlAppendUnicodeStringToString(Target, Name);
    RtlAppendUnicodeToString(Target, Suffix);
    Target->Buffer[Target->Length / sizeof(WCHAR)] = L'\0';
    return STATUS_SUCCESS;
}

/* The image's own name: the end of the service's ImagePath, or the service's name with ".sys". */
static NTSTATUS IopReadImageName(PUNICODE_STRING RegistryPath, PUNICODE_STRING ServiceName, PUNICODE_STRING ImageName)
{
    PKEY_VALUE_PARTIAL_INFORMATION Information = IopReadServiceValue(RegistryPath, L"ImagePath");
    UNICODE_STRING Name = {0};
    NTSTATUS Status;

    if (Information != NULL && (Information->Type == REG_SZ || Information->Type == REG_EXPAND_SZ)) {
        USHORT Units = (USHORT)(Information->DataLength / sizeof(WCHAR)), Begin;
        PWCHAR Text = (PWCHAR)Information->Data;

        while (Units != 0 && Text[Units - 1] == 0) {
            Units--;
        }
        for (Begin = Units; Begin != 0 && Text[Begin - 1] != L'\\'; Begin--) {
        }
        Name.Buffer = Text + Begin;
        Name.Length = Name.MaximumLength = (USHORT)((Units - Begin) * sizeof(WCHAR));
    }
    Status = Name.Length != 0 ? IopConcatenate(ImageName, L"", &Name, L"")
                              : IopConcatenate(ImageName, L"", ServiceName, L".sys");
    if (Information != NULL) {
        ExFreePoolWithTag(Information, IOP_TAG_NAME);
    }
    return Status;
}

/* DriverEntry succeeded: its devices are ready, and gaps in its dispatch table are closed. */
static VOID IopDriverReady(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device;
    KIRQL Irql;
    ULONG Index;

    for (Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        if (DriverObject->MajorFunction[Index] == NULL) {
            DriverObject->MajorFunction[Index] = IopInvalidDeviceRequest;
        }
    }
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    DriverObject->Flags |= DRVO_INITIALIZED;
    for (Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    IopLoader->Started(DriverObject->DriverSection);
}

static VOID IopDiscardDriver(PDRIVER_OBJECT DriverObject)
{
    ObMakeTemporaryObject(DriverObject);
    ObUnpinObject(DriverObject);
}

static VOID IopCallReinitialization(PLIST_ENTRY Queue)
{
    PIOP_REINITIALIZE Item;
    PLIST_ENTRY Entry;
    FV_CALL Call;

    while ((Entry = ExInterlockedRemoveHeadList(Queue, &IopDatabaseLock)) != NULL) {
        Item = CONTAINING_RECORD(Entry, IOP_REINITIALIZE, Entry);
        Item->DriverObject->DriverExtension->Count++;
        FvBeginCall(&Call);
        Item->Routine(Item->DriverObject, Item->Context, Item->DriverObject->DriverExtension->Count);
        FvEndCall(&Call, (PVOID)Item->Routine, "reinitialization routine", (ULONG_PTR)Item->DriverObject);
        ObDereferenceObject(Item->DriverObject);
        ExFreePoolWithTag(Item, IOP_TAG_DRIVER);
    }
}

/* What DriverEntry may have left in the driver object; NULL is for what it has not. */
static VOID IopCheckDriverRoutines(PDRIVER_OBJECT DriverObject)
{
    const VOID *Routines[] = {(PVOID)DriverObject->DriverUnload, (PVOID)DriverObject->DriverStartIo,
                              (PVOID)DriverObject->DriverExtension->AddDevice};
    static const PCSTR Names[] = {"DriverUnload", "DriverStartIo", "AddDevice"};
    ULONG Index;

    FvBlame((PVOID)DriverObject->DriverInit);
    for (Index = 0; Index < RTL_NUMBER_OF(Routines); Index++) {
        if (Routines[Index] != NULL) {
            KeCheckRoutine(Routines[Index], Names[Index]);
        }
    }
    for (Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        if (DriverObject->MajorFunction[Index] != NULL) {
            KeCheckRoutine((PVOID)DriverObject->MajorFunction[Index], "dispatch routine");
        }
    }
    FvBlame(NULL);
}

static NTSTATUS IopStartDriver(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = DriverObject->DriverInit(DriverObject, RegistryPath);
    FvEndCall(&Call, (PVOID)DriverObject->DriverInit, "DriverEntry", (ULONG_PTR)DriverObject);
    if (NT_SUCCESS(Status)) {
        IopCheckDriverRoutines(DriverObject);
    }
    if (Status == STATUS_PENDING) {
        /* Nobody would tell when it is done; what asked for the driver would take the status for one of its own. */
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "io: DriverEntry of %wZ returned STATUS_PENDING\n",
                   &DriverObject->DriverName);
        Status = STATUS_DRIVER_UNABLE_TO_LOAD;
    }
    return Status;
}

NTSTATUS IopLoadDriverImage(PUNICODE_STRING ServiceName, PVOID ImageBytes, SIZE_T Size)
{
    UNICODE_STRING ObjectName = {0};
    UNICODE_STRING RegistryPath = {0};
    UNICODE_STRING ImageName = {0};
    PDRIVER_OBJECT DriverObject = NULL;
    IO_LOADED_IMAGE Image;
    NTSTATUS Status;
    ULONG Type;

    KeWaitForSingleObject(&IopDriverLoadLock, Executive, KernelMode, FALSE, NULL);
    Status = IopConcatenate(&RegistryPath, IOP_SERVICES, ServiceName, L" ");
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    RegistryPath.Length -= sizeof(WCHAR);
    Type = IopReadServiceType(&RegistryPath);
    Status = IopConcatenate(&ObjectName, Type == 2 || Type == 8 ? L"\\FileSystem\\" : L"\\Driver\\", ServiceName, L"");
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    Status = IopReadImageName(&RegistryPath, ServiceName, &ImageName);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    Status = IopCreateDriverObject(&ObjectName, &DriverObject);
    if (!NT_SUCCESS(Status)) {
        if (Status == STATUS_OBJECT_NAME_COLLISION) {
            Status = IopIsUnloading(ServiceName) ? STATUS_DRIVER_FAILED_PRIOR_UNLOAD : STATUS_IMAGE_ALREADY_LOADED;
        }
        goto Exit;
    }
    Status = IopDuplicateString(ServiceName, &DriverObject->DriverExtension->ServiceKeyName);
    if (NT_SUCCESS(Status)) {
        Status = IopLoader->Load(&ImageName, ImageBytes, Size, &Image);
    }
    if (!NT_SUCCESS(Status)) {
        IopDiscardDriver(DriverObject);
        goto Exit;
    }
    DriverObject->DriverSection = Image.Section;
    DriverObject->DriverStart = Image.Base;
    DriverObject->DriverSize = Image.Size;
    DriverObject->DriverInit = Image.EntryPoint;
    ObReferenceObject(DriverObject); /* a driver that unloads itself must not take the object from under us */
    /* As IopDuplicateString has it, but that what takes it for a C string comes to an end (CmpOpenRelative). */
    RegistryPath.MaximumLength = RegistryPath.Length;
    RegistryPath.Buffer[RegistryPath.Length / sizeof(WCHAR)] = CM_NO_TERMINATOR;
    Status = IopStartDriver(DriverObject, &RegistryPath);
    if (NT_SUCCESS(Status)) {
        IopDriverReady(DriverObject);
        if (DriverObject->DriverExtension->AddDevice != NULL) {
            DriverObject->Flags &= ~DRVO_LEGACY_DRIVER;
            IopStartDevicesOf(DriverObject, ServiceName);
        }
        if (IopBootDriversDone) {
            IopCallReinitialization(&IopReinitializeQueue);
        }
    } else {
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "io: DriverEntry of %wZ failed with 0x%08X\n", &ObjectName,
                   Status);
        IopDiscardDriver(DriverObject);
    }
    ObDereferenceObject(DriverObject);
Exit:
    KeReleaseMutant(&IopDriverLoadLock, 0, FALSE, FALSE);
    if (ImageName.Buffer != NULL) {
        ExFreePoolWithTag(ImageName.Buffer, IOP_TAG_NAME);
    }
    if (ObjectName.Buffer != NULL) {
        ExFreePoolWithTag(ObjectName.Buffer, IOP_TAG_NAME);
    }
    if (RegistryPath.Buffer != NULL) {
        ExFreePoolWithTag(RegistryPath.Buffer, IOP_TAG_NAME);
    }
    return Status;
}

VOID IoBootDriversStarted(VOID)
{
    IopCallReinitialization(&IopBootReinitializeQueue);
    IopCallReinitialization(&IopReinitializeQueue);
    IopBootDriversDone = TRUE;
}

/* ---- what drivers hang on their object
 * --------------------------------------------------------------------- */

/* IRQL <= DISPATCH_LEVEL.  Zeroed; freed with the driver object. */
NTSTATUS NTAPI IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress,
                                               ULONG DriverObjectExtensionSize, PVOID *DriverObjectExtension)
{
    PIOP_DRIVER_EXTENSION Extension = (PIOP_DRIVER_EXTENSION)DriverObject->DriverExtension;
    PIO_CLIENT_EXTENSION Client;
    PIO_CLIENT_EXTENSION Walk;
    KIRQL Irql;

    *DriverObjectExtension = NULL;
    if (DriverObjectExtensionSize > MAXULONG - sizeof(*Client)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Client = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Client) + DriverObjectExtensionSize, IOP_TAG_DRIVER);
    if (Client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Client, sizeof(*Client) + DriverObjectExtensionSize);
    Client->ClientIdentificationAddress = ClientIdentificationAddress;
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Walk = Extension->ClientDriverExtension; Walk != NULL; Walk = Walk->NextExtension) {
        if (Walk->ClientIdentificationAddress == ClientIdentificationAddress) {
            KeReleaseSpinLock(&IopDatabaseLock, Irql);
            ExFreePoolWithTag(Client, IOP_TAG_DRIVER);
            return STATUS_OBJECT_NAME_COLLISION;
        }
    }
    Client->NextExtension = Extension->ClientDriverExtension;
    Extension->ClientDriverExtension = Client;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    *DriverObjectExtension = Client + 1;
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL.  NULL when there is none with that address. */
PVOID NTAPI IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    PIO_CLIENT_EXTENSION Walk;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Walk = ((PIOP_DRIVER_EXTENSION)DriverObject->DriverExtension)->ClientDriverExtension;
    while (Walk != NULL && Walk->ClientIdentificationAddress != ClientIdentificationAddress) {
        Walk = Walk->NextExtension;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Walk != NULL ? Walk + 1 : NULL;
}

NTSTATUS IoSetFsFilterCallbacks(PDRIVER_OBJECT DriverObject, PFS_FILTER_CALLBACKS Callbacks)
{
    PIOP_DRIVER_EXTENSION Extension = (PIOP_DRIVER_EXTENSION)DriverObject->DriverExtension;

    return InterlockedCompareExchangePointer((PVOID volatile *)&Extension->FsFilterCallbacks, Callbacks, NULL) == NULL
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

static VOID IopRegisterReinitialization(PLIST_ENTRY Queue, PDRIVER_OBJECT DriverObject, PDRIVER_REINITIALIZE Routine,
                                        PVOID Context)
{
    PIOP_REINITIALIZE Item;

    KeCheckRoutine((PVOID)Routine, "reinitialization routine");
    Item = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Item), IOP_TAG_DRIVER);
    if (Item == NULL) {
        return;
    }
    ObReferenceObject(DriverObject);
    Item->DriverObject = DriverObject;
    Item->Routine = Routine;
    Item->Context = Context;
    ExInterlockedInsertTailList(Queue, &Item->Entry, &IopDatabaseLock);
}

/* PASSIVE_LEVEL, from DriverEntry or the reinitialization routine itself. */
VOID NTAPI IoRegisterDriverReinitialization(PDRIVER_OBJECT DriverObject,
                                            PDRIVER_REINITIALIZE DriverReinitializationRoutine, PVOID Context)
{
    IopRegisterReinitialization(&IopReinitializeQueue, DriverObject, DriverReinitializationRoutine, Context);
}

VOID NTAPI IoRegisterBootDriverReinitialization(PDRIVER_OBJECT DriverObject,
                                                PDRIVER_REINITIALIZE DriverReinitializationRoutine, PVOID Context)
{
    IopRegisterReinitialization(&IopBootReinitializeQueue, DriverObject, DriverReinitializationRoutine, Context);
}

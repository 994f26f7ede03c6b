// SPDX-License-Identifier: GPL-2.0-or-later
/* Device interfaces, who is told of them and of devices, what is known of physical device objects, devices that are found. */
#define INITGUID
#include <ntifs.h>
#include <ntddk.h>

#include <fltvm.h>

DEFINE_GUID(ClassGuid, 0x1C9A7C10, 0x5B8E, 0x4E4B, 0x9B, 0x3D, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x01);
DEFINE_GUID(OtherGuid, 0x1C9A7C10, 0x5B8E, 0x4E4B, 0x9B, 0x3D, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x02);
DEFINE_GUID(CustomGuid, 0x1C9A7C10, 0x5B8E, 0x4E4B, 0x9B, 0x3D, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x03);
DEFINE_GUID(ArrivalGuid, 0xCB3A4004, 0x46F0, 0x11D0, 0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F);
DEFINE_GUID(RemovalGuid, 0xCB3A4005, 0x46F0, 0x11D0, 0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F);
DEFINE_GUID(QueryRemoveGuid, 0xCB3A4006, 0x46F0, 0x11D0, 0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F);
DEFINE_GUID(RemoveCompleteGuid, 0xCB3A4008, 0x46F0, 0x11D0, 0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F);

typedef struct _HEARD {
    KEVENT Event;
    ULONG Count, Size;
    GUID Last;
    BOOLEAN SameLink, Passive, RemovesItself;
    PUNICODE_STRING Link;
    PFILE_OBJECT File;
    PVOID Entry;
    NTSTATUS Unregistered;
} HEARD, *PHEARD;

static PDEVICE_OBJECT Pdo, Fdo;
static ULONG Minor, Major;
static WCHAR Opened[20];
static KEVENT Asked, Surprised, Removed;
static PNP_DEVICE_STATE State;
static ULONG Surprises, Removes;

static NTSTATUS NTAPI OnInterface(PVOID Structure, PVOID Context)
{
    PDEVICE_INTERFACE_CHANGE_NOTIFICATION Tell = Structure;
    PHEARD Heard = Context;

    Heard->Count++;
    Heard->Last = Tell->Event;
    Heard->Size = Tell->Size;
    Heard->Passive = KeGetCurrentIrql() == PASSIVE_LEVEL;
    Heard->SameLink = Heard->Link == NULL || RtlEqualUnicodeString(Tell->SymbolicLinkName, Heard->Link, FALSE);
    if (Heard->RemovesItself)
        Heard->Unregistered = IoUnregisterPlugPlayNotificationEx(Heard->Entry);
    KeSetEvent(&Heard->Event, 0, FALSE);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI OnTarget(PVOID Structure, PVOID Context)
{
    PTARGET_DEVICE_CUSTOM_NOTIFICATION Tell = Structure;
    PHEARD Heard = Context;

    Heard->Count++;
    Heard->Last = Tell->Event;
    Heard->File = Tell->FileObject;
    Heard->Size = Tell->CustomDataBuffer[0];
    return STATUS_SUCCESS;
}

static VOID NTAPI OnComplete(PVOID Context)
{
    KeSetEvent(Context, 0, FALSE);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    Major = Stack->MajorFunction;
    Minor = Stack->MinorFunction;
    if (Stack->MajorFunction == IRP_MJ_CREATE && Stack->FileObject->FileName.Length < sizeof(Opened)) {
        RtlZeroMemory(Opened, sizeof(Opened));
        RtlCopyMemory(Opened, Stack->FileObject->FileName.Buffer, Stack->FileObject->FileName.Length);
    }
    if (Stack->MajorFunction == IRP_MJ_PNP && Stack->MinorFunction == IRP_MN_QUERY_PNP_DEVICE_STATE) {
        Irp->IoStatus.Information = State;
        KeSetEvent(&Asked, 0, FALSE);
    }
    if (Stack->MajorFunction == IRP_MJ_PNP && Stack->MinorFunction == IRP_MN_SURPRISE_REMOVAL) {
        Surprises++;
        KeSetEvent(&Surprised, 0, FALSE);
    }
    if (Stack->MajorFunction == IRP_MJ_PNP && Stack->MinorFunction == IRP_MN_REMOVE_DEVICE) {
        Removes++;
        KeSetEvent(&Removed, 0, FALSE);
    }
    if (Stack->MajorFunction == IRP_MJ_PNP && Stack->MinorFunction == IRP_MN_QUERY_DEVICE_RELATIONS &&
        Stack->Parameters.QueryDeviceRelations.Type != RemovalRelations) {
        PDEVICE_RELATIONS Relations = ExAllocatePoolWithTag(PagedPool, sizeof(*Relations), 'tseT');

        Relations->Count = 1; /* a device of its bus: as documented, it is referenced for who asks */
        Relations->Objects[0] = Fdo;
        ObReferenceObject(Fdo);
        FvCheck(Stack->Parameters.QueryDeviceRelations.Type == BusRelations);
        Irp->IoStatus.Information = (ULONG_PTR)Relations;
        KeSetEvent(&Asked, 0, FALSE);
    }
    if (Stack->MajorFunction == IRP_MJ_POWER) {
        PoStartNextPowerIrp(Irp);
        IoSkipCurrentIrpStackLocation(Irp);
        return PoCallDriver(Pdo, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static BOOLEAN Wait(PKEVENT Event)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};

    return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Second) == STATUS_SUCCESS;
}

static VOID CheckDetected(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name;
    PFILE_OBJECT File;
    PDEVICE_OBJECT Own = Fdo, Top;

    FvCheck(IoReportDetectedDevice(DriverObject, Isa, 3, 4, NULL, NULL, FALSE, &Own) == STATUS_NOT_IMPLEMENTED);
    FvCheck(IoReportDetectedDevice(DriverObject, Isa, 3, 4, NULL, NULL, FALSE, &Pdo) == STATUS_SUCCESS && Pdo != NULL);
    FvCheck(Minor == 0); /* neither AddDevice nor a start */
    FvCheck(IoAttachDeviceToDeviceStack(Fdo, Pdo) == Pdo);
    Fdo->Flags &= ~DO_DEVICE_INITIALIZING;
    RtlInitUnicodeString(&Name, L"\\Device\\NTPNP_ROOT0000");
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS && Top == Fdo);
    ObDereferenceObject(File);
}

static VOID CheckProperties(VOID)
{
    WCHAR Text[96];
    ULONG Number, Length;

    FvCheck(IoGetDeviceProperty(Fdo, DevicePropertyBusNumber, sizeof(Number), &Number, &Length) ==
            STATUS_INVALID_DEVICE_REQUEST);
    FvCheck(IoGetDeviceProperty(Pdo, 0x4711, sizeof(Text), Text, &Length) == STATUS_INVALID_PARAMETER_2);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyBusNumber, sizeof(Number), &Number, &Length) == STATUS_SUCCESS &&
            Number == 3 && Length == 4);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyAddress, 4, &Number, &Length) == STATUS_SUCCESS && Number == 4);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyLegacyBusType, 4, &Number, &Length) == STATUS_SUCCESS &&
            Number == Isa);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyUINumber, 4, &Number, &Length) == STATUS_SUCCESS &&
            Number == MAXULONG);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyRemovalPolicy, 4, &Number, &Length) == STATUS_SUCCESS &&
            Number == RemovalPolicyExpectNoRemoval);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyInstallState, 4, &Number, &Length) == STATUS_SUCCESS &&
            Number == InstallStateInstalled);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyEnumeratorName, 0, NULL, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length == sizeof(L"ROOT"));
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyEnumeratorName, Length, Text, &Length) == STATUS_SUCCESS &&
            wcscmp(Text, L"ROOT") == 0);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyPhysicalDeviceObjectName, sizeof(Text), Text, &Length) ==
                STATUS_SUCCESS &&
            wcscmp(Text, L"\\Device\\NTPNP_ROOT0000") == 0);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyCompatibleIDs, sizeof(Text), Text, &Length) == STATUS_SUCCESS &&
            wcscmp(Text, L"DETECTEDInternal\\pnp") == 0 && wcscmp(Text + wcslen(Text) + 1, L"DETECTED\\pnp") == 0 &&
            Text[Length / 2 - 1] == 0 && Text[Length / 2 - 2] == 0);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyFriendlyName, sizeof(Text), Text, &Length) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyBusTypeGuid, sizeof(Text), Text, &Length) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(IoGetDeviceProperty(Pdo, DevicePropertyBootConfiguration, sizeof(Text), Text, &Length) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
}

/* What is enabled can be opened, and only that. */
static NTSTATUS Open(PUNICODE_STRING Link)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Top;
    NTSTATUS Status = IoGetDeviceObjectPointer(Link, FILE_READ_DATA, &File, &Top);

    if (NT_SUCCESS(Status)) {
        FvCheck(Top == Fdo);
        ObDereferenceObject(File);
    }
    return Status;
}

static ULONG CountInterfaces(const GUID *Class, PDEVICE_OBJECT Of, ULONG Flags)
{
    PZZWSTR List = NULL;
    ULONG Count = 0;

    if (!FvCheck(IoGetDeviceInterfaces(Class, Of, Flags, &List) == STATUS_SUCCESS && List != NULL))
        return MAXULONG;
    for (PWCHAR Next = List; *Next != 0; Next += wcslen(Next) + 1)
        Count++;
    ExFreePool(List);
    return Count;
}

static VOID CheckInterfaces(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Bad = RTL_CONSTANT_STRING(L"a\\b"), Slash = RTL_CONSTANT_STRING(L"a/b");
    UNICODE_STRING Reference = RTL_CONSTANT_STRING(L"one"), Link, Again, WithReference, None;
    HEARD Heard = {0}, Deaf = {0}, Existing = {0};
    PZZWSTR List;

    KeInitializeEvent(&Heard.Event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Deaf.Event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Existing.Event, SynchronizationEvent, FALSE);
    FvCheck(IoRegisterDeviceInterface(Fdo, &ClassGuid, NULL, &None) == STATUS_INVALID_DEVICE_REQUEST &&
            None.Buffer == NULL);
    FvCheck(IoRegisterDeviceInterface(Pdo, &ClassGuid, &Bad, &None) == STATUS_INVALID_DEVICE_REQUEST);
    FvCheck(IoRegisterDeviceInterface(Pdo, &ClassGuid, &Slash, &None) == STATUS_INVALID_DEVICE_REQUEST);
    FvCheck(IoRegisterDeviceInterface(Pdo, &ClassGuid, NULL, &Link) == STATUS_SUCCESS);
    FvCheck(IoRegisterDeviceInterface(Pdo, &ClassGuid, NULL, &Again) == STATUS_OBJECT_NAME_EXISTS &&
            RtlEqualUnicodeString(&Link, &Again, FALSE));
    RtlFreeUnicodeString(&Again);
    FvCheck(IoRegisterDeviceInterface(Pdo, &ClassGuid, &Reference, &WithReference) == STATUS_SUCCESS &&
            !RtlEqualUnicodeString(&Link, &WithReference, FALSE));
    FvCheck(!NT_SUCCESS(Open(&Link))); /* not yet */
    FvCheck(CountInterfaces(&ClassGuid, NULL, 0) == 0);
    FvCheck(CountInterfaces(&ClassGuid, NULL, DEVICE_INTERFACE_INCLUDE_NONACTIVE) == 2);
    FvCheck(IoSetDeviceInterfaceState(&Link, FALSE) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(IoSetDeviceInterfaceState(&Bad, TRUE) == STATUS_OBJECT_NAME_NOT_FOUND);

    Heard.Link = &Link;
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&ClassGuid, DriverObject,
                                           OnInterface, &Heard, &Heard.Entry) == STATUS_SUCCESS);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&OtherGuid, DriverObject,
                                           OnInterface, &Deaf, &Deaf.Entry) == STATUS_SUCCESS);
    FvCheck(IoSetDeviceInterfaceState(&Link, TRUE) == STATUS_SUCCESS);
    FvCheck(Wait(&Heard.Event) && IsEqualGUID(&Heard.Last, &ArrivalGuid) && Heard.SameLink && Heard.Passive &&
            Heard.Size == sizeof(DEVICE_INTERFACE_CHANGE_NOTIFICATION));
    FvCheck(IoSetDeviceInterfaceState(&Link, TRUE) == STATUS_OBJECT_NAME_EXISTS);
    FvCheck(Open(&Link) == STATUS_SUCCESS);
    FvCheck(CountInterfaces(&ClassGuid, NULL, 0) == 1 && CountInterfaces(&ClassGuid, Pdo, 0) == 1 &&
            CountInterfaces(&OtherGuid, NULL, 1) == 0);
    FvCheck(IoGetDeviceInterfaces(&ClassGuid, Fdo, 0, &List) == STATUS_INVALID_DEVICE_REQUEST && List == NULL);

    Existing.RemovesItself = TRUE; /* the second event is not for it any more */
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&ClassGuid, DriverObject,
                                           OnInterface, &Existing, &Existing.Entry) == STATUS_SUCCESS &&
            Existing.Count == 0);
    FvCheck(IoSetDeviceInterfaceState(&Link, FALSE) == STATUS_SUCCESS);
    FvCheck(Wait(&Heard.Event) && IsEqualGUID(&Heard.Last, &RemovalGuid) && Heard.Count == 2);
    FvCheck(Wait(&Existing.Event) && Existing.Unregistered == STATUS_SUCCESS);
    FvCheck(!NT_SUCCESS(Open(&Link)));
    Heard.Link = NULL;
    FvCheck(IoSetDeviceInterfaceState(&WithReference, TRUE) == STATUS_SUCCESS && Wait(&Heard.Event));
    FvCheck(Open(&WithReference) == STATUS_SUCCESS && wcscmp(Opened, L"\\one") == 0); /* the driver's to tell apart */
    FvCheck(IoUnregisterPlugPlayNotificationEx(Existing.Entry) == STATUS_INVALID_PARAMETER && Existing.Count == 1);
    FvCheck(Deaf.Count == 0 && IoUnregisterPlugPlayNotification(Deaf.Entry) == STATUS_SUCCESS);
    FvCheck(IoUnregisterPlugPlayNotificationEx(Heard.Entry) == STATUS_SUCCESS);

    RtlZeroMemory(&Existing.Count, sizeof(Existing.Count)); /* those that are there are told of before it returns */
    Existing.RemovesItself = FALSE;
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange,
                                           PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES, (PVOID)&ClassGuid,
                                           DriverObject, OnInterface, &Existing, &Existing.Entry) == STATUS_SUCCESS &&
            Existing.Count == 1 && IsEqualGUID(&Existing.Last, &ArrivalGuid));
    FvCheck(IoUnregisterPlugPlayNotificationEx(Existing.Entry) == STATUS_SUCCESS);
    FvCheck(IoSetDeviceInterfaceState(&WithReference, FALSE) == STATUS_SUCCESS);
    RtlFreeUnicodeString(&WithReference);
    RtlFreeUnicodeString(&Link);
}

static VOID CheckTargets(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NTPNP_ROOT0000");
    TARGET_DEVICE_CUSTOM_NOTIFICATION Tell = {1, sizeof(Tell), CustomGuid, NULL, -1, {17}};
    PFILE_OBJECT File = NULL;
    PDEVICE_OBJECT Top;
    HEARD Heard = {0};
    KEVENT Done;
    KIRQL Irql;
    PVOID Entry;

    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, NULL, DriverObject, OnTarget, &Heard,
                                           &Entry) == STATUS_INVALID_PARAMETER &&
            Entry == NULL);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryHardwareProfileChange, 0, File, DriverObject, OnTarget, &Heard,
                                           &Entry) == STATUS_INVALID_PARAMETER);
    FvCheck(IoRegisterPlugPlayNotification((IO_NOTIFICATION_EVENT_CATEGORY)9, 0, File, DriverObject, OnTarget, &Heard,
                                           &Entry) == STATUS_INVALID_PARAMETER);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryHardwareProfileChange, 0, NULL, DriverObject, OnTarget, &Heard,
                                           &Entry) == STATUS_SUCCESS &&
            IoUnregisterPlugPlayNotificationEx(Entry) == STATUS_SUCCESS);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, File, DriverObject, OnTarget, &Heard,
                                           &Heard.Entry) == STATUS_SUCCESS);
    FvCheck(IoReportTargetDeviceChange(Pdo, &Tell) == STATUS_SUCCESS && Heard.Count == 1 && Heard.File == File &&
            Heard.Size == 17 && IsEqualGUID(&Heard.Last, &CustomGuid) && Tell.FileObject == NULL);
    Tell.CustomDataBuffer[0] = 18;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(IoReportTargetDeviceChangeAsynchronous(Pdo, &Tell, OnComplete, &Done) == STATUS_PENDING);
    Tell.CustomDataBuffer[0] = 19; /* it has been copied */
    KeLowerIrql(Irql);
    FvCheck(Wait(&Done) && Heard.Count == 2 && Heard.Size == 18);
    Tell.Event = QueryRemoveGuid;
    FvCheck(IoReportTargetDeviceChange(Pdo, &Tell) == STATUS_INVALID_DEVICE_REQUEST);
    Tell.Event = RemoveCompleteGuid;
    FvCheck(IoReportTargetDeviceChangeAsynchronous(Pdo, &Tell, NULL, NULL) == STATUS_INVALID_DEVICE_REQUEST);
    Tell.Event = CustomGuid, Tell.FileObject = File;
    FvCheck(IoReportTargetDeviceChange(Pdo, &Tell) == STATUS_INVALID_DEVICE_REQUEST && Heard.Count == 2);
    FvCheck(IoUnregisterPlugPlayNotificationEx(Heard.Entry) == STATUS_SUCCESS);
    Tell.FileObject = NULL;
    FvCheck(IoReportTargetDeviceChange(Pdo, &Tell) == STATUS_SUCCESS && Heard.Count == 2);
    ObDereferenceObject(File);
}

static VOID CheckRelationsAndPower(VOID)
{
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Asked, SynchronizationEvent, FALSE);
    IoInvalidateDeviceRelations(Pdo, EjectionRelations); /* asked for when they are needed */
    IoInvalidateDeviceRelations(Pdo, BusRelations);
    FvCheck(Wait(&Asked));
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Fdo, NULL, 0, NULL, &Event, &IoStatus);
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_POWER;
    Stack->MinorFunction = IRP_MN_QUERY_POWER;
    FvCheck(PoCallDriver(Fdo, Irp) == STATUS_SUCCESS && Major == IRP_MJ_POWER && Minor == IRP_MN_QUERY_POWER);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

/* Its driver says that it is gone, once: whoever has a file of it hears of it after the stack.  It is removed with its last file. */
static VOID CheckSurprise(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NTPNP_ROOT0000");
    LARGE_INTEGER Moment = {.QuadPart = -100000};
    PFILE_OBJECT File = NULL;
    PDEVICE_OBJECT Top;
    HEARD Heard = {0};
    KIRQL Irql;

    KeInitializeEvent(&Surprised, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Removed, SynchronizationEvent, FALSE);
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, File, DriverObject, OnTarget, &Heard,
                                           &Heard.Entry) == STATUS_SUCCESS);
    State = PNP_DEVICE_DONT_DISPLAY_IN_UI;
    IoInvalidateDeviceState(Pdo);
    FvCheck(Wait(&Asked));
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    FvCheck(Surprises == 0 && Heard.Count == 0);
    State = PNP_DEVICE_REMOVED;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    IoInvalidateDeviceState(Pdo);
    KeLowerIrql(Irql);
    FvCheck(Wait(&Asked) && Wait(&Surprised));
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    FvCheck(Heard.Count == 1 && IsEqualGUID(&Heard.Last, &RemoveCompleteGuid) && Heard.File == File);
    IoInvalidateDeviceState(Pdo);
    FvCheck(Wait(&Asked));
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    FvCheck(Surprises == 1 && Heard.Count == 1);
    FvCheck(IoUnregisterPlugPlayNotificationEx(Heard.Entry) == STATUS_SUCCESS);
    FvCheck(Removes == 0);
    ObDereferenceObject(File);
    FvCheck(Wait(&Removed) && Removes == 1);
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_NO_SUCH_DEVICE);
}

/* A device of a driver that knows itself that it is gone. */
static VOID CheckClosed(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\PnpOwn");
    LARGE_INTEGER Moment = {.QuadPart = -100000};
    PDEVICE_OBJECT Own, Top;
    PFILE_OBJECT File;

    if (!FvCheck(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Own) == STATUS_SUCCESS))
        return;
    Own->Flags &= ~DO_DEVICE_INITIALIZING;
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS && Top == Own);
    FvRemoveWhenClosed(Own);
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    FvCheck(Removes == 1);
    ObDereferenceObject(File);
    FvCheck(Wait(&Removed) && Removes == 2);
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_NO_SUCH_DEVICE);
    IoDeleteDevice(Own);
}

static VOID CheckPath(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Path, Tail = RTL_CONSTANT_STRING(L"\\pnp.sys");

    FvCheck(IoQueryFullDriverPath(DriverObject, &Path) == STATUS_SUCCESS && Path.Length > Tail.Length);
    Path.Buffer += (Path.Length - Tail.Length) / sizeof(WCHAR);
    Path.Length = Tail.Length;
    FvCheck(RtlEqualUnicodeString(&Path, &Tail, TRUE));
    IoQueryFullDriverPath(DriverObject, &Path);
    ExFreePool(Path.Buffer);
    FvCheck(IoQueryFullDriverPath(Pdo->DriverObject, &Path) == STATUS_NOT_FOUND && Path.Buffer == NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    FvTestPlan(97);
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Fdo))))
        return STATUS_UNSUCCESSFUL;
    CheckDetected(DriverObject);
    CheckProperties();
    CheckInterfaces(DriverObject);
    CheckTargets(DriverObject);
    CheckRelationsAndPower();
    CheckSurprise(DriverObject);
    CheckClosed(DriverObject);
    CheckPath(DriverObject);
    IoDetachDevice(Pdo);
    IoDeleteDevice(Fdo);
    return STATUS_SUCCESS;
}

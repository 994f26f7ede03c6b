// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events, a section and keys of a driver's, with descriptors of all kinds, which objectsuser.c opens; keys are opened for whoever asks by a
 * control, with the check that the kernel asks for.
 */
#include <ntifs.h>
#include <fltvm.h>

#define SOFTWARE L"\\Registry\\Machine\\Software\\"

static HANDLE Handles[8];
static ULONG Count;
static PDEVICE_OBJECT Device;

/* The world's rights, or none without a list at all. */
static PSECURITY_DESCRIPTOR Grant(PSECURITY_DESCRIPTOR Descriptor, PACL Acl, ULONG Size, ACCESS_MASK Access)
{
    RtlCreateSecurityDescriptor(Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateAcl(Acl, Size, ACL_REVISION);
    if (Access != 0)
        RtlAddAccessAllowedAce(Acl, ACL_REVISION, Access, SeExports->SeWorldSid);
    RtlSetDaclSecurityDescriptor(Descriptor, TRUE, Acl, FALSE);
    return Descriptor;
}

static VOID MakeEvent(PCWSTR Path, BOOLEAN Described, ACCESS_MASK Access)
{
    SECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Acl[16];

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL,
                               Described ? Grant(&Descriptor, (PACL)Acl, sizeof(Acl), Access) : NULL);
    FvCheck(ZwCreateEvent(&Handles[Count++], EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE) == 0);
}

static VOID MakeSection(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\ObjectsSection");
    LARGE_INTEGER Size = {.QuadPart = 4096};
    SECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Acl[16];

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL,
                               Grant(&Descriptor, (PACL)Acl, sizeof(Acl), GENERIC_READ));
    FvCheck(ZwCreateSection(&Handles[Count++], SECTION_ALL_ACCESS, &Attributes, &Size, PAGE_READWRITE, SEC_COMMIT,
                            NULL) == 0);
}

static NTSTATUS OpenKey(PCWSTR Path, ULONG Flags, ACCESS_MASK Access, BOOLEAN Create, PSECURITY_DESCRIPTOR Descriptor,
                        PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE | Flags, NULL, Descriptor);
    return Create ? ZwCreateKey(Key, Access, &Attributes, 0, NULL, REG_OPTION_VOLATILE, NULL)
                  : ZwOpenKey(Key, Access, &Attributes);
}

static VOID MakeKeys(VOID)
{
    SECURITY_DESCRIPTOR Descriptor;
    ULONG Acl[16], Length = 0;
    UCHAR Buffer[256];
    HANDLE Key, Below;

    Grant(&Descriptor, (PACL)Acl, sizeof(Acl), KEY_QUERY_VALUE);
    FvCheck(OpenKey(SOFTWARE L"Queried", 0, KEY_ALL_ACCESS, TRUE, &Descriptor, &Key) == 0);
    FvCheck(OpenKey(SOFTWARE L"Queried\\Below", 0, KEY_ALL_ACCESS, TRUE, NULL, &Below) == 0);
    ZwClose(Below);
    ZwClose(Key);
    FvCheck(OpenKey(SOFTWARE L"Closed", 0, KEY_ALL_ACCESS, TRUE, NULL, &Key) == 0);
    FvCheck(ZwQuerySecurityObject(Key, DACL_SECURITY_INFORMATION, NULL, 0, &Length) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(Length > sizeof(SECURITY_DESCRIPTOR_RELATIVE) && Length <= sizeof(Buffer));
    FvCheck(ZwQuerySecurityObject(Key, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) == 0);
    FvCheck(ZwSetSecurityObject(Key, DACL_SECURITY_INFORMATION, Grant(&Descriptor, (PACL)Acl, sizeof(Acl), 0)) == 0);
    FvCheck(ZwQuerySecurityObject(Key, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) == 0);
    FvCheck(((PACL)(Buffer + ((SECURITY_DESCRIPTOR_RELATIVE *)Buffer)->Dacl))->AceCount == 0);
    ZwClose(Key);
    FvCheck(OpenKey(SOFTWARE L"Closed", 0, KEY_QUERY_VALUE, FALSE, NULL, &Key) == 0); /* the kernel is not asked */
    FvCheck(ZwSetSecurityObject(Key, DACL_SECURITY_INFORMATION, &Descriptor) == 0);
    FvCheck(ZwDeleteKey(Key) == 0);
    FvCheck(ZwSetSecurityObject(Key, DACL_SECURITY_INFORMATION, &Descriptor) == STATUS_KEY_DELETED);
    FvCheck(ZwQuerySecurityObject(Key, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) ==
            STATUS_KEY_DELETED);
    ZwClose(Key);
    FvCheck(OpenKey(SOFTWARE L"Closed", 0, KEY_ALL_ACCESS, TRUE, &Descriptor, &Key) == 0);
    ZwClose(Key);
}

/* An object without a name has no descriptor, unless it is made with one. */
static VOID CheckNameless(VOID)
{
    SECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Acl[16], Length = 0;
    PSECURITY_DESCRIPTOR Its;
    BOOLEAN Allocated;
    UCHAR Buffer[128];
    HANDLE Event;
    PVOID Object;

    FvCheck(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE) == 0);
    Grant(&Descriptor, (PACL)Acl, sizeof(Acl), EVENT_ALL_ACCESS);
    FvCheck(ZwSetSecurityObject(Event, DACL_SECURITY_INFORMATION, &Descriptor) == STATUS_NO_SECURITY_ON_OBJECT);
    FvCheck(ZwQuerySecurityObject(Event, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) == 0);
    FvCheck(NT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL)));
    FvCheck(ObGetObjectSecurity(Object, &Its, &Allocated) == 0 && Its == NULL && !Allocated);
    ObReleaseObjectSecurity(Its, Allocated);
    ObDereferenceObject(Object);
    ZwClose(Event);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, &Descriptor);
    FvCheck(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE) == 0);
    FvCheck(NT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL)));
    FvCheck(ObGetObjectSecurity(Object, &Its, &Allocated) == 0 && Its != NULL && Allocated);
    ObReleaseObjectSecurity(Its, Allocated);
    ObDereferenceObject(Object);
    FvCheck(ZwSetSecurityObject(Event, DACL_SECURITY_INFORMATION, &Descriptor) == 0);
    ZwClose(Event);
}

/* What each key says to who asks, from the calling thread. */
static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static const struct {
        PCWSTR Path;
        ACCESS_MASK Access;
        BOOLEAN Create;
    } Keys[] = {{SOFTWARE L"Queried", KEY_QUERY_VALUE, FALSE},
                {SOFTWARE L"Queried", KEY_SET_VALUE, FALSE},
                {SOFTWARE L"Queried\\Below", KEY_QUERY_VALUE, FALSE},
                {SOFTWARE L"Queried\\Below", KEY_READ, FALSE},
                {SOFTWARE L"Closed", KEY_QUERY_VALUE, FALSE},
                {L"\\Registry\\Machine\\Software", KEY_READ, FALSE},
                {L"\\Registry\\Machine\\Software", KEY_WRITE, FALSE},
                {SOFTWARE L"Queried\\New", KEY_READ, TRUE},
                {SOFTWARE L"New", KEY_READ, TRUE}};
    PNTSTATUS Answers = Irp->AssociatedIrp.SystemBuffer;
    HANDLE Key;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        for (ULONG Index = 0; Index < RTL_NUMBER_OF(Keys); Index++) {
            Answers[Index] =
                OpenKey(Keys[Index].Path, OBJ_FORCE_ACCESS_CHECK, Keys[Index].Access, Keys[Index].Create, NULL, &Key);
            if (NT_SUCCESS(Answers[Index])) {
                if (Keys[Index].Create)
                    ZwDeleteKey(Key);
                ZwClose(Key);
            }
        }
        Irp->IoStatus.Information = sizeof(Keys) / sizeof(Keys[0]) * sizeof(NTSTATUS);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    while (Count > 0)
        ZwClose(Handles[--Count]);
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Objects");

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(29);
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] =
        DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    MakeEvent(L"\\ObjectsPlain", FALSE, 0);
    MakeEvent(L"\\ObjectsAll", TRUE, EVENT_ALL_ACCESS);
    MakeEvent(L"\\ObjectsWaited", TRUE, SYNCHRONIZE);
    MakeEvent(L"\\ObjectsNobody", TRUE, 0);
    MakeSection();
    MakeKeys();
    CheckNameless();
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* IoCreateDeviceSecure: descriptors by SDDL, what is no SDDL, and what the registry says of a class; users.lua's kin. */
#include <ntifs.h>
#include <wdmsec.h>

#include <fltvm.h>

extern POBJECT_TYPE *IoDeviceObjectType; /* exported, and in no header */

#define CLASSES   L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class"
#define CLASS_KEY CLASSES L"\\{01020304-0506-0708-090a-0b0c0d0e0f10}"

static const GUID Class = {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
static const GUID Unknown = {0x11020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    while (DriverObject->DeviceObject != NULL)
        IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS Create(PDRIVER_OBJECT DriverObject, PCWSTR Path, PCWSTR Sddl, LPCGUID Guid, PDEVICE_OBJECT *Device)
{
    UNICODE_STRING Name, Text;

    RtlInitUnicodeString(&Text, Sddl);
    if (Path != NULL)
        RtlInitUnicodeString(&Name, Path);
    return IoCreateDeviceSecure(DriverObject, 16, Path != NULL ? &Name : NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Text,
                                Guid, Device);
}

static VOID CheckRefusals(PDRIVER_OBJECT DriverObject)
{
    static const PCWSTR Bad[] = {
        L"",
        L"D:",
        L"O:SYD:P",
        L"D:P(",
        L"D:P(A;;GA;;;SY",
        L"D:P(A;;GA;;;XX)",
        L"D:P(A;;QQ;;;SY)",
        L"D:P(A;;;;;SY)",
        L"D:P(D;;GA;;;SY)",
        L"D:P(A;OI;GA;;;SY)",
        L"D:P(A;;0x;;;SY)",
        L"D:P(A;;0x100000000;;;SY)",
        L"D:P(A;;GA;;;S-1-5)",
        L"D:P(A;;GA;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16)",
        L"D:P(A;;GA;;;SY)x",
    };
    PDEVICE_OBJECT Device;
    BOOLEAN All = TRUE;

    for (ULONG I = 0; I < RTL_NUMBER_OF(Bad); I++)
        All = All && Create(DriverObject, L"\\Device\\FltvmBad", Bad[I], NULL, &Device) == STATUS_INVALID_PARAMETER &&
              Device == NULL;
    FvCheck(All);
    FvCheck(Create(DriverObject, NULL, L"D:P", NULL, &Device) == STATUS_INVALID_PARAMETER); /* without a name */
    FvCheck(DriverObject->DeviceObject == NULL);
}

/* Who is allowed what, of a device's list: the mask of the Index-th entry, 0 without one. */
static ACCESS_MASK Allowed(PDEVICE_OBJECT Device, ULONG Index, PSID Sid)
{
    ULONG Buffer[100], Length;
    BOOLEAN Present, Defaulted;
    ACCESS_MASK Mask = 0;
    HANDLE Handle;
    PACL Acl;

    if (!NT_SUCCESS(ObOpenObjectByPointer(Device, OBJ_KERNEL_HANDLE, NULL, READ_CONTROL, *IoDeviceObjectType,
                                          KernelMode, &Handle)))
        return 0;
    if (NT_SUCCESS(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length)) &&
        NT_SUCCESS(RtlGetDaclSecurityDescriptor(Buffer, &Present, &Acl, &Defaulted)) && Present && Acl != NULL &&
        Index < Acl->AceCount) {
        PACCESS_ALLOWED_ACE Ace;

        RtlGetAce(Acl, Index, (PVOID *)&Ace);
        if (RtlEqualSid(&Ace->SidStart, Sid))
            Mask = Ace->Mask;
    }
    ZwClose(Handle);
    return Mask;
}

static VOID CheckLists(PDRIVER_OBJECT DriverObject)
{
    static const struct {
        SID Sid;
        ULONG More[5];
    } UserDrivers = {{1, 6, {{0, 0, 0, 0, 0, 5}}, {84}}, {0}};
    PDEVICE_OBJECT Device;

    FvCheck(Create(DriverObject, L"\\Device\\FltvmKernel", L"D:P", NULL, &Device) == STATUS_SUCCESS);
    FvCheck(Device->DeviceExtension != NULL && Device->Flags & DO_DEVICE_INITIALIZING);
    FvCheck(Allowed(Device, 0, SeExports->SeLocalSystemSid) == 0);
    FvCheck(Create(DriverObject, L"\\Device\\FltvmKernel", L"D:P", NULL, &Device) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(Create(DriverObject, L"\\Device\\FltvmSystem", SDDL_DEVOBJ_SYS_ALL.Buffer, NULL, &Device) ==
            STATUS_SUCCESS);
    FvCheck(Allowed(Device, 0, SeExports->SeLocalSystemSid) == FILE_ALL_ACCESS); /* generic rights are a file's */
    FvCheck(Create(DriverObject, L"\\Device\\FltvmWorld", SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R.Buffer, NULL,
                   &Device) == STATUS_SUCCESS);
    FvCheck(Allowed(Device, 2, SeExports->SeWorldSid) == FILE_GENERIC_READ);
    FvCheck(Allowed(Device, 3, SeExports->SeRestrictedSid) == FILE_GENERIC_READ);
    FvCheck(Create(DriverObject, L"\\Device\\FltvmHex",
                   L"D:P(A;;RCSDWDWO;;;S-1-5-84-0-0-0-0-0)(A;;0x100080;;;S-1-1-0)(A;;0xc0000000;;;NU)(A;;GA;;;UD)",
                   NULL, &Device) == STATUS_SUCCESS);
    FvCheck(Allowed(Device, 0, (PSID)&UserDrivers) == (READ_CONTROL | DELETE | WRITE_DAC | WRITE_OWNER));
    FvCheck(Allowed(Device, 1, SeExports->SeWorldSid) == (FILE_READ_ATTRIBUTES | SYNCHRONIZE));
    FvCheck(Allowed(Device, 2, SeExports->SeNetworkSid) == (FILE_GENERIC_READ | FILE_GENERIC_WRITE));
    FvCheck(Allowed(Device, 3, (PSID)&UserDrivers) == FILE_ALL_ACCESS);
}

static VOID SetValue(HANDLE Key, PCWSTR Name, ULONG Type, PVOID Data, ULONG Length)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    ZwSetValueKey(Key, &String, 0, Type, Data, Length);
}

static HANDLE CreateKey(PCWSTR Path)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;
    HANDLE Key = NULL;

    RtlInitUnicodeString(&String, Path);
    InitializeObjectAttributes(&Attributes, &String, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateKey(&Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, 0, NULL);
    return Key;
}

/* The administrator's word comes before the driver's; what is damaged is no word. */
static VOID CheckClass(PDRIVER_OBJECT DriverObject)
{
    UCHAR AclBuffer[64], Relative[200], Broken[200] = {1};
    ULONG Length = sizeof(Relative), Type = FILE_DEVICE_NULL, Characteristics = FILE_DEVICE_SECURE_OPEN, Exclusive = 1;
    SECURITY_DESCRIPTOR Descriptor;
    PACL Acl = (PACL)AclBuffer;
    PDEVICE_OBJECT Device;
    HANDLE Key;

    FvCheck(Create(DriverObject, L"\\Device\\FltvmNoClass", L"D:P", &Unknown, &Device) == STATUS_SUCCESS);
    ZwClose(CreateKey(CLASSES));
    ZwClose(CreateKey(CLASS_KEY));
    Key = CreateKey(CLASS_KEY L"\\Properties");
    RtlCreateAcl(Acl, sizeof(AclBuffer), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_ALL_ACCESS, SeExports->SeWorldSid);
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, Acl, FALSE);
    RtlAbsoluteToSelfRelativeSD(&Descriptor, Relative, &Length);
    SetValue(Key, L"Security", REG_BINARY, Relative, Length);
    FvCheck(Create(DriverObject, L"\\Device\\FltvmClass", L"D:P", &Class, &Device) == STATUS_SUCCESS);
    FvCheck(Device->DeviceType == FILE_DEVICE_UNKNOWN && Allowed(Device, 0, SeExports->SeWorldSid) == FILE_ALL_ACCESS);
    SetValue(Key, L"Security", REG_BINARY, Broken, sizeof(Broken));
    SetValue(Key, L"DeviceType", REG_DWORD, &Type, sizeof(Type));
    SetValue(Key, L"DeviceCharacteristics", REG_DWORD, &Characteristics, sizeof(Characteristics));
    SetValue(Key, L"Exclusive", REG_DWORD, &Exclusive, sizeof(Exclusive));
    FvCheck(Create(DriverObject, L"\\Device\\FltvmClass2", L"D:P(A;;GR;;;WD)", &Class, &Device) == STATUS_SUCCESS);
    FvCheck(Device->DeviceType == FILE_DEVICE_NULL && Device->Characteristics == FILE_DEVICE_SECURE_OPEN &&
            Device->Flags & DO_EXCLUSIVE && Allowed(Device, 0, SeExports->SeWorldSid) == FILE_GENERIC_READ);
    ZwClose(Key);
}

/* As a program's request, with what its handle was opened for. */
static VOID CheckControl(PDEVICE_OBJECT Device)
{
    PIRP Irp = IoAllocateIrp(2, FALSE);
    PIO_STACK_LOCATION Stack;

    IoSetNextIrpStackLocation(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->DeviceObject = Device;
    Irp->RequestorMode = UserMode;
    Stack->MajorFunction = IRP_MJ_READ;
    FvCheck(IoValidateDeviceIoControlAccess(Irp, FILE_READ_ACCESS) == STATUS_INVALID_PARAMETER);
    Stack->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Stack->Flags = SL_READ_ACCESS_GRANTED;
    FvCheck(IoValidateDeviceIoControlAccess(Irp, FILE_READ_ACCESS) == STATUS_SUCCESS);
    FvCheck(IoValidateDeviceIoControlAccess(Irp, FILE_WRITE_ACCESS) == STATUS_ACCESS_DENIED);
    FvCheck(IoValidateDeviceIoControlAccess(Irp, FILE_READ_ACCESS | FILE_WRITE_ACCESS) == STATUS_ACCESS_DENIED);
    FvCheck(IoValidateDeviceIoControlAccess(Irp, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(IoValidateDeviceIoControlAccess(Irp, 4) == STATUS_INVALID_PARAMETER);
    Irp->RequestorMode = KernelMode;
    FvCheck(IoValidateDeviceIoControlAccess(Irp, FILE_WRITE_ACCESS) == STATUS_SUCCESS);
    IoFreeIrp(Irp);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(3 + 14 + 5 + 7);
    DriverObject->DriverUnload = Unload;
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = Dispatch;
    CheckRefusals(DriverObject);
    CheckLists(DriverObject);
    CheckClass(DriverObject);
    CheckControl(DriverObject->DeviceObject);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Two devices that everybody may read, by descriptors of their own; the first tells who opened it. */
#include <ntifs.h>

#include <fltvm.h>

static PDEVICE_OBJECT Devices[2];
static ULONG Told[2]; /* session and integrity level of the last create */
static SECURITY_INFORMATION SetInformation;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    if (Stack->MajorFunction == IRP_MJ_CREATE) {
        PSECURITY_SUBJECT_CONTEXT Subject =
            &Stack->Parameters.Create.SecurityContext->AccessState->SubjectSecurityContext;
        PACCESS_TOKEN Token = SeQuerySubjectContextToken(Subject);
        PVOID Level = NULL;

        SeQuerySessionIdToken(Token, &Told[0]);
        SeQueryInformationToken(Token, TokenIntegrityLevel, &Level);
        Told[1] = (ULONG)(ULONG_PTR)Level;
    }
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Told, sizeof(Told));
        Irp->IoStatus.Information = sizeof(Told);
    }
    if (Stack->MajorFunction == IRP_MJ_SET_SECURITY)
        SetInformation = Stack->Parameters.SetSecurity.SecurityInformation;
    if (Stack->MajorFunction == IRP_MJ_QUERY_SECURITY) {
        Irp->IoStatus.Information = 40; /* what it would take */
        Status = Stack->Parameters.QuerySecurity.Length < 40 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Devices[0]);
    IoDeleteDevice(Devices[1]);
}

static HANDLE Open(PCWSTR Path)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    HANDLE Handle = NULL;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenFile(&Handle, READ_CONTROL | WRITE_DAC, &Attributes, &IoStatus, 7, 0) == STATUS_SUCCESS);
    return Handle;
}

/* Everybody may read: set, and read again. */
static VOID LetAllRead(PCWSTR Path)
{
    ULONG AclBuffer[32], Buffer[64], Length = 0;
    SECURITY_DESCRIPTOR Descriptor;
    PACL Acl = (PACL)AclBuffer, Its;
    BOOLEAN Present, Defaulted;
    HANDLE Handle = Open(Path);
    PSID Owner;

    RtlCreateAcl(Acl, sizeof(AclBuffer), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_ALL, SeExports->SeAliasAdminsSid);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_READ, SeExports->SeWorldSid);
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, Acl, FALSE);
    FvCheck(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, Buffer, 0, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length > 60);
    FvCheck(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor) == STATUS_SUCCESS);
    FvCheck(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor) ==
            STATUS_SUCCESS); /* its own one, changed */
    FvCheck(ZwSetSecurityObject(Handle, OWNER_SECURITY_INFORMATION, &Descriptor) == STATUS_INVALID_OWNER);
    FvCheck(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION | OWNER_SECURITY_INFORMATION, Buffer,
                                  sizeof(Buffer), &Length) == STATUS_SUCCESS);
    FvCheck(NT_SUCCESS(RtlGetDaclSecurityDescriptor(Buffer, &Present, &Its, &Defaulted)) && Its->AceCount == 2);
    FvCheck(NT_SUCCESS(RtlGetOwnerSecurityDescriptor(Buffer, &Owner, &Defaulted)) &&
            RtlEqualSid(Owner, SeExports->SeLocalSystemSid));
    RtlZeroMemory(Buffer, sizeof(Buffer));
    FvCheck(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, Buffer) == STATUS_INVALID_SECURITY_DESCR);
    FvCheck(ZwQuerySecurityObject(ZwCurrentThread(), DACL_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) ==
            STATUS_NOT_IMPLEMENTED);
    ZwClose(Handle);
}

/* A name below the device is a file: its driver answers. */
static VOID CheckRequests(VOID)
{
    HANDLE Handle = Open(L"\\Device\\FltvmSecured\\name");
    SECURITY_DESCRIPTOR Descriptor;
    ULONG Buffer[16], Length = 0;

    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    FvCheck(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor) == STATUS_SUCCESS &&
            SetInformation == DACL_SECURITY_INFORMATION);
    FvCheck(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, Buffer, 39, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length == 40);
    FvCheck(ZwQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, Buffer, 40, &Length) == STATUS_SUCCESS &&
            Length == 40);
    ZwClose(Handle);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static UNICODE_STRING Names[2] = {RTL_CONSTANT_STRING(L"\\Device\\FltvmSecured"),
                                      RTL_CONSTANT_STRING(L"\\Device\\FltvmSecure2")};

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(26);
    DriverObject->DriverUnload = Unload;
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = Dispatch;
    for (ULONG Index = 0; Index < 2; Index++) {
        if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Names[Index], FILE_DEVICE_UNKNOWN,
                                               Index == 1 ? FILE_DEVICE_SECURE_OPEN : 0, FALSE, &Devices[Index]))))
            return STATUS_UNSUCCESSFUL;
        Devices[Index]->Flags &= ~DO_DEVICE_INITIALIZING;
    }
    LetAllRead(L"\\Device\\FltvmSecured");
    LetAllRead(L"\\Device\\FltvmSecure2");
    CheckRequests();
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start-up of io, in order.
 */
#include "iop.h"

POBJECT_TYPE IopFileObjectType;

POBJECT_TYPE *IoFileObjectType = &IopFileObjectType;
POBJECT_TYPE IopDriverObjectType;
POBJECT_TYPE IopDeviceObjectType;
BOOLEAN IopVerifierOn;

static NTSTATUS IopCreateTypes(VOID)
{
    static GENERIC_MAPPING DeviceMapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                                            FILE_ALL_ACCESS};
    OBJECT_TYPE_INITIALIZER Type;
    UNICODE_STRING Name;
    NTSTATUS Status;

    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.CaseInsensitive = TRUE;
    Type.WaitOffset = OB_NOT_WAITABLE;
    Type.InvalidAttributes = OBJ_OPENLINK;
    Type.PoolType = NonPagedPoolNx;
    Type.GenericMapping = DeviceMapping;
    Type.ValidAccessMask = FILE_ALL_ACCESS;
    Type.ParseProcedure = IopParseDevice;
    Type.DeleteProcedure = IopDeleteDevice;
    Type.CopySecurityProcedure = IopCopyDeviceSecurity;
    Type.ReplaceSecurityProcedure = IopReplaceDeviceSecurity;
    RtlInitUnicodeString(&Name, L"Device");
    Status = ObCreateObjectType(&Name, &Type, NULL, &IopDeviceObjectType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Type.ParseProcedure = NULL;
    Type.CopySecurityProcedure = NULL;
    Type.ReplaceSecurityProcedure = NULL;
    Type.DeleteProcedure = IopDeleteDriver;
    RtlInitUnicodeString(&Name, L"Driver");
    Status = ObCreateObjectType(&Name, &Type, NULL, &IopDriverObjectType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Type.MaintainHandleCount = TRUE;
    Type.WaitOffset = FIELD_OFFSET(FILE_OBJECT, Event);
    Type.ParseProcedure = IopParseFile;
    Type.CloseProcedure = IopCloseFile;
    Type.DeleteProcedure = IopDeleteFile;
    Type.QueryNameProcedure = IopQueryFileName;
    Type.Guarded = TRUE; /* filters keep file objects that are not theirs */
    RtlInitUnicodeString(&Name, L"File");
    Status = ObCreateObjectType(&Name, &Type, NULL, &IopFileObjectType);
    if (NT_SUCCESS(Status)) {
        Status = IopInitializeTransactions();
    }
    if (NT_SUCCESS(Status)) {
        Status = IopInitializePorts();
    }
    return NT_SUCCESS(Status) ? IopInitializeSections() : Status;
}

static NTSTATUS IopCreateDirectories(VOID)
{
    static const PCWSTR Directories[] = {L"\\Device", L"\\Driver", L"\\FileSystem", L"\\FileSystem\\Filters"};
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status;
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Directories); Index++) {
        RtlInitUnicodeString(&Name, Directories[Index]);
        InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                                   NULL, NULL);
        Status = ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &ObjectAttributes);
        if (Status == STATUS_OBJECT_NAME_COLLISION) {
            continue; /* the object manager had made it */
        }
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        ZwClose(Handle);
    }
    return STATUS_SUCCESS;
}

NTSTATUS IoInitSystem(ULONG Phase)
{
    NTSTATUS Status;

    if (Phase == 0) {
        IopVerifierOn = FvVerifierEnabled();
        KeInitializeSpinLock(&IopDatabaseLock);
        IopInitializeLinks();
        IopInitializeIrps();
        IopInitializeMdls();
        IopInitializeCancel();
        IopInitializeFileSystems();
        IopInitializeDrivers();
        Status = IopCreateTypes();
        if (NT_SUCCESS(Status)) {
            Status = IopCreateDirectories();
        }
        PsIoThreadExitRoutine = IopCancelThreadIrps;
        return Status;
    }
    IopInitializePnp();
    IopInitializeInterfaces();
    IopInitializePnpNotification();
    Status = IopInitializeRootBus();
    return NT_SUCCESS(Status) ? IopInitializePci() : Status;
}

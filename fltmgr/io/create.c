/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * create.c: files that filters open themselves.  With an instance the create, and all that is done with the
 * file later, is seen only below that instance (operation/target.c); without one it begins at the top.  IRQL:
 * PASSIVE_LEVEL.
 *
 * What a filter opens it opens as the kernel: access is not checked unless the flags say so.
 */
#include <hold.h>
#include "issue.h"

typedef struct _FLTP_CREATE {
    PFLT_FILTER Filter;
    PFLT_INSTANCE Instance;
    PHANDLE Handle;
    PFILE_OBJECT *File;
    ACCESS_MASK Access;
    POBJECT_ATTRIBUTES Attributes;
    PIO_STATUS_BLOCK IoStatus;
    PLARGE_INTEGER AllocationSize;
    ULONG FileAttributes, ShareAccess, Disposition, Options;
    PVOID EaBuffer;
    ULONG EaLength;
    ULONG Flags;
    PIO_DRIVER_CREATE_CONTEXT Context;
} FLTP_CREATE;

/* The list that carries the target: the caller's, which gets it back unchanged, or one of ours. */
typedef struct _FLTP_CARRIER {
    PECP_LIST List;
    BOOLEAN Ours;
    PVOID Former; /* the target of an open whose list the caller hands on */
} FLTP_CARRIER, *PFLTP_CARRIER;

static VOID FltpUnload(PFLTP_CARRIER Carrier)
{
    PVOID Parameter;

    if (Carrier->List == NULL)
        return;
    if (NT_SUCCESS(FsRtlRemoveExtraCreateParameter(Carrier->List, &FltpTargetType, &Parameter, NULL)))
        FsRtlFreeExtraCreateParameter(Parameter);
    if (Carrier->Former != NULL)
        FsRtlInsertExtraCreateParameter(Carrier->List, Carrier->Former);
    if (Carrier->Ours)
        FsRtlFreeExtraCreateParameterList(Carrier->List);
}

static NTSTATUS FltpLoad(PFLTP_CARRIER Carrier, PECP_LIST Given, PFLTP_TARGET Target)
{
    PFLTP_TARGET *Parameter;
    NTSTATUS Status = STATUS_SUCCESS;

    RtlZeroMemory(Carrier, sizeof(*Carrier));
    Carrier->List = Given;
    Carrier->Ours = Given == NULL;
    if (Given != NULL)
        FsRtlRemoveExtraCreateParameter(Given, &FltpTargetType, &Carrier->Former, NULL);
    else
        Status = FsRtlAllocateExtraCreateParameterList(0, &Carrier->List);
    if (NT_SUCCESS(Status))
        Status = FsRtlAllocateExtraCreateParameter(&FltpTargetType, sizeof(*Parameter), 0, NULL, FLTP_TAG_ISSUED,
                                                   (PVOID *)&Parameter);
    if (NT_SUCCESS(Status)) {
        *Parameter = Target;
        Status = FsRtlInsertExtraCreateParameter(Carrier->List, Parameter);
    }
    if (!NT_SUCCESS(Status))
        FltpUnload(Carrier);
    return Status;
}

static NTSTATUS FltpSendCreate(const FLTP_CREATE *Create, PIO_DRIVER_CREATE_CONTEXT Context)
{
    ULONG Flags = Create->Flags | IO_NO_PARAMETER_CHECKING;

    if (!FlagOn(Create->Flags, IO_NO_PARAMETER_CHECKING))
        SetFlag(Flags, IO_CHECK_CREATE_PARAMETERS);
    return IoCreateFileEx(Create->Handle, Create->Access, Create->Attributes, Create->IoStatus, Create->AllocationSize,
                          Create->FileAttributes, Create->ShareAccess, Create->Disposition, Create->Options,
                          Create->EaBuffer, Create->EaLength, CreateFileTypeNone, NULL, Flags, Context);
}

static NTSTATUS FltpCreateBelow(const FLTP_CREATE *Create, PFLTP_TARGET *Target)
{
    IO_DRIVER_CREATE_CONTEXT Context;
    FLTP_CARRIER Carrier;
    NTSTATUS Status;

    *Target = FltpNewTarget(Create->Instance->Volume, Create->Instance);
    if (*Target == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoInitializeDriverCreateContext(&Context);
    if (Create->Context != NULL)
        Context = *Create->Context;
    Status = FltpLoad(&Carrier, Context.ExtraCreateParameter, *Target);
    if (!NT_SUCCESS(Status))
        return Status;
    Context.ExtraCreateParameter = Carrier.List;
    Context.DeviceObjectHint = Create->Instance->Volume->Device;
    Status = FltpSendCreate(Create, &Context);
    FltpUnload(&Carrier);
    return Status;
}

/* With the verifier, also what was opened from the top is known, so that it is told when it is left. */
static PFLTP_TARGET FltpFollow(const FLTP_CREATE *Create)
{
    PFILE_OBJECT FileObject;
    PFLTP_TARGET Target = NULL;
    PFLT_VOLUME Volume;

    if (!FltpVerify || !NT_SUCCESS(ObReferenceObjectByHandle(*Create->Handle, 0, *IoFileObjectType, KernelMode,
                                                             (PVOID *)&FileObject, NULL)))
        return NULL;
    if (NT_SUCCESS(FltGetVolumeFromFileObject(Create->Filter, FileObject, &Volume))) {
        Target = FltpNewTarget(Volume, NULL);
        if (Target != NULL && !NT_SUCCESS(FltpPutTarget(Target, FileObject))) {
            FltpEndTargetedCreate(Target, FALSE);
            Target = NULL;
        }
        FltObjectDereference(Volume);
    }
    ObDereferenceObject(FileObject);
    return Target;
}

static NTSTATUS FltpReferenceOpened(const FLTP_CREATE *Create)
{
    if (Create->File == NULL)
        return STATUS_SUCCESS;
    return ObReferenceObjectByHandle(*Create->Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)Create->File, NULL);
}

static NTSTATUS FltpCreate(const FLTP_CREATE *Create)
{
    PFLTP_TARGET Target = NULL;
    NTSTATUS Status;

    if (Create->Context != NULL && Create->Context->Size != sizeof(*Create->Context))
        return STATUS_INVALID_PARAMETER;
    if (Create->Instance != NULL && Create->Instance->Object.Magic != FLTP_MAGIC_INSTANCE)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_OBJECT, (ULONG_PTR)Create->Instance, 0, 0,
                      "rule=FltCreateFile was given no instance\n");
    if (Create->Instance != NULL)
        Status = FltpCreateBelow(Create, &Target);
    else
        Status = FltpSendCreate(Create, Create->Context);
    if (NT_SUCCESS(Status) && Target == NULL)
        Target = FltpFollow(Create);
    if (NT_SUCCESS(Status) && !NT_SUCCESS(FltpReferenceOpened(Create))) {
        ZwClose(*Create->Handle);
        Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Target != NULL) {
        FltpCaptureCaller(Target->OpenedBy);
        Target->Opened = Target->File;
        Target->Returned = Create->File != NULL;
        FltpEndTargetedCreate(Target, NT_SUCCESS(Status));
    }
    return Status;
}

NTSTATUS FLTAPI FltCreateFileEx2(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
                                 PFILE_OBJECT *FileObject, ACCESS_MASK DesiredAccess,
                                 POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                                 PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                                 ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                                 ULONG Flags, PIO_DRIVER_CREATE_CONTEXT DriverContext)
{
    FLTP_CREATE Create = {
        Filter,        Instance,       FileHandle,     FileObject,   DesiredAccess,     ObjectAttributes,
        IoStatusBlock, AllocationSize, FileAttributes, ShareAccess,  CreateDisposition, CreateOptions,
        EaBuffer,      EaLength,       Flags,          DriverContext};

    return FltpCreate(&Create);
}

NTSTATUS FLTAPI FltCreateFileEx(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle,
                                PFILE_OBJECT *FileObject, ACCESS_MASK DesiredAccess,
                                POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                                PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                                ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                                ULONG Flags)
{
    return FltCreateFileEx2(Filter, Instance, FileHandle, FileObject, DesiredAccess, ObjectAttributes, IoStatusBlock,
                            AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer,
                            EaLength, Flags, NULL);
}

NTSTATUS FLTAPI FltCreateFile(PFLT_FILTER Filter, PFLT_INSTANCE Instance, PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                              POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                              PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                              ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength, ULONG Flags)
{
    return FltCreateFileEx2(Filter, Instance, FileHandle, NULL, DesiredAccess, ObjectAttributes, IoStatusBlock,
                            AllocationSize, FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer,
                            EaLength, Flags, NULL);
}

NTSTATUS FLTAPI FltOpenVolume(PFLT_INSTANCE Instance, PHANDLE VolumeHandle, PFILE_OBJECT *VolumeFileObject)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Instance->Volume->Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return FltCreateFileEx2(Instance->Filter, Instance, VolumeHandle, VolumeFileObject, FILE_READ_DATA | SYNCHRONIZE,
                            &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                            FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, IO_IGNORE_SHARE_ACCESS_CHECK, NULL);
}

/* With the verifier: the last handles that FltClose has closed, and who had it do so. */
#define FLTP_CLOSED 64

static struct {
    HANDLE volatile Handle;
    PVOID Caller;
} FltpClosed[FLTP_CLOSED];
static volatile LONG FltpLastClosed;

static VOID FltpNoteClosed(HANDLE Handle, PVOID Caller)
{
    ULONG Place = (ULONG)InterlockedIncrement(&FltpLastClosed) % FLTP_CLOSED;

    FltpClosed[Place].Handle = NULL;
    FltpClosed[Place].Caller = Caller;
    FltpClosed[Place].Handle = Handle;
}

/* What is no handle is refused; what was one, and is closed, is closed by somebody who does not know what he has. */
static VOID FltpCheckClosed(HANDLE Handle, PVOID Caller)
{
    for (ULONG Back = 0; Back < FLTP_CLOSED; Back++) {
        ULONG Place = ((ULONG)FltpLastClosed - Back) % FLTP_CLOSED;
        PVOID Stack[FLTP_STACK_DEPTH] = {FltpClosed[Place].Caller};

        if (FltpClosed[Place].Handle != Handle)
            continue;
        FvReport("rule=FltClose closes a handle twice\n");
        FltpReportStack("closed", Stack);
        FvBlame(Caller);
        KeBugCheckEx(INVALID_KERNEL_HANDLE, (ULONG_PTR)Handle, 1, 0, 0);
    }
}

/* Only what is a file's. */
NTSTATUS FLTAPI FltClose(HANDLE FileHandle)
{
    PFILE_OBJECT FileObject;
    NTSTATUS Status =
        ObReferenceObjectByHandle(FileHandle, 0, *IoFileObjectType, KernelMode, (PVOID *)&FileObject, NULL);

    if (Status == STATUS_INVALID_HANDLE && FltpVerify && FileHandle != NULL)
        FltpCheckClosed(FileHandle, _ReturnAddress());
    if (!NT_SUCCESS(Status))
        return STATUS_INVALID_HANDLE;
    ObDereferenceObject(FileObject);
    if (FltpVerify)
        FltpNoteClosed(FileHandle, _ReturnAddress());
    return ZwClose(FileHandle);
}

static VOID FltpSendEnd(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, UCHAR MajorFunction)
{
    PFLTP_ISSUED Issued;

    while (!NT_SUCCESS(FltpAllocateIssued(Instance, FileObject, 0, &Issued))) { /* the file system must be told */
        LARGE_INTEGER Moment = {.QuadPart = -100000};

        KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
    Issued->Operation.Iopb.MajorFunction = MajorFunction;
    Issued->Operation.Iopb.IrpFlags = IRP_CLOSE_OPERATION;
    FltPerformSynchronousIo(&Issued->Operation.Data);
    FltFreeCallbackData(&Issued->Operation.Data);
}

/* In a post-create callback: for those below the file was opened and is closed again. */
VOID FLTAPI FltCancelFileOpen(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    if (FlagOn(FileObject->Flags, FO_HANDLE_CREATED | FO_FILE_OPEN_CANCELLED | FO_FILE_OPEN) ||
        FileObject->FsContext == NULL) { /* the file system has not opened it */
        if (FltpVerify) {
            FvBlame(_ReturnAddress());
            FltpViolation(INVALID_CANCEL_OF_FILE_OPEN, (ULONG_PTR)FileObject, (ULONG_PTR)Instance->Volume->Device, 0, 0,
                          "rule=FltCancelFileOpen was called elsewhere than in a post-create callback of a "
                          "file that was opened\n");
        }
        return;
    }
    FltpSendEnd(Instance, FileObject, IRP_MJ_CLEANUP);
    FltpSendEnd(Instance, FileObject, IRP_MJ_CLOSE);
    SetFlag(FileObject->Flags, FO_FILE_OPEN_CANCELLED);
}

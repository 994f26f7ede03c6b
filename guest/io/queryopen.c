/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be known of a file without opening it: the top of the stack is asked by a call (FastIoQueryOpen, which filters see as
 * IRP_MJ_NETWORK_QUERY_OPEN), with a request of an open that nobody completes and a file object in this stack that is no object.  What
 * does not do it says FALSE; then the file is opened, asked and closed.  PASSIVE_LEVEL.
 */
#include "iop.h"

/* The file object as callbacks see it: what would be an object's header is not there, so that a reference to it is found. */
typedef struct _IOP_LOCAL_FILE {
    ULONG64 NoHeader[16];
    FILE_OBJECT Object;
} IOP_LOCAL_FILE;

VOID IopTryQueryOpen(PIOP_OPEN_PACKET Packet, PFILE_OBJECT Opening, PDEVICE_OBJECT Target, PIRP Irp)
{
    PFAST_IO_QUERY_OPEN Routine =
        (PFAST_IO_QUERY_OPEN)IopFastRoutine(Target, FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryOpen));
    FILE_NETWORK_OPEN_INFORMATION Information;
    PIO_STACK_LOCATION Stack;
    IOP_LOCAL_FILE Local;
    FV_CALL Call;

    if (Routine == NULL) {
        return;
    }
    RtlZeroMemory(&Local, sizeof(Local));
    RtlZeroMemory(&Information, sizeof(Information));
    Local.Object = *Opening;
    InitializeListHead(&Local.Object.IrpList);
    IoSetNextIrpStackLocation(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->DeviceObject = Target;
    Stack->FileObject = &Local.Object;
    Irp->Tail.Overlay.OriginalFileObject = &Local.Object;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    FvBeginCall(&Call);
    Packet->QueryDone = Routine(Irp, &Information, Target);
    FvEndCall(&Call, (PVOID)Routine, "fast I/O routine", (ULONG_PTR)Target);
    if (Packet->QueryDone) {
        Packet->QueryStatus = Irp->IoStatus.Status;
        if (NT_SUCCESS(Packet->QueryStatus)) {
            *Packet->Query = Information;
        }
    }
}

/* Information is the kernel's. */
static NTSTATUS IopQueryOpenSlowly(HANDLE Handle, PFILE_NETWORK_OPEN_INFORMATION Information, PIO_STATUS_BLOCK IoStatus)
{
    NTSTATUS Status =
        ZwQueryInformationFile(Handle, IoStatus, Information, sizeof(*Information), FileNetworkOpenInformation);

    ZwClose(Handle);
    return Status;
}

static NTSTATUS IopQueryByName(POBJECT_ATTRIBUTES ObjectAttributes, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess,
                               ULONG OpenOptions, PIO_STATUS_BLOCK IoStatus, PFILE_NETWORK_OPEN_INFORMATION Information)
{
    IOP_OPEN_PACKET Packet;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    RtlZeroMemory(&Packet, sizeof(Packet));
    Packet.Type = IO_TYPE_OPEN_PACKET;
    Packet.Size = sizeof(Packet);
    Packet.CreateOptions = OpenOptions;
    Packet.ShareAccess = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    Packet.Disposition = FILE_OPEN;
    Packet.DesiredAccess = DesiredAccess;
    Packet.Query = Information;
    IopBeginEcps(&Packet);
    Status = ObOpenObjectByName(ObjectAttributes, NULL, Mode, NULL, DesiredAccess, &Packet, &Handle);
    IopEndEcps(&Packet);
    IoStatus->Information = 0;
    if (Packet.QueryDone) {
        Status = Packet.QueryStatus;
        IoStatus->Information = NT_SUCCESS(Status) ? sizeof(*Information) : 0;
    } else if (NT_SUCCESS(Status) && Packet.ParseCheck != IOP_OPEN_PACKET_CHECK) {
        ZwClose(Handle); /* the name led to something that is no file */
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else if (NT_SUCCESS(Status)) {
        Packet.FileObject->Flags |= FO_HANDLE_CREATED;
        Status = IopQueryOpenSlowly(Handle, Information, IoStatus);
    }
    IoStatus->Status = Status;
    return Status;
}

/* Result: of Size bytes, the caller's.  A reparse point at the end of the name is asked itself. */
static NTSTATUS IopQueryForCaller(POBJECT_ATTRIBUTES ObjectAttributes, PVOID Result, SIZE_T Size,
                                  PFILE_NETWORK_OPEN_INFORMATION Information)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    IO_STATUS_BLOCK IoStatus;
    OB_CAPTURED Captured;
    NTSTATUS Status;

    PAGED_CODE();
    __try {
        if (Mode != KernelMode) {
            ProbeForWrite(Result, Size, sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = ObCapture(ObjectAttributes, Result, &Captured);
    if (NT_SUCCESS(Status)) {
        Status = IopQueryByName(Captured.Attributes, Mode, FILE_READ_ATTRIBUTES, FILE_OPEN_REPARSE_POINT, &IoStatus,
                                Information);
        ObReleaseCaptured(&Captured);
    }
    return Status;
}

static NTSTATUS IopCopyToCaller(PVOID Result, const VOID *Information, SIZE_T Size)
{
    __try {
        RtlCopyMemory(Result, Information, Size);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
                                         PFILE_NETWORK_OPEN_INFORMATION FileInformation);
NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes, PFILE_BASIC_INFORMATION FileInformation);

/* PASSIVE_LEVEL.  Whatever opening the file says. */
NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
                                         PFILE_NETWORK_OPEN_INFORMATION FileInformation)
{
    FILE_NETWORK_OPEN_INFORMATION Information;
    NTSTATUS Status = IopQueryForCaller(ObjectAttributes, FileInformation, sizeof(Information), &Information);

    return NT_SUCCESS(Status) ? IopCopyToCaller(FileInformation, &Information, sizeof(Information)) : Status;
}

/* PASSIVE_LEVEL.  The same, for less. */
NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes, PFILE_BASIC_INFORMATION FileInformation)
{
    FILE_NETWORK_OPEN_INFORMATION Information;
    FILE_BASIC_INFORMATION Basic;
    NTSTATUS Status = IopQueryForCaller(ObjectAttributes, FileInformation, sizeof(Basic), &Information);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.CreationTime = Information.CreationTime;
    Basic.LastAccessTime = Information.LastAccessTime;
    Basic.LastWriteTime = Information.LastWriteTime;
    Basic.ChangeTime = Information.ChangeTime;
    Basic.FileAttributes = Information.FileAttributes;
    return IopCopyToCaller(FileInformation, &Basic, sizeof(Basic));
}

OB_ZW(QueryFullAttributesFile, (POBJECT_ATTRIBUTES ObjectAttributes, PFILE_NETWORK_OPEN_INFORMATION FileInformation),
      (ObjectAttributes, FileInformation))

/* PASSIVE_LEVEL.  TRUE: it was asked, by the call or else by an open, and IoStatus says what came of it.  It is always asked. */
BOOLEAN NTAPI IoFastQueryNetworkAttributes(POBJECT_ATTRIBUTES ObjectAttributes, ACCESS_MASK DesiredAccess,
                                           ULONG OpenOptions, PIO_STATUS_BLOCK IoStatus,
                                           PFILE_NETWORK_OPEN_INFORMATION Buffer)
{
    PAGED_CODE();
    IopQueryByName(ObjectAttributes, KernelMode, DesiredAccess, OpenOptions, IoStatus, Buffer);
    return TRUE;
}

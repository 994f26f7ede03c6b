/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NtReadFile and NtWriteFile.
 */
#include "iop.h"

/* What the manager itself checks of unbuffered user requests; for the rest the file system must. */
static NTSTATUS IopCheckAlignment(PIOP_REQUEST Request, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset)
{
    PDEVICE_OBJECT DeviceObject = Request->DeviceObject;

    if (Request->Mode == KernelMode || (Request->FileObject->Flags & FO_NO_INTERMEDIATE_BUFFERING) == 0) {
        return STATUS_SUCCESS;
    }
    if (DeviceObject->SectorSize != 0 && Length % DeviceObject->SectorSize != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (((ULONG_PTR)Buffer & DeviceObject->AlignmentRequirement) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (DeviceObject->SectorSize != 0 && Offset->QuadPart >= 0 && Offset->QuadPart % DeviceObject->SectorSize != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS IopCaptureOffset(PIOP_REQUEST Request, PLARGE_INTEGER ByteOffset, BOOLEAN Write, PLARGE_INTEGER Offset)
{
    Offset->QuadPart = 0;
    if (ByteOffset != NULL) {
        __try {
            if (Request->Mode != KernelMode) {
                ProbeForRead(ByteOffset, sizeof(*ByteOffset), sizeof(ULONG));
            }
            *Offset = *ByteOffset;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return GetExceptionCode();
        }
    }
    if (ByteOffset == NULL || (Offset->LowPart == FILE_USE_FILE_POINTER_POSITION && Offset->HighPart == -1)) {
        if (!Request->Synchronous) {
            if ((Request->FileObject->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)) != 0) {
                return STATUS_SUCCESS;
            }
            return STATUS_INVALID_PARAMETER;
        }
        *Offset = Request->FileObject->CurrentByteOffset;
        return STATUS_SUCCESS;
    }
    if (Offset->QuadPart < 0 && !(Write && Offset->LowPart == FILE_WRITE_TO_END_OF_FILE && Offset->HighPart == -1)) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* TRUE when the file system did the whole transfer without a packet; only where it has set up caching. */
static BOOLEAN IopTryFastTransfer(PIOP_REQUEST Request, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset, ULONG Key,
                                  BOOLEAN Write, PIO_STATUS_BLOCK Result)
{
    PFILE_OBJECT FileObject = Request->FileObject;
    PDEVICE_OBJECT DeviceObject = Request->DeviceObject;
    PFAST_IO_DISPATCH FastIo = DeviceObject->DriverObject->FastIoDispatch;
    BOOLEAN Done = FALSE;

    if (!Request->Synchronous || FileObject->PrivateCacheMap == NULL || FastIo == NULL) {
        return FALSE;
    }
    if (Write) {
        if (FastIo->SizeOfFastIoDispatch < FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWrite) + sizeof(PVOID) ||
            FastIo->FastIoWrite == NULL) {
            return FALSE;
        }
        Done = FastIo->FastIoWrite(FileObject, Offset, Length, TRUE, Key, Buffer, Result, DeviceObject) &&
               Result->Status == STATUS_SUCCESS;
    } else {
        if (FastIo->SizeOfFastIoDispatch < FIELD_OFFSET(FAST_IO_DISPATCH, FastIoRead) + sizeof(PVOID) ||
            FastIo->FastIoRead == NULL) {
            return FALSE;
        }
        Done = FastIo->FastIoRead(FileObject, Offset, Length, TRUE, Key, Buffer, Result, DeviceObject) &&
               (Result->Status == STATUS_SUCCESS || Result->Status == STATUS_BUFFER_OVERFLOW ||
                Result->Status == STATUS_END_OF_FILE);
    }
    return Done;
}

static NTSTATUS IopFinishFastTransfer(PIOP_REQUEST Request, PIO_STATUS_BLOCK Result, PIO_STATUS_BLOCK IoStatusBlock)
{
    __try {
        *IoStatusBlock = *Result;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Result->Status = GetExceptionCode();
    }
    if (Request->Event != NULL) {
        KeSetEvent(Request->Event, 0, FALSE);
    }
    IopAbandonRequest(Request);
    return Result->Status;
}

static NTSTATUS IopTransferFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                                PULONG Key, BOOLEAN Write)
{
    IO_STATUS_BLOCK FastResult;
    ACCESS_MASK Granted;
    IOP_REQUEST Request;
    LARGE_INTEGER Offset;
    ULONG KeyValue = 0;
    NTSTATUS Status;

    Status = IopBeginRequest(&Request, FileHandle, Write ? 0 : FILE_READ_DATA, Event, ApcRoutine, &Granted);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Write && Request.Mode != KernelMode && (Granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == 0) {
        Status = STATUS_ACCESS_DENIED;
    }
    if (NT_SUCCESS(Status)) {
        Status = IopProbeUser(IoStatusBlock, Buffer, Write ? Length : 0, Buffer, Write ? 0 : Length);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopCaptureOffset(&Request, ByteOffset, Write, &Offset);
    }
    if (NT_SUCCESS(Status) && Key != NULL) {
        __try {
            if (Request.Mode != KernelMode) {
                ProbeForRead(Key, sizeof(*Key), sizeof(ULONG));
            }
            KeyValue = *Key;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
    }
    if (NT_SUCCESS(Status)) {
        Status = IopCheckAlignment(&Request, Buffer, Length, &Offset);
    }
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    if (Write && Request.Mode != KernelMode && (Granted & FILE_WRITE_DATA) == 0) {
        Offset.LowPart = FILE_WRITE_TO_END_OF_FILE; /* may only append */
        Offset.HighPart = -1;
    }
    if (IopTryFastTransfer(&Request, Buffer, Length, &Offset, KeyValue, Write, &FastResult)) {
        return IopFinishFastTransfer(&Request, &FastResult, IoStatusBlock);
    }

    Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock, Write ? IRP_MJ_WRITE : IRP_MJ_READ);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopPrepareTransferBuffer(Request.Irp, Request.DeviceObject, Buffer, Length,
                                      Write ? IoReadAccess : IoWriteAccess, Request.Mode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    if ((Request.FileObject->Flags & FO_NO_INTERMEDIATE_BUFFERING) != 0) {
        Request.Irp->Flags |= IRP_NOCACHE;
    }
    if (Write) {
        Request.Irp->Flags |= IRP_WRITE_OPERATION;
        Request.Stack->Parameters.Write.Length = Length;
        Request.Stack->Parameters.Write.Key = KeyValue;
        Request.Stack->Parameters.Write.ByteOffset = Offset;
        if ((Request.FileObject->Flags & FO_WRITE_THROUGH) != 0) {
            Request.Stack->Flags = SL_WRITE_THROUGH;
        }
    } else {
        Request.Irp->Flags |= IRP_READ_OPERATION;
        Request.Stack->Parameters.Read.Length = Length;
        Request.Stack->Parameters.Read.Key = KeyValue;
        Request.Stack->Parameters.Read.ByteOffset = Offset;
    }
    return IopIssueRequest(&Request);
}

/* PASSIVE_LEVEL, special kernel APCs enabled. */
NTSTATUS NTAPI NtReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                          PULONG Key)
{
    return IopTransferFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset, Key,
                           FALSE);
}

/* PASSIVE_LEVEL, special kernel APCs enabled. */
NTSTATUS NTAPI NtWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset,
                           PULONG Key)
{
    return IopTransferFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset, Key,
                           TRUE);
}

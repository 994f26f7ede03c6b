/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transfer.c: FltReadFile, FltWriteFile and their long forms.  IRQL: PASSIVE_LEVEL.
 *
 * Where: at ByteOffset, or where a file that was opened for synchronous I/O stands.  The file system moves such a
 * file's CurrentByteOffset, and the filters below see it moved; who wants it to stay gets it put back here.
 */
#include "issue.h"

typedef struct _FLTP_TRANSFER {
    UCHAR Major;
    PFLT_INSTANCE Instance;
    PFILE_OBJECT File;
    PLARGE_INTEGER ByteOffset;
    ULONG Length;
    PVOID Buffer;
    FLT_IO_OPERATION_FLAGS Flags;
    PULONG Transferred; /* not with a callback */
    PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback;
    PVOID Context;
    ULONG Key;
    PMDL Mdl;
    LARGE_INTEGER Standing; /* to be put back */
} FLTP_TRANSFER, *PFLTP_TRANSFER;

static VOID FltpPutOffsetBack(const FLTP_TRANSFER *Transfer)
{
    if (FlagOn(Transfer->Flags, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET) &&
        FlagOn(Transfer->File->Flags, FO_SYNCHRONOUS_IO))
        Transfer->File->CurrentByteOffset = Transfer->Standing;
}

static VOID NTAPI FltpTransferCallback(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    PFLTP_TRANSFER Transfer = (PFLTP_TRANSFER)Context;

    FltpPutOffsetBack(Transfer);
    FltpCallCompleted(Transfer->Callback, Data, Transfer->Context);
    ExFreePoolWithTag(Transfer, FLTP_TAG_TRANSFER);
    FltFreeCallbackData(Data);
}

/* FALSE when the file does not stand anywhere. */
static BOOLEAN FltpTransferOffset(const FLTP_TRANSFER *Transfer, PLARGE_INTEGER Offset)
{
    if (Transfer->ByteOffset != NULL &&
        (Transfer->ByteOffset->LowPart != FILE_USE_FILE_POINTER_POSITION || Transfer->ByteOffset->HighPart != -1)) {
        *Offset = *Transfer->ByteOffset;
        return TRUE;
    }
    *Offset = Transfer->File->CurrentByteOffset;
    return FlagOn(Transfer->File->Flags, FO_SYNCHRONOUS_IO) != 0;
}

static ULONG FltpTransferIrpFlags(const FLTP_TRANSFER *Transfer)
{
    ULONG Flags = Transfer->Major == IRP_MJ_READ ? IRP_READ_OPERATION : IRP_WRITE_OPERATION;

    if (FlagOn(Transfer->Flags, FLTFL_IO_OPERATION_NON_CACHED) ||
        FlagOn(Transfer->File->Flags, FO_NO_INTERMEDIATE_BUFFERING))
        SetFlag(Flags, IRP_NOCACHE);
    if (FlagOn(Transfer->Flags, FLTFL_IO_OPERATION_PAGING))
        SetFlag(Flags, IRP_PAGING_IO);
    if (FlagOn(Transfer->Flags, FLTFL_IO_OPERATION_SYNCHRONOUS_PAGING))
        SetFlag(Flags, IRP_SYNCHRONOUS_PAGING_IO);
    return Flags;
}

static NTSTATUS FltpTransferAsynchronously(PFLT_CALLBACK_DATA Data, const FLTP_TRANSFER *Transfer)
{
    PFLTP_TRANSFER Kept = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Kept), FLTP_TAG_TRANSFER);

    if (Kept == NULL) {
        FltFreeCallbackData(Data);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Kept = *Transfer;
    return FltPerformAsynchronousIo(Data, FltpTransferCallback, Kept);
}

static NTSTATUS FltpTransfer(PFLTP_TRANSFER Transfer)
{
    PFLT_CALLBACK_DATA Data;
    PFLTP_ISSUED Issued;
    LARGE_INTEGER Offset;
    NTSTATUS Status;

    if (!FltpTransferOffset(Transfer, &Offset) || (Transfer->Buffer != NULL && Transfer->Mdl != NULL))
        return STATUS_INVALID_PARAMETER;
    FltpCheckOptional((PVOID)Transfer->Callback, "asynchronous completion callback");
    Status = FltpAllocateIssued(Transfer->Instance, Transfer->File, 0, &Issued);
    if (!NT_SUCCESS(Status))
        return Status;
    Data = &Issued->Operation.Data;
    Transfer->Standing = Transfer->File->CurrentByteOffset;
    Data->Iopb->MajorFunction = Transfer->Major;
    Data->Iopb->IrpFlags = FltpTransferIrpFlags(Transfer);
    Data->Iopb->Parameters.Read.Length = Transfer->Length;
    Data->Iopb->Parameters.Read.Key = Transfer->Key;
    Data->Iopb->Parameters.Read.ByteOffset = Offset;
    Data->Iopb->Parameters.Read.ReadBuffer = Transfer->Buffer;
    Data->Iopb->Parameters.Read.MdlAddress = Transfer->Mdl;
    if (Transfer->Callback != NULL)
        return FltpTransferAsynchronously(Data, Transfer);
    FltPerformSynchronousIo(Data);
    FltpPutOffsetBack(Transfer);
    if (Transfer->Transferred != NULL)
        *Transfer->Transferred = (ULONG)Data->IoStatus.Information;
    Status = Data->IoStatus.Status;
    FltFreeCallbackData(Data);
    return Status;
}

NTSTATUS FLTAPI FltReadFileEx(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, PLARGE_INTEGER ByteOffset,
                              ULONG Length, PVOID Buffer, FLT_IO_OPERATION_FLAGS Flags, PULONG BytesRead,
                              PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext, PULONG Key,
                              PMDL Mdl)
{
    FLTP_TRANSFER Transfer = {IRP_MJ_READ,
                              InitiatingInstance,
                              FileObject,
                              ByteOffset,
                              Length,
                              Buffer,
                              Flags,
                              BytesRead,
                              CallbackRoutine,
                              CallbackContext,
                              Key != NULL ? *Key : 0,
                              Mdl};

    return FltpTransfer(&Transfer);
}

NTSTATUS FLTAPI FltReadFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, PLARGE_INTEGER ByteOffset,
                            ULONG Length, PVOID Buffer, FLT_IO_OPERATION_FLAGS Flags, PULONG BytesRead,
                            PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext)
{
    return FltReadFileEx(InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags, BytesRead, CallbackRoutine,
                         CallbackContext, NULL, NULL);
}

NTSTATUS FLTAPI FltWriteFileEx(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, PLARGE_INTEGER ByteOffset,
                               ULONG Length, PVOID Buffer, FLT_IO_OPERATION_FLAGS Flags, PULONG BytesWritten,
                               PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext, PULONG Key,
                               PMDL Mdl)
{
    FLTP_TRANSFER Transfer = {IRP_MJ_WRITE,
                              InitiatingInstance,
                              FileObject,
                              ByteOffset,
                              Length,
                              Buffer,
                              Flags,
                              BytesWritten,
                              CallbackRoutine,
                              CallbackContext,
                              Key != NULL ? *Key : 0,
                              Mdl};

    return FltpTransfer(&Transfer);
}

NTSTATUS FLTAPI FltWriteFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, PLARGE_INTEGER ByteOffset,
                             ULONG Length, PVOID Buffer, FLT_IO_OPERATION_FLAGS Flags, PULONG BytesWritten,
                             PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext)
{
    return FltWriteFileEx(InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags, BytesWritten,
                          CallbackRoutine, CallbackContext, NULL, NULL);
}

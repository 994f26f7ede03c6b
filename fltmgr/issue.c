/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * issue.c: I/O that a filter starts itself.  It goes to the instances below the one that starts it and then
 * to the file system: a request is made for the volume's stack and enters our own dispatch in the middle.
 *
 * The callback data that FltAllocateCallbackData gives is the filter's; those below see one of their own,
 * with FLTFL_CALLBACK_DATA_GENERATED_IO.  IRQL: as annotated in fltKernel.h.
 */
#include "fltmgrp.h"

NTSTATUS FLTAPI FltAllocateCallbackDataEx(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                          FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags,
                                          PFLT_CALLBACK_DATA *RetNewCallbackData)
{
    PFLTP_OPERATION Operation = FltpNewOperation(0);

    UNREFERENCED_PARAMETER(Flags);
    if (Operation == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Operation->Magic = FLTP_MAGIC_OPERATION;
    Operation->Volume = Instance->Volume;
    Operation->Initiator = Instance;
    Operation->Iopb.TargetFileObject = FileObject;
    Operation->Iopb.TargetInstance = Instance;
    Operation->Data.Flags = FLTFL_CALLBACK_DATA_GENERATED_IO | FLTFL_CALLBACK_DATA_IRP_OPERATION;
    *(PETHREAD *)&Operation->Data.Thread = PsGetCurrentThread();
    Operation->Data.RequestorMode = KernelMode;
    *RetNewCallbackData = &Operation->Data;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltAllocateCallbackData(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                        PFLT_CALLBACK_DATA *RetNewCallbackData)
{
    return FltAllocateCallbackDataEx(Instance, FileObject, 0, RetNewCallbackData);
}

VOID FLTAPI FltFreeCallbackData(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltFreeCallbackData was given no callback data\n");

    Operation->Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Operation, FLTP_TAG_OPERATION);
}

VOID FLTAPI FltReuseCallbackData(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltReuseCallbackData was given no callback data\n");

    RtlZeroMemory(&Operation->Iopb.Parameters, sizeof(Operation->Iopb.Parameters));
    Operation->Iopb.MajorFunction = Operation->Iopb.MinorFunction = 0;
    Operation->Iopb.IrpFlags = 0;
    Operation->Iopb.OperationFlags = 0;
    CallbackData->IoStatus.Status = STATUS_SUCCESS;
    CallbackData->IoStatus.Information = 0;
}

/* A filter's request has come back: nobody else owns its IRP or its MDL. */
static NTSTATUS NTAPI FltpIssuedCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_OPERATION Operation = Context;
    PMDL Mdl = Irp->MdlAddress;

    UNREFERENCED_PARAMETER(Device);
    Operation->Data.IoStatus = Irp->IoStatus;
    if (Mdl != NULL && Mdl != Operation->OriginalMdl) {
        if (FlagOn(Mdl->MdlFlags, MDL_PAGES_LOCKED))
            MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
        Operation->Iopb.Parameters.Read.MdlAddress = Operation->OriginalMdl;
    }
    IoFreeIrp(Irp);
    Operation->Irp = NULL;
    if (Operation->AsyncCallback != NULL)
        Operation->AsyncCallback(&Operation->Data, Operation->AsyncContext);
    else
        KeSetEvent(&Operation->Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Kernel memory that is read or written directly needs an MDL; the completion above unlocks and frees it. */
static NTSTATUS FltpDescribeBuffer(PFLTP_OPERATION Operation)
{
    PFLT_PARAMETERS Parameters = &Operation->Iopb.Parameters;
    NTSTATUS Status = STATUS_SUCCESS;
    PMDL Mdl;

    Operation->OriginalMdl = Parameters->Read.MdlAddress;
    if (Operation->Iopb.MajorFunction != IRP_MJ_READ && Operation->Iopb.MajorFunction != IRP_MJ_WRITE)
        return STATUS_SUCCESS;
    if (Parameters->Read.MdlAddress != NULL || Parameters->Read.Length == 0)
        return STATUS_SUCCESS;
    Mdl = IoAllocateMdl(Parameters->Read.ReadBuffer, Parameters->Read.Length, FALSE, FALSE, NULL);
    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Mdl, KernelMode,
                            Operation->Iopb.MajorFunction == IRP_MJ_READ ? IoWriteAccess : IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Mdl);
        return Status;
    }
    Parameters->Read.MdlAddress = Mdl;
    return STATUS_SUCCESS;
}

/* Which parameters travel in the system buffer rather than the user's. */
static BOOLEAN FltpUsesSystemBuffer(const FLT_IO_PARAMETER_BLOCK *Iopb)
{
    switch (Iopb->MajorFunction) {
    case IRP_MJ_QUERY_INFORMATION:
    case IRP_MJ_SET_INFORMATION:
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        return TRUE;
    default:
        return FALSE;
    }
}

static NTSTATUS FltpIssue(PFLTP_OPERATION Operation)
{
    PFLT_VOLUME Volume = Operation->Volume;
    NTSTATUS Status = FltpDescribeBuffer(Operation);
    PIO_STACK_LOCATION Stack;
    PIRP Irp;

    if (!NT_SUCCESS(Status))
        return Status;
    /* One location more than the stack has, for our completion routine. */
    Irp = IoAllocateIrp((CCHAR)(Volume->Device->StackSize + 1), FALSE);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.Thread = Operation->Data.Thread;
    Irp->Tail.Overlay.OriginalFileObject = Operation->Iopb.TargetFileObject;
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Volume->Device;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = Operation->Iopb.MajorFunction;
    Stack->DeviceObject = Volume->Device;
    if (FltpUsesSystemBuffer(&Operation->Iopb))
        Irp->AssociatedIrp.SystemBuffer = Operation->Iopb.Parameters.QueryFileInformation.InfoBuffer;
    FltpParametersToIrp(&Operation->Iopb, Irp, Stack);
    IoSetCompletionRoutine(Irp, FltpIssuedCompletion, Operation, TRUE, TRUE, TRUE);
    Operation->Irp = Irp;
    IoSetNextIrpStackLocation(Irp);
    return FltpDispatchVolume(Volume, Irp, Operation->Initiator, FLTFL_CALLBACK_DATA_GENERATED_IO);
}

VOID FLTAPI FltPerformSynchronousIo(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltPerformSynchronousIo was given no callback data\n");
    NTSTATUS Status;

    KeInitializeEvent(&Operation->Event, NotificationEvent, FALSE);
    Operation->AsyncCallback = NULL;
    SetFlag(Operation->Iopb.IrpFlags, IRP_SYNCHRONOUS_API);
    Status = FltpIssue(Operation);
    if (!NT_SUCCESS(Status) && Operation->Irp == NULL && !KeReadStateEvent(&Operation->Event)) {
        CallbackData->IoStatus.Status = Status; /* it was never sent */
        CallbackData->IoStatus.Information = 0;
        return;
    }
    KeWaitForSingleObject(&Operation->Event, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS FLTAPI FltPerformAsynchronousIo(PFLT_CALLBACK_DATA CallbackData,
                                         PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine,
                                         PVOID CallbackContext)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltPerformAsynchronousIo was given no callback data\n");
    NTSTATUS Status;

    if (CallbackRoutine == NULL ||
        FlagOn(Operation->Iopb.IrpFlags, IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO) ||
        Operation->Iopb.MajorFunction == IRP_MJ_CREATE)
        return STATUS_FLT_INVALID_ASYNCHRONOUS_REQUEST;
    Operation->AsyncCallback = CallbackRoutine;
    Operation->AsyncContext = CallbackContext;
    Status = FltpIssue(Operation);
    return Status;
}

typedef struct _FLTP_TRANSFER {
    PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback;
    PVOID Context;
    PFILE_OBJECT File;
    BOOLEAN UpdateOffset;
    LONGLONG Offset;
    PULONG Transferred;
} FLTP_TRANSFER, *PFLTP_TRANSFER;

static VOID FltpTransferDone(PFLT_CALLBACK_DATA Data, const FLTP_TRANSFER *Transfer)
{
    if (Transfer->Transferred != NULL)
        *Transfer->Transferred = (ULONG)Data->IoStatus.Information;
    if (Transfer->UpdateOffset && NT_SUCCESS(Data->IoStatus.Status))
        Transfer->File->CurrentByteOffset.QuadPart = Transfer->Offset + (LONGLONG)Data->IoStatus.Information;
}

static VOID NTAPI FltpTransferCallback(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    PFLTP_TRANSFER Transfer = Context;

    FltpTransferDone(Data, Transfer);
    Transfer->Callback(Data, Transfer->Context);
    ExFreePoolWithTag(Transfer, FLTP_TAG_TEMPORARY);
    FltFreeCallbackData(Data);
}

static NTSTATUS FltpTransfer(UCHAR Major, PFLT_INSTANCE Instance, PFILE_OBJECT File,
                             PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer,
                             FLT_IO_OPERATION_FLAGS Flags, PULONG Transferred,
                             PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PVOID Context, PULONG Key, PMDL Mdl)
{
    FLTP_TRANSFER Transfer = {Callback, Context, File, FALSE, 0, Transferred}, *Kept;
    PFLT_CALLBACK_DATA Data;
    NTSTATUS Status = FltAllocateCallbackData(Instance, File, &Data);

    if (!NT_SUCCESS(Status))
        return Status;
    Transfer.Offset = ByteOffset != NULL ? ByteOffset->QuadPart : File->CurrentByteOffset.QuadPart;
    Transfer.UpdateOffset = FlagOn(File->Flags, FO_SYNCHRONOUS_IO) &&
                            !FlagOn(Flags, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET);
    Data->Iopb->MajorFunction = Major;
    Data->Iopb->IrpFlags = Major == IRP_MJ_READ ? IRP_READ_OPERATION : IRP_WRITE_OPERATION;
    if (FlagOn(Flags, FLTFL_IO_OPERATION_NON_CACHED) || FlagOn(File->Flags, FO_NO_INTERMEDIATE_BUFFERING))
        SetFlag(Data->Iopb->IrpFlags, IRP_NOCACHE);
    if (FlagOn(Flags, FLTFL_IO_OPERATION_PAGING))
        SetFlag(Data->Iopb->IrpFlags, IRP_PAGING_IO);
    if (FlagOn(Flags, FLTFL_IO_OPERATION_SYNCHRONOUS_PAGING))
        SetFlag(Data->Iopb->IrpFlags, IRP_SYNCHRONOUS_PAGING_IO);
    Data->Iopb->Parameters.Read.Length = Length;
    Data->Iopb->Parameters.Read.Key = Key != NULL ? *Key : 0;
    Data->Iopb->Parameters.Read.ByteOffset.QuadPart = Transfer.Offset;
    Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
    Data->Iopb->Parameters.Read.MdlAddress = Mdl;
    if (Callback == NULL) {
        FltPerformSynchronousIo(Data);
        FltpTransferDone(Data, &Transfer);
        Status = Data->IoStatus.Status;
        FltFreeCallbackData(Data);
        return Status;
    }
    Kept = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Kept), FLTP_TAG_TEMPORARY);
    if (Kept == NULL) {
        FltFreeCallbackData(Data);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Kept = Transfer;
    return FltPerformAsynchronousIo(Data, FltpTransferCallback, Kept);
}

NTSTATUS FLTAPI FltReadFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
                            PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer,
                            FLT_IO_OPERATION_FLAGS Flags, PULONG BytesRead,
                            PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext)
{
    return FltpTransfer(IRP_MJ_READ, InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags,
                        BytesRead, CallbackRoutine, CallbackContext, NULL, NULL);
}

NTSTATUS FLTAPI FltReadFileEx(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
                              PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer,
                              FLT_IO_OPERATION_FLAGS Flags, PULONG BytesRead,
                              PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext,
                              PULONG Key, PMDL Mdl)
{
    return FltpTransfer(IRP_MJ_READ, InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags,
                        BytesRead, CallbackRoutine, CallbackContext, Key, Mdl);
}

NTSTATUS FLTAPI FltWriteFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
                             PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer,
                             FLT_IO_OPERATION_FLAGS Flags, PULONG BytesWritten,
                             PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext)
{
    return FltpTransfer(IRP_MJ_WRITE, InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags,
                        BytesWritten, CallbackRoutine, CallbackContext, NULL, NULL);
}

NTSTATUS FLTAPI FltWriteFileEx(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject,
                               PLARGE_INTEGER ByteOffset, ULONG Length, PVOID Buffer,
                               FLT_IO_OPERATION_FLAGS Flags, PULONG BytesWritten,
                               PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext,
                               PULONG Key, PMDL Mdl)
{
    return FltpTransfer(IRP_MJ_WRITE, InitiatingInstance, FileObject, ByteOffset, Length, Buffer, Flags,
                        BytesWritten, CallbackRoutine, CallbackContext, Key, Mdl);
}

NTSTATUS FLTAPI FltFlushBuffers(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    PFLT_CALLBACK_DATA Data;
    NTSTATUS Status = FltAllocateCallbackData(Instance, FileObject, &Data);

    if (!NT_SUCCESS(Status))
        return Status;
    Data->Iopb->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    FltPerformSynchronousIo(Data);
    Status = Data->IoStatus.Status;
    FltFreeCallbackData(Data);
    return Status;
}

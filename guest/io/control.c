/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NtDeviceIoControlFile and NtFsControlFile.
 */
#include "iop.h"

/* ---- control ---------------------------------------------------------------------------------------------
 */

static NTSTATUS IopBufferControl(PIRP Irp, PVOID InputBuffer, ULONG InputLength, PVOID OutputBuffer, ULONG OutputLength,
                                 BOOLEAN CopyBack)
{
    ULONG Length = CopyBack ? max(InputLength, OutputLength) : InputLength;
    NTSTATUS Status = STATUS_SUCCESS;

    Irp->UserBuffer = OutputBuffer;
    if (Length == 0) {
        return STATUS_SUCCESS;
    }
    Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, IOP_TAG_BUFFER);
    if (Irp->AssociatedIrp.SystemBuffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (CopyBack && OutputLength != 0) {
        Irp->Flags |= IRP_INPUT_OPERATION;
    }
    if (InputLength != 0) {
        __try {
            RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, InputBuffer, InputLength);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
    }
    return Status;
}

static NTSTATUS IopPrepareControl(PIOP_REQUEST Request, ULONG ControlCode, PVOID InputBuffer, ULONG InputLength,
                                  PVOID OutputBuffer, ULONG OutputLength)
{
    PIRP Irp = Request->Irp;
    NTSTATUS Status;

    switch (ControlCode & 3) {
    case METHOD_BUFFERED: return IopBufferControl(Irp, InputBuffer, InputLength, OutputBuffer, OutputLength, TRUE);
    case METHOD_NEITHER:
        Request->Stack->Parameters.DeviceIoControl.Type3InputBuffer = InputBuffer;
        Irp->UserBuffer = OutputBuffer;
        return STATUS_SUCCESS;
    default:
        Status = IopBufferControl(Irp, InputBuffer, InputLength, OutputBuffer, OutputLength, FALSE);
        if (!NT_SUCCESS(Status) || OutputLength == 0) {
            return Status;
        }
        return IopLockBuffer(Irp, OutputBuffer, OutputLength, Request->Mode,
                             (ControlCode & 3) == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
}

static NTSTATUS IopCheckControlAccess(PIOP_REQUEST Request, ULONG ControlCode, ACCESS_MASK Granted)
{
    ULONG Required = (ControlCode >> 14) & (FILE_READ_ACCESS | FILE_WRITE_ACCESS);

    if (Request->Mode == KernelMode) {
        return STATUS_SUCCESS;
    }
    return (Granted & Required) == Required ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

static BOOLEAN IopTryFastControl(PIOP_REQUEST Request, PVOID InputBuffer, ULONG InputLength, PVOID OutputBuffer,
                                 ULONG OutputLength, ULONG ControlCode, PIO_STATUS_BLOCK Result)
{
    PFAST_IO_DISPATCH FastIo = Request->DeviceObject->DriverObject->FastIoDispatch;
    BOOLEAN Done;
    FV_CALL Call;

    if (FastIo == NULL ||
        FastIo->SizeOfFastIoDispatch < FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl) + sizeof(PVOID) ||
        FastIo->FastIoDeviceControl == NULL) {
        return FALSE;
    }
    FvBeginCall(&Call);
    Done = FastIo->FastIoDeviceControl(Request->FileObject, TRUE, InputBuffer, InputLength, OutputBuffer, OutputLength,
                                       ControlCode, Result, Request->DeviceObject);
    FvEndCall(&Call, (PVOID)FastIo->FastIoDeviceControl, "fast I/O routine", (ULONG_PTR)Request->DeviceObject);
    return Done;
}

static NTSTATUS IopControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG ControlCode, PVOID InputBuffer, ULONG InputLength,
                               PVOID OutputBuffer, ULONG OutputLength, BOOLEAN DeviceControl)
{
    BOOLEAN Neither = (ControlCode & 3) == METHOD_NEITHER; /* its driver looks at the buffers */
    IO_STATUS_BLOCK FastResult;
    ACCESS_MASK Granted;
    IOP_REQUEST Request;
    NTSTATUS Status;

    Status = Neither ? IopProbeUser(IoStatusBlock, NULL, 0, NULL, 0)
                     : IopProbeUser(IoStatusBlock, InputBuffer, InputLength, OutputBuffer, OutputLength);
    if (NT_SUCCESS(Status)) {
        Status = IopBeginRequest(&Request, FileHandle, 0, Event, ApcRoutine, &Granted);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCheckControlAccess(&Request, ControlCode, Granted);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    if (DeviceControl &&
        IopTryFastControl(&Request, InputBuffer, InputLength, OutputBuffer, OutputLength, ControlCode, &FastResult)) {
        Status = IopTellUser(IoStatusBlock, FastResult.Status, FastResult.Information);
        IopTellPortOfFast(Request.FileObject, ApcContext, &FastResult);
        if (Request.Event != NULL) {
            KeSetEvent(Request.Event, 0, FALSE);
        }
        IopAbandonRequest(&Request);
        return Status;
    }
    Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock,
                                   DeviceControl ? IRP_MJ_DEVICE_CONTROL : IRP_MJ_FILE_SYSTEM_CONTROL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Request.Irp->Flags &= ~IRP_DEFER_IO_COMPLETION; /* in the thread by an APC, whatever the driver returns */
    Request.Stack->MinorFunction = DeviceControl ? 0 : IRP_MN_USER_FS_REQUEST;
    Request.Stack->Flags = (Granted & FILE_READ_ACCESS ? SL_READ_ACCESS_GRANTED : 0) |
                           (Granted & FILE_WRITE_ACCESS ? SL_WRITE_ACCESS_GRANTED : 0);
    Request.Stack->Parameters.DeviceIoControl.OutputBufferLength = OutputLength;
    Request.Stack->Parameters.DeviceIoControl.InputBufferLength = InputLength;
    Request.Stack->Parameters.DeviceIoControl.IoControlCode = ControlCode;
    Status = IopPrepareControl(&Request, ControlCode, InputBuffer, InputLength, OutputBuffer, OutputLength);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    return IopIssueRequest(&Request);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                     PIO_STATUS_BLOCK IoStatusBlock, ULONG IoControlCode, PVOID InputBuffer,
                                     ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    return IopControlFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, IoControlCode, InputBuffer,
                          InputBufferLength, OutputBuffer, OutputBufferLength, TRUE);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    return IopControlFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, FsControlCode, InputBuffer,
                          InputBufferLength, OutputBuffer, OutputBufferLength, FALSE);
}

/*
 * Any IRQL.  STATUS_ACCESS_DENIED: the handle by which a program asks was not opened for RequiredAccess; STATUS_INVALID_PARAMETER:
 * another request, or another access than FILE_READ_ACCESS and FILE_WRITE_ACCESS.
 */
NTSTATUS NTAPI IoValidateDeviceIoControlAccess(PIRP Irp, ULONG RequiredAccess)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Missing = (RequiredAccess & FILE_READ_ACCESS && !(Stack->Flags & SL_READ_ACCESS_GRANTED)) ||
                    (RequiredAccess & FILE_WRITE_ACCESS && !(Stack->Flags & SL_WRITE_ACCESS_GRANTED));

    if ((Stack->MajorFunction != IRP_MJ_DEVICE_CONTROL && Stack->MajorFunction != IRP_MJ_FILE_SYSTEM_CONTROL) ||
        RequiredAccess == 0 || (RequiredAccess & ~(FILE_READ_ACCESS | FILE_WRITE_ACCESS)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return Irp->RequestorMode != KernelMode && Missing ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

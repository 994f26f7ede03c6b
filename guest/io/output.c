/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet brings back: IoStatus.Information bytes of a system buffer, and never more than were asked for.
 *
 * How many were is in the stack location of whoever handles the request.  The topmost one's number, which is that of
 * the caller's buffer, is kept there for the second stage, when everything else of the location is of no more use.
 */
#include "iop.h"

#define IOP_NO_LIMIT MAXULONG

static PIO_STACK_LOCATION IopTopLocation(PIRP Irp)
{
    return (PIO_STACK_LOCATION)(Irp + 1) + Irp->StackCount - 1;
}

/* How many bytes a request may report; IOP_NO_LIMIT: Information is no number of bytes, or nobody knows. */
static ULONG IopOutputLength(PIO_STACK_LOCATION Stack)
{
    switch (Stack->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE: return Stack->Parameters.Read.Length;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        return (Stack->Parameters.DeviceIoControl.IoControlCode & 3) == METHOD_BUFFERED
                   ? Stack->Parameters.DeviceIoControl.OutputBufferLength
                   : IOP_NO_LIMIT;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        return (Stack->MinorFunction == IRP_MN_USER_FS_REQUEST || Stack->MinorFunction == IRP_MN_KERNEL_CALL) &&
                       (Stack->Parameters.FileSystemControl.FsControlCode & 3) == METHOD_BUFFERED
                   ? Stack->Parameters.FileSystemControl.OutputBufferLength
                   : IOP_NO_LIMIT;
    case IRP_MJ_QUERY_INFORMATION: return Stack->Parameters.QueryFile.Length;
    case IRP_MJ_QUERY_VOLUME_INFORMATION: return Stack->Parameters.QueryVolume.Length;
    case IRP_MJ_DIRECTORY_CONTROL:
        return Stack->MinorFunction == IRP_MN_QUERY_DIRECTORY ? Stack->Parameters.QueryDirectory.Length : IOP_NO_LIMIT;
    default: return IOP_NO_LIMIT;
    }
}

/* Of an oplock of the old kind: what it was broken to (FILE_OPLOCK_BROKEN_TO_...), without a buffer. */
static BOOLEAN IopIsOplockControl(PIO_STACK_LOCATION Stack)
{
    if (Stack->MajorFunction != IRP_MJ_FILE_SYSTEM_CONTROL) {
        return FALSE;
    }
    switch (Stack->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
    case FSCTL_REQUEST_BATCH_OPLOCK:
    case FSCTL_REQUEST_FILTER_OPLOCK:
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE: return TRUE;
    default: return FALSE;
    }
}

VOID IopVerifyInformation(PIRP Irp, PVOID Caller)
{
    CHAR Text[160];
    ULONG Length;

    if (Irp->CurrentLocation > Irp->StackCount || NT_ERROR(Irp->IoStatus.Status) ||
        IopIsOplockControl(IoGetCurrentIrpStackLocation(Irp))) {
        return;
    }
    Length = IopOutputLength(IoGetCurrentIrpStackLocation(Irp));
    if (Irp->IoStatus.Information <= Length || Length == IOP_NO_LIMIT) {
        return;
    }
    _snprintf(Text, sizeof(Text), "rule=information-beyond-buffer\nirp=0x%I64x\ninformation=%I64u\nlength=%u\n",
              (ULONG64)Irp, (ULONG64)Irp->IoStatus.Information, Length);
    FvReport(Text);
    FvBlame(Caller);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_INFORMATION_BEYOND_BUFFER, (ULONG_PTR)Irp,
                 Irp->IoStatus.Information, Length);
}

ULONG IopOutputLimit(PIRP Irp)
{
    return Irp->StackCount > 0 ? IopOutputLength(IopTopLocation(Irp)) : IOP_NO_LIMIT;
}

VOID IopKeepOutputLimit(PIRP Irp, ULONG Limit)
{
    if (Irp->StackCount > 0) {
        IopTopLocation(Irp)->Parameters.Others.Argument1 = (PVOID)(ULONG_PTR)Limit;
    }
}

VOID IopCopyOut(PIRP Irp)
{
    SIZE_T Bytes = min(Irp->IoStatus.Information, (ULONG_PTR)IopTopLocation(Irp)->Parameters.Others.Argument1);

    if ((Irp->Flags & (IRP_BUFFERED_IO | IRP_INPUT_OPERATION)) != (IRP_BUFFERED_IO | IRP_INPUT_OPERATION) ||
        NT_ERROR(Irp->IoStatus.Status) || Irp->IoStatus.Status == STATUS_VERIFY_REQUIRED || Bytes == 0) {
        return;
    }
    __try {
        RtlCopyMemory(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Bytes);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Irp->IoStatus.Status = GetExceptionCode();
    }
}

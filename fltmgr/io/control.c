/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c: control codes that a filter sends to the file system or the device below its instance, and what is built
 * on them: reparse points.  IRQL: PASSIVE_LEVEL.
 */
#include "issue.h"

#define FLTP_TAG_CONTROL 'tCtF'

typedef struct _FLTP_CONTROL {
    UCHAR Major;
    ULONG Code;
    PVOID Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
    PULONG Returned; /* may be NULL */
} FLTP_CONTROL;

/* Room for the longer of the two, with the input in it. */
static NTSTATUS FltpCopyInput(const FLTP_CONTROL *Control, ULONG Length, PVOID *Copy)
{
    NTSTATUS Status = STATUS_SUCCESS;

    *Copy = NULL;
    if (Length == 0)
        return STATUS_SUCCESS;
    *Copy = ExAllocatePoolWithTag(NonPagedPoolNx, Length, FLTP_TAG_CONTROL);
    if (*Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        RtlCopyMemory(*Copy, Control->Input, Control->InputLength);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status))
        return STATUS_SUCCESS;
    ExFreePoolWithTag(*Copy, FLTP_TAG_CONTROL);
    *Copy = NULL;
    return Status;
}

/* In and out by one buffer of the system's.  What comes back is copied unless the status is an error. */
static NTSTATUS FltpControlBuffered(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, const FLTP_CONTROL *Control,
                                    PFLT_IO_PARAMETER_BLOCK Iopb, PULONG Returned)
{
    PVOID Buffer;
    NTSTATUS Status = FltpCopyInput(Control, max(Control->InputLength, Control->OutputLength), &Buffer);

    if (!NT_SUCCESS(Status))
        return Status;
    Iopb->Parameters.DeviceIoControl.Buffered.SystemBuffer = Buffer;
    Status = FltpAsk(Instance, FileObject, Iopb, Returned);
    if (!NT_ERROR(Status) && Buffer != NULL)
        RtlCopyMemory(Control->Output, Buffer, min(*Returned, Control->OutputLength));
    if (Buffer != NULL)
        ExFreePoolWithTag(Buffer, FLTP_TAG_CONTROL);
    return Status;
}

/* The input by a copy, the output by an MDL. */
static NTSTATUS FltpControlDirect(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, const FLTP_CONTROL *Control,
                                  PFLT_IO_PARAMETER_BLOCK Iopb, PULONG Returned)
{
    PVOID Copy;
    NTSTATUS Status = FltpCopyInput(Control, Control->InputLength, &Copy);

    if (!NT_SUCCESS(Status))
        return Status;
    Iopb->Parameters.DeviceIoControl.Direct.InputSystemBuffer = Copy;
    Iopb->Parameters.DeviceIoControl.Direct.OutputBuffer = Control->Output;
    Status = FltpAsk(Instance, FileObject, Iopb, Returned);
    if (Copy != NULL)
        ExFreePoolWithTag(Copy, FLTP_TAG_CONTROL);
    return Status;
}

/* A length without its buffer is ignored. */
static NTSTATUS FltpControl(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLTP_CONTROL Control)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = Control.Major};
    ULONG Returned = 0;
    NTSTATUS Status;

    if (Control.Input == NULL)
        Control.InputLength = 0;
    if (Control.Output == NULL)
        Control.OutputLength = 0;
    Iopb.Parameters.DeviceIoControl.Common.IoControlCode = Control.Code;
    Iopb.Parameters.DeviceIoControl.Common.InputBufferLength = Control.InputLength;
    Iopb.Parameters.DeviceIoControl.Common.OutputBufferLength = Control.OutputLength;
    switch (Control.Code & 3) {
    case METHOD_BUFFERED: Status = FltpControlBuffered(Instance, FileObject, &Control, &Iopb, &Returned); break;
    case METHOD_NEITHER:
        Iopb.Parameters.DeviceIoControl.Neither.InputBuffer = Control.Input;
        Iopb.Parameters.DeviceIoControl.Neither.OutputBuffer = Control.Output;
        Status = FltpAsk(Instance, FileObject, &Iopb, &Returned);
        break;
    default: Status = FltpControlDirect(Instance, FileObject, &Control, &Iopb, &Returned); break;
    }
    if (Control.Returned != NULL)
        *Control.Returned = Returned;
    return Status;
}

NTSTATUS FLTAPI FltFsControlFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, ULONG FsControlCode,
                                 PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                                 ULONG OutputBufferLength, PULONG LengthReturned)
{
    FLTP_CONTROL Control = {IRP_MJ_FILE_SYSTEM_CONTROL, FsControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                            OutputBufferLength,         LengthReturned};

    return FltpControl(Instance, FileObject, Control);
}

NTSTATUS FLTAPI FltDeviceIoControlFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, ULONG IoControlCode,
                                       PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                                       ULONG OutputBufferLength, PULONG LengthReturned)
{
    FLTP_CONTROL Control = {IRP_MJ_DEVICE_CONTROL, IoControlCode,      InputBuffer,   InputBufferLength,
                            OutputBuffer,          OutputBufferLength, LengthReturned};

    return FltpControl(Instance, FileObject, Control);
}

/* --- Reparse points --- */

/* What is built first comes at the front of the buffer: the extended form's header, or nothing. */
static NTSTATUS FltpSendReparse(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, ULONG Code, PVOID Front,
                                ULONG FrontLength, ULONG Tag, const GUID *Guid, PVOID Data, USHORT DataLength)
{
    ULONG Header = IsReparseTagMicrosoft(Tag) ? REPARSE_DATA_BUFFER_HEADER_SIZE : REPARSE_GUID_DATA_BUFFER_HEADER_SIZE;
    ULONG Length = FrontLength + Header + DataLength;
    PREPARSE_GUID_DATA_BUFFER Reparse;
    PUCHAR Buffer;
    NTSTATUS Status;

    if (!IsReparseTagMicrosoft(Tag) && Guid == NULL)
        return STATUS_INVALID_PARAMETER;
    Buffer = ExAllocatePoolWithTag(PagedPool, Length, FLTP_TAG_CONTROL);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Buffer, Length);
    if (FrontLength > 0)
        RtlCopyMemory(Buffer, Front, FrontLength);
    Reparse = (PREPARSE_GUID_DATA_BUFFER)(Buffer + FrontLength);
    Reparse->ReparseTag = Tag;
    Reparse->ReparseDataLength = DataLength;
    if (!IsReparseTagMicrosoft(Tag))
        Reparse->ReparseGuid = *Guid;
    if (DataLength > 0)
        RtlCopyMemory((PUCHAR)Reparse + Header, Data, DataLength);
    Status = FltFsControlFile(Instance, FileObject, Code, Buffer, Length, NULL, 0, NULL);
    ExFreePoolWithTag(Buffer, FLTP_TAG_CONTROL);
    return Status;
}

NTSTATUS FLTAPI FltTagFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, ULONG FileTag, GUID *Guid,
                           PVOID DataBuffer, USHORT DataBufferLength)
{
    return FltpSendReparse(InitiatingInstance, FileObject, FSCTL_SET_REPARSE_POINT, NULL, 0, FileTag, Guid, DataBuffer,
                           DataBufferLength);
}

NTSTATUS FLTAPI FltTagFileEx(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, ULONG FileTag, GUID *Guid,
                             PVOID DataBuffer, USHORT DataBufferLength, ULONG ExistingFileTag, GUID *ExistingGuid,
                             ULONG Flags)
{
    REPARSE_DATA_BUFFER_EX Front;

    if (ExistingFileTag != 0 && !IsReparseTagMicrosoft(ExistingFileTag) && ExistingGuid == NULL)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(&Front, sizeof(Front));
    Front.Flags = Flags;
    Front.ExistingReparseTag = ExistingFileTag;
    if (ExistingGuid != NULL)
        Front.ExistingReparseGuid = *ExistingGuid;
    return FltpSendReparse(InitiatingInstance, FileObject, FSCTL_SET_REPARSE_POINT_EX, &Front,
                           FIELD_OFFSET(REPARSE_DATA_BUFFER_EX, ReparseDataBuffer), FileTag, Guid, DataBuffer,
                           DataBufferLength);
}

NTSTATUS FLTAPI FltUntagFile(PFLT_INSTANCE InitiatingInstance, PFILE_OBJECT FileObject, ULONG FileTag, GUID *Guid)
{
    return FltpSendReparse(InitiatingInstance, FileObject, FSCTL_DELETE_REPARSE_POINT, NULL, 0, FileTag, Guid, NULL, 0);
}

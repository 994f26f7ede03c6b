/* SPDX-License-Identifier: GPL-2.0-or-later */
/* priority.c: the I/O priority hints of operations, files and threads, which the kernel keeps; and activity identifiers,
 * which belong to event tracing, which this machine does not have.  IRQL: <= DISPATCH_LEVEL. */
#include "operation.h"

/* ntoskrnl's, which the DDK does not declare. */
NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoFileObject(PFILE_OBJECT FileObject, IO_PRIORITY_HINT PriorityHint);
NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoThread(PETHREAD Thread, IO_PRIORITY_HINT PriorityHint);

/* The request of an operation under way, or of one that a filter has sent; NULL where there is none. */
static PIRP FltpIrpOf(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FltpCheckAnyData(Data, Text);

    return FLT_IS_IRP_OPERATION(Data) ? Operation->Irp : NULL;
}

/* Irp, FileObject, Thread: each may be NULL; the first that has a hint. */
static IO_PRIORITY_HINT FltpHint(PIRP Irp, PFILE_OBJECT FileObject, PETHREAD Thread)
{
    IO_PRIORITY_INFO Info = {.Size = sizeof(Info)};

    return NT_SUCCESS(IoRetrievePriorityInfo(Irp, FileObject, Thread, &Info)) ? Info.IoPriority : IoPriorityNormal;
}

IO_PRIORITY_HINT FLTAPI FltGetIoPriorityHint(PFLT_CALLBACK_DATA Data)
{
    PIRP Irp = FltpIrpOf(Data, "rule=FltGetIoPriorityHint was given no callback data\n");

    return FltpHint(Irp, Data->Iopb->TargetFileObject, Data->Thread);
}

IO_PRIORITY_HINT FLTAPI FltGetIoPriorityHintFromCallbackData(PFLT_CALLBACK_DATA Data)
{
    PIRP Irp = FltpIrpOf(Data, "rule=FltGetIoPriorityHintFromCallbackData was given no callback data\n");

    return FltpHint(Irp, NULL, NULL);
}

IO_PRIORITY_HINT FLTAPI FltGetIoPriorityHintFromFileObject(PFILE_OBJECT FileObject)
{
    return FltpHint(NULL, FileObject, NULL);
}

IO_PRIORITY_HINT FLTAPI FltGetIoPriorityHintFromThread(PETHREAD Thread)
{
    return FltpHint(NULL, NULL, Thread);
}

/* An operation without a request has nowhere to keep it, which is success, too.  A filter's own before it is sent: in
 * its flags, as the request will have it. */
NTSTATUS FLTAPI FltSetIoPriorityHintIntoCallbackData(PFLT_CALLBACK_DATA Data, IO_PRIORITY_HINT PriorityHint)
{
    PIRP Irp = FltpIrpOf(Data, "rule=FltSetIoPriorityHintIntoCallbackData was given no callback data\n");
    IRP Unsent;
    NTSTATUS Status;

    if ((ULONG)PriorityHint >= MaxIoPriorityTypes)
        return STATUS_INVALID_PARAMETER;
    Unsent.Flags = Data->Iopb->IrpFlags;
    Status = IoSetIoPriorityHint(&Unsent, PriorityHint);
    Data->Iopb->IrpFlags = Unsent.Flags;
    return Irp != NULL ? IoSetIoPriorityHint(Irp, PriorityHint) : Status;
}

NTSTATUS FLTAPI FltSetIoPriorityHintIntoFileObject(PFILE_OBJECT FileObject, IO_PRIORITY_HINT PriorityHint)
{
    return IoSetIoPriorityHintIntoFileObject(FileObject, PriorityHint);
}

NTSTATUS FLTAPI FltSetIoPriorityHintIntoThread(PETHREAD Thread, IO_PRIORITY_HINT PriorityHint)
{
    return IoSetIoPriorityHintIntoThread(Thread, PriorityHint);
}

NTSTATUS FLTAPI FltRetrieveIoPriorityInfo(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject, PETHREAD Thread,
                                          PIO_PRIORITY_INFO PriorityInfo)
{
    PIRP Irp = Data != NULL ? FltpIrpOf(Data, "rule=FltRetrieveIoPriorityInfo was given no callback data\n") : NULL;

    return IoRetrievePriorityInfo(Irp, FileObject, Thread, PriorityInfo);
}

NTSTATUS FLTAPI FltApplyPriorityInfoThread(PIO_PRIORITY_INFO InputPriorityInfo, PIO_PRIORITY_INFO OutputPriorityInfo,
                                           PETHREAD Thread)
{
    return IoApplyPriorityInfoThread(InputPriorityInfo, OutputPriorityInfo, Thread);
}

/* --- Activity identifiers and the rest of a request's extension: no request has any --- */

NTSTATUS FLTAPI FltGetActivityIdCallbackData(PFLT_CALLBACK_DATA CallbackData, LPGUID Guid)
{
    UNREFERENCED_PARAMETER(Guid);
    return FLT_IS_IRP_OPERATION(CallbackData) ? STATUS_NOT_FOUND : STATUS_NOT_SUPPORTED;
}

NTSTATUS FLTAPI FltSetActivityIdCallbackData(PFLT_CALLBACK_DATA CallbackData, LPCGUID Guid)
{
    UNREFERENCED_PARAMETER(CallbackData);
    UNREFERENCED_PARAMETER(Guid);
    DbgPrint("fltmgr: FltSetActivityIdCallbackData: this machine has no event tracing\n");
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS FLTAPI FltPropagateActivityIdToThread(PFLT_CALLBACK_DATA CallbackData, LPGUID PropagateId, LPCGUID *OriginalId)
{
    UNREFERENCED_PARAMETER(PropagateId);
    *OriginalId = NULL;
    return FLT_IS_IRP_OPERATION(CallbackData) ? STATUS_NOT_FOUND : STATUS_NOT_SUPPORTED;
}

/* Documented: what is present is copied. */
NTSTATUS FLTAPI FltPropagateIrpExtension(PFLT_CALLBACK_DATA SourceData, PFLT_CALLBACK_DATA TargetData, ULONG Flags)
{
    if (Flags != 0 || !FLT_IS_IRP_OPERATION(SourceData) || !FLT_IS_IRP_OPERATION(TargetData))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

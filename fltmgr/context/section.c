/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * section.c: sections for data scans.  A filter that looks through a stream by a view of it puts a section context on the stream; as long as that
 * is there, what would have to purge the stream's cache, and cannot while a section is open, is told to the filter first.
 *
 * RAW, whose only stream is the volume, has none.  IRQL: <= APC_LEVEL.
 */
#include <context.h>

/* The volume's streams are files', and can be mapped. */
static BOOLEAN FltpMayScan(PFLT_VOLUME Volume)
{
    return Volume->Type != FLT_FSTYPE_RAW;
}

/* STATUS_NOT_SUPPORTED: not with this volume.  STATUS_FLT_DELETING_OBJECT: the instance goes.  (FltRegisterForDataScan) */
NTSTATUS FLTAPI FltRegisterForDataScan(PFLT_INSTANCE Instance)
{
    if (!FltpMayScan(Instance->Volume))
        return STATUS_NOT_SUPPORTED;
    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    Instance->ScansData = TRUE;
    return STATUS_SUCCESS;
}

/* The context is put on the stream first: a conflict may be told before the section is there. */
static NTSTATUS FltpCreateSection(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT Context,
                                  ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, PLARGE_INTEGER MaximumSize,
                                  ULONG Protection, ULONG AllocationAttributes, ULONG Flags, PHANDLE Handle,
                                  PVOID *Object, PLARGE_INTEGER FileSize, PVOID Caller)
{
    NTSTATUS Status = FltpSetSectionContext(Instance, FileObject, Context, Caller);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FsRtlCreateSectionForDataScan(Handle, Object, FileSize, FileObject, Access, Attributes, MaximumSize,
                                           Protection, AllocationAttributes, Flags);
    if (!NT_SUCCESS(Status)) {
        FltpDetachContext(Context);
        return Status;
    }
    FvReferenceForCaller(*Object, Caller); /* the caller's, in place of the filter manager's own */
    ObDereferenceObject(*Object);
    return Status;
}

/*
 * STATUS_INVALID_PARAMETER: the instance has not registered for data scans; STATUS_NOT_SUPPORTED: the volume, or the file, has no section contexts;
 * STATUS_FILE_IS_A_DIRECTORY; STATUS_FLT_CONTEXT_ALREADY_DEFINED: the instance has a section of this stream; or as FsRtlCreateSectionForDataScan.
 * (FltCreateSectionForDataScan)
 */
NTSTATUS FLTAPI FltCreateSectionForDataScan(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                            PFLT_CONTEXT SectionContext, ACCESS_MASK DesiredAccess,
                                            POBJECT_ATTRIBUTES ObjectAttributes, PLARGE_INTEGER MaximumSize,
                                            ULONG SectionPageProtection, ULONG AllocationAttributes, ULONG Flags,
                                            PHANDLE SectionHandle, PVOID *SectionObject, PLARGE_INTEGER SectionFileSize)
{
    LARGE_INTEGER Size;
    NTSTATUS Status;

    *SectionHandle = NULL;
    *SectionObject = NULL;
    if (!FltpMayScan(Instance->Volume))
        return STATUS_NOT_SUPPORTED;
    if (!Instance->ScansData)
        return STATUS_INVALID_PARAMETER;
    Status = FsRtlGetFileSize(FileObject, &Size); /* STATUS_FILE_IS_A_DIRECTORY */
    if (!NT_SUCCESS(Status))
        return Status;
    return FltpCreateSection(Instance, FileObject, SectionContext, DesiredAccess, ObjectAttributes, MaximumSize,
                             SectionPageProtection, AllocationAttributes, Flags, SectionHandle, SectionObject,
                             SectionFileSize, _ReturnAddress());
}

/* STATUS_INVALID_PARAMETER: it was never given to FltCreateSectionForDataScan; STATUS_NOT_FOUND: it is closed.  (FltCloseSectionForDataScan) */
NTSTATUS FLTAPI FltCloseSectionForDataScan(PFLT_CONTEXT SectionContext)
{
    PFLTP_CONTEXT Context = FltpCheckContext(SectionContext, "FltCloseSectionForDataScan", _ReturnAddress());

    if (Context->Type != FLT_SECTION_CONTEXT || Context->Guard == NULL)
        return STATUS_INVALID_PARAMETER;
    return FltpDetachContext(SectionContext) ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* STATUS_NOT_SUPPORTED: the volume has no section contexts.  (FltGetSectionContext) */
NTSTATUS FLTAPI FltGetSectionContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    *Context = NULL_CONTEXT;
    if (!FltpMayScan(Instance->Volume))
        return STATUS_NOT_SUPPORTED;
    return FltpGetStreamContext(FLT_SECTION_CONTEXT, Instance, FileObject, Context, _ReturnAddress());
}

/* --- Conflicts --- */

/* What makes a file system purge a stream's cache, or cut it. */
BOOLEAN FltpConflictsWithSections(ULONG IrpFlags, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MajorFunction) {
    case IRP_MJ_WRITE: return FlagOn(IrpFlags, IRP_NOCACHE) && !FlagOn(IrpFlags, IRP_PAGING_IO);
    case IRP_MJ_SET_INFORMATION:
        return (Stack->Parameters.SetFile.FileInformationClass == FileEndOfFileInformation &&
                !Stack->Parameters.SetFile.AdvanceOnly) ||
               Stack->Parameters.SetFile.FileInformationClass == FileAllocationInformation;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Stack->MinorFunction != IRP_MN_USER_FS_REQUEST && Stack->MinorFunction != IRP_MN_KERNEL_CALL)
            return FALSE;
        switch (Stack->Parameters.FileSystemControl.FsControlCode) {
        case FSCTL_SET_ZERO_DATA:
        case FSCTL_SET_COMPRESSION:
        case FSCTL_SET_SPARSE: return TRUE;
        default: return FALSE;
        }
    default: return FALSE;
    }
}

static VOID FltpTellConflict(PFLT_INSTANCE Instance, PFLT_CONTEXT Context, PFLT_CALLBACK_DATA Data)
{
    PFLT_SECTION_CONFLICT_NOTIFICATION_CALLBACK Notify = Instance->Filter->Registration.SectionNotificationCallback;
    FV_CALL Call;

    if (Notify == NULL)
        return;
    FvBeginCall(&Call);
    Notify(Instance, Context, Data);
    FvEndCall(&Call, (PVOID)Notify, "section conflict callback", (ULONG_PTR)Data);
}

VOID FltpTellConflicts(PFLT_VOLUME Volume, PFLT_CALLBACK_DATA Data)
{
    PFLT_INSTANCE Instance = NULL;
    PFLT_CONTEXT Context;

    while (FltpNextSection(Volume, Data->Iopb->TargetFileObject, &Instance, &Context)) {
        Data->Iopb->TargetInstance = Instance;
        FltpTellConflict(Instance, Context, Data);
        FltpReleaseContext(Context, (PVOID)Instance->Filter->Registration.SectionNotificationCallback);
        FltpReleaseRundown(&Instance->Object.Rundown);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * renames: tells which files are renamed, linked and deleted, and to what.
 *
 * A rename is seen before it happens, with the name as it is; whether it has happened is known behind it, and whether the file
 * system has made another of the new name: the long one of a file that has just lost it.  A file is deleted when its last handle
 * goes: what marks it, and takes the mark away again, is told as it is.
 */
#include <fltKernel.h>

static PFLT_FILTER RenamesFilter;

static PCSTR RenamesVerb(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileRenameInformation:
    case FileRenameInformationEx: return "renamed to";
    case FileLinkInformation:
    case FileLinkInformationEx: return "linked as";
    default: return NULL;
    }
}

static BOOLEAN RenamesIsDeletion(PFLT_CALLBACK_DATA Data)
{
    PVOID Buffer = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;

    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileDispositionInformation: return ((PFILE_DISPOSITION_INFORMATION)Buffer)->DeleteFile;
    case FileDispositionInformationEx:
        return FlagOn(((PFILE_DISPOSITION_INFORMATION_EX)Buffer)->Flags, FILE_DISPOSITION_DELETE);
    default: return FALSE;
    }
}

/* What is to happen, told once it has: the names, which only now can be asked for, go along. */
typedef struct _RENAMES_STORY {
    PFLT_FILE_NAME_INFORMATION From, To;
} RENAMES_STORY, *PRENAMES_STORY;

static VOID RenamesForget(PRENAMES_STORY Story)
{
    if (Story->From != NULL)
        FltReleaseFileNameInformation(Story->From);
    if (Story->To != NULL)
        FltReleaseFileNameInformation(Story->To);
    ExFreePoolWithTag(Story, 'yrtS');
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI RenamesPreSet(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                      PVOID *CompletionContext)
{
    PFILE_RENAME_INFORMATION Rename = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    BOOLEAN Naming = RenamesVerb(Data->Iopb->Parameters.SetFileInformation.FileInformationClass) != NULL;
    PRENAMES_STORY Story;
    NTSTATUS Status;

    if (!Naming && !RenamesIsDeletion(Data))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Story = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Story), 'yrtS');
    if (Story == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Story->From);
    if (NT_SUCCESS(Status) && Naming)
        Status = FltGetDestinationFileNameInformation(
            FltObjects->Instance, FltObjects->FileObject, Rename->RootDirectory, Rename->FileName,
            Rename->FileNameLength, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Story->To);
    if (!NT_SUCCESS(Status)) {
        RenamesForget(Story);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    *CompletionContext = Story;
    return FLT_PREOP_SYNCHRONIZE; /* the story is paged, and is told at PASSIVE_LEVEL */
}

/* Only now is the last component of the new name certain. */
static VOID RenamesAskTunnel(PFLT_CALLBACK_DATA Data, PRENAMES_STORY Story)
{
    PFLT_FILE_NAME_INFORMATION Tunneled;

    if (NT_SUCCESS(FltGetTunneledName(Data, Story->To, &Tunneled)) && Tunneled != NULL) {
        FltReleaseFileNameInformation(Story->To);
        Story->To = Tunneled;
    }
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI RenamesPostSet(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PRENAMES_STORY Story = CompletionContext;

    UNREFERENCED_PARAMETER(FltObjects);
    if (Story->To != NULL && !FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        RenamesAskTunnel(Data, Story);
    if (!NT_SUCCESS(Data->IoStatus.Status))
        DbgPrint("%wZ stays: 0x%08X\n", &Story->From->Name, Data->IoStatus.Status);
    else if (Story->To != NULL)
        DbgPrint("%wZ %s %wZ\n", &Story->From->Name,
                 RenamesVerb(Data->Iopb->Parameters.SetFileInformation.FileInformationClass), &Story->To->Name);
    else
        DbgPrint("%wZ goes with its last handle\n", &Story->From->Name);
    RenamesForget(Story);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* An open may say that the file goes with it. */
static FLT_POSTOP_CALLBACK_STATUS FLTAPI RenamesPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                           PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        !FlagOn(Data->Iopb->Parameters.Create.Options, FILE_DELETE_ON_CLOSE))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        DbgPrint("%wZ is deleted on close\n", &Name->Name);
        FltReleaseFileNameInformation(Name);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI RenamesUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(RenamesFilter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION RenamesOperations[] = {
    {IRP_MJ_CREATE, 0, NULL, RenamesPostCreate, NULL},
    {IRP_MJ_SET_INFORMATION, 0, RenamesPreSet, RenamesPostSet, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION RenamesRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = RenamesOperations,
    .FilterUnloadCallback = RenamesUnload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &RenamesRegistration, &RenamesFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(RenamesFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(RenamesFilter);
    }
    return Status;
}

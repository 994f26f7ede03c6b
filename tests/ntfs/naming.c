/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * naming: what a minifilter sees of renames and links: the open of the new parent, with whether the name is there already, then the
 * request with the parent's file object.  A file that is named "filter moves me" it moves itself, when it is closed.
 */
#include <fltKernel.h>
#include <fltvm.h>

static PFLT_FILTER NamingFilter;

static FLT_POSTOP_CALLBACK_STATUS FLTAPI NamingPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                          PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    if (!FlagOn(Data->Iopb->OperationFlags, SL_OPEN_TARGET_DIRECTORY) || !NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        DbgPrint("naming: target in %wZ, access %08X, %s\n", &Name->Name,
                 Data->Iopb->Parameters.Create.SecurityContext->DesiredAccess,
                 Data->IoStatus.Information == FILE_EXISTS ? "there" : "not there");
        FltReleaseFileNameInformation(Name);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static BOOLEAN NamingIsNaming(FILE_INFORMATION_CLASS Class)
{
    return Class == FileRenameInformation || Class == FileRenameInformationEx || Class == FileLinkInformation ||
           Class == FileLinkInformationEx;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI NamingPreSet(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                     PVOID *CompletionContext)
{
    PFILE_RENAME_INFORMATION Rename = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    PFLT_FILE_NAME_INFORMATION Name;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (!NamingIsNaming(Data->Iopb->Parameters.SetFileInformation.FileInformationClass))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Status = FltGetDestinationFileNameInformation(FltObjects->Instance, FltObjects->FileObject, Rename->RootDirectory,
                                                  Rename->FileName, Rename->FileNameLength,
                                                  FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("naming: no destination %08X\n", Status);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    DbgPrint("naming: class %u to %wZ, replace %u, parent %u\n",
             Data->Iopb->Parameters.SetFileInformation.FileInformationClass, &Name->Name,
             Data->Iopb->Parameters.SetFileInformation.ReplaceIfExists,
             Data->Iopb->Parameters.SetFileInformation.ParentOfTarget != NULL);
    FltReleaseFileNameInformation(Name);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI NamingPreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID *CompletionContext)
{
    static const WCHAR Moved[] = L"\\Device\\HarddiskVolume1\\Folder\\by the filter";
    UCHAR Buffer[sizeof(FILE_RENAME_INFORMATION) + sizeof(Moved)];
    PFILE_RENAME_INFORMATION Rename = (PFILE_RENAME_INFORMATION)Buffer;

    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FltObjects->FileObject->FileName.Length < 16 * sizeof(WCHAR) ||
        RtlCompareMemory(FltObjects->FileObject->FileName.Buffer, L"\\filter moves me", 16 * sizeof(WCHAR)) !=
            16 * sizeof(WCHAR))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    RtlZeroMemory(Buffer, sizeof(Buffer));
    Rename->FileNameLength = sizeof(Moved) - sizeof(WCHAR);
    RtlCopyMemory(Rename->FileName, Moved, sizeof(Moved));
    DbgPrint("naming: moved with %08X\n", FltSetInformationFile(FltObjects->Instance, FltObjects->FileObject, Rename,
                                                                sizeof(Buffer), FileRenameInformation));
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS FLTAPI NamingUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(NamingFilter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION NamingOperations[] = {
    {IRP_MJ_CREATE, 0, NULL, NamingPostCreate, NULL},
    {IRP_MJ_SET_INFORMATION, 0, NamingPreSet, NULL, NULL},
    {IRP_MJ_CLEANUP, 0, NamingPreCleanup, NULL, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION NamingRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = NamingOperations,
    .FilterUnloadCallback = NamingUnload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &NamingRegistration, &NamingFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(NamingFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(NamingFilter);
    }
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel: the normalized names of creates, renames and links before the operation, and what they are by the tunnel then. */
#include <fltKernel.h>
#include <fltvm.h>

#define NORMALIZED (FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT)

static PFLT_FILTER TunnelFilter;

static BOOLEAN IsNaming(PFLT_CALLBACK_DATA Data)
{
    FILE_INFORMATION_CLASS Class = Data->Iopb->Parameters.SetFileInformation.FileInformationClass;

    return Class == FileRenameInformation || Class == FileRenameInformationEx || Class == FileLinkInformation ||
           Class == FileLinkInformationEx;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreName(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *CompletionContext)
{
    PFILE_RENAME_INFORMATION Rename = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    NTSTATUS Status;

    if (Data->Iopb->MajorFunction == IRP_MJ_CREATE)
        Status = FltGetFileNameInformation(Data, NORMALIZED, &Name);
    else if (IsNaming(Data))
        Status =
            FltGetDestinationFileNameInformation(FltObjects->Instance, FltObjects->FileObject, Rename->RootDirectory,
                                                 (PWSTR)Rename->FileName, Rename->FileNameLength, NORMALIZED, &Name);
    else
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    *CompletionContext = Name;
    return NT_SUCCESS(Status) ? FLT_PREOP_SYNCHRONIZE : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PostName(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Before = CompletionContext, Now = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(FltObjects);
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)) {
        Status = FltGetTunneledName(Data, Before, &Now);
        if (!NT_SUCCESS(Status))
            DbgPrint("tunnel: %wZ fails with 0x%08X\n", &Before->Name, Status);
        else if (Now != NULL)
            DbgPrint("tunnel: %wZ is %wZ\n", &Before->Name, &Now->Name);
        else
            DbgPrint("tunnel: %wZ stays\n", &Before->Name);
    }
    FltReleaseFileNameInformation(Before);
    if (Now != NULL)
        FltReleaseFileNameInformation(Now);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(TunnelFilter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreName, .PostOperation = PostName},
    {.MajorFunction = IRP_MJ_SET_INFORMATION, .PreOperation = PreName, .PostOperation = PostName},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &TunnelFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    return NT_SUCCESS(Status) ? FltStartFiltering(TunnelFilter) : Status;
}

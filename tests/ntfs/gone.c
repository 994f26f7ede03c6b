// SPDX-License-Identifier: GPL-2.0-or-later
/* What NTFS says of a file, and of a stream, that has gone with its last handle, to a filter that still has the file object: in the post-cleanup. */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;

static VOID CheckGone(PCFLT_RELATED_OBJECTS Objects)
{
    static UCHAR Buffer[1024] __attribute__((aligned(512)));
    PFLT_INSTANCE Instance = Objects->Instance;
    PFILE_OBJECT File = Objects->FileObject;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    FILE_BASIC_INFORMATION Basic = {.FileAttributes = FILE_ATTRIBUTE_ARCHIVE};
    ULONG Length;

    FvCheck(FltQueryInformationFile(Instance, File, Buffer, sizeof(Buffer), FileStandardInformation, NULL) ==
            STATUS_FILE_DELETED);
    FvCheck(FltQueryInformationFile(Instance, File, Buffer, sizeof(Buffer), FileBasicInformation, NULL) ==
            STATUS_FILE_DELETED);
    FvCheck(FltSetInformationFile(Instance, File, &Basic, sizeof(Basic), FileBasicInformation) == STATUS_FILE_DELETED);
    FvCheck(FltReadFile(Instance, File, &Offset, 512, Buffer, FLTFL_IO_OPERATION_NON_CACHED, &Length, NULL, NULL) ==
            STATUS_FILE_DELETED);
    FvCheck(FltWriteFile(Instance, File, &Offset, 512, Buffer, FLTFL_IO_OPERATION_NON_CACHED, &Length, NULL, NULL) ==
            STATUS_FILE_DELETED);
    FvCheck(FltQuerySecurityObject(Instance, File, OWNER_SECURITY_INFORMATION, Buffer, sizeof(Buffer), &Length) ==
            STATUS_FILE_DELETED);
    FvCheck(FltQueryEaFile(Instance, File, Buffer, sizeof(Buffer), FALSE, NULL, 0, NULL, TRUE, &Length) ==
            STATUS_FILE_DELETED);
    FvCheck(FltFsControlFile(Instance, File, FSCTL_GET_REPARSE_POINT, NULL, 0, Buffer, sizeof(Buffer), &Length) ==
            STATUS_FILE_DELETED);
}

static FLT_PREOP_CALLBACK_STATUS PreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS PostCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                              FLT_POST_OPERATION_FLAGS Flags)
{
    if (FltObjects->FileObject->DeletePending)
        CheckGone(FltObjects);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = PreCleanup, .PostOperation = PostCleanup},
    {.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    FvTestPlan(24);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the names, opened and normalized, of what is opened, before and after; by the name of its service. */
#include <fltKernel.h>

static PFLT_FILTER Filter;
static WCHAR ServiceBuffer[32];
static UNICODE_STRING ServiceName = {0, sizeof(ServiceBuffer), ServiceBuffer};

static VOID Tell(PFLT_CALLBACK_DATA Data, PCSTR When)
{
    PFLT_FILE_NAME_INFORMATION Name;

    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        DbgPrint("%wZ: %s opened %wZ\n", &ServiceName, When, &Name->Name);
        FltReleaseFileNameInformation(Name);
    }
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        DbgPrint("%wZ: %s normalized %wZ\n", &ServiceName, When, &Name->Name);
        FltReleaseFileNameInformation(Name);
    }
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    Tell(Data, "pre");
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && Data->IoStatus.Status == STATUS_SUCCESS)
        Tell(Data, "post");
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_CREATE, 0, PreCreate, PostCreate},
                                                        {IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    USHORT Start = RegistryPath->Length / sizeof(WCHAR);
    UNICODE_STRING Last;
    NTSTATUS Status;

    while (Start > 0 && RegistryPath->Buffer[Start - 1] != L'\\')
        Start--;
    Last.Buffer = RegistryPath->Buffer + Start;
    Last.Length = Last.MaximumLength = RegistryPath->Length - Start * sizeof(WCHAR);
    RtlCopyUnicodeString(&ServiceName, &Last);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}

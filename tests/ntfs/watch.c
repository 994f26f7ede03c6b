/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch: tells the name of each file opened, hangs contexts on it, and tells at which IRQL its reads end. */
#include <fltKernel.h>
#include <fltvm.h>

#define WATCH_TAG 'ctaW'

static PFLT_FILTER WatchFilter;
static LONG WatchContexts;

static VOID FLTAPI WatchCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Type);
    InterlockedDecrement(&WatchContexts);
}

/* The same context is found again by whoever has the stream, the file or the handle. */
static NTSTATUS WatchSet(PCFLT_RELATED_OBJECTS FltObjects, FLT_CONTEXT_TYPE Type)
{
    PFLT_CONTEXT Context, Old = NULL;
    NTSTATUS Status = FltAllocateContext(WatchFilter, Type, sizeof(ULONG), NonPagedPoolNx, &Context);

    if (!NT_SUCCESS(Status))
        return Status;
    InterlockedIncrement(&WatchContexts);
    if (Type == FLT_STREAM_CONTEXT)
        Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                     Context, &Old);
    else if (Type == FLT_FILE_CONTEXT)
        Status = FltSetFileContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                   Context, &Old);
    else
        Status = FltSetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                           Context, &Old);
    if (Old != NULL)
        FltReleaseContext(Old);
    FltReleaseContext(Context);
    return Status;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI WatchPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name;
    NTSTATUS Status, Stream, File, Handle;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (!NT_SUCCESS(Data->IoStatus.Status) || (Flags & FLTFL_POST_OPERATION_DRAINING) != 0)
        return FLT_POSTOP_FINISHED_PROCESSING;
    Stream = WatchSet(FltObjects, FLT_STREAM_CONTEXT);
    File = WatchSet(FltObjects, FLT_FILE_CONTEXT);
    Handle = WatchSet(FltObjects, FLT_STREAMHANDLE_CONTEXT);
    Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name);
    if (NT_SUCCESS(Status)) {
        DbgPrint("watch: %wZ stream %08X file %08X handle %08X\n", &Name->Name, Stream, File, Handle);
        FltReleaseFileNameInformation(Name);
    } else {
        DbgPrint("watch: no name %08X\n", Status);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI WatchPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    DbgPrint("watch: read %Iu at IRQL %u\n", Data->IoStatus.Information, KeGetCurrentIrql());
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI WatchUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(WatchFilter);
    FvCheck(WatchContexts == 0);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION WatchOperations[] = {
    {IRP_MJ_CREATE, 0, NULL, WatchPostCreate, NULL},
    {IRP_MJ_READ, 0, NULL, WatchPostRead, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION WatchContextKinds[] = {
    {FLT_STREAM_CONTEXT, 0, WatchCleanup, sizeof(ULONG), WATCH_TAG},
    {FLT_FILE_CONTEXT, 0, WatchCleanup, sizeof(ULONG), WATCH_TAG},
    {FLT_STREAMHANDLE_CONTEXT, 0, WatchCleanup, sizeof(ULONG), WATCH_TAG},
    {.ContextType = FLT_CONTEXT_END},
};

static const FLT_REGISTRATION WatchRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = WatchContextKinds,
    .OperationRegistration = WatchOperations,
    .FilterUnloadCallback = WatchUnload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &WatchRegistration, &WatchFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(1);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(WatchFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(WatchFilter);
    }
    return Status;
}

/* SPDX-License-Identifier: MIT */
/*
 * contexts: counts the bytes that are read, by handle, by stream and by instance, and tells each count when what it
 * belongs to goes.
 *
 * A context is allocated when it is first needed and set with keep-if-exists, so of two threads that do this at once
 * one's stays and both go on with it.
 */
#include <fltKernel.h>

#define CONTEXTS_TAG 'xtnC'

typedef struct _COUNT {
    volatile LONG64 Bytes;
    volatile LONG Reads;
} COUNT, *PCOUNT;

static PFLT_FILTER ContextsFilter;

DRIVER_INITIALIZE DriverEntry;

static PCSTR ContextsName(FLT_CONTEXT_TYPE Type)
{
    return Type == FLT_STREAMHANDLE_CONTEXT ? "handle" : Type == FLT_STREAM_CONTEXT ? "stream" : "instance";
}

/* The last reference is gone. */
static VOID FLTAPI ContextsCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    PCOUNT Count = Context;

    DbgPrint("the %s goes: %d reads, %lld bytes\n", ContextsName(Type), Count->Reads, Count->Bytes);
}

static NTSTATUS ContextsSet(PCFLT_RELATED_OBJECTS Objects, FLT_CONTEXT_TYPE Type, PFLT_CONTEXT New, PFLT_CONTEXT *Old)
{
    switch (Type) {
    case FLT_STREAMHANDLE_CONTEXT:
        return FltSetStreamHandleContext(Objects->Instance, Objects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, New,
                                         Old);
    case FLT_STREAM_CONTEXT:
        return FltSetStreamContext(Objects->Instance, Objects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, New, Old);
    default: return FltSetInstanceContext(Objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, New, Old);
    }
}

/* A new count for the object, or the one that it has already; referenced.  NULL without memory or support. */
static PCOUNT ContextsMake(PCFLT_RELATED_OBJECTS Objects, FLT_CONTEXT_TYPE Type)
{
    PFLT_CONTEXT New, Old = NULL;
    NTSTATUS Status = FltAllocateContext(Objects->Filter, Type, sizeof(COUNT), NonPagedPoolNx, &New);

    if (!NT_SUCCESS(Status))
        return NULL;
    RtlZeroMemory(New, sizeof(COUNT));
    Status = ContextsSet(Objects, Type, New, &Old);
    if (NT_SUCCESS(Status))
        return New;
    FltReleaseContext(New);
    return Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED ? Old : NULL;
}

static VOID ContextsAdd(PCOUNT Count, ULONG Bytes)
{
    if (Count != NULL) {
        InterlockedAdd64(&Count->Bytes, Bytes);
        InterlockedIncrement(&Count->Reads);
    }
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI ContextsPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID *CompletionContext)
{
    ULONG Length = Data->Iopb->Parameters.Read.Length;
    FLT_RELATED_CONTEXTS Contexts;

    UNREFERENCED_PARAMETER(CompletionContext);
    FltGetContexts(FltObjects, FLT_INSTANCE_CONTEXT | FLT_STREAM_CONTEXT | FLT_STREAMHANDLE_CONTEXT, &Contexts);
    if (Contexts.InstanceContext == NULL)
        Contexts.InstanceContext = ContextsMake(FltObjects, FLT_INSTANCE_CONTEXT);
    if (Contexts.StreamContext == NULL)
        Contexts.StreamContext = ContextsMake(FltObjects, FLT_STREAM_CONTEXT);
    if (Contexts.StreamHandleContext == NULL)
        Contexts.StreamHandleContext = ContextsMake(FltObjects, FLT_STREAMHANDLE_CONTEXT);
    ContextsAdd(Contexts.InstanceContext, Length);
    ContextsAdd(Contexts.StreamContext, Length);
    ContextsAdd(Contexts.StreamHandleContext, Length);
    FltReleaseContexts(&Contexts);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS FLTAPI ContextsUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(ContextsFilter);
    return STATUS_SUCCESS;
}

static const FLT_CONTEXT_REGISTRATION ContextsTypes[] = {
    {FLT_INSTANCE_CONTEXT, 0, ContextsCleanup, sizeof(COUNT), CONTEXTS_TAG},
    {FLT_STREAM_CONTEXT, 0, ContextsCleanup, sizeof(COUNT), CONTEXTS_TAG},
    {FLT_STREAMHANDLE_CONTEXT, 0, ContextsCleanup, sizeof(COUNT), CONTEXTS_TAG},
    {FLT_CONTEXT_END},
};

static const FLT_OPERATION_REGISTRATION ContextsOperations[] = {
    {IRP_MJ_READ, 0, ContextsPreRead, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION ContextsRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = ContextsTypes,
    .OperationRegistration = ContextsOperations,
    .FilterUnloadCallback = ContextsUnload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &ContextsRegistration, &ContextsFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(ContextsFilter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(ContextsFilter);
    return Status;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the planted bugs have in common: a minifilter that sees the reads of a volume.  A driver defines PlantedStart (before
 * it is registered; a failure is DriverEntry's), PlantedStop (after it is gone, or with PLANTED_STOPS_FIRST before), and the
 * callbacks.
 */
#ifndef PLANTED_H
#define PLANTED_H

#include <fltKernel.h>

#define PLANTED_TAG 'nalP'

static PFLT_FILTER PlantedFilter;

static NTSTATUS PlantedStart(VOID);
static VOID PlantedStop(VOID);
static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext);
static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags);

static PVOID PlantedAllocate(SIZE_T Size)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, Size, PLANTED_TAG);

    if (Block != NULL)
        RtlZeroMemory(Block, Size);
    return Block;
}

static VOID PlantedFree(PVOID Block)
{
    ExFreePoolWithTag(Block, PLANTED_TAG);
}

/* A thread, of which a reference is kept. */
static NTSTATUS PlantedThread(PKSTART_ROUTINE Routine, PVOID Context, PETHREAD *Thread)
{
    HANDLE Handle;
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, (PVOID *)Thread, NULL);
    ZwClose(Handle);
    return Status;
}

static VOID PlantedJoin(PETHREAD Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static NTSTATUS FLTAPI PlantedUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
#ifdef PLANTED_STOPS_FIRST
    PlantedStop();
    FltUnregisterFilter(PlantedFilter);
#else
    FltUnregisterFilter(PlantedFilter);
    PlantedStop();
#endif
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI PlantedQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION PlantedOperations[] = {{IRP_MJ_READ, 0, PlantedPreRead, PlantedPostRead, NULL},
                                                               {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION PlantedRegistration = {.Size = sizeof(PlantedRegistration),
                                                     .Version = FLT_REGISTRATION_VERSION,
                                                     .OperationRegistration = PlantedOperations,
                                                     .InstanceQueryTeardownCallback = PlantedQueryTeardown,
                                                     .FilterUnloadCallback = PlantedUnload};

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = PlantedStart();

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltRegisterFilter(DriverObject, &PlantedRegistration, &PlantedFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(PlantedFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(PlantedFilter);
    }
    if (!NT_SUCCESS(Status))
        PlantedStop();
    return Status;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The minifilter whose image is broken on purpose (images.py): it has what linkers make of published ones, sections INIT
 * and PAGE among them (without -DPLAIN), unwind data, relocations, a read callback and a work item.
 */
#include <fltKernel.h>

DRIVER_INITIALIZE DriverEntry;
static PFLT_FILTER Filter;
static volatile LONG Reads;

static NTSTATUS FLTAPI FuzzUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI FuzzSetup(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE Device,
                                 FLT_FILESYSTEM_TYPE FileSystem)
{
    PVOID Block = ExAllocatePoolWithTag(PagedPool, 100, 'zzuF');

    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(FileSystem);
    if (Block != NULL)
        ExFreePoolWithTag(Block, 'zzuF');
    return STATUS_SUCCESS;
}

static VOID FLTAPI FuzzWork(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    UNREFERENCED_PARAMETER(Object);
    UNREFERENCED_PARAMETER(Context);
    __try {
        if (Reads > 1000000)
            ExRaiseStatus(STATUS_DATA_ERROR);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Reads = 0;
    }
    FltFreeGenericWorkItem(Item);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI FuzzPre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    UNREFERENCED_PARAMETER(Data);
    *Context = NULL;
    InterlockedIncrement(&Reads);
    if (Item != NULL && !NT_SUCCESS(FltQueueGenericWorkItem(Item, Objects->Filter, FuzzWork, DelayedWorkQueue, NULL)))
        FltFreeGenericWorkItem(Item);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI FuzzPost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                                  FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_READ, 0, FuzzPre, FuzzPost, NULL},
                                                            {IRP_MJ_OPERATION_END, 0, NULL, NULL, NULL}};
    static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                                  .Version = FLT_REGISTRATION_VERSION,
                                                  .OperationRegistration = Operations,
                                                  .FilterUnloadCallback = FuzzUnload,
                                                  .InstanceSetupCallback = FuzzSetup};
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status) && !NT_SUCCESS(Status = FltStartFiltering(Filter)))
        FltUnregisterFilter(Filter);
    return Status;
}

#ifndef PLAIN
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, FuzzUnload)
#pragma alloc_text(PAGE, FuzzSetup)
#endif

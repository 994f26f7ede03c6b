/* SPDX-License-Identifier: MIT */
/*
 * broken: a minifilter that goes wrong on purpose, in one of the ways that the verifier tells apart.
 *
 * The registry value "Fault" of its service chooses which:
 *   1  waits in a post-operation callback at DISPATCH_LEVEL
 *   2  touches paged pool at DISPATCH_LEVEL
 *   3  frees a generic work item that is still queued
 *   4  queues a generic work item twice
 *   5  leaves a generic work item behind at unload
 *   6  leaves pool behind at unload
 *   7  uses pool after it was freed
 *   8  has a worker routine that never returns
 *   9  writes past the end of its pool block
 */
#include <fltKernel.h>

#define BROKEN_TAG 'ekrB'

static PFLT_FILTER BrokenFilter;
static ULONG BrokenFault;
static PULONG BrokenPaged;
static KEVENT BrokenNever;

static VOID FLTAPI BrokenRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    if (BrokenFault == 8)
        KeWaitForSingleObject(&BrokenNever, Executive, KernelMode, FALSE, NULL);
    FltFreeGenericWorkItem(WorkItem);
}

static VOID BrokenTouchFreed(VOID)
{
    PULONG Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, BROKEN_TAG);

    if (Block == NULL)
        return;
    ExFreePoolWithTag(Block, BROKEN_TAG);
    *(volatile ULONG *)Block = 1;
}

static VOID BrokenOverrun(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, BROKEN_TAG);

    if (Block == NULL)
        return;
    *(volatile UCHAR *)&Block[64] = 1;
    ExFreePoolWithTag(Block, BROKEN_TAG);
}

static VOID BrokenWorkItem(PFLT_INSTANCE Instance)
{
    PFLT_GENERIC_WORKITEM WorkItem = FltAllocateGenericWorkItem();

    if (WorkItem == NULL || BrokenFault == 5)
        return; /* left behind */
    FltQueueGenericWorkItem(WorkItem, Instance, BrokenRoutine, DelayedWorkQueue, NULL);
    if (BrokenFault == 3)
        FltFreeGenericWorkItem(WorkItem);
    if (BrokenFault == 4)
        FltQueueGenericWorkItem(WorkItem, Instance, BrokenRoutine, DelayedWorkQueue, NULL);
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI BrokenPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    LARGE_INTEGER Moment = {.QuadPart = -10};

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        return FLT_POSTOP_FINISHED_PROCESSING;
    switch (BrokenFault) {
    case 1: KeWaitForSingleObject(&BrokenNever, Executive, KernelMode, FALSE, &Moment); break;
    case 2: DbgPrint("the paged pool holds %lu\n", *(volatile ULONG *)BrokenPaged); break;
    case 3:
    case 4:
    case 5:
    case 8: BrokenWorkItem(FltObjects->Instance); break;
    case 6: (VOID) ExAllocatePoolWithTag(NonPagedPoolNx, 100, BROKEN_TAG); break;
    case 7: BrokenTouchFreed(); break;
    case 9: BrokenOverrun(); break;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI BrokenUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(BrokenFilter);
    if (BrokenPaged != NULL)
        ExFreePoolWithTag(BrokenPaged, BROKEN_TAG);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION BrokenOperations[] = {
    {IRP_MJ_READ, 0, NULL, BrokenPostRead, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION BrokenRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = BrokenOperations,
    .FilterUnloadCallback = BrokenUnload,
};

/* Reads the value "Fault" of the service's key. */
static NTSTATUS BrokenReadFault(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Fault");
    OBJECT_ATTRIBUTES Attributes;
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    HANDLE Key;
    ULONG Length;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Length);
    if (NT_SUCCESS(Status) && Value->DataLength == sizeof(ULONG))
        BrokenFault = *(PULONG)Value->Data;
    ZwClose(Key);
    return Status;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = BrokenReadFault(RegistryPath);

    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeEvent(&BrokenNever, NotificationEvent, FALSE);
    BrokenPaged = ExAllocatePoolWithTag(PagedPool, PAGE_SIZE, BROKEN_TAG);
    if (BrokenPaged == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *BrokenPaged = 42;
    Status = FltRegisterFilter(DriverObject, &BrokenRegistration, &BrokenFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(BrokenFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(BrokenFilter);
    }
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(BrokenPaged, BROKEN_TAG);
    return Status;
}

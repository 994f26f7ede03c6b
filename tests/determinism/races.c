/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minifilter that gives schedules something to be seen by: each read queues generic work items to both queues from
 * its post-operation callback, system threads on every processor contend for a spin lock and sleep, and timers'
 * DPCs wake them.  What the processors did in which order ends in one number, which it prints at unload.
 */
#include <fltKernel.h>

#define WORKERS 4
#define ROUNDS  150

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;
static KSPIN_LOCK Lock;
static ULONG64 Order; /* Lock */
static PVOID Threads[WORKERS];
static volatile LONG Unlocked;

static VOID Record(ULONG What)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Lock, &OldIrql);
    Order = (Order ^ (What * 16 + KeGetCurrentProcessorNumberEx(NULL))) * 0x100000001b3;
    KeReleaseSpinLock(&Lock, OldIrql);
}

static VOID WorkRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(FltObject);
    Record(100 + (ULONG)(ULONG_PTR)Context);
    FltFreeGenericWorkItem(WorkItem);
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                           PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    ULONG Number;

    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (Flags & FLTFL_POST_OPERATION_DRAINING) {
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    Record(1);
    for (Number = 0; Number < 2; Number++) {
        PFLT_GENERIC_WORKITEM WorkItem = FltAllocateGenericWorkItem();
        if (WorkItem == NULL) {
            continue;
        }
        if (!NT_SUCCESS(FltQueueGenericWorkItem(WorkItem, FltObjects->Instance, WorkRoutine,
                                                Number ? CriticalWorkQueue : DelayedWorkQueue,
                                                (PVOID)(ULONG_PTR)Number))) {
            FltFreeGenericWorkItem(WorkItem);
        }
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID Worker(PVOID Context)
{
    ULONG Number = (ULONG)(ULONG_PTR)Context, Round, Random = Number + 1;
    LARGE_INTEGER Delay;
    LONG Seen, Spin;

    for (Round = 0; Round < ROUNDS; Round++) {
        Random = Random * 1664525 + 1013904223;
        for (Spin = (Random >> 16) & 1023; Spin > 0; Spin--) {
            Seen = Unlocked; /* loses updates, depending on the schedule */
            YieldProcessor();
            Unlocked = Seen + 1;
        }
        Record(200 + Number);
        if ((Random >> 28) == 0) { /* all of them asleep at times: the machine idles */
            Delay.QuadPart = -10 * 1000 * (LONGLONG)(Random >> 8 & 7);
            KeDelayExecutionThread(KernelMode, FALSE, &Delay);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID StopWorkers(VOID)
{
    ULONG Number;

    for (Number = 0; Number < WORKERS; Number++) {
        if (Threads[Number] != NULL) {
            KeWaitForSingleObject(Threads[Number], Executive, KernelMode, FALSE, NULL);
            ObDereferenceObject(Threads[Number]);
        }
    }
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    StopWorkers();
    FltUnregisterFilter(Filter);
    DbgPrint("races %016I64x %d\n", Order, Unlocked);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PostOperation = PostRead},
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
    NTSTATUS Status;
    ULONG Number;
    HANDLE Thread;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Lock);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    for (Number = 0; Number < WORKERS; Number++) {
        Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, (PVOID)(ULONG_PTR)Number);
        if (!NT_SUCCESS(Status)) {
            goto Exit;
        }
        Status =
            ObReferenceObjectByHandle(Thread, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Threads[Number], NULL);
        ZwClose(Thread);
        if (!NT_SUCCESS(Status)) {
            goto Exit;
        }
    }
    Status = FltStartFiltering(Filter);

Exit:
    if (!NT_SUCCESS(Status)) {
        StopWorkers();
        FltUnregisterFilter(Filter);
    }
    return Status;
}

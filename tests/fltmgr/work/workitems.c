// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic work items, clause by clause of what is documented: where they may be allocated, queued and freed, where the
 * routine runs and what it is given, that they run in parallel, and that unload waits for them.
 */
#include <fltKernel.h>
#include <fltvm.h>

#define BLOCKED 8
#define CHECKS  25

typedef struct _WORK {
    KEVENT Ran;
    PKEVENT Release; /* waited for, if given */
    PKEVENT Signal;  /* set, if given */
    ULONG Again;     /* how often the routine queues the item again */
    BOOLEAN Free;    /* the routine frees the item */
    ULONG Runs;
    PFLT_GENERIC_WORKITEM Item;
    PVOID FltObject;
    KIRQL Irql;
    BOOLEAN SystemThread;
    KPRIORITY Priority;
} WORK, *PWORK;

static PFLT_FILTER Filter;
static PFLT_GENERIC_WORKITEM SlowItem, LateItem;
static KEVENT UnloadBegun;
static NTSTATUS LateStatus = STATUS_PENDING;
static BOOLEAN SlowDone;

static NTSTATUS WaitFor(PKEVENT Event, ULONG Milliseconds)
{
    LARGE_INTEGER Timeout = {.QuadPart = -10000LL * Milliseconds};

    return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Timeout);
}

static VOID FLTAPI Run(PFLT_GENERIC_WORKITEM Item, PVOID FltObject, PVOID Context)
{
    PWORK Work = Context;

    Work->Item = Item;
    Work->FltObject = FltObject;
    Work->Irql = KeGetCurrentIrql();
    Work->SystemThread = PsIsSystemThread(PsGetCurrentThread());
    Work->Priority = KeQueryPriorityThread(KeGetCurrentThread());
    Work->Runs++;
    if (Work->Signal)
        KeSetEvent(Work->Signal, IO_NO_INCREMENT, FALSE);
    if (Work->Release)
        KeWaitForSingleObject(Work->Release, Executive, KernelMode, FALSE, NULL);
    if (Work->Again > 0) {
        Work->Again--;
        (VOID) FltQueueGenericWorkItem(Item, FltObject, Run, DelayedWorkQueue, Work);
        return;
    }
    if (Work->Free)
        FltFreeGenericWorkItem(Item);
    KeSetEvent(&Work->Ran, IO_NO_INCREMENT, FALSE);
}

static VOID Prepare(PWORK Work)
{
    RtlZeroMemory(Work, sizeof(*Work));
    KeInitializeEvent(&Work->Ran, NotificationEvent, FALSE);
}

static VOID CheckOne(WORK_QUEUE_TYPE Queue, PWORK Work)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    Prepare(Work);
    FvCheck(Item != NULL);
    FvCheck(FltQueueGenericWorkItem(Item, Filter, Run, Queue, Work) == STATUS_SUCCESS);
    FvCheck(WaitFor(&Work->Ran, 1000) == STATUS_SUCCESS);
    FvCheck(Work->Item == Item && Work->FltObject == Filter);
    FvCheck(Work->Irql == PASSIVE_LEVEL && Work->SystemThread);
    FltFreeGenericWorkItem(Item); /* not by the routine, for once */
}

static VOID CheckAtDispatch(VOID)
{
    PFLT_GENERIC_WORKITEM Item, Unused;
    NTSTATUS Status;
    KIRQL OldIrql;
    WORK Work;

    Prepare(&Work);
    Work.Free = TRUE;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Unused = FltAllocateGenericWorkItem();
    Item = FltAllocateGenericWorkItem();
    Status = FltQueueGenericWorkItem(Item, Filter, Run, DelayedWorkQueue, &Work);
    FltFreeGenericWorkItem(Unused);
    KeLowerIrql(OldIrql);
    FvCheck(Item != NULL && Unused != NULL && Item != Unused && Status == STATUS_SUCCESS);
    FvCheck(WaitFor(&Work.Ran, 1000) == STATUS_SUCCESS && Work.Irql == PASSIVE_LEVEL);
}

static VOID CheckAgain(VOID)
{
    WORK Work;

    Prepare(&Work);
    Work.Again = 4;
    Work.Free = TRUE;
    FvCheck(FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Filter, Run, DelayedWorkQueue, &Work) ==
            STATUS_SUCCESS);
    FvCheck(WaitFor(&Work.Ran, 1000) == STATUS_SUCCESS && Work.Runs == 5);
}

/* Routines that wait do not keep the last one from running, which then lets them go. */
static VOID CheckParallel(WORK_QUEUE_TYPE Queue)
{
    static WORK Works[BLOCKED + 1];
    BOOLEAN Queued = TRUE, Ran = TRUE;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    for (ULONG Index = 0; Index <= BLOCKED; Index++) {
        Prepare(&Works[Index]);
        Works[Index].Free = TRUE;
        Works[Index].Release = Index < BLOCKED ? &Event : NULL;
        Works[Index].Signal = Index < BLOCKED ? NULL : &Event;
        Queued = Queued &&
                 NT_SUCCESS(FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Filter, Run, Queue, &Works[Index]));
    }
    for (ULONG Index = 0; Index <= BLOCKED; Index++)
        Ran = Ran && WaitFor(&Works[Index].Ran, 5000) == STATUS_SUCCESS;
    FvCheck(Queued && Ran);
}

static VOID CheckInstance(VOID)
{
    PFLT_INSTANCE Instances[4];
    ULONG Count = 0;
    WORK Work;

    FvCheck(NT_SUCCESS(FltEnumerateInstances(NULL, Filter, Instances, RTL_NUMBER_OF(Instances), &Count)) && Count == 1);
    Prepare(&Work);
    Work.Free = TRUE;
    FvCheck(FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Instances[0], Run, DelayedWorkQueue, &Work) ==
            STATUS_SUCCESS);
    FvCheck(WaitFor(&Work.Ran, 1000) == STATUS_SUCCESS && Work.FltObject == Instances[0]);
    for (ULONG Index = 0; Index < Count; Index++)
        FltObjectDereference(Instances[Index]);
}

/* Runs while the filter unloads: unload waits for it, and nothing more can be queued. */
static VOID FLTAPI Slow(PFLT_GENERIC_WORKITEM Item, PVOID FltObject, PVOID Context)
{
    LARGE_INTEGER Moment = {.QuadPart = -500000};
    WORK Work;

    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&UnloadBegun, Executive, KernelMode, FALSE, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    Prepare(&Work);
    LateStatus = FltQueueGenericWorkItem(LateItem, FltObject, Run, DelayedWorkQueue, &Work);
    FltFreeGenericWorkItem(LateItem);
    FltFreeGenericWorkItem(Item);
    SlowDone = TRUE;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    KeSetEvent(&UnloadBegun, IO_NO_INCREMENT, FALSE);
    FltUnregisterFilter(Filter);
    FvCheck(SlowDone);
    FvCheck(LateStatus == STATUS_FLT_DELETING_OBJECT);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {{.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WORK Delayed, Critical;

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(CHECKS);
    KeInitializeEvent(&UnloadBegun, NotificationEvent, FALSE);
    FvCheck(NT_SUCCESS(FltRegisterFilter(DriverObject, &Registration, &Filter)));
    FvCheck(NT_SUCCESS(FltStartFiltering(Filter)));
    CheckOne(DelayedWorkQueue, &Delayed);
    CheckOne(CriticalWorkQueue, &Critical);
    FvCheck(Critical.Priority >= LOW_REALTIME_PRIORITY || Critical.Priority > Delayed.Priority);
    CheckAtDispatch();
    CheckAgain();
    CheckParallel(DelayedWorkQueue);
    CheckParallel(CriticalWorkQueue);
    CheckInstance();
    SlowItem = FltAllocateGenericWorkItem();
    LateItem = FltAllocateGenericWorkItem();
    FvCheck(FltQueueGenericWorkItem(SlowItem, Filter, Slow, DelayedWorkQueue, NULL) == STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

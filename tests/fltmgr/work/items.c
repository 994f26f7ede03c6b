/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic work items beyond what workitems.c checks: in what state the thread is, that an instance waits for its work,
 * that another thread may free an item whose routine runs, and what is refused.  The service's value "Case" says which.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance;
static ULONG Case;
static KEVENT Running, Go, Done;
static BOOLEAN Ended, EndedBeforeDetach;
static NTSTATUS Refused = STATUS_PENDING;

enum {
    Context = 1, /* the thread */
    OfInstance,  /* detaching waits, and refuses more */
    FreedAway,   /* freed by another thread */
    System,      /* the reserved queue, without the verifier */
    AtDirql,     /* allocated, queued, freed above DISPATCH_LEVEL: the value "What" says which */
};

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Given)
{
    if (Case == Context) {
        FvCheck(PsGetCurrentProcess() == PsInitialSystemProcess);
        FvCheck(ExGetPreviousMode() == KernelMode);
        FvCheck(!KeAreApcsDisabled() && !KeAreAllApcsDisabled());
        FvCheck(IoGetTopLevelIrp() == NULL);
    }
    KeSetEvent(&Running, IO_NO_INCREMENT, FALSE);
    if (Case == OfInstance || Case == FreedAway)
        FvCheck(IsSet(&Go, 1000));
    Ended = TRUE;
    if (Case != FreedAway)
        FltFreeGenericWorkItem(Item);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

/* Lets the routine go a while after the teardown has begun, and asks for more in between. */
static VOID NTAPI Later(PVOID Unused)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    Sleep(50);
    Refused = FltQueueGenericWorkItem(Item, Instance, Work, DelayedWorkQueue, NULL);
    FltFreeGenericWorkItem(Item);
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
}

static VOID Queue(PFLT_GENERIC_WORKITEM Item, PVOID Object)
{
    FvCheck(FltQueueGenericWorkItem(Item, Object, Work, DelayedWorkQueue, NULL) == STATUS_SUCCESS);
    FvCheck(IsSet(&Running, 1000));
}

static VOID RunOfInstance(VOID)
{
    PKTHREAD Thread;

    Queue(FltAllocateGenericWorkItem(), Instance);
    Thread = StartThread(Later, NULL);
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_SUCCESS);
    FvCheck(Ended); /* Go was set after 50 ms only */
    FvCheck(JoinThread(Thread));
    FvCheck(Refused == STATUS_FLT_DELETING_OBJECT);
}

static VOID RunFreedAway(VOID)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    Queue(Item, Filter);
    FltFreeGenericWorkItem(Item);
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    FvCheck(IsSet(&Done, 1000));
}

static DECLSPEC_NOINLINE VOID RunAtDirql(ULONG What)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL + 4, &Irql);
    if (What == 1)
        FltAllocateGenericWorkItem(); /* 1:caller */
    if (What == 2)
        FltQueueGenericWorkItem(Item, Filter, Work, DelayedWorkQueue, NULL); /* 2:caller */
    if (What == 3)
        FltFreeGenericWorkItem(Item); /* 3:caller */
    KeLowerIrql(Irql);
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(Volume);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const ULONG Plans[] = {[Context] = 7, [OfInstance] = 7, [FreedAway] = 4, [System] = 1, [AtDirql] = 0};
    PFLT_GENERIC_WORKITEM Item;
    NTSTATUS Status;

    KeInitializeEvent(&Running, NotificationEvent, FALSE);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Case = ReadNumber(RegistryPath, L"Case");
    if (Plans[Case] != 0)
        FvTestPlan(Plans[Case]);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
    FltObjectDereference(Instance);
    switch (Case) {
    case Context:
        Queue(FltAllocateGenericWorkItem(), Filter);
        FvCheck(IsSet(&Done, 1000));
        break;
    case OfInstance: RunOfInstance(); break;
    case FreedAway: RunFreedAway(); break;
    case System:
        Item = FltAllocateGenericWorkItem();
        FvCheck(FltQueueGenericWorkItem(Item, Filter, Work, (WORK_QUEUE_TYPE)2, NULL) == STATUS_INVALID_PARAMETER);
        FltFreeGenericWorkItem(Item);
        FltObjectDereference(Filter); /* once too often: without the verifier nothing comes of it */
        break;
    case AtDirql: RunAtDirql(ReadNumber(RegistryPath, L"What")); break;
    }
    return Status;
}

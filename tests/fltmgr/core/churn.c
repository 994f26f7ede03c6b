/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that attach, detach, find, list and refer to instances and queue work for them, all at once, until the filter
 * is unloaded under them.  Every status is one that is documented for what is going on, and nothing is left.
 */
#include "../../inc/minifilter.h"

#define THREADS 6

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PKTHREAD Threads[THREADS];
static LONG Setups, Starts, Completes, Refused, Runs, Queued, Odd, Rounds;

static BOOLEAN Expected(NTSTATUS Status, const NTSTATUS *List, ULONG Count)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        if (Status == List[Index])
            return TRUE;
    }
    DbgPrint("churn: status 0x%08X\n", Status);
    InterlockedIncrement(&Odd);
    return FALSE;
}
#define EXPECT(Status, ...)                                                                                            \
    Expected((Status), (const NTSTATUS[]){__VA_ARGS__}, sizeof((const NTSTATUS[]){__VA_ARGS__}) / sizeof(NTSTATUS))

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    PFLT_VOLUME Same;

    if (NT_SUCCESS(FltGetVolumeFromInstance(Object, &Same)))
        FltObjectDereference(Same);
    InterlockedIncrement(&Runs);
    FltFreeGenericWorkItem(Item);
}

static VOID QueueFor(PFLT_INSTANCE Instance)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();
    NTSTATUS Status =
        FltQueueGenericWorkItem(Item, Instance, Work, Rounds % 2 ? CriticalWorkQueue : DelayedWorkQueue, NULL);

    if (NT_SUCCESS(Status))
        InterlockedIncrement(&Queued);
    else
        FltFreeGenericWorkItem(Item);
    EXPECT(Status, STATUS_SUCCESS, STATUS_FLT_DELETING_OBJECT);
}

static VOID LookRound(VOID)
{
    PFLT_INSTANCE Instance, Next, List[16];
    ULONG Count;
    NTSTATUS Status = FltGetTopInstance(Volume, &Instance);

    while (NT_SUCCESS(Status)) {
        QueueFor(Instance);
        Status = FltGetLowerInstance(Instance, &Next);
        FltObjectDereference(Instance);
        Instance = Next;
    }
    EXPECT(Status, STATUS_NO_MORE_ENTRIES);
    Status = FltEnumerateInstances(Volume, Filter, List, RTL_NUMBER_OF(List), &Count);
    if (EXPECT(Status, STATUS_SUCCESS, STATUS_BUFFER_TOO_SMALL) && NT_SUCCESS(Status)) {
        while (Count-- > 0)
            FltObjectDereference(List[Count]);
    }
    Status = FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
    if (NT_SUCCESS(Status)) {
        if (NT_SUCCESS(FltObjectReference(Instance)))
            FltObjectDereference(Instance);
        FltObjectDereference(Instance);
    }
    EXPECT(Status, STATUS_SUCCESS, STATUS_FLT_DELETING_OBJECT, STATUS_FLT_INSTANCE_NOT_FOUND);
}

/* Each has altitudes of its own and one that all want. */
static VOID NTAPI Churn(PVOID Context)
{
    WCHAR Digits[] = L"50";
    UNICODE_STRING Altitude = {4, 4, Digits};
    ULONG Own = (ULONG)(ULONG_PTR)Context;
    PFLT_INSTANCE Instance;
    NTSTATUS Status;

    do {
        InterlockedIncrement(&Rounds);
        Digits[1] = (WCHAR)('0' + (Rounds % 3 == 0 ? 9 : Own));
        Status = FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, NULL, &Instance);
        if (NT_SUCCESS(Status)) {
            QueueFor(Instance);
            FltObjectDereference(Instance);
        }
        EXPECT(Status, STATUS_SUCCESS, STATUS_FLT_DELETING_OBJECT, STATUS_FLT_INSTANCE_NAME_COLLISION,
               STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, STATUS_FLT_DO_NOT_ATTACH);
        LookRound();
        EXPECT(FltDetachVolume(Filter, Volume, NULL), STATUS_SUCCESS, STATUS_FLT_DELETING_OBJECT,
               STATUS_FLT_INSTANCE_NOT_FOUND, STATUS_FLT_DO_NOT_DETACH);
    } while (Status != STATUS_FLT_DELETING_OBJECT);
    FltObjectDereference(Filter); /* which has kept the unload waiting */
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{
    if (InterlockedIncrement(&Setups) % 7 == 0) {
        InterlockedIncrement(&Refused);
        return STATUS_FLT_DO_NOT_ATTACH;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return Rounds % 5 == 0 ? STATUS_FLT_DO_NOT_DETACH : STATUS_SUCCESS;
}

static VOID TeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    InterlockedIncrement(&Starts);
}

static VOID TeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    InterlockedIncrement(&Completes);
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    BOOLEAN Joined = TRUE;

    FltUnregisterFilter(Filter);
    for (ULONG Index = 0; Index < THREADS; Index++)
        Joined = Joined && JoinThread(Threads[Index]);
    FltObjectDereference(Volume);
    FvCheck(Joined);
    FvCheck(Odd == 0);
    FvCheck(Starts == Completes && Starts == Setups - Refused);
    FvCheck(Runs == Queued && Queued > 0);
    DbgPrint("churn: %d rounds, %d setups, %d runs\n", Rounds, Setups, Runs);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
    .InstanceTeardownStartCallback = TeardownStart,
    .InstanceTeardownCompleteCallback = TeardownComplete,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    FvTestPlan(4);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    for (ULONG_PTR Index = 0; Index < THREADS; Index++) {
        FltObjectReference(Filter);
        Threads[Index] = StartThread(Churn, (PVOID)Index);
    }
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lives how long: instances that are detached, refused and unloaded while others look at them, references, and
 * the status that tells of what is going.  The service's value "Case" says which.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Kept;
static PKTHREAD Thread;
static PFLT_CALLBACK_DATA Pended;
static LONG Reads;
static BOOLEAN GivenBack;
static ULONG Case;
static KEVENT Reached, Go, Completed;
static LONG Asked, SetUps, Starts, Completes, Detached, Deleting;
static NTSTATUS ThreadStatus = STATUS_PENDING;
static PFLT_INSTANCE InSetup;
static BOOLEAN TornInSetup, EndOfThread;
static UNICODE_STRING ServiceName;

#define INSTANCE(Text) (&(UNICODE_STRING)RTL_CONSTANT_STRING(Text))

enum {
    TwoDetachers = 1,    /* one asks while the other detaches */
    UnloadWhileDetached, /* an unload waits for the detacher, which has the lower priority */
    Reference,           /* a reference keeps the memory, not the teardown */
    SetupWhileUnloaded,
    RefusedWhileUnloaded,
    Going,       /* what is told of a filter and an instance that go */
    Statuses,    /* attaching and detaching that is refused */
    Outstanding, /* an operation that is given back late; new ones in between */
    Mandatory,   /* the service is stopped */
};

static VOID NTAPI Detach(PVOID Context)
{
    KeSetPriorityThread(KeGetCurrentThread(), Case == UnloadWhileDetached ? LOW_PRIORITY + 1 : 8);
    ThreadStatus = FltDetachVolume(Filter, Volume, Context);
    if (ThreadStatus == STATUS_SUCCESS)
        InterlockedIncrement(&Detached);
    if (ThreadStatus == STATUS_FLT_DELETING_OBJECT)
        InterlockedIncrement(&Deleting);
    EndOfThread = TRUE;
}

static VOID NTAPI Attach(PVOID Context)
{
    ThreadStatus = FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"77"), Context, NULL);
    EndOfThread = TRUE;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{
    InterlockedIncrement(&SetUps);
    if ((Case != SetupWhileUnloaded && Case != RefusedWhileUnloaded) ||
        !FlagOn(Flags, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT))
        return STATUS_SUCCESS;
    InSetup = FltObjects->Instance;
    KeSetEvent(&Reached, IO_NO_INCREMENT, FALSE);
    Sleep(50);
    InSetup = NULL;
    return Case == RefusedWhileUnloaded ? STATUS_FLT_DO_NOT_ATTACH : STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    LONG Which = InterlockedIncrement(&Asked);

    if (Case == TwoDetachers && Which == 1) {
        KeSetEvent(&Reached, IO_NO_INCREMENT, FALSE);
        FvCheck(IsSet(&Go, 1000));
    }
    return Case == Statuses ? STATUS_FLT_DO_NOT_DETACH : STATUS_SUCCESS;
}

/* The filter is unloading: what others are told of it and of its instance. */
static VOID CheckGoing(PFLT_INSTANCE Instance)
{
    PFLT_INSTANCE Found;
    PFLT_FILTER Other;
    UCHAR Buffer[256];
    ULONG Count;

    FvCheck(FltObjectReference(Filter) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltGetFilterFromName(&ServiceName, &Other) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltGetFilterFromInstance(Instance, &Other) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltUnloadFilter(&ServiceName) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltAttachVolume(Filter, Volume, NULL, NULL) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"1"), NULL, NULL) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Found) == STATUS_FLT_DELETING_OBJECT);
    FvCheck(FltDetachVolume(Filter, Volume, INSTANCE(L"nobody")) == STATUS_FLT_INSTANCE_NOT_FOUND);
    FvCheck(FltEnumerateInstances(Volume, Filter, &Found, 1, &Count) == STATUS_SUCCESS && Count == 0);
    FvCheck(FltEnumerateInstanceInformationByVolume(Volume, 0, InstanceBasicInformation, Buffer, sizeof(Buffer),
                                                    &Count) == STATUS_NO_MORE_ENTRIES);
}

/* What the instance sees while its teardown has begun: nothing. */
static VOID CheckNothingNew(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    LONG Before = Reads;
    HANDLE Handle;
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 512, 'tseT');

    InitializeObjectAttributes(&Attributes, INSTANCE(L"\\Device\\HarddiskVolume1"), OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(
        NT_SUCCESS(ZwCreateFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0)));
    FvCheck(NT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Block, 512, &Offset, NULL)));
    FvCheck(Reads == Before);
    ZwClose(Handle);
    ExFreePoolWithTag(Block, 'tseT');
}

static VOID NTAPI GiveBack(PVOID Unused)
{
    IsSet(&Go, 5000);
    Sleep(50);
    GivenBack = TRUE;
    FltCompletePendedPreOperation(Pended, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    EndOfThread = TRUE;
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Case != Outstanding || InterlockedIncrement(&Reads) != 1)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Pended = Data;
    Thread = StartThread(GiveBack, NULL);
    return FLT_PREOP_PENDING;
}

static VOID TeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    InterlockedIncrement(&Starts);
    TornInSetup = TornInSetup || FltObjects->Instance == InSetup;
    if (Case == UnloadWhileDetached && FlagOn(Reason, FLTFL_INSTANCE_TEARDOWN_MANUAL)) {
        KeSetEvent(&Reached, IO_NO_INCREMENT, FALSE);
        Sleep(50);
    }
    if (Case == Going)
        CheckGoing(FltObjects->Instance);
    if (Case == Outstanding) {
        CheckNothingNew();
        KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    }
    if (Case == Mandatory)
        FvCheck(Reason == FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD);
}

static VOID TeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    InterlockedIncrement(&Completes);
    if (Case == Reference)
        FvCheck(FltObjectReference(FltObjects->Instance) == STATUS_FLT_DELETING_OBJECT);
    if (Case == Outstanding)
        FvCheck(GivenBack);
    KeSetEvent(&Completed, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Case == Going)
        FvCheck(FltUnloadFilter(&ServiceName) == STATUS_FLT_DELETING_OBJECT);
    if (Volume != NULL)
        FltObjectDereference(Volume);
    FltUnregisterFilter(Filter);
    FvCheck(Starts == Completes);
    FvCheck(!TornInSetup);
    if (Thread != NULL) {
        FvCheck(JoinThread(Thread));
        FvCheck(EndOfThread);
    }
    if (Case == SetupWhileUnloaded)
        FvCheck(ThreadStatus == STATUS_SUCCESS && SetUps == 2 && Starts == 2);
    if (Case == RefusedWhileUnloaded)
        FvCheck(ThreadStatus == STATUS_FLT_DO_NOT_ATTACH && SetUps == 2 && Starts == 1);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead},
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

static VOID RunTwoDetachers(VOID)
{
    Thread = StartThread(Detach, NULL);
    FvCheck(IsSet(&Reached, 1000));
    KeClearEvent(&Completed);
    ObDereferenceObject(StartThread(Detach, NULL)); /* asked second, agrees at once, and tears it down */
    FvCheck(IsSet(&Completed, 1000));
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    FvCheck(JoinThread(Thread));
    Thread = NULL;
    Sleep(10);
    FvCheck(Detached == 1 && Deleting == 1);
    FvCheck(Asked == 2 && Starts == 1 && Completes == 1);
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_FLT_INSTANCE_NOT_FOUND);
}

/* Without a name the highest of the filter's instances goes. */
static VOID RunHighest(VOID)
{
    PFLT_INSTANCE Low;

    FvCheck(NT_SUCCESS(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"50"), INSTANCE(L"low"), NULL)));
    FvCheck(NT_SUCCESS(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"150"), INSTANCE(L"high"), NULL)));
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_SUCCESS);
    FvCheck(FltDetachVolume(Filter, Volume, INSTANCE(L"high")) == STATUS_FLT_INSTANCE_NOT_FOUND);
    FvCheck(NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, INSTANCE(L"low"), &Low)));
    FltObjectDereference(Low);
}

static VOID RunReference(VOID)
{
    FvCheck(NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Kept)));
    FvCheck(FltObjectReference(Kept) == STATUS_SUCCESS);
    FltObjectDereference(Kept);
    Thread = StartThread(Detach, NULL);
    FvCheck(IsSet(&Completed, 1000)); /* although Kept is referenced */
    Sleep(20);
    FvCheck(!EndOfThread); /* its memory is not free yet */
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_FLT_DELETING_OBJECT);
    FltObjectDereference(Kept);
    FvCheck(JoinThread(Thread));
    FvCheck(ThreadStatus == STATUS_SUCCESS && Completes == 1);
    Thread = NULL;
    Case = 0;
    RunHighest();
}

static VOID RunStatuses(VOID)
{
    PFLT_INSTANCE Instance, Same;
    UNICODE_STRING Long = {254 * sizeof(WCHAR), 254 * sizeof(WCHAR), NULL};
    static WCHAR Digits[254];

    FvCheck(FltAttachVolume(Filter, Volume, NULL, NULL) == STATUS_FLT_FILTER_NOT_READY);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"5"), NULL, NULL) == STATUS_FLT_FILTER_NOT_READY);
    FvCheck(FltStartFiltering(Filter) == STATUS_SUCCESS && SetUps == 1); /* volumes are offered before it returns */
    FvCheck(FltStartFiltering(Filter) == STATUS_INVALID_PARAMETER);
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_FLT_DO_NOT_DETACH && Asked == 1);
    FvCheck(FltAttachVolume(Filter, Volume, NULL, NULL) == STATUS_FLT_INSTANCE_NAME_COLLISION);
    FvCheck(FltAttachVolume(Filter, Volume, INSTANCE(L"second"), NULL) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"100"), NULL, NULL) ==
            STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"1"), INSTANCE(L"FIRST"), NULL) ==
            STATUS_FLT_INSTANCE_NAME_COLLISION);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"1x"), NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"1"), INSTANCE(L""), NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L""), NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, INSTANCE(L"123.45"), NULL, &Instance) == STATUS_SUCCESS);
    FvCheck(FltGetVolumeInstanceFromName(Filter, Volume, INSTANCE(L"lifetimes - 123.45"), &Same) == STATUS_SUCCESS);
    FvCheck(Same == Instance);
    FltObjectDereference(Instance); /* each of the two was referenced */
    FltObjectDereference(Same);
    FvCheck(FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Same) == STATUS_SUCCESS &&
            Same == Instance); /* the highest */
    FltObjectDereference(Same);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Digits); Index++)
        Digits[Index] = '1';
    Long.Buffer = Digits;
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &Long, NULL, NULL) == STATUS_SUCCESS); /* the name is cut off */
}

static const ULONG Plans[] = {
    [TwoDetachers] = 7 + 2,       [UnloadWhileDetached] = 1 + 4,  [Reference] = 13 + 2,
    [SetupWhileUnloaded] = 1 + 5, [RefusedWhileUnloaded] = 1 + 5, [Going] = 11 + 3,
    [Statuses] = 17 + 2,          [Outstanding] = 3 + 1 + 4,      [Mandatory] = 1 + 2,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Case = ReadNumber(RegistryPath, L"Case");
    FvTestPlan(Plans[Case]);
    ServiceName = *INSTANCE(L"lifetimes");
    KeInitializeEvent(&Reached, NotificationEvent, FALSE);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    KeInitializeEvent(&Completed, NotificationEvent, FALSE);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Volume = OpenVolume(Filter);
    if (Case == Statuses)
        RunStatuses();
    else
        Status = FltStartFiltering(Filter);
    if (Case == TwoDetachers) {
        RunTwoDetachers();
    } else if (Case == Reference) {
        RunReference();
    } else if (Case == UnloadWhileDetached) {
        Thread = StartThread(Detach, NULL);
        FvCheck(IsSet(&Reached, 1000));
    } else if (Case == SetupWhileUnloaded || Case == RefusedWhileUnloaded) {
        Thread = StartThread(Attach, NULL);
        FvCheck(IsSet(&Reached, 1000));
    }
    return Status;
}

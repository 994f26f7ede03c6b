/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts as documented: what registrations are taken, what each allocation gives, what setting, getting and deleting
 * return and hold, and when cleanup callbacks are called.  The service's value "Case" says which.
 */
#include "../../inc/minifilter.h"

#define TAG 'xtCT'

enum { Registering = 1, Allocating, Setting, Ending, Volumes };

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance;
static ULONG Case;

/* What the callbacks saw. */
static LONG Cleanups, Frees, Allocations;
static FLT_CONTEXT_TYPE LastType, Order[8];
static PVOID LastData;
static KIRQL LastIrql;
static PVOID OwnMemory;
static SIZE_T OwnSize;
static BOOLEAN OwnFails;
static LONG CompletedBefore; /* cleanups before the teardown-complete callback */
static LONG CleanupsOfType[0x80];
static KEVENT CleanedUp;

static VOID NTAPI Cleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    LONG Number = InterlockedIncrement(&Cleanups);

    LastType = Type;
    LastData = Context;
    LastIrql = KeGetCurrentIrql();
    CleanupsOfType[Type & 0x7F]++;
    if (Number <= (LONG)RTL_NUMBER_OF(Order))
        Order[Number - 1] = Type;
    KeSetEvent(&CleanedUp, IO_NO_INCREMENT, FALSE);
}

static PVOID NTAPI Allocate(POOL_TYPE PoolType, SIZE_T Size, FLT_CONTEXT_TYPE Type)
{
    Allocations++;
    FvCheck(Type == FLT_TRANSACTION_CONTEXT && PoolType == NonPagedPoolNx && KeGetCurrentIrql() <= APC_LEVEL);
    OwnSize = Size;
    OwnMemory = OwnFails ? NULL : ExAllocatePoolWithTag(PoolType, Size, TAG);
    return OwnMemory;
}

static VOID NTAPI Free(PVOID Pool, FLT_CONTEXT_TYPE Type)
{
    Frees++;
    FvCheck(Pool == OwnMemory && Type == FLT_TRANSACTION_CONTEXT && KeGetCurrentIrql() <= APC_LEVEL);
    ExFreePoolWithTag(Pool, TAG);
}

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_VOLUME_CONTEXT, 0, Cleanup, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
    {FLT_INSTANCE_CONTEXT, 0, Cleanup, 200, TAG},
    {FLT_INSTANCE_CONTEXT, FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH, Cleanup, 100, TAG},
    {FLT_INSTANCE_CONTEXT, 0, Cleanup, 40, TAG},
    {FLT_INSTANCE_CONTEXT, 0, Cleanup, 40, TAG}, /* identical: ignored, else there were four */
    {FLT_STREAM_CONTEXT, 0, Cleanup, 0, TAG},
    {FLT_STREAM_CONTEXT, 0, Cleanup, 64, TAG},
    {FLT_STREAM_CONTEXT, 0, Cleanup, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
    {FLT_TRANSACTION_CONTEXT, 0, Cleanup, 1, 0, Allocate, Free},
    {FLT_CONTEXT_END},
};

/* --- Registering --- */

static NTSTATUS Register(PDRIVER_OBJECT Driver, const FLT_CONTEXT_REGISTRATION *Types)
{
    FLT_REGISTRATION Registration = {sizeof(Registration), FLT_REGISTRATION_VERSION, 0, Types};
    PFLT_FILTER Other = NULL;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Other);

    if (NT_SUCCESS(Status))
        FltUnregisterFilter(Other);
    return Status;
}

static VOID CheckRegistrations(PDRIVER_OBJECT Driver)
{
    static const FLT_CONTEXT_REGISTRATION NoTag[] = {{FLT_STREAM_CONTEXT, 0, NULL, 8, 0}, {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION TwoBits[] = {{3, 0, NULL, 8, TAG}, {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION NoType[] = {{0, 0, NULL, 8, TAG}, {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION Unknown[] = {{0x80, 0, NULL, 8, TAG}, {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION TwoVariable[] = {
        {FLT_STREAM_CONTEXT, 0, NULL, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
        {FLT_STREAM_CONTEXT, 0, Cleanup, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
        {FLT_CONTEXT_END},
    };
    static const FLT_CONTEXT_REGISTRATION FourFixed[] = {
        {FLT_STREAM_CONTEXT, 0, NULL, 8, TAG},
        {FLT_STREAM_CONTEXT, 0, NULL, 16, TAG},
        {FLT_STREAM_CONTEXT, 0, NULL, 24, TAG},
        {FLT_STREAM_CONTEXT, 0, NULL, 32, TAG},
        {FLT_CONTEXT_END},
    };
    static const FLT_CONTEXT_REGISTRATION OwnAndMore[] = {
        {FLT_STREAM_CONTEXT, 0, NULL, 8, TAG, Allocate, Free},
        {FLT_STREAM_CONTEXT, 0, NULL, 16, TAG},
        {FLT_CONTEXT_END},
    };
    static const FLT_CONTEXT_REGISTRATION MoreAndOwn[] = {
        {FLT_STREAM_CONTEXT, 0, NULL, 16, TAG},
        {FLT_STREAM_CONTEXT, 0, NULL, 8, TAG, Allocate, Free},
        {FLT_CONTEXT_END},
    };
    static const FLT_CONTEXT_REGISTRATION TooBig[] = {{FLT_FILE_CONTEXT, 0, NULL, MAXUSHORT + 1, TAG},
                                                      {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION Biggest[] = {{FLT_FILE_CONTEXT, 0, NULL, MAXUSHORT, TAG}, {FLT_CONTEXT_END}};
    static const FLT_CONTEXT_REGISTRATION OwnWithoutTag[] = {
        {FLT_SECTION_CONTEXT, 0, NULL, 0, 0, Allocate, NULL},
        {FLT_FILE_CONTEXT, 0, NULL, 8, TAG},
        {FLT_CONTEXT_END},
    };

    FvCheck(Register(Driver, NoTag) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, TwoBits) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, NoType) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, Unknown) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, TwoVariable) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, FourFixed) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, OwnAndMore) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, MoreAndOwn) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, TooBig) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(Driver, Biggest) == STATUS_SUCCESS);
    FvCheck(Register(Driver, OwnWithoutTag) == STATUS_SUCCESS);
    FvCheck(Register(Driver, Contexts) == STATUS_SUCCESS);
    FvCheck(Register(Driver, NULL) == STATUS_SUCCESS);
}

/* --- Allocating --- */

static NTSTATUS AllocateIn(FLT_CONTEXT_TYPE Type, SIZE_T Size, POOL_TYPE PoolType)
{
    PFLT_CONTEXT Context = (PFLT_CONTEXT)1;
    NTSTATUS Status = FltAllocateContext(Filter, Type, Size, PoolType, &Context);

    if (!NT_SUCCESS(Status))
        return FvCheck(Context == NULL_CONTEXT) ? Status : STATUS_UNSUCCESSFUL;
    RtlFillMemory(Context, Size, 0xEE);
    FvCheck(((ULONG_PTR)Context & 15) == 0);
    FltReleaseContext(Context);
    FvCheck(LastData == Context && LastType == Type);
    return Status;
}

static VOID CheckSizes(VOID)
{
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 0, NonPagedPoolNx) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(FLT_VOLUME_CONTEXT, MAXUSHORT + 1, NonPagedPoolNx) == STATUS_INVALID_BUFFER_SIZE);
    FvCheck(AllocateIn(FLT_VOLUME_CONTEXT, MAXUSHORT, NonPagedPoolNx) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_VOLUME_CONTEXT, 1, NonPagedPool) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_VOLUME_CONTEXT, 8, PagedPool) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(0, 8, NonPagedPoolNx) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(FLT_VOLUME_CONTEXT | FLT_INSTANCE_CONTEXT, 8, NonPagedPoolNx) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(0x80, 8, NonPagedPoolNx) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(FLT_CONTEXT_END, 8, NonPagedPoolNx) == STATUS_INVALID_PARAMETER);
    FvCheck(AllocateIn(FLT_FILE_CONTEXT, 8, NonPagedPoolNx) == STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
    /* Fixed sizes: 40 and 200 exactly, up to 100 by its flag. */
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 40, PagedPool) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 39, PagedPool) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 100, NonPagedPoolNx) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 101, NonPagedPoolNx) == STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 200, NonPagedPool) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_INSTANCE_CONTEXT, 201, PagedPool) == STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
    /* What no fixed size takes, the variable one does. */
    FvCheck(AllocateIn(FLT_STREAM_CONTEXT, 64, PagedPool) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_STREAM_CONTEXT, 63, NonPagedPoolNx) == STATUS_SUCCESS);
    FvCheck(AllocateIn(FLT_STREAM_CONTEXT, 5000, PagedPool) == STATUS_SUCCESS);
}

/* The callbacks get the whole size, are believed, and size and tag of their registration do not count. */
static VOID CheckOwnAllocation(VOID)
{
    LONG Before = Cleanups;

    FvCheck(AllocateIn(FLT_TRANSACTION_CONTEXT, 3000, NonPagedPoolNx) == STATUS_SUCCESS);
    FvCheck(Allocations == 1 && Frees == 1 && Cleanups == Before + 1);
    FvCheck(OwnSize > 3000 && (PUCHAR)LastData >= (PUCHAR)OwnMemory &&
            (PUCHAR)LastData + 3000 <= (PUCHAR)OwnMemory + OwnSize);
    OwnFails = TRUE;
    FvCheck(AllocateIn(FLT_TRANSACTION_CONTEXT, 3000, NonPagedPoolNx) == STATUS_INSUFFICIENT_RESOURCES);
    OwnFails = FALSE;
    FvCheck(Allocations == 2 && Frees == 1);
}

static VOID CheckZeroing(VOID)
{
    PUCHAR Context = NULL;
    ULONG Other = 0;

    for (ULONG Turn = 0; Turn < 20; Turn++) {
        FvCheck(
            NT_SUCCESS(FltAllocateContext(Filter, FLT_VOLUME_CONTEXT, 300, NonPagedPoolNx, (PFLT_CONTEXT *)&Context)));
        for (ULONG Index = 0; Index < 300; Index++)
            Other += Context[Index] != 0;
        RtlFillMemory(Context, 300, 0xEE);
        FltReleaseContext(Context);
    }
    FvCheck(Other == 0);
}

/* Freed by the last reference: at once up to APC_LEVEL, from DISPATCH_LEVEL by a worker. */
static VOID CheckReferences(VOID)
{
    PFLT_CONTEXT Context = NULL;
    LONG Before;
    KIRQL Irql;

    FvCheck(NT_SUCCESS(FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, 40, NonPagedPoolNx, &Context)));
    Before = Cleanups;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FltReferenceContext(Context);
    FltReferenceContext(Context);
    FltReleaseContext(Context);
    KeLowerIrql(Irql);
    FltReleaseContext(Context);
    FvCheck(Cleanups == Before);
    KeRaiseIrql(APC_LEVEL, &Irql);
    FltReleaseContext(Context);
    FvCheck(Cleanups == Before + 1 && LastData == Context && LastType == FLT_INSTANCE_CONTEXT && LastIrql == APC_LEVEL);
    KeLowerIrql(Irql);

    FvCheck(NT_SUCCESS(FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, 40, NonPagedPoolNx, &Context)));
    KeClearEvent(&CleanedUp);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FltReleaseContext(Context);
    FvCheck(Cleanups == Before + 1 || LastIrql == PASSIVE_LEVEL); /* another processor's worker may be quick */
    KeLowerIrql(Irql);
    FvCheck(IsSet(&CleanedUp, 1000) && Cleanups == Before + 2 && LastIrql == PASSIVE_LEVEL && LastData == Context);
}

/* --- Setting --- */

static PFLT_CONTEXT New(FLT_CONTEXT_TYPE Type, SIZE_T Size, POOL_TYPE PoolType)
{
    PFLT_CONTEXT Context = NULL;

    FvCheck(NT_SUCCESS(FltAllocateContext(Filter, Type, Size, PoolType, &Context)));
    return Context;
}

typedef NTSTATUS SET(FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT Context, PFLT_CONTEXT *Old);
typedef NTSTATUS GET(PFLT_CONTEXT *Context);

static NTSTATUS SetOnVolume(FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT Context, PFLT_CONTEXT *Old)
{
    return FltSetVolumeContext(Volume, Operation, Context, Old);
}

static NTSTATUS GetFromVolume(PFLT_CONTEXT *Context)
{
    return FltGetVolumeContext(Filter, Volume, Context);
}

static NTSTATUS DeleteFromVolume(PFLT_CONTEXT *Old)
{
    return FltDeleteVolumeContext(Filter, Volume, Old);
}

static NTSTATUS SetOnInstance(FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT Context, PFLT_CONTEXT *Old)
{
    return FltSetInstanceContext(Instance, Operation, Context, Old);
}

static NTSTATUS GetFromInstance(PFLT_CONTEXT *Context)
{
    return FltGetInstanceContext(Instance, Context);
}

static NTSTATUS DeleteFromInstance(PFLT_CONTEXT *Old)
{
    return FltDeleteInstanceContext(Instance, Old);
}

/* Whether that is the one, and its reference is given back. */
static BOOLEAN Is(PFLT_CONTEXT Context, PFLT_CONTEXT Wanted)
{
    if (Context != NULL_CONTEXT)
        FltReleaseContext(Context);
    return Context == Wanted;
}

static VOID CheckKeepAndReplace(FLT_CONTEXT_TYPE Type, POOL_TYPE PoolType, SET *Set, GET *Get, GET *Delete)
{
    PFLT_CONTEXT One = New(Type, 40, PoolType), Two = New(Type, 40, PoolType), Found = (PFLT_CONTEXT)1;
    LONG Before = Cleanups;

    FvCheck(Get(&Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    FvCheck(Delete(NULL) == STATUS_NOT_FOUND);
    Found = (PFLT_CONTEXT)1;
    FvCheck(Set((FLT_SET_CONTEXT_OPERATION)7, One, &Found) == STATUS_INVALID_PARAMETER && Found == NULL_CONTEXT);
    Found = (PFLT_CONTEXT)1;
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, &Found) == STATUS_SUCCESS && Found == NULL_CONTEXT);
    FvCheck(Get(&Found) == STATUS_SUCCESS && Is(Found, One));
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, NULL) == STATUS_FLT_CONTEXT_ALREADY_LINKED);
    FvCheck(Set(FLT_SET_CONTEXT_REPLACE_IF_EXISTS, One, &Found) == STATUS_FLT_CONTEXT_ALREADY_LINKED);
    /* Kept: the new one is as it was before, the old one comes with a reference. */
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, Two, NULL) == STATUS_FLT_CONTEXT_ALREADY_DEFINED);
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, Two, &Found) == STATUS_FLT_CONTEXT_ALREADY_DEFINED && Is(Found, One));
    FvCheck(Get(&Found) == STATUS_SUCCESS && Is(Found, One));
    /* Replaced: the old one lives by the reference that comes with it, and by the allocator's. */
    FltReleaseContext(One);
    FvCheck(Cleanups == Before);
    FvCheck(Set(FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Two, &Found) == STATUS_SUCCESS && Found == One &&
            Cleanups == Before);
    FltReleaseContext(Found);
    FvCheck(Cleanups == Before + 1 && LastData == One && LastType == Type);
    FvCheck(Get(&Found) == STATUS_SUCCESS && Is(Found, Two));
    FltReleaseContext(Two);
    FvCheck(Cleanups == Before + 1);
    /* Replaced without being asked for: it ends at once. */
    One = New(Type, 40, PoolType);
    FvCheck(Set(FLT_SET_CONTEXT_REPLACE_IF_EXISTS, One, NULL) == STATUS_SUCCESS && Cleanups == Before + 2 &&
            LastData == Two);
    /* Deleted: found no more, alive as long as it is referenced. */
    FvCheck(Delete(&Found) == STATUS_SUCCESS && Found == One);
    FltReleaseContext(Found);
    FvCheck(Get(&Found) == STATUS_NOT_FOUND && Cleanups == Before + 2);
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, NULL) == STATUS_SUCCESS); /* it may be set again */
    FltDeleteContext(One);
    FvCheck(Get(&Found) == STATUS_NOT_FOUND && Cleanups == Before + 2);
    FltDeleteContext(One); /* set nowhere */
    FltReleaseContext(One);
    FvCheck(Cleanups == Before + 3 && LastData == One);
    /* A delete that does not ask for it ends it at once. */
    One = New(Type, 40, PoolType);
    FvCheck(Set(FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, NULL) == STATUS_SUCCESS);
    FltReleaseContext(One);
    FvCheck(Delete(NULL) == STATUS_SUCCESS && Cleanups == Before + 4);
}

static VOID CheckSetting(VOID)
{
    KIRQL Irql;

    CheckKeepAndReplace(FLT_VOLUME_CONTEXT, NonPagedPool, SetOnVolume, GetFromVolume, DeleteFromVolume);
    CheckKeepAndReplace(FLT_INSTANCE_CONTEXT, PagedPool, SetOnInstance, GetFromInstance, DeleteFromInstance);
    KeRaiseIrql(APC_LEVEL, &Irql);
    CheckKeepAndReplace(FLT_INSTANCE_CONTEXT, NonPagedPoolNx, SetOnInstance, GetFromInstance, DeleteFromInstance);
    KeLowerIrql(Irql);
}

/* Without the verifier, which has these as bugchecks, they are told by a status. */
static VOID CheckRefusals(VOID)
{
    PFLT_CONTEXT Mine = New(FLT_INSTANCE_CONTEXT, 40, PagedPool);

    FvCheck(FltSetVolumeContext(Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Mine, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Mine, NULL) == STATUS_SUCCESS);
    FltReleaseContext(Mine);
    FvCheck(FltDeleteInstanceContext(Instance, NULL) == STATUS_SUCCESS);
}

/* --- The end --- */

/* One context each, which from now on only the volume and the instance keep. */
static VOID LeaveContexts(PFLT_INSTANCE For)
{
    PFLT_CONTEXT OfVolume = New(FLT_VOLUME_CONTEXT, 8, NonPagedPool),
                 OfInstance = New(FLT_INSTANCE_CONTEXT, 8, PagedPool);
    PFLT_VOLUME Of = NULL;

    FvCheck(NT_SUCCESS(FltGetVolumeFromInstance(For, &Of)));
    FltSetVolumeContext(Of, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfVolume, NULL);
    FvCheck(NT_SUCCESS(FltSetInstanceContext(For, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfInstance, NULL)));
    FltReleaseContext(OfVolume);
    FltReleaseContext(OfInstance);
    FltObjectDereference(Of);
    Cleanups = 0;
}

static NTSTATUS NTAPI Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                            FLT_FILESYSTEM_TYPE FileSystemType)
{
    if (Case >= Ending)
        LeaveContexts(FltObjects->Instance);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

/* The instance's is there until the callback has returned; nothing is set or deleted any more. */
static VOID NTAPI TeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_CONTEXT Found = NULL, Mine;

    if (Case < Ending)
        return;
    CompletedBefore = Cleanups;
    FvCheck(FltGetInstanceContext(FltObjects->Instance, &Found) == STATUS_SUCCESS);
    FltReleaseContext(Found);
    FvCheck(FltDeleteInstanceContext(FltObjects->Instance, NULL) == STATUS_FLT_DELETING_OBJECT);
    if (FlagOn(Reason, FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD)) {
        FvCheck(FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, 8, PagedPool, &Found) == STATUS_FLT_DELETING_OBJECT);
        return;
    }
    Mine = New(FLT_INSTANCE_CONTEXT, 8, PagedPool);
    FvCheck(FltSetInstanceContext(FltObjects->Instance, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Mine, NULL) ==
            STATUS_FLT_DELETING_OBJECT);
    FltReleaseContext(Mine);
    Cleanups = CompletedBefore;
    if (!FlagOn(Reason, FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT))
        return;
    FvCheck(FltDeleteVolumeContext(Filter, FltObjects->Volume, NULL) == STATUS_FLT_DELETING_OBJECT);
    Mine = New(FLT_VOLUME_CONTEXT, 8, NonPagedPool);
    FvCheck(FltSetVolumeContext(FltObjects->Volume, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Mine, NULL) ==
            STATUS_FLT_DELETING_OBJECT);
    FltReleaseContext(Mine);
    Cleanups = CompletedBefore;
}

/* A volume's context outlives the instance, and is there for the next one. */
static VOID CheckEnds(VOID)
{
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"55"), Name = RTL_CONSTANT_STRING(L"second");
    PFLT_CONTEXT Found = NULL, Before = NULL;

    FvCheck(FltGetVolumeContext(Filter, Volume, &Before) == STATUS_SUCCESS);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, &Name, NULL) == STATUS_SUCCESS);
    FvCheck(FltDetachVolume(Filter, Volume, &Name) == STATUS_SUCCESS);
    FvCheck(CompletedBefore == 0 && Cleanups == 1 && Order[0] == FLT_INSTANCE_CONTEXT);
    FvCheck(FltGetVolumeContext(Filter, Volume, &Found) == STATUS_SUCCESS && Is(Found, Before));
    FltReleaseContext(Before);
    Cleanups = 0;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Instance != NULL)
        FltObjectDereference(Instance);
    if (Volume != NULL)
        FltObjectDereference(Volume);
    Cleanups = Case >= Ending ? 0 : Cleanups;
    FltUnregisterFilter(Filter);
    if (Case == Ending)
        FvCheck(CompletedBefore == 0 && Cleanups == 2 && Order[0] == FLT_INSTANCE_CONTEXT &&
                Order[1] == FLT_VOLUME_CONTEXT);
    if (Case == Volumes)
        FvCheck(CleanupsOfType[FLT_VOLUME_CONTEXT] == 3 && CleanupsOfType[FLT_INSTANCE_CONTEXT] >= 1 &&
                Order[Cleanups - 1] == FLT_VOLUME_CONTEXT);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = MayDetach,
    .InstanceTeardownCompleteCallback = TeardownComplete,
};

static VOID Check(VOID)
{
    switch (Case) {
    case Allocating:
        CheckSizes();
        CheckOwnAllocation();
        CheckZeroing();
        CheckReferences();
        break;
    case Setting:
        CheckSetting();
        if (!FvVerifierEnabled())
            CheckRefusals();
        break;
    case Ending: CheckEnds(); break;
    }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    NTSTATUS Status;

    Case = ReadNumber(Key, L"Case");
    FvTestPlan(ReadNumber(Key, L"Plan"));
    KeInitializeEvent(&CleanedUp, NotificationEvent, FALSE);
    if (Case == Registering)
        CheckRegistrations(Driver);
    Status = FltRegisterFilter(Driver, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (NT_SUCCESS(Status) && Case != Volumes) {
        Volume = OpenVolume(Filter);
        Status = FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
        if (NT_SUCCESS(Status))
            Check();
    }
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing wrong with a context: the service's value "Fault" says which.  A line that a report must name says so in
 * a comment: fault, colon, the report's name for it.
 */
#include "../../inc/minifilter.h"

#define TAG 'xtCB'

static PFLT_FILTER Filter, Other;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance, OthersInstance;
static ULONG Fault;
static ULONG Data[64];

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_VOLUME_CONTEXT, 0, NULL, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
    {FLT_INSTANCE_CONTEXT, 0, NULL, 40, TAG},
    {FLT_SECTION_CONTEXT, 0, NULL, 40, TAG},
    {FLT_CONTEXT_END},
};

static DECLSPEC_NOINLINE PFLT_CONTEXT New(FLT_CONTEXT_TYPE Type, POOL_TYPE PoolType)
{
    PFLT_CONTEXT Context = NULL;

    FltAllocateContext(Filter, Type, 40, PoolType, &Context); /* 1:allocated 2:allocated 3:allocated 9:allocated */
    return Context;
}

/* Apart, or the compiler makes one call of two, which then has no line. */
static DECLSPEC_NOINLINE VOID FreedThenReleased(PFLT_CONTEXT Context)
{
    FltReleaseContext(Context); /* 1:freed */
    Data[0]++;
    FltReleaseContext(Context); /* 1:blamed */
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID FreedThenUsed(PFLT_CONTEXT Context)
{
    FltReleaseContext(Context); /* 2:freed */
    Data[0]++;
    if (Fault == 2)
        FltReferenceContext(Context); /* 2:blamed */
    else
        FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    Data[1]++;
}

/* The instance's reference is not the filter's to give back. */
static DECLSPEC_NOINLINE VOID ReleaseTooOften(PFLT_CONTEXT Context)
{
    FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    FltReleaseContext(Context);
    Data[0]++;
    FltReleaseContext(Context); /* 3:blamed */
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID SetWrong(PFLT_CONTEXT Context)
{
    if (Fault == 4)
        FltSetVolumeContext(Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL); /* 4:blamed */
    Data[0]++;
    if (Fault == 5)
        FltSetInstanceContext(OthersInstance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL); /* 5:blamed */
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID DeleteWrong(PFLT_CONTEXT Context)
{
    if (Fault == 6)
        FltDeleteContext(Context); /* 6:blamed */
    Data[0]++;
    if (Fault == 7) {
        FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
        FltReleaseContext(Context);
        FltDeleteContext(Context); /* 7:blamed */
    }
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID AtDispatch(PFLT_CONTEXT Context)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FltReleaseContext(Context); /* 8:blamed */
    KeLowerIrql(Irql);
}

static DECLSPEC_NOINLINE VOID GetAndKeep(VOID)
{
    PFLT_CONTEXT Context = New(FLT_INSTANCE_CONTEXT, PagedPool), Got;

    FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    FltReleaseContext(Context);
    FltGetInstanceContext(Instance, &Got); /* 9:taken 9:blamed */
    Data[0]++;
}

static VOID Check(VOID)
{
    switch (Fault) {
    case 1: FreedThenReleased(New(FLT_INSTANCE_CONTEXT, PagedPool)); break;
    case 2:
    case 12: FreedThenUsed(New(FLT_INSTANCE_CONTEXT, PagedPool)); break;
    case 3: ReleaseTooOften(New(FLT_INSTANCE_CONTEXT, NonPagedPoolNx)); break;
    case 4:
    case 5: SetWrong(New(FLT_INSTANCE_CONTEXT, NonPagedPoolNx)); break;
    case 6: DeleteWrong(New(FLT_SECTION_CONTEXT, NonPagedPoolNx)); break;
    case 7: DeleteWrong(New(FLT_INSTANCE_CONTEXT, NonPagedPoolNx)); break;
    case 8: AtDispatch(New(FLT_INSTANCE_CONTEXT, PagedPool)); break;
    case 9: GetAndKeep(); break;
    case 10:
        FltReleaseContext(&Data[32]); /* 10:blamed */
        break;
    case 11:
        FltReleaseContext((PFLT_CONTEXT)0x1230); /* 11:blamed */
        break;
    case 13:
        New(FLT_VOLUME_CONTEXT, NonPagedPool);
        New(FLT_VOLUME_CONTEXT, NonPagedPool);
        break;
    }
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(Instance);
    FltObjectDereference(Volume);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"query");
    NTSTATUS Status;

    Fault = ReadNumber(Key, L"Fault");
    Status = FltRegisterFilter(Driver, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
    if (Fault == 5) {
        FltGetFilterFromName(&Name, &Other);
        FltGetVolumeInstanceFromName(Other, Volume, NULL, &OthersInstance);
    }
    Check();
    return STATUS_SUCCESS;
}

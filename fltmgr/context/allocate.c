/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocate.c: a context's life: allocated with one reference, referenced and released, and with the last
 * reference cleaned up by its filter and freed.  At DISPATCH_LEVEL the end is left to a worker, since cleanup
 * callbacks may use what is pageable.
 */
#include <context.h>

/* --- Who holds it --- */

static VOID FltpNoteTaker(PFLTP_CONTEXT Context, PVOID Caller)
{
    InterlockedIncrement(&Context->HandedOut);
    for (ULONG Index = 0; Index < FLTP_CONTEXT_TAKERS; Index++) {
        PFLTP_CONTEXT_TAKER Taker = &Context->Takers[Index];

        if (Taker->Thread == NULL &&
            InterlockedCompareExchangePointer(&Taker->Thread, KeGetCurrentThread(), NULL) == NULL) {
            Taker->Caller = Caller;
            return;
        }
    }
}

/* References carry no names: one that this thread took, or else any. */
static VOID FltpForgetTaker(PFLTP_CONTEXT Context)
{
    PVOID Thread = KeGetCurrentThread(), Other;

    for (ULONG Index = FLTP_CONTEXT_TAKERS; Index > 0; Index--) {
        if (InterlockedCompareExchangePointer(&Context->Takers[Index - 1].Thread, NULL, Thread) == Thread)
            return;
    }
    for (ULONG Index = FLTP_CONTEXT_TAKERS; Index > 0; Index--) {
        Other = Context->Takers[Index - 1].Thread;
        if (Other != NULL &&
            InterlockedCompareExchangePointer(&Context->Takers[Index - 1].Thread, NULL, Other) == Other)
            return;
    }
}

VOID FltpTakeContext(PFLTP_CONTEXT Context, PVOID Caller)
{
    InterlockedIncrement(&Context->References);
    if (FltpVerify)
        FltpNoteTaker(Context, Caller);
}

/* --- The end --- */

static VOID FltpFreeContextMemory(PFLTP_CONTEXT Context)
{
    PFLTP_CONTEXT_DEFINITION Definition = Context->Definition;
    const FLT_CONTEXT_REGISTRATION *Registration = &Definition->Registration;
    FLT_CONTEXT_TYPE Type = Context->Type;
    FV_CALL Call;

    Context->Magic = FLTP_MAGIC_FREE;
    if (Registration->ContextFreeCallback != NULL) {
        FvBeginCall(&Call);
        Registration->ContextFreeCallback(Context, Type);
        FvEndCall(&Call, (PVOID)Registration->ContextFreeCallback, "context free callback", (ULONG_PTR)Context);
    } else if (Context->FromList) {
        ExFreeToLookasideListEx(Context->Paged ? &Definition->Paged : &Definition->Nonpaged, Context);
    } else {
        ExFreePool(Context);
    }
}

/* IRQL: <= APC_LEVEL.  Nothing refers to it. */
static VOID FltpEndContext(PFLTP_CONTEXT Context)
{
    PFLT_CONTEXT_CLEANUP_CALLBACK Cleanup = Context->Definition->Registration.ContextCleanupCallback;
    PFLT_FILTER Filter = Context->Filter;
    FV_CALL Call;

    if (Cleanup != NULL) {
        FvBeginCall(&Call);
        Cleanup(FltpContextData(Context), Context->Type);
        FvEndCall(&Call, (PVOID)Cleanup, "context cleanup callback", (ULONG_PTR)Context);
    }
    if (FltpVerify) {
        ExAcquireFastMutex(&Filter->Contexts->Lock);
        RemoveEntryList(&Context->Live);
        ExReleaseFastMutex(&Filter->Contexts->Lock);
    }
    FltpFreeContextMemory(Context);
    FltpReleaseRundown(&Filter->Object.Rundown);
}

static VOID NTAPI FltpEndContextWorker(PVOID Parameter)
{
    FltpEndContext(Parameter);
}

static VOID FltpLastReferenceGone(PFLTP_CONTEXT Context, PVOID Caller)
{
    if (FltpVerify)
        FltpBury(Context, Caller);
    if (KeGetCurrentIrql() <= APC_LEVEL) {
        FltpEndContext(Context);
        return;
    }
    ExInitializeWorkItem(&Context->Work, FltpEndContextWorker, Context);
    ExQueueWorkItem(&Context->Work, CriticalWorkQueue);
}

VOID FltpDropContext(PFLTP_CONTEXT Context)
{
    if (InterlockedDecrement(&Context->References) == 0)
        FltpLastReferenceGone(Context, NULL);
}

/* --- The beginning --- */

/* The definition that takes this size: the smallest of a fixed size that fits, or that of variable size. */
static PFLTP_CONTEXT_DEFINITION FltpChooseDefinition(PFLTP_CONTEXT_TYPE Type, SIZE_T Size)
{
    for (ULONG Index = 0; Index < Type->Fixed; Index++) {
        const FLT_CONTEXT_REGISTRATION *Registration = &Type->Definitions[Index]->Registration;

        if (Size == Registration->Size ||
            (Size < Registration->Size && FlagOn(Registration->Flags, FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH)))
            return Type->Definitions[Index];
    }
    return Type->Count > Type->Fixed ? Type->Definitions[Type->Fixed] : NULL;
}

/* Documented: a pool type other than the three passes the lookaside lists by. */
static PFLTP_CONTEXT FltpAllocateContextMemory(PFLTP_CONTEXT_DEFINITION Definition, SIZE_T Size, POOL_TYPE PoolType)
{
    const FLT_CONTEXT_REGISTRATION *Registration = &Definition->Registration;
    BOOLEAN Nonpaged = PoolType == NonPagedPool || PoolType == NonPagedPoolNx, FromList;
    PFLTP_CONTEXT Context;
    FV_CALL Call;

    FromList = Definition->Fixed && (Nonpaged || PoolType == PagedPool) && Registration->ContextFreeCallback == NULL;
    if (Registration->ContextAllocateCallback != NULL) {
        FvBeginCall(&Call);
        Context = Registration->ContextAllocateCallback(PoolType, sizeof(*Context) + Size, Registration->ContextType);
        FvEndCall(&Call, (PVOID)Registration->ContextAllocateCallback, "context allocate callback", (ULONG_PTR)Context);
    } else if (FromList) {
        Context = ExAllocateFromLookasideListEx(Nonpaged ? &Definition->Nonpaged : &Definition->Paged);
    } else {
        Context = ExAllocatePoolWithTag(PoolType, sizeof(*Context) + Size, Registration->PoolTag);
    }
    if (Context == NULL)
        return NULL;
    RtlZeroMemory(Context, sizeof(*Context));
    /* Documented for variable sizes; of a fixed size it may be one that was used before. */
    if (Registration->ContextAllocateCallback == NULL && !Definition->Fixed)
        RtlZeroMemory(FltpContextData(Context), Size);
    Context->FromList = FromList;
    Context->Paged = FlagOn(PoolType, PagedPool) != 0;
    return Context;
}

static NTSTATUS FltpCheckAllocation(FLT_CONTEXT_TYPE Type, SIZE_T Size, POOL_TYPE PoolType)
{
    if (!FlagOn(FLT_ALL_CONTEXTS, Type) || (Type & ~FLT_ALL_CONTEXTS) != 0 || (Type & (Type - 1)) != 0 || Size == 0)
        return STATUS_INVALID_PARAMETER;
    if (Size > MAXUSHORT)
        return STATUS_INVALID_BUFFER_SIZE;
    return Type == FLT_VOLUME_CONTEXT && FlagOn(PoolType, PagedPool) ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltAllocateContext(PFLT_FILTER Filter, FLT_CONTEXT_TYPE ContextType, SIZE_T ContextSize,
                                   POOL_TYPE PoolType, PFLT_CONTEXT *ReturnedContext)
{
    NTSTATUS Status = FltpCheckAllocation(ContextType, ContextSize, PoolType);
    PFLTP_CONTEXT_DEFINITION Definition;
    PFLTP_CONTEXT Context;

    *ReturnedContext = NULL_CONTEXT;
    if (!NT_SUCCESS(Status))
        return Status;
    if (!FltpAcquireRundown(&Filter->Object.Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    Definition = FltpChooseDefinition(&Filter->Contexts->Types[__builtin_ctz(ContextType)], ContextSize);
    if (Definition == NULL) {
        FltpReleaseRundown(&Filter->Object.Rundown);
        return STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND;
    }
    Context = FltpAllocateContextMemory(Definition, ContextSize, PoolType);
    if (Context == NULL) {
        FltpReleaseRundown(&Filter->Object.Rundown);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Context->Magic = FLTP_MAGIC_CONTEXT;
    Context->Type = ContextType;
    Context->Filter = Filter;
    Context->Definition = Definition;
    if (FltpVerify) {
        FltpUnbury(Context);
        FltpCaptureStack(1, Context->AllocatedBy);
        ExAcquireFastMutex(&Filter->Contexts->Lock);
        InsertTailList(&Filter->Contexts->Live, &Context->Live);
        ExReleaseFastMutex(&Filter->Contexts->Lock);
    }
    FltpTakeContext(Context, _ReturnAddress());
    *ReturnedContext = FltpContextData(Context);
    return STATUS_SUCCESS;
}

VOID FLTAPI FltReferenceContext(PFLT_CONTEXT Context)
{
    PFLTP_CONTEXT Header = FltpCheckContext(Context, "FltReferenceContext", _ReturnAddress());

    FltpTakeContext(Header, _ReturnAddress());
}

VOID FltpReleaseContext(PFLT_CONTEXT Data, PVOID Caller)
{
    PFLTP_CONTEXT Context = FltpCheckContext(Data, "FltReleaseContext", Caller);

    if (FltpVerify) {
        if (InterlockedDecrement(&Context->HandedOut) < 0)
            FltpBlameContext(Context, Caller, FLTP_CONTEXT_OVER_RELEASED, (ULONG_PTR)Context,
                             "rule=A context was released more often than it was referenced: the reference that is "
                             "left is its object's\n");
        FltpForgetTaker(Context);
    }
    if (InterlockedDecrement(&Context->References) == 0)
        FltpLastReferenceGone(Context, Caller);
}

VOID FLTAPI FltReleaseContext(PFLT_CONTEXT Context)
{
    FltpReleaseContext(Context, _ReturnAddress());
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.c: what a filter did wrong with a context, told with the lines that allocated, took and freed it.
 *
 * A context's memory is really freed with its last reference, so that special pool finds who uses it late; a
 * small table remembers the addresses of those that ended last, by which a late release is told.
 */
#include <context.h>
#include <ntstrsafe.h>

#define FLTP_GRAVES 512

typedef struct _FLTP_GRAVE {
    PVOID volatile Context; /* NULL: free */
    PVOID AllocatedBy, FreedBy;
    PFLT_FILTER Filter;
    FLT_CONTEXT_TYPE Type;
} FLTP_GRAVE, *PFLTP_GRAVE;

static FLTP_GRAVE FltpGraves[FLTP_GRAVES];

static PFLTP_GRAVE FltpGraveOf(const VOID *Context)
{
    return &FltpGraves[((ULONG_PTR)Context >> 4 ^ (ULONG_PTR)Context >> 13) % FLTP_GRAVES];
}

VOID FltpBury(PFLTP_CONTEXT Context, PVOID Caller)
{
    PFLTP_GRAVE Grave = FltpGraveOf(Context);

    Grave->Context = NULL;
    Grave->AllocatedBy = Context->AllocatedBy[0];
    Grave->FreedBy = Caller;
    Grave->Filter = Context->Filter;
    Grave->Type = Context->Type;
    Grave->Context = Context;
}

VOID FltpUnbury(PFLTP_CONTEXT Context)
{
    InterlockedCompareExchangePointer(&FltpGraveOf(Context)->Context, NULL, Context);
}

static PCSTR FltpTypeName(FLT_CONTEXT_TYPE Type)
{
    static const PCSTR Names[FLTP_CONTEXT_TYPES] = {
        "volume", "instance", "file", "stream", "stream handle", "transaction", "section",
    };

    return FlagOn(FLT_ALL_CONTEXTS, Type) ? Names[__builtin_ctz(Type)] : "unknown";
}

static VOID FltpReportAddress(PCSTR Name, const VOID *Address)
{
    PVOID Stack[FLTP_STACK_DEPTH] = {(PVOID)Address};

    FltpReportStack(Name, Stack);
}

VOID FltpReportContext(PFLTP_CONTEXT Context)
{
    CHAR Text[160];

    RtlStringCbPrintfA(Text, sizeof(Text), "context=0x%p, a %s context\nreferences=%d, %d of them the filter's\n",
                       FltpContextData(Context), FltpTypeName(Context->Type), Context->References, Context->HandedOut);
    FvReport(Text);
    FltpReportStack("allocated", Context->AllocatedBy);
    for (ULONG Index = 0; Index < FLTP_CONTEXT_TAKERS; Index++) {
        if (Context->Takers[Index].Thread != NULL)
            FltpReportAddress("taken", Context->Takers[Index].Caller);
    }
}

static BOOLEAN FltpIsCodeOf(PFLT_FILTER Filter, const VOID *Address)
{
    return (ULONG_PTR)Address - (ULONG_PTR)Filter->Driver->DriverStart < Filter->Driver->DriverSize;
}

const VOID *FltpContextCulprit(PFLTP_CONTEXT Context)
{
    const VOID *Caller = Context->AllocatedBy[0];

    for (ULONG Index = FLTP_CONTEXT_TAKERS; Index > 0; Index--) {
        if (Context->Takers[Index - 1].Thread != NULL &&
            FltpIsCodeOf(Context->Filter, Context->Takers[Index - 1].Caller))
            return Context->Takers[Index - 1].Caller;
    }
    for (ULONG Index = 0; !FltpIsCodeOf(Context->Filter, Caller) && Index < FLTP_STACK_DEPTH; Index++) {
        if (FltpIsCodeOf(Context->Filter, Context->AllocatedBy[Index]))
            return Context->AllocatedBy[Index];
    }
    return Caller;
}

DECLSPEC_NORETURN VOID FltpBlameContext(PFLTP_CONTEXT Context, PVOID Caller, ULONG_PTR P1, ULONG_PTR P3, PCSTR Rule)
{
    FltpReportContext(Context);
    FvBlame(Caller);
    FltpViolation(FLTMGR_FILE_SYSTEM, P1, (ULONG_PTR)FltpContextData(Context), P3, 0, Rule);
}

static DECLSPEC_NORETURN VOID FltpBlameGrave(PFLTP_GRAVE Grave, PCSTR Routine, PVOID Caller)
{
    CHAR Text[160];

    RtlStringCbPrintfA(Text, sizeof(Text), "rule=%s was given a context that is freed\ncontext=0x%p, a %s context\n",
                       Routine, FltpContextData(Grave->Context), FltpTypeName(Grave->Type));
    FvReport(Text);
    FltpReportAddress("allocated", Grave->AllocatedBy);
    if (Grave->FreedBy != NULL)
        FltpReportAddress("freed", Grave->FreedBy);
    else
        FvReport("freed=with the object that it was set for\n");
    FvBlame(Caller);
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_CONTEXT_FREED, (ULONG_PTR)FltpContextData(Grave->Context),
                 (ULONG_PTR)Grave->Context, 0);
}

static DECLSPEC_NOINLINE VOID FltpCheckContextIrql(PFLTP_CONTEXT Context, PCSTR Routine, PVOID Caller)
{
    KIRQL Irql = KeGetCurrentIrql();
    CHAR Text[160];

    if (Irql <= DISPATCH_LEVEL && MmIsNonPagedSystemAddressValid(Context))
        return;
    RtlStringCbPrintfA(Text, sizeof(Text), "rule=%s was given a context from %s at IRQL %u\n", Routine,
                       Irql > DISPATCH_LEVEL ? "pool" : "paged pool", Irql);
    FvReport(Text);
    FvBlame(Caller);
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_IRQL, (ULONG_PTR)FltpContextData(Context), Irql, 0);
}

PFLTP_CONTEXT FltpCheckContext(PFLT_CONTEXT Data, PCSTR Routine, PVOID Caller)
{
    PFLTP_CONTEXT Context = (PFLTP_CONTEXT)Data - 1;
    CHAR Text[160];

    if (!FltpVerify)
        return Context;
    if (FltpGraveOf(Context)->Context == Context && Data != NULL)
        FltpBlameGrave(FltpGraveOf(Context), Routine, Caller);
    if (KeGetCurrentIrql() > APC_LEVEL)
        FltpCheckContextIrql(Context, Routine, Caller);
    if (Data != NULL && ((ULONG_PTR)Data & 15) == 0 && MmIsAddressValid(Context) &&
        Context->Magic == FLTP_MAGIC_CONTEXT)
        return Context;
    RtlStringCbPrintfA(Text, sizeof(Text), "rule=%s was given what is no context\n", Routine);
    FvReport(Text);
    FvBlame(Caller);
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_CONTEXT, (ULONG_PTR)Data, 0, 0);
}

VOID FltpForLiveContexts(PFLT_FILTER Filter, VOID (*Tell)(PVOID Argument, PFLTP_CONTEXT Context), PVOID Argument)
{
    PLIST_ENTRY Head = &Filter->Contexts->Live;

    if (!FltpVerify)
        return;
    ExAcquireFastMutex(&Filter->Contexts->Lock);
    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink)
        Tell(Argument, CONTAINING_RECORD(Link, FLTP_CONTEXT, Live));
    ExReleaseFastMutex(&Filter->Contexts->Lock);
}

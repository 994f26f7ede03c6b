/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.c: see hold.h.  Waits for an object's end are announced to the kernel, which finds circles of threads the moment
 * they close.  What is not a thread's (a reference that was never given back, an operation that a filter keeps, work
 * that waits for an event) is told when a wait has lasted for longer than anything that is well takes.
 */
#include <context.h>
#include <operation.h>
#include <query.h>
#include <work.h>
#include "hold.h"
#include <ntstrsafe.h>

NTSYSAPI PVOID NTAPI RtlPcToFileHeader(PVOID Address, PVOID *Base); /* not in the DDK's headers */

#define FLTP_PATIENCE    8000 /* ms of the guest's time; the scenario's commands give up after 10 s */
#define FLTP_TAKERS      512
#define FLTP_TAKER_LISTS 64

FLTP_HOLD FltpHolds[FLTP_HOLDS];

/* A reference that a filter took: by which call. */
typedef struct _FLTP_TAKER {
    LIST_ENTRY Link; /* FltpTakers by its object, newest first, or FltpFreeTakers; FltpTakerLock */
    PVOID Object;    /* NULL: free */
    PVOID Thread;
    PVOID Image; /* that of the call: its base */
    PVOID Stack[FLTP_STACK_DEPTH];
} FLTP_TAKER, *PFLTP_TAKER;

static FLTP_TAKER FltpTakerTable[FLTP_TAKERS];
static LIST_ENTRY FltpTakers[FLTP_TAKER_LISTS], FltpFreeTakers;
static KSPIN_LOCK FltpTakerLock;

VOID FltpInitializeHolds(VOID)
{
    KeInitializeSpinLock(&FltpTakerLock);
    for (ULONG Index = 0; Index < FLTP_TAKER_LISTS; Index++)
        InitializeListHead(&FltpTakers[Index]);
    InitializeListHead(&FltpFreeTakers);
    for (ULONG Index = 0; Index < FLTP_TAKERS; Index++)
        InsertTailList(&FltpFreeTakers, &FltpTakerTable[Index].Link);
}

PFLTP_HOLD FltpFindSlot(PVOID Thread)
{
    ULONG_PTR Start = FLTP_FIRST_HOLD(Thread);

    for (ULONG Index = 0; Index < FLTP_HOLDS; Index++) {
        PFLTP_HOLD Hold = &FltpHolds[(Start + Index) % FLTP_HOLDS];

        if (Hold->Thread == NULL && InterlockedCompareExchangePointer(&Hold->Thread, Thread, NULL) == NULL)
            return Hold;
    }
    return NULL;
}

/* --- What filters take and give back --- */

static PLIST_ENTRY FltpTakersOf(const VOID *Object)
{
    return &FltpTakers[((ULONG_PTR)Object >> 6 ^ (ULONG_PTR)Object >> 13) % FLTP_TAKER_LISTS];
}

PVOID FltpCaptureCaller(PVOID *Stack)
{
    PVOID Frames[FLTP_STACK_DEPTH + 4], Image = NULL;
    ULONG Count = RtlCaptureStackBackTrace(1, RTL_NUMBER_OF(Frames), Frames, NULL), Own = 0;

    while (Own < Count && (PUCHAR)Frames[Own] >= (PUCHAR)FltpDriverObject->DriverStart &&
           (PUCHAR)Frames[Own] < (PUCHAR)FltpDriverObject->DriverStart + FltpDriverObject->DriverSize)
        Own++;
    for (ULONG Index = 0; Index < FLTP_STACK_DEPTH; Index++)
        Stack[Index] = Own + Index < Count ? Frames[Own + Index] : NULL;
    if (Stack[0] != NULL)
        RtlPcToFileHeader(Stack[0], &Image);
    return Image;
}

static DECLSPEC_NOINLINE VOID FltpRemember(PVOID Object)
{
    PVOID Stack[FLTP_STACK_DEPTH], Image;
    KIRQL Irql;

    Image = FltpCaptureCaller(Stack);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpTakerLock);
    if (!IsListEmpty(&FltpFreeTakers)) {
        PFLTP_TAKER Taker = CONTAINING_RECORD(RemoveHeadList(&FltpFreeTakers), FLTP_TAKER, Link);

        Taker->Object = Object;
        Taker->Thread = KeGetCurrentThread();
        Taker->Image = Image;
        RtlCopyMemory(Taker->Stack, Stack, sizeof(Stack));
        InsertHeadList(FltpTakersOf(Object), &Taker->Link);
    }
    KeReleaseSpinLock(&FltpTakerLock, Irql);
}

/* References carry no names: the last one of this image and thread, or of this image, or the last one. */
static PFLTP_TAKER FltpFindTakerLocked(PVOID Object, PVOID Image)
{
    PLIST_ENTRY Head = FltpTakersOf(Object);
    PFLTP_TAKER Best = NULL;
    ULONG BestRank = 0;

    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PFLTP_TAKER Taker = CONTAINING_RECORD(Link, FLTP_TAKER, Link);
        ULONG Rank = 1 + 2 * (Taker->Image == Image) + (Taker->Thread == KeGetCurrentThread());

        if (Taker->Object == Object && Rank > BestRank) {
            Best = Taker;
            BestRank = Rank;
        }
    }
    return Best;
}

static DECLSPEC_NOINLINE VOID FltpForget(PVOID Object)
{
    PVOID Stack[FLTP_STACK_DEPTH], Image;
    PFLTP_TAKER Taker;
    KIRQL Irql;

    Image = FltpCaptureCaller(Stack);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpTakerLock);
    Taker = FltpFindTakerLocked(Object, Image);
    if (Taker != NULL) {
        RemoveEntryList(&Taker->Link);
        Taker->Object = NULL;
        InsertHeadList(&FltpFreeTakers, &Taker->Link);
    }
    KeReleaseSpinLock(&FltpTakerLock, Irql);
}

VOID FltpHandOut(PVOID FltObject)
{
    InterlockedIncrement(&((PFLTP_OBJECT)FltObject)->HandedOut);
    if (FltpVerify)
        FltpRemember(FltObject);
}

BOOLEAN FltpTakeBack(PVOID FltObject)
{
    PFLTP_OBJECT Object = FltObject;

    if (InterlockedDecrement(&Object->HandedOut) < 0) {
        if (FltpVerify)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_OVER_DEREFERENCED, (ULONG_PTR)FltObject, 0, 0,
                          "rule=FltObjectDereference without a matching FltObjectReference\n");
        InterlockedIncrement(&Object->HandedOut);
        return FALSE;
    }
    if (FltpVerify)
        FltpForget(FltObject);
    return TRUE;
}

VOID FltpCheckReferencesAtUnload(PVOID Image)
{
    PFLTP_TAKER Left = NULL;
    ULONG Count = 0;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpTakerLock);

    for (ULONG Index = 0; Index < FLTP_TAKERS; Index++) {
        if (FltpTakerTable[Index].Object != NULL && FltpTakerTable[Index].Image == Image) {
            Left = &FltpTakerTable[Index];
            Count++;
        }
    }
    KeReleaseSpinLock(&FltpTakerLock, Irql);
    if (Count == 0)
        return;
    FvReport("rule=A reference was taken and never given back, and its driver is unloaded\n");
    FltpReportStack("taken", Left->Stack);
    FvBlame(Left->Stack[0]);
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_REFERENCE_LEFT, (ULONG_PTR)Left->Object, (ULONG_PTR)Left->Stack[0], Count);
}

/* --- What holds an object, for the report --- */

typedef struct _FLTP_FOUND {
    BOOLEAN Quiet;      /* only looked for, not told */
    BOOLEAN Operations; /* ... and nothing but operations */
    BOOLEAN Below;      /* an operation is with the file system, or a message with a client, which may answer yet */
    BOOLEAN Own;        /* ... and one is in a callback that waits here itself */
    ULONG Count, Contexts;
    const VOID *Guilty; /* an address in the code of the first that was found */
    ULONG_PTR First;
} FLTP_FOUND, *PFLTP_FOUND;

/* FALSE: it is only looked for, or counted. */
static BOOLEAN FltpTellHolder(PFLTP_FOUND Found, PCSTR Kind, const VOID *What, const VOID *Guilty)
{
    CHAR Text[96];

    if (Found->Count++ == 0) {
        Found->Guilty = Guilty;
        Found->First = (ULONG_PTR)What;
    }
    if (Found->Quiet || Found->Count > 16)
        return FALSE;
    RtlStringCbPrintfA(Text, sizeof(Text), "holder=%s 0x%p\n", Kind, What);
    FvReport(Text);
    return TRUE;
}

static VOID FltpTell(PFLTP_FOUND Found, PCSTR Kind, const VOID *What, PVOID const *Stack)
{
    if (FltpTellHolder(Found, Kind, What, Stack[0]))
        FltpReportStack("since", Stack);
}

static VOID FltpTellCallback(PFLTP_FOUND Found, const VOID *Data, BOOLEAN IsPre, const VOID *Callback)
{
    CHAR Text[48];

    if (!FltpTellHolder(Found, "an operation that was not given back", Data, Callback))
        return;
    RtlStringCbPrintfA(Text, sizeof(Text), "%s-callback=0x%p\n", IsPre ? "pre" : "post", Callback);
    FvReport(Text);
}

static VOID FltpTellReferences(const VOID *Object, PFLTP_FOUND Found)
{
    PLIST_ENTRY Head = FltpTakersOf(Object);
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpTakerLock);

    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PFLTP_TAKER Taker = CONTAINING_RECORD(Link, FLTP_TAKER, Link);

        if (Taker->Object == Object)
            FltpTell(Found, "a reference to", Object, Taker->Stack);
    }
    KeReleaseSpinLock(&FltpTakerLock, Irql);
}

static VOID FltpTellThreads(const VOID *Object, PFLTP_FOUND Found)
{
    for (ULONG Index = 0; Index < FLTP_HOLDS; Index++) {
        PVOID Stack[FLTP_STACK_DEPTH] = {(PVOID)FltpHolds[Index].Since};
        PVOID Thread = FltpHolds[Index].Thread;

        if (Thread != NULL && Thread != KeGetCurrentThread() && FltpHolds[Index].Object == Object)
            FltpTell(Found, "what runs in thread", Thread, Stack);
    }
}

static VOID FltpTellWork(PVOID Context, PFLTP_WORK_ITEM Item)
{
    FltpTell(Context, "queued work", Item, Item->QueuedBy);
}

/* Its volume's Lock is held. */
static VOID FltpTellOperationsLocked(PFLT_INSTANCE Instance, PFLTP_FOUND Found)
{
    PLIST_ENTRY Head = &Instance->Volume->Blocks;

    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PFLTP_OPERATION Operation = CONTAINING_RECORD(Link, FLTP_OPERATION, Link);

        for (ULONG Index = 0; Operation->Magic == FLTP_MAGIC_OPERATION && Index < Operation->Count; Index++) {
            PFLTP_NODE Node = &Operation->Nodes[Index];
            BOOLEAN IsPre = Node->State == FltpNodePre;

            if (Node->Instance != Instance || Node->State == FltpNodeDone)
                continue;
            if (Node->State != FltpNodePre && Node->State != FltpNodePost) {
                Found->Below = TRUE;
                continue;
            }
            if (Index == Operation->Current && FltpOwnCall(Operation) != NULL)
                Found->Own = TRUE;
            FltpTellCallback(Found, &Operation->Data, IsPre,
                             IsPre ? (const VOID *)Node->Callback->Pre : (const VOID *)Node->Callback->Post);
        }
    }
}

static VOID FltpTellContext(PVOID Argument, PFLTP_CONTEXT Context)
{
    PFLTP_FOUND Found = Argument;
    PVOID Stack[FLTP_STACK_DEPTH] = {(PVOID)FltpContextCulprit(Context)};

    FltpTell(Found, "a context", Context + 1, Stack);
    if (Found->Contexts++ < 16 && !Found->Quiet)
        FltpReportContext(Context);
}

static VOID FltpTellObject(const VOID *Object, PFLTP_FOUND Found)
{
    if (Found->Operations)
        return;
    FltpTellReferences(Object, Found);
    FltpTellThreads(Object, Found);
    FltpForQueuedItems(Object, FltpTellWork, Found);
}

/* Of the volume's instances those that are Of, or Of's. */
static VOID FltpTellInstances(PFLT_VOLUME Volume, const VOID *Of, PFLTP_FOUND Found)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if (Of == Instance || Of == Instance->Filter || Of == Volume) {
            FltpTellObject(Instance, Found);
            FltpTellOperationsLocked(Instance, Found);
            Found->Below |= Instance->Filter->Asking != 0;
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
}

/* Whatever holds the object, be it through a filter's or a volume's instances. */
static VOID FltpTellAll(PFLTP_OBJECT Object, PFLTP_FOUND Found)
{
    PFLT_VOLUME Volume = NULL;

    if (Object->Magic == FLTP_MAGIC_INSTANCE) {
        FltpTellInstances(((PFLT_INSTANCE)Object)->Volume, Object, Found);
        return;
    }
    FltpTellObject(Object, Found);
    if (Object->Magic == FLTP_MAGIC_FILTER)
        Found->Below |= ((PFLT_FILTER)Object)->Asking != 0;
    if (Object->Magic == FLTP_MAGIC_FILTER && !Found->Operations)
        FltpForLiveContexts((PFLT_FILTER)Object, FltpTellContext, Found);
    if (Object->Magic == FLTP_MAGIC_VOLUME) {
        FltpTellInstances((PFLT_VOLUME)Object, Object, Found);
        return;
    }
    while ((Volume = FltpNextVolume(Volume)) != NULL)
        FltpTellInstances(Volume, Object, Found);
}

/* --- Waiting --- */

/* The threads of the table that hold the object, or an instance that does. */
static BOOLEAN NTAPI FltpNextHolder(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    for (ULONG Slot = 0; Slot < FLTP_HOLDS; Slot++) {
        PFLTP_HOLD Hold = &FltpHolds[Slot];
        PVOID Thread = Hold->Thread;

        if (Thread == NULL ||
            (Hold->Object != Wait->Object && Hold->Filter != Wait->Object && Hold->Volume != Wait->Object))
            continue;
        if (Index-- == 0) {
            Holder->Thread = Thread;
            Holder->Since = Hold->Since;
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * A callback that waits for its own operation is told at once.  TooLong: all else is, unless the file system or a client may
 * still end it.  Who holds what is waited for is told, and blamed.
 */
static VOID FltpReportWait(const FV_WAIT *Wait, BOOLEAN TooLong)
{
    FLTP_FOUND Found = {.Quiet = TRUE, .Operations = !TooLong};
    CHAR Text[192];

    FltpTellAll((PFLTP_OBJECT)Wait->Object, &Found);
    if (!Found.Own && (!TooLong || Found.Below))
        return;
    RtlStringCbPrintfA(Text, sizeof(Text), "rule=The end of %s is waited for %s\nobject=0x%p\nwaits-at=0x%p\n",
                       Wait->What, Found.Own ? "by a callback that has to return first" : "longer than it may last",
                       Wait->Object, Wait->Caller);
    FvReport(Text);
    RtlZeroMemory(&Found, sizeof(Found));
    FltpTellAll((PFLTP_OBJECT)Wait->Object, &Found);
    FvBlame(Found.Guilty != NULL ? Found.Guilty : Wait->Caller);
    if (Found.Contexts > 0 && Found.Contexts == Found.Count) {
        FvReport("rule=A context was never released, and its filter unregisters\n");
        KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_CONTEXT_LEFT, (ULONG_PTR)Wait->Object, Found.First, Found.Count);
    }
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_WAITS_FOR_EVER, (ULONG_PTR)Wait->Object, Found.First, Found.Count);
}

static VOID FltpWaitForEvent(PKEVENT Event, PFLTP_OBJECT Object, PCSTR What)
{
    LARGE_INTEGER Patience = {.QuadPart = -10000LL * FLTP_PATIENCE};
    PVOID Stack[FLTP_STACK_DEPTH];
    FV_WAIT Wait = {.What = What, .Object = Object, .NextHolder = FltpNextHolder};

    if (KeReadStateEvent(Event))
        return;
    if (!FltpVerify) {
        KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
        return;
    }
    FltpCaptureCaller(Stack);
    Wait.Caller = Stack[0];
    FltpReportWait(&Wait, FALSE);
    FvBeginWait(&Wait);
    while (KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Patience) == STATUS_TIMEOUT)
        FltpReportWait(&Wait, TRUE);
    FvEndWait(&Wait);
}

VOID FltpWaitForObject(PFLTP_OBJECT Object, PCSTR What)
{
    FltpBeginRundown(&Object->Rundown);
    FltpWaitForEvent(&Object->Rundown.Event, Object, What);
}

VOID FltpWaitForIo(PFLT_INSTANCE Instance)
{
    FltpBeginRundown(&Instance->Io);
    FltpWaitForEvent(&Instance->Io.Event, &Instance->Object, "an instance's operations");
}

VOID FltpWaitForSetup(PFLT_INSTANCE Instance)
{
    FltpWaitForEvent(&Instance->SetUp, &Instance->Object, "an instance's setup");
}

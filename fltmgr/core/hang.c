/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hang.c: what filters hold, told with the stacks of all threads when something lasts too long.  A stack shows who waits;
 * an operation that a filter has pended is on nobody's.
 *
 * Told is what is in a filter's hands: in a callback that has not returned, pended, kept by a post-callback, in a queue, or a
 * filter's own request that is under way.  The lists are the volumes'; where the machine stands still already, those whose lock
 * is free.
 */
#include <issue.h>
#include <operation.h>
#include "hold.h"
#include <ntstrsafe.h>

#define FLTP_MOST_TOLD 32

typedef struct _FLTP_TELLING {
    PFV_TELL Tell;
    BOOLEAN Frozen;
    ULONG Count;
} FLTP_TELLING, *PFLTP_TELLING;

static DECLSPEC_NOINLINE VOID FltpSay(PFLTP_TELLING Telling, PCSTR Format, ...)
{
    CHAR Text[512];
    va_list Arguments;

    va_start(Arguments, Format);
    RtlStringCbVPrintfA(Text, sizeof(Text), Format, Arguments);
    va_end(Arguments);
    Telling->Tell(Text);
}

/* IRQL: >= DISPATCH_LEVEL.  FALSE: the list is not to be looked at. */
static BOOLEAN FltpEnterList(const FLTP_TELLING *Telling, PKSPIN_LOCK Lock)
{
    if (Telling->Frozen)
        return KeTestSpinLock(Lock);
    KeAcquireSpinLockAtDpcLevel(Lock);
    return TRUE;
}

static VOID FltpLeaveList(const FLTP_TELLING *Telling, PKSPIN_LOCK Lock)
{
    if (!Telling->Frozen)
        KeReleaseSpinLockFromDpcLevel(Lock);
}

static VOID FltpSayAge(PFLTP_TELLING Telling, PCSTR How, ULONG64 Since)
{
    ULONG64 Age = (FltpNow() - Since) / 10;

    if (Since == 0)
        FltpSay(Telling, "held=%s\n", How);
    else
        FltpSay(Telling, "held=%s %I64u.%03u ms ago\n", How, Age / 1000, (ULONG)(Age % 1000));
}

/* FALSE: there has been enough. */
static BOOLEAN FltpSayWhose(PFLTP_TELLING Telling, PFLT_INSTANCE Instance, PCSTR What, UCHAR MajorFunction,
                            const VOID *Address)
{
    if (++Telling->Count > FLTP_MOST_TOLD)
        return FALSE;
    FltpSay(Telling, "%s=%s 0x%p\nfilter=%wZ, altitude %wZ on %wZ\n", What, FltGetIrpName(MajorFunction), Address,
            &Instance->Filter->Name, &Instance->Altitude, &Instance->Volume->Name);
    return TRUE;
}

/* --- Operations --- */

static VOID FltpSayNode(PFLTP_TELLING Telling, PFLTP_OPERATION Operation, PFLTP_NODE Node, FLTP_NODE_STATE State)
{
    PFLT_CALLBACK_DATA_QUEUE Queue = FltpQueueOf(Operation);
    BOOLEAN IsPre = State == FltpNodePre;
    const VOID *Callback = IsPre ? (const VOID *)Node->Callback->Pre : (const VOID *)Node->Callback->Post;

    if (!FltpSayWhose(Telling, Node->Instance, "operation", Node->Iopb.MajorFunction, &Operation->Data))
        return;
    if (State != FltpNodePre && State != FltpNodePost)
        FltpSay(Telling, "held=its post-callback drains\n");
    else if (!FltpVerify)
        FltpSay(Telling, "held=its %s-callback has it, or has kept it\n", IsPre ? "pre" : "post");
    else if (FltpIsInCallback(Operation, Node))
        FltpSay(Telling, "held=its %s-callback has not returned\n", IsPre ? "pre" : "post");
    else
        FltpSayAge(Telling, IsPre ? "its pre-callback pended it" : "its post-callback kept it",
                   FltpHeldSince(Operation));
    FltpSay(Telling, "%s-callback=0x%p\n", IsPre ? "pre" : "post", Callback);
    if (Queue != NULL)
        FltpSay(Telling, "waits-in=a cancel-safe queue 0x%p\n", Queue);
}

/* One that has left its volume, for another one's, is that one's. */
static BOOLEAN FltpIsOfVolumeLocked(PFLT_VOLUME Volume, PFLT_INSTANCE Instance)
{
    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        if (Instance == CONTAINING_RECORD(Link, FLT_INSTANCE, Link))
            return TRUE;
    }
    return FALSE;
}

static VOID FltpSayOperationLocked(PFLTP_TELLING Telling, PFLT_VOLUME Volume, PFLTP_OPERATION Operation)
{
    if (Operation->Magic != FLTP_MAGIC_OPERATION)
        return;
    for (ULONG Index = 0; Index < Operation->Count; Index++) {
        PFLTP_NODE Node = &Operation->Nodes[Index];
        FLTP_NODE_STATE State = Node->State;

        if ((State == FltpNodePre || State == FltpNodePost || State == FltpNodeDrain || State == FltpNodeDrainLast) &&
            FltpIsOfVolumeLocked(Volume, Node->Instance))
            FltpSayNode(Telling, Operation, Node, State);
    }
}

/* --- What filters have started --- */

static VOID FltpSayFlights(PFLTP_TELLING Telling, PFLT_INSTANCE Instance)
{
    const FLTP_FLIGHT *Flight = NULL;

    while ((Flight = FltpNextFlight(Flight, Instance)) != NULL) {
        if (!FltpSayWhose(Telling, Instance, "own-request", Flight->MajorFunction, Flight->Data))
            return;
        FltpSayAge(Telling, "sent", Flight->Since);
        if (Flight->Thread != NULL)
            FltpSay(Telling, "waited-for-by=thread 0x%p\n", Flight->Thread);
        FltpSay(Telling, "sent-by=0x%p\n", Flight->Caller[0]);
    }
}

static VOID FltpSayVolumeLocked(PFLTP_TELLING Telling, PFLT_VOLUME Volume)
{
    for (PLIST_ENTRY Link = Volume->Blocks.Flink; Link != &Volume->Blocks; Link = Link->Flink)
        FltpSayOperationLocked(Telling, Volume, CONTAINING_RECORD(Link, FLTP_OPERATION, Link));
    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink)
        FltpSayFlights(Telling, CONTAINING_RECORD(Link, FLT_INSTANCE, Link));
}

VOID NTAPI FltpTellHeld(PFV_TELL Tell, BOOLEAN Frozen)
{
    FLTP_TELLING Telling = {.Tell = Tell, .Frozen = Frozen};

    if (!FltpEnterList(&Telling, &FltpLock))
        return;
    for (PLIST_ENTRY Link = FltpVolumes.Flink; Link != &FltpVolumes; Link = Link->Flink) {
        PFLT_VOLUME Volume = CONTAINING_RECORD(Link, FLT_VOLUME, Link);

        if (FltpEnterList(&Telling, &Volume->Lock)) {
            FltpSayVolumeLocked(&Telling, Volume);
            FltpLeaveList(&Telling, &Volume->Lock);
        }
    }
    FltpLeaveList(&Telling, &FltpLock);
    if (Telling.Count > FLTP_MOST_TOLD)
        FltpSay(&Telling, "more=%u\n", Telling.Count - FLTP_MOST_TOLD);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c: an object's contexts: setting, getting, deleting, and their end with the object or with their
 * owner.
 */
#include <context.h>

#define FLTP_GUARDS 16
#define FLTP_ENDING ((PFLTP_CONTEXT_LIST)1) /* out of its list, and on its way to its end */

/* Never freed, so that who comes from a context, whose list may just go, has something to hold. */
static FAST_MUTEX FltpGuards[FLTP_GUARDS];

VOID FltpInitializeContextLists(VOID)
{
    for (ULONG Index = 0; Index < FLTP_GUARDS; Index++)
        ExInitializeFastMutex(&FltpGuards[Index]);
}

PFAST_MUTEX FltpContextGuard(PFLT_VOLUME Volume)
{
    return &FltpGuards[((ULONG_PTR)Volume >> 6 ^ (ULONG_PTR)Volume >> 12) % FLTP_GUARDS];
}

VOID FltpInitializeContextList(PFLTP_CONTEXT_LIST List, PFLT_VOLUME Volume)
{
    ExInitializeFastMutex(&List->Lock);
    List->Root = NULL;
    List->Volume = Volume;
}

/* --- The tree --- */

/* Handles' contexts before streams', files' last, so that they end in this order. */
static LONG FltpOrder(FLT_CONTEXT_TYPE Type, PVOID FileObject, PVOID Owner, const FLTP_CONTEXT *Than)
{
    if (Type != Than->Type)
        return Type > Than->Type ? -1 : 1;
    if (FileObject != (PVOID)Than->FileObject)
        return (ULONG_PTR)FileObject < (ULONG_PTR)Than->FileObject ? -1 : 1;
    if (Owner != Than->Owner)
        return (ULONG_PTR)Owner < (ULONG_PTR)Than->Owner ? -1 : 1;
    return 0;
}

static PFLTP_CONTEXT FltpOfLinks(PRTL_SPLAY_LINKS Links)
{
    return CONTAINING_RECORD(Links, FLTP_CONTEXT, Links);
}

/* The first that is not before what is looked for; NULL: all are.  What was seen last comes to the root. */
static PFLTP_CONTEXT FltpFirstLocked(PFLTP_CONTEXT_LIST List, FLT_CONTEXT_TYPE Type, PVOID FileObject, PVOID Owner)
{
    PRTL_SPLAY_LINKS Links = List->Root, Last = NULL;
    PFLTP_CONTEXT First = NULL;

    while (Links != NULL) {
        LONG Order = FltpOrder(Type, FileObject, Owner, FltpOfLinks(Links));

        Last = Links;
        if (Order <= 0)
            First = FltpOfLinks(Links);
        if (Order == 0)
            break;
        Links = Order < 0 ? RtlLeftChild(Links) : RtlRightChild(Links);
    }
    if (Last != NULL && Last != List->Root)
        List->Root = RtlSplay(Last);
    return First;
}

static PFLTP_CONTEXT FltpFindLocked(const FLTP_CONTEXT_PLACE *Place)
{
    PFLTP_CONTEXT Context = FltpFirstLocked(Place->List, Place->Type, Place->FileObject, Place->Owner);

    return Context != NULL && FltpOrder(Place->Type, Place->FileObject, Place->Owner, Context) == 0 ? Context : NULL;
}

/* Nothing is there for its place, and the search for that has just been. */
static VOID FltpLinkLocked(PFLTP_CONTEXT Context, const FLTP_CONTEXT_PLACE *Place)
{
    PRTL_SPLAY_LINKS *Root = &Place->List->Root, Parent = NULL, Links = *Root;
    LONG Order = 0;

    Context->FileObject = Place->FileObject;
    Context->Owner = Place->Owner;
    Context->Guard = FltpContextGuard(Place->List->Volume);
    RtlInitializeSplayLinks(&Context->Links);
    while (Links != NULL) {
        Parent = Links;
        Order = FltpOrder(Place->Type, Place->FileObject, Place->Owner, FltpOfLinks(Links));
        Links = Order < 0 ? RtlLeftChild(Links) : RtlRightChild(Links);
    }
    if (Parent == NULL) {
        *Root = &Context->Links;
    } else if (Order < 0) {
        RtlInsertAsLeftChild(Parent, &Context->Links);
    } else {
        RtlInsertAsRightChild(Parent, &Context->Links);
    }
    InterlockedIncrement(&Context->References);
    if (Context->Type == FLT_SECTION_CONTEXT)
        InterlockedIncrement(&Place->List->Volume->Sections);
}

/* Its reference is the caller's from here on.  Then: NULL, or FLTP_ENDING, so that nobody sets it anew. */
static VOID FltpUnlinkLocked(PFLTP_CONTEXT Context, PFLTP_CONTEXT_LIST Then)
{
    if (Context->Type == FLT_SECTION_CONTEXT)
        InterlockedDecrement(&Context->List->Volume->Sections);
    Context->List->Root = RtlDelete(&Context->Links);
    InterlockedExchangePointer((PVOID volatile *)&Context->List, Then);
}

/* --- One --- */

/* To the filter with the list's reference, or gone. */
static VOID FltpHandOver(PFLTP_CONTEXT Context, PFLT_CONTEXT *OldContext, PVOID Caller)
{
    if (OldContext != NULL) {
        FltpTakeContext(Context, Caller);
        *OldContext = FltpContextData(Context);
    }
    FltpDropContext(Context);
}

static NTSTATUS FltpSetLocked(PFLTP_CONTEXT Context, const FLTP_CONTEXT_PLACE *Place,
                              FLT_SET_CONTEXT_OPERATION Operation, PFLTP_CONTEXT *Old)
{
    if (FlagOn(Place->Rundown->Count, 1) || (Place->Type == FLT_VOLUME_CONTEXT && Place->Filter->Unloading))
        return STATUS_FLT_DELETING_OBJECT;
    /* Whoever put a list into it owns its links. */
    if (InterlockedCompareExchangePointer((PVOID volatile *)&Context->List, Place->List, NULL) != NULL)
        return STATUS_FLT_CONTEXT_ALREADY_LINKED;
    *Old = FltpFindLocked(Place);
    if (*Old != NULL && Operation == FLT_SET_CONTEXT_KEEP_IF_EXISTS) {
        InterlockedExchangePointer((PVOID volatile *)&Context->List, NULL);
        return STATUS_FLT_CONTEXT_ALREADY_DEFINED;
    }
    if (*Old != NULL)
        FltpUnlinkLocked(*Old, NULL);
    FltpLinkLocked(Context, Place);
    return STATUS_SUCCESS;
}

NTSTATUS FltpSetContext(const FLTP_CONTEXT_PLACE *Place, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                        PFLT_CONTEXT *OldContext, PVOID Caller)
{
    PFLTP_CONTEXT Context = FltpCheckContext(NewContext, "FltSetXxxContext", Caller), Old = NULL;
    NTSTATUS Status;

    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    if (Context->Magic != FLTP_MAGIC_CONTEXT)
        return STATUS_INVALID_PARAMETER;
    if (Operation != FLT_SET_CONTEXT_REPLACE_IF_EXISTS && Operation != FLT_SET_CONTEXT_KEEP_IF_EXISTS)
        return STATUS_INVALID_PARAMETER;
    if (Context->Type != Place->Type || Context->Filter != Place->Filter) {
        if (FltpVerify)
            FltpBlameContext(Context, Caller, FLTP_CONTEXT_MISPLACED, Place->Type,
                             Context->Type != Place->Type
                                 ? "rule=A context was set for an object that is not of its type\n"
                                 : "rule=A context was set for another filter's instance\n");
        return STATUS_INVALID_PARAMETER;
    }
    ExAcquireFastMutex(&Place->List->Lock);
    Status = FltpSetLocked(Context, Place, Operation, &Old);
    if (Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED && OldContext != NULL) {
        FltpTakeContext(Old, Caller);
        *OldContext = FltpContextData(Old);
    }
    ExReleaseFastMutex(&Place->List->Lock);
    if (NT_SUCCESS(Status) && Old != NULL)
        FltpHandOver(Old, OldContext, Caller);
    return Status;
}

NTSTATUS FltpGetContext(const FLTP_CONTEXT_PLACE *Place, PFLT_CONTEXT *Found, PVOID Caller)
{
    PFLTP_CONTEXT Context;

    *Found = NULL_CONTEXT;
    if (Place->List == NULL)
        return STATUS_NOT_FOUND;
    ExAcquireFastMutex(&Place->List->Lock);
    Context = FltpFindLocked(Place);
    if (Context != NULL) {
        FltpTakeContext(Context, Caller);
        *Found = FltpContextData(Context);
    }
    ExReleaseFastMutex(&Place->List->Lock);
    return Context != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

NTSTATUS FltpDeleteContext(const FLTP_CONTEXT_PLACE *Place, PFLT_CONTEXT *OldContext, PVOID Caller)
{
    PFLTP_CONTEXT Context;

    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    if (FlagOn(Place->Rundown->Count, 1))
        return STATUS_FLT_DELETING_OBJECT;
    if (Place->List == NULL)
        return STATUS_NOT_FOUND;
    ExAcquireFastMutex(&Place->List->Lock);
    Context = FltpFindLocked(Place);
    if (Context != NULL)
        FltpUnlinkLocked(Context, NULL);
    ExReleaseFastMutex(&Place->List->Lock);
    if (Context == NULL)
        return STATUS_NOT_FOUND;
    FltpHandOver(Context, OldContext, Caller);
    return STATUS_SUCCESS;
}

/* By its address only: wherever it is set, or nowhere. */
BOOLEAN FltpDetachContext(PFLT_CONTEXT Data)
{
    PFLTP_CONTEXT Header = FltpContextOf(Data);
    BOOLEAN Linked = FALSE;
    PFLTP_CONTEXT_LIST List;
    PFAST_MUTEX Guard;

    while ((Guard = Header->Guard) != NULL) {
        ExAcquireFastMutex(Guard);
        List = Header->List;
        if (List != NULL && List != FLTP_ENDING && Header->Guard == Guard) {
            ExAcquireFastMutex(&List->Lock);
            Linked = Header->List == List;
            if (Linked)
                FltpUnlinkLocked(Header, NULL);
            ExReleaseFastMutex(&List->Lock);
        }
        ExReleaseFastMutex(Guard);
        if (Linked || Header->List == NULL || Header->Guard == Guard)
            break;
    }
    if (Linked)
        FltpDropContext(Header);
    return Linked;
}

VOID FLTAPI FltDeleteContext(PFLT_CONTEXT Context)
{
    PFLTP_CONTEXT Header = FltpCheckContext(Context, "FltDeleteContext", _ReturnAddress());

    if (FltpVerify && (Header->HandedOut <= 0 || Header->Type == FLT_SECTION_CONTEXT))
        FltpBlameContext(Header, _ReturnAddress(), FLTP_CONTEXT_BAD_DELETE, Header->Type,
                         Header->HandedOut <= 0
                             ? "rule=FltDeleteContext was given a context that the filter has no reference to\n"
                             : "rule=A section context was deleted by FltDeleteContext\n");
    FltpDetachContext(Context);
}

/* The next section's context after that of the instance *After. */
PFLTP_CONTEXT FltpTakeNextSection(PFLTP_CONTEXT_LIST List, PVOID After, PVOID Caller)
{
    PFLTP_CONTEXT Context;

    ExAcquireFastMutex(&List->Lock);
    Context = FltpFirstLocked(List, FLT_SECTION_CONTEXT, NULL, (PUCHAR)After + 1);
    while (Context != NULL && Context->Type == FLT_SECTION_CONTEXT &&
           !FltpAcquireRundown(&((PFLT_INSTANCE)Context->Owner)->Object.Rundown))
        Context = FltpFirstLocked(List, FLT_SECTION_CONTEXT, NULL, (PUCHAR)Context->Owner + 1);
    if (Context != NULL && Context->Type == FLT_SECTION_CONTEXT)
        FltpTakeContext(Context, Caller);
    else
        Context = NULL;
    ExReleaseFastMutex(&List->Lock);
    return Context;
}

/* --- All --- */

VOID FltpEndTaken(PLIST_ENTRY Taken)
{
    while (!IsListEmpty(Taken)) {
        PFLTP_CONTEXT Context = CONTAINING_RECORD(RemoveHeadList(Taken), FLTP_CONTEXT, Taken);

        InterlockedExchangePointer((PVOID volatile *)&Context->List, NULL);
        FltpDropContext(Context);
    }
}

/* In the tree's order. */
VOID FltpTakeContexts(PFLTP_CONTEXT_LIST List, PVOID Owner, PLIST_ENTRY Taken)
{
    PRTL_SPLAY_LINKS Links;

    ExAcquireFastMutex(&List->Lock);
    Links = List->Root;
    while (Links != NULL && RtlLeftChild(Links) != NULL)
        Links = RtlLeftChild(Links);
    while (Links != NULL) {
        PFLTP_CONTEXT Context = FltpOfLinks(Links);

        Links = RtlRealSuccessor(Links);
        if (Owner != NULL && Context->Owner != Owner)
            continue;
        FltpUnlinkLocked(Context, FLTP_ENDING);
        InsertTailList(Taken, &Context->Taken);
    }
    ExReleaseFastMutex(&List->Lock);
}

VOID FltpTakeHandleContexts(PFLTP_CONTEXT_LIST List, PFILE_OBJECT FileObject, PLIST_ENTRY Taken)
{
    PFLTP_CONTEXT Context;

    ExAcquireFastMutex(&List->Lock);
    while ((Context = FltpFirstLocked(List, FLT_STREAMHANDLE_CONTEXT, FileObject, NULL)) != NULL &&
           Context->Type == FLT_STREAMHANDLE_CONTEXT && Context->FileObject == FileObject) {
        FltpUnlinkLocked(Context, FLTP_ENDING);
        InsertTailList(Taken, &Context->Taken);
    }
    ExReleaseFastMutex(&List->Lock);
}

VOID FltpEndContexts(PFLTP_CONTEXT_LIST List, PVOID Owner)
{
    LIST_ENTRY Taken;

    InitializeListHead(&Taken);
    FltpTakeContexts(List, Owner, &Taken);
    FltpEndTaken(&Taken);
}

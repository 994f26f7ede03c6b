// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routines that drivers register for operations on the registry (CmRegisterCallbackEx), and the contexts they give keys.
 *
 * Rules
 *  - Registrations stand in order of altitude, highest first; pre-notifications run in that order, post-notifications in
 *    the reverse one, at PASSIVE_LEVEL without cm's locks.
 *  - An operation works on those that were there when it began, each held by a count that CmUnRegisterCallback waits for.
 *  - Who refused or took over an operation gets no post-notification, nor do those below it, which never saw it; those
 *    above, which let it pass, get theirs.
 *  - CmpCallbackLock guards registrations and contexts; it is taken after no other lock, and never held over a call.
 */
#include "cmp.h"

#include <cm.h>
#include <fltvm.h>
#include <ke.h>
#include <mm.h>
#include <rtl.h>

typedef struct _CMP_CALLBACK {
    LIST_ENTRY Links; /* CmpCallbackLock */
    volatile LONG Users;
    LARGE_INTEGER Cookie;
    PEX_CALLBACK_FUNCTION Function;
    PVOID Context;
    UNICODE_STRING Altitude; /* behind the structure; empty: below all others */
} CMP_CALLBACK;

/* What a driver has attached to a key object. */
typedef struct _CMP_CONTEXT {
    LIST_ENTRY Links; /* CmpCallbackLock; CmpContexts */
    PCMP_CALLBACK Callback;
    PVOID Object;
    PVOID Context;
} CMP_CONTEXT, *PCMP_CONTEXT;

static KSPIN_LOCK CmpCallbackLock;
static LIST_ENTRY CmpCallbacks = {&CmpCallbacks, &CmpCallbacks}; /* CmpCallbackLock */
static LIST_ENTRY CmpContexts = {&CmpContexts, &CmpContexts};    /* CmpCallbackLock */
static volatile ULONG CmpCallbackCount;                          /* CmpCallbackLock to change */
static LONG64 CmpLastCookie;                                     /* CmpCallbackLock */

/* CmpCallbackLock held; NULL: no such registration. */
static PCMP_CALLBACK CmpFindCallbackLocked(LARGE_INTEGER Cookie)
{
    for (PLIST_ENTRY Link = CmpCallbacks.Flink; Link != &CmpCallbacks; Link = Link->Flink) {
        PCMP_CALLBACK Callback = CONTAINING_RECORD(Link, CMP_CALLBACK, Links);

        if (Callback->Cookie.QuadPart == Cookie.QuadPart) {
            return Callback;
        }
    }
    return NULL;
}

static NTSTATUS CmpCall(PCMP_CALLBACK Callback, REG_NOTIFY_CLASS Class, PVOID Information)
{
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = Callback->Function(Callback->Context, (PVOID)(ULONG_PTR)Class, Information);
    FvEndCall(&Call, (PVOID)Callback->Function, "registry callback", (ULONG_PTR)Information);
    return Status;
}

/* ---- contexts of key objects ---- */

static PVOID CmpContextOf(PCMP_CALLBACK Callback, PVOID Object)
{
    PVOID Context = NULL;
    KIRQL Irql;

    if (Object == NULL || IsListEmpty(&CmpContexts)) {
        return NULL;
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    for (PLIST_ENTRY Link = CmpContexts.Flink; Link != &CmpContexts; Link = Link->Flink) {
        PCMP_CONTEXT Entry = CONTAINING_RECORD(Link, CMP_CONTEXT, Links);

        if (Entry->Callback == Callback && Entry->Object == Object) {
            Context = Entry->Context;
            break;
        }
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    return Context;
}

/* Takes a context of the object's, or of the registration's, out of the list; NULL: there is none. */
static PCMP_CONTEXT CmpTakeContext(PVOID Object, PCMP_CALLBACK Callback)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    PCMP_CONTEXT Taken = NULL;

    for (PLIST_ENTRY Link = CmpContexts.Flink; Link != &CmpContexts; Link = Link->Flink) {
        PCMP_CONTEXT Entry = CONTAINING_RECORD(Link, CMP_CONTEXT, Links);

        if ((Object == NULL || Entry->Object == Object) && (Callback == NULL || Entry->Callback == Callback)) {
            RemoveEntryList(Link);
            Entry->Callback->Users++;
            Taken = Entry;
            break;
        }
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    return Taken;
}

static VOID CmpCleanContexts(PVOID Object, PCMP_CALLBACK Callback)
{
    PCMP_CONTEXT Entry;

    while (!IsListEmpty(&CmpContexts) && (Entry = CmpTakeContext(Object, Callback)) != NULL) {
        REG_CALLBACK_CONTEXT_CLEANUP_INFORMATION Information = {Entry->Object, Entry->Context, NULL};

        CmpCall(Entry->Callback, RegNtCallbackObjectContextCleanup, &Information);
        InterlockedDecrement(&Entry->Callback->Users);
        ExFreePoolWithTag(Entry, CMP_TAG_CALLBACK);
    }
}

/* IRQL: <= APC_LEVEL.  STATUS_INVALID_PARAMETER: no key object, or no registration.  A NULL context takes the old one away. */
NTSTATUS NTAPI CmSetCallbackObjectContext(PVOID Object, PLARGE_INTEGER Cookie, PVOID NewContext, PVOID *OldContext)
{
    PCMP_CONTEXT New, Old = NULL;
    PCMP_CALLBACK Callback;
    KIRQL Irql;

    PAGED_CODE();
    if (Object == NULL || ObGetObjectType(Object) != CmpKeyType) {
        return STATUS_INVALID_PARAMETER;
    }
    New = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*New), CMP_TAG_CALLBACK, _ReturnAddress());
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    Callback = CmpFindCallbackLocked(*Cookie);
    for (PLIST_ENTRY Link = CmpContexts.Flink; Callback != NULL && Link != &CmpContexts; Link = Link->Flink) {
        PCMP_CONTEXT Entry = CONTAINING_RECORD(Link, CMP_CONTEXT, Links);

        if (Entry->Callback == Callback && Entry->Object == Object) {
            RemoveEntryList(Link);
            Old = Entry;
            break;
        }
    }
    if (Callback != NULL && NewContext != NULL) {
        *New = (CMP_CONTEXT){.Callback = Callback, .Object = Object, .Context = NewContext};
        InsertTailList(&CmpContexts, &New->Links);
        New = NULL;
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    if (New != NULL) {
        ExFreePoolWithTag(New, CMP_TAG_CALLBACK);
    }
    if (Callback == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (OldContext != NULL) {
        *OldContext = Old != NULL ? Old->Context : NULL;
    }
    if (Old != NULL) {
        ExFreePoolWithTag(Old, CMP_TAG_CALLBACK);
    }
    return STATUS_SUCCESS;
}

/* ---- an operation ---- */

static ULONG CmpEnterCallbacks(PCMP_OPERATION Operation)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Link = CmpCallbacks.Flink; Link != &CmpCallbacks; Link = Link->Flink) {
        Operation->Callback[Count] = CONTAINING_RECORD(Link, CMP_CALLBACK, Links);
        Operation->Callback[Count++]->Users++;
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    return Count;
}

BOOLEAN CmpWatched(VOID)
{
    return CmpCallbackCount != 0;
}

BOOLEAN CmpBeginOperation(PCMP_OPERATION Operation, PNTSTATUS Status)
{
    Operation->Entered = CmpEnterCallbacks(Operation);
    for (Operation->Passed = 0; Operation->Passed < Operation->Entered; Operation->Passed++) {
        PCMP_CALLBACK Callback = Operation->Callback[Operation->Passed];

        *Operation->CallContext = NULL;
        *Operation->ObjectContext = CmpContextOf(Callback, Operation->Object);
        *Status = CmpCall(Callback, Operation->Pre, Operation->Information);
        if (*Status == STATUS_CALLBACK_BYPASS) {
            *Status = STATUS_SUCCESS;
            Operation->Bypassed = TRUE;
            return FALSE;
        }
        if (!NT_SUCCESS(*Status)) {
            return FALSE;
        }
        Operation->CallContexts[Operation->Passed] = *Operation->CallContext;
    }
    return TRUE;
}

NTSTATUS CmpEndOperation(PCMP_OPERATION Operation, NTSTATUS Status)
{
    for (ULONG Index = Operation->Passed; Index-- > 0;) {
        PCMP_CALLBACK Callback = Operation->Callback[Index];
        REG_POST_OPERATION_INFORMATION Post = {0};

        Post.Object = Operation->Object;
        Post.Status = Post.ReturnStatus = Status;
        Post.PreInformation = Operation->Information;
        Post.CallContext = Operation->CallContexts[Index];
        Post.ObjectContext = CmpContextOf(Callback, Operation->Object);
        if (CmpCall(Callback, Operation->Post, &Post) == STATUS_CALLBACK_BYPASS) {
            Status = Post.ReturnStatus;
        }
    }
    for (ULONG Index = 0; Index < Operation->Entered; Index++) {
        InterlockedDecrement(&Operation->Callback[Index]->Users);
    }
    return Status;
}

/* The last handle to a key object goes.  What the routines answer changes nothing: a handle is closed. */
VOID CmpCloseKeyObject(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount, ULONG_PTR SystemHandleCount)
{
    REG_KEY_HANDLE_CLOSE_INFORMATION Information = {.Object = Object};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(ProcessHandleCount);
    if (SystemHandleCount != 1) {
        return;
    }
    if (CmpWatched()) {
        CmpInitOperation(&Operation, RegNtPreKeyHandleClose, RegNtPostKeyHandleClose, Object, &Information,
                         &Information.CallContext);
        CmpBeginOperation(&Operation, &Status);
        CmpEndOperation(&Operation, STATUS_SUCCESS);
    }
    CmpCleanContexts(Object, NULL);
    CmpKeyClosed(Object);
}

/* ---- registration ---- */

static NTSTATUS CmpInsertCallback(PCMP_CALLBACK New)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    NTSTATUS Status = CmpCallbackCount < CMP_CALLBACKS ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    PLIST_ENTRY Link = CmpCallbacks.Flink;

    for (; New->Altitude.Length != 0 && Link != &CmpCallbacks; Link = Link->Flink) {
        PCMP_CALLBACK Other = CONTAINING_RECORD(Link, CMP_CALLBACK, Links);
        LONG Order = Other->Altitude.Length == 0 ? -1 : RtlCompareAltitudes(&Other->Altitude, &New->Altitude);

        if (Order == 0) {
            Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        }
        if (Order <= 0) {
            break;
        }
    }
    if (NT_SUCCESS(Status)) {
        InsertTailList(New->Altitude.Length != 0 ? Link : &CmpCallbacks, &New->Links);
        New->Cookie.QuadPart = ++CmpLastCookie;
        CmpCallbackCount++;
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    return Status;
}

static NTSTATUS CmpRegister(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude, PVOID Context,
                            PLARGE_INTEGER Cookie, PVOID Caller)
{
    PCMP_CALLBACK New;
    NTSTATUS Status;

    KeCheckRoutine((PVOID)Function, "registry callback");
    New = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*New) + Altitude->Length, CMP_TAG_CALLBACK, Caller);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(New, sizeof(*New));
    New->Function = Function;
    New->Context = Context;
    New->Altitude.Buffer = (PWCH)(New + 1);
    New->Altitude.Length = New->Altitude.MaximumLength = Altitude->Length;
    RtlCopyMemory(New->Altitude.Buffer, Altitude->Buffer, Altitude->Length);
    Status = CmpInsertCallback(New);
    if (NT_SUCCESS(Status)) {
        *Cookie = New->Cookie;
    } else {
        ExFreePoolWithTag(New, CMP_TAG_CALLBACK);
    }
    return Status;
}

/*
 * IRQL: <= APC_LEVEL.  STATUS_FLT_INSTANCE_ALTITUDE_COLLISION, STATUS_INSUFFICIENT_RESOURCES; STATUS_INVALID_PARAMETER for
 * an altitude that is no number.
 */
NTSTATUS NTAPI CmRegisterCallbackEx(PEX_CALLBACK_FUNCTION Function, PCUNICODE_STRING Altitude, PVOID Driver,
                                    PVOID Context, PLARGE_INTEGER Cookie, PVOID Reserved)
{
    UNREFERENCED_PARAMETER(Driver);
    UNREFERENCED_PARAMETER(Reserved);
    PAGED_CODE();
    if (!RtlIsAltitude(Altitude)) {
        return STATUS_INVALID_PARAMETER;
    }
    return CmpRegister(Function, Altitude, Context, Cookie, _ReturnAddress());
}

/* IRQL: <= APC_LEVEL.  Without an altitude: below all that have one, in order of registration. */
NTSTATUS NTAPI CmRegisterCallback(PEX_CALLBACK_FUNCTION Function, PVOID Context, PLARGE_INTEGER Cookie)
{
    UNICODE_STRING None = {0};

    PAGED_CODE();
    return CmpRegister(Function, &None, Context, Cookie, _ReturnAddress());
}

/* IRQL: <= APC_LEVEL.  STATUS_INVALID_PARAMETER: the cookie is nobody's.  No routine runs any more when this returns. */
NTSTATUS NTAPI CmUnRegisterCallback(LARGE_INTEGER Cookie)
{
    LARGE_INTEGER Tick = {.QuadPart = -10000};
    PCMP_CALLBACK Callback;
    KIRQL Irql;

    PAGED_CODE();
    Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    Callback = CmpFindCallbackLocked(Cookie);
    if (Callback != NULL) {
        RemoveEntryList(&Callback->Links);
        CmpCallbackCount--;
    }
    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    if (Callback == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    CmpCleanContexts(NULL, Callback);
    while (Callback->Users != 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
    ExFreePoolWithTag(Callback, CMP_TAG_CALLBACK);
    return STATUS_SUCCESS;
}

/* IRQL: <= APC_LEVEL. */
VOID NTAPI CmGetCallbackVersion(PULONG Major, PULONG Minor)
{
    PAGED_CODE();
    if (Major != NULL) {
        *Major = 1;
    }
    if (Minor != NULL) {
        *Minor = 1;
    }
}

BOOLEAN CmpValidCookie(PLARGE_INTEGER Cookie)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&CmpCallbackLock);
    BOOLEAN Valid = CmpFindCallbackLocked(*Cookie) != NULL;

    KeReleaseSpinLock(&CmpCallbackLock, Irql);
    return Valid;
}

VOID CmCheckLeft(PVOID Base, SIZE_T Size)
{
    for (PLIST_ENTRY Link = CmpCallbacks.Flink; Link != &CmpCallbacks; Link = Link->Flink) {
        PCMP_CALLBACK Callback = CONTAINING_RECORD(Link, CMP_CALLBACK, Links);

        if ((ULONG_PTR)Callback->Function - (ULONG_PTR)Base < Size) {
            KeReportLeft("registry callback", Callback, (PVOID)Callback->Function);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Circles of waits: what the service's value Case says, see deadlock.lua.  Lock i is held by thread i while that
 * takes lock i + 1; the kinds of the locks are chosen by the case, so the same few lines make every circle.
 */
#include <ntifs.h>
#include <fltvm.h>
#include "../../inc/threads.h"

#define LOCKS 3

typedef enum _KIND {
    FastMutex,
    GuardedMutex,
    Mutex,
    Exclusive,
    Shared,
    PushExclusive,
    PushShared,
    Thread,
    Reference,
    Rundown,
    AwareReference,
    AwareRundown
} KIND;

static FAST_MUTEX FastMutexes[LOCKS];
static KGUARDED_MUTEX GuardedMutexes[LOCKS];
static KMUTEX Mutexes[LOCKS];
static ERESOURCE Resources[LOCKS];
static EX_PUSH_LOCK PushLocks[LOCKS];
static EX_RUNDOWN_REF RundownRefs[LOCKS];
static PEX_RUNDOWN_REF_CACHE_AWARE AwareRefs[LOCKS];
static PVOID Threads[LOCKS];
static KEVENT Taken[LOCKS], Finished;
static ULONG Count;
static volatile KIND Took; /* keeps the compiler from making one call of two */

VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);

/* Not optimized: two waits that became one call would have no line. */
__attribute__((optnone)) DECLSPEC_NOINLINE static VOID Take(KIND Kind, ULONG Index)
{
    switch (Kind) {
    case FastMutex: ExAcquireFastMutexUnsafe(&FastMutexes[Index]); break;
    case GuardedMutex: KeAcquireGuardedMutex(&GuardedMutexes[Index]); break;
    case Mutex:
        KeWaitForSingleObject(&Mutexes[Index], Executive, KernelMode, FALSE, NULL);
        Took = Mutex;
        break;
    case Exclusive: ExAcquireResourceExclusiveLite(&Resources[Index], TRUE); break;
    case Shared: ExAcquireResourceSharedLite(&Resources[Index], TRUE); break;
    case PushExclusive: ExAcquirePushLockExclusiveEx(&PushLocks[Index], 0); break;
    case PushShared: ExAcquirePushLockSharedEx(&PushLocks[Index], 0); break;
    case Thread:
        KeWaitForSingleObject(Threads[Index], Executive, KernelMode, FALSE, NULL);
        Took = Thread;
        break;
    case Reference: ExAcquireRundownProtection(&RundownRefs[Index]); break;
    case Rundown: ExWaitForRundownProtectionRelease(&RundownRefs[Index]); break;
    case AwareReference: ExAcquireRundownProtectionCacheAware(AwareRefs[Index]); break;
    case AwareRundown: ExWaitForRundownProtectionReleaseCacheAware(AwareRefs[Index]); break;
    }
}

static VOID Give(KIND Kind, ULONG Index)
{
    switch (Kind) {
    case FastMutex: ExReleaseFastMutexUnsafe(&FastMutexes[Index]); break;
    case GuardedMutex: KeReleaseGuardedMutex(&GuardedMutexes[Index]); break;
    case Mutex: KeReleaseMutex(&Mutexes[Index], FALSE); break;
    case Exclusive:
    case Shared: ExReleaseResourceLite(&Resources[Index]); break;
    case PushExclusive:
    case PushShared: ExReleasePushLockEx(&PushLocks[Index], 0); break;
    case Thread: break;
    case Reference: ExReleaseRundownProtection(&RundownRefs[Index]); break;
    case Rundown: ExReInitializeRundownProtection(&RundownRefs[Index]); break;
    case AwareReference: ExReleaseRundownProtectionCacheAware(AwareRefs[Index]); break;
    case AwareRundown: ExReInitializeRundownProtectionCacheAware(AwareRefs[Index]); break;
    }
}

typedef struct _ROLE {
    KIND Own, Wanted; /* Own Thread: holds nothing, but somebody waits for its end */
    ULONG Index;
} ROLE;

static ROLE Roles[LOCKS];
static BOOLEAN Closed; /* the last thread closes the circle */

static VOID NTAPI Play(PVOID Context)
{
    ROLE *Role = Context;
    ULONG Next = (Role->Index + 1) % Count;

    KeEnterCriticalRegion();
    if (Role->Own != Thread)
        Take(Role->Own, Role->Index);
    KeSetEvent(&Taken[Role->Index], 0, FALSE);
    /* All the others first; they wait, one after another, when the last one begins. */
    KeWaitForSingleObject(&Taken[Next], Executive, KernelMode, FALSE, NULL);
    Sleep(10 * (Role->Index + 1));
    if (Closed || Role->Index + 1 < Count) {
        Take(Role->Wanted, Next);
        Give(Role->Wanted, Next);
    }
    if (Role->Own != Thread)
        Give(Role->Own, Role->Index);
    KeLeaveCriticalRegion();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A circle of the given kinds: Kinds[i] is what thread i holds and thread i - 1 wants; Wants: how, if otherwise. */
static VOID Circle(ULONG Number, const KIND *Kinds, const KIND *Wants, BOOLEAN Close)
{
    Count = Number;
    Closed = Close;
    for (ULONG Index = 0; Index < Number; Index++)
        Roles[Index] = (ROLE){.Own = Kinds[Index], .Wanted = Wants[(Index + 1) % Number], .Index = Index};
    for (ULONG Index = 0; Index < Number; Index++)
        Threads[Index] = StartThread(Play, &Roles[Index]);
    for (ULONG Index = 0; Index < Number; Index++)
        JoinThread(Threads[Index]);
}

static const struct {
    ULONG Number;
    KIND Kinds[LOCKS], Wants[LOCKS];
} Circles[] = {
    {2, {FastMutex, FastMutex}, {FastMutex, FastMutex}},
    {2, {GuardedMutex, GuardedMutex}, {GuardedMutex, GuardedMutex}},
    {2, {Mutex, Mutex}, {Mutex, Mutex}},
    {2, {Exclusive, Exclusive}, {Exclusive, Exclusive}},
    {2, {Shared, Shared}, {Exclusive, Exclusive}},
    {2, {Exclusive, Exclusive}, {Shared, Shared}},
    {2, {PushExclusive, PushExclusive}, {PushExclusive, PushExclusive}},
    {2, {PushShared, PushShared}, {PushExclusive, PushExclusive}},
    {2, {FastMutex, Thread}, {FastMutex, Thread}},
    {3, {FastMutex, Exclusive, Mutex}, {FastMutex, Shared, Mutex}},
    {3, {PushShared, Mutex, Thread}, {PushExclusive, Mutex, Thread}},
    {1, {FastMutex}, {FastMutex}},
    {1, {PushExclusive}, {PushShared}},
    {1, {Shared}, {Exclusive}},
    {1, {Thread}, {Thread}},
    {2, {FastMutex, Reference}, {FastMutex, Rundown}},
    {2, {Reference, Reference}, {Rundown, Rundown}},
    {3, {AwareReference, Exclusive, Thread}, {AwareRundown, Exclusive, Thread}},
    {1, {Reference}, {Rundown}},
    {1, {AwareReference}, {AwareRundown}},
};

/* What one has taken another may give back; the one who took it may meanwhile wait for that. */
static VOID NTAPI GiveBackLater(PVOID Context)
{
    Sleep(5000);
    Give(Reference, 0);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID HandOn(VOID)
{
    PVOID Other;

    Take(Reference, 0);
    Other = StartThread(GiveBackLater, NULL);
    Take(Rundown, 0);
    JoinThread(Other);
    Give(Rundown, 0);
}

/* A wait that the driver itself says it is in: for the end of work that, as it is, the thread is in. */
static BOOLEAN NTAPI Worker(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    Holder->Thread = Wait->Context;
    Holder->Since = (PVOID)Worker;
    return Index == 0;
}

DECLSPEC_NOINLINE static VOID WaitForWork(PVOID Thread)
{
    FV_WAIT Wait = {.What = "end of the work",
                    .Object = &Finished,
                    .Caller = __builtin_return_address(0),
                    .NextHolder = Worker,
                    .Context = Thread};

    FvBeginWait(&Wait);
    FvEndWait(&Wait);
}

static ULONG ReadCase(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Case");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Case = 0, Length;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Case = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Case;
}

static VOID Prepare(VOID)
{
    for (ULONG Index = 0; Index < LOCKS; Index++) {
        ExInitializeFastMutex(&FastMutexes[Index]);
        KeInitializeGuardedMutex(&GuardedMutexes[Index]);
        KeInitializeMutex(&Mutexes[Index], 0);
        ExInitializeResourceLite(&Resources[Index]);
        KeInitializeEvent(&Taken[Index], NotificationEvent, FALSE);
        ExInitializeRundownProtection(&RundownRefs[Index]);
        AwareRefs[Index] = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 'nuRd');
    }
    KeInitializeEvent(&Finished, NotificationEvent, FALSE);
}

/* Every circle but for its last wait, so that the threads queue up and all go on. */
static VOID RunOpen(VOID)
{
    for (ULONG Case = 0; Case < RTL_NUMBER_OF(Circles); Case++) {
        for (ULONG Index = 0; Index < LOCKS; Index++)
            KeClearEvent(&Taken[Index]);
        Circle(Circles[Case].Number, Circles[Case].Kinds, Circles[Case].Wants, FALSE);
    }
    HandOn();
    DbgPrint("deadlock: all went on\n");
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Case = ReadCase(RegistryPath);

    UNREFERENCED_PARAMETER(DriverObject);
    Prepare();
    if (Case == 100)
        RunOpen();
    else if (Case == 101)
        WaitForWork(KeGetCurrentThread());
    else
        Circle(Circles[Case].Number, Circles[Case].Kinds, Circles[Case].Wants, TRUE);
    for (ULONG Index = 0; Index < LOCKS; Index++) {
        ExDeleteResourceLite(&Resources[Index]);
        ExFreeCacheAwareRundownProtection(AwareRefs[Index]);
    }
    return STATUS_UNSUCCESSFUL;
}

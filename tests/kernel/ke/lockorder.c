// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes locks in the order that the service's value Steps says: a capital letter takes that lock and would wait, after '~' shared,
 * after '?' it only tries; a small letter gives it back.  '#': the locks, which lie in pool, go and come again at the
 * same addresses; '!': a thread does the rest, of which the driver waits for the end.  Kinds has a letter a lock, see Take.
 */
#include <ntifs.h>
#include <fltvm.h>
#include "../../inc/threads.h"

#define LOCKS 4

typedef union _LOCK {
    KSPIN_LOCK Spin;
    FAST_MUTEX Fast;
    KGUARDED_MUTEX Guarded;
    KMUTEX Mutex;
    ERESOURCE Resource;
    EX_PUSH_LOCK Push;
    EX_SPIN_LOCK Executive;
    UCHAR Room[512];
} LOCK, *PLOCK;

static WCHAR Kinds[LOCKS + 1], Steps[64];
static PLOCK Locks;
static BOOLEAN AsExpected = TRUE; /* who only tried has got it, memory came again where it was */
static KIRQL Irql[LOCKS];
static KLOCK_QUEUE_HANDLE Handles[LOCKS];

VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags);
VOID FASTCALL ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags);

static VOID Initialize(WCHAR Kind, PLOCK Lock)
{
    RtlZeroMemory(Lock, sizeof(*Lock));
    switch (Kind) {
    case 'f': ExInitializeFastMutex(&Lock->Fast); break;
    case 'g': KeInitializeGuardedMutex(&Lock->Guarded); break;
    case 'm': KeInitializeMutex(&Lock->Mutex, 0); break;
    case 'r': ExInitializeResourceLite(&Lock->Resource); break;
    }
}

static volatile ULONG Took; /* keeps the compiler from making one call of two */

__attribute__((optnone)) DECLSPEC_NOINLINE static VOID Take(ULONG Index)
{
    PLOCK Lock = &Locks[Index];

    switch (Kinds[Index]) {
    case 's': KeAcquireSpinLock(&Lock->Spin, &Irql[Index]); break;
    case 'q': KeAcquireInStackQueuedSpinLock(&Lock->Spin, &Handles[Index]); break;
    case 'x': Irql[Index] = ExAcquireSpinLockExclusive(&Lock->Executive); break;
    case 'f': ExAcquireFastMutex(&Lock->Fast); break;
    case 'u': ExAcquireFastMutexUnsafe(&Lock->Fast); break;
    case 'g': KeAcquireGuardedMutex(&Lock->Guarded); break;
    case 'm':
        KeWaitForSingleObject(&Lock->Mutex, Executive, KernelMode, FALSE, NULL);
        Took = Index;
        break;
    case 'r': ExAcquireResourceExclusiveLite(&Lock->Resource, TRUE); break;
    case 'p': ExAcquirePushLockExclusiveEx(&Lock->Push, 0); break;
    }
}

static VOID Share(ULONG Index)
{
    PLOCK Lock = &Locks[Index];

    switch (Kinds[Index]) {
    case 'x': Irql[Index] = ExAcquireSpinLockShared(&Lock->Executive); break;
    case 'r': ExAcquireResourceSharedLite(&Lock->Resource, TRUE); break;
    case 'p': ExAcquirePushLockSharedEx(&Lock->Push, 0); break;
    }
}

static VOID Try(ULONG Index)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    PLOCK Lock = &Locks[Index];

    switch (Kinds[Index]) {
    case 's':
        KeRaiseIrql(DISPATCH_LEVEL, &Irql[Index]);
        AsExpected &= KeTryToAcquireSpinLockAtDpcLevel(&Lock->Spin);
        break;
    case 'f': AsExpected &= ExTryToAcquireFastMutex(&Lock->Fast); break;
    case 'g': AsExpected &= KeTryToAcquireGuardedMutex(&Lock->Guarded); break;
    case 'm':
        AsExpected &= KeWaitForSingleObject(&Lock->Mutex, Executive, KernelMode, FALSE, &Now) == STATUS_SUCCESS;
        break;
    case 'r': AsExpected &= ExAcquireResourceExclusiveLite(&Lock->Resource, FALSE); break;
    }
}

static VOID Give(ULONG Index, BOOLEAN Shared)
{
    PLOCK Lock = &Locks[Index];

    switch (Kinds[Index]) {
    case 's': KeReleaseSpinLock(&Lock->Spin, Irql[Index]); break;
    case 'q': KeReleaseInStackQueuedSpinLock(&Handles[Index]); break;
    case 'x':
        if (Shared)
            ExReleaseSpinLockShared(&Lock->Executive, Irql[Index]);
        else
            ExReleaseSpinLockExclusive(&Lock->Executive, Irql[Index]);
        break;
    case 'f': ExReleaseFastMutex(&Lock->Fast); break;
    case 'u': ExReleaseFastMutexUnsafe(&Lock->Fast); break;
    case 'g': KeReleaseGuardedMutex(&Lock->Guarded); break;
    case 'm': KeReleaseMutex(&Lock->Mutex, FALSE); break;
    case 'r': ExReleaseResourceLite(&Lock->Resource); break;
    case 'p': ExReleasePushLockEx(&Lock->Push, 0); break;
    }
}

static VOID Make(VOID)
{
    Locks = ExAllocatePoolWithTag(NonPagedPoolNx, LOCKS * sizeof(LOCK), 'rdrO');
    for (ULONG Index = 0; Index < LOCKS; Index++)
        Initialize(Kinds[Index] == 'u' ? 'f' : Kinds[Index], &Locks[Index]);
}

static VOID Unmake(VOID)
{
    for (ULONG Index = 0; Index < LOCKS; Index++) {
        if (Kinds[Index] == 'r')
            ExDeleteResourceLite(&Locks[Index].Resource);
    }
    ExFreePoolWithTag(Locks, 'rdrO');
}

/* Freed memory rests, but not for ever. */
static VOID MakeAgain(VOID)
{
    PVOID Before = Locks;

    for (ULONG Count = 0; Count < 100000 && (Count == 0 || Locks != Before); Count++) {
        Unmake();
        Make();
    }
    AsExpected &= Locks == Before;
}

static VOID NTAPI Play(PVOID Context)
{
    PCWSTR Step = Context;
    BOOLEAN Shared[LOCKS] = {FALSE};

    KeEnterCriticalRegion();
    for (; *Step != 0; Step++) {
        if (*Step == '!') {
            KeLeaveCriticalRegion();
            JoinThread(StartThread(Play, (PVOID)(Step + 1)));
            return;
        }
        if (*Step == '#') {
            MakeAgain();
        } else if (*Step == '~') {
            Share(*++Step - 'A');
            Shared[*Step - 'A'] = TRUE;
        } else if (*Step == '?') {
            Try(*++Step - 'A');
        } else if (*Step >= 'A' && *Step <= 'Z') {
            Take(*Step - 'A');
            Shared[*Step - 'A'] = FALSE;
        } else {
            Give(*Step - 'a', Shared[*Step - 'a']);
        }
    }
    KeLeaveCriticalRegion();
}

static VOID ReadText(PUNICODE_STRING Path, PCWSTR ValueName, PWSTR Text, ULONG Size)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(Steps)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Key;
    ULONG Needed;

    RtlInitUnicodeString(&Name, ValueName);
    InitializeObjectAttributes(&Attributes, Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Needed)))
        RtlCopyMemory(Text, Value->Data, min(Value->DataLength, Size));
    ZwClose(Key);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ReadText(RegistryPath, L"Kinds", Kinds, sizeof(Kinds));
    ReadText(RegistryPath, L"Steps", Steps, sizeof(Steps));
    Make();
    Play(Steps);
    Unmake();
    DbgPrint(AsExpected ? "lockorder: done\n" : "lockorder: not as expected\n");
    return STATUS_UNSUCCESSFUL;
}

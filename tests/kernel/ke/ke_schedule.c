// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where and in which order things run on several processors: affinity, boosts, DPCs for another processor, and who gets an
 * executive spin lock first.  The scenario gives the machine four processors.
 */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

static KEVENT Event, Done;
static KDPC Dpc;
static volatile LONG Result;
static volatile LONG64 When;

static LONGLONG Microseconds(VOID)
{
    LARGE_INTEGER Frequency, Counter = KeQueryPerformanceCounter(&Frequency);

    return Counter.QuadPart * 1000000 / Frequency.QuadPart;
}

static VOID Spin(ULONG Count)
{
    LONGLONG Until = Microseconds() + Count;

    while (Microseconds() < Until)
        YieldProcessor();
}

static VOID CheckAffinity(VOID)
{
    KAFFINITY Active = KeQueryActiveProcessors();
    GROUP_AFFINITY Group = {.Mask = 4}, Old = {.Mask = 99};

    FvCheck(Active == 0xF);
    KeRevertToUserAffinityThreadEx(2); /* nothing to revert from: no effect */
    FvCheck(KeSetSystemAffinityThreadEx(2) == 0);
    FvCheck(KeGetCurrentProcessorNumber() == 1);
    FvCheck(KeSetSystemAffinityThreadEx(0x30) == 2); /* no such processor: no effect */
    FvCheck(KeGetCurrentProcessorNumber() == 1);
    FvCheck(KeSetSystemAffinityThreadEx(8) == 2 && KeGetCurrentProcessorNumber() == 3);
    KeRevertToUserAffinityThreadEx(0xF0); /* no active processor: no effect */
    FvCheck(KeGetCurrentProcessorNumber() == 3 && KeSetSystemAffinityThreadEx(8) == 8);
    KeRevertToUserAffinityThreadEx(2);
    FvCheck(KeGetCurrentProcessorNumber() == 1);
    KeRevertToUserAffinityThreadEx(~(KAFFINITY)0);
    FvCheck(KeSetSystemAffinityThreadEx(1) == Active); /* no absent processors in it */
    KeRevertToUserAffinityThreadEx(0);
    FvCheck(KeSetSystemAffinityThreadEx(1) == 0); /* it was the user's again */
    KeRevertToUserAffinityThread();
    KeRevertToUserAffinityThread();
    KeSetSystemGroupAffinityThread(&Group, &Old);
    FvCheck(Old.Mask == 0 && Old.Group == 0 && KeGetCurrentProcessorNumber() == 2);
    Group.Group = 1; /* no such group: no effect */
    KeSetSystemGroupAffinityThread(&Group, &Old);
    FvCheck(Old.Mask == 0 && KeGetCurrentProcessorNumber() == 2);
    KeRevertToUserGroupAffinityThread(&Group);
    FvCheck(KeSetSystemAffinityThreadEx(1) == 4);
    KeRevertToUserGroupAffinityThread(&Old);
    FvCheck(KeSetSystemAffinityThreadEx(1) == 0);
    KeRevertToUserAffinityThreadEx(0);
}

/* At DISPATCH_LEVEL the thread moves when the IRQL drops. */
static VOID CheckAffinityAtDispatch(VOID)
{
    ULONG Before;
    KIRQL OldIrql;

    KeSetSystemAffinityThreadEx(1);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeSetSystemAffinityThreadEx(2);
    Before = KeGetCurrentProcessorNumber();
    KeLowerIrql(OldIrql);
    FvCheck(Before == 0 && KeGetCurrentProcessorNumber() == 1);
    KeRevertToUserAffinityThreadEx(0);
}

static VOID NTAPI WaitAndTellPriority(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    Result = KeQueryPriorityThread(KeGetCurrentThread());
    Spin(200000); /* several quanta */
    When = KeQueryPriorityThread(KeGetCurrentThread());
}

/* A wait's end gives the thread what the signal says, for a while; threads of real-time priority get none. */
static VOID CheckBoost(VOID)
{
    static const struct {
        KPRIORITY Base, Increment, Expected;
    } Cases[] = {{8, 3, 11}, {8, 0, 8}, {14, 4, 15}, {16, 3, 16}};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        PVOID Thread;

        KeInitializeEvent(&Event, NotificationEvent, FALSE);
        Thread = StartThread(WaitAndTellPriority, NULL);
        KeSetPriorityThread(Thread, Cases[Index].Base);
        Sleep(20);
        KeSetEvent(&Event, Cases[Index].Increment, FALSE);
        JoinThread(Thread);
        FvCheck(Result == Cases[Index].Expected);
        FvCheck(When == Cases[Index].Base);
    }
}

static VOID NTAPI TellTime(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Object);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    When = Microseconds();
    Result = (LONG)KeGetCurrentProcessorNumber();
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

/* An idle processor is woken for a DPC at once, not at its next clock tick. */
static VOID CheckDpcOnIdleProcessor(VOID)
{
    KeSetSystemAffinityThreadEx(1);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    KeInitializeDpc(&Dpc, TellTime, NULL);
    KeSetTargetProcessorDpc(&Dpc, 3);
    for (ULONG Importance = LowImportance; Importance <= HighImportance; Importance++) {
        LONGLONG Start, Longest = 0;
        BOOLEAN Ok = TRUE;

        KeSetImportanceDpc(&Dpc, (KDPC_IMPORTANCE)Importance);
        for (ULONG Phase = 0; Phase < 5;
             Phase++) { /* wherever that processor's ticks are, one of these is far from the next */
            Sleep(50);
            Spin(3000 * Phase);
            Start = Microseconds();
            KeInsertQueueDpc(&Dpc, NULL, NULL);
            Ok = Ok && WaitFor(&Done, 100) == STATUS_SUCCESS && Result == 3;
            Longest = max(Longest, When - Start);
        }
        FvCheck(Ok);
        FvCheck(Longest < 2000);
    }
    KeRevertToUserAffinityThreadEx(0);
}

static EX_SPIN_LOCK Lock;
static volatile LONG Sequence, WriterAt, ReaderAt;

static VOID NTAPI Write(PVOID Context)
{
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Context);
    KeSetSystemAffinityThreadEx(2);
    InterlockedIncrement(&Result);
    OldIrql = ExAcquireSpinLockExclusive(&Lock);
    WriterAt = InterlockedIncrement(&Sequence);
    Spin(100);
    ExReleaseSpinLockExclusive(&Lock, OldIrql);
}

static VOID NTAPI Read(PVOID Context)
{
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(Context);
    KeSetSystemAffinityThreadEx(4);
    InterlockedIncrement(&Result);
    OldIrql = ExAcquireSpinLockShared(&Lock);
    ReaderAt = InterlockedIncrement(&Sequence);
    ExReleaseSpinLockShared(&Lock, OldIrql);
}

/* Readers that come after a writer wait behind it, or a stream of them could keep it out for ever. */
static VOID CheckWriterFirst(VOID)
{
    PVOID Writer, Reader;
    KIRQL OldIrql;

    KeSetSystemAffinityThreadEx(1);
    Result = 0;
    OldIrql = ExAcquireSpinLockShared(&Lock);
    KeLowerIrql(OldIrql); /* only to start the others */
    Writer = StartThread(Write, NULL);
    while (Result < 1)
        YieldProcessor();
    Spin(50);
    Reader = StartThread(Read, NULL);
    while (Result < 2)
        YieldProcessor();
    Spin(50);
    FvCheck(Result == 2 && Sequence == 0);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    ExReleaseSpinLockShared(&Lock, OldIrql);
    JoinThread(Writer);
    JoinThread(Reader);
    FvCheck(WriterAt == 1 && ReaderAt == 2 && Lock == 0);
    KeRevertToUserAffinityThreadEx(0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(31);
    CheckAffinity();
    CheckAffinityAtDispatch();
    CheckBoost();
    CheckDpcOnIdleProcessor();
    CheckWriterFirst();
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread: a thread's beginning, end, priority and affinity.
 *
 * The memory of a thread is its maker's.  A terminated thread is handed to KiThreadReaper from a DPC, when it
 * has left its stack.
 */
#include "kep.h"

LIST_ENTRY KiThreadListHead = {&KiThreadListHead, &KiThreadListHead};
VOID (*KiThreadReaper)(PKTHREAD Thread);

static LIST_ENTRY KiReaperListHead = {&KiReaperListHead, &KiReaperListHead}; /* the dispatcher lock */
static KDPC KiReaperDpc;

/* What KiSwapContext pops; laid out as in switch.S. */
typedef struct _KI_SWITCH_FRAME {
    M128A Xmm[10];
    ULONG64 Rbx, Rbp, Rdi, Rsi, R12, R13, R14, R15;
    ULONG64 Fill;
    ULONG64 Return;
    ULONG64 Home[4]; /* KiThreadStartup's, which it allocates: see below */
    ULONG64 End[2];
} KI_SWITCH_FRAME;
C_ASSERT(FIELD_OFFSET(KI_SWITCH_FRAME, Return) == 0xE8);

VOID KeInitializeProcess(PKPROCESS Process, KPRIORITY BasePriority, KAFFINITY Affinity, ULONG64 DirectoryTableBase)
{
    RtlZeroMemory(Process, sizeof(*Process));
    Process->Header.Type = ProcessObject;
    Process->Header.Size = sizeof(*Process) / sizeof(LONG);
    InitializeListHead(&Process->Header.WaitListHead);
    InitializeListHead(&Process->ProfileListHead);
    InitializeListHead(&Process->ThreadListHead);
    Process->DirectoryTableBase = DirectoryTableBase;
    Process->Affinity = Affinity;
    Process->BasePriority = (SCHAR)BasePriority;
    Process->QuantumReset = KI_QUANTUM;
}

static VOID KiInitializeStack(PKTHREAD Thread)
{
    KI_SWITCH_FRAME *Frame = (KI_SWITCH_FRAME *)((PUCHAR)Thread->StackBase - sizeof(KI_SWITCH_FRAME));

    RtlZeroMemory(Frame, sizeof(*Frame));
    Frame->Rbx = (ULONG64)Thread->StartRoutine;
    Frame->Rdi = (ULONG64)Thread->StartContext;
    Frame->Rsi = (ULONG64)Thread->SystemRoutine;
    Frame->Return = (ULONG64)KiThreadStartup;
    Thread->KernelStack = Frame;
}

VOID KeInitThread(PKTHREAD Thread, PVOID StackBase, SIZE_T StackSize,
                  VOID(NTAPI *SystemRoutine)(PKSTART_ROUTINE, PVOID), PKSTART_ROUTINE StartRoutine, PVOID StartContext,
                  PKPROCESS Process)
{
    RtlZeroMemory(Thread, sizeof(*Thread));
    Thread->Header.Type = ThreadObject;
    Thread->Header.Size = sizeof(*Thread) / sizeof(LONG);
    InitializeListHead(&Thread->Header.WaitListHead);
    Thread->InitialStack = Thread->StackBase = StackBase;
    Thread->StackLimit = (PUCHAR)StackBase - StackSize;
    Thread->StackTotal = StackSize;
    Thread->State = Initialized;
    InitializeListHead(&Thread->ApcState.ApcListHead[KernelMode]);
    InitializeListHead(&Thread->ApcState.ApcListHead[UserMode]);
    Thread->ApcState.Process = Process;
    Thread->ApcQueueable = TRUE;
    Thread->Process = Process;
    Thread->OwnSpace = Process->DirectoryTableBase != HalLoaderBlock->page_table ? Thread : NULL;
    Thread->Affinity = Thread->UserAffinity = Process->Affinity;
    Thread->BasePriority = Thread->Priority = Process->BasePriority;
    Thread->Quantum = Thread->QuantumReset = Process->QuantumReset;
    Thread->PreviousMode = KernelMode;
    InitializeListHead(&Thread->MutantListHead);
    Thread->SystemRoutine = SystemRoutine;
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    KiInitializeTimer(&Thread->Timer, NotificationTimer);
    Thread->Timer.Header.Hand = 1; /* a time-out */
    Thread->WaitBlock[3].Thread = Thread;
    Thread->WaitBlock[3].Object = &Thread->Timer;
    Thread->WaitBlock[3].WaitKey = (USHORT)STATUS_TIMEOUT;
    Thread->WaitBlock[3].WaitType = WaitAny;
    if (SystemRoutine != NULL) {
        KiInitializeStack(Thread);
    }
}

VOID KeStartThread(PKTHREAD Thread)
{
    KIRQL OldIrql;

    FV_TRACE(FLTVM_TRACE_THREAD_CREATE, Thread, Thread->StartRoutine, Thread->Priority, 0, 0);
    OldIrql = KiAcquireDispatcher();
    InsertTailList(&Thread->Process->ThreadListHead, &Thread->ThreadListEntry);
    InsertTailList(&KiThreadListHead, &Thread->SystemListEntry);
    Thread->NextProcessor = Thread->IdealProcessor = KeGetCurrentPrcb()->Number;
    KiReadyThread(Thread);
    KiUnlockDispatcher(OldIrql);
}

BOOLEAN KeIsThread(const VOID *Thread)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Found = FALSE;

    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead && !Found; Entry = Entry->Flink) {
        Found = CONTAINING_RECORD(Entry, KTHREAD, SystemListEntry) == Thread;
    }
    KiUnlockDispatcher(OldIrql);
    return Found;
}

BOOLEAN KeWillGoOn(const VOID *Thread)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Will = FALSE;

    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead; Entry = Entry->Flink) {
        PKTHREAD Found = CONTAINING_RECORD(Entry, KTHREAD, SystemListEntry);

        if (Found == Thread) {
            Will = Found->State == Waiting && Found->Timer.Header.Inserted;
            break;
        }
    }
    KiUnlockDispatcher(OldIrql);
    return Will;
}

/* First C code of a thread: the dispatcher lock is held, DISPATCH_LEVEL. */
VOID KiBeginThread(VOID)
{
    KiReleaseSpinLock(&KiDispatcherLock);
    KiCheckApcAfterEnable(KeGetCurrentThread());
    __writecr8(PASSIVE_LEVEL);
}

static VOID NTAPI KiReapThreads(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    for (;;) {
        KIRQL OldIrql = KiAcquireDispatcher();
        PKTHREAD Thread = NULL;

        if (!IsListEmpty(&KiReaperListHead)) {
            Thread = CONTAINING_RECORD(RemoveHeadList(&KiReaperListHead), KTHREAD, QueueListEntry);
        }
        KiUnlockDispatcher(OldIrql);
        if (Thread == NULL) {
            return;
        }
        if (KiThreadReaper != NULL) {
            KiThreadReaper(Thread);
        }
    }
}

VOID KeCheckThreadExit(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();

    if (__readcr8() != PASSIVE_LEVEL) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Thread, __readcr8(), 0, (ULONG_PTR)Thread->StartRoutine);
    }
    KiReportHeld(Thread);
    if (Thread->CombinedApcDisable != 0) {
        KeBugCheckEx(KERNEL_APC_PENDING_DURING_EXIT, 0, (ULONG_PTR)Thread->CombinedApcDisable, 0, 0);
    }
    if (Thread->Queue != NULL && Thread->Queue->Header.Inserted) {
        KeBugCheckEx(ACTIVE_EX_WORKER_THREAD_TERMINATION, (ULONG_PTR)Thread, 0, 0, 0);
    }
    KiVerify(Thread->Resources == 0 && Thread->Locks == 0, 0xC4, 0x100A, (ULONG_PTR)Thread, 0, 0);
}

/* The dispatcher lock, let go while a rundown routine runs.  An APC without one is its owner's. */
static VOID KiRunDownApcs(PKTHREAD Thread, KPROCESSOR_MODE Mode)
{
    PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[(int)Mode];

    while (!IsListEmpty(Head)) {
        PKAPC Apc = CONTAINING_RECORD(RemoveHeadList(Head), KAPC, ApcListEntry);

        Apc->Inserted = FALSE;
        if (Apc->RundownRoutine != NULL) {
            KiUnlockDispatcher(PASSIVE_LEVEL);
            Apc->RundownRoutine(Apc);
            (VOID) KiAcquireDispatcher();
        }
    }
}

DECLSPEC_NORETURN VOID KeTerminateThread(KPRIORITY Increment)
{
    PKTHREAD Thread = KeGetCurrentThread();

    KeCheckThreadExit();
    FV_TRACE(FLTVM_TRACE_THREAD_EXIT, Thread, 0, 0, 0, 0);
    (VOID) KiAcquireDispatcher();
    Thread->ApcQueueable = FALSE;
    KiRunDownApcs(Thread, KernelMode);
    KiRunDownApcs(Thread, UserMode);
    KiAbandonMutants(Thread);
    if (Thread->Queue != NULL) {
        RemoveEntryList(&Thread->QueueListEntry);
        Thread->Queue->CurrentCount--;
        KiQueueThreadBlocks(Thread->Queue);
        Thread->Queue = NULL;
    }
    RemoveEntryList(&Thread->ThreadListEntry);
    RemoveEntryList(&Thread->SystemListEntry);
    Thread->Header.SignalState = TRUE;
    if (!IsListEmpty(&Thread->Header.WaitListHead)) {
        KiWaitTest(Thread, Increment);
    }
    InsertTailList(&KiReaperListHead, &Thread->QueueListEntry);
    if (KiReaperDpc.DeferredRoutine == NULL) {
        KeInitializeDpc(&KiReaperDpc, KiReapThreads, NULL);
    }
    KeInsertQueueDpc(&KiReaperDpc, NULL, NULL);
    Thread->State = Terminated;
    KiSwapThread(Thread);
    KeBugCheckEx(ACTIVE_EX_WORKER_THREAD_TERMINATION /* ACTIVE_EX_WORKER_THREAD_TERMINATION: nothing fits better */,
                 (ULONG_PTR)Thread, 0, 0, 0);
}

VOID KeSetThreadName(PKTHREAD Thread, PCSTR Name)
{
    ULONG i = 0;
    ULONG64 Chars[3];

    for (; i < sizeof(Thread->Name) - 1 && Name[i] != 0; i++) {
        Thread->Name[i] = Name[i];
    }
    RtlZeroMemory(&Thread->Name[i], sizeof(Thread->Name) - i);
    RtlCopyMemory(Chars, Thread->Name, sizeof(Chars));
    FV_TRACE(FLTVM_TRACE_THREAD_NAME, Thread, Chars[0], Chars[1], Chars[2], 0);
}

/* What others make of a thread's priority is no routine's fault that the thread runs. */
static VOID KiNoteOwnPriority(PKTHREAD Thread, KPRIORITY Priority)
{
    if (Thread == KeGetCurrentThread()) {
        Thread->PriorityDrift += (SCHAR)(Priority - Thread->BasePriority);
    }
}

KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    KPRIORITY Old;
    KIRQL OldIrql;

    KiVerify(Priority >= 1 && Priority <= HIGH_PRIORITY, 0x7F, (ULONG_PTR)Thread, (ULONG_PTR)Priority, 0, 0);
    if (Priority < 1 || Priority > HIGH_PRIORITY) {
        return Thread->Priority; /* there is no such ready queue */
    }
    OldIrql = KiAcquireDispatcher();
    Old = Thread->Priority;
    Thread->Quantum = Thread->QuantumReset;
    Thread->PriorityDecrement = 0;
    KiNoteOwnPriority(Thread, Priority);
    KiSetPriorityLocked(Thread, Priority);
    Thread->BasePriority = (SCHAR)Priority;
    KiUnlockDispatcher(OldIrql);
    return Old;
}

/* Increment is relative to the process's base; returns the old one.  As NT, saturated to the thread's class.
 */
LONG NTAPI KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    LONG ProcessBase = Thread->Process->BasePriority;
    LONG Old = Thread->BasePriority - ProcessBase;
    LONG New = ProcessBase + Increment;

    if (ProcessBase >= LOW_REALTIME_PRIORITY) {
        New = New < LOW_REALTIME_PRIORITY ? LOW_REALTIME_PRIORITY : New > HIGH_PRIORITY ? HIGH_PRIORITY : New;
    } else {
        New = New < 1 ? 1 : New >= LOW_REALTIME_PRIORITY ? LOW_REALTIME_PRIORITY - 1 : New;
    }
    KiNoteOwnPriority(Thread, New);
    Thread->BasePriority = (SCHAR)New;
    Thread->Quantum = Thread->QuantumReset;
    KiSetPriorityLocked(Thread, New);
    KiUnlockDispatcher(OldIrql);
    return Old;
}

KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    return Thread->Priority;
}

ULONG NTAPI KeQueryRuntimeThread(PKTHREAD Thread, PULONG UserTime)
{
    *UserTime = 0;
    return Thread->KernelTime;
}

/* ---- affinity ---- */

/* <= DISPATCH_LEVEL, where the thread moves when the IRQL drops.  Bits of absent processors do not count. */
static KAFFINITY KiChangeAffinity(KAFFINITY Affinity, PVOID Caller)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KAFFINITY Old, New = Affinity & KeActiveSet;
    KIRQL OldIrql;

    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Thread, __readcr8(), 0,
             (ULONG_PTR)Caller);
    OldIrql = KiAcquireDispatcher();
    Old = Thread->SystemAffinityActive ? Thread->Affinity : 0;
    if (New != 0) {
        Thread->SystemAffinityActive = TRUE;
        KiSetAffinityLocked(Thread, New);
    }
    KiUnlockDispatcher(OldIrql);
    return Old;
}

/* No effect without a system affinity to revert from, nor when no processor of the mask is active. */
static VOID KiRevertAffinity(KAFFINITY Affinity)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KAFFINITY New = (Affinity != 0 ? Affinity : Thread->UserAffinity) & KeActiveSet;
    KIRQL OldIrql = KiAcquireDispatcher();

    if (Thread->SystemAffinityActive && New != 0) {
        Thread->SystemAffinityActive = Affinity != 0;
        KiSetAffinityLocked(Thread, New);
    }
    KiUnlockDispatcher(OldIrql);
}

static BOOLEAN KiIsGroupAffinity(const GROUP_AFFINITY *Affinity)
{
    return Affinity->Group == 0 && Affinity->Reserved[0] == 0 && Affinity->Reserved[1] == 0 &&
           Affinity->Reserved[2] == 0;
}

KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    return KiChangeAffinity(Affinity, _ReturnAddress());
}

VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    KiRevertAffinity(Affinity);
}

VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity)
{
    (VOID) KiChangeAffinity(Affinity, _ReturnAddress());
}

VOID NTAPI KeRevertToUserAffinityThread(VOID)
{
    KiRevertAffinity(0);
}

VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity)
{
    KAFFINITY Old = KiIsGroupAffinity(Affinity) ? KiChangeAffinity(Affinity->Mask, _ReturnAddress()) : 0;

    if (PreviousAffinity != NULL) {
        RtlZeroMemory(PreviousAffinity, sizeof(*PreviousAffinity));
        PreviousAffinity->Mask = Old;
    }
}

VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    if (KiIsGroupAffinity(PreviousAffinity)) {
        KiRevertAffinity(PreviousAffinity->Mask);
    }
}

UCHAR NTAPI KeSetIdealProcessorThread(PKTHREAD Thread, UCHAR Processor)
{
    UCHAR Old = (UCHAR)Thread->IdealProcessor;

    if (Processor < KiProcessorCount) {
        Thread->IdealProcessor = Processor;
    }
    return Old;
}

BOOLEAN NTAPI KeSetKernelStackSwapEnable(BOOLEAN Enable)
{
    PKTHREAD Thread = KeGetCurrentThread();
    BOOLEAN Old = !(Thread->Spare230 & 1);

    Thread->Spare230 = Enable ? 0 : 1; /* stacks are always resident: remembered only */
    return Old;
}

/* ---- attaching ---- */

/*
 * Whoever is switched to in between gets and leaves the page tables that ApcState.Process says, so the order
 * matters: the thread stands for a space of its own as long as it is in one that is not its process's.
 */
VOID KiLoadSpace(PKTHREAD Thread)
{
    ULONG64 Table = Thread->ApcState.Process->DirectoryTableBase;

    if (__readcr3() != Table) {
        __writecr3(Table);
    }
}

/* A process that is not the System process's has tables of its own. */
static BOOLEAN KiHasOwnTables(PKPROCESS Process)
{
    return Process->DirectoryTableBase != HalLoaderBlock->page_table;
}

VOID NTAPI KeStackAttachProcess(PKPROCESS Process, PKAPC_STATE ApcState)
{
    PKTHREAD Thread = KeGetCurrentThread();

    if (KeGetCurrentPrcb()->DpcRoutineActive || __readcr8() > DISPATCH_LEVEL) {
        KeBugCheckEx(INVALID_PROCESS_ATTACH_ATTEMPT, (ULONG_PTR)Process, (ULONG_PTR)Thread->ApcState.Process, 0,
                     KeGetCurrentPrcb()->DpcRoutineActive);
    }
    ApcState->Process = Thread->ApcState.Process;
    Thread->ApcState.Process = Process;
    Thread->Attached++;
    Thread->OwnSpace = Thread;
    _ReadWriteBarrier();
    KiLoadSpace(Thread);
}

VOID NTAPI KeUnstackDetachProcess(PKAPC_STATE ApcState)
{
    PKTHREAD Thread = KeGetCurrentThread();

    if (Thread->Attached == 0) {
        KeBugCheckEx(INVALID_PROCESS_DETACH_ATTEMPT, (ULONG_PTR)ApcState->Process, (ULONG_PTR)Thread->ApcState.Process,
                     0, 0);
    }
    Thread->Attached--;
    Thread->ApcState.Process = ApcState->Process;
    _ReadWriteBarrier();
    KiLoadSpace(Thread);
    if (!KiHasOwnTables(Thread->ApcState.Process) && !KiHasOwnTables(Thread->Process)) {
        Thread->OwnSpace = NULL;
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kep: what ke's own files share.
 *
 * Lock order: dispatcher lock, then a processor's DPC lock.  The DPC lock and everything an ISR touches is
 * taken with interrupts off.
 */
#ifndef FLTVM_KEP_H
#define FLTVM_KEP_H

#include <ntifs.h>
#include <cpu.h>
#include <hal.h>
#include <kd.h>
#include <rtl.h>
#include <ke.h>

#define KI_HIGHEST_USER 0x00007FFFFFFEFFFFULL

#define KI_IPI_FREEZE   1
#define KI_IPI_CALL     2
#define KI_IPI_DISPATCH 4
#define KI_IPI_APC      8

#define KI_CLOCK_INCREMENT  156250 /* 15.625 ms in 100 ns units */
#define KI_QUANTUM          6      /* three a tick */
#define KI_QUANTUM_PER_TICK 3
#define KI_DPC_DEPTH_LIMIT  4
#define KI_DPC_TARGETED     0x500 /* in KDPC.Number: + processor */

/* The kernel's own status for "a kernel APC ran: begin the wait again". */
#define KI_STATUS_KERNEL_APC ((NTSTATUS)0x100)

/* Everything of a processor but what others look at; one allocation. */
typedef struct _KI_PROCESSOR {
    KPCR Pcr;
    UCHAR Fill[0x180 - sizeof(KPCR)];
    KPRCB Prcb; /* gs:[0x180] */
    ULONG64 Gdt[10];
    UCHAR Tss[104];
    KTHREAD IdleThread;
    UCHAR IdleThreadFill[KE_THREAD_SIZE - sizeof(KTHREAD)];
    DECLSPEC_ALIGN(16) UCHAR NmiStack[0x2000];
    UCHAR DoubleFaultStack[0x2000];
    UCHAR MachineCheckStack[0x1000];
} KI_PROCESSOR, *PKI_PROCESSOR;
C_ASSERT(FIELD_OFFSET(KI_PROCESSOR, Prcb) == 0x180);

extern KSPIN_LOCK KiDispatcherLock;
extern KAFFINITY KiIdleSummary; /* processors that run their idle thread and have no NextThread */
extern ULONG64 KiBootTime;      /* system time at interrupt time 0 */
extern volatile BOOLEAN KiBugCheckActive;
extern PKUSER_SHARED_DATA KiSharedData; /* writable; drivers see it read-only */
extern struct _KI_INITIAL_PROCESS {
    KPROCESS Pcb;
    UCHAR Fill[KE_PROCESS_SIZE - sizeof(KPROCESS)];
} KiInitialProcess; /* of the idle threads */

/* trap.S, switch.S */
extern CHAR KiInterruptStubs[], KiSwapContextResume[];
extern PVOID KiTrapTable[0x30];
VOID KiSwapContext(PKTHREAD Old, PKTHREAD New);
VOID KiLoadSpace(PKTHREAD Thread);              /* thread.c: the page tables of the process it is in */
VOID KiSwitchSpace(PKTHREAD Old, PKTHREAD New); /* user.c: that, and what user mode needs; interrupts may be on */
VOID KiSystemCall64(VOID);
VOID KiEnableSystemCalls(VOID); /* user.c: this processor's */
DECLSPEC_NORETURN VOID KiEnterUser(PKTRAP_FRAME Frame, PVOID StackBase);
NTSTATUS KiSystemService(PKTRAP_FRAME TrapFrame);
VOID KiContextFromFrames(PKTRAP_FRAME Trap, PKEXCEPTION_FRAME Exception, PCONTEXT Context);
VOID KiContextToFrames(PCONTEXT Context, PKTRAP_FRAME Trap, PKEXCEPTION_FRAME Exception);

/* An APC's routine that returns with APCs disabled otherwise than it found them, or at another IRQL, is a bugcheck. */
VOID KiCheckApcExit(PKTHREAD Thread, LONG Disable, PVOID Routine);

/* user.c: of user memory, which may go at any time.  STATUS_ACCESS_VIOLATION: it is not the user's; else the exception's. */
NTSTATUS KiCopyFromUser(PVOID To, const VOID *From, SIZE_T Size);

/* upcall.c: an exception of user mode; and on its way there, at PASSIVE_LEVEL, what is to be done before. */
VOID KiUserException(const EXCEPTION_RECORD *Record, PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame);
VOID KiUserWork(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame);
VOID KiThreadStartup(VOID);
VOID KiCallOnStack(PVOID Callout, PVOID Parameter, PVOID StackBase);
VOID KiLoadSegments(PVOID GdtDescriptor);
VOID KiDispatchVector(PKTRAP_FRAME TrapFrame, ULONG Vector);
VOID KiDispatchTrap(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame);
VOID KiBeginThread(VOID);

/* clock.c, timer.c */
VOID KiInitializeTime(VOID);
VOID KiInitializeTimers(VOID);
extern ULONG KiDpcTimeLimit, KiDpcWatchdogLimit; /* ticks */
#define KI_VERIFIER_DISPATCH_LIMIT 64            /* a second: a spin lock held longer is held too long */
VOID KiClockInterrupt(PKTRAP_FRAME TrapFrame);
BOOLEAN KiTimerCheck(ULONG64 InterruptTime);
VOID KiTimerExpiration(VOID);
ULONG64 KiQueryInterruptTime(VOID);
ULONG64 KiDueTime(LARGE_INTEGER DueTime);
VOID KiEnumerateTimers(VOID (*Routine)(PKTIMER Timer, PVOID Context), PVOID Context);
VOID KiInsertTimerLocked(PKTIMER Timer, ULONG64 DueTime);
VOID KiRemoveTimerLocked(PKTIMER Timer);
VOID KiInitializeTimer(PKTIMER Timer, TIMER_TYPE Type);

/* memorycheck.c */
VOID KiCheckTimerNotSet(PKTIMER Timer);

/* dpc.c */
VOID KiRetireDpcList(PKPRCB Prcb);
VOID KiDispatchInterrupt(VOID);
VOID KiRequestDispatchInterrupt(PKPRCB Prcb);

/* ipi.c */
VOID KiIpiInterrupt(PKTRAP_FRAME TrapFrame);
VOID KiIpiRequest(KAFFINITY Targets, ULONG Request);
VOID KiFrozen(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame);

/* scheduler.c: all with the dispatcher lock */
VOID KiInitializeScheduler(VOID);
VOID KiReadyThread(PKTHREAD Thread);
VOID KiSwapThread(PKTHREAD Thread);
VOID KiQuantumEnd(VOID);
DECLSPEC_NORETURN VOID KiIdleLoop(VOID);
VOID KiYield(VOID); /* without the lock; IRQL < DISPATCH_LEVEL */
VOID KiSetPriorityLocked(PKTHREAD Thread, KPRIORITY Priority);
VOID KiSetAffinityLocked(PKTHREAD Thread, KAFFINITY Affinity);

/* wait.c */
VOID KiWaitTest(PVOID Object, KPRIORITY Increment);
VOID KiUnwaitThread(PKTHREAD Thread, LONG64 WaitStatus, KPRIORITY Increment);
VOID KiCheckWait(PVOID Object, PLARGE_INTEGER Timeout);
VOID KiCheckBlock(PKTHREAD Thread, KIRQL WaitIrql);
KIRQL KiBeginWait(PKTHREAD Thread);
BOOLEAN KiApcBeforeWait(PKTHREAD Thread, KIRQL WaitIrql);
VOID KiLinkTimeout(PKTHREAD Thread, PKWAIT_BLOCK Last, PKWAIT_BLOCK First, ULONG64 DueTime);
NTSTATUS KiTestWaitAlert(PKTHREAD Thread, BOOLEAN Alertable, KPROCESSOR_MODE WaitMode);

/* queue.c */
VOID KiQueueThreadBlocks(PKQUEUE Queue);

/* apc.c */
VOID KiDeliverApc(VOID);
VOID KiRequestApc(PKTHREAD Thread);
BOOLEAN KiApcDeliverable(PKTHREAD Thread); /* the lock */
VOID KiCheckApcAfterEnable(PKTHREAD Thread);

/* mutant.c */
VOID KiAbandonMutants(PKTHREAD Thread);

/* Selectors of user mode. */
#define USER_CODE 0x33
#define USER_DATA 0x2B

/* deadlock.c */
#define KI_DEADLOCK 0x1001 /* 0xC4's: also of what can become one */
NTSTATUS KiWaitForHolder(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                         const VOID *Caller);
VOID KiReportHeld(const KTHREAD *Thread);

/* Tells by Tell, for FvRegisterHolder's purpose, which waits are under way and who holds what is waited for. */
VOID KiTellWaits(PFV_TELL Tell, BOOLEAN Frozen);

/*
 * tracked.c: KE_TRACKED goes on with what ke tracks for itself; of several the first is reported.  Objects are aligned to
 * 8 bytes.  All at any IRQL.
 */
enum { KiTrackedTimer = KeTrackedKinds, KiTrackedTimerDpc, KiTrackedRoutine, KiTrackedOrder, KiTrackedKinds };
VOID KiTrack(ULONG Kind, const VOID *Object);
BOOLEAN KiUntrack(ULONG Kind, const VOID *Object); /* FALSE: it was not tracked */

/* A DPC's routine lies in pool, not in an image, whose unloading looks at all routines anyway. */
FORCEINLINE BOOLEAN KiIsRoutineInPool(const KDPC *Dpc)
{
    return (ULONG_PTR)Dpc->DeferredRoutine - 0xFFFF900000000000ull < 0x0000300000000000ull;
}

BOOLEAN KiIsTracked(ULONG Kind, const VOID *Object);

/* Where the addresses of a block of memory begin in the table; tracked.c tells of both. */
#define KI_TRACKED_BITS  16
#define KI_TRACKED_BLOCK 8 /* its bytes, as a power of two */
extern volatile ULONG_PTR KiTracked[1u << KI_TRACKED_BITS];
extern ULONG KiTrackedCount;

FORCEINLINE ULONG KiTrackedHome(ULONG_PTR Block)
{
    return (ULONG)(Block * 0x9E3779B97F4A7C15ull >> (64 - KI_TRACKED_BITS));
}

/* FALSE: nothing in the range is tracked.  Without the lock. */
FORCEINLINE BOOLEAN KiMayBeTracked(PVOID Base, SIZE_T Size)
{
    ULONG_PTR First = (ULONG_PTR)Base >> KI_TRACKED_BLOCK, Last = ((ULONG_PTR)Base + Size - 1) >> KI_TRACKED_BLOCK;

    if (KiTrackedCount == 0 || Size == 0)
        return FALSE;
    if (Last - First >= 1u << KI_TRACKED_BITS)
        return TRUE;
    while (KiTracked[KiTrackedHome(First)] == 0) {
        if (First++ == Last)
            return FALSE;
    }
    return TRUE;
}
const VOID *KiFindTrackedIn(PVOID Base, SIZE_T Size, PULONG Kind); /* that lies in a range; NULL: none */
DECLSPEC_NORETURN VOID KiReportTracked(PVOID Base, SIZE_T Size, ULONG Kind, const VOID *Entry);

/* bugcheck.c */
PVOID KiFindBugCheckCallback(ULONG64 Base, SIZE_T Size, PVOID *Routine);
VOID KiInitializeBugCheck(VOID);
DECLSPEC_NORETURN VOID KiBugCheckUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context, KIRQL Irql);

/* stacks.c */
typedef struct _KI_REPORT {
    struct fltvm_bugcheck Header; /* what is sent: this, and Used bytes of stacks */
    UCHAR Stacks[FLTVM_LINK_MAX_PAYLOAD - sizeof(struct fltvm_bugcheck)];
    ULONG Used;
    ULONG Count;
    BOOLEAN Sent;
} KI_REPORT;
extern KI_REPORT KiReport; /* too large for a stack, and there is one bugcheck only */
VOID KiClearStacks(VOID);
VOID KiAddStack(PKTHREAD Thread, ULONG Number, KIRQL Irql, ULONG Flags, PCONTEXT Context);
VOID KiAddFrozenStack(PKPRCB Prcb);
VOID KiAddOtherStacks(PKPRCB Current);
/* What those tell who have registered; after the stacks.  Frozen: by every other processor. */
VOID KiTellHolders(BOOLEAN Frozen);

/* processor.c: this processor's block, also when a driver has overwritten the GS base: then it is put right. */
PKPRCB KiRepairProcessor(VOID);

/* Documented routines that mingw-w64's headers leave out or make macros of. */
#undef KeQueryInterruptTime
#undef KeQuerySystemTime
#undef KeQueryTickCount
ULONGLONG NTAPI KeQueryInterruptTime(VOID);
VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
VOID NTAPI KeQueryTickCount(PLARGE_INTEGER TickCount);
ULONG NTAPI KeQueryNodeActiveProcessorCount(USHORT NodeNumber);
ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID);
ULONG NTAPI KeIsExecutingDpc(VOID);
ULONG NTAPI KeShouldYieldProcessor(VOID);
BOOLEAN NTAPI KeInvalidateAllCaches(VOID);
NTSTATUS NTAPI KeSaveFloatingPointState(PKFLOATING_SAVE FloatSave);
NTSTATUS NTAPI KeRestoreFloatingPointState(PKFLOATING_SAVE FloatSave);
NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size,
                                               BOOLEAN Wait, PVOID Context);

/* Interrupts off and on again as they were. */
FORCEINLINE BOOLEAN KiDisableInterrupts(VOID)
{
    BOOLEAN Enabled = (__readeflags() & 0x200) != 0;

    _disable();
    return Enabled;
}

FORCEINLINE VOID KiRestoreInterrupts(BOOLEAN Enabled)
{
    if (Enabled) {
        _enable();
    }
}

/*
 * A rule that Windows holds its callers to under Driver Verifier (or in a checked build) only: a free build takes what
 * breaks it and goes on, so what follows must do what a free build does.  DRIVER_VERIFIER_DETECTED_VIOLATION has a number
 * for some of these rules.
 */

#define KiVerify(Holds, Code, P1, P2, P3, P4)                                                                          \
    do {                                                                                                               \
        if (!(Holds) && KiDriverVerifierOn) {                                                                          \
            KeBugCheckEx((Code), (P1), (P2), (P3), (P4));                                                              \
        }                                                                                                              \
    } while (0)

/* The lock word: owner's thread | 1, as in Windows's verifier; so recursion and foreign release are seen. */
VOID KiSpinLockNotOwned(PKSPIN_LOCK SpinLock);
VOID KiSpinLockWait(PKSPIN_LOCK SpinLock, ULONG_PTR Owner);
KIRQL NTAPI KiAcquireNoted(PKSPIN_LOCK SpinLock);
VOID NTAPI KiReleaseNoted(PKSPIN_LOCK SpinLock, KIRQL NewIrql);

/* What a thread spins for, KTHREAD.SpinsFor: the lock's address with its kind. */
typedef enum _KI_SPIN_KIND { KiSpinOrdinary, KiSpinQueued, KiSpinExecutive, KiSpinKinds } KI_SPIN_KIND;

/* The thread has spun for long: are those that hold the lock spinning for what it holds itself? */
VOID KiCheckSpinCircle(PKTHREAD Thread);

FORCEINLINE VOID KiAcquireSpinLock(PKSPIN_LOCK SpinLock)
{
    ULONG_PTR Owner = __readgsqword(0x188) | 1;

    if (InterlockedCompareExchange64((volatile LONG64 *)SpinLock, Owner, 0) != 0) {
        KiSpinLockWait(SpinLock, Owner);
    }
}

FORCEINLINE VOID KiReleaseSpinLock(PKSPIN_LOCK SpinLock)
{
    if (*SpinLock != (__readgsqword(0x188) | 1)) {
        KiSpinLockNotOwned(SpinLock);
    }
    _ReadWriteBarrier();
    *(volatile KSPIN_LOCK *)SpinLock = 0;
}

/* The dispatcher lock, inline. */
FORCEINLINE KIRQL KiAcquireDispatcher(VOID)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (OldIrql < DISPATCH_LEVEL) {
        __writecr8(DISPATCH_LEVEL);
    }
    KiAcquireSpinLock(&KiDispatcherLock);
    return OldIrql;
}

/* A context switch hands the lock over: its owner becomes the thread switched to. */
FORCEINLINE VOID KiTransferDispatcher(PKTHREAD Thread)
{
    *(volatile KSPIN_LOCK *)&KiDispatcherLock = (ULONG_PTR)Thread | 1;
}

#endif

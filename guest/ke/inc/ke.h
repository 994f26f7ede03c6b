/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ke: processors, threads, the dispatcher, interrupts, DPCs, APCs, traps and bugchecks.
 *
 * Idea: as in NT, one dispatcher lock guards every dispatcher object, wait and ready queue; it is taken at
 * DISPATCH_LEVEL and held across a context switch.  IRQL is CR8; APC_LEVEL and DISPATCH_LEVEL are software
 * interrupts the processor sends itself.  DPC queues have a lock each, taken with interrupts off.
 *
 * What the public headers declare (Ke*, Kf*, Ex*SpinLock*) is implemented here and not repeated.
 */
#ifndef FLTVM_KE_H
#define FLTVM_KE_H

#include <boot.h>

typedef struct _KTHREAD KTHREAD;
typedef struct _KPROCESS KPROCESS;
typedef struct _KINTERRUPT KINTERRUPT;
typedef struct _KPRCB KPRCB, *PKPRCB;
typedef struct _KTRAP_FRAME KTRAP_FRAME, *PKTRAP_FRAME;
typedef struct _KEXCEPTION_FRAME KEXCEPTION_FRAME, *PKEXCEPTION_FRAME;

#define SYNCH_LEVEL DISPATCH_LEVEL /* of the dispatcher lock */

/* Types of dispatcher objects, in DISPATCHER_HEADER.Type; Windows's numbers. */
typedef enum _KOBJECTS {
    EventNotificationObject = 0,
    EventSynchronizationObject = 1,
    MutantObject = 2,
    ProcessObject = 3,
    QueueObject = 4,
    SemaphoreObject = 5,
    ThreadObject = 6,
    TimerNotificationObject = 8,
    TimerSynchronizationObject = 9,
    ApcObject = 18,
    DpcObject = 19,
    DeviceQueueObject = 20,
    InterruptObject = 22,
    ThreadedDpcObject = 24
} KOBJECTS;

typedef enum _KTHREAD_STATE {
    Initialized,
    Ready,
    Running,
    Standby,
    Terminated,
    Waiting,
    Transition,
    DeferredReady
} KTHREAD_STATE;

#define LOW_PRIORITY          0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY         31
#define MAXIMUM_PRIORITY      32

#define KE_HELD_LOCKS  8
#define KE_FLOAT_STATE 108 /* bytes, of x87 */

#define KERNEL_STACK_SIZE       0x6000
#define KERNEL_LARGE_STACK_SIZE 0x12000

/*
 * What a routine that is called has to leave as it was, as one word: FvBeginCall and FvEndCall.  All of it is the
 * thread's own, but Resources changes from outside, too, and so by interlocked routines.
 */
typedef union _KCALL_STATE {
    ULONG64 CallState;
    struct {
        CHAR Resources;          /* acquisitions of ERESOURCEs and mutexes not yet released */
        CHAR Locks;              /* of spin locks, fast mutexes and push locks */
        UCHAR Impersonating : 1; /* ps's */
        UCHAR Attached : 7;      /* how many attachments to processes stand */
        SCHAR PriorityDrift;     /* the sum of what the thread has changed of its own priority */
        union {
            struct {
                SHORT KernelApcDisable;
                SHORT SpecialApcDisable;
            };
            LONG CombinedApcDisable;
        };
    };
} KCALL_STATE;

/*
 * A thread.  It is a dispatcher object, signalled at its end.  Offsets that Windows's headers or debuggers
 * know of are kept: StackLimit, StackBase, ApcState, PreviousMode, Process.
 */
struct _KTHREAD {
    DISPATCHER_HEADER Header; /* 000: the dispatcher lock */
    PVOID SListFaultAddress;
    ULONG64 QuantumTarget;
    PVOID InitialStack;        /* 028: top as given by mm */
    PVOID volatile StackLimit; /* 030: lowest valid address; changes in KeExpandKernelStackAndCallout */
    PVOID StackBase;           /* 038 */
    ULONG64 ThreadLock;
    ULONG64 CycleTime;
    ULONG64 StackTotal;
    PVOID KernelStack; /* 058: stack pointer while switched out */

    /* The dispatcher lock. */
    PKTHREAD OwnSpace;     /* 060: itself, when a switch to it has more to do than to change stacks; else NULL */
    ULONG64 UserStackLow;  /* 068: the user stack, all that is reserved for it */
    ULONG64 UserStackHigh; /* 070 */
    PVOID UserFloat;       /* 078: x87 state while switched out; NULL: it has never been in user mode */
    BOOLEAN Terminating;   /* it ends before it is in user mode again; UserApcPending is set, too */
    BOOLEAN UserApcLater;  /* UserApcPending is set for UserContext, and no APC is due */
    UCHAR Spare82[6];
    volatile LONG State;    /* 088: KTHREAD_STATE */
    NTSTATUS PageStatus;    /* 08C: its own; why the last page of a file that it touched could not be read */
    PKTRAP_FRAME TrapFrame; /* 090 */
    KAPC_STATE ApcState;    /* 098 */
    LONG64 WaitStatus;      /* 0C8 */
    PKWAIT_BLOCK WaitBlockList;
    LIST_ENTRY WaitListEntry; /* 0D8: ready queue, or process's */
    PKQUEUE volatile Queue;   /* 0E8 */
    PVOID Teb;
    PCONTEXT UserContext;         /* its own: what it continues with in user mode, where this is */
    KTIMER Timer;                 /* 100: time-out of a wait */
    KWAIT_BLOCK WaitBlock[4];     /* 140: three of the thread's own and the timer's */
    PEXCEPTION_RECORD UserRecord; /* and the exception that it raises there */
    LIST_ENTRY QueueListEntry;    /* 208 */
    KAFFINITY Affinity;           /* 218 */
    PKPROCESS Process;            /* 220 */
    KAFFINITY UserAffinity;       /* 228: what Affinity returns to after KeRevertToUserAffinityThread */
    SHORT Spare230;
    CCHAR PreviousMode; /* 232 */
    SCHAR BasePriority;
    SCHAR Priority;
    SCHAR PriorityDecrement; /* boost still to decay */
    SCHAR Quantum;
    SCHAR QuantumReset;
    ULONG NextProcessor; /* 238: runs on, or last ran on */
    ULONG IdealProcessor;
    UCHAR WaitReason; /* 240 */
    UCHAR WaitMode;
    BOOLEAN Alertable;
    BOOLEAN Alerted[2];
    BOOLEAN ApcQueueable;
    BOOLEAN SystemAffinityActive;
    BOOLEAN Preempted;
    KCALL_STATE;                /* 248 */
    ULONG_PTR TopLevelIrp;      /* 250: io's; the thread itself only */
    LIST_ENTRY ThreadListEntry; /* 258: of Process */
    LIST_ENTRY MutantListHead;  /* 268: mutexes owned */
    LIST_ENTRY SystemListEntry; /* 278: every thread, KiThreadListHead */
    PKSTART_ROUTINE StartRoutine;
    PVOID StartContext;
    VOID(NTAPI *SystemRoutine)(PKSTART_ROUTINE StartRoutine, PVOID StartContext);
    CHAR Name[24];     /* for the host: reports and traces */
    ULONG64 WaitStart; /* interrupt time */
    ULONG ContextSwitches;
    ULONG KernelTime;        /* ticks */
    const VOID *Blamed;      /* FvBlame's; the thread itself only */
    const VOID *WaitCaller;  /* who called KeWaitForSingleObject last */
    const VOID *HolderKnown; /* what it waits for, when KiWaitForHolder has looked at that */
    /*
     * With the verifier on, what it holds and who took it.  Locks are at their depth, KCALL_STATE.Locks, of which the last
     * few are known; resources and mutexes, which others may take and give back, wherever there is room.
     */
    const VOID *HeldLock[KE_HELD_LOCKS]; /* NULL: free; the thread itself only, as the callers are */
    const VOID *HeldCaller[KE_HELD_LOCKS];
    struct {
        const VOID *Lock; /* NULL: free */
        const VOID *Caller;
    } Held[KE_HELD_LOCKS];
    volatile ULONG_PTR SpinsFor; /* the spin lock it spins for and its kind; an interrupt's hides the thread's */
    BOOLEAN BoostDisabled;
    BOOLEAN IdleThread;
    UCHAR WaitIrql;
    BOOLEAN WaitNext;
};

/*
 * Room for ps's ETHREAD and EPROCESS: the processors' idle threads and their process, which ke owns, have it
 * too, because code at DISPATCH_LEVEL may meet them as the current ones.
 */
#define KE_THREAD_SIZE  0x600
#define KE_PROCESS_SIZE 0x400
C_ASSERT(sizeof(KTHREAD) <= KE_THREAD_SIZE - 0x100);

/* An address space and a set of threads. */
struct _KPROCESS {
    DISPATCHER_HEADER Header;
    LIST_ENTRY ProfileListHead;
    ULONG64 DirectoryTableBase; /* 028 */
    LIST_ENTRY ThreadListHead;  /* 030: the dispatcher lock */
    KAFFINITY Affinity;
    SCHAR BasePriority;
    SCHAR QuantumReset;
    UCHAR Spare[6];
    struct _MM_SPACE *AddressSpace; /* mm's: the user range; NULL: it has none */
    ULONG64 UserApcDispatcher;      /* of its ntdll.dll, as the next; set before its first thread */
    ULONG64 UserExceptionDispatcher;
};

/* The processor's block, at gs:[0x180].  The first offsets are Windows's. */
struct _KPRCB {
    ULONG MxCsr;
    UCHAR LegacyNumber; /* gs:[0x184] */
    UCHAR ReservedMustBeZero;
    UCHAR InterruptRequest;
    UCHAR IdleHalt;
    PKTHREAD CurrentThread; /* gs:[0x188] */
    PKTHREAD NextThread;    /* gs:[0x190]: the dispatcher lock; chosen to run here next */
    PKTHREAD IdleThread;    /* gs:[0x198] */
    UCHAR NestingLevel;
    UCHAR Spare21[3];
    ULONG Number; /* gs:[0x1A4] */
    ULONG64 RspBase;
    KAFFINITY SetMember;

    /* DpcLock, interrupts off. */
    KSPIN_LOCK DpcLock;
    LIST_ENTRY DpcListHead;
    volatile LONG DpcQueueDepth;
    volatile BOOLEAN DpcInterruptRequested;
    volatile BOOLEAN DpcRoutineActive;
    volatile BOOLEAN QuantumEnd;
    volatile BOOLEAN TimerRequest;
    PKDPC volatile CurrentDpc;
    PVOID DpcRoutine;
    ULONG DpcCount;
    ULONG DpcTicks;      /* clock ticks during the DPC that runs */
    ULONG DispatchTicks; /* clock ticks in a row that found the processor at DISPATCH_LEVEL or above */

    /* This processor only. */
    ULONG ContextSwitches;
    ULONG InterruptCount;
    ULONG ClockTicks;
    ULONG IdleTicks;
    volatile LONG IpiRequests; /* KI_IPI_*; set by others */
    BOOLEAN IdleActive;        /* runs its idle thread; the dispatcher lock */
    BOOLEAN Frozen;
    UCHAR Spare3[2];
    PKTRAP_FRAME FrozenFrame;
    PVOID FrozenStack[2];
    struct _KINTERRUPT *volatile InterruptObject[256]; /* by vector */
    PVOID MmPrivate[8];                                /* mm's per-processor data */
    PVOID ExPrivate[8];                                /* ex's: lookaside lists */
};

C_ASSERT(FIELD_OFFSET(KTHREAD, StackLimit) == 0x30);
C_ASSERT(FIELD_OFFSET(KTHREAD, KernelStack) == 0x58);
C_ASSERT(FIELD_OFFSET(KTHREAD, State) == 0x88);
C_ASSERT(FIELD_OFFSET(KTHREAD, ApcState) == 0x98);
C_ASSERT(FIELD_OFFSET(KTHREAD, ApcState.UserApcPending) == 0xC2); /* trap.S */
C_ASSERT(FIELD_OFFSET(KTHREAD, WaitBlock) == 0x140);
C_ASSERT(FIELD_OFFSET(KTHREAD, Process) == 0x220);
C_ASSERT(FIELD_OFFSET(KTHREAD, PreviousMode) == 0x232);
C_ASSERT(sizeof(KTHREAD) / sizeof(LONG) <= 0xFF); /* Header.Size */
C_ASSERT(FIELD_OFFSET(KTHREAD, CombinedApcDisable) == 0x24C);
/* The machine reads these two as well: abi/tracepoint.h. */
C_ASSERT(FIELD_OFFSET(KPRCB, CurrentThread) == 8);
C_ASSERT(FIELD_OFFSET(KPRCB, Number) == 0x24);

/* The volatile state a trap saves; Windows's layout. */
struct _KTRAP_FRAME {
    ULONG64 Home[5];
    CHAR PreviousMode; /* 028 */
    UCHAR PreviousIrql;
    UCHAR FaultIndicator;
    UCHAR Vector; /* ExceptionActive on Windows */
    ULONG MxCsr;
    ULONG64 Rax, Rcx, Rdx, R8, R9, R10, R11; /* 030 */
    ULONG64 GsBase;
    M128A Xmm0, Xmm1, Xmm2, Xmm3, Xmm4, Xmm5; /* 070 */
    ULONG64 FaultAddress;                     /* 0D0 */
    ULONG64 Dr[6];
    ULONG64 DebugControl[5];
    USHORT SegDs, SegEs, SegFs, SegGs; /* 130 */
    ULONG64 TrapFrame;
    ULONG64 Rbx, Rdi, Rsi, Rbp; /* 140; Rbx, Rdi, Rsi in exceptions only */
    ULONG64 ErrorCode;          /* 160 */
    ULONG64 Rip;
    USHORT SegCs;
    USHORT Fill1[3];
    ULONG EFlags;
    ULONG Fill2;
    ULONG64 Rsp; /* 180 */
    USHORT SegSs;
    USHORT Fill3[3];
};
C_ASSERT(sizeof(KTRAP_FRAME) == 0x190);
C_ASSERT(FIELD_OFFSET(KTRAP_FRAME, Rbp) == 0x158);

/* The non-volatile state an exception or a context switch saves; below the trap frame. */
struct _KEXCEPTION_FRAME {
    ULONG64 Home[4];
    M128A Xmm6, Xmm7, Xmm8, Xmm9, Xmm10, Xmm11, Xmm12, Xmm13, Xmm14, Xmm15; /* 020 */
    ULONG64 R12, R13, R14, R15;                                             /* 0C0 */
};
C_ASSERT(sizeof(KEXCEPTION_FRAME) == 0xE0);

struct _KINTERRUPT {
    SHORT Type;
    SHORT Size;
    LIST_ENTRY InterruptListEntry; /* chain on the vector */
    PKSERVICE_ROUTINE ServiceRoutine;
    PKMESSAGE_SERVICE_ROUTINE MessageServiceRoutine;
    PVOID ServiceContext;
    ULONG MessageId;
    ULONG Vector;
    ULONG Number; /* processor */
    KIRQL Irql;
    KIRQL SynchronizeIrql;
    BOOLEAN Connected;
    BOOLEAN ShareVector;
    KINTERRUPT_MODE Mode;
    PKSPIN_LOCK ActualLock;
    KSPIN_LOCK SpinLock;
    ULONG64 Count;
};

/*
 * What the kernel takes for granted.  Where it does not hold the run ends with the condition, file and line; without the
 * verifier it goes on, as a free build of Windows does.  A comparison and a branch, and nothing else where it holds.
 */
DECLSPEC_NOINLINE VOID KeAssertionFailed(PCSTR Condition, PCSTR File, ULONG Line);

#define KeAssert(Holds)                                                                                                \
    ((__builtin_expect(!!(Holds), 1)) ? (VOID)0 : KeAssertionFailed(#Holds, __FILE_NAME__, __LINE__))

/* ---- processors and start-up (called by init) ---- */

extern PKPRCB KiProcessorBlock[FLTVM_MAX_PROCESSORS];
extern ULONG KiProcessorCount; /* that run */
extern KAFFINITY KeActiveSet;
extern BOOLEAN KiDriverVerifierOn;

FORCEINLINE PKPRCB KeGetCurrentPrcb(VOID)
{
    return (PKPRCB)__readgsqword(0x20);
}

/* Processor 0's blocks, tables and idle thread.  First call of the kernel; interrupts off, IRQL HIGH_LEVEL.
 */
VOID KeInitSystem(struct fltvm_loader_block *LoaderBlock);

/* Options, clock and interrupts on.  After KdInitSystem.  IRQL leaves at DISPATCH_LEVEL. */
VOID KeEnableInterrupts(VOID);

/* Starts the other processors.  IRQL: PASSIVE_LEVEL. */
VOID KeStartProcessors(VOID);

/* The boot code's last call, with KiCreateStack set: becomes processor 0's idle thread, on a stack of mm's. */
DECLSPEC_NORETURN VOID KeIdle(VOID);

/* ---- threads (ps) ---- */

/*
 * Prepares a thread that will run SystemRoutine(StartRoutine, StartContext) at PASSIVE_LEVEL on the stack
 * whose top is StackBase.  The caller owns the memory (zeroed KTHREAD is not needed).  IRQL: <=
 * DISPATCH_LEVEL.
 */
VOID KeInitThread(PKTHREAD Thread, PVOID StackBase, SIZE_T StackSize,
                  VOID(NTAPI *SystemRoutine)(PKSTART_ROUTINE, PVOID), PKSTART_ROUTINE StartRoutine, PVOID StartContext,
                  PKPROCESS Process);

/* Gives it to the scheduler.  IRQL: <= DISPATCH_LEVEL. */
VOID KeStartThread(PKTHREAD Thread);

/*
 * Ends the current thread: mutexes abandoned, object signalled with Increment, never returns.  The memory may
 * be freed once KiThreadReaper(Thread) is called, at PASSIVE_LEVEL on another thread.  IRQL: PASSIVE_LEVEL.
 */
DECLSPEC_NORETURN VOID KeTerminateThread(KPRIORITY Increment);
extern VOID (*KiThreadReaper)(PKTHREAD Thread);

/* Bugchecks when the current thread may not end: its IRQL, APCs, locks; or it is a worker.  IRQL: any. */
VOID KeCheckThreadExit(VOID);

/* A name for reports and traces. */
VOID KeSetThreadName(PKTHREAD Thread, PCSTR Name);

VOID KeInitializeProcess(PKPROCESS Process, KPRIORITY BasePriority, KAFFINITY Affinity, ULONG64 DirectoryTableBase);

/* Every thread in the machine, by SystemListEntry; the dispatcher lock. */
extern LIST_ENTRY KiThreadListHead;
KIRQL KiLockDispatcher(VOID);
VOID KiUnlockDispatcher(KIRQL OldIrql);

VOID KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment, PKKERNEL_ROUTINE KernelRoutine,
                     PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE Mode,
                     PVOID NormalContext);
BOOLEAN KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2, KPRIORITY Increment);
BOOLEAN KeRemoveQueueApc(PKAPC Apc);
BOOLEAN KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE Mode);
BOOLEAN KeTestAlertThread(KPROCESSOR_MODE Mode);

/*
 * A timer that is not set, by interrupt time.  NewPeriod: that of a periodic timer, which stays signalled if it is.
 * IRQL <= DISPATCH_LEVEL.
 */
VOID KeSetTimerAt(PKTIMER Timer, ULONG64 DueTime, PKDPC Dpc, BOOLEAN NewPeriod);

/* KeRemoveQueue that an alert or a user APC may end, if Alertable: STATUS_ALERTED, STATUS_USER_APC in the entry's place. */
PLIST_ENTRY KeRemoveQueueAlertable(PKQUEUE Queue, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout);

/*
 * How many threads of a queue run now; and an event, the same for all queues that have one, to be set whenever an
 * entry is left that could run but for want of a thread: ex grows its pools by them.
 */
ULONG KeQueueActiveThreads(PKQUEUE Queue);
VOID KeWatchQueue(PKQUEUE Queue, PKEVENT Event);

/* How many of a queue's threads do not wait for its next entry: they run, or wait for something else.  IRQL <= DISPATCH_LEVEL. */
ULONG KeQueueBusyThreads(PKQUEUE Queue);

/* Stacks for idle threads, traps and KeExpandKernelStackAndCallout: mm's MmCreateKernelStack and MmDeleteKernelStack; set by init. */
extern PVOID (*KiCreateStack)(ULONG Size);
extern VOID (*KiDeleteStack)(PVOID Base, ULONG Size);

/* Sends FLTVM_RECORD_STACKS of every thread, exact for those that do not run on other processors.  IRQL: any. */
VOID KeReportStacks(VOID);
VOID KeHurryWatchdog(VOID); /* from now on 0x133 finds who holds a processor in 100 ms */

#include "held.h"

/* Whether it is a thread that has begun and not ended.  IRQL <= DISPATCH_LEVEL. */
BOOLEAN KeIsThread(const VOID *Thread);

/* ---- routines that are given ---- */

/*
 * Whether it can be a routine: no NULL, no address of user space; and with the verifier on, something that may be
 * executed.  Call it where the routine is given, so that the giver can be blamed.  IRQL: any.
 */
BOOLEAN KiFindRoutine(const VOID *Routine);
/* Some that have been found; so many that those in a request's way hardly take each other's places. */
extern const VOID *volatile KiKnownRoutine[1024];
#define KI_PLACE_OF_ROUTINE(Routine) ((ULONG_PTR)(Routine) >> 4 & 1023)

FORCEINLINE BOOLEAN KeIsKnownRoutine(const VOID *Routine)
{
    return KiKnownRoutine[KI_PLACE_OF_ROUTINE(Routine)] == Routine;
}

FORCEINLINE BOOLEAN KeIsRoutine(const VOID *Routine)
{
    return KeIsKnownRoutine(Routine) || KiFindRoutine(Routine);
}

/* Bugchecks 0xC4, FV_BAD_ROUTINE when it is none and the verifier is on: for the routine that is given it. */
VOID KiCheckRoutine(const VOID *Routine, PCSTR What);

FORCEINLINE VOID KeCheckRoutine(const VOID *Routine, PCSTR What)
{
    if (!KeIsKnownRoutine(Routine)) {
        KiCheckRoutine(Routine, What);
    }
}

/* Code has gone: what was known of it is forgotten.  IRQL: any. */
VOID KeForgetRoutines(VOID);

/* Set by mm: FvIsCode. */
extern BOOLEAN(NTAPI *KeMmIsCode)(const VOID *Address);

/* ---- traps ---- */

/*
 * Set by mm.  STATUS_SUCCESS: retry the access; STATUS_UNSUCCESSFUL: ke bugchecks (0xA or 0xD1 at
 * DISPATCH_LEVEL or above, else 0x50); any other status is raised as an exception at the faulting
 * instruction.
 */
extern NTSTATUS (*KeMmAccessFault)(ULONG64 ErrorCode, PVOID Address, KPROCESSOR_MODE Mode, PKTRAP_FRAME TrapFrame);

/*
 * Whose code an address is, for blame: set by ldr.  Images that have been unloaded count, for stray pointers lead there.
 * Follows no pointers that a driver may have broken.  IRQL: any.
 */
typedef enum _KI_CODE {
    KiNoCode,
    KiKernelCode,
    KiInBoxCode, /* the machine's own drivers, fltmgr among them: not blamed while another driver can be */
    KiDriverCode
} KI_CODE;
extern KI_CODE (*KiClassifyCode)(ULONG64 Address);

/* Invalidate one page / everything on every processor.  IRQL: <= DISPATCH_LEVEL. */
VOID KeFlushMultipleTb(PVOID Address, ULONG Pages);
VOID KeFlushEntireTb(VOID);

/* ---- interrupts (io) ---- */

VOID KeInitializeInterrupt(PKINTERRUPT Interrupt, PKSERVICE_ROUTINE ServiceRoutine,
                           PKMESSAGE_SERVICE_ROUTINE MessageServiceRoutine, PVOID ServiceContext, ULONG MessageId,
                           PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql, KIRQL SynchronizeIrql, KINTERRUPT_MODE Mode,
                           BOOLEAN ShareVector, ULONG Number);
BOOLEAN KeConnectInterrupt(PKINTERRUPT Interrupt);
BOOLEAN KeDisconnectInterrupt(PKINTERRUPT Interrupt);

/*
 * With the verifier bugchecks 0xC7 when a timer that is set or a queued DPC lies in memory that is about to go, and for code
 * also when the routine of one does.  The first costs what the memory's size is, the second looks at all there are.
 * IRQL: <= DISPATCH_LEVEL.
 */
VOID KeCheckMemoryRange(PVOID Base, SIZE_T Size);
VOID KeCheckCodeRange(PVOID Base, SIZE_T Size);

/*
 * The same for what has to be deleted first: 0xC4 with Driver Verifier's codes, also when it is initialized again.  Entry
 * lies in the object and is this component's from now on; Caller initialized it.  Untracking: FALSE when it is not tracked, always TRUE without
 * the verifier.  IRQL: <= DISPATCH_LEVEL.
 */
typedef enum _KE_TRACKED { KeTrackedResource, KeTrackedLookaside, KeTrackedKinds } KE_TRACKED;
VOID KeTrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry, const VOID *Object, PVOID Caller);
BOOLEAN KeUntrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry);

/*
 * A driver goes and leaves something behind: 0xC4, FV_LEFT_BEHIND.  What: a few words; Maker: code of the driver that made
 * it, or the routine that it is.  And ke's own check of the kind: bugcheck callbacks, interrupt service routines.
 */
DECLSPEC_NORETURN VOID KeReportLeft(PCSTR What, const VOID *Object, const VOID *Maker);
VOID KeCheckLeft(PVOID Base, SIZE_T Size);

/* Whether it is a thread that waits with a time-out, so that it goes on by itself.  Whatever the address is.  IRQL: <= DISPATCH_LEVEL. */
BOOLEAN KeWillGoOn(const VOID *Thread);

/* The driver that runs this: its innermost return address, for who made what.  NULL: none.  IRQL: any. */
const VOID *KeFindDriverCaller(VOID);

/* ---- executive spin locks' and others' checks ---- */

/* TRUE when every APC of the current thread is held off, or IRQL >= APC_LEVEL. */
BOOLEAN KeAreAllApcsDisabled(VOID);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bugcheck: the end.  Other processors are frozen by NMI, callbacks run, stacks are walked through .pdata and
 * sent to the host with the code; the machine is turned off.  An NMI with no bugcheck in progress is the
 * host's: it wants the stacks of a guest that hangs.
 */
#include "kep.h"

#define KI_STACK_FRAMES 48

volatile BOOLEAN KiBugCheckActive;
static volatile LONG KiBugCheckOwner = -1; /* processor */
static volatile LONG KiFreezeRequested;

static LIST_ENTRY KiBugCheckCallbacks = {&KiBugCheckCallbacks, &KiBugCheckCallbacks};
static LIST_ENTRY KiReasonCallbacks = {&KiReasonCallbacks, &KiReasonCallbacks};
static KSPIN_LOCK KiCallbackLock;

/* What is sent; too large for a stack, and there is one bugcheck only. */
static struct {
    struct fltvm_bugcheck Header;
    UCHAR Stacks[FLTVM_LINK_MAX_PAYLOAD - sizeof(struct fltvm_bugcheck)];
} KiReport;
static ULONG KiReportUsed;
static ULONG KiReportStackCount;
static BOOLEAN KiReportSent;

/* Bounds of the stack being walked; High 0: not known, as on an NMI's stack. */
static ULONG64 KiWalkLow, KiWalkHigh;

static BOOLEAN KiIsStack(ULONG64 Address)
{
    if (KiWalkHigh == 0) {
        return Address >= FLTVM_VA_DIRECT_MAP && (Address & 7) == 0;
    }
    return Address >= KiWalkLow && Address + 8 <= KiWalkHigh && (Address & 7) == 0;
}

static VOID KiAddStack(PKTHREAD Thread, ULONG Number, KIRQL Irql, ULONG Flags, PCONTEXT Context,
                       ULONG Capacity)
{
    struct fltvm_stack *Stack = (struct fltvm_stack *)(KiReport.Stacks + KiReportUsed);
    ULONG64 *Frames = (ULONG64 *)(Stack + 1);

    if (KiReportUsed + sizeof(*Stack) + Capacity * sizeof(ULONG64) > sizeof(KiReport.Stacks)) {
        return;
    }
    RtlZeroMemory(Stack, sizeof(*Stack));
    Stack->thread = (ULONG64)Thread;
    Stack->cpu = Number;
    Stack->irql = Irql;
    Stack->state = (UCHAR)Thread->State;
    Stack->priority = (UCHAR)Thread->Priority;
    Stack->wait_reason = Thread->WaitReason;
    Stack->flags = Flags;
    RtlCopyMemory(Stack->name, Thread->Name, sizeof(Stack->name));
    KiWalkLow = (ULONG64)Thread->StackLimit;
    KiWalkHigh = Flags & FLTVM_STACK_RUNNING ? 0 : (ULONG64)Thread->StackBase;
    Stack->frames = RtlWalkStack(Context, KiIsStack, (PVOID *)Frames, Capacity);
    KiReportUsed += sizeof(*Stack) + Stack->frames * sizeof(ULONG64);
    KiReportStackCount++;
}

/* A thread that is switched out: its top frame is KiSwapContext's. */
static VOID KiAddWaitingStack(PKTHREAD Thread)
{
    CONTEXT Context;

    RtlZeroMemory(&Context, sizeof(Context));
    Context.Rip = (ULONG64)KiSwapContextResume;
    Context.Rsp = (ULONG64)Thread->KernelStack;
    KiAddStack(Thread, Thread->NextProcessor, Thread->WaitIrql, 0, &Context, KI_STACK_FRAMES);
}

static VOID KiAddFrozenStack(PKPRCB Prcb)
{
    PKTRAP_FRAME Trap = Prcb->FrozenFrame;
    PKEXCEPTION_FRAME Exception = Prcb->FrozenStack[0];
    CONTEXT Context;

    RtlZeroMemory(&Context, sizeof(Context));
    Context.Rip = Trap->Rip;
    Context.Rsp = Trap->Rsp;
    Context.Rbp = Trap->Rbp;
    Context.Rbx = Trap->Rbx;
    Context.Rsi = Trap->Rsi;
    Context.Rdi = Trap->Rdi;
    Context.R12 = Exception->R12;
    Context.R13 = Exception->R13;
    Context.R14 = Exception->R14;
    Context.R15 = Exception->R15;
    KiAddStack(Prcb->CurrentThread, Prcb->Number, Trap->PreviousIrql, FLTVM_STACK_RUNNING, &Context,
               KI_STACK_FRAMES);
}

static VOID KiAddOtherStacks(PKPRCB Current)
{
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        PKPRCB Prcb = KiProcessorBlock[Number];

        if (Prcb != Current && Prcb->Frozen) {
            KiAddFrozenStack(Prcb);
        }
    }
    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead; Entry = Entry->Flink) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, SystemListEntry);

        if (Thread->State != Running && Thread->KernelStack != NULL) {
            KiAddWaitingStack(Thread);
        }
    }
}

/* Every other processor stops in its NMI handler; a second is enough, or it is beyond help. */
VOID KiFreezeOthers(VOID)
{
    ULONG64 Until = __rdtsc() + HalTscFrequency / 4;

    KiFreezeRequested = TRUE;
    if (KiProcessorCount < 2) {
        return;
    }
    HalSendNmiToOthers();
    for (;;) {
        ULONG Frozen = 0;

        for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
            Frozen += KiProcessorBlock[Number]->Frozen;
        }
        if (Frozen >= KiProcessorCount - 1 || (LONG64)(__rdtsc() - Until) > 0) {
            return;
        }
        _mm_pause();
    }
}

/* NMI: frozen for another processor's bugcheck, or asked for stacks because the host's patience is over. */
VOID KiFrozen(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    Prcb->FrozenFrame = TrapFrame;
    Prcb->FrozenStack[0] = ExceptionFrame;
    if (!KiFreezeRequested && InterlockedCompareExchange(&KiBugCheckOwner, (LONG)Prcb->Number, -1) == -1) {
        KiBugCheckActive = TRUE;
        KdEnterBugCheck();
        KiFreezeOthers();
        KiReportUsed = KiReportStackCount = 0;
        KiAddFrozenStack(Prcb);
        KiAddOtherStacks(Prcb);
        KdLinkSend(FLTVM_RECORD_STACKS, 1, &(KD_SEGMENT){KiReport.Stacks, KiReportUsed});
        KdExit(FLTVM_EXIT_BUGCHECK);
    }
    Prcb->Frozen = TRUE;
    for (;;) {
        _disable();
        __asm__ volatile("hlt");
    }
}

VOID KeReportStacks(VOID)
{
    static KSPIN_LOCK Lock;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&Lock);
    CONTEXT Context;

    KiReportUsed = KiReportStackCount = 0;
    RtlCaptureContext(&Context);
    KiAddStack(KeGetCurrentThread(), KeGetCurrentPrcb()->Number, OldIrql, FLTVM_STACK_RUNNING, &Context,
               KI_STACK_FRAMES);
    KiAcquireSpinLock(&KiDispatcherLock);
    KiAddOtherStacks(NULL);
    KiReleaseSpinLock(&KiDispatcherLock);
    KdLinkSend(FLTVM_RECORD_STACKS, 1, &(KD_SEGMENT){KiReport.Stacks, KiReportUsed});
    KeReleaseSpinLock(&Lock, OldIrql);
}

static VOID KiRunBugCheckCallbacks(VOID)
{
    for (PLIST_ENTRY Entry = KiBugCheckCallbacks.Flink; Entry != &KiBugCheckCallbacks; Entry = Entry->Flink) {
        PKBUGCHECK_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry);

        if (Record->State == BufferInserted) {
            Record->State = BufferStarted;
            Record->CallbackRoutine(Record->Buffer, Record->Length);
            Record->State = BufferFinished;
        }
    }
    for (PLIST_ENTRY Entry = KiReasonCallbacks.Flink; Entry != &KiReasonCallbacks; Entry = Entry->Flink) {
        PKBUGCHECK_REASON_CALLBACK_RECORD Record =
            CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);

        /* Nothing is dumped here; only those who want to be told there is a bugcheck can be served. */
        if (Record->State == BufferInserted && Record->Reason == KbCallbackReserved1) {
            Record->State = BufferStarted;
            Record->CallbackRoutine(Record->Reason, Record, NULL, 0);
            Record->State = BufferFinished;
        }
    }
}

/* RtlRaiseException found no handler. */
static VOID KiUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    KeBugCheckEx(__readcr8() >= DISPATCH_LEVEL ? 0x1E /* KMODE_EXCEPTION_NOT_HANDLED */ : 0x7E,
                 (ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress,
                 __readcr8() >= DISPATCH_LEVEL ? Record->ExceptionInformation[0] : (ULONG_PTR)Record,
                 __readcr8() >= DISPATCH_LEVEL ? Record->ExceptionInformation[1] : (ULONG_PTR)Context);
}

VOID KiInitializeBugCheck(VOID)
{
    RtlUnhandledException = KiUnhandled;
}

static BOOLEAN KiInDriver(ULONG64 Address)
{
    return Address >= FLTVM_VA_IMAGES && Address < FLTVM_VA_IMAGES_END;
}

/*
 * The first image on the culprit's stack that is neither the kernel nor unknown.  A routine that came back
 * badly is not on the stack any more, but among the parameters.
 */
static ULONG64 KiBlame(VOID)
{
    struct fltvm_stack *Stack = (struct fltvm_stack *)KiReport.Stacks;
    ULONG64 *Frames = (ULONG64 *)(Stack + 1);

    for (ULONG i = 0; i < Stack->frames; i++) {
        if (KiInDriver(Frames[i])) {
            return Frames[i];
        }
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(KiReport.Header.parameters); i++) {
        if (KiInDriver(KiReport.Header.parameters[i])) {
            return KiReport.Header.parameters[i];
        }
    }
    return 0;
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                          ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                                          ULONG_PTR BugCheckParameter4)
{
    PKPRCB Prcb = KeGetCurrentPrcb();
    KIRQL Irql = (KIRQL)__readcr8();
    LONG Owner;
    CONTEXT Context;

    RtlCaptureContext(&Context);
    _disable();
    __writecr8(HIGH_LEVEL);
    Owner = InterlockedCompareExchange(&KiBugCheckOwner, (LONG)Prcb->Number, -1);
    if (Owner == (LONG)Prcb->Number) {
        /* A bugcheck inside a bugcheck: a broken stack, or a callback that faults.  Say what is known. */
        if (!KiReportSent && KiReport.Header.code != 0) {
            KiReportSent = TRUE;
            KiReport.Header.stacks = KiReportStackCount;
            KdLinkSend(FLTVM_RECORD_BUGCHECK, 1,
                       &(KD_SEGMENT){&KiReport, sizeof(KiReport.Header) + KiReportUsed});
        }
        KdExit(FLTVM_EXIT_BUGCHECK);
    }
    if (Owner != -1) {
        for (;;) {
            _enable();
            __asm__ volatile("hlt");
        }
    }
    KiBugCheckActive = TRUE;
    KdEnterBugCheck();
    KiFreezeOthers();
    KiReport.Header.code = BugCheckCode;
    KiReport.Header.parameters[0] = BugCheckParameter1;
    KiReport.Header.parameters[1] = BugCheckParameter2;
    KiReport.Header.parameters[2] = BugCheckParameter3;
    KiReport.Header.parameters[3] = BugCheckParameter4;
    KiReportUsed = KiReportStackCount = 0;
    KiAddStack(Prcb->CurrentThread, Prcb->Number, Irql, FLTVM_STACK_RUNNING | FLTVM_STACK_CULPRIT, &Context,
               KI_STACK_FRAMES);
    KiReport.Header.driver =
        Prcb->CurrentThread->Blamed != NULL ? (ULONG64)Prcb->CurrentThread->Blamed : KiBlame();
    if (!KdLinkPresent()) {
        struct fltvm_stack *Stack = (struct fltvm_stack *)KiReport.Stacks;

        DbgPrint("*** STOP %08X (%p, %p, %p, %p) cpu %u irql %u\n", BugCheckCode, BugCheckParameter1,
                 BugCheckParameter2, BugCheckParameter3, BugCheckParameter4, Prcb->Number, Irql);
        for (ULONG i = 0; i < Stack->frames; i++) {
            DbgPrint("    %p\n", (PVOID)((ULONG64 *)(Stack + 1))[i]);
        }
    }
    KiRunBugCheckCallbacks();
    KiAddOtherStacks(Prcb);
    KiReport.Header.stacks = KiReportStackCount;
    KiReportSent = TRUE;
    KdLinkSend(FLTVM_RECORD_BUGCHECK, 1, &(KD_SEGMENT){&KiReport, sizeof(KiReport.Header) + KiReportUsed});
    KdExit(FLTVM_EXIT_BUGCHECK);
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}

BOOLEAN NTAPI KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer,
                                         ULONG Length, PUCHAR Component)
{
    BOOLEAN Ok = FALSE;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);

    if (CallbackRecord->State == BufferEmpty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Buffer = Buffer;
        CallbackRecord->Length = Length;
        CallbackRecord->Component = Component;
        CallbackRecord->Checksum =
            (ULONG_PTR)CallbackRoutine + (ULONG_PTR)Buffer + Length + (ULONG_PTR)Component;
        CallbackRecord->State = BufferInserted;
        InsertTailList(&KiBugCheckCallbacks, &CallbackRecord->Entry);
        Ok = TRUE;
    }
    KeReleaseSpinLock(&KiCallbackLock, OldIrql);
    return Ok;
}

BOOLEAN NTAPI KeDeregisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);
    BOOLEAN Ok = CallbackRecord->State == BufferInserted;

    if (Ok) {
        CallbackRecord->State = BufferEmpty;
        RemoveEntryList(&CallbackRecord->Entry);
    }
    KeReleaseSpinLock(&KiCallbackLock, OldIrql);
    return Ok;
}

BOOLEAN NTAPI KeRegisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord,
                                               PKBUGCHECK_REASON_CALLBACK_ROUTINE CallbackRoutine,
                                               KBUGCHECK_CALLBACK_REASON Reason, PUCHAR Component)
{
    BOOLEAN Ok = FALSE;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);

    if (CallbackRecord->State == BufferEmpty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Reason = Reason;
        CallbackRecord->Component = Component;
        CallbackRecord->State = BufferInserted;
        InsertTailList(&KiReasonCallbacks, &CallbackRecord->Entry);
        Ok = TRUE;
    }
    KeReleaseSpinLock(&KiCallbackLock, OldIrql);
    return Ok;
}

BOOLEAN NTAPI KeDeregisterBugCheckReasonCallback(PKBUGCHECK_REASON_CALLBACK_RECORD CallbackRecord)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);
    BOOLEAN Ok = CallbackRecord->State == BufferInserted;

    if (Ok) {
        CallbackRecord->State = BufferEmpty;
        RemoveEntryList(&CallbackRecord->Entry);
    }
    KeReleaseSpinLock(&KiCallbackLock, OldIrql);
    return Ok;
}

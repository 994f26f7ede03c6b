/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bugcheck: the end.  Other processors are frozen by NMI, the guilty driver is looked for, callbacks run, and all
 * is sent to the host with the stacks; the machine is turned off.  An NMI with no bugcheck in progress is the
 * host's: it wants the stacks of a guest that hangs.
 *
 * Memory may be in ruins.  What is known is written down before anything is tried that could fail, and a bugcheck
 * inside the bugcheck sends it.
 */
#include "kep.h"

volatile BOOLEAN KiBugCheckActive;
static volatile LONG KiBugCheckOwner = -1; /* processor */
ULONG_PTR KiBugCheckData[5];               /* the code and its parameters, which aux_klib reads in callbacks */
static volatile LONG KiFreezeRequested;
static LONG KiNested; /* bugchecks inside the bugcheck */

static LIST_ENTRY KiBugCheckCallbacks = {&KiBugCheckCallbacks, &KiBugCheckCallbacks};
static LIST_ENTRY KiReasonCallbacks = {&KiReasonCallbacks, &KiReasonCallbacks};
static KSPIN_LOCK KiCallbackLock;

KI_CODE (*KiClassifyCode)(ULONG64 Address);

/* Every other processor stops in its NMI handler; a second is enough, or it is beyond help. */
static VOID KiFreezeOthers(VOID)
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
        KiClearStacks();
        KiAddFrozenStack(Prcb);
        KiAddOtherStacks(Prcb);
        KdLinkSend(FLTVM_RECORD_STACKS, 1, &(KD_SEGMENT){KiReport.Stacks, KiReport.Used});
        KiTellHolders(TRUE);
        KdExit(FLTVM_EXIT_BUGCHECK);
    }
    Prcb->Frozen = TRUE;
    for (;;) {
        _disable();
        __asm__ volatile("hlt");
    }
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
        PKBUGCHECK_REASON_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);

        /* Nothing is dumped here; only those who want to be told there is a bugcheck can be served. */
        if (Record->State == BufferInserted && Record->Reason == KbCallbackReserved1) {
            Record->State = BufferStarted;
            Record->CallbackRoutine(Record->Reason, Record, NULL, 0);
            Record->State = BufferFinished;
        }
    }
}

/*
 * Nobody listens.  A system call's own last handler makes 3B of it, a system thread's 7E; above, where neither stands, it is 1E.
 * Irql: where it was raised.
 */
DECLSPEC_NORETURN VOID KiBugCheckUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context, KIRQL Irql)
{
    if (Irql >= DISPATCH_LEVEL) {
        KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED, (ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress,
                     Record->ExceptionInformation[0], Record->ExceptionInformation[1]);
    }
    if (KiRepairProcessor()->CurrentThread->Teb != NULL) {
        KeBugCheckEx(SYSTEM_SERVICE_EXCEPTION, (ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress,
                     (ULONG_PTR)Context, 0);
    }
    KeBugCheckEx(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)Record->ExceptionCode, (ULONG_PTR)Record->ExceptionAddress,
                 (ULONG_PTR)Record, (ULONG_PTR)Context);
}

/* RtlRaiseException found no handler. */
static VOID KiUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    KiBugCheckUnhandled(Record, Context, (KIRQL)__readcr8());
}

VOID KiInitializeBugCheck(VOID)
{
    RtlUnhandledException = KiUnhandled;
}

/* The innermost frame of the culprit's stack in code of a kind; FALSE if there is none. */
static BOOLEAN KiBlameFrame(const struct fltvm_stack *Stack, KI_CODE Kind)
{
    const ULONG64 *Frames = (const ULONG64 *)(Stack + 1);

    for (ULONG i = 0; i < Stack->frames; i++) {
        if (KiClassifyCode(Frames[i]) == Kind) {
            KiReport.Header.driver = Frames[i];
            KiReport.Header.flags = Stack->trapped >> i & 1 ? 0 : FLTVM_BUGCHECK_BLAMES_RETURN;
            return TRUE;
        }
    }
    return FALSE;
}

static VOID KiBlameAddress(ULONG64 Address)
{
    KiReport.Header.driver = Address;
    KiReport.Header.flags = RtlIsReturnAddress(Address) ? FLTVM_BUGCHECK_BLAMES_RETURN : 0;
}

/*
 * Who is to blame: whom FvBlame named; else the innermost frame in a driver that is not of the system's own.  A
 * routine that came back badly is not on the stack any more, but among the parameters.  Else a driver of the system's
 * own; the kernel never.
 */
static VOID KiBlame(ULONG64 Named)
{
    const struct fltvm_stack *Stack = (const struct fltvm_stack *)KiReport.Stacks;

    if (KiClassifyCode == NULL) {
        return;
    }
    if (KiClassifyCode(Named) != KiNoCode) {
        KiBlameAddress(Named);
        return;
    }
    if (KiReport.Count == 0 || KiBlameFrame(Stack, KiDriverCode)) {
        return;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(KiReport.Header.parameters); i++) {
        if (KiClassifyCode(KiReport.Header.parameters[i]) == KiDriverCode) {
            KiBlameAddress(KiReport.Header.parameters[i]);
            return;
        }
    }
    KiBlameFrame(Stack, KiInBoxCode);
}

static VOID KiSendReport(VOID)
{
    if (!KiReport.Sent) {
        KiReport.Sent = TRUE;
        KiReport.Header.stacks = KiReport.Count;
        KdLinkSend(FLTVM_RECORD_BUGCHECK, 1, &(KD_SEGMENT){&KiReport, sizeof(KiReport.Header) + KiReport.Used});
    }
}

/* A bugcheck inside a bugcheck: a broken stack or list, or a callback that faults.  Says what is known. */
static DECLSPEC_NORETURN VOID KiNestedBugCheck(ULONG Code, const ULONG_PTR *Parameters)
{
    CHAR Text[200];

    if (KiNested++ == 0 && !KiReport.Sent) {
        _snprintf(Text, sizeof(Text) - 1,
                  "reason=another bugcheck came while this one was reported\n"
                  "nested-bugcheck=0x%X (0x%I64x, 0x%I64x, 0x%I64x, 0x%I64x)\n",
                  Code, (ULONG64)Parameters[0], (ULONG64)Parameters[1], (ULONG64)Parameters[2], (ULONG64)Parameters[3]);
        Text[sizeof(Text) - 1] = 0;
        FvReport(Text);
    }
    if (KiNested <= 2) {
        KiSendReport();
    }
    KdExit(FLTVM_EXIT_BUGCHECK);
}

static VOID KiPrintBugCheck(KIRQL Irql)
{
    struct fltvm_stack *Stack = (struct fltvm_stack *)KiReport.Stacks;
    const struct fltvm_bugcheck *Header = &KiReport.Header;

    DbgPrint("*** STOP %08X (%p, %p, %p, %p) cpu %u irql %u\n", Header->code, (PVOID)Header->parameters[0],
             (PVOID)Header->parameters[1], (PVOID)Header->parameters[2], (PVOID)Header->parameters[3], Stack->cpu,
             Irql);
    for (ULONG i = 0; i < Stack->frames; i++) {
        DbgPrint("    %p\n", (PVOID)((ULONG64 *)(Stack + 1))[i]);
    }
}

VOID KeAssertionFailed(PCSTR Condition, PCSTR File, ULONG Line)
{
    CHAR Text[160];

    if (!KiDriverVerifierOn || KiBugCheckActive) {
        return;
    }
    _snprintf(Text, sizeof(Text) - 1, "assertion=%s:%u: %s\n", File, Line, Condition);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_ASSERTION, Line, 0, 0);
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                          ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                                          ULONG_PTR BugCheckParameter4)
{
    ULONG_PTR Parameters[4] = {BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4};
    KIRQL Irql = (KIRQL)__readcr8();
    PKPRCB Prcb;
    LONG Owner;
    CONTEXT Context;

    RtlCaptureContext(&Context);
    _disable();
    __writecr8(HIGH_LEVEL);
    Prcb = KiRepairProcessor();
    Owner = InterlockedCompareExchange(&KiBugCheckOwner, (LONG)Prcb->Number, -1);
    if (Owner == (LONG)Prcb->Number) {
        KiNestedBugCheck(BugCheckCode, Parameters);
    }
    if (Owner != -1) {
        for (;;) {
            _enable();
            __asm__ volatile("hlt");
        }
    }
    KdSetLastWords(BugCheckCode, Parameters);
    KiBugCheckData[0] = BugCheckCode;
    RtlCopyMemory(&KiBugCheckData[1], Parameters, sizeof(Parameters));
    KiReport.Header.code = BugCheckCode;
    RtlCopyMemory(KiReport.Header.parameters, Parameters, sizeof(Parameters));
    KiClearStacks();
    KiBugCheckActive = TRUE;
    KdEnterBugCheck();
    KiFreezeOthers();
    KiAddStack(Prcb->CurrentThread, Prcb->Number, Irql, FLTVM_STACK_RUNNING | FLTVM_STACK_CULPRIT, &Context);
    KiBlame((ULONG64)Prcb->CurrentThread->Blamed);
    if (!KdLinkPresent()) {
        KiPrintBugCheck(Irql);
    }
    KiRunBugCheckCallbacks();
    KiAddOtherStacks(Prcb);
    KiSendReport();
    KdExit(FLTVM_EXIT_BUGCHECK);
}

DECLSPEC_NORETURN VOID NTAPI KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}

BOOLEAN NTAPI KeRegisterBugCheckCallback(PKBUGCHECK_CALLBACK_RECORD CallbackRecord,
                                         PKBUGCHECK_CALLBACK_ROUTINE CallbackRoutine, PVOID Buffer, ULONG Length,
                                         PUCHAR Component)
{
    BOOLEAN Ok = FALSE;
    KIRQL OldIrql;

    KeCheckRoutine((PVOID)CallbackRoutine, "bugcheck callback");
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);
    if (CallbackRecord->State == BufferEmpty) {
        CallbackRecord->CallbackRoutine = CallbackRoutine;
        CallbackRecord->Buffer = Buffer;
        CallbackRecord->Length = Length;
        CallbackRecord->Component = Component;
        CallbackRecord->Checksum = (ULONG_PTR)CallbackRoutine + (ULONG_PTR)Buffer + Length + (ULONG_PTR)Component;
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
    KIRQL OldIrql;

    KeCheckRoutine((PVOID)CallbackRoutine, "bugcheck callback");
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);
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

/* A record that lies in the range, or whose routine does; NULL: none. */
PVOID KiFindBugCheckCallback(ULONG64 Base, SIZE_T Size, PVOID *Routine)
{
    PVOID Found = NULL;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiCallbackLock);

    for (PLIST_ENTRY Entry = KiBugCheckCallbacks.Flink; Entry != &KiBugCheckCallbacks; Entry = Entry->Flink) {
        PKBUGCHECK_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_CALLBACK_RECORD, Entry);

        *Routine = (PVOID)Record->CallbackRoutine;
        if ((ULONG64)Record - Base < Size || (ULONG64)*Routine - Base < Size) {
            Found = Record;
            break;
        }
    }
    for (PLIST_ENTRY Entry = KiReasonCallbacks.Flink; Entry != &KiReasonCallbacks && Found == NULL;
         Entry = Entry->Flink) {
        PKBUGCHECK_REASON_CALLBACK_RECORD Record = CONTAINING_RECORD(Entry, KBUGCHECK_REASON_CALLBACK_RECORD, Entry);

        *Routine = (PVOID)Record->CallbackRoutine;
        if ((ULONG64)Record - Base < Size || (ULONG64)*Routine - Base < Size) {
            Found = Record;
        }
    }
    KeReleaseSpinLock(&KiCallbackLock, OldIrql);
    return Found;
}

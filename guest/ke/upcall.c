// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * upcall: what the kernel makes a thread do in user mode, and how it comes back from there: APCs and exceptions.
 *
 * For both, what was interrupted is put on the user's stack as a CONTEXT, and the thread goes on in a dispatcher of
 * ntdll.dll, which ends with NtContinue: the context again, as far as user mode may have it.  On the stack, from rsp on:
 * the context, an exception's record at 4F0h, and at 590h what the processor would have pushed, so that an unwinder goes
 * through.  A stack that does not take them ends the process.
 *
 * Rules for the way to user mode
 *  - One user APC is delivered at a time, in the order they were queued; NtContinue (…, TRUE) brings the next.
 *  - An APC's kernel routine runs at APC_LEVEL in the thread, and may free the APC.
 *  - No context gives user mode another ring, I/O privileges, or an address that is not its own.
 */
#include "kep.h"
#include <usermode.h>

#define EFLAGS_USER   0x50DD5 /* what user mode may set: arithmetic, TF, DF, RF, AC */
#define EFLAGS_ALWAYS 0x202   /* interrupts are on */

typedef struct _KI_USER_FRAME {
    CONTEXT Context; /* of an APC: P1Home to P3Home are its arguments, P4Home its routine */
    UCHAR Spare[0x20];
    EXCEPTION_RECORD Record;
    ULONG64 Spare2;
    ULONG64 Rip, Cs, EFlags, Rsp, Ss;
    ULONG64 Spare3;
} KI_USER_FRAME;
C_ASSERT(FIELD_OFFSET(KI_USER_FRAME, Record) == 0x4F0 && FIELD_OFFSET(KI_USER_FRAME, Rip) == 0x590);
C_ASSERT(sizeof(KI_USER_FRAME) % 16 == 0);

/* Goes on at Routine, with Context, and Record if given, on the user's stack.  FALSE: it cannot. */
static BOOLEAN KiEnterDispatcher(PKTRAP_FRAME TrapFrame, const CONTEXT *Context, const EXCEPTION_RECORD *Record,
                                 ULONG64 Routine)
{
    ULONG64 Rsp = (Context->Rsp - sizeof(KI_USER_FRAME)) & ~15ull;
    KI_USER_FRAME *Frame = (KI_USER_FRAME *)Rsp;

    if (Routine == 0 || Context->Rsp < 2 * sizeof(KI_USER_FRAME) || Context->Rsp > KI_HIGHEST_USER) {
        return FALSE;
    }
    __try {
        RtlCopyMemory(&Frame->Context, Context, sizeof(*Context));
        if (Record != NULL) {
            RtlCopyMemory(&Frame->Record, Record, sizeof(*Record));
        }
        Frame->Rip = Context->Rip;
        Frame->Cs = Context->SegCs;
        Frame->EFlags = Context->EFlags;
        Frame->Rsp = Context->Rsp;
        Frame->Ss = Context->SegSs;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return FALSE;
    }
    TrapFrame->Rip = Routine;
    TrapFrame->Rsp = Rsp;
    TrapFrame->EFlags = EFLAGS_ALWAYS;
    TrapFrame->MxCsr = 0x1F80;
    return TRUE;
}

/* PASSIVE_LEVEL.  The exception's first chance in user mode. */
VOID KiUserException(const EXCEPTION_RECORD *Record, PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    CONTEXT Context;

    KiContextFromFrames(TrapFrame, ExceptionFrame, &Context);
    if (!KiEnterDispatcher(TrapFrame, &Context, Record, KeGetCurrentThread()->Process->UserExceptionDispatcher)) {
        KeUserExceptionRoutine(Record->ExceptionCode);
    }
}

/* PASSIVE_LEVEL.  The first of the user APCs, if there is one. */
static VOID KiDeliverUserApc(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[UserMode];
    LONG Disable = Thread->CombinedApcDisable;
    PKKERNEL_ROUTINE KernelRoutine;
    PKNORMAL_ROUTINE NormalRoutine;
    PVOID NormalContext, First, Second;
    CONTEXT Context;
    FV_CALL Call;
    PKAPC Apc;

    __writecr8(APC_LEVEL);
    (VOID) KiAcquireDispatcher();
    if (IsListEmpty(Head)) {
        KiUnlockDispatcher(PASSIVE_LEVEL);
        return;
    }
    Apc = CONTAINING_RECORD(RemoveHeadList(Head), KAPC, ApcListEntry);
    Apc->Inserted = FALSE;
    KernelRoutine = Apc->KernelRoutine;
    NormalRoutine = Apc->NormalRoutine;
    NormalContext = Apc->NormalContext;
    First = Apc->SystemArgument1;
    Second = Apc->SystemArgument2;
    KiUnlockDispatcher(APC_LEVEL);
    FV_TRACE(FLTVM_TRACE_APC_DELIVER, Apc, (PVOID)NormalRoutine, 0, 0, 0);
    FvBeginCall(&Call);
    KernelRoutine(Apc, &NormalRoutine, &NormalContext, &First, &Second);
    FvEndCall(&Call, (PVOID)KernelRoutine, "APC's kernel routine", (ULONG_PTR)Apc);
    KiCheckApcExit(Thread, Disable, KernelRoutine);
    __writecr8(PASSIVE_LEVEL);
    if (NormalRoutine == NULL) {
        Thread->ApcState.UserApcPending = TRUE; /* this one is over: the next */
        return;
    }
    KiContextFromFrames(TrapFrame, ExceptionFrame, &Context);
    Context.P1Home = (ULONG64)NormalContext;
    Context.P2Home = (ULONG64)First;
    Context.P3Home = (ULONG64)Second;
    Context.P4Home = (ULONG64)NormalRoutine;
    if (!KiEnterDispatcher(TrapFrame, &Context, NULL, Thread->Process->UserApcDispatcher)) {
        KeUserExceptionRoutine(STATUS_ACCESS_VIOLATION);
    }
}

/* PASSIVE_LEVEL.  What NtContinue or NtRaiseException asked for. */
static VOID KiContinue(PKTHREAD Thread, PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    const CONTEXT *UserContext = Thread->UserContext;
    const EXCEPTION_RECORD *UserRecord = Thread->UserRecord;
    EXCEPTION_RECORD Record;
    CONTEXT Context;

    Thread->UserContext = NULL;
    Thread->UserRecord = NULL;
    if (!NT_SUCCESS(KiCopyFromUser(&Context, UserContext, sizeof(Context))) ||
        (UserRecord != NULL && !NT_SUCCESS(KiCopyFromUser(&Record, UserRecord, sizeof(Record)))) ||
        Context.Rip > KI_HIGHEST_USER) {
        KeUserExceptionRoutine(STATUS_ACCESS_VIOLATION);
        return;
    }
    KiContextToFrames(&Context, TrapFrame, ExceptionFrame);
    TrapFrame->SegCs = USER_CODE;
    TrapFrame->SegSs = USER_DATA;
    TrapFrame->EFlags = (Context.EFlags & EFLAGS_USER) | EFLAGS_ALWAYS;
    if (UserRecord != NULL) {
        KiUserException(&Record, TrapFrame, ExceptionFrame);
    }
}

VOID KiUserWork(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Terminating = Thread->Terminating, Deliver = !Thread->UserApcLater;

    Thread->ApcState.UserApcPending = FALSE; /* who sets Terminating sets it again */
    Thread->UserApcLater = FALSE;
    KiUnlockDispatcher(OldIrql);
    if (Terminating) {
        KeUserExitRoutine();
    }
    if (Thread->UserContext != NULL) {
        KiContinue(Thread, TrapFrame, ExceptionFrame);
    }
    if (Deliver) {
        KiDeliverUserApc(TrapFrame, ExceptionFrame);
    }
}

/* ---- services ---- */

/* On the way to user mode the context is taken; APCs only if they are due. */
static VOID KiWhenBack(PCONTEXT Context, PEXCEPTION_RECORD Record)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KIRQL OldIrql = KiAcquireDispatcher();

    Thread->UserContext = Context;
    Thread->UserRecord = Record;
    Thread->UserApcLater = !Thread->ApcState.UserApcPending;
    Thread->ApcState.UserApcPending = TRUE;
    KiUnlockDispatcher(OldIrql);
}

/*
 * IRQL: PASSIVE_LEVEL, from user mode.  The thread goes on with the context; TestAlert: after the APCs that are queued, and
 * with its alert taken away.  STATUS_ACCESS_VIOLATION: the context cannot be read.  Does not return otherwise.
 */
NTSTATUS NTAPI NtContinue(PCONTEXT ContextRecord, BOOLEAN TestAlert)
{
    CONTEXT Context;

    if (!NT_SUCCESS(KiCopyFromUser(&Context, ContextRecord, sizeof(Context)))) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (TestAlert) {
        KeTestAlertThread(UserMode);
    }
    KiWhenBack(ContextRecord, NULL);
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL, from user mode.  FirstChance: the exception is dispatched in user mode, as if it had come where the
 * context says; else nobody handles it, and it ends the process.
 */
NTSTATUS NTAPI NtRaiseException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord, BOOLEAN FirstChance)
{
    EXCEPTION_RECORD Record;
    CONTEXT Context;

    if (!NT_SUCCESS(KiCopyFromUser(&Record, ExceptionRecord, sizeof(Record))) ||
        !NT_SUCCESS(KiCopyFromUser(&Context, ContextRecord, sizeof(Context)))) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (FirstChance) {
        KiWhenBack(ContextRecord, ExceptionRecord);
    } else {
        KeUserExceptionRoutine(Record.ExceptionCode);
    }
    return STATUS_SUCCESS;
}

/* IRQL: PASSIVE_LEVEL.  The user APCs that are queued are delivered.  STATUS_ALERTED: the thread had been alerted. */
NTSTATUS NTAPI NtTestAlert(VOID)
{
    return KeTestAlertThread(UserMode) ? STATUS_ALERTED : STATUS_SUCCESS;
}

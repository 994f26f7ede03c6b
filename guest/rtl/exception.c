// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Structured exception handling: finding a handler, unwinding to it, raising.
 *
 * Two passes over the stack, as the x64 ABI has it.  The first asks each frame's language handler whether it
 * takes the exception; the one that does calls RtlUnwindEx, which runs the termination handlers on the way and
 * continues in it.  Handlers are called through the two frames in context.S, whose own handlers report an
 * exception inside a handler (nested) or an unwind that runs into another (collided).
 */
#include "rtlp.h"
#include <setjmp.h>

#define STATUS_BAD_UNWIND_TARGET ((NTSTATUS)0xC0000226) /* no header of the DDK's has it */

C_ASSERT(FIELD_OFFSET(CONTEXT, ContextFlags) == 0x30 && FIELD_OFFSET(CONTEXT, SegSs) == 0x42);
C_ASSERT(FIELD_OFFSET(CONTEXT, Rax) == 0x78 && FIELD_OFFSET(CONTEXT, Rip) == 0xF8);
C_ASSERT(FIELD_OFFSET(CONTEXT, FltSave) == 0x100 && FIELD_OFFSET(CONTEXT, Xmm0) == 0x1A0);

/* Where RtlpExecuteHandlerFor... keep their dispatcher context, from their establisher frame. */
#define RTLP_SAVED_DISPATCHER_CONTEXT 0x20

VOID (*RtlUnhandledException)(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

DECLSPEC_NORETURN VOID RtlpRestoreContext(PCONTEXT ContextRecord);

/* The handlers below are named by context.S. */
EXCEPTION_DISPOSITION RtlpExceptionHandler(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                           PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);
EXCEPTION_DISPOSITION RtlpUnwindHandler(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                        PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);
EXCEPTION_DISPOSITION __C_specific_handler(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame,
                                           PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);

EXCEPTION_DISPOSITION RtlpExceptionHandler(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                           PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext)
{
    PDISPATCHER_CONTEXT Outer = *(PDISPATCHER_CONTEXT *)(EstablisherFrame + RTLP_SAVED_DISPATCHER_CONTEXT);

    UNREFERENCED_PARAMETER(ContextRecord);
    if (ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND_FLAGS)
        return ExceptionContinueSearch;
    DispatcherContext->EstablisherFrame = Outer->EstablisherFrame;
    return ExceptionNestedException;
}

EXCEPTION_DISPOSITION RtlpUnwindHandler(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                        PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext)
{
    PDISPATCHER_CONTEXT Outer = *(PDISPATCHER_CONTEXT *)(EstablisherFrame + RTLP_SAVED_DISPATCHER_CONTEXT);
    ULONG64 TargetIp = DispatcherContext->TargetIp;

    UNREFERENCED_PARAMETER(ExceptionRecord);
    UNREFERENCED_PARAMETER(ContextRecord);
    *DispatcherContext = *Outer;
    DispatcherContext->TargetIp = TargetIp;
    return ExceptionCollidedUnwind;
}

static BOOLEAN RtlpIsFrameInBounds(ULONG64 Frame, ULONG64 LowLimit)
{
    return (Frame & 7) == 0 && Frame >= LowLimit;
}

static VOID RtlpRaiseStatusFrom(NTSTATUS Status, PEXCEPTION_RECORD Cause)
{
    EXCEPTION_RECORD Record = {0};

    Record.ExceptionCode = Status;
    Record.ExceptionFlags = EXCEPTION_NONCONTINUABLE;
    Record.ExceptionRecord = Cause;
    RtlRaiseException(&Record);
}

/* What one frame's handler said, for the first pass. */
typedef struct _RTLP_DISPATCH_STATE {
    CONTEXT Context; /* of the frame after the one being asked */
    ULONG64 NestedFrame;
} RTLP_DISPATCH_STATE;

/* Asks the handler of one frame; a collided unwind makes it ask another frame's.  TRUE: continue execution. */
static BOOLEAN RtlpAskHandler(PEXCEPTION_RECORD Record, PCONTEXT ContextRecord, PDISPATCHER_CONTEXT Dispatcher,
                              RTLP_DISPATCH_STATE *State)
{
    EXCEPTION_DISPOSITION Disposition;
    ULONG64 Frame;
    PVOID HandlerData;

    for (;;) {
        Frame = Dispatcher->EstablisherFrame;
        Disposition = RtlpExecuteHandlerForException(Record, Frame, ContextRecord, Dispatcher);
        if (State->NestedFrame == Frame) {
            Record->ExceptionFlags &= ~EXCEPTION_NESTED_CALL;
            State->NestedFrame = 0;
        }
        switch (Disposition) {
        case ExceptionContinueExecution:
            if (Record->ExceptionFlags & EXCEPTION_NONCONTINUABLE)
                RtlpRaiseStatusFrom(STATUS_NONCONTINUABLE_EXCEPTION, Record);
            return TRUE;
        case ExceptionContinueSearch: return FALSE;
        case ExceptionNestedException:
            Record->ExceptionFlags |= EXCEPTION_NESTED_CALL;
            if (Dispatcher->EstablisherFrame > State->NestedFrame)
                State->NestedFrame = Dispatcher->EstablisherFrame;
            return FALSE;
        case ExceptionCollidedUnwind:
            /* The search goes on at the frame the interrupted unwind had reached, behind its current scope. */
            State->Context = *Dispatcher->ContextRecord;
            RtlVirtualUnwind(UNW_FLAG_NHANDLER, Dispatcher->ImageBase, Dispatcher->ControlPc, Dispatcher->FunctionEntry,
                             &State->Context, &HandlerData, &Frame, NULL);
            break;
        default: RtlpRaiseStatusFrom(STATUS_INVALID_DISPOSITION, Record);
        }
    }
}

BOOLEAN RtlDispatchException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord)
{
    RTLP_DISPATCH_STATE State;
    DISPATCHER_CONTEXT Dispatcher;
    ULONG64 LowLimit = ContextRecord->Rsp;
    RTL_FRAME Inner = RtlFrameTrapped;

    State.Context = *ContextRecord;
    State.NestedFrame = 0;
    /* A zero ends the stack, but code that was trapped at zero: that was called. */
    while ((State.Context.Rip != 0 || Inner == RtlFrameTrapped) && RtlpIsFrameInBounds(State.Context.Rsp, LowLimit)) {
        ULONG64 Pc = State.Context.Rip;
        RTLP_FUNCTION Function;
        BOOLEAN Trapped;

        if (!RtlpFindFunction(Pc, &Function)) {
            Inner = RtlUnwindFrame(&State.Context, Inner);
            if (Inner == RtlFrameEnd)
                break;
            continue;
        }
        Dispatcher.ControlPc = Pc;
        Dispatcher.ImageBase = Function.ImageBase;
        Dispatcher.FunctionEntry = Function.Address;
        Dispatcher.LanguageHandler =
            RtlpVirtualUnwind(UNW_FLAG_EHANDLER, Function.ImageBase, Pc, &Function.Entry, &State.Context,
                              &Dispatcher.HandlerData, &Dispatcher.EstablisherFrame, NULL, &Trapped);
        Inner = Trapped ? RtlFrameTrapped : RtlFrameCaller;
        if (!RtlpIsFrameInBounds(Dispatcher.EstablisherFrame, LowLimit)) {
            ExceptionRecord->ExceptionFlags |= EXCEPTION_STACK_INVALID;
            break;
        }
        if (Dispatcher.LanguageHandler == NULL)
            continue;
        Dispatcher.ContextRecord = &State.Context;
        Dispatcher.HistoryTable = NULL;
        Dispatcher.TargetIp = 0;
        Dispatcher.ScopeIndex = 0;
        if (RtlpAskHandler(ExceptionRecord, ContextRecord, &Dispatcher, &State))
            return TRUE;
    }
    return FALSE;
}

VOID NTAPI RtlUnwindEx(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue,
                       PCONTEXT ContextRecord, PUNWIND_HISTORY_TABLE HistoryTable)
{
    EXCEPTION_RECORD LocalRecord = {0};
    DISPATCHER_CONTEXT Dispatcher;
    CONTEXT Callers;                  /* the frame after the current one */
    PCONTEXT Current = ContextRecord; /* the current frame: what is resumed in the end */
    EXCEPTION_DISPOSITION Disposition;
    PVOID HandlerData;
    ULONG64 Frame = 0;

    RtlCaptureContext(Current);
    if (ExceptionRecord == NULL) {
        LocalRecord.ExceptionCode = STATUS_UNWIND;
        LocalRecord.ExceptionAddress = (PVOID)Current->Rip;
        ExceptionRecord = &LocalRecord;
    }
    ExceptionRecord->ExceptionFlags |= EXCEPTION_UNWINDING;
    if (TargetFrame == NULL)
        ExceptionRecord->ExceptionFlags |= EXCEPTION_EXIT_UNWIND;

    for (;;) {
        Dispatcher.ControlPc = Current->Rip;
        Callers = *Current;
        Dispatcher.FunctionEntry = RtlLookupFunctionEntry(Current->Rip, &Dispatcher.ImageBase, HistoryTable);
        if (Dispatcher.FunctionEntry == NULL) {
            if (RtlUnwindFrame(&Callers, RtlFrameTrapped) == RtlFrameEnd)
                RtlpRaiseStatusFrom(STATUS_BAD_STACK, ExceptionRecord);
            *Current = Callers;
            continue;
        }
        Dispatcher.LanguageHandler =
            RtlVirtualUnwind(UNW_FLAG_UHANDLER, Dispatcher.ImageBase, Current->Rip, Dispatcher.FunctionEntry, &Callers,
                             &Dispatcher.HandlerData, &Frame, NULL);
        Dispatcher.EstablisherFrame = Frame;
        if ((Frame & 7) != 0 || (TargetFrame != NULL && Frame > (ULONG64)TargetFrame))
            RtlpRaiseStatusFrom(STATUS_BAD_UNWIND_TARGET, ExceptionRecord);
        Dispatcher.TargetIp = (ULONG64)TargetIp;
        Dispatcher.HistoryTable = HistoryTable;
        Dispatcher.ScopeIndex = 0;
        while (Dispatcher.LanguageHandler != NULL) {
            if (Frame == (ULONG64)TargetFrame)
                ExceptionRecord->ExceptionFlags |= EXCEPTION_TARGET_UNWIND;
            Dispatcher.ContextRecord = Current;
            Current->Rax = (ULONG64)ReturnValue;
            Disposition = RtlpExecuteHandlerForUnwind(ExceptionRecord, Frame, Current, &Dispatcher);
            ExceptionRecord->ExceptionFlags &= ~(EXCEPTION_COLLIDED_UNWIND | EXCEPTION_TARGET_UNWIND);
            if (Disposition == ExceptionContinueSearch)
                break;
            if (Disposition != ExceptionCollidedUnwind)
                RtlpRaiseStatusFrom(STATUS_INVALID_DISPOSITION, ExceptionRecord);
            /* Take over from the unwind that ran here before, behind the handler it was in. */
            *Current = *Dispatcher.ContextRecord;
            Callers = *Current;
            RtlVirtualUnwind(UNW_FLAG_NHANDLER, Dispatcher.ImageBase, Dispatcher.ControlPc, Dispatcher.FunctionEntry,
                             &Callers, &HandlerData, &Frame, NULL);
            Frame = Dispatcher.EstablisherFrame;
            ExceptionRecord->ExceptionFlags |= EXCEPTION_COLLIDED_UNWIND;
        }
        if (Frame == (ULONG64)TargetFrame)
            break;
        *Current = Callers;
    }
    Current->Rax = (ULONG64)ReturnValue;
    if (ExceptionRecord->ExceptionCode != STATUS_UNWIND_CONSOLIDATE)
        Current->Rip = (ULONG64)TargetIp;
    RtlRestoreContext(Current, ExceptionRecord);
}

VOID NTAPI RtlUnwind(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue)
{
    CONTEXT Context;

    RtlUnwindEx(TargetFrame, TargetIp, ExceptionRecord, ReturnValue, &Context, NULL);
}

/* The registers that _setjmp stored, in the public layout. */
typedef struct _RTLP_JUMP_BUFFER {
    ULONG64 Frame, Rbx, Rsp, Rbp, Rsi, Rdi, R12, R13, R14, R15, Rip;
    ULONG MxCsr;
    USHORT FpCsr, Spare;
    M128A Xmm[10];
} RTLP_JUMP_BUFFER;

static VOID RtlpLoadJumpBuffer(PCONTEXT Context, const RTLP_JUMP_BUFFER *Buffer)
{
    Context->Rbx = Buffer->Rbx;
    Context->Rsp = Buffer->Rsp;
    Context->Rbp = Buffer->Rbp;
    Context->Rsi = Buffer->Rsi;
    Context->Rdi = Buffer->Rdi;
    Context->R12 = Buffer->R12;
    Context->R13 = Buffer->R13;
    Context->R14 = Buffer->R14;
    Context->R15 = Buffer->R15;
    Context->Rip = Buffer->Rip;
    Context->MxCsr = Buffer->MxCsr;
    for (ULONG Index = 0; Index < 10; Index++)
        (&Context->Xmm6)[Index] = Buffer->Xmm[Index];
}

DECLSPEC_NORETURN VOID NTAPI RtlRestoreContext(PCONTEXT ContextRecord, PEXCEPTION_RECORD ExceptionRecord)
{
    if (ExceptionRecord != NULL && ExceptionRecord->ExceptionCode == STATUS_LONGJUMP &&
        ExceptionRecord->NumberParameters >= 1)
        RtlpLoadJumpBuffer(ContextRecord, (const RTLP_JUMP_BUFFER *)ExceptionRecord->ExceptionInformation[0]);
    RtlpRestoreContext(ContextRecord);
}

DECLSPEC_NORETURN void __cdecl longjmp(jmp_buf Jump, int Value)
{
    RTLP_JUMP_BUFFER *Buffer = (RTLP_JUMP_BUFFER *)Jump;
    EXCEPTION_RECORD Record = {0};
    CONTEXT Context;

    if (Buffer->Frame == 0) {
        /* Saved without a frame: no termination handlers to run. */
        RtlCaptureContext(&Context);
        RtlpLoadJumpBuffer(&Context, Buffer);
        Context.Rax = Value != 0 ? (ULONG64)Value : 1;
        RtlpRestoreContext(&Context);
    }
    Record.ExceptionCode = STATUS_LONGJUMP;
    Record.NumberParameters = 1;
    Record.ExceptionInformation[0] = (ULONG_PTR)Buffer;
    RtlUnwindEx((PVOID)Buffer->Frame, (PVOID)Buffer->Rip, &Record, (PVOID)(ULONG_PTR)(Value != 0 ? Value : 1), &Context,
                NULL);
    __builtin_unreachable();
}

/*
 * Where a compiler's code leaves a __try block by a jump: runs the termination handlers up to the frame and goes on at the
 * target in it.  IRQL: any.
 */
VOID __cdecl _local_unwind(PVOID Frame, PVOID Target);
VOID __cdecl _local_unwind(PVOID Frame, PVOID Target)
{
    CONTEXT Context;

    RtlUnwindEx(Frame, Target, NULL, NULL, &Context, NULL);
}

/* Not inlined and not tail-called: the context must be its caller's when it has unwound itself once. */
DECLSPEC_NOINLINE VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    RtlUnwindFrame(&Context, RtlFrameTrapped);
    ExceptionRecord->ExceptionAddress = (PVOID)Context.Rip;
    if (RtlDispatchException(ExceptionRecord, &Context))
        RtlpRestoreContext(&Context);
    if (RtlUnhandledException != NULL)
        RtlUnhandledException(ExceptionRecord, &Context);
    KeBugCheckEx(KMODE_EXCEPTION_NOT_HANDLED, (ULONG_PTR)ExceptionRecord->ExceptionCode,
                 (ULONG_PTR)ExceptionRecord->ExceptionAddress, ExceptionRecord->ExceptionInformation[0],
                 ExceptionRecord->ExceptionInformation[1]);
}

DECLSPEC_NOINLINE DECLSPEC_NORETURN VOID NTAPI RtlRaiseStatus(NTSTATUS Status)
{
    EXCEPTION_RECORD Record = {0};

    Record.ExceptionCode = Status;
    Record.ExceptionFlags = EXCEPTION_NONCONTINUABLE;
    RtlRaiseException(&Record);
    __builtin_unreachable();
}

typedef LONG (*RTLP_EXCEPTION_FILTER)(PEXCEPTION_POINTERS Pointers, ULONG64 EstablisherFrame);
typedef VOID (*RTLP_TERMINATION_HANDLER)(BOOLEAN Abnormal, ULONG64 EstablisherFrame);

/* Does the unwind end inside the same __try as this scope, so that its __finally must not run yet? */
static BOOLEAN RtlpTargetInSameTry(PSCOPE_TABLE_AMD64 Table, ULONG Scope, ULONG64 TargetRva)
{
    for (ULONG Index = 0; Index < Table->Count; Index++) {
        /*
         * clang ends a scope one byte behind its last call, so that the return address is inside; where that call
         * does not return, this byte is the handler's first.
         */
        if (TargetRva >= Table->ScopeRecord[Index].BeginAddress &&
            TargetRva + 1 < Table->ScopeRecord[Index].EndAddress &&
            Table->ScopeRecord[Index].JumpTarget == Table->ScopeRecord[Scope].JumpTarget &&
            Table->ScopeRecord[Index].HandlerAddress == Table->ScopeRecord[Scope].HandlerAddress)
            return TRUE;
    }
    return FALSE;
}

static VOID RtlpRunTerminationHandlers(PSCOPE_TABLE_AMD64 Table, PEXCEPTION_RECORD Record, ULONG64 Frame,
                                       PDISPATCHER_CONTEXT Dispatcher)
{
    ULONG64 Pc = Dispatcher->ControlPc - Dispatcher->ImageBase;
    ULONG64 TargetPc = Dispatcher->TargetIp - Dispatcher->ImageBase;

    for (ULONG Scope = Dispatcher->ScopeIndex; Scope < Table->Count; Scope++) {
        if (Pc < Table->ScopeRecord[Scope].BeginAddress || Pc >= Table->ScopeRecord[Scope].EndAddress)
            continue;
        if (Record->ExceptionFlags & EXCEPTION_TARGET_UNWIND) {
            if (RtlpTargetInSameTry(Table, Scope, TargetPc))
                return;
            if (Table->ScopeRecord[Scope].JumpTarget != 0 && TargetPc == Table->ScopeRecord[Scope].JumpTarget)
                return;
        }
        if (Table->ScopeRecord[Scope].JumpTarget != 0)
            continue;
        /* A collided unwind goes on behind this one. */
        Dispatcher->ScopeIndex = Scope + 1;
        ((RTLP_TERMINATION_HANDLER)(Dispatcher->ImageBase + Table->ScopeRecord[Scope].HandlerAddress))(TRUE, Frame);
    }
}

EXCEPTION_DISPOSITION __C_specific_handler(PEXCEPTION_RECORD ExceptionRecord, PVOID EstablisherFrame,
                                           PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext)
{
    PSCOPE_TABLE_AMD64 Table = DispatcherContext->HandlerData;
    ULONG64 Base = DispatcherContext->ImageBase;
    ULONG64 Pc = DispatcherContext->ControlPc - Base;
    EXCEPTION_POINTERS Pointers = {ExceptionRecord, ContextRecord};
    LONG Verdict;

    if (ExceptionRecord->ExceptionFlags & EXCEPTION_UNWIND_FLAGS) {
        RtlpRunTerminationHandlers(Table, ExceptionRecord, (ULONG64)EstablisherFrame, DispatcherContext);
        return ExceptionContinueSearch;
    }
    for (ULONG Scope = DispatcherContext->ScopeIndex; Scope < Table->Count; Scope++) {
        if (Pc < Table->ScopeRecord[Scope].BeginAddress || Pc >= Table->ScopeRecord[Scope].EndAddress ||
            Table->ScopeRecord[Scope].JumpTarget == 0)
            continue;
        Verdict = EXCEPTION_EXECUTE_HANDLER;
        if (Table->ScopeRecord[Scope].HandlerAddress != 1)
            Verdict = ((RTLP_EXCEPTION_FILTER)(Base + Table->ScopeRecord[Scope].HandlerAddress))(
                &Pointers, (ULONG64)EstablisherFrame);
        if (Verdict < 0)
            return ExceptionContinueExecution;
        if (Verdict > 0)
            RtlUnwindEx(EstablisherFrame, (PVOID)(Base + Table->ScopeRecord[Scope].JumpTarget), ExceptionRecord,
                        (PVOID)(ULONG_PTR)(ULONG)ExceptionRecord->ExceptionCode, DispatcherContext->ContextRecord,
                        DispatcherContext->HistoryTable);
    }
    return ExceptionContinueSearch;
}

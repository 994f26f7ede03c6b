/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trap: exceptions of kernel mode, turned into what Windows makes of them: an exception record for the
 * frames' handlers, a page fault for mm, or a bugcheck.
 */
#include "kep.h"
#include <usermode.h>

#define TRAP_NMI           0x02
#define TRAP_BREAKPOINT    0x03
#define TRAP_DOUBLE_FAULT  0x08
#define TRAP_PROTECTION    0x0D
#define TRAP_PAGE_FAULT    0x0E
#define TRAP_MACHINE_CHECK 0x12
#define TRAP_FAST_FAIL     0x29
#define TRAP_ASSERT        0x2C
#define TRAP_DEBUG_SERVICE 0x2D

#define FAULT_PRESENT 0x01
#define FAULT_WRITE   0x02
#define FAULT_EXECUTE 0x10

#define EFLAGS_IF 0x200

NTSTATUS (*KeMmAccessFault)(ULONG64 ErrorCode, PVOID Address, KPROCESSOR_MODE Mode, PKTRAP_FRAME TrapFrame);

VOID KiContextFromFrames(PKTRAP_FRAME Trap, PKEXCEPTION_FRAME Exception, PCONTEXT Context)
{
    RtlZeroMemory(Context, sizeof(*Context));
    Context->ContextFlags = CONTEXT_FULL | CONTEXT_SEGMENTS;
    Context->MxCsr = Context->FltSave.MxCsr = Trap->MxCsr;
    Context->SegCs = Trap->SegCs;
    Context->SegSs = Trap->SegSs;
    Context->EFlags = Trap->EFlags;
    Context->Rax = Trap->Rax;
    Context->Rcx = Trap->Rcx;
    Context->Rdx = Trap->Rdx;
    Context->Rbx = Trap->Rbx;
    Context->Rsp = Trap->Rsp;
    Context->Rbp = Trap->Rbp;
    Context->Rsi = Trap->Rsi;
    Context->Rdi = Trap->Rdi;
    Context->R8 = Trap->R8;
    Context->R9 = Trap->R9;
    Context->R10 = Trap->R10;
    Context->R11 = Trap->R11;
    Context->R12 = Exception->R12;
    Context->R13 = Exception->R13;
    Context->R14 = Exception->R14;
    Context->R15 = Exception->R15;
    Context->Rip = Trap->Rip;
    RtlCopyMemory(&Context->Xmm0, &Trap->Xmm0, 6 * sizeof(M128A));
    RtlCopyMemory(&Context->Xmm6, &Exception->Xmm6, 10 * sizeof(M128A));
}

VOID KiContextToFrames(PCONTEXT Context, PKTRAP_FRAME Trap, PKEXCEPTION_FRAME Exception)
{
    Trap->MxCsr = Context->MxCsr & 0xFFBF;
    Trap->EFlags = Context->EFlags;
    Trap->Rax = Context->Rax;
    Trap->Rcx = Context->Rcx;
    Trap->Rdx = Context->Rdx;
    Trap->Rbx = Context->Rbx;
    Trap->Rsp = Context->Rsp;
    Trap->Rbp = Context->Rbp;
    Trap->Rsi = Context->Rsi;
    Trap->Rdi = Context->Rdi;
    Trap->R8 = Context->R8;
    Trap->R9 = Context->R9;
    Trap->R10 = Context->R10;
    Trap->R11 = Context->R11;
    Exception->R12 = Context->R12;
    Exception->R13 = Context->R13;
    Exception->R14 = Context->R14;
    Exception->R15 = Context->R15;
    Trap->Rip = Context->Rip;
    RtlCopyMemory(&Trap->Xmm0, &Context->Xmm0, 6 * sizeof(M128A));
    RtlCopyMemory(&Exception->Xmm6, &Context->Xmm6, 10 * sizeof(M128A));
}

/* Dispatches an exception of kernel mode to the frames' handlers, or bugchecks. */
static VOID KiDispatchException(PEXCEPTION_RECORD Record, PKEXCEPTION_FRAME ExceptionFrame, PKTRAP_FRAME TrapFrame,
                                BOOLEAN FirstChance)
{
    CONTEXT Context;

    KiContextFromFrames(TrapFrame, ExceptionFrame, &Context);
    if (FirstChance && RtlDispatchException(Record, &Context)) {
        KiContextToFrames(&Context, TrapFrame, ExceptionFrame);
        return;
    }
    KiBugCheckUnhandled(Record, &Context, TrapFrame->PreviousIrql);
}

static VOID KiRaiseFromTrap(NTSTATUS Status, PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame, ULONG Count,
                            ULONG_PTR First, ULONG_PTR Second)
{
    EXCEPTION_RECORD Record;

    RtlZeroMemory(&Record, sizeof(Record));
    Record.ExceptionCode = Status;
    Record.ExceptionAddress = (PVOID)TrapFrame->Rip;
    Record.NumberParameters = Count;
    Record.ExceptionInformation[0] = First;
    Record.ExceptionInformation[1] = Second;
    if (Status == STATUS_IN_PAGE_ERROR) {
        Record.ExceptionInformation[Record.NumberParameters++] = (ULONG_PTR)(LONG_PTR)KeGetCurrentThread()->PageStatus;
    }
    if (TrapFrame->SegCs & 1) {
        KiUserException(&Record, TrapFrame, ExceptionFrame);
        return;
    }
    KiDispatchException(&Record, ExceptionFrame, TrapFrame, TRUE);
}

/* Says so when a fault lies in the unmapped page below the current stack. */
static VOID KiReportOverrun(ULONG64 Address)
{
    PKTHREAD Thread = KiRepairProcessor()->CurrentThread;
    ULONG64 Limit = (ULONG64)Thread->StackLimit, Base = (ULONG64)Thread->StackBase;
    CHAR Text[160];

    if (Limit - Address - 1 < PAGE_SIZE) {
        _snprintf(Text, sizeof(Text), "reason=a kernel stack ran over\nstack=0x%I64x to 0x%I64x, %u bytes\n", Limit,
                  Base, (ULONG)(Base - Limit));
        FvReport(Text);
    }
}

static VOID KiReportOver(ULONG64 Address)
{
    if (Address - FV_OVER_ADDRESS < PAGE_SIZE) {
        FvReport("reason=callback data was used after its operation had been given back or completed: what is needed "
                 "of it has to be "
                 "copied before\n");
    }
}

/* Raises a page fault's bugcheck by the rules above; for mm.  */
static DECLSPEC_NORETURN VOID KiBugCheckPageFault(ULONG64 ErrorCode, PVOID Address, PKTRAP_FRAME TrapFrame)
{
    ULONG64 Access = ErrorCode & FAULT_EXECUTE ? 8 : ErrorCode & FAULT_WRITE ? 1 : 0;
    BOOLEAN InKernel = HalIsKernelAddress((PVOID)TrapFrame->Rip);

    KiReportOverrun((ULONG64)Address);
    KiReportOver((ULONG64)Address);
    if (TrapFrame->PreviousIrql >= DISPATCH_LEVEL) {
        KeBugCheckEx(InKernel ? IRQL_NOT_LESS_OR_EQUAL : DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Address,
                     TrapFrame->PreviousIrql, Access, TrapFrame->Rip);
    }
    if ((ErrorCode & FAULT_EXECUTE) && (ErrorCode & FAULT_PRESENT)) {
        KeBugCheckEx(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, (ULONG_PTR)Address, 0, (ULONG_PTR)TrapFrame, 0);
    }
    if ((ErrorCode & FAULT_WRITE) && (ErrorCode & FAULT_PRESENT)) {
        KeBugCheckEx(ATTEMPTED_WRITE_TO_READONLY_MEMORY, (ULONG_PTR)Address, 0, (ULONG_PTR)TrapFrame, 0);
    }
    KeBugCheckEx(PAGE_FAULT_IN_NONPAGED_AREA, (ULONG_PTR)Address,
                 ErrorCode & FAULT_EXECUTE ? 0x10
                 : ErrorCode & FAULT_WRITE ? 2
                                           : 0,
                 TrapFrame->Rip, 0);
}

static VOID KiPageFault(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    PVOID Address = (PVOID)TrapFrame->FaultAddress;
    NTSTATUS Status = STATUS_UNSUCCESSFUL;

    if (KeMmAccessFault != NULL) {
        Status = KeMmAccessFault(TrapFrame->ErrorCode, Address, TrapFrame->SegCs & 1, TrapFrame);
    }
    if (Status == STATUS_GUARD_PAGE_VIOLATION) {
        PKTHREAD Thread = KeGetCurrentThread();

        if ((ULONG64)Address - Thread->UserStackLow < Thread->UserStackHigh - Thread->UserStackLow) {
            Status = KeMmGrowStack((ULONG64)Address, Thread->UserStackLow);
        }
    }
    if (Status == STATUS_SUCCESS) {
        return;
    }
    if (Status == STATUS_UNSUCCESSFUL || TrapFrame->PreviousIrql >= DISPATCH_LEVEL) {
        KiBugCheckPageFault(TrapFrame->ErrorCode, Address, TrapFrame);
    }
    KiRaiseFromTrap(Status, TrapFrame, ExceptionFrame, 2,
                    TrapFrame->ErrorCode & FAULT_EXECUTE ? 8
                    : TrapFrame->ErrorCode & FAULT_WRITE ? 1
                                                         : 0,
                    (ULONG_PTR)Address);
}

/* int 29h: code in ecx, as __fastfail passes it. */
static VOID KiFastFail(PKTRAP_FRAME TrapFrame)
{
    if (TrapFrame->SegCs & 1) {
        KeUserExceptionRoutine(STATUS_STACK_BUFFER_OVERRUN);
        return;
    }
    TrapFrame->Rip -= 2; /* the instruction itself: what follows may be another function */
    KeBugCheckEx(KERNEL_SECURITY_CHECK_FAILURE, TrapFrame->Rcx, (ULONG_PTR)TrapFrame, 0, 0);
}

/* The text is the user's: what of it cannot be read is not printed. */
static VOID KiPrintForUser(PKTRAP_FRAME TrapFrame)
{
    CHAR Text[256];
    ULONG Length = (USHORT)TrapFrame->Rdx < sizeof(Text) ? (USHORT)TrapFrame->Rdx : sizeof(Text);

    if (TrapFrame->Rcx <= KI_HIGHEST_USER - sizeof(Text) &&
        NT_SUCCESS(KiCopyFromUser(Text, (PVOID)TrapFrame->Rcx, Length))) {
        DbgPrint("%.*s", (int)Length, Text);
    }
}

/* int 2Dh: eax is the service; DbgPrint's text is in rcx, rdx bytes. */
static VOID KiDebugService(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    if (TrapFrame->Rax == 1) {
        if (TrapFrame->SegCs & 1) {
            KiPrintForUser(TrapFrame);
        } else {
            DbgPrint("%.*s", (int)(USHORT)TrapFrame->Rdx, (PCHAR)TrapFrame->Rcx);
        }
        TrapFrame->Rax = 0;
        TrapFrame->Rip++; /* an int 3 follows the int 2Dh */
        return;
    }
    KiRaiseFromTrap(STATUS_BREAKPOINT, TrapFrame, ExceptionFrame, 1, TrapFrame->Rax, 0);
}

/* A processor that cannot even deliver a fault: as a rule a stack ran over. */
static DECLSPEC_NORETURN VOID KiDoubleFault(PKTRAP_FRAME TrapFrame)
{
    KiReportOverrun(TrapFrame->FaultAddress);
    KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, TRAP_DOUBLE_FAULT, (ULONG_PTR)TrapFrame, TrapFrame->Rsp, TrapFrame->Rip);
}

/* hlt, cli, sti, in, out, and what moves control and debug registers: refused to user mode for what it is. */
static BOOLEAN KiIsPrivileged(ULONG64 Rip)
{
    UCHAR Code[2];

    if (!NT_SUCCESS(KiCopyFromUser(Code, (PVOID)Rip, sizeof(Code)))) {
        return FALSE;
    }
    switch (Code[0]) {
    case 0xF4:
    case 0xFA:
    case 0xFB: return TRUE;
    case 0x0F:
        return Code[1] == 0x01 || Code[1] == 0x06 || Code[1] == 0x30 || Code[1] == 0x32 || (Code[1] & ~3) == 0x20;
    default: return (Code[0] & ~3) == 0x6C || (Code[0] & ~3) == 0xE4 || (Code[0] & ~3) == 0xEC;
    }
}

VOID KiDispatchTrap(PKTRAP_FRAME TrapFrame, PKEXCEPTION_FRAME ExceptionFrame)
{
    ULONG Vector = TrapFrame->Vector;

    switch (Vector) {
    case TRAP_NMI: {
        /* It may have come between an entry from user mode and its swapgs, or between the exit's and the iret. */
        ULONG64 GsBase = __readmsr(0xC0000101);

        (VOID) KiRepairProcessor();
        KiFrozen(TrapFrame, ExceptionFrame);
        __writemsr(0xC0000101, GsBase);
        return;
    }
    case TRAP_DOUBLE_FAULT: KiDoubleFault(TrapFrame);
    case TRAP_MACHINE_CHECK: KeBugCheckEx(MACHINE_CHECK_EXCEPTION, 0, 0, 0, 0);
    }
    if (TrapFrame->EFlags & EFLAGS_IF) {
        _enable();
    }
    switch (Vector) {
    case TRAP_PAGE_FAULT: KiPageFault(TrapFrame, ExceptionFrame); break;
    case 0: KiRaiseFromTrap(STATUS_INTEGER_DIVIDE_BY_ZERO, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case 1: KiRaiseFromTrap(STATUS_SINGLE_STEP, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case TRAP_BREAKPOINT:
        TrapFrame->Rip--;
        KiRaiseFromTrap(STATUS_BREAKPOINT, TrapFrame, ExceptionFrame, 1, 0, 0);
        break;
    case 5: KiRaiseFromTrap(STATUS_ARRAY_BOUNDS_EXCEEDED, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case 6: KiRaiseFromTrap(STATUS_ILLEGAL_INSTRUCTION, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case TRAP_PROTECTION:
        if ((TrapFrame->SegCs & 1) && KiIsPrivileged(TrapFrame->Rip)) {
            KiRaiseFromTrap(STATUS_PRIVILEGED_INSTRUCTION, TrapFrame, ExceptionFrame, 0, 0, 0);
            break;
        }
        /* Windows cannot tell the address either: a non-canonical access reports -1. */
        KiRaiseFromTrap(STATUS_ACCESS_VIOLATION, TrapFrame, ExceptionFrame, 2, 0, ~(ULONG_PTR)0);
        break;
    case 0x10:
    case 0x13: KiRaiseFromTrap(STATUS_FLOAT_INVALID_OPERATION, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case 0x11: KiRaiseFromTrap(STATUS_DATATYPE_MISALIGNMENT, TrapFrame, ExceptionFrame, 0, 0, 0); break;
    case TRAP_FAST_FAIL: KiFastFail(TrapFrame); break;
    case TRAP_ASSERT:
        TrapFrame->Rip -= 2;
        KiRaiseFromTrap(STATUS_ASSERTION_FAILURE, TrapFrame, ExceptionFrame, 0, 0, 0);
        break;
    case TRAP_DEBUG_SERVICE: KiDebugService(TrapFrame, ExceptionFrame); break;
    default: KeBugCheckEx(UNEXPECTED_KERNEL_MODE_TRAP, Vector, (ULONG_PTR)TrapFrame, TrapFrame->Rsp, TrapFrame->Rip);
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Structured exceptions in a driver: filters, termination handlers, nesting, unwinding through frames, back traces. */
#include <ntifs.h>

#include <fltvm.h>

static volatile ULONG Trace; /* decimal digits of the steps, in order */

static VOID Step(ULONG Digit)
{
    Trace = Trace * 10 + Digit;
}

static DECLSPEC_NOINLINE ULONG ReadUlong(volatile ULONG *Address)
{
    return *Address;
}

static NTSTATUS CatchBadRead(VOID)
{
    __try {
        ReadUlong((volatile ULONG *)0x10);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* The access stands in the __try itself, without a call. */
static NTSTATUS CatchInlineWrite(volatile ULONG *Address)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        *Address = 1;
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* Where there is no code: the frame is the caller's, as if what was called had done nothing yet. */
static NTSTATUS CatchWildCall(PVOID Address)
{
    VOID (*volatile Routine)(VOID) = (VOID(*)(VOID))Address;

    __try {
        Routine();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static LONG Inspect(PEXCEPTION_POINTERS Pointers, PULONG_PTR Address)
{
    *Address =
        Pointers->ExceptionRecord->NumberParameters >= 2 ? Pointers->ExceptionRecord->ExceptionInformation[1] : 0;
    return EXCEPTION_EXECUTE_HANDLER;
}

static ULONG_PTR FaultingAddress(VOID)
{
    ULONG_PTR Address = 0;

    __try {
        ReadUlong((volatile ULONG *)0x7654320);
    } __except (Inspect(GetExceptionInformation(), &Address)) {
    }
    return Address;
}

static DECLSPEC_NOINLINE VOID RaiseInFinally(VOID)
{
    __try {
        Step(1);
        ExRaiseStatus(STATUS_IO_DEVICE_ERROR);
    } __finally {
        Step(AbnormalTermination() ? 2 : 9);
    }
}

static VOID CheckOrder(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;

    Trace = 0;
    __try {
        __try {
            RaiseInFinally();
        } __except (Step(3), EXCEPTION_CONTINUE_SEARCH) {
            Step(8);
        }
    } __except (Step(4), EXCEPTION_EXECUTE_HANDLER) {
        Step(5);
        Status = GetExceptionCode();
    }
    /* Filters run first, then the __finally, then the handler. */
    FvCheck(Trace == 13425);
    FvCheck(Status == STATUS_IO_DEVICE_ERROR);

    Trace = 0;
    __try {
        Step(1);
    } __finally {
        Step(AbnormalTermination() ? 9 : 2);
    }
    FvCheck(Trace == 12);
}

static DECLSPEC_NOINLINE ULONG LeaveEarly(ULONG Which)
{
    for (ULONG Index = 0; Index < 3; Index++) {
        __try {
            if (Which == 0)
                return 7;
            if (Which == 1)
                break;
            if (Which == 2)
                continue;
            __leave;
        } __finally {
            Step(Index + 1);
        }
    }
    return 5;
}

static VOID CheckEarlyExits(VOID)
{
    Trace = 0;
    FvCheck(LeaveEarly(0) == 7 && Trace == 1);
    Trace = 0;
    FvCheck(LeaveEarly(1) == 5 && Trace == 1);
    Trace = 0;
    FvCheck(LeaveEarly(2) == 5 && Trace == 123);
    Trace = 0;
    FvCheck(LeaveEarly(3) == 5 && Trace == 123);
}

static DECLSPEC_NOINLINE VOID RaiseTwice(VOID)
{
    __try {
        ExRaiseStatus(STATUS_DISK_FULL);
    } __finally {
        Step(1);
        /* The first unwind is abandoned: this exception takes over. */
        ExRaiseStatus(STATUS_END_OF_FILE);
    }
}

static NTSTATUS CheckCollided(VOID)
{
    NTSTATUS Inner = STATUS_SUCCESS, Outer = STATUS_SUCCESS;

    Trace = 0;
    __try {
        __try {
            RaiseTwice();
        } __except (GetExceptionCode() == STATUS_DISK_FULL ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
            Inner = GetExceptionCode();
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Outer = GetExceptionCode();
    }
    FvCheck(Inner == STATUS_SUCCESS);
    FvCheck(Trace == 1);
    return Outer;
}

static LONG FaultInFilter(VOID)
{
    __try {
        ReadUlong((volatile ULONG *)0x20);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Step(1);
    }
    return EXCEPTION_EXECUTE_HANDLER;
}

static VOID CheckNested(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;

    Trace = 0;
    __try {
        ExRaiseStatus(STATUS_NOT_FOUND);
    } __except (FaultInFilter()) {
        Step(2);
        Status = GetExceptionCode();
    }
    FvCheck(Trace == 12 && Status == STATUS_NOT_FOUND);

    /* An exception in a handler goes to the next one out. */
    Trace = 0;
    __try {
        __try {
            ExRaiseStatus(STATUS_NOT_FOUND);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Step(1);
            ReadUlong((volatile ULONG *)0x30);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Step(2);
        Status = GetExceptionCode();
    }
    FvCheck(Trace == 12 && Status == STATUS_ACCESS_VIOLATION);
}

static ULONG Place;

/* Makes the faulting access good and repeats it. */
static LONG Repair(PEXCEPTION_POINTERS Pointers, ULONG_PTR Bad)
{
    PULONG64 Registers = &Pointers->ContextRecord->Rax;

    for (ULONG Index = 0; Index < 16; Index++) {
        if (Registers[Index] == Bad)
            Registers[Index] = (ULONG64)&Place;
    }
    return EXCEPTION_CONTINUE_EXECUTION;
}

static VOID CheckContinue(VOID)
{
    volatile ULONG_PTR Bad = 0x5550; /* in a register when it is used */
    ULONG Value = 0;

    Place = 4711;
    __try {
        Value = ReadUlong((volatile ULONG *)Bad);
    } __except (Repair(GetExceptionInformation(), Bad)) {
    }
    FvCheck(Value == 4711);
}

static VOID CheckKernelFrames(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    UNICODE_STRING Bad = {8, 8, (PWCH)0x1000}, Good = RTL_CONSTANT_STRING(L"abcd");

    /* The fault is in the kernel, the handler here. */
    __try {
        RtlCompareUnicodeString(&Bad, &Good, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_ACCESS_VIOLATION);

    Status = STATUS_SUCCESS;
    __try {
        ProbeForRead((PVOID)0x10003, 8, 4);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_DATATYPE_MISALIGNMENT);

    Status = STATUS_SUCCESS;
    __try {
        ProbeForRead(&Status, 8, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_ACCESS_VIOLATION);
}

/* Non-volatile registers come back right after an unwind. */
static VOID CheckRegisters(VOID)
{
    volatile ULONG64 Seed = 3;
    ULONG64 A = Seed * 5, B = Seed * 7, C = Seed * 11, D = Seed * 13, E = Seed * 17, F = Seed * 19;

    for (ULONG Index = 0; Index < 4; Index++) {
        __try {
            ReadUlong((volatile ULONG *)0x40);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            A += 1;
        }
        B += C;
        D += E;
        F += A;
    }
    FvCheck(A == 19 && B == 21 + 4 * 33 && D == 39 + 4 * 51 && F == 57 + 16 + 17 + 18 + 19);
}

static DECLSPEC_NOINLINE USHORT Deep(ULONG Depth, PVOID *Frames, ULONG Count)
{
    USHORT Captured = Depth == 0 ? RtlCaptureStackBackTrace(0, Count, Frames, NULL) : Deep(Depth - 1, Frames, Count);

    __asm__ __volatile__("" ::: "memory"); /* no tail call */
    return Captured;
}

static DECLSPEC_NOINLINE VOID CheckBackTrace(PDRIVER_OBJECT DriverObject)
{
    PVOID Frames[16], Slow[16];
    ULONG_PTR Start = (ULONG_PTR)DriverObject->DriverStart;
    USHORT Count = Deep(5, Frames, 16);
    ULONG Inside = 0;

    for (USHORT Index = 0; Index < Count; Index++) {
        if ((ULONG_PTR)Frames[Index] - Start < DriverObject->DriverSize)
            Inside++;
    }
    FvCheck(Count >= 9);
    FvCheck(Inside >= 8); /* Deep six times, CheckBackTrace, DriverEntry */
    FvCheck((ULONG_PTR)Frames[Count - 1] - Start >= DriverObject->DriverSize); /* and the kernel below */
    FvCheck(Deep(5, Slow, 3) == 3);
    FvCheck(FvCaptureStackBackTrace(0, 16, Slow) >= 3);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = Unload;
    FvTestPlan(28);
    FvCheck(CatchBadRead() == STATUS_ACCESS_VIOLATION);
    FvCheck(CatchInlineWrite((volatile ULONG *)0x40) == STATUS_ACCESS_VIOLATION);
    FvCheck(FaultingAddress() == 0x7654320);
    FvCheck(CatchWildCall(NULL) == STATUS_ACCESS_VIOLATION);
    FvCheck(CatchWildCall((PVOID)0x30) == STATUS_ACCESS_VIOLATION);
    FvCheck(CatchWildCall((PVOID)0x7FFE12345678) == STATUS_ACCESS_VIOLATION);
    CheckOrder();
    CheckEarlyExits();
    FvCheck(CheckCollided() == STATUS_END_OF_FILE);
    CheckNested();
    CheckContinue();
    CheckKernelFrames();
    CheckRegisters();
    CheckBackTrace(DriverObject);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that come late on purpose: the options "delay-call" = N and "delay-return" = N.
 *
 * With either, the imports of drivers under test are bound to a thunk that counts the call (LdrpCountedCall, thunk.S) and
 * jumps on to the routine.  The Nth call waits before the routine runs, or after it before the driver goes on: what
 * others may do in between, they do then.  0 only counts.  A trace point tells of each call: who counts them knows which there
 * are.  What is not called through an import (MmGetSystemRoutineAddress) is not counted.
 */
#include "ldrp.h"

#define LDRP_CALL_THUNK 40

/* How long: a thread sleeps where it may, else its processor does nothing else. */
#define LDRP_SLEEP_100NS 10000
#define LDRP_STALL_US    200

VOID LdrpCountedCall(VOID);
BOOLEAN LdrpOnCall(PVOID Caller, PVOID Routine, ULONG_PTR Arguments);
VOID LdrpOnReturn(VOID);

static struct {
    BOOLEAN Known;   /* the options were read */
    BOOLEAN Counted; /* there is one */
    BOOLEAN Returns;
    LONG64 Number;
} LdrpLate; /* LdrpMutex; later it does not change */

static volatile LONG64 LdrpCalls;

BOOLEAN LdrpCountsCalls(VOID)
{
    CHAR Text[24];

    if (LdrpLate.Known)
        return LdrpLate.Counted;
    LdrpLate.Known = TRUE;
    LdrpLate.Returns = FvOption("delay-return", Text, sizeof(Text));
    LdrpLate.Counted = LdrpLate.Returns || FvOption("delay-call", Text, sizeof(Text));
    if (LdrpLate.Counted)
        LdrpLate.Number = (LONG64)_strtoui64(Text, NULL, 10);
    return LdrpLate.Counted;
}

/* Data is imported by name, too; and some look at their caller's frame. */
BOOLEAN LdrpIsCounted(PCSTR Name, ULONG64 Routine)
{
    static const CHAR Framed[][20] = {"RtlCaptureContext", "RtlUnwind", "RtlUnwindEx", "RtlRestoreContext", "longjmp"};

    for (ULONG Index = 0; Name != NULL && Index < ARRAYSIZE(Framed); Index++) {
        if (strcmp(Name, Framed[Index]) == 0)
            return FALSE;
    }
    /* __chkstk, __C_specific_handler, _setjmp …; no routine of the DDI begins so. */
    if (Name != NULL && Name[0] == '_' && (Name[1] == '_' || strncmp(Name, "_setjmp", 7) == 0))
        return FALSE;
    return FvIsCode((PVOID)Routine);
}

ULONG64 LdrpMakeCallThunk(ULONG64 Routine, ULONG64 Target, PUCHAR *Cursor, SIZE_T *Size)
{
    static const UCHAR MoveR10[] = {0x49, 0xBA}, MoveR11[] = {0x49, 0xBB}; /* mov, imm64 */
    static const UCHAR Jump[] = {0xFF, 0x25, 0x00, 0x00, 0x00, 0x00};      /* jmp [rip]: what follows */
    ULONG64 Counted = (ULONG64)LdrpCountedCall;
    PUCHAR Place;

    if (Cursor == NULL) {
        *Size += LDRP_CALL_THUNK;
        return Target;
    }
    Place = *Cursor;
    memcpy(Place, MoveR10, sizeof(MoveR10));
    memcpy(Place + 2, &Routine, sizeof(Routine));
    memcpy(Place + 10, MoveR11, sizeof(MoveR11));
    memcpy(Place + 12, &Target, sizeof(Target));
    memcpy(Place + 20, Jump, sizeof(Jump));
    memcpy(Place + 26, &Counted, sizeof(Counted));
    *Cursor += LDRP_CALL_THUNK;
    return (ULONG64)Place;
}

/* Whether the stack has what LdrpCountedCall copies of it: a thread's first routine has less above it. */
static BOOLEAN LdrpHasArguments(ULONG_PTR Arguments)
{
    ULONG_PTR End = Arguments + LDRP_COPIED_ARGUMENTS * sizeof(ULONG64);
    PKTHREAD Thread = KeGetCurrentThread();

    if (Arguments >= (ULONG_PTR)Thread->StackLimit && Arguments < (ULONG_PTR)Thread->StackBase)
        return End <= (ULONG_PTR)Thread->StackBase;
    return Arguments / PAGE_SIZE == (End - 1) / PAGE_SIZE;
}

static VOID LdrpWait(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();
    LARGE_INTEGER Interval = {.QuadPart = -LDRP_SLEEP_100NS};

    /* After KeSetEvent(…, Wait) the next wait is one with it. */
    if (KeGetCurrentIrql() < DISPATCH_LEVEL && (__readeflags() & 0x200) != 0 && !Thread->WaitNext)
        KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    else
        KeStallExecutionProcessor(LDRP_STALL_US);
}

BOOLEAN LdrpOnCall(PVOID Caller, PVOID Routine, ULONG_PTR Arguments)
{
    LONG64 Number = InterlockedIncrement64(&LdrpCalls);
    BOOLEAN Returns = LdrpLate.Returns && LdrpHasArguments(Arguments);
    CHAR Text[96];

    FV_TRACE(FLTVM_TRACE_DRIVER_CALL, Caller, Routine, Number, 0, 0);
    if (Number != LdrpLate.Number)
        return FALSE;
    _snprintf(Text, sizeof(Text), "%s-made-late=0x%I64x\nlate-routine=0x%I64x\n", Returns ? "return" : "call",
              (ULONG64)Caller, (ULONG64)Routine);
    FvReport(Text);
    DbgPrint("call %I64d %s late, as told\n", Number, Returns ? "returns" : "comes");
    if (!Returns)
        LdrpWait();
    return Returns;
}

VOID LdrpOnReturn(VOID)
{
    LdrpWait();
}

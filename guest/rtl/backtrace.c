// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back traces that are cheap enough for every pool allocation.
 *
 * A return address lies in a function's body, never in its prologue or epilogue, so all that a step needs are
 * the size of the frame and where the caller's rbp is: constants of the address.  They are worked out from the
 * unwind codes once and kept in a table of two words an entry, which any processor may overwrite at any time: the
 * second word repeats part of the address, so that a torn entry is a miss.  A frame based on another register
 * than rbp makes the slow unwinder take over.  IRQL: any.
 */
#include "rtlp.h"

#define RTLP_STEP_BITS      11
#define RTLP_MAXIMUM_FRAME  0x10000
#define RTLP_NO_RBP         0x7FFF

typedef enum _RTLP_STEP_KIND {
    RtlpStepUnknown,
    RtlpStepByRsp, /* return address at rsp + Size */
    RtlpStepByRbp, /* return address at rbp + Size */
    RtlpStepEnd,   /* no unwind data, or a trap: the trace ends */
    RtlpStepSlow
} RTLP_STEP_KIND;

typedef union _RTLP_STEP {
    struct {
        SHORT Rbp;  /* where the caller's rbp is, in 8-byte units from the same base */
        UCHAR Kind; /* RTLP_STEP_KIND */
        UCHAR Check;
        LONG Size;
    };
    ULONG64 Word;
} RTLP_STEP;
C_ASSERT(sizeof(RTLP_STEP) == 8);

static struct {
    volatile ULONG64 Pc;
    volatile ULONG64 Step;
} RtlpStepTable[1 << RTLP_STEP_BITS];

/*
 * The last traces, found by where they begin.  While pc and rsp are the same and each return address stands where it
 * stood, and each rbp that was read, the trace is the same: that is checked by a comparison or two a frame.  Who does
 * not get the lock at once goes without.
 */
#define RTLP_TRACE_BITS   6
#define RTLP_TRACE_FRAMES 16

typedef struct _RTLP_TRACE {
    ULONG64 Pc, Rsp, Rbp;
    BOOLEAN RbpMatters; /* a frame was found by the rbp of the beginning */
    ULONG Skip, Asked;  /* arguments of the call */
    ULONG Steps;       /* from the beginning, skipped ones too */
    ULONG Stored;
    ULONG64 Hash;
    ULONG64 Slot[RTLP_TRACE_FRAMES]; /* where the return address of each step stands */
    ULONG64 Next[RTLP_TRACE_FRAMES]; /* and what it is */
    ULONG RbpReads;
    ULONG64 RbpSlot[RTLP_TRACE_FRAMES]; /* the same of the rbp's */
    ULONG64 RbpValue[RTLP_TRACE_FRAMES];
} RTLP_TRACE;

static RTLP_TRACE RtlpTraceTable[1 << RTLP_TRACE_BITS];
static volatile LONG RtlpTraceLock;

USHORT RtlpCaptureFrames(ULONG Skip, ULONG Count, PVOID *Frames, PULONG64 Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp);
USHORT RtlpCaptureBackTrace(ULONG Skip, ULONG Count, PVOID *Frames, PULONG Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp);
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash);

static UCHAR RtlpStepCheck(ULONG64 Pc)
{
    return (UCHAR)(Pc >> 4);
}

/* Adds up what the codes of one entry undo.  FALSE: a machine frame, or a register that is not tracked. */
static BOOLEAN RtlpAddCodes(const UNWIND_INFO *Info, RTLP_STEP *Step, LONG *Total, LONG *Rbp)
{
    ULONG FrameRegister = Info->FrameRegisterAndOffset & 0xF;
    ULONG Version = Info->VersionAndFlags & 7;

    for (ULONG Index = 0; Index < Info->CountOfCodes; Index++) {
        UNWIND_CODE Code = Info->UnwindCode[Index];
        ULONG Operand = Code.OpAndInfo >> 4;

        switch (Code.OpAndInfo & 0xF) {
        case UWOP_PUSH_NONVOL:
            if (Operand == 5)
                *Rbp = *Total;
            *Total += 8;
            break;
        case UWOP_ALLOC_SMALL:
            *Total += (LONG)Operand * 8 + 8;
            break;
        case UWOP_ALLOC_LARGE:
            if (Operand == 0) {
                *Total += Info->UnwindCode[Index + 1].FrameOffset * 8;
                Index += 1;
            } else {
                *Total += (LONG)*(const ULONG UNALIGNED *)&Info->UnwindCode[Index + 1];
                Index += 2;
            }
            break;
        case UWOP_SET_FPREG:
            if (FrameRegister != 5)
                return FALSE;
            Step->Kind = RtlpStepByRbp;
            *Total = -(LONG)(Info->FrameRegisterAndOffset >> 4) * 16;
            break;
        case UWOP_SAVE_NONVOL:
            if (Operand == 5)
                *Rbp = Info->UnwindCode[Index + 1].FrameOffset * 8 -
                       (FrameRegister == 5 ? (Info->FrameRegisterAndOffset >> 4) * 16 : 0);
            Index += 1;
            break;
        case UWOP_SAVE_XMM128:
            Index += 1;
            break;
        case UWOP_SAVE_NONVOL_FAR:
            if (Operand == 5)
                return FALSE;
            Index += 2;
            break;
        case UWOP_SAVE_XMM128_FAR:
        case UWOP_SPARE:
            Index += 2;
            break;
        case UWOP_EPILOG:
            Index += Version >= 2 ? 0 : 1;
            break;
        default:
            return FALSE;
        }
    }
    return TRUE;
}

static RTLP_STEP RtlpComputeStep(ULONG64 Pc)
{
    RTLP_STEP Step = { .Kind = RtlpStepEnd, .Check = RtlpStepCheck(Pc), .Rbp = RTLP_NO_RBP };
    LONG Total = 0, Rbp = RTLP_NO_RBP * 8;
    RTLP_FUNCTION Function;
    RTLP_UNWIND Unwind;

    if (!RtlpFindFunction(Pc, &Function) ||
        !RtlpReadUnwind(Function.ImageBase, Function.Entry.UnwindData, &Unwind))
        return Step;
    Step.Kind = RtlpStepByRsp;
    for (ULONG Chain = 0; Chain < RTLP_MAXIMUM_CHAIN; Chain++) {
        if (!RtlpAddCodes(&Unwind.Info, &Step, &Total, &Rbp)) {
            Step.Kind = RtlpStepSlow;
            return Step;
        }
        if (!RTLP_IS_CHAINED(&Unwind.Info))
            break;
        if (!RtlpNextUnwind(Function.ImageBase, &Unwind, &Function.Entry)) {
            Step.Kind = RtlpStepEnd;
            return Step;
        }
    }
    Step.Size = Total;
    Step.Rbp = (SHORT)(Rbp / 8);
    return Step;
}

static RTLP_STEP RtlpLookupStep(ULONG64 Pc)
{
    ULONG Slot = (ULONG)(Pc * 0x9E3779B97F4A7C15ULL >> (64 - RTLP_STEP_BITS));
    RTLP_STEP Step = { .Word = RtlpStepTable[Slot].Step };

    if (RtlpStepTable[Slot].Pc == Pc && Step.Check == RtlpStepCheck(Pc) && Step.Kind != RtlpStepUnknown)
        return Step;
    Step = RtlpComputeStep(Pc);
    RtlpStepTable[Slot].Pc = 0;
    RtlpStepTable[Slot].Step = Step.Word;
    RtlpStepTable[Slot].Pc = Pc;
    return Step;
}

VOID RtlpForgetBackTraces(VOID)
{
    for (ULONG Slot = 0; Slot < (1 << RTLP_STEP_BITS); Slot++)
        RtlpStepTable[Slot].Pc = 0;
    /* Traces too: another image may come to lie there.  A trace that is just made is made of what still is. */
    for (ULONG Slot = 0; Slot < (1 << RTLP_TRACE_BITS); Slot++)
        RtlpTraceTable[Slot].Pc = 0;
}

/* The same by full unwinding, from the frame at Pc on; returns how many frames it stored. */
static DECLSPEC_NOINLINE ULONG RtlpCaptureSlowly(ULONG Skip, ULONG Count, PVOID *Frames, ULONG64 Pc, ULONG64 Rsp)
{
    RTL_FRAME Frame = RtlFrameTrapped;
    CONTEXT Context;

    RtlCaptureContext(&Context);
    while (Context.Rip != Pc || Context.Rsp != Rsp) {
        Frame = RtlUnwindFrame(&Context, Frame);
        if (Context.Rsp > Rsp || Frame == RtlFrameEnd)
            return 0;
    }
    while (Skip-- > 0) {
        Frame = RtlUnwindFrame(&Context, Frame);
        if (Frame == RtlFrameEnd)
            return 0;
    }
    return RtlWalkStack(&Context, Frames, Count, NULL);
}

static RTLP_TRACE *RtlpTraceAt(ULONG64 Pc, ULONG64 Rsp)
{
    return &RtlpTraceTable[(Pc ^ Rsp << 3) * 0x9E3779B97F4A7C15ULL >> (64 - RTLP_TRACE_BITS)];
}

/* Is the trace that is kept still what the stack holds?  Copies it. */
static BOOLEAN RtlpRecallTrace(const RTLP_TRACE *Trace, ULONG Skip, ULONG Count, PVOID *Frames, ULONG64 Pc, ULONG64 Rsp,
                               ULONG64 Rbp)
{
    ULONG Step = 0;

    if (Trace->Pc != Pc || Trace->Rsp != Rsp || Trace->Asked != Count || Trace->Skip != Skip ||
        (Trace->RbpMatters && Trace->Rbp != Rbp))
        return FALSE;
    for (ULONG Read = 0; Read < Trace->RbpReads; Read++) {
        if (*(PULONG64)Trace->RbpSlot[Read] != Trace->RbpValue[Read])
            return FALSE;
    }
    if (Skip == 0)
        *Frames++ = (PVOID)Pc;
    /* Step n leads to frame n + 1; the last step only shows where the trace ended. */
    for (; Step < Trace->Steps; Step++) {
        if (*(PULONG64)Trace->Slot[Step] != Trace->Next[Step])
            return FALSE;
        if (Step + 1 >= Skip && Step + 1 < Skip + Trace->Stored)
            *Frames++ = (PVOID)Trace->Next[Step];
    }
    return TRUE;
}

static ULONG RtlpWalkFrames(RTLP_TRACE *Trace, ULONG Skip, ULONG Count, PVOID *Frames, ULONG64 Rbp)
{
    ULONG64 Pc = Trace->Pc, Rsp = Trace->Rsp, Sum = 0;
    ULONG Stored = 0, Steps = 0, Passed = 0;
    BOOLEAN Keep = TRUE;

    Trace->Rbp = Rbp;
    Trace->RbpMatters = FALSE;
    Trace->RbpReads = 0;
    while (Stored < Count) {
        RTLP_STEP Step = RtlpLookupStep(Pc);
        ULONG64 Base, Return;

        if (Step.Kind == RtlpStepEnd)
            break;
        if (Step.Kind == RtlpStepSlow) {
            Stored = RtlpCaptureSlowly(Skip, Count, Frames, Trace->Pc, Trace->Rsp);
            Sum = Stored != 0 ? (ULONG64)Frames[0] ^ (ULONG64)Frames[Stored - 1] << 7 : 0;
            Keep = FALSE;
            break;
        }
        if (Passed++ >= Skip) {
            Frames[Stored++] = (PVOID)Pc;
            Sum = (Sum ^ Pc) * 0x9E3779B97F4A7C15ULL;
        }
        Base = Rsp;
        if (Step.Kind == RtlpStepByRbp) {
            Base = Rbp;
            if (Trace->RbpReads == 0)
                Trace->RbpMatters = TRUE;
        }
        Return = Base + (ULONG64)(LONG64)Step.Size;
        if (Return - Rsp >= RTLP_MAXIMUM_FRAME || (Return & 7) != 0)
            break;
        if (Step.Rbp != RTLP_NO_RBP) {
            ULONG64 Slot = Base + (ULONG64)((LONG64)Step.Rbp * 8);
            Rbp = *(PULONG64)Slot;
            if (Trace->RbpReads < RTLP_TRACE_FRAMES) {
                Trace->RbpSlot[Trace->RbpReads] = Slot;
                Trace->RbpValue[Trace->RbpReads++] = Rbp;
            } else {
                Keep = FALSE;
            }
        }
        Pc = *(PULONG64)Return;
        Rsp = Return + 8;
        if (Steps < RTLP_TRACE_FRAMES) {
            Trace->Slot[Steps] = Return;
            Trace->Next[Steps] = Pc;
        }
        Steps++;
    }
    Trace->Skip = Skip;
    Trace->Asked = Count;
    Trace->Stored = Stored;
    Trace->Hash = Sum ^ Sum >> 29;
    Trace->Steps = Steps;
    if (!Keep || Steps > RTLP_TRACE_FRAMES)
        Trace->Pc = 0;
    return Stored;
}

USHORT RtlpCaptureFrames(ULONG Skip, ULONG Count, PVOID *Frames, PULONG64 Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    BOOLEAN Locked = InterlockedExchange(&RtlpTraceLock, 1) == 0;
    RTLP_TRACE *Trace = RtlpTraceAt(Pc, Rsp);
    RTLP_TRACE Own;
    ULONG Stored;

    if (!Locked)
        Trace = &Own;
    if (!Locked || !RtlpRecallTrace(Trace, Skip, Count, Frames, Pc, Rsp, Rbp)) {
        Trace->Pc = Pc;
        Trace->Rsp = Rsp;
        RtlpWalkFrames(Trace, Skip, Count, Frames, Rbp);
    }
    Stored = Trace->Stored;
    if (Hash != NULL)
        *Hash = Trace->Hash;
    if (Locked)
        __atomic_store_n(&RtlpTraceLock, 0, __ATOMIC_RELEASE);
    return (USHORT)Stored;
}

USHORT RtlpCaptureBackTrace(ULONG Skip, ULONG Count, PVOID *Frames, PULONG Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    USHORT Stored = RtlpCaptureFrames(Skip, Count, Frames, NULL, Pc, Rsp, Rbp);
    ULONG Sum = 0;

    for (ULONG Index = 0; Index < Stored && Hash != NULL; Index++)
        Sum += (ULONG)(ULONG_PTR)Frames[Index];
    if (Stored != 0 && Hash != NULL)
        *Hash = Sum;
    return Stored;
}

ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags)
{
    return Flags == 0 && Callers != NULL ? RtlCaptureStackBackTrace(1, Count, Callers, NULL) : 0;
}

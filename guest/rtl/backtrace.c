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

#define RTLP_STEP_BITS     11
#define RTLP_MAXIMUM_FRAME 0x10000
#define RTLP_NO_RBP        0x7FFF

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
 * stood, and each rbp by which a frame was found, the trace is the same: that is checked by a comparison each, the return
 * addresses from the innermost on.  A place is two traces, of which the one used longer ago makes room, so that two which
 * are taken in turn (a call that allocates, one that frees) never drive each other out.  Who does not get the lock at once
 * goes without.
 */
#define RTLP_TRACE_BITS  7
#define RTLP_TRACE_WAYS  2
#define RTLP_TRACE_GROUP 4 /* words are compared by so many */
#define RTLP_TRACE_WORDS 24
#define RTLP_TRACE_RBPS  8

typedef struct _RTLP_TRACE {
    ULONG64 Pc, Rsp, Rbp;
    ULONG Skip, Asked; /* arguments of the call */
    ULONG Number;      /* that its keeper gave it; 0: none */
    ULONG Words;       /* a multiple of the group: return addresses, then rbp's, then the first again */
    ULONG Stored;
    BOOLEAN RbpMatters; /* a frame was found by the rbp of the beginning */
    ULONG64 Hash;
    ULONG64 Value[RTLP_TRACE_WORDS];
    ULONG Offset[RTLP_TRACE_WORDS]; /* from Rsp, where it stands */
} RTLP_TRACE;

static RTLP_TRACE RtlpTraceTable[1 << RTLP_TRACE_BITS][RTLP_TRACE_WAYS];
static UCHAR RtlpTraceLast[1 << RTLP_TRACE_BITS]; /* which of the two was used last */
static volatile LONG RtlpTraceLock;

ULONG RtlpNumberFrames(ULONG Skip, PRTL_NUMBER_STACK Number, PVOID Unused1, PVOID Unused2, ULONG64 Pc, ULONG64 Rsp,
                       ULONG64 Rbp);
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
        case UWOP_ALLOC_SMALL: *Total += (LONG)Operand * 8 + 8; break;
        case UWOP_ALLOC_LARGE:
            if (Operand == 0) {
                *Total += Info->UnwindCode[Index + 1].FrameOffset * 8;
                Index += 1;
            } else {
                *Total += (LONG) * (const ULONG UNALIGNED *)&Info->UnwindCode[Index + 1];
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
        case UWOP_SAVE_XMM128: Index += 1; break;
        case UWOP_SAVE_NONVOL_FAR:
            if (Operand == 5)
                return FALSE;
            Index += 2;
            break;
        case UWOP_SAVE_XMM128_FAR:
        case UWOP_SPARE: Index += 2; break;
        case UWOP_EPILOG: Index += Version >= 2 ? 0 : 1; break;
        default: return FALSE;
        }
    }
    return TRUE;
}

static RTLP_STEP RtlpComputeStep(ULONG64 Pc)
{
    RTLP_STEP Step = {.Kind = RtlpStepEnd, .Check = RtlpStepCheck(Pc), .Rbp = RTLP_NO_RBP};
    LONG Total = 0, Rbp = RTLP_NO_RBP * 8;
    RTLP_FUNCTION Function;
    RTLP_UNWIND Unwind;

    if (!RtlpFindFunction(Pc, &Function) || !RtlpReadUnwind(Function.ImageBase, Function.Entry.UnwindData, &Unwind))
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
    RTLP_STEP Step = {.Word = RtlpStepTable[Slot].Step};

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
    for (ULONG Slot = 0; Slot < (1 << RTLP_TRACE_BITS); Slot++) {
        for (ULONG Way = 0; Way < RTLP_TRACE_WAYS; Way++)
            RtlpTraceTable[Slot][Way].Pc = 0;
    }
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

/* Is the trace that is kept still what the stack holds?  That of the same pc is asked. */
FORCEINLINE BOOLEAN RtlpIsTrace(const RTLP_TRACE *Trace, ULONG Skip, ULONG Count, ULONG64 Rsp, ULONG64 Rbp)
{
    const ULONG64 *Value = Trace->Value, *End = Value + Trace->Words;
    const ULONG *Offset = Trace->Offset;

    if (Trace->Rsp != Rsp || Trace->Asked != Count || Trace->Skip != Skip || (Trace->RbpMatters && Trace->Rbp != Rbp))
        return FALSE;
    for (; Value != End; Value += RTLP_TRACE_GROUP, Offset += RTLP_TRACE_GROUP) {
        if (*(PULONG64)(Rsp + Offset[0]) != Value[0] || *(PULONG64)(Rsp + Offset[1]) != Value[1] ||
            *(PULONG64)(Rsp + Offset[2]) != Value[2] || *(PULONG64)(Rsp + Offset[3]) != Value[3])
            return FALSE;
    }
    return TRUE;
}
C_ASSERT(RTLP_TRACE_GROUP == 4 && RTLP_TRACE_WORDS % RTLP_TRACE_GROUP == 0);

/* Step n leads to frame n + 1. */
static VOID RtlpCopyFrames(const RTLP_TRACE *Trace, PVOID *Frames)
{
    for (ULONG Index = 0; Index < Trace->Stored; Index++)
        Frames[Index] = (PVOID)(Trace->Skip + Index == 0 ? Trace->Pc : Trace->Value[Trace->Skip + Index - 1]);
}

typedef struct _RTLP_WALK {
    ULONG64 RbpSlot;                                       /* where the rbp was read last; 0: it is the beginning's */
    ULONG64 Value[RTLP_TRACE_RBPS], Slot[RTLP_TRACE_RBPS]; /* the rbp's that led to a frame */
    ULONG Rbps, Steps;
    BOOLEAN Keep;
} RTLP_WALK;

/* Makes of what a walk read the words to compare. */
static VOID RtlpKeepWords(RTLP_TRACE *Trace, const RTLP_WALK *Walk)
{
    ULONG Words = Walk->Steps;

    if (!Walk->Keep || Words + Walk->Rbps > RTLP_TRACE_WORDS || Words == 0) {
        Trace->Pc = 0;
        return;
    }
    for (ULONG Index = 0; Index < Walk->Rbps; Index++, Words++) {
        Trace->Value[Words] = Walk->Value[Index];
        Trace->Offset[Words] = (ULONG)(Walk->Slot[Index] - Trace->Rsp);
        if (Walk->Slot[Index] - Trace->Rsp > MAXULONG)
            Trace->Pc = 0;
    }
    for (; Words % RTLP_TRACE_GROUP != 0; Words++) {
        Trace->Value[Words] = Trace->Value[0];
        Trace->Offset[Words] = Trace->Offset[0];
    }
    Trace->Words = Words;
}

/* Most frames save an rbp that is just a variable of somebody's: only those by which a frame is found must stay the same. */
static VOID RtlpUseRbp(RTLP_TRACE *Trace, RTLP_WALK *Walk, ULONG64 Rbp)
{
    if (Walk->RbpSlot == 0) {
        Trace->RbpMatters = TRUE;
    } else if (Walk->Rbps == RTLP_TRACE_RBPS) {
        Walk->Keep = FALSE;
    } else {
        Walk->Slot[Walk->Rbps] = Walk->RbpSlot;
        Walk->Value[Walk->Rbps++] = Rbp;
    }
}

static VOID RtlpWalkFrames(RTLP_TRACE *Trace, PVOID *Frames)
{
    ULONG64 Pc = Trace->Pc, Rsp = Trace->Rsp, Rbp = Trace->Rbp, Sum = 0;
    ULONG Stored = 0, Passed = 0;
    RTLP_WALK Walk;

    Walk.Rbps = Walk.Steps = 0;
    Walk.RbpSlot = 0;
    Walk.Keep = TRUE;
    Trace->RbpMatters = FALSE;
    while (Stored < Trace->Asked) {
        RTLP_STEP Step = RtlpLookupStep(Pc);
        ULONG64 Base, Return;

        if (Step.Kind == RtlpStepEnd)
            break;
        if (Step.Kind == RtlpStepSlow) {
            Stored = RtlpCaptureSlowly(Trace->Skip, Trace->Asked, Frames, Trace->Pc, Trace->Rsp);
            Sum = Stored != 0 ? (ULONG64)Frames[0] ^ (ULONG64)Frames[Stored - 1] << 7 : 0;
            Walk.Keep = FALSE;
            break;
        }
        if (Passed++ >= Trace->Skip) {
            Frames[Stored++] = (PVOID)Pc;
            Sum = (Sum ^ Pc) * 0x9E3779B97F4A7C15ULL;
            if (Stored == Trace->Asked)
                break;
        }
        Base = Rsp;
        if (Step.Kind == RtlpStepByRbp) {
            Base = Rbp;
            RtlpUseRbp(Trace, &Walk, Rbp);
        }
        Return = Base + (ULONG64)(LONG64)Step.Size;
        if (Return - Rsp >= RTLP_MAXIMUM_FRAME || (Return & 7) != 0)
            break;
        if (Step.Rbp != RTLP_NO_RBP) {
            Walk.RbpSlot = Base + (ULONG64)((LONG64)Step.Rbp * 8);
            Rbp = *(PULONG64)Walk.RbpSlot;
        }
        Pc = *(PULONG64)Return;
        Rsp = Return + 8;
        if (Walk.Steps < RTLP_TRACE_WORDS) {
            Trace->Offset[Walk.Steps] = (ULONG)(Return - Trace->Rsp);
            Trace->Value[Walk.Steps] = Pc;
        }
        Walk.Steps++;
    }
    Trace->Stored = Stored;
    Trace->Hash = Sum ^ Sum >> 29;
    RtlpKeepWords(Trace, &Walk);
}

static VOID RtlpBeginTrace(RTLP_TRACE *Trace, ULONG Skip, ULONG Count, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    Trace->Pc = Pc;
    Trace->Rsp = Rsp;
    Trace->Rbp = Rbp;
    Trace->Skip = Skip;
    Trace->Asked = Count;
    Trace->Number = 0;
    Trace->Words = 0;
    Trace->Stored = 0;
}

/* The lock of traces is held.  The trace that begins here, or one that is only begun: then nothing is stored
 * in it. */
FORCEINLINE RTLP_TRACE *RtlpFindTrace(ULONG Skip, ULONG Count, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    ULONG Place = (ULONG)((Pc ^ Rsp << 3) * 0x9E3779B97F4A7C15ULL >> (64 - RTLP_TRACE_BITS));
    RTLP_TRACE *Trace;

    for (ULONG Way = 0; Way < RTLP_TRACE_WAYS; Way++) {
        Trace = &RtlpTraceTable[Place][Way];
        if (Trace->Pc == Pc && RtlpIsTrace(Trace, Skip, Count, Rsp, Rbp)) {
            RtlpTraceLast[Place] = (UCHAR)Way;
            return Trace;
        }
    }
    RtlpTraceLast[Place] ^= 1;
    Trace = &RtlpTraceTable[Place][RtlpTraceLast[Place]];
    RtlpBeginTrace(Trace, Skip, Count, Pc, Rsp, Rbp);
    return Trace;
}

static USHORT RtlpCaptureFrames(ULONG Skip, ULONG Count, PVOID *Frames, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    BOOLEAN Locked = InterlockedExchange(&RtlpTraceLock, 1) == 0;
    RTLP_TRACE Own, *Trace = &Own;
    ULONG Stored;

    if (Locked)
        Trace = RtlpFindTrace(Skip, Count, Pc, Rsp, Rbp);
    else
        RtlpBeginTrace(Trace, Skip, Count, Pc, Rsp, Rbp);
    if (Trace->Stored != 0)
        RtlpCopyFrames(Trace, Frames);
    else
        RtlpWalkFrames(Trace, Frames);
    Stored = Trace->Stored;
    if (Locked)
        __atomic_store_n(&RtlpTraceLock, 0, __ATOMIC_RELEASE);
    return (USHORT)Stored;
}

static DECLSPEC_NOINLINE ULONG RtlpNumberAnew(RTLP_TRACE *Trace, PRTL_NUMBER_STACK Number)
{
    PVOID Frames[RTL_NUMBERED_FRAMES];

    RtlpWalkFrames(Trace, Frames);
    Trace->Number = Trace->Stored != 0 ? Number(Frames, Trace->Stored, Trace->Hash) : 0;
    return Trace->Number;
}

static DECLSPEC_NOINLINE ULONG RtlpNumberApart(ULONG Skip, PRTL_NUMBER_STACK Number, ULONG64 Pc, ULONG64 Rsp,
                                               ULONG64 Rbp)
{
    RTLP_TRACE Own;

    RtlpBeginTrace(&Own, Skip, RTL_NUMBERED_FRAMES, Pc, Rsp, Rbp);
    return RtlpNumberAnew(&Own, Number);
}

ULONG RtlpNumberFrames(ULONG Skip, PRTL_NUMBER_STACK Number, PVOID Unused1, PVOID Unused2, ULONG64 Pc, ULONG64 Rsp,
                       ULONG64 Rbp)
{
    RTLP_TRACE *Trace;
    ULONG Result;

    UNREFERENCED_PARAMETER(Unused1);
    UNREFERENCED_PARAMETER(Unused2);
    if (InterlockedExchange(&RtlpTraceLock, 1) != 0)
        return RtlpNumberApart(Skip, Number, Pc, Rsp, Rbp);
    Trace = RtlpFindTrace(Skip, RTL_NUMBERED_FRAMES, Pc, Rsp, Rbp);
    Result = Trace->Number;
    if (Result == 0)
        Result = RtlpNumberAnew(Trace, Number);
    __atomic_store_n(&RtlpTraceLock, 0, __ATOMIC_RELEASE);
    return Result;
}

USHORT RtlpCaptureBackTrace(ULONG Skip, ULONG Count, PVOID *Frames, PULONG Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    USHORT Stored = RtlpCaptureFrames(Skip, Count, Frames, Pc, Rsp, Rbp);
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

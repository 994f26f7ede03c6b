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

#define RTLP_STEP_ENTRIES   512
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
} RtlpStepTable[RTLP_STEP_ENTRIES];

USHORT RtlpCaptureFrames(ULONG Skip, ULONG Count, PVOID *Frames, PULONG Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp);
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash);

static UCHAR RtlpStepCheck(ULONG64 Pc)
{
    return (UCHAR)(Pc ^ (Pc >> 8) ^ (Pc >> 16) ^ (Pc >> 24));
}

/* Adds up what the codes of one entry undo.  FALSE: a machine frame, or a register that is not tracked. */
static BOOLEAN RtlpAddCodes(PUNWIND_INFO Info, RTLP_STEP *Step, LONG *Total, LONG *Rbp)
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
    ULONG64 ImageBase;
    PRUNTIME_FUNCTION Entry = RtlLookupFunctionEntry(Pc, &ImageBase, NULL);
    PUNWIND_INFO Info;

    if (Entry == NULL)
        return Step;
    Step.Kind = RtlpStepByRsp;
    for (ULONG Chain = 0; Chain < 32; Chain++) {
        Info = (PUNWIND_INFO)(ImageBase + Entry->UnwindData);
        if (!RtlpAddCodes(Info, &Step, &Total, &Rbp)) {
            Step.Kind = RtlpStepSlow;
            return Step;
        }
        if (!((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO))
            break;
        Entry = (PRUNTIME_FUNCTION)&Info->UnwindCode[(Info->CountOfCodes + 1) & ~1];
        if (Entry->UnwindData & RUNTIME_FUNCTION_INDIRECT)
            Entry = (PRUNTIME_FUNCTION)(ImageBase + (Entry->UnwindData & ~RUNTIME_FUNCTION_INDIRECT));
    }
    Step.Size = Total;
    Step.Rbp = (SHORT)(Rbp / 8);
    return Step;
}

static RTLP_STEP RtlpLookupStep(ULONG64 Pc)
{
    ULONG Slot = (ULONG)(Pc ^ (Pc >> 9)) % RTLP_STEP_ENTRIES;
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
    for (ULONG Slot = 0; Slot < RTLP_STEP_ENTRIES; Slot++)
        RtlpStepTable[Slot].Pc = 0;
}

/* The same by full unwinding, from the frame at Pc on; returns how many frames it stored. */
static DECLSPEC_NOINLINE ULONG RtlpCaptureSlowly(ULONG Skip, ULONG Count, PVOID *Frames, ULONG64 Pc, ULONG64 Rsp)
{
    CONTEXT Context;

    RtlCaptureContext(&Context);
    while (Context.Rip != Pc || Context.Rsp != Rsp) {
        if (Context.Rsp > Rsp || !RtlUnwindFrame(&Context, NULL))
            return 0;
    }
    while (Skip-- > 0) {
        if (!RtlUnwindFrame(&Context, NULL))
            return 0;
    }
    return RtlWalkStack(&Context, NULL, Frames, Count);
}

USHORT RtlpCaptureFrames(ULONG Skip, ULONG Count, PVOID *Frames, PULONG Hash, ULONG64 Pc, ULONG64 Rsp, ULONG64 Rbp)
{
    ULONG64 StartPc = Pc, StartRsp = Rsp, Sum = 0;
    ULONG Stored = 0, Skipped = 0;

    while (Stored < Count) {
        RTLP_STEP Step = RtlpLookupStep(Pc);
        ULONG64 Base, Return;

        if (Step.Kind == RtlpStepEnd)
            break;
        if (Step.Kind == RtlpStepSlow) {
            Stored = RtlpCaptureSlowly(Skip, Count, Frames, StartPc, StartRsp);
            break;
        }
        if (Skipped < Skip)
            Skipped++;
        else
            Frames[Stored++] = (PVOID)Pc;
        Base = Step.Kind == RtlpStepByRbp ? Rbp : Rsp;
        Return = Base + (ULONG64)(LONG64)Step.Size;
        if (Return - Rsp >= RTLP_MAXIMUM_FRAME || (Return & 7) != 0)
            break;
        if (Step.Rbp != RTLP_NO_RBP)
            Rbp = *(PULONG64)(Base + (ULONG64)((LONG64)Step.Rbp * 8));
        Pc = *(PULONG64)Return;
        Rsp = Return + 8;
    }
    if (Hash != NULL) {
        for (ULONG Index = 0; Index < Stored; Index++)
            Sum = Sum * 31 + (ULONG64)Frames[Index];
        *Hash = (ULONG)(Sum ^ (Sum >> 32));
    }
    return (USHORT)Stored;
}

ULONG NTAPI RtlWalkFrameChain(PVOID *Callers, ULONG Count, ULONG Flags)
{
    return Flags == 0 ? RtlCaptureStackBackTrace(1, Count, Callers, NULL) : 0;
}

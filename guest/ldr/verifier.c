// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver verifier's part in the loader: IRQL rules on imports, checked copies, and what a driver may not leave
 * behind.
 *
 * With the verifier on, an import that has a rule is bound to a thunk of about 30 bytes that compares CR8 with the
 * rule's limits and jumps on to the routine; the routine's arguments and stack are untouched.  A call at the wrong
 * IRQL ends in LdrpIrqlViolation (thunk.S) with the rule's number in rax.
 */
#include "ldrp.h"
#include "ddi.h"
#include <ob.h>

#define LDRP_MAXIMUM_THUNK 64
#define LDRP_UNLOAD_CHECKS 8

VOID LdrpIrqlViolation(VOID);
DECLSPEC_NORETURN VOID LdrpReportIrql(ULONG Rule, PVOID Caller);

static PLDR_UNLOAD_CHECK LdrpUnloadCheck[LDRP_UNLOAD_CHECKS];
static ULONG LdrpUnloadChecks;

static ULONG LdrpFindRule(PCSTR Name)
{
    ULONG Low = 0, High = LdrpIrqlRuleCount;

    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        int Order = strcmp(Name, LdrpIrqlRules[Middle].Name);

        if (Order == 0)
            return Middle;
        if (Order < 0)
            High = Middle;
        else
            Low = Middle + 1;
    }
    return MAXULONG;
}

static VOID LdrpEmit(PUCHAR *Place, const VOID *Code, ULONG Length)
{
    memcpy(*Place, Code, Length);
    *Place += Length;
}

/* Emits a conditional short jump to be patched; returns where its displacement is. */
static PUCHAR LdrpEmitJump(PUCHAR *Place, UCHAR Opcode)
{
    UCHAR Code[2] = {Opcode, 0};

    LdrpEmit(Place, Code, sizeof(Code));
    return *Place - 1;
}

ULONG64 LdrpMakeThunk(PCSTR Name, ULONG64 Target, PUCHAR *Cursor, SIZE_T *Size)
{
    static const UCHAR ReadCr8[] = {0x44, 0x0F, 0x20, 0xC0}; /* mov rax, cr8 */
    static const UCHAR JumpRax[] = {0xFF, 0xE0};
    ULONG Rule = LdrpFindRule(Name);
    PUCHAR Place, Above = NULL, Below = NULL;
    UCHAR Compare[2] = {0x3C, 0};    /* cmp al, imm8 */
    UCHAR MoveRax[2] = {0x48, 0xB8}; /* mov rax, imm64 */
    UCHAR MoveEax = 0xB8;
    ULONG64 Violation = (ULONG64)LdrpIrqlViolation, Start;

    if (Rule == MAXULONG)
        return Target;
    if (Cursor == NULL) {
        *Size += LDRP_MAXIMUM_THUNK;
        return Target;
    }
    Place = *Cursor;
    Start = (ULONG64)Place;
    LdrpEmit(&Place, ReadCr8, sizeof(ReadCr8));
    if (LdrpIrqlRules[Rule].HighestIrql < HIGH_LEVEL) {
        Compare[1] = LdrpIrqlRules[Rule].HighestIrql;
        LdrpEmit(&Place, Compare, sizeof(Compare));
        Above = LdrpEmitJump(&Place, 0x77); /* ja */
    }
    if (LdrpIrqlRules[Rule].LowestIrql > PASSIVE_LEVEL) {
        Compare[1] = LdrpIrqlRules[Rule].LowestIrql;
        LdrpEmit(&Place, Compare, sizeof(Compare));
        Below = LdrpEmitJump(&Place, 0x72); /* jb */
    }
    LdrpEmit(&Place, MoveRax, sizeof(MoveRax));
    LdrpEmit(&Place, &Target, sizeof(Target));
    LdrpEmit(&Place, JumpRax, sizeof(JumpRax));
    if (Above != NULL)
        *Above = (UCHAR)(Place - (Above + 1));
    if (Below != NULL)
        *Below = (UCHAR)(Place - (Below + 1));
    MoveRax[1] = 0xBA; /* mov rdx, imm64; the arguments are of no more use */
    LdrpEmit(&Place, &MoveEax, sizeof(MoveEax));
    LdrpEmit(&Place, &Rule, sizeof(Rule));
    LdrpEmit(&Place, MoveRax, sizeof(MoveRax));
    LdrpEmit(&Place, &Violation, sizeof(Violation));
    MoveRax[0] = 0xFF; /* jmp rdx */
    MoveRax[1] = 0xE2;
    LdrpEmit(&Place, MoveRax, sizeof(MoveRax));
    KeAssert(Place - *Cursor <= LDRP_MAXIMUM_THUNK);
    *Cursor += LDRP_MAXIMUM_THUNK;
    return Start;
}

/* Driver Verifier's number for a broken IRQL rule, and the rule's published name. */
typedef struct _LDRP_IRQL_CODE {
    PCSTR Prefix;
    UCHAR Highest; /* 0xFF: any */
    ULONG Code;
    PCSTR Rule;
} LDRP_IRQL_CODE;

static const LDRP_IRQL_CODE LdrpIrqlCodes[] = {
    {"KeReleaseSpinLock", 0xFF, 0x20015, "IrqlKeReleaseSpinLock"},
    {"KeSetEvent", 0xFF, 0x20016, "IrqlKeSetEvent"},
    {"Ex", PASSIVE_LEVEL, 0x20008, "IrqlExPassive"},
    {"Ex", APC_LEVEL, 0x20005, "IrqlExApcLte1"},
    {"Io", PASSIVE_LEVEL, 0x2000A, "IrqlIoPassive1"},
    {"Io", APC_LEVEL, 0x20009, "IrqlIoApcLte"},
    {"Io", DISPATCH_LEVEL, 0x20022, "IrqlIoDispatch"},
    {"Ke", APC_LEVEL, 0x2000F, "IrqlKeApcLte1"},
    {"Ke", DISPATCH_LEVEL, 0x20011, "IrqlKeDispatchLte"},
    {"Mm", APC_LEVEL, 0x20019, "IrqlMmApcLte"},
    {"Mm", DISPATCH_LEVEL, 0x2001A, "IrqlMmDispatch"},
    {"Ob", PASSIVE_LEVEL, 0x2001B, "IrqlObPassive"},
    {"Ps", PASSIVE_LEVEL, 0x2001C, "IrqlPsPassive"},
    {"Rtl", PASSIVE_LEVEL, 0x2001E, "IrqlRtlPassive"},
    {"Zw", PASSIVE_LEVEL, 0x2001F, "IrqlZwPassive"},
    {"", DISPATCH_LEVEL, 0x20003, "IrqlDispatch"},
    {"", 0xFF, 0x20002, "IrqlApcLte"},
};

DECLSPEC_NORETURN VOID LdrpReportIrql(ULONG Rule, PVOID Caller)
{
    const DDI_IRQL_RULE *Ddi = &LdrpIrqlRules[Rule];
    PLDR_IMAGE Image = LdrFindImageByAddress(Caller);
    const LDRP_IRQL_CODE *Code = LdrpIrqlCodes;
    ULONG Irql = (ULONG)__readcr8();
    CHAR Text[512];

    while (strncmp(Ddi->Name, Code->Prefix, strlen(Code->Prefix)) != 0 ||
           (Code->Highest != 0xFF && Code->Highest != Ddi->HighestIrql))
        Code++;
    _snprintf(Text, sizeof(Text) - 1,
              "rule=irql\nname=%s\ndriver=%s\nroutine=%s\nirql=%u\nlowest-irql=%u\nhighest-irql=%u\ncaller=0x%I64x\n",
              Code->Rule, Image != NULL ? Image->Name : "?", Ddi->Name, Irql, Ddi->LowestIrql, Ddi->HighestIrql,
              (ULONG64)Caller);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Code->Code, (ULONG_PTR)Code->Rule, (ULONG_PTR)Caller, Irql);
}

/* ---- copies ---- */

static void *LdrpCheckedCopy(void *To, const void *From, size_t Count)
{
    if (To != From && ((ULONG_PTR)To - (ULONG_PTR)From < Count || (ULONG_PTR)From - (ULONG_PTR)To < Count)) {
        FvReport("rule=overlapping-copy\nreason=memcpy of buffers that overlap; memmove is for those\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xF0, (ULONG_PTR)To, (ULONG_PTR)From, Count);
    }
    return memcpy(To, From, Count);
}

/* The machine's own images get the kernel's fast copy, drivers a checked one with the verifier, else what is exported. */
ULONG64 LdrpVariantOf(PLDR_IMAGE Image, PCSTR Name, ULONG64 Target)
{
    PVOID Watched = NULL;

    if (!Image->InBox && FvVerifierEnabled()) {
        Watched = KeWatchedLockRoutine(Name);
        if (Watched == NULL)
            Watched = ObWatchedRoutine(Name);
    }
    if (Watched != NULL)
        return (ULONG64)Watched;
    if (strcmp(Name, "memcpy") != 0 && strcmp(Name, "RtlCopyMemory") != 0 &&
        strcmp(Name, "RtlCopyMemoryNonTemporal") != 0)
        return Target;
    if (Image->InBox)
        return (ULONG64)memcpy;
    return FvVerifierEnabled() ? (ULONG64)LdrpCheckedCopy : Target;
}

/* ---- what a driver leaves behind ---- */

typedef struct _LDRP_LEAKS {
    PLDR_IMAGE Image;
    ULONG Count;
    ULONG64 Paged, NonPaged;
    PVOID Culprit; /* where the driver made the first of them */
    ULONG Used;
    CHAR Text[8192];
} LDRP_LEAKS;

static VOID LdrpAppend(LDRP_LEAKS *Leaks, PCSTR Format, ...)
{
    va_list Arguments;
    int Length;

    va_start(Arguments, Format);
    Length = _vsnprintf(Leaks->Text + Leaks->Used, sizeof(Leaks->Text) - Leaks->Used - 1, Format, Arguments);
    va_end(Arguments);
    if (Length > 0)
        Leaks->Used += (ULONG)Length;
    Leaks->Text[Leaks->Used] = 0;
}

static BOOLEAN LdrpReportLeak(PMM_POOL_ALLOCATION Allocation, PVOID Context)
{
    LDRP_LEAKS *Leaks = Context;
    ULONG Tag = Allocation->Tag;

    Leaks->Count++;
    for (ULONG Index = 0; Index < Allocation->Frames && Leaks->Culprit == NULL; Index++) {
        if ((ULONG_PTR)Allocation->Stack[Index] - (ULONG_PTR)Leaks->Image->DllBase < Leaks->Image->SizeOfImage)
            Leaks->Culprit = Allocation->Stack[Index];
    }
    *(Allocation->Paged ? &Leaks->Paged : &Leaks->NonPaged) += Allocation->Size;
    if (sizeof(Leaks->Text) - Leaks->Used < 512)
        return TRUE; /* counted, not listed */
    LdrpAppend(Leaks, "leak=0x%I64x\ntag=%c%c%c%c\nsize=%I64u\npool=%s\n", (ULONG64)Allocation->Address, Tag & 0xFF,
               (Tag >> 8) & 0xFF, (Tag >> 16) & 0xFF, (Tag >> 24) & 0xFF, (ULONG64)Allocation->Size,
               Allocation->Paged ? "paged" : "nonpaged");
    for (ULONG Index = 0; Index < Allocation->Frames; Index++)
        LdrpAppend(Leaks, "%s0x%I64x", Index == 0 ? "allocated-by=" : " ", (ULONG64)Allocation->Stack[Index]);
    if (Allocation->Frames != 0)
        LdrpAppend(Leaks, "\n");
    return TRUE;
}

VOID LdrRegisterUnloadCheck(PLDR_UNLOAD_CHECK Routine)
{
    KeAssert(LdrpUnloadChecks < LDRP_UNLOAD_CHECKS);
    LdrpUnloadCheck[LdrpUnloadChecks++] = Routine;
}

VOID NTAPI FvRegisterUnloadCheck(PFV_UNLOAD_CHECK Routine)
{
    LdrRegisterUnloadCheck(Routine);
}

VOID LdrpCheckUnload(PLDR_IMAGE Image)
{
    static LDRP_LEAKS Leaks; /* one unload at a time: LdrpMutex */

    if (!FvVerifierEnabled())
        return;
    for (ULONG Index = 0; Index < LdrpUnloadChecks; Index++)
        LdrpUnloadCheck[Index](Image->DllBase, Image->SizeOfImage, &Image->BaseDllName);
    memset(&Leaks, 0, sizeof(Leaks));
    Leaks.Image = Image;
    LdrpAppend(&Leaks, "rule=pool-leak\ndriver=%s\n", Image->Name);
    MmEnumeratePool(Image->Owner, LdrpReportLeak, &Leaks);
    if (Leaks.Count == 0)
        return;
    LdrpAppend(&Leaks, "leaks=%u\npaged-bytes=%I64u\nnonpaged-bytes=%I64u\n", Leaks.Count, Leaks.Paged, Leaks.NonPaged);
    FvReport(Leaks.Text);
    FvBlame(Leaks.Culprit != NULL ? Leaks.Culprit : Image->EntryPoint);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, (ULONG_PTR)&Image->BaseDllName, (ULONG_PTR)Image,
                 Leaks.Count);
}

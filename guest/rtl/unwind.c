// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One step of an x64 stack walk: from a function's registers to its caller's.
 *
 * Follows the public x64 exception-handling ABI: a function is undone by its unwind codes, by simulating the
 * rest of its epilogue when the control pc stands in one, or, when it has no entry, as a leaf.  Pure code: it
 * reads the image, the stack and the context it is given, nothing else, and is tested on the host.
 */
#include "rtlp.h"

#define RTLP_MAXIMUM_CHAIN 32

#define RTLP_OP(Code)   ((Code).OpAndInfo & 0xF)
#define RTLP_INFO(Code) ((Code).OpAndInfo >> 4)

C_ASSERT(FIELD_OFFSET(CONTEXT, R15) - FIELD_OFFSET(CONTEXT, Rax) == 15 * sizeof(ULONG64));

#define RTLP_REGISTERS(Context) (&(Context)->Rax) /* in the hardware's numbering */
#define RTLP_RSP                4

static ULONG RtlpUnwindCodeSlots(ULONG Version, UNWIND_CODE Code)
{
    switch (RTLP_OP(Code)) {
    case UWOP_ALLOC_LARGE:
        return RTLP_INFO(Code) == 0 ? 2 : 3;
    case UWOP_SAVE_NONVOL:
    case UWOP_SAVE_XMM128:
        return 2;
    case UWOP_SAVE_NONVOL_FAR:
    case UWOP_SAVE_XMM128_FAR:
        return 3;
    case UWOP_EPILOG:
        return Version >= 2 ? 1 : 2;
    case UWOP_SPARE:
        return 3;
    default:
        return 1;
    }
}

static ULONG64 RtlpReadStack64(ULONG64 Address)
{
    return *(volatile ULONG64 *)Address;
}

static PUNWIND_INFO RtlpUnwindInfo(ULONG64 ImageBase, PRUNTIME_FUNCTION FunctionEntry)
{
    return (PUNWIND_INFO)(ImageBase + FunctionEntry->UnwindData);
}

/* The entry that follows the unwind codes of a chained one. */
static PRUNTIME_FUNCTION RtlpChainedEntry(ULONG64 ImageBase, PUNWIND_INFO Info)
{
    PRUNTIME_FUNCTION Entry = (PRUNTIME_FUNCTION)&Info->UnwindCode[(Info->CountOfCodes + 1) & ~1];

    if (Entry->UnwindData & RUNTIME_FUNCTION_INDIRECT)
        Entry = (PRUNTIME_FUNCTION)(ImageBase + (Entry->UnwindData & ~RUNTIME_FUNCTION_INDIRECT));
    return Entry;
}

static PRUNTIME_FUNCTION RtlpPrimaryEntry(ULONG64 ImageBase, PRUNTIME_FUNCTION Entry)
{
    for (ULONG Chain = 0; Chain < RTLP_MAXIMUM_CHAIN; Chain++) {
        PUNWIND_INFO Info = RtlpUnwindInfo(ImageBase, Entry);
        if (!((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO))
            break;
        Entry = RtlpChainedEntry(ImageBase, Info);
    }
    return Entry;
}

/* Does a jump from an epilogue leave the function, so that it ends it as a tail call? */
static BOOLEAN RtlpIsTailCall(ULONG64 ImageBase, PRUNTIME_FUNCTION FunctionEntry, ULONG64 Target)
{
    ULONG64 Rva = Target - ImageBase;
    PRUNTIME_FUNCTION Primary = RtlpPrimaryEntry(ImageBase, FunctionEntry);

    if (Rva >= FunctionEntry->BeginAddress && Rva < FunctionEntry->EndAddress)
        return Rva == FunctionEntry->BeginAddress && Primary == FunctionEntry;
    return !(Rva > Primary->BeginAddress && Rva < Primary->EndAddress);
}

/*
 * If ControlPc is in an epilogue, undoes what is left of it.  The ABI allows exactly: one add rsp or lea
 * rsp,[frame register], pops of 64-bit registers, and a return or a jump out of the function.
 */
static BOOLEAN RtlpUnwindEpilogue(ULONG64 ImageBase, ULONG64 ControlPc, PRUNTIME_FUNCTION FunctionEntry,
                                  PUNWIND_INFO Info, PCONTEXT Context, PULONG64 *Pointers)
{
    const UCHAR *End = (const UCHAR *)(ImageBase + FunctionEntry->EndAddress);
    const UCHAR *Start = (const UCHAR *)ControlPc;
    const UCHAR *Pc = Start;
    ULONG FrameRegister = Info->FrameRegisterAndOffset & 0xF;
    PULONG64 Registers = RTLP_REGISTERS(Context);
    ULONG64 Rsp = Context->Rsp;
    const UCHAR *Pops;
    BOOLEAN Ends = FALSE;

#define RTLP_HAS(Count) (End - Pc >= (Count))
    if (RTLP_HAS(4) && Pc[0] == 0x48 && Pc[1] == 0x83 && Pc[2] == 0xC4) {
        Rsp += (ULONG64)(LONG64)(signed char)Pc[3];
        Pc += 4;
    } else if (RTLP_HAS(7) && Pc[0] == 0x48 && Pc[1] == 0x81 && Pc[2] == 0xC4) {
        Rsp += (ULONG64)(LONG64)*(const LONG UNALIGNED *)(Pc + 3);
        Pc += 7;
    } else if (FrameRegister != 0 && RTLP_HAS(4) && (Pc[0] & 0xFE) == 0x48 && Pc[1] == 0x8D) {
        ULONG Base = (Pc[2] & 7) | ((Pc[0] & 1) << 3);
        if ((Pc[2] & 0x38) == 0x20 && Base == FrameRegister && (Base & 7) != 4) {
            if ((Pc[2] & 0xC0) == 0x40) {
                Rsp = Registers[Base] + (ULONG64)(LONG64)(signed char)Pc[3];
                Pc += 4;
            } else if ((Pc[2] & 0xC0) == 0x80 && RTLP_HAS(7)) {
                Rsp = Registers[Base] + (ULONG64)(LONG64)*(const LONG UNALIGNED *)(Pc + 3);
                Pc += 7;
            }
        }
    }

    Pops = Pc;
    while (!Ends) {
        if (RTLP_HAS(1) && (Pc[0] & 0xF8) == 0x58)
            Pc += 1;
        else if (RTLP_HAS(2) && (Pc[0] & 0xFE) == 0x40 && (Pc[1] & 0xF8) == 0x58)
            Pc += 2;
        else
            break;
    }
    if (RTLP_HAS(1) && (Pc[0] == 0xC3 || Pc[0] == 0xC2))
        Ends = TRUE;
    else if (RTLP_HAS(2) && Pc[0] == 0xF3 && Pc[1] == 0xC3)
        Ends = TRUE;
    else if (RTLP_HAS(2) && Pc[0] == 0xEB)
        Ends = RtlpIsTailCall(ImageBase, FunctionEntry, (ULONG64)Pc + 2 + (ULONG64)(LONG64)(signed char)Pc[1]);
    else if (RTLP_HAS(5) && Pc[0] == 0xE9)
        Ends = RtlpIsTailCall(ImageBase, FunctionEntry,
                              (ULONG64)Pc + 5 + (ULONG64)(LONG64)*(const LONG UNALIGNED *)(Pc + 1));
    else if (RTLP_HAS(6) && Pc[0] == 0xFF && Pc[1] == 0x25)
        Ends = TRUE;
    else if (RTLP_HAS(3) && (Pc[0] & 0xF8) == 0x48 && Pc[1] == 0xFF && (Pc[2] & 0x38) == 0x20)
        Ends = TRUE;
#undef RTLP_HAS
    if (!Ends)
        return FALSE;

    for (Pc = Pops; (Pc[0] & 0xF8) == 0x58 || ((Pc[0] & 0xFE) == 0x40 && (Pc[1] & 0xF8) == 0x58); Pc++) {
        ULONG Register = Pc[0] & 7;
        if ((Pc[0] & 0xFE) == 0x40) {
            Register = (Pc[1] & 7) | ((Pc[0] & 1) << 3);
            Pc++;
        }
        if (Register == RTLP_RSP)
            return FALSE;
        if (Pointers != NULL)
            Pointers[Register] = (PULONG64)Rsp;
        Registers[Register] = RtlpReadStack64(Rsp);
        Rsp += 8;
    }
    Context->Rip = RtlpReadStack64(Rsp);
    Context->Rsp = Rsp + 8;
    return TRUE;
}

/* Undoes the codes of one entry whose instruction has been executed.  TRUE if it popped a machine frame. */
static BOOLEAN RtlpUndoCodes(PUNWIND_INFO Info, ULONG PrologOffset, ULONG64 FrameBase, PCONTEXT Context,
                             PKNONVOLATILE_CONTEXT_POINTERS Pointers)
{
    ULONG Version = Info->VersionAndFlags & 7;
    PULONG64 Registers = RTLP_REGISTERS(Context);
    PM128A Xmm = &Context->Xmm0;
    BOOLEAN MachineFrame = FALSE;
    ULONG Slots;

    for (ULONG Index = 0; Index < Info->CountOfCodes; Index += Slots) {
        PUNWIND_CODE Code = &Info->UnwindCode[Index];
        ULONG Operand = RTLP_INFO(*Code);
        ULONG64 Slot;

        Slots = RtlpUnwindCodeSlots(Version, *Code);
        if (Index + Slots > Info->CountOfCodes)
            break;
        if (RTLP_OP(*Code) == UWOP_EPILOG || RTLP_OP(*Code) == UWOP_SPARE || Code->CodeOffset > PrologOffset)
            continue;
        switch (RTLP_OP(*Code)) {
        case UWOP_PUSH_NONVOL:
            if (Pointers != NULL)
                Pointers->IntegerContext[Operand] = (PULONG64)Context->Rsp;
            Slot = Context->Rsp;
            Context->Rsp += 8;
            Registers[Operand] = RtlpReadStack64(Slot);
            break;
        case UWOP_ALLOC_LARGE:
            if (Operand == 0)
                Context->Rsp += (ULONG64)Code[1].FrameOffset * 8;
            else
                Context->Rsp += *(const ULONG UNALIGNED *)&Code[1];
            break;
        case UWOP_ALLOC_SMALL:
            Context->Rsp += Operand * 8 + 8;
            break;
        case UWOP_SET_FPREG:
            Context->Rsp = Registers[Info->FrameRegisterAndOffset & 0xF] -
                           (ULONG64)(Info->FrameRegisterAndOffset >> 4) * 16;
            break;
        case UWOP_SAVE_NONVOL:
        case UWOP_SAVE_NONVOL_FAR:
            Slot = FrameBase + (RTLP_OP(*Code) == UWOP_SAVE_NONVOL ? (ULONG64)Code[1].FrameOffset * 8
                                                                   : *(const ULONG UNALIGNED *)&Code[1]);
            if (Pointers != NULL)
                Pointers->IntegerContext[Operand] = (PULONG64)Slot;
            Registers[Operand] = RtlpReadStack64(Slot);
            break;
        case UWOP_SAVE_XMM128:
        case UWOP_SAVE_XMM128_FAR:
            Slot = FrameBase + (RTLP_OP(*Code) == UWOP_SAVE_XMM128 ? (ULONG64)Code[1].FrameOffset * 16
                                                                   : *(const ULONG UNALIGNED *)&Code[1]);
            if (Pointers != NULL)
                Pointers->FloatingContext[Operand] = (PM128A)Slot;
            Xmm[Operand] = *(PM128A)Slot;
            break;
        case UWOP_PUSH_MACHFRAME:
            Slot = Context->Rsp + (Operand != 0 ? 8 : 0);
            Context->Rip = RtlpReadStack64(Slot);
            Context->EFlags = (ULONG)RtlpReadStack64(Slot + 16);
            Context->Rsp = RtlpReadStack64(Slot + 24);
            MachineFrame = TRUE;
            break;
        }
    }
    return MachineFrame;
}

static ULONG64 RtlpEstablisherFrame(PUNWIND_INFO Info, ULONG PrologOffset, PCONTEXT Context)
{
    ULONG Version = Info->VersionAndFlags & 7;
    ULONG Register = Info->FrameRegisterAndOffset & 0xF;
    ULONG64 Frame = RTLP_REGISTERS(Context)[Register] - (ULONG64)(Info->FrameRegisterAndOffset >> 4) * 16;

    if (Register == 0)
        return Context->Rsp;
    if (PrologOffset >= Info->SizeOfProlog || ((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO))
        return Frame;
    for (ULONG Index = 0; Index < Info->CountOfCodes;
         Index += RtlpUnwindCodeSlots(Version, Info->UnwindCode[Index])) {
        if (RTLP_OP(Info->UnwindCode[Index]) == UWOP_SET_FPREG)
            return Info->UnwindCode[Index].CodeOffset <= PrologOffset ? Frame : Context->Rsp;
    }
    return Context->Rsp;
}

PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord,
                                          PVOID *HandlerData, PULONG64 EstablisherFrame,
                                          PKNONVOLATILE_CONTEXT_POINTERS ContextPointers)
{
    PUNWIND_INFO Info = RtlpUnwindInfo(ImageBase, FunctionEntry);
    ULONG PrologOffset = (ULONG)(ControlPc - (ImageBase + FunctionEntry->BeginAddress));
    PEXCEPTION_ROUTINE Handler = NULL;
    BOOLEAN MachineFrame;
    PULONG HandlerSlot;

    *EstablisherFrame = RtlpEstablisherFrame(Info, PrologOffset, ContextRecord);

    if ((PrologOffset >= Info->SizeOfProlog || ((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO)) &&
        RtlpUnwindEpilogue(ImageBase, ControlPc, FunctionEntry, Info, ContextRecord,
                           ContextPointers != NULL ? ContextPointers->IntegerContext : NULL))
        return NULL;

    if (PrologOffset >= Info->SizeOfProlog && ((Info->VersionAndFlags >> 3) & HandlerType) != 0 &&
        !((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO)) {
        HandlerSlot = (PULONG)&Info->UnwindCode[(Info->CountOfCodes + 1) & ~1];
        Handler = (PEXCEPTION_ROUTINE)(ImageBase + *HandlerSlot);
        *HandlerData = HandlerSlot + 1;
    }

    MachineFrame = RtlpUndoCodes(Info, PrologOffset, *EstablisherFrame, ContextRecord, ContextPointers);
    for (ULONG Chain = 0;
         ((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO) && Chain < RTLP_MAXIMUM_CHAIN; Chain++) {
        PUNWIND_INFO Primary = RtlpUnwindInfo(ImageBase, RtlpChainedEntry(ImageBase, Info));
        Info = Primary;
        MachineFrame |= RtlpUndoCodes(Info, MAXULONG, *EstablisherFrame, ContextRecord, ContextPointers);
    }
    if (!MachineFrame) {
        ContextRecord->Rip = RtlpReadStack64(ContextRecord->Rsp);
        ContextRecord->Rsp += 8;
    }
    return Handler;
}

BOOLEAN RtlUnwindFrame(PCONTEXT Context, PRTL_VALIDATE_STACK Validate)
{
    ULONG64 Rip = Context->Rip;
    ULONG64 Rsp = Context->Rsp;
    ULONG64 ImageBase, EstablisherFrame;
    PRUNTIME_FUNCTION Entry;
    PVOID HandlerData;

    if ((Rsp & 7) != 0 || Rsp == 0 || (Validate != NULL && !Validate(Rsp)))
        return FALSE;
    Entry = RtlLookupFunctionEntry(Rip, &ImageBase, NULL);
    if (Entry != NULL) {
        RtlVirtualUnwind(UNW_FLAG_NHANDLER, ImageBase, Rip, Entry, Context, &HandlerData, &EstablisherFrame,
                         NULL);
    } else {
        Context->Rip = RtlpReadStack64(Rsp);
        Context->Rsp = Rsp + 8;
    }
    return Context->Rip != 0 && !(Context->Rip == Rip && Context->Rsp == Rsp);
}

ULONG RtlWalkStack(PCONTEXT Context, PRTL_VALIDATE_STACK Validate, PVOID *Frames, ULONG Count)
{
    ULONG Stored = 0;

    while (Stored < Count && Context->Rip != 0) {
        Frames[Stored++] = (PVOID)Context->Rip;
        if (!RtlUnwindFrame(Context, Validate))
            break;
    }
    return Stored;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One step of an x64 stack walk: from a function's registers to its caller's.
 *
 * Follows the public x64 exception-handling ABI: a function is undone by its unwind codes, by simulating the
 * rest of its epilogue when the control pc stands in one, or, when it has no entry, as a leaf.
 *
 * Whoever reports a fault must not make another: code, unwind data and stack are read through RtlReadMemory, which
 * takes pageable, discarded and wild addresses at any IRQL.  What cannot be read ends the walk.
 */
#include "rtlp.h"

#define RTLP_OP(Code)   ((Code).OpAndInfo & 0xF)
#define RTLP_INFO(Code) ((Code).OpAndInfo >> 4)

C_ASSERT(FIELD_OFFSET(CONTEXT, R15) - FIELD_OFFSET(CONTEXT, Rax) == 15 * sizeof(ULONG64));

#define RTLP_REGISTERS(Context) (&(Context)->Rax) /* in the hardware's numbering */
#define RTLP_RSP                4

#define RTLP_LONGEST_EPILOGUE 48 /* an add, 15 pops of two bytes, a jump */

static ULONG RtlpUnwindCodeSlots(ULONG Version, UNWIND_CODE Code)
{
    switch (RTLP_OP(Code)) {
    case UWOP_ALLOC_LARGE: return RTLP_INFO(Code) == 0 ? 2 : 3;
    case UWOP_SAVE_NONVOL:
    case UWOP_SAVE_XMM128: return 2;
    case UWOP_SAVE_NONVOL_FAR:
    case UWOP_SAVE_XMM128_FAR: return 3;
    case UWOP_EPILOG: return Version >= 2 ? 1 : 2;
    case UWOP_SPARE: return 3;
    default: return 1;
    }
}

BOOLEAN (*RtlReadMemory)(PVOID To, ULONG64 From, SIZE_T Size);

BOOLEAN RtlpRead(PVOID To, ULONG64 From, SIZE_T Size)
{
    if (RtlReadMemory != NULL)
        return RtlReadMemory(To, From, Size);
    memcpy(To, (const VOID *)From, Size);
    return TRUE;
}

/* Zero where nothing is: as a return address it ends the walk. */
static ULONG64 RtlpReadStack64(ULONG64 Address)
{
    ULONG64 Value = 0;

    return RtlpRead(&Value, Address, sizeof(Value)) ? Value : 0;
}

BOOLEAN RtlpReadUnwind(ULONG64 ImageBase, ULONG UnwindData, RTLP_UNWIND *Unwind)
{
    const ULONG Header = FIELD_OFFSET(UNWIND_INFO, UnwindCode);
    ULONG Rest;

    Unwind->Address = ImageBase + UnwindData;
    if (!RtlpRead(Unwind->Bytes, Unwind->Address, Header))
        return FALSE;
    Rest = ((Unwind->Info.CountOfCodes + 1) & ~1u) * sizeof(UNWIND_CODE);
    if (RTLP_IS_CHAINED(&Unwind->Info))
        Rest += sizeof(RUNTIME_FUNCTION);
    return RtlpRead(Unwind->Bytes + Header, Unwind->Address + Header, Rest);
}

BOOLEAN RtlpNextUnwind(ULONG64 ImageBase, RTLP_UNWIND *Unwind, PRUNTIME_FUNCTION Entry)
{
    /* The entry that follows the unwind codes, or another that it points to. */
    *Entry = *(const RUNTIME_FUNCTION *)&Unwind->Info.UnwindCode[(Unwind->Info.CountOfCodes + 1) & ~1];
    if ((Entry->UnwindData & RUNTIME_FUNCTION_INDIRECT) &&
        !RtlpRead(Entry, ImageBase + (Entry->UnwindData & ~RUNTIME_FUNCTION_INDIRECT), sizeof(*Entry)))
        return FALSE;
    return RtlpReadUnwind(ImageBase, Entry->UnwindData, Unwind);
}

/* Does a jump from an epilogue leave the function, so that it ends it as a tail call? */
static BOOLEAN RtlpIsTailCall(ULONG64 ImageBase, const RUNTIME_FUNCTION *Function, ULONG64 Target)
{
    ULONG64 Rva = Target - ImageBase;
    RUNTIME_FUNCTION Primary = *Function;
    RTLP_UNWIND Unwind;

    if (RtlpReadUnwind(ImageBase, Function->UnwindData, &Unwind)) {
        for (ULONG Chain = 0; RTLP_IS_CHAINED(&Unwind.Info) && Chain < RTLP_MAXIMUM_CHAIN; Chain++) {
            if (!RtlpNextUnwind(ImageBase, &Unwind, &Primary))
                break;
        }
    }
    if (Rva >= Function->BeginAddress && Rva < Function->EndAddress)
        return Rva == Function->BeginAddress && Primary.BeginAddress == Function->BeginAddress;
    return !(Rva > Primary.BeginAddress && Rva < Primary.EndAddress);
}

/*
 * If ControlPc is in an epilogue, undoes what is left of it.  The ABI allows exactly: one add rsp or lea
 * rsp,[frame register], pops of 64-bit registers, and a return or a jump out of the function.
 */
static BOOLEAN RtlpUnwindEpilogue(ULONG64 ImageBase, ULONG64 ControlPc, const RUNTIME_FUNCTION *Function,
                                  const UNWIND_INFO *Info, PCONTEXT Context, PULONG64 *Pointers)
{
    UCHAR Code[RTLP_LONGEST_EPILOGUE];
    ULONG64 Left = ImageBase + Function->EndAddress - ControlPc;
    const UCHAR *End = Code + (Left < sizeof(Code) ? Left : sizeof(Code));
    const UCHAR *Pc = Code;
    ULONG FrameRegister = Info->FrameRegisterAndOffset & 0xF;
    PULONG64 Registers = RTLP_REGISTERS(Context);
    ULONG64 Rsp = Context->Rsp;
    const UCHAR *Pops;
    BOOLEAN Ends = FALSE;

    if (!RtlpRead(Code, ControlPc, (SIZE_T)(End - Code)))
        return FALSE;
#define RTLP_ADDRESS(Place) (ControlPc + (ULONG64)((Place) - Code))
#define RTLP_HAS(Count)     (End - Pc >= (Count))
    if (RTLP_HAS(4) && Pc[0] == 0x48 && Pc[1] == 0x83 && Pc[2] == 0xC4) {
        Rsp += (ULONG64)(LONG64)(signed char)Pc[3];
        Pc += 4;
    } else if (RTLP_HAS(7) && Pc[0] == 0x48 && Pc[1] == 0x81 && Pc[2] == 0xC4) {
        Rsp += (ULONG64)(LONG64) * (const LONG UNALIGNED *)(Pc + 3);
        Pc += 7;
    } else if (FrameRegister != 0 && RTLP_HAS(4) && (Pc[0] & 0xFE) == 0x48 && Pc[1] == 0x8D) {
        ULONG Base = (Pc[2] & 7) | ((Pc[0] & 1) << 3);
        if ((Pc[2] & 0x38) == 0x20 && Base == FrameRegister && (Base & 7) != 4) {
            if ((Pc[2] & 0xC0) == 0x40) {
                Rsp = Registers[Base] + (ULONG64)(LONG64)(signed char)Pc[3];
                Pc += 4;
            } else if ((Pc[2] & 0xC0) == 0x80 && RTLP_HAS(7)) {
                Rsp = Registers[Base] + (ULONG64)(LONG64) * (const LONG UNALIGNED *)(Pc + 3);
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
        Ends = RtlpIsTailCall(ImageBase, Function, RTLP_ADDRESS(Pc + 2) + (ULONG64)(LONG64)(signed char)Pc[1]);
    else if (RTLP_HAS(5) && Pc[0] == 0xE9)
        Ends = RtlpIsTailCall(ImageBase, Function,
                              RTLP_ADDRESS(Pc + 5) + (ULONG64)(LONG64) * (const LONG UNALIGNED *)(Pc + 1));
    else if (RTLP_HAS(6) && Pc[0] == 0xFF && Pc[1] == 0x25)
        Ends = TRUE;
    else if (RTLP_HAS(3) && (Pc[0] & 0xF8) == 0x48 && Pc[1] == 0xFF && (Pc[2] & 0x38) == 0x20)
        Ends = TRUE;
#undef RTLP_HAS
#undef RTLP_ADDRESS
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
static BOOLEAN RtlpUndoCodes(const UNWIND_INFO *Info, ULONG PrologOffset, ULONG64 FrameBase, PCONTEXT Context,
                             PKNONVOLATILE_CONTEXT_POINTERS Pointers)
{
    ULONG Version = Info->VersionAndFlags & 7;
    PULONG64 Registers = RTLP_REGISTERS(Context);
    PM128A Xmm = &Context->Xmm0;
    BOOLEAN MachineFrame = FALSE;
    ULONG Slots;

    for (ULONG Index = 0; Index < Info->CountOfCodes; Index += Slots) {
        const UNWIND_CODE *Code = &Info->UnwindCode[Index];
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
        case UWOP_ALLOC_SMALL: Context->Rsp += Operand * 8 + 8; break;
        case UWOP_SET_FPREG:
            Context->Rsp =
                Registers[Info->FrameRegisterAndOffset & 0xF] - (ULONG64)(Info->FrameRegisterAndOffset >> 4) * 16;
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
            RtlpRead(&Xmm[Operand], Slot, sizeof(Xmm[Operand]));
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

static ULONG64 RtlpEstablisherFrame(const UNWIND_INFO *Info, ULONG PrologOffset, PCONTEXT Context)
{
    ULONG Version = Info->VersionAndFlags & 7;
    ULONG Register = Info->FrameRegisterAndOffset & 0xF;
    ULONG64 Frame = RTLP_REGISTERS(Context)[Register] - (ULONG64)(Info->FrameRegisterAndOffset >> 4) * 16;

    if (Register == 0)
        return Context->Rsp;
    if (PrologOffset >= Info->SizeOfProlog || ((Info->VersionAndFlags >> 3) & UNW_FLAG_CHAININFO))
        return Frame;
    for (ULONG Index = 0; Index < Info->CountOfCodes; Index += RtlpUnwindCodeSlots(Version, Info->UnwindCode[Index])) {
        if (RTLP_OP(Info->UnwindCode[Index]) == UWOP_SET_FPREG)
            return Info->UnwindCode[Index].CodeOffset <= PrologOffset ? Frame : Context->Rsp;
    }
    return Context->Rsp;
}

PEXCEPTION_ROUTINE RtlpVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                     const RUNTIME_FUNCTION *Function, PCONTEXT Context, PVOID *HandlerData,
                                     PULONG64 EstablisherFrame, PKNONVOLATILE_CONTEXT_POINTERS Pointers,
                                     PBOOLEAN Trapped)
{
    ULONG PrologOffset = (ULONG)(ControlPc - (ImageBase + Function->BeginAddress));
    PEXCEPTION_ROUTINE Handler = NULL;
    RUNTIME_FUNCTION Primary;
    RTLP_UNWIND Unwind;
    const UNWIND_INFO *Info = &Unwind.Info;
    ULONG HandlerSlot, Routine;

    *Trapped = FALSE;
    if (!RtlpReadUnwind(ImageBase, Function->UnwindData, &Unwind)) {
        *EstablisherFrame = Context->Rsp;
        Context->Rip = 0;
        return NULL;
    }
    *EstablisherFrame = RtlpEstablisherFrame(Info, PrologOffset, Context);

    if ((PrologOffset >= Info->SizeOfProlog || RTLP_IS_CHAINED(Info)) &&
        RtlpUnwindEpilogue(ImageBase, ControlPc, Function, Info, Context,
                           Pointers != NULL ? Pointers->IntegerContext : NULL))
        return NULL;

    if (PrologOffset >= Info->SizeOfProlog && (RTLP_FLAGS(Info) & HandlerType) != 0 && !RTLP_IS_CHAINED(Info)) {
        HandlerSlot = FIELD_OFFSET(UNWIND_INFO, UnwindCode[(Info->CountOfCodes + 1) & ~1]);
        if (RtlpRead(&Routine, Unwind.Address + HandlerSlot, sizeof(Routine))) {
            Handler = (PEXCEPTION_ROUTINE)(ImageBase + Routine);
            *HandlerData = (PVOID)(Unwind.Address + HandlerSlot + sizeof(Routine));
        }
    }

    *Trapped = RtlpUndoCodes(Info, PrologOffset, *EstablisherFrame, Context, Pointers);
    for (ULONG Chain = 0; RTLP_IS_CHAINED(Info) && Chain < RTLP_MAXIMUM_CHAIN; Chain++) {
        if (!RtlpNextUnwind(ImageBase, &Unwind, &Primary))
            break;
        *Trapped |= RtlpUndoCodes(Info, MAXULONG, *EstablisherFrame, Context, Pointers);
    }
    if (!*Trapped) {
        Context->Rip = RtlpReadStack64(Context->Rsp);
        Context->Rsp += 8;
    }
    return Handler;
}

PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord, PVOID *HandlerData,
                                          PULONG64 EstablisherFrame, PKNONVOLATILE_CONTEXT_POINTERS ContextPointers)
{
    RUNTIME_FUNCTION Function = {0};
    BOOLEAN Trapped;

    RtlpRead(&Function, (ULONG64)FunctionEntry, sizeof(Function));
    return RtlpVirtualUnwind(HandlerType, ImageBase, ControlPc, &Function, ContextRecord, HandlerData, EstablisherFrame,
                             ContextPointers, &Trapped);
}

RTL_FRAME RtlUnwindFrame(PCONTEXT Context, RTL_FRAME Inner)
{
    ULONG64 Rip = Context->Rip;
    ULONG64 Rsp = Context->Rsp;
    BOOLEAN Trapped = FALSE;
    ULONG64 EstablisherFrame;
    RTLP_FUNCTION Function;
    PVOID Image, HandlerData;

    /* The kernel does not go on into user mode. */
    if ((Rsp & 7) != 0 || Rsp == 0 || ((LONG64)Rip >= 0 && (LONG64)Rsp >= 0 && RtlpIsKernel()))
        return RtlFrameEnd;
    if (RtlpFindFunction(Rip, &Function)) {
        RtlpVirtualUnwind(UNW_FLAG_NHANDLER, Function.ImageBase, Rip, &Function.Entry, Context, &HandlerData,
                          &EstablisherFrame, NULL, &Trapped);
    } else if (Inner == RtlFrameTrapped || RtlPcToFileHeader((PVOID)Rip, &Image) != NULL) {
        Context->Rip = RtlpReadStack64(Rsp);
        Context->Rsp = Rsp + 8;
    } else {
        return RtlFrameEnd; /* a return address that is none */
    }
    if (Trapped)
        return RtlFrameTrapped;
    return Context->Rip != 0 && !(Context->Rip == Rip && Context->Rsp == Rsp) ? RtlFrameCaller : RtlFrameEnd;
}

ULONG RtlWalkStack(PCONTEXT Context, PVOID *Frames, ULONG Count, PULONG64 Trapped)
{
    RTL_FRAME Frame = RtlFrameTrapped;
    ULONG64 Mask = 0;
    ULONG Stored = 0;

    while (Stored < Count && Frame != RtlFrameEnd) {
        if (Frame == RtlFrameTrapped && Stored < 64)
            Mask |= 1ULL << Stored;
        Frames[Stored++] = (PVOID)Context->Rip;
        Frame = RtlUnwindFrame(Context, Frame);
    }
    if (Trapped != NULL)
        *Trapped = Mask;
    return Stored;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interrupt: what a vector means on this processor, interrupt objects, and the way out of an interrupt.
 *
 * An interrupt object belongs to one processor's vector; objects that share one are chained.  On the way out,
 * a DPC or APC that became due runs at once when the interrupted code's IRQL lets it, saving a software
 * interrupt.
 */
#include "kep.h"

static KSPIN_LOCK KiConnectLock;

FORCEINLINE PVOID KiServiceRoutineOf(const KINTERRUPT *Interrupt)
{
    return Interrupt->MessageServiceRoutine != NULL ? (PVOID)Interrupt->MessageServiceRoutine
                                                    : (PVOID)Interrupt->ServiceRoutine;
}

FORCEINLINE VOID KiRunServiceRoutine(PKINTERRUPT Interrupt, PBOOLEAN Claimed)
{
    BOOLEAN Raised = Interrupt->SynchronizeIrql > Interrupt->Irql;
    FV_CALL Call;

    FV_TRACE(FLTVM_TRACE_INTERRUPT_ENTER, Interrupt->Vector,
             Interrupt->ServiceRoutine ? (PVOID)Interrupt->ServiceRoutine : (PVOID)Interrupt->MessageServiceRoutine, 0,
             0, 0);
    if (Raised) {
        __writecr8(Interrupt->SynchronizeIrql);
    }
    KiAcquireSpinLock(Interrupt->ActualLock);
    /* As a return address, which reports take one from: the routine's first line. */
    KeNoteLock(Interrupt->ActualLock, (PUCHAR)KiServiceRoutineOf(Interrupt) + 1);
    Interrupt->Count++;
    FvBeginCall(&Call);
    if (Interrupt->MessageServiceRoutine != NULL) {
        *Claimed |= Interrupt->MessageServiceRoutine(Interrupt, Interrupt->ServiceContext, Interrupt->MessageId);
    } else {
        *Claimed |= Interrupt->ServiceRoutine(Interrupt, Interrupt->ServiceContext);
    }
    FvEndCall(&Call, KiServiceRoutineOf(Interrupt), "interrupt service routine", (ULONG_PTR)Interrupt);
    KeNoteUnlock(Interrupt->ActualLock);
    KiReleaseSpinLock(Interrupt->ActualLock);
    if (Raised) {
        __writecr8(Interrupt->Irql);
    }
    FV_TRACE(FLTVM_TRACE_INTERRUPT_LEAVE, Interrupt->Vector, 0, 0, 0, 0);
}

static VOID KiDeviceInterrupt(PKPRCB Prcb, ULONG Vector)
{
    PKINTERRUPT First = Prcb->InterruptObject[Vector];
    BOOLEAN Claimed = FALSE;

    if (First == NULL) {
        return; /* disconnected while the interrupt was on its way */
    }
    _enable();
    for (PKINTERRUPT Interrupt = First;;) {
        PKINTERRUPT Next = CONTAINING_RECORD(Interrupt->InterruptListEntry.Flink, KINTERRUPT, InterruptListEntry);

        KiRunServiceRoutine(Interrupt, &Claimed);
        if (Next == First || (Claimed && Interrupt->Mode == LevelSensitive)) {
            break;
        }
        Interrupt = Next;
    }
    _disable();
}

/* Interrupts off, at the interrupt's level; the frame's IRQL is what the exit goes back to. */
static VOID KiLeaveInterrupt(PKPRCB Prcb, PKTRAP_FRAME TrapFrame)
{
    if (Prcb->DpcInterruptRequested && !Prcb->IdleActive) {
        if (TrapFrame->PreviousIrql < DISPATCH_LEVEL) {
            __writecr8(DISPATCH_LEVEL);
            _enable();
            KiDispatchInterrupt();
            _disable();
        } else if (Prcb->NestingLevel == 0 && !(Prcb->InterruptRequest & 2)) {
            Prcb->InterruptRequest |= 2;
            HalRequestSelfInterrupt(HAL_DISPATCH_VECTOR);
        }
    }
}

VOID KiDispatchVector(PKTRAP_FRAME TrapFrame, ULONG Vector)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    switch (Vector) {
    case HAL_DISPATCH_VECTOR:
        HalEndOfInterrupt();
        Prcb->InterruptRequest &= ~2;
        _enable();
        KiDispatchInterrupt();
        _disable();
        return;
    case HAL_APC_VECTOR:
        HalEndOfInterrupt();
        Prcb->InterruptRequest &= ~1;
        _enable();
        KiDeliverApc();
        _disable();
        return;
    case HAL_SPURIOUS_VECTOR: return;
    }
    Prcb->NestingLevel++;
    Prcb->InterruptCount++;
    switch (Vector) {
    case HAL_CLOCK_VECTOR:
        FV_TRACE(FLTVM_TRACE_INTERRUPT_ENTER, Vector, FV_TRACE_ADDRESS(KiClockInterrupt), 0, 0, 0);
        KiClockInterrupt(TrapFrame);
        FV_TRACE(FLTVM_TRACE_INTERRUPT_LEAVE, Vector, 0, 0, 0, 0);
        break;
    case HAL_IPI_VECTOR:
        FV_TRACE(FLTVM_TRACE_INTERRUPT_ENTER, Vector, FV_TRACE_ADDRESS(KiIpiInterrupt), 0, 0, 0);
        KiIpiInterrupt(TrapFrame);
        FV_TRACE(FLTVM_TRACE_INTERRUPT_LEAVE, Vector, 0, 0, 0, 0);
        break;
    default: KiDeviceInterrupt(Prcb, Vector); break;
    }
    HalEndOfInterrupt();
    Prcb->NestingLevel--;
    KiLeaveInterrupt(Prcb, TrapFrame);
}

VOID KeInitializeInterrupt(PKINTERRUPT Interrupt, PKSERVICE_ROUTINE ServiceRoutine,
                           PKMESSAGE_SERVICE_ROUTINE MessageServiceRoutine, PVOID ServiceContext, ULONG MessageId,
                           PKSPIN_LOCK SpinLock, ULONG Vector, KIRQL Irql, KIRQL SynchronizeIrql, KINTERRUPT_MODE Mode,
                           BOOLEAN ShareVector, ULONG Number)
{
    KeCheckRoutine(MessageServiceRoutine != NULL ? (PVOID)MessageServiceRoutine : (PVOID)ServiceRoutine,
                   "interrupt service routine");
    RtlZeroMemory(Interrupt, sizeof(*Interrupt));
    Interrupt->Type = InterruptObject;
    Interrupt->Size = sizeof(*Interrupt);
    InitializeListHead(&Interrupt->InterruptListEntry);
    Interrupt->ServiceRoutine = ServiceRoutine;
    Interrupt->MessageServiceRoutine = MessageServiceRoutine;
    Interrupt->ServiceContext = ServiceContext;
    Interrupt->MessageId = MessageId;
    Interrupt->ActualLock = SpinLock != NULL ? SpinLock : &Interrupt->SpinLock;
    Interrupt->Vector = Vector;
    Interrupt->Irql = Irql;
    Interrupt->SynchronizeIrql = SynchronizeIrql;
    Interrupt->Mode = Mode;
    Interrupt->ShareVector = ShareVector;
    Interrupt->Number = Number;
}

BOOLEAN KeConnectInterrupt(PKINTERRUPT Interrupt)
{
    PKPRCB Prcb = KiProcessorBlock[Interrupt->Number];
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiConnectLock);
    PKINTERRUPT First = Prcb->InterruptObject[Interrupt->Vector];
    BOOLEAN Ok = !Interrupt->Connected && Interrupt->Irql == Interrupt->Vector >> 4 &&
                 Interrupt->SynchronizeIrql >= Interrupt->Irql &&
                 (First == NULL || (First->ShareVector && Interrupt->ShareVector && First->Mode == Interrupt->Mode));

    if (Ok) {
        Interrupt->Connected = TRUE;
        if (First == NULL) {
            InitializeListHead(&Interrupt->InterruptListEntry);
            Prcb->InterruptObject[Interrupt->Vector] = Interrupt;
        } else {
            InsertTailList(&First->InterruptListEntry, &Interrupt->InterruptListEntry);
        }
    }
    KeReleaseSpinLock(&KiConnectLock, OldIrql);
    return Ok;
}

static ULONG_PTR NTAPI KiInterruptBarrier(ULONG_PTR Argument)
{
    return Argument;
}

BOOLEAN KeDisconnectInterrupt(PKINTERRUPT Interrupt)
{
    PKPRCB Prcb = KiProcessorBlock[Interrupt->Number];
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiConnectLock);
    BOOLEAN Ok = Interrupt->Connected;

    if (Ok) {
        Interrupt->Connected = FALSE;
        if (Prcb->InterruptObject[Interrupt->Vector] == Interrupt) {
            Prcb->InterruptObject[Interrupt->Vector] =
                IsListEmpty(&Interrupt->InterruptListEntry)
                    ? NULL
                    : CONTAINING_RECORD(Interrupt->InterruptListEntry.Flink, KINTERRUPT, InterruptListEntry);
        }
        RemoveEntryList(&Interrupt->InterruptListEntry);
    }
    KeReleaseSpinLock(&KiConnectLock, OldIrql);
    /* An ISR that runs still holds the object: every processor has left its interrupts after this. */
    KeIpiGenericCall(KiInterruptBarrier, 0);
    return Ok;
}

BOOLEAN NTAPI KeSynchronizeExecution(PKINTERRUPT Interrupt, PKSYNCHRONIZE_ROUTINE SynchronizeRoutine,
                                     PVOID SynchronizeContext)
{
    BOOLEAN Result;
    KIRQL OldIrql;
    FV_CALL Call;

    KeCheckRoutine((PVOID)SynchronizeRoutine, "synchronization routine");
    OldIrql = KeAcquireInterruptSpinLock(Interrupt);
    KeNoteLock(Interrupt->ActualLock, _ReturnAddress());
    FvBeginCall(&Call);
    Result = SynchronizeRoutine(SynchronizeContext);
    FvEndCall(&Call, (PVOID)SynchronizeRoutine, "synchronization routine", (ULONG_PTR)Interrupt);
    KeNoteUnlock(Interrupt->ActualLock);
    KeReleaseInterruptSpinLock(Interrupt, OldIrql);
    return Result;
}

KIRQL NTAPI KeAcquireInterruptSpinLock(PKINTERRUPT Interrupt)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiVerify(OldIrql <= Interrupt->SynchronizeIrql, IRQL_NOT_GREATER_OR_EQUAL, OldIrql, Interrupt->SynchronizeIrql,
             (ULONG_PTR)Interrupt, 0);
    __writecr8(Interrupt->SynchronizeIrql);
    KiAcquireSpinLock(Interrupt->ActualLock);
    return OldIrql;
}

VOID NTAPI KeReleaseInterruptSpinLock(PKINTERRUPT Interrupt, KIRQL OldIrql)
{
    KiReleaseSpinLock(Interrupt->ActualLock);
    KiVerify(OldIrql <= Interrupt->SynchronizeIrql, IRQL_NOT_LESS_OR_EQUAL, OldIrql, Interrupt->SynchronizeIrql,
             (ULONG_PTR)Interrupt, 0);
    __writecr8(OldIrql);
}

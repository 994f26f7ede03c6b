/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stacks: every thread's stack, walked through .pdata, gathered into one record for the host; and after those what others
 * know of who holds what.
 *
 * Nothing here may fault: of a healthy machine the host asks for stacks too, and their functions may lie in pageable
 * or discarded sections.  The unwinder sees to that.  One gathering at a time: the owner of the bugcheck, or
 * KeReportStacks with its lock.
 */
#include "kep.h"

#define KI_STACK_FRAMES 48
C_ASSERT(KI_STACK_FRAMES <= 64); /* fltvm_stack.trapped */

KI_REPORT KiReport;

VOID KiClearStacks(VOID)
{
    KiReport.Used = KiReport.Count = 0;
}

VOID KiAddStack(PKTHREAD Thread, ULONG Number, KIRQL Irql, ULONG Flags, PCONTEXT Context)
{
    struct fltvm_stack *Stack = (struct fltvm_stack *)(KiReport.Stacks + KiReport.Used);
    ULONG64 Trapped = 0;

    if (KiReport.Used + sizeof(*Stack) + KI_STACK_FRAMES * sizeof(ULONG64) > sizeof(KiReport.Stacks)) {
        return;
    }
    RtlZeroMemory(Stack, sizeof(*Stack));
    Stack->thread = (ULONG64)Thread;
    Stack->cpu = Number;
    Stack->irql = Irql;
    Stack->state = (UCHAR)Thread->State;
    Stack->priority = (UCHAR)Thread->Priority;
    Stack->wait_reason = Thread->WaitReason;
    Stack->flags = Flags;
    RtlCopyMemory(Stack->name, Thread->Name, sizeof(Stack->name));
    Stack->frames = RtlWalkStack(Context, (PVOID *)(Stack + 1), KI_STACK_FRAMES, &Trapped);
    Stack->trapped = Trapped;
    KiReport.Used += sizeof(*Stack) + Stack->frames * sizeof(ULONG64);
    KiReport.Count++;
}

/* A thread that is switched out: its top frame is KiSwapContext's. */
static VOID KiAddWaitingStack(PKTHREAD Thread)
{
    CONTEXT Context;

    RtlZeroMemory(&Context, sizeof(Context));
    Context.Rip = (ULONG64)KiSwapContextResume;
    Context.Rsp = (ULONG64)Thread->KernelStack;
    KiAddStack(Thread, Thread->NextProcessor, Thread->WaitIrql, 0, &Context);
}

VOID KiAddFrozenStack(PKPRCB Prcb)
{
    PKTRAP_FRAME Trap = Prcb->FrozenFrame;
    PKEXCEPTION_FRAME Exception = Prcb->FrozenStack[0];
    CONTEXT Context;

    RtlZeroMemory(&Context, sizeof(Context));
    Context.Rip = Trap->Rip;
    Context.Rsp = Trap->Rsp;
    Context.Rbp = Trap->Rbp;
    Context.Rbx = Trap->Rbx;
    Context.Rsi = Trap->Rsi;
    Context.Rdi = Trap->Rdi;
    Context.R12 = Exception->R12;
    Context.R13 = Exception->R13;
    Context.R14 = Exception->R14;
    Context.R15 = Exception->R15;
    KiAddStack(Prcb->CurrentThread, Prcb->Number, Trap->PreviousIrql, FLTVM_STACK_RUNNING, &Context);
}

/* Of the processors that are frozen, but Current, and of all threads that do not run. */
VOID KiAddOtherStacks(PKPRCB Current)
{
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        PKPRCB Prcb = KiProcessorBlock[Number];

        if (Prcb != Current && Prcb->Frozen) {
            KiAddFrozenStack(Prcb);
        }
    }
    for (PLIST_ENTRY Entry = KiThreadListHead.Flink; Entry != &KiThreadListHead; Entry = Entry->Flink) {
        PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, SystemListEntry);

        if (Thread->State != Running && Thread->KernelStack != NULL) {
            KiAddWaitingStack(Thread);
        }
    }
}

/* ---- who holds what ---- */

#define KI_HOLDERS 4

static PFV_TELL_HELD KiTellHeld[KI_HOLDERS];
static volatile LONG KiHolders;

static VOID NTAPI KiTell(PCSTR Text)
{
    KdLinkSend(FLTVM_RECORD_HELD, 1, &(KD_SEGMENT){Text, (ULONG)strlen(Text)});
}

VOID KiTellHolders(BOOLEAN Frozen)
{
    KiTellWaits(KiTell, Frozen);
    for (LONG Index = 0; Index < KiHolders && Index < KI_HOLDERS; Index++) {
        if (KiTellHeld[Index] != NULL) {
            KiTellHeld[Index](KiTell, Frozen);
        }
    }
}

VOID NTAPI FvRegisterHolder(PFV_TELL_HELD Routine)
{
    LONG Index = InterlockedIncrement(&KiHolders) - 1;

    KeAssert(Index < KI_HOLDERS);
    if (Index < KI_HOLDERS) {
        KiTellHeld[Index] = Routine;
    }
}

VOID KeReportStacks(VOID)
{
    static KSPIN_LOCK Lock;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&Lock);
    CONTEXT Context;

    KiClearStacks();
    RtlCaptureContext(&Context);
    KiAddStack(KeGetCurrentThread(), KeGetCurrentPrcb()->Number, OldIrql, FLTVM_STACK_RUNNING, &Context);
    KiAcquireSpinLock(&KiDispatcherLock);
    KiAddOtherStacks(NULL);
    KiReleaseSpinLock(&KiDispatcherLock);
    KdLinkSend(FLTVM_RECORD_STACKS, 1, &(KD_SEGMENT){KiReport.Stacks, KiReport.Used});
    KiTellHolders(FALSE);
    KeReleaseSpinLock(&Lock, OldIrql);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O verification: does each dispatch routine return STATUS_PENDING if and only if it marked the packet
 * pending?
 *
 * A call in progress has a record, whose number is kept in the four bytes of its stack location that nothing
 * uses.  Two things happen to a record, in either order and on any processors: the routine returns, and the
 * location is completed.  Whoever comes second compares and gives the record back.  A location that is passed
 * on by IoSkipCurrentIrpStackLocation has several records, chained by Outer.  When no record is free a call
 * goes unchecked.
 */
#include "iop.h"

#define IOP_CALLS 512
#define IOP_TRIES 8

#define IOP_CALL_USED      0x01
#define IOP_CALL_COMPLETED 0x02
#define IOP_CALL_MARKED    0x04
#define IOP_CALL_RETURNED  0x08
#define IOP_CALL_PENDING   0x10 /* it returned STATUS_PENDING */

typedef struct _IOP_CALL {
    volatile LONG State; /* IOP_CALL_*; 0: free */
    ULONG Outer;
    PIO_STACK_LOCATION Stack;
    PIRP Irp;
    PDRIVER_DISPATCH Routine;
    PIO_COMPLETION_ROUTINE Completion; /* the location's, which is who sent it down: NULL for none */
} IOP_CALL, *PIOP_CALL;

static IOP_CALL IopCalls[IOP_CALLS];
static volatile LONG IopNextCall;

#define IopCallNumber(Stack) (*(PULONG)((PUCHAR)(Stack) + 4))
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters) == 8 && FIELD_OFFSET(IO_STACK_LOCATION, Control) == 3);

static PIOP_CALL IopFindCall(ULONG Number, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PIOP_CALL Call;

    if (Number == 0 || Number > IOP_CALLS) {
        return NULL;
    }
    Call = &IopCalls[Number - 1];
    return Call->State != 0 && Call->Irp == Irp && Call->Stack == Stack ? Call : NULL;
}

/* Gone: the routine has returned, and the stack is anybody's. */
static VOID IopJudgeCall(PIOP_CALL Call, LONG State, BOOLEAN Gone)
{
    PDRIVER_DISPATCH Routine = Call->Routine;
    PIRP Irp = Call->Irp;
    BOOLEAN Marked = (State & IOP_CALL_MARKED) != 0;
    BOOLEAN Pending = (State & IOP_CALL_PENDING) != 0;

    InterlockedExchange(&Call->State, 0);
    if (Marked != Pending) {
        FvReport(Pending ? "reason=dispatch routine returned STATUS_PENDING without IoMarkIrpPending\n"
                         : "reason=dispatch routine marked the IRP pending and returned another status\n");
        if (Gone) {
            FvBlame(Routine);
        }
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)Routine, (ULONG_PTR)Irp, Pending);
    }
}

static PIO_COMPLETION_ROUTINE IopCompletionOf(PIO_STACK_LOCATION Stack)
{
    return (Stack->Control & (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL)) != 0
               ? Stack->CompletionRoutine
               : NULL;
}

/* A location that is passed on has the completion routine of who sent it: another one would be called instead of that. */
static VOID IopCheckSkipped(PIOP_CALL Outer, PIO_STACK_LOCATION Stack, const VOID *Caller)
{
    PIO_COMPLETION_ROUTINE Completion = IopCompletionOf(Stack);
    CHAR Text[96];

    if (Outer->Completion == Completion) {
        return;
    }
    _snprintf(Text, sizeof(Text), "routine=0x%I64x\ninstead-of-routine=0x%I64x\n", (ULONG64)Completion,
              (ULONG64)Outer->Completion);
    FvReport("rule=IoSetCompletionRoutine of a location that IoSkipCurrentIrpStackLocation passes on\n");
    FvReport(Text);
    FvBlame(Caller);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)Outer->Irp, (ULONG_PTR)Completion,
                 (ULONG_PTR)Outer->Completion);
}

/* Before the call, of Caller's; what IopVerifyReturned wants after it.  <= DISPATCH_LEVEL. */
ULONG IopVerifyCalling(PIRP Irp, PIO_STACK_LOCATION Stack, PDRIVER_DISPATCH Routine, const VOID *Caller)
{
    ULONG Old = IopCallNumber(Stack);
    PIOP_CALL Outer = IopFindCall(Old, Irp, Stack);
    ULONG Try;

    if (Outer != NULL) {
        IopCheckSkipped(Outer, Stack, Caller);
    }

    for (Try = 0; Try < IOP_TRIES; Try++) {
        ULONG Index = (ULONG)InterlockedIncrement(&IopNextCall) % IOP_CALLS;
        PIOP_CALL Call = &IopCalls[Index];

        if (Call->State == 0 && InterlockedCompareExchange(&Call->State, IOP_CALL_USED, 0) == 0) {
            Call->Outer = Outer != NULL ? Old : 0;
            Call->Completion = IopCompletionOf(Stack);
            Call->Irp = Irp;
            Call->Stack = Stack;
            Call->Routine = Routine;
            IopCallNumber(Stack) = Index + 1;
            return Index + 1;
        }
    }
    return 0;
}

/* The packet may be gone. */
VOID IopVerifyReturned(ULONG Number, NTSTATUS Status)
{
    PIOP_CALL Call = &IopCalls[Number - 1];
    LONG Bits = IOP_CALL_RETURNED | (Status == STATUS_PENDING ? IOP_CALL_PENDING : 0);
    LONG Old = InterlockedOr(&Call->State, Bits);

    if ((Old & IOP_CALL_COMPLETED) != 0) {
        IopJudgeCall(Call, Old | Bits, FALSE);
    } else if (Status != STATUS_PENDING) {
        FvReport("reason=dispatch routine returned a final status for an IRP that is not completed\n");
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)Call->Routine, (ULONG_PTR)Call->Irp,
                     (ULONG_PTR)(LONG_PTR)Status);
    }
}

/* The location is about to be completed.  <= DISPATCH_LEVEL. */
VOID IopVerifyLocationDone(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Number = IopCallNumber(Stack);
    PIOP_CALL Call;

    IopCallNumber(Stack) = 0;
    while ((Call = IopFindCall(Number, Irp, Stack)) != NULL) {
        LONG Bits = IOP_CALL_COMPLETED | ((Stack->Control & SL_PENDING_RETURNED) != 0 ? IOP_CALL_MARKED : 0);
        LONG Old;

        Number = Call->Outer; /* before the returning processor may give the record back */
        Old = InterlockedOr(&Call->State, Bits);
        if ((Old & IOP_CALL_RETURNED) != 0) {
            IopJudgeCall(Call, Old | Bits, TRUE);
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One-time initialization.
 *
 * The low two bits of the structure's pointer are its state; above them is the context once it is done, and
 * while one thread does it the others that wait, each with an event on its own stack.  Asynchronously nobody
 * waits: who completes first wins.  IRQL: PASSIVE_LEVEL (RtlRunOnceInitialize: any).
 */
#include "kep.h"

#define KI_ONCE_NOT     0
#define KI_ONCE_RUNNING 1 /* one thread; the waiting ones are above */
#define KI_ONCE_DONE    2
#define KI_ONCE_ASYNC   3 /* any thread may, nobody waits */
#define KI_ONCE_STATE   3

typedef struct DECLSPEC_ALIGN(16) _KI_ONCE_WAITER {
    KEVENT Event;
    struct _KI_ONCE_WAITER *Next;
} KI_ONCE_WAITER, *PKI_ONCE_WAITER;

static BOOLEAN KiChangeOnce(PRTL_RUN_ONCE RunOnce, PVOID Old, ULONG_PTR New)
{
    return InterlockedCompareExchangePointer(&RunOnce->Ptr, (PVOID)New, Old) == Old;
}

/* Until whoever runs it is through; it may have failed, so the caller looks again. */
static VOID KiWaitForOnce(PRTL_RUN_ONCE RunOnce, PVOID Seen)
{
    KI_ONCE_WAITER Waiter;

    KeInitializeEvent(&Waiter.Event, SynchronizationEvent, FALSE);
    Waiter.Next = (PKI_ONCE_WAITER)((ULONG_PTR)Seen & ~(ULONG_PTR)KI_ONCE_STATE);
    if (KiChangeOnce(RunOnce, Seen, (ULONG_PTR)&Waiter | KI_ONCE_RUNNING)) {
        KeWaitForSingleObject(&Waiter.Event, Executive, KernelMode, FALSE, NULL);
    }
}

VOID NTAPI RtlRunOnceInitialize(PRTL_RUN_ONCE RunOnce)
{
    RunOnce->Ptr = NULL;
}

/*
 * STATUS_SUCCESS: it is done, *Context is what it was done with.  STATUS_PENDING: the caller does it now.
 * STATUS_UNSUCCESSFUL: only looked, and it is not done.  STATUS_INVALID_PARAMETER_2: such flags, or the other
 * kind runs.
 */
NTSTATUS NTAPI RtlRunOnceBeginInitialize(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID *Context)
{
    if ((Flags & ~(ULONG)(RTL_RUN_ONCE_CHECK_ONLY | RTL_RUN_ONCE_ASYNC)) != 0 ||
        Flags == (RTL_RUN_ONCE_CHECK_ONLY | RTL_RUN_ONCE_ASYNC)) {
        return STATUS_INVALID_PARAMETER_2;
    }
    for (;;) {
        PVOID Seen = InterlockedCompareExchangePointer(&RunOnce->Ptr, NULL, NULL);
        ULONG_PTR State = (ULONG_PTR)Seen & KI_ONCE_STATE;

        if (State == KI_ONCE_DONE) {
            if (Context != NULL) {
                *Context = (PVOID)((ULONG_PTR)Seen & ~(ULONG_PTR)KI_ONCE_STATE);
            }
            return STATUS_SUCCESS;
        }
        if ((Flags & RTL_RUN_ONCE_CHECK_ONLY) != 0) {
            return STATUS_UNSUCCESSFUL;
        }
        if (State == KI_ONCE_NOT) {
            if (KiChangeOnce(RunOnce, Seen, (Flags & RTL_RUN_ONCE_ASYNC) != 0 ? KI_ONCE_ASYNC : KI_ONCE_RUNNING)) {
                return STATUS_PENDING;
            }
        } else if ((State == KI_ONCE_ASYNC) != ((Flags & RTL_RUN_ONCE_ASYNC) != 0)) {
            return STATUS_INVALID_PARAMETER_2;
        } else if (State == KI_ONCE_ASYNC) {
            return STATUS_PENDING;
        } else {
            KiWaitForOnce(RunOnce, Seen);
        }
    }
}

/*
 * STATUS_OBJECT_NAME_COLLISION: asynchronously, another was first.  STATUS_UNSUCCESSFUL: nobody had begun.
 * STATUS_INVALID_PARAMETER_2, _3: such flags; a context with one of its low two bits set, or one of what
 * failed.
 */
NTSTATUS NTAPI RtlRunOnceComplete(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID Context)
{
    BOOLEAN Failed = (Flags & RTL_RUN_ONCE_INIT_FAILED) != 0, Async = (Flags & RTL_RUN_ONCE_ASYNC) != 0;
    ULONG_PTR New = Failed ? KI_ONCE_NOT : (ULONG_PTR)Context | KI_ONCE_DONE;
    PVOID Seen = InterlockedCompareExchangePointer(&RunOnce->Ptr, NULL, NULL);
    PKI_ONCE_WAITER Waiter, Next;

    if ((Flags & ~(ULONG)(RTL_RUN_ONCE_INIT_FAILED | RTL_RUN_ONCE_ASYNC)) != 0 || (Failed && Async)) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (((ULONG_PTR)Context & KI_ONCE_STATE) != 0 || (Failed && Context != NULL)) {
        return STATUS_INVALID_PARAMETER_3;
    }
    if (Async) {
        if (((ULONG_PTR)Seen & KI_ONCE_STATE) == KI_ONCE_ASYNC && KiChangeOnce(RunOnce, Seen, New)) {
            return STATUS_SUCCESS;
        }
        return ((ULONG_PTR)InterlockedCompareExchangePointer(&RunOnce->Ptr, NULL, NULL) & KI_ONCE_STATE) == KI_ONCE_DONE
                   ? STATUS_OBJECT_NAME_COLLISION
                   : STATUS_UNSUCCESSFUL;
    }
    if (((ULONG_PTR)Seen & KI_ONCE_STATE) != KI_ONCE_RUNNING) {
        return STATUS_UNSUCCESSFUL;
    }
    Seen = InterlockedExchangePointer(&RunOnce->Ptr, (PVOID)New);
    for (Waiter = (PKI_ONCE_WAITER)((ULONG_PTR)Seen & ~(ULONG_PTR)KI_ONCE_STATE); Waiter != NULL; Waiter = Next) {
        Next = Waiter->Next; /* its thread may return as soon as it is woken */
        KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

/* STATUS_UNSUCCESSFUL: InitFn returned 0; the next caller tries again. */
NTSTATUS NTAPI RtlRunOnceExecuteOnce(PRTL_RUN_ONCE RunOnce, PRTL_RUN_ONCE_INIT_FN InitFn, PVOID Parameter,
                                     PVOID *Context)
{
    PVOID Local = NULL, *Result = Context != NULL ? Context : &Local;
    NTSTATUS Status = RtlRunOnceBeginInitialize(RunOnce, 0, Result);

    if (Status != STATUS_PENDING) {
        return Status;
    }
    if (InitFn(RunOnce, Parameter, Result) == 0) {
        RtlRunOnceComplete(RunOnce, RTL_RUN_ONCE_INIT_FAILED, NULL);
        return STATUS_UNSUCCESSFUL;
    }
    return RtlRunOnceComplete(RunOnce, 0, *Result);
}

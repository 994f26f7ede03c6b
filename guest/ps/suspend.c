/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suspend: threads of programs that are stopped for a while, and that begin stopped.
 *
 * A thread is stopped by a normal kernel APC of its own in which it waits until nobody wants it stopped any more.  So it
 * stops where such APCs come: not in a critical region, not at APC_LEVEL, which is why file systems enter one.
 */
#include "psp.h"

#define PSP_MOST_SUSPENDED 127 /* MAXIMUM_SUSPEND_COUNT */

static FAST_MUTEX PspSuspendMutex; /* SuspendCount of every thread */

/* PASSIVE_LEVEL, in the thread. */
static VOID NTAPI PspStop(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeWaitForSingleObject(&PsGetCurrentThread()->ResumeEvent, Suspended, KernelMode, FALSE, NULL);
}

/* The APC is a part of its thread: nothing is to be freed. */
static VOID NTAPI PspStopNow(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext, PVOID *Argument1,
                             PVOID *Argument2)
{
    UNREFERENCED_PARAMETER(Apc);
    UNREFERENCED_PARAMETER(NormalRoutine);
    UNREFERENCED_PARAMETER(NormalContext);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID NTAPI PspNeverStopped(PKAPC Apc)
{
    UNREFERENCED_PARAMETER(Apc);
}

VOID PspInitializeSuspend(VOID)
{
    ExInitializeFastMutex(&PspSuspendMutex);
}

VOID PspPrepareSuspend(PETHREAD Thread)
{
    KeInitializeEvent(&Thread->ResumeEvent, NotificationEvent, TRUE);
    KeInitializeApc(&Thread->SuspendApc, &Thread->Tcb, 0 /* OriginalApcEnvironment */, PspStopNow, PspNeverStopped,
                    PspStop, KernelMode, NULL);
}

NTSTATUS PspSuspendThread(PETHREAD Thread, PULONG Previous)
{
    NTSTATUS Status = STATUS_SUCCESS;

    ExAcquireFastMutex(&PspSuspendMutex);
    *Previous = Thread->SuspendCount;
    if (Thread->Tcb.Terminating) {
        Status = STATUS_THREAD_IS_TERMINATING;
    } else if (Thread->SuspendCount == PSP_MOST_SUSPENDED) {
        Status = STATUS_SUSPEND_COUNT_EXCEEDED;
    } else if (Thread->SuspendCount++ == 0) {
        KeClearEvent(&Thread->ResumeEvent);
        KeInsertQueueApc(&Thread->SuspendApc, NULL, NULL, 0); /* unless it waits already to be delivered */
    }
    ExReleaseFastMutex(&PspSuspendMutex); /* here the caller's own thread stops */
    return Status;
}

static VOID PspResumeThread(PETHREAD Thread, PULONG Previous)
{
    ExAcquireFastMutex(&PspSuspendMutex);
    *Previous = Thread->SuspendCount;
    if (Thread->SuspendCount != 0 && --Thread->SuspendCount == 0) {
        KeSetEvent(&Thread->ResumeEvent, 0, FALSE);
    }
    ExReleaseFastMutex(&PspSuspendMutex);
}

VOID PspForceResume(PETHREAD Thread)
{
    ExAcquireFastMutex(&PspSuspendMutex);
    Thread->SuspendCount = 0;
    KeSetEvent(&Thread->ResumeEvent, 0, FALSE);
    ExReleaseFastMutex(&PspSuspendMutex);
}

/* What both services have in common: a thread's count before. */
static NTSTATUS PspChangeSuspend(HANDLE ThreadHandle, BOOLEAN Suspend, PULONG PreviousCount)
{
    ULONG Previous = 0;
    PETHREAD Thread;
    NTSTATUS Status;

    __try {
        if (PreviousCount != NULL && ExGetPreviousMode() != KernelMode) {
            ProbeForWrite(PreviousCount, sizeof(*PreviousCount), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = PspReferenceUserThread(ThreadHandle, 0x2 /* THREAD_SUSPEND_RESUME */, &Thread);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Suspend) {
        Status = PspSuspendThread(Thread, &Previous);
    } else {
        PspResumeThread(Thread, &Previous);
    }
    ObDereferenceObject(Thread);
    __try {
        if (PreviousCount != NULL && NT_SUCCESS(Status)) {
            *PreviousCount = Previous;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        NOTHING; /* done, but not told */
    }
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  Once more for each call the thread is to be resumed.  STATUS_SUSPEND_COUNT_EXCEEDED,
 * STATUS_THREAD_IS_TERMINATING; STATUS_INVALID_HANDLE: a thread without user mode.
 */
NTSTATUS NTAPI NtSuspendThread(HANDLE ThreadHandle, PULONG PreviousCount)
{
    return PspChangeSuspend(ThreadHandle, TRUE, PreviousCount);
}

/* IRQL: PASSIVE_LEVEL.  Goes on when nobody wants it stopped any more; nothing happens to one that is not. */
NTSTATUS NTAPI NtResumeThread(HANDLE ThreadHandle, PULONG PreviousCount)
{
    return PspChangeSuspend(ThreadHandle, FALSE, PreviousCount);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads and waits for guest tests.  IRQL: PASSIVE_LEVEL. */
#ifndef TESTS_GUEST_THREADS_H
#define TESTS_GUEST_THREADS_H

static inline PVOID StartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    PVOID Thread = NULL;

    if (!NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context)))
        return NULL;
    ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    return Thread;
}

static inline VOID JoinThread(PVOID Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static inline NTSTATUS WaitFor(PVOID Object, ULONG Milliseconds)
{
    LARGE_INTEGER Timeout = {.QuadPart = -10000LL * Milliseconds};

    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Timeout);
}

static inline VOID Sleep(ULONG Milliseconds)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000LL * Milliseconds};

    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads of a program that begin stopped and are stopped.  Its status is 0x600D, or how many checks failed. */
#include <ntifs.h>

NTSTATUS NTAPI NtSuspendThread(HANDLE Thread, PULONG Previous);
NTSTATUS NTAPI NtResumeThread(HANDLE Thread, PULONG Previous);
NTSTATUS NTAPI NtTerminateThread(HANDLE Thread, NTSTATUS Status);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PVOID Start, PVOID Argument, PHANDLE Thread,
                                   PVOID ClientId);
NTSTATUS Main(PVOID Peb);

static ULONG Failed;
static LARGE_INTEGER None = {.QuadPart = 0}, Short = {.QuadPart = -10000 * 5};
static volatile ULONG Began, Steps, Stop;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static NTSTATUS Count(PVOID Sleeps)
{
    Began++;
    while (!Stop) {
        Steps++;
        if (Sleeps != NULL)
            NtDelayExecution(FALSE, &Short);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS StopItself(PVOID Unused)
{
    ULONG Previous = 9;

    Began++;
    Check(NtSuspendThread(ZwCurrentThread(), &Previous) == STATUS_SUCCESS && Previous == 0, "it stops itself");
    Began++;
    return STATUS_SUCCESS;
}

static HANDLE Begin(PVOID Start, PVOID Argument, BOOLEAN Suspended)
{
    HANDLE Thread = NULL;

    Began = Steps = Stop = 0;
    Check(RtlCreateUserThread(ZwCurrentProcess(), NULL, Suspended, 0, 0, 0, Start, Argument, &Thread, NULL) ==
              STATUS_SUCCESS,
          "a thread");
    NtDelayExecution(FALSE, &Short);
    return Thread;
}

static BOOLEAN Moves(void)
{
    ULONG Before = Steps;

    NtDelayExecution(FALSE, &Short);
    NtDelayExecution(FALSE, &Short);
    return Steps != Before;
}

static void End(HANDLE Thread)
{
    Stop = 1;
    Check(NtWaitForSingleObject(Thread, FALSE, NULL) == STATUS_SUCCESS, "it ends");
    NtClose(Thread);
}

/* In a loop of its own, or asleep most of the time. */
static void CheckStops(PVOID Sleeps)
{
    ULONG Previous = 9;
    HANDLE Thread = Begin(Count, Sleeps, TRUE);

    Check(Began == 0, "it does not begin");
    Check(NtResumeThread(Thread, &Previous) == STATUS_SUCCESS && Previous == 1, "it is let go");
    NtDelayExecution(FALSE, &Short);
    Check(Began == 1 && Moves(), "and begins");
    Check(NtSuspendThread(Thread, &Previous) == STATUS_SUCCESS && Previous == 0, "it is stopped");
    Check(NtSuspendThread(Thread, NULL) == STATUS_SUCCESS, "twice");
    NtDelayExecution(FALSE, &Short);
    Check(!Moves(), "it stands");
    Check(NtResumeThread(Thread, &Previous) == STATUS_SUCCESS && Previous == 2, "once");
    Check(!Moves(), "is not enough");
    Check(NtResumeThread(Thread, &Previous) == STATUS_SUCCESS && Previous == 1 && Moves(), "twice is");
    Check(NtResumeThread(Thread, &Previous) == STATUS_SUCCESS && Previous == 0 && Moves(), "nothing happens");
    End(Thread);
    Check(NtSuspendThread(ZwCurrentProcess(), NULL) == STATUS_OBJECT_TYPE_MISMATCH, "a process is no thread");
}

static void CheckLimit(void)
{
    HANDLE Thread = Begin(Count, NULL, TRUE);
    ULONG Previous = 0;
    NTSTATUS Status;

    for (ULONG Times = 1; Times < 127; Times++)
        Check(NtSuspendThread(Thread, &Previous) == STATUS_SUCCESS && Previous == Times, "once more");
    Status = NtSuspendThread(Thread, &Previous);
    Check(Status == STATUS_SUSPEND_COUNT_EXCEEDED, "that is the most");
    Check(NtSuspendThread(Thread, (PULONG)8) == STATUS_ACCESS_VIOLATION &&
              NtResumeThread(Thread, (PULONG)0xFFFF900000000000) == STATUS_ACCESS_VIOLATION,
          "a count that cannot be told");
    Check(NtTerminateThread(Thread, 5) == STATUS_SUCCESS &&
              NtWaitForSingleObject(Thread, FALSE, NULL) == STATUS_SUCCESS,
          "what never began ends");
    Check(Began == 0, "without having begun");
    Check(NtSuspendThread(Thread, &Previous) == STATUS_THREAD_IS_TERMINATING, "and is not stopped any more");
    NtClose(Thread);
    Thread = Begin(Count, NULL, FALSE);
    NtSuspendThread(Thread, NULL);
    NtDelayExecution(FALSE, &Short);
    Check(NtTerminateThread(Thread, 5) == STATUS_SUCCESS &&
              NtWaitForSingleObject(Thread, FALSE, NULL) == STATUS_SUCCESS,
          "what is stopped ends");
    NtClose(Thread);
}

static void CheckItself(void)
{
    HANDLE Thread = Begin(StopItself, NULL, FALSE);

    Check(Began == 1 && NtWaitForSingleObject(Thread, FALSE, &None) == STATUS_TIMEOUT, "it stands where it stopped");
    Check(NtResumeThread(Thread, NULL) == STATUS_SUCCESS, "it is let go");
    End(Thread);
    Check(Began == 2, "and goes on");
}

NTSTATUS Main(PVOID Peb)
{
    HANDLE Left;

    CheckStops(NULL);
    CheckStops((PVOID)1);
    CheckLimit();
    CheckItself();
    Left = Begin(Count, NULL, TRUE); /* the process ends with one that never begins, and one that stands */
    NtClose(Left);
    Left = Begin(Count, NULL, FALSE);
    NtSuspendThread(Left, NULL);
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}

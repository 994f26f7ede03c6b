/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user: threads in user mode, and the end of processes that have them.
 *
 * A thread makes its stack and its TEB itself, in its own address space, before it leaves the kernel for the first time.
 * Nobody ends it from outside: it is told to, wakes from waits in user mode's name, and ends itself on its way to
 * user mode, where it holds nothing.  The last one takes its process with it.
 */
#include "psp.h"
#include <usermode.h>

#define PSP_USER_TAG 'resU'

#define PSP_STACK_SIZE   0x100000ull /* reserved; it grows by the guard page */
#define PSP_STACK_COMMIT 0x2000ull
#define PSP_TEB_SIZE     0x2000ull

/* The documented and the commonly used fields of a TEB. */
#define PSP_TEB_STACK_BASE         0x0008
#define PSP_TEB_STACK_LIMIT        0x0010
#define PSP_TEB_SELF               0x0030
#define PSP_TEB_PROCESS_ID         0x0040
#define PSP_TEB_THREAD_ID          0x0048
#define PSP_TEB_PEB                0x0060
#define PSP_TEB_DEALLOCATION_STACK 0x1478

typedef struct _PSP_USER_START {
    ULONG64 Start, Entry, Argument;
} PSP_USER_START;

/* The stack, its guard page and the TEB; nothing is given back on failure: the process's end does that. */
static NTSTATUS PspMakeStack(KE_USER_START *Start)
{
    ULONG64 Base = 0, Size = PSP_STACK_SIZE, Part;
    NTSTATUS Status = MmAllocateVirtual(&Base, 0, &Size, MEM_RESERVE, PAGE_READWRITE);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Start->StackLow = Base;
    Start->StackHigh = Base + Size;
    Part = Start->StackHigh - PSP_STACK_COMMIT;
    Size = PSP_STACK_COMMIT;
    Status = MmAllocateVirtual(&Part, 0, &Size, MEM_COMMIT, PAGE_READWRITE);
    if (NT_SUCCESS(Status)) {
        Part -= PAGE_SIZE;
        Size = PAGE_SIZE;
        Status = MmAllocateVirtual(&Part, 0, &Size, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD);
    }
    return Status;
}

static NTSTATUS PspMakeTeb(PETHREAD Thread, KE_USER_START *Start)
{
    ULONG64 Teb = 0, Size = PSP_TEB_SIZE;
    NTSTATUS Status = MmAllocateVirtual(&Teb, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        *(PULONG64)(Teb + PSP_TEB_STACK_BASE) = Start->StackHigh;
        *(PULONG64)(Teb + PSP_TEB_STACK_LIMIT) = Start->StackHigh - PSP_STACK_COMMIT;
        *(PULONG64)(Teb + PSP_TEB_SELF) = Teb;
        *(PULONG64)(Teb + PSP_TEB_PROCESS_ID) = (ULONG64)Thread->Cid.UniqueProcess;
        *(PULONG64)(Teb + PSP_TEB_THREAD_ID) = (ULONG64)Thread->Cid.UniqueThread;
        *(PULONG64)(Teb + PSP_TEB_PEB) = (ULONG64)PsGetThreadProcess(Thread)->Peb;
        *(PULONG64)(Teb + PSP_TEB_DEALLOCATION_STACK) = Start->StackLow;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Start->Teb = (PVOID)Teb;
    return STATUS_SUCCESS;
}

/* What the process begins with; in its first thread, as on Windows. */
static VOID PspTellImages(PEPROCESS Process)
{
    UNICODE_STRING Library = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\ntdll.dll");

    if (Process->ImagesTold || Process->Images[PsUserProgram].Base == NULL) {
        return;
    }
    Process->ImagesTold = TRUE;
    PsNotifyImage(&Process->ImageName, Process, Process->ImageFile, Process->Images[PsUserProgram].Base,
                  Process->Images[PsUserProgram].Size);
    PsNotifyImage(&Library, Process, NULL, Process->Images[PsUserLibrary].Base, Process->Images[PsUserLibrary].Size);
}

static VOID NTAPI PspUserThreadStartup(PVOID Context)
{
    PETHREAD Thread = PsGetCurrentThread();
    PSP_USER_START Wanted = *(PSP_USER_START *)Context;
    KE_USER_START Start = {.FloatState = Thread->FloatState};
    NTSTATUS Status;

    ExFreePoolWithTag(Context, PSP_USER_TAG);
    Status = PspMakeStack(&Start);
    if (NT_SUCCESS(Status)) {
        Status = PspMakeTeb(Thread, &Start);
    }
    if (!NT_SUCCESS(Status)) {
        PspExitThread(Status);
    }
    PspTellImages(PsGetThreadProcess(Thread));
    Start.Rip = Wanted.Start;
    Start.Rcx = Wanted.Entry;
    Start.Rdx = Wanted.Argument;
    Start.Rsp = Start.StackHigh - 0x28; /* as after a call: 8 below a multiple of 16 */
    KeEnterUserMode(&Start);
}

NTSTATUS PsCreateUserThread(PEPROCESS Process, ULONG64 Start, ULONG64 Entry, ULONG64 Argument, BOOLEAN Suspended,
                            PETHREAD *Thread)
{
    PSP_USER_START *Context = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Context), PSP_USER_TAG);
    NTSTATUS Status;

    if (Context == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Context = (PSP_USER_START){Start, Entry, Argument};
    Process->User = TRUE;
    Process->UserThreadStart = Start;
    Status = PspCreateThread(Process, "user", NULL, 0, PspUserThreadStartup, Context, Suspended, NULL, NULL, Thread);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Context, PSP_USER_TAG);
    }
    return Status;
}

BOOLEAN PspIsUserThread(PETHREAD Thread)
{
    return Thread->StartAddress == PspUserThreadStartup;
}

/* ---- the end ---- */

/* A process may have had many threads before its end frees all.  That the user has freed them already does not matter. */
static VOID PspFreeStack(PETHREAD Thread)
{
    ULONG64 Stack = Thread->Tcb.UserStackLow, Teb = (ULONG64)Thread->Tcb.Teb, StackSize = 0, TebSize = 0;

    if (Stack != 0) {
        MmFreeVirtual(&Stack, &StackSize, MEM_RELEASE);
        MmFreeVirtual(&Teb, &TebSize, MEM_RELEASE);
    }
}

/* On its way to user mode: the thread has been told to end. */
static VOID PspUserExit(VOID)
{
    PETHREAD Thread = PsGetCurrentThread();
    PEPROCESS Process = PsGetThreadProcess(Thread);
    NTSTATUS Status;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    Status = Process->Exiting ? Process->UserExitStatus : Thread->UserExitStatus;
    KeReleaseSpinLock(&PspLock, OldIrql);
    PspFreeStack(Thread);
    PspExitThread(Status);
}

/* Threads of the kernel's in the process are none of its user's: they go on. */
VOID PsTerminateUserProcess(PEPROCESS Process, NTSTATUS ExitStatus)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    if (!Process->Exiting) {
        Process->Exiting = TRUE;
        Process->UserExitStatus = ExitStatus;
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    for (PETHREAD Thread = PsGetNextProcessThread(Process, NULL); Thread != NULL;
         Thread = PsGetNextProcessThread(Process, Thread)) {
        if (PspIsUserThread(Thread)) {
            KeForceUserExit(&Thread->Tcb);
            PspForceResume(Thread);
        }
    }
}

/* PASSIVE_LEVEL.  An exception that the program has no handler for ends it, with its code as the status. */
static VOID PspUserException(NTSTATUS Status)
{
    PEPROCESS Process = PsGetThreadProcess(PsGetCurrentThread());

    DbgPrint("%s: ends by an exception that nobody handles: 0x%08X\n", Process->ImageFileName, Status);
    PsTerminateUserProcess(Process, Status);
}

VOID PspInitializeUser(VOID)
{
    PspInitializeSuspend();
    KeUserExitRoutine = PspUserExit;
    KeUserExceptionRoutine = PspUserException;
    KeMmGrowStack = MmGrowStack;
}

/*
 * PASSIVE_LEVEL.  As ZwTerminateProcess; NULL, which stands for all of the caller's threads but itself, is not
 * implemented.  Of the calling process it does not return.
 */
NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
    PEPROCESS Process;
    NTSTATUS Status;

    if (ProcessHandle == NULL) {
        return STATUS_NOT_IMPLEMENTED;
    }
    Status = ObReferenceObjectByHandle(ProcessHandle, 0x1 /* PROCESS_TERMINATE */, PsProcessTypeObject,
                                       ExGetPreviousMode(), (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!Process->User) {
        Status = STATUS_ACCESS_DENIED;
    } else if (Process->ActiveProcessLinks.Flink == NULL) {
        Status = STATUS_PROCESS_IS_TERMINATING;
    } else {
        PsTerminateUserProcess(Process, ExitStatus);
    }
    ObDereferenceObject(Process);
    return Status;
}

/* PASSIVE_LEVEL.  NULL: the calling thread.  STATUS_ACCESS_DENIED: it has no user mode. */
NTSTATUS NTAPI NtTerminateThread(HANDLE ThreadHandle, NTSTATUS ExitStatus)
{
    PETHREAD Thread;
    NTSTATUS Status;

    Status =
        ObReferenceObjectByHandle(ThreadHandle != NULL ? ThreadHandle : ZwCurrentThread(), 0x1 /* THREAD_TERMINATE */,
                                  PsThreadTypeObject, ExGetPreviousMode(), (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!PspIsUserThread(Thread)) {
        Status = STATUS_ACCESS_DENIED;
    } else if (!Thread->Tcb.Terminating) {
        Thread->UserExitStatus = ExitStatus;
        KeForceUserExit(&Thread->Tcb);
        PspForceResume(Thread);
    }
    ObDereferenceObject(Thread);
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_USER_APC, STATUS_ALERTED: an alertable wait ended early. */
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER DelayInterval)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    LARGE_INTEGER Interval;

    __try {
        if (Mode != KernelMode) {
            ProbeForRead(DelayInterval, sizeof(*DelayInterval), sizeof(ULONG));
        }
        Interval = *DelayInterval;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return KeDelayExecutionThread(Mode, Alertable, &Interval);
}

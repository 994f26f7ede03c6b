/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services on handles of processes and threads: ending the one, setting the other. */
#include "psp.h"

/*
 * PASSIVE_LEVEL.  NULL: the caller's.  STATUS_ACCESS_DENIED: the system's process, which never ends;
 * STATUS_PROCESS_IS_TERMINATING: it has ended; STATUS_NOT_IMPLEMENTED: it has threads still, whose end cannot
 * be forced; STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
 */
NTSTATUS NTAPI ZwTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
    PEPROCESS Process;
    NTSTATUS Status;

    PAGED_CODE();
    Status = ObReferenceObjectByHandle(ProcessHandle != NULL ? ProcessHandle : ZwCurrentProcess(),
                                       0x1 /* PROCESS_TERMINATE */, PsProcessTypeObject, KernelMode, (PVOID *)&Process,
                                       NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Process == PsInitialSystemProcess) {
        Status = STATUS_ACCESS_DENIED;
    } else if (Process->ActiveProcessLinks.Flink == NULL) {
        Status = STATUS_PROCESS_IS_TERMINATING;
    } else if (Process->User) {
        PsTerminateUserProcess(Process, ExitStatus);
    } else {
        Status = PsTerminateMinimalProcess(Process, ExitStatus);
        if (Status == STATUS_DEVICE_BUSY) {
            DbgPrint("ZwTerminateProcess: the end of a process with threads is not implemented\n");
            Status = STATUS_NOT_IMPLEMENTED;
        }
    }
    ObDereferenceObject(Process);
    return Status;
}

/* A number that the class wants. */
static NTSTATUS PspGetNumber(PVOID Information, ULONG Length, PLONG Number)
{
    if (Length != sizeof(LONG)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    *Number = *(PLONG)Information;
    return STATUS_SUCCESS;
}

/* The memory priority of a thread is kept by nobody: nothing is ever paged out. */
static NTSTATUS PspSetThread(PETHREAD Thread, THREADINFOCLASS Class, PVOID Information, ULONG Length)
{
    LONG Number = 0;
    NTSTATUS Status;

    if (Class != ThreadPriority && Class != ThreadBasePriority && Class != ThreadPagePriority) {
        return STATUS_INVALID_INFO_CLASS;
    }
    Status = PspGetNumber(Information, Length, &Number);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    switch (Class) {
    case ThreadPriority:
        if (Number <= LOW_PRIORITY || Number > HIGH_PRIORITY) {
            return STATUS_INVALID_PARAMETER;
        }
        KeSetPriorityThread(&Thread->Tcb, Number);
        return STATUS_SUCCESS;
    case ThreadBasePriority: KeSetBasePriorityThread(&Thread->Tcb, Number); return STATUS_SUCCESS;
    default: return Number >= 1 && Number <= 5 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
}

/*
 * PASSIVE_LEVEL.  Classes: priority, base priority, page priority.  STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_PARAMETER, STATUS_INVALID_INFO_CLASS, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
 */
NTSTATUS NTAPI ZwSetInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                      PVOID ThreadInformation, ULONG ThreadInformationLength)
{
    PETHREAD Thread;
    NTSTATUS Status;

    PAGED_CODE();
    Status = ObReferenceObjectByHandle(ThreadHandle, 0x20 /* THREAD_SET_INFORMATION */, PsThreadTypeObject, KernelMode,
                                       (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = PspSetThread(Thread, ThreadInformationClass, ThreadInformation, ThreadInformationLength);
    ObDereferenceObject(Thread);
    return Status;
}

PVOID NTAPI PsGetCurrentThreadTeb(VOID);
/* Any IRQL.  A system thread has none. */
PVOID NTAPI PsGetCurrentThreadTeb(VOID)
{
    return KeGetCurrentThread()->Teb;
}

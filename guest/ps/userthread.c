// SPDX-License-Identifier: GPL-2.0-or-later
/* userthread: what a program asks of threads: more of them, and APCs for them. */
#include "psp.h"
#include <usermode.h>

#define PSP_APC_TAG 'pAsP'

#define THREAD_CREATE_FLAGS_CREATE_SUSPENDED 0x1

/*
 * IRQL: PASSIVE_LEVEL.  A thread of the process that begins at StartRoutine; what that returns is its exit status.  The sizes
 * of its stack are the machine's.  STATUS_NOT_IMPLEMENTED: other flags, or attributes.  STATUS_ACCESS_DENIED: the process has no
 * user mode.  STATUS_PROCESS_IS_TERMINATING.
 */
NTSTATUS NTAPI NtCreateThreadEx(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                HANDLE ProcessHandle, PVOID StartRoutine, PVOID Argument, ULONG CreateFlags,
                                SIZE_T ZeroBits, SIZE_T StackSize, SIZE_T MaximumStackSize, PVOID AttributeList)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    HANDLE Handle = NULL;
    PEPROCESS Process;
    PETHREAD Thread;
    NTSTATUS Status;

    if ((CreateFlags & ~THREAD_CREATE_FLAGS_CREATE_SUSPENDED) != 0 || AttributeList != NULL ||
        ObjectAttributes != NULL) {
        DbgPrint("NtCreateThreadEx: flags, attributes and names are not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    __try {
        if (Mode != KernelMode) {
            ProbeForWrite(ThreadHandle, sizeof(*ThreadHandle), sizeof(ULONG));
        }
        *ThreadHandle = NULL;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = ObReferenceObjectByHandle(ProcessHandle, 0x2 /* PROCESS_CREATE_THREAD */, PsProcessTypeObject, Mode,
                                       (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Process->User
                 ? PsCreateUserThread(Process, Process->UserThreadStart, (ULONG64)StartRoutine, (ULONG64)Argument,
                                      (CreateFlags & THREAD_CREATE_FLAGS_CREATE_SUSPENDED) != 0, &Thread)
                 : STATUS_ACCESS_DENIED;
    ObDereferenceObject(Process);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObOpenObjectByPointer(Thread, 0, NULL, DesiredAccess, PsThreadTypeObject, Mode, &Handle);
    ObDereferenceObject(Thread);
    if (!NT_SUCCESS(Status)) {
        return Status; /* it runs, and nobody has a handle */
    }
    __try {
        *ThreadHandle = Handle;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        ObCloseHandle(Handle, Mode);
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* APC_LEVEL, in the thread: the routine that follows is the user's. */
static VOID NTAPI PspUserApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext, PVOID *SystemArgument1,
                             PVOID *SystemArgument2)
{
    ExFreePoolWithTag(Apc, PSP_APC_TAG);
}

static VOID NTAPI PspUserApcRundown(PKAPC Apc)
{
    ExFreePoolWithTag(Apc, PSP_APC_TAG);
}

NTSTATUS PspReferenceUserThread(HANDLE ThreadHandle, ACCESS_MASK Access, PETHREAD *Thread)
{
    NTSTATUS Status =
        ObReferenceObjectByHandle(ThreadHandle, Access, PsThreadTypeObject, ExGetPreviousMode(), (PVOID *)Thread, NULL);

    if (NT_SUCCESS(Status) && !PspIsUserThread(*Thread)) {
        ObDereferenceObject(*Thread);
        Status = STATUS_INVALID_HANDLE;
    }
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  The thread, when it waits alertably in user mode's name, calls ApcRoutine with the arguments.
 * STATUS_INVALID_HANDLE: a thread without user mode.  STATUS_UNSUCCESSFUL: it ends.
 */
NTSTATUS NTAPI NtQueueApcThread(HANDLE ThreadHandle, PVOID ApcRoutine, PVOID Argument1, PVOID Argument2,
                                PVOID Argument3)
{
    PETHREAD Thread;
    PKAPC Apc;
    NTSTATUS Status;

    if (ApcRoutine == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = PspReferenceUserThread(ThreadHandle, 0x10 /* THREAD_SET_CONTEXT */, &Thread);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Apc = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Apc), PSP_APC_TAG);
    if (Apc == NULL) {
        Status = STATUS_NO_MEMORY;
    } else {
        KeInitializeApc(Apc, &Thread->Tcb, 0, PspUserApc, PspUserApcRundown, (PKNORMAL_ROUTINE)ApcRoutine, UserMode,
                        Argument1);
        if (!KeInsertQueueApc(Apc, Argument2, Argument3, 0)) {
            ExFreePoolWithTag(Apc, PSP_APC_TAG);
            Status = STATUS_UNSUCCESSFUL;
        }
    }
    ObDereferenceObject(Thread);
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The thread's alertable wait ends, this one or its next, with STATUS_ALERTED. */
NTSTATUS NTAPI NtAlertThread(HANDLE ThreadHandle)
{
    PETHREAD Thread;
    NTSTATUS Status = PspReferenceUserThread(ThreadHandle, 0x4 /* THREAD_ALERT */, &Thread);

    if (NT_SUCCESS(Status)) {
        KeAlertThread(&Thread->Tcb, UserMode);
        ObDereferenceObject(Thread);
    }
    return Status;
}

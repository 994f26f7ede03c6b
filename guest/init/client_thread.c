/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client threads: one per number that a scenario names, and one for each operation that wants a thread of its
 * own, which ends with it.
 */
#include "clientp.h"

typedef struct _INIT_CLIENT_THREAD {
    KSPIN_LOCK Lock;
    LIST_ENTRY Queue; /* INIT_OPERATION.QueueLink; guarded by Lock */
    KSEMAPHORE Count; /* operations in Queue */
    BOOLEAN Started;  /* the fetcher's */
} INIT_CLIENT_THREAD, *PINIT_CLIENT_THREAD;

static INIT_CLIENT_THREAD InitpThreads[FLTVM_COMMAND_THREAD_MAX + 1];

static VOID NTAPI InitpServeQueue(PVOID Context)
{
    PINIT_CLIENT_THREAD Thread = Context;

    for (;;) {
        PLIST_ENTRY Entry;

        KeWaitForSingleObject(&Thread->Count, Executive, KernelMode, FALSE, NULL);
        Entry = ExInterlockedRemoveHeadList(&Thread->Queue, &Thread->Lock);
        NT_ASSERT(Entry != NULL);
        InitpRunOperation(CONTAINING_RECORD(Entry, INIT_OPERATION, QueueLink));
    }
}

static VOID NTAPI InitpServeOne(PVOID Context)
{
    InitpRunOperation(Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS InitpStartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context);

    if (NT_SUCCESS(Status))
        ZwClose(Handle);
    return Status;
}

NTSTATUS InitpQueueOperation(PINIT_OPERATION Operation)
{
    ULONG Number = Operation->Command.thread;
    PINIT_CLIENT_THREAD Thread;

    if (Number == FLTVM_COMMAND_THREAD_NEW)
        return InitpStartThread(InitpServeOne, Operation);
    if (Number > FLTVM_COMMAND_THREAD_MAX)
        return STATUS_INVALID_PARAMETER;
    Thread = &InitpThreads[Number];
    if (!Thread->Started) {
        NTSTATUS Status;

        KeInitializeSpinLock(&Thread->Lock);
        InitializeListHead(&Thread->Queue);
        KeInitializeSemaphore(&Thread->Count, 0, MAXLONG);
        Status = InitpStartThread(InitpServeQueue, Thread);
        if (!NT_SUCCESS(Status))
            return Status;
        Thread->Started = TRUE;
    }
    ExInterlockedInsertTailList(&Thread->Queue, &Operation->QueueLink, &Thread->Lock);
    KeReleaseSemaphore(&Thread->Count, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client threads: one per number that a scenario names, and one for each operation that wants a thread of its
 * own, which ends with it.
 */
#include "clientp.h"

typedef struct _CLIENT_THREAD {
    KSPIN_LOCK Lock;
    LIST_ENTRY Queue; /* CLIENT_OPERATION.QueueLink; guarded by Lock */
    KSEMAPHORE Count; /* operations in Queue */
    BOOLEAN Started;  /* the fetcher's */
} CLIENT_THREAD, *PCLIENT_CLIENT_THREAD;

static CLIENT_THREAD ClientpThreads[FLTVM_COMMAND_THREAD_MAX + 1];

static VOID NTAPI ClientpServeQueue(PVOID Context)
{
    PCLIENT_CLIENT_THREAD Thread = Context;

    for (;;) {
        PLIST_ENTRY Entry;

        KeWaitForSingleObject(&Thread->Count, Executive, KernelMode, FALSE, NULL);
        Entry = ExInterlockedRemoveHeadList(&Thread->Queue, &Thread->Lock);
        NT_ASSERT(Entry != NULL);
        ClientpRunOperation(CONTAINING_RECORD(Entry, CLIENT_OPERATION, QueueLink));
    }
}

static VOID NTAPI ClientpServeOne(PVOID Context)
{
    ClientpRunOperation(Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS ClientpStartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context);

    if (NT_SUCCESS(Status))
        ZwClose(Handle);
    return Status;
}

NTSTATUS ClientpQueueOperation(PCLIENT_OPERATION Operation)
{
    ULONG Number = Operation->Command.thread;
    PCLIENT_CLIENT_THREAD Thread;

    if (Operation->Command.user > FLTVM_USER_LIMITED)
        return ClientpQueueToUser(Operation);
    if (Number == FLTVM_COMMAND_THREAD_NEW)
        return ClientpStartThread(ClientpServeOne, Operation);
    if (Number > FLTVM_COMMAND_THREAD_MAX)
        return STATUS_INVALID_PARAMETER;
    Thread = &ClientpThreads[Number];
    if (!Thread->Started) {
        NTSTATUS Status;

        KeInitializeSpinLock(&Thread->Lock);
        InitializeListHead(&Thread->Queue);
        KeInitializeSemaphore(&Thread->Count, 0, MAXLONG);
        Status = ClientpStartThread(ClientpServeQueue, Thread);
        if (!NT_SUCCESS(Status))
            return Status;
        Thread->Started = TRUE;
    }
    ExInterlockedInsertTailList(&Thread->Queue, &Operation->QueueLink, &Thread->Lock);
    KeReleaseSemaphore(&Thread->Count, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_SUCCESS;
}

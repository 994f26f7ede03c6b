// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations that a process does itself, in user mode: the program in it (guest/user/client.c) takes them, does them by
 * system calls of its own, and reports.
 *
 * Of each thread of the program's that a scenario has named there is a CLIENT_SERVER, and a thread of the kernel's that
 * waits for its end: what it had taken, and what was still queued for it, ends with it.
 */
#include "clientp.h"
#include <ob.h>
#include <ps.h>
#include <userclient.h>

typedef struct _CLIENT_PROCESS CLIENT_PROCESS, *PCLIENT_PROCESS;

/* Guarded by ClientpUserLock but for what does not change. */
typedef struct _CLIENT_SERVER {
    LIST_ENTRY Link; /* the process's */
    PCLIENT_PROCESS Process;
    PETHREAD Thread; /* referenced */
    ULONG Number;
    PKEVENT Wake;     /* referenced; NULL until the program has begun to serve */
    LIST_ENTRY Queue; /* CLIENT_OPERATION.QueueLink: not taken yet */
    LIST_ENTRY Taken;
} CLIENT_SERVER, *PCLIENT_SERVER;

/* Goes with the last of its servers. */
struct _CLIENT_PROCESS {
    LIST_ENTRY Link;
    PEPROCESS Process; /* referenced */
    ULONG64 Start, Entry;
    LIST_ENTRY Servers;
};

static FAST_MUTEX ClientpUserLock;
static LIST_ENTRY ClientpProcesses = {&ClientpProcesses, &ClientpProcesses};
static KEVENT ClientpBegun; /* the first thread of the process that is being started */

VOID ClientpInitializeUsers(VOID)
{
    ExInitializeFastMutex(&ClientpUserLock);
    KeInitializeEvent(&ClientpBegun, SynchronizationEvent, FALSE);
}

/* IRQL stays PASSIVE_LEVEL: threads are made with the lock held. */
static VOID ClientpLockUsers(VOID)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&ClientpUserLock);
}

static VOID ClientpUnlockUsers(VOID)
{
    ExReleaseFastMutexUnsafe(&ClientpUserLock);
    KeLeaveCriticalRegion();
}

/* ---- finding, with the lock held ---- */

static PCLIENT_PROCESS ClientpFindProcess(HANDLE Id)
{
    for (PLIST_ENTRY Entry = ClientpProcesses.Flink; Entry != &ClientpProcesses; Entry = Entry->Flink) {
        PCLIENT_PROCESS Process = CONTAINING_RECORD(Entry, CLIENT_PROCESS, Link);

        if (PsGetProcessId(Process->Process) == Id)
            return Process;
    }
    return NULL;
}

static PCLIENT_SERVER ClientpFindServer(PCLIENT_PROCESS Process, ULONG Number)
{
    for (PLIST_ENTRY Entry = Process->Servers.Flink; Entry != &Process->Servers; Entry = Entry->Flink) {
        PCLIENT_SERVER Server = CONTAINING_RECORD(Entry, CLIENT_SERVER, Link);

        if (Server->Number == Number)
            return Server;
    }
    return NULL;
}

/* The server that the calling thread is. */
static PCLIENT_SERVER ClientpCallingServer(PCLIENT_PROCESS Process)
{
    for (PLIST_ENTRY Entry = Process->Servers.Flink; Entry != &Process->Servers; Entry = Entry->Flink) {
        PCLIENT_SERVER Server = CONTAINING_RECORD(Entry, CLIENT_SERVER, Link);

        if (Server->Thread == PsGetCurrentThread())
            return Server;
    }
    return NULL;
}

static PCLIENT_OPERATION ClientpFindTaken(PCLIENT_SERVER Server, ULONG Id)
{
    for (PLIST_ENTRY Entry = Server->Taken.Flink; Entry != &Server->Taken; Entry = Entry->Flink) {
        PCLIENT_OPERATION Operation = CONTAINING_RECORD(Entry, CLIENT_OPERATION, QueueLink);

        if (Operation->Command.id == Id)
            return Operation;
    }
    return NULL;
}

/* ---- the end of a thread ---- */

/* The fetcher may free it from here on. */
static VOID ClientpEndOperation(PCLIENT_OPERATION Operation, NTSTATUS Status)
{
    Operation->Status = Status;
    KeSetEvent(&Operation->Issued, IO_NO_INCREMENT, FALSE);
}

static VOID ClientpEndAll(PLIST_ENTRY List, NTSTATUS Status)
{
    while (!IsListEmpty(List))
        ClientpEndOperation(CONTAINING_RECORD(RemoveHeadList(List), CLIENT_OPERATION, QueueLink), Status);
}

/* Waits for the end of a program's thread. */
static VOID NTAPI ClientpWatchServer(PVOID Context)
{
    PCLIENT_SERVER Server = Context;
    PCLIENT_PROCESS Process = Server->Process;
    NTSTATUS Status;
    BOOLEAN Last;

    KeWaitForSingleObject(Server->Thread, Executive, KernelMode, FALSE, NULL);
    ClientpLockUsers();
    RemoveEntryList(&Server->Link);
    Last = IsListEmpty(&Process->Servers);
    if (Last)
        RemoveEntryList(&Process->Link);
    ClientpUnlockUsers();
    if (Server->Number == 0)
        KeSetEvent(&ClientpBegun, IO_NO_INCREMENT, FALSE); /* nobody waits for it any longer */
    Status = Process->Process->Exiting ? STATUS_PROCESS_IS_TERMINATING : STATUS_THREAD_IS_TERMINATING;
    ClientpEndAll(&Server->Taken, Status);
    ClientpEndAll(&Server->Queue, Status);
    if (Server->Wake != NULL)
        ObDereferenceObject(Server->Wake);
    ObDereferenceObject(Server->Thread);
    ExFreePoolWithTag(Server, CLIENT_TAG);
    if (Last) {
        ObDereferenceObject(Process->Process);
        ExFreePoolWithTag(Process, CLIENT_TAG);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- the beginning ---- */

/* With the lock held.  A thread of the program's, and who waits for its end; neither goes on before the lock is free. */
static NTSTATUS ClientpStartServer(PCLIENT_PROCESS Process, ULONG Number, ULONG64 Argument, PCLIENT_SERVER *Result)
{
    PCLIENT_SERVER Server = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Server), CLIENT_TAG);
    HANDLE Watcher;
    NTSTATUS Status;

    if (Server == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Server, sizeof(*Server));
    Server->Process = Process;
    Server->Number = Number;
    InitializeListHead(&Server->Queue);
    InitializeListHead(&Server->Taken);
    Status = PsCreateUserThread(Process->Process, Process->Start, Process->Entry, Argument, FALSE, &Server->Thread);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Server, CLIENT_TAG);
        return Status;
    }
    InsertTailList(&Process->Servers, &Server->Link);
    Status = PsCreateSystemThread(&Watcher, THREAD_ALL_ACCESS, NULL, NULL, NULL, ClientpWatchServer, Server);
    if (!NT_SUCCESS(Status)) {
        /* Nobody would know of its end: without its server it is refused, and ends. */
        RemoveEntryList(&Server->Link);
        ObDereferenceObject(Server->Thread);
        ExFreePoolWithTag(Server, CLIENT_TAG);
        return Status;
    }
    ZwClose(Watcher);
    *Result = Server;
    return STATUS_SUCCESS;
}

/* Takes a reference of its own.  Returns when the program serves. */
NTSTATUS ClientpStartUser(PEPROCESS Process, ULONG64 Start, ULONG64 Entry)
{
    PCLIENT_PROCESS User = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*User), CLIENT_TAG);
    PCLIENT_SERVER Server;
    NTSTATUS Status;

    if (User == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObReferenceObject(Process);
    User->Process = Process;
    User->Start = Start;
    User->Entry = Entry;
    InitializeListHead(&User->Servers);
    KeClearEvent(&ClientpBegun);
    ClientpLockUsers();
    Status = ClientpStartServer(User, 0, (ULONG64)Process->Peb, &Server);
    if (NT_SUCCESS(Status))
        InsertTailList(&ClientpProcesses, &User->Link);
    ClientpUnlockUsers();
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Process);
        ExFreePoolWithTag(User, CLIENT_TAG);
        return Status;
    }
    KeWaitForSingleObject(&ClientpBegun, Executive, KernelMode, FALSE, NULL);
    return Process->Exiting ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;
}

/* STATUS_INVALID_CID: the process does not serve, or has ended. */
NTSTATUS ClientpQueueToUser(PCLIENT_OPERATION Operation)
{
    ULONG Number = Operation->Command.thread;
    PCLIENT_PROCESS Process;
    PCLIENT_SERVER Server;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Number > FLTVM_COMMAND_THREAD_MAX)
        return STATUS_INVALID_PARAMETER;
    ClientpLockUsers();
    Process = ClientpFindProcess((HANDLE)(ULONG_PTR)Operation->Command.user);
    if (Process == NULL || Process->Process->Exiting) {
        Status = STATUS_INVALID_CID;
    } else {
        Server = ClientpFindServer(Process, Number);
        if (Server == NULL)
            Status = ClientpStartServer(Process, Number, Number, &Server);
        if (NT_SUCCESS(Status)) {
            InsertTailList(&Server->Queue, &Operation->QueueLink);
            if (Server->Wake != NULL)
                KeSetEvent(Server->Wake, IO_NO_INCREMENT, FALSE);
        }
    }
    ClientpUnlockUsers();
    return Status;
}

/* ---- the service ---- */

static NTSTATUS ClientpCopyIn(PVOID To, PVOID From, SIZE_T Length)
{
    __try {
        ProbeForRead(From, Length, 1);
        RtlCopyMemory(To, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpCopyOut(PVOID To, const VOID *From, SIZE_T Length)
{
    __try {
        ProbeForWrite(To, Length, 1);
        RtlCopyMemory(To, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* A calling thread is its process's server as long as it runs, so that what only its end takes away stays. */
static NTSTATUS ClientpBegin(ULONG Number, PVOID Buffer)
{
    CLIENT_BEGIN Begin;
    PCLIENT_PROCESS Process;
    PCLIENT_SERVER Server = NULL;
    PKEVENT Wake;
    NTSTATUS Status = ClientpCopyIn(&Begin, Buffer, sizeof(Begin));

    if (!NT_SUCCESS(Status))
        return Status;
    Status =
        ObReferenceObjectByHandle(Begin.Wake, EVENT_MODIFY_STATE, *ExEventObjectType, UserMode, (PVOID *)&Wake, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ClientpLockUsers();
    Process = ClientpFindProcess(PsGetCurrentProcessId());
    Server = Process != NULL ? ClientpCallingServer(Process) : NULL;
    if (Server == NULL || Server->Number != Number || Server->Wake != NULL)
        Status = STATUS_ACCESS_DENIED;
    else
        Server->Wake = Wake;
    ClientpUnlockUsers();
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Wake);
        return Status;
    }
    Status = ObOpenObjectByPointer(Server->Thread, 0, NULL, THREAD_ALL_ACCESS, PsThreadTypeObject, KernelMode,
                                   &Begin.Thread);
    if (NT_SUCCESS(Status))
        Status = ClientpCopyOut(Buffer, &Begin, sizeof(Begin));
    if (Number == 0)
        KeSetEvent(&ClientpBegun, IO_NO_INCREMENT, FALSE);
    return Status;
}

static NTSTATUS ClientpTake(PVOID Buffer)
{
    CLIENT_TAKEN Taken;
    PCLIENT_OPERATION Operation;
    PCLIENT_PROCESS Process;
    PCLIENT_SERVER Server = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    RtlZeroMemory(&Taken, sizeof(Taken));
    ClientpLockUsers();
    Process = ClientpFindProcess(PsGetCurrentProcessId());
    Server = Process != NULL ? ClientpCallingServer(Process) : NULL;
    if (Server == NULL) {
        Status = STATUS_ACCESS_DENIED;
    } else if (IsListEmpty(&Server->Queue)) {
        Status = STATUS_NO_MORE_ENTRIES;
    } else {
        Operation = CONTAINING_RECORD(RemoveHeadList(&Server->Queue), CLIENT_OPERATION, QueueLink);
        InsertTailList(&Server->Taken, &Operation->QueueLink);
        Taken.Command = Operation->Command;
        Taken.InputLength = Operation->Input.Length;
    }
    ClientpUnlockUsers();
    /* Memory that is not there is the program's loss: its thread's end ends the operation. */
    return NT_SUCCESS(Status) ? ClientpCopyOut(Buffer, &Taken, sizeof(Taken)) : Status;
}

/* With the operation taken from the process's, if it has it: STATUS_NOT_FOUND, STATUS_ACCESS_DENIED. */
static NTSTATUS ClientpClaim(ULONG Id, BOOLEAN Keep, PCLIENT_OPERATION *Operation)
{
    PCLIENT_PROCESS Process;
    NTSTATUS Status = STATUS_NOT_FOUND;

    *Operation = NULL;
    ClientpLockUsers();
    Process = ClientpFindProcess(PsGetCurrentProcessId());
    if (Process == NULL || ClientpCallingServer(Process) == NULL)
        Status = STATUS_ACCESS_DENIED;
    for (PLIST_ENTRY Entry = Process != NULL ? Process->Servers.Flink : NULL;
         Status == STATUS_NOT_FOUND && Entry != &Process->Servers; Entry = Entry->Flink) {
        PCLIENT_SERVER Server = CONTAINING_RECORD(Entry, CLIENT_SERVER, Link);

        *Operation = Keep && Server->Thread != PsGetCurrentThread() ? NULL : ClientpFindTaken(Server, Id);
        if (*Operation != NULL) {
            if (!Keep)
                RemoveEntryList(&(*Operation)->QueueLink);
            Status = STATUS_SUCCESS;
        }
    }
    ClientpUnlockUsers();
    return Status;
}

static NTSTATUS ClientpGiveInput(ULONG Id, PVOID Buffer, ULONG Length)
{
    PCLIENT_OPERATION Operation;
    NTSTATUS Status = ClientpClaim(Id, TRUE, &Operation);

    if (!NT_SUCCESS(Status))
        return Status;
    return Length > Operation->Input.Length ? STATUS_INVALID_PARAMETER
                                            : ClientpCopyOut(Buffer, Operation->Input.Bytes, Length);
}

static NTSTATUS ClientpKeepOutput(PCLIENT_OPERATION Operation, const CLIENT_REPORT *Report)
{
    NTSTATUS Status;

    if (Report->OutputLength == 0)
        return STATUS_SUCCESS;
    if (Report->OutputLength > CLIENT_BUFFER_MAX)
        return STATUS_INVALID_PARAMETER;
    Operation->Buffer = ExAllocatePoolWithTag(PagedPool, Report->OutputLength, CLIENT_TAG);
    if (Operation->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ClientpCopyIn(Operation->Buffer, Report->Output, Report->OutputLength);
    if (NT_SUCCESS(Status)) {
        Operation->BufferLength = Report->OutputLength;
        Operation->HasOutput = TRUE;
    }
    return Status;
}

static NTSTATUS ClientpTakeReport(ULONG Id, PVOID Buffer)
{
    PCLIENT_OPERATION Operation;
    CLIENT_REPORT Report;
    NTSTATUS Status = ClientpCopyIn(&Report, Buffer, sizeof(Report));

    if (NT_SUCCESS(Status) && Report.Status == STATUS_PENDING)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = ClientpClaim(Id, FALSE, &Operation);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ClientpKeepOutput(Operation, &Report);
    Operation->IoStatus.Information = (ULONG_PTR)Report.Information;
    Operation->Value = Report.Value;
    ClientpEndOperation(Operation, NT_SUCCESS(Status) ? Report.Status : Status);
    return Status;
}

NTSTATUS NTAPI NtClientOperation(ULONG Code, ULONG Which, PVOID Buffer, ULONG Length)
{
    static const ULONG Lengths[] = {sizeof(CLIENT_BEGIN), sizeof(CLIENT_TAKEN), 0, sizeof(CLIENT_REPORT)};

    if (Code >= RTL_NUMBER_OF(Lengths) || (Lengths[Code] != 0 && Length != Lengths[Code]))
        return STATUS_INVALID_PARAMETER;
    switch (Code) {
    case CLIENT_USER_BEGIN: return ClientpBegin(Which, Buffer);
    case CLIENT_USER_TAKE: return ClientpTake(Buffer);
    case CLIENT_USER_INPUT: return ClientpGiveInput(Which, Buffer, Length);
    default: return ClientpTakeReport(Which, Buffer);
    }
}

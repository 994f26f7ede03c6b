/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fetcher: asks the host for a command, carries out what cannot block, hands operations to client threads
 * and waits for them no longer than the command says.  See clientp.h.
 */
#include "clientp.h"
#include <client.h>
#include <kd.h>
#include <ke.h>
#include <mm.h>

#define CLIENT_MESSAGE_SIZE (sizeof(struct fltvm_result) + FLTVM_COMMAND_DATA_MAX)
#define CLIENT_INPUT_MAX    (16u << 20)

/* All of it is the fetcher's own. */
static LIST_ENTRY ClientpOperations;
static CLIENT_INPUT ClientpStaged;
static PUCHAR ClientpCommandBuffer; /* the command being carried out, and its data */
static PUCHAR ClientpResultBuffer;  /* the result to be sent with the next fetch */

static struct fltvm_result *ClientpResult(VOID)
{
    return (struct fltvm_result *)ClientpResultBuffer;
}

static PUCHAR ClientpResultData(VOID)
{
    return ClientpResultBuffer + sizeof(struct fltvm_result);
}

static VOID ClientpDropStaged(VOID)
{
    if (ClientpStaged.Bytes != NULL)
        ExFreePoolWithTag(ClientpStaged.Bytes, CLIENT_TAG);
    RtlZeroMemory(&ClientpStaged, sizeof(ClientpStaged));
}

static NTSTATUS ClientpStage(const struct fltvm_command *Command, const UCHAR *Data)
{
    ULONG64 Total = Command->args[0], Offset = Command->args[1];

    if (Total > CLIENT_INPUT_MAX || Offset > Total || Command->length > Total - Offset)
        return STATUS_INVALID_PARAMETER;
    if (Offset == 0) {
        ClientpDropStaged();
        /* One byte more: there is always a NUL behind an input that is text. */
        ClientpStaged.Bytes = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Total + 1, CLIENT_TAG);
        if (ClientpStaged.Bytes == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        ClientpStaged.Bytes[Total] = 0;
        ClientpStaged.Length = (ULONG)Total;
    }
    if (ClientpStaged.Length != Total || ClientpStaged.Filled != Offset)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(ClientpStaged.Bytes + Offset, Data, Command->length);
    ClientpStaged.Filled += Command->length;
    return STATUS_SUCCESS;
}

/* --- operations ---------------------------------------------------------------------------------------- */

/* Waits until an operation is complete; STATUS_TIMEOUT when it is not in time.  Timeout in ns, 0 for none. */
static NTSTATUS ClientpWait(PCLIENT_OPERATION Operation, ULONG64 Timeout)
{
    ULONG64 Start = KeQueryInterruptTime();
    LARGE_INTEGER Interval = {.QuadPart = -(LONGLONG)(Timeout / 100)};
    PLARGE_INTEGER Limit = Timeout != 0 ? &Interval : NULL;
    NTSTATUS Status;

    Status = KeWaitForSingleObject(&Operation->Issued, Executive, KernelMode, FALSE, Limit);
    if (Status != STATUS_SUCCESS || Operation->Status != STATUS_PENDING)
        return Status;
    if (Limit != NULL) {
        ULONG64 Passed = KeQueryInterruptTime() - Start;
        Interval.QuadPart = Passed < Timeout / 100 ? -(LONGLONG)(Timeout / 100 - Passed) : 0;
    }
    return KeWaitForSingleObject(Operation->Event, Executive, KernelMode, FALSE, Limit);
}

static BOOLEAN ClientpOperationComplete(PCLIENT_OPERATION Operation)
{
    if (KeReadStateEvent(&Operation->Issued) == 0)
        return FALSE;
    return Operation->Status != STATUS_PENDING || KeReadStateEvent(Operation->Event) != 0;
}

static PCLIENT_OPERATION ClientpFindOperation(ULONG64 Id)
{
    for (PLIST_ENTRY Entry = ClientpOperations.Flink; Entry != &ClientpOperations; Entry = Entry->Flink) {
        PCLIENT_OPERATION Operation = CONTAINING_RECORD(Entry, CLIENT_OPERATION, Link);
        if (Operation->Command.id == Id && !Operation->Released)
            return Operation;
    }
    return NULL;
}

static VOID ClientpForget(PCLIENT_OPERATION Operation)
{
    RemoveEntryList(&Operation->Link);
    ClientpDeleteOperation(Operation);
}

/* Operations that the host released while they ran go when they are complete. */
static VOID ClientpSweep(VOID)
{
    PLIST_ENTRY Entry = ClientpOperations.Flink;

    while (Entry != &ClientpOperations) {
        PCLIENT_OPERATION Operation = CONTAINING_RECORD(Entry, CLIENT_OPERATION, Link);
        Entry = Entry->Flink;
        if (Operation->Released && ClientpOperationComplete(Operation))
            ClientpForget(Operation);
    }
}

/* The length of a complete operation's output. */
static ULONG ClientpOutputLength(PCLIENT_OPERATION Operation)
{
    ULONG64 Length = Operation->HasOutput ? Operation->IoStatus.Information : 0;

    if (!Operation->OutputOnError &&
        NT_ERROR(Operation->Status == STATUS_PENDING ? Operation->IoStatus.Status : Operation->Status))
        Length = 0;
    return (ULONG)(Length < Operation->BufferLength ? Length : Operation->BufferLength);
}

/* Copies output from Offset on into the result. */
static VOID ClientpCopyOutput(PCLIENT_OPERATION Operation, ULONG Offset)
{
    ULONG Length = ClientpOutputLength(Operation) - Offset;

    if (Length > FLTVM_COMMAND_DATA_MAX)
        Length = FLTVM_COMMAND_DATA_MAX;
    if (Length != 0)
        RtlCopyMemory(ClientpResultData(), Operation->Buffer + Offset, Length);
    ClientpResult()->length = Length;
}

/* Puts a complete operation into the result; it goes at once when the result carries all of it. */
static NTSTATUS ClientpReportOperation(PCLIENT_OPERATION Operation)
{
    struct fltvm_result *Result = ClientpResult();
    NTSTATUS Status = Operation->Status == STATUS_PENDING ? Operation->IoStatus.Status : Operation->Status;

    Result->values[0] = Operation->IoStatus.Information;
    Result->values[1] = ClientpOutputLength(Operation);
    Result->values[2] = Operation->Value;
    ClientpCopyOutput(Operation, 0);
    if (Result->length == Result->values[1])
        ClientpForget(Operation);
    else
        Result->operation = Operation->Command.id;
    return Status;
}

/* Waits for an operation and reports it, or that it goes on. */
static NTSTATUS ClientpAwait(PCLIENT_OPERATION Operation, ULONG64 Timeout)
{
    if (ClientpWait(Operation, Timeout) == STATUS_SUCCESS)
        return ClientpReportOperation(Operation);
    ClientpResult()->operation = Operation->Command.id;
    KeReportStacks();
    return STATUS_TIMEOUT;
}

static NTSTATUS ClientpTakeInput(PCLIENT_OPERATION Operation, const struct fltvm_command *Command, const UCHAR *Data)
{
    if (Command->flags & FLTVM_COMMAND_FLAG_INPUT) {
        if (ClientpStaged.Bytes == NULL || ClientpStaged.Filled != ClientpStaged.Length)
            return STATUS_INVALID_PARAMETER;
        Operation->Input = ClientpStaged;
        RtlZeroMemory(&ClientpStaged, sizeof(ClientpStaged));
        return STATUS_SUCCESS;
    }
    if (Command->length == 0)
        return STATUS_SUCCESS;
    Operation->Input.Bytes = ExAllocatePoolWithTag(PagedPool, Command->length, CLIENT_TAG);
    if (Operation->Input.Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Operation->Input.Bytes, Data, Command->length);
    Operation->Input.Length = Command->length;
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpStartOperation(const struct fltvm_command *Command, const UCHAR *Data)
{
    PCLIENT_OPERATION Operation = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Operation), CLIENT_TAG);
    NTSTATUS Status;

    if (Operation == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Operation, sizeof(*Operation));
    Operation->Command = *Command;
    KeInitializeEvent(&Operation->Issued, NotificationEvent, FALSE);
    Status = ClientpTakeInput(Operation, Command, Data);
    if (NT_SUCCESS(Status))
        Status = ClientpQueueOperation(Operation);
    if (!NT_SUCCESS(Status)) {
        ClientpDeleteOperation(Operation);
        return Status;
    }
    InsertTailList(&ClientpOperations, &Operation->Link);
    if (Command->flags & FLTVM_COMMAND_FLAG_ASYNC) {
        ClientpResult()->operation = Command->id;
        return STATUS_PENDING;
    }
    return ClientpAwait(Operation, Command->timeout_ns);
}

/* --- commands about operations, and about the machine ------------------------------------------------- */

static NTSTATUS ClientpWaitCommand(const struct fltvm_command *Command)
{
    PCLIENT_OPERATION Operation = ClientpFindOperation(Command->args[0]);

    return Operation == NULL ? STATUS_NOT_FOUND : ClientpAwait(Operation, Command->timeout_ns);
}

static NTSTATUS ClientpPoll(const struct fltvm_command *Command)
{
    PCLIENT_OPERATION Operation = ClientpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    if (Command->timeout_ns == 0)
        return ClientpOperationComplete(Operation) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    return ClientpWait(Operation, Command->timeout_ns);
}

static NTSTATUS ClientpFetch(const struct fltvm_command *Command)
{
    PCLIENT_OPERATION Operation = ClientpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    if (!ClientpOperationComplete(Operation))
        return STATUS_DEVICE_BUSY;
    if (Command->args[1] > ClientpOutputLength(Operation))
        return STATUS_INVALID_PARAMETER;
    ClientpCopyOutput(Operation, (ULONG)Command->args[1]);
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpRelease(const struct fltvm_command *Command)
{
    PCLIENT_OPERATION Operation = ClientpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    Operation->Released = TRUE;
    ClientpSweep();
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpSleep(ULONG64 Nanoseconds)
{
    LARGE_INTEGER Interval = {.QuadPart = -(LONGLONG)(Nanoseconds / 100)};

    return KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static NTSTATUS ClientpCarryOut(const struct fltvm_command *Command, const UCHAR *Data)
{
    struct fltvm_result *Result = ClientpResult();

    switch (Command->op) {
    case FLTVM_COMMAND_PING: return STATUS_SUCCESS;
    case FLTVM_COMMAND_STAGE: return ClientpStage(Command, Data);
    case FLTVM_COMMAND_WAIT: return ClientpWaitCommand(Command);
    case FLTVM_COMMAND_POLL: return ClientpPoll(Command);
    case FLTVM_COMMAND_FETCH: return ClientpFetch(Command);
    case FLTVM_COMMAND_RELEASE: return ClientpRelease(Command);
    case FLTVM_COMMAND_SLEEP: return ClientpSleep(Command->args[0]);
    case FLTVM_COMMAND_STACKS: KeReportStacks(); return STATUS_SUCCESS;
    case FLTVM_COMMAND_POOL:
        Result->length = MmQueryPoolUse((struct fltvm_pool_use *)ClientpResultData(),
                                        FLTVM_COMMAND_DATA_MAX / sizeof(struct fltvm_pool_use)) *
                         sizeof(struct fltvm_pool_use);
        return STATUS_SUCCESS;
    case FLTVM_COMMAND_CHOOSE:
        if (Command->args[0] != 0)
            MmFailAllocation(Command->args[0]);
        return STATUS_SUCCESS;
    case FLTVM_COMMAND_MEMORY: MmQueryMemory(Result->values); return STATUS_SUCCESS;
    default: return ClientpStartOperation(Command, Data);
    }
}

/* --- the conversation ---------------------------------------------------------------------------------- */

/* Nothing to do until the host has a command: it says so by the link's interrupt status. */
static VOID ClientpPark(VOID)
{
    LARGE_INTEGER Tick = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};

    while (!KdLinkAcknowledge())
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
}

BOOLEAN ClientRun(VOID)
{
    ULONG ResultLength = 0;

    InitializeListHead(&ClientpOperations);
    ClientpInitializePrograms();
    ClientpInitializeUsers();
    ClientpCommandBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, FLTVM_LINK_MAX_PAYLOAD, CLIENT_TAG);
    ClientpResultBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, CLIENT_MESSAGE_SIZE, CLIENT_TAG);
    if (ClientpCommandBuffer == NULL || ClientpResultBuffer == NULL)
        return FALSE;
    for (;;) {
        const struct fltvm_command *Command = (const struct fltvm_command *)ClientpCommandBuffer;
        struct fltvm_result *Result = ClientpResult();
        ULONG Length = 0;
        LONG Kind = KdLinkCall(FLTVM_RECORD_COMMAND, ClientpResultBuffer, ResultLength, ClientpCommandBuffer,
                               FLTVM_LINK_MAX_PAYLOAD, &Length);

        ResultLength = 0;
        if (Kind == FLTVM_ANSWER_PARK) {
            ClientpPark();
            continue;
        }
        if (Kind != FLTVM_ANSWER_DATA)
            return Kind == FLTVM_ANSWER_END;
        ClientpSweep();
        RtlZeroMemory(Result, sizeof(*Result));
        if (Length < sizeof(*Command) || Command->length > Length - sizeof(*Command)) {
            Result->status = STATUS_INVALID_PARAMETER;
        } else {
            Result->id = Command->id;
            Result->status = ClientpCarryOut(Command, ClientpCommandBuffer + sizeof(*Command));
        }
        ResultLength = sizeof(*Result) + Result->length;
    }
}

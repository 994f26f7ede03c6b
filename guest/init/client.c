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

#define INIT_MESSAGE_SIZE (sizeof(struct fltvm_result) + FLTVM_COMMAND_DATA_MAX)
#define INIT_INPUT_MAX    (16u << 20)

/* All of it is the fetcher's own. */
static LIST_ENTRY InitpOperations;
static INIT_INPUT InitpStaged;
static PUCHAR InitpCommandBuffer; /* the command being carried out, and its data */
static PUCHAR InitpResultBuffer;  /* the result to be sent with the next fetch */

static struct fltvm_result *InitpResult(VOID)
{
    return (struct fltvm_result *)InitpResultBuffer;
}

static PUCHAR InitpResultData(VOID)
{
    return InitpResultBuffer + sizeof(struct fltvm_result);
}

static VOID InitpDropStaged(VOID)
{
    if (InitpStaged.Bytes != NULL)
        ExFreePoolWithTag(InitpStaged.Bytes, INIT_TAG);
    RtlZeroMemory(&InitpStaged, sizeof(InitpStaged));
}

static NTSTATUS InitpStage(const struct fltvm_command *Command, const UCHAR *Data)
{
    ULONG64 Total = Command->args[0], Offset = Command->args[1];

    if (Total > INIT_INPUT_MAX || Offset > Total || Command->length > Total - Offset)
        return STATUS_INVALID_PARAMETER;
    if (Offset == 0) {
        InitpDropStaged();
        /* One byte more: there is always a NUL behind an input that is text. */
        InitpStaged.Bytes = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Total + 1, INIT_TAG);
        if (InitpStaged.Bytes == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        InitpStaged.Bytes[Total] = 0;
        InitpStaged.Length = (ULONG)Total;
    }
    if (InitpStaged.Length != Total || InitpStaged.Filled != Offset)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(InitpStaged.Bytes + Offset, Data, Command->length);
    InitpStaged.Filled += Command->length;
    return STATUS_SUCCESS;
}

/* --- operations ---------------------------------------------------------------------------------------- */

/* Waits until an operation is complete; STATUS_TIMEOUT when it is not in time.  Timeout in ns, 0 for none. */
static NTSTATUS InitpWait(PINIT_OPERATION Operation, ULONG64 Timeout)
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

static BOOLEAN InitpOperationComplete(PINIT_OPERATION Operation)
{
    if (KeReadStateEvent(&Operation->Issued) == 0)
        return FALSE;
    return Operation->Status != STATUS_PENDING || KeReadStateEvent(Operation->Event) != 0;
}

static PINIT_OPERATION InitpFindOperation(ULONG64 Id)
{
    for (PLIST_ENTRY Entry = InitpOperations.Flink; Entry != &InitpOperations; Entry = Entry->Flink) {
        PINIT_OPERATION Operation = CONTAINING_RECORD(Entry, INIT_OPERATION, Link);
        if (Operation->Command.id == Id && !Operation->Released)
            return Operation;
    }
    return NULL;
}

static VOID InitpForget(PINIT_OPERATION Operation)
{
    RemoveEntryList(&Operation->Link);
    InitpDeleteOperation(Operation);
}

/* Operations that the host released while they ran go when they are complete. */
static VOID InitpSweep(VOID)
{
    PLIST_ENTRY Entry = InitpOperations.Flink;

    while (Entry != &InitpOperations) {
        PINIT_OPERATION Operation = CONTAINING_RECORD(Entry, INIT_OPERATION, Link);
        Entry = Entry->Flink;
        if (Operation->Released && InitpOperationComplete(Operation))
            InitpForget(Operation);
    }
}

/* The length of a complete operation's output. */
static ULONG InitpOutputLength(PINIT_OPERATION Operation)
{
    ULONG64 Length = Operation->HasOutput ? Operation->IoStatus.Information : 0;

    if (!Operation->OutputOnError &&
        NT_ERROR(Operation->Status == STATUS_PENDING ? Operation->IoStatus.Status : Operation->Status))
        Length = 0;
    return (ULONG)(Length < Operation->BufferLength ? Length : Operation->BufferLength);
}

/* Copies output from Offset on into the result. */
static VOID InitpCopyOutput(PINIT_OPERATION Operation, ULONG Offset)
{
    ULONG Length = InitpOutputLength(Operation) - Offset;

    if (Length > FLTVM_COMMAND_DATA_MAX)
        Length = FLTVM_COMMAND_DATA_MAX;
    if (Length != 0)
        RtlCopyMemory(InitpResultData(), Operation->Buffer + Offset, Length);
    InitpResult()->length = Length;
}

/* Puts a complete operation into the result; it goes at once when the result carries all of it. */
static NTSTATUS InitpReportOperation(PINIT_OPERATION Operation)
{
    struct fltvm_result *Result = InitpResult();
    NTSTATUS Status = Operation->Status == STATUS_PENDING ? Operation->IoStatus.Status : Operation->Status;

    Result->values[0] = Operation->IoStatus.Information;
    Result->values[1] = InitpOutputLength(Operation);
    Result->values[2] = Operation->Value;
    InitpCopyOutput(Operation, 0);
    if (Result->length == Result->values[1])
        InitpForget(Operation);
    else
        Result->operation = Operation->Command.id;
    return Status;
}

/* Waits for an operation and reports it, or that it goes on. */
static NTSTATUS InitpAwait(PINIT_OPERATION Operation, ULONG64 Timeout)
{
    if (InitpWait(Operation, Timeout) == STATUS_SUCCESS)
        return InitpReportOperation(Operation);
    InitpResult()->operation = Operation->Command.id;
    KeReportStacks();
    return STATUS_TIMEOUT;
}

static NTSTATUS InitpTakeInput(PINIT_OPERATION Operation, const struct fltvm_command *Command, const UCHAR *Data)
{
    if (Command->flags & FLTVM_COMMAND_FLAG_INPUT) {
        if (InitpStaged.Bytes == NULL || InitpStaged.Filled != InitpStaged.Length)
            return STATUS_INVALID_PARAMETER;
        Operation->Input = InitpStaged;
        RtlZeroMemory(&InitpStaged, sizeof(InitpStaged));
        return STATUS_SUCCESS;
    }
    if (Command->length == 0)
        return STATUS_SUCCESS;
    Operation->Input.Bytes = ExAllocatePoolWithTag(PagedPool, Command->length, INIT_TAG);
    if (Operation->Input.Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Operation->Input.Bytes, Data, Command->length);
    Operation->Input.Length = Command->length;
    return STATUS_SUCCESS;
}

static NTSTATUS InitpStartOperation(const struct fltvm_command *Command, const UCHAR *Data)
{
    PINIT_OPERATION Operation = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Operation), INIT_TAG);
    NTSTATUS Status;

    if (Operation == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Operation, sizeof(*Operation));
    Operation->Command = *Command;
    KeInitializeEvent(&Operation->Issued, NotificationEvent, FALSE);
    Status = InitpTakeInput(Operation, Command, Data);
    if (NT_SUCCESS(Status))
        Status = InitpQueueOperation(Operation);
    if (!NT_SUCCESS(Status)) {
        InitpDeleteOperation(Operation);
        return Status;
    }
    InsertTailList(&InitpOperations, &Operation->Link);
    if (Command->flags & FLTVM_COMMAND_FLAG_ASYNC) {
        InitpResult()->operation = Command->id;
        return STATUS_PENDING;
    }
    return InitpAwait(Operation, Command->timeout_ns);
}

/* --- commands about operations, and about the machine ------------------------------------------------- */

static NTSTATUS InitpWaitCommand(const struct fltvm_command *Command)
{
    PINIT_OPERATION Operation = InitpFindOperation(Command->args[0]);

    return Operation == NULL ? STATUS_NOT_FOUND : InitpAwait(Operation, Command->timeout_ns);
}

static NTSTATUS InitpPoll(const struct fltvm_command *Command)
{
    PINIT_OPERATION Operation = InitpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    if (Command->timeout_ns == 0)
        return InitpOperationComplete(Operation) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    return InitpWait(Operation, Command->timeout_ns);
}

static NTSTATUS InitpFetch(const struct fltvm_command *Command)
{
    PINIT_OPERATION Operation = InitpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    if (!InitpOperationComplete(Operation))
        return STATUS_DEVICE_BUSY;
    if (Command->args[1] > InitpOutputLength(Operation))
        return STATUS_INVALID_PARAMETER;
    InitpCopyOutput(Operation, (ULONG)Command->args[1]);
    return STATUS_SUCCESS;
}

static NTSTATUS InitpRelease(const struct fltvm_command *Command)
{
    PINIT_OPERATION Operation = InitpFindOperation(Command->args[0]);

    if (Operation == NULL)
        return STATUS_NOT_FOUND;
    Operation->Released = TRUE;
    InitpSweep();
    return STATUS_SUCCESS;
}

static NTSTATUS InitpSleep(ULONG64 Nanoseconds)
{
    LARGE_INTEGER Interval = {.QuadPart = -(LONGLONG)(Nanoseconds / 100)};

    return KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static NTSTATUS InitpCarryOut(const struct fltvm_command *Command, const UCHAR *Data)
{
    struct fltvm_result *Result = InitpResult();

    switch (Command->op) {
    case FLTVM_COMMAND_PING:
        return STATUS_SUCCESS;
    case FLTVM_COMMAND_STAGE:
        return InitpStage(Command, Data);
    case FLTVM_COMMAND_WAIT:
        return InitpWaitCommand(Command);
    case FLTVM_COMMAND_POLL:
        return InitpPoll(Command);
    case FLTVM_COMMAND_FETCH:
        return InitpFetch(Command);
    case FLTVM_COMMAND_RELEASE:
        return InitpRelease(Command);
    case FLTVM_COMMAND_SLEEP:
        return InitpSleep(Command->args[0]);
    case FLTVM_COMMAND_STACKS:
        KeReportStacks();
        return STATUS_SUCCESS;
    case FLTVM_COMMAND_POOL:
        Result->length = MmQueryPoolUse((struct fltvm_pool_use *)InitpResultData(),
                                        FLTVM_COMMAND_DATA_MAX / sizeof(struct fltvm_pool_use)) *
                         sizeof(struct fltvm_pool_use);
        return STATUS_SUCCESS;
    case FLTVM_COMMAND_MEMORY:
        MmQueryMemory(Result->values);
        return STATUS_SUCCESS;
    default:
        return InitpStartOperation(Command, Data);
    }
}

/* --- the conversation ---------------------------------------------------------------------------------- */

/* Nothing to do until the host has a command: it says so by the link's interrupt status. */
static VOID InitpPark(VOID)
{
    LARGE_INTEGER Tick = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};

    while (!KdLinkAcknowledge())
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
}

BOOLEAN InitRunClient(VOID)
{
    ULONG ResultLength = 0;

    InitializeListHead(&InitpOperations);
    InitpCommandBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, FLTVM_LINK_MAX_PAYLOAD, INIT_TAG);
    InitpResultBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, INIT_MESSAGE_SIZE, INIT_TAG);
    if (InitpCommandBuffer == NULL || InitpResultBuffer == NULL)
        return FALSE;
    for (;;) {
        const struct fltvm_command *Command = (const struct fltvm_command *)InitpCommandBuffer;
        struct fltvm_result *Result = InitpResult();
        ULONG Length = 0;
        LONG Kind = KdLinkCall(FLTVM_RECORD_COMMAND, InitpResultBuffer, ResultLength, InitpCommandBuffer,
                               FLTVM_LINK_MAX_PAYLOAD, &Length);

        ResultLength = 0;
        if (Kind == FLTVM_ANSWER_PARK) {
            InitpPark();
            continue;
        }
        if (Kind != FLTVM_ANSWER_DATA)
            return Kind == FLTVM_ANSWER_END;
        InitpSweep();
        RtlZeroMemory(Result, sizeof(*Result));
        if (Length < sizeof(*Command) || Command->length > Length - sizeof(*Command)) {
            Result->status = STATUS_INVALID_PARAMETER;
        } else {
            Result->id = Command->id;
            Result->status = InitpCarryOut(Command, InitpCommandBuffer + sizeof(*Command));
        }
        ResultLength = sizeof(*Result) + Result->length;
    }
}

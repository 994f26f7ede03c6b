// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client.exe: the program of a process that a scenario acts as.
 *
 * Its threads take operations from the kernel's client (guest/client/userclient.c) and do them by system calls of their own:
 * files by the code that the kernel's client is made of, the rest here.  A request that goes on is waited for together with the
 * next operation, so that a thread has as many as it likes under way; an APC reports what it was queued for.
 */
#include <stdarg.h>

#include "clientp.h"
#include <userclient.h>
#include "clientexe.h"

#define CLIENT_MOST_PENDING (MAXIMUM_WAIT_OBJECTS - 1)

/* Of thread N; its own but for Handle, which does not change once it is there. */
typedef struct _CLIENT_THREAD {
    HANDLE Handle;
    ULONG Pending;
    HANDLE Waits[1 + CLIENT_MOST_PENDING]; /* the wake event, then those of Operations */
    PCLIENT_OPERATION Operations[1 + CLIENT_MOST_PENDING];
} CLIENT_USER_THREAD, *PCLIENT_USER_THREAD;

static CLIENT_USER_THREAD ClientpThreads[FLTVM_COMMAND_THREAD_MAX + 1];

NTSTATUS Main(ULONG64 Argument);

/* ---- what the kernel has for its own client ---- */

/* Whole pages of the process's: as a program's buffers, they are the user's. */
PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Size, ULONG Tag)
{
    PVOID Base = NULL;

    UNREFERENCED_PARAMETER(Type);
    UNREFERENCED_PARAMETER(Tag);
    Size = max(Size, 1);
    return NT_SUCCESS(
               NtAllocateVirtualMemory(NtCurrentProcess(), &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE))
               ? Base
               : NULL;
}

VOID NTAPI ExFreePoolWithTag(PVOID Base, ULONG Tag)
{
    SIZE_T Size = 0;

    UNREFERENCED_PARAMETER(Tag);
    NtFreeVirtualMemory(NtCurrentProcess(), &Base, &Size, MEM_RELEASE);
}

ULONG ClientpHandleAttributes(PCLIENT_OPERATION Operation)
{
    UNREFERENCED_PARAMETER(Operation);
    return OBJ_CASE_INSENSITIVE;
}

NTSTATUS ClientpPrepareRequest(PCLIENT_OPERATION Operation, ULONG64 BufferLength, POOL_TYPE PoolType)
{
    if (BufferLength > CLIENT_BUFFER_MAX)
        return STATUS_INVALID_PARAMETER;
    if (BufferLength != 0) {
        Operation->Buffer = ExAllocatePoolWithTag(PoolType, (SIZE_T)BufferLength, CLIENT_TAG);
        if (Operation->Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    Operation->BufferLength = (ULONG)BufferLength;
    return NtCreateEvent(&Operation->EventHandle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
}

/* ---- operations ---- */

static VOID ClientpDelete(PCLIENT_OPERATION Operation)
{
    if (Operation->EventHandle != NULL)
        NtClose(Operation->EventHandle);
    if (Operation->Buffer != NULL)
        ExFreePoolWithTag(Operation->Buffer, CLIENT_TAG);
    if (Operation->Input.Bytes != NULL)
        ExFreePoolWithTag(Operation->Input.Bytes, CLIENT_TAG);
    ExFreePoolWithTag(Operation, CLIENT_TAG);
}

static VOID ClientpReport(PCLIENT_OPERATION Operation, NTSTATUS Status)
{
    CLIENT_REPORT Report = {
        .Status = Status, .Information = Operation->IoStatus.Information, .Value = Operation->Value};

    if (Operation->HasOutput && !NT_ERROR(Status)) {
        Report.Output = Operation->Buffer;
        Report.OutputLength = (ULONG)min(Operation->IoStatus.Information, Operation->BufferLength);
    }
    NtClientOperation(CLIENT_USER_REPORT, Operation->Command.id, &Report, sizeof(Report));
    ClientpDelete(Operation);
}

/* A request's APC, and that of FLTVM_THREAD_APC. */
static VOID NTAPI ClientpApc(PVOID Context, PIO_STATUS_BLOCK IoStatus, ULONG Reserved)
{
    PCLIENT_OPERATION Operation = Context;

    UNREFERENCED_PARAMETER(IoStatus);
    UNREFERENCED_PARAMETER(Reserved);
    ClientpReport(Operation, Operation->IoStatus.Status);
}

static NTSTATUS ClientpCopy(PVOID To, const VOID *From, SIZE_T Length)
{
    __try {
        for (SIZE_T Index = 0; Index < Length; Index++)
            ((volatile UCHAR *)To)[Index] = ((const volatile UCHAR *)From)[Index];
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* Of the process's own memory, by its own instructions. */
static NTSTATUS ClientpPeek(PCLIENT_OPERATION Operation)
{
    ULONG64 Length = Operation->Command.args[1];
    NTSTATUS Status = ClientpPrepareRequest(Operation, Length, PagedPool);

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    Operation->IoStatus.Information = (ULONG_PTR)Length;
    return ClientpCopy(Operation->Buffer, (PVOID)Operation->Command.args[0], (SIZE_T)Length);
}

static NTSTATUS ClientpQueryMemory(PCLIENT_OPERATION Operation)
{
    SIZE_T Length = 0;
    NTSTATUS Status = ClientpPrepareRequest(Operation, sizeof(MEMORY_BASIC_INFORMATION), PagedPool);

    if (NT_SUCCESS(Status))
        Status = NtQueryVirtualMemory(NtCurrentProcess(), (PVOID)Operation->Command.args[0], MemoryBasicInformation,
                                      Operation->Buffer, Operation->BufferLength, &Length);
    Operation->HasOutput = TRUE;
    Operation->IoStatus.Information = Length;
    return Status;
}

static NTSTATUS ClientpMemory(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    PVOID Base = (PVOID)Arguments[0];
    SIZE_T Size = (SIZE_T)Arguments[1];
    ULONG Old = 0;
    NTSTATUS Status;

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_MEMORY_ALLOCATE:
        Status = NtAllocateVirtualMemory(NtCurrentProcess(), &Base, 0, &Size, (ULONG)Arguments[2], (ULONG)Arguments[3]);
        break;
    case FLTVM_COMMAND_MEMORY_FREE:
        Status = NtFreeVirtualMemory(NtCurrentProcess(), &Base, &Size, (ULONG)Arguments[2]);
        break;
    default: Status = NtProtectVirtualMemory(NtCurrentProcess(), &Base, &Size, (ULONG)Arguments[2], &Old);
    }
    Operation->IoStatus.Information = Operation->Command.op == FLTVM_COMMAND_MEMORY_PROTECT ? Old : (ULONG_PTR)Base;
    Operation->Value = Size;
    return Status;
}

static NTSTATUS ClientpSection(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    LARGE_INTEGER Size = {.QuadPart = (LONGLONG)Arguments[1]};
    HANDLE Section = NULL;
    NTSTATUS Status = NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, Size.QuadPart != 0 ? &Size : NULL,
                                      (ULONG)Arguments[2], (ULONG)Arguments[3], (HANDLE)(ULONG_PTR)Arguments[0]);

    Operation->IoStatus.Information = (ULONG_PTR)Section;
    return Status;
}

static NTSTATUS ClientpMap(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Arguments[2]};
    PVOID Base = (PVOID)Arguments[1];
    SIZE_T Size = (SIZE_T)Arguments[3];
    NTSTATUS Status = NtMapViewOfSection((HANDLE)(ULONG_PTR)Arguments[0], NtCurrentProcess(), &Base, 0, 0, &Offset,
                                         &Size, ViewUnmap, 0, (ULONG)Arguments[4]);

    Operation->IoStatus.Information = (ULONG_PTR)Base;
    Operation->Value = Size;
    return Status;
}

static NTSTATUS ClientpRemove(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    LARGE_INTEGER Interval = {.QuadPart = -(LONGLONG)(Arguments[2] / 100)};
    ULONG Removed = 0;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[1] * sizeof(CLIENT_COMPLETION), PagedPool);

    if (NT_SUCCESS(Status))
        Status = NtRemoveIoCompletionEx((HANDLE)(ULONG_PTR)Arguments[0], (PCLIENT_COMPLETION)Operation->Buffer,
                                        (ULONG)Arguments[1], &Removed, Arguments[2] != FLTVM_FOREVER ? &Interval : NULL,
                                        FALSE);
    Operation->HasOutput = TRUE;
    Operation->IoStatus.Information = Removed * sizeof(CLIENT_COMPLETION);
    /* The time-out of the port's is no time-out of the operation. */
    return Status == STATUS_TIMEOUT ? STATUS_SUCCESS : Status;
}

static NTSTATUS ClientpPort(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE Port = (HANDLE)(ULONG_PTR)Arguments[0];
    ULONG Length, Depth = 0;
    NTSTATUS Status;

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_PORT:
        Status = NtCreateIoCompletion(&Port, CLIENT_PORT_ACCESS, NULL, (ULONG)Arguments[0]);
        Operation->IoStatus.Information = (ULONG_PTR)Port;
        return Status;
    case FLTVM_COMMAND_PORT_POST:
        return NtSetIoCompletion(Port, (PVOID)Arguments[1], (PVOID)Arguments[2], (NTSTATUS)Arguments[3],
                                 (ULONG_PTR)Arguments[4]);
    case FLTVM_COMMAND_PORT_REMOVE: return ClientpRemove(Operation);
    default:
        Status = NtQueryIoCompletion(Port, 0, &Depth, sizeof(Depth), &Length);
        Operation->IoStatus.Information = Depth;
        return Status;
    }
}

static NTSTATUS ClientpThread(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE Thread = Arguments[1] <= FLTVM_COMMAND_THREAD_MAX ? ClientpThreads[Arguments[1]].Handle : NULL;
    ULONG Previous = 0;
    NTSTATUS Status;

    if (Thread == NULL)
        return STATUS_INVALID_CID; /* it has done nothing yet */
    switch (Arguments[0]) {
    case FLTVM_THREAD_SUSPEND: Status = NtSuspendThread(Thread, &Previous); break;
    case FLTVM_THREAD_RESUME: Status = NtResumeThread(Thread, &Previous); break;
    case FLTVM_THREAD_ALERT: Status = NtAlertThread(Thread); break;
    case FLTVM_THREAD_APC:
        Status = NtQueueApcThread(Thread, (PVOID)ClientpApc, Operation, NULL, NULL);
        return NT_SUCCESS(Status) ? STATUS_PENDING : Status;
    case FLTVM_THREAD_END: Status = NtTerminateThread(Thread, (NTSTATUS)Arguments[2]); break;
    default: Status = STATUS_INVALID_PARAMETER; break;
    }
    Operation->IoStatus.Information = Previous;
    return Status;
}

static NTSTATUS ClientpDispatch(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_MEMORY_ALLOCATE:
    case FLTVM_COMMAND_MEMORY_FREE:
    case FLTVM_COMMAND_MEMORY_PROTECT: return ClientpMemory(Operation);
    case FLTVM_COMMAND_MEMORY_QUERY: return ClientpQueryMemory(Operation);
    case FLTVM_COMMAND_MEMORY_READ: return ClientpPeek(Operation);
    case FLTVM_COMMAND_MEMORY_WRITE:
        return ClientpCopy((PVOID)Arguments[0], Operation->Input.Bytes, Operation->Input.Length);
    case FLTVM_COMMAND_SECTION: return ClientpSection(Operation);
    case FLTVM_COMMAND_MAP: return ClientpMap(Operation);
    case FLTVM_COMMAND_UNMAP: return NtUnmapViewOfSection(NtCurrentProcess(), (PVOID)Arguments[0]);
    case FLTVM_COMMAND_PORT:
    case FLTVM_COMMAND_PORT_POST:
    case FLTVM_COMMAND_PORT_REMOVE:
    case FLTVM_COMMAND_PORT_DEPTH: return ClientpPort(Operation);
    case FLTVM_COMMAND_THREAD: return ClientpThread(Operation);
    case FLTVM_COMMAND_EXIT: RtlExitUserProcess((NTSTATUS)Arguments[0]); return STATUS_UNSUCCESSFUL;
    default: return ClientpDispatchFile(Operation);
    }
}

/*
 * How the request's end is told of: where the operation has that, its last argument says it.  A thread that waits for as many as it
 * can is told of more by APCs.
 */
static VOID ClientpChooseTelling(PCLIENT_USER_THREAD Thread, PCLIENT_OPERATION Operation)
{
    ULONG64 Telling;

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_READ:
    case FLTVM_COMMAND_WRITE:
    case FLTVM_COMMAND_IOCTL:
    case FLTVM_COMMAND_FSCTL:
    case FLTVM_COMMAND_LOCK:
    case FLTVM_COMMAND_NOTIFY: Telling = Operation->Command.args[5]; break;
    default: return;
    }
    if (Telling == FLTVM_TELL_APC || (Telling == FLTVM_TELL_NOTHING && Thread->Pending == CLIENT_MOST_PENDING)) {
        Operation->ApcRoutine = ClientpApc;
        Operation->ApcContext = Operation;
    } else {
        Operation->ApcContext = (PVOID)Telling;
    }
}

static VOID ClientpPerform(PCLIENT_USER_THREAD Thread, PCLIENT_OPERATION Operation)
{
    NTSTATUS Status;

    ClientpChooseTelling(Thread, Operation);
    Status = Thread->Pending < CLIENT_MOST_PENDING || Operation->ApcRoutine != NULL ? ClientpDispatch(Operation)
                                                                                    : STATUS_INSUFFICIENT_RESOURCES;
    if (Operation->Command.op == FLTVM_COMMAND_THREAD && Status == STATUS_PENDING)
        return; /* the APC's */
    if (Operation->ApcRoutine != NULL && !NT_ERROR(Status) && Status != STATUS_USER_APC && Status != STATUS_ALERTED)
        return; /* the same */
    if (Status != STATUS_PENDING) {
        ClientpReport(Operation, Status);
        return;
    }
    Thread->Pending++;
    Thread->Waits[Thread->Pending] = Operation->EventHandle;
    Thread->Operations[Thread->Pending] = Operation;
}

/* The request at the place is over. */
static VOID ClientpFinish(PCLIENT_USER_THREAD Thread, ULONG Place)
{
    PCLIENT_OPERATION Operation = Thread->Operations[Place];

    for (ULONG Index = Place; Index < Thread->Pending; Index++) {
        Thread->Waits[Index] = Thread->Waits[Index + 1];
        Thread->Operations[Index] = Thread->Operations[Index + 1];
    }
    Thread->Pending--;
    ClientpReport(Operation, Operation->IoStatus.Status);
}

/* ---- threads ---- */

/* What is taken and cannot be done for want of memory ends the process: nobody could be told. */
static PCLIENT_OPERATION ClientpReceive(const CLIENT_TAKEN *Taken)
{
    PCLIENT_OPERATION Operation = ExAllocatePoolWithTag(PagedPool, sizeof(*Operation), CLIENT_TAG);

    if (Operation == NULL)
        RtlExitUserProcess(STATUS_NO_MEMORY);
    Operation->Command = Taken->Command;
    Operation->Input.Length = (ULONG)Taken->InputLength;
    if (Operation->Input.Length == 0)
        return Operation;
    Operation->Input.Bytes = ExAllocatePoolWithTag(PagedPool, Operation->Input.Length, CLIENT_TAG);
    if (Operation->Input.Bytes == NULL ||
        !NT_SUCCESS(NtClientOperation(CLIENT_USER_INPUT, Operation->Command.id, Operation->Input.Bytes,
                                      Operation->Input.Length)))
        RtlExitUserProcess(STATUS_NO_MEMORY);
    return Operation;
}

static NTSTATUS ClientpServe(ULONG Number)
{
    PCLIENT_USER_THREAD Thread = &ClientpThreads[Number];
    CLIENT_BEGIN Begin = {NULL, NULL};
    CLIENT_TAKEN Taken;
    NTSTATUS Status;

    Thread->Pending = 0; /* one of that number may have been here before */
    Status = NtCreateEvent(&Thread->Waits[0], EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    Begin.Wake = Thread->Waits[0];
    Status = NtClientOperation(CLIENT_USER_BEGIN, Number, &Begin, sizeof(Begin));
    Thread->Handle = Begin.Thread;
    while (NT_SUCCESS(Status)) {
        Status = NtClientOperation(CLIENT_USER_TAKE, 0, &Taken, sizeof(Taken));
        if (NT_SUCCESS(Status)) {
            ClientpPerform(Thread, ClientpReceive(&Taken));
        } else if (Status == STATUS_NO_MORE_ENTRIES) {
            Status = NtWaitForMultipleObjects(1 + Thread->Pending, Thread->Waits, WaitAny, TRUE, NULL);
            if (Status > STATUS_WAIT_0 && Status <= STATUS_WAIT_0 + (LONG)Thread->Pending)
                ClientpFinish(Thread, (ULONG)(Status - STATUS_WAIT_0));
        }
    }
    return Status;
}

/* The first thread's argument is the PEB, that of another its number. */
NTSTATUS Main(ULONG64 Argument)
{
    return ClientpServe(Argument <= FLTVM_COMMAND_THREAD_MAX ? (ULONG)Argument : 0);
}

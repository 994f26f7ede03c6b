/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that a scenario makes.  One without a program lives until it is ended, and is found by its id; the reference
 * that its making left is dropped by its end.  One that runs a program in user mode ends by itself: it is kept in a list
 * until the scenario has waited for it.
 */
#include "clientp.h"
#include <ldr.h>
#include <mm.h>
#include <ps.h>

typedef struct _CLIENT_PROGRAM {
    LIST_ENTRY Link;
    PEPROCESS Process; /* referenced */
} CLIENT_PROGRAM, *PCLIENT_PROGRAM;

static FAST_MUTEX ClientpProgramLock;
static LIST_ENTRY ClientpPrograms = {&ClientpPrograms, &ClientpPrograms};

VOID ClientpInitializePrograms(VOID)
{
    ExInitializeFastMutex(&ClientpProgramLock);
}

/* The documented and the commonly used fields of a PEB. */
#define CLIENT_PEB_SIZE          0x1000ull
#define CLIENT_PEB_IMAGE_BASE    0x010
#define CLIENT_PEB_PROCESSORS    0x0B8
#define CLIENT_PEB_MAJOR_VERSION 0x118
#define CLIENT_PEB_BUILD         0x120

/* In the new process's address space: its images and its PEB. */
static NTSTATUS ClientpFillProcess(PCLIENT_OPERATION Operation, ULONG Offset, PVOID *Peb, PLDR_PROGRAM Program)
{
    const UCHAR *Library = Operation->Input.Bytes + Offset;
    ULONG64 LibraryLength = Operation->Command.args[0], Base = 0, Size = CLIENT_PEB_SIZE;
    NTSTATUS Status =
        LdrMapProgram(Library, LibraryLength, Library + LibraryLength, Operation->Command.args[1], Program);

    if (NT_SUCCESS(Status))
        Status = MmAllocateVirtual(&Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!NT_SUCCESS(Status))
        return Status;
    __try {
        *(PULONG64)(Base + CLIENT_PEB_IMAGE_BASE) = Program->ImageBase;
        *(PULONG)(Base + CLIENT_PEB_PROCESSORS) = KeQueryActiveProcessorCount(NULL);
        *(PULONG)(Base + CLIENT_PEB_MAJOR_VERSION) = 10;
        *(PUSHORT)(Base + CLIENT_PEB_BUILD) = 19041;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    *Peb = (PVOID)Base;
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpStartProgram(PCLIENT_OPERATION Operation, ULONG Offset, PEPROCESS Process)
{
    PCLIENT_PROGRAM Program = ExAllocatePoolWithTag(PagedPool, sizeof(*Program), CLIENT_TAG);
    LDR_PROGRAM Mapped = {0};
    KAPC_STATE ApcState;
    PETHREAD Thread;
    NTSTATUS Status;

    if (Program == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeStackAttachProcess(&Process->Pcb, &ApcState);
    Status = ClientpFillProcess(Operation, Offset, &Process->Peb, &Mapped);
    KeUnstackDetachProcess(&ApcState);
    if (!NT_SUCCESS(Status))
        ClientpKeepReason(Operation);
    Process->Pcb.UserApcDispatcher = Mapped.ApcDispatcher;
    Process->Pcb.UserExceptionDispatcher = Mapped.ExceptionDispatcher;
    if (NT_SUCCESS(Status))
        Status = PsCreateUserThread(Process, Mapped.Start, Mapped.Entry, (ULONG64)Process->Peb, FALSE, &Thread);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Program, CLIENT_TAG);
        return Status;
    }
    ObDereferenceObject(Thread);
    Program->Process = Process;
    ExAcquireFastMutex(&ClientpProgramLock);
    InsertTailList(&ClientpPrograms, &Program->Link);
    ExReleaseFastMutex(&ClientpProgramLock);
    return STATUS_SUCCESS;
}

/* Input: the image's full name, then perhaps ntdll.dll and the program.  values[0]: the id. */
NTSTATUS ClientpCreateProcess(PCLIENT_OPERATION Operation)
{
    ULONG64 Library = Operation->Command.args[0], Length = Operation->Command.args[1];
    UNICODE_STRING Name;
    PEPROCESS Process;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Name);

    if (NT_SUCCESS(Status) && Library != 0 &&
        (Library > Operation->Input.Length - Offset || Length > Operation->Input.Length - Offset - Library))
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = PsCreateMinimalProcess(&Name, NULL, &Process);
    ClientpFreeString(&Name);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Library != 0) {
        Status = ClientpStartProgram(Operation, Offset, Process);
        if (!NT_SUCCESS(Status)) {
            PsTerminateMinimalProcess(Process, Status);
            ObDereferenceObject(Process);
            return Status;
        }
    }
    Operation->IoStatus.Information = (ULONG_PTR)PsGetProcessId(Process);
    return Status;
}

/* The process of a program, taken off the list: its reference is the caller's. */
static PEPROCESS ClientpTakeProgram(HANDLE Id)
{
    PEPROCESS Process = NULL;

    ExAcquireFastMutex(&ClientpProgramLock);
    for (PLIST_ENTRY Entry = ClientpPrograms.Flink; Entry != &ClientpPrograms; Entry = Entry->Flink) {
        PCLIENT_PROGRAM Program = CONTAINING_RECORD(Entry, CLIENT_PROGRAM, Link);

        if (PsGetProcessId(Program->Process) == Id) {
            Process = Program->Process;
            RemoveEntryList(&Program->Link);
            ExFreePoolWithTag(Program, CLIENT_TAG);
            break;
        }
    }
    ExReleaseFastMutex(&ClientpProgramLock);
    return Process;
}

/* Arguments: the id.  STATUS_INVALID_CID: there is no such program, or it has been waited for. */
NTSTATUS ClientpWaitProcess(PCLIENT_OPERATION Operation)
{
    PEPROCESS Process = ClientpTakeProgram((HANDLE)(ULONG_PTR)Operation->Command.args[0]);

    if (Process == NULL)
        return STATUS_INVALID_CID;
    KeWaitForSingleObject(Process, Executive, KernelMode, FALSE, NULL);
    Operation->IoStatus.Information = (ULONG)PsGetProcessExitStatus(Process);
    ObDereferenceObject(Process);
    return STATUS_SUCCESS;
}

/* Arguments: the id, the exit status.  STATUS_INVALID_CID: there is none, or it has ended. */
NTSTATUS ClientpEndProcess(PCLIENT_OPERATION Operation)
{
    NTSTATUS ExitStatus = (NTSTATUS)Operation->Command.args[1];
    PEPROCESS Process;
    NTSTATUS Status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)Operation->Command.args[0], &Process);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Process->User) {
        PsTerminateUserProcess(Process, ExitStatus);
    } else {
        Status =
            Process == PsInitialSystemProcess ? STATUS_ACCESS_DENIED : PsTerminateMinimalProcess(Process, ExitStatus);
        if (NT_SUCCESS(Status))
            ObDereferenceObject(Process); /* its making's */
    }
    ObDereferenceObject(Process);
    return Status;
}

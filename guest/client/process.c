/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that a scenario makes.  One without a program lives until it is ended, and is found by its id; the reference
 * that its making left is dropped by its end.  One that runs a program in user mode ends by itself: it is kept in a list
 * until the scenario has waited for it.  One without a program may be given the one that serves the scenario (userclient.c),
 * and is like the others from then on.  A program is what the host sends, or a file of the machine's (imagefile.c).
 */
#include "clientp.h"
#include <ldr.h>
#include <mm.h>
#include <ps.h>
#include <se.h>

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

/* ntdll.dll, and the program behind it, or in a file. */
typedef struct _CLIENT_IMAGES {
    const UCHAR *Library;
    ULONG64 LibraryLength, ProgramLength;
    CLIENT_IMAGE_FILE File;
} CLIENT_IMAGES;

/* Where they are in the input, behind Offset bytes; FALSE: not all of them. */
static BOOLEAN ClientpFindImages(PCLIENT_OPERATION Operation, ULONG Offset, const uint64_t *Lengths,
                                 CLIENT_IMAGES *Images)
{
    ULONG64 Room = Operation->Input.Length - Offset;

    *Images = (CLIENT_IMAGES){Operation->Input.Bytes + Offset, Lengths[0], Lengths[1], {0}};
    return Lengths[0] <= Room && Lengths[1] <= Room - Lengths[0];
}

/* In the new process's address space: its images and its PEB. */
static NTSTATUS ClientpFillProcess(const CLIENT_IMAGES *Images, PVOID *Peb, PLDR_PROGRAM Program)
{
    ULONG64 Base = 0, Size = CLIENT_PEB_SIZE;
    NTSTATUS Status = LdrMapProgram(Images->Library, Images->LibraryLength, Images->Library + Images->LibraryLength,
                                    Images->ProgramLength, Images->File.Section, Program);

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

/* What user mode needs before its first thread, in a process that has none. */
static NTSTATUS ClientpMapProgram(PCLIENT_OPERATION Operation, const CLIENT_IMAGES *Images, PEPROCESS Process,
                                  PLDR_PROGRAM Mapped)
{
    KAPC_STATE ApcState;
    NTSTATUS Status;

    KeStackAttachProcess(&Process->Pcb, &ApcState);
    Status = ClientpFillProcess(Images, &Process->Peb, Mapped);
    KeUnstackDetachProcess(&ApcState);
    if (!NT_SUCCESS(Status))
        ClientpKeepReason(Operation);
    Process->Pcb.UserApcDispatcher = Mapped->ApcDispatcher;
    Process->Pcb.UserExceptionDispatcher = Mapped->ExceptionDispatcher;
    Process->Images[PsUserProgram] = (PS_USER_IMAGE){(PVOID)Mapped->ImageBase, Mapped->ImageSize};
    Process->Images[PsUserLibrary] = (PS_USER_IMAGE){(PVOID)Mapped->LibraryBase, Mapped->LibrarySize};
    return Status;
}

/* It ends by itself from now on, and is waited for; the caller's reference is the list's. */
static VOID ClientpAddProgram(PCLIENT_PROGRAM Program, PEPROCESS Process)
{
    Program->Process = Process;
    ExAcquireFastMutex(&ClientpProgramLock);
    InsertTailList(&ClientpPrograms, &Program->Link);
    ExReleaseFastMutex(&ClientpProgramLock);
}

static NTSTATUS ClientpStartProgram(PCLIENT_OPERATION Operation, const CLIENT_IMAGES *Images, PEPROCESS Process)
{
    PCLIENT_PROGRAM Program = ExAllocatePoolWithTag(PagedPool, sizeof(*Program), CLIENT_TAG);
    LDR_PROGRAM Mapped = {0};
    PETHREAD Thread;
    NTSTATUS Status;

    if (Program == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ClientpMapProgram(Operation, Images, Process, &Mapped);
    if (NT_SUCCESS(Status))
        Status = PsCreateUserThread(Process, Mapped.Start, Mapped.Entry, (ULONG64)Process->Peb, FALSE, &Thread);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Program, CLIENT_TAG);
        return Status;
    }
    ObDereferenceObject(Thread);
    ClientpAddProgram(Program, Process);
    return STATUS_SUCCESS;
}

/* FLTVM_USER_NONE: it keeps that of the process that made it. */
static NTSTATUS ClientpSetToken(PEPROCESS Process, ULONG64 User)
{
    PACCESS_TOKEN Token;
    NTSTATUS Status;

    if (User == FLTVM_USER_NONE)
        return STATUS_SUCCESS;
    if (User > FLTVM_USER_LIMITED)
        return STATUS_INVALID_PARAMETER;
    Status = SeCreateUserToken((SE_USER)(User - 1), TokenPrimary, &Token);
    if (NT_SUCCESS(Status)) {
        PsAssignPrimaryToken(Process, Token);
        ObDereferenceObject(Token);
    }
    return Status;
}

static NTSTATUS ClientpMakeProcess(PCLIENT_OPERATION Operation, PUNICODE_STRING Name, const CLIENT_IMAGES *Images)
{
    PEPROCESS Process;
    NTSTATUS Status = PsCreateMinimalProcess(Name, NULL, Images->File.File, &Process);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ClientpSetToken(Process, Operation->Command.args[2]);
    if (NT_SUCCESS(Status) && Images->LibraryLength != 0)
        Status = ClientpStartProgram(Operation, Images, Process);
    if (!NT_SUCCESS(Status)) {
        PsTerminateMinimalProcess(Process, Status);
        ObDereferenceObject(Process);
        return Status;
    }
    Operation->IoStatus.Information = (ULONG_PTR)PsGetProcessId(Process);
    return Status;
}

/* Input: the image's full name, then perhaps ntdll.dll and the program.  values[0]: the id. */
NTSTATUS ClientpCreateProcess(PCLIENT_OPERATION Operation)
{
    CLIENT_IMAGES Images = {0};
    UNICODE_STRING Name;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Name);

    if (NT_SUCCESS(Status) && !ClientpFindImages(Operation, Offset, Operation->Command.args, &Images))
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status) && Images.LibraryLength != 0 && Images.ProgramLength == 0)
        Status = ClientpOpenImageFile(&Name, &Images.File);
    if (NT_SUCCESS(Status))
        Status = ClientpMakeProcess(Operation, Images.File.Name != NULL ? &Images.File.Name->Name : &Name, &Images);
    ClientpReleaseImageFile(&Images.File);
    ClientpFreeString(&Name);
    return Status;
}

/*
 * Arguments: the id of a process without a program, lengths; input: ntdll.dll and the program that serves, which begins.
 * STATUS_INVALID_CID: there is none; STATUS_INVALID_DEVICE_STATE: it has a program.
 */
NTSTATUS ClientpServeProcess(PCLIENT_OPERATION Operation)
{
    PCLIENT_PROGRAM Program = ExAllocatePoolWithTag(PagedPool, sizeof(*Program), CLIENT_TAG);
    LDR_PROGRAM Mapped = {0};
    CLIENT_IMAGES Images;
    PEPROCESS Process;
    NTSTATUS Status;

    if (Program == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)Operation->Command.args[0], &Process);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Program, CLIENT_TAG);
        return Status;
    }
    if (!ClientpFindImages(Operation, 0, &Operation->Command.args[1], &Images))
        Status = STATUS_INVALID_PARAMETER;
    else if (Process->User || Process == PsInitialSystemProcess)
        Status = STATUS_INVALID_DEVICE_STATE;
    else
        Status = ClientpMapProgram(Operation, &Images, Process, &Mapped);
    if (NT_SUCCESS(Status))
        Status = ClientpStartUser(Process, Mapped.Start, Mapped.Entry);
    if (Process->User && !Process->Exiting && Process->ActiveThreads == 0)
        Process->User = FALSE; /* not one thread could be made */
    if (Process->User && Status != STATUS_INVALID_DEVICE_STATE)
        ClientpAddProgram(Program, Process); /* its making's reference */
    else
        ExFreePoolWithTag(Program, CLIENT_TAG);
    ObDereferenceObject(Process);
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

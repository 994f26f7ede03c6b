/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query: what a process or a thread tells of itself, by information class.
 *
 * The facts are gathered in the kernel's own memory and copied out at the end, under __try where the caller is a program.
 * IRQL: PASSIVE_LEVEL.  STATUS_INFO_LENGTH_MISMATCH, with the length in *ReturnLength; STATUS_INVALID_INFO_CLASS: no such
 * class; STATUS_NOT_IMPLEMENTED, and a line in the log: one that is not built; STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED.  Source: page "ZwQueryInformationProcess".
 */
#include "psp.h"

#define PSP_PROCESS_QUERY_LIMITED 0x1000
#define PSP_THREAD_QUERY_LIMITED  0x0800
#define PSP_LARGEST_FACT          sizeof(PROCESS_BASIC_INFORMATION)
#define PSP_PROTECTION_CLASS      61
#define PSP_MOST_CLASSES          120

typedef VOID PSP_TELL(PVOID Object, PVOID Facts);

/* A class of a fixed length. */
typedef struct _PSP_CLASS {
    ULONG Class, Length;
    PSP_TELL *Tell;
} PSP_CLASS;

typedef struct _PSP_THREAD_BASIC {
    NTSTATUS ExitStatus;
    PVOID TebBaseAddress;
    CLIENT_ID ClientId;
    KAFFINITY AffinityMask;
    KPRIORITY Priority, BasePriority;
} PSP_THREAD_BASIC;
C_ASSERT(sizeof(PSP_THREAD_BASIC) == 48 && sizeof(PSP_THREAD_BASIC) <= PSP_LARGEST_FACT);
C_ASSERT(sizeof(PROCESS_BASIC_INFORMATION) == 48 && sizeof(KERNEL_USER_TIMES) <= PSP_LARGEST_FACT);

static VOID PspTellBasic(PVOID Object, PVOID Facts)
{
    PEPROCESS Process = Object;
    PPROCESS_BASIC_INFORMATION Basic = Facts;

    Basic->ExitStatus = Process->ExitStatus;
    Basic->PebBaseAddress = Process->Peb;
    Basic->AffinityMask = Process->Pcb.Affinity;
    Basic->BasePriority = Process->Pcb.BasePriority;
    Basic->UniqueProcessId = (ULONG_PTR)Process->UniqueProcessId;
    Basic->InheritedFromUniqueProcessId = (ULONG_PTR)Process->InheritedFromUniqueProcessId;
}

/* Of its threads that live. */
static VOID PspTellTimes(PVOID Object, PVOID Facts)
{
    PEPROCESS Process = Object;
    PKERNEL_USER_TIMES Times = Facts;
    PETHREAD Thread = NULL;

    Times->CreateTime = Process->CreateTime;
    Times->ExitTime = Process->ExitTime;
    while ((Thread = PsGetNextProcessThread(Process, Thread)) != NULL) {
        Times->KernelTime.QuadPart += Thread->Tcb.KernelTime * PSP_TICK;
    }
}

/* No debugger's port, no 32-bit program, no end that takes the system with it, no protection. */
static VOID PspTellNothing(PVOID Object, PVOID Facts)
{
}

static const PSP_CLASS PspProcessClasses[] = {
    {ProcessBasicInformation, sizeof(PROCESS_BASIC_INFORMATION), PspTellBasic},
    {ProcessTimes, sizeof(KERNEL_USER_TIMES), PspTellTimes},
    {ProcessDebugPort, sizeof(ULONG_PTR), PspTellNothing},
    {ProcessWow64Information, sizeof(ULONG_PTR), PspTellNothing},
    {ProcessBreakOnTermination, sizeof(ULONG), PspTellNothing},
    {PSP_PROTECTION_CLASS, sizeof(UCHAR), PspTellNothing},
};

static VOID PspTellThreadBasic(PVOID Object, PVOID Facts)
{
    PETHREAD Thread = Object;
    PSP_THREAD_BASIC *Basic = Facts;

    Basic->ExitStatus = Thread->Terminated ? Thread->ExitStatus : STATUS_PENDING;
    Basic->TebBaseAddress = Thread->Tcb.Teb;
    Basic->ClientId = Thread->Cid;
    Basic->AffinityMask = Thread->Tcb.Affinity;
    Basic->Priority = Thread->Tcb.Priority;
    Basic->BasePriority = Thread->Tcb.BasePriority;
}

static VOID PspTellThreadTimes(PVOID Object, PVOID Facts)
{
    PETHREAD Thread = Object;
    PKERNEL_USER_TIMES Times = Facts;

    Times->CreateTime = Thread->CreateTime;
    Times->ExitTime = Thread->ExitTime;
    Times->KernelTime.QuadPart = Thread->Tcb.KernelTime * PSP_TICK;
}

static VOID PspTellStart(PVOID Object, PVOID Facts)
{
    *(PVOID *)Facts = (PVOID)((PETHREAD)Object)->StartAddress;
}

static VOID PspTellLast(PVOID Object, PVOID Facts)
{
    *(PULONG)Facts = PsGetThreadProcess(Object)->ActiveThreads == 1;
}

static VOID PspTellTerminated(PVOID Object, PVOID Facts)
{
    *(PULONG)Facts = ((PETHREAD)Object)->Terminated;
}

static const PSP_CLASS PspThreadClasses[] = {
    {ThreadBasicInformation, sizeof(PSP_THREAD_BASIC), PspTellThreadBasic},
    {ThreadTimes, sizeof(KERNEL_USER_TIMES), PspTellThreadTimes},
    {ThreadQuerySetWin32StartAddress, sizeof(PVOID), PspTellStart},
    {ThreadAmILastThread, sizeof(ULONG), PspTellLast},
    {ThreadIsTerminated, sizeof(ULONG), PspTellTerminated},
};

/* Where the caller wants to have it. */
typedef struct _PSP_QUERY {
    PVOID To;
    ULONG Length;
    PULONG ReturnLength;
    KPROCESSOR_MODE Mode;
} PSP_QUERY;

static NTSTATUS PspProbeQuery(const PSP_QUERY *Query)
{
    __try {
        if (Query->Mode != KernelMode) {
            ProbeForWrite(Query->To, Query->Length, sizeof(ULONG));
            if (Query->ReturnLength != NULL) {
                ProbeForWrite(Query->ReturnLength, sizeof(ULONG), sizeof(ULONG));
            }
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS PspReturnFacts(const PSP_QUERY *Query, const VOID *Facts, ULONG Size, BOOLEAN Fits)
{
    __try {
        if (Query->ReturnLength != NULL) {
            *Query->ReturnLength = Size;
        }
        if (Fits) {
            RtlCopyMemory(Query->To, Facts, Size);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return Fits ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
}

static NTSTATUS PspTellClass(const PSP_QUERY *Query, const PSP_CLASS *Class, PVOID Object)
{
    UCHAR Facts[PSP_LARGEST_FACT] = {0};

    if (Query->Length != Class->Length) {
        return PspReturnFacts(Query, NULL, Class->Length, FALSE);
    }
    Class->Tell(Object, Facts);
    return PspReturnFacts(Query, Facts, Class->Length, TRUE);
}

static NTSTATUS PspNoClass(PCSTR What, ULONG Class)
{
    if (Class >= PSP_MOST_CLASSES) {
        return STATUS_INVALID_INFO_CLASS;
    }
    DbgPrint("information class %u of a %s is not implemented\n", Class, What);
    return STATUS_NOT_IMPLEMENTED;
}

/* The name lies behind the string that tells of it. */
static NTSTATUS PspTellName(const PSP_QUERY *Query, PEPROCESS Process)
{
    ULONG Size = sizeof(UNICODE_STRING) + Process->ImageName.Length + sizeof(WCHAR);
    PUNICODE_STRING Name;
    NTSTATUS Status;

    if (Query->Length < Size) {
        return PspReturnFacts(Query, NULL, Size, FALSE);
    }
    Name = ExAllocatePoolWithTag(PagedPool, Size, 'nQsP');
    if (Name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Name = (UNICODE_STRING){Process->ImageName.Length, Process->ImageName.Length + sizeof(WCHAR),
                             (PWCH)((PUNICODE_STRING)Query->To + 1)};
    RtlCopyMemory(Name + 1, Process->ImageName.Buffer, Process->ImageName.Length + sizeof(WCHAR));
    Status = PspReturnFacts(Query, Name, Size, TRUE);
    ExFreePoolWithTag(Name, 'nQsP');
    return Status;
}

static NTSTATUS PspTellProcess(const PSP_QUERY *Query, ULONG Class, PEPROCESS Process)
{
    if (Class == ProcessImageFileName) {
        return PspTellName(Query, Process);
    }
    for (ULONG I = 0; I < RTL_NUMBER_OF(PspProcessClasses); I++) {
        if (PspProcessClasses[I].Class == Class) {
            return PspTellClass(Query, &PspProcessClasses[I], Process);
        }
    }
    return PspNoClass("process", Class);
}

static NTSTATUS PspTellThread(const PSP_QUERY *Query, ULONG Class, PETHREAD Thread)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(PspThreadClasses); I++) {
        if (PspThreadClasses[I].Class == Class) {
            return PspTellClass(Query, &PspThreadClasses[I], Thread);
        }
    }
    return PspNoClass("thread", Class);
}

NTSTATUS NTAPI NtQueryInformationProcess(HANDLE ProcessHandle, PROCESSINFOCLASS ProcessInformationClass,
                                         PVOID ProcessInformation, ULONG ProcessInformationLength, PULONG ReturnLength)
{
    PSP_QUERY Query = {ProcessInformation, ProcessInformationLength, ReturnLength, ExGetPreviousMode()};
    PEPROCESS Process;
    NTSTATUS Status = PspProbeQuery(&Query);

    PAGED_CODE();
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(ProcessHandle, PSP_PROCESS_QUERY_LIMITED, PsProcessTypeObject, Query.Mode,
                                           (PVOID *)&Process, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = PspTellProcess(&Query, ProcessInformationClass, Process);
    ObDereferenceObject(Process);
    return Status;
}

OB_ZW(QueryInformationProcess, (HANDLE Handle, PROCESSINFOCLASS Class, PVOID Facts, ULONG Length, PULONG Returned),
      (Handle, Class, Facts, Length, Returned))

NTSTATUS NTAPI NtQueryInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                        PVOID ThreadInformation, ULONG ThreadInformationLength, PULONG ReturnLength)
{
    PSP_QUERY Query = {ThreadInformation, ThreadInformationLength, ReturnLength, ExGetPreviousMode()};
    PETHREAD Thread;
    NTSTATUS Status = PspProbeQuery(&Query);

    PAGED_CODE();
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(ThreadHandle, PSP_THREAD_QUERY_LIMITED, PsThreadTypeObject, Query.Mode,
                                           (PVOID *)&Thread, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = PspTellThread(&Query, ThreadInformationClass, Thread);
    ObDereferenceObject(Thread);
    return Status;
}

OB_ZW(QueryInformationThread, (HANDLE Handle, THREADINFOCLASS Class, PVOID Facts, ULONG Length, PULONG Returned),
      (Handle, Class, Facts, Length, Returned))

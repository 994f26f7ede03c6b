// SPDX-License-Identifier: GPL-2.0-or-later
/* ZwQueryInformationProcess and ZwQueryInformationThread: each class, lengths that do not fit, handles that are not theirs. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

NTSYSAPI NTSTATUS NTAPI ZwQueryInformationProcess(HANDLE, PROCESSINFOCLASS, PVOID, ULONG, PULONG);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationProcess(HANDLE, PROCESSINFOCLASS, PVOID, ULONG, PULONG);
NTSYSAPI NTSTATUS NTAPI ZwQueryInformationThread(HANDLE, THREADINFOCLASS, PVOID, ULONG, PULONG);
NTSYSAPI NTSTATUS NTAPI NtQueryInformationThread(HANDLE, THREADINFOCLASS, PVOID, ULONG, PULONG);

typedef struct _BASIC {
    NTSTATUS ExitStatus;
    PVOID Teb;
    CLIENT_ID ClientId;
    KAFFINITY Affinity;
    KPRIORITY Priority, BasePriority;
} BASIC;

static KEVENT Go;

static VOID NTAPI Wait(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_FLOAT_OVERFLOW);
}

static VOID CheckProcess(VOID)
{
    HANDLE Self = ZwCurrentProcess();
    PROCESS_BASIC_INFORMATION Basic;
    KERNEL_USER_TIMES Times;
    UCHAR Name[128];
    PUNICODE_STRING Text = (PUNICODE_STRING)Name;
    static const UNICODE_STRING System = RTL_CONSTANT_STRING(L"System");
    ULONG Length = 0;
    ULONG_PTR Word = 1;
    UCHAR Protection = 7;

    FvCheck(ZwQueryInformationProcess(Self, ProcessBasicInformation, &Basic, sizeof(Basic), &Length) ==
                STATUS_SUCCESS &&
            Length == sizeof(Basic));
    FvCheck(Basic.ExitStatus == STATUS_PENDING && (HANDLE)Basic.UniqueProcessId == PsGetCurrentProcessId() &&
            Basic.PebBaseAddress == NULL && Basic.BasePriority == 8 && Basic.AffinityMask != 0);
    FvCheck(NtQueryInformationProcess(Self, ProcessBasicInformation, &Basic, sizeof(Basic) - 1, &Length) ==
            STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(Length == sizeof(Basic));
    FvCheck(ZwQueryInformationProcess(Self, ProcessTimes, &Times, sizeof(Times), NULL) == STATUS_SUCCESS &&
            Times.CreateTime.QuadPart == PsGetProcessCreateTimeQuadPart(PsGetCurrentProcess()) &&
            Times.ExitTime.QuadPart == 0);
    FvCheck(ZwQueryInformationProcess(Self, ProcessImageFileName, NULL, 0, &Length) == STATUS_INFO_LENGTH_MISMATCH &&
            Length >= sizeof(UNICODE_STRING) + System.Length);
    FvCheck(ZwQueryInformationProcess(Self, ProcessImageFileName, Name, sizeof(Name), &Length) == STATUS_SUCCESS);
    FvCheck((PVOID)Text->Buffer == Text + 1 && RtlSuffixUnicodeString(&System, Text, FALSE));
    FvCheck(ZwQueryInformationProcess(Self, ProcessDebugPort, &Word, sizeof(Word), NULL) == STATUS_SUCCESS &&
            Word == 0);
    Word = 1;
    FvCheck(ZwQueryInformationProcess(Self, ProcessWow64Information, &Word, sizeof(Word), NULL) == STATUS_SUCCESS &&
            Word == 0);
    FvCheck(ZwQueryInformationProcess(Self, ProcessProtectionInformation, &Protection, 1, NULL) == STATUS_SUCCESS &&
            Protection == 0);
    FvCheck(ZwQueryInformationProcess(Self, ProcessBreakOnTermination, &Length, 4, NULL) == STATUS_SUCCESS &&
            Length == 0);
    FvCheck(ZwQueryInformationProcess(Self, ProcessHandleTable, Name, sizeof(Name), NULL) == STATUS_NOT_IMPLEMENTED);
    FvCheck(ZwQueryInformationProcess(Self, 500, Name, sizeof(Name), NULL) == STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwQueryInformationProcess((HANDLE)0x7777770, ProcessBasicInformation, &Basic, sizeof(Basic), NULL) ==
            STATUS_INVALID_HANDLE);
    FvCheck(ZwQueryInformationProcess(ZwCurrentThread(), ProcessBasicInformation, &Basic, sizeof(Basic), NULL) ==
            STATUS_OBJECT_TYPE_MISMATCH);
}

static VOID CheckThread(VOID)
{
    KERNEL_USER_TIMES Times;
    ULONG Length = 0, Flag = 7;
    PETHREAD Thread;
    HANDLE Handle;
    PVOID Start;
    BASIC Basic;

    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    Thread = StartThread(Wait, NULL);
    ObOpenObjectByPointer(Thread, OBJ_KERNEL_HANDLE, NULL, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Handle);
    FvCheck(ZwQueryInformationThread(Handle, ThreadBasicInformation, &Basic, sizeof(Basic), &Length) ==
                STATUS_SUCCESS &&
            Length == sizeof(Basic));
    FvCheck(Basic.ExitStatus == STATUS_PENDING && Basic.Teb == NULL && Basic.Priority >= 8 && Basic.Affinity != 0 &&
            Basic.ClientId.UniqueThread == PsGetThreadId(Thread));
    FvCheck(NtQueryInformationThread(Handle, ThreadBasicInformation, &Basic, 4, &Length) ==
            STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(ZwQueryInformationThread(Handle, ThreadQuerySetWin32StartAddress, &Start, sizeof(Start), NULL) ==
                STATUS_SUCCESS &&
            Start == (PVOID)Wait);
    FvCheck(ZwQueryInformationThread(Handle, ThreadAmILastThread, &Flag, sizeof(Flag), NULL) == STATUS_SUCCESS &&
            Flag == 0);
    FvCheck(ZwQueryInformationThread(Handle, ThreadIsTerminated, &Flag, sizeof(Flag), NULL) == STATUS_SUCCESS &&
            Flag == 0);
    KeSetEvent(&Go, 0, FALSE);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    FvCheck(ZwQueryInformationThread(Handle, ThreadIsTerminated, &Flag, sizeof(Flag), NULL) == STATUS_SUCCESS &&
            Flag == 1);
    FvCheck(ZwQueryInformationThread(Handle, ThreadBasicInformation, &Basic, sizeof(Basic), NULL) == STATUS_SUCCESS &&
            Basic.ExitStatus == STATUS_FLOAT_OVERFLOW);
    FvCheck(ZwQueryInformationThread(Handle, ThreadTimes, &Times, sizeof(Times), NULL) == STATUS_SUCCESS &&
            Times.CreateTime.QuadPart > 0 && Times.ExitTime.QuadPart >= Times.CreateTime.QuadPart);
    FvCheck(ZwQueryInformationThread(Handle, ThreadWow64Context, &Times, sizeof(Times), NULL) ==
            STATUS_NOT_IMPLEMENTED);
    FvCheck(ZwQueryInformationThread(Handle, 999, &Times, sizeof(Times), NULL) == STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwQueryInformationThread(ZwCurrentProcess(), ThreadTimes, &Times, sizeof(Times), NULL) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(Handle);
    ObDereferenceObject(Thread);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(16 + 12);
    CheckProcess();
    CheckThread();
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot: SystemProcessInformation, in Windows's layout. */
#ifndef FLTVM_SNAPSHOT_H
#define FLTVM_SNAPSHOT_H

#include <ntifs.h>

typedef struct _PS_SYSTEM_THREAD {
    LARGE_INTEGER KernelTime, UserTime, CreateTime;
    ULONG WaitTime;
    PVOID StartAddress;
    CLIENT_ID ClientId;
    KPRIORITY Priority;
    LONG BasePriority;
    ULONG ContextSwitches, ThreadState, WaitReason;
} PS_SYSTEM_THREAD;
C_ASSERT(sizeof(PS_SYSTEM_THREAD) == 0x50);

/* Its threads follow, and the name; the next one is NextEntryOffset bytes further, 0: there is none. */
typedef struct _PS_SYSTEM_PROCESS {
    ULONG NextEntryOffset, NumberOfThreads;
    LARGE_INTEGER WorkingSetPrivateSize;
    ULONG HardFaultCount, NumberOfThreadsHighWatermark;
    ULONG64 CycleTime;
    LARGE_INTEGER CreateTime, UserTime, KernelTime;
    UNICODE_STRING ImageName;
    KPRIORITY BasePriority;
    HANDLE UniqueProcessId, InheritedFromUniqueProcessId;
    ULONG HandleCount, SessionId;
    ULONG_PTR UniqueProcessKey;
    SIZE_T Memory[12]; /* sizes, faults and quotas */
    LARGE_INTEGER Io[6];
} PS_SYSTEM_PROCESS;
C_ASSERT(sizeof(PS_SYSTEM_PROCESS) == 0x100 && FIELD_OFFSET(PS_SYSTEM_PROCESS, UniqueProcessId) == 0x50);

/* STATUS_INFO_LENGTH_MISMATCH: *Needed is more than Length; STATUS_INSUFFICIENT_RESOURCES.  PASSIVE_LEVEL. */
NTSTATUS PsTellProcesses(PVOID Buffer, ULONG Length, PULONG Needed);

#endif

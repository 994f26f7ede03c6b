/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services that no header declares, as client.exe calls them. */
#ifndef FLTVM_CLIENTEXE_H
#define FLTVM_CLIENTEXE_H

#include <ntifs.h>

#define CLIENT_PORT_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3) /* IO_COMPLETION_ALL_ACCESS */

/* FILE_IO_COMPLETION_INFORMATION */
typedef struct _CLIENT_COMPLETION {
    PVOID KeyContext;
    PVOID ApcContext;
    IO_STATUS_BLOCK IoStatusBlock;
} CLIENT_COMPLETION, *PCLIENT_COMPLETION;

NTSTATUS NTAPI NtAlertThread(HANDLE Thread);
NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Port, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Threads);
NTSTATUS NTAPI NtCreateSection(PHANDLE Section, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, PLARGE_INTEGER Size,
                               ULONG Protection, ULONG Kind, HANDLE File);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T CommitSize,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protection);
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE Process, PVOID *Base, PSIZE_T Size, ULONG Protection, PULONG Old);
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE Port, ULONG Class, PVOID Buffer, ULONG Length, PULONG Returned);
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE Process, PVOID Address, MEMORY_INFORMATION_CLASS Class, PVOID Buffer,
                                    SIZE_T Length, PSIZE_T Returned);
NTSTATUS NTAPI NtQueueApcThread(HANDLE Thread, PVOID Routine, PVOID One, PVOID Two, PVOID Three);
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE Port, PCLIENT_COMPLETION Packets, ULONG Count, PULONG Removed,
                                      PLARGE_INTEGER Timeout, BOOLEAN Alertable);
NTSTATUS NTAPI NtResumeThread(HANDLE Thread, PULONG Previous);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE Port, PVOID Key, PVOID Context, NTSTATUS Status, ULONG_PTR Bytes);
NTSTATUS NTAPI NtSuspendThread(HANDLE Thread, PULONG Previous);
NTSTATUS NTAPI NtTerminateThread(HANDLE Thread, NTSTATUS Status);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE Handles[], WAIT_TYPE WaitType, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout);
VOID NTAPI RtlExitUserProcess(NTSTATUS ExitStatus);

#endif

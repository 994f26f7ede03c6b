/* SPDX-License-Identifier: GPL-2.0-or-later */
/* psp: what ps's files share.  PspLock guards the lists of processes and threads; taken at DISPATCH_LEVEL. */
#ifndef FLTVM_PSP_H
#define FLTVM_PSP_H

#include <ntifs.h>
#include <rtl.h>
#include <hal.h>
#include <kd.h>
#include <ke.h>
#include <mm.h>
#include <ob.h>
#include <ps.h>

#define PSP_TICK         156250ull /* of times that are kept in ticks, in 100 ns */
#define PSP_NOTIFY_SLOTS 64        /* as many routines of a kind as Windows allows */

extern KSPIN_LOCK PspLock;
extern LIST_ENTRY PspProcessListHead;

HANDLE PspAllocateId(VOID);
VOID PspInitializeReaper(VOID);
VOID PspDeleteThread(PVOID Object);
VOID PspDeleteProcess(PVOID Object);
NTSTATUS PspCreateProcess(PCUNICODE_STRING ImageName, PEPROCESS Parent, PEPROCESS *Process);

/*
 * notify.c; PASSIVE_LEVEL.  Of a creation: what the routines have left in CreationStatus, by which one of them refuses it; each is
 * called, and sees what those before it have left.
 */
NTSTATUS PspNotifyProcess(PEPROCESS Process, BOOLEAN Create);
VOID PspNotifyThread(PETHREAD Thread, BOOLEAN Create, BOOLEAN Own);

/* process.c: a process is no more: routines, handles, memory, whoever waits.  PASSIVE_LEVEL, in its context. */
VOID PspRundownProcess(PEPROCESS Process, NTSTATUS ExitStatus);

/* thread.c */
NTSTATUS PspCreateThread(PEPROCESS Process, PCSTR Name, POBJECT_ATTRIBUTES ObjectAttributes, ACCESS_MASK DesiredAccess,
                         PKSTART_ROUTINE StartRoutine, PVOID StartContext, BOOLEAN Suspended, PHANDLE Handle,
                         PCLIENT_ID ClientId, PETHREAD *Result);
DECLSPEC_NORETURN VOID PspExitThread(NTSTATUS ExitStatus);

/* user.c; a thread that was made for user mode */
VOID PspInitializeUser(VOID);
BOOLEAN PspIsUserThread(PETHREAD Thread);

/* suspend.c; PASSIVE_LEVEL.  A new thread; one that ends, and is not to be stopped any more. */
VOID PspInitializeSuspend(VOID);
VOID PspPrepareSuspend(PETHREAD Thread);
NTSTATUS PspSuspendThread(PETHREAD Thread, PULONG Previous);
VOID PspForceResume(PETHREAD Thread);
NTSTATUS NTAPI NtSuspendThread(HANDLE ThreadHandle, PULONG PreviousCount);
NTSTATUS NTAPI NtResumeThread(HANDLE ThreadHandle, PULONG PreviousCount);

/* userthread.c: services for user mode alone.  A handle's thread, if it is one that has user mode. */
NTSTATUS PspReferenceUserThread(HANDLE ThreadHandle, ACCESS_MASK Access, PETHREAD *Thread);
NTSTATUS NTAPI NtCreateThreadEx(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                HANDLE ProcessHandle, PVOID StartRoutine, PVOID Argument, ULONG CreateFlags,
                                SIZE_T ZeroBits, SIZE_T StackSize, SIZE_T MaximumStackSize, PVOID AttributeList);
NTSTATUS NTAPI NtQueueApcThread(HANDLE ThreadHandle, PVOID ApcRoutine, PVOID Argument1, PVOID Argument2,
                                PVOID Argument3);
NTSTATUS NTAPI NtAlertThread(HANDLE ThreadHandle);

/* token.c */
VOID PspDropTokens(PETHREAD Thread);

#endif

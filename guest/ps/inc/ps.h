/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ps: processes and threads as objects.
 *
 * A process is a name, an id, a token, an address space and its threads.  Threads are the kernel's, or begin in user
 * mode: user.c.  ETHREAD begins with ke's KTHREAD, EPROCESS with its KPROCESS.
 */
#ifndef FLTVM_PS_H
#define FLTVM_PS_H

#include <ke.h>

typedef struct _ETHREAD {
    KTHREAD Tcb;
    LARGE_INTEGER CreateTime;
    LARGE_INTEGER ExitTime;
    NTSTATUS ExitStatus;
    BOOLEAN SystemThread;
    BOOLEAN Terminated;
    CLIENT_ID Cid;
    PKSTART_ROUTINE StartAddress;
    LIST_ENTRY ThreadListEntry; /* of the process; PspLock */
    ULONG64 Place; /* its number among all that were put in such a list: those behind it have higher ones */

    /* io's */
    KSPIN_LOCK IrpListLock;
    LIST_ENTRY IrpList; /* IrpListLock */
    PDEVICE_OBJECT DeviceToVerify;
    BOOLEAN HardErrorsAreDisabled;  /* the thread itself only */
    UCHAR IoPriority, PagePriority; /* each plus one, or 0 */

    /* se's; the thread itself only */
    PACCESS_TOKEN ImpersonationToken;
    BOOLEAN ImpersonationCopyOnOpen;
    BOOLEAN ImpersonationEffectiveOnly;
    SECURITY_IMPERSONATION_LEVEL ImpersonationLevel;

    LIST_ENTRY ReaperEntry;

    NTSTATUS UserExitStatus; /* of NtTerminateThread */

    /* suspend.c's */
    ULONG SuspendCount;
    KEVENT ResumeEvent; /* set: nobody wants it stopped */
    KAPC SuspendApc;

    DECLSPEC_ALIGN(16) UCHAR FloatState[KE_FLOAT_STATE + 4];
} ETHREAD;
C_ASSERT(sizeof(ETHREAD) <= KE_THREAD_SIZE);

/* An image that a process begins with; Base NULL: none. */
typedef struct _PS_USER_IMAGE {
    PVOID Base;
    SIZE_T Size;
} PS_USER_IMAGE;
enum { PsUserProgram, PsUserLibrary, PS_USER_IMAGES };

typedef struct _EPROCESS {
    KPROCESS Pcb;
    HANDLE UniqueProcessId;
    HANDLE InheritedFromUniqueProcessId;
    LARGE_INTEGER CreateTime;
    LARGE_INTEGER ExitTime;
    NTSTATUS ExitStatus;
    LIST_ENTRY ActiveProcessLinks; /* PspLock */
    LIST_ENTRY ThreadListHead;     /* PspLock */
    ULONG ActiveThreads;
    PVOID ObjectTable; /* ob's handle table */
    PACCESS_TOKEN Token;
    CHAR ImageFileName[16];
    UNICODE_STRING ImageName; /* full, as SeLocateProcessImageName tells it */

    /* A process in user mode, which ends with its last thread.  PspLock */
    BOOLEAN User;
    BOOLEAN Exiting;
    NTSTATUS UserExitStatus; /* what it ends with: the first that said so */
    ULONG64 UserThreadStart; /* ntdll.dll's RtlUserThreadStart */
    PVOID Peb;
    PS_USER_IMAGE Images[PS_USER_IMAGES]; /* told of by its first thread */
    BOOLEAN ImagesTold;
    struct _FILE_OBJECT *ImageFile; /* referenced; NULL: its program was not a file of the machine's */
} EPROCESS;
C_ASSERT(sizeof(EPROCESS) <= KE_PROCESS_SIZE);

extern PEPROCESS PsInitialSystemProcess;
extern POBJECT_TYPE PsProcessTypeObject, PsThreadTypeObject; /* exported as PsProcessType, PsThreadType */

/*
 * Types, the System process.  After ob; before the first PsCreateSystemThread.  IRQL: <= DISPATCH_LEVEL on
 * the boot thread, which belongs to the idle process.
 */
NTSTATUS PsInitSystem(VOID);

/* Called at PASSIVE_LEVEL on a thread about to end: io cancels and waits for its IRPs. */
extern VOID (*PsIoThreadExitRoutine)(PETHREAD Thread);

/* Iterates a process's threads: releases Previous (NULL at first), references the one returned.  IRQL: <=
 * APC_LEVEL. */
PETHREAD PsGetNextProcessThread(PEPROCESS Process, PETHREAD Previous);

/*
 * A process without threads, for scenarios: ImageName is its full path, ImageFile, which may be NULL, the file that it runs.
 * Referenced.  IRQL: PASSIVE_LEVEL.  The status of a notify routine that refuses it: its end has been told as well then.
 */
NTSTATUS PsCreateMinimalProcess(PCUNICODE_STRING ImageName, PEPROCESS Parent, struct _FILE_OBJECT *ImageFile,
                                PEPROCESS *Process);
/* Ends it (notify routines run); its threads must have ended. */
NTSTATUS PsTerminateMinimalProcess(PEPROCESS Process, NTSTATUS ExitStatus);

/* As PsCreateSystemThread, with the process by pointer and a name; the thread is referenced for the caller.
 */
NTSTATUS PsCreateThreadInProcess(PEPROCESS Process, PCSTR Name, PKSTART_ROUTINE StartRoutine, PVOID StartContext,
                                 PETHREAD *Thread);

/*
 * A thread that begins in user mode: at Start, with Entry and Argument as its arguments, on a stack and with a TEB of its
 * own, which it makes itself.  Its process ends when the last of its threads has.  PASSIVE_LEVEL.
 */
NTSTATUS PsCreateUserThread(PEPROCESS Process, ULONG64 Start, ULONG64 Entry, ULONG64 Argument, BOOLEAN Suspended,
                            PETHREAD *Thread);

/* Ends a process in user mode: its threads before they would return to user mode.  Waits for nothing.  PASSIVE_LEVEL. */
VOID PsTerminateUserProcess(PEPROCESS Process, NTSTATUS ExitStatus);

/* Gives the process its primary token; takes its own reference. */
VOID PsAssignPrimaryToken(PEPROCESS Process, PACCESS_TOKEN Token);

/* A live thread whose start routine lies in the range, for the check at unload; NULL when there is none. */
PETHREAD PsFindThreadOfImage(PVOID Base, SIZE_T Size);

/*
 * Tells drivers of an image that is mapped and has not run yet: a driver's (Process NULL), or one in a process, which is the
 * current one.  FileObject NULL: it was not mapped from a file.  IRQL: PASSIVE_LEVEL.
 */
VOID PsNotifyImage(PUNICODE_STRING FullName, PEPROCESS Process, struct _FILE_OBJECT *FileObject, PVOID Base,
                   SIZE_T Size);

/* Bugchecks when a notify routine is left in code that goes.  IRQL <= DISPATCH_LEVEL. */
VOID PsCheckLeft(PVOID Base, SIZE_T Size);

/* As documented for Zw; mingw-w64 has them for user mode only. */
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG NewProtect,
                                      PULONG OldProtect);
NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG NewProtect,
                                      PULONG OldProtect);

/* Services of user mode. */
NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtTerminateThread(HANDLE ThreadHandle, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtQueryInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                        PVOID ThreadInformation, ULONG ThreadInformationLength, PULONG ReturnLength);
NTSTATUS NTAPI ZwQueryInformationThread(HANDLE Handle, THREADINFOCLASS Class, PVOID Facts, ULONG Length,
                                        PULONG Returned);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER DelayInterval);

/* Documented or well-known routines that mingw-w64's headers leave out. */
HANDLE NTAPI PsGetThreadId(PETHREAD Thread);
HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread);
PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread);
PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process);
NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process);
PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process);
BOOLEAN NTAPI PsIsDiskCountersEnabled(VOID);
VOID NTAPI PsUpdateDiskCounters(PEPROCESS Process, ULONG64 BytesRead, ULONG64 BytesWritten, ULONG ReadOperationCount,
                                ULONG WriteOperationCount, ULONG FlushOperationCount);

#endif

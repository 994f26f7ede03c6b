/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usermode: threads in ring 3, for those who make them (ps) and what they ask for (init). */
#ifndef FLTVM_USERMODE_H
#define FLTVM_USERMODE_H

#include <ke.h>

/* What user mode may ask for, by number; the arguments that are not in registers are on the stack. */
typedef struct _KE_SERVICE {
    PVOID Routine;
    ULONG64 StackArguments;
} KE_SERVICE;
VOID KeSetServices(const KE_SERVICE *Services, ULONG Count);

/* How the current thread, all of whose kernel stack is given up, begins in user mode. */
typedef struct _KE_USER_START {
    ULONG64 Rip, Rsp, Rcx, Rdx;
    PVOID Teb;
    ULONG64 StackLow, StackHigh;
    PVOID FloatState; /* KE_FLOAT_STATE bytes, until the thread is deleted */
} KE_USER_START;
DECLSPEC_NORETURN VOID KeEnterUserMode(const KE_USER_START *Start);

/*
 * A thread that has user mode is to end: it wakes from waits in UserMode, and ends by KeUserExitRoutine before
 * it would return to user mode.  IRQL: <= DISPATCH_LEVEL.
 */
VOID KeForceUserExit(PKTHREAD Thread);

/* A process has ended: whoever waits for it goes on. */
VOID KeSignalProcess(PKPROCESS Process);

/* Set by ps: the end of the current thread, and of its process by an exception that nobody handles; and the growth of
 * its stack: mm's. */
extern VOID (*KeUserExitRoutine)(VOID);
extern VOID (*KeUserExceptionRoutine)(NTSTATUS Status);
extern NTSTATUS (*KeMmGrowStack)(ULONG64 Address, ULONG64 Lowest);

/* upcall.c: services for user mode alone. */
NTSTATUS NTAPI NtContinue(PCONTEXT ContextRecord, BOOLEAN TestAlert);
NTSTATUS NTAPI NtRaiseException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord, BOOLEAN FirstChance);
NTSTATUS NTAPI NtTestAlert(VOID);

#endif

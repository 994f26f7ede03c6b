/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scenario's program (guest/user/client.c) and the kernel's client say to each other: one service, which a program
 * that is not a scenario's is refused.  Everything that the program passes is looked at as what any program passes is.
 */
#ifndef FLTVM_USERCLIENT_H
#define FLTVM_USERCLIENT_H

#include <ntifs.h>
#include <command.h>

/* The calling thread begins to serve: Which is its number, Buffer a CLIENT_BEGIN. */
#define CLIENT_USER_BEGIN 0
/* The thread's next operation into a CLIENT_TAKEN; STATUS_NO_MORE_ENTRIES: it waits for its event. */
#define CLIENT_USER_TAKE 1
/* The input of the operation Which, which the thread has taken, into Buffer. */
#define CLIENT_USER_INPUT 2
/* The operation Which is over, as Buffer says, a CLIENT_REPORT; any thread of the process. */
#define CLIENT_USER_REPORT 3

typedef struct _CLIENT_BEGIN {
    HANDLE Wake;   /* of the program's: an event that is set when there is something to take */
    HANDLE Thread; /* for it: the thread itself */
} CLIENT_BEGIN, *PCLIENT_BEGIN;

typedef struct _CLIENT_TAKEN {
    struct fltvm_command Command;
    ULONG64 InputLength;
} CLIENT_TAKEN, *PCLIENT_TAKEN;

typedef struct _CLIENT_REPORT {
    NTSTATUS Status; /* not STATUS_PENDING */
    ULONG OutputLength;
    ULONG64 Information;
    ULONG64 Value;
    PVOID Output; /* of the program's */
} CLIENT_REPORT, *PCLIENT_REPORT;

/* IRQL: PASSIVE_LEVEL.  STATUS_ACCESS_DENIED: the calling process serves no scenario. */
NTSTATUS NTAPI NtClientOperation(ULONG Code, ULONG Which, PVOID Buffer, ULONG Length);

#endif

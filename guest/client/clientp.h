/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenario client: carries out what the host asks for (abi/command.h).
 *
 * The fetcher is the thread that calls ClientRun; it alone talks to the host and never does anything that
 * may block for longer than a command's time-out.  Operations run on client threads, made when they are first
 * named; each takes its operations in the order they were given to it.  What a process is to do is given to its
 * program (userclient.c).
 *
 * Of files.c, filefacts.c and text.c that program is made, too, which defines pool and ClientpPrepareRequest for itself.
 */
#ifndef FLTVM_CLIENTP_H
#define FLTVM_CLIENTP_H

#include <ntifs.h>
#include <command.h>

#define CLIENT_TAG 'tilC'

/* The host may ask for large transfers, but not for all memory. */
#define CLIENT_BUFFER_MAX (4u << 20)

/* An input on its way: staged bytes, or the data of a command. */
typedef struct _CLIENT_INPUT {
    PUCHAR Bytes;
    ULONG Length;
    ULONG Filled;
} CLIENT_INPUT, *PCLIENT_INPUT;

/*
 * An operation: written by the fetcher until it is queued, by its client thread until Issued is set, by the
 * fetcher again once it is complete (ClientpOperationComplete).
 */
typedef struct _CLIENT_OPERATION {
    LIST_ENTRY Link;      /* the fetcher's list of all operations */
    LIST_ENTRY QueueLink; /* its client thread's queue */
    struct fltvm_command Command;
    CLIENT_INPUT Input;
    PUCHAR Buffer; /* the output, or what is written */
    ULONG BufferLength;
    BOOLEAN HasOutput;     /* Buffer[0 .. IoStatus.Information) is the operation's output */
    BOOLEAN OutputOnError; /* the output tells why the operation failed */
    BOOLEAN Released;      /* the host wants no more of it */
    HANDLE EventHandle;
    PKEVENT Event;              /* signaled when an asynchronous request completes */
    PIO_APC_ROUTINE ApcRoutine; /* a process's own: how else it is to be told of the end, and of what */
    PVOID ApcContext;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status; /* STATUS_PENDING: IoStatus tells, once Event is signaled */
    ULONG64 Value;   /* result value 2 */
    KEVENT Issued;   /* the client thread is through with it */
} CLIENT_OPERATION, *PCLIENT_OPERATION;

/* Runs an operation.  PASSIVE_LEVEL, on a client thread. */
VOID ClientpRunOperation(PCLIENT_OPERATION Operation);

/* The next NUL-terminated UTF-8 string of the input, in pool, with a terminator; ClientpFreeString frees it. */
NTSTATUS ClientpNextString(PCLIENT_OPERATION Operation, PULONG Offset, PUNICODE_STRING Name);
VOID ClientpFreeString(PUNICODE_STRING Name);

/* FLTVM_COMMAND_REGISTRY.  PASSIVE_LEVEL, on a client thread. */
NTSTATUS ClientpSetRegistry(PCLIENT_OPERATION Operation);

/* FLTVM_COMMAND_PROCESS and its kin.  PASSIVE_LEVEL, on a client thread. */
NTSTATUS ClientpWaitProcess(PCLIENT_OPERATION Operation);
VOID ClientpInitializePrograms(VOID);

/* Of a handle that is opened. */
ULONG ClientpHandleAttributes(PCLIENT_OPERATION Operation);

/* An event for the request's end, and a buffer. */
NTSTATUS ClientpPrepareRequest(PCLIENT_OPERATION Operation, ULONG64 BufferLength, POOL_TYPE PoolType);

/* files.c; STATUS_INVALID_DEVICE_REQUEST: it is no operation on a file.  PASSIVE_LEVEL, on a client thread. */
NTSTATUS ClientpDispatchFile(PCLIENT_OPERATION Operation);

/* filefacts.c.  PASSIVE_LEVEL, on a client thread. */
NTSTATUS ClientpLock(PCLIENT_OPERATION Operation);
NTSTATUS ClientpUnlock(PCLIENT_OPERATION Operation);
NTSTATUS ClientpNotify(PCLIENT_OPERATION Operation);
NTSTATUS ClientpQueryEa(PCLIENT_OPERATION Operation);
NTSTATUS ClientpSetEa(PCLIENT_OPERATION Operation);
NTSTATUS ClientpQuerySecurity(PCLIENT_OPERATION Operation);
NTSTATUS ClientpSetSecurity(PCLIENT_OPERATION Operation);
NTSTATUS ClientpQueryVolume(PCLIENT_OPERATION Operation);
NTSTATUS ClientpSetVolume(PCLIENT_OPERATION Operation);

/* Why the loader refused an image becomes the operation's output. */
VOID ClientpKeepReason(PCLIENT_OPERATION Operation);

NTSTATUS ClientpCreateProcess(PCLIENT_OPERATION Operation);
NTSTATUS ClientpEndProcess(PCLIENT_OPERATION Operation);
NTSTATUS ClientpServeProcess(PCLIENT_OPERATION Operation);

/* userclient.c.  PASSIVE_LEVEL.  A process's program that serves it begins; an operation is given to it. */
VOID ClientpInitializeUsers(VOID);
NTSTATUS ClientpStartUser(PEPROCESS Process, ULONG64 Start, ULONG64 Entry);
NTSTATUS ClientpQueueToUser(PCLIENT_OPERATION Operation);

/* Gives an operation to the client thread of its command; makes the thread if need be.  PASSIVE_LEVEL. */
NTSTATUS ClientpQueueOperation(PCLIENT_OPERATION Operation);

/* Frees an operation that is complete.  PASSIVE_LEVEL. */
VOID ClientpDeleteOperation(PCLIENT_OPERATION Operation);

/* imagefile.c: what is to run, of a file of the machine's; nothing of it: NULL. */
typedef struct _CLIENT_IMAGE_FILE {
    PVOID Section;     /* referenced */
    PFILE_OBJECT File; /* referenced */
    POBJECT_NAME_INFORMATION Name;
} CLIENT_IMAGE_FILE, *PCLIENT_IMAGE_FILE;
NTSTATUS ClientpOpenImageFile(PUNICODE_STRING Name, PCLIENT_IMAGE_FILE Image);
VOID ClientpReleaseImageFile(PCLIENT_IMAGE_FILE Image);

#endif

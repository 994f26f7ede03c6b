/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port.h: communication ports: a filter listens on a server port, a client connects to it by name, and messages go both
 * ways on the connection.
 *
 * The client's side is a file object of the device FLTVM_FLTMSG_DEVICE; each of its doings is a control of that
 * (abi/fltctl.h), as fltlib's are on Windows.
 *
 * Locks: FltpPortLock guards the server ports, their counts and every filter's list of connections.  A connection's Lock
 * guards its messages and its end; its GetLock, inside that, the requests that wait for a message.  Callbacks are called
 * without any.
 */
#ifndef FLTMGR_PORT_H
#define FLTMGR_PORT_H

#include <core.h>

#define FLTP_TAG_PORT      'tPtF'
#define FLTP_MAGIC_SERVER  0x53746C46u
#define FLTP_MAGIC_CLIENT  0x50746C46u
#define FLTP_CONNECT_LIMIT 0xFFFF /* bytes of a connection's context */

/* What both kinds, which filters know as PFLT_PORT, begin with. */
typedef struct _FLTP_PORT {
    ULONG Magic;
    PFLT_FILTER Filter;
    LIST_ENTRY Link; /* FltpPortLock */
    PVOID CreatedBy[FLTP_STACK_DEPTH];
} FLTP_PORT, *PFLTP_PORT;

typedef struct _FLTP_SERVER {
    FLTP_PORT Port;
    volatile LONG Users; /* the filter, and each connection */
    UNICODE_STRING Name;
    BOOLEAN IgnoreCase;
    PSECURITY_DESCRIPTOR Descriptor; /* SeDeassignSecurity's */
    PVOID Cookie;
    PFLT_CONNECT_NOTIFY Connect;
    PFLT_DISCONNECT_NOTIFY Disconnect;
    PFLT_MESSAGE_NOTIFY Message;
    LONG MaxConnections, Connections; /* FltpPortLock */
} FLTP_SERVER, *PFLTP_SERVER;

typedef struct _FLTP_CLIENT {
    FLTP_PORT Port;      /* Link: FltpClients */
    volatile LONG Users; /* the client's file, the filter until it closes it, and who is at it */
    PFLTP_SERVER Server;
    PVOID Cookie;
    FAST_MUTEX Lock;
    BOOLEAN Connected;    /* the connect callback has agreed, and nobody has disconnected it: Lock */
    BOOLEAN Open;         /* the filter has not closed it: FltpPortLock */
    LIST_ENTRY Waiting;   /* messages that nobody has got yet, oldest first */
    LIST_ENTRY Delivered; /* ... that wait for their reply */
    ULONGLONG LastId;
    IO_CSQ Gets;
    KSPIN_LOCK GetLock;
    LIST_ENTRY GetList; /* IRPs, oldest first */
} FLTP_CLIENT, *PFLTP_CLIENT;

/*
 * server.c.  IRQL: PASSIVE_LEVEL.
 */
extern FAST_MUTEX FltpPortLock;
VOID FltpInitializePorts(VOID);
/* Connects the file, if the port's descriptor lets Mode's subject; then the connect callback decides. */
NTSTATUS FltpConnect(PFILE_OBJECT File, PCUNICODE_STRING Name, KPROCESSOR_MODE Mode, PVOID Context, ULONG ContextSize);
/* Each port that is listened on, oldest first; Tell may not block. */
VOID FltpForPorts(VOID (*Tell)(PVOID Argument, PFLTP_SERVER Server), PVOID Argument);
/* Holds the filter of a connection, for a callback: while it is connected its filter is there. */
BOOLEAN FltpEnterFilter(PFLTP_CLIENT Client);
/* The client goes. */
VOID FltpDisconnect(PFLTP_CLIENT Client);
/* The filter unregisters: before its instances go, what waits for a client is let go; at the end what is left is told. */
VOID FltpDisconnectFilter(PFLT_FILTER Filter);
VOID FltpEndPorts(PFLT_FILTER Filter);

/*
 * message.c.  IRQL: <= APC_LEVEL.
 */
VOID FltpInitializeMessages(PFLTP_CLIENT Client);
/* TRUE: it was connected.  Whoever waits is let go. */
BOOLEAN FltpDisconnectMessages(PFLTP_CLIENT Client);
VOID FltpDropClient(PFLTP_CLIENT Client);
NTSTATUS FltpGetMessage(PFLTP_CLIENT Client, PIRP Irp);
NTSTATUS FltpReplyMessage(PFLTP_CLIENT Client, const UCHAR *Buffer, ULONG Length);

/*
 * security.c.  IRQL: PASSIVE_LEVEL.
 */
NTSTATUS FltpAssignSecurity(PSECURITY_DESCRIPTOR Explicit, PSECURITY_DESCRIPTOR *Descriptor);
/* Whether the calling thread's subject may connect: STATUS_ACCESS_DENIED. */
NTSTATUS FltpCheckConnect(PSECURITY_DESCRIPTOR Descriptor, KPROCESSOR_MODE Mode);
/* Everybody may open the device: who may connect is each port's to say. */
NTSTATUS FltpOpenToAll(PDEVICE_OBJECT Device);

/*
 * device.c.  IRQL: PASSIVE_LEVEL.
 */
NTSTATUS FltpCreateMessageDevice(VOID);
NTSTATUS FltpDispatchMessage(PIRP Irp);

#endif

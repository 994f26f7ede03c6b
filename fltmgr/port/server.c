/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.c: server ports and connections: made, found by name, closed, and what is left of them when their filter goes.
 */
#include <port.h>
#include <support.h>

FAST_MUTEX FltpPortLock;
static LIST_ENTRY FltpServers, FltpClients; /* FltpPortLock */

VOID FltpInitializePorts(VOID)
{
    ExInitializeFastMutex(&FltpPortLock);
    InitializeListHead(&FltpServers);
    InitializeListHead(&FltpClients);
}

VOID FltpForPorts(VOID (*Tell)(PVOID Argument, PFLTP_SERVER Server), PVOID Argument)
{
    ExAcquireFastMutex(&FltpPortLock);
    for (PLIST_ENTRY Link = FltpServers.Flink; Link != &FltpServers; Link = Link->Flink)
        Tell(Argument, CONTAINING_RECORD(Link, FLTP_SERVER, Port.Link));
    ExReleaseFastMutex(&FltpPortLock);
}

static VOID FltpDropServer(PFLTP_SERVER Server)
{
    if (InterlockedDecrement(&Server->Users) > 0)
        return;
    FltpFreeString(&Server->Name);
    if (Server->Descriptor != NULL)
        SeDeassignSecurity(&Server->Descriptor);
    Server->Port.Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Server, FLTP_TAG_PORT);
}

static BOOLEAN FltpIsSameName(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    return Left->Length == Right->Length && RtlCompareMemory(Left->Buffer, Right->Buffer, Left->Length) == Left->Length;
}

/* The run-time library's comparisons are for PASSIVE_LEVEL, which the mutex is not. */
static PFLTP_SERVER FltpFindServerLocked(PCUNICODE_STRING Name, BOOLEAN IgnoreCase)
{
    for (PLIST_ENTRY Link = FltpServers.Flink; Link != &FltpServers; Link = Link->Flink) {
        PFLTP_SERVER Server = CONTAINING_RECORD(Link, FLTP_SERVER, Port.Link);

        if (IgnoreCase || Server->IgnoreCase ? FltpEqualNames(&Server->Name, Name)
                                             : FltpIsSameName(&Server->Name, Name))
            return Server;
    }
    return NULL;
}

static NTSTATUS FltpCheckServer(POBJECT_ATTRIBUTES Attributes, PFLT_CONNECT_NOTIFY Connect,
                                PFLT_DISCONNECT_NOTIFY Disconnect, LONG MaxConnections)
{
    BOOLEAN Good = Attributes != NULL && FlagOn(Attributes->Attributes, OBJ_KERNEL_HANDLE) &&
                   Attributes->ObjectName != NULL && Attributes->ObjectName->Length > 0 && Connect != NULL &&
                   Disconnect != NULL && MaxConnections > 0;

    return Good ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS FLTAPI FltCreateCommunicationPort(PFLT_FILTER Filter, PFLT_PORT *ServerPort,
                                           POBJECT_ATTRIBUTES ObjectAttributes, PVOID ServerPortCookie,
                                           PFLT_CONNECT_NOTIFY ConnectNotifyCallback,
                                           PFLT_DISCONNECT_NOTIFY DisconnectNotifyCallback,
                                           PFLT_MESSAGE_NOTIFY MessageNotifyCallback, LONG MaxConnections)
{
    NTSTATUS Status =
        FltpCheckServer(ObjectAttributes, ConnectNotifyCallback, DisconnectNotifyCallback, MaxConnections);
    PFLTP_SERVER Server;

    *ServerPort = NULL;
    if (!NT_SUCCESS(Status))
        return Status;
    FltpCheckOptional((PVOID)ConnectNotifyCallback, "port connect callback");
    FltpCheckOptional((PVOID)DisconnectNotifyCallback, "port disconnect callback");
    FltpCheckOptional((PVOID)MessageNotifyCallback, "port message callback");
    if (FlagOn(Filter->Object.Rundown.Count, 1))
        return STATUS_FLT_DELETING_OBJECT;
    Server = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Server), FLTP_TAG_PORT);
    if (Server == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Server, sizeof(*Server));
    Server->Port.Magic = FLTP_MAGIC_SERVER;
    Server->Port.Filter = Filter;
    FltpCaptureStack(1, Server->Port.CreatedBy);
    Server->Users = 1;
    Server->IgnoreCase = FlagOn(ObjectAttributes->Attributes, OBJ_CASE_INSENSITIVE) != 0;
    Server->Cookie = ServerPortCookie;
    Server->Connect = ConnectNotifyCallback;
    Server->Disconnect = DisconnectNotifyCallback;
    Server->Message = MessageNotifyCallback;
    Server->MaxConnections = MaxConnections;
    Status = FltpCopyString(&Server->Name, ObjectAttributes->ObjectName);
    if (NT_SUCCESS(Status))
        Status = FltpAssignSecurity(ObjectAttributes->SecurityDescriptor, &Server->Descriptor);
    if (NT_SUCCESS(Status)) {
        ExAcquireFastMutex(&FltpPortLock);
        if (FltpFindServerLocked(&Server->Name, Server->IgnoreCase) != NULL)
            Status = STATUS_OBJECT_NAME_COLLISION;
        else
            InsertTailList(&FltpServers, &Server->Port.Link);
        ExReleaseFastMutex(&FltpPortLock);
    }
    if (NT_SUCCESS(Status))
        *ServerPort = (PFLT_PORT)Server;
    else
        FltpDropServer(Server);
    return Status;
}

static VOID FltpCheckPort(PFLTP_PORT Port, ULONG Magic, PCSTR Rule, PVOID Caller)
{
    if (Port != NULL && Port->Magic == Magic)
        return;
    FvBlame(Caller);
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_PORT, (ULONG_PTR)Port, 0, 0, Rule);
}

/* Its connections stay. */
static VOID FltpCloseServer(PFLTP_SERVER Server)
{
    ExAcquireFastMutex(&FltpPortLock);
    RemoveEntryList(&Server->Port.Link);
    ExReleaseFastMutex(&FltpPortLock);
    Server->Port.Magic = FLTP_MAGIC_FREE;
    FltpDropServer(Server);
}

VOID FLTAPI FltCloseCommunicationPort(PFLT_PORT ServerPort)
{
    FltpCheckPort((PFLTP_PORT)ServerPort, FLTP_MAGIC_SERVER,
                  "rule=FltCloseCommunicationPort was given no server port, or one that is closed\n", _ReturnAddress());
    FltpCloseServer((PFLTP_SERVER)ServerPort);
}

/* --- Connections --- */

/* Takes a place among the port's connections, and holds the port and its filter. */
static NTSTATUS FltpEnterServer(PCUNICODE_STRING Name, PFLTP_SERVER *Found)
{
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;
    PFLTP_SERVER Server;

    ExAcquireFastMutex(&FltpPortLock);
    Server = FltpFindServerLocked(Name, FALSE);
    if (Server != NULL && Server->Connections >= Server->MaxConnections) {
        Status = STATUS_CONNECTION_COUNT_LIMIT;
    } else if (Server != NULL && FltpAcquireRundown(&Server->Port.Filter->Object.Rundown)) {
        Status = STATUS_SUCCESS;
        Server->Connections++;
        InterlockedIncrement(&Server->Users);
        *Found = Server;
    }
    ExReleaseFastMutex(&FltpPortLock);
    return Status;
}

static VOID FltpLeaveServer(PFLTP_SERVER Server)
{
    ExAcquireFastMutex(&FltpPortLock);
    Server->Connections--;
    ExReleaseFastMutex(&FltpPortLock);
    FltpDropServer(Server);
}

static NTSTATUS FltpCallConnect(PFLTP_CLIENT Client, PVOID Context, ULONG ContextSize)
{
    PFLTP_SERVER Server = Client->Server;
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = Server->Connect((PFLT_PORT)Client, Server->Cookie, ContextSize > 0 ? Context : NULL, ContextSize,
                             &Client->Cookie);
    FvEndCall(&Call, (PVOID)Server->Connect, "port connect callback", (ULONG_PTR)Client);
    return Status;
}

static PFLTP_CLIENT FltpNewClient(PFLTP_SERVER Server)
{
    PFLTP_CLIENT Client = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Client), FLTP_TAG_PORT);

    if (Client == NULL)
        return NULL;
    RtlZeroMemory(Client, sizeof(*Client));
    Client->Port.Magic = FLTP_MAGIC_CLIENT;
    Client->Port.Filter = Server->Port.Filter;
    Client->Port.CreatedBy[0] = (PVOID)Server->Connect;
    Client->Server = Server;
    Client->Users = 2;
    Client->Open = TRUE;
    FltpInitializeMessages(Client);
    Client->Connected = TRUE; /* messages may be sent from the callback on */
    ExAcquireFastMutex(&FltpPortLock);
    InsertTailList(&FltpClients, &Client->Port.Link);
    ExReleaseFastMutex(&FltpPortLock);
    return Client;
}

NTSTATUS FltpConnect(PFILE_OBJECT File, PCUNICODE_STRING Name, KPROCESSOR_MODE Mode, PVOID Context, ULONG ContextSize)
{
    PFLT_FILTER Filter;
    PFLTP_CLIENT Client;
    PFLTP_SERVER Server = NULL;
    NTSTATUS Status = FltpEnterServer(Name, &Server);

    if (!NT_SUCCESS(Status))
        return Status;
    Filter = Server->Port.Filter;
    Status = FltpCheckConnect(Server->Descriptor, Mode);
    Client = NT_SUCCESS(Status) ? FltpNewClient(Server) : NULL;
    if (Client == NULL) {
        FltpLeaveServer(Server);
        if (NT_SUCCESS(Status))
            Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }
    Status = FltpCallConnect(Client, Context, ContextSize);
    if (NT_SUCCESS(Status)) {
        File->FsContext = Client;
    } else {
        FltpDisconnectMessages(Client);
        Client->Open = FALSE;
        FltpDropClient(Client);
        FltpDropClient(Client);
    }

Exit:
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

VOID FltpDropClient(PFLTP_CLIENT Client)
{
    if (InterlockedDecrement(&Client->Users) > 0)
        return;
    ExAcquireFastMutex(&FltpPortLock);
    RemoveEntryList(&Client->Port.Link);
    ExReleaseFastMutex(&FltpPortLock);
    Client->Port.Magic = FLTP_MAGIC_FREE;
    FltpLeaveServer(Client->Server);
    ExFreePoolWithTag(Client, FLTP_TAG_PORT);
}

VOID FLTAPI FltCloseClientPort(PFLT_FILTER Filter, PFLT_PORT *ClientPort)
{
    PFLTP_CLIENT Client = InterlockedExchangePointer((PVOID volatile *)ClientPort, NULL);

    UNREFERENCED_PARAMETER(Filter);
    FltpCheckPort(&Client->Port, FLTP_MAGIC_CLIENT,
                  "rule=FltCloseClientPort was given no client port, or one that is closed\n", _ReturnAddress());
    FltpDisconnectMessages(Client);
    ExAcquireFastMutex(&FltpPortLock);
    Client->Open = FALSE;
    ExReleaseFastMutex(&FltpPortLock);
    FltpDropClient(Client);
}

/* --- The filter goes --- */

static VOID FltpCallDisconnect(PFLTP_CLIENT Client)
{
    PFLT_DISCONNECT_NOTIFY Disconnect = Client->Server->Disconnect;
    FV_CALL Call;

    FvBeginCall(&Call);
    Disconnect(Client->Cookie);
    FvEndCall(&Call, (PVOID)Disconnect, "port disconnect callback", (ULONG_PTR)Client);
}

BOOLEAN FltpEnterFilter(PFLTP_CLIENT Client)
{
    BOOLEAN Entered;

    ExAcquireFastMutex(&Client->Lock);
    Entered = Client->Connected && FltpAcquireRundown(&Client->Port.Filter->Object.Rundown);
    ExReleaseFastMutex(&Client->Lock);
    return Entered;
}

/* Of a filter that is going FltpDisconnectFilter disconnects it. */
VOID FltpDisconnect(PFLTP_CLIENT Client)
{
    PFLT_FILTER Filter = Client->Port.Filter;

    if (!FltpEnterFilter(Client))
        return;
    if (FltpDisconnectMessages(Client))
        FltpCallDisconnect(Client);
    FltpReleaseRundown(&Filter->Object.Rundown);
}

/* The next of the filter's connections that is still connected, held. */
static PFLTP_CLIENT FltpNextConnected(PFLT_FILTER Filter)
{
    PFLTP_CLIENT Found = NULL;

    ExAcquireFastMutex(&FltpPortLock);
    for (PLIST_ENTRY Link = FltpClients.Flink; Link != &FltpClients && Found == NULL; Link = Link->Flink) {
        PFLTP_CLIENT Client = CONTAINING_RECORD(Link, FLTP_CLIENT, Port.Link);

        if (Client->Port.Filter == Filter && Client->Connected && Client->Users > 0) {
            InterlockedIncrement(&Client->Users);
            Found = Client;
        }
    }
    ExReleaseFastMutex(&FltpPortLock);
    return Found;
}

VOID FltpDisconnectFilter(PFLT_FILTER Filter)
{
    PFLTP_CLIENT Client;

    while ((Client = FltpNextConnected(Filter)) != NULL) {
        if (FltpDisconnectMessages(Client))
            FltpCallDisconnect(Client);
        FltpDropClient(Client);
    }
}

static DECLSPEC_NORETURN VOID FltpBlameLeftPort(PFLTP_PORT Port, PCSTR Rule)
{
    FltpReportStack("created", Port->CreatedBy);
    FvBlame(Port->CreatedBy[0]);
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_PORT_LEFT, (ULONG_PTR)Port, Port->Magic == FLTP_MAGIC_SERVER, 0, Rule);
}

/* The next port of the filter's that it has not closed. */
static PFLTP_PORT FltpNextLeft(PFLT_FILTER Filter)
{
    PFLTP_PORT Found = NULL;

    ExAcquireFastMutex(&FltpPortLock);
    for (PLIST_ENTRY Link = FltpServers.Flink; Link != &FltpServers && Found == NULL; Link = Link->Flink) {
        PFLTP_SERVER Server = CONTAINING_RECORD(Link, FLTP_SERVER, Port.Link);

        if (Server->Port.Filter == Filter)
            Found = &Server->Port;
    }
    for (PLIST_ENTRY Link = FltpClients.Flink; Link != &FltpClients && Found == NULL; Link = Link->Flink) {
        PFLTP_CLIENT Client = CONTAINING_RECORD(Link, FLTP_CLIENT, Port.Link);

        if (Client->Port.Filter == Filter && Client->Open)
            Found = &Client->Port;
    }
    ExReleaseFastMutex(&FltpPortLock);
    return Found;
}

VOID FltpEndPorts(PFLT_FILTER Filter)
{
    PFLTP_PORT Port;

    while ((Port = FltpNextLeft(Filter)) != NULL) {
        PFLT_PORT Client = (PFLT_PORT)Port;

        if (FltpVerify)
            FltpBlameLeftPort(Port, Port->Magic == FLTP_MAGIC_SERVER
                                        ? "rule=A server port is not closed, and its filter unregisters\n"
                                        : "rule=A client port is not closed, and its filter unregisters\n");
        if (Port->Magic == FLTP_MAGIC_SERVER)
            FltpCloseServer((PFLTP_SERVER)Port);
        else
            FltCloseClientPort(Filter, &Client);
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Communication ports: what is refused, who is called when, and what FltSendMessage returns.  Reads at n * 512 of the
 * volume send a message each; the scenario is the client.  The service's value "Leave" says what unload leaves open.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_PORT Server, Client;
static ULONG Leave;
static LONG Connects, Disconnects, Messages;
static CHAR Context[16];
static ULONG ContextSize;
static NTSTATUS LastStatus;
static ULONG LastReplyLength;
static CHAR LastReply[16];
static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\TestPort");

static NTSTATUS NTAPI Connect(PFLT_PORT ClientPort, PVOID ServerCookie, PVOID ConnectionContext, ULONG Size,
                              PVOID *Cookie)
{ /* [client] */
    FvCheck(ServerCookie == &Server && KeGetCurrentIrql() == PASSIVE_LEVEL);
    FvCheck((ConnectionContext == NULL) == (Size == 0));
    if (Size == 6 && RtlCompareMemory(ConnectionContext, "refuse", 6) == 6)
        return STATUS_ACCESS_DENIED;
    ContextSize = Size;
    RtlCopyMemory(Context, ConnectionContext, min(Size, sizeof(Context)));
    Connects++;
    Client = ClientPort;
    *Cookie = &Client;
    return STATUS_SUCCESS;
}

static VOID NTAPI Disconnect(PVOID Cookie)
{
    FvCheck(Cookie == &Client && KeGetCurrentIrql() == PASSIVE_LEVEL);
    Disconnects++;
    if (Leave != 2)
        FltCloseClientPort(Filter, &Client);
    FvCheck(Leave == 2 || Client == NULL);
}

/* Answers with what came, backwards; "fail" fails. */
static NTSTATUS NTAPI Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                              PULONG Returned)
{ /* [more] */
    FvCheck(Cookie == &Client && KeGetCurrentIrql() == PASSIVE_LEVEL);
    Messages++;
    if (InputLength == 4 && RtlCompareMemory(Input, "fail", 4) == 4)
        return STATUS_DISK_FULL;
    for (ULONG Index = 0; Index < InputLength && Index < OutputLength; Index++)
        ((PCHAR)Output)[Index] = ((PCHAR)Input)[InputLength - 1 - Index];
    *Returned = min(InputLength, OutputLength);
    if (InputLength == 4 && RtlCompareMemory(Input, "more", 4) == 4)
        *Returned = OutputLength + 1;
    if (InputLength == 4 && RtlCompareMemory(Input, "over", 4) == 4)
        ((PCHAR)Output)[OutputLength] = 0; /* [over] */
    return STATUS_SUCCESS;
}

static NTSTATUS Create(PUNICODE_STRING PortName, ULONG Attributes, LONG Most, PFLT_CONNECT_NOTIFY ConnectNotify,
                       PFLT_DISCONNECT_NOTIFY DisconnectNotify, PFLT_PORT *Port)
{
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    OBJECT_ATTRIBUTES Object;
    NTSTATUS Status;

    FvCheck(NT_SUCCESS(FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS)));
    InitializeObjectAttributes(&Object, PortName, Attributes, NULL, Descriptor);
    Status = FltCreateCommunicationPort(/* [server] */ Filter, Port, &Object, &Server, ConnectNotify, DisconnectNotify,
                                        Message, Most);
    FltFreeSecurityDescriptor(Descriptor);
    return Status;
}

static VOID CheckDescriptor(VOID)
{
    PISECURITY_DESCRIPTOR Descriptor = NULL;
    PACCESS_ALLOWED_ACE Entry;

    FvCheck(NT_SUCCESS(FltBuildDefaultSecurityDescriptor((PSECURITY_DESCRIPTOR *)&Descriptor, FLT_PORT_CONNECT)));
    FvCheck(Descriptor->Revision == SECURITY_DESCRIPTOR_REVISION && Descriptor->Control == SE_DACL_PRESENT &&
            Descriptor->Dacl->AceCount == 2);
    Entry = (PACCESS_ALLOWED_ACE)(Descriptor->Dacl + 1);
    FvCheck(Entry->Mask == FLT_PORT_CONNECT && ((PISID)&Entry->SidStart)->SubAuthority[0] == SECURITY_LOCAL_SYSTEM_RID);
    FltFreeSecurityDescriptor(Descriptor);
}

static VOID CheckCreation(VOID)
{
    UNICODE_STRING Other = RTL_CONSTANT_STRING(L"\\TESTPORT"), None = {0};
    ULONG Good = OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE;
    PFLT_PORT Port = (PFLT_PORT)1;

    FvCheck(Create(&Name, OBJ_CASE_INSENSITIVE, 1, Connect, Disconnect, &Port) == STATUS_INVALID_PARAMETER &&
            Port == NULL);
    FvCheck(Create(&Name, Good, 0, Connect, Disconnect, &Port) == STATUS_INVALID_PARAMETER);
    FvCheck(Create(&Name, Good, 1, NULL, Disconnect, &Port) == STATUS_INVALID_PARAMETER);
    FvCheck(Create(&Name, Good, 1, Connect, NULL, &Port) == STATUS_INVALID_PARAMETER);
    FvCheck(Create(&None, Good, 1, Connect, Disconnect, &Port) == STATUS_INVALID_PARAMETER);
    FvCheck(Create(&Name, Good, 1, Connect, Disconnect, &Server) == STATUS_SUCCESS && Server != NULL);
    FvCheck(Create(&Name, Good, 1, Connect, Disconnect, &Port) == STATUS_OBJECT_NAME_COLLISION && Port == NULL);
    FvCheck(Create(&Other, Good, 1, Connect, Disconnect, &Port) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(Create(&Other, OBJ_KERNEL_HANDLE, 1, Connect, Disconnect, &Port) == STATUS_OBJECT_NAME_COLLISION);
    FltCloseCommunicationPort(Server);
    FvCheck(Create(&Name, Good, 1, Connect, Disconnect, &Server) == STATUS_SUCCESS); /* the name was free */
    FvCheck(FltSendMessage(Filter, &Client, "x", 1, NULL, NULL, NULL) == STATUS_PORT_DISCONNECTED);
}

/* What the read's place asks for. */
enum { Plain, WithReply, ShortReply, Late, LateReply, Wrong, Endless, CloseIt };

static VOID Send(ULONG Way)
{
    LARGE_INTEGER Timeout = {.QuadPart = -500000}, Zero = {.QuadPart = 0};
    ULONG Room = Way == ShortReply ? 3 : sizeof(LastReply);
    PLARGE_INTEGER Patience = Way == Late || Way == LateReply ? &Timeout : Way == WithReply ? &Zero : NULL;

    LastReplyLength = Room;
    RtlFillMemory(LastReply, sizeof(LastReply), '#');
    switch (Way) {
    case Plain:
    case Late: LastStatus = FltSendMessage(Filter, &Client, "plain", 5, NULL, NULL, Patience); break;
    case Wrong:
        LastStatus = FltSendMessage(Filter, &Client, "wrong", 5, LastReply, NULL, Patience);
        FvCheck(FltSendMessage(Filter, &Client, NULL, 0, NULL, NULL, NULL) == STATUS_INVALID_PARAMETER);
        break;
    case CloseIt:
        FltCloseClientPort(Filter, &Client);
        LastStatus = Client == NULL ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
        break;
    default:
        LastStatus = FltSendMessage(Filter, &Client, "asks", 4, LastReply, &LastReplyLength, Patience);
        FvCheck(Room == sizeof(LastReply) || LastReply[Room] == '#'); /* not beyond it */
    }
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Cookie)
{
    Send((ULONG)(Data->Iopb->Parameters.Read.ByteOffset.QuadPart / 512));
    DbgPrint("ports: status %08X reply %.*s\n", LastStatus, (int)(LastStatus == 0 ? LastReplyLength % 16 : 0),
             LastReply);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* How often each callback was called. */
static FLT_PREOP_CALLBACK_STATUS NTAPI PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *Cookie)
{
    DbgPrint("ports: connects %d disconnects %d messages %d context %.*s\n", Connects, Disconnects, Messages,
             (int)ContextSize, Context);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Leave != 1)
        FltCloseCommunicationPort(Server);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead},
    {IRP_MJ_FLUSH_BUFFERS, 0, PreFlush},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Leave = ReadNumber(Key, L"Leave");
    FvTestPlan(ReadNumber(Key, L"Plan"));
    CheckDescriptor();
    CheckCreation();
    return FltStartFiltering(Filter);
}

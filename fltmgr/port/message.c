/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.c: messages from a filter to its client, and the client's replies.  A message is in its sender's frame: the
 * sender waits until it has been got, and if it wants one, until its reply has come.
 */
#include <port.h>

typedef struct _FLTP_MESSAGE {
    LIST_ENTRY Link; /* the connection's Waiting or Delivered, or nowhere: its Lock, as all below */
    BOOLEAN Linked, WantsReply;
    ULONGLONG Id;
    const VOID *Buffer;
    ULONG Length;
    PVOID Reply;
    ULONG ReplyLength; /* what there is room for, and then what came */
    NTSTATUS Status;
    KEVENT Done;
} FLTP_MESSAGE, *PFLTP_MESSAGE;

/* --- The requests that wait for a message --- */

static VOID NTAPI FltpCsqInsertGet(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, FLTP_CLIENT, Gets)->GetList, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI FltpCsqRemoveGet(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI FltpCsqNextGet(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY Head = &CONTAINING_RECORD(Csq, FLTP_CLIENT, Gets)->GetList;
    PLIST_ENTRY Link = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : Head->Flink;

    UNREFERENCED_PARAMETER(Context);
    return Link != Head ? CONTAINING_RECORD(Link, IRP, Tail.Overlay.ListEntry) : NULL;
}

static VOID NTAPI FltpCsqLockGets(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, FLTP_CLIENT, Gets)->GetLock, Irql);
}

static VOID NTAPI FltpCsqUnlockGets(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, FLTP_CLIENT, Gets)->GetLock, Irql);
}

static VOID FltpCompleteGet(PIRP Irp, NTSTATUS Status, ULONG Bytes)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Bytes;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static VOID NTAPI FltpCsqCanceledGet(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    FltpCompleteGet(Irp, STATUS_CANCELLED, 0);
}

VOID FltpInitializeMessages(PFLTP_CLIENT Client)
{
    ExInitializeFastMutex(&Client->Lock);
    KeInitializeSpinLock(&Client->GetLock);
    InitializeListHead(&Client->Waiting);
    InitializeListHead(&Client->Delivered);
    InitializeListHead(&Client->GetList);
    IoCsqInitialize(&Client->Gets, FltpCsqInsertGet, FltpCsqRemoveGet, FltpCsqNextGet, FltpCsqLockGets,
                    FltpCsqUnlockGets, FltpCsqCanceledGet);
}

/* --- Delivering --- */

static VOID FltpUnlinkMessageLocked(PFLTP_MESSAGE Message)
{
    if (Message->Linked)
        RemoveEntryList(&Message->Link);
    Message->Linked = FALSE;
}

/* What has been wanted of it has happened: its sender goes on, and its frame may be gone. */
static VOID FltpEndMessageLocked(PFLTP_MESSAGE Message, NTSTATUS Status)
{
    FltpUnlinkMessageLocked(Message);
    Message->Status = Status;
    KeSetEvent(&Message->Done, IO_NO_INCREMENT, FALSE);
}

static ULONG FltpRoomOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength;
}

/* The message is in the request's buffer, which the caller completes.  FALSE: it does not fit, and waits on. */
static BOOLEAN FltpDeliverLocked(PFLTP_CLIENT Client, PFLTP_MESSAGE Message, PIRP Irp, PULONG Bytes)
{
    PFILTER_MESSAGE_HEADER Header = Irp->AssociatedIrp.SystemBuffer;

    *Bytes = sizeof(*Header) + Message->Length;
    if (FltpRoomOf(Irp) < *Bytes)
        return FALSE;
    RtlZeroMemory(Header, sizeof(*Header));
    Header->ReplyLength = Message->WantsReply ? Message->ReplyLength + sizeof(FILTER_REPLY_HEADER) : 0;
    Header->MessageId = Message->Id;
    RtlCopyMemory(Header + 1, Message->Buffer, Message->Length);
    FltpUnlinkMessageLocked(Message);
    if (Message->WantsReply) {
        InsertTailList(&Client->Delivered, &Message->Link);
        Message->Linked = TRUE;
    } else {
        FltpEndMessageLocked(Message, STATUS_SUCCESS);
    }
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  The request is pending, or what is returned is for the caller to complete it with. */
NTSTATUS FltpGetMessage(PFLTP_CLIENT Client, PIRP Irp)
{
    NTSTATUS Status = STATUS_PENDING;
    ULONG Bytes = 0;

    Irp->IoStatus.Information = 0;
    ExAcquireFastMutex(&Client->Lock);
    if (!Client->Connected) {
        Status = STATUS_PORT_DISCONNECTED;
    } else if (!IsListEmpty(&Client->Waiting)) {
        PFLTP_MESSAGE Message = CONTAINING_RECORD(Client->Waiting.Flink, FLTP_MESSAGE, Link);

        Status = FltpDeliverLocked(Client, Message, Irp, &Bytes) ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
        Irp->IoStatus.Information = NT_SUCCESS(Status) ? Bytes : 0;
    } else {
        IoCsqInsertIrp(&Client->Gets, Irp, NULL); /* which marks it pending */
    }
    ExReleaseFastMutex(&Client->Lock);
    return Status;
}

/* To the first request that has room for it; those that have not end. */
static VOID FltpOfferLocked(PFLTP_CLIENT Client, PFLTP_MESSAGE Message)
{
    PIRP Irp;
    ULONG Bytes;

    Message->Id = ++Client->LastId;
    InsertTailList(&Client->Waiting, &Message->Link);
    Message->Linked = TRUE;
    while ((Irp = IoCsqRemoveNextIrp(&Client->Gets, NULL)) != NULL) {
        BOOLEAN Delivered = FltpDeliverLocked(Client, Message, Irp, &Bytes);

        FltpCompleteGet(Irp, Delivered ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL, Delivered ? Bytes : 0);
        if (Delivered)
            break;
    }
}

BOOLEAN FltpDisconnectMessages(PFLTP_CLIENT Client)
{
    BOOLEAN Was;
    PIRP Irp;

    ExAcquireFastMutex(&Client->Lock);
    Was = Client->Connected;
    Client->Connected = FALSE;
    while (!IsListEmpty(&Client->Waiting))
        FltpEndMessageLocked(CONTAINING_RECORD(Client->Waiting.Flink, FLTP_MESSAGE, Link), STATUS_PORT_DISCONNECTED);
    while (!IsListEmpty(&Client->Delivered))
        FltpEndMessageLocked(CONTAINING_RECORD(Client->Delivered.Flink, FLTP_MESSAGE, Link), STATUS_PORT_DISCONNECTED);
    ExReleaseFastMutex(&Client->Lock);
    while ((Irp = IoCsqRemoveNextIrp(&Client->Gets, NULL)) != NULL)
        FltpCompleteGet(Irp, STATUS_PORT_DISCONNECTED, 0);
    return Was;
}

/* --- Sending --- */

/* Until what is wanted of the message has happened, or the time is over. */
static NTSTATUS FltpAwaitMessage(PFLTP_CLIENT Client, PFLTP_MESSAGE Message, PLARGE_INTEGER Timeout)
{
    NTSTATUS Status = KeWaitForSingleObject(&Message->Done, Executive, KernelMode, FALSE, Timeout);

    ExAcquireFastMutex(&Client->Lock);
    if (Status == STATUS_TIMEOUT && Message->Linked)
        FltpUnlinkMessageLocked(Message);
    else
        Status = Message->Status;
    ExReleaseFastMutex(&Client->Lock);
    return Status;
}

/* The connection that the variable names, held; FltCloseClientPort sets it to NULL. */
static PFLTP_CLIENT FltpHoldClient(PFLT_PORT *ClientPort)
{
    PFLTP_CLIENT Client;

    ExAcquireFastMutex(&FltpPortLock);
    Client = *(PFLTP_CLIENT volatile *)ClientPort;
    if (Client != NULL && Client->Port.Magic == FLTP_MAGIC_CLIENT)
        InterlockedIncrement(&Client->Users);
    else
        Client = NULL;
    ExReleaseFastMutex(&FltpPortLock);
    return Client;
}

NTSTATUS FLTAPI FltSendMessage(PFLT_FILTER Filter, PFLT_PORT *ClientPort, PVOID SenderBuffer, ULONG SenderBufferLength,
                               PVOID ReplyBuffer, PULONG ReplyLength, PLARGE_INTEGER Timeout)
{
    PLARGE_INTEGER Patience =
        Timeout != NULL && Timeout->QuadPart != 0 ? Timeout : NULL; /* documented: zero is for ever */
    NTSTATUS Status = STATUS_PORT_DISCONNECTED;
    FLTP_MESSAGE Message;
    PFLTP_CLIENT Client;

    UNREFERENCED_PARAMETER(Filter);
    if (SenderBuffer == NULL || (ReplyBuffer != NULL && ReplyLength == NULL))
        return STATUS_INVALID_PARAMETER;
    Client = FltpHoldClient(ClientPort);
    if (Client == NULL)
        return STATUS_PORT_DISCONNECTED;
    RtlZeroMemory(&Message, sizeof(Message));
    KeInitializeEvent(&Message.Done, NotificationEvent, FALSE);
    Message.Buffer = SenderBuffer;
    Message.Length = SenderBufferLength;
    Message.WantsReply = ReplyBuffer != NULL;
    Message.Reply = ReplyBuffer;
    Message.ReplyLength = ReplyBuffer != NULL ? *ReplyLength : 0;
    ExAcquireFastMutex(&Client->Lock);
    if (Client->Connected) {
        FltpOfferLocked(Client, &Message);
        Status = STATUS_PENDING;
    }
    ExReleaseFastMutex(&Client->Lock);
    if (Status == STATUS_PENDING) {
        InterlockedIncrement(&Client->Port.Filter->Asking);
        Status = FltpAwaitMessage(Client, &Message, Patience);
        InterlockedDecrement(&Client->Port.Filter->Asking);
    }
    if (ReplyBuffer != NULL && Status == STATUS_SUCCESS)
        *ReplyLength = Message.ReplyLength;
    FltpDropClient(Client);
    return Status;
}

/* A reply that is longer than the sender's buffer is an error of both. */
NTSTATUS FltpReplyMessage(PFLTP_CLIENT Client, const UCHAR *Buffer, ULONG Length)
{
    const FILTER_REPLY_HEADER *Header = (const FILTER_REPLY_HEADER *)Buffer;
    NTSTATUS Status = STATUS_FLT_NO_WAITER_FOR_REPLY;

    if (Length < sizeof(*Header))
        return STATUS_INVALID_PARAMETER;
    Length -= sizeof(*Header);
    ExAcquireFastMutex(&Client->Lock);
    for (PLIST_ENTRY Link = Client->Delivered.Flink; Link != &Client->Delivered; Link = Link->Flink) {
        PFLTP_MESSAGE Message = CONTAINING_RECORD(Link, FLTP_MESSAGE, Link);

        if (Message->Id != Header->MessageId)
            continue;
        Status = Length > Message->ReplyLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
        RtlCopyMemory(Message->Reply, Header + 1, min(Length, Message->ReplyLength));
        Message->ReplyLength = min(Length, Message->ReplyLength);
        FltpEndMessageLocked(Message, Status);
        break;
    }
    if (!Client->Connected)
        Status = STATUS_PORT_DISCONNECTED;
    ExReleaseFastMutex(&Client->Lock);
    return Status;
}

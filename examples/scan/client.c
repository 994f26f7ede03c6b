/* SPDX-License-Identifier: MIT */
/*
 * The content scanner's service: a program in user mode that looks at what the filter asks about.
 *
 * Several threads wait at one completion port for messages of the filter, a few of which are always asked for; each thread
 * answers what it gets, and asks for the next one in its place.  When the filter goes, or the program is ended, the connection ends,
 * and with it what was asked for: so the threads find out.  The exit status is how many messages were answered.
 */
#include <fltUser.h>
#include "scan.h"

#ifndef FOUL
#define FOUL "worm" /* what is not to be in a file */
#endif
#ifndef THREADS
#define THREADS 3
#endif
#ifndef MESSAGES
#define MESSAGES 5 /* asked for at a time */
#endif

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Port, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Threads);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Port, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Block,
                                    PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PVOID Start, PVOID Argument, PHANDLE Thread,
                                   PVOID ClientId);
NTSTATUS Main(PVOID Peb);

typedef struct _MESSAGE {
    FILTER_MESSAGE_HEADER Header;
    SCAN_NOTIFICATION Notification;
    OVERLAPPED Overlapped; /* the packet leads to the message by it */
} MESSAGE;

typedef struct _REPLY {
    FILTER_REPLY_HEADER Header;
    SCAN_REPLY Reply;
} REPLY;

/* What goes over the wire: not the structure's padding. */
#define REPLY_SIZE (sizeof(FILTER_REPLY_HEADER) + sizeof(SCAN_REPLY))

static const CHAR Foul[] = FOUL;
static HANDLE Port, Completion;
static MESSAGE Messages[MESSAGES];
static LONG Answered;

static BOOLEAN IsSafe(const SCAN_NOTIFICATION *Notification)
{
    ULONG Length = sizeof(Foul) - 1;

    for (ULONG Index = 0; Index + Length <= Notification->Length; Index++)
        if (RtlEqualMemory(Notification->Contents + Index, Foul, Length))
            return FALSE;
    return TRUE;
}

static BOOLEAN Ask(MESSAGE *Message)
{
    HRESULT Result;

    RtlZeroMemory(&Message->Overlapped, sizeof(Message->Overlapped));
    Result = FilterGetMessage(Port, &Message->Header, FIELD_OFFSET(MESSAGE, Overlapped), &Message->Overlapped);
    return Result == HRESULT_FROM_WIN32(ERROR_IO_PENDING);
}

static BOOLEAN Answer(const MESSAGE *Message)
{
    REPLY Reply = {.Header = {STATUS_SUCCESS, Message->Header.MessageId}, .Reply.Safe = IsSafe(&Message->Notification)};
    HRESULT Result = FilterReplyMessage(Port, &Reply.Header, REPLY_SIZE);

    if (SUCCEEDED(Result))
        InterlockedIncrement(&Answered);
    /* Who asked may have gone, which is not the service's end. */
    return SUCCEEDED(Result) || Result == ERROR_FLT_NO_WAITER_FOR_REPLY;
}

static NTSTATUS Serve(PVOID Argument)
{
    IO_STATUS_BLOCK IoStatus;
    PVOID Key, Context;
    MESSAGE *Message;

    UNREFERENCED_PARAMETER(Argument);
    while (NT_SUCCESS(NtRemoveIoCompletion(Completion, &Key, &Context, &IoStatus, NULL)) &&
           NT_SUCCESS(IoStatus.Status)) {
        Message = CONTAINING_RECORD(Context, MESSAGE, Overlapped);
        if (!Answer(Message) || !Ask(Message))
            break;
    }
    /* Closed for the others: who still waits gets nothing any more. */
    Context = InterlockedExchangePointer(&Completion, NULL);
    if (Context != NULL)
        NtClose(Context);
    return STATUS_SUCCESS;
}

static VOID Tell(PCSTR When)
{
    SCAN_COMMAND Command = ScanGetCounts;
    SCAN_COUNTS Counts;
    ULONG Returned;

    if (FilterSendMessage(Port, &Command, sizeof(Command), &Counts, sizeof(Counts), &Returned) == S_OK)
        DbgPrint("client: %s, %u asked, %u foul\n", When, Counts.Asked, Counts.Foul);
}

NTSTATUS Main(PVOID Peb)
{
    FILE_COMPLETION_INFORMATION Information;
    HANDLE Threads[THREADS];
    IO_STATUS_BLOCK IoStatus;
    HRESULT Result;

    UNREFERENCED_PARAMETER(Peb);
    Result = FilterConnectCommunicationPort(SCAN_PORT_NAME, 0, NULL, 0, NULL, &Port);
    if (FAILED(Result))
        return Result;
    if (!NT_SUCCESS(NtCreateIoCompletion(&Completion, MAXIMUM_ALLOWED, NULL, THREADS)))
        return STATUS_INSUFFICIENT_RESOURCES;
    Information.Port = Completion;
    Information.Key = NULL;
    if (!NT_SUCCESS(
            NtSetInformationFile(Port, &IoStatus, &Information, sizeof(Information), FileCompletionInformation)))
        return STATUS_UNSUCCESSFUL;
    Tell("connected");
    for (ULONG Index = 0; Index < MESSAGES; Index++)
        if (!Ask(&Messages[Index]))
            return STATUS_PORT_DISCONNECTED;
    for (ULONG Index = 0; Index < THREADS; Index++)
        if (!NT_SUCCESS(RtlCreateUserThread((HANDLE)-1, NULL, FALSE, 0, 0, 0, Serve, NULL, &Threads[Index], NULL)))
            return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG Index = 0; Index < THREADS; Index++)
        NtWaitForSingleObject(Threads[Index], FALSE, NULL);
    DbgPrint("client: %u answered\n", (ULONG)Answered);
    NtClose(Port);
    return Answered;
}

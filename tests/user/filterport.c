// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that talks with a filter (portfilter.c) through fltlib: overlapped, by a completion port, as filters' services
 * do.  Its status is 0x600D, or how many checks failed.
 */
#include <fltUser.h>

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Port, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Threads);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Port, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Block,
                                    PLARGE_INTEGER Timeout);
NTSTATUS Main(PVOID Peb);

#define PENDING HRESULT_FROM_WIN32(ERROR_IO_PENDING)

typedef struct _MESSAGE {
    FILTER_MESSAGE_HEADER Header;
    CHAR Text[16];
    OVERLAPPED Overlapped;
} MESSAGE;

static ULONG Failed;
static MESSAGE Messages[2];

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static HRESULT Get(HANDLE Port, MESSAGE *Message)
{
    return FilterGetMessage(Port, &Message->Header, FIELD_OFFSET(MESSAGE, Overlapped), &Message->Overlapped);
}

static void CheckTalk(HANDLE Port, HANDLE Completion)
{
    struct {
        FILTER_REPLY_HEADER Header;
        CHAR Text[6];
    } Reply = {.Text = "answer"};
    MESSAGE *Message = NULL;
    IO_STATUS_BLOCK IoStatus;
    CHAR Output[16];
    ULONG Returned = 0;
    PVOID Key = NULL;

    Check(Get(Port, &Messages[0]) == PENDING && Get(Port, &Messages[1]) == PENDING, "two are waited for");
    Check(FilterSendMessage(Port, (PVOID) "go", 2, NULL, 0, &Returned) == S_OK && Returned == 0, "the filter is told");
    Check(NtRemoveIoCompletion(Completion, &Key, (PVOID *)&Message, &IoStatus, NULL) == STATUS_SUCCESS &&
              Key == (PVOID)0x5EED,
          "its message comes by the completion port");
    if (Message == NULL)
        return;
    Message = CONTAINING_RECORD(Message, MESSAGE, Overlapped);
    Check(Message == &Messages[0], "to who waited first");
    Check(Message->Header.ReplyLength != 0 && memcmp(Message->Text, "question", 8) == 0 && IoStatus.Status == 0 &&
              Message->Overlapped.Internal == 0 && Message->Overlapped.InternalHigh == IoStatus.Information,
          "and it is the filter's");
    Reply.Header.Status = STATUS_SUCCESS;
    Reply.Header.MessageId = Message->Header.MessageId;
    Check(FilterReplyMessage(Port, &Reply.Header, sizeof(Reply.Header) + 6) == S_OK, "it is answered");
    Check(FilterReplyMessage(Port, &Reply.Header, sizeof(Reply.Header) + 6) == ERROR_FLT_NO_WAITER_FOR_REPLY, "once");
    Check(FilterSendMessage(Port, (PVOID) "what", 4, Output, 2, &Returned) ==
              HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER),
          "the filter's error");
    Check(FilterSendMessage(Port, (PVOID) "what", 4, Output, sizeof(Output), &Returned) == S_OK && Returned == 6 &&
              memcmp(Output, "answer", 6) == 0,
          "the filter has the answer");
}

NTSTATUS Main(PVOID Peb)
{
    FILE_COMPLETION_INFORMATION Information;
    HANDLE Port = NULL, Second, Completion;
    IO_STATUS_BLOCK IoStatus;
    PVOID Key, Context = NULL;

    Check(FilterConnectCommunicationPort(L"\\Nobody", 0, NULL, 0, NULL, &Port) == HRESULT_FROM_WIN32(2),
          "nobody listens");
    Check(FilterConnectCommunicationPort(L"\\ProgramPort", 8, NULL, 0, NULL, &Port) == HRESULT_FROM_WIN32(87),
          "options");
    Check(FilterConnectCommunicationPort(L"\\ProgramPort", 0, "hello", 5, NULL, &Port) == S_OK, "a connection");
    Check(FilterConnectCommunicationPort(L"\\ProgramPort", 0, "hello", 5, NULL, &Second) == HRESULT_FROM_WIN32(1238),
          "the only one");
    Check(NtCreateIoCompletion(&Completion, 0x1F0003, NULL, 0) == STATUS_SUCCESS, "a completion port");
    Information.Port = Completion;
    Information.Key = (PVOID)0x5EED;
    Check(NtSetInformationFile(Port, &IoStatus, &Information, sizeof(Information), FileCompletionInformation) ==
              STATUS_SUCCESS,
          "for the connection");
    CheckTalk(Port, Completion);
    /* The other one is still waited for when the connection ends. */
    Check(NtClose(Port) == STATUS_SUCCESS, "closed");
    Check(NtRemoveIoCompletion(Completion, &Key, &Context, &IoStatus, NULL) == STATUS_SUCCESS &&
              Context == &Messages[1].Overlapped && !NT_SUCCESS(IoStatus.Status),
          "and who waited is told");
    NtClose(Completion);
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}

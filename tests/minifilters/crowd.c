/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that does to files whatever there is to do, CALLS times in each of THREADS threads, chosen by SEED: opens of all kinds, reads,
 * writes, views, names, links, deletion, streams, extended attributes, locks, oplocks, controls, directories, descriptors, and
 * messages to the filters' ports.  Its threads share their handles, so that one is closed while another uses it.  What comes of a
 * call is nobody's concern here; each says now and then how many it has made.  One more thread answers oplocks that break and
 * the content scanner, or does not.
 */
#include "crowdfiles.h"

/* What the service's thread gets of the filter that this program is connected to, and what it says. */
typedef struct _MESSAGE {
    FILTER_MESSAGE_HEADER Header;
    UCHAR Bytes[2048];
} MESSAGE;

static HANDLE Port;
static MESSAGE Message;
static OVERLAPPED Overlapped;
static BOOLEAN Getting;

static VOID Sleep(ULONG Microseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -10LL * Microseconds};

    NtDelayExecution(FALSE, &Time);
}

/* Connects to a filter, sends it what it may understand or what it may not, or disconnects. */
static NTSTATUS DoPort(WORKER *W)
{
    static const WCHAR *const Ports[] = {L"\\OplogPort", L"\\HsmPort", L"\\ScanPort", L"\\NobodysPort"};
    ULONG Length, Returned = 0;
    HANDLE New = NULL;
    HRESULT Result;

    if (Port == NULL || Any(W, 12) == 0) {
        Result = FilterConnectCommunicationPort(ONE_OF(W, Ports), 0, W->Room, (USHORT)Any(W, 200), NULL, &New);
        if (SUCCEEDED(Result)) {
            New = InterlockedExchangePointer(&Port, New);
            if (New != NULL)
                NtClose(New);
        }
        return Result;
    }
    switch (Any(W, 3)) {
    case 0: /* a file for the HSM filter to send away */
        Length = MakePath(W, TRUE);
        RtlCopyMemory(W->Room, W->Path, Length);
        break;
    case 1: /* a command of the logger's */
        Length = 8;
        *(PULONG64)W->Room = Any(W, 4);
        break;
    default:
        Length = Any(W, 300);
        Fill(W, W->Room, Length);
        break;
    }
    return FilterSendMessage(Port, W->Room, Length, W->Room + 2048, LengthOf(W) / 2, &Returned);
}

/* Each as often as it stands here. */
static NTSTATUS (*const Ways[])(WORKER *W) = {
    DoCreate,  DoCreate, DoCreate, DoCreate,    DoCreate, DoCreate, DoClose,  DoRead,     DoRead, DoRead,   DoRead,
    DoWrite,   DoWrite,  DoWrite,  DoWrite,     DoMap,    DoMap,    DoMap,    DoName,     DoName, DoDelete, DoSize,
    DoSet,     DoQuery,  DoQuery,  DoQueryName, DoVolume, DoEa,     DoEa,     DoSecurity, DoLock, DoLock,   DoControl,
    DoControl, DoOplock, DoList,   DoList,      DoList,   DoFlush,  DoCancel, DoPort,     DoPort,
};

static VOID Work(WORKER *W)
{
    NTSTATUS Status;

    W->State = (SEED * 64ull + W->Number) * 0x9E3779B97F4A7C15ull + 1;
    for (ULONG Count = 0; Count < 8; Count++)
        Random(W);
    while (W->Made < CALLS) {
        Status = ONE_OF(W, Ways)(W);
        W->Good += NT_SUCCESS(Status);
        if (++W->Made % 250 == 0 || W->Made == CALLS)
            DbgPrint("crowd %u.%u: %u calls, %u succeeded\n", SEED, W->Number, W->Made, W->Good);
    }
}

/* The answer to a message: mostly what the content scanner wants, else something. */
static VOID Answer(WORKER *W)
{
    struct {
        FILTER_REPLY_HEADER Header;
        UCHAR Bytes[16];
    } Reply = {.Header.MessageId = Message.Header.MessageId};
    ULONG Kind = Any(W, 20);

    if (Kind == 0)
        return;
    if (Kind == 1)
        Reply.Header.MessageId += 1 + Any(W, 3);
    if (Kind == 2)
        Reply.Header.Status = STATUS_UNSUCCESSFUL;
    Reply.Bytes[0] = Kind > 4;
    FilterReplyMessage(Port, &Reply.Header, sizeof(Reply.Header) + (Kind == 3 ? Any(W, 17) : 1));
}

/* Of the service's thread: what it has waited for, and waits for anew. */
static VOID Serve(WORKER *W)
{
    static IO_STATUS_BLOCK IoStatus; /* an acknowledgement may stay under way */
    LARGE_INTEGER Moment = {.QuadPart = 0};

    for (ULONG Index = 0; Index < THREADS * SLOTS; Index++) {
        SLOT *Slot = &Workers[Index / SLOTS].Slots[Index % SLOTS];

        if (!Slot->Busy || !Slot->Oplock || NtWaitForSingleObject(Slot->Event, FALSE, &Moment) != STATUS_SUCCESS)
            continue;
        if (Any(W, 3) == 0)
            for (ULONG Open = 0; Open < OPENS; Open++) {
                if (Opens[Open].File == Slot->File)
                    Close(&Opens[Open]);
            }
        else
            NtFsControlFile(Slot->File, NULL, NULL, NULL, &IoStatus,
                            Any(W, 2) ? FSCTL_OPLOCK_BREAK_ACKNOWLEDGE : FSCTL_OPLOCK_BREAK_ACK_NO_2, NULL, 0, NULL, 0);
        Slot->Oplock = FALSE;
    }
    if (Getting && NtWaitForSingleObject(Overlapped.hEvent, FALSE, &Moment) == STATUS_SUCCESS) {
        Getting = FALSE;
        if (NT_SUCCESS((NTSTATUS)Overlapped.Internal))
            Answer(W);
    }
    if (!Getting && Port != NULL)
        Getting = FilterGetMessage(Port, &Message.Header, Any(W, 20) ? sizeof(Message) : sizeof(Message.Header) + 1,
                                   &Overlapped) == HRESULT_FROM_WIN32(ERROR_IO_PENDING);
}

static NTSTATUS Attend(PVOID Argument)
{
    static WORKER Own;

    UNREFERENCED_PARAMETER(Argument);
    Own.State = SEED * 0x2545F4914F6CDD1Dull + 1;
    NtCreateEvent(&Overlapped.hEvent, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    for (;;) {
        Serve(&Own);
        Sleep(500);
    }
}

static NTSTATUS Start(PVOID Argument)
{
    Work(Argument);
    return STATUS_SUCCESS;
}

NTSTATUS Main(PVOID Peb)
{
    HANDLE Others[THREADS], Thread;

    UNREFERENCED_PARAMETER(Peb);
    RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, Attend, NULL, &Thread, NULL);
    for (ULONG Index = 0; Index < THREADS; Index++) {
        Workers[Index].Number = Index;
        if (Index > 0)
            RtlCreateUserThread(SELF, NULL, FALSE, 0, 0, 0, Start, &Workers[Index], &Others[Index], NULL);
    }
    Work(&Workers[0]);
    for (ULONG Index = 1; Index < THREADS; Index++)
        NtWaitForSingleObject(Others[Index], FALSE, NULL);
    return 0x600D;
}

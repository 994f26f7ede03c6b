// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion ports of a program.  Its status is 0x600D, or how many checks failed. */
#include <ntifs.h>

#define IO_COMPLETION_ALL_ACCESS (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)

typedef struct _FILE_IO_COMPLETION_INFORMATION {
    PVOID KeyContext;
    PVOID ApcContext;
    IO_STATUS_BLOCK IoStatusBlock;
} FILE_IO_COMPLETION_INFORMATION, *PFILE_IO_COMPLETION_INFORMATION;

NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE Port, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Threads);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE Port, PVOID Key, PVOID Context, NTSTATUS Status, ULONG_PTR Bytes);
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE Port, ULONG Class, PVOID Buffer, ULONG Length, PULONG Returned);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Port, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Block,
                                    PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE Port, PFILE_IO_COMPLETION_INFORMATION Packets, ULONG Count, PULONG Removed,
                                      PLARGE_INTEGER Timeout, BOOLEAN Alertable);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI NtQueueApcThread(HANDLE Thread, PVOID Routine, PVOID One, PVOID Two, PVOID Three);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PVOID Start, PVOID Argument, PHANDLE Thread,
                                   PVOID ClientId);
NTSTATUS Main(PVOID Peb);

#define BLOCK 4096

static ULONG Failed;
static LARGE_INTEGER None = {.QuadPart = 0}, Short = {.QuadPart = -10000 * 5};
static UCHAR Buffers[4][BLOCK] __attribute__((aligned(BLOCK)));
static volatile NTSTATUS ThreadStatus;
static volatile PVOID ThreadKey;
static volatile ULONG Apcs;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static PVOID Wild(ULONG Which)
{
    static const ULONG64 Places[] = {8, 0x7FFFFFFEFFFC, 0xFFFFF80000200000, 0xFFFF900000000000, 0x8000000000000000};

    return (PVOID)Places[Which];
}
#define WILD 5

static HANDLE MakePort(void)
{
    HANDLE Port = NULL;

    Check(NtCreateIoCompletion(&Port, IO_COMPLETION_ALL_ACCESS, NULL, 0) == STATUS_SUCCESS, "a port");
    return Port;
}

static LONG DepthOf(HANDLE Port)
{
    LONG Depth = -1;
    ULONG Length = 0;

    Check(NtQueryIoCompletion(Port, 0, &Depth, sizeof(Depth), &Length) == STATUS_SUCCESS && Length == sizeof(Depth),
          "its depth");
    return Depth;
}

static void CheckPosted(void)
{
    FILE_IO_COMPLETION_INFORMATION Packets[8];
    HANDLE Port = MakePort();
    IO_STATUS_BLOCK Block;
    PVOID Key, Context;
    ULONG Count = 77;
    LONG Depth;

    Check(NtRemoveIoCompletion(Port, &Key, &Context, &Block, &None) == STATUS_TIMEOUT, "nothing is there");
    Check(NtRemoveIoCompletion(Port, &Key, &Context, &Block, &Short) == STATUS_TIMEOUT, "nothing comes");
    for (ULONG_PTR Number = 1; Number <= 5; Number++)
        Check(NtSetIoCompletion(Port, (PVOID)Number, (PVOID)(Number * 10), (NTSTATUS)Number, Number * 100) == 0,
              "post");
    Check(DepthOf(Port) == 5, "five packets");
    Check(NtRemoveIoCompletion(Port, &Key, &Context, &Block, NULL) == STATUS_SUCCESS && Key == (PVOID)1 &&
              Context == (PVOID)10 && Block.Status == 1 && Block.Information == 100,
          "the first is first");
    Check(NtRemoveIoCompletionEx(Port, Packets, 3, &Count, &None, FALSE) == STATUS_SUCCESS && Count == 3 &&
              Packets[0].KeyContext == (PVOID)2 && Packets[2].KeyContext == (PVOID)4 &&
              Packets[2].IoStatusBlock.Information == 400,
          "three at once");
    Check(NtRemoveIoCompletionEx(Port, Packets, 8, &Count, NULL, FALSE) == STATUS_SUCCESS && Count == 1,
          "as many as there are");
    Check(NtRemoveIoCompletionEx(Port, Packets, 8, &Count, &None, FALSE) == STATUS_TIMEOUT && Count == 0, "none");
    Check(NtRemoveIoCompletionEx(Port, Packets, 0, &Count, &None, FALSE) == STATUS_INVALID_PARAMETER, "for no packet");
    Check(NtQueryIoCompletion(Port, 1, &Depth, sizeof(Depth), NULL) == STATUS_INVALID_INFO_CLASS &&
              NtQueryIoCompletion(Port, 0, &Depth, 8, NULL) == STATUS_INFO_LENGTH_MISMATCH,
          "what cannot be asked");
    NtSetIoCompletion(Port, NULL, NULL, 0, 0);
    for (ULONG Which = 0; Which < WILD; Which++) {
        PVOID Bad = Wild(Which);

        Check(NtCreateIoCompletion(Bad, IO_COMPLETION_ALL_ACCESS, NULL, 0) == STATUS_ACCESS_VIOLATION, "handle");
        Check(NtRemoveIoCompletion(Port, Bad, &Context, &Block, &None) == STATUS_ACCESS_VIOLATION, "key");
        Check(NtRemoveIoCompletion(Port, &Key, Bad, &Block, &None) == STATUS_ACCESS_VIOLATION, "context");
        Check(NtRemoveIoCompletion(Port, &Key, &Context, Bad, &None) == STATUS_ACCESS_VIOLATION, "block");
        Check(NtRemoveIoCompletion(Port, &Key, &Context, &Block, Bad) == STATUS_ACCESS_VIOLATION, "time-out");
        Check(NtRemoveIoCompletionEx(Port, Bad, 1, &Count, &None, FALSE) == STATUS_ACCESS_VIOLATION, "packets");
        Check(NtRemoveIoCompletionEx(Port, Packets, 1, Bad, &None, FALSE) == STATUS_ACCESS_VIOLATION, "count");
        Check(NtQueryIoCompletion(Port, 0, Bad, 4, NULL) == STATUS_ACCESS_VIOLATION, "buffer");
    }
    Check(!NT_SUCCESS(NtSetIoCompletion(NULL, NULL, NULL, 0, 0)), "no port");
    Check(NtClose(Port) == STATUS_SUCCESS, "closed with a packet in it");
}

static HANDLE OpenVolume(ULONG Options)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Block;
    HANDLE File = NULL;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Check(NtCreateFile(&File, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Block, NULL, 0,
                       FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0) == STATUS_SUCCESS,
          "the volume is opened");
    return File;
}

static NTSTATUS Associate(HANDLE File, HANDLE Port, PVOID Key)
{
    FILE_COMPLETION_INFORMATION Completion = {Port, Key};
    IO_STATUS_BLOCK Block;

    return NtSetInformationFile(File, &Block, &Completion, sizeof(Completion), FileCompletionInformation);
}

static NTSTATUS Read(HANDLE File, ULONG Number, PVOID Context, PIO_STATUS_BLOCK Block)
{
    LARGE_INTEGER Offset = {.QuadPart = (LONG64)Number * BLOCK};

    return NtReadFile(File, NULL, NULL, Context, Block, Buffers[Number], BLOCK, &Offset, NULL);
}

/* Overlapped I/O on a file that has a port. */
static void CheckFiles(void)
{
    HANDLE Port = MakePort(), File = OpenVolume(0), Synchronous = OpenVolume(FILE_SYNCHRONOUS_IO_NONALERT);
    FILE_IO_COMPLETION_INFORMATION Packets[4];
    IO_STATUS_BLOCK Blocks[4], Told;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    ULONG Seen = 0, Count;
    PVOID Key, Context;
    NTSTATUS Status;

    Check(Associate(Synchronous, Port, NULL) == STATUS_INVALID_PARAMETER, "a synchronous file takes no port");
    Check(!NT_SUCCESS(Associate(File, File, NULL)), "a file is no port");
    Check(Associate(File, Port, (PVOID)0x5EED) == STATUS_SUCCESS, "a file and its port");
    Check(Associate(File, Port, (PVOID)1) == STATUS_INVALID_PARAMETER, "it has one");
    Check(NtReadFile(File, NULL, (PIO_APC_ROUTINE)(PVOID)CheckPosted, NULL, &Told, Buffers[0], BLOCK, &Offset, NULL) ==
              STATUS_INVALID_PARAMETER,
          "an APC besides");
    for (ULONG Number = 0; Number < 4; Number++) {
        Status = Read(File, Number, &Blocks[Number], &Blocks[Number]);
        Check(Status == STATUS_SUCCESS || Status == STATUS_PENDING, "a read begins");
    }
    while (Seen != 0xF) {
        Status = NtRemoveIoCompletionEx(Port, Packets, 4, &Count, NULL, FALSE);
        if (Status != STATUS_SUCCESS)
            break;
        for (ULONG Index = 0; Index < Count; Index++) {
            ULONG_PTR Which = (PIO_STATUS_BLOCK)Packets[Index].ApcContext - Blocks;

            Check(Which < 4 && !(Seen & 1u << Which) && Packets[Index].KeyContext == (PVOID)0x5EED &&
                      Packets[Index].IoStatusBlock.Status == STATUS_SUCCESS &&
                      Packets[Index].IoStatusBlock.Information == BLOCK && Blocks[Which].Information == BLOCK,
                  "one of the reads");
            Seen |= 1u << Which;
        }
    }
    Check(Seen == 0xF && DepthOf(Port) == 0, "each once");
    Status = Read(File, 0, NULL, &Told);
    if (Status == STATUS_PENDING)
        NtWaitForSingleObject(File, FALSE, NULL);
    Check(DepthOf(Port) == 0, "without a context nobody is told");
    /* What fails at once is told by the call itself. */
    Offset.QuadPart = -5;
    Check(NtReadFile(File, NULL, NULL, &Told, &Told, Buffers[0], BLOCK, &Offset, NULL) == STATUS_INVALID_PARAMETER &&
              DepthOf(Port) == 0,
          "a read that is refused");
    /* The port lives as long as the file has it; what is told of a closed one goes with it. */
    Check(NtClose(Port) == STATUS_SUCCESS, "the port is closed");
    Status = Read(File, 1, &Told, &Told);
    if (Status == STATUS_PENDING)
        NtWaitForSingleObject(File, FALSE, NULL);
    Check(NtRemoveIoCompletion(Port, &Key, &Context, &Told, &None) == STATUS_INVALID_HANDLE, "its handle is gone");
    NtClose(File);
    NtClose(Synchronous);
}

static NTSTATUS Taker(PVOID Port)
{
    IO_STATUS_BLOCK Block;
    PVOID Key = NULL, Context;

    ThreadStatus = NtRemoveIoCompletion(Port, &Key, &Context, &Block, NULL);
    ThreadKey = Key;
    return STATUS_SUCCESS;
}

static NTSTATUS AlertableTaker(PVOID Port)
{
    FILE_IO_COMPLETION_INFORMATION Packet;
    ULONG Count = 9;

    ThreadStatus = NtRemoveIoCompletionEx(Port, &Packet, 1, &Count, NULL, TRUE);
    ThreadKey = (PVOID)(ULONG_PTR)Count;
    return STATUS_SUCCESS;
}

static VOID NTAPI Apc(PVOID One, PVOID Two, PVOID Three)
{
    Apcs++;
}

static HANDLE Begin(PVOID Start, HANDLE Port)
{
    HANDLE Thread = NULL;

    ThreadStatus = 0x12345;
    Check(RtlCreateUserThread(ZwCurrentProcess(), NULL, FALSE, 0, 0, 0, Start, Port, &Thread, NULL) == STATUS_SUCCESS,
          "a thread");
    NtDelayExecution(FALSE, &Short);
    return Thread;
}

static void End(HANDLE Thread)
{
    Check(NtWaitForSingleObject(Thread, FALSE, NULL) == STATUS_SUCCESS, "it ends");
    NtClose(Thread);
}

static void CheckThreads(void)
{
    HANDLE Port = MakePort(), Thread = Begin(Taker, Port);

    Check(ThreadStatus == 0x12345, "it waits");
    NtSetIoCompletion(Port, (PVOID)42, NULL, 0, 0);
    End(Thread);
    Check(ThreadStatus == STATUS_SUCCESS && ThreadKey == (PVOID)42, "and is given the packet");
    Thread = Begin(AlertableTaker, Port);
    Check(NtQueueApcThread(Thread, Apc, NULL, NULL, NULL) == STATUS_SUCCESS, "an APC");
    End(Thread);
    Check(ThreadStatus == STATUS_USER_APC && Apcs == 1 && ThreadKey == NULL, "ends an alertable wait");
    Thread = Begin(Taker, Port);
    NtQueueApcThread(Thread, Apc, NULL, NULL, NULL);
    NtDelayExecution(FALSE, &Short);
    Check(ThreadStatus == 0x12345, "and no other");
    Check(NtClose(Port) == STATUS_SUCCESS, "the last handle is closed");
    End(Thread);
    Check(ThreadStatus == (NTSTATUS)STATUS_ABANDONED, "who waits is told");
}

NTSTATUS Main(PVOID Peb)
{
    CheckPosted();
    CheckFiles();
    CheckThreads();
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}

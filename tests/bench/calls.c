// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures system calls in guest instructions, from user mode.  With -DECHO it is the other process of the measured switches: it
 * answers each event with another.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtSetEvent(HANDLE Event, PLONG Previous);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtQueueApcThread(HANDLE Thread, PVOID Routine, PVOID One, PVOID Two, PVOID Three);
NTSTATUS NTAPI NtTestAlert(VOID);
NTSTATUS Main(PVOID Peb);

#define ROUNDS 100

static ULONG Apcs;

/* What ROUNDS of the statement take, each; a round before warms up. */
#define MEASURE(Result, Statement)                                                                                     \
    do {                                                                                                               \
        ULONG64 Before;                                                                                                \
                                                                                                                       \
        Statement;                                                                                                     \
        Before = __rdtsc();                                                                                            \
        for (ULONG Round = 0; Round < ROUNDS; Round++) {                                                               \
            Statement;                                                                                                 \
        }                                                                                                              \
        (Result) = (__rdtsc() - Before) / ROUNDS;                                                                      \
    } while (0)

static HANDLE NamedEvent(PCWSTR Text)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;
    UNICODE_STRING Name = {12, 12, (PWCH)Text};

    InitializeObjectAttributes(&Attributes, &Name, OBJ_OPENIF, NULL, NULL);
    NtCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, SynchronizationEvent, FALSE);
    return Event;
}

static VOID NTAPI Apc(PVOID One, PVOID Two, PVOID Three)
{
    Apcs++;
}

static BOOLEAN OpenAndClose(VOID)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL,
                        0) == STATUS_SUCCESS &&
           NtClose(File) == STATUS_SUCCESS;
}

NTSTATUS Main(PVOID Peb)
{
    HANDLE Ping = NamedEvent(L"\\ping1"), Pong = NamedEvent(L"\\pong1"), Own = NamedEvent(L"\\mine1");
    ULONG64 Close, Volume, Alone, Queue, Delivered, Stay, Away;
    ULONG Good = 0;

    UNREFERENCED_PARAMETER(Peb);
#ifdef ECHO
    for (;;) {
        NtWaitForSingleObject(Ping, FALSE, NULL);
        NtSetEvent(Pong, NULL);
    }
#endif
    MEASURE(Close, Good += NtClose((HANDLE)0x7FFFFFFC) == STATUS_INVALID_HANDLE);
    MEASURE(Volume, Good += OpenAndClose());
    MEASURE(Alone, NtTestAlert());
    MEASURE(Delivered, NtQueueApcThread(NtCurrentThread(), (PVOID)Apc, NULL, NULL, NULL); NtTestAlert());
    Queue = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++)
        NtQueueApcThread(NtCurrentThread(), (PVOID)Apc, NULL, NULL, NULL);
    Queue = (__rdtsc() - Queue) / ROUNDS;
    NtTestAlert();
    /* The same calls, first of this process alone, then of the two by turns. */
    MEASURE(Stay, NtSetEvent(Own, NULL); NtWaitForSingleObject(Own, FALSE, NULL));
    MEASURE(Away, NtSetEvent(Ping, NULL); NtWaitForSingleObject(Pong, FALSE, NULL));
    if (Good != 2 * (ROUNDS + 1) || Apcs != 2 * ROUNDS + 1)
        return STATUS_UNSUCCESSFUL;
    DbgPrint("bench system-call %I64u\n", Close);
    DbgPrint("bench open-volume %I64u\n", Volume);
    DbgPrint("bench user-apc %I64u\n", Delivered - Queue - Alone);
    DbgPrint("bench process-switch %I64u\n", (Away - 2 * Stay) / 2);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd.h: what all of a program of the crowd (crowd.c) shares: chance, paths, handles, requests that are under way. */
#ifndef CROWD_H
#define CROWD_H

#include <fltUser.h>

NTSTATUS NTAPI NtCancelIoFileEx(HANDLE File, PIO_STATUS_BLOCK Which, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T Commit,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect);
NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE Apc, PVOID Context,
                                           PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length, ULONG Filter,
                                           BOOLEAN Tree);
NTSTATUS NTAPI NtQueryAttributesFile(POBJECT_ATTRIBUTES Attributes, PFILE_BASIC_INFORMATION Information);
NTSTATUS NTAPI NtQueryEaFile(HANDLE File, PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length, BOOLEAN Single,
                             PVOID List, ULONG ListLength, PULONG Index, BOOLEAN Restart);
NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES Attributes, PFILE_NETWORK_OPEN_INFORMATION Information);
NTSTATUS NTAPI NtSetEaFile(HANDLE File, PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PVOID Start, PVOID Argument, PHANDLE Thread,
                                   PVOID ClientId);
NTSTATUS Main(PVOID Peb);

#define SELF    ((HANDLE) - 1)
#define OPENS   10
#define SLOTS   6
#define LONGEST 0x18000 /* no file grows further by a write */

/* A request that may be under way when the call returns, with all that it needs until it is over. */
typedef struct _SLOT {
    HANDLE Event, File;
    IO_STATUS_BLOCK IoStatus;
    volatile BOOLEAN Busy, Oplock;
    UCHAR Buffer[4096] __attribute__((aligned(4096)));
} SLOT;

typedef struct _OPEN {
    HANDLE File;
    BOOLEAN Async;
} OPEN;

typedef struct _WORKER {
    ULONG64 State;
    ULONG Number, Made, Good;
    SLOT Slots[SLOTS];
    UCHAR Room[4096] __attribute__((aligned(4096)));
    WCHAR Path[400];
    PVOID View;
    SIZE_T ViewSize;
} WORKER;

static WORKER Workers[THREADS];
static OPEN Opens[OPENS];

static const WCHAR *const Folders[] = {L"",       L"From\\",   L"To\\Deep\\", L"Vault\\", L"Quota\\",
                                       L"Data\\", L"Backup\\", L"Store\\",    L"Real\\",  L"Data\\sub\\"};
static const WCHAR *const Names[] = {
    L"a.txt",   L"b.slow", L"c.exe",      L"d.doc", L"e.bin", L"Letter to somebody.txt",
    L"secret1", L"sub",    L"sub\\x.txt", L"",      L"f",     L"a.txt "};
static const WCHAR *const Streams[] = {L":one", L":two:$DATA", L"::$DATA", L":", L":$I30:$INDEX_ALLOCATION", L":x:y"};
static const ULONG Lengths[] = {0, 1, 4, 8, 24, 40, 56, 104, 512, 600, 2048, 4096};

static ULONG64 Random(WORKER *W)
{
    W->State ^= W->State << 13;
    W->State ^= W->State >> 7;
    W->State ^= W->State << 17;
    return W->State * 0x2545F4914F6CDD1Dull >> 16;
}

/* 0 to Limit - 1 */
static ULONG Any(WORKER *W, ULONG Limit)
{
    return (ULONG)(Random(W) % Limit);
}

#define ONE_OF(Worker, List) ((List)[Any(Worker, RTL_NUMBER_OF(List))])

/* A buffer's length: often enough. */
static ULONG LengthOf(WORKER *W)
{
    return Any(W, 2) ? 4096 : ONE_OF(W, Lengths);
}

static VOID Fill(WORKER *W, PVOID Buffer, ULONG Length)
{
    ULONG Kind = Any(W, 4);

    for (ULONG Index = 0; Index + 8 <= Length; Index += 8) {
        ULONG64 Value = Random(W);

        *(PULONG64)((PUCHAR)Buffer + Index) = Kind == 0 ? 0 : Kind == 1 ? Value & 0xFFF : Value >> (Value & 63);
    }
}

static USHORT Put(WORKER *W, USHORT Length, const WCHAR *Text)
{
    while (*Text != 0 && Length < RTL_NUMBER_OF(W->Path) - 1)
        W->Path[Length++] = *Text++;
    return Length;
}

/* A path by chance into W->Path, its length in bytes: of the volume, of one that is not there, or no path at all. */
static USHORT MakePath(WORKER *W, BOOLEAN Whole)
{
    USHORT Length = 0;
    ULONG Kind = Any(W, 100);

    if (Whole)
        Length = Put(W, 0, Kind == 0 ? L"\\Device\\HarddiskVolume9\\" : L"\\Device\\HarddiskVolume1\\");
    if (Kind == 1)
        return (USHORT)(Length * sizeof(WCHAR) - (Whole ? 2 : 0)); /* the volume */
    Length = Put(W, Length, ONE_OF(W, Folders));
    if (Kind > 1 && Kind < 6) {
        for (ULONG Count = Any(W, 280); Count > 0; Count--)
            W->Path[Length < RTL_NUMBER_OF(W->Path) - 1 ? Length++ : Length] = (WCHAR)(Kind == 2 ? Random(W) : L'n');
    } else {
        Length = Put(W, Length, ONE_OF(W, Names));
    }
    if (Kind > 85)
        Length = Put(W, Length, ONE_OF(W, Streams));
    if (Kind == 50)
        W->Path[Any(W, Length)] = L"*<\0/:\\\"|"[Any(W, 8)];
    return (USHORT)(Length * sizeof(WCHAR));
}

static OPEN *Pick(WORKER *W)
{
    for (ULONG Count = 0; Count < 4; Count++) {
        OPEN *Open = &ONE_OF(W, Opens);

        if (Open->File != NULL)
            return Open;
    }
    return &Opens[0];
}

static VOID Close(OPEN *Open)
{
    HANDLE File = InterlockedExchangePointer(&Open->File, NULL);

    if (File != NULL)
        NtClose(File);
}

/* A slot that nothing is under way in; what has been for long is cancelled, and waited for a moment. */
static SLOT *Take(WORKER *W)
{
    LARGE_INTEGER Moment = {.QuadPart = 0};

    for (ULONG Count = 0; Count < 2 * SLOTS; Count++) {
        SLOT *Slot = &W->Slots[(W->Made + Count) % SLOTS];
        IO_STATUS_BLOCK IoStatus;

        if (Slot->Event == NULL)
            NtCreateEvent(&Slot->Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
        if (!Slot->Busy || NtWaitForSingleObject(Slot->Event, FALSE, &Moment) == STATUS_SUCCESS) {
            Slot->Busy = Slot->Oplock = FALSE;
            return Slot;
        }
        if (Count == SLOTS - 1) {
            NtCancelIoFileEx(Slot->File, Any(W, 2) ? &Slot->IoStatus : NULL, &IoStatus);
            Moment.QuadPart = -20000;
        }
    }
    return NULL;
}

/* What became of a request: it is over, or waited for, or left. */
static NTSTATUS End(WORKER *W, SLOT *Slot, HANDLE File, NTSTATUS Status, BOOLEAN Oplock)
{
    LARGE_INTEGER Moment = {.QuadPart = -50000};

    if (Status != STATUS_PENDING)
        return Status;
    Slot->File = File;
    Slot->Busy = TRUE;
    Slot->Oplock = Oplock;
    if (!Oplock && Any(W, 4) != 0 && NtWaitForSingleObject(Slot->Event, FALSE, &Moment) == STATUS_SUCCESS) {
        Slot->Busy = FALSE;
        Status = Slot->IoStatus.Status;
    }
    return Status;
}

static ULONG MakeEas(WORKER *W, PUCHAR Buffer)
{
    PFILE_FULL_EA_INFORMATION Ea = (PVOID)Buffer;

    Ea->NextEntryOffset = 0;
    Ea->Flags = 0;
    Ea->EaNameLength = 4;
    Ea->EaValueLength = (USHORT)Any(W, 300);
    RtlCopyMemory(Ea->EaName, "EA__\0", 5);
    Ea->EaName[3] = (CHAR)('A' + Any(W, 4));
    return 13 + Ea->EaValueLength;
}

#endif

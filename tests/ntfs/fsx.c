// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files are read and written in every way at random, by the cache, past it, by views, cut and made longer, flushed and opened anew,
 * parts of them are made zeros, each by a thread, and are compared with what a buffer says they are.  With PROCESSES, a list of identifiers,
 * each thread is another process's; with FAILING what ends for want of memory, and only that, is done again.  See fsx.lua.
 */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

#define SIZE   0x80000u /* of a file, at most */
#define PIECE  0x14000u
#define FILES  4
#define SECTOR 512u

#ifndef STEPS
#define STEPS 1500
#endif
#ifndef FAILING
#define FAILING 0
#endif

typedef struct _FSX {
    WCHAR Name[64];
    PUCHAR Model, Buffer;
    ULONG End;
    HANDLE Cached, Direct;
    ULONG64 Seed;
    ULONG Steps, Again;
} FSX, *PFSX;

static BOOLEAN CheckAt(PFSX Fsx, BOOLEAN Holds, ULONG Line)
{
    if (!Holds)
        DbgPrint("fsx: line %u: the file has %u bytes\n", Line, Fsx->End);
    return Holds;
}

#define Check(Holds) CheckAt(Fsx, (Holds), __LINE__)

/* Is an operation to be done again?  A failing one waits a little: others are to have their failures, too. */
static BOOLEAN IsAgain(PFSX Fsx, NTSTATUS Status)
{
    LARGE_INTEGER Time = {.QuadPart = -10000};

    if (!FAILING || (Status != STATUS_INSUFFICIENT_RESOURCES && Status != STATUS_NO_MEMORY))
        return FALSE;
    Fsx->Again++;
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
    return TRUE;
}

/* The status of a call, once memory was enough. */
#define Call(Calling)                                                                                                  \
    ({                                                                                                                 \
        NTSTATUS Called;                                                                                               \
        do                                                                                                             \
            Called = (Calling);                                                                                        \
        while (IsAgain(Fsx, Called));                                                                                  \
        if (!NT_SUCCESS(Called))                                                                                       \
            DbgPrint("fsx: line %u: status 0x%08X\n", __LINE__, Called);                                               \
        Called;                                                                                                        \
    })

static ULONG Random(PFSX Fsx, ULONG Below)
{
    Fsx->Seed = Fsx->Seed * 6364136223846793005ull + 1442695040888963407ull;
    return (ULONG)((Fsx->Seed >> 33) % Below);
}

static NTSTATUS Open(PFSX Fsx, PHANDLE Handle, ULONG Disposition, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Result;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Fsx->Name);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Result, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, Disposition,
                        FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE | Options, NULL, 0);
}

static BOOLEAN OpenBoth(PFSX Fsx, ULONG Disposition)
{
    return Check(NT_SUCCESS(Call(Open(Fsx, &Fsx->Cached, Disposition, 0)))) &&
           Check(NT_SUCCESS(Call(Open(Fsx, &Fsx->Direct, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING))));
}

static VOID CloseBoth(PFSX Fsx)
{
    ZwClose(Fsx->Direct);
    ZwClose(Fsx->Cached);
}

/* Where, and how much: any of the file, and with Grow beyond it. */
static ULONG Place(PFSX Fsx, PULONG Length, BOOLEAN Grow, ULONG Align)
{
    ULONG Limit = Grow ? SIZE : Fsx->End;
    ULONG Offset = Limit == 0 ? 0 : Random(Fsx, Limit) / Align * Align;

    *Length = 1 + Random(Fsx, PIECE);
    if (Random(Fsx, 4) == 0)
        *Length = 1 + Random(Fsx, 200);
    *Length = (*Length + Align - 1) / Align * Align;
    if (Offset + *Length > Limit)
        *Length = Align == 1 ? Limit - Offset : (Limit - Offset + Align - 1) / Align * Align;
    return Offset;
}

static VOID Fill(PFSX Fsx, ULONG Length)
{
    UCHAR Byte = (UCHAR)Random(Fsx, 256);

    for (ULONG Index = 0; Index < Length; Index++)
        Fsx->Buffer[Index] = (UCHAR)(Byte + Index * 7 + (Index >> 8));
}

/* The model's end moves; what is new is zeros. */
static VOID MoveEnd(PFSX Fsx, ULONG New)
{
    if (New < Fsx->End)
        RtlZeroMemory(Fsx->Model + New, Fsx->End - New);
    Fsx->End = New;
}

static BOOLEAN Write(PFSX Fsx, HANDLE File, ULONG Align)
{
    IO_STATUS_BLOCK Result;
    LARGE_INTEGER At;
    ULONG Length, Offset = Place(Fsx, &Length, TRUE, Align);

    Fill(Fsx, Length);
    At.QuadPart = Offset;
    if (Length == 0)
        return TRUE;
    if (!Check(NT_SUCCESS(Call(ZwWriteFile(File, NULL, NULL, NULL, &Result, Fsx->Buffer, Length, &At, NULL))) &&
               Result.Information == Length))
        return FALSE;
    RtlCopyMemory(Fsx->Model + Offset, Fsx->Buffer, Length);
    if (Offset + Length > Fsx->End)
        MoveEnd(Fsx, Offset + Length);
    return TRUE;
}

static BOOLEAN Read(PFSX Fsx, HANDLE File, ULONG Align)
{
    IO_STATUS_BLOCK Result;
    LARGE_INTEGER At;
    ULONG Length, Offset = Place(Fsx, &Length, FALSE, Align);

    At.QuadPart = Offset;
    if (Length == 0)
        return TRUE;
    return Check(NT_SUCCESS(Call(ZwReadFile(File, NULL, NULL, NULL, &Result, Fsx->Buffer, Length, &At, NULL)))) &&
           Check(Result.Information == min(Length, Fsx->End - Offset)) &&
           Check(RtlCompareMemory(Fsx->Buffer, Fsx->Model + Offset, Result.Information) == Result.Information);
}

/* A page of a view that cannot be read is an exception. */
static NTSTATUS SameAsModel(PFSX Fsx, PUCHAR View, ULONG Start, SIZE_T Size, PBOOLEAN Same)
{
    __try {
        *Same = RtlCompareMemory(View, Fsx->Model + Start, Size) == Size;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS CopyToView(PUCHAR To, const UCHAR *From, ULONG Length)
{
    __try {
        RtlCopyMemory(To, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* By a view of some 64 KiB pieces, in this process. */
static BOOLEAN Map(PFSX Fsx, BOOLEAN Writing)
{
    LARGE_INTEGER Start = {.QuadPart = Fsx->End == 0 ? 0 : Random(Fsx, Fsx->End) & ~0xFFFFu};
    SIZE_T Size = min(Fsx->End - (ULONG)Start.QuadPart, 0x20000u);
    PUCHAR View = NULL;
    BOOLEAN Same = FALSE;
    NTSTATUS Status;
    HANDLE Section;

    if (Fsx->End == 0)
        return Check(ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT,
                                     Fsx->Cached) == STATUS_MAPPED_FILE_SIZE_ZERO);
    if (!Check(NT_SUCCESS(
            Call(ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, Fsx->Cached)))))
        return FALSE;
    if (!Check(NT_SUCCESS(Call(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&View, 0, 0, &Start, &Size,
                                                  ViewUnmap, 0, PAGE_READWRITE))))) {
        ZwClose(Section);
        return FALSE;
    }
    ZwClose(Section);
    Size = min(Size, Fsx->End - (ULONG)Start.QuadPart);
    while ((Status = SameAsModel(Fsx, View, (ULONG)Start.QuadPart, Size, &Same)) == STATUS_IN_PAGE_ERROR &&
           IsAgain(Fsx, STATUS_NO_MEMORY)) {
    }
    Same = Check(NT_SUCCESS(Status)) && Check(Same);
    if (Same && Writing) { /* whose pages are all there, or come again */
        ULONG From = Random(Fsx, (ULONG)Size), Length = 1 + Random(Fsx, (ULONG)Size - From);

        Fill(Fsx, Length);
        while ((Status = CopyToView(View + From, Fsx->Buffer, Length)) == STATUS_IN_PAGE_ERROR &&
               IsAgain(Fsx, STATUS_NO_MEMORY)) {
        }
        Same = Check(NT_SUCCESS(Status));
        RtlCopyMemory(Fsx->Model + Start.QuadPart + From, Fsx->Buffer, Length);
    }
    return Check(NT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), View))) && Same;
}

/* Some bytes become zeros, as far as the file goes. */
static BOOLEAN Zero(PFSX Fsx)
{
    FILE_ZERO_DATA_INFORMATION Range;
    IO_STATUS_BLOCK Result;
    ULONG Length, Offset = Place(Fsx, &Length, FALSE, 1);

    Range.FileOffset.QuadPart = Offset;
    Range.BeyondFinalZero.QuadPart = Offset + Length;
    if (!Check(NT_SUCCESS(Call(ZwFsControlFile(Fsx->Cached, NULL, NULL, NULL, &Result, FSCTL_SET_ZERO_DATA, &Range,
                                               sizeof(Range), NULL, 0)))))
        return FALSE;
    RtlZeroMemory(Fsx->Model + Offset, Length);
    return TRUE;
}

static BOOLEAN SetEnd(PFSX Fsx)
{
    FILE_END_OF_FILE_INFORMATION Information = {.EndOfFile.QuadPart = Random(Fsx, SIZE)};
    IO_STATUS_BLOCK Result;

    if (Random(Fsx, 3) == 0)
        Information.EndOfFile.QuadPart = Fsx->End - min(Fsx->End, Random(Fsx, 5000));
    if (!Check(NT_SUCCESS(Call(
            ZwSetInformationFile(Fsx->Cached, &Result, &Information, sizeof(Information), FileEndOfFileInformation)))))
        return FALSE;
    MoveEnd(Fsx, (ULONG)Information.EndOfFile.QuadPart);
    return TRUE;
}

static BOOLEAN Reopen(PFSX Fsx)
{
    CloseBoth(Fsx);
    return OpenBoth(Fsx, FILE_OPEN);
}

static BOOLEAN Flush(PFSX Fsx)
{
    IO_STATUS_BLOCK Result;

    return Check(NT_SUCCESS(Call(ZwFlushBuffersFile(Fsx->Cached, &Result))));
}

static BOOLEAN Pause(PFSX Fsx)
{
    LARGE_INTEGER Time = {.QuadPart = -(LONGLONG)Random(Fsx, 15000000)};

    KeDelayExecutionThread(KernelMode, FALSE, &Time); /* the lazy writer has its turn */
    return TRUE;
}

static BOOLEAN Step(PFSX Fsx)
{
    switch (Random(Fsx, 25)) {
    case 0: return SetEnd(Fsx);
    case 1: return Random(Fsx, 3) == 0 ? Reopen(Fsx) : Flush(Fsx);
    case 2: return Random(Fsx, 8) == 0 ? Pause(Fsx) : Flush(Fsx);
    case 3:
    case 4:
    case 5: return Map(Fsx, TRUE);
    case 6:
    case 7: return Map(Fsx, FALSE);
    case 8:
    case 9:
    case 10: return Write(Fsx, Fsx->Direct, SECTOR);
    case 11:
    case 12:
    case 13: return Read(Fsx, Fsx->Direct, SECTOR);
    case 14:
    case 15:
    case 16:
    case 17:
    case 18: return Write(Fsx, Fsx->Cached, 1);
    case 19: return Zero(Fsx);
    default: return Read(Fsx, Fsx->Cached, 1);
    }
}

static VOID Sum(PFSX Fsx)
{
    ULONG64 Hash = 0xCBF29CE484222325ull;

    for (ULONG Index = 0; Index < Fsx->End; Index++)
        Hash = (Hash ^ Fsx->Model[Index]) * 0x100000001B3ull;
    if (FAILING)
        DbgPrint("fsx: %ws: %u calls were made again\n", wcsrchr(Fsx->Name, L'\\') + 1, Fsx->Again);
    DbgPrint("fsx: %ws: %u steps of %u, %u bytes, %016I64X\n", wcsrchr(Fsx->Name, L'\\') + 1, Fsx->Steps, STEPS,
             Fsx->End, Hash);
}

static VOID NTAPI Run(PVOID Context)
{
    PFSX Fsx = Context;

    if (Check(Fsx->Model != NULL && Fsx->Buffer != NULL) && OpenBoth(Fsx, FILE_CREATE)) {
        while (Fsx->Steps < STEPS && Step(Fsx))
            Fsx->Steps++;
        CloseBoth(Fsx);
        Sum(Fsx);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* So much of memory is taken away that not all of the files' pages have room. */
#define LEFT   0x2D0000
#define CHUNK  0x10000
#define CHUNKS 0x1000

static PMDL Eaten[CHUNKS];

static VOID Eat(VOID)
{
    PHYSICAL_ADDRESS None = {.QuadPart = 0}, All = {.QuadPart = -1};
    ULONG Count = 0;

    while (Count < CHUNKS && (Eaten[Count] = MmAllocatePagesForMdlEx(None, All, None, CHUNK, MmCached,
                                                                     MM_ALLOCATE_FULLY_REQUIRED)) != NULL)
        Count++;
    for (ULONG Index = 0; Index < LEFT / CHUNK && Count > 0; Index++) {
        MmFreePagesFromMdl(Eaten[--Count]);
        ExFreePool(Eaten[Count]);
        Eaten[Count] = NULL;
    }
}

static VOID GiveBack(VOID)
{
    for (ULONG Index = 0; Index < CHUNKS && Eaten[Index] != NULL; Index++) {
        MmFreePagesFromMdl(Eaten[Index]);
        ExFreePool(Eaten[Index]);
    }
}

static BOOLEAN Prepare(PFSX Fsx, ULONG Index)
{
    wcscpy(Fsx->Name, L"\\Device\\HarddiskVolume1\\fsx0");
    Fsx->Name[wcslen(Fsx->Name) - 1] += (WCHAR)Index;
    Fsx->Seed = 0x5EED + Index;
    Fsx->Model = ExAllocatePoolZero(PagedPool, SIZE + SECTOR, 'xsfT');
    Fsx->Buffer = ExAllocatePoolZero(NonPagedPoolNx, PIECE + SECTOR + 0x20000, 'xsfT');
    return Fsx->Model != NULL && Fsx->Buffer != NULL;
}

#ifdef PROCESSES
static const ULONG Processes[FILES] = PROCESSES;

static HANDLE OpenProcess(ULONG Index)
{
    CLIENT_ID Id = {.UniqueProcess = (HANDLE)(ULONG_PTR)Processes[Index]};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Process = NULL;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwOpenProcess(&Process, PROCESS_ALL_ACCESS, &Attributes, &Id);
    return Process;
}
#else
static HANDLE OpenProcess(ULONG Index)
{
    UNREFERENCED_PARAMETER(Index);
    return NULL;
}
#endif

static HANDLE Start(PFSX Fsx, ULONG Index)
{
    HANDLE Process = OpenProcess(Index), Thread = NULL;

#ifdef PROCESSES
    if (!Check(Process != NULL))
        return NULL;
#endif
    Check(NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, Process, NULL, Run, Fsx)));
    if (Process != NULL)
        ZwClose(Process);
    return Thread;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static FSX Fsx[FILES];
    HANDLE Thread[FILES];

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Index = 0; Index < FILES; Index++) {
        if (!Prepare(&Fsx[Index], Index))
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    Eat();
    for (ULONG Index = 0; Index < FILES; Index++)
        Thread[Index] = Start(&Fsx[Index], Index);
    for (ULONG Index = 0; Index < FILES && Thread[Index] != NULL; Index++) {
        ZwWaitForSingleObject(Thread[Index], FALSE, NULL);
        ZwClose(Thread[Index]);
        ExFreePool(Fsx[Index].Model);
        ExFreePool(Fsx[Index].Buffer);
    }
    GiveBack();
    return STATUS_SUCCESS;
}

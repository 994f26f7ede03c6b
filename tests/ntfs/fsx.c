// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file is read and written in every way at random, by the cache, past it, by views, by MDLs, cut and made longer, flushed and
 * opened anew, and is compared with what a buffer says it is.  See fsx.lua.
 */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

#define SIZE   0x80000u /* of the file, at most */
#define PIECE  0x14000u
#define STEPS  4000
#define SECTOR 512u

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\fsx.dat");
static PUCHAR Model, Buffer;
static ULONG End;
static HANDLE Cached, Direct;
static ULONG64 Seed = 0x5EED;

static BOOLEAN CheckAt(BOOLEAN Holds, ULONG Line)
{
    if (!Holds)
        DbgPrint("fsx: line %u: the file has %u bytes\n", Line, End);
    return Holds;
}

#define Check(Holds) CheckAt((Holds), __LINE__)

static ULONG Random(ULONG Below)
{
    Seed = Seed * 6364136223846793005ull + 1442695040888963407ull;
    return (ULONG)((Seed >> 33) % Below);
}

static NTSTATUS Open(PHANDLE Handle, ULONG Disposition, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Result;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Result, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, Disposition,
                        FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE | Options, NULL, 0);
}

static BOOLEAN OpenBoth(ULONG Disposition)
{
    return Check(NT_SUCCESS(Open(&Cached, Disposition, 0))) &&
           Check(NT_SUCCESS(Open(&Direct, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING)));
}

static VOID CloseBoth(VOID)
{
    ZwClose(Direct);
    ZwClose(Cached);
}

/* Where, and how much: any of the file, and with Grow beyond it. */
static ULONG Place(PULONG Length, BOOLEAN Grow, ULONG Align)
{
    ULONG Limit = Grow ? SIZE : End;
    ULONG Offset = Limit == 0 ? 0 : Random(Limit) / Align * Align;

    *Length = 1 + Random(PIECE);
    if (Random(4) == 0)
        *Length = 1 + Random(200);
    *Length = (*Length + Align - 1) / Align * Align;
    if (Offset + *Length > Limit)
        *Length = Align == 1 ? Limit - Offset : (Limit - Offset + Align - 1) / Align * Align;
    return Offset;
}

static VOID Fill(ULONG Length)
{
    UCHAR Byte = (UCHAR)Random(256);

    for (ULONG Index = 0; Index < Length; Index++)
        Buffer[Index] = (UCHAR)(Byte + Index * 7 + (Index >> 8));
}

/* The model's end moves; what is new is zeros. */
static VOID MoveEnd(ULONG New)
{
    if (New < End)
        RtlZeroMemory(Model + New, End - New);
    End = New;
}

static BOOLEAN Write(HANDLE File, ULONG Align)
{
    IO_STATUS_BLOCK Result;
    LARGE_INTEGER At;
    ULONG Length, Offset = Place(&Length, TRUE, Align);

    Fill(Length);
    At.QuadPart = Offset;
    if (Length == 0)
        return TRUE;
    if (!Check(NT_SUCCESS(ZwWriteFile(File, NULL, NULL, NULL, &Result, Buffer, Length, &At, NULL)) &&
               Result.Information == Length))
        return FALSE;
    RtlCopyMemory(Model + Offset, Buffer, Length);
    if (Offset + Length > End)
        MoveEnd(Offset + Length);
    return TRUE;
}

static BOOLEAN Read(HANDLE File, ULONG Align)
{
    IO_STATUS_BLOCK Result;
    LARGE_INTEGER At;
    ULONG Length, Offset = Place(&Length, FALSE, Align);

    At.QuadPart = Offset;
    if (Length == 0)
        return TRUE;
    return Check(NT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Result, Buffer, Length, &At, NULL))) &&
           Check(Result.Information == min(Length, End - Offset)) &&
           Check(RtlCompareMemory(Buffer, Model + Offset, Result.Information) == Result.Information);
}

/* By a view of some 64 KiB pieces, in this process. */
static BOOLEAN Map(BOOLEAN Writing)
{
    LARGE_INTEGER Start = {.QuadPart = End == 0 ? 0 : Random(End) & ~0xFFFFu};
    SIZE_T Size = min(End - (ULONG)Start.QuadPart, 0x20000u);
    PUCHAR View = NULL;
    BOOLEAN Same;
    HANDLE Section;

    if (End == 0)
        return Check(ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, Cached) ==
                     STATUS_MAPPED_FILE_SIZE_ZERO);
    if (!Check(
            NT_SUCCESS(ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, Cached))))
        return FALSE;
    if (!Check(NT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&View, 0, 0, &Start, &Size,
                                             ViewUnmap, 0, PAGE_READWRITE)))) {
        ZwClose(Section);
        return FALSE;
    }
    ZwClose(Section);
    Size = min(Size, End - (ULONG)Start.QuadPart);
    Same = Check(RtlCompareMemory(View, Model + Start.QuadPart, Size) == Size);
    if (Writing) {
        ULONG From = Random((ULONG)Size), Length = 1 + Random((ULONG)Size - From);

        Fill(Length);
        RtlCopyMemory(View + From, Buffer, Length);
        RtlCopyMemory(Model + Start.QuadPart + From, Buffer, Length);
    }
    return Check(NT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), View))) && Same;
}

static BOOLEAN SetEnd(VOID)
{
    FILE_END_OF_FILE_INFORMATION Information = {.EndOfFile.QuadPart = Random(SIZE)};
    IO_STATUS_BLOCK Result;

    if (Random(3) == 0)
        Information.EndOfFile.QuadPart = End - min(End, Random(5000));
    if (!Check(NT_SUCCESS(
            ZwSetInformationFile(Cached, &Result, &Information, sizeof(Information), FileEndOfFileInformation))))
        return FALSE;
    MoveEnd((ULONG)Information.EndOfFile.QuadPart);
    return TRUE;
}

static BOOLEAN Reopen(VOID)
{
    CloseBoth();
    return OpenBoth(FILE_OPEN);
}

static BOOLEAN Flush(VOID)
{
    IO_STATUS_BLOCK Result;

    return Check(NT_SUCCESS(ZwFlushBuffersFile(Cached, &Result)));
}

static BOOLEAN Pause(VOID)
{
    LARGE_INTEGER Time = {.QuadPart = -(LONGLONG)Random(15000000)};

    KeDelayExecutionThread(KernelMode, FALSE, &Time); /* the lazy writer has its turn */
    return TRUE;
}

static BOOLEAN Step(VOID)
{
    switch (Random(24)) {
    case 0: return SetEnd();
    case 1: return Random(3) == 0 ? Reopen() : Flush();
    case 2: return Random(8) == 0 ? Pause() : Flush();
    case 3:
    case 4:
    case 5: return Map(TRUE);
    case 6:
    case 7: return Map(FALSE);
    case 8:
    case 9:
    case 10: return Write(Direct, SECTOR);
    case 11:
    case 12:
    case 13: return Read(Direct, SECTOR);
    case 14:
    case 15:
    case 16:
    case 17:
    case 18: return Write(Cached, 1);
    default: return Read(Cached, 1);
    }
}

static VOID Sum(VOID)
{
    ULONG64 Hash = 0xCBF29CE484222325ull;

    for (ULONG Index = 0; Index < End; Index++)
        Hash = (Hash ^ Model[Index]) * 0x100000001B3ull;
    DbgPrint("fsx: %u bytes, %016I64X\n", End, Hash);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Steps = 0;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    Model = ExAllocatePoolZero(PagedPool, SIZE + SECTOR, 'xsfT');
    Buffer = ExAllocatePoolZero(NonPagedPoolNx, SIZE, 'xsfT');
    if (Check(Model != NULL && Buffer != NULL) && OpenBoth(FILE_CREATE)) {
        while (Steps < STEPS && Step())
            Steps++;
        DbgPrint("fsx: %u steps of %u\n", Steps, STEPS);
        CloseBoth();
        Sum();
    }
    if (Model != NULL)
        ExFreePool(Model);
    if (Buffer != NULL)
        ExFreePool(Buffer);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures what a program does with files of NTFS, in guest instructions: in the folder "a", and of "many", which has 5,000.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T Commit,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);
NTSTATUS Main(PVOID Peb);

#define ROUNDS 64
#define PAGES  256 /* of the large file */
#define PIECE  (16 * 4096)

static WCHAR Path[64] = L"\\Device\\HarddiskVolume1\\x\\file-00";
static UCHAR Buffer[PIECE + 4096];
static ULONG Good, Wanted;

static VOID Name(PCWSTR Text, ULONG Number)
{
    ULONG At = 26;

    Path[24] = L'a';
    while (*Text != 0)
        Path[At++] = *Text++;
    Path[At++] = (WCHAR)(L'0' + Number / 10 % 10);
    Path[At++] = (WCHAR)(L'0' + Number % 10);
    Path[At] = 0;
}

static HANDLE Open(ULONG Disposition, ULONG Options)
{
    UNICODE_STRING String;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File = NULL;

    String.Buffer = Path;
    for (String.Length = 0; Path[String.Length / 2] != 0; String.Length += 2)
        ;
    String.MaximumLength = String.Length;
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Wanted++;
    Good += NtCreateFile(&File, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, Disposition, FILE_SYNCHRONOUS_IO_NONALERT | Options, NULL,
                         0) == STATUS_SUCCESS;
    return File;
}

static VOID Read(HANDLE File, LONGLONG At, ULONG Length)
{
    PUCHAR Aligned = (PUCHAR)(((ULONG_PTR)Buffer + 4095) & ~4095ull);
    LARGE_INTEGER Offset = {.QuadPart = At};
    IO_STATUS_BLOCK IoStatus;

    Wanted++;
    Good += NtReadFile(File, NULL, NULL, NULL, &IoStatus, Aligned, Length, &Offset, NULL) == STATUS_SUCCESS;
}

static VOID Write(HANDLE File, LONGLONG At, ULONG Length)
{
    LARGE_INTEGER Offset = {.QuadPart = At};
    IO_STATUS_BLOCK IoStatus;

    Wanted++;
    Good += NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, Length, &Offset, NULL) == STATUS_SUCCESS;
}

static VOID Tell(PCSTR What, ULONG64 Before, ULONG Count)
{
    DbgPrint("bench %s %I64u\n", What, (__rdtsc() - Before) / Count);
}

static VOID MeasureMapping(HANDLE File)
{
    HANDLE Section = NULL;
    PVOID Base = NULL;
    SIZE_T Size = 0;
    ULONG64 Before;
    ULONG Sum = 0;

    Wanted += 2;
    Good += NtCreateSection(&Section, SECTION_MAP_READ, NULL, NULL, PAGE_READONLY, SEC_COMMIT, File) == STATUS_SUCCESS;
    Good += NtMapViewOfSection(Section, NtCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READONLY) ==
            STATUS_SUCCESS;
    if (Base == NULL)
        return;
    Before = __rdtsc();
    for (ULONG Page = 0; Page < PAGES; Page++)
        Sum += ((volatile UCHAR *)Base)[Page * 4096];
    Tell("page-fault", Before, PAGES);
    Wanted++;
    Good += Sum != 0 && NtUnmapViewOfSection(NtCurrentProcess(), Base) == STATUS_SUCCESS;
    NtClose(Section);
}

static VOID MeasureListing(VOID)
{
    IO_STATUS_BLOCK IoStatus;
    ULONG64 Before;
    ULONG Entries = 0;
    HANDLE Folder;
    BOOLEAN First = TRUE;

    Name(L"", 0);
    RtlCopyMemory(Path + 24, L"many", 10);
    Folder = Open(FILE_OPEN, FILE_DIRECTORY_FILE);
    Before = __rdtsc();
    while (NtQueryDirectoryFile(Folder, NULL, NULL, NULL, &IoStatus, Buffer, PIECE, FileNamesInformation, FALSE, NULL,
                                First) == STATUS_SUCCESS) {
        PFILE_NAMES_INFORMATION Entry = (PVOID)Buffer;

        for (First = FALSE; Entry->NextEntryOffset != 0; Entry = (PVOID)((PUCHAR)Entry + Entry->NextEntryOffset))
            Entries++;
        Entries++;
    }
    Wanted++;
    Good += Entries >= 5000;
    Tell("enumerate", Before, Entries != 0 ? Entries : 1);
    NtClose(Folder);
}

NTSTATUS Main(PVOID Peb)
{
    ULONG64 Before;
    HANDLE File, Plain;

    UNREFERENCED_PARAMETER(Peb);
    RtlFillMemory(Buffer, sizeof(Buffer), 'x');
    Name(L"large-", 0);
    File = Open(FILE_CREATE, 0);
    Before = __rdtsc();
    for (ULONG Page = 0; Page < PAGES; Page += 16)
        Write(File, Page * 4096ll, PIECE);
    Tell("sequential-write", Before, PAGES);
    {
        IO_STATUS_BLOCK IoStatus;
        NtFlushBuffersFile(File, &IoStatus);
    }
    NtClose(File);
    NtClose(Open(FILE_OPEN, 0));
    Before = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++)
        NtClose(Open(FILE_OPEN, 0));
    Tell("file-open", Before, ROUNDS);
    File = Open(FILE_OPEN, 0);
    Read(File, 0, 4096);
    Before = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++)
        Read(File, 0, 4096);
    Tell("cached-read", Before, ROUNDS);
    Plain = Open(FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING);
    Read(Plain, 0, 4096);
    Before = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++)
        Read(Plain, Round * 4096ll, 4096);
    Tell("disk-read", Before, ROUNDS);
    Before = __rdtsc();
    for (ULONG Page = 0; Page < PAGES; Page += 16)
        Read(Plain, Page * 4096ll, PIECE);
    Tell("sequential-read", Before, PAGES);
    MeasureMapping(File);
    NtClose(Plain);
    NtClose(File);
    Before = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++) {
        Name(L"small-", Round);
        File = Open(FILE_CREATE, 0);
        Write(File, 0, 4096);
        NtClose(File);
    }
    Tell("small-file", Before, ROUNDS);
    MeasureListing();
    return Good == Wanted ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

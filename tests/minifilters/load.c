/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that works on the NTFS volume as programs do: files that are written, read back, renamed, listed and deleted,
 * in a folder of its own, \Load<WORKER>.  Its status is 0x600D, or the line that was not as it should be; FOLDER is another place,
 * TOLERANT takes that files it has just closed are busy.
 */
#include <ntifs.h>

#ifndef WORKER
#define WORKER 1
#endif
#ifndef ROUNDS
#define ROUNDS 8
#endif
#ifndef FOLDER
#define FOLDER L"\\Device\\HarddiskVolume1\\Load"
#endif

NTSTATUS NTAPI NtFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSTATUS Main(PVOID Peb);

static UCHAR Buffer[16384] __attribute__((aligned(4096)));
static UCHAR Back[16384] __attribute__((aligned(4096)));
static IO_STATUS_BLOCK IoStatus;

#define MUST(Condition)                                                                                                \
    do {                                                                                                               \
        if (!(Condition)) {                                                                                            \
            DbgPrint("load %u: line %u, status 0x%08X, information 0x%x\n", WORKER, __LINE__, IoStatus.Status,         \
                     (ULONG)IoStatus.Information);                                                                     \
            return __LINE__;                                                                                           \
        }                                                                                                              \
    } while (0)

static void Put(PWCH Text, PUSHORT Length, PCWSTR What)
{
    while (*What != 0)
        Text[(*Length)++] = *What++;
}

static void MakeName(PWCH Text, PUSHORT Length, PCWSTR Prefix, ULONG Number)
{
    *Length = 0;
    Put(Text, Length, FOLDER);
    Text[(*Length)++] = (WCHAR)(L'0' + WORKER);
    if (Prefix != NULL) {
        Put(Text, Length, L"\\");
        Put(Text, Length, Prefix);
        Text[(*Length)++] = (WCHAR)(L'0' + Number / 10 % 10);
        Text[(*Length)++] = (WCHAR)(L'0' + Number % 10);
        Put(Text, Length, L".txt");
    }
    *Length *= sizeof(WCHAR);
}

static NTSTATUS Open(PHANDLE File, PCWSTR Prefix, ULONG Number, ACCESS_MASK Access, ULONG Disposition, ULONG Options)
{
    static WCHAR Text[128];
    UNICODE_STRING Name = {0, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;

    MakeName(Text, &Name.Length, Prefix, Number);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    IoStatus.Status = NtCreateFile(File, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition,
                                   Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    return IoStatus.Status;
}

static void Fill(ULONG Seed, ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++)
        Buffer[Index] = (UCHAR)(Seed * 31 + Index * 7 + (Index >> 8));
}

static BOOLEAN Same(ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++)
        if (Buffer[Index] != Back[Index])
            return FALSE;
    return TRUE;
}

static NTSTATUS Transfer(BOOLEAN Write, HANDLE File, LONGLONG At, ULONG Length)
{
    LARGE_INTEGER Offset = {.QuadPart = At};

    RtlZeroMemory(Back, Write ? 0 : Length);
    return Write ? NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, Length, &Offset, NULL)
                 : NtReadFile(File, NULL, NULL, NULL, &IoStatus, Back, Length, &Offset, NULL);
}

static NTSTATUS Rename(HANDLE File, ULONG Number, PCWSTR Prefix)
{
    static UCHAR Space[512] __attribute__((aligned(8)));
    PFILE_RENAME_INFORMATION Information = (PVOID)Space;
    USHORT Length;

    RtlZeroMemory(Space, sizeof(Space));
    MakeName(Information->FileName, &Length, Prefix, Number);
    Information->ReplaceIfExists = TRUE;
    Information->FileNameLength = Length;
    return NtSetInformationFile(File, &IoStatus, Information, sizeof(Space), FileRenameInformation);
}

/* How many files the folder has, as an enumeration finds them. */
static ULONG Count(void)
{
    HANDLE Folder;
    ULONG Found = 0;

    if (Open(&Folder, NULL, 0, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE) != 0)
        return (ULONG)-1;
    while (NtQueryDirectoryFile(Folder, NULL, NULL, NULL, &IoStatus, Back, 1024, FileBothDirectoryInformation, FALSE,
                                NULL, FALSE) == 0) {
        PFILE_BOTH_DIR_INFORMATION Entry = (PVOID)Back;

        for (;;) {
            if (Entry->FileName[0] != L'.')
                Found++;
            if (Entry->NextEntryOffset == 0)
                break;
            Entry = (PVOID)((PUCHAR)Entry + Entry->NextEntryOffset);
        }
    }
    NtClose(Folder);
    return Found;
}

static NTSTATUS Round(ULONG Number)
{
    FILE_STANDARD_INFORMATION Standard;
    FILE_END_OF_FILE_INFORMATION End;
    ULONG Length = 700 + Number * 1111 % 12000;
    HANDLE File;

    /* Written, and read back by another handle. */
    MUST(Open(&File, L"file", Number, FILE_READ_DATA | FILE_WRITE_DATA | DELETE, FILE_OVERWRITE_IF, 0) == 0);
    Fill(Number, Length);
    MUST(Transfer(TRUE, File, 0, Length) == 0 && IoStatus.Information == Length);
    MUST(Transfer(FALSE, File, 0, sizeof(Back)) == 0 && IoStatus.Information == Length && Same(Length));
    if (Number % 3 == 0)
        MUST(NtFlushBuffersFile(File, &IoStatus) == 0);
    MUST(NtQueryInformationFile(File, &IoStatus, &Standard, sizeof(Standard), FileStandardInformation) == 0);
    MUST(Standard.EndOfFile.QuadPart == Length);
    MUST(NtClose(File) == 0);

    /* Past the cache, changed in the middle. */
    MUST(Open(&File, L"file", Number, FILE_READ_DATA | FILE_WRITE_DATA, FILE_OPEN, FILE_NO_INTERMEDIATE_BUFFERING) ==
         0);
    MUST(Transfer(FALSE, File, 0, sizeof(Back)) == 0 && IoStatus.Information == Length && Same(Length));
    Fill(Number + 1, 512);
    MUST(Transfer(TRUE, File, 0, 512) == 0 && IoStatus.Information == 512);
    MUST(NtClose(File) == 0);

    /* Through the cache again, cut, renamed. */
    MUST(Open(&File, L"file", Number, FILE_READ_DATA | FILE_WRITE_DATA | DELETE, FILE_OPEN, 0) == 0);
    MUST(Transfer(FALSE, File, 0, 512) == 0 && IoStatus.Information == 512 && Same(512));
    End.EndOfFile.QuadPart = 600;
    MUST(NtSetInformationFile(File, &IoStatus, &End, sizeof(End), FileEndOfFileInformation) == 0);
    MUST(Transfer(FALSE, File, 0, sizeof(Back)) == 0 && IoStatus.Information == 600 && Same(512));
    IoStatus.Status = Rename(File, Number, L"done");
    MUST(IoStatus.Status == 0);
    MUST(NtClose(File) == 0);
    MUST(Open(&File, L"file", Number, FILE_READ_DATA, FILE_OPEN, 0) == STATUS_OBJECT_NAME_NOT_FOUND);
    return 0;
}

static NTSTATUS Delete(ULONG Number)
{
    FILE_DISPOSITION_INFORMATION Disposition = {TRUE};
    HANDLE File;

    if (Number % 2 == 0) {
        MUST(Open(&File, L"done", Number, DELETE, FILE_OPEN, FILE_DELETE_ON_CLOSE) == 0);
    } else {
        MUST(Open(&File, L"done", Number, DELETE, FILE_OPEN, 0) == 0);
        MUST(NtSetInformationFile(File, &IoStatus, &Disposition, sizeof(Disposition), FileDispositionInformation) == 0);
    }
    MUST(NtClose(File) == 0);
    return 0;
}

NTSTATUS Main(PVOID Peb)
{
    NTSTATUS Status;
    HANDLE Folder;

    UNREFERENCED_PARAMETER(Peb);
    MUST(Open(&Folder, NULL, 0, FILE_LIST_DIRECTORY, FILE_OPEN_IF, FILE_DIRECTORY_FILE) == 0);
    MUST(NtClose(Folder) == 0);
    for (ULONG Number = 0; Number < ROUNDS; Number++) {
        Status = Round(Number);
        if (Status != 0)
            return Status;
    }
    MUST(Count() == ROUNDS);
    for (ULONG Number = 0; Number < ROUNDS; Number++) {
        Status = Delete(Number);
        if (Status != 0)
            return Status;
    }
    MUST(Count() == 0);
    return 0x600D;
}

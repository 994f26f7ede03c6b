/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that goes through a tree of files, as one of WORKERS that share it: it reads those that are its own and writes down the
 * hash, size and path of each, in \Sums<WORKER>, or with COPY makes the tree \Copy with a copy of each.  Its status is 0x600D, or the line
 * that was not as it should be.
 */
#include <ntifs.h>

#define VOLUME L"\\Device\\HarddiskVolume1\\"
#define PIECE  0x8000u
#define DEPTH  16

NTSTATUS Main(PVOID Peb);

typedef struct _FOLDER {
    HANDLE From, To;
    ULONG PathEnd; /* of its path, in `Path` */
    ULONG Next;    /* of its entries, in `Entries` */
    UCHAR Entries[4096] __attribute__((aligned(8)));
} FOLDER;

static FOLDER Folders[DEPTH];
static CHAR Path[8192], Line[8300], Sums[PIECE];
static UCHAR Buffer[PIECE] __attribute__((aligned(4096)));
static ULONG Files, SumsEnd;
static HANDLE SumsFile;
static IO_STATUS_BLOCK IoStatus;

#define MUST(Condition)                                                                                                \
    do {                                                                                                               \
        if (!(Condition)) {                                                                                            \
            DbgPrint("tree %u: line %u, status 0x%08X, information 0x%x, at %s\n", WORKER, __LINE__, IoStatus.Status,  \
                     (ULONG)IoStatus.Information, Path);                                                               \
            return __LINE__;                                                                                           \
        }                                                                                                              \
    } while (0)

#define DO(Step)                                                                                                       \
    do {                                                                                                               \
        NTSTATUS Done = (Step);                                                                                        \
        if (Done != 0)                                                                                                 \
            return Done;                                                                                               \
    } while (0)

static NTSTATUS Open(PHANDLE File, HANDLE Root, PUNICODE_STRING Name, ACCESS_MASK Access, ULONG Disposition,
                     ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE, Root, NULL);
    IoStatus.Status =
        NtCreateFile(File, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                     FILE_SHARE_READ | FILE_SHARE_WRITE, Disposition, Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    return IoStatus.Status;
}

/* A name in UTF-8 behind the path so far; returns where it ends. */
static ULONG PutName(ULONG At, PCWCH Name, ULONG Length)
{
    if (At != 0)
        Path[At++] = '/';
    for (ULONG Index = 0; Index < Length; Index++) {
        ULONG Unit = Name[Index];

        if (Unit >= 0xD800 && Unit < 0xDC00 && Index + 1 < Length)
            Unit = 0x10000 + ((Unit - 0xD800) << 10) + (Name[++Index] - 0xDC00u);
        if (Unit >= 0x10000) {
            Path[At++] = (CHAR)(0xF0 | Unit >> 18);
            Path[At++] = (CHAR)(0x80 | (Unit >> 12 & 0x3F));
        } else if (Unit >= 0x800) {
            Path[At++] = (CHAR)(0xE0 | Unit >> 12);
        }
        if (Unit >= 0x800)
            Path[At++] = (CHAR)(0x80 | (Unit >> 6 & 0x3F));
        else if (Unit >= 0x80)
            Path[At++] = (CHAR)(0xC0 | Unit >> 6);
        Path[At++] = (CHAR)(Unit >= 0x80 ? 0x80 | (Unit & 0x3F) : Unit);
    }
    Path[At] = 0;
    return At;
}

static NTSTATUS WriteSums(void)
{
    if (SumsEnd != 0)
        MUST(NtWriteFile(SumsFile, NULL, NULL, NULL, &IoStatus, Sums, SumsEnd, NULL, NULL) == 0 &&
             IoStatus.Information == SumsEnd);
    SumsEnd = 0;
    return 0;
}

static ULONG PutNumber(ULONG At, ULONG64 Value, ULONG Base, ULONG Digits)
{
    CHAR Text[24];
    ULONG Count = 0;

    do {
        Text[Count++] = "0123456789ABCDEF"[Value % Base];
        Value /= Base;
    } while (Value != 0 || Count < Digits);
    while (Count > 0)
        Line[At++] = Text[--Count];
    return At;
}

static NTSTATUS PutSum(ULONG64 Hash, ULONG64 Size)
{
    ULONG Length = PutNumber(0, Hash, 16, 16);

    Line[Length++] = ' ';
    Length = PutNumber(Length, Size, 10, 1);
    Line[Length++] = ' ';
    for (ULONG Index = 0; Path[Index] != 0; Index++)
        Line[Length++] = Path[Index];
    Line[Length++] = '\n';
    if (SumsEnd + Length > sizeof(Sums))
        DO(WriteSums());
    RtlCopyMemory(Sums + SumsEnd, Line, Length);
    SumsEnd += Length;
    return 0;
}

/* Every third file is read past the cache. */
static NTSTATUS DoFile(FOLDER *Folder, PUNICODE_STRING Name, ULONG64 Size)
{
    ULONG Options = FILE_NON_DIRECTORY_FILE | (Files % 3 == 0 ? FILE_NO_INTERMEDIATE_BUFFERING : 0);
    ULONG64 Hash = 0xCBF29CE484222325ull, At = 0;
    LARGE_INTEGER Place = {.QuadPart = 0};
    HANDLE From, To = NULL;
    NTSTATUS Status;

    MUST(Open(&From, Folder->From, Name, FILE_READ_DATA, FILE_OPEN, Options) == 0);
    if (Folder->To != NULL)
        MUST(Open(&To, Folder->To, Name, FILE_WRITE_DATA, FILE_CREATE, FILE_NON_DIRECTORY_FILE) == 0);
    while ((Status = NtReadFile(From, NULL, NULL, NULL, &IoStatus, Buffer, PIECE, &Place, NULL)) == 0) {
        ULONG Length = (ULONG)IoStatus.Information;

        MUST(Length != 0 && Length <= PIECE);
        for (ULONG Index = 0; To == NULL && Index < Length; Index++)
            Hash = (Hash ^ Buffer[Index]) * 0x100000001B3ull;
        if (To != NULL)
            MUST(NtWriteFile(To, NULL, NULL, NULL, &IoStatus, Buffer, Length, NULL, NULL) == 0 &&
                 IoStatus.Information == Length);
        At += Length;
        Place.QuadPart = (LONGLONG)(At + 511) & ~511ll; /* past the cache whole sectors are read */
    }
    MUST(Status == STATUS_END_OF_FILE && At == Size);
    MUST(NtClose(From) == 0);
    if (To != NULL)
        MUST(NtClose(To) == 0);
    return To != NULL ? 0 : PutSum(Hash, Size);
}

/* The next of a folder's entries; NULL with STATUS_NO_MORE_FILES at their end. */
static PFILE_DIRECTORY_INFORMATION NextEntry(FOLDER *Folder, PNTSTATUS Status)
{
    PFILE_DIRECTORY_INFORMATION Entry;

    *Status = 0;
    if (Folder->Next == (ULONG)-1) {
        *Status = NtQueryDirectoryFile(Folder->From, NULL, NULL, NULL, &IoStatus, Folder->Entries,
                                       sizeof(Folder->Entries), FileDirectoryInformation, FALSE, NULL, FALSE);
        if (*Status != 0)
            return NULL;
        Folder->Next = 0;
    }
    Entry = (PVOID)(Folder->Entries + Folder->Next);
    Folder->Next = Entry->NextEntryOffset == 0 ? (ULONG)-1 : Folder->Next + Entry->NextEntryOffset;
    return Entry;
}

static NTSTATUS Enter(ULONG Depth, PUNICODE_STRING Name)
{
    FOLDER *Folder = &Folders[Depth], *Above = &Folders[Depth - 1];

    MUST(Depth < DEPTH);
    Folder->Next = (ULONG)-1;
    Folder->To = NULL;
    MUST(Open(&Folder->From, Above->From, Name, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE) == 0);
    if (Above->To != NULL)
        MUST(Open(&Folder->To, Above->To, Name, FILE_LIST_DIRECTORY, FILE_OPEN_IF, FILE_DIRECTORY_FILE) == 0);
    return 0;
}

static NTSTATUS Walk(void)
{
    ULONG Depth = 0;

    for (;;) {
        FOLDER *Folder = &Folders[Depth];
        NTSTATUS Status;
        PFILE_DIRECTORY_INFORMATION Entry = NextEntry(Folder, &Status);
        UNICODE_STRING Name;
        ULONG End;

        if (Entry == NULL) {
            MUST(Status == STATUS_NO_MORE_FILES);
            MUST(NtClose(Folder->From) == 0);
            if (Folder->To != NULL)
                MUST(NtClose(Folder->To) == 0);
            if (Depth-- == 0)
                return 0;
            continue;
        }
        Name.Buffer = Entry->FileName;
        Name.Length = Name.MaximumLength = (USHORT)Entry->FileNameLength;
        if (Name.Length <= 4 && Name.Buffer[0] == L'.' && Name.Buffer[Name.Length / 2 - 1] == L'.')
            continue;
        End = PutName(Folder->PathEnd, Name.Buffer, Name.Length / sizeof(WCHAR));
        if ((Entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
            DO(Enter(++Depth, &Name));
            Folders[Depth].PathEnd = End;
        } else if (Files++ % WORKERS == WORKER) {
            DO(DoFile(Folder, &Name, (ULONG64)Entry->EndOfFile.QuadPart));
        }
    }
}

NTSTATUS Main(PVOID Peb)
{
    UNICODE_STRING Tree = RTL_CONSTANT_STRING(VOLUME L"Tree");
    WCHAR SumsText[] = VOLUME L"Sums0";
    UNICODE_STRING SumsName = {sizeof(SumsText) - sizeof(WCHAR), sizeof(SumsText), SumsText};

    UNREFERENCED_PARAMETER(Peb);
    Folders[0].Next = (ULONG)-1;
    MUST(Open(&Folders[0].From, NULL, &Tree, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE) == 0);
#ifdef COPY
    UNICODE_STRING Copy = RTL_CONSTANT_STRING(VOLUME L"Copy");

    MUST(Open(&Folders[0].To, NULL, &Copy, FILE_LIST_DIRECTORY, FILE_OPEN_IF, FILE_DIRECTORY_FILE) == 0);
    DO(Walk());
#else
    SumsText[sizeof(SumsText) / sizeof(WCHAR) - 2] += WORKER;
    MUST(Open(&SumsFile, NULL, &SumsName, FILE_WRITE_DATA, FILE_OVERWRITE_IF, FILE_NON_DIRECTORY_FILE) == 0);
    DO(Walk());
    DO(WriteSums());
    MUST(NtClose(SumsFile) == 0);
#endif
    return 0x600D;
}

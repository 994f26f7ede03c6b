/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowdfiles.h: what a program of the crowd (crowd.c) does to files; each returns what came of its call. */
#ifndef CROWDFILES_H
#define CROWDFILES_H

#include "crowd.h"

static NTSTATUS DoCreate(WORKER *W)
{
    static const ACCESS_MASK Accesses[] = {FILE_READ_DATA,       FILE_READ_DATA | FILE_WRITE_DATA | DELETE,
                                           FILE_GENERIC_WRITE,   DELETE,
                                           MAXIMUM_ALLOWED,      FILE_ALL_ACCESS,
                                           FILE_ALL_ACCESS,      FILE_ALL_ACCESS,
                                           FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
                                           FILE_ALL_ACCESS,      GENERIC_READ | GENERIC_EXECUTE,
                                           FILE_APPEND_DATA};
    static const ULONG Options[] = {0,
                                    0,
                                    0,
                                    FILE_DIRECTORY_FILE,
                                    FILE_NON_DIRECTORY_FILE,
                                    FILE_DELETE_ON_CLOSE,
                                    FILE_NO_INTERMEDIATE_BUFFERING,
                                    FILE_WRITE_THROUGH,
                                    FILE_OPEN_REPARSE_POINT,
                                    FILE_OPEN_FOR_BACKUP_INTENT,
                                    FILE_SEQUENTIAL_ONLY,
                                    FILE_COMPLETE_IF_OPLOCKED,
                                    FILE_OPEN_REQUIRING_OPLOCK,
                                    FILE_RESERVE_OPFILTER,
                                    FILE_NO_EA_KNOWLEDGE,
                                    FILE_OPEN_BY_FILE_ID,
                                    FILE_RANDOM_ACCESS};
    ULONG Kind = Any(W, 16), How = ONE_OF(W, Options) | (Kind == 0 ? ONE_OF(W, Options) : 0);
    OPEN *Open = &ONE_OF(W, Opens), *Root = Pick(W);
    BOOLEAN Relative = Kind == 1, Async = Any(W, 3) == 0;
    UNICODE_STRING Name = {.Buffer = W->Path};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    ULONG EaLength = Kind == 2 ? MakeEas(W, W->Room) : 0;
    LARGE_INTEGER Size = {.QuadPart = Any(W, 2) ? 0 : Any(W, 0x8000)};
    HANDLE File = NULL;
    NTSTATUS Status;

    Name.Length = Name.MaximumLength = MakePath(W, !Relative);
    if (FlagOn(How, FILE_OPEN_BY_FILE_ID)) {
        Relative = TRUE;
        *(PULONG64)W->Path = Any(W, 90);
        Name.Length = Name.MaximumLength = sizeof(ULONG64);
    }
    InitializeObjectAttributes(&Attributes, &Name, Any(W, 8) ? OBJ_CASE_INSENSITIVE : 0, Relative ? Root->File : NULL,
                               NULL);
    Status = NtCreateFile(&File, ONE_OF(W, Accesses) | (Async ? 0 : SYNCHRONIZE), &Attributes, &IoStatus, &Size,
                          Any(W, 6) ? FILE_ATTRIBUTE_NORMAL : (ULONG)Random(W) & 0x27, Any(W, 4) ? 7 : Any(W, 8),
                          Any(W, 2) ? FILE_OPEN_IF : Any(W, 6), How | (Async ? 0 : FILE_SYNCHRONOUS_IO_NONALERT),
                          EaLength ? W->Room : NULL, EaLength);
    if (NT_SUCCESS(Status)) {
        Close(Open);
        Open->Async = Async;
        File = InterlockedExchangePointer(&Open->File, File);
        if (File != NULL)
            NtClose(File);
    }
    return Status;
}

static NTSTATUS DoClose(WORKER *W)
{
    Close(Pick(W));
    return STATUS_SUCCESS;
}

static NTSTATUS DoTransfer(WORKER *W, BOOLEAN Write)
{
    OPEN *Open = Pick(W);
    HANDLE File = Open->File;
    SLOT *Slot = Take(W);
    ULONG Length = Any(W, 2) ? (1 + Any(W, 8)) * 512 : Any(W, 4097);
    LARGE_INTEGER At = {.QuadPart = Any(W, 2) ? Any(W, LONGEST / 4096) * 4096ll : (LONG64)Any(W, 9000)};
    NTSTATUS Status;

    if (Slot == NULL)
        return STATUS_UNSUCCESSFUL;
    if (Any(W, 40) == 0)
        At.QuadPart =
            Any(W, 2) ? -1 - (LONG64)Any(W, 3) : (LONG64)Random(W) << Any(W, 17) & ~(Write ? 0x7FFFFFFF00000000ll : 0);
    Status = Write ? NtWriteFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Slot->Buffer, Length,
                                 Any(W, 8) ? &At : NULL, NULL)
                   : NtReadFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Slot->Buffer, Length,
                                Any(W, 8) ? &At : NULL, NULL);
    return End(W, Slot, File, Status, FALSE);
}

static NTSTATUS DoRead(WORKER *W)
{
    return DoTransfer(W, FALSE);
}

static NTSTATUS DoWrite(WORKER *W)
{
    return DoTransfer(W, TRUE);
}

/* Touches a page of the view, which the file may have lost; unmaps; or maps another file. */
static NTSTATUS DoMap(WORKER *W)
{
    static const ULONG Protections[] = {PAGE_READWRITE, PAGE_READONLY, PAGE_WRITECOPY, PAGE_EXECUTE_READ};
    LARGE_INTEGER Offset = {.QuadPart = 0}, Size = {.QuadPart = Any(W, 3) ? 0 : Any(W, LONGEST)};
    ULONG Protection = ONE_OF(W, Protections);
    HANDLE Section;
    NTSTATUS Status;

    if (W->View != NULL && Any(W, 4) != 0) {
        volatile UCHAR *Byte = (PUCHAR)W->View + Any(W, (ULONG)W->ViewSize);

        __try {
            UCHAR Value = *Byte;

            if (Any(W, 2))
                *Byte = Value + 1;
            Status = STATUS_SUCCESS;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
        return Status;
    }
    if (W->View != NULL) {
        Status = NtUnmapViewOfSection(SELF, W->View);
        W->View = NULL;
        return Status;
    }
    Status = NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, &Size, Protection, Any(W, 8) ? SEC_COMMIT : SEC_IMAGE,
                             Pick(W)->File);
    if (!NT_SUCCESS(Status))
        return Status;
    W->ViewSize = 0;
    Status = NtMapViewOfSection(Section, SELF, &W->View, 0, 0, &Offset, &W->ViewSize, ViewUnmap, 0, Protection);
    if (!NT_SUCCESS(Status))
        W->View = NULL;
    NtClose(Section);
    return Status;
}

/* A rename or a link; both have one structure. */
static NTSTATUS DoName(WORKER *W)
{
    static const FILE_INFORMATION_CLASS Classes[] = {FileRenameInformation, FileLinkInformation,
                                                     (FILE_INFORMATION_CLASS)65, (FILE_INFORMATION_CLASS)72};
    PFILE_RENAME_INFORMATION Information = (PVOID)W->Room;
    FILE_INFORMATION_CLASS Class = ONE_OF(W, Classes);
    BOOLEAN Whole = Any(W, 4) != 0;
    IO_STATUS_BLOCK IoStatus;
    USHORT Length = MakePath(W, Whole);

    RtlZeroMemory(W->Room, sizeof(*Information));
    *(PULONG)Information = Class == FileRenameInformation || Class == FileLinkInformation ? Any(W, 2) : Any(W, 0x80);
    Information->RootDirectory = Whole || Any(W, 2) ? NULL : Pick(W)->File;
    Information->FileNameLength = Any(W, 40) ? Length : (ULONG)Random(W);
    RtlCopyMemory(Information->FileName, W->Path, Length);
    return NtSetInformationFile(Pick(W)->File, &IoStatus, Information,
                                FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) + Length, Class);
}

static NTSTATUS DoDelete(WORKER *W)
{
    ULONG Flags = Any(W, 4) ? 1 : Any(W, 32);
    IO_STATUS_BLOCK IoStatus;

    return Any(W, 2) ? NtSetInformationFile(Pick(W)->File, &IoStatus, &Flags, 1, FileDispositionInformation)
                     : NtSetInformationFile(Pick(W)->File, &IoStatus, &Flags, 4, (FILE_INFORMATION_CLASS)64);
}

static NTSTATUS DoSize(WORKER *W)
{
    static const FILE_INFORMATION_CLASS Classes[] = {FileEndOfFileInformation, FileEndOfFileInformation,
                                                     FileAllocationInformation, FileValidDataLengthInformation,
                                                     FilePositionInformation};
    LARGE_INTEGER Size = {.QuadPart = Any(W, 20) ? Any(W, LONGEST) : (LONG64)Random(W) << Any(W, 17)};
    IO_STATUS_BLOCK IoStatus;

    return NtSetInformationFile(Pick(W)->File, &IoStatus, &Size, sizeof(Size), ONE_OF(W, Classes));
}

static NTSTATUS DoSet(WORKER *W)
{
    FILE_INFORMATION_CLASS Class = (FILE_INFORMATION_CLASS)(Any(W, 2) ? FileBasicInformation : Any(W, 78));
    IO_STATUS_BLOCK IoStatus;

    Fill(W, W->Room, 128);
    /* Names and ports are others' to set; a size by chance would fill the volume once and for all. */
    if (Class == FileEndOfFileInformation || Class == FileAllocationInformation || Class == FileCompletionInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (Class == FileBasicInformation)
        ((PFILE_BASIC_INFORMATION)W->Room)->FileAttributes &= 0x11A7;
    return NtSetInformationFile(Pick(W)->File, &IoStatus, W->Room, Any(W, 2) ? 40 : ONE_OF(W, Lengths), Class);
}

static NTSTATUS DoQuery(WORKER *W)
{
    static const UCHAR Known[] = {4, 5, 6, 7, 9, 14, 18, 21, 22, 28, 34, 35, 46, 48, 59};
    IO_STATUS_BLOCK IoStatus;

    return NtQueryInformationFile(Pick(W)->File, &IoStatus, W->Room, LengthOf(W),
                                  (FILE_INFORMATION_CLASS)(Any(W, 2) ? ONE_OF(W, Known) : Any(W, 78)));
}

static NTSTATUS DoQueryName(WORKER *W)
{
    UNICODE_STRING Name = {.Buffer = W->Path};
    OBJECT_ATTRIBUTES Attributes;

    Name.Length = Name.MaximumLength = MakePath(W, TRUE);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return Any(W, 2) ? NtQueryAttributesFile(&Attributes, (PVOID)W->Room)
                     : NtQueryFullAttributesFile(&Attributes, (PVOID)W->Room);
}

static NTSTATUS DoVolume(WORKER *W)
{
    FS_INFORMATION_CLASS Class = (FS_INFORMATION_CLASS)Any(W, 14);
    IO_STATUS_BLOCK IoStatus;

    if (Any(W, 8) == 0) {
        Fill(W, W->Room, 64);
        *(PULONG)W->Room = Any(W, 70);
        return NtSetVolumeInformationFile(Pick(W)->File, &IoStatus, W->Room, LengthOf(W), Class);
    }
    return NtQueryVolumeInformationFile(Pick(W)->File, &IoStatus, W->Room, LengthOf(W), Class);
}

static NTSTATUS DoEa(WORKER *W)
{
    HANDLE File = Pick(W)->File;
    IO_STATUS_BLOCK IoStatus;
    ULONG Length, Index = Any(W, 4);

    switch (Any(W, 4)) {
    case 0: Fill(W, W->Room, 256); return NtSetEaFile(File, &IoStatus, W->Room, Any(W, 256));
    case 1: Length = MakeEas(W, W->Room); return NtSetEaFile(File, &IoStatus, W->Room, Length);
    default:
        return NtQueryEaFile(File, &IoStatus, W->Room, LengthOf(W), Any(W, 2) != 0, NULL, 0, Any(W, 2) ? &Index : NULL,
                             Any(W, 2) != 0);
    }
}

static NTSTATUS DoSecurity(WORKER *W)
{
    static ULONG Needed;
    HANDLE File = Pick(W)->File;
    NTSTATUS Status = NtQuerySecurityObject(File, Any(W, 8), W->Room, LengthOf(W), &Needed);

    if (NT_SUCCESS(Status) && Any(W, 4) == 0)
        Status = NtSetSecurityObject(File, Any(W, 8), W->Room);
    return Status;
}

static NTSTATUS DoLock(WORKER *W)
{
    LARGE_INTEGER At = {.QuadPart = Any(W, 10) * 100}, Length = {.QuadPart = Any(W, 300)};
    OPEN *Open = Pick(W);
    HANDLE File = Open->File;
    IO_STATUS_BLOCK IoStatus;
    SLOT *Slot;

    if (Any(W, 2))
        return NtUnlockFile(File, &IoStatus, &At, &Length, Any(W, 2));
    Slot = Take(W);
    if (Slot == NULL)
        return STATUS_UNSUCCESSFUL;
    return End(W, Slot, File,
               NtLockFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, &At, &Length, Any(W, 2),
                          !Open->Async || Any(W, 2), Any(W, 2) != 0),
               FALSE);
}

/* Controls that NTFS has, and any number; what locks or dismounts the volume is the scenario's. */
static NTSTATUS DoControl(WORKER *W)
{
    static const ULONG Codes[] = {0x900A4 /* set a reparse point */,
                                  0x900A8,
                                  0x900AC,
                                  0x9009C,
                                  0x900A0,
                                  0x900C0,
                                  0x900C4 /* sparse */,
                                  0x980C8 /* zeros */,
                                  0x940CF,
                                  0x90073,
                                  0x900EB,
                                  0x900BB,
                                  0x900F4,
                                  0x90064,
                                  0x9006F,
                                  0x9003C,
                                  0x9C040,
                                  0x90028,
                                  0x90078,
                                  0x9002C};
    OPEN *Open = Pick(W);
    HANDLE File = Open->File;
    ULONG Code = ONE_OF(W, Codes), In = Any(W, 80);
    SLOT *Slot = Take(W);

    if (Slot == NULL)
        return STATUS_UNSUCCESSFUL;
    if (Any(W, 6) == 0)
        Code = (ULONG)(9 << 16 | (Random(W) & 0xFFFF));
    if ((Code & ~3u) == 0x90018 || (Code & ~3u) == 0x90020 || (Code & ~3u) == 0x90030 || (Code & ~3u) == 0x90240)
        Code = 0x9003C;
    Fill(W, Slot->Buffer, 128);
    if (Code == 0x900A4 || Code == 0x900AC) {
        /* Tags: the HSM filter's, a mount point's, a symbolic link's, one that nobody has. */
        *(PULONG)Slot->Buffer = (const ULONG[]){0xF17, 0xA0000003, 0xA000000C, 0x12345}[Any(W, 4)];
        *(PUSHORT)(Slot->Buffer + 4) = (USHORT)(In > 8 ? In - 8 : 0);
        *(PUSHORT)(Slot->Buffer + 6) = 0;
    }
    if (Code == 0x980C8) {
        ((PLARGE_INTEGER)Slot->Buffer)[0].QuadPart = Any(W, LONGEST);
        ((PLARGE_INTEGER)Slot->Buffer)[1].QuadPart = Any(W, LONGEST);
        In = 16;
    }
    return End(W, Slot, File,
               NtFsControlFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Code, Any(W, 8) ? Slot->Buffer : NULL,
                               In, Slot->Buffer + 512, LengthOf(W) % 3585),
               FALSE);
}

static NTSTATUS DoOplock(WORKER *W)
{
    static const ULONG Codes[] = {FSCTL_REQUEST_OPLOCK_LEVEL_1, FSCTL_REQUEST_OPLOCK_LEVEL_2,
                                  FSCTL_REQUEST_BATCH_OPLOCK, FSCTL_REQUEST_FILTER_OPLOCK, FSCTL_REQUEST_OPLOCK};
    REQUEST_OPLOCK_INPUT_BUFFER Request = {REQUEST_OPLOCK_CURRENT_VERSION, sizeof(Request), Any(W, 8),
                                           REQUEST_OPLOCK_INPUT_FLAG_REQUEST};
    OPEN *Open = Pick(W);
    HANDLE File = Open->File;
    ULONG Code = ONE_OF(W, Codes);
    SLOT *Slot = Take(W);

    if (Slot == NULL)
        return STATUS_UNSUCCESSFUL;
    if (!Open->Async)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(Slot->Buffer, &Request, sizeof(Request));
    return End(W, Slot, File,
               NtFsControlFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Code,
                               Code == FSCTL_REQUEST_OPLOCK ? Slot->Buffer : NULL,
                               Code == FSCTL_REQUEST_OPLOCK ? sizeof(Request) : 0, Slot->Buffer + 512, 64),
               TRUE);
}

static NTSTATUS DoList(WORKER *W)
{
    static const UCHAR Classes[] = {1, 2, 3, 12, 37, 38, 60, 63};
    static WCHAR Patterns[][8] = {L"*", L"*.txt", L"s??", L"<.doc", L"a*\">", L"none"};
    UNICODE_STRING Pattern;
    OPEN *Open = Pick(W);
    HANDLE File = Open->File;
    SLOT *Slot = Take(W);

    if (Slot == NULL)
        return STATUS_UNSUCCESSFUL;
    if (Any(W, 4) == 0 && Open->Async)
        return End(W, Slot, File,
                   NtNotifyChangeDirectoryFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Slot->Buffer,
                                               LengthOf(W), (ULONG)Random(W) & 0xFFF, Any(W, 2) != 0),
                   FALSE);
    Pattern.Buffer = ONE_OF(W, Patterns);
    for (Pattern.Length = 0; Pattern.Buffer[Pattern.Length / sizeof(WCHAR)] != 0; Pattern.Length += sizeof(WCHAR))
        ;
    Pattern.MaximumLength = Pattern.Length;
    return End(W, Slot, File,
               NtQueryDirectoryFile(File, Slot->Event, NULL, NULL, &Slot->IoStatus, Slot->Buffer, LengthOf(W),
                                    (FILE_INFORMATION_CLASS)(Any(W, 12) ? ONE_OF(W, Classes) : Any(W, 78)),
                                    Any(W, 4) == 0, Any(W, 4) ? NULL : &Pattern, Any(W, 4) == 0),
               FALSE);
}

static NTSTATUS DoFlush(WORKER *W)
{
    IO_STATUS_BLOCK IoStatus;

    return NtFlushBuffersFile(Pick(W)->File, &IoStatus);
}

static NTSTATUS DoCancel(WORKER *W)
{
    SLOT *Slot = &ONE_OF(W, W->Slots);
    IO_STATUS_BLOCK IoStatus;

    return NtCancelIoFileEx(Any(W, 2) ? Slot->File : Pick(W)->File, Any(W, 2) ? &Slot->IoStatus : NULL, &IoStatus);
}

#endif

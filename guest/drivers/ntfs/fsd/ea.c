/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_QUERY_EA and IRP_MJ_SET_EA: extended attributes, a list of names with values.
 *
 * On the disk it is the list that is told, with each entry's length where the next one's place is told, of the last one too.  All of it is read and
 * written at once; it has 64 KiB at most.
 */
#include "ntfs.h"

#define NTFS_EA_FIXED FIELD_OFFSET(FILE_FULL_EA_INFORMATION, EaName)
#define NTFS_EAS_MAX  (0x10000 - 5)

/* A file's list. */
typedef struct _NTFS_EAS {
    PUCHAR Bytes; /* room for NTFS_PART_MAX */
    ULONG Size;
} NTFS_EAS, *PNTFS_EAS;

static ULONG NtfsEaSize(PFILE_FULL_EA_INFORMATION Ea)
{
    return (NTFS_EA_FIXED + Ea->EaNameLength + 1 + Ea->EaValueLength + 3) & ~3u;
}

/* The entry at Offset, or NULL: the end, or what cannot be an entry. */
static PFILE_FULL_EA_INFORMATION NtfsEaAt(PNTFS_EAS Eas, ULONG Offset)
{
    PFILE_FULL_EA_INFORMATION Ea = (PFILE_FULL_EA_INFORMATION)(Eas->Bytes + Offset);

    if (Offset > Eas->Size || Eas->Size - Offset < NTFS_EA_FIXED + 1 || NtfsEaSize(Ea) > Eas->Size - Offset) {
        return NULL;
    }
    return Ea;
}

static PFILE_FULL_EA_INFORMATION NtfsFindEa(PNTFS_EAS Eas, const CHAR *Name, ULONG Length)
{
    PFILE_FULL_EA_INFORMATION Ea;

    for (ULONG Offset = 0; (Ea = NtfsEaAt(Eas, Offset)) != NULL; Offset += NtfsEaSize(Ea)) {
        if (Ea->EaNameLength == Length && _strnicmp(Ea->EaName, Name, Length) == 0) {
            return Ea;
        }
    }
    return NULL;
}

static NTSTATUS NtfsReadEasLocked(PNTFS_VOLUME Volume, ULONG64 Id, PNTFS_EAS Eas)
{
    uint32_t Size = NTFS_PART_MAX;
    NTSTATUS Status;

    Eas->Size = 0;
    Eas->Bytes = ExAllocatePoolWithTag(PagedPool, NTFS_PART_MAX, NTFS_TAG_HANDLE);
    if (Eas->Bytes == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NtfsLibraryReadPart(Volume->Library, Id, NtfsPartEas, Eas->Bytes, &Size);
    Eas->Size = NT_SUCCESS(Status) ? Size : 0;
    return Status == STATUS_BUFFER_TOO_SMALL ? STATUS_EA_CORRUPT_ERROR : Status;
}

static VOID NtfsFreeEas(PNTFS_EAS Eas)
{
    if (Eas->Bytes != NULL) {
        ExFreePoolWithTag(Eas->Bytes, NTFS_TAG_HANDLE);
    }
}

/* ---- queries ---- */

typedef struct _NTFS_EA_ANSWER {
    PUCHAR Buffer;
    ULONG Length, Used, Last;
} NTFS_EA_ANSWER, *PNTFS_EA_ANSWER;

/* One entry more; FALSE: there is no room. */
static BOOLEAN NtfsTellEa(PNTFS_EA_ANSWER Answer, PFILE_FULL_EA_INFORMATION Ea)
{
    ULONG Start = (Answer->Used + 3) & ~3u, Size = NTFS_EA_FIXED + Ea->EaNameLength + 1 + Ea->EaValueLength;
    PFILE_FULL_EA_INFORMATION To = (PFILE_FULL_EA_INFORMATION)(Answer->Buffer + Start);

    if (Start > Answer->Length || Size > Answer->Length - Start) {
        return FALSE;
    }
    if (Answer->Used != 0) {
        ((PFILE_FULL_EA_INFORMATION)(Answer->Buffer + Answer->Last))->NextEntryOffset = Start - Answer->Last;
    }
    RtlCopyMemory(To, Ea, Size);
    To->NextEntryOffset = 0;
    Answer->Last = Start;
    Answer->Used = Start + Size;
    return TRUE;
}

/* One that the file has not is told without a value. */
static BOOLEAN NtfsTellMissingEa(PNTFS_EA_ANSWER Answer, PFILE_GET_EA_INFORMATION Wanted)
{
    UCHAR Buffer[NTFS_EA_FIXED + 256];
    PFILE_FULL_EA_INFORMATION Ea = (PFILE_FULL_EA_INFORMATION)Buffer;

    RtlZeroMemory(Buffer, sizeof(Buffer));
    Ea->EaNameLength = Wanted->EaNameLength;
    RtlCopyMemory(Ea->EaName, Wanted->EaName, Wanted->EaNameLength);
    return NtfsTellEa(Answer, Ea);
}

/* The I/O manager has looked at the list, but a filter may have put another in its place. */
static NTSTATUS NtfsTellListedEas(PNTFS_EAS Eas, PIO_STACK_LOCATION Stack, PNTFS_EA_ANSWER Answer)
{
    PUCHAR List = Stack->Parameters.QueryEa.EaList;
    ULONG Left = Stack->Parameters.QueryEa.EaListLength;

    for (;;) {
        PFILE_GET_EA_INFORMATION Wanted = (PFILE_GET_EA_INFORMATION)List;
        PFILE_FULL_EA_INFORMATION Ea;

        if (Left < FIELD_OFFSET(FILE_GET_EA_INFORMATION, EaName) + 1 ||
            Left < FIELD_OFFSET(FILE_GET_EA_INFORMATION, EaName) + 1u + Wanted->EaNameLength ||
            Wanted->NextEntryOffset > Left) {
            return STATUS_EA_LIST_INCONSISTENT;
        }
        Ea = NtfsFindEa(Eas, Wanted->EaName, Wanted->EaNameLength);
        if (!(Ea != NULL ? NtfsTellEa(Answer, Ea) : NtfsTellMissingEa(Answer, Wanted))) {
            return Answer->Used != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
        }
        if (Wanted->NextEntryOffset == 0 || (Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0) {
            return STATUS_SUCCESS;
        }
        List += Wanted->NextEntryOffset;
        Left -= Wanted->NextEntryOffset;
    }
}

/* From the handle's place on, which an index says anew; it counts from 1. */
static NTSTATUS NtfsTellNextEas(PNTFS_EAS Eas, PIO_STACK_LOCATION Stack, PNTFS_HANDLE Handle, PNTFS_EA_ANSWER Answer)
{
    ULONG Offset = 0, Index = 1, Wanted = Handle->NextEa + 1;
    PFILE_FULL_EA_INFORMATION Ea;

    if ((Stack->Flags & SL_RESTART_SCAN) != 0) {
        Wanted = 1;
    }
    if ((Stack->Flags & SL_INDEX_SPECIFIED) != 0) {
        Wanted = Stack->Parameters.QueryEa.EaIndex;
    }
    for (; (Ea = NtfsEaAt(Eas, Offset)) != NULL && Index < Wanted; Offset += NtfsEaSize(Ea)) {
        Index++;
    }
    if (Wanted == 0 || Index < Wanted) {
        return STATUS_NONEXISTENT_EA_ENTRY;
    }
    if (Ea == NULL) {
        return STATUS_NO_MORE_EAS;
    }
    for (; (Ea = NtfsEaAt(Eas, Offset)) != NULL; Offset += NtfsEaSize(Ea)) {
        if (!NtfsTellEa(Answer, Ea)) {
            return Answer->Used != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
        }
        Handle->NextEa = Index++;
        if ((Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0) {
            break;
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryEasLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack,
                                   PNTFS_EA_ANSWER Answer)
{
    NTFS_EAS Eas = {0};
    NTSTATUS Status = NtfsCheckUsable(Volume, Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsReadEasLocked(Volume, Stream->File->Id, &Eas);
    if (NT_SUCCESS(Status)) {
        __try {
            if (Stack->Parameters.QueryEa.EaList != NULL) {
                Status = NtfsTellListedEas(&Eas, Stack, Answer);
            } else if (Eas.Size == 0) {
                Status = STATUS_NO_EAS_ON_FILE;
            } else {
                Status = NtfsTellNextEas(&Eas, Stack, Stack->FileObject->FsContext2, Answer);
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode(); /* the caller's buffer */
        }
    }
    NtfsFreeEas(&Eas);
    return Status;
}

/* ---- changes ---- */

static BOOLEAN NtfsIsEaName(const CHAR *Name, ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++) {
        if ((UCHAR)Name[Index] < 0x20 || strchr("\"*+,/:;<=>?[\\]|", Name[Index]) != NULL) {
            return FALSE;
        }
    }
    return Length != 0;
}

/* The one of this name goes, then the new one comes, at the end; names are kept in upper case. */
static NTSTATUS NtfsPutEa(PNTFS_EAS Eas, PFILE_FULL_EA_INFORMATION New)
{
    PFILE_FULL_EA_INFORMATION Old = NtfsFindEa(Eas, New->EaName, New->EaNameLength), To;
    ULONG Size;

    if (!NtfsIsEaName(New->EaName, New->EaNameLength) || (New->Flags & ~FILE_NEED_EA) != 0) {
        return STATUS_INVALID_EA_NAME;
    }
    if (Old != NULL) {
        ULONG Place = (ULONG)((PUCHAR)Old - Eas->Bytes);

        Size = NtfsEaSize(Old);
        RtlMoveMemory(Old, (PUCHAR)Old + Size, Eas->Size - Place - Size);
        Eas->Size -= Size;
    }
    if (New->EaValueLength == 0) {
        return STATUS_SUCCESS;
    }
    Size = NtfsEaSize(New);
    if (Size > NTFS_EAS_MAX - Eas->Size) {
        return STATUS_EA_TOO_LARGE;
    }
    To = (PFILE_FULL_EA_INFORMATION)(Eas->Bytes + Eas->Size);
    RtlZeroMemory(To, Size);
    RtlCopyMemory(To, New, NTFS_EA_FIXED + New->EaNameLength + 1 + New->EaValueLength);
    for (ULONG Index = 0; Index < New->EaNameLength; Index++) {
        To->EaName[Index] = RtlUpperChar(To->EaName[Index]);
    }
    To->NextEntryOffset = Size;
    Eas->Size += Size;
    return STATUS_SUCCESS;
}

/* The list is whole: IoCheckEaBufferValidity has said so.  With Fresh what there was before goes. */
NTSTATUS NtfsSetEasLocked(PNTFS_VOLUME Volume, ULONG64 Id, PVOID Buffer, BOOLEAN Fresh)
{
    PFILE_FULL_EA_INFORMATION New = Buffer;
    NTFS_EAS Eas = {0};
    NTSTATUS Status = NtfsReadEasLocked(Volume, Id, &Eas);

    if (Fresh) {
        Eas.Size = 0;
    }
    while (NT_SUCCESS(Status)) {
        Status = NtfsPutEa(&Eas, New);
        if (New->NextEntryOffset == 0) {
            break;
        }
        New = (PFILE_FULL_EA_INFORMATION)((PUCHAR)New + New->NextEntryOffset);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsLibraryWritePart(Volume->Library, Id, NtfsPartEas, Eas.Bytes, Eas.Size);
    }
    NtfsFreeEas(&Eas);
    return Status;
}

/* Whether who does not know of extended attributes may not open the file. */
BOOLEAN NtfsNeedsEasLocked(PNTFS_VOLUME Volume, ULONG64 Id)
{
    PFILE_FULL_EA_INFORMATION Ea;
    BOOLEAN Needs = FALSE;
    NTFS_EAS Eas = {0};

    if (NT_SUCCESS(NtfsReadEasLocked(Volume, Id, &Eas))) {
        for (ULONG Offset = 0; (Ea = NtfsEaAt(&Eas, Offset)) != NULL; Offset += NtfsEaSize(Ea)) {
            Needs = Needs || (Ea->Flags & FILE_NEED_EA) != 0;
        }
    }
    NtfsFreeEas(&Eas);
    return Needs;
}

static NTSTATUS NtfsChangeEasLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack, PVOID Buffer)
{
    NTSTATUS Status = NtfsCheckUsable(Volume, Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Status = NtfsSetEasLocked(Volume, Stream->File->Id, Buffer, FALSE);
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Volume, ((PNTFS_HANDLE)Stack->FileObject->FsContext2)->Link, NULL, FILE_NOTIFY_CHANGE_EA,
                         FILE_ACTION_MODIFIED);
    }
    return Status;
}

/* The caller's list, copied, so that it stays as it was found to be. */
static NTSTATUS NtfsSetEas(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PVOID Buffer)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.SetEa.Length, Wrong = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Copy;

    if (Length == 0 || Length > NTFS_PART_MAX) {
        return Length == 0 ? STATUS_SUCCESS : STATUS_EA_TOO_LARGE;
    }
    Copy = ExAllocatePoolWithTag(PagedPool, Length, NTFS_TAG_HANDLE);
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        RtlCopyMemory(Copy, Buffer, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status)) {
        Status = IoCheckEaBufferValidity(Copy, Length, &Wrong);
    }
    if (NT_SUCCESS(Status)) {
        NtfsLockLibrary();
        Status = NtfsChangeEasLocked(Volume, Stream, Stack, Copy);
        NtfsUnlockLibrary();
    }
    ExFreePoolWithTag(Copy, NTFS_TAG_HANDLE);
    return Status;
}

/* PASSIVE_LEVEL, in the caller's context, where there is no MDL. */
NTSTATUS NTAPI NtfsExtendedAttributes(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = Volume->IsVolume ? NtfsStreamOf(Stack->FileObject) : NULL;
    NTFS_EA_ANSWER Answer = {Irp->UserBuffer, 0, 0, 0};
    NTSTATUS Status;

    if (Stream == NULL) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Irp->MdlAddress != NULL) {
        Answer.Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
        if (Answer.Buffer == NULL) {
            return NtfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        }
    }
    if (Stack->MajorFunction == IRP_MJ_SET_EA) {
        Status = NtfsSettleFile(Volume, Stack->FileObject, NtfsSetEas(Volume, Stream, Irp, Answer.Buffer));
    } else {
        Answer.Length = Stack->Parameters.QueryEa.Length;
        NtfsLockLibrary();
        Status = NtfsQueryEasLocked(Volume, Stream, Stack, &Answer);
        NtfsUnlockLibrary();
    }
    return NtfsComplete(Irp, Status, Answer.Used);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names by which files are open.  All file objects of one name share it, so that a rename by one is seen by all.
 */
#include "ntfs.h"

UNICODE_STRING NtfsLinkName(PNTFS_LINK Link)
{
    USHORT Start = Link->Path.Length / sizeof(WCHAR);

    while (Start > 0 && Link->Path.Buffer[Start - 1] != L'\\') {
        Start--;
    }
    return (UNICODE_STRING){Link->Path.Length - Start * (USHORT)sizeof(WCHAR),
                            Link->Path.Length - Start * (USHORT)sizeof(WCHAR), Link->Path.Buffer + Start};
}

PNTFS_LINK NtfsFindLinkLocked(PNTFS_FILE File, ULONG64 Parent, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = File->Links.Flink; Entry != &File->Links; Entry = Entry->Flink) {
        PNTFS_LINK Link = CONTAINING_RECORD(Entry, NTFS_LINK, Entry);
        UNICODE_STRING LinkName = NtfsLinkName(Link);

        if (!Link->IsGone && Link->Parent == Parent && RtlEqualUnicodeString(&LinkName, Name, FALSE)) {
            return Link;
        }
    }
    return NULL;
}

static PWCH NtfsCopyPath(PCUNICODE_STRING Path)
{
    PWCH Copy = ExAllocatePoolWithTag(PagedPool, Path->Length, NTFS_TAG_HANDLE);

    if (Copy != NULL) {
        RtlCopyMemory(Copy, Path->Buffer, Path->Length);
    }
    return Copy;
}

NTSTATUS NtfsReferenceLinkLocked(PNTFS_FILE File, ULONG64 Parent, PCUNICODE_STRING Path, PNTFS_LINK *Result)
{
    NTFS_LINK Wanted = {.Path = *Path};
    UNICODE_STRING Name = NtfsLinkName(&Wanted);
    PNTFS_LINK Link = NtfsFindLinkLocked(File, Parent, &Name);

    if (Link == NULL) {
        Link = ExAllocatePoolWithTag(PagedPool, sizeof(*Link), NTFS_TAG_HANDLE);
        if (Link == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlZeroMemory(Link, sizeof(*Link));
        Link->Parent = Parent;
        Link->Path = (UNICODE_STRING){Path->Length, Path->Length, NtfsCopyPath(Path)};
        if (Link->Path.Buffer == NULL) {
            ExFreePoolWithTag(Link, NTFS_TAG_HANDLE);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        InsertTailList(&File->Links, &Link->Entry);
    }
    Link->References++;
    *Result = Link;
    return STATUS_SUCCESS;
}

VOID NtfsDereferenceLinkLocked(PNTFS_LINK Link)
{
    if (--Link->References == 0) {
        RemoveEntryList(&Link->Entry);
        ExFreePoolWithTag(Link->Path.Buffer, NTFS_TAG_HANDLE);
        ExFreePoolWithTag(Link, NTFS_TAG_HANDLE);
    }
}

/* ---- all that are open ---- */

/* TRUE ends the visits. */
typedef BOOLEAN NTFS_LINK_VISITOR(PNTFS_LINK Link, PVOID Context);

static BOOLEAN NtfsVisitLinks(PNTFS_VOLUME Volume, NTFS_LINK_VISITOR *Visitor, PVOID Context)
{
    for (ULONG Bucket = 0; Bucket < NTFS_FILE_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &Volume->Files[Bucket];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PNTFS_FILE File = CONTAINING_RECORD(Entry, NTFS_FILE, Link);

            for (PLIST_ENTRY Name = File->Links.Flink; Name != &File->Links; Name = Name->Flink) {
                if (Visitor(CONTAINING_RECORD(Name, NTFS_LINK, Entry), Context)) {
                    return TRUE;
                }
            }
        }
    }
    return FALSE;
}

/* Whether the path is one of something in the directory, or deeper. */
static BOOLEAN NtfsIsPathBelow(PCUNICODE_STRING Path, PCUNICODE_STRING Directory)
{
    return Path->Length > Directory->Length && Path->Buffer[Directory->Length / sizeof(WCHAR)] == L'\\' &&
           RtlCompareMemory(Path->Buffer, Directory->Buffer, Directory->Length) == Directory->Length;
}

static BOOLEAN NtfsSeeOpenBelow(PNTFS_LINK Link, PVOID Context)
{
    return Link->Handles != 0 && !Link->IsGone && NtfsIsPathBelow(&Link->Path, Context);
}

BOOLEAN NtfsIsOpenBelowLocked(PNTFS_VOLUME Volume, PCUNICODE_STRING Directory)
{
    return NtfsVisitLinks(Volume, NtfsSeeOpenBelow, (PVOID)Directory);
}

/* ---- renaming: the paths below a directory change with its own ---- */

typedef struct _NTFS_REPATH {
    PNTFS_LINK Link;
    PCUNICODE_STRING Path;
    NTSTATUS Status;
} NTFS_REPATH;

static BOOLEAN NtfsPrepareLink(PNTFS_LINK Link, PVOID Context)
{
    NTFS_REPATH *Repath = Context;
    USHORT Old = Repath->Link->Path.Length;
    ULONG Length = Repath->Path->Length + (Link->Path.Length - Old);

    if (Link != Repath->Link && !NtfsIsPathBelow(&Link->Path, &Repath->Link->Path)) {
        return FALSE;
    }
    if (Length > 0xFFFE) {
        Repath->Status = STATUS_OBJECT_NAME_INVALID;
        return TRUE;
    }
    Link->Fresh.Buffer = ExAllocatePoolWithTag(PagedPool, Length, NTFS_TAG_HANDLE);
    if (Link->Fresh.Buffer == NULL) {
        Repath->Status = STATUS_INSUFFICIENT_RESOURCES;
        return TRUE;
    }
    Link->Fresh.Length = Link->Fresh.MaximumLength = (USHORT)Length;
    RtlCopyMemory(Link->Fresh.Buffer, Repath->Path->Buffer, Repath->Path->Length);
    RtlCopyMemory((PUCHAR)Link->Fresh.Buffer + Repath->Path->Length, (PUCHAR)Link->Path.Buffer + Old,
                  Link->Path.Length - Old);
    return FALSE;
}

static BOOLEAN NtfsCommitLink(PNTFS_LINK Link, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Link->Fresh.Buffer != NULL) {
        ExFreePoolWithTag(Link->Path.Buffer, NTFS_TAG_HANDLE);
        Link->Path = Link->Fresh;
        RtlZeroMemory(&Link->Fresh, sizeof(Link->Fresh));
    }
    return FALSE;
}

static BOOLEAN NtfsForgetLink(PNTFS_LINK Link, PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Link->Fresh.Buffer != NULL) {
        ExFreePoolWithTag(Link->Fresh.Buffer, NTFS_TAG_HANDLE);
        RtlZeroMemory(&Link->Fresh, sizeof(Link->Fresh));
    }
    return FALSE;
}

NTSTATUS NtfsPrepareRenameLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, PCUNICODE_STRING Path)
{
    NTFS_REPATH Repath = {Link, Path, STATUS_SUCCESS};

    NtfsVisitLinks(Volume, NtfsPrepareLink, &Repath);
    if (!NT_SUCCESS(Repath.Status)) {
        NtfsForgetRenameLocked(Volume);
    }
    return Repath.Status;
}

VOID NtfsCommitRenameLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, ULONG64 Parent)
{
    Link->Parent = Parent;
    NtfsVisitLinks(Volume, NtfsCommitLink, NULL);
}

VOID NtfsForgetRenameLocked(PNTFS_VOLUME Volume)
{
    NtfsVisitLinks(Volume, NtfsForgetLink, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of names, of files with their last name, and of streams: marked by a handle, carried out with the last handle of the name or
 * stream.  By POSIX semantics a name goes with the handle that marked it: while others have the file open, it lives on in
 * a directory of the file system's own, as on Windows.
 */
#include "ntfs.h"

static int NtfsSeeEntry(void *Context, const NTFS_ENTRY_FACTS *Entry)
{
    UNREFERENCED_PARAMETER(Entry);
    *(PBOOLEAN)Context = TRUE;
    return 1;
}

/* A name of a directory that has something in it cannot go, nor the root's, nor that of a file that is read-only. */
NTSTATUS NtfsDoomLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle, BOOLEAN ReadOnlyToo)
{
    PNTFS_FILE File = Stream->File;
    NTFS_FILE_FACTS Facts;
    BOOLEAN Full = FALSE;
    NTSTATUS Status;

    Status = NtfsLibraryFileFacts(Volume->Library, File->Id, &Facts);
    if (NT_SUCCESS(Status) && File->IsDirectory && Stream->Name.Length == 0) {
        Status = NtfsLibraryList(Volume->Library, File->Id, NtfsSeeEntry, &Full);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Volume->Facts.ReadOnly || ((Facts.Attributes & FILE_ATTRIBUTE_READONLY) != 0 && !ReadOnlyToo)) {
        return STATUS_CANNOT_DELETE;
    }
    if (Stream->Name.Length != 0) {
        if (!MmFlushImageSection(&Stream->Sections, MmFlushForDelete)) {
            return STATUS_CANNOT_DELETE;
        }
        Stream->DeletePending = TRUE;
        return STATUS_SUCCESS;
    }
    if (File->Id == NTFS_ROOT_ID) {
        return STATUS_CANNOT_DELETE;
    }
    if (Full) {
        return STATUS_DIRECTORY_NOT_EMPTY;
    }
    if (!MmFlushImageSection(&Stream->Sections, MmFlushForDelete)) {
        return STATUS_CANNOT_DELETE; /* somebody has it mapped */
    }
    Handle->Link->DeletePending = TRUE;
    return STATUS_SUCCESS;
}

BOOLEAN NtfsIsDoomed(PNTFS_STREAM Stream, PNTFS_HANDLE Handle)
{
    return Handle->Link->DeletePending || Stream->DeletePending;
}

NTSTATUS NtfsCheckUsable(PNTFS_VOLUME Volume, PNTFS_STREAM Stream)
{
    if (Volume->Dismounted) {
        return Volume->LostBy;
    }
    return Stream != NULL && (Stream->IsGone || Stream->File->IsGone) ? STATUS_FILE_DELETED : STATUS_SUCCESS;
}

/* ---- the end of a handle ---- */

/* From now on nothing of the stream is written; until it is set, writes are waited for. */
static VOID NtfsMarkStreamLocked(PNTFS_STREAM Stream, BOOLEAN Deleted)
{
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Stream->Deleted = Deleted;
    ExReleaseResourceLite(&Stream->RunsResource);
}

static VOID NtfsMarkFileLocked(PNTFS_FILE File, BOOLEAN Deleted)
{
    for (PLIST_ENTRY Entry = File->Streams.Flink; Entry != &File->Streams; Entry = Entry->Flink) {
        PNTFS_STREAM Stream = CONTAINING_RECORD(Entry, NTFS_STREAM, Link);

        NtfsMarkStreamLocked(Stream, Deleted || Stream->IsGone);
    }
}

/* Which change of a name it is. */
ULONG NtfsNameFilter(PNTFS_FILE File)
{
    return File->IsDirectory ? FILE_NOTIFY_CHANGE_DIR_NAME : FILE_NOTIFY_CHANGE_FILE_NAME;
}

/* The name goes, and the file with its last one. */
NTSTATUS NtfsRemoveLinkLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PNTFS_LINK Link)
{
    UNICODE_STRING Name = NtfsLinkName(Link);
    NTFS_FILE_FACTS Facts;
    BOOLEAN IsLast;
    NTSTATUS Status;

    Status = NtfsLibraryFileFacts(Volume->Library, File->Id, &Facts);
    IsLast = NT_SUCCESS(Status) && Facts.Links <= 1;
    NtfsMarkFileLocked(File, TRUE);
    if (File->IsDirectory) {
        NtfsForgetDirectoryLocked(Volume, File->Id);
    } else {
        NtfsRememberNameLocked(Volume, File->Id, Link->Parent, &Name);
    }
    Status = NtfsLibraryDelete(Volume->Library, File->Id, Link->Parent, (const uint16_t *)Name.Buffer,
                               Name.Length / sizeof(WCHAR));
    if (!NT_SUCCESS(Status) || (!IsLast && NT_SUCCESS(NtfsLibraryFileFacts(Volume->Library, File->Id, &Facts)))) {
        NtfsMarkFileLocked(File, FALSE);
    } else {
        File->IsGone = TRUE;
    }
    Link->IsGone = TRUE; /* also what cannot be: nobody tries again */
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Volume, Link, NULL, NtfsNameFilter(File), FILE_ACTION_REMOVED);
    }
    return Status;
}

/* The name goes while the file has handles: it is the file's only one, and has to be somewhere. */
NTSTATUS NtfsHideLinkLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PNTFS_LINK Link)
{
    static const WCHAR Place[] = L"\\$Extend\\$Deleted\\";
    WCHAR Buffer[RTL_NUMBER_OF(Place) + NTFS_HIDDEN_LENGTH];
    UNICODE_STRING Path = {sizeof(Place) - sizeof(WCHAR) + NTFS_HIDDEN_LENGTH * sizeof(WCHAR), sizeof(Buffer), Buffer};
    UNICODE_STRING Name = NtfsLinkName(Link);
    NTFS_FILE_FACTS Facts;
    uint64_t Parent;
    NTSTATUS Status;

    Status = NtfsLibraryFileFacts(Volume->Library, File->Id, &Facts);
    if (NT_SUCCESS(Status) && Facts.Links > 1) {
        return NtfsRemoveLinkLocked(Volume, File, Link);
    }
    RtlCopyMemory(Buffer, Place, sizeof(Place));
    NtfsLibraryHiddenName(File->Id, (uint16_t *)Buffer + RTL_NUMBER_OF(Place) - 1);
    if (NT_SUCCESS(Status)) {
        Status = NtfsPrepareRenameLocked(Volume, Link, &Path);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (File->IsDirectory) {
        NtfsForgetDirectoryLocked(Volume, File->Id);
    } else {
        NtfsRememberNameLocked(Volume, File->Id, Link->Parent, &Name);
    }
    Status = NtfsLibraryHide(Volume->Library, File->Id, Link->Parent, (const uint16_t *)Name.Buffer,
                             Name.Length / sizeof(WCHAR), &Parent);
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Volume, Link, NULL, NtfsNameFilter(File), FILE_ACTION_REMOVED);
        NtfsCommitRenameLocked(Volume, Link, Parent);
        Link->DeletePending = TRUE;
    } else {
        NtfsForgetRenameLocked(Volume);
    }
    return Status;
}

/* What was written through any handle is told with the end of the next. */
static VOID NtfsReportChangesLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle)
{
    if (!Stream->IsChanged) {
        return;
    }
    Stream->IsChanged = FALSE;
    if (Stream->Name.Length != 0) {
        NtfsReportLocked(Volume, Handle->Link, Stream, FILE_NOTIFY_CHANGE_STREAM_SIZE | FILE_NOTIFY_CHANGE_STREAM_WRITE,
                         FILE_ACTION_MODIFIED_STREAM);
    } else {
        NtfsReportLocked(Volume, Handle->Link, NULL, FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE,
                         FILE_ACTION_MODIFIED);
    }
}

static VOID NtfsEndStreamLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle)
{
    if (Stream->Handles == 0 && Stream->DeletePending && !Stream->IsGone) {
        NtfsMarkStreamLocked(Stream, TRUE);
        NtfsLibraryRemoveStream(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                Stream->Name.Length / sizeof(WCHAR));
        Stream->IsGone = TRUE;
        NtfsReportLocked(Volume, Handle->Link, Stream, FILE_NOTIFY_CHANGE_STREAM_NAME, FILE_ACTION_REMOVED_STREAM);
    }
}

/* What cannot go stays, and nobody is left to be told. */
VOID NtfsEndHandleLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle)
{
    PNTFS_LINK Link = Handle->Link;

    if (Handle->DeleteOnClose && !Volume->Dismounted) {
        NtfsDoomLocked(Volume, Stream, Handle, FALSE);
    }
    Stream->Handles--;
    Link->Handles--;
    if (Volume->Dismounted) {
        return;
    }
    NtfsReportChangesLocked(Volume, Stream, Handle);
    NtfsEndStreamLocked(Volume, Stream, Handle);
    if (!Link->DeletePending || Link->IsGone) {
        return;
    }
    if (Link->Handles == 0) {
        NtfsRemoveLinkLocked(Volume, Stream->File, Link);
    } else if (Handle->PosixDelete) {
        NtfsHideLinkLocked(Volume, Stream->File, Link);
    }
}

/* ---- classes ---- */

static NTSTATUS NtfsMarkHandle(PNTFS_SETTING Setting, BOOLEAN Delete, BOOLEAN ReadOnlyToo, BOOLEAN Posix)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Delete) {
        Status = NtfsDoomLocked(Setting->Volume, Setting->Stream, Setting->Handle, ReadOnlyToo);
    } else if (Setting->Stream->Name.Length != 0) {
        Setting->Stream->DeletePending = FALSE;
    } else if (!Setting->Handle->Link->IsGone) {
        Setting->Handle->Link->DeletePending = FALSE;
    }
    if (NT_SUCCESS(Status)) {
        Setting->Handle->PosixDelete = Delete && Posix;
        Setting->FileObject->DeletePending = NtfsIsDoomed(Setting->Stream, Setting->Handle);
    }
    return Status;
}

NTSTATUS NtfsSetDisposition(PNTFS_SETTING Setting)
{
    return NtfsMarkHandle(Setting, ((PFILE_DISPOSITION_INFORMATION)Setting->Buffer)->DeleteFile, FALSE, FALSE);
}

#define NTFS_DISPOSITION_FLAGS                                                                                         \
    (FILE_DISPOSITION_DELETE | FILE_DISPOSITION_POSIX_SEMANTICS | FILE_DISPOSITION_FORCE_IMAGE_SECTION_CHECK |         \
     FILE_DISPOSITION_ON_CLOSE | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE)

/* ON_CLOSE says that it is the option of the open that is changed, which must have been given then. */
NTSTATUS NtfsSetDispositionEx(PNTFS_SETTING Setting)
{
    ULONG Flags = ((PFILE_DISPOSITION_INFORMATION_EX)Setting->Buffer)->Flags;
    BOOLEAN Delete = (Flags & FILE_DISPOSITION_DELETE) != 0, Posix = (Flags & FILE_DISPOSITION_POSIX_SEMANTICS) != 0;

    if ((Flags & ~NTFS_DISPOSITION_FLAGS) != 0) {
        return STATUS_NOT_SUPPORTED;
    }
    if ((Flags & FILE_DISPOSITION_ON_CLOSE) != 0) {
        if (!Setting->Handle->DeleteOnClose) {
            return STATUS_NOT_SUPPORTED;
        }
        Setting->Handle->DeleteOnClose = Delete;
        Setting->Handle->PosixDelete = Delete && Posix;
        return STATUS_SUCCESS;
    }
    return NtfsMarkHandle(Setting, Delete, (Flags & FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE) != 0, Posix);
}

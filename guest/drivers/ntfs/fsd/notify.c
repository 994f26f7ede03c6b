/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MN_NOTIFY_CHANGE_DIRECTORY, and what is reported to who waits.
 *
 * A watch is its handle's; its directory's name is the link's path, which changes with renames.  All of it is done with the library's lock, so
 * the paths stay as they are meanwhile.
 */
#include "ntfs.h"

/* FsRtl's strings are counted in bytes, as Unicode's are. */
C_ASSERT(sizeof(STRING) == sizeof(UNICODE_STRING) &&
         FIELD_OFFSET(STRING, Buffer) == FIELD_OFFSET(UNICODE_STRING, Buffer));

VOID NtfsReportLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, PNTFS_STREAM Stream, ULONG Filter, ULONG Action)
{
    UNICODE_STRING Path = Link->Path, Name = NtfsLinkName(Link);
    BOOLEAN Named = Stream != NULL && Stream->Name.Length != 0;

    if (Filter == 0 || IsListEmpty(&Volume->Watches) || Name.Length == 0) {
        return;
    }
    FsRtlNotifyFullReportChange(Volume->NotifySync, &Volume->Watches, (PSTRING)&Path, Path.Length - Name.Length,
                                Named ? (PSTRING)&Stream->Name : NULL, NULL, Filter, Action, NULL);
}

/* PASSIVE_LEVEL.  The request is completed, now or when something changes. */
NTSTATUS NtfsWatchDirectory(PNTFS_VOLUME Volume, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);
    PNTFS_HANDLE Handle = Stack->FileObject->FsContext2;
    NTSTATUS Status = STATUS_PENDING;

    if (!Stream->File->IsDirectory || Stream->Name.Length != 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    NtfsLockLibrary();
    if (Volume->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if (Handle->Link->DeletePending) {
        Status = STATUS_DELETE_PENDING;
    } else {
        __try {
            FsRtlNotifyFullChangeDirectory(Volume->NotifySync, &Volume->Watches, Handle, (PSTRING)&Handle->Link->Path,
                                           (Stack->Flags & SL_WATCH_TREE) != 0, FALSE,
                                           Stack->Parameters.NotifyDirectory.CompletionFilter, Irp, NULL, NULL);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode(); /* no memory */
        }
    }
    NtfsUnlockLibrary();
    return Status == STATUS_PENDING ? Status : NtfsComplete(Irp, Status, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Share access: may a new opener join those a SHARE_ACCESS counts?  The file system serializes calls for a
 * file.
 */
#include "iop.h"

static VOID IopGrant(ACCESS_MASK Access, ULONG ShareAccess, PFILE_OBJECT FileObject)
{
    FileObject->ReadAccess = (Access & (FILE_EXECUTE | FILE_READ_DATA)) != 0;
    FileObject->WriteAccess = (Access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    FileObject->DeleteAccess = (Access & DELETE) != 0;
    if (FileObject->ReadAccess || FileObject->WriteAccess || FileObject->DeleteAccess) {
        FileObject->SharedRead = (ShareAccess & FILE_SHARE_READ) != 0;
        FileObject->SharedWrite = (ShareAccess & FILE_SHARE_WRITE) != 0;
        FileObject->SharedDelete = (ShareAccess & FILE_SHARE_DELETE) != 0;
    }
}

static BOOLEAN IopCounts(PFILE_OBJECT FileObject)
{
    return FileObject->ReadAccess || FileObject->WriteAccess || FileObject->DeleteAccess;
}

static BOOLEAN IopIgnoresSharing(PFILE_OBJECT FileObject)
{
    PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

    return Extension != NULL && Extension->IgnoreSharing;
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                            PSHARE_ACCESS ShareAccess)
{
    RtlZeroMemory(ShareAccess, sizeof(*ShareAccess));
    IopGrant(DesiredAccess, DesiredShareAccess, FileObject);
    if (!IopIgnoresSharing(FileObject)) {
        IoUpdateShareAccess(FileObject, ShareAccess);
    }
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    if (!IopCounts(FileObject) || IopIgnoresSharing(FileObject)) {
        return;
    }
    ShareAccess->OpenCount++;
    ShareAccess->Readers += FileObject->ReadAccess;
    ShareAccess->Writers += FileObject->WriteAccess;
    ShareAccess->Deleters += FileObject->DeleteAccess;
    ShareAccess->SharedRead += FileObject->SharedRead;
    ShareAccess->SharedWrite += FileObject->SharedWrite;
    ShareAccess->SharedDelete += FileObject->SharedDelete;
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    if (!IopCounts(FileObject) || IopIgnoresSharing(FileObject)) {
        return;
    }
    ShareAccess->OpenCount--;
    ShareAccess->Readers -= FileObject->ReadAccess;
    ShareAccess->Writers -= FileObject->WriteAccess;
    ShareAccess->Deleters -= FileObject->DeleteAccess;
    ShareAccess->SharedRead -= FileObject->SharedRead;
    ShareAccess->SharedWrite -= FileObject->SharedWrite;
    ShareAccess->SharedDelete -= FileObject->SharedDelete;
}

/* PASSIVE_LEVEL.  STATUS_SHARING_VIOLATION, or STATUS_SUCCESS and, with Update, one opener more. */
NTSTATUS NTAPI IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                                  PSHARE_ACCESS ShareAccess, BOOLEAN Update)
{
    ULONG Openers = ShareAccess->OpenCount;

    IopGrant(DesiredAccess, DesiredShareAccess, FileObject);
    if (!IopCounts(FileObject) || IopIgnoresSharing(FileObject)) {
        return STATUS_SUCCESS;
    }
    if ((FileObject->ReadAccess && ShareAccess->SharedRead < Openers) ||
        (FileObject->WriteAccess && ShareAccess->SharedWrite < Openers) ||
        (FileObject->DeleteAccess && ShareAccess->SharedDelete < Openers) ||
        (ShareAccess->Readers != 0 && !FileObject->SharedRead) ||
        (ShareAccess->Writers != 0 && !FileObject->SharedWrite) ||
        (ShareAccess->Deleters != 0 && !FileObject->SharedDelete)) {
        return STATUS_SHARING_VIOLATION;
    }
    if (Update) {
        IoUpdateShareAccess(FileObject, ShareAccess);
    }
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  From now on the file object's opens count for nobody; cannot be undone. */
NTSTATUS NTAPI IoSetFileObjectIgnoreSharing(PFILE_OBJECT FileObject)
{
    PIOP_FILE_EXTENSION Extension = IopGetFileExtension(FileObject, TRUE);

    if (Extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Extension->IgnoreSharing = TRUE;
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI IoIsFileObjectIgnoringSharing(PFILE_OBJECT FileObject)
{
    return IopIgnoresSharing(FileObject);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renames and links to another directory: the manager opens that directory for the file system, with
 * SL_OPEN_TARGET_DIRECTORY, so that file systems and filters above them see who is about to put something there.
 */
#include "iop.h"

/* FILE_RENAME_INFORMATION and FILE_LINK_INFORMATION are the same to the manager. */
C_ASSERT(sizeof(FILE_RENAME_INFORMATION) == sizeof(FILE_LINK_INFORMATION));
C_ASSERT(FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) == FIELD_OFFSET(FILE_LINK_INFORMATION, FileName));
C_ASSERT(FIELD_OFFSET(FILE_RENAME_INFORMATION, RootDirectory) == FIELD_OFFSET(FILE_LINK_INFORMATION, RootDirectory));

BOOLEAN IopIsNaming(FILE_INFORMATION_CLASS Class)
{
    return Class == FileRenameInformation || Class == FileRenameInformationEx || Class == FileLinkInformation ||
           Class == FileLinkInformationEx;
}

/* A directory that is moved becomes a subdirectory of another. */
static ACCESS_MASK IopNewParentAccess(PIOP_REQUEST Request)
{
    FILE_STANDARD_INFORMATION Standard;
    ULONG Length;
    NTSTATUS Status =
        IopQueryUnlocked(Request->FileObject, FileStandardInformation, sizeof(Standard), &Standard, &Length);

    return SYNCHRONIZE | (NT_SUCCESS(Status) && Standard.Directory ? FILE_ADD_SUBDIRECTORY : FILE_ADD_FILE);
}

/* The caller's handle is the caller's to use. */
static NTSTATUS IopCheckRootDirectory(PIOP_REQUEST Request, HANDLE RootDirectory)
{
    PFILE_OBJECT Directory;
    NTSTATUS Status;

    if (RootDirectory == NULL || Request->Mode == KernelMode) {
        return STATUS_SUCCESS;
    }
    Status = ObReferenceObjectByHandle(RootDirectory, 0, *IoFileObjectType, Request->Mode, (PVOID *)&Directory, NULL);
    if (NT_SUCCESS(Status)) {
        ObDereferenceObject(Directory);
    }
    return Status;
}

static NTSTATUS IopOpenParentOf(PIOP_REQUEST Request, PFILE_RENAME_INFORMATION Rename, PHANDLE Handle)
{
    UNICODE_STRING Name = {(USHORT)Rename->FileNameLength, (USHORT)Rename->FileNameLength, Rename->FileName};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status = IopCheckRootDirectory(Request, Rename->RootDirectory);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    InitializeObjectAttributes(&Attributes, &Name,
                               OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE |
                                   (Request->Mode != KernelMode ? OBJ_FORCE_ACCESS_CHECK : 0),
                               Rename->RootDirectory, NULL);
    return IoCreateFile(Handle, IopNewParentAccess(Request), &Attributes, &IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT,
                        NULL, 0, CreateFileTypeNone, NULL, IO_NO_PARAMETER_CHECKING | IO_OPEN_TARGET_DIRECTORY);
}

/*
 * The request's buffer has the name.  *Handle is the new parent's, for the caller to close when the request is over;
 * NULL where the file stays in its directory.  STATUS_NOT_SAME_DEVICE; what opening it says.  PASSIVE_LEVEL.
 */
NTSTATUS IopOpenNewParent(PIOP_REQUEST Request, ULONG Length, PHANDLE Handle)
{
    PFILE_RENAME_INFORMATION Rename = Request->Irp->AssociatedIrp.SystemBuffer;
    PFILE_OBJECT Parent;
    NTSTATUS Status;

    *Handle = NULL;
    if (Rename->FileNameLength == 0 || Rename->FileNameLength % sizeof(WCHAR) != 0 ||
        Rename->FileNameLength > MAXUSHORT ||
        Rename->FileNameLength > Length - FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName)) {
        return STATUS_INVALID_PARAMETER;
    }
    Request->Stack->Parameters.SetFile.ReplaceIfExists = Rename->ReplaceIfExists & FILE_RENAME_REPLACE_IF_EXISTS;
    if (Rename->FileName[0] != L'\\' && Rename->RootDirectory == NULL) {
        return STATUS_SUCCESS;
    }
    Status = IopOpenParentOf(Request, Rename, Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(*Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&Parent, NULL);
    if (NT_SUCCESS(Status) && IoGetRelatedDeviceObject(Parent) != Request->DeviceObject) {
        ObDereferenceObject(Parent);
        Status = STATUS_NOT_SAME_DEVICE;
    }
    if (!NT_SUCCESS(Status)) {
        ZwClose(*Handle);
        *Handle = NULL;
        return Status;
    }
    Request->Stack->Parameters.SetFile.FileObject = Parent;
    ObDereferenceObject(Parent);               /* the handle keeps it */
    KeClearEvent(&Request->FileObject->Event); /* the question may have set it */
    return STATUS_SUCCESS;
}

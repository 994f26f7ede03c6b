/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_SET_INFORMATION.  Where files end is in size.c.
 */
#include "ntfs.h"

/* 0 leaves a time as it is, and so do -1 and -2, which say who else may change it: nobody does here. */
static VOID NtfsSetTime(int64_t *Time, LARGE_INTEGER Wanted)
{
    if (Wanted.QuadPart > 0) {
        *Time = Wanted.QuadPart;
    }
}

static ULONG NtfsBasicFilter(PFILE_BASIC_INFORMATION Basic)
{
    return (Basic->FileAttributes != 0 ? FILE_NOTIFY_CHANGE_ATTRIBUTES : 0) |
           (Basic->CreationTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_CREATION : 0) |
           (Basic->LastAccessTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_LAST_ACCESS : 0) |
           (Basic->LastWriteTime.QuadPart > 0 ? FILE_NOTIFY_CHANGE_LAST_WRITE : 0);
}

static NTSTATUS NtfsSetBasic(PNTFS_SETTING Setting)
{
    PFILE_BASIC_INFORMATION Basic = Setting->Buffer;
    NTFS_FILE_FACTS Facts;
    LARGE_INTEGER Now;
    NTSTATUS Status;

    if (Basic->CreationTime.QuadPart < -2 || Basic->LastAccessTime.QuadPart < -2 ||
        Basic->LastWriteTime.QuadPart < -2 || Basic->ChangeTime.QuadPart < -2) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Basic->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 && !Setting->Stream->File->IsDirectory) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Basic->FileAttributes & FILE_ATTRIBUTE_TEMPORARY) != 0 && Setting->Stream->File->IsDirectory) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsLibraryFileFacts(Setting->Volume->Library, Setting->Stream->File->Id, &Facts);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    KeQuerySystemTime(&Now);
    Facts.Changed = Now.QuadPart;
    NtfsSetTime(&Facts.Created, Basic->CreationTime);
    NtfsSetTime(&Facts.Accessed, Basic->LastAccessTime);
    NtfsSetTime(&Facts.Written, Basic->LastWriteTime);
    NtfsSetTime(&Facts.Changed, Basic->ChangeTime);
    Setting->Handle->KeepWritten |= Basic->LastWriteTime.QuadPart != 0;
    if (Basic->FileAttributes != 0) {
        Facts.Attributes = Basic->FileAttributes;
    }
    Status = NtfsLibrarySetFacts(Setting->Volume->Library, Facts.Id, &Facts);
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Setting->Volume, Setting->Handle->Link, NULL, NtfsBasicFilter(Basic), FILE_ACTION_MODIFIED);
    }
    return Status;
}

static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG Size;
    NTSTATUS (*Set)(PNTFS_SETTING Setting);
} NtfsSetClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), NtfsSetBasic},
    {FileDispositionInformation, sizeof(FILE_DISPOSITION_INFORMATION), NtfsSetDisposition},
    {FileDispositionInformationEx, sizeof(FILE_DISPOSITION_INFORMATION_EX), NtfsSetDispositionEx},
    {FileRenameInformation, sizeof(FILE_RENAME_INFORMATION), NtfsSetRename},
    {FileRenameInformationEx, sizeof(FILE_RENAME_INFORMATION), NtfsSetRename},
    {FileLinkInformation, sizeof(FILE_LINK_INFORMATION), NtfsSetLink},
    {FileLinkInformationEx, sizeof(FILE_LINK_INFORMATION), NtfsSetLink},
    {FileShortNameInformation, sizeof(FILE_NAME_INFORMATION), NtfsSetShortName},
};

static NTSTATUS NtfsSetFileLocked(PNTFS_SETTING Setting, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status = NtfsCheckUsable(Setting->Volume, Setting->Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtfsSetClasses); Index++) {
        if (NtfsSetClasses[Index].Class == Stack->Parameters.SetFile.FileInformationClass) {
            if (Stack->Parameters.SetFile.Length < NtfsSetClasses[Index].Size) {
                return STATUS_INFO_LENGTH_MISMATCH;
            }
            return Setting->Volume->Facts.ReadOnly ? STATUS_MEDIA_WRITE_PROTECTED : NtfsSetClasses[Index].Set(Setting);
        }
    }
    return STATUS_NOT_IMPLEMENTED;
}

/* It has to be a sector's where sectors are transferred as they are. */
static NTSTATUS NtfsSetPosition(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, PFILE_POSITION_INFORMATION Position)
{
    if (Stack->Parameters.SetFile.Length < sizeof(*Position)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (Position->CurrentByteOffset.QuadPart < 0 ||
        ((Stack->FileObject->Flags & FO_NO_INTERMEDIATE_BUFFERING) != 0 &&
         Position->CurrentByteOffset.QuadPart % Volume->Sectors.SectorSize != 0)) {
        return STATUS_INVALID_PARAMETER;
    }
    Stack->FileObject->CurrentByteOffset = Position->CurrentByteOffset;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsSetInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    if (Volume->IsVolume && Stream != NULL) {
        Status = NtfsCheckOplock(Stream, Irp);
        if (Status == STATUS_PENDING) {
            return STATUS_PENDING;
        }
        if (!NT_SUCCESS(Status)) {
            return NtfsComplete(Irp, Status, 0);
        }
        Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Volume->IsVolume && Stack->Parameters.SetFile.FileInformationClass == FilePositionInformation) {
        Status = NtfsSetPosition(Volume, Stack, Irp->AssociatedIrp.SystemBuffer);
    } else if (Volume->IsVolume && Stream != NULL && NtfsIsSizeClass(Stack->Parameters.SetFile.FileInformationClass)) {
        Status = NtfsSetFileSize(Volume, Stream, Stack, Irp->AssociatedIrp.SystemBuffer);
    } else if (Volume->IsVolume && Stream != NULL) {
        NTFS_SETTING Setting = {Volume,
                                Stack->FileObject,
                                Stream,
                                Stack->FileObject->FsContext2,
                                Irp->AssociatedIrp.SystemBuffer,
                                Stack->Parameters.SetFile.Length,
                                Stack->Parameters.SetFile.FileInformationClass,
                                Stack->Parameters.SetFile.FileObject};

        NtfsLockLibrary();
        Status = NtfsSetFileLocked(&Setting, Stack);
        NtfsUnlockLibrary();
    }
    if (Volume->IsVolume && Stream != NULL) {
        Status = NtfsSettleFile(Volume, Stack->FileObject, Status);
    }
    return NtfsComplete(Irp, Status, 0);
}

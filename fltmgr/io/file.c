/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.c: what a filter asks of an open file or its volume, or sets, below its instance: the requests that answer in a
 * buffer of the filter's.  IRQL: PASSIVE_LEVEL.
 */
#include "issue.h"

NTSTATUS FLTAPI FltQueryInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                        ULONG Length, FILE_INFORMATION_CLASS FileInformationClass,
                                        PULONG LengthReturned)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_QUERY_INFORMATION};

    Iopb.Parameters.QueryFileInformation.Length = Length;
    Iopb.Parameters.QueryFileInformation.FileInformationClass = FileInformationClass;
    Iopb.Parameters.QueryFileInformation.InfoBuffer = FileInformation;
    return FltpAsk(Instance, FileObject, &Iopb, LengthReturned);
}

/* A rename or link to another directory: that directory, opened below the instance as the I/O manager opens it. */
static NTSTATUS FltpOpenNewParent(PFLT_INSTANCE Instance, PFILE_RENAME_INFORMATION Rename, ULONG Length, PHANDLE Handle,
                                  PFILE_OBJECT *Parent)
{
    UNICODE_STRING Name = {(USHORT)Rename->FileNameLength, (USHORT)Rename->FileNameLength, Rename->FileName};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    if (Length < sizeof(*Rename))
        return STATUS_INFO_LENGTH_MISMATCH;
    if (Rename->FileNameLength == 0 || Rename->FileNameLength > MAXUSHORT ||
        Rename->FileNameLength > Length - FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName))
        return STATUS_INVALID_PARAMETER;
    if (Rename->FileName[0] != '\\' && Rename->RootDirectory == NULL)
        return STATUS_SUCCESS;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Rename->RootDirectory,
                               NULL);
    return FltCreateFileEx(Instance->Filter, Instance, Handle, Parent, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes,
                           &IoStatus, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                           FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0, IO_NO_PARAMETER_CHECKING | IO_OPEN_TARGET_DIRECTORY);
}

NTSTATUS FLTAPI FltSetInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                      ULONG Length, FILE_INFORMATION_CLASS FileInformationClass)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_SET_INFORMATION};
    PFILE_OBJECT Parent = NULL;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    Iopb.Parameters.SetFileInformation.Length = Length;
    Iopb.Parameters.SetFileInformation.FileInformationClass = FileInformationClass;
    Iopb.Parameters.SetFileInformation.InfoBuffer = FileInformation;
    switch ((ULONG)FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx:
        Status = FltpOpenNewParent(Instance, FileInformation, Length, &Handle, &Parent);
        if (!NT_SUCCESS(Status))
            return Status;
        Iopb.Parameters.SetFileInformation.ParentOfTarget = Parent;
        Iopb.Parameters.SetFileInformation.ReplaceIfExists =
            ((PFILE_RENAME_INFORMATION)FileInformation)->ReplaceIfExists & FILE_RENAME_REPLACE_IF_EXISTS;
    }
    Status = FltpAsk(Instance, FileObject, &Iopb, NULL);
    if (Parent != NULL) {
        ObDereferenceObject(Parent);
        FltClose(Handle);
    }
    return Status;
}

static NTSTATUS FltpAskVolume(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, UCHAR Major, PVOID FsInformation,
                              ULONG Length, FS_INFORMATION_CLASS FsInformationClass, PULONG LengthReturned)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = Major};

    Iopb.Parameters.QueryVolumeInformation.Length = Length;
    Iopb.Parameters.QueryVolumeInformation.FsInformationClass = FsInformationClass;
    Iopb.Parameters.QueryVolumeInformation.VolumeBuffer = FsInformation;
    return FltpAsk(Instance, FileObject, &Iopb, LengthReturned);
}

NTSTATUS FLTAPI FltQueryVolumeInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FsInformation,
                                              ULONG Length, FS_INFORMATION_CLASS FsInformationClass,
                                              PULONG LengthReturned)
{
    return FltpAskVolume(Instance, FileObject, IRP_MJ_QUERY_VOLUME_INFORMATION, FsInformation, Length,
                         FsInformationClass, LengthReturned);
}

/* --- The volume, without a file --- */

typedef struct _FLTP_VOLUME_CLASS {
    FS_INFORMATION_CLASS Class;
    ULONG Smallest; /* buffer */
} FLTP_VOLUME_CLASS;

/* As documented for FltQueryVolumeInformation, and for FltSetVolumeInformation. */
static const FLTP_VOLUME_CLASS FltpVolumeQueries[] = {
    {FileFsAttributeInformation, FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName)},
    {FileFsControlInformation, sizeof(FILE_FS_CONTROL_INFORMATION)},
    {FileFsDeviceInformation, sizeof(FILE_FS_DEVICE_INFORMATION)},
    {FileFsDriverPathInformation, FIELD_OFFSET(FILE_FS_DRIVER_PATH_INFORMATION, DriverName)},
    {FileFsFullSizeInformation, sizeof(FILE_FS_FULL_SIZE_INFORMATION)},
    {FileFsObjectIdInformation, sizeof(FILE_FS_OBJECTID_INFORMATION)},
    {FileFsSizeInformation, sizeof(FILE_FS_SIZE_INFORMATION)},
    {FileFsVolumeInformation, FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel)},
    {FileFsSectorSizeInformation, sizeof(FILE_FS_SECTOR_SIZE_INFORMATION)},
};
static const FLTP_VOLUME_CLASS FltpVolumeSets[] = {
    {FileFsControlInformation, sizeof(FILE_FS_CONTROL_INFORMATION)},
    {FileFsLabelInformation, FIELD_OFFSET(FILE_FS_LABEL_INFORMATION, VolumeLabel)},
    {FileFsObjectIdInformation, sizeof(FILE_FS_OBJECTID_INFORMATION)},
};

static NTSTATUS FltpCheckVolumeClass(const FLTP_VOLUME_CLASS *Classes, ULONG Count, FS_INFORMATION_CLASS Class,
                                     ULONG Length)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        if (Classes[Index].Class == Class)
            return Length < Classes[Index].Smallest ? STATUS_INFO_LENGTH_MISMATCH : STATUS_SUCCESS;
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* The volume is opened below the instance, and closed again. */
static NTSTATUS FltpAskOpenedVolume(PFLT_INSTANCE Instance, UCHAR Major, PIO_STATUS_BLOCK Iosb, PVOID FsInformation,
                                    ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    PFILE_OBJECT File;
    HANDLE Handle;
    ULONG Returned = 0;
    NTSTATUS Status = FltOpenVolume(Instance, &Handle, &File);

    if (NT_SUCCESS(Status)) {
        Status = FltpAskVolume(Instance, File, Major, FsInformation, Length, FsInformationClass, &Returned);
        ObDereferenceObject(File);
        ZwClose(Handle);
    }
    Iosb->Status = Status;
    Iosb->Information = Returned;
    return Status;
}

NTSTATUS FLTAPI FltQueryVolumeInformation(PFLT_INSTANCE Instance, PIO_STATUS_BLOCK Iosb, PVOID FsInformation,
                                          ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    NTSTATUS Status =
        FltpCheckVolumeClass(FltpVolumeQueries, RTL_NUMBER_OF(FltpVolumeQueries), FsInformationClass, Length);

    if (!NT_SUCCESS(Status))
        return Status;
    return FltpAskOpenedVolume(Instance, IRP_MJ_QUERY_VOLUME_INFORMATION, Iosb, FsInformation, Length,
                               FsInformationClass);
}

NTSTATUS FLTAPI FltSetVolumeInformation(PFLT_INSTANCE Instance, PIO_STATUS_BLOCK Iosb, PVOID FsInformation,
                                        ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    NTSTATUS Status = FltpCheckVolumeClass(FltpVolumeSets, RTL_NUMBER_OF(FltpVolumeSets), FsInformationClass, Length);

    if (!NT_SUCCESS(Status))
        return Status;
    return FltpAskOpenedVolume(Instance, IRP_MJ_SET_VOLUME_INFORMATION, Iosb, FsInformation, Length,
                               FsInformationClass);
}

/* A volume that is open itself is no directory; all else is for the file system to say. */
NTSTATUS FLTAPI FltIsDirectory(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance, PBOOLEAN IsDirectory)
{
    FILE_STANDARD_INFORMATION Standard;
    NTSTATUS Status;

    *IsDirectory = FALSE;
    if (FlagOn(FileObject->Flags, FO_VOLUME_OPEN))
        return STATUS_SUCCESS;
    Status = FltQueryInformationFile(Instance, FileObject, &Standard, sizeof(Standard), FileStandardInformation, NULL);
    if (NT_SUCCESS(Status))
        *IsDirectory = Standard.Directory;
    return Status;
}

/* --- Flushing --- */

NTSTATUS FLTAPI FltFlushBuffers(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    return FltFlushBuffers2(Instance, FileObject, 0, NULL);
}

/* STATUS_INVALID_PARAMETER: no such type, or one that a volume does not have.  There is no IRP extension to propagate. */
NTSTATUS FLTAPI FltFlushBuffers2(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, ULONG FlushType,
                                 PFLT_CALLBACK_DATA CallbackData)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_FLUSH_BUFFERS};

    UNREFERENCED_PARAMETER(CallbackData);
    if (FlagOn(FileObject->Flags, FO_VOLUME_OPEN) && FlushType != 0 && FlushType != FLT_FLUSH_TYPE_FLUSH_AND_PURGE)
        return STATUS_INVALID_PARAMETER;
    switch (FlushType) {
    case 0: break;
    case FLT_FLUSH_TYPE_FLUSH_AND_PURGE: Iopb.MinorFunction = IRP_MN_FLUSH_AND_PURGE; break;
    case FLT_FLUSH_TYPE_FILE_DATA_ONLY: Iopb.MinorFunction = IRP_MN_FLUSH_DATA_ONLY; break;
    case FLT_FLUSH_TYPE_NO_SYNC: Iopb.MinorFunction = IRP_MN_FLUSH_NO_SYNC; break;
    case FLT_FLUSH_TYPE_DATA_SYNC_ONLY: Iopb.MinorFunction = IRP_MN_FLUSH_DATA_SYNC_ONLY; break;
    default: return STATUS_INVALID_PARAMETER;
    }
    return FltpAsk(Instance, FileObject, &Iopb, NULL);
}

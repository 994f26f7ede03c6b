/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.c: what a filter asks of an open file, or sets, below its instance: the requests that answer in a buffer of the
 * filter's.  IRQL: PASSIVE_LEVEL.
 */
#include "issue.h"

/* Fill has put the request's function and parameters there. */
typedef VOID FLTP_FILL(PFLT_IO_PARAMETER_BLOCK Iopb, PVOID Buffer, ULONG Length, ULONG Class);

static NTSTATUS FltpAskFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLTP_FILL *Fill, PVOID Buffer,
                            ULONG Length, ULONG Class, PULONG LengthReturned)
{
    PFLT_CALLBACK_DATA Data;
    PFLTP_ISSUED Issued;
    NTSTATUS Status = FltpAllocateIssued(Instance, FileObject, 0, &Issued);

    if (!NT_SUCCESS(Status))
        return Status;
    Data = &Issued->Operation.Data;
    Fill(Data->Iopb, Buffer, Length, Class);
    FltPerformSynchronousIo(Data);
    Status = Data->IoStatus.Status;
    if (LengthReturned != NULL)
        *LengthReturned = (ULONG)Data->IoStatus.Information;
    FltFreeCallbackData(Data);
    return Status;
}

static VOID FltpFillQuery(PFLT_IO_PARAMETER_BLOCK Iopb, PVOID Buffer, ULONG Length, ULONG Class)
{
    Iopb->MajorFunction = IRP_MJ_QUERY_INFORMATION;
    Iopb->Parameters.QueryFileInformation.Length = Length;
    Iopb->Parameters.QueryFileInformation.FileInformationClass = (FILE_INFORMATION_CLASS)Class;
    Iopb->Parameters.QueryFileInformation.InfoBuffer = Buffer;
}

static VOID FltpFillSet(PFLT_IO_PARAMETER_BLOCK Iopb, PVOID Buffer, ULONG Length, ULONG Class)
{
    Iopb->MajorFunction = IRP_MJ_SET_INFORMATION;
    Iopb->Parameters.SetFileInformation.Length = Length;
    Iopb->Parameters.SetFileInformation.FileInformationClass = (FILE_INFORMATION_CLASS)Class;
    Iopb->Parameters.SetFileInformation.InfoBuffer = Buffer;
}

static VOID FltpFillQueryVolume(PFLT_IO_PARAMETER_BLOCK Iopb, PVOID Buffer, ULONG Length, ULONG Class)
{
    Iopb->MajorFunction = IRP_MJ_QUERY_VOLUME_INFORMATION;
    Iopb->Parameters.QueryVolumeInformation.Length = Length;
    Iopb->Parameters.QueryVolumeInformation.FsInformationClass = (FS_INFORMATION_CLASS)Class;
    Iopb->Parameters.QueryVolumeInformation.VolumeBuffer = Buffer;
}

NTSTATUS FLTAPI FltQueryInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                        ULONG Length, FILE_INFORMATION_CLASS FileInformationClass,
                                        PULONG LengthReturned)
{
    return FltpAskFile(Instance, FileObject, FltpFillQuery, FileInformation, Length, FileInformationClass,
                       LengthReturned);
}

NTSTATUS FLTAPI FltSetInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                      ULONG Length, FILE_INFORMATION_CLASS FileInformationClass)
{
    return FltpAskFile(Instance, FileObject, FltpFillSet, FileInformation, Length, FileInformationClass, NULL);
}

NTSTATUS FLTAPI FltQueryVolumeInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FsInformation,
                                              ULONG Length, FS_INFORMATION_CLASS FsInformationClass,
                                              PULONG LengthReturned)
{
    return FltpAskFile(Instance, FileObject, FltpFillQueryVolume, FsInformation, Length, FsInformationClass,
                       LengthReturned);
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

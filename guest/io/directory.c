// SPDX-License-Identifier: GPL-2.0-or-later
/* Directories read: IRP_MJ_DIRECTORY_CONTROL, synchronous or not, as the file is. */
#include "iop.h"

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                    PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                                    FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
                                    PUNICODE_STRING FileName, BOOLEAN RestartScan);

/* The smallest buffer for a class of directory entries; 0: none of these. */
static ULONG IopDirectoryEntrySize(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileDirectoryInformation: return FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileName);
    case FileFullDirectoryInformation: return FIELD_OFFSET(FILE_FULL_DIR_INFORMATION, FileName);
    case FileBothDirectoryInformation: return FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName);
    case FileNamesInformation: return FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName);
    case FileIdBothDirectoryInformation: return FIELD_OFFSET(FILE_ID_BOTH_DIR_INFORMATION, FileName);
    case FileIdFullDirectoryInformation: return FIELD_OFFSET(FILE_ID_FULL_DIR_INFORMATION, FileName);
    case FileIdExtdDirectoryInformation: return FIELD_OFFSET(FILE_ID_EXTD_DIR_INFORMATION, FileName);
    case FileIdExtdBothDirectoryInformation: return FIELD_OFFSET(FILE_ID_EXTD_BOTH_DIR_INFORMATION, FileName);
    case FileObjectIdInformation: return sizeof(FILE_OBJECTID_INFORMATION);
    case FileReparsePointInformation: return sizeof(FILE_REPARSE_POINT_INFORMATION);
    case FileQuotaInformation: return FIELD_OFFSET(FILE_QUOTA_INFORMATION, Sid);
    default: return 0;
    }
}

/* The pattern, behind its string, in pool that the request's auxiliary buffer is: it goes with the request.
 */
static NTSTATUS IopCapturePattern(PIRP Irp, PUNICODE_STRING FileName, KPROCESSOR_MODE Mode, PUNICODE_STRING *Result)
{
    UNICODE_STRING Name = {0, 0, NULL};
    PUNICODE_STRING Copy;
    USHORT Length;

    *Result = NULL;
    __try {
        if (FileName != NULL && Mode != KernelMode) {
            ProbeForRead(FileName, sizeof(*FileName), sizeof(ULONG));
        }
        if (FileName != NULL) {
            Name = *(volatile UNICODE_STRING *)FileName;
        }
        if (Mode != KernelMode) {
            ProbeForRead(Name.Buffer, Name.Length, sizeof(WCHAR));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Length = Name.Length;
    if (Length == 0) {
        return STATUS_SUCCESS;
    }
    Copy = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Copy) + Length, IOP_TAG_NAME);
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Copy = (UNICODE_STRING){Length, Length, (PWCH)(Copy + 1)};
    __try {
        RtlCopyMemory(Copy->Buffer, Name.Buffer, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        ExFreePoolWithTag(Copy, IOP_TAG_NAME);
        return GetExceptionCode();
    }
    Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Copy;
    *Result = Copy;
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL.  STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH; without memory
 * STATUS_INSUFFICIENT_RESOURCES; else what the file system says, STATUS_NO_MORE_FILES at the end.
 */
NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                    PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                                    FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
                                    PUNICODE_STRING FileName, BOOLEAN RestartScan)
{
    IOP_REQUEST Request;
    PUNICODE_STRING Name;
    NTSTATUS Status;

    PAGED_CODE();
    if (IopDirectoryEntrySize(FileInformationClass) == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < IopDirectoryEntrySize(FileInformationClass)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = IopProbeUser(IoStatusBlock, NULL, 0, FileInformation, Length);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Request, FileHandle, FILE_LIST_DIRECTORY, Event, ApcRoutine, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock, IRP_MJ_DIRECTORY_CONTROL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCapturePattern(Request.Irp, FileName, Request.Mode, &Name);
    if (NT_SUCCESS(Status)) {
        Status = IopPrepareTransferBuffer(Request.Irp, Request.DeviceObject, FileInformation, Length, IoWriteAccess,
                                          Request.Mode);
    }
    if (!NT_SUCCESS(Status)) {
        if (Name != NULL) {
            ExFreePoolWithTag(Name, IOP_TAG_NAME);
            Request.Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
        }
        IopAbandonRequest(&Request);
        return Status;
    }
    Request.Irp->Flags &= ~IRP_DEFER_IO_COMPLETION;
    Request.Stack->MinorFunction = IRP_MN_QUERY_DIRECTORY;
    Request.Stack->Flags = (RestartScan ? SL_RESTART_SCAN : 0) | (ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0);
    Request.Stack->Parameters.QueryDirectory.Length = Length;
    Request.Stack->Parameters.QueryDirectory.FileInformationClass = FileInformationClass;
    Request.Stack->Parameters.QueryDirectory.FileName = Name;
    return IopIssueRequest(&Request);
}

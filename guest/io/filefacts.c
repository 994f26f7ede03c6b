// SPDX-License-Identifier: GPL-2.0-or-later
/* What may be asked about files and requests: extended attributes, DOS names, origin, session, priority;
 * deleting a file. */
#include "iop.h"

/* Any IRQL, with a resident buffer.  STATUS_EA_LIST_INCONSISTENT: *ErrorOffset is the entry that is at fault.
 */
NTSTATUS NTAPI IoCheckEaBufferValidity(PFILE_FULL_EA_INFORMATION EaBuffer, ULONG EaLength, PULONG ErrorOffset)
{
    ULONG Offset = 0, Fixed = FIELD_OFFSET(FILE_FULL_EA_INFORMATION, EaName);

    for (;;) {
        PFILE_FULL_EA_INFORMATION Entry = (PFILE_FULL_EA_INFORMATION)((PUCHAR)EaBuffer + Offset);
        ULONG Left = EaLength - Offset, Needed;

        *ErrorOffset = Offset;
        if (Left < Fixed) {
            return STATUS_EA_LIST_INCONSISTENT;
        }
        Needed = Fixed + Entry->EaNameLength + 1 + Entry->EaValueLength;
        if (Needed > Left || Entry->EaName[Entry->EaNameLength] != 0) {
            return STATUS_EA_LIST_INCONSISTENT;
        }
        if (Entry->NextEntryOffset == 0) {
            return STATUS_SUCCESS;
        }
        /* The next entry is behind this one, aligned. */
        if (Entry->NextEntryOffset != ALIGN_UP_BY(Needed, sizeof(ULONG)) || Entry->NextEntryOffset > Left) {
            return STATUS_EA_LIST_INCONSISTENT;
        }
        Offset += Entry->NextEntryOffset;
    }
}

/*
 * PASSIVE_LEVEL.  "C:\path", in paged pool that the caller frees with ExFreePool.
 * STATUS_OBJECT_NAME_NOT_FOUND: no drive letter leads to the volume.
 */
NTSTATUS NTAPI IoQueryFileDosDeviceName(PFILE_OBJECT FileObject, POBJECT_NAME_INFORMATION *ObjectNameInformation)
{
    UNICODE_STRING Letter;
    POBJECT_NAME_INFORMATION Result;
    USHORT Length;
    NTSTATUS Status;

    PAGED_CODE();
    *ObjectNameInformation = NULL;
    Status = IoVolumeDeviceToDosName(FileObject->DeviceObject, &Letter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Length = Letter.Length + FileObject->FileName.Length;
    Result = ExAllocatePoolWithTag(PagedPool, sizeof(*Result) + Length + sizeof(WCHAR), IOP_TAG_NAME);
    if (Result != NULL) {
        Result->Name = (UNICODE_STRING){0, Length + sizeof(WCHAR), (PWCH)(Result + 1)};
        RtlAppendUnicodeStringToString(&Result->Name, &Letter);
        RtlAppendUnicodeStringToString(&Result->Name, &FileObject->FileName);
        Result->Name.Buffer[Length / sizeof(WCHAR)] = 0;
        *ObjectNameInformation = Result;
    }
    ExFreePoolWithTag(Letter.Buffer, IOP_TAG_NAME);
    return Result != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* Any IRQL. */
BOOLEAN NTAPI IoIsFileOriginRemote(PFILE_OBJECT FileObject)
{
    return (FileObject->Flags & FO_REMOTE_ORIGIN) != 0;
}

/* <= DISPATCH_LEVEL.  STATUS_INVALID_PARAMETER_MIX: it is so already. */
NTSTATUS NTAPI IoSetFileOrigin(PFILE_OBJECT FileObject, BOOLEAN Remote)
{
    if (IoIsFileOriginRemote(FileObject) == (Remote != FALSE)) {
        return STATUS_INVALID_PARAMETER_MIX;
    }
    FileObject->Flags ^= FO_REMOTE_ORIGIN;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  STATUS_UNSUCCESSFUL, and MAXULONG: no thread is known to have asked for it. */
NTSTATUS NTAPI IoGetRequestorSessionId(PIRP Irp, PULONG pSessionId)
{
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    PACCESS_TOKEN Token;

    *pSessionId = MAXULONG;
    if (Process == NULL) {
        return STATUS_UNSUCCESSFUL;
    }
    Token = PsReferencePrimaryToken(Process);
    SeQuerySessionIdToken(Token, pSessionId);
    PsDereferencePrimaryToken(Token);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  Whatever opening it for deletion says. */
NTSTATUS NTAPI ZwDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    HANDLE Handle;

    PAGED_CODE();
    Status = ZwOpenFile(&Handle, DELETE, ObjectAttributes, &IoStatus,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_DELETE_ON_CLOSE);
    if (NT_SUCCESS(Status)) {
        Status = ZwClose(Handle);
    }
    return Status;
}

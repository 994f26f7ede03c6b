// SPDX-License-Identifier: GPL-2.0-or-later
/* Extended attributes of open files: IRP_MJ_QUERY_EA and IRP_MJ_SET_EA. */
#include "iop.h"

NTSTATUS IopCaptureEa(PIOP_OPEN_PACKET Packet, PVOID EaBuffer, ULONG EaLength)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (EaBuffer == NULL || EaLength == 0) {
        return STATUS_SUCCESS;
    }
    Packet->EaBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, EaLength, IOP_TAG_BUFFER);
    if (Packet->EaBuffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Packet->EaLength = EaLength;
    __try {
        RtlCopyMemory(Packet->EaBuffer, EaBuffer, EaLength);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

#define IOP_EA_MAXIMUM 0x10000

static NTSTATUS IopProbeEaQuery(PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PVOID EaList,
                                ULONG EaListLength, PULONG EaIndex)
{
    NTSTATUS Status = IopProbeUser(IoStatusBlock, EaList, EaList != NULL ? EaListLength : 0, Buffer, Length);

    __try {
        if (NT_SUCCESS(Status) && EaIndex != NULL && ExGetPreviousMode() != KernelMode) {
            ProbeForRead(EaIndex, sizeof(*EaIndex), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* A list of names, which have to be whole. */
static BOOLEAN IopIsEaList(PFILE_GET_EA_INFORMATION List, ULONG Length)
{
    ULONG Fixed = FIELD_OFFSET(FILE_GET_EA_INFORMATION, EaName);

    for (;;) {
        if (Length < Fixed || Length - Fixed < (ULONG)List->EaNameLength + 1) {
            return FALSE;
        }
        if (List->NextEntryOffset == 0) {
            return TRUE;
        }
        if (List->NextEntryOffset % sizeof(ULONG) != 0 || List->NextEntryOffset > Length ||
            List->NextEntryOffset < Fixed + List->EaNameLength + 1) {
            return FALSE;
        }
        Length -= List->NextEntryOffset;
        List = (PFILE_GET_EA_INFORMATION)((PUCHAR)List + List->NextEntryOffset);
    }
}

/* The list goes with the packet. */
static NTSTATUS IopCaptureEaList(PIOP_REQUEST Request, PVOID EaList, ULONG Length)
{
    PVOID Copy;
    NTSTATUS Status = STATUS_SUCCESS;

    if (EaList == NULL || Length == 0) {
        return STATUS_SUCCESS;
    }
    if (Length > IOP_EA_MAXIMUM) {
        return STATUS_EA_LIST_INCONSISTENT;
    }
    Copy = ExAllocatePoolWithTag(NonPagedPoolNx, Length, IOP_TAG_BUFFER);
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Irp->Tail.Overlay.AuxiliaryBuffer = Copy;
    __try {
        RtlCopyMemory(Copy, EaList, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status) && !IopIsEaList(Copy, Length)) {
        Status = STATUS_EA_LIST_INCONSISTENT;
    }
    Request->Stack->Parameters.QueryEa.EaList = Copy;
    Request->Stack->Parameters.QueryEa.EaListLength = Length;
    return Status;
}

static NTSTATUS IopStartEa(PIOP_SYNCHRONOUS Call, HANDLE FileHandle, ACCESS_MASK Access, UCHAR MajorFunction)
{
    NTSTATUS Status = IopBeginRequest(&Call->Request, FileHandle, Access, NULL, NULL, NULL);

    return NT_SUCCESS(Status) ? IopStartSynchronous(Call, MajorFunction) : Status;
}

NTSTATUS NTAPI NtQueryEaFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                             BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength, PULONG EaIndex,
                             BOOLEAN RestartScan);
NTSTATUS NTAPI NtSetEaFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length);

/* PASSIVE_LEVEL.  STATUS_EA_LIST_INCONSISTENT; else what the file system says: STATUS_NO_EAS_ON_FILE, STATUS_NO_MORE_EAS. */
NTSTATUS NTAPI NtQueryEaFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                             BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength, PULONG EaIndex,
                             BOOLEAN RestartScan)
{
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopProbeEaQuery(IoStatusBlock, Buffer, Length, EaList, EaListLength, EaIndex);
    if (NT_SUCCESS(Status)) {
        Status = IopStartEa(&Call, FileHandle, FILE_READ_EA, IRP_MJ_QUERY_EA);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCaptureEaList(&Call.Request, EaList, EaListLength);
    if (NT_SUCCESS(Status) && EaIndex != NULL) {
        __try {
            Call.Request.Stack->Parameters.QueryEa.EaIndex = *EaIndex;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
    }
    if (NT_SUCCESS(Status)) {
        Status = IopPrepareTransferBuffer(Call.Request.Irp, Call.Request.DeviceObject, Buffer, Length, IoWriteAccess,
                                          Call.Request.Mode);
    }
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Call.Request);
        return Status;
    }
    Call.Request.Stack->Parameters.QueryEa.Length = Length;
    Call.Request.Stack->Flags = (RestartScan ? SL_RESTART_SCAN : 0) | (ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0) |
                                (EaIndex != NULL ? SL_INDEX_SPECIFIED : 0);
    return IopRunSynchronous(&Call, IoStatusBlock);
}

static NTSTATUS IopCheckEas(PVOID Buffer, ULONG Length)
{
    NTSTATUS Status;
    ULONG Wrong;

    __try {
        Status = IoCheckEaBufferValidity(Buffer, Length, &Wrong);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_EA_LIST_INCONSISTENT; else what the file system says. */
NTSTATUS NTAPI NtSetEaFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length)
{
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopProbeUser(IoStatusBlock, Buffer, Length, NULL, 0);
    if (NT_SUCCESS(Status)) {
        Status = IopCheckEas(Buffer, Length);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopStartEa(&Call, FileHandle, FILE_WRITE_EA, IRP_MJ_SET_EA);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopPrepareTransferBuffer(Call.Request.Irp, Call.Request.DeviceObject, Buffer, Length, IoReadAccess,
                                      Call.Request.Mode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Call.Request);
        return Status;
    }
    Call.Request.Stack->Parameters.SetEa.Length = Length;
    return IopRunSynchronous(&Call, IoStatusBlock);
}

OB_ZW(QueryEaFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, BOOLEAN ReturnSingleEntry,
       PVOID EaList, ULONG EaListLength, PULONG EaIndex, BOOLEAN RestartScan),
      (FileHandle, IoStatusBlock, Buffer, Length, ReturnSingleEntry, EaList, EaListLength, EaIndex, RestartScan))
OB_ZW(SetEaFile, (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length),
      (FileHandle, IoStatusBlock, Buffer, Length))

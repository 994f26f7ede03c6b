/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the disk need not keep: IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, of which it knows DeviceDsmAction_Trim.
 *
 * Each range is whole blocks of the disk; the controller takes a piece of at most MAX_TRANSFER at a time, waited for.
 */
#include "adapter.h"

static NTSTATUS HbaTrimRange(PHBA_ADAPTER Adapter, const DEVICE_DATA_SET_RANGE *Range)
{
    ULONG64 Block = (ULONG64)Range->StartingOffset / Adapter->BlockSize;
    ULONG64 Left = Range->LengthInBytes / Adapter->BlockSize;
    NTSTATUS Status = STATUS_SUCCESS;

    while (Left != 0 && NT_SUCCESS(Status)) {
        ULONG Piece = (ULONG)min(Left, (ULONG64)(Adapter->MaxTransfer / Adapter->BlockSize));

        Status = HbaRunCommand(Adapter, FLTVM_HBA_OP_DISCARD, NULL, 0, Block, Piece);
        Block += Piece;
        Left -= Piece;
    }
    return Status;
}

static BOOLEAN HbaIsOfDisk(PHBA_ADAPTER Adapter, const DEVICE_DATA_SET_RANGE *Range)
{
    ULONG64 Size = Adapter->Blocks * Adapter->BlockSize;

    return Range->StartingOffset >= 0 && (ULONG64)Range->StartingOffset <= Size &&
           Range->LengthInBytes <= Size - (ULONG64)Range->StartingOffset &&
           Range->StartingOffset % Adapter->BlockSize == 0 && Range->LengthInBytes % Adapter->BlockSize == 0;
}

NTSTATUS HbaManageDataSet(PHBA_ADAPTER Adapter, PVOID Buffer, ULONG Length)
{
    PDEVICE_MANAGE_DATA_SET_ATTRIBUTES Request = Buffer;
    PDEVICE_DATA_SET_RANGE Ranges;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Count;

    if (Length < sizeof(*Request) || Request->Size < sizeof(*Request) || Request->DataSetRangesOffset > Length ||
        Request->DataSetRangesLength > Length - Request->DataSetRangesOffset ||
        Request->DataSetRangesOffset % sizeof(ULONG64) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Request->Action != DeviceDsmAction_Trim || (Adapter->Features & FLTVM_HBA_FEATURE_DISCARD) == 0 ||
        (Request->Flags & DEVICE_DSM_FLAG_ENTIRE_DATA_SET_RANGE) != 0) {
        return STATUS_NOT_SUPPORTED;
    }
    if ((Adapter->Features & FLTVM_HBA_FEATURE_READ_ONLY) != 0) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Ranges = (PDEVICE_DATA_SET_RANGE)((PUCHAR)Buffer + Request->DataSetRangesOffset);
    Count = Request->DataSetRangesLength / sizeof(*Ranges);
    for (ULONG Index = 0; Index < Count; Index++) {
        if (!HbaIsOfDisk(Adapter, &Ranges[Index])) {
            return STATUS_INVALID_PARAMETER;
        }
    }
    for (ULONG Index = 0; Index < Count && NT_SUCCESS(Status); Index++) {
        Status = HbaTrimRange(Adapter, &Ranges[Index]);
    }
    return Status;
}

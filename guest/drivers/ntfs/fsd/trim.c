/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FSCTL_FILE_LEVEL_TRIM (MS-FSA 2.1.5.10.6): what of a file the disk need not keep.
 *
 * Ranges are narrowed to whole pages; what of them is in clusters goes to the disk as ranges of the volume. The file keeps its clusters, and
 * its size.
 */
#include "ntfs.h"

#define NTFS_TRIM_RANGES 32

/* What goes to the disk in one request. */
typedef struct _NTFS_TRIM {
    DEVICE_MANAGE_DATA_SET_ATTRIBUTES Head;
    DEVICE_DATA_SET_RANGE Ranges[NTFS_TRIM_RANGES];
    ULONG Count;
    PNTFS_VOLUME Volume;
    LONGLONG Start, End; /* bytes of the file */
    NTSTATUS Status;
} NTFS_TRIM, *PNTFS_TRIM;

static VOID NtfsSendTrim(PNTFS_TRIM Trim)
{
    ULONG Length = FIELD_OFFSET(NTFS_TRIM, Ranges) + Trim->Count * sizeof(Trim->Ranges[0]);
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;

    if (Trim->Count == 0 || !NT_SUCCESS(Trim->Status)) {
        return;
    }
    Trim->Head.Size = sizeof(Trim->Head);
    Trim->Head.Action = DeviceDsmAction_Trim;
    Trim->Head.DataSetRangesOffset = FIELD_OFFSET(NTFS_TRIM, Ranges);
    Trim->Head.DataSetRangesLength = Trim->Count * sizeof(Trim->Ranges[0]);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Trim->Status =
        DriverSend(Trim->Volume->Target,
                   IoBuildDeviceIoControlRequest(IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES, Trim->Volume->Target, Trim,
                                                 Length, NULL, 0, FALSE, &Event, &IoStatus),
                   &Event, &IoStatus);
    Trim->Count = 0;
}

static int NtfsTrimRun(void *Context, int64_t Vcn, int64_t Lcn, int64_t Clusters)
{
    PNTFS_TRIM Trim = Context;
    LONGLONG Cluster = Trim->Volume->Facts.ClusterSize;
    LONGLONG From = max(Vcn * Cluster, Trim->Start), To = min((Vcn + Clusters) * Cluster, Trim->End);

    if (Lcn >= 0 && From < To) {
        Trim->Ranges[Trim->Count].StartingOffset = Lcn * Cluster + (From - Vcn * Cluster);
        Trim->Ranges[Trim->Count].LengthInBytes = (ULONG64)(To - From);
        Trim->Count++;
    }
    if (Trim->Count == NTFS_TRIM_RANGES) {
        NtfsSendTrim(Trim);
    }
    return !NT_SUCCESS(Trim->Status);
}

/* STATUS_NO_RANGES_PROCESSED: not one page of it is in the file. */
static NTSTATUS NtfsTrimRange(PNTFS_CONTROL Control, PNTFS_TRIM Trim, const FILE_LEVEL_TRIM_RANGE *Range)
{
    PNTFS_STREAM Stream = Control->Stream;
    NTSTATUS Status;

    if (Range->Offset > MAXLONGLONG - PAGE_SIZE || Range->Length > MAXLONGLONG - PAGE_SIZE - Range->Offset) {
        return STATUS_INTEGER_OVERFLOW;
    }
    Trim->Start = (LONGLONG)((Range->Offset + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1));
    Trim->End = min((LONGLONG)(Range->Offset + Range->Length), Stream->Header.FileSize.QuadPart) & ~(PAGE_SIZE - 1ll);
    if (Trim->Start >= Trim->End) {
        return STATUS_NO_RANGES_PROCESSED;
    }
    Status = NtfsLibraryRuns(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                             Stream->Name.Length / sizeof(WCHAR), NtfsTrimRun, Trim);
    NtfsSendTrim(Trim);
    return NT_SUCCESS(Status) ? Trim->Status : Status;
}

static NTSTATUS NtfsCheckTrim(PNTFS_CONTROL Control)
{
    PFILE_LEVEL_TRIM Wanted = Control->Input;
    LONGLONG Allocated;
    USHORT Format;
    NTSTATUS Status = NtfsCompressionLocked(Control->Volume, Control->Stream, &Format, &Allocated);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Format != COMPRESSION_FORMAT_NONE || Control->InputLength < FIELD_OFFSET(FILE_LEVEL_TRIM, Ranges) ||
        (Control->OutputLength != 0 && Control->OutputLength < sizeof(FILE_LEVEL_TRIM_OUTPUT)) ||
        Wanted->NumRanges == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Wanted->NumRanges > MAXULONG / sizeof(FILE_LEVEL_TRIM_RANGE)) {
        return STATUS_INTEGER_OVERFLOW;
    }
    return Wanted->NumRanges >
                   (Control->InputLength - FIELD_OFFSET(FILE_LEVEL_TRIM, Ranges)) / sizeof(Wanted->Ranges[0])
               ? STATUS_INVALID_PARAMETER
               : STATUS_SUCCESS;
}

NTSTATUS NtfsTrimFile(PNTFS_CONTROL Control)
{
    PFILE_LEVEL_TRIM Wanted = Control->Input;
    ULONG Count, Processed = 0;
    NTSTATUS Status = NtfsCheckTrim(Control), Last = STATUS_SUCCESS;
    PNTFS_TRIM Trim;

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Count = Wanted->NumRanges;
    Trim = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Trim), NTFS_TAG_HANDLE);
    if (Trim == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Trim, sizeof(*Trim));
    Trim->Volume = Control->Volume;
    for (ULONG Index = 0; Control->Stream->Mapped && Index < Count; Index++) {
        Last = NtfsTrimRange(Control, Trim, &Wanted->Ranges[Index]);
        if (!NT_SUCCESS(Last) && Last != STATUS_NO_RANGES_PROCESSED) {
            break;
        }
        Processed += NT_SUCCESS(Last);
    }
    ExFreePoolWithTag(Trim, NTFS_TAG_HANDLE);
    if (Control->OutputLength != 0) {
        ((PFILE_LEVEL_TRIM_OUTPUT)Control->Output)->NumRangesProcessed = Processed;
        Control->Used = sizeof(FILE_LEVEL_TRIM_OUTPUT);
    }
    if (!NT_SUCCESS(Last) && Last != STATUS_NO_RANGES_PROCESSED) {
        return Last;
    }
    return Processed != 0 ? STATUS_SUCCESS : STATUS_NO_RANGES_PROCESSED;
}

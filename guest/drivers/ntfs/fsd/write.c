/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_WRITE of files: through the library, here and now, cached or not; so the bytes are on the disk when the request ends.
 */
#include "ntfs.h"

/* Offset and length; FILE_WRITE_TO_END_OF_FILE is what a file opened for appending only gets in any case. */
static NTSTATUS NtfsPlaceWrite(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LARGE_INTEGER Wanted = Stack->Parameters.Write.ByteOffset;
    ULONG Sector = Volume->Sectors.SectorSize, Length = Stack->Parameters.Write.Length;

    *Offset = Wanted.QuadPart;
    if (Wanted.HighPart == -1 && Wanted.LowPart == FILE_WRITE_TO_END_OF_FILE) {
        *Offset = Stream->Header.FileSize.QuadPart;
    } else if (Wanted.QuadPart < 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Irp->Flags & IRP_NOCACHE) != 0 && (*Offset % Sector != 0 || Length % Sector != 0)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (*Offset > MAXLONGLONG - Length) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsWriteLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PVOID Buffer, PLONGLONG Offset)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Status = NtfsPlaceWrite(Volume, Stream, Irp, Offset);
    /* The size is whoever set it's: paging writes do not move it. */
    if (NT_SUCCESS(Status) && (Irp->Flags & IRP_PAGING_IO) != 0) {
        if (*Offset >= Stream->Header.FileSize.QuadPart) {
            return STATUS_SUCCESS;
        }
        Length = (ULONG)min((LONGLONG)Length, Stream->Header.FileSize.QuadPart - *Offset);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(&Facts, sizeof(Facts));
    Status = NtfsLibraryWrite(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                              Stream->Name.Length / sizeof(WCHAR), *Offset, Buffer, Length, &Facts);
    NtfsTakeSizesLocked(Stream, &Facts);
    return Status;
}

/* PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NtfsWriteFile(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LONGLONG Offset = 0;
    NTSTATUS Status;
    PVOID Buffer;

    if (Stream->File->IsDirectory && Stream->Name.Length == 0) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if ((Stack->MinorFunction & IRP_MN_MDL) != 0) {
        return DriverComplete(Irp, STATUS_NOT_IMPLEMENTED, 0); /* the cache's */
    }
    Status = NtfsLockUserBuffer(Irp, IoReadAccess, Stack->Parameters.Write.Length);
    if (!NT_SUCCESS(Status)) {
        return DriverComplete(Irp, Status, 0);
    }
    Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer == NULL) {
        return DriverComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    NtfsLockLibrary();
    Status = NtfsWriteLocked(Volume, Stream, Irp, Buffer, &Offset);
    NtfsUnlockLibrary();
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Stack->Parameters.Write.Length : 0;
    Stack->Parameters.Write.ByteOffset.QuadPart = Offset; /* where it went */
    NtfsMovePosition(Irp);
    return DriverComplete(Irp, Status, Irp->IoStatus.Information);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_WRITE of files.
 *
 * A cached write is the cache's (cached.c).  A non-cached one, and the memory manager's, goes to the disk by the stream's run list where it
 * replaces what is plainly in clusters and was written before; else through the library, which moves on what is valid.  The
 * run list stays as it is until the disk has answered, so clusters that the stream gives up are not written any more.
 */
#include "ntfs.h"

/* Offset and length; FILE_WRITE_TO_END_OF_FILE is what a file opened for appending only gets in any case. */
NTSTATUS NtfsPlaceWrite(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LARGE_INTEGER Wanted = Stack->Parameters.Write.ByteOffset;
    ULONG Sector = Volume->Sectors.SectorSize, Length = Stack->Parameters.Write.Length;

    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
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

/* A paging write belongs to whoever flushes: the file object is that of the first who used the file. */
static BOOLEAN NtfsGoesThrough(PNTFS_STREAM Stream, PIRP Irp)
{
    return NtfsIsWriteThrough(Irp) || ((Irp->Flags & IRP_PAGING_IO) != 0 && Stream->WritingThrough != 0);
}

/* The run list is held.  Flags: SL_WRITE_THROUGH. */
static NTSTATUS NtfsWriteRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PMDL Mdl, UCHAR Flags, LONGLONG Offset,
                              ULONG Length)
{
    PUCHAR Address = MmGetMdlVirtualAddress(Mdl);
    PMDL Piece = IoAllocateMdl(Address, Length, FALSE, FALSE, NULL);
    NTSTATUS Status = Piece != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    LONGLONG Place;
    ULONG Bytes;

    for (ULONG Done = 0; Done < Length && NT_SUCCESS(Status); Done += Bytes) {
        if (!NtfsFindRun(Volume, Stream, Offset + Done, Length - Done, &Place, &Bytes)) {
            Status = STATUS_FILE_CORRUPT_ERROR;
            break;
        }
        IoBuildPartialMdl(Mdl, Piece, Address + Done, Bytes);
        Status = NtfsSendSectors(Volume->Target, IRP_MJ_WRITE, Flags, Place, Piece, Bytes);
        MmPrepareMdlForReuse(Piece);
    }
    if (Piece != NULL) {
        IoFreeMdl(Piece);
    }
    return Status;
}

/* FALSE: it is not for the run list.  Length is in whole sectors, Wanted what of it is in the file. */
static BOOLEAN NtfsWriteMapped(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, LONGLONG Offset, ULONG Length,
                               ULONG Wanted, PNTSTATUS Status)
{
    UCHAR Flags = NtfsGoesThrough(Stream, Irp) ? SL_WRITE_THROUGH : 0;
    BOOLEAN Done = FALSE;

    if (Stream->Mapped && !Stream->RunsKnown && !NT_SUCCESS(NtfsLearnRuns(Volume, Stream))) {
        return FALSE;
    }
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Stream->RunsResource, TRUE);
    if (Stream->Deleted) {
        *Status = STATUS_SUCCESS; /* nobody will read it */
        Done = TRUE;
    } else if (Stream->Mapped && Stream->RunsKnown && Offset + Wanted <= Stream->ValidToDisk &&
               NtfsCountRuns(Volume, Stream, Offset, Length) != 0) {
        *Status = NtfsWriteRuns(Volume, Stream, Irp->MdlAddress, Flags, Offset, Length);
        Done = TRUE;
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    KeLeaveCriticalRegion();
    return Done;
}

static NTSTATUS NtfsWriteThroughLibrary(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, LONGLONG Offset,
                                        ULONG Length)
{
    PVOID Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    BOOLEAN Touch = (Irp->Flags & IRP_PAGING_IO) == 0;
    NTFS_STREAM_FACTS Facts = {.Size = Stream->Header.FileSize.QuadPart,
                               .Valid = Stream->ValidToDisk,
                               .Allocated = Stream->Header.AllocationSize.QuadPart,
                               .Mapped = Stream->Mapped};
    NTSTATUS Status = STATUS_SUCCESS;

    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NtfsLockLibrary();
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    if (Volume->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if (!Stream->Deleted) {
        Status = NtfsLibraryWrite(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                  Stream->Name.Length / sizeof(WCHAR), Offset, Buffer, Length, Touch, &Facts);
        NtfsTakeSizesLocked(Stream, &Facts);
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    NtfsUnlockLibrary();
    return Status;
}

/* The size is whoever set it's: paging writes do not move it. */
static NTSTATUS NtfsWriteToDisk(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, LONGLONG Offset)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length, Wanted = Length;
    ULONG Sector = Volume->Sectors.SectorSize;
    NTSTATUS Status;

    if ((Irp->Flags & IRP_PAGING_IO) != 0) {
        if (Offset >= Stream->Header.FileSize.QuadPart) {
            return STATUS_SUCCESS;
        }
        Wanted = (ULONG)min((LONGLONG)Length, Stream->Header.FileSize.QuadPart - Offset);
    }
    if (NtfsWriteMapped(Volume, Stream, Irp, Offset, (Wanted + Sector - 1) & ~(Sector - 1), Wanted, &Status)) {
        return Status;
    }
    return NtfsWriteThroughLibrary(Volume, Stream, Irp, Offset, Wanted);
}

static NTSTATUS NtfsWritePaging(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    NTSTATUS Status;

    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Stream->PagingIoResource, TRUE);
    Status = NtfsPlaceWrite(Volume, Stream, Irp, Offset);
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteToDisk(Volume, Stream, Irp, *Offset);
    }
    ExReleaseResourceLite(&Stream->PagingIoResource);
    KeLeaveCriticalRegion();
    return Status;
}

/* What the cache has is written before, and forgotten after: it is read anew.  What could not be written stays there. */
static NTSTATUS NtfsWriteNonCached(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.Write.Length;
    IO_STATUS_BLOCK Flushed = {.Status = STATUS_SUCCESS};
    NTSTATUS Status;

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    Status = NtfsPlaceWrite(Volume, Stream, Irp, Offset);
    if (NT_SUCCESS(Status) && Stream->Sections.DataSectionObject != NULL) {
        CcFlushCache(&Stream->Sections, (PLARGE_INTEGER)Offset, Length, &Flushed);
        Status = Flushed.Status;
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteToDisk(Volume, Stream, Irp, *Offset);
        if (Stream->Sections.DataSectionObject != NULL) {
            CcSetFileSizes(Stack->FileObject, (PCC_FILE_SIZES)&Stream->Header.AllocationSize);
            CcPurgeCacheSection(&Stream->Sections, (PLARGE_INTEGER)Offset, Length, 0);
        }
    }
    if (NT_SUCCESS(Status)) {
        Stack->FileObject->Flags |= FO_FILE_MODIFIED;
    }
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return Status;
}

/* The flush of a write-through file is the cache's own; what only the request says is done here. */
static NTSTATUS NtfsEndMdlWrite(PNTFS_STREAM Stream, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Flush = (Stack->Flags & SL_WRITE_THROUGH) != 0 && (Stack->FileObject->Flags & FO_WRITE_THROUGH) == 0;
    LARGE_INTEGER Offset = Stack->Parameters.Write.ByteOffset;
    NTSTATUS Status = STATUS_SUCCESS;
    IO_STATUS_BLOCK Flushed;
    ULONG Length = 0;

    for (PMDL Mdl = Irp->MdlAddress; Mdl != NULL; Mdl = Mdl->Next) {
        Length += MmGetMdlByteCount(Mdl);
    }

    __try {
        CcMdlWriteComplete(Stack->FileObject, &Stack->Parameters.Write.ByteOffset, Irp->MdlAddress);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    Irp->MdlAddress = NULL;
    if (NT_SUCCESS(Status) && Flush && Length != 0) {
        CcFlushCache(&Stream->Sections, &Offset, Length, &Flushed);
        Status = Flushed.Status;
    }
    return Status;
}

/* What the request, or the file, wants on the medium before it ends: the paging writes that the cache makes of it are told. */
static NTSTATUS NtfsWriteAsWanted(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Through = NtfsIsWriteThrough(Irp);
    NTSTATUS Status;

    if (Through) {
        InterlockedIncrement(&Stream->WritingThrough);
    }
    if ((Stack->MinorFunction & IRP_MN_COMPLETE) != 0) {
        Status = NtfsEndMdlWrite(Stream, Irp, Stack);
    } else if ((Irp->Flags & IRP_NOCACHE) == 0) {
        Status = NtfsWriteCached(Volume, Stream, Irp, Offset);
    } else {
        Status = NtfsWriteNonCached(Volume, Stream, Irp, Offset);
    }
    if (Through) {
        InterlockedDecrement(&Stream->WritingThrough);
    }
    return Through && NT_SUCCESS(Status) ? NtfsSettle(Volume) : Status;
}

/* PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NtfsWriteFile(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LONGLONG Offset = 0;
    NTSTATUS Status;

    if (Stream->File->IsDirectory && Stream->Name.Length == 0) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if ((Stack->MinorFunction & IRP_MN_COMPLETE) != 0) {
        return NtfsComplete(Irp, NtfsWriteAsWanted(Volume, Stream, Irp, &Offset), 0);
    }
    Status = NtfsCheckOplock(Stream, Irp);
    if (Status == STATUS_PENDING) {
        return STATUS_PENDING;
    }
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    if ((Irp->Flags & IRP_NOCACHE) != 0) {
        Status = NtfsLockUserBuffer(Irp, IoReadAccess, Stack->Parameters.Write.Length);
    }
    if (NT_SUCCESS(Status)) {
        Status = (Irp->Flags & (IRP_NOCACHE | IRP_PAGING_IO)) == (IRP_NOCACHE | IRP_PAGING_IO)
                     ? NtfsWritePaging(Volume, Stream, Irp, &Offset)
                     : NtfsWriteAsWanted(Volume, Stream, Irp, &Offset);
    }
    if (NT_SUCCESS(Status) && (Irp->Flags & IRP_PAGING_IO) == 0) {
        Stream->IsChanged = TRUE;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Stack->Parameters.Write.Length : 0;
    Stack->Parameters.Write.ByteOffset.QuadPart = Offset; /* where it went */
    NtfsMovePosition(Irp);
    return NtfsComplete(Irp, Status, Irp->IoStatus.Information);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_READ of files.
 *
 * A cached read is the cache's (cached.c).  A non-cached one of whole sectors that are plainly in clusters goes to the disk by the stream's run
 * list, without the library and its lock, and ends in the disk's DPC: one run with the request itself, several with a request for each.
 * What is resident, compressed, sparse, or partly beyond what was ever written goes through the library, here and now.
 */
#include "ntfs.h"

/* A read in several pieces.  The last of them ends the request. */
typedef struct _NTFS_PIECES {
    PIRP Irp;
    volatile LONG Remaining;
    volatile LONG Status; /* the first that failed */
    ULONG Wanted;
} NTFS_PIECES, *PNTFS_PIECES;

/* <= DISPATCH_LEVEL. */
VOID NtfsMovePosition(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (NT_SUCCESS(Irp->IoStatus.Status) && (Stack->FileObject->Flags & FO_SYNCHRONOUS_IO) != 0 &&
        (Irp->Flags & IRP_PAGING_IO) == 0) {
        Stack->FileObject->CurrentByteOffset.QuadPart =
            Stack->Parameters.Read.ByteOffset.QuadPart + (LONGLONG)Irp->IoStatus.Information;
    }
}

/* <= DISPATCH_LEVEL.  What was read behind the end of the file is not told. */
static NTSTATUS NTAPI NtfsReadCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    if (Irp->IoStatus.Status == STATUS_VERIFY_REQUIRED) {
        return NtfsTransferRefused(Irp);
    }
    if (NT_SUCCESS(Irp->IoStatus.Status)) {
        Irp->IoStatus.Information = min(Irp->IoStatus.Information, (ULONG_PTR)Context);
    }
    NtfsMovePosition(Irp);
    return STATUS_CONTINUE_COMPLETION;
}

/* <= DISPATCH_LEVEL. */
static VOID NtfsEndPiece(PNTFS_PIECES Pieces, NTSTATUS Status)
{
    PIRP Irp = Pieces->Irp;

    if (!NT_SUCCESS(Status)) {
        InterlockedCompareExchange(&Pieces->Status, Status, STATUS_SUCCESS);
    }
    if (InterlockedDecrement(&Pieces->Remaining) == 0) {
        Irp->IoStatus.Status = Pieces->Status;
        Irp->IoStatus.Information = NT_SUCCESS(Pieces->Status) ? Pieces->Wanted : 0;
        ExFreePoolWithTag(Pieces, NTFS_TAG_FILE);
        if (Irp->IoStatus.Status == STATUS_VERIFY_REQUIRED) {
            NtfsRetryLater(Irp);
            return;
        }
        NtfsMovePosition(Irp);
        IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    }
}

/* <= DISPATCH_LEVEL. */
static NTSTATUS NTAPI NtfsPieceCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    NTSTATUS Status = Irp->IoStatus.Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeMdl(Irp->MdlAddress);
    Irp->MdlAddress = NULL;
    IoFreeIrp(Irp);
    NtfsEndPiece(Context, Status);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NtfsSendPiece(PNTFS_VOLUME Volume, PNTFS_PIECES Pieces, ULONG Skip, LONGLONG Place, ULONG Bytes)
{
    PUCHAR Address = (PUCHAR)MmGetMdlVirtualAddress(Pieces->Irp->MdlAddress) + Skip;
    PMDL Mdl = IoAllocateMdl(Address, Bytes, FALSE, FALSE, NULL);
    PIRP Irp = IoAllocateIrp(Volume->Target->StackSize, FALSE);
    PIO_STACK_LOCATION Stack;

    if (Mdl == NULL || Irp == NULL) {
        if (Mdl != NULL) {
            IoFreeMdl(Mdl);
        }
        if (Irp != NULL) {
            IoFreeIrp(Irp);
        }
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IoBuildPartialMdl(Pieces->Irp->MdlAddress, Mdl, Address, Bytes);
    Irp->MdlAddress = Mdl;
    Irp->Flags = IRP_NOCACHE;
    Irp->Tail.Overlay.Thread = Pieces->Irp->Tail.Overlay.Thread;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_READ;
    Stack->Parameters.Read.Length = Bytes;
    Stack->Parameters.Read.ByteOffset.QuadPart = Place;
    IoSetCompletionRoutine(Irp, NtfsPieceCompletion, Pieces, TRUE, TRUE, TRUE);
    InterlockedIncrement(&Pieces->Remaining);
    IoCallDriver(Volume->Target, Irp);
    return STATUS_SUCCESS;
}

/* Length is in whole sectors, Wanted what is in the file. */
static NTSTATUS NtfsReadRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, ULONG Length, ULONG Wanted)
{
    LONGLONG Offset = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart, Place;
    PNTFS_PIECES Pieces = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Pieces), NTFS_TAG_FILE);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Bytes;

    if (Pieces == NULL) {
        return NtfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    *Pieces = (NTFS_PIECES){Irp, 1, STATUS_SUCCESS, Wanted};
    IoMarkIrpPending(Irp);
    for (ULONG Done = 0; Done < Length && NT_SUCCESS(Status); Done += Bytes) {
        if (!NtfsFindRun(Volume, Stream, Offset + Done, Length - Done, &Place, &Bytes)) {
            Status = STATUS_FILE_CORRUPT_ERROR;
            break;
        }
        Status = NtfsSendPiece(Volume, Pieces, Done, Place, Bytes);
    }
    NtfsEndPiece(Pieces, Status);
    return STATUS_PENDING;
}

static NTSTATUS NtfsReadRun(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, ULONG Length, ULONG Wanted)
{
    LONGLONG Offset = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart, Place;
    PIO_STACK_LOCATION Next;
    ULONG Bytes;

    if (!NtfsFindRun(Volume, Stream, Offset, Length, &Place, &Bytes)) {
        return NtfsComplete(Irp, STATUS_FILE_CORRUPT_ERROR, 0);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    Next = IoGetNextIrpStackLocation(Irp);
    Next->Parameters.Read.Length = Length;
    Next->Parameters.Read.ByteOffset.QuadPart = Place;
    IoSetCompletionRoutine(Irp, NtfsReadCompletion, (PVOID)(ULONG_PTR)Wanted, TRUE, TRUE, TRUE);
    return IoCallDriver(Volume->Target, Irp);
}

/* PASSIVE_LEVEL or APC_LEVEL. */
static NTSTATUS NtfsReadThroughLibrary(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, ULONG Wanted)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    uint32_t Bytes = Wanted;
    NTSTATUS Status;
    PVOID Buffer;

    Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer == NULL) {
        return NtfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    NtfsLockLibrary();
    Status = NtfsCheckUsable(Volume, Stream);
    if (NT_SUCCESS(Status)) {
        Status = NtfsLibraryRead(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                 Stream->Name.Length / sizeof(WCHAR), Stack->Parameters.Read.ByteOffset.QuadPart,
                                 Buffer, &Bytes);
    }
    NtfsUnlockLibrary();
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Bytes : 0;
    NtfsMovePosition(Irp);
    return NtfsComplete(Irp, Status, Irp->IoStatus.Information);
}

/* The run list stays as it is while the pieces are sent.  What is in no run, or has no run list any more, is the library's. */
static NTSTATUS NtfsReadMapped(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, ULONG Whole, ULONG Wanted)
{
    LONGLONG Offset = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart;
    NTSTATUS Status = Stream->RunsKnown ? STATUS_SUCCESS : NtfsLearnRuns(Volume, Stream);
    ULONG Runs;

    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Stream->RunsResource, TRUE);
    Runs = Stream->RunsKnown ? NtfsCountRuns(Volume, Stream, Offset, Whole) : 0;
    if (Runs == 1) {
        Status = NtfsReadRun(Volume, Stream, Irp, Whole, Wanted);
    } else if (Runs != 0) {
        Status = NtfsReadRuns(Volume, Stream, Irp, Whole, Wanted);
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    KeLeaveCriticalRegion();
    if (Status == STATUS_VERIFY_REQUIRED) {
        return NtfsComplete(Irp, Status, 0);
    }
    return Runs != 0 ? Status : NtfsReadThroughLibrary(Volume, Stream, Irp, Wanted);
}

/* What nobody has written is zeros, without the disk. */
static NTSTATUS NtfsReadZeros(PIRP Irp, ULONG Wanted)
{
    PVOID Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    NTSTATUS Status = Buffer != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;

    if (Buffer != NULL) {
        RtlZeroMemory(Buffer, Wanted);
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Buffer != NULL ? Wanted : 0;
    NtfsMovePosition(Irp);
    return NtfsComplete(Irp, Status, Irp->IoStatus.Information);
}

/* What the cache has that the disk has not yet goes there first. */
static NTSTATUS NtfsFlushBefore(PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack)
{
    IO_STATUS_BLOCK Result = {.Status = STATUS_SUCCESS};

    if (Stream->Sections.DataSectionObject != NULL) {
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&Stream->Resource, TRUE);
        CcFlushCache(&Stream->Sections, &Stack->Parameters.Read.ByteOffset, Stack->Parameters.Read.Length, &Result);
        ExReleaseResourceLite(&Stream->Resource);
        KeLeaveCriticalRegion();
    }
    return Result.Status;
}

/* Non-cached: the caller's, or the memory manager's, which nobody flushes for. */
static NTSTATUS NtfsReadFromDisk(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.Read.Length, Sector = Volume->Sectors.SectorSize, Wanted, Whole;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart, Size;
    NTSTATUS Status;

    if (Offset % Sector != 0 || Length % Sector != 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Status = (Irp->Flags & IRP_PAGING_IO) == 0 ? NtfsFlushBefore(Stream, Stack) : STATUS_SUCCESS;
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    Size = Stream->Header.FileSize.QuadPart;
    if (Offset >= Size) {
        return NtfsComplete(Irp, STATUS_END_OF_FILE, 0);
    }
    Wanted = (ULONG)min((LONGLONG)Length, Size - Offset);
    Whole = (Wanted + Sector - 1) & ~(Sector - 1);
    Status = NtfsLockUserBuffer(Irp, IoWriteAccess, Length);
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    if (Stream->Mapped && Offset + Wanted <= Stream->ValidToDisk) {
        return NtfsReadMapped(Volume, Stream, Irp, Whole, Wanted);
    }
    if (Offset >= Stream->ValidToDisk) {
        return NtfsReadZeros(Irp, Wanted);
    }
    return NtfsReadThroughLibrary(Volume, Stream, Irp, Wanted);
}

NTSTATUS NtfsReadFile(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status;

    if (Stream->File->IsDirectory && Stream->Name.Length == 0) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if ((Stack->MinorFunction & IRP_MN_COMPLETE) != 0) {
        CcMdlReadComplete(Stack->FileObject, Irp->MdlAddress);
        Irp->MdlAddress = NULL;
        return NtfsComplete(Irp, STATUS_SUCCESS, 0);
    }
    if (Stack->Parameters.Read.ByteOffset.QuadPart < 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Status = NtfsCheckOplock(Stream, Irp);
    if (Status == STATUS_PENDING) {
        return STATUS_PENDING;
    }
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    return (Irp->Flags & IRP_NOCACHE) != 0 ? NtfsReadFromDisk(Volume, Stream, Irp) : NtfsReadCached(Stream, Irp);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes by the cache, and what the cache asks of the file system.
 *
 * A cached write that makes the file larger takes its clusters first, so that it is told of a full disk; its bytes are on the disk when
 * the cache has written them (write.c), and zeros for who asks the disk before.
 */
#include "ntfs.h"

/* ---- what the cache asks: Context is the stream ---- */

static BOOLEAN NtfsAcquireForCache(PVOID Context, BOOLEAN Wait)
{
    PNTFS_STREAM Stream = Context;

    KeEnterCriticalRegion();
    if (!ExAcquireResourceSharedLite(&Stream->Resource, Wait)) {
        KeLeaveCriticalRegion();
        return FALSE;
    }
    IoSetTopLevelIrp((PIRP)FSRTL_CACHE_TOP_LEVEL_IRP);
    return TRUE;
}

static BOOLEAN NTAPI NtfsAcquireForLazyWrite(PVOID Context, BOOLEAN Wait)
{
    return NtfsAcquireForCache(Context, Wait);
}

static VOID NTAPI NtfsReleaseFromCache(PVOID Context)
{
    PNTFS_STREAM Stream = Context;

    IoSetTopLevelIrp(NULL);
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
}

static BOOLEAN NTAPI NtfsAcquireForReadAhead(PVOID Context, BOOLEAN Wait)
{
    return NtfsAcquireForCache(Context, Wait);
}

static CACHE_MANAGER_CALLBACKS NtfsCacheCallbacks = {NtfsAcquireForLazyWrite, NtfsReleaseFromCache,
                                                     NtfsAcquireForReadAhead, NtfsReleaseFromCache};

/* The stream's resource is held; raises. */
static VOID NtfsStartCaching(PNTFS_STREAM Stream, PFILE_OBJECT FileObject)
{
    if (FileObject->PrivateCacheMap == NULL) {
        CcInitializeCacheMap(FileObject, (PCC_FILE_SIZES)&Stream->Header.AllocationSize, FALSE, &NtfsCacheCallbacks,
                             Stream);
    }
}

/* The caller's buffer as it is: in the caller's context, unless somebody has locked it. */
static PVOID NtfsCallersBuffer(PIRP Irp)
{
    return Irp->MdlAddress != NULL
               ? MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute)
               : Irp->UserBuffer;
}

/* ---- reads ---- */

static NTSTATUS NtfsReadCachedLocked(PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LARGE_INTEGER Offset = Stack->Parameters.Read.ByteOffset;
    LONGLONG Size = Stream->Header.FileSize.QuadPart;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Length;
    PVOID Buffer;

    if (Offset.QuadPart >= Size) {
        return STATUS_END_OF_FILE;
    }
    Length = (ULONG)min((LONGLONG)Stack->Parameters.Read.Length, Size - Offset.QuadPart);
    __try {
        NtfsStartCaching(Stream, Stack->FileObject);
        if ((Stack->MinorFunction & IRP_MN_MDL) != 0) {
            CcMdlRead(Stack->FileObject, &Offset, Length, &Irp->MdlAddress, &Irp->IoStatus);
        } else {
            Buffer = NtfsCallersBuffer(Irp);
            if (Buffer == NULL) {
                ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
            }
            CcCopyRead(Stack->FileObject, &Offset, Length, TRUE, Buffer, &Irp->IoStatus);
        }
        Status = Irp->IoStatus.Status;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NtfsReadCached(PNTFS_STREAM Stream, PIRP Irp)
{
    NTSTATUS Status;

    Irp->IoStatus.Information = 0;
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Stream->Resource, TRUE);
    Status = NtfsReadCachedLocked(Stream, Irp);
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    Irp->IoStatus.Status = Status;
    if (!NT_SUCCESS(Status)) {
        Irp->IoStatus.Information = 0;
    }
    NtfsMovePosition(Irp);
    return NtfsComplete(Irp, Status, Irp->IoStatus.Information);
}

/* ---- writes.  The stream's resource is held alone ---- */

static NTSTATUS NtfsCopyIn(PNTFS_STREAM Stream, PIRP Irp, LONGLONG Place)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.Write.Length;
    LARGE_INTEGER Offset = {.QuadPart = Place};
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Buffer;

    __try {
        NtfsStartCaching(Stream, Stack->FileObject);
        if ((Stack->MinorFunction & IRP_MN_MDL) != 0) {
            CcPrepareMdlWrite(Stack->FileObject, &Offset, Length, &Irp->MdlAddress, &Irp->IoStatus);
        } else {
            Buffer = NtfsCallersBuffer(Irp);
            if (Buffer == NULL) {
                ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
            }
            CcCopyWrite(Stack->FileObject, &Offset, Length, TRUE, Buffer);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* What was made larger for bytes that did not come is cut again. */
static NTSTATUS NtfsWriteCachedLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, LONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LONGLONG End = Offset + Stack->Parameters.Write.Length, Old = Stream->Header.FileSize.QuadPart;
    NTSTATUS Status = STATUS_SUCCESS;
    IO_STATUS_BLOCK Flushed;

    if (End > Old) {
        Status = NtfsResizeStream(Volume, Stream, Stack->FileObject, End);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsCopyIn(Stream, Irp, Offset);
        if (!NT_SUCCESS(Status) && End > Old) {
            NtfsResizeStream(Volume, Stream, Stack->FileObject, Old);
        }
    }
    if (NT_SUCCESS(Status)) {
        Stream->Header.ValidDataLength.QuadPart = max(Stream->Header.ValidDataLength.QuadPart, End);
    }
    if (NT_SUCCESS(Status) && (Stack->Flags & SL_WRITE_THROUGH) != 0 &&
        (Stack->FileObject->Flags & FO_WRITE_THROUGH) == 0 && (Stack->MinorFunction & IRP_MN_MDL) == 0) {
        CcFlushCache(&Stream->Sections, (PLARGE_INTEGER)&Offset, Stack->Parameters.Write.Length, &Flushed);
        Status = Flushed.Status;
    }
    return Status;
}

/* The first change by a file object shows in the file's times; the last ones do when it is cleaned up. */
static VOID NtfsNoteChange(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PFILE_OBJECT FileObject)
{
    if ((FileObject->Flags & FO_FILE_MODIFIED) != 0) {
        return;
    }
    FileObject->Flags |= FO_FILE_MODIFIED;
    NtfsLockLibrary();
    if (!Volume->Dismounted && !Stream->Deleted) {
        NtfsLibraryTouch(Volume->Library, Stream->File->Id);
    }
    NtfsUnlockLibrary();
}

/* PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NtfsWriteCached(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status;

    CcCanIWrite(Stack->FileObject, Stack->Parameters.Write.Length, TRUE, FALSE);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    Status = NtfsPlaceWrite(Volume, Stream, Irp, Offset);
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteCachedLocked(Volume, Stream, Irp, *Offset);
    }
    if (NT_SUCCESS(Status)) {
        NtfsNoteChange(Volume, Stream, Stack->FileObject);
    }
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return Status;
}

/* ---- without a request: what is in the file stays where it is, and only its bytes are read or changed ---- */

static BOOLEAN NTAPI NtfsCheckFastIo(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                     ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                                     PDEVICE_OBJECT DeviceObject)
{
    PNTFS_STREAM Stream = NtfsStreamOf(FileObject);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    LARGE_INTEGER Range = {.QuadPart = Length};

    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(IoStatus);
    if (!Volume->IsVolume || Volume->Dismounted || Stream == NULL || NtfsIsDoubted(Volume)) {
        return FALSE;
    }
    if (!FsRtlOplockIsFastIoPossible(&Stream->Header.Oplock)) {
        return FALSE;
    }
    if (CheckForReadOperation) {
        return FsRtlFastCheckLockForRead(&Stream->Locks, FileOffset, &Range, LockKey, FileObject,
                                         PsGetCurrentProcess());
    }
    return FsRtlFastCheckLockForWrite(&Stream->Locks, FileOffset, &Range, LockKey, FileObject, PsGetCurrentProcess()) &&
           (!Volume->Facts.ReadOnly && FileOffset->QuadPart + Length <= Stream->Header.FileSize.QuadPart &&
            (FileObject->Flags & FO_FILE_MODIFIED) != 0); /* the first change is a request's: it shows in the times */
}

FAST_IO_DISPATCH NtfsFastIo = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoCheckIfPossible = NtfsCheckFastIo,
    .FastIoRead = FsRtlCopyRead,
    .FastIoWrite = FsRtlCopyWrite,
    .FastIoLock = NtfsFastLock,
    .FastIoUnlockSingle = NtfsFastUnlockSingle,
    .FastIoUnlockAll = NtfsFastUnlockAll,
    .FastIoUnlockAllByKey = NtfsFastUnlockAllByKey,
    .MdlRead = FsRtlMdlReadDev,
    .MdlReadComplete = FsRtlMdlReadCompleteDev,
    .PrepareMdlWrite = FsRtlPrepareMdlWriteDev,
    .MdlWriteComplete = FsRtlMdlWriteCompleteDev,
    .FastIoQueryOpen = NtfsFastQueryOpen,
};

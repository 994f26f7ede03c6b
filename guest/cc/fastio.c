// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fast I/O that a file system can put into its table as it is: reads and writes of cached files by what the common header says.
 *
 * FALSE sends the caller the way of a request: when the resource would have to be waited for, when the file system's header or its
 * routine says no, when a transfer failed.
 */
#include "ccp.h"

/* ---- what all begin with ---- */

static PFSRTL_COMMON_FCB_HEADER CcpHeader(PFILE_OBJECT FileObject)
{
    return FileObject->FsContext;
}

/* In a critical region then, with the resource. */
static BOOLEAN CcpEnter(PFSRTL_COMMON_FCB_HEADER Header, BOOLEAN Exclusive, BOOLEAN Wait)
{
    KeEnterCriticalRegion();
    if (Exclusive ? ExAcquireResourceExclusiveLite(Header->Resource, Wait)
                  : ExAcquireResourceSharedLite(Header->Resource, Wait)) {
        IoSetTopLevelIrp((PIRP)FSRTL_FAST_IO_TOP_LEVEL_IRP);
        return TRUE;
    }
    KeLeaveCriticalRegion();
    return FALSE;
}

static VOID CcpLeave(PFSRTL_COMMON_FCB_HEADER Header)
{
    IoSetTopLevelIrp(NULL);
    ExReleaseResourceLite(Header->Resource);
    KeLeaveCriticalRegion();
}

/* May it be done so, as the file system sees it? */
static BOOLEAN CcpIsPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                             BOOLEAN Read, PIO_STATUS_BLOCK IoStatus)
{
    PFSRTL_COMMON_FCB_HEADER Header = CcpHeader(FileObject);
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(FileObject);
    PFAST_IO_DISPATCH FastIo = Device->DriverObject->FastIoDispatch;

    if (FileObject->PrivateCacheMap == NULL || Header->IsFastIoPossible == FastIoIsNotPossible)
        return FALSE;
    if (Header->IsFastIoPossible != FastIoIsQuestionable)
        return TRUE;
    return FastIo != NULL && FastIo->FastIoCheckIfPossible != NULL &&
           FastIo->FastIoCheckIfPossible(FileObject, Offset, Length, Wait, LockKey, Read, IoStatus, Device);
}

/* What a file system would be told of by a request is told by one; a bug is a bug. */
static LONG CcpFilter(NTSTATUS Status)
{
    return FsRtlIsNtstatusExpected(Status) ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

/* ---- reads ---- */

/* With MdlChain, MDLs; else Buffer.  The resource is held. */
static BOOLEAN CcpFastReadLocked(PFILE_OBJECT FileObject, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait,
                                 ULONG LockKey, PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus)
{
    LONGLONG Size = CcpHeader(FileObject)->FileSize.QuadPart;
    BOOLEAN Done = TRUE;

    if (!CcpIsPossible(FileObject, Offset, Length, Wait, LockKey, TRUE, IoStatus))
        return FALSE;
    IoStatus->Information = 0;
    IoStatus->Status = STATUS_END_OF_FILE;
    if (Offset->QuadPart >= Size)
        return TRUE;
    Length = (ULONG)min((LONGLONG)Length, Size - Offset->QuadPart);
    __try {
        if (MdlChain != NULL)
            CcMdlRead(FileObject, Offset, Length, MdlChain, IoStatus);
        else
            Done = CcCopyRead(FileObject, Offset, Length, Wait, Buffer, IoStatus);
    } __except (CcpFilter(GetExceptionCode())) {
        Done = FALSE;
    }
    if (Done)
        FileObject->Flags |= FO_FILE_FAST_IO_READ;
    return Done;
}

static BOOLEAN CcpFastRead(PFILE_OBJECT FileObject, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                           PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus)
{
    PFSRTL_COMMON_FCB_HEADER Header = CcpHeader(FileObject);
    BOOLEAN Done;

    if (Length == 0) {
        IoStatus->Status = STATUS_SUCCESS;
        IoStatus->Information = 0;
        return TRUE;
    }
    if (Offset->QuadPart < 0 || Offset->QuadPart > MAXLONGLONG - Length || !CcpEnter(Header, FALSE, Wait))
        return FALSE;
    Done = CcpFastReadLocked(FileObject, Offset, Length, Wait, LockKey, Buffer, MdlChain, IoStatus);
    if (Done && MdlChain == NULL)
        FileObject->CurrentByteOffset.QuadPart = Offset->QuadPart + (LONGLONG)IoStatus->Information;
    CcpLeave(Header);
    return Done;
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI FsRtlCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                            ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    return CcpFastRead(FileObject, FileOffset, Length, Wait, LockKey, Buffer, NULL, IoStatus);
}

/* IRQL: <= APC_LEVEL. */
BOOLEAN NTAPI FsRtlMdlReadDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                              PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    return CcpFastRead(FileObject, FileOffset, Length, TRUE, LockKey, NULL, MdlChain, IoStatus);
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI FsRtlMdlReadCompleteDev(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    CcpFreeChain(MdlChain);
    return TRUE;
}

/* ---- writes ---- */

/* The end, and what was never written before the place, move first. */
static VOID CcpGrow(PFILE_OBJECT FileObject, LONGLONG Offset, LONGLONG End)
{
    PFSRTL_COMMON_FCB_HEADER Header = CcpHeader(FileObject);
    LARGE_INTEGER Place = {.QuadPart = Offset};

    if (End > Header->FileSize.QuadPart) {
        Header->FileSize.QuadPart = End;
        CcSetFileSizes(FileObject, (PCC_FILE_SIZES)&Header->AllocationSize);
        FileObject->Flags |= FO_FILE_SIZE_CHANGED;
    }
    if (Offset > Header->ValidDataLength.QuadPart)
        CcZeroData(FileObject, &Header->ValidDataLength, &Place, TRUE);
}

static BOOLEAN CcpFastWriteLocked(PFILE_OBJECT FileObject, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait,
                                  ULONG LockKey, PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus)
{
    PFSRTL_COMMON_FCB_HEADER Header = CcpHeader(FileObject);
    LONGLONG End = Offset->QuadPart + Length, Old = Header->FileSize.QuadPart;
    BOOLEAN Done = TRUE;

    if (!CcpIsPossible(FileObject, Offset, Length, Wait, LockKey, FALSE, IoStatus) ||
        End > Header->AllocationSize.QuadPart)
        return FALSE;
    __try {
        CcpGrow(FileObject, Offset->QuadPart, End);
        if (MdlChain != NULL)
            CcPrepareMdlWrite(FileObject, Offset, Length, MdlChain, IoStatus);
        else
            Done = CcCopyWrite(FileObject, Offset, Length, Wait, Buffer);
    } __except (CcpFilter(GetExceptionCode())) {
        Done = FALSE;
    }
    if (!Done && Header->FileSize.QuadPart != Old) {
        Header->FileSize.QuadPart = Old;
        CcSetFileSizes(FileObject, (PCC_FILE_SIZES)&Header->AllocationSize);
    }
    if (Done) {
        Header->ValidDataLength.QuadPart = max(Header->ValidDataLength.QuadPart, End);
        FileObject->Flags |= FO_FILE_MODIFIED;
        IoStatus->Status = STATUS_SUCCESS;
        IoStatus->Information = Length;
    }
    return Done;
}

static BOOLEAN CcpFastWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                            PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus)
{
    BOOLEAN Append = Offset->HighPart == -1 && Offset->LowPart == 0xFFFFFFFF; /* FILE_WRITE_TO_END_OF_FILE */
    PFSRTL_COMMON_FCB_HEADER Header = CcpHeader(FileObject);
    LARGE_INTEGER Place = *Offset;
    BOOLEAN Done, Exclusive;

    if ((FileObject->Flags & FO_WRITE_THROUGH) != 0 || (!Append && Place.QuadPart < 0) ||
        !CcCanIWrite(FileObject, Length, Wait, FALSE))
        return FALSE;
    if (Length == 0) {
        IoStatus->Status = STATUS_SUCCESS;
        IoStatus->Information = 0;
        return TRUE;
    }
    Exclusive = Append || Place.QuadPart > Header->ValidDataLength.QuadPart - (LONGLONG)Length;
    if (!CcpEnter(Header, Exclusive, Wait))
        return FALSE;
    if (Append)
        Place = Header->FileSize;
    /* The file may have been cut since: then it is a request's. */
    Done = (Exclusive || Place.QuadPart + Length <= Header->ValidDataLength.QuadPart) &&
           CcpFastWriteLocked(FileObject, &Place, Length, Wait, LockKey, Buffer, MdlChain, IoStatus);
    if (Done && MdlChain == NULL)
        FileObject->CurrentByteOffset.QuadPart = Place.QuadPart + Length;
    CcpLeave(Header);
    return Done;
}

/* IRQL: PASSIVE_LEVEL.  Beyond the allocation, or through: a request's. */
BOOLEAN NTAPI FsRtlCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                             ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    return CcpFastWrite(FileObject, FileOffset, Length, Wait, LockKey, Buffer, NULL, IoStatus);
}

/* IRQL: <= APC_LEVEL. */
BOOLEAN NTAPI FsRtlPrepareMdlWriteDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                      PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    return CcpFastWrite(FileObject, FileOffset, Length, TRUE, LockKey, NULL, MdlChain, IoStatus);
}

/* A write-through file's are a request's: they may fail. */
BOOLEAN NTAPI FsRtlMdlWriteCompleteDev(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                       PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    PAGED_CODE();
    if ((FileObject->Flags & FO_WRITE_THROUGH) != 0)
        return FALSE;
    CcpCompleteMdlWrite(FileObject, FileOffset, MdlChain);
    return TRUE;
}

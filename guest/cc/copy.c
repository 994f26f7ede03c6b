// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Copying from and to files.
 *
 * First the pages are brought in, in one go, and their status is raised as it is; then the copy is made, in which only the caller's
 * buffer should fault.  Pages that are overwritten as a whole are not read.
 */
#include "ccp.h"

DECLSPEC_NORETURN VOID CcpRaise(NTSTATUS Status)
{
    ExRaiseStatus(FsRtlNormalizeNtstatus(Status, STATUS_UNEXPECTED_IO_ERROR));
}

/* One copy within one view, of zeros without From; the exception's status, what paging said where that was the reason. */
static NTSTATUS CcpCopyBytes(PVOID To, const VOID *From, ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        if (From != NULL)
            RtlCopyMemory(To, From, Length);
        else
            RtlZeroMemory(To, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
        if (Status == STATUS_IN_PAGE_ERROR)
            Status = KeGetCurrentThread()->PageStatus;
        else if (Status == STATUS_ACCESS_VIOLATION)
            Status = STATUS_INVALID_USER_BUFFER;
    }
    return Status;
}

static ULONG CcpPiece(ULONG64 Offset, ULONG Length)
{
    return (ULONG)min(Length, CCP_VIEW_SIZE - Offset % CCP_VIEW_SIZE);
}

static NTSTATUS CcpReadPiece(PCCP_MAP Map, ULONG64 Offset, ULONG Length, PVOID Buffer)
{
    NTSTATUS Status = MmReadSegment(Map->Segment, Offset, Length);
    PCCP_VIEW View;

    if (!NT_SUCCESS(Status))
        return Status;
    View = CcpGetView(Map, Offset, Length);
    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = CcpCopyBytes(Buffer, View->Base + (Offset - View->Offset), Length);
    CcpReleaseView(Map, View);
    return Status;
}

static BOOLEAN CcpCopyRead(PFILE_OBJECT FileObject, LONGLONG Offset, ULONG Length, BOOLEAN Wait, PUCHAR Buffer,
                           PIO_STATUS_BLOCK IoStatus)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    LONGLONG Size = Map->Sizes.FileSize.QuadPart;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Done = 0, Piece;

    IoStatus->Information = 0;
    IoStatus->Status = STATUS_SUCCESS;
    Length = Offset >= Size ? 0 : (ULONG)min((LONGLONG)Length, Size - Offset);
    if (!Wait && !MmIsSegmentResident(Map->Segment, (ULONG64)Offset, Length)) {
        CcScheduleReadAhead(FileObject, (PLARGE_INTEGER)&Offset, Length);
        return FALSE;
    }
    for (; Done < Length && NT_SUCCESS(Status); Done += Piece) {
        Piece = CcpPiece((ULONG64)Offset + Done, Length - Done);
        Status = CcpReadPiece(Map, (ULONG64)Offset + Done, Piece, Buffer + Done);
    }
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
    if (FileObject->PrivateCacheMap != NULL)
        CcpNoteRead(FileObject->PrivateCacheMap, Offset, Length);
    IoStatus->Information = Length;
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  FALSE: not without waiting, which is not wanted.  Raises what the file system's read ends with; STATUS_INVALID_USER_BUFFER. */
BOOLEAN NTAPI CcCopyRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer,
                         PIO_STATUS_BLOCK IoStatus)
{
    PAGED_CODE();
    return CcpCopyRead(FileObject, FileOffset->QuadPart, Length, Wait, Buffer, IoStatus);
}

/* As CcCopyRead. */
BOOLEAN NTAPI CcCopyReadEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer,
                           PIO_STATUS_BLOCK IoStatus, PETHREAD IoIssuerThread)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(IoIssuerThread); /* whom the transfer is counted for: nobody counts */
    return CcpCopyRead(FileObject, FileOffset->QuadPart, Length, Wait, Buffer, IoStatus);
}

/* As CcCopyRead, with waiting. */
VOID NTAPI CcFastCopyRead(PFILE_OBJECT FileObject, ULONG FileOffset, ULONG Length, ULONG PageCount, PVOID Buffer,
                          PIO_STATUS_BLOCK IoStatus)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(PageCount);
    CcpCopyRead(FileObject, FileOffset, Length, TRUE, Buffer, IoStatus);
}

/* ---- writing ---- */

/*
 * Makes the pages of a part ready to be overwritten: those of which something stays are read.  Taken: which of the whole pages came unread,
 * from the first whole one on.
 */
NTSTATUS CcpPrepareWrite(PCCP_MAP Map, ULONG64 Offset, ULONG Length, PULONG64 Taken)
{
    ULONG64 First = ROUND_TO_PAGES(Offset), End = (Offset + Length) & ~(ULONG64)(PAGE_SIZE - 1);
    NTSTATUS Status = STATUS_SUCCESS;

    *Taken = 0;
    if (First > End) /* within one page */
        return MmReadSegment(Map->Segment, Offset, Length);
    if (First != Offset)
        Status = MmReadSegment(Map->Segment, Offset, First - Offset);
    if (NT_SUCCESS(Status) && End != Offset + Length)
        Status = MmReadSegment(Map->Segment, End, Offset + Length - End);
    if (NT_SUCCESS(Status) && First != End)
        Status = MmTakeSegmentPages(Map->Segment, First, End - First, Taken);
    return Status;
}

/* What came unread and was not overwritten is not the file's. */
static VOID CcpDropTaken(PCCP_MAP Map, ULONG64 Offset, ULONG64 Taken)
{
    for (ULONG64 Page = ROUND_TO_PAGES(Offset); Taken != 0; Page += PAGE_SIZE, Taken >>= 1) {
        if (Taken & 1)
            MmPurgeSegment(Map->Segment, Page, PAGE_SIZE);
    }
}

NTSTATUS CcpWritePiece(PCCP_MAP Map, ULONG64 Offset, ULONG Length, const VOID *Buffer)
{
    PCCP_VIEW View = CcpGetView(Map, Offset, Length);
    NTSTATUS Status;
    ULONG64 Taken;

    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = CcpPrepareWrite(Map, Offset, Length, &Taken);
    if (NT_SUCCESS(Status))
        Status = CcpCopyBytes(View->Base + (Offset - View->Offset), Buffer, Length);
    CcpReleaseView(Map, View);
    if (NT_SUCCESS(Status))
        MmDirtySegment(Map->Segment, Offset, Length);
    else
        CcpDropTaken(Map, Offset, Taken);
    return Status;
}

/* May a write of this be made without waiting? */
static BOOLEAN CcpIsWritable(PCCP_MAP Map, ULONG64 Offset, ULONG Length)
{
    return MmIsSegmentResident(Map->Segment, Offset, Length);
}

static BOOLEAN CcpCopyWrite(PFILE_OBJECT FileObject, LONGLONG Offset, ULONG Length, BOOLEAN Wait, PUCHAR Buffer)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Done = 0, Piece;
    ULONG64 Written;

    if (!Wait && ((FileObject->Flags & FO_WRITE_THROUGH) != 0 || !CcpIsWritable(Map, (ULONG64)Offset, Length)))
        return FALSE;
    for (; Done < Length && NT_SUCCESS(Status); Done += Piece) {
        Piece = CcpPiece((ULONG64)Offset + Done, Length - Done);
        Status = CcpWritePiece(Map, (ULONG64)Offset + Done, Piece, Buffer + Done);
    }
    if (NT_SUCCESS(Status) && (FileObject->Flags & FO_WRITE_THROUGH) != 0)
        Status = CcpFlushSegment(Map, Map->Segment, (ULONG64)Offset, Length, &Written);
    else
        CcpWakeLazyWriter();
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
    return TRUE;
}

/*
 * IRQL: <= APC_LEVEL.  FALSE: not without waiting, which is not wanted.  Raises what reading the rest of a page ends with, and for a
 * write-through file what the write does; STATUS_INVALID_USER_BUFFER.
 */
BOOLEAN NTAPI CcCopyWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, PVOID Buffer)
{
    PAGED_CODE();
    return CcpCopyWrite(FileObject, FileOffset->QuadPart, Length, Wait, Buffer);
}

/* As CcCopyWrite. */
BOOLEAN NTAPI CcCopyWriteEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                            PVOID Buffer, PETHREAD IoIssuerThread)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(IoIssuerThread);
    return CcpCopyWrite(FileObject, FileOffset->QuadPart, Length, Wait, Buffer);
}

/* As CcCopyWrite, with waiting. */
VOID NTAPI CcFastCopyWrite(PFILE_OBJECT FileObject, ULONG FileOffset, ULONG Length, PVOID Buffer)
{
    PAGED_CODE();
    CcpCopyWrite(FileObject, FileOffset, Length, TRUE, Buffer);
}

/* As long as it would not have to write more of the file at once: 64 KiB. */
/* IRQL: any. */
BOOLEAN NTAPI CcCopyWriteWontFlush(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length)
{
    UNREFERENCED_PARAMETER(FileOffset);
    return (FileObject->Flags & FO_WRITE_THROUGH) == 0 && Length <= 0x10000;
}

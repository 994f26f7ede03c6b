// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MDLs for who transfers from and to the cache's own pages: a list for each view that is touched, its pages locked.
 */
#include "ccp.h"

VOID CcpFreeChain(PMDL Mdl)
{
    PMDL Next;

    for (; Mdl != NULL; Mdl = Next) {
        Next = Mdl->Next;
        MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
}

/* One piece within a view, which is in memory. */
static NTSTATUS CcpLockPiece(PCCP_MAP Map, ULONG64 Offset, ULONG Length, LOCK_OPERATION Operation, PMDL *Result)
{
    PCCP_VIEW View = CcpGetView(Map, Offset, Length);
    NTSTATUS Status = STATUS_SUCCESS;
    PMDL Mdl;

    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Mdl = IoAllocateMdl(View->Base + (Offset - View->Offset), Length, FALSE, FALSE, NULL);
    if (Mdl == NULL) {
        CcpReleaseView(Map, View);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        MmProbeAndLockPages(Mdl, KernelMode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    CcpReleaseView(Map, View); /* the locks keep the pages, not the view */
    if (NT_SUCCESS(Status))
        *Result = Mdl;
    else
        IoFreeMdl(Mdl);
    return Status;
}

/* Appends to *MdlChain, which the caller has begun or set to NULL.  What was locked stays so when an exception is raised. */
static VOID CcpLockRange(PFILE_OBJECT FileObject, ULONG64 Offset, ULONG Length, BOOLEAN Write, PMDL *MdlChain,
                         PIO_STATUS_BLOCK IoStatus)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Done = 0, Piece;
    PMDL *Tail = MdlChain;
    ULONG64 Taken;

    while (*Tail != NULL)
        Tail = &(*Tail)->Next;
    IoStatus->Information = 0;
    for (; Done < Length && NT_SUCCESS(Status); Done += Piece) {
        Piece = (ULONG)min(Length - Done, CCP_VIEW_SIZE - (Offset + Done) % CCP_VIEW_SIZE);
        Status = Write ? CcpPrepareWrite(Map, Offset + Done, Piece, &Taken)
                       : MmReadSegment(Map->Segment, Offset + Done, Piece);
        if (NT_SUCCESS(Status))
            Status = CcpLockPiece(Map, Offset + Done, Piece, Write ? IoWriteAccess : IoReadAccess, Tail);
        if (NT_SUCCESS(Status)) {
            Tail = &(*Tail)->Next;
            IoStatus->Information += Piece;
        }
    }
    IoStatus->Status = Status;
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
}

/* IRQL: <= APC_LEVEL.  Raises; what has been locked is then the caller's to give back. */
VOID NTAPI CcMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, PMDL *MdlChain,
                     PIO_STATUS_BLOCK IoStatus)
{
    LONGLONG Size = CcpMapOf(FileObject)->Sizes.FileSize.QuadPart;

    PAGED_CODE();
    Length = FileOffset->QuadPart >= Size ? 0 : (ULONG)min((LONGLONG)Length, Size - FileOffset->QuadPart);
    CcpLockRange(FileObject, (ULONG64)FileOffset->QuadPart, Length, FALSE, MdlChain, IoStatus);
    if (FileObject->PrivateCacheMap != NULL)
        CcpNoteRead(FileObject->PrivateCacheMap, FileOffset->QuadPart, Length);
}

/* IRQL: <= APC_LEVEL.  Raises, as CcMdlRead. */
VOID NTAPI CcPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, PMDL *MdlChain,
                             PIO_STATUS_BLOCK IoStatus)
{
    PAGED_CODE();
    CcpLockRange(FileObject, (ULONG64)FileOffset->QuadPart, Length, TRUE, MdlChain, IoStatus);
}

/* The file system's own routine has the first word, as who filters the file may have it. */
#define CCP_FAST_IO(Device, Routine)                                                                                   \
    ((Device)->DriverObject->FastIoDispatch != NULL && (Device)->DriverObject->FastIoDispatch->SizeOfFastIoDispatch >= \
                                                           FIELD_OFFSET(FAST_IO_DISPATCH, Routine) + sizeof(PVOID)     \
         ? (Device)->DriverObject->FastIoDispatch->Routine                                                             \
         : NULL)

/* IRQL: <= APC_LEVEL. */
VOID NTAPI CcMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(FileObject);
    PFAST_IO_MDL_READ_COMPLETE Routine = CCP_FAST_IO(Device, MdlReadComplete);

    PAGED_CODE();
    if (Routine == NULL || !Routine(FileObject, MdlChain, Device))
        CcpFreeChain(MdlChain);
}

/* Raises what a write-through file's flush returns. */
VOID CcpCompleteMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    ULONG64 Offset = (ULONG64)FileOffset->QuadPart, Length = 0, Written;
    NTSTATUS Status = STATUS_SUCCESS;

    for (PMDL Mdl = MdlChain; Mdl != NULL; Mdl = Mdl->Next)
        Length += MmGetMdlByteCount(Mdl);
    MmDirtySegment(Map->Segment, Offset, Length);
    CcpFreeChain(MdlChain);
    if ((FileObject->Flags & FO_WRITE_THROUGH) != 0)
        Status = CcpFlushSegment(Map, Map->Segment, Offset, Length, &Written);
    else
        CcpWakeLazyWriter();
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
}

/* IRQL: <= APC_LEVEL.  Raises what the write of a write-through file ends with. */
VOID NTAPI CcMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(FileObject);
    PFAST_IO_MDL_WRITE_COMPLETE Routine = CCP_FAST_IO(Device, MdlWriteComplete);

    PAGED_CODE();
    if (Routine == NULL || !Routine(FileObject, FileOffset, MdlChain, Device))
        CcpCompleteMdlWrite(FileObject, FileOffset, MdlChain);
}

/* IRQL: <= APC_LEVEL.  What the pages hold is not said. */
VOID NTAPI CcMdlWriteAbort(PFILE_OBJECT FileObject, PMDL MdlChain)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FileObject);
    CcpFreeChain(MdlChain);
}

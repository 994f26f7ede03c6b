// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Data that are mapped and pinned: what file systems keep their structures in.
 *
 * Mapped data have a block of the caller's own.  A pinned block is shared by all who pin the same bytes, shared or exclusive by its
 * resource, and its log sequence numbers say what must be in the log before it may be written.
 */
#include "ccp.h"

static PCCP_BCB CcpNewBlock(PCCP_MAP Map, ULONG64 Offset, ULONG Length)
{
    PCCP_BCB Bcb = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Bcb), CCP_TAG);

    if (Bcb == NULL)
        return NULL;
    Bcb->View = CcpGetView(Map, Offset, Length);
    if (Bcb->View == NULL) {
        ExFreePoolWithTag(Bcb, CCP_TAG);
        return NULL;
    }
    CcpReferenceMap(Map);
    Bcb->Map = Map;
    Bcb->Address = Bcb->View->Base + (Offset - Bcb->View->Offset);
    Bcb->Public.NodeTypeCode = CCP_BCB_TYPE;
    Bcb->Public.NodeByteSize = sizeof(PUBLIC_BCB);
    Bcb->Public.MappedLength = Length;
    Bcb->Public.MappedFileOffset.QuadPart = (LONGLONG)Offset;
    Bcb->Count = 1;
    return Bcb;
}

static VOID CcpFreeBlock(PCCP_BCB Bcb)
{
    PCCP_MAP Map = Bcb->Map;

    if (Bcb->Pinned)
        ExDeleteResourceLite(&Bcb->Resource);
    CcpReleaseView(Map, Bcb->View);
    ExFreePoolWithTag(Bcb, CCP_TAG);
    CcpDereferenceMap(Map);
}

BOOLEAN CcpIsPinnedLocked(PCCP_MAP Map, ULONG64 Offset, ULONG64 Length)
{
    for (PLIST_ENTRY Entry = Map->Blocks.Flink; Entry != &Map->Blocks; Entry = Entry->Flink) {
        PCCP_BCB Bcb = CONTAINING_RECORD(Entry, CCP_BCB, Link);
        ULONG64 Start = (ULONG64)Bcb->Public.MappedFileOffset.QuadPart;

        if (Start + Bcb->Public.MappedLength > Offset && (Start < Offset || Start - Offset < Length))
            return TRUE;
    }
    return FALSE;
}

LONGLONG CcpCleanBlocks(PCCP_MAP Map, ULONG64 Offset, ULONG64 Length)
{
    LONGLONG Newest = 0;

    KeAcquireGuardedMutex(&Map->Lock);
    for (PLIST_ENTRY Entry = Map->Blocks.Flink; Entry != &Map->Blocks; Entry = Entry->Flink) {
        PCCP_BCB Bcb = CONTAINING_RECORD(Entry, CCP_BCB, Link);
        ULONG64 Start = (ULONG64)Bcb->Public.MappedFileOffset.QuadPart;

        if (!Bcb->Dirty || Start + Bcb->Public.MappedLength <= Offset || (Start > Offset && Start - Offset >= Length))
            continue;
        Newest = max(Newest, Bcb->NewestLsn.QuadPart);
        Bcb->Dirty = FALSE;
        Bcb->OldestLsn.QuadPart = Bcb->NewestLsn.QuadPart = 0;
    }
    KeReleaseGuardedMutex(&Map->Lock);
    return Newest;
}

/* A block that has all of the bytes, pinned once more. */
static PCCP_BCB CcpFindBlockLocked(PCCP_MAP Map, ULONG64 Offset, ULONG Length)
{
    for (PLIST_ENTRY Entry = Map->Blocks.Flink; Entry != &Map->Blocks; Entry = Entry->Flink) {
        PCCP_BCB Bcb = CONTAINING_RECORD(Entry, CCP_BCB, Link);
        ULONG64 Start = (ULONG64)Bcb->Public.MappedFileOffset.QuadPart;

        if (Offset >= Start && Offset - Start + Length <= Bcb->Public.MappedLength) {
            Bcb->Count++;
            return Bcb;
        }
    }
    return NULL;
}

static PCCP_BCB CcpPinBlock(PCCP_MAP Map, ULONG64 Offset, ULONG Length)
{
    PCCP_BCB Bcb, New;

    KeAcquireGuardedMutex(&Map->Lock);
    Bcb = CcpFindBlockLocked(Map, Offset, Length);
    KeReleaseGuardedMutex(&Map->Lock);
    if (Bcb != NULL)
        return Bcb;
    New = CcpNewBlock(Map, Offset, Length);
    if (New == NULL)
        return NULL;
    New->Pinned = TRUE;
    ExInitializeResourceLite(&New->Resource);
    KeAcquireGuardedMutex(&Map->Lock);
    Bcb = CcpFindBlockLocked(Map, Offset, Length);
    if (Bcb == NULL)
        InsertTailList(&Map->Blocks, &New->Link);
    KeReleaseGuardedMutex(&Map->Lock);
    if (Bcb == NULL)
        return New;
    CcpFreeBlock(New);
    return Bcb;
}

static VOID CcpUnpinBlock(PCCP_BCB Bcb)
{
    BOOLEAN Last;

    KeAcquireGuardedMutex(&Bcb->Map->Lock);
    Last = --Bcb->Count == 0;
    if (Last)
        RemoveEntryList(&Bcb->Link);
    KeReleaseGuardedMutex(&Bcb->Map->Lock);
    if (Last)
        CcpFreeBlock(Bcb);
}

static BOOLEAN CcpAcquireBlock(PCCP_BCB Bcb, ULONG Flags)
{
    BOOLEAN Wait = (Flags & PIN_WAIT) != 0;

    KeEnterCriticalRegion();
    if ((Flags & PIN_EXCLUSIVE) != 0 ? ExAcquireResourceExclusiveLite(&Bcb->Resource, Wait)
                                     : ExAcquireSharedStarveExclusive(&Bcb->Resource, Wait))
        return TRUE;
    KeLeaveCriticalRegion();
    return FALSE;
}

/* In memory, or it may be waited for. */
static BOOLEAN CcpBringIn(PCCP_MAP Map, ULONG64 Offset, ULONG Length, BOOLEAN Wait)
{
    NTSTATUS Status;

    if (!Wait)
        return MmIsSegmentResident(Map->Segment, Offset, Length);
    MmExtendSegment(Map->Segment, Offset + Length);
    Status = MmReadSegment(Map->Segment, Offset, Length);
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
    return TRUE;
}

static BOOLEAN CcpPin(PCCP_MAP Map, ULONG64 Offset, ULONG Length, ULONG Flags, PVOID *Result, PVOID *Buffer)
{
    PCCP_BCB Bcb;

    if ((Flags & PIN_IF_BCB) != 0) {
        KeAcquireGuardedMutex(&Map->Lock);
        Bcb = CcpFindBlockLocked(Map, Offset, Length);
        KeReleaseGuardedMutex(&Map->Lock);
        if (Bcb == NULL)
            return FALSE;
    } else {
        Bcb = CcpPinBlock(Map, Offset, Length);
    }
    if (Bcb == NULL)
        CcpRaise(STATUS_INSUFFICIENT_RESOURCES);
    if (!CcpAcquireBlock(Bcb, Flags)) {
        CcpUnpinBlock(Bcb);
        return FALSE;
    }
    *Result = Bcb;
    *Buffer = Bcb->Address + (Offset - (ULONG64)Bcb->Public.MappedFileOffset.QuadPart);
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  FALSE: without MAP_WAIT, the data are not in memory.  Raises what reading ends with; the bytes may be of two views. */
BOOLEAN NTAPI CcMapData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    ULONG64 Offset = (ULONG64)FileOffset->QuadPart;
    PCCP_BCB New;

    PAGED_CODE();
    if ((Flags & MAP_NO_READ) == 0 && !CcpBringIn(Map, Offset, Length, (Flags & MAP_WAIT) != 0))
        return FALSE;
    New = CcpNewBlock(Map, Offset, Length);
    if (New == NULL)
        CcpRaise(STATUS_INSUFFICIENT_RESOURCES);
    *Bcb = New;
    *Buffer = New->Address;
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  FALSE: not without PIN_WAIT, or with PIN_IF_BCB there is none.  Raises.  In a critical region until it is unpinned. */
BOOLEAN NTAPI CcPinRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb,
                        PVOID *Buffer)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    ULONG64 Offset = (ULONG64)FileOffset->QuadPart;

    PAGED_CODE();
    if ((Flags & PIN_NO_READ) == 0 && !CcpBringIn(Map, Offset, Length, (Flags & PIN_WAIT) != 0))
        return FALSE;
    return CcpPin(Map, Offset, Length, Flags, Bcb, Buffer);
}

/* IRQL: <= APC_LEVEL.  *Bcb becomes a pinned one; the address stays. */
BOOLEAN NTAPI CcPinMappedData(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG Flags, PVOID *Bcb)
{
    PCCP_BCB Mapped = *Bcb;
    PVOID Pinned, Buffer;

    PAGED_CODE();
    if (Mapped->Pinned)
        return TRUE;
    if (!CcpPin(CcpMapOf(FileObject), (ULONG64)FileOffset->QuadPart, Length, Flags, &Pinned, &Buffer))
        return FALSE;
    /* Whoever holds the mapped address goes on with it: a view's address stays as long as a block has it. */
    if (((PCCP_BCB)Pinned)->View != Mapped->View) {
        CcUnpinData(Pinned);
        CcpRaise(STATUS_INSUFFICIENT_RESOURCES);
    }
    CcpFreeBlock(Mapped);
    *Bcb = Pinned;
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  As CcPinRead, and dirty, with Zero all zeros. */
BOOLEAN NTAPI CcPreparePinWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Zero,
                                ULONG Flags, PVOID *Bcb, PVOID *Buffer)
{
    PCCP_MAP Map = CcpMapOf(FileObject);
    ULONG64 Offset = (ULONG64)FileOffset->QuadPart;

    PAGED_CODE();
    if (!CcpBringIn(Map, Offset, Length, (Flags & PIN_WAIT) != 0))
        return FALSE;
    if (!CcpPin(Map, Offset, Length, Flags, Bcb, Buffer))
        return FALSE;
    if (Zero)
        RtlZeroMemory(*Buffer, Length);
    CcSetDirtyPinnedData(*Bcb, NULL);
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  Lsn NULL: no log needs to be written before. */
VOID NTAPI CcSetDirtyPinnedData(PVOID BcbVoid, PLARGE_INTEGER Lsn)
{
    PCCP_BCB Bcb = BcbVoid;

    KeAcquireGuardedMutex(&Bcb->Map->Lock);
    Bcb->Dirty = TRUE;
    if (Lsn != NULL) {
        if (Bcb->OldestLsn.QuadPart == 0 || Lsn->QuadPart < Bcb->OldestLsn.QuadPart)
            Bcb->OldestLsn = *Lsn;
        if (Lsn->QuadPart > Bcb->NewestLsn.QuadPart)
            Bcb->NewestLsn = *Lsn;
    }
    KeReleaseGuardedMutex(&Bcb->Map->Lock);
    MmDirtySegment(Bcb->Map->Segment, (ULONG64)Bcb->Public.MappedFileOffset.QuadPart, Bcb->Public.MappedLength);
    CcpWakeLazyWriter();
}

/* IRQL: <= APC_LEVEL. */
VOID NTAPI CcUnpinData(PVOID Bcb)
{
    CcUnpinDataForThread(Bcb, ExGetCurrentResourceThread());
}

/* IRQL: <= APC_LEVEL.  For a thread, or an owner of CcSetBcbOwnerPointer. */
VOID NTAPI CcUnpinDataForThread(PVOID BcbVoid, ERESOURCE_THREAD ResourceThreadId)
{
    PCCP_BCB Bcb = BcbVoid;

    PAGED_CODE();
    if (!Bcb->Pinned) {
        CcpFreeBlock(Bcb);
        return;
    }
    ExReleaseResourceForThreadLite(&Bcb->Resource, ResourceThreadId);
    if (ResourceThreadId == ExGetCurrentResourceThread())
        KeLeaveCriticalRegion();
    CcpUnpinBlock(Bcb);
}

/* The pin's owner is a pointer from now on (its low bits 3), and no thread's critical region. */
VOID NTAPI CcSetBcbOwnerPointer(PVOID BcbVoid, PVOID OwnerPointer)
{
    PCCP_BCB Bcb = BcbVoid;

    if (Bcb->Pinned) {
        ExSetResourceOwnerPointer(&Bcb->Resource, OwnerPointer);
        KeLeaveCriticalRegion();
    }
}

/* IRQL: <= APC_LEVEL.  It stays when it is unpinned, until CcUnpinRepinnedBcb. */
VOID NTAPI CcRepinBcb(PVOID BcbVoid)
{
    PCCP_BCB Bcb = BcbVoid;

    KeAcquireGuardedMutex(&Bcb->Map->Lock);
    Bcb->Count++;
    KeReleaseGuardedMutex(&Bcb->Map->Lock);
}

/* IRQL: <= APC_LEVEL.  WriteThrough: it is written before, with the log first; IoStatus tells how that ended. */
VOID NTAPI CcUnpinRepinnedBcb(PVOID BcbVoid, BOOLEAN WriteThrough, PIO_STATUS_BLOCK IoStatus)
{
    PCCP_BCB Bcb = BcbVoid;
    ULONG64 Written = 0;

    PAGED_CODE();
    IoStatus->Status = STATUS_SUCCESS;
    if (WriteThrough)
        IoStatus->Status = CcpFlushSegment(Bcb->Map, Bcb->Map->Segment, (ULONG64)Bcb->Public.MappedFileOffset.QuadPart,
                                           Bcb->Public.MappedLength, &Written);
    IoStatus->Information = (ULONG_PTR)Written;
    CcpUnpinBlock(Bcb);
}

/* IRQL: any.  Not referenced. */
PFILE_OBJECT NTAPI CcGetFileObjectFromBcb(PVOID Bcb)
{
    return ((PCCP_BCB)Bcb)->Map->FileObject;
}

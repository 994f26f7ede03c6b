// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults in views: the page of the segment is shown, or copied if it is written through a view that copies.
 *
 * A copy is the process's own: its entry says "committed", as private memory's does, and goes with the view.
 */
#include "segment.h"

/* A fault brings in what follows, too, as far as it is not there. */
#define MI_FAULT_PAGES 8

/* The view that an address is in, with the lock that keeps it there. */
typedef struct _MI_PLACE {
    PMM_SPACE Space; /* NULL: system space */
    PMI_VIEW View;
    ULONG Protect;
} MI_PLACE;

static BOOLEAN MiIsViewAddress(ULONG64 Address)
{
    return Address - MM_SYSTEM_VIEWS < MiViewRegion.Pages * MM_ALLOCATION_GRANULARITY;
}

static VOID MiUnlockPlace(MI_PLACE *Place)
{
    if (Place->Space != NULL)
        MiUnlockSpace(Place->Space);
    else
        KeReleaseGuardedMutex(&MiViewLock);
}

static BOOLEAN MiLockPlace(ULONG64 Address, MI_PLACE *Place)
{
    PMI_RANGE Range;

    RtlZeroMemory(Place, sizeof(*Place));
    if (Address <= MM_HIGHEST_USER) {
        Place->Space = MiLockSpace();
        Range = MiFindReserved(Place->Space, Address, Address + 1);
        if (Range != NULL && Range->View != NULL) {
            Place->View = Range->View;
            Place->Protect = Range->Current;
        }
    } else if (MiIsViewAddress(Address)) {
        KeAcquireGuardedMutex(&MiViewLock);
        Place->View = MiSystemView[(Address - MM_SYSTEM_VIEWS) / MM_ALLOCATION_GRANULARITY];
        if (Place->View != NULL && Address >= Place->View->End)
            Place->View = NULL;
        if (Place->View != NULL)
            Place->Protect = Place->View->Protect;
    } else {
        return FALSE;
    }
    if (Place->View == NULL)
        MiUnlockPlace(Place);
    return Place->View != NULL;
}

static BOOLEAN MiIsCopied(ULONG Protect)
{
    return (Protect & (PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY)) != 0;
}

static BOOLEAN MiViewAllows(MI_PLACE *Place, BOOLEAN Write, BOOLEAN Execute)
{
    if (Place->Protect & PAGE_NOACCESS)
        return FALSE;
    if (Execute && (Place->Space == NULL || (Place->Protect & 0xF0) == 0))
        return FALSE;
    return !Write || MiIsCopied(Place->Protect) || (Place->Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0;
}

MMPTE MiViewBits(ULONG Protect, BOOLEAN Copy)
{
    ULONG Modifiers = Protect & ~0xFFu;

    if (Protect & PAGE_WRITECOPY)
        Protect = Copy ? PAGE_READWRITE : PAGE_READONLY;
    else if (Protect & PAGE_EXECUTE_WRITECOPY)
        Protect = Copy ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ;
    return MiProtectionBits((Protect & 0xFF) | Modifiers) & (Copy ? ~(MMPTE)0 : ~MI_PTE_COMMITTED);
}

static NTSTATUS MiCopyPage(MI_PLACE *Place, PMMPTE Pte, ULONG64 Address, ULONG Source)
{
    ULONG Page = MmAvailablePages() > MI_KEPT_PAGES ? MiAllocatePage(FALSE) : MI_NO_PAGE;

    if (Page == MI_NO_PAGE)
        return STATUS_COMMITMENT_LIMIT;
    RtlCopyMemory(MiPageAddress(Page), MiPageAddress(Source), PAGE_SIZE);
    *Pte = ((ULONG64)Page << PAGE_SHIFT) | MiViewBits(Place->Protect, TRUE);
    KeFlushMultipleTb((PVOID)Address, 1);
    return STATUS_SUCCESS;
}

/* Both locks are held, and the page is there. */
static NTSTATUS MiShowPage(MI_PLACE *Place, ULONG64 Address, PMI_CHUNK Chunk, ULONG Slot, BOOLEAN Write)
{
    PMMPTE Pte = MiMakePte(Address);
    MMPTE Bits = MiViewBits(Place->Protect, FALSE);

    if (Pte == NULL)
        return STATUS_NO_MEMORY;
    if (*Pte & MI_PTE_COMMITTED) { /* the copy: another thread has made it */
        MiInvalidate(Address);
        return STATUS_SUCCESS;
    }
    if (Write && MiIsCopied(Place->Protect))
        return MiCopyPage(Place, Pte, Address, Chunk->Page[Slot]);
    if (Place->Space == NULL)
        Bits = (Bits & ~(MMPTE)FLTVM_PTE_USER) | FLTVM_PTE_NX;
    *Pte = ((ULONG64)Chunk->Page[Slot] << PAGE_SHIFT) | Bits;
    MiInvalidate(Address); /* it only ever allows more: elsewhere the fault is repeated */
    return STATUS_SUCCESS;
}

/* Both locks are held.  STATUS_MORE_PROCESSING_REQUIRED: the page is the file's, and not in memory. */
static NTSTATUS MiResolveLocked(MI_PLACE *Place, ULONG64 Address, ULONG64 Page, BOOLEAN Write)
{
    PMM_SEGMENT Segment = Place->View->Segment;
    PMI_CHUNK Chunk = MiFindChunk(Segment, Page / MI_CHUNK_PAGES);

    if (Chunk != NULL && Chunk->Page[Page % MI_CHUNK_PAGES] != MI_NO_PAGE)
        return MiShowPage(Place, Address & ~(ULONG64)(PAGE_SIZE - 1), Chunk, Page % MI_CHUNK_PAGES, Write);
    if (Segment->FileObject == NULL || (Page << PAGE_SHIFT) >= Segment->Size)
        return STATUS_ACCESS_VIOLATION;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS MiResolveView(ULONG64 Address, BOOLEAN Write, BOOLEAN Execute)
{
    NTSTATUS Status;
    PMM_SEGMENT Segment;
    MI_PLACE Place;
    ULONG64 Page;

    do {
        Status = STATUS_ACCESS_VIOLATION;
        Segment = NULL;
        if (!MiLockPlace(Address, &Place))
            return STATUS_ACCESS_VIOLATION;
        if (MiViewAllows(&Place, Write, Execute)) {
            Segment = Place.View->Segment;
            Page = (Address - Place.View->Start + Place.View->Offset) >> PAGE_SHIFT;
            KeAcquireGuardedMutex(&Segment->Lock);
            Status = MiResolveLocked(&Place, Address, Page, Write);
            KeReleaseGuardedMutex(&Segment->Lock);
        }
        if (Status == STATUS_MORE_PROCESSING_REQUIRED)
            MmReferenceSegment(Segment); /* the view may go while the page comes */
        MiUnlockPlace(&Place);
        if (Status == STATUS_MORE_PROCESSING_REQUIRED) {
            Status = MiPageIn(Segment, Page, MI_FAULT_PAGES);
            MmDereferenceSegment(Segment);
            if (!NT_SUCCESS(Status)) {
                KeGetCurrentThread()->PageStatus = Status;
                return STATUS_IN_PAGE_ERROR;
            }
            Status = STATUS_MORE_PROCESSING_REQUIRED;
        }
    } while (Status == STATUS_MORE_PROCESSING_REQUIRED);
    return Status;
}

BOOLEAN MiHasViews(ULONG64 Address)
{
    PMM_SPACE Space;

    if (Address > MM_HIGHEST_USER)
        return MiIsViewAddress(Address);
    if (Address < MM_LOWEST_USER) /* also a processor block that is lost: there is no current thread to ask */
        return FALSE;
    Space = KeGetCurrentThread()->ApcState.Process->AddressSpace;
    return Space != NULL && Space->Views != 0;
}

NTSTATUS MiLockViewPage(ULONG64 Address, LOCK_OPERATION Operation, PPFN_NUMBER Page)
{
    NTSTATUS Status = STATUS_SUCCESS;
    MI_PLACE Place;

    while (NT_SUCCESS(Status)) {
        BOOLEAN Locked = FALSE;
        MMPTE Pte;

        if (!MiLockPlace(Address, &Place))
            return STATUS_NOT_FOUND;
        KeAcquireGuardedMutex(&Place.View->Segment->Lock);
        Pte = MiLookupPte(Address);
        if ((Pte & FLTVM_PTE_PRESENT) && (Operation == IoReadAccess || (Pte & FLTVM_PTE_WRITE))) {
            *Page = MiPtePage(Pte);
            __atomic_add_fetch(&MiPfnDatabase[*Page].Locks, 1, __ATOMIC_SEQ_CST);
            Locked = TRUE;
        }
        KeReleaseGuardedMutex(&Place.View->Segment->Lock);
        MiUnlockPlace(&Place);
        if (Locked)
            return STATUS_SUCCESS;
        Status = MiResolveView(Address, Operation != IoReadAccess, FALSE);
    }
    return Status;
}

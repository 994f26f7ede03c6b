// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Views of segments: in a process's user range, and in system space.
 *
 * Mapping a view changes no entry: a page is shown when somebody touches it (viewfault.c).  A process's view is a range of its
 * address space, or several after parts of it got another protection.  System views lie in a region of their own, in
 * granules of 64 KiB, with a table that says whose each is.
 */
#include "segment.h"

KGUARDED_MUTEX MiViewLock;
PMI_VIEW *MiSystemView; /* MiViewLock; by granule */

static LIST_ENTRY MiMadeViews = {&MiMadeViews, &MiMadeViews}; /* MiViewLock; those that have a maker */

VOID MiInitializeViews(VOID)
{
    ULONG Run = MiAllocateRun((ULONG)BYTES_TO_PAGES(MiViewRegion.Pages * sizeof(PMI_VIEW)), 0, MiHighestPage, 0);

    if (Run == MI_NO_PAGE)
        KeBugCheckEx(INSTALL_MORE_MEMORY, MiTotalPages, 2, 0, 0);
    MiSystemView = MiPageAddress(Run);
    memset(MiSystemView, 0, MiViewRegion.Pages * sizeof(PMI_VIEW));
    KeInitializeGuardedMutex(&MiViewLock);
}

/* ---- protections ---- */

BOOLEAN MmIsViewProtection(ULONG Protect)
{
    ULONG Plain = Protect & 0xFF, Modifiers = Protect & ~0xFFu;

    if (Plain == 0 || (Plain & (Plain - 1)) != 0)
        return FALSE;
    if (Modifiers != 0 && Modifiers != PAGE_NOCACHE && Modifiers != PAGE_WRITECOMBINE)
        return FALSE;
    return Modifiers == 0 || Plain != PAGE_NOACCESS;
}

BOOLEAN MmIsProtectionAllowed(ULONG SectionProtect, ULONG Protect)
{
    ULONG Read = PAGE_READONLY | PAGE_WRITECOPY, Allowed = PAGE_NOACCESS;
    ULONG ExecuteRead = Read | PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_WRITECOPY;

    switch (SectionProtect & 0xFF) {
    case PAGE_READONLY:
    case PAGE_WRITECOPY: Allowed |= Read; break;
    case PAGE_READWRITE: Allowed |= Read | PAGE_READWRITE; break;
    case PAGE_EXECUTE: Allowed |= PAGE_EXECUTE; break;
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_WRITECOPY: Allowed |= ExecuteRead; break;
    case PAGE_EXECUTE_READWRITE: Allowed |= ExecuteRead | PAGE_READWRITE | PAGE_EXECUTE_READWRITE; break;
    }
    return (Protect & 0xFF & ~Allowed) == 0;
}

/* ---- what process and system views share ---- */

/* Offset and size fit the segment; the size is rounded to pages. */
static NTSTATUS MiCheckView(PMM_VIEW_REQUEST Request)
{
    ULONG64 Size = (Request->SectionSize + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1);

    if (Request->Offset % MM_ALLOCATION_GRANULARITY != 0)
        return STATUS_MAPPED_ALIGNMENT;
    if (Request->Cache)
        return STATUS_SUCCESS;
    if (Request->Offset >= Size || Request->Size > Size - Request->Offset)
        return STATUS_INVALID_VIEW_SIZE;
    if (Request->Size == 0)
        Request->Size = Size - Request->Offset;
    Request->Size = (Request->Size + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1);
    return STATUS_SUCCESS;
}

static PMI_VIEW MiNewView(PMM_VIEW_REQUEST Request, BOOLEAN System)
{
    PMI_VIEW View = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*View), MI_SEGMENT_TAG);

    if (View == NULL)
        return NULL;
    RtlZeroMemory(View, sizeof(*View));
    View->Segment = Request->Segment;
    View->Offset = Request->Offset;
    View->SectionProtect = Request->SectionProtect;
    View->Protect = Request->Protect;
    View->System = System;
    View->Cache = Request->Cache;
    return View;
}

/* The section lets the view be made writable later, too. */
static BOOLEAN MiMayWrite(PMI_VIEW View)
{
    return MmIsProtectionAllowed(View->SectionProtect, PAGE_READWRITE) &&
           (View->Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0;
}

/* What a driver maps in system space, or in the System process, which does not end, is the driver's to take away. */
static VOID MiNoteMaker(PMI_VIEW View)
{
    if (!FvVerifierEnabled() || View->Cache || View->Top != (HalLoaderBlock->page_table & MI_PTE_PAGE_MASK))
        return;
    View->Maker = KeFindDriverCaller();
    if (View->Maker == NULL)
        return;
    KeAcquireGuardedMutex(&MiViewLock);
    InsertTailList(&MiMadeViews, &View->MadeLink);
    KeReleaseGuardedMutex(&MiViewLock);
}

static VOID MiForgetMaker(PMI_VIEW View)
{
    if (View->Maker == NULL)
        return;
    KeAcquireGuardedMutex(&MiViewLock);
    RemoveEntryList(&View->MadeLink);
    KeReleaseGuardedMutex(&MiViewLock);
}

VOID MmCheckViewsLeft(PVOID Base, SIZE_T Size)
{
    PMI_VIEW Left = NULL;

    KeAcquireGuardedMutex(&MiViewLock);
    for (PLIST_ENTRY Entry = MiMadeViews.Flink; Entry != &MiMadeViews && Left == NULL; Entry = Entry->Flink) {
        Left = CONTAINING_RECORD(Entry, MI_VIEW, MadeLink);
        if ((ULONG_PTR)Left->Maker - (ULONG_PTR)Base >= Size)
            Left = NULL;
    }
    KeReleaseGuardedMutex(&MiViewLock);
    if (Left != NULL)
        KeReportLeft(Left->System ? "view in system space" : "view in the System process", (PVOID)Left->Start,
                     Left->Maker);
}

/* From now on the segment knows the view. */
static VOID MiLinkView(PMI_VIEW View, ULONG64 Start, ULONG64 Size)
{
    PMM_SEGMENT Segment = View->Segment;

    View->Start = Start;
    View->End = Start + Size;
    MiNoteMaker(View);
    MmReferenceSegment(Segment);
    if (!View->Cache)
        MmCountSegmentUser(Segment, MiMayWrite(View), 1);
    KeAcquireGuardedMutex(&Segment->Lock);
    InsertTailList(&Segment->Views, &View->Link);
    KeReleaseGuardedMutex(&Segment->Lock);
}

BOOLEAN MiViewPart(PMI_VIEW View, ULONG64 First, ULONG64 End, PULONG64 From, PULONG64 To)
{
    ULONG64 Page = View->Offset >> PAGE_SHIFT, Pages = (View->End - View->Start) >> PAGE_SHIFT;

    if (End <= Page || First >= Page + Pages)
        return FALSE;
    *From = View->Start + (First > Page ? (First - Page) << PAGE_SHIFT : 0);
    *To = End < Page + Pages ? View->Start + ((End - Page) << PAGE_SHIFT) : View->End;
    return TRUE;
}

/* What an entry that goes knows of its page, a file's. */
static VOID MiKeepDirty(PMI_VIEW View, ULONG64 Address, MMPTE Pte)
{
    ULONG64 Page = (Address - View->Start + View->Offset) >> PAGE_SHIFT;
    PMI_CHUNK Chunk;

    if (View->Segment->FileObject == NULL || !(Pte & MI_PTE_DIRTY))
        return;
    Chunk = MiFindChunk(View->Segment, Page / MI_CHUNK_PAGES);
    MiSetDirty(View->Segment, Chunk, MiPageBits((ULONG)(Page % MI_CHUNK_PAGES), 1));
}

VOID MiHideView(PMI_VIEW View, ULONG64 Start, ULONG64 End, MMPTE CopyBits)
{
    ULONG64 First = 0, Last = 0;
    BOOLEAN Copies = FALSE;
    PMMPTE Pte;

    for (ULONG64 Address = Start; (Pte = MiNextPteIn(View->Top, &Address, End)) != NULL; Address += PAGE_SIZE) {
        if (*Pte == 0)
            continue;
        First = First == 0 ? Address : First;
        Last = Address;
        if (!(*Pte & MI_PTE_COMMITTED)) {
            MiKeepDirty(View, Address, (MMPTE)InterlockedExchange64((volatile LONG64 *)Pte, 0));
        } else if (CopyBits != MI_KEEP_COPIES) {
            *Pte = (*Pte & (MI_PTE_PAGE_MASK | MI_PTE_COMMITTED)) | CopyBits;
            Copies |= CopyBits == 0;
        }
    }
    if (First == 0)
        return;
    KeFlushMultipleTb((PVOID)First, (ULONG)min((Last - First) / PAGE_SIZE + 1, 1u << 20));
    for (ULONG64 Address = First; Copies && (Pte = MiNextPteIn(View->Top, &Address, Last + PAGE_SIZE)) != NULL;
         Address += PAGE_SIZE) {
        if (*Pte != 0)
            MiReleaseUserPage(MiPtePage(*Pte));
        *Pte = 0;
    }
}

static VOID MiDeleteView(PMI_VIEW View)
{
    PMM_SEGMENT Segment = View->Segment;

    MiForgetMaker(View);
    KeAcquireGuardedMutex(&Segment->Lock);
    MiHideView(View, View->Start, View->End, 0);
    RemoveEntryList(&View->Link);
    KeReleaseGuardedMutex(&Segment->Lock);
    if (!View->Cache)
        MmCountSegmentUser(Segment, MiMayWrite(View), -1);
    MmDereferenceSegment(Segment);
    ExFreePoolWithTag(View, MI_SEGMENT_TAG);
}

/* What is behind an address becomes a range of its own. */
static BOOLEAN MiSplitRange(PMM_SPACE Space, PMI_RANGE Range, ULONG64 At)
{
    MI_RANGE Rest = *Range;
    BOOLEAN New;

    if (At == Range->Start || At == Range->End)
        return TRUE;
    Rest.Start = Range->End = At;
    if (RtlInsertElementGenericTableAvl(&Space->Ranges, &Rest, sizeof(Rest), &New) != NULL)
        return TRUE;
    Range->End = Rest.End;
    return FALSE;
}

PMI_RANGE MiSplitOut(PMM_SPACE Space, ULONG64 Start, ULONG64 End)
{
    if (!MiSplitRange(Space, MiFindReserved(Space, Start, Start + 1), Start))
        return NULL;
    return MiSplitRange(Space, MiFindReserved(Space, Start, Start + 1), End) ? MiFindReserved(Space, Start, Start + 1)
                                                                             : NULL;
}

/* ---- in a process ---- */

static NTSTATUS MiPlaceView(PMM_SPACE Space, PMM_VIEW_REQUEST Request)
{
    ULONG64 Highest =
        Request->ZeroBits == 0 ? MM_HIGHEST_USER : min(MM_HIGHEST_USER, 0xFFFFFFFFull >> Request->ZeroBits);

    if (Space->Ended)
        return STATUS_PROCESS_IS_TERMINATING;
    if (Request->Base == 0) {
        Request->Base = Request->Type & MEM_TOP_DOWN ? MiFindFreeTop(Space, Request->Size, Highest)
                                                     : MiFindFree(Space, Request->Size, Highest);
        return Request->Base != 0 ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    }
    if (Request->Base < MM_LOWEST_USER || Request->Base > MM_HIGHEST_USER ||
        Request->Size > MM_HIGHEST_USER + 1 - Request->Base ||
        MiFindReserved(Space, Request->Base, Request->Base + Request->Size) != NULL)
        return STATUS_CONFLICTING_ADDRESSES;
    return STATUS_SUCCESS;
}

VOID MiUnmapRange(PMM_SPACE Space, PMI_VIEW View)
{
    PMI_RANGE Range;

    while ((Range = MiFindReserved(Space, View->Start, View->End)) != NULL)
        MiDeleteRange(Space, Range);
    Space->Views--;
    MiDeleteView(View);
}

/* An image goes where it would like to lie, if it can; what it is mapped with is its parts' to say. */
static NTSTATUS MiPlaceImage(PMM_SPACE Space, PMM_VIEW_REQUEST Request)
{
    ULONG64 Wanted = Request->Segment->Image->Base, Base = Request->Base;
    NTSTATUS Status;

    Request->Protect = Request->SectionProtect = PAGE_EXECUTE_WRITECOPY;
    Request->Base = Base != 0 ? Base : Wanted;
    Status = MiPlaceView(Space, Request);
    if (Status == STATUS_CONFLICTING_ADDRESSES && Base == 0) {
        Request->Base = 0;
        Status = MiPlaceView(Space, Request);
    }
    return NT_SUCCESS(Status) && Request->Base != Wanted ? STATUS_IMAGE_NOT_AT_BASE : Status;
}

NTSTATUS MmMapView(PMM_VIEW_REQUEST Request)
{
    PMM_SEGMENT Segment = Request->Segment;
    NTSTATUS Status = MiCheckView(Request), Part = STATUS_SUCCESS;
    PMM_SPACE Space;
    PMI_VIEW View;
    PMI_RANGE Range;

    if (!NT_SUCCESS(Status))
        return Status;
    if (Request->CommitSize > Request->Size)
        return STATUS_INVALID_PARAMETER_5;
    if (Segment->Image != NULL && (Request->Offset != 0 || Request->Size != Segment->Image->Size)) {
        DbgPrint("mm: a part of an image is not mapped: not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    Request->Base &= ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
    View = MiNewView(Request, FALSE);
    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Space = MiLockSpace();
    View->Top = Space->Top;
    Status = Segment->Image != NULL ? MiPlaceImage(Space, Request) : MiPlaceView(Space, Request);
    if (NT_SUCCESS(Status) && Request->CommitSize != 0 && Segment->FileObject == NULL) {
        KeAcquireGuardedMutex(&Segment->Lock);
        Status = MiCommitSegment(Segment, Request->Offset >> PAGE_SHIFT,
                                 (Request->Offset + Request->CommitSize + PAGE_SIZE - 1) >> PAGE_SHIFT);
        KeReleaseGuardedMutex(&Segment->Lock);
    }
    if (NT_SUCCESS(Status) && !MiInsertRange(Space, Request->Base, Request->Base + Request->Size, Request->Protect,
                                             Segment->Image != NULL ? MEM_IMAGE : MEM_MAPPED))
        Status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status)) {
        Range = MiFindReserved(Space, Request->Base, Request->Base + 1);
        Range->View = View;
        Range->Current = Segment->Image != NULL ? PAGE_NOACCESS : Request->Protect;
        View->SectionProtect = Request->SectionProtect;
        View->Protect = Request->Protect;
        Space->Views++;
        MiLinkView(View, Request->Base, Request->Size);
        if (Segment->Image != NULL)
            Part = MiProtectParts(Space, View);
        if (!NT_SUCCESS(Part))
            MiUnmapRange(Space, View);
    } else {
        ExFreePoolWithTag(View, MI_SEGMENT_TAG);
    }
    MiUnlockSpace(Space);
    return NT_SUCCESS(Part) ? Status : Part;
}

NTSTATUS MmUnmapView(ULONG64 Address)
{
    NTSTATUS Status = STATUS_NOT_MAPPED_VIEW;
    PMM_SPACE Space = MiLockSpace();
    PMI_RANGE Range = Address <= MM_HIGHEST_USER ? MiFindReserved(Space, Address, Address + 1) : NULL;

    if (Range != NULL && Range->View != NULL) {
        MiUnmapRange(Space, Range->View);
        Status = STATUS_SUCCESS;
    }
    MiUnlockSpace(Space);
    return Status;
}

/* The segment's lock is held. */
static BOOLEAN MiIsViewCommitted(PMI_VIEW View, ULONG64 Address)
{
    ULONG64 Page = (Address - View->Start + View->Offset) >> PAGE_SHIFT;
    PMI_CHUNK Chunk = MiFindChunk(View->Segment, Page / MI_CHUNK_PAGES);

    if (View->Segment->FileObject != NULL)
        return TRUE; /* it comes when it is touched */
    return Chunk != NULL && Chunk->Page[Page % MI_CHUNK_PAGES] != MI_NO_PAGE;
}

NTSTATUS MiProtectView(PMM_SPACE Space, PMI_RANGE Range, ULONG64 Start, ULONG64 End, ULONG Protect)
{
    PMI_VIEW View = Range->View;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!MmIsViewProtection(Protect))
        return STATUS_INVALID_PAGE_PROTECTION; /* guard pages are for private memory here */
    if (View->Segment->Image != NULL)
        Protect = MiImageProtection(Protect);
    if (!MmIsProtectionAllowed(View->SectionProtect, Protect))
        return STATUS_SECTION_PROTECTION;
    KeAcquireGuardedMutex(&View->Segment->Lock);
    for (ULONG64 Address = Start; Address < End && NT_SUCCESS(Status); Address += PAGE_SIZE)
        Status = MiIsViewCommitted(View, Address) ? STATUS_SUCCESS : STATUS_NOT_COMMITTED;
    if (NT_SUCCESS(Status)) {
        Range = MiSplitOut(Space, Start, End);
        Status = Range != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    }
    if (NT_SUCCESS(Status)) {
        Range->Current = Protect;
        MiHideView(View, Start, End, MiViewBits(Protect, TRUE));
    }
    KeReleaseGuardedMutex(&View->Segment->Lock);
    return Status;
}

NTSTATUS MiCommitView(PMI_RANGE Range, ULONG64 Start, ULONG64 End)
{
    PMI_VIEW View = Range->View;
    NTSTATUS Status;

    if (View->Segment->FileObject != NULL)
        return STATUS_SUCCESS;
    KeAcquireGuardedMutex(&View->Segment->Lock);
    Status = MiCommitSegment(View->Segment, (Start - View->Start + View->Offset) >> PAGE_SHIFT,
                             (End - View->Start + View->Offset) >> PAGE_SHIFT);
    KeReleaseGuardedMutex(&View->Segment->Lock);
    return Status;
}

VOID MiQueryView(PMI_RANGE Range, ULONG64 Address, PMEMORY_BASIC_INFORMATION Information)
{
    PMI_VIEW View = Range->View;
    ULONG64 End = Address + PAGE_SIZE;
    BOOLEAN Committed;

    Information->AllocationBase = (PVOID)View->Start;
    KeAcquireGuardedMutex(&View->Segment->Lock);
    Committed = MiIsViewCommitted(View, Address);
    while (End < Range->End && MiIsViewCommitted(View, End) == Committed) {
        ULONG64 Page = (End - View->Start + View->Offset) >> PAGE_SHIFT;
        PMI_CHUNK Next = MiNextChunk(View->Segment, Page / MI_CHUNK_PAGES);

        /* Where there is no chunk nothing is committed: on to the next.  All of a file is. */
        if (Next == NULL || View->Segment->FileObject != NULL)
            End = Range->End;
        else if (Next->Index > Page / MI_CHUNK_PAGES)
            End = min(Range->End, View->Start + (Next->Index * MI_CHUNK_PAGES << PAGE_SHIFT) - View->Offset);
        else
            End += PAGE_SIZE;
    }
    KeReleaseGuardedMutex(&View->Segment->Lock);
    Information->State = Committed ? MEM_COMMIT : MEM_RESERVE;
    Information->Protect = Committed ? Range->Current : 0;
    Information->RegionSize = End - Address;
}

/* ---- in system space ---- */

static BOOLEAN MiMakeViewTables(ULONG64 Start, ULONG64 End)
{
    for (ULONG64 Address = Start; Address < End; Address = (Address | 0x1FFFFF) + 1) {
        if (MiMakePte(Address) == NULL)
            return FALSE;
    }
    return TRUE;
}

NTSTATUS MmMapSystemView(PMM_VIEW_REQUEST Request)
{
    NTSTATUS Status = MiCheckView(Request);
    ULONG64 Granules, Place, First;
    PMI_VIEW View;

    if (!NT_SUCCESS(Status))
        return Status;
    Granules = (Request->Size + MM_ALLOCATION_GRANULARITY - 1) / MM_ALLOCATION_GRANULARITY;
    if (Granules > MiViewRegion.Pages)
        return STATUS_NO_MEMORY;
    if (Request->Segment->Image != NULL)
        Request->Protect = PAGE_READONLY;
    View = MiNewView(Request, TRUE);
    if (View == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Place = MiReserveRange(&MiViewRegion, (ULONG)Granules);
    First = (Place >> PAGE_SHIFT) - 1;
    Request->Base = MM_SYSTEM_VIEWS + First * MM_ALLOCATION_GRANULARITY;
    if (Place == 0 || !MiMakeViewTables(Request->Base, Request->Base + Request->Size)) {
        if (Place != 0)
            MiReleaseRange(&MiViewRegion, Place, (ULONG)Granules);
        ExFreePoolWithTag(View, MI_SEGMENT_TAG);
        return STATUS_NO_MEMORY;
    }
    View->Top = HalLoaderBlock->page_table & MI_PTE_PAGE_MASK;
    MiLinkView(View, Request->Base, Request->Size);
    KeAcquireGuardedMutex(&MiViewLock);
    for (ULONG64 Index = 0; Index < Granules; Index++)
        MiSystemView[First + Index] = View;
    KeReleaseGuardedMutex(&MiViewLock);
    return STATUS_SUCCESS;
}

NTSTATUS MmUnmapSystemView(ULONG64 Address)
{
    ULONG64 First = (Address - MM_SYSTEM_VIEWS) / MM_ALLOCATION_GRANULARITY, Granules = 0;
    PMI_VIEW View = NULL;

    KeAcquireGuardedMutex(&MiViewLock);
    if (Address >= MM_SYSTEM_VIEWS && First < MiViewRegion.Pages)
        View = MiSystemView[First];
    if (View != NULL && View->Start != Address)
        View = NULL;
    while (View != NULL && First + Granules < MiViewRegion.Pages && MiSystemView[First + Granules] == View)
        MiSystemView[First + Granules++] = NULL;
    KeReleaseGuardedMutex(&MiViewLock);
    if (View == NULL)
        return STATUS_NOT_MAPPED_VIEW;
    MiDeleteView(View);
    MiReleaseRange(&MiViewRegion, (First + 1) << PAGE_SHIFT, (ULONG)Granules);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory descriptor lists: locking the pages of a buffer, and mapping locked pages.
 *
 * A locked page counts its locks in the page frame database, so that freeing memory under a transfer is found.  A
 * list in the wrong state for a call, or a call at the wrong IRQL, is Driver Verifier's bugcheck 0xC4 with its published
 * number; without the verifier the call does what it can, as Windows does.  What would break the memory manager's own
 * state is a bugcheck always: 0x4E for a page that is unlocked too often, 0xDA for a mapping that is none.
 */
#include "segment.h"

#define MI_MDL_STATES (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)

#define MI_MDL_NOT_TO_MAP (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL_HAS_BEEN_MAPPED)

#define MI_MAPPING_NO_WRITE 0x80000000u /* of the Priority argument */

#define MI_UNLOCKED_TOO_OFTEN 7 /* of PFN_LIST_CORRUPT */

static VOID MiVerifyMdl(BOOLEAN Holds, PCSTR Rule, PMDL Mdl, PVOID Caller, ULONG Code, ULONG64 P3, ULONG64 P4)
{
    CHAR Text[200];

    if (Holds || !FvVerifierEnabled())
        return;

    _snprintf(Text, sizeof(Text), "rule=%s\ncaller=0x%I64x\nmdl=0x%I64x\nflags=0x%x\n", Rule, (ULONG64)Caller,
              (ULONG64)Mdl, (unsigned)(USHORT)Mdl->MdlFlags);
    FvReport(Text);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Code, (ULONG_PTR)Mdl, P3, P4);
}

/* No call on a list may come from above DISPATCH_LEVEL. */
static VOID MiVerifyMdlIrql(ULONG Code, ULONG64 P3, ULONG64 P4)
{
    if (__readcr8() > DISPATCH_LEVEL && FvVerifierEnabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Code, __readcr8(), P3, P4);
}

static ULONG MiMdlPages(PMDL Mdl)
{
    return ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(Mdl), MmGetMdlByteCount(Mdl));
}

SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}

PMDL NTAPI MmCreateMdl(PMDL Mdl, PVOID Base, SIZE_T Length)
{
    if (Mdl == NULL)
        Mdl = ExAllocatePoolWithTag(NonPagedPoolNx, MmSizeOfMdl(Base, Length), ' ldM');
    if (Mdl != NULL)
        MmInitializeMdl(Mdl, Base, Length);
    return Mdl;
}

static BOOLEAN MiIsRam(PFN_NUMBER Page)
{
    return Page < MiHighestPage && MiPfnDatabase[Page].State != MiPageAbsent;
}

/* May the page be locked for this access?  Its number in *Page. */
static NTSTATUS MiProbePage(ULONG64 Address, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation, PPFN_NUMBER Page)
{
    MMPTE Pte = MiLookupPte(Address);

    if (Mode != KernelMode && Address > MM_HIGHEST_USER)
        return STATUS_ACCESS_VIOLATION;
    if (!(Pte & FLTVM_PTE_PRESENT))
        return STATUS_ACCESS_VIOLATION;
    if (Operation != IoReadAccess && !(Pte & FLTVM_PTE_WRITE))
        return STATUS_ACCESS_VIOLATION;
    *Page = MiPtePage(Pte);
    return STATUS_SUCCESS;
}

static VOID MiUnlockPage(PFN_NUMBER Page)
{
    if (!MiIsRam(Page))
        return;
    if (MiPfnDatabase[Page].Locks == 0)
        KeBugCheckEx(PFN_LIST_CORRUPT, MI_UNLOCKED_TOO_OFTEN, Page, 0, 0);
    if (__atomic_sub_fetch(&MiPfnDatabase[Page].Locks, 1, __ATOMIC_SEQ_CST) == 0 &&
        MiPfnDatabase[Page].State == MiPageOrphan)
        MiFreeOrphan((ULONG)Page);
}

/* All or none. */
FORCEINLINE NTSTATUS MiLockPages(ULONG64 Address, ULONG Pages, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation,
                                 PPFN_NUMBER Page, PBOOLEAN Io)
{
    for (ULONG Index = 0; Index < Pages; Index++, Address += PAGE_SIZE) {
        NTSTATUS Status = MiProbePage(Address, Mode, Operation, &Page[Index]);

        if (!NT_SUCCESS(Status)) {
            while (Index-- > 0)
                MiUnlockPage(Page[Index]);
            return Status;
        }
        if (MiIsRam(Page[Index]))
            __atomic_add_fetch(&MiPfnDatabase[Page[Index]].Locks, 1, __ATOMIC_SEQ_CST);
        else
            *Io = TRUE;
    }
    return STATUS_SUCCESS;
}

/* The same where views are: what a view has is shown first.  IRQL: <= APC_LEVEL. */
static NTSTATUS MiLockWithViews(ULONG64 Address, ULONG Pages, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation,
                                PPFN_NUMBER Page, PBOOLEAN Io)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG Locked = 0;

    if (Mode != KernelMode && Address > MM_HIGHEST_USER)
        return STATUS_ACCESS_VIOLATION;
    for (; Locked < Pages; Locked++, Address += PAGE_SIZE) {
        Status = MiLockViewPage(Address, Operation, &Page[Locked]);
        if (Status == STATUS_NOT_FOUND) {
            PMM_SPACE Space = Address <= MM_HIGHEST_USER ? MiLockSpace() : NULL;

            Status = MiLockPages(Address, 1, Mode, Operation, &Page[Locked], Io);
            if (Space != NULL)
                MiUnlockSpace(Space);
        }
        if (!NT_SUCCESS(Status))
            break;
    }
    while (!NT_SUCCESS(Status) && Locked > 0)
        MiUnlockPage(Page[--Locked]);
    return Status;
}

DECLSPEC_NOINLINE VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                                 LOCK_OPERATION Operation)
{
    PMDL Mdl = MemoryDescriptorList;
    ULONG64 Address = (ULONG64)Mdl->StartVa;
    PPFN_NUMBER Page = MmGetMdlPfnArray(Mdl);
    ULONG Pages = MiMdlPages(Mdl);
    KIRQL Irql = (KIRQL)__readcr8();
    BOOLEAN Io = FALSE;
    PMM_SPACE Space;
    NTSTATUS Status;

    MiVerifyMdl(!(Mdl->MdlFlags & (MI_MDL_STATES | MDL_IO_SPACE)), "mdl-state", Mdl, __builtin_return_address(0), 0xB0,
                (USHORT)Mdl->MdlFlags, (USHORT)Mdl->MdlFlags & (MI_MDL_STATES | MDL_IO_SPACE));
    if (FvVerifierEnabled() &&
        (Irql > DISPATCH_LEVEL || (Irql == DISPATCH_LEVEL && (MiLookupPte(Address) & MI_PTE_PAGEABLE))))
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x70, Irql, (ULONG_PTR)Mdl, AccessMode);
    if (Irql < DISPATCH_LEVEL && MiHasViews(Address)) {
        Status = MiLockWithViews(Address, Pages, AccessMode, Operation, Page, &Io);
    } else {
        /* User memory may be given back by another thread: not between the look and the lock. */
        Space = Address <= MM_HIGHEST_USER && Irql < DISPATCH_LEVEL ? MiLockSpace() : NULL;
        Status = MiLockPages(Address, Pages, AccessMode, Operation, Page, &Io);
        if (Space != NULL)
            MiUnlockSpace(Space);
    }
    if (!NT_SUCCESS(Status)) {
        Page[0] = (PFN_NUMBER)-1;
        RtlRaiseStatus(Status);
    }
    Mdl->MdlFlags |= MDL_PAGES_LOCKED | (Operation != IoReadAccess ? MDL_WRITE_OPERATION : 0) | (Io ? MDL_IO_SPACE : 0);
    Mdl->Process = IoGetCurrentProcess();
}

DECLSPEC_NOINLINE VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Page = MmGetMdlPfnArray(Mdl);
    ULONG Pages = MiMdlPages(Mdl);
    PVOID Caller = __builtin_return_address(0);

    MiVerifyMdlIrql(0x78, (ULONG_PTR)Mdl, 0);
    MiVerifyMdl(!(Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL), "mdl-state", Mdl, Caller, 0x7D, (USHORT)Mdl->MdlFlags,
                0);
    MiVerifyMdl(!(Mdl->MdlFlags & MDL_PARTIAL), "mdl-state", Mdl, Caller, 0xB4, (USHORT)Mdl->MdlFlags, MDL_PARTIAL);
    MiVerifyMdl((Mdl->MdlFlags & MDL_PAGES_LOCKED) != 0, "mdl-not-locked", Mdl, Caller, 0x7C, (USHORT)Mdl->MdlFlags, 0);
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    for (ULONG Index = 0; Index < Pages; Index++) {
        if ((Mdl->MdlFlags & MDL_WRITE_OPERATION) && MiIsRam(Page[Index]) &&
            MiPfnDatabase[Page[Index]].State == MiPageFile)
            MiPfnDatabase[Page[Index]].Paged = TRUE; /* changed (pageout.c) */
        MiUnlockPage(Page[Index]);
    }
    Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION | MDL_IO_SPACE);
}

DECLSPEC_NOINLINE VOID NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Page = MmGetMdlPfnArray(Mdl);
    ULONG Pages = MiMdlPages(Mdl);
    ULONG64 Address = (ULONG64)Mdl->StartVa;

    MiVerifyMdl(!(Mdl->MdlFlags & MI_MDL_STATES), "mdl-state", Mdl, __builtin_return_address(0), 0x7F, __readcr8(),
                (USHORT)Mdl->MdlFlags);
    for (ULONG Index = 0; Index < Pages; Index++, Address += PAGE_SIZE) {
        MMPTE Pte = MiLookupPte(Address);
        if ((Pte & (FLTVM_PTE_PRESENT | MI_PTE_PAGEABLE)) != FLTVM_PTE_PRESENT && FvVerifierEnabled())
            KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x140, __readcr8(), (ULONG_PTR)Mdl, Address);
        Page[Index] = MiPtePage(Pte);
        if (!MiIsRam(Page[Index]))
            Mdl->MdlFlags |= MDL_IO_SPACE;
    }
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    Mdl->Process = NULL;
    Mdl->MappedSystemVa = (PUCHAR)Mdl->StartVa + Mdl->ByteOffset;
}

static MMPTE MiCacheBits(MEMORY_CACHING_TYPE CacheType)
{
    return CacheType == MmCached ? 0 : FLTVM_PTE_UNCACHED;
}

static VOID MiMapMdl(PMDL Mdl, ULONG64 Base, MMPTE Bits)
{
    PPFN_NUMBER Page = MmGetMdlPfnArray(Mdl);
    ULONG Pages = MiMdlPages(Mdl);

    for (ULONG Index = 0; Index < Pages; Index++)
        *MiPte(Base + ((ULONG64)Index << PAGE_SHIFT)) = ((ULONG64)Page[Index] << PAGE_SHIFT) | Bits;
}

/*
 * In the user range of the current process, as the requested address (a granule's first) or where there is room.  An
 * exception when that fails, as documented; the list does not remember the mapping.
 */
static PVOID MiMapForUser(PMDL Mdl, MEMORY_CACHING_TYPE CacheType, PVOID Wanted, MM_PAGE_PRIORITY Priority)
{
    MMPTE Bits = (ULONG)Priority & MI_MAPPING_NO_WRITE ? FLTVM_PTE_PRESENT | FLTVM_PTE_NX : MI_PTE_DATA;
    ULONG64 Base;

    if (__readcr8() > APC_LEVEL)
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x77, __readcr8(), (ULONG_PTR)Mdl, UserMode);
    Base =
        MiMapUser(MmGetMdlPfnArray(Mdl), MiMdlPages(Mdl), (ULONG64)Wanted, Bits | MiPageable | MiCacheBits(CacheType));
    if (Base == 0)
        RtlRaiseStatus(Wanted != NULL ? STATUS_CONFLICTING_ADDRESSES : STATUS_INSUFFICIENT_RESOURCES);
    return (PVOID)(Base + Mdl->ByteOffset);
}

static BOOLEAN MiMakePtes(ULONG64 Base, ULONG Pages)
{
    for (ULONG Index = 0; Index < Pages; Index++) {
        if (MiMakePte(Base + ((ULONG64)Index << PAGE_SHIFT)) == NULL)
            return FALSE;
    }
    return TRUE;
}

DECLSPEC_NOINLINE PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                                           MEMORY_CACHING_TYPE CacheType, PVOID RequestedAddress,
                                                           ULONG BugCheckOnFailure, MM_PAGE_PRIORITY Priority)
{
    PMDL Mdl = MemoryDescriptorList;
    PVOID Caller = __builtin_return_address(0);
    ULONG Pages = MiMdlPages(Mdl);
    ULONG64 Base;

    MiVerifyMdlIrql(0x76, (ULONG_PTR)Mdl, AccessMode);
    MiVerifyMdl(!(Mdl->MdlFlags & MI_MDL_NOT_TO_MAP), "mdl-state", Mdl, Caller, 0xB2, (USHORT)Mdl->MdlFlags,
                (USHORT)Mdl->MdlFlags & MI_MDL_NOT_TO_MAP);
    MiVerifyMdl((Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL)) != 0, "mdl-not-locked", Mdl, Caller, 0xB3,
                (USHORT)Mdl->MdlFlags, MDL_PAGES_LOCKED | MDL_PARTIAL);
    if (AccessMode != KernelMode)
        return MiMapForUser(Mdl, CacheType, RequestedAddress, Priority);
    MiVerifyMdl(!BugCheckOnFailure || MiFindOwner(Caller) == MM_OWNER_KERNEL, "bugcheck-on-failure", Mdl, Caller, 0x82,
                (USHORT)Mdl->MdlFlags, 0);

    Base = MiReserveRange(&MiSystemPteRegion, Pages);
    if (Base == 0 || !MiMakePtes(Base, Pages)) {
        if (Base != 0)
            MiReleaseRange(&MiSystemPteRegion, Base, Pages);
        if (BugCheckOnFailure)
            KeBugCheckEx(NO_MORE_SYSTEM_PTES, 0, Pages, 0, MiSystemPteRegion.Used);
        return NULL;
    }
    MiMapMdl(Mdl, Base,
             ((ULONG)Priority & MI_MAPPING_NO_WRITE ? FLTVM_PTE_PRESENT | FLTVM_PTE_NX : MI_PTE_DATA) |
                 MiCacheBits(CacheType));
    Mdl->MappedSystemVa = (PVOID)(Base + Mdl->ByteOffset);
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA | (Mdl->MdlFlags & MDL_PARTIAL ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0);
    return Mdl->MappedSystemVa;
}

PVOID NTAPI MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    return MmMapLockedPagesSpecifyCache(MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE, HighPagePriority);
}

DECLSPEC_NOINLINE VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    ULONG Pages = MiMdlPages(Mdl);
    ULONG64 Base = (ULONG64)BaseAddress & ~(ULONG64)(PAGE_SIZE - 1);

    MiVerifyMdlIrql(0x79, (ULONG_PTR)BaseAddress, (ULONG_PTR)Mdl);
    if (Base <= MM_HIGHEST_USER) {
        if (__readcr8() > APC_LEVEL)
            KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7A, __readcr8(), (ULONG_PTR)BaseAddress, (ULONG_PTR)Mdl);
        if (!MiUnmapUser(Base, Pages))
            KeBugCheckEx(SYSTEM_PTE_MISUSE, 1, (ULONG_PTR)BaseAddress, (ULONG_PTR)Mdl, 0);
        return;
    }
    MiVerifyMdl((Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) != 0 && BaseAddress == Mdl->MappedSystemVa &&
                    MiInRegion(&MiSystemPteRegion, Base),
                "mdl-not-mapped", Mdl, __builtin_return_address(0), 0xB6, (USHORT)Mdl->MdlFlags,
                MDL_MAPPED_TO_SYSTEM_VA);
    if (!MiInRegion(&MiSystemPteRegion, Base) || !MiIsReserved(&MiSystemPteRegion, Base))
        KeBugCheckEx(SYSTEM_PTE_MISUSE, 1 /* the address is no mapping */, (ULONG_PTR)BaseAddress, (ULONG_PTR)Mdl, 0);
    MiClearPtes(Base, Pages);
    MiReleaseRange(&MiSystemPteRegion, Base, Pages);
    Mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

NTSTATUS NTAPI MmProtectMdlSystemAddress(PMDL MemoryDescriptorList, ULONG NewProtect)
{
    PMDL Mdl = MemoryDescriptorList;
    ULONG64 Base = (ULONG64)Mdl->MappedSystemVa & ~(ULONG64)(PAGE_SIZE - 1);
    ULONG Pages = MiMdlPages(Mdl);
    MMPTE Bits;

    switch (NewProtect & 0xFF) {
    case PAGE_NOACCESS: Bits = 0; break;
    case PAGE_READONLY: Bits = FLTVM_PTE_PRESENT | FLTVM_PTE_NX; break;
    case PAGE_READWRITE: Bits = MI_PTE_DATA; break;
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ: Bits = FLTVM_PTE_PRESENT; break;
    case PAGE_EXECUTE_READWRITE: Bits = FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE; break;
    default: return STATUS_INVALID_PAGE_PROTECTION;
    }
    if (!(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
        return STATUS_NOT_MAPPED_VIEW;
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiPte(Base + ((ULONG64)Index << PAGE_SHIFT));
        *Pte = (*Pte & (MI_PTE_PAGE_MASK | FLTVM_PTE_UNCACHED)) | Bits;
    }
    KeFlushMultipleTb((PVOID)Base, Pages);
    return STATUS_SUCCESS;
}

static PMDL MiAllocatePagesForMdl(PHYSICAL_ADDRESS Low, PHYSICAL_ADDRESS High, SIZE_T TotalBytes, ULONG Flags)
{
    ULONG Wanted = (ULONG)BYTES_TO_PAGES(TotalBytes), Count = 0;
    ULONG Lowest = (ULONG)(Low.QuadPart >> PAGE_SHIFT);
    ULONG64 Highest = ((ULONG64)High.QuadPart >> PAGE_SHIFT) + 1;
    PPFN_NUMBER Page;
    PMDL Mdl;

    if (Wanted == 0 || TotalBytes > MAXULONG - PAGE_SIZE)
        return NULL;
    Mdl = MmCreateMdl(NULL, NULL, TotalBytes);
    if (Mdl == NULL)
        return NULL;
    Page = MmGetMdlPfnArray(Mdl);
    if (Highest > MiHighestPage)
        Highest = MiHighestPage;
    while (Count < Wanted) {
        ULONG One = Lowest == 0 && Highest == MiHighestPage ? MiAllocatePage(FALSE)
                                                            : MiAllocateRun(1, Lowest, (ULONG)Highest, 0);
        if (One == MI_NO_PAGE)
            break;
        if (!(Flags & MM_DONT_ZERO_ALLOCATION))
            memset(MiPageAddress(One), 0, PAGE_SIZE);
        MiPfnDatabase[One].Locks = 1;
        Page[Count++] = One;
    }
    if (Count == 0 || (Count < Wanted && (Flags & MM_ALLOCATE_FULLY_REQUIRED))) {
        while (Count-- > 0) {
            MiPfnDatabase[Page[Count]].Locks = 0;
            MiFreePage((ULONG)Page[Count]);
        }
        ExFreePool(Mdl);
        return NULL;
    }
    Mdl->ByteCount = Count < Wanted ? Count << PAGE_SHIFT : (ULONG)TotalBytes;
    Mdl->MdlFlags |= MDL_PAGES_LOCKED;
    return Mdl;
}

PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress, PHYSICAL_ADDRESS SkipBytes,
                                 SIZE_T TotalBytes)
{
    UNREFERENCED_PARAMETER(SkipBytes);
    return MiAllocatePagesForMdl(LowAddress, HighAddress, TotalBytes, 0);
}

PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                                   PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes, MEMORY_CACHING_TYPE CacheType,
                                   ULONG Flags)
{
    UNREFERENCED_PARAMETER(SkipBytes);
    UNREFERENCED_PARAMETER(CacheType);
    return MiAllocatePagesForMdl(LowAddress, HighAddress, TotalBytes, Flags);
}

VOID NTAPI MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Page = MmGetMdlPfnArray(Mdl);
    ULONG Pages = MiMdlPages(Mdl);

    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) /* since Windows 7 the mapping goes with the pages */
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    for (ULONG Index = 0; Index < Pages; Index++) {
        MiPfnDatabase[Page[Index]].Locks = 0;
        MiFreePage((ULONG)Page[Index]);
    }
    Mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}

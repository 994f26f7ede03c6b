// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device memory, contiguous memory, and copying from addresses that may be bad.
 *
 * Both kinds of memory are mapped in the system PTE region and unmapped when freed, so that whoever still uses it
 * faults.
 */
#include "mip.h"

#define MI_CONTIGUOUS_BYTES_MAXIMUM (1ULL << 32)

/* Nobody gets the page tables to write to (since Windows 10, version 1803).  The root of the hierarchy is one too. */
static BOOLEAN MiHoldsPageTable(ULONG64 First, ULONG Pages)
{
    for (ULONG64 Page = First >> PAGE_SHIFT; Page < (First >> PAGE_SHIFT) + Pages && Page < MiHighestPage; Page++) {
        if (MiPfnDatabase[Page].State == MiPageTable || Page == (__readcr3() & MI_PTE_PAGE_MASK) >> PAGE_SHIFT)
            return TRUE;
    }
    return FALSE;
}

DECLSPEC_NOINLINE PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
                                           MEMORY_CACHING_TYPE CacheType)
{
    ULONG64 First = (ULONG64)PhysicalAddress.QuadPart & ~(ULONG64)(PAGE_SIZE - 1);
    ULONG Offset = (ULONG)PhysicalAddress.QuadPart & (PAGE_SIZE - 1);
    ULONG Pages = (ULONG)BYTES_TO_PAGES(Offset + NumberOfBytes);
    ULONG64 Base;

    if (__readcr8() > DISPATCH_LEVEL && FvVerifierEnabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x73, __readcr8(), (ULONG_PTR)PhysicalAddress.QuadPart,
                     NumberOfBytes);
    if (NumberOfBytes == 0 || NumberOfBytes > MI_CONTIGUOUS_BYTES_MAXIMUM || MiHoldsPageTable(First, Pages))
        return NULL;
    Base = MiReserveRange(&MiSystemPteRegion, Pages);
    if (Base == 0)
        return NULL;
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiMakePte(Base + ((ULONG64)Index << PAGE_SHIFT));
        if (Pte == NULL) {
            MiClearPtes(Base, Index);
            MiReleaseRange(&MiSystemPteRegion, Base, Pages);
            return NULL;
        }
        *Pte =
            (First + ((ULONG64)Index << PAGE_SHIFT)) | MI_PTE_DATA | (CacheType == MmCached ? 0 : FLTVM_PTE_UNCACHED);
    }
    return (PVOID)(Base + Offset);
}

PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
    return MmMapIoSpace(PhysicalAddress, NumberOfBytes, Protect & PAGE_NOCACHE ? MmNonCached : MmCached);
}

VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    ULONG64 Base = (ULONG64)BaseAddress & ~(ULONG64)(PAGE_SIZE - 1);
    ULONG Pages = (ULONG)ADDRESS_AND_SIZE_TO_SPAN_PAGES(BaseAddress, NumberOfBytes);

    if (__readcr8() > DISPATCH_LEVEL && FvVerifierEnabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7B, __readcr8(), (ULONG_PTR)BaseAddress, NumberOfBytes);
    MiClearPtes(Base, Pages);
    MiReleaseRange(&MiSystemPteRegion, Base, Pages);
}

static PVOID MiAllocateContiguous(SIZE_T Bytes, PHYSICAL_ADDRESS Low, PHYSICAL_ADDRESS High, PHYSICAL_ADDRESS Boundary,
                                  MEMORY_CACHING_TYPE CacheType)
{
    ULONG Pages = (ULONG)BYTES_TO_PAGES(Bytes);
    ULONG64 Highest = ((ULONG64)High.QuadPart >> PAGE_SHIFT) + 1;
    PHYSICAL_ADDRESS Physical;
    ULONG First;
    PVOID Address;

    if (Bytes == 0 || Bytes > MI_CONTIGUOUS_BYTES_MAXIMUM)
        return NULL;
    First = MiAllocateRun(Pages, (ULONG)((Low.QuadPart + PAGE_SIZE - 1) >> PAGE_SHIFT),
                          Highest > MiHighestPage ? MiHighestPage : (ULONG)Highest,
                          (ULONG)(Boundary.QuadPart >> PAGE_SHIFT));
    if (First == MI_NO_PAGE)
        return NULL;
    Physical.QuadPart = (LONGLONG)First << PAGE_SHIFT;
    Address = MmMapIoSpace(Physical, (SIZE_T)Pages << PAGE_SHIFT, CacheType);
    if (Address == NULL) {
        for (ULONG Index = 0; Index < Pages; Index++)
            MiFreePage(First + Index);
        return NULL;
    }
    MiPfnDatabase[First].State = MiPageContiguous;
    MiPfnDatabase[First].Size = Bytes;
    return Address;
}

PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS HighestAcceptableAddress)
{
    PHYSICAL_ADDRESS Zero = {.QuadPart = 0};

    return MiAllocateContiguous(NumberOfBytes, Zero, HighestAcceptableAddress, Zero, MmCached);
}

PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T NumberOfBytes, PHYSICAL_ADDRESS LowestAcceptableAddress,
                                                   PHYSICAL_ADDRESS HighestAcceptableAddress,
                                                   PHYSICAL_ADDRESS BoundaryAddressMultiple,
                                                   MEMORY_CACHING_TYPE CacheType)
{
    return MiAllocateContiguous(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress,
                                BoundaryAddressMultiple, CacheType);
}

DECLSPEC_NOINLINE VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
    MMPTE Pte = MiLookupPte((ULONG64)BaseAddress);
    ULONG First = MiPtePage(Pte), Pages;

    if (!(Pte & FLTVM_PTE_PRESENT) || ((ULONG64)BaseAddress & (PAGE_SIZE - 1)) != 0 || First >= MiHighestPage ||
        MiPfnDatabase[First].State != MiPageContiguous || !MiInRegion(&MiSystemPteRegion, (ULONG64)BaseAddress))
        MiPoolBugCheck("bad-free", BaseAddress, __builtin_return_address(0), BAD_POOL_CALLER, 0x60,
                       (ULONG64)BaseAddress, 0, 0);
    Pages = (ULONG)BYTES_TO_PAGES(MiPfnDatabase[First].Size);
    MiPfnDatabase[First].State = MiPageInUse;
    MmUnmapIoSpace(BaseAddress, (SIZE_T)Pages << PAGE_SHIFT);
    for (ULONG Index = 0; Index < Pages; Index++)
        MiFreePage(First + Index);
}

VOID NTAPI MmFreeContiguousMemorySpecifyCache(PVOID BaseAddress, SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    UNREFERENCED_PARAMETER(NumberOfBytes);
    UNREFERENCED_PARAMETER(CacheType);
    MmFreeContiguousMemory(BaseAddress);
}

PVOID NTAPI MmAllocateNonCachedMemory(SIZE_T NumberOfBytes)
{
    PHYSICAL_ADDRESS Zero = {.QuadPart = 0}, High = {.QuadPart = MAXLONGLONG};

    return MiAllocateContiguous(NumberOfBytes, Zero, High, Zero, MmNonCached);
}

VOID NTAPI MmFreeNonCachedMemory(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    UNREFERENCED_PARAMETER(NumberOfBytes);
    MmFreeContiguousMemory(BaseAddress);
}

/* Never faults: what is not mapped ends the copy.  *NumberOfBytesTransferred says how far it came. */
NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress, SIZE_T NumberOfBytes, ULONG Flags,
                            PSIZE_T NumberOfBytesTransferred)
{
    SIZE_T Done = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    *NumberOfBytesTransferred = 0;
    if (Flags != MM_COPY_MEMORY_PHYSICAL && Flags != MM_COPY_MEMORY_VIRTUAL)
        return STATUS_INVALID_PARAMETER_4;
    while (Done < NumberOfBytes) {
        ULONG64 Source = (ULONG64)SourceAddress.PhysicalAddress.QuadPart + Done;
        SIZE_T Piece = min(NumberOfBytes - Done, PAGE_SIZE - (Source & (PAGE_SIZE - 1)));

        if (Flags == MM_COPY_MEMORY_PHYSICAL) {
            if (Source >> PAGE_SHIFT >= MiHighestPage || MiPfnDatabase[Source >> PAGE_SHIFT].State == MiPageAbsent) {
                Status = STATUS_INVALID_ADDRESS;
                break;
            }
            Source += FLTVM_VA_DIRECT_MAP;
        } else if (!(MiLookupPte(Source) & FLTVM_PTE_PRESENT)) {
            Status = STATUS_INVALID_ADDRESS;
            break;
        }
        memcpy((PUCHAR)TargetAddress + Done, (PVOID)Source, Piece);
        Done += Piece;
    }
    *NumberOfBytesTransferred = Done;
    return Status;
}

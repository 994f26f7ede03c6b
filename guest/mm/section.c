// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pageable sections of drivers, and the small questions one may ask mm.
 *
 * Locking a section takes the pageable bit off its pages, so that it may be touched at DISPATCH_LEVEL; unlocking puts
 * it back.  A handle is an entry in a table of ranges with counts.
 */
#include "mip.h"

#include <ntimage.h>

#define MI_LOCKED_SECTIONS 64

typedef struct _MI_LOCKED_SECTION {
    ULONG64 Base;
    ULONG Pages;
    ULONG Count;
} MI_LOCKED_SECTION;

static MI_LOCKED_SECTION MiLockedSection[MI_LOCKED_SECTIONS]; /* MiSectionLock */
static volatile LONG64 MiSectionLock;

static VOID MiSetPageable(ULONG64 Base, ULONG Pages, BOOLEAN Pageable)
{
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiPte(Base + ((ULONG64)Index << PAGE_SHIFT));
        if (*Pte & FLTVM_PTE_PRESENT)
            *Pte = (*Pte & ~(ULONG64)MI_PTE_PAGEABLE) | (Pageable ? MiPageable : 0);
    }
    KeFlushMultipleTb((PVOID)Base, Pages);
}

/* The section of a loaded image that an address lies in. */
static BOOLEAN MiFindSection(ULONG64 Address, PULONG64 Base, PULONG Pages)
{
    PVOID Image;
    PIMAGE_NT_HEADERS64 Nt;
    PIMAGE_SECTION_HEADER Section;

    if (RtlPcToFileHeader((PVOID)Address, &Image) == NULL)
        return FALSE;
    Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)Image + ((PIMAGE_DOS_HEADER)Image)->e_lfanew);
    Section = IMAGE_FIRST_SECTION(Nt);
    for (ULONG Index = 0; Index < Nt->FileHeader.NumberOfSections; Index++, Section++) {
        ULONG64 Start = (ULONG64)Image + Section->VirtualAddress;
        ULONG Size = Section->Misc.VirtualSize != 0 ? Section->Misc.VirtualSize : Section->SizeOfRawData;
        if (Address - Start < Size) {
            *Base = Start;
            *Pages = (ULONG)BYTES_TO_PAGES(Size);
            return TRUE;
        }
    }
    return FALSE;
}

PVOID NTAPI MmLockPagableDataSection(PVOID AddressWithinSection)
{
    MI_LOCKED_SECTION *Entry = NULL;
    ULONG64 Base;
    ULONG Pages;
    KIRQL OldIrql;

    if (!MiFindSection((ULONG64)AddressWithinSection, &Base, &Pages))
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x1234, (ULONG_PTR)AddressWithinSection, 1, 0);
    OldIrql = MiAcquireLock(&MiSectionLock);
    for (ULONG Index = 0; Index < MI_LOCKED_SECTIONS; Index++) {
        if (MiLockedSection[Index].Base == Base) {
            Entry = &MiLockedSection[Index];
            break;
        }
        if (Entry == NULL && MiLockedSection[Index].Base == 0)
            Entry = &MiLockedSection[Index];
    }
    if (Entry == NULL)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x1234, (ULONG_PTR)AddressWithinSection, 2, 0);
    Entry->Base = Base;
    Entry->Pages = Pages;
    Entry->Count++;
    MiReleaseLock(&MiSectionLock, OldIrql);
    if (Entry->Count == 1)
        MiSetPageable(Base, Pages, FALSE);
    return Entry;
}

#undef MmLockPagableCodeSection
PVOID NTAPI MmLockPagableCodeSection(PVOID AddressWithinSection);
PVOID NTAPI MmLockPagableCodeSection(PVOID AddressWithinSection)
{
    return MmLockPagableDataSection(AddressWithinSection);
}

VOID NTAPI MmLockPagableSectionByHandle(PVOID ImageSectionHandle)
{
    MI_LOCKED_SECTION *Entry = ImageSectionHandle;
    KIRQL OldIrql = MiAcquireLock(&MiSectionLock);
    ULONG Count = ++Entry->Count;

    MiReleaseLock(&MiSectionLock, OldIrql);
    if (Count == 1)
        MiSetPageable(Entry->Base, Entry->Pages, FALSE);
}

VOID NTAPI MmUnlockPagableImageSection(PVOID ImageSectionHandle)
{
    MI_LOCKED_SECTION *Entry = ImageSectionHandle;
    KIRQL OldIrql = MiAcquireLock(&MiSectionLock);
    ULONG Count;

    if (Entry->Count == 0)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x1010, (ULONG_PTR)ImageSectionHandle, 0, 0);
    Count = --Entry->Count;
    MiReleaseLock(&MiSectionLock, OldIrql);
    if (Count == 0)
        MiSetPageable(Entry->Base, Entry->Pages, TRUE);
}

/* When an image goes, so do its sections' entries. */
VOID MiForgetSections(ULONG64 Base, SIZE_T Size)
{
    KIRQL OldIrql = MiAcquireLock(&MiSectionLock);

    for (ULONG Index = 0; Index < MI_LOCKED_SECTIONS; Index++) {
        if (MiLockedSection[Index].Base - Base < Size)
            memset(&MiLockedSection[Index], 0, sizeof(MiLockedSection[Index]));
    }
    MiReleaseLock(&MiSectionLock, OldIrql);
}

static VOID MiPageDriver(PVOID Address, BOOLEAN WholeImage)
{
    PVOID Image;
    PIMAGE_NT_HEADERS64 Nt;
    PIMAGE_SECTION_HEADER Section;

    if (RtlPcToFileHeader(Address, &Image) == NULL)
        return;
    Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)Image + ((PIMAGE_DOS_HEADER)Image)->e_lfanew);
    Section = IMAGE_FIRST_SECTION(Nt);
    for (ULONG Index = 0; Index < Nt->FileHeader.NumberOfSections; Index++, Section++) {
        BOOLEAN Named = strncmp((PCSTR)Section->Name, "PAGE", 4) == 0;
        ULONG Size = Section->Misc.VirtualSize != 0 ? Section->Misc.VirtualSize : Section->SizeOfRawData;
        MiSetPageable((ULONG64)Image + Section->VirtualAddress, (ULONG)BYTES_TO_PAGES(Size), WholeImage || Named);
    }
}

PVOID NTAPI MmPageEntireDriver(PVOID AddressWithinSection)
{
    PVOID Image;

    MiPageDriver(AddressWithinSection, TRUE);
    return RtlPcToFileHeader(AddressWithinSection, &Image);
}

VOID NTAPI MmResetDriverPaging(PVOID AddressWithinSection)
{
    MiPageDriver(AddressWithinSection, FALSE);
}

MM_SYSTEMSIZE NTAPI MmQuerySystemSize(VOID)
{
    return MiTotalPages < 0x4000 ? MmSmallSystem : MiTotalPages < 0x40000 ? MmMediumSystem : MmLargeSystem;
}

BOOLEAN NTAPI MmIsThisAnNtAsSystem(VOID)
{
    return FALSE;
}

BOOLEAN NTAPI MmIsRecursiveIoFault(VOID)
{
    return FALSE; /* nothing is ever paged in */
}

LOGICAL NTAPI MmIsDriverVerifying(PDRIVER_OBJECT DriverObject)
{
    return FvVerifierEnabled() && MiFindOwner(DriverObject->DriverStart) != MM_OWNER_KERNEL;
}

LOGICAL NTAPI MmIsDriverVerifyingByAddress(PVOID AddressInDriver);
LOGICAL NTAPI MmIsDriverVerifyingByAddress(PVOID AddressInDriver)
{
    return FvVerifierEnabled() && MiFindOwner(AddressInDriver) != MM_OWNER_KERNEL;
}

/* Data exports. */
extern PVOID MmHighestUserAddress, MmSystemRangeStart;
extern ULONG_PTR MmUserProbeAddress;
PVOID MmHighestUserAddress = (PVOID)MM_HIGHEST_USER;
PVOID MmSystemRangeStart = (PVOID)FLTVM_VA_DIRECT_MAP;
ULONG_PTR MmUserProbeAddress = 0x00007FFFFFFF0000;

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual memory of the current process: reserving, committing, protecting, giving back, asking.
 *
 * What is committed is there at once, filled with zeros: nothing is brought in by a fault.  So that a program
 * cannot take what the kernel lives on, a last part of memory is never committed.
 */
#include "segment.h"

#define MI_PROTECTIONS                                                                                                 \
    (PAGE_NOACCESS | PAGE_READONLY | PAGE_READWRITE | PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE)
#define MI_MODIFIERS (PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE)

#define MI_KINDS (MEM_COMMIT | MEM_RESERVE | MEM_RESET)

MMPTE MiProtectionBits(ULONG Protect)
{
    static const MMPTE Bits[] = {
        [0] = MI_PTE_HIDDEN, /* PAGE_NOACCESS */
        [1] = FLTVM_PTE_PRESENT | FLTVM_PTE_USER | FLTVM_PTE_NX,
        [2] = FLTVM_PTE_PRESENT | FLTVM_PTE_USER | FLTVM_PTE_WRITE | FLTVM_PTE_NX,
        [4] = FLTVM_PTE_PRESENT | FLTVM_PTE_USER,
        [5] = FLTVM_PTE_PRESENT | FLTVM_PTE_USER,
        [6] = FLTVM_PTE_PRESENT | FLTVM_PTE_USER | FLTVM_PTE_WRITE,
    };
    ULONG Plain = Protect & ~MI_MODIFIERS, Modifiers = Protect & MI_MODIFIERS, Number;
    MMPTE Pte;

    if ((Plain & ~MI_PROTECTIONS) != 0 || Plain == 0 || (Plain & (Plain - 1)) != 0)
        return 0;
    /* No access goes with none of them, and a guard or write combining not with another. */
    if ((Modifiers & (Modifiers - 1)) != 0 || (Modifiers != 0 && Plain == PAGE_NOACCESS))
        return 0;
    Number = (ULONG)__builtin_ctz(Plain);
    Pte = Bits[Number] | MI_PTE_PROTECTION(Number) | MI_PTE_COMMITTED | MiPageable;
    if (Modifiers == PAGE_GUARD)
        Pte = (Pte & ~(MMPTE)FLTVM_PTE_PRESENT) | MI_PTE_GUARD | MI_PTE_HIDDEN;
    if (Modifiers == PAGE_NOCACHE)
        Pte |= MI_PTE_NO_CACHE | FLTVM_PTE_UNCACHED;
    if (Modifiers == PAGE_WRITECOMBINE)
        Pte |= MI_PTE_WRITE_COMBINE;
    return Pte;
}

static ULONG MiProtectionOf(MMPTE Pte)
{
    return 1u << MI_PTE_NUMBER(Pte) | (Pte & MI_PTE_GUARD ? PAGE_GUARD : 0) |
           (Pte & MI_PTE_NO_CACHE ? PAGE_NOCACHE : 0) | (Pte & MI_PTE_WRITE_COMBINE ? PAGE_WRITECOMBINE : 0);
}

/* ---- pages ---- */

VOID MiDecommit(PMM_SPACE Space, ULONG64 Start, ULONG64 End)
{
    ULONG64 First = 0, Last = 0;
    PMMPTE Pte;

    for (ULONG64 Address = Start; (Pte = MiNextPte(&Address, End)) != NULL; Address += PAGE_SIZE) {
        if (*Pte & MI_PTE_COMMITTED) {
            *Pte &= MI_PTE_PAGE_MASK | MI_PTE_COMMITTED; /* not present, until no processor can reach the page */
            First = First == 0 ? Address : First;
            Last = Address;
        }
    }
    if (First == 0)
        return;
    KeFlushMultipleTb((PVOID)First, (ULONG)min((Last - First) / PAGE_SIZE + 1, 1u << 20));
    for (ULONG64 Address = First; (Pte = MiNextPte(&Address, Last + PAGE_SIZE)) != NULL; Address += PAGE_SIZE) {
        if (*Pte & MI_PTE_COMMITTED)
            MiReleaseUserPage(MiPtePage(*Pte));
        *Pte = 0;
    }
}

static ULONG64 MiCountCommitted(ULONG64 Start, ULONG64 End)
{
    ULONG64 Count = 0;
    PMMPTE Pte;

    for (ULONG64 Address = Start; (Pte = MiNextPte(&Address, End)) != NULL; Address += PAGE_SIZE)
        Count += (*Pte & MI_PTE_COMMITTED) != 0;
    return Count;
}

static VOID MiFreePageList(ULONG First)
{
    while (First != MI_NO_PAGE) {
        ULONG Next = MiPfnDatabase[First].Flink;

        MiFreePage(First);
        First = Next;
    }
}

/* All or nothing: first the pages and the tables are taken, then nothing can fail any more. */
static NTSTATUS MiCommit(ULONG64 Start, ULONG64 End, MMPTE Bits)
{
    ULONG64 Wanted = (End - Start) / PAGE_SIZE - MiCountCommitted(Start, End);
    ULONG List = MI_NO_PAGE;

    if (Wanted + MI_KEPT_PAGES > MmAvailablePages())
        return STATUS_COMMITMENT_LIMIT;
    for (ULONG64 Address = Start; Address < End; Address += PAGE_SIZE) {
        PMMPTE Pte = MiMakePte(Address);
        ULONG Page;

        if (Pte != NULL && (*Pte & MI_PTE_COMMITTED))
            continue;
        Page = Pte != NULL ? MiAllocatePage(TRUE) : MI_NO_PAGE;
        if (Page == MI_NO_PAGE) {
            MiFreePageList(List);
            return STATUS_NO_MEMORY;
        }
        MiPfnDatabase[Page].Flink = List;
        List = Page;
    }
    for (ULONG64 Address = Start; Address < End; Address += PAGE_SIZE) {
        PMMPTE Pte = MiPte(Address);

        if (!(*Pte & MI_PTE_COMMITTED)) {
            ULONG Page = List;

            List = MiPfnDatabase[Page].Flink;
            *Pte = ((ULONG64)Page << PAGE_SHIFT) | Bits;
        }
    }
    return STATUS_SUCCESS;
}

static VOID MiProtect(ULONG64 Start, ULONG64 End, MMPTE Bits)
{
    for (ULONG64 Address = Start; Address < End; Address += PAGE_SIZE) {
        PMMPTE Pte = MiPte(Address);

        *Pte = (*Pte & MI_PTE_PAGE_MASK) | Bits;
    }
    KeFlushMultipleTb((PVOID)Start, (ULONG)((End - Start) / PAGE_SIZE));
}

/* The page's guard goes with the access that met it.  FALSE: it had none any more. */
BOOLEAN MiTakeGuard(ULONG64 Address)
{
    PMM_SPACE Space = MiLockSpace();
    PMMPTE Pte = MiNextPte(&Address, Address + 1);
    BOOLEAN Guarded = Pte != NULL && (*Pte & MI_PTE_GUARD) != 0;

    if (Guarded)
        *Pte = (*Pte & MI_PTE_PAGE_MASK) | MiProtectionBits(MiProtectionOf(*Pte) & ~PAGE_GUARD);
    MiUnlockSpace(Space);
    return Guarded;
}

/* ---- what ps's services do ---- */

/* Pages that [Base, Base + Size) touches; FALSE when they are not all of user space. */
static BOOLEAN MiRoundRange(ULONG64 Base, ULONG64 Size, PULONG64 Start, PULONG64 End)
{
    if (Base > MM_HIGHEST_USER || Size > MM_HIGHEST_USER + 1 - Base)
        return FALSE;
    *Start = Base & ~(ULONG64)(PAGE_SIZE - 1);
    *End = (Base + Size + PAGE_SIZE - 1) & ~(ULONG64)(PAGE_SIZE - 1);
    return TRUE;
}

static NTSTATUS MiReserve(PMM_SPACE Space, PULONG64 Start, PULONG64 End, ULONG64 Highest, ULONG Type, ULONG Protect)
{
    ULONG64 Size = *End - *Start;

    if (*Start != 0) {
        *Start &= ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
        if (*Start < MM_LOWEST_USER || MiFindReserved(Space, *Start, *End) != NULL)
            return STATUS_CONFLICTING_ADDRESSES;
    } else {
        *Start = Type & MEM_TOP_DOWN ? MiFindFreeTop(Space, Size, Highest) : MiFindFree(Space, Size, Highest);
        if (*Start == 0)
            return STATUS_NO_MEMORY;
        *End = *Start + Size;
    }
    return MiInsertRange(Space, *Start, *End, Protect, MEM_PRIVATE) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS MiAllocateLocked(PMM_SPACE Space, PULONG64 Start, PULONG64 End, ULONG64 Highest, ULONG Type,
                                 ULONG Protect)
{
    PMI_RANGE Range;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN New = (Type & MEM_RESERVE) != 0 || *Start == 0;

    if (Space->Ended)
        return STATUS_PROCESS_IS_TERMINATING;
    if (New)
        Status = MiReserve(Space, Start, End, Highest, Type, Protect);
    if (!NT_SUCCESS(Status) || !(Type & MEM_COMMIT)) {
        if (NT_SUCCESS(Status) && (Type & MEM_RESET) && MiFindReserved(Space, *Start, *End) == NULL)
            Status = STATUS_CONFLICTING_ADDRESSES;
        return Status;
    }
    Range = MiFindReserved(Space, *Start, *Start + 1);
    if (Range == NULL || *End > Range->End)
        return STATUS_CONFLICTING_ADDRESSES;
    if (Range->View != NULL)
        return MiCommitView(Range, *Start, *End);
    Status = MiCommit(*Start, *End, MiProtectionBits(Protect));
    if (New && !NT_SUCCESS(Status))
        MiDeleteRange(Space, Range);
    else if (!New && NT_SUCCESS(Status))
        MiProtect(*Start, *End, MiProtectionBits(Protect)); /* what was committed before gets it too */
    return Status;
}

NTSTATUS MmAllocateVirtual(PULONG64 Base, ULONG64 ZeroBits, PULONG64 Size, ULONG Type, ULONG Protect)
{
    ULONG64 Highest = ZeroBits == 0 ? MM_HIGHEST_USER : min(MM_HIGHEST_USER, 0xFFFFFFFFull >> ZeroBits);
    ULONG64 Start, End;
    PMM_SPACE Space;
    NTSTATUS Status;

    if (ZeroBits > 21)
        return STATUS_INVALID_PARAMETER_3;
    if ((Type & ~(ULONG)(MI_KINDS | MEM_TOP_DOWN | MEM_LARGE_PAGES | MEM_PHYSICAL | MEM_WRITE_WATCH)) != 0 ||
        (Type & MI_KINDS) == 0 || ((Type & MEM_RESET) != 0 && Type != MEM_RESET))
        return STATUS_INVALID_PARAMETER_5;
    if (Type & (MEM_LARGE_PAGES | MEM_PHYSICAL | MEM_WRITE_WATCH))
        return STATUS_NOT_IMPLEMENTED;
    if (MiProtectionBits(Protect) == 0 && Protect != PAGE_WRITECOPY && Protect != PAGE_EXECUTE_WRITECOPY)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (*Base > MM_HIGHEST_USER)
        return STATUS_INVALID_PARAMETER_2;
    if (*Size == 0 || !MiRoundRange(*Base, *Size, &Start, &End))
        return STATUS_INVALID_PARAMETER_4;
    Space = MiLockSpace();
    Status = MiAllocateLocked(Space, &Start, &End, Highest, Type, Protect);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = Start;
        *Size = End - Start;
    }
    return Status;
}

/* What is left of a range on both sides of a part that goes becomes ranges of its own. */
static NTSTATUS MiReleasePart(PMM_SPACE Space, PMI_RANGE Range, ULONG64 Start, ULONG64 End)
{
    MI_RANGE Whole = *Range;

    MiDecommit(Space, Start, End);
    if (Start == Whole.Start && End == Whole.End) {
        MiDeleteRange(Space, Range);
    } else if (Start == Whole.Start) {
        Range->Start = Range->Base = End;
    } else {
        Range->End = Start;
        if (End < Whole.End && !MiInsertRange(Space, End, Whole.End, Whole.Protection, Whole.Type)) {
            Range->End = Whole.End; /* it stays reserved, without its pages */
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if ((Start & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1)) < Space->Hint)
        Space->Hint = Start & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
    return STATUS_SUCCESS;
}

static NTSTATUS MiFreeLocked(PMM_SPACE Space, PULONG64 Start, PULONG64 End, BOOLEAN Whole, BOOLEAN Release)
{
    PMI_RANGE Range = MiFindReserved(Space, *Start, *Start + 1);

    if (Range == NULL)
        return STATUS_MEMORY_NOT_ALLOCATED;
    if (Range->Type != MEM_PRIVATE)
        return STATUS_UNABLE_TO_DELETE_SECTION;
    if (Whole) {
        if (*Start != Range->Start)
            return STATUS_FREE_VM_NOT_AT_BASE;
        *End = Range->End;
    }
    if (*End > Range->End)
        return STATUS_UNABLE_TO_FREE_VM;
    if (Release)
        return MiReleasePart(Space, Range, *Start, *End);
    MiDecommit(Space, *Start, *End);
    return STATUS_SUCCESS;
}

NTSTATUS MmFreeVirtual(PULONG64 Base, PULONG64 Size, ULONG Type)
{
    ULONG64 Start, End;
    PMM_SPACE Space;
    NTSTATUS Status;

    if (Type != MEM_DECOMMIT && Type != MEM_RELEASE)
        return STATUS_INVALID_PARAMETER_4;
    if (*Base > MM_HIGHEST_USER)
        return STATUS_INVALID_PARAMETER_2;
    if (!MiRoundRange(*Base, *Size, &Start, &End))
        return STATUS_INVALID_PARAMETER_3;
    Space = MiLockSpace();
    Status = MiFreeLocked(Space, &Start, &End, *Size == 0, Type == MEM_RELEASE);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = Start;
        *Size = End - Start;
    }
    return Status;
}

static NTSTATUS MiProtectLocked(PMM_SPACE Space, ULONG64 Start, ULONG64 End, ULONG Protect, PULONG Old)
{
    PMI_RANGE Range = MiFindReserved(Space, Start, Start + 1);

    if (Range == NULL || End > Range->End)
        return STATUS_CONFLICTING_ADDRESSES;
    if (Range->View != NULL) {
        *Old = Range->Current;
        return MiProtectView(Space, Range, Start, End, Protect);
    }
    if (MiProtectionBits(Protect) == 0)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (MiCountCommitted(Start, End) != (End - Start) / PAGE_SIZE)
        return STATUS_NOT_COMMITTED;
    *Old = MiProtectionOf(*MiPte(Start));
    MiProtect(Start, End, MiProtectionBits(Protect));
    return STATUS_SUCCESS;
}

NTSTATUS MmProtectVirtual(PULONG64 Base, PULONG64 Size, ULONG Protect, PULONG Old)
{
    ULONG64 Start, End;
    PMM_SPACE Space;
    NTSTATUS Status;

    if (MiProtectionBits(Protect) == 0 && Protect != PAGE_WRITECOPY && Protect != PAGE_EXECUTE_WRITECOPY)
        return STATUS_INVALID_PAGE_PROTECTION;
    if (*Base > MM_HIGHEST_USER)
        return STATUS_INVALID_PARAMETER_2;
    if (*Size == 0 || !MiRoundRange(*Base, *Size, &Start, &End))
        return STATUS_INVALID_PARAMETER_3;
    Space = MiLockSpace();
    Status = MiProtectLocked(Space, Start, End, Protect, Old);
    MiUnlockSpace(Space);
    if (NT_SUCCESS(Status)) {
        *Base = Start;
        *Size = End - Start;
    }
    return Status;
}

/* ---- pages of others: a driver's list, mapped for the process ---- */

ULONG64 MiMapUser(PPFN_NUMBER Page, ULONG Pages, ULONG64 Wanted, MMPTE Bits)
{
    ULONG64 Start = Wanted, End = Wanted + ((ULONG64)Pages << PAGE_SHIFT);
    PMM_SPACE Space = MiLockSpace();
    NTSTATUS Status = Space->Ended ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;

    if (Wanted != 0 && (Wanted < MM_LOWEST_USER || Wanted > MM_HIGHEST_USER || End > MM_HIGHEST_USER + 1 ||
                        Wanted % MM_ALLOCATION_GRANULARITY != 0 || MiFindReserved(Space, Start, End) != NULL))
        Status = STATUS_CONFLICTING_ADDRESSES;
    if (NT_SUCCESS(Status) && Wanted == 0) {
        Start = MiFindFree(Space, (ULONG64)Pages << PAGE_SHIFT, MM_HIGHEST_USER);
        End = Start + ((ULONG64)Pages << PAGE_SHIFT);
        Status = Start == 0 ? STATUS_NO_MEMORY : STATUS_SUCCESS;
    }
    /* The tables before the range: nothing can fail once it is there. */
    for (ULONG64 Address = Start; NT_SUCCESS(Status) && Address < End; Address += PAGE_SIZE)
        Status = MiMakePte(Address) != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status) && !MiInsertRange(Space, Start, End, PAGE_READWRITE, MEM_MAPPED))
        Status = STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG Index = 0; NT_SUCCESS(Status) && Index < Pages; Index++)
        *MiPte(Start + ((ULONG64)Index << PAGE_SHIFT)) = ((ULONG64)Page[Index] << PAGE_SHIFT) | Bits | FLTVM_PTE_USER;
    MiUnlockSpace(Space);
    return NT_SUCCESS(Status) ? Start : 0;
}

BOOLEAN MiUnmapUser(ULONG64 Start, ULONG Pages)
{
    PMM_SPACE Space = MiLockSpace();
    PMI_RANGE Range = MiFindReserved(Space, Start, Start + 1);
    BOOLEAN Mapped = Range != NULL && Range->Type == MEM_MAPPED && Range->Start == Start &&
                     Range->End == Start + ((ULONG64)Pages << PAGE_SHIFT);

    if (Mapped) {
        MiClearPtes(Start, Pages);
        MiDeleteRange(Space, Range);
    }
    MiUnlockSpace(Space);
    return Mapped;
}

/* How far what is so at Start goes on: the same protection, or nothing committed. */
static ULONG64 MiSameUntil(ULONG64 Start, ULONG64 End, ULONG Protect)
{
    for (ULONG64 Address = Start; Address < End; Address += PAGE_SIZE) {
        ULONG64 Next = Address;
        PMMPTE Pte = MiNextPte(&Next, End);

        if (Pte == NULL || Next != Address) { /* there are no tables in between */
            if (Protect != 0)
                return Address;
            if (Pte == NULL)
                return End;
            Address = Next;
        }
        if ((*Pte & MI_PTE_COMMITTED ? MiProtectionOf(*Pte) : 0) != Protect)
            return Address;
    }
    return End;
}

NTSTATUS MmQueryVirtual(ULONG64 Address, PMEMORY_BASIC_INFORMATION Information)
{
    ULONG64 Start = Address & ~(ULONG64)(PAGE_SIZE - 1), Place = Start;
    PMM_SPACE Space;
    PMI_RANGE Range;

    RtlZeroMemory(Information, sizeof(*Information));
    if (Address > MM_HIGHEST_USER)
        return STATUS_INVALID_PARAMETER;
    Information->BaseAddress = (PVOID)Start;
    Space = MiLockSpace();
    Range = MiFindReserved(Space, Start, Start + 1);
    if (Range == NULL) {
        Information->RegionSize = MiNextRange(Space, Start) - Start;
        Information->State = MEM_FREE;
        Information->Protect = PAGE_NOACCESS;
    } else {
        Information->AllocationBase = (PVOID)Range->Base;
        Information->AllocationProtect = Range->Protection;
        Information->Type = Range->Type;
    }
    if (Range != NULL && Range->View != NULL) {
        MiQueryView(Range, Start, Information);
    } else if (Range != NULL) {
        PMMPTE Pte = MiNextPte(&Place, Start + PAGE_SIZE);

        Information->State = Pte != NULL && (*Pte & MI_PTE_COMMITTED) ? MEM_COMMIT : MEM_RESERVE;
        if (Information->State == MEM_COMMIT)
            Information->Protect = MiProtectionOf(*Pte);
        Information->RegionSize = MiSameUntil(Start, Range->End, Information->Protect) - Start;
    }
    MiUnlockSpace(Space);
    return STATUS_SUCCESS;
}

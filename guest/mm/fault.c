// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a page fault means.
 *
 * In a view of a section it shows the page, which is read if it is a file's (STATUS_IN_PAGE_ERROR: it cannot be).  Else it is an error: an exception for user addresses (that of a guard page the
 * first time only), a bugcheck for system addresses, named as exactly as Windows does.  What is none is a translation that was
 * changed on another processor a moment ago: the access is then tried again.
 */
#include "segment.h"

#define MI_FAULT_PRESENT 0x01
#define MI_FAULT_WRITE   0x02
#define MI_FAULT_USER    0x04
#define MI_FAULT_FETCH   0x10

/* Places in rtl's slist.S. */
VOID ExpInterlockedPopEntrySListFault(VOID);
VOID ExpInterlockedPopEntrySListResume(VOID);

/* Does the translation as it stands now allow the access? */
static BOOLEAN MiAllows(MMPTE Pte, ULONG64 ErrorCode)
{
    if (!(Pte & FLTVM_PTE_PRESENT))
        return FALSE;
    if ((ErrorCode & MI_FAULT_WRITE) && !(Pte & FLTVM_PTE_WRITE))
        return FALSE;
    if ((ErrorCode & MI_FAULT_FETCH) && (Pte & FLTVM_PTE_NX))
        return FALSE;
    if ((ErrorCode & MI_FAULT_USER) && !(Pte & FLTVM_PTE_USER))
        return FALSE;
    return !((Pte & FLTVM_PTE_PAGEABLE) && __readcr8() >= DISPATCH_LEVEL);
}

static NTSTATUS MiUserAddressFault(ULONG64 Address, ULONG64 ErrorCode)
{
    MMPTE Pte;

    if (__readcr8() >= DISPATCH_LEVEL)
        return STATUS_UNSUCCESSFUL;
    Pte = MiLookupPte(Address);
    if (MiAllows(Pte, ErrorCode)) {
        if ((ErrorCode & MI_FAULT_FETCH) && !(ErrorCode & MI_FAULT_USER))
            return STATUS_UNSUCCESSFUL; /* the kernel never runs user memory: SMEP */
        MiInvalidate(Address);
        return STATUS_SUCCESS;
    }
    if (!(Pte & MI_PTE_GUARD) && !MiHasViews(Address))
        return STATUS_ACCESS_VIOLATION;
    if (!(Pte & MI_PTE_GUARD))
        return MiResolveView(Address, (ErrorCode & MI_FAULT_WRITE) != 0, (ErrorCode & MI_FAULT_FETCH) != 0);
    return MiTakeGuard(Address) ? STATUS_GUARD_PAGE_VIOLATION : STATUS_SUCCESS; /* another thread took it: try again */
}

NTSTATUS MmAccessFault(ULONG64 ErrorCode, PVOID Address, KPROCESSOR_MODE Mode, PKTRAP_FRAME TrapFrame)
{
    ULONG64 Value = (ULONG64)Address;
    BOOLEAN Write = (ErrorCode & MI_FAULT_WRITE) != 0;
    MMPTE Pte;

    /* An S-list entry that was freed while it was being popped: pop again. */
    if (TrapFrame->Rip == (ULONG64)ExpInterlockedPopEntrySListFault) {
        TrapFrame->Rip = (ULONG64)ExpInterlockedPopEntrySListResume;
        return STATUS_SUCCESS;
    }
    if (Value < FLTVM_VA_DIRECT_MAP)
        return MiUserAddressFault(Value, ErrorCode);
    if (Mode != KernelMode)
        return STATUS_ACCESS_VIOLATION;
    Pte = MiLookupPte(Value);
    if (MiAllows(Pte, ErrorCode)) {
        MiInvalidate(Value);
        return STATUS_SUCCESS;
    }
    if (__readcr8() < DISPATCH_LEVEL && MiHasViews(Value)) {
        NTSTATUS Status = MiResolveView(Value, Write, (ErrorCode & MI_FAULT_FETCH) != 0);

        if (NT_SUCCESS(Status) || Status == STATUS_IN_PAGE_ERROR)
            return Status;
    }
    if (MiIsSpecialAddress(Value) && !(Pte & FLTVM_PTE_PRESENT))
        MiSpecialPoolFault(Value, Write, TrapFrame->Rip);
    if ((Pte & FLTVM_PTE_PRESENT) && (ErrorCode & MI_FAULT_PRESENT)) {
        if ((ErrorCode & MI_FAULT_FETCH) && (Pte & FLTVM_PTE_NX))
            KeBugCheckEx(ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, Value, Pte, (ULONG_PTR)TrapFrame, 2);
        if (Write && !(Pte & FLTVM_PTE_WRITE))
            KeBugCheckEx(ATTEMPTED_WRITE_TO_READONLY_MEMORY, Value, Pte, (ULONG_PTR)TrapFrame, 0xA);
    }
    return STATUS_UNSUCCESSFUL;
}

#define MI_STACK_RESERVE (3 * PAGE_SIZE)

NTSTATUS MmGrowStack(ULONG64 Address, ULONG64 Lowest)
{
    ULONG64 Base = (Address & ~(ULONG64)(PAGE_SIZE - 1)) - PAGE_SIZE, Size = PAGE_SIZE;
    ULONG64 Rest = Lowest + PAGE_SIZE, RestSize = MI_STACK_RESERVE;

    if (Base < Rest + RestSize) {
        /* What is left is for the handler of the overflow; the lowest page is never there. */
        MmAllocateVirtual(&Rest, 0, &RestSize, MEM_COMMIT, PAGE_READWRITE);
        return STATUS_STACK_OVERFLOW;
    }
    return NT_SUCCESS(MmAllocateVirtual(&Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD))
               ? STATUS_SUCCESS
               : STATUS_STACK_OVERFLOW;
}

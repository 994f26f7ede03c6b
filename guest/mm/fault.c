// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a page fault means.
 *
 * Nothing is ever brought in from disk, so a fault is an error: an exception for user addresses, a bugcheck for
 * system addresses, named as exactly as Windows does.  The exception is a translation that was changed on another
 * processor a moment ago: the access is then tried again.
 */
#include "mip.h"

#define MI_FAULT_PRESENT 0x01
#define MI_FAULT_WRITE   0x02
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
    return !((Pte & FLTVM_PTE_PAGEABLE) && __readcr8() >= DISPATCH_LEVEL);
}

NTSTATUS MmAccessFault(ULONG64 ErrorCode, PVOID Address, KPROCESSOR_MODE Mode, PKTRAP_FRAME TrapFrame)
{
    ULONG64 Value = (ULONG64)Address;
    KIRQL Irql = (KIRQL)__readcr8();
    BOOLEAN Write = (ErrorCode & MI_FAULT_WRITE) != 0;
    MMPTE Pte;

    /* An S-list entry that was freed while it was being popped: pop again. */
    if (TrapFrame->Rip == (ULONG64)ExpInterlockedPopEntrySListFault) {
        TrapFrame->Rip = (ULONG64)ExpInterlockedPopEntrySListResume;
        return STATUS_SUCCESS;
    }
    if (Value < FLTVM_VA_DIRECT_MAP)
        return Irql < DISPATCH_LEVEL ? STATUS_ACCESS_VIOLATION : STATUS_UNSUCCESSFUL;
    if (Mode != KernelMode)
        return STATUS_ACCESS_VIOLATION;
    Pte = MiLookupPte(Value);
    if (MiAllows(Pte, ErrorCode)) {
        MiInvalidate(Value);
        return STATUS_SUCCESS;
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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inverted function table: which image holds an address, and where its .pdata is.
 *
 * Readers run at any IRQL, in an NMI too, so they take no lock: the array is sorted and guarded by a sequence
 * number that is odd while it changes.  A writer has interrupts off and is short; a reader that never sees a
 * quiet table (it interrupted the writer by NMI) gives up after some tries and reports "no entry".
 */
#include "rtlp.h"
#include <ntimage.h>

#define RTLP_MAXIMUM_IMAGES 256
#define RTLP_READER_TRIES   1000

typedef struct _RTLP_IMAGE_ENTRY {
    ULONG64 Base;
    ULONG Size;
    ULONG Count; /* of RUNTIME_FUNCTION */
    PRUNTIME_FUNCTION Functions;
} RTLP_IMAGE_ENTRY;

static struct {
    volatile LONG Lock;
    volatile LONG Sequence;
    volatile LONG Count;
    RTLP_IMAGE_ENTRY Entry[RTLP_MAXIMUM_IMAGES]; /* ascending Base */
} RtlpInvertedTable;

/* In user mode there is no such interrupt to keep out, as a program's images are entered before it begins. */
static ULONG64 RtlpBeginChange(VOID)
{
    ULONG64 Flags = __readeflags();

    if (RtlpIsKernel())
        __asm__ __volatile__("cli" ::: "memory");
    while (InterlockedExchange(&RtlpInvertedTable.Lock, 1) != 0)
        YieldProcessor();
    InterlockedIncrement(&RtlpInvertedTable.Sequence);
    return Flags;
}

static VOID RtlpEndChange(ULONG64 Flags)
{
    InterlockedIncrement(&RtlpInvertedTable.Sequence);
    InterlockedExchange(&RtlpInvertedTable.Lock, 0);
    if ((Flags & 0x200) && RtlpIsKernel())
        __asm__ __volatile__("sti" ::: "memory");
}

BOOLEAN RtlInsertInvertedFunctionTable(PVOID ImageBase, ULONG SizeOfImage)
{
    PIMAGE_DOS_HEADER Dos = ImageBase;
    PIMAGE_NT_HEADERS64 Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)ImageBase + Dos->e_lfanew);
    PIMAGE_DATA_DIRECTORY Directory = &Nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXCEPTION];
    RTLP_IMAGE_ENTRY New = {(ULONG64)ImageBase, SizeOfImage, 0, NULL};
    BOOLEAN Inserted = FALSE;
    ULONG64 Flags;

    if (Directory->VirtualAddress > SizeOfImage || Directory->Size > SizeOfImage - Directory->VirtualAddress)
        return FALSE;
    New.Count = Directory->Size / sizeof(RUNTIME_FUNCTION);
    New.Functions = (PRUNTIME_FUNCTION)((PUCHAR)ImageBase + Directory->VirtualAddress);

    Flags = RtlpBeginChange();
    if (RtlpInvertedTable.Count < RTLP_MAXIMUM_IMAGES) {
        LONG Index = RtlpInvertedTable.Count;
        while (Index > 0 && RtlpInvertedTable.Entry[Index - 1].Base > New.Base) {
            RtlpInvertedTable.Entry[Index] = RtlpInvertedTable.Entry[Index - 1];
            Index--;
        }
        RtlpInvertedTable.Entry[Index] = New;
        RtlpInvertedTable.Count++;
        Inserted = TRUE;
    }
    RtlpEndChange(Flags);
    return Inserted;
}

VOID RtlRemoveInvertedFunctionTable(PVOID ImageBase)
{
    ULONG64 Flags = RtlpBeginChange();
    LONG Index = 0;

    while (Index < RtlpInvertedTable.Count && RtlpInvertedTable.Entry[Index].Base != (ULONG64)ImageBase)
        Index++;
    if (Index < RtlpInvertedTable.Count) {
        RtlpInvertedTable.Count--;
        for (; Index < RtlpInvertedTable.Count; Index++)
            RtlpInvertedTable.Entry[Index] = RtlpInvertedTable.Entry[Index + 1];
    }
    RtlpEndChange(Flags);
    RtlpForgetBackTraces();
}

static BOOLEAN RtlpFindImage(ULONG64 Pc, RTLP_IMAGE_ENTRY *Found)
{
    for (ULONG Try = 0; Try < RTLP_READER_TRIES; Try++) {
        LONG Sequence = RtlpInvertedTable.Sequence;
        LONG Low = 0, High;

        if (Sequence & 1) {
            YieldProcessor();
            continue;
        }
        _ReadWriteBarrier();
        High = RtlpInvertedTable.Count;
        while (Low < High) {
            LONG Middle = (Low + High) / 2;
            if (RtlpInvertedTable.Entry[Middle].Base <= Pc)
                Low = Middle + 1;
            else
                High = Middle;
        }
        if (Low > 0)
            *Found = RtlpInvertedTable.Entry[Low - 1];
        _ReadWriteBarrier();
        if (RtlpInvertedTable.Sequence == Sequence)
            return Low > 0 && Pc - Found->Base < Found->Size;
    }
    return FALSE;
}

BOOLEAN RtlpFindFunction(ULONG64 Pc, RTLP_FUNCTION *Function)
{
    RTLP_IMAGE_ENTRY Image = {0};
    ULONG Low = 0, High, Rva, Begin;

    if (!RtlpFindImage(Pc, &Image))
        return FALSE;
    Function->ImageBase = Image.Base;
    Rva = (ULONG)(Pc - Image.Base);
    High = Image.Count;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        if (!RtlpRead(&Begin, (ULONG64)&Image.Functions[Middle].BeginAddress, sizeof(Begin)))
            return FALSE;
        if (Begin <= Rva)
            Low = Middle + 1;
        else
            High = Middle;
    }
    if (Low == 0)
        return FALSE;
    Function->Address = &Image.Functions[Low - 1];
    if (!RtlpRead(&Function->Entry, (ULONG64)Function->Address, sizeof(Function->Entry)) ||
        Rva >= Function->Entry.EndAddress)
        return FALSE;
    if (!(Function->Entry.UnwindData & RUNTIME_FUNCTION_INDIRECT))
        return TRUE;
    Function->Address = (PRUNTIME_FUNCTION)(Image.Base + (Function->Entry.UnwindData & ~RUNTIME_FUNCTION_INDIRECT));
    return RtlpRead(&Function->Entry, (ULONG64)Function->Address, sizeof(Function->Entry));
}

PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase,
                                               PUNWIND_HISTORY_TABLE HistoryTable)
{
    RTLP_FUNCTION Function;

    if (!RtlpFindFunction(ControlPc, &Function))
        return NULL;
    *ImageBase = Function.ImageBase;
    return Function.Address;
}

BOOLEAN RtlIsReturnAddress(ULONG64 Address)
{
    RTLP_FUNCTION Function;

    return RtlpFindFunction(Address, &Function) && Address - Function.ImageBase != Function.Entry.BeginAddress;
}

PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage)
{
    RTLP_IMAGE_ENTRY Image = {0};

    *BaseOfImage = RtlpFindImage((ULONG64)PcValue, &Image) ? (PVOID)Image.Base : NULL;
    return *BaseOfImage;
}

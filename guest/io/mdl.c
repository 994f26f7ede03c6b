/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory descriptor lists as io hands them out; mm locks and maps what they describe.
 *
 * Small lists come from a lookaside list and carry MDL_ALLOCATED_FIXED_SIZE, as on Windows.  With the verifier a driver's
 * lists are pool of its own, so that one used after it was freed, freed twice, or left behind is found.
 */
#include "iop.h"

#define IOP_MDL_PAGES 17 /* 64 KiB at any offset */
#define IOP_MDL_SIZE  (sizeof(MDL) + IOP_MDL_PAGES * sizeof(PFN_NUMBER))

static NPAGED_LOOKASIDE_LIST IopMdls;

#define IOP_MDL_FREED 0 /* in Size, while a list is in the lookaside list */

static PMDL IopAllocateMdl(ULONG Pages, PUSHORT Flags, PVOID Caller)
{
    SIZE_T Size = sizeof(MDL) + Pages * sizeof(PFN_NUMBER);

    *Flags = 0;
    if (IopVerifierOn && KiClassifyCode((ULONG64)Caller) == KiDriverCode) {
        return MmAllocatePoolForCaller(NonPagedPoolNx, Size, ' ldM', Caller);
    }
    if (Pages <= IOP_MDL_PAGES) {
        *Flags = MDL_ALLOCATED_FIXED_SIZE;
        return ExAllocateFromNPagedLookasideList(&IopMdls);
    }
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, ' ldM');
}

VOID IopInitializeMdls(VOID)
{
    ExInitializeNPagedLookasideList(&IopMdls, NULL, NULL, 0, IOP_MDL_SIZE, ' ldM', 0);
}

/* IRQL <= DISPATCH_LEVEL.  NULL when there is no memory, or Length is over what one list may describe. */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    ULONG Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
    USHORT Flags;
    PMDL Mdl;

    UNREFERENCED_PARAMETER(ChargeQuota);
    if (Length > MAXULONG - PAGE_SIZE) {
        return NULL;
    }
    Mdl = IopAllocateMdl(Pages, &Flags, _ReturnAddress());
    if (Mdl == NULL) {
        return NULL;
    }
    MmInitializeMdl(Mdl, VirtualAddress, Length);
    Mdl->MdlFlags |= Flags;
    if (Irp != NULL) {
        if (SecondaryBuffer) {
            PMDL Last = Irp->MdlAddress;

            while (Last->Next != NULL) {
                Last = Last->Next;
            }
            Last->Next = Mdl;
        } else {
            Irp->MdlAddress = Mdl;
        }
    }
    return Mdl;
}

/* IRQL <= DISPATCH_LEVEL.  The pages must be unlocked (or never have been); a partial list's mapping goes
 * with it. */
VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    BOOLEAN Small = (Mdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) != 0;

    if (Small && Mdl->Size == IOP_MDL_FREED) {
        if (IopVerifierOn) {
            FvReport("reason=the MDL was freed before\n");
            KeBugCheckEx(BAD_POOL_CALLER, 7, 0, (ULONG_PTR)Mdl->MdlFlags, (ULONG_PTR)Mdl);
        }
        return; /* in the list it is already */
    }
    MmPrepareMdlForReuse(Mdl);
    if (Small) {
        Mdl->Size = IOP_MDL_FREED;
        ExFreeToNPagedLookasideList(&IopMdls, Mdl);
    } else {
        ExFreePoolWithTag(Mdl, ' ldM');
    }
}

static VOID IopCheckPartialMdl(PMDL SourceMdl, PMDL TargetMdl, ULONG_PTR Start, ULONG Length)
{
    ULONG_PTR SourceStart = (ULONG_PTR)SourceMdl->StartVa + SourceMdl->ByteOffset;
    ULONG_PTR End = SourceStart + SourceMdl->ByteCount;
    ULONG Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(Start, Length);
    ULONG Room = ((USHORT)TargetMdl->Size - sizeof(MDL)) / sizeof(PFN_NUMBER);

    if (Start < SourceStart || Start > End || Length > End - Start) {
        FvReport("rule=the part is not in the source\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)SourceMdl, Start, End);
    }
    /* Size has 16 bits: of a list that is larger it says nothing. */
    if (Pages > Room && Pages < 0x1000) {
        FvReport("rule=the part does not fit into the target\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)TargetMdl, Pages, Room);
    }
}

/* IRQL <= DISPATCH_LEVEL.  Length 0: from VirtualAddress to the source's end. */
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length)
{
    ULONG_PTR SourceBase = (ULONG_PTR)SourceMdl->StartVa;
    ULONG_PTR SourceStart = SourceBase + SourceMdl->ByteOffset;
    ULONG_PTR Start = (ULONG_PTR)VirtualAddress;
    ULONG Pages;

    if (Length == 0) {
        Length = (ULONG)(SourceStart + SourceMdl->ByteCount - Start);
    }
    if (FvVerifierEnabled()) {
        IopCheckPartialMdl(SourceMdl, TargetMdl, Start, Length);
    }
    Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);

    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->MdlFlags = (CSHORT)((TargetMdl->MdlFlags & (MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED)) |
                                   MDL_PARTIAL | (SourceMdl->MdlFlags & MDL_IO_PAGE_READ));
    if ((SourceMdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0) {
        /* The source's mapping serves the part too, and outlives it: nothing to unmap here. */
        TargetMdl->MappedSystemVa = (PUCHAR)SourceMdl->MappedSystemVa + (Start - SourceStart);
        TargetMdl->MdlFlags |= SourceMdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL);
        if ((SourceMdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) != 0) {
            TargetMdl->MdlFlags |= MDL_PARENT_MAPPED_SYSTEM_VA;
        }
    }
    RtlCopyMemory(MmGetMdlPfnArray(TargetMdl),
                  MmGetMdlPfnArray(SourceMdl) + ((Start & ~(ULONG_PTR)(PAGE_SIZE - 1)) - SourceBase) / PAGE_SIZE,
                  Pages * sizeof(PFN_NUMBER));
}

NTSTATUS IopLockBuffer(PIRP Irp, PVOID Buffer, ULONG Length, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (IoAllocateMdl(Buffer, Length, FALSE, Mode != KernelMode, Irp) == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        MmProbeAndLockPages(Irp->MdlAddress, Mode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
        IoFreeMdl(Irp->MdlAddress);
        Irp->MdlAddress = NULL;
    }
    return Status;
}

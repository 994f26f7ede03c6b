/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory descriptor lists as io hands them out; mm locks and maps what they describe.
 *
 * Small lists come from a lookaside list and carry MDL_ALLOCATED_FIXED_SIZE, as on Windows.
 */
#include "iop.h"

#define IOP_MDL_PAGES 17 /* 64 KiB at any offset */
#define IOP_MDL_SIZE  (sizeof(MDL) + IOP_MDL_PAGES * sizeof(PFN_NUMBER))

static NPAGED_LOOKASIDE_LIST IopMdls;

VOID IopInitializeMdls(VOID)
{
    ExInitializeNPagedLookasideList(&IopMdls, NULL, NULL, 0, IOP_MDL_SIZE, ' ldM', 0);
}

/* IRQL <= DISPATCH_LEVEL.  NULL when there is no memory, or Length is over what one list may describe. */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                         PIRP Irp)
{
    ULONG Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
    USHORT Flags = 0;
    PMDL Mdl;

    UNREFERENCED_PARAMETER(ChargeQuota);
    if (Length > MAXULONG - PAGE_SIZE) {
        return NULL;
    }
    if (Pages <= IOP_MDL_PAGES) {
        Mdl = ExAllocateFromNPagedLookasideList(&IopMdls);
        Flags = MDL_ALLOCATED_FIXED_SIZE;
    } else {
        Mdl = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(MDL) + Pages * sizeof(PFN_NUMBER), ' ldM');
    }
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
    MmPrepareMdlForReuse(Mdl);
    if ((Mdl->MdlFlags & MDL_ALLOCATED_FIXED_SIZE) != 0) {
        ExFreeToNPagedLookasideList(&IopMdls, Mdl);
    } else {
        ExFreePoolWithTag(Mdl, ' ldM');
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
    ASSERT(Start >= SourceStart && Start + Length <= SourceStart + SourceMdl->ByteCount);
    Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);

    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = Length;
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->MdlFlags =
        (CSHORT)((TargetMdl->MdlFlags & (MDL_ALLOCATED_FIXED_SIZE | MDL_ALLOCATED_MUST_SUCCEED)) |
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
                  MmGetMdlPfnArray(SourceMdl) +
                      ((Start & ~(ULONG_PTR)(PAGE_SIZE - 1)) - SourceBase) / PAGE_SIZE,
                  Pages * sizeof(PFN_NUMBER));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory beyond the most used: pool by flags and with quota, MDLs of one's own, copies that may fail, pages locked by section. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'meMT'

NTKERNELAPI LOGICAL NTAPI MmIsDriverVerifyingByAddress(PVOID Address);
NTKERNELAPI PVOID NTAPI MmLockPagableDataSection(PVOID Address);
NTKERNELAPI VOID NTAPI MmLockPagableSectionByHandle(PVOID Handle);
NTKERNELAPI VOID NTAPI MmUnlockPagableImageSection(PVOID Handle);
NTKERNELAPI PMDL NTAPI MmCreateMdl(PMDL Mdl, PVOID Base, SIZE_T Length);
NTKERNELAPI PVOID NTAPI MmMapLockedPages(PMDL Mdl, KPROCESSOR_MODE Mode);
NTKERNELAPI BOOLEAN NTAPI MmIsRecursiveIoFault(VOID);
NTKERNELAPI PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS Address);
NTKERNELAPI BOOLEAN NTAPI MmForceSectionClosed(PSECTION_OBJECT_POINTERS Pointers, BOOLEAN DelayClose);
NTKERNELAPI ULONG NTAPI MmDoesFileHaveUserWritableReferences(PSECTION_OBJECT_POINTERS Pointers);

static BOOLEAN AllZero(PVOID Block, SIZE_T Size)
{
    for (SIZE_T I = 0; I < Size; I++)
        if (((PUCHAR)Block)[I] != 0)
            return FALSE;
    return TRUE;
}

static NTSTATUS TryPool(ULONG Which)
{
    PVOID Block;

    __try {
        if (Which == 0)
            Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 1ULL << 40, TAG);
        else if (Which == 1)
            Block = ExAllocatePoolWithQuotaTag(PagedPool, 1ULL << 40, TAG); /* raises by default */
        else
            Block = ExAllocatePoolWithQuotaTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, 1ULL << 40, TAG);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return Block == NULL ? STATUS_NOT_FOUND : STATUS_SUCCESS;
}

static VOID CheckPool(VOID)
{
    static const ULONG64 Flags[] = {POOL_FLAG_NON_PAGED, POOL_FLAG_PAGED, POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED,
                                    POOL_FLAG_NON_PAGED_EXECUTE, POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA};
    PVOID Block;

    for (ULONG I = 0; I < RTL_NUMBER_OF(Flags); I++) {
        Block = ExAllocatePool3(Flags[I], 100, TAG, NULL, 0);
        FvCheck(Block != NULL && AllZero(Block, 100)); /* zero unless POOL_FLAG_UNINITIALIZED */
        FvCheck(((ULONG_PTR)Block & (Flags[I] & POOL_FLAG_CACHE_ALIGNED ? 63 : 15)) == 0);
        ExFreePool2(Block, TAG, NULL, 0);
    }
    FvCheck(ExAllocatePool3(POOL_FLAG_NON_PAGED, 16, TAG, NULL, 1) == NULL); /* a parameter that is not there */
    FvCheck(ExAllocatePool3(POOL_FLAG_NON_PAGED, 1ULL << 40, TAG, NULL, 0) == NULL);
    FvCheck(TryPool(0) == STATUS_INSUFFICIENT_RESOURCES);
    FvCheck(TryPool(1) == STATUS_INSUFFICIENT_RESOURCES);
    FvCheck(TryPool(2) == STATUS_NOT_FOUND);
#undef ExAllocatePool
#undef ExAllocatePoolWithQuota
    Block = ExAllocatePoolWithQuota(PagedPool, 32);
    FvCheck(Block != NULL);
    ExFreePool(Block);
    Block = ExAllocatePool(NonPagedPoolNx, PAGE_SIZE);
    FvCheck(Block != NULL && BYTE_OFFSET(Block) == 0); /* a page or more is aligned to a page */
    ExFreePool(Block);
}

static BOOLEAN Writable(volatile UCHAR *Byte)
{
    __try {
        *Byte = 0x5A;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return FALSE;
    }
    return TRUE;
}

static VOID CheckMdls(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 2 * PAGE_SIZE, TAG), Mapped;
    UCHAR Space[256];
    PMDL Mdl;

    Mdl = MmCreateMdl((PMDL)Space, Block + 8, PAGE_SIZE);
    FvCheck(Mdl == (PMDL)Space);
    FvCheck(MmGetMdlVirtualAddress(Mdl) == Block + 8 && MmGetMdlByteCount(Mdl) == PAGE_SIZE &&
            MmGetMdlByteOffset(Mdl) == 8);
    FvCheck(MmSizeOfMdl(Block + 8, PAGE_SIZE) == sizeof(MDL) + 2 * sizeof(PFN_NUMBER));
    MmBuildMdlForNonPagedPool(Mdl);
    FvCheck(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Block + 8);
    Mdl = MmCreateMdl(NULL, Block, 2 * PAGE_SIZE);
    FvCheck(Mdl != NULL);
    MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
    Mapped = MmMapLockedPages(Mdl, KernelMode);
    FvCheck(Mapped != NULL && Mapped != Block);
    Mapped[0] = 0x11;
    FvCheck(Block[0] == 0x11);
    FvCheck(MmProtectMdlSystemAddress(Mdl, PAGE_READONLY) == STATUS_SUCCESS);
    FvCheck(Mapped[0] == 0x11);
    FvCheck(MmProtectMdlSystemAddress(Mdl, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Writable(Mapped) && Block[0] == 0x5A);
    FvCheck(MmProtectMdlSystemAddress(Mdl, 0) == STATUS_INVALID_PAGE_PROTECTION);
    MmUnmapLockedPages(Mapped, Mdl);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static VOID CheckCopies(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, TAG),
           Copy = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, TAG);
    MM_COPY_ADDRESS Source;
    PHYSICAL_ADDRESS Physical = MmGetPhysicalAddress(Block);
    SIZE_T Done = 1;

    for (ULONG I = 0; I < PAGE_SIZE; I++)
        Block[I] = (UCHAR)(I * 7);
    Source.VirtualAddress = Block + 100;
    FvCheck(MmCopyMemory(Copy, Source, 1000, MM_COPY_MEMORY_VIRTUAL, &Done) == STATUS_SUCCESS && Done == 1000);
    FvCheck(RtlCompareMemory(Copy, Block + 100, 1000) == 1000);
    Source.PhysicalAddress = Physical;
    FvCheck(MmCopyMemory(Copy, Source, PAGE_SIZE, MM_COPY_MEMORY_PHYSICAL, &Done) == STATUS_SUCCESS &&
            Done == PAGE_SIZE);
    FvCheck(RtlCompareMemory(Copy, Block, PAGE_SIZE) == PAGE_SIZE);
    FvCheck(MmCopyMemory(Copy, Source, 1, 3, &Done) == STATUS_INVALID_PARAMETER_4 && Done == 0);
    FvCheck(MmCopyMemory(Copy, Source, 1, 0, &Done) == STATUS_INVALID_PARAMETER_4);
    Source.VirtualAddress = (PVOID)0x20000;
    FvCheck(!NT_SUCCESS(MmCopyMemory(Copy, Source, 16, 2, &Done)) && Done == 0);
    Source.PhysicalAddress.QuadPart = 0x7FFFFFFFF000;
    FvCheck(!NT_SUCCESS(MmCopyMemory(Copy, Source, 16, 1, &Done)) && Done == 0);
    FvCheck(*(PUCHAR)MmGetVirtualForPhysical(Physical) == Block[0]);
    ExFreePoolWithTag(Copy, TAG);
    ExFreePoolWithTag(Block, TAG);

    Block = MmAllocateNonCachedMemory(3 * PAGE_SIZE);
    FvCheck(Block != NULL && BYTE_OFFSET(Block) == 0);
    Physical = MmGetPhysicalAddress(Block + 2 * PAGE_SIZE);
    Block[2 * PAGE_SIZE] = 0x22;
    FvCheck(Physical.QuadPart != 0);
    MmFreeNonCachedMemory(Block, 3 * PAGE_SIZE);
}

#pragma data_seg(push, "PAGEDATA")
static ULONG Paged = 1;
#pragma data_seg(pop)

static VOID CheckSections(PDRIVER_OBJECT DriverObject)
{
    SECTION_OBJECT_POINTERS Pointers = {NULL};
    LARGE_INTEGER Size = {.QuadPart = 0};
    PVOID Handle = MmLockPagableDataSection(&Paged);
    KIRQL Irql;

    FvCheck(Handle != NULL);
    MmLockPagableSectionByHandle(Handle);
    MmUnlockPagableImageSection(Handle);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Paged++; /* locked once still */
    KeLowerIrql(Irql);
    MmUnlockPagableImageSection(Handle);
    FvCheck(Paged == 2);
    FvCheck(MmPageEntireDriver(&Paged) == DriverObject->DriverStart);
    MmResetDriverPaging(&Paged);

    FvCheck(MmIsDriverVerifying(DriverObject));
    FvCheck(MmIsDriverVerifyingByAddress(&Paged));
    FvCheck(!MmIsDriverVerifyingByAddress(ExAllocatePoolWithTag));
    FvCheck(MmQuerySystemSize() <= MmLargeSystem);
    FvCheck(!MmIsRecursiveIoFault());
    FvCheck((ULONG_PTR)MmHighestUserAddress < (ULONG_PTR)MmSystemRangeStart);
    FvCheck(MmUserProbeAddress == (ULONG_PTR)MmHighestUserAddress + 1);
    FvCheck(MmUserProbeAddress == 0x7FFFFFFF0000);
    /* A file that no one maps stands in no one's way. */
    FvCheck(MmFlushImageSection(&Pointers, MmFlushForDelete));
    FvCheck(MmFlushImageSection(&Pointers, MmFlushForWrite));
    FvCheck(MmCanFileBeTruncated(&Pointers, &Size));
    FvCheck(MmForceSectionClosed(&Pointers, FALSE));
    FvCheck(MmDoesFileHaveUserWritableReferences(&Pointers) == 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(56);
    CheckPool();
    CheckMdls();
    CheckCopies();
    CheckSections(DriverObject);
    return STATUS_SUCCESS;
}

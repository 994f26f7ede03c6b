// SPDX-License-Identifier: GPL-2.0-or-later
/* MDLs, device and contiguous memory, addresses, pageable sections. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'ldMT'

static VOID CheckNonPaged(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 10000, TAG);
    PMDL Mdl = IoAllocateMdl(Block + 100, 9000, FALSE, FALSE, NULL);

    FvCheck(Mdl != NULL && MmGetMdlByteOffset(Mdl) == 100 && MmGetMdlByteCount(Mdl) == 9000);
    FvCheck(MmGetMdlVirtualAddress(Mdl) == Block + 100);
    MmBuildMdlForNonPagedPool(Mdl);
    FvCheck(Mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL);
    FvCheck(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Block + 100);
    for (ULONG Page = 0; Page < 3; Page++) {
        if (MmGetMdlPfnArray(Mdl)[Page] << PAGE_SHIFT !=
            (ULONG64)MmGetPhysicalAddress(Block + Page * PAGE_SIZE).QuadPart)
            FvCheck(!"the page numbers are those of the buffer");
    }
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static VOID CheckLocked(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(PagedPool, 12000, TAG), Mapped;
    PMDL Mdl = IoAllocateMdl(Block + 5, 9000, FALSE, FALSE, NULL), Partial;
    KIRQL OldIrql;

    memset(Block, 0x11, 12000);
    MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
    FvCheck((Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION)) == (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION));
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    FvCheck(Mapped != NULL && Mapped != Block + 5 && ((ULONG_PTR)Mapped & (PAGE_SIZE - 1)) == 5);
    FvCheck(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) == Mapped); /* mapped once */
    /* The mapping is resident: it may be used at DISPATCH_LEVEL although the pool is paged. */
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Mapped[0] = 0x22;
    Mapped[8999] = 0x33;
    KeLowerIrql(OldIrql);
    FvCheck(Block[5] == 0x22 && Block[5 + 8999] == 0x33 && Block[4] == 0x11);

    Partial = IoAllocateMdl(Block + 5 + 4096, 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(Mdl, Partial, Block + 5 + 4096, 100);
    FvCheck((Partial->MdlFlags & MDL_PARTIAL) && MmGetMdlPfnArray(Partial)[0] == MmGetMdlPfnArray(Mdl)[1]);
    FvCheck(MmGetSystemAddressForMdlSafe(Partial, NormalPagePriority) == Mapped + 4096);
    IoFreeMdl(Partial);

    MmUnlockPages(Mdl);
    FvCheck(!(Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA)));
    FvCheck(!MmIsAddressValid(Mapped)); /* unmapped with it */
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
}

static NTSTATUS Lock(PVOID Address, ULONG Length, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation)
{
    PMDL Mdl = IoAllocateMdl(Address, Length, FALSE, FALSE, NULL);
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        MmProbeAndLockPages(Mdl, Mode, Operation);
        MmUnlockPages(Mdl);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    IoFreeMdl(Mdl);
    return Status;
}

static const ULONG ReadOnly = 7;

static VOID CheckBadBuffers(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, TAG);

    FvCheck(Lock((PVOID)0x1000, 100, UserMode, IoReadAccess) == STATUS_ACCESS_VIOLATION);
    FvCheck(Lock((PVOID)0x1000, 100, KernelMode, IoReadAccess) == STATUS_ACCESS_VIOLATION);
    FvCheck(Lock(Block, PAGE_SIZE, UserMode, IoReadAccess) == STATUS_ACCESS_VIOLATION); /* a system address */
    FvCheck(Lock(Block + 1, PAGE_SIZE, KernelMode, IoWriteAccess) ==
            STATUS_ACCESS_VIOLATION); /* the second page is not there */
    FvCheck(Lock((PVOID)&ReadOnly, 4, KernelMode, IoWriteAccess) == STATUS_ACCESS_VIOLATION);
    FvCheck(NT_SUCCESS(Lock((PVOID)&ReadOnly, 4, KernelMode, IoReadAccess)));
    ExFreePoolWithTag(Block, TAG); /* nothing is left locked, or this were a bugcheck */
}

static VOID CheckAddresses(VOID)
{
    ULONG Local = 0;

    FvCheck(MmIsAddressValid(&Local));
    FvCheck(!MmIsAddressValid((PVOID)0x1000));
    FvCheck(!MmIsAddressValid((PVOID)0x8000000000000000ULL)); /* not even an address */
    FvCheck(MmGetPhysicalAddress((PVOID)0xFFFFC12345678000ULL).QuadPart == 0);
    FvCheck(MmGetPhysicalAddress(&Local).QuadPart % PAGE_SIZE == (LONGLONG)((ULONG_PTR)&Local % PAGE_SIZE));
    FvCheck(MmSizeOfMdl((PVOID)0xFFF, 2) == sizeof(MDL) + 2 * sizeof(PFN_NUMBER));
}

static VOID CheckContiguous(VOID)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = 0xFFFFFFFF}, Low = {.QuadPart = 0}, Boundary = {.QuadPart = 0x10000};
    PHYSICAL_ADDRESS First, Last;
    PUCHAR Block = MmAllocateContiguousMemory(20000, Highest);

    FvCheck(Block != NULL && (ULONG_PTR)Block % PAGE_SIZE == 0);
    First = MmGetPhysicalAddress(Block);
    Last = MmGetPhysicalAddress(Block + 16384);
    FvCheck(Last.QuadPart - First.QuadPart == 16384);
    memset(Block, 1, 20000);
    MmFreeContiguousMemory(Block);
    FvCheck(!MmIsAddressValid(Block));
    Block = MmAllocateContiguousMemorySpecifyCache(0x8000, Low, Highest, Boundary, MmCached);
    First = MmGetPhysicalAddress(Block);
    FvCheck(Block != NULL && First.QuadPart / 0x10000 == (First.QuadPart + 0x7FFF) / 0x10000);
    MmFreeContiguousMemorySpecifyCache(Block, 0x8000, MmCached);
    FvCheck(MmAllocateContiguousMemory((SIZE_T)1 << 36, Highest) == NULL);
}

static VOID CheckPagesForMdl(VOID)
{
    PHYSICAL_ADDRESS Low = {.QuadPart = 0}, High = {.QuadPart = MAXLONGLONG}, Skip = {.QuadPart = 0};
    PMDL Mdl = MmAllocatePagesForMdlEx(Low, High, Skip, 5 * PAGE_SIZE, MmCached, 0);
    PUCHAR Mapped;
    BOOLEAN Zero = TRUE;

    FvCheck(Mdl != NULL && MmGetMdlByteCount(Mdl) == 5 * PAGE_SIZE);
    Mapped = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    for (ULONG Index = 0; Index < 5 * PAGE_SIZE; Index++)
        Zero &= Mapped[Index] == 0;
    FvCheck(Zero);
    MmUnmapLockedPages(Mapped, Mdl);
    MmFreePagesFromMdl(Mdl);
    ExFreePool(Mdl);

    /* A mapping goes with the pages. */
    Mdl = MmAllocatePagesForMdl(Low, High, Skip, PAGE_SIZE);
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    FvCheck(MmIsAddressValid(Mapped));
    MmFreePagesFromMdl(Mdl);
    FvCheck(!MmIsAddressValid(Mapped) && !(Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA));
    ExFreePool(Mdl);
}

/* Device memory may be mapped, other memory too, but not the page tables. */
static VOID CheckIoSpace(VOID)
{
    PHYSICAL_ADDRESS Tables = {.QuadPart = (LONGLONG)(__readcr3() & ~(ULONG64)(PAGE_SIZE - 1))};
    PHYSICAL_ADDRESS Before = {.QuadPart = Tables.QuadPart - 8}, Own;
    volatile ULONG *Block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Block), 'tseT'), *Mapped;

    FvCheck(MmMapIoSpace(Tables, PAGE_SIZE, MmCached) == NULL);
    FvCheck(MmMapIoSpace(Before, 16, MmNonCached) == NULL); /* nor what reaches into them */
    FvCheck(MmMapIoSpaceEx(Tables, 8, PAGE_READWRITE) == NULL);
    Own = MmGetPhysicalAddress((PVOID)Block);
    FvCheck(MmMapIoSpace(Own, 0, MmCached) == NULL);
    Mapped = MmMapIoSpace(Own, sizeof(*Block), MmCached);
    *Mapped = 0x12345678;
    FvCheck(Mapped != NULL && Mapped != Block && *Block == 0x12345678);
    MmUnmapIoSpace((PVOID)Mapped, sizeof(*Block));
    FvCheck(!MmIsAddressValid((PVOID)Mapped));
    ExFreePoolWithTag((PVOID)Block, 'tseT');
}

static ULONG Steps;

__declspec(code_seg("PAGETEST")) DECLSPEC_NOINLINE static VOID Pageable(VOID)
{
    Steps++;
}

static VOID CheckPageable(VOID)
{
    PVOID Handle = MmLockPagableCodeSection(Pageable);
    KIRQL OldIrql;

    FvCheck(Handle != NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Pageable(); /* locked, so it may run here */
    KeLowerIrql(OldIrql);
    MmUnlockPagableImageSection(Handle);
    Pageable();
    FvCheck(Steps == 2);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Known = RTL_CONSTANT_STRING(L"MmProbeAndLockPages"), Unknown = RTL_CONSTANT_STRING(L"MmNoSuchThing");

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    FvTestPlan(43);
    CheckNonPaged();
    CheckLocked();
    CheckBadBuffers();
    CheckAddresses();
    CheckContiguous();
    CheckPagesForMdl();
    CheckIoSpace();
    CheckPageable();
    FvCheck(MmGetSystemRoutineAddress(&Known) != NULL);
    FvCheck(MmGetSystemRoutineAddress(&Unknown) == NULL);
    return STATUS_SUCCESS;
}

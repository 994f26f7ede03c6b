// SPDX-License-Identifier: GPL-2.0-or-later
/* User memory of the System process: what the documented services return, and what a driver meets that touches it. */
#include <ntifs.h>

#include <fltvm.h>

NTSYSAPI NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                               ULONG NewProtect, PULONG OldProtect);
#define SELF    ZwCurrentProcess()
#define GRANULE ((SIZE_T)0x10000)

static NTSTATUS Allocate(PVOID *Base, SIZE_T Size, ULONG Type, ULONG Protect)
{
    return ZwAllocateVirtualMemory(SELF, Base, 0, &Size, Type, Protect);
}

static NTSTATUS Free(PVOID Base, SIZE_T Size, ULONG Type)
{
    return ZwFreeVirtualMemory(SELF, &Base, &Size, Type);
}

static NTSTATUS Protect(PVOID Base, SIZE_T Size, ULONG New, PULONG Old)
{
    return ZwProtectVirtualMemory(SELF, &Base, &Size, New, Old);
}

static NTSTATUS Touch(PVOID Address, BOOLEAN Write)
{
    __try {
        if (Write)
            *(volatile UCHAR *)Address = 7;
        else
            (void)*(volatile UCHAR *)Address;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Probe(PVOID Address, SIZE_T Length, ULONG Alignment, BOOLEAN Write)
{
    __try {
        if (Write)
            ProbeForWrite(Address, Length, Alignment);
        else
            ProbeForRead(Address, Length, Alignment);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static VOID CheckRefusals(VOID)
{
    PVOID Base = NULL, Taken = NULL, Bad = (PVOID)0xFFFF800000000000;
    SIZE_T Size = PAGE_SIZE;
    HANDLE Event;

    FvCheck(Allocate(&Base, 0, MEM_COMMIT, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_4);
    FvCheck(Allocate(&Base, PAGE_SIZE, 0, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_5);
    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT | 0x80000000, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_5);
    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT, 0) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE | PAGE_READONLY) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT, PAGE_NOACCESS | PAGE_GUARD) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Allocate(&Bad, PAGE_SIZE, MEM_RESERVE, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_2);
    FvCheck(ZwAllocateVirtualMemory(SELF, &Base, 22, &Size, MEM_COMMIT, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_3);
    FvCheck(Allocate(&Base, (SIZE_T)1 << 40, MEM_COMMIT, PAGE_READWRITE) == STATUS_COMMITMENT_LIMIT);
    FvCheck(Allocate(&Base, (SIZE_T)1 << 47, MEM_RESERVE, PAGE_READWRITE) == STATUS_INVALID_PARAMETER_4);
    FvCheck(Base == NULL);
    FvCheck(ZwAllocateVirtualMemory((HANDLE)0x7777770, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE) ==
            STATUS_INVALID_HANDLE);
    if (FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)))) {
        FvCheck(ZwAllocateVirtualMemory(Event, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE) ==
                STATUS_OBJECT_TYPE_MISMATCH);
        ZwClose(Event);
    }
    FvCheck(Allocate(&Taken, GRANULE, MEM_RESERVE, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Allocate(&Taken, GRANULE, MEM_RESERVE, PAGE_READWRITE) == STATUS_CONFLICTING_ADDRESSES);
    FvCheck(Free(Taken, 0, MEM_RELEASE) == STATUS_SUCCESS);
    FvCheck(Allocate(&Taken, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE) == STATUS_CONFLICTING_ADDRESSES); /* not reserved */
    FvCheck(Free(Taken, 0, MEM_RELEASE) == STATUS_MEMORY_NOT_ALLOCATED);
    FvCheck(Free(Taken, 0, MEM_RELEASE | MEM_DECOMMIT) == STATUS_INVALID_PARAMETER_4);
}

static VOID CheckCommit(VOID)
{
    MEMORY_BASIC_INFORMATION Info;
    PUCHAR Base = NULL;
    PVOID Middle;
    SIZE_T Returned;
    ULONG Old = 0, Sum = 0;

    FvCheck(Allocate((PVOID *)&Base, 5 * GRANULE, MEM_RESERVE, PAGE_READONLY) == STATUS_SUCCESS);
    FvCheck(Base >= (PUCHAR)GRANULE && (ULONG_PTR)Base % GRANULE == 0 && (PVOID)Base < MmHighestUserAddress);
    FvCheck(Touch(Base, FALSE) == STATUS_ACCESS_VIOLATION); /* reserved is not there */
    Middle = Base + GRANULE + 5;
    FvCheck(Allocate(&Middle, 3 * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Middle == Base + GRANULE);
    for (ULONG Index = 0; Index < 4 * PAGE_SIZE; Index++)
        Sum += Base[GRANULE + Index];
    FvCheck(Sum == 0); /* four pages, of zeros */
    FvCheck(Touch(Base + GRANULE + 4 * PAGE_SIZE, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(ZwQueryVirtualMemory(SELF, Base, MemoryBasicInformation, &Info, sizeof(Info), &Returned) == STATUS_SUCCESS);
    FvCheck(Returned == sizeof(Info) && Info.AllocationBase == Base && Info.AllocationProtect == PAGE_READONLY);
    FvCheck(Info.State == MEM_RESERVE && Info.RegionSize == GRANULE && Info.Type == MEM_PRIVATE && Info.Protect == 0);
    ZwQueryVirtualMemory(SELF, Base + GRANULE + PAGE_SIZE + 9, MemoryBasicInformation, &Info, sizeof(Info), NULL);
    FvCheck(Info.BaseAddress == Base + GRANULE + PAGE_SIZE && Info.AllocationBase == Base);
    FvCheck(Info.State == MEM_COMMIT && Info.RegionSize == 3 * PAGE_SIZE && Info.Protect == PAGE_READWRITE);
    ZwQueryVirtualMemory(SELF, Base + 5 * GRANULE, MemoryBasicInformation, &Info, sizeof(Info), NULL);
    FvCheck(Info.State == MEM_FREE && Info.Protect == PAGE_NOACCESS && Info.RegionSize >= GRANULE);
    FvCheck(ZwQueryVirtualMemory(SELF, Base, MemoryBasicInformation, &Info, 8, NULL) == STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(ZwQueryVirtualMemory(SELF, (PVOID)-1, MemoryBasicInformation, &Info, sizeof(Info), NULL) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(Protect(Base + GRANULE, 2 * PAGE_SIZE, PAGE_READONLY, &Old) == STATUS_SUCCESS && Old == PAGE_READWRITE);
    FvCheck(Touch(Base + GRANULE, TRUE) == STATUS_ACCESS_VIOLATION && Touch(Base + GRANULE, FALSE) == STATUS_SUCCESS);
    FvCheck(Touch(Base + GRANULE + 2 * PAGE_SIZE, TRUE) == STATUS_SUCCESS);
    FvCheck(Protect(Base, PAGE_SIZE, PAGE_READONLY, &Old) == STATUS_NOT_COMMITTED);
    FvCheck(Protect(Base + 4 * GRANULE, 2 * GRANULE, PAGE_READONLY, &Old) == STATUS_CONFLICTING_ADDRESSES);
    FvCheck(Protect(Base + GRANULE, PAGE_SIZE, PAGE_NOACCESS, &Old) == STATUS_SUCCESS && Old == PAGE_READONLY);
    FvCheck(Touch(Base + GRANULE, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Free(Base + GRANULE + PAGE_SIZE, PAGE_SIZE, MEM_DECOMMIT) == STATUS_SUCCESS);
    FvCheck(Touch(Base + GRANULE + PAGE_SIZE, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Base[GRANULE + 2 * PAGE_SIZE] == 7); /* its neighbour stays */
    FvCheck(Free(Base + PAGE_SIZE, 0, MEM_RELEASE) == STATUS_FREE_VM_NOT_AT_BASE);
    FvCheck(Free(Base, 6 * GRANULE, MEM_RELEASE) == STATUS_UNABLE_TO_FREE_VM);
    FvCheck(Free(Base + GRANULE, GRANULE, MEM_RELEASE) == STATUS_SUCCESS); /* a hole */
    ZwQueryVirtualMemory(SELF, Base + GRANULE, MemoryBasicInformation, &Info, sizeof(Info), NULL);
    FvCheck(Info.State == MEM_FREE && Info.RegionSize == GRANULE);
    FvCheck(Free(Base, 0, MEM_RELEASE) == STATUS_SUCCESS);
    FvCheck(Free(Base + 2 * GRANULE, 0, MEM_RELEASE) == STATUS_SUCCESS);
    FvCheck(Free(Base, 0, MEM_RELEASE) == STATUS_MEMORY_NOT_ALLOCATED);
}

static VOID CheckGuard(VOID)
{
    PVOID Base = NULL, Top = NULL;

    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE | PAGE_GUARD) == STATUS_SUCCESS);
    FvCheck(Touch(Base, TRUE) == STATUS_GUARD_PAGE_VIOLATION);
    FvCheck(Touch(Base, TRUE) == STATUS_SUCCESS); /* once only */
    FvCheck(Allocate(&Top, PAGE_SIZE, MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE) == STATUS_SUCCESS && Top > Base);
    FvCheck((ULONG_PTR)Top > 0x7FFF00000000);
    FvCheck(Free(Base, 0, MEM_RELEASE) == STATUS_SUCCESS && Free(Top, 0, MEM_RELEASE) == STATUS_SUCCESS);
}

static VOID CheckProbes(VOID)
{
    PVOID Base = NULL;
    ULONG Old;

    FvCheck(Allocate(&Base, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Probe(Base, PAGE_SIZE, 1, TRUE) == STATUS_SUCCESS);
    FvCheck(Probe((PUCHAR)Base + 2, 8, 4, FALSE) == STATUS_DATATYPE_MISALIGNMENT);
    FvCheck(Probe((PUCHAR)Base + 2, 0, 4, FALSE) == STATUS_SUCCESS); /* nothing is nothing */
    FvCheck(Probe(Base, (SIZE_T)-1, 1, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Probe(MmSystemRangeStart, 1, 1, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Probe((PUCHAR)Base + PAGE_SIZE, 4, 1, FALSE) == STATUS_SUCCESS); /* only the range is looked at */
    FvCheck(Probe((PUCHAR)Base + PAGE_SIZE - 2, 4, 1, TRUE) == STATUS_ACCESS_VIOLATION); /* each page is written */
    FvCheck(NT_SUCCESS(Protect(Base, PAGE_SIZE, PAGE_READONLY, &Old)));
    FvCheck(Probe(Base, 4, 1, TRUE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Free(Base, 0, MEM_RELEASE) == STATUS_SUCCESS);
}

static NTSTATUS Lock(PMDL Mdl, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation)
{
    __try {
        MmProbeAndLockPages(Mdl, Mode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* Memory that is given back while a driver has it locked stays what it was until it is unlocked. */
static VOID CheckLocks(VOID)
{
    PUCHAR Base = NULL, Mapped;
    ULONG Old;
    PMDL Mdl;

    FvCheck(Allocate((PVOID *)&Base, 2 * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE) == STATUS_SUCCESS);
    Mdl = IoAllocateMdl(Base + 100, PAGE_SIZE, FALSE, FALSE, NULL);
    FvCheck(NT_SUCCESS(Protect(Base + PAGE_SIZE, PAGE_SIZE, PAGE_READONLY, &Old)));
    FvCheck(Lock(Mdl, UserMode, IoWriteAccess) == STATUS_ACCESS_VIOLATION);
    FvCheck(Lock(Mdl, UserMode, IoReadAccess) == STATUS_SUCCESS);
    Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    Base[100] = 0x5A;
    FvCheck(Mapped != NULL && Mapped[0] == 0x5A);
    FvCheck(Free(Base, 0, MEM_RELEASE) == STATUS_SUCCESS);
    FvCheck(Touch(Base, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Mapped[0] == 0x5A);
    Mapped[1] = 0x77;
    MmUnlockPages(Mdl);
    FvCheck(Lock(Mdl, UserMode, IoReadAccess) == STATUS_ACCESS_VIOLATION);
    IoFreeMdl(Mdl);
    Mdl = IoAllocateMdl((PVOID)&CheckLocks, 4, FALSE, FALSE, NULL);
    FvCheck(Lock(Mdl, UserMode, IoReadAccess) == STATUS_ACCESS_VIOLATION); /* the system's, on behalf of a user */
    IoFreeMdl(Mdl);
}

static PVOID Map(PMDL Mdl, PVOID Wanted)
{
    __try {
        return MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, Wanted, FALSE, NormalPagePriority);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return NULL;
    }
}

/* Pool of a driver's, seen by the process at an address of its own. */
static VOID CheckMapping(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, 'tseT'), Mapped;
    PMDL Mdl = IoAllocateMdl(Block, PAGE_SIZE, FALSE, FALSE, NULL);
    PVOID Other;

    MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
    Mapped = Map(Mdl, NULL);
    FvCheck(Mapped != NULL && (PVOID)Mapped < MmHighestUserAddress);
    FvCheck(Probe(Mapped, PAGE_SIZE, 1, TRUE) == STATUS_SUCCESS);
    Mapped[5] = 0x3C;
    FvCheck(Block[5] == 0x3C);
    FvCheck(Map(Mdl, Mapped) == NULL); /* taken: an exception */
    Other = Map(Mdl, (PVOID)0x30000000);
    FvCheck(Other == (PVOID)0x30000000 && ((PUCHAR)Other)[5] == 0x3C);
    FvCheck(Free(Mapped, 0, MEM_RELEASE) == STATUS_UNABLE_TO_DELETE_SECTION); /* not the process's own */
    MmUnmapLockedPages(Other, Mdl);
    MmUnmapLockedPages(Mapped, Mdl);
    FvCheck(Touch(Mapped, FALSE) == STATUS_ACCESS_VIOLATION && Block[5] == 0x3C);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, 'tseT');
}

/* Over and over: whatever is taken comes back. */
static VOID CheckBalance(VOID)
{
    ULONG Failures = 0;

    for (ULONG Round = 0; Round < 200; Round++) {
        PVOID Base = NULL;

        if (!NT_SUCCESS(Allocate(&Base, 64 * PAGE_SIZE, MEM_COMMIT, PAGE_EXECUTE_READWRITE)) ||
            !NT_SUCCESS(Touch(Base, TRUE)) || !NT_SUCCESS(Free(Base, 0, MEM_RELEASE)))
            Failures++;
    }
    FvCheck(Failures == 0); /* 50 MiB in a machine of 32 */
}

/* What is asked has to be right; files' pages are in filesection.c. */
static VOID CheckPrefetch(PDRIVER_OBJECT DriverObject)
{
    FILE_OBJECT File = {0};
    SECTION_OBJECT_POINTERS Sections = {0};
    READ_LIST List = {&File, 0, FALSE, {{0}}};
    PREAD_LIST Lists[] = {&List};
    MEMORY_RANGE_ENTRY Range = {(PVOID)0x10000, PAGE_SIZE}, Kernel = {DriverObject, 1};
    ULONG Zero = 0, One = 1;

    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 1, &Range, &Zero, 4) == STATUS_SUCCESS);
    FvCheck(ZwSetInformationVirtualMemory(SELF, 7, 1, &Range, &Zero, 4) == STATUS_INVALID_PARAMETER_2);
    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 0, &Range, &Zero, 4) ==
            STATUS_INVALID_PARAMETER_3);
    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 1, &Kernel, &Zero, 4) ==
            STATUS_INVALID_PARAMETER_4);
    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 1, &Range, NULL, 4) ==
            STATUS_INVALID_PARAMETER_5);
    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 1, &Range, &One, 4) ==
            STATUS_INVALID_PARAMETER_5);
    FvCheck(ZwSetInformationVirtualMemory(SELF, VmPrefetchInformation, 1, &Range, &Zero, 8) ==
            STATUS_INVALID_PARAMETER_6);
    FvCheck(ZwSetInformationVirtualMemory(NULL, VmPrefetchInformation, 1, &Range, &Zero, 4) == STATUS_INVALID_HANDLE);
    FvCheck(MmPrefetchPages(0, Lists) == STATUS_INVALID_PARAMETER_1);
    FvCheck(MmPrefetchPages(1, Lists) == STATUS_INVALID_PARAMETER_1); /* no section */
    File.SectionObjectPointer = &Sections;
    FvCheck(MmPrefetchPages(1, Lists) == STATUS_INVALID_PARAMETER_1);
    List.IsImage = TRUE;
    FvCheck(MmPrefetchPages(1, Lists) == STATUS_INVALID_PARAMETER_1); /* the other kind */
}

/* A system thread's previous mode is KernelMode: the Nt names do the same. */
static VOID CheckNames(VOID)
{
    MEMORY_BASIC_INFORMATION Info;
    SIZE_T Size = 1;
    PVOID Base = NULL;

    FvCheck(NtAllocateVirtualMemory(SELF, &Base, 0, &Size, MEM_COMMIT, PAGE_EXECUTE_READ) == STATUS_SUCCESS);
    FvCheck(Size == PAGE_SIZE); /* rounded */
    FvCheck(NtQueryVirtualMemory(SELF, Base, MemoryBasicInformation, &Info, sizeof(Info), NULL) == STATUS_SUCCESS);
    FvCheck(Info.Protect == PAGE_EXECUTE_READ && Info.RegionSize == PAGE_SIZE);
    Size = 0;
    FvCheck(NtFreeVirtualMemory(SELF, &Base, &Size, MEM_RELEASE) == STATUS_SUCCESS);
    FvCheck(Size == PAGE_SIZE);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(105);
    CheckRefusals();
    CheckCommit();
    CheckGuard();
    CheckProbes();
    CheckLocks();
    CheckMapping();
    CheckBalance();
    CheckNames();
    CheckPrefetch(DriverObject);
    return STATUS_SUCCESS;
}

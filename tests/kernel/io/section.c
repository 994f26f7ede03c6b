// SPDX-License-Identifier: GPL-2.0-or-later
/* Sections of the paging file and views of them: shared memory in one process, in two, and in system space; what is refused. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *Base, PSIZE_T ViewSize);
NTKERNELAPI NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID Base);
NTSYSAPI NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize,
                                               ULONG NewProtect, PULONG OldProtect);
extern POBJECT_TYPE *MmSectionObjectType;
NTKERNELAPI NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits,
                                              SIZE_T CommitSize, PLARGE_INTEGER Offset, PSIZE_T ViewSize,
                                              SECTION_INHERIT Inherit, ULONG Type, ULONG Protection);
NTKERNELAPI NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE Process, PVOID Base);

#define SELF    ZwCurrentProcess()
#define GRANULE ((SIZE_T)0x10000)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\FltvmSection");

static NTSTATUS Create(PHANDLE Handle, LONGLONG Size, ULONG Protection, ULONG Kind, BOOLEAN Named)
{
    LARGE_INTEGER Maximum = {.QuadPart = Size};
    OBJECT_ATTRIBUTES Attributes;

    *Handle = NULL;
    InitializeObjectAttributes(&Attributes, Named ? &Name : NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateSection(Handle, SECTION_ALL_ACCESS, &Attributes, Size == 0 ? NULL : &Maximum, Protection, Kind,
                           NULL);
}

static NTSTATUS MapIn(HANDLE Process, HANDLE Section, PVOID *Base, LONGLONG Offset, SIZE_T Size, ULONG Protection)
{
    LARGE_INTEGER At = {.QuadPart = Offset};

    return ZwMapViewOfSection(Section, Process, Base, 0, 0, &At, &Size, ViewUnmap, 0, Protection);
}

static NTSTATUS Map(HANDLE Section, PVOID *Base, LONGLONG Offset, SIZE_T Size, ULONG Protection)
{
    *Base = NULL;
    return MapIn(SELF, Section, Base, Offset, Size, Protection);
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

static ULONG StateOf(PVOID Address, PMEMORY_BASIC_INFORMATION Info)
{
    RtlZeroMemory(Info, sizeof(*Info));
    ZwQueryVirtualMemory(SELF, Address, MemoryBasicInformation, Info, sizeof(*Info), NULL);
    return Info->State;
}

static VOID CheckRefusals(VOID)
{
    LARGE_INTEGER At = {.QuadPart = 0};
    SIZE_T Size = GRANULE;
    HANDLE Section, Event;
    PVOID Base;

    FvCheck(Create(&Section, 0, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_INVALID_PARAMETER_4);
    FvCheck(Create(&Section, -1, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_INVALID_PARAMETER_4);
    FvCheck(Create(&Section, 4096, 0x3, SEC_COMMIT, FALSE) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Create(&Section, 4096, PAGE_NOACCESS, SEC_COMMIT, FALSE) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Create(&Section, 4096, PAGE_READWRITE, 0, FALSE) == STATUS_INVALID_PARAMETER_6);
    FvCheck(Create(&Section, 4096, PAGE_READWRITE, SEC_COMMIT | SEC_RESERVE, FALSE) == STATUS_INVALID_PARAMETER_6);
    FvCheck(Create(&Section, 4096, PAGE_READWRITE, SEC_COMMIT | 1, FALSE) == STATUS_INVALID_PARAMETER_6);
    FvCheck(Create(&Section, 4096, PAGE_EXECUTE, SEC_IMAGE, FALSE) == STATUS_INVALID_FILE_FOR_SECTION);
    FvCheck(Create(&Section, 1LL << 40, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_COMMITMENT_LIMIT);
    FvCheck(Create(&Section, 1LL << 50, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_SECTION_TOO_BIG);
    FvCheck(Section == NULL);
    if (!FvCheck(Create(&Section, 3 * GRANULE, PAGE_READONLY, SEC_COMMIT, FALSE) == STATUS_SUCCESS))
        return;
    FvCheck(Map(Section, &Base, PAGE_SIZE, 0, PAGE_READONLY) == STATUS_MAPPED_ALIGNMENT);
    FvCheck(Map(Section, &Base, 3 * GRANULE, 0, PAGE_READONLY) == STATUS_INVALID_VIEW_SIZE);
    FvCheck(Map(Section, &Base, 2 * GRANULE, GRANULE + 1, PAGE_READONLY) == STATUS_INVALID_VIEW_SIZE);
    FvCheck(Map(Section, &Base, 0, (SIZE_T)-1, PAGE_READONLY) == STATUS_INVALID_VIEW_SIZE);
    FvCheck(Map(Section, &Base, 0, 0, PAGE_READWRITE) == STATUS_SECTION_PROTECTION);
    FvCheck(Map(Section, &Base, 0, 0, PAGE_EXECUTE_READ) == STATUS_SECTION_PROTECTION);
    FvCheck(Map(Section, &Base, 0, 0, 3) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(Map(Section, &Base, 0, 0, PAGE_READONLY | PAGE_GUARD) == STATUS_INVALID_PAGE_PROTECTION);
    FvCheck(ZwMapViewOfSection(Section, SELF, &Base, 22, 0, &At, &Size, ViewUnmap, 0, PAGE_READONLY) ==
            STATUS_INVALID_PARAMETER_4);
    FvCheck(ZwMapViewOfSection(Section, SELF, &Base, 0, Size + 1, &At, &Size, ViewUnmap, 0, PAGE_READONLY) ==
            STATUS_INVALID_PARAMETER_5);
    FvCheck(ZwMapViewOfSection(Section, SELF, &Base, 0, 0, &At, &Size, (SECTION_INHERIT)3, 0, PAGE_READONLY) ==
            STATUS_INVALID_PARAMETER_8);
    FvCheck(ZwMapViewOfSection(Section, SELF, &Base, 0, 0, &At, &Size, ViewShare, MEM_COMMIT, PAGE_READONLY) ==
            STATUS_INVALID_PARAMETER_9);
    FvCheck(MapIn(ZwCurrentThread(), Section, &Base, 0, 0, PAGE_READONLY) == STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(Map((HANDLE)0x7777770, &Base, 0, 0, PAGE_READONLY) == STATUS_INVALID_HANDLE);
    if (FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)))) {
        FvCheck(Map(Event, &Base, 0, 0, PAGE_READONLY) == STATUS_OBJECT_TYPE_MISMATCH);
        ZwClose(Event);
    }
    FvCheck(Base == NULL);
    Base = (PVOID)(MmSystemRangeStart);
    FvCheck(MapIn(SELF, Section, &Base, 0, 0, PAGE_READONLY) == STATUS_CONFLICTING_ADDRESSES);
    ZwClose(Section);
}

static VOID CheckSharing(VOID)
{
    HANDLE Section, Same = NULL;
    OBJECT_ATTRIBUTES Attributes;
    MEMORY_BASIC_INFORMATION Info;
    PUCHAR One, Other;
    PVOID Taken;
    ULONG Old = 0;
    SIZE_T Size;

    FvCheck(Create(&Section, 2 * GRANULE + 1, PAGE_READWRITE, SEC_COMMIT, TRUE) == STATUS_SUCCESS);
    FvCheck(Map(Section, (PVOID *)&One, 0, 0, PAGE_READWRITE) == STATUS_SUCCESS && (ULONG_PTR)One % GRANULE == 0);
    FvCheck(One < (PUCHAR)MmHighestUserAddress && One[2 * GRANULE] == 0 && One[2 * GRANULE + PAGE_SIZE - 1] == 0);
    FvCheck(Touch(One + 2 * GRANULE + PAGE_SIZE, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(Map(Section, (PVOID *)&Other, GRANULE, PAGE_SIZE, PAGE_READONLY) == STATUS_SUCCESS && Other != One);
    One[GRANULE + 5] = 47;
    FvCheck(Other[5] == 47); /* the same memory */
    FvCheck(Touch(Other, TRUE) == STATUS_ACCESS_VIOLATION);
    FvCheck(StateOf(One + PAGE_SIZE + 3, &Info) == MEM_COMMIT && Info.Type == MEM_MAPPED &&
            Info.AllocationBase == One && Info.BaseAddress == One + PAGE_SIZE && Info.RegionSize == 2 * GRANULE &&
            Info.Protect == PAGE_READWRITE && Info.AllocationProtect == PAGE_READWRITE);
    Taken = One;
    FvCheck(MapIn(SELF, Section, &Taken, 0, 0, PAGE_READONLY) == STATUS_CONFLICTING_ADDRESSES);
    Taken = One + PAGE_SIZE, Size = PAGE_SIZE;
    FvCheck(ZwProtectVirtualMemory(SELF, &Taken, &Size, PAGE_READONLY, &Old) == STATUS_SUCCESS &&
            Old == PAGE_READWRITE);
    FvCheck(Touch(One + PAGE_SIZE, TRUE) == STATUS_ACCESS_VIOLATION && Touch(One, TRUE) == STATUS_SUCCESS &&
            Touch(One + 2 * PAGE_SIZE, TRUE) == STATUS_SUCCESS);
    FvCheck(StateOf(One, &Info) == MEM_COMMIT && Info.RegionSize == PAGE_SIZE && Info.AllocationBase == One);
    FvCheck(ZwProtectVirtualMemory(SELF, &Taken, &Size, PAGE_EXECUTE_READ, &Old) == STATUS_SECTION_PROTECTION);
    FvCheck(ZwProtectVirtualMemory(SELF, &Taken, &Size, PAGE_READWRITE, &Old) == STATUS_SUCCESS &&
            Old == PAGE_READONLY && Touch(One + PAGE_SIZE, TRUE) == STATUS_SUCCESS);
    Size = 0;
    FvCheck(ZwFreeVirtualMemory(SELF, (PVOID *)&One, &Size, MEM_RELEASE) == STATUS_UNABLE_TO_DELETE_SECTION);

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenSection(&Same, SECTION_MAP_READ, &Attributes) == STATUS_SUCCESS);
    FvCheck(Map(Same, &Taken, 0, 0, PAGE_READONLY) == STATUS_SUCCESS && ((PUCHAR)Taken)[GRANULE + 5] == 47);
    ZwClose(Same), ZwClose(Section);
    FvCheck(ZwOpenSection(&Same, SECTION_MAP_READ, &Attributes) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Other[5] == 47);                                                    /* a view keeps the memory */
    FvCheck(ZwUnmapViewOfSection(SELF, One + PAGE_SIZE + 1) == STATUS_SUCCESS); /* anywhere in it, and all of it */
    FvCheck(Touch(One, FALSE) == STATUS_ACCESS_VIOLATION && StateOf(One + PAGE_SIZE, &Info) == MEM_FREE);
    FvCheck(ZwUnmapViewOfSection(SELF, One) == STATUS_NOT_MAPPED_VIEW);
    FvCheck(ZwUnmapViewOfSection(SELF, Other) == STATUS_SUCCESS && ZwUnmapViewOfSection(SELF, Taken) == STATUS_SUCCESS);
}

static VOID CheckCopies(VOID)
{
    HANDLE Section;
    PUCHAR Shared, Copy;
    PMDL Mdl;

    FvCheck(Create(&Section, GRANULE, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_SUCCESS);
    FvCheck(Map(Section, (PVOID *)&Shared, 0, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Map(Section, (PVOID *)&Copy, 0, 0, PAGE_WRITECOPY) == STATUS_SUCCESS);
    Shared[0] = 1, Shared[PAGE_SIZE] = 2;
    FvCheck(Copy[0] == 1 && Copy[PAGE_SIZE] == 2);
    Copy[0] = 9;
    FvCheck(Shared[0] == 1 && Copy[0] == 9); /* a copy of its own, of this page only */
    Shared[0] = 3, Shared[PAGE_SIZE] = 4;
    FvCheck(Copy[0] == 9 && Copy[PAGE_SIZE] == 4);
    ZwUnmapViewOfSection(SELF, Copy);

    /* A list of pages that nobody has touched yet: they are shown, then locked, and stay when the view goes. */
    FvCheck(Map(Section, (PVOID *)&Copy, 0, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    Mdl = IoAllocateMdl(Copy + 2 * PAGE_SIZE, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    if (FvCheck(Mdl != NULL)) {
        PUCHAR Mapped;

        MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
        Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
        Mapped[0] = 5;
        FvCheck(Shared[2 * PAGE_SIZE] == 5);
        ZwUnmapViewOfSection(SELF, Copy), ZwUnmapViewOfSection(SELF, Shared), ZwClose(Section);
        FvCheck(Mapped[0] == 5);
        MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
}

static VOID CheckReserve(VOID)
{
    LARGE_INTEGER At = {.QuadPart = 0};
    MEMORY_BASIC_INFORMATION Info;
    PVOID Base = NULL, Place;
    SIZE_T Size = 0;
    HANDLE Section;
    PUCHAR Other;

    FvCheck(Create(&Section, 1LL << 40, PAGE_READWRITE, SEC_RESERVE, FALSE) == STATUS_SUCCESS);
    FvCheck(ZwMapViewOfSection(Section, SELF, &Base, 0, PAGE_SIZE, &At, &Size, ViewShare, 0, PAGE_READWRITE) ==
                STATUS_SUCCESS &&
            Size == 1ULL << 40);
    FvCheck(Touch(Base, TRUE) == STATUS_SUCCESS); /* CommitSize */
    FvCheck(Touch((PUCHAR)Base + PAGE_SIZE, FALSE) == STATUS_ACCESS_VIOLATION);
    FvCheck(StateOf((PUCHAR)Base + PAGE_SIZE, &Info) == MEM_RESERVE && Info.RegionSize == Size - PAGE_SIZE);
    Place = (PUCHAR)Base + (1LL << 39), Size = 2 * PAGE_SIZE;
    FvCheck(ZwAllocateVirtualMemory(SELF, &Place, 0, &Size, MEM_COMMIT, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Touch((PUCHAR)Place + PAGE_SIZE, TRUE) == STATUS_SUCCESS);
    FvCheck(StateOf(Place, &Info) == MEM_COMMIT && Info.RegionSize == 2 * PAGE_SIZE);
    FvCheck(Map(Section, (PVOID *)&Other, 1LL << 39, GRANULE, PAGE_READONLY) == STATUS_SUCCESS);
    FvCheck(Other[PAGE_SIZE] == 7); /* what is committed is committed in the section */
    Size = 1ULL << 38;
    FvCheck(ZwAllocateVirtualMemory(SELF, &Place, 0, &Size, MEM_COMMIT, PAGE_READWRITE) == STATUS_COMMITMENT_LIMIT);
    ZwUnmapViewOfSection(SELF, Other), ZwUnmapViewOfSection(SELF, Base), ZwClose(Section);
}

static VOID CheckSystemSpace(VOID)
{
    PVOID Object = NULL, Bad = NULL;
    PUCHAR System = NULL, View;
    SIZE_T Whole = 0, Part = 3 * GRANULE;
    HANDLE Section;

    FvCheck(Create(&Section, 2 * GRANULE, PAGE_READWRITE, SEC_COMMIT, FALSE) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Section, SECTION_MAP_READ, *MmSectionObjectType, KernelMode, &Object, NULL) ==
            STATUS_SUCCESS);
    FvCheck(MmMapViewInSystemSpace(Object, &Bad, &Part) == STATUS_INVALID_VIEW_SIZE && Bad == NULL);
    FvCheck(MmMapViewInSystemSpace(Object, (PVOID *)&System, &Whole) == STATUS_SUCCESS && Whole == 2 * GRANULE &&
            (PVOID)System > MmSystemRangeStart);
    FvCheck(Map(Section, (PVOID *)&View, 0, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    System[GRANULE] = 11;
    FvCheck(View[GRANULE] == 11 && System[2 * GRANULE - 1] == 0);
    ObDereferenceObject(Object);
    ZwClose(Section);
    FvCheck(ZwUnmapViewOfSection(SELF, System) == STATUS_NOT_MAPPED_VIEW);
    FvCheck(MmUnmapViewInSystemSpace(View) == STATUS_NOT_MAPPED_VIEW &&
            MmUnmapViewInSystemSpace(System + GRANULE) == STATUS_NOT_MAPPED_VIEW);
    FvCheck(ZwUnmapViewOfSection(SELF, View) == STATUS_SUCCESS && System[GRANULE] == 11);
    FvCheck(MmUnmapViewInSystemSpace(System) == STATUS_SUCCESS && !MmIsAddressValid(System));
    FvCheck(MmUnmapViewInSystemSpace(System) == STATUS_NOT_MAPPED_VIEW);
}

/* A system thread's previous mode is the kernel's: the Nt names are the same routines. */
static VOID CheckNt(VOID)
{
    LARGE_INTEGER Maximum = {.QuadPart = GRANULE};
    SIZE_T Size = 0;
    HANDLE Section;
    PVOID Base = NULL;

    FvCheck(NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, &Maximum, PAGE_READWRITE, SEC_COMMIT, NULL) ==
            STATUS_SUCCESS);
    FvCheck(NtMapViewOfSection(Section, SELF, &Base, 0, 0, NULL, &Size, ViewUnmap, MEM_TOP_DOWN, PAGE_READONLY) ==
                STATUS_SUCCESS &&
            Size == GRANULE && Touch(Base, FALSE) == STATUS_SUCCESS);
    FvCheck(NtUnmapViewOfSection(SELF, Base) == STATUS_SUCCESS);
    ZwClose(Section);
}

/* What sections took is given back, again and again. */
static VOID CheckLeaks(VOID)
{
    HANDLE Section;
    PVOID Base;

    for (ULONG Round = 0; Round < 64; Round++) {
        if (!NT_SUCCESS(Create(&Section, 128 * GRANULE, PAGE_READWRITE, SEC_COMMIT, FALSE)) ||
            !NT_SUCCESS(Map(Section, &Base, 0, 0, PAGE_WRITECOPY)) || !NT_SUCCESS(Touch(Base, TRUE))) {
            FvCheck(FALSE); /* 64 times 8 MiB are more than the machine has */
            return;
        }
        ZwClose(Section);
        ZwUnmapViewOfSection(SELF, Base);
    }
    FvCheck(TRUE);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(89);
    CheckRefusals();
    CheckSharing();
    CheckCopies();
    CheckReserve();
    CheckSystemSpace();
    CheckNt();
    CheckLeaks();
    return STATUS_SUCCESS;
}

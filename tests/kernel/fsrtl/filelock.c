// SPDX-License-Identifier: GPL-2.0-or-later
/* Byte-range locks: who may lock, read and write what; requests that wait, are granted later, or are
 * cancelled. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI BOOLEAN NTAPI FsRtlAreThereWaitingFileLocks(PFILE_LOCK FileLock);
NTKERNELAPI BOOLEAN NTAPI FsRtlCheckLockForOplockRequest(PFILE_LOCK FileLock, PLARGE_INTEGER AllocationSize);

static FILE_LOCK Lock;
static FILE_OBJECT FileA, FileB;
static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Device;
static ULONG Unlocked, Completed;
static NTSTATUS LastStatus, RoutineStatus;
static IO_STATUS_BLOCK Result;
static PVOID LastContext;

static VOID NTAPI OnUnlock(PVOID Context, PFILE_LOCK_INFO Info)
{
    Unlocked++;
    LastContext = Context;
    FvCheck(Info->EndingByte.QuadPart == Info->StartingByte.QuadPart + Info->Length.QuadPart - 1);
}

static NTSTATUS NTAPI OnComplete(PVOID Context, PIRP Irp)
{
    Completed++;
    LastContext = Context;
    LastStatus = Irp->IoStatus.Status;
    if (!NT_SUCCESS(RoutineStatus))
        Irp->IoStatus.Status = RoutineStatus;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return NT_SUCCESS(RoutineStatus) ? LastStatus : RoutineStatus;
}

/* The fast way: FALSE, it would have to wait; else what became of it. */
static BOOLEAN Fast(PFILE_OBJECT File, ULONG64 Offset, ULONG64 Length, ULONG Key, BOOLEAN Exclusive,
                    BOOLEAN Immediately)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset}, Bytes = {.QuadPart = (LONGLONG)Length};

    return FsRtlPrivateLock(&Lock, File, &At, &Bytes, PsGetCurrentProcess(), Key, Immediately, Exclusive, &Result, NULL,
                            (PVOID)1, FALSE);
}

static BOOLEAN Locks(PFILE_OBJECT File, ULONG64 Offset, ULONG64 Length, ULONG Key, BOOLEAN Exclusive)
{
    return Fast(File, Offset, Length, Key, Exclusive, TRUE) && Result.Status == STATUS_SUCCESS;
}

static NTSTATUS Release(PFILE_OBJECT File, ULONG64 Offset, ULONG64 Length, ULONG Key)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset}, Bytes = {.QuadPart = (LONGLONG)Length};

    return FsRtlFastUnlockSingle(&Lock, File, &At, &Bytes, PsGetCurrentProcess(), Key, (PVOID)2, FALSE);
}

static BOOLEAN Reads(PFILE_OBJECT File, ULONG64 Offset, ULONG64 Length, ULONG Key)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset}, Bytes = {.QuadPart = (LONGLONG)Length};

    return FsRtlFastCheckLockForRead(&Lock, &At, &Bytes, Key, File, PsGetCurrentProcess());
}

static BOOLEAN Writes(PFILE_OBJECT File, ULONG64 Offset, ULONG64 Length, ULONG Key)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset}, Bytes = {.QuadPart = (LONGLONG)Length};

    return FsRtlFastCheckLockForWrite(&Lock, &At, &Bytes, Key, File, PsGetCurrentProcess());
}

static VOID CheckRanges(VOID)
{
    FsRtlInitializeFileLock(&Lock, NULL, OnUnlock);
    FvCheck(!FsRtlAreThereCurrentFileLocks(&Lock) && Release(&FileA, 0, 10, 0) == STATUS_RANGE_NOT_LOCKED);
    FvCheck(FsRtlFastUnlockAll(&Lock, &FileA, PsGetCurrentProcess(), NULL) == STATUS_RANGE_NOT_LOCKED);
    FvCheck(Locks(&FileA, 100, 10, 1, TRUE) && FsRtlAreThereCurrentFileLocks(&Lock) &&
            FsRtlAreThereCurrentOrInProgressFileLocks(&Lock));
    /* An exclusive range overlaps nothing, not even its owner's; beside it is room. */
    FvCheck(!Locks(&FileB, 109, 1, 1, FALSE) && Result.Status == STATUS_LOCK_NOT_GRANTED);
    FvCheck(!Locks(&FileA, 100, 10, 1, TRUE) && !Fast(&FileB, 95, 6, 1, TRUE, FALSE));
    FvCheck(Locks(&FileB, 110, 5, 1, TRUE) && Locks(&FileB, 90, 10, 1, TRUE));
    FvCheck(Release(&FileB, 110, 5, 1) == STATUS_SUCCESS && Release(&FileB, 90, 10, 1) == STATUS_SUCCESS &&
            Unlocked == 2 && LastContext == (PVOID)2);
    /* Who is the owner: file object, process and key. */
    FvCheck(Reads(&FileA, 100, 10, 1) && Writes(&FileA, 100, 10, 1));
    FvCheck(!Reads(&FileA, 100, 10, 2) && !Writes(&FileA, 109, 1, 2) && !Reads(&FileB, 90, 11, 1) &&
            Reads(&FileB, 90, 10, 1));
    FvCheck(Reads(&FileB, 100, 0, 1) && Writes(&FileB, 110, 100, 1));
    FvCheck(Release(&FileA, 100, 10, 2) == STATUS_RANGE_NOT_LOCKED &&
            Release(&FileA, 100, 9, 1) == STATUS_RANGE_NOT_LOCKED &&
            Release(&FileB, 100, 10, 1) == STATUS_RANGE_NOT_LOCKED);
    /* Its owner may share what it holds; two unlocks, the exclusive one first. */
    FvCheck(Locks(&FileA, 100, 10, 1, FALSE) && Release(&FileA, 100, 10, 1) == STATUS_SUCCESS);
    /* Shared: all may read, nobody may write, not even who locked it. */
    FvCheck(Reads(&FileB, 100, 10, 9) && !Writes(&FileB, 100, 1, 9) && !Writes(&FileA, 100, 1, 1));
    FvCheck(Locks(&FileB, 105, 10, 1, FALSE) && !Locks(&FileB, 105, 1, 1, TRUE));
    FvCheck(FsRtlFastUnlockAll(&Lock, &FileA, PsGetCurrentProcess(), NULL) == STATUS_SUCCESS && Unlocked == 4);
    FvCheck(FsRtlFastUnlockAllByKey(&Lock, &FileB, PsGetCurrentProcess(), 2, NULL) == STATUS_RANGE_NOT_LOCKED);
    FvCheck(FsRtlFastUnlockAllByKey(&Lock, &FileB, PsGetCurrentProcess(), 1, NULL) == STATUS_SUCCESS && Unlocked == 5);
    FvCheck(!FsRtlAreThereCurrentFileLocks(&Lock));
    FsRtlUninitializeFileLock(&Lock);
}

static VOID CheckEdges(VOID)
{
    LARGE_INTEGER Allocation = {.QuadPart = 4096};
    PFILE_LOCK Own = FsRtlAllocateFileLock(NULL, NULL);
    PFILE_LOCK_INFO Info;

    FsRtlInitializeFileLock(&Lock, NULL, NULL);
    FvCheck(Fast(&FileA, ~0ULL, 2, 0, TRUE, TRUE) && Result.Status == STATUS_INVALID_LOCK_RANGE);
    FvCheck(Locks(&FileA, ~0ULL, 1, 0, TRUE) && Locks(&FileB, 0, ~0ULL, 0, TRUE));
    FvCheck(!Locks(&FileB, 1, ~0ULL, 0, TRUE)); /* the last byte of all */
    FvCheck(Release(&FileB, 0, ~0ULL, 0) == STATUS_SUCCESS);
    /* No bytes: before its first, so within a range is a conflict, at its begin and end is none. */
    FvCheck(Locks(&FileA, 10, 10, 0, TRUE) && Locks(&FileB, 10, 0, 0, TRUE) && Locks(&FileB, 20, 0, 0, TRUE) &&
            !Locks(&FileB, 15, 0, 0, TRUE));
    FvCheck(!FsRtlCheckLockForOplockRequest(&Lock, &Allocation));
    Info = FsRtlGetNextFileLock(&Lock, TRUE);
    FvCheck(Info != NULL && (ULONG64)Info->StartingByte.QuadPart == ~0ULL && Info->ExclusiveLock &&
            Info->FileObject == &FileA && Info->ProcessId == PsGetCurrentProcessId());
    Info = FsRtlGetNextFileLock(&Lock, FALSE);
    FvCheck(Info != NULL && Info->StartingByte.QuadPart == 10 && Info->EndingByte.QuadPart == 19);
    FvCheck(FsRtlGetNextFileLock(&Lock, FALSE) != NULL && FsRtlGetNextFileLock(&Lock, FALSE) != NULL &&
            FsRtlGetNextFileLock(&Lock, FALSE) == NULL);
    FsRtlUninitializeFileLock(&Lock);
    FvCheck(FsRtlCheckLockForOplockRequest(&Lock, &Allocation) && FsRtlGetNextFileLock(&Lock, TRUE) == NULL);
    FvCheck(Own != NULL && !FsRtlAreThereCurrentOrInProgressFileLocks(Own));
    FsRtlFreeFileLock(Own);
}

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP whose current location is ours, as a dispatch routine gets it; its completion is kept from going on.
 */
static PIRP MakeIrp(UCHAR Major, UCHAR Minor, UCHAR Flags, PFILE_OBJECT File, ULONG64 Offset, PLARGE_INTEGER Length)
{
    PIRP Irp = IoAllocateIrp(2, FALSE);
    PIO_STACK_LOCATION Stack;

    IoSetNextIrpStackLocation(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->DeviceObject = Device;
    IoSetCompletionRoutine(Irp, Keep, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->MajorFunction = Major;
    Stack->MinorFunction = Minor;
    Stack->Flags = Flags;
    Stack->DeviceObject = Device;
    Stack->FileObject = File;
    Stack->Parameters.LockControl.ByteOffset.QuadPart = (LONGLONG)Offset;
    Stack->Parameters.LockControl.Length = Length;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    return Irp;
}

static VOID CheckRequests(VOID)
{
    LARGE_INTEGER Ten = {.QuadPart = 10};
    PIRP First, Second, Third, Other;

    FsRtlInitializeFileLock(&Lock, OnComplete, OnUnlock);
    First = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, SL_EXCLUSIVE_LOCK, &FileA, 0, &Ten);
    FvCheck(FsRtlProcessFileLock(&Lock, First, (PVOID)11) == STATUS_SUCCESS && Completed == 1 &&
            LastStatus == STATUS_SUCCESS && LastContext == (PVOID)11);
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, SL_EXCLUSIVE_LOCK | SL_FAIL_IMMEDIATELY, &FileB, 0, &Ten);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, NULL) == STATUS_LOCK_NOT_GRANTED && Completed == 2);
    IoFreeIrp(Other);
    Second = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, SL_EXCLUSIVE_LOCK, &FileB, 5, &Ten);
    Third = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, 0, &FileB, 0, &Ten);
    FvCheck(FsRtlProcessFileLock(&Lock, Second, (PVOID)12) == STATUS_PENDING && FsRtlAreThereWaitingFileLocks(&Lock));
    FvCheck(FsRtlProcessFileLock(&Lock, Third, (PVOID)13) == STATUS_PENDING && Completed == 2);
    /* Cancelled while it waits. */
    FvCheck(IoCancelIrp(Third) && Completed == 3 && LastStatus == STATUS_CANCELLED && LastContext == (PVOID)13);
    /* Unlocked: the next one has it. */
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_SINGLE, 0, &FileA, 0, &Ten);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, (PVOID)14) == STATUS_SUCCESS && Completed == 5 &&
            Second->IoStatus.Status == STATUS_SUCCESS && !FsRtlAreThereWaitingFileLocks(&Lock));
    FvCheck(!Reads(&FileA, 14, 1, 0) && Reads(&FileA, 0, 5, 0));
    IoFreeIrp(Other);
    /* What reads and writes as requests may. */
    Other = MakeIrp(IRP_MJ_READ, 0, 0, &FileA, 0, NULL);
    IoGetCurrentIrpStackLocation(Other)->Parameters.Read.Length = 6;
    IoGetCurrentIrpStackLocation(Other)->Parameters.Read.Key = 0;
    IoGetCurrentIrpStackLocation(Other)->Parameters.Read.ByteOffset.QuadPart = 0;
    FvCheck(!FsRtlCheckLockForReadAccess(&Lock, Other) && !FsRtlCheckLockForWriteAccess(&Lock, Other));
    IoGetCurrentIrpStackLocation(Other)->Parameters.Read.Length = 5;
    FvCheck(FsRtlCheckLockForReadAccess(&Lock, Other) && FsRtlCheckLockForWriteAccess(&Lock, Other));
    IoFreeIrp(Other);
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, 0x7F, 0, &FileA, 0, NULL);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, NULL) == STATUS_INVALID_DEVICE_REQUEST);
    IoFreeIrp(Other);
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL, 0, &FileB, 0, NULL);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, NULL) == STATUS_SUCCESS && !FsRtlAreThereCurrentFileLocks(&Lock));
    IoFreeIrp(Other);
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL_BY_KEY, 0, &FileB, 0, NULL);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, NULL) == STATUS_RANGE_NOT_LOCKED);
    IoFreeIrp(Other);
    /* The file system will not have it: it is not locked then. */
    RoutineStatus = STATUS_DISK_FULL;
    Other = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, SL_EXCLUSIVE_LOCK, &FileA, 0, &Ten);
    FvCheck(FsRtlProcessFileLock(&Lock, Other, NULL) == STATUS_DISK_FULL && !FsRtlAreThereCurrentFileLocks(&Lock));
    IoFreeIrp(Other);
    RoutineStatus = STATUS_SUCCESS;
    /* What waits when the file goes ends. */
    FvCheck(Locks(&FileA, 0, 10, 0, TRUE));
    IoFreeIrp(Third);
    Third = MakeIrp(IRP_MJ_LOCK_CONTROL, IRP_MN_LOCK, 0, &FileB, 0, &Ten);
    FsRtlProcessFileLock(&Lock, Third, NULL);
    FsRtlUninitializeFileLock(&Lock);
    FvCheck(Third->IoStatus.Status == STATUS_RANGE_NOT_LOCKED);
    IoFreeIrp(First), IoFreeIrp(Second), IoFreeIrp(Third);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(52);
    Driver = DriverObject;
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    CheckRanges();
    CheckEdges();
    CheckRequests();
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

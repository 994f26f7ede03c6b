// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a free build of Windows takes and Driver Verifier does not: one routine each.  unverified.lua runs each of them
 * with the verifier, which names it and the line marked GUILTY, and all of them without, where each goes on as on Windows.
 *
 * A routine returns whether what it did had the effect that it has on Windows, and leaves nothing behind.
 */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

#define TAG 'vrnU'

static PDRIVER_OBJECT Driver;
static KSPIN_LOCK Lock;
static EX_SPIN_LOCK ExecutiveLock;
static FAST_MUTEX FastMutex;
static ERESOURCE Resource;
static KMUTANT Mutant;

static BOOLEAN RaiseDownwards(VOID)
{
    KIRQL OldIrql, Ignored;
    BOOLEAN Ok;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeRaiseIrql(APC_LEVEL, &Ignored); // GUILTY
    Ok = KeGetCurrentIrql() == APC_LEVEL && Ignored == DISPATCH_LEVEL;
    KeLowerIrql(OldIrql);
    return Ok;
}

static BOOLEAN LowerUpwards(VOID)
{
    BOOLEAN Ok;

    KeLowerIrql(DISPATCH_LEVEL); // GUILTY
    Ok = KeGetCurrentIrql() == DISPATCH_LEVEL;
    KeLowerIrql(PASSIVE_LEVEL);
    return Ok;
}

static BOOLEAN AcquireBelowDispatch(VOID)
{
    KeAcquireSpinLockAtDpcLevel(&Lock); // GUILTY
    KeReleaseSpinLockFromDpcLevel(&Lock);
    return KeGetCurrentIrql() == PASSIVE_LEVEL;
}

static BOOLEAN ReleaseFromDpcBelowDispatch(VOID)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Lock, &OldIrql);
    KeLowerIrql(OldIrql);
    KeReleaseSpinLockFromDpcLevel(&Lock); // GUILTY
    return KeTestSpinLock(&Lock);
}

static BOOLEAN ReleaseBelowDispatch(VOID)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Lock, &OldIrql);
    KeLowerIrql(OldIrql);
    KeReleaseSpinLock(&Lock, OldIrql); // GUILTY
    return KeTestSpinLock(&Lock);
}

/* Found by its name at run time, so that no import stands between. */
static BOOLEAN ReleaseBelowDispatchByAddress(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"KeReleaseSpinLock");
    VOID(NTAPI * Release)(PKSPIN_LOCK, KIRQL) = (PVOID)MmGetSystemRoutineAddress(&Name);
    KIRQL OldIrql;

    KeAcquireSpinLock(&Lock, &OldIrql);
    KeLowerIrql(OldIrql);
    Release(&Lock, OldIrql); // GUILTY
    return KeTestSpinLock(&Lock);
}

static BOOLEAN ReleaseWhatIsFree(VOID)
{
    KIRQL OldIrql;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeReleaseSpinLockFromDpcLevel(&Lock); // GUILTY
    KeLowerIrql(OldIrql);
    return KeTestSpinLock(&Lock);
}

static BOOLEAN AcquireAboveDispatch(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"KeAcquireSpinLockRaiseToDpc");
    KIRQL(NTAPI * Acquire)(PKSPIN_LOCK) = (PVOID)MmGetSystemRoutineAddress(&Name);
    KIRQL OldIrql, Old;
    BOOLEAN Ok;

    KeRaiseIrql(DISPATCH_LEVEL + 3, &OldIrql);
    Old = Acquire(&Lock); // GUILTY
    Ok = KeGetCurrentIrql() == DISPATCH_LEVEL;
    KeReleaseSpinLock(&Lock, Old);
    Ok &= KeGetCurrentIrql() == DISPATCH_LEVEL + 3;
    KeLowerIrql(OldIrql);
    return Ok;
}

static BOOLEAN ReleaseQueuedBelowDispatch(VOID)
{
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
    KeLowerIrql(PASSIVE_LEVEL);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle); // GUILTY
    return KeTestSpinLock(&Lock);
}

static BOOLEAN ReleaseExclusiveWhatIsFree(VOID)
{
    KIRQL OldIrql;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    ExReleaseSpinLockExclusiveFromDpcLevel(&ExecutiveLock); // GUILTY
    KeLowerIrql(OldIrql);
    return ExecutiveLock == 0;
}

static BOOLEAN LeaveCriticalTwice(VOID)
{
    BOOLEAN Ok;

    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    KeLeaveCriticalRegion();  // GUILTY
    Ok = KeAreApcsDisabled(); /* the count is not zero */
    KeEnterCriticalRegion();
    return Ok && !KeAreApcsDisabled();
}

static BOOLEAN LeaveGuardedTwice(VOID)
{
    BOOLEAN Ok;

    KeLeaveGuardedRegion(); // GUILTY
    Ok = KeAreApcsDisabled();
    KeEnterGuardedRegion();
    return Ok && !KeAreApcsDisabled();
}

static BOOLEAN EnterCriticalAtDispatch(VOID)
{
    KIRQL OldIrql;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeEnterCriticalRegion(); // GUILTY
    KeLeaveCriticalRegion();
    KeLowerIrql(OldIrql);
    return !KeAreApcsDisabled();
}

static BOOLEAN AcquireFastMutexUnsafely(VOID)
{
    ExAcquireFastMutexUnsafe(&FastMutex); // GUILTY
    ExReleaseFastMutexUnsafe(&FastMutex);
    return FastMutex.Count == 1;
}

static BOOLEAN ReleaseFastMutexUnsafely(VOID)
{
    KIRQL OldIrql;

    KeRaiseIrql(APC_LEVEL, &OldIrql);
    ExAcquireFastMutexUnsafe(&FastMutex);
    KeLowerIrql(OldIrql);
    ExReleaseFastMutexUnsafe(&FastMutex); // GUILTY
    return FastMutex.Count == 1;
}

static BOOLEAN AcquireResourceWithApcs(VOID)
{
    BOOLEAN Ok = ExAcquireResourceExclusiveLite(&Resource, TRUE); // GUILTY

    ExReleaseResourceLite(&Resource);
    return Ok;
}

static BOOLEAN AcquireResourceAtDispatch(VOID)
{
    KIRQL OldIrql;
    BOOLEAN Ok;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Ok = ExAcquireResourceSharedLite(&Resource, FALSE); // GUILTY
    ExReleaseResourceLite(&Resource);
    KeLowerIrql(OldIrql);
    return Ok;
}

static BOOLEAN ConvertSharedResource(VOID)
{
    BOOLEAN Ok;

    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
    ExConvertExclusiveToSharedLite(&Resource); // GUILTY
    Ok = ExIsResourceAcquiredSharedLite(&Resource) == 1 && !ExIsResourceAcquiredExclusiveLite(&Resource);
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    return Ok;
}

static BOOLEAN DeleteOwnedResource(VOID)
{
    ERESOURCE *Owned = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Owned), TAG);

    ExInitializeResourceLite(Owned);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Owned, TRUE);
    ExDeleteResourceLite(Owned); // GUILTY
    KeLeaveCriticalRegion();
    ExFreePoolWithTag(Owned, TAG);
    return TRUE;
}

static BOOLEAN ReleaseRundownTooOften(VOID)
{
    EX_RUNDOWN_REF Rundown;

    ExInitializeRundownProtection(&Rundown);
    ExReleaseRundownProtection(&Rundown); // GUILTY
    return ExAcquireRundownProtection(&Rundown) && Rundown.Count == 0;
}

static BOOLEAN SetPagedEvent(VOID)
{
    KEVENT *Event = ExAllocatePoolWithTag(PagedPool, sizeof(*Event), TAG);
    KIRQL OldIrql;
    BOOLEAN Ok;

    KeInitializeEvent(Event, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE); // GUILTY
    KeLowerIrql(OldIrql);
    Ok = KeReadStateEvent(Event) == 1;
    ExFreePoolWithTag(Event, TAG);
    return Ok;
}

static BOOLEAN TouchPagedPoolAtDispatch(VOID)
{
    volatile ULONG *Block = ExAllocatePoolWithTag(PagedPool, sizeof(*Block), TAG);
    KIRQL OldIrql;
    BOOLEAN Ok;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    *Block = 42; // GUILTY
    KeLowerIrql(OldIrql);
    Ok = *Block == 42 && !MmIsNonPagedSystemAddressValid((PVOID)Block);
    ExFreePoolWithTag((PVOID)Block, TAG);
    return Ok;
}

static BOOLEAN WaitForWhatIsThereAtDispatch(VOID)
{
    KEVENT Event;
    KIRQL OldIrql;
    NTSTATUS Status;

    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Status = KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL); // GUILTY
    KeLowerIrql(OldIrql);
    return Status == STATUS_SUCCESS && KeReadStateEvent(&Event) == 0;
}

static BOOLEAN InitializeSetTimer(VOID)
{
    static KTIMER Timer;
    LARGE_INTEGER Soon = {.QuadPart = -200000}, Later = {.QuadPart = -1000000};

    KeInitializeTimerEx(&Timer, NotificationTimer);
    KeSetTimer(&Timer, Soon, NULL);
    KeInitializeTimer(&Timer); // GUILTY
    if (KeReadStateTimer(&Timer))
        return FALSE;
    KeDelayExecutionThread(KernelMode, FALSE, &Later);
    return KeReadStateTimer(&Timer) && !KeCancelTimer(&Timer);
}

static VOID NTAPI SignalDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN QueueDpcOfOddType(VOID)
{
    static KDPC Dpc;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, SignalDpc, &Event);
    Dpc.Type = 77;
    KeInsertQueueDpc(&Dpc, NULL, NULL); // GUILTY
    return KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS;
}

static BOOLEAN LockLockedPages(VOID)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
    PMDL Mdl = IoAllocateMdl(Block, 100, FALSE, FALSE, NULL);

    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess); // GUILTY
    MmUnlockPages(Mdl);
    Mdl->MdlFlags |= MDL_PAGES_LOCKED; /* twice locked, twice unlocked */
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
    return TRUE;
}

static BOOLEAN MapMappedPages(VOID)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG), First, Second;
    PMDL Mdl = IoAllocateMdl(Block, 100, FALSE, FALSE, NULL);
    BOOLEAN Ok;

    MmProbeAndLockPages(Mdl, KernelMode, IoWriteAccess);
    First = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    Second = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority); // GUILTY
    *(volatile UCHAR *)Second = 7;
    Ok = First != Second && *(volatile UCHAR *)First == 7 && *(volatile UCHAR *)Block == 7;
    MmUnmapLockedPages(Second, Mdl);
    Mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    MmUnmapLockedPages(First, Mdl);
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    ExFreePoolWithTag(Block, TAG);
    return Ok;
}

/* Up to the next multiple of 16 the bytes are the block's. */
static BOOLEAN WriteBehindBlock(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);

    for (ULONG Index = 0; Index < 112; Index++)
        Block[Index] = 0;
    ExFreePoolWithTag(Block, TAG); // GUILTY
    return TRUE;
}

/* On x64 memcpy copies as memmove does; that may not be relied on. */
static BOOLEAN CopyOverlapping(VOID)
{
    static CHAR Text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    volatile SIZE_T Count = 50; /* a call, whatever the compiler thinks */

    memcpy(Text + 4, Text, Count); // GUILTY
    return RtlCompareMemory(Text, "01230123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNSTUVWXYZ", 62) == 62;
}

static BOOLEAN FreeMdlTwice(VOID)
{
    static UCHAR Buffer[16];
    PMDL Mdl = IoAllocateMdl(Buffer, sizeof(Buffer), FALSE, FALSE, NULL), Other;
    BOOLEAN Ok;

    IoFreeMdl(Mdl);
    IoFreeMdl(Mdl); // GUILTY
    Mdl = IoAllocateMdl(Buffer, sizeof(Buffer), FALSE, FALSE, NULL);
    Other = IoAllocateMdl(Buffer, sizeof(Buffer), FALSE, FALSE, NULL);
    Ok = Mdl != Other;
    IoFreeMdl(Mdl);
    IoFreeMdl(Other);
    return Ok;
}

static BOOLEAN CloseWhatIsNotOpen(VOID)
{
    return ZwClose((HANDLE)(ULONG_PTR)0x7FF0) == STATUS_INVALID_HANDLE; // GUILTY
}

static NTSTATUS NTAPI OpenAndClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI PendAndReturnSuccess(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoMarkIrpPending(Irp); // GUILTY
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 4;
    *(PULONG)Irp->AssociatedIrp.SystemBuffer = 42;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static BOOLEAN MarkPendingAndReturnSuccess(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Unverified");
    OBJECT_ATTRIBUTES Attributes;
    PDEVICE_OBJECT Device;
    IO_STATUS_BLOCK Iosb = {0};
    ULONG Answer = 0;
    HANDLE File;
    BOOLEAN Ok;

    Driver->MajorFunction[IRP_MJ_CREATE] = Driver->MajorFunction[IRP_MJ_CLEANUP] = Driver->MajorFunction[IRP_MJ_CLOSE] =
        OpenAndClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = PendAndReturnSuccess;
    if (!NT_SUCCESS(IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return FALSE;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    Ok = NT_SUCCESS(ZwCreateFile(&File, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
                                 FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0)) &&
         ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, 0),
                               NULL, 0, &Answer, sizeof(Answer)) == STATUS_SUCCESS;
    Ok = Ok && Answer == 42 && Iosb.Information == 4;
    ZwClose(File);
    IoDeleteDevice(Device);
    return Ok;
}

static VOID NTAPI HoldUntilTheEnd(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Mutant, Executive, KernelMode, FALSE, NULL); // GUILTY
    Sleep(50);
}

/* Who waits for the mutant is told that it was abandoned, and has it; once. */
static BOOLEAN EndWithMutant(VOID)
{
    PVOID Thread;
    BOOLEAN Ok;

    KeInitializeMutant(&Mutant, FALSE);
    Thread = StartThread(HoldUntilTheEnd, NULL);
    Sleep(20);
    Ok = KeReadStateMutant(&Mutant) == 0 && WaitFor(&Mutant, 1000) == STATUS_ABANDONED;
    JoinThread(Thread);
    Ok = Ok && WaitFor(&Mutant, 0) == STATUS_SUCCESS && KeReleaseMutant(&Mutant, 0, FALSE, FALSE) == -1 &&
         KeReleaseMutant(&Mutant, 0, FALSE, FALSE) == 0;
    return Ok && KeReadStateMutant(&Mutant) == 1;
}

/* In the order of unverified.lua's cases. */
static const struct {
    PCSTR Name;
    BOOLEAN (*Routine)(VOID);
} Cases[] = {
#define CASE(Routine) {#Routine, Routine}
    CASE(RaiseDownwards),
    CASE(LowerUpwards),
    CASE(AcquireBelowDispatch),
    CASE(ReleaseFromDpcBelowDispatch),
    CASE(ReleaseBelowDispatch),
    CASE(ReleaseBelowDispatchByAddress),
    CASE(ReleaseWhatIsFree),
    CASE(AcquireAboveDispatch),
    CASE(ReleaseQueuedBelowDispatch),
    CASE(ReleaseExclusiveWhatIsFree),
    CASE(LeaveCriticalTwice),
    CASE(LeaveGuardedTwice),
    CASE(EnterCriticalAtDispatch),
    CASE(AcquireFastMutexUnsafely),
    CASE(ReleaseFastMutexUnsafely),
    CASE(AcquireResourceWithApcs),
    CASE(AcquireResourceAtDispatch),
    CASE(ConvertSharedResource),
    CASE(DeleteOwnedResource),
    CASE(ReleaseRundownTooOften),
    CASE(SetPagedEvent),
    CASE(TouchPagedPoolAtDispatch),
    CASE(WaitForWhatIsThereAtDispatch),
    CASE(InitializeSetTimer),
    CASE(QueueDpcOfOddType),
    CASE(LockLockedPages),
    CASE(MapMappedPages),
    CASE(WriteBehindBlock),
    CASE(CopyOverlapping),
    CASE(FreeMdlTwice),
    CASE(CloseWhatIsNotOpen),
    CASE(MarkPendingAndReturnSuccess),
    CASE(EndWithMutant),
};

/* The value "Case" of the service: 0, all of them. */
static ULONG ReadCase(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Case");
    UCHAR Buffer[64];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Length, Result = 0;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Result = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Result;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExDeleteResourceLite(&Resource);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Case = ReadCase(RegistryPath);

    Driver = DriverObject;
    DriverObject->DriverUnload = Unload;
    KeInitializeSpinLock(&Lock);
    ExInitializeFastMutex(&FastMutex);
    ExInitializeResourceLite(&Resource);
    if (Case != 0)
        return Cases[Case - 1].Routine() ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    FvTestPlan(RTL_NUMBER_OF(Cases));
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++)
        FvTestResult(Cases[Index].Routine() && KeGetCurrentIrql() == PASSIVE_LEVEL, Cases[Index].Name, __FILE__,
                     __LINE__);
    return STATUS_SUCCESS;
}

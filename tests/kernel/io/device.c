// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device stacks, driver extensions, work items, cancel-safe queues with contexts, share access, MDLs, timers.
 */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'tveD'

DRIVER_INITIALIZE DriverEntry;

static PDRIVER_OBJECT Driver;

static PDEVICE_OBJECT Create(ULONG ExtensionSize, ULONG Type)
{
    PDEVICE_OBJECT Device = NULL;

    if (!FvCheck(NT_SUCCESS(IoCreateDevice(Driver, ExtensionSize, NULL, Type, 0, FALSE, &Device))))
        return NULL;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return Device;
}

static VOID CheckStacks(VOID)
{
    PDEVICE_OBJECT A = Create(100, FILE_DEVICE_UNKNOWN), B = Create(0, FILE_DEVICE_UNKNOWN),
                   C = Create(0, FILE_DEVICE_DISK);
    PDEVICE_OBJECT List[8], Found;
    ULONG Count;
    UCHAR Sum = 0;

    for (ULONG i = 0; i < 100; i++)
        Sum |= ((PUCHAR)A->DeviceExtension)[i];
    FvCheck(Sum == 0); /* the extension begins as zeroes */
    FvCheck(B->DeviceExtension == NULL && A->DeviceType == FILE_DEVICE_UNKNOWN && A->StackSize == 1);
    FvCheck(A->DriverObject == Driver && A->Vpb == NULL);
    FvCheck(C->Vpb != NULL && C->Vpb->RealDevice == C && (C->Vpb->Flags & VPB_MOUNTED) == 0);
    A->SectorSize = 2048;
    A->AlignmentRequirement = 15;

    FvCheck(IoAttachDeviceToDeviceStack(B, A) == A);
    FvCheck(IoAttachDeviceToDeviceStack(C, A) == B); /* to the top, whatever was named */
    FvCheck(B->StackSize == 2 && C->StackSize == 3);
    FvCheck(C->SectorSize == 2048 && C->AlignmentRequirement == 15);
    FvCheck(IoGetAttachedDevice(A) == C);
    Found = IoGetAttachedDeviceReference(A);
    FvCheck(Found == C);
    ObDereferenceObject(Found);
    Found = IoGetLowerDeviceObject(C);
    FvCheck(Found == B);
    ObDereferenceObject(Found);
    FvCheck(IoGetLowerDeviceObject(A) == NULL);
    Found = IoGetDeviceAttachmentBaseRef(C);
    FvCheck(Found == A);
    ObDereferenceObject(Found);

    FvCheck(IoEnumerateDeviceObjectList(Driver, List, sizeof(List), &Count) == STATUS_SUCCESS && Count == 3);
    for (ULONG i = 0; i < Count; i++)
        ObDereferenceObject(List[i]);
    FvCheck(IoEnumerateDeviceObjectList(Driver, List, sizeof(PDEVICE_OBJECT), &Count) == STATUS_BUFFER_TOO_SMALL &&
            Count == 3);
    ObDereferenceObject(List[0]);

    IoDetachDevice(B);
    FvCheck(IoGetAttachedDevice(A) == B && B->AttachedDevice == NULL);
    IoDetachDevice(A);
    A->Flags |= DO_DEVICE_INITIALIZING;
    FvCheck(IoAttachDeviceToDeviceStackSafe(B, A, &Found) == STATUS_NO_SUCH_DEVICE);
    IoDeleteDevice(C);
    IoDeleteDevice(B);
    IoDeleteDevice(A);
    FvCheck(Driver->DeviceObject == NULL);
}

static VOID CheckExtensions(VOID)
{
    static ULONG Key, Other;
    PVOID Extension = NULL, Again = (PVOID)1;

    FvCheck(IoGetDriverObjectExtension(Driver, &Key) == NULL);
    FvCheck(NT_SUCCESS(IoAllocateDriverObjectExtension(Driver, &Key, 64, &Extension)) && Extension != NULL);
    FvCheck(*(PULONG)Extension == 0);
    FvCheck(IoAllocateDriverObjectExtension(Driver, &Key, 64, &Again) == STATUS_OBJECT_NAME_COLLISION && Again == NULL);
    FvCheck(IoGetDriverObjectExtension(Driver, &Key) == Extension);
    FvCheck(IoGetDriverObjectExtension(Driver, &Other) == NULL);
}

/* ---- work items ------------------------------------------------------------------------------------------
 */

static KEVENT Done;
static volatile LONG Runs;
static KIRQL WorkIrql;
static BOOLEAN WorkSystem, WorkObject;
static PDEVICE_OBJECT WorkDevice;

static VOID NTAPI Work(PDEVICE_OBJECT Device, PVOID Context)
{
    WorkIrql = KeGetCurrentIrql();
    WorkSystem = PsIsSystemThread(PsGetCurrentThread());
    WorkObject = Device == WorkDevice;
    IoFreeWorkItem(Context); /* a routine may free its own item */
    InterlockedIncrement(&Runs);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI WorkEx(PVOID IoObject, PVOID Context, PIO_WORKITEM Item)
{
    if (InterlockedIncrement(&Runs) < 5) {
        IoQueueWorkItemEx(Item, WorkEx, DelayedWorkQueue, Context); /* and may queue it again */
        return;
    }
    WorkObject = IoObject == Driver && Context == (PVOID)7;
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static volatile PUCHAR HeldExtension;
static KEVENT Deleted;

static VOID NTAPI UseDevice(PDEVICE_OBJECT Device, PVOID Context)
{
    KeWaitForSingleObject(&Deleted, Executive, KernelMode, FALSE, NULL);
    IoFreeWorkItem(Context);
    ObReferenceObject(Device); /* only what is still there can be */
    WorkObject = Device->Type == 3 && Device->DeviceExtension == HeldExtension && HeldExtension[99] == 42;
    ObDereferenceObject(Device);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

/* A device that is deleted while a work item is queued for it stays until the routine has returned. */
static VOID CheckWorkItemHoldsDevice(VOID)
{
    PDEVICE_OBJECT Device = NULL;
    PIO_WORKITEM Item;

    FvCheck(NT_SUCCESS(IoCreateDevice(Driver, 100, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    HeldExtension = Device->DeviceExtension;
    HeldExtension[99] = 42;
    KeInitializeEvent(&Deleted, NotificationEvent, FALSE);
    Item = IoAllocateWorkItem(Device);
    IoQueueWorkItem(Item, UseDevice, DelayedWorkQueue, Item);
    IoDeleteDevice(Device);
    KeSetEvent(&Deleted, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(WorkObject);
}

static VOID CheckWorkItems(VOID)
{
    PIO_WORKITEM Item;
    KIRQL Irql;

    WorkDevice = Create(0, FILE_DEVICE_UNKNOWN);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    for (ULONG Type = CriticalWorkQueue; Type <= DelayedWorkQueue; Type++) {
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        Item = IoAllocateWorkItem(WorkDevice);
        IoQueueWorkItem(Item, Work, Type, Item);
        FvCheck(Item != NULL);
        KeLowerIrql(Irql);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        FvCheck(WorkIrql == PASSIVE_LEVEL && WorkSystem && WorkObject);
    }
    FvCheck(Runs == 2);
    IoDeleteDevice(WorkDevice);

    Runs = 0;
    Item = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), TAG);
    IoInitializeWorkItem(Driver, Item);
    IoQueueWorkItemEx(Item, WorkEx, CriticalWorkQueue, (PVOID)7);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(Runs == 5 && WorkObject);
    IoUninitializeWorkItem(Item);
    ExFreePoolWithTag(Item, TAG);
}

/* ---- cancel-safe queues ----------------------------------------------------------------------------------
 */

static LIST_ENTRY Queue;
static KSPIN_LOCK Lock;
static ULONG CanceledCount;
static NTSTATUS InsertAnswer;

static NTSTATUS NTAPI InsertEx(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    if (NT_SUCCESS(InsertAnswer))
        InsertTailList(&Queue, &Irp->Tail.Overlay.ListEntry);
    return InsertAnswer;
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI Peek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY Entry = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : Queue.Flink;

    return Entry != &Queue ? CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry) : NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&Lock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID NTAPI Canceled(PIO_CSQ Csq, PIRP Irp)
{
    CanceledCount++;
}

static PIRP NewIrp(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoSetNextIrpStackLocation(Irp);
    return Irp;
}

static VOID CheckCsq(VOID)
{
    IO_CSQ_IRP_CONTEXT Context;
    PIRP First = NewIrp(), Second = NewIrp();
    IO_CSQ Csq;

    InitializeListHead(&Queue);
    KeInitializeSpinLock(&Lock);
    FvCheck(NT_SUCCESS(IoCsqInitializeEx(&Csq, InsertEx, Remove, Peek, Acquire, Release, Canceled)));
    FvCheck(IoCsqRemoveNextIrp(&Csq, NULL) == NULL);
    InsertAnswer = STATUS_DEVICE_BUSY;
    FvCheck(IoCsqInsertIrpEx(&Csq, First, NULL, NULL) == STATUS_DEVICE_BUSY && First->CancelRoutine == NULL);
    InsertAnswer = STATUS_SUCCESS;
    FvCheck(NT_SUCCESS(IoCsqInsertIrpEx(&Csq, First, &Context, NULL)) && First->CancelRoutine != NULL);
    FvCheck((IoGetCurrentIrpStackLocation(First)->Control & SL_PENDING_RETURNED) != 0);
    IoCsqInsertIrp(&Csq, Second, NULL);
    FvCheck(IoCsqRemoveIrp(&Csq, &Context) == First && First->CancelRoutine == NULL);
    FvCheck(IoCsqRemoveIrp(&Csq, &Context) == NULL);
    FvCheck(IoCsqRemoveNextIrp(&Csq, NULL) == Second && IsListEmpty(&Queue));

    IoCsqInsertIrp(&Csq, First, &Context);
    FvCheck(IoCancelIrp(First) && CanceledCount == 1 && IsListEmpty(&Queue) && First->Cancel);
    FvCheck(IoCsqRemoveIrp(&Csq, &Context) == NULL);
    IoCsqInsertIrp(&Csq, First, NULL); /* canceled already: it does not stay */
    FvCheck(CanceledCount == 2 && IsListEmpty(&Queue));
    FvCheck(!IoCancelIrp(Second));
    IoFreeIrp(First);
    IoFreeIrp(Second);
}

/* ---- share access ----------------------------------------------------------------------------------------
 */

static VOID CheckSharing(VOID)
{
    SHARE_ACCESS Share;
    FILE_OBJECT Files[4];

    RtlZeroMemory(Files, sizeof(Files));
    IoSetShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &Files[0], &Share);
    FvCheck(Share.OpenCount == 1 && Share.Readers == 1 && Share.SharedRead == 1 && Share.SharedWrite == 0);
    FvCheck(IoCheckShareAccess(FILE_WRITE_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, &Files[1], &Share, TRUE) ==
            STATUS_SHARING_VIOLATION);
    FvCheck(IoCheckShareAccess(FILE_READ_DATA, FILE_SHARE_WRITE, &Files[1], &Share, TRUE) == STATUS_SHARING_VIOLATION);
    FvCheck(IoCheckShareAccess(FILE_READ_DATA, FILE_SHARE_READ, &Files[1], &Share, FALSE) == STATUS_SUCCESS);
    FvCheck(Share.OpenCount == 1);
    IoUpdateShareAccess(&Files[1], &Share);
    FvCheck(Share.OpenCount == 2 && Share.Readers == 2);
    FvCheck(IoCheckShareAccess(FILE_READ_ATTRIBUTES, 0, &Files[2], &Share, TRUE) == STATUS_SUCCESS);
    FvCheck(Share.OpenCount == 2); /* attributes alone share with everybody and do not count */
    IoRemoveShareAccess(&Files[0], &Share);
    IoRemoveShareAccess(&Files[1], &Share);
    IoRemoveShareAccess(&Files[2], &Share);
    FvCheck(Share.OpenCount == 0 && Share.Readers == 0 && Share.SharedRead == 0);
}

/* ---- MDLs ------------------------------------------------------------------------------------------------
 */

static VOID CheckMdls(VOID)
{
    PUCHAR Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, 3 * PAGE_SIZE, TAG);
    PIRP Irp = IoAllocateIrp(1, FALSE);
    PMDL Whole, Second, Part;

    Whole = IoAllocateMdl(Buffer + 100, 2 * PAGE_SIZE, FALSE, FALSE, Irp);
    FvCheck(Whole != NULL && Irp->MdlAddress == Whole);
    FvCheck(MmGetMdlByteCount(Whole) == 2 * PAGE_SIZE && MmGetMdlVirtualAddress(Whole) == Buffer + 100);
    Second = IoAllocateMdl(Buffer, 10, TRUE, FALSE, Irp);
    FvCheck(Second != NULL && Irp->MdlAddress == Whole && Whole->Next == Second);
    MmBuildMdlForNonPagedPool(Whole);
    FvCheck(MmGetSystemAddressForMdlSafe(Whole, NormalPagePriority) == Buffer + 100);

    Part = IoAllocateMdl(Buffer + PAGE_SIZE, PAGE_SIZE + 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(Whole, Part, Buffer + PAGE_SIZE + 50, 200);
    FvCheck(MmGetMdlByteCount(Part) == 200 && MmGetMdlVirtualAddress(Part) == Buffer + PAGE_SIZE + 50);
    FvCheck(MmGetMdlPfnArray(Part)[0] == MmGetMdlPfnArray(Whole)[(BYTE_OFFSET(Buffer) + PAGE_SIZE + 50) / PAGE_SIZE]);
    FvCheck(MmGetSystemAddressForMdlSafe(Part, NormalPagePriority) == Buffer + PAGE_SIZE + 50);
    MmPrepareMdlForReuse(Part);
    IoBuildPartialMdl(Whole, Part, Buffer + PAGE_SIZE, 0); /* 0: to the end */
    FvCheck(MmGetMdlByteCount(Part) == PAGE_SIZE + 100);
    IoFreeMdl(Part);
    IoFreeMdl(Second);
    IoFreeMdl(Whole);
    Irp->MdlAddress = NULL;
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Buffer, TAG);
}

/* ---- timers, threads -------------------------------------------------------------------------------------
 */

static volatile LONG Ticks;
static KIRQL TickIrql;

static VOID NTAPI Tick(PDEVICE_OBJECT Device, PVOID Context)
{
    TickIrql = KeGetCurrentIrql();
    InterlockedExchangeAdd(&Ticks, (LONG)(LONG_PTR)Context);
}

static VOID CheckTimer(VOID)
{
    PDEVICE_OBJECT Device = Create(0, FILE_DEVICE_UNKNOWN);
    LARGE_INTEGER Time = {.QuadPart = -25000000LL};

    FvCheck(NT_SUCCESS(IoInitializeTimer(Device, Tick, (PVOID)10)));
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
    FvCheck(Ticks == 0);
    IoStartTimer(Device);
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
    FvCheck(Ticks == 20 && TickIrql == DISPATCH_LEVEL); /* once a second */
    IoStopTimer(Device);
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
    FvCheck(Ticks == 20);
    IoDeleteDevice(Device);
}

static VOID CheckThread(VOID)
{
    ULONG_PTR Low, High, Here = (ULONG_PTR)&Low;
    PIRP Irp = IoAllocateIrp(1, FALSE);

    IoGetStackLimits(&Low, &High);
    FvCheck(Low < Here && Here < High && High - Low >= 0x4000);
    FvCheck(IoWithinStackLimits(Here, 8) && !IoWithinStackLimits(High, 8) && !IoWithinStackLimits(Low - 8, 16));
    FvCheck(IoGetTopLevelIrp() == NULL);
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    FvCheck(IoGetTopLevelIrp() == (PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    IoSetTopLevelIrp(NULL);
    FvCheck(IoGetRequestorProcess(Irp) == NULL);
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    FvCheck(IoGetRequestorProcess(Irp) == IoGetCurrentProcess() && IoGetCurrentProcess() == PsInitialSystemProcess);
    FvCheck(!IoIs32bitProcess(Irp) && IoIsSystemThread(PsGetCurrentThread()));
    IoFreeIrp(Irp);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Driver = DriverObject;
    FvTestPlan(77);
    CheckStacks();
    CheckExtensions();
    CheckWorkItems();
    CheckWorkItemHoldsDevice();
    CheckCsq();
    CheckSharing();
    CheckMdls();
    CheckTimer();
    CheckThread();
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Circles of spin locks on as many processors: what the service's value Case says, see spins.lua.  Thread i holds lock i
 * while it spins for lock i + 1; or a reader is kept from reading again by a writer that waits for it; or an interrupt
 * service routine holds the interrupt's and spins for the driver's.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <fltvm_irq.h>
#include "../../inc/threads.h"

#define LOCKS 3

typedef enum _KIND { Ordinary, Queued, Shared, Exclusive } KIND;

static KSPIN_LOCK Locks[LOCKS];
static EX_SPIN_LOCK ExLocks[LOCKS];
static volatile LONG Arrived;
static volatile BOOLEAN Armed, InRoutine;
static volatile LONG Processor = -1;
static ULONG Count;
static BOOLEAN Closed;
static PDEVICE_OBJECT IrqDevice;

/* Own[i] is how thread i holds lock i, Wanted[i] how the thread before it wants it. */
typedef struct _CIRCLE {
    ULONG Number;
    KIND Own[LOCKS], Wanted[LOCKS];
} CIRCLE;

static const CIRCLE Circles[] = {
    {2, {Ordinary, Ordinary}, {Ordinary, Ordinary}},
    {3, {Ordinary, Ordinary, Ordinary}, {Ordinary, Ordinary, Ordinary}},
    {2, {Queued, Queued}, {Queued, Queued}},
    {3, {Queued, Queued, Queued}, {Queued, Queued, Queued}},
    {2, {Exclusive, Exclusive}, {Exclusive, Exclusive}},
    {2, {Shared, Shared}, {Exclusive, Exclusive}},
    {2, {Exclusive, Exclusive}, {Shared, Shared}},
    {3, {Ordinary, Queued, Shared}, {Ordinary, Queued, Exclusive}},
    {1, {Queued}, {Queued}},
    {1, {Shared}, {Exclusive}},
    {1, {Exclusive}, {Shared}},
};
static const CIRCLE *This;

/* At DISPATCH_LEVEL.  Not optimized: each call has its line. */
__attribute__((optnone)) DECLSPEC_NOINLINE static VOID Take(KIND Kind, ULONG Index, PKLOCK_QUEUE_HANDLE Handle)
{
    switch (Kind) {
    case Ordinary: KeAcquireSpinLockAtDpcLevel(&Locks[Index]); break;
    case Queued: KeAcquireInStackQueuedSpinLockAtDpcLevel(&Locks[Index], Handle); break;
    case Shared: ExAcquireSpinLockSharedAtDpcLevel(&ExLocks[Index]); break;
    case Exclusive: ExAcquireSpinLockExclusiveAtDpcLevel(&ExLocks[Index]); break;
    }
}

static VOID Give(KIND Kind, ULONG Index, PKLOCK_QUEUE_HANDLE Handle)
{
    switch (Kind) {
    case Ordinary: KeReleaseSpinLockFromDpcLevel(&Locks[Index]); break;
    case Queued: KeReleaseInStackQueuedSpinLockFromDpcLevel(Handle); break;
    case Shared: ExReleaseSpinLockSharedFromDpcLevel(&ExLocks[Index]); break;
    case Exclusive: ExReleaseSpinLockExclusiveFromDpcLevel(&ExLocks[Index]); break;
    }
}

static VOID NTAPI SpinOnProcessor(PVOID Context)
{
    ULONG Index = (ULONG)(ULONG_PTR)Context, Next = (Index + 1) % Count;
    KLOCK_QUEUE_HANDLE Own, Wanted;
    KIRQL Old;

    KeSetSystemAffinityThread((KAFFINITY)1 << Index);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Take(This->Own[Index], Index, &Own);
    InterlockedIncrement(&Arrived);
    while (Arrived < (LONG)Count)
        YieldProcessor();
    /* The others first; they spin when the last one begins, which gives up its own when it must not close the circle. */
    if (!Closed && Index + 1 == Count) {
        Give(This->Own[Index], Index, &Own);
        KeLowerIrql(Old);
        PsTerminateSystemThread(STATUS_SUCCESS);
    }
    Take(This->Wanted[Next], Next, &Wanted);
    Give(This->Wanted[Next], Next, &Wanted);
    Give(This->Own[Index], Index, &Own);
    KeLowerIrql(Old);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Circle(const CIRCLE *Chosen, BOOLEAN Close)
{
    PVOID Threads[LOCKS];

    This = Chosen;
    Count = Chosen->Number;
    Closed = Close;
    Arrived = 0;
    for (ULONG Index = 0; Index < Count; Index++)
        Threads[Index] = StartThread(SpinOnProcessor, (PVOID)(ULONG_PTR)Index);
    for (ULONG Index = 0; Index < Count; Index++)
        JoinThread(Threads[Index]);
}

/* ---- a reader behind a writer ---- */

static VOID NTAPI Write(PVOID Context)
{
    KIRQL Old;

    UNREFERENCED_PARAMETER(Context);
    KeSetSystemAffinityThread(2);
    while (Arrived == 0)
        YieldProcessor();
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Take(Exclusive, 0, NULL);
    Give(Exclusive, 0, NULL);
    KeLowerIrql(Old);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Reads twice; a writer has come in between, and goes first. */
static VOID NTAPI Read(PVOID Context)
{
    KIRQL Old;

    UNREFERENCED_PARAMETER(Context);
    KeSetSystemAffinityThread(1);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Take(Shared, 0, NULL);
    Arrived = 1;
    while (!(ExLocks[0] & 0x40000000))
        YieldProcessor();
    if (!Closed)
        Give(Shared, 0, NULL);
    Take(Shared, 0, NULL);
    Give(Shared, 0, NULL);
    if (Closed)
        Give(Shared, 0, NULL);
    KeLowerIrql(Old);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID BehindWriter(BOOLEAN Close)
{
    PVOID Writer, Reader;

    Closed = Close;
    Arrived = 0;
    Writer = StartThread(Write, NULL);
    Reader = StartThread(Read, NULL);
    JoinThread(Reader);
    JoinThread(Writer);
}

/* ---- with an interrupt's ---- */

/* With the interrupt's spin lock held. */
static VOID InterruptRoutine(PVOID Context, ULONG Source)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Source);
    Processor = (LONG)KeGetCurrentProcessorNumber();
    if (Armed) {
        InRoutine = TRUE;
        KeAcquireSpinLockAtDpcLevel(&Locks[0]);
        KeReleaseSpinLockFromDpcLevel(&Locks[0]);
    }
}

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* KeSynchronizeExecution, by the interrupt's driver: takes the interrupt's spin lock.  IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE static NTSTATUS Connect(PFLTVM_IRQ_ROUTINE Routine)
{
    FLTVM_IRQ_CONNECT Input = {.Source = 0, .Routine = Routine};
    PIRP Irp = IoAllocateIrp(IrqDevice->StackSize, FALSE);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);

    Stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    Stack->Parameters.DeviceIoControl.IoControlCode = IOCTL_FLTVM_IRQ_CONNECT;
    Stack->Parameters.DeviceIoControl.InputBufferLength = sizeof(Input);
    Stack->Parameters.DeviceIoControl.Type3InputBuffer = &Input;
    IoSetCompletionRoutine(Irp, Completed, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(IrqDevice, Irp);
}

static VOID NTAPI Synchronize(PVOID Context)
{
    KIRQL Old;

    UNREFERENCED_PARAMETER(Context);
    KeSetSystemAffinityThread((KAFFINITY)1 << !Processor);
    KeAcquireSpinLock(&Locks[0], &Old);
    Armed = TRUE;
    while (!InRoutine)
        YieldProcessor();
    if (!Closed)
        KeReleaseSpinLock(&Locks[0], Old);
    Connect(InterruptRoutine);
    if (Closed)
        KeReleaseSpinLock(&Locks[0], Old);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WithInterrupt(BOOLEAN Close)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(FLTVM_IRQ_DEVICE_NAME);
    PFILE_OBJECT File;

    Closed = Close;
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_ALL_ACCESS, &File, &IrqDevice)))
        return;
    if (NT_SUCCESS(Connect(InterruptRoutine))) {
        while (Processor < 0)
            Sleep(1);
        JoinThread(StartThread(Synchronize, NULL));
        Connect(NULL);
    }
    ObDereferenceObject(File);
}

static ULONG ReadCase(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Case");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Case = 0, Length;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Case = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Case;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Case = ReadCase(RegistryPath);

    UNREFERENCED_PARAMETER(DriverObject);
    if (Case == 10 || Case == 11)
        WithInterrupt(Case == 11);
    else if (Case == 12 || Case == 13)
        BehindWriter(Case == 13);
    else if (Case >= 20)
        Circle(&Circles[Case - 20], TRUE);
    for (ULONG Index = 0; Case == 0 && Index < RTL_NUMBER_OF(Circles); Index++)
        Circle(&Circles[Index], FALSE);
    DbgPrint("spins: all went on\n");
    return STATUS_UNSUCCESSFUL;
}

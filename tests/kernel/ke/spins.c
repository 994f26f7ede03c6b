// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Circles of spin locks on as many processors: what the service's value Case says, see spins.lua.  Thread i holds lock i
 * while it spins for lock i + 1; or an interrupt service routine holds the interrupt's and spins for the driver's.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <fltvm_irq.h>
#include "../../inc/threads.h"

#define LOCKS 3

static KSPIN_LOCK Locks[LOCKS];
static volatile LONG Arrived;
static volatile BOOLEAN Armed, InRoutine;
static volatile LONG Processor = -1;
static ULONG Count;
static BOOLEAN Closed;
static PDEVICE_OBJECT IrqDevice;

static VOID NTAPI SpinOnProcessor(PVOID Context)
{
    ULONG Index = (ULONG)(ULONG_PTR)Context;
    KIRQL Old;

    KeSetSystemAffinityThread((KAFFINITY)1 << Index);
    KeAcquireSpinLock(&Locks[Index], &Old);
    InterlockedIncrement(&Arrived);
    while (Arrived < (LONG)Count)
        YieldProcessor();
    /* The others first; they spin when the last one begins, which gives up its own when it must not close the circle. */
    if (!Closed && Index + 1 == Count) {
        KeReleaseSpinLock(&Locks[Index], Old);
        PsTerminateSystemThread(STATUS_SUCCESS);
    }
    KeAcquireSpinLockAtDpcLevel(&Locks[(Index + 1) % Count]);
    KeReleaseSpinLockFromDpcLevel(&Locks[(Index + 1) % Count]);
    KeReleaseSpinLock(&Locks[Index], Old);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID Circle(ULONG Number, BOOLEAN Close)
{
    PVOID Threads[LOCKS];

    Count = Number;
    Closed = Close;
    Arrived = 0;
    for (ULONG Index = 0; Index < Number; Index++)
        Threads[Index] = StartThread(SpinOnProcessor, (PVOID)(ULONG_PTR)Index);
    for (ULONG Index = 0; Index < Number; Index++)
        JoinThread(Threads[Index]);
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
    if (Case / 10 == 1)
        WithInterrupt(Case == 11);
    else
        Circle(Case % 10, Case / 10 == 2);
    DbgPrint("spins: all went on\n");
    return STATUS_UNSUCCESSFUL;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handles that a driver makes while a program is the current process: whose they are, in a worker thread, attached, and duplicated.
 * The second control takes one of the program's for the kernel's, the third closes one in another process.
 */
#include <ntifs.h>
#include <fltvm.h>

static PDEVICE_OBJECT Device;
static PIO_WORKITEM Item;
static HANDLE Own, Kernels, System;
static PEPROCESS Client;
static KEVENT Done;

static HANDLE MakeEvent(ULONG Attributes)
{
    OBJECT_ATTRIBUTES Object;
    HANDLE Event = NULL;

    InitializeObjectAttributes(&Object, NULL, Attributes, NULL, NULL);
    FvCheck(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Object, NotificationEvent, FALSE) == STATUS_SUCCESS);
    return Event;
}

static NTSTATUS Reference(HANDLE Handle, KPROCESSOR_MODE Mode)
{
    PVOID Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType, Mode, &Object, NULL);

    if (NT_SUCCESS(Status))
        ObDereferenceObject(Object);
    return Status;
}

static VOID CheckDuplicates(VOID)
{
    HANDLE Process, Copy = NULL, There = NULL;
    KAPC_STATE ApcState;

    FvCheck(ObOpenObjectByPointer(Client, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS, *PsProcessType, KernelMode,
                                  &Process) == STATUS_SUCCESS);
    FvCheck(ZwDuplicateObject(ZwCurrentProcess(), Own, ZwCurrentProcess(), &Copy, 0, 0, DUPLICATE_SAME_ACCESS) ==
            STATUS_INVALID_HANDLE);
    FvCheck(ZwDuplicateObject(Process, Own, ZwCurrentProcess(), &Copy, 0, 0, DUPLICATE_SAME_ACCESS) == STATUS_SUCCESS);
    FvCheck(ZwSetEvent(Copy, NULL) == STATUS_SUCCESS);
    FvCheck(ZwDuplicateObject(ZwCurrentProcess(), Copy, Process, &There, 0, 0,
                              DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE) == STATUS_SUCCESS);
    FvCheck(Reference(Copy, KernelMode) == STATUS_INVALID_HANDLE &&
            Reference(There, KernelMode) == STATUS_INVALID_HANDLE);
    KeStackAttachProcess((PRKPROCESS)Client, &ApcState);
    FvCheck(ZwSetEvent(There, NULL) == STATUS_SUCCESS && ZwClose(There) == STATUS_SUCCESS);
    FvCheck(ZwSetEvent(Own, NULL) == STATUS_SUCCESS && Reference(System, UserMode) == STATUS_INVALID_HANDLE);
    KeUnstackDetachProcess(&ApcState);
    FvCheck(ZwDuplicateObject(Kernels, Own, ZwCurrentProcess(), &Copy, 0, 0, 0) == STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ZwClose(Process) == STATUS_SUCCESS);
}

/* In the System process. */
static VOID NTAPI Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    FvCheck(ZwSetEvent(Own, NULL) == STATUS_INVALID_HANDLE);
    FvCheck(Reference(Own, KernelMode) == STATUS_INVALID_HANDLE && Reference(Own, UserMode) == STATUS_INVALID_HANDLE);
    FvCheck(Reference((HANDLE)((ULONG64)Own | 0xFFFFFFFF80000000), KernelMode) == STATUS_INVALID_HANDLE);
    FvCheck(ZwSetEvent(Kernels, NULL) == STATUS_SUCCESS && ZwSetEvent(System, NULL) == STATUS_SUCCESS);
    CheckDuplicates();
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static VOID CheckHandles(VOID)
{
    Client = PsGetCurrentProcess();
    Own = MakeEvent(0);
    Kernels = MakeEvent(OBJ_KERNEL_HANDLE);
    FvCheck(ZwSetEvent(Own, NULL) == STATUS_SUCCESS && Reference(Own, UserMode) == STATUS_SUCCESS);
    FvCheck(ZwSetEvent(Kernels, NULL) == STATUS_SUCCESS && Reference(Kernels, UserMode) == STATUS_INVALID_HANDLE);
    FvCheck(ZwSetEvent(System, NULL) == STATUS_INVALID_HANDLE && Reference(System, UserMode) == STATUS_INVALID_HANDLE);
    IoQueueWorkItem(Item, Work, DelayedWorkQueue, NULL);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(ZwClose(Own) == STATUS_SUCCESS && ZwClose(Kernels) == STATUS_SUCCESS);
}

/* As a driver must not. */
static VOID TrustHandle(VOID)
{
    HANDLE Event = MakeEvent(0);
    PVOID Object;

    ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL); /* [1] */
}

static VOID NTAPI Close(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    ZwClose(Own); /* [2] */
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

/* Nor this. */
static VOID CloseElsewhere(VOID)
{
    Own = MakeEvent(0);
    IoQueueWorkItem(Item, Close, DelayedWorkQueue, NULL);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static VOID (*const Controls[])(VOID) = {CheckHandles, TrustHandle, CloseElsewhere, CheckHandles};
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        Controls[Stack->Parameters.DeviceIoControl.IoControlCode >> 2 & 3]();
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    FvCheck(ZwClose(System) == STATUS_SUCCESS);
    IoFreeWorkItem(Item);
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Handles");
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(22);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] =
        DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Item = IoAllocateWorkItem(Device);
    System = MakeEvent(0);
    return Item != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

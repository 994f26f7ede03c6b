// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address spaces of two processes that spaces.lua makes and ends: one address is another memory in each.  Control 8 touches
 * user memory as a driver must not.
 */
#include <ntifs.h>

#include <fltvm.h>

#define PLACE ((PVOID)0x20000000)

static PEPROCESS Process[2];
static ULONG Made, Ended;
static KEVENT Go, Done;

static VOID NTAPI OnProcess(PEPROCESS Which, HANDLE Id, PPS_CREATE_NOTIFY_INFO Information)
{
    UNREFERENCED_PARAMETER(Id);
    if (Information == NULL) {
        Ended++;
    } else if (Made < 2) {
        ObReferenceObject(Which);
        Process[Made++] = Which;
    }
}

static NTSTATUS Allocate(PVOID Address)
{
    SIZE_T Size = PAGE_SIZE;

    return ZwAllocateVirtualMemory(ZwCurrentProcess(), &Address, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
}

static ULONG Read(PVOID Address)
{
    __try {
        return *(volatile ULONG *)Address;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 0xBAD;
    }
}

/* A thread that stays in the second process while the other one is in the first: switches keep their memory apart. */
static VOID NTAPI Other(PVOID Context)
{
    PULONG Seen = Context;
    KAPC_STATE State;

    KeSetSystemAffinityThread(1);
    KeStackAttachProcess((PRKPROCESS)Process[1], &State);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    *Seen = Read(PLACE);
    KeUnstackDetachProcess(&State);
    KeSetEvent(&Done, 0, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID CheckSwitches(VOID)
{
    static ULONG Seen;
    LARGE_INTEGER Tick = {.QuadPart = -200000};
    ULONG Wrong = 0;
    KAPC_STATE State;
    HANDLE Thread;

    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    FvCheck(NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Other, &Seen)));
    KeSetSystemAffinityThread(1); /* both on one processor, which changes between them */
    KeStackAttachProcess((PRKPROCESS)Process[0], &State);
    for (ULONG Round = 0; Round < 8; Round++) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
        Wrong += Read(PLACE) != 1;
        if (Round == 3)
            KeSetEvent(&Go, 0, FALSE);
    }
    KeUnstackDetachProcess(&State);
    KeRevertToUserAffinityThread();
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(Wrong == 0);
    FvCheck(Seen == 2);
    ZwClose(Thread);
}

/* One section in both, by a handle of the process and from within it; the views are left to the processes' ends. */
static VOID CheckViews(VOID)
{
    LARGE_INTEGER Size = {.QuadPart = 0x20000};
    PVOID Base[2] = {(PVOID)0x30000000, (PVOID)0x30000000};
    SIZE_T Length = 0;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Section, Handle;
    KAPC_STATE State;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL); /* it is used in both */
    FvCheck(NT_SUCCESS(
        ZwCreateSection(&Section, SECTION_ALL_ACCESS, &Attributes, &Size, PAGE_READWRITE, SEC_COMMIT, NULL)));
    FvCheck(
        NT_SUCCESS(ObOpenObjectByPointer(Process[0], OBJ_KERNEL_HANDLE, NULL, 0, *PsProcessType, KernelMode, &Handle)));
    FvCheck(
        NT_SUCCESS(ZwMapViewOfSection(Section, Handle, &Base[0], 0, 0, NULL, &Length, ViewUnmap, 0, PAGE_READWRITE)));
    FvCheck(Read(Base[0]) == 0xBAD); /* not here */
    KeStackAttachProcess((PRKPROCESS)Process[1], &State);
    FvCheck(NT_SUCCESS(
        ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base[1], 0, 0, NULL, &Length, ViewUnmap, 0, PAGE_READONLY)));
    FvCheck(Read(Base[1]) == 0);
    KeUnstackDetachProcess(&State);
    KeStackAttachProcess((PRKPROCESS)Process[0], &State);
    *(volatile ULONG *)Base[0] = 4711;
    KeUnstackDetachProcess(&State);
    KeStackAttachProcess((PRKPROCESS)Process[1], &State);
    FvCheck(Read(Base[1]) == 4711);
    KeUnstackDetachProcess(&State);
    ZwClose(Handle);
    ZwClose(Section);
}

static VOID Check(VOID)
{
    KAPC_STATE Outer, Inner;

    FvTestPlan(25);
    FvCheck(Made == 2);
    for (ULONG Index = 0; Index < 2; Index++) {
        KeStackAttachProcess((PRKPROCESS)Process[Index], &Outer);
        FvCheck(PsGetCurrentProcess() == Process[Index]);
        FvCheck(Read(PLACE) == 0xBAD && Allocate(PLACE) == STATUS_SUCCESS);
        *(volatile ULONG *)PLACE = Index + 1;
        KeUnstackDetachProcess(&Outer);
    }
    FvCheck(PsGetCurrentProcess() == PsInitialSystemProcess);
    FvCheck(Read(PLACE) == 0xBAD); /* not the System process's */
    KeStackAttachProcess((PRKPROCESS)Process[0], &Outer);
    FvCheck(Read(PLACE) == 1);
    KeStackAttachProcess((PRKPROCESS)Process[1], &Inner);
    FvCheck(Read(PLACE) == 2);
    KeUnstackDetachProcess(&Inner);
    FvCheck(Read(PLACE) == 1 && PsGetCurrentProcess() == Process[0]);
    KeUnstackDetachProcess(&Outer);
    CheckSwitches();
    CheckViews();
}

/* What the processes left is looked at by the scenario: pages in use are as before. */
static VOID CheckEnded(VOID)
{
    KAPC_STATE State;

    FvCheck(Ended == 2);
    FvCheck(PsGetProcessExitStatus(Process[0]) == STATUS_CANCELLED);
    KeStackAttachProcess((PRKPROCESS)Process[0], &State);
    FvCheck(Read(PLACE) == 0xBAD); /* given back at its end */
    FvCheck(Allocate(PLACE) == STATUS_PROCESS_IS_TERMINATING);
    FvCheck(Read((PVOID)0x30000000) == 0xBAD);
    KeUnstackDetachProcess(&State);
    ObDereferenceObject(Process[0]);
    ObDereferenceObject(Process[1]);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(Device);
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
        case 0: Check(); break;
        case 4: CheckEnded(); break;
        case 8: *(volatile ULONG *)PLACE = 1; break; /* outside of __try [8] */
        }
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE);
    IoDeleteDevice(DriverObject->DeviceObject);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Spaces");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] = Control;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    return PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE);
}

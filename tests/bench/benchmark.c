/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures in guest instructions: one generic work item, and one 4 KiB read of volume 1.
 *
 * Under -icount shift=0 the time-stamp counter counts instructions (and idle time), so the machine must have one
 * processor and a disk that answers at once.  DriverEntry measures and prints "bench NAME NUMBER" lines: the
 * median of many rounds.  The filter attaches nowhere; the filters to read through are passthrough.c.
 */
#include <fltKernel.h>

#define ROUNDS    101
#define READ_SIZE 4096

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;
static KEVENT Done;
static ULONG64 Started, Finished;
static ULONG64 Samples[ROUNDS];

static VOID Report(PCSTR Name)
{
    ULONG Index, Other;

    for (Index = 1; Index < ROUNDS; Index++) {
        for (Other = Index; Other > 0 && Samples[Other - 1] > Samples[Other]; Other--) {
            ULONG64 Sample = Samples[Other];
            Samples[Other] = Samples[Other - 1];
            Samples[Other - 1] = Sample;
        }
    }
    DbgPrint("bench %s %I64u\n", Name, Samples[ROUNDS / 2]);
    DbgPrint("bench %s-least %I64u\n", Name, Samples[0]);
}

static VOID WorkRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(FltObject);
    UNREFERENCED_PARAMETER(Context);
    FltFreeGenericWorkItem(WorkItem);
    Finished = __rdtsc();
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS MeasureWorkItem(BOOLEAN WithAllocation, PCSTR Name)
{
    NTSTATUS Status;
    PFLT_GENERIC_WORKITEM WorkItem;
    KIRQL OldIrql;
    ULONG Round;

    for (Round = 0; Round < ROUNDS; Round++) {
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        Started = __rdtsc();
        WorkItem = FltAllocateGenericWorkItem();
        if (WorkItem == NULL) {
            KeLowerIrql(OldIrql);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        if (!WithAllocation) {
            Started = __rdtsc();
        }
        Status = FltQueueGenericWorkItem(WorkItem, Filter, WorkRoutine, DelayedWorkQueue, NULL);
        KeLowerIrql(OldIrql);
        if (!NT_SUCCESS(Status)) {
            FltFreeGenericWorkItem(WorkItem);
            return Status;
        }
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        Samples[Round] = Finished - Started;
    }
    Report(Name);
    return STATUS_SUCCESS;
}

static NTSTATUS MeasureRead(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset;
    HANDLE Volume;
    PVOID Buffer;
    NTSTATUS Status;
    ULONG Round;
    ULONG64 Before;

    Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, READ_SIZE, 'hcnB');
    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwCreateFile(&Volume, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                          FILE_SYNCHRONOUS_IO_NONALERT | FILE_NO_INTERMEDIATE_BUFFERING, NULL, 0);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    for (Round = 0; Round < ROUNDS && NT_SUCCESS(Status); Round++) {
        Offset.QuadPart = (LONGLONG)(Round % 16) * READ_SIZE;
        Before = __rdtsc();
        Status = ZwReadFile(Volume, NULL, NULL, NULL, &IoStatus, Buffer, READ_SIZE, &Offset, NULL);
        Samples[Round] = __rdtsc() - Before;
    }
    ZwClose(Volume);
    if (NT_SUCCESS(Status)) {
        Report("read");
    }

Exit:
    ExFreePoolWithTag(Buffer, 'hcnB');
    return Status;
}

static NTSTATUS InstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                              DEVICE_TYPE VolumeDeviceType, FLT_FILESYSTEM_TYPE VolumeFilesystemType)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(VolumeDeviceType);
    UNREFERENCED_PARAMETER(VolumeFilesystemType);
    return STATUS_FLT_DO_NOT_ATTACH;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = InstanceSetup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = FltStartFiltering(Filter);
    if (NT_SUCCESS(Status)) {
        Status = MeasureWorkItem(FALSE, "workitem");
    }
    if (NT_SUCCESS(Status)) {
        Status = MeasureWorkItem(TRUE, "workitem-with-allocation");
    }
    if (NT_SUCCESS(Status)) {
        Status = MeasureRead();
    }
    if (!NT_SUCCESS(Status)) {
        DbgPrint("bench failed %08x\n", Status);
        FltUnregisterFilter(Filter);
    }
    return Status;
}

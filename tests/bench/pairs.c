/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures pairs of calls in guest instructions: take and give back, allocate and free, ask for a name and release it.
 *
 * A sample is the time-stamp counter over PAIRS pairs, less that over as many rounds of nothing; the median of SAMPLES,
 * in hundredths of an instruction, is printed as "bench NAME NUMBER".  The machine is that of benchmark.c.
 */
#include <fltKernel.h>
#include "../inc/threads.h"

#define PAIRS   100
#define SAMPLES 21

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;
static PFLT_INSTANCE Instance;
static PFILE_OBJECT File;
static NPAGED_LOOKASIDE_LIST Lookaside;
static ERESOURCE Resource;
static KSPIN_LOCK SpinLock;
static FAST_MUTEX FastMutex;
static ULONG64 Samples[SAMPLES];

static ULONG64 Median(VOID)
{
    ULONG Index, Other;

    for (Index = 1; Index < SAMPLES; Index++) {
        for (Other = Index; Other > 0 && Samples[Other - 1] > Samples[Other]; Other--) {
            ULONG64 Sample = Samples[Other];
            Samples[Other] = Samples[Other - 1];
            Samples[Other - 1] = Sample;
        }
    }
    return Samples[SAMPLES / 2];
}

/* The compiler must not drop or merge rounds, nor keep anything between them in registers. */
#define ROUND() __asm__ __volatile__("" : : : "memory")

#define MEASURE(Statements)                                                                                            \
    for (ULONG Sample = 0; Sample < SAMPLES; Sample++) {                                                               \
        ULONG64 Before = __rdtsc();                                                                                    \
        for (ULONG Round = 0; Round < PAIRS; Round++) {                                                                \
            Statements;                                                                                                \
            ROUND();                                                                                                   \
        }                                                                                                              \
        Samples[Sample] = __rdtsc() - Before;                                                                          \
    }

static ULONG64 Nothing(VOID)
{
    MEASURE(;)
    return Median();
}

static VOID Report(PCSTR Name)
{
    DbgPrint("bench %s %I64u\n", Name, (Median() - Nothing()) * 100 / PAIRS);
}

static VOID MeasurePool(VOID)
{
    MEASURE(PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, 'hcnB'); ExFreePoolWithTag(Block, 'hcnB'))
}

static VOID MeasureLookaside(VOID)
{
    MEASURE(PVOID Block = ExAllocateFromNPagedLookasideList(&Lookaside); ExFreeToNPagedLookasideList(&Lookaside, Block))
}

static VOID MeasureResource(VOID)
{
    KeEnterCriticalRegion();
    MEASURE(ExAcquireResourceSharedLite(&Resource, TRUE); ExReleaseResourceLite(&Resource))
    KeLeaveCriticalRegion();
}

static VOID MeasureSpinLock(VOID)
{
    KIRQL OldIrql;

    MEASURE(KeAcquireSpinLock(&SpinLock, &OldIrql); KeReleaseSpinLock(&SpinLock, OldIrql))
}

static VOID MeasureFastMutex(VOID)
{
    MEASURE(ExAcquireFastMutex(&FastMutex); ExReleaseFastMutex(&FastMutex))
}

/* Of a file in a directory of NTFS: one that is kept, and one that the file system is asked for. */
static VOID MeasureName(FLT_FILE_NAME_OPTIONS Options)
{
    PFLT_FILE_NAME_INFORMATION Name;

    MEASURE(if (!NT_SUCCESS(FltGetFileNameInformationUnsafe(File, Instance, Options, &Name))) return;
            FltReleaseFileNameInformation(Name))
}

static NTSTATUS OpenFile(PHANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\directory\\file");
    UNICODE_STRING VolumeName = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltGetVolumeFromName(Filter, &VolumeName, &Volume);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
    FltObjectDereference(Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, FILE_SHARE_READ,
                        FILE_SYNCHRONOUS_IO_NONALERT);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(*Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    return Status;
}

static VOID MeasureNames(VOID)
{
    HANDLE Handle;

    if (!NT_SUCCESS(OpenFile(&Handle)))
        return;
    MeasureName(FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT);
    Report("name-kept-pair");
    MeasureName(FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_FILESYSTEM_ONLY);
    Report("name-asked-pair");
    ObDereferenceObject(File);
    ZwClose(Handle);
    FltObjectDereference(Instance);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    ExDeleteNPagedLookasideList(&Lookaside);
    ExDeleteResourceLite(&Resource);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
};

/* In a thread of its own: the one that loads drivers holds a mutex of the loader's. */
static VOID NTAPI Measure(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, 'hcnB', 0);
    ExInitializeResourceLite(&Resource);
    KeInitializeSpinLock(&SpinLock);
    ExInitializeFastMutex(&FastMutex);
    MeasurePool();
    Report("pool-pair");
    MeasureLookaside();
    Report("lookaside-pair");
    MeasureResource();
    Report("resource-pair");
    MeasureSpinLock();
    Report("spin-lock-pair");
    MeasureFastMutex();
    Report("fast-mutex-pair");
    MeasureNames();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    FltStartFiltering(Filter);
    JoinThread(StartThread(Measure, NULL));
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures pairs of calls in guest instructions: take and give back, allocate and free.
 *
 * A sample is the time-stamp counter over PAIRS pairs, less that over as many rounds of nothing; the median of SAMPLES,
 * in hundredths of an instruction, is printed as "bench NAME NUMBER".  The machine is that of benchmark.c.
 */
#include <fltKernel.h>

#define PAIRS   100
#define SAMPLES 21

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

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

VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExDeleteNPagedLookasideList(&Lookaside);
    ExDeleteResourceLite(&Resource);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
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
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Small routines and variables of the kernel that say or do one thing: processors, ticks, IRQL by other names, caches, code and calls. */
#include <ntifs.h>
#include <ntddk.h>

#include <fltvm.h>

#undef KeTickCount
#undef KeAcquireSpinLockRaiseToDpc
__declspec(dllimport) extern volatile KSYSTEM_TIME KeTickCount;
NTKERNELAPI KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock);
NTKERNELAPI KIRQL FASTCALL KfRaiseIrql(KIRQL NewIrql);
NTKERNELAPI VOID FASTCALL KfLowerIrql(KIRQL NewIrql);
NTKERNELAPI BOOLEAN NTAPI MmIsThisAnNtAsSystem(VOID);

static VOID CheckVariables(VOID)
{
    LARGE_INTEGER Ticks, Later;
    LARGE_INTEGER While = {.QuadPart = -500000}; /* three ticks and some */

    FvCheck((ULONG)KeNumberProcessors == KeQueryActiveProcessorCount(NULL));
    Ticks.LowPart = KeTickCount.LowPart;
    Ticks.HighPart = KeTickCount.High1Time;
    KeQueryTickCount(&Later);
    FvCheck(Later.QuadPart - Ticks.QuadPart >= 0 && Later.QuadPart - Ticks.QuadPart <= 1);
    KeDelayExecutionThread(KernelMode, FALSE, &While);
    FvCheck(KeTickCount.LowPart - Ticks.LowPart >= 3 && KeTickCount.LowPart - Ticks.LowPart <= 5);
    FvCheck(!MmIsThisAnNtAsSystem());
}

static VOID CheckIrql(VOID)
{
    KSPIN_LOCK Lock;
    KIRQL Old;

    KeInitializeSpinLock(&Lock);
    Old = KeAcquireSpinLockRaiseToDpc(&Lock);
    FvCheck(Old == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL && Lock != 0);
    KeReleaseSpinLock(&Lock, Old);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL && Lock == 0);
    Old = KfRaiseIrql(APC_LEVEL);
    FvCheck(Old == PASSIVE_LEVEL && KeGetCurrentIrql() == APC_LEVEL);
    FvCheck(KfRaiseIrql(DISPATCH_LEVEL) == APC_LEVEL);
    KfLowerIrql(Old);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static ULONG Called;

static VOID Routine(VOID)
{
    Called++;
}

/* What fltvm offers to drivers around a call; what it finds is in tests/kernel/verifier. */
static VOID CheckCalls(VOID)
{
    CHAR Value[8] = "unset";
    FV_CALL Call;

    FvCheck(FvIsCode((PVOID)(ULONG_PTR)Routine) && !FvIsCode(NULL) && !FvIsCode(&Called) && !FvIsCode(Value));
    FvBeginCall(&Call);
    Routine();
    FvEndCall(&Call, (PVOID)(ULONG_PTR)Routine, "routine", 0);
    FvCheck(Called == 1);
    FvCheck(!FvOption("no-such-option", Value, sizeof(Value)) && Value[0] == 0);
    KeInvalidateRangeAllCaches(Value, sizeof(Value)); /* changes nothing */
    FvCheck(Value[0] == 0);
}

static VOID CheckPools(VOID)
{
    PVOID Block = FsRtlAllocatePool(NonPagedPoolNx, 100);
    volatile NTSTATUS Caught = 0;

    FvCheck(Block != NULL);
    ExFreePool(Block);
    Block = FsRtlAllocatePoolWithQuota(NonPagedPoolNx, 100);
    FvCheck(Block != NULL);
    ExFreePool(Block);
    Block = FsRtlAllocatePoolWithQuotaTag(NonPagedPoolNx, 100, 'alPT');
    FvCheck(Block != NULL);
    ExFreePoolWithTag(Block, 'alPT');
    __try {
        FsRtlAllocatePool(NonPagedPoolNx, 0xF0000000);
    } __except (Caught = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(Caught == STATUS_INSUFFICIENT_RESOURCES); /* raised, as documented */
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(4 + 5 + 4 + 4);
    CheckVariables();
    CheckIrql();
    CheckCalls();
    CheckPools();
    return STATUS_SUCCESS;
}

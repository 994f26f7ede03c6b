// SPDX-License-Identifier: GPL-2.0-or-later
/* Run-down protection and fast mutexes between threads. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

static EX_RUNDOWN_REF Rundown;
static FAST_MUTEX Mutex;
static KEVENT Waited, Entered, Leave;
static volatile LONG Inside, MostInside, Rounds;

static VOID NTAPI WaitThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExWaitForRundownProtectionRelease(&Rundown);
    KeSetEvent(&Waited, IO_NO_INCREMENT, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID CheckRundown(VOID)
{
    PVOID Thread;

    ExInitializeRundownProtection(&Rundown);
    KeInitializeEvent(&Waited, NotificationEvent, FALSE);
    FvCheck(ExAcquireRundownProtection(&Rundown));
    FvCheck(ExAcquireRundownProtectionEx(&Rundown, 2));
    Thread = StartThread(WaitThread, NULL);
    FvCheck(WaitFor(&Waited, 50) == STATUS_TIMEOUT);
    FvCheck(!ExAcquireRundownProtection(&Rundown)); /* none are given while it runs down */
    ExReleaseRundownProtection(&Rundown);
    FvCheck(WaitFor(&Waited, 50) == STATUS_TIMEOUT);
    ExReleaseRundownProtectionEx(&Rundown, 2);
    FvCheck(WaitFor(&Waited, 1000) == STATUS_SUCCESS);
    JoinThread(Thread);
    ExRundownCompleted(&Rundown);
    FvCheck(!ExAcquireRundownProtection(&Rundown));
    ExReInitializeRundownProtection(&Rundown);
    FvCheck(ExAcquireRundownProtection(&Rundown));
    ExReleaseRundownProtection(&Rundown);
}

static VOID NTAPI MutexThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG Round = 0; Round < 50; Round++) {
        LONG Now;
        ExAcquireFastMutex(&Mutex);
        Now = InterlockedIncrement(&Inside);
        if (Now > MostInside)
            MostInside = Now;
        if (Round % 10 == 0)
            Sleep(1);
        InterlockedDecrement(&Inside);
        InterlockedIncrement(&Rounds);
        ExReleaseFastMutex(&Mutex);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI HoldThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExAcquireFastMutex(&Mutex);
    KeSetEvent(&Entered, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Leave, Executive, KernelMode, FALSE, NULL);
    ExReleaseFastMutex(&Mutex);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID CheckFastMutex(VOID)
{
    PVOID Threads[4];

    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    FvCheck(KeGetCurrentIrql() == APC_LEVEL);
    ExReleaseFastMutex(&Mutex);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
    for (ULONG Index = 0; Index < 4; Index++)
        Threads[Index] = StartThread(MutexThread, NULL);
    for (ULONG Index = 0; Index < 4; Index++)
        JoinThread(Threads[Index]);
    FvCheck(MostInside == 1 && Rounds == 200);

    KeInitializeEvent(&Entered, NotificationEvent, FALSE);
    KeInitializeEvent(&Leave, NotificationEvent, FALSE);
    Threads[0] = StartThread(HoldThread, NULL);
    WaitFor(&Entered, 1000);
    FvCheck(!ExTryToAcquireFastMutex(&Mutex) && KeGetCurrentIrql() == PASSIVE_LEVEL);
    KeSetEvent(&Leave, IO_NO_INCREMENT, FALSE);
    JoinThread(Threads[0]);
    FvCheck(ExTryToAcquireFastMutex(&Mutex) && KeGetCurrentIrql() == APC_LEVEL);
    ExReleaseFastMutex(&Mutex);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(13);
    CheckRundown();
    CheckFastMutex();
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Remove locks: removal waits for those who hold the lock, and nobody gets it any more.  wdm.h makes macros
 * of the routines' names. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

static IO_REMOVE_LOCK Lock;
static KEVENT Removed;

static VOID NTAPI Remove(PVOID Context)
{
    FvCheck(IoAcquireRemoveLock(&Lock, Context) == STATUS_SUCCESS);
    IoReleaseRemoveLockAndWait(&Lock, Context);
    KeSetEvent(&Removed, IO_NO_INCREMENT, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    PVOID Thread;

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(12);
    KeInitializeEvent(&Removed, NotificationEvent, FALSE);
    RtlFillMemory(&Lock, sizeof(Lock), 0xA5);
    IoInitializeRemoveLock(&Lock, 'tseT', 1, 10);
    FvCheck(IoAcquireRemoveLock(&Lock, DriverObject) == STATUS_SUCCESS);
    FvCheck(IoAcquireRemoveLock(&Lock, NULL) == STATUS_SUCCESS);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    FvCheck(IoAcquireRemoveLock(&Lock, &Lock) == STATUS_SUCCESS);
    IoReleaseRemoveLock(&Lock, &Lock);
    KeLowerIrql(OldIrql);

    Thread = StartThread(Remove, NULL);
    FvCheck(WaitFor(&Removed, 50) == STATUS_TIMEOUT);
    FvCheck(IoAcquireRemoveLock(&Lock, NULL) == STATUS_DELETE_PENDING);
    IoReleaseRemoveLock(&Lock, DriverObject);
    FvCheck(WaitFor(&Removed, 50) == STATUS_TIMEOUT);
    FvCheck(IoAcquireRemoveLock(&Lock, NULL) == STATUS_DELETE_PENDING);
    IoReleaseRemoveLock(&Lock, NULL);
    FvCheck(WaitFor(&Removed, 1000) == STATUS_SUCCESS);
    JoinThread(Thread);
    FvCheck(IoAcquireRemoveLock(&Lock, NULL) == STATUS_DELETE_PENDING);

    /* Nobody else holds it: removal does not wait.  The exports themselves, as a driver's image imports them.
     */
    IoInitializeRemoveLockEx(&Lock, 'tseT', 0, 0, sizeof(Lock));
    FvCheck(IoAcquireRemoveLockEx(&Lock, NULL, __FILE__, __LINE__, sizeof(Lock)) == STATUS_SUCCESS);
    FvCheck(IoAcquireRemoveLockEx(&Lock, &Lock, __FILE__, __LINE__, sizeof(Lock)) == STATUS_SUCCESS);
    IoReleaseRemoveLockEx(&Lock, &Lock, sizeof(Lock));
    IoReleaseRemoveLockAndWaitEx(&Lock, NULL, sizeof(Lock));
    return STATUS_SUCCESS;
}

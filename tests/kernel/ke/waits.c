/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits, in DriverUnload, for run-down references: one is a thread's that has ended, one a thread's that sleeps. */
#include <ntifs.h>

static EX_RUNDOWN_REF Rundown;
static KEVENT Taken;

static VOID NTAPI Lend(PVOID Sleep)
{
    LARGE_INTEGER Long = {.QuadPart = -1000000000};

    ExAcquireRundownProtection(&Rundown); /* [1] */
    KeSetEvent(&Taken, 0, FALSE);
    if (Sleep != NULL)
        KeDelayExecutionThread(KernelMode, FALSE, &Long);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    ExWaitForRundownProtectionRelease(&Rundown); /* [2] */
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;

    ExInitializeRundownProtection(&Rundown);
    for (ULONG_PTR Sleep = 0; Sleep < 2; Sleep++) {
        KeInitializeEvent(&Taken, NotificationEvent, FALSE);
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Lend, (PVOID)Sleep);
        KeWaitForSingleObject(&Taken, Executive, KernelMode, FALSE, NULL);
        ZwClose(Thread);
    }
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Remove locks: a device is not taken away while somebody uses it.
 *
 * The count is one for the device itself and one for each holder.  IoReleaseRemoveLockAndWait marks the lock
 * removed, gives back the caller's hold and the device's own, and waits for the rest.  A driver built with
 * DBG has a longer lock; what it adds is for Windows's own checks and stays untouched beyond its first
 * fields.
 */
#include "iop.h"

static VOID IopDropRemoveLock(PIO_REMOVE_LOCK Lock)
{
    LONG Left = InterlockedDecrement(&Lock->Common.IoCount);

    KeAssert(Left >= 0);
    if (Left == 0)
        KeSetEvent(&Lock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
}

/* IRQL: PASSIVE_LEVEL.  The lock is in nonpaged memory.  Source: the page IoInitializeRemoveLock. */
VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                                    ULONG HighWatermark, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(AllocateTag);
    UNREFERENCED_PARAMETER(MaxLockedMinutes);
    UNREFERENCED_PARAMETER(HighWatermark);
    RtlZeroMemory(Lock, RemlockSize > sizeof(Lock->Common) ? RemlockSize : sizeof(Lock->Common));
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
}

/* IRQL: <= DISPATCH_LEVEL.  STATUS_DELETE_PENDING once removal has begun.  Source: the page
 * IoAcquireRemoveLock. */
NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK Lock, PVOID Tag, PCSTR File, ULONG Line, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(File);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(RemlockSize);
    InterlockedIncrement(&Lock->Common.IoCount);
    if (!Lock->Common.Removed)
        return STATUS_SUCCESS;
    IopDropRemoveLock(Lock);
    return STATUS_DELETE_PENDING;
}

/* IRQL: <= DISPATCH_LEVEL.  Source: the page IoReleaseRemoveLock. */
VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK Lock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(RemlockSize);
    IopDropRemoveLock(Lock);
}

/*
 * IRQL: PASSIVE_LEVEL.  The caller holds the lock; nobody acquires it any more, and all others have released
 * it when this returns.  Source: the page IoReleaseRemoveLockAndWait.
 */
VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK Lock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(RemlockSize);
    Lock->Common.Removed = TRUE;
    IopDropRemoveLock(Lock);
    if (InterlockedDecrement(&Lock->Common.IoCount) > 0)
        KeWaitForSingleObject(&Lock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
}

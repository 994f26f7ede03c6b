/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.c: the kernel's push locks and resources for filters: as documented, normal kernel APCs are held off while one
 * is held, so that a critical region of the filter's own is not needed.  The kernel's verifier knows the holders.
 */
#include <core.h>

NTSYSAPI VOID FASTCALL ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags); /* not in the DDK's headers */

/* IRQL: <= APC_LEVEL, as of all the others. */
VOID FLTAPI FltInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    ExInitializePushLock(PushLock);
}

/* Its memory is the filter's to free, which it may not be while somebody holds it. */
VOID FLTAPI FltDeletePushLock(PEX_PUSH_LOCK PushLock)
{
    if (FltpVerify && *PushLock != 0) {
        FvBlame(_ReturnAddress());
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_LOCK_HELD, (ULONG_PTR)PushLock, 0, 0,
                      "rule=FltDeletePushLock was given a push lock that is held\n");
    }
}

VOID FLTAPI FltAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    KeEnterCriticalRegion();
    FvAcquirePushLockForCaller(PushLock, TRUE, Flags, _ReturnAddress());
}

VOID FLTAPI FltAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    KeEnterCriticalRegion();
    FvAcquirePushLockForCaller(PushLock, TRUE, 0, _ReturnAddress());
}

VOID FLTAPI FltAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    KeEnterCriticalRegion();
    FvAcquirePushLockForCaller(PushLock, FALSE, Flags, _ReturnAddress());
}

VOID FLTAPI FltAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
    KeEnterCriticalRegion();
    FvAcquirePushLockForCaller(PushLock, FALSE, 0, _ReturnAddress());
}

static VOID FltpReleasePushLock(PEX_PUSH_LOCK PushLock, ULONG Flags, PVOID Caller)
{
    if (FltpVerify)
        FvBlame(Caller); /* the kernel finds one that nobody holds */
    ExReleasePushLockEx(PushLock, Flags);
    if (FltpVerify)
        FvBlame(NULL);
    KeLeaveCriticalRegion();
}

VOID FLTAPI FltReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    FltpReleasePushLock(PushLock, Flags, _ReturnAddress());
}

VOID FLTAPI FltReleasePushLock(PEX_PUSH_LOCK PushLock)
{
    FltpReleasePushLock(PushLock, 0, _ReturnAddress());
}

VOID FLTAPI FltAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    FvAcquireResourceForCaller(Resource, TRUE, _ReturnAddress());
}

VOID FLTAPI FltAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    FvAcquireResourceForCaller(Resource, FALSE, _ReturnAddress());
}

/* IRQL: <= APC_LEVEL, where its page says DISPATCH_LEVEL: that of KeLeaveCriticalRegion does not. */
VOID FLTAPI FltReleaseResource(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}

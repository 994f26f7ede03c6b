/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leave.h: what a routine can leave otherwise than it found it; for drivers whose routines do so on purpose. */
#ifndef LEAVE_H
#define LEAVE_H

typedef enum _HOW {
    Irql,
    CriticalRegion,
    GuardedRegion,
    HeldMutex,
    HeldResource,
    HeldFastMutex,
    Impersonation,
    TopLevelIrp,
    Priority,
    Well,
    HeldSpinLock,
    HeldQueuedLock,
    Attachment
} HOW;

static KMUTEX LeftMutex;
static ERESOURCE LeftResource;
static FAST_MUTEX LeftFastMutex;
static KSPIN_LOCK LeftSpinLock;
static KLOCK_QUEUE_HANDLE LeftQueued;
static KAPC_STATE LeftAttached;

/* IRQL: PASSIVE_LEVEL.  The resource is the caller's to delete. */
static inline VOID PrepareToLeave(VOID)
{
    KeInitializeMutex(&LeftMutex, 0);
    ExInitializeResourceLite(&LeftResource);
    ExInitializeFastMutex(&LeftFastMutex);
}

/* What is waited for and owned: at PASSIVE_LEVEL; spin locks: at DISPATCH_LEVEL. */
DECLSPEC_NOINLINE static VOID Leave(HOW How)
{
    PACCESS_TOKEN Token;
    KIRQL Old;

    switch (How) {
    case Irql: KeRaiseIrql(KeGetCurrentIrql() + 1, &Old); break;
    case CriticalRegion: KeEnterCriticalRegion(); break;
    case GuardedRegion: KeEnterGuardedRegion(); break;
    case HeldMutex: KeWaitForSingleObject(&LeftMutex, Executive, KernelMode, FALSE, NULL); break;
    case HeldResource:
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&LeftResource, TRUE);
        KeLeaveCriticalRegion();
        break;
    case HeldFastMutex:
        KeEnterCriticalRegion();
        ExAcquireFastMutexUnsafe(&LeftFastMutex);
        KeLeaveCriticalRegion();
        break;
    case Impersonation:
        Token = PsReferencePrimaryToken(PsGetCurrentProcess());
        PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation);
        PsDereferencePrimaryToken(Token);
        break;
    case TopLevelIrp: IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP); break;
    case Priority: KeSetPriorityThread(KeGetCurrentThread(), 10); break;
    case Well:
        KeAcquireSpinLock(&LeftSpinLock, &Old);
        KeReleaseSpinLock(&LeftSpinLock, Old);
        break;
    case Attachment: KeStackAttachProcess((PKPROCESS)PsGetCurrentProcess(), &LeftAttached); break;
    case HeldSpinLock: KeAcquireSpinLockAtDpcLevel(&LeftSpinLock); break;
    case HeldQueuedLock: KeAcquireInStackQueuedSpinLockAtDpcLevel(&LeftSpinLock, &LeftQueued); break;
    }
}

#endif

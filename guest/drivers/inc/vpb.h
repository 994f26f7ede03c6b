/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vpb.h: what file systems do with the VPB that they are mounted by. */
#ifndef FLTVM_DRIVERS_VPB_H
#define FLTVM_DRIVERS_VPB_H

#include <ntifs.h>

/* IRQL: <= DISPATCH_LEVEL, all four. */

/* One for DriverReplaceVpb, made in time, so that a dismount cannot fail for want of it.  NULL: no memory. */
static inline PVPB DriverMakeVpb(ULONG Tag)
{
    PVPB Vpb = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Vpb), Tag);

    if (Vpb != NULL) {
        Vpb->Type = IO_TYPE_VPB;
        Vpb->Size = sizeof(*Vpb);
    }
    return Vpb;
}

/* No open gets in from now on.  FALSE: not locked, as there are other references than so many: an open is on its way. */
static inline BOOLEAN DriverLockVpb(PVPB Vpb, ULONG References)
{
    BOOLEAN Locked;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Locked = Vpb->ReferenceCount == References;
    if (Locked)
        Vpb->Flags |= VPB_LOCKED;
    IoReleaseVpbSpinLock(Irql);
    return Locked;
}

static inline VOID DriverUnlockVpb(PVPB Vpb)
{
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Vpb->Flags &= ~VPB_LOCKED;
    IoReleaseVpbSpinLock(Irql);
}

/* The real device gets the fresh VPB, which the I/O manager owns from then on; files that are open stay with the old one. */
static inline VOID DriverReplaceVpb(PVPB Vpb, PVPB Fresh)
{
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Fresh->RealDevice = Vpb->RealDevice;
    Vpb->RealDevice->Vpb = Fresh;
    Vpb->Flags &= ~VPB_LOCKED;
    IoReleaseVpbSpinLock(Irql);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * raw: the RAW file system, which mounts what no other file system recognizes and shows a volume as one file
 * of sectors.
 *
 * The volume itself can be opened (no name behind the device's), read and written in whole sectors, locked
 * and dismounted. Transfers go to the volume's device as they are: direct I/O, no cache.
 *
 * Unlike Windows's RAW, a volume stays mounted when its last handle closes; it is dismounted by
 * FSCTL_DISMOUNT_VOLUME only, so that filters keep their instances between opens.
 *
 * The open volume is one stream, whose control block is made by the first open and goes with the last close, and what
 * filters hang on it goes with it.
 *
 * Lock: RAW_VOLUME.Lock (an event used as a mutex, held at PASSIVE_LEVEL) guards the fields below it.  A
 * volume device is deleted once it is dismounted, no file is open and no open is on its way
 * (VPB.ReferenceCount).
 */
#ifndef FLTVM_RAW_H
#define FLTVM_RAW_H

#include <ntifs.h>
#include <ntdddisk.h>
#include <request.h>
#include <vpb.h>

/* What every open file object of the volume shares. */
typedef struct _RAW_STREAM {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
} RAW_STREAM, *PRAW_STREAM;

typedef struct _RAW_VOLUME {
    BOOLEAN IsVolume;      /* FALSE in the control device's extension, which ends here */
    PDEVICE_OBJECT Device; /* our own */
    PDEVICE_OBJECT Target; /* where the sectors are */
    PVPB Vpb;
    ULONG SectorSize;

    FAST_MUTEX Lock;
    SHARE_ACCESS ShareAccess;
    ULONG OpenCount;
    PRAW_STREAM Stream;      /* while OpenCount is not 0 */
    PFILE_OBJECT LockHolder; /* FSCTL_LOCK_VOLUME */
    BOOLEAN RemovalPending;  /* it is locked, until it is removed or stays */
    PVPB NextVpb;            /* which the real device gets with the dismount */
    BOOLEAN Dismounted;
    BOOLEAN Deleted;
    WORK_QUEUE_ITEM Forget;
} RAW_VOLUME, *PRAW_VOLUME;

#define RAW_TAG_STREAM 'SwaR'
#define RAW_TAG_VPB    ' bpV'

/* raw.c.  PASSIVE_LEVEL; normal kernel APCs are held off while locked. */
VOID RawLock(PRAW_VOLUME Volume);
VOID RawUnlock(PRAW_VOLUME Volume);

/* open.c.  OwnReferences: how many of the VPB's the caller itself accounts for.  PASSIVE_LEVEL, without the lock. */
VOID RawDeleteIfUnused(PRAW_VOLUME Volume, ULONG OwnReferences);
DRIVER_DISPATCH RawCreate;
DRIVER_DISPATCH RawCleanup;
DRIVER_DISPATCH RawClose;

/* transfer.c */
DRIVER_DISPATCH RawReadWrite;
DRIVER_DISPATCH RawForward;

/* control.c */
DRIVER_DISPATCH RawFileSystemControl;
DRIVER_DISPATCH RawQueryInformation;
DRIVER_DISPATCH RawSetInformation;
DRIVER_DISPATCH RawQueryVolume;

/* control.c.  The real device is free for the next mount, and all that is open fails.  Once. */
VOID RawLeaveVpbLocked(PRAW_VOLUME Volume);

/* control.c.  A request that finds DO_VERIFY_VOLUME has the I/O manager ask; the one that meets STATUS_VERIFY_REQUIRED ends with it, for its program
 * to know.  Without the lock. */
NTSTATUS RawLookAtMedium(PRAW_VOLUME Volume);

/* pnp.c */
DRIVER_DISPATCH RawPnp;

#endif

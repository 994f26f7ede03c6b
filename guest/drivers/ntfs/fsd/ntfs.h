/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ntfs: the NTFS file system, a file-system driver of Windows's kind over libntfs-3g.
 *
 * What is a volume's metadata goes through the library (glue/library.h); the requests, the control blocks and all that a filter sees
 * are this folder's.  A major function a file.
 *
 * Locks, in order: the library's lock (NtfsLockLibrary, PASSIVE_LEVEL, one for all volumes) guards the library and
 * every field of the structures here that is not said to be another's.
 */
#ifndef FLTVM_NTFS_H
#define FLTVM_NTFS_H

#include <ntifs.h>
#include <ntdddisk.h>
#include <ntddvol.h>
#include <request.h>
#include "../glue/library.h"

#define NTFS_TAG_VOLUME 'VftN'

/* The volume itself, opened by its device's name: one stream, of its sectors. */
typedef struct _NTFS_VOLUME_STREAM {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
} NTFS_VOLUME_STREAM, *PNTFS_VOLUME_STREAM;

typedef struct _NTFS_VOLUME {
    BOOLEAN IsVolume;      /* FALSE in the control device's extension, which ends here */
    PDEVICE_OBJECT Device; /* our own */
    PDEVICE_OBJECT Target; /* where the sectors are */
    PVPB Vpb;
    LIST_ENTRY Link; /* of NtfsVolumes */

    NTFS_LIBRARY_VOLUME *Library; /* NULL once dismounted */
    NTFS_SECTORS Sectors;
    NTFS_VOLUME_FACTS Facts;

    SHARE_ACCESS ShareAccess; /* of those who have the volume itself open */
    ULONG OpenCount;          /* file objects, of the volume and of its files */
    ULONG FileCount;          /* of them those of files */
    PNTFS_VOLUME_STREAM Stream;
    PFILE_OBJECT LockHolder; /* FSCTL_LOCK_VOLUME */
    BOOLEAN Dismounted;
    BOOLEAN Deleted;
} NTFS_VOLUME, *PNTFS_VOLUME;

/* ntfs.c */
extern LIST_ENTRY NtfsVolumes;
VOID NtfsLockLibrary(VOID);
VOID NtfsUnlockLibrary(VOID);

/* sectors.c.  PASSIVE_LEVEL: the library's transfers; Context is the volume's target device. */
NTSTATUS NtfsTransferSectors(PDEVICE_OBJECT Target, BOOLEAN Write, LONGLONG Offset, PVOID Buffer, ULONG Length);
NTSTATUS NtfsInitializeSectors(NTFS_SECTORS *Sectors, PDEVICE_OBJECT Target);
VOID NtfsDeleteSectors(NTFS_SECTORS *Sectors);

/* mount.c.  NtfsDismountLocked: the volume's metadata are written, and it is clean; it may be called again. */
NTSTATUS NtfsMount(PDEVICE_OBJECT ControlDevice, PIO_STACK_LOCATION Stack);
NTSTATUS NtfsDismountLocked(PNTFS_VOLUME Volume);
/* Without the lock.  OwnReferences: how many of the VPB's the caller itself accounts for. */
VOID NtfsDeleteVolumeIfUnused(PNTFS_VOLUME Volume, ULONG OwnReferences);

/* volume.c: opens of the volume itself */
NTSTATUS NtfsOpenVolumeLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack);
VOID NtfsCleanupVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject);
/* Without the lock. */
VOID NtfsCloseVolume(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject);

/* transfer.c */
NTSTATUS NtfsLockUserBuffer(PIRP Irp, LOCK_OPERATION Operation, ULONG Length);

DRIVER_DISPATCH NtfsCreate;
DRIVER_DISPATCH NtfsCleanup;
DRIVER_DISPATCH NtfsClose;
DRIVER_DISPATCH NtfsReadWrite;
DRIVER_DISPATCH NtfsForward;
DRIVER_DISPATCH NtfsFileSystemControl;
DRIVER_DISPATCH NtfsQueryVolume;
DRIVER_DISPATCH NtfsSetVolume;
DRIVER_DISPATCH NtfsQueryInformation;
DRIVER_DISPATCH NtfsSetInformation;
DRIVER_DISPATCH NtfsShutdown;

#endif

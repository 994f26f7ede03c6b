/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volume: the volumes of the machine's disks.
 *
 * Each disk (\Device\HarddiskN\DR0) is one volume from its first sector to its last, or, when its first
 * sector is a partition table, a volume for every primary MBR or GPT partition.  A volume is a device object
 * of its own that sends what it gets to the disk, moved by its first byte; file systems mount it.  Volumes
 * are found once, when the driver starts.
 */
#ifndef FLTVM_VOLUME_H
#define FLTVM_VOLUME_H

#include <ntifs.h>
#include <ntdddisk.h>
#include <ntddstor.h>
#include <ntddvol.h>
#include <mountdev.h>

#define VOLUME_TAG 'loVF'

typedef struct _VOLUME_EXTENSION {
    PDEVICE_OBJECT Device; /* our own */
    PDEVICE_OBJECT Disk;   /* NULL: the mount manager's device, which has nothing else */
    PFILE_OBJECT DiskFile; /* keeps Disk */
    ULONG DiskNumber;
    ULONG PartitionNumber; /* 0: the whole disk */
    ULONG Number;          /* of the volume */
    ULONG SectorSize;
    LONGLONG Start; /* bytes */
    LONGLONG Length;
    PARTITION_STYLE Style; /* PARTITION_STYLE_RAW: the whole disk */
    UCHAR MbrType;
    GUID GptType;
    GUID GptId;
    GUID StableId;     /* by which the volume is named, see VolumeIdentify */
    PVOID Watch;       /* of its disk */
    LIST_ENTRY Entry;  /* VolumeList, see volume.c */
    BOOLEAN Gone;      /* with its disk */
    BOOLEAN Removable; /* its medium can be changed, see medium.c */
} VOLUME_EXTENSION, *PVOLUME_EXTENSION;

/* What one partition table entry says. */
typedef struct _VOLUME_RANGE {
    LONGLONG Start;
    LONGLONG Length;
    ULONG PartitionNumber;
    BOOLEAN MayBeNtfs;
    PARTITION_STYLE Style;
    UCHAR MbrType;
    GUID GptType;
    GUID GptId;
} VOLUME_RANGE, *PVOLUME_RANGE;

#define VOLUME_MAX_RANGES 32

/* A disk while its volumes are made. */
typedef struct _VOLUME_DISK {
    PDEVICE_OBJECT Device;
    PFILE_OBJECT File;
    ULONG Number;
    ULONG SectorSize;
    ULONG Signature; /* of an MBR, 0 without one */
    LONGLONG Length;
} VOLUME_DISK, *PVOLUME_DISK;

/* table.c.  How many ranges, at least 1.  PASSIVE_LEVEL. */
ULONG VolumeReadTable(PVOLUME_DISK Disk, PVOLUME_RANGE Ranges);

/* request.c */
NTSTATUS VolumeReadDisk(PVOLUME_DISK Disk, LONGLONG Offset, PVOID Buffer, ULONG Length);
DRIVER_DISPATCH VolumeDispatchOpen;
DRIVER_DISPATCH VolumeDispatchTransfer;
DRIVER_DISPATCH VolumeDispatchForward;
DRIVER_DISPATCH VolumeDispatchControl;

/* medium.c.  The volume's next location is ready: the request goes to the disk.  <= DISPATCH_LEVEL. */
NTSTATUS VolumeSend(PDEVICE_OBJECT DeviceObject, PIRP Irp);

/* removal.c.  PASSIVE_LEVEL. */
VOID VolumeWatchDisk(PDEVICE_OBJECT Device);
DRIVER_DISPATCH VolumeDispatchPnp;

/* volume.c.  All volumes, by their extensions' Entry.  <= DISPATCH_LEVEL. */
extern KSPIN_LOCK VolumeListLock;
extern LIST_ENTRY VolumeList;
extern ERESOURCE VolumeResource; /* shared, PASSIVE_LEVEL: none of them goes */

/* volume.c: makes the volume's links to its name, or takes them away (Target: NULL).  PASSIVE_LEVEL. */
VOID VolumeLinks(PVOLUME_EXTENSION Extension, PUNICODE_STRING Target);

/* points.c.  PASSIVE_LEVEL. */
NTSTATUS VolumeCreateManager(PDRIVER_OBJECT DriverObject);
NTSTATUS VolumeManagerControl(PDEVICE_OBJECT Manager, PIRP Irp);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * library.h: libntfs-3g as the file-system driver sees it, in plain types: the library's headers and ntifs.h cannot be
 * included together.
 *
 * Rules: PASSIVE_LEVEL, with the library's lock held (fsd/lock.c), for the library's errno and its caches are nobody's in
 * particular.  Nothing of the library stays open between two calls but the volume itself: an inode that is open
 * twice would be two copies that do not know of each other.  What returns int32_t returns an NTSTATUS.
 */
#ifndef FLTVM_NTFS_LIBRARY_H
#define FLTVM_NTFS_LIBRARY_H

#include <stdint.h>

/* The volume's sectors: offsets and lengths are multiples of the sector size.  They return an NTSTATUS. */
typedef struct _NTFS_SECTORS {
    void *Context;
    int64_t Length;
    uint32_t SectorSize;
    int32_t (*Transfer)(void *Context, int Write, int64_t Offset, void *Buffer, uint32_t Length);
    int32_t (*Flush)(void *Context);
    void *Bounce; /* NTFS_BOUNCE_SIZE bytes that may be transferred */
    int64_t Position;
    int32_t Failed; /* the last status of a transfer that was not a success, until it is taken */
} NTFS_SECTORS;

#define NTFS_BOUNCE_SIZE 0x10000u

typedef struct _NTFS_LIBRARY_VOLUME NTFS_LIBRARY_VOLUME;

#define NTFS_LABEL_MAX 32

/* What does not change while the volume is mounted, but the label. */
typedef struct _NTFS_VOLUME_FACTS {
    uint64_t Serial;
    int64_t Created; /* Windows's time */
    uint64_t Clusters;
    uint32_t SectorSize;
    uint32_t ClusterSize;
    uint32_t MftRecordSize;
    uint32_t IndexRecordSize;
    uint64_t MftStart, MftMirrorStart; /* clusters */
    uint16_t MajorVersion, MinorVersion;
    uint16_t LabelLength; /* characters */
    uint16_t Label[NTFS_LABEL_MAX];
    uint8_t ReadOnly;
    uint8_t Dirty; /* at the time it was mounted */
} NTFS_VOLUME_FACTS;

/* fsd/ntfs.c: what the library logs. */
void NtfsLibraryComplaint(const char *Function, const char *Format, __builtin_va_list Arguments);

/* volume.c */
int32_t NtfsLibraryMount(NTFS_SECTORS *Sectors, NTFS_LIBRARY_VOLUME **Volume, NTFS_VOLUME_FACTS *Facts);
/* The volume is gone afterwards, whatever is returned. */
int32_t NtfsLibraryDismount(NTFS_LIBRARY_VOLUME *Volume);
int32_t NtfsLibrarySetLabel(NTFS_LIBRARY_VOLUME *Volume, const uint16_t *Label, uint32_t Length);
uint64_t NtfsLibraryFreeClusters(NTFS_LIBRARY_VOLUME *Volume);
uint64_t NtfsLibraryMftLength(NTFS_LIBRARY_VOLUME *Volume);

#endif

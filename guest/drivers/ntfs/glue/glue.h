/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glue.h: what the files of glue/ share; here libntfs-3g's own headers are seen.
 */
#ifndef FLTVM_NTFS_GLUE_H
#define FLTVM_NTFS_GLUE_H

#include "config.h"
#include "types.h"
#include "attrib.h"
#include "device.h"
#include "dir.h"
#include "index.h"
#include "inode.h"
#include "logging.h"
#include "mft.h"
#include "ntfstime.h"
#include "volume.h"
#include "library.h"
#include "cache.h"
#include "bootsect.h"
#include "security.h"
#include "reparse.h"
#include "misc.h"
#include "unistr.h"

#define GLUE_STATUS_SUCCESS            0
#define GLUE_STATUS_UNRECOGNIZED       ((int32_t)0xC000014Fu)
#define GLUE_STATUS_FILE_CORRUPT_ERROR ((int32_t)0xC0000102u)
#define GLUE_STATUS_NAME_INVALID       ((int32_t)0xC0000033u)
#define GLUE_STATUS_NOT_IMPLEMENTED    ((int32_t)0xC0000002u)

/* The target of the compiler decides on these. */
_Static_assert(sizeof(MFT_RECORD) == 48 && sizeof(ATTR_RECORD) == 72 && sizeof(ATTR_FLAGS) == 2,
               "structures on the disk");

struct _NTFS_LIBRARY_VOLUME {
    ntfs_volume *Volume;
    NTFS_SECTORS *Sectors;
};

/* device.c: the sectors, as the library wants them. */
extern struct ntfs_device_operations NtfsGlueDevice;

/* file.c: opens the file, or says why not; closes it. */
int32_t NtfsGlueOpen(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, ntfs_inode **Inode);
int32_t NtfsGlueClose(NTFS_LIBRARY_VOLUME *Volume, ntfs_inode *Inode, int32_t Status);
uint32_t NtfsGlueAttributes(uint32_t Flags, int IsDirectory);
/* The next of the file's names, or NULL. */
FILE_NAME_ATTR *NtfsGlueNextName(ntfs_attr_search_ctx *Search);

/* stream.c: the file and its stream, or neither. */
int32_t NtfsGlueOpenStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                           ntfs_inode **Inode, ntfs_attr **Attribute);
void NtfsGlueTellStream(ntfs_attr *Attribute, NTFS_STREAM_FACTS *Facts);

/* sparse.c.  Keep: makes or leaves it sparse, whatever a change of it has done to its flags; 0, or -1 with errno. */
int NtfsGlueIsSparse(const ntfs_attr *Attribute);
int NtfsGlueKeepSparse(ntfs_attr *Attribute);

/* status.c: what errno says; a transfer that failed says it better. */
int32_t NtfsGlueStatus(NTFS_SECTORS *Sectors);

#endif

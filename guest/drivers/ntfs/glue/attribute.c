/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What else files have: extended attributes, descriptors, reparse points, identifiers.  Each is read and written as a whole.
 */
#include "glue.h"
#include "ea.h"
#include "object_id.h"

#define GLUE_STATUS_BUFFER_TOO_SMALL ((int32_t)0xC0000023u)

/* The library's readers tell how much there is, or -errno; what is not there is of size 0. */
static int32_t GlueReadStatus(NTFS_LIBRARY_VOLUME *Volume, int Result, uint32_t *Size)
{
    uint32_t Room = *Size;

    *Size = 0;
    if (Result == -ENODATA || (Result == 0 && errno == ENODATA)) {
        return GLUE_STATUS_SUCCESS;
    }
    if (Result < 0) {
        return NtfsGlueStatus(Volume->Sectors);
    }
    *Size = (uint32_t)Result;
    return *Size <= Room ? GLUE_STATUS_SUCCESS : GLUE_STATUS_BUFFER_TOO_SMALL;
}

typedef int GLUE_READER(ntfs_inode *Inode, char *Value, size_t Size);

static int GlueReadSecurity(ntfs_inode *Inode, char *Value, size_t Size)
{
    struct SECURITY_CONTEXT Context = {.vol = Inode->vol};

    return ntfs_get_ntfs_acl(&Context, Inode, Value, Size);
}

/* Not asked for where it is not, for the library would complain. */
static int GlueReadObjectId(ntfs_inode *Inode, char *Value, size_t Size)
{
    return ntfs_attr_exist(Inode, AT_OBJECT_ID, AT_UNNAMED, 0) ? ntfs_get_ntfs_object_id(Inode, Value, Size) : -ENODATA;
}

static GLUE_READER *const GlueReaders[] = {ntfs_get_ntfs_ea, GlueReadSecurity, ntfs_get_ntfs_reparse_data,
                                           GlueReadObjectId};

int32_t NtfsLibraryReadPart(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_PART Part, void *Buffer, uint32_t *Size)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    Status = GlueReadStatus(Volume, GlueReaders[Part](Inode, Buffer, *Size), Size);
    return NtfsGlueClose(Volume, Inode, Status);
}

static int GlueWritePart(ntfs_inode *Inode, NTFS_FILE_PART Part, const void *Bytes, uint32_t Size)
{
    struct SECURITY_CONTEXT Context = {.vol = Inode->vol};

    switch (Part) {
    case NtfsPartEas: return Size != 0 ? ntfs_set_ntfs_ea(Inode, Bytes, Size, 0) : ntfs_remove_ntfs_ea(Inode);
    case NtfsPartSecurity: return ntfs_set_ntfs_acl(&Context, Inode, Bytes, Size, 0);
    case NtfsPartReparse:
        return Size != 0 ? ntfs_set_ntfs_reparse_data(Inode, Bytes, Size, 0) : ntfs_remove_ntfs_reparse_data(Inode);
    case NtfsPartObjectId:
        return Size != 0 ? ntfs_set_ntfs_object_id(Inode, Bytes, Size, 0) : ntfs_remove_ntfs_object_id(Inode);
    default: errno = EINVAL; return -1;
    }
}

int32_t NtfsLibraryWritePart(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_PART Part, const void *Bytes,
                             uint32_t Size)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    if (GlueWritePart(Inode, Part, Bytes, Size) != 0 && !(Size == 0 && errno == ENODATA)) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        NInoFileNameSetDirty(Inode);
        ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

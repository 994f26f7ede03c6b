/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of files that are there: their size, what their records say, and their end.
 */
#include "glue.h"

int32_t NtfsLibrarySetFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const NTFS_FILE_FACTS *Facts)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    Inode->creation_time = cpu_to_sle64(Facts->Created);
    Inode->last_data_change_time = cpu_to_sle64(Facts->Written);
    Inode->last_mft_change_time = cpu_to_sle64(Facts->Changed);
    Inode->last_access_time = cpu_to_sle64(Facts->Accessed);
    Inode->flags =
        (FILE_ATTR_FLAGS)((Inode->flags & ~NTFS_SETTABLE_ATTRIBUTES) | (Facts->Attributes & NTFS_SETTABLE_ATTRIBUTES));
    NInoFileNameSetDirty(Inode);
    NInoSetDirty(Inode);
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryTouch(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    ntfs_inode_update_times(Inode, NTFS_UPDATE_MCTIME);
    return NtfsGlueClose(Volume, Inode, Status);
}

/* The name goes, and with its last name the file.  Both inodes are the library's to close. */
int32_t NtfsLibraryDelete(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                          uint32_t Length)
{
    ntfs_inode *Inode, *Parent;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    Status = NtfsGlueOpen(Volume, Directory, &Parent);
    if (Status < 0) {
        return NtfsGlueClose(Volume, Inode, Status);
    }
    errno = 0;
    return ntfs_delete(Volume->Volume, NULL, Inode, Parent, Name, (u8)Length) == 0 ? GLUE_STATUS_SUCCESS
                                                                                   : NtfsGlueStatus(Volume->Sectors);
}

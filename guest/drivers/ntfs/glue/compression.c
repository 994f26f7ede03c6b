/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which streams are compressed.  The file's flag says it of a directory, whose new files and directories have it, and of what is written to the
 * file's unnamed stream once that is empty; the library then compresses what is written.
 */
#include "glue.h"

/* In the way of the library's attribute interface, which also tells the directory's index. */
static int GlueSetFlag(ntfs_inode *Inode, int Compressed)
{
    FILE_ATTR_FLAGS Flags = Compressed ? Inode->flags | FILE_ATTR_COMPRESSED : Inode->flags & ~FILE_ATTR_COMPRESSED;
    int Result = 0;

    if ((Inode->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0) {
        Result = ntfs_attr_set_flags(Inode, AT_INDEX_ROOT, NTFS_INDEX_I30, 4, Compressed ? ATTR_IS_COMPRESSED : 0,
                                     ATTR_COMPRESSION_MASK);
    }
    if (Result == 0) {
        Inode->flags = Flags;
        NInoFileNameSetDirty(Inode);
        NInoSetDirty(Inode);
        ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
    }
    return Result;
}

int32_t NtfsLibraryCompressDirectory(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, int Compressed)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    if (GlueSetFlag(Inode, Compressed) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

/* The state of a stream that has bytes is what it is: the library changes it where the stream is empty. */
int32_t NtfsLibraryCompressStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                                  int Compressed, NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    if (Length != 0 || Attribute->data_size != 0 || NtfsGlueIsSparse(Attribute)) {
        Status = GLUE_STATUS_NOT_IMPLEMENTED;
    } else if (GlueSetFlag(Inode, Compressed) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    ntfs_attr_close(Attribute);
    Status = NtfsGlueClose(Volume, Inode, Status);
    return Status < 0 ? Status : NtfsLibraryStreamFacts(Volume, Id, Name, Length, Facts);
}

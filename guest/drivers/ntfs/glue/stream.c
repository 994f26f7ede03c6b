/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams of data: their sizes, where their clusters are, and their bytes where these are not plainly in clusters.
 */
#include "glue.h"

/* As the stream's name is written on the disk: the library opens it by nothing else. */
static void GlueRealStream(ntfs_inode *Inode, const uint16_t *Name, uint32_t Length, ntfschar *RealName)
{
    ntfs_attr_search_ctx *Search = ntfs_attr_get_search_ctx(Inode, NULL);

    memcpy(RealName, Name, Length * sizeof(*Name));
    while (Search != NULL && ntfs_attr_lookup(AT_DATA, NULL, 0, CASE_SENSITIVE, 0, NULL, 0, Search) == 0) {
        const ATTR_RECORD *Record = Search->attr;
        const ntfschar *Found = (const ntfschar *)((const u8 *)Record + le16_to_cpu(Record->name_offset));

        if (Record->name_length == Length &&
            le16_to_cpu(Record->name_offset) + Length * sizeof(ntfschar) <= le32_to_cpu(Record->length) &&
            ntfs_names_are_equal(Found, Length, Name, Length, IGNORE_CASE, Inode->vol->upcase,
                                 Inode->vol->upcase_len)) {
            memcpy(RealName, Found, Length * sizeof(ntfschar));
            break;
        }
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
}

static ntfs_attr *GlueOpenStream(ntfs_inode *Inode, const uint16_t *Name, uint32_t Length)
{
    ntfschar RealName[NTFS_NAME_MAX];

    if (Length > NTFS_NAME_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (Length != 0) {
        GlueRealStream(Inode, Name, Length, RealName);
    }
    errno = 0;
    return ntfs_attr_open(Inode, AT_DATA, Length != 0 ? RealName : AT_UNNAMED, Length);
}

void NtfsGlueTellStream(ntfs_attr *Attribute, NTFS_STREAM_FACTS *Facts)
{
    Facts->Size = Attribute->data_size;
    Facts->Valid = Attribute->initialized_size;
    Facts->Allocated =
        (Attribute->data_flags & (ATTR_COMPRESSION_MASK | ATTR_IS_SPARSE)) != 0 && NAttrNonResident(Attribute)
            ? Attribute->compressed_size
            : Attribute->allocated_size;
    Facts->Mapped = NAttrNonResident(Attribute) && (Attribute->data_flags & ATTR_COMPRESSION_MASK) == 0 &&
                    (Attribute->data_flags & ATTR_IS_ENCRYPTED) == 0;
    Facts->Compressed = (Attribute->data_flags & ATTR_COMPRESSION_MASK) != 0;
}

int32_t NtfsGlueOpenStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                           ntfs_inode **Inode, ntfs_attr **Attribute)
{
    int32_t Status = NtfsGlueOpen(Volume, Id, Inode);

    if (Status < 0) {
        return Status;
    }
    *Attribute = GlueOpenStream(*Inode, Name, Length);
    return *Attribute != NULL ? GLUE_STATUS_SUCCESS : NtfsGlueClose(Volume, *Inode, NtfsGlueStatus(Volume->Sectors));
}

int32_t NtfsLibraryStreamFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                               NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    NtfsGlueTellStream(Attribute, Facts);
    Facts->NameLength = (uint16_t)Attribute->name_len;
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

/* One of the file's streams, as its attribute's first record tells. */
static void GlueRecordFacts(const ATTR_RECORD *Record, NTFS_STREAM_FACTS *Facts)
{
    Facts->NameLength = Record->name_length;
    memcpy(Facts->Name, (const u8 *)Record + le16_to_cpu(Record->name_offset), Record->name_length * sizeof(ntfschar));
    if (Record->non_resident) {
        Facts->Size = sle64_to_cpu(Record->data_size);
        Facts->Valid = sle64_to_cpu(Record->initialized_size);
        Facts->Allocated = (Record->flags & (ATTR_COMPRESSION_MASK | ATTR_IS_SPARSE)) != 0
                               ? sle64_to_cpu(Record->compressed_size)
                               : sle64_to_cpu(Record->allocated_size);
    } else {
        Facts->Size = Facts->Valid = le32_to_cpu(Record->value_length);
        Facts->Allocated = (Facts->Size + 7) & ~7;
    }
}

int32_t NtfsLibraryStreams(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_STREAM_VISITOR *Visitor, void *Context)
{
    NTFS_STREAM_FACTS *Facts = ntfs_malloc(sizeof(*Facts));
    ntfs_attr_search_ctx *Search = NULL;
    ntfs_inode *Inode;
    int32_t Status = Facts != NULL ? NtfsGlueOpen(Volume, Id, &Inode) : NtfsGlueStatus(Volume->Sectors);

    if (Status < 0) {
        free(Facts);
        return Status;
    }
    Search = ntfs_attr_get_search_ctx(Inode, NULL);
    while (Search != NULL && ntfs_attr_lookup(AT_DATA, NULL, 0, CASE_SENSITIVE, 0, NULL, 0, Search) == 0) {
        const ATTR_RECORD *Record = Search->attr;

        if (Record->non_resident && Record->lowest_vcn != 0) {
            continue; /* the same stream goes on */
        }
        if (le16_to_cpu(Record->name_offset) + Record->name_length * sizeof(ntfschar) > le32_to_cpu(Record->length)) {
            Status = GLUE_STATUS_FILE_CORRUPT_ERROR;
            break;
        }
        GlueRecordFacts(Record, Facts);
        if (Visitor(Context, Facts) != 0) {
            break;
        }
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
    free(Facts);
    return NtfsGlueClose(Volume, Inode, Status);
}

static int32_t GlueVisitRuns(NTFS_LIBRARY_VOLUME *Volume, ntfs_attr *Attribute, NTFS_RUN_VISITOR *Visitor,
                             void *Context)
{
    s64 End = Volume->Volume->nr_clusters;

    if (ntfs_attr_map_whole_runlist(Attribute) != 0) {
        return NtfsGlueStatus(Volume->Sectors);
    }
    for (runlist_element *Run = Attribute->rl; Run != NULL && Run->length != 0; Run++) {
        /* A run beyond the volume would be somebody else's sectors. */
        if (Run->lcn >= 0 && (Run->lcn > End || Run->length > End - Run->lcn)) {
            return GLUE_STATUS_FILE_CORRUPT_ERROR;
        }
        if (Visitor(Context, Run->vcn, Run->lcn, Run->length) != 0) {
            break;
        }
    }
    return GLUE_STATUS_SUCCESS;
}

int32_t NtfsLibraryRuns(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                        NTFS_RUN_VISITOR *Visitor, void *Context)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    Status = GlueVisitRuns(Volume, Attribute, Visitor, Context);
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryIndexRuns(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_RUN_VISITOR *Visitor, void *Context)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    Attribute = ntfs_attr_open(Inode, AT_INDEX_ALLOCATION, NTFS_INDEX_I30, 4);
    if (Attribute != NULL) {
        Status = GlueVisitRuns(Volume, Attribute, Visitor, Context);
        ntfs_attr_close(Attribute);
    } else if (errno != ENOENT) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryRead(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length, int64_t Offset,
                        void *Buffer, uint32_t *Bytes)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    s64 Done;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    Done = ntfs_attr_pread(Attribute, Offset, *Bytes, Buffer);
    if (Done < 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        *Bytes = (uint32_t)Done;
    }
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryWrite(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                         int64_t Offset, const void *Buffer, uint32_t Bytes, int Touch, NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    s64 Done = 0;
    int Sparse;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    Sparse = NtfsGlueIsSparse(Attribute);
    while (Status >= 0 && Done < Bytes) {
        s64 Piece;

        errno = 0;
        Piece = ntfs_attr_pwrite(Attribute, Offset + Done, Bytes - Done, (const u8 *)Buffer + Done);
        if (Piece <= 0) {
            Status = NtfsGlueStatus(Volume->Sectors);
        } else {
            Done += Piece;
        }
    }
    if (Sparse && NtfsGlueKeepSparse(Attribute) != 0 && Status >= 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    NtfsGlueTellStream(Attribute, Facts);
    if (Touch) {
        ntfs_inode_update_times(Inode, NTFS_UPDATE_MCTIME);
    }
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

/*
 * Growing takes clusters, which are zeros until they are written; a sparse or compressed stream grows by a hole, which the library makes
 * for the byte at its end.
 */
static int GlueResize(ntfs_attr *Attribute, s64 Size)
{
    static const u8 Zero;
    int Sparse = NtfsGlueIsSparse(Attribute), Result;

    if (Size <= Attribute->data_size) {
        Result = ntfs_attr_truncate(Attribute, Size);
    } else if ((Attribute->data_flags & ATTR_COMPRESSION_MASK) == 0 && !Sparse) {
        Result = ntfs_attr_truncate_solid(Attribute, Size);
    } else {
        Result = ntfs_attr_pwrite(Attribute, Size - 1, 1, &Zero) == 1 ? 0 : -1;
    }
    return Result == 0 && Sparse ? NtfsGlueKeepSparse(Attribute) : Result;
}

int32_t NtfsLibrarySetSize(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                           int64_t Size, NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    if (GlueResize(Attribute, Size) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    NtfsGlueTellStream(Attribute, Facts);
    ntfs_inode_update_times(Inode, NTFS_UPDATE_MCTIME);
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryAddStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    if (ntfs_attr_add(Inode, AT_DATA, (ntfschar *)Name, (u8)Length, NULL, 0) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        Inode->flags |= FILE_ATTR_ARCHIVE;
        NInoFileNameSetDirty(Inode);
        ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryRemoveStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    if (ntfs_attr_rm(Attribute) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
    }
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

static int32_t GlueCopyStream(NTFS_LIBRARY_VOLUME *Volume, ntfs_attr *From, ntfs_attr *To)
{
    enum { Size = 0x10000 };
    u8 *Buffer = ntfs_malloc(Size);
    int32_t Status = Buffer != NULL ? GLUE_STATUS_SUCCESS : NtfsGlueStatus(Volume->Sectors);
    s64 Piece;

    for (s64 Offset = 0; Status >= 0 && Offset < From->data_size; Offset += Piece) {
        errno = 0;
        Piece = ntfs_attr_pread(From, Offset, Size, Buffer);
        if (Piece <= 0 || ntfs_attr_pwrite(To, Offset, Piece, Buffer) != Piece) {
            Status = NtfsGlueStatus(Volume->Sectors);
        }
    }
    free(Buffer);
    return Status;
}

int32_t NtfsLibraryRenameStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *OldName, uint32_t OldLength,
                                const uint16_t *Name, uint32_t Length, NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *From = NULL, *To = NULL;
    ntfs_inode *Inode;
    int32_t Status = NtfsLibraryAddStream(Volume, Id, Name, Length);

    if (Status >= 0) {
        Status = NtfsGlueOpen(Volume, Id, &Inode);
    }
    if (Status < 0) {
        return Status;
    }
    From = GlueOpenStream(Inode, OldName, OldLength);
    if (From != NULL) {
        To = GlueOpenStream(Inode, Name, Length);
    }
    Status = To != NULL ? GlueCopyStream(Volume, From, To) : NtfsGlueStatus(Volume->Sectors);
    if (Status >= 0) {
        NtfsGlueTellStream(To, Facts);
    }
    if (To != NULL) {
        ntfs_attr_close(To);
    }
    if (From != NULL) {
        ntfs_attr_close(From);
    }
    Status = NtfsGlueClose(Volume, Inode, Status);
    if (Status >= 0) {
        return NtfsLibraryRemoveStream(Volume, Id, OldName, OldLength);
    }
    NtfsLibraryRemoveStream(Volume, Id, Name, Length);
    return Status;
}

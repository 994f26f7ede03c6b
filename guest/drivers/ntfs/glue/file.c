/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: found by name, and what their records say.
 */
#include "glue.h"

/* Is an operation refused that would begin now?  Whoever ends something goes on with what there is. */
static int GlueIsShort;

void NtfsLibraryBegin(int MustGoOn)
{
    GlueIsShort = NtfsShimReserve() != 0 && !MustGoOn;
}

void NtfsLibraryFreeReserve(void)
{
    NtfsShimFreeReserve();
}

int32_t NtfsGlueOpen(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, ntfs_inode **Inode)
{
    errno = ENOMEM;
    *Inode = NULL;
    if (GlueIsShort) {
        return NtfsGlueStatus(Volume->Sectors);
    }
    errno = 0;
    *Inode = ntfs_inode_open(Volume->Volume, Id);
    return *Inode != NULL ? GLUE_STATUS_SUCCESS : NtfsGlueStatus(Volume->Sectors);
}

/* Closing may write: what was well before may fail now. */
int32_t NtfsGlueClose(NTFS_LIBRARY_VOLUME *Volume, ntfs_inode *Inode, int32_t Status)
{
    errno = 0;
    if (ntfs_inode_close(Inode) != 0 && Status >= 0) {
        return NtfsGlueStatus(Volume->Sectors);
    }
    return Status;
}

/* What the disk has beside Windows's attributes is not shown. */
#define GLUE_ATTRIBUTES 0x0000FFA7u

uint32_t NtfsGlueAttributes(uint32_t Flags, int IsDirectory)
{
    uint32_t Attributes = (Flags & GLUE_ATTRIBUTES & ~0x80u) | (IsDirectory ? 0x10u : 0);

    return Attributes != 0 ? Attributes : 0x80u /* FILE_ATTRIBUTE_NORMAL */;
}

/* The value of a resident attribute, or NULL; its length is at least Least. */
static void *GlueResident(ntfs_attr_search_ctx *Search, u32 Least)
{
    ATTR_RECORD *Record = Search->attr;

    if (Record->non_resident || le32_to_cpu(Record->value_length) < Least ||
        le16_to_cpu(Record->value_offset) + le32_to_cpu(Record->value_length) > le32_to_cpu(Record->length)) {
        return NULL;
    }
    return (u8 *)Record + le16_to_cpu(Record->value_offset);
}

/* The next of the file's names, or NULL. */
FILE_NAME_ATTR *NtfsGlueNextName(ntfs_attr_search_ctx *Search)
{
    while (ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, Search) == 0) {
        FILE_NAME_ATTR *Name = GlueResident(Search, sizeof(*Name));

        if (Name != NULL &&
            sizeof(*Name) + Name->file_name_length * sizeof(ntfschar) <= le32_to_cpu(Search->attr->value_length)) {
            return Name;
        }
    }
    return NULL;
}

/* As the name is written on the disk, where it is found; else as it was asked for. */
static void GlueRealName(ntfs_inode *Inode, uint64_t Directory, const uint16_t *Name, uint32_t Length,
                         uint16_t *RealName)
{
    ntfs_volume *Volume = Inode->vol;
    ntfs_attr_search_ctx *Search = ntfs_attr_get_search_ctx(Inode, NULL);
    FILE_NAME_ATTR *Found;

    memcpy(RealName, Name, Length * sizeof(*Name));
    while (Search != NULL && (Found = NtfsGlueNextName(Search)) != NULL) {
        if (MREF_LE(Found->parent_directory) == MREF(Directory) &&
            ntfs_names_are_equal(Found->file_name, Found->file_name_length, Name, Length, IGNORE_CASE, Volume->upcase,
                                 Volume->upcase_len)) {
            memcpy(RealName, Found->file_name, Length * sizeof(*Name));
            break;
        }
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
}

int32_t NtfsLibraryLookup(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, const uint16_t *Name, uint32_t Length,
                          uint64_t *Id, uint16_t *RealName, uint32_t *RealLength)
{
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Directory, &Inode);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    *Id = ntfs_inode_lookup_by_name(Inode, Name, (int)Length);
    if (*Id == (uint64_t)-1) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    Status = NtfsGlueClose(Volume, Inode, Status);
    if (Status >= 0) {
        Status = NtfsGlueOpen(Volume, *Id, &Inode);
    }
    if (Status < 0) {
        return Status;
    }
    GlueRealName(Inode, Directory, Name, Length, RealName);
    *RealLength = Length;
    return NtfsGlueClose(Volume, Inode, Status);
}

/* One name of the file, and where it is; the long one rather than the short one. */
int32_t NtfsLibraryParent(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t *Parent, uint16_t *Name, uint32_t *Length)
{
    ntfs_attr_search_ctx *Search;
    FILE_NAME_ATTR *Found = NULL;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    Search = ntfs_attr_get_search_ctx(Inode, NULL);
    while (Search != NULL && (Found = NtfsGlueNextName(Search)) != NULL && Found->file_name_type == FILE_NAME_DOS) {
    }
    if (Found != NULL) {
        *Parent = le64_to_cpu(Found->parent_directory);
        *Length = Found->file_name_length;
        memcpy(Name, Found->file_name, Found->file_name_length * sizeof(*Name));
    } else {
        Status = GLUE_STATUS_FILE_CORRUPT_ERROR;
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

/* The first bytes of a small attribute as a number, 0 where there is none. */
static uint32_t GlueSmallValue(ntfs_inode *Inode, ATTR_TYPES Type, u32 Bytes)
{
    ntfs_attr_search_ctx *Search = ntfs_attr_get_search_ctx(Inode, NULL);
    uint32_t Value = 0;

    if (Search != NULL && ntfs_attr_lookup(Type, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, Search) == 0) {
        void *Found = GlueResident(Search, Bytes);

        if (Found != NULL) {
            memcpy(&Value, Found, Bytes);
        }
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
    return Value;
}

int32_t NtfsLibraryFileFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_FACTS *Facts)
{
    ntfs_inode *Inode;
    int IsDirectory;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    IsDirectory = (Inode->mrec->flags & MFT_RECORD_IS_DIRECTORY) != 0;
    Facts->Id = MK_MREF(Inode->mft_no, le16_to_cpu(Inode->mrec->sequence_number));
    Facts->Created = sle64_to_cpu(Inode->creation_time);
    Facts->Written = sle64_to_cpu(Inode->last_data_change_time);
    Facts->Changed = sle64_to_cpu(Inode->last_mft_change_time);
    Facts->Accessed = sle64_to_cpu(Inode->last_access_time);
    Facts->Size = IsDirectory ? 0 : Inode->data_size;
    Facts->Allocated = IsDirectory ? 0 : Inode->allocated_size;
    Facts->Attributes = NtfsGlueAttributes(Inode->flags, IsDirectory);
    Facts->Links = le16_to_cpu(Inode->mrec->link_count);
    Facts->EaSize = GlueSmallValue(Inode, AT_EA_INFORMATION, sizeof(u16));
    Facts->ReparseTag = (Inode->flags & FILE_ATTR_REPARSE_POINT) != 0 ? GlueSmallValue(Inode, AT_REPARSE_POINT, 4) : 0;
    Facts->SecurityId = le32_to_cpu(Inode->security_id);
    Facts->Usn = (int64_t)le64_to_cpu(Inode->usn);
    return NtfsGlueClose(Volume, Inode, Status);
}

int32_t NtfsLibraryCreate(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, const uint16_t *Name, uint32_t Length,
                          int IsDirectory, uint32_t Attributes, uint64_t *Id)
{
    ntfs_inode *Parent, *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Directory, &Parent);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    Inode = ntfs_create(Parent, const_cpu_to_le32(0), Name, (u8)Length, IsDirectory ? S_IFDIR : S_IFREG);
    if (Inode == NULL) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        /* Only what the opener may set; the directory's bit is the record's. */
        Inode->flags |= (FILE_ATTR_FLAGS)(Attributes & 0x27u);
        NInoFileNameSetDirty(Inode);
        NInoSetDirty(Inode);
        *Id = MK_MREF(Inode->mft_no, le16_to_cpu(Inode->mrec->sequence_number));
        errno = 0;
        if (ntfs_inode_close_in_dir(Inode, Parent) != 0) {
            Status = NtfsGlueStatus(Volume->Sectors);
        }
        ntfs_inode_update_times(Parent, NTFS_UPDATE_MCTIME);
    }
    return NtfsGlueClose(Volume, Parent, Status);
}

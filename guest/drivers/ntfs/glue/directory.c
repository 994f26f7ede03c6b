/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories: the names of one, in the order of its index, which is that of the upper case of the names.
 */
#include "glue.h"

/* More than a volume can hold: the index of a damaged one may lead in a circle. */
#define GLUE_ENTRIES_MAX 0x1000000u

static int GlueIsOfTheFileSystem(uint64_t Id)
{
    return MREF(Id) < FILE_first_user;
}

static void GlueEntryFacts(const INDEX_ENTRY *Entry, NTFS_ENTRY_FACTS *Facts)
{
    const FILE_NAME_ATTR *Name = &Entry->key.file_name;
    uint32_t Flags = Name->file_attributes;

    memset(&Facts->File, 0, sizeof(Facts->File));
    Facts->File.Id = le64_to_cpu(Entry->indexed_file);
    Facts->File.Created = sle64_to_cpu(Name->creation_time);
    Facts->File.Written = sle64_to_cpu(Name->last_data_change_time);
    Facts->File.Changed = sle64_to_cpu(Name->last_mft_change_time);
    Facts->File.Accessed = sle64_to_cpu(Name->last_access_time);
    Facts->File.Attributes = NtfsGlueAttributes(Flags, (Flags & FILE_ATTR_I30_INDEX_PRESENT) != 0);
    if ((Facts->File.Attributes & 0x10u) == 0) {
        Facts->File.Size = sle64_to_cpu(Name->data_size);
        Facts->File.Allocated = sle64_to_cpu(Name->allocated_size);
    }
    /* One of the two shares its place. */
    if ((Flags & FILE_ATTR_REPARSE_POINT) != 0) {
        Facts->File.ReparseTag = le32_to_cpu(Name->reparse_point_tag);
    } else {
        Facts->File.EaSize = le16_to_cpu(Name->packed_ea_size);
    }
    Facts->NameLength = Name->file_name_length;
    Facts->IsShort = Name->file_name_type == FILE_NAME_DOS;
    memcpy(Facts->Name, Name->file_name, Facts->NameLength * sizeof(ntfschar));
}

/* An entry without a name to go by, or too short for the one it has. */
static int GlueIsEntryWhole(const INDEX_ENTRY *Entry)
{
    u32 Length = le16_to_cpu(Entry->key_length);

    return Length >= sizeof(FILE_NAME_ATTR) &&
           Length >= sizeof(FILE_NAME_ATTR) + Entry->key.file_name.file_name_length * sizeof(ntfschar) &&
           Length + sizeof(INDEX_ENTRY_HEADER) <= le16_to_cpu(Entry->length);
}

int32_t NtfsLibraryList(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, NTFS_ENTRY_VISITOR *Visitor, void *Context)
{
    FILE_NAME_ATTR First = {.file_name_length = 0}; /* before any other */
    ntfs_index_context *Index = NULL;
    NTFS_ENTRY_FACTS *Facts = NULL;
    INDEX_ENTRY *Entry;
    ntfs_inode *Inode;
    uint32_t Count = 0;
    int32_t Status = NtfsGlueOpen(Volume, Directory, &Inode);

    if (Status < 0) {
        return Status;
    }
    Facts = ntfs_malloc(sizeof(*Facts));
    Index = ntfs_index_ctx_get(Inode, NTFS_INDEX_I30, 4);
    if (Facts == NULL || Index == NULL) {
        Status = NtfsGlueStatus(Volume->Sectors);
        goto Exit;
    }
    errno = 0;
    if (ntfs_index_lookup(&First, sizeof(First), Index) != 0 && errno != ENOENT) {
        Status = NtfsGlueStatus(Volume->Sectors);
        goto Exit;
    }
    Entry = Index->entry;
    if (Entry != NULL && (Entry->ie_flags & INDEX_ENTRY_END) != 0) {
        Entry = ntfs_index_next(Entry, Index);
    }
    for (; Entry != NULL; Entry = ntfs_index_next(Entry, Index)) {
        if (!GlueIsEntryWhole(Entry) || ++Count > GLUE_ENTRIES_MAX) {
            Status = GLUE_STATUS_FILE_CORRUPT_ERROR;
            break;
        }
        GlueEntryFacts(Entry, Facts);
        if (!GlueIsOfTheFileSystem(Facts->File.Id) && Visitor(Context, Facts) != 0) {
            break;
        }
    }

Exit:
    if (Index != NULL) {
        ntfs_index_ctx_put(Index);
    }
    free(Facts);
    return NtfsGlueClose(Volume, Inode, Status);
}

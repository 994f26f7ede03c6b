/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of files: one more, another one, one out of sight, and all that there are.
 */
#include "glue.h"

int32_t NtfsLibraryLink(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
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
    if (ntfs_link(Inode, Parent, Name, (u8)Length) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    } else {
        ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
        ntfs_inode_update_times(Parent, NTFS_UPDATE_MCTIME);
    }
    /* The directory first: what the file's end writes into the directories of its names, it writes there. */
    Status = NtfsGlueClose(Volume, Parent, Status);
    return NtfsGlueClose(Volume, Inode, Status);
}

/* The new name comes first: what fails in between leaves one too many. */
int32_t NtfsLibraryRename(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t OldDirectory, const uint16_t *OldName,
                          uint32_t OldLength, uint64_t Directory, const uint16_t *Name, uint32_t Length)
{
    int32_t Status = NtfsLibraryLink(Volume, Id, Directory, Name, Length);

    return Status < 0 ? Status : NtfsLibraryDelete(Volume, Id, OldDirectory, OldName, OldLength);
}

/* Both inodes are the library's to close. */
int32_t NtfsLibrarySetShortName(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                                uint32_t Length)
{
    char *Text = NULL;
    int Bytes = ntfs_ucstombs(Name, (int)Length, &Text, 0);
    ntfs_inode *Inode, *Parent;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Bytes < 0 || Status < 0) {
        free(Text);
        return Status < 0 ? Status : NtfsGlueClose(Volume, Inode, GLUE_STATUS_NAME_INVALID);
    }
    Status = NtfsGlueOpen(Volume, Directory, &Parent);
    if (Status < 0) {
        free(Text);
        return NtfsGlueClose(Volume, Inode, Status);
    }
    errno = 0;
    if (ntfs_set_ntfs_dos_name(Inode, Parent, Text, (size_t)Bytes, 0) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    free(Text);
    return Status;
}

/* ---- out of sight: "$Extend\$Deleted", as Windows has it ---- */

static const ntfschar GlueDeleted[] = {'$', 'D', 'e', 'l', 'e', 't', 'e', 'd'};

void NtfsLibraryHiddenName(uint64_t Id, uint16_t *Name)
{
    for (unsigned Digit = 0; Digit < NTFS_HIDDEN_LENGTH; Digit++) {
        Name[Digit] = (uint16_t)"0123456789ABCDEF"[Id >> (60 - 4 * Digit) & 15];
    }
}

/* The directory, made if it is not there and Make says so. */
static int32_t GlueHiddenPlace(NTFS_LIBRARY_VOLUME *Volume, int Make, uint64_t *Id)
{
    ntfs_inode *Extend, *Made;
    int32_t Status = NtfsGlueOpen(Volume, FILE_Extend, &Extend);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    *Id = ntfs_inode_lookup_by_name(Extend, GlueDeleted, sizeof(GlueDeleted) / sizeof(*GlueDeleted));
    if (*Id != (uint64_t)-1 || !Make || errno != ENOENT) {
        Status = *Id != (uint64_t)-1 ? GLUE_STATUS_SUCCESS : NtfsGlueStatus(Volume->Sectors);
        return NtfsGlueClose(Volume, Extend, Status);
    }
    errno = 0;
    Made = ntfs_create(Extend, const_cpu_to_le32(0), GlueDeleted, sizeof(GlueDeleted) / sizeof(*GlueDeleted), S_IFDIR);
    if (Made == NULL) {
        return NtfsGlueClose(Volume, Extend, NtfsGlueStatus(Volume->Sectors));
    }
    *Id = MK_MREF(Made->mft_no, le16_to_cpu(Made->mrec->sequence_number));
    Made->flags |= FILE_ATTR_HIDDEN | FILE_ATTR_SYSTEM;
    NInoFileNameSetDirty(Made);
    NInoSetDirty(Made);
    if (ntfs_inode_close_in_dir(Made, Extend) != 0) {
        Status = NtfsGlueStatus(Volume->Sectors);
    }
    return NtfsGlueClose(Volume, Extend, Status);
}

int32_t NtfsLibraryHide(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                        uint32_t Length, uint64_t *Place)
{
    uint16_t Hidden[NTFS_HIDDEN_LENGTH];
    int32_t Status = GlueHiddenPlace(Volume, 1, Place);

    NtfsLibraryHiddenName(Id, Hidden);
    return Status < 0 ? Status
                      : NtfsLibraryRename(Volume, Id, Directory, Name, Length, *Place, Hidden, NTFS_HIDDEN_LENGTH);
}

/* One at a time: the index changes with each. */
typedef struct _GLUE_LEFT {
    uint64_t Id;
    uint16_t Name[NTFS_NAME_MAX];
    uint32_t Length;
} GLUE_LEFT;

static int GlueTakeLeft(void *Context, const NTFS_ENTRY_FACTS *Entry)
{
    GLUE_LEFT *Left = Context;

    Left->Id = Entry->File.Id;
    Left->Length = Entry->NameLength;
    memcpy(Left->Name, Entry->Name, Entry->NameLength * sizeof(*Entry->Name));
    return 1;
}

/* What the machine's sudden end has left out of sight goes.  A damaged volume's keeps it. */
void NtfsLibraryForgetHidden(NTFS_LIBRARY_VOLUME *Volume)
{
    GLUE_LEFT *Left = ntfs_malloc(sizeof(*Left));
    uint64_t Place;

    if (Left != NULL && GlueHiddenPlace(Volume, 0, &Place) >= 0) {
        do {
            Left->Length = 0;
        } while (NtfsLibraryList(Volume, Place, GlueTakeLeft, Left) >= 0 && Left->Length != 0 &&
                 NtfsLibraryDelete(Volume, Left->Id, Place, Left->Name, Left->Length) >= 0);
    }
    free(Left);
}

int32_t NtfsLibraryNames(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_NAME_VISITOR *Visitor, void *Context)
{
    ntfs_attr_search_ctx *Search;
    FILE_NAME_ATTR *Name;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpen(Volume, Id, &Inode);

    if (Status < 0) {
        return Status;
    }
    Search = ntfs_attr_get_search_ctx(Inode, NULL);
    while (Search != NULL && (Name = NtfsGlueNextName(Search)) != NULL) {
        if (Visitor(Context, le64_to_cpu(Name->parent_directory), Name->file_name, Name->file_name_length,
                    Name->file_name_type == FILE_NAME_DOS) != 0) {
            break;
        }
    }
    if (Search != NULL) {
        ntfs_attr_put_search_ctx(Search);
    }
    return NtfsGlueClose(Volume, Inode, Status);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting and dismounting, and what the volume says of itself.
 */
#include "glue.h"

/* What the library complains of is worth reading where a volume is damaged. */
static int GlueLog(const char *Function, const char *File, int Line, u32 Level, void *Data, const char *Format,
                   va_list Arguments)
{
    (void)File, (void)Line, (void)Data;
    if ((Level & (NTFS_LOG_LEVEL_ERROR | NTFS_LOG_LEVEL_PERROR | NTFS_LOG_LEVEL_CRITICAL)) == 0) {
        return 0;
    }
    NtfsLibraryComplaint(Function, Format, Arguments);
    return 1;
}

static int GlueReadSerial(NTFS_SECTORS *Sectors, NTFS_VOLUME_FACTS *Facts)
{
    NTFS_BOOT_SECTOR *Boot = Sectors->Bounce;
    int32_t Status = Sectors->Transfer(Sectors->Context, 0, 0, Boot, Sectors->SectorSize);

    if (Status < 0) {
        return Status;
    }
    if (!ntfs_boot_sector_is_ntfs(Boot)) {
        return GLUE_STATUS_UNRECOGNIZED;
    }
    Facts->Serial = le64_to_cpu(Boot->volume_serial_number);
    return GLUE_STATUS_SUCCESS;
}

static void GlueReadLabel(ntfs_volume *Volume, NTFS_VOLUME_FACTS *Facts)
{
    ntfs_attr *Attribute = ntfs_attr_open(Volume->vol_ni, AT_VOLUME_NAME, AT_UNNAMED, 0);
    s64 Length = 0;

    if (Attribute != NULL) {
        Length = ntfs_attr_pread(Attribute, 0, sizeof(Facts->Label), Facts->Label);
        ntfs_attr_close(Attribute);
    }
    Facts->LabelLength = Length > 0 ? (uint16_t)(Length / sizeof(*Facts->Label)) : 0;
}

static void GlueTellFacts(ntfs_volume *Volume, NTFS_VOLUME_FACTS *Facts)
{
    Facts->Clusters = (uint64_t)Volume->nr_clusters;
    Facts->SectorSize = Volume->sector_size;
    Facts->ClusterSize = Volume->cluster_size;
    Facts->MftRecordSize = Volume->mft_record_size;
    Facts->IndexRecordSize = Volume->indx_record_size;
    Facts->MftStart = (uint64_t)Volume->mft_lcn;
    Facts->MftMirrorStart = (uint64_t)Volume->mftmirr_lcn;
    Facts->MajorVersion = Volume->major_ver;
    Facts->MinorVersion = Volume->minor_ver;
    Facts->ReadOnly = NVolReadOnly(Volume) != 0;
    Facts->Dirty = (Volume->flags & VOLUME_IS_DIRTY) != 0;
    Facts->Created = sle64_to_cpu(Volume->vol_ni->creation_time);
    GlueReadLabel(Volume, Facts);
}

/*
 * A journal that Windows has not finished is thrown away, as ntfs-3g does by default; a volume that Windows sleeps on is read-only.  STATUS_UNRECOGNIZED_VOLUME: not NTFS.  Else what failed:
 * STATUS_FILE_CORRUPT_ERROR for a structure that cannot be.
 */
int32_t NtfsLibraryMount(NTFS_SECTORS *Sectors, NTFS_LIBRARY_VOLUME **Result, NTFS_VOLUME_FACTS *Facts)
{
    NTFS_LIBRARY_VOLUME *Mounted;
    struct ntfs_device *Device;
    int32_t Status;

    memset(Facts, 0, sizeof(*Facts));
    Status = GlueReadSerial(Sectors, Facts);
    if (Status < 0) {
        return Status;
    }
    ntfs_log_set_handler(GlueLog);
    ntfs_set_char_encoding("UTF-8");
    Mounted = ntfs_calloc(sizeof(*Mounted));
    Device = ntfs_device_alloc("volume", 0, &NtfsGlueDevice, Sectors);
    if (Mounted == NULL || Device == NULL) {
        Status = NtfsGlueStatus(Sectors);
        goto Exit;
    }
    Mounted->Sectors = Sectors;
    Mounted->Volume = ntfs_device_mount(Device, NTFS_MNT_RECOVER | NTFS_MNT_MAY_RDONLY);
    if (Mounted->Volume == NULL) {
        Status = NtfsGlueStatus(Sectors);
        goto Exit;
    }
    NVolSetCompression(Mounted->Volume); /* what a compressed directory gets is compressed */
    ntfs_create_lru_caches(Mounted->Volume);
    if (ntfs_set_ignore_case(Mounted->Volume) != 0 || ntfs_volume_get_free_space(Mounted->Volume) != 0) {
        Status = NtfsGlueStatus(Sectors);
        ntfs_umount(Mounted->Volume, TRUE);
        Device = NULL; /* went with the volume */
        goto Exit;
    }
    GlueTellFacts(Mounted->Volume, Facts);
    if (!Facts->ReadOnly) {
        NtfsLibraryForgetHidden(Mounted);
    }
    *Result = Mounted;
    Mounted = NULL;
    Device = NULL;
    Status = GLUE_STATUS_SUCCESS;

Exit:
    if (Device != NULL) {
        NDevClearOpen(Device);
        ntfs_device_free(Device);
    }
    free(Mounted);
    return Status;
}

int32_t NtfsLibraryDismount(NTFS_LIBRARY_VOLUME *Volume)
{
    NTFS_SECTORS *Sectors = Volume->Sectors;
    int32_t Status;

    if (Sectors->Spoiled && !NVolReadOnly(Volume->Volume)) {
        ntfs_volume_write_flags(Volume->Volume, Volume->Volume->flags | VOLUME_IS_DIRTY);
    }
    Status = ntfs_umount(Volume->Volume, TRUE) == 0 ? GLUE_STATUS_SUCCESS : NtfsGlueStatus(Sectors);

    free(Volume);
    return Status;
}

int32_t NtfsLibrarySync(NTFS_LIBRARY_VOLUME *Volume, int Through)
{
    ntfs_volume *Mounted = Volume->Volume;
    ntfs_inode *Own[] = {Mounted->lcnbmp_ni, Mounted->mft_ni, Mounted->mftmirr_ni, Mounted->secure_ni, Mounted->vol_ni};

    if (NVolReadOnly(Mounted)) {
        return GLUE_STATUS_SUCCESS;
    }
    for (size_t Index = 0; Index < sizeof(Own) / sizeof(Own[0]); Index++) {
        if (Own[Index] != NULL && NInoDirty(Own[Index]) && ntfs_inode_sync(Own[Index]) != 0) {
            return NtfsGlueStatus(Volume->Sectors);
        }
    }
    if (Through && NDevDirty(Mounted->dev) && Mounted->dev->d_ops->sync(Mounted->dev) != 0) {
        return NtfsGlueStatus(Volume->Sectors);
    }
    return GLUE_STATUS_SUCCESS;
}

int32_t NtfsLibrarySetLabel(NTFS_LIBRARY_VOLUME *Volume, const uint16_t *Label, uint32_t Length)
{
    return ntfs_volume_rename(Volume->Volume, Label, (int)Length) == 0 ? GLUE_STATUS_SUCCESS
                                                                       : NtfsGlueStatus(Volume->Sectors);
}

uint64_t NtfsLibraryFreeClusters(NTFS_LIBRARY_VOLUME *Volume)
{
    return Volume->Volume->free_clusters > 0 ? (uint64_t)Volume->Volume->free_clusters : 0;
}

uint64_t NtfsLibraryMftLength(NTFS_LIBRARY_VOLUME *Volume)
{
    return (uint64_t)Volume->Volume->mft_na->initialized_size;
}

int32_t NtfsLibraryBitmap(NTFS_LIBRARY_VOLUME *Volume, uint64_t Offset, void *Buffer, uint32_t Bytes)
{
    s64 Read;

    errno = 0;
    Read = ntfs_attr_pread(Volume->Volume->lcnbmp_na, (s64)Offset, Bytes, Buffer);
    return Read == (s64)Bytes ? GLUE_STATUS_SUCCESS : NtfsGlueStatus(Volume->Sectors);
}

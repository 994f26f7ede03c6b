/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sparse streams: which are, and holes in them.  The file's flag says it of its unnamed stream, also while that is in the file's record;
 * of others the attribute's own does.
 */
#include "glue.h"
#include "lcnalloc.h"

/* Windows gives back, and keeps, whole units of this many clusters. */
#define GLUE_UNIT 16

static int GlueIsUnnamed(const ntfs_attr *Attribute)
{
    return Attribute->name == AT_UNNAMED;
}

int NtfsGlueIsSparse(const ntfs_attr *Attribute)
{
    return (Attribute->data_flags & ATTR_IS_SPARSE) != 0 ||
           (GlueIsUnnamed(Attribute) && (Attribute->ni->flags & FILE_ATTR_SPARSE_FILE) != 0);
}

int NtfsGlueKeepSparse(ntfs_attr *Attribute)
{
    if (GlueIsUnnamed(Attribute)) {
        Attribute->ni->flags |= FILE_ATTR_SPARSE_FILE;
        NInoFileNameSetDirty(Attribute->ni);
    }
    if (!NAttrNonResident(Attribute) || (Attribute->data_flags & ATTR_IS_SPARSE) != 0) {
        return 0;
    }
    return ntfs_attr_map_whole_runlist(Attribute) == 0 ? ntfs_attr_update_mapping_pairs(Attribute, 0) : -1;
}

/* Nothing of it may be a hole. */
static int GlueEndSparse(ntfs_attr *Attribute)
{
    if (GlueIsUnnamed(Attribute)) {
        Attribute->ni->flags &= ~FILE_ATTR_SPARSE_FILE;
        NInoFileNameSetDirty(Attribute->ni);
    }
    return NAttrNonResident(Attribute) ? ntfs_attr_update_mapping_pairs(Attribute, 0) : 0;
}

static int32_t GlueSetSparse(NTFS_LIBRARY_VOLUME *Volume, ntfs_attr *Attribute, int Sparse)
{
    int Holes = 0;

    /* Of a stream with a name the record alone could say it, and the library has no flag for one that is resident. */
    if ((Attribute->data_flags & ATTR_COMPRESSION_MASK) != 0 || (Sparse && !GlueIsUnnamed(Attribute))) {
        return GLUE_STATUS_NOT_IMPLEMENTED;
    }
    if (NAttrNonResident(Attribute)) {
        if (ntfs_attr_map_whole_runlist(Attribute) != 0 || (Holes = ntfs_rl_sparse(Attribute->rl)) < 0) {
            return NtfsGlueStatus(Volume->Sectors);
        }
    }
    if (!Sparse && Holes) {
        return GLUE_STATUS_NOT_IMPLEMENTED;
    }
    return (Sparse ? NtfsGlueKeepSparse(Attribute) : GlueEndSparse(Attribute)) == 0 ? GLUE_STATUS_SUCCESS
                                                                                    : NtfsGlueStatus(Volume->Sectors);
}

int32_t NtfsLibrarySetSparse(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                             int Sparse, NTFS_STREAM_FACTS *Facts)
{
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    errno = 0;
    Status = GlueSetSparse(Volume, Attribute, Sparse);
    NtfsGlueTellStream(Attribute, Facts);
    ntfs_inode_update_times(Inode, NTFS_UPDATE_CTIME);
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

/* ---- holes ---- */

/* A run, or what is left of it, behind others; neighbours that are holes are one. */
static void GlueAppendRun(runlist_element *List, int *Count, VCN Vcn, LCN Lcn, s64 Clusters)
{
    if (Clusters == 0) {
        return;
    }
    if (*Count != 0 && Lcn == LCN_HOLE && List[*Count - 1].lcn == LCN_HOLE) {
        List[*Count - 1].length += Clusters;
        return;
    }
    List[(*Count)++] = (runlist_element){.vcn = Vcn, .lcn = Lcn, .length = Clusters};
}

/* The runs with a hole in [From, To), in memory as the library's. */
static runlist_element *GlueCutRuns(const runlist_element *Old, VCN From, VCN To)
{
    runlist_element *New;
    int Runs = 0, Count = 0;

    while (Old[Runs].length != 0) {
        Runs++;
    }
    New =
        ntfs_malloc(((Runs + 3) * sizeof(*New) + 0xFFF) & ~0xFFFull); /* in whole pages, as ntfs_rl_realloc() expects */
    if (New == NULL) {
        return NULL;
    }
    for (int Index = 0; Index < Runs; Index++) {
        const runlist_element *Run = &Old[Index];
        VCN End = Run->vcn + Run->length, Begin = From > Run->vcn ? From : Run->vcn, Stop = To < End ? To : End;

        if (Run->lcn < 0 || Begin >= Stop) {
            GlueAppendRun(New, &Count, Run->vcn, Run->lcn, Run->length);
            continue;
        }
        GlueAppendRun(New, &Count, Run->vcn, Run->lcn, Begin - Run->vcn);
        GlueAppendRun(New, &Count, Begin, LCN_HOLE, Stop - Begin);
        GlueAppendRun(New, &Count, Stop, Run->lcn + (Stop - Run->vcn), End - Stop);
    }
    New[Count] = Old[Runs];
    return New;
}

/* Clusters that no run names any more.  What cannot be marked free is lost until the volume is checked, not shared. */
static void GlueFreeRuns(ntfs_volume *Volume, const runlist_element *Old, VCN From, VCN To)
{
    for (const runlist_element *Run = Old; Run->length != 0; Run++) {
        VCN End = Run->vcn + Run->length, Begin = From > Run->vcn ? From : Run->vcn, Stop = To < End ? To : End;

        if (Run->lcn >= 0 && Begin < Stop) {
            ntfs_cluster_free_basic(Volume, Run->lcn + (Begin - Run->vcn), Stop - Begin);
        }
    }
}

static int GluePunch(ntfs_attr *Attribute, VCN From, VCN To)
{
    runlist_element *Old = Attribute->rl, *New = GlueCutRuns(Old, From, To);

    if (New == NULL) {
        return -1;
    }
    Attribute->rl = New;
    if (ntfs_attr_update_mapping_pairs(Attribute, 0) != 0) {
        Attribute->rl = Old;
        free(New);
        return -1;
    }
    GlueFreeRuns(Attribute->ni->vol, Old, From, To);
    free(Old);
    return 0;
}

int32_t NtfsLibraryPunch(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                         int64_t *Offset, int64_t *End, NTFS_STREAM_FACTS *Facts)
{
    s64 Unit = (s64)GLUE_UNIT << Volume->Volume->cluster_size_bits, From, To;
    ntfs_attr *Attribute;
    ntfs_inode *Inode;
    int32_t Status = NtfsGlueOpenStream(Volume, Id, Name, Length, &Inode, &Attribute);

    if (Status < 0) {
        return Status;
    }
    From = (*Offset + Unit - 1) / Unit * Unit;
    To = *End >= Attribute->data_size ? Attribute->allocated_size : *End / Unit * Unit;
    *End = *Offset;
    if (NtfsGlueIsSparse(Attribute) && NAttrNonResident(Attribute) &&
        (Attribute->data_flags & ATTR_COMPRESSION_MASK) == 0 && From < To) {
        errno = 0;
        if (ntfs_attr_map_whole_runlist(Attribute) != 0 ||
            GluePunch(Attribute, From >> Volume->Volume->cluster_size_bits, To >> Volume->Volume->cluster_size_bits) !=
                0) {
            Status = NtfsGlueStatus(Volume->Sectors);
        } else {
            *Offset = From;
            *End = To < Attribute->data_size ? To : Attribute->data_size;
            ntfs_inode_update_times(Inode, NTFS_UPDATE_MCTIME);
        }
    }
    NtfsGlueTellStream(Attribute, Facts);
    ntfs_attr_close(Attribute);
    return NtfsGlueClose(Volume, Inode, Status);
}

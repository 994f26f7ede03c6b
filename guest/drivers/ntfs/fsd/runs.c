/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a stream's bytes are: its run list, read from the library when it is wanted and kept until the stream changes.
 */
#include "ntfs.h"

static int NtfsTakeRun(void *Context, int64_t Vcn, int64_t Lcn, int64_t Clusters)
{
    PNTFS_STREAM Stream = Context;

    return Lcn >= 0 && !FsRtlAddLargeMcbEntry(&Stream->Runs, Vcn, Lcn, Clusters);
}

NTSTATUS NtfsLearnRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream)
{
    NTSTATUS Status = STATUS_SUCCESS;

    NtfsLockLibrary();
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    if (Volume->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if (!Stream->RunsKnown) {
        Status = NtfsLibraryRuns(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                 Stream->Name.Length / sizeof(WCHAR), NtfsTakeRun, Stream);
        Stream->RunsKnown = NT_SUCCESS(Status);
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    NtfsUnlockLibrary();
    return Status;
}

BOOLEAN NtfsFindRun(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Offset, ULONG Length, PLONGLONG Place,
                    PULONG Bytes)
{
    ULONG Cluster = Volume->Facts.ClusterSize;
    LONGLONG Lcn, Clusters, Run;

    if (!FsRtlLookupLargeMcbEntry(&Stream->Runs, Offset / Cluster, &Lcn, &Clusters, NULL, NULL, NULL) || Lcn < 0) {
        return FALSE;
    }
    Run = Clusters * Cluster - Offset % Cluster;
    *Place = Lcn * Cluster + Offset % Cluster;
    *Bytes = (ULONG)min(Run, (LONGLONG)Length);
    return TRUE;
}

ULONG NtfsCountRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Offset, ULONG Length)
{
    ULONG Count = 0, Bytes;
    LONGLONG Place;

    for (; Length != 0; Offset += Bytes, Length -= Bytes) {
        if (!NtfsFindRun(Volume, Stream, Offset, Length, &Place, &Bytes)) {
            return 0;
        }
        Count++;
    }
    return Count;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_FILE_SYSTEM_CONTROL: mounting, and the controls of the volume.
 */
#include "ntfs.h"

/* Exclusive use by one file object, which is the volume's; nobody else may have anything open. */
static NTSTATUS NtfsLockVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject)
{
    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->LockHolder != NULL || Volume->OpenCount != 1 || !DriverLockVpb(Volume->Vpb, 1)) {
        return STATUS_ACCESS_DENIED;
    }
    Volume->LockHolder = FileObject;
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsUnlockVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject)
{
    if (Volume->LockHolder != FileObject) {
        return STATUS_NOT_LOCKED;
    }
    Volume->LockHolder = NULL;
    DriverUnlockVpb(Volume->Vpb);
    return STATUS_SUCCESS;
}

/*
 * The real device gets a fresh VPB, so that the next open mounts anew; files that are open stay with the old one and fail
 * from now on.  A lock, if there is one, must be the caller's.
 */
static NTSTATUS NtfsDismountVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject)
{
    NTSTATUS Status;

    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->LockHolder != NULL && Volume->LockHolder != FileObject) {
        return STATUS_ACCESS_DENIED;
    }
    Status = NtfsDismountLocked(Volume);
    NtfsLeaveVpbLocked(Volume);
    return Status;
}

static NTSTATUS NtfsVolumeDataLocked(PNTFS_VOLUME Volume, PNTFS_VOLUME_DATA_BUFFER Data, ULONG Length,
                                     PULONG_PTR Information)
{
    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Length < sizeof(*Data)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(Data, sizeof(*Data));
    Data->VolumeSerialNumber.QuadPart = (LONGLONG)Volume->Facts.Serial;
    Data->NumberSectors.QuadPart =
        (LONGLONG)(Volume->Facts.Clusters * (Volume->Facts.ClusterSize / Volume->Facts.SectorSize));
    Data->TotalClusters.QuadPart = (LONGLONG)Volume->Facts.Clusters;
    Data->FreeClusters.QuadPart = (LONGLONG)NtfsLibraryFreeClusters(Volume->Library);
    Data->BytesPerSector = Volume->Facts.SectorSize;
    Data->BytesPerCluster = Volume->Facts.ClusterSize;
    Data->BytesPerFileRecordSegment = Volume->Facts.MftRecordSize;
    Data->ClustersPerFileRecordSegment = Volume->Facts.MftRecordSize / Volume->Facts.ClusterSize;
    Data->MftValidDataLength.QuadPart = (LONGLONG)NtfsLibraryMftLength(Volume->Library);
    Data->MftStartLcn.QuadPart = (LONGLONG)Volume->Facts.MftStart;
    Data->Mft2StartLcn.QuadPart = (LONGLONG)Volume->Facts.MftMirrorStart;
    *Information = sizeof(*Data);
    return STATUS_SUCCESS;
}

/* From the octet of clusters in which the first one that is asked for is, as many as there is room for. */
NTSTATUS NtfsGetVolumeBitmap(PNTFS_CONTROL Control)
{
    PVOLUME_BITMAP_BUFFER Answer = Control->Output;
    PNTFS_VOLUME Volume = Control->Volume;
    ULONG64 Clusters, First, Bytes, Room;
    NTSTATUS Status;

    if (Control->InputLength < sizeof(STARTING_LCN_INPUT_BUFFER)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Control->OutputLength < sizeof(VOLUME_BITMAP_BUFFER)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    First = (ULONG64)((PSTARTING_LCN_INPUT_BUFFER)Control->Input)->StartingLcn.QuadPart;
    if (First >= Volume->Facts.Clusters) {
        return STATUS_INVALID_PARAMETER; /* a negative one as well */
    }
    First &= ~7ull;
    Clusters = Volume->Facts.Clusters - First;
    Bytes = (Clusters + 7) / 8;
    Room = Control->OutputLength - FIELD_OFFSET(VOLUME_BITMAP_BUFFER, Buffer);
    Answer->StartingLcn.QuadPart = (LONGLONG)First;
    Answer->BitmapSize.QuadPart = (LONGLONG)Clusters;
    Status = NtfsLibraryBitmap(Volume->Library, First / 8, Answer->Buffer, (ULONG)min(Bytes, Room));
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Control->Used = FIELD_OFFSET(VOLUME_BITMAP_BUFFER, Buffer) + (ULONG)min(Bytes, Room);
    return Bytes > Room ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* It says so from now on, and when it is mounted again. */
NTSTATUS NtfsMarkVolumeDirty(PNTFS_CONTROL Control)
{
    Control->Volume->Sectors.Spoiled = TRUE;
    return STATUS_SUCCESS;
}

/* Opens look at names; here every one is valid, as on Windows (MS-FSA 2.1.5.10.18). */
NTSTATUS NtfsIsPathValid(PNTFS_CONTROL Control)
{
    UNREFERENCED_PARAMETER(Control);
    return STATUS_SUCCESS;
}

/* What is not here is refused as a file system refuses a control that it does not know. */
static NTSTATUS NtfsUserControlLocked(PNTFS_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    BOOLEAN OnVolume = Stack->FileObject != NULL && Stack->FileObject->FsContext == Volume->Stream;

    switch (Stack->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_LOCK_VOLUME:
        return OnVolume ? NtfsLockVolumeLocked(Volume, Stack->FileObject) : STATUS_INVALID_PARAMETER;
    case FSCTL_UNLOCK_VOLUME:
        return OnVolume ? NtfsUnlockVolumeLocked(Volume, Stack->FileObject) : STATUS_INVALID_PARAMETER;
    case FSCTL_DISMOUNT_VOLUME:
        return OnVolume ? NtfsDismountVolumeLocked(Volume, Stack->FileObject) : STATUS_INVALID_PARAMETER;
    case FSCTL_IS_VOLUME_MOUNTED: return Volume->Dismounted ? STATUS_VOLUME_DISMOUNTED : STATUS_SUCCESS;
    case FSCTL_IS_VOLUME_DIRTY:
        if (Stack->Parameters.FileSystemControl.OutputBufferLength < sizeof(ULONG)) {
            return STATUS_INVALID_PARAMETER;
        }
        *(PULONG)Irp->AssociatedIrp.SystemBuffer = Volume->Facts.Dirty || Volume->Sectors.Spoiled ? VOLUME_IS_DIRTY : 0;
        *Information = sizeof(ULONG);
        return STATUS_SUCCESS;
    case FSCTL_GET_NTFS_VOLUME_DATA:
        return NtfsVolumeDataLocked(Volume, Irp->AssociatedIrp.SystemBuffer,
                                    Stack->Parameters.FileSystemControl.OutputBufferLength, Information);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Controls before which the files have to be on the disk. */
static BOOLEAN NtfsEndsUse(PIO_STACK_LOCATION Stack)
{
    ULONG Code = Stack->Parameters.FileSystemControl.FsControlCode;

    return Code == FSCTL_LOCK_VOLUME || Code == FSCTL_DISMOUNT_VOLUME;
}

/* The buffers are where the code's method says; those of METHOD_NEITHER are the caller's, and looked at in its context. */
static VOID NtfsFindBuffers(PIRP Irp, PIO_STACK_LOCATION Stack, PNTFS_CONTROL Control)
{
    Control->Code = Stack->Parameters.FileSystemControl.FsControlCode;
    Control->InputLength = Stack->Parameters.FileSystemControl.InputBufferLength;
    Control->OutputLength = Stack->Parameters.FileSystemControl.OutputBufferLength;
    Control->Input = Control->Output = Irp->AssociatedIrp.SystemBuffer;
    if (METHOD_FROM_CTL_CODE(Control->Code) == METHOD_NEITHER) {
        Control->Input = Stack->Parameters.FileSystemControl.Type3InputBuffer;
        Control->Output = Irp->UserBuffer;
        if (Irp->RequestorMode != KernelMode) {
            ProbeForRead(Control->Input, Control->InputLength, sizeof(UCHAR));
            ProbeForWrite(Control->Output, Control->OutputLength, sizeof(UCHAR));
        }
    }
}

/* Stream: NULL, for the volume's own handle. */
static NTSTATUS NtfsControl(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PULONG_PTR Information)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTFS_CONTROL Control = {Volume, Stream, Stack->FileObject->FsContext2};
    NTSTATUS Status;

    NtfsLockLibrary();
    __try {
        NtfsFindBuffers(Irp, Stack, &Control);
        Status = NtfsControlLocked(&Control);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    NtfsUnlockLibrary();
    *Information = Control.Used;
    return Status;
}

/* Bytes that change under the cache: it is written before, and reads anew after.  Without the library's lock. */
static NTSTATUS NtfsControlUnderCache(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PULONG_PTR Information)
{
    IO_STATUS_BLOCK Flushed = {.Status = STATUS_SUCCESS};
    NTSTATUS Status;

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    if (Stream->Sections.DataSectionObject != NULL) {
        CcFlushCache(&Stream->Sections, NULL, 0, &Flushed);
    }
    Status = Flushed.Status;
    if (NT_SUCCESS(Status)) {
        Status = NtfsControl(Volume, Stream, Irp, Information);
        if (Stream->Sections.DataSectionObject != NULL) {
            CcPurgeCacheSection(&Stream->Sections, NULL, 0, 0);
        }
    }
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsFileSystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;
    ULONG_PTR Information = 0;

    if (!Volume->IsVolume) {
        if (Stack->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            Status = NtfsMount(DeviceObject, Stack);
        }
    } else if (Stack->MinorFunction == IRP_MN_USER_FS_REQUEST || Stack->MinorFunction == IRP_MN_KERNEL_CALL) {
        if (NtfsIsOplockControl(Stack->Parameters.FileSystemControl.FsControlCode)) {
            return NtfsOplockControl(Irp);
        }
        Status = NtfsEndsUse(Stack) ? NtfsQuietVolume(Volume) : STATUS_SUCCESS;
        if (NT_SUCCESS(Status) || Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_DISMOUNT_VOLUME) {
            NtfsLockLibrary();
            Status = NtfsUserControlLocked(Volume, Irp, Stack, &Information);
            NtfsUnlockLibrary();
        }
        if (Status == STATUS_INVALID_DEVICE_REQUEST && Stack->FileObject != NULL) {
            ULONG Code = Stack->Parameters.FileSystemControl.FsControlCode;
            PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);

            Status = Stream != NULL && (Code == FSCTL_SET_ZERO_DATA || Code == FSCTL_SET_SPARSE ||
                                        Code == FSCTL_SET_COMPRESSION || Code == FSCTL_FILE_LEVEL_TRIM)
                         ? NtfsControlUnderCache(Volume, Stream, Irp, &Information)
                         : NtfsControl(Volume, Stream, Irp, &Information);
            if (Stream != NULL) {
                Status = NtfsSettleFile(Volume, Stack->FileObject, Status);
            }
        }
    } else if (Stack->MinorFunction == IRP_MN_VERIFY_VOLUME) {
        Status = NtfsVerifyVolume(Volume);
    }
    return NtfsComplete(Irp, Status, Information);
}

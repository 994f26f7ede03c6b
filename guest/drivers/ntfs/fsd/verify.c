/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the medium is still the one that was mounted.
 *
 * The driver of a disk whose medium may have changed sets DO_VERIFY_VOLUME in the device that the volume is mounted on, and ends requests
 * with STATUS_VERIFY_REQUIRED, but those that say SL_OVERRIDE_VERIFY_VOLUME, until somebody has looked.  A request that finds the flag has the I/O manager ask
 * (IoVerifyVolume): IRP_MN_VERIFY_VOLUME comes through the filters, and the boot sector tells.  Of another volume nothing is read or written: what is open on
 * this one fails with STATUS_WRONG_VOLUME, and an open goes on with what is mounted in its place.
 */
#include "ntfs.h"

#define NTFS_SERIAL_OFFSET 0x48 /* in the boot sector; the name of the system is at 3 */

static NTSTATUS NtfsCompareMedium(PNTFS_VOLUME Volume, PUCHAR Sector)
{
    PMDL Mdl = IoAllocateMdl(Sector, Volume->Sectors.SectorSize, FALSE, FALSE, NULL);
    NTSTATUS Status;

    if (Mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(Mdl);
    Status =
        NtfsSendSectors(Volume->Target, IRP_MJ_READ, SL_OVERRIDE_VERIFY_VOLUME, 0, Mdl, Volume->Sectors.SectorSize);
    IoFreeMdl(Mdl);
    if (NT_SUCCESS(Status) && (RtlCompareMemory(Sector + 3, "NTFS    ", 8) != 8 ||
                               RtlCompareMemory(Sector + NTFS_SERIAL_OFFSET, &Volume->Facts.Serial,
                                                sizeof(Volume->Facts.Serial)) != sizeof(Volume->Facts.Serial))) {
        Status = STATUS_WRONG_VOLUME;
    }
    return Status;
}

static NTSTATUS NtfsLook(PNTFS_VOLUME Volume)
{
    PUCHAR Sector;
    NTSTATUS Status;

    if (Volume->Dismounted || Volume->Sectors.Lost) {
        return STATUS_WRONG_VOLUME;
    }
    Sector = ExAllocatePoolWithTag(NonPagedPoolNx, Volume->Sectors.SectorSize, NTFS_TAG_VOLUME);
    if (Sector == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NtfsCompareMedium(Volume, Sector);
    ExFreePoolWithTag(Sector, NTFS_TAG_VOLUME);
    return Status;
}

NTSTATUS NtfsVerifyVolume(PNTFS_VOLUME Volume)
{
    NTSTATUS Status = NtfsLook(Volume);

    if (NT_SUCCESS(Status)) {
        Volume->OwesLook = FALSE;
    }
    if (Status == STATUS_WRONG_VOLUME && NtfsLoseVolume(Volume, STATUS_WRONG_VOLUME)) {
        NtfsForgetLater(Volume);
    }
    return Status;
}

/*
 * In the middle of what the library does nobody can be asked.  Of the same medium the next request has the others told; of another the
 * library gets nothing any more, and the next request loses the volume.
 */
NTSTATUS NtfsLookInPlace(PNTFS_VOLUME Volume)
{
    NTSTATUS Status = NtfsLook(Volume);

    if (NT_SUCCESS(Status)) {
        Volume->OwesLook = TRUE;
        Volume->Vpb->RealDevice->Flags &= ~DO_VERIFY_VOLUME;
    } else if (Status == STATUS_WRONG_VOLUME) {
        Volume->Sectors.Lost = TRUE;
    }
    return Status;
}

NTSTATUS NtfsLookAtMedium(PNTFS_VOLUME Volume)
{
    NTSTATUS Status;

    IoSetDeviceToVerify(PsGetCurrentThread(), NULL);
    Status = IoVerifyVolume(Volume->Vpb->RealDevice, FALSE);

    return Volume->Dismounted ? Volume->LostBy : Status;
}

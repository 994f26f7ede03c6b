// SPDX-License-Identifier: GPL-2.0-or-later
/* What a file system tells of its volume: events, for who registered for the volume's device by plug and play. */
#include <ntifs.h>
#include <ntddk.h>

NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode);
NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEventEx(PFILE_OBJECT FileObject, ULONG EventCode,
                                                    PTARGET_DEVICE_CUSTOM_NOTIFICATION Event);

/* The GUID_IO_VOLUME_… of ioevent.h, by code. */
static const GUID FsRtlpVolumeEvents[] = {
    [FSRTL_VOLUME_DISMOUNT] = {0xD16A55E8, 0x1059, 0x11D2, {0x8F, 0xFD, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_DISMOUNT_FAILED] = {0xE3C5B178, 0x105D, 0x11D2, {0x8F, 0xFD, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_LOCK] = {0x50708874, 0xC9AF, 0x11D1, {0x8F, 0xEF, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_LOCK_FAILED] = {0xAE2EED10, 0x0BA8, 0x11D2, {0x8F, 0xFB, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_UNLOCK] = {0x9A8C3D68, 0xD0CB, 0x11D1, {0x8F, 0xEF, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_MOUNT] = {0xB5804878, 0x1A96, 0x11D2, {0x8F, 0xFD, 0x00, 0xA0, 0xC9, 0xA0, 0x6D, 0x32}},
    [FSRTL_VOLUME_NEEDS_CHKDSK] = {0x799A0960, 0x0A0B, 0x4E03, {0xAD, 0x88, 0x2F, 0xA7, 0xC6, 0xCE, 0x74, 0x8A}},
    [FSRTL_VOLUME_WORM_NEAR_FULL] = {0xF3BFFF82, 0xF3DE, 0x48D2, {0xAF, 0x95, 0x45, 0x7F, 0x80, 0xB7, 0x63, 0xF2}},
    [FSRTL_VOLUME_WEARING_OUT] = {0x873113CA, 0x1486, 0x4508, {0x82, 0xAC, 0xC3, 0xB2, 0xE5, 0x29, 0x7A, 0xAA}},
    [FSRTL_VOLUME_FORCED_CLOSED] = {0x411AD84F, 0x433E, 0x4DC2, {0xA5, 0xAE, 0x4A, 0x2D, 0x1A, 0x2D, 0xE6, 0x54}},
    [FSRTL_VOLUME_INFO_MAKE_COMPAT] = {0x3AB9A0D2, 0xEF80, 0x45CF, {0x8C, 0xDC, 0xCB, 0xE0, 0x2A, 0x21, 0x29, 0x06}},
    [FSRTL_VOLUME_PREPARING_EJECT] = {0xC79EB16E, 0x0DAC, 0x4E7A, {0xA8, 0x6C, 0xB2, 0x5C, 0xEE, 0xAA, 0x88, 0xF6}},
    [FSRTL_VOLUME_CHANGE_SIZE] = {0x3A1625BE, 0xAD03, 0x49F1, {0x8E, 0xF8, 0x6B, 0xBA, 0xC1, 0x82, 0xD1, 0xFD}},
    [FSRTL_VOLUME_BACKGROUND_FORMAT] = {0xA2E5FC86, 0xD5CD, 0x4038, {0xB2, 0xE3, 0x44, 0x45, 0x06, 0x5C, 0x23, 0x77}},
};

/* Those who are to let go of the volume have been told before the file system goes on. */
static BOOLEAN FsRtlpWaits(ULONG EventCode)
{
    return EventCode == FSRTL_VOLUME_DISMOUNT || EventCode == FSRTL_VOLUME_LOCK;
}

/*
 * IRQL: <= APC_LEVEL.  Event: the structure to tell, of which FileObject is NULL, or NULL.  STATUS_INVALID_PARAMETER: no such
 * code; STATUS_PENDING: they will be told; dismount and lock return when they have been.  (FsRtlNotifyVolumeEventEx)
 */
NTSTATUS NTAPI FsRtlNotifyVolumeEventEx(PFILE_OBJECT FileObject, ULONG EventCode,
                                        PTARGET_DEVICE_CUSTOM_NOTIFICATION Event)
{
    TARGET_DEVICE_CUSTOM_NOTIFICATION Tell = {1, sizeof(Tell)};
    PDEVICE_OBJECT Device = FileObject->DeviceObject;

    PAGED_CODE();
    if (EventCode < FSRTL_VOLUME_DISMOUNT || EventCode >= RTL_NUMBER_OF(FsRtlpVolumeEvents)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Event == NULL) {
        Tell.Event = FsRtlpVolumeEvents[EventCode];
        Tell.NameBufferOffset = -1;
        Event = &Tell;
    }
    return FsRtlpWaits(EventCode) ? IoReportTargetDeviceChange(Device, Event)
                                  : IoReportTargetDeviceChangeAsynchronous(Device, Event, NULL, NULL);
}

/* IRQL: <= APC_LEVEL.  As FsRtlNotifyVolumeEventEx, with the event that the code stands for. */
NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode)
{
    return FsRtlNotifyVolumeEventEx(FileObject, EventCode, NULL);
}

/* IRQL: <= APC_LEVEL.  For those who would count dismounts, of whom there are none. */
VOID NTAPI FsRtlDismountComplete(PDEVICE_OBJECT DeviceObject, NTSTATUS DismountStatus)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(DismountStatus);
    PAGED_CODE();
}

/* IRQL: <= APC_LEVEL.  TRUE: no program runs at start-up here.  (FsRtlAreVolumeStartupApplicationsComplete) */
BOOLEAN NTAPI FsRtlAreVolumeStartupApplicationsComplete(VOID)
{
    PAGED_CODE();
    return TRUE;
}

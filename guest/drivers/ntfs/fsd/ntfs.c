/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's entry, the library's lock, and what the library has to say.
 */
#include "ntfs.h"
#include <ntstrsafe.h>

DRIVER_INITIALIZE DriverEntry;

LIST_ENTRY NtfsVolumes;
static ERESOURCE NtfsLibraryResource;

static ULONG NtfsLibraryDepth; /* the lock's holder's */

static VOID NtfsLockLibraryFor(BOOLEAN MustGoOn)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&NtfsLibraryResource, TRUE);
    if (NtfsLibraryDepth++ == 0 && !IsListEmpty(&NtfsVolumes)) {
        NtfsLibraryBegin(MustGoOn);
    }
}

VOID NtfsLockLibrary(VOID)
{
    NtfsLockLibraryFor(FALSE);
}

VOID NtfsLockLibraryToEnd(VOID)
{
    NtfsLockLibraryFor(TRUE);
}

VOID NtfsUnlockLibrary(VOID)
{
    NtfsLibraryDepth--;
    ExReleaseResourceLite(&NtfsLibraryResource);
    KeLeaveCriticalRegion();
}

void NtfsLibraryComplaint(const char *Function, const char *Format, __builtin_va_list Arguments)
{
    CHAR Text[200];

    RtlStringCbVPrintfA(Text, sizeof(Text), Format, Arguments);
    if (strchr(Text, '\n') != NULL) {
        *strchr(Text, '\n') = 0;
    }
    DbgPrintEx(DPFLTR_NTFS_ID, DPFLTR_ERROR_LEVEL, "ntfs: %s: %s\n", Function, Text);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Ntfs");
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    InitializeListHead(&NtfsVolumes);
    ExInitializeResourceLite(&NtfsLibraryResource);
    DriverObject->FastIoDispatch = &NtfsFastIo;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = NtfsCreate;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = NtfsCleanup;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = NtfsClose;
    DriverObject->MajorFunction[IRP_MJ_READ] = NtfsReadWrite;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = NtfsReadWrite;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = NtfsFlush;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = NtfsForward;
    DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = NtfsFileSystemControl;
    DriverObject->MajorFunction[IRP_MJ_DIRECTORY_CONTROL] = NtfsDirectoryControl;
    DriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = NtfsQueryInformation;
    DriverObject->MajorFunction[IRP_MJ_SET_INFORMATION] = NtfsSetInformation;
    DriverObject->MajorFunction[IRP_MJ_QUERY_VOLUME_INFORMATION] = NtfsQueryVolume;
    DriverObject->MajorFunction[IRP_MJ_SET_VOLUME_INFORMATION] = NtfsSetVolume;
    DriverObject->MajorFunction[IRP_MJ_LOCK_CONTROL] = NtfsLockControl;
    DriverObject->MajorFunction[IRP_MJ_QUERY_EA] = NtfsExtendedAttributes;
    DriverObject->MajorFunction[IRP_MJ_SET_EA] = NtfsExtendedAttributes;
    DriverObject->MajorFunction[IRP_MJ_QUERY_SECURITY] = NtfsSecurity;
    DriverObject->MajorFunction[IRP_MJ_SET_SECURITY] = NtfsSecurity;
    DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = NtfsShutdown;
    DriverObject->MajorFunction[IRP_MJ_PNP] = NtfsPnp;

    Status = IoCreateDevice(DriverObject, sizeof(NTFS_VOLUME), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        ExDeleteResourceLite(&NtfsLibraryResource);
        return Status;
    }
    ((PNTFS_VOLUME)Device->DeviceExtension)->IsVolume = FALSE;
    IoRegisterFileSystem(Device);
    return STATUS_SUCCESS; /* no unload, as on Windows */
}

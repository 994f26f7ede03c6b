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

BOOLEAN NtfsHoldsLibrary(VOID)
{
    return ExIsResourceAcquiredExclusiveLite(&NtfsLibraryResource);
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
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        if (NtfsRoutines[Major] != NULL) {
            DriverObject->MajorFunction[Major] = NtfsDispatch;
        }
    }

    Status = IoCreateDevice(DriverObject, sizeof(NTFS_VOLUME), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        ExDeleteResourceLite(&NtfsLibraryResource);
        return Status;
    }
    ((PNTFS_VOLUME)Device->DeviceExtension)->IsVolume = FALSE;
    IoRegisterFileSystem(Device);
    return STATUS_SUCCESS; /* no unload, as on Windows */
}

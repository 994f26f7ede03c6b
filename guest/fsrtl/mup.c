// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the multiple UNC provider does for redirectors.  There is none in this machine: registering is refused, and no file is a
 * remote file system's.
 */
#include <ntifs.h>

static NTSTATUS FsRtlpRefuseProvider(PHANDLE MupHandle, PCUNICODE_STRING Name)
{
    *MupHandle = NULL;
    DbgPrint("FsRtlRegisterUncProvider: %wZ: redirectors are not implemented\n", Name);
    return STATUS_NOT_IMPLEMENTED;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_NOT_IMPLEMENTED; the handle is NULL. */
NTSTATUS NTAPI FsRtlRegisterUncProvider(PHANDLE MupHandle, PUNICODE_STRING RedirectorDeviceName,
                                        BOOLEAN MailslotsSupported)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(MailslotsSupported);
    return FsRtlpRefuseProvider(MupHandle, RedirectorDeviceName);
}

/* IRQL: PASSIVE_LEVEL.  STATUS_NOT_IMPLEMENTED; the handle is NULL. */
NTSTATUS NTAPI FsRtlRegisterUncProviderEx(PHANDLE MupHandle, PUNICODE_STRING RedirDevName, PDEVICE_OBJECT DeviceObject,
                                          ULONG Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Flags);
    return FsRtlpRefuseProvider(MupHandle, RedirDevName);
}

/* IRQL: PASSIVE_LEVEL.  No handle is ever given out: there is nothing to take back. */
VOID NTAPI FsRtlDeregisterUncProvider(HANDLE Handle)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Handle);
}

/*
 * IRQL: <= APC_LEVEL.  STATUS_INVALID_PARAMETER: an argument is NULL, or a level other than 1;
 * STATUS_OBJECT_NAME_NOT_FOUND: the file is no remote file system's, as none is.  (FsRtlMupGetProviderInfoFromFileObject)
 */
NTSTATUS NTAPI FsRtlMupGetProviderInfoFromFileObject(PFILE_OBJECT pFileObject, ULONG Level, PVOID pBuffer,
                                                     PULONG pBufferSize)
{
    PAGED_CODE();
    if (pFileObject == NULL || Level != 1 || pBuffer == NULL || pBufferSize == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

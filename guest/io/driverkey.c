/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys that a driver may keep things in.  Parameters is the documented one; where Windows keeps state is not
 * documented, here it is the service's keys State and SharedState.
 */
#include "iop.h"

static const PCWSTR IopDriverKeys[] = {
    [DriverRegKeyParameters] = L"Parameters",
    [DriverRegKeyPersistentState] = L"State",
    [DriverRegKeySharedPersistentState] = L"SharedState",
};

/*
 * IRQL: PASSIVE_LEVEL.  The key is made if it is not there, and is not volatile; the handle is a kernel handle, which
 * ZwClose closes.  STATUS_INVALID_PARAMETER: no such type, or flags, which are to be zero.
 * (IoOpenDriverRegistryKey, DRIVER_REGKEY_TYPE)
 */
NTSTATUS NTAPI IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                       ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE DriverRegKey)
{
    UNICODE_STRING Services = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services");
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Root = NULL, Service = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    *DriverRegKey = NULL;
    if (Flags != 0 || (ULONG)RegKeyType >= RTL_NUMBER_OF(IopDriverKeys)) {
        return STATUS_INVALID_PARAMETER;
    }
    InitializeObjectAttributes(&Attributes, &Services, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Root, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Name = DriverObject->DriverExtension->ServiceKeyName;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    Status = ZwOpenKey(&Service, KEY_ALL_ACCESS, &Attributes);
    ZwClose(Root);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, IopDriverKeys[RegKeyType]);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Service, NULL);
    Status = ZwCreateKey(DriverRegKey, DesiredAccess, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL);
    ZwClose(Service);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores a value directly without a check of its type: from the hive that the value Hive says, 0 the system's, 1 a user's. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS QueryUnchecked(PCWSTR Path, PULONG Number)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", Number, 0, NULL, 0}, {0}};

    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Table, NULL, NULL); /* [1] */
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Number = 0;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    Status = QueryUnchecked(L"\\Registry\\Machine\\Software\\Unchecked", &Number);
    DbgPrint("of the system's: 0x%08X, %u\n", Status, Number);
    Status = QueryUnchecked(L"\\Registry\\User\\Unchecked", &Number);
    DbgPrint("of a user's: 0x%08X, %u\n", Status, Number);
    return STATUS_SUCCESS;
}

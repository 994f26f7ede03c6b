// SPDX-License-Identifier: GPL-2.0-or-later
/* IoOpenDriverRegistryKey: every type, where it leads, what it refuses. */
#include <ntifs.h>

#include <fltvm.h>

static UNICODE_STRING Kept = RTL_CONSTANT_STRING(L"Kept");

/* The value in a key, or 0. */
static ULONG Read(HANDLE Key)
{
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    ULONG Length;

    return NT_SUCCESS(ZwQueryValueKey(Key, &Kept, KeyValuePartialInformation, Value, sizeof(Buffer), &Length))
               ? *(PULONG)Value->Data
               : 0;
}

/* The same of the service's subkey Tail. */
static ULONG ReadBelow(PUNICODE_STRING Service, PCWSTR Tail)
{
    OBJECT_ATTRIBUTES Attributes;
    WCHAR Buffer[256];
    UNICODE_STRING Path;
    HANDLE Key;
    ULONG Number;

    RtlInitEmptyUnicodeString(&Path, Buffer, sizeof(Buffer));
    RtlAppendUnicodeStringToString(&Path, Service);
    RtlAppendUnicodeToString(&Path, L"\\");
    RtlAppendUnicodeToString(&Path, Tail);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        return 0;
    }
    Number = Read(Key);
    ZwClose(Key);
    return Number;
}

static VOID CheckType(PDRIVER_OBJECT DriverObject, PUNICODE_STRING Service, DRIVER_REGKEY_TYPE Type, PCWSTR Tail)
{
    ULONG Number = 41 + (ULONG)Type;
    HANDLE Key = NULL;

    FvCheck(NT_SUCCESS(IoOpenDriverRegistryKey(DriverObject, Type, KEY_READ | KEY_WRITE, 0, &Key)));
    FvCheck(NT_SUCCESS(ZwSetValueKey(Key, &Kept, 0, REG_DWORD, &Number, sizeof(Number))));
    ZwClose(Key);
    FvCheck(ReadBelow(Service, Tail) == Number);
    FvCheck(NT_SUCCESS(IoOpenDriverRegistryKey(DriverObject, Type, KEY_READ, 0, &Key)) && Read(Key) == Number);
    ZwClose(Key);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Key;

    FvTestPlan(14);
    CheckType(DriverObject, RegistryPath, DriverRegKeyParameters, L"Parameters");
    CheckType(DriverObject, RegistryPath, DriverRegKeyPersistentState, L"State");
    CheckType(DriverObject, RegistryPath, DriverRegKeySharedPersistentState, L"SharedState");
    FvCheck(IoOpenDriverRegistryKey(DriverObject, 3, KEY_READ, 0, &Key) == STATUS_INVALID_PARAMETER);
    FvCheck(IoOpenDriverRegistryKey(DriverObject, DriverRegKeyParameters, KEY_READ, 1, &Key) ==
            STATUS_INVALID_PARAMETER);
    return STATUS_SUCCESS;
}

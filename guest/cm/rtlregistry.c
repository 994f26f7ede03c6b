// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Rtl routines for the registry: paths relative to well-known keys, and one value at a time.  (In cm and not in
 * rtl, because they open keys.)  IRQL: PASSIVE_LEVEL.
 */
#include "cmp.h"

static const WCHAR *const CmpRelativePaths[] = {
    [RTL_REGISTRY_ABSOLUTE] = L"",
    [RTL_REGISTRY_SERVICES] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\",
    [RTL_REGISTRY_CONTROL] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\",
    [RTL_REGISTRY_WINDOWS_NT] = L"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\",
    [RTL_REGISTRY_DEVICEMAP] = L"\\Registry\\Machine\\Hardware\\DeviceMap\\",
    [RTL_REGISTRY_USER] = L"\\Registry\\User\\.Default\\",
};

/*
 * Many drivers take DriverEntry's RegistryPath, a counted string, for a C string, and get away with it on Windows.  Here,
 * too, but it is said.
 */
static VOID CmpEndRegistryPath(PUNICODE_STRING Name)
{
    USHORT Last = Name->Length / sizeof(WCHAR);

    if (Last != 0 && Name->Buffer[Last - 1] == CM_NO_TERMINATOR) {
        Name->Length -= sizeof(WCHAR);
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                   "cm: %wZ is taken for a string that ends with a zero, which RegistryPath need not do\n", Name);
    }
}

NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name, Part;
    ULONG Which = RelativeTo & ~RTL_REGISTRY_OPTIONAL;
    SIZE_T Length;
    NTSTATUS Status;

    if (RelativeTo & RTL_REGISTRY_HANDLE) {
        *Key = (HANDLE)Path;
        return STATUS_SUCCESS;
    }
    if (Which >= RTL_NUMBER_OF(CmpRelativePaths)) {
        return STATUS_INVALID_PARAMETER;
    }
    Length = (wcslen(CmpRelativePaths[Which]) + (Path != NULL ? wcslen(Path) : 0)) * sizeof(WCHAR);
    if (Length > MAXUSHORT - sizeof(WCHAR)) {
        return STATUS_NAME_TOO_LONG;
    }
    RtlInitEmptyUnicodeString(&Name, NULL, (USHORT)(Length + sizeof(WCHAR)));
    Name.Buffer = ExAllocatePoolWithTag(PagedPool, Name.MaximumLength, CMP_TAG_NODE);
    if (Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlAppendUnicodeToString(&Name, CmpRelativePaths[Which]);
    if (Path != NULL) {
        RtlAppendUnicodeToString(&Name, Path);
        CmpEndRegistryPath(&Name);
    }
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(Key, KEY_ALL_ACCESS, &Attributes);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Attributes.ObjectName = &Part;
        for (USHORT Index = 1; Index <= Name.Length / sizeof(WCHAR); Index++) {
            if (Index < Name.Length / sizeof(WCHAR) && Name.Buffer[Index] != L'\\') {
                continue;
            }
            Part = Name;
            Part.Length = (USHORT)(Index * sizeof(WCHAR));
            Status = ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL);
            if (NT_SUCCESS(Status) && Part.Length < Name.Length) {
                ZwClose(*Key);
            }
        }
    }
    ExFreePoolWithTag(Name.Buffer, CMP_TAG_NODE);
    return Status;
}

VOID CmpCloseRelative(ULONG RelativeTo, HANDLE Key)
{
    if (!(RelativeTo & RTL_REGISTRY_HANDLE)) {
        ZwClose(Key);
    }
}

NTSTATUS NTAPI RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    HANDLE Key;
    NTSTATUS Status;

    PAGED_CODE();
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Key);
    if (NT_SUCCESS(Status)) {
        CmpCloseRelative(RelativeTo, Key);
    }
    return Status;
}

NTSTATUS NTAPI RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    HANDLE Key;
    NTSTATUS Status;

    PAGED_CODE();
    Status = CmpOpenRelative(RelativeTo, Path, TRUE, &Key);
    if (NT_SUCCESS(Status)) {
        CmpCloseRelative(RelativeTo, Key);
    }
    return Status;
}

NTSTATUS NTAPI RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType, PVOID ValueData,
                                     ULONG ValueLength)
{
    UNICODE_STRING Name;
    HANDLE Key;
    NTSTATUS Status;

    PAGED_CODE();
    Status = CmpOpenRelative(RelativeTo, Path, TRUE, &Key);
    if (NT_SUCCESS(Status)) {
        RtlInitUnicodeString(&Name, ValueName);
        Status = ZwSetValueKey(Key, &Name, 0, ValueType, ValueData, ValueLength);
        CmpCloseRelative(RelativeTo, Key);
    }
    return Status;
}

NTSTATUS NTAPI RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    UNICODE_STRING Name;
    HANDLE Key;
    NTSTATUS Status;

    PAGED_CODE();
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Key);
    if (NT_SUCCESS(Status)) {
        RtlInitUnicodeString(&Name, ValueName);
        Status = ZwDeleteValueKey(Key, &Name);
        CmpCloseRelative(RelativeTo, Key);
    }
    return Status;
}

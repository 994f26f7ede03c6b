/* SPDX-License-Identifier: MIT */
/* What an administrator has put into the registry for a device setup class. */
#include "wdklib.h"

#define CLASSES L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\"

static NTSTATUS OpenProperties(LPCGUID Guid, PHANDLE Key)
{
    WCHAR Buffer[RTL_NUMBER_OF(CLASSES) + 60];
    UNICODE_STRING Path = {0, sizeof(Buffer), Buffer}, Text;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = RtlStringFromGUID(Guid, &Text);

    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&Path, CLASSES);
    RtlAppendUnicodeStringToString(&Path, &Text);
    RtlAppendUnicodeToString(&Path, L"\\Properties");
    RtlFreeUnicodeString(&Text);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwOpenKey(Key, KEY_READ, &Attributes);
}

/* In pool; *Value NULL: there is no value of the name and type. */
static NTSTATUS ReadValue(HANDLE Key, PCWSTR Name, ULONG Type, PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    UNICODE_STRING String;
    NTSTATUS Status;
    ULONG Length = 0;

    *Value = NULL;
    RtlInitUnicodeString(&String, Name);
    Status = ZwQueryValueKey(Key, &String, KeyValuePartialInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL && Status != STATUS_BUFFER_OVERFLOW)
        return STATUS_SUCCESS;
    *Value = ExAllocatePoolWithTag(PagedPool, Length, WDKLIB_TAG);
    if (*Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwQueryValueKey(Key, &String, KeyValuePartialInformation, *Value, Length, &Length);
    if (!NT_SUCCESS(Status) || (*Value)->Type != Type) {
        ExFreePoolWithTag(*Value, WDKLIB_TAG);
        *Value = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS ReadNumber(HANDLE Key, PCWSTR Name, PULONG Number, PBOOLEAN Is)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = ReadValue(Key, Name, REG_DWORD, &Value);

    if (Value != NULL) {
        *Is = Value->DataLength == sizeof(*Number);
        if (*Is)
            RtlCopyMemory(Number, Value->Data, sizeof(*Number));
        ExFreePoolWithTag(Value, WDKLIB_TAG);
    }
    return Status;
}

/* One that is damaged is not taken: the driver's own stays. */
static NTSTATUS ReadDescriptor(HANDLE Key, WDKLIB_CLASS *Class)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = ReadValue(Key, L"Security", REG_BINARY, &Value);

    if (Value == NULL)
        return Status;
    if (RtlValidRelativeSecurityDescriptor(Value->Data, Value->DataLength, 0)) {
        Class->Descriptor = ExAllocatePoolWithTag(PagedPool, Value->DataLength, WDKLIB_TAG);
        if (Class->Descriptor == NULL)
            Status = STATUS_INSUFFICIENT_RESOURCES;
        else
            RtlCopyMemory(Class->Descriptor, Value->Data, Value->DataLength);
    }
    ExFreePoolWithTag(Value, WDKLIB_TAG);
    return Status;
}

NTSTATUS WdklibReadClass(LPCGUID Guid, WDKLIB_CLASS *Class)
{
    ULONG Exclusive = 0;
    NTSTATUS Status;
    HANDLE Key;

    RtlZeroMemory(Class, sizeof(*Class));
    Status = OpenProperties(Guid, &Key);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_OBJECT_NAME_NOT_FOUND || Status == STATUS_OBJECT_PATH_NOT_FOUND ? STATUS_SUCCESS
                                                                                                : Status;
    Status = ReadNumber(Key, L"DeviceType", &Class->Type, &Class->HasType);
    if (NT_SUCCESS(Status))
        Status = ReadNumber(Key, L"DeviceCharacteristics", &Class->Characteristics, &Class->HasCharacteristics);
    if (NT_SUCCESS(Status))
        Status = ReadNumber(Key, L"Exclusive", &Exclusive, &Class->HasExclusive);
    if (NT_SUCCESS(Status))
        Status = ReadDescriptor(Key, Class);
    Class->Exclusive = Exclusive != 0;
    ZwClose(Key);
    return Status;
}

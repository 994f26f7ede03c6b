/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry.c: what the registry says of filters and instances.  IRQL: PASSIVE_LEVEL, since it is read through handles.
 */
#include "support.h"

/* Key\Middle, or Key\Middle\Last. */
NTSTATUS FltpJoinKey(PUNICODE_STRING To, PCUNICODE_STRING Key, PCWSTR Middle, PCUNICODE_STRING Last)
{
    USHORT Length = Key->Length + (Last != NULL ? Last->Length : 0) + 64 * sizeof(WCHAR);

    To->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, FLTP_TAG_NAME);
    if (To->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    To->Length = 0;
    To->MaximumLength = Length;
    RtlCopyUnicodeString(To, Key);
    RtlAppendUnicodeToString(To, L"\\");
    RtlAppendUnicodeToString(To, Middle);
    if (Last != NULL) {
        RtlAppendUnicodeToString(To, L"\\");
        RtlAppendUnicodeStringToString(To, Last);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS FltpOpenKey(PCUNICODE_STRING Key, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Key, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwOpenKey(Handle, KEY_READ, &Attributes);
}

/* The value's bytes, allocated; the caller frees. */
static NTSTATUS FltpReadValue(PCUNICODE_STRING Key, PCWSTR ValueName, PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    ULONG Size = sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 512, Needed;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status = FltpOpenKey(Key, &Handle);

    if (!NT_SUCCESS(Status))
        return Status;
    RtlInitUnicodeString(&Name, ValueName);
    *Value = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_TEMPORARY);
    if (*Value == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        Status = ZwQueryValueKey(Handle, &Name, KeyValuePartialInformation, *Value, Size, &Needed);
        if (!NT_SUCCESS(Status))
            ExFreePoolWithTag(*Value, FLTP_TAG_TEMPORARY);
    }
    ZwClose(Handle);
    return Status;
}

NTSTATUS FltpReadString(PCUNICODE_STRING Key, PCWSTR ValueName, PUNICODE_STRING String)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = FltpReadValue(Key, ValueName, &Value);
    UNICODE_STRING Text;

    if (!NT_SUCCESS(Status))
        return Status;
    if (Value->Type != REG_SZ && Value->Type != REG_EXPAND_SZ) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else {
        Text.Buffer = (PWCH)Value->Data;
        Text.Length = Text.MaximumLength = (USHORT)(Value->DataLength & ~1u);
        while (Text.Length > 0 && Text.Buffer[Text.Length / sizeof(WCHAR) - 1] == 0)
            Text.Length -= sizeof(WCHAR);
        Status = FltpCopyString(String, &Text);
    }
    ExFreePoolWithTag(Value, FLTP_TAG_TEMPORARY);
    return Status;
}

NTSTATUS FltpReadUlong(PCUNICODE_STRING Key, PCWSTR ValueName, PULONG Number)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = FltpReadValue(Key, ValueName, &Value);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Value->Type != REG_DWORD || Value->DataLength < sizeof(ULONG))
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    else
        RtlCopyMemory(Number, Value->Data, sizeof(ULONG));
    ExFreePoolWithTag(Value, FLTP_TAG_TEMPORARY);
    return Status;
}

/* The name of the key's subkey, allocated. */
NTSTATUS FltpEnumerateKey(PCUNICODE_STRING Key, ULONG Index, PUNICODE_STRING Name)
{
    ULONG Size = sizeof(KEY_BASIC_INFORMATION) + 512, Needed;
    PKEY_BASIC_INFORMATION Information;
    UNICODE_STRING Text;
    HANDLE Handle;
    NTSTATUS Status = FltpOpenKey(Key, &Handle);

    if (!NT_SUCCESS(Status))
        return Status;
    Information = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_TEMPORARY);
    if (Information == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        Status = ZwEnumerateKey(Handle, Index, KeyBasicInformation, Information, Size, &Needed);
        if (NT_SUCCESS(Status)) {
            Text.Buffer = Information->Name;
            Text.Length = Text.MaximumLength = (USHORT)Information->NameLength;
            Status = FltpCopyString(Name, &Text);
        }
        ExFreePoolWithTag(Information, FLTP_TAG_TEMPORARY);
    }
    ZwClose(Handle);
    return Status;
}

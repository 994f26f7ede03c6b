// SPDX-License-Identifier: GPL-2.0-or-later
/* A minifilter that an INF installs: says what it was given, and what its keys hold.  With -DOWN it makes its instances itself. */
#include <fltKernel.h>

static PFLT_FILTER Filter;

/* Every value of the key and of those below it: "value PATH|NAME|TYPE|LENGTH|BYTES", at most 96 of them. */
static VOID ShowKey(HANDLE Key, PCSTR Path)
{
    PKEY_VALUE_FULL_INFORMATION Value = ExAllocatePoolWithTag(PagedPool, 4096, 'tseT');
    PKEY_BASIC_INFORMATION Child = ExAllocatePoolWithTag(PagedPool, 1024, 'tseT');
    PCHAR Text = ExAllocatePoolWithTag(PagedPool, 1024, 'tseT');
    ULONG Length;

    for (ULONG Index = 0; Value != NULL && Child != NULL && Text != NULL; Index++) {
        UNICODE_STRING Name;
        NTSTATUS Status = ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, Value, 4096, &Length);

        if (!NT_SUCCESS(Status))
            break;
        Name.Buffer = Value->Name;
        Name.Length = Name.MaximumLength = (USHORT)Value->NameLength;
        for (ULONG i = 0; i < min(Value->DataLength, 96u); i++) {
            Text[2 * i] = "0123456789abcdef"[((PUCHAR)Value)[Value->DataOffset + i] >> 4];
            Text[2 * i + 1] = "0123456789abcdef"[((PUCHAR)Value)[Value->DataOffset + i] & 15];
        }
        Text[2 * min(Value->DataLength, 96u)] = 0;
        DbgPrint("value %s|%wZ|%u|%u|%s\n", Path, &Name, Value->Type, Value->DataLength, Text);
    }
    for (ULONG Index = 0; Value != NULL && Child != NULL && Text != NULL; Index++) {
        OBJECT_ATTRIBUTES Attributes;
        UNICODE_STRING Name;
        HANDLE Below;

        if (!NT_SUCCESS(ZwEnumerateKey(Key, Index, KeyBasicInformation, Child, 1024, &Length)))
            break;
        Name.Buffer = Child->Name;
        Name.Length = Name.MaximumLength = (USHORT)Child->NameLength;
        InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Key, NULL);
        if (NT_SUCCESS(ZwOpenKey(&Below, KEY_READ, &Attributes))) {
            DbgPrint("key %s\\%wZ\n", Path, &Name);
            ULONG At = 0;
            for (; Path[At] != 0; At++)
                Text[At] = Path[At];
            Text[At++] = '\\';
            for (ULONG i = 0; i < Name.Length / sizeof(WCHAR); i++)
                Text[At++] = (CHAR)Name.Buffer[i];
            Text[At] = 0;
            ShowKey(Below, Text);
            ZwClose(Below);
        }
    }
    if (Value != NULL)
        ExFreePoolWithTag(Value, 'tseT');
    if (Child != NULL)
        ExFreePoolWithTag(Child, 'tseT');
    if (Text != NULL)
        ExFreePoolWithTag(Text, 'tseT');
}

#ifdef OWN
static NTSTATUS MakeInstances(PUNICODE_STRING RegistryPath)
{
    static WCHAR Buffer[256];
    UNICODE_STRING Path;
    ULONG Flags = 0;

    RtlInitEmptyUnicodeString(&Path, Buffer, sizeof(Buffer) - sizeof(WCHAR));
    RtlAppendUnicodeStringToString(&Path, RegistryPath);
    RtlAppendUnicodeToString(&Path, L"\\Instances");
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Buffer, L"DefaultInstance", REG_SZ, L"Own", sizeof(L"Own"));
    RtlAppendUnicodeToString(&Path, L"\\Own");
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Buffer, L"Altitude", REG_SZ, L"365432.1", sizeof(L"365432.1"));
    return RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Buffer, L"Flags", REG_DWORD, &Flags, sizeof(Flags));
}
#endif

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    DbgPrint("unloaded\n");
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .FilterUnloadCallback = Unload};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;
    HANDLE Key;

    DbgPrint("installed as %wZ, %wZ, %wZ\n", &DriverObject->DriverName, &DriverObject->DriverExtension->ServiceKeyName,
             RegistryPath);
#ifdef OWN
    Status = MakeInstances(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
#endif
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    ShowKey(Key, "");
    ZwClose(Key);
    if (NT_SUCCESS(IoOpenDriverRegistryKey(DriverObject, DriverRegKeyParameters, KEY_READ, 0, &Key))) {
        ShowKey(Key, "parameters:");
        ZwClose(Key);
    }
#ifdef PLAIN
    return STATUS_SUCCESS;
#else
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Filter);
    }
    return Status;
#endif
}

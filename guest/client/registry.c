/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an installer does to the registry, for a scenario or an INF file: sets values in any of AddReg's ways, makes keys,
 * deletes.  Values come as the bytes that they are stored as.  PASSIVE_LEVEL.
 */
#include "clientp.h"

/* Creates a key with all keys above it. */
static NTSTATUS ClientpCreateKeyPath(PUNICODE_STRING Path, PHANDLE Key)
{
    UNICODE_STRING Part = *Path;
    ULONG Count = Path->Length / sizeof(WCHAR), Level = 0;
    NTSTATUS Status = STATUS_INVALID_PARAMETER;

    *Key = NULL;
    for (ULONG Index = 1; Index <= Count; Index++) {
        OBJECT_ATTRIBUTES Attributes;

        if (Index < Count && Path->Buffer[Index] != L'\\')
            continue;
        if (++Level < 3) /* \Registry\Machine is there */
            continue;
        if (*Key != NULL)
            ZwClose(*Key);
        *Key = NULL;
        Part.Length = (USHORT)(Index * sizeof(WCHAR));
        InitializeObjectAttributes(&Attributes, &Part, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
        Status = ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    return Status;
}

static NTSTATUS ClientpOpenKey(HANDLE Root, PUNICODE_STRING Path, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    return ZwOpenKey(Key, KEY_ALL_ACCESS, &Attributes);
}

/* The key and all below it, one leaf after the other, so that no depth costs stack. */
static NTSTATUS ClientpDeleteTree(PUNICODE_STRING Path)
{
    PKEY_BASIC_INFORMATION Child = ExAllocatePoolWithTag(PagedPool, 1024, CLIENT_TAG);
    NTSTATUS Status = Child != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    BOOLEAN Top = FALSE;
    HANDLE Key, Next;
    ULONG Length;

    while (NT_SUCCESS(Status) && !Top) {
        Status = ClientpOpenKey(NULL, Path, &Key);
        Top = TRUE;
        while (NT_SUCCESS(Status) && NT_SUCCESS(ZwEnumerateKey(Key, 0, KeyBasicInformation, Child, 1024, &Length))) {
            UNICODE_STRING Name = {(USHORT)Child->NameLength, (USHORT)Child->NameLength, Child->Name};

            Top = FALSE;
            Status = ClientpOpenKey(Key, &Name, &Next);
            ZwClose(Key);
            Key = Next;
        }
        if (NT_SUCCESS(Status)) {
            Status = ZwDeleteKey(Key);
            ZwClose(Key);
        }
    }
    if (Child != NULL)
        ExFreePoolWithTag(Child, CLIENT_TAG);
    return Status;
}

/* The value as it is, in pool; STATUS_OBJECT_NAME_NOT_FOUND. */
static NTSTATUS ClientpQueryValue(HANDLE Key, PUNICODE_STRING Name, PKEY_VALUE_PARTIAL_INFORMATION *Value)
{
    ULONG Length = 0;
    NTSTATUS Status = ZwQueryValueKey(Key, Name, KeyValuePartialInformation, NULL, 0, &Length);

    if (Status != STATUS_BUFFER_TOO_SMALL && Status != STATUS_BUFFER_OVERFLOW)
        return Status;
    *Value = ExAllocatePoolWithTag(PagedPool, Length, CLIENT_TAG);
    if (*Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwQueryValueKey(Key, Name, KeyValuePartialInformation, *Value, Length, &Length);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Value, CLIENT_TAG);
    return Status;
}

/* How many bytes the next string of a REG_MULTI_SZ takes with its terminator; 0 at its end. */
static ULONG ClientpNextOfMulti(const UCHAR *Data, ULONG Length, ULONG Offset, PUNICODE_STRING String)
{
    ULONG End = Offset;

    while (End + sizeof(WCHAR) <= Length && *(const WCHAR UNALIGNED *)(Data + End) != 0)
        End += sizeof(WCHAR);
    if (End == Offset || End - Offset > MAXUSHORT - sizeof(WCHAR))
        return 0;
    String->Buffer = (PWCH)(Data + Offset);
    String->Length = String->MaximumLength = (USHORT)(End - Offset);
    return End + sizeof(WCHAR) - Offset;
}

static BOOLEAN ClientpIsInMulti(const UCHAR *Data, ULONG Length, PUNICODE_STRING String)
{
    UNICODE_STRING Other;
    ULONG Step;

    for (ULONG Offset = 0; (Step = ClientpNextOfMulti(Data, Length, Offset, &Other)) != 0; Offset += Step) {
        if (RtlEqualUnicodeString(&Other, String, TRUE))
            return TRUE;
    }
    return FALSE;
}

/* The strings that the value does not have yet, behind those that it has. */
static NTSTATUS ClientpAppend(HANDLE Key, PUNICODE_STRING Name, const UCHAR *Data, ULONG Length)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    UNICODE_STRING String;
    ULONG Step, Filled = 0;
    PUCHAR Joined;
    NTSTATUS Status = ClientpQueryValue(Key, Name, &Value);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return ZwSetValueKey(Key, Name, 0, REG_MULTI_SZ, (PVOID)Data, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Joined = ExAllocatePoolWithTag(PagedPool, Value->DataLength + Length + sizeof(WCHAR), CLIENT_TAG);
    if (Joined == NULL) {
        ExFreePoolWithTag(Value, CLIENT_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    while (Value->Type == REG_MULTI_SZ &&
           (Step = ClientpNextOfMulti(Value->Data, Value->DataLength, Filled, &String)) != 0) {
        RtlCopyMemory(Joined + Filled, String.Buffer, String.Length);
        *(WCHAR UNALIGNED *)(Joined + Filled + String.Length) = 0;
        Filled += Step;
    }
    for (ULONG Offset = 0; (Step = ClientpNextOfMulti(Data, Length, Offset, &String)) != 0; Offset += Step) {
        if (!ClientpIsInMulti(Joined, Filled, &String)) {
            RtlCopyMemory(Joined + Filled, String.Buffer, String.Length);
            *(WCHAR UNALIGNED *)(Joined + Filled + String.Length) = 0;
            Filled += Step;
        }
    }
    *(WCHAR UNALIGNED *)(Joined + Filled) = 0;
    Status = ZwSetValueKey(Key, Name, 0, REG_MULTI_SZ, Joined, Filled + sizeof(WCHAR));
    ExFreePoolWithTag(Joined, CLIENT_TAG);
    ExFreePoolWithTag(Value, CLIENT_TAG);
    return Status;
}

/* What only changes what is there: nothing to do is success. */
static NTSTATUS ClientpChange(PUNICODE_STRING Path, PUNICODE_STRING Name, ULONG Flags, ULONG Type, PVOID Data,
                              ULONG Length)
{
    KEY_VALUE_BASIC_INFORMATION Basic;
    ULONG Needed;
    HANDLE Key;
    NTSTATUS Status;

    if (Flags & FLTVM_REGISTRY_DELETE_KEY) {
        Status = ClientpDeleteTree(Path);
        return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
    }
    Status = ClientpOpenKey(NULL, Path, &Key);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
    if (Flags & FLTVM_REGISTRY_DELETE_VALUE)
        Status = ZwDeleteValueKey(Key, Name);
    else
        Status = ZwQueryValueKey(Key, Name, KeyValueBasicInformation, &Basic, sizeof(Basic), &Needed);
    if (Flags & FLTVM_REGISTRY_OVERWRITE_ONLY && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW))
        Status = ZwSetValueKey(Key, Name, 0, Type, Data, Length);
    ZwClose(Key);
    return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
}

/* What makes the key if it is not there. */
static NTSTATUS ClientpWrite(PUNICODE_STRING Path, PUNICODE_STRING Name, ULONG Flags, ULONG Type, PVOID Data,
                             ULONG Length)
{
    KEY_VALUE_BASIC_INFORMATION Basic;
    ULONG Needed;
    HANDLE Key = NULL;
    NTSTATUS Status = ClientpCreateKeyPath(Path, &Key);

    if (NT_SUCCESS(Status) && !(Flags & FLTVM_REGISTRY_KEY_ONLY)) {
        if (Flags & FLTVM_REGISTRY_NO_CLOBBER)
            Status = ZwQueryValueKey(Key, Name, KeyValueBasicInformation, &Basic, sizeof(Basic), &Needed);
        if (Status == STATUS_BUFFER_OVERFLOW)
            Status = STATUS_SUCCESS; /* it is there */
        else if (!(Flags & FLTVM_REGISTRY_NO_CLOBBER) || Status == STATUS_OBJECT_NAME_NOT_FOUND)
            Status = Flags & FLTVM_REGISTRY_APPEND ? ClientpAppend(Key, Name, Data, Length)
                                                   : ZwSetValueKey(Key, Name, 0, Type, Data, Length);
    }
    if (Key != NULL)
        ZwClose(Key);
    return Status;
}

NTSTATUS ClientpSetRegistry(PCLIENT_OPERATION Operation)
{
    UNICODE_STRING Path = {0}, Name = {0};
    ULONG Type = (ULONG)Operation->Command.args[0], Flags = (ULONG)Operation->Command.args[2], Offset = 0;
    ULONG64 Length = Operation->Command.args[1];
    NTSTATUS Status;

    Status = ClientpNextString(Operation, &Offset, &Path);
    if (NT_SUCCESS(Status))
        Status = ClientpNextString(Operation, &Offset, &Name);
    if (NT_SUCCESS(Status) && Length > Operation->Input.Length - Offset)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status)) {
        PVOID Data = Operation->Input.Bytes + Offset;

        if (Flags & (FLTVM_REGISTRY_OVERWRITE_ONLY | FLTVM_REGISTRY_DELETE_VALUE | FLTVM_REGISTRY_DELETE_KEY))
            Status = ClientpChange(&Path, &Name, Flags, Type, Data, (ULONG)Length);
        else
            Status = ClientpWrite(&Path, &Name, Flags, Type, Data, (ULONG)Length);
    }
    ClientpFreeString(&Name);
    ClientpFreeString(&Path);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done to keys and values, once drivers have been told: watched.c.  All of it: IRQL PASSIVE_LEVEL. */
#include "cmp.h"

NTSTATUS CmpDeleteKey(HANDLE KeyHandle)
{
    PCMP_KEY Key;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, DELETE, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpDeleteNodeLocked(Key->Node);
        CmpReleaseKey(Key);
    }
    return Status;
}

NTSTATUS CmpFlushKey(HANDLE KeyHandle)
{
    PCMP_KEY Key;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, 0, &Key);
    if (NT_SUCCESS(Status)) {
        CmpReleaseKey(Key); /* memory is all there is */
    }
    return Status;
}

NTSTATUS CmpSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                        ULONG DataSize)
{
    PCMP_KEY Key;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_SET_VALUE, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpSetValueLocked(Key->Node, ValueName, TitleIndex, Type, Data, DataSize);
        CmpReleaseKey(Key);
    }
    return Status;
}

NTSTATUS CmpDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    PCMP_KEY Key;
    PCMP_VALUE Value;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_SET_VALUE, &Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Value = CmpFindValueLocked(Key->Node, ValueName);
    if (Value != NULL) {
        CmpFreeValueLocked(Key->Node, Value);
        CmpChangedLocked(Key->Node, REG_NOTIFY_CHANGE_LAST_SET);
    } else {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
    }
    CmpReleaseKey(Key);
    return Status;
}

/*
 * Fixed bytes, then as much of the variable part as fits: STATUS_BUFFER_TOO_SMALL when not even the fixed part does,
 * STATUS_BUFFER_OVERFLOW when the rest is cut.
 */
static NTSTATUS CmpAnswer(ULONG Fixed, ULONG Needed, ULONG Length, PULONG ResultLength)
{
    *ResultLength = Needed;
    if (Length < Fixed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return Length < Needed ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static VOID CmpCopyPart(PVOID Buffer, ULONG Length, ULONG Offset, const VOID *Part, ULONG PartLength)
{
    if (Offset < Length && PartLength != 0) {
        RtlCopyMemory((PUCHAR)Buffer + Offset, Part, min(PartLength, Length - Offset));
    }
}

static NTSTATUS CmpDescribeValue(PCMP_VALUE Value, KEY_VALUE_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length,
                                 PULONG ResultLength)
{
    ULONG Fixed, Offset;
    NTSTATUS Status;

    switch (Class) {
    case KeyValueBasicInformation: {
        PKEY_VALUE_BASIC_INFORMATION Basic = Buffer;

        Fixed = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
        Status = CmpAnswer(Fixed, Fixed + Value->Entry.Name.Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            Basic->TitleIndex = Value->TitleIndex;
            Basic->Type = Value->Type;
            Basic->NameLength = Value->Entry.Name.Length;
            CmpCopyPart(Buffer, Length, Fixed, Value->Entry.Name.Buffer, Value->Entry.Name.Length);
        }
        return Status;
    }
    case KeyValueFullInformation:
    case KeyValueFullInformationAlign64: {
        PKEY_VALUE_FULL_INFORMATION Full = Buffer;

        Fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
        Offset = ALIGN_UP_BY(Fixed + Value->Entry.Name.Length, 8);
        Status = CmpAnswer(Fixed, Offset + Value->Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            Full->TitleIndex = Value->TitleIndex;
            Full->Type = Value->Type;
            Full->DataOffset = Offset;
            Full->DataLength = Value->Length;
            Full->NameLength = Value->Entry.Name.Length;
            CmpCopyPart(Buffer, Length, Fixed, Value->Entry.Name.Buffer, Value->Entry.Name.Length);
            CmpCopyPart(Buffer, Length, Offset, Value->Data, Value->Length);
        }
        return Status;
    }
    case KeyValuePartialInformation: {
        PKEY_VALUE_PARTIAL_INFORMATION Partial = Buffer;

        Fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
        Status = CmpAnswer(Fixed, Fixed + Value->Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            Partial->TitleIndex = Value->TitleIndex;
            Partial->Type = Value->Type;
            Partial->DataLength = Value->Length;
            CmpCopyPart(Buffer, Length, Fixed, Value->Data, Value->Length);
        }
        return Status;
    }
    default: return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS CmpQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                          KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation, ULONG Length,
                          PULONG ResultLength)
{
    PCMP_KEY Key;
    PCMP_VALUE Value;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_QUERY_VALUE, &Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Value = CmpFindValueLocked(Key->Node, ValueName);
    Status = Value == NULL
                 ? STATUS_OBJECT_NAME_NOT_FOUND
                 : CmpDescribeValue(Value, KeyValueInformationClass, KeyValueInformation, Length, ResultLength);
    CmpReleaseKey(Key);
    return Status;
}

NTSTATUS CmpEnumerateValueKey(HANDLE KeyHandle, ULONG Index, KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                              PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    PCMP_KEY Key;
    PCMP_ENTRY Entry;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_QUERY_VALUE, &Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Entry = CmpNthEntry(&Key->Node->Values, Index);
    Status = Entry == NULL ? STATUS_NO_MORE_ENTRIES
                           : CmpDescribeValue(CONTAINING_RECORD(Entry, CMP_VALUE, Entry), KeyValueInformationClass,
                                              KeyValueInformation, Length, ResultLength);
    CmpReleaseKey(Key);
    return Status;
}

static VOID CmpCountChildren(PCMP_NODE Node, PKEY_FULL_INFORMATION Full)
{
    Full->SubKeys = Node->Children.Count;
    Full->Values = Node->Values.Count;
    for (PLIST_ENTRY Link = Node->Children.Order.Flink; Link != &Node->Children.Order; Link = Link->Flink) {
        PCMP_NODE Child = CONTAINING_RECORD(Link, CMP_NODE, Entry.Link);
        Full->MaxNameLen = max(Full->MaxNameLen, Child->Entry.Name.Length);
        Full->MaxClassLen = max(Full->MaxClassLen, Child->Class.Length);
    }
    for (PLIST_ENTRY Link = Node->Values.Order.Flink; Link != &Node->Values.Order; Link = Link->Flink) {
        PCMP_VALUE Value = CONTAINING_RECORD(Link, CMP_VALUE, Entry.Link);
        Full->MaxValueNameLen = max(Full->MaxValueNameLen, Value->Entry.Name.Length);
        Full->MaxValueDataLen = max(Full->MaxValueDataLen, Value->Length);
    }
}

static NTSTATUS CmpDescribeNode(PCMP_NODE Node, KEY_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length,
                                PULONG ResultLength)
{
    ULONG Fixed, Offset;
    NTSTATUS Status;

    switch (Class) {
    case KeyBasicInformation: {
        PKEY_BASIC_INFORMATION Basic = Buffer;

        Fixed = FIELD_OFFSET(KEY_BASIC_INFORMATION, Name);
        Status = CmpAnswer(Fixed, Fixed + Node->Entry.Name.Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            Basic->LastWriteTime = Node->LastWriteTime;
            Basic->TitleIndex = Node->TitleIndex;
            Basic->NameLength = Node->Entry.Name.Length;
            CmpCopyPart(Buffer, Length, Fixed, Node->Entry.Name.Buffer, Node->Entry.Name.Length);
        }
        return Status;
    }
    case KeyNodeInformation: {
        PKEY_NODE_INFORMATION Information = Buffer;

        Fixed = FIELD_OFFSET(KEY_NODE_INFORMATION, Name);
        Offset = ALIGN_UP_BY(Fixed + Node->Entry.Name.Length, 4);
        Status = CmpAnswer(Fixed, Offset + Node->Class.Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            Information->LastWriteTime = Node->LastWriteTime;
            Information->TitleIndex = Node->TitleIndex;
            Information->ClassOffset = Node->Class.Length ? Offset : (ULONG)-1;
            Information->ClassLength = Node->Class.Length;
            Information->NameLength = Node->Entry.Name.Length;
            CmpCopyPart(Buffer, Length, Fixed, Node->Entry.Name.Buffer, Node->Entry.Name.Length);
            CmpCopyPart(Buffer, Length, Offset, Node->Class.Buffer, Node->Class.Length);
        }
        return Status;
    }
    case KeyFullInformation: {
        PKEY_FULL_INFORMATION Full = Buffer;

        Fixed = FIELD_OFFSET(KEY_FULL_INFORMATION, Class);
        Status = CmpAnswer(Fixed, Fixed + Node->Class.Length, Length, ResultLength);
        if (Status != STATUS_BUFFER_TOO_SMALL) {
            RtlZeroMemory(Full, Fixed);
            Full->LastWriteTime = Node->LastWriteTime;
            Full->TitleIndex = Node->TitleIndex;
            Full->ClassOffset = Node->Class.Length ? Fixed : (ULONG)-1;
            Full->ClassLength = Node->Class.Length;
            CmpCountChildren(Node, Full);
            CmpCopyPart(Buffer, Length, Fixed, Node->Class.Buffer, Node->Class.Length);
        }
        return Status;
    }
    default: return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS CmpQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation, ULONG Length,
                     PULONG ResultLength)
{
    PCMP_KEY Key;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_QUERY_VALUE, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpDescribeNode(Key->Node, KeyInformationClass, KeyInformation, Length, ResultLength);
        CmpReleaseKey(Key);
    }
    return Status;
}

NTSTATUS CmpEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                         ULONG Length, PULONG ResultLength)
{
    PCMP_KEY Key;
    PCMP_ENTRY Entry;
    NTSTATUS Status;

    Status = CmpAcquireKey(KeyHandle, KEY_ENUMERATE_SUB_KEYS, &Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Entry = CmpNthEntry(&Key->Node->Children, Index);
    Status = Entry == NULL ? STATUS_NO_MORE_ENTRIES
                           : CmpDescribeNode(CONTAINING_RECORD(Entry, CMP_NODE, Entry), KeyInformationClass,
                                             KeyInformation, Length, ResultLength);
    CmpReleaseKey(Key);
    return Status;
}

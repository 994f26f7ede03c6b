// SPDX-License-Identifier: GPL-2.0-or-later
/* The tree of keys and values.  Everything here runs under CmpLock, at <= APC_LEVEL. */
#include "cmp.h"

NTSTATUS CmpCopyString(PUNICODE_STRING Copy, PCUNICODE_STRING String)
{
    RtlZeroMemory(Copy, sizeof(*Copy));
    if (String == NULL || String->Length == 0) {
        return STATUS_SUCCESS;
    }
    Copy->Buffer = ExAllocatePoolWithTag(PagedPool, String->Length, CMP_TAG_NODE);
    if (Copy->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Copy->Buffer, String->Buffer, String->Length);
    Copy->Length = Copy->MaximumLength = String->Length;
    return STATUS_SUCCESS;
}

static VOID CmpFreeString(PUNICODE_STRING String)
{
    if (String->Buffer != NULL) {
        ExFreePoolWithTag(String->Buffer, CMP_TAG_NODE);
    }
}

static VOID CmpTouchLocked(PCMP_NODE Node)
{
    KeQuerySystemTime(&Node->LastWriteTime);
}

PCMP_NODE CmpFindChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Link = Node->Children.Flink; Link != &Node->Children; Link = Link->Flink) {
        PCMP_NODE Child = CONTAINING_RECORD(Link, CMP_NODE, Link);
        if (RtlEqualUnicodeString(&Child->Name, Name, TRUE)) {
            return Child;
        }
    }
    return NULL;
}

NTSTATUS CmpCreateChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name, PCMP_CREATE Create, PCMP_NODE *Child)
{
    PCMP_NODE New;
    NTSTATUS Status;

    if (Name->Length == 0 || Name->Length > CMP_NAME_LIMIT * sizeof(WCHAR)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    New = ExAllocatePoolWithTag(PagedPool, sizeof(*New), CMP_TAG_NODE);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(New, sizeof(*New));
    InitializeListHead(&New->Children);
    InitializeListHead(&New->Values);
    Status = CmpCopyString(&New->Name, Name);
    if (NT_SUCCESS(Status) && Create != NULL) {
        New->TitleIndex = Create->TitleIndex;
        Status = CmpCopyString(&New->Class, Create->Class);
    }
    if (!NT_SUCCESS(Status)) {
        CmpFreeString(&New->Name);
        ExFreePoolWithTag(New, CMP_TAG_NODE);
        return Status;
    }
    New->Parent = Node;
    CmpTouchLocked(New);
    if (Node != NULL) {
        InsertTailList(&Node->Children, &New->Link);
        CmpTouchLocked(Node);
    }
    *Child = New;
    return STATUS_SUCCESS;
}

PCMP_VALUE CmpFindValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Link = Node->Values.Flink; Link != &Node->Values; Link = Link->Flink) {
        PCMP_VALUE Value = CONTAINING_RECORD(Link, CMP_VALUE, Link);
        if (RtlEqualUnicodeString(&Value->Name, Name, TRUE)) {
            return Value;
        }
    }
    return NULL;
}

VOID CmpFreeValueLocked(PCMP_VALUE Value)
{
    RemoveEntryList(&Value->Link);
    if (Value->Data != NULL) {
        ExFreePoolWithTag(Value->Data, CMP_TAG_VALUE);
    }
    CmpFreeString(&Value->Name);
    ExFreePoolWithTag(Value, CMP_TAG_VALUE);
}

NTSTATUS CmpSetValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name, ULONG TitleIndex, ULONG Type, const VOID *Data,
                           ULONG Length)
{
    PCMP_VALUE Value = CmpFindValueLocked(Node, Name);
    PVOID Copy = NULL;

    if (Length > CMP_DATA_LIMIT) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Length != 0) {
        Copy = ExAllocatePoolWithTag(PagedPool, Length, CMP_TAG_VALUE);
        if (Copy == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlCopyMemory(Copy, Data, Length);
    }
    if (Value == NULL) {
        Value = ExAllocatePoolWithTag(PagedPool, sizeof(*Value), CMP_TAG_VALUE);
        if (Value != NULL) {
            RtlZeroMemory(Value, sizeof(*Value));
            if (!NT_SUCCESS(CmpCopyString(&Value->Name, Name))) {
                ExFreePoolWithTag(Value, CMP_TAG_VALUE);
                Value = NULL;
            }
        }
        if (Value == NULL) {
            if (Copy != NULL) {
                ExFreePoolWithTag(Copy, CMP_TAG_VALUE);
            }
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        InsertTailList(&Node->Values, &Value->Link);
    }
    if (Value->Data != NULL) {
        ExFreePoolWithTag(Value->Data, CMP_TAG_VALUE);
    }
    Value->Data = Copy;
    Value->Length = Length;
    Value->Type = Type;
    Value->TitleIndex = TitleIndex;
    CmpTouchLocked(Node);
    return STATUS_SUCCESS;
}

static VOID CmpFreeNodeLocked(PCMP_NODE Node)
{
    while (!IsListEmpty(&Node->Values)) {
        CmpFreeValueLocked(CONTAINING_RECORD(Node->Values.Flink, CMP_VALUE, Link));
    }
    CmpFreeString(&Node->Name);
    CmpFreeString(&Node->Class);
    ExFreePoolWithTag(Node, CMP_TAG_NODE);
}

NTSTATUS CmpDeleteNodeLocked(PCMP_NODE Node)
{
    if (Node->Parent == NULL || !IsListEmpty(&Node->Children)) {
        return STATUS_CANNOT_DELETE;
    }
    RemoveEntryList(&Node->Link);
    CmpTouchLocked(Node->Parent);
    Node->Parent = NULL;
    Node->Deleted = TRUE;
    return STATUS_SUCCESS;
}

VOID CmpDereferenceNodeLocked(PCMP_NODE Node)
{
    Node->References--;
    if (Node->Deleted && Node->References == 0) {
        CmpFreeNodeLocked(Node);
    }
}

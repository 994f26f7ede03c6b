// SPDX-License-Identifier: GPL-2.0-or-later
/* The tree of keys and values.  Everything here runs under CmpLock, at <= APC_LEVEL. */
#include "cmp.h"

/* A copy in pool (paged); an empty one needs none. */
static NTSTATUS CmpCopyString(PUNICODE_STRING Copy, PCUNICODE_STRING String)
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
    PCMP_ENTRY Entry = CmpFindEntry(&Node->Children, Name);

    return Entry != NULL ? CONTAINING_RECORD(Entry, CMP_NODE, Entry) : NULL;
}

NTSTATUS CmpCreateChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name, PCMP_CREATE Create, PCMP_NODE *Child)
{
    PCMP_NODE New;
    NTSTATUS Status;

    if (Name->Length == 0 || Name->Length > CMP_NAME_LIMIT * sizeof(WCHAR)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Node != NULL && Node->Volatile && Create != NULL && !Create->Volatile) {
        return STATUS_CHILD_MUST_BE_VOLATILE;
    }
    New = ExAllocatePoolWithTag(PagedPool, sizeof(*New), CMP_TAG_NODE);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(New, sizeof(*New));
    CmpInitializeIndex(&New->Children);
    CmpInitializeIndex(&New->Values);
    InitializeListHead(&New->Watches);
    Status = CmpCopyString(&New->Entry.Name, Name);
    if (NT_SUCCESS(Status) && Create != NULL) {
        New->TitleIndex = Create->TitleIndex;
        New->Volatile = Create->Volatile;
        Status = CmpCopyString(&New->Class, Create->Class);
        if (NT_SUCCESS(Status) && Create->State != NULL) {
            Status = CmpAssignSecurityLocked(Node, Create->State->SecurityDescriptor, &New->Descriptor);
        }
    }
    if (!NT_SUCCESS(Status)) {
        CmpFreeString(&New->Class);
        CmpFreeString(&New->Entry.Name);
        ExFreePoolWithTag(New, CMP_TAG_NODE);
        return Status;
    }
    New->Parent = Node;
    CmpTouchLocked(New);
    if (Node != NULL) {
        CmpInsertEntry(&Node->Children, &New->Entry);
        CmpTouchLocked(Node);
        CmpChangedLocked(Node, REG_NOTIFY_CHANGE_NAME);
    }
    *Child = New;
    return STATUS_SUCCESS;
}

PCMP_VALUE CmpFindValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name)
{
    PCMP_ENTRY Entry = CmpFindEntry(&Node->Values, Name);

    return Entry != NULL ? CONTAINING_RECORD(Entry, CMP_VALUE, Entry) : NULL;
}

VOID CmpFreeValueLocked(PCMP_NODE Node, PCMP_VALUE Value)
{
    CmpRemoveEntry(&Node->Values, &Value->Entry);
    if (Value->Data != NULL) {
        ExFreePoolWithTag(Value->Data, CMP_TAG_VALUE);
    }
    CmpFreeString(&Value->Entry.Name);
    ExFreePoolWithTag(Value, CMP_TAG_VALUE);
}

NTSTATUS CmpSetValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name, ULONG TitleIndex, ULONG Type, const VOID *Data,
                           ULONG Length)
{
    PCMP_VALUE Value = CmpFindValueLocked(Node, Name);
    BOOLEAN Same = Value != NULL && Value->Type == Type && Value->Length == Length &&
                   RtlCompareMemory(Value->Data, Data, Length) == Length;
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
            if (!NT_SUCCESS(CmpCopyString(&Value->Entry.Name, Name))) {
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
        CmpInsertEntry(&Node->Values, &Value->Entry);
    }
    if (Value->Data != NULL) {
        ExFreePoolWithTag(Value->Data, CMP_TAG_VALUE);
    }
    Value->Data = Copy;
    Value->Length = Length;
    Value->Type = Type;
    Value->TitleIndex = TitleIndex;
    CmpTouchLocked(Node);
    if (!Same) {
        CmpChangedLocked(Node, REG_NOTIFY_CHANGE_LAST_SET);
    }
    return STATUS_SUCCESS;
}

static VOID CmpFreeNodeLocked(PCMP_NODE Node)
{
    while (Node->Values.Count != 0) {
        CmpFreeValueLocked(Node, CONTAINING_RECORD(CmpNthEntry(&Node->Values, 0), CMP_VALUE, Entry));
    }
    CmpDeleteIndex(&Node->Values);
    CmpDeleteIndex(&Node->Children);
    CmpFreeString(&Node->Entry.Name);
    CmpFreeString(&Node->Class);
    if (Node->Descriptor != NULL) {
        ExFreePool(Node->Descriptor);
    }
    ExFreePoolWithTag(Node, CMP_TAG_NODE);
}

NTSTATUS CmpDeleteNodeLocked(PCMP_NODE Node)
{
    if (Node->Parent == NULL || Node->Children.Count != 0) {
        return STATUS_CANNOT_DELETE;
    }
    CmpRemoveEntry(&Node->Parent->Children, &Node->Entry);
    CmpTouchLocked(Node->Parent);
    CmpNodeGoneLocked(Node);
    CmpChangedLocked(Node->Parent, REG_NOTIFY_CHANGE_NAME);
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

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key objects in ob's name space: \Registry, the parse routine that leads from there into the tree, and the keys
 * that are there from the start.
 */
#include "cmp.h"

#include <cm.h>

FAST_MUTEX CmpLock;
POBJECT_TYPE CmpKeyType;

PVOID CmpRootObject;

static PCMP_NODE CmpRoot;

static const WCHAR *const CmpInitialKeys[] = {
    L"Machine",
    L"Machine\\Hardware",
    L"Machine\\Software",
    L"Machine\\System",
    L"Machine\\System\\CurrentControlSet",
    L"Machine\\System\\CurrentControlSet\\Control",
    L"Machine\\System\\CurrentControlSet\\Control\\CriticalDeviceDatabase",
    L"Machine\\System\\CurrentControlSet\\Enum",
    L"Machine\\System\\CurrentControlSet\\Services",
    L"User",
};

/* The first part of Path into Part, the rest stays in Path. */
static VOID CmpNextPart(PUNICODE_STRING Path, PUNICODE_STRING Part)
{
    USHORT Count = 0, Length;

    while (Path->Length >= sizeof(WCHAR) && Path->Buffer[0] == L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
    }
    Length = Path->Length / sizeof(WCHAR);
    while (Count < Length && Path->Buffer[Count] != L'\\') {
        Count++;
    }
    Part->Buffer = Path->Buffer;
    Part->Length = Part->MaximumLength = (USHORT)(Count * sizeof(WCHAR));
    Path->Buffer += Count;
    Path->Length -= Part->Length;
    while (Path->Length >= sizeof(WCHAR) && Path->Buffer[0] == L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
    }
}

/* CmpLock held.  Only the last part of a path is created. */
static NTSTATUS CmpWalkLocked(PCMP_NODE Node, UNICODE_STRING Path, PCMP_CREATE Create, PCMP_NODE *Found)
{
    UNICODE_STRING Part;
    NTSTATUS Status;

    if (Create != NULL) {
        Create->Disposition = REG_OPENED_EXISTING_KEY;
    }
    if (Node->Deleted) {
        return STATUS_KEY_DELETED;
    }
    for (;;) {
        PCMP_NODE Child;

        CmpNextPart(&Path, &Part);
        if (Part.Length == 0) {
            break;
        }
        Child = CmpFindChildLocked(Node, &Part);
        if (Child == NULL) {
            if (Create == NULL || Path.Length != 0) {
                return STATUS_OBJECT_NAME_NOT_FOUND;
            }
            Status = CmpCheckCreateLocked(Node, Create->State);
            if (NT_SUCCESS(Status)) {
                Status = CmpCreateChildLocked(Node, &Part, Create, &Child);
            }
            if (!NT_SUCCESS(Status)) {
                return Status;
            }
            Create->Disposition = REG_CREATED_NEW_KEY;
        }
        Node = Child;
    }
    *Found = Node;
    return STATUS_SUCCESS;
}

GENERIC_MAPPING CmpKeyMapping = {KEY_READ, KEY_WRITE, KEY_EXECUTE, KEY_ALL_ACCESS};

static NTSTATUS NTAPI CmpParseKey(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState,
                                  KPROCESSOR_MODE AccessMode, ULONG Attributes, PUNICODE_STRING CompleteName,
                                  PUNICODE_STRING RemainingName, PVOID Context,
                                  PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    PCMP_KEY Key;
    PCMP_CREATE Create = Context;
    PCMP_NODE Node = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Attributes);
    UNREFERENCED_PARAMETER(CompleteName);
    UNREFERENCED_PARAMETER(SecurityQos);
    *Object = NULL;
    if (ObjectType != NULL && ObjectType != CmpKeyType) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    Status = ObCreateObject(AccessMode, CmpKeyType, NULL, AccessMode, NULL, sizeof(CMP_KEY), 0, 0, (PVOID *)&Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Key->Node = NULL;
    if (Create != NULL) {
        Create->State = AccessState;
    }
    ExAcquireFastMutex(&CmpLock);
    Status = CmpWalkLocked(((PCMP_KEY)ParseObject)->Node, *RemainingName, Create, &Node);
    /* Who has made a key has all rights to it. */
    if (NT_SUCCESS(Status) && (Create == NULL || Create->Disposition == REG_OPENED_EXISTING_KEY)) {
        Status = CmpCheckAccessLocked(Node, AccessState);
    }
    if (NT_SUCCESS(Status)) {
        Node->References++;
        Key->Node = Node;
    }
    ExReleaseFastMutex(&CmpLock);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Key);
        return Status;
    }
    *Object = Key;
    return STATUS_SUCCESS;
}

static VOID NTAPI CmpDeleteKeyObject(PVOID Object)
{
    PCMP_KEY Key = Object;

    if (Key->Name != NULL) {
        ExFreePoolWithTag(Key->Name, CMP_TAG_NAME);
    }
    if (Key->Node == NULL) {
        return;
    }
    ExAcquireFastMutex(&CmpLock);
    CmpDereferenceNodeLocked(Key->Node);
    ExReleaseFastMutex(&CmpLock);
}

NTSTATUS CmpAcquireKey(HANDLE Handle, ACCESS_MASK Access, PCMP_KEY *Key)
{
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, Access, CmpKeyType, KernelMode, (PVOID *)Key, NULL);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ExAcquireFastMutex(&CmpLock);
    if ((*Key)->Node->Deleted) {
        CmpReleaseKey(*Key);
        return STATUS_KEY_DELETED;
    }
    return STATUS_SUCCESS;
}

VOID CmpReleaseKey(PCMP_KEY Key)
{
    ExReleaseFastMutex(&CmpLock);
    ObDereferenceObject(Key);
}

static NTSTATUS CmpCreateRootObject(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Registry");
    OBJECT_ATTRIBUTES Attributes;
    PCMP_KEY Key;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    Status =
        ObCreateObject(KernelMode, CmpKeyType, &Attributes, KernelMode, NULL, sizeof(CMP_KEY), 0, 0, (PVOID *)&Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Key->Node = CmpRoot;
    CmpRoot->References++;
    CmpRootObject = Key; /* permanent */
    Status = ObInsertObject(Key, NULL, KEY_ALL_ACCESS, 0, NULL, &Handle);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

NTSTATUS CmInitSystem(VOID)
{
    UNICODE_STRING TypeName = RTL_CONSTANT_STRING(L"Key"), RootName = RTL_CONSTANT_STRING(L"REGISTRY"), Path;
    OBJECT_TYPE_INITIALIZER Initializer;
    PCMP_NODE Node;
    CMP_CREATE Create = {0};
    NTSTATUS Status;

    ExInitializeFastMutex(&CmpLock);
    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = PagedPool;
    Initializer.ValidAccessMask = KEY_ALL_ACCESS;
    Initializer.GenericMapping = CmpKeyMapping;
    Initializer.CopySecurityProcedure = CmpCopySecurity;
    Initializer.ReplaceSecurityProcedure = CmpReplaceSecurity;
    Initializer.WaitOffset = OB_NOT_WAITABLE;
    Initializer.ParseProcedure = CmpParseKey;
    Initializer.DeleteProcedure = CmpDeleteKeyObject;
    Initializer.CloseProcedure = CmpCloseKeyObject;
    Status = ObCreateObjectType(&TypeName, &Initializer, NULL, &CmpKeyType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ExAcquireFastMutex(&CmpLock);
    Status = CmpCreateChildLocked(NULL, &RootName, NULL, &CmpRoot);
    for (ULONG Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(CmpInitialKeys); Index++) {
        RtlInitUnicodeString(&Path, CmpInitialKeys[Index]);
        Status = CmpWalkLocked(CmpRoot, Path, &Create, &Node);
    }
    ExReleaseFastMutex(&CmpLock);
    return NT_SUCCESS(Status) ? CmpCreateRootObject() : Status;
}

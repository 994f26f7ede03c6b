/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directory and symbolic link objects, and the name space as it is when the machine starts.
 */
#include "obp.h"

POBJECT_TYPE ObpDirectoryType;
POBJECT_TYPE ObpSymbolicLinkType;
POBP_DIRECTORY ObpRoot;
POBP_DIRECTORY ObpTypeDirectory; /* \ObjectTypes, once it is there */

/* ---- symbolic links --------------------------------------------------------------------------------------
 */

/* The walk goes on with the link's target and what is left of the name. */
static NTSTATUS ObpParseSymbolicLink(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState,
                                     KPROCESSOR_MODE AccessMode, ULONG Attributes, PUNICODE_STRING CompleteName,
                                     PUNICODE_STRING RemainingName, PVOID Context,
                                     PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    POBP_SYMBOLIC_LINK Link = ParseObject;
    SIZE_T Length = (SIZE_T)Link->Target.Length + RemainingName->Length;
    PWCH Buffer;

    UNREFERENCED_PARAMETER(ObjectType);
    UNREFERENCED_PARAMETER(AccessState);
    UNREFERENCED_PARAMETER(AccessMode);
    UNREFERENCED_PARAMETER(Attributes);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(SecurityQos);
    *Object = NULL;
    if (Length > MAXUSHORT - sizeof(WCHAR)) {
        return STATUS_NAME_TOO_LONG;
    }
    Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, OBP_TAG_NAME);
    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Buffer, Link->Target.Buffer, Link->Target.Length);
    RtlCopyMemory((PUCHAR)Buffer + Link->Target.Length, RemainingName->Buffer, RemainingName->Length);
    if (CompleteName->Buffer != NULL) {
        ExFreePool(CompleteName->Buffer); /* RemainingName pointed into it */
    }
    CompleteName->Buffer = Buffer;
    CompleteName->Length = (USHORT)Length;
    CompleteName->MaximumLength = (USHORT)Length;
    return STATUS_REPARSE;
}

static VOID ObpDeleteSymbolicLink(PVOID Object)
{
    POBP_SYMBOLIC_LINK Link = Object;

    if (Link->Target.Buffer != NULL) {
        ExFreePoolWithTag(Link->Target.Buffer, OBP_TAG_NAME);
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwCreateSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
                                          POBJECT_ATTRIBUTES ObjectAttributes, PUNICODE_STRING LinkTarget)
{
    POBP_SYMBOLIC_LINK Link;
    NTSTATUS Status;

    *LinkHandle = NULL;
    if (LinkTarget->Length == 0 || LinkTarget->Length % sizeof(WCHAR) != 0 ||
        LinkTarget->Length > LinkTarget->MaximumLength) {
        return STATUS_INVALID_PARAMETER;
    }
    if (LinkTarget->Buffer == NULL) {
        return STATUS_ACCESS_VIOLATION;
    }
    Status = ObCreateObject(KernelMode, ObpSymbolicLinkType, ObjectAttributes, KernelMode, NULL, sizeof(*Link), 0, 0,
                            (PVOID *)&Link);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    /* With its terminator, if it has one: that is part of what ZwQuerySymbolicLinkObject gives. */
    Link->Target.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, LinkTarget->MaximumLength, OBP_TAG_NAME);
    if (Link->Target.Buffer == NULL) {
        ObDereferenceObject(Link);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Link->Target.MaximumLength = LinkTarget->MaximumLength;
    Link->Target.Length = LinkTarget->Length;
    RtlCopyMemory(Link->Target.Buffer, LinkTarget->Buffer, LinkTarget->MaximumLength);
    return ObInsertObject(Link, NULL, DesiredAccess, 0, NULL, LinkHandle);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
                                        POBJECT_ATTRIBUTES ObjectAttributes)
{
    return ObOpenObjectByName(ObjectAttributes, ObpSymbolicLinkType, KernelMode, NULL, DesiredAccess, NULL, LinkHandle);
}

/* PASSIVE_LEVEL.  Who asks for the length wants all of the target, its terminator too; others its characters. */
NTSTATUS NTAPI ZwQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget, PULONG ReturnedLength)
{
    POBP_SYMBOLIC_LINK Link;
    NTSTATUS Status;
    USHORT Wanted;

    Status = ObReferenceObjectByHandle(LinkHandle, SYMBOLIC_LINK_QUERY, ObpSymbolicLinkType, KernelMode, (PVOID *)&Link,
                                       NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Wanted = ReturnedLength != NULL ? Link->Target.MaximumLength : Link->Target.Length;
    if (ReturnedLength != NULL) {
        *ReturnedLength = Link->Target.MaximumLength;
    }
    if (LinkTarget->MaximumLength < Wanted) {
        LinkTarget->Length = 0;
        Status = STATUS_BUFFER_TOO_SMALL;
    } else {
        RtlCopyMemory(LinkTarget->Buffer, Link->Target.Buffer, Wanted);
        LinkTarget->Length = Link->Target.Length;
    }
    ObDereferenceObject(Link);
    return Status;
}

/* ---- directories -----------------------------------------------------------------------------------------
 */

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwCreateDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
                                       POBJECT_ATTRIBUTES ObjectAttributes)
{
    POBP_DIRECTORY Directory;
    NTSTATUS Status;

    *DirectoryHandle = NULL;
    Status = ObCreateObject(KernelMode, ObpDirectoryType, ObjectAttributes, KernelMode, NULL, sizeof(*Directory), 0, 0,
                            (PVOID *)&Directory);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObpInitializeDirectory(Directory);
    return ObInsertObject(Directory, NULL, DesiredAccess, 0, NULL, DirectoryHandle);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwOpenDirectoryObject(PHANDLE DirectoryHandle, ACCESS_MASK DesiredAccess,
                                     POBJECT_ATTRIBUTES ObjectAttributes)
{
    return ObOpenObjectByName(ObjectAttributes, ObpDirectoryType, KernelMode, NULL, DesiredAccess, NULL,
                              DirectoryHandle);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwMakeTemporaryObject(HANDLE Handle)
{
    NTSTATUS Status;
    PVOID Object;

    Status = ObReferenceObjectByHandle(Handle, DELETE, NULL, KernelMode, &Object, NULL);
    if (NT_SUCCESS(Status)) {
        ObMakeTemporaryObject(Object);
        ObDereferenceObject(Object);
    }
    return Status;
}

/* ---- start-up --------------------------------------------------------------------------------------------
 */

static NTSTATUS ObpCreateTypes(VOID)
{
    OBJECT_TYPE_INITIALIZER Type;
    UNICODE_STRING Name;
    NTSTATUS Status;

    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.CaseInsensitive = TRUE;
    Type.WaitOffset = OB_NOT_WAITABLE;
    Type.ValidAccessMask = STANDARD_RIGHTS_ALL | 1;
    RtlInitUnicodeString(&Name, L"Type");
    Status = ObCreateObjectType(&Name, &Type, NULL, &ObpTypeType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Type.ValidAccessMask = DIRECTORY_ALL_ACCESS;
    Type.GenericMapping.GenericRead = STANDARD_RIGHTS_READ | DIRECTORY_QUERY | DIRECTORY_TRAVERSE;
    Type.GenericMapping.GenericWrite = STANDARD_RIGHTS_WRITE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY;
    Type.GenericMapping.GenericExecute = STANDARD_RIGHTS_EXECUTE | DIRECTORY_QUERY | DIRECTORY_TRAVERSE;
    Type.GenericMapping.GenericAll = DIRECTORY_ALL_ACCESS;
    Type.DeleteProcedure = ObpDeleteDirectory;
    RtlInitUnicodeString(&Name, L"Directory");
    Status = ObCreateObjectType(&Name, &Type, NULL, &ObpDirectoryType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Type.ValidAccessMask = SYMBOLIC_LINK_ALL_ACCESS;
    Type.GenericMapping.GenericRead = STANDARD_RIGHTS_READ | SYMBOLIC_LINK_QUERY;
    Type.GenericMapping.GenericWrite = STANDARD_RIGHTS_WRITE;
    Type.GenericMapping.GenericExecute = STANDARD_RIGHTS_EXECUTE | SYMBOLIC_LINK_QUERY;
    Type.GenericMapping.GenericAll = SYMBOLIC_LINK_ALL_ACCESS;
    Type.ParseProcedure = ObpParseSymbolicLink;
    Type.DeleteProcedure = ObpDeleteSymbolicLink;
    RtlInitUnicodeString(&Name, L"SymbolicLink");
    return ObCreateObjectType(&Name, &Type, NULL, &ObpSymbolicLinkType);
}

static NTSTATUS ObpMakeDirectory(PCWSTR Path)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    Status = ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &ObjectAttributes);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

/* The types that were there before there were directories go into theirs; from now on new ones go by themselves. */
static NTSTATUS ObpNameTypes(VOID)
{
    POBJECT_TYPE Types[] = {ObpTypeType, ObpDirectoryType, ObpSymbolicLinkType};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\ObjectTypes");
    NTSTATUS Status =
        ObReferenceObjectByName(&Name, 0, NULL, 0, ObpDirectoryType, KernelMode, NULL, (PVOID *)&ObpTypeDirectory);

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Types) && NT_SUCCESS(Status); Index++) {
        Status = ObpEnterType(Types[Index]);
    }
    return Status;
}

static NTSTATUS ObpMakeLink(PCWSTR Path, PCWSTR Target)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING TargetName;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Path);
    RtlInitUnicodeString(&TargetName, Target);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    Status = ZwCreateSymbolicLinkObject(&Handle, SYMBOLIC_LINK_ALL_ACCESS, &ObjectAttributes, &TargetName);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
    }
    return Status;
}

NTSTATUS ObInitSystem(VOID)
{
    static const PCWSTR Directories[] = {L"\\ObjectTypes", L"\\BaseNamedObjects", L"\\Callback", L"\\KernelObjects",
                                         L"\\GLOBAL??"};
    POBP_HEADER Header;
    NTSTATUS Status;
    ULONG Index;

    ObpInitializeObjects();
    ObpInitializeHandles();
    ObpInitializeNames();
    ObpInitializeFilters();
    Status = ObpCreateTypes();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObpAllocateObject(ObpDirectoryType, sizeof(OBP_DIRECTORY), &Header);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObpRoot = ObpBody(Header);
    ObpInitializeDirectory(ObpRoot);
    for (Index = 0; Index < RTL_NUMBER_OF(Directories) && NT_SUCCESS(Status); Index++) {
        Status = ObpMakeDirectory(Directories[Index]);
    }
    if (NT_SUCCESS(Status)) {
        Status = ObpNameTypes();
    }
    if (NT_SUCCESS(Status)) {
        Status = ObpMakeLink(L"\\??", L"\\GLOBAL??");
    }
    if (NT_SUCCESS(Status)) {
        Status = ObpMakeLink(L"\\DosDevices", L"\\??");
    }
    if (NT_SUCCESS(Status)) {
        Status = ObpInitializeCallbacks();
    }
    return Status;
}

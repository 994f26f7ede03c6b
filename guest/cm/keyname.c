// SPDX-License-Identifier: GPL-2.0-or-later
/* What a registry callback may ask of a key object: its key's identity and full name.  IRQL: <= APC_LEVEL. */
#include "cmp.h"
#include <mm.h>

/* CmpLock held.  "\REGISTRY\…" in pool, the characters behind the structure; NULL: no memory, or the key is deleted. */
static PUNICODE_STRING CmpBuildName(PCMP_NODE Node, PVOID Caller)
{
    PUNICODE_STRING Name;
    ULONG Length = 0;
    PUCHAR At;

    if (Node->Deleted) {
        return NULL;
    }
    for (PCMP_NODE Part = Node; Part != NULL; Part = Part->Parent) {
        Length += sizeof(WCHAR) + Part->Entry.Name.Length;
    }
    if (Length > 0xFFFC) {
        return NULL;
    }
    Name = MmAllocatePoolForCaller(PagedPool, sizeof(*Name) + Length, CMP_TAG_NAME, Caller);
    if (Name == NULL) {
        return NULL;
    }
    Name->Buffer = (PWCH)(Name + 1);
    Name->Length = Name->MaximumLength = (USHORT)Length;
    At = (PUCHAR)Name->Buffer + Length;
    for (PCMP_NODE Part = Node; Part != NULL; Part = Part->Parent) {
        At -= Part->Entry.Name.Length;
        RtlCopyMemory(At, Part->Entry.Name.Buffer, Part->Entry.Name.Length);
        At -= sizeof(WCHAR);
        *(PWCH)At = L'\\';
    }
    return Name;
}

static NTSTATUS CmpDescribeObject(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID, PUNICODE_STRING *Name,
                                  PVOID Caller)
{
    PCMP_KEY Key = Object;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Object == NULL || ObGetObjectType(Object) != CmpKeyType || !CmpValidCookie(Cookie)) {
        return STATUS_INVALID_PARAMETER;
    }
    ExAcquireFastMutex(&CmpLock);
    if (Name != NULL) {
        *Name = CmpBuildName(Key->Node, Caller);
        if (*Name == NULL) {
            Status = Key->Node->Deleted ? STATUS_KEY_DELETED : STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if (NT_SUCCESS(Status) && ObjectID != NULL) {
        *ObjectID = (ULONG_PTR)Key->Node;
    }
    ExReleaseFastMutex(&CmpLock);
    return Status;
}

/* STATUS_INVALID_PARAMETER: the cookie, the object or Flags.  The name is given back with CmCallbackReleaseKeyObjectIDEx. */
NTSTATUS NTAPI CmCallbackGetKeyObjectIDEx(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                          PCUNICODE_STRING *ObjectName, ULONG Flags)
{
    PAGED_CODE();
    if (Flags != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return CmpDescribeObject(Cookie, Object, ObjectID, (PUNICODE_STRING *)ObjectName, _ReturnAddress());
}

VOID NTAPI CmCallbackReleaseKeyObjectIDEx(PCUNICODE_STRING ObjectName)
{
    PAGED_CODE();
    ExFreePoolWithTag((PVOID)ObjectName, CMP_TAG_NAME);
}

/* The name stays until the key object goes. */
NTSTATUS NTAPI CmCallbackGetKeyObjectID(PLARGE_INTEGER Cookie, PVOID Object, PULONG_PTR ObjectID,
                                        PCUNICODE_STRING *ObjectName)
{
    PUNICODE_STRING Name = NULL, Kept;
    PCMP_KEY Key = Object;
    NTSTATUS Status;

    PAGED_CODE();
    Status = CmpDescribeObject(
        Cookie, Object, ObjectID,
        ObjectName == NULL || (Object != NULL && ObGetObjectType(Object) == CmpKeyType && Key->Name != NULL) ? NULL
                                                                                                             : &Name,
        (PVOID)CmCallbackGetKeyObjectID); /* the key's, not the driver's */
    if (!NT_SUCCESS(Status) || ObjectName == NULL) {
        return Status;
    }
    if (Name != NULL) {
        Kept = InterlockedCompareExchangePointer((PVOID *)&Key->Name, Name, NULL);
        if (Kept != NULL) {
            ExFreePoolWithTag(Name, CMP_TAG_NAME); /* another thread was faster */
        }
    }
    *ObjectName = Key->Name;
    return STATUS_SUCCESS;
}

/* No key is bound to a transaction: they are refused. */
PVOID NTAPI CmGetBoundTransaction(PLARGE_INTEGER Cookie, PVOID Object)
{
    UNREFERENCED_PARAMETER(Cookie);
    UNREFERENCED_PARAMETER(Object);
    PAGED_CODE();
    return NULL;
}

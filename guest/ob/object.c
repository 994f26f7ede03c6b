/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types, and the life of objects.
 */
#include "obp.h"

POBJECT_TYPE ObpTypeType;

static KSPIN_LOCK ObpDeleteLock;
static POBP_HEADER ObpDeleteList; /* ObpDeleteLock: objects whose last reference went at a raised IRQL */
static BOOLEAN ObpDeleteQueued;   /* ObpDeleteLock */
static WORK_QUEUE_ITEM ObpDeleteItem;

static VOID NTAPI ObpDeleteWorker(PVOID Context);

VOID ObpInitializeObjects(VOID)
{
    KeInitializeSpinLock(&ObpDeleteLock);
    ExInitializeWorkItem(&ObpDeleteItem, ObpDeleteWorker, NULL);
}

NTSTATUS ObpAllocateObject(POBJECT_TYPE Type, ULONG BodySize, POBP_HEADER *Result)
{
    POBP_HEADER Header = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Header) + BodySize, OBP_TAG_OBJECT);

    if (Header == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Header, sizeof(*Header) + BodySize);
    Header->Magic = OBP_MAGIC;
    Header->PointerCount = 1;
    Header->Type = Type;
    InitializeListHead(&Header->Entry);
    if (Type != NULL) {
        InterlockedIncrement(&Type->Objects);
    }
    *Result = Header;
    return STATUS_SUCCESS;
}

VOID ObpFreeObject(POBP_HEADER Header)
{
    if (Header->Name.Buffer != NULL) {
        ExFreePoolWithTag(Header->Name.Buffer, OBP_TAG_NAME);
    }
    if (Header->FullName.Buffer != NULL) {
        ExFreePoolWithTag(Header->FullName.Buffer, OBP_TAG_NAME);
    }
    InterlockedDecrement(&Header->Type->Objects);
    Header->Magic = 0;
    ExFreePoolWithTag(Header, OBP_TAG_OBJECT);
}

static VOID ObpDeleteObject(POBP_HEADER Header)
{
    if (Header->Type->Info.DeleteProcedure != NULL) {
        Header->Type->Info.DeleteProcedure(ObpBody(Header));
    }
    ObpFreeObject(Header);
}

static VOID NTAPI ObpDeleteWorker(PVOID Context)
{
    POBP_HEADER List;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        KeAcquireSpinLock(&ObpDeleteLock, &Irql);
        List = ObpDeleteList;
        ObpDeleteList = NULL;
        if (List == NULL) {
            ObpDeleteQueued = FALSE;
        }
        KeReleaseSpinLock(&ObpDeleteLock, Irql);
        if (List == NULL) {
            return;
        }
        while (List != NULL) {
            POBP_HEADER Next = List->NextToDelete;

            ObpDeleteObject(List);
            List = Next;
        }
    }
}

static VOID ObpDeferDelete(POBP_HEADER Header)
{
    BOOLEAN Queue;
    KIRQL Irql;

    KeAcquireSpinLock(&ObpDeleteLock, &Irql);
    Header->NextToDelete = ObpDeleteList;
    ObpDeleteList = Header;
    Queue = !ObpDeleteQueued;
    ObpDeleteQueued = TRUE;
    KeReleaseSpinLock(&ObpDeleteLock, Irql);
    if (Queue) {
        ExQueueWorkItem(&ObpDeleteItem, CriticalWorkQueue);
    }
}

/* ---- references ------------------------------------------------------------------------------------------
 */

static VOID ObpCheckReference(POBP_HEADER Header, LONG_PTR Count, ULONG Kind)
{
    /* REFERENCE_BY_POINTER: 1: the type, the object, 1..: what was wrong. */
    if (Count < 0 || Header->Magic != OBP_MAGIC) {
        KeBugCheckEx(REFERENCE_BY_POINTER, (ULONG_PTR)Header->Type, (ULONG_PTR)ObpBody(Header), Kind,
                     (ULONG_PTR)Count);
    }
}

LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);
    LONG_PTR Count = InterlockedIncrement64(&Header->PointerCount);

    ObpCheckReference(Header, Count - 2, 1); /* a reference presupposes one */
    return Count;
}

LONG_PTR FASTCALL ObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObfReferenceObject(Object);
}

BOOLEAN ObReferenceObjectSafe(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);
    LONG_PTR Count = Header->PointerCount;

    while (Count > 0) {
        LONG_PTR Seen = InterlockedCompareExchange64(&Header->PointerCount, Count + 1, Count);

        if (Seen == Count) {
            return TRUE;
        }
        Count = Seen;
    }
    return FALSE;
}

LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);
    LONG_PTR Count = InterlockedDecrement64(&Header->PointerCount);

    ObpCheckReference(Header, Count, 2);
    if (Count == 0) {
        if (Header->HandleCount != 0) {
            KeBugCheckEx(REFERENCE_BY_POINTER, (ULONG_PTR)Header->Type, (ULONG_PTR)Object, 3,
                         (ULONG_PTR)Header->HandleCount);
        }
        if (KeGetCurrentIrql() == PASSIVE_LEVEL && !KeAreAllApcsDisabled()) {
            ObpDeleteObject(Header);
        } else {
            ObpDeferDelete(Header);
        }
    }
    return Count;
}

LONG_PTR FASTCALL ObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObfDereferenceObject(Object);
}

/* <= DISPATCH_LEVEL; the deletion, if it comes to that, happens in a worker thread. */
VOID NTAPI ObDereferenceObjectDeferDelete(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);
    LONG_PTR Count = InterlockedDecrement64(&Header->PointerCount);

    ObpCheckReference(Header, Count, 2);
    if (Count == 0) {
        ObpDeferDelete(Header);
    }
}

VOID NTAPI ObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    ObDereferenceObjectDeferDelete(Object);
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                          KPROCESSOR_MODE AccessMode)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    if (ObpHeader(Object)->Type != ObjectType && (AccessMode != KernelMode || ObjectType != NULL)) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
                                                 POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                                 ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
}

POBJECT_TYPE ObGetObjectType(PVOID Object)
{
    return ObpHeader(Object)->Type;
}

VOID ObQueryObjectCounts(PVOID Object, PLONG_PTR References, PLONG_PTR Handles)
{
    *References = ObpHeader(Object)->PointerCount;
    *Handles = ObpHeader(Object)->HandleCount;
}

/* ---- types and creation -----------------------------------------------------------------------------------
 */

NTSTATUS ObCreateObjectType(PUNICODE_STRING TypeName, POBJECT_TYPE_INITIALIZER Initializer,
                            PSECURITY_DESCRIPTOR SecurityDescriptor, POBJECT_TYPE *ObjectType)
{
    POBP_HEADER Header;
    POBJECT_TYPE Type;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(SecurityDescriptor);
    if (Initializer->Length != sizeof(*Initializer) || TypeName->Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = ObpAllocateObject(ObpTypeType, sizeof(OBJECT_TYPE), &Header);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Type = ObpBody(Header);
    Type->Info = *Initializer;
    Type->Name.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, TypeName->Length, OBP_TAG_NAME);
    if (Type->Name.Buffer == NULL) {
        ObpFreeObject(Header);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Type->Name.MaximumLength = TypeName->Length;
    RtlCopyUnicodeString(&Type->Name, TypeName);
    if (ObpTypeType == NULL) {
        ObpTypeType = Type; /* the first type is the type of types */
        Header->Type = Type;
        Type->Objects = 1;
    }
    *ObjectType = Type;
    return ObpTypeDirectory != NULL ? ObpEnterType(Type) : STATUS_SUCCESS;
}

static NTSTATUS ObpCaptureName(PUNICODE_STRING Source, PUNICODE_STRING Target)
{
    if (Source == NULL || Source->Length == 0) {
        return STATUS_SUCCESS;
    }
    Target->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Source->Length, OBP_TAG_NAME);
    if (Target->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Target->MaximumLength = Source->Length;
    RtlCopyUnicodeString(Target, Source);
    return STATUS_SUCCESS;
}

NTSTATUS ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE ObjectType,
                        POBJECT_ATTRIBUTES ObjectAttributes, KPROCESSOR_MODE OwnershipMode,
                        PVOID ParseContext, ULONG BodySize, ULONG PagedPoolCharge, ULONG NonPagedPoolCharge,
                        PVOID *Object)
{
    POBP_HEADER Header;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ProbeMode);
    UNREFERENCED_PARAMETER(OwnershipMode);
    UNREFERENCED_PARAMETER(ParseContext);
    UNREFERENCED_PARAMETER(PagedPoolCharge);
    UNREFERENCED_PARAMETER(NonPagedPoolCharge);
    if (ObjectAttributes != NULL &&
        (ObjectAttributes->Length != sizeof(*ObjectAttributes) ||
         (ObjectAttributes->Attributes & ObjectType->Info.InvalidAttributes) != 0)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = ObpAllocateObject(ObjectType, BodySize, &Header);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (ObjectAttributes != NULL) {
        Header->RootDirectory = ObjectAttributes->RootDirectory;
        Header->Attributes = ObjectAttributes->Attributes;
        Status = ObpCaptureName(ObjectAttributes->ObjectName, &Header->FullName);
        if (!NT_SUCCESS(Status)) {
            ObpFreeObject(Header);
            return Status;
        }
    }
    if (ObjectType->Info.CaseInsensitive) {
        Header->Attributes |= OBJ_CASE_INSENSITIVE;
    }
    *Object = ObpBody(Header);
    return STATUS_SUCCESS;
}

static VOID ObpForgetCreation(POBP_HEADER Header)
{
    if (Header->FullName.Buffer != NULL) {
        ExFreePoolWithTag(Header->FullName.Buffer, OBP_TAG_NAME);
        RtlZeroMemory(&Header->FullName, sizeof(Header->FullName));
    }
    Header->RootDirectory = NULL;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ObInsertObject(PVOID Object, PACCESS_STATE PassedAccessState, ACCESS_MASK DesiredAccess,
                              ULONG ObjectPointerBias, PVOID *NewObject, PHANDLE Handle)
{
    POBP_HEADER Header = ObpHeader(Object);
    ULONG Attributes = Header->Attributes;
    NTSTATUS Status = STATUS_SUCCESS;
    NTSTATUS HandleStatus;
    PVOID Final = Object;

    UNREFERENCED_PARAMETER(PassedAccessState);
    if (Header->FullName.Buffer != NULL) {
        OBP_LOOKUP Lookup = {Header->RootDirectory,
                             &Header->FullName,
                             Attributes,
                             Header->Type,
                             KernelMode,
                             NULL,
                             NULL,
                             NULL,
                             Header};

        Status = ObpLookup(&Lookup, &Final);
        if (!NT_SUCCESS(Status)) {
            ObDereferenceObject(Object);
            return Status;
        }
        ObpForgetCreation(Header);
        if (Final != Object) {
            ObDereferenceObject(Object); /* the one that was there is opened instead */
            Status = STATUS_OBJECT_NAME_EXISTS;
        } else {
            ObDereferenceObject(Final); /* the look-up's reference; the creation reference is still ours */
        }
    }
    if (Handle == NULL) {
        if (NewObject != NULL) {
            *NewObject = Final;
        }
        return Status;
    }
    HandleStatus =
        ObpCreateHandle(Final, ObpMapAccess(ObpHeader(Final)->Type, DesiredAccess), Attributes, Handle);
    if (!NT_SUCCESS(HandleStatus)) {
        if (Final == Object && (Attributes & OBJ_PERMANENT) != 0) {
            ObMakeTemporaryObject(Final);
        }
        ObDereferenceObject(Final);
        return HandleStatus;
    }
    while (ObjectPointerBias-- > 0) {
        ObReferenceObject(Final);
    }
    if (NewObject != NULL) {
        *NewObject = Final;
    }
    ObDereferenceObject(Final); /* the creation (or look-up) reference: the handle holds its own */
    return Status;
}

/* PASSIVE_LEVEL. */
VOID NTAPI ObMakeTemporaryObject(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);

    ObpLockNames();
    Header->Flags &= ~OBP_FLAG_PERMANENT;
    ObpUnlockNames();
    ObpDeleteNameCheck(Header);
}

/* ---- security --------------------------------------------------------------------------------------------
 */

/* PASSIVE_LEVEL.  NULL where no descriptor was assigned. */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                   PBOOLEAN MemoryAllocated)
{
    *SecurityDescriptor = ObpHeader(Object)->SecurityDescriptor;
    *MemoryAllocated = FALSE;
    return STATUS_SUCCESS;
}

VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN MemoryAllocated)
{
    if (MemoryAllocated) {
        ExFreePool(SecurityDescriptor);
    }
}

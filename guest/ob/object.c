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
    POBP_HEADER Header;
    SIZE_T Size = sizeof(*Header) + BodySize;

    Header = Type != NULL && Type->Info.Guarded ? MmAllocateGuarded(Size, OBP_TAG_OBJECT)
                                                : ExAllocatePoolWithTag(NonPagedPoolNx, Size, OBP_TAG_OBJECT);
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

static VOID ObpFreeObject(POBP_HEADER Header)
{
    if (Header->Name.Buffer != NULL) {
        ExFreePoolWithTag(Header->Name.Buffer, OBP_TAG_NAME);
    }
    if (Header->FullName.Buffer != NULL) {
        ExFreePoolWithTag(Header->FullName.Buffer, OBP_TAG_NAME);
    }
    if (Header->SecurityDescriptor != NULL) {
        ExFreePool(Header->SecurityDescriptor);
    }
    InterlockedDecrement(&Header->Type->Objects);
    ObpForgetObject(ObpBody(Header));
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

/* REFERENCE_BY_POINTER: P3 (Windows's is reserved) is what was wrong, P4 the count. */
#define OBP_REFERENCED_WITHOUT_ONE 1 /* a reference presupposes one */
#define OBP_BELOW_ZERO             2
#define OBP_BELOW_HANDLES          3 /* open handles and the kernel itself hold references that are not there any more */
#define OBP_NO_OBJECT              4

static DECLSPEC_NOINLINE DECLSPEC_NORETURN VOID ObpBadReference(POBP_HEADER Header, LONG_PTR Count, ULONG Kind)
{
    KeBugCheckEx(REFERENCE_BY_POINTER, (ULONG_PTR)Header->Type, (ULONG_PTR)ObpBody(Header), Kind, (ULONG_PTR)Count);
}

LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    POBP_HEADER Header = ObpHeader(Object);
    LONG_PTR Count;

    if (Header->Magic != OBP_MAGIC) {
        ObpBadReference(Header, Header->PointerCount, OBP_NO_OBJECT);
    }
    Count = InterlockedIncrement64(&Header->PointerCount);
    if (Count < 2) {
        ObpBadReference(Header, Count, OBP_REFERENCED_WITHOUT_ONE);
    }
    return Count;
}

VOID ObPinObject(PVOID Object)
{
    InterlockedIncrement64(&ObpHeader(Object)->Pinned);
}

VOID ObUnpinObject(PVOID Object)
{
    InterlockedDecrement64(&ObpHeader(Object)->Pinned);
    ObDereferenceObject(Object);
}

/*
 * Whether the reference that is about to be given back would be one that a handle or the kernel holds.  Both take a
 * reference before they are counted, and give it back afterwards; so with the counts held still there is no doubt.
 */
static DECLSPEC_NOINLINE BOOLEAN ObpTakesFromOthers(POBP_HEADER Header)
{
    KIRQL Irql = ObpLockHandles();
    BOOLEAN Takes = Header->PointerCount - 1 < Header->HandleCount + Header->Pinned;

    ObpUnlockHandles(Irql);
    return Takes;
}

/*
 * Gives a reference back; what is left.  The header may only be looked at before, while the reference is still ours:
 * a moment later somebody else's may have been the last, and the object is gone.
 */
static LONG_PTR ObpRelease(POBP_HEADER Header)
{
    LONG_PTR Count;

    if (Header->Magic != OBP_MAGIC) {
        ObpBadReference(Header, Header->PointerCount, OBP_NO_OBJECT);
    }
    if (Header->PointerCount - 1 < Header->HandleCount + Header->Pinned && FvVerifierEnabled() &&
        ObpTakesFromOthers(Header)) {
        ObpBadReference(Header, Header->PointerCount - 1, OBP_BELOW_HANDLES);
    }
    Count = InterlockedDecrement64(&Header->PointerCount);
    if (Count < 0) {
        ObpBadReference(Header, Count, OBP_BELOW_ZERO); /* so nobody's was the last: it is still there */
    }
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
    LONG_PTR Count = ObpRelease(Header);

    if (Count == 0) {
        if (Header->HandleCount != 0) {
            ObpBadReference(Header, Header->HandleCount, OBP_BELOW_HANDLES);
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

    if (ObpRelease(Header) == 0) {
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

NTSTATUS NTAPI ObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                 KPROCESSOR_MODE AccessMode, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
}

POBJECT_TYPE ObGetObjectType(PVOID Object)
{
    return ObpHeader(Object)->Type;
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

NTSTATUS ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE ObjectType, POBJECT_ATTRIBUTES ObjectAttributes,
                        KPROCESSOR_MODE OwnershipMode, PVOID ParseContext, ULONG BodySize, ULONG PagedPoolCharge,
                        ULONG NonPagedPoolCharge, PVOID *Object)
{
    POBP_HEADER Header;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ProbeMode);
    UNREFERENCED_PARAMETER(OwnershipMode);
    UNREFERENCED_PARAMETER(ParseContext);
    UNREFERENCED_PARAMETER(PagedPoolCharge);
    UNREFERENCED_PARAMETER(NonPagedPoolCharge);
    if (ObjectAttributes != NULL && (ObjectAttributes->Length != sizeof(*ObjectAttributes) ||
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
        if (NT_SUCCESS(Status)) {
            Status = ObpAssignSecurity(Header, ObjectAttributes->SecurityDescriptor);
        }
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

/* One that was there is opened instead of being made. */
static NTSTATUS ObpCheckExisting(POBP_HEADER Header, ACCESS_MASK DesiredAccess)
{
    UCHAR AuxData[OBP_AUX_ACCESS_DATA];
    ACCESS_STATE State;

    if (ExGetPreviousMode() == KernelMode) {
        return STATUS_SUCCESS;
    }
    ObpInitializeAccessState(&State, AuxData, Header->Type, DesiredAccess, TRUE);
    return ObpCheckAccess(Header, &State);
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
        OBP_LOOKUP Lookup = {
            Header->RootDirectory, &Header->FullName, Attributes, Header->Type, KernelMode, NULL, NULL, NULL, Header};

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
    HandleStatus = Final != Object ? ObpCheckExisting(ObpHeader(Final), DesiredAccess) : STATUS_SUCCESS;
    if (!NT_SUCCESS(HandleStatus)) {
        ObDereferenceObject(Final);
        return HandleStatus;
    }
    HandleStatus = ObpCreateHandle(Final, ObpMapAccess(ObpHeader(Final)->Type, DesiredAccess), Attributes, Handle);
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

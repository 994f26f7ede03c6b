/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: directories, the walk along a path, and what a name holds.
 *
 * The walk holds a reference on the object it stands at and takes ObpNameLock only to look into a directory.
 * An object whose type parses (device, file, symbolic link, key) gets the rest of the name; STATUS_REPARSE
 * from it starts the walk again with the complete name it left.
 */
#include "obp.h"

#define OBP_MAXIMUM_REPARSE 256 /* a file system may follow 63 points, each by way of drive letters */

static EX_PUSH_LOCK ObpNameLock;

VOID ObpInitializeNames(VOID)
{
    ExInitializePushLock(&ObpNameLock);
}

VOID ObpLockNames(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusiveEx(&ObpNameLock, 0);
}

VOID ObpUnlockNames(VOID)
{
    ExReleasePushLockExclusiveEx(&ObpNameLock, 0);
    KeLeaveCriticalRegion();
}

VOID ObpShareNames(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockSharedEx(&ObpNameLock, 0);
}

VOID ObpUnshareNames(VOID)
{
    ExReleasePushLockSharedEx(&ObpNameLock, 0);
    KeLeaveCriticalRegion();
}

static VOID ObpInitializeBuckets(PLIST_ENTRY Bucket, ULONG Count)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        InitializeListHead(&Bucket[Index]);
    }
}

VOID ObpInitializeDirectory(POBP_DIRECTORY Directory)
{
    Directory->Count = 0;
    Directory->Buckets = OBP_BUCKETS;
    Directory->Bucket = Directory->First;
    ObpInitializeBuckets(Directory->Bucket, OBP_BUCKETS);
}

/* The type's delete procedure: nobody has a name in it any more. */
VOID ObpDeleteDirectory(PVOID Object)
{
    POBP_DIRECTORY Directory = Object;

    if (Directory->Bucket != NULL && Directory->Bucket != Directory->First) {
        ExFreePoolWithTag(Directory->Bucket, OBP_TAG_NAME);
    }
}

static ULONG ObpHash(PUNICODE_STRING Component)
{
    ULONG Hash = 0;

    RtlHashUnicodeString(Component, TRUE, HASH_STRING_ALGORITHM_X65599, &Hash);
    return Hash ^ Hash >> 16;
}

static PLIST_ENTRY ObpBucket(POBP_DIRECTORY Directory, ULONG Hash)
{
    return &Directory->Bucket[Hash & (Directory->Buckets - 1)];
}

/* More buckets, if there is memory for them. */
static VOID ObpGrowLocked(POBP_DIRECTORY Directory)
{
    ULONG OldCount = Directory->Buckets, NewCount = OldCount * 4;
    PLIST_ENTRY Old = Directory->Bucket, New;

    if (NewCount > OBP_MAXIMUM_BUCKETS) {
        return;
    }
    New = ExAllocatePoolWithTag(NonPagedPoolNx, NewCount * sizeof(*New), OBP_TAG_NAME);
    if (New == NULL) {
        return;
    }
    ObpInitializeBuckets(New, NewCount);
    Directory->Bucket = New;
    Directory->Buckets = NewCount;
    for (ULONG Index = 0; Index < OldCount; Index++) {
        while (!IsListEmpty(&Old[Index])) {
            POBP_HEADER Header = CONTAINING_RECORD(RemoveHeadList(&Old[Index]), OBP_HEADER, Entry);

            InsertTailList(ObpBucket(Directory, Header->Hash), &Header->Entry);
        }
    }
    if (Old != Directory->First) {
        ExFreePoolWithTag(Old, OBP_TAG_NAME);
    }
}

static POBP_HEADER ObpFindLocked(POBP_DIRECTORY Directory, PUNICODE_STRING Component, BOOLEAN CaseInsensitive)
{
    ULONG Hash = ObpHash(Component);
    PLIST_ENTRY Bucket = ObpBucket(Directory, Hash);
    PLIST_ENTRY Entry;

    for (Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        POBP_HEADER Header = CONTAINING_RECORD(Entry, OBP_HEADER, Entry);

        if (Header->Hash == Hash && RtlEqualUnicodeString(&Header->Name, Component, CaseInsensitive)) {
            return Header;
        }
    }
    return NULL;
}

static NTSTATUS ObpEnterLocked(POBP_DIRECTORY Directory, PUNICODE_STRING Component, POBP_HEADER Header)
{
    Header->Name.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Component->Length, OBP_TAG_NAME);
    if (Header->Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Header->Name.MaximumLength = Component->Length;
    RtlCopyUnicodeString(&Header->Name, Component);
    if ((Header->Attributes & OBJ_PERMANENT) != 0) {
        Header->Flags |= OBP_FLAG_PERMANENT;
    }
    Header->Directory = Directory;
    ObReferenceObject(Directory);
    Header->Hash = ObpHash(Component);
    if (++Directory->Count > Directory->Buckets * 2) {
        ObpGrowLocked(Directory);
    }
    InsertTailList(ObpBucket(Directory, Header->Hash), &Header->Entry);
    ObReferenceObject(ObpBody(Header)); /* the name's */
    return STATUS_SUCCESS;
}

/* A type gets its place in \ObjectTypes, for ever.  PASSIVE_LEVEL. */
NTSTATUS ObpEnterType(POBJECT_TYPE Type)
{
    POBP_HEADER Header = ObpHeader(Type);
    NTSTATUS Status;

    Header->Attributes |= OBJ_PERMANENT;
    ObpLockNames();
    Status = ObpEnterLocked(ObpTypeDirectory, &Type->Name, Header);
    ObpUnlockNames();
    return Status;
}

/* Takes the name away if no handle is left and the object is not permanent.  PASSIVE_LEVEL. */
VOID ObpDeleteNameCheck(POBP_HEADER Header)
{
    POBP_DIRECTORY Directory = NULL;

    if (Header->Name.Buffer == NULL) {
        return; /* it has never had one */
    }
    ObpLockNames();
    if (Header->HandleCount == 0 && Header->Directory != NULL && (Header->Flags & OBP_FLAG_PERMANENT) == 0) {
        RemoveEntryList(&Header->Entry);
        InitializeListHead(&Header->Entry);
        Directory = Header->Directory;
        Directory->Count--;
        Header->Directory = NULL;
    }
    ObpUnlockNames();
    if (Directory != NULL) {
        ObDereferenceObject(Directory);
        ObDereferenceObject(ObpBody(Header));
    }
}

/* Splits the first component off Rest, which begins with it or with a backslash before it. */
static VOID ObpSplit(PUNICODE_STRING Rest, PUNICODE_STRING Component)
{
    USHORT Length = 0;

    if (Rest->Length != 0 && Rest->Buffer[0] == L'\\') {
        Rest->Buffer++;
        Rest->Length -= sizeof(WCHAR);
    }
    while (Length < Rest->Length && Rest->Buffer[Length / sizeof(WCHAR)] != L'\\') {
        Length += sizeof(WCHAR);
    }
    Component->Buffer = Rest->Buffer;
    Component->Length = Length;
    Component->MaximumLength = Length;
    Rest->Buffer += Length / sizeof(WCHAR);
    Rest->Length -= Length;
    Rest->MaximumLength = Rest->Length;
}

/* The last component was not found in Directory: the place for a new object.  ObpNameLock held. */
static NTSTATUS ObpInsertLocked(POBP_LOOKUP Lookup, POBP_DIRECTORY Directory, PUNICODE_STRING Component, PVOID *Object)
{
    NTSTATUS Status = ObpEnterLocked(Directory, Component, Lookup->Insert);

    if (NT_SUCCESS(Status)) {
        *Object = ObpBody(Lookup->Insert);
        ObReferenceObject(*Object);
    }
    return Status;
}

/* One step: the object that Component names in Directory, referenced. */
static NTSTATUS ObpStep(POBP_LOOKUP Lookup, POBP_DIRECTORY Directory, PUNICODE_STRING Component, BOOLEAN Last,
                        BOOLEAN *Inserted, PVOID *Object)
{
    POBP_HEADER Found;
    NTSTATUS Status = STATUS_SUCCESS;

    BOOLEAN Changes = Last && Lookup->Insert != NULL;

    *Inserted = FALSE;
    (Changes ? ObpLockNames : ObpShareNames)();
    Found = ObpFindLocked(Directory, Component, (Lookup->Attributes & OBJ_CASE_INSENSITIVE) != 0);
    if (Found != NULL) {
        *Object = ObpBody(Found);
        ObReferenceObject(*Object);
    } else if (!Last) {
        Status = STATUS_OBJECT_PATH_NOT_FOUND;
    } else if (Lookup->Insert != NULL) {
        Status = ObpInsertLocked(Lookup, Directory, Component, Object);
        *Inserted = NT_SUCCESS(Status);
    } else {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
    }
    (Changes ? ObpUnlockNames : ObpUnshareNames)();
    return Status;
}

/* The walk has come to an object and there is nothing left of the name.  Consumes the reference on failure.
 */
static NTSTATUS ObpArrive(POBP_LOOKUP Lookup, PVOID Object)
{
    POBJECT_TYPE Type = ObpHeader(Object)->Type;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Lookup->Insert != NULL) {
        if ((Lookup->Attributes & OBJ_OPENIF) == 0) {
            Status = STATUS_OBJECT_NAME_COLLISION;
        } else if (Type != Lookup->Type) {
            Status = STATUS_OBJECT_TYPE_MISMATCH;
        }
    } else if (Lookup->Type != NULL && Type != Lookup->Type) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Object);
    }
    return Status;
}

static BOOLEAN ObpMustParse(POBP_LOOKUP Lookup, PVOID Object, PUNICODE_STRING Rest)
{
    POBJECT_TYPE Type = ObpHeader(Object)->Type;

    if (Type->Info.ParseProcedure == NULL) {
        return FALSE;
    }
    if (Rest->Length != 0) {
        return TRUE;
    }
    if (Lookup->Insert != NULL) {
        return FALSE;
    }
    /* A link that is itself wanted is not followed. */
    return !(Type == ObpSymbolicLinkType &&
             (Lookup->Type == ObpSymbolicLinkType || (Lookup->Attributes & OBJ_OPENLINK) != 0));
}

/* Walks Complete once.  STATUS_REPARSE: Complete has been changed, walk again. */
static NTSTATUS ObpWalk(POBP_LOOKUP Lookup, PUNICODE_STRING Complete, PVOID Start, PVOID *Result)
{
    UNICODE_STRING Rest = *Complete;
    PVOID Object = Start;
    NTSTATUS Status;

    ObReferenceObject(Object);
    for (;;) {
        POBJECT_TYPE Type = ObpHeader(Object)->Type;

        if (ObpMustParse(Lookup, Object, &Rest)) {
            PVOID Parsed = NULL;

            Status = Type->Info.ParseProcedure(Object, Lookup->Type, Lookup->AccessState, Lookup->AccessMode,
                                               Lookup->Attributes, Complete, &Rest, Lookup->ParseContext,
                                               Lookup->SecurityQos, &Parsed);
            ObDereferenceObject(Object);
            if (Status == STATUS_REPARSE || Status == STATUS_REPARSE_OBJECT) {
                return STATUS_REPARSE;
            }
            if (!NT_SUCCESS(Status)) {
                return Status;
            }
            if (Parsed == NULL) {
                return STATUS_OBJECT_NAME_NOT_FOUND;
            }
            if (Lookup->Type != NULL && ObpHeader(Parsed)->Type != Lookup->Type) {
                ObDereferenceObject(Parsed);
                return STATUS_OBJECT_TYPE_MISMATCH;
            }
            *Result = Parsed;
            return Status;
        }
        if (Rest.Length == 0 || (Rest.Length == sizeof(WCHAR) && Rest.Buffer[0] == L'\\' && Object == ObpRoot)) {
            *Result = Object;
            return ObpArrive(Lookup, Object);
        }
        if (Type != ObpDirectoryType) {
            ObDereferenceObject(Object);
            return STATUS_OBJECT_TYPE_MISMATCH;
        }
        {
            UNICODE_STRING Component;
            BOOLEAN Inserted;
            PVOID Next = NULL;

            ObpSplit(&Rest, &Component);
            if (Component.Length == 0) {
                ObDereferenceObject(Object);
                return STATUS_OBJECT_NAME_INVALID;
            }
            Status = ObpStep(Lookup, Object, &Component, Rest.Length == 0, &Inserted, &Next);
            ObDereferenceObject(Object);
            if (!NT_SUCCESS(Status)) {
                return Status;
            }
            if (Inserted) {
                *Result = Next;
                return STATUS_SUCCESS;
            }
            Object = Next;
        }
    }
}

static NTSTATUS ObpStartObject(POBP_LOOKUP Lookup, PVOID *Start)
{
    if (Lookup->RootDirectory != NULL) {
        if (Lookup->Name != NULL && Lookup->Name->Length != 0 && Lookup->Name->Buffer[0] == L'\\') {
            return STATUS_OBJECT_PATH_SYNTAX_BAD;
        }
        return ObReferenceObjectByHandle(Lookup->RootDirectory, 0, NULL, Lookup->AccessMode, Start, NULL);
    }
    if (Lookup->Name == NULL || Lookup->Name->Length == 0 || Lookup->Name->Buffer[0] != L'\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    *Start = ObpRoot;
    ObReferenceObject(ObpRoot);
    return STATUS_SUCCESS;
}

NTSTATUS ObpLookup(POBP_LOOKUP Lookup, PVOID *Object)
{
    UNICODE_STRING Complete = {0};
    PVOID Start = NULL;
    NTSTATUS Status;
    ULONG Rounds;

    if (Lookup->Name != NULL && Lookup->Name->Length % sizeof(WCHAR) != 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Status = ObpStartObject(Lookup, &Start);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Lookup->Name != NULL && Lookup->Name->Length != 0) {
        Complete.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Lookup->Name->Length, OBP_TAG_NAME);
        if (Complete.Buffer == NULL) {
            ObDereferenceObject(Start);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Complete.MaximumLength = Lookup->Name->Length;
        RtlCopyUnicodeString(&Complete, Lookup->Name);
    }
    for (Rounds = 0; Rounds < OBP_MAXIMUM_REPARSE; Rounds++) {
        Status = ObpWalk(Lookup, &Complete, Start, Object);
        if (Status != STATUS_REPARSE) {
            break;
        }
        ObDereferenceObject(Start); /* a new name is absolute */
        Start = ObpRoot;
        ObReferenceObject(Start);
        if (Complete.Length == 0 || Complete.Buffer[0] != L'\\') {
            Status = STATUS_OBJECT_PATH_SYNTAX_BAD;
            break;
        }
    }
    if (Status == STATUS_REPARSE) {
        Status = STATUS_OBJECT_NAME_INVALID; /* links in a circle */
    }
    ObDereferenceObject(Start);
    if (Complete.Buffer != NULL) {
        ExFreePool(Complete.Buffer);
    }
    return Status;
}

/* ---- the name of an object -------------------------------------------------------------------------------
 */

static ULONG ObpNameLengthLocked(POBP_HEADER Header)
{
    ULONG Length = 0;

    while (Header->Directory != NULL) {
        Length += sizeof(WCHAR) + Header->Name.Length;
        Header = ObpHeader(Header->Directory);
    }
    return Length;
}

/* PASSIVE_LEVEL.  STATUS_INFO_LENGTH_MISMATCH, and the length that would do, when the buffer is too small. */
NTSTATUS NTAPI ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length,
                                 PULONG ReturnLength)
{
    POBP_HEADER Header = ObpHeader(Object);
    ULONG NameLength;
    PWCH End;

    if (Header->Type->Info.QueryNameProcedure != NULL) {
        return Header->Type->Info.QueryNameProcedure(Object, Header->Directory != NULL, ObjectNameInfo, Length,
                                                     ReturnLength, KernelMode);
    }
    ObpShareNames();
    NameLength = Object == ObpRoot ? sizeof(WCHAR) : ObpNameLengthLocked(Header);
    *ReturnLength = sizeof(*ObjectNameInfo) + (NameLength != 0 ? NameLength + sizeof(WCHAR) : 0);
    if (Length < *ReturnLength) {
        ObpUnshareNames();
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (NameLength == 0) {
        RtlZeroMemory(&ObjectNameInfo->Name, sizeof(ObjectNameInfo->Name));
        ObpUnshareNames();
        return STATUS_SUCCESS;
    }
    ObjectNameInfo->Name.Buffer = (PWCH)(ObjectNameInfo + 1);
    ObjectNameInfo->Name.Length = (USHORT)NameLength;
    ObjectNameInfo->Name.MaximumLength = (USHORT)(NameLength + sizeof(WCHAR));
    End = ObjectNameInfo->Name.Buffer + NameLength / sizeof(WCHAR);
    *End = L'\0';
    if (Object == ObpRoot) {
        ObjectNameInfo->Name.Buffer[0] = L'\\';
    }
    for (; Header->Directory != NULL; Header = ObpHeader(Header->Directory)) {
        End -= Header->Name.Length / sizeof(WCHAR);
        RtlCopyMemory(End, Header->Name.Buffer, Header->Name.Length);
        *--End = L'\\';
    }
    ObpUnshareNames();
    return STATUS_SUCCESS;
}

NTSTATUS ObCopyName(PVOID Object, ULONG Tag, POBJECT_NAME_INFORMATION *Name)
{
    ULONG Length = 0;
    NTSTATUS Status = ObQueryNameString(Object, NULL, 0, &Length);

    *Name = NULL;
    if (Status != STATUS_INFO_LENGTH_MISMATCH) {
        return NT_SUCCESS(Status) ? STATUS_OBJECT_NAME_INVALID : Status;
    }
    *Name = ExAllocatePoolWithTag(PagedPool, Length + sizeof(WCHAR), Tag);
    if (*Name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = ObQueryNameString(Object, *Name, Length + sizeof(WCHAR), &Length);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(*Name, Tag);
        *Name = NULL;
    }
    return Status;
}

/* ---- opening ---------------------------------------------------------------------------------------------
 */

DECLSPEC_NOINLINE NTSTATUS ObReferenceObjectByName(PUNICODE_STRING ObjectName, ULONG Attributes,
                                                   PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                                                   POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                                   PVOID ParseContext, PVOID *Object)
{
    OBP_LOOKUP Lookup = {NULL, ObjectName, Attributes, ObjectType, AccessMode, AccessState, ParseContext, NULL, NULL};
    UCHAR AuxData[OBP_AUX_ACCESS_DATA];
    ACCESS_STATE Local;
    NTSTATUS Status;

    if (AccessState == NULL) {
        ObpInitializeAccessState(&Local, AuxData, ObjectType, DesiredAccess,
                                 AccessMode != KernelMode || (Attributes & OBJ_FORCE_ACCESS_CHECK) != 0);
        Lookup.AccessState = &Local;
    }
    Status = ObpLookup(&Lookup, Object);
    if (NT_SUCCESS(Status)) {
        Status = ObpCheckAccess(ObpHeader(*Object), Lookup.AccessState);
        if (!NT_SUCCESS(Status)) {
            ObDereferenceObject(*Object);
            *Object = NULL;
        }
    }
    if (NT_SUCCESS(Status)) {
        ObNoteReference(*Object, _ReturnAddress());
    }
    return Status;
}

NTSTATUS ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                            PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle)
{
    OBP_LOOKUP Lookup;
    UCHAR AuxData[OBP_AUX_ACCESS_DATA];
    ACCESS_STATE Local;
    ACCESS_MASK Granted;
    NTSTATUS Status;
    PVOID Object;

    *Handle = NULL;
    if (ObjectAttributes == NULL || ObjectAttributes->Length != sizeof(*ObjectAttributes)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(&Lookup, sizeof(Lookup));
    Lookup.RootDirectory = ObjectAttributes->RootDirectory;
    Lookup.Name = ObjectAttributes->ObjectName;
    Lookup.Attributes = ObjectAttributes->Attributes;
    Lookup.Type = ObjectType;
    Lookup.AccessMode = AccessMode;
    Lookup.ParseContext = ParseContext;
    Lookup.SecurityQos = ObjectAttributes->SecurityQualityOfService;
    if (AccessState == NULL) {
        ObpInitializeAccessState(&Local, AuxData, ObjectType, DesiredAccess,
                                 AccessMode != KernelMode || (Lookup.Attributes & OBJ_FORCE_ACCESS_CHECK) != 0);
        Local.SecurityDescriptor = ObjectAttributes->SecurityDescriptor; /* for what is made on the way */
        AccessState = &Local;
    }
    Lookup.AccessState = AccessState;
    Status = ObpLookup(&Lookup, &Object);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObpCheckAccess(ObpHeader(Object), AccessState);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Object);
        return Status;
    }
    Granted = ObpMapAccess(ObpHeader(Object)->Type,
                           AccessState->PreviouslyGrantedAccess | AccessState->RemainingDesiredAccess);
    Status = ObpCreateHandle(Object, Granted, ObjectAttributes->Attributes, Handle);
    ObDereferenceObject(Object);
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a handle tells of itself: counts and access, name, type. */
#include "obp.h"

/* For handles' and pointers' counts the reference that the query itself holds does not count. */
static NTSTATUS ObpTellBasic(PVOID Object, POBJECT_HANDLE_INFORMATION Handle, PPUBLIC_OBJECT_BASIC_INFORMATION Basic,
                             ULONG Length, PULONG Needed)
{
    *Needed = sizeof(*Basic);
    if (Length != sizeof(*Basic)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    RtlZeroMemory(Basic, sizeof(*Basic));
    Basic->Attributes = Handle->HandleAttributes |
                        ((ObpHeader(Object)->Flags & OBP_FLAG_PERMANENT) != 0 ? OBJ_PERMANENT : 0) |
                        ((ObpHeader(Object)->Flags & OBP_FLAG_EXCLUSIVE) != 0 ? OBJ_EXCLUSIVE : 0);
    Basic->GrantedAccess = Handle->GrantedAccess;
    Basic->HandleCount = (ULONG)ObpHeader(Object)->HandleCount;
    Basic->PointerCount = (ULONG)ObpHeader(Object)->PointerCount - 1;
    return STATUS_SUCCESS;
}

/* The type's name lies behind the structure. */
static NTSTATUS ObpTellType(PVOID Object, PPUBLIC_OBJECT_TYPE_INFORMATION Type, ULONG Length, PULONG Needed)
{
    PUNICODE_STRING Name = &ObpHeader(Object)->Type->Name;

    *Needed = sizeof(*Type) + Name->Length + sizeof(WCHAR);
    if (Length < *Needed) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    RtlZeroMemory(Type, *Needed);
    Type->TypeName = (UNICODE_STRING){0, Name->Length + sizeof(WCHAR), (PWCH)(Type + 1)};
    RtlCopyUnicodeString(&Type->TypeName, Name);
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL.  Classes: basic, type, and name.  STATUS_INFO_LENGTH_MISMATCH with the length in
 * *ReturnLength; STATUS_INVALID_HANDLE; STATUS_INVALID_INFO_CLASS.
 */
NTSTATUS NTAPI ZwQueryObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass, PVOID ObjectInformation,
                             ULONG ObjectInformationLength, PULONG ReturnLength)
{
    OBJECT_HANDLE_INFORMATION Information;
    ULONG Needed = 0;
    NTSTATUS Status;
    PVOID Object;

    PAGED_CODE();
    Status = ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, &Information);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    switch ((ULONG)ObjectInformationClass) {
    case ObjectBasicInformation:
        Status = ObpTellBasic(Object, &Information, ObjectInformation, ObjectInformationLength, &Needed);
        break;
    case 1: /* the name, as ObQueryNameString tells it */
        Status = ObQueryNameString(Object, ObjectInformation, ObjectInformationLength, &Needed);
        break;
    case ObjectTypeInformation:
        Status = ObpTellType(Object, ObjectInformation, ObjectInformationLength, &Needed);
        break;
    default: Status = STATUS_INVALID_INFO_CLASS;
    }
    ObDereferenceObject(Object);
    if (ReturnLength != NULL) {
        *ReturnLength = Needed;
    }
    return Status;
}

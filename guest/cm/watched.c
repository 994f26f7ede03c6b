// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The documented routines for keys and values: what key.c does, between the notifications that drivers asked for.
 * All of them: IRQL PASSIVE_LEVEL.
 */
#include "cmp.h"

#include <cm.h>

VOID CmpInitOperation(PCMP_OPERATION Operation, REG_NOTIFY_CLASS Pre, REG_NOTIFY_CLASS Post, PVOID Object,
                      PVOID Information, PVOID *CallContext)
{
    Operation->Pre = Pre;
    Operation->Post = Post;
    Operation->Object = Object;
    Operation->Information = Information;
    Operation->CallContext = CallContext;
    Operation->ObjectContext = CallContext + 1; /* next to it in every structure */
    Operation->Entered = Operation->Passed = 0;
    Operation->Bypassed = FALSE;
}

/* TRUE: perform it, then CmpEnd.  FALSE: CmpEnd with *Status.  Every structure begins with the object. */
static BOOLEAN CmpBegin(PCMP_OPERATION Operation, HANDLE Handle, REG_NOTIFY_CLASS Pre, REG_NOTIFY_CLASS Post,
                        PVOID Information, PVOID *CallContext, PNTSTATUS Status)
{
    PVOID Key = NULL;

    CmpInitOperation(Operation, Pre, Post, NULL, Information, CallContext);
    if (!CmpWatched()) {
        return TRUE;
    }
    *Status = ObReferenceObjectByHandle(Handle, 0, CmpKeyType, KernelMode, &Key, NULL);
    if (!NT_SUCCESS(*Status)) {
        return FALSE;
    }
    Operation->Object = *(PVOID *)Information = Key;
    return CmpBeginOperation(Operation, Status);
}

static NTSTATUS CmpEnd(PCMP_OPERATION Operation, NTSTATUS Status)
{
    if (Operation->Entered != 0) {
        Status = CmpEndOperation(Operation, Status);
    }
    if (Operation->Object != NULL) {
        ObDereferenceObject(Operation->Object);
    }
    return Status;
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
    REG_DELETE_KEY_INFORMATION Information = {0};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreDeleteKey, RegNtPostDeleteKey, &Information, &Information.CallContext,
                 &Status)) {
        Status = CmpDeleteKey(KeyHandle);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwFlushKey(HANDLE KeyHandle)
{
    REG_FLUSH_KEY_INFORMATION Information = {0};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreFlushKey, RegNtPostFlushKey, &Information, &Information.CallContext,
                 &Status)) {
        Status = CmpFlushKey(KeyHandle);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                             ULONG DataSize)
{
    REG_SET_VALUE_KEY_INFORMATION Information = {NULL, ValueName, TitleIndex, Type, Data, DataSize, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreSetValueKey, RegNtPostSetValueKey, &Information,
                 &Information.CallContext, &Status)) {
        Status = CmpSetValueKey(KeyHandle, ValueName, TitleIndex, Type, Data, DataSize);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    REG_DELETE_VALUE_KEY_INFORMATION Information = {NULL, ValueName, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreDeleteValueKey, RegNtPostDeleteValueKey, &Information,
                 &Information.CallContext, &Status)) {
        Status = CmpDeleteValueKey(KeyHandle, ValueName);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                               KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                               ULONG Length, PULONG ResultLength)
{
    REG_QUERY_VALUE_KEY_INFORMATION Information = {
        NULL, ValueName, KeyValueInformationClass, KeyValueInformation, Length, ResultLength, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreQueryValueKey, RegNtPostQueryValueKey, &Information,
                 &Information.CallContext, &Status)) {
        Status =
            CmpQueryValueKey(KeyHandle, ValueName, KeyValueInformationClass, KeyValueInformation, Length, ResultLength);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index, KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                                   PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    REG_ENUMERATE_VALUE_KEY_INFORMATION Information = {
        NULL, Index, KeyValueInformationClass, KeyValueInformation, Length, ResultLength, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreEnumerateValueKey, RegNtPostEnumerateValueKey, &Information,
                 &Information.CallContext, &Status)) {
        Status =
            CmpEnumerateValueKey(KeyHandle, Index, KeyValueInformationClass, KeyValueInformation, Length, ResultLength);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                          ULONG Length, PULONG ResultLength)
{
    REG_QUERY_KEY_INFORMATION Information = {
        NULL, KeyInformationClass, KeyInformation, Length, ResultLength, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreQueryKey, RegNtPostQueryKey, &Information, &Information.CallContext,
                 &Status)) {
        Status = CmpQueryKey(KeyHandle, KeyInformationClass, KeyInformation, Length, ResultLength);
    }
    return CmpEnd(&Operation, Status);
}

NTSTATUS NTAPI ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                              PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    REG_ENUMERATE_KEY_INFORMATION Information = {
        NULL, Index, KeyInformationClass, KeyInformation, Length, ResultLength, NULL, NULL, NULL};
    CMP_OPERATION Operation;
    NTSTATUS Status;

    PAGED_CODE();
    if (CmpBegin(&Operation, KeyHandle, RegNtPreEnumerateKey, RegNtPostEnumerateKey, &Information,
                 &Information.CallContext, &Status)) {
        Status = CmpEnumerateKey(KeyHandle, Index, KeyInformationClass, KeyInformation, Length, ResultLength);
    }
    return CmpEnd(&Operation, Status);
}

/* ---- creating and opening: the object is there only afterwards ---- */

/* A driver that took the operation over gave an object, with a reference, and the access to it. */
static NTSTATUS CmpAdoptObject(REG_CREATE_KEY_INFORMATION_V1 *Information, ULONG Attributes, PHANDLE Handle)
{
    PVOID Object = *Information->ResultObject;
    NTSTATUS Status;

    if (Object == NULL) {
        return STATUS_SUCCESS;
    }
    Status =
        ObOpenObjectByPointer(Object, Attributes, NULL, Information->GrantedAccess, CmpKeyType, KernelMode, Handle);
    ObDereferenceObject(Object);
    return Status;
}

static NTSTATUS CmpWatchOpen(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes, ULONG Options,
                             PCMP_CREATE Create, PVOID Root, PULONG Disposition)
{
    REG_CREATE_KEY_INFORMATION_V1 Information = {0};
    PVOID Result = NULL;
    CMP_OPERATION Operation;
    NTSTATUS Status;

    Information.CompleteName = Attributes->ObjectName;
    Information.RootObject = Root;
    Information.ObjectType = CmpKeyType;
    Information.Options = Options;
    Information.Class = Create != NULL ? Create->Class : NULL;
    Information.SecurityDescriptor = Attributes->SecurityDescriptor;
    Information.SecurityQualityOfService = Attributes->SecurityQualityOfService;
    Information.DesiredAccess = Information.GrantedAccess = DesiredAccess;
    Information.Disposition = Disposition;
    Information.ResultObject = &Result;
    Information.Version = 1;
    Information.RemainingName = Attributes->ObjectName;
    Information.Attributes = Attributes->Attributes;
    CmpInitOperation(&Operation, Create != NULL ? RegNtPreCreateKeyEx : RegNtPreOpenKeyEx,
                     Create != NULL ? RegNtPostCreateKeyEx : RegNtPostOpenKeyEx, NULL, &Information,
                     &Information.CallContext);
    Operation.ObjectContext = &Information.RootObjectContext;
    if (CmpBeginOperation(&Operation, &Status)) {
        Status = ObOpenObjectByName(Attributes, CmpKeyType, KernelMode, NULL, DesiredAccess, Create, KeyHandle);
        if (NT_SUCCESS(Status) && Disposition != NULL && Create != NULL) {
            *Disposition = Create->Disposition;
        }
    } else if (Operation.Bypassed) {
        Status = CmpAdoptObject(&Information, Attributes->Attributes, KeyHandle);
    }
    Result = NULL;
    if (NT_SUCCESS(Status)) {
        ObReferenceObjectByHandle(*KeyHandle, 0, CmpKeyType, KernelMode, &Result, NULL);
    }
    Operation.Object = Result;
    Status = CmpEndOperation(&Operation, Status);
    if (Result != NULL) {
        ObDereferenceObject(Result);
        if (!NT_SUCCESS(Status)) {
            ZwClose(*KeyHandle); /* a driver made a failure of it */
            *KeyHandle = NULL;
        }
    }
    return Status;
}

static NTSTATUS CmpOpen(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes, ULONG Options,
                        PCMP_CREATE Create, PULONG Disposition)
{
    PVOID Root = CmpRootObject;
    NTSTATUS Status;

    if (!CmpWatched() || Attributes == NULL || Attributes->ObjectName == NULL) {
        Status = ObOpenObjectByName(Attributes, CmpKeyType, KernelMode, NULL, DesiredAccess, Create, KeyHandle);
        if (NT_SUCCESS(Status) && Disposition != NULL) {
            *Disposition = Create->Disposition;
        }
        return Status;
    }
    if (Attributes->RootDirectory == NULL) {
        return CmpWatchOpen(KeyHandle, DesiredAccess, Attributes, Options, Create, Root, Disposition);
    }
    Status = ObReferenceObjectByHandle(Attributes->RootDirectory, 0, CmpKeyType, KernelMode, &Root, NULL);
    if (NT_SUCCESS(Status)) {
        Status = CmpWatchOpen(KeyHandle, DesiredAccess, Attributes, Options, Create, Root, Disposition);
        ObDereferenceObject(Root);
    }
    return Status;
}

NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG TitleIndex, PUNICODE_STRING Class, ULONG CreateOptions, PULONG Disposition)
{
    CMP_CREATE Create = {
        .TitleIndex = TitleIndex, .Class = Class, .Volatile = (CreateOptions & REG_OPTION_VOLATILE) != 0};

    PAGED_CODE();
    if ((CreateOptions & ~(REG_OPTION_VOLATILE | REG_OPTION_CREATE_LINK | REG_OPTION_BACKUP_RESTORE)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & REG_OPTION_CREATE_LINK) != 0) {
        DbgPrint("ZwCreateKey: REG_OPTION_CREATE_LINK is not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    return CmpOpen(KeyHandle, DesiredAccess, ObjectAttributes, CreateOptions, &Create, Disposition);
}

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    return ZwOpenKeyEx(KeyHandle, DesiredAccess, ObjectAttributes, 0);
}

/* Links and backup: nothing to choose. */
NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                           ULONG OpenOptions)
{
    PAGED_CODE();
    return CmpOpen(KeyHandle, DesiredAccess, ObjectAttributes, OpenOptions, NULL, NULL);
}

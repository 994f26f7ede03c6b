/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callback: callback objects, by which one driver tells others of something: ExCreateCallback and its kin.
 *
 * ObpCallbackLock guards every list of registrations.  A registration that is being called is counted, so that
 * ExUnregisterCallback can wait for it; it holds a reference to its object.
 */
#include "obp.h"

#define OBP_TAG_CALLBACK 'kblC'

typedef struct _CALLBACK_OBJECT {
    LIST_ENTRY Registrations; /* ObpCallbackLock; in order of registration */
    BOOLEAN Multiple;
} CALLBACK_OBJECT;

typedef struct _OBP_REGISTRATION {
    /* ObpCallbackLock */
    LIST_ENTRY Links;    /* its object's Registrations */
    LIST_ENTRY AllLinks; /* ObpRegistrations */
    ULONG Users;
    BOOLEAN Removed;

    PCALLBACK_OBJECT Object;
    PCALLBACK_FUNCTION Function;
    PVOID Context;
} OBP_REGISTRATION, *POBP_REGISTRATION;

static POBJECT_TYPE ObpCallbackType;
static KSPIN_LOCK ObpCallbackLock;
static LIST_ENTRY ObpRegistrations; /* ObpCallbackLock: all of them, for the check at unload */

/* What the system itself offers: nothing here changes the time, power or processors, so nobody is ever called. */
static NTSTATUS ObpMakeSystemCallback(PCWSTR Text)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;

    RtlInitUnicodeString(&Name, Text);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL, NULL);
    return ExCreateCallback(&Object, &Attributes, TRUE, TRUE);
}

NTSTATUS ObpInitializeCallbacks(VOID)
{
    static const PCWSTR Names[] = {L"\\Callback\\SetSystemTime", L"\\Callback\\PowerState",
                                   L"\\Callback\\ProcessorAdd"};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Callback");
    OBJECT_TYPE_INITIALIZER Initializer;
    NTSTATUS Status;

    KeInitializeSpinLock(&ObpCallbackLock);
    InitializeListHead(&ObpRegistrations);
    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.Secured = TRUE;
    Initializer.PoolType = NonPagedPoolNx;
    Initializer.ValidAccessMask = 0x1F0001; /* CALLBACK_ALL_ACCESS */
    Initializer.GenericMapping = (GENERIC_MAPPING){0x20000, 0x20001, 0x120000, 0x1F0001};
    Initializer.WaitOffset = OB_NOT_WAITABLE;
    Status = ObCreateObjectType(&Name, &Initializer, NULL, &ObpCallbackType);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names) && NT_SUCCESS(Status); i++) {
        Status = ObpMakeSystemCallback(Names[i]);
    }
    return Status;
}

static NTSTATUS ObpCreateCallback(POBJECT_ATTRIBUTES Attributes, BOOLEAN Multiple, PHANDLE Handle)
{
    PCALLBACK_OBJECT Object;
    NTSTATUS Status;

    Status = ObCreateObject(KernelMode, ObpCallbackType, Attributes, KernelMode, NULL, sizeof(*Object), 0, 0,
                            (PVOID *)&Object);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    InitializeListHead(&Object->Registrations);
    Object->Multiple = Multiple;
    return ObInsertObject(Object, NULL, 0, 0, NULL, Handle);
}

/* IRQL: <= APC_LEVEL.  STATUS_UNSUCCESSFUL: no name.  The object is referenced for the caller. */
DECLSPEC_NOINLINE NTSTATUS NTAPI ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                                                  BOOLEAN Create, BOOLEAN AllowMultipleCallbacks)
{
    OBJECT_ATTRIBUTES Attributes = *ObjectAttributes;
    HANDLE Handle;
    NTSTATUS Status;

    PAGED_CODE();
    if (Attributes.ObjectName == NULL || Attributes.ObjectName->Length == 0) {
        return STATUS_UNSUCCESSFUL;
    }
    Attributes.Attributes |= OBJ_KERNEL_HANDLE;
    Status = ObOpenObjectByName(&Attributes, ObpCallbackType, KernelMode, NULL, 0, NULL, &Handle);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Create) {
        Status = ObpCreateCallback(&Attributes, AllowMultipleCallbacks, &Handle);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, 0, ObpCallbackType, KernelMode, (PVOID *)CallbackObject, NULL);
    ObCloseHandle(Handle, KernelMode);
    if (NT_SUCCESS(Status)) {
        ObNoteReference(*CallbackObject, _ReturnAddress());
    }
    return Status;
}

/* IRQL: <= APC_LEVEL.  NULL: no memory, or the object takes one routine and has it. */
PVOID NTAPI ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                               PVOID CallbackContext)
{
    POBP_REGISTRATION Registration;
    BOOLEAN Accepted;
    KIRQL Irql;

    PAGED_CODE();
    KeCheckRoutine((PVOID)CallbackFunction, "callback routine");
    Registration = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*Registration), OBP_TAG_CALLBACK, _ReturnAddress());
    if (Registration == NULL) {
        return NULL;
    }
    RtlZeroMemory(Registration, sizeof(*Registration));
    Registration->Object = CallbackObject;
    Registration->Function = CallbackFunction;
    Registration->Context = CallbackContext;
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpCallbackLock);
    Accepted = CallbackObject->Multiple || IsListEmpty(&CallbackObject->Registrations);
    if (Accepted) {
        InsertTailList(&CallbackObject->Registrations, &Registration->Links);
        InsertTailList(&ObpRegistrations, &Registration->AllLinks);
        ObReferenceObject(CallbackObject);
    }
    KeReleaseSpinLock(&ObpCallbackLock, Irql);
    if (!Accepted) {
        ExFreePoolWithTag(Registration, OBP_TAG_CALLBACK);
        return NULL;
    }
    return Registration;
}

/* IRQL: <= APC_LEVEL.  The routine does not run any more when this returns. */
VOID NTAPI ExUnregisterCallback(PVOID CallbackRegistration)
{
    LARGE_INTEGER Tick = {.QuadPart = -10000};
    POBP_REGISTRATION Registration = CallbackRegistration;
    KIRQL Irql;

    PAGED_CODE();
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpCallbackLock);
    Registration->Removed = TRUE;
    while (Registration->Users != 0) {
        KeReleaseSpinLock(&ObpCallbackLock, Irql);
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
        Irql = KeAcquireSpinLockRaiseToDpc(&ObpCallbackLock);
    }
    RemoveEntryList(&Registration->Links);
    RemoveEntryList(&Registration->AllLinks);
    KeReleaseSpinLock(&ObpCallbackLock, Irql);
    ObDereferenceObject(Registration->Object);
    ExFreePoolWithTag(Registration, OBP_TAG_CALLBACK);
}

/* IRQL: <= DISPATCH_LEVEL, at which the routines run, in order of registration. */
VOID NTAPI ExNotifyCallback(PCALLBACK_OBJECT CallbackObject, PVOID Argument1, PVOID Argument2)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&ObpCallbackLock);
    PLIST_ENTRY Link = CallbackObject->Registrations.Flink;

    while (Link != &CallbackObject->Registrations) {
        POBP_REGISTRATION Registration = CONTAINING_RECORD(Link, OBP_REGISTRATION, Links);

        if (!Registration->Removed) {
            FV_CALL Call;

            Registration->Users++;
            KeReleaseSpinLock(&ObpCallbackLock, Irql);
            FvBeginCall(&Call);
            Registration->Function(Registration->Context, Argument1, Argument2);
            FvEndCall(&Call, (PVOID)Registration->Function, "callback routine", (ULONG_PTR)CallbackObject);
            Irql = KeAcquireSpinLockRaiseToDpc(&ObpCallbackLock);
            Registration->Users--;
        }
        Link = Link->Flink;
    }
    KeReleaseSpinLock(&ObpCallbackLock, Irql);
}

VOID ObpCheckCallbacks(PVOID Base, SIZE_T Size)
{
    for (PLIST_ENTRY Link = ObpRegistrations.Flink; Link != &ObpRegistrations; Link = Link->Flink) {
        POBP_REGISTRATION Registration = CONTAINING_RECORD(Link, OBP_REGISTRATION, AllLinks);

        if ((ULONG_PTR)Registration->Function - (ULONG_PTR)Base < Size) {
            KeReportLeft("callback routine", Registration, (PVOID)Registration->Function);
        }
    }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device interfaces: what a device can, by class; each instance a symbolic link, which is there while it is enabled.
 *
 * Windows keeps them in the registry over restarts.  Here every machine starts anew, and this list is all there is.
 */
#include "iop.h"

#define IOP_GUID_LENGTH (38 * sizeof(WCHAR))

typedef struct _IOP_INTERFACE {
    LIST_ENTRY Entry;   /* IopInterfaces; never goes */
    PDEVICE_OBJECT Pdo; /* referenced */
    GUID Class;
    BOOLEAN Enabled;     /* IopInterfaceLock */
    UNICODE_STRING Link; /* in the same block */
    USHORT LinkLength;   /* of the symbolic link's own name; behind it the reference, which is the driver's */
} IOP_INTERFACE, *PIOP_INTERFACE;

static FAST_MUTEX IopInterfaceLock;
static LIST_ENTRY IopInterfaces = {&IopInterfaces, &IopInterfaces}; /* IopInterfaceLock */

VOID IopInitializeInterfaces(VOID)
{
    ExInitializeFastMutex(&IopInterfaceLock);
}

static PIOP_INTERFACE IopFindInterfaceLocked(PCUNICODE_STRING Link)
{
    PLIST_ENTRY Entry;

    for (Entry = IopInterfaces.Flink; Entry != &IopInterfaces; Entry = Entry->Flink) {
        PIOP_INTERFACE Interface = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);

        if (RtlEqualUnicodeString(&Interface->Link, Link, TRUE)) {
            return Interface;
        }
    }
    return NULL;
}

static BOOLEAN IopIsReference(PCUNICODE_STRING Reference)
{
    for (USHORT Index = 0; Index < Reference->Length / sizeof(WCHAR); Index++) {
        if (Reference->Buffer[Index] == L'\\' || Reference->Buffer[Index] == L'/') {
            return FALSE;
        }
    }
    return TRUE;
}

/* "\??\instance#{class}", then "\reference": behind the structure. */
static NTSTATUS IopMakeInterface(PDEVICE_OBJECT Pdo, const GUID *Class, PCUNICODE_STRING Reference,
                                 PIOP_INTERFACE *Made)
{
    WCHAR InstanceBuffer[IOP_INSTANCE_LENGTH];
    UNICODE_STRING Instance = {0, sizeof(InstanceBuffer), InstanceBuffer}, Guid = {0};
    PIOP_INTERFACE Interface = NULL;
    NTSTATUS Status;
    ULONG Size;

    Status = IopInstanceName(Pdo, L'#', &Instance);
    if (NT_SUCCESS(Status)) {
        Status = RtlStringFromGUID(Class, &Guid);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Size = 6 * sizeof(WCHAR) + Instance.Length + IOP_GUID_LENGTH + (Reference != NULL ? Reference->Length : 0);
    if (Size <= MAXUSHORT) {
        Interface = ExAllocatePoolZero(PagedPool, sizeof(*Interface) + Size, IOP_TAG_DEVICE);
    }
    if (Interface != NULL) {
        Interface->Link = (UNICODE_STRING){0, (USHORT)Size, (PWCH)(Interface + 1)};
        RtlAppendUnicodeToString(&Interface->Link, L"\\??\\");
        RtlAppendUnicodeStringToString(&Interface->Link, &Instance);
        RtlAppendUnicodeToString(&Interface->Link, L"#");
        RtlAppendUnicodeStringToString(&Interface->Link, &Guid);
        Interface->LinkLength = Interface->Link.Length;
        if (Reference != NULL && Reference->Length != 0) {
            RtlAppendUnicodeToString(&Interface->Link, L"\\");
            RtlAppendUnicodeStringToString(&Interface->Link, Reference);
        }
        Interface->Pdo = Pdo;
        Interface->Class = *Class;
    }
    RtlFreeUnicodeString(&Guid);
    *Made = Interface;
    return Interface != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/*
 * IRQL: PASSIVE_LEVEL.  The caller frees SymbolicLinkName by RtlFreeUnicodeString.  STATUS_OBJECT_NAME_EXISTS: it is
 * registered already, which is no failure; STATUS_INVALID_DEVICE_REQUEST: no physical device object, or the reference has a
 * separator in it.  (IoRegisterDeviceInterface)
 */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject, CONST GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString, PUNICODE_STRING SymbolicLinkName)
{
    PIOP_INTERFACE Interface;
    NTSTATUS Status, Copied;

    PAGED_CODE();
    RtlZeroMemory(SymbolicLinkName, sizeof(*SymbolicLinkName));
    if (ReferenceString != NULL && !IopIsReference(ReferenceString)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    Status = IopMakeInterface(PhysicalDeviceObject, InterfaceClassGuid, ReferenceString, &Interface);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Copied = RtlDuplicateUnicodeString(RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE, &Interface->Link, SymbolicLinkName);
    if (!NT_SUCCESS(Copied)) {
        ExFreePoolWithTag(Interface, IOP_TAG_DEVICE);
        return Copied;
    }
    ExAcquireFastMutex(&IopInterfaceLock);
    if (IopFindInterfaceLocked(&Interface->Link) != NULL) {
        Status = STATUS_OBJECT_NAME_EXISTS;
        ExFreePoolWithTag(Interface, IOP_TAG_DEVICE);
    } else {
        ObReferenceObject(PhysicalDeviceObject);
        InsertTailList(&IopInterfaces, &Interface->Entry);
    }
    ExReleaseFastMutex(&IopInterfaceLock);
    return Status;
}

/* Those of one device and class that differ by their reference have one link, as long as one of them is enabled. */
static NTSTATUS IopSetLinkLocked(PIOP_INTERFACE Interface, BOOLEAN Enable)
{
    UNICODE_STRING Name = {Interface->LinkLength, Interface->LinkLength, Interface->Link.Buffer};
    WCHAR Buffer[IOP_INSTANCE_LENGTH];
    UNICODE_STRING Target = {0, sizeof(Buffer), Buffer};
    PLIST_ENTRY Entry;
    NTSTATUS Status;

    for (Entry = IopInterfaces.Flink; Entry != &IopInterfaces; Entry = Entry->Flink) {
        PIOP_INTERFACE Other = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);

        if (Other != Interface && Other->Enabled && Other->Pdo == Interface->Pdo &&
            IsEqualGUID(&Other->Class, &Interface->Class)) {
            return STATUS_SUCCESS;
        }
    }
    if (!Enable) {
        return IoDeleteSymbolicLink(&Name);
    }
    Status = IopPdoName(Interface->Pdo, &Target);
    return NT_SUCCESS(Status) ? IoCreateSymbolicLink(&Name, &Target) : Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  Those who registered for the class are told.  STATUS_OBJECT_NAME_EXISTS: it is enabled already;
 * STATUS_OBJECT_NAME_NOT_FOUND: it is not, or there is no such interface.  (IoSetDeviceInterfaceState)
 */
NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName, BOOLEAN Enable)
{
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;
    PIOP_INTERFACE Interface;

    PAGED_CODE();
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&IopInterfaceLock);
    Interface = IopFindInterfaceLocked(SymbolicLinkName);
    if (Interface != NULL && Enable) {
        Status = Interface->Enabled ? STATUS_OBJECT_NAME_EXISTS : IopSetLinkLocked(Interface, TRUE);
    } else if (Interface != NULL && Interface->Enabled) {
        Status = IopSetLinkLocked(Interface, FALSE);
    }
    if (Status == STATUS_SUCCESS) {
        Interface->Enabled = Enable != FALSE;
        IopTellOfInterface(&Interface->Class, &Interface->Link, Enable);
    }
    ExReleaseFastMutexUnsafe(&IopInterfaceLock);
    KeLeaveCriticalRegion();
    return Status;
}

/* The device goes: what it did not disable itself is.  PASSIVE_LEVEL. */
VOID IopDisableInterfaces(PDEVICE_OBJECT Pdo)
{
    PLIST_ENTRY Entry;

    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&IopInterfaceLock);
    for (Entry = IopInterfaces.Flink; Entry != &IopInterfaces; Entry = Entry->Flink) {
        PIOP_INTERFACE Interface = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);

        if (Interface->Pdo == Pdo && Interface->Enabled) {
            IopSetLinkLocked(Interface, FALSE);
            Interface->Enabled = FALSE;
            IopTellOfInterface(&Interface->Class, &Interface->Link, FALSE);
        }
    }
    ExReleaseFastMutexUnsafe(&IopInterfaceLock);
    KeLeaveCriticalRegion();
}

/*
 * Those of the class that are enabled, until Visitor says FALSE; without the lock, as the visitor is a driver's in the end.
 * Interfaces never go, so that the way on from one is safe.  PASSIVE_LEVEL.
 */
VOID IopVisitInterfaces(const GUID *Class, IOP_INTERFACE_VISITOR Visitor, PVOID Context)
{
    PLIST_ENTRY Entry = &IopInterfaces;
    PIOP_INTERFACE Interface;
    BOOLEAN More = TRUE;

    while (More) {
        Interface = NULL;
        ExAcquireFastMutex(&IopInterfaceLock);
        for (Entry = Entry->Flink; Entry != &IopInterfaces && Interface == NULL;) {
            Interface = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);
            if (!Interface->Enabled || !IsEqualGUID(&Interface->Class, Class)) {
                Interface = NULL;
                Entry = Entry->Flink;
            }
        }
        ExReleaseFastMutex(&IopInterfaceLock);
        More = Interface != NULL && Visitor(Class, &Interface->Link, Context);
    }
}

static BOOLEAN IopListed(PIOP_INTERFACE Interface, const GUID *Class, PDEVICE_OBJECT Pdo, ULONG Flags)
{
    return IsEqualGUID(&Interface->Class, Class) && (Pdo == NULL || Interface->Pdo == Pdo) &&
           (Interface->Enabled || (Flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE) != 0);
}

/*
 * IRQL: PASSIVE_LEVEL.  The list, each name and the whole of it ended by a zero, is paged pool, which the caller frees by
 * ExFreePool; none is a list too.  STATUS_INVALID_DEVICE_REQUEST: no physical device object.  (IoGetDeviceInterfaces)
 */
NTSTATUS NTAPI IoGetDeviceInterfaces(CONST GUID *InterfaceClassGuid, PDEVICE_OBJECT PhysicalDeviceObject, ULONG Flags,
                                     PZZWSTR *SymbolicLinkList)
{
    ULONG Size = sizeof(WCHAR);
    PLIST_ENTRY Entry;
    PWCH Next = NULL;

    PAGED_CODE();
    *SymbolicLinkList = NULL;
    if (PhysicalDeviceObject != NULL && !IopIsPdo(PhysicalDeviceObject)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    ExAcquireFastMutex(&IopInterfaceLock);
    for (Entry = IopInterfaces.Flink; Entry != &IopInterfaces; Entry = Entry->Flink) {
        PIOP_INTERFACE Interface = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);

        if (IopListed(Interface, InterfaceClassGuid, PhysicalDeviceObject, Flags)) {
            Size += Interface->Link.Length + sizeof(WCHAR);
        }
    }
    *SymbolicLinkList = Next = ExAllocatePoolZero(PagedPool, Size, IOP_TAG_NAME);
    for (Entry = IopInterfaces.Flink; Entry != &IopInterfaces && Next != NULL; Entry = Entry->Flink) {
        PIOP_INTERFACE Interface = CONTAINING_RECORD(Entry, IOP_INTERFACE, Entry);

        if (IopListed(Interface, InterfaceClassGuid, PhysicalDeviceObject, Flags)) {
            RtlCopyMemory(Next, Interface->Link.Buffer, Interface->Link.Length);
            Next += Interface->Link.Length / sizeof(WCHAR) + 1;
        }
    }
    ExReleaseFastMutex(&IopInterfaceLock);
    return Next != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

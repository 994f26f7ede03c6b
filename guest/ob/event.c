/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event objects: the Nt and Zw calls on events with names and handles.  The event itself is ke's KEVENT. */
#include <ntifs.h>
#include <ob.h>
#include <obevent.h>

typedef struct _EXP_EVENT_INFORMATION {
    EVENT_TYPE EventType;
    LONG EventState;
} EXP_EVENT_INFORMATION;

/* Exported as ExEventObjectType; the kernel's own code reaches it through a pointer, as the header has it. */
POBJECT_TYPE ExpEventObjectType;
POBJECT_TYPE *ExEventObjectType = &ExpEventObjectType;

static const GENERIC_MAPPING ExpEventMapping = {
    .GenericRead = STANDARD_RIGHTS_READ | EVENT_QUERY_STATE,
    .GenericWrite = STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE,
    .GenericExecute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
    .GenericAll = EVENT_ALL_ACCESS,
};

NTSTATUS ObInitEventObjects(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Event");
    OBJECT_TYPE_INITIALIZER Initializer;

    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.GenericMapping = ExpEventMapping;
    Initializer.ValidAccessMask = EVENT_ALL_ACCESS;
    Initializer.PoolType = NonPagedPoolNx;
    return ObCreateObjectType(&Name, &Initializer, NULL, &ExpEventObjectType);
}

static NTSTATUS ExpReferenceEvent(HANDLE Handle, ACCESS_MASK Access, PKEVENT *Event)
{
    return ObReferenceObjectByHandle(Handle, Access, ExpEventObjectType, ExGetPreviousMode(), (PVOID *)Event, NULL);
}

/* PASSIVE_LEVEL, as all of these. */
NTSTATUS NTAPI NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState)
{
    PKEVENT Event;
    NTSTATUS Status;

    if (Type != NotificationEvent && Type != SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    Status = ObCreateObject(ExGetPreviousMode(), ExpEventObjectType, Attributes, ExGetPreviousMode(), NULL,
                            sizeof(KEVENT), 0, 0, (PVOID *)&Event);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeEvent(Event, Type, InitialState);
    return ObInsertObject(Event, NULL, DesiredAccess, 0, NULL, EventHandle);
}

NTSTATUS NTAPI NtOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    return ObOpenObjectByName(Attributes, ExpEventObjectType, ExGetPreviousMode(), NULL, DesiredAccess, NULL,
                              EventHandle);
}

NTSTATUS NTAPI NtSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    PKEVENT Event;
    LONG State;
    NTSTATUS Status = ExpReferenceEvent(EventHandle, EVENT_MODIFY_STATE, &Event);

    if (!NT_SUCCESS(Status))
        return Status;
    State = KeSetEvent(Event, EVENT_INCREMENT, FALSE);
    ObDereferenceObject(Event);
    if (PreviousState != NULL)
        *PreviousState = State;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtResetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    PKEVENT Event;
    LONG State;
    NTSTATUS Status = ExpReferenceEvent(EventHandle, EVENT_MODIFY_STATE, &Event);

    if (!NT_SUCCESS(Status))
        return Status;
    State = KeResetEvent(Event);
    ObDereferenceObject(Event);
    if (PreviousState != NULL)
        *PreviousState = State;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtClearEvent(HANDLE EventHandle)
{
    PKEVENT Event;
    NTSTATUS Status = ExpReferenceEvent(EventHandle, EVENT_MODIFY_STATE, &Event);

    if (!NT_SUCCESS(Status))
        return Status;
    KeClearEvent(Event);
    ObDereferenceObject(Event);
    return STATUS_SUCCESS;
}

/* Zw: the same with kernel mode as the previous mode; every thread here is one of the system's. */
NTSTATUS NTAPI ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState)
{
    return NtCreateEvent(EventHandle, DesiredAccess, Attributes, Type, InitialState);
}

NTSTATUS NTAPI ZwOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    return NtOpenEvent(EventHandle, DesiredAccess, Attributes);
}

NTSTATUS NTAPI ZwSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    return NtSetEvent(EventHandle, PreviousState);
}

NTSTATUS NTAPI ZwResetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    return NtResetEvent(EventHandle, PreviousState);
}

NTSTATUS NTAPI ZwClearEvent(HANDLE EventHandle)
{
    return NtClearEvent(EventHandle);
}

/* IoCreateNotificationEvent's and IoCreateSynchronizationEvent's common part. */
static PKEVENT ExpCreateNamedEvent(PUNICODE_STRING Name, EVENT_TYPE Type, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    PKEVENT Event = NULL;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_OPENIF | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = NtCreateEvent(Handle, EVENT_ALL_ACCESS, &Attributes, Type, TRUE);
    if (!NT_SUCCESS(Status))
        return NULL;
    Status = ExpReferenceEvent(*Handle, EVENT_ALL_ACCESS, &Event);
    if (!NT_SUCCESS(Status)) {
        ZwClose(*Handle);
        return NULL;
    }
    ObDereferenceObject(Event); /* the handle keeps it */
    return Event;
}

PKEVENT NTAPI IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return ExpCreateNamedEvent(EventName, NotificationEvent, EventHandle);
}

PKEVENT NTAPI IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return ExpCreateNamedEvent(EventName, SynchronizationEvent, EventHandle);
}

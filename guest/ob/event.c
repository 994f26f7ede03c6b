/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event objects: the Nt and Zw calls on events with names and handles.  The event itself is ke's KEVENT. */
#include <ntifs.h>
#include <ob.h>
#include <obevent.h>
#include <ke.h>

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
    Initializer.Secured = TRUE;
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
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    OB_CAPTURED Captured;
    HANDLE Handle = NULL;
    PKEVENT Event;
    NTSTATUS Status;

    if (Type != NotificationEvent && Type != SynchronizationEvent)
        return STATUS_INVALID_PARAMETER;
    Status = ObCapture(Attributes, EventHandle, &Captured);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObCreateObject(Mode, ExpEventObjectType, Captured.Attributes, Mode, NULL, sizeof(KEVENT), 0, 0,
                            (PVOID *)&Event);
    if (NT_SUCCESS(Status)) {
        KeInitializeEvent(Event, Type, InitialState);
        Status = ObInsertObject(Event, NULL, DesiredAccess, 0, NULL, &Handle);
    }
    ObReleaseCaptured(&Captured);
    return ObTellHandle(Status, Handle, EventHandle);
}

NTSTATUS NTAPI NtOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    OB_CAPTURED Captured;
    HANDLE Handle = NULL;
    NTSTATUS Status = ObCapture(Attributes, EventHandle, &Captured);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = Captured.Attributes == NULL ? STATUS_INVALID_PARAMETER
                                         : ObOpenObjectByName(Captured.Attributes, ExpEventObjectType,
                                                              ExGetPreviousMode(), NULL, DesiredAccess, NULL, &Handle);
    ObReleaseCaptured(&Captured);
    return ObTellHandle(Status, Handle, EventHandle);
}

/* What the event's state was, if the caller wants to know. */
static NTSTATUS ExpProbeState(PLONG PreviousState)
{
    if (PreviousState == NULL || ExGetPreviousMode() == KernelMode)
        return STATUS_SUCCESS;
    __try {
        ProbeForWrite(PreviousState, sizeof(*PreviousState), sizeof(LONG));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS ExpChangeEvent(HANDLE EventHandle, BOOLEAN Set, PLONG PreviousState)
{
    PKEVENT Event;
    LONG State;
    NTSTATUS Status = ExpProbeState(PreviousState);

    if (NT_SUCCESS(Status))
        Status = ExpReferenceEvent(EventHandle, EVENT_MODIFY_STATE, &Event);
    if (!NT_SUCCESS(Status))
        return Status;
    State = Set ? KeSetEvent(Event, EVENT_INCREMENT, FALSE) : KeResetEvent(Event);
    ObDereferenceObject(Event);
    __try {
        if (PreviousState != NULL)
            *PreviousState = State;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        NOTHING; /* done, but not told */
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    return ExpChangeEvent(EventHandle, TRUE, PreviousState);
}

NTSTATUS NTAPI NtResetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    return ExpChangeEvent(EventHandle, FALSE, PreviousState);
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

OB_ZW(CreateEvent,
      (PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
       BOOLEAN InitialState),
      (EventHandle, DesiredAccess, Attributes, Type, InitialState))
OB_ZW(OpenEvent, (PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes),
      (EventHandle, DesiredAccess, Attributes))
OB_ZW(SetEvent, (HANDLE EventHandle, PLONG PreviousState), (EventHandle, PreviousState))
OB_ZW(ResetEvent, (HANDLE EventHandle, PLONG PreviousState), (EventHandle, PreviousState))
OB_ZW(ClearEvent, (HANDLE EventHandle), (EventHandle))

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

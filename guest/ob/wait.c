/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wait: waiting for objects by their handles. */
#include "obp.h"

#define OBP_WAIT_TAG 'aWbO'

/* A time-out of user mode's, which *Timeout points to afterwards; NULL stays. */
static NTSTATUS ObpCaptureTimeout(PLARGE_INTEGER *Timeout, PLARGE_INTEGER Captured)
{
    if (ExGetPreviousMode() == KernelMode || *Timeout == NULL) {
        return STATUS_SUCCESS;
    }
    __try {
        ProbeForRead(*Timeout, sizeof(**Timeout), sizeof(ULONG));
        *Captured = **Timeout;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    *Timeout = Captured;
    return STATUS_SUCCESS;
}

/* The handle's object, referenced, and what of it is waited for. */
static NTSTATUS ObpReferenceWaitable(HANDLE Handle, PVOID *Object, PVOID *Header)
{
    USHORT Offset;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, NULL, ExGetPreviousMode(), Object, NULL);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Offset = ObpHeader(*Object)->Type->Info.WaitOffset;
    if (Offset == OB_NOT_WAITABLE) {
        ObDereferenceObject(*Object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    *Header = (PUCHAR)*Object + Offset;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    LARGE_INTEGER Captured;
    PVOID Object, Header;
    NTSTATUS Status = ObpCaptureTimeout(&Timeout, &Captured);

    if (NT_SUCCESS(Status)) {
        Status = ObpReferenceWaitable(Handle, &Object, &Header);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = KeWaitForSingleObject(Header, UserRequest, ExGetPreviousMode(), Alertable, Timeout);
    ObDereferenceObject(Object);
    return Status;
}

OB_ZW(WaitForSingleObject, (HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout), (Handle, Alertable, Timeout))

typedef struct _OBP_WAIT {
    HANDLE Handles[MAXIMUM_WAIT_OBJECTS];
    PVOID Objects[MAXIMUM_WAIT_OBJECTS], Headers[MAXIMUM_WAIT_OBJECTS];
    KWAIT_BLOCK Blocks[MAXIMUM_WAIT_OBJECTS];
} OBP_WAIT, *POBP_WAIT;

/* STATUS_INVALID_PARAMETER_MIX: all of several, one of which stands there twice. */
static NTSTATUS ObpCheckWaitAll(const PVOID *Objects, ULONG Count)
{
    for (ULONG First = 0; First < Count; First++) {
        for (ULONG Second = First + 1; Second < Count; Second++) {
            if (Objects[First] == Objects[Second]) {
                return STATUS_INVALID_PARAMETER_MIX;
            }
        }
    }
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_1: none, or more than MAXIMUM_WAIT_OBJECTS; STATUS_INVALID_PARAMETER_3: neither
 * WaitAll nor WaitAny; else as KeWaitForMultipleObjects.
 */
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE Handles[], WAIT_TYPE WaitType, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    LARGE_INTEGER Captured;
    ULONG Referenced = 0;
    POBP_WAIT Wait;
    NTSTATUS Status;

    if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (WaitType != WaitAll && WaitType != WaitAny) {
        return STATUS_INVALID_PARAMETER_3;
    }
    Status = ObpCaptureTimeout(&Timeout, &Captured);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Wait = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Wait), OBP_WAIT_TAG);
    if (Wait == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        if (Mode != KernelMode) {
            ProbeForRead(Handles, Count * sizeof(*Handles), sizeof(ULONG));
        }
        RtlCopyMemory(Wait->Handles, Handles, Count * sizeof(*Handles));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    while (NT_SUCCESS(Status) && Referenced < Count) {
        Status =
            ObpReferenceWaitable(Wait->Handles[Referenced], &Wait->Objects[Referenced], &Wait->Headers[Referenced]);
        Referenced += NT_SUCCESS(Status);
    }
    if (NT_SUCCESS(Status) && WaitType == WaitAll) {
        Status = ObpCheckWaitAll(Wait->Objects, Count);
    }
    if (NT_SUCCESS(Status)) {
        Status = KeWaitForMultipleObjects(Count, Wait->Headers, WaitType, UserRequest, Mode, Alertable, Timeout,
                                          Wait->Blocks);
    }
    while (Referenced != 0) {
        ObDereferenceObject(Wait->Objects[--Referenced]);
    }
    ExFreePoolWithTag(Wait, OBP_WAIT_TAG);
    return Status;
}

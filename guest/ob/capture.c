// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture: object attributes and handles that user mode passes.  All that is read is copied before anything looks at it, and
 * a handle is told under a handler.
 */
#include "obp.h"

#define OBP_TAG_CAPTURE 'pCbO'

/* Raises. */
static NTSTATUS ObpCopyName(POB_CAPTURED Captured, PUNICODE_STRING User)
{
    UNICODE_STRING Name;

    ProbeForRead(User, sizeof(*User), sizeof(ULONG));
    Name = *(volatile UNICODE_STRING *)User;
    if (Name.Length % sizeof(WCHAR) != 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    ProbeForRead(Name.Buffer, Name.Length, sizeof(WCHAR));
    Captured->Name.Buffer = ExAllocatePoolWithTag(PagedPool, Name.Length + sizeof(WCHAR), OBP_TAG_CAPTURE);
    if (Captured->Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Captured->Name.Buffer, Name.Buffer, Name.Length);
    Captured->Name.Buffer[Name.Length / sizeof(WCHAR)] = 0;
    Captured->Name.Length = Name.Length;
    Captured->Name.MaximumLength = Name.Length + sizeof(WCHAR);
    Captured->Copy.ObjectName = &Captured->Name;
    return STATUS_SUCCESS;
}

/* Raises. */
static NTSTATUS ObpCopyAttributes(POB_CAPTURED Captured, POBJECT_ATTRIBUTES User)
{
    PSECURITY_DESCRIPTOR Descriptor;
    NTSTATUS Status = STATUS_SUCCESS;

    ProbeForRead(User, sizeof(*User), sizeof(ULONG));
    Captured->Copy = *(volatile OBJECT_ATTRIBUTES *)User;
    Captured->Copy.Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    Descriptor = Captured->Copy.SecurityDescriptor;
    Captured->Copy.SecurityDescriptor = Captured->Copy.SecurityQualityOfService = NULL;
    Captured->Attributes = &Captured->Copy;
    if (Captured->Copy.Length != sizeof(*User)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Captured->Copy.ObjectName != NULL) {
        Status = ObpCopyName(Captured, Captured->Copy.ObjectName);
    }
    return NT_SUCCESS(Status) && Descriptor != NULL
               ? ObCaptureDescriptor(Descriptor, &Captured->Copy.SecurityDescriptor)
               : Status;
}

NTSTATUS ObCapture(POBJECT_ATTRIBUTES Attributes, PHANDLE Handle, POB_CAPTURED Captured)
{
    NTSTATUS Status = STATUS_SUCCESS;

    RtlZeroMemory(Captured, sizeof(*Captured));
    Captured->Attributes = Attributes;
    if (ExGetPreviousMode() == KernelMode) {
        return STATUS_SUCCESS;
    }
    __try {
        ProbeForWrite(Handle, sizeof(*Handle), sizeof(ULONG));
        if (Attributes != NULL) {
            Status = ObpCopyAttributes(Captured, Attributes);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        ObReleaseCaptured(Captured);
    }
    return Status;
}

VOID ObReleaseCaptured(POB_CAPTURED Captured)
{
    if (Captured->Name.Buffer != NULL) {
        ExFreePoolWithTag(Captured->Name.Buffer, OBP_TAG_CAPTURE);
        Captured->Name.Buffer = NULL;
    }
    /* A copy only where there was something to capture. */
    if (Captured->Attributes == &Captured->Copy && Captured->Copy.SecurityDescriptor != NULL) {
        ExFreePoolWithTag(Captured->Copy.SecurityDescriptor, OB_TAG_DESCRIPTOR);
        Captured->Copy.SecurityDescriptor = NULL;
    }
}

NTSTATUS ObTellHandle(NTSTATUS Status, HANDLE Handle, PHANDLE Result)
{
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        *Result = Handle;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return Status;
    }
    return Status;
}

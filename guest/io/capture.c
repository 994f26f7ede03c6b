/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens from user mode: every pointer is the user's, so all that is read is copied before anything looks at it, and what
 * is written is written under a handler.  The open itself goes on as UserMode's, on the copies.
 */
#include "iop.h"

#define IOP_MAXIMUM_EA 0x10000

typedef struct _IOP_CAPTURED {
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    LARGE_INTEGER AllocationSize;
    PVOID Ea;
} IOP_CAPTURED, *PIOP_CAPTURED;

static VOID IopFreeCaptured(PIOP_CAPTURED Captured)
{
    if (Captured->Name.Buffer != NULL) {
        ExFreePoolWithTag(Captured->Name.Buffer, IOP_TAG_BUFFER);
    }
    if (Captured->Ea != NULL) {
        ExFreePoolWithTag(Captured->Ea, IOP_TAG_BUFFER);
    }
}

/* Raises. */
static NTSTATUS IopCaptureName(PIOP_CAPTURED Captured, PUNICODE_STRING User)
{
    UNICODE_STRING Name;

    ProbeForRead(User, sizeof(*User), sizeof(ULONG));
    Name = *(volatile UNICODE_STRING *)User;
    if (Name.Length % sizeof(WCHAR) != 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    ProbeForRead(Name.Buffer, Name.Length, sizeof(WCHAR));
    Captured->Name.Buffer = ExAllocatePoolWithTag(PagedPool, Name.Length + sizeof(WCHAR), IOP_TAG_BUFFER);
    if (Captured->Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Captured->Name.Buffer, Name.Buffer, Name.Length);
    Captured->Name.Buffer[Name.Length / sizeof(WCHAR)] = 0;
    Captured->Name.Length = Name.Length;
    Captured->Name.MaximumLength = Name.Length + sizeof(WCHAR);
    Captured->Attributes.ObjectName = &Captured->Name;
    return STATUS_SUCCESS;
}

/* A user's handle is never the kernel's; security descriptors and qualities of service are not taken over. */
static NTSTATUS IopCaptureAttributes(PIOP_CAPTURED Captured, POBJECT_ATTRIBUTES User)
{
    ProbeForRead(User, sizeof(*User), sizeof(ULONG));
    Captured->Attributes = *(volatile OBJECT_ATTRIBUTES *)User;
    Captured->Attributes.Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    Captured->Attributes.SecurityDescriptor = Captured->Attributes.SecurityQualityOfService = NULL;
    if (Captured->Attributes.Length != sizeof(*User)) {
        return STATUS_INVALID_PARAMETER;
    }
    return Captured->Attributes.ObjectName != NULL ? IopCaptureName(Captured, Captured->Attributes.ObjectName)
                                                   : STATUS_SUCCESS;
}

static NTSTATUS IopCaptureOpen(PIOP_CAPTURED Captured, const IOP_USER_OPEN *Open)
{
    NTSTATUS Status;

    RtlZeroMemory(Captured, sizeof(*Captured));
    if (Open->EaBuffer != NULL && Open->EaLength > IOP_MAXIMUM_EA) {
        return STATUS_EA_TOO_LARGE;
    }
    __try {
        ProbeForWrite(Open->FileHandle, sizeof(HANDLE), sizeof(ULONG));
        ProbeForWrite(Open->IoStatusBlock, sizeof(IO_STATUS_BLOCK), sizeof(ULONG));
        if (Open->AllocationSize != NULL) {
            ProbeForRead(Open->AllocationSize, sizeof(LARGE_INTEGER), sizeof(ULONG));
            Captured->AllocationSize = *Open->AllocationSize;
        }
        Status = IopCaptureAttributes(Captured, Open->ObjectAttributes);
        if (NT_SUCCESS(Status) && Open->EaBuffer != NULL && Open->EaLength != 0) {
            ProbeForRead(Open->EaBuffer, Open->EaLength, sizeof(ULONG));
            Captured->Ea = ExAllocatePoolWithTag(PagedPool, Open->EaLength, IOP_TAG_BUFFER);
            if (Captured->Ea == NULL) {
                Status = STATUS_INSUFFICIENT_RESOURCES;
            } else {
                RtlCopyMemory(Captured->Ea, Open->EaBuffer, Open->EaLength);
            }
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* PASSIVE_LEVEL, of user mode. */
NTSTATUS IopOpenForUser(const IOP_USER_OPEN *Open)
{
    IO_STATUS_BLOCK IoStatus = {{0}, 0};
    IOP_CAPTURED Captured;
    HANDLE Handle = NULL;
    NTSTATUS Status = IopCaptureOpen(&Captured, Open);

    if (NT_SUCCESS(Status)) {
        Status = IoCreateFile(&Handle, Open->DesiredAccess, &Captured.Attributes, &IoStatus,
                              Open->AllocationSize != NULL ? &Captured.AllocationSize : NULL, Open->FileAttributes,
                              Open->ShareAccess, Open->Disposition, Open->CreateOptions, Captured.Ea,
                              Captured.Ea != NULL ? Open->EaLength : 0, CreateFileTypeNone, NULL, 0);
        __try {
            *Open->IoStatusBlock = IoStatus;
            if (Handle != NULL) {
                *Open->FileHandle = Handle;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            NOTHING; /* the file is open: the process's end closes it */
        }
    }
    IopFreeCaptured(&Captured);
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What user mode passes: every pointer is the user's, so all that is read is copied before anything looks at it, and what
 * is written is written under a handler.  An open itself goes on as UserMode's, on the copies.
 */
#include "iop.h"

#define IOP_MAXIMUM_EA 0x10000

NTSTATUS IopProbeUser(PIO_STATUS_BLOCK IoStatusBlock, const VOID *Input, ULONG InputLength, PVOID Output,
                      ULONG OutputLength)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (ExGetPreviousMode() == KernelMode) {
        return STATUS_SUCCESS;
    }
    __try {
        ProbeForWrite(IoStatusBlock, sizeof(*IoStatusBlock), sizeof(ULONG));
        ProbeForRead((PVOID)Input, InputLength, 1);
        ProbeForWrite(Output, OutputLength, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* One block, however the user's memory changes meanwhile. */
NTSTATUS IopTellUser(PIO_STATUS_BLOCK IoStatusBlock, NTSTATUS Status, ULONG_PTR Information)
{
    __try {
        IoStatusBlock->Information = Information;
        IoStatusBlock->Status = Status;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

typedef struct _IOP_CAPTURED {
    OB_CAPTURED Object;
    LARGE_INTEGER AllocationSize;
    PVOID Ea;
} IOP_CAPTURED, *PIOP_CAPTURED;

static VOID IopFreeCaptured(PIOP_CAPTURED Captured)
{
    ObReleaseCaptured(&Captured->Object);
    if (Captured->Ea != NULL) {
        ExFreePoolWithTag(Captured->Ea, IOP_TAG_BUFFER);
    }
}

static NTSTATUS IopCaptureOpen(PIOP_CAPTURED Captured, const IOP_USER_OPEN *Open)
{
    NTSTATUS Status;

    RtlZeroMemory(Captured, sizeof(*Captured));
    if (Open->EaBuffer != NULL && Open->EaLength > IOP_MAXIMUM_EA) {
        return STATUS_EA_TOO_LARGE;
    }
    Status = ObCapture(Open->ObjectAttributes, Open->FileHandle, &Captured->Object);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        ProbeForWrite(Open->IoStatusBlock, sizeof(IO_STATUS_BLOCK), sizeof(ULONG));
        if (Open->AllocationSize != NULL) {
            ProbeForRead(Open->AllocationSize, sizeof(LARGE_INTEGER), sizeof(ULONG));
            Captured->AllocationSize = *Open->AllocationSize;
        }
        if (Open->EaBuffer != NULL && Open->EaLength != 0) {
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
        Status = IoCreateFile(&Handle, Open->DesiredAccess, Captured.Object.Attributes, &IoStatus,
                              Open->AllocationSize != NULL ? &Captured.AllocationSize : NULL, Open->FileAttributes,
                              Open->ShareAccess, Open->Disposition, Open->CreateOptions, Captured.Ea,
                              Captured.Ea != NULL ? Open->EaLength : 0, CreateFileTypeNone, NULL, 0);
        /* If neither can be told, the file is open all the same: the process's end closes it. */
        IopTellUser(Open->IoStatusBlock, IoStatus.Status, IoStatus.Information);
        if (Handle != NULL) {
            ObTellHandle(STATUS_SUCCESS, Handle, Open->FileHandle);
        }
    }
    IopFreeCaptured(&Captured);
    return Status;
}

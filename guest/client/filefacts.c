/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to open files beside reading and writing them: ranges, changes, extended attributes, descriptors, and
 * what the volume says.  The kernel's client and the program of a process are both made of this, as of files.c.
 */
#include "clientp.h"
#include <io.h>

static HANDLE ClientpFile(PCLIENT_OPERATION Operation)
{
    return (HANDLE)(ULONG_PTR)Operation->Command.args[0];
}

NTSTATUS ClientpLock(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Arguments[1]}, Length = {.QuadPart = (LONGLONG)Arguments[2]};
    NTSTATUS Status = ClientpPrepareRequest(Operation, 0, PagedPool);

    if (!NT_SUCCESS(Status))
        return Status;
    return ZwLockFile(ClientpFile(Operation), Operation->EventHandle, Operation->ApcRoutine, Operation->ApcContext,
                      &Operation->IoStatus, &Offset, &Length, (ULONG)Arguments[3],
                      (Arguments[4] & FLTVM_LOCK_WAIT) == 0, (Arguments[4] & FLTVM_LOCK_SHARED) == 0);
}

NTSTATUS ClientpUnlock(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Arguments[1]}, Length = {.QuadPart = (LONGLONG)Arguments[2]};

    return ZwUnlockFile(ClientpFile(Operation), &Operation->IoStatus, &Offset, &Length, (ULONG)Arguments[3]);
}

NTSTATUS ClientpNotify(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], NonPagedPoolNx);

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    return NtNotifyChangeDirectoryFile(ClientpFile(Operation), Operation->EventHandle, Operation->ApcRoutine,
                                       Operation->ApcContext, &Operation->IoStatus, Operation->Buffer,
                                       Operation->BufferLength, (ULONG)Arguments[1], Arguments[3] != 0);
}

/* Input: a list of names as FILE_GET_EA_INFORMATION has it, or nothing. */
NTSTATUS ClientpQueryEa(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[1], NonPagedPoolNx);

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    return ZwQueryEaFile(ClientpFile(Operation), &Operation->IoStatus, Operation->Buffer, Operation->BufferLength,
                         FALSE, Operation->Input.Length != 0 ? Operation->Input.Bytes : NULL, Operation->Input.Length,
                         NULL, TRUE);
}

NTSTATUS ClientpSetEa(PCLIENT_OPERATION Operation)
{
    return ZwSetEaFile(ClientpFile(Operation), &Operation->IoStatus, Operation->Input.Bytes, Operation->Input.Length);
}

NTSTATUS ClientpQuerySecurity(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], PagedPool);
    ULONG Needed = 0;

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    Status = ZwQuerySecurityObject(ClientpFile(Operation), (SECURITY_INFORMATION)Arguments[1], Operation->Buffer,
                                   Operation->BufferLength, &Needed);
    Operation->IoStatus.Information = Needed;
    return Status;
}

/* A self-relative descriptor. */
NTSTATUS ClientpSetSecurity(PCLIENT_OPERATION Operation)
{
    SECURITY_INFORMATION Information = (SECURITY_INFORMATION)Operation->Command.args[1];

    return ZwSetSecurityObject(ClientpFile(Operation), Information, Operation->Input.Bytes);
}

NTSTATUS ClientpQueryVolume(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], NonPagedPoolNx);

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    return ZwQueryVolumeInformationFile(ClientpFile(Operation), &Operation->IoStatus, Operation->Buffer,
                                        Operation->BufferLength, (FS_INFORMATION_CLASS)Arguments[1]);
}

NTSTATUS ClientpSetVolume(PCLIENT_OPERATION Operation)
{
    return ZwSetVolumeInformationFile(ClientpFile(Operation), &Operation->IoStatus, Operation->Input.Bytes,
                                      Operation->Input.Length, (FS_INFORMATION_CLASS)Operation->Command.args[1]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that a scenario makes.  The fetcher's list is none: an operation of the command names a process
 * by its id, and the reference that its making left is dropped by its end.
 */
#include "clientp.h"
#include <ps.h>

/* Input: the image's full name.  values[0]: the id. */
NTSTATUS ClientpCreateProcess(PCLIENT_OPERATION Operation)
{
    UNICODE_STRING Name;
    PEPROCESS Process;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Name);

    if (NT_SUCCESS(Status))
        Status = PsCreateMinimalProcess(&Name, NULL, &Process);
    if (NT_SUCCESS(Status))
        Operation->IoStatus.Information = (ULONG_PTR)PsGetProcessId(Process);
    ClientpFreeString(&Name);
    return Status;
}

/* Arguments: the id, the exit status.  STATUS_INVALID_CID: there is none, or it has ended. */
NTSTATUS ClientpEndProcess(PCLIENT_OPERATION Operation)
{
    PEPROCESS Process;
    NTSTATUS Status = PsLookupProcessByProcessId((HANDLE)(ULONG_PTR)Operation->Command.args[0], &Process);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = Process == PsInitialSystemProcess
                 ? STATUS_ACCESS_DENIED
                 : PsTerminateMinimalProcess(Process, (NTSTATUS)Operation->Command.args[1]);
    if (NT_SUCCESS(Status))
        ObDereferenceObject(Process); /* its making's */
    ObDereferenceObject(Process);
    return Status;
}

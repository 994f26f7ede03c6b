/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What client threads do: the operations of abi/command.h, each a documented Zw call with the host's arguments.
 * Everything here runs at PASSIVE_LEVEL on a client thread.
 */
#include "clientp.h"
#include <io.h>
#include <ldr.h>
#include <se.h>

#define CLIENT_REASON_SIZE 2048

/* --- drivers ------------------------------------------------------------------------------------------- */

/* Why the loader refused an image, which a status alone does not tell, becomes the operation's output. */
VOID ClientpKeepReason(PCLIENT_OPERATION Operation)
{
    Operation->Buffer = ExAllocatePoolWithTag(PagedPool, CLIENT_REASON_SIZE, CLIENT_TAG);
    if (Operation->Buffer == NULL)
        return;
    LdrQueryFailure((PCHAR)Operation->Buffer, CLIENT_REASON_SIZE);
    Operation->Buffer[CLIENT_REASON_SIZE - 1] = 0;
    Operation->BufferLength = CLIENT_REASON_SIZE;
    Operation->IoStatus.Information = strlen((PCSTR)Operation->Buffer);
    Operation->HasOutput = Operation->OutputOnError = TRUE;
}

/* Input: service name, then the image. */
static NTSTATUS ClientpLoadDriver(PCLIENT_OPERATION Operation)
{
    UNICODE_STRING Name;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Name);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopLoadDriverImage(&Name, Operation->Input.Bytes + Offset, Operation->Input.Length - Offset);
    if (!NT_SUCCESS(Status))
        ClientpKeepReason(Operation);
    ClientpFreeString(&Name);
    return Status;
}

/* Input: the file's name, then the image. */
static NTSTATUS ClientpProvideLibrary(PCLIENT_OPERATION Operation)
{
    UNICODE_STRING Name;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Name);

    if (NT_SUCCESS(Status))
        Status = LdrProvideLibrary(&Name, Operation->Input.Bytes + Offset, Operation->Input.Length - Offset, FALSE);
    ClientpFreeString(&Name);
    return Status;
}

static NTSTATUS ClientpUnloadDriver(PCLIENT_OPERATION Operation)
{
    UNICODE_STRING Path;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Path);

    if (NT_SUCCESS(Status))
        Status = ZwUnloadDriver(&Path);
    ClientpFreeString(&Path);
    return Status;
}

/* --- files --------------------------------------------------------------------------------------------- */

ULONG ClientpHandleAttributes(PCLIENT_OPERATION Operation)
{
    return OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE |
           (Operation->Command.user != FLTVM_USER_NONE ? OBJ_FORCE_ACCESS_CHECK : 0);
}

/* An event for the request's end, so that files opened for asynchronous use work. */
NTSTATUS ClientpPrepareRequest(PCLIENT_OPERATION Operation, ULONG64 BufferLength, POOL_TYPE PoolType)
{
    NTSTATUS Status;

    if (BufferLength > CLIENT_BUFFER_MAX)
        return STATUS_INVALID_PARAMETER;
    if (BufferLength != 0) {
        Operation->Buffer = ExAllocatePoolWithTag(PoolType, (SIZE_T)BufferLength, CLIENT_TAG);
        if (Operation->Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        RtlZeroMemory(Operation->Buffer, (SIZE_T)BufferLength);
    }
    Operation->BufferLength = (ULONG)BufferLength;
    Status = ZwCreateEvent(&Operation->EventHandle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    return ObReferenceObjectByHandle(Operation->EventHandle, EVENT_ALL_ACCESS, *ExEventObjectType, KernelMode,
                                     (PVOID *)&Operation->Event, NULL);
}

static NTSTATUS ClientpDispatch(PCLIENT_OPERATION Operation)
{
    switch (Operation->Command.op) {
    case FLTVM_COMMAND_REGISTRY: return ClientpSetRegistry(Operation);
    case FLTVM_COMMAND_DRIVER_LOAD: return ClientpLoadDriver(Operation);
    case FLTVM_COMMAND_LIBRARY: return ClientpProvideLibrary(Operation);
    case FLTVM_COMMAND_DRIVER_UNLOAD: return ClientpUnloadDriver(Operation);
    case FLTVM_COMMAND_SD_SET:
        /* A self-relative descriptor that the host made: nobody else looks at what the kernel passes. */
        if (Operation->Input.Length < sizeof(SECURITY_DESCRIPTOR_RELATIVE) ||
            !RtlValidRelativeSecurityDescriptor(Operation->Input.Bytes, Operation->Input.Length, 0))
            return STATUS_INVALID_SECURITY_DESCR;
        return ClientpDispatchFile(Operation);
    case FLTVM_COMMAND_PROCESS: return ClientpCreateProcess(Operation);
    case FLTVM_COMMAND_PROCESS_SERVE: return ClientpServeProcess(Operation);
    case FLTVM_COMMAND_PROCESS_WAIT: return ClientpWaitProcess(Operation);
    case FLTVM_COMMAND_PROCESS_END: return ClientpEndProcess(Operation);
    default: return ClientpDispatchFile(Operation);
    }
}

/* The operation, with its thread impersonating the user that the host names. */
static NTSTATUS ClientpDispatchAs(PCLIENT_OPERATION Operation, ULONG User)
{
    PACCESS_TOKEN Token;
    NTSTATUS Status;

    C_ASSERT((ULONG)SeUserLimited + 1 == FLTVM_USER_LIMITED);
    Status = SeCreateUserToken((SE_USER)(User - 1), TokenImpersonation, &Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PsImpersonateClient(PsGetCurrentThread(), Token, TRUE, FALSE, SecurityImpersonation);
    ObDereferenceObject(Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ClientpDispatch(Operation);
    PsRevertToSelf();
    return Status;
}

VOID ClientpRunOperation(PCLIENT_OPERATION Operation)
{
    ULONG User = Operation->Command.user;

    Operation->Status = User == FLTVM_USER_NONE ? ClientpDispatch(Operation) : ClientpDispatchAs(Operation, User);
    KeSetEvent(&Operation->Issued, IO_NO_INCREMENT, FALSE);
}

VOID ClientpDeleteOperation(PCLIENT_OPERATION Operation)
{
    if (Operation->Event != NULL)
        ObDereferenceObject(Operation->Event);
    if (Operation->EventHandle != NULL)
        ZwClose(Operation->EventHandle);
    if (Operation->Buffer != NULL)
        ExFreePoolWithTag(Operation->Buffer, CLIENT_TAG);
    if (Operation->Input.Bytes != NULL)
        ExFreePoolWithTag(Operation->Input.Bytes, CLIENT_TAG);
    ExFreePoolWithTag(Operation, CLIENT_TAG);
}

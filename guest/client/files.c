/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to files: the operations of abi/command.h, each a documented Zw call with the host's arguments.  The kernel's
 * client and the program of a process (guest/user) are both made of this; what differs they bring along (clientp.h).
 */
#include "clientp.h"
#include <io.h>

/* The bytes behind the path are part of the name: a file's identifier. */
static NTSTATUS ClientpAppendId(PCLIENT_OPERATION Operation, ULONG Offset, PUNICODE_STRING Path)
{
    ULONG Length = Operation->Input.Length - Offset;
    UNICODE_STRING Longer;

    if (Length % sizeof(WCHAR) != 0 || Length > 64)
        return STATUS_INVALID_PARAMETER;
    Longer.Length = Longer.MaximumLength = (USHORT)(Path->Length + Length);
    Longer.Buffer = ExAllocatePoolWithTag(PagedPool, Longer.Length, CLIENT_TAG);
    if (Longer.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Longer.Buffer, Path->Buffer, Path->Length);
    RtlCopyMemory((PUCHAR)Longer.Buffer + Path->Length, Operation->Input.Bytes + Offset, Length);
    ClientpFreeString(Path);
    *Path = Longer;
    return STATUS_SUCCESS;
}

static NTSTATUS ClientpOpen(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    BOOLEAN ById = (Arguments[3] & FILE_OPEN_BY_FILE_ID) != 0;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Path;
    ULONG Offset = 0, EaLength;
    HANDLE File = NULL;
    NTSTATUS Status = ClientpNextString(Operation, &Offset, &Path);

    if (NT_SUCCESS(Status) && ById)
        Status = ClientpAppendId(Operation, Offset, &Path);
    if (NT_SUCCESS(Status)) {
        EaLength = ById ? 0 : Operation->Input.Length - Offset;
        RtlMoveMemory(Operation->Input.Bytes, Operation->Input.Bytes + Offset, EaLength); /* where they are aligned */
        InitializeObjectAttributes(&Attributes, &Path, ClientpHandleAttributes(Operation),
                                   (HANDLE)(ULONG_PTR)Arguments[5], NULL);
        Status = ZwCreateFile(&File, (ACCESS_MASK)Arguments[0], &Attributes, &Operation->IoStatus, NULL,
                              (ULONG)Arguments[4], (ULONG)Arguments[1], (ULONG)Arguments[2], (ULONG)Arguments[3],
                              EaLength != 0 ? Operation->Input.Bytes : NULL, EaLength);
        Operation->Value = Operation->IoStatus.Information;
    }
    ClientpFreeString(&Path);
    Operation->IoStatus.Information = (ULONG_PTR)File;
    return Status;
}

/* The caller's buffer where it names one; else what ClientpPrepareRequest has made. */
static PVOID ClientpData(PCLIENT_OPERATION Operation)
{
    ULONG64 Address = Operation->Command.args[4];

    Operation->HasOutput = Address == 0;
    return Address != 0 ? (PVOID)Address : Operation->Buffer;
}

static NTSTATUS ClientpTransfer(PCLIENT_OPERATION Operation, BOOLEAN Write)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE File = (HANDLE)(ULONG_PTR)Arguments[0];
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Arguments[1]};
    POOL_TYPE PoolType = Arguments[3] == FLTVM_COMMAND_BUFFER_NONPAGED ? NonPagedPoolNx : PagedPool;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[4] != 0 ? 0 : Arguments[2], PoolType);
    PVOID Data = ClientpData(Operation);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Arguments[2] > MAXULONG)
        return STATUS_INVALID_PARAMETER;
    if (!Write)
        return ZwReadFile(File, Operation->EventHandle, Operation->ApcRoutine, Operation->ApcContext,
                          &Operation->IoStatus, Data, (ULONG)Arguments[2], &Offset, NULL);
    if (Arguments[4] == 0) {
        if (Operation->Input.Length < Operation->BufferLength)
            return STATUS_INVALID_PARAMETER;
        RtlCopyMemory(Operation->Buffer, Operation->Input.Bytes, Operation->BufferLength);
    }
    Operation->HasOutput = FALSE;
    return ZwWriteFile(File, Operation->EventHandle, Operation->ApcRoutine, Operation->ApcContext, &Operation->IoStatus,
                       Data, (ULONG)Arguments[2], &Offset, NULL);
}

static NTSTATUS ClientpControl(PCLIENT_OPERATION Operation, BOOLEAN FileSystem)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE File = (HANDLE)(ULONG_PTR)Arguments[0];
    ULONG Code = (ULONG)Arguments[1], InputLength = (ULONG)Arguments[2];
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[4] != 0 ? 0 : Arguments[3], NonPagedPoolNx);
    PVOID Data = ClientpData(Operation);

    if (!NT_SUCCESS(Status))
        return Status;
    if (InputLength > Operation->Input.Length || Arguments[3] > MAXULONG)
        return STATUS_INVALID_PARAMETER;
    return (FileSystem ? ZwFsControlFile : ZwDeviceIoControlFile)(
        File, Operation->EventHandle, Operation->ApcRoutine, Operation->ApcContext, &Operation->IoStatus, Code,
        Operation->Input.Bytes, InputLength, Data, (ULONG)Arguments[3]);
}

static NTSTATUS ClientpQuery(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], NonPagedPoolNx);

    if (!NT_SUCCESS(Status))
        return Status;
    Operation->HasOutput = TRUE;
    return ZwQueryInformationFile((HANDLE)(ULONG_PTR)Arguments[0], &Operation->IoStatus, Operation->Buffer,
                                  Operation->BufferLength, (FILE_INFORMATION_CLASS)Arguments[1]);
}

static NTSTATUS ClientpDirectory(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;
    UNICODE_STRING Pattern;
    ULONG Offset = 0;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], PagedPool);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = ClientpNextString(Operation, &Offset, &Pattern);
    if (NT_SUCCESS(Status)) {
        Operation->HasOutput = TRUE;
        Status =
            ZwQueryDirectoryFile((HANDLE)(ULONG_PTR)Arguments[0], Operation->EventHandle, NULL, NULL,
                                 &Operation->IoStatus, Operation->Buffer, Operation->BufferLength,
                                 (FILE_INFORMATION_CLASS)Arguments[1], (Arguments[3] & FLTVM_DIRECTORY_SINGLE) != 0,
                                 Pattern.Length != 0 ? &Pattern : NULL, (Arguments[3] & FLTVM_DIRECTORY_RESTART) != 0);
    }
    ClientpFreeString(&Pattern);
    return Status;
}

static NTSTATUS ClientpSet(PCLIENT_OPERATION Operation)
{
    const uint64_t *Arguments = Operation->Command.args;

    return ZwSetInformationFile((HANDLE)(ULONG_PTR)Arguments[0], &Operation->IoStatus, Operation->Input.Bytes,
                                Operation->Input.Length, (FILE_INFORMATION_CLASS)Arguments[1]);
}

NTSTATUS ClientpDispatchFile(PCLIENT_OPERATION Operation)
{
    HANDLE File = (HANDLE)(ULONG_PTR)Operation->Command.args[0];

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_OPEN: return ClientpOpen(Operation);
    case FLTVM_COMMAND_CLOSE: return ZwClose(File);
    case FLTVM_COMMAND_READ: return ClientpTransfer(Operation, FALSE);
    case FLTVM_COMMAND_WRITE: return ClientpTransfer(Operation, TRUE);
    case FLTVM_COMMAND_FLUSH: return ZwFlushBuffersFile(File, &Operation->IoStatus);
    case FLTVM_COMMAND_IOCTL: return ClientpControl(Operation, FALSE);
    case FLTVM_COMMAND_FSCTL: return ClientpControl(Operation, TRUE);
    case FLTVM_COMMAND_CANCEL:
        return ZwCancelIoFileEx(File, NULL, &Operation->IoStatus); /* whichever thread issued it */
    case FLTVM_COMMAND_QUERY: return ClientpQuery(Operation);
    case FLTVM_COMMAND_SET: return ClientpSet(Operation);
    case FLTVM_COMMAND_DIRECTORY: return ClientpDirectory(Operation);
    case FLTVM_COMMAND_LOCK: return ClientpLock(Operation);
    case FLTVM_COMMAND_UNLOCK: return ClientpUnlock(Operation);
    case FLTVM_COMMAND_NOTIFY: return ClientpNotify(Operation);
    case FLTVM_COMMAND_EA_QUERY: return ClientpQueryEa(Operation);
    case FLTVM_COMMAND_EA_SET: return ClientpSetEa(Operation);
    case FLTVM_COMMAND_SD_QUERY: return ClientpQuerySecurity(Operation);
    case FLTVM_COMMAND_SD_SET: return ClientpSetSecurity(Operation);
    case FLTVM_COMMAND_FS_QUERY: return ClientpQueryVolume(Operation);
    case FLTVM_COMMAND_FS_SET: return ClientpSetVolume(Operation);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

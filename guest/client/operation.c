/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What client threads do: the operations of abi/command.h, each a documented Zw call with the host's arguments.
 * Everything here runs at PASSIVE_LEVEL on a client thread.
 */
#include "clientp.h"
#include <io.h>
#include <ldr.h>
#include <se.h>

/* The host may ask for large transfers, but not for all memory. */
#define CLIENT_BUFFER_MAX  (4u << 20)
#define CLIENT_REASON_SIZE 2048

/* One UTF-8 sequence; malformed ones become U+FFFD.  Advances *Text. */
static ULONG ClientpDecodeCharacter(const UCHAR **Text, const UCHAR *End)
{
    static const ULONG Least[] = {0, 0, 0x80, 0x800, 0x10000};
    ULONG First = *(*Text)++, Length, Value;

    if (First < 0x80)
        return First;
    Length = First >= 0xF0 ? 4 : First >= 0xE0 ? 3 : First >= 0xC0 ? 2 : 0;
    if (Length == 0)
        return 0xFFFD;
    Value = First & (0x7Fu >> Length);
    for (ULONG Index = 1; Index < Length; Index++) {
        if (*Text >= End || (**Text & 0xC0) != 0x80)
            return 0xFFFD;
        Value = Value << 6 | (*(*Text)++ & 0x3F);
    }
    return Value < Least[Length] || Value > 0x10FFFF ? 0xFFFD : Value;
}

NTSTATUS ClientpNextString(PCLIENT_OPERATION Operation, PULONG Offset, PUNICODE_STRING Name)
{
    const UCHAR *Text = Operation->Input.Bytes + *Offset, *Limit = Operation->Input.Bytes + Operation->Input.Length;
    const UCHAR *End = Text;

    RtlZeroMemory(Name, sizeof(*Name));
    while (End < Limit && *End != 0)
        End++;
    if (End == Limit || End - Text > 0x3FFF)
        return STATUS_INVALID_PARAMETER;
    /* A sequence of UTF-8 never becomes more UTF-16 units than it has bytes. */
    Name->MaximumLength = (USHORT)((End - Text + 1) * sizeof(WCHAR));
    Name->Buffer = ExAllocatePoolWithTag(PagedPool, Name->MaximumLength, CLIENT_TAG);
    if (Name->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    while (Text < End) {
        ULONG Character = ClientpDecodeCharacter(&Text, End);
        if (Character >= 0x10000) {
            Name->Buffer[Name->Length++ / sizeof(WCHAR)] = (WCHAR)(0xD7C0 + (Character >> 10));
            Name->Length++;
            Character = 0xDC00 | (Character & 0x3FF);
        }
        Name->Buffer[Name->Length / sizeof(WCHAR)] = (WCHAR)Character;
        Name->Length += sizeof(WCHAR);
    }
    Name->Buffer[Name->Length / sizeof(WCHAR)] = 0;
    *Offset = (ULONG)(End + 1 - Operation->Input.Bytes);
    return STATUS_SUCCESS;
}

VOID ClientpFreeString(PUNICODE_STRING Name)
{
    if (Name->Buffer != NULL)
        ExFreePoolWithTag(Name->Buffer, CLIENT_TAG);
    Name->Buffer = NULL;
}

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
        InitializeObjectAttributes(&Attributes, &Path,
                                   OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE |
                                       (Operation->Command.user != FLTVM_USER_NONE ? OBJ_FORCE_ACCESS_CHECK : 0),
                                   (HANDLE)(ULONG_PTR)Arguments[5], NULL);
        Status = ZwCreateFile(&File, (ACCESS_MASK)Arguments[0], &Attributes, &Operation->IoStatus, NULL,
                              (ULONG)Arguments[4], (ULONG)Arguments[1], (ULONG)Arguments[2], (ULONG)Arguments[3],
                              EaLength != 0 ? Operation->Input.Bytes + Offset : NULL, EaLength);
        Operation->Value = Operation->IoStatus.Information;
    }
    ClientpFreeString(&Path);
    Operation->IoStatus.Information = (ULONG_PTR)File;
    return Status;
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

static NTSTATUS ClientpTransfer(PCLIENT_OPERATION Operation, BOOLEAN Write)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE File = (HANDLE)(ULONG_PTR)Arguments[0];
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Arguments[1]};
    POOL_TYPE PoolType = Arguments[3] == FLTVM_COMMAND_BUFFER_NONPAGED ? NonPagedPoolNx : PagedPool;
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[2], PoolType);

    if (!NT_SUCCESS(Status))
        return Status;
    if (!Write) {
        Operation->HasOutput = TRUE;
        return ZwReadFile(File, Operation->EventHandle, NULL, NULL, &Operation->IoStatus, Operation->Buffer,
                          Operation->BufferLength, &Offset, NULL);
    }
    if (Operation->Input.Length < Operation->BufferLength)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(Operation->Buffer, Operation->Input.Bytes, Operation->BufferLength);
    return ZwWriteFile(File, Operation->EventHandle, NULL, NULL, &Operation->IoStatus, Operation->Buffer,
                       Operation->BufferLength, &Offset, NULL);
}

static NTSTATUS ClientpControl(PCLIENT_OPERATION Operation, BOOLEAN FileSystem)
{
    const uint64_t *Arguments = Operation->Command.args;
    HANDLE File = (HANDLE)(ULONG_PTR)Arguments[0];
    ULONG Code = (ULONG)Arguments[1], InputLength = (ULONG)Arguments[2];
    NTSTATUS Status = ClientpPrepareRequest(Operation, Arguments[3], NonPagedPoolNx);

    if (!NT_SUCCESS(Status))
        return Status;
    if (InputLength > Operation->Input.Length)
        return STATUS_INVALID_PARAMETER;
    Operation->HasOutput = TRUE;
    if (FileSystem)
        return ZwFsControlFile(File, Operation->EventHandle, NULL, NULL, &Operation->IoStatus, Code,
                               Operation->Input.Bytes, InputLength, Operation->Buffer, Operation->BufferLength);
    return ZwDeviceIoControlFile(File, Operation->EventHandle, NULL, NULL, &Operation->IoStatus, Code,
                                 Operation->Input.Bytes, InputLength, Operation->Buffer, Operation->BufferLength);
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

static NTSTATUS ClientpDispatch(PCLIENT_OPERATION Operation)
{
    HANDLE File = (HANDLE)(ULONG_PTR)Operation->Command.args[0];

    switch (Operation->Command.op) {
    case FLTVM_COMMAND_REGISTRY: return ClientpSetRegistry(Operation);
    case FLTVM_COMMAND_DRIVER_LOAD: return ClientpLoadDriver(Operation);
    case FLTVM_COMMAND_LIBRARY: return ClientpProvideLibrary(Operation);
    case FLTVM_COMMAND_DRIVER_UNLOAD: return ClientpUnloadDriver(Operation);
    case FLTVM_COMMAND_OPEN: return ClientpOpen(Operation);
    case FLTVM_COMMAND_CLOSE: return ZwClose(File);
    case FLTVM_COMMAND_READ: return ClientpTransfer(Operation, FALSE);
    case FLTVM_COMMAND_WRITE: return ClientpTransfer(Operation, TRUE);
    case FLTVM_COMMAND_FLUSH: return ZwFlushBuffersFile(File, &Operation->IoStatus);
    case FLTVM_COMMAND_IOCTL: return ClientpControl(Operation, FALSE);
    case FLTVM_COMMAND_FSCTL: return ClientpControl(Operation, TRUE);
    case FLTVM_COMMAND_CANCEL:
        return ZwCancelIoFileEx(File, NULL, &Operation->IoStatus); /* whichever client thread issued it */
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
    case FLTVM_COMMAND_PROCESS: return ClientpCreateProcess(Operation);
    case FLTVM_COMMAND_PROCESS_WAIT: return ClientpWaitProcess(Operation);
    case FLTVM_COMMAND_PROCESS_END: return ClientpEndProcess(Operation);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* The operation, with its thread impersonating the user that the host names. */
static NTSTATUS ClientpDispatchAs(PCLIENT_OPERATION Operation, ULONG User)
{
    PACCESS_TOKEN Token;
    NTSTATUS Status;

    C_ASSERT((ULONG)SeUserLimited + 1 == FLTVM_USER_LIMITED);
    Status = SeCreateUserToken((SE_USER)(User - 1), &Token);
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

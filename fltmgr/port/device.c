/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.c: the client's side of communication ports: a device whose file objects are connections, with a control for
 * each thing that a client does (abi/fltctl.h).  IRQL: PASSIVE_LEVEL.
 */
#include <port.h>

NTSTATUS FltpCreateMessageDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\FileSystem\\Filters\\FltMgrMsg");
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(FltpDriverObject, sizeof(FLTP_DEVICE), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);

    if (!NT_SUCCESS(Status))
        return Status;
    ((PFLTP_DEVICE)Device->DeviceExtension)->Kind = FltpKindMessage;
    Status = FltpOpenToAll(Device);
    ClearFlag(Device->Flags, DO_DEVICE_INITIALIZING);
    return Status;
}

/* The port's name, and behind it the context. */
static NTSTATUS FltpConnectByControl(PFILE_OBJECT File, KPROCESSOR_MODE Mode,
                                     const struct fltvm_fltmsg_connect *Connect, ULONG Length)
{
    UNICODE_STRING Name = {0, sizeof(Connect->name), (PWCH)Connect->name};

    if (Length < sizeof(*Connect))
        return STATUS_INVALID_PARAMETER;
    while (Name.Length < sizeof(Connect->name) && Connect->name[Name.Length / sizeof(WCHAR)] != 0)
        Name.Length += sizeof(WCHAR);
    if (File->FsContext != NULL)
        return STATUS_INVALID_DEVICE_STATE;
    return FltpConnect(File, &Name, Mode, (PVOID)(Connect + 1),
                       min(Length - (ULONG)sizeof(*Connect), FLTP_CONNECT_LIMIT));
}

/* Says more than there is room for, or has written it: guarded, the block shows the line that does. */
static VOID FltpCheckReturned(PFLTP_CLIENT Client, const VOID *Notify, ULONG Returned, ULONG Output)
{
    if (FltpVerify && Returned > Output) {
        FvBlame(Notify);
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_INFORMATION, (ULONG_PTR)Client->Cookie, Returned, Output,
                      "rule=A message callback returned more than the output buffer has\n");
    }
}

/* What a message callback is given, and what it returns. */
typedef struct _FLTP_SENT {
    PVOID Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
} FLTP_SENT, *PFLTP_SENT;

static NTSTATUS FltpNotifyMessage(PFLTP_CLIENT Client, const FLTP_SENT *Sent, PULONG_PTR Information)
{
    PFLT_MESSAGE_NOTIFY Notify = Client->Server->Message;
    ULONG Returned = 0;
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = Notify(Client->Cookie, Sent->Input, Sent->InputLength, Sent->Output, Sent->OutputLength, &Returned);
    FvEndCall(&Call, (PVOID)Notify, "port message callback", (ULONG_PTR)Client);
    FltpCheckReturned(Client, (PVOID)Notify, Returned, Sent->OutputLength);
    *Information = min(Returned, Sent->OutputLength);
    return Status;
}

/* The program's own buffers, which may be gone at any moment: whoever touches them has to expect that.  (PFLT_MESSAGE_NOTIFY) */
static NTSTATUS FltpSendFromUser(PFLTP_CLIENT Client, const FLTP_SENT *Sent, PULONG_PTR Information)
{
    __try {
        ProbeForRead(Sent->Input, Sent->InputLength, 1);
        ProbeForWrite(Sent->Output, Sent->OutputLength, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return FltpNotifyMessage(Client, Sent, Information);
}

/* Blocks of their very lengths: who goes beyond them is found. */
static NTSTATUS FltpSendFromKernel(PFLTP_CLIENT Client, const FLTP_SENT *Sent, PULONG_PTR Information)
{
    FLTP_SENT Copy = {NULL, Sent->InputLength, NULL, Sent->OutputLength};
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (Sent->InputLength > 0) {
        Copy.Input = ExAllocatePoolWithTag(PagedPool, Sent->InputLength, FLTP_TAG_PORT);
        if (Copy.Input == NULL)
            goto Exit;
        RtlCopyMemory(Copy.Input, Sent->Input, Sent->InputLength);
    }
    if (Sent->OutputLength > 0) {
        Copy.Output = ExAllocatePoolWithTag(PagedPool, Sent->OutputLength, FLTP_TAG_PORT);
        if (Copy.Output == NULL)
            goto Exit;
        RtlZeroMemory(Copy.Output, Sent->OutputLength);
    }
    Status = FltpNotifyMessage(Client, &Copy, Information);
    if (*Information != 0)
        RtlCopyMemory(Sent->Output, Copy.Output, *Information);

Exit:
    if (Copy.Output != NULL)
        ExFreePoolWithTag(Copy.Output, FLTP_TAG_PORT);
    if (Copy.Input != NULL)
        ExFreePoolWithTag(Copy.Input, FLTP_TAG_PORT);
    return Status;
}

static NTSTATUS FltpSendByControl(PFLTP_CLIENT Client, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    FLTP_SENT Sent = {Stack->Parameters.DeviceIoControl.Type3InputBuffer,
                      Stack->Parameters.DeviceIoControl.InputBufferLength, Irp->UserBuffer,
                      Stack->Parameters.DeviceIoControl.OutputBufferLength};
    PFLT_FILTER Filter = Client->Port.Filter;
    NTSTATUS Status;

    if (Client->Server->Message == NULL)
        return STATUS_NOT_SUPPORTED;
    if (!FltpEnterFilter(Client))
        return STATUS_PORT_DISCONNECTED;
    Status = Irp->RequestorMode == UserMode ? FltpSendFromUser(Client, &Sent, &Irp->IoStatus.Information)
                                            : FltpSendFromKernel(Client, &Sent, &Irp->IoStatus.Information);
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

static NTSTATUS FltpMessageControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Input = Stack->Parameters.DeviceIoControl.InputBufferLength;
    PFLTP_CLIENT Client = Stack->FileObject->FsContext;

    Irp->IoStatus.Information = 0;
    if (Stack->Parameters.DeviceIoControl.IoControlCode == FLTVM_FLTMSG_CONNECT)
        return FltpConnectByControl(Stack->FileObject, Irp->RequestorMode, Irp->AssociatedIrp.SystemBuffer, Input);
    if (Client == NULL)
        return STATUS_INVALID_DEVICE_STATE;
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case FLTVM_FLTMSG_GET: return FltpGetMessage(Client, Irp);
    case FLTVM_FLTMSG_REPLY: return FltpReplyMessage(Client, Irp->AssociatedIrp.SystemBuffer, Input);
    case FLTVM_FLTMSG_SEND: return FltpSendByControl(Client, Irp, Stack);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

NTSTATUS FltpDispatchMessage(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFLTP_CLIENT Client = Stack->FileObject->FsContext;
    NTSTATUS Status = STATUS_SUCCESS;

    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE: Irp->IoStatus.Information = FILE_OPENED; break;
    case IRP_MJ_CLEANUP: /* the client's last handle: the connection ends */
        if (Client != NULL)
            FltpDisconnect(Client);
        break;
    case IRP_MJ_CLOSE:
        Stack->FileObject->FsContext = NULL;
        if (Client != NULL)
            FltpDropClient(Client);
        break;
    case IRP_MJ_DEVICE_CONTROL: Status = FltpMessageControl(Irp, Stack); break;
    default: Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Status == STATUS_PENDING)
        return Status;
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

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
    ClearFlag(Device->Flags, DO_DEVICE_INITIALIZING);
    return STATUS_SUCCESS;
}

/* The port's name, and behind it the context. */
static NTSTATUS FltpConnectByControl(PFILE_OBJECT File, const struct fltvm_fltmsg_connect *Connect, ULONG Length)
{
    UNICODE_STRING Name = {0, sizeof(Connect->name), (PWCH)Connect->name};

    if (Length < sizeof(*Connect))
        return STATUS_INVALID_PARAMETER;
    while (Name.Length < sizeof(Connect->name) && Connect->name[Name.Length / sizeof(WCHAR)] != 0)
        Name.Length += sizeof(WCHAR);
    if (File->FsContext != NULL)
        return STATUS_INVALID_DEVICE_STATE;
    return FltpConnect(File, &Name, (PVOID)(Connect + 1), min(Length - (ULONG)sizeof(*Connect), FLTP_CONNECT_LIMIT));
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

/* Input and output share the system's buffer: the filter's callback gets two. */
static NTSTATUS FltpSendByControl(PFLTP_CLIENT Client, PIRP Irp, ULONG Input, ULONG Output)
{
    PFLT_MESSAGE_NOTIFY Notify = Client->Server->Message;
    PFLT_FILTER Filter = Client->Port.Filter;
    PVOID Copy = NULL, Answer = NULL;
    ULONG Returned = 0;
    NTSTATUS Status;
    FV_CALL Call;

    if (Notify == NULL)
        return STATUS_NOT_SUPPORTED;
    if (!FltpEnterFilter(Client))
        return STATUS_PORT_DISCONNECTED;
    if (Input > 0) {
        Copy = ExAllocatePoolWithTag(PagedPool, Input, FLTP_TAG_PORT);
        if (Copy == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            goto Exit;
        }
        RtlCopyMemory(Copy, Irp->AssociatedIrp.SystemBuffer, Input);
    }
    if (Output > 0) {
        Answer = ExAllocatePoolWithTag(PagedPool, Output, FLTP_TAG_PORT);
        if (Answer == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            goto Exit;
        }
        RtlZeroMemory(Answer, Output);
    }
    FvBeginCall(&Call);
    Status = Notify(Client->Cookie, Copy, Input, Answer, Output, &Returned);
    FvEndCall(&Call, (PVOID)Notify, "port message callback", (ULONG_PTR)Client);
    FltpCheckReturned(Client, (PVOID)Notify, Returned, Output);
    Irp->IoStatus.Information = min(Returned, Output);
    if (Irp->IoStatus.Information != 0)
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Answer, Irp->IoStatus.Information);

Exit:
    if (Answer != NULL)
        ExFreePoolWithTag(Answer, FLTP_TAG_PORT);
    if (Copy != NULL)
        ExFreePoolWithTag(Copy, FLTP_TAG_PORT);
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

static NTSTATUS FltpMessageControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Input = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG Output = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PFLTP_CLIENT Client = Stack->FileObject->FsContext;

    Irp->IoStatus.Information = 0;
    if (Stack->Parameters.DeviceIoControl.IoControlCode == FLTVM_FLTMSG_CONNECT)
        return FltpConnectByControl(Stack->FileObject, Irp->AssociatedIrp.SystemBuffer, Input);
    if (Client == NULL)
        return STATUS_INVALID_DEVICE_STATE;
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case FLTVM_FLTMSG_GET: return FltpGetMessage(Client, Irp);
    case FLTVM_FLTMSG_REPLY: return FltpReplyMessage(Client, Irp->AssociatedIrp.SystemBuffer, Input);
    case FLTVM_FLTMSG_SEND: return FltpSendByControl(Client, Irp, Input, Output);
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

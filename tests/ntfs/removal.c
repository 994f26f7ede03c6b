/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minifilter that says what it sees of a disk's removal, or of its medium's: plug and play requests, verifications, and the end of its instances.  Loaded as a service with the value
 * Send it sends the volume of the number in the value Volume's stack the request of this minor function, and does not stay.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;

static PCSTR MinorName(UCHAR Minor)
{
    return Minor == IRP_MN_QUERY_REMOVE_DEVICE    ? "query remove"
           : Minor == IRP_MN_CANCEL_REMOVE_DEVICE ? "cancel remove"
           : Minor == IRP_MN_REMOVE_DEVICE        ? "remove"
           : Minor == IRP_MN_SURPRISE_REMOVAL     ? "surprise removal"
                                                  : "something else";
}

static FLT_PREOP_CALLBACK_STATUS PrePnp(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Context);
    DbgPrint("removal: %s%s\n", MinorName(Data->Iopb->MinorFunction),
             FltObjects->FileObject == NULL ? "" : ", with a file object");
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostPnp(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                          FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    DbgPrint("removal: %s ends with 0x%08X\n", MinorName(Data->Iopb->MinorFunction), Data->IoStatus.Status);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS PreControl(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MinorFunction == IRP_MN_VERIFY_VOLUME) {
        DbgPrint("removal: verify\n");
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static VOID TearDown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    UNREFERENCED_PARAMETER(FltObjects);
    DbgPrint("removal: teardown of %s\n", Reason == FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT ? "a dismount"
                                          : Reason == FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD ? "an unload"
                                                                                            : "something else");
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

/* To the top of what is mounted on the device of that name, as plug and play sends it. */
static VOID Send(PCWSTR DeviceName, UCHAR Minor)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device, Top;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT File;
    KEVENT Event;
    NTSTATUS Status;
    PIRP Irp;

    RtlInitUnicodeString(&Name, DeviceName);
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &File, &Device))) {
        DbgPrint("removal: no device\n");
        return;
    }
    Device = File->DeviceObject;
    Top = Device->Vpb != NULL && (Device->Vpb->Flags & VPB_MOUNTED) != 0
              ? IoGetAttachedDeviceReference(Device->Vpb->DeviceObject)
              : IoGetAttachedDeviceReference(Device);
    ObDereferenceObject(File); /* it keeps no file system's volume */
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Top, NULL, 0, NULL, &Event, &IoStatus);
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IoGetNextIrpStackLocation(Irp)->MinorFunction = Minor;
    Status = IoCallDriver(Top, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    DbgPrint("removal: sent %s: 0x%08X\n", MinorName(Minor), Status);
    ObDereferenceObject(Top);
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_PNP, 0, PrePnp, PostPnp}, {IRP_MJ_FILE_SYSTEM_CONTROL, 0, PreControl, NULL}, {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .OperationRegistration = Operations,
                                              .FilterUnloadCallback = Unload,
                                              .InstanceTeardownCompleteCallback = TearDown};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Minor = ReadNumber(RegistryPath, L"Send");
    NTSTATUS Status;

    if (Minor != 0) {
        Send(ReadNumber(RegistryPath, L"Volume") == 2 ? L"\\Device\\HarddiskVolume2" : L"\\Device\\HarddiskVolume1",
             (UCHAR)Minor);
        return STATUS_DEVICE_DOES_NOT_EXIST;
    }
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
    }
    if (!NT_SUCCESS(Status) && Filter != NULL) {
        FltUnregisterFilter(Filter);
    }
    return Status;
}

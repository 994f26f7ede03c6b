// SPDX-License-Identifier: GPL-2.0-or-later
/* A control to a file system by file object, and the routines that file systems and filters register for it to be asked. */
#include <ntifs.h>

#include <io.h>

#define FSRTLP_CONTROL_TAG 'tcsF'

/* Where the input and the output are, by the method of the code; *Copy: what output is to be copied from. */
static NTSTATUS FsRtlpPlaceBuffers(PIRP Irp, PIO_STACK_LOCATION Stack, PVOID Input, PVOID Output, PVOID *Copy)
{
    ULONG InputLength = Stack->Parameters.FileSystemControl.InputBufferLength;
    ULONG OutputLength = Stack->Parameters.FileSystemControl.OutputBufferLength;
    ULONG Method = METHOD_FROM_CTL_CODE(Stack->Parameters.FileSystemControl.FsControlCode);
    ULONG Length = Method == METHOD_BUFFERED ? max(InputLength, OutputLength) : InputLength;

    *Copy = NULL;
    Irp->UserBuffer = Output;
    if (Method == METHOD_NEITHER) {
        Stack->Parameters.FileSystemControl.Type3InputBuffer = Input;
        return STATUS_SUCCESS;
    }
    if (Length != 0) {
        Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolZero(NonPagedPoolNx, Length, FSRTLP_CONTROL_TAG);
        if (Irp->AssociatedIrp.SystemBuffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Input, InputLength);
    }
    if (Method == METHOD_BUFFERED) {
        *Copy = Irp->AssociatedIrp.SystemBuffer;
    } else if (OutputLength != 0) {
        if (IoAllocateMdl(Output, OutputLength, FALSE, FALSE, Irp) == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        MmProbeAndLockPages(Irp->MdlAddress, KernelMode, Method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI FsRtlpControlDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID FsRtlpFreeControl(PIRP Irp)
{
    if (Irp->MdlAddress != NULL) {
        if ((Irp->MdlAddress->MdlFlags & MDL_PAGES_LOCKED) != 0) {
            MmUnlockPages(Irp->MdlAddress);
        }
        IoFreeMdl(Irp->MdlAddress);
        Irp->MdlAddress = NULL;
    }
    if (Irp->AssociatedIrp.SystemBuffer != NULL) {
        ExFreePoolWithTag(Irp->AssociatedIrp.SystemBuffer, FSRTLP_CONTROL_TAG);
    }
    IoFreeIrp(Irp);
}

/*
 * IRQL: PASSIVE_LEVEL.  Sent to the top of the file's stack with IRP_MN_KERNEL_CALL, and waited for.  The buffers are the
 * kernel's.  STATUS_INVALID_PARAMETER: no file object, or a buffer is missing; STATUS_INSUFFICIENT_RESOURCES; else what the
 * file system says; *RetOutputBufferSize: how many bytes it wrote.  (FsRtlKernelFsControlFile)
 */
NTSTATUS NTAPI FsRtlKernelFsControlFile(PFILE_OBJECT FileObject, ULONG FsControlCode, PVOID InputBuffer,
                                        ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
                                        PULONG RetOutputBufferSize)
{
    PIO_STACK_LOCATION Stack;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;
    KEVENT Event;
    PVOID Copy;
    PIRP Irp;

    PAGED_CODE();
    *RetOutputBufferSize = 0;
    if (FileObject == NULL || FileObject->Type != IO_TYPE_FILE || (InputBuffer == NULL && InputBufferLength != 0) ||
        (OutputBuffer == NULL && OutputBufferLength != 0)) {
        return STATUS_INVALID_PARAMETER;
    }
    Device = IoGetRelatedDeviceObject(FileObject);
    Irp = IoAllocateIrp(Device->StackSize, FALSE);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->RequestorMode = KernelMode;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    Stack->MinorFunction = IRP_MN_KERNEL_CALL;
    Stack->FileObject = FileObject;
    Stack->Parameters.FileSystemControl.FsControlCode = FsControlCode;
    Stack->Parameters.FileSystemControl.InputBufferLength = InputBufferLength;
    Stack->Parameters.FileSystemControl.OutputBufferLength = OutputBufferLength;
    Status = FsRtlpPlaceBuffers(Irp, Stack, InputBuffer, OutputBuffer, &Copy);
    if (NT_SUCCESS(Status)) {
        IoSetCompletionRoutine(Irp, FsRtlpControlDone, &Event, TRUE, TRUE, TRUE);
        IoCallDriver(Device, Irp);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = Irp->IoStatus.Status;
        if (!NT_ERROR(Status)) {
            *RetOutputBufferSize = (ULONG)min(Irp->IoStatus.Information, OutputBufferLength);
            if (Copy != NULL) {
                RtlCopyMemory(OutputBuffer, Copy, *RetOutputBufferSize);
            }
        }
    }
    FsRtlpFreeControl(Irp);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  The driver's own copy is kept until the driver object goes.  STATUS_INVALID_PARAMETER: no driver or
 * routines, a size that is none, or routines are registered already.  (FsRtlRegisterFileSystemFilterCallbacks)
 */
NTSTATUS NTAPI FsRtlRegisterFileSystemFilterCallbacks(PDRIVER_OBJECT FilterDriverObject, PFS_FILTER_CALLBACKS Callbacks)
{
    PFS_FILTER_CALLBACKS Copy;
    NTSTATUS Status;

    PAGED_CODE();
    if (FilterDriverObject == NULL || Callbacks == NULL ||
        Callbacks->SizeOfFsFilterCallbacks < FIELD_OFFSET(FS_FILTER_CALLBACKS, PreAcquireForSectionSynchronization)) {
        return STATUS_INVALID_PARAMETER;
    }
    Copy = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Copy), FSRTLP_CONTROL_TAG);
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Copy, Callbacks, min(sizeof(*Copy), Callbacks->SizeOfFsFilterCallbacks));
    Status = IoSetFsFilterCallbacks(FilterDriverObject, Copy);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Copy, FSRTLP_CONTROL_TAG);
    }
    return Status;
}

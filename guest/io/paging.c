/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging transfers: the memory manager's reads and writes of files, from the top of the file's stack, so that every filter sees
 * them.  They need no thread: whoever completes one tells its issuer through the event.
 */
#include "iop.h"
#include <mm.h>

static NTSTATUS IopPage(PFILE_OBJECT FileObject, PMDL Mdl, PLARGE_INTEGER Offset, PKEVENT Event,
                        PIO_STATUS_BLOCK IoStatusBlock, UCHAR MajorFunction, ULONG Flags)
{
    PDEVICE_OBJECT DeviceObject = IoGetRelatedDeviceObject(FileObject);
    PIRP Irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    PIO_STACK_LOCATION Stack;

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->MdlAddress = Mdl;
    Irp->Flags = IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE | Flags;
    Irp->RequestorMode = KernelMode;
    Irp->UserIosb = IoStatusBlock;
    Irp->UserEvent = Event;
    Irp->UserBuffer = MmGetMdlVirtualAddress(Mdl);
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = MajorFunction;
    Stack->FileObject = FileObject;
    Stack->Parameters.Read.Length = MmGetMdlByteCount(Mdl); /* the same places as Write's */
    Stack->Parameters.Read.ByteOffset = *Offset;
    return IofCallDriver(DeviceObject, Irp);
}

/* IRQL <= APC_LEVEL.  STATUS_PENDING: wait for the event, and look into the block. */
NTSTATUS NTAPI IoSynchronousPageWrite(PFILE_OBJECT FileObject, PMDL Mdl, PLARGE_INTEGER Offset, PKEVENT Event,
                                      PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopPage(FileObject, Mdl, Offset, Event, IoStatusBlock, IRP_MJ_WRITE, 0);
}

static NTSTATUS IopTransferPages(PFILE_OBJECT FileObject, PMDL Mdl, PLARGE_INTEGER Offset, BOOLEAN Write, PKEVENT Event,
                                 PIO_STATUS_BLOCK Result)
{
    return Write ? IoSynchronousPageWrite(FileObject, Mdl, Offset, Event, Result)
                 : IopPage(FileObject, Mdl, Offset, Event, Result, IRP_MJ_READ, IRP_INPUT_OPERATION);
}

NTSTATUS IopReadPages(PFILE_OBJECT FileObject, PMDL Mdl, PLARGE_INTEGER Offset, PULONG_PTR Bytes)
{
    IO_STATUS_BLOCK Result = {.Status = STATUS_SUCCESS};
    NTSTATUS Status;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Status = IopTransferPages(FileObject, Mdl, Offset, FALSE, &Event, &Result);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, WrPageIn, KernelMode, FALSE, NULL);
        Status = Result.Status;
    }
    *Bytes = Result.Information;
    return Status;
}

static VOID IopReferenceFile(PFILE_OBJECT FileObject)
{
    ObReferenceObject(FileObject);
}

static VOID IopDereferenceFile(PFILE_OBJECT FileObject)
{
    ObDereferenceObjectDeferDelete(FileObject);
}

static VOID IopQueueForFile(PWORK_QUEUE_ITEM Item)
{
    ExQueueWorkItem(Item, DelayedWorkQueue);
}

MM_FILE_ROUTINES IopFileRoutines = {IopTransferPages, IopReferenceFile,    IopDereferenceFile,
                                    IopQueueForFile,  IopAcquireForWriter, IopReleaseFromWriter};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File objects: what a handle stands for, from open to close.
 *
 * The last handle's close sends IRP_MJ_CLEANUP, the last reference's end IRP_MJ_CLOSE.  Both packets belong
 * to their sender (IRP_CLOSE_OPERATION), need no APC and cannot fail for want of memory: the sender waits
 * until there is some.
 */
#include "iop.h"

static PIRP IopAllocateIrpMustSucceed(CCHAR StackSize)
{
    LARGE_INTEGER Interval;
    PIRP Irp;

    Interval.QuadPart = -10 * 10000LL;
    while ((Irp = IoAllocateIrp(StackSize, FALSE)) == NULL) {
        KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    }
    return Irp;
}

/* PASSIVE_LEVEL. */
static NTSTATUS IopSendFileIrp(PFILE_OBJECT FileObject, UCHAR MajorFunction, ULONG IrpFlags)
{
    PDEVICE_OBJECT DeviceObject = IoGetRelatedDeviceObject(FileObject);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    Irp = IopAllocateIrpMustSucceed(DeviceObject->StackSize);
    Irp->Flags = IrpFlags | IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->UserIosb = &IoStatus;
    Irp->UserEvent = &Event;
    Irp->Overlay.AsynchronousParameters.UserApcRoutine = NULL;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = MajorFunction;
    Stack->FileObject = FileObject;
    Status = IofCallDriver(DeviceObject, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    IoFreeIrp(Irp);
    return Status;
}

/* Object-manager close procedure: a handle goes away.  PASSIVE_LEVEL. */
VOID IopCloseFile(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount, ULONG_PTR SystemHandleCount)
{
    PFILE_OBJECT FileObject = Object;

    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(ProcessHandleCount);
    if (SystemHandleCount != 1 || FileObject->DeviceObject == NULL) {
        return;
    }
    FileObject->Flags |= FO_HANDLE_CREATED;
    if ((FileObject->Flags & (FO_STREAM_FILE | FO_CLEANUP_COMPLETE)) == (FO_STREAM_FILE | FO_CLEANUP_COMPLETE)) {
        return; /* IoCreateStreamFileObjectLite's */
    }
    if (IopIsSynchronous(FileObject)) {
        IopAcquireFileLock(FileObject, KernelMode);
    }
    IopSendFileIrp(FileObject, IRP_MJ_CLEANUP, 0);
    if (IopIsSynchronous(FileObject)) {
        IopReleaseFileLock(FileObject);
    }
}

/* Object-manager delete procedure: nobody knows the file object any more.  PASSIVE_LEVEL. */
VOID IopDeleteFile(PVOID Object)
{
    PFILE_OBJECT FileObject = Object;

    IopReleasePort(FileObject);
    if (FileObject->DeviceObject != NULL) {
        if ((FileObject->Flags & FO_FILE_OPEN_CANCELLED) == 0) {
            if ((FileObject->Flags & FO_HANDLE_CREATED) == 0 && (FileObject->Flags & FO_STREAM_FILE) == 0) {
                IopSendFileIrp(FileObject, IRP_MJ_CLEANUP, 0); /* opened, but no handle came of it */
            }
            IopSendFileIrp(FileObject, IRP_MJ_CLOSE, 0);
        }
        if (FileObject->Vpb != NULL && (FileObject->Flags & FO_DIRECT_DEVICE_OPEN) == 0) {
            IopDereferenceVpb(FileObject->Vpb);
        }
        IopDereferenceDevice(FileObject->DeviceObject);
    }
    if (FileObject->RelatedFileObject != NULL) {
        FileObject->RelatedFileObject = NULL; /* valid during the open only; not referenced */
    }
    if (FileObject->FileName.Buffer != NULL) {
        ExFreePool(FileObject->FileName.Buffer);
    }
    if (FileObject->FileObjectExtension != NULL) {
        PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

        if (Extension->FilterContexts != NULL) {
            ExFreePoolWithTag(Extension->FilterContexts, IOP_TAG_FILE);
        }
        if (Extension->OplockKey != NULL) {
            ExFreePoolWithTag(Extension->OplockKey, IOP_TAG_FILE);
        }
        ExFreePoolWithTag(Extension, IOP_TAG_FILE);
    }
}

/* <= DISPATCH_LEVEL. */
PIOP_FILE_EXTENSION IopGetFileExtension(PFILE_OBJECT FileObject, BOOLEAN Create)
{
    PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

    if (Extension == NULL && Create) {
        Extension = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Extension), IOP_TAG_FILE);
        if (Extension == NULL) {
            return NULL;
        }
        RtlZeroMemory(Extension, sizeof(*Extension));
        if (InterlockedCompareExchangePointer((PVOID volatile *)&FileObject->FileObjectExtension, Extension, NULL) !=
            NULL) {
            ExFreePoolWithTag(Extension, IOP_TAG_FILE);
            Extension = FileObject->FileObjectExtension;
        }
    }
    return Extension;
}

PIO_FILE_CONTEXTS IopFileContexts(PFILE_OBJECT FileObject, BOOLEAN Create)
{
    PIOP_FILE_EXTENSION Extension = IopGetFileExtension(FileObject, Create);
    PIO_FILE_CONTEXTS Contexts = Extension != NULL ? Extension->FilterContexts : NULL;

    if (Contexts != NULL || Extension == NULL || !Create) {
        return Contexts;
    }
    Contexts = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Contexts), IOP_TAG_FILE);
    if (Contexts == NULL) {
        return NULL;
    }
    KeInitializeSpinLock(&Contexts->Lock);
    InitializeListHead(&Contexts->List);
    if (InterlockedCompareExchangePointer((PVOID volatile *)&Extension->FilterContexts, Contexts, NULL) != NULL) {
        ExFreePoolWithTag(Contexts, IOP_TAG_FILE);
    }
    return Extension->FilterContexts;
}

/* ---- which device answers for a file ----------------------------------------------------------------------
 */

/* The file system's volume device, or the opened device where no volume is mounted. */
PDEVICE_OBJECT NTAPI IoGetBaseFileSystemDeviceObject(PFILE_OBJECT FileObject)
{
    PVPB Vpb = FileObject->Vpb;

    if (Vpb != NULL && Vpb->DeviceObject != NULL) {
        return Vpb->DeviceObject;
    }
    Vpb = FileObject->DeviceObject->Vpb;
    if ((FileObject->Flags & FO_DIRECT_DEVICE_OPEN) == 0 && Vpb != NULL && Vpb->DeviceObject != NULL) {
        return Vpb->DeviceObject;
    }
    return FileObject->DeviceObject;
}

static BOOLEAN IopIsInStack(PDEVICE_OBJECT Base, PDEVICE_OBJECT DeviceObject)
{
    for (; Base != NULL; Base = Base->AttachedDevice) {
        if (Base == DeviceObject) {
            return TRUE;
        }
    }
    return FALSE;
}

/* IRQL <= DISPATCH_LEVEL.  The top of the stack, or the device named as hint when the file was opened. */
PDEVICE_OBJECT NTAPI IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    PDEVICE_OBJECT DeviceObject = IoGetBaseFileSystemDeviceObject(FileObject);
    PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

    if (DeviceObject->AttachedDevice == NULL) {
        return DeviceObject;
    }
    if (Extension != NULL && Extension->DeviceObjectHint != NULL &&
        IopIsInStack(DeviceObject, Extension->DeviceObjectHint)) {
        return Extension->DeviceObjectHint;
    }
    return IopTopDeviceLocked(DeviceObject);
}

/* ---- names -----------------------------------------------------------------------------------------------
 */

/* Object-manager query-name procedure: the device's name, then the name the file was opened by.
 * PASSIVE_LEVEL. */
NTSTATUS IopQueryFileName(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information, ULONG Length,
                          PULONG ReturnLength, KPROCESSOR_MODE Mode)
{
    PFILE_OBJECT FileObject = Object;
    ULONG DeviceLength = 0;
    ULONG Needed;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(HasName);
    UNREFERENCED_PARAMETER(Mode);
    if (FileObject->DeviceObject == NULL) {
        return STATUS_OBJECT_PATH_INVALID;
    }
    Status = ObQueryNameString(FileObject->DeviceObject, Information, Length, &DeviceLength);
    if (!NT_SUCCESS(Status) && Status != STATUS_INFO_LENGTH_MISMATCH) {
        return Status;
    }
    Needed = DeviceLength + FileObject->FileName.Length;
    *ReturnLength = Needed;
    if (Status == STATUS_INFO_LENGTH_MISMATCH || Length < Needed) {
        return Length < sizeof(*Information) ? STATUS_INFO_LENGTH_MISMATCH : STATUS_BUFFER_OVERFLOW;
    }
    if (FileObject->FileName.Length != 0) {
        PUNICODE_STRING Name = &Information->Name;

        if (Name->Buffer == NULL) {
            Name->Buffer = (PWCH)(Information + 1);
            Name->Length = 0;
        }
        RtlCopyMemory((PUCHAR)Name->Buffer + Name->Length, FileObject->FileName.Buffer, FileObject->FileName.Length);
        Name->Length += FileObject->FileName.Length;
        Name->MaximumLength = (USHORT)(Length - sizeof(*Information));
        if ((ULONG)Name->Length + sizeof(WCHAR) <= Name->MaximumLength) {
            Name->Buffer[Name->Length / sizeof(WCHAR)] = L'\0';
        }
    }
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  For a reparse: the name under which the open goes on. */
NTSTATUS NTAPI IoReplaceFileObjectName(PFILE_OBJECT FileObject, PWSTR NewFileName, USHORT FileNameLength)
{
    PWCH Buffer;

    if (FileNameLength > FileObject->FileName.MaximumLength) {
        Buffer = ExAllocatePoolWithTag(PagedPool, FileNameLength, IOP_TAG_NAME);
        if (Buffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        if (FileObject->FileName.Buffer != NULL) {
            ExFreePool(FileObject->FileName.Buffer);
        }
        FileObject->FileName.Buffer = Buffer;
        FileObject->FileName.MaximumLength = FileNameLength;
    }
    RtlMoveMemory(FileObject->FileName.Buffer, NewFileName, FileNameLength);
    FileObject->FileName.Length = FileNameLength;
    return STATUS_SUCCESS;
}

/* ---- file objects without a name, for file systems --------------------------------------------------------
 */

static PFILE_OBJECT IopCreateStreamFile(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject, BOOLEAN WithCleanup)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    PFILE_OBJECT New;
    HANDLE Handle;
    KIRQL Irql;

    if (FileObject != NULL) {
        DeviceObject = FileObject->DeviceObject;
    }
    InitializeObjectAttributes(&ObjectAttributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ObCreateObject(KernelMode, *IoFileObjectType, &ObjectAttributes, KernelMode, NULL,
                                   sizeof(FILE_OBJECT), 0, 0, (PVOID *)&New))) {
        return NULL;
    }
    RtlZeroMemory(New, sizeof(*New));
    New->Type = IO_TYPE_FILE;
    New->Size = sizeof(*New);
    New->DeviceObject = DeviceObject;
    New->Flags = FO_STREAM_FILE;
    KeInitializeEvent(&New->Event, NotificationEvent, FALSE);
    KeInitializeEvent(&New->Lock, SynchronizationEvent, FALSE);
    KeInitializeSpinLock(&New->IrpListLock);
    InitializeListHead(&New->IrpList);
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    DeviceObject->ReferenceCount++;
    if (DeviceObject->Vpb != NULL) {
        DeviceObject->Vpb->ReferenceCount++;
        New->Vpb = DeviceObject->Vpb;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (!NT_SUCCESS(ObInsertObject(New, NULL, FILE_READ_DATA, 1, (PVOID *)&New, &Handle))) {
        return NULL;
    }
    New->Flags |= FO_HANDLE_CREATED;
    if (WithCleanup) {
        ZwClose(Handle); /* sends the cleanup that file systems expect of IoCreateStreamFileObject */
    } else {
        New->Flags |= FO_CLEANUP_COMPLETE;
        ZwClose(Handle);
    }
    return New;
}

/* PASSIVE_LEVEL.  NULL on failure (Windows raises a status). */
DECLSPEC_NOINLINE PFILE_OBJECT NTAPI IoCreateStreamFileObject(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    PFILE_OBJECT New = IopCreateStreamFile(FileObject, DeviceObject, TRUE);

    if (New == NULL) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    ObNoteReference(New, _ReturnAddress());
    return New;
}

/* As above, but no cleanup is sent. */
DECLSPEC_NOINLINE PFILE_OBJECT NTAPI IoCreateStreamFileObjectLite(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    PFILE_OBJECT New = IopCreateStreamFile(FileObject, DeviceObject, FALSE);

    if (New == NULL) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    ObNoteReference(New, _ReturnAddress());
    return New;
}

/* ---- small facts about file objects -----------------------------------------------------------------------
 */

/* Any IRQL.  Whether the requestor waits for the packet's completion. */
BOOLEAN NTAPI IoIsOperationSynchronous(PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    if ((Irp->Flags & IRP_PAGING_IO) != 0) {
        return (Irp->Flags & IRP_SYNCHRONOUS_PAGING_IO) != 0;
    }
    return (Irp->Flags & IRP_SYNCHRONOUS_API) != 0 || (FileObject != NULL && IopIsSynchronous(FileObject));
}

PGENERIC_MAPPING NTAPI IoGetFileObjectGenericMapping(VOID)
{
    static GENERIC_MAPPING Mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};

    return &Mapping;
}

/* Any IRQL.  NULL: transactions do not exist unless the opener passed a block. */
PTXN_PARAMETER_BLOCK NTAPI IoGetTransactionParameterBlock(PFILE_OBJECT FileObject)
{
    PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

    return Extension != NULL ? Extension->TxnParameters : NULL;
}

/* PASSIVE_LEVEL, before the opener has a handle: the file system is told to clean up and close now. */
VOID NTAPI IoCancelFileOpen(PDEVICE_OBJECT DeviceObject, PFILE_OBJECT FileObject)
{
    UCHAR MajorFunctions[] = {IRP_MJ_CLEANUP, IRP_MJ_CLOSE};
    ULONG Index;

    if (IopVerifierOn && (FileObject->Flags & (FO_HANDLE_CREATED | FO_FILE_OPEN_CANCELLED)) != 0) {
        KeBugCheckEx(INVALID_CANCEL_OF_FILE_OPEN, (ULONG_PTR)FileObject, (ULONG_PTR)DeviceObject, 0, 0);
    }
    for (Index = 0; Index < RTL_NUMBER_OF(MajorFunctions); Index++) {
        PIO_STACK_LOCATION Stack;
        IO_STATUS_BLOCK IoStatus;
        KEVENT Event;
        PIRP Irp = IopAllocateIrpMustSucceed(DeviceObject->StackSize);

        KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
        Irp->Flags = IRP_CLOSE_OPERATION | IRP_SYNCHRONOUS_API;
        Irp->UserIosb = &IoStatus;
        Irp->UserEvent = &Event;
        Irp->Tail.Overlay.Thread = PsGetCurrentThread();
        Irp->Tail.Overlay.OriginalFileObject = FileObject;
        Stack = IoGetNextIrpStackLocation(Irp);
        Stack->MajorFunction = MajorFunctions[Index];
        Stack->FileObject = FileObject;
        if (IofCallDriver(DeviceObject, Irp) == STATUS_PENDING) {
            KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        }
        IoFreeIrp(Irp);
    }
    FileObject->Flags |= FO_FILE_OPEN_CANCELLED;
}

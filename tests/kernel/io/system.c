// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What file systems and filters above them use of the I/O manager: the cancel lock, stream files, cancelled opens, opens with a
 * context, a thread's requests, devices to verify, registration of file systems, packets by key.
 */
#include <ntifs.h>

#include <fltvm.h>

#define NAME L"\\Device\\FltvmIoSystem"

extern POBJECT_TYPE *IoDeviceObjectType;
extern POBJECT_TYPE *IoDriverObjectType;
NTKERNELAPI PFILE_OBJECT NTAPI IoCreateStreamFileObjectLite(PFILE_OBJECT File, PDEVICE_OBJECT DeviceObject);
NTKERNELAPI VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key);
NTKERNELAPI VOID NTAPI IoQueueThreadIrp(PIRP Irp);
NTKERNELAPI NTSTATUS NTAPI IoRegisterFsRegistrationChangeEx(PDRIVER_OBJECT DriverObject,
                                                            PDRIVER_FS_NOTIFICATION Routine);
NTKERNELAPI NTSTATUS NTAPI IoVerifyVolume(PDEVICE_OBJECT DeviceObject, BOOLEAN AllowRawMount);

static PDEVICE_OBJECT Device, Upper;
static ULONG Calls[IRP_MJ_MAXIMUM_FUNCTION + 1], UpperCreates;
static BOOLEAN CancelOpens;
static PVOID Parameters; /* the transaction's, as the create saw them */

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    Irp->IoStatus.Information = 0;
    if (DeviceObject == Upper) {
        if (Stack->MajorFunction != IRP_MJ_CREATE) {
            IoSkipCurrentIrpStackLocation(Irp);
            return IoCallDriver(Device, Irp);
        }
        UpperCreates++;
        IoForwardIrpSynchronously(Device, Irp);
        if (!CancelOpens)
            return Complete(Irp, Irp->IoStatus.Status);
        IoCancelFileOpen(Device, Stack->FileObject);
        FvCheck(Stack->FileObject->Flags & FO_FILE_OPEN_CANCELLED);
        return Complete(Irp, STATUS_ACCESS_DENIED);
    }
    Calls[Stack->MajorFunction]++;
    if (Stack->MajorFunction == IRP_MJ_CREATE)
        Parameters = IoGetTransactionParameterBlock(Stack->FileObject);
    return Complete(Irp, STATUS_SUCCESS);
}

static VOID CheckTypes(PDRIVER_OBJECT DriverObject)
{
    FvCheck(ObReferenceObjectByPointer(Device, 0, *IoDeviceObjectType, KernelMode) == STATUS_SUCCESS);
    ObDereferenceObject(Device);
    FvCheck(ObReferenceObjectByPointer(Device, 0, *IoDriverObjectType, KernelMode) == STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ObReferenceObjectByPointer(DriverObject, 0, *IoDriverObjectType, KernelMode) == STATUS_SUCCESS);
    ObDereferenceObject(DriverObject);
}

static VOID CheckCancelLock(VOID)
{
    KIRQL Irql = HIGH_LEVEL;

    IoAcquireCancelSpinLock(&Irql);
    FvCheck(Irql == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL);
    IoReleaseCancelSpinLock(Irql);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

/* The one sends a cleanup before it returns, the other never; both close with the last reference. */
static VOID CheckStreamFiles(VOID)
{
    ULONG Cleanups = Calls[IRP_MJ_CLEANUP], Closes = Calls[IRP_MJ_CLOSE], Creates = Calls[IRP_MJ_CREATE];
    PFILE_OBJECT File = IoCreateStreamFileObject(NULL, Device);

    FvCheck(File->DeviceObject == Device && (File->Flags & FO_STREAM_FILE));
    FvCheck(Calls[IRP_MJ_CLEANUP] == Cleanups + 1 && Calls[IRP_MJ_CLOSE] == Closes);
    ObDereferenceObject(File);
    FvCheck(Calls[IRP_MJ_CLOSE] == Closes + 1);
    File = IoCreateStreamFileObjectLite(NULL, Device);
    FvCheck(File->DeviceObject == Device && (File->Flags & FO_STREAM_FILE));
    FvCheck(Calls[IRP_MJ_CLEANUP] == Cleanups + 1 && Calls[IRP_MJ_CREATE] == Creates);
    ObDereferenceObject(File);
    FvCheck(Calls[IRP_MJ_CLEANUP] == Cleanups + 1 && Calls[IRP_MJ_CLOSE] == Closes + 2);
}

static NTSTATUS Open(PHANDLE Handle, PIO_DRIVER_CREATE_CONTEXT Context)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME L"\\file");
    OBJECT_ATTRIBUTES Object;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Object, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return IoCreateFileEx(Handle, FILE_READ_DATA | SYNCHRONIZE, &Object, &IoStatus, NULL, 0, FILE_SHARE_READ, FILE_OPEN,
                          FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL, 0, Context);
}

static VOID CheckOpens(PDRIVER_OBJECT DriverObject)
{
    TXN_PARAMETER_BLOCK Transaction = {.Length = sizeof(Transaction)};
    IO_DRIVER_CREATE_CONTEXT Context;
    ULONG Cleanups, Closes;
    HANDLE Handle;

    FvCheck(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Upper) == STATUS_SUCCESS);
    IoAttachDeviceToDeviceStack(Upper, Device);
    Upper->Flags &= ~DO_DEVICE_INITIALIZING;

    FvCheck(Open(&Handle, NULL) == STATUS_SUCCESS && UpperCreates == 1 && Parameters == NULL);
    ZwClose(Handle);
    IoInitializeDriverCreateContext(&Context);
    Context.Size--;
    FvCheck(Open(&Handle, &Context) == STATUS_INVALID_PARAMETER);
    IoInitializeDriverCreateContext(&Context);
    Context.TxnParameters = &Transaction;
    FvCheck(Open(&Handle, &Context) == STATUS_SUCCESS && UpperCreates == 2 && Parameters == &Transaction);
    ZwClose(Handle);
    IoInitializeDriverCreateContext(&Context);
    Context.DeviceObjectHint = Device;
    FvCheck(Open(&Handle, &Context) == STATUS_SUCCESS && UpperCreates == 2); /* the open went past the upper device */
    ZwClose(Handle);

    /* The file system is told to clean up and close at once, and not again when the open has failed. */
    Cleanups = Calls[IRP_MJ_CLEANUP];
    Closes = Calls[IRP_MJ_CLOSE];
    CancelOpens = TRUE;
    FvCheck(Open(&Handle, NULL) == STATUS_ACCESS_DENIED);
    FvCheck(Calls[IRP_MJ_CLEANUP] == Cleanups + 1 && Calls[IRP_MJ_CLOSE] == Closes + 1);
    IoDetachDevice(Device);
    IoDeleteDevice(Upper);
    Upper = NULL;
}

/* The thread that queued it completes it: event and status block are written, the packet is freed. */
static VOID CheckThreadIrp(VOID)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    IO_STATUS_BLOCK IoStatus = {{0}};
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoStatus.Status = STATUS_PENDING;
    Irp->UserEvent = &Event;
    Irp->UserIosb = &IoStatus;
    Irp->Flags = IRP_SYNCHRONOUS_API;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoQueueThreadIrp(Irp);
    FvCheck(Irp->Tail.Overlay.Thread == PsGetCurrentThread());
    FvCheck(IoCallDriver(Device, Irp) == STATUS_SUCCESS && Calls[IRP_MJ_FLUSH_BUFFERS] == 1);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    FvCheck(IoStatus.Status == STATUS_SUCCESS);
}

static VOID CheckDisk(PDEVICE_OBJECT Real)
{
    PDEVICE_OBJECT FileSystem = Real->Vpb->DeviceObject, Disk;

    FvCheck(IoGetDiskDeviceObject(FileSystem, &Disk) == STATUS_SUCCESS && Disk == Real);
    ObDereferenceObject(Disk);
    FvCheck(IoGetDiskDeviceObject(Real, &Disk) == STATUS_INVALID_PARAMETER && Disk == NULL);
    Real->Vpb->Flags &= ~VPB_MOUNTED; /* as whoever dismounts it does */
    FvCheck(IoGetDiskDeviceObject(FileSystem, &Disk) == STATUS_VOLUME_DISMOUNTED && Disk == NULL);
    Real->Vpb->Flags |= VPB_MOUNTED;
}

static VOID CheckVerify(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    PIRP Irp = IoAllocateIrp(1, FALSE);
    PDEVICE_OBJECT Volume, Real;
    PFILE_OBJECT File;

    IoSetHardErrorOrVerifyDevice(Irp, Device); /* nobody's packet: nothing happens */
    FvCheck(IoGetDeviceToVerify(PsGetCurrentThread()) == NULL);
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    IoSetHardErrorOrVerifyDevice(Irp, Device);
    FvCheck(IoGetDeviceToVerify(PsGetCurrentThread()) == Device);
    IoSetDeviceToVerify(PsGetCurrentThread(), NULL);
    Irp->Tail.Overlay.Thread = NULL;
    IoFreeIrp(Irp);

    FvCheck(IoVerifyVolume(Device, FALSE) == STATUS_INVALID_PARAMETER); /* nothing can be mounted on it */
    if (!FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Volume) == STATUS_SUCCESS))
        return;
    Real = File->DeviceObject;
    FvCheck(Real->Vpb != NULL && (Real->Vpb->Flags & VPB_MOUNTED));
    Real->Flags |= DO_VERIFY_VOLUME;
    FvCheck(IoVerifyVolume(Real, TRUE) == STATUS_SUCCESS && !(Real->Flags & DO_VERIFY_VOLUME));
    FvCheck(Real->Vpb->Flags & VPB_MOUNTED);
    CheckDisk(Real);
    ObDereferenceObject(File);
}

static PDEVICE_OBJECT Told;
static ULONG Came, Went;

static VOID NTAPI Changed(PDEVICE_OBJECT FileSystem, BOOLEAN Active)
{
    if (FileSystem != Told)
        return;
    if (Active)
        Came++;
    else
        Went++;
}

static VOID CheckFileSystems(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT FileSystem;

    FvCheck(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &FileSystem) ==
            STATUS_SUCCESS);
    FileSystem->Flags &= ~DO_DEVICE_INITIALIZING;
    Told = FileSystem;
    FvCheck(IoRegisterFsRegistrationChangeMountAware(DriverObject, Changed, TRUE) == STATUS_SUCCESS && Came == 0);
    FvCheck(IoRegisterFsRegistrationChangeMountAware(DriverObject, Changed, TRUE) == STATUS_DEVICE_ALREADY_ATTACHED);
    IoRegisterFileSystem(FileSystem);
    FvCheck(Came == 1 && Went == 0);
    IoUnregisterFsRegistrationChange(DriverObject, Changed);
    /* Who registers later is told of those that are there. */
    FvCheck(IoRegisterFsRegistrationChangeEx(DriverObject, Changed) == STATUS_SUCCESS && Came == 2);
    FvCheck(IoRegisterFsRegistrationChangeEx(DriverObject, Changed) == STATUS_DEVICE_ALREADY_ATTACHED);
    IoUnregisterFileSystem(FileSystem);
    FvCheck(Went == 1);
    IoUnregisterFsRegistrationChange(DriverObject, Changed);
    IoDeleteDevice(FileSystem);
}

static PIRP Started;

static VOID NTAPI StartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    FvCheck(KeGetCurrentIrql() == DISPATCH_LEVEL && DeviceObject->CurrentIrp == Irp);
    Started = Irp;
}

/* The next is the first whose key is not below the one given; behind the last comes the first. */
static VOID CheckPackets(VOID)
{
    PIRP Irp[3];
    ULONG Keys[3] = {5, 10, 30};
    KIRQL Irql;

    for (ULONG I = 0; I < 3; I++) {
        Irp[I] = IoAllocateIrp(1, FALSE);
        IoStartPacket(Device, Irp[I], &Keys[I], NULL);
    }
    FvCheck(Started == Irp[0]);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    IoStartNextPacketByKey(Device, TRUE, 20);
    FvCheck(Started == Irp[2] && Device->CurrentIrp == Irp[2]);
    IoStartNextPacketByKey(Device, FALSE, 31);
    FvCheck(Started == Irp[1] && Device->CurrentIrp == Irp[1]);
    IoStartNextPacketByKey(Device, FALSE, 0);
    FvCheck(Started == Irp[1] && Device->CurrentIrp == NULL);
    KeLowerIrql(Irql);
    for (ULONG I = 0; I < 3; I++)
        IoFreeIrp(Irp[I]);
}

static ULONG Reinitialized;

static VOID NTAPI Reinitialize(PDRIVER_OBJECT DriverObject, PVOID Context, ULONG Count)
{
    Reinitialized++;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    LARGE_INTEGER Interval = {.QuadPart = -10000LL * 20};

    FvTestPlan(48);
    for (ULONG I = 0; I <= IRP_MJ_MAXIMUM_FUNCTION; I++)
        DriverObject->MajorFunction[I] = Dispatch;
    DriverObject->DriverStartIo = StartIo;
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    CheckTypes(DriverObject);
    CheckCancelLock();
    CheckStreamFiles();
    CheckOpens(DriverObject);
    CheckThreadIrp();
    CheckVerify();
    CheckFileSystems(DriverObject);
    CheckPackets();
    IoDeleteDevice(Device);
    /* Only a boot driver's is called, and the machine has started. */
    IoRegisterBootDriverReinitialization(DriverObject, Reinitialize, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    FvCheck(Reinitialized == 0);
    return STATUS_SUCCESS;
}

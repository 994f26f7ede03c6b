/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fastfs: a file system with fast I/O, for fastio.c: each volume is one file.  Its routines tell the log what they were
 * asked; what is beyond 4096 they do not do.  A request tells so, too, and is done.
 */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT Control;

static BOOLEAN Done(PIO_STATUS_BLOCK IoStatus, ULONG_PTR Information)
{
    IoStatus->Status = STATUS_SUCCESS;
    IoStatus->Information = Information;
    return TRUE;
}

static BOOLEAN NTAPI Possible(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key,
                              BOOLEAN ForRead, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: possible %u %u %u %u\n", (ULONG)Offset->QuadPart, Length, Key, ForRead);
    return Offset->QuadPart < 4096 && Done(IoStatus, 0);
}

static BOOLEAN NTAPI Read(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key, PVOID Buffer,
                          PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: read %u %u %u\n", (ULONG)Offset->QuadPart, Length, Key);
    if (Offset->QuadPart >= 4096)
        return FALSE;
    RtlFillMemory(Buffer, Length, 'f');
    return Done(IoStatus, Length);
}

static BOOLEAN NTAPI Write(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key,
                           PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: write %u %u %u\n", (ULONG)Offset->QuadPart, Length, Key);
    return Done(IoStatus, Length);
}

static BOOLEAN NTAPI Basic(PFILE_OBJECT File, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer, PIO_STATUS_BLOCK IoStatus,
                           PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: basic %u\n", Wait);
    Buffer->FileAttributes = 0x77;
    return Done(IoStatus, sizeof(*Buffer));
}

static BOOLEAN NTAPI Standard(PFILE_OBJECT File, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: standard %u\n", Wait);
    Buffer->EndOfFile.QuadPart = 4096;
    return Done(IoStatus, sizeof(*Buffer));
}

static BOOLEAN NTAPI NetworkOpen(PFILE_OBJECT File, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: network %u\n", Wait);
    Buffer->FileAttributes = 0x55;
    return Done(IoStatus, sizeof(*Buffer));
}

static BOOLEAN NTAPI Lock(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN Exclusive, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: lock %u %u %u %u %u %u\n", (ULONG)Offset->QuadPart, (ULONG)Length->QuadPart,
             Process == PsGetCurrentProcess(), Key, FailImmediately, Exclusive);
    return Done(IoStatus, 0);
}

static BOOLEAN NTAPI UnlockOne(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length, PEPROCESS Process,
                               ULONG Key, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: unlock %u %u %u %u\n", (ULONG)Offset->QuadPart, (ULONG)Length->QuadPart,
             Process == PsGetCurrentProcess(), Key);
    return Done(IoStatus, 0);
}

static BOOLEAN NTAPI UnlockAll(PFILE_OBJECT File, PEPROCESS Process, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: unlock all %u\n", Process == PsGetCurrentProcess());
    return Done(IoStatus, 0);
}

static BOOLEAN NTAPI UnlockKey(PFILE_OBJECT File, PVOID Process, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                               PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: unlock key %u %u\n", Process == PsGetCurrentProcess(), Key);
    return Done(IoStatus, 0);
}

static BOOLEAN NTAPI DeviceControl(PFILE_OBJECT File, BOOLEAN Wait, PVOID Input, ULONG InputLength, PVOID Output,
                                   ULONG OutputLength, ULONG Code, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: control %X %u %u\n", Code, InputLength, OutputLength);
    return Done(IoStatus, 3);
}

static BOOLEAN NTAPI MdlReadNow(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, ULONG Key, PMDL *MdlChain,
                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: mdl read %u %u %u\n", (ULONG)Offset->QuadPart, Length, Key);
    *MdlChain = (PMDL)1;
    return Done(IoStatus, Length);
}

static BOOLEAN NTAPI MdlReadEnd(PFILE_OBJECT File, PMDL MdlChain, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: mdl read complete %p\n", MdlChain);
    return TRUE;
}

static BOOLEAN NTAPI PrepareMdl(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, ULONG Key, PMDL *MdlChain,
                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: mdl write %u %u %u\n", (ULONG)Offset->QuadPart, Length, Key);
    return Done(IoStatus, Length);
}

static BOOLEAN NTAPI MdlWriteEnd(PFILE_OBJECT File, PLARGE_INTEGER Offset, PMDL MdlChain, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: mdl write complete %u %p\n", (ULONG)Offset->QuadPart, MdlChain);
    return FALSE;
}

static BOOLEAN NTAPI QueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION Information, PDEVICE_OBJECT Device)
{
    DbgPrint("fastfs: query open %u\n", IoGetCurrentIrpStackLocation(Irp)->DeviceObject == Device);
    Information->FileAttributes = 0x33;
    return Done(&Irp->IoStatus, 0);
}

static FAST_IO_DISPATCH FastIo = {
    .SizeOfFastIoDispatch = sizeof(FastIo),
    .FastIoCheckIfPossible = Possible,
    .FastIoRead = Read,
    .FastIoWrite = Write,
    .FastIoQueryBasicInfo = Basic,
    .FastIoQueryStandardInfo = Standard,
    .FastIoQueryNetworkOpenInfo = NetworkOpen,
    .FastIoLock = Lock,
    .FastIoUnlockSingle = UnlockOne,
    .FastIoUnlockAll = UnlockAll,
    .FastIoUnlockAllByKey = UnlockKey,
    .FastIoDeviceControl = DeviceControl,
    .MdlRead = MdlReadNow,
    .MdlReadComplete = MdlReadEnd,
    .PrepareMdlWrite = PrepareMdl,
    .MdlWriteComplete = MdlWriteEnd,
    .FastIoQueryOpen = QueryOpen,
};

static NTSTATUS Mount(PIO_STACK_LOCATION Stack)
{
    PDEVICE_OBJECT Volume;

    if (!NT_SUCCESS(IoCreateDevice(Control->DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Volume)))
        return STATUS_INSUFFICIENT_RESOURCES;
    Volume->StackSize = Stack->Parameters.MountVolume.DeviceObject->StackSize + 1;
    Volume->Flags &= ~DO_DEVICE_INITIALIZING;
    Stack->Parameters.MountVolume.Vpb->DeviceObject = Volume;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG_PTR Information = 0;

    if (Stack->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL)
        Status = DeviceObject == Control && Stack->MinorFunction == IRP_MN_MOUNT_VOLUME ? Mount(Stack)
                                                                                        : STATUS_INVALID_DEVICE_REQUEST;
    else if (Stack->MajorFunction == IRP_MJ_QUERY_INFORMATION) {
        DbgPrint("fastfs: request for class %u\n", Stack->Parameters.QueryFile.FileInformationClass);
        RtlZeroMemory(Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.QueryFile.Length);
        Information = Stack->Parameters.QueryFile.Length;
    } else if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        DbgPrint("fastfs: request for control %X\n", Stack->Parameters.DeviceIoControl.IoControlCode);
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\FastFs");
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Control);

    if (!NT_SUCCESS(Status))
        return Status;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    DriverObject->FastIoDispatch = &FastIo;
    IoRegisterFileSystem(Control);
    return STATUS_SUCCESS;
}

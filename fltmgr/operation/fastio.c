/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fastio.c: fast I/O.  What the driver below has a routine for is an operation, with its parameters as a request's but
 * always neither buffered nor direct; what it has none for is refused at once, as it refuses it, and comes back as a request.
 *
 * STATUS_FLT_DISALLOW_FAST_IO in an operation's status is FALSE to the caller.  IRQL: <= APC_LEVEL.
 */
#include "operation.h"

static PDEVICE_OBJECT FltpBelow(PDEVICE_OBJECT Device)
{
    return ((PFLTP_DEVICE)Device->DeviceExtension)->Below;
}

/* The routine at Offset of the table of the driver below; NULL: it has none. */
static PVOID FltpRoutineBelow(PDEVICE_OBJECT Device, ULONG Offset)
{
    PFAST_IO_DISPATCH Table = FltpBelow(Device) != NULL ? FltpBelow(Device)->DriverObject->FastIoDispatch : NULL;

    return Table != NULL && Table->SizeOfFastIoDispatch >= Offset + sizeof(PVOID) ? *(PVOID *)((PUCHAR)Table + Offset)
                                                                                  : NULL;
}

#define FLTP_BELOW(Device_, Type_, Name_) ((Type_)FltpRoutineBelow(Device_, FIELD_OFFSET(FAST_IO_DISPATCH, Name_)))

/* The operation; NULL: *Pass, no instance wants it and the caller asks below itself, else it cannot be. */
static PFLTP_OPERATION FltpBeginFast(PDEVICE_OBJECT Device, UCHAR Major, PFILE_OBJECT File, PBOOLEAN Pass)
{
    NTSTATUS Status;
    PFLTP_OPERATION Operation = FltpBeginDirect(Device, Major, File, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION, &Status);

    *Pass = NT_SUCCESS(Status);
    return Operation;
}

/* Done: what the routine below returned. */
static VOID FltpNoteFast(PFLTP_OPERATION Operation, BOOLEAN Done)
{
    if (!Done) {
        Operation->Data.IoStatus.Status = STATUS_FLT_DISALLOW_FAST_IO;
        Operation->Data.IoStatus.Information = 0;
    }
}

static BOOLEAN FltpEndFast(PFLTP_OPERATION Operation, PIO_STATUS_BLOCK IoStatus)
{
    FltpEndDirect(Operation, IoStatus);
    return IoStatus->Status != STATUS_FLT_DISALLOW_FAST_IO;
}

static BOOLEAN NTAPI FltpFastIoCheckIfPossible(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait,
                                               ULONG Key, BOOLEAN ForRead, PIO_STATUS_BLOCK IoStatus,
                                               PDEVICE_OBJECT Device)
{
    PFAST_IO_CHECK_IF_POSSIBLE Below = FLTP_BELOW(Device, PFAST_IO_CHECK_IF_POSSIBLE, FastIoCheckIfPossible);
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Offset, Length, Wait, Key, ForRead, IoStatus, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->FastIoCheckIfPossible.FileOffset = *Offset;
    P->FastIoCheckIfPossible.Length = Length;
    P->FastIoCheckIfPossible.LockKey = Key;
    P->FastIoCheckIfPossible.CheckForReadOperation = ForRead;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation, Below(Operation->Iopb.TargetFileObject, &P->FastIoCheckIfPossible.FileOffset,
                                      P->FastIoCheckIfPossible.Length, Wait, P->FastIoCheckIfPossible.LockKey,
                                      P->FastIoCheckIfPossible.CheckForReadOperation, &Operation->Data.IoStatus,
                                      Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

/* FastIoRead and FastIoWrite: the same parameters. */
static BOOLEAN FltpFastTransfer(UCHAR Major, PFAST_IO_READ Below, PFILE_OBJECT File, PLARGE_INTEGER Offset,
                                ULONG Length, BOOLEAN Wait, ULONG Key, PVOID Buffer, PIO_STATUS_BLOCK IoStatus,
                                PDEVICE_OBJECT Device)
{
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, Major, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Offset, Length, Wait, Key, Buffer, IoStatus, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->Read.Length = Length;
    P->Read.Key = Key;
    P->Read.ByteOffset = *Offset;
    P->Read.ReadBuffer = Buffer;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation, Below(Operation->Iopb.TargetFileObject, &P->Read.ByteOffset, P->Read.Length, Wait,
                                      P->Read.Key, P->Read.ReadBuffer, &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpFastIoRead(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key,
                                    PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastTransfer(IRP_MJ_READ, FLTP_BELOW(Device, PFAST_IO_READ, FastIoRead), File, Offset, Length, Wait, Key,
                            Buffer, IoStatus, Device);
}

static BOOLEAN NTAPI FltpFastIoWrite(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key,
                                     PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastTransfer(IRP_MJ_WRITE, (PFAST_IO_READ)FLTP_BELOW(Device, PFAST_IO_WRITE, FastIoWrite), File, Offset,
                            Length, Wait, Key, Buffer, IoStatus, Device);
}

/* The three queries: the same parameters, another class. */
static BOOLEAN FltpFastQuery(FILE_INFORMATION_CLASS Class, ULONG Length, PFAST_IO_QUERY_BASIC_INFO Below,
                             PFILE_OBJECT File, BOOLEAN Wait, PVOID Buffer, PIO_STATUS_BLOCK IoStatus,
                             PDEVICE_OBJECT Device)
{
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_QUERY_INFORMATION, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Wait, Buffer, IoStatus, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->QueryFileInformation.Length = Length;
    P->QueryFileInformation.FileInformationClass = Class;
    P->QueryFileInformation.InfoBuffer = Buffer;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation, Below(Operation->Iopb.TargetFileObject, Wait, P->QueryFileInformation.InfoBuffer,
                                      &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpFastIoQueryBasicInfo(PFILE_OBJECT File, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastQuery(FileBasicInformation, sizeof(*Buffer),
                         FLTP_BELOW(Device, PFAST_IO_QUERY_BASIC_INFO, FastIoQueryBasicInfo), File, Wait, Buffer,
                         IoStatus, Device);
}

static BOOLEAN NTAPI FltpFastIoQueryStandardInfo(PFILE_OBJECT File, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastQuery(
        FileStandardInformation, sizeof(*Buffer),
        (PFAST_IO_QUERY_BASIC_INFO)FLTP_BELOW(Device, PFAST_IO_QUERY_STANDARD_INFO, FastIoQueryStandardInfo), File,
        Wait, Buffer, IoStatus, Device);
}

static BOOLEAN NTAPI FltpFastIoQueryNetworkOpenInfo(PFILE_OBJECT File, BOOLEAN Wait,
                                                    PFILE_NETWORK_OPEN_INFORMATION Buffer, PIO_STATUS_BLOCK IoStatus,
                                                    PDEVICE_OBJECT Device)
{
    return FltpFastQuery(
        FileNetworkOpenInformation, sizeof(*Buffer),
        (PFAST_IO_QUERY_BASIC_INFO)FLTP_BELOW(Device, PFAST_IO_QUERY_NETWORK_OPEN_INFO, FastIoQueryNetworkOpenInfo),
        File, Wait, Buffer, IoStatus, Device);
}

/* ---- locks ---- */

static BOOLEAN NTAPI FltpFastIoLock(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length, PEPROCESS Process,
                                    ULONG Key, BOOLEAN FailImmediately, BOOLEAN Exclusive, PIO_STATUS_BLOCK IoStatus,
                                    PDEVICE_OBJECT Device)
{
    PFAST_IO_LOCK Below = FLTP_BELOW(Device, PFAST_IO_LOCK, FastIoLock);
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_LOCK_CONTROL, File, &Pass);
    if (Operation == NULL)
        return Pass &&
               Below(File, Offset, Length, Process, Key, FailImmediately, Exclusive, IoStatus, FltpBelow(Device));
    Operation->Iopb.MinorFunction = IRP_MN_LOCK;
    P = &Operation->Iopb.Parameters;
    P->LockControl.Length = Length;
    P->LockControl.Key = Key;
    P->LockControl.ByteOffset = *Offset;
    P->LockControl.ProcessId = Process;
    P->LockControl.FailImmediately = FailImmediately;
    P->LockControl.ExclusiveLock = Exclusive;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, &P->LockControl.ByteOffset, P->LockControl.Length,
                           P->LockControl.ProcessId, P->LockControl.Key, P->LockControl.FailImmediately,
                           P->LockControl.ExclusiveLock, &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpFastIoUnlockSingle(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length,
                                            PEPROCESS Process, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                            PDEVICE_OBJECT Device)
{
    PFAST_IO_UNLOCK_SINGLE Below = FLTP_BELOW(Device, PFAST_IO_UNLOCK_SINGLE, FastIoUnlockSingle);
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_LOCK_CONTROL, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Offset, Length, Process, Key, IoStatus, FltpBelow(Device));
    Operation->Iopb.MinorFunction = IRP_MN_UNLOCK_SINGLE;
    P = &Operation->Iopb.Parameters;
    P->LockControl.Length = Length;
    P->LockControl.Key = Key;
    P->LockControl.ByteOffset = *Offset;
    P->LockControl.ProcessId = Process;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, &P->LockControl.ByteOffset, P->LockControl.Length,
                           P->LockControl.ProcessId, P->LockControl.Key, &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpFastIoUnlockAll(PFILE_OBJECT File, PEPROCESS Process, PIO_STATUS_BLOCK IoStatus,
                                         PDEVICE_OBJECT Device)
{
    PFAST_IO_UNLOCK_ALL Below = FLTP_BELOW(Device, PFAST_IO_UNLOCK_ALL, FastIoUnlockAll);
    PFLTP_OPERATION Operation;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_LOCK_CONTROL, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Process, IoStatus, FltpBelow(Device));
    Operation->Iopb.MinorFunction = IRP_MN_UNLOCK_ALL;
    Operation->Iopb.Parameters.LockControl.ProcessId = Process;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, Operation->Iopb.Parameters.LockControl.ProcessId,
                           &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpFastIoUnlockAllByKey(PFILE_OBJECT File, PVOID Process, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                              PDEVICE_OBJECT Device)
{
    PFAST_IO_UNLOCK_ALL_BY_KEY Below = FLTP_BELOW(Device, PFAST_IO_UNLOCK_ALL_BY_KEY, FastIoUnlockAllByKey);
    PFLTP_OPERATION Operation;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_LOCK_CONTROL, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Process, Key, IoStatus, FltpBelow(Device));
    Operation->Iopb.MinorFunction = IRP_MN_UNLOCK_ALL_BY_KEY;
    Operation->Iopb.Parameters.LockControl.ProcessId = Process;
    Operation->Iopb.Parameters.LockControl.Key = Key;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, Operation->Iopb.Parameters.LockControl.ProcessId,
                           Operation->Iopb.Parameters.LockControl.Key, &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

/* ---- controls ---- */

static BOOLEAN NTAPI FltpFastIoDeviceControl(PFILE_OBJECT File, BOOLEAN Wait, PVOID Input, ULONG InputLength,
                                             PVOID Output, ULONG OutputLength, ULONG Code, PIO_STATUS_BLOCK IoStatus,
                                             PDEVICE_OBJECT Device)
{
    PFAST_IO_DEVICE_CONTROL Below = FLTP_BELOW(Device, PFAST_IO_DEVICE_CONTROL, FastIoDeviceControl);
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_DEVICE_CONTROL, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Wait, Input, InputLength, Output, OutputLength, Code, IoStatus, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->DeviceIoControl.FastIo.OutputBufferLength = OutputLength;
    P->DeviceIoControl.FastIo.InputBufferLength = InputLength;
    P->DeviceIoControl.FastIo.IoControlCode = Code;
    P->DeviceIoControl.FastIo.InputBuffer = Input;
    P->DeviceIoControl.FastIo.OutputBuffer = Output;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, Wait, P->DeviceIoControl.FastIo.InputBuffer,
                           P->DeviceIoControl.FastIo.InputBufferLength, P->DeviceIoControl.FastIo.OutputBuffer,
                           P->DeviceIoControl.FastIo.OutputBufferLength, P->DeviceIoControl.FastIo.IoControlCode,
                           &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

/* ---- memory of the cache ---- */

/* MdlRead and PrepareMdlWrite: the same parameters. */
static BOOLEAN FltpFastMdl(UCHAR Major, PFAST_IO_MDL_READ Below, PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length,
                           ULONG Key, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    PFLTP_OPERATION Operation;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, Major, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Offset, Length, Key, MdlChain, IoStatus, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->MdlRead.FileOffset = *Offset;
    P->MdlRead.Length = Length;
    P->MdlRead.Key = Key;
    P->MdlRead.MdlChain = MdlChain;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation,
                     Below(Operation->Iopb.TargetFileObject, &P->MdlRead.FileOffset, P->MdlRead.Length, P->MdlRead.Key,
                           P->MdlRead.MdlChain, &Operation->Data.IoStatus, Operation->Target));
    return FltpEndFast(Operation, IoStatus);
}

static BOOLEAN NTAPI FltpMdlRead(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, ULONG Key, PMDL *MdlChain,
                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastMdl(IRP_MJ_MDL_READ, FLTP_BELOW(Device, PFAST_IO_MDL_READ, MdlRead), File, Offset, Length, Key,
                       MdlChain, IoStatus, Device);
}

static BOOLEAN NTAPI FltpPrepareMdlWrite(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, ULONG Key,
                                         PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT Device)
{
    return FltpFastMdl(IRP_MJ_PREPARE_MDL_WRITE,
                       (PFAST_IO_MDL_READ)FLTP_BELOW(Device, PFAST_IO_PREPARE_MDL_WRITE, PrepareMdlWrite), File, Offset,
                       Length, Key, MdlChain, IoStatus, Device);
}

static BOOLEAN NTAPI FltpMdlReadComplete(PFILE_OBJECT File, PMDL MdlChain, PDEVICE_OBJECT Device)
{
    PFAST_IO_MDL_READ_COMPLETE Below = FLTP_BELOW(Device, PFAST_IO_MDL_READ_COMPLETE, MdlReadComplete);
    PFLTP_OPERATION Operation;
    IO_STATUS_BLOCK IoStatus;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_MDL_READ_COMPLETE, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, MdlChain, FltpBelow(Device));
    Operation->Iopb.Parameters.MdlReadComplete.MdlChain = MdlChain;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation, Below(Operation->Iopb.TargetFileObject,
                                      Operation->Iopb.Parameters.MdlReadComplete.MdlChain, Operation->Target));
    return FltpEndFast(Operation, &IoStatus);
}

static BOOLEAN NTAPI FltpMdlWriteComplete(PFILE_OBJECT File, PLARGE_INTEGER Offset, PMDL MdlChain,
                                          PDEVICE_OBJECT Device)
{
    PFAST_IO_MDL_WRITE_COMPLETE Below = FLTP_BELOW(Device, PFAST_IO_MDL_WRITE_COMPLETE, MdlWriteComplete);
    PFLTP_OPERATION Operation;
    IO_STATUS_BLOCK IoStatus;
    PFLT_PARAMETERS P;
    BOOLEAN Pass;

    if (Below == NULL)
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_MDL_WRITE_COMPLETE, File, &Pass);
    if (Operation == NULL)
        return Pass && Below(File, Offset, MdlChain, FltpBelow(Device));
    P = &Operation->Iopb.Parameters;
    P->MdlWriteComplete.FileOffset = *Offset;
    P->MdlWriteComplete.MdlChain = MdlChain;
    if (FltpCallDown(Operation))
        FltpNoteFast(Operation, Below(Operation->Iopb.TargetFileObject, &P->MdlWriteComplete.FileOffset,
                                      P->MdlWriteComplete.MdlChain, Operation->Target));
    return FltpEndFast(Operation, &IoStatus);
}

/* ---- questions about a file that is not opened ---- */

/* The request is for the file system's own use, and is not completed; it has the device that is asked in its location. */
static BOOLEAN FltpQueryBelow(PFAST_IO_QUERY_OPEN Below, PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION Information,
                              PDEVICE_OBJECT Target)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT Device = Stack->DeviceObject;
    BOOLEAN Done;

    Stack->DeviceObject = Target;
    Done = Below(Irp, Information, Target);
    Stack->DeviceObject = Device;
    return Done;
}

static BOOLEAN NTAPI FltpFastIoQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION Information, PDEVICE_OBJECT Device)
{
    PFAST_IO_QUERY_OPEN Below = FLTP_BELOW(Device, PFAST_IO_QUERY_OPEN, FastIoQueryOpen);
    PFLT_VOLUME Volume = ((PFLTP_DEVICE)Device->DeviceExtension)->Volume;
    PFLTP_OPERATION Operation;
    BOOLEAN Pass;

    if (Below == NULL || (Volume != NULL && Volume->IsNew)) /* a create sets its instances up */
        return FALSE;
    Operation = FltpBeginFast(Device, IRP_MJ_NETWORK_QUERY_OPEN, IoGetCurrentIrpStackLocation(Irp)->FileObject, &Pass);
    if (Operation == NULL)
        return Pass && FltpQueryBelow(Below, Irp, Information, FltpBelow(Device));
    Operation->Iopb.Parameters.NetworkQueryOpen.Irp = Irp;
    Operation->Iopb.Parameters.NetworkQueryOpen.NetworkInformation = Information;
    if (FltpCallDown(Operation)) {
        FltpNoteFast(Operation,
                     FltpQueryBelow(Below, Irp, Operation->Iopb.Parameters.NetworkQueryOpen.NetworkInformation,
                                    Operation->Target));
        if (Operation->Data.IoStatus.Status != STATUS_FLT_DISALLOW_FAST_IO)
            Operation->Data.IoStatus = Irp->IoStatus;
    }
    return FltpEndFast(Operation, &Irp->IoStatus);
}

/* FastIoDetachDevice is core's. */
FAST_IO_DISPATCH FltpFastIo = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoCheckIfPossible = FltpFastIoCheckIfPossible,
    .FastIoRead = FltpFastIoRead,
    .FastIoWrite = FltpFastIoWrite,
    .FastIoQueryBasicInfo = FltpFastIoQueryBasicInfo,
    .FastIoQueryStandardInfo = FltpFastIoQueryStandardInfo,
    .FastIoLock = FltpFastIoLock,
    .FastIoUnlockSingle = FltpFastIoUnlockSingle,
    .FastIoUnlockAll = FltpFastIoUnlockAll,
    .FastIoUnlockAllByKey = FltpFastIoUnlockAllByKey,
    .FastIoDeviceControl = FltpFastIoDeviceControl,
    .FastIoQueryNetworkOpenInfo = FltpFastIoQueryNetworkOpenInfo,
    .MdlRead = FltpMdlRead,
    .MdlReadComplete = FltpMdlReadComplete,
    .PrepareMdlWrite = FltpPrepareMdlWrite,
    .MdlWriteComplete = FltpMdlWriteComplete,
    .FastIoQueryOpen = FltpFastIoQueryOpen,
};

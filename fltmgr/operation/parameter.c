/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parameter.c: an IRP's parameters as a minifilter sees them, and back.  A minifilter finds in one place what
 * a driver collects from the stack location, the IRP's buffers and its flags.
 */
#include "operation.h"

/* The buffer a request carries: the system's for buffered I/O, else the requestor's. */
static PVOID FltpRequestBuffer(PIRP Irp)
{
    return Irp->AssociatedIrp.SystemBuffer != NULL ? Irp->AssociatedIrp.SystemBuffer : Irp->UserBuffer;
}

static VOID FltpPutRequestBuffer(PIRP Irp, PVOID Buffer)
{
    if (Irp->AssociatedIrp.SystemBuffer != NULL)
        Irp->AssociatedIrp.SystemBuffer = Buffer;
    else
        Irp->UserBuffer = Buffer;
}

static VOID FltpControlFromIrp(PFLT_PARAMETERS To, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Method = Stack->Parameters.DeviceIoControl.IoControlCode & 3;

    To->DeviceIoControl.Common.OutputBufferLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    To->DeviceIoControl.Common.InputBufferLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    To->DeviceIoControl.Common.IoControlCode = Stack->Parameters.DeviceIoControl.IoControlCode;
    if (Method == METHOD_BUFFERED) {
        To->DeviceIoControl.Buffered.SystemBuffer = Irp->AssociatedIrp.SystemBuffer;
    } else if (Method == METHOD_NEITHER) {
        To->DeviceIoControl.Neither.InputBuffer = Stack->Parameters.DeviceIoControl.Type3InputBuffer;
        To->DeviceIoControl.Neither.OutputBuffer = Irp->UserBuffer;
        To->DeviceIoControl.Neither.OutputMdlAddress = Irp->MdlAddress;
    } else {
        To->DeviceIoControl.Direct.InputSystemBuffer = Irp->AssociatedIrp.SystemBuffer;
        To->DeviceIoControl.Direct.OutputBuffer = Irp->UserBuffer;
        To->DeviceIoControl.Direct.OutputMdlAddress = Irp->MdlAddress;
    }
}

static VOID FltpControlToIrp(const FLT_PARAMETERS *From, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Method = From->DeviceIoControl.Common.IoControlCode & 3;

    Stack->Parameters.DeviceIoControl.OutputBufferLength = From->DeviceIoControl.Common.OutputBufferLength;
    Stack->Parameters.DeviceIoControl.InputBufferLength = From->DeviceIoControl.Common.InputBufferLength;
    Stack->Parameters.DeviceIoControl.IoControlCode = From->DeviceIoControl.Common.IoControlCode;
    if (Method == METHOD_BUFFERED) {
        Irp->AssociatedIrp.SystemBuffer = From->DeviceIoControl.Buffered.SystemBuffer;
    } else if (Method == METHOD_NEITHER) {
        Stack->Parameters.DeviceIoControl.Type3InputBuffer = From->DeviceIoControl.Neither.InputBuffer;
        Irp->UserBuffer = From->DeviceIoControl.Neither.OutputBuffer;
        Irp->MdlAddress = From->DeviceIoControl.Neither.OutputMdlAddress;
    } else {
        Irp->AssociatedIrp.SystemBuffer = From->DeviceIoControl.Direct.InputSystemBuffer;
        Irp->UserBuffer = From->DeviceIoControl.Direct.OutputBuffer;
        Irp->MdlAddress = From->DeviceIoControl.Direct.OutputMdlAddress;
    }
}

/* Quotas, and the four words of a stack location that has no shape of its own here. */
static VOID FltpOthersFromIrp(PFLT_PARAMETERS To, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MajorFunction) {
    case IRP_MJ_QUERY_QUOTA:
        To->QueryQuota.Length = Stack->Parameters.QueryQuota.Length;
        To->QueryQuota.StartSid = Stack->Parameters.QueryQuota.StartSid;
        To->QueryQuota.SidList = Stack->Parameters.QueryQuota.SidList;
        To->QueryQuota.SidListLength = Stack->Parameters.QueryQuota.SidListLength;
        To->QueryQuota.QuotaBuffer = FltpRequestBuffer(Irp);
        To->QueryQuota.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_SET_QUOTA:
        To->SetQuota.Length = Stack->Parameters.SetQuota.Length;
        To->SetQuota.QuotaBuffer = FltpRequestBuffer(Irp);
        To->SetQuota.MdlAddress = Irp->MdlAddress;
        break;
    default:
        To->Others.Argument1 = Stack->Parameters.Others.Argument1;
        To->Others.Argument2 = Stack->Parameters.Others.Argument2;
        To->Others.Argument3 = Stack->Parameters.Others.Argument3;
        To->Others.Argument4 = Stack->Parameters.Others.Argument4;
        break;
    }
}

static VOID FltpOthersToIrp(const FLT_IO_PARAMETER_BLOCK *Iopb, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    const FLT_PARAMETERS *From = &Iopb->Parameters;

    switch (Iopb->MajorFunction) {
    case IRP_MJ_QUERY_QUOTA:
        Stack->Parameters.QueryQuota.Length = From->QueryQuota.Length;
        Stack->Parameters.QueryQuota.StartSid = From->QueryQuota.StartSid;
        Stack->Parameters.QueryQuota.SidList = From->QueryQuota.SidList;
        Stack->Parameters.QueryQuota.SidListLength = From->QueryQuota.SidListLength;
        FltpPutRequestBuffer(Irp, From->QueryQuota.QuotaBuffer);
        Irp->MdlAddress = From->QueryQuota.MdlAddress;
        break;
    case IRP_MJ_SET_QUOTA:
        Stack->Parameters.SetQuota.Length = From->SetQuota.Length;
        FltpPutRequestBuffer(Irp, From->SetQuota.QuotaBuffer);
        Irp->MdlAddress = From->SetQuota.MdlAddress;
        break;
    default:
        Stack->Parameters.Others.Argument1 = From->Others.Argument1;
        Stack->Parameters.Others.Argument2 = From->Others.Argument2;
        Stack->Parameters.Others.Argument3 = From->Others.Argument3;
        Stack->Parameters.Others.Argument4 = From->Others.Argument4;
        break;
    }
}

VOID FltpParametersFromIrp(PFLT_IO_PARAMETER_BLOCK Iopb, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PFLT_PARAMETERS To = &Iopb->Parameters;

    Iopb->IrpFlags = Irp->Flags;
    Iopb->MajorFunction = Stack->MajorFunction;
    Iopb->MinorFunction = Stack->MinorFunction;
    Iopb->OperationFlags = Stack->Flags;
    Iopb->Reserved = 0;
    Iopb->TargetFileObject = Stack->FileObject;
    Iopb->TargetInstance = NULL;
    if (Stack->MajorFunction == IRP_MJ_READ || Stack->MajorFunction == IRP_MJ_WRITE) { /* most are */
        To->Read.Length = Stack->Parameters.Read.Length;
        To->Read.Key = Stack->Parameters.Read.Key;
        To->Read.ByteOffset = Stack->Parameters.Read.ByteOffset;
        To->Read.ReadBuffer = FltpRequestBuffer(Irp);
        To->Read.MdlAddress = Irp->MdlAddress;
        return;
    }
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
        To->Create.SecurityContext = Stack->Parameters.Create.SecurityContext;
        To->Create.Options = Stack->Parameters.Create.Options;
        To->Create.FileAttributes = Stack->Parameters.Create.FileAttributes;
        To->Create.ShareAccess = Stack->Parameters.Create.ShareAccess;
        To->Create.EaLength = Stack->Parameters.Create.EaLength;
        To->Create.EaBuffer = Irp->AssociatedIrp.SystemBuffer;
        To->Create.AllocationSize = Irp->Overlay.AllocationSize;
        break;
    case IRP_MJ_QUERY_INFORMATION:
        To->QueryFileInformation.Length = Stack->Parameters.QueryFile.Length;
        To->QueryFileInformation.FileInformationClass = Stack->Parameters.QueryFile.FileInformationClass;
        To->QueryFileInformation.InfoBuffer = Irp->AssociatedIrp.SystemBuffer;
        break;
    case IRP_MJ_SET_INFORMATION:
        To->SetFileInformation.Length = Stack->Parameters.SetFile.Length;
        To->SetFileInformation.FileInformationClass = Stack->Parameters.SetFile.FileInformationClass;
        To->SetFileInformation.ParentOfTarget = Stack->Parameters.SetFile.FileObject;
        To->SetFileInformation.DeleteHandle = Stack->Parameters.SetFile.DeleteHandle;
        To->SetFileInformation.InfoBuffer = Irp->AssociatedIrp.SystemBuffer;
        break;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        To->QueryVolumeInformation.Length = Stack->Parameters.QueryVolume.Length;
        To->QueryVolumeInformation.FsInformationClass = Stack->Parameters.QueryVolume.FsInformationClass;
        To->QueryVolumeInformation.VolumeBuffer = Irp->AssociatedIrp.SystemBuffer;
        break;
    case IRP_MJ_QUERY_EA:
        To->QueryEa.Length = Stack->Parameters.QueryEa.Length;
        To->QueryEa.EaList = Stack->Parameters.QueryEa.EaList;
        To->QueryEa.EaListLength = Stack->Parameters.QueryEa.EaListLength;
        To->QueryEa.EaIndex = Stack->Parameters.QueryEa.EaIndex;
        To->QueryEa.EaBuffer = FltpRequestBuffer(Irp);
        To->QueryEa.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_SET_EA:
        To->SetEa.Length = Stack->Parameters.SetEa.Length;
        To->SetEa.EaBuffer = FltpRequestBuffer(Irp);
        To->SetEa.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_DIRECTORY_CONTROL:
        To->DirectoryControl.QueryDirectory.Length = Stack->Parameters.QueryDirectory.Length;
        if (Stack->MinorFunction == IRP_MN_QUERY_DIRECTORY) {
            To->DirectoryControl.QueryDirectory.FileName = (PUNICODE_STRING)Stack->Parameters.QueryDirectory.FileName;
            To->DirectoryControl.QueryDirectory.FileInformationClass =
                Stack->Parameters.QueryDirectory.FileInformationClass;
            To->DirectoryControl.QueryDirectory.FileIndex = Stack->Parameters.QueryDirectory.FileIndex;
        } else {
            To->DirectoryControl.NotifyDirectory.CompletionFilter = Stack->Parameters.NotifyDirectory.CompletionFilter;
            To->DirectoryControl.NotifyDirectory.Spare1 = 0;
            To->DirectoryControl.NotifyDirectory.Spare2 = 0;
        }
        To->DirectoryControl.QueryDirectory.DirectoryBuffer = FltpRequestBuffer(Irp);
        To->DirectoryControl.QueryDirectory.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Stack->MinorFunction == IRP_MN_VERIFY_VOLUME || Stack->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            To->FileSystemControl.VerifyVolume.Vpb = Stack->Parameters.VerifyVolume.Vpb;
            To->FileSystemControl.VerifyVolume.DeviceObject = Stack->Parameters.VerifyVolume.DeviceObject;
        } else {
            FltpControlFromIrp(To, Irp, Stack);
        }
        break;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL: FltpControlFromIrp(To, Irp, Stack); break;
    case IRP_MJ_LOCK_CONTROL:
        To->LockControl.Length = Stack->Parameters.LockControl.Length;
        To->LockControl.Key = Stack->Parameters.LockControl.Key;
        To->LockControl.ByteOffset = Stack->Parameters.LockControl.ByteOffset;
        To->LockControl.ProcessId = IoGetRequestorProcess(Irp);
        To->LockControl.FailImmediately = BooleanFlagOn(Stack->Flags, SL_FAIL_IMMEDIATELY);
        To->LockControl.ExclusiveLock = BooleanFlagOn(Stack->Flags, SL_EXCLUSIVE_LOCK);
        break;
    case IRP_MJ_QUERY_SECURITY:
        To->QuerySecurity.SecurityInformation = Stack->Parameters.QuerySecurity.SecurityInformation;
        To->QuerySecurity.Length = Stack->Parameters.QuerySecurity.Length;
        To->QuerySecurity.SecurityBuffer = FltpRequestBuffer(Irp);
        To->QuerySecurity.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_SET_SECURITY:
        To->SetSecurity.SecurityInformation = Stack->Parameters.SetSecurity.SecurityInformation;
        To->SetSecurity.SecurityDescriptor = Stack->Parameters.SetSecurity.SecurityDescriptor;
        break;
    default: FltpOthersFromIrp(To, Irp, Stack); break;
    }
}

VOID FltpParametersToIrp(const FLT_IO_PARAMETER_BLOCK *Iopb, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    const FLT_PARAMETERS *From = &Iopb->Parameters;

    Irp->Flags = Iopb->IrpFlags;
    Stack->MinorFunction = Iopb->MinorFunction;
    Stack->Flags = Iopb->OperationFlags;
    Stack->FileObject = Iopb->TargetFileObject;
    switch (Iopb->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        Stack->Parameters.Read.Length = From->Read.Length;
        Stack->Parameters.Read.Key = From->Read.Key;
        Stack->Parameters.Read.ByteOffset = From->Read.ByteOffset;
        FltpPutRequestBuffer(Irp, From->Read.ReadBuffer);
        Irp->MdlAddress = From->Read.MdlAddress;
        break;
    case IRP_MJ_CREATE:
        Stack->Parameters.Create.Options = From->Create.Options;
        Stack->Parameters.Create.FileAttributes = From->Create.FileAttributes;
        Stack->Parameters.Create.ShareAccess = From->Create.ShareAccess;
        Stack->Parameters.Create.EaLength = From->Create.EaLength;
        Irp->AssociatedIrp.SystemBuffer = From->Create.EaBuffer;
        Irp->Overlay.AllocationSize = From->Create.AllocationSize;
        break;
    case IRP_MJ_QUERY_INFORMATION:
        Stack->Parameters.QueryFile.Length = From->QueryFileInformation.Length;
        Stack->Parameters.QueryFile.FileInformationClass = From->QueryFileInformation.FileInformationClass;
        Irp->AssociatedIrp.SystemBuffer = From->QueryFileInformation.InfoBuffer;
        break;
    case IRP_MJ_SET_INFORMATION:
        Stack->Parameters.SetFile.Length = From->SetFileInformation.Length;
        Stack->Parameters.SetFile.FileInformationClass = From->SetFileInformation.FileInformationClass;
        Stack->Parameters.SetFile.FileObject = From->SetFileInformation.ParentOfTarget;
        Stack->Parameters.SetFile.DeleteHandle = From->SetFileInformation.DeleteHandle;
        Irp->AssociatedIrp.SystemBuffer = From->SetFileInformation.InfoBuffer;
        break;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        Stack->Parameters.QueryVolume.Length = From->QueryVolumeInformation.Length;
        Stack->Parameters.QueryVolume.FsInformationClass = From->QueryVolumeInformation.FsInformationClass;
        Irp->AssociatedIrp.SystemBuffer = From->QueryVolumeInformation.VolumeBuffer;
        break;
    case IRP_MJ_QUERY_EA:
        Stack->Parameters.QueryEa.Length = From->QueryEa.Length;
        Stack->Parameters.QueryEa.EaList = From->QueryEa.EaList;
        Stack->Parameters.QueryEa.EaListLength = From->QueryEa.EaListLength;
        Stack->Parameters.QueryEa.EaIndex = From->QueryEa.EaIndex;
        FltpPutRequestBuffer(Irp, From->QueryEa.EaBuffer);
        Irp->MdlAddress = From->QueryEa.MdlAddress;
        break;
    case IRP_MJ_SET_EA:
        Stack->Parameters.SetEa.Length = From->SetEa.Length;
        FltpPutRequestBuffer(Irp, From->SetEa.EaBuffer);
        Irp->MdlAddress = From->SetEa.MdlAddress;
        break;
    case IRP_MJ_DIRECTORY_CONTROL:
        Stack->Parameters.QueryDirectory.Length = From->DirectoryControl.QueryDirectory.Length;
        if (Iopb->MinorFunction == IRP_MN_QUERY_DIRECTORY) {
            Stack->Parameters.QueryDirectory.FileName = (PVOID)From->DirectoryControl.QueryDirectory.FileName;
            Stack->Parameters.QueryDirectory.FileInformationClass =
                From->DirectoryControl.QueryDirectory.FileInformationClass;
            Stack->Parameters.QueryDirectory.FileIndex = From->DirectoryControl.QueryDirectory.FileIndex;
        } else {
            Stack->Parameters.NotifyDirectory.CompletionFilter =
                From->DirectoryControl.NotifyDirectory.CompletionFilter;
        }
        FltpPutRequestBuffer(Irp, From->DirectoryControl.QueryDirectory.DirectoryBuffer);
        Irp->MdlAddress = From->DirectoryControl.QueryDirectory.MdlAddress;
        break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Iopb->MinorFunction == IRP_MN_VERIFY_VOLUME || Iopb->MinorFunction == IRP_MN_MOUNT_VOLUME)
            break;
        FltpControlToIrp(From, Irp, Stack);
        break;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL: FltpControlToIrp(From, Irp, Stack); break;
    case IRP_MJ_LOCK_CONTROL:
        Stack->Parameters.LockControl.Length = From->LockControl.Length;
        Stack->Parameters.LockControl.Key = From->LockControl.Key;
        Stack->Parameters.LockControl.ByteOffset = From->LockControl.ByteOffset;
        break;
    case IRP_MJ_QUERY_SECURITY:
        Stack->Parameters.QuerySecurity.SecurityInformation = From->QuerySecurity.SecurityInformation;
        Stack->Parameters.QuerySecurity.Length = From->QuerySecurity.Length;
        FltpPutRequestBuffer(Irp, From->QuerySecurity.SecurityBuffer);
        Irp->MdlAddress = From->QuerySecurity.MdlAddress;
        break;
    case IRP_MJ_SET_SECURITY:
        Stack->Parameters.SetSecurity.SecurityInformation = From->SetSecurity.SecurityInformation;
        Stack->Parameters.SetSecurity.SecurityDescriptor = From->SetSecurity.SecurityDescriptor;
        break;
    default: FltpOthersToIrp(Iopb, Irp, Stack); break;
    }
}

static BOOLEAN FltpLocateQuota(PFLT_IO_PARAMETER_BLOCK Iopb, PMDL **Mdl, PVOID **Buffer, PULONG *Length,
                               LOCK_OPERATION *Access)
{
    PFLT_PARAMETERS P = &Iopb->Parameters;

    if (Iopb->MajorFunction != IRP_MJ_QUERY_QUOTA && Iopb->MajorFunction != IRP_MJ_SET_QUOTA)
        return FALSE;
    if (Iopb->MajorFunction == IRP_MJ_QUERY_QUOTA) {
        *Mdl = &P->QueryQuota.MdlAddress;
        *Buffer = &P->QueryQuota.QuotaBuffer;
        *Length = &P->QueryQuota.Length;
        *Access = IoWriteAccess;
    } else {
        *Mdl = &P->SetQuota.MdlAddress;
        *Buffer = &P->SetQuota.QuotaBuffer;
        *Length = &P->SetQuota.Length;
        *Access = IoReadAccess;
    }
    return TRUE;
}

/* Where the operation keeps its one buffer; FALSE for an operation that has none. */
BOOLEAN FltpLocateBuffer(PFLT_IO_PARAMETER_BLOCK Iopb, PMDL **Mdl, PVOID **Buffer, PULONG *Length,
                         LOCK_OPERATION *Access)
{
    PFLT_PARAMETERS P = &Iopb->Parameters;
    ULONG Method;

    *Mdl = NULL;
    *Buffer = NULL;
    *Length = NULL;
    *Access = IoWriteAccess;
    switch (Iopb->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        *Mdl = &P->Read.MdlAddress;
        *Buffer = &P->Read.ReadBuffer;
        *Length = &P->Read.Length;
        *Access = Iopb->MajorFunction == IRP_MJ_READ ? IoWriteAccess : IoReadAccess;
        return TRUE;
    case IRP_MJ_QUERY_INFORMATION:
        *Buffer = &P->QueryFileInformation.InfoBuffer;
        *Length = &P->QueryFileInformation.Length;
        *Access = IoModifyAccess;
        return TRUE;
    case IRP_MJ_SET_INFORMATION:
        *Buffer = &P->SetFileInformation.InfoBuffer;
        *Length = &P->SetFileInformation.Length;
        *Access = IoReadAccess;
        return TRUE;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        *Buffer = &P->QueryVolumeInformation.VolumeBuffer;
        *Length = &P->QueryVolumeInformation.Length;
        *Access = Iopb->MajorFunction == IRP_MJ_QUERY_VOLUME_INFORMATION ? IoModifyAccess : IoReadAccess;
        return TRUE;
    case IRP_MJ_QUERY_EA:
        *Mdl = &P->QueryEa.MdlAddress;
        *Buffer = &P->QueryEa.EaBuffer;
        *Length = &P->QueryEa.Length;
        return TRUE;
    case IRP_MJ_SET_EA:
        *Mdl = &P->SetEa.MdlAddress;
        *Buffer = &P->SetEa.EaBuffer;
        *Length = &P->SetEa.Length;
        *Access = IoReadAccess;
        return TRUE;
    case IRP_MJ_DIRECTORY_CONTROL:
        *Mdl = &P->DirectoryControl.QueryDirectory.MdlAddress;
        *Buffer = &P->DirectoryControl.QueryDirectory.DirectoryBuffer;
        *Length = &P->DirectoryControl.QueryDirectory.Length;
        return TRUE;
    case IRP_MJ_QUERY_SECURITY:
        *Mdl = &P->QuerySecurity.MdlAddress;
        *Buffer = &P->QuerySecurity.SecurityBuffer;
        *Length = &P->QuerySecurity.Length;
        return TRUE;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (Iopb->MinorFunction == IRP_MN_VERIFY_VOLUME || Iopb->MinorFunction == IRP_MN_MOUNT_VOLUME)
            return FALSE;
        /* fall through */
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        Method = P->DeviceIoControl.Common.IoControlCode & 3;
        *Length = &P->DeviceIoControl.Common.OutputBufferLength;
        *Access = Method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess;
        if (Method == METHOD_BUFFERED) {
            *Buffer = &P->DeviceIoControl.Buffered.SystemBuffer;
            *Access = IoModifyAccess;
        } else {
            *Buffer = &P->DeviceIoControl.Neither.OutputBuffer;
            *Mdl = &P->DeviceIoControl.Neither.OutputMdlAddress;
        }
        return TRUE;
    default: return FltpLocateQuota(Iopb, Mdl, Buffer, Length, Access);
    }
}

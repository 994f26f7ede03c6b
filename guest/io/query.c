/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Information of files and volumes, asked and set, and flush. */
#include "iop.h"

/* The smallest buffer for a class, 0 where the manager knows none. */
static ULONG IopFileInformationSize(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation: return sizeof(FILE_BASIC_INFORMATION);
    case FileStandardInformation: return sizeof(FILE_STANDARD_INFORMATION);
    case FileInternalInformation: return sizeof(FILE_INTERNAL_INFORMATION);
    case FileEaInformation: return sizeof(FILE_EA_INFORMATION);
    case FileAccessInformation: return sizeof(FILE_ACCESS_INFORMATION);
    case FilePositionInformation: return sizeof(FILE_POSITION_INFORMATION);
    case FileModeInformation: return sizeof(FILE_MODE_INFORMATION);
    case FileAlignmentInformation: return sizeof(FILE_ALIGNMENT_INFORMATION);
    case FileAllInformation: return sizeof(FILE_ALL_INFORMATION);
    case FileCompletionInformation: return sizeof(FILE_COMPLETION_INFORMATION);
    case FileNameInformation:
    case FileAlternateNameInformation: return sizeof(FILE_NAME_INFORMATION);
    case FileEndOfFileInformation: return sizeof(FILE_END_OF_FILE_INFORMATION);
    case FileAllocationInformation: return sizeof(FILE_ALLOCATION_INFORMATION);
    case FileDispositionInformation: return sizeof(FILE_DISPOSITION_INFORMATION);
    case FileNetworkOpenInformation: return sizeof(FILE_NETWORK_OPEN_INFORMATION);
    case FileAttributeTagInformation: return sizeof(FILE_ATTRIBUTE_TAG_INFORMATION);
    case FileStreamInformation: return FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName);
    case FileDispositionInformationEx: return sizeof(FILE_DISPOSITION_INFORMATION_EX);
    case FileRenameInformation:
    case FileRenameInformationEx: return sizeof(FILE_RENAME_INFORMATION);
    case FileLinkInformation:
    case FileLinkInformationEx: return sizeof(FILE_LINK_INFORMATION);
    default: return 0;
    }
}

static ACCESS_MASK IopQueryAccess(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation:
    case FileAllInformation:
    case FileNetworkOpenInformation:
    case FileAttributeTagInformation: return FILE_READ_ATTRIBUTES;
    default: return 0;
    }
}

static ACCESS_MASK IopSetAccess(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation: return FILE_WRITE_ATTRIBUTES;
    case FileAllocationInformation:
    case FileEndOfFileInformation:
    case FileValidDataLengthInformation: return FILE_WRITE_DATA;
    case FileDispositionInformation:
    case FileDispositionInformationEx:
    case FileShortNameInformation:
    case FileRenameInformation:
    case FileRenameInformationEx: return DELETE;
    default: return 0;
    }
}

static ULONG IopFileMode(PFILE_OBJECT FileObject)
{
    ULONG Mode = 0;

    if ((FileObject->Flags & FO_WRITE_THROUGH) != 0) {
        Mode |= FILE_WRITE_THROUGH;
    }
    if ((FileObject->Flags & FO_SEQUENTIAL_ONLY) != 0) {
        Mode |= FILE_SEQUENTIAL_ONLY;
    }
    if ((FileObject->Flags & FO_NO_INTERMEDIATE_BUFFERING) != 0) {
        Mode |= FILE_NO_INTERMEDIATE_BUFFERING;
    }
    if ((FileObject->Flags & FO_DELETE_ON_CLOSE) != 0) {
        Mode |= FILE_DELETE_ON_CLOSE;
    }
    if (IopIsSynchronous(FileObject)) {
        Mode |= (FileObject->Flags & FO_ALERTABLE_IO) != 0 ? FILE_SYNCHRONOUS_IO_ALERT : FILE_SYNCHRONOUS_IO_NONALERT;
    }
    return Mode;
}

/* A system buffer for the packet, copied in for a set, out for a query.  On failure the request is abandoned.
 */
static NTSTATUS IopGiveBuffer(PIOP_SYNCHRONOUS Call, PVOID Buffer, ULONG Length, BOOLEAN Set)
{
    PIRP Irp = Call->Request.Irp;
    NTSTATUS Status = STATUS_SUCCESS;

    Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length != 0 ? Length : 1, IOP_TAG_BUFFER);
    if (Irp->AssociatedIrp.SystemBuffer == NULL) {
        IopAbandonRequest(&Call->Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (Set) {
        __try {
            RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Buffer, Length);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
        if (!NT_SUCCESS(Status)) {
            IopAbandonRequest(&Call->Request);
        }
    } else {
        Irp->Flags |= IRP_INPUT_OPERATION;
        Irp->UserBuffer = Buffer;
    }
    return Status;
}

/* The four requests of a class of information have its length and its number in the same place. */
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryFile.Length) ==
         FIELD_OFFSET(IO_STACK_LOCATION, Parameters.SetFile.Length));
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryFile.FileInformationClass) ==
         FIELD_OFFSET(IO_STACK_LOCATION, Parameters.SetFile.FileInformationClass));
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryFile.FileInformationClass) ==
         FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryVolume.FsInformationClass));
C_ASSERT(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryFile.FileInformationClass) ==
         FIELD_OFFSET(IO_STACK_LOCATION, Parameters.SetVolume.FsInformationClass));

/* The packet of such a request, ready to run; on failure the request is abandoned. */
static NTSTATUS IopStartInformation(PIOP_SYNCHRONOUS Call, UCHAR MajorFunction, PVOID Buffer, ULONG Length, ULONG Class)
{
    BOOLEAN Set = MajorFunction == IRP_MJ_SET_INFORMATION || MajorFunction == IRP_MJ_SET_VOLUME_INFORMATION;
    NTSTATUS Status = IopStartSynchronous(Call, MajorFunction);

    if (NT_SUCCESS(Status)) {
        Status = IopGiveBuffer(Call, Buffer, Length, Set);
    }
    if (NT_SUCCESS(Status)) {
        Call->Request.Stack->Parameters.QueryFile.Length = Length;
        Call->Request.Stack->Parameters.QueryFile.FileInformationClass = (FILE_INFORMATION_CLASS)Class;
    }
    return Status;
}

static NTSTATUS IopFinishLocally(PIOP_SYNCHRONOUS Call, PIO_STATUS_BLOCK IoStatusBlock, NTSTATUS Status,
                                 ULONG_PTR Information)
{
    IopAbandonRequest(&Call->Request);
    return IopTellUser(IoStatusBlock, Status, Information);
}

/* Classes that the manager answers from the file object; STATUS_NOT_SUPPORTED for the others. */
static NTSTATUS IopQueryLocally(PIOP_REQUEST Request, ACCESS_MASK Granted, PVOID Buffer, FILE_INFORMATION_CLASS Class,
                                PULONG_PTR Information)
{
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        switch (Class) {
        case FileAccessInformation:
            ((PFILE_ACCESS_INFORMATION)Buffer)->AccessFlags = Granted;
            *Information = sizeof(FILE_ACCESS_INFORMATION);
            break;
        case FileModeInformation:
            ((PFILE_MODE_INFORMATION)Buffer)->Mode = IopFileMode(Request->FileObject);
            *Information = sizeof(FILE_MODE_INFORMATION);
            break;
        case FileAlignmentInformation:
            ((PFILE_ALIGNMENT_INFORMATION)Buffer)->AlignmentRequirement = Request->DeviceObject->AlignmentRequirement;
            *Information = sizeof(FILE_ALIGNMENT_INFORMATION);
            break;
        case FilePositionInformation:
            if (!Request->Synchronous) {
                return STATUS_NOT_SUPPORTED;
            }
            ((PFILE_POSITION_INFORMATION)Buffer)->CurrentByteOffset = Request->FileObject->CurrentByteOffset;
            *Information = sizeof(FILE_POSITION_INFORMATION);
            break;
        default: return STATUS_NOT_SUPPORTED;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* FileAllInformation: the parts that only the manager knows are put into the system buffer beforehand, as on
 * Windows. */
static VOID IopFillAllInformation(PIOP_REQUEST Request, ACCESS_MASK Granted, PFILE_ALL_INFORMATION All)
{
    All->AccessInformation.AccessFlags = Granted;
    All->ModeInformation.Mode = IopFileMode(Request->FileObject);
    All->AlignmentInformation.AlignmentRequirement = Request->DeviceObject->AlignmentRequirement;
    Request->Irp->IoStatus.Information =
        sizeof(FILE_ACCESS_INFORMATION) + sizeof(FILE_MODE_INFORMATION) + sizeof(FILE_ALIGNMENT_INFORMATION);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                      ULONG Length, FILE_INFORMATION_CLASS FileInformationClass)
{
    ULONG_PTR Information = 0;
    IO_STATUS_BLOCK Fast;
    ACCESS_MASK Granted;
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    if ((ULONG)FileInformationClass >= FileMaximumInformation || FileInformationClass == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < IopFileInformationSize(FileInformationClass)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = IopProbeUser(IoStatusBlock, NULL, 0, FileInformation, Length);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Call.Request, FileHandle, IopQueryAccess(FileInformationClass), NULL, NULL, &Granted);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopQueryLocally(&Call.Request, Granted, FileInformation, FileInformationClass, &Information);
    if (Status != STATUS_NOT_SUPPORTED) {
        return IopFinishLocally(&Call, IoStatusBlock, Status, Information);
    }
    if (IopTryFastQuery(&Call.Request, FileInformation, FileInformationClass, &Fast)) {
        return IopFinishLocally(&Call, IoStatusBlock, Fast.Status, Fast.Information);
    }
    Status = IopStartInformation(&Call, IRP_MJ_QUERY_INFORMATION, FileInformation, Length, FileInformationClass);
    if (NT_SUCCESS(Status) && FileInformationClass == FileAllInformation) {
        IopFillAllInformation(&Call.Request, Granted, Call.Request.Irp->AssociatedIrp.SystemBuffer);
    }
    return NT_SUCCESS(Status) ? IopRunSynchronous(&Call, IoStatusBlock) : Status;
}

static NTSTATUS IopSetLocally(PIOP_REQUEST Request, PVOID Buffer, FILE_INFORMATION_CLASS Class)
{
    FILE_COMPLETION_INFORMATION Completion = {0};
    NTSTATUS Status = STATUS_SUCCESS;
    PFILE_OBJECT FileObject = Request->FileObject;

    __try {
        if (Class == FileCompletionInformation) {
            Completion = *(PFILE_COMPLETION_INFORMATION)Buffer;
        } else if (Class == FilePositionInformation && Request->Synchronous) {
            LARGE_INTEGER Offset = ((PFILE_POSITION_INFORMATION)Buffer)->CurrentByteOffset;

            if (Offset.QuadPart < 0 ||
                ((FileObject->Flags & FO_NO_INTERMEDIATE_BUFFERING) != 0 && Request->DeviceObject->SectorSize != 0 &&
                 Offset.QuadPart % Request->DeviceObject->SectorSize != 0)) {
                Status = STATUS_INVALID_PARAMETER;
            } else {
                FileObject->CurrentByteOffset = Offset;
            }
        } else {
            Status = STATUS_NOT_SUPPORTED;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status) && Class == FileCompletionInformation) {
        Status = IopSetPort(FileObject, Completion.Port, Completion.Key);
    }
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation,
                                    ULONG Length, FILE_INFORMATION_CLASS FileInformationClass)
{
    IOP_SYNCHRONOUS Call;
    HANDLE NewParent = NULL;
    NTSTATUS Status;

    if ((ULONG)FileInformationClass >= FileMaximumInformation || FileInformationClass == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < IopFileInformationSize(FileInformationClass)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = IopProbeUser(IoStatusBlock, FileInformation, Length, NULL, 0);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Call.Request, FileHandle, IopSetAccess(FileInformationClass), NULL, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopSetLocally(&Call.Request, FileInformation, FileInformationClass);
    if (Status != STATUS_NOT_SUPPORTED) {
        return IopFinishLocally(&Call, IoStatusBlock, Status, 0);
    }
    Status = IopStartInformation(&Call, IRP_MJ_SET_INFORMATION, FileInformation, Length, FileInformationClass);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (IopIsNaming(FileInformationClass)) {
        Status = IopOpenNewParent(&Call.Request, Length, &NewParent);
        if (!NT_SUCCESS(Status)) {
            IopAbandonRequest(&Call.Request);
            return Status;
        }
    }
    Status = IopRunSynchronous(&Call, IoStatusBlock);
    if (NewParent != NULL) {
        ZwClose(NewParent);
    }
    return Status;
}

/* PASSIVE_LEVEL.  FileFsDeviceInformation is answered from the device object, as on Windows. */
NTSTATUS NTAPI NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation,
                                            ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    Status = IopProbeUser(IoStatusBlock, NULL, 0, FsInformation, Length);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Call.Request, FileHandle, 0, NULL, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (FsInformationClass == FileFsDeviceInformation) {
        PFILE_FS_DEVICE_INFORMATION Information = FsInformation;
        PDEVICE_OBJECT Device = Call.Request.FileObject->DeviceObject;

        if (Length < sizeof(*Information)) {
            IopAbandonRequest(&Call.Request);
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        Status = STATUS_SUCCESS;
        __try {
            Information->DeviceType = Device->DeviceType;
            Information->Characteristics = Device->Characteristics;
            if (Device->Vpb != NULL && (Device->Vpb->Flags & VPB_MOUNTED) != 0) {
                Information->Characteristics |= FILE_DEVICE_IS_MOUNTED;
            }
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
        return IopFinishLocally(&Call, IoStatusBlock, Status, sizeof(*Information));
    }
    Status = IopStartInformation(&Call, IRP_MJ_QUERY_VOLUME_INFORMATION, FsInformation, Length, FsInformationClass);
    return NT_SUCCESS(Status) ? IopRunSynchronous(&Call, IoStatusBlock) : Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtSetVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation,
                                          ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    Status = IopProbeUser(IoStatusBlock, FsInformation, Length, NULL, 0);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Call.Request, FileHandle, FILE_WRITE_DATA, NULL, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopStartInformation(&Call, IRP_MJ_SET_VOLUME_INFORMATION, FsInformation, Length, FsInformationClass);
    return NT_SUCCESS(Status) ? IopRunSynchronous(&Call, IoStatusBlock) : Status;
}

/* Minor: what the file system is to leave out, which it cannot of a volume. */
static NTSTATUS IopFlushFile(HANDLE FileHandle, UCHAR Minor, PIO_STATUS_BLOCK IoStatusBlock)
{
    ACCESS_MASK Granted;
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    Status = IopProbeUser(IoStatusBlock, NULL, 0, NULL, 0);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopBeginRequest(&Call.Request, FileHandle, 0, NULL, NULL, &Granted);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((Granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == 0) {
        IopAbandonRequest(&Call.Request);
        return STATUS_ACCESS_DENIED;
    }
    if (Minor != 0 && (Call.Request.FileObject->Flags & FO_VOLUME_OPEN) != 0) {
        IopAbandonRequest(&Call.Request);
        return STATUS_INVALID_PARAMETER;
    }
    Status = IopStartSynchronous(&Call, IRP_MJ_FLUSH_BUFFERS);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Call.Request.Stack->MinorFunction = Minor;
    return IopRunSynchronous(&Call, IoStatusBlock);
}

/* PASSIVE_LEVEL.  The handle needs write or append access. */
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopFlushFile(FileHandle, 0, IoStatusBlock);
}

/*
 * PASSIVE_LEVEL.  The handle needs write or append access.  STATUS_INVALID_PARAMETER: no such flag, more than one of them, parameters, which nothing has, or a
 * volume's handle with a flag.  (NtFlushBuffersFileEx)
 */
NTSTATUS NTAPI NtFlushBuffersFileEx(HANDLE FileHandle, ULONG Flags, PVOID Parameters, ULONG ParametersSize,
                                    PIO_STATUS_BLOCK IoStatusBlock)
{
    UCHAR Minor;

    switch (Flags) {
    case 0: Minor = 0; break;
    case FLUSH_FLAGS_FILE_DATA_ONLY: Minor = IRP_MN_FLUSH_DATA_ONLY; break;
    case FLUSH_FLAGS_NO_SYNC: Minor = IRP_MN_FLUSH_NO_SYNC; break;
    case FLUSH_FLAGS_FILE_DATA_SYNC_ONLY: Minor = IRP_MN_FLUSH_DATA_SYNC_ONLY; break;
    default: return STATUS_INVALID_PARAMETER;
    }
    if (Parameters != NULL || ParametersSize != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return IopFlushFile(FileHandle, Minor, IoStatusBlock);
}

/* ---- the same by file object, for drivers -----------------------------------------------------------------
 */

static NTSTATUS IopAskByFileObject(PFILE_OBJECT FileObject, BOOLEAN Lock, UCHAR MajorFunction, ULONG Class,
                                   ULONG Length, PVOID Buffer, PULONG ReturnedLength)
{
    IOP_SYNCHRONOUS Call;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    RtlZeroMemory(&Call.Request, sizeof(Call.Request));
    ObReferenceObject(FileObject);
    Call.Request.FileObject = FileObject;
    Call.Request.Mode = KernelMode;
    if (Lock && IopIsSynchronous(FileObject)) {
        IopAcquireFileLock(FileObject, KernelMode);
        Call.Request.Synchronous = TRUE;
        ObReferenceObject(FileObject);
    }
    Call.Request.DeviceObject = IoGetRelatedDeviceObject(FileObject);
    Status = IopStartSynchronous(&Call, MajorFunction);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    /* the caller's buffer is nonpaged system memory: it serves as the system buffer */
    Call.Request.Irp->AssociatedIrp.SystemBuffer = Buffer;
    Call.Request.Irp->Flags |= IRP_BUFFERED_IO;
    Call.Request.Stack->Parameters.QueryFile.Length = Length;
    Call.Request.Stack->Parameters.QueryFile.FileInformationClass = (FILE_INFORMATION_CLASS)Class;
    Status = IopRunSynchronous(&Call, &IoStatus);
    *ReturnedLength = (ULONG)IoStatus.Information;
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoQueryFileInformation(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS FileInformationClass,
                                      ULONG Length, PVOID FileInformation, PULONG ReturnedLength)
{
    return IopAskByFileObject(FileObject, TRUE, IRP_MJ_QUERY_INFORMATION, FileInformationClass, Length, FileInformation,
                              ReturnedLength);
}

NTSTATUS IopQueryUnlocked(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, ULONG Length, PVOID Buffer,
                          PULONG ReturnedLength)
{
    return IopAskByFileObject(FileObject, FALSE, IRP_MJ_QUERY_INFORMATION, Class, Length, Buffer, ReturnedLength);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoQueryVolumeInformation(PFILE_OBJECT FileObject, FS_INFORMATION_CLASS FsInformationClass, ULONG Length,
                                        PVOID FsInformation, PULONG ReturnedLength)
{
    return IopAskByFileObject(FileObject, TRUE, IRP_MJ_QUERY_VOLUME_INFORMATION, FsInformationClass, Length,
                              FsInformation, ReturnedLength);
}

NTSTATUS IopSetUnlocked(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, ULONG Length, PVOID Buffer)
{
    ULONG Ignored;

    return IopAskByFileObject(FileObject, FALSE, IRP_MJ_SET_INFORMATION, Class, Length, Buffer, &Ignored);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoSetInformation(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS FileInformationClass, ULONG Length,
                                PVOID FileInformation)
{
    ULONG Ignored;

    return IopAskByFileObject(FileObject, TRUE, IRP_MJ_SET_INFORMATION, FileInformationClass, Length, FileInformation,
                              &Ignored);
}

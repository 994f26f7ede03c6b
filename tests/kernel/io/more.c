// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files and requests by the ways less taken: the routines under their names in Nt, queries by file object, opens below a device,
 * names replaced, sharing ignored, devices to verify, shutdown, attachment by pointer.
 */
#include <ntifs.h>

#include <fltvm.h>

#define NAME L"\\Device\\FltvmIoMisc"

NTSYSAPI NTSTATUS NTAPI NtUnloadDriver(PUNICODE_STRING Name);
NTSYSAPI NTSTATUS NTAPI NtFlushBuffersFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSYSAPI NTSTATUS NTAPI NtCancelIoFile(HANDLE File, PIO_STATUS_BLOCK IoStatus);
NTSYSAPI NTSTATUS NTAPI NtCancelIoFileEx(HANDLE File, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK IoStatus);
NTKERNELAPI NTSTATUS NTAPI IoQueryFileInformation(PFILE_OBJECT File, FILE_INFORMATION_CLASS Class, ULONG Length,
                                                  PVOID Buffer, PULONG Returned);
NTKERNELAPI NTSTATUS NTAPI IoQueryVolumeInformation(PFILE_OBJECT File, FS_INFORMATION_CLASS Class, ULONG Length,
                                                    PVOID Buffer, PULONG Returned);
NTKERNELAPI NTSTATUS NTAPI IoReplaceFileObjectName(PFILE_OBJECT File, PWSTR Name, USHORT Length);
NTKERNELAPI NTSTATUS NTAPI IoAttachDeviceByPointer(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target);
NTKERNELAPI ULONG NTAPI IoGetRequestorProcessId(PIRP Irp);
#undef IoCallDriver
#undef IoCompleteRequest

static PDEVICE_OBJECT Device;
static ULONG Calls[IRP_MJ_MAXIMUM_FUNCTION + 1];
static ULONG Flags; /* of the last stack location */
static UCHAR Minor;
static BOOLEAN Synchronous;
static ULONG Requestor;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    Calls[Stack->MajorFunction]++;
    Flags = Stack->Flags;
    Minor = Stack->MinorFunction;
    Synchronous = IoIsOperationSynchronous(Irp);
    Requestor = IoGetRequestorProcessId(Irp);
    Irp->IoStatus.Information = 0;
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE: Irp->IoStatus.Information = FILE_OPENED; break;
    case IRP_MJ_READ:
        memset(Irp->AssociatedIrp.SystemBuffer, 'r', Stack->Parameters.Read.Length);
        Irp->IoStatus.Information = Stack->Parameters.Read.Length;
        break;
    case IRP_MJ_WRITE: Irp->IoStatus.Information = Stack->Parameters.Write.Length; break;
    case IRP_MJ_QUERY_INFORMATION: {
        PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;

        if (Stack->Parameters.QueryFile.FileInformationClass != FileStandardInformation) {
            Status = STATUS_INVALID_PARAMETER;
            break;
        }
        RtlZeroMemory(Standard, sizeof(*Standard));
        Standard->EndOfFile.QuadPart = 77;
        Irp->IoStatus.Information = sizeof(*Standard);
        break;
    }
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
        ((PFILE_FS_SIZE_INFORMATION)Irp->AssociatedIrp.SystemBuffer)->BytesPerSector = 512;
        Irp->IoStatus.Information = sizeof(FILE_FS_SIZE_INFORMATION);
        break;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_FILE_SYSTEM_CONTROL:
    case IRP_MJ_SET_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
    case IRP_MJ_FLUSH_BUFFERS:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE: break;
    default: Status = STATUS_INVALID_DEVICE_REQUEST;
    }
    Irp->IoStatus.Status = Status;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Attributes(POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Name)
{
    RtlInitUnicodeString(Name, NAME L"\\file");
    InitializeObjectAttributes(Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
}

static VOID CheckNt(VOID)
{
    FILE_STANDARD_INFORMATION Standard;
    FILE_BASIC_INFORMATION Basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    FILE_FS_SIZE_INFORMATION Size;
    FILE_FS_LABEL_INFORMATION Label = {.VolumeLabelLength = 0};
    LARGE_INTEGER Offset = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Object;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    HANDLE File, Second;
    UCHAR Buffer[8];

    Attributes(&Object, &Name);
    FvCheck(NtCreateFile(&File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Object, &IoStatus, NULL, 0,
                         FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == FILE_OPENED && Calls[IRP_MJ_CREATE] == 1);
    FvCheck(NtOpenFile(&Second, FILE_READ_DATA | SYNCHRONIZE, &Object, &IoStatus, 7, FILE_SYNCHRONOUS_IO_ALERT) ==
            STATUS_SUCCESS);
    NtClose(Second);
    FvCheck(ZwOpenFile(&Second, FILE_READ_DATA, &Object, &IoStatus, 7, 0) == STATUS_SUCCESS);
    NtClose(Second);
    FvCheck(Calls[IRP_MJ_CREATE] == 3 && Calls[IRP_MJ_CLEANUP] == 2 && Calls[IRP_MJ_CLOSE] == 2);

    FvCheck(NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 8, &Offset, NULL) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == 8 && Buffer[0] == 'r' && Buffer[7] == 'r');
    FvCheck(Synchronous && Requestor == (ULONG)(ULONG_PTR)PsGetCurrentProcessId());
    FvCheck(NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 8, &Offset, NULL) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == 8 && Calls[IRP_MJ_WRITE] == 1);
    FvCheck(NtFlushBuffersFile(File, &IoStatus) == STATUS_SUCCESS && Calls[IRP_MJ_FLUSH_BUFFERS] == 1 && Minor == 0);
    FvCheck(ZwFlushBuffersFileEx(File, 0, NULL, 0, &IoStatus) == STATUS_SUCCESS && Minor == 0);
    FvCheck(ZwFlushBuffersFileEx(File, FLUSH_FLAGS_FILE_DATA_ONLY, NULL, 0, &IoStatus) == STATUS_SUCCESS &&
            Minor == IRP_MN_FLUSH_DATA_ONLY);
    FvCheck(NtFlushBuffersFileEx(File, FLUSH_FLAGS_NO_SYNC, NULL, 0, &IoStatus) == STATUS_SUCCESS &&
            Minor == IRP_MN_FLUSH_NO_SYNC);
    FvCheck(NtFlushBuffersFileEx(File, FLUSH_FLAGS_FILE_DATA_SYNC_ONLY, NULL, 0, &IoStatus) == STATUS_SUCCESS &&
            Minor == IRP_MN_FLUSH_DATA_SYNC_ONLY && Calls[IRP_MJ_FLUSH_BUFFERS] == 5);
    FvCheck(NtFlushBuffersFileEx(File, FLUSH_FLAGS_FILE_DATA_ONLY | FLUSH_FLAGS_NO_SYNC, NULL, 0, &IoStatus) ==
                STATUS_INVALID_PARAMETER &&
            NtFlushBuffersFileEx(File, 8, NULL, 0, &IoStatus) == STATUS_INVALID_PARAMETER);
    FvCheck(NtFlushBuffersFileEx(File, 0, &IoStatus, 0, &IoStatus) == STATUS_INVALID_PARAMETER &&
            NtFlushBuffersFileEx(File, 0, NULL, 4, &IoStatus) == STATUS_INVALID_PARAMETER &&
            Calls[IRP_MJ_FLUSH_BUFFERS] == 5);
    FvCheck(NtQueryInformationFile(File, &IoStatus, &Standard, sizeof(Standard), FileStandardInformation) ==
            STATUS_SUCCESS);
    FvCheck(Standard.EndOfFile.QuadPart == 77 && IoStatus.Information == sizeof(Standard));
    FvCheck(NtQueryInformationFile(File, &IoStatus, &Standard, 4, FileStandardInformation) ==
            STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(NtSetInformationFile(File, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation) == STATUS_SUCCESS);
    FvCheck(Calls[IRP_MJ_SET_INFORMATION] == 1);
    FvCheck(NtQueryVolumeInformationFile(File, &IoStatus, &Size, sizeof(Size), FileFsSizeInformation) ==
            STATUS_SUCCESS);
    FvCheck(Size.BytesPerSector == 512 && Calls[IRP_MJ_QUERY_VOLUME_INFORMATION] == 1);
    FvCheck(NtSetVolumeInformationFile(File, &IoStatus, &Label, sizeof(Label), FileFsLabelInformation) ==
            STATUS_SUCCESS);
    FvCheck(ZwSetVolumeInformationFile(File, &IoStatus, &Label, sizeof(Label), FileFsLabelInformation) ==
            STATUS_SUCCESS);
    FvCheck(Calls[IRP_MJ_SET_VOLUME_INFORMATION] == 2);
    FvCheck(NtDeviceIoControlFile(File, NULL, NULL, NULL, &IoStatus,
                                  CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS), NULL, 0, NULL,
                                  0) == STATUS_SUCCESS);
    FvCheck(Calls[IRP_MJ_DEVICE_CONTROL] == 1);
    FvCheck(NtFsControlFile(File, NULL, NULL, NULL, &IoStatus, FSCTL_LOCK_VOLUME, NULL, 0, NULL, 0) == STATUS_SUCCESS);
    FvCheck(Calls[IRP_MJ_FILE_SYSTEM_CONTROL] == 1);
    FvCheck(NtCancelIoFile(File, &IoStatus) == STATUS_SUCCESS); /* there is nothing: no fault */
    FvCheck(NtCancelIoFileEx(File, NULL, &IoStatus) == STATUS_NOT_FOUND);
    FvCheck(NtClose(File) == STATUS_SUCCESS);
    FvCheck(NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 8, &Offset, NULL) == STATUS_INVALID_HANDLE);
    FvCheck(NtWriteFile(NULL, NULL, NULL, NULL, &IoStatus, Buffer, 8, &Offset, NULL) == STATUS_INVALID_HANDLE);
}

static VOID CheckFileObject(VOID)
{
    static WCHAR Longer[] = L"\\a name that is longer";
    FILE_STANDARD_INFORMATION Standard;
    FILE_FS_SIZE_INFORMATION Size;
    SHARE_ACCESS Share;
    OBJECT_ATTRIBUTES Object;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    PFILE_OBJECT File = NULL;
    ULONG Returned = 0;
    HANDLE Handle;

    Attributes(&Object, &Name);
    FvCheck(IoCreateFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Object, &IoStatus, NULL, 0, FILE_SHARE_READ, FILE_OPEN,
                         FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL,
                         IO_NO_PARAMETER_CHECKING) == STATUS_SUCCESS);
    ZwClose(Handle);
    FvCheck(IoCreateFileSpecifyDeviceObjectHint(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Object, &IoStatus, NULL, 0,
                                                FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0,
                                                CreateFileTypeNone, NULL, 0, NULL) == STATUS_SUCCESS);
    ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    FvCheck(IoQueryFileInformation(File, FileStandardInformation, sizeof(Standard), &Standard, &Returned) ==
            STATUS_SUCCESS);
    FvCheck(Returned == sizeof(Standard) && Standard.EndOfFile.QuadPart == 77);
    FvCheck(IoQueryVolumeInformation(File, FileFsSizeInformation, sizeof(Size), &Size, &Returned) == STATUS_SUCCESS);
    FvCheck(Returned == sizeof(Size) && Size.BytesPerSector == 512);

    FvCheck(IoReplaceFileObjectName(File, L"\\b", 2 * sizeof(WCHAR)) == STATUS_SUCCESS);
    FvCheck(File->FileName.Length == 4 && File->FileName.Buffer[1] == L'b');
    FvCheck(IoReplaceFileObjectName(File, Longer, sizeof(Longer) - sizeof(WCHAR)) == STATUS_SUCCESS);
    FvCheck(File->FileName.Length == sizeof(Longer) - sizeof(WCHAR) &&
            RtlCompareMemory(File->FileName.Buffer, Longer, File->FileName.Length) == File->FileName.Length);

    IoSetShareAccess(FILE_READ_DATA, 0, File, &Share); /* shares nothing */
    FvCheck(IoCheckShareAccess(FILE_READ_DATA, 0, File, &Share, FALSE) == STATUS_SHARING_VIOLATION);
    FvCheck(!IoIsFileObjectIgnoringSharing(File));
    FvCheck(IoSetFileObjectIgnoreSharing(File) == STATUS_SUCCESS);
    FvCheck(IoIsFileObjectIgnoringSharing(File));
    FvCheck(IoCheckShareAccess(FILE_READ_DATA, 0, File, &Share, FALSE) == STATUS_SUCCESS);
    ObDereferenceObject(File);
    ZwClose(Handle);
}

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned)
        IoMarkIrpPending(Irp);
    *(PIO_STATUS_BLOCK)Context = Irp->IoStatus;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID CheckIrps(VOID)
{
    LARGE_INTEGER Offset = {.QuadPart = 512};
    IO_STATUS_BLOCK IoStatus = {{0}}, Done = {{0}};
    UCHAR Buffer[16] = {0};
    PIRP Irp = IoAllocateIrpEx(Device, 3, FALSE);

    FvCheck(Irp != NULL && Irp->StackCount == 3);
    IoFreeIrp(Irp);
    Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, Device, Buffer, sizeof(Buffer), &Offset, &IoStatus);
    FvCheck(Irp != NULL);
    FvCheck(IoGetNextIrpStackLocation(Irp)->MajorFunction == IRP_MJ_READ);
    FvCheck(IoGetNextIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart == 512);
    FvCheck(Irp->AssociatedIrp.SystemBuffer != NULL &&
            Irp->UserIosb == &IoStatus); /* a device that is DO_BUFFERED_IO */
    IoSetCompletionRoutine(Irp, Completed, &Done, TRUE, TRUE, TRUE);
    FvCheck(IofCallDriver(Device, Irp) == STATUS_SUCCESS);
    FvCheck(Done.Status == STATUS_SUCCESS && Done.Information == sizeof(Buffer));
    IoFreeIrp(Irp);
    FvCheck((ULONG_PTR)IoGetInitialStack() > (ULONG_PTR)&Offset);
}

static VOID CheckDevices(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\FltvmIoMisc"), Name = RTL_CONSTANT_STRING(NAME);
    UNICODE_STRING None =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\NoSuchDriver");
    PDEVICE_OBJECT Upper, Other;
    UNICODE_STRING Letter;

    FvCheck(IoCreateUnprotectedSymbolicLink(&Link, &Name) == STATUS_SUCCESS);
    FvCheck(IoDeleteSymbolicLink(&Link) == STATUS_SUCCESS);
    FvCheck(IoDeleteSymbolicLink(&Link) == STATUS_OBJECT_NAME_NOT_FOUND);

    FvCheck(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Upper) == STATUS_SUCCESS);
    FvCheck(IoAttachDeviceByPointer(Upper, Device) == STATUS_SUCCESS);
    FvCheck(Device->AttachedDevice == Upper && Upper->StackSize == Device->StackSize + 1);
    FvCheck(IoGetAttachedDevice(Device) == Upper);
    IoDetachDevice(Device);
    FvCheck(IoGetAttachedDevice(Device) == Device);
    FvCheck(IoVolumeDeviceToDosName(Device, &Letter) == STATUS_OBJECT_NAME_NOT_FOUND); /* no letter links to it */

    Other = IoGetDeviceToVerify(PsGetCurrentThread());
    FvCheck(Other == NULL);
    IoSetDeviceToVerify(PsGetCurrentThread(), Device);
    FvCheck(IoGetDeviceToVerify(PsGetCurrentThread()) == Device);
    IoSetDeviceToVerify(PsGetCurrentThread(), NULL);
    FvCheck(IoGetDeviceToVerify(PsGetCurrentThread()) == NULL);

    FvCheck(IoRegisterLastChanceShutdownNotification(Upper) == STATUS_SUCCESS);
    FvCheck(Upper->Flags & DO_SHUTDOWN_REGISTERED);
    IoUnregisterShutdownNotification(Upper);
    FvCheck(!(Upper->Flags & DO_SHUTDOWN_REGISTERED));
    IoDeleteDevice(Upper);

    FvCheck(IoGetFileObjectGenericMapping()->GenericRead == FILE_GENERIC_READ);
    FvCheck(IoGetFileObjectGenericMapping()->GenericAll == FILE_ALL_ACCESS);
    FvCheck(ZwUnloadDriver(&None) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(NtUnloadDriver(&None) == STATUS_OBJECT_NAME_NOT_FOUND);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);

    FvTestPlan(79);
    for (ULONG I = 0; I <= IRP_MJ_MAXIMUM_FUNCTION; I++)
        DriverObject->MajorFunction[I] = Dispatch;
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    CheckNt();
    CheckFileObject();
    CheckIrps();
    CheckDevices(DriverObject);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

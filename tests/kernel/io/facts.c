// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may be asked about files and requests; error logs and hard errors; directories read; transactions, of
 * which there are none; identifiers.
 */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoFileObject(PFILE_OBJECT FileObject, IO_PRIORITY_HINT PriorityHint);
NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoThread(PETHREAD Thread, IO_PRIORITY_HINT PriorityHint);
NTKERNELAPI NTSTATUS NTAPI IoRetrievePriorityInfo(PIRP Irp, PFILE_OBJECT FileObject, PETHREAD Thread,
                                                  PIO_PRIORITY_INFO Info);
NTSYSAPI NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE Routine, PVOID Context,
                                             PIO_STATUS_BLOCK IoStatus, PVOID Buffer, ULONG Length,
                                             FILE_INFORMATION_CLASS Class, BOOLEAN Single, PUNICODE_STRING Name,
                                             BOOLEAN Restart);
NTKERNELAPI VOID NTAPI IoFreeErrorLogEntry(PVOID Entry);
#undef TmTransactionObjectType
extern POBJECT_TYPE *TmTransactionObjectType;

#define NAME L"\\Device\\FltvmFacts"

static PDEVICE_OBJECT Device;
static IO_STACK_LOCATION Last;
static WCHAR LastName[20];
static ULONG LastOptions, Completed;
static NTSTATUS Answer;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    Last = *Stack;
    Irp->IoStatus.Information = 0;
    if (Stack->MajorFunction == IRP_MJ_CREATE)
        LastOptions = Stack->Parameters.Create.Options;
    if (Stack->MajorFunction == IRP_MJ_DIRECTORY_CONTROL) {
        RtlZeroMemory(LastName, sizeof(LastName));
        if (Stack->Parameters.QueryDirectory.FileName != NULL)
            RtlCopyMemory(LastName, Stack->Parameters.QueryDirectory.FileName->Buffer,
                          Stack->Parameters.QueryDirectory.FileName->Length);
        memset(Irp->AssociatedIrp.SystemBuffer, 'd', 32);
        Irp->IoStatus.Information = 32;
    }
    Irp->IoStatus.Status = Stack->MajorFunction == IRP_MJ_DIRECTORY_CONTROL ? Answer : STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Stack->MajorFunction == IRP_MJ_DIRECTORY_CONTROL ? Answer : STATUS_SUCCESS;
}

static HANDLE Open(PCWSTR Path, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    HANDLE Handle = NULL;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(ZwOpenFile(&Handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes, &IoStatus, 7, Options) ==
            STATUS_SUCCESS);
    return Handle;
}

static VOID CheckDirectories(VOID)
{
    UNICODE_STRING Pattern = RTL_CONSTANT_STRING(L"*.txt");
    HANDLE Handle = Open(NAME L"\\dir", FILE_SYNCHRONOUS_IO_NONALERT), Asynchronous, Event = NULL;
    IO_STATUS_BLOCK IoStatus = {0};
    CHAR Buffer[200] = {0};

    FvCheck(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer),
                                 FileBothDirectoryInformation, TRUE, &Pattern, TRUE) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == 32 && Buffer[31] == 'd' && Buffer[32] == 0);
    FvCheck(Last.MinorFunction == IRP_MN_QUERY_DIRECTORY && Last.Flags == (SL_RESTART_SCAN | SL_RETURN_SINGLE_ENTRY) &&
            Last.Parameters.QueryDirectory.Length == sizeof(Buffer) &&
            Last.Parameters.QueryDirectory.FileInformationClass == FileBothDirectoryInformation &&
            wcscmp(LastName, L"*.txt") == 0);
    FvCheck(NtQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), FileNamesInformation,
                                 FALSE, NULL, FALSE) == STATUS_SUCCESS &&
            Last.Flags == 0 && LastName[0] == 0);
    Answer = STATUS_NO_MORE_FILES;
    FvCheck(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), FileNamesInformation,
                                 FALSE, NULL, FALSE) == STATUS_NO_MORE_FILES);
    Answer = STATUS_SUCCESS;
    FvCheck(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), FileBasicInformation,
                                 FALSE, NULL, FALSE) == STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 11, FileNamesInformation, FALSE, NULL,
                                 FALSE) == STATUS_INFO_LENGTH_MISMATCH);
    Asynchronous = Open(NAME L"\\dir", 0);
    ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    IoStatus.Status = STATUS_PENDING;
    ZwQueryDirectoryFile(Asynchronous, Event, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), FileNamesInformation,
                         FALSE, NULL, FALSE);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS && IoStatus.Status == STATUS_SUCCESS);
    ZwClose(Event), ZwClose(Asynchronous), ZwClose(Handle);
}

static VOID CheckFiles(VOID)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\DosDevices\\Q:"), Target = RTL_CONSTANT_STRING(NAME);
    UNICODE_STRING Path = RTL_CONSTANT_STRING(NAME L"\\gone"), Wanted = RTL_CONSTANT_STRING(L"Q:\\dir");
    POBJECT_NAME_INFORMATION Name = NULL;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle = Open(NAME L"\\dir", 0);
    PFILE_OBJECT File = NULL;

    ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    FvCheck(IoQueryFileDosDeviceName(File, &Name) == STATUS_OBJECT_NAME_NOT_FOUND && Name == NULL);
    IoCreateSymbolicLink(&Link, &Target);
    FvCheck(IoQueryFileDosDeviceName(File, &Name) == STATUS_SUCCESS &&
            RtlEqualUnicodeString(&Name->Name, &Wanted, FALSE) && Name->Name.Buffer[Name->Name.Length / 2] == 0);
    ExFreePool(Name);
    IoDeleteSymbolicLink(&Link);
    FvCheck(!IoIsFileOriginRemote(File) && IoSetFileOrigin(File, FALSE) == STATUS_INVALID_PARAMETER_MIX);
    FvCheck(IoSetFileOrigin(File, TRUE) == STATUS_SUCCESS && IoIsFileOriginRemote(File) &&
            IoSetFileOrigin(File, TRUE) == STATUS_INVALID_PARAMETER_MIX);
    ObDereferenceObject(File);
    ZwClose(Handle);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwDeleteFile(&Attributes) == STATUS_SUCCESS && (LastOptions & FILE_DELETE_ON_CLOSE) != 0 &&
            Last.MajorFunction == IRP_MJ_CLOSE);
    RtlInitUnicodeString(&Path, L"\\NoSuchFolder\\gone");
    FvCheck(ZwDeleteFile(&Attributes) == STATUS_OBJECT_PATH_NOT_FOUND);
}

static VOID CheckRequests(VOID)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    IO_PRIORITY_INFO Info = {.Size = sizeof(Info)};
    ULONG Session = 7;

    FvCheck(IoGetRequestorSessionId(Irp, &Session) == STATUS_UNSUCCESSFUL && Session == MAXULONG);
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    FvCheck(IoGetRequestorSessionId(Irp, &Session) == STATUS_SUCCESS && Session == 0);
    FvCheck(IoRetrievePriorityInfo(Irp, NULL, PsGetCurrentThread(), &Info) == STATUS_SUCCESS &&
            Info.ThreadPriority == (ULONG)KeQueryPriorityThread(KeGetCurrentThread()) &&
            Info.IoPriority == IoPriorityNormal && Info.PagePriority == 5);
    FvCheck(IoRetrievePriorityInfo(Irp, NULL, NULL, &Info) == STATUS_SUCCESS && Info.ThreadPriority == MAXULONG &&
            Info.PagePriority == MAXULONG);
    Irp->Flags |= (IoPriorityLow + 1) << 17;
    FvCheck(IoRetrievePriorityInfo(Irp, NULL, NULL, &Info) == STATUS_SUCCESS && Info.IoPriority == IoPriorityLow);
    FvCheck(IoGetIoPriorityHint(Irp) == IoPriorityLow && IoSetIoPriorityHint(Irp, 5) == STATUS_INVALID_PARAMETER);
    FvCheck(IoSetIoPriorityHint(Irp, IoPriorityHigh) == STATUS_SUCCESS && IoGetIoPriorityHint(Irp) == IoPriorityHigh);
    FvCheck(IoSetIoPriorityHintIntoThread(PsGetCurrentThread(), 5) == STATUS_INVALID_PARAMETER &&
            IoSetIoPriorityHintIntoFileObject(NULL, 5) == STATUS_INVALID_PARAMETER);
    FvCheck(IoApplyPriorityInfoThread(&Info, NULL, PsGetCurrentThread()) == STATUS_SUCCESS); /* changes nothing */
    Info.IoPriority = 5;
    FvCheck(IoApplyPriorityInfoThread(&Info, NULL, PsGetCurrentThread()) == STATUS_INVALID_PARAMETER_1);
    Info.Size--;
    FvCheck(IoRetrievePriorityInfo(Irp, NULL, NULL, &Info) == STATUS_INVALID_PARAMETER);
    IoFreeIrp(Irp);
}

static VOID CheckEas(VOID)
{
    ULONG Buffer[16] = {0}, Offset = 99;
    PFILE_FULL_EA_INFORMATION One = (PFILE_FULL_EA_INFORMATION)Buffer, Two = (PFILE_FULL_EA_INFORMATION)(Buffer + 4);

    One->EaNameLength = 1, One->EaName[0] = 'a', One->EaValueLength = 4;
    FvCheck(IoCheckEaBufferValidity(One, 14, &Offset) == STATUS_SUCCESS);
    FvCheck(IoCheckEaBufferValidity(One, 13, &Offset) == STATUS_EA_LIST_INCONSISTENT && Offset == 0);
    FvCheck(IoCheckEaBufferValidity(One, 7, &Offset) == STATUS_EA_LIST_INCONSISTENT);
    One->NextEntryOffset = 16;
    Two->EaNameLength = 2, Two->EaName[0] = Two->EaName[1] = 'b';
    FvCheck(IoCheckEaBufferValidity(One, 16 + 11, &Offset) == STATUS_SUCCESS);
    FvCheck(IoCheckEaBufferValidity(One, 16 + 10, &Offset) == STATUS_EA_LIST_INCONSISTENT && Offset == 16);
    Two->EaName[2] = 'b'; /* no terminator */
    FvCheck(IoCheckEaBufferValidity(One, 16 + 11, &Offset) == STATUS_EA_LIST_INCONSISTENT && Offset == 16);
    One->NextEntryOffset = 20;
    FvCheck(IoCheckEaBufferValidity(One, 40, &Offset) == STATUS_EA_LIST_INCONSISTENT && Offset == 0);
}

static NTSTATUS NTAPI OnDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    Completed++;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID CheckErrors(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Text = RTL_CONSTANT_STRING(L"lost");
    PIO_ERROR_LOG_PACKET Packet;
    PVOID Thread = KeGetCurrentThread();
    PIRP Irp = IoAllocateIrp(2, FALSE);

    FvCheck(IoAllocateErrorLogEntry(Device, sizeof(*Packet) - 1) == NULL &&
            IoAllocateErrorLogEntry(NULL, sizeof(*Packet)) == NULL &&
            IoAllocateErrorLogEntry(Thread, sizeof(*Packet)) == NULL);
    Packet = IoAllocateErrorLogEntry(Device, sizeof(*Packet) + 8);
    FvCheck(Packet != NULL);
    Packet->ErrorCode = 0x40000001;
    Packet->UniqueErrorValue = 17;
    IoWriteErrorLogEntry(Packet);
    Packet = IoAllocateErrorLogEntry(DriverObject, ERROR_LOG_MAXIMUM_SIZE);
    FvCheck(Packet != NULL);
    IoFreeErrorLogEntry(Packet);

    FvCheck(IoSetThreadHardErrorMode(FALSE) && !IoSetThreadHardErrorMode(FALSE));
    FvCheck(!IoRaiseInformationalHardError(STATUS_LOST_WRITEBEHIND_DATA, &Text, Thread) &&
            IoRaiseInformationalHardError(STATUS_LOST_WRITEBEHIND_DATA, &Text, NULL));
    FvCheck(!IoSetThreadHardErrorMode(TRUE) && IoRaiseInformationalHardError(STATUS_DISK_FULL, NULL, Thread));
    IoSetNextIrpStackLocation(Irp);
    IoSetCompletionRoutine(Irp, OnDone, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->IoStatus.Status = STATUS_NO_MEDIA_IN_DEVICE;
    IoRaiseHardError(Irp, NULL, Device);
    FvCheck(Completed == 1 && Irp->IoStatus.Status == STATUS_NO_MEDIA_IN_DEVICE);
    IoFreeIrp(Irp);
}

static VOID CheckIdentifiers(VOID)
{
    ULONG Length;
    UUID One, Other;

    FvCheck(ExUuidCreate(&One) == STATUS_SUCCESS && ExUuidCreate(&Other) == STATUS_SUCCESS &&
            !RtlEqualMemory(&One, &Other, 16));
    FvCheck(One.Data3 >> 12 == 4 && One.Data4[0] >> 6 == 2 && Other.Data3 >> 12 == 4 && Other.Data4[0] >> 6 == 2);
    FvCheck(*TmTransactionObjectType != NULL);
    FvCheck(ZwQueryInformationTransaction((HANDLE)0x7FFC, TransactionBasicInformation, &One, 16, &Length) ==
            STATUS_INVALID_HANDLE);
    FvCheck(ZwQueryInformationTransaction(ZwCurrentThread(), TransactionBasicInformation, &One, 16, &Length) ==
            STATUS_OBJECT_TYPE_MISMATCH);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(48);
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = Dispatch;
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    CheckDirectories();
    CheckFiles();
    CheckRequests();
    CheckEas();
    CheckErrors(DriverObject);
    CheckIdentifiers();
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

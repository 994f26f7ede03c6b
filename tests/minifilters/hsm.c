/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hsm: keeps the contents of files elsewhere (in \Store) until somebody wants them.
 *
 * A file that was sent away has its size, zeros, and a reparse point of the filter's own tag.  An open meets that and ends with
 * STATUS_REPARSE; the filter opens it once more as what it is and marks the stream.  The first who reads, writes, cuts or maps
 * the stream has it recalled and the reparse point taken away, everybody else waits.  Files are sent away by a message to the port.
 */
#include <fltKernel.h>
#include <ntstrsafe.h>

#define HSM_TAG         'mssH'
#define HSM_REPARSE_TAG 0x00000F17UL /* no Microsoft tag: a GUID belongs to it */
#define HSM_MAX_SIZE    (64 * 1024)

static GUID HsmGuid = {0x6f1d5a52, 0x93c4, 0x4a2e, {0x8e, 0x11, 0x0f, 0x5b, 0x77, 0x21, 0x9a, 0x3c}};

/* What the reparse point holds. */
typedef struct _HSM_PLACE {
    ULONG Number;
    ULONG Size;
} HSM_PLACE, *PHSM_PLACE;

typedef struct _HSM_STREAM {
    FAST_MUTEX Mutex;
    volatile BOOLEAN Away;
    HSM_PLACE Place;
} HSM_STREAM, *PHSM_STREAM;

static PFLT_FILTER HsmFilter;
static PFLT_PORT HsmServerPort;
static LONG HsmNumber, HsmRecalls;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS HsmUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static FLT_POSTOP_CALLBACK_STATUS HsmPostCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _In_opt_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags);
static NTSTATUS HsmRecall(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ PHSM_STREAM Stream);
static NTSTATUS HsmSendAway(_In_ PFLT_INSTANCE Instance, _In_ PUNICODE_STRING Volume, _In_ PUNICODE_STRING Name);
static NTSTATUS HsmMessage(_In_opt_ PVOID PortCookie, _In_reads_bytes_opt_(InputBufferLength) PVOID InputBuffer,
                           _In_ ULONG InputBufferLength, _Out_opt_ PVOID OutputBuffer, _In_ ULONG OutputBufferLength,
                           _Out_ PULONG ReturnOutputBufferLength);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, HsmUnload)
#pragma alloc_text(PAGE, HsmPostCreate)
#pragma alloc_text(PAGE, HsmSendAway)
#pragma alloc_text(PAGE, HsmMessage)
#endif

/* --- Moving contents --- */

static NTSTATUS HsmOpen(PFLT_INSTANCE Instance, PUNICODE_STRING Name, ACCESS_MASK Access, ULONG Disposition,
                        PHANDLE Handle, PFILE_OBJECT *FileObject)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return FltCreateFileEx(HsmFilter, Instance, Handle, FileObject, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL,
                           FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, Disposition,
                           FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT, NULL, 0,
                           IO_IGNORE_SHARE_ACCESS_CHECK);
}

static VOID HsmCloseFile(HANDLE Handle, PFILE_OBJECT FileObject)
{
    if (FileObject != NULL)
        ObDereferenceObject(FileObject);
    if (Handle != NULL)
        FltClose(Handle);
}

static NTSTATUS HsmOpenStore(PFLT_INSTANCE Instance, PUNICODE_STRING Volume, ULONG Number, BOOLEAN New, PHANDLE Handle,
                             PFILE_OBJECT *FileObject)
{
    DECLARE_UNICODE_STRING_SIZE(Name, 200);
    NTSTATUS Status = RtlUnicodeStringPrintf(&Name, L"%wZ\\Store\\%08u", Volume, Number);

    if (!NT_SUCCESS(Status))
        return Status;
    return HsmOpen(Instance, &Name, New ? FILE_WRITE_DATA : FILE_READ_DATA | DELETE,
                   New ? FILE_OVERWRITE_IF : FILE_OPEN, Handle, FileObject);
}

static NTSTATUS HsmSetSize(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, LONGLONG Size)
{
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = Size};

    return FltSetInformationFile(Instance, FileObject, &End, sizeof(End), FileEndOfFileInformation);
}

/* Everything from the one file to the other. */
static NTSTATUS HsmCopy(PFLT_INSTANCE Instance, PFILE_OBJECT From, PFILE_OBJECT To, ULONG Size)
{
    LARGE_INTEGER Start = {.QuadPart = 0};
    ULONG Whole, Read = 0, Written = 0;
    NTSTATUS Status;
    PVOID Buffer;

    if (Size == 0)
        return STATUS_SUCCESS;
    /* Whole pages: the target may be open without the cache. */
    Whole = (ULONG)ROUND_TO_PAGES(Size);
    Buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED, Whole, HSM_TAG);
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = FltReadFile(Instance, From, &Start, Size, Buffer, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, &Read,
                         NULL, NULL);
    if (NT_SUCCESS(Status) && Read != Size)
        Status = STATUS_FILE_CORRUPT_ERROR;
    if (NT_SUCCESS(Status))
        Status = FltWriteFile(Instance, To, &Start, Whole, Buffer, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET,
                              &Written, NULL, NULL);
    if (NT_SUCCESS(Status))
        Status = HsmSetSize(Instance, To, Size);
    ExFreePoolWithTag(Buffer, HSM_TAG);
    return Status;
}

static NTSTATUS HsmSendAway(PFLT_INSTANCE Instance, PUNICODE_STRING Volume, PUNICODE_STRING Name)
{
    HANDLE Handle = NULL, StoreHandle = NULL;
    PFILE_OBJECT File = NULL, Store = NULL;
    FILE_STANDARD_INFORMATION Standard;
    HSM_PLACE Place;
    NTSTATUS Status;

    PAGED_CODE();
    Status = HsmOpen(Instance, Name, FILE_READ_DATA | FILE_WRITE_DATA, FILE_OPEN, &Handle, &File);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltQueryInformationFile(Instance, File, &Standard, sizeof(Standard), FileStandardInformation, NULL);
    if (NT_SUCCESS(Status) && Standard.EndOfFile.QuadPart > HSM_MAX_SIZE)
        Status = STATUS_FILE_TOO_LARGE;
    if (!NT_SUCCESS(Status))
        goto Exit;
    Place.Number = InterlockedIncrement(&HsmNumber);
    Place.Size = Standard.EndOfFile.LowPart;
    Status = HsmOpenStore(Instance, Volume, Place.Number, TRUE, &StoreHandle, &Store);
    if (NT_SUCCESS(Status))
        Status = HsmCopy(Instance, File, Store, Place.Size);
    if (NT_SUCCESS(Status))
        Status = FltFlushBuffers(Instance, Store);
    if (NT_SUCCESS(Status))
        Status = FltTagFile(Instance, File, HSM_REPARSE_TAG, &HsmGuid, &Place, sizeof(Place));
    if (NT_SUCCESS(Status))
        Status = HsmSetSize(Instance, File, 0);
    if (NT_SUCCESS(Status))
        Status = HsmSetSize(Instance, File, Place.Size);

Exit:
    HsmCloseFile(StoreHandle, Store);
    HsmCloseFile(Handle, File);
    return Status;
}

/* The reparse point goes by a file object that is open for writing, which the caller's need not be: the file once more, by its number. */
static NTSTATUS HsmUntag(PCFLT_RELATED_OBJECTS FltObjects, PCUNICODE_STRING Volume)
{
    DECLARE_UNICODE_STRING_SIZE(Name, 110);
    FILE_INTERNAL_INFORMATION Internal;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT File = NULL;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    Status = FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Internal, sizeof(Internal),
                                     FileInternalInformation, NULL);
    if (NT_SUCCESS(Status))
        Status = RtlUnicodeStringPrintf(&Name, L"%wZ\\", Volume);
    if (NT_SUCCESS(Status) && Name.MaximumLength - Name.Length < sizeof(Internal.IndexNumber))
        Status = STATUS_BUFFER_OVERFLOW;
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory((PUCHAR)Name.Buffer + Name.Length, &Internal.IndexNumber, sizeof(Internal.IndexNumber));
    Name.Length += sizeof(Internal.IndexNumber);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = FltCreateFileEx(HsmFilter, FltObjects->Instance, &Handle, &File, FILE_WRITE_DATA | SYNCHRONIZE,
                             &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, FILE_OPEN,
                             FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT |
                                 FILE_OPEN_BY_FILE_ID,
                             NULL, 0, IO_IGNORE_SHARE_ACCESS_CHECK);
    if (NT_SUCCESS(Status))
        Status = FltUntagFile(FltObjects->Instance, File, HSM_REPARSE_TAG, &HsmGuid);
    HsmCloseFile(Handle, File);
    return Status;
}

/* With the stream's mutex: at APC_LEVEL nothing of the below could be done, so it guards the flag alone, and an open store the rest. */
static NTSTATUS HsmBringBack(PCFLT_RELATED_OBJECTS FltObjects, PHSM_STREAM Stream)
{
    DECLARE_UNICODE_STRING_SIZE(Volume, 100);
    HANDLE StoreHandle = NULL;
    PFILE_OBJECT Store = NULL;
    NTSTATUS Status;

    Status = FltGetVolumeName(FltObjects->Volume, &Volume, NULL);
    if (NT_SUCCESS(Status))
        Status = HsmOpenStore(FltObjects->Instance, &Volume, Stream->Place.Number, FALSE, &StoreHandle, &Store);
    if (NT_SUCCESS(Status))
        Status = HsmCopy(FltObjects->Instance, Store, FltObjects->FileObject, Stream->Place.Size);
    if (NT_SUCCESS(Status))
        Status = HsmUntag(FltObjects, &Volume);
    if (NT_SUCCESS(Status)) {
        FILE_DISPOSITION_INFORMATION Disposition = {TRUE};

        (VOID) FltSetInformationFile(FltObjects->Instance, Store, &Disposition, sizeof(Disposition),
                                     FileDispositionInformation);
        InterlockedIncrement(&HsmRecalls);
        DbgPrint("hsm: recalled %u bytes\n", Stream->Place.Size);
    } else {
        DbgPrint("hsm: not recalled: 0x%08X\n", Status);
    }
    HsmCloseFile(StoreHandle, Store);
    return Status;
}

static KEVENT HsmTurn; /* one recall at a time; a synchronization event, as a mutex would disable APCs */

static NTSTATUS HsmRecall(PCFLT_RELATED_OBJECTS FltObjects, PHSM_STREAM Stream)
{
    NTSTATUS Status = STATUS_SUCCESS;

    KeWaitForSingleObject(&HsmTurn, Executive, KernelMode, FALSE, NULL);
    if (Stream->Away) {
        Status = HsmBringBack(FltObjects, Stream);
        ExAcquireFastMutex(&Stream->Mutex);
        if (NT_SUCCESS(Status))
            Stream->Away = FALSE;
        ExReleaseFastMutex(&Stream->Mutex);
    }
    KeSetEvent(&HsmTurn, IO_NO_INCREMENT, FALSE);
    return Status;
}

/* --- Operations --- */

static FLT_PREOP_CALLBACK_STATUS HsmPreCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    return FlagOn(Data->Iopb->Parameters.Create.Options, FILE_OPEN_REPARSE_POINT) ? FLT_PREOP_SUCCESS_NO_CALLBACK
                                                                                  : FLT_PREOP_SYNCHRONIZE;
}

static BOOLEAN HsmIsOurs(_In_opt_ PFLT_TAG_DATA_BUFFER TagData, _Out_ PHSM_PLACE Place)
{
    if (TagData == NULL || TagData->FileTag != HSM_REPARSE_TAG || TagData->UnparsedNameLength != 0 ||
        !IsEqualGUID(&TagData->GenericGUIDReparseBuffer.TagGuid, &HsmGuid) || TagData->TagDataLength < sizeof(*Place))
        return FALSE;
    RtlCopyMemory(Place, TagData->GenericGUIDReparseBuffer.DataBuffer, sizeof(*Place));
    return TRUE;
}

static FLT_POSTOP_CALLBACK_STATUS HsmPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PHSM_STREAM Stream, Old = NULL;
    HSM_PLACE Place;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || Data->IoStatus.Status != STATUS_REPARSE ||
        !HsmIsOurs(Data->TagData, &Place))
        return FLT_POSTOP_FINISHED_PROCESSING;
    SetFlag(Data->Iopb->Parameters.Create.Options, FILE_OPEN_REPARSE_POINT);
    FltSetCallbackDataDirty(Data);
    FltReissueSynchronousIo(FltObjects->Instance, Data);
    if (!NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;
    Status =
        FltAllocateContext(HsmFilter, FLT_STREAM_CONTEXT, sizeof(*Stream), NonPagedPoolNx, (PFLT_CONTEXT *)&Stream);
    if (NT_SUCCESS(Status)) {
        ExInitializeFastMutex(&Stream->Mutex);
        Stream->Away = TRUE;
        Stream->Place = Place;
        Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                     Stream, (PFLT_CONTEXT *)&Old);
        FltReleaseContext(Stream);
        if (Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED) {
            ExAcquireFastMutex(&Old->Mutex);
            if (Old->Place.Number != Place.Number) { /* sent away again since */
                Old->Place = Place;
                Old->Away = TRUE;
            }
            ExReleaseFastMutex(&Old->Mutex);
            FltReleaseContext(Old);
            Status = STATUS_SUCCESS;
        }
    }
    if (!NT_SUCCESS(Status)) { /* an open that would read zeros is none */
        FltCancelFileOpen(FltObjects->Instance, FltObjects->FileObject);
        Data->IoStatus.Status = Status;
        Data->IoStatus.Information = 0;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* Of reads, writes, new sizes and sections: whoever wants what is away. */
static FLT_PREOP_CALLBACK_STATUS HsmPreWant(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                            _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PHSM_STREAM Stream;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (Data->Iopb->MajorFunction == IRP_MJ_SET_INFORMATION &&
        Data->Iopb->Parameters.SetFileInformation.FileInformationClass != FileEndOfFileInformation &&
        Data->Iopb->Parameters.SetFileInformation.FileInformationClass != FileAllocationInformation)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (!NT_SUCCESS(FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Stream)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Stream->Away)
        Status = HsmRecall(FltObjects, Stream);
    FltReleaseContext(Stream);
    if (NT_SUCCESS(Status))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

/* --- The port: a path is sent away --- */

static NTSTATUS HsmMessage(PVOID PortCookie, PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                           ULONG OutputBufferLength, PULONG ReturnOutputBufferLength)
{
    UNICODE_STRING Volume, Name;
    PFLT_INSTANCE Instance = NULL;
    PFLT_VOLUME FltVolume = NULL;
    USHORT Index, Slashes = 0;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(PortCookie);
    UNREFERENCED_PARAMETER(OutputBuffer);
    UNREFERENCED_PARAMETER(OutputBufferLength);
    *ReturnOutputBufferLength = 0;
    if (InputBuffer == NULL || InputBufferLength == 0 || InputBufferLength > 1024 ||
        InputBufferLength % sizeof(WCHAR) != 0)
        return STATUS_INVALID_PARAMETER;
    Name.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, InputBufferLength, HSM_TAG);
    if (Name.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Name.Length = Name.MaximumLength = (USHORT)InputBufferLength;
    __try {
        RtlCopyMemory(Name.Buffer, InputBuffer, InputBufferLength);
        Status = STATUS_SUCCESS;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status)) {
        for (Index = 0; Index < Name.Length / sizeof(WCHAR); Index++)
            if (Name.Buffer[Index] == L'\\' && ++Slashes == 3)
                break;
        Volume = Name;
        Volume.Length = Index * sizeof(WCHAR);
        Status = FltGetVolumeFromName(HsmFilter, &Volume, &FltVolume);
    }
    if (NT_SUCCESS(Status))
        Status = FltGetVolumeInstanceFromName(HsmFilter, FltVolume, NULL, &Instance);
    if (NT_SUCCESS(Status))
        Status = HsmSendAway(Instance, &Volume, &Name);
    if (Instance != NULL)
        FltObjectDereference(Instance);
    if (FltVolume != NULL)
        FltObjectDereference(FltVolume);
    ExFreePoolWithTag(Name.Buffer, HSM_TAG);
    return Status;
}

static NTSTATUS HsmConnect(_In_ PFLT_PORT ClientPort, _In_opt_ PVOID ServerPortCookie, _In_opt_ PVOID Context,
                           _In_ ULONG Size, _Outptr_result_maybenull_ PVOID *ConnectionPortCookie)
{
    UNREFERENCED_PARAMETER(ServerPortCookie);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Size);
    *ConnectionPortCookie = ClientPort; /* one of several */
    return STATUS_SUCCESS;
}

static VOID HsmDisconnect(_In_opt_ PVOID ConnectionCookie)
{
    PFLT_PORT ClientPort = ConnectionCookie;

    FltCloseClientPort(HsmFilter, &ClientPort);
}

static NTSTATUS HsmUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltCloseCommunicationPort(HsmServerPort);
    FltUnregisterFilter(HsmFilter);
    DbgPrint("hsm: %d recalls\n", HsmRecalls);
    return STATUS_SUCCESS;
}

static CONST FLT_OPERATION_REGISTRATION HsmOperations[] = {
    {IRP_MJ_CREATE, 0, HsmPreCreate, HsmPostCreate},
    {IRP_MJ_READ, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, HsmPreWant, NULL},
    {IRP_MJ_WRITE, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, HsmPreWant, NULL},
    {IRP_MJ_SET_INFORMATION, 0, HsmPreWant, NULL},
    {IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, 0, HsmPreWant, NULL},
    {IRP_MJ_OPERATION_END},
};

static CONST FLT_CONTEXT_REGISTRATION HsmContexts[] = {
    {FLT_STREAM_CONTEXT, 0, NULL, sizeof(HSM_STREAM), HSM_TAG},
    {FLT_CONTEXT_END},
};

static CONST FLT_REGISTRATION HsmRegistration = {
    sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, HsmContexts, HsmOperations, HsmUnload,
};

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(L"\\HsmPort");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&HsmTurn, SynchronizationEvent, TRUE);
    Status = FltRegisterFilter(DriverObject, &HsmRegistration, &HsmFilter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
    if (NT_SUCCESS(Status)) {
        InitializeObjectAttributes(&Attributes, &PortName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
        Status = FltCreateCommunicationPort(HsmFilter, &HsmServerPort, &Attributes, NULL, HsmConnect, HsmDisconnect,
                                            HsmMessage, 4);
        FltFreeSecurityDescriptor(Descriptor);
    }
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(HsmFilter);
        if (!NT_SUCCESS(Status))
            FltCloseCommunicationPort(HsmServerPort);
    }
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(HsmFilter);
    return Status;
}

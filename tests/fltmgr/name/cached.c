/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cache of names.  A control code of the scenario's makes the instance "high" ask for the name of the file that it is sent
 * to; "low" counts what the file system is asked.  The filter does not register for IRP_MJ_SET_INFORMATION.
 */
#include "../../inc/minifilter.h"

#define ASK_CODE CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0xC00, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _ASK {
    ULONG Options;
    ULONG How;
} ASK, *PASK;

#define HOW_TOP_LEVEL  1 /* with a top-level IRP */
#define HOW_PURGE      2 /* after a purge of this instance's names */
#define HOW_PURGE_FILE 4
#define HOW_BELOW      16 /* and for one that is opened below the filter manager */
#define HOW_TWICE      8  /* whether two queries give the same information */
#define HOW_PURGE_AMID 32 /* a purge of all names while the file system is asked */

typedef struct _ANSWER {
    NTSTATUS Status;
    ULONG Asked; /* how often the file system has been */
    ULONG Same;
    ULONG Length;
    WCHAR Name[200];
} ANSWER, *PANSWER;

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static volatile LONG Asked;
static BOOLEAN PurgeAmid;

static ULONG IsSame(PFLT_CALLBACK_DATA Data, FLT_FILE_NAME_OPTIONS Options, PFLT_FILE_NAME_INFORMATION First)
{
    PFLT_FILE_NAME_INFORMATION Second;
    ULONG Same = 0;

    if (NT_SUCCESS(FltGetFileNameInformation(Data, Options, &Second))) {
        FvCheck(RtlEqualUnicodeString(&First->Name, &Second->Name, FALSE));
        Same = First == Second;
        FltReleaseFileNameInformation(Second);
    }
    return Same;
}

/* A file that is opened below the filter manager, which will not see its end: its name is not kept. */
static VOID AskBelow(PCFLT_RELATED_OBJECTS FltObjects)
{
    PDEVICE_OBJECT FileSystem = IoGetBaseFileSystemDeviceObject(FltObjects->FileObject);
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\dir");
    FLT_FILE_NAME_OPTIONS Only = FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_CACHE_ONLY;
    PFLT_FILE_NAME_INFORMATION Name;
    OBJECT_ATTRIBUTES Attributes;
    PFILE_OBJECT FileObject;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(IoCreateFileSpecifyDeviceObjectHint(
                &Handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, 7, FILE_OPEN,
                FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL,
                IO_NO_PARAMETER_CHECKING, FileSystem) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&FileObject, NULL) ==
            STATUS_SUCCESS);
    FvCheck(FltGetFileNameInformationUnsafe(FileObject, High, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT,
                                            &Name) == STATUS_SUCCESS);
    FltReleaseFileNameInformation(Name);
    FvCheck(FltGetFileNameInformationUnsafe(FileObject, High, Only, &Name) == STATUS_FLT_NAME_CACHE_MISS);
    ObDereferenceObject(FileObject);
    ZwClose(Handle);
}

static VOID Ask(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    ASK Question = *(PASK)Data->Iopb->Parameters.FileSystemControl.Buffered.SystemBuffer;
    PANSWER Answer = Data->Iopb->Parameters.FileSystemControl.Buffered.SystemBuffer;
    PFLT_FILE_NAME_INFORMATION Name = NULL;

    if (FlagOn(Question.How, HOW_BELOW))
        AskBelow(FltObjects);
    if (FlagOn(Question.How, HOW_PURGE))
        FvCheck(FltPurgeFileNameInformationCache(Low, NULL) == STATUS_SUCCESS);
    if (FlagOn(Question.How, HOW_PURGE_FILE))
        FvCheck(FltPurgeFileNameInformationCache(Low, FltObjects->FileObject) == STATUS_SUCCESS);
    if (FlagOn(Question.How, HOW_TOP_LEVEL))
        IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    RtlZeroMemory(Answer, sizeof(*Answer));
    Asked = 0;
    PurgeAmid = FlagOn(Question.How, HOW_PURGE_AMID) != 0;
    Answer->Status = FltGetFileNameInformation(Data, Question.Options, &Name);
    Answer->Asked = Asked;
    if (NT_SUCCESS(Answer->Status)) {
        if (FlagOn(Question.How, HOW_TWICE))
            Answer->Same = IsSame(Data, Question.Options, Name);
        Answer->Length = min(Name->Name.Length, sizeof(Answer->Name));
        RtlCopyMemory(Answer->Name, Name->Name.Buffer, Answer->Length);
        FltReleaseFileNameInformation(Name);
    }
    IoSetTopLevelIrp(NULL);
}

static FLT_PREOP_CALLBACK_STATUS PreControl(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (FltObjects->Instance != High || Data->Iopb->MinorFunction != IRP_MN_USER_FS_REQUEST ||
        Data->Iopb->Parameters.FileSystemControl.Common.FsControlCode != ASK_CODE)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Ask(Data, FltObjects);
    Data->IoStatus.Status = STATUS_SUCCESS;
    Data->IoStatus.Information = sizeof(ANSWER);
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS PreQuery(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    FILE_INFORMATION_CLASS Class = Data->Iopb->Parameters.QueryFileInformation.FileInformationClass;

    if (FltObjects->Instance == Low && (Class == FileNameInformation || Class == FileNormalizedNameInformation ||
                                        Class == FileAlternateNameInformation)) {
        InterlockedIncrement(&Asked);
        if (PurgeAmid)
            FvCheck(FltPurgeFileNameInformationCache(Low, NULL) == STATUS_SUCCESS);
        PurgeAmid = FALSE;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* Where the file system cannot be asked any more. */
static FLT_PREOP_CALLBACK_STATUS PreClose(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFLT_FILE_NAME_INFORMATION Name;
    NTSTATUS Status, Normally;

    if (FltObjects->Instance != High || !FlagOn(FltObjects->FileObject->Flags, FO_CLEANUP_COMPLETE))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Normally = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name);
    Status =
        FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP, &Name);
    if (NT_SUCCESS(Status)) {
        DbgPrint("cached: pre-close 0x%08X %wZ\n", Normally, &Name->Name);
        FltReleaseFileNameInformation(Name);
    } else {
        DbgPrint("cached: pre-close 0x%08X 0x%08X\n", Normally, Status);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"high");
    PFLT_INSTANCE Found;

    if (NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, FltObjects->Volume, &Name, &Found))) {
        FltObjectDereference(Found);
        if (Found == FltObjects->Instance)
            High = Found;
    }
    if (High != FltObjects->Instance)
        Low = FltObjects->Instance;
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .PreOperation = PreControl},
    {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = PreQuery},
    {.MajorFunction = IRP_MJ_CLOSE, .PreOperation = PreClose},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Plan = ReadNumber(RegistryPath, L"Plan");
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    if (Plan != 0)
        FvTestPlan(Plan);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

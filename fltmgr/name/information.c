/* SPDX-License-Identifier: GPL-2.0-or-later */
/* information.c: asking for a file's name, and when that is refused.  IRQL: <= APC_LEVEL. */
#include <name.h>

static FAST_MUTEX FltpNameLock;
static LIST_ENTRY FltpNames; /* FltpNameLock */

VOID FltpInitializeNames(VOID)
{
    ExInitializeFastMutex(&FltpNameLock);
    InitializeListHead(&FltpNames);
    FltpInitializeNameCache();
}

/* --- Its life --- */

static PFLTP_FILE_NAME FltpNewName(ULONG Length)
{
    PFLTP_FILE_NAME Name = ExAllocatePoolWithTag(PagedPool, sizeof(*Name) + Length, FLTP_TAG_FILE_NAME);

    if (Name == NULL)
        return NULL;
    RtlZeroMemory(Name, sizeof(*Name));
    Name->Magic = FLTP_MAGIC_FILE_NAME;
    Name->References = 1;
    InitializeListHead(&Name->Link);
    Name->Information.Size = sizeof(Name->Information);
    Name->Information.Name.Buffer = Name->Text;
    Name->Information.Name.MaximumLength = (USHORT)Length;
    return Name;
}

static PFLTP_FILE_NAME FltpNameOf(PFLT_FILE_NAME_INFORMATION Information, PVOID Caller)
{
    PFLTP_FILE_NAME Name = CONTAINING_RECORD(Information, FLTP_FILE_NAME, Information);

    if (Information != NULL && MmIsAddressValid(Name) && Name->Magic == FLTP_MAGIC_FILE_NAME && Name->References > 0)
        return Name;
    FvBlame(Caller);
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NAME_OVER_RELEASED, 0, (ULONG_PTR)Information, 0,
                  "rule=What was given is no file name information, or was released too often\n");
}

VOID FLTAPI FltReferenceFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
    InterlockedIncrement(&FltpNameOf(FileNameInformation, _ReturnAddress())->References);
}

VOID FltpDropName(PFLTP_FILE_NAME Name)
{
    if (InterlockedDecrement(&Name->References) > 0)
        return;
    if (!IsListEmpty(&Name->Link)) {
        ExAcquireFastMutex(&FltpNameLock);
        RemoveEntryList(&Name->Link);
        ExReleaseFastMutex(&FltpNameLock);
    }
    Name->Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Name, FLTP_TAG_FILE_NAME);
}

VOID FLTAPI FltReleaseFileNameInformation(PFLT_FILE_NAME_INFORMATION FileNameInformation)
{
    FltpDropName(FltpNameOf(FileNameInformation, _ReturnAddress()));
}

VOID FltpCheckNamesAtUnload(PUCHAR Start, PUCHAR End)
{
    PFLTP_FILE_NAME Left = NULL;
    ULONG Count = 0;

    ExAcquireFastMutex(&FltpNameLock);
    for (PLIST_ENTRY Link = FltpNames.Flink; Link != &FltpNames; Link = Link->Flink) {
        PFLTP_FILE_NAME Name = CONTAINING_RECORD(Link, FLTP_FILE_NAME, Link);

        if ((PUCHAR)Name->TakenBy[0] >= Start && (PUCHAR)Name->TakenBy[0] < End) {
            Left = Name;
            Count++;
        }
    }
    ExReleaseFastMutex(&FltpNameLock);
    if (Count == 0)
        return;
    FltpReportStack("taken", Left->TakenBy);
    FvBlame(Left->TakenBy[0]);
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NAME_LEFT, (ULONG_PTR)&Left->Information, 0, Count,
                  "rule=File name information was never released, and its driver is unloaded\n");
}

/* --- What it becomes --- */

/* The volume's part is known. */
static PFLTP_FILE_NAME FltpMakeInformation(PCUNICODE_STRING Text, USHORT VolumeLength, FLT_FILE_NAME_OPTIONS Format)
{
    PFLTP_FILE_NAME Name = FltpNewName(Text->Length);

    if (Name == NULL)
        return NULL;
    RtlCopyUnicodeString(&Name->Information.Name, Text);
    Name->Information.Format = Format;
    if (VolumeLength != 0) {
        Name->Information.Volume.Buffer = Name->Text;
        Name->Information.Volume.Length = Name->Information.Volume.MaximumLength = VolumeLength;
    }
    return Name;
}

static PFLTP_FILE_NAME FltpNameFromControl(const FLTP_NAME_QUERY *Query, const FLT_NAME_CONTROL *Control)
{
    BOOLEAN Whole = RtlPrefixUnicodeString(&Query->Volume->Name, &Control->Name, TRUE);

    return FltpMakeInformation(&Control->Name, Whole ? Query->Volume->Name.Length : 0,
                               FltGetFileNameFormat(Query->Options));
}

/* The caller's reference becomes a filter's.  Caller: the filter's call; with Deep, those above it are noted as well. */
static VOID FltpGiveName(PFLTP_FILE_NAME Name, PVOID Caller, BOOLEAN Deep, PFLT_FILE_NAME_INFORMATION *Information)
{
    if (FltpVerify) {
        if (Deep)
            FltpCaptureStack(2, Name->TakenBy);
        Name->TakenBy[0] = Caller;
        ExAcquireFastMutex(&FltpNameLock);
        InsertTailList(&FltpNames, &Name->Link);
        ExReleaseFastMutex(&FltpNameLock);
    }
    *Information = &Name->Information;
}

NTSTATUS FltpPublishName(const FLTP_NAME_QUERY *Query, const FLT_NAME_CONTROL *Control,
                         PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller)
{
    PFLTP_FILE_NAME Name = FltpNameFromControl(Query, Control);

    if (Name == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FltpGiveName(Name, Caller, TRUE, Information);
    return STATUS_SUCCESS;
}

/* One that the cache keeps, and the caller has a reference to.  With the verifier a filter gets a copy. */
static NTSTATUS FltpShareName(PFLTP_FILE_NAME Kept, PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller)
{
    PFLTP_FILE_NAME Copy;

    if (!FltpVerify) {
        *Information = &Kept->Information;
        return STATUS_SUCCESS;
    }
    Copy = FltpMakeInformation(&Kept->Information.Name, Kept->Information.Volume.Length, Kept->Information.Format);
    FltpDropName(Kept);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FltpGiveName(Copy, Caller, FALSE, Information);
    return STATUS_SUCCESS;
}

/* Documented: the create opens the directory that the name is in. */
static VOID FltpCutLastComponent(PUNICODE_STRING Name, USHORT Least)
{
    while (Name->Length > Least && Name->Buffer[Name->Length / sizeof(WCHAR) - 1] != '\\')
        Name->Length -= sizeof(WCHAR);
    if (Name->Length > Least + sizeof(WCHAR))
        Name->Length -= sizeof(WCHAR); /* the root keeps its backslash */
}

NTSTATUS FltpCheckNameOptions(FLT_FILE_NAME_OPTIONS Options)
{
    FLT_FILE_NAME_OPTIONS Format = FltGetFileNameFormat(Options), Method = FltGetFileNameQueryMethod(Options);

    if (Format < FLT_FILE_NAME_NORMALIZED || Format > FLT_FILE_NAME_SHORT || Method < FLT_FILE_NAME_QUERY_DEFAULT ||
        Method > FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* Asks for it and keeps it, where that is wanted. */
static NTSTATUS FltpAskName(PFLTP_NAME_QUERY Query, BOOLEAN Directory, BOOLEAN Keep,
                            PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller)
{
    FLT_NAME_CONTROL Name = {0};
    BOOLEAN NotKept = FALSE;
    PFLTP_FILE_NAME Kept;
    NTSTATUS Status;

    Query->NotKept = &NotKept;
    Status = FltpMakeName(Query, &Name);
    if (NT_SUCCESS(Status) && Directory)
        FltpCutLastComponent(&Name.Name, Query->Volume->Name.Length);
    if (NT_SUCCESS(Status))
        Status = FltpPublishName(Query, &Name, Information, Caller);
    if (NT_SUCCESS(Status) && Keep && !NotKept) {
        /* A name that cannot be kept for want of memory is asked for again. */
        Kept = FltpVerify ? FltpNameFromControl(Query, &Name)
                          : CONTAINING_RECORD(*Information, FLTP_FILE_NAME, Information);
        if (Kept != NULL)
            FltpCacheName(Query, Kept);
        if (Kept != NULL && FltpVerify)
            FltpDropName(Kept);
    }
    FltpFreeNameControl(&Name);
    return Status;
}

/* May: the file system may be asked.  Only the names of files that are open are kept. */
static NTSTATUS FltpQueryName(PFLTP_NAME_QUERY Query, BOOLEAN Directory, BOOLEAN May,
                              PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller)
{
    FLT_FILE_NAME_OPTIONS Method = FltGetFileNameQueryMethod(Query->Options);
    BOOLEAN Keeps = Method != FLT_FILE_NAME_QUERY_FILESYSTEM_ONLY && !Query->Unopened &&
                    Query->FileObject->FsContext != NULL &&
                    !FlagOn(Query->Options, FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER);
    PFLTP_FILE_NAME Kept;

    if (Keeps) {
        FltpBeginNameQuery(Query);
        Kept = FltpFindCachedName(Query);
        if (Kept != NULL)
            return FltpShareName(Kept, Information, Caller);
    }
    if (!May || Method == FLT_FILE_NAME_QUERY_CACHE_ONLY)
        return STATUS_FLT_NAME_CACHE_MISS;
    return FltpAskName(Query, Directory, Keeps && !FlagOn(Query->Options, FLT_FILE_NAME_DO_NOT_CACHE), Information,
                       Caller);
}

/* --- Asking --- */

/* Documented: where the file system cannot be asked. */
static BOOLEAN FltpCannotAsk(PFLT_CALLBACK_DATA Data)
{
    BOOLEAN Post = FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION) != 0;

    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_ACQUIRE_FOR_CC_FLUSH:
    case IRP_MJ_ACQUIRE_FOR_MOD_WRITE:
    case IRP_MJ_RELEASE_FOR_CC_FLUSH:
    case IRP_MJ_RELEASE_FOR_MOD_WRITE:
    case IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION: return TRUE;
    case IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION:
        if (Post)
            return TRUE;
        break;
    }
    return FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) || IoGetTopLevelIrp() != NULL ||
           FlagOn(Data->Iopb->TargetFileObject->Flags, FO_CLEANUP_COMPLETE) || KeAreAllApcsDisabled();
}

/* A create that goes on elsewhere has opened nothing. */
static BOOLEAN FltpIsReparsed(PFLT_CALLBACK_DATA Data)
{
    return Data->Iopb->MajorFunction == IRP_MJ_CREATE && FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION) &&
           Data->IoStatus.Status == STATUS_REPARSE;
}

/* A question about a file without opening it has a file object that is never open. */
static BOOLEAN FltpIsUnopened(PFLT_CALLBACK_DATA Data)
{
    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_CREATE: return !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION) || FltpIsReparsed(Data);
    case IRP_MJ_NETWORK_QUERY_OPEN:
    case IRP_MJ_QUERY_OPEN: return TRUE;
    default: return FALSE;
    }
}

NTSTATUS FLTAPI FltGetFileNameInformation(PFLT_CALLBACK_DATA CallbackData, FLT_FILE_NAME_OPTIONS NameOptions,
                                          PFLT_FILE_NAME_INFORMATION *FileNameInformation)
{
    FLTP_NAME_QUERY Query = {.Data = CallbackData, .Options = NameOptions};
    BOOLEAN May;
    NTSTATUS Status;

    if (FileNameInformation == NULL)
        return STATUS_INVALID_PARAMETER;
    *FileNameInformation = NULL;
    if (CallbackData == NULL || CallbackData->Iopb->TargetFileObject == NULL)
        return STATUS_INVALID_PARAMETER;
    Status = FltpCheckNameOptions(NameOptions);
    if (!NT_SUCCESS(Status))
        return Status;
    if (FltpIsReparsed(CallbackData) && !FlagOn(NameOptions, FLT_FILE_NAME_ALLOW_QUERY_ON_REPARSE))
        return STATUS_FLT_INVALID_NAME_REQUEST; /* the file object's name may be another's by now */
    May = !FltpCannotAsk(CallbackData);
    if (!May && FltGetFileNameQueryMethod(NameOptions) != FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP &&
        FltGetFileNameQueryMethod(NameOptions) != FLT_FILE_NAME_QUERY_CACHE_ONLY)
        return STATUS_FLT_INVALID_NAME_REQUEST;
    Query.Unopened = FltpIsUnopened(CallbackData);
    Query.Instance = CallbackData->Iopb->TargetInstance;
    Query.Volume = Query.Instance->Volume;
    Query.FileObject = CallbackData->Iopb->TargetFileObject;
    return FltpQueryName(&Query, Query.Unopened && FlagOn(CallbackData->Iopb->OperationFlags, SL_OPEN_TARGET_DIRECTORY),
                         May, FileNameInformation, _ReturnAddress());
}

/* Without an instance the file object's own volume; one that is not open has none. */
NTSTATUS FLTAPI FltGetFileNameInformationUnsafe(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance,
                                                FLT_FILE_NAME_OPTIONS NameOptions,
                                                PFLT_FILE_NAME_INFORMATION *FileNameInformation)
{
    FLTP_NAME_QUERY Query = {.Instance = Instance, .FileObject = FileObject, .Options = NameOptions};
    NTSTATUS Status;

    if (FileNameInformation == NULL)
        return STATUS_INVALID_PARAMETER;
    *FileNameInformation = NULL;
    Status = FltpCheckNameOptions(NameOptions);
    if (!NT_SUCCESS(Status))
        return Status;
    if (FileObject->DeviceObject == NULL || FileObject->FsContext == NULL)
        return STATUS_FLT_INVALID_NAME_REQUEST;
    if (Instance != NULL) {
        Query.Volume = Instance->Volume;
        return FltpQueryName(&Query, FALSE, TRUE, FileNameInformation, _ReturnAddress());
    }
    Status = FltGetVolumeFromFileObject(NULL, FileObject, &Query.Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpQueryName(&Query, FALSE, TRUE, FileNameInformation, _ReturnAddress());
    FltObjectDereference(Query.Volume);
    return Status;
}

/* Whether names may be tunneled by this. */
static BOOLEAN FltpMakesName(const FLT_IO_PARAMETER_BLOCK *Iopb)
{
    if (Iopb->MajorFunction == IRP_MJ_CREATE)
        return TRUE;
    switch (Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx: return TRUE;
    default: return FALSE;
    }
}

/* The last component of a link's name is its directory's to tell: the file has the name that it was opened by. */
static BOOLEAN FltpIsLink(const FLT_IO_PARAMETER_BLOCK *Iopb)
{
    return Iopb->MajorFunction == IRP_MJ_SET_INFORMATION &&
           (Iopb->Parameters.SetFileInformation.FileInformationClass == FileLinkInformation ||
            Iopb->Parameters.SetFileInformation.FileInformationClass == FileLinkInformationEx);
}

static NTSTATUS FltpNameOfLinkNow(const FLTP_NAME_QUERY *Query, PCUNICODE_STRING Before,
                                  PFLT_FILE_NAME_INFORMATION *Now, PVOID Caller)
{
    FLT_NAME_CONTROL Name = {0};
    NTSTATUS Status = FltpAppendName(&Name, Before);

    if (NT_SUCCESS(Status))
        Status = FltpNormalizeByParent(Query, &Name);
    if (NT_SUCCESS(Status))
        Status = FltpPublishName(Query, &Name, Now, Caller);
    FltpFreeNameControl(&Name);
    return Status;
}

/*
 * After a create, rename or link: the normalized name as it is now, when that is not the one that was asked for before,
 * as the file system gave the file another's long name.  NULL: the same.
 */
DECLSPEC_NOINLINE NTSTATUS FLTAPI FltGetTunneledName(PFLT_CALLBACK_DATA CallbackData,
                                                     PFLT_FILE_NAME_INFORMATION FileNameInformation,
                                                     PFLT_FILE_NAME_INFORMATION *RetTunneledFileNameInformation)
{
    FLTP_NAME_QUERY Query = {.Data = CallbackData, .Options = FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT};
    PFLT_IO_PARAMETER_BLOCK Iopb = CallbackData->Iopb;
    PFLT_FILE_NAME_INFORMATION Now;
    NTSTATUS Status;

    *RetTunneledFileNameInformation = NULL;
    if (FltpVerify && (!FlagOn(CallbackData->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION) ||
                       (Iopb->MajorFunction != IRP_MJ_CREATE && Iopb->MajorFunction != IRP_MJ_SET_INFORMATION)))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_IN_POST, (ULONG_PTR)CallbackData, 0, 0,
                      "rule=FltGetTunneledName was called elsewhere than in the post-callback of a create or of "
                      "IRP_MJ_SET_INFORMATION\n");
    if (FileNameInformation == NULL || FileNameInformation->Format != FLT_FILE_NAME_NORMALIZED ||
        !NT_SUCCESS(CallbackData->IoStatus.Status) || CallbackData->IoStatus.Status == STATUS_REPARSE ||
        !FltpMakesName(Iopb) || FltpCannotAsk(CallbackData))
        return STATUS_SUCCESS;
    Query.Instance = Iopb->TargetInstance;
    Query.Volume = Query.Instance->Volume;
    Query.FileObject = Iopb->TargetFileObject;
    if (FltpIsLink(Iopb))
        Status = FltpNameOfLinkNow(&Query, &FileNameInformation->Name, &Now, _ReturnAddress());
    else
        Status = FltpQueryName(&Query, FALSE, TRUE, &Now, _ReturnAddress());
    if (!NT_SUCCESS(Status))
        return Status;
    if (RtlEqualUnicodeString(&Now->Name, &FileNameInformation->Name, TRUE))
        FltReleaseFileNameInformation(Now);
    else
        *RetTunneledFileNameInformation = Now;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of files with short and long ones, before and after they are opened, and of destinations.  The filter's lower
 * instance is a file system of one directory with one file; its higher one asks.  With "Mode" a name provider stands
 * between the two (provider.c): 1, that gives all names; 2, that normalizes components.
 */
#include "../../inc/minifilter.h"

#define QUERY      FLT_FILE_NAME_QUERY_DEFAULT
#define OPENED     (FLT_FILE_NAME_OPENED | QUERY)
#define NORMALIZED (FLT_FILE_NAME_NORMALIZED | QUERY)
#define VOLUME     L"\\Device\\HarddiskVolume1"
#define TEXT(Text) (&(UNICODE_STRING)RTL_CONSTANT_STRING(Text))

typedef struct _NODE {
    UNICODE_STRING Long, Short, Path;
    const struct _NODE *Parent;
} NODE;

static const NODE Root = {{0}, {0}, RTL_CONSTANT_STRING(L"\\"), NULL};
static const NODE Directory = {RTL_CONSTANT_STRING(L"long directory"), RTL_CONSTANT_STRING(L"LONGDI~1"),
                               RTL_CONSTANT_STRING(L"\\long directory"), &Root};
static const NODE File = {RTL_CONSTANT_STRING(L"long name.txt"), RTL_CONSTANT_STRING(L"LONGNA~1.TXT"),
                          RTL_CONSTANT_STRING(L"\\long directory\\long name.txt"), &Directory};
static const NODE *const Nodes[] = {&Directory, &File};

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static ULONG Mode;
static ULONG Tunnels;
static BOOLEAN Normalizes; /* the file system has FileNormalizedNameInformation */
static FSRTL_ADVANCED_FCB_HEADER Header;

/* --- The file system --- */

static const NODE *FindChild(const NODE *Parent, PUNICODE_STRING Name)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Nodes); Index++) {
        if (Nodes[Index]->Parent == Parent && (RtlEqualUnicodeString(&Nodes[Index]->Long, Name, TRUE) ||
                                               RtlEqualUnicodeString(&Nodes[Index]->Short, Name, TRUE)))
            return Nodes[Index];
    }
    return NULL;
}

static const NODE *FindNode(PUNICODE_STRING Path)
{
    const NODE *Node = &Root;
    USHORT End = Path->Length / sizeof(WCHAR), At = 0;

    while (Node != NULL && At < End && Path->Buffer[At] != ':') {
        UNICODE_STRING Part;
        USHORT Next;

        if (Path->Buffer[At] == '\\') {
            At++;
            continue;
        }
        for (Next = At; Next < End && Path->Buffer[Next] != '\\' && Path->Buffer[Next] != ':'; Next++)
            continue;
        Part.Buffer = Path->Buffer + At;
        Part.Length = Part.MaximumLength = (USHORT)((Next - At) * sizeof(WCHAR));
        Node = FindChild(Node, &Part);
        At = Next;
    }
    return Node;
}

static FLT_PREOP_CALLBACK_STATUS Complete(PFLT_CALLBACK_DATA Data, NTSTATUS Status, ULONG_PTR Information)
{
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = Information;
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS Open(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    const NODE *Node = FindNode(&FileObject->FileName);

    if (Node == NULL)
        return Complete(Data, STATUS_OBJECT_NAME_NOT_FOUND, 0);
    FileObject->FsContext = &Header;
    FileObject->FsContext2 = (PVOID)Node;
    FileObject->Vpb = FileObject->DeviceObject->Vpb;
    return Complete(Data, STATUS_SUCCESS, FILE_OPENED);
}

static FLT_PREOP_CALLBACK_STATUS TellName(PFLT_CALLBACK_DATA Data, const UNICODE_STRING *Name)
{
    PFILE_NAME_INFORMATION Information = Data->Iopb->Parameters.QueryFileInformation.InfoBuffer;

    Information->FileNameLength = Name->Length;
    RtlCopyMemory(Information->FileName, Name->Buffer, Name->Length);
    return Complete(Data, STATUS_SUCCESS, FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + Name->Length);
}

static FLT_PREOP_CALLBACK_STATUS Tell(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    const NODE *Node = FileObject->FsContext2;

    switch (Data->Iopb->Parameters.QueryFileInformation.FileInformationClass) {
    case FileNameInformation: return TellName(Data, &FileObject->FileName);
    case FileNormalizedNameInformation:
        return Normalizes ? TellName(Data, &Node->Path) : Complete(Data, STATUS_INVALID_PARAMETER, 0);
    case FileAlternateNameInformation: return TellName(Data, &Node->Short);
    default: return Complete(Data, STATUS_INVALID_PARAMETER, 0);
    }
}

static FLT_PREOP_CALLBACK_STATUS List(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    PFILE_NAMES_INFORMATION Entry = Data->Iopb->Parameters.DirectoryControl.QueryDirectory.DirectoryBuffer;
    const NODE *Child =
        FindChild(FileObject->FsContext2, Data->Iopb->Parameters.DirectoryControl.QueryDirectory.FileName);

    if (Child == NULL)
        return Complete(Data, STATUS_NO_SUCH_FILE, 0);
    RtlZeroMemory(Entry, sizeof(*Entry));
    Entry->FileNameLength = Child->Long.Length;
    RtlCopyMemory(Entry->FileName, Child->Long.Buffer, Child->Long.Length);
    return Complete(Data, STATUS_SUCCESS, FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName) + Child->Long.Length);
}

static FLT_PREOP_CALLBACK_STATUS Serve(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    if (Data->Iopb->MajorFunction == IRP_MJ_CREATE)
        return FileObject->FileName.Length > 0 ? Open(Data, FileObject) : FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (FileObject->FsContext != &Header)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_QUERY_INFORMATION: return Tell(Data, FileObject);
    case IRP_MJ_DIRECTORY_CONTROL: return List(Data, FileObject);
    case IRP_MJ_CLEANUP: SetFlag(FileObject->Flags, FO_CLEANUP_COMPLETE); return Complete(Data, STATUS_SUCCESS, 0);
    default: return Complete(Data, STATUS_SUCCESS, 0);
    }
}

/* --- The asker --- */

static BOOLEAN Is(NTSTATUS Status, PFLT_FILE_NAME_INFORMATION Name, const UNICODE_STRING *Wanted)
{
    BOOLEAN Same = NT_SUCCESS(Status) && RtlEqualUnicodeString(&Name->Name, Wanted, FALSE);

    if (!Same)
        DbgPrint("paths: status 0x%08X, %wZ instead of %wZ\n", Status, NT_SUCCESS(Status) ? &Name->Name : NULL, Wanted);
    if (NT_SUCCESS(Status))
        FltReleaseFileNameInformation(Name);
    return Same;
}

static BOOLEAN HasName(PFLT_CALLBACK_DATA Data, FLT_FILE_NAME_OPTIONS Options, const UNICODE_STRING *Wanted)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    NTSTATUS Status = FltGetFileNameInformation(Data, Options, &Name);

    return Is(Status, Name, Wanted);
}

static BOOLEAN Becomes(PFILE_OBJECT FileObject, HANDLE In, PUNICODE_STRING New, FLT_FILE_NAME_OPTIONS Options,
                       const UNICODE_STRING *Wanted)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    NTSTATUS Status =
        FltGetDestinationFileNameInformation(High, FileObject, In, New->Buffer, New->Length, Options, &Name);

    return Is(Status, Name, Wanted);
}

static NTSTATUS Refused(PFILE_OBJECT FileObject, PUNICODE_STRING New, FLT_FILE_NAME_OPTIONS Options)
{
    PFLT_FILE_NAME_INFORMATION Name = (PVOID)1;
    NTSTATUS Status =
        FltGetDestinationFileNameInformation(High, FileObject, NULL, New->Buffer, New->Length, Options, &Name);

    FvCheck(Name == NULL);
    return Status;
}

static VOID CheckUnopened(PFLT_CALLBACK_DATA Data)
{
    static LONG Creates;
    PFLT_FILE_NAME_INFORMATION Name;

    switch (Creates++) {
    case 0:
        FvCheck(HasName(Data, OPENED, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT:s:$DATA")));
        FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt:s")));
        break;
    case 1: /* whose last component is not there */
        FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\new~1.txt")));
        break;
    case 2: /* whose path is not there */
        FvCheck(HasName(Data, OPENED, TEXT(VOLUME L"\\nowhere\\x")));
        FvCheck(FltGetFileNameInformation(Data, NORMALIZED, &Name) == STATUS_OBJECT_NAME_NOT_FOUND);
        break;
    case 3: FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt"))); break;
    }
}

static VOID CheckDestinations(PFILE_OBJECT FileObject)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    FvCheck(Becomes(FileObject, NULL, TEXT(L"other.txt"), OPENED, TEXT(VOLUME L"\\LONGDI~1\\other.txt")));
    FvCheck(Becomes(FileObject, NULL, TEXT(L"other.txt"), NORMALIZED, TEXT(VOLUME L"\\long directory\\other.txt")));
    FvCheck(
        Becomes(FileObject, NULL, TEXT(L"LONGNA~1.TXT"), NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt")));
    FvCheck(Becomes(FileObject, NULL, TEXT(L":new"), OPENED, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT:new")));
    FvCheck(Becomes(FileObject, NULL, TEXT(VOLUME L"\\LONGDI~1\\y"), OPENED, TEXT(VOLUME L"\\LONGDI~1\\y")));
    FvCheck(Becomes(FileObject, NULL, TEXT(L"\\??\\C:\\LONGDI~1\\y"), NORMALIZED, TEXT(VOLUME L"\\long directory\\y")));
    FvCheck(Becomes(FileObject, NULL, TEXT(L"\\LONGDI~1\\y"), NORMALIZED, TEXT(VOLUME L"\\long directory\\y")));
    FvCheck(Becomes(FileObject, NULL, TEXT(L"\\??\\C:\\top"), NORMALIZED, TEXT(VOLUME L"\\top")));
    FvCheck(Refused(FileObject, TEXT(L"\\??\\D:\\y"), OPENED) == STATUS_MOUNT_POINT_NOT_RESOLVED);
    FvCheck(Refused(FileObject, TEXT(L"\\Device\\HarddiskVolume2\\y"), OPENED) == STATUS_MOUNT_POINT_NOT_RESOLVED);
    InitializeObjectAttributes(&Attributes, TEXT(VOLUME L"\\LONGDI~1"), OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(FltCreateFile(Filter, High, &Handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, 7,
                          FILE_OPEN, FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, 0) == STATUS_SUCCESS);
    FvCheck(Becomes(FileObject, Handle, TEXT(L"z"), OPENED, TEXT(VOLUME L"\\LONGDI~1\\z")));
    FvCheck(Becomes(FileObject, Handle, TEXT(L"z"), NORMALIZED, TEXT(VOLUME L"\\long directory\\z")));
    FltClose(Handle);
    FvCheck(Refused(FileObject, TEXT(L"x"), FLT_FILE_NAME_SHORT | QUERY) == STATUS_FLT_INVALID_NAME_REQUEST);
    FvCheck(Refused(FileObject, TEXT(L"x"), QUERY) == STATUS_INVALID_PARAMETER);
    FvCheck(Refused(FileObject, TEXT(L"x"), FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_CACHE_ONLY) ==
            STATUS_FLT_NAME_CACHE_MISS);
    FvCheck(Refused(FileObject, TEXT(L""), OPENED) == STATUS_INVALID_PARAMETER);
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    FvCheck(Refused(FileObject, TEXT(L"x"), OPENED) == STATUS_FLT_INVALID_NAME_REQUEST);
    IoSetTopLevelIrp(NULL);
}

static VOID CheckOpened(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    NTSTATUS Status;

    FvCheck(HasName(Data, OPENED, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT")));
    FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt")));
    Normalizes = TRUE;
    FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt")));
    FvCheck(HasName(Data, FLT_FILE_NAME_SHORT | QUERY, TEXT(L"LONGNA~1.TXT")));
    Status = FltGetFileNameInformationUnsafe(FileObject, High, NORMALIZED, &Name);
    FvCheck(Is(Status, Name, TEXT(VOLUME L"\\long directory\\long name.txt")));
    Status = FltGetFileNameInformationUnsafe(FileObject, NULL, OPENED, &Name);
    FvCheck(Is(Status, Name, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT")));
    CheckDestinations(FileObject);
    Normalizes = FALSE;
}

/* With a provider below; see there. */
static VOID CheckProvided(PFLT_CALLBACK_DATA Data, PFILE_OBJECT FileObject)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    NTSTATUS Status;

    if (Mode == 1) {
        FvCheck(HasName(Data, OPENED, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT.p")));
        FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\long directory\\long name.txt.p")));
        FvCheck(HasName(Data, FLT_FILE_NAME_SHORT | QUERY, TEXT(L"LONGNA~1.TXT.p")));
        Status = FltGetFileNameInformationUnsafe(FileObject, High, OPENED, &Name);
        FvCheck(Is(Status, Name, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT.p")));
    } else {
        FvCheck(HasName(Data, OPENED, TEXT(VOLUME L"\\LONGDI~1\\LONGNA~1.TXT")));
        FvCheck(HasName(Data, NORMALIZED, TEXT(VOLUME L"\\n-LONGDI~1\\n-LONGNA~1.TXT")));
        FvCheck(Becomes(FileObject, NULL, TEXT(L"missing"), NORMALIZED, TEXT(VOLUME L"\\n-LONGDI~1\\missing")));
    }
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreAny(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (FltObjects->Instance == Low)
        return Serve(Data, FltObjects->FileObject);
    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Data->Iopb->MajorFunction == IRP_MJ_CREATE && Mode == 0)
        CheckUnopened(Data);
    if (Data->Iopb->MajorFunction == IRP_MJ_READ && Mode == 0)
        CheckOpened(Data, FltObjects->FileObject);
    if (Data->Iopb->MajorFunction == IRP_MJ_READ && Mode != 0)
        CheckProvided(Data, FltObjects->FileObject);
    return Data->Iopb->MajorFunction == IRP_MJ_CREATE ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* Nothing was tunneled, or what was asked for before has another name now. */
static FLT_POSTOP_CALLBACK_STATUS NTAPI PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                   PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL, Tunneled = (PVOID)1;

    if (FltObjects->Instance != High || Mode != 0 || !NT_SUCCESS(Data->IoStatus.Status) || Tunnels++ != 0)
        return FLT_POSTOP_FINISHED_PROCESSING;
    FvCheck(FltGetFileNameInformation(Data, NORMALIZED, &Name) == STATUS_SUCCESS);
    FvCheck(FltGetTunneledName(Data, Name, &Tunneled) == STATUS_SUCCESS && Tunneled == NULL);
    FltReleaseFileNameInformation(Name);
    FvCheck(FltGetDestinationFileNameInformation(High, FltObjects->FileObject, NULL, L"LONGNA~9.TXT", 24, NORMALIZED,
                                                 &Name) == STATUS_SUCCESS);
    FvCheck(FltGetTunneledName(Data, Name, &Tunneled) == STATUS_SUCCESS && Tunneled != NULL);
    FvCheck(Is(STATUS_SUCCESS, Tunneled, TEXT(VOLUME L"\\long directory\\long name.txt:s")));
    FltReleaseFileNameInformation(Name);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, PreAny, PostCreate},
    {IRP_MJ_READ, 0, PreAny},
    {IRP_MJ_QUERY_INFORMATION, 0, PreAny},
    {IRP_MJ_DIRECTORY_CONTROL, 0, PreAny},
    {IRP_MJ_CLEANUP, 0, PreAny},
    {IRP_MJ_CLOSE, 0, PreAny},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Mode = ReadNumber(Key, L"Mode");
    if (Mode == 0)
        FvTestPlan(42); /* else the provider announces what both check */
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}

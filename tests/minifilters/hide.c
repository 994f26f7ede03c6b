/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hide: leaves names out of directory listings, whatever the class of information, and refuses to open them by name.  What is
 * hidden ends in the service's value Suffix.  When nothing is left of an answer the query is sent again, so that the
 * caller does not take an empty answer for the end.
 */
#include <fltKernel.h>

#pragma prefast(disable : 28719, "driver code")

#define HIDE_TAG 'ediH'

/* Where a class has what the filter needs. */
typedef struct _HIDE_LAYOUT {
    FILE_INFORMATION_CLASS Class;
    ULONG NameOffset, LengthOffset;
} HIDE_LAYOUT;

#define LAYOUT(Class, Type) {Class, FIELD_OFFSET(Type, FileName), FIELD_OFFSET(Type, FileNameLength)}

static const HIDE_LAYOUT HideLayouts[] = {
    LAYOUT(FileDirectoryInformation, FILE_DIRECTORY_INFORMATION),
    LAYOUT(FileFullDirectoryInformation, FILE_FULL_DIR_INFORMATION),
    LAYOUT(FileBothDirectoryInformation, FILE_BOTH_DIR_INFORMATION),
    LAYOUT(FileNamesInformation, FILE_NAMES_INFORMATION),
    LAYOUT(FileIdBothDirectoryInformation, FILE_ID_BOTH_DIR_INFORMATION),
    LAYOUT(FileIdFullDirectoryInformation, FILE_ID_FULL_DIR_INFORMATION),
};

/* Every class begins with the place of the next entry. */
typedef struct _HIDE_ENTRY {
    ULONG NextEntryOffset;
} HIDE_ENTRY, *PHIDE_ENTRY;

static PFLT_FILTER HideFilter;
static UNICODE_STRING HideSuffix;

DRIVER_INITIALIZE DriverEntry;
FLT_PREOP_CALLBACK_STATUS FLTAPI HidePreDirectory(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID *CompletionContext);
FLT_POSTOP_CALLBACK_STATUS FLTAPI HidePostDirectory(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                    PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags);
FLT_PREOP_CALLBACK_STATUS FLTAPI HidePreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *CompletionContext);
NTSTATUS FLTAPI HideUnload(FLT_FILTER_UNLOAD_FLAGS Flags);

#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, HidePreDirectory, HidePostDirectory)
#pragma alloc_text(PAGE, HidePreCreate)
#pragma alloc_text(PAGE, HideUnload)

static const HIDE_LAYOUT *HideFindLayout(FILE_INFORMATION_CLASS Class)
{
    for (ULONG Index = 0; Index < ARRAYSIZE(HideLayouts); Index++)
        if (HideLayouts[Index].Class == Class)
            return &HideLayouts[Index];
    return NULL;
}

static BOOLEAN HideIsHidden(PCUNICODE_STRING Name)
{
    UNICODE_STRING Tail;

    if (HideSuffix.Length == 0 || Name->Length < HideSuffix.Length)
        return FALSE;
    Tail.Buffer = Add2Ptr(Name->Buffer, Name->Length - HideSuffix.Length);
    Tail.Length = Tail.MaximumLength = HideSuffix.Length;
    return RtlEqualUnicodeString(&Tail, &HideSuffix, TRUE);
}

/* Takes hidden entries out; how many are left. */
static ULONG HideFilterEntries(const HIDE_LAYOUT *Layout, PVOID Buffer)
{
    PHIDE_ENTRY Entry = Buffer, Last = NULL;
    ULONG Left = 0;

    for (;;) {
        PHIDE_ENTRY Next = Add2Ptr(Entry, Entry->NextEntryOffset);
        BOOLEAN End = Entry->NextEntryOffset == 0;
        UNICODE_STRING Name;

        Name.Buffer = Add2Ptr(Entry, Layout->NameOffset);
        Name.Length = Name.MaximumLength = (USHORT) * (PULONG)Add2Ptr(Entry, Layout->LengthOffset);
        if (!HideIsHidden(&Name)) {
            if (Last != NULL)
                Last->NextEntryOffset = (ULONG)PtrOffset(Last, Entry);
            else if (Entry != Buffer)
                ((PHIDE_ENTRY)Buffer)->NextEntryOffset = (ULONG)PtrOffset(Buffer, Entry); /* mended below */
            Last = Entry;
            Left++;
        }
        if (End)
            break;
        Entry = Next;
    }
    if (Last != NULL)
        Last->NextEntryOffset = 0;
    return Left;
}

/* The first entry is hidden: what follows it is moved to the front. */
static VOID HideMoveUp(const HIDE_LAYOUT *Layout, PVOID Buffer, ULONG Length)
{
    PHIDE_ENTRY Entry = Buffer;
    UNICODE_STRING Name;
    ULONG Offset;

    Name.Buffer = Add2Ptr(Entry, Layout->NameOffset);
    Name.Length = Name.MaximumLength = (USHORT) * (PULONG)Add2Ptr(Entry, Layout->LengthOffset);
    if (!HideIsHidden(&Name))
        return;
    Offset = Entry->NextEntryOffset;
    RtlMoveMemory(Buffer, Add2Ptr(Buffer, Offset), Length - Offset);
}

FLT_PREOP_CALLBACK_STATUS FLTAPI HidePreDirectory(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID *CompletionContext)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (Data->Iopb->MinorFunction != IRP_MN_QUERY_DIRECTORY ||
        HideFindLayout(Data->Iopb->Parameters.DirectoryControl.QueryDirectory.FileInformationClass) == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    return FLT_PREOP_SYNCHRONIZE;
}

FLT_POSTOP_CALLBACK_STATUS FLTAPI HidePostDirectory(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                    PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = Data->Iopb;
    const HIDE_LAYOUT *Layout = HideFindLayout(Iopb->Parameters.DirectoryControl.QueryDirectory.FileInformationClass);
    ULONG Left = 0;
    PVOID Buffer;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        return FLT_POSTOP_FINISHED_PROCESSING;
    while (NT_SUCCESS(Data->IoStatus.Status) && Data->IoStatus.Information != 0) {
        if (Iopb->Parameters.DirectoryControl.QueryDirectory.MdlAddress != NULL)
            Buffer = MmGetSystemAddressForMdlSafe(Iopb->Parameters.DirectoryControl.QueryDirectory.MdlAddress,
                                                  NormalPagePriority | MdlMappingNoExecute);
        else
            Buffer = Iopb->Parameters.DirectoryControl.QueryDirectory.DirectoryBuffer;
        if (Buffer == NULL) {
            Data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
            Data->IoStatus.Information = 0;
            break;
        }
        __try {
            Left = HideFilterEntries(Layout, Buffer);
            if (Left != 0)
                HideMoveUp(Layout, Buffer, (ULONG)Data->IoStatus.Information);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Data->IoStatus.Status = GetExceptionCode();
            Data->IoStatus.Information = 0;
            break;
        }
        FltSetCallbackDataDirty(Data);
        if (Left != 0)
            break;
        /* All of them were hidden: the next answer, not the first one again. */
        ClearFlag(Iopb->OperationFlags, SL_RESTART_SCAN);
        FltSetCallbackDataDirty(Data);
        FltReissueSynchronousIo(FltObjects->Instance, Data);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI HidePreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *CompletionContext)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    BOOLEAN Hidden = FALSE;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(FltObjects->FileObject->Flags, FO_VOLUME_OPEN) ||
        FlagOn(Data->Iopb->OperationFlags, SL_OPEN_PAGING_FILE) ||
        FlagOn(Data->Iopb->Parameters.Create.Options, FILE_OPEN_BY_FILE_ID))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        Hidden = NT_SUCCESS(FltParseFileNameInformation(Name)) && HideIsHidden(&Name->FinalComponent);
        FltReleaseFileNameInformation(Name);
    }
    if (!Hidden)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Data->IoStatus.Status = STATUS_OBJECT_NAME_NOT_FOUND;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

NTSTATUS FLTAPI HideUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(HideFilter);
    if (HideSuffix.Buffer != NULL)
        ExFreePool(HideSuffix.Buffer);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION HideOperations[] = {
    {IRP_MJ_CREATE, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, HidePreCreate, NULL},
    {IRP_MJ_DIRECTORY_CONTROL, 0, HidePreDirectory, HidePostDirectory},
    {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION HideRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = HideOperations,
    .FilterUnloadCallback = HideUnload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{0}};
    PWCHAR Path;
    NTSTATUS Status;

    Path = ExAllocatePool2(POOL_FLAG_PAGED, RegistryPath->Length + sizeof(WCHAR), HIDE_TAG);
    if (Path == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Path, RegistryPath->Buffer, RegistryPath->Length);
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = L"Suffix";
    Table[0].EntryContext = &HideSuffix;
    Table[0].DefaultType = (REG_SZ << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    Status = RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Table, NULL, NULL);
    ExFreePoolWithTag(Path, HIDE_TAG);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltRegisterFilter(DriverObject, &HideRegistration, &HideFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(HideFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(HideFilter);
    }
    if (!NT_SUCCESS(Status))
        ExFreePool(HideSuffix.Buffer);
    return Status;
}

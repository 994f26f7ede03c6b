/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections for data scans, on NTFS: what is refused, what a section shows, who is told of what conflicts with it, when its context ends, and that a
 * scan in a pre-cleanup callback, where the I/O manager has the file object's lock, does not wait for that.  Its context is set once per
 * instance and stream; "scanner" registers for conflicts.  With LEAVE it keeps a reference that it was given: to a section of FltCreate… [1] or
 * FsRtlCreate… [2], or to the cache's file object [3].
 */
#include "../../inc/minifilter.h"

#define TAG  'csST'
#define ROOT L"\\Device\\HarddiskVolume1\\"
#define SIZE 9000

typedef struct _SCAN {
    ULONG Number;
} SCAN, *PSCAN;

static PFLT_FILTER Filter;
static PFLT_INSTANCE Instance;
static ULONG Conflicts, Ended, LastMajor, LastNumber;
static NTSTATUS InCleanup = STATUS_UNSUCCESSFUL;
static BOOLEAN ScanCleanups;

static VOID NTAPI EndContext(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    Ended += Type == FLT_SECTION_CONTEXT;
}

static NTSTATUS NTAPI Conflict(PFLT_INSTANCE Of, PFLT_CONTEXT Context, PFLT_CALLBACK_DATA Data)
{
    Conflicts++;
    LastMajor = Data->Iopb->MajorFunction;
    LastNumber = Of == Instance ? ((PSCAN)Context)->Number : 0;
    return STATUS_SUCCESS;
}

#ifdef LEAVE
NTKERNELAPI NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
                                                         PLARGE_INTEGER SectionFileSize, PFILE_OBJECT FileObject,
                                                         ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection,
                                                         ULONG AllocationAttributes, ULONG Flags);

static VOID Leave(PFILE_OBJECT File)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(ROOT L"scan.txt");
    IO_STATUS_BLOCK IoStatus;
    PSCAN Scan;
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Size;
    HANDLE Section = NULL; /* case 3: a file */
    PVOID Object;

    InitializeObjectAttributes(&Attributes, LEAVE == 3 ? &Name : NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    switch (LEAVE) {
    case 1:
        FltAllocateContext(Filter, FLT_SECTION_CONTEXT, sizeof(SCAN), PagedPool, (PFLT_CONTEXT *)&Scan);
        FltCreateSectionForDataScan(Instance, File, Scan, SECTION_MAP_READ, /* [1] */
                                    &Attributes, NULL, PAGE_READONLY, SEC_COMMIT, 0, &Section, &Object, &Size);
        FltCloseSectionForDataScan(Scan);
        FltReleaseContext(Scan);
        break;
    case 2:
        FsRtlCreateSectionForDataScan(&Section, &Object, &Size, File, SECTION_MAP_READ, /* [2] */
                                      &Attributes, NULL, PAGE_READONLY, SEC_COMMIT, 0);
        break;
    case 3:
        ZwCreateFile(&Section, GENERIC_WRITE | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                     FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
        ZwWriteFile(Section, NULL, NULL, NULL, &IoStatus, "x", 1, NULL, NULL);
        CcGetFileObjectFromSectionPtrsRef(File->SectionObjectPointer); /* [3] */
        break;
    }
    if (Section != NULL)
        ZwClose(Section);
}
#endif

static PSCAN NewScan(ULONG Number)
{
    PFLT_CONTEXT Context;

    if (!NT_SUCCESS(FltAllocateContext(Filter, FLT_SECTION_CONTEXT, sizeof(SCAN), PagedPool, &Context)))
        return NULL;
    ((PSCAN)Context)->Number = Number;
    return Context;
}

static NTSTATUS Create(PFILE_OBJECT File, PSCAN Scan, PHANDLE Handle, PVOID *Object)
{
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Size;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return FltCreateSectionForDataScan(Instance, File, Scan, SECTION_MAP_READ | SECTION_QUERY, &Attributes, NULL,
                                       PAGE_READONLY, SEC_COMMIT, 0, Handle, Object, &Size);
}

static NTSTATUS Close(PSCAN Scan, HANDLE Handle, PVOID Object)
{
    ZwClose(Handle);
    ObDereferenceObject(Object);
    return FltCloseSectionForDataScan(Scan);
}

static PFILE_OBJECT Open(PCWSTR Path, ULONG Options, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    PFILE_OBJECT File;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(FltCreateFileEx(Filter, Instance, Handle, &File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes,
                            &IoStatus, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN_IF,
                            FILE_SYNCHRONOUS_IO_NONALERT | Options, NULL, 0, 0) == STATUS_SUCCESS);
    return File;
}

static VOID Shut(PFILE_OBJECT File, HANDLE Handle)
{
    ObDereferenceObject(File);
    FltClose(Handle);
}

static NTSTATUS Write(PFILE_OBJECT File, ULONG Length, FLT_IO_OPERATION_FLAGS Flags)
{
    static UCHAR Bytes[SIZE + 512];
    LARGE_INTEGER Offset = {.QuadPart = 0};

    for (ULONG Index = 0; Index < sizeof(Bytes); Index++)
        Bytes[Index] = (UCHAR)(Index * 7);
    return FltWriteFile(Instance, File, &Offset, Length, Bytes, Flags, NULL, NULL, NULL);
}

static NTSTATUS Resize(PFILE_OBJECT File, LONGLONG Size)
{
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = Size};

    return FltSetInformationFile(Instance, File, &End, sizeof(End), FileEndOfFileInformation);
}

static BOOLEAN Shows(HANDLE Section)
{
    SIZE_T Length = 0;
    PUCHAR View = NULL;
    BOOLEAN Same = FALSE;

    if (NT_SUCCESS(ZwMapViewOfSection(Section, NtCurrentProcess(), (PVOID *)&View, 0, 0, NULL, &Length, ViewUnmap, 0,
                                      PAGE_READONLY))) {
        Same = Length >= SIZE;
        for (ULONG Index = 0; Same && Index < SIZE; Index++)
            Same = View[Index] == (UCHAR)(Index * 7);
        ZwUnmapViewOfSection(NtCurrentProcess(), View);
    }
    return Same;
}

static VOID CheckRefusals(PFILE_OBJECT File)
{
    PSCAN Scan = NewScan(1);
    PFILE_OBJECT Folder;
    PFLT_CONTEXT Found;
    HANDLE Section, Handle;
    PVOID Object;

    FvCheck(Create(File, Scan, &Section, &Object) == STATUS_INVALID_PARAMETER); /* not registered for data scans */
    FvCheck(FltRegisterForDataScan(Instance) == STATUS_SUCCESS);
    FvCheck(FltCloseSectionForDataScan(Scan) == STATUS_INVALID_PARAMETER); /* it was no section's yet */
    FvCheck(Create(File, Scan, &Section, &Object) == STATUS_END_OF_FILE);
    FvCheck(FltGetSectionContext(Instance, File, &Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    Folder = Open(ROOT L"Folder", FILE_DIRECTORY_FILE, &Handle);
    FvCheck(Create(Folder, Scan, &Section, &Object) == STATUS_FILE_IS_A_DIRECTORY);
    Shut(Folder, Handle);
    FltReleaseContext(Scan);
    FvCheck(Ended == 1);
}

static VOID CheckConflicts(PFILE_OBJECT File)
{
    Conflicts = 0;
    FvCheck(Write(File, 512, 0) == STATUS_SUCCESS && Conflicts == 0); /* the section shows it */
    FvCheck(Write(File, 512, FLTFL_IO_OPERATION_NON_CACHED) == STATUS_SUCCESS && Conflicts == 1);
    FvCheck(LastMajor == IRP_MJ_WRITE && LastNumber == 2);
    FvCheck(Resize(File, SIZE + 100) == STATUS_SUCCESS && Conflicts == 2 && LastMajor == IRP_MJ_SET_INFORMATION);
}

static VOID CheckSection(PFILE_OBJECT File)
{
    PSCAN Scan = NewScan(2), Second = NewScan(3);
    FLT_RELATED_OBJECTS Objects = {.Size = sizeof(Objects), .Filter = Filter, .Instance = Instance, .FileObject = File};
    FLT_RELATED_CONTEXTS_EX All;
    HANDLE Section, Other;
    PFLT_CONTEXT Found;
    PVOID Object, Mine;

    FvCheck(Write(File, SIZE, 0) == STATUS_SUCCESS);
    FvCheck(Create(File, Scan, &Section, &Object) == STATUS_SUCCESS && Shows(Section));
    FvCheck(Create(File, Second, &Other, &Mine) == STATUS_FLT_CONTEXT_ALREADY_DEFINED && Other == NULL && Mine == NULL);
    FltReleaseContext(Second);
    FvCheck(FltGetSectionContext(Instance, File, &Found) == STATUS_SUCCESS && Found == Scan);
    FltReleaseContext(Found);
    FvCheck(FltGetContextsEx(&Objects, FLT_SECTION_CONTEXT, sizeof(All), &All) == STATUS_SUCCESS &&
            All.SectionContext == Scan);
    FltReleaseContextsEx(sizeof(All), &All);
    CheckConflicts(File);
    Ended = 0;
    FvCheck(Close(Scan, Section, Object) == STATUS_SUCCESS && Ended == 0);
    FvCheck(FltCloseSectionForDataScan(Scan) == STATUS_NOT_FOUND);
    FltReleaseContext(Scan);
    FvCheck(Ended == 1);
    FvCheck(Resize(File, 10) == STATUS_SUCCESS && Conflicts == 2);
}

/* What a handle from the top leads to: its cleanup comes by with the file object's lock held. */
static FLT_PREOP_CALLBACK_STATUS NTAPI PreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID *Context)
{
    LARGE_INTEGER Size;
    HANDLE Section;
    PVOID Object;
    PSCAN Scan;

    if (!ScanCleanups)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    ScanCleanups = FALSE;
    FvCheck(FsRtlGetFileSize(FltObjects->FileObject, &Size) == STATUS_SUCCESS && Size.QuadPart == 10);
    Scan = NewScan(4);
    InCleanup = Create(FltObjects->FileObject, Scan, &Section, &Object);
    if (NT_SUCCESS(InCleanup))
        Close(Scan, Section, Object);
    FltReleaseContext(Scan);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static VOID CheckCleanup(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(ROOT L"scan.txt");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(ZwCreateFile(&Handle, GENERIC_READ | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                         FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == STATUS_SUCCESS);
    ScanCleanups = TRUE;
    ZwClose(Handle);
    FvCheck(InCleanup == STATUS_SUCCESS);
}

/* A context that is left goes with its instance. */
static VOID CheckLeft(PFILE_OBJECT File, PHANDLE Section, PVOID *Object)
{
    PSCAN Scan = NewScan(5);

    FvCheck(Create(File, Scan, Section, Object) == STATUS_SUCCESS);
    FltReleaseContext(Scan);
    ZwClose(*Section);
    ObDereferenceObject(*Object);
    Ended = 0;
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
#ifndef LEAVE
    FvCheck(Ended == 1);
#endif
    return STATUS_SUCCESS;
}

static const FLT_CONTEXT_REGISTRATION Contexts[] = {{FLT_SECTION_CONTEXT, 0, EndContext, sizeof(SCAN), TAG},
                                                    {FLT_CONTEXT_END}};
static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_CLEANUP, 0, PreCleanup, NULL}, {IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceQueryTeardownCallback = MayDetach,
    .SectionNotificationCallback = Conflict,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PFLT_VOLUME Volume;
    HANDLE Handle, Section;
    PFILE_OBJECT File;
    PVOID Object;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");

#ifdef LEAVE
    FvTestPlan(7);
#else
    FvTestPlan(31);
#endif
    FvCheck(FltRegisterFilter(DriverObject, &Registration, &Filter) == STATUS_SUCCESS);
    FvCheck(FltStartFiltering(Filter) == STATUS_SUCCESS);
    FvCheck(FltGetVolumeFromName(Filter, &Name, &Volume) == STATUS_SUCCESS);
    FvCheck(FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance) == STATUS_SUCCESS);
    FltObjectDereference(Volume);
    File = Open(ROOT L"scan.txt", 0, &Handle);
#ifdef LEAVE
    FvCheck(FltRegisterForDataScan(Instance) == STATUS_SUCCESS);
    FvCheck(LEAVE == 3 || Write(File, SIZE, 0) == STATUS_SUCCESS);
    Leave(File);
#else
    CheckRefusals(File);
    CheckSection(File);
    CheckCleanup();
    CheckLeft(File, &Section, &Object);
#endif
    Shut(File, Handle);
    FltObjectDereference(Instance);
    return STATUS_SUCCESS;
}

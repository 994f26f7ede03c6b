/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make.c: what a file's name is.  An opened name is what a create was given, or what the file system says of a file that
 * is open; a normalized one has every component by its long name.  Of a file that is not open yet the parent is asked for
 * its name and for its entry of the last component; where the file system has no normalized names, each component's parent.  IRQL: PASSIVE_LEVEL.
 *
 * Who asks the file system is the asker's instance, so that those below see it and those above do not.
 */
#include <name.h>

#define FLTP_NAME_FIRST   512 /* bytes that most names are shorter than */
#define FLTP_NAME_LONGEST 0x10100

/* What a file system says to a class of information that it does not have. */
static BOOLEAN FltpIsNotKnown(NTSTATUS Status)
{
    return Status == STATUS_INVALID_DEVICE_REQUEST || Status == STATUS_INVALID_PARAMETER ||
           Status == STATUS_INVALID_INFO_CLASS || Status == STATUS_NOT_IMPLEMENTED || Status == STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI FltpTopCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Event)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* From the top, without the file's lock, which the asking thread may hold: its operation is under way. */
static NTSTATUS FltpAskFromTop(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, PVOID Information, ULONG Size)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(FileObject);
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    PIO_STACK_LOCATION Stack;
    NTSTATUS Status;
    KEVENT Event;

    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp->Flags = IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->AssociatedIrp.SystemBuffer = Information;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_QUERY_INFORMATION;
    Stack->FileObject = FileObject;
    Stack->Parameters.QueryFile.Length = Size;
    Stack->Parameters.QueryFile.FileInformationClass = Class;
    IoSetCompletionRoutine(Irp, FltpTopCompletion, &Event, TRUE, TRUE, TRUE);
    IoCallDriver(Device, Irp);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    Status = Irp->IoStatus.Status;
    IoFreeIrp(Irp);
    return Status;
}

static NTSTATUS FltpAskOnce(const FLTP_NAME_QUERY *Query, PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class,
                            PFILE_NAME_INFORMATION Information, ULONG Size)
{
    ULONG Returned;
    NTSTATUS Status;

    Information->FileNameLength = 0;
    if (Query->Instance != NULL)
        Status = FltQueryInformationFile(Query->Instance, FileObject, Information, Size, Class, &Returned);
    else
        Status = FltpAskFromTop(FileObject, Class, Information, Size);
    if (NT_SUCCESS(Status) &&
        (Information->FileNameLength > Size - FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) ||
         Information->FileNameLength % sizeof(WCHAR) != 0 || Information->FileNameLength > MAXUSHORT - sizeof(WCHAR)))
        return STATUS_NAME_TOO_LONG;
    return Status;
}

/* The file system's answer, appended. */
static NTSTATUS FltpAskForName(const FLTP_NAME_QUERY *Query, PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class,
                               PFLT_NAME_CONTROL Name)
{
    for (ULONG Size = FLTP_NAME_FIRST;; Size = FLTP_NAME_LONGEST) {
        PFILE_NAME_INFORMATION Information = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_FILE_NAME);
        NTSTATUS Status;

        if (Information == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Status = FltpAskOnce(Query, FileObject, Class, Information, Size);
        if (NT_SUCCESS(Status)) {
            UNICODE_STRING Part = {(USHORT)Information->FileNameLength, (USHORT)Information->FileNameLength,
                                   Information->FileName};

            Status = FltpAppendName(Name, &Part);
        }
        ExFreePoolWithTag(Information, FLTP_TAG_FILE_NAME);
        if (Status != STATUS_BUFFER_OVERFLOW || Size == FLTP_NAME_LONGEST)
            return Status;
    }
}

static NTSTATUS FltpAskOpenedName(const FLTP_NAME_QUERY *Query, PFILE_OBJECT FileObject, PFLT_NAME_CONTROL Name)
{
    USHORT Before = Name->Name.Length;
    NTSTATUS Status = FltpAskForName(Query, FileObject, FileNameInformation, Name);

    if (!FltpIsNotKnown(Status))
        return Status;
    Name->Name.Length = Before;
    return FltpAppendName(Name, &FileObject->FileName);
}

static BOOLEAN FltpIsVolumeItself(const FLTP_NAME_QUERY *Query)
{
    return Query->FileObject->FileName.Length == 0 &&
           (!Query->Unopened || Query->FileObject->RelatedFileObject == NULL);
}

/* A name that is relative to an open directory has that one's in front. */
static NTSTATUS FltpOpenedName(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    PFILE_OBJECT FileObject = Query->FileObject;
    PFILE_OBJECT Related = Query->Unopened ? FileObject->RelatedFileObject : NULL;
    NTSTATUS Status = FltpAppendName(Name, &Query->Volume->Name);

    if (!NT_SUCCESS(Status) || FltpIsVolumeItself(Query))
        return Status;
    if (!Query->Unopened)
        return FltpAskOpenedName(Query, FileObject, Name);
    if (Related != NULL && Related->FileName.Length > 0) {
        Status = FltpAskOpenedName(Query, Related, Name);
        if (NT_SUCCESS(Status) && FileObject->FileName.Length > 0 && FileObject->FileName.Buffer[0] != ':')
            Status = FltpAppendSeparator(Name);
    }
    return NT_SUCCESS(Status) ? FltpAppendName(Name, &FileObject->FileName) : Status;
}

/* Documented: the type of a stream that holds data is not part of a normalized name. */
static VOID FltpCutDataType(PUNICODE_STRING Name)
{
    static const UNICODE_STRING Type = RTL_CONSTANT_STRING(L":$DATA");
    UNICODE_STRING End = {Type.Length, Type.Length, NULL};

    if (Name->Length <= Type.Length)
        return;
    End.Buffer = Name->Buffer + (Name->Length - Type.Length) / sizeof(WCHAR);
    if (!RtlEqualUnicodeString(&End, &Type, TRUE))
        return;
    Name->Length -= Type.Length;
    if (Name->Buffer[Name->Length / sizeof(WCHAR) - 1] == ':')
        Name->Length -= sizeof(WCHAR);
}

/* --- Normalizing by asking for the parent --- */

static NTSTATUS FltpOpenDirectory(const FLTP_NAME_QUERY *Query, PUNICODE_STRING Path, PHANDLE Handle,
                                  PFILE_OBJECT *Directory)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return FltCreateFileEx(Query->Instance != NULL ? Query->Instance->Filter : NULL, Query->Instance, Handle, Directory,
                           FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                           FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0,
                           IO_IGNORE_SHARE_ACCESS_CHECK);
}

/* The directory's entry of that name, by its long name; one that is not there is as it was given. */
static NTSTATUS FltpExpandComponent(const FLTP_NAME_QUERY *Query, HANDLE Handle, PFILE_OBJECT Directory,
                                    PUNICODE_STRING Component, PFLT_NAME_CONTROL Name)
{
    ULONG Size = sizeof(FILE_NAMES_INFORMATION) + 256 * sizeof(WCHAR), Returned;
    PFILE_NAMES_INFORMATION Entry = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_FILE_NAME);
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Long;
    NTSTATUS Status;

    if (Entry == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Query->Instance != NULL)
        Status = FltQueryDirectoryFile(Query->Instance, Directory, Entry, Size, FileNamesInformation, TRUE, Component,
                                       TRUE, &Returned);
    else
        Status = ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &IoStatus, Entry, Size, FileNamesInformation, TRUE,
                                      Component, TRUE);
    if (NT_SUCCESS(Status) && Entry->FileNameLength <= Size - FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName)) {
        Long.Buffer = Entry->FileName;
        Long.Length = Long.MaximumLength = (USHORT)Entry->FileNameLength;
        Status = FltpAppendName(Name, &Long);
    } else if (Status == STATUS_NO_SUCH_FILE || Status == STATUS_OBJECT_NAME_NOT_FOUND || FltpIsNotKnown(Status)) {
        Status = FltpAppendName(Name, Component);
    }
    ExFreePoolWithTag(Entry, FLTP_TAG_FILE_NAME);
    return Status;
}

/* STATUS_NOT_SUPPORTED: the file system has no normalized names. */
static NTSTATUS FltpNormalizeBelow(const FLTP_NAME_QUERY *Query, HANDLE Handle, PFILE_OBJECT Directory, BOOLEAN Root,
                                   PUNICODE_STRING Component, PFLT_NAME_CONTROL Name)
{
    NTSTATUS Status = FltpAppendName(Name, &Query->Volume->Name);

    if (NT_SUCCESS(Status) && !Root)
        Status = FltpAskForName(Query, Directory, FileNormalizedNameInformation, Name);
    if (!NT_SUCCESS(Status))
        return FltpIsNotKnown(Status) ? STATUS_NOT_SUPPORTED : Status;
    Status = FltpAppendSeparator(Name);
    return NT_SUCCESS(Status) ? FltpExpandComponent(Query, Handle, Directory, Component, Name) : Status;
}

/* Name has its parent in it, by long names; the component is expanded there and appended. */
static NTSTATUS FltpAppendExpanded(const FLTP_NAME_QUERY *Query, PUNICODE_STRING Component, PFLT_NAME_CONTROL Name)
{
    UNICODE_STRING Path = Name->Name;
    PFILE_OBJECT Directory;
    HANDLE Handle;
    NTSTATUS Status;

    if (Path.Length > Query->Volume->Name.Length + sizeof(WCHAR))
        Path.Length -= sizeof(WCHAR); /* the root keeps its backslash */
    Status = FltpOpenDirectory(Query, &Path, &Handle, &Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpExpandComponent(Query, Handle, Directory, Component, Name);
    ObDereferenceObject(Directory);
    ZwClose(Handle);
    return Status;
}

/* Whole: up to the last component's end. */
static NTSTATUS FltpNormalizeEach(const FLTP_NAME_QUERY *Query, PUNICODE_STRING Whole, PFLT_NAME_CONTROL Name)
{
    USHORT At = Query->Volume->Name.Length / sizeof(WCHAR), End = Whole->Length / sizeof(WCHAR), Next;
    NTSTATUS Status = FltpAppendName(Name, &Query->Volume->Name);

    while (NT_SUCCESS(Status) && ++At < End) {
        UNICODE_STRING Component;

        for (Next = At; Next < End && Whole->Buffer[Next] != '\\'; Next++)
            continue;
        Component.Buffer = Whole->Buffer + At;
        Component.Length = Component.MaximumLength = (USHORT)((Next - At) * sizeof(WCHAR));
        At = Next;
        Status = FltpAppendSeparator(Name);
        if (NT_SUCCESS(Status) && Component.Length > 0)
            Status = FltpAppendExpanded(Query, &Component, Name);
    }
    return Status;
}

NTSTATUS FltpNormalizeByParent(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    PUNICODE_STRING Whole = &Name->Name;
    USHORT Start = Query->Volume->Name.Length / sizeof(WCHAR), End = Whole->Length / sizeof(WCHAR), Last, Colon;
    UNICODE_STRING Path, Component, Stream;
    FLT_NAME_CONTROL Made = {0};
    PFILE_OBJECT Directory;
    HANDLE Handle;
    NTSTATUS Status;

    for (Last = End; Last > Start && Whole->Buffer[Last - 1] != '\\'; Last--)
        continue;
    for (Colon = Last; Colon < End && Whole->Buffer[Colon] != ':'; Colon++)
        continue;
    FltpCutDataType(Whole);
    End = Whole->Length / sizeof(WCHAR);
    if (Last <= Start || Colon == Last)
        return STATUS_SUCCESS; /* the volume, its root, or a stream of it */
    Colon = min(Colon, End);
    Path = (UNICODE_STRING){(USHORT)(Last * sizeof(WCHAR)), (USHORT)(Last * sizeof(WCHAR)), Whole->Buffer};
    if (Last > Start + 1)
        Path.Length -= sizeof(WCHAR); /* the root keeps its backslash */
    Component = (UNICODE_STRING){(USHORT)((Colon - Last) * sizeof(WCHAR)), (USHORT)((Colon - Last) * sizeof(WCHAR)),
                                 Whole->Buffer + Last};
    Stream = (UNICODE_STRING){(USHORT)((End - Colon) * sizeof(WCHAR)), (USHORT)((End - Colon) * sizeof(WCHAR)),
                              Whole->Buffer + Colon};
    Status = FltpOpenDirectory(Query, &Path, &Handle, &Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpNormalizeBelow(Query, Handle, Directory, Last == Start + 1, &Component, &Made);
    ObDereferenceObject(Directory);
    ZwClose(Handle);
    if (Status == STATUS_NOT_SUPPORTED) {
        Path.Length = (USHORT)(Colon * sizeof(WCHAR));
        Made.Name.Length = 0;
        Status = FltpNormalizeEach(Query, &Path, &Made);
    }
    if (NT_SUCCESS(Status))
        Status = FltpAppendName(&Made, &Stream);
    FltpFreeNameControl(NT_SUCCESS(Status) ? Name : &Made);
    if (NT_SUCCESS(Status))
        *Name = Made;
    return Status;
}

static NTSTATUS FltpNormalizedName(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    NTSTATUS Status;

    if (!Query->Unopened && !FltpIsVolumeItself(Query)) {
        Status = FltpAppendName(Name, &Query->Volume->Name);
        if (NT_SUCCESS(Status))
            Status = FltpAskForName(Query, Query->FileObject, FileNormalizedNameInformation, Name);
        if (!FltpIsNotKnown(Status)) {
            if (NT_SUCCESS(Status))
                FltpCutDataType(&Name->Name);
            return Status;
        }
        Name->Name.Length = 0;
    }
    Status = FltpOpenedName(Query, Name);
    return NT_SUCCESS(Status) && !FltpIsVolumeItself(Query) ? FltpNormalizeByParent(Query, Name) : Status;
}

/* Of the last component alone.  Not every file has one. */
static NTSTATUS FltpShortName(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    NTSTATUS Status;

    if (Query->Unopened)
        return STATUS_FLT_INVALID_NAME_REQUEST;
    if (FltpIsVolumeItself(Query))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Status = FltpAskForName(Query, Query->FileObject, FileAlternateNameInformation, Name);
    return FltpIsNotKnown(Status) ? STATUS_OBJECT_NAME_NOT_FOUND : Status;
}

NTSTATUS FltpMakeName(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    PFLT_INSTANCE Provider = FltpFindProvider(Query);
    NTSTATUS Status;

    if (Provider != NULL) {
        Status = FltpAskProvider(Query, Provider, Name);
        FltpReleaseRundown(&Provider->Object.Rundown);
        return Status;
    }
    switch (FltGetFileNameFormat(Query->Options)) {
    case FLT_FILE_NAME_NORMALIZED: return FltpNormalizedName(Query, Name);
    case FLT_FILE_NAME_OPENED: return FltpOpenedName(Query, Name);
    default: return FltpShortName(Query, Name);
    }
}

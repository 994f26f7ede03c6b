/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * destination.c: the name that a file will have after a rename, or that a link will have.  It is made of the new parent's
 * name and of the last component as it was given; nothing of it but the parent has to exist.  IRQL: PASSIVE_LEVEL.
 */
#include <name.h>
#include <query.h>

/* How many characters of a full path name a device: \Device\X, or \??\X. */
static USHORT FltpDeviceLength(PCUNICODE_STRING Path)
{
    USHORT End = Path->Length / sizeof(WCHAR), At = 1;

    for (ULONG Component = 0; Component < 2; Component++) {
        while (At < End && Path->Buffer[At] != '\\')
            At++;
        if (Component == 0)
            At++;
    }
    return min(At, End);
}

/* A full path: on this volume, however it is named, or it cannot be. */
static NTSTATUS FltpDestinationPath(const FLTP_NAME_QUERY *Query, PCUNICODE_STRING Path, PFLT_NAME_CONTROL Name)
{
    UNICODE_STRING Device = *Path, Rest = *Path;
    PFLT_VOLUME Volume = NULL;
    NTSTATUS Status;

    Device.Length = FltpDeviceLength(Path) * sizeof(WCHAR);
    Rest.Buffer += Device.Length / sizeof(WCHAR);
    Rest.Length -= Device.Length;
    Status = FltpVolumeFromName(&Device, &Volume);
    if (NT_SUCCESS(Status))
        FltpReleaseRundown(&Volume->Object.Rundown);
    else if (Status == STATUS_INSUFFICIENT_RESOURCES)
        return Status;
    if (Volume != NULL && Volume != Query->Volume)
        return STATUS_MOUNT_POINT_NOT_RESOLVED;
    if (Volume == NULL)
        Rest = *Path; /* from this volume's root */
    Status = FltpAppendName(Name, &Query->Volume->Name);
    return NT_SUCCESS(Status) ? FltpAppendName(Name, &Rest) : Status;
}

static NTSTATUS FltpDestinationInDirectory(const FLTP_NAME_QUERY *Query, HANDLE RootDirectory,
                                           PCUNICODE_STRING FileName, PFLT_NAME_CONTROL Name)
{
    FLTP_NAME_QUERY OfDirectory = *Query;
    NTSTATUS Status = ObReferenceObjectByHandle(RootDirectory, 0, *IoFileObjectType, KernelMode,
                                                (PVOID *)&OfDirectory.FileObject, NULL);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpMakeName(&OfDirectory, Name);
    ObDereferenceObject(OfDirectory.FileObject);
    if (NT_SUCCESS(Status))
        Status = FltpAppendSeparator(Name);
    return NT_SUCCESS(Status) ? FltpAppendName(Name, FileName) : Status;
}

/* Beside the file as it is now; a stream: of the same file. */
static NTSTATUS FltpDestinationBeside(const FLTP_NAME_QUERY *Query, PCUNICODE_STRING FileName, PFLT_NAME_CONTROL Name)
{
    NTSTATUS Status = FltpMakeName(Query, Name);
    USHORT Least = Query->Volume->Name.Length / sizeof(WCHAR), Length, Stream;

    if (!NT_SUCCESS(Status))
        return Status;
    Stream = Length = Name->Name.Length / sizeof(WCHAR);
    while (Length > Least && Name->Name.Buffer[Length - 1] != '\\') {
        Length--;
        if (Name->Name.Buffer[Length] == ':')
            Stream = Length;
    }
    Name->Name.Length = (FileName->Buffer[0] == ':' ? Stream : Length) * sizeof(WCHAR);
    return FltpAppendName(Name, FileName);
}

static NTSTATUS FltpNormalizeDestination(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name)
{
    PFLT_INSTANCE Provider = FltpFindProvider(Query);
    NTSTATUS Status;

    if (Provider != NULL && FltpNormalizes(Provider) && RtlPrefixUnicodeString(&Query->Volume->Name, &Name->Name, TRUE))
        Status = FltpNormalizeByProvider(Query, Provider, Name);
    else
        Status = FltpNormalizeByParent(Query, Name);
    if (Provider != NULL)
        FltpReleaseRundown(&Provider->Object.Rundown);
    return Status;
}

NTSTATUS FLTAPI FltGetDestinationFileNameInformation(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                                     HANDLE RootDirectory, PWSTR FileName, ULONG FileNameLength,
                                                     FLT_FILE_NAME_OPTIONS NameOptions,
                                                     PFLT_FILE_NAME_INFORMATION *RetFileNameInformation)
{
    UNICODE_STRING New = {(USHORT)FileNameLength, (USHORT)FileNameLength, FileName};
    FLT_FILE_NAME_OPTIONS Opened = (NameOptions & ~FLT_VALID_FILE_NAME_FORMATS) | FLT_FILE_NAME_OPENED;
    FLTP_NAME_QUERY Query = {.Volume = Instance->Volume,
                             .Instance = Instance,
                             .FileObject = FileObject,
                             .Options = Opened,
                             .Destination = TRUE};
    FLT_NAME_CONTROL Name = {0};
    NTSTATUS Status;

    if (RetFileNameInformation == NULL)
        return STATUS_INVALID_PARAMETER;
    *RetFileNameInformation = NULL;
    if (FltGetFileNameFormat(NameOptions) == FLT_FILE_NAME_SHORT)
        return STATUS_FLT_INVALID_NAME_REQUEST;
    Status = FltpCheckNameOptions(NameOptions);
    if (!NT_SUCCESS(Status))
        return Status;
    if (FltGetFileNameQueryMethod(NameOptions) == FLT_FILE_NAME_QUERY_CACHE_ONLY)
        return STATUS_FLT_NAME_CACHE_MISS; /* what a file will be called is not kept */
    if (FileName == NULL || FileNameLength == 0 || FileNameLength % sizeof(WCHAR) != 0 ||
        FileNameLength > MAXUSHORT - sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    if (IoGetTopLevelIrp() != NULL || KeAreAllApcsDisabled())
        return STATUS_FLT_INVALID_NAME_REQUEST;
    if (FileName[0] == '\\')
        Status = FltpDestinationPath(&Query, &New, &Name);
    else if (RootDirectory != NULL)
        Status = FltpDestinationInDirectory(&Query, RootDirectory, &New, &Name);
    else
        Status = FltpDestinationBeside(&Query, &New, &Name);
    Query.Options = NameOptions;
    if (NT_SUCCESS(Status) && FltGetFileNameFormat(NameOptions) == FLT_FILE_NAME_NORMALIZED)
        Status = FltpNormalizeDestination(&Query, &Name);
    if (NT_SUCCESS(Status))
        Status = FltpPublishName(&Query, &Name, RetFileNameInformation, _ReturnAddress());
    FltpFreeNameControl(&Name);
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a filter asks of files beside their data, by every routine that does: what the request looks like below, and what
 * comes back.  The filter's lower instance is the file system: it looks at each request and completes it.
 */
#include "../../inc/minifilter.h"

#define BUFFERED CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x901, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define DIRECT   CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x902, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define NEITHER  CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x903, METHOD_NEITHER, FILE_ANY_ACCESS)
#define TAG      0x00000123u /* not Microsoft's */

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static LONG Seen, SeenHigh;
static FLT_IO_PARAMETER_BLOCK Last; /* as the lower instance saw it */
static UCHAR Input[64];             /* what a control code brought */
static NTSTATUS Answer;             /* what the lower instance completes with */
static ULONG Length;                /* and how much */
static const UCHAR Pattern = 0x5A;
static const GUID Guid = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};
static NTSTATUS WhileGoing[4];

static FLT_PREOP_CALLBACK_STATUS Complete(PFLT_CALLBACK_DATA Data)
{
    Data->IoStatus.Status = Answer;
    Data->IoStatus.Information = Length;
    return FLT_PREOP_COMPLETE;
}

static VOID Fill(PVOID Buffer, PMDL Mdl, ULONG Room)
{
    PUCHAR To = Mdl != NULL ? MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) : Buffer;

    if (To != NULL && !NT_ERROR(Answer))
        RtlFillMemory(To, min(Room, Length), Pattern);
}

/* Everything but a read, a create and its end. */
static FLT_PREOP_CALLBACK_STATUS NTAPI PreAny(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFLT_PARAMETERS P = &Data->Iopb->Parameters;
    PVOID From = NULL;
    ULONG Method;

    if (FltObjects->Instance == High) {
        SeenHigh++;
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Seen++;
    Last = *Data->Iopb;
    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_DIRECTORY_CONTROL:
        Fill(P->DirectoryControl.QueryDirectory.DirectoryBuffer, P->DirectoryControl.QueryDirectory.MdlAddress,
             P->DirectoryControl.QueryDirectory.Length);
        break;
    case IRP_MJ_QUERY_EA: Fill(P->QueryEa.EaBuffer, P->QueryEa.MdlAddress, P->QueryEa.Length); break;
    case IRP_MJ_QUERY_QUOTA: Fill(P->QueryQuota.QuotaBuffer, P->QueryQuota.MdlAddress, P->QueryQuota.Length); break;
    case IRP_MJ_QUERY_SECURITY: Fill(P->QuerySecurity.SecurityBuffer, NULL, P->QuerySecurity.Length); break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
    case IRP_MJ_DEVICE_CONTROL:
        Method = P->DeviceIoControl.Common.IoControlCode & 3;
        if (Method == METHOD_BUFFERED)
            From = P->DeviceIoControl.Buffered.SystemBuffer;
        else if (Method == METHOD_NEITHER)
            From = P->DeviceIoControl.Neither.InputBuffer;
        else
            From = P->DeviceIoControl.Direct.InputSystemBuffer;
        if (From != NULL)
            RtlCopyMemory(Input, From, min(P->DeviceIoControl.Common.InputBufferLength, sizeof(Input)));
        if (Method == METHOD_BUFFERED)
            Fill(From, NULL, P->DeviceIoControl.Common.OutputBufferLength);
        else
            Fill(P->DeviceIoControl.Neither.OutputBuffer, P->DeviceIoControl.Neither.OutputMdlAddress,
                 P->DeviceIoControl.Common.OutputBufferLength);
        break;
    default: break;
    }
    return Complete(Data);
}

static VOID Expect(NTSTATUS Status, ULONG Bytes)
{
    Answer = Status;
    Length = Bytes;
    Seen = 0;
    RtlZeroMemory(&Last, sizeof(Last));
    RtlZeroMemory(Input, sizeof(Input));
}

/* The first Count bytes came from below, the next did not. */
static BOOLEAN Filled(const UCHAR *Buffer, ULONG Count)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        if (Buffer[Index] != Pattern)
            return FALSE;
    }
    return Buffer[Count] == 0;
}

static VOID CheckControls(PFILE_OBJECT File)
{
    UCHAR In[8] = {1, 2, 3, 4, 5, 6, 7, 8}, Out[32] = {0};
    ULONG Returned = 77;

    Expect(STATUS_SUCCESS, 10);
    FvCheck(FltFsControlFile(High, File, BUFFERED, In, sizeof(In), Out, 20, &Returned) == STATUS_SUCCESS);
    FvCheck(Seen == 1 && Last.MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL &&
            Last.MinorFunction == IRP_MN_USER_FS_REQUEST &&
            Last.Parameters.FileSystemControl.Common.FsControlCode == BUFFERED);
    FvCheck(Last.Parameters.FileSystemControl.Common.InputBufferLength == 8 &&
            Last.Parameters.FileSystemControl.Common.OutputBufferLength == 20 && RtlCompareMemory(Input, In, 8) == 8);
    FvCheck(Returned == 10 && Filled(Out, 10));
    RtlZeroMemory(Out, sizeof(Out));
    Expect(STATUS_BUFFER_OVERFLOW, 20);
    FvCheck(FltFsControlFile(High, File, BUFFERED, NULL, 99, Out, 20, NULL) == STATUS_BUFFER_OVERFLOW);
    FvCheck(Last.Parameters.FileSystemControl.Common.InputBufferLength == 0 && Filled(Out, 20));
    RtlZeroMemory(Out, sizeof(Out));
    Expect(STATUS_INVALID_DEVICE_REQUEST, 0);
    FvCheck(FltDeviceIoControlFile(High, File, BUFFERED, In, 8, Out, 20, &Returned) == STATUS_INVALID_DEVICE_REQUEST &&
            Returned == 0 && Filled(Out, 0) && Last.MajorFunction == IRP_MJ_DEVICE_CONTROL);
    Expect(STATUS_SUCCESS, 12);
    FvCheck(FltDeviceIoControlFile(High, File, DIRECT, In, 8, Out, 20, &Returned) == STATUS_SUCCESS);
    FvCheck(Last.Parameters.DeviceIoControl.Direct.OutputMdlAddress != NULL &&
            Last.Parameters.DeviceIoControl.Direct.InputSystemBuffer != In && RtlCompareMemory(Input, In, 8) == 8 &&
            Filled(Out, 12));
    RtlZeroMemory(Out, sizeof(Out));
    Expect(STATUS_SUCCESS, 5);
    FvCheck(FltFsControlFile(High, File, NEITHER, In, 8, Out, 20, &Returned) == STATUS_SUCCESS);
    FvCheck(Last.Parameters.FileSystemControl.Neither.InputBuffer == In &&
            Last.Parameters.FileSystemControl.Neither.OutputBuffer == Out && Returned == 5 && Filled(Out, 5));
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltFsControlFile(High, File, BUFFERED, NULL, 0, NULL, 20, &Returned) == STATUS_SUCCESS &&
            Last.Parameters.FileSystemControl.Common.OutputBufferLength == 0 &&
            Last.Parameters.FileSystemControl.Buffered.SystemBuffer == NULL);
}

static VOID CheckReparse(PFILE_OBJECT File)
{
    PREPARSE_GUID_DATA_BUFFER Own = (PREPARSE_GUID_DATA_BUFFER)Input;
    PREPARSE_DATA_BUFFER Theirs = (PREPARSE_DATA_BUFFER)Input;
    PREPARSE_DATA_BUFFER_EX Extended = (PREPARSE_DATA_BUFFER_EX)Input;
    UCHAR Data[4] = {9, 8, 7, 6};

    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltTagFile(High, File, TAG, NULL, Data, sizeof(Data)) == STATUS_INVALID_PARAMETER && Seen == 0);
    FvCheck(FltTagFile(High, File, TAG, (GUID *)&Guid, Data, sizeof(Data)) == STATUS_SUCCESS);
    FvCheck(Last.Parameters.FileSystemControl.Common.FsControlCode == FSCTL_SET_REPARSE_POINT &&
            Last.Parameters.FileSystemControl.Common.InputBufferLength == REPARSE_GUID_DATA_BUFFER_HEADER_SIZE + 4);
    FvCheck(Own->ReparseTag == TAG && Own->ReparseDataLength == 4 && IsEqualGUID(&Own->ReparseGuid, &Guid) &&
            Own->GenericReparseBuffer.DataBuffer[0] == 9);
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltTagFile(High, File, IO_REPARSE_TAG_MOUNT_POINT, NULL, Data, sizeof(Data)) == STATUS_SUCCESS &&
            Theirs->ReparseTag == IO_REPARSE_TAG_MOUNT_POINT && Theirs->GenericReparseBuffer.DataBuffer[3] == 6 &&
            Last.Parameters.FileSystemControl.Common.InputBufferLength == REPARSE_DATA_BUFFER_HEADER_SIZE + 4);
    Expect(STATUS_IO_REPARSE_TAG_MISMATCH, 0);
    FvCheck(FltUntagFile(High, File, TAG, NULL) == STATUS_INVALID_PARAMETER && Seen == 0);
    FvCheck(FltUntagFile(High, File, TAG, (GUID *)&Guid) == STATUS_IO_REPARSE_TAG_MISMATCH &&
            Last.Parameters.FileSystemControl.Common.FsControlCode == FSCTL_DELETE_REPARSE_POINT &&
            Own->ReparseDataLength == 0);
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltTagFileEx(High, File, IO_REPARSE_TAG_MOUNT_POINT, NULL, Data, 4, TAG, NULL, 0) ==
                STATUS_INVALID_PARAMETER &&
            Seen == 0);
    FvCheck(FltTagFileEx(High, File, IO_REPARSE_TAG_MOUNT_POINT, NULL, Data, 4, TAG, (GUID *)&Guid, 1) ==
            STATUS_SUCCESS);
    FvCheck(Last.Parameters.FileSystemControl.Common.FsControlCode == FSCTL_SET_REPARSE_POINT_EX &&
            Extended->Flags == 1 && Extended->ExistingReparseTag == TAG &&
            IsEqualGUID(&Extended->ExistingReparseGuid, &Guid) &&
            Extended->ReparseDataBuffer.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT);
}

static VOID CheckDirectory(PFILE_OBJECT File)
{
    UNICODE_STRING Mask = RTL_CONSTANT_STRING(L"*.txt"), Empty = {0};
    UCHAR Out[64] = {0};
    ULONG Returned = 77;

    Expect(STATUS_SUCCESS, 30);
    FvCheck(FltQueryDirectoryFile(High, File, Out, 40, FileNamesInformation, TRUE, &Mask, TRUE, &Returned) ==
            STATUS_SUCCESS);
    FvCheck(Last.MajorFunction == IRP_MJ_DIRECTORY_CONTROL && Last.MinorFunction == IRP_MN_QUERY_DIRECTORY &&
            Last.OperationFlags == (SL_RESTART_SCAN | SL_RETURN_SINGLE_ENTRY));
    FvCheck(Last.Parameters.DirectoryControl.QueryDirectory.Length == 40 &&
            Last.Parameters.DirectoryControl.QueryDirectory.FileInformationClass == FileNamesInformation &&
            RtlEqualUnicodeString(Last.Parameters.DirectoryControl.QueryDirectory.FileName, &Mask, FALSE));
    FvCheck(Returned == 30 && Filled(Out, 30));
    Expect(STATUS_NO_MORE_FILES, 0);
    FvCheck(FltQueryDirectoryFile(High, File, Out, 40, FileNamesInformation, FALSE, &Empty, FALSE, NULL) ==
                STATUS_NO_MORE_FILES &&
            Last.OperationFlags == 0 && Last.Parameters.DirectoryControl.QueryDirectory.FileName == NULL);
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltQueryDirectoryFileEx(High, File, Out, 40, FileNamesInformation, 0x80, NULL, NULL) ==
                STATUS_INVALID_PARAMETER &&
            Seen == 0);
    FvCheck(FltQueryDirectoryFileEx(High, File, Out, 40, FileNamesInformation,
                                    SL_RETURN_ON_DISK_ENTRIES_ONLY | SL_RESTART_SCAN, NULL, NULL) == STATUS_SUCCESS &&
            Last.OperationFlags == (SL_RETURN_ON_DISK_ENTRIES_ONLY | SL_RESTART_SCAN));
}

static VOID CheckEas(PFILE_OBJECT File)
{
    struct {
        FILE_FULL_EA_INFORMATION Ea;
        CHAR Rest[12];
    } Set = {{0, 0, 1, 2, {'A'}}, {0}};
    FILE_GET_EA_INFORMATION List = {0};
    UCHAR Out[64] = {0};
    ULONG Returned = 77, Index = 5;

    Expect(STATUS_SUCCESS, 8);
    FvCheck(FltQueryEaFile(High, File, Out, 40, TRUE, NULL, 0, &Index, TRUE, &Returned) == STATUS_SUCCESS);
    FvCheck(Last.MajorFunction == IRP_MJ_QUERY_EA && Last.Parameters.QueryEa.Length == 40 &&
            Last.Parameters.QueryEa.EaIndex == 5 && Last.Parameters.QueryEa.EaList == NULL &&
            Last.OperationFlags == (SL_RETURN_SINGLE_ENTRY | SL_RESTART_SCAN | SL_INDEX_SPECIFIED));
    FvCheck(Returned == 8 && Filled(Out, 8));
    Expect(STATUS_EAS_NOT_SUPPORTED, 0);
    FvCheck(FltQueryEaFile(High, File, Out, 40, FALSE, &List, sizeof(List), &Index, FALSE, NULL) ==
            STATUS_EAS_NOT_SUPPORTED);
    FvCheck(Last.Parameters.QueryEa.EaList == (PVOID)&List && Last.Parameters.QueryEa.EaListLength == sizeof(List) &&
            Last.OperationFlags == 0); /* a list counts, not the index */
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltSetEaFile(High, File, &Set, sizeof(Set)) == STATUS_SUCCESS && Last.MajorFunction == IRP_MJ_SET_EA &&
            Last.Parameters.SetEa.EaBuffer == &Set && Last.Parameters.SetEa.Length == sizeof(Set));
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltSetEaFile(High, File, &Set, 3) == STATUS_EA_LIST_INCONSISTENT && Seen == 0);
}

static VOID CheckQuotas(PFILE_OBJECT File)
{
    struct {
        FILE_GET_QUOTA_INFORMATION Get;
        ULONG Rest[4];
    } List = {{0, sizeof(SID), {SID_REVISION, 1, SECURITY_NT_AUTHORITY, {18}}}, {0}};
    IO_STATUS_BLOCK IoStatus = {0};
    UCHAR Out[64] = {0};
    ULONG Returned = 77;

    Expect(STATUS_SUCCESS, 16);
    FvCheck(FltQueryQuotaInformationFile(High, File, &IoStatus, Out, 40, TRUE, &List, sizeof(List), NULL, FALSE,
                                         &Returned) == STATUS_SUCCESS);
    FvCheck(Last.MajorFunction == IRP_MJ_QUERY_QUOTA && Last.Parameters.QueryQuota.Length == 40 &&
            Last.Parameters.QueryQuota.SidList == &List.Get &&
            Last.Parameters.QueryQuota.SidListLength == sizeof(List) && Last.OperationFlags == SL_RETURN_SINGLE_ENTRY);
    FvCheck(Returned == 16 && IoStatus.Information == 16 && IoStatus.Status == STATUS_SUCCESS && Filled(Out, 16));
    Expect(STATUS_SUCCESS, 0);
    List.Get.Sid.Revision = 99;
    FvCheck(FltQueryQuotaInformationFile(High, File, &IoStatus, Out, 40, TRUE, &List, sizeof(List), NULL, FALSE,
                                         NULL) == STATUS_QUOTA_LIST_INCONSISTENT &&
            IoStatus.Information == 0 && Seen == 0);
    FvCheck(FltQueryQuotaInformationFile(High, File, &IoStatus, Out, 40, FALSE, NULL, 0, (PULONG)&List.Get.Sid, TRUE,
                                         NULL) == STATUS_SUCCESS &&
            Last.Parameters.QueryQuota.StartSid == &List.Get.Sid &&
            Last.OperationFlags == (SL_RESTART_SCAN | SL_INDEX_SPECIFIED));
    Expect(STATUS_ACCESS_DENIED, 0);
    FvCheck(FltSetQuotaInformationFile(High, File, Out, 24) == STATUS_ACCESS_DENIED &&
            Last.MajorFunction == IRP_MJ_SET_QUOTA && Last.Parameters.SetQuota.QuotaBuffer == Out &&
            Last.Parameters.SetQuota.Length == 24);
}

static VOID CheckSecurity(PFILE_OBJECT File)
{
    SID Sid = {SID_REVISION, 1, SECURITY_NT_AUTHORITY, {18}};
    SECURITY_DESCRIPTOR Descriptor;
    UCHAR Out[64] = {0};
    ULONG Needed = 77;

    Expect(STATUS_SUCCESS, 20);
    FvCheck(FltQuerySecurityObject(High, File, OWNER_SECURITY_INFORMATION, Out, 40, &Needed) == STATUS_SUCCESS);
    FvCheck(Last.MajorFunction == IRP_MJ_QUERY_SECURITY && Last.Parameters.QuerySecurity.Length == 40 &&
            Last.Parameters.QuerySecurity.SecurityInformation == OWNER_SECURITY_INFORMATION && Needed == 20 &&
            Filled(Out, 20));
    Expect(STATUS_BUFFER_OVERFLOW, 200);
    FvCheck(FltQuerySecurityObject(High, File, DACL_SECURITY_INFORMATION, NULL, 40, &Needed) ==
                STATUS_BUFFER_TOO_SMALL &&
            Needed == 200 && Last.Parameters.QuerySecurity.Length == 0);
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltSetSecurityObject(High, File, OWNER_SECURITY_INFORMATION, NULL) == STATUS_ACCESS_VIOLATION);
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlSetOwnerSecurityDescriptor(&Descriptor, &Sid, FALSE);
    Sid.Revision = 9;
    FvCheck(FltSetSecurityObject(High, File, OWNER_SECURITY_INFORMATION, &Descriptor) == STATUS_INVALID_SID);
    Sid.Revision = SID_REVISION;
    Descriptor.Revision = 2;
    FvCheck(FltSetSecurityObject(High, File, OWNER_SECURITY_INFORMATION, &Descriptor) == STATUS_UNKNOWN_REVISION &&
            Seen == 0);
    Descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    FvCheck(FltSetSecurityObject(High, File, OWNER_SECURITY_INFORMATION, &Descriptor) == STATUS_SUCCESS &&
            Last.MajorFunction == IRP_MJ_SET_SECURITY &&
            Last.Parameters.SetSecurity.SecurityDescriptor == &Descriptor &&
            Last.Parameters.SetSecurity.SecurityInformation == OWNER_SECURITY_INFORMATION);
}

static VOID CheckFlush(PFILE_OBJECT File)
{
    static const UCHAR Minors[][2] = {
        {0, 0},
        {FLT_FLUSH_TYPE_FLUSH_AND_PURGE, IRP_MN_FLUSH_AND_PURGE},
        {FLT_FLUSH_TYPE_FILE_DATA_ONLY, IRP_MN_FLUSH_DATA_ONLY},
        {FLT_FLUSH_TYPE_NO_SYNC, IRP_MN_FLUSH_NO_SYNC},
        {FLT_FLUSH_TYPE_DATA_SYNC_ONLY, IRP_MN_FLUSH_DATA_SYNC_ONLY},
    };

    ClearFlag(File->Flags, FO_VOLUME_OPEN);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Minors); Index++) {
        Expect(STATUS_SUCCESS, 0);
        FvCheck(FltFlushBuffers2(High, File, Minors[Index][0], NULL) == STATUS_SUCCESS &&
                Last.MajorFunction == IRP_MJ_FLUSH_BUFFERS && Last.MinorFunction == Minors[Index][1]);
    }
    Expect(STATUS_MEDIA_WRITE_PROTECTED, 0);
    FvCheck(FltFlushBuffers2(High, File, 3, NULL) == STATUS_INVALID_PARAMETER && Seen == 0);
    FvCheck(FltFlushBuffers2(High, File, 0, NULL) == STATUS_MEDIA_WRITE_PROTECTED);
    SetFlag(File->Flags, FO_VOLUME_OPEN);
    FvCheck(FltFlushBuffers2(High, File, FLT_FLUSH_TYPE_NO_SYNC, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltFlushBuffers2(High, File, FLT_FLUSH_TYPE_FLUSH_AND_PURGE, NULL) == STATUS_MEDIA_WRITE_PROTECTED);
}

static VOID CheckVolume(VOID)
{
    UCHAR Out[64] = {0};
    IO_STATUS_BLOCK IoStatus = {0};

    Expect(STATUS_SUCCESS, sizeof(FILE_FS_SIZE_INFORMATION));
    FvCheck(FltQueryVolumeInformation(High, &IoStatus, Out, sizeof(Out), FileFsSizeInformation) == STATUS_SUCCESS);
    FvCheck(Seen == 1 && Last.MajorFunction == IRP_MJ_QUERY_VOLUME_INFORMATION &&
            Last.Parameters.QueryVolumeInformation.FsInformationClass == FileFsSizeInformation &&
            IoStatus.Status == STATUS_SUCCESS && IoStatus.Information == sizeof(FILE_FS_SIZE_INFORMATION));
    Expect(STATUS_SUCCESS, 0);
    FvCheck(FltQueryVolumeInformation(High, &IoStatus, Out, sizeof(Out), FileFsLabelInformation) ==
            STATUS_INVALID_INFO_CLASS);
    FvCheck(FltQueryVolumeInformation(High, &IoStatus, Out, 3, FileFsSizeInformation) == STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(FltSetVolumeInformation(High, &IoStatus, Out, sizeof(Out), FileFsSizeInformation) ==
            STATUS_INVALID_INFO_CLASS);
    FvCheck(FltSetVolumeInformation(High, &IoStatus, Out, 3, FileFsObjectIdInformation) ==
                STATUS_INFO_LENGTH_MISMATCH &&
            Seen == 0);
    FvCheck(FltSetVolumeInformation(High, &IoStatus, Out, sizeof(Out), FileFsLabelInformation) == STATUS_SUCCESS &&
            Last.MajorFunction == IRP_MJ_SET_VOLUME_INFORMATION && IoStatus.Status == STATUS_SUCCESS);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    PFILE_OBJECT File = FltObjects->FileObject;

    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    CheckControls(File);
    CheckReparse(File);
    CheckDirectory(File);
    CheckEas(File);
    CheckQuotas(File);
    CheckSecurity(File);
    CheckFlush(File);
    CheckVolume();
    FvCheck(SeenHigh == 0); /* only those below the instance saw any of it */
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* An instance that goes asks nothing of these any more. */
static VOID NTAPI Teardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    IO_STATUS_BLOCK IoStatus;
    ULONG Out = 0;

    if (FltObjects->Instance != High)
        return;
    WhileGoing[0] = FltQueryEaFile(High, NULL, &Out, 4, FALSE, NULL, 0, NULL, FALSE, NULL);
    WhileGoing[1] = FltSetEaFile(High, NULL, &Out, 4);
    WhileGoing[2] = FltQueryQuotaInformationFile(High, NULL, &IoStatus, &Out, 4, FALSE, NULL, 0, NULL, FALSE, NULL);
    WhileGoing[3] = FltSetQuotaInformationFile(High, NULL, &Out, 4);
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(WhileGoing); Index++)
        FvCheck(WhileGoing[Index] == STATUS_FLT_DELETING_OBJECT);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead},
    {IRP_MJ_FILE_SYSTEM_CONTROL, 0, PreAny},
    {IRP_MJ_DEVICE_CONTROL, 0, PreAny},
    {IRP_MJ_DIRECTORY_CONTROL, 0, PreAny},
    {IRP_MJ_QUERY_EA, 0, PreAny},
    {IRP_MJ_SET_EA, 0, PreAny},
    {IRP_MJ_QUERY_QUOTA, 0, PreAny},
    {IRP_MJ_SET_QUOTA, 0, PreAny},
    {IRP_MJ_QUERY_SECURITY, 0, PreAny},
    {IRP_MJ_SET_SECURITY, 0, PreAny},
    {IRP_MJ_FLUSH_BUFFERS, 0, PreAny},
    {IRP_MJ_QUERY_VOLUME_INFORMATION, 0, PreAny},
    {IRP_MJ_SET_VOLUME_INFORMATION, 0, PreAny},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceTeardownStartCallback = Teardown,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(70);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attribute.c: what lies beside a file's data, asked and set below an instance: a directory's entries, extended
 * attributes, quotas and security.  IRQL: PASSIVE_LEVEL.
 */
#include "issue.h"

NTSYSAPI BOOLEAN NTAPI RtlValidAcl(PACL Acl); /* which the DDK does not declare */

/* --- Directories --- */

NTSTATUS FLTAPI FltQueryDirectoryFileEx(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                        ULONG Length, FILE_INFORMATION_CLASS FileInformationClass, ULONG QueryFlags,
                                        PUNICODE_STRING FileName, PULONG LengthReturned)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_DIRECTORY_CONTROL, .MinorFunction = IRP_MN_QUERY_DIRECTORY};

    if ((QueryFlags & ~SL_QUERY_DIRECTORY_MASK) != 0)
        return STATUS_INVALID_PARAMETER;
    Iopb.OperationFlags = (UCHAR)QueryFlags;
    Iopb.Parameters.DirectoryControl.QueryDirectory.Length = Length;
    Iopb.Parameters.DirectoryControl.QueryDirectory.FileName =
        FileName != NULL && FileName->Length > 0 ? FileName : NULL;
    Iopb.Parameters.DirectoryControl.QueryDirectory.FileInformationClass = FileInformationClass;
    Iopb.Parameters.DirectoryControl.QueryDirectory.DirectoryBuffer = FileInformation;
    return FltpAsk(Instance, FileObject, &Iopb, LengthReturned);
}

NTSTATUS FLTAPI FltQueryDirectoryFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation,
                                      ULONG Length, FILE_INFORMATION_CLASS FileInformationClass,
                                      BOOLEAN ReturnSingleEntry, PUNICODE_STRING FileName, BOOLEAN RestartScan,
                                      PULONG LengthReturned)
{
    ULONG Flags = (ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0) | (RestartScan ? SL_RESTART_SCAN : 0);

    return FltQueryDirectoryFileEx(Instance, FileObject, FileInformation, Length, FileInformationClass, Flags, FileName,
                                   LengthReturned);
}

/* --- Extended attributes and quotas: refused once the instance goes --- */

NTSTATUS FLTAPI FltQueryEaFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID ReturnedEaData, ULONG Length,
                               BOOLEAN ReturnSingleEntry, PVOID EaList, ULONG EaListLength, PULONG EaIndex,
                               BOOLEAN RestartScan, PULONG LengthReturned)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_QUERY_EA};

    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    if (ReturnSingleEntry)
        SetFlag(Iopb.OperationFlags, SL_RETURN_SINGLE_ENTRY);
    if (RestartScan)
        SetFlag(Iopb.OperationFlags, SL_RESTART_SCAN);
    if (EaList != NULL && EaListLength > 0) {
        Iopb.Parameters.QueryEa.EaList = EaList;
        Iopb.Parameters.QueryEa.EaListLength = EaListLength;
    } else if (EaIndex != NULL) {
        SetFlag(Iopb.OperationFlags, SL_INDEX_SPECIFIED);
        Iopb.Parameters.QueryEa.EaIndex = *EaIndex;
    }
    Iopb.Parameters.QueryEa.Length = Length;
    Iopb.Parameters.QueryEa.EaBuffer = ReturnedEaData;
    return FltpAsk(Instance, FileObject, &Iopb, LengthReturned);
}

/* A list that is not well formed is STATUS_EA_LIST_INCONSISTENT before the file system sees it. */
NTSTATUS FLTAPI FltSetEaFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID EaBuffer, ULONG Length)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_SET_EA};
    NTSTATUS Status;
    ULONG ErrorOffset;

    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    Status = IoCheckEaBufferValidity(EaBuffer, Length, &ErrorOffset);
    if (!NT_SUCCESS(Status))
        return Status;
    Iopb.Parameters.SetEa.Length = Length;
    Iopb.Parameters.SetEa.EaBuffer = EaBuffer;
    return FltpAsk(Instance, FileObject, &Iopb, NULL);
}

/* Where in the list the first entry is that is no SID's; FALSE: there is none. */
static BOOLEAN FltpFindBadSid(PFILE_GET_QUOTA_INFORMATION List, ULONG Length, PULONG Offset)
{
    ULONG At = 0, Fixed = FIELD_OFFSET(FILE_GET_QUOTA_INFORMATION, Sid);

    for (;;) {
        PFILE_GET_QUOTA_INFORMATION Entry = (PFILE_GET_QUOTA_INFORMATION)((PUCHAR)List + At);
        ULONG Left = Length - At;

        *Offset = At;
        if (Left < Fixed + SECURITY_MAX_SID_SIZE - SID_MAX_SUB_AUTHORITIES * sizeof(ULONG) ||
            Entry->SidLength > Left - Fixed || !RtlValidSid(&Entry->Sid) ||
            RtlLengthSid(&Entry->Sid) > Entry->SidLength)
            return TRUE;
        if (Entry->NextEntryOffset == 0)
            return FALSE;
        if (Entry->NextEntryOffset < Fixed + Entry->SidLength || Entry->NextEntryOffset % sizeof(ULONG) != 0 ||
            Entry->NextEntryOffset >= Left)
            return TRUE;
        At += Entry->NextEntryOffset;
    }
}

/* STATUS_QUOTA_LIST_INCONSISTENT: the list is not well formed, and IoStatusBlock->Information tells where. */
NTSTATUS FLTAPI FltQueryQuotaInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                             PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                                             BOOLEAN ReturnSingleEntry, PVOID SidList, ULONG SidListLength,
                                             PULONG StartSid, BOOLEAN RestartScan, PULONG LengthReturned)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_QUERY_QUOTA};
    ULONG Returned = 0;

    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    if (ReturnSingleEntry)
        SetFlag(Iopb.OperationFlags, SL_RETURN_SINGLE_ENTRY);
    if (RestartScan)
        SetFlag(Iopb.OperationFlags, SL_RESTART_SCAN);
    if (SidList != NULL && SidListLength > 0) {
        if (FltpFindBadSid(SidList, SidListLength, &Returned)) {
            IoStatusBlock->Status = STATUS_QUOTA_LIST_INCONSISTENT;
            IoStatusBlock->Information = Returned;
            return STATUS_QUOTA_LIST_INCONSISTENT;
        }
        Iopb.Parameters.QueryQuota.SidList = SidList;
        Iopb.Parameters.QueryQuota.SidListLength = SidListLength;
    } else if (StartSid != NULL) {
        SetFlag(Iopb.OperationFlags, SL_INDEX_SPECIFIED);
        Iopb.Parameters.QueryQuota.StartSid = (PSID)StartSid;
    }
    Iopb.Parameters.QueryQuota.Length = Length;
    Iopb.Parameters.QueryQuota.QuotaBuffer = Buffer;
    IoStatusBlock->Status = FltpAsk(Instance, FileObject, &Iopb, &Returned);
    IoStatusBlock->Information = Returned;
    if (LengthReturned != NULL)
        *LengthReturned = Returned;
    return IoStatusBlock->Status;
}

NTSTATUS FLTAPI FltSetQuotaInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID Buffer, ULONG Length)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_SET_QUOTA};

    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    Iopb.Parameters.SetQuota.Length = Length;
    Iopb.Parameters.SetQuota.QuotaBuffer = Buffer;
    return FltpAsk(Instance, FileObject, &Iopb, NULL);
}

/* --- Security --- */

/* File systems say STATUS_BUFFER_OVERFLOW and how much they need. */
NTSTATUS FLTAPI FltQuerySecurityObject(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                       SECURITY_INFORMATION SecurityInformation,
                                       PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_QUERY_SECURITY};
    NTSTATUS Status;

    Iopb.Parameters.QuerySecurity.SecurityInformation = SecurityInformation;
    Iopb.Parameters.QuerySecurity.Length = SecurityDescriptor != NULL ? Length : 0;
    Iopb.Parameters.QuerySecurity.SecurityBuffer = SecurityDescriptor;
    Status = FltpAsk(Instance, FileObject, &Iopb, LengthNeeded);
    return Status == STATUS_BUFFER_OVERFLOW ? STATUS_BUFFER_TOO_SMALL : Status;
}

static NTSTATUS FltpCheckSid(PSECURITY_DESCRIPTOR Descriptor,
                             NTSTATUS(NTAPI *Get)(PSECURITY_DESCRIPTOR, PSID *, PBOOLEAN))
{
    PSID Sid = NULL;
    BOOLEAN Defaulted;
    NTSTATUS Status = Get(Descriptor, &Sid, &Defaulted);

    if (!NT_SUCCESS(Status))
        return Status;
    return Sid != NULL && !RtlValidSid(Sid) ? STATUS_INVALID_SID : STATUS_SUCCESS;
}

static NTSTATUS FltpCheckAcl(PSECURITY_DESCRIPTOR Descriptor,
                             NTSTATUS(NTAPI *Get)(PSECURITY_DESCRIPTOR, PBOOLEAN, PACL *, PBOOLEAN))
{
    BOOLEAN Present = FALSE, Defaulted;
    PACL Acl = NULL;
    NTSTATUS Status = Get(Descriptor, &Present, &Acl, &Defaulted);

    if (!NT_SUCCESS(Status))
        return Status;
    return Present && Acl != NULL && !RtlValidAcl(Acl) ? STATUS_INVALID_ACL : STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltSetSecurityObject(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                     SECURITY_INFORMATION SecurityInformation, PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    FLT_IO_PARAMETER_BLOCK Iopb = {.MajorFunction = IRP_MJ_SET_SECURITY};
    NTSTATUS Status;

    if (SecurityDescriptor == NULL)
        return STATUS_ACCESS_VIOLATION;
    if (((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    Status = FltpCheckSid(SecurityDescriptor, RtlGetOwnerSecurityDescriptor);
    if (NT_SUCCESS(Status))
        Status = FltpCheckSid(SecurityDescriptor, RtlGetGroupSecurityDescriptor);
    if (NT_SUCCESS(Status))
        Status = FltpCheckAcl(SecurityDescriptor, RtlGetDaclSecurityDescriptor);
    if (NT_SUCCESS(Status))
        Status = FltpCheckAcl(SecurityDescriptor, RtlGetSaclSecurityDescriptor);
    if (NT_SUCCESS(Status) && !RtlValidSecurityDescriptor(SecurityDescriptor))
        Status = STATUS_INVALID_SECURITY_DESCR;
    if (!NT_SUCCESS(Status))
        return Status;
    Iopb.Parameters.SetSecurity.SecurityInformation = SecurityInformation;
    Iopb.Parameters.SetSecurity.SecurityDescriptor = SecurityDescriptor;
    return FltpAsk(Instance, FileObject, &Iopb, NULL);
}

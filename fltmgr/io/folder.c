/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder.c: the folder "System Volume Information" of a volume, which filters keep their files in.
 */
#include "issue.h"

#define FLTP_FOLDER         L"\\System Volume Information"
#define FLTP_INHERITED      (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE)
#define FLTP_DESCRIPTOR_MAX 0x10000u

/* S-1-5-18's entry. */
#define FLTP_SYSTEM_ENTRY (FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + FIELD_OFFSET(SID, SubAuthority) + sizeof(ULONG))

typedef struct _FLTP_SYSTEM_ONLY {
    SECURITY_DESCRIPTOR Descriptor;
    ACL Acl;
    UCHAR Entry[FLTP_SYSTEM_ENTRY];
} FLTP_SYSTEM_ONLY;

/* Full access for the system, which what is made in the folder inherits. */
static NTSTATUS FltpBuildSystemOnly(FLTP_SYSTEM_ONLY *Only)
{
    NTSTATUS Status = RtlCreateSecurityDescriptor(&Only->Descriptor, SECURITY_DESCRIPTOR_REVISION);

    if (NT_SUCCESS(Status))
        Status = RtlCreateAcl(&Only->Acl, sizeof(Only->Acl) + sizeof(Only->Entry), ACL_REVISION);
    if (NT_SUCCESS(Status))
        Status = RtlAddAccessAllowedAceEx(&Only->Acl, ACL_REVISION, FLTP_INHERITED, FILE_ALL_ACCESS,
                                          SeExports->SeLocalSystemSid);
    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(&Only->Descriptor, TRUE, &Only->Acl, FALSE);
    Only->Descriptor.Control |= SE_DACL_PROTECTED; /* what the root would have it inherit does not come to it */
    return Status;
}

/* Has the system's entry of full access its bits of inheritance?  It has them afterwards; TRUE: it had not. */
static BOOLEAN FltpLetInherit(PSECURITY_DESCRIPTOR Descriptor)
{
    BOOLEAN Present, Defaulted;
    PACCESS_ALLOWED_ACE Entry;
    PACL Acl;

    if (!NT_SUCCESS(RtlGetDaclSecurityDescriptor(Descriptor, &Present, &Acl, &Defaulted)) || !Present || Acl == NULL)
        return FALSE;
    for (ULONG Index = 0; NT_SUCCESS(RtlGetAce(Acl, Index, (PVOID *)&Entry)); Index++) {
        if (Entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && (Entry->Mask & FILE_ALL_ACCESS) == FILE_ALL_ACCESS &&
            RtlEqualSid((PSID)&Entry->SidStart, SeExports->SeLocalSystemSid) &&
            (Entry->Header.AceFlags & FLTP_INHERITED) != FLTP_INHERITED) {
            Entry->Header.AceFlags |= FLTP_INHERITED;
            return TRUE;
        }
    }
    return FALSE;
}

/* A folder that was there already. */
static NTSTATUS FltpCheckFolder(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    PSECURITY_DESCRIPTOR Descriptor = ExAllocatePoolWithTag(PagedPool, FLTP_DESCRIPTOR_MAX, FLTP_TAG_TEMPORARY);
    ULONG Needed;
    NTSTATUS Status;

    if (Descriptor == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = FltQuerySecurityObject(Instance, FileObject, DACL_SECURITY_INFORMATION, Descriptor, FLTP_DESCRIPTOR_MAX,
                                    &Needed);
    if (NT_SUCCESS(Status) && FltpLetInherit(Descriptor))
        Status = FltSetSecurityObject(Instance, FileObject, DACL_SECURITY_INFORMATION, Descriptor);
    ExFreePoolWithTag(Descriptor, FLTP_TAG_TEMPORARY);
    return Status;
}

static NTSTATUS FltpOpenFolder(PFLT_INSTANCE Instance, PUNICODE_STRING Name)
{
    BOOLEAN Secured = Instance->Volume->Type == FLT_FSTYPE_NTFS;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    FLTP_SYSTEM_ONLY Only;
    PFILE_OBJECT FileObject;
    HANDLE Handle;
    NTSTATUS Status = FltpBuildSystemOnly(&Only);

    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               Secured ? &Only.Descriptor : NULL);
    Status = FltCreateFileEx(Instance->Filter, Instance, &Handle, &FileObject,
                             SYNCHRONIZE | FILE_READ_ATTRIBUTES | (Secured ? READ_CONTROL | WRITE_DAC : 0), &Attributes,
                             &IoStatus, NULL, FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM,
                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN_IF,
                             FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Secured && IoStatus.Information == FILE_OPENED)
        Status = FltpCheckFolder(Instance, FileObject);
    FltClose(Handle);
    ObDereferenceObject(FileObject);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  The folder is hidden and the system's; on NTFS the system alone has access to it, and to what is made in it.
 * STATUS_INSUFFICIENT_RESOURCES; else what the file system says.  (Page "FltCreateSystemVolumeInformationFolder".)
 */
NTSTATUS FLTAPI FltCreateSystemVolumeInformationFolder(PFLT_INSTANCE Instance)
{
    ULONG Length = Instance->Volume->Name.Length + sizeof(FLTP_FOLDER);
    UNICODE_STRING Name = {0, (USHORT)Length, ExAllocatePoolWithTag(PagedPool, Length, FLTP_TAG_TEMPORARY)};
    NTSTATUS Status;

    if (Name.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyUnicodeString(&Name, &Instance->Volume->Name);
    Status = RtlAppendUnicodeToString(&Name, FLTP_FOLDER);
    if (NT_SUCCESS(Status))
        Status = FltpOpenFolder(Instance, &Name);
    ExFreePoolWithTag(Name.Buffer, FLTP_TAG_TEMPORARY);
    return Status;
}

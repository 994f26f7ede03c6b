// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A security descriptor that user mode passes, absolute or self-relative, as a self-relative copy: every part is measured and copied once, and
 * then only the copy is looked at.
 */
#include "obp.h"

enum { ObpOwner, ObpGroup, ObpSacl, ObpDacl, ObpParts };

/* Where a part is in user mode, and how long it was when it was measured; 0: it is not there. */
typedef struct _OBP_DESCRIPTOR_PART {
    const UCHAR *Address;
    ULONG Length;
} OBP_DESCRIPTOR_PART;

/* Raises. */
static VOID ObpMeasurePart(OBP_DESCRIPTOR_PART *Part, BOOLEAN IsAcl)
{
    if (Part->Address == NULL) {
        Part->Length = 0;
    } else if (IsAcl) {
        ProbeForRead((PVOID)Part->Address, sizeof(ACL), 1);
        Part->Length = ((const volatile ACL *)Part->Address)->AclSize;
    } else {
        ProbeForRead((PVOID)Part->Address, FIELD_OFFSET(SID, SubAuthority), 1);
        Part->Length = FIELD_OFFSET(SID, SubAuthority) +
                       ((const volatile SID *)Part->Address)->SubAuthorityCount * (ULONG)sizeof(ULONG);
    }
    ProbeForRead((PVOID)Part->Address, Part->Length, 1);
}

static const UCHAR *ObpPartAt(const UCHAR *Base, ULONG Offset)
{
    return Offset != 0 ? Base + Offset : NULL;
}

/* Raises.  Returns the control word. */
static SECURITY_DESCRIPTOR_CONTROL ObpFindParts(const UCHAR *User, OBP_DESCRIPTOR_PART *Parts)
{
    SECURITY_DESCRIPTOR_RELATIVE Head;
    SECURITY_DESCRIPTOR Absolute;

    ProbeForRead((PVOID)User, sizeof(Head), sizeof(ULONG));
    RtlCopyMemory(&Head, User, sizeof(Head));
    if ((Head.Control & SE_SELF_RELATIVE) != 0) {
        Parts[ObpOwner].Address = ObpPartAt(User, Head.Owner);
        Parts[ObpGroup].Address = ObpPartAt(User, Head.Group);
        Parts[ObpSacl].Address = Head.Control & SE_SACL_PRESENT ? ObpPartAt(User, Head.Sacl) : NULL;
        Parts[ObpDacl].Address = Head.Control & SE_DACL_PRESENT ? ObpPartAt(User, Head.Dacl) : NULL;
    } else {
        ProbeForRead((PVOID)User, sizeof(Absolute), sizeof(ULONG));
        RtlCopyMemory(&Absolute, User, sizeof(Absolute));
        Parts[ObpOwner].Address = Absolute.Owner;
        Parts[ObpGroup].Address = Absolute.Group;
        Parts[ObpSacl].Address = Head.Control & SE_SACL_PRESENT ? (PVOID)Absolute.Sacl : NULL;
        Parts[ObpDacl].Address = Head.Control & SE_DACL_PRESENT ? (PVOID)Absolute.Dacl : NULL;
    }
    for (ULONG Part = 0; Part < ObpParts; Part++) {
        ObpMeasurePart(&Parts[Part], Part == ObpSacl || Part == ObpDacl);
    }
    return Head.Control;
}

/* Raises.  What a part says of its own length is as it was measured, or the copy is none. */
static BOOLEAN ObpCopyPart(PUCHAR Copy, PULONG Used, const OBP_DESCRIPTOR_PART *Part, BOOLEAN IsAcl, PULONG Offset)
{
    PUCHAR To = Copy + *Used;

    *Offset = 0;
    if (Part->Length == 0) {
        return Part->Address == NULL;
    }
    RtlCopyMemory(To, Part->Address, Part->Length);
    *Offset = *Used;
    *Used += (Part->Length + 3) & ~3u;
    return IsAcl ? Part->Length >= sizeof(ACL) && ((PACL)To)->AclSize == Part->Length
                 : RtlLengthSid((PSID)To) == Part->Length;
}

/* PASSIVE_LEVEL, of user mode.  STATUS_UNKNOWN_REVISION; STATUS_INVALID_SECURITY_DESCR; an access violation's status.  The caller frees *Result with OB_TAG_DESCRIPTOR. */
NTSTATUS ObCaptureDescriptor(PSECURITY_DESCRIPTOR User, PSECURITY_DESCRIPTOR *Result)
{
    OBP_DESCRIPTOR_PART Parts[ObpParts];
    ULONG Length = sizeof(SECURITY_DESCRIPTOR_RELATIVE), Used = Length;
    SECURITY_DESCRIPTOR_RELATIVE *Copy = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Good = TRUE;

    __try {
        SECURITY_DESCRIPTOR_CONTROL Control;

        ProbeForRead(User, sizeof(SECURITY_DESCRIPTOR_RELATIVE), 1);
        if (*(volatile UCHAR *)User != SECURITY_DESCRIPTOR_REVISION) {
            *Result = NULL;
            return STATUS_UNKNOWN_REVISION;
        }
        Control = ObpFindParts(User, Parts);
        for (ULONG Part = 0; Part < ObpParts; Part++) {
            Length += (Parts[Part].Length + 3) & ~3u;
        }
        Copy = ExAllocatePoolWithTag(PagedPool, Length, OB_TAG_DESCRIPTOR);
        if (Copy == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            RtlZeroMemory(Copy, Length);
            Copy->Revision = SECURITY_DESCRIPTOR_REVISION;
            Copy->Control = Control | SE_SELF_RELATIVE;
            Good = ObpCopyPart((PUCHAR)Copy, &Used, &Parts[ObpOwner], FALSE, &Copy->Owner) &&
                   ObpCopyPart((PUCHAR)Copy, &Used, &Parts[ObpGroup], FALSE, &Copy->Group) &&
                   ObpCopyPart((PUCHAR)Copy, &Used, &Parts[ObpSacl], TRUE, &Copy->Sacl) &&
                   ObpCopyPart((PUCHAR)Copy, &Used, &Parts[ObpDacl], TRUE, &Copy->Dacl);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status) && (!Good || !RtlValidRelativeSecurityDescriptor(Copy, Length, 0))) {
        Status = STATUS_INVALID_SECURITY_DESCR;
    }
    if (!NT_SUCCESS(Status) && Copy != NULL) {
        ExFreePoolWithTag(Copy, OB_TAG_DESCRIPTOR);
        Copy = NULL;
    }
    *Result = Copy;
    return Status;
}

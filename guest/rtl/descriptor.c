// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Security descriptors, of both formats: absolute ones point to their parts, self-relative ones hold offsets from their
 * own begin.  Read through RtlpPart, which knows the difference.  IRQL: PASSIVE_LEVEL, or <= APC_LEVEL where documented.
 */
#include "rtlp.h"

NTSYSAPI BOOLEAN NTAPI RtlValidAcl(PACL Acl);
NTSYSAPI NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN SaclPresent,
                                                     PACL Sacl, BOOLEAN SaclDefaulted);
NTSYSAPI NTSTATUS NTAPI RtlGetControlSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                                        PSECURITY_DESCRIPTOR_CONTROL Control, PULONG Revision);

/* A part by its place in the absolute form; the relative one has it at the same index. */
typedef enum _RTLP_PART { RtlpOwner, RtlpGroup, RtlpSacl, RtlpDacl, RtlpParts } RTLP_PART;

static BOOLEAN RtlpIsRelative(PSECURITY_DESCRIPTOR Descriptor)
{
    return (((PISECURITY_DESCRIPTOR)Descriptor)->Control & SE_SELF_RELATIVE) != 0;
}

static PVOID RtlpPart(PSECURITY_DESCRIPTOR Descriptor, RTLP_PART Part)
{
    SECURITY_DESCRIPTOR_CONTROL Control = ((PISECURITY_DESCRIPTOR)Descriptor)->Control;

    if ((Part == RtlpSacl && !(Control & SE_SACL_PRESENT)) || (Part == RtlpDacl && !(Control & SE_DACL_PRESENT))) {
        return NULL;
    }
    if (RtlpIsRelative(Descriptor)) {
        ULONG Offset = (&((PISECURITY_DESCRIPTOR_RELATIVE)Descriptor)->Owner)[Part];

        return Offset == 0 ? NULL : (PUCHAR)Descriptor + Offset;
    }
    return ((PVOID *)&((PISECURITY_DESCRIPTOR)Descriptor)->Owner)[Part];
}

static ULONG RtlpPartLength(PSECURITY_DESCRIPTOR Descriptor, RTLP_PART Part)
{
    PVOID Bytes = RtlpPart(Descriptor, Part);
    ULONG Length;

    if (Bytes == NULL) {
        return 0;
    }
    Length = Part <= RtlpGroup ? RtlLengthSid(Bytes) : ((PACL)Bytes)->AclSize;
    return ALIGN_UP_BY(Length, sizeof(ULONG));
}

NTSTATUS NTAPI RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    if (Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    RtlZeroMemory(SecurityDescriptor, sizeof(SECURITY_DESCRIPTOR));
    ((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision = SECURITY_DESCRIPTOR_REVISION;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlCreateSecurityDescriptorRelative(PISECURITY_DESCRIPTOR_RELATIVE SecurityDescriptor, ULONG Revision)
{
    if (Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    RtlZeroMemory(SecurityDescriptor, sizeof(*SecurityDescriptor));
    SecurityDescriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    SecurityDescriptor->Control = SE_SELF_RELATIVE;
    return STATUS_SUCCESS;
}

ULONG NTAPI RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    ULONG Length =
        RtlpIsRelative(SecurityDescriptor) ? sizeof(SECURITY_DESCRIPTOR_RELATIVE) : sizeof(SECURITY_DESCRIPTOR);

    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        Length += RtlpPartLength(SecurityDescriptor, Part);
    }
    return Length;
}

BOOLEAN NTAPI RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    if (((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return FALSE;
    }
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        PVOID Bytes = RtlpPart(SecurityDescriptor, Part);

        if (Bytes != NULL && !(Part <= RtlpGroup ? RtlValidSid(Bytes) : RtlValidAcl(Bytes))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A part that is there lies, whole and aligned, behind the header and within Length. */
static BOOLEAN RtlpRelativePartFits(PSECURITY_DESCRIPTOR Descriptor, ULONG Length, RTLP_PART Part)
{
    PUCHAR Bytes = RtlpPart(Descriptor, Part);
    ULONG Header = Part <= RtlpGroup ? RtlLengthRequiredSid(0) : sizeof(ACL);
    ULONG_PTR Offset = (ULONG_PTR)(Bytes - (PUCHAR)Descriptor);

    if (Bytes == NULL) {
        return TRUE;
    }
    if (Offset < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || Offset % sizeof(ULONG) != 0 || Offset > Length ||
        Length - Offset < Header) {
        return FALSE;
    }
    if (Part <= RtlpGroup) {
        return RtlValidSid(Bytes) && RtlLengthSid(Bytes) <= Length - Offset;
    }
    return ((PACL)Bytes)->AclSize <= Length - Offset && RtlValidAcl((PACL)Bytes);
}

BOOLEAN NTAPI RtlValidRelativeSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptorInput,
                                                 ULONG SecurityDescriptorLength,
                                                 SECURITY_INFORMATION RequiredInformation)
{
    static const SECURITY_INFORMATION Information[RtlpParts] = {OWNER_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION,
                                                                SACL_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION};
    PISECURITY_DESCRIPTOR_RELATIVE Descriptor = SecurityDescriptorInput;

    if (SecurityDescriptorLength < sizeof(*Descriptor) || Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION ||
        !RtlpIsRelative(Descriptor)) {
        return FALSE;
    }
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        if (!RtlpRelativePartFits(Descriptor, SecurityDescriptorLength, Part)) {
            return FALSE;
        }
        /* A list may be present and NULL, an identifier that is asked for has to be there. */
        if (Part <= RtlpGroup && (RequiredInformation & Information[Part]) != 0 && RtlpPart(Descriptor, Part) == NULL) {
            return FALSE;
        }
        if (Part == RtlpDacl && (RequiredInformation & Information[Part]) != 0 &&
            !(Descriptor->Control & SE_DACL_PRESENT)) {
            return FALSE;
        }
        if (Part == RtlpSacl && (RequiredInformation & Information[Part]) != 0 &&
            !(Descriptor->Control & SE_SACL_PRESENT)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- what an absolute one is told, what either is asked ---- */

static NTSTATUS RtlpSetPart(PSECURITY_DESCRIPTOR SecurityDescriptor, RTLP_PART Part, PVOID Bytes,
                            SECURITY_DESCRIPTOR_CONTROL Set, SECURITY_DESCRIPTOR_CONTROL Clear)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    if (RtlpIsRelative(Descriptor)) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    ((PVOID *)&Descriptor->Owner)[Part] = Bytes;
    Descriptor->Control = (SECURITY_DESCRIPTOR_CONTROL)((Descriptor->Control & ~Clear) | Set);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
                                             BOOLEAN OwnerDefaulted)
{
    return RtlpSetPart(SecurityDescriptor, RtlpOwner, Owner, OwnerDefaulted ? SE_OWNER_DEFAULTED : 0,
                       SE_OWNER_DEFAULTED);
}

NTSTATUS NTAPI RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
                                             BOOLEAN GroupDefaulted)
{
    return RtlpSetPart(SecurityDescriptor, RtlpGroup, Group, GroupDefaulted ? SE_GROUP_DEFAULTED : 0,
                       SE_GROUP_DEFAULTED);
}

/* Without Present the other arguments count for nothing. */
NTSTATUS NTAPI RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl,
                                            BOOLEAN DaclDefaulted)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    if (!DaclPresent) {
        return RtlpSetPart(Descriptor, RtlpDacl, Descriptor->Dacl, 0, SE_DACL_PRESENT);
    }
    return RtlpSetPart(Descriptor, RtlpDacl, Dacl, SE_DACL_PRESENT | (DaclDefaulted ? SE_DACL_DEFAULTED : 0),
                       SE_DACL_DEFAULTED);
}

NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN SaclPresent, PACL Sacl,
                                            BOOLEAN SaclDefaulted)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    if (!SaclPresent) {
        return RtlpSetPart(Descriptor, RtlpSacl, Descriptor->Sacl, 0, SE_SACL_PRESENT);
    }
    return RtlpSetPart(Descriptor, RtlpSacl, Sacl, SE_SACL_PRESENT | (SaclDefaulted ? SE_SACL_DEFAULTED : 0),
                       SE_SACL_DEFAULTED);
}

static NTSTATUS RtlpGetSid(PSECURITY_DESCRIPTOR SecurityDescriptor, RTLP_PART Part, PSID *Sid, PBOOLEAN Defaulted)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    *Sid = RtlpPart(Descriptor, Part);
    *Defaulted = (Descriptor->Control & (Part == RtlpOwner ? SE_OWNER_DEFAULTED : SE_GROUP_DEFAULTED)) != 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Owner,
                                             PBOOLEAN OwnerDefaulted)
{
    return RtlpGetSid(SecurityDescriptor, RtlpOwner, Owner, OwnerDefaulted);
}

NTSTATUS NTAPI RtlGetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Group,
                                             PBOOLEAN GroupDefaulted)
{
    return RtlpGetSid(SecurityDescriptor, RtlpGroup, Group, GroupDefaulted);
}

/* A list that is not there leaves the other results alone. */
static NTSTATUS RtlpGetAcl(PSECURITY_DESCRIPTOR SecurityDescriptor, RTLP_PART Part, PBOOLEAN Present, PACL *Acl,
                           PBOOLEAN Defaulted)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    *Present = (Descriptor->Control & (Part == RtlpDacl ? SE_DACL_PRESENT : SE_SACL_PRESENT)) != 0;
    if (*Present) {
        *Acl = RtlpPart(Descriptor, Part);
        *Defaulted = (Descriptor->Control & (Part == RtlpDacl ? SE_DACL_DEFAULTED : SE_SACL_DEFAULTED)) != 0;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PBOOLEAN DaclPresent, PACL *Dacl,
                                            PBOOLEAN DaclDefaulted)
{
    return RtlpGetAcl(SecurityDescriptor, RtlpDacl, DaclPresent, Dacl, DaclDefaulted);
}

NTSTATUS NTAPI RtlGetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PBOOLEAN SaclPresent, PACL *Sacl,
                                            PBOOLEAN SaclDefaulted)
{
    return RtlpGetAcl(SecurityDescriptor, RtlpSacl, SaclPresent, Sacl, SaclDefaulted);
}

NTSTATUS NTAPI RtlGetControlSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                               PSECURITY_DESCRIPTOR_CONTROL Control, PULONG Revision)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    *Revision = Descriptor->Revision;
    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    *Control = Descriptor->Control;
    return STATUS_SUCCESS;
}

/* ---- from one format to the other ---- */

NTSTATUS NTAPI RtlAbsoluteToSelfRelativeSD(PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor, PULONG BufferLength)
{
    PISECURITY_DESCRIPTOR From = AbsoluteSecurityDescriptor;
    PISECURITY_DESCRIPTOR_RELATIVE To = SelfRelativeSecurityDescriptor;
    ULONG Length = sizeof(*To), Given = *BufferLength;

    if (RtlpIsRelative(From)) {
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    }
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        Length += RtlpPartLength(From, Part);
    }
    *BufferLength = Length;
    if (Given < Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(To, Length);
    To->Revision = From->Revision;
    To->Sbz1 = From->Sbz1;
    To->Control = From->Control | SE_SELF_RELATIVE;
    Length = sizeof(*To);
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        PVOID Bytes = RtlpPart(From, Part);

        if (Bytes != NULL) {
            (&To->Owner)[Part] = Length;
            RtlCopyMemory((PUCHAR)To + Length, Bytes, Part <= RtlpGroup ? RtlLengthSid(Bytes) : ((PACL)Bytes)->AclSize);
            Length += RtlpPartLength(From, Part);
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlSelfRelativeToAbsoluteSD(PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PULONG AbsoluteSecurityDescriptorSize, PACL Dacl, PULONG DaclSize, PACL Sacl,
                                           PULONG SaclSize, PSID Owner, PULONG OwnerSize, PSID PrimaryGroup,
                                           PULONG PrimaryGroupSize)
{
    PISECURITY_DESCRIPTOR From = SelfRelativeSecurityDescriptor, To = AbsoluteSecurityDescriptor;
    PVOID Buffers[RtlpParts] = {Owner, PrimaryGroup, Sacl, Dacl};
    PULONG Sizes[RtlpParts] = {OwnerSize, PrimaryGroupSize, SaclSize, DaclSize};
    BOOLEAN Small = *AbsoluteSecurityDescriptorSize < sizeof(*To);

    if (!RtlpIsRelative(From)) {
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    }
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        Small |= *Sizes[Part] < RtlpPartLength(From, Part);
    }
    *AbsoluteSecurityDescriptorSize = sizeof(*To);
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        *Sizes[Part] = RtlpPartLength(From, Part);
    }
    if (Small) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(To, sizeof(*To));
    To->Revision = From->Revision;
    To->Sbz1 = From->Sbz1;
    To->Control = (SECURITY_DESCRIPTOR_CONTROL)(From->Control & ~SE_SELF_RELATIVE);
    for (RTLP_PART Part = RtlpOwner; Part < RtlpParts; Part++) {
        PVOID Bytes = RtlpPart(From, Part);

        if (Bytes != NULL) {
            RtlCopyMemory(Buffers[Part], Bytes, Part <= RtlpGroup ? RtlLengthSid(Bytes) : ((PACL)Bytes)->AclSize);
            ((PVOID *)&To->Owner)[Part] = Buffers[Part];
        }
    }
    return STATUS_SUCCESS;
}

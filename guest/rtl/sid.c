// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Security identifiers.
 *
 * IRQL: <= APC_LEVEL by the documentation, since an identifier may be pageable; RtlEqualSid says "any".  What comes
 * from a caller is checked by RtlValidSid, which looks at the header only and so never beyond what it counts.
 */
#include "rtlp.h"

BOOLEAN NTAPI RtlValidSid(PSID Sid)
{
    PISID Identifier = Sid;

    return Identifier != NULL && Identifier->Revision == SID_REVISION &&
           Identifier->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

ULONG NTAPI RtlLengthRequiredSid(ULONG SubAuthorityCount)
{
    return FIELD_OFFSET(SID, SubAuthority) + SubAuthorityCount * sizeof(ULONG);
}

ULONG NTAPI RtlLengthSid(PSID Sid)
{
    return RtlLengthRequiredSid(((PISID)Sid)->SubAuthorityCount);
}

/* Two of different revisions or counts are different, whatever else they hold. */
BOOLEAN NTAPI RtlEqualSid(PSID Sid1, PSID Sid2)
{
    const ULONG *One = ((PISID)Sid1)->SubAuthority, *Other = ((PISID)Sid2)->SubAuthority;
    ULONG Count = ((PISID)Sid1)->SubAuthorityCount;

    /* Revision, count and authority are eight bytes. */
    C_ASSERT(FIELD_OFFSET(SID, SubAuthority) == sizeof(ULONG64));
    if (*(const UNALIGNED ULONG64 *)Sid1 != *(const UNALIGNED ULONG64 *)Sid2) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Count; Index++) {
        if (One[Index] != Other[Index]) {
            return FALSE;
        }
    }
    return TRUE;
}

/* All but the last sub-authority: two accounts of one domain. */
BOOLEAN NTAPI RtlEqualPrefixSid(PSID Sid1, PSID Sid2)
{
    ULONG Count = ((PISID)Sid1)->SubAuthorityCount;

    if (((PISID)Sid1)->Revision != ((PISID)Sid2)->Revision || Count != ((PISID)Sid2)->SubAuthorityCount) {
        return FALSE;
    }
    return RtlEqualMemory(Sid1, Sid2, RtlLengthRequiredSid(Count == 0 ? 0 : Count - 1));
}

/* The sub-authorities are the caller's to set, through RtlSubAuthoritySid. */
NTSTATUS NTAPI RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority, UCHAR SubAuthorityCount)
{
    PISID Identifier = Sid;

    if (SubAuthorityCount > SID_MAX_SUB_AUTHORITIES) {
        return STATUS_INVALID_PARAMETER;
    }
    Identifier->Revision = SID_REVISION;
    Identifier->SubAuthorityCount = SubAuthorityCount;
    Identifier->IdentifierAuthority = *IdentifierAuthority;
    return STATUS_SUCCESS;
}

PULONG NTAPI RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority)
{
    return &((PISID)Sid)->SubAuthority[SubAuthority];
}

PUCHAR NTAPI RtlSubAuthorityCountSid(PSID Sid)
{
    return &((PISID)Sid)->SubAuthorityCount;
}

PSID_IDENTIFIER_AUTHORITY NTAPI RtlIdentifierAuthoritySid(PSID Sid)
{
    return &((PISID)Sid)->IdentifierAuthority;
}

NTSTATUS NTAPI RtlCopySid(ULONG Length, PSID Destination, PSID Source)
{
    ULONG Needed = RtlLengthSid(Source);

    if (Length < Needed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlMoveMemory(Destination, Source, Needed);
    return STATUS_SUCCESS;
}

/* "S-1-" authority, then "-" and a number for each sub-authority; the authority in hexadecimal when it has over 32 bits. */
#define RTLP_SID_TEXT (4 + 14 + 11 * SID_MAX_SUB_AUTHORITIES + 1)

NTSTATUS NTAPI RtlConvertSidToUnicodeString(PUNICODE_STRING UnicodeString, PSID Sid, BOOLEAN AllocateDestinationString)
{
    PISID Identifier = Sid;
    WCHAR Text[RTLP_SID_TEXT];
    ULONG64 Authority = 0;
    ULONG Length;
    USHORT Size;

    if (!RtlValidSid(Sid)) {
        return STATUS_INVALID_SID;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Identifier->IdentifierAuthority.Value); Index++) {
        Authority = Authority << 8 | Identifier->IdentifierAuthority.Value[Index];
    }
    Length =
        (ULONG)_snwprintf(Text, RTL_NUMBER_OF(Text), Authority >> 32 != 0 ? L"S-1-0x%I64X" : L"S-1-%I64u", Authority);
    for (ULONG Index = 0; Index < Identifier->SubAuthorityCount; Index++) {
        Length +=
            (ULONG)_snwprintf(Text + Length, RTL_NUMBER_OF(Text) - Length, L"-%u", Identifier->SubAuthority[Index]);
    }
    Size = (USHORT)(Length * sizeof(WCHAR));
    if (AllocateDestinationString) {
        UnicodeString->Buffer = ExAllocatePoolWithTag(PagedPool, Size + sizeof(WCHAR), RTLP_STRING_TAG);
        if (UnicodeString->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
        UnicodeString->MaximumLength = (USHORT)(Size + sizeof(WCHAR));
    } else if (Size > UnicodeString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(UnicodeString->Buffer, Text, Size);
    UnicodeString->Length = Size;
    if (Size < UnicodeString->MaximumLength - 1) {
        UnicodeString->Buffer[Length] = 0;
    }
    return STATUS_SUCCESS;
}

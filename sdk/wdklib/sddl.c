/* SPDX-License-Identifier: MIT */
/* The part of SDDL that device objects take: a protected list of who is allowed what. */
#include "wdklib.h"

#define MOST_SUBAUTHORITIES 15

typedef struct _SDDL_SID {
    UCHAR Revision, Count;
    UCHAR Authority[6];
    ULONG SubAuthority[MOST_SUBAUTHORITIES];
} SDDL_SID;

static const struct {
    WCHAR Name[2];
    ACCESS_MASK Mask;
} Rights[] = {
    {L"GA", GENERIC_ALL},  {L"GR", GENERIC_READ}, {L"GW", GENERIC_WRITE}, {L"GX", GENERIC_EXECUTE},
    {L"RC", READ_CONTROL}, {L"SD", DELETE},       {L"WD", WRITE_DAC},     {L"WO", WRITE_OWNER},
};

static const struct {
    WCHAR Name[2];
    UCHAR Authority, Count;
    ULONG SubAuthority[6];
} Sids[] = {
    {L"SY", 5, 1, {18}},
    {L"LS", 5, 1, {19}},
    {L"NS", 5, 1, {20}},
    {L"BA", 5, 2, {32, 544}},
    {L"BU", 5, 2, {32, 545}},
    {L"BG", 5, 2, {32, 546}},
    {L"AU", 5, 1, {11}},
    {L"AN", 5, 1, {7}},
    {L"IU", 5, 1, {4}},
    {L"NU", 5, 1, {2}},
    {L"WD", 1, 1, {0}},
    {L"RC", 5, 1, {12}},
    {L"UD", 5, 6, {84, 0, 0, 0, 0, 0}},
};

/* What is left to read. */
typedef struct _SDDL_TEXT {
    PCWCH At, End;
} SDDL_TEXT;

static BOOLEAN Take(SDDL_TEXT *Text, PCWSTR Word)
{
    PCWCH At = Text->At;

    for (; *Word != 0; Word++, At++) {
        if (At == Text->End || *At != *Word)
            return FALSE;
    }
    Text->At = At;
    return TRUE;
}

static BOOLEAN TakeTwo(SDDL_TEXT *Text, const WCHAR Name[2])
{
    if (Text->End - Text->At < 2 || Text->At[0] != Name[0] || Text->At[1] != Name[1])
        return FALSE;
    Text->At += 2;
    return TRUE;
}

static ULONG Digit(WCHAR Char)
{
    return Char >= '0' && Char <= '9'   ? Char - '0'
           : Char >= 'a' && Char <= 'f' ? Char - 'a' + 10
           : Char >= 'A' && Char <= 'F' ? Char - 'A' + 10
                                        : MAXULONG;
}

/* FALSE: no digit, or more than 32 bits hold. */
static BOOLEAN TakeNumber(SDDL_TEXT *Text, PULONG Number)
{
    ULONG Base = Take(Text, L"0x") || Take(Text, L"0X") ? 16 : 10;
    ULONG64 Value = 0;
    PCWCH Start = Text->At;

    for (; Text->At != Text->End && Digit(*Text->At) < Base && Value <= MAXULONG; Text->At++)
        Value = Value * Base + Digit(*Text->At);
    *Number = (ULONG)Value;
    return Text->At != Start && Value <= MAXULONG;
}

static BOOLEAN TakeRights(SDDL_TEXT *Text, PACCESS_MASK Mask)
{
    *Mask = 0;
    if (Text->At != Text->End && *Text->At == '0')
        return TakeNumber(Text, Mask);
    for (ULONG I = 0; I < RTL_NUMBER_OF(Rights);) {
        if (TakeTwo(Text, Rights[I].Name)) {
            *Mask |= Rights[I].Mask;
            I = 0;
        } else {
            I++;
        }
    }
    return *Mask != 0;
}

static BOOLEAN TakeSid(SDDL_TEXT *Text, SDDL_SID *Sid)
{
    ULONG Authority, Number;

    RtlZeroMemory(Sid, sizeof(*Sid));
    Sid->Revision = SID_REVISION;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Sids); I++) {
        if (TakeTwo(Text, Sids[I].Name)) {
            Sid->Count = Sids[I].Count;
            Sid->Authority[5] = Sids[I].Authority;
            RtlCopyMemory(Sid->SubAuthority, Sids[I].SubAuthority, sizeof(Sids[I].SubAuthority));
            return TRUE;
        }
    }
    if (!Take(Text, L"S-1-") || !TakeNumber(Text, &Authority))
        return FALSE;
    for (ULONG I = 0; I < 4; I++)
        Sid->Authority[5 - I] = (UCHAR)(Authority >> 8 * I);
    while (Take(Text, L"-")) {
        if (Sid->Count == MOST_SUBAUTHORITIES || !TakeNumber(Text, &Number))
            return FALSE;
        Sid->SubAuthority[Sid->Count++] = Number;
    }
    return Sid->Count != 0;
}

/* Adds the entries of the text to a list that has room for them. */
static NTSTATUS TakeEntries(SDDL_TEXT *Text, PACL Acl)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ACCESS_MASK Mask;
    SDDL_SID Sid;

    while (NT_SUCCESS(Status) && Text->At != Text->End) {
        if (!Take(Text, L"(A;;") || !TakeRights(Text, &Mask) || !Take(Text, L";;;") || !TakeSid(Text, &Sid) ||
            !Take(Text, L")"))
            return STATUS_INVALID_PARAMETER;
        Status = RtlAddAccessAllowedAce(Acl, ACL_REVISION, Mask, (PSID)&Sid);
    }
    return Status;
}

static ULONG CountEntries(const SDDL_TEXT *Text)
{
    ULONG Count = 0;

    for (PCWCH At = Text->At; At != Text->End; At++)
        Count += *At == '(';
    return Count;
}

NTSTATUS WdklibParseSddl(PCUNICODE_STRING String, PSECURITY_DESCRIPTOR *Descriptor)
{
    SDDL_TEXT Text = {String->Buffer, String->Buffer + String->Length / sizeof(WCHAR)};
    SECURITY_DESCRIPTOR Absolute;
    ULONG Size, Length;
    NTSTATUS Status;
    PACL Acl;

    *Descriptor = NULL;
    if (!Take(&Text, L"D:P"))
        return STATUS_INVALID_PARAMETER;
    Size = sizeof(ACL) + CountEntries(&Text) * (sizeof(ACCESS_ALLOWED_ACE) + sizeof(SDDL_SID));
    if (Size > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    Acl = ExAllocatePoolWithTag(PagedPool, Size, WDKLIB_TAG);
    if (Acl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCreateAcl(Acl, Size, ACL_REVISION);
    Status = TakeEntries(&Text, Acl);
    if (!NT_SUCCESS(Status))
        goto Exit;
    RtlCreateSecurityDescriptor(&Absolute, SECURITY_DESCRIPTOR_REVISION);
    RtlSetDaclSecurityDescriptor(&Absolute, TRUE, Acl, FALSE);
    Absolute.Control |= SE_DACL_PROTECTED;
    Length = sizeof(SECURITY_DESCRIPTOR_RELATIVE) + Size;
    *Descriptor = ExAllocatePoolWithTag(PagedPool, Length, WDKLIB_TAG);
    Status = *Descriptor == NULL ? STATUS_INSUFFICIENT_RESOURCES
                                 : RtlAbsoluteToSelfRelativeSD(&Absolute, *Descriptor, &Length);

Exit:
    ExFreePoolWithTag(Acl, WDKLIB_TAG);
    if (!NT_SUCCESS(Status) && *Descriptor != NULL) {
        ExFreePoolWithTag(*Descriptor, WDKLIB_TAG);
        *Descriptor = NULL;
    }
    return Status;
}

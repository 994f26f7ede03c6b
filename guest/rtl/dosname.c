/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short names, eight characters and three: whether a name is one, and making them.  IRQL: PASSIVE_LEVEL. */
#include "rtlp.h"

#define RTLP_SHORT_NAME 12
#define RTLP_BASE       8

/* Legal in a short name: what FAT allows, without wild cards and the period. */
static BOOLEAN RtlpIsShortCharacter(UCHAR Character)
{
    return Character > ' ' && strchr("\"*+,/:;<=>?[\\]|.", Character) == NULL;
}

/*
 * The name in upper case and the OEM code page goes to OemName, which has room for twelve bytes.  A space is
 * legal and told of, when the name is.
 */
BOOLEAN NTAPI RtlIsNameLegalDOS8Dot3(PCUNICODE_STRING Name, POEM_STRING OemName, PBOOLEAN NameContainsSpaces)
{
    CHAR Buffer[RTLP_SHORT_NAME];
    OEM_STRING Local = {0, sizeof(Buffer), Buffer};
    POEM_STRING Oem = OemName != NULL ? OemName : &Local;
    ULONG Period = MAXULONG;
    BOOLEAN Spaces = FALSE;

    if (Name->Length == 0 || Name->Length > RTLP_SHORT_NAME * sizeof(WCHAR) ||
        !NT_SUCCESS(RtlUpcaseUnicodeStringToCountedOemString(Oem, Name, FALSE))) {
        return FALSE;
    }
    if ((Oem->Length == 1 && Oem->Buffer[0] == '.') ||
        (Oem->Length == 2 && Oem->Buffer[0] == '.' && Oem->Buffer[1] == '.')) {
        if (NameContainsSpaces != NULL) {
            *NameContainsSpaces = FALSE;
        }
        return TRUE;
    }
    for (ULONG Index = 0; Index < Oem->Length; Index++) {
        UCHAR Character = (UCHAR)Oem->Buffer[Index];

        if (Character == '.') {
            /* One period, neither first nor last, and no space before it. */
            if (Period != MAXULONG || Index == 0 || Index + 1 == Oem->Length || Oem->Buffer[Index - 1] == ' ') {
                return FALSE;
            }
            Period = Index;
        } else if (Character == ' ') {
            Spaces = TRUE;
        } else if (!RtlpIsShortCharacter(Character)) {
            return FALSE;
        }
    }
    if (Oem->Buffer[Oem->Length - 1] == ' ' ||
        (Period == MAXULONG ? Oem->Length > RTLP_BASE : Period > RTLP_BASE || Oem->Length - Period - 1 > 3)) {
        return FALSE;
    }
    if (NameContainsSpaces != NULL) {
        *NameContainsSpaces = Spaces;
    }
    return TRUE;
}

/* ---- making one ---- */

/* The character as it stands in a short name; 0: it is left out. */
static WCHAR RtlpShortCharacter(WCHAR Character, BOOLEAN AllowExtended)
{
    if (Character == L' ' || Character == L'.') {
        return 0;
    }
    Character = RtlUpcaseUnicodeChar(Character);
    if (Character >= 0x80 ? !AllowExtended : !RtlpIsShortCharacter((UCHAR)Character)) {
        return L'_';
    }
    return Character;
}

/* Up to Limit characters of the name's part. */
static ULONG RtlpTakeShort(PCUNICODE_STRING Name, ULONG From, ULONG To, BOOLEAN AllowExtended, PWCH Buffer, ULONG Limit)
{
    ULONG Count = 0;

    for (; From < To && Count < Limit; From++) {
        WCHAR Character = RtlpShortCharacter(Name->Buffer[From], AllowExtended);

        if (Character != 0) {
            Buffer[Count++] = Character;
        }
    }
    return Count;
}

/* A number of sixteen bits that any character of the name changes. */
static USHORT RtlpNameChecksum(PCUNICODE_STRING Name)
{
    USHORT Sum = 0;

    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        Sum = (USHORT)((USHORT)(Sum << 5 | Sum >> 11) + Name->Buffer[Index]);
    }
    return Sum;
}

/* Base and extension of the long name; the last period divides them, unless nothing but periods is before it.
 */
static VOID RtlpSplitName(PCUNICODE_STRING Name, BOOLEAN AllowExtended, PGENERATE_NAME_CONTEXT Context)
{
    ULONG Length = Name->Length / sizeof(WCHAR), First = 0, Period;

    while (First < Length && (Name->Buffer[First] == L'.' || Name->Buffer[First] == L' ')) {
        First++;
    }
    for (Period = Length; Period > First && Name->Buffer[Period - 1] != L'.'; Period--)
        ;
    if (Period == First || Period == Length) {
        Period = Length + 1; /* no extension */
    }
    Context->NameLength =
        (UCHAR)RtlpTakeShort(Name, First, min(Length, Period - 1), AllowExtended, Context->NameBuffer, 6);
    Context->ExtensionLength = 0;
    if (Period <= Length) {
        Context->ExtensionBuffer[0] = L'.';
        Context->ExtensionLength =
            1 + RtlpTakeShort(Name, Period, Length, AllowExtended, Context->ExtensionBuffer + 1, 3);
        if (Context->ExtensionLength == 1) {
            Context->ExtensionLength = 0;
        }
    }
}

/* From now on the base is two characters of the name and four hexadecimal digits of its checksum. */
static VOID RtlpInsertChecksum(PCUNICODE_STRING Name, PGENERATE_NAME_CONTEXT Context)
{
    Context->Checksum = RtlpNameChecksum(Name);
    Context->NameLength = min(Context->NameLength, 2);
    for (LONG Shift = 12; Shift >= 0; Shift -= 4) {
        Context->NameBuffer[Context->NameLength++] = L"0123456789ABCDEF"[Context->Checksum >> Shift & 0xF];
    }
    Context->ChecksumInserted = TRUE;
    Context->LastIndexValue = 0;
}

/*
 * The next candidate for a name, with a context that was zeroed for the first: up to six characters, a tilde,
 * a number, the extension's first three.  Short bases, and all from the fifth candidate on, get a checksum.
 * Name8dot3 has room for twelve characters.  STATUS_FILE_SYSTEM_LIMITATION: no number is left.
 */
NTSTATUS NTAPI RtlGenerate8dot3Name(PCUNICODE_STRING Name, BOOLEAN AllowExtendedCharacters,
                                    PGENERATE_NAME_CONTEXT Context, PUNICODE_STRING Name8dot3)
{
    WCHAR Digits[8];
    ULONG Count = 0, At = 0, Index;

    if (Context->NameLength == 0) {
        RtlpSplitName(Name, AllowExtendedCharacters, Context);
        if (Context->NameLength <= 2) {
            RtlpInsertChecksum(Name, Context);
        }
    }
    if (++Context->LastIndexValue > 4 && !Context->ChecksumInserted) {
        RtlpInsertChecksum(Name, Context);
        Context->LastIndexValue = 1;
    }
    if (Context->LastIndexValue > 999999) {
        return STATUS_FILE_SYSTEM_LIMITATION;
    }
    for (Index = Context->LastIndexValue; Index != 0; Index /= 10) {
        Digits[Count++] = (WCHAR)(L'0' + Index % 10);
    }
    for (Index = 0; Index < Context->NameLength && Index < RTLP_BASE - 1 - Count; Index++) {
        Name8dot3->Buffer[At++] = Context->NameBuffer[Index];
    }
    Name8dot3->Buffer[At++] = L'~';
    while (Count != 0) {
        Name8dot3->Buffer[At++] = Digits[--Count];
    }
    for (Index = 0; Index < Context->ExtensionLength; Index++) {
        Name8dot3->Buffer[At++] = Context->ExtensionBuffer[Index];
    }
    Name8dot3->Length = (USHORT)(At * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counted strings: ANSI_STRING and UNICODE_STRING.
 *
 * IRQL: any for those that neither allocate nor fold case through pageable text; the callers' strings decide.
 * Those that allocate use paged pool (PASSIVE_LEVEL), as documented.
 */
#include "rtlp.h"

#define RTLP_MAXIMUM_STRING 0xFFFC /* bytes; even, with room for a terminator */

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T Length = SourceString != NULL ? wcslen(SourceString) * sizeof(WCHAR) : 0;

    if (Length > RTLP_MAXIMUM_STRING)
        Length = RTLP_MAXIMUM_STRING;
    DestinationString->Buffer = (PWCH)SourceString;
    DestinationString->Length = (USHORT)Length;
    DestinationString->MaximumLength = SourceString != NULL ? (USHORT)(Length + sizeof(WCHAR)) : 0;
}

NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    if (SourceString != NULL && wcslen(SourceString) * sizeof(WCHAR) > RTLP_MAXIMUM_STRING)
        return STATUS_NAME_TOO_LONG;
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    SIZE_T Length = SourceString != NULL ? strlen(SourceString) : 0;

    if (Length > 0xFFFE)
        Length = 0xFFFE;
    DestinationString->Buffer = (PCHAR)SourceString;
    DestinationString->Length = (USHORT)Length;
    DestinationString->MaximumLength = SourceString != NULL ? (USHORT)(Length + 1) : 0;
}

VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    RtlInitAnsiString(DestinationString, SourceString);
}

NTSTATUS NTAPI RtlInitStringEx(PSTRING DestinationString, PCSZ SourceString)
{
    if (SourceString != NULL && strlen(SourceString) > 0xFFFE)
        return STATUS_NAME_TOO_LONG;
    RtlInitAnsiString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString)
{
    return RtlInitStringEx(DestinationString, SourceString);
}

VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT Length;

    if (SourceString == NULL) {
        DestinationString->Length = 0;
        return;
    }
    Length = min(SourceString->Length, DestinationString->MaximumLength);
    DestinationString->Length = Length;
    memmove(DestinationString->Buffer, SourceString->Buffer, Length);
    if (Length + sizeof(WCHAR) <= DestinationString->MaximumLength)
        DestinationString->Buffer[Length / sizeof(WCHAR)] = 0;
}

VOID NTAPI RtlCopyString(PSTRING DestinationString, PSTRING SourceString)
{
    if (SourceString == NULL) {
        DestinationString->Length = 0;
        return;
    }
    DestinationString->Length = min(SourceString->Length, DestinationString->MaximumLength);
    memmove(DestinationString->Buffer, SourceString->Buffer, DestinationString->Length);
}

static NTSTATUS RtlpAppend(PUNICODE_STRING Destination, const WCHAR *Text, SIZE_T Length)
{
    if (Destination->Length + Length > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    memmove((PUCHAR)Destination->Buffer + Destination->Length, Text, Length);
    Destination->Length += (USHORT)Length;
    if (Destination->Length + sizeof(WCHAR) <= Destination->MaximumLength)
        Destination->Buffer[Destination->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return Source->Length != 0 ? RtlpAppend(Destination, Source->Buffer, Source->Length) : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    return Source != NULL ? RtlpAppend(Destination, Source, wcslen(Source) * sizeof(WCHAR)) : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, const STRING *Source)
{
    if (Source->Length == 0)
        return STATUS_SUCCESS;
    if (Destination->Length + Source->Length > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    memmove(Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
    Destination->Length += Source->Length;
    return STATUS_SUCCESS;
}

LONG NTAPI RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2, SIZE_T String2Length,
                                    BOOLEAN CaseInSensitive)
{
    SIZE_T Length = min(String1Length, String2Length), Index = 0;

    /* What is the same is the same in any case: four at a time. */
    while (Index + 4 <= Length &&
           *(const UNALIGNED ULONG64 *)(String1 + Index) == *(const UNALIGNED ULONG64 *)(String2 + Index))
        Index += 4;
    for (; Index < Length; Index++) {
        WCHAR A = String1[Index], B = String2[Index];
        if (A == B)
            continue;
        if (CaseInSensitive) {
            A = RtlpUpcase(A);
            B = RtlpUpcase(B);
            if (A == B)
                continue;
        }
        return (LONG)A - (LONG)B;
    }
    return (LONG)String1Length - (LONG)String2Length;
}

LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareUnicodeStrings(String1->Buffer, String1->Length / sizeof(WCHAR), String2->Buffer,
                                    String2->Length / sizeof(WCHAR), CaseInSensitive);
}

BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}

BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING Start = *String2;

    if (String2->Length < String1->Length)
        return FALSE;
    Start.Length = String1->Length;
    return RtlEqualUnicodeString(String1, &Start, CaseInSensitive);
}

BOOLEAN NTAPI RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING End;

    if (String2->Length < String1->Length)
        return FALSE;
    End.Length = End.MaximumLength = String1->Length;
    End.Buffer = String2->Buffer + (String2->Length - String1->Length) / sizeof(WCHAR);
    return RtlEqualUnicodeString(String1, &End, CaseInSensitive);
}

/* The first place of SearchString in FullString, or NULL. */
PWCHAR NTAPI RtlFindUnicodeSubstring(PCUNICODE_STRING FullString, PCUNICODE_STRING SearchString,
                                     BOOLEAN CaseInSensitive)
{
    UNICODE_STRING Part = *SearchString;

    if (SearchString->Length == 0)
        return FullString->Buffer;
    for (ULONG Start = 0; Start + SearchString->Length <= FullString->Length; Start += sizeof(WCHAR)) {
        Part.Buffer = FullString->Buffer + Start / sizeof(WCHAR);
        if (RtlEqualUnicodeString(&Part, SearchString, CaseInSensitive))
            return Part.Buffer;
    }
    return NULL;
}

LONG NTAPI RtlCompareString(PSTRING String1, PSTRING String2, BOOLEAN CaseInSensitive)
{
    USHORT Length = min(String1->Length, String2->Length);

    for (USHORT Index = 0; Index < Length; Index++) {
        UCHAR A = (UCHAR)String1->Buffer[Index], B = (UCHAR)String2->Buffer[Index];
        if (CaseInSensitive) {
            A = (UCHAR)RtlUpperChar((CHAR)A);
            B = (UCHAR)RtlUpperChar((CHAR)B);
        }
        if (A != B)
            return (LONG)A - (LONG)B;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN NTAPI RtlEqualString(PSTRING String1, PSTRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

BOOLEAN NTAPI RtlPrefixString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    STRING Start = *String2;

    if (String2->Length < String1->Length)
        return FALSE;
    Start.Length = String1->Length;
    return RtlEqualString((PSTRING)String1, &Start, CaseInSensitive);
}

VOID NTAPI RtlUpperString(PSTRING DestinationString, PSTRING SourceString)
{
    USHORT Length = min(SourceString->Length, DestinationString->MaximumLength);

    for (USHORT Index = 0; Index < Length; Index++)
        DestinationString->Buffer[Index] = RtlUpperChar(SourceString->Buffer[Index]);
    DestinationString->Length = Length;
}

static NTSTATUS RtlpMapCase(PUNICODE_STRING Destination, PCUNICODE_STRING Source, BOOLEAN Allocate,
                            WCHAR(NTAPI *Map)(WCHAR))
{
    if (Allocate) {
        Destination->MaximumLength = Source->Length;
        Destination->Buffer = ExAllocatePoolWithTag(PagedPool, max(Source->Length, sizeof(WCHAR)), RTLP_STRING_TAG);
        if (Destination->Buffer == NULL)
            return STATUS_NO_MEMORY;
    } else if (Source->Length > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (ULONG Index = 0; Index < Source->Length / sizeof(WCHAR); Index++)
        Destination->Buffer[Index] = Map(Source->Buffer[Index]);
    Destination->Length = Source->Length;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    return RtlpMapCase(DestinationString, SourceString, AllocateDestinationString, RtlUpcaseUnicodeChar);
}

NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING UniDest, PCUNICODE_STRING UniSource, BOOLEAN AllocateDest)
{
    return RtlpMapCase(UniDest, UniSource, AllocateDest, RtlDowncaseUnicodeChar);
}

NTSTATUS NTAPI RtlHashUnicodeString(const UNICODE_STRING *String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm,
                                    PULONG HashValue)
{
    const WCHAR *Next, *End;
    ULONG Hash = 0;

    if (String == NULL || HashValue == NULL)
        return STATUS_INVALID_PARAMETER;
    if (HashAlgorithm != HASH_STRING_ALGORITHM_DEFAULT && HashAlgorithm != HASH_STRING_ALGORITHM_X65599)
        return STATUS_INVALID_PARAMETER;
    Next = String->Buffer;
    End = Next + String->Length / sizeof(WCHAR);
    if (CaseInSensitive) {
        for (; Next != End; Next++)
            Hash = Hash * 65599 + RtlpUpcase(*Next);
    } else {
        for (; Next != End; Next++)
            Hash = Hash * 65599 + *Next;
    }
    *HashValue = Hash;
    return STATUS_SUCCESS;
}

BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T Size = (wcslen(SourceString) + 1) * sizeof(WCHAR);

    if (Size > RTLP_MAXIMUM_STRING + sizeof(WCHAR))
        return FALSE;
    DestinationString->Buffer = ExAllocatePoolWithTag(PagedPool, Size, RTLP_STRING_TAG);
    if (DestinationString->Buffer == NULL)
        return FALSE;
    memcpy(DestinationString->Buffer, SourceString, Size);
    DestinationString->MaximumLength = (USHORT)Size;
    DestinationString->Length = (USHORT)(Size - sizeof(WCHAR));
    return TRUE;
}

#define RTLP_DUPLICATE_NULL_TERMINATE       0x1
#define RTLP_DUPLICATE_ALLOCATE_NULL_STRING 0x2

NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING Source, PUNICODE_STRING Destination)
{
    ULONG Size;
    PWCH Buffer;

    if ((Flags & ~3u) != 0 ||
        ((Flags & RTLP_DUPLICATE_ALLOCATE_NULL_STRING) && !(Flags & RTLP_DUPLICATE_NULL_TERMINATE)))
        return STATUS_INVALID_PARAMETER;
    if (Source == NULL || Destination == NULL || Source->Length % sizeof(WCHAR) != 0 ||
        Source->Length > Source->MaximumLength || (Source->MaximumLength != 0 && Source->Buffer == NULL))
        return STATUS_INVALID_PARAMETER;
    Size = Source->Length + (Flags & RTLP_DUPLICATE_NULL_TERMINATE ? sizeof(WCHAR) : 0);
    if (Size > 0xFFFE)
        return STATUS_NAME_TOO_LONG;
    if (Source->Length == 0 && !(Flags & RTLP_DUPLICATE_ALLOCATE_NULL_STRING)) {
        memset(Destination, 0, sizeof(*Destination));
        return STATUS_SUCCESS;
    }
    Buffer = ExAllocatePoolWithTag(PagedPool, Size, RTLP_STRING_TAG);
    if (Buffer == NULL)
        return STATUS_NO_MEMORY;
    Destination->Buffer = Buffer;
    memcpy(Destination->Buffer, Source->Buffer, Source->Length);
    if (Flags & RTLP_DUPLICATE_NULL_TERMINATE)
        Destination->Buffer[Source->Length / sizeof(WCHAR)] = 0;
    Destination->Length = Source->Length;
    Destination->MaximumLength = (USHORT)Size;
    return STATUS_SUCCESS;
}

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    if (UnicodeString->Buffer != NULL) {
        ExFreePool(UnicodeString->Buffer);
        memset(UnicodeString, 0, sizeof(*UnicodeString));
    }
}

VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    if (AnsiString->Buffer != NULL) {
        ExFreePool(AnsiString->Buffer);
        memset(AnsiString, 0, sizeof(*AnsiString));
    }
}

VOID NTAPI RtlFreeOemString(POEM_STRING OemString)
{
    if (OemString->Buffer != NULL) {
        ExFreePool(OemString->Buffer);
        memset(OemString, 0, sizeof(*OemString));
    }
}

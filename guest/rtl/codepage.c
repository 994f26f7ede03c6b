// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversions between UTF-16 and bytes: the ANSI code page (1252), the OEM code page (437) and UTF-8.
 *
 * Both code pages have one byte a character.  A character that a page lacks becomes its default, '?'.  In UTF-8 an
 * invalid sequence or a lone surrogate becomes U+FFFD and STATUS_SOME_NOT_MAPPED is returned.
 */
#include "rtlp.h"

/* What 0x80 to 0x9F are in 1252; from 0xA0 on it is Latin-1. */
static const WCHAR RtlpAnsiHigh[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

/* What 0x80 to 0xFF are in 437. */
static const WCHAR RtlpOemHigh[128] = {
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF, 0x00EE,
    0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9, 0x00FF, 0x00D6,
    0x00DC, 0x00A2, 0x00A3, 0x00A5, 0x20A7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA, 0x00F1, 0x00D1, 0x00AA,
    0x00BA, 0x00BF, 0x2310, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255D, 0x255C, 0x255B, 0x2510, 0x2514,
    0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256C, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C,
    0x2588, 0x2584, 0x258C, 0x2590, 0x2580, 0x03B1, 0x00DF, 0x0393, 0x03C0, 0x03A3, 0x03C3, 0x00B5, 0x03C4,
    0x03A6, 0x0398, 0x03A9, 0x03B4, 0x221E, 0x03C6, 0x03B5, 0x2229, 0x2261, 0x00B1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00F7, 0x2248, 0x00B0, 0x2219, 0x00B7, 0x221A, 0x207F, 0x00B2, 0x25A0, 0x00A0,
};

/* Data exports. */
static USHORT RtlpLeadBytes[256];
extern BOOLEAN NlsMbCodePageTag, NlsMbOemCodePageTag;
extern USHORT NlsAnsiCodePage, NlsOemCodePage;
extern PUSHORT NlsLeadByteInfo, NlsOemLeadByteInfo;
BOOLEAN NlsMbCodePageTag = FALSE;
BOOLEAN NlsMbOemCodePageTag = FALSE;
USHORT NlsAnsiCodePage = 1252;
USHORT NlsOemCodePage = 437;
PUSHORT NlsLeadByteInfo = RtlpLeadBytes;
PUSHORT NlsOemLeadByteInfo = RtlpLeadBytes;

static WCHAR RtlpFromByte(UCHAR Byte, BOOLEAN Oem)
{
    if (Byte < 0x80)
        return Byte;
    if (Oem)
        return RtlpOemHigh[Byte - 0x80];
    return Byte < 0xA0 ? RtlpAnsiHigh[Byte - 0x80] : Byte;
}

static CHAR RtlpToByte(WCHAR Character, BOOLEAN Oem)
{
    const WCHAR *High = Oem ? RtlpOemHigh : RtlpAnsiHigh;
    ULONG Count = Oem ? ARRAYSIZE(RtlpOemHigh) : ARRAYSIZE(RtlpAnsiHigh);

    if (Character < 0x80 || (!Oem && Character >= 0xA0 && Character <= 0xFF))
        return (CHAR)Character;
    for (ULONG Index = 0; Index < Count; Index++) {
        if (High[Index] == Character)
            return (CHAR)(0x80 + Index);
    }
    return '?';
}

static NTSTATUS RtlpDecode(PWCH Unicode, ULONG MaxBytes, PULONG Written, const CHAR *Bytes, ULONG Count, BOOLEAN Oem)
{
    ULONG Length = min(Count, MaxBytes / sizeof(WCHAR));

    for (ULONG Index = 0; Index < Length; Index++)
        Unicode[Index] = RtlpFromByte((UCHAR)Bytes[Index], Oem);
    if (Written != NULL)
        *Written = Length * sizeof(WCHAR);
    return Length < Count ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS RtlpEncode(PCHAR Bytes, ULONG MaxBytes, PULONG Written, const WCHAR *Unicode, ULONG UnicodeBytes,
                           BOOLEAN Oem, BOOLEAN Upcase)
{
    ULONG Count = UnicodeBytes / sizeof(WCHAR);
    ULONG Length = min(Count, MaxBytes);

    for (ULONG Index = 0; Index < Length; Index++) {
        WCHAR Character = Unicode[Index];
        if (Upcase) /* by way of the page, so that what it lacks is upper case of nothing else */
            Character = RtlUpcaseUnicodeChar(RtlpFromByte((UCHAR)RtlpToByte(Character, Oem), Oem));
        Bytes[Index] = RtlpToByte(Character, Oem);
    }
    if (Written != NULL)
        *Written = Length;
    return Length < Count ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString, PULONG BytesInUnicodeString,
                                      const CHAR *MultiByteString, ULONG BytesInMultiByteString)
{
    RtlpDecode(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, MultiByteString, BytesInMultiByteString,
               FALSE);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlOemToUnicodeN(PWSTR UnicodeString, ULONG MaxBytesInUnicodeString, PULONG BytesInUnicodeString,
                                PCCH OemString, ULONG BytesInOemString)
{
    return RtlpDecode(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, OemString, BytesInOemString, TRUE);
}

NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    return RtlpEncode(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString, UnicodeString,
                      BytesInUnicodeString, FALSE, FALSE);
}

NTSTATUS NTAPI RtlUpcaseUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                            PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                            ULONG BytesInUnicodeString)
{
    return RtlpEncode(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString, UnicodeString,
                      BytesInUnicodeString, FALSE, TRUE);
}

NTSTATUS NTAPI RtlUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString, PULONG BytesInOemString,
                                PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    return RtlpEncode(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString, BytesInUnicodeString, TRUE,
                      FALSE);
}

NTSTATUS NTAPI RtlUpcaseUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString, PULONG BytesInOemString,
                                      PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    return RtlpEncode(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString, BytesInUnicodeString, TRUE,
                      TRUE);
}

NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                         ULONG BytesInMultiByteString)
{
    UNREFERENCED_PARAMETER(MultiByteString);
    *BytesInUnicodeString = BytesInMultiByteString * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    UNREFERENCED_PARAMETER(UnicodeString);
    *BytesInMultiByteString = BytesInUnicodeString / sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* Sizes count the terminator. */
ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    return (AnsiString->Length + 1u) * sizeof(WCHAR);
}

ULONG NTAPI RtlxOemStringToUnicodeSize(PCOEM_STRING OemString)
{
    return (OemString->Length + 1u) * sizeof(WCHAR);
}

ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    return UnicodeString->Length / sizeof(WCHAR) + 1;
}

ULONG NTAPI RtlxUnicodeStringToOemSize(PCUNICODE_STRING UnicodeString)
{
    return UnicodeString->Length / sizeof(WCHAR) + 1;
}

static NTSTATUS RtlpToUnicodeString(PUNICODE_STRING Destination, const STRING *Source, BOOLEAN Allocate, BOOLEAN Oem,
                                    BOOLEAN Terminate)
{
    ULONG Length = Source->Length * sizeof(WCHAR);
    ULONG Size = Length + (Terminate ? sizeof(WCHAR) : 0);

    if (Size > 0xFFFF)
        return STATUS_INVALID_PARAMETER_2;
    Destination->Length = (USHORT)Length; /* also when it does not fit: what would */
    if (Allocate) {
        Destination->Buffer = ExAllocatePoolWithTag(PagedPool, max(Size, 1), RTLP_STRING_TAG);
        if (Destination->Buffer == NULL)
            return STATUS_NO_MEMORY;
        Destination->MaximumLength = (USHORT)Size;
    } else if (Size > Destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlpDecode(Destination->Buffer, Length, NULL, Source->Buffer, Source->Length, Oem);
    if (Terminate)
        Destination->Buffer[Source->Length] = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpToByteString(PSTRING Destination, PCUNICODE_STRING Source, BOOLEAN Allocate, BOOLEAN Oem,
                                 BOOLEAN Upcase, BOOLEAN Terminate)
{
    ULONG Length = Source->Length / sizeof(WCHAR);
    ULONG Size = Length + (Terminate ? 1 : 0);
    NTSTATUS Status;

    if (Allocate) {
        Destination->Buffer = ExAllocatePoolWithTag(PagedPool, max(Size, 1), RTLP_STRING_TAG);
        if (Destination->Buffer == NULL)
            return STATUS_NO_MEMORY;
        Destination->MaximumLength = (USHORT)Size;
    }
    /* Without room for all of it the text is cut, terminated, and the status says so. */
    if (Size > Destination->MaximumLength) {
        if (Destination->MaximumLength == 0)
            return STATUS_BUFFER_OVERFLOW;
        Length = Destination->MaximumLength - (Terminate ? 1 : 0);
    }
    Status = RtlpEncode(Destination->Buffer, Length, NULL, Source->Buffer, Source->Length, Oem, Upcase);
    Destination->Length = (USHORT)Length;
    if (Terminate)
        Destination->Buffer[Length] = 0;
    return Status;
}

NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    return RtlpToUnicodeString(DestinationString, SourceString, AllocateDestinationString, FALSE, TRUE);
}

NTSTATUS NTAPI RtlOemStringToUnicodeString(PUNICODE_STRING DestinationString, PCOEM_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    return RtlpToUnicodeString(DestinationString, SourceString, AllocateDestinationString, TRUE, TRUE);
}

NTSTATUS NTAPI RtlOemStringToCountedUnicodeString(PUNICODE_STRING DestinationString, PCOEM_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    return RtlpToUnicodeString(DestinationString, SourceString, AllocateDestinationString, TRUE, FALSE);
}

NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                            BOOLEAN AllocateDestinationString)
{
    return RtlpToByteString(DestinationString, SourceString, AllocateDestinationString, FALSE, FALSE, TRUE);
}

NTSTATUS NTAPI RtlUnicodeStringToOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                           BOOLEAN AllocateDestinationString)
{
    return RtlpToByteString(DestinationString, SourceString, AllocateDestinationString, TRUE, FALSE, TRUE);
}

NTSTATUS NTAPI RtlUpcaseUnicodeStringToOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                 BOOLEAN AllocateDestinationString)
{
    return RtlpToByteString(DestinationString, SourceString, AllocateDestinationString, TRUE, TRUE, TRUE);
}

NTSTATUS NTAPI RtlUnicodeStringToCountedOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                  BOOLEAN AllocateDestinationString)
{
    return RtlpToByteString(DestinationString, SourceString, AllocateDestinationString, TRUE, FALSE, FALSE);
}

NTSTATUS NTAPI RtlUpcaseUnicodeStringToCountedOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                                        BOOLEAN AllocateDestinationString)
{
    return RtlpToByteString(DestinationString, SourceString, AllocateDestinationString, TRUE, TRUE, FALSE);
}

/* Upper case by way of the page.  The page's default character stands for all that it lacks: it is not valid. */
BOOLEAN NTAPI RtlIsValidOemCharacter(PWCHAR Char)
{
    CHAR Byte = RtlpToByte(RtlUpcaseUnicodeChar(RtlpFromByte((UCHAR)RtlpToByte(*Char, TRUE), TRUE)), TRUE);

    if (Byte == '?')
        return FALSE;
    *Char = RtlpFromByte((UCHAR)Byte, TRUE);
    return TRUE;
}

#define RTLP_REPLACEMENT 0xFFFD

/*
 * Whether the second byte of a sequence of Need + 1 bytes leads out of what such sequences may stand for: overlong forms,
 * surrogates, what is past U+10FFFF.  Value is what the first two bytes make.
 */
static BOOLEAN RtlpIsBadStart(ULONG Need, ULONG Value)
{
    return (Need == 2 && (Value < 0x20 || (Value >= 0x360 && Value < 0x380))) ||
           (Need == 3 && (Value < 0x10 || Value >= 0x110));
}

/* Takes one code point, or what is wrong together: a first byte and those that belong to it; returns the bytes taken. */
static ULONG RtlpTakeUtf8(const UCHAR *Text, ULONG Count, PULONG Point, PBOOLEAN Valid)
{
    ULONG Need = Text[0] < 0x80                      ? 0
                 : Text[0] >= 0xF0 && Text[0] < 0xF5 ? 3
                 : Text[0] >= 0xE0 && Text[0] < 0xF0 ? 2
                 : Text[0] >= 0xC2 && Text[0] < 0xE0 ? 1
                                                     : 4;
    ULONG Value = Need == 0 ? Text[0] : Text[0] & (0x3F >> Need);
    ULONG Taken = 1;
    BOOLEAN Bad = Need == 4;

    while (!Bad && Taken <= Need && Taken < Count && (Text[Taken] & 0xC0) == 0x80) {
        Value = Value << 6 | (Text[Taken++] & 0x3F);
        Bad = Taken == 2 && RtlpIsBadStart(Need, Value);
    }
    if (Bad || Taken != Need + 1) {
        *Valid = FALSE;
        Value = RTLP_REPLACEMENT;
    }
    *Point = Value;
    return Taken;
}

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                                 PULONG UnicodeStringActualByteCount, PCCH UTF8StringSource, ULONG UTF8StringByteCount)
{
    const UCHAR *Text = (const UCHAR *)UTF8StringSource;
    ULONG Room = UnicodeStringDestination != NULL ? UnicodeStringMaxByteCount / sizeof(WCHAR) : MAXULONG;
    ULONG Used = 0, Index = 0, Point;
    BOOLEAN Valid = TRUE, Cut = FALSE;

    if (UTF8StringSource == NULL)
        return STATUS_INVALID_PARAMETER_4;
    if (UnicodeStringDestination == NULL && UnicodeStringActualByteCount == NULL)
        return STATUS_INVALID_PARAMETER;
    while (Index < UTF8StringByteCount && !Cut) {
        ULONG Units;
        Index += RtlpTakeUtf8(Text + Index, UTF8StringByteCount - Index, &Point, &Valid);
        Units = Point >= 0x10000 ? 2 : 1;
        Cut = Units > Room - Used;
        /* A pair may be cut in the middle: as many units as fit. */
        if (UnicodeStringDestination != NULL && Used < Room)
            UnicodeStringDestination[Used] = (WCHAR)(Units == 2 ? 0xD800 + ((Point - 0x10000) >> 10) : Point);
        if (UnicodeStringDestination != NULL && !Cut && Units == 2)
            UnicodeStringDestination[Used + 1] = (WCHAR)(0xDC00 + (Point & 0x3FF));
        Used += min(Units, Room - Used);
    }
    if (UnicodeStringActualByteCount != NULL)
        *UnicodeStringActualByteCount = Used * sizeof(WCHAR);
    return Cut ? STATUS_BUFFER_TOO_SMALL : Valid ? STATUS_SUCCESS : STATUS_SOME_NOT_MAPPED;
}

NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
                                 PULONG UTF8StringActualByteCount, PCWCH UnicodeStringSource,
                                 ULONG UnicodeStringByteCount)
{
    ULONG Room = UTF8StringDestination != NULL ? UTF8StringMaxByteCount : MAXULONG;
    ULONG Used = 0, Count = UnicodeStringByteCount / sizeof(WCHAR);
    BOOLEAN Valid = TRUE, Cut = FALSE;

    if (UnicodeStringSource == NULL)
        return STATUS_INVALID_PARAMETER_4;
    if (UTF8StringDestination == NULL && UTF8StringActualByteCount == NULL)
        return STATUS_INVALID_PARAMETER;
    if (UnicodeStringByteCount % sizeof(WCHAR) != 0)
        return STATUS_INVALID_PARAMETER_5;
    for (ULONG Index = 0; Index < Count && !Cut; Index++) {
        ULONG Point = UnicodeStringSource[Index], Bytes;
        CHAR Text[4];

        if (Point >= 0xD800 && Point < 0xDC00 && Index + 1 < Count && UnicodeStringSource[Index + 1] >= 0xDC00 &&
            UnicodeStringSource[Index + 1] < 0xE000) {
            Point = 0x10000 + ((Point - 0xD800) << 10) + (UnicodeStringSource[++Index] - 0xDC00);
        } else if (Point >= 0xD800 && Point < 0xE000) {
            Point = RTLP_REPLACEMENT;
            Valid = FALSE;
        }
        Bytes = Point < 0x80 ? 1 : Point < 0x800 ? 2 : Point < 0x10000 ? 3 : 4;
        for (ULONG Byte = Bytes; Byte-- > 1; Point >>= 6)
            Text[Byte] = (CHAR)(0x80 | (Point & 0x3F));
        Text[0] = (CHAR)(Bytes == 1 ? Point : ((0xF00 >> Bytes) & 0xFF) | Point);
        Cut = Bytes > Room - Used;
        if (!Cut && UTF8StringDestination != NULL)
            memcpy(UTF8StringDestination + Used, Text, Bytes);
        Used += Cut ? 0 : Bytes;
    }
    if (UTF8StringActualByteCount != NULL)
        *UTF8StringActualByteCount = Used;
    return Cut ? STATUS_BUFFER_TOO_SMALL : Valid ? STATUS_SUCCESS : STATUS_SOME_NOT_MAPPED;
}

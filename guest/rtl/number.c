// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers and GUIDs as text, and text as numbers. */
#include "rtlp.h"

static NTSTATUS RtlpNumberToString(ULONG64 Value, ULONG Base, PUNICODE_STRING String)
{
    static const CHAR Digits[] = "0123456789ABCDEF";
    WCHAR Text[65];
    ULONG Start = ARRAYSIZE(Text), Length;

    if (Base == 0)
        Base = 10;
    if (Base != 2 && Base != 8 && Base != 10 && Base != 16)
        return STATUS_INVALID_PARAMETER;
    do {
        Text[--Start] = (WCHAR)Digits[Value % Base];
        Value /= Base;
    } while (Value != 0);
    Length = (ARRAYSIZE(Text) - Start) * sizeof(WCHAR);
    String->Length = (USHORT)Length; /* also when it does not fit: what would */
    if (Length + sizeof(WCHAR) > String->MaximumLength)
        return STATUS_BUFFER_OVERFLOW;
    memcpy(String->Buffer, Text + Start, Length);
    String->Buffer[Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlpNumberToString(Value, Base, String);
}

NTSTATUS NTAPI RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    return RtlpNumberToString(Value, Base, String);
}

/* A digit's value, or 255. */
static ULONG RtlpDigitValue(WCHAR c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'z' ? c - 'a' + 10
           : c >= 'A' && c <= 'Z' ? c - 'A' + 10
                                  : 255;
}

/* Blanks, a sign, a prefix 0b, 0o or 0x if Base is 0, digits; what follows the digits is ignored. */
static NTSTATUS RtlpStringToInteger(const VOID *Text, SIZE_T Count, BOOLEAN Wide, ULONG Base, PULONG Value)
{
    SIZE_T i = 0;
    BOOLEAN Negative;
    ULONG Result = 0;

#define AT(n) ((n) >= Count ? 0 : Wide ? ((const WCHAR *)Text)[n] : ((const UCHAR *)Text)[n])
    while (i < Count && AT(i) <= ' ')
        i++;
    Negative = AT(i) == '-';
    if (AT(i) == '-' || AT(i) == '+')
        i++;
    if (Base == 0) {
        Base = 10;
        if (AT(i) == '0') {
            Base = AT(i + 1) == 'b' ? 2 : AT(i + 1) == 'o' ? 8 : AT(i + 1) == 'x' ? 16 : 10;
            if (Base != 10)
                i += 2;
        }
    } else if (Base != 2 && Base != 8 && Base != 10 && Base != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Value == NULL)
        return STATUS_ACCESS_VIOLATION;
    for (; RtlpDigitValue(AT(i)) < Base; i++)
        Result = Result * Base + RtlpDigitValue(AT(i));
#undef AT
    *Value = Negative ? 0 - Result : Result;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    return RtlpStringToInteger(String->Buffer, String->Length / sizeof(WCHAR), TRUE, Base, Value);
}

NTSTATUS NTAPI RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
    return RtlpStringToInteger(String, strlen(String), FALSE, Base, Value);
}

#define RTLP_GUID_CHARACTERS 38

NTSTATUS NTAPI RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
    CHAR Text[RTLP_GUID_CHARACTERS + 1];

    GuidString->Length = RTLP_GUID_CHARACTERS * sizeof(WCHAR);
    GuidString->MaximumLength = GuidString->Length + sizeof(WCHAR);
    GuidString->Buffer = ExAllocatePoolWithTag(PagedPool, GuidString->MaximumLength, RTLP_STRING_TAG);
    if (GuidString->Buffer == NULL)
        return STATUS_NO_MEMORY;
    _snprintf(Text, sizeof(Text), "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", (unsigned int)Guid->Data1,
              Guid->Data2, Guid->Data3, Guid->Data4[0], Guid->Data4[1], Guid->Data4[2], Guid->Data4[3], Guid->Data4[4],
              Guid->Data4[5], Guid->Data4[6], Guid->Data4[7]);
    for (ULONG Index = 0; Index <= RTLP_GUID_CHARACTERS; Index++)
        GuidString->Buffer[Index] = (UCHAR)Text[Index];
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGUIDFromString(PUNICODE_STRING GuidString, GUID *Guid)
{
    static const CHAR Pattern[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    UCHAR Digits[32];
    ULONG Count = 0;

    if (GuidString->Length < RTLP_GUID_CHARACTERS * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < RTLP_GUID_CHARACTERS; Index++) {
        WCHAR Character = GuidString->Buffer[Index];
        if (Pattern[Index] != 'x') {
            if (Character != (WCHAR)Pattern[Index])
                return STATUS_INVALID_PARAMETER;
            continue;
        }
        if (RtlpDigitValue(Character) >= 16)
            return STATUS_INVALID_PARAMETER;
        Digits[Count++] = (UCHAR)RtlpDigitValue(Character);
    }
    memset(Guid, 0, sizeof(*Guid));
    for (ULONG Index = 0; Index < 8; Index++)
        Guid->Data1 = Guid->Data1 << 4 | Digits[Index];
    for (ULONG Index = 0; Index < 4; Index++) {
        Guid->Data2 = (USHORT)(Guid->Data2 << 4 | Digits[8 + Index]);
        Guid->Data3 = (USHORT)(Guid->Data3 << 4 | Digits[12 + Index]);
    }
    for (ULONG Index = 0; Index < 8; Index++)
        Guid->Data4[Index] = (UCHAR)(Digits[16 + 2 * Index] << 4 | Digits[17 + 2 * Index]);
    return STATUS_SUCCESS;
}

/* Exported as RtlConvertLongToLargeInteger, which the headers have inline.  IRQL: any. */
LARGE_INTEGER NTAPI RtlpConvertLongToLargeInteger(LONG SignedInteger);
LARGE_INTEGER NTAPI RtlpConvertLongToLargeInteger(LONG SignedInteger)
{
    return (LARGE_INTEGER){.QuadPart = SignedInteger};
}

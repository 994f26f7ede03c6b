// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The formatter behind the printf family, narrow and wide in one.
 *
 * Microsoft's dialect: %I64d, %I32d, %Id, %hs/%ls, %S and %C for the other width, %Z for counted strings (%wZ a
 * UNICODE_STRING).  Floating point is not formatted in a kernel: the conversion prints its own text.
 */
#include "format.h"

typedef struct _RTLP_SINK {
    PVOID Buffer;
    SIZE_T Capacity;
    SIZE_T Count;
    BOOLEAN Wide;
} RTLP_SINK;

typedef struct _RTLP_SPECIFIER {
    BOOLEAN Left, Plus, Space, Alternate, Zero;
    BOOLEAN Long;   /* l or w */
    BOOLEAN Short;  /* h */
    BOOLEAN Byte;   /* hh */
    BOOLEAN Size64; /* ll, I64, I, z, t, j */
    LONG Width;
    LONG Precision; /* -1: none */
} RTLP_SPECIFIER;

static VOID RtlpPut(RTLP_SINK *Sink, USHORT Character)
{
    if (Sink->Count < Sink->Capacity) {
        if (Sink->Wide)
            ((WCHAR *)Sink->Buffer)[Sink->Count] = Character;
        else
            ((UCHAR *)Sink->Buffer)[Sink->Count] = Character <= 0xFF ? (UCHAR)Character : '?';
    }
    Sink->Count++;
}

static VOID RtlpPad(RTLP_SINK *Sink, USHORT Character, LONG Count)
{
    while (Count-- > 0)
        RtlpPut(Sink, Character);
}

static USHORT RtlpFormatCharacter(const VOID *Format, SIZE_T Index, BOOLEAN Wide)
{
    return Wide ? ((const WCHAR *)Format)[Index] : ((const UCHAR *)Format)[Index];
}

static VOID RtlpPutText(RTLP_SINK *Sink, const RTLP_SPECIFIER *Specifier, const VOID *Text, SIZE_T Length, BOOLEAN Wide)
{
    LONG Padding = Specifier->Width > (LONG)Length ? Specifier->Width - (LONG)Length : 0;

    if (!Specifier->Left)
        RtlpPad(Sink, Specifier->Zero ? '0' : ' ', Padding);
    for (SIZE_T Index = 0; Index < Length; Index++)
        RtlpPut(Sink, RtlpFormatCharacter(Text, Index, Wide));
    if (Specifier->Left)
        RtlpPad(Sink, ' ', Padding);
}

static VOID RtlpPutString(RTLP_SINK *Sink, const RTLP_SPECIFIER *Specifier, const VOID *Text, BOOLEAN Wide)
{
    SIZE_T Limit = Specifier->Precision >= 0 ? (SIZE_T)Specifier->Precision : MAXLONG;
    SIZE_T Length = 0;

    if (Text == NULL) {
        Text = "(null)";
        Wide = FALSE;
    }
    while (Length < Limit && RtlpFormatCharacter(Text, Length, Wide) != 0)
        Length++;
    RtlpPutText(Sink, Specifier, Text, Length, Wide);
}

static VOID RtlpPutCounted(RTLP_SINK *Sink, const RTLP_SPECIFIER *Specifier, const UNICODE_STRING *String, BOOLEAN Wide)
{
    SIZE_T Length;

    if (String == NULL || String->Buffer == NULL) {
        RtlpPutString(Sink, Specifier, NULL, FALSE);
        return;
    }
    Length = Wide ? String->Length / sizeof(WCHAR) : String->Length;
    if (Specifier->Precision >= 0 && Length > (SIZE_T)Specifier->Precision)
        Length = (SIZE_T)Specifier->Precision;
    RtlpPutText(Sink, Specifier, String->Buffer, Length, Wide);
}

static VOID RtlpPutNumber(RTLP_SINK *Sink, const RTLP_SPECIFIER *Specifier, ULONG64 Value, BOOLEAN Negative, ULONG Base,
                          BOOLEAN Upper)
{
    static const char Lower[] = "0123456789abcdef", Capital[] = "0123456789ABCDEF";
    CHAR Digits[24], Prefix[2];
    LONG Count = 0, PrefixLength = 0, Zeros, Padding;
    BOOLEAN NonZero = Value != 0;

    while (Value != 0) {
        Digits[Count++] = (Upper ? Capital : Lower)[Value % Base];
        Value /= Base;
    }
    Zeros = (Specifier->Precision >= 0 ? Specifier->Precision : 1) - Count;
    if (Base == 10 && Negative)
        Prefix[PrefixLength++] = '-';
    else if (Base == 10 && Specifier->Plus)
        Prefix[PrefixLength++] = '+';
    else if (Base == 10 && Specifier->Space)
        Prefix[PrefixLength++] = ' ';
    if (Specifier->Alternate && Base == 16 && NonZero) {
        Prefix[PrefixLength++] = '0';
        Prefix[PrefixLength++] = Upper ? 'X' : 'x';
    } else if (Specifier->Alternate && Base == 8 && Zeros <= 0) {
        Zeros = 1;
    }
    Zeros = Zeros > 0 ? Zeros : 0;
    Padding = Specifier->Width - Count - PrefixLength - Zeros;
    if (Specifier->Zero && !Specifier->Left && Specifier->Precision < 0 && Padding > 0) {
        Zeros += Padding;
        Padding = 0;
    }
    if (!Specifier->Left)
        RtlpPad(Sink, ' ', Padding);
    for (LONG Index = 0; Index < PrefixLength; Index++)
        RtlpPut(Sink, (UCHAR)Prefix[Index]);
    RtlpPad(Sink, '0', Zeros);
    while (Count > 0)
        RtlpPut(Sink, (UCHAR)Digits[--Count]);
    if (Specifier->Left)
        RtlpPad(Sink, ' ', Padding);
}

static LONG RtlpParseNumber(const VOID *Format, SIZE_T *Index, BOOLEAN Wide)
{
    LONG Value = 0;
    USHORT Character;

    while ((Character = RtlpFormatCharacter(Format, *Index, Wide)) >= '0' && Character <= '9') {
        if (Value < 100000)
            Value = Value * 10 + (Character - '0');
        (*Index)++;
    }
    return Value;
}

static VOID RtlpParseFlags(const VOID *Format, SIZE_T *Index, BOOLEAN Wide, RTLP_SPECIFIER *Specifier)
{
    for (;; (*Index)++) {
        switch (RtlpFormatCharacter(Format, *Index, Wide)) {
        case '-': Specifier->Left = TRUE; break;
        case '+': Specifier->Plus = TRUE; break;
        case ' ': Specifier->Space = TRUE; break;
        case '#': Specifier->Alternate = TRUE; break;
        case '0': Specifier->Zero = TRUE; break;
        default: return;
        }
    }
}

static VOID RtlpParseSize(const VOID *Format, SIZE_T *Index, BOOLEAN Wide, RTLP_SPECIFIER *Specifier)
{
    for (;; (*Index)++) {
        switch (RtlpFormatCharacter(Format, *Index, Wide)) {
        case 'h':
            Specifier->Byte = Specifier->Short;
            Specifier->Short = TRUE;
            break;
        case 'l':
            Specifier->Size64 = Specifier->Long;
            Specifier->Long = TRUE;
            break;
        case 'w': Specifier->Long = TRUE; break;
        case 'z':
        case 't':
        case 'j': Specifier->Size64 = TRUE; break;
        case 'I':
            if (RtlpFormatCharacter(Format, *Index + 1, Wide) == '3' &&
                RtlpFormatCharacter(Format, *Index + 2, Wide) == '2') {
                *Index += 2;
            } else {
                if (RtlpFormatCharacter(Format, *Index + 1, Wide) == '6' &&
                    RtlpFormatCharacter(Format, *Index + 2, Wide) == '4')
                    *Index += 2;
                Specifier->Size64 = TRUE;
            }
            break;
        default: return;
        }
    }
}

SIZE_T RtlpFormat(PVOID Buffer, SIZE_T Capacity, const VOID *Format, BOOLEAN Wide, va_list Arguments)
{
    RTLP_SINK Sink = {Buffer, Capacity, 0, Wide};
    SIZE_T Index = 0;
    USHORT Character;

    while ((Character = RtlpFormatCharacter(Format, Index++, Wide)) != 0) {
        RTLP_SPECIFIER Specifier = {0};
        ULONG Base = 10;
        ULONG64 Value;
        BOOLEAN Negative = FALSE;

        if (Character != '%') {
            RtlpPut(&Sink, Character);
            continue;
        }
        Specifier.Precision = -1;
        RtlpParseFlags(Format, &Index, Wide, &Specifier);
        if (RtlpFormatCharacter(Format, Index, Wide) == '*') {
            Index++;
            Specifier.Width = va_arg(Arguments, int);
            if (Specifier.Width < 0) {
                Specifier.Left = TRUE;
                Specifier.Width = -Specifier.Width;
            }
        } else {
            Specifier.Width = RtlpParseNumber(Format, &Index, Wide);
        }
        if (RtlpFormatCharacter(Format, Index, Wide) == '.') {
            Index++;
            if (RtlpFormatCharacter(Format, Index, Wide) == '*') {
                Index++;
                Specifier.Precision = va_arg(Arguments, int);
            } else {
                Specifier.Precision = RtlpParseNumber(Format, &Index, Wide);
            }
        }
        RtlpParseSize(Format, &Index, Wide, &Specifier);

        Character = RtlpFormatCharacter(Format, Index, Wide);
        if (Character == 0)
            break;
        Index++;
        switch (Character) {
        case 's':
            RtlpPutString(&Sink, &Specifier, va_arg(Arguments, PVOID),
                          (BOOLEAN)(Specifier.Long || (Wide && !Specifier.Short)));
            break;
        case 'S':
            RtlpPutString(&Sink, &Specifier, va_arg(Arguments, PVOID),
                          (BOOLEAN)(Specifier.Long || (!Wide && !Specifier.Short)));
            break;
        case 'Z': RtlpPutCounted(&Sink, &Specifier, va_arg(Arguments, const UNICODE_STRING *), Specifier.Long); break;
        case 'c':
        case 'C': {
            WCHAR One = (WCHAR)va_arg(Arguments, int);
            RtlpPutText(&Sink, &Specifier, &One, 1, TRUE);
            break;
        }
        case 'p':
            Specifier.Size64 = TRUE;
            Specifier.Precision = 16;
            RtlpPutNumber(&Sink, &Specifier, va_arg(Arguments, ULONG64), FALSE, 16, TRUE);
            break;
        case 'x':
        case 'X': Base = 16; goto Number;
        case 'o': Base = 8; goto Number;
        case 'd':
        case 'i':
        case 'u':
        Number:
            Value = Specifier.Size64 ? va_arg(Arguments, ULONG64) : va_arg(Arguments, unsigned int);
            if (Character == 'd' || Character == 'i') {
                LONG64 Signed = Specifier.Size64 ? (LONG64)Value : (LONG)Value;
                Signed = Specifier.Byte ? (signed char)Signed : Specifier.Short ? (SHORT)Signed : Signed;
                Negative = Signed < 0;
                Value = Negative ? 0 - (ULONG64)Signed : (ULONG64)Signed;
            } else if (Specifier.Short) {
                Value = Specifier.Byte ? (UCHAR)Value : (USHORT)Value;
            }
            RtlpPutNumber(&Sink, &Specifier, Value, Negative, Base, Character == 'X');
            break;
        case 'e':
        case 'E':
        case 'f':
        case 'g':
        case 'G':
        case 'a':
        case 'A':
            (void)va_arg(Arguments, double);
            RtlpPutString(&Sink, &Specifier, "(float)", FALSE);
            break;
        case 'n': (void)va_arg(Arguments, PVOID); break;
        default: RtlpPut(&Sink, Character);
        }
    }
    return Sink.Count;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scanner behind the scanf_s family, narrow and wide in one.
 *
 * As in printf, %hs and %ls name a width, %S and %C the other one, %I64 and %I32 an integer's size.  %c, %s and %[ take
 * two arguments: the buffer, and its room in characters as an unsigned int; what does not fit is not stored, leaves an
 * empty string and ends the scan.  Floating point is not read in a kernel: such a conversion ends the scan.
 * Any IRQL, when the buffers are resident. Source: the C runtime's pages sscanf_s, _snscanf_s and "scanf type field
 * characters".
 */
#include "rtlp.h"
#include <stdarg.h>

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

#define RTLP_EOF (-1)

typedef struct _RTLP_INPUT {
    const VOID *Text;
    SIZE_T At, Limit; /* in characters */
    BOOLEAN Wide;
} RTLP_INPUT;

typedef struct _RTLP_CONVERSION {
    BOOLEAN Suppressed; /* *: nothing is stored */
    BOOLEAN HasWidth;
    BOOLEAN WideText; /* of what %c, %s and %[ store */
    ULONG Width;
    ULONG Size;      /* of an integer, in bytes */
    ULONG Type;      /* c, s, [, d, i, o, u, x, n; 0: none that is known */
    const VOID *Set; /* of %[, what follows the bracket and the ^ */
    SIZE_T SetLength;
    BOOLEAN SetExcludes;
} RTLP_CONVERSION;

typedef enum _RTLP_SCANNED { RtlpMatched, RtlpNoMatch, RtlpNoInput } RTLP_SCANNED;

static LONG RtlpLetter(const VOID *Text, SIZE_T At, BOOLEAN Wide)
{
    return Wide ? ((const WCHAR *)Text)[At] : ((const UCHAR *)Text)[At];
}

/* The next character, or RTLP_EOF. */
static LONG RtlpPeek(const RTLP_INPUT *Input)
{
    LONG Letter = Input->At < Input->Limit ? RtlpLetter(Input->Text, Input->At, Input->Wide) : 0;

    return Letter != 0 ? Letter : RTLP_EOF;
}

static VOID RtlpSkipBlanks(RTLP_INPUT *Input)
{
    while (isspace(RtlpPeek(Input)))
        Input->At++;
}

/* h, l, w, ll, I, I32, I64 and the rest: At is behind them afterwards; in Narrow and Wide whether a width is named. */
static SIZE_T RtlpReadPrefixes(const VOID *Format, SIZE_T At, BOOLEAN Wide, RTLP_CONVERSION *Conversion,
                               BOOLEAN *NamesNarrow, BOOLEAN *NamesWide)
{
    for (;; At++) {
        LONG Letter = RtlpLetter(Format, At, Wide);

        if (Letter == 'h') {
            Conversion->Size = Conversion->Size == sizeof(SHORT) ? sizeof(CHAR) : sizeof(SHORT);
            *NamesNarrow = TRUE;
        } else if (Letter == 'l' || Letter == 'w') {
            if (RtlpLetter(Format, At + 1, Wide) == 'l') {
                Conversion->Size = sizeof(LONG64);
                At++;
            }
            *NamesWide = TRUE;
        } else if (Letter == 'I' && RtlpLetter(Format, At + 1, Wide) == '6' &&
                   RtlpLetter(Format, At + 2, Wide) == '4') {
            Conversion->Size = sizeof(LONG64);
            At += 2;
        } else if (Letter == 'I' && RtlpLetter(Format, At + 1, Wide) == '3' &&
                   RtlpLetter(Format, At + 2, Wide) == '2') {
            At += 2;
        } else if (Letter == 'I' || Letter == 'z' || Letter == 't' || Letter == 'j') {
            Conversion->Size = sizeof(LONG64);
        } else {
            return At;
        }
    }
}

/* At is behind the percent sign, and afterwards behind the conversion. */
static SIZE_T RtlpReadConversion(const VOID *Format, SIZE_T At, BOOLEAN Wide, RTLP_CONVERSION *Conversion)
{
    BOOLEAN NamesNarrow = FALSE, NamesWide = FALSE;
    LONG Letter;

    RtlZeroMemory(Conversion, sizeof(*Conversion));
    Conversion->Size = sizeof(LONG);
    if (RtlpLetter(Format, At, Wide) == '*') {
        Conversion->Suppressed = TRUE;
        At++;
    }
    for (; isdigit(RtlpLetter(Format, At, Wide)); At++) {
        Conversion->HasWidth = TRUE;
        Conversion->Width = Conversion->Width * 10 + (ULONG)RtlpLetter(Format, At, Wide) - '0';
    }
    At = RtlpReadPrefixes(Format, At, Wide, Conversion, &NamesNarrow, &NamesWide);
    Letter = RtlpLetter(Format, At, Wide);
    if (Letter == 0)
        return At;
    At++;
    Conversion->WideText = NamesWide || (!NamesNarrow && Wide != (Letter == 'S' || Letter == 'C'));
    switch (Letter) {
    case 'c':
    case 'C':
        Conversion->Type = 'c';
        if (!Conversion->HasWidth)
            Conversion->Width = 1;
        Conversion->HasWidth = TRUE;
        break;
    case 's':
    case 'S': Conversion->Type = 's'; break;
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'n': Conversion->Type = (ULONG)Letter; break;
    case 'p':
        Conversion->Size = sizeof(PVOID);
        Conversion->Type = 'x';
        break;
    case 'x':
    case 'X': Conversion->Type = 'x'; break;
    case '[':
        Conversion->Type = '[';
        Conversion->SetExcludes = RtlpLetter(Format, At, Wide) == '^';
        At += Conversion->SetExcludes;
        Conversion->Set =
            Wide ? (const VOID *)((const WCHAR *)Format + At) : (const VOID *)((const UCHAR *)Format + At);
        /* A bracket that comes first is one of the set. */
        do {
            if (RtlpLetter(Format, At, Wide) == 0) {
                Conversion->Type = 0;
                return At;
            }
            At++;
            Conversion->SetLength++;
        } while (RtlpLetter(Format, At, Wide) != ']');
        At++;
        break;
    }
    return At;
}

static BOOLEAN RtlpIsInSet(const RTLP_CONVERSION *Conversion, BOOLEAN Wide, LONG Letter)
{
    for (SIZE_T At = 0; At < Conversion->SetLength; At++) {
        LONG First = RtlpLetter(Conversion->Set, At, Wide), Last = First;

        if (At + 2 < Conversion->SetLength && RtlpLetter(Conversion->Set, At + 1, Wide) == '-') {
            Last = RtlpLetter(Conversion->Set, At + 2, Wide);
            At += 2;
            if (Last < First) {
                LONG Swap = First;
                First = Last;
                Last = Swap;
            }
        }
        if (Letter >= First && Letter <= Last)
            return TRUE;
    }
    return FALSE;
}

static BOOLEAN RtlpBelongs(const RTLP_CONVERSION *Conversion, BOOLEAN Wide, LONG Letter)
{
    if (Letter == RTLP_EOF)
        return FALSE;
    if (Conversion->Type == '[')
        return RtlpIsInSet(Conversion, Wide, Letter) != Conversion->SetExcludes;
    return Conversion->Type == 'c' || !isspace(Letter);
}

/* One character of the input as one of the buffer's, by the ANSI code page where the widths differ. */
static VOID RtlpStoreLetter(PVOID Buffer, SIZE_T At, BOOLEAN ToWide, LONG Letter, BOOLEAN FromWide)
{
    WCHAR Wide = (WCHAR)Letter;
    CHAR Narrow = (CHAR)Letter;

    if (ToWide && !FromWide)
        RtlMultiByteToUnicodeN(&Wide, sizeof(Wide), NULL, &Narrow, sizeof(Narrow));
    if (!ToWide && FromWide)
        RtlUnicodeToMultiByteN(&Narrow, sizeof(Narrow), NULL, &Wide, sizeof(Wide));
    if (ToWide)
        ((WCHAR *)Buffer)[At] = Wide;
    else
        ((CHAR *)Buffer)[At] = Narrow;
}

static RTLP_SCANNED RtlpScanText(RTLP_INPUT *Input, const RTLP_CONVERSION *Conversion, va_list *Arguments)
{
    PVOID Buffer = NULL;
    ULONG Room = 0, Count = 0;
    ULONG Limit = Conversion->HasWidth ? Conversion->Width : MAXULONG;
    ULONG Terminator = Conversion->Type == 'c' ? 0 : 1;

    if (!Conversion->Suppressed) {
        Buffer = va_arg(*Arguments, PVOID);
        Room = va_arg(*Arguments, ULONG);
        if (Room < Terminator || Buffer == NULL)
            return RtlpNoMatch;
    }
    if (RtlpPeek(Input) == RTLP_EOF)
        return RtlpNoInput;
    for (; Count < Limit && RtlpBelongs(Conversion, Input->Wide, RtlpPeek(Input)); Count++, Input->At++) {
        if (Buffer == NULL)
            continue;
        if (Count + Terminator >= Room) {
            if (Room > 0)
                RtlpStoreLetter(Buffer, 0, Conversion->WideText, 0, Conversion->WideText);
            return RtlpNoMatch;
        }
        RtlpStoreLetter(Buffer, Count, Conversion->WideText, RtlpPeek(Input), Input->Wide);
    }
    if (Count == 0 || (Conversion->Type == 'c' && Count < Limit))
        return RtlpNoMatch;
    if (Buffer != NULL && Terminator != 0)
        RtlpStoreLetter(Buffer, Count, Conversion->WideText, 0, Conversion->WideText);
    return RtlpMatched;
}

static VOID RtlpStoreInteger(va_list *Arguments, ULONG Size, ULONG64 Value)
{
    PVOID Place = va_arg(*Arguments, PVOID);

    RtlCopyMemory(Place, &Value, Size);
}

static ULONG RtlpLetterValue(LONG Letter)
{
    if (isdigit(Letter))
        return (ULONG)(Letter - '0');
    return isxdigit(Letter) ? (ULONG)((Letter | 0x20) - 'a' + 10) : MAXULONG;
}

static RTLP_SCANNED RtlpScanInteger(RTLP_INPUT *Input, const RTLP_CONVERSION *Conversion, va_list *Arguments)
{
    ULONG Base = Conversion->Type == 'x' ? 16 : Conversion->Type == 'o' ? 8 : Conversion->Type == 'i' ? 0 : 10;
    ULONG Left = Conversion->HasWidth ? Conversion->Width : MAXULONG;
    BOOLEAN Negative = FALSE, Any = FALSE;
    ULONG64 Value = 0;

    if (RtlpPeek(Input) == RTLP_EOF)
        return RtlpNoInput;
    if (Left > 0 && (RtlpPeek(Input) == '-' || RtlpPeek(Input) == '+')) {
        Negative = RtlpPeek(Input) == '-';
        Input->At++;
        Left--;
    }
    if (Left > 0 && (Base == 0 || Base == 16) && RtlpPeek(Input) == '0') {
        Input->At++;
        Left--;
        Any = TRUE;
        if (Left > 0 && (RtlpPeek(Input) | 0x20) == 'x') {
            Input->At++;
            Left--;
            Any = FALSE;
            Base = 16;
        } else if (Base == 0) {
            Base = 8;
        }
    }
    if (Base == 0)
        Base = 10;
    for (; Left > 0 && RtlpLetterValue(RtlpPeek(Input)) < Base; Left--, Input->At++) {
        Value = Value * Base + RtlpLetterValue(RtlpPeek(Input));
        Any = TRUE;
    }
    if (!Any)
        return RtlpNoMatch;
    if (!Conversion->Suppressed)
        RtlpStoreInteger(Arguments, Conversion->Size, Negative ? 0 - Value : Value);
    return RtlpMatched;
}

/* How many were stored; RTLP_EOF if the input ended before anything was converted, or there is none. */
static int RtlpScan(const VOID *Text, SIZE_T Limit, const VOID *Format, BOOLEAN Wide, va_list *Arguments)
{
    RTLP_INPUT Input = {.Text = Text, .Limit = Limit, .Wide = Wide};
    RTLP_CONVERSION Conversion;
    BOOLEAN Any = FALSE;
    int Count = 0;

    if (Text == NULL || Format == NULL)
        return RTLP_EOF;
    for (SIZE_T At = 0; RtlpLetter(Format, At, Wide) != 0;) {
        LONG Letter = RtlpLetter(Format, At++, Wide);
        RTLP_SCANNED Scanned;

        if (isspace(Letter)) {
            RtlpSkipBlanks(&Input);
            continue;
        }
        if (Letter == '%' && RtlpLetter(Format, At, Wide) == '%') {
            At++;
        } else if (Letter == '%') {
            At = RtlpReadConversion(Format, At, Wide, &Conversion);
            if (Conversion.Type == 0)
                return Count;
            if (Conversion.Type == 'n') {
                if (!Conversion.Suppressed)
                    RtlpStoreInteger(Arguments, Conversion.Size, Input.At);
                continue;
            }
            if (Conversion.Type != 'c' && Conversion.Type != '[')
                RtlpSkipBlanks(&Input);
            if (Conversion.Type == 'c' || Conversion.Type == 's' || Conversion.Type == '[')
                Scanned = RtlpScanText(&Input, &Conversion, Arguments);
            else
                Scanned = RtlpScanInteger(&Input, &Conversion, Arguments);
            if (Scanned != RtlpMatched)
                return Scanned == RtlpNoInput && !Any ? RTLP_EOF : Count;
            Any = TRUE;
            Count += !Conversion.Suppressed;
            continue;
        }
        if (RtlpPeek(&Input) != Letter)
            return RtlpPeek(&Input) == RTLP_EOF && !Any ? RTLP_EOF : Count;
        Input.At++;
    }
    return Count;
}

#define RTLP_SCAN(name, letter, wide)                                                                                  \
    int name(const letter *Text, const letter *Format, ...)                                                            \
    {                                                                                                                  \
        va_list Arguments;                                                                                             \
        int Count;                                                                                                     \
                                                                                                                       \
        va_start(Arguments, Format);                                                                                   \
        Count = RtlpScan(Text, MAXSIZE_T, Format, wide, &Arguments);                                                   \
        va_end(Arguments);                                                                                             \
        return Count;                                                                                                  \
    }
#define RTLP_SCAN_COUNTED(name, letter, wide)                                                                          \
    int name(const letter *Text, size_t Limit, const letter *Format, ...)                                              \
    {                                                                                                                  \
        va_list Arguments;                                                                                             \
        int Count;                                                                                                     \
                                                                                                                       \
        va_start(Arguments, Format);                                                                                   \
        Count = RtlpScan(Text, Limit, Format, wide, &Arguments);                                                       \
        va_end(Arguments);                                                                                             \
        return Count;                                                                                                  \
    }

RTLP_SCAN(sscanf_s, char, FALSE)
RTLP_SCAN(swscanf_s, WCHAR, TRUE)
RTLP_SCAN_COUNTED(_snscanf_s, char, FALSE)
RTLP_SCAN_COUNTED(_snwscanf_s, WCHAR, TRUE)

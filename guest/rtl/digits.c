// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C runtime's numbers as text, and text in pieces.
 *
 * In base 10 a negative number has a sign; in any other base it is the bits of its type.  The _s forms write
 * an empty string when they fail: EINVAL for a base that is none, ERANGE for what does not fit.  Any IRQL,
 * when the buffers are resident. Source: the C runtime's pages _itoa_s and strtok_s.
 */
#include "rtlp.h"

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

static VOID RtlpPut(PVOID Buffer, BOOLEAN Wide, SIZE_T At, CHAR Letter)
{
    if (Wide)
        ((WCHAR *)Buffer)[At] = (WCHAR)Letter;
    else
        ((CHAR *)Buffer)[At] = Letter;
}

static int RtlpDigits(ULONG64 Value, BOOLEAN Negative, PVOID Buffer, BOOLEAN Wide, SIZE_T Capacity, int Base)
{
    CHAR Digits[66];
    SIZE_T Count = 0;

    if (Buffer == NULL || Capacity == 0)
        return RTLP_EINVAL;
    RtlpPut(Buffer, Wide, 0, 0);
    if (Base < 2 || Base > 36)
        return RTLP_EINVAL;
    if (Negative)
        Value = 0 - Value;
    do {
        Digits[Count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[Value % (ULONG)Base];
        Value /= (ULONG)Base;
    } while (Value != 0);
    if (Negative)
        Digits[Count++] = '-';
    if (Count >= Capacity)
        return RTLP_ERANGE;
    RtlpPut(Buffer, Wide, Count, 0);
    for (SIZE_T At = 0; At < Count; At++)
        RtlpPut(Buffer, Wide, At, Digits[Count - 1 - At]);
    return 0;
}

#define RTLP_SIGNED(name, type, unsigned, letter, wide)                                                                \
    int name(type Value, letter *Buffer, size_t Capacity, int Base)                                                    \
    {                                                                                                                  \
        BOOLEAN Negative = Base == 10 && Value < 0;                                                                    \
        return RtlpDigits(Negative ? (ULONG64)(LONG64)Value : (ULONG64)(unsigned)Value, Negative, Buffer, wide,        \
                          Capacity, Base);                                                                             \
    }
#define RTLP_UNSIGNED(name, type, letter, wide)                                                                        \
    int name(type Value, letter *Buffer, size_t Capacity, int Base)                                                    \
    {                                                                                                                  \
        return RtlpDigits((ULONG64)Value, FALSE, Buffer, wide, Capacity, Base);                                        \
    }

RTLP_SIGNED(_itoa_s, int, ULONG, char, FALSE)
RTLP_SIGNED(_itow_s, int, ULONG, WCHAR, TRUE)
RTLP_SIGNED(_ltoa_s, long, ULONG, char, FALSE)
RTLP_SIGNED(_ltow_s, long, ULONG, WCHAR, TRUE)
RTLP_SIGNED(_i64toa_s, LONG64, ULONG64, char, FALSE)
RTLP_SIGNED(_i64tow_s, LONG64, ULONG64, WCHAR, TRUE)
RTLP_UNSIGNED(_ultoa_s, ULONG, char, FALSE)
RTLP_UNSIGNED(_ultow_s, ULONG, WCHAR, TRUE)
RTLP_UNSIGNED(_ui64toa_s, ULONG64, char, FALSE)
RTLP_UNSIGNED(_ui64tow_s, ULONG64, WCHAR, TRUE)

/* The buffer is the caller's word: 33 characters hold every number in every base. */
char *_itoa(int Value, char *Buffer, int Base)
{
    _itoa_s(Value, Buffer, 34, Base);
    return Buffer;
}

WCHAR *_itow(int Value, WCHAR *Buffer, int Base)
{
    _itow_s(Value, Buffer, 34, Base);
    return Buffer;
}

/* The next piece between delimiters, which is cut out of the string; NULL when there is none, or without a
 * place to go on from. */
#define RTLP_TOKEN(name, letter, spn)                                                                                  \
    letter *name(letter *String, const letter *Delimiters, letter **Context)                                           \
    {                                                                                                                  \
        letter *End;                                                                                                   \
                                                                                                                       \
        if (Context == NULL || Delimiters == NULL || (String == NULL && *Context == NULL))                             \
            return NULL;                                                                                               \
        if (String == NULL)                                                                                            \
            String = *Context;                                                                                         \
        String += spn(String, Delimiters, TRUE);                                                                       \
        End = String + spn(String, Delimiters, FALSE);                                                                 \
        *Context = *End != 0 ? End + 1 : End;                                                                          \
        if (End == String)                                                                                             \
            return NULL;                                                                                               \
        *End = 0;                                                                                                      \
        return String;                                                                                                 \
    }

/* How many letters from here on are delimiters, or are none. */
#define RTLP_SPAN(name, letter)                                                                                        \
    static SIZE_T name(const letter *String, const letter *Delimiters, BOOLEAN Wanted)                                 \
    {                                                                                                                  \
        SIZE_T Count = 0, At;                                                                                          \
                                                                                                                       \
        for (; String[Count] != 0; Count++) {                                                                          \
            for (At = 0; Delimiters[At] != 0 && Delimiters[At] != String[Count]; At++) {                               \
            }                                                                                                          \
            if ((Delimiters[At] != 0) != Wanted)                                                                       \
                break;                                                                                                 \
        }                                                                                                              \
        return Count;                                                                                                  \
    }

RTLP_SPAN(RtlpSpan, char)
RTLP_SPAN(RtlpWideSpan, WCHAR)
RTLP_TOKEN(strtok_s, char, RtlpSpan)
RTLP_TOKEN(wcstok_s, WCHAR, RtlpWideSpan)

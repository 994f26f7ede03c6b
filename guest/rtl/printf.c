// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The printf family as ntoskrnl exports it: Microsoft's return values and termination.
 *
 * _snprintf and _vsnprintf (and the wide ones) return -1 when the text does not fit and terminate it only if there
 * is room; the _s variants always terminate.
 */
#include "format.h"

#define RTLP_UNBOUNDED MAXLONG

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

static int RtlpBounded(PVOID Buffer, size_t Capacity, const VOID *Format, BOOLEAN Wide, va_list Arguments)
{
    SIZE_T Length = RtlpFormat(Buffer, Buffer != NULL ? Capacity : 0, Format, Wide, Arguments);

    if (Buffer != NULL && Length < Capacity) {
        if (Wide)
            ((WCHAR *)Buffer)[Length] = 0;
        else
            ((CHAR *)Buffer)[Length] = 0;
    }
    return Buffer != NULL && Length > Capacity ? -1 : (int)Length;
}

/* At most Count characters (all that fit, if Count is _TRUNCATE), always terminated; -1 when cut. */
static int RtlpSecure(PVOID Buffer, size_t Capacity, size_t Count, const VOID *Format, BOOLEAN Wide, va_list Arguments)
{
    SIZE_T Limit, Length;

    if (Buffer == NULL || Capacity == 0)
        return -1;
    Limit = Count < Capacity - 1 ? Count : Capacity - 1;
    Length = RtlpFormat(Buffer, Limit, Format, Wide, Arguments);
    if (Length > Limit && Count != (size_t)-1 && Count > Limit) {
        /* The buffer was too small for what was asked: the result is an empty string. */
        Limit = 0;
    }
    if (Wide)
        ((WCHAR *)Buffer)[Length < Limit ? Length : Limit] = 0;
    else
        ((CHAR *)Buffer)[Length < Limit ? Length : Limit] = 0;
    return Length > Limit ? -1 : (int)Length;
}

int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Arguments)
{
    return RtlpBounded(Buffer, Count, Format, FALSE, Arguments);
}

int _vsnwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, va_list Arguments)
{
    return RtlpBounded(Buffer, Count, Format, TRUE, Arguments);
}

int vsprintf(char *Buffer, const char *Format, va_list Arguments)
{
    return RtlpBounded(Buffer, RTLP_UNBOUNDED, Format, FALSE, Arguments);
}

int _vswprintf(WCHAR *Buffer, const WCHAR *Format, va_list Arguments)
{
    return RtlpBounded(Buffer, RTLP_UNBOUNDED, Format, TRUE, Arguments);
}

int vsprintf_s(char *Buffer, size_t Capacity, const char *Format, va_list Arguments)
{
    return RtlpSecure(Buffer, Capacity, MAXLONG, Format, FALSE, Arguments);
}

int vswprintf_s(WCHAR *Buffer, size_t Capacity, const WCHAR *Format, va_list Arguments)
{
    return RtlpSecure(Buffer, Capacity, MAXLONG, Format, TRUE, Arguments);
}

int _vsnprintf_s(char *Buffer, size_t Capacity, size_t Count, const char *Format, va_list Arguments)
{
    return RtlpSecure(Buffer, Capacity, Count, Format, FALSE, Arguments);
}

int _vsnwprintf_s(WCHAR *Buffer, size_t Capacity, size_t Count, const WCHAR *Format, va_list Arguments)
{
    return RtlpSecure(Buffer, Capacity, Count, Format, TRUE, Arguments);
}

#define RTLP_VARIADIC(Call)                                                                                            \
    va_list Arguments;                                                                                                 \
    int Result;                                                                                                        \
                                                                                                                       \
    va_start(Arguments, Format);                                                                                       \
    Result = Call;                                                                                                     \
    va_end(Arguments);                                                                                                 \
    return Result

int _snprintf(char *Buffer, size_t Count, const char *Format, ...)
{
    RTLP_VARIADIC(_vsnprintf(Buffer, Count, Format, Arguments));
}

int _snwprintf(WCHAR *Buffer, size_t Count, const WCHAR *Format, ...)
{
    RTLP_VARIADIC(_vsnwprintf(Buffer, Count, Format, Arguments));
}

int sprintf(char *Buffer, const char *Format, ...)
{
    RTLP_VARIADIC(vsprintf(Buffer, Format, Arguments));
}

/* The kernel's export has no count, unlike the C standard's. */
int swprintf(WCHAR *Buffer, const WCHAR *Format, ...)
{
    RTLP_VARIADIC(_vswprintf(Buffer, Format, Arguments));
}

int _swprintf(WCHAR *Buffer, const WCHAR *Format, ...)
{
    RTLP_VARIADIC(_vswprintf(Buffer, Format, Arguments));
}

int sprintf_s(char *Buffer, size_t Capacity, const char *Format, ...)
{
    RTLP_VARIADIC(vsprintf_s(Buffer, Capacity, Format, Arguments));
}

int swprintf_s(WCHAR *Buffer, size_t Capacity, const WCHAR *Format, ...)
{
    RTLP_VARIADIC(vswprintf_s(Buffer, Capacity, Format, Arguments));
}

int _snprintf_s(char *Buffer, size_t Capacity, size_t Count, const char *Format, ...)
{
    RTLP_VARIADIC(_vsnprintf_s(Buffer, Capacity, Count, Format, Arguments));
}

int _snwprintf_s(WCHAR *Buffer, size_t Capacity, size_t Count, const WCHAR *Format, ...)
{
    RTLP_VARIADIC(_vsnwprintf_s(Buffer, Capacity, Count, Format, Arguments));
}

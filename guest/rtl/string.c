// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C runtime's narrow and wide strings, character classes and number parsing, as ntoskrnl exports them.
 *
 * ASCII only for case and classes, as in the kernel's C locale; the Rtl routines know Unicode.
 */
#include "rtlp.h"

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

#undef tolower
#undef toupper
#undef isdigit

#define RTLP_OK       0
#define RTLP_TRUNCATE ((size_t)-1)
#define STRUNCATE     80

int isdigit(int c)
{
    return c >= '0' && c <= '9';
}
int isupper(int c)
{
    return c >= 'A' && c <= 'Z';
}
int islower(int c)
{
    return c >= 'a' && c <= 'z';
}
int isalpha(int c)
{
    return isupper(c) || islower(c);
}
int isalnum(int c)
{
    return isalpha(c) || isdigit(c);
}
int isspace(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
int isprint(int c)
{
    return c >= ' ' && c <= '~';
}
int isxdigit(int c)
{
    return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
int tolower(int c)
{
    return isupper(c) ? c + 32 : c;
}
int toupper(int c)
{
    return islower(c) ? c - 32 : c;
}
int iswdigit(wint_t c)
{
    return isdigit(c);
}
int iswalnum(wint_t c)
{
    return isalnum(c);
}
int iswspace(wint_t c)
{
    return isspace(c);
}
int iswxdigit(wint_t c)
{
    return isxdigit(c);
}
int iswctype(wint_t c, wctype_t Type)
{
    return ((Type & 1) && isupper(c)) || ((Type & 2) && islower(c)) || ((Type & 4) && isdigit(c)) ||
           ((Type & 8) && isspace(c)) || ((Type & 0x80) && isxdigit(c)) || ((Type & 0x100) && isalpha(c));
}
wint_t towlower(wint_t c)
{
    return RtlDowncaseUnicodeChar((WCHAR)c);
}
wint_t towupper(wint_t c)
{
    return RtlUpcaseUnicodeChar((WCHAR)c);
}

/* One body for both widths: each function appears as its narrow and its wide name. */
#define RTLP_STRINGS(T, U, Fold, len, nlen, cmp, ncmp, icmp, nicmp, cpy, ncpy, cat, ncat, chr, rchr, str, spn, cspn,   \
                     upr, lwr, rev, set, nset)                                                                         \
    size_t len(const T *s)                                                                                             \
    {                                                                                                                  \
        size_t n = 0;                                                                                                  \
        while (s[n] != 0)                                                                                              \
            n++;                                                                                                       \
        return n;                                                                                                      \
    }                                                                                                                  \
    size_t nlen(const T *s, size_t Limit)                                                                              \
    {                                                                                                                  \
        size_t n = 0;                                                                                                  \
        while (n < Limit && s[n] != 0)                                                                                 \
            n++;                                                                                                       \
        return n;                                                                                                      \
    }                                                                                                                  \
    int ncmp(const T *a, const T *b, size_t n)                                                                         \
    {                                                                                                                  \
        for (; n > 0; a++, b++, n--) {                                                                                 \
            if (*a != *b)                                                                                              \
                return (U) * a < (U) * b ? -1 : 1;                                                                     \
            if (*a == 0)                                                                                               \
                break;                                                                                                 \
        }                                                                                                              \
        return 0;                                                                                                      \
    }                                                                                                                  \
    int cmp(const T *a, const T *b)                                                                                    \
    {                                                                                                                  \
        return ncmp(a, b, (size_t)-1);                                                                                 \
    }                                                                                                                  \
    int nicmp(const T *a, const T *b, size_t n)                                                                        \
    {                                                                                                                  \
        for (; n > 0; a++, b++, n--) {                                                                                 \
            int x = (int)Fold((U) * a), y = (int)Fold((U) * b);                                                        \
            if (x != y)                                                                                                \
                return x < y ? -1 : 1;                                                                                 \
            if (x == 0)                                                                                                \
                break;                                                                                                 \
        }                                                                                                              \
        return 0;                                                                                                      \
    }                                                                                                                  \
    int icmp(const T *a, const T *b)                                                                                   \
    {                                                                                                                  \
        return nicmp(a, b, (size_t)-1);                                                                                \
    }                                                                                                                  \
    T *cpy(T *to, const T *from)                                                                                       \
    {                                                                                                                  \
        T *p = to;                                                                                                     \
        while ((*p++ = *from++) != 0)                                                                                  \
            ;                                                                                                          \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *ncpy(T *to, const T *from, size_t n)                                                                            \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i < n && from[i] != 0; i++)                                                                             \
            to[i] = from[i];                                                                                           \
        for (; i < n; i++)                                                                                             \
            to[i] = 0;                                                                                                 \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *cat(T *to, const T *from)                                                                                       \
    {                                                                                                                  \
        cpy(to + len(to), from);                                                                                       \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *ncat(T *to, const T *from, size_t n)                                                                            \
    {                                                                                                                  \
        T *p = to + len(to);                                                                                           \
        while (n-- > 0 && *from != 0)                                                                                  \
            *p++ = *from++;                                                                                            \
        *p = 0;                                                                                                        \
        return to;                                                                                                     \
    }                                                                                                                  \
    T *rchr(const T *s, T1(T) c)                                                                                       \
    {                                                                                                                  \
        const T *Found = NULL;                                                                                         \
        do {                                                                                                           \
            if (*s == (T)c)                                                                                            \
                Found = s;                                                                                             \
        } while (*s++ != 0);                                                                                           \
        return (T *)Found;                                                                                             \
    }                                                                                                                  \
    T *chr(const T *s, T1(T) c)                                                                                        \
    {                                                                                                                  \
        for (; *s != (T)c; s++) {                                                                                      \
            if (*s == 0)                                                                                               \
                return NULL;                                                                                           \
        }                                                                                                              \
        return (T *)s;                                                                                                 \
    }                                                                                                                  \
    T *str(const T *s, const T *Pattern)                                                                               \
    {                                                                                                                  \
        size_t n = len(Pattern);                                                                                       \
        for (; ncmp(s, Pattern, n) != 0; s++) {                                                                        \
            if (*s == 0)                                                                                               \
                return NULL;                                                                                           \
        }                                                                                                              \
        return (T *)s;                                                                                                 \
    }                                                                                                                  \
    size_t spn(const T *s, const T *Accept)                                                                            \
    {                                                                                                                  \
        size_t n = 0;                                                                                                  \
        while (s[n] != 0 && chr(Accept, s[n]) != NULL)                                                                 \
            n++;                                                                                                       \
        return n;                                                                                                      \
    }                                                                                                                  \
    size_t cspn(const T *s, const T *Reject)                                                                           \
    {                                                                                                                  \
        size_t n = 0;                                                                                                  \
        while (s[n] != 0 && chr(Reject, s[n]) == NULL)                                                                 \
            n++;                                                                                                       \
        return n;                                                                                                      \
    }                                                                                                                  \
    T *upr(T *s)                                                                                                       \
    {                                                                                                                  \
        for (T *p = s; *p != 0; p++)                                                                                   \
            *p = (T)toupper((U) * p);                                                                                  \
        return s;                                                                                                      \
    }                                                                                                                  \
    T *lwr(T *s)                                                                                                       \
    {                                                                                                                  \
        for (T *p = s; *p != 0; p++)                                                                                   \
            *p = (T)tolower((U) * p);                                                                                  \
        return s;                                                                                                      \
    }                                                                                                                  \
    T *rev(T *s)                                                                                                       \
    {                                                                                                                  \
        for (size_t i = 0, j = len(s); i + 1 < j; i++) {                                                               \
            T Swap = s[i];                                                                                             \
            s[i] = s[--j];                                                                                             \
            s[j] = Swap;                                                                                               \
        }                                                                                                              \
        return s;                                                                                                      \
    }                                                                                                                  \
    T *nset(T *s, T1(T) c, size_t n)                                                                                   \
    {                                                                                                                  \
        for (T *p = s; n > 0 && *p != 0; p++, n--)                                                                     \
            *p = (T)c;                                                                                                 \
        return s;                                                                                                      \
    }                                                                                                                  \
    T *set(T *s, T1(T) c)                                                                                              \
    {                                                                                                                  \
        return nset(s, c, (size_t)-1);                                                                                 \
    }

/* A character argument: int for narrow strings, WCHAR for wide ones. */
#define T1(T)    T1_##T
#define T1_char  int
#define T1_WCHAR WCHAR

RTLP_STRINGS(char, unsigned char, tolower, strlen, strnlen, strcmp, strncmp, _stricmp, _strnicmp, strcpy, strncpy,
             strcat, strncat, strchr, strrchr, strstr, strspn, strcspn, _strupr, _strlwr, _strrev, _strset, _strnset)
RTLP_STRINGS(WCHAR, WCHAR, towlower, wcslen, wcsnlen, wcscmp, wcsncmp, _wcsicmp, _wcsnicmp, wcscpy, wcsncpy, wcscat,
             wcsncat, wcschr, wcsrchr, wcsstr, wcsspn, wcscspn, _wcsupr, _wcslwr, _wcsrev, _wcsset, _wcsnset)

WCHAR *wcspbrk(const WCHAR *s, const WCHAR *Accept)
{
    s += wcscspn(s, Accept);
    return *s != 0 ? (WCHAR *)s : NULL;
}

/* The checked copies: an empty destination and an error when the text does not fit. */
#define RTLP_CHECKED(T, len, nlen, cpy_s, ncpy_s, cat_s, ncat_s)                                                       \
    errno_t ncpy_s(T *to, size_t Capacity, const T *from, size_t Count)                                                \
    {                                                                                                                  \
        size_t n;                                                                                                      \
        if (to == NULL || Capacity == 0)                                                                               \
            return RTLP_EINVAL;                                                                                        \
        to[0] = 0;                                                                                                     \
        if (from == NULL)                                                                                              \
            return Count == 0 ? RTLP_OK : RTLP_EINVAL;                                                                 \
        n = nlen(from, Count == RTLP_TRUNCATE ? Capacity : Count);                                                     \
        if (n >= Capacity && Count != RTLP_TRUNCATE)                                                                   \
            return RTLP_ERANGE;                                                                                        \
        for (size_t i = 0; i < n && i + 1 < Capacity; i++)                                                             \
            to[i] = from[i];                                                                                           \
        to[n < Capacity ? n : Capacity - 1] = 0;                                                                       \
        return n < Capacity ? RTLP_OK : STRUNCATE;                                                                     \
    }                                                                                                                  \
    errno_t cpy_s(T *to, size_t Capacity, const T *from)                                                               \
    {                                                                                                                  \
        return ncpy_s(to, Capacity, from, RTLP_TRUNCATE - 1);                                                          \
    }                                                                                                                  \
    errno_t ncat_s(T *to, size_t Capacity, const T *from, size_t Count)                                                \
    {                                                                                                                  \
        size_t Used;                                                                                                   \
        errno_t Error;                                                                                                 \
        if (to == NULL || Capacity == 0)                                                                               \
            return RTLP_EINVAL;                                                                                        \
        Used = nlen(to, Capacity);                                                                                     \
        if (Used == Capacity) {                                                                                        \
            to[0] = 0;                                                                                                 \
            return RTLP_EINVAL;                                                                                        \
        }                                                                                                              \
        Error = ncpy_s(to + Used, Capacity - Used, from, Count);                                                       \
        if (Error != RTLP_OK && Error != STRUNCATE)                                                                    \
            to[0] = 0;                                                                                                 \
        return Error;                                                                                                  \
    }                                                                                                                  \
    errno_t cat_s(T *to, size_t Capacity, const T *from)                                                               \
    {                                                                                                                  \
        return ncat_s(to, Capacity, from, RTLP_TRUNCATE - 1);                                                          \
    }

RTLP_CHECKED(char, strlen, strnlen, strcpy_s, strncpy_s, strcat_s, strncat_s)
RTLP_CHECKED(WCHAR, wcslen, wcsnlen, wcscpy_s, wcsncpy_s, wcscat_s, wcsncat_s)

errno_t memcpy_s(void *To, size_t Capacity, const void *From, size_t Count)
{
    if (Count == 0)
        return RTLP_OK;
    if (To == NULL)
        return RTLP_EINVAL;
    if (From == NULL || Capacity < Count) {
        memset(To, 0, Capacity);
        return From == NULL ? RTLP_EINVAL : RTLP_ERANGE;
    }
    memcpy(To, From, Count);
    return RTLP_OK;
}

errno_t memmove_s(void *To, size_t Capacity, const void *From, size_t Count)
{
    if (Count == 0)
        return RTLP_OK;
    if (To == NULL || From == NULL)
        return RTLP_EINVAL;
    if (Capacity < Count)
        return RTLP_ERANGE;
    memmove(To, From, Count);
    return RTLP_OK;
}

static ULONG RtlpDigit(ULONG c)
{
    return c >= '0' && c <= '9' ? c - '0' : isalpha((int)c) ? (ULONG)tolower((int)c) - 'a' + 10 : 255;
}

/* Parses as strtoul does; the value saturates at Limit.  Width is the size of a character. */
static ULONG64 RtlpParse(const VOID *Text, VOID **End, int Base, BOOLEAN Wide, BOOLEAN *Negative, ULONG64 Limit)
{
    SIZE_T i = 0, Start;
    ULONG64 Value = 0;
    BOOLEAN Overflow = FALSE, Any = FALSE;

#define AT(n) (Wide ? ((const WCHAR *)Text)[n] : ((const UCHAR *)Text)[n])
    while (isspace(AT(i)))
        i++;
    *Negative = AT(i) == '-';
    if (AT(i) == '-' || AT(i) == '+')
        i++;
    if ((Base == 0 || Base == 16) && AT(i) == '0' && (AT(i + 1) | 32) == 'x' && RtlpDigit(AT(i + 2)) < 16) {
        i += 2;
        Base = 16;
    } else if (Base == 0) {
        Base = AT(i) == '0' ? 8 : 10;
    }
    for (Start = i; RtlpDigit(AT(i)) < (ULONG)Base; i++) {
        ULONG64 Digit = RtlpDigit(AT(i));
        if (Value > (Limit - Digit) / (ULONG)Base)
            Overflow = TRUE;
        Value = Value * (ULONG)Base + Digit;
    }
    Any = i > Start;
#undef AT
    if (End != NULL)
        *End = (UCHAR *)Text + (Any ? i : 0) * (Wide ? sizeof(WCHAR) : 1);
    return Overflow ? Limit : Value;
}

static LONG RtlpParseSigned(const VOID *Text, VOID **End, int Base, BOOLEAN Wide)
{
    BOOLEAN Negative;
    ULONG64 Value = RtlpParse(Text, End, Base, Wide, &Negative, 0x80000000u);

    if (Negative)
        return (LONG)(0 - (ULONG)Value);
    return Value > MAXLONG ? MAXLONG : (LONG)Value;
}

static ULONG RtlpParseUnsigned(const VOID *Text, VOID **End, int Base, BOOLEAN Wide)
{
    BOOLEAN Negative;
    ULONG64 Value = RtlpParse(Text, End, Base, Wide, &Negative, MAXULONG);

    return Negative ? 0 - (ULONG)Value : (ULONG)Value;
}

long strtol(const char *Text, char **End, int Base)
{
    return RtlpParseSigned(Text, (VOID **)End, Base, FALSE);
}
unsigned long strtoul(const char *Text, char **End, int Base)
{
    return RtlpParseUnsigned(Text, (VOID **)End, Base, FALSE);
}
long wcstol(const WCHAR *Text, WCHAR **End, int Base)
{
    return RtlpParseSigned(Text, (VOID **)End, Base, TRUE);
}
unsigned long wcstoul(const WCHAR *Text, WCHAR **End, int Base)
{
    return RtlpParseUnsigned(Text, (VOID **)End, Base, TRUE);
}
unsigned long long _strtoui64(const char *Text, char **End, int Base)
{
    BOOLEAN Negative;
    ULONG64 Value = RtlpParse(Text, (VOID **)End, Base, FALSE, &Negative, ~0ULL);

    return Negative ? 0 - Value : Value;
}
int atoi(const char *Text)
{
    return RtlpParseSigned(Text, NULL, 10, FALSE);
}
long atol(const char *Text)
{
    return RtlpParseSigned(Text, NULL, 10, FALSE);
}
int _wtoi(const WCHAR *Text)
{
    return RtlpParseSigned(Text, NULL, 10, TRUE);
}
long _wtol(const WCHAR *Text)
{
    return RtlpParseSigned(Text, NULL, 10, TRUE);
}

/* One byte a character, by the ANSI code page. */
size_t mbstowcs(WCHAR *Destination, const char *Source, size_t Count)
{
    size_t Index = 0;

    for (; (Destination == NULL || Index < Count) && Source[Index] != 0; Index++) {
        if (Destination != NULL)
            RtlMultiByteToUnicodeN(Destination + Index, sizeof(WCHAR), NULL, (PCHAR)Source + Index, 1);
    }
    if (Destination != NULL && Index < Count)
        Destination[Index] = 0;
    return Index;
}

size_t wcstombs(char *Destination, const WCHAR *Source, size_t Count)
{
    size_t Index = 0;

    for (; (Destination == NULL || Index < Count) && Source[Index] != 0; Index++) {
        if (Destination != NULL)
            RtlUnicodeToMultiByteN(Destination + Index, 1, NULL, (PWCH)Source + Index, sizeof(WCHAR));
    }
    if (Destination != NULL && Index < Count)
        Destination[Index] = 0;
    return Index;
}

/* The bytes of the character, 0 for the terminator, -1 for none: the C runtime's page mbtowc. */
int mbtowc(WCHAR *Destination, const char *Source, size_t Count)
{
    if (Source == NULL)
        return 0;
    if (Count == 0)
        return -1;
    if (Destination != NULL)
        RtlMultiByteToUnicodeN(Destination, sizeof(WCHAR), NULL, (PCHAR)Source, 1);
    return *Source != 0;
}

/* -1 for a character that the code page lacks: the C runtime's page wctomb. */
int wctomb(char *Destination, WCHAR Source)
{
    if (Destination == NULL)
        return 0;
    RtlUnicodeToMultiByteN(Destination, 1, NULL, &Source, sizeof(Source));
    return *Destination == '?' && Source != '?' ? -1 : 1;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The C runtime that the kernel exports: narrow and wide strings side by side, numbers, formatting, sorting. */
#include <ntifs.h>

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <ctype.h>
#include <wctype.h>

#include <fltvm.h>

/* Called by way of pointers, or the compiler would answer itself. */
#define CALL(Name) (*(__typeof__(&Name) volatile *)&(__typeof__(&Name)){Name})

int __cdecl sprintf(char *, const char *, ...);
int __cdecl _snprintf(char *, size_t, const char *, ...);
int __cdecl _snwprintf(wchar_t *, size_t, const wchar_t *, ...);
int __cdecl _snprintf_s(char *, size_t, size_t, const char *, ...);
int __cdecl _snwprintf_s(wchar_t *, size_t, size_t, const wchar_t *, ...);
int __cdecl sprintf_s(char *, size_t, const char *, ...);
int __cdecl swprintf_s(wchar_t *, size_t, const wchar_t *, ...);
errno_t __cdecl strcpy_s(char *, size_t, const char *);
errno_t __cdecl strncpy_s(char *, size_t, const char *, size_t);
errno_t __cdecl strcat_s(char *, size_t, const char *);
errno_t __cdecl strncat_s(char *, size_t, const char *, size_t);
errno_t __cdecl wcscpy_s(wchar_t *, size_t, const wchar_t *);
errno_t __cdecl wcsncpy_s(wchar_t *, size_t, const wchar_t *, size_t);
errno_t __cdecl wcscat_s(wchar_t *, size_t, const wchar_t *);
errno_t __cdecl wcsncat_s(wchar_t *, size_t, const wchar_t *, size_t);
errno_t __cdecl memcpy_s(void *, size_t, const void *, size_t);
errno_t __cdecl memmove_s(void *, size_t, const void *, size_t);

static CHAR Text[32];
static WCHAR Wide[32];

static VOID CheckSearch(VOID)
{
    static const char String[] = "abcabc";
    static const WCHAR WideString[] = L"abcabc";

    FvCheck(CALL(strlen)(String) == 6 && CALL(wcslen)(WideString) == 6);
    FvCheck(CALL(strnlen)(String, 3) == 3 && CALL(wcsnlen)(WideString, 9) == 6);
    FvCheck(CALL(strchr)(String, 'b') == String + 1 && CALL(wcschr)(WideString, L'b') == WideString + 1);
    FvCheck(CALL(strchr)(String, 0) == String + 6 && CALL(strchr)(String, 'z') == NULL);
    FvCheck(CALL(strrchr)(String, 'b') == String + 4 && CALL(wcsrchr)(WideString, L'b') == WideString + 4);
    FvCheck(CALL(strstr)(String, "ca") == String + 2 && CALL(wcsstr)(WideString, L"ca") == WideString + 2);
    FvCheck(CALL(strstr)(String, "") == String && CALL(wcsstr)(WideString, L"cab1") == NULL);
    FvCheck(CALL(strspn)(String, "ab") == 2 && CALL(wcsspn)(WideString, L"ab") == 2);
    FvCheck(CALL(wcscspn)(WideString, L"c") == 2 && CALL(wcspbrk)(WideString, L"cb") == WideString + 1);
    FvCheck(CALL(memchr)(String, 'c', 6) == String + 2 && CALL(memchr)(String, 'c', 2) == NULL);
}

static VOID CheckCompare(VOID)
{
    FvCheck(CALL(strcmp)("a", "b") < 0 && CALL(strcmp)("b", "a") > 0 && CALL(strcmp)("a", "a") == 0);
    FvCheck(CALL(strcmp)("a\xE4", "az") > 0); /* bytes are unsigned */
    FvCheck(CALL(strncmp)("abc", "abd", 2) == 0 && CALL(strncmp)("abc", "abd", 3) < 0);
    FvCheck(CALL(_stricmp)("ABC", "abc") == 0 && CALL(_strnicmp)("ABx", "aby", 2) == 0);
    FvCheck(CALL(wcscmp)(L"a", L"b") < 0 && CALL(wcsncmp)(L"abc", L"abd", 2) == 0);
    FvCheck(CALL(_wcsicmp)(L"ABC", L"abc") == 0 && CALL(_wcsnicmp)(L"ABx", L"aby", 2) == 0);
    FvCheck(CALL(memcmp)("abc", "abd", 2) == 0 && CALL(memcmp)("\x01", "\xFF", 1) < 0);
}

static VOID CheckCopy(VOID)
{
    FvCheck(CALL(strcpy)(Text, "abc") == Text && CALL(strcat)(Text, "def") == Text &&
            CALL(strcmp)(Text, "abcdef") == 0);
    FvCheck(CALL(wcscpy)(Wide, L"abc") == Wide && CALL(wcscat)(Wide, L"def") == Wide &&
            CALL(wcscmp)(Wide, L"abcdef") == 0);
    memset(Text, 'x', sizeof(Text));
    CALL(strncpy)(Text, "ab", 4); /* filled with zeros */
    FvCheck(Text[2] == 0 && Text[3] == 0 && Text[4] == 'x');
    CALL(strncpy)(Text, "abcdef", 3); /* not terminated */
    FvCheck(Text[2] == 'c' && Text[3] == 0);
    CALL(strcpy)(Text, "a");
    CALL(strncat)(Text, "bcd", 2);
    FvCheck(CALL(strcmp)(Text, "abc") == 0);
    CALL(wcsncpy)(Wide, L"xyz", 2);
    Wide[2] = 0;
    CALL(wcsncat)(Wide, L"123", 1);
    FvCheck(CALL(wcscmp)(Wide, L"xy1") == 0);
    FvCheck(CALL(_strupr)(CALL(strcpy)(Text, "aZ1")) == Text && CALL(strcmp)(Text, "AZ1") == 0);
    FvCheck(CALL(strcmp)(CALL(_strlwr)(Text), "az1") == 0 && CALL(strcmp)(CALL(_strrev)(Text), "1za") == 0);
    FvCheck(CALL(strcmp)(CALL(_strset)(Text, 'q'), "qqq") == 0 &&
            CALL(strcmp)(CALL(_strnset)(Text, 'p', 2), "ppq") == 0);
    CALL(wcscpy)(Wide, L"aZ1");
    FvCheck(CALL(wcscmp)(CALL(_wcsupr)(Wide), L"AZ1") == 0 && CALL(wcscmp)(CALL(_wcslwr)(Wide), L"az1") == 0);
    FvCheck(CALL(wcscmp)(CALL(_wcsrev)(Wide), L"1za") == 0 && CALL(wcscmp)(CALL(_wcsnset)(Wide, L'p', 2), L"ppa") == 0);
    CALL(strcpy)(Text, "0123456789");
    CALL(memmove)(Text + 2, Text, 8);
    FvCheck(CALL(memcmp)(Text, "0101234567", 10) == 0);
    CALL(memmove)(Text, Text + 2, 8);
    FvCheck(CALL(memcmp)(Text, "0123456767", 10) == 0);
}

/* The checked ones empty the destination when it is too small, and say why: EINVAL 22, ERANGE 34. */
static VOID CheckChecked(VOID)
{
    FvCheck(CALL(strcpy_s)(Text, 4, "abc") == 0 && CALL(strcmp)(Text, "abc") == 0);
    FvCheck(CALL(strcpy_s)(Text, 3, "abc") == 34 && Text[0] == 0);
    FvCheck(CALL(strcpy_s)(Text, 3, NULL) == 22 && CALL(strcpy_s)(NULL, 3, "a") == 22);
    FvCheck(CALL(strncpy_s)(Text, 4, "abcdef", 3) == 0 && CALL(strcmp)(Text, "abc") == 0);
    FvCheck(CALL(strncpy_s)(Text, 4, "abcdef", (size_t)-1) == 80 && CALL(strcmp)(Text, "abc") == 0); /* STRUNCATE */
    FvCheck(CALL(strcat_s)(Text, 8, "de") == 0 && CALL(strcmp)(Text, "abcde") == 0);
    FvCheck(CALL(strncat_s)(Text, 8, "fgh", 2) == 0 && CALL(strcmp)(Text, "abcdefg") == 0);
    FvCheck(CALL(strcat_s)(Text, 8, "x") == 34 && Text[0] == 0);
    FvCheck(CALL(wcscpy_s)(Wide, 4, L"abc") == 0 && CALL(wcscpy_s)(Wide, 3, L"abc") == 34 && Wide[0] == 0);
    FvCheck(CALL(wcsncpy_s)(Wide, 4, L"abcd", 2) == 0 && CALL(wcscat_s)(Wide, 4, L"c") == 0 &&
            CALL(wcscmp)(Wide, L"abc") == 0);
    FvCheck(CALL(wcsncat_s)(Wide, 4, L"d", 1) == 34 && Wide[0] == 0);
    FvCheck(CALL(memcpy_s)(Text, 4, "abc", 3) == 0 && CALL(memcpy_s)(Text, 2, "abc", 3) == 34 && Text[0] == 0);
    FvCheck(CALL(memmove_s)(Text, 2, "abc", 3) == 34 && CALL(memmove_s)(Text, 4, "abc", 3) == 0 && Text[1] == 'b');
}

static VOID CheckNumbers(VOID)
{
    char *End;
    WCHAR *WideEnd;

    FvCheck(CALL(atoi)(" -12x") == -12 && CALL(atol)("2147483647") == 2147483647);
    FvCheck(CALL(strtol)("0x1Fz", &End, 0) == 31 && *End == 'z');
    FvCheck(CALL(strtol)("99999999999", NULL, 10) == 0x7FFFFFFF &&
            CALL(strtol)("-99999999999", NULL, 10) == (long)0x80000000);
    FvCheck(CALL(strtoul)("4294967295", &End, 10) == 0xFFFFFFFF && *End == 0 && CALL(strtoul)("077", NULL, 0) == 63);
    FvCheck(CALL(strtoul)("z", &End, 10) == 0 && *End == 'z');
    FvCheck(CALL(wcstol)(L"-10", &WideEnd, 2) == -2 && *WideEnd == 0 && CALL(wcstoul)(L"ff", NULL, 16) == 255);
    FvCheck(CALL(_wtoi)(L"42") == 42 && CALL(_wtol)(L"-42") == -42);
}

static VOID CheckClasses(VOID)
{
    BOOLEAN Ok = TRUE;

    for (int c = 0; c < 128; c++) {
        BOOLEAN Digit = c >= '0' && c <= '9', Upper = c >= 'A' && c <= 'Z', Lower = c >= 'a' && c <= 'z';

        Ok = Ok && !CALL(isdigit)(c) == !Digit && !CALL(isupper)(c) == !Upper && !CALL(islower)(c) == !Lower &&
             !CALL(isalpha)(c) == !(Upper || Lower) && !CALL(isalnum)(c) == !(Digit || Upper || Lower) &&
             !CALL(isspace)(c) == !(c == ' ' || (c >= 9 && c <= 13)) && !CALL(isprint)(c) == !(c >= 32 && c < 127) &&
             !CALL(isxdigit)(c) == !(Digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) &&
             CALL(toupper)(c) == (Lower ? c - 32 : c) && CALL(tolower)(c) == (Upper ? c + 32 : c) &&
             CALL(towupper)((wint_t)c) == (Lower ? c - 32 : c) && CALL(towlower)((wint_t)c) == (Upper ? c + 32 : c);
    }
    FvCheck(Ok);
}

static VOID CheckFormat(VOID)
{
    FvCheck(CALL(sprintf)(Text, "%d %s %x", -5, "ab", 255) == 8 && CALL(strcmp)(Text, "-5 ab ff") == 0);
    FvCheck(CALL(_snprintf)(Text, 3, "%d", 12345) == -1 && Text[2] == '3'); /* cut, not terminated */
    FvCheck(CALL(_snprintf)(Text, 32, "%I64d %p", 1LL << 40, (void *)0x1234) == 30);
    FvCheck(CALL(sprintf_s)(Text, 8, "%05d", 42) == 5 && CALL(strcmp)(Text, "00042") == 0);
    FvCheck(CALL(_snprintf_s)(Text, 4, (size_t)-1, "%d", 12345) == -1 && CALL(strcmp)(Text, "123") == 0);
    FvCheck(CALL(_snprintf_s)(Text, 8, 2, "%d", 12345) == -1 && CALL(strcmp)(Text, "12") == 0);
    FvCheck(CALL(swprintf_s)(Wide, 8, L"%s %hs", L"ab", "cd") == 5 && CALL(wcscmp)(Wide, L"ab cd") == 0);
    FvCheck(CALL(_snwprintf_s)(Wide, 4, (size_t)-1, L"%d", 12345) == -1 && CALL(wcscmp)(Wide, L"123") == 0);
    FvCheck(CALL(_snwprintf)(Wide, 32, L"%S%c", "xy", L'z') == 3 && CALL(wcscmp)(Wide, L"xyz") == 0);
}

static int __cdecl Ascending(const void *One, const void *Two)
{
    return *(const int *)One - *(const int *)Two;
}

static VOID CheckSort(VOID)
{
    int Numbers[200], Key = 77, Missing = 1000;
    BOOLEAN Sorted = TRUE;

    CALL(srand)(1);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Numbers); Index++)
        Numbers[Index] = CALL(rand)() % 500;
    Numbers[100] = Key;
    CALL(qsort)(Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), Ascending);
    for (ULONG Index = 1; Index < RTL_NUMBER_OF(Numbers); Index++)
        Sorted = Sorted && Numbers[Index - 1] <= Numbers[Index];
    FvCheck(Sorted);
    FvCheck(*(int *)CALL(bsearch)(&Key, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), Ascending) == Key);
    FvCheck(CALL(bsearch)(&Missing, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), Ascending) == NULL);
    FvCheck(CALL(mbstowcs)(Wide, "a\x80", 8) == 2 && Wide[1] == 0x20AC && Wide[2] == 0);
    FvCheck(CALL(wcstombs)(Text, L"a\x20AC", 8) == 2 && Text[1] == '\x80' && Text[2] == 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(65);
    CheckSearch();
    CheckCompare();
    CheckCopy();
    CheckChecked();
    CheckNumbers();
    CheckClasses();
    CheckFormat();
    CheckSort();
    return STATUS_SUCCESS;
}

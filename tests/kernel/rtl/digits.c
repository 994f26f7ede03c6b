// SPDX-License-Identifier: GPL-2.0-or-later
/* The C runtime's numbers as text, and text in pieces. */
#include <ntifs.h>

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <fltvm.h>

int __cdecl _itoa_s(int, char *, size_t, int);
int __cdecl _itow_s(int, wchar_t *, size_t, int);
int __cdecl _ltoa_s(long, char *, size_t, int);
int __cdecl _ltow_s(long, wchar_t *, size_t, int);
int __cdecl _i64toa_s(__int64, char *, size_t, int);
int __cdecl _i64tow_s(__int64, wchar_t *, size_t, int);
int __cdecl _ultoa_s(unsigned long, char *, size_t, int);
int __cdecl _ultow_s(unsigned long, wchar_t *, size_t, int);
int __cdecl _ui64toa_s(unsigned __int64, char *, size_t, int);
int __cdecl _ui64tow_s(unsigned __int64, wchar_t *, size_t, int);
char *__cdecl strtok_s(char *, const char *, char **);
wchar_t *__cdecl wcstok_s(wchar_t *, const wchar_t *, wchar_t **);

#define FAILS_EINVAL 22
#define FAILS_ERANGE 34

static CHAR Text[80];
static WCHAR Wide[80];

static VOID CheckNumbers(VOID)
{
    FvCheck(_itoa(-12, Text, 10) == Text && strcmp(Text, "-12") == 0);
    FvCheck(_itow(255, Wide, 16) == Wide && wcscmp(Wide, L"ff") == 0);
    FvCheck(_itoa(-1, Text, 2) == Text && strlen(Text) == 32);
    FvCheck(_itoa_s((int)0x80000000, Text, 12, 10) == 0 && strcmp(Text, "-2147483648") == 0);
    FvCheck(_itow_s(-1, Wide, 9, 16) == 0 && wcscmp(Wide, L"ffffffff") == 0);
    FvCheck(_ltoa_s(35, Text, 2, 36) == 0 && strcmp(Text, "z") == 0);
    FvCheck(_ltow_s(-7, Wide, 3, 10) == 0 && wcscmp(Wide, L"-7") == 0);
    FvCheck(_i64toa_s((__int64)0x8000000000000000, Text, 80, 10) == 0 && strcmp(Text, "-9223372036854775808") == 0);
    FvCheck(_i64tow_s(-1, Wide, 80, 8) == 0 && wcscmp(Wide, L"1777777777777777777777") == 0);
    FvCheck(_ultoa_s(0xffffffff, Text, 80, 10) == 0 && strcmp(Text, "4294967295") == 0);
    FvCheck(_ultow_s(0, Wide, 2, 10) == 0 && wcscmp(Wide, L"0") == 0);
    FvCheck(_ui64toa_s(0xffffffffffffffff, Text, 80, 10) == 0 && strcmp(Text, "18446744073709551615") == 0);
    FvCheck(_ui64tow_s(0xffffffffffffffff, Wide, 80, 2) == 0 && wcslen(Wide) == 64);
}

static VOID CheckFailures(VOID)
{
    FvCheck(_itoa_s(123, Text, 3, 10) == FAILS_ERANGE && Text[0] == 0);
    FvCheck(_itow_s(-12, Wide, 3, 10) == FAILS_ERANGE && Wide[0] == 0);
    Text[0] = 'x';
    FvCheck(_itoa_s(1, Text, 0, 10) == FAILS_EINVAL && Text[0] == 'x');
    FvCheck(_itoa_s(1, NULL, 10, 10) == FAILS_EINVAL);
    FvCheck(_itoa_s(1, Text, 10, 1) == FAILS_EINVAL && Text[0] == 0);
    FvCheck(_ui64tow_s(1, Wide, 10, 37) == FAILS_EINVAL && Wide[0] == 0);
}

static VOID CheckPieces(VOID)
{
    CHAR List[] = ",a,,bc;", *Next = NULL;
    WCHAR WideList[] = L"x y", *WideNext = NULL;

    FvCheck(strtok_s(NULL, ",", &Next) == NULL);
    FvCheck(strcmp(strtok_s(List, ",;", &Next), "a") == 0);
    FvCheck(strcmp(strtok_s(NULL, ",;", &Next), "bc") == 0);
    FvCheck(strtok_s(NULL, ",;", &Next) == NULL && strtok_s(NULL, ",;", &Next) == NULL);
    FvCheck(strtok_s(List, NULL, &Next) == NULL && strtok_s(List, ",", NULL) == NULL);
    FvCheck(wcscmp(wcstok_s(WideList, L" ", &WideNext), L"x") == 0);
    FvCheck(wcscmp(wcstok_s(NULL, L" ", &WideNext), L"y") == 0);
    FvCheck(wcstok_s(NULL, L" ", &WideNext) == NULL);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(27);
    CheckNumbers();
    CheckFailures();
    CheckPieces();
    return STATUS_SUCCESS;
}

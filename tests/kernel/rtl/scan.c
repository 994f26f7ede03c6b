// SPDX-License-Identifier: GPL-2.0-or-later
/* The C runtime's scanf_s family. */
#include <ntifs.h>

#include <string.h>
#include <wchar.h>

#include <fltvm.h>

int __cdecl sscanf_s(const char *, const char *, ...);
int __cdecl _snscanf_s(const char *, size_t, const char *, ...);
int __cdecl swscanf_s(const wchar_t *, const wchar_t *, ...);
int __cdecl _snwscanf_s(const wchar_t *, size_t, const wchar_t *, ...);

#define SIZE(Array) ((unsigned)RTL_NUMBER_OF(Array))

static CHAR Text[16], Other[16];
static WCHAR Wide[16];

static VOID CheckIntegers(VOID)
{
    struct {
        CHAR Byte, AfterByte;
        SHORT Short, AfterShort;
        LONG64 Long;
    } Kept = {0};
    int One = 0, Two = 0, Count = 0;
    unsigned Hex = 0;
    PVOID Pointer = NULL;

    FvCheck(sscanf_s(" 12,-7", "%d,%i", &One, &Two) == 2 && One == 12 && Two == -7);
    FvCheck(sscanf_s("0x1f 017 0", "%i%i%i", &One, &Two, &Count) == 3 && One == 31 && Two == 15 && Count == 0);
    FvCheck(sscanf_s("ffz", "%x", &Hex) == 1 && Hex == 255 && sscanf_s("0XA", "%X", &Hex) == 1 && Hex == 10);
    FvCheck(sscanf_s("78", "%o%d", &Hex, &One) == 2 && Hex == 7 && One == 8);
    FvCheck(sscanf_s("12345", "%2d%3u", &One, &Hex) == 2 && One == 12 && Hex == 345);
    FvCheck(sscanf_s("4294967295 1", "%u %*d%n", &Hex, &Count) == 1 && Hex == 0xFFFFFFFF && Count == 12);
    Kept.AfterByte = 5;
    Kept.AfterShort = 6;
    FvCheck(sscanf_s("-1 -2 -3", "%hhd %hd %I64d", &Kept.Byte, &Kept.Short, &Kept.Long) == 3 && Kept.Byte == -1 &&
            Kept.Short == -2 && Kept.Long == -3 && Kept.AfterByte == 5 && Kept.AfterShort == 6);
    FvCheck(sscanf_s("-9223372036854775808", "%lld", &Kept.Long) == 1 && Kept.Long == (LONG64)0x8000000000000000);
    FvCheck(sscanf_s("FFFF8000DEADBEEF", "%p", &Pointer) == 1 && Pointer == (PVOID)0xFFFF8000DEADBEEFull);
    FvCheck(swscanf_s(L"7:8", L"%d:%I32d", &One, &Two) == 2 && One == 7 && Two == 8);
}

static VOID CheckText(VOID)
{
    FvCheck(sscanf_s("  ab cd", "%s%s", Text, SIZE(Text), Other, SIZE(Other)) == 2 && strcmp(Text, "ab") == 0 &&
            strcmp(Other, "cd") == 0);
    memset(Text, 'x', sizeof(Text));
    FvCheck(sscanf_s(" abc", "%c%2c", Text, 1u, Other, 2u) == 2 && Text[0] == ' ' && Text[1] == 'x' &&
            memcmp(Other, "ab", 2) == 0);
    FvCheck(sscanf_s("k-ey]=v", "%[]a-z-]%*[^v]%c", Text, SIZE(Text), Other, SIZE(Other)) == 2 &&
            strcmp(Text, "k-ey]") == 0 && Other[0] == 'v');
    FvCheck(sscanf_s("abcdef", "%3s%S", Text, SIZE(Text), Wide, SIZE(Wide)) == 2 && strcmp(Text, "abc") == 0 &&
            wcscmp(Wide, L"def") == 0);
    FvCheck(sscanf_s("a\x80", "%ls", Wide, SIZE(Wide)) == 1 && Wide[1] == 0x20AC && Wide[2] == 0);
    FvCheck(swscanf_s(L"ab cd", L"%s %hs", Wide, SIZE(Wide), Text, SIZE(Text)) == 2 && wcscmp(Wide, L"ab") == 0 &&
            strcmp(Text, "cd") == 0);
    FvCheck(swscanf_s(L"x\x20AC", L"x%C", Text, SIZE(Text)) == 1 && Text[0] == '\x80');
}

/* What has no room is not stored, and ends the scan. */
static VOID CheckRoom(VOID)
{
    int After = 99;

    memset(Text, 'x', sizeof(Text));
    FvCheck(sscanf_s("1 abcd 2", "%d%s%d", &After, Text, 4u, &After) == 1 && After == 1 && Text[0] == 0 &&
            Text[4] == 'x');
    FvCheck(sscanf_s("abc", "%s", Text, 4u) == 1 && strcmp(Text, "abc") == 0);
    FvCheck(sscanf_s("abc", "%3c", Text, 3u) == 1 && sscanf_s("abc", "%3c", Text, 2u) == 0 && Text[0] == 0);
    FvCheck(sscanf_s("abc", "%c", Text, 0u) == 0 && sscanf_s("ab", "%[a-z]", Text, 2u) == 0 && Text[0] == 0);
}

static VOID CheckEnds(VOID)
{
    int One = 0;

    FvCheck(sscanf_s("", "%d", &One) == -1 && sscanf_s("  ", "%d", &One) == -1 && sscanf_s("x", "%d", &One) == 0);
    FvCheck(sscanf_s("5", "%d%d", &One, &One) == 1 && sscanf_s("5", "%*d%d", &One) == 0);
    FvCheck(sscanf_s("a", "ab%d", &One) == -1 && sscanf_s("ac", "ab%d", &One) == 0);
    FvCheck(sscanf_s("50%", "%d%%", &One) == 1 && One == 50 && sscanf_s("0x", "%x", &One) == 0);
    FvCheck(sscanf_s(NULL, "%d", &One) == -1 && swscanf_s(L"1", NULL) == -1);
    FvCheck(sscanf_s("1.5", "%f", &One) == 0 && sscanf_s("ab", "%[a", Text, SIZE(Text)) == 0);
    FvCheck(_snscanf_s("123456", 3, "%d", &One) == 1 && One == 123 && _snscanf_s("1", 0, "%d", &One) == -1);
    FvCheck(_snwscanf_s(L"ab12", 3, L"%*[a-z]%d", &One) == 1 && One == 1);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(29);
    CheckIntegers();
    CheckText();
    CheckRoom();
    CheckEnds();
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Short names, prefixes of paths, internet addresses as text, one-time initialization. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

struct in_addr;
struct in6_addr;
NTSYSAPI PWSTR NTAPI RtlIpv4AddressToStringW(const struct in_addr *Address, PWSTR String);
NTSYSAPI PSTR NTAPI RtlIpv4AddressToStringA(const struct in_addr *Address, PSTR String);
NTSYSAPI NTSTATUS NTAPI RtlIpv4AddressToStringExW(const struct in_addr *Address, USHORT Port, PWSTR String,
                                                  PULONG Length);
NTSYSAPI NTSTATUS NTAPI RtlIpv4AddressToStringExA(const struct in_addr *Address, USHORT Port, PSTR String,
                                                  PULONG Length);
NTSYSAPI PWSTR NTAPI RtlIpv6AddressToStringW(const struct in6_addr *Address, PWSTR String);
NTSYSAPI PSTR NTAPI RtlIpv6AddressToStringA(const struct in6_addr *Address, PSTR String);
NTSYSAPI NTSTATUS NTAPI RtlIpv6AddressToStringExW(const struct in6_addr *Address, ULONG Scope, USHORT Port,
                                                  PWSTR String, PULONG Length);
NTSYSAPI NTSTATUS NTAPI RtlIpv6AddressToStringExA(const struct in6_addr *Address, ULONG Scope, USHORT Port, PSTR String,
                                                  PULONG Length);

#undef RtlIntPtrToUnicodeString
#undef RtlUnicodeStringToAnsiSize
NTSYSAPI NTSTATUS NTAPI RtlIntPtrToUnicodeString(ULONG_PTR Value, ULONG Base, PUNICODE_STRING String);
NTSYSAPI ULONG NTAPI RtlUnicodeStringToAnsiSize(PCUNICODE_STRING String);

static BOOLEAN IsShort(PCWSTR Text, BOOLEAN WithSpaces)
{
    UNICODE_STRING Name;
    CHAR Buffer[12];
    OEM_STRING Oem = {0, sizeof(Buffer), Buffer};
    BOOLEAN Spaces = !WithSpaces;

    RtlInitUnicodeString(&Name, Text);
    return RtlIsNameLegalDOS8Dot3(&Name, &Oem, &Spaces) && Spaces == WithSpaces && Oem.Length == wcslen(Text);
}

static BOOLEAN NotShort(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return !RtlIsNameLegalDOS8Dot3(&Name, NULL, NULL);
}

static VOID CheckShortNames(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"ab.c");
    CHAR Buffer[12] = {0};
    OEM_STRING Oem = {0, sizeof(Buffer), Buffer};

    FvCheck(IsShort(L"eightcha.txt", FALSE) && IsShort(L".", FALSE) && IsShort(L"..", FALSE) && IsShort(L"a b", TRUE));
    FvCheck(NotShort(L"") && NotShort(L"ninechars") && NotShort(L"a.text") && NotShort(L"a.b.c") && NotShort(L".a") &&
            NotShort(L"a."));
    FvCheck(NotShort(L"a+b") && NotShort(L"a*") && NotShort(L"a\x1f") && NotShort(L"a .b") && NotShort(L"a "));
    FvCheck(RtlIsNameLegalDOS8Dot3(&Name, &Oem, NULL) && RtlEqualMemory(Buffer, "AB.C", 5));
}

static BOOLEAN Makes(PCWSTR Long, PGENERATE_NAME_CONTEXT Context, PCWSTR Expected)
{
    UNICODE_STRING Name, Wanted;
    WCHAR Buffer[12];
    UNICODE_STRING Short = {0, sizeof(Buffer), Buffer};

    RtlInitUnicodeString(&Name, Long);
    RtlInitUnicodeString(&Wanted, Expected);
    return RtlGenerate8dot3Name(&Name, FALSE, Context, &Short) == STATUS_SUCCESS &&
           RtlEqualUnicodeString(&Short, &Wanted, FALSE);
}

static BOOLEAN MakesFirst(PCWSTR Long, PCWSTR Expected)
{
    GENERATE_NAME_CONTEXT Context = {0};

    return Makes(Long, &Context, Expected);
}

static VOID CheckMakingShortNames(VOID)
{
    GENERATE_NAME_CONTEXT Context = {0};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Long file name.text");
    WCHAR Buffer[12];
    UNICODE_STRING Short = {0, sizeof(Buffer), Buffer};

    FvCheck(MakesFirst(L"long", L"LONG~1") && MakesFirst(L".leading.html", L"LEADIN~1.HTM"));
    FvCheck(MakesFirst(L"a+b=c [d].e;f", L"A_B_C_~1.E_F") && MakesFirst(L"one.two.three", L"ONETWO~1.THR"));
    FvCheck(Makes(L"Long file name.text", &Context, L"LONGFI~1.TEX") &&
            Makes(L"Long file name.text", &Context, L"LONGFI~2.TEX") &&
            Makes(L"Long file name.text", &Context, L"LONGFI~3.TEX") &&
            Makes(L"Long file name.text", &Context, L"LONGFI~4.TEX"));
    FvCheck(RtlGenerate8dot3Name(&Name, FALSE, &Context, &Short) == STATUS_SUCCESS && Short.Length == 24 &&
            Buffer[0] == L'L' && Buffer[1] == L'O' && Buffer[6] == L'~' && Buffer[7] == L'1'); /* with a checksum */
    Context.LastIndexValue = 99;
    FvCheck(RtlGenerate8dot3Name(&Name, FALSE, &Context, &Short) == STATUS_SUCCESS && Buffer[4] == L'~' &&
            Buffer[7] == L'0' && Short.Length == 24);
    Context.LastIndexValue = 999999;
    FvCheck(RtlGenerate8dot3Name(&Name, FALSE, &Context, &Short) == STATUS_FILE_SYSTEM_LIMITATION);
    RtlZeroMemory(&Context, sizeof(Context));
    RtlInitUnicodeString(&Name, L"ab.longext"); /* a short base has one from the first */
    FvCheck(RtlGenerate8dot3Name(&Name, FALSE, &Context, &Short) == STATUS_SUCCESS && Short.Length == 24 &&
            Buffer[6] == L'~' && RtlIsNameLegalDOS8Dot3(&Short, NULL, NULL));
}

static UNICODE_PREFIX_TABLE Table;
static UNICODE_PREFIX_TABLE_ENTRY Entries[6];
static UNICODE_STRING Prefixes[6] = {RTL_CONSTANT_STRING(L"\\"),      RTL_CONSTANT_STRING(L"\\a"),
                                     RTL_CONSTANT_STRING(L"\\a\\b"),  RTL_CONSTANT_STRING(L"\\A\\b"),
                                     RTL_CONSTANT_STRING(L"\\x\\yy"), RTL_CONSTANT_STRING(L"\\A\\B")};

/* The number of the entry that is found, -1 for none. */
static LONG Finds(PCWSTR Text, ULONG Index)
{
    PUNICODE_PREFIX_TABLE_ENTRY Entry;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    Entry = RtlFindUnicodePrefix(&Table, &Name, Index);
    return Entry != NULL ? (LONG)(Entry - Entries) : -1;
}

static ULONG CountPrefixes(VOID)
{
    ULONG Count = 0;

    for (PUNICODE_PREFIX_TABLE_ENTRY Entry = RtlNextUnicodePrefix(&Table, TRUE); Entry != NULL;
         Entry = RtlNextUnicodePrefix(&Table, FALSE))
        Count++;
    return Count;
}

static VOID CheckPrefixes(VOID)
{
    UNICODE_PREFIX_TABLE_ENTRY Again;

    RtlInitializeUnicodePrefix(&Table);
    FvCheck(Finds(L"\\a", 0) == -1 && CountPrefixes() == 0);
    for (ULONG Index = 1; Index < 5; Index++)
        FvCheck(RtlInsertUnicodePrefix(&Table, &Prefixes[Index], &Entries[Index]));
    FvCheck(!RtlInsertUnicodePrefix(&Table, &Prefixes[2], &Again));
    FvCheck(CountPrefixes() == 4);
    /* The longest, of whole parts. */
    FvCheck(Finds(L"\\a\\c", 0) == 1 && Finds(L"\\ab", 0) == -1 && Finds(L"\\x\\yy\\z\\w", 0) == 4 &&
            Finds(L"\\x\\y", 0) == -1);
    FvCheck(RtlInsertUnicodePrefix(&Table, &Prefixes[0], &Entries[0]) && Finds(L"\\ab", 0) == 0 &&
            Finds(L"\\", 0) == 0 && Finds(L"ab", 0) == -1);
    /* Case counts before the index. */
    FvCheck(Finds(L"\\a\\b\\c", 4) == 2 && Finds(L"\\A\\b\\c", 4) == 3 && Finds(L"\\A\\B\\c", 4) == 0 &&
            Finds(L"\\A\\B\\c", 2) == 3);
    FvCheck(Finds(L"\\X\\YY", 0) == 4 && Finds(L"\\X\\YY", 3) == 0);
    FvCheck(RtlInsertUnicodePrefix(&Table, &Prefixes[5], &Entries[5]) && Finds(L"\\A\\B\\c", 4) == 5 &&
            CountPrefixes() == 6);
    /* One of a ring goes, in the tree or not; the others stay. */
    RtlRemoveUnicodePrefix(&Table, &Entries[2]);
    FvCheck(Finds(L"\\A\\b", 4) == 3 && Finds(L"\\A\\B", 4) == 5 && Finds(L"\\a\\b", 4) == 1 && CountPrefixes() == 5);
    RtlRemoveUnicodePrefix(&Table, &Entries[5]);
    RtlRemoveUnicodePrefix(&Table, &Entries[3]);
    RtlRemoveUnicodePrefix(&Table, &Entries[0]);
    FvCheck(Finds(L"\\A\\b", 0) == 1 && Finds(L"\\q", 0) == -1 && Finds(L"\\x\\yy", 0) == 4 && CountPrefixes() == 2);
}

static BOOLEAN Reads6(const UCHAR *Bytes, PCSTR Expected)
{
    CHAR Text[46];
    WCHAR Wide[46];

    return RtlIpv6AddressToStringA((const struct in6_addr *)Bytes, Text) == Text + strlen(Expected) &&
           strcmp(Text, Expected) == 0 &&
           RtlIpv6AddressToStringW((const struct in6_addr *)Bytes, Wide) == Wide + strlen(Expected) &&
           Wide[strlen(Expected)] == 0 && Wide[0] == (WCHAR)Expected[0];
}

static VOID CheckAddresses(VOID)
{
    static const UCHAR Four[4] = {192, 168, 0, 255};
    static const UCHAR Six[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xAB, 0xCD, 0, 0, 0, 1},
                       Loop[16] = {[15] = 1}, Zero[16] = {0}, Mapped[16] = {[10] = 0xFF, 0xFF, 1, 2, 3, 4},
                       Isatap[16] = {0xFE, 0x80, [10] = 0x5E, 0xFE, 1, 2, 3, 4};
    static const UCHAR Full[16] = {0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7};
    const struct in_addr *V4 = (const struct in_addr *)Four;
    const struct in6_addr *V6 = (const struct in6_addr *)Six;
    WCHAR Text[70];
    CHAR Narrow[70];
    ULONG Length = 70;

    FvCheck(RtlIpv4AddressToStringW(V4, Text) == Text + 13 && wcscmp(Text, L"192.168.0.255") == 0);
    FvCheck(RtlIpv4AddressToStringA(V4, Narrow) == Narrow + 13 && strcmp(Narrow, "192.168.0.255") == 0);
    FvCheck(RtlIpv4AddressToStringExW(V4, 0x5000, Text, &Length) == STATUS_SUCCESS && Length == 17 &&
            wcscmp(Text, L"192.168.0.255:80") == 0);
    Length = 16;
    FvCheck(RtlIpv4AddressToStringExW(V4, 0x5000, Text, &Length) == STATUS_INVALID_PARAMETER && Length == 17);
    Length = 14;
    FvCheck(RtlIpv4AddressToStringExA(V4, 0, Narrow, &Length) == STATUS_SUCCESS &&
            strcmp(Narrow, "192.168.0.255") == 0);
    FvCheck(RtlIpv4AddressToStringExW(NULL, 0, Text, &Length) == STATUS_INVALID_PARAMETER);
    FvCheck(Reads6(Six, "2001:db8::abcd:0:1") && Reads6(Loop, "::1") && Reads6(Full, "1:0:2:3:4:5:6:7"));
    FvCheck(Reads6(Mapped, "::ffff:1.2.3.4") && Reads6(Isatap, "fe80::5efe:1.2.3.4"));
    FvCheck(Reads6(Zero, "::"));
    Length = 70;
    FvCheck(RtlIpv6AddressToStringExW(V6, 3, 0x5000, Text, &Length) == STATUS_SUCCESS &&
            wcscmp(Text, L"[2001:db8::abcd:0:1%3]:80") == 0 && Length == 26);
    FvCheck(RtlIpv6AddressToStringExA(V6, 0, 0, Narrow, &Length) == STATUS_SUCCESS &&
            strcmp(Narrow, "2001:db8::abcd:0:1") == 0);
    Length = 1;
    FvCheck(RtlIpv6AddressToStringExW(V6, 0, 0, Text, &Length) == STATUS_INVALID_PARAMETER && Length == 19);
}

static RTL_RUN_ONCE Once;
static ULONG Runs;

static ULONG NTAPI RunIt(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context)
{
    UNREFERENCED_PARAMETER(RunOnce);
    Runs++;
    Sleep(20);
    *Context = (PVOID)0x1000;
    return Parameter == NULL;
}

static VOID NTAPI RunOther(PVOID Context)
{
    PVOID Result = NULL;

    *(PBOOLEAN)Context =
        RtlRunOnceExecuteOnce(&Once, RunIt, NULL, &Result) == STATUS_SUCCESS && Result == (PVOID)0x1000;
}

static VOID CheckOnce(VOID)
{
    BOOLEAN Good[3] = {0};
    PVOID Threads[3], Context = NULL;

    RtlRunOnceInitialize(&Once);
    FvCheck(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_CHECK_ONLY, &Context) == STATUS_UNSUCCESSFUL);
    FvCheck(RtlRunOnceComplete(&Once, 0, NULL) == STATUS_UNSUCCESSFUL);
    FvCheck(RtlRunOnceExecuteOnce(&Once, RunIt, (PVOID)1, &Context) == STATUS_UNSUCCESSFUL && Runs == 1);
    for (ULONG Index = 0; Index < 3; Index++)
        Threads[Index] = StartThread(RunOther, &Good[Index]);
    for (ULONG Index = 0; Index < 3; Index++)
        JoinThread(Threads[Index]);
    FvCheck(Runs == 2 && Good[0] && Good[1] && Good[2]);
    FvCheck(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_CHECK_ONLY, &Context) == STATUS_SUCCESS &&
            Context == (PVOID)0x1000);
    FvCheck(RtlRunOnceBeginInitialize(&Once, 0x10, &Context) == STATUS_INVALID_PARAMETER_2);
    RtlRunOnceInitialize(&Once); /* asynchronously the first to complete wins */
    FvCheck(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context) == STATUS_PENDING &&
            RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context) == STATUS_PENDING &&
            RtlRunOnceBeginInitialize(&Once, 0, &Context) == STATUS_INVALID_PARAMETER_2);
    FvCheck(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, (PVOID)1) == STATUS_INVALID_PARAMETER_3);
    FvCheck(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC | RTL_RUN_ONCE_INIT_FAILED, NULL) ==
            STATUS_INVALID_PARAMETER_2);
    FvCheck(RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, (PVOID)0x40) == STATUS_SUCCESS &&
            RtlRunOnceComplete(&Once, RTL_RUN_ONCE_ASYNC, (PVOID)0x80) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(RtlRunOnceBeginInitialize(&Once, RTL_RUN_ONCE_ASYNC, &Context) == STATUS_SUCCESS && Context == (PVOID)0x40);
}

static VOID CheckMacros(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"abc");
    WCHAR Buffer[20];
    UNICODE_STRING Text = {0, sizeof(Buffer), Buffer};
    LARGE_INTEGER(NTAPI * Convert)(LONG);
    UNICODE_STRING Routine = RTL_CONSTANT_STRING(L"RtlConvertLongToLargeInteger");

    FvCheck(RtlIntPtrToUnicodeString(0x123456789AULL, 16, &Text) == STATUS_SUCCESS &&
            wcsncmp(Buffer, L"123456789A", 10) == 0);
    FvCheck(RtlUnicodeStringToAnsiSize(&Name) == 4);
    *(PVOID *)&Convert = MmGetSystemRoutineAddress(&Routine);
    FvCheck(Convert != NULL && Convert(-5).QuadPart == RtlConvertLongToLargeInteger(-5).QuadPart);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(51);
    CheckShortNames();
    CheckMakingShortNames();
    CheckPrefixes();
    CheckAddresses();
    CheckOnce();
    CheckMacros();
    return STATUS_SUCCESS;
}

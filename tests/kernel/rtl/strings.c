// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counted strings: every Rtl routine on UNICODE_STRING, ANSI_STRING and OEM_STRING, with the limits of Length and
 * MaximumLength, the terminator where there is room for one, and what is allocated.
 */
#include <ntifs.h>

#include <fltvm.h>

static WCHAR Wide[64];
static CHAR Narrow[64];

static UNICODE_STRING U(PCWSTR Text)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Text);
    return String;
}

static ANSI_STRING A(PCSZ Text)
{
    ANSI_STRING String;

    RtlInitAnsiString(&String, Text);
    return String;
}

/* An empty string with room for Bytes; what is behind is 0x7878. */
static UNICODE_STRING Room(USHORT Bytes)
{
    UNICODE_STRING String = {0, Bytes, Wide};

    memset(Wide, 'x', sizeof(Wide));
    return String;
}

static ANSI_STRING NarrowRoom(USHORT Bytes)
{
    ANSI_STRING String = {0, Bytes, Narrow};

    memset(Narrow, 'x', sizeof(Narrow));
    return String;
}

static BOOLEAN Is(PCUNICODE_STRING String, PCWSTR Text)
{
    UNICODE_STRING Other = U(Text);

    return RtlEqualUnicodeString(String, &Other, FALSE);
}

static BOOLEAN IsNarrow(PCANSI_STRING String, PCSZ Text)
{
    ANSI_STRING Other = A(Text);

    return RtlEqualString((PANSI_STRING)String, &Other, FALSE);
}

static VOID CheckInit(VOID)
{
    static WCHAR Long[0x8010];
    static CHAR LongNarrow[0x10010];
    UNICODE_STRING Wide1 = {1, 2, Wide};
    STRING Narrow1 = {1, 2, Narrow};

    RtlInitUnicodeString(&Wide1, L"abc");
    FvCheck(Wide1.Length == 6 && Wide1.MaximumLength == 8);
    RtlInitUnicodeString(&Wide1, NULL);
    FvCheck(Wide1.Length == 0 && Wide1.MaximumLength == 0 && Wide1.Buffer == NULL);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Long) - 1; Index++)
        Long[Index] = L'a';
    RtlInitUnicodeString(&Wide1, Long);
    FvCheck(Wide1.Length == 0xFFFC && Wide1.MaximumLength == 0xFFFE);
    Wide1.Length = 1;
    Wide1.Buffer = Wide;
    FvCheck(RtlInitUnicodeStringEx(&Wide1, Long) == STATUS_NAME_TOO_LONG && Wide1.Length == 1 && Wide1.Buffer == Wide);
    FvCheck(RtlInitUnicodeStringEx(&Wide1, L"ab") == STATUS_SUCCESS && Wide1.Length == 4);
    FvCheck(RtlInitUnicodeStringEx(&Wide1, NULL) == STATUS_SUCCESS && Wide1.Buffer == NULL);
    RtlInitString(&Narrow1, "abc");
    FvCheck(Narrow1.Length == 3 && Narrow1.MaximumLength == 4);
    memset(LongNarrow, 'a', sizeof(LongNarrow) - 1);
    FvCheck(RtlInitStringEx(&Narrow1, LongNarrow) == STATUS_NAME_TOO_LONG && Narrow1.Length == 3);
    FvCheck(RtlInitAnsiStringEx(&Narrow1, LongNarrow) == STATUS_NAME_TOO_LONG && Narrow1.Length == 3);
    FvCheck(RtlInitAnsiStringEx(&Narrow1, "x") == STATUS_SUCCESS && Narrow1.Length == 1);
}

static VOID CheckCopyAndAppend(VOID)
{
    UNICODE_STRING Text = U(L"abc"), Empty = U(L""), To;
    ANSI_STRING NarrowText = A("abc"), NarrowTo, Nothing = A("");

    To = Room(8);
    RtlCopyUnicodeString(&To, &Text);
    FvCheck(Is(&To, L"abc") && Wide[3] == 0); /* terminated: there was room */
    To = Room(6);
    RtlCopyUnicodeString(&To, &Text);
    FvCheck(Is(&To, L"abc") && Wide[3] == 0x7878);
    To = Room(4);
    RtlCopyUnicodeString(&To, &Text);
    FvCheck(Is(&To, L"ab") && Wide[2] == 0x7878); /* cut */
    RtlCopyUnicodeString(&To, NULL);
    FvCheck(To.Length == 0);

    To = Room(12);
    FvCheck(RtlAppendUnicodeToString(&To, L"ab") == STATUS_SUCCESS && Is(&To, L"ab"));
    FvCheck(RtlAppendUnicodeStringToString(&To, &Text) == STATUS_SUCCESS && Is(&To, L"ababc") && Wide[5] == 0);
    FvCheck(RtlAppendUnicodeToString(&To, L"xy") == STATUS_BUFFER_TOO_SMALL && Is(&To, L"ababc"));
    FvCheck(RtlAppendUnicodeToString(&To, L"z") == STATUS_SUCCESS && Is(&To, L"ababcz") && Wide[6] == 0x7878);
    FvCheck(RtlAppendUnicodeToString(&To, NULL) == STATUS_SUCCESS && To.Length == 12);
    FvCheck(RtlAppendUnicodeStringToString(&To, &Empty) == STATUS_SUCCESS);

    NarrowTo = NarrowRoom(5);
    RtlCopyString(&NarrowTo, &NarrowText);
    FvCheck(IsNarrow(&NarrowTo, "abc") && Narrow[3] == 'x'); /* never terminated */
    FvCheck(RtlAppendStringToString(&NarrowTo, &NarrowText) == STATUS_BUFFER_TOO_SMALL);
    NarrowText.Length = 2;
    FvCheck(RtlAppendStringToString(&NarrowTo, &NarrowText) == STATUS_SUCCESS && IsNarrow(&NarrowTo, "abcab"));
    NarrowTo.MaximumLength = 2; /* less than its length: nothing still fits */
    FvCheck(RtlAppendStringToString(&NarrowTo, &Nothing) == STATUS_SUCCESS);
    NarrowTo = NarrowRoom(2);
    NarrowText.Length = 3;
    RtlCopyString(&NarrowTo, &NarrowText);
    FvCheck(IsNarrow(&NarrowTo, "ab"));
    RtlCopyString(&NarrowTo, NULL);
    FvCheck(NarrowTo.Length == 0);
}

static VOID CheckCompare(VOID)
{
    static const struct {
        PCWSTR One, Two;
        BOOLEAN IgnoreCase;
        LONG Order; /* its sign */
    } Cases[] = {
        {L"abc", L"abc", FALSE, 0}, {L"abc", L"ABC", FALSE, 1}, {L"abc", L"ABC", TRUE, 0}, {L"ab", L"abc", FALSE, -1},
        {L"b", L"abc", FALSE, 1},   {L"", L"", FALSE, 0},       {L"", L"a", TRUE, -1},     {L"\xE4", L"\xC4", TRUE, 0},
        {L"Z", L"a", TRUE, 1},      {L"Z", L"a", FALSE, -1},
    };
    UNICODE_STRING Path = U(L"\\Device\\Name"), Part = U(L"\\DEVICE"), Tail = U(L"name"), Empty = U(L"");
    ANSI_STRING One = A("abc"), Two = A("ABD"), Three = A("AB");

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        UNICODE_STRING Left = U(Cases[Index].One), Right = U(Cases[Index].Two);
        LONG Order = RtlCompareUnicodeString(&Left, &Right, Cases[Index].IgnoreCase);

        FvCheck((Order > 0) - (Order < 0) == Cases[Index].Order);
        FvCheck(RtlEqualUnicodeString(&Left, &Right, Cases[Index].IgnoreCase) == (Cases[Index].Order == 0));
        FvCheck(RtlCompareUnicodeStrings(Left.Buffer, Left.Length / sizeof(WCHAR), Right.Buffer,
                                         Right.Length / sizeof(WCHAR), Cases[Index].IgnoreCase) == Order);
    }
    FvCheck(RtlPrefixUnicodeString(&Part, &Path, TRUE) && !RtlPrefixUnicodeString(&Part, &Path, FALSE));
    FvCheck(RtlPrefixUnicodeString(&Empty, &Path, FALSE) && !RtlPrefixUnicodeString(&Path, &Part, TRUE));
    FvCheck(RtlCompareString(&One, &Two, TRUE) < 0 && RtlCompareString(&One, &Two, FALSE) > 0);
    FvCheck(RtlEqualString(&One, &One, FALSE) && !RtlEqualString(&One, &Two, TRUE));
    FvCheck(RtlPrefixString(&Three, &One, TRUE) && !RtlPrefixString(&Three, &One, FALSE));
    FvCheck(Tail.Length == 8);
}

static VOID CheckCase(VOID)
{
    UNICODE_STRING Text = U(L"a\xE4\xFFz1"), To;
    ANSI_STRING NarrowText = A("aZ\xE0{"), NarrowTo;

    To = Room(sizeof(Wide));
    FvCheck(RtlUpcaseUnicodeString(&To, &Text, FALSE) == STATUS_SUCCESS && Is(&To, L"A\xC4\x178Z1"));
    FvCheck(RtlDowncaseUnicodeString(&To, &To, FALSE) == STATUS_SUCCESS && Is(&To, L"a\xE4\xFFz1")); /* in place */
    To = Room(8);
    FvCheck(RtlUpcaseUnicodeString(&To, &Text, FALSE) == STATUS_BUFFER_OVERFLOW && Wide[0] == 0x7878);
    FvCheck(RtlUpcaseUnicodeString(&To, &Text, TRUE) == STATUS_SUCCESS && Is(&To, L"A\xC4\x178Z1") &&
            To.Buffer != Wide);
    RtlFreeUnicodeString(&To);
    FvCheck(To.Buffer == NULL && To.Length == 0 && To.MaximumLength == 0);
    RtlFreeUnicodeString(&To); /* of nothing: nothing */
    FvCheck(RtlUpcaseUnicodeChar(0xE4) == 0xC4 && RtlDowncaseUnicodeChar(0x178) == 0xFF);
    NarrowTo = NarrowRoom(4);
    RtlUpperString(&NarrowTo, &NarrowText);
    FvCheck(IsNarrow(&NarrowTo, "AZ\xE0{")); /* a to z only */
    FvCheck(RtlUpperChar('q') == 'Q' && RtlUpperChar('\xE0') == '\xE0' && RtlUpperChar('{') == '{');
}

static VOID CheckAllocating(VOID)
{
    UNICODE_STRING Text = U(L"abc"), Copy, Wrong = {6, 4, Text.Buffer}, Empty = {0, 0, NULL};
    ULONG Hash = 0, Other = 1;

    FvCheck(RtlCreateUnicodeString(&Copy, L"abc") && Is(&Copy, L"abc") && Copy.MaximumLength == 8 &&
            Copy.Buffer[3] == 0);
    RtlFreeUnicodeString(&Copy);
    FvCheck(RtlDuplicateUnicodeString(0, &Text, &Copy) == STATUS_SUCCESS && Is(&Copy, L"abc") &&
            Copy.MaximumLength == 6);
    RtlFreeUnicodeString(&Copy);
    FvCheck(RtlDuplicateUnicodeString(1, &Text, &Copy) == STATUS_SUCCESS && Copy.MaximumLength == 8 &&
            Copy.Buffer[3] == 0);
    RtlFreeUnicodeString(&Copy);
    FvCheck(RtlDuplicateUnicodeString(1, &Empty, &Copy) == STATUS_SUCCESS && Copy.Buffer == NULL);
    FvCheck(RtlDuplicateUnicodeString(3, &Empty, &Copy) == STATUS_SUCCESS && Copy.Buffer != NULL &&
            Copy.Buffer[0] == 0);
    RtlFreeUnicodeString(&Copy);
    Copy.Length = 77;
    FvCheck(RtlDuplicateUnicodeString(0, &Wrong, &Copy) == STATUS_INVALID_PARAMETER && Copy.Length == 77);
    FvCheck(RtlDuplicateUnicodeString(2, &Text, &Copy) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlDuplicateUnicodeString(4, &Text, &Copy) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlDuplicateUnicodeString(0, NULL, &Copy) == STATUS_INVALID_PARAMETER);

    FvCheck(RtlHashUnicodeString(&Text, FALSE, HASH_STRING_ALGORITHM_DEFAULT, &Hash) == STATUS_SUCCESS);
    FvCheck(Hash == (97u * 65599 + 98) * 65599 + 99);
    Copy = U(L"ABC");
    FvCheck(RtlHashUnicodeString(&Copy, TRUE, HASH_STRING_ALGORITHM_X65599, &Other) == STATUS_SUCCESS &&
            RtlHashUnicodeString(&Text, TRUE, HASH_STRING_ALGORITHM_X65599, &Hash) == STATUS_SUCCESS && Hash == Other);
    FvCheck(RtlHashUnicodeString(&Text, FALSE, 7, &Hash) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlHashUnicodeString(NULL, FALSE, 0, &Hash) == STATUS_INVALID_PARAMETER);
}

static VOID CheckConversions(VOID)
{
    UNICODE_STRING Text = U(L"a\x20AC\x4E00"), To, Oem = U(L"\xE4z");
    ANSI_STRING Bytes = A("a\x80\xE4"), NarrowTo;
    ULONG Length = 0;

    To = Room(8);
    FvCheck(RtlAnsiStringToUnicodeString(&To, &Bytes, FALSE) == STATUS_SUCCESS && Is(&To, L"a\x20AC\xE4") &&
            Wide[3] == 0);
    To = Room(6); /* no room for the terminator */
    FvCheck(RtlAnsiStringToUnicodeString(&To, &Bytes, FALSE) == STATUS_BUFFER_OVERFLOW && Wide[0] == 0x7878);
    FvCheck(RtlAnsiStringToUnicodeString(&To, &Bytes, TRUE) == STATUS_SUCCESS && To.MaximumLength == 8);
    RtlFreeUnicodeString(&To);
    FvCheck(RtlAnsiStringToUnicodeSize(&Bytes) == 8 && RtlUnicodeStringToAnsiSize(&Text) == 4);
    FvCheck(RtlOemStringToUnicodeSize(&Bytes) == 8 && RtlUnicodeStringToOemSize(&Text) == 4);

    NarrowTo = NarrowRoom(4);
    FvCheck(RtlUnicodeStringToAnsiString(&NarrowTo, &Text, FALSE) == STATUS_SUCCESS && IsNarrow(&NarrowTo, "a\x80?") &&
            Narrow[3] == 0);
    NarrowTo = NarrowRoom(3); /* cut, terminated */
    FvCheck(RtlUnicodeStringToAnsiString(&NarrowTo, &Text, FALSE) == STATUS_BUFFER_OVERFLOW &&
            IsNarrow(&NarrowTo, "a\x80") && Narrow[2] == 0);
    NarrowTo = NarrowRoom(0);
    FvCheck(RtlUnicodeStringToAnsiString(&NarrowTo, &Text, FALSE) == STATUS_BUFFER_OVERFLOW && Narrow[0] == 'x');
    FvCheck(RtlUnicodeStringToAnsiString(&NarrowTo, &Text, TRUE) == STATUS_SUCCESS && NarrowTo.MaximumLength == 4);
    RtlFreeAnsiString(&NarrowTo);
    FvCheck(NarrowTo.Buffer == NULL);

    FvCheck(RtlUnicodeStringToOemString(&NarrowTo, &Oem, TRUE) == STATUS_SUCCESS && IsNarrow(&NarrowTo, "\x84z"));
    RtlFreeOemString(&NarrowTo);
    FvCheck(RtlUpcaseUnicodeStringToOemString(&NarrowTo, &Oem, TRUE) == STATUS_SUCCESS && IsNarrow(&NarrowTo, "\x8EZ"));
    RtlFreeOemString(&NarrowTo);
    NarrowTo = NarrowRoom(2);
    FvCheck(RtlUnicodeStringToCountedOemString(&NarrowTo, &Oem, FALSE) == STATUS_SUCCESS &&
            IsNarrow(&NarrowTo, "\x84z") && Narrow[2] == 'x');
    FvCheck(RtlUpcaseUnicodeStringToCountedOemString(&NarrowTo, &Oem, FALSE) == STATUS_SUCCESS &&
            IsNarrow(&NarrowTo, "\x8EZ"));
    To = Room(4);
    FvCheck(RtlOemStringToCountedUnicodeString(&To, &NarrowTo, FALSE) == STATUS_SUCCESS && Is(&To, L"\xC4Z"));
    FvCheck(RtlOemStringToUnicodeString(&To, &NarrowTo, FALSE) == STATUS_BUFFER_OVERFLOW); /* with a terminator */

    FvCheck(RtlMultiByteToUnicodeN(Wide, 4, &Length, "abc", 3) == STATUS_SUCCESS && Length == 4 && Wide[1] == L'b');
    FvCheck(RtlUnicodeToMultiByteN(Narrow, 2, &Length, L"xyz", 6) == STATUS_BUFFER_OVERFLOW && Length == 2 &&
            Narrow[1] == 'y');
    FvCheck(RtlUpcaseUnicodeToMultiByteN(Narrow, 8, &Length, L"x\xE4", 4) == STATUS_SUCCESS && Narrow[1] == '\xC4');
    FvCheck(RtlUnicodeToOemN(Narrow, 8, NULL, L"\xE4", 2) == STATUS_SUCCESS && Narrow[0] == '\x84');
    FvCheck(RtlUpcaseUnicodeToOemN(Narrow, 8, &Length, L"\xE4", 2) == STATUS_SUCCESS && Narrow[0] == '\x8E' &&
            Length == 1);
    FvCheck(RtlOemToUnicodeN(Wide, 8, &Length, "\x84", 1) == STATUS_SUCCESS && Wide[0] == 0xE4 && Length == 2);
    FvCheck(RtlMultiByteToUnicodeSize(&Length, "abc", 3) == STATUS_SUCCESS && Length == 6);
    FvCheck(RtlUnicodeToMultiByteSize(&Length, L"abc", 6) == STATUS_SUCCESS && Length == 3);
}

static VOID CheckNumbers(VOID)
{
    static const struct {
        PCWSTR Text;
        ULONG Base;
        NTSTATUS Status;
        ULONG Value;
    } Cases[] = {
        {L"123", 10, STATUS_SUCCESS, 123}, {L"  -7", 0, STATUS_SUCCESS, (ULONG)-7},
        {L"0x1F", 0, STATUS_SUCCESS, 31},  {L"0b101", 0, STATUS_SUCCESS, 5},
        {L"0o17", 0, STATUS_SUCCESS, 15},  {L"ff", 16, STATUS_SUCCESS, 255},
        {L"12z", 10, STATUS_SUCCESS, 12},  {L"", 10, STATUS_SUCCESS, 0},
        {L"z", 10, STATUS_SUCCESS, 0},     {L"1", 3, STATUS_INVALID_PARAMETER, 9},
        {L"+5", 10, STATUS_SUCCESS, 5},    {L"777", 8, STATUS_SUCCESS, 511},
    };
    UNICODE_STRING To;
    ULONG Value = 9;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        UNICODE_STRING Text = U(Cases[Index].Text);

        Value = 9;
        FvCheck(RtlUnicodeStringToInteger(&Text, Cases[Index].Base, &Value) == Cases[Index].Status &&
                Value == Cases[Index].Value);
    }
    FvCheck(RtlCharToInteger("0x10", 0, &Value) == STATUS_SUCCESS && Value == 16);
    FvCheck(RtlCharToInteger("1", 10, NULL) == STATUS_ACCESS_VIOLATION);
    To = Room(8);
    FvCheck(RtlIntegerToUnicodeString(255, 16, &To) == STATUS_SUCCESS && Is(&To, L"FF") && Wide[2] == 0);
    To = Room(4); /* "FF" and no terminator */
    FvCheck(RtlIntegerToUnicodeString(255, 16, &To) == STATUS_BUFFER_OVERFLOW && Wide[0] == 0x7878);
    FvCheck(RtlIntegerToUnicodeString(1, 5, &To) == STATUS_INVALID_PARAMETER);
    To = Room(sizeof(Wide));
    FvCheck(RtlInt64ToUnicodeString(~0ULL, 10, &To) == STATUS_SUCCESS && Is(&To, L"18446744073709551615"));
    To = Room(40);
    FvCheck(RtlInt64ToUnicodeString(~0ULL, 10, &To) == STATUS_BUFFER_OVERFLOW);
}

static VOID CheckGuids(VOID)
{
    static const GUID Guid = {0x12345678, 0x9ABC, 0xDEF0, {1, 2, 3, 4, 5, 6, 7, 8}};
    UNICODE_STRING Text, Bad = U(L"{12345678-9ABC-DEF0-0102-03040506070Z}");
    GUID Back;

    FvCheck(RtlStringFromGUID(&Guid, &Text) == STATUS_SUCCESS && Text.Length == 76 && Text.MaximumLength == 78);
    FvCheck(RtlGUIDFromString(&Text, &Back) == STATUS_SUCCESS && RtlEqualMemory(&Guid, &Back, sizeof(Guid)));
    RtlFreeUnicodeString(&Text);
    FvCheck(RtlGUIDFromString(&Bad, &Back) == STATUS_INVALID_PARAMETER);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(130);
    CheckInit();
    CheckCopyAndAppend();
    CheckCompare();
    CheckCase();
    CheckAllocating();
    CheckConversions();
    CheckNumbers();
    CheckGuids();
    return STATUS_SUCCESS;
}

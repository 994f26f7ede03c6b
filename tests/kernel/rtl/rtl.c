// SPDX-License-Identifier: GPL-2.0-or-later
/* The run-time library: memory, bitmaps, trees, time, versions, random numbers, masks. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'ltrT'

static VOID CheckMemory(VOID)
{
    static UCHAR Bytes[300], Other[300];
    static ULONG Words[8];

    RtlFillMemory(Bytes, sizeof(Bytes), 7);
    FvCheck(Bytes[0] == 7 && Bytes[299] == 7);
    RtlCopyMemory(Other, Bytes, sizeof(Bytes));
    FvCheck(RtlCompareMemory(Bytes, Other, sizeof(Bytes)) == sizeof(Bytes) && RtlEqualMemory(Bytes, Other, 300));
    Other[257] = 8;
    FvCheck(RtlCompareMemory(Bytes, Other, sizeof(Bytes)) == 257 && RtlCompareMemory(Bytes, Other, 0) == 0);
    for (UCHAR Index = 0; Index < 100; Index++)
        Bytes[Index] = Index;
    RtlMoveMemory(Bytes + 3, Bytes, 90);
    FvCheck(Bytes[3] == 0 && Bytes[92] == 89);
    RtlZeroMemory(Bytes, sizeof(Bytes));
    FvCheck(RtlCompareMemory(Bytes, Bytes + 1, 299) == 299);
    RtlFillMemoryUlong(Words, 28, 0x12345678);
    FvCheck(Words[6] == 0x12345678 && Words[7] == 0);
    FvCheck(RtlCompareMemoryUlong(Words, sizeof(Words), 0x12345678) == 28);
}

/* Sizes that the compiler does not know, so that the routine is called. */
static BOOLEAN IsFilled(PUCHAR Bytes, ULONG At, volatile ULONG Size, ULONG Room)
{
    for (ULONG Index = 0; Index < Room; Index++)
        Bytes[Index] = 0x11;
    memset(Bytes + At, 0xEE, Size);
    for (ULONG Index = 0; Index < Room; Index++) {
        if (Bytes[Index] != (Index >= At && Index < At + Size ? 0xEE : 0x11))
            return FALSE;
    }
    return TRUE;
}

/* Of equal texts one character of which, or none (Size), is another. */
static BOOLEAN IsFound(PUCHAR Bytes, PUCHAR Other, ULONG Size, ULONG At)
{
    LONG Order;
    BOOLEAN Found;

    if (At < Size)
        Other[At] ^= 0x80;
    Found = RtlCompareMemory(Bytes, Other, Size) == At && RtlCompareMemory(Other, Bytes, Size) == At;
    if (Size % 2 == 0) {
        Order = RtlCompareUnicodeStrings((PCWCH)Bytes, Size / 2, (PCWCH)Other, Size / 2, FALSE);
        Found = Found && (At == Size) == (Order == 0);
    }
    if (At < Size)
        Other[At] ^= 0x80;
    return Found;
}

/* Every length from none to three turns of each loop, at every place in a word. */
static VOID CheckEveryLength(VOID)
{
    static UCHAR Bytes[256] __attribute__((aligned(8))), Other[256] __attribute__((aligned(8)));
    ULONG Filled = 0, Found = 0, Asked = 0;

    for (ULONG At = 0; At < 8; At++) {
        for (ULONG Size = 0; Size <= 200; Size++)
            Filled += IsFilled(Bytes, At, Size, sizeof(Bytes));
    }
    FvCheck(Filled == 8 * 201);
    for (ULONG Index = 0; Index < sizeof(Bytes); Index++)
        Bytes[Index] = Other[Index] = (UCHAR)(Index * 7);
    for (ULONG Size = 0; Size <= 40; Size++) {
        for (ULONG At = 0; At <= Size; At++, Asked++)
            Found += IsFound(Bytes + Size % 8, Other + Size % 8, Size, At);
    }
    FvCheck(Found == Asked);
}

/* Each character of ASCII and beyond, against the routine that maps one. */
static VOID CheckEveryCharacter(VOID)
{
    ULONG Same = 0, Hash, Wanted;

    for (ULONG Character = 0; Character <= 0xFFFF; Character++) {
        WCHAR Upper = RtlUpcaseUnicodeChar((WCHAR)Character), Text[2] = {(WCHAR)Character, L'b'},
              Upcased[2] = {Upper, L'B'};
        UNICODE_STRING String = {sizeof(Text), sizeof(Text), Text};

        Wanted = Upper * 65599u + L'B';
        RtlHashUnicodeString(&String, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &Hash);
        Same += Hash == Wanted && RtlCompareUnicodeStrings(Text, 2, Upcased, 2, TRUE) == 0;
    }
    FvCheck(Same == 0x10000);
}

static VOID CheckBits(VOID)
{
    ULONG Buffer[4] = {0};
    RTL_BITMAP_RUN Runs[4];
    RTL_BITMAP Map;
    ULONG Start = 0;

    RtlInitializeBitMap(&Map, Buffer, 100);
    RtlSetBits(&Map, 10, 20);
    RtlSetBit(&Map, 50);
    FvCheck(RtlNumberOfSetBits(&Map) == 21 && RtlNumberOfClearBits(&Map) == 79);
    FvCheck(RtlTestBit(&Map, 10) && RtlTestBit(&Map, 29) && !RtlTestBit(&Map, 30) && RtlCheckBit(&Map, 50));
    FvCheck(RtlAreBitsSet(&Map, 10, 20) && !RtlAreBitsSet(&Map, 10, 21) && !RtlAreBitsSet(&Map, 10, 0));
    FvCheck(RtlAreBitsClear(&Map, 30, 20) && !RtlAreBitsClear(&Map, 30, 21) && !RtlAreBitsClear(&Map, 99, 5));
    FvCheck(RtlFindClearBits(&Map, 15, 0) == 30 && RtlFindSetBits(&Map, 20, 0) == 10 &&
            RtlFindSetBits(&Map, 21, 0) == MAXULONG);
    FvCheck(RtlFindClearBits(&Map, 50, 0) == MAXULONG);
    FvCheck(RtlFindFirstRunClear(&Map, &Start) == 10 && Start == 0);
    FvCheck(RtlFindNextForwardRunClear(&Map, 12, &Start) == 20 && Start == 30);
    FvCheck(RtlFindLastBackwardRunClear(&Map, 45, &Start) == 16 && Start == 30);
    FvCheck(RtlFindLongestRunClear(&Map, &Start) == 49 && Start == 51);
    FvCheck(RtlFindClearRuns(&Map, Runs, 4, TRUE) == 3 && Runs[0].StartingIndex == 51 && Runs[0].NumberOfBits == 49 &&
            Runs[1].StartingIndex == 30 && Runs[2].NumberOfBits == 10);
    FvCheck(RtlFindClearBitsAndSet(&Map, 5, 30) == 30 && RtlAreBitsSet(&Map, 30, 5));
    FvCheck(RtlFindSetBitsAndClear(&Map, 25, 0) == 10 && RtlAreBitsClear(&Map, 0, 50));
    RtlClearBit(&Map, 50);
    FvCheck(RtlNumberOfSetBits(&Map) == 0);
    RtlSetAllBits(&Map);
    FvCheck(RtlNumberOfSetBits(&Map) == 100 && RtlFindClearBits(&Map, 1, 0) == MAXULONG);
    RtlClearBits(&Map, 99, 1);
    FvCheck(RtlFindClearBits(&Map, 1, 5) == 99);
    RtlClearAllBits(&Map);
    FvCheck(RtlNumberOfClearBits(&Map) == 100);
    FvCheck(RtlFindMostSignificantBit(0x8001) == 15 && RtlFindLeastSignificantBit(0x8010) == 4);
    FvCheck(RtlFindMostSignificantBit(0) == -1 && RtlFindLeastSignificantBit(0) == -1);
}

static VOID CheckTime(VOID)
{
    TIME_FIELDS Fields = {2020, 2, 29, 23, 59, 58, 999, 0}, Back, Bad = {2019, 2, 29, 0, 0, 0, 0, 0};
    LARGE_INTEGER Time, Again;
    ULONG Seconds = 0;

    FvCheck(RtlTimeFieldsToTime(&Fields, &Time));
    RtlTimeToTimeFields(&Time, &Back);
    FvCheck(Back.Year == 2020 && Back.Month == 2 && Back.Day == 29 && Back.Second == 58 && Back.Milliseconds == 999 &&
            Back.Weekday == 6);
    FvCheck(!RtlTimeFieldsToTime(&Bad, &Again)); /* no leap year */
    Time.QuadPart = 0;
    RtlTimeToTimeFields(&Time, &Back);
    FvCheck(Back.Year == 1601 && Back.Month == 1 && Back.Day == 1 && Back.Weekday == 1);
    FvCheck(!RtlTimeToSecondsSince1970(&Time, &Seconds) && !RtlTimeToSecondsSince1980(&Time, &Seconds)); /* before */
    RtlSecondsSince1970ToTime(1577836800, &Time); /* 2020-01-01 */
    RtlTimeToTimeFields(&Time, &Back);
    FvCheck(Back.Year == 2020 && Back.Month == 1 && Back.Day == 1 && Back.Hour == 0);
    FvCheck(RtlTimeToSecondsSince1970(&Time, &Seconds) && Seconds == 1577836800);
    FvCheck(RtlTimeToSecondsSince1980(&Time, &Seconds) && Seconds == 1577836800 - 315532800);
    RtlSecondsSince1980ToTime(Seconds, &Again);
    FvCheck(Again.QuadPart == Time.QuadPart);
    ExSystemTimeToLocalTime(&Time, &Again);
    ExLocalTimeToSystemTime(&Again, &Again);
    FvCheck(Again.QuadPart == Time.QuadPart);
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_GENERIC_TABLE Table, PVOID One, PVOID Two)
{
    ULONG A = *(PULONG)One, B = *(PULONG)Two;

    UNREFERENCED_PARAMETER(Table);
    return A < B ? GenericLessThan : A > B ? GenericGreaterThan : GenericEqual;
}

static PVOID NTAPI Allocate(PRTL_GENERIC_TABLE Table, CLONG Size)
{
    UNREFERENCED_PARAMETER(Table);
    return ExAllocatePoolWithTag(PagedPool, Size, TAG);
}

static VOID NTAPI Free(PRTL_GENERIC_TABLE Table, PVOID Block)
{
    UNREFERENCED_PARAMETER(Table);
    ExFreePoolWithTag(Block, TAG);
}

static VOID CheckSplayTable(VOID)
{
    RTL_GENERIC_TABLE Table;
    PVOID Restart = NULL;
    BOOLEAN New = FALSE, Ordered = TRUE;
    ULONG Count = 0, Missing = 1000;

    RtlInitializeGenericTable(&Table, Compare, Allocate, Free, NULL);
    FvCheck(RtlIsGenericTableEmpty(&Table));
    for (ULONG Index = 0; Index < 50; Index++) {
        ULONG Key = Index * 37 % 50;

        RtlInsertElementGenericTable(&Table, &Key, sizeof(Key), &New);
        Count += New;
    }
    FvCheck(Count == 50 && RtlNumberGenericTableElements(&Table) == 50);
    Count = 7;
    FvCheck(*(PULONG)RtlInsertElementGenericTable(&Table, &Count, sizeof(Count), &New) == 7 && !New);
    FvCheck(*(PULONG)RtlLookupElementGenericTable(&Table, &Count) == 7 &&
            RtlLookupElementGenericTable(&Table, &Missing) == NULL);
    FvCheck(*(PULONG)RtlGetElementGenericTable(&Table, 0) == 0 &&
            *(PULONG)RtlGetElementGenericTable(&Table, 1) == 37); /* as inserted */
    FvCheck(RtlGetElementGenericTable(&Table, 50) == NULL);
    Count = 0;
    for (PULONG Key; (Key = RtlEnumerateGenericTableWithoutSplaying(&Table, &Restart)) != NULL; Count++)
        Ordered = Ordered && *Key == Count;
    FvCheck(Ordered && Count == 50);
    Count = 0;
    for (PULONG Key = RtlEnumerateGenericTable(&Table, TRUE); Key != NULL;
         Key = RtlEnumerateGenericTable(&Table, FALSE))
        Ordered = Ordered && *Key == Count++;
    FvCheck(Ordered && Count == 50);
    FvCheck(!RtlDeleteElementGenericTable(&Table, &Missing));
    for (ULONG Index = 0; Index < 50; Index++)
        Ordered = Ordered && RtlDeleteElementGenericTable(&Table, &Index);
    FvCheck(Ordered && RtlIsGenericTableEmpty(&Table));
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI CompareAvl(PRTL_AVL_TABLE Table, PVOID One, PVOID Two)
{
    UNREFERENCED_PARAMETER(Table);
    return Compare(NULL, One, Two);
}

static PVOID NTAPI AllocateAvl(PRTL_AVL_TABLE Table, CLONG Size)
{
    UNREFERENCED_PARAMETER(Table);
    return ExAllocatePoolWithTag(PagedPool, Size, TAG);
}

static VOID NTAPI FreeAvl(PRTL_AVL_TABLE Table, PVOID Block)
{
    UNREFERENCED_PARAMETER(Table);
    ExFreePoolWithTag(Block, TAG);
}

static VOID CheckAvlTable(VOID)
{
    RTL_AVL_TABLE Table;
    PVOID Restart = NULL, Node;
    TABLE_SEARCH_RESULT Result;
    BOOLEAN New = FALSE, Ordered = TRUE;
    ULONG Count = 0, Key = 1000;

    RtlInitializeGenericTableAvl(&Table, CompareAvl, AllocateAvl, FreeAvl, NULL);
    FvCheck(RtlIsGenericTableEmptyAvl(&Table));
    for (ULONG Index = 0; Index < 50; Index++) {
        ULONG Value = Index * 37 % 50;

        RtlInsertElementGenericTableAvl(&Table, &Value, sizeof(Value), &New);
        Count += New;
    }
    FvCheck(Count == 50 && RtlNumberGenericTableElementsAvl(&Table) == 50);
    FvCheck(RtlLookupElementGenericTableFullAvl(&Table, &Key, &Node, &Result) == NULL && Result == TableInsertAsRight);
    FvCheck(*(PULONG)RtlInsertElementGenericTableFullAvl(&Table, &Key, sizeof(Key), &New, Node, Result) == 1000 && New);
    FvCheck(*(PULONG)RtlLookupElementGenericTableAvl(&Table, &Key) == 1000 &&
            RtlDeleteElementGenericTableAvl(&Table, &Key));
    FvCheck(*(PULONG)RtlGetElementGenericTableAvl(&Table, 17) == 17 &&
            RtlGetElementGenericTableAvl(&Table, 50) == NULL);
    Count = 0;
    for (PULONG At; (At = RtlEnumerateGenericTableWithoutSplayingAvl(&Table, &Restart)) != NULL; Count++)
        Ordered = Ordered && *At == Count;
    FvCheck(Ordered && Count == 50);
    Count = 0;
    for (PULONG At = RtlEnumerateGenericTableAvl(&Table, TRUE); At != NULL;
         At = RtlEnumerateGenericTableAvl(&Table, FALSE))
        Ordered = Ordered && *At == Count++;
    FvCheck(Ordered && Count == 50);
    Key = 20;
    FvCheck(*(PULONG)RtlLookupFirstMatchingElementGenericTableAvl(&Table, &Key, &Restart) == 20);
    for (ULONG Index = 0; Index < 50; Index++)
        Ordered = Ordered && RtlDeleteElementGenericTableAvl(&Table, &Index);
    FvCheck(Ordered && RtlIsGenericTableEmptyAvl(&Table));
}

static VOID CheckMisc(VOID)
{
    static const GENERIC_MAPPING Mapping = {0x1, 0x2, 0x4, 0x7};
    RTL_OSVERSIONINFOEXW Version = {.dwOSVersionInfoSize = sizeof(Version), .dwMajorVersion = 6};
    ACCESS_MASK Access = GENERIC_READ | GENERIC_WRITE | 0x100;
    ULONG Seed = 1, Same = 1, One, Two;

    RtlMapGenericMask(&Access, (PGENERIC_MAPPING)&Mapping);
    FvCheck(Access == (0x3 | 0x100));
    One = RtlRandomEx(&Seed);
    Two = RtlRandomEx(&Seed);
    FvCheck(One != Two && One < MAXLONG && Two < MAXLONG && Seed != 1);
    FvCheck(RtlRandom(&Same) < MAXLONG);
    FvCheck(RtlVerifyVersionInfo(&Version, VER_MAJORVERSION,
                                 VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL)) == STATUS_SUCCESS);
    Version.dwMajorVersion = 11;
    FvCheck(
        RtlVerifyVersionInfo(&Version, VER_MAJORVERSION, VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL)) ==
        STATUS_REVISION_MISMATCH);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(64);
    CheckMemory();
    CheckEveryLength();
    CheckEveryCharacter();
    CheckBits();
    CheckTime();
    CheckSplayTable();
    CheckAvlTable();
    CheckMisc();
    return STATUS_SUCCESS;
}

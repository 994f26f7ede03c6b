// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What drivers print and read text with: formats of every spelling, with room and without; wide characters' kinds; numbers; far
 * jumps; exceptions that are raised; trees walked as directories.
 */
#include <ntifs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include <fltvm.h>

#undef iswalnum /* the routines are meant, not the header's macros */
#undef iswdigit
#undef iswspace
#undef iswxdigit

#define TAG 'mrFT'

unsigned __int64 __cdecl _strtoui64(const char *Text, char **End, int Base);
NTSYSAPI VOID NTAPI RtlRestoreContext(PCONTEXT Context, PEXCEPTION_RECORD Record);
NTSYSAPI VOID NTAPI RtlRaiseStatus(NTSTATUS Status);
NTSYSAPI VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD Record);
NTSYSAPI VOID NTAPI RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent);
NTSYSAPI PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                                         TABLE_SEARCH_RESULT *SearchResult);
NTSYSAPI PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table, PRTL_AVL_MATCH_FUNCTION MatchFunction,
                                                            PVOID MatchData, ULONG NextFlag, PVOID *RestartKey,
                                                            PULONG DeleteCount, PVOID Buffer);

static CHAR Narrow[16];
static WCHAR Wide[16];

typedef enum { Vsprintf, VsprintfS, VsnprintfS, Vswprintf, VswprintfS, Vsnwprintf, VsnwprintfS } SPELLING;

/* Into the sixteen characters above, or as many as Count says. */
static int Print(SPELLING Spelling, size_t Count, ...)
{
    va_list List;
    int Done = -2;

    va_start(List, Count);
    switch (Spelling) {
    case Vsprintf: Done = vsprintf(Narrow, "%d-%s", List); break;
    case VsprintfS: Done = vsprintf_s(Narrow, sizeof(Narrow), "%d-%s", List); break;
    case VsnprintfS: Done = _vsnprintf_s(Narrow, sizeof(Narrow), Count, "%d-%s", List); break;
    case Vswprintf: Done = _vswprintf(Wide, L"%d-%s", List); break;
    case VswprintfS: Done = vswprintf_s(Wide, RTL_NUMBER_OF(Wide), L"%d-%s", List); break;
    case Vsnwprintf: Done = _vsnwprintf(Wide, Count, L"%d-%s", List); break;
    case VsnwprintfS: Done = _vsnwprintf_s(Wide, RTL_NUMBER_OF(Wide), Count, L"%d-%s", List); break;
    }
    va_end(List);
    return Done;
}

static VOID CheckFormats(VOID)
{
    FvCheck(Print(Vsprintf, 0, 42, "ab") == 5 && strcmp(Narrow, "42-ab") == 0);
    FvCheck(Print(VsprintfS, 0, -7, "xyz") == 6 && strcmp(Narrow, "-7-xyz") == 0);
    FvCheck(Print(VsnprintfS, 15, 1, "abc") == 5 && strcmp(Narrow, "1-abc") == 0);
    FvCheck(Print(VsnprintfS, 3, 1, "abc") == -1 && strcmp(Narrow, "1-a") == 0); /* cut off, and ended */
    FvCheck(Print(VsnprintfS, _TRUNCATE, 1, "0123456789abcdef") == -1 &&
            strlen(Narrow) == 15); /* as much as there is room */
    FvCheck(Print(Vswprintf, 0, 42, L"ab") == 5 && wcscmp(Wide, L"42-ab") == 0);
    FvCheck(Print(VswprintfS, 0, 3, L"q") == 3 && wcscmp(Wide, L"3-q") == 0);
    Wide[5] = L'!';
    FvCheck(Print(Vsnwprintf, 5, 12, L"ab") == 5 &&
            wcsncmp(Wide, L"12-ab!", 6) == 0); /* room for the text, none for its end */
    FvCheck(Print(Vsnwprintf, 4, 12, L"ab") == -1);
    FvCheck(Print(VsnwprintfS, 3, 1, L"abc") == -1 && wcscmp(Wide, L"1-a") == 0);
    FvCheck(_swprintf(Wide, L"%04x|%ls", 0xAB, L"z") == 6 && wcscmp(Wide, L"00ab|z") == 0);
}

static VOID CheckCharacters(VOID)
{
    FvCheck(iswalnum('a') && iswalnum('Z') && iswalnum('0') && !iswalnum('_') && !iswalnum(' '));
    FvCheck(iswdigit('0') && iswdigit('9') && !iswdigit('a') && !iswdigit('/') && !iswdigit(':'));
    FvCheck(iswspace(' ') && iswspace('\t') && iswspace('\r') && !iswspace('a') && !iswspace(0));
    FvCheck(iswxdigit('f') && iswxdigit('F') && iswxdigit('7') && !iswxdigit('g') && !iswxdigit('G'));
}

static VOID CheckNumbers(VOID)
{
    CHAR Text[] = "0x1Fz";
    CHAR *End;

    FvCheck(_strtoui64(Text, &End, 16) == 0x1F && End == Text + 4);
    FvCheck(_strtoui64("18446744073709551615", NULL, 10) == ~0ULL);
    FvCheck(_strtoui64("18446744073709551616", NULL, 10) == ~0ULL); /* no more than fits */
    FvCheck(_strtoui64("077", &End, 0) == 63 && *End == 0);
    FvCheck(_strtoui64(Text + 4, &End, 10) == 0 && End == Text + 4);
}

static jmp_buf Back;
static volatile ULONG Passed;

static DECLSPEC_NOINLINE VOID Jump(ULONG Depth, int With)
{
    if (Depth > 0)
        Jump(Depth - 1, With);
    Passed++; /* on the way back only */
    longjmp(Back, With);
}

static VOID CheckJumps(VOID)
{
    volatile ULONG Turn = 0;
    int Value = setjmp(Back);

    if (Turn++ == 0) {
        FvCheck(Value == 0);
        Jump(3, 7);
    }
    if (Turn == 2) {
        FvCheck(Value == 7 && Passed == 1);
        Jump(0, 0);
    }
    FvCheck(Turn == 3 && Value == 1); /* never 0 */
}

static VOID CheckContext(VOID)
{
    volatile ULONG Turn = 0;
    CONTEXT Context;

    RtlCaptureContext(&Context);
    if (Turn++ < 2)
        RtlRestoreContext(&Context, NULL);
    FvCheck(Turn == 3);
}

static VOID CheckRaised(VOID)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = 0xE0001234, .NumberParameters = 1, .ExceptionInformation = {77}};
    volatile NTSTATUS Caught = 0;
    volatile ULONG_PTR Parameter = 0;

    __try {
        RtlRaiseStatus(STATUS_DISK_FULL);
    } __except (Caught = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
        Parameter = 1;
    }
    FvCheck(Caught == STATUS_DISK_FULL && Parameter == 1);
    __try {
        RtlRaiseException(&Record);
        Parameter = 2;
    } __except (Parameter = (GetExceptionInformation())->ExceptionRecord->ExceptionInformation[0],
                Caught = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
        Parameter++;
    }
    FvCheck(Caught == (NTSTATUS)0xE0001234 && Parameter == 78);
    Parameter = 0;
    Record.ExceptionFlags = 0; /* it has been unwound with */
    __try {
        RtlRaiseException(&Record); /* and goes on behind it */
        Parameter += 5;
    } __except (EXCEPTION_CONTINUE_EXECUTION) {
        Parameter = 1000;
    }
    FvCheck(Parameter == 5);
}

/* ---- trees ---- */

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_AVL_TABLE Table, PVOID One, PVOID Two)
{
    ULONG Left = *(PULONG)One, Right = *(PULONG)Two;

    UNREFERENCED_PARAMETER(Table);
    return Left < Right ? GenericLessThan : Left > Right ? GenericGreaterThan : GenericEqual;
}

static PVOID NTAPI Allocate(PRTL_AVL_TABLE Table, CLONG Size)
{
    UNREFERENCED_PARAMETER(Table);
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, TAG);
}

static VOID NTAPI FreeNode(PRTL_AVL_TABLE Table, PVOID Node)
{
    UNREFERENCED_PARAMETER(Table);
    ExFreePoolWithTag(Node, TAG);
}

static NTSTATUS NTAPI IsEven(PRTL_AVL_TABLE Table, PVOID Data, PVOID Last)
{
    ULONG Number = *(PULONG)Data;

    UNREFERENCED_PARAMETER(Table);
    return Number > *(PULONG)Last ? STATUS_NO_MORE_MATCHES : Number % 2 == 0 ? STATUS_SUCCESS : STATUS_NO_MATCH;
}

static VOID CheckTree(VOID)
{
    RTL_AVL_TABLE Table;
    TABLE_SEARCH_RESULT Result;
    ULONG Key, Last = 7, Deletes, Sum = 0, Count = 0;
    PVOID Restart = NULL, Node;
    PULONG Found;

    RtlInitializeGenericTableAvl(&Table, Compare, Allocate, FreeNode, NULL);
    Key = 1;
    Deletes = 0;
    FvCheck(RtlEnumerateGenericTableLikeADirectory(&Table, NULL, NULL, FALSE, &Restart, &Deletes, &Key) == NULL);
    for (Key = 0; Key < 10; Key++)
        RtlInsertElementGenericTableAvl(&Table, &Key, sizeof(Key), NULL);
    Key = 1; /* from here on, with it if it is there: 2, 4, 6, and then no more */
    Deletes = Table.DeleteCount;
    for (Found = RtlEnumerateGenericTableLikeADirectory(&Table, IsEven, &Last, FALSE, &Restart, &Deletes, &Key);
         Found != NULL;
         Found = RtlEnumerateGenericTableLikeADirectory(&Table, IsEven, &Last, TRUE, &Restart, &Deletes, &Key)) {
        Sum += Key = *Found;
        Count++;
        if (*Found == 4) { /* what has been found may go meanwhile */
            RtlLookupElementGenericTableFullAvl(&Table, &Key, &Node, &Result);
            FvCheck(Result == TableFoundNode);
            RtlDeleteElementGenericTableAvlEx(&Table, Node);
        }
    }
    FvCheck(Sum == 2 + 4 + 6 && Count == 3);
    FvCheck(RtlNumberGenericTableElementsAvl(&Table) == 9);
    Key = 4;
    FvCheck(RtlLookupElementGenericTableAvl(&Table, &Key) == NULL);
    for (Key = 0; Key < 10; Key++)
        RtlDeleteElementGenericTableAvl(&Table, &Key);
    FvCheck(RtlIsGenericTableEmptyAvl(&Table));
}

static VOID CheckMemory(VOID)
{
    DECLSPEC_ALIGN(16) static UCHAR From[100], To[100];

    for (ULONG Index = 0; Index < sizeof(From); Index++)
        From[Index] = (UCHAR)(Index + 1);
    RtlPrefetchMemoryNonTemporal(From, sizeof(From)); /* changes nothing */
    RtlCopyMemoryNonTemporal(To, From, 97);
    FvCheck(RtlCompareMemory(To, From, 100) == 97 && To[97] == 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(11 + 4 + 5 + 3 + 1 + 3 + 6 + 1);
    CheckFormats();
    CheckCharacters();
    CheckNumbers();
    CheckJumps();
    CheckContext();
    CheckRaised();
    CheckTree();
    CheckMemory();
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* RtlQueryRegistryValues: each statement of its documentation. */
#include <ntifs.h>

#include <fltvm.h>

#define KEY  L"\\Registry\\Machine\\Software\\FltvmQuery"
#define LIST L"one\0two\0"

static ULONG Calls, Types[8], Lengths[8];
static WCHAR Seen[8][16];
static PVOID Contexts[2];
static NTSTATUS Answer;

static NTSTATUS NTAPI Remember(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context, PVOID EntryContext)
{
    if (Calls < 8) {
        Types[Calls] = Type;
        Lengths[Calls] = Length;
        RtlZeroMemory(Seen[Calls], sizeof(Seen[0]));
        RtlCopyMemory(Seen[Calls], Data != NULL ? Data : L"null", Data != NULL ? min(Length, 30u) : 8);
        Contexts[0] = Context;
        Contexts[1] = EntryContext;
    }
    if (Name == NULL && Data != NULL) {
        return STATUS_UNSUCCESSFUL;
    }
    Calls++;
    return Answer;
}

/* One entry of a table of its own. */
static NTSTATUS Query(PRTL_QUERY_REGISTRY_ROUTINE Routine, ULONG Flags, PCWSTR Name, PVOID Context, ULONG DefaultType,
                      PVOID Default, ULONG DefaultLength)
{
    RTL_QUERY_REGISTRY_TABLE Table[2];

    RtlZeroMemory(Table, sizeof(Table));
    Table[0].QueryRoutine = Routine;
    Table[0].Flags = Flags;
    Table[0].Name = (PWSTR)Name;
    Table[0].EntryContext = Context;
    Table[0].DefaultType = DefaultType;
    Table[0].DefaultData = Default;
    Table[0].DefaultLength = DefaultLength;
    Calls = 0;
    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, KEY, Table, &Calls, NULL);
}

static VOID CheckRoutines(VOID)
{
    FvCheck(NT_SUCCESS(Query(Remember, 0, L"number", &Answer, REG_NONE, NULL, 0))); /* letters' case does not matter */
    FvCheck(Calls == 1 && Types[0] == REG_DWORD && Lengths[0] == 4 && *(PULONG)Seen[0] == 258);
    FvCheck(Contexts[0] == &Calls && Contexts[1] == &Answer);
    FvCheck(NT_SUCCESS(Query(Remember, 0, L"List", NULL, REG_NONE, NULL, 0)));
    FvCheck(Calls == 2 && Types[0] == REG_SZ && Lengths[1] == 8 && wcscmp(Seen[0], L"one") == 0 &&
            wcscmp(Seen[1], L"two") == 0);
    FvCheck(NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_NOEXPAND, L"List", NULL, REG_NONE, NULL, 0)));
    FvCheck(Calls == 1 && Types[0] == REG_MULTI_SZ && Lengths[0] == sizeof(LIST));
    FvCheck(NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_NOEXPAND, L"Expand", NULL, REG_NONE, NULL, 0)));
    FvCheck(Calls == 1 && Types[0] == REG_EXPAND_SZ && wcscmp(Seen[0], L"%x%") == 0);
    /* No name: every value; and only a call. */
    FvCheck(NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_NOEXPAND, NULL, NULL, REG_NONE, NULL, 0)) && Calls == 5);
    FvCheck(NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_NOVALUE, NULL, NULL, REG_NONE, NULL, 0)));
    FvCheck(Calls == 1 && Types[0] == REG_NONE && Lengths[0] == 0 && wcscmp(Seen[0], L"null") == 0);
    /* What a routine returns ends it, but for one status. */
    Answer = STATUS_UNSUCCESSFUL;
    FvCheck(Query(Remember, 0, NULL, NULL, REG_NONE, NULL, 0) == STATUS_UNSUCCESSFUL && Calls == 1);
    Answer = STATUS_BUFFER_TOO_SMALL;
    FvCheck(NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_NOEXPAND, NULL, NULL, REG_NONE, NULL, 0)) && Calls == 5);
    Answer = STATUS_SUCCESS;
}

static VOID CheckMissing(VOID)
{
    ULONG Number = 7;

    FvCheck(NT_SUCCESS(Query(Remember, 0, L"Missing", NULL, REG_NONE, NULL, 0)) && Calls == 0);
    FvCheck(Query(Remember, RTL_QUERY_REGISTRY_REQUIRED, L"Missing", NULL, REG_NONE, NULL, 0) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(NT_SUCCESS(Query(Remember, 0, L"Missing", NULL, REG_DWORD, &Number, 4)) && Calls == 1 &&
            Types[0] == REG_DWORD && *(PULONG)Seen[0] == 7);
    FvCheck(NT_SUCCESS(Query(Remember, 0, L"Missing", NULL, REG_SZ, L"abc", 0)) && Lengths[0] == 8);
    FvCheck(NT_SUCCESS(Query(Remember, 0, L"Missing", NULL, REG_MULTI_SZ, LIST, 0)) && Calls == 2);
    FvCheck(NT_SUCCESS(Query(NULL, RTL_QUERY_REGISTRY_DIRECT, L"Missing", &Number, REG_DWORD, &Answer, 4)) &&
            Number == 0);
    FvCheck(Query(NULL, 0, L"Number", NULL, REG_NONE, NULL, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(Query(NULL, RTL_QUERY_REGISTRY_DIRECT, NULL, &Number, REG_NONE, NULL, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(Query(Remember, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Number, REG_NONE, NULL, 0) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(Query(Remember, RTL_QUERY_REGISTRY_SUBKEY, NULL, NULL, REG_NONE, NULL, 0) == STATUS_INVALID_PARAMETER);
}

static VOID CheckDirect(VOID)
{
    const ULONG Direct = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    WCHAR Buffer[8];
    UNICODE_STRING Text = {0};
    ULONG Number = 0, Large[8] = {0};

    FvCheck(NT_SUCCESS(Query(NULL, Direct, L"Number", &Number, REG_DWORD << 24, NULL, 0)) && Number == 258);
    FvCheck(Query(NULL, Direct, L"Number", &Text, (ULONG)REG_SZ << 24, NULL, 0) == STATUS_OBJECT_TYPE_MISMATCH &&
            Text.Buffer == NULL);
    FvCheck(NT_SUCCESS(Query(NULL, Direct, L"Expand", &Text, (ULONG)REG_EXPAND_SZ << 24, NULL, 0)));
    FvCheck(Text.Length == 6 && Text.MaximumLength == 8 && wcscmp(Text.Buffer, L"%x%") == 0);
    ExFreePool(Text.Buffer);
    RtlInitEmptyUnicodeString(&Text, Buffer, sizeof(Buffer));
    FvCheck(NT_SUCCESS(Query(NULL, Direct, L"Expand", &Text, (ULONG)REG_EXPAND_SZ << 24, NULL, 0)) &&
            Text.Buffer == Buffer && Text.Length == 6);
    Text.MaximumLength = 6;
    FvCheck(Query(NULL, Direct, L"Expand", &Text, (ULONG)REG_EXPAND_SZ << 24, NULL, 0) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(Query(NULL, Direct, L"List", &Text, (ULONG)REG_MULTI_SZ << 24, NULL, 0) == STATUS_INVALID_PARAMETER);
    RtlZeroMemory(&Text, sizeof(Text));
    FvCheck(NT_SUCCESS(Query(NULL, Direct | RTL_QUERY_REGISTRY_NOEXPAND, L"List", &Text, (ULONG)REG_MULTI_SZ << 24,
                             NULL, 0)) &&
            Text.Length == sizeof(LIST) - 2 && RtlEqualMemory(Text.Buffer, LIST, sizeof(LIST)));
    ExFreePool(Text.Buffer);
    /* More than a number: the buffer says its size. */
    *(PLONG)Large = -8;
    FvCheck(NT_SUCCESS(Query(NULL, Direct, L"Bytes", Large, (ULONG)REG_BINARY << 24, NULL, 0)) &&
            RtlEqualMemory(Large, "abcdefgh", 8));
    *(PLONG)Large = -7;
    FvCheck(Query(NULL, Direct, L"Bytes", Large, (ULONG)REG_BINARY << 24, NULL, 0) == STATUS_BUFFER_TOO_SMALL);
    Large[0] = 16;
    FvCheck(NT_SUCCESS(Query(NULL, Direct, L"Bytes", Large, (ULONG)REG_BINARY << 24, NULL, 0)) && Large[0] == 8 &&
            Large[1] == REG_BINARY && RtlEqualMemory(&Large[2], "abcdefgh", 8));
    Large[0] = 15;
    FvCheck(Query(NULL, Direct, L"Bytes", Large, (ULONG)REG_BINARY << 24, NULL, 0) == STATUS_BUFFER_TOO_SMALL);
}

static VOID CheckSubkeys(VOID)
{
    ULONG Below = 0, Top = 0, Nowhere = 5;
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Below", NULL, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Below, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Nowhere", NULL, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Nowhere, 0, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_DIRECT, L"Number", &Top, 0, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };

    FvCheck(NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, KEY, Table, NULL, NULL)) && Below == 9 &&
            Nowhere == 5 && Top == 258);
    Table[2].Flags |= RTL_QUERY_REGISTRY_REQUIRED;
    FvCheck(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, KEY, Table, NULL, NULL) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, KEY L"\\Nowhere", Table, NULL, NULL) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    Table[2].Flags = RTL_QUERY_REGISTRY_SUBKEY;
    FvCheck(NT_SUCCESS(
        RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE | RTL_REGISTRY_OPTIONAL, KEY L"\\Nowhere", Table, NULL, NULL)));
}

static VOID CheckDelete(VOID)
{
    ULONG Number = 0;

    FvCheck(NT_SUCCESS(
                Query(NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_DELETE, L"Number", &Number, 0, NULL, 0)) &&
            Number == 258);
    FvCheck(Query(Remember, RTL_QUERY_REGISTRY_REQUIRED, L"Number", NULL, 0, NULL, 0) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(
        NT_SUCCESS(Query(Remember, RTL_QUERY_REGISTRY_DELETE | RTL_QUERY_REGISTRY_NOEXPAND, NULL, NULL, 0, NULL, 0)) &&
        Calls == 4);
    FvCheck(Query(Remember, RTL_QUERY_REGISTRY_REQUIRED, NULL, NULL, 0, NULL, 0) == STATUS_OBJECT_NAME_NOT_FOUND);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Number = 258, Below = 9;
    HANDLE Key;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(KEY);
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{Remember, 0, L"Number", NULL, 0, NULL, 0}, {0}};

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(46);
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Number", REG_DWORD, &Number, 4);
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"List", REG_MULTI_SZ, LIST, sizeof(LIST));
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Expand", REG_EXPAND_SZ, L"%x%", sizeof(L"%x%"));
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Bytes", REG_BINARY, "abcdefgh", 8);
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Empty", REG_SZ, L"", 2);
    RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY L"\\Below", L"Number", REG_DWORD, &Below, 4);
    CheckRoutines();
    CheckMissing();
    CheckDirect();
    CheckSubkeys();
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)));
    Calls = 0;
    FvCheck(NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, Key, Table, NULL, NULL)) && Calls == 1);
    ZwClose(Key); /* which is still open */
    CheckDelete();
    return STATUS_SUCCESS;
}

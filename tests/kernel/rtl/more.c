// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What little else the run-time library gives: splay links, UTF-8, code pages, strings within strings, formats, the registry by
 * path, the debugger's routines.
 */
#include <ntifs.h>

#include <fltvm.h>

#include <stdarg.h>
#include <stdio.h>

#define KEY L"\\Registry\\Machine\\Software\\FltvmRtl"

NTSYSAPI PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links);
NTSYSAPI PWCHAR NTAPI RtlFindUnicodeSubstring(PCUNICODE_STRING Full, PCUNICODE_STRING Search, BOOLEAN CaseInsensitive);
NTSYSAPI NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR To, ULONG Size, PULONG Done, PCCH From, ULONG Length);
NTSYSAPI NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR To, ULONG Size, PULONG Done, PCWCH From, ULONG Length);
NTSYSAPI ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING String);
NTSYSAPI ULONG NTAPI RtlxOemStringToUnicodeSize(PCOEM_STRING String);
NTSYSAPI ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING String);
NTSYSAPI ULONG NTAPI RtlxUnicodeStringToOemSize(PCUNICODE_STRING String);
NTSYSAPI BOOLEAN NTAPI RtlIsValidOemCharacter(PWCHAR Char);
NTSYSAPI ULONG NTAPI RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target);
#undef RtlUshortByteSwap
#undef RtlUlongByteSwap
#undef RtlUlonglongByteSwap
NTSYSAPI USHORT FASTCALL RtlUshortByteSwap(USHORT Value);
NTSYSAPI ULONG FASTCALL RtlUlongByteSwap(ULONG Value);
NTSYSAPI ULONGLONG FASTCALL RtlUlonglongByteSwap(ULONGLONG Value);
NTSYSAPI ULONG NTAPI vDbgPrintEx(ULONG Component, ULONG Level, PCCH Format, va_list List);
NTSYSAPI NTSTATUS NTAPI ZwOpenKeyEx(PHANDLE Key, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, ULONG Options);
NTSYSAPI PVOID NTAPI RtlLookupFunctionEntry(ULONG64 Pc, PULONG64 Base, PVOID Table);
NTSYSAPI PVOID NTAPI RtlVirtualUnwind(ULONG Type, ULONG64 Base, ULONG64 Pc, PVOID Function, PCONTEXT Context,
                                      PVOID *Data, PULONG64 Frame, PVOID Pointers);
extern __declspec(dllimport) ULONG NtBuildNumber;

typedef struct _NODE {
    RTL_SPLAY_LINKS Links;
    ULONG Key;
} NODE;

static ULONG KeyOf(PRTL_SPLAY_LINKS Links)
{
    return Links == NULL ? 0 : CONTAINING_RECORD(Links, NODE, Links)->Key;
}

/* Nodes of keys 1 to 7 by the obvious insertion, at the root the one that was put in last. */
static PRTL_SPLAY_LINKS BuildTree(NODE *Nodes)
{
    static const UCHAR Order[] = {4, 2, 6, 1, 3, 5, 7};
    PRTL_SPLAY_LINKS Root = NULL;

    for (ULONG I = 0; I < RTL_NUMBER_OF(Order); I++) {
        NODE *New = &Nodes[Order[I]];
        PRTL_SPLAY_LINKS At = Root;

        RtlInitializeSplayLinks(&New->Links);
        New->Key = Order[I];
        while (At != NULL) {
            PRTL_SPLAY_LINKS Next = New->Key < KeyOf(At) ? RtlLeftChild(At) : RtlRightChild(At);

            if (Next == NULL) {
                if (New->Key < KeyOf(At)) {
                    RtlInsertAsLeftChild(At, &New->Links);
                } else {
                    RtlInsertAsRightChild(At, &New->Links);
                }
            }
            At = Next;
        }
        Root = RtlSplay(&New->Links);
        if (Root != &New->Links || !RtlIsRoot(Root))
            return NULL;
    }
    return Root;
}

/* The keys in order as the digits of a number, forwards; 0 when backwards says something else. */
static ULONG Keys(PRTL_SPLAY_LINKS Root)
{
    ULONG Forwards = 0, Backwards = 0, Scale = 1;
    PRTL_SPLAY_LINKS At = Root, Last = NULL;

    while (RtlLeftChild(At) != NULL)
        At = RtlLeftChild(At);
    for (; At != NULL; Last = At, At = RtlRealSuccessor(At))
        Forwards = Forwards * 10 + KeyOf(At);
    for (At = Last; At != NULL; At = RtlRealPredecessor(At), Scale *= 10)
        Backwards += KeyOf(At) * Scale;
    return Forwards == Backwards ? Forwards : 0;
}

static VOID CheckSplay(VOID)
{
    static NODE Nodes[8];
    PRTL_SPLAY_LINKS Root = BuildTree(Nodes);

    FvCheck(KeyOf(Root) == 7);
    FvCheck(Keys(Root) == 1234567);
    FvCheck(RtlSubtreeSuccessor(Root) == NULL);
    FvCheck(KeyOf(RtlSubtreePredecessor(Root)) == 6);
    Root = RtlSplay(&Nodes[4].Links);
    FvCheck(KeyOf(Root) == 4 && RtlIsRoot(Root) && Keys(Root) == 1234567);
    FvCheck(KeyOf(RtlSubtreeSuccessor(Root)) == 5 && KeyOf(RtlSubtreePredecessor(Root)) == 3);
    Root = RtlDelete(&Nodes[4].Links); /* with two children */
    FvCheck(RtlIsRoot(Root) && Keys(Root) == 123567);
    RtlDeleteNoSplay(&Nodes[1].Links, &Root);
    FvCheck(RtlIsRoot(Root) && Keys(Root) == 23567);
    RtlDeleteNoSplay(Root, &Root); /* the root itself */
    FvCheck(RtlIsRoot(Root));
    while (RtlLeftChild(Root) != NULL || RtlRightChild(Root) != NULL)
        Root = RtlDelete(Root);
    FvCheck(RtlDelete(Root) == NULL);
}

static VOID CheckUtf8(VOID)
{
    static const struct {
        PCSTR Utf8;
        PCWSTR Unicode;
        NTSTATUS Status;
    } Cases[] = {
        {"abc", L"abc", STATUS_SUCCESS},
        {"\xC3\xA4\xE2\x82\xAC", L"\xE4\x20AC", STATUS_SUCCESS},
        {"\xF0\x9F\x98\x80", L"\xD83D\xDE00", STATUS_SUCCESS},
        {"a\xFFz", L"a\xFFFDz", STATUS_SOME_NOT_MAPPED},
        {"\xC3z", L"\xFFFDz", STATUS_SOME_NOT_MAPPED},
    };
    WCHAR Wide[16];
    CHAR Narrow[32];
    ULONG Done;

    for (ULONG I = 0; I < RTL_NUMBER_OF(Cases); I++) {
        ULONG Length = (ULONG)strlen(Cases[I].Utf8), Size = (ULONG)(wcslen(Cases[I].Unicode) * sizeof(WCHAR));

        FvCheck(RtlUTF8ToUnicodeN(Wide, sizeof(Wide), &Done, Cases[I].Utf8, Length) == Cases[I].Status);
        FvCheck(Done == Size && RtlCompareMemory(Wide, Cases[I].Unicode, Size) == Size);
        if (Cases[I].Status != STATUS_SUCCESS)
            continue;
        FvCheck(RtlUnicodeToUTF8N(Narrow, sizeof(Narrow), &Done, Cases[I].Unicode, Size) == STATUS_SUCCESS);
        FvCheck(Done == Length && RtlCompareMemory(Narrow, Cases[I].Utf8, Length) == Length);
        FvCheck(RtlUnicodeToUTF8N(NULL, 0, &Done, Cases[I].Unicode, Size) == STATUS_SUCCESS && Done == Length);
    }
    FvCheck(RtlUTF8ToUnicodeN(NULL, 0, &Done, "abc", 3) == STATUS_SUCCESS && Done == 6);
    FvCheck(RtlUTF8ToUnicodeN(Wide, 4, &Done, "abc", 3) == STATUS_BUFFER_TOO_SMALL && Done == 4);
    FvCheck(RtlUnicodeToUTF8N(Narrow, 2, &Done, L"abc", 6) == STATUS_BUFFER_TOO_SMALL && Done == 2);
    FvCheck(RtlUnicodeToUTF8N(Narrow, 32, &Done, L"\xD83D", 2) == STATUS_SOME_NOT_MAPPED && Done == 3); /* U+FFFD */
}

static VOID CheckSizes(VOID)
{
    ANSI_STRING Ansi = RTL_CONSTANT_STRING("abcd");
    UNICODE_STRING Unicode = RTL_CONSTANT_STRING(L"abcd");
    WCHAR Letter = L'a', Chinese = 0x4E2D;

    FvCheck(RtlxAnsiStringToUnicodeSize(&Ansi) == 10); /* with the terminator */
    FvCheck(RtlxOemStringToUnicodeSize(&Ansi) == 10);
    FvCheck(RtlxUnicodeStringToAnsiSize(&Unicode) == 5);
    FvCheck(RtlxUnicodeStringToOemSize(&Unicode) == 5);
    FvCheck(RtlIsValidOemCharacter(&Letter));
    FvCheck(!RtlIsValidOemCharacter(&Chinese));
    FvCheck(!NlsMbCodePageTag && !NlsMbOemCodePageTag); /* one byte a character */
    FvCheck(RtlUshortByteSwap(0x1234) == 0x3412);
    FvCheck(RtlUlongByteSwap(0x12345678) == 0x78563412);
    FvCheck(RtlUlonglongByteSwap(0x123456789ABCDEF0) == 0xF0DEBC9A78563412);
    FvCheck(RtlNumberOfSetBitsUlongPtr(0) == 0 && RtlNumberOfSetBitsUlongPtr(MAXULONG_PTR) == 64);
    FvCheck(RtlNumberOfSetBitsUlongPtr(0x8000000000000001) == 2);
    FvCheck(iswctype(L'7', _DIGIT) && !iswctype(L'x', _DIGIT) && iswctype(L'x', _LOWER));
}

static VOID CheckParts(VOID)
{
    UNICODE_STRING Full = RTL_CONSTANT_STRING(L"\\Device\\file.TXT"), Suffix = RTL_CONSTANT_STRING(L".txt"),
                   Part = RTL_CONSTANT_STRING(L"DEVICE"), Empty = {0, 0, NULL}, None = RTL_CONSTANT_STRING(L"devicf");

    FvCheck(RtlSuffixUnicodeString(&Suffix, &Full, TRUE));
    FvCheck(!RtlSuffixUnicodeString(&Suffix, &Full, FALSE));
    FvCheck(!RtlSuffixUnicodeString(&Full, &Suffix, TRUE));
    FvCheck(RtlSuffixUnicodeString(&Empty, &Full, FALSE));
    FvCheck(RtlSuffixUnicodeString(&Full, &Full, FALSE));
    FvCheck(RtlFindUnicodeSubstring(&Full, &Part, TRUE) == Full.Buffer + 1);
    FvCheck(RtlFindUnicodeSubstring(&Full, &Part, FALSE) == NULL);
    FvCheck(RtlFindUnicodeSubstring(&Full, &None, TRUE) == NULL);
    FvCheck(RtlFindUnicodeSubstring(&Part, &Full, TRUE) == NULL);
}

static int Format(PSTR Buffer, size_t Size, PCSTR Text, ...)
{
    va_list List;
    int Result;

    va_start(List, Text);
    Result = _vsnprintf(Buffer, Size, Text, List);
    va_end(List);
    return Result;
}

static ULONG Print(PCSTR Text, ...)
{
    va_list List;
    ULONG Result;

    va_start(List, Text);
    Result = vDbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, Text, List);
    va_end(List);
    return Result;
}

static VOID CheckPrints(VOID)
{
    CHAR Text[8];

    FvCheck(Format(Text, sizeof(Text), "%d-%s", 12, "abc") == 6 && strcmp(Text, "12-abc") == 0);
    FvCheck(Format(Text, sizeof(Text), "12345678") == 8);   /* all of it, without a terminator */
    FvCheck(Format(Text, sizeof(Text), "123456789") == -1); /* cut */
    FvCheck(Text[7] == '8');
    FvCheck(Print("more: %d\n", 5) == STATUS_SUCCESS);
    FvCheck(DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "more: %ws\n", L"wide") == STATUS_SUCCESS);
    FvCheck(DbgSetDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, TRUE) == STATUS_SUCCESS);
    FvCheck(DbgQueryDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL) == TRUE);
    FvCheck(DbgSetDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, FALSE) == STATUS_SUCCESS);
    FvCheck(DbgQueryDebugFilterState(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL) == FALSE);
}

static VOID CheckRegistry(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(KEY);
    OBJECT_ATTRIBUTES Attributes;
    ULONG Value = 7;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE, KEY) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(ZwOpenKeyEx(&Key, KEY_READ, &Attributes, 0) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(RtlCreateRegistryKey(RTL_REGISTRY_ABSOLUTE, KEY) == STATUS_SUCCESS);
    FvCheck(RtlCreateRegistryKey(RTL_REGISTRY_ABSOLUTE, KEY) == STATUS_SUCCESS); /* it may be there */
    FvCheck(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE, KEY) == STATUS_SUCCESS);
    FvCheck(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Value", REG_DWORD, &Value, sizeof(Value)) ==
            STATUS_SUCCESS);
    FvCheck(ZwOpenKeyEx(&Key, KEY_ALL_ACCESS, &Attributes, 0) == STATUS_SUCCESS);
    Value = 8;
    FvCheck(RtlWriteRegistryValue(RTL_REGISTRY_HANDLE, Key, L"Other", REG_DWORD, &Value, sizeof(Value)) ==
            STATUS_SUCCESS);
    FvCheck(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Value") == STATUS_SUCCESS);
    FvCheck(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Value") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(RtlDeleteRegistryValue(RTL_REGISTRY_HANDLE, Key, L"Other") == STATUS_SUCCESS);
    FvCheck(RtlCheckRegistryKey(RTL_REGISTRY_HANDLE, Key) == STATUS_SUCCESS); /* and the handle stays open */
    FvCheck(ZwDeleteKey(Key) == STATUS_SUCCESS);
    ZwClose(Key);
    FvCheck(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, KEY, L"Value") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"more") == STATUS_SUCCESS);
}

static VOID CheckContexts(VOID)
{
    static CONTEXT Context;
    ULONG64 Base = 0, Frame, Before;
    PVOID Handler;

    RtlCaptureContext(&Context);
    FvCheck(Context.Rip != 0 && IoWithinStackLimits(Context.Rsp, 8));
    Before = Context.Rsp;
    FvCheck(RtlLookupFunctionEntry(Context.Rip, &Base, NULL) != NULL);
    FvCheck(Base != 0 && Context.Rip - Base < 0x100000);
    RtlVirtualUnwind(0 /* UNW_FLAG_NHANDLER */, Base, Context.Rip, RtlLookupFunctionEntry(Context.Rip, &Base, NULL),
                     &Context, &Handler, &Frame, NULL);
    FvCheck(Context.Rsp > Before && Context.Rip != 0); /* in the caller */
    FvCheck(RtlLookupFunctionEntry(0x1000, &Base, NULL) == NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(86);
    CheckSplay();
    CheckUtf8();
    CheckSizes();
    CheckParts();
    CheckPrints();
    CheckRegistry();
    CheckContexts();
    FvCheck((NtBuildNumber & 0xFFFF) >= 7600);
    return STATUS_SUCCESS;
}

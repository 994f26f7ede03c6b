// SPDX-License-Identifier: GPL-2.0-or-later
/* The registry: keys, values, enumeration, short buffers, deletion. */
#include <ntifs.h>

#include <fltvm.h>

#define KEY L"\\Registry\\Machine\\Software\\FltvmTest"

static NTSTATUS Open(PCWSTR Path, BOOLEAN Create, PHANDLE Key, PULONG Disposition)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return Create ? ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_NON_VOLATILE, Disposition)
                  : ZwOpenKey(Key, KEY_ALL_ACCESS, &Attributes);
}

static NTSTATUS OpenRelative(HANDLE Parent, PCWSTR Path, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Parent, NULL);
    return ZwOpenKey(Key, KEY_ALL_ACCESS, &Attributes);
}

static VOID CheckKeys(HANDLE Key)
{
    HANDLE Again = NULL, Child = NULL, Relative = NULL, None;
    ULONG Disposition = 0;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(KEY L"\\Child");

    FvCheck(NT_SUCCESS(Open(L"\\registry\\MACHINE\\software\\fltvmtest", FALSE, &Again, NULL)));
    FvCheck(Open(KEY L"\\Missing", FALSE, &None, NULL) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Open(KEY L"\\Missing\\Deeper", TRUE, &None, &Disposition) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(NT_SUCCESS(Open(KEY L"\\Child", TRUE, &Child, &Disposition)) && Disposition == REG_CREATED_NEW_KEY);
    ZwClose(Child);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwCreateKey(&Child, KEY_ALL_ACCESS, &Attributes, 0, NULL, 0, &Disposition)) &&
            Disposition == REG_OPENED_EXISTING_KEY);
    FvCheck(NT_SUCCESS(OpenRelative(Key, L"Child", &Relative)));
    FvCheck(ZwDeleteKey(Key) == STATUS_CANNOT_DELETE); /* it has a child */
    FvCheck(NT_SUCCESS(ZwDeleteKey(Child)));
    FvCheck(ZwFlushKey(Relative) == STATUS_KEY_DELETED);
    FvCheck(Open(KEY L"\\Child", FALSE, &None, NULL) == STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(Relative);
    ZwClose(Child);
    ZwClose(Again);
}

static NTSTATUS CreateWith(PCWSTR Path, ULONG Options, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, Options, NULL);
}

/* A volatile key has volatile keys below it, and no others. */
static VOID CheckVolatile(VOID)
{
    HANDLE Parent, Child, None;

    FvCheck(NT_SUCCESS(CreateWith(KEY L"\\Volatile", REG_OPTION_VOLATILE, &Parent)));
    FvCheck(CreateWith(KEY L"\\Volatile\\Lasting", REG_OPTION_NON_VOLATILE, &None) == STATUS_CHILD_MUST_BE_VOLATILE);
    FvCheck(NT_SUCCESS(CreateWith(KEY L"\\Volatile\\Passing", REG_OPTION_VOLATILE, &Child)));
    FvCheck(NT_SUCCESS(CreateWith(KEY L"\\Volatile\\Passing", REG_OPTION_NON_VOLATILE, &None))); /* it is there */
    ZwClose(None);
    FvCheck(CreateWith(KEY L"\\Link", REG_OPTION_CREATE_LINK, &None) == STATUS_NOT_IMPLEMENTED);
    FvCheck(CreateWith(KEY L"\\Wrong", 0x80000000, &None) == STATUS_INVALID_PARAMETER);
    FvCheck(NT_SUCCESS(ZwDeleteKey(Child)) && NT_SUCCESS(ZwDeleteKey(Parent)));
    ZwClose(Child);
    ZwClose(Parent);
}

static VOID CheckValues(HANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Number"), Lower = RTL_CONSTANT_STRING(L"number");
    UNICODE_STRING Text = RTL_CONSTANT_STRING(L"Text"), Missing = RTL_CONSTANT_STRING(L"Missing");
    UCHAR Buffer[128];
    PKEY_VALUE_PARTIAL_INFORMATION Partial = (PVOID)Buffer;
    PKEY_VALUE_FULL_INFORMATION Full = (PVOID)Buffer;
    ULONG Number = 42, Length = 0;

    FvCheck(NT_SUCCESS(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Number, sizeof(Number))));
    FvCheck(NT_SUCCESS(ZwQueryValueKey(Key, &Lower, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)));
    FvCheck(Partial->Type == REG_DWORD && Partial->DataLength == 4 && *(PULONG)Partial->Data == 42);
    FvCheck(Length == FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + 4);
    FvCheck(NT_SUCCESS(ZwSetValueKey(Key, &Text, 0, REG_SZ, L"abcdefgh", sizeof(L"abcdefgh"))));
    FvCheck(ZwQueryValueKey(Key, &Text, KeyValuePartialInformation, Buffer, 4, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length == FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(L"abcdefgh"));
    FvCheck(ZwQueryValueKey(Key, &Text, KeyValuePartialInformation, Buffer, 16, &Length) == STATUS_BUFFER_OVERFLOW &&
            Partial->DataLength == sizeof(L"abcdefgh") && *(PWCHAR)Partial->Data == L'a');
    FvCheck(ZwQueryValueKey(Key, &Missing, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(NT_SUCCESS(ZwEnumerateValueKey(Key, 1, KeyValueFullInformation, Buffer, sizeof(Buffer), &Length)) &&
            Full->NameLength == Text.Length && RtlEqualMemory(Full->Name, Text.Buffer, Text.Length) &&
            RtlEqualMemory(Buffer + Full->DataOffset, L"abcdefgh", Full->DataLength));
    FvCheck(ZwEnumerateValueKey(Key, 2, KeyValueBasicInformation, Buffer, sizeof(Buffer), &Length) ==
            STATUS_NO_MORE_ENTRIES);
    FvCheck(NT_SUCCESS(ZwDeleteValueKey(Key, &Lower)));
    FvCheck(ZwDeleteValueKey(Key, &Name) == STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID CheckEnumeration(HANDLE Key)
{
    HANDLE First = NULL, Second = NULL;
    UCHAR Buffer[128];
    PKEY_BASIC_INFORMATION Basic = (PVOID)Buffer;
    PKEY_FULL_INFORMATION Full = (PVOID)Buffer;
    ULONG Length;

    FvCheck(NT_SUCCESS(Open(KEY L"\\One", TRUE, &First, NULL)));
    FvCheck(NT_SUCCESS(Open(KEY L"\\Second", TRUE, &Second, NULL)));
    FvCheck(NT_SUCCESS(ZwEnumerateKey(Key, 0, KeyBasicInformation, Buffer, sizeof(Buffer), &Length)) &&
            Basic->NameLength == 6 && RtlEqualMemory(Basic->Name, L"One", 6));
    FvCheck(ZwEnumerateKey(Key, 2, KeyBasicInformation, Buffer, sizeof(Buffer), &Length) == STATUS_NO_MORE_ENTRIES);
    FvCheck(NT_SUCCESS(ZwQueryKey(Key, KeyFullInformation, Buffer, sizeof(Buffer), &Length)) && Full->SubKeys == 2 &&
            Full->Values == 1 && Full->MaxNameLen == 12);
    FvCheck(NT_SUCCESS(ZwDeleteKey(First)) && NT_SUCCESS(ZwDeleteKey(Second)));
    ZwClose(First);
    ZwClose(Second);
}

#define MANY 300

static VOID NumberedName(PUNICODE_STRING Name, PWSTR Buffer, PCWSTR Text, ULONG Number)
{
    SIZE_T Length = wcslen(Text);

    RtlCopyMemory(Buffer, Text, Length * sizeof(WCHAR));
    for (ULONG Digit = 0; Digit < 3; Digit++, Number /= 10)
        Buffer[Length + 2 - Digit] = (WCHAR)(L'0' + Number % 10);
    Buffer[Length + 3] = 0;
    RtlInitUnicodeString(Name, Buffer);
}

static BOOLEAN HasNumber(HANDLE Key, ULONG Index, ULONG Number)
{
    UCHAR Buffer[128];
    PKEY_VALUE_FULL_INFORMATION Full = (PVOID)Buffer;
    ULONG Length;

    return NT_SUCCESS(ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, Full, sizeof(Buffer), &Length)) &&
           Full->DataLength == sizeof(ULONG) && *(PULONG)(Buffer + Full->DataOffset) == Number;
}

/* Hundreds of values: each is found, in any case; they are enumerated in one order, forwards, backwards and after others go. */
static VOID CheckMany(HANDLE Key)
{
    UCHAR Buffer[128];
    PKEY_VALUE_PARTIAL_INFORMATION Partial = (PVOID)Buffer;
    PKEY_FULL_INFORMATION About = (PVOID)Buffer;
    UNICODE_STRING Name;
    WCHAR Text[32];
    ULONG Length, Wrong = 0, Base;

    ZwQueryKey(Key, KeyFullInformation, About, sizeof(Buffer), &Length);
    Base = About->Values;
    for (ULONG i = 0; i < MANY; i++) {
        NumberedName(&Name, Text, L"Many", i);
        Wrong += !NT_SUCCESS(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &i, sizeof(i)));
    }
    FvCheck(Wrong == 0);
    for (ULONG i = 0; i < MANY; i++) {
        NumberedName(&Name, Text, L"mANY", MANY - 1 - i);
        Wrong +=
            !NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Partial, sizeof(Buffer), &Length)) ||
            *(PULONG)Partial->Data != MANY - 1 - i;
    }
    FvCheck(Wrong == 0);
    for (ULONG i = 0; i < MANY; i++)
        Wrong += !HasNumber(Key, Base + i, i);
    for (ULONG i = MANY; i-- > 0;)
        Wrong += !HasNumber(Key, Base + i, i);
    for (ULONG i = 0; i < MANY; i++)
        Wrong += !HasNumber(Key, Base + i * 7 % MANY, i * 7 % MANY);
    FvCheck(Wrong == 0);
    for (ULONG i = 0; i < MANY; i += 2) { /* the even ones go; what is left moves up */
        NumberedName(&Name, Text, L"Many", i);
        Wrong += !HasNumber(Key, Base + i / 2, i) || !NT_SUCCESS(ZwDeleteValueKey(Key, &Name)) ||
                 ZwDeleteValueKey(Key, &Name) != STATUS_OBJECT_NAME_NOT_FOUND;
    }
    FvCheck(Wrong == 0);
    for (ULONG i = MANY / 2; i-- > 0;) {
        Wrong += !HasNumber(Key, Base + i, 2 * i + 1);
        NumberedName(&Name, Text, L"Many", 2 * i + 1);
        Wrong += !NT_SUCCESS(ZwDeleteValueKey(Key, &Name));
    }
    ZwQueryKey(Key, KeyFullInformation, About, sizeof(Buffer), &Length);
    FvCheck(Wrong == 0 && About->Values == Base &&
            ZwEnumerateValueKey(Key, Base, KeyValuePartialInformation, Partial, sizeof(Buffer), &Length) ==
                STATUS_NO_MORE_ENTRIES);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Key = NULL;
    ULONG Disposition = 0;

    OBJECT_ATTRIBUTES Attributes;

    UNREFERENCED_PARAMETER(DriverObject);
    FvTestPlan(43);
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))); /* a service's own key */
    ZwClose(Key);
    FvCheck(NT_SUCCESS(Open(KEY, TRUE, &Key, &Disposition)) && Disposition == REG_CREATED_NEW_KEY);
    CheckKeys(Key);
    CheckVolatile();
    CheckValues(Key);
    CheckEnumeration(Key);
    CheckMany(Key);
    FvCheck(NT_SUCCESS(ZwDeleteKey(Key)));
    ZwClose(Key);
    return STATUS_SUCCESS;
}

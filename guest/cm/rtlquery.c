// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RtlQueryRegistryValues: a table of values, each handed to a routine or stored where its entry says.
 *
 * The rules are the documentation's ("RtlQueryRegistryValues function").  A key that is optional and not there has no
 * values.  There is no environment: %NAME% in a REG_EXPAND_SZ stays as it is, as that of a variable that is not set.
 */
#include "cmp.h"

#include <fltvm.h>

#define CMP_TAG_QUERY 'qRmC'

typedef struct _CMP_QUERY {
    HANDLE Top;     /* what RelativeTo and Path name; NULL: it is not there */
    HANDLE Current; /* Top, or a subkey of it; NULL */
    PVOID Context;
    PKEY_VALUE_FULL_INFORMATION Value; /* the buffer, with two terminators of room behind Size */
    ULONG Size;
    PWSTR Name; /* of the value that is reported, with a terminator */
} CMP_QUERY, *PCMP_QUERY;

static BOOLEAN CmpIsText(ULONG Type)
{
    return Type == REG_SZ || Type == REG_EXPAND_SZ || Type == REG_MULTI_SZ;
}

static NTSTATUS CmpStoreText(PUNICODE_STRING String, PVOID Data, ULONG Length)
{
    BOOLEAN Ended = Length >= sizeof(WCHAR) && *(WCHAR UNALIGNED *)((PUCHAR)Data + Length - sizeof(WCHAR)) == 0;
    ULONG Needed = (Length & ~1u) + (Ended ? 0 : sizeof(WCHAR));

    if (Needed > MAXUSHORT - 1) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (String->Buffer == NULL) {
        String->Buffer = ExAllocatePoolWithTag(PagedPool, Needed, CMP_TAG_QUERY);
        if (String->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
        String->MaximumLength = (USHORT)Needed;
    } else if (String->MaximumLength < Needed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    String->Length = (USHORT)(Needed - sizeof(WCHAR));
    RtlCopyMemory(String->Buffer, Data, String->Length);
    String->Buffer[String->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

/* RTL_QUERY_REGISTRY_DIRECT, by the table of its documentation. */
static NTSTATUS CmpStore(PRTL_QUERY_REGISTRY_TABLE Entry, ULONG Type, PVOID Data, ULONG Length)
{
    PULONG Numbers = Entry->EntryContext;
    LONG Room;

    if (Type == REG_MULTI_SZ && !FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_NOEXPAND)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (CmpIsText(Type)) {
        return CmpStoreText(Entry->EntryContext, Data, Length);
    }
    if (Length <= sizeof(ULONG)) {
        RtlCopyMemory(Numbers, Data, Length);
        return STATUS_SUCCESS;
    }
    Room = (LONG)*Numbers;
    if (Room < 0) {
        if ((ULONG) - (LONG64)Room < Length) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlCopyMemory(Numbers, Data, Length);
        return STATUS_SUCCESS;
    }
    if ((ULONG64)(ULONG)Room < (ULONG64)Length + 2 * sizeof(ULONG)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    Numbers[0] = Length;
    Numbers[1] = Type;
    RtlCopyMemory(Numbers + 2, Data, Length);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpCallQuery(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name, ULONG Type, PVOID Data,
                             ULONG Length)
{
    NTSTATUS Status;
    FV_CALL Call;

    FvBeginCall(&Call);
    Status = Entry->QueryRoutine(Name, Type, Data, Length, Query->Context, Entry->EntryContext);
    FvEndCall(&Call, (PVOID)Entry->QueryRoutine, "registry query routine", (ULONG_PTR)Entry->EntryContext);
    return Status == STATUS_BUFFER_TOO_SMALL ? STATUS_SUCCESS : Status; /* documented to be ignored */
}

/* A value on its way to the caller.  Data have a terminator behind them. */
static NTSTATUS CmpReportValue(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry, PWSTR Name, ULONG Type, PVOID Data,
                               ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PWCHAR Text = Data;
    ULONG Units = Length / sizeof(WCHAR), Begin = 0;

    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_DIRECT)) {
        return CmpStore(Entry, Type, Data, Length);
    }
    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_NOEXPAND) || (Type != REG_MULTI_SZ && Type != REG_EXPAND_SZ)) {
        return CmpCallQuery(Query, Entry, Name, Type, Data, Length);
    }
    if (Type == REG_EXPAND_SZ) {
        return CmpCallQuery(Query, Entry, Name, REG_SZ, Data, Length);
    }
    while (NT_SUCCESS(Status) && Begin < Units && Text[Begin] != 0) {
        ULONG End = Begin;

        while (End < Units && Text[End] != 0) {
            End++;
        }
        Status = CmpCallQuery(Query, Entry, Name, REG_SZ, &Text[Begin], (End + 1 - Begin) * sizeof(WCHAR));
        Begin = End + 1;
    }
    return Status;
}

/* The named value, or the Index-th, into the query's buffer, which grows. */
static NTSTATUS CmpFetchValue(PCMP_QUERY Query, PUNICODE_STRING Name, ULONG Index)
{
    ULONG Needed = 0;
    NTSTATUS Status;

    if (Query->Current == NULL) {
        return Name != NULL ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_NO_MORE_ENTRIES;
    }
    for (;;) {
        Status = Name != NULL ? ZwQueryValueKey(Query->Current, Name, KeyValueFullInformation, Query->Value,
                                                Query->Size, &Needed)
                              : ZwEnumerateValueKey(Query->Current, Index, KeyValueFullInformation, Query->Value,
                                                    Query->Size, &Needed);
        if (Status != STATUS_BUFFER_OVERFLOW && Status != STATUS_BUFFER_TOO_SMALL) {
            break;
        }
        if (Query->Value != NULL) {
            ExFreePoolWithTag(Query->Value, CMP_TAG_QUERY);
        }
        Query->Size = 0;
        Query->Value = ExAllocatePoolWithTag(PagedPool, Needed + 2 * sizeof(WCHAR), CMP_TAG_QUERY);
        if (Query->Value == NULL) {
            return STATUS_NO_MEMORY;
        }
        Query->Size = Needed;
    }
    if (NT_SUCCESS(Status)) {
        RtlZeroMemory((PUCHAR)Query->Value + Query->Value->DataOffset + Query->Value->DataLength, 2 * sizeof(WCHAR));
        RtlCopyMemory(Query->Name, Query->Value->Name, Query->Value->NameLength);
        Query->Name[Query->Value->NameLength / sizeof(WCHAR)] = 0;
    }
    return Status;
}

static NTSTATUS CmpReportFetched(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    PKEY_VALUE_FULL_INFORMATION Value = Query->Value;

    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_DIRECT) && FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_TYPECHECK) &&
        Entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT != Value->Type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    return CmpReportValue(Query, Entry, Query->Name, Value->Type, (PUCHAR)Value + Value->DataOffset, Value->DataLength);
}

static VOID CmpDeleteQueried(PCMP_QUERY Query)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Query->Name);
    ZwDeleteValueKey(Query->Current, &Name);
}

/* Every value of the current key. */
static NTSTATUS CmpReportAll(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    BOOLEAN Any = FALSE;
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG Index = 0; NT_SUCCESS(Status);) {
        Status = CmpFetchValue(Query, NULL, Index);
        if (Status == STATUS_NO_MORE_ENTRIES) {
            return !Any && FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_REQUIRED) ? STATUS_OBJECT_NAME_NOT_FOUND
                                                                             : STATUS_SUCCESS;
        }
        if (NT_SUCCESS(Status)) {
            Any = TRUE;
            Status = CmpReportFetched(Query, Entry);
            if (NT_SUCCESS(Status) && FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_DELETE)) {
                CmpDeleteQueried(Query);
            } else {
                Index++;
            }
        }
    }
    return Status;
}

/* DefaultLength, or what the text has by its terminator. */
static ULONG CmpDefaultLength(PRTL_QUERY_REGISTRY_TABLE Entry, ULONG Type)
{
    PCWSTR Text = Entry->DefaultData;
    ULONG Units = 0;

    if (Entry->DefaultLength != 0 || !CmpIsText(Type) || Text == NULL) {
        return Entry->DefaultLength;
    }
    while (Text[Units] != 0 || (Type == REG_MULTI_SZ && Text[Units + 1] != 0)) {
        Units++;
    }
    return (Units + (Type == REG_MULTI_SZ ? 2 : 1)) * sizeof(WCHAR);
}

static NTSTATUS CmpReportNamed(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    ULONG DefaultType = Entry->DefaultType & 0xFF;
    UNICODE_STRING Name;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Entry->Name);
    Status = CmpFetchValue(Query, &Name, 0);
    if (NT_SUCCESS(Status)) {
        Status = CmpReportFetched(Query, Entry);
        if (NT_SUCCESS(Status) && FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_DELETE)) {
            CmpDeleteQueried(Query);
        }
        return Status;
    }
    if (Status != STATUS_OBJECT_NAME_NOT_FOUND || FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_REQUIRED)) {
        return Status;
    }
    if (DefaultType == REG_NONE) {
        return STATUS_SUCCESS;
    }
    return CmpReportValue(Query, Entry, (PWSTR)Entry->Name, DefaultType, Entry->DefaultData,
                          CmpDefaultLength(Entry, DefaultType));
}

static VOID CmpLeaveSubkey(PCMP_QUERY Query)
{
    if (Query->Current != NULL && Query->Current != Query->Top) {
        ZwClose(Query->Current);
    }
    Query->Current = Query->Top;
}

static NTSTATUS CmpEnterSubkey(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status;

    CmpLeaveSubkey(Query);
    if (Entry->Name == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlInitUnicodeString(&Name, Entry->Name);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Query->Top, NULL);
    Status = Query->Top == NULL ? STATUS_OBJECT_NAME_NOT_FOUND
                                : ZwOpenKey(&Query->Current, KEY_READ | KEY_SET_VALUE, &Attributes);
    if (!NT_SUCCESS(Status)) {
        Query->Current = NULL;
        return Status == STATUS_OBJECT_NAME_NOT_FOUND && !FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_REQUIRED)
                   ? STATUS_SUCCESS
                   : Status;
    }
    return Entry->QueryRoutine != NULL ? CmpReportAll(Query, Entry) : STATUS_SUCCESS;
}

/*
 * What is stored directly without a check of its type overruns the buffer when somebody else writes the value: in hives
 * that not only the system writes, that is a bugcheck, as documented.
 */
static VOID CmpCheckDirect(PCMP_QUERY Query)
{
    static const PCWSTR System[] = {L"Hardware", L"Software", L"System", L"Security", L"Sam"};
    PCMP_NODE Machine = NULL, Hive = NULL;
    BOOLEAN Trusted = FALSE;
    PCMP_KEY Key;

    if (Query->Current == NULL || !NT_SUCCESS(CmpAcquireKey(Query->Current, 0, &Key))) {
        return;
    }
    for (PCMP_NODE Node = Key->Node; Node->Parent != NULL; Node = Node->Parent) {
        Hive = Machine;
        Machine = Node; /* at the end: what is below \Registry */
    }
    for (ULONG Index = 0; Machine != NULL && Hive != NULL && Index < RTL_NUMBER_OF(System); Index++) {
        UNICODE_STRING Name;

        RtlInitUnicodeString(&Name, System[Index]);
        Trusted = Trusted || RtlEqualUnicodeString(&Hive->Entry.Name, &Name, TRUE);
    }
    if (Machine != NULL) {
        UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Machine");

        Trusted = Trusted && RtlEqualUnicodeString(&Machine->Entry.Name, &Name, TRUE);
    }
    CmpReleaseKey(Key);
    if (!Trusted) {
        FvReport("rule=RTL_QUERY_REGISTRY_DIRECT without RTL_QUERY_REGISTRY_TYPECHECK, in a hive that is not the "
                 "system's\n");
        KeBugCheckEx(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_UNSAFE_REGISTRY_ACCESS, 0, 0, 0);
    }
}

static NTSTATUS CmpQueryEntry(PCMP_QUERY Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_SUBKEY)) {
        return CmpEnterSubkey(Query, Entry);
    }
    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_TOPKEY)) {
        CmpLeaveSubkey(Query);
    }
    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_DIRECT)) {
        if (Entry->Name == NULL || Entry->QueryRoutine != NULL || Entry->EntryContext == NULL) {
            return STATUS_INVALID_PARAMETER;
        }
        if (!FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_TYPECHECK)) {
            CmpCheckDirect(Query);
        }
        return CmpReportNamed(Query, Entry);
    }
    if (Entry->QueryRoutine == NULL) {
        return FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_TOPKEY) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    if (Entry->Name != NULL) {
        return CmpReportNamed(Query, Entry);
    }
    if (FlagOn(Entry->Flags, RTL_QUERY_REGISTRY_NOVALUE)) {
        return CmpCallQuery(Query, Entry, NULL, REG_NONE, NULL, 0);
    }
    return CmpReportAll(Query, Entry);
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_OBJECT_NAME_NOT_FOUND: there is no such key, or a value that is required is not there;
 * STATUS_INVALID_PARAMETER: an entry lacks what its flags need; STATUS_BUFFER_TOO_SMALL, STATUS_OBJECT_TYPE_MISMATCH:
 * a value that was to be stored directly; else what a query routine returned.
 */
NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID Environment)
{
    CMP_QUERY Query = {.Context = Context};
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Environment);
    PAGED_CODE();
    Status = CmpOpenRelative(RelativeTo, Path, FALSE, &Query.Top);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && FlagOn(RelativeTo, RTL_REGISTRY_OPTIONAL)) {
        Query.Top = NULL;
        Status = STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Query.Current = Query.Top;
    Query.Name = ExAllocatePoolWithTag(PagedPool, MAXUSHORT + sizeof(WCHAR), CMP_TAG_QUERY);
    if (Query.Name == NULL) {
        Status = STATUS_NO_MEMORY;
    }
    for (; NT_SUCCESS(Status) && (QueryTable->QueryRoutine != NULL || QueryTable->Name != NULL ||
                                  FlagOn(QueryTable->Flags, RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT));
         QueryTable++) {
        Status = CmpQueryEntry(&Query, QueryTable);
    }
    CmpLeaveSubkey(&Query);
    if (Query.Value != NULL) {
        ExFreePoolWithTag(Query.Value, CMP_TAG_QUERY);
    }
    if (Query.Name != NULL) {
        ExFreePoolWithTag(Query.Name, CMP_TAG_QUERY);
    }
    if (Query.Top != NULL) {
        CmpCloseRelative(RelativeTo, Query.Top);
    }
    return Status;
}

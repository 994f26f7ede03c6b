// SPDX-License-Identifier: GPL-2.0-or-later
/* Dynamic hash tables: signatures that are equal, reserved ones, enumerations while entries go, and growth under thousands. */
#include <ntifs.h>

#include <fltvm.h>

#define MANY 5000

typedef struct _ITEM {
    RTL_DYNAMIC_HASH_TABLE_ENTRY Entry;
    ULONG Number;
    ULONG Seen;
} ITEM;

static ITEM Items[MANY];

static ITEM *ItemOf(PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry)
{
    return Entry != NULL ? CONTAINING_RECORD(Entry, ITEM, Entry) : NULL;
}

static ULONG_PTR SignatureOf(ULONG Number)
{
    return (ULONG_PTR)Number * 64 + 0x1000000000ull;
}

/* How many of a signature there are. */
static ULONG Count(PRTL_DYNAMIC_HASH_TABLE Table, ULONG_PTR Signature)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context;
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry;
    ULONG Found = 0;

    for (Entry = RtlLookupEntryHashTable(Table, Signature, &Context); Entry != NULL;
         Entry = RtlGetNextEntryHashTable(Table, &Context))
        Found += Entry->Signature == Signature || Signature == 0;
    return Found;
}

static VOID CheckSignatures(VOID)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context;
    PRTL_DYNAMIC_HASH_TABLE Table = NULL;

    FvCheck(RtlCreateHashTable(&Table, 0, 0) && Table != NULL);
    FvCheck(RtlLookupEntryHashTable(Table, 5, NULL) == NULL);
    for (ULONG I = 0; I < 6; I++) {
        RtlInitHashTableContext(&Context);
        RtlInsertEntryHashTable(Table, &Items[I].Entry, I / 2 * 7, I % 2 ? NULL : &Context);
    }
    FvCheck(RtlTotalEntriesHashTable(Table) == 6 && RtlNonEmptyBucketsHashTable(Table) <= 3);
    FvCheck(Count(Table, 7) == 2 && Count(Table, 14) == 2 && Count(Table, 8) == 0);
    FvCheck(Count(Table, 0) == 2); /* the reserved one may be given, and is not kept */
    FvCheck(Items[0].Entry.Signature != 0 && Items[2].Entry.Signature == 7);
    FvCheck(RtlRemoveEntryHashTable(Table, &Items[3].Entry, NULL) && Count(Table, 7) == 1);
    FvCheck(ItemOf(RtlLookupEntryHashTable(Table, 7, &Context)) == &Items[2]);
    FvCheck(RtlRemoveEntryHashTable(Table, &Items[2].Entry, &Context) && Count(Table, 7) == 0);
    FvCheck(RtlInsertEntryHashTable(Table, &Items[2].Entry, 7, &Context) && Count(Table, 7) == 1); /* no search */
    RtlReleaseHashTableContext(&Context);
    RtlDeleteHashTable(Table);
}

static VOID CheckArguments(VOID)
{
    PRTL_DYNAMIC_HASH_TABLE Table = NULL;
    RTL_DYNAMIC_HASH_TABLE Own;

    FvCheck(!RtlCreateHashTable(&Table, 0, 4) && Table == NULL);
    FvCheck(!RtlCreateHashTableEx(&Table, 100, 0, 0) && !RtlCreateHashTableEx(&Table, 64, 0, 0) && Table == NULL);
    Table = &Own;
    FvCheck(RtlCreateHashTableEx(&Table, 256, 6, 0) && Table == &Own && RtlTotalBucketsHashTable(&Own) == 256);
    FvCheck(RtlEmptyBucketsHashTable(&Own) == 256 && RtlTotalEntriesHashTable(&Own) == 0);
    for (ULONG I = 0; I < 10; I++)
        RtlInsertEntryHashTable(&Own, &Items[I].Entry, I, NULL);
    FvCheck(RtlNonEmptyBucketsHashTable(&Own) == 1); /* what the shift takes away makes no difference */
    RtlDeleteHashTable(&Own);
}

static BOOLEAN FindAll(PRTL_DYNAMIC_HASH_TABLE Table)
{
    for (ULONG I = 0; I < MANY; I++) {
        if (ItemOf(RtlLookupEntryHashTable(Table, SignatureOf(I), NULL)) != &Items[I])
            return FALSE;
    }
    return TRUE;
}

static VOID CheckGrowth(PRTL_DYNAMIC_HASH_TABLE Table)
{
    RTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator;
    ULONG Buckets = RtlTotalBucketsHashTable(Table), Filled;
    BOOLEAN Whole = TRUE;

    for (ULONG I = 0; I < MANY; I++) {
        RtlInsertEntryHashTable(Table, &Items[I].Entry, SignatureOf(I), NULL);
        if (I % 2 == 0)
            Whole = Whole && RtlExpandHashTable(Table);
    }
    FvCheck(Whole && RtlTotalBucketsHashTable(Table) == Buckets + MANY / 2);
    FvCheck(FindAll(Table));
    Filled = RtlNonEmptyBucketsHashTable(Table);
    FvCheck(Filled > Buckets && Filled < RtlTotalBucketsHashTable(Table)); /* they are spread */
    RtlInitEnumerationHashTable(Table, &Enumerator);
    FvCheck(!RtlExpandHashTable(Table) && !RtlContractHashTable(Table) && RtlActiveEnumeratorsHashTable(Table) == 1);
    RtlEndEnumerationHashTable(Table, &Enumerator);
    FvCheck(RtlNonEmptyBucketsHashTable(Table) == Filled);
    for (ULONG I = 0; I < MANY / 2 - 77; I++)
        Whole = Whole && RtlContractHashTable(Table);
    FvCheck(Whole && FindAll(Table));
    while (RtlContractHashTable(Table)) {
    }
    FvCheck(RtlTotalBucketsHashTable(Table) == Buckets && FindAll(Table));
}

/* Every entry is given out once; each third one is removed when it is, and the one before it comes back. */
static VOID CheckEnumeration(PRTL_DYNAMIC_HASH_TABLE Table)
{
    RTL_DYNAMIC_HASH_TABLE_ENUMERATOR Outer, Inner, Strong;
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context;
    ULONG Once = 0, Removed = 0, Weak = 0, All = 0;
    ITEM *Item;

    RtlInitEnumerationHashTable(Table, &Outer);
    RtlInitWeakEnumerationHashTable(Table, &Inner);
    FvCheck(RtlActiveEnumeratorsHashTable(Table) == 2);
    while ((Item = ItemOf(RtlEnumerateEntryHashTable(Table, &Outer))) != NULL) {
        Once += ++Item->Seen == 1;
        if (Once % 3 == 0) {
            RtlInitHashTableContextFromEnumerator(&Context, &Outer);
            Removed += RtlRemoveEntryHashTable(Table, &Item->Entry, &Context);
        }
        if (Once % 2 == 0)
            Weak += RtlWeaklyEnumerateEntryHashTable(Table, &Inner) != NULL;
    }
    FvCheck(Once == MANY && Removed == MANY / 3 && RtlTotalEntriesHashTable(Table) == MANY - Removed);
    FvCheck(RtlEnumerateEntryHashTable(Table, &Outer) == NULL && Weak >= MANY / 3);
    RtlEndWeakEnumerationHashTable(Table, &Inner);
    RtlEndEnumerationHashTable(Table, &Outer);
    FvCheck(RtlActiveEnumeratorsHashTable(Table) == 0);
    RtlInitStrongEnumerationHashTable(Table, &Strong);
    FvCheck(RtlActiveEnumeratorsHashTable(Table) == 0); /* no link of a chain */
    while (RtlStronglyEnumerateEntryHashTable(Table, &Strong) != NULL)
        All++;
    FvCheck(All == MANY - Removed && RtlStronglyEnumerateEntryHashTable(Table, &Strong) == NULL);
    RtlEndStrongEnumerationHashTable(Table, &Strong);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PRTL_DYNAMIC_HASH_TABLE Table = NULL;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(10 + 5 + 7 + 6);
    CheckSignatures();
    CheckArguments();
    RtlCreateHashTable(&Table, 6, 0);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql); /* all of it may be done there */
    CheckGrowth(Table);
    CheckEnumeration(Table);
    RtlDeleteHashTable(Table);
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}

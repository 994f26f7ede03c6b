/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic hash tables: the caller's entries in chains by their signature, which is the caller's hash of the key.
 *
 * Entries of one signature stand side by side in a chain.  The table grows and shrinks by one bucket at a time, when the
 * caller asks for it: buckets before the pivot are told apart by one bit more than those behind it.  An enumerator is itself a link of a
 * chain, with the reserved signature, behind the entry that it gave out last; so entries may come and go between two calls, but not
 * buckets.  Chains are in segments of 128, 128, 256, 512 … heads.
 *
 * The caller keeps others out.  IRQL <= DISPATCH_LEVEL, if the entries are resident.
 */
#include "rtlp.h"

#define RTLP_HASH_TAG      'baTH'
#define RTLP_FIRST_BUCKETS 128u
#define RTLP_SEGMENTS      20
#define RTLP_MOST_BUCKETS  (RTLP_FIRST_BUCKETS << (RTLP_SEGMENTS - 1))
#define RTLP_ALT_SIGNATURE (RTL_HASH_RESERVED_SIGNATURE + 1) /* what the reserved one, given as a key, becomes */

typedef struct _RTLP_BUCKETS {
    PLIST_ENTRY Segment[RTLP_SEGMENTS];
} RTLP_BUCKETS;

static ULONG RtlpSegmentOf(ULONG Bucket)
{
    return Bucket < RTLP_FIRST_BUCKETS ? 0 : 32 - (ULONG)__builtin_clz(Bucket / RTLP_FIRST_BUCKETS);
}

static ULONG RtlpSegmentSize(ULONG Segment)
{
    return Segment == 0 ? RTLP_FIRST_BUCKETS : RTLP_FIRST_BUCKETS << (Segment - 1);
}

static PLIST_ENTRY RtlpBucket(PRTL_DYNAMIC_HASH_TABLE Table, ULONG Bucket)
{
    RTLP_BUCKETS *Buckets = Table->Directory;
    ULONG Segment = RtlpSegmentOf(Bucket);

    return &Buckets->Segment[Segment][Segment == 0 ? Bucket : Bucket - RtlpSegmentSize(Segment)];
}

static PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlpHashEntry(PLIST_ENTRY Link)
{
    return CONTAINING_RECORD(Link, RTL_DYNAMIC_HASH_TABLE_ENTRY, Linkage);
}

static BOOLEAN RtlpIsEnumerator(PLIST_ENTRY Link)
{
    return RtlpHashEntry(Link)->Signature == RTL_HASH_RESERVED_SIGNATURE;
}

static ULONG RtlpBucketOf(PRTL_DYNAMIC_HASH_TABLE Table, ULONG_PTR Signature)
{
    ULONG Hash = (ULONG)((Signature >> Table->Shift) * 0x9E3779B97F4A7C15ull >> 32);
    ULONG Bucket = Hash & Table->DivisorMask;

    return Bucket < Table->Pivot ? Hash & (Table->DivisorMask * 2 + 1) : Bucket;
}

/* Finds where the entries of a signature are, or would go. */
static VOID RtlpFindSignature(PRTL_DYNAMIC_HASH_TABLE Table, ULONG_PTR Signature,
                              PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PLIST_ENTRY Link;

    Context->Signature = Signature;
    Context->ChainHead = RtlpBucket(Table, RtlpBucketOf(Table, Signature));
    Context->PrevLinkage = Context->ChainHead;
    for (Link = Context->ChainHead->Flink; Link != Context->ChainHead; Link = Link->Flink) {
        if (RtlpHashEntry(Link)->Signature == Signature) {
            Context->PrevLinkage = Link->Blink;
            return;
        }
    }
}

static VOID RtlpLink(PRTL_DYNAMIC_HASH_TABLE Table, PLIST_ENTRY Head, PLIST_ENTRY After, PLIST_ENTRY New)
{
    if (IsListEmpty(Head)) {
        Table->NonEmptyBuckets++;
    }
    InsertHeadList(After, New);
}

static VOID RtlpUnlink(PRTL_DYNAMIC_HASH_TABLE Table, PLIST_ENTRY Link)
{
    if (RemoveEntryList(Link)) {
        Table->NonEmptyBuckets--;
    }
}

/* The heads of a segment, empty.  FALSE: no memory. */
static BOOLEAN RtlpAddSegment(RTLP_BUCKETS *Buckets, ULONG Segment)
{
    ULONG Size = RtlpSegmentSize(Segment);
    PLIST_ENTRY Heads = ExAllocatePoolWithTag(NonPagedPoolNx, Size * sizeof(LIST_ENTRY), RTLP_HASH_TAG);

    if (Heads == NULL) {
        return FALSE;
    }
    for (ULONG Bucket = 0; Bucket < Size; Bucket++) {
        InitializeListHead(&Heads[Bucket]);
    }
    Buckets->Segment[Segment] = Heads;
    return TRUE;
}

static VOID RtlpFreeBuckets(RTLP_BUCKETS *Buckets)
{
    for (ULONG Segment = 0; Segment < RTLP_SEGMENTS; Segment++) {
        if (Buckets->Segment[Segment] != NULL) {
            ExFreePool(Buckets->Segment[Segment]);
        }
    }
    ExFreePool(Buckets);
}

/* NULL: no memory. */
static RTLP_BUCKETS *RtlpMakeBuckets(ULONG Size)
{
    RTLP_BUCKETS *Buckets = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Buckets), RTLP_HASH_TAG);

    if (Buckets == NULL) {
        return NULL;
    }
    RtlZeroMemory(Buckets, sizeof(*Buckets));
    for (ULONG Segment = 0; Segment <= RtlpSegmentOf(Size - 1); Segment++) {
        if (!RtlpAddSegment(Buckets, Segment)) {
            RtlpFreeBuckets(Buckets);
            return NULL;
        }
    }
    return Buckets;
}

/* *HashTable NULL: the table's head is allocated, too.  FALSE, and *HashTable as it was: no memory, or what cannot be. */
BOOLEAN NTAPI RtlCreateHashTableEx(PRTL_DYNAMIC_HASH_TABLE *HashTable, ULONG InitialSize, ULONG Shift, ULONG Flags)
{
    PRTL_DYNAMIC_HASH_TABLE Table = *HashTable;
    ULONG Size = InitialSize == 0 ? RTLP_FIRST_BUCKETS : InitialSize;

    if (Flags != 0 || Shift >= 64 || Size < RTLP_FIRST_BUCKETS || Size > RTLP_MOST_BUCKETS ||
        (Size & (Size - 1)) != 0) {
        return FALSE;
    }
    if (Table == NULL) {
        Table = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Table), RTLP_HASH_TAG);
        if (Table == NULL) {
            return FALSE;
        }
        Flags = RTL_HASH_ALLOCATED_HEADER;
    }
    RtlZeroMemory(Table, sizeof(*Table));
    Table->Directory = RtlpMakeBuckets(Size);
    if (Table->Directory == NULL) {
        if (Flags & RTL_HASH_ALLOCATED_HEADER) {
            ExFreePool(Table);
        }
        return FALSE;
    }
    Table->Flags = Flags;
    Table->Shift = Shift;
    Table->TableSize = Size;
    Table->DivisorMask = Size - 1;
    *HashTable = Table;
    return TRUE;
}

BOOLEAN NTAPI RtlCreateHashTable(PRTL_DYNAMIC_HASH_TABLE *HashTable, ULONG Shift, ULONG Flags)
{
    return RtlCreateHashTableEx(HashTable, 0, Shift, Flags);
}

/* The entries are the caller's, and stay. */
VOID NTAPI RtlDeleteHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    RtlpFreeBuckets(HashTable->Directory);
    HashTable->Directory = NULL;
    if (HashTable->Flags & RTL_HASH_ALLOCATED_HEADER) {
        ExFreePool(HashTable);
    }
}

static ULONG_PTR RtlpOrdinary(ULONG_PTR Signature)
{
    return Signature == RTL_HASH_RESERVED_SIGNATURE ? RTLP_ALT_SIGNATURE : Signature;
}

/* A context that is empty (ChainHead NULL) is filled in; one that is not says where, and costs no search. */
BOOLEAN NTAPI RtlInsertEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry,
                                      ULONG_PTR Signature, PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Own = {0};

    if (Context == NULL) {
        Context = &Own;
    }
    Entry->Signature = RtlpOrdinary(Signature);
    if (Context->ChainHead == NULL) {
        RtlpFindSignature(HashTable, Entry->Signature, Context);
    }
    RtlpLink(HashTable, Context->ChainHead, Context->PrevLinkage, &Entry->Linkage);
    HashTable->NumEntries++;
    return TRUE;
}

BOOLEAN NTAPI RtlRemoveEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry,
                                      PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PLIST_ENTRY Before = Entry->Linkage.Blink;

    HashTable->NumEntries--;
    RtlpUnlink(HashTable, &Entry->Linkage);
    if (Context != NULL) {
        if (Context->ChainHead == NULL) {
            RtlpFindSignature(HashTable, Entry->Signature, Context);
        } else if (Context->PrevLinkage == &Entry->Linkage) {
            Context->PrevLinkage = Before;
        }
    }
    return TRUE;
}

/* The first entry with the signature that follows Context->PrevLinkage at once, enumerators aside. */
static PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlpEntryAfter(PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context, PLIST_ENTRY Link)
{
    while (Link != Context->ChainHead && RtlpIsEnumerator(Link)) {
        Link = Link->Flink;
    }
    if (Link == Context->ChainHead || RtlpHashEntry(Link)->Signature != Context->Signature) {
        return NULL;
    }
    Context->PrevLinkage = Link->Blink;
    return RtlpHashEntry(Link);
}

PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlLookupEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, ULONG_PTR Signature,
                                                            PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Own;

    if (Context == NULL) {
        Context = &Own;
    }
    RtlpFindSignature(HashTable, RtlpOrdinary(Signature), Context);
    return RtlpEntryAfter(Context, Context->PrevLinkage->Flink);
}

/* After a lookup that found something: the next entry with the same signature. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlGetNextEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                             PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    UNREFERENCED_PARAMETER(HashTable);
    return RtlpEntryAfter(Context, Context->PrevLinkage->Flink->Flink);
}

/* ---- all entries ---- */

/* The first entry at or behind a link of a bucket; with Bucket and Head of it. */
static PLIST_ENTRY RtlpNextLink(PRTL_DYNAMIC_HASH_TABLE Table, PLIST_ENTRY Link, PULONG Bucket, PLIST_ENTRY *Head)
{
    for (;;) {
        while (Link != *Head) {
            if (!RtlpIsEnumerator(Link)) {
                return Link;
            }
            Link = Link->Flink;
        }
        if (++*Bucket >= Table->TableSize) {
            return NULL;
        }
        *Head = RtlpBucket(Table, *Bucket);
        Link = (*Head)->Flink;
    }
}

/* Stands in the first chain until it has given out something. */
BOOLEAN NTAPI RtlInitEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                          PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    Enumerator->BucketIndex = 0;
    Enumerator->ChainHead = RtlpBucket(HashTable, 0);
    Enumerator->HashEntry.Signature = RTL_HASH_RESERVED_SIGNATURE;
    RtlpLink(HashTable, Enumerator->ChainHead, Enumerator->ChainHead, &Enumerator->HashEntry.Linkage);
    HashTable->NumEnumerators++;
    return TRUE;
}

/* NULL: that was the last one. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlEnumerateEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                               PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    ULONG Bucket = Enumerator->BucketIndex;
    PLIST_ENTRY Head = Enumerator->ChainHead;
    PLIST_ENTRY Link = RtlpNextLink(HashTable, Enumerator->HashEntry.Linkage.Flink, &Bucket, &Head);

    if (Link == NULL) {
        return NULL;
    }
    RtlpUnlink(HashTable, &Enumerator->HashEntry.Linkage);
    RtlpLink(HashTable, Head, Link, &Enumerator->HashEntry.Linkage);
    Enumerator->BucketIndex = Bucket;
    Enumerator->ChainHead = Head;
    return RtlpHashEntry(Link);
}

VOID NTAPI RtlEndEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    RtlpUnlink(HashTable, &Enumerator->HashEntry.Linkage);
    Enumerator->ChainHead = NULL;
    HashTable->NumEnumerators--;
}

/* A weak one: what comes and goes meanwhile may be seen or not; so it is with every enumeration here. */
BOOLEAN NTAPI RtlInitWeakEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                              PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    return RtlInitEnumerationHashTable(HashTable, Enumerator);
}

PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlWeaklyEnumerateEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                                     PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    return RtlEnumerateEntryHashTable(HashTable, Enumerator);
}

VOID NTAPI RtlEndWeakEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                          PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    RtlEndEnumerationHashTable(HashTable, Enumerator);
}

/* A strong one is no link of a chain: nothing may come or go until it ends, so many may go on at once. */
BOOLEAN NTAPI RtlInitStrongEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    Enumerator->BucketIndex = 0;
    Enumerator->ChainHead = RtlpBucket(HashTable, 0);
    Enumerator->HashEntry.Signature = RTL_HASH_RESERVED_SIGNATURE;
    Enumerator->HashEntry.Linkage.Flink = Enumerator->ChainHead->Flink;
    return TRUE;
}

PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlStronglyEnumerateEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                                       PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    PLIST_ENTRY Link = Enumerator->HashEntry.Linkage.Flink;

    if (Link != NULL) {
        Link = RtlpNextLink(HashTable, Link, &Enumerator->BucketIndex, &Enumerator->ChainHead);
    }
    Enumerator->HashEntry.Linkage.Flink = Link != NULL ? Link->Flink : NULL;
    return Link != NULL ? RtlpHashEntry(Link) : NULL;
}

VOID NTAPI RtlEndStrongEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                            PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    UNREFERENCED_PARAMETER(HashTable);
    Enumerator->ChainHead = NULL;
    Enumerator->HashEntry.Linkage.Flink = NULL;
}

/* ---- one bucket more or less ---- */

/* Moves what now belongs into another bucket, in order. */
static VOID RtlpMoveEntries(PRTL_DYNAMIC_HASH_TABLE Table, ULONG From)
{
    PLIST_ENTRY Head = RtlpBucket(Table, From), Link, Next;

    for (Link = Head->Flink; Link != Head; Link = Next) {
        PLIST_ENTRY To = RtlpBucket(Table, RtlpBucketOf(Table, RtlpHashEntry(Link)->Signature));

        Next = Link->Flink;
        if (To != Head) {
            RtlpUnlink(Table, Link);
            RtlpLink(Table, To, To->Blink, Link);
        }
    }
}

/* FALSE: somebody enumerates, no memory, or no more buckets can be. */
BOOLEAN NTAPI RtlExpandHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    RTLP_BUCKETS *Buckets = HashTable->Directory;
    ULONG New = HashTable->TableSize, Split;

    if (HashTable->NumEnumerators != 0 || New >= RTLP_MOST_BUCKETS ||
        (Buckets->Segment[RtlpSegmentOf(New)] == NULL && !RtlpAddSegment(Buckets, RtlpSegmentOf(New)))) {
        return FALSE;
    }
    HashTable->TableSize = New + 1;
    Split = HashTable->Pivot++;
    RtlpMoveEntries(HashTable, Split);
    if (HashTable->Pivot > HashTable->DivisorMask) {
        HashTable->DivisorMask = HashTable->DivisorMask * 2 + 1;
        HashTable->Pivot = 0;
    }
    return TRUE;
}

/* FALSE: somebody enumerates, or there are as few buckets as can be. */
BOOLEAN NTAPI RtlContractHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    RTLP_BUCKETS *Buckets = HashTable->Directory;
    ULONG Last = HashTable->TableSize - 1, Segment = RtlpSegmentOf(Last);

    if (HashTable->NumEnumerators != 0 || HashTable->TableSize <= RTLP_FIRST_BUCKETS) {
        return FALSE;
    }
    if (HashTable->Pivot == 0) {
        HashTable->DivisorMask /= 2;
        HashTable->Pivot = HashTable->DivisorMask + 1;
    }
    HashTable->Pivot--;
    RtlpMoveEntries(HashTable, Last);
    HashTable->TableSize = Last;
    if (Segment != RtlpSegmentOf(Last - 1)) {
        ExFreePool(Buckets->Segment[Segment]);
        Buckets->Segment[Segment] = NULL;
    }
    return TRUE;
}

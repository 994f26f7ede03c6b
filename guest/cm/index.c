// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entries by name and by number: the subkeys or the values of a key.
 *
 * All are in one list, in the order in which they came; the list's place where somebody last was is kept, so that an
 * enumeration costs a step an entry.  From CMP_INDEX_MINIMUM entries on there is a hash table, too, which doubles as they
 * become more; where there is no memory for that, chains become longer.  Everything here runs under CmpLock.
 */
#include "cmp.h"

#define CMP_INDEX_MINIMUM 8
#define CMP_INDEX_MAXIMUM 65536 /* buckets */

VOID CmpInitializeIndex(PCMP_INDEX Index)
{
    RtlZeroMemory(Index, sizeof(*Index));
    InitializeListHead(&Index->Order);
}

VOID CmpDeleteIndex(PCMP_INDEX Index)
{
    if (Index->Bucket != NULL) {
        ExFreePoolWithTag(Index->Bucket, CMP_TAG_INDEX);
    }
    Index->Bucket = NULL;
    Index->Buckets = 0;
}

static ULONG CmpHash(PCUNICODE_STRING Name)
{
    ULONG Hash = 0;

    RtlHashUnicodeString(Name, TRUE, HASH_STRING_ALGORITHM_X65599, &Hash);
    return Hash ^ Hash >> 16;
}

static VOID CmpChain(PCMP_INDEX Index, PCMP_ENTRY Entry)
{
    PCMP_ENTRY *Bucket = &Index->Bucket[Entry->Hash & (Index->Buckets - 1)];

    Entry->Next = *Bucket;
    *Bucket = Entry;
}

static VOID CmpGrowIndex(PCMP_INDEX Index)
{
    ULONG Buckets = Index->Buckets != 0 ? Index->Buckets * 2 : CMP_INDEX_MINIMUM * 2;
    PCMP_ENTRY *New;

    if (Buckets > CMP_INDEX_MAXIMUM) {
        return;
    }
    New = ExAllocatePoolWithTag(PagedPool, Buckets * sizeof(*New), CMP_TAG_INDEX);
    if (New == NULL) {
        return;
    }
    RtlZeroMemory(New, Buckets * sizeof(*New));
    CmpDeleteIndex(Index);
    Index->Bucket = New;
    Index->Buckets = Buckets;
    for (PLIST_ENTRY Link = Index->Order.Flink; Link != &Index->Order; Link = Link->Flink) {
        CmpChain(Index, CONTAINING_RECORD(Link, CMP_ENTRY, Link));
    }
}

PCMP_ENTRY CmpFindEntry(PCMP_INDEX Index, PCUNICODE_STRING Name)
{
    ULONG Hash = CmpHash(Name);

    if (Index->Bucket != NULL) {
        for (PCMP_ENTRY Entry = Index->Bucket[Hash & (Index->Buckets - 1)]; Entry != NULL; Entry = Entry->Next) {
            if (Entry->Hash == Hash && RtlEqualUnicodeString(&Entry->Name, Name, TRUE)) {
                return Entry;
            }
        }
        return NULL;
    }
    for (PLIST_ENTRY Link = Index->Order.Flink; Link != &Index->Order; Link = Link->Flink) {
        PCMP_ENTRY Entry = CONTAINING_RECORD(Link, CMP_ENTRY, Link);

        if (Entry->Hash == Hash && RtlEqualUnicodeString(&Entry->Name, Name, TRUE)) {
            return Entry;
        }
    }
    return NULL;
}

VOID CmpInsertEntry(PCMP_INDEX Index, PCMP_ENTRY Entry)
{
    Entry->Hash = CmpHash(&Entry->Name);
    InsertTailList(&Index->Order, &Entry->Link);
    Index->Count++;
    if (Index->Bucket != NULL) {
        CmpChain(Index, Entry);
    }
    if (Index->Count >= max(Index->Buckets, CMP_INDEX_MINIMUM)) {
        CmpGrowIndex(Index);
    }
}

VOID CmpRemoveEntry(PCMP_INDEX Index, PCMP_ENTRY Entry)
{
    RemoveEntryList(&Entry->Link);
    Index->Count--;
    Index->Cursor = NULL; /* numbers behind it change */
    if (Index->Bucket != NULL) {
        PCMP_ENTRY *Link = &Index->Bucket[Entry->Hash & (Index->Buckets - 1)];

        while (*Link != Entry) {
            Link = &(*Link)->Next;
        }
        *Link = Entry->Next;
    }
}

static ULONG CmpDistance(ULONG From, ULONG To)
{
    return From < To ? To - From : From - To;
}

PCMP_ENTRY CmpNthEntry(PCMP_INDEX Index, ULONG Number)
{
    ULONG At = 0;
    PLIST_ENTRY Link = Index->Order.Flink;

    if (Number >= Index->Count) {
        return NULL;
    }
    /* From the nearest of the first, the last, and where somebody was before. */
    if (Index->Count - 1 - Number < Number) {
        At = Index->Count - 1;
        Link = Index->Order.Blink;
    }
    if (Index->Cursor != NULL && CmpDistance(Index->CursorNumber, Number) < CmpDistance(At, Number)) {
        At = Index->CursorNumber;
        Link = &Index->Cursor->Link;
    }
    for (; At < Number; At++) {
        Link = Link->Flink;
    }
    for (; At > Number; At--) {
        Link = Link->Blink;
    }
    Index->Cursor = CONTAINING_RECORD(Link, CMP_ENTRY, Link);
    Index->CursorNumber = Number;
    return Index->Cursor;
}

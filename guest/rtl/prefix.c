/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of prefixes of paths: the longest entry that a name begins with, whole parts only.
 *
 * Entries that differ in case only are a ring, of which one is in a splay tree, ordered without regard to
 * case; so a search takes a look into the tree for each part of the name.  The caller owns entries and
 * strings, and keeps others out. IRQL: < DISPATCH_LEVEL (RtlNextUnicodePrefix, RtlRemoveUnicodePrefix: any,
 * if the table is resident).
 */
#include "rtlp.h"

#define RTLP_PREFIX_TABLE 0x0800
#define RTLP_IN_TREE      0x0801
#define RTLP_IN_RING      0x0802

static PUNICODE_PREFIX_TABLE_ENTRY RtlpEntryOf(PRTL_SPLAY_LINKS Links)
{
    return Links != NULL ? CONTAINING_RECORD(Links, UNICODE_PREFIX_TABLE_ENTRY, Links) : NULL;
}

/* The entry of the tree that the name is equal to but for its case; else *Parent is where it would go. */
static PUNICODE_PREFIX_TABLE_ENTRY RtlpFindInTree(PUNICODE_PREFIX_TABLE Table, PCUNICODE_STRING Name,
                                                  PUNICODE_PREFIX_TABLE_ENTRY *Parent, PLONG Order)
{
    PUNICODE_PREFIX_TABLE_ENTRY Entry = Table->NextPrefixTree;

    *Parent = NULL;
    while (Entry != NULL) {
        *Order = RtlCompareUnicodeString(Name, Entry->Prefix, TRUE);
        if (*Order == 0) {
            return Entry;
        }
        *Parent = Entry;
        Entry = RtlpEntryOf(*Order < 0 ? Entry->Links.LeftChild : Entry->Links.RightChild);
    }
    return NULL;
}

static VOID RtlpSetRoot(PUNICODE_PREFIX_TABLE Table, PRTL_SPLAY_LINKS Root)
{
    Table->NextPrefixTree = RtlpEntryOf(Root);
}

VOID NTAPI RtlInitializeUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable)
{
    RtlZeroMemory(PrefixTable, sizeof(*PrefixTable));
    PrefixTable->NodeTypeCode = RTLP_PREFIX_TABLE;
}

/* FALSE: the very same prefix, with the same case, is there already. */
BOOLEAN NTAPI RtlInsertUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, PUNICODE_STRING Prefix,
                                     PUNICODE_PREFIX_TABLE_ENTRY PrefixTableEntry)
{
    PUNICODE_PREFIX_TABLE_ENTRY Parent, Same;
    LONG Order = 0;

    Same = RtlpFindInTree(PrefixTable, Prefix, &Parent, &Order);
    if (Same != NULL) {
        PUNICODE_PREFIX_TABLE_ENTRY Entry = Same;

        do {
            if (RtlEqualUnicodeString(Entry->Prefix, Prefix, FALSE)) {
                return FALSE;
            }
            Entry = Entry->CaseMatch;
        } while (Entry != Same);
    }
    RtlZeroMemory(PrefixTableEntry, sizeof(*PrefixTableEntry));
    PrefixTableEntry->NodeTypeCode = Same != NULL ? RTLP_IN_RING : RTLP_IN_TREE;
    PrefixTableEntry->NameLength = (CSHORT)Prefix->Length;
    PrefixTableEntry->Prefix = Prefix;
    RtlInitializeSplayLinks(&PrefixTableEntry->Links);
    if (Same != NULL) {
        PrefixTableEntry->CaseMatch = Same->CaseMatch;
        Same->CaseMatch = PrefixTableEntry;
        return TRUE;
    }
    PrefixTableEntry->CaseMatch = PrefixTableEntry;
    if (Parent != NULL) {
        if (Order < 0) {
            RtlInsertAsLeftChild(&Parent->Links, &PrefixTableEntry->Links);
        } else {
            RtlInsertAsRightChild(&Parent->Links, &PrefixTableEntry->Links);
        }
    }
    RtlpSetRoot(PrefixTable, RtlSplay(&PrefixTableEntry->Links));
    return TRUE;
}

/* Another entry of the ring takes the place of one in the tree. */
static VOID RtlpReplaceInTree(PUNICODE_PREFIX_TABLE Table, PUNICODE_PREFIX_TABLE_ENTRY Old,
                              PUNICODE_PREFIX_TABLE_ENTRY New)
{
    New->Links = Old->Links;
    New->NodeTypeCode = RTLP_IN_TREE;
    if (RtlIsRoot(&Old->Links)) {
        New->Links.Parent = &New->Links;
        RtlpSetRoot(Table, &New->Links);
    } else if (RtlIsLeftChild(&Old->Links)) {
        New->Links.Parent->LeftChild = &New->Links;
    } else {
        New->Links.Parent->RightChild = &New->Links;
    }
    if (New->Links.LeftChild != NULL) {
        New->Links.LeftChild->Parent = &New->Links;
    }
    if (New->Links.RightChild != NULL) {
        New->Links.RightChild->Parent = &New->Links;
    }
}

VOID NTAPI RtlRemoveUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, PUNICODE_PREFIX_TABLE_ENTRY PrefixTableEntry)
{
    PUNICODE_PREFIX_TABLE_ENTRY Next = PrefixTableEntry->CaseMatch, Before = Next;

    PrefixTable->LastNextEntry = NULL; /* an enumeration begins anew */
    while (Before->CaseMatch != PrefixTableEntry) {
        Before = Before->CaseMatch;
    }
    Before->CaseMatch = Next;
    if (PrefixTableEntry->NodeTypeCode == RTLP_IN_RING) {
        return;
    }
    if (Next != PrefixTableEntry) {
        RtlpReplaceInTree(PrefixTable, PrefixTableEntry, Next);
    } else {
        RtlpSetRoot(PrefixTable, RtlDelete(&PrefixTableEntry->Links));
    }
}

/* The ring's first entry whose first characters, up to the index, have the name's case. */
static PUNICODE_PREFIX_TABLE_ENTRY RtlpMatchCase(PUNICODE_PREFIX_TABLE_ENTRY Ring, PCUNICODE_STRING Name,
                                                 ULONG CaseIndex)
{
    PUNICODE_PREFIX_TABLE_ENTRY Entry = Ring;

    do {
        ULONG Length = min(Entry->Prefix->Length, CaseIndex * sizeof(WCHAR));

        if (RtlCompareMemory(Entry->Prefix->Buffer, Name->Buffer, Length) == Length) {
            return Entry;
        }
        Entry = Entry->CaseMatch;
    } while (Entry != Ring);
    return NULL;
}

/* Characters from CaseInsensitiveIndex on are compared without regard to case.  NULL: no entry is a prefix.
 */
PUNICODE_PREFIX_TABLE_ENTRY NTAPI RtlFindUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, PUNICODE_STRING FullName,
                                                       ULONG CaseInsensitiveIndex)
{
    UNICODE_STRING Name = *FullName;
    PUNICODE_PREFIX_TABLE_ENTRY Entry, Parent;
    ULONG Length;
    LONG Order;

    CaseInsensitiveIndex = min(CaseInsensitiveIndex, FullName->Length / sizeof(WCHAR));
    while (Name.Length != 0) {
        Entry = RtlpFindInTree(PrefixTable, &Name, &Parent, &Order);
        if (Entry != NULL) {
            Entry = RtlpMatchCase(Entry, &Name, CaseInsensitiveIndex);
            if (Entry != NULL) {
                return Entry;
            }
        }
        /* Without the last part; the root itself is the last that is tried. */
        Length = Name.Length / sizeof(WCHAR) - 1;
        while (Length != 0 && Name.Buffer[Length] != L'\\') {
            Length--;
        }
        if (Length == 0 && Name.Length > sizeof(WCHAR) && Name.Buffer[0] == L'\\') {
            Length = 1;
        }
        Name.Length = (USHORT)(Length * sizeof(WCHAR));
    }
    return NULL;
}

/* One entry after the other, from the first on with Restart; NULL behind the last. */
PUNICODE_PREFIX_TABLE_ENTRY NTAPI RtlNextUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, BOOLEAN Restart)
{
    PUNICODE_PREFIX_TABLE_ENTRY Last = Restart ? NULL : PrefixTable->LastNextEntry, Next;

    if (Last == NULL) {
        PRTL_SPLAY_LINKS Links = PrefixTable->NextPrefixTree != NULL ? &PrefixTable->NextPrefixTree->Links : NULL;

        while (Links != NULL && Links->LeftChild != NULL) {
            Links = Links->LeftChild;
        }
        Next = RtlpEntryOf(Links);
    } else if (Last->CaseMatch->NodeTypeCode == RTLP_IN_RING) {
        Next = Last->CaseMatch;
    } else {
        Next = RtlpEntryOf(RtlRealSuccessor(&Last->CaseMatch->Links));
    }
    PrefixTable->LastNextEntry = Next;
    return Next;
}

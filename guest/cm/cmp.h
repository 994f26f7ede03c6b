/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cm, privately: a tree of nodes, and key objects (what handles name) that refer to them.
 *
 * Rules: CmpLock guards the tree and everything in it.  A node lives as long as its parent holds it or a key object
 * refers to it; a deleted node has left its parent, and every use of it says STATUS_KEY_DELETED.
 */
#ifndef FLTVM_CMP_H
#define FLTVM_CMP_H

#include <ntifs.h>
#include <ob.h>

#define CMP_TAG_NODE   'yeKC'
#define CMP_TAG_VALUE  'laVC'
#define CMP_TAG_INDEX  'xdNC'
#define CMP_NAME_LIMIT 256   /* characters in a key's name, as documented */
#define CMP_DATA_LIMIT (1u << 20) /* bytes in a value */

/* What stands under a name in a key. */
typedef struct _CMP_ENTRY {
    LIST_ENTRY Link; /* its index's Order */
    struct _CMP_ENTRY *Next; /* in its bucket, if there are any */
    ULONG Hash;
    UNICODE_STRING Name; /* in its own letters; compared without case */
} CMP_ENTRY, *PCMP_ENTRY;

typedef struct _CMP_INDEX {
    LIST_ENTRY Order;
    ULONG Count;
    ULONG Buckets; /* a power of two, or 0 */
    PCMP_ENTRY *Bucket;
    ULONG CursorNumber; /* of Cursor, where CmpNthEntry was last; NULL: unknown */
    PCMP_ENTRY Cursor;
} CMP_INDEX, *PCMP_INDEX;

typedef struct _CMP_NODE {
    /* CmpLock */
    CMP_ENTRY Entry; /* Parent's Children */
    CMP_INDEX Children;
    CMP_INDEX Values;
    struct _CMP_NODE *Parent;
    ULONG References; /* key objects */
    BOOLEAN Deleted;
    ULONG TitleIndex;
    LARGE_INTEGER LastWriteTime;
    UNICODE_STRING Class;
} CMP_NODE, *PCMP_NODE;

typedef struct _CMP_VALUE {
    /* CmpLock */
    CMP_ENTRY Entry; /* its node's Values */
    ULONG TitleIndex;
    ULONG Type; /* REG_* */
    ULONG Length;
    PVOID Data;
} CMP_VALUE, *PCMP_VALUE;

/* A key object's body. */
typedef struct _CMP_KEY {
    PCMP_NODE Node;
} CMP_KEY, *PCMP_KEY;

/* What ZwCreateKey wants of the parse routine; NULL: the key must be there. */
typedef struct _CMP_CREATE {
    ULONG TitleIndex;
    PUNICODE_STRING Class;
    ULONG Disposition; /* out: REG_CREATED_NEW_KEY or REG_OPENED_EXISTING_KEY */
} CMP_CREATE, *PCMP_CREATE;

extern FAST_MUTEX CmpLock;
extern POBJECT_TYPE CmpKeyType;

/* CmpLock held. */
PCMP_NODE CmpFindChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name);
NTSTATUS CmpCreateChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name, PCMP_CREATE Create, PCMP_NODE *Child);
PCMP_VALUE CmpFindValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name);
NTSTATUS CmpSetValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name, ULONG TitleIndex, ULONG Type, const VOID *Data,
                           ULONG Length);
VOID CmpFreeValueLocked(PCMP_NODE Node, PCMP_VALUE Value);
NTSTATUS CmpDeleteNodeLocked(PCMP_NODE Node);
VOID CmpDereferenceNodeLocked(PCMP_NODE Node);

/* index.c */
VOID CmpInitializeIndex(PCMP_INDEX Index);
VOID CmpDeleteIndex(PCMP_INDEX Index); /* the index only; its entries are the caller's */
PCMP_ENTRY CmpFindEntry(PCMP_INDEX Index, PCUNICODE_STRING Name);
VOID CmpInsertEntry(PCMP_INDEX Index, PCMP_ENTRY Entry); /* under its Name, which no other has */
VOID CmpRemoveEntry(PCMP_INDEX Index, PCMP_ENTRY Entry);
PCMP_ENTRY CmpNthEntry(PCMP_INDEX Index, ULONG Number); /* in the order in which they came; NULL: there are fewer */

/* A copy in pool (paged); an empty one needs none. */
NTSTATUS CmpCopyString(PUNICODE_STRING Copy, PCUNICODE_STRING String);

/* The node of a handle, with CmpLock acquired; CmpReleaseKey undoes both. */
NTSTATUS CmpAcquireKey(HANDLE Handle, ACCESS_MASK Access, PCMP_KEY *Key);
VOID CmpReleaseKey(PCMP_KEY Key);

#endif

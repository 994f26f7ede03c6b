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
#include <cm.h>

#define CMP_TAG_NODE     'yeKC'
#define CMP_TAG_VALUE    'laVC'
#define CMP_TAG_INDEX    'xdNC'
#define CMP_TAG_NAME     'mNKC'
#define CMP_TAG_CALLBACK 'bCKC'
#define CMP_CALLBACKS    32         /* registrations of callbacks at a time */
#define CMP_NAME_LIMIT   256        /* characters in a key's name, as documented */
#define CMP_DATA_LIMIT   (1u << 20) /* bytes in a value */

/* What stands under a name in a key. */
typedef struct _CMP_ENTRY {
    LIST_ENTRY Link;         /* its index's Order */
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
    BOOLEAN Volatile; /* so are all below it */
    ULONG TitleIndex;
    LARGE_INTEGER LastWriteTime;
    UNICODE_STRING Class;
    PSECURITY_DESCRIPTOR Descriptor; /* security.c; NULL: its parent's */
    LIST_ENTRY Watches;              /* changed.c */
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
    PUNICODE_STRING Name; /* once CmCallbackGetKeyObjectID was asked for it */
} CMP_KEY, *PCMP_KEY;

/* What ZwCreateKey wants of the parse routine; NULL: the key must be there. */
typedef struct _CMP_CREATE {
    ULONG TitleIndex;
    PUNICODE_STRING Class;
    BOOLEAN Volatile;
    PACCESS_STATE State; /* the opener's, and the descriptor for a new key; NULL: none */
    ULONG Disposition;   /* out: REG_CREATED_NEW_KEY or REG_OPENED_EXISTING_KEY */
} CMP_CREATE, *PCMP_CREATE;

extern FAST_MUTEX CmpLock;
extern POBJECT_TYPE CmpKeyType;
extern PVOID CmpRootObject; /* \Registry */
extern GENERIC_MAPPING CmpKeyMapping;

/* CmpLock held. */
PCMP_NODE CmpFindChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name);
NTSTATUS CmpCreateChildLocked(PCMP_NODE Node, PCUNICODE_STRING Name, PCMP_CREATE Create, PCMP_NODE *Child);
PCMP_VALUE CmpFindValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name);
NTSTATUS CmpSetValueLocked(PCMP_NODE Node, PCUNICODE_STRING Name, ULONG TitleIndex, ULONG Type, const VOID *Data,
                           ULONG Length);
VOID CmpFreeValueLocked(PCMP_NODE Node, PCMP_VALUE Value);
NTSTATUS CmpDeleteNodeLocked(PCMP_NODE Node);
VOID CmpDereferenceNodeLocked(PCMP_NODE Node);

/*
 * security.c.  Who is still to be asked is: for the key itself; for a new one below it.  STATUS_ACCESS_DENIED.  State may be NULL.
 */
NTSTATUS CmpCheckAccessLocked(PCMP_NODE Node, PACCESS_STATE State);
NTSTATUS CmpCheckCreateLocked(PCMP_NODE Parent, PACCESS_STATE State);
/* A new key's; NULL where there is no explicit one. */
NTSTATUS CmpAssignSecurityLocked(PCMP_NODE Parent, PSECURITY_DESCRIPTOR Explicit, PSECURITY_DESCRIPTOR *Descriptor);
/* Key objects'. */
NTSTATUS CmpCopySecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy);
NTSTATUS CmpReplaceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New);

/* changed.c: what happened to a node, in REG_NOTIFY_CHANGE_…; it is deleted; a key object has lost its last handle. */
VOID CmpChangedLocked(PCMP_NODE Node, ULONG What);
VOID CmpNodeGoneLocked(PCMP_NODE Node);
VOID CmpKeyClosed(PCMP_KEY Key);

/* index.c */
VOID CmpInitializeIndex(PCMP_INDEX Index);
VOID CmpDeleteIndex(PCMP_INDEX Index); /* the index only; its entries are the caller's */
PCMP_ENTRY CmpFindEntry(PCMP_INDEX Index, PCUNICODE_STRING Name);
VOID CmpInsertEntry(PCMP_INDEX Index, PCMP_ENTRY Entry); /* under its Name, which no other has */
VOID CmpRemoveEntry(PCMP_INDEX Index, PCMP_ENTRY Entry);
PCMP_ENTRY CmpNthEntry(PCMP_INDEX Index, ULONG Number); /* in the order in which they came; NULL: there are fewer */

/* The node of a handle, with CmpLock acquired; CmpReleaseKey undoes both. */
NTSTATUS CmpAcquireKey(HANDLE Handle, ACCESS_MASK Access, PCMP_KEY *Key);
VOID CmpReleaseKey(PCMP_KEY Key);

/* key.c; PASSIVE_LEVEL */
NTSTATUS CmpDeleteKey(HANDLE KeyHandle);
NTSTATUS CmpFlushKey(HANDLE KeyHandle);
NTSTATUS CmpSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                        ULONG DataSize);
NTSTATUS CmpDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName);
NTSTATUS CmpQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                          KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation, ULONG Length,
                          PULONG ResultLength);
NTSTATUS CmpEnumerateValueKey(HANDLE KeyHandle, ULONG Index, KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                              PVOID KeyValueInformation, ULONG Length, PULONG ResultLength);
NTSTATUS CmpQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation, ULONG Length,
                     PULONG ResultLength);
NTSTATUS CmpEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                         ULONG Length, PULONG ResultLength);

/* callback.c: an operation and those who are told of it. */
typedef struct _CMP_CALLBACK *PCMP_CALLBACK;

typedef struct _CMP_OPERATION {
    REG_NOTIFY_CLASS Pre, Post;
    PVOID Object;         /* the key object, or NULL */
    PVOID Information;    /* a REG_…_INFORMATION */
    PVOID *CallContext;   /* in Information */
    PVOID *ObjectContext; /* in Information */
    ULONG Entered;        /* callbacks held */
    ULONG Passed;         /* of these, those that let it pass */
    BOOLEAN Bypassed;     /* a driver has done it */
    PCMP_CALLBACK Callback[CMP_CALLBACKS];
    PVOID CallContexts[CMP_CALLBACKS];
} CMP_OPERATION, *PCMP_OPERATION;

/* IRQL: any. */
BOOLEAN CmpWatched(VOID);
VOID CmpInitOperation(PCMP_OPERATION Operation, REG_NOTIFY_CLASS Pre, REG_NOTIFY_CLASS Post, PVOID Object,
                      PVOID Information, PVOID *CallContext);

/* FALSE: a driver has refused it or done it, with *Status.  CmpEndOperation is due in any case.  PASSIVE_LEVEL. */
BOOLEAN CmpBeginOperation(PCMP_OPERATION Operation, PNTSTATUS Status);
/* The status that the caller gets. */
NTSTATUS CmpEndOperation(PCMP_OPERATION Operation, NTSTATUS Status);

VOID CmpCloseKeyObject(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount, ULONG_PTR SystemHandleCount);
BOOLEAN CmpValidCookie(PLARGE_INTEGER Cookie);

/* Opens what RelativeTo and Path name; with Create all that is missing of Path, too.  PASSIVE_LEVEL. */
NTSTATUS CmpOpenRelative(ULONG RelativeTo, PCWSTR Path, BOOLEAN Create, PHANDLE Key);
VOID CmpCloseRelative(ULONG RelativeTo, HANDLE Key);

#endif

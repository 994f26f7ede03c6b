/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ob's private declarations.
 *
 * Locks: ObpNameLock (mutex) guards directories and names; ObpHandleLock (spin lock) the handle table.
 * Neither is held while a type's procedure runs.
 */
#ifndef FLTVM_OBP_H
#define FLTVM_OBP_H

#include <ntifs.h>
#include <fltvm.h>
#include <rtl.h>
#include <ke.h>
#include <mm.h>
#include <ob.h>

#define OBP_TAG_OBJECT 'jbO '
#define OBP_TAG_NAME   'mNbO'
#define OBP_TAG_HANDLE 'nHbO'

#define OBP_FLAG_PERMANENT 0x1
#define OBP_FLAG_EXCLUSIVE 0x2
#define OBP_MAGIC          0x624F7646 /* "FvOb" */

#define OBP_BUCKETS         32 /* to begin with; a power of two */
#define OBP_MAXIMUM_BUCKETS 16384

/* ObpNameLock.  Names are in a hash table, which becomes larger with them. */
typedef struct _OBP_DIRECTORY {
    ULONG Count;
    ULONG Buckets;
    PLIST_ENTRY Bucket; /* First, or allocated */
    LIST_ENTRY First[OBP_BUCKETS];
} OBP_DIRECTORY, *POBP_DIRECTORY;

typedef struct _OBP_SYMBOLIC_LINK {
    UNICODE_STRING Target;
} OBP_SYMBOLIC_LINK, *POBP_SYMBOLIC_LINK;

typedef struct _OBP_HEADER {
    ULONG Magic;
    ULONG Flags; /* OBP_FLAG_*; ObpNameLock */
    volatile LONG_PTR PointerCount;
    volatile LONG_PTR HandleCount; /* ObpHandleLock */
    volatile LONG_PTR Pinned;      /* references that the kernel holds: ObPinObject */
    POBJECT_TYPE Type;

    /* ObpNameLock once the object is inserted. */
    UNICODE_STRING Name;      /* last component */
    POBP_DIRECTORY Directory; /* referenced while the name is there */
    LIST_ENTRY Entry;         /* in the directory's bucket */
    PSECURITY_DESCRIPTOR SecurityDescriptor;

    /* Between ObCreateObject and ObInsertObject. */
    HANDLE RootDirectory;
    UNICODE_STRING FullName;
    ULONG Attributes;
    ULONG Hash; /* of Name; ObpNameLock */
    struct _OBP_HEADER *NextToDelete;
} OBP_HEADER, *POBP_HEADER;

C_ASSERT(sizeof(OBP_HEADER) % 16 == 0);

/* Handles' counts stand still.  IRQL <= DISPATCH_LEVEL. */
KIRQL ObpLockHandles(VOID);
VOID ObpUnlockHandles(KIRQL OldIrql);

struct _OBJECT_TYPE {
    UNICODE_STRING Name;
    OBJECT_TYPE_INITIALIZER Info;
    volatile LONG Objects;
    volatile LONG Handles;
    volatile LONG Filters; /* registrations that want to see handles to its objects: filter.c */
    BOOLEAN MayBeFiltered;
};

#define ObpHeader(Object) ((POBP_HEADER)(Object) - 1)
#define ObpBody(Header)   ((PVOID)((Header) + 1))

extern POBP_DIRECTORY ObpRoot;
extern POBP_DIRECTORY ObpTypeDirectory;
extern POBJECT_TYPE ObpTypeType;

VOID ObpInitializeNames(VOID);
VOID ObpInitializeHandles(VOID);
VOID ObpInitializeObjects(VOID);
VOID ObpLockNames(VOID);
VOID ObpUnlockNames(VOID);
VOID ObpShareNames(VOID); /* to look only */
VOID ObpUnshareNames(VOID);
NTSTATUS ObpAllocateObject(POBJECT_TYPE Type, ULONG BodySize, POBP_HEADER *Header);

/* name.c */
typedef struct _OBP_LOOKUP {
    HANDLE RootDirectory;
    PUNICODE_STRING Name;
    ULONG Attributes;
    POBJECT_TYPE Type; /* wanted, or NULL */
    KPROCESSOR_MODE AccessMode;
    PACCESS_STATE AccessState;
    PVOID ParseContext;
    PSECURITY_QUALITY_OF_SERVICE SecurityQos;
    POBP_HEADER Insert; /* object to be given the name, or NULL */
} OBP_LOOKUP, *POBP_LOOKUP;

/* *Object is referenced: what the name means, the object inserted, or with OBJ_OPENIF the one that was there.
 */
NTSTATUS ObpLookup(POBP_LOOKUP Lookup, PVOID *Object);
VOID ObpDeleteNameCheck(POBP_HEADER Header);
NTSTATUS ObpEnterType(POBJECT_TYPE Type);
VOID ObpInitializeDirectory(POBP_DIRECTORY Directory);
VOID ObpDeleteDirectory(PVOID Object);

/* handle.c */
NTSTATUS ObpCreateHandle(PVOID Object, ACCESS_MASK GrantedAccess, ULONG Attributes, PHANDLE Handle);
NTSTATUS ObpInsertHandle(PVOID Object, ACCESS_MASK GrantedAccess, ULONG Attributes, PHANDLE Handle);
ACCESS_MASK ObpMapAccess(POBJECT_TYPE Type, ACCESS_MASK DesiredAccess);
#define OBP_AUX_ACCESS_DATA 0xE0 /* bytes behind ACCESS_STATE.AuxData, as many as Windows has there */
VOID ObpInitializeAccessState(PACCESS_STATE AccessState, PVOID AuxData, POBJECT_TYPE Type, ACCESS_MASK DesiredAccess,
                              BOOLEAN Checked);

/* security.c.  PASSIVE_LEVEL.  Before an object is inserted; when somebody has come to it. */
NTSTATUS ObpAssignSecurity(POBP_HEADER Header, PSECURITY_DESCRIPTOR Explicit);
NTSTATUS ObpCheckAccess(POBP_HEADER Header, PACCESS_STATE AccessState);

/* references.c */
VOID ObpForgetObject(PVOID Object); /* which is gone */
VOID ObpCheckReferences(PVOID Base, SIZE_T Size);

/* filter.c */
#define OBP_TAG_FILTER 'tlFO'

VOID ObpInitializeFilters(VOID);
/* ObpInsertHandle between the routines that drivers have registered.  PASSIVE_LEVEL. */
NTSTATUS ObpFilterHandle(PVOID Object, ACCESS_MASK DesiredAccess, ULONG Attributes, OB_OPERATION Operation,
                         PHANDLE Handle);
VOID ObpCheckFilters(PVOID Base, SIZE_T Size);

/* callback.c */
NTSTATUS ObpInitializeCallbacks(VOID);
VOID ObpCheckCallbacks(PVOID Base, SIZE_T Size);

#endif

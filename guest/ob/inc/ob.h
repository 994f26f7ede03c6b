/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ob: objects with types, names and handles.
 *
 * Rules
 *  - An object is its body; a header stands before it.  References may be taken and given back at IRQL <=
 *    DISPATCH_LEVEL; the last one deletes the object in place at PASSIVE_LEVEL with APCs enabled, else from a
 *    system worker thread.
 *  - A name holds one reference.  It goes when the last handle does, unless the object is permanent
 *    (OBJ_PERMANENT until ObMakeTemporaryObject).
 *  - Type procedures are called at PASSIVE_LEVEL without ob's locks.
 *  - A handle is the process's in which it was made, in user and in kernel mode; one made with OBJ_KERNEL_HANDLE, which has the
 *    upper 33 bits set as on Windows, is the kernel's in every process.  They lie in one table, which knows whose each is.
 */
#ifndef FLTVM_OB_H
#define FLTVM_OB_H

#include <ntifs.h>
#include <ke.h>

typedef struct _OBJECT_TYPE OBJECT_TYPE;

typedef NTSTATUS (*OB_PARSE_METHOD)(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState,
                                    KPROCESSOR_MODE AccessMode, ULONG Attributes, PUNICODE_STRING CompleteName,
                                    PUNICODE_STRING RemainingName, PVOID Context,
                                    PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object);
/* Counts before the handle goes: 1 for the last. */
typedef VOID (*OB_CLOSE_METHOD)(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount,
                                ULONG_PTR SystemHandleCount);
typedef VOID (*OB_DELETE_METHOD)(PVOID Object);
/* A copy of the object's descriptor, in pool that ExFreePool frees; another for it, which is the object's from then on. */
typedef NTSTATUS (*OB_COPYSECURITY_METHOD)(PVOID Object, PSECURITY_DESCRIPTOR *Copy);
typedef NTSTATUS (*OB_REPLACESECURITY_METHOD)(PVOID Object, PSECURITY_DESCRIPTOR New);
typedef NTSTATUS (*OB_QUERYNAME_METHOD)(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information,
                                        ULONG Length, PULONG ReturnLength, KPROCESSOR_MODE Mode);

#define OB_NOT_WAITABLE 0xFFFF

typedef struct _OBJECT_TYPE_INITIALIZER {
    USHORT Length; /* of this structure */
    BOOLEAN CaseInsensitive;
    BOOLEAN MaintainHandleCount;
    ULONG InvalidAttributes;
    GENERIC_MAPPING GenericMapping;
    ULONG ValidAccessMask;
    POOL_TYPE PoolType; /* bodies are nonpaged whatever it says: references are counted at DISPATCH_LEVEL */
    USHORT WaitOffset;  /* of the dispatcher object in the body: 0 for the body itself, or OB_NOT_WAITABLE */
    OB_CLOSE_METHOD CloseProcedure;
    OB_DELETE_METHOD DeleteProcedure;
    OB_PARSE_METHOD ParseProcedure;
    OB_QUERYNAME_METHOD QueryNameProcedure;
    BOOLEAN
    Secured; /* an object with a name, or made with a descriptor, has one, and who opens it from user mode is asked by it */
    OB_COPYSECURITY_METHOD CopySecurityProcedure; /* of a type that keeps descriptors itself; both or none */
    OB_REPLACESECURITY_METHOD ReplaceSecurityProcedure;
    BOOLEAN Guarded; /* with the verifier on the use of a body after its end is found, at the cost of a page for each */
} OBJECT_TYPE_INITIALIZER, *POBJECT_TYPE_INITIALIZER;

extern POBJECT_TYPE ObpDirectoryType;
extern POBJECT_TYPE ObpSymbolicLinkType;

/* Types, the root, \ObjectTypes, \GLOBAL?? and its aliases \?? and \DosDevices.  After pools; no threads
 * needed. */
NTSTATUS ObInitSystem(VOID);

/*
 * The caller's reference is from now on one that is never given back but by ObUnpinObject: that of a running thread, a
 * loaded driver, a device that exists.  Who gives back more than it took is found when it comes to these.  IRQL <=
 * DISPATCH_LEVEL.
 */
VOID ObPinObject(PVOID Object);
VOID ObUnpinObject(PVOID Object);

/*
 * A reference is given to who called, by the address of that call; or is about to be taken back from there.  Drivers' are
 * noted, with the verifier on: references.c.  IRQL <= DISPATCH_LEVEL.
 */
VOID ObpNoteReference(PVOID Object, const VOID *Caller);
FORCEINLINE VOID ObNoteReference(PVOID Object, const VOID *Caller)
{
    if (KiDriverVerifierOn) {
        ObpNoteReference(Object, Caller);
    }
}
VOID ObForgetReference(PVOID Object, const VOID *Caller);

/* What a driver's import of a routine is bound to with the verifier on; NULL: to the routine itself. */
PVOID ObWatchedRoutine(PCSTR Name);

/* Bugchecks when a handle is open, or a reference held, that code of the range has opened or taken.  PASSIVE_LEVEL. */
VOID ObCheckLeft(PVOID Base, SIZE_T Size);

/* PASSIVE_LEVEL.  *ObjectType may be the address of an exported variable. */
NTSTATUS ObCreateObjectType(PUNICODE_STRING TypeName, POBJECT_TYPE_INITIALIZER Initializer,
                            PSECURITY_DESCRIPTOR SecurityDescriptor, POBJECT_TYPE *ObjectType);

/* From now on ObRegisterCallbacks takes routines for handles to this type's objects.  Any IRQL. */
VOID ObAllowFilters(POBJECT_TYPE ObjectType);

/*
 * A zeroed body with one reference; its name is captured and takes effect in ObInsertObject.  PASSIVE_LEVEL.
 */
NTSTATUS ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE ObjectType, POBJECT_ATTRIBUTES ObjectAttributes,
                        KPROCESSOR_MODE OwnershipMode, PVOID ParseContext, ULONG BodySize, ULONG PagedPoolCharge,
                        ULONG NonPagedPoolCharge, PVOID *Object);

/*
 * Gives the object its name and a handle.  With Handle the creation reference is given back and
 * AdditionalReferences new ones are added; without it stays.  On failure the object is gone.  With OBJ_OPENIF
 * an existing object may take its place: STATUS_OBJECT_NAME_EXISTS.  (ntifs.h declares it.)
 */

/* Opens by name; AccessState may be NULL.  The handle's access is what AccessState says is granted.
 * PASSIVE_LEVEL. */
NTSTATUS ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                            PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess, PVOID ParseContext, PHANDLE Handle);

/* PASSIVE_LEVEL. */
NTSTATUS ObReferenceObjectByName(PUNICODE_STRING ObjectName, ULONG Attributes, PACCESS_STATE AccessState,
                                 ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                 PVOID ParseContext, PVOID *Object);

/* Closes what a process that ends has left open, in its context; a walk over the table.  PASSIVE_LEVEL. */
VOID ObCloseProcessHandles(struct _KPROCESS *Process);

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE Handles[], WAIT_TYPE WaitType, BOOLEAN Alertable,
                                        PLARGE_INTEGER Timeout);

/* <= DISPATCH_LEVEL. */
POBJECT_TYPE ObGetObjectType(PVOID Object);
/* A reference unless the last one is gone already: for lists that hold none.  <= DISPATCH_LEVEL. */
BOOLEAN ObReferenceObjectSafe(PVOID Object);

/*
 * What a service was passed, from user mode copied: then a handle is never the kernel's, and security descriptors and qualities
 * of service are not taken over.  Attributes is what to use.  STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT,
 * STATUS_OBJECT_NAME_INVALID, STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES: nothing is to be released.
 * IRQL: PASSIVE_LEVEL.
 */
typedef struct _OB_CAPTURED {
    POBJECT_ATTRIBUTES Attributes;
    OBJECT_ATTRIBUTES Copy; /* its SecurityDescriptor is self-relative */
    UNICODE_STRING Name;
} OB_CAPTURED, *POB_CAPTURED;
NTSTATUS ObCapture(POBJECT_ATTRIBUTES Attributes, PHANDLE Handle, POB_CAPTURED Captured);
VOID ObReleaseCaptured(POB_CAPTURED Captured);

/*
 * A descriptor that user mode passes, absolute or self-relative, as a self-relative copy, which the caller frees with OB_TAG_DESCRIPTOR.
 * STATUS_UNKNOWN_REVISION; STATUS_INVALID_SECURITY_DESCR; an access violation's status.  IRQL: PASSIVE_LEVEL.
 */
#define OB_TAG_DESCRIPTOR 'cSbO'
NTSTATUS ObCaptureDescriptor(PSECURITY_DESCRIPTOR User, PSECURITY_DESCRIPTOR *Result);

/* ---- security.c: what descriptors say.  IRQL: <= APC_LEVEL. ---- */

/* What se does for ob, which it sees. */
typedef struct _OB_SECURITY {
    /* A new object's, in pool that ExFreePool frees; without an explicit one what the parent's hands down, or the maker's default. */
    NTSTATUS (*Assign)(PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit, BOOLEAN Container,
                       PGENERIC_MAPPING Mapping, PSECURITY_DESCRIPTOR *Descriptor);
    /* Moves what State still wants to what is granted, as the calling thread's subject; or STATUS_ACCESS_DENIED. */
    NTSTATUS (*Check)(PSECURITY_DESCRIPTOR Descriptor, PGENERIC_MAPPING Mapping, PACCESS_STATE State);
    /* System and administrators everything, others reading. */
    PSECURITY_DESCRIPTOR Public;
} OB_SECURITY;

extern const OB_SECURITY *ObSecurity; /* se's, once it is up: until then nobody is asked */

/* STATUS_NO_SECURITY_ON_OBJECT: it has none; STATUS_NOT_IMPLEMENTED: none of its type has. */
NTSTATUS ObCopySecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy);
NTSTATUS ObReplaceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New);
PGENERIC_MAPPING ObGetGenericMapping(PVOID Object); /* its type's */
/* A copy of a valid descriptor, self-relative, in paged pool that ExFreePool frees. */
NTSTATUS ObDuplicateDescriptor(PSECURITY_DESCRIPTOR Descriptor, PSECURITY_DESCRIPTOR *Copy);

/* The object's full name, terminated, in paged pool of this tag that is the caller's.  ObQueryNameString's statuses. */
NTSTATUS ObCopyName(PVOID Object, ULONG Tag, POBJECT_NAME_INFORMATION *Name);

/* Tells the caller its handle, if there is one; what was done is done, also if it cannot be told any more. */
NTSTATUS ObTellHandle(NTSTATUS Status, HANDLE Handle, PHANDLE Result);

/* A service's Zw name: its Nt routine with the previous mode set to KernelMode, as the system-call path does. */
#define OB_ZW(Name, Parameters, Arguments)                                                                             \
    NTSTATUS NTAPI Zw##Name Parameters                                                                                 \
    {                                                                                                                  \
        PKTHREAD Thread = KeGetCurrentThread();                                                                        \
        CCHAR Previous = Thread->PreviousMode;                                                                         \
        NTSTATUS Status;                                                                                               \
                                                                                                                       \
        Thread->PreviousMode = KernelMode;                                                                             \
        Status = Nt##Name Arguments;                                                                                   \
        Thread->PreviousMode = Previous;                                                                               \
        return Status;                                                                                                 \
    }

#endif

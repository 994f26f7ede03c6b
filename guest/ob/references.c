/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * references: those that drivers take of processes, threads, devices, files,
 * tokens and all other objects, with the verifier on: who goes and has not
 * given his back is found.
 *
 * A driver's imports of the routines that take and give back references lead
 * here; what else gives a reference to its caller (PsLookupProcessByProcessId,
 * IoGetAttachedDeviceReference …) notes it there.  The kernel's own, and the
 * machine's drivers', are not noted.  A reference has no name: one that is
 * given back is the last that code of the same image took, or where that has
 * none, somebody else's: it may be handed on.
 *
 * The table is bounded.  What finds no place is not looked after, and a note is
 * believed only as far as the object has as many references: so what is told is
 * never told too much.
 */
#include "obp.h"

#define OBP_NOTES      2048
#define OBP_NOTE_LISTS 256

typedef struct _OBP_NOTE {
    PVOID Object;
    PVOID Image; /* base of that of Caller */
    const VOID *Caller;
    USHORT Next; /* in its list, or in that of the free: number of the note, from
                  1; 0: the last */
} OBP_NOTE, *POBP_NOTE;

/* ObpNoteLock */
static KSPIN_LOCK ObpNoteLock;
static OBP_NOTE ObpNotes[OBP_NOTES];
static USHORT ObpNoteLists[OBP_NOTE_LISTS]; /* newest first */
static USHORT ObpFreeNotes;
static ULONG ObpUsedNotes; /* those behind have never been used */

static PUSHORT ObpNotesOf(const VOID *Object)
{
    return &ObpNoteLists[((ULONG_PTR)Object >> 6 ^ (ULONG_PTR)Object >> 14) % OBP_NOTE_LISTS];
}

static USHORT ObpNewNoteLocked(VOID)
{
    USHORT Number = ObpFreeNotes;

    if (Number != 0) {
        ObpFreeNotes = ObpNotes[Number - 1].Next;
    } else if (ObpUsedNotes < OBP_NOTES) {
        Number = (USHORT)++ObpUsedNotes;
    }
    return Number;
}

static VOID ObpFreeNoteLocked(PUSHORT Link)
{
    USHORT Number = *Link;
    POBP_NOTE Note = &ObpNotes[Number - 1];

    *Link = Note->Next;
    Note->Object = NULL;
    Note->Next = ObpFreeNotes;
    ObpFreeNotes = Number;
}

DECLSPEC_NOINLINE VOID ObpNoteReference(PVOID Object, const VOID *Caller)
{
    PVOID Image;
    USHORT Number;
    KIRQL Irql;

    if (KiClassifyCode == NULL || KiClassifyCode((ULONG64)Caller) != KiDriverCode) {
        return;
    }
    RtlPcToFileHeader((PVOID)Caller, &Image);
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpNoteLock);
    Number = ObpNewNoteLocked();
    if (Number != 0) {
        PUSHORT List = ObpNotesOf(Object);

        ObpNotes[Number - 1] = (OBP_NOTE){.Object = Object, .Image = Image, .Caller = Caller, .Next = *List};
        *List = Number;
    }
    KeReleaseSpinLock(&ObpNoteLock, Irql);
}

/* Before it is given back. */
VOID ObForgetReference(PVOID Object, const VOID *Caller)
{
    PUSHORT Best = NULL;
    PVOID Image;
    KIRQL Irql;

    if (!KiDriverVerifierOn || *ObpNotesOf(Object) == 0 || KiClassifyCode((ULONG64)Caller) != KiDriverCode) {
        return;
    }
    RtlPcToFileHeader((PVOID)Caller, &Image);
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpNoteLock);
    for (PUSHORT Link = ObpNotesOf(Object); *Link != 0; Link = &ObpNotes[*Link - 1].Next) {
        POBP_NOTE Note = &ObpNotes[*Link - 1];

        if (Note->Object == Object && (Best == NULL || Note->Image == Image)) {
            Best = Link;
        }
        if (Note->Object == Object && Note->Image == Image) {
            break;
        }
    }
    if (Best != NULL) {
        ObpFreeNoteLocked(Best);
    }
    KeReleaseSpinLock(&ObpNoteLock, Irql);
}

VOID ObpForgetObject(PVOID Object)
{
    KIRQL Irql;

    if (*ObpNotesOf(Object) == 0) {
        return;
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpNoteLock);
    for (PUSHORT Link = ObpNotesOf(Object); *Link != 0;) {
        if (ObpNotes[*Link - 1].Object == Object) {
            ObpFreeNoteLocked(Link);
        } else {
            Link = &ObpNotes[*Link - 1].Next;
        }
    }
    KeReleaseSpinLock(&ObpNoteLock, Irql);
}

static LONG_PTR ObpCountNotesLocked(PVOID Object)
{
    LONG_PTR Count = 0;

    for (USHORT Number = *ObpNotesOf(Object); Number != 0; Number = ObpNotes[Number - 1].Next) {
        Count += ObpNotes[Number - 1].Object == Object;
    }
    return Count;
}

/* An object of which code of the range has a reference, and where it took it.
 */
static PVOID ObpFindNoteOf(PVOID Base, SIZE_T Size, const VOID **Caller)
{
    PVOID Object = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&ObpNoteLock);

    for (ULONG Index = 0; Index < ObpUsedNotes && Object == NULL; Index++) {
        POBP_NOTE Note = &ObpNotes[Index];

        if (Note->Object != NULL && (ULONG_PTR)Note->Caller - (ULONG_PTR)Base < Size) {
            POBP_HEADER Header = ObpHeader(Note->Object);

            if (Header->PointerCount - Header->HandleCount - Header->Pinned >= ObpCountNotesLocked(Note->Object)) {
                Object = Note->Object;
                *Caller = Note->Caller;
            }
        }
    }
    KeReleaseSpinLock(&ObpNoteLock, Irql);
    return Object;
}

VOID ObpCheckReferences(PVOID Base, SIZE_T Size)
{
    const VOID *Caller;
    PVOID Object = ObpFindNoteOf(Base, Size, &Caller);
    CHAR What[64];

    if (Object == NULL) {
        return;
    }
    _snprintf(What, sizeof(What), "reference to an object, %wZ", &ObpHeader(Object)->Type->Name);
    What[sizeof(What) - 1] = 0;
    KeReportLeft(What, Object, Caller);
}

LONG_PTR NTAPI FvReferenceForCaller(PVOID Object, PVOID Caller)
{
    LONG_PTR Count = ObfReferenceObject(Object);

    ObNoteReference(Object, Caller);
    return Count;
}

/* ---- what drivers' imports are bound to ---- */

static LONG_PTR FASTCALL ObpVfObfReferenceObject(PVOID Object)
{
    LONG_PTR Count = ObfReferenceObject(Object);

    ObpNoteReference(Object, _ReturnAddress());
    return Count;
}

static LONG_PTR FASTCALL ObpVfObfReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    LONG_PTR Count = ObfReferenceObjectWithTag(Object, Tag);

    ObpNoteReference(Object, _ReturnAddress());
    return Count;
}

static NTSTATUS NTAPI ObpVfObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                      KPROCESSOR_MODE AccessMode)
{
    NTSTATUS Status = ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);

    if (NT_SUCCESS(Status)) {
        ObpNoteReference(Object, _ReturnAddress());
    }
    return Status;
}

static NTSTATUS NTAPI ObpVfObReferenceObjectByPointerWithTag(PVOID Object, ACCESS_MASK DesiredAccess,
                                                             POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                                             ULONG Tag)
{
    NTSTATUS Status = ObReferenceObjectByPointerWithTag(Object, DesiredAccess, ObjectType, AccessMode, Tag);

    if (NT_SUCCESS(Status)) {
        ObpNoteReference(Object, _ReturnAddress());
    }
    return Status;
}

/* What user mode can close or exchange at any moment is not to be taken for the kernel's. */
static VOID ObpCheckHandleMode(HANDLE Handle, KPROCESSOR_MODE Mode, const VOID *Caller)
{
    PKPROCESS Process = KeGetCurrentThread()->ApcState.Process;

    if (Mode != KernelMode || ObIsKernelHandle(Handle) || Handle == ZwCurrentProcess() || Handle == ZwCurrentThread() ||
        Process->UserApcDispatcher == 0) {
        return;
    }
    FvBlame(Caller);
    FvReport("rule=a user-mode handle is referenced as the kernel's: AccessMode is KernelMode\n");
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xF6, (ULONG_PTR)Handle, (ULONG_PTR)Process, (ULONG_PTR)Caller);
}

static NTSTATUS NTAPI ObpVfObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                     KPROCESSOR_MODE AccessMode, PVOID *Object,
                                                     POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);

    if (NT_SUCCESS(Status)) {
        ObpCheckHandleMode(Handle, AccessMode, _ReturnAddress());
        ObpNoteReference(*Object, _ReturnAddress());
    }
    return Status;
}

static NTSTATUS NTAPI ObpVfObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess,
                                                            POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                                            ULONG Tag, PVOID *Object,
                                                            POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NTSTATUS Status =
        ObReferenceObjectByHandleWithTag(Handle, DesiredAccess, ObjectType, AccessMode, Tag, Object, HandleInformation);

    if (NT_SUCCESS(Status)) {
        ObpCheckHandleMode(Handle, AccessMode, _ReturnAddress());
        ObpNoteReference(*Object, _ReturnAddress());
    }
    return Status;
}

static LONG_PTR FASTCALL ObpVfObfDereferenceObject(PVOID Object)
{
    ObForgetReference(Object, _ReturnAddress());
    return ObfDereferenceObject(Object);
}

static LONG_PTR FASTCALL ObpVfObfDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    ObForgetReference(Object, _ReturnAddress());
    return ObfDereferenceObjectWithTag(Object, Tag);
}

static VOID NTAPI ObpVfObDereferenceObjectDeferDelete(PVOID Object)
{
    ObForgetReference(Object, _ReturnAddress());
    ObDereferenceObjectDeferDelete(Object);
}

static VOID NTAPI ObpVfObDereferenceObjectDeferDeleteWithTag(PVOID Object, ULONG Tag)
{
    ObForgetReference(Object, _ReturnAddress());
    ObDereferenceObjectDeferDeleteWithTag(Object, Tag);
}

#define OBP_WATCH(Name) {#Name, (PVOID)ObpVf##Name}

static const struct {
    PCSTR Name;
    PVOID Routine;
} ObpWatched[] = {
    OBP_WATCH(ObfReferenceObject),
    OBP_WATCH(ObfReferenceObjectWithTag),
    OBP_WATCH(ObReferenceObjectByPointer),
    OBP_WATCH(ObReferenceObjectByPointerWithTag),
    OBP_WATCH(ObReferenceObjectByHandle),
    OBP_WATCH(ObReferenceObjectByHandleWithTag),
    OBP_WATCH(ObfDereferenceObject),
    OBP_WATCH(ObfDereferenceObjectWithTag),
    OBP_WATCH(ObDereferenceObjectDeferDelete),
    OBP_WATCH(ObDereferenceObjectDeferDeleteWithTag),
};

PVOID ObWatchedRoutine(PCSTR Name)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ObpWatched); Index++) {
        if (strcmp(Name, ObpWatched[Index].Name) == 0) {
            return ObpWatched[Index].Routine;
        }
    }
    return NULL;
}

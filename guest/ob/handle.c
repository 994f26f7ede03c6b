/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handles: one table for the machine, in chunks that never move.
 *
 * A handle is four times its index; OBJ_KERNEL_HANDLE adds the upper 33 bits.  Index 0 is never given out.
 * Closing runs the type's close procedure, takes the name away with the last handle, and drops the handle's
 * reference.
 */
#include "obp.h"

#define OBP_CHUNK         256
#define OBP_CHUNKS        256
#define OBP_KERNEL_HANDLE 0xFFFFFFFF80000000ULL

typedef struct _OBP_HANDLE {
    PVOID Object; /* NULL: free */
    ACCESS_MASK GrantedAccess;
    ULONG Attributes;  /* or, when free, the index of the next free one */
    PKPROCESS Owner;   /* whose user mode may use it, and with whom it ends; NULL for kernel handles */
    const VOID *Maker; /* with the verifier: the driver's code that opened it */
} OBP_HANDLE, *POBP_HANDLE;

/* ObpHandleLock */
static KSPIN_LOCK ObpHandleLock;
static POBP_HANDLE ObpChunks[OBP_CHUNKS];
static ULONG ObpChunkCount;
static ULONG ObpFirstFree; /* 0: none */

VOID ObpInitializeHandles(VOID)
{
    KeInitializeSpinLock(&ObpHandleLock);
}

KIRQL ObpLockHandles(VOID)
{
    return KeAcquireSpinLockRaiseToDpc(&ObpHandleLock);
}

VOID ObpUnlockHandles(KIRQL OldIrql)
{
    KeReleaseSpinLock(&ObpHandleLock, OldIrql);
}

/* NULL for what is no open handle: also for one of another process's, and for a kernel handle without what makes it one. */
static POBP_HANDLE ObpEntryLocked(HANDLE Handle)
{
    PKPROCESS Owner = (ULONG64)Handle >= OBP_KERNEL_HANDLE ? NULL : KeGetCurrentThread()->ApcState.Process;
    ULONG64 Value = (ULONG64)Handle;
    ULONG Index;
    POBP_HANDLE Entry;

    if (Value >= OBP_KERNEL_HANDLE) {
        Value &= ~OBP_KERNEL_HANDLE;
    }
    if ((Value & 3) != 0 || Value >= 4ULL * OBP_CHUNK * OBP_CHUNKS) {
        return NULL;
    }
    Index = (ULONG)(Value / 4);
    if (Index / OBP_CHUNK >= ObpChunkCount) {
        return NULL;
    }
    Entry = &ObpChunks[Index / OBP_CHUNK][Index % OBP_CHUNK];
    return Entry->Object != NULL && Entry->Owner == Owner ? Entry : NULL;
}

/* Whether Mode may use it, if it is one: kernel handles are not user mode's. */
static BOOLEAN ObpIsForMode(HANDLE Handle, KPROCESSOR_MODE Mode)
{
    return Mode == KernelMode || (ULONG64)Handle < OBP_KERNEL_HANDLE;
}

static BOOLEAN ObpGrow(VOID)
{
    POBP_HANDLE Chunk = ExAllocatePoolWithTag(NonPagedPoolNx, OBP_CHUNK * sizeof(*Chunk), OBP_TAG_HANDLE);
    KIRQL Irql;
    ULONG Base;
    ULONG Index;

    if (Chunk == NULL) {
        return FALSE;
    }
    RtlZeroMemory(Chunk, OBP_CHUNK * sizeof(*Chunk));
    KeAcquireSpinLock(&ObpHandleLock, &Irql);
    if (ObpChunkCount == OBP_CHUNKS) {
        KeReleaseSpinLock(&ObpHandleLock, Irql);
        ExFreePoolWithTag(Chunk, OBP_TAG_HANDLE);
        return FALSE;
    }
    Base = ObpChunkCount * OBP_CHUNK;
    for (Index = OBP_CHUNK; Index-- > (Base == 0 ? 1u : 0u);) {
        Chunk[Index].Attributes = ObpFirstFree;
        ObpFirstFree = Base + Index;
    }
    ObpChunks[ObpChunkCount++] = Chunk;
    KeReleaseSpinLock(&ObpHandleLock, Irql);
    return TRUE;
}

ACCESS_MASK ObpMapAccess(POBJECT_TYPE Type, ACCESS_MASK DesiredAccess)
{
    if ((DesiredAccess & MAXIMUM_ALLOWED) != 0) {
        DesiredAccess = (DesiredAccess & ~MAXIMUM_ALLOWED) | Type->Info.ValidAccessMask;
    }
    RtlMapGenericMask(&DesiredAccess, &Type->Info.GenericMapping);
    return DesiredAccess;
}

/* What an opener without a state of its own gets: kernel mode everything it asked for, others that it is still to be asked. */
VOID ObpInitializeAccessState(PACCESS_STATE AccessState, PVOID AuxData, POBJECT_TYPE Type, ACCESS_MASK DesiredAccess,
                              BOOLEAN Checked)
{
    RtlZeroMemory(AccessState, sizeof(*AccessState));
    RtlZeroMemory(AuxData, OBP_AUX_ACCESS_DATA);
    AccessState->OriginalDesiredAccess = DesiredAccess;
    AccessState->AuxData = AuxData;
    if (Checked) {
        if (Type != NULL)
            RtlMapGenericMask(&DesiredAccess, &Type->Info.GenericMapping);
        AccessState->RemainingDesiredAccess = DesiredAccess;
    } else {
        AccessState->PreviouslyGrantedAccess = Type != NULL ? ObpMapAccess(Type, DesiredAccess) : DesiredAccess;
    }
}

/* Takes a reference of its own for the handle.  PASSIVE_LEVEL. */
NTSTATUS ObpInsertHandle(PVOID Object, ACCESS_MASK GrantedAccess, ULONG Attributes, PHANDLE Handle)
{
    const VOID *Maker = FvVerifierEnabled() ? KeFindDriverCaller() : NULL;
    POBP_HANDLE Entry;
    ULONG64 Value;
    KIRQL Irql;
    ULONG Index;

    for (;;) {
        KeAcquireSpinLock(&ObpHandleLock, &Irql);
        if (ObpFirstFree != 0) {
            break;
        }
        KeReleaseSpinLock(&ObpHandleLock, Irql);
        if (!ObpGrow()) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    Index = ObpFirstFree;
    Entry = &ObpChunks[Index / OBP_CHUNK][Index % OBP_CHUNK];
    ObpFirstFree = Entry->Attributes;
    Entry->Object = Object;
    Entry->Maker = Maker;
    Entry->Owner = (Attributes & OBJ_KERNEL_HANDLE) != 0 ? NULL : KeGetCurrentThread()->ApcState.Process;
    Entry->GrantedAccess = GrantedAccess;
    Entry->Attributes = Attributes;
    ObReferenceObject(Object);
    ObpHeader(Object)->HandleCount++;
    KeReleaseSpinLock(&ObpHandleLock, Irql);
    InterlockedIncrement(&ObpHeader(Object)->Type->Handles);
    Value = 4ULL * Index;
    if ((Attributes & OBJ_KERNEL_HANDLE) != 0) {
        Value |= OBP_KERNEL_HANDLE;
    }
    *Handle = (HANDLE)Value;
    return STATUS_SUCCESS;
}

NTSTATUS ObpCreateHandle(PVOID Object, ACCESS_MASK GrantedAccess, ULONG Attributes, PHANDLE Handle)
{
    if (ObpHeader(Object)->Type->Filters == 0) {
        return ObpInsertHandle(Object, GrantedAccess, Attributes, Handle);
    }
    return ObpFilterHandle(Object, GrantedAccess, Attributes, OB_OPERATION_HANDLE_CREATE, Handle);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    ULONG_PTR Count;
    POBP_HANDLE Entry;
    POBP_HEADER Header;
    PVOID Object;
    KIRQL Irql;

    if (Handle == ZwCurrentProcess() || Handle == ZwCurrentThread()) {
        return STATUS_SUCCESS;
    }
    KeAcquireSpinLock(&ObpHandleLock, &Irql);
    Entry = ObpEntryLocked(Handle);
    if (Entry == NULL || !ObpIsForMode(Handle, PreviousMode)) {
        KeReleaseSpinLock(&ObpHandleLock, Irql);
        /* NULL, also as a kernel handle, is never a handle: who closes it knows that there was none. */
        if (PreviousMode == KernelMode && ((ULONG64)Handle & ~OBP_KERNEL_HANDLE) != 0 && FvVerifierEnabled()) {
            KeBugCheckEx(INVALID_KERNEL_HANDLE, (ULONG_PTR)Handle, 1, 0, 0);
        }
        return STATUS_INVALID_HANDLE;
    }
    Object = Entry->Object;
    Header = ObpHeader(Object);
    Entry->Object = NULL;
    Entry->Attributes = ObpFirstFree;
    ObpFirstFree = (ULONG)(((ULONG64)Handle & ~OBP_KERNEL_HANDLE) / 4);
    Count = (ULONG_PTR)Header->HandleCount;
    KeReleaseSpinLock(&ObpHandleLock, Irql);

    if (Header->Type->Info.CloseProcedure != NULL) {
        Header->Type->Info.CloseProcedure((PEPROCESS)KeGetCurrentThread()->ApcState.Process, Object, Count, Count);
    }
    KeAcquireSpinLock(&ObpHandleLock, &Irql);
    Count = (ULONG_PTR)--Header->HandleCount;
    KeReleaseSpinLock(&ObpHandleLock, Irql);
    InterlockedDecrement(&Header->Type->Handles);
    if (Count == 0) {
        ObpDeleteNameCheck(Header);
    }
    ObDereferenceObject(Object);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtClose(HANDLE Handle)
{
    return ObCloseHandle(Handle, ExGetPreviousMode());
}

NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
    return ObCloseHandle(Handle, KernelMode);
}

/* Any IRQL. */
BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle)
{
    return (ULONG64)Handle >= OBP_KERNEL_HANDLE && Handle != ZwCurrentProcess() && Handle != ZwCurrentThread();
}

static NTSTATUS ObpReferencePseudoHandle(PVOID Object, POBJECT_TYPE ObjectType, PVOID *Result,
                                         POBJECT_HANDLE_INFORMATION HandleInformation)
{
    if (ObjectType != NULL && ObpHeader(Object)->Type != ObjectType) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    ObReferenceObject(Object);
    *Result = Object;
    if (HandleInformation != NULL) {
        HandleInformation->HandleAttributes = 0;
        HandleInformation->GrantedAccess = ObpHeader(Object)->Type->Info.ValidAccessMask;
    }
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  The access is checked for user mode only. */
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                         KPROCESSOR_MODE AccessMode, PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NTSTATUS Status = STATUS_SUCCESS;
    POBP_HANDLE Entry;
    KIRQL Irql;

    *Object = NULL;
    if (Handle == ZwCurrentProcess()) {
        return ObpReferencePseudoHandle(KeGetCurrentThread()->ApcState.Process, ObjectType, Object, HandleInformation);
    }
    if (Handle == ZwCurrentThread()) {
        return ObpReferencePseudoHandle(KeGetCurrentThread(), ObjectType, Object, HandleInformation);
    }
    KeAcquireSpinLock(&ObpHandleLock, &Irql);
    Entry = ObpEntryLocked(Handle);
    if (Entry == NULL || !ObpIsForMode(Handle, AccessMode)) {
        Status = STATUS_INVALID_HANDLE;
    } else if (ObjectType != NULL && ObpHeader(Entry->Object)->Type != ObjectType) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    } else if (AccessMode != KernelMode &&
               (ObpMapAccess(ObpHeader(Entry->Object)->Type, DesiredAccess) & ~Entry->GrantedAccess) != 0) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        ObReferenceObject(Entry->Object);
        *Object = Entry->Object;
        if (HandleInformation != NULL) {
            HandleInformation->HandleAttributes = Entry->Attributes & OBJ_INHERIT;
            HandleInformation->GrantedAccess = Entry->GrantedAccess;
        }
    }
    KeReleaseSpinLock(&ObpHandleLock, Irql);
    return Status;
}

NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                                KPROCESSOR_MODE AccessMode, ULONG Tag, PVOID *Object,
                                                POBJECT_HANDLE_INFORMATION HandleInformation)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PACCESS_STATE PassedAccessState,
                                     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                     PHANDLE Handle)
{
    POBJECT_TYPE Type = ObpHeader(Object)->Type;

    *Handle = NULL;
    if (ObjectType != NULL && Type != ObjectType) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (ObjectType == NULL && AccessMode != KernelMode) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if ((HandleAttributes & Type->Info.InvalidAttributes) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (PassedAccessState != NULL) {
        DesiredAccess |= PassedAccessState->PreviouslyGrantedAccess | PassedAccessState->RemainingDesiredAccess;
    }
    return ObpCreateHandle(Object, ObpMapAccess(Type, DesiredAccess), HandleAttributes, Handle);
}

NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes, PACCESS_STATE PassedAccessState,
                                            ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                            KPROCESSOR_MODE AccessMode, ULONG Tag, PHANDLE Handle)
{
    UNREFERENCED_PARAMETER(Tag);
    return ObOpenObjectByPointer(Object, HandleAttributes, PassedAccessState, DesiredAccess, ObjectType, AccessMode,
                                 Handle);
}

/* In the process whose handle it is, from here to ObpLeaveProcess; the current one costs nothing. */
static NTSTATUS ObpEnterProcess(HANDLE ProcessHandle, PVOID *Process, PKAPC_STATE ApcState)
{
    POBJECT_TYPE ProcessType = ObpHeader(KeGetCurrentThread()->ApcState.Process)->Type;
    NTSTATUS Status =
        ObReferenceObjectByHandle(ProcessHandle, PROCESS_DUP_HANDLE, ProcessType, ExGetPreviousMode(), Process, NULL);

    if (NT_SUCCESS(Status)) {
        KeStackAttachProcess(*Process, ApcState);
    }
    return Status;
}

static VOID ObpLeaveProcess(PVOID Process, PKAPC_STATE ApcState)
{
    KeUnstackDetachProcess(ApcState);
    ObDereferenceObject(Process);
}

static NTSTATUS ObpDuplicateTo(HANDLE ProcessHandle, PVOID Object, ACCESS_MASK DesiredAccess, ULONG Attributes,
                               PHANDLE TargetHandle)
{
    KAPC_STATE ApcState;
    HANDLE Handle = NULL;
    PVOID Process;
    NTSTATUS Status = ObpEnterProcess(ProcessHandle, &Process, &ApcState);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    DesiredAccess = ObpMapAccess(ObpHeader(Object)->Type, DesiredAccess);
    Status = ObpHeader(Object)->Type->Filters == 0
                 ? ObpInsertHandle(Object, DesiredAccess, Attributes, &Handle)
                 : ObpFilterHandle(Object, DesiredAccess, Attributes, OB_OPERATION_HANDLE_DUPLICATE, &Handle);
    ObpLeaveProcess(Process, &ApcState);
    *TargetHandle = Handle; /* which lies in the caller's process */
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_INVALID_HANDLE: also of a process.  (ZwDuplicateObject) */
NTSTATUS NTAPI ZwDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle, HANDLE TargetProcessHandle,
                                 PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
    OBJECT_HANDLE_INFORMATION Information;
    KAPC_STATE ApcState;
    PVOID Object, Process;
    NTSTATUS Status = ObpEnterProcess(SourceProcessHandle, &Process, &ApcState);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(SourceHandle, 0, NULL, KernelMode, &Object, &Information);
    if (NT_SUCCESS(Status) && (Options & DUPLICATE_CLOSE_SOURCE) != 0) {
        ObCloseHandle(SourceHandle, KernelMode);
    }
    ObpLeaveProcess(Process, &ApcState);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((Options & DUPLICATE_SAME_ACCESS) != 0) {
        DesiredAccess = Information.GrantedAccess;
    }
    if ((Options & DUPLICATE_SAME_ATTRIBUTES) != 0) {
        HandleAttributes = Information.HandleAttributes | (ObIsKernelHandle(SourceHandle) ? OBJ_KERNEL_HANDLE : 0);
    }
    if (TargetHandle != NULL) {
        Status = ObpDuplicateTo(TargetProcessHandle, Object, DesiredAccess, HandleAttributes, TargetHandle);
    }
    ObDereferenceObject(Object);
    return Status;
}

VOID ObCloseProcessHandles(PKPROCESS Process)
{
    for (ULONG Index = 1; Index < ObpChunkCount * OBP_CHUNK; Index++) {
        KIRQL Irql = ObpLockHandles();
        POBP_HANDLE Entry = &ObpChunks[Index / OBP_CHUNK][Index % OBP_CHUNK];
        BOOLEAN Close = Entry->Object != NULL && Entry->Owner == Process;

        ObpUnlockHandles(Irql);
        if (Close) {
            ObCloseHandle((HANDLE)(4ULL * Index), KernelMode);
        }
    }
}

/* A handle that code of the range has opened; what it is, and where it was opened. */
static PVOID ObpFindHandleOf(PVOID Base, SIZE_T Size, POBP_HANDLE Copy)
{
    PVOID Object = NULL;
    KIRQL Irql = ObpLockHandles();

    for (ULONG Index = 1; Index < ObpChunkCount * OBP_CHUNK && Object == NULL; Index++) {
        POBP_HANDLE Entry = &ObpChunks[Index / OBP_CHUNK][Index % OBP_CHUNK];

        if (Entry->Object != NULL && (ULONG_PTR)Entry->Maker - (ULONG_PTR)Base < Size) {
            *Copy = *Entry;
            Object = Entry->Object;
        }
    }
    ObpUnlockHandles(Irql);
    return Object;
}

VOID ObCheckLeft(PVOID Base, SIZE_T Size)
{
    OBP_HANDLE Handle;
    PVOID Object = ObpFindHandleOf(Base, Size, &Handle);
    CHAR What[64];

    ObpCheckFilters(Base, Size);
    ObpCheckCallbacks(Base, Size);
    if (Object != NULL) {
        _snprintf(What, sizeof(What), "open handle, %wZ", &ObpHeader(Object)->Type->Name);
        What[sizeof(What) - 1] = 0;
        KeReportLeft(What, Object, Handle.Maker);
    }
    ObpCheckReferences(Base, Size);
}

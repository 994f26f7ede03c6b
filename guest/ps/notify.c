/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: routines that drivers register for processes, threads and images.  They run at PASSIVE_LEVEL in order of
 * registration; a slot that is in use when its routine is removed is waited for.
 */
#include "psp.h"

typedef struct _PSP_NOTIFY_SLOT {
    PVOID volatile Routine;
    BOOLEAN Extended; /* of a process: with information; of a thread: called in the new thread itself */
    volatile LONG Users;
} PSP_NOTIFY_SLOT;

static PSP_NOTIFY_SLOT PspProcessNotify[PSP_NOTIFY_SLOTS], PspThreadNotify[PSP_NOTIFY_SLOTS];
static PSP_NOTIFY_SLOT PspImageNotify[PSP_NOTIFY_SLOTS];

#define PSP_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1

static NTSTATUS PspAddNotify(PSP_NOTIFY_SLOT *Slots, PVOID Routine, BOOLEAN Extended, NTSTATUS Full)
{
    BOOLEAN Redundant = FALSE;
    NTSTATUS Status = Full;
    KIRQL OldIrql;

    KeCheckRoutine(Routine, "notify routine");
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    /* The documentation refuses a second registration for processes only. */
    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS && Slots == PspProcessNotify; i++) {
        Redundant |= Slots[i].Routine == Routine;
    }
    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS && !Redundant; i++) {
        if (Slots[i].Routine == NULL && Slots[i].Users == 0) {
            Slots[i].Routine = Routine;
            Slots[i].Extended = Extended;
            Status = STATUS_SUCCESS;
            break;
        }
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    return Status;
}

static NTSTATUS PspRemoveNotify(PSP_NOTIFY_SLOT *Slots, PVOID Routine)
{
    LARGE_INTEGER Tick = {.QuadPart = -10000};
    PSP_NOTIFY_SLOT *Slot = NULL;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS && Routine != NULL; i++) {
        if (Slots[i].Routine == Routine) {
            Slot = &Slots[i];
            Slot->Routine = NULL;
            break;
        }
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    if (Slot == NULL) {
        return STATUS_PROCEDURE_NOT_FOUND;
    }
    while (Slot->Users != 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
    return STATUS_SUCCESS;
}

/* The routine of a slot, held until PspLeaveSlot; NULL when it has none. */
static PVOID PspEnterSlot(PSP_NOTIFY_SLOT *Slot)
{
    PVOID Routine;
    KIRQL OldIrql;

    if (Slot->Routine == NULL) {
        return NULL;
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    Routine = Slot->Routine;
    if (Routine != NULL) {
        Slot->Users++;
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    return Routine;
}

static VOID PspLeaveSlot(PSP_NOTIFY_SLOT *Slot)
{
    InterlockedDecrement(&Slot->Users);
}

NTSTATUS PspNotifyProcess(PEPROCESS Process, BOOLEAN Create)
{
    PS_CREATE_NOTIFY_INFO Info;
    FV_CALL Call;

    RtlZeroMemory(&Info, sizeof(Info));
    Info.Size = sizeof(Info);
    Info.ParentProcessId = Process->InheritedFromUniqueProcessId;
    Info.CreatingThreadId = PsGetCurrentThread()->Cid;
    Info.ImageFileName = &Process->ImageName;
    Info.CommandLine = &Process->ImageName;
    Info.FileOpenNameAvailable = TRUE;
    Info.FileObject = Process->ImageFile;
    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS; i++) {
        PVOID Routine = PspEnterSlot(&PspProcessNotify[i]);

        if (Routine == NULL) {
            continue;
        }
        FvBeginCall(&Call);
        if (PspProcessNotify[i].Extended) {
            ((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)Routine)(Process, Process->UniqueProcessId, Create ? &Info : NULL);
        } else {
            ((PCREATE_PROCESS_NOTIFY_ROUTINE)Routine)(Process->InheritedFromUniqueProcessId, Process->UniqueProcessId,
                                                      Create);
        }
        FvEndCall(&Call, Routine, "process notify routine", (ULONG_PTR)Process);
        PspLeaveSlot(&PspProcessNotify[i]);
    }
    return Info.CreationStatus;
}

/* Own: in the new thread itself, which is no system thread, before it runs what it was created for. */
VOID PspNotifyThread(PETHREAD Thread, BOOLEAN Create, BOOLEAN Own)
{
    FV_CALL Call;

    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS; i++) {
        PVOID Routine = PspEnterSlot(&PspThreadNotify[i]);

        if (Routine == NULL) {
            continue;
        }
        if (PspThreadNotify[i].Extended ? (Own || !Create) && !Thread->SystemThread : !Own) {
            FvBeginCall(&Call);
            ((PCREATE_THREAD_NOTIFY_ROUTINE)Routine)(Thread->Cid.UniqueProcess, Thread->Cid.UniqueThread, Create);
            FvEndCall(&Call, Routine, "thread notify routine", (ULONG_PTR)Thread);
        }
        PspLeaveSlot(&PspThreadNotify[i]);
    }
}

/* In a critical region, as documented; a driver's image belongs to no process. */
VOID PsNotifyImage(PUNICODE_STRING FullName, PEPROCESS Process, PFILE_OBJECT FileObject, PVOID Base, SIZE_T Size)
{
    IMAGE_INFO_EX Info;
    FV_CALL Call;

    RtlZeroMemory(&Info, sizeof(Info));
    Info.Size = sizeof(Info);
    Info.ImageInfo.ImageAddressingMode = 3; /* IMAGE_ADDRESSING_MODE_32BIT, which is all there is */
    Info.ImageInfo.SystemModeImage = Process == NULL;
    Info.ImageInfo.ExtendedInfoPresent = FileObject != NULL;
    Info.FileObject = FileObject;
    Info.ImageInfo.ImageBase = Base;
    Info.ImageInfo.ImageSize = Size;
    KeEnterCriticalRegion();
    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS; i++) {
        PVOID Routine = PspEnterSlot(&PspImageNotify[i]);

        if (Routine != NULL) {
            FvBeginCall(&Call);
            ((PLOAD_IMAGE_NOTIFY_ROUTINE)Routine)(FullName, Process != NULL ? Process->UniqueProcessId : NULL,
                                                  &Info.ImageInfo);
            FvEndCall(&Call, Routine, "image notify routine", (ULONG_PTR)Base);
            PspLeaveSlot(&PspImageNotify[i]);
        }
    }
    KeLeaveCriticalRegion();
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine, BOOLEAN Remove)
{
    return Remove ? PspRemoveNotify(PspProcessNotify, (PVOID)NotifyRoutine)
                  : PspAddNotify(PspProcessNotify, (PVOID)NotifyRoutine, FALSE, STATUS_INVALID_PARAMETER);
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine, BOOLEAN Remove)
{
    return Remove ? PspRemoveNotify(PspProcessNotify, (PVOID)NotifyRoutine)
                  : PspAddNotify(PspProcessNotify, (PVOID)NotifyRoutine, TRUE, STATUS_INVALID_PARAMETER);
}

NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    return PspAddNotify(PspThreadNotify, (PVOID)NotifyRoutine, FALSE, STATUS_INSUFFICIENT_RESOURCES);
}

NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    return PspRemoveNotify(PspThreadNotify, (PVOID)NotifyRoutine);
}

/* IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER also for a type that is not PsCreateProcessNotifySubsystems. */
NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType, PVOID NotifyInformation,
                                                  BOOLEAN Remove)
{
    PAGED_CODE();
    if (NotifyType != PsCreateProcessNotifySubsystems) {
        return STATUS_INVALID_PARAMETER;
    }
    return PsSetCreateProcessNotifyRoutineEx((PCREATE_PROCESS_NOTIFY_ROUTINE_EX)NotifyInformation, Remove);
}

/* IRQL: PASSIVE_LEVEL.  PsCreateThreadNotifyNonSystem runs in the new thread, PsCreateThreadNotifySubsystems in its creator. */
NTSTATUS NTAPI PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType, PVOID NotifyInformation)
{
    PAGED_CODE();
    if ((ULONG)NotifyType > PsCreateThreadNotifySubsystems) {
        return STATUS_INVALID_PARAMETER;
    }
    return PspAddNotify(PspThreadNotify, NotifyInformation, NotifyType == PsCreateThreadNotifyNonSystem,
                        STATUS_INSUFFICIENT_RESOURCES);
}

/* IRQL: PASSIVE_LEVEL.  STATUS_INSUFFICIENT_RESOURCES: 64 are registered. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    return PsSetLoadImageNotifyRoutineEx(NotifyRoutine, 0);
}

/* IRQL: PASSIVE_LEVEL.  Images of another architecture are not loaded here, so the flag changes nothing. */
NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine, ULONG_PTR Flags)
{
    PAGED_CODE();
    if ((Flags & ~(ULONG_PTR)PSP_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE) != 0) {
        return STATUS_INVALID_PARAMETER_2;
    }
    return PspAddNotify(PspImageNotify, (PVOID)NotifyRoutine, FALSE, STATUS_INSUFFICIENT_RESOURCES);
}

/* IRQL: <= APC_LEVEL.  STATUS_PROCEDURE_NOT_FOUND: it is not registered. */
NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    return PspRemoveNotify(PspImageNotify, (PVOID)NotifyRoutine);
}

static VOID PspCheckLeft(const PSP_NOTIFY_SLOT *Slots, PCSTR What, PVOID Base, SIZE_T Size)
{
    for (ULONG i = 0; i < PSP_NOTIFY_SLOTS; i++) {
        if ((ULONG_PTR)Slots[i].Routine - (ULONG_PTR)Base < Size) {
            KeReportLeft(What, (PVOID)&Slots[i], Slots[i].Routine);
        }
    }
}

VOID PsCheckLeft(PVOID Base, SIZE_T Size)
{
    PspCheckLeft(PspProcessNotify, "process notify routine", Base, Size);
    PspCheckLeft(PspThreadNotify, "thread notify routine", Base, Size);
    PspCheckLeft(PspImageNotify, "image notify routine", Base, Size);
}

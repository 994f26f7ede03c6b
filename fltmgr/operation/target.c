/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.c: files that filters opened below an instance (FltCreateFile and its kin).
 *
 * The create carries its target down as an extra create parameter, so that it is known whose it is however it
 * came here; from then on the file object has it, and whatever is done with the file, also by its handle,
 * begins below the same instance.  When that instance goes, those below it still have a file that they have
 * seen opened: it goes on below the next higher one.
 */
#include "operation.h"

#define FLTP_TAG_TARGET 'aTtF'

const GUID FltpTargetType = {0x6e1b2f80, 0x3a5d, 0x4c19, {0x9d, 0x02, 0x71, 0xc4, 0x5e, 0x0f, 0xb8, 0x36}};

static KSPIN_LOCK FltpTargetLock;
static LIST_ENTRY FltpLiveTargets = {&FltpLiveTargets, &FltpLiveTargets}; /* FltpTargetLock */

PFLTP_TARGET FltpNewTarget(PFLT_VOLUME Volume, PFLT_INSTANCE Instance)
{
    PFLTP_TARGET Target = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Target), FLTP_TAG_TARGET);
    KIRQL Irql;

    if (Target == NULL)
        return NULL;
    RtlZeroMemory(Target, sizeof(*Target));
    FsRtlInitPerFileObjectContext(&Target->OnFile, FltpDriverObject, NULL);
    Target->Volume = Volume;
    Target->References = 1;
    InitializeListHead(&Target->Link);
    InitializeListHead(&Target->Live);
    Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    Target->Above = Instance != NULL ? &Instance->Link : &Volume->Instances;
    if (Instance != NULL)
        InsertTailList(&Instance->Targets, &Target->Link);
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Target;
}

static VOID FltpReleaseTarget(PFLTP_TARGET Target)
{
    KIRQL Irql;

    if (InterlockedDecrement(&Target->References) > 0)
        return;
    Irql = KeAcquireSpinLockRaiseToDpc(&Target->Volume->Lock);
    RemoveEntryList(&Target->Link);
    KeReleaseSpinLock(&Target->Volume->Lock, Irql);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpTargetLock);
    RemoveEntryList(&Target->Live);
    KeReleaseSpinLock(&FltpTargetLock, Irql);
    ExFreePoolWithTag(Target, FLTP_TAG_TARGET);
}

/* The file object's reference; whoever takes it away first. */
static VOID FltpDropTarget(PFILE_OBJECT FileObject)
{
    PFSRTL_PER_FILEOBJECT_CONTEXT Context = FsRtlRemovePerFileObjectContext(FileObject, FltpDriverObject, NULL);

    if (Context != NULL)
        FltpReleaseTarget(CONTAINING_RECORD(Context, FLTP_TARGET, OnFile));
}

NTSTATUS FltpPutTarget(PFLTP_TARGET Target, PFILE_OBJECT FileObject)
{
    NTSTATUS Status;

    InterlockedIncrement(&Target->References);
    Status = FsRtlInsertPerFileObjectContext(FileObject, &Target->OnFile);
    if (!NT_SUCCESS(Status)) {
        InterlockedDecrement(&Target->References);
        return Status;
    }
    ObReferenceObject(FileObject);
    Target->File = FileObject;
    return STATUS_SUCCESS;
}

VOID FltpEndTargetedCreate(PFLTP_TARGET Target, BOOLEAN Opened)
{
    PFILE_OBJECT FileObject = Target->File;
    KIRQL Irql;

    if (FileObject != NULL) {
        Target->File = NULL;
        if (!Opened)
            FltpDropTarget(FileObject); /* nobody sends a close for it */
        ObDereferenceObject(FileObject);
    }
    if (Opened && FltpVerify) {
        Irql = KeAcquireSpinLockRaiseToDpc(&FltpTargetLock);
        InsertTailList(&FltpLiveTargets, &Target->Live);
        KeReleaseSpinLock(&FltpTargetLock, Irql);
    }
    FltpReleaseTarget(Target);
}

NTSTATUS FltpTakeTargetOfCreate(PFLT_VOLUME Volume, PIRP Irp, PFILE_OBJECT FileObject, PFLTP_TARGET *Target)
{
    PFLTP_TARGET *Carried = NULL;
    PECP_LIST List = NULL;
    NTSTATUS Status;

    *Target = NULL;
    if (!NT_SUCCESS(FsRtlGetEcpListFromIrp(Irp, &List)) || List == NULL ||
        !NT_SUCCESS(FsRtlFindExtraCreateParameter(List, &FltpTargetType, (PVOID *)&Carried, NULL)))
        return STATUS_SUCCESS;
    /* A list may be handed on to another open, which is not the target's. */
    if (*Carried == NULL || (*Carried)->Volume != Volume || (*Carried)->Sent)
        return STATUS_SUCCESS;
    if ((*Carried)->File != NULL) { /* a reparse: another file object for the same create */
        FltpDropTarget((*Carried)->File);
        ObDereferenceObject((*Carried)->File);
        (*Carried)->File = NULL;
    }
    Status = FltpPutTarget(*Carried, FileObject);
    if (!NT_SUCCESS(Status))
        return Status;
    (*Carried)->Sent = TRUE;
    *Target = *Carried;
    return STATUS_SUCCESS;
}

PFLTP_TARGET FltpTargetOfFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject)
{
    PFSRTL_PER_FILEOBJECT_CONTEXT Context = FsRtlLookupPerFileObjectContext(FileObject, FltpDriverObject, NULL);
    PFLTP_TARGET Target = Context != NULL ? CONTAINING_RECORD(Context, FLTP_TARGET, OnFile) : NULL;

    return Target != NULL && Target->Volume == Volume ? Target : NULL;
}

VOID FltpEndTargetOfFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject, UCHAR MajorFunction)
{
    PFLTP_TARGET Target;

    if (MajorFunction != IRP_MJ_CLEANUP && MajorFunction != IRP_MJ_CLOSE)
        return;
    Target = FltpTargetOfFile(Volume, FileObject);
    if (Target == NULL)
        return;
    Target->CleanedUp = TRUE;
    if (MajorFunction == IRP_MJ_CLOSE)
        FltpDropTarget(FileObject);
}

VOID FltpRaiseTargetsLocked(PFLT_INSTANCE Instance)
{
    PLIST_ENTRY Above = Instance->Link.Blink;
    PFLT_INSTANCE Higher = Above != &Instance->Volume->Instances ? CONTAINING_RECORD(Above, FLT_INSTANCE, Link) : NULL;

    while (!IsListEmpty(&Instance->Targets)) {
        PFLTP_TARGET Target = CONTAINING_RECORD(RemoveHeadList(&Instance->Targets), FLTP_TARGET, Link);

        Target->Above = Above;
        InitializeListHead(&Target->Link);
        if (Higher != NULL)
            InsertTailList(&Higher->Targets, &Target->Link);
    }
}

/* A file that is mapped or cached may live on without its opener. */
static BOOLEAN FltpIsLeft(const FLTP_TARGET *Target, PFILE_OBJECT FileObject)
{
    PSECTION_OBJECT_POINTERS Sections = FileObject->SectionObjectPointer;

    if (!Target->CleanedUp)
        return TRUE;
    return Target->Returned &&
           (Sections == NULL || (Sections->DataSectionObject == NULL && Sections->SharedCacheMap == NULL &&
                                 Sections->ImageSectionObject == NULL));
}

VOID FltpCheckFilesAtUnload(PUCHAR Start, PUCHAR End)
{
    PFLTP_TARGET Left = NULL;
    ULONG Count = 0;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpTargetLock);

    for (PLIST_ENTRY Link = FltpLiveTargets.Flink; Link != &FltpLiveTargets; Link = Link->Flink) {
        PFLTP_TARGET Target = CONTAINING_RECORD(Link, FLTP_TARGET, Live);

        if ((PUCHAR)Target->OpenedBy[0] >= Start && (PUCHAR)Target->OpenedBy[0] < End &&
            FltpIsLeft(Target, Target->Opened)) {
            Left = Target;
            Count++;
        }
    }
    KeReleaseSpinLock(&FltpTargetLock, Irql);
    if (Count == 0)
        return;
    FltpReportStack("opened", Left->OpenedBy);
    FvBlame(Left->OpenedBy[0]);
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_FILE_LEFT, (ULONG_PTR)Left->Opened, !Left->CleanedUp, Count,
                  Left->CleanedUp
                      ? "rule=A file object of FltCreateFileEx was not dereferenced, and its driver is unloaded\n"
                      : "rule=A handle of FltCreateFile was not closed, and its driver is unloaded\n");
}

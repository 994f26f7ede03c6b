// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Acknowledgements: the owner says that others may go on, and what it would like to keep.
 *
 * What is kept stays one and the same grant, with the acknowledging request in place of the first.  Only the file object
 * that holds a grant which breaks may acknowledge it: STATUS_INVALID_OPLOCK_PROTOCOL.
 */
#include "oplock.h"

static PFSRTLP_GRANT FsRtlpBreakingOfLocked(PFSRTLP_OPLOCK Oplock, PFILE_OBJECT FileObject, BOOLEAN Legacy)
{
    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        if (Grant->FileObject == FileObject && Grant->Breaking && !Grant->Closing && FsRtlpIsLegacy(Grant) == Legacy) {
            return Grant;
        }
    }
    return NULL;
}

static VOID FsRtlpDropLocked(PFSRTLP_GRANT Grant, PFSRTLP_DONE Done)
{
    RemoveEntryList(&Grant->Link);
    InsertTailList(&Done->Grants, &Grant->Link);
}

/* The grant is held again, as what the owner asks for. */
static NTSTATUS FsRtlpKeepLocked(PFSRTLP_GRANT Grant, PIRP Irp, FSRTLP_OPLOCK_KIND Kind, ULONG Level, PFSRTLP_DONE Done)
{
    NTSTATUS Status = FsRtlpPendLocked(Grant, Irp);

    if (Status != STATUS_PENDING) {
        FsRtlpDropLocked(Grant, Done);
        return Status;
    }
    Grant->Kind = Kind;
    Grant->Level = Level;
    Grant->Breaking = FALSE;
    return STATUS_PENDING;
}

NTSTATUS FsRtlpAcknowledgeLegacyLocked(PFSRTLP_OPLOCK Oplock, PIRP Irp, ULONG Code, PFSRTLP_DONE Done)
{
    PFSRTLP_GRANT Grant = FsRtlpBreakingOfLocked(Oplock, IoGetCurrentIrpStackLocation(Irp)->FileObject, TRUE);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Grant == NULL) {
        return STATUS_INVALID_OPLOCK_PROTOCOL;
    }
    if (Code == FSCTL_OPBATCH_ACK_CLOSE_PENDING && Grant->Kind != FsRtlpLevelOne) {
        Grant->Closing = TRUE; /* who waits goes on with the handle's end */
        return STATUS_SUCCESS;
    }
    if (Code == FSCTL_OPLOCK_BREAK_ACKNOWLEDGE && Grant->NewLevel != 0) {
        Status = FsRtlpKeepLocked(Grant, Irp, FsRtlpLevelTwo, FSRTLP_LEVEL_R, Done);
    } else {
        if (Code == FSCTL_OPLOCK_BREAK_ACKNOWLEDGE && Grant->ToldLevel != 0) {
            FsRtlpFillResult(Grant, Irp, 0, FALSE, NULL); /* it was promised level 2, and that is broken by now */
        }
        FsRtlpDropLocked(Grant, Done);
    }
    FsRtlpReleaseWaitersLocked(Oplock, Done);
    return Status;
}

/*
 * Who waits may go on beside a cached handle, and gets the sharing violation then; but not beside cached writes, nor
 * beside anything when all was to go.
 */
static BOOLEAN FsRtlpMayKeep(PFSRTLP_GRANT Grant, ULONG Level)
{
    return Level == 0 ||
           (Grant->NewLevel != 0 && ((Level & FSRTLP_LEVEL_W) == 0 || (Grant->NewLevel & FSRTLP_LEVEL_W) != 0));
}

/* Whether another cannot coexist with the level that is asked for. */
static BOOLEAN FsRtlpOthersForbidLocked(PFSRTLP_GRANT Grant, ULONG Level)
{
    PFSRTLP_OPLOCK Oplock = Grant->Oplock;

    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        PFSRTLP_GRANT Other = FSRTLP_GRANT_AT(Link);

        if (Other != Grant && Other->Kind != FsRtlpReserved &&
            ((Level & FSRTLP_LEVEL_W) != 0 || FsRtlpIsExclusive(Other))) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Told again what it may keep, it still has to acknowledge. */
static NTSTATUS FsRtlpRefuseLocked(PFSRTLP_GRANT Grant, PIRP Irp, ULONG Level)
{
    FsRtlpFillResult(Grant, Irp, Level, TRUE, NULL);
    return STATUS_CANNOT_GRANT_REQUESTED_OPLOCK;
}

NTSTATUS FsRtlpAcknowledgeGranularLocked(PFSRTLP_OPLOCK Oplock, PIRP Irp, ULONG Level, BOOLEAN OnClose,
                                         PFSRTLP_DONE Done)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PFSRTLP_GRANT Grant = FsRtlpBreakingOfLocked(Oplock, FileObject, FALSE);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Grant == NULL) {
        return STATUS_INVALID_OPLOCK_PROTOCOL;
    }
    if (OnClose) {
        Grant->Closing = TRUE;
        return STATUS_SUCCESS;
    }
    if ((!IsListEmpty(&Oplock->Waiters) && !FsRtlpMayKeep(Grant, Level)) || FsRtlpOthersForbidLocked(Grant, Level)) {
        return FsRtlpRefuseLocked(Grant, Irp, Grant->NewLevel);
    }
    if ((Level & FSRTLP_LEVEL_H) != 0 && FileObject->DeletePending) {
        return FsRtlpRefuseLocked(Grant, Irp, Level & ~FSRTLP_LEVEL_H);
    }
    if (Level != 0) {
        Status = FsRtlpKeepLocked(Grant, Irp, FsRtlpGranular, Level, Done);
    } else {
        FsRtlpDropLocked(Grant, Done);
    }
    FsRtlpReleaseWaitersLocked(Oplock, Done);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What an operation means for the oplocks that others hold, by its request: a table, and what depends on parameters. */
#include "oplock.h"

#define FSRTLP_ATTRIBUTES_ACCESS (FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE)
#define FSRTLP_READERS_ACCESS    (FSRTLP_ATTRIBUTES_ACCESS | FILE_READ_DATA | FILE_READ_EA | FILE_EXECUTE | READ_CONTROL)

/* In the order of FSRTLP_OPERATION: level 1, level 2, batch, filter, what granular ones lose. */
typedef struct _FSRTLP_MEANING {
    FSRTLP_EFFECT LevelOne, LevelTwo, Batch, Filter;
    ULONG Lost;
} FSRTLP_MEANING;

static const FSRTLP_MEANING FsRtlpOpens = {FsRtlpToTwo, FsRtlpKeeps, FsRtlpToTwo, FsRtlpKeeps, FSRTLP_LEVEL_W};
static const FSRTLP_MEANING FsRtlpReads = {FsRtlpToTwo, FsRtlpKeeps, FsRtlpToTwo, FsRtlpKeeps, FSRTLP_LEVEL_W};
static const FSRTLP_MEANING FsRtlpWrites = {FsRtlpToNone, FsRtlpToNone, FsRtlpToNone, FsRtlpToNone, FSRTLP_LEVEL_RW};
static const FSRTLP_MEANING FsRtlpLocks = {FsRtlpToNone, FsRtlpToNone, FsRtlpToNone, FsRtlpKeeps, FSRTLP_LEVEL_RW};
static const FSRTLP_MEANING FsRtlpRenames = {FsRtlpKeeps, FsRtlpKeeps, FsRtlpToNone, FsRtlpToNone, FSRTLP_LEVEL_H};
static const FSRTLP_MEANING FsRtlpDeletes = {FsRtlpKeeps, FsRtlpKeeps, FsRtlpKeeps, FsRtlpKeeps, FSRTLP_LEVEL_H};
static const FSRTLP_MEANING FsRtlpChangesChild = {FsRtlpKeeps, FsRtlpKeeps, FsRtlpKeeps, FsRtlpKeeps, FSRTLP_LEVEL_RW};

static VOID FsRtlpMean(PFSRTLP_OPERATION Operation, const FSRTLP_MEANING *Meaning)
{
    Operation->LevelOne = Meaning->LevelOne;
    Operation->LevelTwo = Meaning->LevelTwo;
    Operation->Batch = Meaning->Batch;
    Operation->Filter = Meaning->Filter;
    Operation->Lost = Meaning->Lost;
}

static VOID FsRtlpBeginOperation(PIRP Irp, ULONG Flags, PFSRTLP_OPERATION Operation)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    RtlZeroMemory(Operation, sizeof(*Operation));
    Operation->Irp = Irp;
    Operation->FileObject = Stack->FileObject;
    Operation->KeysCount = (Flags & OPLOCK_FLAG_IGNORE_OPLOCK_KEYS) == 0;
    Operation->ByParentKey = (Flags & OPLOCK_FLAG_PARENT_OBJECT) != 0;
    Operation->DoesNotWait = (Flags & OPLOCK_FLAG_COMPLETE_IF_OPLOCKED) != 0;
    if (Stack->MajorFunction == IRP_MJ_CREATE) {
        Operation->MayNotBreak = (Stack->Parameters.Create.Options & FILE_OPEN_REQUIRING_OPLOCK) != 0;
        if ((Stack->Parameters.Create.Options & FILE_COMPLETE_IF_OPLOCKED) != 0) {
            Operation->DoesNotWait = TRUE;
        }
        Operation->ModesAreKnown = TRUE;
        Operation->AccessMode = Stack->Parameters.Create.SecurityContext->DesiredAccess;
        Operation->ShareMode = Stack->Parameters.Create.ShareAccess;
    }
}

static BOOLEAN FsRtlpDescribeOpen(PIO_STACK_LOCATION Stack, PFSRTLP_OPERATION Operation)
{
    ULONG Options = Stack->Parameters.Create.Options, Disposition = Options >> 24;
    ACCESS_MASK Access = Operation->AccessMode;
    BOOLEAN Reserves = (Options & FILE_RESERVE_OPFILTER) != 0;
    BOOLEAN Overwrites =
        Disposition == FILE_SUPERSEDE || Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF;

    Operation->LevelTwoByKey = TRUE;
    if (!Reserves && (Access & ~FSRTLP_ATTRIBUTES_ACCESS) == 0) {
        return FALSE;
    }
    if (Reserves || Overwrites) {
        FsRtlpMean(Operation, &FsRtlpWrites);
        return TRUE;
    }
    FsRtlpMean(Operation, &FsRtlpOpens);
    if ((Access & ~FSRTLP_READERS_ACCESS) != 0 && (Stack->Parameters.Create.ShareAccess & FILE_SHARE_READ) == 0) {
        Operation->Filter = FsRtlpToNone;
    }
    if ((Access & ~(FSRTLP_ATTRIBUTES_ACCESS | READ_CONTROL)) == 0) {
        Operation->Lost = 0;
    }
    return TRUE;
}

/* Information that says that the file is to go. */
static BOOLEAN FsRtlpDisposes(PIRP Irp, FILE_INFORMATION_CLASS Class)
{
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;

    return Class == FileDispositionInformation
               ? ((PFILE_DISPOSITION_INFORMATION)Buffer)->DeleteFile
               : (((PFILE_DISPOSITION_INFORMATION_EX)Buffer)->Flags & FILE_DISPOSITION_DELETE) != 0;
}

static BOOLEAN FsRtlpDescribeSet(PIRP Irp, PIO_STACK_LOCATION Stack, PFSRTLP_OPERATION Operation)
{
    FILE_INFORMATION_CLASS Class = Stack->Parameters.SetFile.FileInformationClass;

    switch ((ULONG)Class) {
    case FileEndOfFileInformation:
        if (Stack->Parameters.SetFile.AdvanceOnly) {
            return FALSE; /* the lazy writer's: the write itself was looked at */
        }
        __attribute__((fallthrough));
    case FileAllocationInformation:
    case FileValidDataLengthInformation: FsRtlpMean(Operation, &FsRtlpWrites); return TRUE;
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx:
    case FileShortNameInformation: FsRtlpMean(Operation, &FsRtlpRenames); return TRUE;
    case FileDispositionInformation:
    case FileDispositionInformationEx: FsRtlpMean(Operation, &FsRtlpDeletes); return FsRtlpDisposes(Irp, Class);
    default: return FALSE;
    }
}

BOOLEAN FsRtlpDescribe(PIRP Irp, ULONG Flags, PFSRTLP_OPERATION Operation)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    FsRtlpBeginOperation(Irp, Flags, Operation);
    if (Operation->ByParentKey) {
        FsRtlpMean(Operation, &FsRtlpChangesChild);
        return TRUE;
    }
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE: return FsRtlpDescribeOpen(Stack, Operation);
    case IRP_MJ_READ:
    case IRP_MJ_FLUSH_BUFFERS: FsRtlpMean(Operation, &FsRtlpReads); return TRUE;
    case IRP_MJ_WRITE: FsRtlpMean(Operation, &FsRtlpWrites); return TRUE;
    case IRP_MJ_LOCK_CONTROL:
        FsRtlpMean(Operation, &FsRtlpLocks);
        Operation->IsLock = TRUE;
        return TRUE;
    case IRP_MJ_SET_INFORMATION: return FsRtlpDescribeSet(Irp, Stack, Operation);
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        FsRtlpMean(Operation, &FsRtlpWrites);
        return Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_SET_ZERO_DATA;
    case IRP_MJ_SET_SECURITY: FsRtlpMean(Operation, &FsRtlpDeletes); return TRUE;
    case IRP_MJ_CLEANUP:
        FsRtlpMean(Operation, &FsRtlpDeletes);
        return (Flags & OPLOCK_FLAG_CLOSING_DELETE_ON_CLOSE) != 0;
    default: return FALSE;
    }
}

/* An end that is asked for as such, whatever the request. */
VOID FsRtlpDescribeEnd(PIRP Irp, ULONG Flags, FSRTLP_EFFECT Legacy, ULONG Lost, PFSRTLP_OPERATION Operation)
{
    FSRTLP_MEANING Meaning = {Legacy, Legacy, Legacy, Legacy, Lost};

    FsRtlpBeginOperation(Irp, Flags, Operation);
    FsRtlpMean(Operation, &Meaning);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fsfilter.c: the file-system filter operations, by which the memory and cache managers have a file acquired and released
 * around what they do with it.  They come in two calls, before and after those below are asked; the operation is kept in
 * between.  What filters may leave to the other half of the pair (acquire, release) is left.  IRQL: <= APC_LEVEL.
 */
#include "operation.h"

static const struct {
    UCHAR Operation, Major;
} FltpFsFilterMajors[] = {
    {FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION},
    {FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION, IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION},
    {FS_FILTER_ACQUIRE_FOR_MOD_WRITE, IRP_MJ_ACQUIRE_FOR_MOD_WRITE},
    {FS_FILTER_RELEASE_FOR_MOD_WRITE, IRP_MJ_RELEASE_FOR_MOD_WRITE},
    {FS_FILTER_ACQUIRE_FOR_CC_FLUSH, IRP_MJ_ACQUIRE_FOR_CC_FLUSH},
    {FS_FILTER_RELEASE_FOR_CC_FLUSH, IRP_MJ_RELEASE_FOR_CC_FLUSH},
};

/* What the filters may change, and what the operation has, there or back. */
static VOID FltpExchangeFsFilter(PFS_FILTER_CALLBACK_DATA Data, PFLT_IO_PARAMETER_BLOCK Iopb, BOOLEAN Back)
{
    PFLT_PARAMETERS Ours = &Iopb->Parameters;

    switch (Iopb->MajorFunction) {
    case IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION:
        if (Back) {
            Data->Parameters.AcquireForSectionSynchronization.PageProtection =
                Ours->AcquireForSectionSynchronization.PageProtection;
            return;
        }
        Ours->AcquireForSectionSynchronization.SyncType = Data->Parameters.AcquireForSectionSynchronization.SyncType;
        Ours->AcquireForSectionSynchronization.PageProtection =
            Data->Parameters.AcquireForSectionSynchronization.PageProtection;
        Ours->AcquireForSectionSynchronization.OutputInformation =
            Data->Parameters.AcquireForSectionSynchronization.OutputInformation;
        return;
    case IRP_MJ_ACQUIRE_FOR_MOD_WRITE:
        if (!Back) {
            Ours->AcquireForModifiedPageWriter.EndingOffset =
                Data->Parameters.AcquireForModifiedPageWriter.EndingOffset;
            Ours->AcquireForModifiedPageWriter.ResourceToRelease =
                Data->Parameters.AcquireForModifiedPageWriter.ResourceToRelease;
        }
        return;
    case IRP_MJ_RELEASE_FOR_MOD_WRITE:
        if (!Back)
            Ours->ReleaseForModifiedPageWriter.ResourceToRelease =
                Data->Parameters.ReleaseForModifiedPageWriter.ResourceToRelease;
        return;
    default: return; /* the others have none */
    }
}

static BOOLEAN FltpMayFail(UCHAR Operation)
{
    return Operation == FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION || Operation == FS_FILTER_ACQUIRE_FOR_MOD_WRITE ||
           Operation == FS_FILTER_ACQUIRE_FOR_CC_FLUSH;
}

static NTSTATUS NTAPI FltpPreFsFilter(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    PFLTP_OPERATION Operation;
    UCHAR Major = IRP_MJ_OPERATION_END;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    *CompletionContext = NULL;
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpFsFilterMajors); Index++) {
        if (FltpFsFilterMajors[Index].Operation == Data->Operation)
            Major = FltpFsFilterMajors[Index].Major;
    }
    if (Major == IRP_MJ_OPERATION_END)
        return STATUS_SUCCESS;
    Operation =
        FltpBeginDirect(Data->DeviceObject, Major, Data->FileObject, FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION, &Status);
    if (Operation == NULL)
        return FltpMayFail(Data->Operation) ? Status : STATUS_SUCCESS;
    FltpExchangeFsFilter(Data, &Operation->Iopb, FALSE);
    if (FltpCallDown(Operation)) {
        FltpExchangeFsFilter(Data, &Operation->Iopb, TRUE);
        *CompletionContext = Operation;
        return STATUS_SUCCESS;
    }
    FltpEndDirect(Operation, &IoStatus);
    return NT_SUCCESS(IoStatus.Status) ? STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY : IoStatus.Status;
}

static VOID NTAPI FltpPostFsFilter(PFS_FILTER_CALLBACK_DATA Data, NTSTATUS OperationStatus, PVOID CompletionContext)
{
    PFLTP_OPERATION Operation = CompletionContext;
    IO_STATUS_BLOCK IoStatus;

    UNREFERENCED_PARAMETER(Data);
    if (Operation == NULL)
        return; /* nobody wanted it, or it has not come past us */
    Operation->Data.IoStatus.Status = OperationStatus;
    FltpEndDirect(Operation, &IoStatus);
}

NTSTATUS FltpRegisterFsFilter(PDRIVER_OBJECT DriverObject)
{
    FS_FILTER_CALLBACKS Callbacks = {
        .SizeOfFsFilterCallbacks = sizeof(Callbacks),
        .PreAcquireForSectionSynchronization = FltpPreFsFilter,
        .PostAcquireForSectionSynchronization = FltpPostFsFilter,
        .PreReleaseForSectionSynchronization = FltpPreFsFilter,
        .PostReleaseForSectionSynchronization = FltpPostFsFilter,
        .PreAcquireForCcFlush = FltpPreFsFilter,
        .PostAcquireForCcFlush = FltpPostFsFilter,
        .PreReleaseForCcFlush = FltpPreFsFilter,
        .PostReleaseForCcFlush = FltpPostFsFilter,
        .PreAcquireForModifiedPageWriter = FltpPreFsFilter,
        .PostAcquireForModifiedPageWriter = FltpPostFsFilter,
        .PreReleaseForModifiedPageWriter = FltpPreFsFilter,
        .PostReleaseForModifiedPageWriter = FltpPostFsFilter,
    };

    return FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks);
}

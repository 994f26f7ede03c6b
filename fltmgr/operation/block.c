/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.c: the blocks in which operations live, the choice of the instances that see a request, and what there is
 * to say of a node: that it is done, whose callback data that is, which callback broke a rule.
 *
 * The instances are chosen once, when the request arrives, and referenced until each is done with it.  Blocks
 * come from the volume's free list, whose lock is held for that choice anyway, so that a filter costs no
 * allocation.
 */
#include "operation.h"
#include <ntstrsafe.h>

#define FLTP_FREE_BLOCKS 32 /* that a volume keeps */

PFLTP_OPERATION FltpNewOperation(ULONG Capacity)
{
    SIZE_T Size = FIELD_OFFSET(FLTP_OPERATION, Nodes) + Capacity * sizeof(FLTP_NODE);
    PFLTP_OPERATION Operation = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_OPERATION);

    if (Operation != NULL) {
        RtlZeroMemory(Operation, Size);
        Operation->Capacity = Capacity;
        *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Operation->Iopb;
    }
    return Operation;
}

VOID FltpFillObjects(PFLT_RELATED_OBJECTS Objects, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    *(PUSHORT)&Objects->Size = sizeof(*Objects);
    *(PUSHORT)&Objects->TransactionContext = 0;
    *(PFLT_FILTER *)&Objects->Filter = Instance->Filter;
    *(PFLT_VOLUME *)&Objects->Volume = Instance->Volume;
    *(PFLT_INSTANCE *)&Objects->Instance = Instance;
    *(PFILE_OBJECT *)&Objects->FileObject = FileObject;
    *(PKTRANSACTION *)&Objects->Transaction = NULL;
}

/* --- The choice --- */

/* Whether the filter's registration says to leave this one out. */
static BOOLEAN FltpSkips(FLT_OPERATION_REGISTRATION_FLAGS Flags, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Paging = FlagOn(Irp->Flags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO) != 0;
    BOOLEAN Cached = !FlagOn(Irp->Flags, IRP_NOCACHE);

    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO) && Paging)
        return TRUE;
    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_DASD_IO) &&
        (Stack->FileObject == NULL || !FlagOn(Stack->FileObject->Flags, FO_VOLUME_OPEN)))
        return TRUE;
    if (Stack->MajorFunction != IRP_MJ_READ && Stack->MajorFunction != IRP_MJ_WRITE)
        return FALSE;
    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO) && Cached && !Paging)
        return TRUE;
    return FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_CACHED_NON_PAGING_IO) && !Cached && !Paging;
}

/* The volume's lock is held.  The list is sorted: below an instance is what stands behind it. */
static ULONG FltpChooseInstancesLocked(PFLT_VOLUME Volume, PFLTP_OPERATION Operation, PIRP Irp,
                                       PIO_STACK_LOCATION Stack, PFLT_INSTANCE Below)
{
    ULONG Index = FltpOperationIndex(Stack->MajorFunction), Count = 0;
    PLIST_ENTRY Link = Below != NULL ? Below->Link.Flink : Volume->Instances.Flink;

    for (; Link != &Volume->Instances && Count < Operation->Capacity; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);
        PFLTP_CALLBACK Callback = &Instance->Filter->Callbacks[Index];
        PFLTP_NODE Node = &Operation->Nodes[Count];

        if ((Callback->Pre == NULL && Callback->Post == NULL) || Instance->State != FltpInstanceActive)
            continue;
        if (Callback->Flags != 0 && FltpSkips(Callback->Flags, Irp, Stack))
            continue;
        if (!FltpEnterInstance(Instance))
            continue;
        Node->State = FltpNodeIdle;
        Node->Changed = FALSE;
        Node->Swapped = FALSE;
        Node->RetainMdl = FALSE;
        Node->Home = NULL;
        Node->SwappedMdl = NULL;
        Node->Instance = Instance;
        Node->Callback = Callback;
        Instance->Operations++;
        Count++;
    }
    return Count;
}

/* The volume's lock is held. */
static PFLTP_OPERATION FltpTakeFreeBlockLocked(PFLT_VOLUME Volume)
{
    PFLTP_OPERATION Operation;

    if (IsListEmpty(&Volume->FreeOperations))
        return NULL;
    Operation = CONTAINING_RECORD(Volume->FreeOperations.Flink, FLTP_OPERATION, Link);
    RemoveEntryList(&Operation->Link);
    Volume->FreeCount--;
    return Operation;
}

/* The volume's lock is held. */
static VOID FltpBeginOperationLocked(PFLT_VOLUME Volume, PFLTP_OPERATION Operation)
{
    InsertTailList(&Volume->Operations, &Operation->Link);
    Operation->Volume = Volume;
    Operation->Magic = FLTP_MAGIC_OPERATION;
    Volume->Users++;
    InterlockedIncrement64((LONG64 *)&FltpCounters.operations_active);
    InterlockedIncrement64((LONG64 *)&FltpCounters.operations_total);
}

NTSTATUS FltpStartOperation(PFLT_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack, PFLTP_ISSUED Issued,
                            PFLTP_OPERATION *Started)
{
    PFLTP_OPERATION Operation, New = NULL;
    KIRQL Irql;

    *Started = NULL;
    for (;;) {
        ULONG Needed;

        Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
        Needed = Volume->InstanceCount;
        if (New != NULL && New->Capacity >= Needed) {
            Operation = New;
            break;
        }
        Operation = FltpTakeFreeBlockLocked(Volume);
        if (Operation != NULL && Operation->Capacity >= Needed)
            break;
        KeReleaseSpinLock(&Volume->Lock, Irql);
        if (Operation != NULL)
            ExFreePoolWithTag(Operation, FLTP_TAG_OPERATION);
        if (New != NULL)
            ExFreePoolWithTag(New, FLTP_TAG_OPERATION);
        New = FltpNewOperation(max(Needed + 2, FLTP_NODES_DEFAULT));
        if (New == NULL && Issued != NULL) {
            New = Issued->Spare;
            Issued->Spare = NULL;
        }
        if (New == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    Operation->Count = FltpChooseInstancesLocked(Volume, Operation, Irp, Stack, Issued != NULL ? Issued->Initiator : NULL);
    if (Operation->Count == 0) {
        InsertHeadList(&Volume->FreeOperations, &Operation->Link);
        Volume->FreeCount++;
    } else {
        FltpBeginOperationLocked(Volume, Operation);
        *Started = Operation;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return STATUS_SUCCESS;
}

/* --- The end --- */

VOID FltpFinishNode(PFLTP_NODE Node)
{
    Node->State = FltpNodeDone;
    FltpLeaveInstance(Node->Instance);
}

/* A teardown may be at the same node. */
VOID FltpReleaseBelow(PFLTP_OPERATION Operation, ULONG First)
{
    for (ULONG Index = First; Index < Operation->Count; Index++) {
        PFLTP_NODE Node = &Operation->Nodes[Index];

        if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeIdle) == FltpNodeIdle)
            FltpLeaveInstance(Node->Instance);
    }
}

VOID FltpReturnOperation(PFLTP_OPERATION Operation)
{
    PFLT_VOLUME Volume = Operation->Volume;
    PFLTP_OPERATION Surplus = NULL;
    BOOLEAN Last;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    RemoveEntryList(&Operation->Link);
    Operation->Magic = FLTP_MAGIC_FREE;
    if (Volume->FreeCount < FLTP_FREE_BLOCKS) {
        InsertHeadList(&Volume->FreeOperations, &Operation->Link);
        Volume->FreeCount++;
    } else {
        Surplus = Operation;
    }
    Last = --Volume->Users == 0;
    KeReleaseSpinLock(&Volume->Lock, Irql);
    InterlockedDecrement64((LONG64 *)&FltpCounters.operations_active);
    if (Surplus != NULL)
        ExFreePoolWithTag(Surplus, FLTP_TAG_OPERATION);
    if (Last)
        FltpFreeVolume(Volume);
}

/* An MDL that a filter put in is the filter manager's to free, unless the filter said otherwise. */
VOID FltpFreeSwappedMdl(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PMDL Mdl = Node->SwappedMdl;

    Node->SwappedMdl = NULL;
    if (Mdl == NULL || Node->RetainMdl || Mdl == Operation->OriginalMdl)
        return;
    if (FlagOn(Mdl->MdlFlags, MDL_PAGES_LOCKED))
        MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
}

VOID FltpFinishOperation(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;

    Irp->IoStatus = Operation->Data.IoStatus;
    if (Operation->Changed) {
        Irp->UserBuffer = Operation->OriginalUserBuffer;
        Irp->AssociatedIrp.SystemBuffer = Operation->OriginalSystemBuffer;
        Irp->MdlAddress = Operation->OriginalMdl;
        /* Those whose filters swapped and have no post-callback. */
        for (ULONG Index = 0; Index < Operation->Count; Index++)
            FltpFreeSwappedMdl(Operation, &Operation->Nodes[Index]);
    }
    FltpReturnOperation(Operation);
}

/* --- Whose, and who is guilty --- */

PFLTP_OPERATION FltpCheckData(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FLTP_OPERATION_OF(Data);

    if (Data == NULL || (Operation->Magic != FLTP_MAGIC_OPERATION && Operation->Magic != FLTP_MAGIC_DRAINED))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_CALLBACK_DATA, (ULONG_PTR)Data, 0, 0, Text);
    return Operation;
}

PFLTP_OPERATION FltpCheckAnyData(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FLTP_OPERATION_OF(Data);

    return Data != NULL && Operation->Magic == FLTP_MAGIC_ISSUED ? Operation : FltpCheckData(Data, Text);
}

PFLTP_ISSUED FltpCheckIssued(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FLTP_OPERATION_OF(Data);

    if (Data == NULL || Operation->Magic != FLTP_MAGIC_ISSUED)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_CALLBACK_DATA, (ULONG_PTR)Data, 0, 0, Text);
    return CONTAINING_RECORD(Operation, FLTP_ISSUED, Operation);
}

/*
 * A callback may have returned long ago, with its node still there: then its frame is gone, or another stack's.
 * One in our own stack, above us, is there to be looked at; a frame that has returned says that it has.
 */
PFLTP_CALL FltpOwnCall(PFLTP_OPERATION Operation)
{
    ULONG_PTR Here = (ULONG_PTR)_AddressOfReturnAddress(), Low, High;
    PFLTP_CALL Call;

    if (!FltpVerify || Operation->Current >= Operation->Count)
        return NULL;
    Call = Operation->Nodes[Operation->Current].Call;
    IoGetStackLimits(&Low, &High);
    if ((ULONG_PTR)Call <= Here || (ULONG_PTR)(Call + 1) > High || Call->Operation != Operation)
        return NULL;
    return Call;
}

DECLSPEC_NORETURN VOID FltpBlameCallback(PFLT_INSTANCE Instance, const VOID *Callback, ULONG_PTR P1, ULONG_PTR P2,
                                         ULONG_PTR P3, ULONG_PTR P4, PCSTR Text)
{
    CHAR Where[200];

    if (Instance != NULL)
        RtlStringCbPrintfA(Where, sizeof(Where), "filter=%wZ\ninstance=%wZ\ncallback=0x%p\n", &Instance->Filter->Name,
                           &Instance->Name, Callback);
    else
        RtlStringCbPrintfA(Where, sizeof(Where), "callback=0x%p\n", Callback);
    FvReport(Where);
    FvBlame(Callback);
    FltpViolation(FLTMGR_FILE_SYSTEM, P1, P2, P3, P4, Text);
}

DECLSPEC_NORETURN VOID FltpBlameGivenAway(const FLTP_CALL *Call, const VOID *Callback, PFLT_CALLBACK_DATA Data,
                                          ULONG Status)
{
    static const PCSTR How[] = {
        [FltpGivenBack] = "rule=A callback completed its operation, which it had not pended and did not say it had\n",
        [FltpGivenDeferred] = "rule=A callback queued a deferred I/O work item and did not say that it pended\n",
        [FltpGivenQueue] = "rule=A callback put its operation into a queue and did not say that it pended\n",
        [FltpGivenWhenSafe] = "rule=A callback did not return what FltDoCompletionProcessingWhenSafe told it to\n",
    };

    FltpBlameCallback(NULL, Callback, Call->Given == FltpGivenBack ? FLTP_NOT_PENDED : FLTP_GIVEN_AWAY,
                      (ULONG_PTR)Data, Status, Call->Given, How[Call->Given]);
}

/* How much an operation can have transferred or returned; FALSE where that is not what Information says. */
static BOOLEAN FltpGreatestInformation(const FLT_IO_PARAMETER_BLOCK *Iopb, PULONG Greatest)
{
    const FLT_PARAMETERS *P = &Iopb->Parameters;

    switch (Iopb->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        *Greatest = P->Read.Length;
        return !FlagOn(Iopb->MinorFunction, IRP_MN_COMPLETE | IRP_MN_MDL);
    case IRP_MJ_QUERY_INFORMATION:
        *Greatest = P->QueryFileInformation.Length;
        return TRUE;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
        *Greatest = P->QueryVolumeInformation.Length;
        return TRUE;
    case IRP_MJ_QUERY_EA:
        *Greatest = P->QueryEa.Length;
        return TRUE;
    case IRP_MJ_QUERY_SECURITY:
        *Greatest = P->QuerySecurity.Length;
        return TRUE;
    case IRP_MJ_DIRECTORY_CONTROL:
        *Greatest = P->DirectoryControl.QueryDirectory.Length;
        return TRUE;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        *Greatest = P->DeviceIoControl.Common.OutputBufferLength;
        return (P->DeviceIoControl.Common.IoControlCode & 3) == METHOD_BUFFERED;
    default:
        return FALSE;
    }
}

/* A length with an error tells how much would be needed. */
VOID FltpCheckStatus(PFLTP_NODE Node, const VOID *Callback, PFLT_CALLBACK_DATA Data)
{
    NTSTATUS Status = Data->IoStatus.Status;
    UCHAR Major = Node->Iopb.MajorFunction;
    ULONG Greatest;

    if (Status == STATUS_PENDING)
        FltpBlameCallback(Node->Instance, Callback, FLTP_STATUS_PENDING, (ULONG_PTR)Data, 0, 0,
                          "rule=An operation was completed with STATUS_PENDING\n");
    if ((Major == IRP_MJ_CLEANUP || Major == IRP_MJ_CLOSE) && !NT_SUCCESS(Status))
        FltpBlameCallback(Node->Instance, Callback, FLTP_FAILED_CLEANUP, (ULONG_PTR)Data, (ULONG)Status, Major,
                          "rule=A cleanup or close was completed with an error, and neither can fail\n");
    if (!NT_ERROR(Status) && FltpGreatestInformation(&Node->Iopb, &Greatest) && Data->IoStatus.Information > Greatest)
        FltpBlameCallback(Node->Instance, Callback, FLTP_BAD_INFORMATION, (ULONG_PTR)Data, Data->IoStatus.Information,
                          Greatest, "rule=An operation was completed with more in IoStatus.Information than its buffer has\n");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block.c: the blocks in which operations live, the choice of the instances that see a request, and what there is
 * to say of a node: that it is done, whose callback data that is, which callback broke a rule.
 *
 * The instances are chosen once, when the request arrives, and referenced until each is done with it.  Blocks stay
 * with their volume, so that neither a filter nor a request costs an allocation.  A block goes back to the free list
 * without the volume's lock, and is taken under it: what somebody sees under the lock is no other operation before he
 * releases it, and all that can happen to the nodes of one that has ended is nothing.
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
        FltpInitializeItem(&Operation->SafeItem, &FltpSafeKind, NULL);
        Operation->Capacity = Capacity;
        for (ULONG Index = 0; Index < Capacity; Index++)
            *(PUSHORT)&Operation->Nodes[Index].Objects.Size = sizeof(FLT_RELATED_OBJECTS);
        *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Operation->Iopb;
    }
    return Operation;
}

/* --- The choice --- */

/* Whether the filter's registration says to leave this one out. */
static BOOLEAN FltpSkips(FLT_OPERATION_REGISTRATION_FLAGS Flags, ULONG IrpFlags, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Paging = FlagOn(IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO) != 0;
    BOOLEAN Cached = !FlagOn(IrpFlags, IRP_NOCACHE);

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

/*
 * The volume's lock is held.  The list is sorted: below an instance is what stands behind it.  An instance that is
 * active cannot begin to go before we have let go of the lock.
 */
static FORCEINLINE ULONG FltpChooseInstancesLocked(PFLT_VOLUME Volume, PFLTP_OPERATION Operation, ULONG First,
                                                   ULONG IrpFlags, PIO_STACK_LOCATION Stack, PLIST_ENTRY Above)
{
    ULONG Index = FltpOperationIndex(Stack->MajorFunction);
    PFLTP_NODE Node = Operation->Nodes + First, End = Operation->Nodes + Operation->Capacity;

    for (PLIST_ENTRY Link = Above->Flink; Link != &Volume->Instances && Node < End; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);
        PFLTP_CALLBACK Callback = &Instance->Filter->Callbacks[Index];

        if (Instance->State != FltpInstanceActive || (Callback->Pre == NULL && Callback->Post == NULL))
            continue;
        if (Callback->Flags != 0 && FltpSkips(Callback->Flags, IrpFlags, Stack))
            continue;
        FltpEnterActiveInstanceTwice(Instance);
        Node->State = FltpNodeIdle;
        Node->Flags = 0;
        Node->Home = NULL;
        Node->SwappedMdl = NULL;
        Node->Instance = Instance;
        Node->Callback = Callback;
        Instance->Operations++;
        Node++;
    }
    return (ULONG)(Node - Operation->Nodes);
}

/* The volume's lock is held. */
static VOID FltpForgetBlockLocked(PFLTP_OPERATION Operation)
{
    RemoveEntryList(&Operation->Link);
    ExFreePoolWithTag(Operation, FLTP_TAG_OPERATION);
}

/* Another block for the volume; where there is no memory, the one that the issuer has in reserve. */
static NTSTATUS FltpAddBlock(PFLT_VOLUME Volume, ULONG Capacity, PFLTP_ISSUED Issued)
{
    PFLTP_OPERATION Operation = FltpNewOperation(Capacity);
    KIRQL Irql;

    if (Operation == NULL && Issued != NULL) {
        Operation = Issued->Spare;
        Issued->Spare = NULL;
    }
    if (Operation == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Operation->Volume = Volume;
    Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    InsertTailList(&Volume->Blocks, &Operation->Link);
    KeReleaseSpinLock(&Volume->Lock, Irql);
    InterlockedPushEntrySList(&Volume->FreeBlocks, &Operation->Free);
    return STATUS_SUCCESS;
}

/* The volume's lock is held, also on return; it is released in between.  Operation: too small a block, or NULL. */
static DECLSPEC_NOINLINE PFLTP_OPERATION FltpFindBlockLocked(PFLT_VOLUME Volume, PFLTP_OPERATION Operation, PKIRQL Irql,
                                                             PFLTP_ISSUED Issued, NTSTATUS *Status)
{
    for (;;) {
        ULONG Needed = Volume->InstanceCount;
        PSLIST_ENTRY Entry;

        if (Operation != NULL && Operation->Capacity >= Needed)
            return Operation;
        if (Operation != NULL)
            FltpForgetBlockLocked(Operation); /* of a time with fewer instances */
        Entry = InterlockedPopEntrySList(&Volume->FreeBlocks);
        if (Entry != NULL) {
            Operation = CONTAINING_RECORD(Entry, FLTP_OPERATION, Free);
            continue;
        }
        Operation = NULL;
        KeReleaseSpinLock(&Volume->Lock, *Irql);
        *Status = FltpAddBlock(Volume, max(Needed + 2, FLTP_NODES_DEFAULT), Issued);
        *Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
        if (!NT_SUCCESS(*Status))
            return NULL;
    }
}

/* Initiator: only those below it, or NULL.  Always: also when none of them wants it. */
static FORCEINLINE PFLTP_OPERATION FltpStart(PFLT_VOLUME Volume, ULONG IrpFlags, PIO_STACK_LOCATION Stack,
                                             PFLTP_ISSUED Issued, PFLT_INSTANCE Initiator, BOOLEAN Always,
                                             NTSTATUS *Status)
{
    PLIST_ENTRY Above = Initiator != NULL ? &Initiator->Link : &Volume->Instances;
    PFLTP_TARGET Target =
        Initiator == NULL && FltpMayHaveTarget(Stack->FileObject) ? FltpTargetOfFile(Volume, Stack->FileObject) : NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    PFLTP_OPERATION Operation = InterlockedExchangePointer(&Volume->FreeBlock, NULL);

    if (Target != NULL)
        Above = Target->Above;
    if (Operation == NULL || Operation->Capacity < (ULONG)Volume->InstanceCount)
        Operation = FltpFindBlockLocked(Volume, Operation, &Irql, Issued, Status);
    if (Operation != NULL) {
        Operation->Count = FltpChooseInstancesLocked(Volume, Operation, 0, IrpFlags, Stack, Above);
        if (Operation->Count == 0 && !Always) {
            Operation = InterlockedExchangePointer(&Volume->FreeBlock, Operation);
            if (Operation != NULL)
                InterlockedPushEntrySList(&Volume->FreeBlocks, &Operation->Free);
            Operation = NULL;
        } else {
            Operation->Magic = FLTP_MAGIC_OPERATION;
            InterlockedIncrement(&Volume->Users);
            InterlockedIncrement64((LONG64 *)&FltpCounters.operations_active);
            InterlockedIncrement64((LONG64 *)&FltpCounters.operations_total);
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Operation;
}

PFLTP_OPERATION FltpStartOperation(PFLT_VOLUME Volume, ULONG IrpFlags, PIO_STACK_LOCATION Stack, PFLTP_ISSUED Issued,
                                   BOOLEAN Always, NTSTATUS *Status)
{
    return FltpStart(Volume, IrpFlags, Stack, Issued, Issued != NULL ? Issued->Initiator : NULL, Always, Status);
}

PFLTP_OPERATION FltpStartReissue(PFLT_INSTANCE Initiator, ULONG IrpFlags, PIO_STACK_LOCATION Stack, NTSTATUS *Status)
{
    return FltpStart(Initiator->Volume, IrpFlags, Stack, NULL, Initiator, TRUE, Status);
}

/* Those of the volume it came to who look for nodes of theirs see the block either before or after. */
static VOID FltpSetCount(PFLTP_OPERATION Operation, ULONG Count)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Operation->Volume->Lock);

    Operation->Count = Count;
    KeReleaseSpinLock(&Operation->Volume->Lock, Irql);
}

NTSTATUS FltpRedirect(PFLTP_OPERATION Operation, PFLT_INSTANCE Instance)
{
    PFLT_VOLUME Volume = Instance->Volume;
    ULONG First = Operation->Current + 1, Count = First;
    NTSTATUS Status = STATUS_FLT_DELETING_OBJECT;
    KIRQL Irql;

    FltpReleaseBelow(Operation, First);
    FltpSetCount(Operation, First);
    Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    if (Operation->Capacity - First < (ULONG)Volume->InstanceCount) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    } else if (Instance->State == FltpInstanceActive) {
        FltpEnterActiveInstance(Instance);
        Count = FltpChooseInstancesLocked(Volume, Operation, First, Operation->Irp->Flags,
                                          IoGetCurrentIrpStackLocation(Operation->Irp), &Instance->Link);
        Status = STATUS_SUCCESS;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    if (!NT_SUCCESS(Status))
        return Status;
    FltpSetCount(Operation, Count);
    if (Operation->Redirected != NULL)
        FltpLeaveInstance(Operation->Redirected);
    Operation->Redirected = Instance;
    Operation->Target = Volume->Below;
    return STATUS_SUCCESS;
}

/* --- The end --- */

/* A teardown may be at the same node. */
VOID FltpReleaseBelow(PFLTP_OPERATION Operation, ULONG First)
{
    for (ULONG Index = First; Index < Operation->Count; Index++) {
        PFLTP_NODE Node = &Operation->Nodes[Index];

        if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeIdle) == FltpNodeIdle)
            FltpLeaveInstanceTwice(Node->Instance);
    }
}

/* The block used last is kept at hand; the one that it takes the place of goes to the list, or where that is long, away. */
VOID FltpReturnOperation(PFLTP_OPERATION Operation)
{
    PFLT_VOLUME Volume = Operation->Volume;
    PFLTP_OPERATION Former;
    KIRQL Irql;

    Operation->Magic = FLTP_MAGIC_FREE;
    if (FltpVerify) {
        *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = (PVOID)FV_OVER_ADDRESS;
        *(PETHREAD *)&Operation->Data.Thread = (PVOID)FV_OVER_ADDRESS;
    }
    InterlockedDecrement64((LONG64 *)&FltpCounters.operations_active);
    Former = InterlockedExchangePointer(&Volume->FreeBlock, Operation);
    if (Former != NULL && ExQueryDepthSList(&Volume->FreeBlocks) < FLTP_FREE_BLOCKS) {
        InterlockedPushEntrySList(&Volume->FreeBlocks, &Former->Free);
    } else if (Former != NULL) {
        Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
        FltpForgetBlockLocked(Former);
        KeReleaseSpinLock(&Volume->Lock, Irql);
    }
    if (InterlockedDecrement(&Volume->Users) == 0)
        FltpFreeVolume(Volume);
}

/* An MDL that a filter put in is the filter manager's to free, unless the filter said otherwise. */
VOID FltpFreeSwappedMdl(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PMDL Mdl = Node->SwappedMdl;

    Node->SwappedMdl = NULL;
    if (Mdl == NULL || FlagOn(Node->Flags, FLTP_NODE_RETAIN_MDL) || Mdl == Operation->OriginalMdl)
        return;
    FvBlame(Node->Swapper); /* whoever put it in and freed it as well */
    if (FlagOn(Mdl->MdlFlags, MDL_PAGES_LOCKED))
        MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    FvBlame(NULL);
}

VOID FltpForgetChanges(PFLTP_OPERATION Operation)
{
    /* Those whose filters swapped and have no post-callback. */
    for (ULONG Index = 0; Index < Operation->Count; Index++)
        FltpFreeSwappedMdl(Operation, &Operation->Nodes[Index]);
    if (Operation->Redirected != NULL)
        FltpLeaveInstance(Operation->Redirected);
    Operation->Redirected = NULL;
    Operation->Refused = STATUS_SUCCESS;
}

VOID FltpRestoreBuffers(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;

    Irp->UserBuffer = Operation->OriginalUserBuffer;
    Irp->AssociatedIrp.SystemBuffer = Operation->OriginalSystemBuffer;
    Irp->MdlAddress = Operation->OriginalMdl;
}

VOID FltpFinishOperation(PFLTP_OPERATION Operation)
{
    Operation->Irp->IoStatus = Operation->Data.IoStatus;
    if (Operation->Changed) {
        FltpRestoreBuffers(Operation);
        FltpForgetChanges(Operation);
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
        [FltpGivenPackage] = "rule=A callback's operation was pended by FltCheckOplock, FltOplockFsctrl or "
                             "FltProcessFileLock, and it did not "
                             "return FLT_PREOP_PENDING\n",
    };

    FltpBlameCallback(NULL, Callback, Call->Given == FltpGivenBack ? FLTP_NOT_PENDED : FLTP_GIVEN_AWAY, (ULONG_PTR)Data,
                      Status, Call->Given, How[Call->Given]);
}

/* How much an operation can have transferred or returned; FALSE where that is not what Information says. */
static BOOLEAN FltpGreatestInformation(const FLT_IO_PARAMETER_BLOCK *Iopb, PULONG Greatest)
{
    const FLT_PARAMETERS *P = &Iopb->Parameters;

    switch (Iopb->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE: *Greatest = P->Read.Length; return !FlagOn(Iopb->MinorFunction, IRP_MN_COMPLETE | IRP_MN_MDL);
    case IRP_MJ_QUERY_INFORMATION: *Greatest = P->QueryFileInformation.Length; return TRUE;
    case IRP_MJ_QUERY_VOLUME_INFORMATION: *Greatest = P->QueryVolumeInformation.Length; return TRUE;
    case IRP_MJ_QUERY_EA: *Greatest = P->QueryEa.Length; return TRUE;
    case IRP_MJ_QUERY_SECURITY: *Greatest = P->QuerySecurity.Length; return TRUE;
    case IRP_MJ_DIRECTORY_CONTROL: *Greatest = P->DirectoryControl.QueryDirectory.Length; return TRUE;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        *Greatest = P->DeviceIoControl.Common.OutputBufferLength;
        return (P->DeviceIoControl.Common.IoControlCode & 3) == METHOD_BUFFERED;
    default: return FALSE;
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
    if (Major == IRP_MJ_QUERY_SECURITY && Status == STATUS_BUFFER_OVERFLOW)
        return; /* documented: how much would be needed */
    if (!NT_ERROR(Status) && FltpGreatestInformation(&Node->Iopb, &Greatest) && Data->IoStatus.Information > Greatest)
        FltpBlameCallback(Node->Instance, Callback, FLTP_BAD_INFORMATION, (ULONG_PTR)Data, Data->IoStatus.Information,
                          Greatest,
                          "rule=An operation was completed with more in IoStatus.Information than its buffer has\n");
}

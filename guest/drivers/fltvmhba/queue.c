/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings, slots, and a request's way through them.
 */
#include "adapter.h"

/* ---- commands into the ring -------------------------------------------------------------------------------
 */

static struct fltvm_hba_command *HbaNextCommandLocked(PHBA_QUEUE Queue)
{
    struct fltvm_hba_command *Command = &Queue->Submission[Queue->Tail];

    RtlZeroMemory(Command, sizeof(*Command));
    return Command;
}

/* What a trace calls a command: no two that are in flight on a disk have the same. */
static ULONG HbaTraceName(PHBA_QUEUE Queue, USHORT Id)
{
    return Queue->Index << 16 | Id;
}

static VOID HbaRingLocked(PHBA_QUEUE Queue, struct fltvm_hba_command *Command)
{
    FV_TRACE(FLTVM_TRACE_HBA_SUBMIT, Queue->Adapter->Number, HbaTraceName(Queue, Command->id), Command->opcode,
             Command->lba, Command->blocks);
    Queue->Tail = (Queue->Tail + 1) % HBA_DEPTH;
    WRITE_REGISTER_ULONG(Queue->TailDoorbell, Queue->Tail);
}

static ULONG HbaRequestLength(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    return Stack->MajorFunction == IRP_MJ_READ    ? Stack->Parameters.Read.Length
           : Stack->MajorFunction == IRP_MJ_WRITE ? Stack->Parameters.Write.Length
                                                  : 0;
}

/*
 * Describes the next piece of the slot's request: as much as fits the segments.  Neighbouring pages become
 * one segment. FALSE when the list's page could not be had.
 */
static BOOLEAN HbaBuildSegments(PHBA_SLOT Slot, struct fltvm_hba_command *Command)
{
    PHBA_ADAPTER Adapter = Slot->Queue->Adapter;
    PMDL Mdl = Slot->Irp->MdlAddress;
    PPFN_NUMBER Pfn = MmGetMdlPfnArray(Mdl);
    ULONG Offset = MmGetMdlByteOffset(Mdl) + Slot->Done;
    ULONG Left = min(HbaRequestLength(Slot->Irp) - Slot->Done, Adapter->MaxTransfer);
    ULONG Limit = FLTVM_HBA_INLINE_SEGMENTS;
    struct fltvm_hba_segment *Segment = Command->segment;
    ULONG Count = 0;
    ULONG Total = 0;

    if (BYTE_OFFSET(Offset) + Left > FLTVM_HBA_INLINE_SEGMENTS * PAGE_SIZE) {
        if (Slot->List == NULL) {
            Slot->List = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, HBA_TAG);
            if (Slot->List == NULL) {
                return FALSE;
            }
            Slot->ListPhysical = MmGetPhysicalAddress(Slot->List).QuadPart;
        }
        Segment = Slot->List;
        Limit = min((ULONG)HBA_LIST_ENTRIES, Adapter->MaxSegments);
        Command->flags |= FLTVM_HBA_FLAG_LIST;
        Command->list = Slot->ListPhysical;
    }
    while (Left != 0) {
        ULONG64 Address = ((ULONG64)Pfn[Offset >> PAGE_SHIFT] << PAGE_SHIFT) + BYTE_OFFSET(Offset);
        ULONG Chunk = min(Left, PAGE_SIZE - BYTE_OFFSET(Offset));

        if (Count != 0 && Segment[Count - 1].address + Segment[Count - 1].length == Address) {
            Segment[Count - 1].length += Chunk;
        } else {
            if (Count == Limit) {
                break;
            }
            Segment[Count].address = Address;
            Segment[Count].length = Chunk;
            Segment[Count].reserved = 0;
            Count++;
        }
        Offset += Chunk;
        Total += Chunk;
        Left -= Chunk;
    }
    /* A piece is whole blocks: give back what is over. */
    while (Total % Adapter->BlockSize != 0) {
        ULONG Excess = min(Total % Adapter->BlockSize, Segment[Count - 1].length);

        Segment[Count - 1].length -= Excess;
        Total -= Excess;
        if (Segment[Count - 1].length == 0) {
            Count--;
        }
    }
    Command->segments = Count;
    Slot->Piece = Total;
    return Total != 0;
}

/* Sends the slot's request, or its next piece.  STATUS_SUCCESS: the device has it. */
static NTSTATUS HbaSendLocked(PHBA_SLOT Slot)
{
    PHBA_QUEUE Queue = Slot->Queue;
    PHBA_ADAPTER Adapter = Queue->Adapter;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Slot->Irp);
    struct fltvm_hba_command *Command = HbaNextCommandLocked(Queue);

    Command->id = Slot->Id;
    switch (Stack->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        Command->opcode = Stack->MajorFunction == IRP_MJ_READ ? FLTVM_HBA_OP_READ : FLTVM_HBA_OP_WRITE;
        if (!HbaBuildSegments(Slot, Command)) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Command->lba = ((ULONG64)Stack->Parameters.Read.ByteOffset.QuadPart + Slot->Done) / Adapter->BlockSize;
        Command->blocks = Slot->Piece / Adapter->BlockSize;
        if (Command->opcode == FLTVM_HBA_OP_WRITE && (Stack->Flags & SL_WRITE_THROUGH) != 0 &&
            (Adapter->Features & FLTVM_HBA_FEATURE_FUA) != 0) {
            Command->flags |= FLTVM_HBA_FLAG_FUA;
        }
        break;
    default:
        Command->opcode = FLTVM_HBA_OP_FLUSH;
        Slot->Piece = 0;
        break;
    }
    Slot->Opcode = Command->opcode;
    Slot->Deadline = (LONGLONG)KeQueryInterruptTime() + HBA_TIMEOUT;
    HbaRingLocked(Queue, Command);
    return STATUS_SUCCESS;
}

/* TRUE when the abort is on its way; else AbortWanted remembers it. */
BOOLEAN HbaSendAbortLocked(PHBA_SLOT Slot)
{
    PHBA_QUEUE Queue = Slot->Queue;
    struct fltvm_hba_command *Command;
    USHORT Id;

    if (Queue->AbortFreeCount == 0) {
        Slot->AbortWanted = TRUE;
        return FALSE;
    }
    Id = Queue->AbortFree[--Queue->AbortFreeCount];
    Queue->AbortTarget[Id - HBA_IO_SLOTS] = Slot->Id;
    Slot->AbortWanted = FALSE;
    Slot->AbortSent = TRUE;
    Slot->Deadline = (LONGLONG)KeQueryInterruptTime() + HBA_ABORT_TIMEOUT;
    Command = HbaNextCommandLocked(Queue);
    Command->opcode = FLTVM_HBA_OP_ABORT;
    Command->id = Id;
    Command->lba = FLTVM_HBA_ABORT_TARGET(Queue->Index, Slot->Id);
    HbaRingLocked(Queue, Command);
    return TRUE;
}

/* ---- slots -----------------------------------------------------------------------------------------------
 */

static PHBA_SLOT HbaTakeSlotLocked(PHBA_QUEUE Queue)
{
    PHBA_SLOT Slot;

    if (Queue->FreeCount == 0) {
        return NULL;
    }
    Slot = &Queue->Slot[Queue->Free[--Queue->FreeCount]];
    Slot->State = HbaSlotBusy;
    Slot->Canceled = FALSE;
    Slot->TimedOut = FALSE;
    Slot->AbortWanted = FALSE;
    Slot->AbortSent = FALSE;
    Slot->Irp = NULL;
    Slot->Event = NULL;
    Slot->Done = 0;
    return Slot;
}

static VOID HbaGiveSlotLocked(PHBA_SLOT Slot)
{
    Slot->State = HbaSlotFree;
    Slot->Irp = NULL;
    Slot->Queue->Free[Slot->Queue->FreeCount++] = Slot->Id;
}

/*
 * The slot's request is over.  Its IRP goes to Done, to be completed without the lock; or, when its cancel
 * routine has been claimed but has not come yet, stays for that routine.
 */
VOID HbaFinishSlotLocked(PHBA_SLOT Slot, NTSTATUS Status, PLIST_ENTRY Done)
{
    PIRP Irp = Slot->Irp;

    if (Irp == NULL) {
        Slot->Status = Status;
        KeSetEvent(Slot->Event, IO_NO_INCREMENT, FALSE);
        HbaGiveSlotLocked(Slot);
        return;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Slot->Done : 0;
    if (HbaIsRemovable(Slot->Queue->Adapter) && !NT_SUCCESS(Status) && IoIsErrorUserInduced(Status)) {
        IoSetHardErrorOrVerifyDevice(Irp, Slot->Queue->Adapter->Disk);
    }
    if (IoSetCancelRoutine(Irp, NULL) == NULL && !Slot->Canceled) {
        Slot->State = HbaSlotFinished;
        return;
    }
    HbaGiveSlotLocked(Slot);
    InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
}

VOID HbaCompleteList(PLIST_ENTRY Done)
{
    while (!IsListEmpty(Done)) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(Done), IRP, Tail.Overlay.ListEntry);

        IoCompleteRequest(Irp, IO_DISK_INCREMENT);
    }
}

/* Puts an IRP into a slot and sends it.  FALSE: no slot. */
static BOOLEAN HbaStartIrpLocked(PHBA_QUEUE Queue, PIRP Irp, PLIST_ENTRY Done)
{
    PHBA_SLOT Slot = HbaTakeSlotLocked(Queue);
    NTSTATUS Status;

    if (Slot == NULL) {
        return FALSE;
    }
    Slot->Irp = Irp;
    Irp->Tail.Overlay.DriverContext[0] = Queue;
    Irp->Tail.Overlay.DriverContext[1] = Slot;
    IoSetCancelRoutine(Irp, HbaCancelIrp);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Slot->Canceled = TRUE; /* canceled before it began: the device never sees it */
        HbaFinishSlotLocked(Slot, STATUS_CANCELLED, Done);
        return TRUE;
    }
    Status = HbaSendLocked(Slot);
    if (!NT_SUCCESS(Status)) {
        HbaFinishSlotLocked(Slot, Status, Done);
    }
    return TRUE;
}

/* Slots may have become free: starts what waits. */
VOID HbaPumpLocked(PHBA_QUEUE Queue, PLIST_ENTRY Done)
{
    if (Queue->Adapter->Resetting) {
        return;
    }
    while (!IsListEmpty(&Queue->Waiting) && Queue->FreeCount != 0) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(&Queue->Waiting), IRP, Tail.Overlay.ListEntry);

        Irp->Tail.Overlay.ListEntry.Flink = NULL; /* no longer waiting; HbaCancelIrp looks */
        if (IoSetCancelRoutine(Irp, NULL) == NULL) {
            continue; /* being canceled: its routine waits for the lock and completes it */
        }
        HbaStartIrpLocked(Queue, Irp, Done);
    }
}

VOID HbaSubmitIrp(PHBA_ADAPTER Adapter, PIRP Irp)
{
    PHBA_QUEUE Queue;
    LIST_ENTRY Done;
    KIRQL Irql;

    InitializeListHead(&Done);
    IoMarkIrpPending(Irp);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Queue = Adapter->Queue[KeGetCurrentProcessorNumberEx(NULL) % Adapter->Queues];
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    if (Adapter->Stopped) {
        /* given up meanwhile: nothing would take it off the list of those that wait */
        Irp->IoStatus.Status = STATUS_DEVICE_NOT_CONNECTED;
        Irp->IoStatus.Information = 0;
        InsertTailList(&Done, &Irp->Tail.Overlay.ListEntry);
    } else if (Adapter->Resetting || !IsListEmpty(&Queue->Waiting) || !HbaStartIrpLocked(Queue, Irp, &Done)) {
        Irp->Tail.Overlay.DriverContext[0] = Queue;
        Irp->Tail.Overlay.DriverContext[1] = NULL;
        IoSetCancelRoutine(Irp, HbaCancelIrp);
        if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
            Irp->IoStatus.Status = STATUS_CANCELLED;
            Irp->IoStatus.Information = 0;
            InsertTailList(&Done, &Irp->Tail.Overlay.ListEntry);
        } else {
            InsertTailList(&Queue->Waiting, &Irp->Tail.Overlay.ListEntry);
        }
    }
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    HbaCompleteList(&Done);
    KeLowerIrql(Irql);
}

NTSTATUS HbaRunCommand(PHBA_ADAPTER Adapter, UCHAR Opcode, PVOID Buffer, ULONG Length, ULONG64 Lba, ULONG Blocks)
{
    PHBA_QUEUE Queue = Adapter->Queue[0];
    struct fltvm_hba_command *Command;
    PHBA_SLOT Slot;
    KEVENT Event;
    KIRQL Irql;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeAcquireSpinLock(&Queue->Lock, &Irql);
    Slot = Adapter->Stopped || Adapter->Resetting ? NULL : HbaTakeSlotLocked(Queue);
    if (Slot == NULL) {
        KeReleaseSpinLock(&Queue->Lock, Irql);
        return STATUS_DEVICE_BUSY;
    }
    Slot->Event = &Event;
    Slot->Opcode = Opcode;
    Slot->Deadline = (LONGLONG)KeQueryInterruptTime() + HBA_TIMEOUT; /* the timer aborts it then */
    Command = HbaNextCommandLocked(Queue);
    Command->opcode = Opcode;
    Command->id = Slot->Id;
    Command->lba = Lba;
    Command->blocks = Blocks;
    if (Length != 0) {
        Command->segments = 1;
        Command->segment[0].address = MmGetPhysicalAddress(Buffer).QuadPart;
        Command->segment[0].length = Length;
    }
    HbaRingLocked(Queue, Command);
    KeReleaseSpinLock(&Queue->Lock, Irql);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    return Slot->Status;
}

/* ---- completions out of the ring --------------------------------------------------------------------------
 */

static NTSTATUS HbaStatusToNt(PHBA_SLOT Slot, USHORT Status)
{
    switch (Status) {
    case FLTVM_HBA_S_OK: return STATUS_SUCCESS;
    case FLTVM_HBA_S_ABORTED: return Slot->TimedOut ? STATUS_IO_TIMEOUT : STATUS_CANCELLED;
    case FLTVM_HBA_S_LBA_RANGE: return STATUS_NONEXISTENT_SECTOR;
    case FLTVM_HBA_S_MEDIA_READ: return STATUS_DEVICE_DATA_ERROR;
    case FLTVM_HBA_S_MEDIA_WRITE: return STATUS_IO_DEVICE_ERROR;
    case FLTVM_HBA_S_WRITE_PROTECTED: return STATUS_MEDIA_WRITE_PROTECTED;
    case FLTVM_HBA_S_NO_SPACE: return STATUS_DISK_FULL;
    case FLTVM_HBA_S_MEDIUM_CHANGED: return STATUS_VERIFY_REQUIRED;
    case FLTVM_HBA_S_NO_MEDIUM: return STATUS_NO_MEDIA_IN_DEVICE;
    default: return STATUS_IO_DEVICE_ERROR;
    }
}

static VOID HbaAbortDoneLocked(PHBA_QUEUE Queue, USHORT Id)
{
    ULONG Index;

    Queue->AbortFree[Queue->AbortFreeCount++] = Id;
    for (Index = 0; Index < HBA_IO_SLOTS; Index++) {
        PHBA_SLOT Slot = &Queue->Slot[Index];

        if (Slot->State == HbaSlotBusy && Slot->AbortWanted) {
            HbaSendAbortLocked(Slot);
            break;
        }
    }
}

static VOID HbaSlotDoneLocked(PHBA_SLOT Slot, USHORT Status, PLIST_ENTRY Done)
{
    NTSTATUS NtStatus = HbaStatusToNt(Slot, Status);

    if (NT_SUCCESS(NtStatus) && Slot->Irp != NULL) {
        Slot->Done += Slot->Piece;
        if (Slot->Done < HbaRequestLength(Slot->Irp)) {
            if (Slot->Canceled) {
                NtStatus = Slot->TimedOut ? STATUS_IO_TIMEOUT : STATUS_CANCELLED;
            } else {
                NtStatus = HbaSendLocked(Slot);
                if (NT_SUCCESS(NtStatus)) {
                    return;
                }
            }
        }
    }
    HbaFinishSlotLocked(Slot, NtStatus, Done);
}

static BOOLEAN HbaHasCompletion(PHBA_QUEUE Queue)
{
    return (*(volatile uint16_t *)&Queue->Completion[Queue->Head].status & FLTVM_HBA_COMPLETION_PHASE) == Queue->Phase;
}

/* DISPATCH_LEVEL on the queue's processor. */
static VOID NTAPI HbaDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PHBA_QUEUE Queue = Context;
    BOOLEAN Changed = FALSE;
    LIST_ENTRY Done;
    ULONG Taken = 0;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    InitializeListHead(&Done);
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    while (HbaHasCompletion(Queue)) {
        struct fltvm_hba_completion Entry;

        _ReadWriteBarrier(); /* the phase before the rest; the processor keeps loads in order */
        Entry = Queue->Completion[Queue->Head];
        Queue->Head = (Queue->Head + 1) % HBA_DEPTH;
        if (Queue->Head == 0) {
            Queue->Phase ^= FLTVM_HBA_COMPLETION_PHASE;
        }
        Taken++;
        /* Who sent the driver's own commands is told by its control. */
        Changed |= FLTVM_HBA_COMPLETION_STATUS(Entry.status) == FLTVM_HBA_S_MEDIUM_CHANGED && Entry.id < HBA_IO_SLOTS &&
                   Queue->Slot[Entry.id].Irp != NULL;
        FV_TRACE(FLTVM_TRACE_HBA_COMPLETE, Queue->Adapter->Number, HbaTraceName(Queue, Entry.id),
                 FLTVM_HBA_COMPLETION_STATUS(Entry.status), 0, 0);
        if (Entry.id >= HBA_IO_SLOTS && Entry.id < HBA_IO_SLOTS + HBA_ABORT_SLOTS) {
            HbaAbortDoneLocked(Queue, Entry.id);
        } else if (Entry.id < HBA_IO_SLOTS && Queue->Slot[Entry.id].State == HbaSlotBusy) {
            HbaSlotDoneLocked(&Queue->Slot[Entry.id], FLTVM_HBA_COMPLETION_STATUS(Entry.status), &Done);
        } else {
            DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                       "fltvmhba: completion for id %u that is not in flight\n", Entry.id);
        }
    }
    if (Taken != 0) {
        WRITE_REGISTER_ULONG(Queue->HeadDoorbell, Queue->Head);
        InterlockedExchangeAdd(&Queue->Adapter->Completions, (LONG)Taken);
        HbaPumpLocked(Queue, &Done);
    }
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    HbaCompleteList(&Done);
    if (Changed) {
        HbaTakeMedium(Queue->Adapter);
    }
    if (Taken == 0 && !Queue->Adapter->Stopped && !Queue->Adapter->Resetting) {
        HbaCheckController(Queue->Adapter); /* a message without a completion: how the controller says that it died */
    }
}

/* DIRQL.  The message says which queue; there is nothing to acknowledge at the device. */
BOOLEAN NTAPI HbaIsr(PKINTERRUPT Interrupt, PVOID Context, ULONG MessageId)
{
    PHBA_ADAPTER Adapter = Context;
    PHBA_QUEUE Queue;

    UNREFERENCED_PARAMETER(Interrupt);
    if (MessageId >= Adapter->Queues || (Queue = Adapter->Queue[MessageId]) == NULL) {
        return FALSE;
    }
    KeInsertQueueDpc(&Queue->Dpc, NULL, NULL);
    return TRUE;
}

/* ---- queues ----------------------------------------------------------------------------------------------
 */

/* Empty rings, every slot that is not waited for free. */
VOID HbaResetQueueLocked(PHBA_QUEUE Queue)
{
    ULONG Index;

    RtlZeroMemory(Queue->Submission, PAGE_SIZE);
    RtlZeroMemory(Queue->Completion, HBA_DEPTH * sizeof(*Queue->Completion));
    Queue->Tail = 0;
    Queue->Head = 0;
    Queue->Phase = FLTVM_HBA_COMPLETION_PHASE;
    Queue->AbortFreeCount = 0;
    for (Index = 0; Index < HBA_ABORT_SLOTS; Index++) {
        Queue->AbortFree[Queue->AbortFreeCount++] = (USHORT)(HBA_IO_SLOTS + Index);
    }
}

BOOLEAN HbaProgramQueue(PHBA_QUEUE Queue)
{
    PHBA_ADAPTER Adapter = Queue->Adapter;
    ULONG Base = FLTVM_HBA_REG_QUEUE(Queue->Index);
    ULONG64 Submission = MmGetPhysicalAddress(Queue->Submission).QuadPart;
    ULONG64 Completion = MmGetPhysicalAddress(Queue->Completion).QuadPart;

    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_SQ_BASE_LO, (ULONG)Submission);
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_SQ_BASE_HI, (ULONG)(Submission >> 32));
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_CQ_BASE_LO, (ULONG)Completion);
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_CQ_BASE_HI, (ULONG)(Completion >> 32));
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_DEPTH, HBA_DEPTH);
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_VECTOR, Queue->Index);
    HbaWrite(Adapter, Base + FLTVM_HBA_QUEUE_CONTROL, FLTVM_HBA_QUEUE_CONTROL_ENABLE | FLTVM_HBA_QUEUE_CONTROL_IRQ);
    return (HbaRead(Adapter, Base + FLTVM_HBA_QUEUE_STATUS) & FLTVM_HBA_QUEUE_STATUS_RUNNING) != 0;
}

NTSTATUS HbaCreateQueue(PHBA_ADAPTER Adapter, ULONG Index)
{
    ULONG Stride = HbaRead(Adapter, FLTVM_HBA_REG_DOORBELL_STRIDE);
    PHBA_QUEUE Queue = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Queue), HBA_TAG);
    ULONG Slot;

    if (Queue == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Queue, sizeof(*Queue));
    Adapter->Queue[Index] = Queue;
    Queue->Adapter = Adapter;
    Queue->Index = Index;
    KeInitializeSpinLock(&Queue->Lock);
    InitializeListHead(&Queue->Waiting);
    /* A page of pool is page-aligned, hence contiguous. */
    Queue->Submission = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, HBA_TAG);
    Queue->Completion = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, HBA_TAG);
    if (Queue->Submission == NULL || Queue->Completion == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NT_ASSERT(BYTE_OFFSET(Queue->Submission) == 0 && BYTE_OFFSET(Queue->Completion) == 0);
    for (Slot = 0; Slot < HBA_IO_SLOTS; Slot++) {
        Queue->Slot[Slot].Queue = Queue;
        Queue->Slot[Slot].Id = (USHORT)Slot;
        Queue->Free[Slot] = (USHORT)(HBA_IO_SLOTS - 1 - Slot); /* id 0 first */
    }
    Queue->FreeCount = HBA_IO_SLOTS;
    HbaResetQueueLocked(Queue);
    Queue->TailDoorbell =
        (volatile ULONG *)(Adapter->Registers + FLTVM_HBA_DOORBELLS + Index * Stride + FLTVM_HBA_DOORBELL_SQ_TAIL);
    Queue->HeadDoorbell =
        (volatile ULONG *)(Adapter->Registers + FLTVM_HBA_DOORBELLS + Index * Stride + FLTVM_HBA_DOORBELL_CQ_HEAD);
    KeInitializeDpc(&Queue->Dpc, HbaDpc, Queue);
    KeSetTargetProcessorDpc(&Queue->Dpc, (CCHAR)Index);
    return STATUS_SUCCESS;
}

/* The device is quiet and the interrupt disconnected. */
VOID HbaDeleteQueue(PHBA_QUEUE Queue)
{
    ULONG Slot;

    KeRemoveQueueDpc(&Queue->Dpc);
    for (Slot = 0; Slot < HBA_IO_SLOTS; Slot++) {
        if (Queue->Slot[Slot].List != NULL) {
            ExFreePoolWithTag(Queue->Slot[Slot].List, HBA_TAG);
        }
    }
    if (Queue->Submission != NULL) {
        ExFreePoolWithTag(Queue->Submission, HBA_TAG);
    }
    if (Queue->Completion != NULL) {
        ExFreePoolWithTag(Queue->Completion, HBA_TAG);
    }
    ExFreePoolWithTag(Queue, HBA_TAG);
}

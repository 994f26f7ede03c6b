/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O request packets: their memory and their making.
 *
 * An IRP is a header followed by StackCount stack locations; CurrentLocation runs from StackCount + 1 (nobody
 * has it yet) down to 1.  Packets of the usual sizes come from two lookaside lists.  A packet that belongs to
 * a thread's request is on that thread's list until its second completion stage; a packet on a list must not
 * be freed.
 */
#include "iop.h"

#define IOP_SMALL_STACK 1
#define IOP_LARGE_STACK 10

static NPAGED_LOOKASIDE_LIST IopSmallIrps;
static NPAGED_LOOKASIDE_LIST IopLargeIrps;

/* Behind a packet of the lists. */
typedef struct _IOP_IRP_OWNER {
    LIST_ENTRY Entry; /* IopOwnedIrps, if there is a caller */
    PVOID Caller;
} IOP_IRP_OWNER, *PIOP_IRP_OWNER;

static LIST_ENTRY IopOwnedIrps = {&IopOwnedIrps, &IopOwnedIrps}; /* IopOwnedLock */
static KSPIN_LOCK IopOwnedLock;

#define IopOwnerOf(Irp) ((PIOP_IRP_OWNER)((PUCHAR)(Irp) + (Irp)->Size))

static VOID IopSetOwner(PIRP Irp, PVOID Caller)
{
    PIOP_IRP_OWNER Owner = IopOwnerOf(Irp);

    Owner->Caller = Caller;
    if (Caller != NULL) {
        ExInterlockedInsertTailList(&IopOwnedIrps, &Owner->Entry, &IopOwnedLock);
    }
}

static VOID IopForgetOwner(PIRP Irp)
{
    PIOP_IRP_OWNER Owner = IopOwnerOf(Irp);
    KIRQL Irql;

    if (Owner->Caller != NULL) {
        KeAcquireSpinLock(&IopOwnedLock, &Irql);
        RemoveEntryList(&Owner->Entry);
        KeReleaseSpinLock(&IopOwnedLock, Irql);
    }
}

VOID IoCheckLeft(PVOID Base, SIZE_T Size)
{
    PIOP_IRP_OWNER Found = NULL;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&IopOwnedLock, &Irql);
    for (Entry = IopOwnedIrps.Flink; Entry != &IopOwnedIrps; Entry = Entry->Flink) {
        PIOP_IRP_OWNER Owner = CONTAINING_RECORD(Entry, IOP_IRP_OWNER, Entry);

        if ((ULONG_PTR)Owner->Caller - (ULONG_PTR)Base < Size) {
            Found = Owner;
        }
    }
    KeReleaseSpinLock(&IopOwnedLock, Irql);
    if (Found != NULL) {
        KeReportLeft("IRP", Found, Found->Caller);
    }
}

VOID IopInitializeIrps(VOID)
{
    ExInitializeNPagedLookasideList(&IopSmallIrps, NULL, NULL, 0, IoSizeOfIrp(IOP_SMALL_STACK) + sizeof(IOP_IRP_OWNER),
                                    IOP_TAG_IRP, 0);
    ExInitializeNPagedLookasideList(&IopLargeIrps, NULL, NULL, 0, IoSizeOfIrp(IOP_LARGE_STACK) + sizeof(IOP_IRP_OWNER),
                                    IOP_TAG_IRP, 0);
}

static VOID IopFormatIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    RtlZeroMemory(Irp, IoSizeOfIrp(StackSize));
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = StackSize + 1;
    Irp->ApcEnvironment = 0; /* OriginalApcEnvironment */
    InitializeListHead(&Irp->ThreadListEntry);
    Irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
}

/*
 * IRQL <= DISPATCH_LEVEL.  NULL when there is no memory.  There are no quotas here; only the flags say what was asked:
 * IRP_ALLOCATED_FIXED_SIZE is a packet of one of the two lists.  Large ones are accounted to the caller as pool;
 * a driver's of the lists are noted with the verifier, so that one left behind is found.
 */
static PIRP IopAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota, PVOID Caller)
{
    UCHAR Flags = 0;
    USHORT Size;
    PIRP Irp;

    if (StackSize < 0) {
        return NULL;
    }
    if (StackSize <= IOP_SMALL_STACK) {
        Size = IoSizeOfIrp(IOP_SMALL_STACK);
        Flags = IRP_ALLOCATED_FIXED_SIZE | (ChargeQuota ? IRP_LOOKASIDE_ALLOCATION : 0);
        Irp = ExAllocateFromNPagedLookasideList(&IopSmallIrps);
    } else if (StackSize <= IOP_LARGE_STACK) {
        Size = IoSizeOfIrp(IOP_LARGE_STACK);
        Flags = IRP_ALLOCATED_FIXED_SIZE | (ChargeQuota ? IRP_LOOKASIDE_ALLOCATION : 0);
        Irp = ExAllocateFromNPagedLookasideList(&IopLargeIrps);
    } else {
        Size = IoSizeOfIrp(StackSize);
        Irp = MmAllocatePoolForCaller(NonPagedPoolNx, Size, IOP_TAG_IRP, Caller);
    }
    if (Irp == NULL) {
        return NULL;
    }
    IopFormatIrp(Irp, Size, StackSize);
    Irp->AllocationFlags = Flags;
    if (Flags != 0) {
        IopSetOwner(Irp, IopVerifierOn && KiClassifyCode((ULONG64)Caller) == KiDriverCode ? Caller : NULL);
    }
    return Irp;
}

PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    return IopAllocateIrp(StackSize, ChargeQuota, _ReturnAddress());
}

/* IRQL <= DISPATCH_LEVEL.  DeviceObject is the target, whose driver could ask for its own sizes; none does
 * yet. */
PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return IopAllocateIrp(StackSize, ChargeQuota, _ReturnAddress());
}

/* IRQL <= DISPATCH_LEVEL.  For memory that the caller owns, never for IoAllocateIrp's. */
VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    if (IopVerifierOn && Irp->Type == IO_TYPE_IRP && (Irp->AllocationFlags & IRP_ALLOCATED_FIXED_SIZE) != 0 &&
        (Irp->Size == IoSizeOfIrp(IOP_SMALL_STACK) || Irp->Size == IoSizeOfIrp(IOP_LARGE_STACK)) &&
        Irp->Tail.Overlay.CurrentStackLocation == (PIO_STACK_LOCATION)(Irp + 1) + Irp->CurrentLocation - 1) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20D, (ULONG_PTR)_ReturnAddress(), (ULONG_PTR)Irp, 0);
    }
    IopFormatIrp(Irp, PacketSize, StackSize);
}

/* IRQL <= DISPATCH_LEVEL.  For IoAllocateIrp's packets only; Iostatus becomes IoStatus.Status. */
VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    UCHAR Flags = Irp->AllocationFlags;

    if (IopVerifierOn &&
        (Irp->Type != IO_TYPE_IRP || Irp->CancelRoutine != NULL || !IsListEmpty(&Irp->ThreadListEntry))) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20B, (ULONG_PTR)_ReturnAddress(), (ULONG_PTR)Irp, 0);
    }
    IopFormatIrp(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = Flags;
    Irp->IoStatus.Status = Iostatus;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoFreeIrp(PIRP Irp)
{
    if (Irp->Type != IO_TYPE_IRP) {
        if (IopVerifierOn) {
            KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1, (ULONG_PTR)Irp, 0, 0);
        }
        KeBugCheckEx(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)Irp, __LINE__, 0, 0);
    }
    if (!IsListEmpty(&Irp->ThreadListEntry)) {
        if (IopVerifierOn) {
            KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x2, (ULONG_PTR)Irp, 0, 0);
        }
        IopDequeueThreadIrp(Irp);
    }
    if ((Irp->AllocationFlags & IRP_ALLOCATED_FIXED_SIZE) != 0) {
        IopForgetOwner(Irp);
    }
    /* Whoever still uses the packet is found at its next call. */
    Irp->Type = 0;
    if ((Irp->AllocationFlags & IRP_ALLOCATED_FIXED_SIZE) == 0) {
        ExFreePoolWithTag(Irp, IOP_TAG_IRP);
    } else if (Irp->Size == IoSizeOfIrp(IOP_SMALL_STACK)) {
        ExFreeToNPagedLookasideList(&IopSmallIrps, Irp);
    } else {
        ExFreeToNPagedLookasideList(&IopLargeIrps, Irp);
    }
}

/* IRQL <= DISPATCH_LEVEL.  The master completes when as many associated IRPs have as its IrpCount says. */
PIRP NTAPI IoMakeAssociatedIrp(PIRP MasterIrp, CCHAR StackSize)
{
    PIRP Irp = IoAllocateIrp(StackSize, FALSE);

    if (Irp != NULL) {
        Irp->Flags |= IRP_ASSOCIATED_IRP;
        Irp->AssociatedIrp.MasterIrp = MasterIrp;
        Irp->Tail.Overlay.Thread = MasterIrp->Tail.Overlay.Thread;
    }
    return Irp;
}

/* ---- the thread's list -----------------------------------------------------------------------------------
 */

/* The IRP's Tail.Overlay.Thread is the current thread.  <= APC_LEVEL. */
VOID IopQueueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;
    KIRQL Irql;

    KeAcquireSpinLock(&Thread->IrpListLock, &Irql);
    InsertHeadList(&Thread->IrpList, &Irp->ThreadListEntry);
    KeReleaseSpinLock(&Thread->IrpListLock, Irql);
}

VOID IopDequeueThreadIrp(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;
    KIRQL Irql;

    if (Thread == NULL) {
        return;
    }
    KeAcquireSpinLock(&Thread->IrpListLock, &Irql);
    RemoveEntryList(&Irp->ThreadListEntry);
    InitializeListHead(&Irp->ThreadListEntry);
    KeReleaseSpinLock(&Thread->IrpListLock, Irql);
}

/* Associates a packet that the caller made with the current thread, which then completes it.  <= APC_LEVEL.
 */
VOID NTAPI IoQueueThreadIrp(PIRP Irp)
{
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    IopQueueThreadIrp(Irp);
}

/* ---- packets for a driver's own requests ------------------------------------------------------------------
 */

static BOOLEAN IopFillTransfer(PIRP Irp, PDEVICE_OBJECT DeviceObject, ULONG MajorFunction, PVOID Buffer, ULONG Length,
                               PLARGE_INTEGER StartingOffset)
{
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);

    Stack->MajorFunction = (UCHAR)MajorFunction;
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE) {
        return TRUE;
    }
    if (MajorFunction == IRP_MJ_READ) {
        Stack->Parameters.Read.Length = Length;
        if (StartingOffset != NULL) {
            Stack->Parameters.Read.ByteOffset = *StartingOffset;
        }
    } else {
        Stack->Parameters.Write.Length = Length;
        if (StartingOffset != NULL) {
            Stack->Parameters.Write.ByteOffset = *StartingOffset;
        }
    }
    if ((DeviceObject->Flags & DO_BUFFERED_IO) != 0) {
        Irp->AssociatedIrp.SystemBuffer =
            ExAllocatePoolWithTag(NonPagedPoolNx, Length != 0 ? Length : 1, IOP_TAG_BUFFER);
        if (Irp->AssociatedIrp.SystemBuffer == NULL) {
            return FALSE;
        }
        Irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
        if (MajorFunction == IRP_MJ_WRITE) {
            RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Buffer, Length);
        } else {
            Irp->Flags |= IRP_INPUT_OPERATION;
            Irp->UserBuffer = Buffer;
        }
    } else if ((DeviceObject->Flags & DO_DIRECT_IO) != 0) {
        LOCK_OPERATION Operation = MajorFunction == IRP_MJ_READ ? IoWriteAccess : IoReadAccess;

        return Length == 0 || NT_SUCCESS(IopLockBuffer(Irp, Buffer, Length, KernelMode, Operation));
    } else {
        Irp->UserBuffer = Buffer;
    }
    return TRUE;
}

/*
 * IRQL <= APC_LEVEL.  READ, WRITE, FLUSH_BUFFERS, SHUTDOWN, PNP.  The packet belongs to nobody: the caller's
 * completion routine frees it and, after a direct transfer, its locked MDL.
 */
PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                         PLARGE_INTEGER StartingOffset, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP Irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);

    if (Irp == NULL) {
        return NULL;
    }
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->UserIosb = IoStatusBlock;
    if (!IopFillTransfer(Irp, DeviceObject, MajorFunction, Buffer, Length, StartingOffset)) {
        IoFreeIrp(Irp);
        return NULL;
    }
    return Irp;
}

/*
 * PASSIVE_LEVEL, with APCs deliverable: the packet completes in this thread, which must wait for Event when
 * IoCallDriver returns STATUS_PENDING.  The manager frees the packet.
 */
PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                        PLARGE_INTEGER StartingOffset, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP Irp =
        IoBuildAsynchronousFsdRequest(MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock);

    if (Irp != NULL) {
        Irp->UserEvent = Event;
        IopQueueThreadIrp(Irp);
    }
    return Irp;
}

static BOOLEAN IopFillControl(PIRP Irp, ULONG IoControlCode, PVOID InputBuffer, ULONG InputBufferLength,
                              PVOID OutputBuffer, ULONG OutputBufferLength)
{
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    ULONG Method = IoControlCode & 3;
    ULONG Length = max(InputBufferLength, OutputBufferLength);

    Irp->UserBuffer = OutputBuffer;
    if (Method == METHOD_NEITHER) {
        Stack->Parameters.DeviceIoControl.Type3InputBuffer = InputBuffer;
        return TRUE;
    }
    if (Method != METHOD_BUFFERED) {
        Length = InputBufferLength;
    }
    if (Length != 0) {
        Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, IOP_TAG_BUFFER);
        if (Irp->AssociatedIrp.SystemBuffer == NULL) {
            return FALSE;
        }
        if (InputBuffer != NULL) {
            RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, InputBuffer, InputBufferLength);
        }
        Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
        if (Method == METHOD_BUFFERED && OutputBuffer != NULL) {
            Irp->Flags |= IRP_INPUT_OPERATION;
        }
    }
    if (Method != METHOD_BUFFERED && OutputBuffer != NULL && OutputBufferLength != 0) {
        LOCK_OPERATION Operation = Method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess;

        return NT_SUCCESS(IopLockBuffer(Irp, OutputBuffer, OutputBufferLength, KernelMode, Operation));
    }
    return TRUE;
}

/* PASSIVE_LEVEL; otherwise as IoBuildSynchronousFsdRequest. */
PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
                                         ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
                                         BOOLEAN InternalDeviceIoControl, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP Irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    PIO_STACK_LOCATION Stack;

    if (Irp == NULL) {
        return NULL;
    }
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    Stack->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    Stack->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    Stack->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    if (!IopFillControl(Irp, IoControlCode, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength)) {
        IopReleaseIrpResources(Irp);
        IoFreeIrp(Irp);
        return NULL;
    }
    Irp->UserEvent = Event;
    Irp->UserIosb = IoStatusBlock;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    IopQueueThreadIrp(Irp);
    return Irp;
}

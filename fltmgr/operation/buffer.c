/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer.c: the buffer that an operation carries: where it is, locking it, and what a filter put in its place.
 */
#include "operation.h"

/* IRQL: any. */
NTSTATUS FLTAPI FltDecodeParameters(PFLT_CALLBACK_DATA CallbackData, PMDL **MdlAddressPointer, PVOID **Buffer,
                                    PULONG *Length, LOCK_OPERATION *DesiredAccess)
{
    PMDL *Mdl;
    PVOID *Place;
    PULONG Size;
    LOCK_OPERATION Access;
    BOOLEAN Found = FltpLocateBuffer(CallbackData->Iopb, &Mdl, &Place, &Size, &Access);

    if (MdlAddressPointer != NULL)
        *MdlAddressPointer = Mdl;
    if (Buffer != NULL)
        *Buffer = Place;
    if (Length != NULL)
        *Length = Size;
    if (DesiredAccess != NULL)
        *DesiredAccess = Access;
    return Found ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* --- Locking --- */

/* What a filter above has put in the place of a program's buffer is its own to answer for. */
static KPROCESSOR_MODE FltpModeOfBuffer(PFLTP_OPERATION Operation)
{
    for (ULONG Index = Operation->Current; Index > 0; Index--)
        if (FlagOn(Operation->Nodes[Index - 1].Flags, FLTP_NODE_SWAPPED))
            return KernelMode;
    return Operation->Data.RequestorMode;
}

/* A program's buffer is in the process of the thread that asked, whoever locks it. */
static NTSTATUS FltpProbeAndLock(PFLTP_OPERATION Operation, PMDL Mdl, LOCK_OPERATION Access)
{
    BOOLEAN User = MmGetMdlVirtualAddress(Mdl) <= MmHighestUserAddress;
    PEPROCESS Process = User ? FltGetRequestorProcess(&Operation->Data) : NULL;
    KPROCESSOR_MODE Mode = User ? Operation->Data.RequestorMode : FltpModeOfBuffer(Operation);
    NTSTATUS Status = STATUS_SUCCESS;
    KAPC_STATE State;

    if (Process == PsGetCurrentProcess())
        Process = NULL;
    if (Process != NULL)
        KeStackAttachProcess((PRKPROCESS)Process, &State);
    __try {
        MmProbeAndLockPages(Mdl, Mode, Access);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (Process != NULL)
        KeUnstackDetachProcess(&State);
    return Status;
}

static NTSTATUS FltpLockBuffer(PFLTP_OPERATION Operation, PVOID Buffer, ULONG Length, LOCK_OPERATION Access,
                               PMDL *NewMdl)
{
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER))
        MmBuildMdlForNonPagedPool(Mdl);
    else
        Status = FltpProbeAndLock(Operation, Mdl, Access);
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Mdl);
        return Status;
    }
    *NewMdl = Mdl;
    return STATUS_SUCCESS;
}

/*
 * An MDL was made for the buffer that those from Index up sent: they see it, and it is freed with that buffer, which is that of the nearest
 * filter that swapped one in, or the request's.
 */
VOID FltpGiveMdl(PFLTP_OPERATION Operation, ULONG Index, PMDL Mdl)
{
    LOCK_OPERATION Access;
    PULONG Length;
    PVOID *Buffer;
    PMDL *Place;

    for (; Index > 0; Index--) {
        PFLTP_NODE Node = &Operation->Nodes[Index - 1];

        if (FlagOn(Node->Flags, FLTP_NODE_SWAPPED)) {
            if (Node->SwappedMdl == NULL) {
                Node->SwappedMdl = Mdl;
                Node->Swapper = NULL;
            }
            return;
        }
        if (FltpLocateBuffer(&Node->Iopb, &Place, &Buffer, &Length, &Access) && Place != NULL && *Place == NULL)
            *Place = Mdl;
    }
    Operation->OriginalMdl = Mdl;
    if (Operation->Irp != NULL)
        Operation->Irp->MdlAddress = Mdl;
}

/* In a pre-callback.  A buffer that this filter has swapped in just now is its own: FltpAfterPre sees that MDL. */
static VOID FltpNoteLockedInPre(PFLTP_OPERATION Operation, PVOID Buffer, PMDL Mdl)
{
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
    LOCK_OPERATION Access;
    PULONG Length;
    PVOID *Before;
    PMDL *Place;

    SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY);
    if (!FltpLocateBuffer(&Node->Iopb, &Place, &Before, &Length, &Access) || *Before != Buffer || Place == NULL)
        return;
    *Place = Mdl;
    FltpGiveMdl(Operation, Operation->Current, Mdl);
}

/* IRQL: <= APC_LEVEL.  The MDL is unlocked and freed when the operation is over. */
NTSTATUS FLTAPI FltLockUserBuffer(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltLockUserBuffer was given no operation under way\n");
    PFLT_IO_PARAMETER_BLOCK Iopb = CallbackData->Iopb;
    LOCK_OPERATION Access;
    NTSTATUS Status;
    PULONG Length;
    PVOID *Buffer;
    PMDL *Place;

    if (!FltpLocateBuffer(Iopb, &Place, &Buffer, &Length, &Access) || Place == NULL ||
        ((Iopb->MajorFunction == IRP_MJ_READ || Iopb->MajorFunction == IRP_MJ_WRITE) &&
         FlagOn(Iopb->MinorFunction, IRP_MN_MDL)))
        return STATUS_INVALID_PARAMETER;
    if (*Place != NULL || *Length == 0)
        return STATUS_SUCCESS;
    if (Operation->Magic == FLTP_MAGIC_DRAINED)
        return STATUS_FLT_DELETING_OBJECT; /* a copy has nobody who would free it */
    Status = FltpLockBuffer(Operation, *Buffer, *Length, Access, Place);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Operation->Completed)
        FltpGiveMdl(Operation, Operation->Current, *Place);
    else
        FltpNoteLockedInPre(Operation, *Buffer, *Place);
    return STATUS_SUCCESS;
}

/* --- Swapped buffers --- */

/* The node whose post-callback asks.  Before it, nobody knows yet what the callback has swapped. */
static PFLTP_NODE FltpSwappingNode(PFLT_CALLBACK_DATA Data)
{
    PFLTP_OPERATION Operation = FltpCheckData(Data, "rule=A swapped buffer's MDL was asked for with no operation\n");

    if (FltpVerify && !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_IN_POST, (ULONG_PTR)Data, 0, 0,
                      "rule=A swapped buffer's MDL can be asked for in a post-callback only\n");
    return Operation->Current < Operation->Count ? &Operation->Nodes[Operation->Current] : NULL;
}

/* IRQL: any. */
PMDL FLTAPI FltGetSwappedBufferMdlAddress(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_NODE Node = FltpSwappingNode(CallbackData);

    return Node != NULL ? Node->SwappedMdl : NULL;
}

/* IRQL: any. */
VOID FLTAPI FltRetainSwappedBufferMdlAddress(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_NODE Node = FltpSwappingNode(CallbackData);

    if (Node != NULL)
        SetFlag(Node->Flags, FLTP_NODE_RETAIN_MDL);
}

/* --- Pool for buffers --- */

PVOID FLTAPI FltAllocatePoolAlignedWithTag(PFLT_INSTANCE Instance, POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    /* Pool is aligned to 16 bytes, and from a page on to a page; only a stricter device asks for more. */
    if (Instance->Volume->Device->AlignmentRequirement > FILE_OCTA_ALIGNMENT && NumberOfBytes < PAGE_SIZE)
        NumberOfBytes = PAGE_SIZE;
    return FvAllocatePoolForCaller(PoolType, NumberOfBytes, Tag, _ReturnAddress());
}

VOID FLTAPI FltFreePoolAlignedWithTag(PFLT_INSTANCE Instance, PVOID Buffer, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Instance);
    ExFreePoolWithTag(Buffer, Tag);
}

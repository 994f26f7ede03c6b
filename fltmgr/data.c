/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * data.c: what a callback may ask of, or do to, the operation it was given.  IRQL: any, unless said.
 */
#include "fltmgrp.h"

VOID FLTAPI FltSetCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    FltpCheckData(Data, "rule=FltSetCallbackDataDirty was given no operation under way\n");
    SetFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

VOID FLTAPI FltClearCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    FltpCheckData(Data, "rule=FltClearCallbackDataDirty was given no operation under way\n");
    ClearFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

BOOLEAN FLTAPI FltIsCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    return BooleanFlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

BOOLEAN FLTAPI FltIsOperationSynchronous(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltIsOperationSynchronous was given no operation under way\n");

    return Operation->Irp == NULL || IoIsOperationSynchronous(Operation->Irp);
}

PEPROCESS FLTAPI FltGetRequestorProcess(PFLT_CALLBACK_DATA CallbackData)
{
    return CallbackData->Thread != NULL ? IoThreadToProcess(CallbackData->Thread) : NULL;
}

HANDLE FLTAPI FltGetRequestorProcessIdEx(PFLT_CALLBACK_DATA CallbackData)
{
    PEPROCESS Process = FltGetRequestorProcess(CallbackData);

    return Process != NULL ? PsGetProcessId(Process) : NULL;
}

ULONG FLTAPI FltGetRequestorProcessId(PFLT_CALLBACK_DATA CallbackData)
{
    return HandleToUlong(FltGetRequestorProcessIdEx(CallbackData));
}

static const struct {
    UCHAR Major;
    PCSTR Name;
} FltpMajorNames[] = {
    {IRP_MJ_CREATE, "IRP_MJ_CREATE"},
    {IRP_MJ_CREATE_NAMED_PIPE, "IRP_MJ_CREATE_NAMED_PIPE"},
    {IRP_MJ_CLOSE, "IRP_MJ_CLOSE"},
    {IRP_MJ_READ, "IRP_MJ_READ"},
    {IRP_MJ_WRITE, "IRP_MJ_WRITE"},
    {IRP_MJ_QUERY_INFORMATION, "IRP_MJ_QUERY_INFORMATION"},
    {IRP_MJ_SET_INFORMATION, "IRP_MJ_SET_INFORMATION"},
    {IRP_MJ_QUERY_EA, "IRP_MJ_QUERY_EA"},
    {IRP_MJ_SET_EA, "IRP_MJ_SET_EA"},
    {IRP_MJ_FLUSH_BUFFERS, "IRP_MJ_FLUSH_BUFFERS"},
    {IRP_MJ_QUERY_VOLUME_INFORMATION, "IRP_MJ_QUERY_VOLUME_INFORMATION"},
    {IRP_MJ_SET_VOLUME_INFORMATION, "IRP_MJ_SET_VOLUME_INFORMATION"},
    {IRP_MJ_DIRECTORY_CONTROL, "IRP_MJ_DIRECTORY_CONTROL"},
    {IRP_MJ_FILE_SYSTEM_CONTROL, "IRP_MJ_FILE_SYSTEM_CONTROL"},
    {IRP_MJ_DEVICE_CONTROL, "IRP_MJ_DEVICE_CONTROL"},
    {IRP_MJ_INTERNAL_DEVICE_CONTROL, "IRP_MJ_INTERNAL_DEVICE_CONTROL"},
    {IRP_MJ_SHUTDOWN, "IRP_MJ_SHUTDOWN"},
    {IRP_MJ_LOCK_CONTROL, "IRP_MJ_LOCK_CONTROL"},
    {IRP_MJ_CLEANUP, "IRP_MJ_CLEANUP"},
    {IRP_MJ_CREATE_MAILSLOT, "IRP_MJ_CREATE_MAILSLOT"},
    {IRP_MJ_QUERY_SECURITY, "IRP_MJ_QUERY_SECURITY"},
    {IRP_MJ_SET_SECURITY, "IRP_MJ_SET_SECURITY"},
    {IRP_MJ_POWER, "IRP_MJ_POWER"},
    {IRP_MJ_SYSTEM_CONTROL, "IRP_MJ_SYSTEM_CONTROL"},
    {IRP_MJ_DEVICE_CHANGE, "IRP_MJ_DEVICE_CHANGE"},
    {IRP_MJ_QUERY_QUOTA, "IRP_MJ_QUERY_QUOTA"},
    {IRP_MJ_SET_QUOTA, "IRP_MJ_SET_QUOTA"},
    {IRP_MJ_PNP, "IRP_MJ_PNP"},
    {IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, "IRP_MJ_ACQUIRE_FOR_SECTION_SYNC"},
    {IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION, "IRP_MJ_RELEASE_FOR_SECTION_SYNC"},
    {IRP_MJ_ACQUIRE_FOR_MOD_WRITE, "IRP_MJ_ACQUIRE_FOR_MOD_WRITE"},
    {IRP_MJ_RELEASE_FOR_MOD_WRITE, "IRP_MJ_RELEASE_FOR_MOD_WRITE"},
    {IRP_MJ_ACQUIRE_FOR_CC_FLUSH, "IRP_MJ_ACQUIRE_FOR_CC_FLUSH"},
    {IRP_MJ_RELEASE_FOR_CC_FLUSH, "IRP_MJ_RELEASE_FOR_CC_FLUSH"},
    {IRP_MJ_QUERY_OPEN, "IRP_MJ_QUERY_OPEN"},
    {IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE, "IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE"},
    {IRP_MJ_NETWORK_QUERY_OPEN, "IRP_MJ_NETWORK_QUERY_OPEN"},
    {IRP_MJ_MDL_READ, "IRP_MJ_MDL_READ"},
    {IRP_MJ_MDL_READ_COMPLETE, "IRP_MJ_MDL_READ_COMPLETE"},
    {IRP_MJ_PREPARE_MDL_WRITE, "IRP_MJ_PREPARE_MDL_WRITE"},
    {IRP_MJ_MDL_WRITE_COMPLETE, "IRP_MJ_MDL_WRITE_COMPLETE"},
    {IRP_MJ_VOLUME_MOUNT, "IRP_MJ_VOLUME_MOUNT"},
    {IRP_MJ_VOLUME_DISMOUNT, "IRP_MJ_VOLUME_DISMOUNT"},
};

VOID FLTAPI FltGetIrpName(UCHAR IrpMajorCode, PCHAR *IrpMajorName)
{
    *IrpMajorName = (PCHAR) "(unknown)";
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpMajorNames); Index++) {
        if (FltpMajorNames[Index].Major == IrpMajorCode)
            *IrpMajorName = (PCHAR)FltpMajorNames[Index].Name;
    }
}

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

/* IRQL: <= APC_LEVEL, in the requestor's context.  Makes an MDL and locks the pages, where there is none yet.
 */
NTSTATUS FLTAPI FltLockUserBuffer(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltLockUserBuffer was given no operation under way\n");
    NTSTATUS Status = STATUS_SUCCESS;
    LOCK_OPERATION Access;
    PULONG Length;
    PVOID *Buffer;
    PMDL *Place, Mdl;

    if (!FltpLocateBuffer(CallbackData->Iopb, &Place, &Buffer, &Length, &Access) || Place == NULL)
        return STATUS_INVALID_PARAMETER;
    if (*Place != NULL || *Length == 0 || FlagOn(CallbackData->Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER))
        return STATUS_SUCCESS;
    Mdl = IoAllocateMdl(*Buffer, *Length, FALSE, FALSE, NULL);
    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Mdl, CallbackData->RequestorMode, Access);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Mdl);
        return Status;
    }
    /* It belongs to the request, which unlocks and frees it when it is completed. */
    *Place = Mdl;
    if (Operation->Irp->MdlAddress == NULL)
        Operation->Irp->MdlAddress = Operation->OriginalMdl = Mdl;
    return STATUS_SUCCESS;
}

static PFLTP_NODE FltpOwnNode(PFLT_CALLBACK_DATA Data)
{
    PFLTP_OPERATION Operation = FltpCheckData(Data, "rule=That is no operation under way\n");

    return Operation->Current < Operation->Count ? &Operation->Nodes[Operation->Current] : NULL;
}

PMDL FLTAPI FltGetSwappedBufferMdlAddress(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_NODE Node = FltpOwnNode(CallbackData);

    return Node != NULL ? Node->SwappedMdl : NULL;
}

VOID FLTAPI FltRetainSwappedBufferMdlAddress(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_NODE Node = FltpOwnNode(CallbackData);

    if (Node != NULL)
        Node->RetainMdl = TRUE;
}

BOOLEAN FLTAPI FltIsIoCanceled(PFLT_CALLBACK_DATA CallbackData)
{
    return FltpCheckData(CallbackData, "rule=FltIsIoCanceled was given no operation under way\n")
        ->Irp->Cancel;
}

BOOLEAN FLTAPI FltCancelIo(PFLT_CALLBACK_DATA CallbackData)
{
    return IoCancelIrp(
        FltpCheckData(CallbackData, "rule=FltCancelIo was given no operation under way\n")->Irp);
}

/* IRQL: DISPATCH_LEVEL, the cancel spin lock is held and is released here. */
static VOID NTAPI FltpCancelRoutine(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFLTP_OPERATION Operation = Irp->Tail.Overlay.DriverContext[3];

    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Operation->CanceledCallback(&Operation->Data);
}

/* IRQL: <= DISPATCH_LEVEL.  STATUS_CANCELLED when it is too late: the request is cancelled already. */
NTSTATUS FLTAPI FltSetCancelCompletion(PFLT_CALLBACK_DATA CallbackData,
                                       PFLT_COMPLETE_CANCELED_CALLBACK CanceledCallback)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltSetCancelCompletion was given no operation under way\n");
    PIRP Irp = Operation->Irp;

    Operation->CanceledCallback = CanceledCallback;
    Irp->Tail.Overlay.DriverContext[3] = Operation;
    IoSetCancelRoutine(Irp, FltpCancelRoutine);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL)
        return STATUS_CANCELLED;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltClearCancelCompletion(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltClearCancelCompletion was given no operation under way\n");

    return IoSetCancelRoutine(Operation->Irp, NULL) != NULL ? STATUS_SUCCESS : STATUS_CANCELLED;
}

PVOID FLTAPI FltAllocatePoolAlignedWithTag(PFLT_INSTANCE Instance, POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                           ULONG Tag)
{
    /* Pool is aligned to 16 bytes, and from a page on to a page; only a stricter device asks for more. */
    if (Instance->Volume->Device->AlignmentRequirement > FILE_OCTA_ALIGNMENT && NumberOfBytes < PAGE_SIZE)
        NumberOfBytes = PAGE_SIZE;
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID FLTAPI FltFreePoolAlignedWithTag(PFLT_INSTANCE Instance, PVOID Buffer, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Instance);
    ExFreePoolWithTag(Buffer, Tag);
}

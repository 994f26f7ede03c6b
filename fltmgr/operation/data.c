/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * data.c: what a filter may ask of its callback data, or note in it.  IRQL: any.
 */
#include "operation.h"

VOID FLTAPI FltSetCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    FltpCheckAnyData(Data, "rule=FltSetCallbackDataDirty was given no callback data\n");
    SetFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

VOID FLTAPI FltClearCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    FltpCheckAnyData(Data, "rule=FltClearCallbackDataDirty was given no callback data\n");
    ClearFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

BOOLEAN FLTAPI FltIsCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    return BooleanFlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

static BOOLEAN FltpIsBufferedControl(const FLT_IO_PARAMETER_BLOCK *Iopb)
{
    switch (Iopb->MajorFunction) {
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        return Iopb->MinorFunction != IRP_MN_MOUNT_VOLUME && Iopb->MinorFunction != IRP_MN_VERIFY_VOLUME &&
               (Iopb->Parameters.DeviceIoControl.Common.IoControlCode & 3) == METHOD_BUFFERED;
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        return (Iopb->Parameters.DeviceIoControl.Common.IoControlCode & 3) == METHOD_BUFFERED;
    default: return FALSE;
    }
}

/* The documented conditions, in their order. */
BOOLEAN FLTAPI FltIsOperationSynchronous(PFLT_CALLBACK_DATA CallbackData)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = CallbackData->Iopb;

    if (!FLT_IS_IRP_OPERATION(CallbackData))
        return TRUE;
    if (FlagOn(Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))
        return FlagOn(Iopb->IrpFlags, IRP_SYNCHRONOUS_PAGING_IO) != 0;
    if (Iopb->TargetFileObject != NULL && FlagOn(Iopb->TargetFileObject->Flags, FO_SYNCHRONOUS_IO))
        return TRUE;
    return FlagOn(Iopb->IrpFlags, IRP_SYNCHRONOUS_API) || FltpIsBufferedControl(Iopb);
}

/* NULL unless the file system has put another system buffer in the place of the one that went down. */
PVOID FLTAPI FltGetNewSystemBufferAddress(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltGetNewSystemBufferAddress was given no operation under way\n");

    return FlagOn(CallbackData->Flags, FLTFL_CALLBACK_DATA_NEW_SYSTEM_BUFFER)
               ? Operation->Irp->AssociatedIrp.SystemBuffer
               : NULL;
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

PCHAR FLTAPI FltGetIrpName(UCHAR IrpMajorCode)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpMajorNames); Index++) {
        if (FltpMajorNames[Index].Major == IrpMajorCode)
            return (PCHAR)FltpMajorNames[Index].Name;
    }
    return (PCHAR) "<Invalid IRP code>";
}

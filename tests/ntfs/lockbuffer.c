// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two instances that look at reads' buffers when they are read: NTFS may have made an MDL for a buffer, which each then finds; else
 * the first to ask has one made, and the other finds that.  In whatever process and thread, the bytes are the caller's.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;
static LONG Looked, Found;

static VOID Look(PFLT_CALLBACK_DATA Data)
{
    PMDL Before = Data->Iopb->Parameters.Read.MdlAddress, Mdl;
    PUCHAR Bytes;

    FvCheck(FltLockUserBuffer(Data) == STATUS_SUCCESS);
    Mdl = Data->Iopb->Parameters.Read.MdlAddress;
    FvCheck(Mdl != NULL && (Before == NULL || Before == Mdl));
    Bytes = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    FvCheck(Bytes != NULL && Bytes[0] == 'x' && Bytes[Data->IoStatus.Information - 1] == 'x');
    if (Before != NULL)
        InterlockedIncrement(&Found);
    InterlockedIncrement(&Looked);
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) || !FLT_IS_IRP_OPERATION(Data) ? FLT_PREOP_SUCCESS_NO_CALLBACK
                                                                                      : FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostReadSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    Look(Data);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Result = FLT_POSTOP_FINISHED_PROCESSING;

    if (!NT_SUCCESS(Data->IoStatus.Status) || Data->IoStatus.Information == 0)
        return Result;
    FvCheck(FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, PostReadSafe, &Result));
    return Result;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    DbgPrint("lockbuffer: looked %d found %d\n", Looked, Found);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    FvTestPlan(48);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

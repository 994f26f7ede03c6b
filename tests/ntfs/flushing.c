/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each flush gets the minor function that is the last character of the file's name; writes of files whose name ends with "through" are said to
 * go through.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;

static FLT_PREOP_CALLBACK_STATUS PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PUNICODE_STRING Name = &FltObjects->FileObject->FileName;

    UNREFERENCED_PARAMETER(Context);
    if (Name->Length != 0) {
        Data->Iopb->MinorFunction = (UCHAR)(Name->Buffer[Name->Length / sizeof(WCHAR) - 1] - L'0');
        FltSetCallbackDataDirty(Data);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    static const WCHAR End[] = L"through";
    PUNICODE_STRING Name = &FltObjects->FileObject->FileName;
    USHORT Length = sizeof(End) - sizeof(WCHAR);

    UNREFERENCED_PARAMETER(Context);
    if (FLT_IS_FASTIO_OPERATION(Data))
        return FLT_PREOP_DISALLOW_FASTIO;
    if (Name->Length >= Length &&
        RtlCompareMemory((PUCHAR)Name->Buffer + Name->Length - Length, End, Length) == Length) {
        Data->Iopb->OperationFlags |= SL_WRITE_THROUGH;
        FltSetCallbackDataDirty(Data);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const FLT_OPERATION_REGISTRATION Operations[] = {
        {IRP_MJ_FLUSH_BUFFERS, 0, PreFlush, NULL}, {IRP_MJ_WRITE, 0, PreWrite, NULL}, {IRP_MJ_OPERATION_END}};
    static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                                  .Version = FLT_REGISTRATION_VERSION,
                                                  .OperationRegistration = Operations,
                                                  .FilterUnloadCallback = Unload};
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
    }
    if (!NT_SUCCESS(Status) && Filter != NULL) {
        FltUnregisterFilter(Filter);
    }
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A minifilter that says who does what to files with "seen" in their name: the operation, the requestor's mode, the processor's
 * previous mode, the process, and whether a buffer is a user's.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;

static const CHAR *NameOf(UCHAR Major)
{
    switch (Major) {
    case IRP_MJ_CREATE: return "create";
    case IRP_MJ_READ: return "read";
    case IRP_MJ_WRITE: return "write";
    case IRP_MJ_SET_INFORMATION: return "set";
    case IRP_MJ_QUERY_INFORMATION: return "query";
    case IRP_MJ_DIRECTORY_CONTROL: return "directory";
    case IRP_MJ_LOCK_CONTROL: return "lock";
    case IRP_MJ_CLEANUP: return "cleanup";
    default: return "close";
    }
}

static PVOID BufferOf(PFLT_CALLBACK_DATA Data)
{
    PFLT_PARAMETERS Parameters = &Data->Iopb->Parameters;

    return Data->Iopb->MajorFunction == IRP_MJ_READ    ? Parameters->Read.ReadBuffer
           : Data->Iopb->MajorFunction == IRP_MJ_WRITE ? Parameters->Write.WriteBuffer
                                                       : NULL;
}

static BOOLEAN IsSeen(PUNICODE_STRING Name)
{
    for (ULONG Index = 0; Index + 4 <= Name->Length / sizeof(WCHAR); Index++) {
        if (_wcsnicmp(Name->Buffer + Index, L"seen", 4) == 0)
            return TRUE;
    }
    return FALSE;
}

static FLT_PREOP_CALLBACK_STATUS Before(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFILE_OBJECT File = FltObjects->FileObject;
    PVOID Buffer = BufferOf(Data);

    if ((Data->Iopb->IrpFlags & IRP_PAGING_IO) == 0 && IsSeen(&File->FileName))
        DbgPrint("witness: %s of %wZ by %u, mode %u, previous %u, %s\n", NameOf(Data->Iopb->MajorFunction),
                 &File->FileName, HandleToULong(PsGetCurrentProcessId()), (ULONG)Data->RequestorMode,
                 (ULONG)ExGetPreviousMode(),
                 Buffer == NULL                           ? "no buffer"
                 : (ULONG_PTR)Buffer < MmUserProbeAddress ? "a user's buffer"
                                                          : "a buffer of the kernel's");
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_READ, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_SET_INFORMATION, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_DIRECTORY_CONTROL, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_LOCK_CONTROL, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = Before},
    {.MajorFunction = IRP_MJ_CLOSE, .PreOperation = Before},
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

    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

/* SPDX-License-Identifier: MIT */
/*
 * A filter that keeps a record of each write to a volume: the index, which counts the records, is written before the record
 * that it counts, and nothing is flushed in between.  A power cut leaves an index of records that are not there.  With
 * MENDED the record is flushed before the index counts it.
 */
#include <fltKernel.h>

#define INDEX_AT   (512 * 1024)
#define RECORDS_AT (INDEX_AT + 512)
#define MAGIC      0x6c6e726a

static PFLT_FILTER JournalFilter;
static LONG Records;

static NTSTATUS JournalPut(PCFLT_RELATED_OBJECTS FltObjects, LONGLONG Offset, ULONG Number, PULONG Sector)
{
    LARGE_INTEGER Where = {.QuadPart = Offset};
    ULONG Written;

    RtlZeroMemory(Sector, 512);
    Sector[0] = MAGIC;
    Sector[1] = Number;
    return FltWriteFile(FltObjects->Instance, FltObjects->FileObject, &Where, 512, Sector,
                        FLTFL_IO_OPERATION_NON_CACHED | FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, &Written, NULL,
                        NULL);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI JournalPreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID *CompletionContext)
{
    PULONG Sector = ExAllocatePoolWithTag(NonPagedPoolNx, 512, 'nruJ');
    ULONG Number = (ULONG)InterlockedIncrement(&Records) - 1;
    NTSTATUS Status = Sector != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;

    UNREFERENCED_PARAMETER(CompletionContext);
#ifdef MENDED
    if (NT_SUCCESS(Status))
        Status = JournalPut(FltObjects, RECORDS_AT + Number * 512, Number, Sector);
    if (NT_SUCCESS(Status))
        Status = FltFlushBuffers(FltObjects->Instance, FltObjects->FileObject);
    if (NT_SUCCESS(Status))
        Status = JournalPut(FltObjects, INDEX_AT, Number + 1, Sector);
#else
    if (NT_SUCCESS(Status))
        Status = JournalPut(FltObjects, INDEX_AT, Number + 1, Sector);
    if (NT_SUCCESS(Status))
        Status = JournalPut(FltObjects, RECORDS_AT + Number * 512, Number, Sector);
#endif
    if (Sector != NULL)
        ExFreePoolWithTag(Sector, 'nruJ');
    if (NT_SUCCESS(Status))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

static NTSTATUS FLTAPI JournalUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(JournalFilter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION JournalOperations[] = {{IRP_MJ_WRITE, 0, JournalPreWrite, NULL, NULL},
                                                               {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION JournalRegistration = {.Size = sizeof(JournalRegistration),
                                                     .Version = FLT_REGISTRATION_VERSION,
                                                     .OperationRegistration = JournalOperations,
                                                     .FilterUnloadCallback = JournalUnload};

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &JournalRegistration, &JournalFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(JournalFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(JournalFilter);
    }
    return Status;
}

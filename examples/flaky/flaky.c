/* SPDX-License-Identifier: MIT */
/*
 * flaky: remembers which blocks were read, in a table that is replaced by a longer one when there is a new block.  It works
 * when one tries it, and crashes now and then where several threads read: docs/manual/explore.md finds out why, and tells
 * about the second mistake.  With -DMENDED neither is there.
 */
#include <fltKernel.h>

#define FLAKY_TAG 'kalF'

typedef struct _TABLE {
    ULONG Count;
    LONGLONG Offset[];
} TABLE, *PTABLE;

static PFLT_FILTER FlakyFilter;
static KSPIN_LOCK FlakyLock;
static PTABLE FlakyTable; /* FlakyLock */
static PULONG FlakyTotal;

DRIVER_INITIALIZE DriverEntry;

static BOOLEAN FlakyIsIn(const TABLE *Table, LONGLONG Offset)
{
    for (ULONG Index = 0; Table != NULL && Index < Table->Count; Index++) {
        if (Table->Offset[Index] == Offset)
            return TRUE;
    }
    return FALSE;
}

static BOOLEAN FlakyIsKnown(LONGLONG Offset)
{
    BOOLEAN Known;
#ifdef MENDED
    KIRQL Irql;

    KeAcquireSpinLock(&FlakyLock, &Irql);
#endif
    Known = FlakyIsIn(FlakyTable, Offset);
#ifdef MENDED
    KeReleaseSpinLock(&FlakyLock, Irql);
#endif
    return Known;
}

/* A table with the offset in it takes the place of the old one. */
static VOID FlakyRemember(LONGLONG Offset)
{
    ULONG Count;
    PTABLE New, Old;
    KIRQL Irql;

    KeAcquireSpinLock(&FlakyLock, &Irql);
    Old = FlakyTable;
    Count = Old == NULL ? 0 : Old->Count;
    New = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(TABLE) + (Count + 1) * sizeof(LONGLONG), FLAKY_TAG);
    if (New != NULL) {
        if (Old != NULL)
            RtlCopyMemory(New->Offset, Old->Offset, Count * sizeof(LONGLONG));
        New->Offset[Count] = Offset;
        New->Count = Count + 1;
        FlakyTable = New;
        if (Old != NULL)
            ExFreePoolWithTag(Old, FLAKY_TAG);
    }
    KeReleaseSpinLock(&FlakyLock, Irql);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI FlakyPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                     PVOID *CompletionContext)
{
    LONGLONG Offset = Data->Iopb->Parameters.Read.ByteOffset.QuadPart;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    InterlockedIncrement((volatile LONG *)FlakyTotal);
    if (!FlakyIsKnown(Offset))
        FlakyRemember(Offset);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static VOID FlakyFree(VOID)
{
    if (FlakyTable != NULL)
        ExFreePoolWithTag(FlakyTable, FLAKY_TAG);
    if (FlakyTotal != NULL)
        ExFreePoolWithTag(FlakyTotal, FLAKY_TAG);
}

static NTSTATUS FLTAPI FlakyUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(FlakyFilter);
    DbgPrint("flaky: %u reads\n", *FlakyTotal);
    FlakyFree();
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION FlakyOperations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = FlakyPreRead}, {.MajorFunction = IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION FlakyRegistration = {.Size = sizeof(FlakyRegistration),
                                                   .Version = FLT_REGISTRATION_VERSION,
                                                   .OperationRegistration = FlakyOperations,
                                                   .FilterUnloadCallback = FlakyUnload};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&FlakyLock);
    FlakyTotal = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*FlakyTotal), FLAKY_TAG);
    if (FlakyTotal == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *FlakyTotal = 0;
    Status = FltRegisterFilter(DriverObject, &FlakyRegistration, &FlakyFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(FlakyFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(FlakyFilter);
    }
#ifdef MENDED
    if (!NT_SUCCESS(Status))
        FlakyFree();
#endif
    return Status;
}

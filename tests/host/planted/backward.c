/* SPDX-License-Identifier: MIT */
/* Planted: lock order.  The path of a read that fails takes the two locks the other way round. */
#include "planted.h"

static KSPIN_LOCK ListLock, CountLock;
static ULONG Reads, Failures;

static NTSTATUS PlantedStart(VOID)
{
    KeInitializeSpinLock(&ListLock);
    KeInitializeSpinLock(&CountLock);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    *CompletionContext = NULL;
    KeAcquireSpinLock(&ListLock, &Irql);
    KeAcquireSpinLockAtDpcLevel(&CountLock);
    Reads++;
    KeReleaseSpinLockFromDpcLevel(&CountLock);
    KeReleaseSpinLock(&ListLock, Irql);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    if (NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;
    KeAcquireSpinLock(&CountLock, &Irql);
    Failures++;
    KeAcquireSpinLockAtDpcLevel(&ListLock);
    Reads--;
    KeReleaseSpinLockFromDpcLevel(&ListLock);
    KeReleaseSpinLock(&CountLock, Irql);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* SPDX-License-Identifier: MIT */
/* A lock is taken shared, then exclusive, and what was seen meanwhile is not looked at again. */
#include "planted.h"

static ERESOURCE Lock;
static PULONG Cache; /* Lock */

static NTSTATUS PlantedStart(VOID)
{
    return ExInitializeResourceLite(&Lock);
}

static VOID PlantedStop(VOID)
{
    if (Cache != NULL)
        PlantedFree(Cache);
    ExDeleteResourceLite(&Lock);
}

/* Of the reads at multiples of 16 KiB every other throws away what the one before it has made. */
static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    PULONG Mine;

    *CompletionContext = NULL;
    if (Data->Iopb->Parameters.Read.ByteOffset.QuadPart % 16384 != 0)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Lock, TRUE);
    Mine = Cache;
    ExReleaseResourceLite(&Lock);
    ExAcquireResourceExclusiveLite(&Lock, TRUE);
    if (Mine != NULL) {
        Cache = NULL;
        PlantedFree(Mine);
    } else {
        Cache = PlantedAllocate(sizeof(ULONG));
    }
    ExReleaseResourceLite(&Lock);
    KeLeaveCriticalRegion();
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

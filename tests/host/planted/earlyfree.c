/* SPDX-License-Identifier: MIT */
/* Planted: unload.  What reads count in is freed before the filter manager has waited for those that are under way. */
#define PLANTED_STOPS_FIRST
#include "planted.h"

static volatile LONG *Count;

static NTSTATUS PlantedStart(VOID)
{
    Count = PlantedAllocate(sizeof(*Count));
    return Count != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID PlantedStop(VOID)
{
    PlantedFree((PVOID)Count);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    *CompletionContext = NULL;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    InterlockedIncrement(Count);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

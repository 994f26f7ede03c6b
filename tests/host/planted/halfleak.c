/* SPDX-License-Identifier: MIT */
/* A leak where the second allocation fails. */
#include "planted.h"

static PULONG First, Second;

static NTSTATUS PlantedStart(VOID)
{
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    PULONG Mine = PlantedAllocate(64), Other = PlantedAllocate(128);

    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (Mine == NULL || Other == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    First = Mine;
    Second = Other;
    PlantedFree(Mine);
    PlantedFree(Other);
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

/* SPDX-License-Identifier: MIT */
/* What is freed where the start fails is freed by the stop once more. */
#include "planted.h"

static PULONG First, Second;

static VOID PlantedStop(VOID)
{
    PlantedFree(Second);
    PlantedFree(First);
}

static NTSTATUS PlantedStart(VOID)
{
    First = PlantedAllocate(32);
    if (First == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Second = PlantedAllocate(32);
    if (Second == NULL) {
        PlantedFree(First);
        PlantedStop();
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
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

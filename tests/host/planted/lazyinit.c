/* SPDX-License-Identifier: MIT */
/* What is made at the first use is made twice, and one of the two is lost. */
#include "planted.h"

static PULONG volatile Shared;

static NTSTATUS PlantedStart(VOID)
{
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
    if (Shared != NULL)
        PlantedFree(Shared);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (Shared == NULL)
        Shared = PlantedAllocate(sizeof(ULONG));
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

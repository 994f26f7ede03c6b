/* SPDX-License-Identifier: MIT */
/* An allocation that is not checked, in the post-callback. */
#include "planted.h"

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
    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    NTSTATUS *Copy = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(NTSTATUS), PLANTED_TAG);

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    *Copy = Data->IoStatus.Status;
    PlantedFree(Copy);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

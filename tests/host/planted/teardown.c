/* SPDX-License-Identifier: MIT */
/*
 * Planted: detach.  A read waits for its turn, which the one before it gives when it is done; when an instance goes, reads are
 * completed without their post-callbacks' work, and the turn is lost.
 */
#include "planted.h"

static KEVENT Turn;

static NTSTATUS PlantedStart(VOID)
{
    KeInitializeEvent(&Turn, SynchronizationEvent, TRUE);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    *CompletionContext = NULL;
    KeWaitForSingleObject(&Turn, Executive, KernelMode, FALSE, NULL);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (Flags & FLTFL_POST_OPERATION_DRAINING)
        return FLT_POSTOP_FINISHED_PROCESSING;
    KeSetEvent(&Turn, IO_NO_INCREMENT, FALSE);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

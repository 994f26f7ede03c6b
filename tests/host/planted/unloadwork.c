/* SPDX-License-Identifier: MIT */
/* Unload against a work item: the routine says that it is done while it still needs what the unload frees. */
#include "planted.h"

typedef struct _STATE {
    volatile LONG Busy, Done;
} STATE, *PSTATE;

static PSTATE State;

typedef struct _ITEM {
    WORK_QUEUE_ITEM Work;
} ITEM, *PITEM;

static VOID NTAPI Work(PVOID Context)
{
    PlantedFree(Context);
    if (InterlockedDecrement(&State->Busy) >= 0) {
        KeQueryTimeIncrement();
        State->Done++;
    }
}

static NTSTATUS PlantedStart(VOID)
{
    State = PlantedAllocate(sizeof(STATE));
    return State != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static VOID PlantedStop(VOID)
{
    LARGE_INTEGER Interval = {.QuadPart = -1000};

    while (State->Busy != 0)
        KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    PlantedFree(State);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    PITEM Item = PlantedAllocate(sizeof(ITEM));

    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (Item == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    InterlockedIncrement(&State->Busy);
    ExInitializeWorkItem(&Item->Work, Work, Item);
    ExQueueWorkItem(&Item->Work, DelayedWorkQueue);
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

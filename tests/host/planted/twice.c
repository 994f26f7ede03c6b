/* SPDX-License-Identifier: MIT */
/* Double completion: a work item, and one for the case that it takes too long, look in two steps whether the other was first. */
#include "planted.h"

typedef struct _PENDED {
    PFLT_CALLBACK_DATA Data;
    volatile LONG Done, References;
    PFLT_GENERIC_WORKITEM Work, Late;
} PENDED, *PPENDED;

static VOID Complete(PPENDED Pended)
{
    if (!Pended->Done) {
        KeQueryTimeIncrement();
        Pended->Done = 1;
        FltCompletePendedPreOperation(Pended->Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    }
    if (InterlockedDecrement(&Pended->References) == 0) {
        FltFreeGenericWorkItem(Pended->Work);
        FltFreeGenericWorkItem(Pended->Late);
        PlantedFree(Pended);
    }
}

static VOID FLTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    UNREFERENCED_PARAMETER(Item);
    UNREFERENCED_PARAMETER(Object);
    Complete(Context);
}

static VOID FLTAPI Late(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    LARGE_INTEGER Interval = {.QuadPart = -5000};

    UNREFERENCED_PARAMETER(Item);
    UNREFERENCED_PARAMETER(Object);
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    Complete(Context);
}

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
    PPENDED Pended = PlantedAllocate(sizeof(PENDED));
    PFLT_GENERIC_WORKITEM First = FltAllocateGenericWorkItem(), Second = FltAllocateGenericWorkItem();

    *CompletionContext = NULL;
    if (Pended == NULL || First == NULL || Second == NULL) {
        if (Pended != NULL)
            PlantedFree(Pended);
        if (First != NULL)
            FltFreeGenericWorkItem(First);
        if (Second != NULL)
            FltFreeGenericWorkItem(Second);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Pended->Data = Data;
    Pended->References = 2;
    Pended->Work = First;
    Pended->Late = Second;
    FltQueueGenericWorkItem(Second, FltObjects->Instance, Late, DelayedWorkQueue, Pended);
    FltQueueGenericWorkItem(First, FltObjects->Instance, Work, DelayedWorkQueue, Pended);
    return FLT_PREOP_PENDING;
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

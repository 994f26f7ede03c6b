/* SPDX-License-Identifier: MIT */
/* Who waits for a work item gives up after a time, and frees what the routine will write to. */
#include "planted.h"

typedef struct _REQUEST {
    KEVENT Done;
    ULONG Answer;
} REQUEST, *PREQUEST;

static VOID FLTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    PREQUEST Request = Context;

    UNREFERENCED_PARAMETER(Object);
    FltFreeGenericWorkItem(Item);
    Request->Answer = 1;
    KeSetEvent(&Request->Done, 0, FALSE);
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
    UNREFERENCED_PARAMETER(FltObjects);
    PREQUEST Request = PlantedAllocate(sizeof(REQUEST));
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();
    LARGE_INTEGER Most = {.QuadPart = -5000};

    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (Request == NULL || Item == NULL) {
        if (Item != NULL)
            FltFreeGenericWorkItem(Item);
        if (Request != NULL)
            PlantedFree(Request);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    KeInitializeEvent(&Request->Done, NotificationEvent, FALSE);
    if (NT_SUCCESS(FltQueueGenericWorkItem(Item, FltObjects->Instance, Work, CriticalWorkQueue, Request)))
        KeWaitForSingleObject(&Request->Done, Executive, KernelMode, FALSE, &Most);
    else
        FltFreeGenericWorkItem(Item);
    PlantedFree(Request);
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

/* SPDX-License-Identifier: MIT */
/* Lost wake-up: the thread looks whether there is work and clears its event in the wrong order. */
#include "planted.h"

typedef struct _WORK {
    LIST_ENTRY Entry;
    PFLT_CALLBACK_DATA Data;
} WORK, *PWORK;

static LIST_ENTRY Works; /* Lock */
static KSPIN_LOCK Lock;
static KEVENT Wake;
static volatile LONG Stop;
static PETHREAD Thread;

static VOID NTAPI Serve(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        PLIST_ENTRY Entry = ExInterlockedRemoveHeadList(&Works, &Lock);
        if (Entry == NULL) {
            if (Stop)
                break;
            KeClearEvent(&Wake);
            KeWaitForSingleObject(&Wake, Executive, KernelMode, FALSE, NULL);
            continue;
        }
        PWORK Work = CONTAINING_RECORD(Entry, WORK, Entry);
        PFLT_CALLBACK_DATA Data = Work->Data;
        PlantedFree(Work);
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS PlantedStart(VOID)
{
    InitializeListHead(&Works);
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Wake, NotificationEvent, FALSE);
    return PlantedThread(Serve, NULL, &Thread);
}

static VOID PlantedStop(VOID)
{
    Stop = 1;
    KeSetEvent(&Wake, 0, FALSE);
    PlantedJoin(Thread);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    PWORK Work = PlantedAllocate(sizeof(WORK));

    *CompletionContext = NULL;
    if (Work == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Work->Data = Data;
    ExInterlockedInsertTailList(&Works, &Work->Entry, &Lock);
    KeSetEvent(&Wake, 0, FALSE);
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

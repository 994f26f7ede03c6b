/* SPDX-License-Identifier: MIT */
/*
 * Planted: cancel against completion.  Reads are held for a while, and a thread lets them go on; one that is canceled meanwhile
 * is completed at once, and stays among those that the thread will complete.  With MENDED it is whoever takes it
 * from there that completes it.
 */
#include "planted.h"

#define MOST 16

static KSPIN_LOCK Lock;
static PFLT_CALLBACK_DATA Held[MOST]; /* Lock */
static KEVENT Wake;
static volatile BOOLEAN Stops;
static PETHREAD Thread;

static VOID NTAPI Work(PVOID Context)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000};

    UNREFERENCED_PARAMETER(Context);
    while (!Stops) {
        KeWaitForSingleObject(&Wake, Executive, KernelMode, FALSE, NULL);
        KeDelayExecutionThread(KernelMode, FALSE, &Interval);
        for (ULONG Index = 0; Index < MOST; Index++) {
            PFLT_CALLBACK_DATA Data;
            KIRQL Irql;

            KeAcquireSpinLock(&Lock, &Irql);
            Data = Held[Index];
            Held[Index] = NULL;
            KeReleaseSpinLock(&Lock, Irql);
            if (Data == NULL)
                continue;
            FltClearCancelCompletion(Data);
            FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
        }
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS PlantedStart(VOID)
{
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Wake, SynchronizationEvent, FALSE);
    return PlantedThread(Work, NULL, &Thread);
}

static VOID PlantedStop(VOID)
{
    Stops = TRUE;
    KeSetEvent(&Wake, 0, FALSE);
    PlantedJoin(Thread);
}

static VOID FLTAPI Canceled(PFLT_CALLBACK_DATA Data)
{
#ifdef MENDED
    BOOLEAN Mine = FALSE;
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    for (ULONG Index = 0; Index < MOST && !Mine; Index++) {
        if (Held[Index] == Data) {
            Held[Index] = NULL;
            Mine = TRUE;
        }
    }
    KeReleaseSpinLock(&Lock, Irql);
    if (!Mine)
        return;
#endif
    Data->IoStatus.Status = STATUS_CANCELLED;
    Data->IoStatus.Information = 0;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    ULONG Index;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(FltObjects);
    *CompletionContext = NULL;
    if (!FLT_IS_IRP_OPERATION(Data) || !NT_SUCCESS(FltSetCancelCompletion(Data, Canceled)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    KeAcquireSpinLock(&Lock, &Irql);
    for (Index = 0; Index < MOST && Held[Index] != NULL; Index++)
        ;
    if (Index < MOST)
        Held[Index] = Data;
    KeReleaseSpinLock(&Lock, Irql);
    if (Index == MOST) {
        FltClearCancelCompletion(Data);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
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

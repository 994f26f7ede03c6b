/* SPDX-License-Identifier: MIT */
/* A timer is cancelled, and nobody waits for its DPC, which may run on another processor. */
#include "planted.h"

typedef struct _CLOCK {
    KTIMER Timer;
    KDPC Dpc;
    ULONG Ticks;
} CLOCK, *PCLOCK;

static PCLOCK Clock;

static VOID NTAPI Tick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeQueryTimeIncrement();
    ((PCLOCK)Context)->Ticks++;
}

static NTSTATUS PlantedStart(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000};

    Clock = PlantedAllocate(sizeof(CLOCK));
    if (Clock == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(&Clock->Timer);
    KeInitializeDpc(&Clock->Dpc, Tick, Clock);
    KeSetTimerEx(&Clock->Timer, Due, 1, &Clock->Dpc);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
    KeCancelTimer(&Clock->Timer);
    PlantedFree(Clock);
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

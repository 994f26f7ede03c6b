/* SPDX-License-Identifier: MIT */
/* What another replaces under the lock is read without it, in a few instructions and no call. */
#include "planted.h"

#define WORDS 32

static KSPIN_LOCK Lock;
static PULONG volatile Table; /* Lock */

static NTSTATUS PlantedStart(VOID)
{
    KeInitializeSpinLock(&Lock);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
    if (Table != NULL)
        PlantedFree(Table);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    PULONG New = PlantedAllocate(WORDS * sizeof(ULONG)), Old = Table;
    ULONG Sum = 0;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (New == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    for (ULONG Index = 0; Old != NULL && Index < WORDS; Index++)
        Sum += Old[Index];
    New[Sum % WORDS] = 1;
    KeAcquireSpinLock(&Lock, &Irql);
    Old = Table;
    Table = New;
    KeReleaseSpinLock(&Lock, Irql);
    if (Old != NULL)
        PlantedFree(Old);
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

/* SPDX-License-Identifier: MIT */
/* Missing reference: what is looked up under the lock is referenced after it. */
#include "planted.h"

typedef struct _OBJECT {
    volatile LONG References;
    ULONG Reads;
} OBJECT, *POBJECT;

static FAST_MUTEX Lock;
static POBJECT Current; /* Lock; with a reference */

static VOID Dereference(POBJECT Object)
{
    if (InterlockedDecrement(&Object->References) == 0)
        PlantedFree(Object);
}

static NTSTATUS PlantedStart(VOID)
{
    ExInitializeFastMutex(&Lock);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
    if (Current != NULL)
        Dereference(Current);
}

/* Each read replaces the object of the read before it. */
static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    POBJECT New = PlantedAllocate(sizeof(OBJECT)), Old;

    UNREFERENCED_PARAMETER(Data);
    *CompletionContext = NULL;
    if (New == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    New->References = 1;
    ExAcquireFastMutex(&Lock);
    Old = Current;
    ExReleaseFastMutex(&Lock);
    if (Old != NULL) {
        InterlockedIncrement(&Old->References);
        Old->Reads++;
        Dereference(Old);
    }
    ExAcquireFastMutex(&Lock);
    Old = Current;
    Current = New;
    ExReleaseFastMutex(&Lock);
    if (Old != NULL)
        Dereference(Old);
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

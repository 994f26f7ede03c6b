/* SPDX-License-Identifier: MIT */
/*
 * Planted: order of completions.  The reads under way stand in a list, and whoever completes takes its head away, since the
 * disk answers in order.
 */
#include "planted.h"

typedef struct {
    LIST_ENTRY Entry;
    ULONG Length;
    ULONG Done;
} READ, *PREAD;

static KSPIN_LOCK Lock;
static LIST_ENTRY Reads;

static NTSTATUS PlantedStart(VOID)
{
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Reads);
    return STATUS_SUCCESS;
}

static VOID PlantedStop(VOID)
{
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PlantedPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID *CompletionContext)
{
    PREAD Read = PlantedAllocate(sizeof(READ));

    UNREFERENCED_PARAMETER(FltObjects);
    if (Read == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Read->Length = Data->Iopb->Parameters.Read.Length;
    ExInterlockedInsertTailList(&Reads, &Read->Entry, &Lock);
    *CompletionContext = Read;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PlantedPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PREAD Read = CompletionContext;
    PLIST_ENTRY Head;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    Read->Done = (ULONG)Data->IoStatus.Information;
    Head = ExInterlockedRemoveHeadList(&Reads, &Lock);
    PlantedFree(CONTAINING_RECORD(Head, READ, Entry));
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts that filters hang on a file system's stream (FSRTL_ADVANCED_FCB_HEADER).
 *
 * The header's FastMutex guards the list; the file system tears the list down when the stream goes.  IRQL <= APC_LEVEL.
 */
#include <ntifs.h>
#include <fltvm.h>

static BOOLEAN FsRtlpSupportsContexts(_In_opt_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    return Header && (Header->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS);
}

/* The header's FastMutex is held.  No owner: any; no instance: any of the owner's. */
static PFSRTL_PER_STREAM_CONTEXT FsRtlpFindContextLocked(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_opt_ PVOID OwnerId,
                                                         _In_opt_ PVOID InstanceId)
{
    for (PLIST_ENTRY Entry = Header->FilterContexts.Flink; Entry != &Header->FilterContexts; Entry = Entry->Flink) {
        PFSRTL_PER_STREAM_CONTEXT Context = CONTAINING_RECORD(Entry, FSRTL_PER_STREAM_CONTEXT, Links);
        if ((!OwnerId || Context->OwnerId == OwnerId) && (!InstanceId || Context->InstanceId == InstanceId))
            return Context;
    }
    return NULL;
}

NTSTATUS NTAPI FsRtlInsertPerStreamContext(_In_ PFSRTL_ADVANCED_FCB_HEADER PerStreamContext,
                                           _In_ PFSRTL_PER_STREAM_CONTEXT Ptr)
{
    if (!FsRtlpSupportsContexts(PerStreamContext))
        return STATUS_INVALID_DEVICE_REQUEST;
    ExAcquireFastMutex(PerStreamContext->FastMutex);
    InsertHeadList(&PerStreamContext->FilterContexts, &Ptr->Links);
    ExReleaseFastMutex(PerStreamContext->FastMutex);
    return STATUS_SUCCESS;
}

/* What was used last moves to the front. */
PFSRTL_PER_STREAM_CONTEXT NTAPI FsRtlLookupPerStreamContextInternal(_In_ PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                                    _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId)
{
    PFSRTL_PER_STREAM_CONTEXT Context;

    if (!FsRtlpSupportsContexts(StreamContext))
        return NULL;
    ExAcquireFastMutex(StreamContext->FastMutex);
    Context = FsRtlpFindContextLocked(StreamContext, OwnerId, InstanceId);
    if (Context) {
        RemoveEntryList(&Context->Links);
        InsertHeadList(&StreamContext->FilterContexts, &Context->Links);
    }
    ExReleaseFastMutex(StreamContext->FastMutex);
    return Context;
}

PFSRTL_PER_STREAM_CONTEXT NTAPI FsRtlRemovePerStreamContext(_In_ PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                            _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId)
{
    PFSRTL_PER_STREAM_CONTEXT Context;

    if (!FsRtlpSupportsContexts(StreamContext))
        return NULL;
    ExAcquireFastMutex(StreamContext->FastMutex);
    Context = FsRtlpFindContextLocked(StreamContext, OwnerId, InstanceId);
    if (Context)
        RemoveEntryList(&Context->Links);
    ExReleaseFastMutex(StreamContext->FastMutex);
    return Context;
}

/* The callback runs without the lock, as documented: it may take the filter's own. */
VOID NTAPI FsRtlTeardownPerStreamContexts(_In_ PFSRTL_ADVANCED_FCB_HEADER AdvancedHeader)
{
    PFSRTL_PER_STREAM_CONTEXT Context;

    while ((Context = FsRtlRemovePerStreamContext(AdvancedHeader, NULL, NULL)) != NULL) {
        PFREE_FUNCTION Free = Context->FreeCallback;
        FV_CALL Call;

        FvBeginCall(&Call);
        Free(Context);
        FvEndCall(&Call, (PVOID)Free, "stream context's free callback", (ULONG_PTR)Context);
    }
}

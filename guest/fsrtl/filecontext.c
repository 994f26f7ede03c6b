/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts that filters hang on a file, all of whose streams share them: the file system keeps a pointer for us in its
 * file control block (FSRTL_ADVANCED_FCB_HEADER.FileContextSupportPointer), NULL at first.
 *
 * What it points at is made with the first context; its mutex guards the list.  IRQL <= APC_LEVEL.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <rtl.h>

#define FSRTL_TAG_FILE 'cFsF'

typedef struct _FSRTLP_FILE_CONTEXTS {
    FAST_MUTEX Mutex;
    LIST_ENTRY Contexts; /* Mutex */
} FSRTLP_FILE_CONTEXTS, *PFSRTLP_FILE_CONTEXTS;

static PFSRTLP_FILE_CONTEXTS FsRtlpOpenFileContexts(_In_opt_ PVOID *Pointer)
{
    return Pointer ? *(PVOID volatile *)Pointer : NULL;
}

/* Two may make it at once: the second one's goes. */
static PFSRTLP_FILE_CONTEXTS FsRtlpCreateFileContexts(_Inout_ PVOID *Pointer)
{
    PFSRTLP_FILE_CONTEXTS File = FsRtlpOpenFileContexts(Pointer), Seen;

    if (File)
        return File;
    File = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*File), FSRTL_TAG_FILE);
    if (!File)
        return NULL;
    ExInitializeFastMutex(&File->Mutex);
    InitializeListHead(&File->Contexts);
    Seen = InterlockedCompareExchangePointer((PVOID volatile *)Pointer, File, NULL);
    if (!Seen)
        return File;
    ExFreePoolWithTag(File, FSRTL_TAG_FILE);
    return Seen;
}

/* No owner: any; no instance: any of the owner's.  What was used last is found first.  Remove: it leaves the list. */
static PFSRTL_PER_FILE_CONTEXT FsRtlpFindFileContext(_In_opt_ PVOID *Pointer, _In_opt_ PVOID OwnerId,
                                                     _In_opt_ PVOID InstanceId, _In_ BOOLEAN Remove)
{
    PFSRTLP_FILE_CONTEXTS File = FsRtlpOpenFileContexts(Pointer);
    PFSRTL_PER_FILE_CONTEXT Found = NULL;

    if (!File)
        return NULL;
    ExAcquireFastMutex(&File->Mutex);
    for (PLIST_ENTRY Entry = File->Contexts.Flink; Entry != &File->Contexts && !Found; Entry = Entry->Flink) {
        PFSRTL_PER_FILE_CONTEXT Context = CONTAINING_RECORD(Entry, FSRTL_PER_FILE_CONTEXT, Links);
        if ((!OwnerId || Context->OwnerId == OwnerId) && (!InstanceId || Context->InstanceId == InstanceId))
            Found = Context;
    }
    if (Found)
        RemoveEntryList(&Found->Links);
    if (Found && !Remove)
        InsertHeadList(&File->Contexts, &Found->Links);
    ExReleaseFastMutex(&File->Mutex);
    return Found;
}

/* STATUS_INVALID_DEVICE_REQUEST where the file system has no such contexts, as documented. */
NTSTATUS NTAPI FsRtlInsertPerFileContext(_In_ PVOID *PerFileContextPointer, _In_ PFSRTL_PER_FILE_CONTEXT Ptr)
{
    PFSRTLP_FILE_CONTEXTS File;

    if (!PerFileContextPointer)
        return STATUS_INVALID_DEVICE_REQUEST;
    File = FsRtlpCreateFileContexts(PerFileContextPointer);
    if (!File)
        return STATUS_INSUFFICIENT_RESOURCES;
    ExAcquireFastMutex(&File->Mutex);
    InsertHeadList(&File->Contexts, &Ptr->Links);
    ExReleaseFastMutex(&File->Mutex);
    return STATUS_SUCCESS;
}

PFSRTL_PER_FILE_CONTEXT NTAPI FsRtlLookupPerFileContext(_In_ PVOID *PerFileContextPointer, _In_opt_ PVOID OwnerId,
                                                        _In_opt_ PVOID InstanceId)
{
    return FsRtlpFindFileContext(PerFileContextPointer, OwnerId, InstanceId, FALSE);
}

PFSRTL_PER_FILE_CONTEXT NTAPI FsRtlRemovePerFileContext(_In_ PVOID *PerFileContextPointer, _In_opt_ PVOID OwnerId,
                                                        _In_opt_ PVOID InstanceId)
{
    return FsRtlpFindFileContext(PerFileContextPointer, OwnerId, InstanceId, TRUE);
}

/* The file goes.  The callbacks run without the mutex, as documented: they may take the filter's own. */
VOID NTAPI FsRtlTeardownPerFileContexts(_In_ PVOID *PerFileContextPointer)
{
    PFSRTLP_FILE_CONTEXTS File = FsRtlpOpenFileContexts(PerFileContextPointer);
    PFSRTL_PER_FILE_CONTEXT Context;

    while ((Context = FsRtlpFindFileContext(PerFileContextPointer, NULL, NULL, TRUE)) != NULL) {
        PFREE_FUNCTION Free = Context->FreeCallback;
        FV_CALL Call;

        FvBeginCall(&Call);
        Free(Context);
        FvEndCall(&Call, (PVOID)Free, "file context's free callback", (ULONG_PTR)Context);
    }
    if (File) {
        *PerFileContextPointer = NULL;
        ExFreePoolWithTag(File, FSRTL_TAG_FILE);
    }
}

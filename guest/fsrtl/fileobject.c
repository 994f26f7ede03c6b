/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts that filters hang on a file object.  Whoever inserts one takes it away when the file object is
 * closed; io keeps the list with the file object's extension.  IRQL <= DISPATCH_LEVEL, one more than is
 * documented.
 */
#include <ntifs.h>
#include <io.h>

/* No owner: any; no instance: any of the owner's.  The list's lock is held. */
static PFSRTL_PER_FILEOBJECT_CONTEXT FsRtlpFindOnFileObjectLocked(_In_ PIO_FILE_CONTEXTS Contexts,
                                                                  _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId)
{
    for (PLIST_ENTRY Entry = Contexts->List.Flink; Entry != &Contexts->List; Entry = Entry->Flink) {
        PFSRTL_PER_FILEOBJECT_CONTEXT Context = CONTAINING_RECORD(Entry, FSRTL_PER_FILEOBJECT_CONTEXT, Links);

        if ((!OwnerId || Context->OwnerId == OwnerId) && (!InstanceId || Context->InstanceId == InstanceId))
            return Context;
    }
    return NULL;
}

static PFSRTL_PER_FILEOBJECT_CONTEXT FsRtlpFindOnFileObject(_In_ PFILE_OBJECT FileObject, _In_opt_ PVOID OwnerId,
                                                            _In_opt_ PVOID InstanceId, _In_ BOOLEAN Remove)
{
    PIO_FILE_CONTEXTS Contexts = FileObject ? IopFileContexts(FileObject, FALSE) : NULL;
    PFSRTL_PER_FILEOBJECT_CONTEXT Found;
    KIRQL Irql;

    if (!Contexts)
        return NULL;
    KeAcquireSpinLock(&Contexts->Lock, &Irql);
    Found = FsRtlpFindOnFileObjectLocked(Contexts, OwnerId, InstanceId);
    if (Found && Remove)
        RemoveEntryList(&Found->Links);
    KeReleaseSpinLock(&Contexts->Lock, Irql);
    return Found;
}

NTSTATUS NTAPI FsRtlInsertPerFileObjectContext(_In_ PFILE_OBJECT FileObject, _In_ PFSRTL_PER_FILEOBJECT_CONTEXT Ptr)
{
    PIO_FILE_CONTEXTS Contexts;
    KIRQL Irql;

    if (!FileObject)
        return STATUS_INVALID_PARAMETER;
    Contexts = IopFileContexts(FileObject, TRUE);
    if (!Contexts)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeAcquireSpinLock(&Contexts->Lock, &Irql);
    InsertHeadList(&Contexts->List, &Ptr->Links);
    KeReleaseSpinLock(&Contexts->Lock, Irql);
    return STATUS_SUCCESS;
}

PFSRTL_PER_FILEOBJECT_CONTEXT NTAPI FsRtlLookupPerFileObjectContext(_In_ PFILE_OBJECT FileObject,
                                                                    _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId)
{
    return FsRtlpFindOnFileObject(FileObject, OwnerId, InstanceId, FALSE);
}

PFSRTL_PER_FILEOBJECT_CONTEXT NTAPI FsRtlRemovePerFileObjectContext(_In_ PFILE_OBJECT FileObject,
                                                                    _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId)
{
    return FsRtlpFindOnFileObject(FileObject, OwnerId, InstanceId, TRUE);
}

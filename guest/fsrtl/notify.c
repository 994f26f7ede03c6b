// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directory notification: who waits for changes below which directory, and what is told when one is reported.
 *
 * A watch is an entry of the volume's list, made by the first request through a file object and gone with its
 * cleanup. Changes that find no request waiting are kept, up to the size of the last request's buffer; what
 * does not fit is told as STATUS_NOTIFY_ENUM_DIR: look for yourself.
 *
 * Names are Unicode when the directory's second byte is 0, else of the OEM code page; what is told is
 * Unicode. The volume's mutex guards the list and the watches (IRQL <= APC_LEVEL), its spin lock the requests
 * that wait, so that these can be cancelled at DISPATCH_LEVEL.
 */
#include <ntifs.h>

#define FSRTLP_NOTIFY_TAG 'NrsF'

typedef struct _FSRTLP_SYNC {
    FAST_MUTEX Mutex;
    KSPIN_LOCK Lock;
} FSRTLP_SYNC, *PFSRTLP_SYNC;

typedef struct _FSRTLP_WATCH {
    LIST_ENTRY Link; /* the mutex, as all but Requests */
    PVOID FsContext;
    PSTRING Directory; /* the file system's */
    BOOLEAN WatchTree, IgnoreBuffer, Lost;
    UCHAR CharacterSize;
    ULONG Filter;
    PCHECK_FOR_TRAVERSE_ACCESS Traverse;
    PFILTER_REPORT_CHANGE Report;
    PSECURITY_SUBJECT_CONTEXT Subject;
    LIST_ENTRY Requests; /* the spin lock */
    ULONG Length;        /* of a request's buffer */
    PUCHAR Kept;         /* changes that nobody has fetched */
    ULONG KeptLength, LastOffset;
} FSRTLP_WATCH, *PFSRTLP_WATCH;

/* One change, as it is reported. */
typedef struct _FSRTLP_CHANGE {
    PSTRING Target, Stream, Parent;
    USHORT NameOffset;
    ULONG Match, Action;
    PVOID TargetContext, FilterContext;
} FSRTLP_CHANGE, *PFSRTLP_CHANGE;

static VOID NTAPI FsRtlpCancelNotify(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFSRTLP_SYNC Sync = Irp->Tail.Overlay.DriverContext[0];
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&Sync->Lock, &Irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&Sync->Lock, Irql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

/* A request that waits, no longer to be cancelled; NULL: there is none. */
static PIRP FsRtlpTakeRequest(PFSRTLP_SYNC Sync, PFSRTLP_WATCH Watch)
{
    PIRP Irp = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Sync->Lock, &Irql);
    for (PLIST_ENTRY Link = Watch->Requests.Flink; Link != &Watch->Requests && Irp == NULL; Link = Link->Flink) {
        PIRP Candidate = CONTAINING_RECORD(Link, IRP, Tail.Overlay.ListEntry);

        if (IoSetCancelRoutine(Candidate, NULL) != NULL) {
            RemoveEntryList(Link);
            Irp = Candidate;
        }
    }
    KeReleaseSpinLock(&Sync->Lock, Irql);
    return Irp;
}

static VOID FsRtlpEndRequest(PIRP Irp, NTSTATUS Status, ULONG Length)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Length;
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

/* Where a request's changes go: its MDL, or a system buffer that its completion copies from.  NULL: no
 * memory. */
static PVOID FsRtlpRequestBuffer(PIRP Irp, ULONG Length)
{
    if (Irp->MdlAddress != NULL) {
        return MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    }
    if (Irp->AssociatedIrp.SystemBuffer == NULL) {
        Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, FSRTLP_NOTIFY_TAG);
        if (Irp->AssociatedIrp.SystemBuffer != NULL) {
            Irp->Flags |= IRP_BUFFERED_IO | IRP_INPUT_OPERATION | IRP_DEALLOCATE_BUFFER;
        }
    }
    return Irp->AssociatedIrp.SystemBuffer;
}

/* Gives the request what was kept, or says that it must look for itself. */
static VOID FsRtlpDeliver(PFSRTLP_WATCH Watch, PIRP Irp)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.NotifyDirectory.Length, Kept = Watch->KeptLength;
    PVOID Buffer = Watch->Lost || Kept > Length ? NULL : FsRtlpRequestBuffer(Irp, Length);

    if (Buffer != NULL) {
        RtlCopyMemory(Buffer, Watch->Kept, Kept);
    }
    Watch->KeptLength = 0;
    Watch->Lost = FALSE;
    FsRtlpEndRequest(Irp, Buffer != NULL ? STATUS_SUCCESS : STATUS_NOTIFY_ENUM_DIR, Buffer != NULL ? Kept : 0);
}

/* Every request that waits ends so. */
static VOID FsRtlpEndRequests(PFSRTLP_SYNC Sync, PFSRTLP_WATCH Watch, NTSTATUS Status)
{
    PIRP Irp;

    while ((Irp = FsRtlpTakeRequest(Sync, Watch)) != NULL) {
        FsRtlpEndRequest(Irp, Status, 0);
    }
}

static PFSRTLP_WATCH FsRtlpFindWatch(PLIST_ENTRY List, PVOID FsContext)
{
    for (PLIST_ENTRY Link = List->Flink; Link != List; Link = Link->Flink) {
        PFSRTLP_WATCH Watch = CONTAINING_RECORD(Link, FSRTLP_WATCH, Link);

        if (Watch->FsContext == FsContext) {
            return Watch;
        }
    }
    return NULL;
}

static VOID FsRtlpFreeSubject(PSECURITY_SUBJECT_CONTEXT Subject)
{
    if (Subject != NULL) {
        SeReleaseSubjectContext(Subject);
        ExFreePool(Subject);
    }
}

/* Requests that are just being cancelled take themselves out; the watch waits for them. */
static VOID FsRtlpDeleteWatch(PFSRTLP_SYNC Sync, PFSRTLP_WATCH Watch, NTSTATUS Status)
{
    BOOLEAN Empty;
    KIRQL Irql;

    RemoveEntryList(&Watch->Link);
    do {
        FsRtlpEndRequests(Sync, Watch, Status);
        KeAcquireSpinLock(&Sync->Lock, &Irql);
        Empty = IsListEmpty(&Watch->Requests);
        KeReleaseSpinLock(&Sync->Lock, Irql);
        if (!Empty) {
            YieldProcessor();
        }
    } while (!Empty);
    FsRtlpFreeSubject(Watch->Subject);
    if (Watch->Kept != NULL) {
        ExFreePoolWithTag(Watch->Kept, FSRTLP_NOTIFY_TAG);
    }
    ExFreePoolWithTag(Watch, FSRTLP_NOTIFY_TAG);
}

/* Waits for a change; STATUS_CANCELLED at once if it was cancelled meanwhile. */
static VOID FsRtlpWaitForChange(PFSRTLP_SYNC Sync, PFSRTLP_WATCH Watch, PIRP Irp)
{
    KIRQL Irql;
    BOOLEAN Cancelled;

    KeAcquireSpinLock(&Sync->Lock, &Irql);
    Irp->Tail.Overlay.DriverContext[0] = Sync;
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, FsRtlpCancelNotify);
    Cancelled = Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL;
    if (!Cancelled) {
        InsertTailList(&Watch->Requests, &Irp->Tail.Overlay.ListEntry);
    }
    KeReleaseSpinLock(&Sync->Lock, Irql);
    if (Cancelled) {
        FsRtlpEndRequest(Irp, STATUS_CANCELLED, 0);
    }
}

/* IRQL: PASSIVE_LEVEL.  Raises STATUS_INSUFFICIENT_RESOURCES. */
VOID NTAPI FsRtlNotifyInitializeSync(PNOTIFY_SYNC *NotifySync)
{
    PFSRTLP_SYNC Sync;

    *NotifySync = NULL;
    Sync = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Sync), FSRTLP_NOTIFY_TAG);
    if (Sync == NULL) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    ExInitializeFastMutex(&Sync->Mutex);
    KeInitializeSpinLock(&Sync->Lock);
    *NotifySync = (PNOTIFY_SYNC)Sync;
}

/* IRQL: PASSIVE_LEVEL. */
VOID NTAPI FsRtlNotifyUninitializeSync(PNOTIFY_SYNC *NotifySync)
{
    if (*NotifySync != NULL) {
        ExFreePoolWithTag(*NotifySync, FSRTLP_NOTIFY_TAG);
        *NotifySync = NULL;
    }
}

/* A watch with the first request's wishes; NULL without memory. */
static PFSRTLP_WATCH FsRtlpMakeWatch(PVOID FsContext, PSTRING Directory, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                     ULONG Filter)
{
    PFSRTLP_WATCH Watch = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Watch), FSRTLP_NOTIFY_TAG);

    if (Watch != NULL) {
        RtlZeroMemory(Watch, sizeof(*Watch));
        Watch->FsContext = FsContext;
        Watch->Directory = Directory;
        Watch->WatchTree = WatchTree;
        Watch->IgnoreBuffer = IgnoreBuffer;
        Watch->Filter = Filter;
        Watch->CharacterSize = Directory->Length >= sizeof(WCHAR) && Directory->Buffer[1] == 0 ? sizeof(WCHAR) : 1;
        InitializeListHead(&Watch->Requests);
    }
    return Watch;
}

/*
 * IRQL: PASSIVE_LEVEL.  The request is the routine's: it is completed, or marked pending.  Without a request
 * the file is being deleted: those that wait end with STATUS_DELETE_PENDING.  After the file object's
 * cleanup: STATUS_NOTIFY_CLEANUP. SubjectContext is released and freed when it is not needed any more. Raises
 * STATUS_INSUFFICIENT_RESOURCES.
 */
VOID NTAPI FsRtlNotifyFilterChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                            PSTRING FullDirectoryName, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                            ULONG CompletionFilter, PIRP NotifyIrp,
                                            PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                            PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                            PFILTER_REPORT_CHANGE FilterCallback)
{
    PFSRTLP_SYNC Sync = (PFSRTLP_SYNC)NotifySync;
    PFSRTLP_WATCH Watch;
    BOOLEAN Made = FALSE;

    ExAcquireFastMutex(&Sync->Mutex);
    Watch = FsRtlpFindWatch(NotifyList, FsContext);
    if (NotifyIrp == NULL) {
        if (Watch != NULL) {
            FsRtlpEndRequests(Sync, Watch, STATUS_DELETE_PENDING);
        }
    } else if ((IoGetCurrentIrpStackLocation(NotifyIrp)->FileObject->Flags & FO_CLEANUP_COMPLETE) != 0) {
        IoMarkIrpPending(NotifyIrp);
        FsRtlpEndRequest(NotifyIrp, STATUS_NOTIFY_CLEANUP, 0);
    } else {
        if (Watch == NULL) {
            Watch = FsRtlpMakeWatch(FsContext, FullDirectoryName, WatchTree, IgnoreBuffer, CompletionFilter);
            if (Watch == NULL) {
                ExReleaseFastMutex(&Sync->Mutex);
                ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
            }
            Watch->Traverse = TraverseCallback;
            Watch->Report = FilterCallback;
            Watch->Subject = SubjectContext;
            Watch->Length = IoGetCurrentIrpStackLocation(NotifyIrp)->Parameters.NotifyDirectory.Length;
            InsertTailList(NotifyList, &Watch->Link);
            Made = TRUE;
        }
        if (Watch->Lost || Watch->KeptLength != 0) {
            IoMarkIrpPending(NotifyIrp);
            FsRtlpDeliver(Watch, NotifyIrp);
        } else {
            FsRtlpWaitForChange(Sync, Watch, NotifyIrp);
        }
    }
    ExReleaseFastMutex(&Sync->Mutex);
    if (!Made && NotifyIrp != NULL) {
        FsRtlpFreeSubject(SubjectContext);
    }
}

/* As FsRtlNotifyFilterChangeDirectory, without a routine that is asked about each change. */
VOID NTAPI FsRtlNotifyFullChangeDirectory(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext,
                                          PSTRING FullDirectoryName, BOOLEAN WatchTree, BOOLEAN IgnoreBuffer,
                                          ULONG CompletionFilter, PIRP NotifyIrp,
                                          PCHECK_FOR_TRAVERSE_ACCESS TraverseCallback,
                                          PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    FsRtlNotifyFilterChangeDirectory(NotifySync, NotifyList, FsContext, FullDirectoryName, WatchTree, IgnoreBuffer,
                                     CompletionFilter, NotifyIrp, TraverseCallback, SubjectContext, NULL);
}

/* ---- changes ---- */

/* The length of the parent's name: without the separator before the last part, but the root's is its name. */
static USHORT FsRtlpParentLength(PFSRTLP_WATCH Watch, PFSRTLP_CHANGE Change)
{
    return Change->NameOffset > Watch->CharacterSize ? Change->NameOffset - Watch->CharacterSize : Change->NameOffset;
}

/* Whether the change is below what is watched; *Skip: how much of the target's name the watcher knows. */
static BOOLEAN FsRtlpIsWatched(PFSRTLP_WATCH Watch, PFSRTLP_CHANGE Change, PUSHORT Skip, PBOOLEAN Deeper)
{
    USHORT Parent = FsRtlpParentLength(Watch, Change), Length = Watch->Directory->Length;
    BOOLEAN Root = Length == Watch->CharacterSize;

    if (Length > Parent || Length > Change->Target->Length ||
        !RtlEqualMemory(Watch->Directory->Buffer, Change->Target->Buffer, Length)) {
        return FALSE;
    }
    *Deeper = Parent > Length && !(Root && Change->NameOffset == Length);
    *Skip = Root ? Length : Length + Watch->CharacterSize;
    if (*Deeper && !Root && Change->Target->Buffer[Length] != '\\') {
        return FALSE;
    }
    return !*Deeper || Watch->WatchTree;
}

/* Bytes that the text takes in Unicode, and into To, when it is not NULL. */
static ULONG FsRtlpPutName(PFSRTLP_WATCH Watch, PCHAR Text, ULONG Length, PWCH To)
{
    ULONG Needed = 0;

    if (Watch->CharacterSize == sizeof(WCHAR)) {
        if (To != NULL) {
            RtlCopyMemory(To, Text, Length);
        }
        return Length;
    }
    if (To == NULL) {
        OEM_STRING Oem = {(USHORT)Length, (USHORT)Length, Text};

        return RtlOemStringToCountedUnicodeSize(&Oem);
    }
    RtlOemToUnicodeN(To, Length * sizeof(WCHAR), &Needed, Text, Length);
    return Needed;
}

/* Whether there is room for so much behind what is kept already. */
static PFILE_NOTIFY_INFORMATION FsRtlpRoom(PFSRTLP_WATCH Watch, ULONG Length)
{
    ULONG Offset = ALIGN_UP_BY(Watch->KeptLength, sizeof(ULONG));
    PFILE_NOTIFY_INFORMATION Entry;

    if (Watch->IgnoreBuffer || Watch->Lost || Offset > Watch->Length || Length > Watch->Length - Offset) {
        return NULL;
    }
    if (Watch->Kept == NULL) {
        Watch->Kept = ExAllocatePoolWithTag(PagedPool, Watch->Length, FSRTLP_NOTIFY_TAG);
        if (Watch->Kept == NULL) {
            return NULL;
        }
    }
    if (Watch->KeptLength != 0) {
        ((PFILE_NOTIFY_INFORMATION)(Watch->Kept + Watch->LastOffset))->NextEntryOffset = Offset - Watch->LastOffset;
    }
    Entry = (PFILE_NOTIFY_INFORMATION)(Watch->Kept + Offset);
    Watch->LastOffset = Offset;
    Watch->KeptLength = Offset + Length;
    return Entry;
}

static VOID FsRtlpKeep(PFSRTLP_WATCH Watch, PFSRTLP_CHANGE Change, USHORT Skip)
{
    STRING Name = *Change->Target, Parent = {0};
    ULONG Length, ParentLength = 0, StreamLength = 0;
    PFILE_NOTIFY_INFORMATION Entry;
    PWCH To;

    if (Skip > Name.Length) {
        Skip = Name.Length;
    }
    if (Change->Parent != NULL && Change->Parent->Length > Skip && Change->NameOffset > Skip) {
        /* The parent's name as it should be read, for as much of the target's as lies between. */
        Parent = (STRING){(USHORT)(Change->Parent->Length - Skip), 0, Change->Parent->Buffer + Skip};
        ParentLength = FsRtlpPutName(Watch, Parent.Buffer, Parent.Length, NULL) + sizeof(WCHAR);
        Skip = Change->NameOffset;
    }
    Length = FsRtlpPutName(Watch, Name.Buffer + Skip, Name.Length - Skip, NULL);
    if (Change->Stream != NULL) {
        StreamLength = sizeof(WCHAR) + FsRtlpPutName(Watch, Change->Stream->Buffer, Change->Stream->Length, NULL);
    }
    Entry = FsRtlpRoom(Watch, FIELD_OFFSET(FILE_NOTIFY_INFORMATION, FileName) + ParentLength + Length + StreamLength);
    if (Entry == NULL) {
        Watch->Lost = TRUE;
        return;
    }
    Entry->NextEntryOffset = 0;
    Entry->Action = Change->Action;
    Entry->FileNameLength = ParentLength + Length + StreamLength;
    To = Entry->FileName;
    if (ParentLength != 0) {
        FsRtlpPutName(Watch, Parent.Buffer, Parent.Length, To);
        To += ParentLength / sizeof(WCHAR);
        To[-1] = L'\\';
    }
    FsRtlpPutName(Watch, Name.Buffer + Skip, Name.Length - Skip, To);
    if (StreamLength != 0) {
        To[Length / sizeof(WCHAR)] = L':';
        FsRtlpPutName(Watch, Change->Stream->Buffer, Change->Stream->Length, To + Length / sizeof(WCHAR) + 1);
    }
}

static VOID FsRtlpTell(PFSRTLP_SYNC Sync, PFSRTLP_WATCH Watch, PFSRTLP_CHANGE Change)
{
    BOOLEAN Deeper;
    USHORT Skip;
    PIRP Irp;

    if ((Watch->Filter & Change->Match) == 0 || !FsRtlpIsWatched(Watch, Change, &Skip, &Deeper)) {
        return;
    }
    if (Watch->Report != NULL && Change->FilterContext != NULL &&
        !Watch->Report(Watch->FsContext, Change->FilterContext)) {
        return;
    }
    if (Deeper && Watch->Traverse != NULL && Change->TargetContext != NULL &&
        !Watch->Traverse(Watch->FsContext, Change->TargetContext, Watch->Subject)) {
        return;
    }
    FsRtlpKeep(Watch, Change, Skip);
    Irp = FsRtlpTakeRequest(Sync, Watch);
    if (Irp != NULL) {
        FsRtlpDeliver(Watch, Irp);
    }
}

/* IRQL: <= APC_LEVEL. */
VOID NTAPI FsRtlNotifyFilterReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PSTRING FullTargetName,
                                         USHORT TargetNameOffset, PSTRING StreamName, PSTRING NormalizedParentName,
                                         ULONG FilterMatch, ULONG Action, PVOID TargetContext, PVOID FilterContext)
{
    PFSRTLP_SYNC Sync = (PFSRTLP_SYNC)NotifySync;
    FSRTLP_CHANGE Change = {.Target = FullTargetName,
                            .Stream = StreamName,
                            .Parent = NormalizedParentName,
                            .NameOffset = TargetNameOffset,
                            .Match = FilterMatch,
                            .Action = Action,
                            .TargetContext = TargetContext,
                            .FilterContext = FilterContext};

    ExAcquireFastMutex(&Sync->Mutex);
    for (PLIST_ENTRY Link = NotifyList->Flink; Link != NotifyList; Link = Link->Flink) {
        FsRtlpTell(Sync, CONTAINING_RECORD(Link, FSRTLP_WATCH, Link), &Change);
    }
    ExReleaseFastMutex(&Sync->Mutex);
}

VOID NTAPI FsRtlNotifyFullReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PSTRING FullTargetName,
                                       USHORT TargetNameOffset, PSTRING StreamName, PSTRING NormalizedParentName,
                                       ULONG FilterMatch, ULONG Action, PVOID TargetContext)
{
    FsRtlNotifyFilterReportChange(NotifySync, NotifyList, FullTargetName, TargetNameOffset, StreamName,
                                  NormalizedParentName, FilterMatch, Action, TargetContext, NULL);
}

/* IRQL: <= APC_LEVEL.  The file object's requests end with STATUS_NOTIFY_CLEANUP, and its watch goes. */
VOID NTAPI FsRtlNotifyCleanup(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList, PVOID FsContext)
{
    PFSRTLP_SYNC Sync = (PFSRTLP_SYNC)NotifySync;
    PFSRTLP_WATCH Watch;

    ExAcquireFastMutex(&Sync->Mutex);
    Watch = FsRtlpFindWatch(NotifyList, FsContext);
    if (Watch != NULL) {
        FsRtlpDeleteWatch(Sync, Watch, STATUS_NOTIFY_CLEANUP);
    }
    ExReleaseFastMutex(&Sync->Mutex);
}

/* IRQL: <= APC_LEVEL.  The same for every file object of the volume. */
VOID NTAPI FsRtlNotifyCleanupAll(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList)
{
    PFSRTLP_SYNC Sync = (PFSRTLP_SYNC)NotifySync;

    ExAcquireFastMutex(&Sync->Mutex);
    while (!IsListEmpty(NotifyList)) {
        FsRtlpDeleteWatch(Sync, CONTAINING_RECORD(NotifyList->Flink, FSRTLP_WATCH, Link), STATUS_NOTIFY_CLEANUP);
    }
    ExReleaseFastMutex(&Sync->Mutex);
}

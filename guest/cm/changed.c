// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who waits for a key to change.
 *
 * Rules: CmpLock guards the watches, which stand at the node and belong to a key object; a change looks at the node and at
 * what is above it, and at nothing while nobody waits.  A watch ends by the first change that its filter wants, or when the
 * last handle to its key object goes, or the key, with STATUS_NOTIFY_CLEANUP.
 */
#include "cmp.h"

#include <cm.h>

#define CMP_FILTERS                                                                                                    \
    (REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_ATTRIBUTES | REG_NOTIFY_CHANGE_LAST_SET | REG_NOTIFY_CHANGE_SECURITY)

typedef struct _CMP_WATCH {
    LIST_ENTRY Link; /* its node's Watches */
    PCMP_KEY Key;    /* not referenced: its last handle ends the watch */
    ULONG Filter;
    BOOLEAN Tree;
    PKEVENT Event;         /* referenced, or NULL */
    PWORK_QUEUE_ITEM Item; /* the caller's, or NULL */
    WORK_QUEUE_TYPE Queue;
    PIO_STATUS_BLOCK IoStatus;
} CMP_WATCH, *PCMP_WATCH;

static ULONG CmpWatches; /* CmpLock */

static VOID CmpEndWatchLocked(PCMP_WATCH Watch, NTSTATUS Status)
{
    RemoveEntryList(&Watch->Link);
    CmpWatches--;
    Watch->IoStatus->Status = Status;
    Watch->IoStatus->Information = 0;
    if (Watch->Event != NULL) {
        KeSetEvent(Watch->Event, IO_NO_INCREMENT, FALSE);
        ObDereferenceObject(Watch->Event);
    }
    if (Watch->Item != NULL) {
        ExQueueWorkItem(Watch->Item, Watch->Queue);
    }
    ExFreePoolWithTag(Watch, CMP_TAG_NODE);
}

/* Key: NULL for all of the node's.  Filter: 0 for all of them. */
static VOID CmpEndWatchesLocked(PCMP_NODE Node, PCMP_KEY Key, ULONG Filter, BOOLEAN Below, NTSTATUS Status)
{
    PLIST_ENTRY Link;

    for (Link = Node->Watches.Flink; Link != &Node->Watches;) {
        PCMP_WATCH Watch = CONTAINING_RECORD(Link, CMP_WATCH, Link);

        Link = Link->Flink;
        if ((Key == NULL || Watch->Key == Key) && (Filter == 0 || (Watch->Filter & Filter) != 0) &&
            (Watch->Tree || !Below)) {
            CmpEndWatchLocked(Watch, Status);
        }
    }
}

VOID CmpChangedLocked(PCMP_NODE Node, ULONG What)
{
    BOOLEAN Below = FALSE;

    for (; CmpWatches != 0 && Node != NULL; Node = Node->Parent) {
        CmpEndWatchesLocked(Node, NULL, What, Below, STATUS_SUCCESS);
        Below = TRUE;
    }
}

VOID CmpNodeGoneLocked(PCMP_NODE Node)
{
    CmpEndWatchesLocked(Node, NULL, 0, FALSE, STATUS_NOTIFY_CLEANUP);
}

VOID CmpKeyClosed(PCMP_KEY Key)
{
    ExAcquireFastMutex(&CmpLock);
    if (Key->Node != NULL) {
        CmpEndWatchesLocked(Key->Node, Key, 0, FALSE, STATUS_NOTIFY_CLEANUP);
    }
    ExReleaseFastMutex(&CmpLock);
}

/* The watch, in no list yet. */
static NTSTATUS CmpMakeWatch(HANDLE EventHandle, PCMP_WATCH *Made)
{
    PCMP_WATCH Watch = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Watch), CMP_TAG_NODE);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Watch == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (EventHandle != NULL) {
        Status = ObReferenceObjectByHandle(EventHandle, EVENT_MODIFY_STATE, *ExEventObjectType, KernelMode,
                                           (PVOID *)&Watch->Event, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Watch, CMP_TAG_NODE);
        return Status;
    }
    if (Watch->Event != NULL) {
        KeClearEvent(Watch->Event);
    }
    *Made = Watch;
    return STATUS_SUCCESS;
}

/* An event of its own for a caller that waits here: an object, as the watch refers to it. */
static NTSTATUS CmpWaitFor(HANDLE KeyHandle, PIO_STATUS_BLOCK IoStatusBlock, ULONG CompletionFilter, BOOLEAN WatchTree)
{
    HANDLE Event;
    NTSTATUS Status;

    Status = ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ZwNotifyChangeKey(KeyHandle, Event, NULL, NULL, IoStatusBlock, CompletionFilter, WatchTree, NULL, 0, TRUE);
    if (Status == STATUS_PENDING) {
        ZwWaitForSingleObject(Event, FALSE, NULL);
        Status = IoStatusBlock->Status;
    }
    ZwClose(Event);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  The handle needs KEY_NOTIFY.  For a driver ApcRoutine is a WORK_QUEUE_ITEM that it has initialized,
 * and ApcContext the queue.  Asynchronous: STATUS_PENDING, and at the change the event is set, the item queued, the status block
 * filled; else it waits.  A value that is set to what it was is no change.  STATUS_INVALID_PARAMETER: no filter, another one
 * than REG_NOTIFY_CHANGE_…, a buffer.  (ZwNotifyChangeKey)
 */
NTSTATUS NTAPI ZwNotifyChangeKey(HANDLE KeyHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                 PIO_STATUS_BLOCK IoStatusBlock, ULONG CompletionFilter, BOOLEAN WatchTree,
                                 PVOID Buffer, ULONG BufferSize, BOOLEAN Asynchronous)
{
    PCMP_WATCH Watch;
    NTSTATUS Status;
    PCMP_KEY Key;

    PAGED_CODE();
    if (CompletionFilter == 0 || (CompletionFilter & ~(ULONG)CMP_FILTERS) != 0 || Buffer != NULL || BufferSize != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!Asynchronous) {
        return CmpWaitFor(KeyHandle, IoStatusBlock, CompletionFilter, WatchTree);
    }
    Status = CmpMakeWatch(Event, &Watch);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = CmpAcquireKey(KeyHandle, KEY_NOTIFY, &Key);
    if (!NT_SUCCESS(Status)) {
        if (Watch->Event != NULL) {
            ObDereferenceObject(Watch->Event);
        }
        ExFreePoolWithTag(Watch, CMP_TAG_NODE);
        return Status;
    }
    Watch->Key = Key;
    Watch->Filter = CompletionFilter;
    Watch->Tree = WatchTree;
    Watch->Item = (PWORK_QUEUE_ITEM)(PVOID)ApcRoutine;
    Watch->Queue = (WORK_QUEUE_TYPE)(ULONG_PTR)ApcContext;
    Watch->IoStatus = IoStatusBlock;
    InsertTailList(&Key->Node->Watches, &Watch->Link);
    CmpWatches++;
    CmpReleaseKey(Key);
    return STATUS_PENDING;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devicequeue: a busy flag and the entries that came while it was set, in order of arrival or of a key. */
#include "kep.h"

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    RtlZeroMemory(DeviceQueue, sizeof(*DeviceQueue));
    DeviceQueue->Type = DeviceQueueObject;
    DeviceQueue->Size = sizeof(*DeviceQueue);
    InitializeListHead(&DeviceQueue->DeviceListHead);
}

static PKDEVICE_QUEUE_ENTRY KiFirstEntry(PKDEVICE_QUEUE DeviceQueue)
{
    PKDEVICE_QUEUE_ENTRY Entry =
        CONTAINING_RECORD(RemoveHeadList(&DeviceQueue->DeviceListHead), KDEVICE_QUEUE_ENTRY, DeviceListEntry);

    Entry->Inserted = FALSE;
    return Entry;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY Entry)
{
    KLOCK_QUEUE_HANDLE Lock;
    BOOLEAN Busy;

    KeAcquireInStackQueuedSpinLock(&DeviceQueue->Lock, &Lock);
    Busy = DeviceQueue->Busy;
    DeviceQueue->Busy = TRUE;
    if (Busy) {
        InsertTailList(&DeviceQueue->DeviceListHead, &Entry->DeviceListEntry);
    }
    Entry->Inserted = Busy;
    KeReleaseInStackQueuedSpinLock(&Lock);
    return Busy;
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY Entry, ULONG SortKey)
{
    KLOCK_QUEUE_HANDLE Lock;
    BOOLEAN Busy;

    KeAcquireInStackQueuedSpinLock(&DeviceQueue->Lock, &Lock);
    Busy = DeviceQueue->Busy;
    DeviceQueue->Busy = TRUE;
    Entry->SortKey = SortKey;
    if (Busy) {
        PLIST_ENTRY At = DeviceQueue->DeviceListHead.Blink;

        while (At != &DeviceQueue->DeviceListHead &&
               CONTAINING_RECORD(At, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey > SortKey) {
            At = At->Blink;
        }
        InsertHeadList(At, &Entry->DeviceListEntry);
    }
    Entry->Inserted = Busy;
    KeReleaseInStackQueuedSpinLock(&Lock);
    return Busy;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    PKDEVICE_QUEUE_ENTRY Entry = NULL;
    KLOCK_QUEUE_HANDLE Lock;

    KeAcquireInStackQueuedSpinLock(&DeviceQueue->Lock, &Lock);
    if (IsListEmpty(&DeviceQueue->DeviceListHead)) {
        DeviceQueue->Busy = FALSE;
    } else {
        Entry = KiFirstEntry(DeviceQueue);
    }
    KeReleaseInStackQueuedSpinLock(&Lock);
    return Entry;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    PKDEVICE_QUEUE_ENTRY Entry = NULL;
    KLOCK_QUEUE_HANDLE Lock;

    KeAcquireInStackQueuedSpinLock(&DeviceQueue->Lock, &Lock);
    if (IsListEmpty(&DeviceQueue->DeviceListHead)) {
        DeviceQueue->Busy = FALSE;
    } else {
        PLIST_ENTRY At = DeviceQueue->DeviceListHead.Flink;

        /* The first at or after the key; past the last, the first of all. */
        while (At != &DeviceQueue->DeviceListHead &&
               CONTAINING_RECORD(At, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey < SortKey) {
            At = At->Flink;
        }
        if (At == &DeviceQueue->DeviceListHead) {
            Entry = KiFirstEntry(DeviceQueue);
        } else {
            Entry = CONTAINING_RECORD(At, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
            RemoveEntryList(At);
            Entry->Inserted = FALSE;
        }
    }
    KeReleaseInStackQueuedSpinLock(&Lock);
    return Entry;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    return DeviceQueue->Busy ? KeRemoveByKeyDeviceQueue(DeviceQueue, SortKey) : NULL;
}

BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY Entry)
{
    KLOCK_QUEUE_HANDLE Lock;
    BOOLEAN Inserted;

    KeAcquireInStackQueuedSpinLock(&DeviceQueue->Lock, &Lock);
    Inserted = Entry->Inserted;
    if (Inserted) {
        RemoveEntryList(&Entry->DeviceListEntry);
        Entry->Inserted = FALSE;
    }
    KeReleaseInStackQueuedSpinLock(&Lock);
    return Inserted;
}

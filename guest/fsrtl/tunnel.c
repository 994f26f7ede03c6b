// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tunnel cache: what a file system remembers of a name that has just gone, for one that comes at once in
 * its place.
 *
 * Entries are in the order of their coming, live 15 seconds and are 256 at most, so that a search is bounded;
 * a new one for the same directory and name takes the old one's place.  IRQL: <= APC_LEVEL; names and data
 * are copied, in paged pool.
 */
#include <ntifs.h>

#define FSRTLP_TUNNEL_TAG      'TrsF'
#define FSRTLP_TUNNEL_LIFE     (15LL * 10000000)
#define FSRTLP_TUNNEL_CAPACITY 256

typedef struct _FSRTLP_TUNNEL_ENTRY {
    LIST_ENTRY Link;
    LARGE_INTEGER Born;
    ULONGLONG Directory;
    BOOLEAN KeyByShortName;
    UNICODE_STRING ShortName, LongName;
    ULONG DataLength;
    PVOID Data; /* behind the names */
} FSRTLP_TUNNEL_ENTRY, *PFSRTLP_TUNNEL_ENTRY;

static VOID FsRtlpDropEntry(PTUNNEL Cache, PFSRTLP_TUNNEL_ENTRY Entry)
{
    RemoveEntryList(&Entry->Link);
    Cache->NumEntries--;
    ExFreePoolWithTag(Entry, FSRTLP_TUNNEL_TAG);
}

/* The oldest are first; those whose time is over go. */
static VOID FsRtlpExpire(PTUNNEL Cache)
{
    LARGE_INTEGER Now;

    KeQuerySystemTime(&Now);
    while (!IsListEmpty(&Cache->TimerQueue)) {
        PFSRTLP_TUNNEL_ENTRY Entry = CONTAINING_RECORD(Cache->TimerQueue.Flink, FSRTLP_TUNNEL_ENTRY, Link);

        if (Cache->NumEntries <= FSRTLP_TUNNEL_CAPACITY && Now.QuadPart - Entry->Born.QuadPart < FSRTLP_TUNNEL_LIFE) {
            break;
        }
        FsRtlpDropEntry(Cache, Entry);
    }
}

static PFSRTLP_TUNNEL_ENTRY FsRtlpFindEntry(PTUNNEL Cache, ULONGLONG Directory, PUNICODE_STRING Name)
{
    for (PLIST_ENTRY Link = Cache->TimerQueue.Flink; Link != &Cache->TimerQueue; Link = Link->Flink) {
        PFSRTLP_TUNNEL_ENTRY Entry = CONTAINING_RECORD(Link, FSRTLP_TUNNEL_ENTRY, Link);

        if (Entry->Directory == Directory &&
            RtlEqualUnicodeString(Entry->KeyByShortName ? &Entry->ShortName : &Entry->LongName, Name, TRUE)) {
            return Entry;
        }
    }
    return NULL;
}

static PUCHAR FsRtlpPutString(PUNICODE_STRING To, PUNICODE_STRING From, PUCHAR At)
{
    *To = (UNICODE_STRING){From->Length, From->Length, (PWCH)At};
    RtlCopyMemory(At, From->Buffer, From->Length);
    return At + From->Length;
}

VOID NTAPI FsRtlInitializeTunnelCache(PTUNNEL Cache)
{
    RtlZeroMemory(Cache, sizeof(*Cache));
    ExInitializeFastMutex(&Cache->Mutex);
    InitializeListHead(&Cache->TimerQueue);
}

/* Without memory nothing is remembered. */
VOID NTAPI FsRtlAddToTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING ShortName,
                                 PUNICODE_STRING LongName, BOOLEAN KeyByShortName, ULONG DataLength, PVOID Data)
{
    ULONG Names = ALIGN_UP_BY((ULONG)ShortName->Length + LongName->Length, sizeof(ULONG64));
    PFSRTLP_TUNNEL_ENTRY Entry =
                             ExAllocatePoolWithTag(PagedPool, sizeof(*Entry) + Names + DataLength, FSRTLP_TUNNEL_TAG),
                         Old;
    PUCHAR At;

    if (Entry == NULL) {
        return;
    }
    At = FsRtlpPutString(&Entry->ShortName, ShortName, (PUCHAR)(Entry + 1));
    FsRtlpPutString(&Entry->LongName, LongName, At);
    Entry->Directory = DirectoryKey;
    Entry->KeyByShortName = KeyByShortName;
    Entry->DataLength = DataLength;
    Entry->Data = (PUCHAR)(Entry + 1) + Names;
    RtlCopyMemory(Entry->Data, Data, DataLength);
    KeQuerySystemTime(&Entry->Born);
    ExAcquireFastMutex(&Cache->Mutex);
    Old = FsRtlpFindEntry(Cache, DirectoryKey, KeyByShortName ? ShortName : LongName);
    if (Old != NULL) {
        FsRtlpDropEntry(Cache, Old);
    }
    InsertTailList(&Cache->TimerQueue, &Entry->Link);
    Cache->NumEntries++;
    FsRtlpExpire(Cache);
    ExReleaseFastMutex(&Cache->Mutex);
}

/* A long name that does not fit gets a buffer of paged pool, the caller's to free. */
static BOOLEAN FsRtlpTakeOut(PUNICODE_STRING To, PUNICODE_STRING From, BOOLEAN Allocate)
{
    if (From->Length > To->MaximumLength) {
        PWCH Buffer = Allocate ? ExAllocatePoolWithTag(PagedPool, From->Length, FSRTLP_TUNNEL_TAG) : NULL;

        if (Buffer == NULL) {
            return FALSE;
        }
        To->Buffer = Buffer;
        To->MaximumLength = From->Length;
    }
    RtlCopyUnicodeString(To, From);
    return TRUE;
}

/*
 * FALSE: nothing is remembered, or the short name or the data does not fit.  *DataLength: the buffer's size
 * before, the data's after.
 */
BOOLEAN NTAPI FsRtlFindInTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey, PUNICODE_STRING Name,
                                     PUNICODE_STRING ShortName, PUNICODE_STRING LongName, PULONG DataLength, PVOID Data)
{
    PFSRTLP_TUNNEL_ENTRY Entry;
    BOOLEAN Found;

    ExAcquireFastMutex(&Cache->Mutex);
    FsRtlpExpire(Cache);
    Entry = FsRtlpFindEntry(Cache, DirectoryKey, Name);
    Found = Entry != NULL && *DataLength >= Entry->DataLength && FsRtlpTakeOut(ShortName, &Entry->ShortName, FALSE) &&
            FsRtlpTakeOut(LongName, &Entry->LongName, TRUE);
    if (Found) {
        *DataLength = Entry->DataLength;
        RtlCopyMemory(Data, Entry->Data, Entry->DataLength);
    }
    ExReleaseFastMutex(&Cache->Mutex);
    return Found;
}

/* The directory has gone, and all that was in it. */
VOID NTAPI FsRtlDeleteKeyFromTunnelCache(PTUNNEL Cache, ULONGLONG DirectoryKey)
{
    PLIST_ENTRY Next;

    ExAcquireFastMutex(&Cache->Mutex);
    for (PLIST_ENTRY Link = Cache->TimerQueue.Flink; Link != &Cache->TimerQueue; Link = Next) {
        PFSRTLP_TUNNEL_ENTRY Entry = CONTAINING_RECORD(Link, FSRTLP_TUNNEL_ENTRY, Link);

        Next = Link->Flink;
        if (Entry->Directory == DirectoryKey) {
            FsRtlpDropEntry(Cache, Entry);
        }
    }
    ExReleaseFastMutex(&Cache->Mutex);
}

VOID NTAPI FsRtlDeleteTunnelCache(PTUNNEL Cache)
{
    while (!IsListEmpty(&Cache->TimerQueue)) {
        FsRtlpDropEntry(Cache, CONTAINING_RECORD(Cache->TimerQueue.Flink, FSRTLP_TUNNEL_ENTRY, Link));
    }
}

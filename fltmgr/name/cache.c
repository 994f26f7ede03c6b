/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cache.c: the names of files that are open, so that they are asked for once.
 *
 * A name is kept by its file object, its format and the name provider that gave it, from the first query until the file is
 * closed.  Whatever may change the name of an open file (a rename, a link that replaces another name, a short name, the end of
 * a name that is deleted) goes through the volume's device: its completion makes every name of the volume stale, since a directory's change
 * is one of all names below.  So does an instance that comes or goes: it may be a provider.  A query that has begun before any of it
 * keeps nothing.
 *
 * With the verifier on a filter gets a copy, so that each knows its own; else the one that is kept.  IRQL: <= APC_LEVEL.
 */
#include <name.h>

#define FLTP_NAME_BUCKETS 256

static FAST_MUTEX FltpCacheLock;
static LIST_ENTRY FltpCached[FLTP_NAME_BUCKETS]; /* FltpCacheLock; by file object */
static volatile LONG FltpPurges;

VOID FltpInitializeNameCache(VOID)
{
    ExInitializeFastMutex(&FltpCacheLock);
    for (ULONG Bucket = 0; Bucket < FLTP_NAME_BUCKETS; Bucket++)
        InitializeListHead(&FltpCached[Bucket]);
}

static FORCEINLINE PLIST_ENTRY FltpBucketOf(PFILE_OBJECT FileObject)
{
    ULONG_PTR Value = (ULONG_PTR)FileObject >> 4;

    return &FltpCached[(Value ^ Value >> 8) % FLTP_NAME_BUCKETS];
}

static VOID FltpForgetLocked(PFLTP_FILE_NAME Name)
{
    RemoveEntryList(&Name->OfBucket);
    FltpDropName(Name);
}

/* The pointer is told, not followed: what it was of may be gone, but then the generation is another. */
static PFLT_INSTANCE FltpProviderNow(const FLTP_NAME_QUERY *Query)
{
    PFLT_INSTANCE Provider = FltpNameProviders != 0 ? FltpFindProvider(Query) : NULL;

    if (Provider != NULL)
        FltpReleaseRundown(&Provider->Object.Rundown);
    return Provider;
}

VOID FltpBeginNameQuery(PFLTP_NAME_QUERY Query)
{
    Query->Generation = Query->Volume->NameGeneration;
    Query->Purges = FltpPurges;
    Query->Provider = FltpProviderNow(Query);
}

/* A handle that has ended keeps the name that it had, whatever has become of the file. */
static FORCEINLINE BOOLEAN FltpIsFresh(const FLTP_FILE_NAME *Name)
{
    return Name->Generation == Name->Volume->NameGeneration || Name->IsLast;
}

static PFLTP_FILE_NAME FltpFindLocked(const FLTP_NAME_QUERY *Query)
{
    PLIST_ENTRY Bucket = FltpBucketOf(Query->FileObject), Link = Bucket->Flink;
    FLT_FILE_NAME_OPTIONS Format = FltGetFileNameFormat(Query->Options);

    while (Link != Bucket) {
        PFLTP_FILE_NAME Name = CONTAINING_RECORD(Link, FLTP_FILE_NAME, OfBucket);

        Link = Link->Flink;
        if (Name->FileObject != Query->FileObject || Name->Information.Format != Format ||
            Name->Provider != Query->Provider || Name->Volume != Query->Volume)
            continue;
        if (FltpIsFresh(Name))
            return Name;
        FltpForgetLocked(Name);
    }
    return NULL;
}

PFLTP_FILE_NAME FltpFindCachedName(const FLTP_NAME_QUERY *Query)
{
    PFLTP_FILE_NAME Name;

    ExAcquireFastMutex(&FltpCacheLock);
    Name = FltpFindLocked(Query);
    if (Name != NULL)
        InterlockedIncrement(&Name->References);
    ExReleaseFastMutex(&FltpCacheLock);
    return Name;
}

/* A file that was opened below our device is closed without our knowing. */
static BOOLEAN FltpSeesClose(const FLTP_NAME_QUERY *Query)
{
    PDEVICE_OBJECT Related = IoGetRelatedDeviceObject(Query->FileObject);

    for (PDEVICE_OBJECT Device = Query->Volume->Device; Device != NULL; Device = Device->AttachedDevice) {
        if (Device == Related)
            return TRUE;
    }
    return FALSE;
}

/* Another may have been faster, and what was asked for may be old by now. */
VOID FltpCacheName(const FLTP_NAME_QUERY *Query, PFLTP_FILE_NAME Name)
{
    if (!FltpSeesClose(Query))
        return;
    ExAcquireFastMutex(&FltpCacheLock);
    if (Query->Generation == Query->Volume->NameGeneration && Query->Purges == FltpPurges &&
        FltpFindLocked(Query) == NULL) {
        Name->FileObject = Query->FileObject;
        Name->Volume = Query->Volume;
        Name->Provider = Query->Provider;
        Name->Generation = Query->Generation;
        InterlockedIncrement(&Name->References);
        InsertHeadList(FltpBucketOf(Query->FileObject), &Name->OfBucket);
    }
    ExReleaseFastMutex(&FltpCacheLock);
}

typedef BOOLEAN FLTP_NAME_TEST(PFLTP_FILE_NAME Name, PVOID Object);

static VOID FltpVisitNames(PLIST_ENTRY Bucket, FLTP_NAME_TEST *Test, PVOID Object)
{
    ExAcquireFastMutex(&FltpCacheLock);
    for (PLIST_ENTRY Link = Bucket->Flink; Link != Bucket;) {
        PFLTP_FILE_NAME Name = CONTAINING_RECORD(Link, FLTP_FILE_NAME, OfBucket);

        Link = Link->Flink;
        if (Test(Name, Object))
            FltpForgetLocked(Name);
    }
    ExReleaseFastMutex(&FltpCacheLock);
}

static BOOLEAN FltpIsOfFile(PFLTP_FILE_NAME Name, PVOID FileObject)
{
    return Name->FileObject == FileObject;
}

VOID FltpForgetNamesOfFile(PFILE_OBJECT FileObject)
{
    PLIST_ENTRY Bucket = FltpBucketOf(FileObject);

    if (!IsListEmpty(Bucket))
        FltpVisitNames(Bucket, FltpIsOfFile, FileObject);
}

static BOOLEAN FltpIsOfVolume(PFLTP_FILE_NAME Name, PVOID Volume)
{
    return Name->Volume == Volume;
}

VOID FltpForgetNamesOfVolume(PFLT_VOLUME Volume)
{
    for (ULONG Bucket = 0; Bucket < FLTP_NAME_BUCKETS; Bucket++)
        FltpVisitNames(&FltpCached[Bucket], FltpIsOfVolume, Volume);
}

static BOOLEAN FltpMakeLast(PFLTP_FILE_NAME Name, PVOID FileObject)
{
    if (Name->FileObject == FileObject && FltpIsFresh(Name))
        Name->IsLast = TRUE;
    return FALSE;
}

VOID FltpKeepLastNames(PFILE_OBJECT FileObject)
{
    FltpVisitNames(FltpBucketOf(FileObject), FltpMakeLast, FileObject);
}

BOOLEAN FltpChangesNames(PIO_STACK_LOCATION Stack)
{
    PFILE_OBJECT FileObject = Stack->FileObject;

    if (FileObject == NULL)
        return FALSE;
    if (Stack->MajorFunction == IRP_MJ_CLEANUP)
        return FileObject->DeletePending || FlagOn(FileObject->Flags, FO_DELETE_ON_CLOSE);
    switch ((ULONG)Stack->Parameters.SetFile.FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx:
    case FileShortNameInformation: return TRUE;
    default: return FALSE;
    }
}

/* What providers above have made of the instance's names goes with them. */
typedef struct _FLTP_PURGE {
    PFLT_VOLUME Volume;
    PFILE_OBJECT FileObject; /* NULL: of any */
} FLTP_PURGE;

static BOOLEAN FltpIsPurged(PFLTP_FILE_NAME Name, PVOID Context)
{
    const FLTP_PURGE *Purge = Context;

    return Name->Provider != NULL && Name->Volume == Purge->Volume &&
           (Purge->FileObject == NULL || Name->FileObject == Purge->FileObject);
}

/* Also what is being asked for just now is not kept. */
NTSTATUS FLTAPI FltPurgeFileNameInformationCache(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    FLTP_PURGE Purge = {Instance->Volume, FileObject};

    InterlockedIncrement(&FltpPurges);
    for (ULONG Bucket = 0; Bucket < FLTP_NAME_BUCKETS; Bucket++) {
        if (FileObject == NULL || FltpBucketOf(FileObject) == &FltpCached[Bucket])
            FltpVisitNames(&FltpCached[Bucket], FltpIsPurged, &Purge);
    }
    return STATUS_SUCCESS;
}

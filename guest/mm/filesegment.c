// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file's segments, of its data and of it as an image: found by its SECTION_OBJECT_POINTERS, made on the first wish, closed after the last
 * reference.
 *
 * Its file object stays referenced as long as it is there.  With nothing to write it goes with the last reference; else a worker
 * writes first, and the segment may be taken up again meanwhile.
 */
#include "segment.h"

KGUARDED_MUTEX MiFileLock;
LIST_ENTRY MiFileSegments; /* MiFileLock */
volatile LONG64 MiFilePages;

PMM_FILE_ROUTINES MiFileRoutines;
static VOID (*MiWriterRoutine)(VOID);

VOID MiInitializeFiles(VOID)
{
    KeInitializeGuardedMutex(&MiFileLock);
    InitializeListHead(&MiFileSegments);
}

VOID MmSetFileRoutines(PMM_FILE_ROUTINES Routines)
{
    MiFileRoutines = Routines;
}

VOID MmSetWriterRoutine(VOID (*Routine)(VOID))
{
    MiWriterRoutine = Routine;
}

ULONG64 MmQueryFilePages(PULONG64 Limit)
{
    *Limit = MiTotalPages / 2;
    return (ULONG64)MiFilePages;
}

PFILE_OBJECT MmQuerySegmentFile(PMM_SEGMENT Segment)
{
    return Segment->FileObject;
}

/* ---- references ---- */

/* MiFileLock is held. */
static PMM_SEGMENT MiFindFileSegmentLocked(PVOID *Slot)
{
    PMM_SEGMENT Segment = *Slot;

    if (Segment != NULL)
        MmReferenceSegment(Segment);
    return Segment;
}

PMM_SEGMENT MiFindFileSegment(PVOID *Slot)
{
    PMM_SEGMENT Segment;

    if (*(PVOID volatile *)Slot == NULL)
        return NULL;
    KeAcquireGuardedMutex(&MiFileLock);
    Segment = MiFindFileSegmentLocked(Slot);
    KeReleaseGuardedMutex(&MiFileLock);
    return Segment;
}

PMM_SEGMENT MmFindFileSegment(PSECTION_OBJECT_POINTERS Pointers)
{
    return Pointers != NULL ? MiFindFileSegment(&Pointers->DataSectionObject) : NULL;
}

PMM_SEGMENT MiAdoptFileSegment(PFILE_OBJECT FileObject, PVOID *Slot, PMM_SEGMENT New)
{
    PMM_SEGMENT Segment;

    KeAcquireGuardedMutex(&MiFileLock);
    Segment = MiFindFileSegmentLocked(Slot);
    if (Segment == NULL) {
        Segment = New;
        MiFileRoutines->Reference(FileObject);
        Segment->FileObject = FileObject;
        Segment->Pointers = FileObject->SectionObjectPointer;
        Segment->Slot = Slot;
        *Slot = Segment;
        InsertTailList(&MiFileSegments, &Segment->Link);
    }
    KeReleaseGuardedMutex(&MiFileLock);
    if (Segment != New)
        MiDeleteSegment(New);
    return Segment;
}

NTSTATUS MmOpenFileSegment(PFILE_OBJECT FileObject, ULONG64 Size, PMM_SEGMENT *Result)
{
    PMM_SEGMENT New;

    if (Size > MM_MAXIMUM_SECTION)
        return STATUS_SECTION_TOO_BIG;
    if (FileObject->SectionObjectPointer == NULL)
        return STATUS_INVALID_FILE_FOR_SECTION;
    New = MiNewSegment(Size);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Result = MiAdoptFileSegment(FileObject, &FileObject->SectionObjectPointer->DataSectionObject, New);
    MmExtendSegment(*Result, Size);
    return STATUS_SUCCESS;
}

VOID MmExtendSegment(PMM_SEGMENT Segment, ULONG64 Size)
{
    KeAcquireGuardedMutex(&Segment->Lock);
    if (Size > Segment->Size)
        Segment->Size = Size;
    KeReleaseGuardedMutex(&Segment->Lock);
}

VOID MmCountSegmentUser(PMM_SEGMENT Segment, BOOLEAN Writer, LONG Change)
{
    if (Segment->FileObject == NULL)
        return;
    KeAcquireGuardedMutex(&MiFileLock);
    Segment->Users += (ULONG)Change;
    if (Writer)
        Segment->Writers += (ULONG)Change;
    KeReleaseGuardedMutex(&MiFileLock);
    if (Writer && Change > 0 && MiWriterRoutine != NULL)
        MiWriterRoutine();
}

/* ---- the end ---- */

static BOOLEAN MiIsDirty(PMM_SEGMENT Segment)
{
    ULONG64 Next;

    return MmQuerySegmentDirty(Segment, 0, &Next) != 0;
}

/* MiFileLock is held, and no reference is left: nobody finds it any more. */
static VOID MiForgetSegment(PMM_SEGMENT Segment)
{
    *Segment->Slot = NULL;
    RemoveEntryList(&Segment->Link);
}

static VOID MiFreeFileSegment(PMM_SEGMENT Segment)
{
    PFILE_OBJECT FileObject = Segment->FileObject;

    InterlockedAdd64(&MiFilePages, -(LONG64)Segment->Resident); /* none of them is dirty */
    MiDeleteSegment(Segment);
    MiFileRoutines->Dereference(FileObject);
}

/* Writes what a segment has to write, as a file system's resources allow.  FALSE: they did not. */
static BOOLEAN MiWriteOut(PMM_SEGMENT Segment)
{
    PVOID Context = NULL;
    ULONG64 Written, Next;
    NTSTATUS Status;

    if (!MiFileRoutines->AcquireForWriter(Segment->FileObject, Segment->Size, &Context))
        return FALSE;
    Status = MmFlushSegment(Segment, 0, MAXULONG64, &Written);
    MiFileRoutines->ReleaseFromWriter(Segment->FileObject, Context);
    if (!NT_SUCCESS(Status))
        DbgPrint("mm: %wZ: what a view changed could not be written, and is lost: status 0x%08X\n",
                 &Segment->FileObject->FileName, Status);
    if (!NT_SUCCESS(Status) && MmQuerySegmentDirty(Segment, 0, &Next) != 0)
        MmPurgeSegment(Segment, 0, MAXULONG64);
    return TRUE;
}

#define MI_WRITER_RETRY (-100000LL) /* 10 ms */

/* PASSIVE_LEVEL, a worker; the last reference was made the worker's. */
static VOID NTAPI MiCloseWorker(PVOID Parameter)
{
    LARGE_INTEGER Delay = {.QuadPart = MI_WRITER_RETRY};
    PMM_SEGMENT Segment = Parameter;
    BOOLEAN Free = FALSE, Last;

    do {
        while (!MiWriteOut(Segment))
            KeDelayExecutionThread(KernelMode, FALSE, &Delay);
        KeAcquireGuardedMutex(&MiFileLock);
        Last = Segment->References == 1;
        Free = Last && !MiIsDirty(Segment);
        if (Free) {
            MiForgetSegment(Segment);
        } else if (!Last) {
            Segment->Closing = FALSE;
            Segment->References--;
        }
        KeReleaseGuardedMutex(&MiFileLock);
        if (Last && !Free)
            KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    } while (Last && !Free);
    if (Free)
        MiFreeFileSegment(Segment);
}

VOID MiDereferenceFileSegment(PMM_SEGMENT Segment)
{
    LONG References = Segment->References;
    BOOLEAN Free = FALSE;

    /* The last but one and those before it need no lock. */
    while (References > 1) {
        LONG Old = InterlockedCompareExchange(&Segment->References, References - 1, References);

        if (Old == References)
            return;
        References = Old;
    }
    KeAcquireGuardedMutex(&MiFileLock);
    if (Segment->References > 1) {
        InterlockedDecrement(&Segment->References);
    } else if (MiIsDirty(Segment)) {
        Segment->Closing = TRUE;
        ExInitializeWorkItem(&Segment->Item, MiCloseWorker, Segment);
        MiFileRoutines->Queue(&Segment->Item);
    } else {
        MiForgetSegment(Segment);
        Free = TRUE;
    }
    KeReleaseGuardedMutex(&MiFileLock);
    if (Free)
        MiFreeFileSegment(Segment);
}

/* A segment that no cache map writes (its only users are sections and views), referenced; NULL: none is dirty. */
static PMM_SEGMENT MiNextMapped(PULONG Skip)
{
    PMM_SEGMENT Found = NULL;
    ULONG Index = 0;

    KeAcquireGuardedMutex(&MiFileLock);
    for (PLIST_ENTRY Entry = MiFileSegments.Flink; Entry != &MiFileSegments && Found == NULL; Entry = Entry->Flink) {
        PMM_SEGMENT Segment = CONTAINING_RECORD(Entry, MM_SEGMENT, Link);

        if (Index++ < *Skip || Segment->Closing || Segment->Pointers->SharedCacheMap != NULL || Segment->Writers == 0)
            continue;
        MmReferenceSegment(Segment);
        Found = Segment;
    }
    *Skip = Index;
    KeReleaseGuardedMutex(&MiFileLock);
    return Found;
}

BOOLEAN MmWriteMappedFiles(VOID)
{
    BOOLEAN Any = FALSE;
    PMM_SEGMENT Segment;
    ULONG Skip = 0;

    while ((Segment = MiNextMapped(&Skip)) != NULL) {
        Any = TRUE;
        if (MiIsDirty(Segment))
            MiWriteOut(Segment);
        MmDereferenceSegment(Segment);
    }
    return Any;
}

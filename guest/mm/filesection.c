// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What file systems ask before they delete, cut or open a file whose sections somebody may have.
 */
#include "segment.h"

/* The counts of a file's data section; 0 where there is none. */
static VOID MiCountUsers(PSECTION_OBJECT_POINTERS Pointers, PULONG Users, PULONG Writers, PULONG64 Size)
{
    PMM_SEGMENT Segment;

    KeAcquireGuardedMutex(&MiFileLock);
    Segment = Pointers->DataSectionObject;
    *Users = Segment != NULL ? Segment->Users : 0;
    *Writers = Segment != NULL ? Segment->Writers : 0;
    *Size = Segment != NULL ? Segment->Size : 0;
    KeReleaseGuardedMutex(&MiFileLock);
}

/* IRQL: <= APC_LEVEL.  FALSE: there is an image section; for deletion, also a section or view of the data. */
BOOLEAN NTAPI MmFlushImageSection(PSECTION_OBJECT_POINTERS SectionObjectPointer, MMFLUSH_TYPE FlushType)
{
    ULONG Users, Writers;
    ULONG64 Size;

    if (SectionObjectPointer->ImageSectionObject != NULL)
        return FALSE;
    MiCountUsers(SectionObjectPointer, &Users, &Writers, &Size);
    return FlushType != MmFlushForDelete || Users == 0;
}

/* IRQL: <= APC_LEVEL.  FALSE: as long as somebody has a section or view of the data, but for a size beyond it. */
BOOLEAN NTAPI MmCanFileBeTruncated(PSECTION_OBJECT_POINTERS SectionPointer, PLARGE_INTEGER NewFileSize)
{
    ULONG Users, Writers;
    ULONG64 Size;

    if (SectionPointer->ImageSectionObject != NULL)
        return FALSE;
    MiCountUsers(SectionPointer, &Users, &Writers, &Size);
    return Users == 0 || (NewFileSize != NULL && (ULONG64)NewFileSize->QuadPart > Size);
}

/* IRQL: <= APC_LEVEL.  TRUE: no section is left; what was dirty has been written. */
BOOLEAN NTAPI MmForceSectionClosed(PSECTION_OBJECT_POINTERS SectionObjectPointer, BOOLEAN DelayClose)
{
    PMM_SEGMENT Segment;
    BOOLEAN Closed;

    UNREFERENCED_PARAMETER(DelayClose); /* without a reference none is kept */
    if (SectionObjectPointer->ImageSectionObject != NULL)
        return FALSE;
    Segment = MmFindFileSegment(SectionObjectPointer);
    if (Segment == NULL)
        return TRUE;
    KeAcquireGuardedMutex(&MiFileLock);
    Closed = Segment->References == (Segment->Closing ? 2 : 1);
    KeReleaseGuardedMutex(&MiFileLock);
    if (Closed) { /* what is left to write is written here, by who holds the file */
        ULONG64 Written;

        Closed = NT_SUCCESS(MmFlushSegment(Segment, 0, MAXULONG64, &Written));
    }
    MmDereferenceSegment(Segment);
    return Closed && SectionObjectPointer->DataSectionObject == NULL;
}

/* IRQL: <= APC_LEVEL.  Sections and views that may write. */
ULONG NTAPI MmDoesFileHaveUserWritableReferences(PSECTION_OBJECT_POINTERS SectionPointer)
{
    ULONG Users, Writers;
    ULONG64 Size;

    MiCountUsers(SectionPointer, &Users, &Writers, &Size);
    return Writers;
}

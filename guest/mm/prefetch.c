// SPDX-License-Identifier: GPL-2.0-or-later
/* Bringing a file's pages in before they are used. */
#include "mip.h"

#include <ntifs.h>

static NTSTATUS MiPrefetchList(PREAD_LIST List)
{
    PMM_SEGMENT Segment = MmFindFileSegment(List->FileObject->SectionObjectPointer);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Segment == NULL || List->IsImage) {
        if (Segment != NULL)
            MmDereferenceSegment(Segment);
        return STATUS_INVALID_PARAMETER_1;
    }
    for (ULONG Index = 0; Index < List->NumberOfEntries && NT_SUCCESS(Status); Index++)
        Status = MmReadSegment(Segment, List->List[Index].Alignment & ~(ULONG64)(PAGE_SIZE - 1), PAGE_SIZE);
    MmDereferenceSegment(Segment);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_1: no list, or a file without a section of the kind that its list wants; else what the
 * first read that failed ended with.  (MmPrefetchPages)
 */
NTSTATUS NTAPI MmPrefetchPages(ULONG NumberOfLists, PREAD_LIST *ReadLists)
{
    NTSTATUS Status = NumberOfLists != 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_1;

    PAGED_CODE();
    for (ULONG Index = 0; Index < NumberOfLists && NT_SUCCESS(Status); Index++)
        Status = MiPrefetchList(ReadLists[Index]);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Bringing a file's pages in before they are used. */
#include "mip.h"

#include <ntifs.h>

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_1: no list, or a file without a section of the kind that its list wants;
 * STATUS_NOT_IMPLEMENTED, and a line in the log, otherwise: pages come when they are touched.  (MmPrefetchPages)
 */
NTSTATUS NTAPI MmPrefetchPages(ULONG NumberOfLists, PREAD_LIST *ReadLists)
{
    PAGED_CODE();
    if (NumberOfLists == 0) {
        return STATUS_INVALID_PARAMETER_1;
    }
    for (ULONG Index = 0; Index < NumberOfLists; Index++) {
        PSECTION_OBJECT_POINTERS Sections = ReadLists[Index]->FileObject->SectionObjectPointer;

        if (Sections == NULL ||
            (ReadLists[Index]->IsImage ? Sections->ImageSectionObject : Sections->DataSectionObject) == NULL) {
            return STATUS_INVALID_PARAMETER_1;
        }
    }
    DbgPrint("MmPrefetchPages: reading ahead of use is not implemented\n");
    return STATUS_NOT_IMPLEMENTED;
}

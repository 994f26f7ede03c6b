// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image's segment: the file as it lies in memory when it is run.
 *
 * It is another segment than that of the file's data, and SECTION_OBJECT_POINTERS name both.  Its pages come by paging reads, each
 * from where its part lies in the file, and are never written back: who writes to a view of it gets a copy.
 */
#include "segment.h"

#define MI_SECTOR 512u /* what parts of images begin at in their files, at least */

NTSTATUS MmOpenImageSegment(PFILE_OBJECT FileObject, const MM_IMAGE *Image, PMM_SEGMENT *Result)
{
    SIZE_T Size = FIELD_OFFSET(MM_IMAGE, Part) + Image->Parts * sizeof(Image->Part[0]);
    PMM_SEGMENT New = MiNewSegment(Image->Size);

    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    New->Image = ExAllocatePoolWithTag(NonPagedPoolNx, Size, MI_SEGMENT_TAG);
    if (New->Image == NULL) {
        MiDeleteSegment(New);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(New->Image, Image, Size);
    *Result = MiAdoptFileSegment(FileObject, &FileObject->SectionObjectPointer->ImageSectionObject, New);
    return STATUS_SUCCESS;
}

PMM_SEGMENT MmFindImageSegment(PSECTION_OBJECT_POINTERS Pointers)
{
    return MiFindFileSegment(&Pointers->ImageSectionObject);
}

const MM_IMAGE *MmQueryImage(PMM_SEGMENT Segment)
{
    return Segment->Image;
}

/* The part that a page is in; NULL: it is between parts, or behind the last. */
static const MM_IMAGE_PART *MiFindPart(const MM_IMAGE *Image, ULONG64 Page)
{
    for (ULONG Index = 0; Index < Image->Parts; Index++) {
        if (Page - Image->Part[Index].Page < Image->Part[Index].Pages)
            return &Image->Part[Index];
    }
    return NULL;
}

ULONG MiPagesTogether(PMM_SEGMENT Segment, ULONG64 Page, ULONG Count)
{
    const MM_IMAGE_PART *Part = Segment->Image != NULL ? MiFindPart(Segment->Image, Page) : NULL;

    if (Segment->Image == NULL)
        return Count;
    return Part != NULL ? (ULONG)min(Count, Part->Page + Part->Pages - Page) : 1;
}

VOID MiPlaceInFile(PMM_SEGMENT Segment, ULONG64 Page, PULONG64 Offset, PULONG Length, PULONG Kept)
{
    const MM_IMAGE_PART *Part = Segment->Image != NULL ? MiFindPart(Segment->Image, Page) : NULL;
    ULONG64 Begin;

    *Offset = Page << PAGE_SHIFT;
    *Kept = *Length;
    if (Segment->Image == NULL)
        return;
    Begin = Part != NULL ? (Page - Part->Page) << PAGE_SHIFT : 0;
    *Kept = Part != NULL && Begin < Part->Bytes ? (ULONG)min(*Length, Part->Bytes - Begin) : 0;
    *Length = (*Kept + MI_SECTOR - 1) & ~(MI_SECTOR - 1);
    *Offset = Part != NULL ? Part->Offset + Begin : 0;
}

ULONG MiImageProtection(ULONG Protect)
{
    ULONG Modifiers = Protect & ~0xFFu;

    switch (Protect & 0xFF) {
    case PAGE_READWRITE: return PAGE_WRITECOPY | Modifiers;
    case PAGE_EXECUTE_READWRITE: return PAGE_EXECUTE_WRITECOPY | Modifiers;
    default: return Protect;
    }
}

NTSTATUS MiProtectParts(PMM_SPACE Space, PMI_VIEW View)
{
    const MM_IMAGE *Image = View->Segment->Image;

    for (ULONG Index = 0; Index < Image->Parts; Index++) {
        ULONG64 Start = View->Start + ((ULONG64)Image->Part[Index].Page << PAGE_SHIFT);
        ULONG64 End = Start + ((ULONG64)Image->Part[Index].Pages << PAGE_SHIFT);
        PMI_RANGE Range = MiSplitOut(Space, Start, End);

        if (Range == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Range->Current = Image->Part[Index].Protect;
    }
    return STATUS_SUCCESS;
}

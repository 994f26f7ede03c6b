// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a file lies in memory when it is run, for the memory manager, which brings its pages in one by one.
 */
#include "ldrp.h"
#include <mm.h>

#define LDRP_IMAGE_TAG 'mIdL'
#define LDRP_SECTOR    512u

static ULONG LdrpViewProtection(ULONG Characteristics)
{
    BOOLEAN Write = (Characteristics & IMAGE_SCN_MEM_WRITE) != 0;

    if (Characteristics & IMAGE_SCN_MEM_EXECUTE)
        return Write ? PAGE_EXECUTE_WRITECOPY : PAGE_EXECUTE_READ;
    return Write ? PAGE_WRITECOPY : PAGE_READONLY;
}

/* What of it cannot be shown page by page; NULL: nothing. */
static PCSTR LdrpCheckParts(const LDRP_PE *Pe)
{
    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        if (Pe->Section[Index].RawSize != 0 && Pe->Section[Index].RawOffset % LDRP_SECTOR != 0)
            return "a section's data does not begin with a sector";
    }
    return NULL;
}

static BOOLEAN LdrpSharesData(const LDRP_PE *Pe)
{
    ULONG Both = IMAGE_SCN_MEM_SHARED | IMAGE_SCN_MEM_WRITE;

    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        if ((Pe->Section[Index].Characteristics & Both) == Both)
            return TRUE;
    }
    return FALSE;
}

static VOID LdrpFillImage(const LDRP_PE *Pe, PMM_IMAGE Image)
{
    Image->Base = Pe->PreferredBase;
    Image->Size = Pe->SizeOfImage;
    Image->Parts = Pe->Sections + 1;
    Image->Part[0] = (MM_IMAGE_PART){
        .Pages = BYTES_TO_PAGES(Pe->SizeOfHeaders), .Protect = PAGE_READONLY, .Bytes = Pe->SizeOfHeaders};
    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        const LDRP_SECTION *Section = &Pe->Section[Index];

        Image->Part[Index + 1] = (MM_IMAGE_PART){.Page = Section->Rva >> PAGE_SHIFT,
                                                 .Pages = Section->Size >> PAGE_SHIFT,
                                                 .Protect = LdrpViewProtection(Section->Characteristics),
                                                 .Bytes = Section->RawSize,
                                                 .Offset = Section->RawOffset};
    }
}

static NTSTATUS LdrpDescribe(const UCHAR *Bytes, SIZE_T Length, ULONG64 FileSize, PLDRP_PE Pe, PMM_IMAGE *Image)
{
    PCSTR Reason = LdrpParseHeaders(Bytes, Length, FileSize, Pe);

    if (Length < 2 || Bytes[0] != 'M' || Bytes[1] != 'Z')
        return STATUS_INVALID_IMAGE_NOT_MZ;
    if (Reason == NULL)
        Reason = LdrpCheckParts(Pe);
    if (Reason != NULL) {
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "an image section: %s\n", Reason);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    if (LdrpSharesData(Pe)) {
        DbgPrint("an image section: data that processes share are not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    *Image = ExAllocatePoolWithTag(
        PagedPool, FIELD_OFFSET(MM_IMAGE, Part) + (Pe->Sections + 1) * sizeof((*Image)->Part[0]), LDRP_IMAGE_TAG);
    if (*Image == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    LdrpFillImage(Pe, *Image);
    return STATUS_SUCCESS;
}

NTSTATUS LdrDescribeImage(const VOID *Bytes, SIZE_T Length, ULONG64 FileSize, PMM_IMAGE *Image)
{
    PLDRP_PE Pe = ExAllocatePoolWithTag(PagedPool, sizeof(*Pe), LDRP_IMAGE_TAG);
    NTSTATUS Status;

    if (Pe == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = LdrpDescribe(Bytes, Length, FileSize, Pe, Image);
    ExFreePoolWithTag(Pe, LDRP_IMAGE_TAG);
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that is a file of the machine's, opened as Windows opens what it is to run: FILE_EXECUTE, an image section of
 * PAGE_EXECUTE, and neither handle left.
 */
#include "clientp.h"
#include <ob.h>

VOID ClientpReleaseImageFile(PCLIENT_IMAGE_FILE Image)
{
    if (Image->Section != NULL)
        ObDereferenceObject(Image->Section);
    if (Image->File != NULL)
        ObDereferenceObject(Image->File);
    if (Image->Name != NULL)
        ExFreePoolWithTag(Image->Name, CLIENT_TAG);
}

NTSTATUS ClientpOpenImageFile(PUNICODE_STRING Name, PCLIENT_IMAGE_FILE Image)
{
    HANDLE File = NULL, Section = NULL;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenFile(&File, FILE_EXECUTE | SYNCHRONIZE, &Attributes, &IoStatus, FILE_SHARE_READ | FILE_SHARE_DELETE,
                        FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE);
    if (NT_SUCCESS(Status)) {
        InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
        Status = ZwCreateSection(&Section, SECTION_ALL_ACCESS, &Attributes, NULL, PAGE_EXECUTE, SEC_IMAGE, File);
    }
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Section, 0, NULL, KernelMode, &Image->Section, NULL);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(File, 0, *IoFileObjectType, KernelMode, (PVOID *)&Image->File, NULL);
    if (NT_SUCCESS(Status))
        Status = ObCopyName(Image->File, CLIENT_TAG, &Image->Name); /* as it was opened, behind its device's */
    if (Section != NULL)
        ZwClose(Section);
    if (File != NULL)
        ZwClose(File);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A section for who looks through a file's data before it has a handle: a scanner, after the create. */
#include <ntifs.h>
#include <io.h>
#include <ob.h>

NTKERNELAPI NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
                                                         PLARGE_INTEGER SectionFileSize, PFILE_OBJECT FileObject,
                                                         ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection,
                                                         ULONG AllocationAttributes, ULONG Flags);
/*
 * IRQL: PASSIVE_LEVEL.  The file is asked for through its stack as for ZwCreateSection, without regard to how it is open.
 * STATUS_INVALID_PARAMETER_8: neither PAGE_READONLY nor PAGE_READWRITE; STATUS_INVALID_PARAMETER_9: SEC_COMMIT is missing, or there is more
 * than SEC_FILE; STATUS_END_OF_FILE: the file is empty; STATUS_INVALID_FILE_FOR_SECTION.
 * (FsRtlCreateSectionForDataScan)
 */
DECLSPEC_NOINLINE NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
                                                               PLARGE_INTEGER SectionFileSize, PFILE_OBJECT FileObject,
                                                               ACCESS_MASK DesiredAccess,
                                                               POBJECT_ATTRIBUTES ObjectAttributes,
                                                               PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection,
                                                               ULONG AllocationAttributes, ULONG Flags)
{
    LARGE_INTEGER Size;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(MaximumSize);
    UNREFERENCED_PARAMETER(Flags);
    PAGED_CODE();
    if (SectionPageProtection != PAGE_READONLY && SectionPageProtection != PAGE_READWRITE) {
        return STATUS_INVALID_PARAMETER_8;
    }
    if ((AllocationAttributes & ~(ULONG)SEC_FILE) != SEC_COMMIT) {
        return STATUS_INVALID_PARAMETER_9;
    }
    Status = FsRtlGetFileSize(FileObject, &Size);
    if (Status == STATUS_FILE_IS_A_DIRECTORY) {
        Status = STATUS_INVALID_FILE_FOR_SECTION;
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCreateSection(SectionHandle, SectionObject, DesiredAccess, ObjectAttributes, 0, SectionPageProtection,
                              AllocationAttributes, FileObject);
    if (Status == STATUS_MAPPED_FILE_SIZE_ZERO) {
        Status = STATUS_END_OF_FILE;
    }
    if (NT_SUCCESS(Status)) {
        ObNoteReference(*SectionObject, _ReturnAddress());
        if (SectionFileSize != NULL) {
            *SectionFileSize = Size;
        }
    }
    return Status;
}

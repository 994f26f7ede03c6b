// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that waits a second; with OTHER it maps that file as an image first, and touches its last part then. */
#include <ntifs.h>

NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI NtMapViewOfSection(HANDLE Section, HANDLE Process, PVOID *Base, ULONG_PTR ZeroBits, SIZE_T Commit,
                                  PLARGE_INTEGER Offset, PSIZE_T Size, SECTION_INHERIT Inherit, ULONG Type,
                                  ULONG Protect);
NTSTATUS Main(PVOID Peb);

#ifdef OTHER
static volatile UCHAR *MapOther(void)
{
    static WCHAR Path[] = OTHER;
    UNICODE_STRING Name = {sizeof(Path) - sizeof(WCHAR), sizeof(Path), Path};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File, Section;
    PUCHAR View = NULL;
    SIZE_T Size = 0;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(NtOpenFile(&File, FILE_EXECUTE | SYNCHRONIZE, &Attributes, &IoStatus, FILE_SHARE_READ,
                               FILE_SYNCHRONOUS_IO_NONALERT)) ||
        !NT_SUCCESS(NtCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_EXECUTE, SEC_IMAGE, File)) ||
        !NT_SUCCESS(
            NtMapViewOfSection(Section, (HANDLE)-1, (PVOID *)&View, 0, 0, NULL, &Size, ViewUnmap, 0, PAGE_READONLY)))
        return NULL;
    return View + Size - 1;
}
#else
static volatile UCHAR *MapOther(void)
{
    static volatile UCHAR Byte;

    return &Byte;
}
#endif

NTSTATUS Main(PVOID Peb)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    volatile UCHAR *Last = MapOther();

    UNREFERENCED_PARAMETER(Peb);
    if (Last == NULL)
        return 1;
    NtDelayExecution(FALSE, &Second);
    return *Last == 0 ? 0x600D : 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that opens settings.txt, or with -DASK asks about it by its name.  Its status is what it got. */
#include <ntifs.h>

NTSTATUS NTAPI NtQueryFullAttributesFile(POBJECT_ATTRIBUTES Attributes, PFILE_NETWORK_OPEN_INFORMATION Information);
NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\settings.txt");
    OBJECT_ATTRIBUTES Attributes;

    (void)Peb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
#ifdef ASK
    FILE_NETWORK_OPEN_INFORMATION Information;
    NTSTATUS Status = NtQueryFullAttributesFile(&Attributes, &Information);

    return NT_SUCCESS(Status) && Information.EndOfFile.QuadPart != 16 ? STATUS_UNSUCCESSFUL : Status;
#else
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    return NtOpenFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, FILE_SHARE_READ,
                      FILE_SYNCHRONOUS_IO_NONALERT);
#endif
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that sends a control with input that it does not have; its exit status is what came of it. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    static WCHAR Path[] = L"\\Device\\HarddiskVolume1\\a.txt";
    UNICODE_STRING Name = {sizeof(Path) - sizeof(WCHAR), sizeof(Path), Path};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    HANDLE File;

    UNREFERENCED_PARAMETER(Peb);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                          FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (Status == 0)
        Status = NtFsControlFile(File, NULL, NULL, NULL, &IoStatus, CTL_CODE(9, 0x900, METHOD_NEITHER, 0),
                                 (PVOID)0x70000, 4, NULL, 0);
    return Status;
}

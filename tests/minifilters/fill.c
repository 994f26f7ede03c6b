/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that writes 9000 bytes at once to a new file of \Quota; its exit status is what came of it. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    static WCHAR Path[] = L"\\Device\\HarddiskVolume1\\Quota\\fill0.dat";
    static UCHAR Buffer[9000];
    UNICODE_STRING Name = {sizeof(Path) - sizeof(WCHAR), sizeof(Path), Path};
    LARGE_INTEGER Offset = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    HANDLE File;

    UNREFERENCED_PARAMETER(Peb);
    Path[RTL_NUMBER_OF(Path) - 6] = (WCHAR)(L'0' + WORKER);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtCreateFile(&File, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, 0, FILE_CREATE,
                          FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (Status != 0)
        return 1;
    Status = NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL);
    NtClose(File);
    return Status;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that reads \a.txt of the volume by the cache and past it; its exit status is what came of it. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    static WCHAR Path[] = L"\\Device\\HarddiskVolume1\\a.txt";
    static UCHAR Buffer[8192] __attribute__((aligned(4096)));
    UNICODE_STRING Name = {sizeof(Path) - sizeof(WCHAR), sizeof(Path), Path};
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Peb);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    for (ULONG Way = 0; Way < 2 && Status == STATUS_SUCCESS; Way++) {
        LARGE_INTEGER Offset = {.QuadPart = 0};
        IO_STATUS_BLOCK IoStatus;
        HANDLE File;

        Status = NtCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                              FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | (Way == 0 ? FILE_NO_INTERMEDIATE_BUFFERING : 0),
                              NULL, 0);
        if (Status == STATUS_SUCCESS)
            Status = NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL);
        if (Status == STATUS_SUCCESS && (IoStatus.Information != 8192 || Buffer[0] != 'x' || Buffer[8191] != 'x'))
            Status = STATUS_UNSUCCESSFUL;
        NtClose(File);
    }
    return Status;
}

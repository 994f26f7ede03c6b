// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens the volume, reads and writes it, and leaves the file open at its end.  Its status is the first that is not as it should be. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

static UCHAR Buffer[8192] __attribute__((aligned(4096)));

static NTSTATUS Open(PHANDLE File, PIO_STATUS_BLOCK IoStatus)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(File, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

NTSTATUS Main(PVOID Peb)
{
    LARGE_INTEGER Offset = {.QuadPart = 4096};
    IO_STATUS_BLOCK IoStatus = {{0}, 0};
    HANDLE File = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Peb);
    Status = Open(&File, &IoStatus);
    if (Status != 0 || (LONG64)File < 0)
        return Status != 0 ? Status : 1;
    Buffer[0] = 0x42;
    Status = NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, 4096, &Offset, NULL);
    if (Status != 0 || IoStatus.Information != 4096)
        return Status != 0 ? Status : 2;
    Status = NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer + 4096, 4096, &Offset, NULL);
    if (Status != 0 || IoStatus.Information != 4096 || Buffer[4096] != 0x42)
        return Status != 0 ? Status : 3;
    if (NtReadFile(File, NULL, NULL, NULL, &IoStatus, (PVOID)0xFFFF800000100000, 4096, &Offset, NULL) !=
        STATUS_ACCESS_VIOLATION)
        return 4;
    if (NtReadFile(File, NULL, NULL, NULL, &IoStatus, (PVOID)0x5000, 4096, &Offset, NULL) != STATUS_ACCESS_VIOLATION)
        return 5;
    if (NtCreateFile(&File, 0, (POBJECT_ATTRIBUTES)0x7FFFFFFF0000, &IoStatus, NULL, 0, 0, FILE_OPEN, 0, NULL, 0) !=
        STATUS_ACCESS_VIOLATION)
        return 6;
    return 0x600D;
}

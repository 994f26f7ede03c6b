/* SPDX-License-Identifier: MIT */
/*
 * A program that does one thing with the file NAME of the NTFS volume, and whose exit status is what came of it: opens it and reads its
 * first bytes, or writes TEXT into it.
 */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    static WCHAR Path[] = L"\\Device\\HarddiskVolume1\\" NAME;
    UNICODE_STRING Name = {sizeof(Path) - sizeof(WCHAR), sizeof(Path), Path};
    LARGE_INTEGER Offset = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    HANDLE File;

    UNREFERENCED_PARAMETER(Peb);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
#ifdef TEXT
    static CHAR Buffer[] = TEXT;
    Status = NtCreateFile(&File, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                          FILE_OPEN_IF, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (Status == 0) {
        Status = NtWriteFile(File, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer) - 1, &Offset, NULL);
        NtClose(File);
    }
#else
    static CHAR Buffer[64];
    Status = NtCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                          FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (Status == 0) {
        Status = NtReadFile(File, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer) - 1, &Offset, NULL);
        NtClose(File);
    }
#endif
    return Status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading a driver from a file: what its service's key says of it. */
#include "iop.h"
#include <io.h>

#define IOP_IMAGE_LIMIT (64u << 20)

/* The path to open: ImagePath, below \SystemRoot if it has no root; without one, where drivers are. */
static NTSTATUS IopImagePath(PUNICODE_STRING RegistryPath, PUNICODE_STRING ServiceName, PUNICODE_STRING Path)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value = IopReadServiceValue(RegistryPath, L"ImagePath");
    UNICODE_STRING Text = {0};
    NTSTATUS Status;

    if (Value != NULL && (Value->Type == REG_SZ || Value->Type == REG_EXPAND_SZ)) {
        Text.Buffer = (PWCH)Value->Data;
        Text.Length = (USHORT)(Value->DataLength & ~1u);
        while (Text.Length != 0 && Text.Buffer[Text.Length / sizeof(WCHAR) - 1] == 0) {
            Text.Length -= sizeof(WCHAR);
        }
        Text.MaximumLength = Text.Length;
    }
    if (Text.Length == 0) {
        Status = IopConcatenate(Path, L"\\SystemRoot\\System32\\drivers\\", ServiceName, L".sys");
    } else {
        Status = IopConcatenate(Path, Text.Buffer[0] == L'\\' ? L"" : L"\\SystemRoot\\", &Text, L"");
    }
    if (Value != NULL) {
        ExFreePoolWithTag(Value, IOP_TAG_NAME);
    }
    return Status;
}

/* All of the file, in pool (IOP_TAG_FILE). */
static NTSTATUS IopReadWhole(PUNICODE_STRING Path, PVOID *Bytes, PULONG Size)
{
    FILE_STANDARD_INFORMATION Standard;
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Start = {0};
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    HANDLE File;

    InitializeObjectAttributes(&Attributes, Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenFile(&File, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE, &Attributes, &IoStatus,
                        FILE_SHARE_READ | FILE_SHARE_DELETE, FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ZwQueryInformationFile(File, &IoStatus, &Standard, sizeof(Standard), FileStandardInformation);
    if (NT_SUCCESS(Status) && (ULONG64)Standard.EndOfFile.QuadPart - 1 >= IOP_IMAGE_LIMIT) {
        Status = STATUS_INVALID_IMAGE_FORMAT;
    }
    if (NT_SUCCESS(Status)) {
        *Size = Standard.EndOfFile.LowPart;
        *Bytes = ExAllocatePoolWithTag(NonPagedPoolNx, *Size, IOP_TAG_FILE);
        Status = *Bytes != NULL ? ZwReadFile(File, NULL, NULL, NULL, &IoStatus, *Bytes, *Size, &Start, NULL)
                                : STATUS_INSUFFICIENT_RESOURCES;
        if (NT_SUCCESS(Status) && IoStatus.Information != *Size) {
            Status = STATUS_END_OF_FILE;
        }
        if (!NT_SUCCESS(Status) && *Bytes != NULL) {
            ExFreePoolWithTag(*Bytes, IOP_TAG_FILE);
        }
    }
    ZwClose(File);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  The name is the service key's path in the registry; its ImagePath names the file.
 * STATUS_OBJECT_NAME_NOT_FOUND: no such key or file; STATUS_IMAGE_ALREADY_LOADED; STATUS_DRIVER_FAILED_PRIOR_UNLOAD: it was
 * to be unloaded, and waits for who uses its devices; STATUS_INVALID_IMAGE_FORMAT; else what
 * reading the file or DriverEntry returned.  (ZwLoadDriver)
 */
NTSTATUS NTAPI ZwLoadDriver(PUNICODE_STRING DriverServiceName)
{
    UNICODE_STRING Service, Path;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;
    PVOID Bytes;
    ULONG Size;
    HANDLE Key;

    PAGED_CODE();
    InitializeObjectAttributes(&Attributes, DriverServiceName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ZwClose(Key);
    IopServiceOfPath(DriverServiceName, &Service);
    if (Service.Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = IopImagePath(DriverServiceName, &Service, &Path);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopReadWhole(&Path, &Bytes, &Size);
    ExFreePoolWithTag(Path.Buffer, IOP_TAG_NAME);
    if (NT_SUCCESS(Status)) {
        Status = IopLoadDriverImage(&Service, Bytes, Size);
        ExFreePoolWithTag(Bytes, IOP_TAG_FILE);
    }
    return Status;
}

/*
 * IRQL: <= APC_LEVEL.  The path is paged pool, which the caller frees by ExFreePool.  STATUS_NOT_FOUND: a driver object
 * without an image; STATUS_INSUFFICIENT_RESOURCES.  (IoQueryFullDriverPath)
 */
NTSTATUS NTAPI IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject, PUNICODE_STRING FullPath)
{
    PCUNICODE_STRING Name;

    PAGED_CODE();
    RtlZeroMemory(FullPath, sizeof(*FullPath));
    if (DriverObject->DriverSection == NULL) {
        return STATUS_NOT_FOUND;
    }
    Name = IopImageName(DriverObject);
    FullPath->Buffer = ExAllocatePoolWithTag(PagedPool, Name->Length + sizeof(WCHAR), IOP_TAG_NAME);
    if (FullPath->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    FullPath->MaximumLength = Name->Length + sizeof(WCHAR);
    RtlCopyUnicodeString(FullPath, Name);
    return STATUS_SUCCESS;
}

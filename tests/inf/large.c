// SPDX-License-Identifier: GPL-2.0-or-later
/* Says of every value of \Registry\Machine\Software\Large its type, length and the sum of its bytes, when it is opened. */
#include <ntifs.h>

static DRIVER_DISPATCH Complete;

static VOID Show(HANDLE Key, PCWSTR Value)
{
    ULONG Size = (1 << 20) + 64, Length, Sum = 0;
    PKEY_VALUE_PARTIAL_INFORMATION Information = ExAllocatePoolWithTag(PagedPool, Size, 'tseT');
    UNICODE_STRING Name;

    if (Information == NULL)
        return;
    RtlInitUnicodeString(&Name, Value);
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Information, Size, &Length))) {
        for (ULONG i = 0; i < Information->DataLength; i++)
            Sum += Information->Data[i];
        DbgPrint("%wZ: type %u, %u bytes, sum %u\n", &Name, Information->Type, Information->DataLength, Sum);
    }
    ExFreePoolWithTag(Information, 'tseT');
}

static NTSTATUS NTAPI Complete(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\Software\\Large");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;

    UNREFERENCED_PARAMETER(Device);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE &&
        NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        Show(Key, L"binary");
        Show(Key, L"text");
        ZwClose(Key);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\LargeValues");
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Complete;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Complete;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Complete;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

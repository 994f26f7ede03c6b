/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter whose instance setup opens a file of the volume.  "Way" 0: below its instance; 1: below it, in a work item for which
 * it waits; 2: by the system's name space, from the top.  It counts the creates that it sees.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static ULONG Way;
static volatile LONG Seen;
static KEVENT Done;

static VOID OpenAndRead(PFLT_INSTANCE Instance)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\settings.txt");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    CHAR Buffer[16];
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (Way == 2)
        Status = ZwCreateFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ,
                              FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
    else
        Status = FltCreateFile(Filter, Instance, &Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                               FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL,
                               0, 0);
    if (NT_SUCCESS(Status)) {
        Status = ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL);
        DbgPrint("opening: status 0x%08X, %Iu bytes\n", Status, IoStatus.Information);
        ZwClose(Handle);
    } else {
        DbgPrint("opening: cannot open: 0x%08X\n", Status);
    }
}

static VOID Work(PFLT_GENERIC_WORKITEM Item, PVOID FltObject, PVOID Context)
{
    FltFreeGenericWorkItem(Item);
    OpenAndRead(Context);
    KeSetEvent(&Done, 0, FALSE);
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    PFLT_GENERIC_WORKITEM Item;

    DbgPrint("opening: setup flags %u\n", Flags);
    if (Way == 1) {
        Item = FltAllocateGenericWorkItem();
        if (Item == NULL)
            return STATUS_FLT_DO_NOT_ATTACH;
        KeInitializeEvent(&Done, NotificationEvent, FALSE);
        FltQueueGenericWorkItem(Item, FltObjects->Instance, Work, DelayedWorkQueue, FltObjects->Instance);
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    } else {
        OpenAndRead(FltObjects->Instance);
    }
    Sleep(20); /* others come meanwhile */
    return STATUS_SUCCESS;
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    InterlockedIncrement(&Seen);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS FilterUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    DbgPrint("opening: %d creates seen\n", Seen);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreCreate},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = FilterUnload,
    .InstanceSetupCallback = Setup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    Way = ReadNumber(RegistryPath, L"Way");
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

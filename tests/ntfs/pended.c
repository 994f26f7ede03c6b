/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creates that are pended and then sent elsewhere: the instance "low" takes each of "\pended" to another thread, gives it the name
 * "\dir\file" there and completes it with STATUS_REPARSE.  An open of "\own" makes "high" open that file itself, below its instance.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static volatile LONG Pended;

static BOOLEAN IsName(PFILE_OBJECT FileObject, PCWSTR Text)
{
    UNICODE_STRING Wanted;

    RtlInitUnicodeString(&Wanted, Text);
    return RtlEqualUnicodeString(&FileObject->FileName, &Wanted, TRUE);
}

static VOID NTAPI Reparse(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    static WCHAR Name[] = L"\\Device\\HarddiskVolume1\\dir\\file";

    FltFreeDeferredIoWorkItem(Item);
    Sleep(1);
    Data->IoStatus.Status = IoReplaceFileObjectName(Data->Iopb->TargetFileObject, Name, sizeof(Name) - sizeof(WCHAR));
    Data->IoStatus.Information = 0;
    if (NT_SUCCESS(Data->IoStatus.Status)) {
        Data->IoStatus.Status = STATUS_REPARSE;
        Data->IoStatus.Information = IO_REPARSE;
    }
    InterlockedIncrement(&Pended);
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
}

static VOID OpenMyself(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\pended");
    OBJECT_ATTRIBUTES Attributes;
    PFILE_OBJECT FileObject = NULL;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;
    UCHAR Byte = 0;
    LARGE_INTEGER Start = {.QuadPart = 0};
    ULONG Read = 0;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = FltCreateFileEx(Filter, High, &Handle, &FileObject, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus,
                             NULL, 0, 7, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, 0);
    FvCheck(Status == STATUS_SUCCESS);
    if (!NT_SUCCESS(Status))
        return;
    FvCheck(IsName(FileObject, L"\\dir\\file"));
    FvCheck(FltReadFile(High, FileObject, &Start, 1, &Byte, 0, &Read, NULL, NULL) == STATUS_SUCCESS && Byte == 'x');
    ObDereferenceObject(FileObject);
    FvCheck(FltClose(Handle) == STATUS_SUCCESS);
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFLT_DEFERRED_IO_WORKITEM Item;

    DbgPrint("pended: %s sees %wZ\n", FltObjects->Instance == High ? "high" : "low", &FltObjects->FileObject->FileName);
    if (FltObjects->Instance == High && IsName(FltObjects->FileObject, L"\\own"))
        OpenMyself();
    if (FltObjects->Instance != Low || !IsName(FltObjects->FileObject, L"\\pended"))
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    Item = FltAllocateDeferredIoWorkItem();
    return NT_SUCCESS(FltQueueDeferredIoWorkItem(Item, Data, Reparse, DelayedWorkQueue, NULL))
               ? FLT_PREOP_PENDING
               : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    DbgPrint("pended: %s post 0x%08X\n", FltObjects->Instance == High ? "high" : "low", Data->IoStatus.Status);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"high");
    PFLT_INSTANCE Found;

    if (NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, FltObjects->Volume, &Name, &Found))) {
        FltObjectDereference(Found);
        if (Found == FltObjects->Instance)
            High = Found;
    }
    if (High != FltObjects->Instance)
        Low = FltObjects->Instance;
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    FvCheck(Pended == 2);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreCreate, .PostOperation = PostCreate},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    FvTestPlan(5);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

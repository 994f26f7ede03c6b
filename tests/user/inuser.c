// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A minifilter that is called in a program's thread: the Zw routines take its own pointers and give it kernel handles, although
 * the thread's previous mode is UserMode.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;
static LONG Done;

#define GIVEN(Handle) ((LONG64)(Handle) < 0) /* the kernel's */

static VOID CheckEvents(POBJECT_ATTRIBUTES Attributes)
{
    LARGE_INTEGER None = {.QuadPart = 0};
    HANDLE Event = NULL;
    LONG State = 7;

    FvCheck(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, Attributes, NotificationEvent, FALSE) == STATUS_SUCCESS);
    FvCheck(GIVEN(Event));
    FvCheck(ZwSetEvent(Event, &State) == STATUS_SUCCESS && State == 0);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, &None) == STATUS_SUCCESS);
    FvCheck(ZwClearEvent(Event) == STATUS_SUCCESS && ZwResetEvent(Event, &State) == STATUS_SUCCESS && State == 0);
    FvCheck(ZwClose(Event) == STATUS_SUCCESS);
}

static VOID CheckKey(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\inuser");
    UCHAR Buffer[256];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Length;
    HANDLE Key = NULL;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(ZwOpenKey(&Key, KEY_READ, &Attributes) == STATUS_SUCCESS && GIVEN(Key));
    FvCheck(ZwQueryKey(Key, KeyFullInformation, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS);
    FvCheck(ZwClose(Key) == STATUS_SUCCESS);
}

static VOID CheckFile(PFLT_INSTANCE Instance)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    FILE_FS_DEVICE_INFORMATION Device;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    HANDLE File = NULL;
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 512, 'resu');

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(FltCreateFile(Filter, Instance, &File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0,
                          0) == STATUS_SUCCESS &&
            GIVEN(File));
    FvCheck(ZwReadFile(File, NULL, NULL, NULL, &IoStatus, Block, 512, &Offset, NULL) == STATUS_SUCCESS &&
            IoStatus.Information == 512);
    FvCheck(ZwQueryVolumeInformationFile(File, &IoStatus, &Device, sizeof(Device), FileFsDeviceInformation) ==
            STATUS_SUCCESS);
    FvCheck(FltClose(File) == STATUS_SUCCESS);
    ExFreePoolWithTag(Block, 'resu');
}

static VOID CheckProcess(VOID)
{
    CLIENT_ID Id = {PsGetCurrentProcessId(), NULL};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Process = NULL, Copy = NULL;
    PVOID Base = NULL;
    SIZE_T Size = 0x1000;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenProcess(&Process, 0x400, &Attributes, &Id) == STATUS_SUCCESS && GIVEN(Process));
    FvCheck(ZwDuplicateObject(ZwCurrentProcess(), Process, ZwCurrentProcess(), &Copy, 0, OBJ_KERNEL_HANDLE,
                              DUPLICATE_SAME_ACCESS) == STATUS_SUCCESS &&
            GIVEN(Copy));
    FvCheck(ZwClose(Copy) == STATUS_SUCCESS && ZwClose(Process) == STATUS_SUCCESS);
    FvCheck(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE) ==
            STATUS_SUCCESS);
    Size = 0;
    FvCheck(ZwFreeVirtualMemory(ZwCurrentProcess(), &Base, &Size, MEM_RELEASE) == STATUS_SUCCESS);
}

static VOID NTAPI Thread(PVOID Context)
{
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle = NULL;

    if (ExGetPreviousMode() != UserMode || InterlockedIncrement(&Done) != 1)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    FvCheck(Data->RequestorMode == UserMode);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CheckEvents(&Attributes);
    CheckKey();
    CheckFile(FltObjects->Instance);
    CheckProcess();
    FvCheck(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Thread, NULL) == STATUS_SUCCESS &&
            GIVEN(Handle));
    FvCheck(ZwWaitForSingleObject(Handle, FALSE, NULL) == STATUS_SUCCESS && ZwClose(Handle) == STATUS_SUCCESS);
    FvCheck(ExGetPreviousMode() == UserMode);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {{.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreCreate},
                                                        {.MajorFunction = IRP_MJ_OPERATION_END}};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    FvTestPlan(22);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}

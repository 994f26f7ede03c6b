// SPDX-License-Identifier: GPL-2.0-or-later
/* Controls by file object, events of volumes, redirectors (of which there are none), routines that filters register. */
#define INITGUID
#include <ntifs.h>
#include <ntddk.h>
#include <ioevent.h>

#include <fltvm.h>

#define NAME         L"\\Device\\FltvmControl"
#define CODE(Method) CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x900, Method, FILE_ANY_ACCESS)
#define FILL_BYTES   6

NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEvent(PFILE_OBJECT FileObject, ULONG EventCode);
NTKERNELAPI NTSTATUS NTAPI FsRtlNotifyVolumeEventEx(PFILE_OBJECT FileObject, ULONG EventCode,
                                                    PTARGET_DEVICE_CUSTOM_NOTIFICATION Event);

static PDEVICE_OBJECT Device;
static PFILE_OBJECT File;
static IO_STACK_LOCATION Last;
static CHAR LastInput[16];
static KPROCESSOR_MODE LastMode;
static NTSTATUS Answer;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Method = Stack->Parameters.FileSystemControl.FsControlCode & 3;
    PVOID Input = Irp->AssociatedIrp.SystemBuffer, Output = Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    if (Stack->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL) {
        Last = *Stack;
        LastMode = Irp->RequestorMode;
        if (Method == METHOD_NEITHER)
            Input = Stack->Parameters.FileSystemControl.Type3InputBuffer, Output = Irp->UserBuffer;
        else if (Method != METHOD_BUFFERED)
            Output = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
        RtlZeroMemory(LastInput, sizeof(LastInput));
        if (Input != NULL)
            RtlCopyMemory(LastInput, Input, Stack->Parameters.FileSystemControl.InputBufferLength);
        if (Stack->Parameters.FileSystemControl.OutputBufferLength >= FILL_BYTES) {
            RtlCopyMemory(Output, "output", FILL_BYTES);
            Irp->IoStatus.Information = FILL_BYTES;
        }
        Irp->IoStatus.Status = Answer;
        if (Answer == STATUS_DISK_FULL) { /* later, elsewhere */
            IoMarkIrpPending(Irp);
            IoCompleteRequest(Irp, IO_NO_INCREMENT);
            return STATUS_PENDING;
        }
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Answer;
}

static VOID CheckMethod(ULONG Method)
{
    CHAR Output[16] = {0};
    ULONG Returned = 99;

    FvCheck(FsRtlKernelFsControlFile(File, CODE(Method), "input", 6, Output, sizeof(Output), &Returned) ==
                STATUS_SUCCESS &&
            Returned == FILL_BYTES && memcmp(Output, "output", FILL_BYTES) == 0);
    FvCheck(memcmp(LastInput, "input", 6) == 0 && Last.MinorFunction == IRP_MN_KERNEL_CALL && LastMode == KernelMode &&
            Last.FileObject == File);
}

static VOID CheckControls(VOID)
{
    CHAR Output[16];
    ULONG Returned = 99;

    CheckMethod(METHOD_BUFFERED);
    CheckMethod(METHOD_IN_DIRECT);
    CheckMethod(METHOD_OUT_DIRECT);
    CheckMethod(METHOD_NEITHER);
    FvCheck(FsRtlKernelFsControlFile(NULL, CODE(0), NULL, 0, NULL, 0, &Returned) == STATUS_INVALID_PARAMETER &&
            Returned == 0);
    FvCheck(FsRtlKernelFsControlFile((PFILE_OBJECT)Device, CODE(0), NULL, 0, NULL, 0, &Returned) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlKernelFsControlFile(File, CODE(0), NULL, 1, NULL, 0, &Returned) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlKernelFsControlFile(File, CODE(0), NULL, 0, NULL, 0, &Returned) == STATUS_SUCCESS && Returned == 0);
    Answer = STATUS_DISK_FULL;
    FvCheck(FsRtlKernelFsControlFile(File, CODE(0), NULL, 0, Output, 16, &Returned) == STATUS_DISK_FULL &&
            Returned == 0);
    Answer = STATUS_SUCCESS;
}

static ULONG Heard;
static GUID HeardGuid;
static KEVENT HeardEvent;

static NTSTATUS NTAPI OnVolume(PVOID Structure, PVOID Context)
{
    Heard++;
    HeardGuid = ((PTARGET_DEVICE_CUSTOM_NOTIFICATION)Structure)->Event;
    FvCheck(((PTARGET_DEVICE_CUSTOM_NOTIFICATION)Structure)->FileObject == Context);
    KeSetEvent(&HeardEvent, 0, FALSE);
    return STATUS_SUCCESS;
}

static VOID CheckEvents(PDRIVER_OBJECT DriverObject)
{
    TARGET_DEVICE_CUSTOM_NOTIFICATION Own = {1, sizeof(Own), GUID_IO_VOLUME_NAME_CHANGE, NULL, -1, {0}};
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    PVOID Entry;

    KeInitializeEvent(&HeardEvent, SynchronizationEvent, FALSE);
    FvCheck(IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, File, DriverObject, OnVolume, File,
                                           &Entry) == STATUS_SUCCESS);
    FvCheck(FsRtlNotifyVolumeEvent(File, FSRTL_VOLUME_LOCK) == STATUS_SUCCESS && Heard == 1 &&
            IsEqualGUID(&HeardGuid, &GUID_IO_VOLUME_LOCK)); /* told before it returns */
    FvCheck(FsRtlNotifyVolumeEvent(File, FSRTL_VOLUME_DISMOUNT) == STATUS_SUCCESS && Heard == 2 &&
            IsEqualGUID(&HeardGuid, &GUID_IO_VOLUME_DISMOUNT));
    KeClearEvent(&HeardEvent);
    FvCheck(FsRtlNotifyVolumeEvent(File, FSRTL_VOLUME_MOUNT) == STATUS_PENDING);
    FvCheck(KeWaitForSingleObject(&HeardEvent, Executive, KernelMode, FALSE, &Second) == STATUS_SUCCESS &&
            IsEqualGUID(&HeardGuid, &GUID_IO_VOLUME_MOUNT));
    FvCheck(FsRtlNotifyVolumeEventEx(File, FSRTL_VOLUME_LOCK, &Own) == STATUS_SUCCESS &&
            IsEqualGUID(&HeardGuid, &GUID_IO_VOLUME_NAME_CHANGE));
    FvCheck(FsRtlNotifyVolumeEvent(File, 0) == STATUS_INVALID_PARAMETER &&
            FsRtlNotifyVolumeEvent(File, 99) == STATUS_INVALID_PARAMETER && Heard == 4);
    FvCheck(IoUnregisterPlugPlayNotificationEx(Entry) == STATUS_SUCCESS);
    FsRtlDismountComplete(Device, STATUS_SUCCESS);
    FvCheck(FsRtlAreVolumeStartupApplicationsComplete());
}

static VOID CheckRedirectors(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    HANDLE Mup = Device;
    ULONG Size = 16;
    CHAR Buffer[16];

    FvCheck(FsRtlRegisterUncProvider(&Mup, &Name, FALSE) == STATUS_NOT_IMPLEMENTED && Mup == NULL);
    Mup = Device;
    FvCheck(FsRtlRegisterUncProviderEx(&Mup, &Name, Device, 0) == STATUS_NOT_IMPLEMENTED && Mup == NULL);
    FsRtlDeregisterUncProvider(Mup);
    FvCheck(FsRtlMupGetProviderInfoFromFileObject(File, 1, Buffer, &Size) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(FsRtlMupGetProviderInfoFromFileObject(NULL, 1, Buffer, &Size) == STATUS_INVALID_PARAMETER &&
            FsRtlMupGetProviderInfoFromFileObject(File, 2, Buffer, &Size) == STATUS_INVALID_PARAMETER &&
            FsRtlMupGetProviderInfoFromFileObject(File, 1, NULL, &Size) == STATUS_INVALID_PARAMETER);
}

static VOID CheckFilterRoutines(PDRIVER_OBJECT DriverObject)
{
    FS_FILTER_CALLBACKS Callbacks = {.SizeOfFsFilterCallbacks = 4};

    FvCheck(FsRtlRegisterFileSystemFilterCallbacks(DriverObject, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks) == STATUS_INVALID_PARAMETER);
    Callbacks.SizeOfFsFilterCallbacks = sizeof(Callbacks);
    FvCheck(FsRtlRegisterFileSystemFilterCallbacks(NULL, &Callbacks) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks) == STATUS_SUCCESS);
    FvCheck(FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks) == STATUS_INVALID_PARAMETER); /* twice */
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    PDEVICE_OBJECT Top;

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(37);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS);
    CheckControls();
    CheckEvents(DriverObject);
    CheckRedirectors();
    CheckFilterRoutines(DriverObject);
    ObDereferenceObject(File);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

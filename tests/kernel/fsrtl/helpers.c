// SPDX-License-Identifier: GPL-2.0-or-later
/* The small routines that file systems use: files, waits, stacks, reparse data, devices, names of the OEM
 * code page. */
#include <ntifs.h>
#include <ntddk.h>

#include <fltvm.h>

#include "../../inc/threads.h"

NTKERNELAPI LOGICAL NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject);
NTKERNELAPI NTSTATUS NTAPI FsRtlGetSectorSizeInformation(PDEVICE_OBJECT DeviceObject,
                                                         PFILE_FS_SECTOR_SIZE_INFORMATION Information);
NTKERNELAPI VOID NTAPI FsRtlUpdateDiskCounters(ULONG64 BytesRead, ULONG64 BytesWritten);
NTKERNELAPI BOOLEAN NTAPI FsRtlIsDbcsInExpression(PANSI_STRING Expression, PANSI_STRING Name);

static PDEVICE_OBJECT Device;
static ULONG LastControl;
static NTSTATUS DeviceStatus;
static KEVENT Never;
static PVOID Overflowed;
static PKTHREAD OverflowThread;
static UCHAR Reparse[64];

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        LastControl = Stack->Parameters.DeviceIoControl.IoControlCode;
        Status = DeviceStatus;
    }
    if (Stack->MajorFunction == IRP_MJ_QUERY_INFORMATION) {
        PFILE_STANDARD_INFORMATION Information = Irp->AssociatedIrp.SystemBuffer;

        RtlZeroMemory(Information, sizeof(*Information));
        Information->EndOfFile.QuadPart = 12345;
        Information->Directory = DeviceStatus == STATUS_FILE_IS_A_DIRECTORY;
        Status = DeviceStatus == STATUS_FILE_IS_A_DIRECTORY ? STATUS_SUCCESS : DeviceStatus;
        Irp->IoStatus.Information = NT_SUCCESS(Status) ? sizeof(*Information) : 0;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID CheckFiles(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\FsRtlHelpers");
    LARGE_INTEGER Size;
    PFILE_OBJECT File = NULL;
    PDEVICE_OBJECT Top;

    FvCheck(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Top) == STATUS_SUCCESS);
    FvCheck(!FsRtlIsPagingFile(File) && !FsRtlIsSystemPagingFile(File));
    FvCheck(FsRtlGetFileSize(File, &Size) == STATUS_SUCCESS && Size.QuadPart == 12345);
    DeviceStatus = STATUS_FILE_IS_A_DIRECTORY;
    FvCheck(FsRtlGetFileSize(File, &Size) == STATUS_FILE_IS_A_DIRECTORY);
    DeviceStatus = STATUS_IO_DEVICE_ERROR;
    FvCheck(FsRtlGetFileSize(File, &Size) == STATUS_IO_DEVICE_ERROR && Size.QuadPart == 0);
    DeviceStatus = STATUS_SUCCESS;
    ObDereferenceObject(File);
}

static VOID NTAPI CancelSoon(PVOID Context)
{
    Sleep(50);
    IoCancelIrp(Context);
}

static VOID CheckWaits(VOID)
{
    LARGE_INTEGER None = {0}, Short = {.QuadPart = -300000}, Before, After;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    PVOID Both[2], Thread;
    KEVENT Set;

    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeInitializeEvent(&Set, NotificationEvent, TRUE);
    Both[0] = &Never, Both[1] = &Set;
    FvCheck(FsRtlCancellableWaitForSingleObject(&Set, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(FsRtlCancellableWaitForSingleObject(&Never, &None, NULL) == STATUS_TIMEOUT);
    KeQuerySystemTime(&Before);
    FvCheck(FsRtlCancellableWaitForSingleObject(&Never, &Short, Irp) == STATUS_TIMEOUT);
    KeQuerySystemTime(&After);
    FvCheck(After.QuadPart - Before.QuadPart >= 300000);
    Before.QuadPart = After.QuadPart + 300000; /* a time, not an interval */
    FvCheck(FsRtlCancellableWaitForSingleObject(&Never, &Before, Irp) == STATUS_TIMEOUT);
    KeQuerySystemTime(&After);
    FvCheck(After.QuadPart >= Before.QuadPart);
    FvCheck(FsRtlCancellableWaitForMultipleObjects(2, Both, WaitAny, NULL, NULL, Irp) == STATUS_WAIT_1);
    FvCheck(FsRtlCancellableWaitForMultipleObjects(2, Both, WaitAll, &Short, NULL, Irp) == STATUS_TIMEOUT);
    Thread = StartThread(CancelSoon, Irp);
    FvCheck(FsRtlCancellableWaitForSingleObject(&Never, NULL, Irp) == STATUS_CANCELLED);
    JoinThread(Thread);
    FvCheck(FsRtlCancellableWaitForSingleObject(&Set, NULL, Irp) == STATUS_SUCCESS); /* what is there is had */
    IoFreeIrp(Irp);
}

static VOID NTAPI OnOverflow(PVOID Context, PKEVENT Event)
{
    Overflowed = Context;
    OverflowThread = KeGetCurrentThread();
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
}

static VOID CheckStacks(VOID)
{
    KEVENT Done;

    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    FsRtlPostStackOverflow((PVOID)21, &Done, OnOverflow);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(Overflowed == (PVOID)21 && OverflowThread != KeGetCurrentThread());
    FsRtlPostPagingFileStackOverflow((PVOID)22, &Done, OnOverflow);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(Overflowed == (PVOID)22);
}

static VOID CheckReparse(VOID)
{
    PREPARSE_DATA_BUFFER Data = (PREPARSE_DATA_BUFFER)Reparse;

    Data->ReparseTag = 0x80000000 | 0x17;
    Data->ReparseDataLength = 8;
    FvCheck(FsRtlValidateReparsePointBuffer(16, Data) == STATUS_SUCCESS);
    FvCheck(FsRtlValidateReparsePointBuffer(15, Data) == STATUS_IO_REPARSE_DATA_INVALID &&
            FsRtlValidateReparsePointBuffer(17, Data) == STATUS_IO_REPARSE_DATA_INVALID &&
            FsRtlValidateReparsePointBuffer(7, Data) == STATUS_IO_REPARSE_DATA_INVALID &&
            FsRtlValidateReparsePointBuffer(16385, Data) == STATUS_IO_REPARSE_DATA_INVALID);
    Data->ReparseTag = 0x17; /* not Microsoft's: there is a GUID before the data */
    FvCheck(FsRtlValidateReparsePointBuffer(16, Data) == STATUS_IO_REPARSE_DATA_INVALID &&
            FsRtlValidateReparsePointBuffer(32, Data) == STATUS_SUCCESS);
    Data->ReparseTag = 1; /* reserved */
    FvCheck(FsRtlValidateReparsePointBuffer(32, Data) == STATUS_IO_REPARSE_TAG_INVALID);
    Data->ReparseTag = IO_REPARSE_TAG_MOUNT_POINT;
    Data->ReparseDataLength = 16;
    Data->MountPointReparseBuffer.SubstituteNameLength = 4;
    Data->MountPointReparseBuffer.PrintNameOffset = 4;
    Data->MountPointReparseBuffer.PrintNameLength = 4;
    FvCheck(FsRtlValidateReparsePointBuffer(24, Data) == STATUS_SUCCESS);
    Data->MountPointReparseBuffer.PrintNameLength = 6;
    FvCheck(FsRtlValidateReparsePointBuffer(24, Data) == STATUS_IO_REPARSE_DATA_INVALID);
    Data->ReparseTag = IO_REPARSE_TAG_SYMLINK; /* four bytes of flags more before the names */
    Data->SymbolicLinkReparseBuffer.PrintNameLength = 2;
    FvCheck(FsRtlValidateReparsePointBuffer(24, Data) == STATUS_IO_REPARSE_DATA_INVALID);
    Data->SymbolicLinkReparseBuffer.PrintNameOffset = 2;
    FvCheck(FsRtlValidateReparsePointBuffer(24, Data) == STATUS_SUCCESS);
}

static VOID CheckDevices(VOID)
{
    FILE_FS_SECTOR_SIZE_INFORMATION Sizes;

    DeviceStatus = STATUS_INVALID_DEVICE_REQUEST;
    FvCheck(FsRtlBalanceReads(Device) == STATUS_INVALID_DEVICE_REQUEST &&
            LastControl == CTL_CODE('f', 6, METHOD_NEITHER, 0));
    FvCheck(FsRtlGetSectorSizeInformation(Device, &Sizes) == STATUS_INVALID_PARAMETER);
    Device->SectorSize = 512;
    FvCheck(FsRtlGetSectorSizeInformation(Device, &Sizes) == STATUS_SUCCESS && Sizes.LogicalBytesPerSector == 512 &&
            Sizes.PhysicalBytesPerSectorForAtomicity == 512 && Sizes.PhysicalBytesPerSectorForPerformance == 512 &&
            Sizes.FileSystemEffectivePhysicalBytesPerSectorForAtomicity == 512 && Sizes.Flags == 0 &&
            Sizes.ByteOffsetForPartitionAlignment == 0xFFFFFFFF);
    DeviceStatus = STATUS_SUCCESS;
    FvCheck(FsRtlBalanceReads(Device) == STATUS_SUCCESS);
    FvCheck(!FsRtlIsTotalDeviceFailure(STATUS_SUCCESS) && !FsRtlIsTotalDeviceFailure(STATUS_CRC_ERROR) &&
            !FsRtlIsTotalDeviceFailure(STATUS_DEVICE_DATA_ERROR) && FsRtlIsTotalDeviceFailure(STATUS_DEVICE_NOT_READY));
    FsRtlUpdateDiskCounters(1, 2);
}

static BOOLEAN IsFat(PCSTR Text, BOOLEAN Wild, BOOLEAN Path, BOOLEAN Leading)
{
    ANSI_STRING Name;

    RtlInitAnsiString(&Name, Text);
    return FsRtlIsFatDbcsLegal(Name, Wild, Path, Leading);
}

static BOOLEAN Matches(PCSTR Expression, PCSTR Text)
{
    ANSI_STRING Pattern, Name;

    RtlInitAnsiString(&Pattern, Expression);
    RtlInitAnsiString(&Name, Text);
    return FsRtlIsDbcsInExpression(&Pattern, &Name);
}

static VOID CheckOemNames(VOID)
{
    FvCheck(IsFat("EIGHTCHA.TXT", FALSE, FALSE, FALSE) && IsFat("A", FALSE, FALSE, FALSE) &&
            IsFat(".", FALSE, FALSE, FALSE) && IsFat("..", FALSE, FALSE, FALSE));
    FvCheck(!IsFat("", FALSE, FALSE, FALSE) && !IsFat("NINECHARS", FALSE, FALSE, FALSE) &&
            !IsFat("A.TEXT", FALSE, FALSE, FALSE) && !IsFat("A.B.C", FALSE, FALSE, FALSE) &&
            !IsFat("A.", FALSE, FALSE, FALSE) && !IsFat(".A", FALSE, FALSE, FALSE) &&
            !IsFat("A+B", FALSE, FALSE, FALSE));
    FvCheck(!IsFat("A*", FALSE, FALSE, FALSE) && IsFat("A*", TRUE, FALSE, FALSE));
    FvCheck(!IsFat("A\\B.C", FALSE, FALSE, FALSE) && IsFat("A\\B.C", FALSE, TRUE, FALSE) &&
            !IsFat("A\\\\B", FALSE, TRUE, FALSE));
    FvCheck(!IsFat("\\A", FALSE, TRUE, FALSE) && IsFat("\\A", FALSE, TRUE, TRUE) && IsFat("\\", FALSE, TRUE, TRUE));
    FvCheck(Matches("A*.TXT", "ABC.TXT") && !Matches("A*.TXT", "abc.txt") && !Matches("A*.TXT", "BC.TXT") &&
            Matches("A?C", "ABC"));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\FsRtlHelpers");

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(37);
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = Dispatch;
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    CheckFiles();
    CheckWaits();
    CheckStacks();
    CheckReparse();
    CheckDevices();
    CheckOemNames();
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

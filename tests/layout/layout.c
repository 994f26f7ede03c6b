/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layouts that a driver built elsewhere relies on, as compile-time checks with the guest's flags. Offsets
 * are those of Windows 10 19041 x64.  That this file compiles is the test.
 */
#include <fltKernel.h>

#define SIZE(Type, Value) _Static_assert(sizeof(Type) == (Value), "size of " #Type)
#define OFFSET(Type, Field, Value)                                                                           \
    _Static_assert(FIELD_OFFSET(Type, Field) == (Value), "offset of " #Type "." #Field)

/* Corrected copies of structures that mingw-w64 has as older Windows had them. */
SIZE(FSRTL_ADVANCED_FCB_HEADER, 0x68);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, FastMutex, 0x30);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, FilterContexts, 0x38);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, PushLock, 0x48);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, FileContextSupportPointer, 0x50);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, Oplock, 0x58);
OFFSET(FSRTL_ADVANCED_FCB_HEADER, ReservedContext, 0x60);
SIZE(FS_FILTER_CALLBACKS, 0x78);
OFFSET(FS_FILTER_CALLBACKS, PreQueryOpen, 0x68);
SIZE(FS_FILTER_CALLBACK_DATA, 0x40);
OFFSET(FS_FILTER_CALLBACK_DATA, Parameters, 0x18);
OFFSET(FS_FILTER_PARAMETERS, QueryOpen.CompletionStatus, 0x1c);
SIZE(FILE_RENAME_INFORMATION, 0x18);
OFFSET(FILE_RENAME_INFORMATION, Flags, 0);
OFFSET(FILE_RENAME_INFORMATION, RootDirectory, 8);
OFFSET(FILE_RENAME_INFORMATION, FileName, 0x14);
SIZE(DEVICE_OBJECT, 0x150);
OFFSET(DEVICE_OBJECT, Flags, 0x30);
OFFSET(DEVICE_OBJECT, DeviceExtension, 0x40);
OFFSET(DEVICE_OBJECT, StackSize, 0x4c);
OFFSET(DEVICE_OBJECT, SectorSize, 0x130);
OFFSET(DEVICE_OBJECT, DeviceObjectExtension, 0x138);

/* The I/O system's objects. */
SIZE(DRIVER_OBJECT, 0x150);
OFFSET(DRIVER_OBJECT, FastIoDispatch, 0x50);
OFFSET(DRIVER_OBJECT, DriverUnload, 0x68);
OFFSET(DRIVER_OBJECT, MajorFunction, 0x70);
SIZE(FILE_OBJECT, 0xd8);
OFFSET(FILE_OBJECT, FsContext, 0x18);
OFFSET(FILE_OBJECT, FileName, 0x58);
OFFSET(FILE_OBJECT, CurrentByteOffset, 0x68);
OFFSET(FILE_OBJECT, FileObjectExtension, 0xd0);
SIZE(IRP, 0xd0);
OFFSET(IRP, IoStatus, 0x30);
OFFSET(IRP, RequestorMode, 0x40);
OFFSET(IRP, UserBuffer, 0x70);
OFFSET(IRP, Tail.Overlay.Thread, 0x98);
OFFSET(IRP, Tail.Overlay.CurrentStackLocation, 0xb8);
SIZE(IO_STACK_LOCATION, 0x48);
OFFSET(IO_STACK_LOCATION, Parameters, 0x08);
OFFSET(IO_STACK_LOCATION, DeviceObject, 0x28);
OFFSET(IO_STACK_LOCATION, CompletionRoutine, 0x38);
SIZE(MDL, 0x30);
SIZE(KEVENT, 0x18);
SIZE(KSEMAPHORE, 0x20);
SIZE(KTIMER, 0x40);
SIZE(KDPC, 0x40);
SIZE(KMUTANT, 0x38);
SIZE(FAST_MUTEX, 0x38);
SIZE(ERESOURCE, 0x68);
SIZE(EX_RUNDOWN_REF, 8);
SIZE(WORK_QUEUE_ITEM, 0x20);
SIZE(KLOCK_QUEUE_HANDLE, 0x18);
SIZE(CONTEXT, 0x4d0);
SIZE(VPB, 0x60);

/* The filter manager's own. */
SIZE(FLT_PARAMETERS, 0x30);
OFFSET(FLT_PARAMETERS, Create.FileAttributes, 0x10);
OFFSET(FLT_PARAMETERS, Create.ShareAccess, 0x12);
OFFSET(FLT_PARAMETERS, Create.EaLength, 0x18);
OFFSET(FLT_PARAMETERS, Create.AllocationSize, 0x28);
OFFSET(FLT_PARAMETERS, Read.Key, 0x08);
OFFSET(FLT_PARAMETERS, Read.ByteOffset, 0x10);
OFFSET(FLT_PARAMETERS, Read.ReadBuffer, 0x18);
OFFSET(FLT_PARAMETERS, Read.MdlAddress, 0x20);
OFFSET(FLT_PARAMETERS, SetFileInformation.ParentOfTarget, 0x10);
OFFSET(FLT_PARAMETERS, SetFileInformation.DeleteHandle, 0x18);
OFFSET(FLT_PARAMETERS, SetFileInformation.InfoBuffer, 0x20);
OFFSET(FLT_PARAMETERS, DirectoryControl.QueryDirectory.FileIndex, 0x18);
OFFSET(FLT_PARAMETERS, DirectoryControl.NotifyDirectory.DirectoryBuffer, 0x20);
OFFSET(FLT_PARAMETERS, FileSystemControl.Neither.OutputMdlAddress, 0x28);
OFFSET(FLT_PARAMETERS, FileSystemControl.Buffered.SystemBuffer, 0x18);
OFFSET(FLT_PARAMETERS, LockControl.ProcessId, 0x18);
OFFSET(FLT_PARAMETERS, LockControl.FailImmediately, 0x20);
OFFSET(FLT_PARAMETERS, MdlRead.MdlChain, 0x18);
SIZE(FLT_IO_PARAMETER_BLOCK, 0x48);
OFFSET(FLT_IO_PARAMETER_BLOCK, MajorFunction, 4);
OFFSET(FLT_IO_PARAMETER_BLOCK, TargetFileObject, 8);
OFFSET(FLT_IO_PARAMETER_BLOCK, TargetInstance, 0x10);
OFFSET(FLT_IO_PARAMETER_BLOCK, Parameters, 0x18);
SIZE(FLT_CALLBACK_DATA, 0x58);
OFFSET(FLT_CALLBACK_DATA, Thread, 8);
OFFSET(FLT_CALLBACK_DATA, Iopb, 0x10);
OFFSET(FLT_CALLBACK_DATA, IoStatus, 0x18);
OFFSET(FLT_CALLBACK_DATA, TagData, 0x28);
OFFSET(FLT_CALLBACK_DATA, QueueLinks, 0x30);
OFFSET(FLT_CALLBACK_DATA, QueueContext, 0x40);
OFFSET(FLT_CALLBACK_DATA, RequestorMode, 0x50);
SIZE(FLT_RELATED_OBJECTS, 0x30);
OFFSET(FLT_RELATED_OBJECTS, Filter, 8);
OFFSET(FLT_RELATED_OBJECTS, Transaction, 0x28);
SIZE(FLT_OPERATION_REGISTRATION, 0x20);
SIZE(FLT_CONTEXT_REGISTRATION, 0x38);
SIZE(FLT_REGISTRATION, 0x70);
OFFSET(FLT_REGISTRATION, FilterUnloadCallback, 0x18);
OFFSET(FLT_REGISTRATION, TransactionNotificationCallback, 0x58);
OFFSET(FLT_REGISTRATION, SectionNotificationCallback, 0x68);
SIZE(FLT_FILE_NAME_INFORMATION, 0x78);
SIZE(FLT_VOLUME_PROPERTIES, 0x48);
SIZE(FLT_CALLBACK_DATA_QUEUE, 0x80);
SIZE(FLT_NAME_CONTROL, 0x10);
SIZE(FILTER_FULL_INFORMATION, 0x10);
SIZE(INSTANCE_FULL_INFORMATION, 0x14);

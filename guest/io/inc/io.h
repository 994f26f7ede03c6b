/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io: the I/O manager, for the components to its right (fsrtl, cc, ldr, init).
 *
 * Everything a driver may call is in the DDK's headers; here is only what the kernel itself needs to start
 * the I/O manager, to hand it images and to stop it.  The image loader stands to the right of io, so it
 * introduces itself through IO_IMAGE_LOADER.
 */
#ifndef FLTVM_IO_H
#define FLTVM_IO_H

#include <ntifs.h>

struct _MM_IMAGE; /* mm.h */

typedef struct _IO_LOADED_IMAGE {
    PVOID Section; /* the loader's own handle; DRIVER_OBJECT.DriverSection */
    PVOID Base;
    ULONG Size;
    PDRIVER_INITIALIZE EntryPoint;
} IO_LOADED_IMAGE, *PIO_LOADED_IMAGE;

/* All at PASSIVE_LEVEL.  Started: DriverEntry returned success, INIT sections may go.  Unload may be called
 * before Started, for a driver whose DriverEntry failed. */
typedef struct _IO_IMAGE_LOADER {
    NTSTATUS (*Load)(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, PIO_LOADED_IMAGE Image);
    VOID (*Started)(PVOID Section);
    VOID (*Unload)(PVOID Section);
    PCUNICODE_STRING (*Name)(PVOID Section); /* the image's full name; any IRQL */
    /*
     * How a file is to lie in memory, from the Length bytes that it begins with; freed by ExFreePool.  STATUS_INVALID_IMAGE_NOT_MZ,
     * STATUS_INVALID_IMAGE_FORMAT, STATUS_NOT_IMPLEMENTED, STATUS_INSUFFICIENT_RESOURCES.
     */
    NTSTATUS (*Describe)(const VOID *Bytes, SIZE_T Length, ULONG64 FileSize, struct _MM_IMAGE **Image);
} IO_IMAGE_LOADER, *PIO_IMAGE_LOADER;

extern POBJECT_TYPE IopDriverObjectType;
extern POBJECT_TYPE IopDeviceObjectType;

/*
 * Phase 0: object types and directories; ob, ps and cm are up, no other thread runs.
 * Phase 1: worker threads run; enumerates PCI and creates a device object for every function found.
 * PASSIVE_LEVEL, boot thread, once each.
 */
NTSTATUS IoInitSystem(ULONG Phase);

/* PASSIVE_LEVEL, before the first IopLoadDriverImage.  The structure is kept by reference. */
VOID IoSetImageLoader(PIO_IMAGE_LOADER Loader);

/*
 * Loads an image under \Driver\ServiceName (\FileSystem\ServiceName when the service's Type value is 2 or 8)
 * and calls its DriverEntry in the caller's thread, which must be one of the system process.  After success,
 * devices found on the bus that the driver serves get its AddDevice.
 * PASSIVE_LEVEL.  The status is the loader's, or DriverEntry's when that failed (the image is gone then).
 */
NTSTATUS IopLoadDriverImage(PUNICODE_STRING ServiceName, PVOID ImageBytes, SIZE_T Size);

/* Maps all of an image section into the current process, and tells nobody.  STATUS_IMAGE_NOT_AT_BASE is a success. */
NTSTATUS IoMapImage(PVOID Section, PULONG64 Base, PULONG64 Size);

/* watch.c: what programs call; not exported. */
NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                           PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                                           ULONG CompletionFilter, BOOLEAN WatchTree);

/* What fsrtl hangs on a file object; it goes with that.  NULL: there is none, or with Create no memory.
 * <= DISPATCH_LEVEL. */
typedef struct _IO_FILE_CONTEXTS {
    KSPIN_LOCK Lock;
    LIST_ENTRY List;
} IO_FILE_CONTEXTS, *PIO_FILE_CONTEXTS;

PIO_FILE_CONTEXTS IopFileContexts(PFILE_OBJECT FileObject, BOOLEAN Create);

/* A question about a file by who may be inside of a request that holds the lock of the file object.  PASSIVE_LEVEL. */
NTSTATUS IopQueryUnlocked(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, ULONG Length, PVOID Buffer,
                          PULONG ReturnedLength);

/* The key that a file object was opened with, or NULL; set, FALSE without memory.  <= DISPATCH_LEVEL. */
POPLOCK_KEY_CONTEXT IopOplockKey(PFILE_OBJECT FileObject);
BOOLEAN IopSetOplockKey(PFILE_OBJECT FileObject, const OPLOCK_KEY_CONTEXT *Key);

/*
 * The FS-filter operations, through the file's stack.  An acquired file is in a critical region until it is released.
 * IRQL: <= APC_LEVEL.
 */
NTSTATUS IoAcquireFileForSection(PFILE_OBJECT FileObject, ULONG Protection);
VOID IoReleaseFileForSection(PFILE_OBJECT FileObject);
NTSTATUS IoAcquireFileForCcFlush(PFILE_OBJECT FileObject);
VOID IoReleaseFileForCcFlush(PFILE_OBJECT FileObject);

/* A section of memory or, with FileObject, of a file.  Object NULL, or where it goes, referenced.  IRQL: PASSIVE_LEVEL. */
NTSTATUS IopCreateSection(PHANDLE Handle, PVOID *Object, ACCESS_MASK Access, POBJECT_ATTRIBUTES ObjectAttributes,
                          ULONG64 Size, ULONG Protection, ULONG Attributes, PFILE_OBJECT FileObject);

/* For FsRtlRegisterFileSystemFilterCallbacks: the block (from pool) goes with the driver object.
 * PASSIVE_LEVEL. STATUS_DEVICE_ALREADY_ATTACHED when the driver has one. */
NTSTATUS IoSetFsFilterCallbacks(PDRIVER_OBJECT DriverObject, PFS_FILTER_CALLBACKS Callbacks);

/* As ntdll's callers know it; the DDK does not declare it.  PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel, PIO_STATUS_BLOCK IoStatusBlock);

/* Calls the reinitialization routines that drivers registered while booting.  PASSIVE_LEVEL, once. */
VOID IoBootDriversStarted(VOID);

/* Sends IRP_MJ_SHUTDOWN to whoever registered for it, file systems' last-chance ones last.  PASSIVE_LEVEL. */
VOID IoShutdownSystem(VOID);

/* Bugchecks when code of the range has allocated an IRP that is not freed.  IRQL <= DISPATCH_LEVEL. */
VOID IoCheckLeft(PVOID Base, SIZE_T Size);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system for the cache's tests: one file, its bytes in memory, all of its transfers counted.  It caches nothing itself; the
 * test calls the cache as a file system would.
 */
#ifndef STORE_H
#define STORE_H

#include <ntifs.h>

#include <fltvm.h>

#define STORE_SIZE 0x100000u

static struct {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX Mutex;
    ERESOURCE Resource, PagingIo;
    SECTION_OBJECT_POINTERS Sections;
    UCHAR Bytes[STORE_SIZE];
    PDEVICE_OBJECT Device;
    volatile LONG Reads, Writes, Closes; /* paging transfers; requests to close */
    volatile LONG LazyWrites, Aheads;    /* of the calls back */
    LONGLONG LastRead, LastWrite;
    ULONG LastReadLength, LastWriteLength, Flags;
    NTSTATUS ReadStatus, WriteStatus; /* what transfers end with */
} Store;

static UNICODE_STRING StoreName = RTL_CONSTANT_STRING(L"\\Device\\CcStore");

static NTSTATUS StoreTransfer(PIRP Irp, PIO_STACK_LOCATION Stack, BOOLEAN Write)
{
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Stack->Parameters.Read.Length;
    PUCHAR Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);

    Store.Flags = Irp->Flags;
    if (Write) {
        InterlockedIncrement(&Store.Writes);
        Store.LastWrite = Offset;
        Store.LastWriteLength = Length;
        if (!NT_SUCCESS(Store.WriteStatus))
            return Store.WriteStatus;
    } else {
        InterlockedIncrement(&Store.Reads);
        Store.LastRead = Offset;
        Store.LastReadLength = Length;
        if (!NT_SUCCESS(Store.ReadStatus))
            return Store.ReadStatus;
    }
    if (Offset >= Store.Header.FileSize.QuadPart)
        return Write ? STATUS_SUCCESS : STATUS_END_OF_FILE;
    Irp->IoStatus.Information = Length;
    Length = (ULONG)min((LONGLONG)Length, Store.Header.FileSize.QuadPart - Offset);
    if (Write)
        RtlCopyMemory(Store.Bytes + Offset, Buffer, Length);
    else
        RtlCopyMemory(Buffer, Store.Bytes + Offset, Length);
    if (!Write)
        Irp->IoStatus.Information = Length;
    return STATUS_SUCCESS;
}

static NTSTATUS StoreInformation(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;
    PFILE_END_OF_FILE_INFORMATION End = Irp->AssociatedIrp.SystemBuffer;

    if (Stack->MajorFunction == IRP_MJ_SET_INFORMATION) {
        if (Stack->Parameters.SetFile.FileInformationClass != FileEndOfFileInformation)
            return STATUS_INVALID_PARAMETER;
        Store.Header.FileSize = End->EndOfFile;
        return STATUS_SUCCESS;
    }
    if (Stack->Parameters.QueryFile.FileInformationClass != FileStandardInformation)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->EndOfFile = Store.Header.FileSize;
    Standard->AllocationSize.QuadPart = STORE_SIZE;
    Irp->IoStatus.Information = sizeof(*Standard);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI StoreDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
        Stack->FileObject->FsContext = &Store.Header;
        Stack->FileObject->SectionObjectPointer = &Store.Sections;
        break;
    case IRP_MJ_CLOSE: InterlockedIncrement(&Store.Closes); break;
    case IRP_MJ_READ:
    case IRP_MJ_WRITE: Status = StoreTransfer(Irp, Stack, Stack->MajorFunction == IRP_MJ_WRITE); break;
    case IRP_MJ_QUERY_INFORMATION:
    case IRP_MJ_SET_INFORMATION: Status = StoreInformation(Irp, Stack); break;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static BOOLEAN NTAPI StoreAcquireForLazyWrite(PVOID Context, BOOLEAN Wait)
{
    InterlockedIncrement(&Store.LazyWrites);
    return Context == &Store && Wait;
}

static BOOLEAN NTAPI StoreAcquireForReadAhead(PVOID Context, BOOLEAN Wait)
{
    InterlockedIncrement(&Store.Aheads);
    return Context == &Store && Wait;
}

static VOID NTAPI StoreRelease(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static CACHE_MANAGER_CALLBACKS StoreCallbacks = {StoreAcquireForLazyWrite, StoreRelease, StoreAcquireForReadAhead,
                                                 StoreRelease};

/* The file's bytes are what their place says. */
static UCHAR StoreByte(LONGLONG Offset)
{
    return (UCHAR)(Offset * 31 + (Offset >> 8));
}

static NTSTATUS StoreCreate(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS Status =
        IoCreateDevice(DriverObject, 0, &StoreName, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Store.Device);

    if (!NT_SUCCESS(Status))
        return Status;
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = StoreDispatch;
    Store.Header.Resource = &Store.Resource;
    Store.Header.PagingIoResource = &Store.PagingIo;
    ExInitializeResourceLite(&Store.Resource);
    ExInitializeResourceLite(&Store.PagingIo);
    ExInitializeFastMutex(&Store.Mutex);
    FsRtlSetupAdvancedHeader(&Store.Header, &Store.Mutex);
    Store.Header.AllocationSize.QuadPart = STORE_SIZE;
    Store.Header.FileSize.QuadPart = Store.Header.ValidDataLength.QuadPart = STORE_SIZE / 2 + 100;
    for (ULONG Index = 0; Index < STORE_SIZE; Index++)
        Store.Bytes[Index] = StoreByte(Index);
    Store.Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static PFILE_OBJECT StoreOpen(PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Result;
    PFILE_OBJECT File = NULL;

    InitializeObjectAttributes(&Attributes, &StoreName, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwCreateFile(Handle, GENERIC_READ | GENERIC_WRITE | FILE_EXECUTE | SYNCHRONIZE, &Attributes, &Result,
                                NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT,
                                NULL, 0)))
        ObReferenceObjectByHandle(*Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    return File;
}

static VOID StoreClose(HANDLE Handle, PFILE_OBJECT File)
{
    ObDereferenceObject(File);
    ZwClose(Handle);
}

static PCC_FILE_SIZES StoreSizes(VOID)
{
    return (PCC_FILE_SIZES)&Store.Header.AllocationSize;
}

static LARGE_INTEGER At(LONGLONG Offset)
{
    LARGE_INTEGER Value = {.QuadPart = Offset};

    return Value;
}

static BOOLEAN IsStored(PUCHAR Buffer, LONGLONG Offset, ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++) {
        if (Buffer[Index] != StoreByte(Offset + Index))
            return FALSE;
    }
    return TRUE;
}

#endif

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files on a device of the test's own: open, synchronous and asynchronous requests, events, APCs, position,
 * cancellation, cleanup and close, exclusive devices, names.
 */
#include <ntifs.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

NTSYSAPI NTSTATUS NTAPI ZwCancelIoFileEx(HANDLE File, PIO_STATUS_BLOCK Request, PIO_STATUS_BLOCK IoStatus);

static PDEVICE_OBJECT Device;
static ULONG Creates, Cleanups, Closes;
static NTSTATUS Answer;
static BOOLEAN Pend;
static KTIMER Timer;
static KDPC Dpc;
static IO_CSQ Csq;
static KSPIN_LOCK QueueLock;
static LIST_ENTRY Queue;
static ULONG ApcCalls;
static NTSTATUS ApcStatus;
static UNICODE_STRING Opened;
static WCHAR OpenedBuffer[64];

#define NAME L"\\Device\\FltvmFileTest"

/* ---- the device ------------------------------------------------------------------------------------------
 */

static VOID NTAPI CsqInsert(PIO_CSQ Q, PIRP Irp)
{
    InsertTailList(&Queue, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Q, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Q, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY Entry = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : Queue.Flink;

    for (; Entry != &Queue; Entry = Entry->Flink) {
        PIRP Found = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);

        if (Context == NULL || IoGetCurrentIrpStackLocation(Found)->FileObject == Context)
            return Found;
    }
    return NULL;
}

static VOID NTAPI CsqLock(PIO_CSQ Q, PKIRQL Irql)
{
    KeAcquireSpinLock(&QueueLock, Irql);
}

static VOID NTAPI CsqUnlock(PIO_CSQ Q, KIRQL Irql)
{
    KeReleaseSpinLock(&QueueLock, Irql);
}

static VOID NTAPI CsqCanceled(PIO_CSQ Q, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static VOID NTAPI CompleteOne(PKDPC D, PVOID Context, PVOID A, PVOID B)
{
    PIRP Irp = IoCsqRemoveNextIrp(&Csq, NULL);

    if (Irp != NULL) {
        Irp->IoStatus.Status = Answer;
        Irp->IoStatus.Information = NT_SUCCESS(Answer) ? 3 : 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
    }
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG_PTR Information = 0;

    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
        Creates++;
        RtlCopyUnicodeString(&Opened, &Stack->FileObject->FileName);
        if (Opened.Length == 4 * sizeof(WCHAR)) /* "\bad" */
            Status = STATUS_OBJECT_NAME_NOT_FOUND;
        else
            Information = FILE_OPENED;
        break;
    case IRP_MJ_CLEANUP:
        Cleanups++;
        for (PIRP Next; (Next = IoCsqRemoveNextIrp(&Csq, Stack->FileObject)) != NULL;)
            CsqCanceled(&Csq, Next);
        break;
    case IRP_MJ_CLOSE: Closes++; break;
    case IRP_MJ_READ:
    case IRP_MJ_DEVICE_CONTROL:
        if (Pend) {
            IoCsqInsertIrp(&Csq, Irp, NULL);
            return STATUS_PENDING;
        }
        Status = Answer;
        Information = NT_SUCCESS(Answer) ? 3 : 0;
        break;
    default: Status = STATUS_INVALID_DEVICE_REQUEST; break;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Later(LONG Milliseconds)
{
    LARGE_INTEGER Due;

    Due.QuadPart = -10000LL * Milliseconds;
    KeSetTimer(&Timer, Due, &Dpc);
}

/* ---- checks ----------------------------------------------------------------------------------------------
 */

static NTSTATUS Open(PCWSTR Path, ULONG Options, PHANDLE Handle, PIO_STATUS_BLOCK IoStatus)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0);
}

static VOID CheckOpen(VOID)
{
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT File, Second;
    PDEVICE_OBJECT Related;
    UNICODE_STRING Name;
    UCHAR Buffer[256];
    POBJECT_NAME_INFORMATION Information = (PVOID)Buffer;
    HANDLE Handle;
    ULONG Length;

    Creates = Cleanups = Closes = 0;
    FvCheck(Open(NAME L"\\some\\file", FILE_SYNCHRONOUS_IO_NONALERT, &Handle, &IoStatus) == STATUS_SUCCESS);
    FvCheck(IoStatus.Status == STATUS_SUCCESS && IoStatus.Information == FILE_OPENED);
    FvCheck(Creates == 1 && Opened.Length == 10 * sizeof(WCHAR));
    FvCheck(NT_SUCCESS(
        ObReferenceObjectByHandle(Handle, FILE_READ_DATA, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL)));
    FvCheck(File->DeviceObject == Device && (File->Flags & FO_SYNCHRONOUS_IO) != 0 &&
            (File->Flags & FO_FILE_OPEN) != 0);
    FvCheck(IoGetRelatedDeviceObject(File) == Device && IoGetBaseFileSystemDeviceObject(File) == Device);
    FvCheck(Device->ReferenceCount == 1);
    FvCheck(NT_SUCCESS(ObQueryNameString(File, Information, sizeof(Buffer), &Length)));
    RtlInitUnicodeString(&Name, NAME L"\\some\\file");
    FvCheck(RtlEqualUnicodeString(&Information->Name, &Name, FALSE));
    ZwClose(Handle);
    FvCheck(Cleanups == 1 && Closes == 0); /* the last handle is gone, a reference is left */
    ObDereferenceObject(File);
    FvCheck(Closes == 1 && Device->ReferenceCount == 0);

    /* a failed open is neither cleaned up nor closed */
    FvCheck(Open(NAME L"\\bad", 0, &Handle, &IoStatus) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Creates == 2 && Cleanups == 1 && Closes == 1 && Device->ReferenceCount == 0);
    FvCheck(Open(L"\\Device\\FltvmNowhere", 0, &Handle, &IoStatus) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Open(L"\\Nowhere\\x", 0, &Handle, &IoStatus) == STATUS_OBJECT_PATH_NOT_FOUND);
    FvCheck(Open(L"Device", 0, &Handle, &IoStatus) == STATUS_OBJECT_PATH_SYNTAX_BAD);
    FvCheck(Open(L"\\Device", 0, &Handle, &IoStatus) == STATUS_OBJECT_TYPE_MISMATCH);

    RtlInitUnicodeString(&Name, NAME);
    FvCheck(NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &Second, &Related)) && Related == Device);
    ObDereferenceObject(Second);
    FvCheck(Cleanups == 2 && Closes == 2);

    /* options that contradict each other */
    FvCheck(Open(NAME, FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT, &Handle, &IoStatus) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(Open(NAME, FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE, &Handle, &IoStatus) == STATUS_INVALID_PARAMETER);
    FvCheck(Open(NAME, FILE_DELETE_ON_CLOSE, &Handle, &IoStatus) == STATUS_INVALID_PARAMETER); /* without DELETE */
}

static VOID CheckSynchronous(VOID)
{
    FILE_POSITION_INFORMATION Position;
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[16];
    HANDLE Handle;

    FvCheck(NT_SUCCESS(Open(NAME, FILE_SYNCHRONOUS_IO_NONALERT, &Handle, &IoStatus)));
    Answer = STATUS_SUCCESS;
    Pend = FALSE;
    FvCheck(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 16, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == 3);
    Pend = TRUE;
    Later(5);
    FvCheck(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 16, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(IoStatus.Information == 3); /* it waited */
    Answer = STATUS_DEVICE_DATA_ERROR;
    Later(5);
    FvCheck(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 16, NULL, NULL) == STATUS_DEVICE_DATA_ERROR);
    Answer = STATUS_SUCCESS;
    Pend = FALSE;

    Position.CurrentByteOffset.QuadPart = 12345;
    FvCheck(NT_SUCCESS(ZwSetInformationFile(Handle, &IoStatus, &Position, sizeof(Position), FilePositionInformation)));
    Position.CurrentByteOffset.QuadPart = 0;
    FvCheck(
        NT_SUCCESS(ZwQueryInformationFile(Handle, &IoStatus, &Position, sizeof(Position), FilePositionInformation)));
    FvCheck(Position.CurrentByteOffset.QuadPart == 12345 && IoStatus.Information == sizeof(Position));
    Position.CurrentByteOffset.QuadPart = -1;
    FvCheck(ZwSetInformationFile(Handle, &IoStatus, &Position, sizeof(Position), FilePositionInformation) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(ZwQueryInformationFile(Handle, &IoStatus, &Position, 4, FilePositionInformation) ==
            STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(ZwQueryInformationFile(Handle, &IoStatus, &Position, 4, (FILE_INFORMATION_CLASS)200) ==
            STATUS_INVALID_INFO_CLASS);
    ZwClose(Handle);
}

static VOID NTAPI Apc(PVOID Context, PIO_STATUS_BLOCK IoStatus, ULONG Reserved)
{
    ApcCalls += (ULONG)(ULONG_PTR)Context;
    ApcStatus = IoStatus->Status;
}

static VOID CheckAsynchronous(VOID)
{
    LARGE_INTEGER Offset = {.QuadPart = 0}, Now = {.QuadPart = 0}, Tick = {.QuadPart = -10000};
    IO_STATUS_BLOCK IoStatus, Other;
    HANDLE Handle, Event;
    PVOID Always = NULL;
    UCHAR Buffer[16];

    FvCheck(NT_SUCCESS(Open(NAME, 0, &Handle, &IoStatus)));
    FvCheck(ZwWaitForSingleObject(Handle, FALSE, &Now) == STATUS_SUCCESS); /* nothing is under way */
    FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE)));
    ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Always, NULL);
    FvCheck(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 16, NULL, NULL) == STATUS_INVALID_PARAMETER);

    Pend = TRUE;
    IoStatus.Status = 0x22222222;
    FvCheck(ZwReadFile(Handle, Event, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, &Now) == STATUS_TIMEOUT); /* the request cleared it */
    FvCheck(IoStatus.Status == 0x22222222);
    Later(2);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(IoStatus.Status == STATUS_SUCCESS && IoStatus.Information == 3);

    /* a request that fails at once gives its event back */
    {
        PVOID Held = NULL;
        HANDLE Named;

        Pend = FALSE;
        Answer = STATUS_DEVICE_NOT_READY;
        ZwCreateEvent(&Named, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
        ObReferenceObjectByHandle(Named, 0, *ExEventObjectType, KernelMode, &Held, NULL);
        FvCheck(ZwReadFile(Handle, Named, NULL, NULL, &Other, Buffer, 16, &Offset, NULL) == STATUS_DEVICE_NOT_READY);
        ZwClose(Named);
        FvCheck(ObfDereferenceObject(Held) == 0);
        Pend = TRUE;
        Answer = STATUS_SUCCESS;
    }

    /* without an event the file object itself is signalled */
    FvCheck(ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    FvCheck(ZwWaitForSingleObject(Handle, FALSE, &Now) == STATUS_TIMEOUT);
    Later(2);
    FvCheck(ZwWaitForSingleObject(Handle, FALSE, NULL) == STATUS_SUCCESS && IoStatus.Information == 3);

    /* an error of a pended request reaches the status block */
    Answer = STATUS_DEVICE_NOT_READY;
    FvCheck(ZwReadFile(Handle, Event, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    Later(2);
    ZwWaitForSingleObject(Event, FALSE, NULL);
    FvCheck(IoStatus.Status == STATUS_DEVICE_NOT_READY);
    Answer = STATUS_SUCCESS;

    /* the APC runs in this thread */
    ApcCalls = 0;
    FvCheck(ZwReadFile(Handle, Event, Apc, (PVOID)5, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    Later(2);
    ZwWaitForSingleObject(Event, TRUE, NULL);
    KeDelayExecutionThread(KernelMode, TRUE, &Tick);
    FvCheck(ApcCalls == 5 && ApcStatus == STATUS_SUCCESS);

    /* cancellation: all of this thread's; one by its status block; none */
    FvCheck(ZwReadFile(Handle, Event, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    FvCheck(ZwCancelIoFile(Handle, &Other) == STATUS_SUCCESS && Other.Status == STATUS_SUCCESS);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS && IoStatus.Status == STATUS_CANCELLED);
    FvCheck(ZwReadFile(Handle, Event, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    FvCheck(ZwCancelIoFileEx(Handle, &Other, &Other) == STATUS_NOT_FOUND);
    FvCheck(ZwCancelIoFileEx(Handle, &IoStatus, &Other) == STATUS_SUCCESS);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS && IoStatus.Status == STATUS_CANCELLED);
    FvCheck(ZwCancelIoFileEx(Handle, NULL, &Other) == STATUS_NOT_FOUND);

    /* the cleanup of the last handle cancels what waits */
    FvCheck(ZwReadFile(Handle, Event, NULL, NULL, &IoStatus, Buffer, 16, &Offset, NULL) == STATUS_PENDING);
    ZwClose(Handle);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, NULL) == STATUS_SUCCESS && IoStatus.Status == STATUS_CANCELLED);
    Pend = FALSE;
    ZwClose(Event);
    FvCheck(ObfDereferenceObject(Always) == 0); /* each request has given its reference back, however it ended */
}

static HANDLE ThreadFile;
static IO_STATUS_BLOCK ThreadIoStatus;

static VOID NTAPI LeaveRequest(PVOID Context)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};

    *(NTSTATUS *)Context = ZwReadFile(ThreadFile, NULL, NULL, NULL, &ThreadIoStatus, OpenedBuffer, 16, &Offset, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A thread that ends takes its requests along: they are canceled, and their status blocks written. */
static VOID CheckThreadExit(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Thread;

    Pend = TRUE;
    FvCheck(NT_SUCCESS(Open(NAME, 0, &ThreadFile, &IoStatus)));
    FvCheck(NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, LeaveRequest, &Status)));
    FvCheck(ZwWaitForSingleObject(Thread, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(Status == STATUS_PENDING && ThreadIoStatus.Status == STATUS_CANCELLED && IsListEmpty(&Queue));
    ZwClose(Thread);
    ZwClose(ThreadFile);
    Pend = FALSE;
}

static VOID CheckExclusive(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\FltvmExclusive");
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\FltvmLink");
    HANDLE First, Second;
    PDEVICE_OBJECT Exclusive, Again;
    IO_STATUS_BLOCK IoStatus;

    FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, TRUE, &Exclusive)));
    FvCheck(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, TRUE, &Again) ==
            STATUS_OBJECT_NAME_COLLISION);
    FvCheck(Open(Name.Buffer, 0, &First, &IoStatus) == STATUS_NO_SUCH_DEVICE); /* DO_DEVICE_INITIALIZING */
    Exclusive->Flags &= ~DO_DEVICE_INITIALIZING;
    FvCheck(NT_SUCCESS(Open(Name.Buffer, 0, &First, &IoStatus)));
    FvCheck(Open(Name.Buffer, 0, &Second, &IoStatus) == STATUS_ACCESS_DENIED);
    ZwClose(First);
    FvCheck(NT_SUCCESS(IoCreateSymbolicLink(&Link, &Name)));
    FvCheck(IoCreateSymbolicLink(&Link, &Name) == STATUS_OBJECT_NAME_COLLISION);
    FvCheck(NT_SUCCESS(Open(L"\\DosDevices\\fltvmLINK", 0, &First, &IoStatus)));
    ZwClose(First);
    FvCheck(NT_SUCCESS(IoDeleteSymbolicLink(&Link)));
    FvCheck(Open(L"\\??\\FltvmLink", 0, &First, &IoStatus) == STATUS_OBJECT_NAME_NOT_FOUND);

    /* a device that is open outlives its deletion, but cannot be opened any more */
    FvCheck(NT_SUCCESS(Open(Name.Buffer, 0, &First, &IoStatus)));
    Closes = 0;
    IoDeleteDevice(Exclusive);
    FvCheck(Open(Name.Buffer, 0, &Second, &IoStatus) == STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(First);
    FvCheck(Closes == 1);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);

    FvTestPlan(81);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        DriverObject->MajorFunction[i] = Dispatch;
    Opened.Buffer = OpenedBuffer;
    Opened.MaximumLength = sizeof(OpenedBuffer);
    KeInitializeSpinLock(&QueueLock);
    InitializeListHead(&Queue);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, CompleteOne, NULL);
    IoCsqInitialize(&Csq, CsqInsert, CsqRemove, CsqPeek, CsqLock, CsqUnlock, CsqCanceled);
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    CheckOpen();
    CheckSynchronous();
    CheckAsynchronous();
    CheckThreadExit();
    CheckExclusive(DriverObject);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

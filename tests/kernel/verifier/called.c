// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Routines that a driver hands to a routine of the kernel, which calls them back, and that come back otherwise than they went.  The
 * service's value Kind says which of them, How in which way; see called.lua.
 */
#define INITGUID
#include "../fsrtl/oplock.h"
#include "../../inc/leave.h"
#include "../cc/store.h"

DEFINE_GUID(ClassGuid, 0x1C9A7C10, 0x5B8E, 0x4E4B, 0x9B, 0x3D, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x11);

typedef enum { OriginalApcEnvironment } KAPC_ENVIRONMENT;
NTKERNELAPI VOID NTAPI KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment, PKKERNEL_ROUTINE KernelRoutine,
                                       PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine,
                                       KPROCESSOR_MODE Mode, PVOID NormalContext);
NTKERNELAPI BOOLEAN NTAPI KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
                                           KPRIORITY Increment);

typedef enum _KIND {
    InTimer = 1,
    InTimerDelete,
    InHandlePost,
    InStreamFree,
    InFileFree,
    InEcpCleanup,
    InLockComplete,
    InUnlock,
    InBroadcast,
    InApcKernel,
    InApcNormal,
    InQuery,
    InOverflow,
    InCsq,
    InFsFilterPre,
    InFsFilterPost,
    InInterface,
    InOplockPost,
    InOplockComplete,
    InOplockNotify,
    InAddDevice, /* this driver is that of a device */
    InSynchronize
} KIND;

static KIND Kind;
static HOW How;
static WCHAR ServiceKey[128]; /* with a zero behind it */
static KEVENT Done;
static PDEVICE_OBJECT Lower;
static LIST_ENTRY CsqList;
static KSPIN_LOCK CsqLock;

static VOID Misbehave(KIND Here)
{
    if (Here == Kind)
        Leave(How);
}

/* ---- routines of every kind ---- */

static VOID NTAPI OnTimer(PEX_TIMER Timer, PVOID Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InTimer);
}

static VOID NTAPI OnDeleted(PVOID Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InTimerDelete);
}

static OB_PREOP_CALLBACK_STATUS NTAPI HandlePre(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI HandlePost(PVOID Context, POB_POST_OPERATION_INFORMATION Information)
{
    Misbehave(InHandlePost);
}

static VOID NTAPI StreamFree(PVOID Context)
{
    ExFreePoolWithTag(Context, TAG);
    Misbehave(InStreamFree);
}

static VOID NTAPI FileFree(PVOID Context)
{
    ExFreePoolWithTag(Context, TAG);
    Misbehave(InFileFree);
}

static VOID NTAPI EcpCleanup(PVOID Context, LPCGUID Type)
{
    Misbehave(InEcpCleanup);
}

static NTSTATUS NTAPI LockComplete(PVOID Context, PIRP Irp)
{
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    Misbehave(InLockComplete);
    return STATUS_SUCCESS;
}

static VOID NTAPI OnUnlock(PVOID Context, PFILE_LOCK_INFO Info)
{
    Misbehave(InUnlock);
}

static ULONG_PTR NTAPI Broadcast(ULONG_PTR Argument)
{
    if (KeGetCurrentProcessorNumber() == Argument)
        Misbehave(InBroadcast);
    return 0;
}

static VOID NTAPI ApcKernel(PKAPC Apc, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *First, PVOID *Second)
{
    Misbehave(InApcKernel);
}

static VOID NTAPI ApcNormal(PVOID Context, PVOID First, PVOID Second)
{
    Misbehave(InApcNormal);
}

static NTSTATUS NTAPI Query(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context, PVOID EntryContext)
{
    Misbehave(InQuery);
    return STATUS_SUCCESS;
}

static VOID NTAPI Overflow(PVOID Context, PKEVENT Event)
{
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    Misbehave(InOverflow);
}

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CsqList, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    return NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CsqLock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CsqLock, Irql);
    Misbehave(InCsq);
}

static VOID NTAPI CsqComplete(PIO_CSQ Csq, PIRP Irp)
{
}

static NTSTATUS NTAPI FsFilterPre(PFS_FILTER_CALLBACK_DATA Data, PVOID *Context)
{
    Misbehave(InFsFilterPre);
    return STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY;
}

static VOID NTAPI FsFilterPost(PFS_FILTER_CALLBACK_DATA Data, NTSTATUS Status, PVOID Context)
{
    Misbehave(InFsFilterPost);
}

static NTSTATUS NTAPI Interface(PVOID Structure, PVOID Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InInterface);
    return STATUS_SUCCESS;
}

static VOID NTAPI OplockPost(PVOID Context, PIRP Irp)
{
    Misbehave(InOplockPost);
}

static VOID NTAPI OplockComplete(PVOID Context, PIRP Irp)
{
    Misbehave(InOplockComplete);
}

static NTSTATUS NTAPI OplockNotify(POPLOCK_NOTIFY_PARAMS Parameters)
{
    Misbehave(InOplockNotify);
    return STATUS_SUCCESS;
}

static BOOLEAN NTAPI Synchronized(PVOID Context)
{
    Misbehave(InSynchronize);
    return TRUE;
}

/* ---- who calls them ---- */

static VOID RunTimer(VOID)
{
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, NULL, 0);
    EXT_DELETE_PARAMETERS Parameters;

    ExSetTimer(Timer, -10000, 0, NULL);
    WaitFor(&Done, 1000);
    ExInitializeDeleteTimerParameters(&Parameters);
    Parameters.DeleteCallback = OnDeleted;
    ExDeleteTimer(Timer, TRUE, FALSE, &Parameters);
    WaitFor(&Done, 1000);
}

static VOID OpenWatched(VOID)
{
    OB_OPERATION_REGISTRATION Watched = {PsProcessType, OB_OPERATION_HANDLE_CREATE, HandlePre, HandlePost};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"1000"), NULL,
                                             &Watched};
    PVOID Registered;
    HANDLE Handle;

    ObRegisterCallbacks(&Registration, &Registered);
    if (NT_SUCCESS(ObOpenObjectByPointer(PsGetCurrentProcess(), OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                         *PsProcessType, KernelMode, &Handle)))
        ZwClose(Handle);
    ObUnRegisterCallbacks(Registered);
}

static VOID FreeContexts(VOID)
{
    PFSRTL_PER_STREAM_CONTEXT Stream = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Stream), TAG);
    PFSRTL_PER_FILE_CONTEXT File = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*File), TAG);
    FSRTL_ADVANCED_FCB_HEADER Header = {.NodeByteSize = sizeof(Header)};
    FAST_MUTEX Mutex;
    PVOID Files = NULL;
    FILE_OBJECT FileObject = {.FsContext = &Header};

    ExInitializeFastMutex(&Mutex);
    FsRtlSetupAdvancedHeader(&Header, &Mutex);
    FsRtlInitPerStreamContext(Stream, &Header, NULL, StreamFree);
    FsRtlInsertPerStreamContext(&Header, Stream);
    FsRtlTeardownPerStreamContexts(&Header);
    FsRtlInitPerFileContext(File, &Header, NULL, FileFree);
    FsRtlInsertPerFileContext(&Files, File);
    FsRtlTeardownPerFileContexts(&Files);
}

static VOID FreeEcp(VOID)
{
    PVOID Context;

    if (NT_SUCCESS(FsRtlAllocateExtraCreateParameter(&ClassGuid, 8, 0, EcpCleanup, TAG, &Context)))
        FsRtlFreeExtraCreateParameter(Context);
}

static VOID LockAndUnlock(VOID)
{
    PREQUEST Request = New(IRP_MJ_LOCK_CONTROL, &A);
    LARGE_INTEGER Offset = {.QuadPart = 0}, Length = {.QuadPart = 8};
    FILE_LOCK Lock;

    IoGetCurrentIrpStackLocation(Request->Irp)->MinorFunction = IRP_MN_LOCK;
    IoGetCurrentIrpStackLocation(Request->Irp)->Parameters.LockControl.Length = &Length;
    FsRtlInitializeFileLock(&Lock, LockComplete, OnUnlock);
    FsRtlProcessFileLock(&Lock, Request->Irp, NULL);
    FsRtlFastUnlockSingle(&Lock, &A, &Offset, &Length, PsGetCurrentProcess(), 0, NULL, FALSE);
    FsRtlUninitializeFileLock(&Lock);
    Free(Request);
}

static VOID RunApcs(VOID)
{
    KAPC Apc;

    KeInitializeApc(&Apc, KeGetCurrentThread(), OriginalApcEnvironment, ApcKernel, NULL, ApcNormal, KernelMode, NULL);
    KeInsertQueueApc(&Apc, NULL, NULL, 0);
}

static VOID AskRegistry(VOID)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{.QueryRoutine = Query, .Name = L"Kind"}};

    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, ServiceKey, Table, NULL, NULL);
}

static VOID UseQueue(VOID)
{
    IO_CSQ Csq;

    InitializeListHead(&CsqList);
    KeInitializeSpinLock(&CsqLock);
    IoCsqInitialize(&Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqComplete);
    IoCsqRemoveNextIrp(&Csq, NULL);
}

static VOID AcquireFile(PDRIVER_OBJECT DriverObject)
{
    FS_FILTER_CALLBACKS Callbacks = {.SizeOfFsFilterCallbacks = sizeof(Callbacks),
                                     .PreAcquireForSectionSynchronization = FsFilterPre,
                                     .PostAcquireForSectionSynchronization = FsFilterPost,
                                     .PreReleaseForSectionSynchronization = FsFilterPre};
    OBJECT_ATTRIBUTES Attributes;
    PFILE_OBJECT File;
    HANDLE Handle, Section;

    FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks);
    if (!NT_SUCCESS(StoreCreate(DriverObject)))
        return;
    File = StoreOpen(&Handle);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwCreateSection(&Section, SECTION_MAP_READ, &Attributes, NULL, PAGE_READONLY, SEC_COMMIT, Handle)))
        ZwClose(Section);
    StoreClose(Handle, File);
}

static VOID ChangeInterface(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Found = NULL;
    UNICODE_STRING Link;
    PVOID Registered;

    IoReportDetectedDevice(DriverObject, Isa, 3, 4, NULL, NULL, FALSE, &Found);
    if (!NT_SUCCESS(IoRegisterDeviceInterface(Found, &ClassGuid, NULL, &Link)))
        return;
    IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&ClassGuid, DriverObject, Interface,
                                   NULL, &Registered);
    IoSetDeviceInterfaceState(&Link, TRUE);
    WaitFor(&Done, 1000);
    IoSetDeviceInterfaceState(&Link, FALSE);
    WaitFor(&Done, 1000);
    IoUnregisterPlugPlayNotificationEx(Registered);
    RtlFreeUnicodeString(&Link);
}

static VOID NTAPI GiveWay(PVOID Unused)
{
    Sleep(5);
    Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, NULL);
}

/* An open that breaks a batch oplock: it is posted, and resumed when the owner gives way; or it waits, and is told so. */
static VOID BreakOplock(VOID)
{
    BOOLEAN Here = Kind == InOplockNotify;
    PREQUEST Owner, Opener;
    PVOID Thread;

    FsRtlInitializeOplock(&Oplock);
    Owner = Ask(&A, BATCH);
    Opener = Open(&C, FILE_READ_DATA, ALL_SHARES, 0, FILE_OPEN);
    Thread = StartThread(GiveWay, NULL);
    FsRtlCheckOplockEx2(&Oplock, Opener->Irp, 0, 0, NULL, Here ? NULL : OplockComplete, Here ? NULL : OplockPost, 0,
                        NULL, Here ? OplockNotify : NULL);
    JoinThread(Thread);
    FsRtlUninitializeOplock(&Oplock);
    Free(Opener);
    Free(Owner);
}

static VOID RunKind(PDRIVER_OBJECT DriverObject)
{
    switch (Kind) {
    case InTimer:
    case InTimerDelete: RunTimer(); break;
    case InHandlePost: OpenWatched(); break;
    case InStreamFree:
    case InFileFree: FreeContexts(); break;
    case InEcpCleanup: FreeEcp(); break;
    case InLockComplete:
    case InUnlock: LockAndUnlock(); break;
    case InBroadcast:
        for (ULONG_PTR Number = 0; Number < 2; Number++)
            KeIpiGenericCall(Broadcast, Number);
        break;
    case InApcKernel:
    case InApcNormal: RunApcs(); break;
    case InQuery: AskRegistry(); break;
    case InOverflow:
        FsRtlPostStackOverflow(NULL, &Done, Overflow);
        WaitFor(&Done, 1000);
        Sleep(5);
        break;
    case InCsq: UseQueue(); break;
    case InFsFilterPre:
    case InFsFilterPost: AcquireFile(DriverObject); break;
    case InInterface: ChangeInterface(DriverObject); break;
    case InOplockPost:
    case InOplockComplete:
    case InOplockNotify: BreakOplock(); break;
    default: break;
    }
}

/* ---- as the driver of a device that has interrupts ---- */

static BOOLEAN NTAPI Serve(PKINTERRUPT Interrupt, PVOID Context, ULONG Message)
{
    return FALSE;
}

static VOID Connect(PDEVICE_OBJECT Pdo)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_MESSAGE_BASED};
    IO_DISCONNECT_INTERRUPT_PARAMETERS Disconnect = {.Version = CONNECT_MESSAGE_BASED};
    PIO_INTERRUPT_MESSAGE_INFO Messages = NULL;

    Parameters.MessageBased.PhysicalDeviceObject = Pdo;
    Parameters.MessageBased.ConnectionContext.InterruptMessageTable = &Messages;
    Parameters.MessageBased.MessageServiceRoutine = Serve;
    if (!NT_SUCCESS(IoConnectInterruptEx(&Parameters)))
        return;
    KeSynchronizeExecution(Messages->MessageInfo[0].InterruptObject, Synchronized, NULL);
    Disconnect.ConnectionContext.InterruptMessageTable = Messages;
    IoDisconnectInterruptEx(&Disconnect);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    PDEVICE_OBJECT Next = Lower;
    NTSTATUS Status;

    if (Minor == IRP_MN_START_DEVICE) {
        IoForwardIrpSynchronously(Lower, Irp);
        Status = Irp->IoStatus.Status;
        if (NT_SUCCESS(Status))
            Connect(Lower);
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    Status = IoCallDriver(Next, Irp);
    if (Minor == IRP_MN_REMOVE_DEVICE) {
        IoDetachDevice(Next);
        IoDeleteDevice(DeviceObject);
    }
    return Status;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject);

    if (!NT_SUCCESS(Status))
        return Status;
    Lower = IoAttachDeviceToDeviceStack(DeviceObject, Pdo);
    DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    Misbehave(InAddDevice);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    if (Store.Device != NULL) {
        IoDeleteDevice(Store.Device);
        ExDeleteResourceLite(&Store.Resource);
        ExDeleteResourceLite(&Store.PagingIo);
    }
    if (Device != NULL)
        IoDeleteDevice(Device);
    ExDeleteResourceLite(&LeftResource);
}

static ULONG ReadNumber(PCWSTR Value)
{
    ULONG Number = 0;
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
                                          .Name = (PWSTR)Value,
                                          .EntryContext = &Number,
                                          .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT}};

    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, ServiceKey, Table, NULL, NULL);
    return Number;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RtlCopyMemory(ServiceKey, RegistryPath->Buffer, min(RegistryPath->Length, sizeof(ServiceKey) - sizeof(WCHAR)));
    Kind = (KIND)ReadNumber(L"Kind");
    How = (HOW)ReadNumber(L"How");
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    PrepareToLeave();
    DriverObject->DriverUnload = Unload;
    if (Kind >= InAddDevice) {
        DriverObject->DriverExtension->AddDevice = AddDevice;
        DriverObject->MajorFunction[IRP_MJ_PNP] = Pnp;
        return STATUS_SUCCESS;
    }
    IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    RunKind(DriverObject);
    return STATUS_SUCCESS;
}

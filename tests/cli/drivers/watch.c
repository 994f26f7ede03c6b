// SPDX-License-Identifier: GPL-2.0-or-later
// A watcher of processes, threads, images, the registry and handles, with trace messages and a remove lock.
#include <ntifs.h>
#include <evntrace.h>
#include <ntstrsafe.h>
#include "watchtrace.h"
#include "watch.tmh"

#define MAX_ENTRIES 1024
typedef struct _PROC_ENTRY {
    LIST_ENTRY Link;
    HANDLE ProcessId;
    HANDLE ParentId;
    UNICODE_STRING Image;
    WCHAR Buffer[ANYSIZE_ARRAY];
} PROC_ENTRY, *PPROC_ENTRY;

static LIST_ENTRY gList = { &gList, &gList };
static ERESOURCE gLock;
static EX_RUNDOWN_REF gRundown;
static LARGE_INTEGER gCookie;
static PDEVICE_OBJECT gDevice;
static IO_REMOVE_LOCK gRemoveLock;
static OB_PREOP_CALLBACK_STATUS PreOb(PVOID RegistrationContext, POB_PRE_OPERATION_INFORMATION OperationInformation);
static PVOID gObHandle;

typedef PCHAR (*GET_PROCESS_IMAGE_NAME)(PEPROCESS);
NTKERNELAPI PCHAR PsGetProcessImageFileName(_In_ PEPROCESS Process);
DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLOSE) DRIVER_DISPATCH DispatchCreateClose;
_Dispatch_type_(IRP_MJ_DEVICE_CONTROL) DRIVER_DISPATCH DispatchControl;

VOID ProcessNotify(_Inout_ PEPROCESS Process, _In_ HANDLE ProcessId, _Inout_opt_ PPS_CREATE_NOTIFY_INFO CreateInfo)
{
    PPROC_ENTRY e;
    UNREFERENCED_PARAMETER(Process);
    if (!ExAcquireRundownProtection(&gRundown)) return;
    if (CreateInfo) {
        SIZE_T n = CreateInfo->ImageFileName ? CreateInfo->ImageFileName->Length : 0;
        e = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, FIELD_OFFSET(PROC_ENTRY, Buffer) + n, 'corP');
        TraceEvents(TRACE_LEVEL_INFORMATION, TRACE_PROCESS, "process %p created, parent %p, image %wZ", ProcessId, CreateInfo->ParentProcessId, CreateInfo->ImageFileName);
        if (e) {
            e->ProcessId = ProcessId; e->ParentId = CreateInfo->ParentProcessId;
            e->Image.Buffer = e->Buffer; e->Image.Length = e->Image.MaximumLength = (USHORT)n;
            RtlCopyMemory(e->Buffer, CreateInfo->ImageFileName->Buffer, n);
            ExEnterCriticalRegionAndAcquireResourceExclusive(&gLock);
            InsertTailList(&gList, &e->Link);
            ExReleaseResourceAndLeaveCriticalRegion(&gLock);
        } else CreateInfo->CreationStatus = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        PLIST_ENTRY p;
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&gLock, TRUE);
        for (p = gList.Flink; p != &gList; p = p->Flink) {
            e = CONTAINING_RECORD(p, PROC_ENTRY, Link);
            if (e->ProcessId == ProcessId) { RemoveEntryList(p); ExFreePoolWithTag(e, 'corP'); break; }
        }
        ExReleaseResourceLite(&gLock);
        KeLeaveCriticalRegion();
    }
    ExReleaseRundownProtection(&gRundown);
}
VOID ThreadNotify(HANDLE ProcessId, HANDLE ThreadId, BOOLEAN Create) { Trace(TRACE_LEVEL_VERBOSE, "%p.%p %!bool!", ProcessId, ThreadId, Create); }
VOID ImageNotify(_In_opt_ PUNICODE_STRING FullImageName, _In_ HANDLE ProcessId, _In_ PIMAGE_INFO ImageInfo)
{
    if (ImageInfo->ExtendedInfoPresent) {
        PIMAGE_INFO_EX ex = CONTAINING_RECORD(ImageInfo, IMAGE_INFO_EX, ImageInfo);
        UNREFERENCED_PARAMETER(ex);
    }
    TraceEvents(TRACE_LEVEL_INFORMATION, TRACE_DRIVER, "%wZ in %p", FullImageName, ProcessId);
}
NTSTATUS RegistryCallback(_In_ PVOID CallbackContext, _In_opt_ PVOID Argument1, _In_opt_ PVOID Argument2)
{
    REG_NOTIFY_CLASS cls = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    UNREFERENCED_PARAMETER(CallbackContext);
    switch (cls) {
    case RegNtPreSetValueKey: {
        PREG_SET_VALUE_KEY_INFORMATION i = Argument2; PCUNICODE_STRING name = NULL; NTSTATUS s;
        s = CmCallbackGetKeyObjectIDEx(&gCookie, i->Object, NULL, &name, 0);
        if (NT_SUCCESS(s)) CmCallbackReleaseKeyObjectIDEx(name);
        break; }
    case RegNtPreCreateKeyEx: case RegNtPostOpenKeyEx: case RegNtPreDeleteKey: default: break;
    }
    return STATUS_SUCCESS;
}
static OB_PREOP_CALLBACK_STATUS PreOb(PVOID RegistrationContext, POB_PRE_OPERATION_INFORMATION Info)
{
    UNREFERENCED_PARAMETER(RegistrationContext);
    if (Info->ObjectType == *PsProcessType && Info->Operation == OB_OPERATION_HANDLE_CREATE && !Info->KernelHandle)
        Info->Parameters->CreateHandleInformation.DesiredAccess &= ~(0x0001 | SYNCHRONIZE);
    return OB_PREOP_SUCCESS;
}
NTSTATUS DispatchCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS; Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}
#define IOCTL_WATCH_COUNT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_WATCH_NEITHER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
#define IOCTL_WATCH_DIRECT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_OUT_DIRECT, FILE_READ_DATA)
NTSTATUS DispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION sp = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status; ULONG_PTR info = 0;
    status = IoAcquireRemoveLock(&gRemoveLock, Irp);
    if (!NT_SUCCESS(status)) { Irp->IoStatus.Status = status; IoCompleteRequest(Irp, IO_NO_INCREMENT); return status; }
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (sp->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_WATCH_COUNT:
        if (sp->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG)) { status = STATUS_BUFFER_TOO_SMALL; break; }
        *(PULONG)Irp->AssociatedIrp.SystemBuffer = 42; info = sizeof(ULONG); break;
    case IOCTL_WATCH_NEITHER: {
        PMDL mdl = NULL;
        __try {
            ProbeForRead(sp->Parameters.DeviceIoControl.Type3InputBuffer, sp->Parameters.DeviceIoControl.InputBufferLength, __alignof(UCHAR));
            ProbeForWrite(Irp->UserBuffer, sp->Parameters.DeviceIoControl.OutputBufferLength, sizeof(UCHAR));
            mdl = IoAllocateMdl(Irp->UserBuffer, sp->Parameters.DeviceIoControl.OutputBufferLength, FALSE, TRUE, NULL);
            if (!mdl) { status = STATUS_INSUFFICIENT_RESOURCES; __leave; }
            MmProbeAndLockPages(mdl, Irp->RequestorMode, IoWriteAccess);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            status = GetExceptionCode();
            if (mdl) { IoFreeMdl(mdl); mdl = NULL; }
        }
        if (mdl) { MmUnlockPages(mdl); IoFreeMdl(mdl); }
        break; }
    default: status = STATUS_INVALID_DEVICE_REQUEST; break;
    }
    Irp->IoStatus.Status = status; Irp->IoStatus.Information = info;
    IoReleaseRemoveLock(&gRemoveLock, Irp);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    TraceReturn(status);
    return status;
}
VOID DriverUnload(_In_ PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\Watch");
    NTSTATUS s;
    PsSetCreateProcessNotifyRoutineEx(ProcessNotify, TRUE);
    PsRemoveCreateThreadNotifyRoutine(ThreadNotify);
    PsRemoveLoadImageNotifyRoutine(ImageNotify);
    CmUnRegisterCallback(gCookie);
    if (gObHandle) ObUnRegisterCallbacks(gObHandle);
    ExWaitForRundownProtectionRelease(&gRundown);
    s = IoAcquireRemoveLock(&gRemoveLock, DriverObject);
    if (NT_SUCCESS(s)) IoReleaseRemoveLockAndWait(&gRemoveLock, DriverObject);
    while (!IsListEmpty(&gList)) { PPROC_ENTRY e = CONTAINING_RECORD(RemoveHeadList(&gList), PROC_ENTRY, Link); ExFreePoolWithTag(e, 'corP'); }
    ExDeleteResourceLite(&gLock);
    IoDeleteSymbolicLink(&link);
    IoDeleteDevice(DriverObject->DeviceObject);
    WPP_CLEANUP(DriverObject);
    DbgPrint("watch: gone\n");
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status;
    UNICODE_STRING name, link, alt = RTL_CONSTANT_STRING(L"385200.1234");
    OB_OPERATION_REGISTRATION op[1] = { { 0 } };
    OB_CALLBACK_REGISTRATION reg = { 0 };
    int i;
    WPP_INIT_TRACING(DriverObject, RegistryPath);
    RtlInitUnicodeString(&name, L"\\Device\\Watch");
    RtlInitUnicodeString(&link, L"\\DosDevices\\Watch");
    status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &gDevice);
    if (!NT_SUCCESS(status)) return status;
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) { IoDeleteDevice(gDevice); return status; }
    for (i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) DriverObject->MajorFunction[i] = DispatchCreateClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
    DriverObject->DriverUnload = DriverUnload;
    ExInitializeResourceLite(&gLock);
    ExInitializeRundownProtection(&gRundown);
    IoInitializeRemoveLock(&gRemoveLock, 'kLmR', 0, 0);
    status = PsSetCreateProcessNotifyRoutineEx(ProcessNotify, FALSE);
    DbgPrint("watch: ps %08x\n", status);
    status = PsSetCreateThreadNotifyRoutine(ThreadNotify);
    status = PsSetLoadImageNotifyRoutine(ImageNotify);
    status = CmRegisterCallbackEx(RegistryCallback, &alt, DriverObject, NULL, &gCookie, NULL);
    DbgPrint("watch: cm %08x\n", status);
    op[0].ObjectType = PsProcessType; op[0].Operations = OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE; op[0].PreOperation = PreOb;
    reg.Version = ObGetFilterVersion(); reg.OperationRegistrationCount = RTL_NUMBER_OF(op); reg.Altitude = alt; reg.OperationRegistration = op;
    status = ObRegisterCallbacks(&reg, &gObHandle);
    DbgPrint("watch: ob %08x\n", status);
    gDevice->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unloading a driver: its devices are marked, so that nothing opens them any more; when none is open or attached to,
 * DriverUnload is called, once, and the reference that stood for "loaded" goes.
 */
#include "iop.h"

/* Whether DriverUnload is to be called now; says so at most once for a driver. */
static BOOLEAN IopClaimUnload(PDRIVER_OBJECT DriverObject)
{
    BOOLEAN Claimed = (DriverObject->Flags & DRVO_UNLOAD_INVOKED) == 0;
    PDEVICE_OBJECT Device;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Device = DriverObject->DeviceObject; Claimed && Device != NULL; Device = Device->NextDevice) {
        if (Device->ReferenceCount != 0 || Device->AttachedDevice != NULL ||
            (IopDevExt(Device)->ExtensionFlags & DOE_UNLOAD_PENDING) == 0) {
            Claimed = FALSE;
        }
    }
    if (Claimed) {
        DriverObject->Flags |= DRVO_UNLOAD_INVOKED;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Claimed;
}

static VOID IopInvokeUnload(PDRIVER_OBJECT DriverObject)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    DriverObject->DriverUnload(DriverObject);
    FvEndCall(&Call, (PVOID)DriverObject->DriverUnload, "DriverUnload", (ULONG_PTR)DriverObject);
    IopCheckLeft(DriverObject);
    ObMakeTemporaryObject(DriverObject);
    ObUnpinObject(DriverObject);
}

static VOID NTAPI IopUnloadWorker(PVOID Context)
{
    IopInvokeUnload(Context);
}

/* A device of the driver came to rest; a pending unload may go on.  <= DISPATCH_LEVEL. */
VOID IopCheckDriverUnload(PDRIVER_OBJECT DriverObject)
{
    PIOP_DRIVER_EXTENSION Extension = IopDrvExt(DriverObject);

    if (Extension->UnloadRequested && IopClaimUnload(DriverObject)) {
        ExInitializeWorkItem(&Extension->UnloadItem, IopUnloadWorker, DriverObject);
        ExQueueWorkItem(&Extension->UnloadItem, DelayedWorkQueue);
    }
}

static NTSTATUS IopUnload(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device;
    KIRQL Irql;

    if (DriverObject->DriverUnload == NULL || DriverObject->DriverSection == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (DriverObject->DriverExtension->AddDevice != NULL && !IopDrvExt(DriverObject)->UnloadRequested) {
        IopRemoveDevicesOf(DriverObject);
    }
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    if ((DriverObject->Flags & DRVO_UNLOAD_INVOKED) != 0 || IopDrvExt(DriverObject)->UnloadRequested) {
        KeReleaseSpinLock(&IopDatabaseLock, Irql);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    IopDrvExt(DriverObject)->UnloadRequested = TRUE;
    for (Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        IopDevExt(Device)->ExtensionFlags |= DOE_UNLOAD_PENDING;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (IopClaimUnload(DriverObject)) {
        IopInvokeUnload(DriverObject);
    }
    return STATUS_SUCCESS; /* else pending: IopCheckDriverUnload goes on */
}

static NTSTATUS IopReferenceDriverByName(PUNICODE_STRING ServiceName, PDRIVER_OBJECT *DriverObject)
{
    static const PCWSTR Directories[] = {L"\\Driver\\", L"\\FileSystem\\"};
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;
    UNICODE_STRING Name;
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Directories); Index++) {
        Status = IopConcatenate(&Name, Directories[Index], ServiceName, L"");
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        Status = ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, IopDriverObjectType, KernelMode, NULL,
                                         (PVOID *)DriverObject);
        ExFreePoolWithTag(Name.Buffer, IOP_TAG_NAME);
        if (NT_SUCCESS(Status)) {
            return Status;
        }
    }
    return Status;
}

/* A driver that was to be unloaded, and is still there. */
BOOLEAN IopIsUnloading(PUNICODE_STRING ServiceName)
{
    PDRIVER_OBJECT DriverObject;
    BOOLEAN IsUnloading;

    if (!NT_SUCCESS(IopReferenceDriverByName(ServiceName, &DriverObject))) {
        return FALSE;
    }
    IsUnloading = (DriverObject->Flags & DRVO_UNLOAD_INVOKED) != 0 || IopDrvExt(DriverObject)->UnloadRequested;
    ObDereferenceObject(DriverObject);
    return IsUnloading;
}

/* STATUS_SUCCESS too when the unload waits for open or attached devices, as on Windows. */
static NTSTATUS IopUnloadDriver(PUNICODE_STRING ServiceName)
{
    PDRIVER_OBJECT DriverObject;
    NTSTATUS Status;

    Status = IopReferenceDriverByName(ServiceName, &DriverObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopUnload(DriverObject);
    ObDereferenceObject(DriverObject);
    return Status;
}

VOID IopServiceOfPath(PCUNICODE_STRING Path, PUNICODE_STRING Service)
{
    USHORT Index;

    for (Index = Path->Length / sizeof(WCHAR); Index > 0 && Path->Buffer[Index - 1] != L'\\'; Index--) {
        NOTHING;
    }
    Service->Buffer = Path->Buffer + Index;
    Service->Length = Service->MaximumLength = Path->Length - Index * sizeof(WCHAR);
}

/* PASSIVE_LEVEL.  The name is the service key's path in the registry. */
NTSTATUS NTAPI NtUnloadDriver(PUNICODE_STRING DriverServiceName)
{
    UNICODE_STRING Name;

    IopServiceOfPath(DriverServiceName, &Name);
    if (Name.Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return IopUnloadDriver(&Name);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Error logs and hard errors: there is no log service and nobody at a screen, so both become lines of the
 * debugger's output, and a hard error is answered as by one who cancels.
 */
#include "iop.h"

/* Before the packet that the driver fills. */
typedef struct _IOP_ERROR_ENTRY {
    PVOID Object; /* a driver or a device, referenced */
    ULONG_PTR Size;
} IOP_ERROR_ENTRY, *PIOP_ERROR_ENTRY;

static PDRIVER_OBJECT IopDriverOf(PVOID Object)
{
    return ObGetObjectType(Object) == IopDeviceObjectType ? ((PDEVICE_OBJECT)Object)->DriverObject : Object;
}

/*
 * <= DISPATCH_LEVEL.  NULL: no memory, a size below the packet's or above ERROR_LOG_MAXIMUM_SIZE, or neither
 * a driver nor a device.  IoWriteErrorLogEntry or IoFreeErrorLogEntry takes it.
 */
PVOID NTAPI IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    PIOP_ERROR_ENTRY Entry;

    if (IoObject == NULL ||
        (ObGetObjectType(IoObject) != IopDeviceObjectType && ObGetObjectType(IoObject) != IopDriverObjectType) ||
        EntrySize < sizeof(IO_ERROR_LOG_PACKET) || EntrySize > ERROR_LOG_MAXIMUM_SIZE) {
        return NULL;
    }
    Entry = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Entry) + EntrySize, IOP_TAG_BUFFER);
    if (Entry == NULL) {
        return NULL;
    }
    RtlZeroMemory(Entry, sizeof(*Entry) + EntrySize);
    ObReferenceObject(IoObject);
    Entry->Object = IoObject;
    Entry->Size = EntrySize;
    return Entry + 1;
}

/* <= DISPATCH_LEVEL. */
VOID NTAPI IoFreeErrorLogEntry(PVOID ElEntry)
{
    PIOP_ERROR_ENTRY Entry = (PIOP_ERROR_ENTRY)ElEntry - 1;

    ObDereferenceObject(Entry->Object);
    ExFreePoolWithTag(Entry, IOP_TAG_BUFFER);
}

/* <= DISPATCH_LEVEL.  The entry is not the caller's any more. */
VOID NTAPI IoWriteErrorLogEntry(PVOID ElEntry)
{
    PIOP_ERROR_ENTRY Entry = (PIOP_ERROR_ENTRY)ElEntry - 1;
    PIO_ERROR_LOG_PACKET Packet = ElEntry;

    DbgPrint("error log: %wZ: 0x%08X, unique value %u, final status 0x%08X\n", &IopDriverOf(Entry->Object)->DriverName,
             Packet->ErrorCode, Packet->UniqueErrorValue, Packet->FinalStatus);
    IoFreeErrorLogEntry(ElEntry);
}

/* ---- hard errors ---- */

/* <= APC_LEVEL.  Whether hard errors were shown to the current thread's user so far. */
BOOLEAN NTAPI IoSetThreadHardErrorMode(BOOLEAN EnableHardErrors)
{
    PETHREAD Thread = PsGetCurrentThread();
    BOOLEAN Before = !Thread->HardErrorsAreDisabled;

    Thread->HardErrorsAreDisabled = !EnableHardErrors;
    return Before;
}

/* <= APC_LEVEL.  The request is completed with its status, as when the user cancels. */
VOID NTAPI IoRaiseHardError(PIRP Irp, PVPB Vpb, PDEVICE_OBJECT RealDeviceObject)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;

    UNREFERENCED_PARAMETER(Vpb);
    if (Thread == NULL || !Thread->HardErrorsAreDisabled) {
        DbgPrint("hard error: 0x%08X, %wZ\n", Irp->IoStatus.Status, &RealDeviceObject->DriverObject->DriverName);
    }
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

/* <= APC_LEVEL.  FALSE: the thread's hard errors (NULL: nobody's in particular) are disabled. */
BOOLEAN NTAPI IoRaiseInformationalHardError(NTSTATUS ErrorStatus, PUNICODE_STRING String, PKTHREAD Thread)
{
    if (Thread != NULL && ((PETHREAD)Thread)->HardErrorsAreDisabled) {
        return FALSE;
    }
    if (String != NULL) {
        DbgPrint("hard error: 0x%08X, %wZ\n", ErrorStatus, String);
    } else {
        DbgPrint("hard error: 0x%08X\n", ErrorStatus);
    }
    return TRUE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver must have taken back when its DriverUnload returns: devices, symbolic links, registrations.  They keep
 * the driver object, and with it the image: without this look the driver would quietly stay.
 */
#include "iop.h"

/* A link that IoCreateSymbolicLink made; only with the verifier. */
typedef struct _IOP_LINK {
    LIST_ENTRY Entry;
    const VOID *Maker;
    USHORT Length;
    WCHAR Name[ANYSIZE_ARRAY];
} IOP_LINK, *PIOP_LINK;

static FAST_MUTEX IopLinkLock;                       /* names may be paged: no spin lock */
static LIST_ENTRY IopLinks = {&IopLinks, &IopLinks}; /* IopLinkLock */

VOID IopInitializeLinks(VOID)
{
    ExInitializeFastMutex(&IopLinkLock);
}

VOID IopNoteLink(PUNICODE_STRING Name, const VOID *Maker)
{
    PIOP_LINK Link;

    if (!IopVerifierOn) {
        return;
    }
    Link = ExAllocatePoolWithTag(NonPagedPoolNx, FIELD_OFFSET(IOP_LINK, Name) + Name->Length, IOP_TAG_LIST);
    if (Link != NULL) {
        Link->Maker = Maker;
        Link->Length = Name->Length;
        RtlCopyMemory(Link->Name, Name->Buffer, Name->Length);
        ExAcquireFastMutex(&IopLinkLock);
        InsertTailList(&IopLinks, &Link->Entry);
        ExReleaseFastMutex(&IopLinkLock);
    }
}

static PIOP_LINK IopTakeLink(PUNICODE_STRING Name)
{
    PIOP_LINK Found = NULL;
    PLIST_ENTRY Entry;

    ExAcquireFastMutex(&IopLinkLock);
    for (Entry = IopLinks.Flink; Entry != &IopLinks && Found == NULL; Entry = Entry->Flink) {
        PIOP_LINK Link = CONTAINING_RECORD(Entry, IOP_LINK, Entry);
        UNICODE_STRING Text = {Link->Length, Link->Length, Link->Name};

        if (RtlEqualUnicodeString(&Text, Name, TRUE)) {
            RemoveEntryList(&Link->Entry);
            Found = Link;
        }
    }
    ExReleaseFastMutex(&IopLinkLock);
    return Found;
}

VOID IopForgetLink(PUNICODE_STRING Name)
{
    PIOP_LINK Link = IopTakeLink(Name);

    if (Link != NULL) {
        ExFreePoolWithTag(Link, IOP_TAG_LIST);
    }
}

static VOID IopCheckLinks(PVOID Base, SIZE_T Size)
{
    PLIST_ENTRY Entry;

    ExAcquireFastMutex(&IopLinkLock);
    for (Entry = IopLinks.Flink; Entry != &IopLinks; Entry = Entry->Flink) {
        PIOP_LINK Link = CONTAINING_RECORD(Entry, IOP_LINK, Entry);

        if ((ULONG_PTR)Link->Maker - (ULONG_PTR)Base < Size) {
            DbgPrint("io: symbolic link %.*ws is left\n", Link->Length / sizeof(WCHAR), Link->Name);
            KeReportLeft("symbolic link", Link->Name, Link->Maker);
        }
    }
    ExReleaseFastMutex(&IopLinkLock);
}

/* Devices that are deleted but for a last reference go by themselves. */
static PDEVICE_OBJECT IopFindDevice(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if ((IopDevExt(Device)->ExtensionFlags & DOE_DELETE_PENDING) == 0) {
            break;
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Device;
}

VOID IopCheckLeft(PDRIVER_OBJECT DriverObject)
{
    const VOID *Unload = (PVOID)DriverObject->DriverUnload;
    PDEVICE_OBJECT Device;
    PVOID Routine;

    if (!IopVerifierOn) {
        return;
    }
    IopCheckLinks(DriverObject->DriverStart, DriverObject->DriverSize);
    MmCheckViewsLeft(DriverObject->DriverStart, DriverObject->DriverSize);
    ExCheckRundownsLeft(DriverObject->DriverStart, DriverObject->DriverSize);
    if ((Routine = IopFindFsCallback(DriverObject)) != NULL) {
        KeReportLeft("file system notification routine", DriverObject, Routine);
    }
    if ((Routine = IopFindPnpNotification(DriverObject)) != NULL) {
        KeReportLeft("plug and play notification routine", DriverObject, Routine);
    }
    if ((Device = IopFindShutdown(DriverObject)) != NULL) {
        KeReportLeft("shutdown notification", Device, Unload);
    }
    if ((Device = IopFindDevice(DriverObject)) != NULL) {
        KeReportLeft("device", Device, Unload);
    }
    ObCheckLeft(DriverObject->DriverStart,
                DriverObject->DriverSize); /* what keeps its image would never be found else */
}

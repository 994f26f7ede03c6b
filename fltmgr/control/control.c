/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c: the control device, by which the scenario client, and a program with fltlib, load and unload filters, attach and detach them by
 * hand and read lists and counters: abi/fltctl.h.  IRQL: PASSIVE_LEVEL.
 */
#include <port.h>
#include <query.h>
#include "control.h"

/* A directory object that stays for good, so that the device below it can have its documented name. */
static NTSTATUS FltpMakeDirectory(PCWSTR Path)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Handle;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE | OBJ_OPENIF, NULL, NULL);
    Status = ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &Attributes);
    if (NT_SUCCESS(Status))
        ZwClose(Handle);
    return Status;
}

NTSTATUS FltpCreateControlDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\FileSystem\\Filters\\FltMgr");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = FltpMakeDirectory(L"\\FileSystem\\Filters");

    if (!NT_SUCCESS(Status) && Status != STATUS_OBJECT_NAME_EXISTS && Status != STATUS_OBJECT_NAME_COLLISION)
        return Status;
    Status =
        IoCreateDevice(FltpDriverObject, sizeof(FLTP_DEVICE), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    ((PFLTP_DEVICE)Device->DeviceExtension)->Kind = FltpKindControl;
    ClearFlag(Device->Flags, DO_DEVICE_INITIALIZING);
    return STATUS_SUCCESS;
}

/* A request's name; FALSE when it is not there or does not end. */
static BOOLEAN FltpTakeName(PUNICODE_STRING Name, uint16_t *Text)
{
    USHORT Length = 0;

    while (Length < FLTVM_FLTCTL_NAME_MAX && Text[Length] != 0)
        Length++;
    Name->Buffer = (PWCH)Text;
    Name->Length = Length * sizeof(WCHAR);
    Name->MaximumLength = FLTVM_FLTCTL_NAME_MAX * sizeof(WCHAR);
    return Length > 0 && Length < FLTVM_FLTCTL_NAME_MAX;
}

static VOID FltpPutName(uint16_t *Text, PCUNICODE_STRING Name)
{
    USHORT Length = min(Name->Length, (FLTVM_FLTCTL_NAME_MAX - 1) * sizeof(WCHAR));

    RtlZeroMemory(Text, FLTVM_FLTCTL_NAME_MAX * sizeof(WCHAR));
    RtlCopyMemory(Text, Name->Buffer, Length);
}

/* Name: of the instance that is made. */
static NTSTATUS FltpAttachByHand(PFLT_FILTER Filter, PFLT_VOLUME Volume, PUNICODE_STRING Instance,
                                 PUNICODE_STRING Altitude, uint16_t *Name)
{
    PFLT_INSTANCE Made;
    NTSTATUS Status = Altitude != NULL ? FltAttachVolumeAtAltitude(Filter, Volume, Altitude, Instance, &Made)
                                       : FltAttachVolume(Filter, Volume, Instance, &Made);

    if (NT_SUCCESS(Status)) {
        FltpPutName(Name, &Made->Name);
        FltpReleaseRundown(&Made->Object.Rundown);
    }
    return Status;
}

static NTSTATUS FltpCommand(ULONG Code, struct fltvm_fltctl_request *Request)
{
    UNICODE_STRING FilterName, VolumeName, InstanceName, Altitude;
    PUNICODE_STRING Instance = FltpTakeName(&InstanceName, Request->instance) ? &InstanceName : NULL;
    PFLT_FILTER Filter;
    PFLT_VOLUME Volume;
    NTSTATUS Status;

    if (!FltpTakeName(&FilterName, Request->filter))
        return STATUS_INVALID_PARAMETER;
    if (Code == FLTVM_FLTCTL_UNLOAD)
        return FltpUnloadFilter(&FilterName, FlagOn(Request->flags, FLTVM_FLTCTL_MANDATORY) != 0);
    if (Code == FLTVM_FLTCTL_LOAD)
        return FltLoadFilter(&FilterName);
    Status = FltpFindFilter(&FilterName, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpTakeName(&VolumeName, Request->volume) ? FltpVolumeFromName(&VolumeName, &Volume)
                                                        : STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status)) {
        if (Code == FLTVM_FLTCTL_ATTACH)
            Status = FltpAttachByHand(Filter, Volume, Instance,
                                      FltpTakeName(&Altitude, Request->altitude) ? &Altitude : NULL, Request->instance);
        else
            Status = FltDetachVolume(Filter, Volume, Instance);
        FltpReleaseRundown(&Volume->Object.Rundown);
    }
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

static ULONG FltpListFilters(struct fltvm_fltctl_filter *List, ULONG Capacity)
{
    PFLT_FILTER Filter = NULL;
    ULONG Count = 0;

    while ((Filter = FltpNextFilter(Filter)) != NULL) {
        if (Count < Capacity) {
            List[Count].instances = Filter->InstanceCount;
            List[Count].started = Filter->Started != 0;
            FltpPutName(List[Count].name, &Filter->Name);
            FltpPutName(List[Count].altitude, &Filter->Altitude);
        }
        Count++;
    }
    return Count;
}

static ULONG FltpListVolumes(struct fltvm_fltctl_volume *List, ULONG Capacity)
{
    PFLT_VOLUME Volume = NULL;
    ULONG Count = 0;

    while ((Volume = FltpNextVolume(Volume)) != NULL) {
        if (Count < Capacity) {
            List[Count].instances = Volume->InstanceCount;
            List[Count].file_system = Volume->Type;
            FltpPutName(List[Count].name, &Volume->Name);
        }
        Count++;
    }
    return Count;
}

static ULONG FltpListInstances(struct fltvm_fltctl_instance *List, ULONG Capacity)
{
    PFLT_VOLUME Volume = NULL;
    ULONG Count = 0;
    KIRQL Irql;

    while ((Volume = FltpNextVolume(Volume)) != NULL) {
        Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
        for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
            PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

            if (Count < Capacity) {
                List[Count].operations = Instance->Operations;
                FltpPutName(List[Count].filter, &Instance->Filter->Name);
                FltpPutName(List[Count].volume, &Volume->Name);
                FltpPutName(List[Count].instance, &Instance->Name);
                FltpPutName(List[Count].altitude, &Instance->Altitude);
            }
            Count++;
        }
        KeReleaseSpinLock(&Volume->Lock, Irql);
    }
    return Count;
}

typedef struct _FLTP_PORT_LIST {
    struct fltvm_fltctl_port *Ports;
    ULONG Capacity, Count;
} FLTP_PORT_LIST;

static VOID FltpTellPort(PVOID Argument, PFLTP_SERVER Server)
{
    FLTP_PORT_LIST *List = Argument;
    struct fltvm_fltctl_port *Port = &List->Ports[List->Count];

    if (List->Count++ >= List->Capacity)
        return;
    Port->connections = (uint32_t)Server->Connections;
    Port->limit = (uint32_t)Server->MaxConnections;
    FltpPutName(Port->name, &Server->Name);
    FltpPutName(Port->filter, &Server->Port.Filter->Name);
}

static ULONG FltpListPorts(struct fltvm_fltctl_port *Ports, ULONG Capacity)
{
    FLTP_PORT_LIST List = {Ports, Capacity, 0};

    FltpForPorts(FltpTellPort, &List);
    return List.Count;
}

static NTSTATUS FltpFindInstance(struct fltvm_fltctl_find *Find, PFLT_FILTER Filter, PVOID Buffer, ULONG Size,
                                 PULONG Bytes)
{
    UNICODE_STRING VolumeName, Name;
    PFLT_INSTANCE Instance;
    PFLT_VOLUME Volume;
    NTSTATUS Status;

    if (!FltpTakeName(&VolumeName, Find->volume))
        return STATUS_INVALID_PARAMETER;
    Status = FltpVolumeFromName(&VolumeName, &Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    Status =
        FltGetVolumeInstanceFromName(Filter, Volume, FltpTakeName(&Name, Find->instance) ? &Name : NULL, &Instance);
    if (NT_SUCCESS(Status)) {
        Status = FltGetInstanceInformation(Instance, (INSTANCE_INFORMATION_CLASS)Find->information_class, Buffer, Size,
                                           Bytes);
        FltObjectDereference(Instance);
    }
    FltpReleaseRundown(&Volume->Object.Rundown);
    return Status;
}

static NTSTATUS FltpFindOfFilter(struct fltvm_fltctl_find *Find, PCUNICODE_STRING Name, PVOID Buffer, ULONG Size,
                                 PULONG Bytes)
{
    PFLT_FILTER Filter;
    NTSTATUS Status = FltpFindFilter(Name, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Find->kind == FLTVM_FLTCTL_FIND_FILTER_NAMED)
        Status =
            FltGetFilterInformation(Filter, (FILTER_INFORMATION_CLASS)Find->information_class, Buffer, Size, Bytes);
    else if (Find->kind == FLTVM_FLTCTL_FIND_INSTANCE_NAMED)
        Status = FltpFindInstance(Find, Filter, Buffer, Size, Bytes);
    else
        Status = FltEnumerateInstanceInformationByFilter(
            Filter, Find->index, (INSTANCE_INFORMATION_CLASS)Find->information_class, Buffer, Size, Bytes);
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

static NTSTATUS FltpFindOfVolume(const struct fltvm_fltctl_find *Find, PCUNICODE_STRING Name, PVOID Buffer, ULONG Size,
                                 PULONG Bytes)
{
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltpVolumeFromName(Name, &Volume);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltEnumerateInstanceInformationByVolume(
        Volume, Find->index, (INSTANCE_INFORMATION_CLASS)Find->information_class, Buffer, Size, Bytes);
    FltpReleaseRundown(&Volume->Object.Rundown);
    return Status;
}

static NTSTATUS FltpFind(struct fltvm_fltctl_find *Find, PVOID Buffer, ULONG Size, PULONG Bytes)
{
    UNICODE_STRING Name;
    BOOLEAN Named = FltpTakeName(&Name, Find->name);

    switch (Find->kind) {
    case FLTVM_FLTCTL_FIND_FILTER:
        return FltEnumerateFilterInformation(Find->index, (FILTER_INFORMATION_CLASS)Find->information_class, Buffer,
                                             Size, Bytes);
    case FLTVM_FLTCTL_FIND_VOLUME:
        return FltEnumerateVolumeInformation(
            NULL, Find->index, (FILTER_VOLUME_INFORMATION_CLASS)Find->information_class, Buffer, Size, Bytes);
    case FLTVM_FLTCTL_FIND_INSTANCE:
    case FLTVM_FLTCTL_FIND_FILTER_NAMED:
    case FLTVM_FLTCTL_FIND_INSTANCE_NAMED:
        return Named ? FltpFindOfFilter(Find, &Name, Buffer, Size, Bytes) : STATUS_INVALID_PARAMETER;
    case FLTVM_FLTCTL_FIND_INSTANCE_OF_VOLUME:
        return Named ? FltpFindOfVolume(Find, &Name, Buffer, Size, Bytes) : STATUS_INVALID_PARAMETER;
    default: return STATUS_INVALID_PARAMETER;
    }
}

/* The answer lies where the request did. */
static NTSTATUS FltpFindByControl(PIRP Irp, ULONG Input, ULONG Output)
{
    struct fltvm_fltctl_found *Found = Irp->AssociatedIrp.SystemBuffer;
    struct fltvm_fltctl_find Find;
    ULONG Bytes = 0;
    NTSTATUS Status;

    if (Input < sizeof(Find) || Output < sizeof(*Found))
        return STATUS_INFO_LENGTH_MISMATCH;
    Find = *(const struct fltvm_fltctl_find *)Irp->AssociatedIrp.SystemBuffer;
    Status = FltpFind(&Find, Found + 1, min(Find.size, Output - (ULONG)sizeof(*Found)), &Bytes);
    Found->status = (uint32_t)Status;
    Found->bytes = Bytes;
    Irp->IoStatus.Information = sizeof(*Found) + (NT_SUCCESS(Status) ? Bytes : 0);
    return STATUS_SUCCESS;
}

NTSTATUS FltpDeviceControl(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG Input = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG Output = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG Size, Count;

    Irp->IoStatus.Information = 0;
    switch (Code) {
    case FLTVM_FLTCTL_LOAD:
    case FLTVM_FLTCTL_UNLOAD:
    case FLTVM_FLTCTL_ATTACH:
    case FLTVM_FLTCTL_DETACH:
        if (Input < sizeof(struct fltvm_fltctl_request))
            return STATUS_INFO_LENGTH_MISMATCH;
        Irp->IoStatus.Information = min(Output, sizeof(struct fltvm_fltctl_request));
        return FltpCommand(Code, Buffer);
    case FLTVM_FLTCTL_FIND: return FltpFindByControl(Irp, Input, Output);
    case FLTVM_FLTCTL_FILTERS:
        Size = sizeof(struct fltvm_fltctl_filter);
        Count = FltpListFilters(Buffer, Output / Size);
        break;
    case FLTVM_FLTCTL_INSTANCES:
        Size = sizeof(struct fltvm_fltctl_instance);
        Count = FltpListInstances(Buffer, Output / Size);
        break;
    case FLTVM_FLTCTL_VOLUMES:
        Size = sizeof(struct fltvm_fltctl_volume);
        Count = FltpListVolumes(Buffer, Output / Size);
        break;
    case FLTVM_FLTCTL_PORTS:
        Size = sizeof(struct fltvm_fltctl_port);
        Count = FltpListPorts(Buffer, Output / Size);
        break;
    case FLTVM_FLTCTL_COUNTERS:
        if (Output < sizeof(FltpCounters))
            return STATUS_BUFFER_TOO_SMALL;
        RtlCopyMemory(Buffer, &FltpCounters, sizeof(FltpCounters));
        Irp->IoStatus.Information = sizeof(FltpCounters);
        return STATUS_SUCCESS;
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
    Irp->IoStatus.Information = min(Count, Output / Size) * Size;
    return Count > Output / Size ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

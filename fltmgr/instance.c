/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * instance.c: a filter's attachments to volumes.  An instance sees operations from the moment its setup
 * callback has agreed until its teardown begins; its teardown returns only when nothing of it is under way
 * any more.
 *
 * All callbacks are called at PASSIVE_LEVEL without any lock.  Instances of one volume have different
 * altitudes; those of one filter on a volume have different names.
 */
#include "fltmgrp.h"

static VOID FltpFreeInstance(PFLT_INSTANCE Instance)
{
    FltpFreeString(&Instance->Name);
    FltpFreeString(&Instance->Altitude);
    Instance->Object.Magic = FLTP_MAGIC_FREE;
    FltpReleaseRundown(&Instance->Filter->Object.Rundown);
    FltpReleaseRundown(&Instance->Volume->Object.Rundown);
    ExFreePoolWithTag(Instance, FLTP_TAG_INSTANCE);
}

static ULONG64 FltpWholeAltitude(PCUNICODE_STRING Altitude)
{
    ULONG64 Number = 0;

    for (ULONG Index = 0; Index < Altitude->Length / sizeof(WCHAR) && Altitude->Buffer[Index] != '.'; Index++)
        Number = Number * 10 + (Altitude->Buffer[Index] - '0');
    return Number;
}

static int FltpCompareAltitudeStrings(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    return FltpAltitudeCompare(Left->Buffer, Left->Length / sizeof(WCHAR), Right->Buffer,
                               Right->Length / sizeof(WCHAR));
}

/* Puts the instance in its place, unless one of the same altitude or the same filter and name is there. */
static NTSTATUS FltpInsertInstance(PFLT_VOLUME Volume, PFLT_INSTANCE Instance)
{
    PLIST_ENTRY Place = &Volume->Instances;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Other = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);
        int Order = FltpCompareAltitudeStrings(&Instance->Altitude, &Other->Altitude);

        if (Other->Filter == Instance->Filter && FltpEqualNames(&Other->Name, &Instance->Name)) {
            Status = STATUS_FLT_INSTANCE_NAME_COLLISION;
            break;
        }
        if (Order == 0) {
            Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
            break;
        }
        if (Order > 0 && Place == &Volume->Instances)
            Place = Link;
    }
    if (NT_SUCCESS(Status)) {
        InsertTailList(Place, &Instance->Link); /* before the first lower one */
        InterlockedIncrement(&Volume->InstanceCount);
        InterlockedIncrement(&Instance->Filter->InstanceCount);
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Status;
}

static VOID FltpRemoveInstance(PFLT_INSTANCE Instance)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Instance->Volume->Lock);

    RemoveEntryList(&Instance->Link);
    InterlockedDecrement(&Instance->Volume->InstanceCount);
    InterlockedDecrement(&Instance->Filter->InstanceCount);
    KeReleaseSpinLock(&Instance->Volume->Lock, Irql);
}

static VOID FltpSetInstanceState(PFLT_INSTANCE Instance, FLTP_INSTANCE_STATE State)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Instance->Volume->Lock);

    Instance->State = State;
    KeReleaseSpinLock(&Instance->Volume->Lock, Irql);
}

static NTSTATUS FltpNewInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name,
                                PCUNICODE_STRING Altitude, PFLT_INSTANCE *NewInstance)
{
    PFLT_INSTANCE Instance = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Instance), FLTP_TAG_INSTANCE);
    NTSTATUS Status;

    if (Instance == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Instance, sizeof(*Instance));
    Instance->Object.Magic = FLTP_MAGIC_INSTANCE;
    Instance->Filter = Filter;
    Instance->Volume = Volume;
    FltpInitializeRundown(&Instance->Object.Rundown);
    Status = STATUS_FLT_DELETING_OBJECT;
    if (!FltpAcquireRundown(&Filter->Object.Rundown))
        goto FreeMemory;
    if (!FltpAcquireRundown(&Volume->Object.Rundown)) {
        FltpReleaseRundown(&Filter->Object.Rundown);
        goto FreeMemory;
    }
    Status = FltpCopyString(&Instance->Name, Name);
    if (NT_SUCCESS(Status))
        Status = FltpCopyString(&Instance->Altitude, Altitude);
    if (!NT_SUCCESS(Status)) {
        FltpFreeInstance(Instance);
        return Status;
    }
    Instance->AltitudeNumber = FltpWholeAltitude(Altitude);
    *NewInstance = Instance;
    return STATUS_SUCCESS;

FreeMemory:
    ExFreePoolWithTag(Instance, FLTP_TAG_INSTANCE);
    return Status;
}

NTSTATUS FltpAttachInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name,
                            PCUNICODE_STRING Altitude, FLT_INSTANCE_SETUP_FLAGS Flags,
                            PFLT_INSTANCE *NewInstance)
{
    FLT_RELATED_OBJECTS Objects;
    PFLT_INSTANCE Instance;
    NTSTATUS Status;

    if (!FltpAltitudeIsValid(Altitude->Buffer, Altitude->Length / sizeof(WCHAR)))
        return STATUS_INVALID_PARAMETER;
    if (Filter->Unloading)
        return STATUS_FLT_DELETING_OBJECT;
    Status = FltpNewInstance(Filter, Volume, Name, Altitude, &Instance);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpInsertInstance(Volume, Instance);
    if (!NT_SUCCESS(Status)) {
        FltpFreeInstance(Instance);
        return Status;
    }
    if (Filter->Registration.InstanceSetupCallback != NULL) {
        FltpFillObjects(&Objects, Instance, NULL);
        Status = Filter->Registration.InstanceSetupCallback(&Objects, Flags, Volume->Device->DeviceType,
                                                            Volume->Type);
    }
    if (!NT_SUCCESS(Status)) {
        Instance->TearingDown = TRUE;
        FltpWaitForRundown(&Instance->Object.Rundown);
        FltpRemoveInstance(Instance);
        FltpFreeInstance(Instance);
        return Status;
    }
    if (NewInstance != NULL) {
        FltpAcquireRundown(&Instance->Object.Rundown);
        FltpHandOut(Instance);
        *NewInstance = Instance;
    }
    FltpSetInstanceState(Instance, FltpInstanceActive);
    return STATUS_SUCCESS;
}

/* Every instance in the filter's key that does not say it is attached by hand only. */
VOID FltpAttachAutomatically(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_SETUP_FLAGS Flags)
{
    UNICODE_STRING Instances, Name, Key, Altitude;
    ULONG Suppress;

    if (!NT_SUCCESS(FltpJoinKey(&Instances, &Filter->ServiceKey, L"Instances", NULL)))
        return;
    for (ULONG Index = 0; NT_SUCCESS(FltpEnumerateKey(&Instances, Index, &Name)); Index++) {
        if (NT_SUCCESS(FltpJoinKey(&Key, &Filter->ServiceKey, L"Instances", &Name))) {
            Suppress = 0;
            FltpReadUlong(&Key, L"Flags", &Suppress);
            if (!FlagOn(Suppress, 1) && NT_SUCCESS(FltpReadString(&Key, L"Altitude", &Altitude))) {
                FltpAttachInstance(Filter, Volume, &Name, &Altitude,
                                   Flags | FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT, NULL);
                FltpFreeString(&Altitude);
            }
            FltpFreeString(&Key);
        }
        FltpFreeString(&Name);
    }
    FltpFreeString(&Instances);
}

/*
 * The caller holds no reference.  STATUS_FLT_DELETING_OBJECT when somebody else is at it already; who must
 * know that the instance is gone waits for the volume's or the filter's rundown.
 */
NTSTATUS FltpTearDownInstance(PFLT_INSTANCE Instance, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_FILTER Filter = Instance->Filter;
    FLT_RELATED_OBJECTS Objects;

    if (InterlockedExchange(&Instance->TearingDown, TRUE))
        return STATUS_FLT_DELETING_OBJECT;
    FltpFillObjects(&Objects, Instance, NULL);
    FltpSetInstanceState(Instance, FltpInstanceTeardown);
    if (Filter->Registration.InstanceTeardownStartCallback != NULL)
        Filter->Registration.InstanceTeardownStartCallback(&Objects, Reason);
    FltpBeginRundown(&Instance->Object.Rundown);
    FltpDrainInstance(Instance);
    FltpWaitForRundown(&Instance->Object.Rundown);
    if (Filter->Registration.InstanceTeardownCompleteCallback != NULL)
        Filter->Registration.InstanceTeardownCompleteCallback(&Objects, Reason);
    FltpRemoveInstance(Instance);
    FltpFreeInstance(Instance);
    return STATUS_SUCCESS;
}

PFLT_INSTANCE FltpFindInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name)
{
    PFLT_INSTANCE Found = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if ((Filter == NULL || Instance->Filter == Filter) &&
            (Name == NULL || FltpEqualNames(&Instance->Name, Name)) &&
            FltpAcquireRundown(&Instance->Object.Rundown)) {
            Found = Instance;
            break;
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Found;
}

/* As a user detaches: the filter is asked, and one that has no callback to be asked by says no. */
NTSTATUS FltpDetachManually(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name)
{
    PFLT_INSTANCE Instance = FltpFindInstance(Filter, Volume, Name);
    FLT_RELATED_OBJECTS Objects;
    NTSTATUS Status = STATUS_FLT_DO_NOT_DETACH;

    if (Instance == NULL)
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    if (Filter->Registration.InstanceQueryTeardownCallback != NULL) {
        FltpFillObjects(&Objects, Instance, NULL);
        Status = Filter->Registration.InstanceQueryTeardownCallback(&Objects, 0);
    }
    FltpReleaseRundown(&Instance->Object.Rundown);
    if (!NT_SUCCESS(Status))
        return Status;
    return FltpTearDownInstance(Instance, FLTFL_INSTANCE_TEARDOWN_MANUAL);
}

/* The key of an instance, or of the default one; its name and altitude come back allocated. */
static NTSTATUS FltpReadInstance(PFLT_FILTER Filter, PCUNICODE_STRING InstanceName, PUNICODE_STRING Altitude)
{
    UNICODE_STRING Key;
    ULONG Suppress = 0;
    NTSTATUS Status = FltpJoinKey(&Key, &Filter->ServiceKey, L"Instances", InstanceName);

    if (!NT_SUCCESS(Status))
        return Status;
    FltpReadUlong(&Key, L"Flags", &Suppress);
    Status = FlagOn(Suppress, 2) ? STATUS_FLT_DO_NOT_ATTACH : FltpReadString(&Key, L"Altitude", Altitude);
    FltpFreeString(&Key);
    return Status;
}

NTSTATUS FLTAPI FltAttachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName,
                                PFLT_INSTANCE *RetInstance)
{
    PCUNICODE_STRING Name = InstanceName != NULL ? InstanceName : &Filter->DefaultInstance;
    UNICODE_STRING Altitude;
    NTSTATUS Status;

    if (!Filter->Started)
        return STATUS_FLT_FILTER_NOT_READY;
    Status = FltpReadInstance(Filter, Name, &Altitude);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpAttachInstance(Filter, Volume, Name, &Altitude, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT,
                                RetInstance);
    FltpFreeString(&Altitude);
    /* Documented for this routine, where FltAttachVolumeAtAltitude has a code of the filter manager's. */
    return Status == STATUS_FLT_INSTANCE_ALTITUDE_COLLISION ? STATUS_OBJECT_NAME_COLLISION : Status;
}

NTSTATUS FLTAPI FltAttachVolumeAtAltitude(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Altitude,
                                          PCUNICODE_STRING InstanceName, PFLT_INSTANCE *RetInstance)
{
    UNICODE_STRING Name;
    NTSTATUS Status;

    if (!Filter->Started)
        return STATUS_FLT_FILTER_NOT_READY;
    if (InstanceName != NULL)
        return FltpAttachInstance(Filter, Volume, InstanceName, Altitude,
                                  FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT, RetInstance);
    /* Without a name: the default instance's with the altitude behind it, which is as unique as the altitude.
     */
    Status = FltpJoinKey(&Name, &Filter->DefaultInstance, L"at", Altitude);
    if (NT_SUCCESS(Status)) {
        Status = FltpAttachInstance(Filter, Volume, &Name, Altitude, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT,
                                    RetInstance);
        FltpFreeString(&Name);
    }
    return Status;
}

NTSTATUS FLTAPI FltDetachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName)
{
    PFLT_INSTANCE Instance = FltpFindInstance(Filter, Volume, InstanceName);

    if (Instance == NULL)
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    FltpReleaseRundown(&Instance->Object.Rundown);
    return FltpTearDownInstance(Instance, FLTFL_INSTANCE_TEARDOWN_MANUAL);
}

LONG FLTAPI FltCompareInstanceAltitudes(PFLT_INSTANCE Instance1, PFLT_INSTANCE Instance2)
{
    return FltpCompareAltitudeStrings(&Instance1->Altitude, &Instance2->Altitude);
}

/* The instance next to the given one in the given direction, referenced. */
static NTSTATUS FltpNeighbour(PFLT_VOLUME Volume, PLIST_ENTRY From, BOOLEAN Down, PFLT_INSTANCE *Neighbour)
{
    NTSTATUS Status = STATUS_NO_MORE_ENTRIES;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Down ? From->Flink : From->Blink; Link != &Volume->Instances;
         Link = Down ? Link->Flink : Link->Blink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if (FltpAcquireRundown(&Instance->Object.Rundown)) {
            FltpHandOut(Instance);
            *Neighbour = Instance;
            Status = STATUS_SUCCESS;
            break;
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Status;
}

NTSTATUS FLTAPI FltGetTopInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
    return FltpNeighbour(Volume, &Volume->Instances, TRUE, Instance);
}

NTSTATUS FLTAPI FltGetBottomInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
    return FltpNeighbour(Volume, &Volume->Instances, FALSE, Instance);
}

NTSTATUS FLTAPI FltGetUpperInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *UpperInstance)
{
    return FltpNeighbour(CurrentInstance->Volume, &CurrentInstance->Link, FALSE, UpperInstance);
}

NTSTATUS FLTAPI FltGetLowerInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *LowerInstance)
{
    return FltpNeighbour(CurrentInstance->Volume, &CurrentInstance->Link, TRUE, LowerInstance);
}

NTSTATUS FLTAPI FltGetVolumeInstanceFromName(PFLT_FILTER Filter, PFLT_VOLUME Volume,
                                             PCUNICODE_STRING InstanceName, PFLT_INSTANCE *RetInstance)
{
    *RetInstance = FltpFindInstance(Filter, Volume, InstanceName);
    if (*RetInstance == NULL)
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    FltpHandOut(*RetInstance);
    return STATUS_SUCCESS;
}

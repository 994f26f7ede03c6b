/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * instance.c: a filter's attachments to volumes.  An instance sees operations from the moment its setup
 * callback has agreed until its teardown begins; its teardown returns only when nothing holds it any more.
 *
 * Two counts: operations hold Io, and the teardown-complete callback waits for them; references and queued work
 * hold the object, and only its memory waits for those.
 *
 * All callbacks are called at PASSIVE_LEVEL without any lock.  Instances of one volume have different
 * altitudes and different names.
 */
#include <context.h>
#include <operation.h>
#include "altitude.h"
#include "hold.h"

static VOID FltpFreeInstance(PFLT_INSTANCE Instance)
{
    FltpFreeString(&Instance->Name);
    FltpFreeString(&Instance->Altitude);
    FltpFreeContextList(&Instance->Contexts);
    Instance->Object.Magic = FLTP_MAGIC_FREE;
    FltpReleaseRundown(&Instance->Filter->Object.Rundown);
    FltpReleaseRundown(&Instance->Volume->Object.Rundown);
    ExFreePoolWithTag(Instance, FLTP_TAG_INSTANCE);
}

static ULONG64 FltpWholeAltitude(PCUNICODE_STRING Altitude)
{
    ULONG64 Number = 0;

    for (ULONG Index = 0; Index < Altitude->Length / sizeof(WCHAR) && Altitude->Buffer[Index] != '.'; Index++) {
        if (Number > MAXULONG64 / 10 - 1)
            return MAXULONG64;
        Number = Number * 10 + (Altitude->Buffer[Index] - '0');
    }
    return Number;
}

static int FltpCompareAltitudeStrings(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    return FltpAltitudeCompare(Left->Buffer, Left->Length / sizeof(WCHAR), Right->Buffer,
                               Right->Length / sizeof(WCHAR));
}

/* A name as a volume's tree has it. */
typedef struct _FLTP_NAME_KEY {
    PCUNICODE_STRING Name;
    ULONG Hash;
} FLTP_NAME_KEY;

static int FltpCompareAltitudeKey(const VOID *Key, const FLTP_TREE_NODE *Node)
{
    const FLT_INSTANCE *Left = Key, *Right = CONTAINING_RECORD(Node, FLT_INSTANCE, AltitudeNode);

    if (Left->AltitudeNumber != Right->AltitudeNumber)
        return Left->AltitudeNumber < Right->AltitudeNumber ? -1 : 1;
    return FltpCompareAltitudeStrings(&Left->Altitude, &Right->Altitude);
}

/* By hash, then letter by letter: any order will do. */
static int FltpCompareNameKey(const VOID *Key, const FLTP_TREE_NODE *Node)
{
    const FLTP_NAME_KEY *Wanted = Key;
    const FLT_INSTANCE *Instance = CONTAINING_RECORD(Node, FLT_INSTANCE, NameNode);

    if (Wanted->Hash != Instance->NameHash)
        return Wanted->Hash < Instance->NameHash ? -1 : 1;
    return FltpCompareNames(Wanted->Name, &Instance->Name);
}

VOID FltpInitializeInstances(PFLT_VOLUME Volume)
{
    InitializeListHead(&Volume->Instances);
    Volume->ByAltitude.Compare = FltpCompareAltitudeKey;
    Volume->ByName.Compare = FltpCompareNameKey;
}

/*
 * Puts the instance in its place, unless one of the same altitude or name is there.  Filter or volume may have
 * begun to go since they were asked last: who takes instances down looks under this lock, and misses none.
 */
static NTSTATUS FltpInsertInstance(PFLT_VOLUME Volume, PFLT_INSTANCE Instance)
{
    FLTP_NAME_KEY Name = {&Instance->Name, Instance->NameHash};
    PFLTP_TREE_NODE Lower, Ignored;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    NTSTATUS Status = Instance->Filter->Unloading || Volume->Detached ? STATUS_FLT_DELETING_OBJECT : STATUS_SUCCESS;

    if (NT_SUCCESS(Status) && FltpFindNode(&Volume->ByName, &Name, &Ignored) != NULL)
        Status = STATUS_FLT_INSTANCE_NAME_COLLISION;
    if (NT_SUCCESS(Status) && FltpFindNode(&Volume->ByAltitude, Instance, &Lower) != NULL)
        Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
    if (NT_SUCCESS(Status)) {
        InsertTailList(Lower != NULL ? &CONTAINING_RECORD(Lower, FLT_INSTANCE, AltitudeNode)->Link : &Volume->Instances,
                       &Instance->Link);
        FltpInsertNode(&Volume->ByAltitude, Instance, &Instance->AltitudeNode);
        FltpInsertNode(&Volume->ByName, &Name, &Instance->NameNode);
        InterlockedIncrement(&Volume->InstanceCount);
        InterlockedIncrement(&Instance->Filter->InstanceCount);
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Status;
}

static VOID FltpRemoveInstance(PFLT_INSTANCE Instance)
{
    PFLT_VOLUME Volume = Instance->Volume;
    FLTP_NAME_KEY Name = {&Instance->Name, Instance->NameHash};
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    FltpRaiseTargetsLocked(Instance);
    RemoveEntryList(&Instance->Link);
    FltpRemoveNode(&Volume->ByAltitude, Instance, &Instance->AltitudeNode);
    FltpRemoveNode(&Volume->ByName, &Name, &Instance->NameNode);
    InterlockedDecrement(&Volume->InstanceCount);
    InterlockedDecrement(&Instance->Filter->InstanceCount);
    KeReleaseSpinLock(&Volume->Lock, Irql);
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
    InitializeListHead(&Instance->Targets);
    FltpInitializeRundown(&Instance->Object.Rundown);
    FltpInitializeRundown(&Instance->Io);
    KeInitializeEvent(&Instance->SetUp, NotificationEvent, FALSE);
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
    if (NT_SUCCESS(Status))
        Status = FltpCreateInstanceContexts(Instance);
    if (!NT_SUCCESS(Status)) {
        FltpFreeInstance(Instance);
        return Status;
    }
    Instance->AltitudeNumber = FltpWholeAltitude(Altitude);
    Instance->NameHash = FltpHashName(Name);
    *NewInstance = Instance;
    return STATUS_SUCCESS;

FreeMemory:
    ExFreePoolWithTag(Instance, FLTP_TAG_INSTANCE);
    return Status;
}

/* --- The filter's callbacks, which leave the thread as they found it --- */

static NTSTATUS FltpCallSetup(PFLT_INSTANCE Instance, FLT_INSTANCE_SETUP_FLAGS Flags)
{
    PFLT_INSTANCE_SETUP_CALLBACK Setup = Instance->Filter->Registration.InstanceSetupCallback;
    PFLTP_HOLD Hold = FltpBeginHold(&Instance->Object, (PVOID)Setup);
    FLT_RELATED_OBJECTS Objects;
    NTSTATUS Status;
    FV_CALL Call;

    FltpFillObjects(&Objects, Instance, NULL);
    FvBeginCall(&Call);
    Status = Setup(&Objects, Flags, Instance->Volume->Device->DeviceType, Instance->Volume->Type);
    FvEndCall(&Call, (PVOID)Setup, "instance setup callback", (ULONG_PTR)Instance);
    FltpEndHold(Hold);
    return Status;
}

static NTSTATUS FltpCallQuery(PFLT_INSTANCE Instance)
{
    PFLT_INSTANCE_QUERY_TEARDOWN_CALLBACK Query = Instance->Filter->Registration.InstanceQueryTeardownCallback;
    PFLTP_HOLD Hold = FltpBeginHold(&Instance->Object, (PVOID)Query);
    FLT_RELATED_OBJECTS Objects;
    NTSTATUS Status;
    FV_CALL Call;

    FltpFillObjects(&Objects, Instance, NULL);
    FvBeginCall(&Call);
    Status = Query(&Objects, 0);
    FvEndCall(&Call, (PVOID)Query, "instance query-teardown callback", (ULONG_PTR)Instance);
    FltpEndHold(Hold);
    return Status;
}

static VOID FltpCallTeardown(PFLT_INSTANCE Instance, PFLT_INSTANCE_TEARDOWN_CALLBACK Teardown, PCSTR What,
                             FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    FLT_RELATED_OBJECTS Objects;
    FV_CALL Call;

    FltpFillObjects(&Objects, Instance, NULL);
    FvBeginCall(&Call);
    Teardown(&Objects, Reason);
    FvEndCall(&Call, (PVOID)Teardown, What, (ULONG_PTR)Instance);
}

/* --- Attaching and going --- */

/* The memory is free once nothing refers to the instance. */
static VOID FltpEndInstance(PFLT_INSTANCE Instance, PFLTP_HOLD Hold)
{
    FltpBeginRundown(&Instance->Object.Rundown); /* no contexts from here on; their ends may give references back */
    FltpEndInstanceContexts(Instance);
    FltpWaitForObject(&Instance->Object, "an instance's references");
    FltpRemoveInstance(Instance);
    FltpEndHold(Hold);
    FltpFreeInstance(Instance);
}

/* The setup callback said no.  Whoever tears the instance down already waits for that word, and then ends it. */
static VOID FltpRefused(PFLT_INSTANCE Instance)
{
    if (!InterlockedExchange(&Instance->TearingDown, TRUE)) {
        FltpEndInstance(Instance, NULL);
    } else {
        Instance->Refused = TRUE;
        KeSetEvent(&Instance->SetUp, IO_NO_INCREMENT, FALSE);
    }
}

static NTSTATUS FltpAttachInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name,
                                   PCUNICODE_STRING Altitude, FLT_INSTANCE_SETUP_FLAGS Flags,
                                   PFLT_INSTANCE *NewInstance)
{
    PFLT_INSTANCE Instance;
    NTSTATUS Status;

    if (!FltpAltitudeIsValid(Altitude->Buffer, Altitude->Length / sizeof(WCHAR)) || Name->Length == 0 ||
        Name->Length > INSTANCE_NAME_MAX_CHARS * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    Status = FltpNewInstance(Filter, Volume, Name, Altitude, &Instance);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpInsertInstance(Volume, Instance);
    if (!NT_SUCCESS(Status)) {
        FltpFreeInstance(Instance);
        return Status;
    }
    if (Filter->Registration.InstanceSetupCallback != NULL)
        Status = FltpCallSetup(Instance, Flags);
    if (!NT_SUCCESS(Status)) {
        FltpRefused(Instance);
        return Status;
    }
    if (NewInstance != NULL) {
        FltpAcquireRundown(&Instance->Object.Rundown); /* teardown does not begin before SetUp is set */
        FltpHandOut(Instance);
        *NewInstance = Instance;
    }
    FltpSetInstanceState(Instance, FltpInstanceActive);
    InterlockedIncrement(&Volume->NameGeneration);
    KeSetEvent(&Instance->SetUp, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

/* Every instance in the filter's key that does not say it is attached by hand only. */
VOID FltpAttachAutomatically(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_SETUP_FLAGS Flags)
{
    UNICODE_STRING Instances, Name, Key, Altitude;
    ULONG Suppress;

    if (!NT_SUCCESS(FltpJoinKey(&Instances, &Filter->InstancesIn, L"Instances", NULL)))
        return;
    for (ULONG Index = 0; NT_SUCCESS(FltpEnumerateKey(&Instances, Index, &Name)); Index++) {
        if (NT_SUCCESS(FltpJoinKey(&Key, &Filter->InstancesIn, L"Instances", &Name))) {
            Suppress = 0;
            FltpReadUlong(&Key, L"Flags", &Suppress);
            if (!FlagOn(Suppress, 1) && NT_SUCCESS(FltpReadString(&Key, L"Altitude", &Altitude))) {
                FltpAttachInstance(Filter, Volume, &Name, &Altitude, Flags | FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT,
                                   NULL);
                FltpFreeString(&Altitude);
            }
            FltpFreeString(&Key);
        }
        FltpFreeString(&Name);
    }
    FltpFreeString(&Instances);
}

/* Between the callbacks every operation under way is over for the instance, or drained. */
static VOID FltpRunTeardown(PFLT_INSTANCE Instance, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    const FLT_REGISTRATION *Registration = &Instance->Filter->Registration;

    FltpSetInstanceState(Instance, FltpInstanceTeardown);
    InterlockedIncrement(&Instance->Volume->NameGeneration);
    if (Registration->InstanceTeardownStartCallback != NULL)
        FltpCallTeardown(Instance, Registration->InstanceTeardownStartCallback, "instance teardown-start callback",
                         Reason);
    FltpBeginRundown(&Instance->Object.Rundown);
    FltpBeginRundown(&Instance->Io);
    FltpDrainInstance(Instance);
    FltpWaitForIo(Instance);
    if (Registration->InstanceTeardownCompleteCallback != NULL)
        FltpCallTeardown(Instance, Registration->InstanceTeardownCompleteCallback,
                         "instance teardown-complete callback", Reason);
}

/* Takes the caller's reference over.  STATUS_FLT_DELETING_OBJECT: somebody else is at it already. */
static NTSTATUS FltpTearDownInstance(PFLT_INSTANCE Instance, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    BOOLEAN Ours = !InterlockedExchange(&Instance->TearingDown, TRUE);
    PFLTP_HOLD Hold;

    FltpReleaseRundown(&Instance->Object.Rundown); /* if it is ours, nobody else frees it from here on */
    if (!Ours)
        return STATUS_FLT_DELETING_OBJECT;
    Hold = FltpBeginEnd(Instance, (PVOID)Instance->Filter->Registration.InstanceTeardownStartCallback);
    FltpWaitForSetup(Instance);
    if (!Instance->Refused)
        FltpRunTeardown(Instance, Reason);
    FltpEndInstance(Instance, Hold);
    return STATUS_SUCCESS;
}

/* The volume's Lock is held: one of the filter's, or any, that is not going, referenced. */
static NTSTATUS FltpFindAnyLocked(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_INSTANCE *Found)
{
    NTSTATUS Status = STATUS_FLT_INSTANCE_NOT_FOUND;

    if (Filter != NULL && Filter->InstanceCount == 0)
        return Status;
    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if (Filter != NULL && Instance->Filter != Filter)
            continue;
        if (!Instance->TearingDown && FltpAcquireRundown(&Instance->Object.Rundown)) {
            *Found = Instance;
            return STATUS_SUCCESS;
        }
        Status = STATUS_FLT_DELETING_OBJECT;
    }
    return Status;
}

static NTSTATUS FltpFindNamedLocked(PFLT_FILTER Filter, PFLT_VOLUME Volume, const FLTP_NAME_KEY *Name,
                                    PFLT_INSTANCE *Found)
{
    PFLTP_TREE_NODE Ignored, Node = FltpFindNode(&Volume->ByName, Name, &Ignored);
    PFLT_INSTANCE Instance = Node != NULL ? CONTAINING_RECORD(Node, FLT_INSTANCE, NameNode) : NULL;

    if (Instance == NULL || (Filter != NULL && Instance->Filter != Filter))
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    if (Instance->TearingDown || !FltpAcquireRundown(&Instance->Object.Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    *Found = Instance;
    return STATUS_SUCCESS;
}

/*
 * A referenced instance, the highest that matches; Filter and Name may be NULL.  STATUS_FLT_DELETING_OBJECT when
 * only such as are going match.  IRQL: <= DISPATCH_LEVEL.
 */
static NTSTATUS FltpFindInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name, PFLT_INSTANCE *Found)
{
    FLTP_RESIDENT_NAME Wanted;
    FLTP_NAME_KEY Key;
    NTSTATUS Status;
    KIRQL Irql;

    if (Name != NULL) {
        if (!FltpCopyName(&Wanted, Name))
            return STATUS_FLT_INSTANCE_NOT_FOUND;
        Key.Name = &Wanted.String;
        Key.Hash = FltpHashName(&Wanted.String);
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    Status = Name != NULL ? FltpFindNamedLocked(Filter, Volume, &Key, Found) : FltpFindAnyLocked(Filter, Volume, Found);
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Status;
}

VOID FltpTearDownInstances(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_INSTANCE Instance;

    while (NT_SUCCESS(FltpFindInstance(Filter, Volume, NULL, &Instance)))
        FltpTearDownInstance(Instance, Reason);
}

/* The key of an instance, or of the default one; its name and altitude come back allocated. */
static NTSTATUS FltpReadInstance(PFLT_FILTER Filter, PCUNICODE_STRING InstanceName, PUNICODE_STRING Altitude)
{
    UNICODE_STRING Key;
    ULONG Suppress = 0;
    NTSTATUS Status = FltpJoinKey(&Key, &Filter->InstancesIn, L"Instances", InstanceName);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadUlong(&Key, L"Flags", &Suppress); /* which need not be there */
    if (Status != STATUS_INSUFFICIENT_RESOURCES)
        Status = FlagOn(Suppress, 2) ? STATUS_FLT_DO_NOT_ATTACH : FltpReadString(&Key, L"Altitude", Altitude);
    FltpFreeString(&Key);
    return Status;
}

static NTSTATUS FltpMayAttach(PFLT_FILTER Filter, PFLT_VOLUME Volume)
{
    if (Filter->Unloading || Volume->Detached)
        return STATUS_FLT_DELETING_OBJECT;
    return Filter->Started ? STATUS_SUCCESS : STATUS_FLT_FILTER_NOT_READY;
}

NTSTATUS FLTAPI FltAttachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName,
                                PFLT_INSTANCE *RetInstance)
{
    PCUNICODE_STRING Name = InstanceName != NULL ? InstanceName : &Filter->DefaultInstance;
    UNICODE_STRING Altitude;
    NTSTATUS Status = FltpMayAttach(Filter, Volume);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadInstance(Filter, Name, &Altitude);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpAttachInstance(Filter, Volume, Name, &Altitude, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT, RetInstance);
    FltpFreeString(&Altitude);
    /* Documented for this routine, where FltAttachVolumeAtAltitude has a code of the filter manager's. */
    return Status == STATUS_FLT_INSTANCE_ALTITUDE_COLLISION ? STATUS_OBJECT_NAME_COLLISION : Status;
}

/* Documented: of the driver's name and the altitude, cut off at INSTANCE_NAME_MAX_CHARS. */
static NTSTATUS FltpMakeInstanceName(PFLT_FILTER Filter, PCUNICODE_STRING Altitude, PUNICODE_STRING Name)
{
    Name->Length = 0;
    Name->MaximumLength = INSTANCE_NAME_MAX_CHARS * sizeof(WCHAR);
    Name->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Name->MaximumLength, FLTP_TAG_NAME);
    if (Name->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG Part = 0; Part < 3; Part++) {
        UNICODE_STRING Middle = RTL_CONSTANT_STRING(L" - ");
        PCUNICODE_STRING Source = Part == 0 ? &Filter->Name : Part == 1 ? &Middle : Altitude;
        USHORT Bytes = min(Source->Length, Name->MaximumLength - Name->Length);

        RtlCopyMemory((PUCHAR)Name->Buffer + Name->Length, Source->Buffer, Bytes);
        Name->Length += Bytes;
    }
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltAttachVolumeAtAltitude(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Altitude,
                                          PCUNICODE_STRING InstanceName, PFLT_INSTANCE *RetInstance)
{
    UNICODE_STRING Name;
    NTSTATUS Status = FltpMayAttach(Filter, Volume);

    if (!NT_SUCCESS(Status))
        return Status;
    if (InstanceName != NULL)
        return FltpAttachInstance(Filter, Volume, InstanceName, Altitude, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT,
                                  RetInstance);
    Status = FltpMakeInstanceName(Filter, Altitude, &Name);
    if (NT_SUCCESS(Status)) {
        Status =
            FltpAttachInstance(Filter, Volume, &Name, Altitude, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT, RetInstance);
        FltpFreeString(&Name);
    }
    return Status;
}

/* The filter is asked, and one that has no callback to be asked by says no. */
NTSTATUS FLTAPI FltDetachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName)
{
    PFLT_INSTANCE Instance;
    NTSTATUS Status = FltpFindInstance(Filter, Volume, InstanceName, &Instance);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = STATUS_FLT_DO_NOT_DETACH;
    if (Filter->Registration.InstanceQueryTeardownCallback != NULL)
        Status = FltpCallQuery(Instance);
    if (!NT_SUCCESS(Status)) {
        FltpReleaseRundown(&Instance->Object.Rundown);
        return Status;
    }
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

NTSTATUS FLTAPI FltGetVolumeInstanceFromName(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName,
                                             PFLT_INSTANCE *RetInstance)
{
    NTSTATUS Status = FltpFindInstance(Filter, Volume, InstanceName, RetInstance);

    if (NT_SUCCESS(Status))
        FltpHandOut(*RetInstance);
    return Status;
}

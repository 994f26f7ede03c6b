/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.c: a filter's life: it registers, starts filtering, and goes, because its service is stopped
 * (mandatory), because somebody asks it to (it may refuse), or because it fails to load.  IRQL: PASSIVE_LEVEL
 * throughout, since the registry is read and teardown waits.
 */
#include <context.h>
#include <issue.h>
#include <name.h>
#include <port.h>
#include <work.h>
#include <query.h>
#include "altitude.h"
#include "hold.h"

NTSYSAPI PVOID NTAPI RtlFindExportedRoutineByName(PVOID Base, PCSTR Name);

/* How much of FLT_REGISTRATION each version has. */
static const struct {
    USHORT Version, Size;
} FltpVersions[] = {
    {FLT_REGISTRATION_VERSION_0200, FIELD_OFFSET(FLT_REGISTRATION, TransactionNotificationCallback)},
    {FLT_REGISTRATION_VERSION_0201, FIELD_OFFSET(FLT_REGISTRATION, NormalizeNameComponentExCallback)},
    {FLT_REGISTRATION_VERSION_0202, FIELD_OFFSET(FLT_REGISTRATION, SectionNotificationCallback)},
    {FLT_REGISTRATION_VERSION_0203, sizeof(FLT_REGISTRATION)},
};

static BOOLEAN FltpIsMajorFunction(UCHAR Major)
{
    return Major <= IRP_MJ_MAXIMUM_FUNCTION || Major >= IRP_MJ_RELEASE_FOR_CC_FLUSH || Major == IRP_MJ_QUERY_OPEN ||
           (Major <= IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE && Major >= IRP_MJ_VOLUME_DISMOUNT);
}

static NTSTATUS FltpTakeOperations(PFLT_FILTER Filter, const FLT_OPERATION_REGISTRATION *Operation)
{
    if (Operation == NULL)
        return STATUS_SUCCESS;
    for (; Operation->MajorFunction != IRP_MJ_OPERATION_END; Operation++) {
        PFLTP_CALLBACK Callback;

        if (!FltpIsMajorFunction(Operation->MajorFunction))
            return STATUS_INVALID_PARAMETER;
        Callback = &Filter->Callbacks[FltpOperationIndex(Operation->MajorFunction)];
        if (Callback->Pre != NULL || Callback->Post != NULL)
            return STATUS_INVALID_PARAMETER; /* registered twice */
        FltpCheckOptional((PVOID)Operation->PreOperation, "pre-callback");
        FltpCheckOptional((PVOID)Operation->PostOperation, "post-callback");
        Callback->Pre = Operation->PreOperation;
        Callback->Post = Operation->PostOperation;
        Callback->Flags = Operation->Flags;
    }
    return STATUS_SUCCESS;
}

/* From the unload callback on all that a registration has are callbacks. */
static VOID FltpCheckCallbacks(const FLT_REGISTRATION *Registration, ULONG Size)
{
    for (ULONG Field = FIELD_OFFSET(FLT_REGISTRATION, FilterUnloadCallback); Field < Size; Field += sizeof(PVOID))
        FltpCheckOptional(*(PVOID *)((PUCHAR)Registration + Field), "callback in FLT_REGISTRATION");
}

static NTSTATUS FltpCheckRegistration(const FLT_REGISTRATION *Registration)
{
    USHORT Known = 0;

    if (Registration == NULL)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpVersions); Index++) {
        if (Registration->Version == FltpVersions[Index].Version && Registration->Size >= FltpVersions[Index].Size)
            Known = FltpVersions[Index].Size;
    }
    if (!Known)
        return STATUS_INVALID_PARAMETER;
    FltpCheckCallbacks(Registration, Known);
    /* A name provider that normalizes has to generate names, too. */
    if (Registration->GenerateFileNameCallback == NULL && Registration->NormalizeNameComponentCallback != NULL)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* What a value that cannot be read means; only want of memory is told apart. */
static NTSTATUS FltpNotRegistered(NTSTATUS Status)
{
    return Status == STATUS_INSUFFICIENT_RESOURCES || Status == STATUS_NO_MEMORY ? STATUS_INSUFFICIENT_RESOURCES
                                                                                 : STATUS_OBJECT_NAME_NOT_FOUND;
}

/* The default instance's name, if the key `In` has instances. */
static NTSTATUS FltpReadDefaultInstance(PFLT_FILTER Filter, PCUNICODE_STRING In)
{
    UNICODE_STRING Instances;
    NTSTATUS Status = FltpJoinKey(&Instances, In, L"Instances", NULL);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadString(&Instances, L"DefaultInstance", &Filter->DefaultInstance);
    FltpFreeString(&Instances);
    return NT_SUCCESS(Status) ? FltpCopyString(&Filter->InstancesIn, In) : FltpNotRegistered(Status);
}

/*
 * The service's key, the default instance's name and its altitude.  Instances are in the service's key, or as Windows
 * 11 24H2 has them below its Parameters; where both are, the first count, which is what our target reads.
 */
static NTSTATUS FltpReadService(PFLT_FILTER Filter)
{
    static const UNICODE_STRING Services = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet");
    UNICODE_STRING Key;
    NTSTATUS Status = FltpJoinKey(&Filter->ServiceKey, &Services, L"Services", &Filter->Name);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadDefaultInstance(Filter, &Filter->ServiceKey);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        Status = FltpJoinKey(&Key, &Filter->ServiceKey, L"Parameters", NULL);
        if (!NT_SUCCESS(Status))
            return Status;
        Status = FltpReadDefaultInstance(Filter, &Key);
        FltpFreeString(&Key);
    }
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpJoinKey(&Key, &Filter->InstancesIn, L"Instances", &Filter->DefaultInstance);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadString(&Key, L"Altitude", &Filter->Altitude);
    FltpFreeString(&Key);
    if (!NT_SUCCESS(Status))
        return FltpNotRegistered(Status);
    return FltpAltitudeIsValid(Filter->Altitude.Buffer, Filter->Altitude.Length / sizeof(WCHAR))
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

/* One user less; the last frees it. */
static VOID FltpDropFilter(PFLT_FILTER Filter)
{
    if (InterlockedDecrement(&Filter->Users) > 0)
        return;
    FltpFreeString(&Filter->Name);
    FltpFreeString(&Filter->Altitude);
    FltpFreeString(&Filter->DefaultInstance);
    FltpFreeString(&Filter->ServiceKey);
    FltpFreeString(&Filter->InstancesIn);
    FltpFreeDefinitions(Filter);
    Filter->Object.Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Filter, FLTP_TAG_FILTER);
}

/* The driver's filter, used: FltpDropFilter gives it back.  Also one that unregisters just now. */
static PFLT_FILTER FltpFilterOfDriver(PDRIVER_OBJECT Driver)
{
    PFLT_FILTER Found = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);

    for (PLIST_ENTRY Link = FltpFilters.Flink; Link != &FltpFilters && Found == NULL; Link = Link->Flink) {
        PFLT_FILTER Filter = CONTAINING_RECORD(Link, FLT_FILTER, Link);

        if (Filter->Driver == Driver) {
            InterlockedIncrement(&Filter->Users);
            Found = Filter;
        }
    }
    KeReleaseSpinLock(&FltpLock, Irql);
    return Found;
}

/*
 * Calls the unload callback of a filter whose turn the caller has, and which is used, not referenced: its
 * FltUnregisterFilter waits for references.
 */
static NTSTATUS FltpCallUnload(PFLT_FILTER Filter, BOOLEAN Mandatory)
{
    PFLT_FILTER_UNLOAD_CALLBACK Unload = Filter->Registration.FilterUnloadCallback;
    NTSTATUS Status;
    FV_CALL Call;

    Filter->Mandatory = Mandatory;
    FvBeginCall(&Call);
    Status = Unload(Mandatory ? FLTFL_FILTER_UNLOAD_MANDATORY : 0);
    FvEndCall(&Call, (PVOID)Unload, "filter unload callback", (ULONG_PTR)Filter);
    if (!Mandatory && !NT_SUCCESS(Status))
        return Status;
    if (!Filter->Gone && FltpVerify) {
        FvBlame((PVOID)Unload);
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_UNREGISTERED, (ULONG_PTR)Filter, (ULONG_PTR)Unload, 0,
                      "rule=An unload callback agreed, and has not called FltUnregisterFilter\n");
    }
    return STATUS_SUCCESS;
}

/* What the driver's unload is replaced by: its service is stopped, which it cannot refuse. */
static VOID NTAPI FltpDriverUnload(PDRIVER_OBJECT Driver)
{
    PFLT_FILTER Filter = FltpFilterOfDriver(Driver);
    PDRIVER_UNLOAD Original = NULL;

    if (Filter != NULL) {
        KeWaitForSingleObject(&Filter->UnloadTurn, Executive, KernelMode, FALSE, NULL);
        if (!Filter->Gone) {
            Original = Filter->DriverUnload;
            FltpCallUnload(Filter, TRUE);
        }
        KeSetEvent(&Filter->UnloadTurn, IO_NO_INCREMENT, FALSE);
        FltpDropFilter(Filter);
    }
    if (Original != NULL)
        Original(Driver);
}

/* Highest altitude first, as filters are enumerated. */
static VOID FltpInsertFilter(PFLT_FILTER Filter)
{
    PUNICODE_STRING Altitude = &Filter->Altitude;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    PLIST_ENTRY Place = FltpFilters.Flink;

    while (Place != &FltpFilters) {
        PUNICODE_STRING Other = &CONTAINING_RECORD(Place, FLT_FILTER, Link)->Altitude;

        if (FltpAltitudeCompare(Altitude->Buffer, Altitude->Length / sizeof(WCHAR), Other->Buffer,
                                Other->Length / sizeof(WCHAR)) > 0)
            break;
        Place = Place->Flink;
    }
    InsertTailList(Place, &Filter->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
}

NTSTATUS FLTAPI FltRegisterFilter(PDRIVER_OBJECT Driver, CONST FLT_REGISTRATION *Registration, PFLT_FILTER *RetFilter)
{
    UNICODE_STRING Name;
    PFLT_FILTER Filter;
    NTSTATUS Status = FltpCheckRegistration(Registration);

    if (!NT_SUCCESS(Status))
        return Status;
    if (FltpDriverObject == NULL)
        return STATUS_FLT_NOT_INITIALIZED;
    Filter = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Filter), FLTP_TAG_FILTER);
    if (Filter == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Filter, sizeof(*Filter));
    Filter->Object.Magic = FLTP_MAGIC_FILTER;
    FltpInitializeRundown(&Filter->Object.Rundown);
    Filter->Users = 1;
    KeInitializeEvent(&Filter->UnloadTurn, SynchronizationEvent, TRUE);
    Filter->Driver = Driver;
    RtlCopyMemory(&Filter->Registration, Registration, min(Registration->Size, sizeof(*Registration)));
    Name = Driver->DriverExtension->ServiceKeyName;
    Status = FltpCopyString(&Filter->Name, &Name);
    if (NT_SUCCESS(Status))
        Status = FltpTakeOperations(Filter, Registration->OperationRegistration);
    if (NT_SUCCESS(Status))
        Status = FltpDefineContexts(Filter, Registration->ContextRegistration);
    if (NT_SUCCESS(Status))
        Status = FltpReadService(Filter);
    if (!NT_SUCCESS(Status)) {
        FltpDropFilter(Filter);
        return Status;
    }
    Filter->DriverUnload = Driver->DriverUnload;
    Driver->DriverUnload = Registration->FilterUnloadCallback != NULL &&
                                   !FlagOn(Registration->Flags, FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP)
                               ? FltpDriverUnload
                               : NULL;
    if (Registration->GenerateFileNameCallback != NULL)
        InterlockedIncrement(&FltpNameProviders);
    FltpInsertFilter(Filter);
    *RetFilter = Filter;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltStartFiltering(PFLT_FILTER Filter)
{
    PFLT_VOLUME Volume = NULL;

    if (Filter == NULL || Filter->Object.Magic != FLTP_MAGIC_FILTER || InterlockedExchange(&Filter->Started, TRUE))
        return STATUS_INVALID_PARAMETER;
    while ((Volume = FltpNextVolume(Volume)) != NULL) {
        if (!Volume->IsNew || Volume->SetUpBy != NULL) /* else its first create finds this filter, too */
            FltpAttachAutomatically(Filter, Volume, 0);
    }
    return STATUS_SUCCESS;
}

/* Returns when nothing of the filter is under way any more: no operation, no work, no reference. */
VOID FLTAPI FltUnregisterFilter(PFLT_FILTER Filter)
{
    FLT_INSTANCE_TEARDOWN_FLAGS Reason =
        Filter->Mandatory ? FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD : FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD;
    PFLT_VOLUME Volume = NULL;
    KIRQL Irql;

    if (Filter->Object.Magic != FLTP_MAGIC_FILTER || InterlockedExchange(&Filter->Unregistered, TRUE))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_OBJECT, (ULONG_PTR)Filter, 0, 0,
                      "rule=FltUnregisterFilter was given no filter, or one that is unregistered already\n");
    InterlockedExchange(&Filter->Unloading, TRUE);
    FltpBeginRundown(&Filter->Object.Rundown); /* no new instance, no new work */
    FltpDisconnectFilter(Filter);
    while ((Volume = FltpNextVolume(Volume)) != NULL)
        FltpTearDownInstances(Filter, Volume, Reason);
    FltpEndFilterContexts(Filter);
    FltpWaitForObject(&Filter->Object, "a filter's references");
    FltpDisconnectFilter(Filter); /* one that was just connecting */
    FltpEndPorts(Filter);
    Filter->Driver->DriverUnload = Filter->DriverUnload;
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    RemoveEntryList(&Filter->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
    if (Filter->Registration.GenerateFileNameCallback != NULL)
        InterlockedDecrement(&FltpNameProviders);
    Filter->Gone = TRUE;
    FltpDropFilter(Filter);
}

/* A voluntary unload: the filter agrees and is gone, and its image goes.  Filter is used. */
static NTSTATUS FltpUnloadWillingly(PFLT_FILTER Filter)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    PDRIVER_OBJECT Driver = Filter->Driver;
    NTSTATUS Status;

    if (KeWaitForSingleObject(&Filter->UnloadTurn, Executive, KernelMode, FALSE, &Now) != STATUS_SUCCESS)
        return STATUS_FLT_DELETING_OBJECT;
    Status = Filter->Unloading ? STATUS_FLT_DELETING_OBJECT : FltpCallUnload(Filter, FALSE);
    KeSetEvent(&Filter->UnloadTurn, IO_NO_INCREMENT, FALSE);
    if (NT_SUCCESS(Status)) {
        if (Driver->DriverUnload == NULL)
            Driver->DriverUnload = FltpDriverUnload; /* or it could not be unloaded */
        Status = ZwUnloadDriver(&Filter->ServiceKey);
    }
    return Status;
}

/* Mandatory: the service is stopped, which some drivers do not support. */
NTSTATUS FltpUnloadFilter(PCUNICODE_STRING Name, BOOLEAN Mandatory)
{
    PDRIVER_OBJECT Driver;
    PFLT_FILTER Filter;
    NTSTATUS Status = FltpFindFilter(Name, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    InterlockedIncrement(&Filter->Users);
    Driver = Filter->Driver;
    ObReferenceObject(Driver);
    FltpReleaseRundown(&Filter->Object.Rundown); /* else its FltUnregisterFilter would wait for us */
    if (Filter->Registration.FilterUnloadCallback == NULL)
        Status = STATUS_FLT_DO_NOT_DETACH;
    else if (Mandatory)
        Status = ZwUnloadDriver(&Filter->ServiceKey);
    else
        Status = FltpUnloadWillingly(Filter);
    FltpDropFilter(Filter);
    ObDereferenceObject(Driver);
    return Status;
}

/* With the verifier on, a driver's image is about to be unmapped, however that came. */
VOID NTAPI FltpCheckUnload(PVOID Base, SIZE_T Size, PUNICODE_STRING Name)
{
    PFLT_FILTER Left = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);

    for (PLIST_ENTRY Link = FltpFilters.Flink; Link != &FltpFilters; Link = Link->Flink) {
        PFLT_FILTER Filter = CONTAINING_RECORD(Link, FLT_FILTER, Link);

        if (Filter->Driver->DriverStart == Base)
            Left = Filter;
    }
    KeReleaseSpinLock(&FltpLock, Irql);
    if (Left != NULL) {
        FvBlame((PVOID)Left->Driver->DriverInit);
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_UNREGISTERED, (ULONG_PTR)Left, (ULONG_PTR)Base, 0,
                      "rule=A filter is registered, and its driver is unloaded\n");
    }
    FltpCheckItemsAtUnload(Base, (PUCHAR)Base + Size, Name);
    FltpCheckIssuedAtUnload(Base, (PUCHAR)Base + Size, Name);
    FltpCheckFilesAtUnload(Base, (PUCHAR)Base + Size);
    FltpCheckNamesAtUnload(Base, (PUCHAR)Base + Size);
    FltpCheckReferencesAtUnload(Base);
}

/* The caller's code would go while it runs. */
static BOOLEAN FltpUnloadsItself(PCUNICODE_STRING Name, PVOID Caller)
{
    PFLT_FILTER Filter;
    BOOLEAN Itself;

    if (!NT_SUCCESS(FltpFindFilter(Name, &Filter)))
        return FALSE;
    Itself = KeReadStateEvent(&Filter->UnloadTurn) != 0 && /* else it goes already, which it is told */
             (ULONG_PTR)Caller - (ULONG_PTR)Filter->Driver->DriverStart < Filter->Driver->DriverSize;
    if (Itself && FltpVerify)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_UNLOADS_ITSELF, (ULONG_PTR)Filter, 0, 0,
                      "rule=A filter calls FltUnloadFilter to unload itself\n");
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Itself;
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltUnloadFilter(PCUNICODE_STRING FilterName)
{
    if (FltpUnloadsItself(FilterName, _ReturnAddress()))
        return STATUS_FLT_DO_NOT_DETACH;
    return FltpUnloadFilter(FilterName, FALSE);
}

PVOID FLTAPI FltGetRoutineAddress(PCSTR FltMgrRoutineName)
{
    return RtlFindExportedRoutineByName(FltpDriverObject->DriverStart, FltMgrRoutineName);
}

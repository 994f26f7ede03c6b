/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * register.c: a filter's life: it registers, starts filtering, and goes, because its service is stopped
 * (mandatory), because somebody asks it to (it may refuse), or because it fails to load.  IRQL: PASSIVE_LEVEL
 * throughout, since the registry is read and teardown waits.
 */
#include "fltmgrp.h"

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
    return Major <= IRP_MJ_MAXIMUM_FUNCTION || Major >= IRP_MJ_RELEASE_FOR_CC_FLUSH ||
           Major == IRP_MJ_QUERY_OPEN ||
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
        Callback->Pre = Operation->PreOperation;
        Callback->Post = Operation->PostOperation;
        Callback->Flags = Operation->Flags;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS FltpCheckRegistration(const FLT_REGISTRATION *Registration)
{
    BOOLEAN Known = FALSE;

    if (Registration == NULL)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpVersions); Index++) {
        if (Registration->Version == FltpVersions[Index].Version &&
            Registration->Size >= FltpVersions[Index].Size)
            Known = TRUE;
    }
    if (!Known)
        return STATUS_INVALID_PARAMETER;
    /* A name provider that normalizes has to generate names, too. */
    if (Registration->GenerateFileNameCallback == NULL &&
        Registration->NormalizeNameComponentCallback != NULL)
        return STATUS_INVALID_PARAMETER;
    for (const FLT_CONTEXT_REGISTRATION *Context = Registration->ContextRegistration;
         Context != NULL && Context->ContextType != FLT_CONTEXT_END; Context++) {
        if (!FlagOn(FLT_ALL_CONTEXTS, Context->ContextType) ||
            (Context->ContextType & (Context->ContextType - 1)) != 0)
            return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* The service's key, the default instance's name and its altitude. */
static NTSTATUS FltpReadService(PFLT_FILTER Filter)
{
    static const UNICODE_STRING Services =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet");
    UNICODE_STRING Key, Instances;
    NTSTATUS Status = FltpJoinKey(&Filter->ServiceKey, &Services, L"Services", &Filter->Name);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpJoinKey(&Instances, &Filter->ServiceKey, L"Instances", NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadString(&Instances, L"DefaultInstance", &Filter->DefaultInstance);
    FltpFreeString(&Instances);
    if (!NT_SUCCESS(Status))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    Status = FltpJoinKey(&Key, &Filter->ServiceKey, L"Instances", &Filter->DefaultInstance);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpReadString(&Key, L"Altitude", &Filter->Altitude);
    FltpFreeString(&Key);
    if (!NT_SUCCESS(Status))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    return FltpAltitudeIsValid(Filter->Altitude.Buffer, Filter->Altitude.Length / sizeof(WCHAR))
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

static VOID FltpFreeFilter(PFLT_FILTER Filter)
{
    FltpFreeString(&Filter->Name);
    FltpFreeString(&Filter->Altitude);
    FltpFreeString(&Filter->DefaultInstance);
    FltpFreeString(&Filter->ServiceKey);
    Filter->Object.Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Filter, FLTP_TAG_FILTER);
}

/* The driver's filter, if it is registered; only to be told from NULL. */
static PFLT_FILTER FltpFilterOfDriver(PDRIVER_OBJECT Driver)
{
    PFLT_FILTER Filter = NULL;

    while ((Filter = FltpNextFilter(Filter)) != NULL) {
        if (Filter->Driver == Driver) {
            FltpReleaseRundown(&Filter->Object.Rundown);
            return Filter;
        }
    }
    return NULL;
}

/* What the driver's unload is replaced by: its service is stopped, which it cannot refuse. */
static VOID NTAPI FltpDriverUnload(PDRIVER_OBJECT Driver)
{
    PFLT_FILTER Filter = FltpFilterOfDriver(Driver);
    PDRIVER_UNLOAD Original = NULL;

    if (Filter != NULL) {
        Original = Filter->DriverUnload;
        Filter->Mandatory = TRUE;
        Filter->Registration.FilterUnloadCallback(FLTFL_FILTER_UNLOAD_MANDATORY);
        if (FltpFilterOfDriver(Driver) != NULL)
            FltpViolation(
                FLTMGR_FILE_SYSTEM, FLTP_NOT_UNREGISTERED, (ULONG_PTR)Filter, 0, 0,
                "rule=A mandatory unload returned, and the filter has not called FltUnregisterFilter\n");
    }
    if (Original != NULL)
        Original(Driver);
    FltpCheckWorkItemsAtUnload(Driver);
}

NTSTATUS FLTAPI FltRegisterFilter(PDRIVER_OBJECT Driver, CONST FLT_REGISTRATION *Registration,
                                  PFLT_FILTER *RetFilter)
{
    UNICODE_STRING Name;
    PFLT_FILTER Filter;
    NTSTATUS Status = FltpCheckRegistration(Registration);
    KIRQL Irql;

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
    Filter->Driver = Driver;
    RtlCopyMemory(&Filter->Registration, Registration, min(Registration->Size, sizeof(*Registration)));
    Name = Driver->DriverExtension->ServiceKeyName;
    Status = FltpCopyString(&Filter->Name, &Name);
    if (NT_SUCCESS(Status))
        Status = FltpTakeOperations(Filter, Registration->OperationRegistration);
    if (NT_SUCCESS(Status))
        Status = FltpReadService(Filter);
    if (!NT_SUCCESS(Status)) {
        FltpFreeFilter(Filter);
        return Status;
    }
    Filter->DriverUnload = Driver->DriverUnload;
    Driver->DriverUnload =
        Registration->FilterUnloadCallback != NULL &&
                !FlagOn(Registration->Flags, FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP)
            ? FltpDriverUnload
            : NULL;
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    InsertTailList(&FltpFilters, &Filter->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
    *RetFilter = Filter;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltStartFiltering(PFLT_FILTER Filter)
{
    PFLT_VOLUME Volume = NULL;

    if (Filter == NULL || Filter->Object.Magic != FLTP_MAGIC_FILTER ||
        InterlockedExchange(&Filter->Started, TRUE))
        return STATUS_INVALID_PARAMETER;
    while ((Volume = FltpNextVolume(Volume)) != NULL)
        FltpAttachAutomatically(Filter, Volume, 0);
    return STATUS_SUCCESS;
}

/* Returns when nothing of the filter is under way any more: no operation, no work, no reference. */
VOID FLTAPI FltUnregisterFilter(PFLT_FILTER Filter)
{
    FLT_INSTANCE_TEARDOWN_FLAGS Reason = Filter->Mandatory ? FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD
                                                           : FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD;
    PFLT_VOLUME Volume = NULL;
    PFLT_INSTANCE Instance;
    KIRQL Irql;

    if (Filter->Object.Magic != FLTP_MAGIC_FILTER || InterlockedExchange(&Filter->Unregistered, TRUE))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_OBJECT, (ULONG_PTR)Filter, 0, 0,
                      "rule=FltUnregisterFilter was given no filter, or one that is unregistered already\n");
    InterlockedExchange(&Filter->Unloading, TRUE);
    FltpBeginRundown(&Filter->Object.Rundown); /* no new instance, no new work */
    while ((Volume = FltpNextVolume(Volume)) != NULL) {
        while ((Instance = FltpFindInstance(Filter, Volume, NULL)) != NULL) {
            FltpReleaseRundown(&Instance->Object.Rundown);
            FltpTearDownInstance(Instance, Reason);
        }
    }
    FltpWaitForRundown(&Filter->Object.Rundown);
    Filter->Driver->DriverUnload = Filter->DriverUnload;
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    RemoveEntryList(&Filter->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
    FltpFreeFilter(Filter);
}

/* Filter is referenced; the reference is given up here. */
NTSTATUS FltpUnloadFilter(PFLT_FILTER Filter, BOOLEAN Mandatory)
{
    PDRIVER_OBJECT Driver = Filter->Driver;
    PFLT_FILTER_UNLOAD_CALLBACK Callback = Filter->Registration.FilterUnloadCallback;
    UNICODE_STRING ServiceKey;
    NTSTATUS Status = FltpCopyString(&ServiceKey, &Filter->ServiceKey);

    if (!NT_SUCCESS(Status) || Callback == NULL) {
        FltpReleaseRundown(&Filter->Object.Rundown);
        return NT_SUCCESS(Status) ? STATUS_FLT_DO_NOT_DETACH : Status;
    }
    Filter->Mandatory = Mandatory;
    FltpReleaseRundown(&Filter->Object.Rundown); /* else its FltUnregisterFilter would wait for us */
    if (!Mandatory) {
        Status = Callback(0);
        if (!NT_SUCCESS(Status))
            goto Exit;
        if (FltpFilterOfDriver(Driver) != NULL)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_UNREGISTERED, (ULONG_PTR)Driver, 0, 0,
                          "rule=A filter agreed to be unloaded and has not called FltUnregisterFilter\n");
    }
    /* The driver's own unload, if it has one, runs behind ours. */
    if (Driver->DriverUnload != FltpDriverUnload && (Driver->DriverUnload == NULL || Mandatory))
        Driver->DriverUnload = FltpDriverUnload;
    Status = ZwUnloadDriver(&ServiceKey);

Exit:
    FltpFreeString(&ServiceKey);
    return Status;
}

NTSTATUS FLTAPI FltUnloadFilter(PCUNICODE_STRING FilterName)
{
    PFLT_FILTER Filter = FltpFindFilter(FilterName);

    if (Filter == NULL)
        return STATUS_FLT_FILTER_NOT_FOUND;
    return FltpUnloadFilter(Filter, FALSE);
}

PVOID FLTAPI FltGetRoutineAddress(PCSTR FltMgrRoutineName)
{
    return RtlFindExportedRoutineByName(FltpDriverObject->DriverStart, FltMgrRoutineName);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FltRegisterFilter refuses and takes, and that nothing is left of what it refuses. */
#include "../../inc/minifilter.h"

static FLT_OPERATION_REGISTRATION Operations[4];
static FLT_CONTEXT_REGISTRATION Contexts[2];
static PFLT_FILTER Filter;
static PDRIVER_OBJECT Driver;

/* Which callback returns in a critical region. */
enum { InSetup = 1, InQuery, InStart, InComplete, InUnload };
static ULONG Leaves;

static VOID Leave(ULONG Where)
{
    if (Leaves == Where)
        KeEnterCriticalRegion();
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{ /* [1] */
    Leave(InSetup);
    return STATUS_SUCCESS;
}

static NTSTATUS Query(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{ /* [2] */
    Leave(InQuery);
    return STATUS_SUCCESS;
}

static VOID Start(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{ /* [3] */
    Leave(InStart);
}

static VOID Complete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{ /* [4] */
    Leave(InComplete);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{ /* [5] */
    DbgPrint("%wZ: unload\n", &Driver->DriverExtension->ServiceKeyName);
    FltUnregisterFilter(Filter);
    Leave(InUnload);
    return STATUS_SUCCESS;
}

static FLT_PREOP_CALLBACK_STATUS Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Normalize(PFLT_INSTANCE Instance, PCUNICODE_STRING Parent, USHORT VolumeLength,
                          PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION Expanded, ULONG Length,
                          FLT_NORMALIZE_NAME_FLAGS Flags, PVOID *Context)
{
    return STATUS_NOT_SUPPORTED;
}

static FLT_REGISTRATION Good(VOID)
{
    FLT_REGISTRATION Registration = {
        .Size = sizeof(FLT_REGISTRATION),
        .Version = FLT_REGISTRATION_VERSION,
        .OperationRegistration = Operations,
        .ContextRegistration = Contexts,
        .FilterUnloadCallback = Unload,
    };

    RtlZeroMemory(Operations, sizeof(Operations));
    Operations[0].MajorFunction = IRP_MJ_READ;
    Operations[0].PreOperation = Pre;
    Operations[1].MajorFunction = Operations[2].MajorFunction = Operations[3].MajorFunction = IRP_MJ_OPERATION_END;
    RtlZeroMemory(Contexts, sizeof(Contexts));
    Contexts[0].ContextType = Contexts[1].ContextType = FLT_CONTEXT_END;
    return Registration;
}

static NTSTATUS Try(const FLT_REGISTRATION *Registration)
{
    NTSTATUS Status = FltRegisterFilter(Driver, Registration, &Filter);

    if (NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}

static VOID CheckRefused(VOID)
{
    FLT_REGISTRATION Registration = Good();

    FvCheck(Try(NULL) == STATUS_INVALID_PARAMETER);
    Registration.Version = 0x0100;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration.Version = FLT_REGISTRATION_VERSION_0203 + 1;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration = Good();
    Registration.Size = FIELD_OFFSET(FLT_REGISTRATION, FilterUnloadCallback);
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration = Good();
    Operations[0].MajorFunction = 0x40; /* of nothing */
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration = Good();
    Operations[1] = Operations[0];
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration = Good();
    Registration.NormalizeNameComponentCallback = Normalize;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Registration = Good();
    Contexts[0].ContextType = 0x4000;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
    Contexts[0].ContextType = FLT_VOLUME_CONTEXT | FLT_INSTANCE_CONTEXT;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER);
}

static VOID CheckTaken(VOID)
{
    FLT_REGISTRATION Registration = Good();

    FvCheck(Try(&Registration) == STATUS_SUCCESS);
    Registration.Version = FLT_REGISTRATION_VERSION_0200;
    Registration.Size = FIELD_OFFSET(FLT_REGISTRATION, TransactionNotificationCallback);
    FvCheck(Try(&Registration) == STATUS_SUCCESS);
    Registration.Version = FLT_REGISTRATION_VERSION_0201;
    FvCheck(Try(&Registration) == STATUS_INVALID_PARAMETER); /* too short for it */
    Registration.Size = FIELD_OFFSET(FLT_REGISTRATION, NormalizeNameComponentExCallback);
    FvCheck(Try(&Registration) == STATUS_SUCCESS);
    Registration.Version = FLT_REGISTRATION_VERSION_0202;
    Registration.Size = FIELD_OFFSET(FLT_REGISTRATION, SectionNotificationCallback);
    FvCheck(Try(&Registration) == STATUS_SUCCESS);
    Registration = Good();
    Registration.OperationRegistration = NULL;
    Registration.ContextRegistration = NULL;
    FvCheck(Try(&Registration) == STATUS_SUCCESS);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FLT_REGISTRATION Registration = Good();
    NTSTATUS Status;

    Driver = DriverObject;
    if (ReadNumber(RegistryPath, L"Checks")) {
        FvTestPlan(15);
        CheckRefused();
        CheckTaken();
        Registration = Good();
    }
    Leaves = ReadNumber(RegistryPath, L"Leaves");
    if (Leaves != 0) {
        Registration.InstanceSetupCallback = Setup;
        Registration.InstanceQueryTeardownCallback = Query;
        Registration.InstanceTeardownStartCallback = Start;
        Registration.InstanceTeardownCompleteCallback = Complete;
    }
    if (ReadNumber(RegistryPath, L"NoUnload"))
        Registration.FilterUnloadCallback = NULL;
    if (ReadNumber(RegistryPath, L"NoStop"))
        Registration.Flags = FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP;
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
        if (NT_SUCCESS(Status) && ReadNumber(RegistryPath, L"Fails"))
            Status = STATUS_DEVICE_CONFIGURATION_ERROR;
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Filter);
    }
    return Status;
}

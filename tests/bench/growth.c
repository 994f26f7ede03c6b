/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures, in guest instructions, what an operation costs among 10, 1,000 and 10,000 others of its kind.
 *
 * DriverEntry makes that many (timers that are set, registry values, named objects, instances of one volume), measures
 * the operation with another one, and prints "bench NAME-COUNT NUMBER", the median of SAMPLES.  The machine is that of
 * benchmark.c.
 */
#include <fltKernel.h>

#define SAMPLES 21
#define KEY     L"\\Registry\\Machine\\Software\\Growth"

DRIVER_INITIALIZE DriverEntry;

typedef struct _TIMED {
    KTIMER Timer;
    KDPC Dpc;
} TIMED, *PTIMED;

static PFLT_FILTER Filter;
static ULONG64 Samples[SAMPLES];
static ULONG Among;
static NTSTATUS Failure;

static VOID Try(NTSTATUS Status)
{
    if (!NT_SUCCESS(Status) && NT_SUCCESS(Failure)) {
        Failure = Status;
        DbgPrint("bench failed %08x among %u\n", Status, Among);
    }
}

static VOID Report(PCSTR Name)
{
    ULONG Index, Other;

    for (Index = 1; Index < SAMPLES; Index++) {
        for (Other = Index; Other > 0 && Samples[Other - 1] > Samples[Other]; Other--) {
            ULONG64 Sample = Samples[Other];
            Samples[Other] = Samples[Other - 1];
            Samples[Other - 1] = Sample;
        }
    }
    DbgPrint("bench %s-%u %I64u\n", Name, Among, Samples[SAMPLES / 2]);
}

#define MEASURE(Name, Prepare, Operation, Undo)                                                                        \
    for (ULONG Sample = 0; Sample < SAMPLES; Sample++) {                                                               \
        ULONG64 Before;                                                                                                \
                                                                                                                       \
        Prepare;                                                                                                       \
        Before = __rdtsc();                                                                                            \
        Operation;                                                                                                     \
        Samples[Sample] = __rdtsc() - Before;                                                                          \
        Undo;                                                                                                          \
    }                                                                                                                  \
    Report(Name)

/* Text and a number of five digits. */
static VOID Numbered(PUNICODE_STRING Name, PWSTR Buffer, PCWSTR Text, ULONG Number)
{
    SIZE_T Length = wcslen(Text);

    RtlCopyMemory(Buffer, Text, Length * sizeof(WCHAR));
    for (ULONG Digit = 0; Digit < 5; Digit++, Number /= 10) {
        Buffer[Length + 4 - Digit] = (WCHAR)(L'0' + Number % 10);
    }
    Buffer[Length + 5] = 0;
    RtlInitUnicodeString(Name, Buffer);
}

static VOID NTAPI Nothing(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

/* From a second to hours away. */
static LARGE_INTEGER Due(ULONG Number)
{
    LARGE_INTEGER Time = {.QuadPart = -10000000LL - (LONGLONG)Number * 1234567 % 300000000000LL};

    return Time;
}

static PTIMED SetTimer(ULONG Number)
{
    PTIMED Timed = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Timed), 'hcnB');

    KeInitializeTimer(&Timed->Timer);
    KeInitializeDpc(&Timed->Dpc, Nothing, NULL);
    KeSetTimer(&Timed->Timer, Due(Number), &Timed->Dpc);
    return Timed;
}

static VOID MeasureTimers(VOID)
{
    PTIMED *Others = ExAllocatePoolWithTag(NonPagedPoolNx, Among * sizeof(*Others), 'hcnB'), Timed, One;
    PVOID Block;

    for (ULONG Number = 0; Number < Among; Number++) {
        Others[Number] = SetTimer(Number);
    }
    Timed = SetTimer(0);
    MEASURE("timer", ;, KeSetTimer(&Timed->Timer, Due(Sample * 4711), &Timed->Dpc); KeCancelTimer(&Timed->Timer), ;);
    MEASURE("pool", ;, Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, 'hcnB'); ExFreePoolWithTag(Block, 'hcnB'), ;);
    MEASURE("timed-pool", One = SetTimer(1); KeCancelTimer(&One->Timer), ExFreePoolWithTag(One, 'hcnB'), ;);
    ExFreePoolWithTag(Timed, 'hcnB');
    for (ULONG Number = 0; Number < Among; Number++) {
        KeCancelTimer(&Others[Number]->Timer);
        ExFreePoolWithTag(Others[Number], 'hcnB');
    }
    ExFreePoolWithTag(Others, 'hcnB');
}

static VOID MeasureRegistry(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(KEY);
    OBJECT_ATTRIBUTES Attributes;
    UCHAR Buffer[128];
    WCHAR Text[32];
    ULONG Length;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Try(ZwCreateKey(&Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_VOLATILE, NULL));
    for (ULONG Number = 0; Number < Among; Number++) {
        Numbered(&Name, Text, L"Value", Number);
        Try(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Number, sizeof(Number)));
    }
    MEASURE("registry-set", Numbered(&Name, Text, L"Value", 50000 + Sample),
            Try(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Sample, sizeof(Sample))),
            ;);
    MEASURE("registry-query", Numbered(&Name, Text, L"Value", Sample * 7919 % Among),
            Try(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)),
            ;);
    MEASURE(
        "registry-enumerate", ;
        , Try(ZwEnumerateValueKey(Key, Among / 2 + Sample, KeyValueBasicInformation, Buffer, sizeof(Buffer), &Length)),
        ;);
    for (ULONG Number = 0; Number < Among; Number++) {
        Numbered(&Name, Text, L"Value", Number);
        Try(ZwDeleteValueKey(Key, &Name));
    }
    Try(ZwDeleteKey(Key));
    ZwClose(Key);
}

static NTSTATUS OpenDirectory(HANDLE Parent, ULONG Number, BOOLEAN Create, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    WCHAR Text[32];

    Numbered(&Name, Text, Parent != NULL ? L"Name" : L"\\Growth", Number);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Parent, NULL);
    return Create ? ZwCreateDirectoryObject(Handle, DIRECTORY_ALL_ACCESS, &Attributes)
                  : ZwOpenDirectoryObject(Handle, DIRECTORY_QUERY, &Attributes);
}

static VOID MeasureNames(VOID)
{
    PHANDLE Handles = ExAllocatePoolWithTag(PagedPool, Among * sizeof(*Handles), 'hcnB');
    HANDLE Directory, One;

    Try(OpenDirectory(NULL, Among, TRUE, &Directory));
    for (ULONG Number = 0; Number < Among; Number++) {
        Try(OpenDirectory(Directory, Number, TRUE, &Handles[Number]));
    }
    MEASURE("name-create", ;, Try(OpenDirectory(Directory, 50000 + Sample, TRUE, &One)), ZwClose(One));
    MEASURE("name-open", ;, Try(OpenDirectory(Directory, Sample * 7919 % Among, FALSE, &One)), ZwClose(One));
    for (ULONG Number = 0; Number < Among; Number++) {
        ZwClose(Handles[Number]);
    }
    ZwClose(Directory);
    ExFreePoolWithTag(Handles, 'hcnB');
}

static NTSTATUS Attach(PFLT_VOLUME Volume, ULONG Number)
{
    UNICODE_STRING Altitude, Name;
    WCHAR AltitudeText[32], NameText[32];
    PFLT_INSTANCE Instance;
    NTSTATUS Status;

    Numbered(&Altitude, AltitudeText, L"3", Number);
    Numbered(&Name, NameText, L"Growth ", Number);
    Status = FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, &Name, &Instance);
    if (NT_SUCCESS(Status)) {
        FltObjectDereference(Instance);
    }
    return Status;
}

static NTSTATUS Detach(PFLT_VOLUME Volume, ULONG Number)
{
    UNICODE_STRING Name;
    WCHAR Text[32];

    Numbered(&Name, Text, L"Growth ", Number);
    return FltDetachVolume(Filter, Volume, &Name);
}

static VOID MeasureInstances(VOID)
{
    UNICODE_STRING VolumeName = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1"), Name;
    PFLT_INSTANCE Instance;
    PFLT_VOLUME Volume;
    WCHAR Text[32];

    Try(FltGetVolumeFromName(Filter, &VolumeName, &Volume));
    if (!NT_SUCCESS(Failure)) {
        return;
    }
    /* In an order that is neither rising nor falling. */
    for (ULONG Number = 0; Number < Among; Number++) {
        Try(Attach(Volume, Number * 7919 % Among));
    }
    MEASURE("instance-attach", ;, Try(Attach(Volume, 50000 + Sample)), Try(Detach(Volume, 50000 + Sample)));
    MEASURE("instance-find", Numbered(&Name, Text, L"Growth ", Sample * 7919 % Among),
            Try(FltGetVolumeInstanceFromName(Filter, Volume, &Name, &Instance)), FltObjectDereference(Instance));
    for (ULONG Number = 0; Number < Among; Number++) {
        Try(Detach(Volume, Number));
    }
    FltObjectDereference(Volume);
}

static NTSTATUS InstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                              DEVICE_TYPE VolumeDeviceType, FLT_FILESYSTEM_TYPE VolumeFilesystemType)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(VolumeDeviceType);
    UNREFERENCED_PARAMETER(VolumeFilesystemType);
    return FlagOn(Flags, FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT) ? STATUS_FLT_DO_NOT_ATTACH : STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = InstanceSetup,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const ULONG Counts[] = {10, 1000, 10000};
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Try(FltStartFiltering(Filter));
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Counts) && NT_SUCCESS(Failure); Index++) {
        Among = Counts[Index];
        MeasureTimers();
        MeasureRegistry();
        MeasureNames();
        MeasureInstances();
    }
    if (!NT_SUCCESS(Failure)) {
        FltUnregisterFilter(Filter);
    }
    return Failure;
}

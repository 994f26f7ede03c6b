/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking and setting of an open file below an instance: what comes back, and who sees it: the filter's lower instance
 * does, the one that asks does not.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static LONG SeenHigh, SeenLow;
static ULONG LastMajor;

static FLT_PREOP_CALLBACK_STATUS NTAPI Seen(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (FltObjects->Instance == High)
        SeenHigh++;
    else
        SeenLow++;
    LastMajor = Data->Iopb->MajorFunction;
    FvCheck(FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO));
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    PFILE_OBJECT File = FltObjects->FileObject;
    FILE_POSITION_INFORMATION Position = {{.QuadPart = 1024}};
    FILE_FS_DEVICE_INFORMATION Device = {0};
    FILE_STANDARD_INFORMATION Standard;
    BOOLEAN Directory = TRUE;
    ULONG Returned = 77;

    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    FvCheck(FltSetInformationFile(High, File, &Position, sizeof(Position), FilePositionInformation) == STATUS_SUCCESS);
    FvCheck(SeenHigh == 0 && SeenLow == 1 && LastMajor == IRP_MJ_SET_INFORMATION &&
            File->CurrentByteOffset.QuadPart == 1024);
    Position.CurrentByteOffset.QuadPart = 0;
    FvCheck(FltQueryInformationFile(High, File, &Position, sizeof(Position), FilePositionInformation, &Returned) ==
            STATUS_SUCCESS);
    FvCheck(Position.CurrentByteOffset.QuadPart == 1024 && Returned == sizeof(Position));
    FvCheck(SeenHigh == 0 && SeenLow == 2 && LastMajor == IRP_MJ_QUERY_INFORMATION);
    FvCheck(FltQueryInformationFile(High, File, &Position, sizeof(Position), FilePositionInformation, NULL) ==
            STATUS_SUCCESS);
    FvCheck(FltQueryInformationFile(High, File, &Standard, sizeof(Standard), FileStandardInformation, &Returned) ==
                STATUS_INVALID_DEVICE_REQUEST &&
            Returned == 0);
    Position.CurrentByteOffset.QuadPart = 7;
    FvCheck(FltSetInformationFile(High, File, &Position, sizeof(Position), FilePositionInformation) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(FltQueryVolumeInformationFile(High, File, &Device, sizeof(Device), FileFsDeviceInformation, &Returned) ==
            STATUS_SUCCESS);
    FvCheck(Device.DeviceType == FILE_DEVICE_DISK && Returned == sizeof(Device) &&
            LastMajor == IRP_MJ_QUERY_VOLUME_INFORMATION);
    FvCheck(FltQueryVolumeInformationFile(High, File, &Device, 1, FileFsDeviceInformation, NULL) ==
            STATUS_INFO_LENGTH_MISMATCH);
    SeenLow = 0;
    FvCheck(FltQueryInformationFile(Low, File, &Position, sizeof(Position), FilePositionInformation, NULL) ==
            STATUS_SUCCESS);
    FvCheck(SeenLow == 0); /* below the lower one nobody is */
    FvCheck(FltIsDirectory(File, High, &Directory) == STATUS_SUCCESS && !Directory);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead},
    {IRP_MJ_QUERY_INFORMATION, 0, Seen},
    {IRP_MJ_SET_INFORMATION, 0, Seen},
    {IRP_MJ_QUERY_VOLUME_INFORMATION, 0, Seen},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(21);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}

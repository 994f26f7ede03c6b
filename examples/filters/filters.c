/* SPDX-License-Identifier: MIT */
/*
 * A program that tells which minifilters there are and where each is attached, as fltmc does, and then has one, if it is built with
 * DETACH, detached from its volume.
 */
#include <fltUser.h>

NTSTATUS Main(PVOID Peb);

static UCHAR Buffer[1024];

static void TellInstances(LPCWSTR Filter)
{
    const INSTANCE_FULL_INFORMATION *Each = (PVOID)Buffer;
    ULONG Bytes;
    HANDLE Find;
    HRESULT Result = FilterInstanceFindFirst(Filter, InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes, &Find);

    if (FAILED(Result))
        return;
    for (; SUCCEEDED(Result);
         Result = FilterInstanceFindNext(Find, InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes)) {
        UNICODE_STRING Volume = {Each->VolumeNameLength, Each->VolumeNameLength,
                                 (PWCH)(Buffer + Each->VolumeNameBufferOffset)};
        UNICODE_STRING Altitude = {Each->AltitudeLength, Each->AltitudeLength,
                                   (PWCH)(Buffer + Each->AltitudeBufferOffset)};

        DbgPrint("    on %wZ at %wZ\n", &Volume, &Altitude);
    }
    FilterInstanceFindClose(Find);
}

NTSTATUS Main(PVOID Peb)
{
    static UCHAR Space[1024];
    const FILTER_FULL_INFORMATION *Each = (PVOID)Space;
    HRESULT Result;
    ULONG Bytes;
    HANDLE Find;

    UNREFERENCED_PARAMETER(Peb);
#ifdef DETACH
    Result = FilterDetach(DETACH, L"\\Device\\HarddiskVolume1", NULL);
    if (FAILED(Result)) {
        DbgPrint("it is not detached: %08X\n", Result);
        return STATUS_UNSUCCESSFUL;
    }
#endif
    Result = FilterFindFirst(FilterFullInformation, Space, sizeof(Space), &Bytes, &Find);
    if (FAILED(Result))
        return Result == (HRESULT)HRESULT_FROM_WIN32(ERROR_NO_MORE_ITEMS) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    for (; SUCCEEDED(Result); Result = FilterFindNext(Find, FilterFullInformation, Space, sizeof(Space), &Bytes)) {
        WCHAR Name[64] = {0};

        memcpy(Name, Each->FilterNameBuffer, min(Each->FilterNameLength, sizeof(Name) - sizeof(WCHAR)));
        DbgPrint("%ws, instances: %u\n", Name, Each->NumberOfInstances);
        TellInstances(Name);
    }
    FilterFindClose(Find);
    return STATUS_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fltlib's administration, by a program: manage.lua has a volume, two minifilters (upper, lower), and the service of a third (loaded) with its
 * image on the volume.  Its status is the first line that does not hold.
 */
#include <fltUser.h>

NTSTATUS Main(PVOID Peb);

#define VOLUME      L"\\Device\\HarddiskVolume1"
#define WIN32(Code) HRESULT_FROM_WIN32(Code)
#define CHECK(Holds)                                                                                                   \
    do {                                                                                                               \
        if (!(Holds))                                                                                                  \
            return __LINE__;                                                                                           \
    } while (0)

static UCHAR Buffer[1024];
static ULONG Bytes;

static BOOLEAN Is(const VOID *Base, ULONG Offset, USHORT Length, PCWSTR Text)
{
    USHORT Count = 0;

    while (Text[Count] != 0)
        Count++;
    return Length == Count * sizeof(WCHAR) && memcmp((PUCHAR)Base + Offset, Text, Length) == 0;
}

static ULONG Filters(void)
{
    const FILTER_AGGREGATE_BASIC_INFORMATION *Each = (PVOID)Buffer;
    HANDLE Find = (HANDLE)1;

    CHECK(FilterFindFirst(FilterFullInformation, Buffer, 8, &Bytes, &Find) == WIN32(122) && Find == NULL && Bytes > 8);
    CHECK(FilterFindFirst(FilterAggregateBasicInformation, Buffer, sizeof(Buffer), &Bytes, &Find) == S_OK);
    CHECK((Each->Flags & 1) != 0 && Each->Type.MiniFilter.NumberOfInstances == 1);
    CHECK(Is(Each, Each->Type.MiniFilter.FilterNameBufferOffset, Each->Type.MiniFilter.FilterNameLength, L"upper"));
    CHECK(FilterFindNext(Find, FilterFullInformation, Buffer, 8, &Bytes) == WIN32(122) && Bytes > 8);
    CHECK(FilterFindNext(Find, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) == S_OK);
    CHECK(Is(Buffer, FIELD_OFFSET(FILTER_FULL_INFORMATION, FilterNameBuffer),
             ((FILTER_FULL_INFORMATION *)Buffer)->FilterNameLength, L"lower"));
    CHECK(FilterFindNext(Find, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) == WIN32(259));
    CHECK(FilterVolumeFindClose(Find) == WIN32(6) && FilterFindClose(Find) == S_OK &&
          FilterFindClose(Find) == WIN32(6));
    CHECK(FilterFindNext((HANDLE)8, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) == WIN32(6));
    CHECK(FAILED(FilterFindFirst((FILTER_INFORMATION_CLASS)99, Buffer, sizeof(Buffer), &Bytes, &Find)) && Find == NULL);
    return 0;
}

static ULONG Volumes(void)
{
    const FILTER_VOLUME_BASIC_INFORMATION *Each = (PVOID)Buffer;
    HANDLE Find;

    CHECK(FilterVolumeFindFirst(FilterVolumeBasicInformation, Buffer, sizeof(Buffer), &Bytes, &Find) == S_OK);
    CHECK(Is(Each, FIELD_OFFSET(FILTER_VOLUME_BASIC_INFORMATION, FilterVolumeName), Each->FilterVolumeNameLength,
             VOLUME));
    CHECK(FilterVolumeFindNext(Find, FilterVolumeStandardInformation, Buffer, sizeof(Buffer), &Bytes) == WIN32(259));
    CHECK(FilterVolumeFindClose(Find) == S_OK);
    return 0;
}

static ULONG Instances(void)
{
    const INSTANCE_FULL_INFORMATION *Full = (PVOID)Buffer;
    const INSTANCE_PARTIAL_INFORMATION *Part = (PVOID)Buffer;
    HANDLE Find;

    CHECK(FilterInstanceFindFirst(L"nobody", InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes, &Find) ==
          ERROR_FLT_FILTER_NOT_FOUND);
    CHECK(FilterInstanceFindFirst(L"lower", InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes, &Find) == S_OK);
    CHECK(Is(Full, Full->FilterNameBufferOffset, Full->FilterNameLength, L"lower"));
    CHECK(Is(Full, Full->VolumeNameBufferOffset, Full->VolumeNameLength, VOLUME));
    CHECK(Is(Full, Full->AltitudeBufferOffset, Full->AltitudeLength, L"100"));
    CHECK(FilterInstanceFindNext(Find, InstanceBasicInformation, Buffer, sizeof(Buffer), &Bytes) == WIN32(259));
    CHECK(FilterInstanceFindClose(Find) == S_OK);
    CHECK(FilterVolumeInstanceFindFirst(L"\\Device\\None", InstanceBasicInformation, Buffer, sizeof(Buffer), &Bytes,
                                        &Find) == ERROR_FLT_VOLUME_NOT_FOUND);
    CHECK(FilterVolumeInstanceFindFirst(VOLUME, InstancePartialInformation, Buffer, sizeof(Buffer), &Bytes, &Find) ==
          S_OK);
    CHECK(Is(Part, Part->AltitudeBufferOffset, Part->AltitudeLength, L"300"));
    CHECK(FilterVolumeInstanceFindNext(Find, InstancePartialInformation, Buffer, sizeof(Buffer), &Bytes) == S_OK);
    CHECK(Is(Part, Part->AltitudeBufferOffset, Part->AltitudeLength, L"100"));
    CHECK(FilterVolumeInstanceFindNext(Find, InstancePartialInformation, Buffer, sizeof(Buffer), &Bytes) == WIN32(259));
    CHECK(FilterVolumeInstanceFindClose(Find) == S_OK);
    return 0;
}

static ULONG Handles(void)
{
    const INSTANCE_FULL_INFORMATION *Full = (PVOID)Buffer;
    HFILTER_INSTANCE Instance = (PVOID)1;
    HFILTER Filter = (PVOID)1;

    CHECK(FilterCreate(L"nobody", &Filter) == ERROR_FLT_FILTER_NOT_FOUND && Filter == NULL);
    CHECK(FilterCreate(L"", &Filter) == WIN32(87) && FilterCreate(L"LOWER", &Filter) == S_OK);
    for (ULONG Round = 0; Round < 2; Round++) {
        CHECK(FilterGetInformation(Filter, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) == S_OK);
        CHECK(Is(Buffer, FIELD_OFFSET(FILTER_FULL_INFORMATION, FilterNameBuffer),
                 ((FILTER_FULL_INFORMATION *)Buffer)->FilterNameLength, L"lower"));
    }
    CHECK(FilterGetInformation(Filter, FilterFullInformation, Buffer, 4, &Bytes) == WIN32(122) && Bytes > 4);
    CHECK(FilterInstanceClose(Filter) == WIN32(6) && FilterClose(Filter) == S_OK);
    CHECK(FilterInstanceCreate(L"upper", VOLUME, L"none of that name", &Instance) == ERROR_FLT_INSTANCE_NOT_FOUND);
    CHECK(FilterInstanceCreate(L"upper", NULL, NULL, &Instance) == WIN32(87) && Instance == NULL);
    CHECK(FilterInstanceCreate(L"upper", VOLUME, NULL, &Instance) == S_OK);
    CHECK(FilterInstanceGetInformation(Instance, InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes) == S_OK);
    CHECK(Is(Full, Full->AltitudeBufferOffset, Full->AltitudeLength, L"300"));
    CHECK(FilterInstanceClose(Instance) == S_OK);
    return 0;
}

static ULONG Attach(void)
{
    WCHAR Created[32], Short[4];
    WCHAR Long[100];

    for (ULONG Index = 0; Index < 99; Index++)
        Long[Index] = 'x';
    Long[99] = 0;
    CHECK(FilterAttach(L"lower", VOLUME, NULL, sizeof(Created), Created) ==
          (HRESULT)0x801F0012); /* the name is taken */
    CHECK(FilterAttachAtAltitude(L"lower", VOLUME, L"100", L"second", sizeof(Created), Created) ==
          (HRESULT)0x801F0011); /* so is the altitude */
    CHECK(FilterAttachAtAltitude(L"lower", VOLUME, L"150", L"second", sizeof(Short), Short) == S_OK);
    CHECK(Is(Short, 0, 6, L"sec") && Short[3] == 0);
    CHECK(FilterDetach(L"lower", VOLUME, L"second") == S_OK);
    CHECK(FilterDetach(L"lower", VOLUME, L"second") == ERROR_FLT_INSTANCE_NOT_FOUND);
    CHECK(FilterDetach(L"upper", VOLUME, NULL) == (HRESULT)0x801F0010); /* it refuses */
    CHECK(FilterDetach(L"nobody", VOLUME, NULL) == ERROR_FLT_FILTER_NOT_FOUND);
    CHECK(FilterAttach(L"lower", L"\\Device\\None", NULL, 0, NULL) == ERROR_FLT_VOLUME_NOT_FOUND);
    CHECK(FilterAttach(L"lower", NULL, NULL, 0, NULL) == WIN32(87) && FilterDetach(L"lower", NULL, NULL) == WIN32(87));
    CHECK(FilterAttach(L"", VOLUME, NULL, 0, NULL) == WIN32(87) &&
          FilterAttach(Long, VOLUME, NULL, 0, NULL) == WIN32(123));
    return 0;
}

static ULONG Load(void)
{
    HANDLE Find;

    CHECK(FilterLoad(L"nobody") == WIN32(2) && FilterLoad(L"lower") == WIN32(1056) && FilterLoad(NULL) == WIN32(87));
    CHECK(FilterLoad(L"loaded") == S_OK);
    CHECK(FilterInstanceFindFirst(L"loaded", InstanceBasicInformation, Buffer, sizeof(Buffer), &Bytes, &Find) == S_OK);
    CHECK(FilterInstanceFindClose(Find) == S_OK);
    CHECK(FilterUnload(L"loaded") == S_OK && FilterUnload(L"loaded") == ERROR_FLT_FILTER_NOT_FOUND);
    return 0;
}

NTSTATUS Main(PVOID Peb)
{
    ULONG (*const Parts[])(void) = {Filters, Volumes, Instances, Handles, Attach, Load};

    UNREFERENCED_PARAMETER(Peb);
#ifdef LIMITED
    CHECK(FilterLoad(L"loaded") == WIN32(5) && FilterUnload(L"lower") == WIN32(5));
    return 0x600D;
#endif
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Parts); Index++) {
        ULONG Line = Parts[Index]();

        if (Line != 0)
            return (NTSTATUS)Line;
    }
    return 0x600D;
}

// SPDX-License-Identifier: MIT
/*
 * manage: a program's side of the filter manager's administration, as fltmc has it: filters are loaded, unloaded, attached and
 * detached, and filters, volumes and instances are found one after the other.
 *
 * A search is memory of the program's, which says how far it is; each step asks the filter manager for the next.  Sources: the pages FilterLoad,
 * FilterUnload, FilterAttach, FilterAttachAtAltitude, FilterDetach, FilterFindFirst, FilterVolumeFindFirst, FilterInstanceFindFirst,
 * FilterVolumeInstanceFindFirst and their Next and Close, FilterCreate, FilterGetInformation, FilterInstanceCreate, FilterInstanceGetInformation.
 */
#include "fltlibp.h"

#define FLTLIB_FIND_MAGIC 0x646E6946 /* "Find" */
#define FLTLIB_ANSWER     2048       /* more than four names take */

/* What the handle of a search is the address of. */
typedef struct _FLTLIB_SEARCH {
    ULONG Magic;
    struct fltvm_fltctl_find Find;
} FLTLIB_SEARCH;

/* One control of the filter manager's own device. */
static NTSTATUS FltLibAsk(ULONG Code, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength)
{
    static const WCHAR Device[] = L"\\FileSystem\\Filters\\FltMgr";
    ULONG_PTR Information;
    HANDLE Handle;
    NTSTATUS Status = FltLibOpen(Device, sizeof(Device), 0, &Handle);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltLibControl(Handle, Code, Input, InputLength, Output, OutputLength, &Information);
    NtClose(Handle);
    return Status;
}

/* FALSE: longer than any name is. */
static BOOLEAN FltLibPutName(uint16_t *Name, LPCWSTR Text)
{
    ULONG Length = 0;

    for (; Text != NULL && Text[Length] != 0; Length++) {
        if (Length == FLTVM_FLTCTL_NAME_MAX - 1)
            return FALSE;
        Name[Length] = Text[Length];
    }
    return TRUE;
}

static NTSTATUS FltLibRequest(ULONG Code, LPCWSTR Filter, LPCWSTR Volume, LPCWSTR Instance, LPCWSTR Altitude,
                              struct fltvm_fltctl_request *Request)
{
    memset(Request, 0, sizeof(*Request));
    if (Filter == NULL || Filter[0] == 0)
        return STATUS_INVALID_PARAMETER;
    if (!FltLibPutName(Request->filter, Filter) || !FltLibPutName(Request->volume, Volume) ||
        !FltLibPutName(Request->instance, Instance) || !FltLibPutName(Request->altitude, Altitude))
        return STATUS_OBJECT_NAME_INVALID;
    return FltLibAsk(Code, Request, sizeof(*Request), Request, sizeof(*Request));
}

HRESULT WINAPI FilterLoad(LPCWSTR FilterName)
{
    struct fltvm_fltctl_request Request;

    return FltLibResult(FltLibRequest(FLTVM_FLTCTL_LOAD, FilterName, NULL, NULL, NULL, &Request));
}

HRESULT WINAPI FilterUnload(LPCWSTR FilterName)
{
    struct fltvm_fltctl_request Request;

    return FltLibResult(FltLibRequest(FLTVM_FLTCTL_UNLOAD, FilterName, NULL, NULL, NULL, &Request));
}

/* Length: of Created, in bytes, which gets as much of the name as it has room for. */
HRESULT WINAPI FilterAttachAtAltitude(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR Altitude, LPCWSTR InstanceName,
                                      ULONG Length, LPWSTR Created)
{
    struct fltvm_fltctl_request Request;
    NTSTATUS Status = VolumeName == NULL ? STATUS_INVALID_PARAMETER
                                         : FltLibRequest(FLTVM_FLTCTL_ATTACH, FilterName, VolumeName, InstanceName,
                                                         Altitude, &Request);

    if (NT_SUCCESS(Status) && Created != NULL && Length >= sizeof(WCHAR)) {
        ULONG Count = 0;

        for (; Count < Length / sizeof(WCHAR) - 1 && Request.instance[Count] != 0; Count++)
            Created[Count] = Request.instance[Count];
        Created[Count] = 0;
    }
    return FltLibResult(Status);
}

HRESULT WINAPI FilterAttach(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName, ULONG Length, LPWSTR Created)
{
    return FilterAttachAtAltitude(FilterName, VolumeName, NULL, InstanceName, Length, Created);
}

HRESULT WINAPI FilterDetach(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName)
{
    struct fltvm_fltctl_request Request;

    if (VolumeName == NULL)
        return HRESULT_FROM_WIN32(87);
    return FltLibResult(FltLibRequest(FLTVM_FLTCTL_DETACH, FilterName, VolumeName, InstanceName, NULL, &Request));
}

/* ---- searches ---- */

/* What is passed over is not told again; what there is no room for is. */
static NTSTATUS FltLibStep(FLTLIB_SEARCH *Search, ULONG Class, PVOID Buffer, ULONG Size, PULONG Bytes)
{
    struct {
        struct fltvm_fltctl_found Found;
        UCHAR Data[FLTLIB_ANSWER];
    } Answer;
    NTSTATUS Status;

    *Bytes = 0;
    Search->Find.information_class = Class;
    Search->Find.size = Size;
    Status = FltLibAsk(FLTVM_FLTCTL_FIND, &Search->Find, sizeof(Search->Find), &Answer, sizeof(Answer));
    if (NT_SUCCESS(Status))
        Status = (NTSTATUS)Answer.Found.status;
    if (NT_SUCCESS(Status) || Status == STATUS_BUFFER_TOO_SMALL)
        *Bytes = Answer.Found.bytes;
    if (NT_SUCCESS(Status)) {
        memcpy(Buffer, Answer.Data, Answer.Found.bytes);
        Search->Find.index++;
    }
    return Status;
}

static VOID FltLibFree(PVOID Base)
{
    SIZE_T Length = 0;

    NtFreeVirtualMemory(NtCurrentProcess(), &Base, &Length, MEM_RELEASE);
}

static NTSTATUS FltLibMake(ULONG Kind, LPCWSTR Name, LPCWSTR Volume, LPCWSTR Instance, FLTLIB_SEARCH **Search)
{
    SIZE_T Length = sizeof(FLTLIB_SEARCH);
    PVOID Base = NULL;
    NTSTATUS Status =
        NtAllocateVirtualMemory(NtCurrentProcess(), &Base, 0, &Length, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    if (!NT_SUCCESS(Status))
        return Status;
    *Search = Base;
    (*Search)->Magic = FLTLIB_FIND_MAGIC;
    (*Search)->Find.kind = Kind;
    if (FltLibPutName((*Search)->Find.name, Name) && FltLibPutName((*Search)->Find.volume, Volume) &&
        FltLibPutName((*Search)->Find.instance, Instance))
        return STATUS_SUCCESS;
    FltLibFree(Base);
    return STATUS_OBJECT_NAME_INVALID;
}

/* The first, and a handle for the following; without one nothing is kept. */
static HRESULT FltLibBegin(FLTLIB_SEARCH *Search, NTSTATUS Status, ULONG Class, PVOID Buffer, ULONG Size, PULONG Bytes,
                           PVOID *Handle)
{
    *Handle = NULL;
    *Bytes = 0;
    if (!NT_SUCCESS(Status))
        return FltLibResult(Status);
    Status = FltLibStep(Search, Class, Buffer, Size, Bytes);
    if (NT_SUCCESS(Status))
        *Handle = Search;
    else
        FltLibFree(Search);
    return FltLibResult(Status);
}

static HRESULT FltLibFindFirst(ULONG Kind, LPCWSTR Name, ULONG Class, PVOID Buffer, ULONG Size, PULONG Bytes,
                               PHANDLE Handle)
{
    FLTLIB_SEARCH *Search = NULL;
    NTSTATUS Status = FltLibMake(Kind, Name, NULL, NULL, &Search);

    return FltLibBegin(Search, Status, Class, Buffer, Size, Bytes, Handle);
}

/* A handle of what there is, of which the class tells something. */
static HRESULT FltLibCreate(ULONG Kind, LPCWSTR Name, LPCWSTR Volume, LPCWSTR Instance, ULONG Class, PVOID *Handle)
{
    UCHAR Buffer[FLTLIB_ANSWER];
    FLTLIB_SEARCH *Search = NULL;
    NTSTATUS Status = FltLibMake(Kind, Name, Volume, Instance, &Search);
    ULONG Bytes;

    return FltLibBegin(Search, Status, Class, Buffer, sizeof(Buffer), &Bytes, Handle);
}

/* NULL: no search, or not of that kind. */
static FLTLIB_SEARCH *FltLibSearch(HANDLE Handle, ULONG Kind)
{
    FLTLIB_SEARCH *Search = Handle;

    __try {
        return Search->Magic == FLTLIB_FIND_MAGIC && Search->Find.kind == Kind ? Search : NULL;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return NULL;
    }
}

static HRESULT FltLibFindNext(ULONG Kind, HANDLE Handle, ULONG Class, PVOID Buffer, ULONG Size, PULONG Bytes)
{
    FLTLIB_SEARCH *Search = FltLibSearch(Handle, Kind);

    return FltLibResult(Search != NULL ? FltLibStep(Search, Class, Buffer, Size, Bytes) : STATUS_INVALID_HANDLE);
}

static HRESULT FltLibFindClose(ULONG Kind, HANDLE Handle)
{
    FLTLIB_SEARCH *Search = FltLibSearch(Handle, Kind);

    if (Search == NULL)
        return FltLibResult(STATUS_INVALID_HANDLE);
    FltLibFree(Search);
    return S_OK;
}

HRESULT WINAPI FilterFindFirst(FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer, ULONG BufferSize,
                               PULONG BytesReturned, PHANDLE FilterFind)
{
    return FltLibFindFirst(FLTVM_FLTCTL_FIND_FILTER, NULL, InformationClass, Buffer, BufferSize, BytesReturned,
                           FilterFind);
}

HRESULT WINAPI FilterFindNext(HANDLE FilterFind, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                              ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_FILTER, FilterFind, InformationClass, Buffer, BufferSize, BytesReturned);
}

HRESULT WINAPI FilterFindClose(HANDLE FilterFind)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_FILTER, FilterFind);
}

HRESULT WINAPI FilterVolumeFindFirst(FILTER_VOLUME_INFORMATION_CLASS InformationClass, PVOID Buffer, ULONG BufferSize,
                                     PULONG BytesReturned, PHANDLE VolumeFind)
{
    return FltLibFindFirst(FLTVM_FLTCTL_FIND_VOLUME, NULL, InformationClass, Buffer, BufferSize, BytesReturned,
                           VolumeFind);
}

HRESULT WINAPI FilterVolumeFindNext(HANDLE VolumeFind, FILTER_VOLUME_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                    ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_VOLUME, VolumeFind, InformationClass, Buffer, BufferSize, BytesReturned);
}

HRESULT WINAPI FilterVolumeFindClose(HANDLE VolumeFind)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_VOLUME, VolumeFind);
}

HRESULT WINAPI FilterInstanceFindFirst(LPCWSTR FilterName, INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                       ULONG BufferSize, PULONG BytesReturned, PHANDLE InstanceFind)
{
    return FltLibFindFirst(FLTVM_FLTCTL_FIND_INSTANCE, FilterName, InformationClass, Buffer, BufferSize, BytesReturned,
                           InstanceFind);
}

HRESULT WINAPI FilterInstanceFindNext(HANDLE InstanceFind, INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                      ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_INSTANCE, InstanceFind, InformationClass, Buffer, BufferSize,
                          BytesReturned);
}

HRESULT WINAPI FilterInstanceFindClose(HANDLE InstanceFind)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_INSTANCE, InstanceFind);
}

HRESULT WINAPI FilterVolumeInstanceFindFirst(LPCWSTR VolumeName, INSTANCE_INFORMATION_CLASS InformationClass,
                                             PVOID Buffer, ULONG BufferSize, PULONG BytesReturned,
                                             PHANDLE VolumeInstanceFind)
{
    return FltLibFindFirst(FLTVM_FLTCTL_FIND_INSTANCE_OF_VOLUME, VolumeName, InformationClass, Buffer, BufferSize,
                           BytesReturned, VolumeInstanceFind);
}

HRESULT WINAPI FilterVolumeInstanceFindNext(HANDLE VolumeInstanceFind, INSTANCE_INFORMATION_CLASS InformationClass,
                                            PVOID Buffer, ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_INSTANCE_OF_VOLUME, VolumeInstanceFind, InformationClass, Buffer,
                          BufferSize, BytesReturned);
}

HRESULT WINAPI FilterVolumeInstanceFindClose(HANDLE VolumeInstanceFind)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_INSTANCE_OF_VOLUME, VolumeInstanceFind);
}

/* ---- one of a name ---- */

HRESULT WINAPI FilterCreate(LPCWSTR FilterName, HFILTER *Filter)
{
    return FltLibCreate(FLTVM_FLTCTL_FIND_FILTER_NAMED, FilterName, NULL, NULL, FilterFullInformation, Filter);
}

HRESULT WINAPI FilterClose(HFILTER Filter)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_FILTER_NAMED, Filter);
}

HRESULT WINAPI FilterGetInformation(HFILTER Filter, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                    ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_FILTER_NAMED, Filter, InformationClass, Buffer, BufferSize, BytesReturned);
}

HRESULT WINAPI FilterInstanceCreate(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName,
                                    HFILTER_INSTANCE *Instance)
{
    return FltLibCreate(FLTVM_FLTCTL_FIND_INSTANCE_NAMED, FilterName, VolumeName, InstanceName,
                        InstanceBasicInformation, Instance);
}

HRESULT WINAPI FilterInstanceClose(HFILTER_INSTANCE Instance)
{
    return FltLibFindClose(FLTVM_FLTCTL_FIND_INSTANCE_NAMED, Instance);
}

HRESULT WINAPI FilterInstanceGetInformation(HFILTER_INSTANCE Instance, INSTANCE_INFORMATION_CLASS InformationClass,
                                            PVOID Buffer, ULONG BufferSize, PULONG BytesReturned)
{
    return FltLibFindNext(FLTVM_FLTCTL_FIND_INSTANCE_NAMED, Instance, InformationClass, Buffer, BufferSize,
                          BytesReturned);
}

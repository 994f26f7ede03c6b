/* SPDX-License-Identifier: MIT */
/*
 * fltUser.h: the user-mode side of the filter manager; a driver that includes it gets the types both sides share, a program
 * the routines for communication ports, and what they need of Win32.
 */
#ifndef FLTVM_FLTUSER_H
#define FLTVM_FLTUSER_H

#include <fltKernel.h>

#ifndef KERNEL_MODE

#ifdef __cplusplus
extern "C" {
#endif

#ifndef WINAPI
#define WINAPI __stdcall
#endif
typedef LONG HRESULT;
#ifndef S_OK
#define S_OK ((HRESULT)0)
#endif
#ifndef SUCCEEDED
#define SUCCEEDED(Result) ((HRESULT)(Result) >= 0)
#define FAILED(Result)    ((HRESULT)(Result) < 0)
#endif
#ifndef HRESULT_FROM_WIN32
#define HRESULT_FROM_WIN32(Error) ((HRESULT)((Error) == 0 ? 0 : ((ULONG)(Error) & 0xFFFF) | 0x80070000))
#endif
#ifndef HRESULT_FROM_NT
#define HRESULT_FROM_NT(Status) ((HRESULT)((Status) | 0x10000000))
#endif
#define ERROR_IO_PENDING              997L
#define ERROR_INSUFFICIENT_BUFFER     122L
#define ERROR_FLT_NO_WAITER_FOR_REPLY ((HRESULT)0x801F0020)
#define FLT_PORT_FLAG_SYNC_HANDLE     0x00000001

typedef struct _OVERLAPPED {
    ULONG_PTR Internal, InternalHigh;
    union {
        struct {
            ULONG Offset, OffsetHigh;
        };
        PVOID Pointer;
    };
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

HRESULT WINAPI FilterConnectCommunicationPort(LPCWSTR PortName, ULONG Options, const VOID *Context, USHORT ContextSize,
                                              PVOID SecurityAttributes, HANDLE *Port);
HRESULT WINAPI FilterSendMessage(HANDLE Port, PVOID Input, ULONG InputSize, PVOID Output, ULONG OutputSize,
                                 PULONG BytesReturned);
HRESULT WINAPI FilterGetMessage(HANDLE Port, PFILTER_MESSAGE_HEADER Message, ULONG MessageSize,
                                LPOVERLAPPED Overlapped);
HRESULT WINAPI FilterReplyMessage(HANDLE Port, PFILTER_REPLY_HEADER Reply, ULONG ReplySize);

/*
 * Administration: of who may open the filter manager's device, the system and administrators.  Names of volumes are C: or \Device\….
 * What the filter manager refuses has an HRESULT of its facility: 0x801F0000 and STATUS_FLT_…'s lower half.
 */
#define ERROR_NO_MORE_ITEMS          259L
#define ERROR_FLT_FILTER_NOT_FOUND   ((HRESULT)0x801F0013)
#define ERROR_FLT_VOLUME_NOT_FOUND   ((HRESULT)0x801F0014)
#define ERROR_FLT_INSTANCE_NOT_FOUND ((HRESULT)0x801F0015)

HRESULT WINAPI FilterLoad(LPCWSTR FilterName);
HRESULT WINAPI FilterUnload(LPCWSTR FilterName);
HRESULT WINAPI FilterAttach(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName, ULONG Length, LPWSTR Created);
HRESULT WINAPI FilterAttachAtAltitude(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR Altitude, LPCWSTR InstanceName,
                                      ULONG Length, LPWSTR Created);
HRESULT WINAPI FilterDetach(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName);

/*
 * Searches: First gives the first and a handle, Next the following, until HRESULT_FROM_WIN32(ERROR_NO_MORE_ITEMS).
 * HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER): BytesReturned says how many it takes, and the same comes again.
 */
HRESULT WINAPI FilterFindFirst(FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer, ULONG BufferSize,
                               PULONG BytesReturned, PHANDLE FilterFind);
HRESULT WINAPI FilterFindNext(HANDLE FilterFind, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                              ULONG BufferSize, PULONG BytesReturned);
HRESULT WINAPI FilterFindClose(HANDLE FilterFind);
HRESULT WINAPI FilterVolumeFindFirst(FILTER_VOLUME_INFORMATION_CLASS InformationClass, PVOID Buffer, ULONG BufferSize,
                                     PULONG BytesReturned, PHANDLE VolumeFind);
HRESULT WINAPI FilterVolumeFindNext(HANDLE VolumeFind, FILTER_VOLUME_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                    ULONG BufferSize, PULONG BytesReturned);
HRESULT WINAPI FilterVolumeFindClose(HANDLE VolumeFind);
HRESULT WINAPI FilterInstanceFindFirst(LPCWSTR FilterName, INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                       ULONG BufferSize, PULONG BytesReturned, PHANDLE InstanceFind);
HRESULT WINAPI FilterInstanceFindNext(HANDLE InstanceFind, INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                      ULONG BufferSize, PULONG BytesReturned);
HRESULT WINAPI FilterInstanceFindClose(HANDLE InstanceFind);
HRESULT WINAPI FilterVolumeInstanceFindFirst(LPCWSTR VolumeName, INSTANCE_INFORMATION_CLASS InformationClass,
                                             PVOID Buffer, ULONG BufferSize, PULONG BytesReturned,
                                             PHANDLE VolumeInstanceFind);
HRESULT WINAPI FilterVolumeInstanceFindNext(HANDLE VolumeInstanceFind, INSTANCE_INFORMATION_CLASS InformationClass,
                                            PVOID Buffer, ULONG BufferSize, PULONG BytesReturned);
HRESULT WINAPI FilterVolumeInstanceFindClose(HANDLE VolumeInstanceFind);

/* Handles of a filter and of an instance (without a name, the filter's first on the volume), to ask about. */
typedef PVOID HFILTER, HFILTER_INSTANCE;
HRESULT WINAPI FilterCreate(LPCWSTR FilterName, HFILTER *Filter);
HRESULT WINAPI FilterClose(HFILTER Filter);
HRESULT WINAPI FilterGetInformation(HFILTER Filter, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                    ULONG BufferSize, PULONG BytesReturned);
HRESULT WINAPI FilterInstanceCreate(LPCWSTR FilterName, LPCWSTR VolumeName, LPCWSTR InstanceName,
                                    HFILTER_INSTANCE *Instance);
HRESULT WINAPI FilterInstanceClose(HFILTER_INSTANCE Instance);
HRESULT WINAPI FilterInstanceGetInformation(HFILTER_INSTANCE Instance, INSTANCE_INFORMATION_CLASS InformationClass,
                                            PVOID Buffer, ULONG BufferSize, PULONG BytesReturned);

#ifdef __cplusplus
}
#endif

#endif

#endif

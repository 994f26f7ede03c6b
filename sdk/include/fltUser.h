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

#ifdef __cplusplus
}
#endif

#endif

#endif

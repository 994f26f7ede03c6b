// SPDX-License-Identifier: MIT
/*
 * fltlib: a program's side of communication ports, linked into it.
 *
 * A connection is a file of the filter manager's device, asynchronous unless FLT_PORT_FLAG_SYNC_HANDLE is given: with an
 * OVERLAPPED a message is waited for by its event, or by the completion port that the file has.  Sources: the pages
 * FilterConnectCommunicationPort, FilterGetMessage, FilterReplyMessage, FilterSendMessage.
 */
#include "fltlibp.h"

#define FLTLIB_CONTEXT 0x1000 /* the most of a context */

NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);

/* Errors of Win32. */
static const struct {
    NTSTATUS Status;
    ULONG Error;
} FltLibErrors[] = {
    {STATUS_PENDING, 997},
    {STATUS_ACCESS_DENIED, 5},
    {STATUS_INVALID_HANDLE, 6},
    {STATUS_PORT_DISCONNECTED, 6},
    {STATUS_OBJECT_TYPE_MISMATCH, 6},
    {STATUS_INVALID_PARAMETER, 87},
    {STATUS_OBJECT_NAME_NOT_FOUND, 2},
    {STATUS_OBJECT_NAME_INVALID, 123},
    {STATUS_BUFFER_TOO_SMALL, 122},
    {STATUS_BUFFER_OVERFLOW, 234},
    {STATUS_CONNECTION_COUNT_LIMIT, 1238},
    {STATUS_INSUFFICIENT_RESOURCES, 1450},
    {STATUS_NO_MEMORY, 8},
    {STATUS_NOT_SUPPORTED, 50},
    {STATUS_CANCELLED, 995},
    {STATUS_ACCESS_VIOLATION, 998},
    {STATUS_NO_MORE_ENTRIES, 259},
    {STATUS_IMAGE_ALREADY_LOADED, 1056},
    {STATUS_INVALID_IMAGE_FORMAT, 193},
};

#define FLTLIB_FACILITY 0xC01C0000u /* statuses of the filter manager's, which have HRESULTs of the same numbers */

HRESULT FltLibResult(NTSTATUS Status)
{
    if (Status == STATUS_SUCCESS)
        return S_OK;
    if (((ULONG)Status & 0xFFFF0000) == FLTLIB_FACILITY)
        return (HRESULT)(0x801F0000 | ((ULONG)Status & 0xFFFF));
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltLibErrors); Index++) {
        if (FltLibErrors[Index].Status == Status)
            return HRESULT_FROM_WIN32(FltLibErrors[Index].Error);
    }
    return HRESULT_FROM_NT(Status);
}

NTSTATUS FltLibOpen(LPCWSTR Device, USHORT Size, ULONG Options, PHANDLE Handle)
{
    UNICODE_STRING Name = {Size - sizeof(WCHAR), Size, (PWCH)Device};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(Handle, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0);
}

NTSTATUS FltLibControl(HANDLE Port, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                       PULONG_PTR Information)
{
    IO_STATUS_BLOCK IoStatus = {0};
    HANDLE Event;
    NTSTATUS Status = NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = NtDeviceIoControlFile(Port, Event, NULL, NULL, &IoStatus, Code, Input, InputLength, Output, OutputLength);
    if (Status == STATUS_PENDING) {
        NtWaitForSingleObject(Event, FALSE, NULL);
        Status = IoStatus.Status;
    }
    NtClose(Event);
    *Information = IoStatus.Information;
    return Status;
}

HRESULT WINAPI FilterConnectCommunicationPort(LPCWSTR PortName, ULONG Options, const VOID *Context, USHORT ContextSize,
                                              PVOID SecurityAttributes, HANDLE *Port)
{
    static const WCHAR Device[] = L"\\FileSystem\\Filters\\FltMgrMsg";
    struct {
        struct fltvm_fltmsg_connect Connect;
        UCHAR Context[FLTLIB_CONTEXT];
    } Request;
    ULONG_PTR Information;
    NTSTATUS Status;
    HANDLE Handle;
    ULONG Length;

    UNREFERENCED_PARAMETER(SecurityAttributes); /* whether children inherit the handle: there are none */
    *Port = (HANDLE)(LONG_PTR)-1;
    if ((Options & ~FLT_PORT_FLAG_SYNC_HANDLE) != 0 || ContextSize > FLTLIB_CONTEXT ||
        (Context == NULL && ContextSize != 0))
        return HRESULT_FROM_WIN32(87);
    memset(&Request.Connect, 0, sizeof(Request.Connect));
    for (Length = 0; PortName[Length] != 0; Length++) {
        if (Length == FLTVM_FLTCTL_NAME_MAX)
            return HRESULT_FROM_WIN32(123);
        Request.Connect.name[Length] = PortName[Length];
    }
    memcpy(Request.Context, Context, ContextSize);
    Status = FltLibOpen(Device, sizeof(Device), Options & FLT_PORT_FLAG_SYNC_HANDLE ? FILE_SYNCHRONOUS_IO_NONALERT : 0,
                        &Handle);
    if (!NT_SUCCESS(Status))
        return FltLibResult(Status);
    Status = FltLibControl(Handle, FLTVM_FLTMSG_CONNECT, &Request, sizeof(Request.Connect) + ContextSize, NULL, 0,
                           &Information);
    if (!NT_SUCCESS(Status)) {
        NtClose(Handle);
        return FltLibResult(Status);
    }
    *Port = Handle;
    return S_OK;
}

HRESULT WINAPI FilterSendMessage(HANDLE Port, PVOID Input, ULONG InputSize, PVOID Output, ULONG OutputSize,
                                 PULONG BytesReturned)
{
    ULONG_PTR Information = 0;
    NTSTATUS Status = FltLibControl(Port, FLTVM_FLTMSG_SEND, Input, InputSize, Output, OutputSize, &Information);

    *BytesReturned = (ULONG)Information;
    return FltLibResult(Status);
}

HRESULT WINAPI FilterGetMessage(HANDLE Port, PFILTER_MESSAGE_HEADER Message, ULONG MessageSize, LPOVERLAPPED Overlapped)
{
    ULONG_PTR Information;
    PVOID Context;

    if (Overlapped == NULL)
        return FltLibResult(FltLibControl(Port, FLTVM_FLTMSG_GET, NULL, 0, Message, MessageSize, &Information));
    /* An event with its lowest bit set: the file's completion port is not told. */
    Context = (ULONG_PTR)Overlapped->hEvent & 1 ? NULL : Overlapped;
    Overlapped->Internal = STATUS_PENDING;
    return FltLibResult(NtDeviceIoControlFile(Port, (HANDLE)((ULONG_PTR)Overlapped->hEvent & ~(ULONG_PTR)1), NULL,
                                              Context, (PIO_STATUS_BLOCK)Overlapped, FLTVM_FLTMSG_GET, NULL, 0, Message,
                                              MessageSize));
}

HRESULT WINAPI FilterReplyMessage(HANDLE Port, PFILTER_REPLY_HEADER Reply, ULONG ReplySize)
{
    ULONG_PTR Information;

    return FltLibResult(FltLibControl(Port, FLTVM_FLTMSG_REPLY, Reply, ReplySize, NULL, 0, &Information));
}

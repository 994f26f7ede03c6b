// SPDX-License-Identifier: GPL-2.0-or-later
/* A filter whose message callback is given a program's own buffers: rawclient.c.  With CARELESS it touches them as if they were its own. */
#include <fltKernel.h>

static PFLT_FILTER Filter;
static PFLT_PORT Server, Client;
static ULONG Calls;

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS FLTAPI Connect(PFLT_PORT Port, PVOID ServerCookie, PVOID Context, ULONG Size, PVOID *Cookie)
{
    Client = Port;
    *Cookie = NULL;
    return STATUS_SUCCESS;
}

static VOID FLTAPI Disconnect(PVOID Cookie)
{
    FltCloseClientPort(Filter, &Client);
}

#ifdef CARELESS
static NTSTATUS FLTAPI Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                               PULONG Returned)
{
    *Returned = 0;
    return *(PULONG)Input == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL; /* [1] */
}
#else
/* Answers how often it was called, and where the input is. */
static NTSTATUS FLTAPI Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                               PULONG Returned)
{
    ULONG64 Answer[2] = {++Calls, (ULONG64)Input};

    *Returned = 0;
    __try {
        if (InputLength != 3 || RtlCompareMemory(Input, "raw", 3) != 3)
            return STATUS_INVALID_PARAMETER;
        RtlCopyMemory(Output, Answer, min(OutputLength, sizeof(Answer)));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    *Returned = min(OutputLength, sizeof(Answer));
    return STATUS_SUCCESS;
}
#endif

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltCloseCommunicationPort(Server);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration), .Version = FLT_REGISTRATION_VERSION, .FilterUnloadCallback = Unload};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\RawPort");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, Descriptor);
    Status = FltCreateCommunicationPort(Filter, &Server, &Attributes, NULL, Connect, Disconnect, Message, 1);
    FltFreeSecurityDescriptor(Descriptor);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}

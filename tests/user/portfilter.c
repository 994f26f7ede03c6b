// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A filter that talks with a program: what it is sent begins a work item that sends a message of its own and keeps the
 * answer, until the program asks for it ("what").
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_PORT Server, Open, Client;
static CHAR Answer[16];
static ULONG AnswerLength;
static NTSTATUS AnswerStatus = STATUS_UNSUCCESSFUL;
static KEVENT Answered;

static NTSTATUS NTAPI Connect(PFLT_PORT ClientPort, PVOID ServerCookie, PVOID Context, ULONG Size, PVOID *Cookie)
{
    FvCheck(Size == 5 && RtlEqualMemory(Context, "hello", 5));
    FvCheck(ExGetPreviousMode() == UserMode);
    Client = ClientPort;
    *Cookie = NULL;
    return STATUS_SUCCESS;
}

static VOID NTAPI Disconnect(PVOID Cookie)
{
    FltCloseClientPort(Filter, &Client);
}

static VOID FLTAPI Ask(PFLT_GENERIC_WORKITEM Item, PVOID FltObject, PVOID Context)
{
    AnswerLength = sizeof(Answer);
    AnswerStatus = FltSendMessage(Filter, &Client, (PVOID) "question", 8, Answer, &AnswerLength, NULL);
    FltFreeGenericWorkItem(Item);
    KeSetEvent(&Answered, 0, FALSE);
}

static NTSTATUS NTAPI Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                              PULONG Returned)
{
    PFLT_GENERIC_WORKITEM Item;

    *Returned = 0;
    if (InputLength == 4 && RtlEqualMemory(Input, "what", 4)) {
        KeWaitForSingleObject(&Answered, Executive, KernelMode, FALSE, NULL);
        if (!NT_SUCCESS(AnswerStatus))
            return AnswerStatus;
        if (OutputLength < AnswerLength)
            return STATUS_BUFFER_TOO_SMALL;
        RtlCopyMemory(Output, Answer, AnswerLength);
        *Returned = AnswerLength;
        return STATUS_SUCCESS;
    }
    Item = FltAllocateGenericWorkItem();
    if (Item == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeClearEvent(&Answered);
    return FltQueueGenericWorkItem(Item, Filter, Ask, DelayedWorkQueue, NULL);
}

static NTSTATUS NTAPI ConnectOpen(PFLT_PORT ClientPort, PVOID ServerCookie, PVOID Context, ULONG Size, PVOID *Cookie)
{
    *Cookie = ClientPort;
    return STATUS_SUCCESS;
}

static VOID NTAPI DisconnectOpen(PVOID Cookie)
{
    PFLT_PORT Port = Cookie;

    FltCloseClientPort(Filter, &Port);
}

/* Everybody may connect, and do nothing else. */
static NTSTATUS ListenToAll(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\OpenPort");
    SECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Buffer[16];
    PACL Acl = (PACL)Buffer;

    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateAcl(Acl, sizeof(Buffer), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, FLT_PORT_CONNECT, SeExports->SeWorldSid);
    RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, Acl, FALSE);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, &Descriptor);
    return FltCreateCommunicationPort(Filter, &Open, &Attributes, NULL, ConnectOpen, DisconnectOpen, NULL, 4);
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltCloseCommunicationPort(Open);
    FltCloseCommunicationPort(Server);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .FilterUnloadCallback = Unload};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\ProgramPort");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    FvTestPlan(6); /* two programs and a process */
    KeInitializeEvent(&Answered, NotificationEvent, FALSE);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
    if (NT_SUCCESS(Status)) {
        InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, Descriptor);
        Status = FltCreateCommunicationPort(Filter, &Server, &Attributes, NULL, Connect, Disconnect, Message, 1);
        FltFreeSecurityDescriptor(Descriptor);
    }
    if (NT_SUCCESS(Status))
        Status = ListenToAll();
    if (NT_SUCCESS(Status))
        Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}

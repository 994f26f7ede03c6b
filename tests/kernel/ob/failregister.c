// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel allocates on a driver's behalf: each call gives its documented status when there is no memory. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static OB_PREOP_CALLBACK_STATUS NTAPI Before(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Information);
    return OB_PREOP_SUCCESS;
}

static NTSTATUS NTAPI Watch(PVOID Context, PVOID Class, PVOID Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(Information);
    return STATUS_SUCCESS;
}

static VOID NTAPI Called(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, Before, NULL};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"1000"), NULL,
                                             &Operation};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback\\PowerState");
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    LARGE_INTEGER Cookie;
    PVOID Handle;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    Status = ObRegisterCallbacks(&Registration, &Handle);
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        return STATUS_NO_MEMORY; /* the scenario's word for it */
    ObUnRegisterCallbacks(Handle);
    Status = CmRegisterCallback(Watch, NULL, &Cookie);
    if (!NT_SUCCESS(Status))
        return Status; /* STATUS_INSUFFICIENT_RESOURCES */
    CmUnRegisterCallback(Cookie);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ExCreateCallback(&Object, &Attributes, FALSE, TRUE)))
        return STATUS_UNEXPECTED_IO_ERROR;
    Handle = ExRegisterCallback(Object, Called, NULL);
    if (Handle != NULL)
        ExUnregisterCallback(Handle);
    ObDereferenceObject(Object);
    return Handle == NULL ? STATUS_DEVICE_NOT_READY : STATUS_DEVICE_NOT_CONNECTED;
}

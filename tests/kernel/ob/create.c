// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects that are made and inserted by hand, and their security descriptors. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI NTSTATUS NTAPI ObCreateObject(KPROCESSOR_MODE ProbeMode, POBJECT_TYPE Type, POBJECT_ATTRIBUTES Attributes,
                                          KPROCESSOR_MODE Owner, PVOID ParseContext, ULONG Size, ULONG PagedCharge,
                                          ULONG NonPagedCharge, PVOID *Object);

static VOID CheckCreation(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\made by hand");
    OBJECT_ATTRIBUTES Attributes;
    PVOID Found, Object = NULL;
    HANDLE Handle = NULL, Other;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ObCreateObject(KernelMode, *ExEventObjectType, &Attributes, KernelMode, NULL, sizeof(KEVENT), 0, 0,
                           &Object) == STATUS_SUCCESS);
    KeInitializeEvent((PKEVENT)Object, NotificationEvent, TRUE);
    FvCheck(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes) ==
            STATUS_OBJECT_NAME_NOT_FOUND); /* not before it is inserted */
    FvCheck(ObInsertObject(Object, NULL, EVENT_ALL_ACCESS, 0, NULL, &Handle) == STATUS_SUCCESS && Handle != NULL);
    FvCheck(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Other, EVENT_ALL_ACCESS, *ExEventObjectType, KernelMode, &Found, NULL) ==
                STATUS_SUCCESS &&
            Found == Object && KeReadStateEvent(Found) != 0);
    ObDereferenceObject(Found);
    ZwClose(Other);
    ZwClose(Handle);
    FvCheck(ZwOpenEvent(&Other, EVENT_ALL_ACCESS, &Attributes) ==
            STATUS_OBJECT_NAME_NOT_FOUND); /* it went with its last handle */
}

static VOID CheckSecurity(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\MadeByHand");
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    PDEVICE_OBJECT Device;
    BOOLEAN Allocated = 7;

    FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    FvCheck(ObGetObjectSecurity(Device, &Descriptor, &Allocated) == STATUS_SUCCESS);
    FvCheck(Descriptor == NULL || RtlValidSecurityDescriptor(Descriptor));
    ObReleaseObjectSecurity(Descriptor, Allocated);
    IoDeleteDevice(Device);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(6 + 3);
    CheckCreation();
    CheckSecurity(DriverObject);
    return STATUS_SUCCESS;
}

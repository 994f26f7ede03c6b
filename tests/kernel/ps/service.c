// SPDX-License-Identifier: GPL-2.0-or-later
/* Handles asked, threads set, processes that are not to be ended. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI PVOID NTAPI PsGetCurrentThreadTeb(VOID);

static VOID CheckQueries(VOID)
{
    UNICODE_STRING Wanted = RTL_CONSTANT_STRING(L"Event");
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\FltvmQuery");
    PUBLIC_OBJECT_BASIC_INFORMATION Basic;
    OBJECT_ATTRIBUTES Attributes;
    UCHAR Buffer[300];
    HANDLE Event = NULL, Other = NULL;
    ULONG Length = 0;

    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwCreateEvent(&Event, EVENT_MODIFY_STATE | SYNCHRONIZE, &Attributes, NotificationEvent, FALSE) ==
            STATUS_SUCCESS);
    FvCheck(ZwQueryObject(Event, ObjectBasicInformation, &Basic, sizeof(Basic), &Length) == STATUS_SUCCESS &&
            Length == sizeof(Basic) && Basic.HandleCount == 1 &&
            Basic.GrantedAccess == (EVENT_MODIFY_STATE | SYNCHRONIZE));
    ZwOpenEvent(&Other, SYNCHRONIZE, &Attributes);
    Length = Basic.PointerCount;
    FvCheck(ZwQueryObject(Other, ObjectBasicInformation, &Basic, sizeof(Basic), NULL) == STATUS_SUCCESS &&
            Basic.HandleCount == 2 && Basic.PointerCount == Length + 1 && Basic.GrantedAccess == SYNCHRONIZE);
    ZwClose(Other);
    FvCheck(ZwQueryObject(Event, ObjectBasicInformation, &Basic, sizeof(Basic) - 1, &Length) ==
                STATUS_INFO_LENGTH_MISMATCH &&
            Length == sizeof(Basic));
    FvCheck(ZwQueryObject(Event, ObjectTypeInformation, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            RtlEqualUnicodeString(&((PPUBLIC_OBJECT_TYPE_INFORMATION)Buffer)->TypeName, &Wanted, FALSE) &&
            Length == sizeof(PUBLIC_OBJECT_TYPE_INFORMATION) + 12);
    FvCheck(ZwQueryObject(Event, ObjectTypeInformation, Buffer, Length - 1, &Length) == STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)1, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            RtlEqualUnicodeString((PUNICODE_STRING)Buffer, &Path, FALSE));
    FvCheck(ZwQueryObject(Event, (OBJECT_INFORMATION_CLASS)99, Buffer, sizeof(Buffer), &Length) ==
            STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwQueryObject((HANDLE)0x7FFC, ObjectBasicInformation, &Basic, sizeof(Basic), NULL) ==
            STATUS_INVALID_HANDLE);
    ZwClose(Event);
}

static NTSTATUS Set(THREADINFOCLASS Class, LONG Value)
{
    return ZwSetInformationThread(ZwCurrentThread(), Class, &Value, sizeof(Value));
}

static VOID CheckThreads(VOID)
{
    KPRIORITY Before = KeQueryPriorityThread(KeGetCurrentThread());

    FvCheck(Set(ThreadPriority, 12) == STATUS_SUCCESS && KeQueryPriorityThread(KeGetCurrentThread()) == 12);
    FvCheck(Set(ThreadPriority, 0) == STATUS_INVALID_PARAMETER && Set(ThreadPriority, 32) == STATUS_INVALID_PARAMETER);
    FvCheck(Set(ThreadBasePriority, 1) == STATUS_SUCCESS && Set(ThreadBasePriority, 0) == STATUS_SUCCESS);
    KeSetPriorityThread(KeGetCurrentThread(), Before);
    FvCheck(Set(ThreadPagePriority, 5) == STATUS_SUCCESS && Set(ThreadPagePriority, 6) == STATUS_INVALID_PARAMETER);
    FvCheck(Set(ThreadAmILastThread, 0) == STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwSetInformationThread(ZwCurrentThread(), ThreadPriority, &Before, 3) == STATUS_INFO_LENGTH_MISMATCH);
    FvCheck(ZwSetInformationThread((HANDLE)0x7FFC, ThreadPriority, &Before, 4) == STATUS_INVALID_HANDLE);
    FvCheck(ZwSetInformationThread(ZwCurrentProcess(), ThreadPriority, &Before, 4) == STATUS_OBJECT_TYPE_MISMATCH);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(21);
    CheckQueries();
    CheckThreads();
    FvCheck(ZwTerminateProcess(NULL, 0) == STATUS_ACCESS_DENIED &&
            ZwTerminateProcess(ZwCurrentProcess(), 0) == STATUS_ACCESS_DENIED);
    FvCheck(ZwTerminateProcess((HANDLE)0x7FFC, 0) == STATUS_INVALID_HANDLE);
    FvCheck(ZwTerminateProcess(ZwCurrentThread(), 0) == STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(PsGetCurrentThreadTeb() == NULL);
    return STATUS_SUCCESS;
}

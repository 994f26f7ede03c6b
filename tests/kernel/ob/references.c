// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References and handles made from each other: by pointer, by name, with tags, deferred; objects of a driver's own making;
 * events with handles; processes and tokens.
 */
#include <ntifs.h>

#include <fltvm.h>

#define NAME L"\\BaseNamedObjects\\FltvmReferences"
#define TAG  'fRtT'

NTKERNELAPI NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING Name, ULONG Attributes, PACCESS_STATE State,
                                                   ACCESS_MASK Access, POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                                                   PVOID Context, PVOID *Object);
NTKERNELAPI NTSTATUS NTAPI ObOpenObjectByName(POBJECT_ATTRIBUTES Attributes, POBJECT_TYPE Type, KPROCESSOR_MODE Mode,
                                              PACCESS_STATE State, ACCESS_MASK Access, PVOID Context, PHANDLE Handle);
NTKERNELAPI POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object);
NTSYSAPI NTSTATUS NTAPI NtCreateEvent(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                      EVENT_TYPE Type, BOOLEAN State);
NTSYSAPI NTSTATUS NTAPI NtOpenEvent(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes);
NTSYSAPI NTSTATUS NTAPI NtSetEvent(HANDLE Handle, PLONG PreviousState);
NTSYSAPI NTSTATUS NTAPI NtResetEvent(HANDLE Handle, PLONG PreviousState);
NTSYSAPI NTSTATUS NTAPI NtClearEvent(HANDLE Handle);
NTSYSAPI NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
NTKERNELAPI HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process);
NTKERNELAPI PCSTR NTAPI PsGetProcessImageFileName(PEPROCESS Process);
NTKERNELAPI HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread);
NTKERNELAPI PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process);
NTKERNELAPI LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process);

static PKEVENT MakeEvent(PHANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    OBJECT_ATTRIBUTES Attributes;
    PVOID Event = NULL;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    ObReferenceObjectByHandleWithTag(*Handle, 0, *ExEventObjectType, KernelMode, TAG, &Event, NULL);
    return Event;
}

static VOID CheckByPointer(PKEVENT Event)
{
    OBJECT_HANDLE_INFORMATION Information;
    PVOID Same = NULL;
    HANDLE Handle;

    FvCheck(ObOpenObjectByPointer(Event, OBJ_KERNEL_HANDLE, NULL, EVENT_QUERY_STATE, *ExEventObjectType, KernelMode,
                                  &Handle) == STATUS_SUCCESS);
    FvCheck(ObIsKernelHandle(Handle));
    FvCheck(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Same, &Information) == STATUS_SUCCESS &&
            Same == Event);
    FvCheck(Information.GrantedAccess == EVENT_QUERY_STATE);
    ObDereferenceObject(Same);
    /* Access is checked for user mode, which may not use kernel handles at all. */
    FvCheck(ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, NULL, UserMode, &Same, NULL) ==
            STATUS_INVALID_HANDLE);
    FvCheck(ObCloseHandle(Handle, KernelMode) == STATUS_SUCCESS);
    FvCheck(ObOpenObjectByPointer(Event, OBJ_KERNEL_HANDLE, NULL, 0, *PsThreadType, KernelMode, &Handle) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ObOpenObjectByPointer(Event, 0, NULL, GENERIC_READ, NULL, KernelMode, &Handle) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType, UserMode, &Same, NULL) ==
            STATUS_ACCESS_DENIED);
    FvCheck(ObReferenceObjectByHandle(Handle, EVENT_QUERY_STATE, *ExEventObjectType, UserMode, &Same, NULL) ==
            STATUS_SUCCESS);
    ObDereferenceObject(Same);
    FvCheck(NtClose(Handle) == STATUS_SUCCESS);
    FvCheck(ObOpenObjectByPointerWithTag(Event, OBJ_KERNEL_HANDLE, NULL, MAXIMUM_ALLOWED, NULL, KernelMode, TAG,
                                         &Handle) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Same, &Information) == STATUS_SUCCESS &&
            Information.GrantedAccess == EVENT_ALL_ACCESS);
    ObDereferenceObject(Same);
    ZwClose(Handle);
}

static VOID CheckReferences(PKEVENT Event)
{
    LONG_PTR Count = ObfReferenceObject(Event);

    FvCheck(ObfReferenceObjectWithTag(Event, TAG) == Count + 1);
    FvCheck(ObfDereferenceObjectWithTag(Event, TAG) == Count);
    FvCheck(ObReferenceObjectByPointer(Event, 0, *ExEventObjectType, KernelMode) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByPointer(Event, 0, *PsThreadType, KernelMode) == STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ObReferenceObjectByPointerWithTag(Event, 0, NULL, KernelMode, TAG) == STATUS_SUCCESS);
    FvCheck(ObfDereferenceObject(Event) == Count + 1);
    ObDereferenceObjectDeferDelete(Event);
    FvCheck(ObfReferenceObject(Event) == Count + 1);
    ObDereferenceObjectDeferDeleteWithTag(Event, TAG);
    FvCheck(ObfDereferenceObject(Event) == Count - 1);
    FvCheck(ObGetObjectType(Event) == *ExEventObjectType);
}

static VOID CheckByName(PKEVENT Event)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME), Missing = RTL_CONSTANT_STRING(NAME L"2");
    OBJECT_ATTRIBUTES Attributes;
    PVOID Found = NULL;
    HANDLE Handle = (HANDLE)1;

    FvCheck(ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, *ExEventObjectType, KernelMode, NULL,
                                    &Found) == STATUS_SUCCESS &&
            Found == Event);
    ObDereferenceObject(Found);
    FvCheck(ObReferenceObjectByName(&Missing, OBJ_CASE_INSENSITIVE, NULL, 0, NULL, KernelMode, NULL, &Found) ==
            STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, *PsThreadType, KernelMode, NULL, &Found) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ObOpenObjectByName(&Attributes, *ExEventObjectType, KernelMode, NULL, EVENT_ALL_ACCESS, NULL, &Handle) ==
            STATUS_SUCCESS);
    ZwClose(Handle);
    Attributes.Length = 7;
    FvCheck(ObOpenObjectByName(&Attributes, *ExEventObjectType, KernelMode, NULL, 0, NULL, &Handle) ==
                STATUS_INVALID_PARAMETER &&
            Handle == NULL);
    ObMakeTemporaryObject(Event); /* as it is: nothing changes while a handle is open */
    FvCheck(ObReferenceObjectByName(&Name, OBJ_CASE_INSENSITIVE, NULL, 0, NULL, KernelMode, NULL, &Found) ==
            STATUS_SUCCESS);
    ObDereferenceObject(Found);
}

static VOID CheckEvents(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME L"3");
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Zero = {.QuadPart = 0};
    HANDLE Handle = NULL, Again = NULL;
    LONG State = 7;
    PKEVENT Event;

    Event = IoCreateNotificationEvent(&Name, &Handle);
    FvCheck(Event != NULL && KeReadStateEvent(Event) == 1); /* signalled at first */
    FvCheck(IoCreateNotificationEvent(&Name, &Again) == Event);
    FvCheck(ZwClearEvent(Handle) == STATUS_SUCCESS && KeReadStateEvent(Event) == 0);
    FvCheck(NtSetEvent(Again, &State) == STATUS_SUCCESS && State == 0 && KeReadStateEvent(Event) == 1);
    FvCheck(NtResetEvent(Again, &State) == STATUS_SUCCESS && State == 1 && KeReadStateEvent(Event) == 0);
    FvCheck(NtWaitForSingleObject(Handle, FALSE, &Zero) == STATUS_TIMEOUT);
    NtSetEvent(Handle, NULL);
    FvCheck(NtWaitForSingleObject(Handle, FALSE, &Zero) == STATUS_SUCCESS && NtClearEvent(Handle) == STATUS_SUCCESS);
    ZwClose(Again);
    ZwClose(Handle);
    Event = IoCreateSynchronizationEvent(&Name, &Handle);
    FvCheck(Event != NULL && ZwWaitForSingleObject(Handle, FALSE, &Zero) == STATUS_SUCCESS &&
            KeReadStateEvent(Event) == 0);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NtOpenEvent(&Again, EVENT_ALL_ACCESS, &Attributes) == STATUS_SUCCESS);
    ZwClose(Again);
    ZwClose(Handle);
    FvCheck(ZwOpenEvent(&Again, EVENT_ALL_ACCESS, &Attributes) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(NtCreateEvent(&Again, EVENT_ALL_ACCESS, NULL, (EVENT_TYPE)2, FALSE) == STATUS_INVALID_PARAMETER);
}

static VOID CheckProcess(VOID)
{
    CLIENT_ID Id = {PsGetCurrentProcessId(), NULL};
    OBJECT_ATTRIBUTES Attributes;
    PUNICODE_STRING Name = NULL;
    PVOID Process = NULL;
    HANDLE Handle = NULL;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenProcess(&Handle, PROCESS_ALL_ACCESS, &Attributes, &Id) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, 0, *PsProcessType, KernelMode, &Process, NULL) == STATUS_SUCCESS &&
            Process == PsInitialSystemProcess);
    ObDereferenceObject(Process);
    ZwClose(Handle);
    Id.UniqueProcess = (HANDLE)0x7FF0;
    FvCheck(ZwOpenProcess(&Handle, PROCESS_ALL_ACCESS, &Attributes, &Id) == STATUS_INVALID_CID);
    FvCheck(SeLocateProcessImageName(PsInitialSystemProcess, &Name) == STATUS_SUCCESS && Name != NULL);
    ExFreePool(Name);
    FvCheck(PsGetThreadProcessId(PsGetCurrentThread()) == PsGetCurrentProcessId());
    FvCheck(PsGetProcessInheritedFromUniqueProcessId(PsInitialSystemProcess) == NULL);
    FvCheck(PsGetProcessImageFileName(PsInitialSystemProcess)[0] == 'S');
    FvCheck(PsGetProcessWow64Process(PsInitialSystemProcess) == NULL &&
            PsGetProcessCreateTimeQuadPart(PsInitialSystemProcess) > 0);
}

static VOID CheckToken(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsInitialSystemProcess);
    SECURITY_IMPERSONATION_LEVEL Level;
    SECURITY_SUBJECT_CONTEXT Subject;
    BOOLEAN CopyOnOpen, Effective;
    ULONG Session = 99;
    LUID Id = {0}, Debug = {.LowPart = SE_DEBUG_PRIVILEGE};
    LUID System = SYSTEM_LUID;

    FvCheck(Token != NULL && SeTokenType(Token) == TokenPrimary);
    FvCheck(SeTokenIsAdmin(Token) && !SeTokenIsRestricted(Token));
    FvCheck(SeQueryAuthenticationIdToken(Token, &Id) == STATUS_SUCCESS && RtlEqualLuid(&Id, &System));
    FvCheck(SeQuerySessionIdToken(Token, &Session) == STATUS_SUCCESS && Session == 0);
    PsDereferencePrimaryToken(Token);
    FvCheck(PsReferenceImpersonationToken(PsGetCurrentThread(), &CopyOnOpen, &Effective, &Level) ==
            NULL); /* it does not */
    SeCaptureSubjectContext(&Subject);
    SeLockSubjectContext(&Subject);
    FvCheck(Subject.ClientToken == NULL && Subject.PrimaryToken == Token);
    SeUnlockSubjectContext(&Subject);
    SeReleaseSubjectContext(&Subject);
    FvCheck(SeSinglePrivilegeCheck(Debug, KernelMode));
    FvCheck(SeExports != NULL && SeExports->SeDebugPrivilege.LowPart == SE_DEBUG_PRIVILEGE);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Handle = NULL;
    PKEVENT Event = MakeEvent(&Handle);

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(57);
    FvCheck(Event != NULL);
    CheckByPointer(Event);
    CheckReferences(Event);
    CheckByName(Event);
    ZwClose(Handle);
    FvCheck(ObfDereferenceObject(Event) == 0); /* each reference was given back */
    CheckEvents();
    CheckProcess();
    CheckToken();
    return STATUS_SUCCESS;
}

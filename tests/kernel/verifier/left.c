// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that leaves behind what the service's value Kind says when it is unloaded; see left.lua. */
#include <ntifs.h>
#include <fltvm.h>
#include "../../inc/threads.h"

DRIVER_INITIALIZE DriverEntry;

static ULONG Kind;
static PDEVICE_OBJECT Device;
static ERESOURCE Resource;
static NPAGED_LOOKASIDE_LIST Lookaside;
static KBUGCHECK_CALLBACK_RECORD Record;
static KTIMER Timer;
static KDPC Dpc;
static KEVENT Never;
static REGHANDLE Provider;
static const GUID Id = {1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}};

static VOID NTAPI ProcessNotify(HANDLE Parent, HANDLE Process, BOOLEAN Create)
{
} /* [1] */

static VOID NTAPI ThreadNotify(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
} /* [2] */

static VOID NTAPI ImageNotify(PUNICODE_STRING Name, HANDLE Process, PIMAGE_INFO Info)
{
} /* [15] */

static OB_PREOP_CALLBACK_STATUS NTAPI HandleOperation(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    return OB_PREOP_SUCCESS; /* [16] */
}

static NTSTATUS NTAPI RegistryOperation(PVOID Context, PVOID Class, PVOID Information)
{
    return STATUS_SUCCESS; /* [17] */
}

static VOID NTAPI Told(PVOID Context, PVOID Argument1, PVOID Argument2)
{
} /* [18] */

static NTSTATUS NTAPI OnInterface(PVOID Structure, PVOID Context)
{
    return STATUS_SUCCESS; /* [19] */
}

DECLSPEC_NOINLINE static VOID Register(PDRIVER_OBJECT DriverObject)
{
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, HandleOperation, NULL};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"1000"), NULL,
                                             &Operation};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Callback\\PowerState");
    OBJECT_ATTRIBUTES Attributes;
    PCALLBACK_OBJECT Object;
    static const GUID Class = {1};
    LARGE_INTEGER Cookie;
    PVOID Handle;

    switch (Kind) {
    case 15: PsSetLoadImageNotifyRoutine(ImageNotify); break;
    case 16: ObRegisterCallbacks(&Registration, &Handle); break;
    case 17: CmRegisterCallback(RegistryOperation, NULL, &Cookie); break;
    case 18:
        InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
        if (NT_SUCCESS(ExCreateCallback(&Object, &Attributes, FALSE, TRUE)))
            ExRegisterCallback(Object, Told, NULL);
        break;
    case 19:
        IoRegisterPlugPlayNotification(EventCategoryDeviceInterfaceChange, 0, (PVOID)&Class, DriverObject, OnInterface,
                                       NULL, &Handle);
        break;
    }
}

static VOID NTAPI BugCheck(PVOID Buffer, ULONG Length)
{
} /* [3] */

static VOID NTAPI FileSystemChanges(PDEVICE_OBJECT DeviceObject, BOOLEAN Active)
{
} /* [5] */

static VOID NTAPI Deferred(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{
}

static VOID NTAPI WaitForEver(PVOID Context)
{ /* [13] */
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

DECLSPEC_NOINLINE static VOID Open(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE); /* [9] */
}

/* What the kernel allocates for a driver, which has to free it. */
DECLSPEC_NOINLINE static VOID AskToken(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());
    PVOID User;

    SeQueryInformationToken(Token, TokenUser, &User); /* [22] */
    PsDereferencePrimaryToken(Token);
}

DECLSPEC_NOINLINE static VOID AskKey(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Registry\\Machine"), Altitude = RTL_CONSTANT_STRING(L"1000");
    OBJECT_ATTRIBUTES Attributes;
    PCUNICODE_STRING KeyName;
    LARGE_INTEGER Cookie;
    PVOID Object;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return;
    CmRegisterCallbackEx(RegistryOperation, &Altitude, Device->DriverObject, NULL, &Cookie, NULL);
    if (NT_SUCCESS(ObReferenceObjectByHandle(Key, 0, NULL, KernelMode, &Object, NULL))) {
        CmCallbackGetKeyObjectIDEx(&Cookie, Object, NULL, &KeyName, 0); /* [24] */
        ObDereferenceObject(Object);
    }
    CmUnRegisterCallback(Cookie);
    ZwClose(Key);
}

/* --- References --- */

static OPLOCK Oplock;

typedef LONG_PTR(FASTCALL *REFERENCE)(PVOID Object);

static REFERENCE Find(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return (REFERENCE)MmGetSystemRoutineAddress(&Name);
}

DECLSPEC_NOINLINE static VOID ReferenceForCaller(PVOID Object)
{
    FvReferenceForCaller(Object, _ReturnAddress());
}

static PDEVICE_OBJECT OpenVolume(PFILE_OBJECT *File)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    PDEVICE_OBJECT Volume = NULL;

    IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, File, &Volume); /* [29] */
    return Volume;
}

/* What gives back the reference that the kind takes, if it is to: an object, or none that was taken. */
DECLSPEC_NOINLINE static PVOID Take(VOID)
{
    UNICODE_STRING Callback = RTL_CONSTANT_STRING(L"\\Callback\\Left");
    PEPROCESS Current = PsGetCurrentProcess();
    OBJECT_ATTRIBUTES Attributes;
    PVOID Object = Current;
    PDEVICE_OBJECT Volume;
    PFILE_OBJECT File;
    POPLOCK Block;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    switch (Kind) {
    case 25: PsLookupProcessByProcessId(PsGetCurrentProcessId(), (PEPROCESS *)&Object); break; /* [25] */
    case 26: PsLookupThreadByThreadId(PsGetCurrentThreadId(), (PETHREAD *)&Object); break;     /* [26] */
    case 27: Object = PsReferencePrimaryToken(Current); break;                                 /* [27] */
    case 28:
        Volume = OpenVolume(&File);
        Object = IoGetAttachedDeviceReference(Volume); /* [28] */
        ObDereferenceObject(File);
        break;
    case 29:
        OpenVolume(&File);
        Object = File;
        break;
    case 30:
        ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
        ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, NULL); /* [30] */
        ZwClose(Handle);
        break;
    case 31:
        ObReferenceObject(Current); /* [31] */
        break;
    case 32:
        ObReferenceObjectByPointer(Current, 0, *PsProcessType, KernelMode); /* [32] */
        break;
    case 33:
        ReferenceForCaller(Current); /* [33] */
        break;
    case 34:
        Find(L"ObfReferenceObject")(Current); /* [34] */
        break;
    case 35:
        ObReferenceObjectWithTag(Current, 'tfeL'); /* [35] */
        break;
    case 36:
        FsRtlInitializeOplock(&Oplock); /* [36] */
        return NULL;
    case 37:
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(Oplock), 'tfeL');
        FsRtlInitializeOplock(Block); /* [37] */
        ExFreePoolWithTag(Block, 'tfeL');
        return NULL;
    case 38:
        Attributes.ObjectName = &Callback;
        ExCreateCallback((PCALLBACK_OBJECT *)&Object, &Attributes, TRUE, FALSE); /* [38] */
        break;
    case 39:
        ObReferenceObject(Device); /* [39] */
        Object = Device;
        break;
    }
    return Object;
}

/* Each in another way. */
static VOID GiveBackAll(VOID)
{
    PVOID Object;

    for (Kind = 25; Kind <= 39; Kind++) {
        if (Kind == 37)
            continue;
        Object = Take();
        switch (Kind) {
        case 27: PsDereferencePrimaryToken(Object); break;
        case 30: ObDereferenceObjectDeferDelete(Object); break;
        case 31: Find(L"ObfDereferenceObject")(Object); break;
        case 35: ObDereferenceObjectWithTag(Object, 'tfeL'); break;
        case 36: FsRtlUninitializeOplock(&Oplock); break;
        default: ObDereferenceObject(Object); break;
        }
    }
    /* The kernel's own references to it are nobody's. */
    ObReferenceObject(PsGetCurrentProcess());
    ObReferenceObject(PsGetCurrentProcess());
    ObDereferenceObject(PsGetCurrentProcess());
    ObDereferenceObject(PsGetCurrentProcess());
}

/* --- Views and run-down references --- */

static EX_RUNDOWN_REF Rundown;

static PVOID MapHere(VOID)
{
    LARGE_INTEGER Length = {.QuadPart = PAGE_SIZE}, At = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Attributes;
    SIZE_T Size = 0;
    PVOID View = NULL;
    HANDLE Section;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(
            ZwCreateSection(&Section, SECTION_ALL_ACCESS, &Attributes, &Length, PAGE_READWRITE, SEC_COMMIT, NULL)))
        return NULL;
    ZwMapViewOfSection(Section, (HANDLE)-1, &View, 0, 0, &At, &Size, ViewUnmap, 0, PAGE_READWRITE); /* [40] */
    ZwClose(Section);
    return View;
}

static PVOID MapInSystemSpace(VOID)
{
    LARGE_INTEGER Size = {.QuadPart = PAGE_SIZE};
    OBJECT_ATTRIBUTES Attributes;
    SIZE_T ViewSize = 0;
    PVOID Section, View = NULL;
    HANDLE Handle;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwCreateSection(&Handle, SECTION_ALL_ACCESS, &Attributes, &Size, PAGE_READWRITE, SEC_COMMIT, NULL)))
        return NULL;
    if (NT_SUCCESS(ObReferenceObjectByHandle(Handle, SECTION_ALL_ACCESS, NULL, KernelMode, &Section, NULL))) {
        MmMapViewInSystemSpace(Section, &View, &ViewSize); /* [41] */
        ObDereferenceObject(Section);
    }
    ZwClose(Handle);
    return View;
}

DECLSPEC_NOINLINE static VOID Protect(VOID)
{
    ExInitializeRundownProtection(&Rundown);
    if (Kind == 42)
        ExAcquireRundownProtection(&Rundown); /* [42] */
}

static VOID NTAPI Lend(PVOID Context)
{
    ExAcquireRundownProtection(&Rundown); /* [43] */
}

/* A thread that has a reference for ten seconds, and says so by waiting for no longer. */
static VOID NTAPI ProtectForLong(PVOID Context)
{
    LARGE_INTEGER Time = {.QuadPart = -10 * 10000000LL};

    if (ExAcquireRundownProtection(&Rundown)) {
        KeSetEvent(&Never, IO_NO_INCREMENT, FALSE);
        KeDelayExecutionThread(KernelMode, FALSE, &Time);
        ExReleaseRundownProtection(&Rundown);
    }
}

static VOID GiveBackViews(VOID)
{
    PVOID View = MapHere();

    ZwUnmapViewOfSection(ZwCurrentProcess(), View);
    View = MapInSystemSpace();
    MmUnmapViewInSystemSpace(View);
    Kind = 42;
    Protect();
    ExReleaseRundownProtection(&Rundown);
}

DECLSPEC_NOINLINE static VOID Leave(PDRIVER_OBJECT DriverObject)
{
    PUNICODE_STRING Image;
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\LeftBehind"), Target = RTL_CONSTANT_STRING(L"\\Device\\Nothing");
    LARGE_INTEGER Later = {.QuadPart = -100000000};

    switch (Kind) {
    case 1: PsSetCreateProcessNotifyRoutine(ProcessNotify, FALSE); break;
    case 2: PsSetCreateThreadNotifyRoutine(ThreadNotify); break;
    case 3:
        KeInitializeCallbackRecord((&Record));
        KeRegisterBugCheckCallback(&Record, BugCheck, NULL, 0, (PUCHAR) "left");
        break;
    case 4: ExInitializeResourceLite(&Resource); break; /* [4] */
    case 5: IoRegisterFsRegistrationChange(DriverObject, FileSystemChanges); break;
    case 6: IoRegisterShutdownNotification(Device); break;
    case 7: /* the device itself */ break;
    case 8: IoCreateSymbolicLink(&Link, &Target); break; /* [8] */
    case 9: Open(); break;
    case 10: IoAllocateIrp(2, FALSE); break;                                /* [10] */
    case 11: IoAllocateMdl(&Kind, sizeof(Kind), FALSE, FALSE, NULL); break; /* [11] */
    case 12:
        KeInitializeDpc(&Dpc, Deferred, NULL);
        KeInitializeTimer(&Timer);
        KeSetTimer(&Timer, Later, &Dpc);
        break;
    case 15:
    case 16:
    case 17:
    case 18:
    case 19: Register(DriverObject); break;
    case 20: EtwRegister(&Id, NULL, NULL, &Provider); break;                 /* [20] */
    case 21: SeLocateProcessImageName(PsGetCurrentProcess(), &Image); break; /* [21] */
    case 22: AskToken(); break;
    case 23: FsRtlAllocateFileLock(NULL, NULL); break; /* [23] */
    case 24: AskKey(); break;
    case 14: ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, 'tfeL', 0); break; /* [14] */
    case 25 ... 39: Take(); break;
    case 40: MapHere(); break;
    case 41: MapInSystemSpace(); break;
    case 42: Protect(); break;
    case 43: /* by a thread that is gone */
        Protect();
        JoinThread(StartThread(Lend, NULL));
        break;
    case 44:
        KeInitializeEvent(&Never, NotificationEvent, FALSE);
        Protect();
        ObDereferenceObject(StartThread(ProtectForLong, NULL));
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
        break;
    case 13:
        KeInitializeEvent(&Never, NotificationEvent, FALSE);
        ObDereferenceObject(StartThread(WaitForEver, NULL));
        break;
    }
}

/* All of it, taken back. */
static VOID LeaveNothing(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\LeftBehind");

    for (Kind = 1; Kind <= 8; Kind++)
        Leave(DriverObject);
    EtwRegister(&Id, NULL, NULL, &Provider);
    EtwUnregister(Provider);
    PsSetCreateProcessNotifyRoutine(ProcessNotify, TRUE);
    PsRemoveCreateThreadNotifyRoutine(ThreadNotify);
    KeDeregisterBugCheckCallback(&Record);
    ExDeleteResourceLite(&Resource);
    IoUnregisterFsRegistrationChange(DriverObject, FileSystemChanges);
    IoUnregisterShutdownNotification(Device);
    IoDeleteSymbolicLink(&Link);
    GiveBackAll();
    GiveBackViews();
    Kind = 0;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{ /* [6] [7] */
    if (Kind != 7 && Kind != 6)
        IoDeleteDevice(Device);
    if (Kind >= 43)
        ExWaitForRundownProtectionRelease(&Rundown);
}

static ULONG ReadKind(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Kind");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    OBJECT_ATTRIBUTES Attributes;
    ULONG Number = 0, Length;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return 0;
    if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length)))
        Number = *(PULONG)((PKEY_VALUE_PARTIAL_INFORMATION)Buffer)->Data;
    ZwClose(Key);
    return Number;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Kind = ReadKind(RegistryPath);
    DriverObject->DriverUnload = Unload;
    IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (Kind == 0)
        LeaveNothing(DriverObject);
    else
        Leave(DriverObject);
    return STATUS_SUCCESS;
}

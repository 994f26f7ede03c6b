// SPDX-License-Identifier: GPL-2.0-or-later
/* Routines for handles to processes and threads: registration, order, what they see and what they may take away. */
#include <ntifs.h>

#include <fltvm.h>

typedef struct _SEEN {
    ULONG Order[16], Count;
    OB_OPERATION Operation;
    PVOID Object;
    POBJECT_TYPE Type;
    ACCESS_MASK Desired, Original, Granted;
    ULONG Flags;
    PVOID CallContext, Source, Target;
    NTSTATUS Status;
} SEEN;

static SEEN Seen;
static ACCESS_MASK Remove, Add;

static OB_PREOP_CALLBACK_STATUS NTAPI Before(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    Seen.Order[Seen.Count++] = (ULONG)(ULONG_PTR)Context;
    Seen.Operation = Information->Operation;
    Seen.Object = Information->Object;
    Seen.Type = Information->ObjectType;
    Seen.Flags = Information->Flags;
    Seen.Desired = Information->Parameters->CreateHandleInformation.DesiredAccess;
    Seen.Original = Information->Parameters->CreateHandleInformation.OriginalDesiredAccess;
    if (Information->Operation == OB_OPERATION_HANDLE_DUPLICATE) {
        Seen.Source = Information->Parameters->DuplicateHandleInformation.SourceProcess;
        Seen.Target = Information->Parameters->DuplicateHandleInformation.TargetProcess;
    }
    Information->Parameters->CreateHandleInformation.DesiredAccess &= ~Remove;
    Information->Parameters->CreateHandleInformation.DesiredAccess |= Add;
    Information->CallContext = (PUCHAR)Context + 100;
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI After(PVOID Context, POB_POST_OPERATION_INFORMATION Information)
{
    Seen.Order[Seen.Count++] = (ULONG)(ULONG_PTR)Context + 1000;
    Seen.CallContext = Information->CallContext;
    Seen.Granted = Information->Parameters->CreateHandleInformation.GrantedAccess;
    Seen.Status = Information->ReturnStatus;
}

static NTSTATUS Register(PCWSTR Altitude, ULONG Context, POBJECT_TYPE *Type, OB_OPERATION Operations,
                         POB_PRE_OPERATION_CALLBACK Pre, POB_POST_OPERATION_CALLBACK Post, PVOID *Handle)
{
    OB_OPERATION_REGISTRATION Operation = {Type, Operations, Pre, Post};
    OB_CALLBACK_REGISTRATION Registration = {
        OB_FLT_REGISTRATION_VERSION, 1, {0}, (PVOID)(ULONG_PTR)Context, &Operation};

    RtlInitUnicodeString(&Registration.Altitude, Altitude);
    return ObRegisterCallbacks(&Registration, Handle);
}

#define BOTH (OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE)

static VOID CheckRegistration(VOID)
{
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, Before, NULL};
    OB_CALLBACK_REGISTRATION Registration = {0x200, 1, RTL_CONSTANT_STRING(L"1000"), NULL, &Operation};
    PVOID Handle = NULL, Other = NULL;

    FvCheck(ObGetFilterVersion() == OB_FLT_REGISTRATION_VERSION);
    FvCheck(ObRegisterCallbacks(&Registration, &Handle) == STATUS_INVALID_PARAMETER);
    Registration.Version = OB_FLT_REGISTRATION_VERSION;
    Registration.OperationRegistrationCount = 0;
    FvCheck(ObRegisterCallbacks(&Registration, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"", 1, PsProcessType, BOTH, Before, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"12a", 1, PsProcessType, BOTH, Before, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"1000", 1, ExEventObjectType, BOTH, Before, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"1000", 1, PsProcessType, 0, Before, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"1000", 1, PsProcessType, 4, Before, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"1000", 1, PsProcessType, BOTH, NULL, NULL, &Handle) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"1000", 1, PsThreadType, BOTH, NULL, After, &Handle) == STATUS_SUCCESS && Handle != NULL);
    FvCheck(Register(L"01000.0", 1, PsProcessType, BOTH, Before, NULL, &Other) ==
            STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    FvCheck(Register(L"1000.5", 1, PsProcessType, BOTH, Before, NULL, &Other) == STATUS_SUCCESS);
    ObUnRegisterCallbacks(Handle);
    ObUnRegisterCallbacks(Other);
    FvCheck(Register(L"1000", 1, PsThreadType, BOTH, Before, NULL, &Handle) == STATUS_SUCCESS);
    ObUnRegisterCallbacks(Handle);
}

static HANDLE OpenSelf(ULONG Attributes, ACCESS_MASK Access)
{
    HANDLE Handle = NULL;

    RtlZeroMemory(&Seen, sizeof(Seen));
    ObOpenObjectByPointer(PsGetCurrentProcess(), Attributes, NULL, Access, *PsProcessType, KernelMode, &Handle);
    return Handle;
}

static ACCESS_MASK AccessOf(HANDLE Handle)
{
    OBJECT_HANDLE_INFORMATION Information = {0};
    PVOID Object;

    if (NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Object, &Information)))
        ObDereferenceObject(Object);
    return Information.GrantedAccess;
}

static VOID CheckOperations(VOID)
{
    PVOID Low = NULL, High = NULL, Threads = NULL;
    HANDLE Handle, Copy = NULL;
    OBJECT_ATTRIBUTES Attributes;
    CLIENT_ID Id = {PsGetCurrentProcessId(), NULL};

    /* The number decides, not the text. */
    FvCheck(Register(L"99999", 1, PsProcessType, OB_OPERATION_HANDLE_CREATE, Before, After, &Low) == STATUS_SUCCESS);
    FvCheck(Register(L"100000.25", 2, PsProcessType, BOTH, Before, After, &High) == STATUS_SUCCESS);
    FvCheck(Register(L"370000", 3, PsThreadType, BOTH, Before, After, &Threads) == STATUS_SUCCESS);
    Handle = OpenSelf(OBJ_KERNEL_HANDLE, 0x1F);
    FvCheck(Seen.Count == 4 && Seen.Order[0] == 2 && Seen.Order[1] == 1 && Seen.Order[2] == 1001 &&
            Seen.Order[3] == 1002);
    FvCheck(Seen.Operation == OB_OPERATION_HANDLE_CREATE && Seen.Object == PsGetCurrentProcess() &&
            Seen.Type == *PsProcessType);
    FvCheck(Seen.Flags == 1 && Seen.Desired == 0x1F && Seen.Original == 0x1F && Seen.Granted == 0x1F);
    FvCheck(Seen.CallContext == (PVOID)102 && Seen.Status == STATUS_SUCCESS);
    ZwClose(Handle);

    Remove = 0x3, Add = 0x100;
    Handle = OpenSelf(0, 0x1F);
    FvCheck(Seen.Flags == 0 && Seen.Original == 0x1F && Seen.Desired == 0x1C && Seen.Granted == 0x1C);
    FvCheck(AccessOf(Handle) == 0x1C); /* taken away, and nothing added */
    Seen.Count = 0;
    FvCheck(ZwDuplicateObject(ZwCurrentProcess(), Handle, ZwCurrentProcess(), &Copy, 0x1F, 0, 0) == STATUS_SUCCESS);
    FvCheck(Seen.Count == 2 && Seen.Order[0] == 2 && Seen.Order[1] == 1002); /* the other wants no duplicates */
    FvCheck(Seen.Operation == OB_OPERATION_HANDLE_DUPLICATE && Seen.Source == PsGetCurrentProcess() &&
            Seen.Target == PsGetCurrentProcess() && AccessOf(Copy) == 0x1C);
    ZwClose(Copy);
    ZwClose(Handle);
    Remove = Add = 0;

    RtlZeroMemory(&Seen, sizeof(Seen));
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenProcess(&Handle, 0x400, &Attributes, &Id) == STATUS_SUCCESS && Seen.Count == 4 &&
            Seen.Original == 0x400);
    ZwClose(Handle);
    Seen.Count = 0;
    FvCheck(NT_SUCCESS(ObOpenObjectByPointer(PsGetCurrentThread(), OBJ_KERNEL_HANDLE, NULL, SYNCHRONIZE, *PsThreadType,
                                             KernelMode, &Handle)));
    FvCheck(Seen.Count == 2 && Seen.Order[0] == 3 && Seen.Type == *PsThreadType);
    ZwClose(Handle);
    ObUnRegisterCallbacks(Low);
    ObUnRegisterCallbacks(High);
    Handle = OpenSelf(0, 1);
    FvCheck(Seen.Count == 0);
    ZwClose(Handle);
    ObUnRegisterCallbacks(Threads);
}

/* As many registrations as there may be. */
static VOID CheckLimit(VOID)
{
    static PVOID Handles[64];
    WCHAR Altitude[8];
    ULONG Count = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    while (Count < RTL_NUMBER_OF(Handles) && NT_SUCCESS(Status)) {
        Altitude[0] = (WCHAR)(L'1' + Count / 10);
        Altitude[1] = (WCHAR)(L'0' + Count % 10);
        Altitude[2] = 0;
        Status = Register(Altitude, 1, PsProcessType, BOTH, Before, NULL, &Handles[Count]);
        Count += NT_SUCCESS(Status);
    }
    FvCheck(Count == 32 && Status == STATUS_INSUFFICIENT_RESOURCES);
    while (Count-- != 0)
        ObUnRegisterCallbacks(Handles[Count]);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(30);
    CheckRegistration();
    CheckOperations();
    CheckLimit();
    return STATUS_SUCCESS;
}

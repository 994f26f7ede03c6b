// SPDX-License-Identifier: GPL-2.0-or-later
/* Notify routines for images, and for processes and threads in their newer versions; callback objects. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

typedef struct _CALLBACK_STATE {
    ULONG Order[4], Count;
    PVOID Context, Argument1, Argument2;
    KIRQL Irql;
} CALLBACK_STATE;

static CALLBACK_STATE State;
static ULONG ThreadsCreated, ThreadsEnded, ThreadsOwn;
static HANDLE Creator;

static VOID NTAPI OnImage(PUNICODE_STRING Name, HANDLE Process, PIMAGE_INFO Info)
{
    UNREFERENCED_PARAMETER(Name);
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Info);
}

static VOID NTAPI OnProcess(PEPROCESS Process, HANDLE Id, PPS_CREATE_NOTIFY_INFO Info)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Id);
    UNREFERENCED_PARAMETER(Info);
}

static VOID NTAPI OnThread(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Thread);
    if (Create && PsGetCurrentThreadId() == Creator)
        ThreadsCreated++;
    if (!Create)
        ThreadsEnded++;
}

static VOID NTAPI OnOwnThread(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Create);
    ThreadsOwn++;
}

static VOID NTAPI DoNothing(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static KEVENT Called;
static BOOLEAN Returning;

static VOID NTAPI OnThreadSlowly(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Thread);
    if (!Create || PsGetCurrentThreadId() == Creator)
        return;
    KeSetEvent(&Called, IO_NO_INCREMENT, FALSE);
    Sleep(100);
    Returning = TRUE;
}

static VOID NTAPI StartAnother(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    JoinThread(StartThread(DoNothing, NULL));
}

/* Whoever removes a routine that is being called waits for it: its code may go then. */
static VOID CheckRemovalWaits(VOID)
{
    PVOID Starter;

    KeInitializeEvent(&Called, NotificationEvent, FALSE);
    FvCheck(PsSetCreateThreadNotifyRoutine(OnThreadSlowly) == STATUS_SUCCESS);
    Starter = StartThread(StartAnother, NULL);
    FvCheck(WaitFor(&Called, 1000) == STATUS_SUCCESS && !Returning);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnThreadSlowly) == STATUS_SUCCESS && Returning);
    JoinThread(Starter);
}

static VOID CheckNotify(VOID)
{
    PETHREAD Thread;
    ULONG Registered = 0;

    FvCheck(PsSetLoadImageNotifyRoutineEx(OnImage, 2) == STATUS_INVALID_PARAMETER_2);
    FvCheck(PsRemoveLoadImageNotifyRoutine(OnImage) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsRemoveLoadImageNotifyRoutine(NULL) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetLoadImageNotifyRoutineEx(OnImage, PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE) == STATUS_SUCCESS);
    FvCheck(PsRemoveLoadImageNotifyRoutine(OnImage) == STATUS_SUCCESS);
    while (PsSetLoadImageNotifyRoutine(OnImage) == STATUS_SUCCESS)
        Registered++;
    FvCheck(Registered == 64 && PsSetLoadImageNotifyRoutine(OnImage) == STATUS_INSUFFICIENT_RESOURCES);
    while (PsRemoveLoadImageNotifyRoutine(OnImage) == STATUS_SUCCESS)
        Registered--;
    FvCheck(Registered == 0);
    FvCheck(PsSetCreateProcessNotifyRoutineEx2(1, (PVOID)OnProcess, FALSE) == STATUS_INVALID_PARAMETER);
    FvCheck(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, TRUE) ==
            STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, FALSE) ==
            STATUS_SUCCESS);
    FvCheck(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, FALSE) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, TRUE) ==
            STATUS_SUCCESS);

    Creator = PsGetCurrentThreadId();
    FvCheck(PsSetCreateThreadNotifyRoutineEx(2, (PVOID)OnThread) == STATUS_INVALID_PARAMETER);
    FvCheck(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifySubsystems, (PVOID)OnThread) == STATUS_SUCCESS);
    FvCheck(PsSetCreateThreadNotifyRoutineEx(PsCreateThreadNotifyNonSystem, (PVOID)OnOwnThread) == STATUS_SUCCESS);
    Thread = StartThread(DoNothing, NULL);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
    FvCheck(ThreadsCreated == 1 && ThreadsEnded == 1);
    FvCheck(ThreadsOwn == 0); /* a system thread */
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnThread) == STATUS_SUCCESS);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnOwnThread) == STATUS_SUCCESS);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnOwnThread) == STATUS_PROCEDURE_NOT_FOUND);
}

static VOID NTAPI First(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    State.Order[State.Count++] = 1;
    State.Context = Context;
    State.Argument1 = Argument1;
    State.Argument2 = Argument2;
    State.Irql = KeGetCurrentIrql();
}

static VOID NTAPI Second(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    State.Order[State.Count++] = 2;
}

static NTSTATUS Create(PCWSTR Path, ULONG Flags, BOOLEAN New, BOOLEAN Multiple, PCALLBACK_OBJECT *Object)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, Path == NULL ? NULL : &Name, OBJ_CASE_INSENSITIVE | Flags, NULL, NULL);
    return ExCreateCallback(Object, &Attributes, New, Multiple);
}

static VOID CheckCallbackObjects(VOID)
{
    PCALLBACK_OBJECT Object = NULL, Again = NULL, One = NULL, System = NULL;
    PVOID A, B, Single;
    KIRQL Irql;

    FvCheck(Create(NULL, 0, TRUE, TRUE, &Object) == STATUS_UNSUCCESSFUL);
    FvCheck(Create(L"\\Callback\\FltvmTest", 0, FALSE, TRUE, &Object) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Create(L"\\Callback\\FltvmTest", OBJ_PERMANENT, TRUE, TRUE, &Object) == STATUS_SUCCESS && Object != NULL);
    FvCheck(Create(L"\\callback\\FLTVMTEST", 0, FALSE, FALSE, &Again) == STATUS_SUCCESS && Again == Object);
    FvCheck(Create(L"\\Callback\\FltvmTest", 0, TRUE, FALSE, &Again) == STATUS_SUCCESS && Again == Object);
    ObDereferenceObject(Object);
    ObDereferenceObject(Object);
    A = ExRegisterCallback(Object, First, &State);
    B = ExRegisterCallback(Object, Second, NULL);
    FvCheck(A != NULL && B != NULL && A != B);
    ExNotifyCallback(Object, (PVOID)11, (PVOID)22);
    FvCheck(State.Count == 2 && State.Order[0] == 1 && State.Order[1] == 2);
    FvCheck(State.Context == &State && State.Argument1 == (PVOID)11 && State.Argument2 == (PVOID)22 &&
            State.Irql == PASSIVE_LEVEL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExNotifyCallback(Object, NULL, NULL);
    KeLowerIrql(Irql);
    FvCheck(State.Count == 4 && State.Irql == DISPATCH_LEVEL && State.Argument1 == NULL);
    State.Count = 0;
    KeRaiseIrql(APC_LEVEL, &Irql);
    ExUnregisterCallback(A);
    ExNotifyCallback(Object, NULL, NULL);
    KeLowerIrql(Irql);
    FvCheck(State.Count == 1 && State.Order[0] == 2);
    ExUnregisterCallback(B);
    ExNotifyCallback(Object, NULL, NULL);
    FvCheck(State.Count == 1);

    FvCheck(Create(L"\\Callback\\FltvmOne", OBJ_PERMANENT, TRUE, FALSE, &One) == STATUS_SUCCESS);
    Single = ExRegisterCallback(One, First, NULL);
    FvCheck(Single != NULL && ExRegisterCallback(One, Second, NULL) == NULL);
    ExUnregisterCallback(Single);
    Single = ExRegisterCallback(One, Second, NULL);
    FvCheck(Single != NULL);
    ExUnregisterCallback(Single);
    ObMakeTemporaryObject(One);
    ObDereferenceObject(One);
    ObMakeTemporaryObject(Object);
    ObDereferenceObject(Object);
    FvCheck(Create(L"\\Callback\\FltvmTest", 0, FALSE, TRUE, &Object) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Create(L"\\Callback\\SetSystemTime", 0, FALSE, TRUE, &System) == STATUS_SUCCESS);
    ObDereferenceObject(System);
    FvCheck(Create(L"\\Callback\\PowerState", 0, FALSE, TRUE, &System) == STATUS_SUCCESS);
    ObDereferenceObject(System);
    FvCheck(Create(L"\\ObjectTypes\\Event", 0, TRUE, TRUE, &System) == STATUS_OBJECT_TYPE_MISMATCH);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(41);
    CheckNotify();
    CheckRemovalWaits();
    CheckCallbackObjects();
    return STATUS_SUCCESS;
}
